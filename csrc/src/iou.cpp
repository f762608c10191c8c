#include <algorithm>
#include <memory>
#include <vector>

#include "maskcodec/bits.hpp"
#include "maskcodec/kernels.hpp"
#include "maskcodec/parallel.hpp"
#include "maskcodec/run_ops.hpp"

namespace maskcodec {

SpanTable::SpanTable(const RunsView* masks, std::size_t count) {
  if (count != 0) shape_ = masks[0].shape;
  entries_.reserve(count);
  std::size_t total = 0;
  for (std::size_t m = 0; m < count; ++m) total += masks[m].size / 2;
  spans_.resize(2 * total);
  std::uint32_t* out = spans_.data();
  for (std::size_t m = 0; m < count; ++m) {
    const std::size_t begin = static_cast<std::size_t>(out - spans_.data()) / 2;
    std::uint64_t at = 0, sum = 0;
    for (std::size_t i = 0; i < masks[m].size; ++i) {
      const std::uint64_t n = masks[m].data[i];
      if (i & 1u) {
        *out++ = static_cast<std::uint32_t>(at);
        *out++ = static_cast<std::uint32_t>(at + n);
        sum += n;
      }
      at += n;
    }
    entries_.push_back(Entry{begin, static_cast<std::size_t>(out - spans_.data()) / 2, sum, bounding_box(masks[m])});
  }
}

namespace {

// Pixels that both lists of spans cover. The lists are cut to the stretch where they can meet, then swept together.
std::uint64_t overlap(const std::uint32_t* a, const std::uint32_t* a_end, const std::uint32_t* b,
                      const std::uint32_t* b_end) {
  if (a == a_end || b == b_end) return 0;
  auto skip = [](const std::uint32_t* p, const std::uint32_t* end, std::uint32_t start) {
    // First span that ends after `start`.
    std::size_t n = static_cast<std::size_t>(end - p) / 2;
    while (n > 0) {
      const std::size_t half = n / 2;
      if (p[2 * half + 1] <= start) {
        p += 2 * (half + 1);
        n -= half + 1;
      } else {
        n = half;
      }
    }
    return p;
  };
  if (a[0] < b[0]) a = skip(a, a_end, b[0]);
  else b = skip(b, b_end, a[0]);
  std::uint64_t sum = 0;
  while (a != a_end && b != b_end) {
    const std::uint32_t s = a[0] > b[0] ? a[0] : b[0];
    const std::uint32_t ea = a[1], eb = b[1];
    const std::uint32_t e = ea < eb ? ea : eb;
    sum += e > s ? e - s : 0u;
    a += ea <= eb ? 2 : 0;
    b += eb <= ea ? 2 : 0;
  }
  return sum;
}

// Masks column by column: layer k holds the k-th span of every column, as (start, end) of columns side by side, so that the
// overlap of two layers is a plain loop over columns. Stretches of columns without a k-th span are left out.
class Layers {
 public:
  explicit Layers(const SpanTable& table) : height_(table.shape().height) {
    pieces_.reserve(table.entries().size());
    for (const SpanTable::Entry& entry : table.entries()) {
      const std::size_t begin = all_.size();
      const std::size_t depth = add(table.spans().data() + 2 * entry.begin, table.spans().data() + 2 * entry.end);
      pieces_.push_back(Mask{begin, all_.size(), depth, entry.end - entry.begin});
    }
  }

  // Whether two masks are compared faster this way than span by span.
  static bool worth(const Layers& a, std::size_t i, const Layers& b, std::size_t j) {
    const Mask &p = a.pieces_[i], &q = b.pieces_[j];
    if (p.depth == 0 || q.depth == 0) return false;
    return 2 * (p.last - p.first) * (q.last - q.first) < p.spans + q.spans;
  }

