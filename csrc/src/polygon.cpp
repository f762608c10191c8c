#include "maskcodec/polygon.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "maskcodec/parallel.hpp"
#include "polygon_detail.hpp"

namespace maskcodec {
namespace detail {

namespace {

constexpr std::size_t keep_scratch = std::size_t{1} << 20;     // elements a thread keeps between two calls

// Division that rounds towards minus infinity, by 5.
inline std::int64_t floor5(std::int64_t v) noexcept { return v >= 0 ? v / 5 : -((4 - v) / 5); }

inline std::int64_t row_of(std::int64_t m, std::int64_t height) noexcept {
  return m < 0 ? 0 : std::min((m + 2) / 5, height);
}

bool passed(const CocoEdge& e, std::int64_t t, std::int64_t boundary) noexcept {
  const auto u = static_cast<std::int64_t>(e.x + e.slope * static_cast<double>(t) + 0.5);
  return e.slope > 0 ? u > boundary : u <= boundary;
}

// The first step of a steep edge whose abscissa lies beyond boundary | boundary + 1. `passed` is monotone, false at 0, true
// at `steps`. The guess is off by a step at most for ordinary coordinates; galloping keeps huge ones logarithmic.
std::int64_t first_passing(const CocoEdge& e, std::int64_t boundary) noexcept {
  const double guess = std::ceil((static_cast<double>(boundary) + 0.5 - e.x) * e.inverse);
  const std::int64_t t =
      guess < 1.0 ? 1 : (guess >= static_cast<double>(e.steps) ? e.steps : static_cast<std::int64_t>(guess));
  std::int64_t lo = 0, hi = e.steps;
  std::int64_t jump = 1;
  if (passed(e, t, boundary)) {
    hi = t;
    for (std::int64_t probe = t - 1; probe > 0; probe = hi - jump) {
      if (!passed(e, probe, boundary)) {
        lo = probe;
        break;
      }
      hi = probe;
      jump *= 2;
    }
  } else {
    lo = t;
    for (std::int64_t probe = t + 1; probe < e.steps; probe = lo + jump) {
      if (passed(e, probe, boundary)) {
        hi = probe;
        break;
      }
      lo = probe;
      jump *= 2;
    }
  }
  while (hi - lo > 1) {
    const std::int64_t mid = lo + (hi - lo) / 2;
    (passed(e, mid, boundary) ? hi : lo) = mid;
  }
  return hi;
}

}  // namespace

void sort_few(std::int64_t* a, std::size_t n) {
  if (n == 2) {
    if (a[1] < a[0]) std::swap(a[0], a[1]);
  } else if (n <= 24) {
    for (std::size_t i = 1; i < n; ++i) {
      const std::int64_t v = a[i];
      std::size_t j = i;
      for (; j > 0 && a[j - 1] > v; --j) a[j] = a[j - 1];
      a[j] = v;
    }
  } else {
    std::sort(a, a + n);
  }
}

static void check_points(const RingView& ring, std::size_t index) {
  bool good = true;
  for (std::size_t i = 0; i < 2 * ring.points; ++i) good &= std::abs(ring.xy[i]) <= max_coordinate;  // NaN compares false
  if (good) return;
  for (std::size_t i = 0; i < 2 * ring.points; ++i)
    if (!(std::abs(ring.xy[i]) <= max_coordinate))
      throw RangeError("ring " + std::to_string(index) + ", point " + std::to_string(i / 2) + ": " +
                       (i % 2 ? "y" : "x") + " = " + std::to_string(ring.xy[i]) +
                       " is not a finite number of at most 2^40 in absolute value");
}

void Filler::coco(const RingView& ring, Shape shape) {
  const auto height = static_cast<std::int64_t>(shape.height);
  const auto width = static_cast<std::int64_t>(shape.width);
  auto& edges = coco_edges_;
  edges.clear();
  if (ring.points < 2) return;
  const auto grid = [](double v) { return static_cast<std::int64_t>(5.0 * v + 0.5); };
  const double* last = ring.xy + 2 * (ring.points - 1);
  std::int64_t xs = grid(last[0]);
  std::int64_t ys = grid(last[1]);
  for (std::size_t i = 0; i < ring.points; ++i) {
    const std::int64_t xe = grid(ring.xy[2 * i]);
    const std::int64_t ye = grid(ring.xy[2 * i + 1]);
    const std::int64_t left = std::min(xs, xe);
    const std::int64_t right = std::max(xs, xe);
    // Columns c with left <= 5c+2 and 5c+3 <= right.
    const std::int64_t first = std::max<std::int64_t>(0, floor5(left + 2));
    const std::int64_t stop = std::min(width - 1, floor5(right - 3));
    if (first <= stop) {
      const std::int64_t dx = right - left;
      const std::int64_t dy = std::abs(ye - ys);
      const bool steep = dy > dx;
      const bool swap = steep ? ys > ye : xs > xe;
      const std::int64_t x0 = swap ? xe : xs, y0 = swap ? ye : ys;
      const std::int64_t x1 = swap ? xs : xe, y1 = swap ? ys : ye;
      CocoEdge e;
      e.x = static_cast<double>(x0);
      e.y = static_cast<double>(y0);
      e.iy = y0;
      e.steep = steep;
      e.first = first;
      e.last = stop;
      e.steps = steep ? dy : dx;
      const auto rx = static_cast<double>(x1 - x0);
      const auto ry = static_cast<double>(y1 - y0);
      e.slope = steep ? rx / ry : ry / rx;
      e.inverse = steep ? ry / rx : 0.0;
      edges.push_back(e);
    }
    xs = xe;
    ys = ye;
  }
  const auto rows_of = [height](const CocoEdge& e, std::int64_t lo, std::int64_t hi, auto put) {
    if (e.steep) {
      for (std::int64_t c = lo; c <= hi; ++c) put(c, row_of(e.iy + first_passing(e, 5 * c + 2) - 1, height));
      return;
    }
    // Of the two points beside the boundary the upper one decides: the left one when y does not fall.
    double t = 5.0 * static_cast<double>(lo) + 2.0 - e.x + (e.slope < 0 ? 1.0 : 0.0);
    for (std::int64_t c = lo; c <= hi; ++c, t += 5.0)
      put(c, row_of(static_cast<std::int64_t>(e.y + e.slope * t + 0.5), height));
  };
  sweep(edges, places_, slots_, rows_of, [&](std::int64_t c, const std::int64_t* rows, std::size_t n) {
    const auto top = static_cast<std::uint64_t>(c * height);
    for (std::size_t i = 0; i < n; ++i) toggles_.push(top + static_cast<std::uint64_t>(rows[i]));
  });
}

void Filler::centres(const RingView* rings, std::size_t count, Shape shape, bool non_zero) {
  const auto height = static_cast<std::int64_t>(shape.height);
  auto& edges = centre_edges_;
  edges.clear();
  for (std::size_t r = 0; r < count; ++r) {
    const RingView& ring = rings[r];
    if (ring.points < 2) continue;
    const double* from = ring.xy + 2 * (ring.points - 1);
    for (std::size_t i = 0; i < ring.points; ++i) {
      const double* to = ring.xy + 2 * i;
      const bool forward = from[0] < to[0];
      const double* a = forward ? from : to;
      const double* b = forward ? to : from;
      from = to;
      if (a[0] == b[0]) continue;
      const double first = std::max(0.0, std::ceil(a[0] - 0.5));
      const double last = std::min(static_cast<double>(shape.width), std::ceil(b[0] - 0.5)) - 1.0;
      if (first > last) continue;
      edges.push_back(CentreEdge{a[0], a[1], b[0] - a[0], b[1] - a[1], static_cast<std::int64_t>(first),
                                 static_cast<std::int64_t>(last), forward ? 1 : 0});
    }
  }
  const auto bottom = static_cast<double>(height);
  const auto rows_of = [height, bottom](const CentreEdge& e, std::int64_t lo, std::int64_t hi, auto put) {
    for (std::int64_t c = lo; c <= hi; ++c) {
      const double y = std::ceil(e.y0 + (static_cast<double>(c) + 0.5 - e.x0) * e.dy / e.dx - 0.5);
      const std::int64_t row = y <= 0 ? 0 : (y >= bottom ? height : static_cast<std::int64_t>(y));
      put(c, row * 2 + e.direction);
    }
  };
  sweep(edges, places_, slots_, rows_of, [&](std::int64_t c, const std::int64_t* marks, std::size_t n) {
    const auto top = static_cast<std::uint64_t>(c * height);
    std::int64_t winding = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::int64_t before = winding;
      winding += marks[i] & 1 ? 1 : -1;
      if (!non_zero || before == 0 || winding == 0) toggles_.push(top + static_cast<std::uint64_t>(marks[i] >> 1));
    }
  });
}

void Filler::unite(std::uint64_t pixels) {
  std::sort(pieces_.begin(), pieces_.end());
  toggles_.clear();
  std::size_t i = 0;
  while (i < pieces_.size()) {
    const std::uint64_t start = pieces_[i].first;
    std::uint64_t stop = pieces_[i].second;
    for (++i; i < pieces_.size() && pieces_[i].first <= stop; ++i) stop = std::max(stop, pieces_[i].second);
    toggles_.push(start);
    if (stop < pixels) toggles_.push(stop);
  }
}

void Filler::fill(const RingView* rings, std::size_t count, Shape shape, FillRule rule,
                  std::vector<std::uint32_t>& out) {
  check_dense(shape);
  for (std::size_t r = 0; r < count; ++r) check_points(rings[r], r);
  const std::uint64_t pixels = shape.pixels();
  toggles_.clear();
  if (pixels > 0) {
    if (rule == FillRule::even_odd || rule == FillRule::non_zero) {
      centres(rings, count, shape, rule == FillRule::non_zero);
    } else if (rule == FillRule::opencv) {
      opencv(rings, count, shape);
    } else {
      if (count > 1) pieces_.clear();
      for (std::size_t r = 0; r < count; ++r) {
        toggles_.clear();
        if (rule == FillRule::coco)
          coco(rings[r], shape);
        else
          pillow(rings[r], shape);
        if (count == 1) break;
        for (std::size_t i = 0; i < toggles_.size(); i += 2)
          pieces_.emplace_back(toggles_[i], i + 1 < toggles_.size() ? toggles_[i + 1] : pixels);
      }
      if (count > 1) unite(pixels);
    }
  }
  toggles_.append_counts(pixels, out);
  trim();
}

void Filler::trim() {
  if (places_.capacity() > keep_scratch) std::vector<std::int64_t>().swap(places_);
  if (slots_.capacity() > keep_scratch) std::vector<std::int64_t>().swap(slots_);
  if (coco_edges_.capacity() > keep_scratch) std::vector<CocoEdge>().swap(coco_edges_);
  if (centre_edges_.capacity() > keep_scratch) std::vector<CentreEdge>().swap(centre_edges_);
  if (pieces_.capacity() > keep_scratch) std::vector<std::pair<std::uint64_t, std::uint64_t>>().swap(pieces_);
  if (pillow_edges_.capacity() > keep_scratch) std::vector<PillowEdge>().swap(pillow_edges_);
  if (opencv_edges_.capacity() > keep_scratch) std::vector<OpencvEdge>().swap(opencv_edges_);
  if (level_.capacity() > keep_scratch) std::vector<Span>().swap(level_);
  if (changes_.capacity() > keep_scratch) std::vector<RowChange>().swap(changes_);
  toggles_.trim(keep_scratch);
}

}  // namespace detail

