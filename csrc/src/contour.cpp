#include "maskcodec/contour.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace maskcodec {

namespace {

constexpr std::uint32_t none = 0xFFFFFFFFu;

// Where a column changes between background and foreground. The kinds alternate, beginning with the start of foreground, so
// the parity of the index tells which it is. `left` is the vertex at the left end of the horizontal edge through here.
struct Change {
  std::uint32_t row;
  std::uint32_t left;
};

// Sweeps the lines between columns from left to right. On a line X the changes of column X-1 and column X are merged:
// * a change in both of the same kind is a horizontal edge that goes straight on;
// * a change only on the left ends a horizontal edge here, one only on the right begins one: a corner either way;
// * a change in both of different kinds is a saddle, two corners at one place, ordered so that the upper one belongs to the
//   vertical edge above and the lower one to the edge below, as turning right demands.
// The corners of a line, from top to bottom, are then the ends of its vertical edges, in pairs.
class Tracer {
 public:
  explicit Tracer(RunsView runs) : runs_(runs) {}

  void sweep() {
    const std::uint64_t height = runs_.shape.height;
    if (runs_.shape.pixels() == 0 || runs_.size < 2) return;
    xs_.reserve(runs_.size * 2);
    ys_.reserve(runs_.size * 2);
    next_.reserve(runs_.size * 2);
    std::uint64_t line = 0;      // the column that comes next
    std::size_t i = 0;
    std::uint64_t end = runs_.data[0];
    while (line < runs_.shape.width) {
      const std::uint64_t top = line * height;
      const std::uint64_t bottom = top + height;
      here_.clear();
      bool inside = (i & 1) != 0;
      while (end <= top) {  // runs that end exactly where the column starts
        if (++i == runs_.size) {
          end = runs_.shape.pixels();
          inside = false;
          break;
        }
        end += runs_.data[i];
        inside = (i & 1) != 0;
      }
      if (inside) here_.push_back(Change{0, none});
      while (end < bottom) {
        here_.push_back(Change{static_cast<std::uint32_t>(end - top), none});
        inside = !inside;
        if (++i == runs_.size) {
          end = runs_.shape.pixels();
          break;
        }
        end += runs_.data[i];
      }
      if (inside) here_.push_back(Change{static_cast<std::uint32_t>(height), none});
      close_line(line);
      left_.swap(here_);
      // The columns that lie wholly in the same run look like this one only if this one does too; then they add nothing.
      const bool uniform = left_.empty() || (left_.size() == 2 && left_[0].row == 0 && left_[1].row == height);
      ++line;
      if (uniform && end > line * height) line = end / height;
    }
    here_.clear();
    close_line(runs_.shape.width);
  }

  Rings rings() {
    struct Start {
      std::uint64_t key;  // (y, x)
      std::uint32_t vertex;
      std::uint32_t points;
      bool operator<(const Start& o) const noexcept { return key < o.key; }
    };
    std::vector<Start> starts;
    const auto total = static_cast<std::uint32_t>(next_.size());
    std::vector<std::uint8_t> seen(total, 0);
    for (std::uint32_t v = 0; v < total; ++v) {
      if (seen[v]) continue;
      Start s{~std::uint64_t{0}, v, 0};
      std::uint32_t u = v;
      do {
        seen[u] = 1;
        const std::uint64_t key = (std::uint64_t{ys_[u]} << 32) | xs_[u];
        if (key < s.key) {
          s.key = key;
          s.vertex = u;
        }
        ++s.points;
        u = next_[u];
      } while (!seen[u]);
      starts.push_back(s);
    }
    std::sort(starts.begin(), starts.end());
    Rings out;
    out.xy.resize(std::size_t{total} * 2);
    out.offsets.resize(starts.size() + 1, 0);
    out.holes.resize(starts.size());
    std::int32_t* to = out.xy.data();
    for (std::size_t r = 0; r < starts.size(); ++r) {
      std::uint32_t u = starts[r].vertex;
      // From its topmost, leftmost corner an outer ring goes right, a hole goes down.
      out.holes[r] = ys_[next_[u]] != ys_[u];
      for (std::uint32_t k = 0; k < starts[r].points; ++k, u = next_[u]) {
        *to++ = static_cast<std::int32_t>(xs_[u]);
        *to++ = static_cast<std::int32_t>(ys_[u]);
      }
      out.offsets[r + 1] = out.offsets[r] + starts[r].points;
    }
    return out;
  }

 private:
  std::uint32_t corner(std::uint64_t x, std::uint32_t y) {
    if (next_.size() == none) throw ShapeError("a contour of more than 2^32-2 vertices");
    xs_.push_back(static_cast<std::uint32_t>(x));
    ys_.push_back(y);
    next_.push_back(none);
    return static_cast<std::uint32_t>(next_.size() - 1);
  }

  void close_line(std::uint64_t x) {
    std::uint32_t upper = none;  // corner that waits for the lower end of its vertical edge
    bool up = false;             // direction of that edge: up when foreground is right of it
    const auto meet = [&](std::uint32_t v, bool goes_up) {
      if (upper == none) {
        upper = v;
        up = goes_up;
      } else {
        (up ? next_[v] : next_[upper]) = up ? upper : v;
        upper = none;
      }
    };
    const auto end_left = [&](std::size_t k) {  // the horizontal edge of left_[k] ends here
      const Change& c = left_[k];
      const std::uint32_t v = corner(x, c.row);
      const bool top = (k & 1) == 0;  // foreground below it: runs to the right
      (top ? next_[c.left] : next_[v]) = top ? v : c.left;
      meet(v, !top);
    };
    const auto begin_right = [&](std::size_t k) {
      here_[k].left = corner(x, here_[k].row);
      meet(here_[k].left, (k & 1) == 0);
    };
    std::size_t a = 0, b = 0;
    while (a < left_.size() || b < here_.size()) {
      if (b == here_.size() || (a < left_.size() && left_[a].row < here_[b].row)) {
        end_left(a++);
      } else if (a == left_.size() || here_[b].row < left_[a].row) {
        begin_right(b++);
      } else if ((a & 1) == (b & 1)) {
        here_[b++].left = left_[a++].left;
      } else if (a & 1) {  // foreground above left and below right
        end_left(a++);
        begin_right(b++);
      } else {  // foreground below left and above right
        begin_right(b++);
        end_left(a++);
      }
    }
  }

