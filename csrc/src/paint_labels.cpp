// Many masks at once onto a canvas of zeros.
#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "maskcodec/kernels.hpp"
#include "maskcodec/paint.hpp"

#if (defined(__SSE2__) && defined(__x86_64__)) || (defined(_M_X64) && !defined(_M_ARM64EC))
#include <emmintrin.h>
#define MASKCODEC_SSE2 1
#endif

namespace maskcodec {

namespace {

// A value as 64 bytes, as the kernel wants it.
struct Ink {
  template <class T>
  explicit Ink(T value) {
    for (std::size_t i = 0; i < sizeof bytes; i += sizeof(T)) std::memcpy(bytes + i, &value, sizeof(T));
  }
  alignas(64) std::uint8_t bytes[64];
};

template <class T>
void paint_columns(const RunsView* masks, const T* values, std::size_t count, T* canvas) {
  constexpr unsigned shift = sizeof(T) == 1 ? 0 : sizeof(T) == 2 ? 1 : sizeof(T) == 4 ? 2 : 3;
  const Kernels& kernel = kernels();
  for (std::size_t m = 0; m < count; ++m)
    kernel.fill_runs(masks[m].data, masks[m].size, shift, Ink(values[m]).bytes, reinterpret_cast<std::uint8_t*>(canvas));
}

// Walks the foreground of a mask column by column, a strip of columns at a time.
class Walk {
 public:
  explicit Walk(const RunsView& mask) : mask_(mask), h_(mask.shape.height) { next(); }

  // Paints what lies in columns [first, last) into columns that are `stride` bytes apart. `spans` is scratch.
  void paint(std::uint64_t first, std::uint64_t last, std::uint8_t value, std::size_t stride, std::uint8_t* columns,
             std::vector<std::uint32_t>& spans) {
    spans.clear();
    std::uint64_t end = 0;  // of the last span, in bytes of the strip
    while (left_ != 0 && place_.x < last) {
      const std::uint64_t n = std::min(left_, h_ - place_.y);
      const std::uint64_t start = (place_.x - first) * stride + place_.y;
      spans.push_back(static_cast<std::uint32_t>(start - end));
      spans.push_back(static_cast<std::uint32_t>(n));
      end = start + n;
      left_ -= n;
      place_.advance(n, h_);
      if (left_ == 0) next();
    }
    kernels().fill_runs(spans.data(), spans.size(), 0, Ink(value).bytes, columns);
  }

 private:
  void next() {
    if (i_ + 1 >= mask_.size) return;
    place_.advance(mask_.data[i_], h_);
    left_ = mask_.data[i_ + 1];
    i_ += 2;
  }
  RunsView mask_;
  std::uint64_t h_, left_ = 0;
  Place place_{0, 0};
  std::size_t i_ = 0;
};

// 16 columns of 16 bytes, `stride` apart, to 16 rows.
void transpose16(const std::uint8_t* columns, std::size_t stride, std::uint8_t* rows, std::size_t row_stride) {
#if MASKCODEC_SSE2
  __m128i a[16], b[16];
  for (std::size_t i = 0; i < 16; ++i) a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(columns + i * stride));
  for (int round = 0; round < 4; ++round) {  // four perfect shuffles of 16 vectors transpose them
    for (std::size_t i = 0; i < 8; ++i) {
      b[2 * i] = _mm_unpacklo_epi8(a[i], a[i + 8]);
      b[2 * i + 1] = _mm_unpackhi_epi8(a[i], a[i + 8]);
    }
    for (std::size_t i = 0; i < 16; ++i) a[i] = b[i];
  }
  for (std::size_t i = 0; i < 16; ++i) _mm_storeu_si128(reinterpret_cast<__m128i*>(rows + i * row_stride), a[i]);
#else
  for (std::size_t y = 0; y < 16; ++y)
    for (std::size_t x = 0; x < 16; ++x) rows[y * row_stride + x] = columns[x * stride + y];
#endif
}

// One row of indices as values.
template <class T>
void look_up(const std::uint8_t* from, std::size_t n, const T* values, T* to) {
  std::size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    std::uint64_t a, b;
    std::memcpy(&a, from + i, 8);
    std::memcpy(&b, from + i + 8, 8);
    if (a == b && a == (a & 0xFF) * 0x0101010101010101ull) {
      std::fill_n(to + i, 16, values[a & 0xFF]);
    } else {
      for (std::size_t k = i; k < i + 16; ++k) to[k] = values[from[k]];
    }
  }
  for (; i < n; ++i) to[i] = values[from[i]];
}

}  // namespace

