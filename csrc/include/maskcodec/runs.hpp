// Runs: the internal currency. Column-major run lengths that alternate background, foreground, background, ...
//
// Canonical form, which every function here returns: the first run is background and may be 0, every later run is > 0,
// the sum is height * width, and a mask of no pixels has the single run 0. Equal masks have equal runs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <utility>
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

// Makes `counts` (valid, but perhaps with zero-length runs inside) canonical, in place.
void canonicalise(std::vector<std::uint32_t>& counts);

// Throws DecodeError unless the counts add up to the shape's pixels; the offset is the run where they pass it.
void check_total(const std::uint32_t* counts, std::size_t size, Shape shape);

struct Runs {
  Shape shape;
  std::vector<std::uint32_t> counts;
  RunsView view() const noexcept { return RunsView{counts.data(), counts.size(), shape}; }
};

// Column and row of a flat position, moved along without a division for short steps.
struct Place {
  std::uint64_t x, y;
  void advance(std::uint64_t step, std::uint64_t height) noexcept {
    y += step;
    if (y < height) return;
    y -= height;
    ++x;
    if (y >= height) {
      x += y / height;
      y %= height;
    }
  }
};

// Appends toggle positions (strictly ascending flat column-major indices where the value changes) as runs.
class RunsBuilder {
 public:
  explicit RunsBuilder(Shape shape) : shape_(shape) {}
  void toggle(std::uint64_t position) {
    counts_.push_back(static_cast<std::uint32_t>(position - last_));
    last_ = position;
  }
  Runs finish() {
    if (last_ != shape_.pixels() || counts_.empty())
      counts_.push_back(static_cast<std::uint32_t>(shape_.pixels() - last_));
    return Runs{shape_, std::move(counts_)};
  }

 private:
  Shape shape_;
  std::uint64_t last_ = 0;
  std::vector<std::uint32_t> counts_;
};

}  // namespace maskcodec
