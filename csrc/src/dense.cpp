#include "maskcodec/dense.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "maskcodec/bits.hpp"
#include "maskcodec/kernels.hpp"
#include "maskcodec/parallel.hpp"

namespace maskcodec {

namespace {

template <class T>
const std::uint8_t* bytes_at(const PixelView<T>& v, std::size_t y, std::size_t x) {
  return reinterpret_cast<const std::uint8_t*>(v.data) + static_cast<std::ptrdiff_t>(y) * v.row_stride +
         static_cast<std::ptrdiff_t>(x) * v.col_stride;
}

// n elements, `stride` bytes apart, as bytes that are zero or not. `scratch` has room for n bytes.
template <class T>
const std::uint8_t* as_bytes(const std::uint8_t* p, std::ptrdiff_t stride, std::size_t n, std::uint8_t* scratch) {
  if (sizeof(T) == 1 && stride == 1) return p;
  if (stride == static_cast<std::ptrdiff_t>(sizeof(T))) {
    const T* q = reinterpret_cast<const T*>(p);
    for (std::size_t i = 0; i < n; ++i) scratch[i] = static_cast<std::uint8_t>(q[i] != 0);
  } else {
    for (std::size_t i = 0; i < n; ++i, p += stride)
      scratch[i] = static_cast<std::uint8_t>(*reinterpret_cast<const T*>(p) != 0);
  }
  return scratch;
}

// Toggle positions to canonical runs, in place; `positions` are ascending.
Runs finish(Shape shape, std::vector<std::uint32_t>&& positions) {
  const auto pixels = static_cast<std::uint32_t>(shape.pixels());
  positions.push_back(pixels);
  std::uint32_t last = 0;
  for (std::uint32_t& p : positions) {
    const std::uint32_t at = p;
    p = at - last;
    last = at;
  }
  return Runs{shape, std::move(positions)};
}

class Toggles {  // a growing buffer that kernels write into
 public:
  std::uint32_t* room(std::size_t n) {
    if (capacity_ - size_ < n + 16) grow(n + 16);  // kernels may write a little too far
    return buffer_.get() + size_;
  }
  void took(std::size_t n) { size_ += n; }
  std::size_t size() const { return size_; }
  const std::uint32_t* data() const { return buffer_.get(); }
  std::vector<std::uint32_t> vector() const {
    std::vector<std::uint32_t> v;
    v.reserve(size_ + 1);
    v.assign(buffer_.get(), buffer_.get() + size_);
    return v;
  }

