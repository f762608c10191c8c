// Operations on Runs. Cost follows the runs (and, where columns are cut, the columns that foreground crosses).
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "maskcodec/coco_counts.hpp"
#include "maskcodec/runs.hpp"

namespace maskcodec {

std::uint64_t area(RunsView runs);
Box bounding_box(RunsView runs);

// Collects half-open foreground spans in ascending order of flat position; spans that touch are joined.
class SpanBuilder {
 public:
  explicit SpanBuilder(Shape shape) : runs_{shape, {}} {}
  void reserve(std::size_t spans) { runs_.counts.reserve(2 * spans + 1); }
  void add(std::uint64_t start, std::uint64_t end) {
    if (start == end_ && !runs_.counts.empty()) {
      runs_.counts.back() += static_cast<std::uint32_t>(end - start);
    } else {
      runs_.counts.push_back(static_cast<std::uint32_t>(start - end_));
      runs_.counts.push_back(static_cast<std::uint32_t>(end - start));
    }
    end_ = end;
  }
  Runs finish() {
    const std::uint64_t pixels = runs_.shape.pixels();
    if (end_ != pixels || runs_.counts.empty()) runs_.counts.push_back(static_cast<std::uint32_t>(pixels - end_));
    return std::move(runs_);
  }

 private:
  Runs runs_;
  std::uint64_t end_ = 0;
};

// Calls piece(x, y0, y1) for the foreground of every column, in ascending order, half-open rows.
template <class Piece>
void each_piece(RunsView runs, Piece&& piece) {
  const std::uint64_t h = runs.shape.height;
  if (h == 0) return;
  Place place{0, 0};
  for (std::size_t i = 0; i < runs.size; ++i) {
    std::uint64_t rest = runs.data[i];
    if (i & 1u) {
      while (rest != 0) {
        const std::uint64_t n = rest < h - place.y ? rest : h - place.y;
        piece(static_cast<std::uint32_t>(place.x), static_cast<std::uint32_t>(place.y),
              static_cast<std::uint32_t>(place.y + n));
        rest -= n;
        place.advance(n, h);
      }
    } else {
      place.advance(rest, h);
    }
  }
}

// Any boolean function of two masks: bit (2 * a + b) of `truth` is the result for values a and b. ShapeError for
// different sizes.
enum : unsigned { truth_and = 0x8, truth_or = 0xE, truth_xor = 0x6, truth_minus = 0x4 };
Runs combine(RunsView a, RunsView b, unsigned truth);
Runs complement(RunsView a);
// Union or intersection of any number of masks of one size; at least one.
Runs merge(const RunsView* masks, std::size_t count, bool intersect);
// Pixels that at least k of the masks cover.
Runs vote(const RunsView* masks, std::size_t count, std::size_t k);
// Pixels that both masks cover, without making the intersection.
std::uint64_t intersection_area(RunsView a, RunsView b);

Runs crop(RunsView runs, std::uint32_t x0, std::uint32_t y0, std::uint32_t x1, std::uint32_t y1);
// Places the mask with its top-left corner at (x, y) of a larger frame; what sticks out is cut.
Runs pad(RunsView runs, std::int64_t x, std::int64_t y, Shape frame);
Runs flip_rows(RunsView runs);     // upside down
Runs flip_columns(RunsView runs);  // mirrored left to right
Runs rotate180(RunsView runs);
// Nearest neighbour: the pixel whose centre is nearest, ties down (source index = floor((i + 0.5) * old / new)).
Runs resize_nearest(RunsView runs, Shape shape);

// Replaces the part of `runs` under `other`, whose top-left corner lies at (x, y); what sticks out is cut.
Runs paste(RunsView runs, RunsView other, std::int64_t x, std::int64_t y);

// One change for many masks.
enum class ChangeKind { crop, pad, shift, flip_rows, flip_columns, resize };
struct Change {
  ChangeKind kind;
  // crop: x0, y0, x1, y1 (inside every mask); pad: left, top, right, bottom (no side of a result below 0); shift: dx, dy;
  // resize: height, width.
  std::int64_t numbers[4];
};
void change_many(const RunsView* masks, std::size_t count, const Change& change, Runs* out, unsigned threads);

// Foreground spans of many masks in one table, made once and swept many times.
class SpanTable {
 public:
  SpanTable(const RunsView* masks, std::size_t count);
  struct Entry {
    std::size_t begin, end;
    std::uint64_t area;
    Box box;
  };
  const std::vector<Entry>& entries() const { return entries_; }
  const std::vector<std::uint32_t>& spans() const { return spans_; }  // start, end, start, end, ...
  Shape shape() const { return shape_; }  // of all masks

 private:
  Shape shape_;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> spans_;
};

// COCO mask IoU of every pair into out[i * stride_a + j * stride_b], which holds zeros: intersection over union, or over
// area(a) where crowd[j] is set; 0 for two empty masks. All masks have one size (the caller checks). crowd may be null.
void iou(const SpanTable& a, const SpanTable& b, const std::uint8_t* crowd, double* out, std::size_t stride_a,
         std::size_t stride_b, unsigned threads = 1);
// The same for boxes (x, y, width, height), n x 4 and m x 4 contiguous; pair i, j goes to out[i + j * n].
void box_iou(const double* a, std::size_t n, const double* b, std::size_t m, const std::uint8_t* crowd, double* out);

}  // namespace maskcodec
