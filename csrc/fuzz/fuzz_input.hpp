// Bytes of a fuzzer as numbers; 0 where there are no more.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "maskcodec/runs.hpp"

namespace maskcodec {

class FuzzInput {
 public:
  FuzzInput(const std::uint8_t* data, std::size_t size) : p_(data), end_(data + size) {}
  std::uint8_t byte() { return p_ != end_ ? *p_++ : std::uint8_t{0}; }
  std::uint32_t number(unsigned bytes) {
    std::uint32_t v = 0;
    for (unsigned i = 0; i < bytes; ++i) v = v << 8 | byte();
    return v;
  }
  std::size_t left() const { return static_cast<std::size_t>(end_ - p_); }
  const std::uint8_t* rest() const { return p_; }

  // Canonical runs of a shape, some of them long.
  Runs runs(Shape shape) {
    Runs out{shape, {}};
    std::uint64_t left = shape.pixels();
    while (left != 0 && this->left() != 0 && out.counts.size() < 4000) {
      const std::uint8_t b = byte();
      std::uint32_t run = b < 200 ? b : number(2);
      if (run == 0 && !out.counts.empty()) run = 1;
      if (run > left) run = static_cast<std::uint32_t>(left);
      out.counts.push_back(run);
      left -= run;
    }
    if (left != 0 || out.counts.empty()) out.counts.push_back(static_cast<std::uint32_t>(left));
    return out;
  }

 private:
  const std::uint8_t* p_;
  const std::uint8_t* end_;
};

// What holds in every build of a fuzz target.
inline void require(bool good) {
  if (!good) std::abort();
}

inline void require_canonical(const Runs& runs) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < runs.counts.size(); ++i) {
    require(i == 0 || runs.counts[i] != 0 || runs.shape.pixels() == 0);
    sum += runs.counts[i];
  }
  require(!runs.counts.empty() && sum == runs.shape.pixels());
}

}  // namespace maskcodec
