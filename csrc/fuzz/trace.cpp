// Any mask: its contours, and the one bridged ring, fill back to it; simplified contours are no more.
#include "fuzz_input.hpp"
#include "maskcodec/contour.hpp"
#include "maskcodec/polygon.hpp"
#include "maskcodec/run_ops.hpp"

using namespace maskcodec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput in(data, size);
  const Shape shape{in.number(1), in.number(1)};
  const double tolerance = in.byte() / 16.0;
  const Runs mask = in.runs(shape);
  const Rings rings = trace(mask.view());
  const Rings one = bridge(rings);
  const std::vector<double> xy(one.xy.begin(), one.xy.end());
  const RingView ring{xy.data(), xy.size() / 2};
  require(fill(&ring, xy.empty() ? 0 : 1, shape, FillRule::coco).counts == mask.counts);
  require(fill(&ring, xy.empty() ? 0 : 1, shape, FillRule::even_odd).counts == mask.counts);
  const Rings fewer = simplify(rings, tolerance);
  require(fewer.size() == rings.size() && fewer.xy.size() <= rings.xy.size());
  return 0;
}
