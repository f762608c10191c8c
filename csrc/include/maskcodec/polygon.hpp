// Polygon rasterisation: rings of float vertices -> canonical runs, without ever painting an image.
//
// Coordinates are pixels with the origin at the outer top-left corner of the image; the centre of pixel (row y, column x)
// is (x + 0.5, y + 0.5). Rings are closed implicitly; closing one explicitly changes nothing. Work and memory follow the
// vertices and the columns (rows for `pillow` and `opencv`) that edges cross inside the image, never the size of a coordinate.
//
// Accepted coordinates are finite and at most 2^40 in absolute value; anything else is a RangeError. Shapes of more than
// 2^31-1 pixels are a ShapeError.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "maskcodec/runs.hpp"

namespace maskcodec {

enum class FillRule {
  // The rule of the COCO reference implementation, bit for bit as it computes on a target without fused multiply-add:
  // vertices are scaled by 5 and truncated after adding 0.5, edges are walked in that grid. Each ring is filled by
  // even-odd; the rings of an object are united.
  coco,
  // A pixel is set when its centre lies inside, all rings of the object taken as one path. Half-open: a centre exactly on
  // a left or top border is inside, on a right or bottom border outside. Precisely: an edge from (xa, ya) to (xb, yb),
  // ends ordered so that xa < xb, crosses the centre line cx = x + 0.5 of column x when xa <= cx < xb, at
  // y* = ya + (cx - xa) * (yb - ya) / (xb - xa) in double precision; it separates the rows with y + 0.5 < y* from the
  // others. Edges with xa == xb cross nothing.
  even_odd,  // set where the number of crossings at or above the centre is odd
  non_zero,  // set where the crossings at or above the centre, counted by direction, do not add up to 0
  // Pixel for pixel what Pillow's ImageDraw.polygon(ring, fill=1) paints (measured with 13.0.0): vertices truncated to
  // integers, the outline included, crossings per row in single precision. Each ring is painted; the rings are united.
  pillow,
  // Pixel for pixel what OpenCV's fillPoly (measured with 5.0.0, 8-connected lines) paints: vertices rounded to 1/65536 of a
  // pixel, where (0, 0) is the centre of the first pixel; all rings of the object as one even-odd path whose outline is
  // painted too. What fillPoly paints at any `shift` is what is painted here for its vertices over 2^shift.
  opencv,
};

// One ring: x0, y0, x1, y1, ...
struct RingView {
  const double* xy;
  std::size_t points;
};

// One object. No rings, or rings without area inside the image, give the empty mask.
Runs fill(const RingView* rings, std::size_t count, Shape shape, FillRule rule);

// Many objects, one shape each. Object i consists of the rings object_offsets[i] .. object_offsets[i + 1], ring r of the
// points ring_offsets[r] .. ring_offsets[r + 1] of `xy`; both offset arrays have one more element than there are rings and
// objects and must ascend from 0. The runs of object i are runs_out[run_offsets_out[i] .. run_offsets_out[i + 1]]. The
// result does not depend on `threads` (0: as many as the machine has).
void fill_many(const double* xy, const std::uint64_t* ring_offsets, std::size_t rings, const std::uint64_t* object_offsets,
               std::size_t objects, const Shape* shapes, FillRule rule, std::vector<std::uint32_t>& runs_out,
               std::vector<std::uint64_t>& run_offsets_out, unsigned threads);

// The box with top-left corner (x, y), width w and height h through the COCO rule. Negative or non-finite sizes are a
// RangeError; a width or height of 0 gives the empty mask.
Runs fill_box(double x, double y, double w, double h, Shape shape);

}  // namespace maskcodec
