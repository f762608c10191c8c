#include "maskcodec/ellipse.hpp"

#include <algorithm>
#include <cmath>

#include "maskcodec/run_ops.hpp"

namespace maskcodec {

Runs fill_ellipse(double cx, double cy, double rx, double ry, double degrees, Shape shape) {
  check_dense(shape);
  for (const double v : {cx, cy, rx, ry, degrees})
    if (!(std::fabs(v) <= 1099511627776.0)) throw RangeError("ellipse: expected finite numbers up to 2^40");
  if (rx < 0 || ry < 0) throw RangeError("ellipse: expected half axes that are not negative");
  SpanBuilder out(shape);
  if (rx == 0 || ry == 0 || shape.pixels() == 0) return out.finish();
  // Quarter turns by table: the common angles do not depend on a library's cosine.
  double turn = std::fmod(degrees, 180.0);
  if (turn < 0) turn += 180.0;
  double c, s;
  if (turn == 0) {
    c = 1;
    s = 0;
  } else if (turn == 90) {
    c = 0;
    s = 1;
  } else {
    const double radians = turn * 3.14159265358979323846 / 180.0;
    c = std::cos(radians);
    s = std::sin(radians);
  }
  // With dx fixed, (u / rx)^2 + (v / ry)^2 <= 1 is a quadratic inequality in dy, where u, v are the turned coordinates.
  const double ia = 1 / (rx * rx), ib = 1 / (ry * ry);
  const double a = s * s * ia + c * c * ib;
  const double half_width = std::sqrt(rx * rx * c * c + ry * ry * s * s);
  const double h = shape.height, w = shape.width;
  const double first = std::max(0.0, std::floor(cx - half_width - 1)), last = std::min(w - 1, std::ceil(cx + half_width));
  for (double x = first; x <= last; ++x) {
    const double dx = x + 0.5 - cx;
    const double b = dx * c * s * (ia - ib);
    const double d = b * b - a * (dx * dx * (c * c * ia + s * s * ib) - 1);
    if (d < 0) continue;
    const double root = std::sqrt(d);
    const double top = std::max(0.0, std::ceil(cy + (-b - root) / a - 0.5));
    const double bottom = std::min(h, std::floor(cy + (-b + root) / a - 0.5) + 1);
    if (top < bottom)
      out.add(static_cast<std::uint64_t>(x) * shape.height + static_cast<std::uint64_t>(top),
              static_cast<std::uint64_t>(x) * shape.height + static_cast<std::uint64_t>(bottom));
  }
  return out.finish();
}

}  // namespace maskcodec
