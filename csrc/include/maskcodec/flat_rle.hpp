// Integer run lists <-> Runs: start/length pairs (Hasty) and alternating counts, row-major or column-major.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "maskcodec/runs.hpp"

namespace maskcodec {

// The runs of the transposed mask. Linear in the runs of both; no pixels are made. A row-major run list of a mask is the
// column-major run list of its transpose, so this is also how row-major forms are read and written.
Runs transpose(RunsView runs);

// Half-open box in pixels of an image.
struct PixelBox {
  std::int64_t x0, y0, x1, y1;
};

// How lists that break the rules are treated, and what was done about them.
struct Repairs {
  std::uint64_t padded = 0;      // background pixels added at the end of a short list
  std::uint64_t empty_runs = 0;  // pairs of length 0 that were left out
  bool united = false;           // unsorted or overlapping pairs were taken as their union
};

// Hasty: (start, length) pairs, starts counted from 1 over the row-major crop of `box` (the whole mask without one).
// Strict: an even count, start >= 1, length >= 1, starts ascending without overlap, nothing past the crop. With
// `repairs`, pairs of length 0 are left out and unsorted or overlapping pairs united; the rest stays an error.
// Throws DecodeError (offset = list element), ShapeError for a box that is empty or outside.
Runs from_hasty(const std::int64_t* pairs, std::size_t size, Shape shape, const PixelBox* box, Repairs* repairs);

// The same without a box, as the row-major runs that the pairs are: the runs of the transposed mask.
Runs hasty_rows(const std::int64_t* pairs, std::size_t size, Shape shape, Repairs* repairs);
// And back.
std::vector<std::int64_t> hasty_pairs(RunsView rows);

// The inverse: canonical pairs over the crop; ShapeError when foreground lies outside the box.
std::vector<std::int64_t> to_hasty(RunsView runs, const PixelBox* box);

// Alternating counts that begin with the value `start` (0 = background), column-major, or row-major with `rows`.
// With `repairs`, a short sum is padded with background.
Runs from_alternating(const std::int64_t* counts, std::size_t size, Shape shape, bool rows, bool start,
                      Repairs* repairs);

// Canonical alternating counts, background first; row-major with `rows`.
std::vector<std::uint32_t> to_alternating(RunsView runs, bool rows);

}  // namespace maskcodec
