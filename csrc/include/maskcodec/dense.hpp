// Dense masks <-> Runs, for every layout, without a transposed copy.
#pragma once
#include <cstddef>
#include <cstdint>

#include "maskcodec/runs.hpp"

namespace maskcodec {

// Any non-zero element is foreground. T is an unsigned integer of 1, 2, 4 or 8 bytes (only zero or not matters).
template <class T>
Runs encode(PixelView<T> mask);

// The same for elements of `item` (1, 2, 4 or 8) bytes.
Runs encode_any(const void* data, std::size_t height, std::size_t width, std::ptrdiff_t row_stride,
                std::ptrdiff_t col_stride, std::size_t item);

// One mask to encode, of a batch.
struct PlaneView {
  const void* data;
  std::size_t height, width;
  std::ptrdiff_t row_stride, col_stride;
  std::size_t item;
};
void encode_many(const PlaneView* planes, std::size_t count, Runs* out, unsigned threads);

// Half-open pixel window inside a mask.
struct Window {
  std::uint32_t x0, y0, x1, y1;
};

// A 2-D array to write into, strides in bytes.
template <class T>
struct PixelTarget {
  T* data;
  std::ptrdiff_t row_stride;
  std::ptrdiff_t col_stride;
};

// Writes `value` at every foreground pixel of the window and 0 at the others. `zeroed` says that the target holds only
// zeros already, so that background need not be written. T as above; `value` may be the bits of a float.
template <class T>
void decode(RunsView runs, Window window, PixelTarget<T> out, T value, bool zeroed);

// One mask a plane, `step` bytes apart, elements of `item` (1, 2, 4 or 8) bytes, on several threads.
void decode_many(const RunsView* runs, std::size_t count, Window window, char* data, std::ptrdiff_t step,
                 std::ptrdiff_t row_stride, std::ptrdiff_t col_stride, std::size_t item, std::uint64_t value,
                 bool zeroed, unsigned threads);

}  // namespace maskcodec
