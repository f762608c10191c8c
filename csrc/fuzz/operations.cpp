// Any two masks: union, intersection and difference add up, overlaps agree with each other, geometry turns back.
#include "fuzz_input.hpp"
#include "maskcodec/flat_rle.hpp"
#include "maskcodec/morph.hpp"
#include "maskcodec/run_ops.hpp"

using namespace maskcodec;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzInput in(data, size);
  const Shape shape{in.number(1) * 3, in.number(1)};
  const double radius = in.byte() / 8.0;
  const Runs a = in.runs(shape), b = in.runs(shape);
  const RunsView views[] = {a.view(), b.view(), a.view()};
  const Runs any = merge(views, 3, false), both = merge(views, 3, true);
  require_canonical(any);
  require_canonical(both);
  require(any.counts == combine(a.view(), b.view(), truth_or).counts);
  require(both.counts == combine(a.view(), b.view(), truth_and).counts);
  require(area(any.view()) + area(both.view()) == area(a.view()) + area(b.view()));
  require(intersection_area(a.view(), b.view()) == area(both.view()));
  // Enough copies that the layout by columns is taken.
  const std::vector<RunsView> many(20, b.view());
  const SpanTable one(views, 3), two(many.data(), many.size());
  std::vector<double> out(60);
  iou(one, two, nullptr, out.data(), 20, 1);
  const double inside = static_cast<double>(area(both.view())), all = static_cast<double>(area(any.view()));
  for (std::size_t j = 0; j < 20; ++j) require(out[j] == (inside > 0 ? inside / all : 0.0));
  const Runs turned = transpose(a.view());
  require_canonical(turned);
  require(transpose(turned.view()).counts == a.counts);
  require(flip_rows(flip_rows(a.view()).view()).counts == a.counts);
  require(flip_columns(flip_columns(a.view()).view()).counts == a.counts);
  const Runs wide = dilate(a.view(), Kernel::disk, radius), narrow = erode(a.view(), Kernel::square, radius, true);
  require_canonical(wide);
  require(area(combine(a.view(), wide.view(), truth_minus).view()) == 0);
  require(area(combine(narrow.view(), a.view(), truth_minus).view()) == 0);
  const Components parts = components(a.view(), size % 2 != 0);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i + 1 < parts.offsets.size(); ++i)
    total += area(RunsView{parts.runs.data() + parts.offsets[i],
                           static_cast<std::size_t>(parts.offsets[i + 1] - parts.offsets[i]), shape});
  require(total == area(a.view()));
  return 0;
}