 private:
  void grow(std::size_t n) {
    const std::size_t wanted = std::max(capacity_ * 2, size_ + n);
    std::unique_ptr<std::uint32_t[]> bigger(new std::uint32_t[wanted]);
    if (size_) std::memcpy(bigger.get(), buffer_.get(), size_ * sizeof(std::uint32_t));
    buffer_ = std::move(bigger);
    capacity_ = wanted;
  }
  std::unique_ptr<std::uint32_t[]> buffer_;
  std::size_t size_ = 0, capacity_ = 0;
};

constexpr std::size_t chunk = 8192;

// Columns that are contiguous in memory: one pass over lines of pixels.
template <class T>
Runs encode_columns(const PixelView<T>& mask, Shape shape) {
  const Kernels& k = kernels();
  Toggles toggles;
  unsigned state = 0;
  std::uint8_t scratch[chunk];
  const std::size_t h = mask.height;
  const bool flat = mask.col_stride == static_cast<std::ptrdiff_t>(h * sizeof(T));
  const std::size_t lines = flat ? 1 : mask.width;
  const std::size_t length = flat ? h * mask.width : h;
  for (std::size_t x = 0; x < lines; ++x) {
    const std::uint8_t* p = bytes_at(mask, 0, x);
    for (std::size_t i = 0; i < length; i += chunk) {
      const std::size_t n = std::min(chunk, length - i);
      const std::uint8_t* line = as_bytes<T>(p + i * sizeof(T), sizeof(T), n, scratch);
      toggles.took(k.line_toggles(line, n, static_cast<std::uint32_t>(x * length + i), &state, toggles.room(n)));
    }
  }
  return finish(shape, toggles.vector());
}

// Many toggles: bit planes of the rows, transposed 64 by 64 into bit planes of the columns, then scanned in order.
template <class T>
Runs encode_planes(const PixelView<T>& mask, Shape shape) {
  const Kernels& k = kernels();
  const std::size_t h = mask.height, w = mask.width, words = (w + 63) / 64, blocks = (h + 63) / 64;
  std::vector<std::uint64_t> rows(blocks * 64 * words);
  std::vector<std::uint8_t> scratch(w);
  for (std::size_t y = 0; y < h; ++y)
    k.row_bits(as_bytes<T>(bytes_at(mask, y, 0), mask.col_stride, w, scratch.data()), w, rows.data() + y * words);
  std::vector<std::uint64_t> planes(64 * blocks);
  Toggles toggles;
  std::uint64_t carry = 0;
  for (std::size_t c = 0; c < words; ++c) {
    for (std::size_t b = 0; b < blocks; ++b) {
      std::uint64_t square[64];
      std::uint64_t any = 0;
      for (std::size_t i = 0; i < 64; ++i) any |= square[i] = rows[(b * 64 + i) * words + c];
      if (any) transpose64(square);
      for (std::size_t i = 0; i < 64; ++i) planes[i * blocks + b] = square[i];
    }
    const std::size_t columns = std::min<std::size_t>(64, w - c * 64);
    for (std::size_t j = 0; j < columns; ++j) {
      std::uint64_t* plane = planes.data() + j * blocks;
      for (std::size_t b = 0; b < blocks; ++b) {
        const std::uint64_t bits = plane[b];
        std::uint64_t d = bits ^ ((bits << 1) | carry);
        if (b + 1 == blocks && h % 64) {
          d &= (std::uint64_t{1} << (h % 64)) - 1;
          carry = (bits >> (h % 64 - 1)) & 1;
        } else {
          carry = bits >> 63;
        }
        plane[b] = d;
      }
      toggles.took(k.bit_positions(plane, blocks, static_cast<std::uint32_t>((c * 64 + j) * h), toggles.room(64 * blocks)));
    }
  }
  return finish(shape, toggles.vector());
}

bool empty_row(const std::vector<std::uint64_t>& bits) {
  return std::none_of(bits.begin(), bits.end(), [](std::uint64_t word) { return word != 0; });
}

// Rows: xor with the row above leaves the toggles, a counting sort by column puts them into column-major order.
template <class T>
Runs encode_rows(const PixelView<T>& mask, Shape shape) {
  const Kernels& k = kernels();
  const std::size_t h = mask.height, w = mask.width, words = (w + 63) / 64;
  std::vector<std::uint64_t> above(words), first(words);
  std::vector<std::uint32_t> per_column(w + 1);
  std::vector<std::uint32_t> row_ends(h);
  const bool direct = sizeof(T) == 1 && mask.col_stride == 1;
  std::vector<std::uint8_t> scratch(direct ? 0 : w);
  Toggles toggles;
  const bool solid = direct && mask.row_stride == static_cast<std::ptrdiff_t>(w);
  bool blank = false;  // the row above has no foreground
  for (std::size_t y = 0; y < h; ++y) {
    if (blank && solid) {  // empty rows are skipped as one line
      const std::size_t empty = k.zeros(bytes_at(mask, y, 0), (h - y) * w) / w;
      std::fill_n(row_ends.begin() + static_cast<std::ptrdiff_t>(y), empty, static_cast<std::uint32_t>(toggles.size()));
      y += empty;
      if (y == h) break;
    }
    const std::uint8_t* row = as_bytes<T>(bytes_at(mask, y, 0), mask.col_stride, w, scratch.data());
    if (y == 0) {
      // Its toggles depend on the bottom row (a run may go on from the column before): they are added at the end.
      k.row_bits(row, w, above.data());
      first = above;
      blank = empty_row(above);
    } else {
      const std::size_t found = k.row_xor(row, w, above.data(), toggles.room(w), per_column.data());
      toggles.took(found);
      if (found != 0) blank = empty_row(above);  // only a row that differs begins or ends a stretch of empty ones
    }
    row_ends[y] = static_cast<std::uint32_t>(toggles.size());
    // Sorting costs more than transposing bits from here on (measured); start again the other way.
    if ((y & 31) == 31 && toggles.size() > 2048 && toggles.size() * 24 > y * w) return encode_planes(mask, shape);
  }
  std::size_t total = toggles.size();
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < words; ++i) {
    const std::uint64_t d_all = first[i] ^ ((above[i] << 1) | carry);
    carry = above[i] >> 63;
    std::uint64_t d = d_all;
    if (i + 1 == words && w % 64) d &= (std::uint64_t{1} << (w % 64)) - 1;
    first[i] = d;
    for (; d; d &= d - 1) {
      ++per_column[i * 64 + count_trailing_zeros(d)];
      ++total;
    }
  }
  std::uint32_t sum = 0;
  for (std::size_t x = 0; x < w; ++x) {
    const std::uint32_t n = per_column[x];
    per_column[x] = sum;
    sum += n;
  }
  std::vector<std::uint32_t> positions;
  positions.reserve(total + 1);
  positions.resize(total);
  for (std::size_t i = 0; i < words; ++i)
    for (std::uint64_t d = first[i]; d; d &= d - 1) {
      const std::size_t x = i * 64 + count_trailing_zeros(d);
      positions[per_column[x]++] = static_cast<std::uint32_t>(x * h);
    }
  std::size_t e = 0;
  for (std::size_t y = 1; y < h; ++y)
    for (; e < row_ends[y]; ++e) {
      const std::uint32_t x = toggles.data()[e];
      positions[per_column[x]++] = static_cast<std::uint32_t>(x * h + y);
    }
  return finish(shape, std::move(positions));
}

std::ptrdiff_t magnitude(std::ptrdiff_t v) { return v < 0 ? -v : v; }

}  // namespace

