// Any rings of doubles under any rule: canonical runs, or a RangeError.
#include <cstring>

#include "fuzz_input.hpp"
#include "maskcodec/polygon.hpp"

using namespace maskcodec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput in(data, size);
  const Shape shape{in.number(1), in.number(1)};
  const auto rule = static_cast<FillRule>(in.byte() % 5);
  const bool raw = in.byte() % 4 == 0;
  std::vector<double> xy;
  while (in.left() >= (raw ? 8u : 2u) && xy.size() < 400) {
    double v;
    if (raw) {
      std::uint8_t bytes[8];
      for (std::uint8_t& b : bytes) b = in.byte();
      std::memcpy(&v, bytes, 8);
    } else {
      v = static_cast<std::int16_t>(in.number(2)) / 16.0;
    }
    xy.push_back(v);
  }
  if (xy.size() % 2) xy.pop_back();
  const std::size_t half = xy.size() / 4;
  const RingView rings[] = {{xy.data(), half}, {xy.data() + 2 * half, xy.size() / 2 - half}};
  try {
    require_canonical(fill(rings, 2, shape, rule));
  } catch (const RangeError&) {
  }
  return 0;
}
