// Compressed rows of a PNG mask: whatever is read has the runs of the shape.
#include "fuzz_input.hpp"
#include "maskcodec/error.hpp"
#include "maskcodec/png_rows.hpp"
#include "maskcodec/run_ops.hpp"

using namespace maskcodec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput in(data, size);
  const Shape shape{in.number(1), in.number(1)};
  const unsigned depth = 1u << in.byte() % 5;
  try {
    const Runs mask = png_mask(in.rest(), in.left(), shape, depth);
    check_total(mask.counts.data(), mask.counts.size(), shape);
    require(area(mask.view()) <= shape.pixels());
  } catch (const DecodeError&) {
  }
  return 0;
}