template <class T>
void paint_labels(const RunsView* masks, const T* values, std::size_t count, Shape shape, T* canvas, bool columns) {
  check_dense(shape);
  if (shape.pixels() == 0) return;
  if (columns) {
    paint_columns(masks, values, count, canvas);
    return;
  }
  if (count > 255) {  // more than a byte can tell apart
    Painter<T> painter(canvas, shape, static_cast<std::ptrdiff_t>(shape.width));
    for (std::size_t m = 0; m < count; ++m) painter.paint(masks[m], values[m]);
    return;
  }
  // A strip of columns at a time, small enough for the cache: bytes in column order (runs are copied as they are), turned
  // into rows. The distance of columns is no power of two, or neighbours would fight for one place of the cache.
  const std::size_t h = shape.height, w = shape.width;
  const std::size_t stride = (h + 63) / 64 * 64 + 16;
  const std::size_t strip = std::min((w + 63) / 64, std::max<std::size_t>(1, 2097152 / (64 * stride))) * 64;
  std::unique_ptr<std::uint8_t[]> bytes(new std::uint8_t[stride * strip]), band(new std::uint8_t[16 * strip]);
  std::uint8_t index[255];
  T table[256] = {};
  constexpr bool direct = sizeof(T) == 1;
  std::vector<std::uint32_t> spans;
  std::vector<Walk> walks;
  walks.reserve(count);
  for (std::size_t m = 0; m < count; ++m) {
    std::uint8_t own = static_cast<std::uint8_t>(m + 1);
    if (direct) std::memcpy(&own, values + m, 1);
    index[m] = own;
    table[m + 1] = values[m];
    walks.emplace_back(masks[m]);
  }
  for (std::size_t x0 = 0; x0 < w; x0 += strip) {
    const std::size_t n = std::min(strip, w - x0);
    std::memset(bytes.get(), 0, stride * ((n + 15) / 16 * 16));
    for (std::size_t m = 0; m < count; ++m) walks[m].paint(x0, x0 + n, index[m], stride, bytes.get(), spans);
    for (std::size_t y = 0; y < h; y += 16) {
      const std::size_t rows = std::min<std::size_t>(16, h - y);
      for (std::size_t x = 0; x < n; x += 16) transpose16(bytes.get() + x * stride + y, stride, band.get() + x, strip);
      for (std::size_t r = 0; r < rows; ++r) {
        T* out = canvas + (y + r) * w + x0;
        if (direct) std::memcpy(out, band.get() + r * strip, n);
        else look_up(band.get() + r * strip, n, table, out);
      }
    }
  }
}

template void paint_labels(const RunsView*, const std::uint8_t*, std::size_t, Shape, std::uint8_t*, bool);
template void paint_labels(const RunsView*, const std::uint16_t*, std::size_t, Shape, std::uint16_t*, bool);
template void paint_labels(const RunsView*, const std::uint32_t*, std::size_t, Shape, std::uint32_t*, bool);
template void paint_labels(const RunsView*, const std::uint64_t*, std::size_t, Shape, std::uint64_t*, bool);
template void paint_labels(const RunsView*, const std::int8_t*, std::size_t, Shape, std::int8_t*, bool);
template void paint_labels(const RunsView*, const std::int16_t*, std::size_t, Shape, std::int16_t*, bool);
template void paint_labels(const RunsView*, const std::int32_t*, std::size_t, Shape, std::int32_t*, bool);
template void paint_labels(const RunsView*, const std::int64_t*, std::size_t, Shape, std::int64_t*, bool);

}  // namespace maskcodec