template <class T>
Runs encode(PixelView<T> mask) {
  const Shape shape = make_shape(mask.height, mask.width);
  check_dense(shape);
  if (shape.pixels() == 0) return Runs{shape, {0}};
  if (mask.row_stride == static_cast<std::ptrdiff_t>(sizeof(T)) && (mask.height > 1 || mask.width == 1 ||
      magnitude(mask.col_stride) != static_cast<std::ptrdiff_t>(sizeof(T))))
    return encode_columns(mask, shape);
  if (mask.width == 1) return encode_planes(mask, shape);
  return encode_rows(mask, shape);
}

template Runs encode<std::uint8_t>(PixelView<std::uint8_t>);
template Runs encode<std::uint16_t>(PixelView<std::uint16_t>);
template Runs encode<std::uint32_t>(PixelView<std::uint32_t>);
template Runs encode<std::uint64_t>(PixelView<std::uint64_t>);

Runs encode_any(const void* data, std::size_t height, std::size_t width, std::ptrdiff_t row_stride,
                std::ptrdiff_t col_stride, std::size_t item) {
  switch (item) {
    case 1:
      return encode(PixelView<std::uint8_t>{static_cast<const std::uint8_t*>(data), height, width, row_stride, col_stride});
    case 2:
      return encode(
          PixelView<std::uint16_t>{static_cast<const std::uint16_t*>(data), height, width, row_stride, col_stride});
    case 4:
      return encode(
          PixelView<std::uint32_t>{static_cast<const std::uint32_t*>(data), height, width, row_stride, col_stride});
    default:
      return encode(
          PixelView<std::uint64_t>{static_cast<const std::uint64_t*>(data), height, width, row_stride, col_stride});
  }
}

void encode_many(const PlaneView* planes, std::size_t count, Runs* out, unsigned threads) {
  parallel_for(count, threads, [&](std::size_t i) {
    const PlaneView& p = planes[i];
    out[i] = encode_any(p.data, p.height, p.width, p.row_stride, p.col_stride, p.item);
  });
}

// --- decode ----------------------------------------------------------------------------------------------------------