  static std::uint64_t overlap(const Layers& a, std::size_t i, const Layers& b, std::size_t j, const Kernels& k) {
    const Mask &p = a.pieces_[i], &q = b.pieces_[j];
    std::uint64_t sum = 0;
    for (std::size_t s = p.first; s < p.last; ++s)
      for (std::size_t t = q.first; t < q.last; ++t) {
        const Piece &u = a.all_[s], &v = b.all_[t];
        const std::uint32_t x0 = std::max(u.x0, v.x0), x1 = std::min(u.x1, v.x1);
        if (x0 >= x1) continue;
        const std::size_t m = u.at + (x0 - u.x0), n = v.at + (x0 - v.x0);
        sum += k.column_overlap(a.starts_.data() + m, a.ends_.data() + m, b.starts_.data() + n, b.ends_.data() + n,
                                x1 - x0);
      }
    return sum;
  }

  static bool possible(const SpanTable& table) { return table.shape().height <= 32767; }

 private:
  static constexpr std::size_t deepest = 8;  // spans a column; noisier masks are swept
  static constexpr std::uint32_t gap = 16;   // columns that are filled with nothing rather than starting a new piece
  struct Piece {
    std::uint32_t x0, x1;
    std::size_t at;
  };
  struct Mask {
    std::size_t first, last;  // pieces
    std::size_t depth;        // 0: not in layers
    std::size_t spans;
  };
  struct Layer {
    std::vector<std::int16_t> starts, ends;
    std::vector<Piece> pieces;
  };

  std::size_t add(const std::uint32_t* p, const std::uint32_t* last) {
    std::size_t depth = 0;
    for (Layer& layer : layers_) {
      layer.starts.clear();
      layer.ends.clear();
      layer.pieces.clear();
    }
    std::uint32_t column = 0;
    std::size_t k = 0;
    for (; p != last; p += 2) {
      std::uint32_t x = p[0] / height_;
      std::uint32_t y = p[0] - x * height_;
      std::uint32_t rest = p[1] - p[0];
      while (rest != 0) {
        const std::uint32_t n = std::min(rest, height_ - y);
        if (x != column) k = 0;
        column = x;
        if (k == deepest) return 0;
        put(layers_[k], x, y, y + n);
        depth = std::max(depth, ++k);
        rest -= n;
        y = 0;
        ++x;
      }
    }
    for (std::size_t d = 0; d < depth; ++d) {
      for (Piece piece : layers_[d].pieces) {
        piece.at += starts_.size();
        all_.push_back(piece);
      }
      starts_.insert(starts_.end(), layers_[d].starts.begin(), layers_[d].starts.end());
      ends_.insert(ends_.end(), layers_[d].ends.begin(), layers_[d].ends.end());
    }
    return depth;
  }

  static void put(Layer& layer, std::uint32_t x, std::uint32_t from, std::uint32_t to) {
    if (layer.pieces.empty() || x > layer.pieces.back().x1 + gap) {
      layer.pieces.push_back(Piece{x, x, layer.starts.size()});
    } else {
      for (; layer.pieces.back().x1 < x; ++layer.pieces.back().x1) {
        layer.starts.push_back(0);
        layer.ends.push_back(0);
      }
    }
    layer.starts.push_back(static_cast<std::int16_t>(from));
    layer.ends.push_back(static_cast<std::int16_t>(to));
    layer.pieces.back().x1 = x + 1;
  }

