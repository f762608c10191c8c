#include "maskcodec/png_rows.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "maskcodec/flat_rle.hpp"
#include "maskcodec/inflate.hpp"
#include "maskcodec/kernels.hpp"

namespace maskcodec {

namespace {

std::uint8_t paeth(int left, int up, int corner) {
  const int guess = left + up - corner;
  const int a = std::abs(guess - left), b = std::abs(guess - up), c = std::abs(guess - corner);
  return static_cast<std::uint8_t>(a <= b && a <= c ? left : b <= c ? up : corner);
}

// Takes the filter off a row of n bytes, `step` bytes a pixel; `row` holds the row above and gets this one.
void unfilter(unsigned filter, const std::uint8_t* in, std::size_t n, std::size_t step, std::uint8_t* row) {
  const auto sum = [](int a, int b) { return static_cast<std::uint8_t>(a + b); };
  switch (filter) {
    case 0: std::memcpy(row, in, n); break;
    case 1:
      for (std::size_t i = 0; i < n; ++i) row[i] = sum(in[i], i < step ? 0 : row[i - step]);
      break;
    case 2:
      for (std::size_t i = 0; i < n; ++i) row[i] = sum(in[i], row[i]);
      break;
    case 3:
      for (std::size_t i = 0; i < n; ++i) row[i] = sum(in[i], ((i < step ? 0 : row[i - step]) + row[i]) / 2);
      break;
    default: {
      std::uint8_t corner[2] = {0, 0};  // of the row above, overwritten already
      for (std::size_t i = 0; i < n; ++i) {
        const std::uint8_t up = row[i];
        row[i] = sum(in[i], paeth(i < step ? 0 : row[i - step], up, corner[i % step]));
        corner[i % step] = up;
      }
    }
  }
}

bool blank(const Kernels& k, const std::uint8_t* bytes, std::size_t n) {
  for (std::size_t i = k.zeros(bytes, n); i < n; ++i)
    if (bytes[i] != 0) return false;
  return true;
}

// One byte a pixel, not 0 where the pixel is not, out of bytes [from, to) of a row.
void spread(const std::uint8_t* row, std::size_t from, std::size_t to, unsigned depth, std::uint8_t* out) {
  if (depth == 16) {
    for (std::size_t i = from; i < to; i += 2) *out++ = row[i] | row[i + 1];
    return;
  }
  const unsigned mask = (1u << depth) - 1;
  for (std::size_t i = from; i < to; ++i)
    for (unsigned shift = 8; shift != 0; *out++ = static_cast<std::uint8_t>(row[i] >> shift & mask)) shift -= depth;
}

// Bytes of a row without its filter.
std::uint64_t row_bytes(Shape shape, unsigned depth) {
  if (depth == 0 || depth > 16 || (depth & (depth - 1)) != 0)
    throw ShapeError("depth: expected 1, 2, 4, 8 or 16 bits, got " + std::to_string(depth));
  return (std::uint64_t{shape.width} * depth + 7) / 8;
}

}  // namespace

Runs png_foreground(const std::uint8_t* rows, std::size_t size, Shape shape, unsigned depth) {
  const std::uint64_t width = shape.width, bytes = row_bytes(shape, depth);
  if (size != shape.height * (bytes + 1))
    throw ShapeError("rows: expected " + std::to_string(shape.height * (bytes + 1)) + " bytes, got " +
                     std::to_string(size));
  if (width == 0) return Runs{shape, {0}};
  const Kernels& k = kernels();
  const std::size_t n = static_cast<std::size_t>(bytes), step = depth == 16 ? 2 : 1;
  const std::uint8_t padding = static_cast<std::uint8_t>(0xFFu << (8 * bytes - width * depth));  // keeps what is a pixel
  std::vector<std::uint8_t> row(n), line(depth == 8 ? 0 : n * 8 / depth + 1);
  RunsBuilder turned(Shape{shape.width, shape.height});  // by rows, which are the columns of the transposed mask
  std::vector<std::uint32_t> at(static_cast<std::size_t>(width) + 16);
  bool above = false;  // whether the row above holds anything
  unsigned state = 0;
  for (std::uint64_t y = 0; y < shape.height; ++y) {
    const std::uint8_t* in = rows + static_cast<std::size_t>(y) * (n + 1);
    const std::uint64_t base = y * width;
    if (*in > 4)
      throw DecodeError("row " + std::to_string(y) + ": filter " + std::to_string(*in) + " is not one of PNG",
                        static_cast<std::size_t>(in - rows));
    const bool empty = blank(k, in + 1, n) && (!above || *in < 2);  // filters of nothing over nothing
    if (empty) {
      if (above) std::fill(row.begin(), row.end(), std::uint8_t{0});
    } else {
      unfilter(*in, in + 1, n, step, row.data());
    }
    above = !empty;
    // Only the stretch of bytes that are not 0 is spread and looked at.
    std::size_t from = 0, to = empty ? 0 : n;
    if (to != 0) from = k.zeros(row.data(), n) / step * step;
    while (from < to && row[from] == 0) ++from;
    while (to > from && row[to - 1] == 0) --to;
    from -= from % step;
    to += to % step;
    if (state != 0 && (from != 0 || to == 0)) {
      turned.toggle(base);
      state = 0;
    }
    if (from >= to) continue;
    const std::uint8_t kept = row[n - 1];
    if (to == n && depth < 8) row[n - 1] &= padding;
    const std::uint64_t first = from * 8 / depth, end = std::min<std::uint64_t>(to * 8 / depth, width);
    const std::uint8_t* pixels = row.data() + from;
    if (depth != 8) {
      spread(row.data(), from, to, depth, line.data());
      pixels = line.data();
    }
    row[n - 1] = kept;
    const std::size_t found = k.line_toggles(pixels, static_cast<std::size_t>(end - first),
                                             static_cast<std::uint32_t>(base + first), &state, at.data());
    for (std::size_t i = 0; i < found; ++i) turned.toggle(at[i]);
    if (state != 0 && end < width) {
      turned.toggle(base + end);
      state = 0;
    }
  }
  const Runs flat = turned.finish();
  return transpose(flat.view());
}

Runs png_mask(const std::uint8_t* stream, std::size_t size, Shape shape, unsigned depth) {
  const std::size_t expected = static_cast<std::size_t>(shape.height * (row_bytes(shape, depth) + 1));
  // Fresh zeros cost nothing until they are written or read: a header that promises too much takes no memory.
  const std::unique_ptr<void, decltype(&std::free)> rows(std::calloc(std::max<std::size_t>(expected, 1), 1), &std::free);
  if (!rows) throw std::bad_alloc();
  auto* bytes = static_cast<std::uint8_t*>(rows.get());
  inflate(stream, size, bytes, expected);
  return png_foreground(bytes, expected, shape, depth);
}

}  // namespace maskcodec
