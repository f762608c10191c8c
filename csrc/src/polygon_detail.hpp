// Internals shared by polygon.cpp, polygon_pillow.cpp and polygon_opencv.cpp.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "maskcodec/polygon.hpp"

namespace maskcodec {
namespace detail {

constexpr double max_coordinate = 1099511627776.0;  // 2^40

// Positions in column-major order where the mask changes, ascending. Pushing the last position again takes it back: that is
// how edges shared by neighbours, columns that run on at the bottom, and doubly walked bridges vanish.
class Toggles {
 public:
  void clear() noexcept { at_.clear(); }
  void push(std::uint64_t position) {
    if (!at_.empty() && at_.back() == position)
      at_.pop_back();
    else
      at_.push_back(position);
  }
  std::size_t size() const noexcept { return at_.size(); }
  std::uint64_t operator[](std::size_t i) const noexcept { return at_[i]; }
  // Appends the canonical runs of a mask of `pixels` pixels.
  void append_counts(std::uint64_t pixels, std::vector<std::uint32_t>& out) const {
    std::uint64_t last = 0;
    const std::size_t needed = out.size() + at_.size() + 1;  // grown by doubling: batches append to one vector
    if (needed > out.capacity()) out.reserve(out.empty() ? needed : std::max(needed, 2 * out.capacity()));
    for (const std::uint64_t position : at_) {
      out.push_back(static_cast<std::uint32_t>(position - last));
      last = position;
    }
    if (at_.empty() || last < pixels) out.push_back(static_cast<std::uint32_t>(pixels - last));
  }
  void trim(std::size_t keep) {
    if (at_.capacity() > keep) std::vector<std::uint64_t>().swap(at_);
  }

 private:
  std::vector<std::uint64_t> at_;
};

// One edge of the COCO grid together with the image columns whose boundary it crosses.
struct CocoEdge {
  double x, y;           // the left end, or the upper one of a steep edge
  double slope;          // of the minor axis over the major one
  double inverse;        // steep edges: only for guessing
  std::int64_t steps;    // along the major axis
  std::int64_t iy;
  std::int64_t first, last;
  bool steep;
};

// One edge of the pixel-centre rules, left end first.
struct CentreEdge {
  double x0, y0, dx, dy;
  std::int64_t first, last;
  std::int64_t direction;  // 1: was given from left to right
};

// One edge of the Pillow rule together with the image rows it crosses.
struct PillowEdge {
  std::int64_t first, last;
  std::int64_t x0, y0;       // the end that was given first
  std::int64_t top, bottom;
  float slope;
  float at_top, at_bottom;  // abscissas in these rows, which the corner rule may move
};

// One edge of the OpenCV rule together with the image rows it crosses. Abscissas in 1/65536 of a pixel.
struct OpencvEdge {
  std::int64_t first, last;
  std::int64_t x, y;  // a point of the line
  std::int64_t step;  // from row to row
};

// Columns a .. b that change at `row`.
struct RowChange {
  std::int64_t first, last;
  std::int64_t row;
};

struct Span {
  std::int64_t row, first, last;
  bool operator<(const Span& o) const noexcept { return row != o.row ? row < o.row : first < o.first; }
};

// Rasterises one object after the other, keeping its buffers.
class Filler {
 public:
  // Appends the canonical runs of one object.
  void fill(const RingView* rings, std::size_t count, Shape shape, FillRule rule, std::vector<std::uint32_t>& out);

 private:
  void coco(const RingView& ring, Shape shape);
  void centres(const RingView* rings, std::size_t count, Shape shape, bool non_zero);
  void pillow(const RingView& ring, Shape shape);
  void opencv(const RingView* rings, std::size_t count, Shape shape);
  void outline(std::int64_t ax, std::int64_t ay, std::int64_t bx, std::int64_t by);
  void join_corners(std::int64_t lowest);
  void start_rows();
  static void add_span(std::vector<Span>& to, std::int64_t row, std::int64_t first, std::int64_t last, std::int64_t width);
  template <class Edge, class PutAll, class SpansOf>
  void scan_rows(const std::vector<Edge>& edges, Shape shape, PutAll crossings, SpansOf spans_of);
  void close_row(std::int64_t row, std::vector<Span>& spans);
  void unite(std::uint64_t pixels);
  void trim();

