// Tests of polygon, contour, paint and idpack without Python. Returns the number of failed checks.
#include "raster_tests.hpp"

#include <cstdint>
#include <cstdio>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "maskcodec/contour.hpp"
#include "maskcodec/crc32c.hpp"
#include "maskcodec/lzf.hpp"
#include "maskcodec/idpack.hpp"
#include "maskcodec/paint.hpp"
#include "maskcodec/polygon.hpp"

namespace {

using namespace maskcodec;

int failures = 0;  // counted by CHECK

using Counts = std::vector<std::uint32_t>;

Counts filled(const std::vector<double>& xy, Shape shape, FillRule rule = FillRule::coco) {
  const RingView ring{xy.data(), xy.size() / 2};
  return fill(&ring, 1, shape, rule).counts;
}

bool canonical(const Counts& counts, Shape shape) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (i > 0 && counts[i] == 0) return false;
    sum += counts[i];
  }
  return !counts.empty() && sum == shape.pixels();
}

Counts random_runs(std::mt19937& random, Shape shape, double density) {
  std::bernoulli_distribution on(density);
  Counts counts;
  bool value = false;
  std::uint32_t length = 0;
  for (std::uint64_t i = 0; i < shape.pixels(); ++i) {
    const bool pixel = on(random);
    if (pixel != value) {
      counts.push_back(length);
      length = 0;
      value = pixel;
    }
    ++length;
  }
  counts.push_back(length);
  return counts;
}

void coco_vectors() {
  CHECK((filled({1, 1, 4, 1, 4, 4, 1, 4}, {6, 6}) == Counts{7, 3, 3, 3, 3, 3, 14}));
  CHECK((filled({0, 0, 6, 0, 6, 5, 0, 5}, {5, 6}) == Counts{0, 30}));
  CHECK((filled({1, 1, 6, 6, 6, 1, 1, 6}, {8, 8}) == Counts{9, 4, 5, 2, 14, 2, 5, 4, 19}));
  CHECK((filled({-3, -3, 3, -3, 3, 3, -3, 3}, {5, 5}) == Counts{0, 3, 2, 3, 2, 3, 12}));
  CHECK((filled({2.31, 1.07, 6.82, 2.4, 5.93, 6.66, 1.2, 5.05}, {8, 8}) ==
         Counts{12, 1, 4, 4, 4, 5, 4, 4, 4, 4, 4, 2, 12}));
  CHECK((fill_box(0.4, 0.4, 2, 2, {5, 5}).counts == Counts{0, 2, 3, 2, 18}));
  CHECK((fill_box(2, 2, 0, 0, {5, 5}).counts == Counts{25}));
  CHECK((filled({1, 1, 4, 1, 4, 4, 1, 4}, {0, 6}) == Counts{0}));
}

void huge_and_bad_coordinates() {
  const double far = 1099511627776.0;
  for (const FillRule rule : {FillRule::coco, FillRule::even_odd, FillRule::non_zero, FillRule::pillow}) {
    CHECK((filled({-far, -far, far, -far, far, far, -far, far}, {20, 30}, rule) == Counts{0, 600}));
    CHECK(canonical(filled({0, 0, far, 3, 5, far}, {20, 20}, rule), {20, 20}));
    CHECK(canonical(filled({3, -far, 4, far, 9, 1}, {20, 20}, rule), {20, 20}));
    for (const double bad : {far * 1.01, -far * 2, std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()}) {
      bool refused = false;
      try {
        filled({0, 0, bad, 3, 5, 5}, {20, 20}, rule);
      } catch (const RangeError&) {
        refused = true;
      }
      CHECK(refused);
    }
  }
}

