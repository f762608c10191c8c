// Morphology and connected components on Runs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "maskcodec/runs.hpp"

namespace maskcodec {

// Shape of the neighbourhood: all pixels with max(|dx|, |dy|) <= r; those on the two axes with |dx| + |dy| <= r (a plus
// sign); those with dx^2 + dy^2 <= r^2.
enum class Kernel { square, cross, disk };

// Pixels with foreground in their neighbourhood. r >= 0.
Runs dilate(RunsView runs, Kernel kernel, double radius);
// Pixels whose whole neighbourhood is foreground. Outside the frame counts as foreground with `border`, else background.
Runs erode(RunsView runs, Kernel kernel, double radius, bool border);
// The foreground within `width` pixels (square) of background or of the frame's edge, of each of many masks.
void boundaries(const RunsView* masks, std::size_t count, double width, Runs* out, unsigned threads);
// Erosion, then dilation; dilation, then erosion. The frame does not cut in between: closing never removes a pixel.
Runs open(RunsView runs, Kernel kernel, double radius);
Runs close(RunsView runs, Kernel kernel, double radius);

// The connected pieces of the foreground, in the order of their first pixel in column-major order; diagonal neighbours are
// connected with `diagonal`. Piece i has the runs runs[offsets[i] .. offsets[i + 1]].
struct Components {
  std::vector<std::uint32_t> runs;
  std::vector<std::uint64_t> offsets;
};
Components components(RunsView runs, bool diagonal);

// Keeps the components of at least `smallest` pixels.
Runs remove_small(RunsView runs, std::uint64_t smallest, bool diagonal);
// Keeps the component with most pixels, the first of equals.
Runs largest_component(RunsView runs, bool diagonal);
// Adds the background that foreground encloses, in pieces of at most `largest` pixels. `diagonal` is the connection of the
// foreground; its background is then connected along edges, and the other way round.
Runs fill_holes(RunsView runs, std::uint64_t largest, bool diagonal);

// Number of foreground pixels and the mean of their centres; the sums behind it are exact.
struct Moments {
  std::uint64_t area;
  double x, y;  // 0 for an empty mask
};
Moments centroid(RunsView runs);

}  // namespace maskcodec
