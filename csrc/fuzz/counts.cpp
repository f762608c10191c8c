// Any text: read to canonical runs that are written and read again the same, or refused the same way by every reader and on
// every instruction level.
#include <string>

#include "fuzz_input.hpp"
#include "maskcodec/coco_counts.hpp"
#include "maskcodec/cpu.hpp"
#include "maskcodec/run_ops.hpp"

using namespace maskcodec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput in(data, size);
  const Shape shape{in.number(2), in.number(2)};
  const char* text = reinterpret_cast<const char*>(in.rest());
  std::string first;
  for (const char* level : {"baseline", "avx2", "avx512"}) {
    if (!force_level(level)) continue;
    std::string outcome;
    try {
      const Runs runs = decode_counts(text, in.left(), shape);
      require_canonical(runs);
      std::vector<char> again(counts_text_bound(runs.counts.size()));
      const std::size_t n = encode_counts_to(runs.counts.data(), runs.counts.size(), again.data());
      require(decode_counts(again.data(), n, shape).counts == runs.counts);
      require(text_area(text, in.left(), shape) == area(runs.view()));
      const Box a = text_box(text, in.left(), shape), b = bounding_box(runs.view());
      require(a.x == b.x && a.y == b.y && a.width == b.width && a.height == b.height);
      outcome.assign(again.data(), n);
    } catch (const DecodeError& error) {
      outcome = error.what();
    }
    if (first.empty()) first = outcome;
    require(outcome == first);
    try {
      require_canonical(decode_counts(text, in.left(), shape, false));
    } catch (const DecodeError&) {
    }
  }
  return 0;
}