void batches() {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> at(-10, 60);
  std::vector<double> xy;
  std::vector<std::uint64_t> ring_offsets{0}, object_offsets{0};
  std::vector<Shape> shapes;
  for (int object = 0; object < 300; ++object) {
    for (int ring = 0; ring < object % 4; ++ring) {
      for (int k = 0; k < 2 * (3 + ring); ++k) xy.push_back(at(random));
      ring_offsets.push_back(xy.size() / 2);
    }
    object_offsets.push_back(ring_offsets.size() - 1);
    shapes.push_back(Shape{static_cast<std::uint32_t>(20 + object % 30), 45});
  }
  for (const FillRule rule : {FillRule::coco, FillRule::even_odd, FillRule::non_zero, FillRule::pillow}) {
    Counts one, four;
    std::vector<std::uint64_t> one_offsets, four_offsets;
    fill_many(xy.data(), ring_offsets.data(), ring_offsets.size() - 1, object_offsets.data(), shapes.size(),
              shapes.data(), rule, one, one_offsets, 1);
    fill_many(xy.data(), ring_offsets.data(), ring_offsets.size() - 1, object_offsets.data(), shapes.size(),
              shapes.data(), rule, four, four_offsets, 4);
    CHECK(one == four);
    CHECK(one_offsets == four_offsets);
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      const Counts counts(one.begin() + static_cast<std::ptrdiff_t>(one_offsets[i]),
                          one.begin() + static_cast<std::ptrdiff_t>(one_offsets[i + 1]));
      CHECK(canonical(counts, shapes[i]));
    }
  }
}

void contours() {
  std::mt19937 random(11);
  std::uniform_int_distribution<std::uint32_t> side(1, 24);
  for (int k = 0; k < 400; ++k) {
    const Shape shape{side(random), side(random)};
    const Counts counts = random_runs(random, shape, 0.1 + 0.2 * (k % 5));
    const Rings rings = trace(RunsView{counts.data(), counts.size(), shape});
    const Rings joined = bridge(rings);
    CHECK(joined.size() == (counts.size() > 1 ? 1u : 0u));
    std::vector<double> xy(joined.xy.begin(), joined.xy.end());
    CHECK(filled(xy, shape) == counts);
    CHECK(filled(xy, shape, FillRule::even_odd) == counts);
    std::vector<double> all(rings.xy.begin(), rings.xy.end());
    std::vector<RingView> views;
    for (std::size_t r = 0; r < rings.size(); ++r)
      views.push_back(RingView{all.data() + 2 * rings.offsets[r],
                               static_cast<std::size_t>(rings.offsets[r + 1] - rings.offsets[r])});
    CHECK(fill(views.data(), views.size(), shape, FillRule::even_odd).counts == counts);
    CHECK(fill(views.data(), views.size(), shape, FillRule::non_zero).counts == counts);
    CHECK(simplify(rings, 1.5).size() == rings.size());
  }
  // A wide image costs by its runs, not by its columns.
  const Shape wide{1, 2000000000};
  const Counts counts{5, 1999999990, 5};
  CHECK((trace(RunsView{counts.data(), counts.size(), wide}).xy ==
         std::vector<std::int32_t>{5, 0, 1999999995, 0, 1999999995, 1, 5, 1}));
}

template <class T>
void label_maps() {
  std::mt19937 random(13);
  std::uniform_int_distribution<std::size_t> side(1, 70);
  std::uniform_int_distribution<int> value(0, 6);
  for (int k = 0; k < 30; ++k) {
    const std::size_t h = side(random), w = side(random);
    const Shape shape{static_cast<std::uint32_t>(h), static_cast<std::uint32_t>(w)};
    std::vector<T> rows(h * w), columns(h * w);
    for (std::size_t y = 0; y < h; ++y)
      for (std::size_t x = 0; x < w; ++x)
        rows[y * w + x] = columns[x * h + y] = static_cast<T>(k % 2 ? T(0) - T(value(random)) : T(value(random) / 3));
    const auto item = static_cast<std::ptrdiff_t>(sizeof(T));
    const PixelView<T> c{rows.data(), h, w, static_cast<std::ptrdiff_t>(w) * item, item};
    const PixelView<T> f{columns.data(), h, w, item, static_cast<std::ptrdiff_t>(h) * item};
    const auto a = split_labels(c), b = split_labels(f);
    CHECK(a.ids == b.ids && a.runs == b.runs && a.offsets == b.offsets);
    Painter<T> painter(shape, T(1));
    for (std::size_t i = 0; i < a.ids.size(); ++i) {
      const auto size = static_cast<std::size_t>(a.offsets[i + 1] - a.offsets[i]);
      painter.paint(checked_view(a.runs.data() + a.offsets[i], size, shape), a.ids[i]);
      CHECK(i == 0 || a.ids[i - 1] < a.ids[i]);
    }
    CHECK(std::vector<T>(painter.data(), painter.data() + h * w) == rows);
  }
}

