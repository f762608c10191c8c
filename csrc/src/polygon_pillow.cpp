// The Pillow rule: what ImageDraw.polygon(ring, fill=1) of Pillow 13.0.0 paints on a one-channel image, pixel for pixel.
//
// * Vertices are truncated to integers. A horizontal edge paints its pixels.
// * Every other edge crosses each of its rows, both ends included, at x = (row - y0) * slope + x0 in single precision, two
//   roundings. In the row of its lower end it counts twice, except in the last row of the ring.
// * Corners: where two slanted edges start (or, in the last row of the ring, end) in one row at abscissas that round to the
//   same pixel, the later edge is moved to within a pixel of where the nearer one is a row further, when both lead to the
//   same side by more than a pixel. That closes the gaps of flat tips.
// * The sorted crossings of a row are taken in pairs; each pair paints from the first rounded half away from zero to the
//   second rounded half towards zero.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "polygon_detail.hpp"

namespace maskcodec {
namespace detail {

namespace {

float abscissa(const PillowEdge& e, std::int64_t row) noexcept {
  return static_cast<float>(row - e.y0) * e.slope + static_cast<float>(e.x0);
}

// Integers that sort as the floats do, and back.
std::int64_t to_key(float v) noexcept {
  std::int32_t bits;
  std::memcpy(&bits, &v, sizeof bits);
  return bits >= 0 ? bits : bits ^ 0x7FFFFFFF;
}
float from_key(std::int64_t key) noexcept {
  const auto k = static_cast<std::int32_t>(key);
  const std::int32_t bits = k >= 0 ? k : k ^ 0x7FFFFFFF;
  float v;
  std::memcpy(&v, &bits, sizeof v);
  return v;
}

// Halves away from zero (first pixel of a pair) and towards zero (last pixel), kept within -1 .. width. The sum with 0.5 is
// rounded to single precision only for values that are not negative, as in the measured behaviour.
std::int64_t inside(double v, std::int64_t width) noexcept {
  return v < -1.0 ? -1 : (v > static_cast<double>(width) ? width : static_cast<std::int64_t>(v));
}
std::int64_t first_pixel(float v, std::int64_t width) noexcept {
  const double r = v >= 0.0f ? std::floor(static_cast<double>(v + 0.5f)) : -std::floor(std::abs(double{v}) + 0.5);
  return inside(r, width);
}
std::int64_t last_pixel(float v, std::int64_t width) noexcept {
  const double r = v >= 0.0f ? std::ceil(static_cast<double>(v - 0.5f)) : -std::ceil(std::abs(double{v}) - 0.5);
  return inside(r, width);
}

// An end of a slanted edge that the corner rule looks at.
struct Corner {
  std::int64_t row;
  float pixel;
  bool lower;
  std::size_t edge;
  bool operator<(const Corner& o) const noexcept {
    if (row != o.row) return row < o.row;
    if (lower != o.lower) return lower < o.lower;
    if (pixel < o.pixel || o.pixel < pixel) return pixel < o.pixel;
    return edge < o.edge;
  }
  bool meets(const Corner& o) const noexcept { return row == o.row && lower == o.lower && !(pixel < o.pixel || o.pixel < pixel); }
};

}  // namespace

void Filler::join_corners(std::int64_t lowest) {
  auto& edges = pillow_edges_;
  std::vector<Corner> corners;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    PillowEdge& e = edges[i];
    e.at_top = abscissa(e, e.top);
    e.at_bottom = abscissa(e, e.bottom);
    if (e.slope == 0.0f) continue;
    if (e.first == e.top) corners.push_back(Corner{e.top, std::round(e.at_top), false, i});
    if (e.last == e.bottom && e.bottom == lowest) corners.push_back(Corner{e.bottom, std::round(e.at_bottom), true, i});
  }
  std::sort(corners.begin(), corners.end());
  for (std::size_t i = 0, leader = 0; i < corners.size(); ++i) {
    if (!corners[i].meets(corners[leader])) leader = i;
    if (i == leader) continue;
    PillowEdge& e = edges[corners[i].edge];
    const std::int64_t next = corners[i].lower ? corners[i].row - 1 : corners[i].row + 1;
    float& x = corners[i].lower ? e.at_bottom : e.at_top;
    const float mine = abscissa(e, next);
    const float other = abscissa(edges[corners[leader].edge], next);
    if (x > mine + 1.0f && x > other + 1.0f)
      x = std::round(std::max(mine, other)) + 1.0f;
    else if (x < mine - 1.0f && x < other - 1.0f)
      x = std::round(std::min(mine, other)) - 1.0f;
  }
}

void Filler::start_rows() {
  level_.clear();
  row_.clear();
  changes_.clear();
  above_.clear();
  above_row_ = -1;
}

void Filler::add_span(std::vector<Span>& to, std::int64_t row, std::int64_t first, std::int64_t last,
                      std::int64_t width) {
  first = std::max<std::int64_t>(first, 0);
  last = std::min(last, width - 1);
  if (first <= last) to.push_back(Span{row, first, last});
}

// Ends `row`, given its spans in any order: notes the column ranges that differ from the row above. Rows come in ascending
// order; a row that was left out is empty.
void Filler::close_row(std::int64_t row, std::vector<Span>& spans) {
  std::sort(spans.begin(), spans.end());
  if (above_row_ + 1 != row && !above_.empty()) {
    for (std::size_t i = 0; i < above_.size(); i += 2)
      changes_.push_back(RowChange{above_[i], above_[i + 1] - 1, above_row_ + 1});
    above_.clear();
  }
  here_.clear();
  for (const Span& s : spans) {
    if (!here_.empty() && s.first <= here_.back())
      here_.back() = std::max(here_.back(), s.last + 1);
    else {
      here_.push_back(s.first);
      here_.push_back(s.last + 1);
    }
  }
  spans.clear();
  // The ends of both rows merged; equal ones cancel, the rest bounds the differing ranges.
  bool open = false;
  std::int64_t start = 0;
  std::size_t i = 0, j = 0;
  while (i < above_.size() || j < here_.size()) {
    if (i < above_.size() && j < here_.size() && above_[i] == here_[j]) {
      ++i;
      ++j;
      continue;
    }
    const std::int64_t x = j == here_.size() || (i < above_.size() && above_[i] < here_[j]) ? above_[i++] : here_[j++];
    if (open) changes_.push_back(RowChange{start, x - 1, row});
    open = !open;
    start = x;
  }
  above_.swap(here_);
  above_row_ = row;
}

void Filler::pillow(const RingView& ring, Shape shape) {
  const auto height = static_cast<std::int64_t>(shape.height);
  const auto width = static_cast<std::int64_t>(shape.width);
  auto& edges = pillow_edges_;
  edges.clear();
  start_rows();
  std::int64_t lowest = 0;
  for (std::size_t i = 0; i < ring.points; ++i) {
    const std::size_t k = i + 1 == ring.points ? 0 : i + 1;
    const auto x0 = static_cast<std::int64_t>(ring.xy[2 * i]), y0 = static_cast<std::int64_t>(ring.xy[2 * i + 1]);
    const auto x1 = static_cast<std::int64_t>(ring.xy[2 * k]), y1 = static_cast<std::int64_t>(ring.xy[2 * k + 1]);
    if (k == 0 && x0 == x1 && y0 == y1) continue;  // closed explicitly, or a single point
    lowest = std::max({lowest, y0, y1});
    if (y0 == y1) {
      if (y0 >= 0 && y0 < height) add_span(level_, y0, std::min(x0, x1), std::max(x0, x1), width);
      continue;
    }
    PillowEdge e;
    e.top = std::min(y0, y1);
    e.bottom = std::max(y0, y1);
    e.first = std::max<std::int64_t>(e.top, 0);
    e.last = std::min(e.bottom, height - 1);
    if (e.first > e.last) continue;
    e.x0 = x0;
    e.y0 = y0;
    e.slope = static_cast<float>(x1 - x0) / static_cast<float>(y1 - y0);
    edges.push_back(e);
  }
  join_corners(lowest);
  // The second crossing in the row of a lower end.
  const std::size_t real = edges.size();
  for (std::size_t i = 0; i < real; ++i) {
    PillowEdge e = edges[i];
    if (e.last != e.bottom || e.bottom == lowest) continue;
    e.first = e.bottom;
    edges.push_back(e);
  }
  const auto crossings = [](const PillowEdge& e, std::int64_t lo, std::int64_t hi, auto put) {
    for (std::int64_t row = lo; row <= hi; ++row)
      put(row, to_key(row == e.top ? e.at_top : (row == e.bottom ? e.at_bottom : abscissa(e, row))));
  };
  scan_rows(edges, shape, crossings, [&](std::int64_t row, const std::int64_t* keys, std::size_t n) {
    for (std::size_t i = 1; i < n; i += 2)
      add_span(row_, row, first_pixel(from_key(keys[i - 1]), width), last_pixel(from_key(keys[i]), width), width);
  });
}

}  // namespace detail
}  // namespace maskcodec