  Toggles toggles_;
  std::vector<std::int64_t> places_, slots_;
  std::vector<CocoEdge> coco_edges_;
  std::vector<CentreEdge> centre_edges_;
  std::vector<PillowEdge> pillow_edges_;
  std::vector<OpencvEdge> opencv_edges_;
  std::vector<Span> level_, row_;
  std::vector<std::int64_t> above_, here_;
  std::int64_t above_row_ = -1;
  std::vector<RowChange> changes_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> pieces_;
};

// Buckets and sorts what edges put into lines (columns, or rows) by counting: edges cover ranges of lines, so differences
// and one running sum give the number of entries of every line, and entries go straight into their places. `put_all(edge,
// lo, hi, put)` must call put(line, value) once for every line lo .. hi; `flush(line, values, n)` sees the lines that have
// entries in order, values sorted. Memory is bounded: wide or crowded ones are done in several strips.
void sort_few(std::int64_t* a, std::size_t n);

template <class Edge, class PutAll, class Flush>
void sweep(const std::vector<Edge>& edges, std::vector<std::int64_t>& places, std::vector<std::int64_t>& slots,
           PutAll put_all, Flush flush) {
  constexpr std::int64_t lines_at_once = std::int64_t{1} << 20;
  constexpr std::int64_t entries_at_once = std::int64_t{1} << 22;
  if (edges.empty()) return;
  std::int64_t begin = edges[0].first;
  std::int64_t end = edges[0].last + 1;
  for (const Edge& e : edges) {
    begin = e.first < begin ? e.first : begin;
    end = e.last + 1 > end ? e.last + 1 : end;
  }
  while (begin < end) {
    std::int64_t stop = end - begin > lines_at_once ? begin + lines_at_once : end;
    places.assign(static_cast<std::size_t>(stop - begin) + 1, 0);
    std::int64_t* place = places.data();
    for (const Edge& e : edges) {
      if (e.first >= stop || e.last < begin) continue;
      place[(e.first > begin ? e.first : begin) - begin] += 1;
      place[(e.last + 1 < stop ? e.last + 1 : stop) - begin] -= 1;
    }
    std::int64_t covering = 0;
    std::int64_t total = 0;
    for (std::int64_t c = 0; c < stop - begin; ++c) {  // place[c] becomes the first slot of line c
      covering += place[c];
      if (c > 0 && total + covering > entries_at_once) {
        stop = begin + c;
        break;
      }
      place[c] = total;
      total += covering;
    }
    if (slots.size() < static_cast<std::size_t>(total)) slots.resize(static_cast<std::size_t>(total));
    std::int64_t* slot = slots.data();
    for (const Edge& e : edges) {
      if (e.first >= stop || e.last < begin) continue;
      put_all(e, e.first > begin ? e.first : begin, e.last < stop - 1 ? e.last : stop - 1,
              [place, slot, begin](std::int64_t line, std::int64_t value) { slot[place[line - begin]++] = value; });
    }
    // Filling moved every place to the end of its line, which is the start of the next one.
    std::int64_t from = 0;
    for (std::int64_t c = begin; c < stop; ++c) {
      const std::int64_t to = place[c - begin];
      if (to > from) {
        sort_few(slot + from, static_cast<std::size_t>(to - from));
        flush(c, slot + from, static_cast<std::size_t>(to - from));
      }
      from = to;
    }
    begin = stop;
  }
}

// For rules that work row by row. `level_` holds spans that are painted whatever the edges do; `crossings` puts the edges'
// crossings into their rows, and `spans_of(row, crossings, n)` adds the spans between them to `row_`.
template <class Edge, class PutAll, class SpansOf>
void Filler::scan_rows(const std::vector<Edge>& edges, Shape shape, PutAll crossings, SpansOf spans_of) {
  const auto height = static_cast<std::int64_t>(shape.height);
  std::sort(level_.begin(), level_.end());
  std::size_t level = 0;
  const auto close_levels = [&](std::int64_t until) {
    while (level < level_.size() && level_[level].row < until) {
      const std::int64_t row = level_[level].row;
      while (level < level_.size() && level_[level].row == row) row_.push_back(level_[level++]);
      close_row(row, row_);
    }
  };
  sweep(edges, places_, slots_, crossings, [&](std::int64_t row, const std::int64_t* keys, std::size_t n) {
    close_levels(row);
    while (level < level_.size() && level_[level].row == row) row_.push_back(level_[level++]);
    spans_of(row, keys, n);
    close_row(row, row_);
  });
  close_levels(height);
  for (std::size_t i = 0; i < above_.size(); i += 2)  // below the last row; at the bottom these positions are column ends
    changes_.push_back(RowChange{above_[i], above_[i + 1] - 1, above_row_ + 1});
  const auto rows_of = [](const RowChange& c, std::int64_t lo, std::int64_t hi, auto put) {
    for (std::int64_t column = lo; column <= hi; ++column) put(column, c.row);
  };
  sweep(changes_, places_, slots_, rows_of, [&](std::int64_t column, const std::int64_t* rows, std::size_t n) {
    const auto top = static_cast<std::uint64_t>(column * height);
    for (std::size_t i = 0; i < n; ++i) toggles_.push(top + static_cast<std::uint64_t>(rows[i]));
  });
}

}  // namespace detail
}  // namespace maskcodec
