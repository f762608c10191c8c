#include "maskcodec/morph.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "maskcodec/flat_rle.hpp"
#include "maskcodec/parallel.hpp"
#include "maskcodec/run_ops.hpp"

namespace maskcodec {

namespace {

// Foreground of one column: rows [a, b).
struct Piece {
  std::uint32_t x, a, b;
};

std::vector<Piece> pieces_of(RunsView runs) {
  std::vector<Piece> pieces;
  pieces.reserve(runs.size / 2);
  each_piece(runs, [&](std::uint32_t x, std::uint32_t a, std::uint32_t b) { pieces.push_back(Piece{x, a, b}); });
  return pieces;
}

std::uint32_t reach_of(double radius, Shape shape) {
  if (!(radius >= 0) || std::isinf(radius)) throw RangeError("radius: expected a finite number from 0 on");
  // Beyond the frame nothing changes any more.
  const double most = static_cast<double>(std::max(shape.height, shape.width));
  return static_cast<std::uint32_t>(std::min(std::floor(radius), most));
}

Runs dilate_columns(RunsView runs, std::uint64_t k) {
  const std::uint64_t h = runs.shape.height;
  SpanBuilder out(runs.shape);
  out.reserve(runs.size / 2 + 1);
  std::uint64_t x = 0, a = 0, b = 0;  // the span being grown; none while a == b
  each_piece(runs, [&](std::uint32_t px, std::uint32_t pa, std::uint32_t pb) {
    const std::uint64_t na = pa > k ? pa - k : 0, nb = std::min(h, pb + k);
    if (a != b && px == x && na <= b) {
      b = nb;
      return;
    }
    if (a != b) out.add(x * h + a, x * h + b);
    x = px;
    a = na;
    b = nb;
  });
  if (a != b) out.add(x * h + a, x * h + b);
  return out.finish();
}

Runs erode_columns(RunsView runs, std::uint64_t k, bool border) {
  const std::uint64_t h = runs.shape.height;
  SpanBuilder out(runs.shape);
  each_piece(runs, [&](std::uint32_t x, std::uint32_t a, std::uint32_t b) {
    const std::uint64_t na = border && a == 0 ? 0 : a + k;
    const std::uint64_t nb = border && b == h ? h : (b > k ? b - k : 0);
    if (na < nb) out.add(x * h + na, x * h + nb);
  });
  return out.finish();
}

template <class Columns>
Runs along_rows(RunsView runs, Columns&& columns) {
  const Runs turned = transpose(runs);
  const Runs done = columns(turned.view());
  return transpose(done.view());
}

// Dilation by any set that is symmetric and, column by column, one stretch: reach[d] is how far it goes in rows at
// column distance d.
Runs dilate_by(RunsView runs, const std::vector<std::uint64_t>& reach) {
  const std::uint64_t h = runs.shape.height;
  const std::uint64_t w = runs.shape.width;
  const std::vector<Piece> pieces = pieces_of(runs);
  SpanBuilder out(runs.shape);
  if (pieces.empty()) return out.finish();
  const std::uint64_t k = reach.size() - 1;
  const std::uint64_t x0 = pieces.front().x, x1 = pieces.back().x;
  // first[c - x0]: the first piece of column c or later.
  std::vector<std::size_t> first(x1 - x0 + 2, pieces.size());
  for (std::size_t i = pieces.size(); i-- > 0;) first[pieces[i].x - x0] = i;
  for (std::size_t c = first.size() - 1; c-- > 0;) first[c] = std::min(first[c], first[c + 1]);
  std::vector<std::pair<std::uint64_t, std::uint64_t>> spans;
  for (std::uint64_t x = x0 > k ? x0 - k : 0; x < std::min(w, x1 + k + 1); ++x) {
    spans.clear();
    const std::uint64_t from = std::max(x0, x > k ? x - k : 0), to = std::min(x1, x + k);
    for (std::uint64_t c = from; c <= to; ++c) {
      const std::uint64_t r = reach[c > x ? c - x : x - c];
      for (std::size_t i = first[c - x0]; i < first[c - x0 + 1]; ++i)
        spans.emplace_back(pieces[i].a > r ? pieces[i].a - r : 0, std::min<std::uint64_t>(h, pieces[i].b + r));
    }
    std::sort(spans.begin(), spans.end());
    for (std::size_t i = 0; i < spans.size();) {
      const std::uint64_t a = spans[i].first;
      std::uint64_t b = spans[i].second;
      for (++i; i < spans.size() && spans[i].first <= b; ++i) b = std::max(b, spans[i].second);
      out.add(x * h + a, x * h + b);
    }
  }
  return out.finish();
}

std::vector<std::uint64_t> disk_reach(double radius, Shape shape) {
  const std::uint32_t k = reach_of(radius, shape);
  const double limit = std::max(shape.height, shape.width);
  const double r = std::min(radius, 2 * limit + 1);  // covers the frame whole
  std::vector<std::uint64_t> reach(std::size_t{k} + 1);
  for (std::uint32_t d = 0; d <= k; ++d) {
    const double rest = r * r - static_cast<double>(d) * d;
    auto dy = static_cast<std::uint64_t>(std::sqrt(std::max(0.0, rest)));
    while (static_cast<double>(dy) * static_cast<double>(dy) > rest) --dy;
    while (static_cast<double>(dy + 1) * static_cast<double>(dy + 1) <= rest) ++dy;
    reach[d] = dy;
  }
  return reach;
}

Shape grown(Shape shape, std::uint64_t k) { return make_shape(shape.height + 2 * k, shape.width + 2 * k); }

}  // namespace

Runs dilate(RunsView runs, Kernel kernel, double radius) {
  const std::uint32_t k = reach_of(radius, runs.shape);
  if (kernel == Kernel::disk) return dilate_by(runs, disk_reach(radius, runs.shape));
  const Runs down = dilate_columns(runs, k);
  auto rows = [&](RunsView r) { return along_rows(r, [&](RunsView t) { return dilate_columns(t, k); }); };
  if (kernel == Kernel::square) return rows(down.view());
  const Runs across = rows(runs);
  return combine(down.view(), across.view(), truth_or);
}

Runs erode(RunsView runs, Kernel kernel, double radius, bool border) {
  const std::uint32_t k = reach_of(radius, runs.shape);
  if (kernel == Kernel::disk) {
    // What the complement reaches; the complement of a frame with background around it goes on outside.
    const std::int64_t around = border ? 0 : 1;
    const Runs framed = pad(runs, around, around, grown(runs.shape, static_cast<std::uint64_t>(around)));
    const Runs outside = complement(framed.view());
    Runs reached = dilate_by(outside.view(), disk_reach(radius, framed.shape));
    const Runs kept = complement(reached.view());
    if (border) return kept;
    return crop(kept.view(), 1, 1, 1 + runs.shape.width, 1 + runs.shape.height);
  }
  const Runs down = erode_columns(runs, k, border);
  auto rows = [&](RunsView r) { return along_rows(r, [&](RunsView t) { return erode_columns(t, k, border); }); };
  if (kernel == Kernel::square) return rows(down.view());
  const Runs across = rows(runs);
  return combine(down.view(), across.view(), truth_and);
}

Runs open(RunsView runs, Kernel kernel, double radius) {
  const Runs inner = erode(runs, kernel, radius, false);
  return dilate(inner.view(), kernel, radius);
}

Runs close(RunsView runs, Kernel kernel, double radius) {
  if (!(radius >= 0 && radius < 4294967296.0)) throw RangeError("radius: expected a number from 0 to 2^32");
  // With that much room around it nothing is cut off, and the outside is too far away to matter.
  const auto k = static_cast<std::uint32_t>(radius);
  const Runs framed = pad(runs, k, k, grown(runs.shape, k));
  const Runs wide = dilate(framed.view(), kernel, radius);
  const Runs shrunk = erode(wide.view(), kernel, radius, true);
  return crop(shrunk.view(), k, k, k + runs.shape.width, k + runs.shape.height);
}

namespace {

// Labels of pieces, numbered from 0 in the order of their first piece.
struct Labels {
  std::vector<Piece> pieces;
  std::vector<std::uint32_t> label;
  std::vector<std::uint64_t> area;
};

Labels label(RunsView runs, bool diagonal) {
  Labels out;
  out.pieces = pieces_of(runs);
  const std::vector<Piece>& p = out.pieces;
  if (p.size() > std::numeric_limits<std::uint32_t>::max()) throw ShapeError("too many pieces to label");
  std::vector<std::uint32_t> parent(p.size());
  std::iota(parent.begin(), parent.end(), 0u);
  auto root = [&](std::uint32_t i) {
    while (parent[i] != i) {
      parent[i] = parent[parent[i]];
      i = parent[i];
    }
    return i;
  };
  const std::uint32_t near = diagonal ? 1 : 0;
  std::size_t left = 0;  // first piece of the column before that may still touch
  for (std::size_t i = 0; i < p.size(); ++i) {
    while (left < i && (p[left].x + std::uint64_t{1} < p[i].x ||
                        (p[left].x + std::uint64_t{1} == p[i].x && p[left].b + std::uint64_t{near} <= p[i].a)))
      ++left;
    for (std::size_t j = left; j < i && p[j].x + std::uint64_t{1} == p[i].x && p[j].a < p[i].b + std::uint64_t{near}; ++j) {
      const std::uint32_t a = root(static_cast<std::uint32_t>(i)), b = root(static_cast<std::uint32_t>(j));
      if (a < b) parent[b] = a;
      else parent[a] = b;
    }
  }
  // Roots are the smallest piece of their component, so numbers come out in order.
  out.label.resize(p.size());
  for (std::size_t i = 0; i < p.size(); ++i) {
    const std::uint32_t r = root(static_cast<std::uint32_t>(i));
    if (r == i) {
      out.label[i] = static_cast<std::uint32_t>(out.area.size());
      out.area.push_back(0);
    } else {
      out.label[i] = out.label[r];
    }
    out.area[out.label[i]] += p[i].b - p[i].a;
  }
  return out;
}

template <class Keep>
Runs select(const Labels& labels, Shape shape, Keep&& keep) {
  SpanBuilder out(shape);
  const std::uint64_t h = shape.height;
  for (std::size_t i = 0; i < labels.pieces.size(); ++i) {
    const Piece& p = labels.pieces[i];
    if (keep(labels.label[i])) out.add(p.x * h + p.a, p.x * h + p.b);
  }
  return out.finish();
}

}  // namespace

Components components(RunsView runs, bool diagonal) {
  const Labels labels = label(runs, diagonal);
  const std::size_t n = labels.area.size();
  std::vector<std::size_t> starts(n + 1);
  for (const std::uint32_t l : labels.label) ++starts[l + 1];
  for (std::size_t i = 0; i < n; ++i) starts[i + 1] += starts[i];
  std::vector<std::size_t> order(labels.pieces.size()), next(starts.begin(), starts.end() - 1);
  for (std::size_t i = 0; i < labels.pieces.size(); ++i) order[next[labels.label[i]]++] = i;
  Components out;
  out.offsets.push_back(0);
  const std::uint64_t h = runs.shape.height;
  for (std::size_t c = 0; c < n; ++c) {
    SpanBuilder builder(runs.shape);
    for (std::size_t k = starts[c]; k < starts[c + 1]; ++k) {
      const Piece& p = labels.pieces[order[k]];
      builder.add(p.x * h + p.a, p.x * h + p.b);
    }
    const Runs one = builder.finish();
    out.runs.insert(out.runs.end(), one.counts.begin(), one.counts.end());
    out.offsets.push_back(out.runs.size());
  }
  return out;
}

Runs remove_small(RunsView runs, std::uint64_t smallest, bool diagonal) {
  const Labels labels = label(runs, diagonal);
  return select(labels, runs.shape, [&](std::uint32_t l) { return labels.area[l] >= smallest; });
}

Runs largest_component(RunsView runs, bool diagonal) {
  const Labels labels = label(runs, diagonal);
  const auto best = std::max_element(labels.area.begin(), labels.area.end()) - labels.area.begin();
  return select(labels, runs.shape, [&](std::uint32_t l) { return l == best; });
}

Runs fill_holes(RunsView runs, std::uint64_t largest, bool diagonal) {
  const Runs outside = complement(runs);
  const Labels labels = label(outside.view(), !diagonal);
  std::vector<std::uint8_t> hole(labels.area.size(), 1);
  for (std::size_t i = 0; i < labels.pieces.size(); ++i) {
    const Piece& p = labels.pieces[i];
    if (p.x == 0 || p.x + std::uint64_t{1} == runs.shape.width || p.a == 0 || p.b == runs.shape.height)
      hole[labels.label[i]] = 0;
  }
  const Runs holes =
      select(labels, runs.shape, [&](std::uint32_t l) { return hole[l] && labels.area[l] <= largest; });
  return combine(runs, holes.view(), truth_or);
}

Moments centroid(RunsView runs) {
  // Neither sum can pass 2^64: there are fewer than 2^32 pixels, and no column or row number reaches 2^32.
  std::uint64_t n = 0, sum_x = 0, sum_y = 0;
  each_piece(runs, [&](std::uint32_t x, std::uint32_t a, std::uint32_t b) {
    const std::uint64_t len = b - a;
    n += len;
    sum_x += x * len;
    const std::uint64_t twice_mean = std::uint64_t{a} + b - 1;  // even where len is odd
    sum_y += len % 2 == 0 ? twice_mean * (len / 2) : (twice_mean / 2) * len;
  });
  if (n == 0) return Moments{0, 0, 0};
  auto mean = [&](std::uint64_t sum) {
    return static_cast<double>(sum / n) + (static_cast<double>(sum % n) / static_cast<double>(n) + 0.5);
  };
  return Moments{n, mean(sum_x), mean(sum_y)};
}

void boundaries(const RunsView* masks, std::size_t count, double width, Runs* out, unsigned threads) {
  parallel_for(count, threads, [&](std::size_t i) {
    const Runs inner = erode(masks[i], Kernel::square, width, false);
    out[i] = combine(masks[i], inner.view(), truth_minus);
  });
}

}  // namespace maskcodec
