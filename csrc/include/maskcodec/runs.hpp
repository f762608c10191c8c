// Runs: the internal currency. Column-major run lengths that alternate background, foreground, background, ...
//
// Canonical form, which every function here returns: the first run is background and may be 0, every later run is > 0,
// the sum is height * width, and a mask of no pixels has the single run 0. Equal masks have equal runs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "maskcodec/view.hpp"

namespace maskcodec {

// Canonical runs that somebody else owns.
struct RunsView {
  const std::uint32_t* data = nullptr;
  std::size_t size = 0;
  Shape shape;
  const std::uint32_t* begin() const noexcept { return data; }
  const std::uint32_t* end() const noexcept { return data + size; }
};

struct Runs {
  Shape shape;
  std::vector<std::uint32_t> counts;
  RunsView view() const noexcept { return RunsView{counts.data(), counts.size(), shape}; }
};

}  // namespace maskcodec
