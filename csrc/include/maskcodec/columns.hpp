// Masks as Arrow columns: struct<height, width, counts>, where counts is the compressed text of COCO. Kernels read the
// buffers of whoever made them; nothing is copied on the way in.
//
// A row is null when its struct or any of its three fields is; fields are found by name, in any order. Sizes are integers
// of any width, counts binary or text of any layout. Errors name the row: "row 7: ...".
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "maskcodec/arrow_data.hpp"
#include "maskcodec/dense.hpp"
#include "maskcodec/polygon.hpp"
#include "maskcodec/runs.hpp"

namespace maskcodec {

constexpr const char* mask_extension = "maskcodec.rle";

// One row, where it lies. `text` is null for a null row.
struct MaskRow {
  const char* text;
  std::size_t size;
  Shape shape;
  bool valid() const noexcept { return text != nullptr; }
};

// The rows of a column of masks. A table of one column stands for that column, and one of the type null is all null.
// std::invalid_argument when the type is another; DecodeError for sizes below 0; ShapeError for sizes too large.
std::vector<MaskRow> mask_rows(const Column& column);

// The same masks in the layout that goes out, struct<height: int32, width: int32, counts: binary>, typed maskcodec.rle.
// Shares the memory when it is in that layout already.
Column canonical_masks(const Column& column);
// The same in as few pieces as 32-bit offsets allow: one, up to 2 GiB of counts.
Column concatenate_masks(const Column& column);

// --- numbers -----------------------------------------------------------------------------------------------------------

Column column_area(const std::vector<MaskRow>& rows, unsigned threads);  // int64
Column column_box(const std::vector<MaskRow>& rows, unsigned threads);   // fixed_size_list<double>[4]: x, y, width, height
// Row by row, double; null where either is. ShapeError for rows of different sizes.
Column column_iou(const std::vector<MaskRow>& a, const std::vector<MaskRow>& b, unsigned threads);

// --- masks out ---------------------------------------------------------------------------------------------------------

// Runs that the caller vouches for, as `RleArray` packs them; row i is null where valid[i] is 0 (valid may be null).
Column encode_column(const std::uint32_t* runs, const std::uint64_t* offsets, const Shape* shapes,
                     const std::uint8_t* valid, std::size_t count, unsigned threads);
// Canonical runs of all rows and their offsets; null rows have the single run 0.
void column_runs(const std::vector<MaskRow>& rows, std::vector<std::uint32_t>& runs, std::vector<std::uint64_t>& offsets,
                 unsigned threads);
// Dense masks, one a plane, `step` bytes apart; null rows are all 0. With resize, masks are resized to *resize first.
struct DenseTarget {
  char* data;
  std::ptrdiff_t step, row_stride, col_stride;
  std::size_t item;
  std::uint64_t value;
  bool zeroed;
};
void column_decode(const std::vector<MaskRow>& rows, Window window, const Shape* resize, const DenseTarget& out,
                   unsigned threads);

// One window for all rows, or one a row; each inside its mask (ShapeError).
Column column_crop(const std::vector<MaskRow>& rows, const Window* windows, bool shared, unsigned threads);
Column column_resize(const std::vector<MaskRow>& rows, Shape shape, unsigned threads);
// list<list<float or double>>: the rings of an object, each x0, y0, x1, y1, ...; shape[i], or shape[0] for all.
Column column_polygons(const Column& objects, const Shape* shapes, bool shared, FillRule rule, unsigned threads);
// The union of the masks of each group, groups in first-seen order. Null masks add nothing; a group of null masks alone is
// null. Groups are integers or text, plain or by dictionary; null is a group.
struct Merged {
  Column groups, masks;
};
Merged column_merge(const std::vector<MaskRow>& rows, const Column& groups, unsigned threads);

// --- numbers as a column -----------------------------------------------------------------------------------------------

Column make_numbers(std::vector<std::int64_t> values, Validity validity);
Column make_numbers(std::vector<double> values, Validity validity);
Column make_boxes(std::vector<double> values, Validity validity);

}  // namespace maskcodec