  RunsView runs_;
  std::vector<Change> left_, here_;
  std::vector<std::uint32_t> xs_, ys_, next_;
};

double squared_distance(const std::int32_t* p, const std::int32_t* a, const std::int32_t* b) noexcept {
  const double ax = a[0], ay = a[1];
  const double dx = b[0] - ax, dy = b[1] - ay;
  const double px = p[0] - ax, py = p[1] - ay;
  const double length = dx * dx + dy * dy;
  const double along = px * dx + py * dy;
  if (length == 0.0 || along <= 0.0) return px * px + py * py;
  if (along >= length) {
    const double qx = p[0] - static_cast<double>(b[0]), qy = p[1] - static_cast<double>(b[1]);
    return qx * qx + qy * qy;
  }
  const double across = px * dy - py * dx;
  return across * across / length;
}

}  // namespace

Rings trace(RunsView runs) {
  if (runs.shape.height > 0x7FFFFFFFu || runs.shape.width > 0x7FFFFFFFu)
    throw ShapeError("contours need a height and a width of at most 2^31-1, got " + std::to_string(runs.shape.height) +
                     " x " + std::to_string(runs.shape.width));
  Tracer tracer(runs);
  tracer.sweep();
  return tracer.rings();
}

Rings bridge(const Rings& rings) {
  Rings out;
  out.offsets.push_back(0);
  const std::size_t n = rings.size();
  if (n == 0) return out;
  out.xy.reserve(rings.xy.size() + 4 * n);
  const auto copy = [&](std::uint64_t first, std::uint64_t last) {
    out.xy.insert(out.xy.end(), rings.xy.begin() + static_cast<std::ptrdiff_t>(2 * first),
                  rings.xy.begin() + static_cast<std::ptrdiff_t>(2 * last));
  };
  copy(rings.offsets[0], rings.offsets[1]);
  if (n > 1) copy(rings.offsets[0], rings.offsets[0] + 1);
  for (std::size_t r = 1; r < n; ++r) {
    copy(rings.offsets[r], rings.offsets[r + 1]);
    copy(rings.offsets[r], rings.offsets[r] + 1);
    copy(rings.offsets[0], rings.offsets[0] + 1);
  }
  out.offsets.push_back(out.xy.size() / 2);
  out.holes.push_back(0);
  return out;
}

Rings simplify(const Rings& rings, double tolerance) {
  if (!(tolerance >= 0.0) || !std::isfinite(tolerance))
    throw RangeError("tolerance must be a finite number of pixels, not negative, got " + std::to_string(tolerance));
  if (tolerance == 0.0) return rings;
  const double limit = tolerance * tolerance;
  Rings out;
  out.holes = rings.holes;
  out.offsets.push_back(0);
  std::vector<std::uint8_t> keep;
  std::vector<std::pair<std::size_t, std::size_t>> open;  // stretches still to be looked at; a stack instead of recursion
  for (std::size_t r = 0; r < rings.size(); ++r) {
    const std::int32_t* p = rings.xy.data() + 2 * rings.offsets[r];
    const auto n = static_cast<std::size_t>(rings.offsets[r + 1] - rings.offsets[r]);
    keep.assign(n, 0);
    if (n <= 3) {
      std::fill(keep.begin(), keep.end(), std::uint8_t{1});
    } else {
      std::size_t far = 0;
      double best = -1.0;
      for (std::size_t i = 1; i < n; ++i) {
        const double d = squared_distance(p + 2 * i, p, p);
        if (d > best) {
          best = d;
          far = i;
        }
      }
      keep[0] = keep[far] = 1;
      const auto farthest = [&](std::size_t a, std::size_t b, double& distance) {  // strictly between a and b
        std::size_t at = a;
        distance = -1.0;
        for (std::size_t i = a + 1; i < b; ++i) {
          const double d = squared_distance(p + 2 * i, p + 2 * a, p + 2 * (b == n ? 0 : b));
          if (d > distance) {
            distance = d;
            at = i;
          }
        }
        return at;
      };
      // A third vertex, whatever the tolerance: two make no ring.
      double one = -1.0, two = -1.0;
      const std::size_t i = farthest(0, far, one);
      const std::size_t j = farthest(far, n, two);
      keep[one >= two ? i : j] = 1;
      open.clear();
      if (one >= two) {
        open.insert(open.end(), {{0, i}, {i, far}, {far, n}});
      } else {
        open.insert(open.end(), {{0, far}, {far, j}, {j, n}});
      }
      while (!open.empty()) {
        const auto [a, b] = open.back();
        open.pop_back();
        double distance = -1.0;
        const std::size_t at = farthest(a, b, distance);
        if (distance <= limit) continue;
        keep[at] = 1;
        open.emplace_back(a, at);
        open.emplace_back(at, b);
      }
    }
    for (std::size_t i = 0; i < n; ++i)
      if (keep[i]) out.xy.insert(out.xy.end(), {p[2 * i], p[2 * i + 1]});
    out.offsets.push_back(out.xy.size() / 2);
  }
  return out;
}

}  // namespace maskcodec
