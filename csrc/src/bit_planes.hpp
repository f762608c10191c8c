// Operations that are cheaper on one bit a pixel than on runs: 64 pixels are touched at once, and nothing is sorted.
#pragma once
#include <cstddef>

#include "maskcodec/run_ops.hpp"
#include "maskcodec/runs.hpp"

namespace maskcodec {

// Union of masks of one size, or of their backgrounds (`inverse`), painted into the bits of the positions [from, to) that
// hold all of what is painted.
Runs paint_union(const RunsView* masks, std::size_t count, bool inverse, std::uint64_t from, std::uint64_t to);

// The transposed mask, by transposing the bits of `box`, which holds the whole foreground and is not empty.
Runs transpose_bits(RunsView runs, const Box& box);

}  // namespace maskcodec