namespace {

// Objects first .. last of fill_many, appended to `runs`; sizes[i] becomes the number of runs of object i.
void fill_range(detail::Filler& filler, const double* xy, const std::uint64_t* ring_offsets,
                const std::uint64_t* object_offsets, std::size_t first, std::size_t last, const Shape* shapes,
                FillRule rule, std::vector<std::uint32_t>& runs, std::uint64_t* sizes) {
  std::vector<RingView> rings;
  for (std::size_t i = first; i < last; ++i) {
    rings.clear();
    for (std::uint64_t r = object_offsets[i]; r < object_offsets[i + 1]; ++r)
      rings.push_back(RingView{xy + 2 * ring_offsets[r], static_cast<std::size_t>(ring_offsets[r + 1] - ring_offsets[r])});
    const std::size_t before = runs.size();
    try {
      filler.fill(rings.data(), rings.size(), shapes[i], rule, runs);
    } catch (const RangeError& e) {
      throw RangeError("object " + std::to_string(i) + ", " + e.what());
    }
    sizes[i] = runs.size() - before;
  }
}

void check_offsets(const std::uint64_t* offsets, std::size_t n, const char* name) {
  bool good = offsets[0] == 0;
  for (std::size_t i = 0; i < n; ++i) good &= offsets[i] <= offsets[i + 1];
  if (!good) throw ShapeError(std::string(name) + " offsets must ascend from 0");
}

}  // namespace