namespace {

// First run that reaches beyond `from` (a flat position): its index, and the position where it starts.
struct Start {
  std::size_t index;
  std::uint64_t position;
};
Start seek(RunsView runs, std::uint64_t from) {
  std::size_t i = 0;
  std::uint64_t at = 0;
  while (i + 64 <= runs.size) {  // a block at a time: the sum of 64 runs is a few vector additions
    std::uint64_t sum = 0;
    for (std::size_t j = 0; j < 64; ++j) sum += runs.data[i + j];
    if (at + sum > from) break;
    at += sum;
    i += 64;
  }
  while (i < runs.size && at + runs.data[i] <= from) at += runs.data[i++];
  return Start{i, at};
}

template <class T>
void fill_n(T* p, std::size_t n, T value) {
  if (sizeof(T) == 1) {
    unsigned char byte;
    std::memcpy(&byte, &value, 1);
    std::memset(p, byte, n);
  } else {
    std::fill(p, p + n, value);
  }
}

// Contiguous column-major pixels [from, to) of the mask. Writes background too unless `zeroed`.
template <class T>
void decode_flat(RunsView runs, std::uint64_t from, std::uint64_t to, T* out, T value, bool zeroed) {
  if (from >= to) return;
  const Start s = seek(runs, from);
  std::size_t i = s.index;
  std::uint64_t at = s.position;
  const std::uint64_t span = to - from;
  constexpr std::uint64_t wide = 16 / sizeof(T);
  T ramp[2 * wide];  // from ramp + wide - n: n values, then zeros
  for (std::uint64_t j = 0; j < wide; ++j) {
    ramp[j] = value;
    ramp[wide + j] = T{0};
  }
  if (!zeroed && span / 256 > runs.size - i) {
    // Few long runs: clear once, then write foreground only.
    fill_n(out, static_cast<std::size_t>(span), T{0});
    zeroed = true;
  }
  std::uint64_t p = from;
  while (p < to) {
    const std::uint64_t stop = std::min(to, at + runs.data[i]);
    const std::uint64_t n = stop - p;
    const bool foreground = i & 1u;
    T* dst = out + (p - from);
    if (foreground || !zeroed) {
      if (n <= wide && p + wide <= to) {
        // Sixteen bytes at once; what is written too far is background, or is overwritten by the runs that follow.
        std::memcpy(dst, foreground ? ramp + (wide - n) : ramp + wide, 16);
      } else {
        fill_n(dst, static_cast<std::size_t>(n), foreground ? value : T{0});
      }
    }
    p = stop;
    at += runs.data[i];
    ++i;
  }
}

// A window into rows that are contiguous: the first row from its toggles, each next one a copy with its toggles flipped.
template <class T>
void decode_rows(RunsView runs, Window win, PixelTarget<T> out, T value, bool zeroed) {
  const std::uint64_t h = runs.shape.height;
  const std::uint32_t width = win.x1 - win.x0, height = win.y1 - win.y0;
  const std::uint64_t from = win.x0 * h, to = win.x1 * h;
  auto row_at = [&](std::uint32_t y) {
    return reinterpret_cast<T*>(reinterpret_cast<char*>(out.data) + static_cast<std::ptrdiff_t>(y) * out.row_stride);
  };
  // Pass 1: count toggles per row of the window. A foreground run [s, e) toggles at its start and at its end, and at the
  // top of every column that it enters from above, so that columns are independent of each other.
  std::vector<std::uint32_t> offsets(std::size_t{height} + 1);
  const Start first = seek(runs, from);
  std::uint32_t x_min = width, x_max = 0, y_min = height, y_max = 0;
  auto each = [&](auto&& toggle) {
    std::size_t i = first.index;
    std::uint64_t at = first.position;
    if (!(i & 1u) && i < runs.size) at += runs.data[i++];
    Place place{at / h, at % h};
    while (i < runs.size && at < to) {
      const std::uint64_t n = runs.data[i];
      std::uint64_t rest = n;
      std::uint64_t cx = place.x, cy = place.y;
      if (at < from) {  // only the run that the window starts in
        rest -= from - at;
        cx = win.x0;
        cy = 0;
      }
      while (rest != 0 && cx < win.x1) {
        const std::uint64_t piece = std::min(rest, h - cy);
        const std::uint64_t a = std::max<std::uint64_t>(cy, win.y0), b = std::min<std::uint64_t>(cy + piece, win.y1);
        if (a < b) toggle(static_cast<std::uint32_t>(cx - win.x0), static_cast<std::uint32_t>(a - win.y0),
                          static_cast<std::uint32_t>(b - win.y0));
        rest -= piece;
        cy = 0;
        ++cx;
      }
      const std::uint64_t step = n + (i + 1 < runs.size ? runs.data[i + 1] : 0);
      at += step;
      place.advance(step, h);
      i += 2;
    }
  };
  std::size_t total = 0;
  struct Piece {
    std::uint32_t x, a, b;
  };
  std::vector<Piece> pieces;
  pieces.reserve(std::min<std::size_t>((runs.size - first.index) / 2 + width, std::size_t{1} << 16));
  each([&](std::uint32_t x, std::uint32_t a, std::uint32_t b) {
    pieces.push_back(Piece{x, a, b});
    ++offsets[a];
    ++total;
    if (b < height) {
      ++offsets[b];
      ++total;
    }
    x_min = std::min(x_min, x);
    x_max = std::max(x_max, x + 1);
    y_min = std::min(y_min, a);
    y_max = std::max(y_max, b);
  });
  if (!zeroed) {
    const std::uint32_t top = total ? y_min : height;
    for (std::uint32_t y = 0; y < top; ++y) fill_n(row_at(y), width, T{0});
    for (std::uint32_t y = total ? y_max : height; y < height; ++y) fill_n(row_at(y), width, T{0});
  }
  if (total == 0) return;
  std::uint32_t sum = 0;
  for (std::uint32_t y = 0; y <= height; ++y) {
    const std::uint32_t n = offsets[y];
    offsets[y] = sum;
    sum += n;
  }
  std::unique_ptr<std::uint32_t[]> columns(new std::uint32_t[total]);
  for (const Piece& p : pieces) {
    columns[offsets[p.a]++] = p.x;
    if (p.b < height) columns[offsets[p.b]++] = p.x;
  }
  // Now offsets[y] is the end of row y. From here on only columns x_min..x_max of the rows hold foreground.
  const std::size_t span = x_max - x_min;
  std::uint32_t at = 0;
  const T* previous = nullptr;
  for (std::uint32_t y = y_min; y < y_max; ++y) {
    T* row = row_at(y);
    if (!zeroed) {
      fill_n(row, x_min, T{0});
      fill_n(row + x_max, width - x_max, T{0});
    }
    if (previous) std::memcpy(row + x_min, previous + x_min, span * sizeof(T));
    else if (!zeroed) fill_n(row + x_min, span, T{0});
    for (const std::uint32_t end = offsets[y]; at < end; ++at) row[columns[at]] = static_cast<T>(row[columns[at]] ^ value);
    previous = row;
  }
}

// Many runs into rows: column bit planes, 64 at a time, transposed back to rows of bits and expanded.
template <class T>
void decode_planes(RunsView runs, Window win, PixelTarget<T> out, T value) {
  const std::uint64_t h = runs.shape.height;
  const std::uint32_t height = win.y1 - win.y0;
  const std::size_t blocks = (std::size_t{height} + 63) / 64;
  std::vector<std::uint64_t> planes(64 * blocks);
  const Start first = seek(runs, win.x0 * h);
  std::size_t i = first.index;
  std::uint64_t at = first.position;
  for (std::uint32_t x = win.x0; x < win.x1; x += 64) {
    const std::uint32_t columns = std::min<std::uint32_t>(64, win.x1 - x);
    std::fill(planes.begin(), planes.end(), 0);
    const std::uint64_t to = (x + columns) * h;
    for (std::uint32_t j = 0; j < columns; ++j) {
      std::uint64_t* plane = planes.data() + j * blocks;
      const std::uint64_t base = (x + j) * h + win.y0, end = base + height;
      while (i < runs.size && at < to) {
        const std::uint64_t stop = at + runs.data[i];
        if (i & 1u) {
          const std::uint64_t a = std::max(at, base), b = std::min(stop, end);
          if (a < b) set_bits(plane, a - base, b - base);
        }
        if (stop > (x + j + 1) * h) break;
        at = stop;
        ++i;
        if (at == (x + j + 1) * h) break;
      }
    }
    for (std::size_t b = 0; b < blocks; ++b) {
      std::uint64_t square[64];
      for (std::size_t j = 0; j < 64; ++j) square[j] = planes[j * blocks + b];
      transpose64(square);
      const std::size_t rows = std::min<std::size_t>(64, height - b * 64);
      for (std::size_t r = 0; r < rows; ++r) {
        T* row = reinterpret_cast<T*>(reinterpret_cast<char*>(out.data) +
                                      static_cast<std::ptrdiff_t>(b * 64 + r) * out.row_stride) + (x - win.x0);
        expand_bits(square[r], columns, row, value);
      }
    }
  }
}

}  // namespace

