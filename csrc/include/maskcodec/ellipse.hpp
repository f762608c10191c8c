// Ellipses -> Runs, by pixel centres.
#pragma once
#include "maskcodec/runs.hpp"

namespace maskcodec {

// The pixels whose centre (x + 0.5, y + 0.5) lies in or on the ellipse with centre (cx, cy) and half axes rx, ry >= 0,
// turned by `degrees` clockwise on the screen. Zero axes give the empty mask; numbers that are not finite or beyond 2^40
// are a RangeError.
Runs fill_ellipse(double cx, double cy, double rx, double ry, double degrees, Shape shape);

}  // namespace maskcodec