  std::uint32_t height_;
  std::vector<Mask> pieces_;
  std::vector<Piece> all_;
  std::vector<std::int16_t> starts_, ends_;
  Layer layers_[deepest];
};

// The corners of many boxes in four arrays, filled up to a multiple of 64 with boxes that meet nothing.
struct Corners {
  explicit Corners(const std::vector<SpanTable::Entry>& entries) : size((entries.size() + 63) / 64 * 64) {
    for (auto* v : {&x0, &y0}) v->assign(size, 0xFFFFFFFFu);
    for (auto* v : {&x1, &y1}) v->assign(size, 0);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const Box& b = entries[i].box;
      x0[i] = b.x;
      y0[i] = b.y;
      x1[i] = b.x + b.width;  // at most the width of the mask
      y1[i] = b.y + b.height;
    }
  }
  void meet(const Box& b, const Kernels& k, std::uint64_t* bits) const {
    const std::uint32_t corners[4] = {b.x, b.y, b.x + b.width, b.y + b.height};
    k.boxes_meet(x0.data(), y0.data(), x1.data(), y1.data(), size, corners, bits);
  }
  std::size_t size;
  std::vector<std::uint32_t> x0, y0, x1, y1;
};

}  // namespace

void iou(const SpanTable& a, const SpanTable& b, const std::uint8_t* crowd, double* out, std::size_t stride_a,
         std::size_t stride_b, unsigned threads) {
  const auto& ea = a.entries();
  const auto& eb = b.entries();
  if (ea.empty() || eb.empty()) return;
  const Kernels& k = kernels();
  const Corners corners(eb);
  const std::size_t words = corners.size / 64;
  // Most boxes of a scene do not meet. Where many do, it pays to lay the masks out column by column first.
  std::unique_ptr<Layers> la, lb;
  if (Layers::possible(a)) {
    std::vector<std::uint64_t> bits(words);
    const std::size_t enough = 8 * (ea.size() + eb.size());
    std::size_t meetings = 0;
    for (std::size_t i = 0; i < ea.size() && meetings < enough; ++i) {
      corners.meet(ea[i].box, k, bits.data());
      for (std::uint64_t w : bits)
        for (; w != 0; w &= w - 1) ++meetings;
    }
    if (meetings >= enough) {
      la.reset(new Layers(a));
      lb.reset(new Layers(b));
    }
  }
  parallel_for(ea.size(), threads, [&](std::size_t i) {
    std::vector<std::uint64_t> bits(words);
    corners.meet(ea[i].box, k, bits.data());
    for (std::size_t w = 0; w < words; ++w)
      for (std::uint64_t d = bits[w]; d != 0; d &= d - 1) {
        const std::size_t j = 64 * w + count_trailing_zeros(d);
        const std::uint64_t both =
            la && Layers::worth(*la, i, *lb, j)
                ? Layers::overlap(*la, i, *lb, j, k)
                : overlap(a.spans().data() + 2 * ea[i].begin, a.spans().data() + 2 * ea[i].end,
                          b.spans().data() + 2 * eb[j].begin, b.spans().data() + 2 * eb[j].end);
        if (both == 0) continue;
        const std::uint64_t all = crowd && crowd[j] ? ea[i].area : ea[i].area + eb[j].area - both;
        out[i * stride_a + j * stride_b] = static_cast<double>(both) / static_cast<double>(all);
      }
  });
}

void box_iou(const double* a, std::size_t n, const double* b, std::size_t m, const std::uint8_t* crowd, double* out) {
  std::vector<double> table(5 * n);
  double *x0 = table.data(), *y0 = x0 + n, *x1 = y0 + n, *y1 = x1 + n, *area = y1 + n;
  for (std::size_t i = 0; i < n; ++i) {
    x0[i] = a[4 * i];
    y0[i] = a[4 * i + 1];
    x1[i] = a[4 * i + 2] + a[4 * i];
    y1[i] = a[4 * i + 3] + a[4 * i + 1];
    area[i] = a[4 * i + 2] * a[4 * i + 3];
  }
  const Kernels& k = kernels();
  for (std::size_t j = 0; j < m; ++j) {
    const double* q = b + 4 * j;
    const double box[5] = {q[0], q[1], q[2] + q[0], q[3] + q[1], q[2] * q[3]};
    k.box_iou(x0, y0, x1, y1, area, n, box, crowd && crowd[j], out + j * n);
  }
}

}  // namespace maskcodec
