// Label maps: painting runs as values, and splitting a map into the runs of every value, in one pass either way.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "maskcodec/runs.hpp"

namespace maskcodec {

// A C-ordered canvas that masks are painted onto one after the other; later ones cover earlier ones. Works row span by row
// span straight from the runs, so an object costs by its outline and its pixels, not by the canvas. T is an integer type of 8
// to 64 bits. Buffers are kept from mask to mask and from image to image (`reset`).
template <class T>
class Painter {
 public:
  // A canvas of its own, filled with `background`. More than 2^31-1 pixels are a ShapeError.
  explicit Painter(Shape shape, T background = 0);
  // A canvas that somebody else owns, left as it is; `row_stride` in elements.
  Painter(T* canvas, Shape shape, std::ptrdiff_t row_stride);

  Shape shape() const noexcept { return shape_; }
  T* data() noexcept { return canvas_; }
  std::ptrdiff_t row_stride() const noexcept { return row_stride_; }

  // The runs must be canonical (see checked_view) and of the canvas's shape; another shape is a ShapeError.
  void paint(RunsView runs, T value);
  void clear(T background = 0);

 private:
  void close_line(std::uint64_t x, T value);

  Shape shape_;
  std::vector<T> own_;
  T* canvas_;
  std::ptrdiff_t row_stride_;
  std::vector<std::uint32_t> left_, here_;  // rows where the column left of the line, and right of it, changes
  std::vector<std::uint32_t> open_;         // per row: where the span that is being followed starts, or `closed`
};

extern template class Painter<std::uint8_t>;
extern template class Painter<std::uint16_t>;
extern template class Painter<std::uint32_t>;
extern template class Painter<std::uint64_t>;
extern template class Painter<std::int8_t>;
extern template class Painter<std::int16_t>;
extern template class Painter<std::int32_t>;
extern template class Painter<std::int64_t>;

// Paints many masks, later ones over earlier ones, onto a contiguous canvas of zeros: rows one after the other, or with
// `columns` columns. The runs must be canonical and of the canvas's shape.
template <class T>
void paint_labels(const RunsView* masks, const T* values, std::size_t count, Shape shape, T* canvas, bool columns);

extern template void paint_labels(const RunsView*, const std::uint8_t*, std::size_t, Shape, std::uint8_t*, bool);
extern template void paint_labels(const RunsView*, const std::uint16_t*, std::size_t, Shape, std::uint16_t*, bool);
extern template void paint_labels(const RunsView*, const std::uint32_t*, std::size_t, Shape, std::uint32_t*, bool);
extern template void paint_labels(const RunsView*, const std::uint64_t*, std::size_t, Shape, std::uint64_t*, bool);
extern template void paint_labels(const RunsView*, const std::int8_t*, std::size_t, Shape, std::int8_t*, bool);
extern template void paint_labels(const RunsView*, const std::int16_t*, std::size_t, Shape, std::int16_t*, bool);
extern template void paint_labels(const RunsView*, const std::int32_t*, std::size_t, Shape, std::int32_t*, bool);
extern template void paint_labels(const RunsView*, const std::int64_t*, std::size_t, Shape, std::int64_t*, bool);

// The view of runs given from outside: DecodeError unless they add up to the shape's pixels and no run but the first is 0.
RunsView checked_view(const std::uint32_t* counts, std::size_t size, Shape shape);

// The distinct values of a label map in ascending order, and the canonical runs of each: those of ids[i] are
// runs[offsets[i] .. offsets[i + 1]].
template <class T>
struct LabelRuns {
  std::vector<T> ids;
  std::vector<std::uint32_t> runs;
  std::vector<std::uint64_t> offsets;
};

// Reads the map once, in its own order (rows, columns or any strides); everything after that costs by the number of runs.
// Where `background` is given, that value is left out. More than 2^31-1 pixels are a ShapeError.
template <class T>
LabelRuns<T> split_labels(PixelView<T> labels, const T* background = nullptr);

extern template LabelRuns<std::uint8_t> split_labels(PixelView<std::uint8_t>, const std::uint8_t*);
extern template LabelRuns<std::uint16_t> split_labels(PixelView<std::uint16_t>, const std::uint16_t*);
extern template LabelRuns<std::uint32_t> split_labels(PixelView<std::uint32_t>, const std::uint32_t*);
extern template LabelRuns<std::uint64_t> split_labels(PixelView<std::uint64_t>, const std::uint64_t*);
extern template LabelRuns<std::int8_t> split_labels(PixelView<std::int8_t>, const std::int8_t*);
extern template LabelRuns<std::int16_t> split_labels(PixelView<std::int16_t>, const std::int16_t*);
extern template LabelRuns<std::int32_t> split_labels(PixelView<std::int32_t>, const std::int32_t*);
extern template LabelRuns<std::int64_t> split_labels(PixelView<std::int64_t>, const std::int64_t*);

}  // namespace maskcodec
