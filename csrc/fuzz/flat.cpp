// Any Hasty pairs and alternating counts: canonical runs that are written back the same, or a DecodeError or ShapeError.
#include "fuzz_input.hpp"
#include "maskcodec/flat_rle.hpp"

using namespace maskcodec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput in(data, size);
  const Shape shape{in.number(1), in.number(1)};
  const PixelBox box{static_cast<std::int8_t>(in.byte()), static_cast<std::int8_t>(in.byte()), in.byte(), in.byte()};
  const unsigned how = in.byte();
  std::vector<std::int64_t> numbers;
  while (in.left() != 0 && numbers.size() < 2000) {
    const std::uint8_t b = in.byte();
    numbers.push_back(b < 240 ? b : b < 254 ? static_cast<std::int32_t>(in.number(4))
                                            : static_cast<std::int64_t>(std::uint64_t{in.number(4)} << 32 | in.number(4)));
  }
  const PixelBox* place = how & 1u ? &box : nullptr;
  Repairs repairs;
  Repairs* lenient = how & 2u ? &repairs : nullptr;
  try {
    const Runs runs = from_hasty(numbers.data(), numbers.size(), shape, place, lenient);
    require_canonical(runs);
    const std::vector<std::int64_t> pairs = to_hasty(runs.view(), place);
    require(from_hasty(pairs.data(), pairs.size(), shape, place, nullptr).counts == runs.counts);
  } catch (const DecodeError&) {
  } catch (const ShapeError&) {
  }
  try {
    const Runs runs = from_alternating(numbers.data(), numbers.size(), shape, (how & 4u) != 0, (how & 8u) != 0, lenient);
    require_canonical(runs);
    const std::vector<std::uint32_t> counts = to_alternating(runs.view(), (how & 4u) != 0);
    const std::vector<std::int64_t> wide(counts.begin(), counts.end());
    require(from_alternating(wide.data(), wide.size(), shape, (how & 4u) != 0, false, nullptr).counts == runs.counts);
  } catch (const DecodeError&) {
  }
  return 0;
}