void ids() {
  for (std::size_t width = 1; width < 40; ++width) {
    std::vector<std::uint32_t> values(3 * width), back(3 * width);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::uint32_t>(i * 7919 * 31) & 0xFFFFFF;
    const auto step = static_cast<std::ptrdiff_t>(width);
    const IntView view{values.data(), IntKind::u32, 3, width, 4 * step, 4};
    for (const unsigned channels : {3u, 4u}) {
      std::vector<std::uint8_t> image(values.size() * channels);
      pack_ids(view, channels, image.data());
      CHECK(image[channels] == (values[1] & 255));
      unpack_ids(ColorView{image.data(), 3, width, step * static_cast<int>(channels), static_cast<int>(channels), 1},
                 back.data());
      CHECK(back == values);
    }
    values.back() = 0x1000000;
    bool refused = false;
    try {
      std::vector<std::uint8_t> image(values.size() * 3);
      pack_ids(view, 3, image.data());
    } catch (const RangeError&) {
      refused = true;
    }
    CHECK(refused);
  }
  CHECK((voc_palette(256)[255] == std::array<std::uint8_t, 3>{224, 224, 192}));
}

// Published vectors of RFC 3720, and the same result however the bytes are cut.
void checksums() {
  CHECK(crc32c("", 0) == 0);
  CHECK(crc32c("123456789", 9) == 0xE3069283U);
  const std::vector<std::uint8_t> zeros(32, 0), ones(32, 255);
  CHECK(crc32c(zeros.data(), zeros.size()) == 0x8A9136AAU);
  CHECK(crc32c(ones.data(), ones.size()) == 0x62A8AB43U);
  std::vector<std::uint8_t> rising(67);
  for (std::size_t i = 0; i < rising.size(); ++i) rising[i] = static_cast<std::uint8_t>(i);
  CHECK(crc32c(rising.data(), 32) == 0x46DD794EU);
  const std::uint32_t whole = crc32c(rising.data(), rising.size());
  for (std::size_t cut = 0; cut <= rising.size(); ++cut)
    CHECK(crc32c(rising.data() + cut, rising.size() - cut, crc32c(rising.data(), cut)) == whole);
}

// Written by hand from the description of the format; every cut and every wrong size is refused.
void packed_bytes() {
  // "abcabcabc..." (3 literals, then a copy of 7 from 3 back), "x", then a long copy of 264 from 1 back.
  const std::vector<std::uint8_t> packed{2, 'a', 'b', 'c', 5U << 5, 2, 0, 'x', 7U << 5, 255, 0};
  std::vector<std::uint8_t> out(3 + 7 + 1 + 264);
  unpack_lzf(packed.data(), packed.size(), out.data(), out.size());
  CHECK(std::equal(out.begin(), out.begin() + 11, "abcabcabcax"));
  for (std::size_t i = 11; i < out.size(); ++i) CHECK(out[i] == 'x');
  CHECK(out.size() <= lzf_limit(packed.size()));
  unpack_lzf(packed.data(), 0, out.data(), 0);
  const auto refused = [&](const std::vector<std::uint8_t>& data, std::size_t size) {
    std::vector<std::uint8_t> room(size);
    try {
      unpack_lzf(data.data(), data.size(), room.data(), size);
    } catch (const DecodeError&) {
      return true;
    }
    return false;
  };
  for (std::size_t cut = 0; cut < packed.size(); ++cut)
    CHECK(refused({packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(cut)}, out.size()));
  for (std::size_t size = 0; size < out.size(); ++size) CHECK(refused(packed, size));
  CHECK(refused(packed, out.size() + 1));
  CHECK(refused({1U << 5, 0}, 3));                // nothing to copy from
  CHECK(refused({0, 'a', (1U << 5) | 31U, 255}, 4));  // from before the beginning
}

}  // namespace

int run_raster_tests() {
  coco_vectors();
  packed_bytes();
  huge_and_bad_coordinates();
  batches();
  contours();
  label_maps<std::uint8_t>();
  label_maps<std::int16_t>();
  label_maps<std::uint32_t>();
  label_maps<std::int64_t>();
  ids();
  checksums();
  return failures;
}