Runs fill(const RingView* rings, std::size_t count, Shape shape, FillRule rule) {
  static thread_local detail::Filler filler;
  Runs out;
  out.shape = shape;
  filler.fill(rings, count, shape, rule, out.counts);
  return out;
}

void fill_many(const double* xy, const std::uint64_t* ring_offsets, std::size_t rings, const std::uint64_t* object_offsets,
               std::size_t objects, const Shape* shapes, FillRule rule, std::vector<std::uint32_t>& runs_out,
               std::vector<std::uint64_t>& run_offsets_out, unsigned threads) {
  check_offsets(ring_offsets, rings, "ring");
  check_offsets(object_offsets, objects, "object");
  if (object_offsets[objects] != rings) throw ShapeError("object offsets must end at the number of rings");
  runs_out.clear();
  run_offsets_out.assign(objects + 1, 0);
  std::uint64_t* sizes = run_offsets_out.data() + 1;
  const unsigned workers = resolve_threads(threads, objects);
  if (workers <= 1) {
    detail::Filler filler;
    fill_range(filler, xy, ring_offsets, object_offsets, 0, objects, shapes, rule, runs_out, sizes);
  } else {
    // Parts of about equal numbers of points, more parts than workers; every part keeps its own runs, so the order of the
    // result does not depend on who does what.
    const std::size_t parts = std::min<std::size_t>(objects, std::size_t{workers} * 8);
    std::vector<std::size_t> cut(parts + 1, objects);
    const std::uint64_t points = ring_offsets[rings];
    std::size_t at = 0;
    for (std::size_t p = 0; p < parts; ++p) {
      cut[p] = at;
      const std::uint64_t goal = points / parts * (p + 1);
      while (at < objects && (ring_offsets[object_offsets[at]] < goal || points == 0)) ++at;
    }
    std::vector<std::vector<std::uint32_t>> results(parts);
    parallel_for(parts, workers, [&](std::size_t p) {
      detail::Filler filler;
      fill_range(filler, xy, ring_offsets, object_offsets, cut[p], cut[p + 1], shapes, rule, results[p], sizes);
    });
    std::size_t total = 0;
    for (const auto& part : results) total += part.size();
    runs_out.reserve(total);
    for (const auto& part : results) runs_out.insert(runs_out.end(), part.begin(), part.end());
  }
  for (std::size_t i = 0; i < objects; ++i) run_offsets_out[i + 1] += run_offsets_out[i];
}

Runs fill_box(double x, double y, double w, double h, Shape shape) {
  if (!(w >= 0.0) || !(h >= 0.0))
    throw RangeError("a box needs a finite, non-negative width and height, got " + std::to_string(w) + " x " +
                     std::to_string(h));
  const double xy[8] = {x, y, x, y + h, x + w, y + h, x + w, y};
  const RingView ring{xy, w > 0.0 && h > 0.0 ? std::size_t{4} : std::size_t{1}};
  return fill(&ring, 1, shape, FillRule::coco);
}

}  // namespace maskcodec
