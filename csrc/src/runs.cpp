#include "maskcodec/runs.hpp"

#include <string>

namespace maskcodec {

void canonicalise(std::vector<std::uint32_t>& counts) {
  // A zero-length run joins its two neighbours; only the first run may stay zero. `out` counts runs already final.
  std::size_t out = 0;
  std::size_t i = 0;
  const std::size_t n = counts.size();
  while (i < n) {
    const std::uint32_t run = counts[i];
    if (run == 0 && out > 0) {
      ++i;
      if (i < n) counts[out - 1] += counts[i++];
    } else {
      counts[out++] = run;
      ++i;
    }
  }
  if (out == 0) counts.assign(1, 0);
  else counts.resize(out);
}

void check_total(const std::uint32_t* counts, std::size_t size, Shape shape) {
  const std::uint64_t pixels = shape.pixels();
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) sum += counts[i];
  if (sum == pixels) return;
  sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    sum += counts[i];
    if (sum > pixels)
      throw DecodeError("runs add up to more than " + std::to_string(shape.height) + " x " +
                            std::to_string(shape.width) + " = " + std::to_string(pixels) + " pixels",
                        i);
  }
  if (sum != pixels)
    throw DecodeError("runs add up to " + std::to_string(sum) + ", expected " + std::to_string(shape.height) + " x " +
                          std::to_string(shape.width) + " = " + std::to_string(pixels) + " pixels",
                      size);
}

}  // namespace maskcodec
