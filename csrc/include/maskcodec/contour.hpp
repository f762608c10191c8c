// Contours: runs -> rings along pixel edges, exact, with holes; the way back is FillRule::coco (ring by ring for outer rings,
// or one bridged ring for everything) or a pixel-centre rule over all rings.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "maskcodec/runs.hpp"

namespace maskcodec {

// Rings of pixel corners (x in 0..width, y in 0..height), not closed.
struct Rings {
  std::vector<std::int32_t> xy;        // x0, y0, x1, y1, ... of all rings, one after the other
  std::vector<std::uint64_t> offsets;  // in points; one more than there are rings
  std::vector<std::uint8_t> holes;     // 1 for a ring that bounds background inside foreground
  std::size_t size() const noexcept { return offsets.empty() ? 0 : offsets.size() - 1; }
};

// The boundary between foreground and background:
// * every edge has the foreground on its right, so on a screen outer rings run clockwise and holes the other way;
// * where two foreground pixels touch at a corner only, the path turns right: rings follow 4-connected foreground;
// * only corners are vertices (collinear points are dropped);
// * a ring starts at its smallest vertex by (y, x); rings are sorted by that vertex.
// Works on the runs alone: time and memory follow runs and vertices (each run of a mask has at most four vertices). Heights
// and widths above 2^31-1 are a ShapeError.
Rings trace(RunsView runs);

// All rings as one: the first ring, its first vertex again, then every further ring in order, each followed by its own first
// vertex and the first vertex of all. Every connection is walked forth and back, so under even-odd filling (and the COCO rule)
// the one ring covers exactly what all of them cover, holes left open. Empty stays empty. The result is marked as no hole.
Rings bridge(const Rings& rings);

// Fewer vertices: per ring the Douglas-Peucker subset, split first at the start vertex and the vertex farthest from it. Every
// dropped vertex is at most `tolerance` pixels from the edge that replaced it. Rings keep at least three vertices (their start,
// so order and holes stay as they were). Tolerance 0 drops nothing that trace() returns. A tolerance that is negative or not
// finite is a RangeError.
Rings simplify(const Rings& rings, double tolerance);

}  // namespace maskcodec
