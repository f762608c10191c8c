// Shapes and views over arrays that somebody else owns.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "maskcodec/error.hpp"

namespace maskcodec {

constexpr std::uint64_t max_mask_pixels = 0xFFFFFFFFull;   // what 32-bit runs can add up to
constexpr std::uint64_t max_dense_pixels = 0x7FFFFFFFull;  // what an operation that makes pixels agrees to make

// Height and width of a mask in pixels. height * width is at most max_mask_pixels (see make_shape).
struct Shape {
  std::uint32_t height = 0;
  std::uint32_t width = 0;
  std::uint64_t pixels() const noexcept { return std::uint64_t{height} * width; }
  bool operator==(const Shape& o) const noexcept { return height == o.height && width == o.width; }
  bool operator!=(const Shape& o) const noexcept { return !(*this == o); }
};

inline Shape make_shape(std::uint64_t height, std::uint64_t width) {
  if (height > max_mask_pixels || width > max_mask_pixels || (width != 0 && height > max_mask_pixels / width))
    throw ShapeError("a mask of " + std::to_string(height) + " x " + std::to_string(width) +
                     " pixels is larger than 2^32-1 pixels");
  return Shape{static_cast<std::uint32_t>(height), static_cast<std::uint32_t>(width)};
}

inline void check_dense(Shape shape, std::uint64_t count = 1) {
  const std::uint64_t n = shape.pixels();
  if (n != 0 && count > max_dense_pixels / n)
    throw ShapeError(std::to_string(count) + " dense mask(s) of " + std::to_string(shape.height) + " x " +
                     std::to_string(shape.width) + " pixels are more than 2^31-1 pixels");
}

// A 2-D array of T with strides in BYTES (they may be negative or zero). Elements are aligned and in native byte order.
template <class T>
struct PixelView {
  const T* data;
  std::size_t height;
  std::size_t width;
  std::ptrdiff_t row_stride;
  std::ptrdiff_t col_stride;
  const T& at(std::size_t y, std::size_t x) const noexcept {
    return *reinterpret_cast<const T*>(reinterpret_cast<const char*>(data) +
                                       static_cast<std::ptrdiff_t>(y) * row_stride +
                                       static_cast<std::ptrdiff_t>(x) * col_stride);
  }
};

}  // namespace maskcodec
