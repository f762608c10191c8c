// The OpenCV rule: what fillPoly of OpenCV 5.0.0 paints with 8-connected lines, pixel for pixel; found by comparing masks.
//
// * Vertices have 16 fractional bits. An edge runs between the rows nearest to its ends, and its abscissa changes by a whole
//   number of 1/65536 pixels from row to row, which is where the rule leaves the ideal line.
// * An edge with an end outside the image is first cut at the border, in whole pixels, ends towards the border truncated, and
//   takes its abscissas from what is left, so that a polygon that reaches over the border depends on the image's size.
// * In each row the sorted crossings of all rings are taken in pairs; each pair paints the pixels between them, both included.
// * The outline is painted on top: for every edge the 8-connected line between the pixels nearest to its ends.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "polygon_detail.hpp"

namespace maskcodec {
namespace detail {

namespace {

constexpr std::int64_t unit = 65536;

struct Pixel {
  std::int64_t x, y;
};

std::int64_t floor_unit(std::int64_t v) noexcept { return v >= 0 ? v / unit : -((unit - 1 - v) / unit); }

// -1 before 0, 1 behind `last`, 0 between.
int side(std::int64_t v, std::int64_t last) noexcept { return v < 0 ? -1 : (v > last ? 1 : 0); }

// Moves `p` along the line to `q` until its row, or its column, is `goal`.
void move_to_row(Pixel& p, const Pixel& q, std::int64_t goal) noexcept {
  p.x += static_cast<std::int64_t>(static_cast<double>(goal - p.y) * static_cast<double>(q.x - p.x) /
                                   static_cast<double>(q.y - p.y));
  p.y = goal;
}
void move_to_column(Pixel& p, const Pixel& q, std::int64_t goal) noexcept {
  p.y += static_cast<std::int64_t>(static_cast<double>(goal - p.x) * static_cast<double>(q.y - p.y) /
                                   static_cast<double>(q.x - p.x));
  p.x = goal;
}

// Cuts a line to the image; false where nothing of it lies inside (the ends may have moved all the same).
bool cut(Pixel& a, Pixel& b, std::int64_t right, std::int64_t bottom) noexcept {
  if (side(a.x, right) * side(b.x, right) > 0 || side(a.y, bottom) * side(b.y, bottom) > 0) return false;
  if (const int s = side(a.y, bottom)) move_to_row(a, b, s < 0 ? 0 : bottom);
  if (const int s = side(b.y, bottom)) move_to_row(b, a, s < 0 ? 0 : bottom);
  if (side(a.x, right) * side(b.x, right) > 0) return false;
  if (const int s = side(a.x, right)) move_to_column(a, b, s < 0 ? 0 : right);
  if (const int s = side(b.x, right)) move_to_column(b, a, s < 0 ? 0 : right);
  return true;
}

}  // namespace

// The 8-connected line between two pixels of the image, as spans of `level_`. Walked from left to right; of two pixels at
// equal distance the one nearer to the start is taken.
void Filler::outline(std::int64_t ax, std::int64_t ay, std::int64_t bx, std::int64_t by) {
  if (bx < ax) {
    std::swap(ax, bx);
    std::swap(ay, by);
  }
  const std::int64_t dx = bx - ax, dy = std::abs(by - ay), down = by < ay ? -1 : 1;
  if (dy > dx) {
    for (std::int64_t t = 0; t <= dy; ++t) {
      const std::int64_t x = ax + (2 * dx * t + dy - 1) / (2 * dy);
      level_.push_back(Span{ay + down * t, x, x});
    }
    return;
  }
  // Row r holds the columns with 2 dy t <= dx (2 r + 1), as far as no row before does.
  std::int64_t from = 0;
  for (std::int64_t r = 0; r <= dy; ++r) {
    const std::int64_t to = r == dy ? dx : dx * (2 * r + 1) / (2 * dy);
    level_.push_back(Span{ay + down * r, ax + from, ax + to});
    from = to + 1;
  }
}

void Filler::opencv(const RingView* rings, std::size_t count, Shape shape) {
  const auto width = static_cast<std::int64_t>(shape.width);
  const std::int64_t right = width - 1, bottom = static_cast<std::int64_t>(shape.height) - 1;
  auto& edges = opencv_edges_;
  edges.clear();
  start_rows();
  const auto fixed = [](double v) { return static_cast<std::int64_t>(std::llround(v * static_cast<double>(unit))); };
  for (std::size_t r = 0; r < count; ++r) {
    const RingView& ring = rings[r];
    if (ring.points == 0) continue;
    const double* last = ring.xy + 2 * (ring.points - 1);
    std::int64_t x0 = fixed(last[0]), y0 = floor_unit(fixed(last[1]) + unit / 2);  // the row of a vertex is a whole one
    for (std::size_t i = 0; i < ring.points; ++i) {
      const std::int64_t x1 = fixed(ring.xy[2 * i]), y1 = floor_unit(fixed(ring.xy[2 * i + 1]) + unit / 2);
      Pixel a{floor_unit(x0 + unit / 2), y0}, b{floor_unit(x1 + unit / 2), y1};
      std::int64_t from_x = x0, from_y = y0, to_x = x1, to_y = y1;
      const bool inside = !side(a.x, right) && !side(a.y, bottom) && !side(b.x, right) && !side(b.y, bottom);
      const bool visible = inside || cut(a, b, right, bottom);
      if (visible) outline(a.x, a.y, b.x, b.y);
      if (!inside) {
        from_x = a.x * unit;
        to_x = b.x * unit;
        if (a.y != b.y) {
          from_y = a.y;
          to_y = b.y;
        }
      }
      OpencvEdge e;
      e.first = std::max<std::int64_t>(std::min(y0, y1), 0);
      e.last = std::min(std::max(y0, y1) - 1, bottom);
      if (e.first <= e.last) {
        e.x = from_x;
        e.y = from_y;
        e.step = (to_x - from_x) / (to_y - from_y);
        edges.push_back(e);
      }
      x0 = x1;
      y0 = y1;
    }
  }
  const auto crossings = [](const OpencvEdge& e, std::int64_t lo, std::int64_t hi, auto put) {
    for (std::int64_t row = lo; row <= hi; ++row) put(row, e.x + (row - e.y) * e.step);
  };
  scan_rows(edges, shape, crossings, [&](std::int64_t row, const std::int64_t* at, std::size_t n) {
    for (std::size_t i = 1; i < n; i += 2)
      add_span(row_, row, floor_unit(at[i - 1] + unit - 1), floor_unit(at[i]), width);
  });
}

}  // namespace detail
}  // namespace maskcodec