template <class T>
void decode(RunsView runs, Window win, PixelTarget<T> out, T value, bool zeroed) {
  if (win.x0 >= win.x1 || win.y0 >= win.y1) return;
  const std::uint64_t h = runs.shape.height;
  const std::uint32_t height = win.y1 - win.y0, width = win.x1 - win.x0;
  constexpr auto item = static_cast<std::ptrdiff_t>(sizeof(T));
  if (out.row_stride == item && (out.col_stride != item || height > 1)) {
    if (height == h && (width == 1 || out.col_stride == static_cast<std::ptrdiff_t>(h) * item)) {
      decode_flat(runs, win.x0 * h, win.x1 * h, out.data, value, zeroed);
      return;
    }
    // Columns that are not back to back (a window, a slice): each by itself, walking the runs once.
    Start s = seek(runs, win.x0 * h);
    RunsView rest = runs;
    std::uint64_t skipped = s.position;
    std::size_t even = s.index & ~std::size_t{1};
    if (even != s.index) skipped -= runs.data[even];
    rest.data += even;
    rest.size -= even;
    for (std::uint32_t x = win.x0; x < win.x1; ++x) {
      T* column = reinterpret_cast<T*>(reinterpret_cast<char*>(out.data) +
                                       static_cast<std::ptrdiff_t>(x - win.x0) * out.col_stride);
      decode_flat(rest, x * h + win.y0 - skipped, x * h + win.y1 - skipped, column, value, zeroed);
      // Advance by whole pairs so that parity stays.
      while (rest.size > 2 && skipped + rest.data[0] + std::uint64_t{rest.data[1]} <= (x + 1) * h) {
        skipped += rest.data[0] + std::uint64_t{rest.data[1]};
        rest.data += 2;
        rest.size -= 2;
      }
    }
    return;
  }
  if (out.col_stride == item) {
    if (runs.size > 4096 && runs.size * 32 > runs.shape.pixels() && width >= 64)
      decode_planes(runs, win, out, value);
    else
      decode_rows(runs, win, out, value, zeroed);
    return;
  }
  // Any other layout: rows of the window through a contiguous band, then element by element.
  const std::uint32_t band = std::max<std::uint32_t>(1, 65536 / std::max<std::uint32_t>(1, width));
  std::vector<T> rows(std::size_t{std::min(band, height)} * width);
  for (std::uint32_t y = win.y0; y < win.y1; y += band) {
    const std::uint32_t n = std::min(band, win.y1 - y);
    decode_rows(runs, Window{win.x0, y, win.x1, y + n},
                PixelTarget<T>{rows.data(), static_cast<std::ptrdiff_t>(width) * item, item}, value, false);
    for (std::uint32_t r = 0; r < n; ++r)
      for (std::uint32_t x = 0; x < width; ++x)
        *reinterpret_cast<T*>(reinterpret_cast<char*>(out.data) +
                              static_cast<std::ptrdiff_t>(y - win.y0 + r) * out.row_stride +
                              static_cast<std::ptrdiff_t>(x) * out.col_stride) = rows[std::size_t{r} * width + x];
  }
}

template void decode<std::uint8_t>(RunsView, Window, PixelTarget<std::uint8_t>, std::uint8_t, bool);
template void decode<std::uint16_t>(RunsView, Window, PixelTarget<std::uint16_t>, std::uint16_t, bool);
template void decode<std::uint32_t>(RunsView, Window, PixelTarget<std::uint32_t>, std::uint32_t, bool);
template void decode<std::uint64_t>(RunsView, Window, PixelTarget<std::uint64_t>, std::uint64_t, bool);

void decode_many(const RunsView* runs, std::size_t count, Window window, char* data, std::ptrdiff_t step,
                 std::ptrdiff_t row_stride, std::ptrdiff_t col_stride, std::size_t item, std::uint64_t value,
                 bool zeroed, unsigned threads) {
  parallel_for(count, threads, [&](std::size_t i) {
    char* plane = data + static_cast<std::ptrdiff_t>(i) * step;
    switch (item) {
      case 1:
        decode(runs[i], window, PixelTarget<std::uint8_t>{reinterpret_cast<std::uint8_t*>(plane), row_stride, col_stride},
               static_cast<std::uint8_t>(value), zeroed);
        break;
      case 2:
        decode(runs[i], window,
               PixelTarget<std::uint16_t>{reinterpret_cast<std::uint16_t*>(plane), row_stride, col_stride},
               static_cast<std::uint16_t>(value), zeroed);
        break;
      case 4:
        decode(runs[i], window,
               PixelTarget<std::uint32_t>{reinterpret_cast<std::uint32_t*>(plane), row_stride, col_stride},
               static_cast<std::uint32_t>(value), zeroed);
        break;
      default:
        decode(runs[i], window,
               PixelTarget<std::uint64_t>{reinterpret_cast<std::uint64_t*>(plane), row_stride, col_stride}, value,
               zeroed);
    }
  });
}

}  // namespace maskcodec
