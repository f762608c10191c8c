// Tests of runs, their text, dense masks, operations and morphology against slow dense oracles, on every instruction level.
// Returns the number of failed checks.
#include "run_tests.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "maskcodec/coco_counts.hpp"
#include "maskcodec/cpu.hpp"
#include "maskcodec/dense.hpp"
#include "maskcodec/ellipse.hpp"
#include "maskcodec/flat_rle.hpp"
#include "maskcodec/morph.hpp"
#include "maskcodec/paint.hpp"
#include "maskcodec/run_ops.hpp"
#include "maskcodec/sample.hpp"

namespace {

using namespace maskcodec;

int failures = 0;  // counted by CHECK

// A dense mask, one byte a pixel, column by column.
struct Dense {
  Shape shape;
  std::vector<std::uint8_t> pixels;
  explicit Dense(Shape s) : shape(s), pixels(static_cast<std::size_t>(s.pixels())) {}
  std::uint8_t& at(std::uint32_t y, std::uint32_t x) { return pixels[std::size_t{x} * shape.height + y]; }
  std::uint8_t at(std::uint32_t y, std::uint32_t x) const { return pixels[std::size_t{x} * shape.height + y]; }
  bool operator==(const Dense& o) const { return shape == o.shape && pixels == o.pixels; }
};

Runs encode_slowly(const Dense& d) {
  Runs r{d.shape, {}};
  std::uint8_t value = 0;
  std::uint32_t length = 0;
  for (const std::uint8_t p : d.pixels) {
    if (p != value) {
      r.counts.push_back(length);
      length = 0;
      value = p;
    }
    ++length;
  }
  if (length != 0 || r.counts.empty()) r.counts.push_back(length);
  return r;
}

bool same(const Runs& runs, const Dense& d) {
  return runs.shape == d.shape && runs.counts == encode_slowly(d).counts;
}

std::mt19937 source(7);
std::uint32_t below(std::uint32_t n) { return n == 0 ? 0 : static_cast<std::uint32_t>(source() % n); }

Dense random_mask(Shape shape) {
  Dense d(shape);
  const unsigned kind = below(5);
  if (kind == 0 || shape.pixels() == 0) {
    const std::uint8_t all = static_cast<std::uint8_t>(below(2));
    std::fill(d.pixels.begin(), d.pixels.end(), all);
  } else if (kind < 3) {
    static const std::uint32_t share[] = {2, 10, 50, 90, 98};
    const std::uint32_t limit = share[below(5)];
    for (std::uint8_t& p : d.pixels) p = below(100) < limit;
  } else {
    for (unsigned k = 1 + below(4); k > 0; --k) {
      const std::uint32_t y0 = below(shape.height), x0 = below(shape.width);
      const std::uint32_t h = 1 + below(shape.height - y0), w = 1 + below(shape.width - x0);
      for (std::uint32_t x = x0; x < x0 + w; ++x)
        for (std::uint32_t y = y0; y < y0 + h; ++y) d.at(y, x) ^= 1;
    }
  }
  return d;
}

Shape random_shape(bool large) {
  if (large) return Shape{1 + below(300), 1 + below(700)};
  return Shape{below(14), below(14)};
}

// The reference form of the text: one number after the other, plain division into groups of five bits.
std::string text_slowly(const std::vector<std::uint32_t>& counts) {
  std::string out;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    std::int64_t x = counts[i];
    if (i > 2) x -= counts[i - 2];
    for (bool more = true; more;) {
      const std::int64_t group = ((x % 32) + 32) % 32;
      x = (x - group) / 32;
      more = (group & 16) ? x != -1 : x != 0;
      out.push_back(static_cast<char>(group + (more ? 32 : 0) + 48));
    }
  }
  return out;
}

// Reads by the rules alone; empty result and `good` false where one is broken.
std::vector<std::uint32_t> read_slowly(const std::string& text, Shape shape, bool& good) {
  std::vector<std::int64_t> runs;
  good = false;
  std::size_t p = 0;
  std::int64_t sum = 0;
  while (p < text.size()) {
    std::int64_t x = 0, scale = 1;
    int n = 0;
    for (bool more = true; more;) {
      if (p == text.size()) return {};
      const int c = static_cast<unsigned char>(text[p++]) - 48;
      if (c < 0 || c > 63 || ++n > 7) return {};
      x += (c % 32) * scale;
      scale *= 32;
      more = c >= 32;
      if (!more && (c & 16)) x -= scale;
    }
    if (runs.size() > 2) x += runs[runs.size() - 2];
    if (x < 0 || x > 0xFFFFFFFFll) return {};
    sum += x;
    if (sum > static_cast<std::int64_t>(shape.pixels())) return {};
    runs.push_back(x);
  }
  if (sum != static_cast<std::int64_t>(shape.pixels())) return {};
  good = true;
  std::vector<std::uint32_t> out(runs.begin(), runs.end());
  canonicalise(out);
  return out;
}

void check_text(const std::string& text, Shape shape) {
  bool good;
  const std::vector<std::uint32_t> expected = read_slowly(text, shape, good);
  // A copy of exactly the right size, so that a sanitizer sees every byte read too far.
  const std::vector<char> exact(text.begin(), text.end());
  bool read = true;
  Runs runs;
  std::uint64_t area_read = 0;
  Box box;
  try {
    runs = decode_counts(exact.data(), exact.size(), shape);
    area_read = text_area(exact.data(), exact.size(), shape);
    box = text_box(exact.data(), exact.size(), shape);
  } catch (const DecodeError& error) {
    read = false;
    CHECK(error.offset() <= text.size());
    bool again = false;
    try {
      text_area(exact.data(), exact.size(), shape);
    } catch (const DecodeError& other) {
      again = std::string(other.what()) == error.what();
    }
    CHECK(again);
  }
  CHECK(read == good);
  if (!read || !good) return;
  CHECK(runs.counts == expected);
  CHECK(area_read == area(runs.view()));
  const Box other = bounding_box(runs.view());
  CHECK(box.x == other.x && box.y == other.y && box.width == other.width && box.height == other.height);
}

void test_text() {
  for (int i = 0; i < 400; ++i) {
    const Dense d = random_mask(random_shape(i % 4 == 0));
    const Runs runs = encode_slowly(d);
    const std::string text = text_slowly(runs.counts);
    std::vector<char> out(counts_text_bound(runs.counts.size()));
    CHECK(std::string(out.data(), encode_counts_to(runs.counts.data(), runs.counts.size(), out.data())) == text);
    check_text(text, d.shape);
    for (int k = 0; k < 4; ++k) {
      std::string edited = text;
      const std::size_t at = below(static_cast<std::uint32_t>(edited.size() + 1));
      switch (below(4)) {
        case 0: edited.insert(at, 1, static_cast<char>(below(2) ? below(256) : 48 + below(64))); break;
        case 1: edited.erase(at, 1); break;
        case 2: edited.resize(at); break;
        default:
          if (at < edited.size()) edited[at] = static_cast<char>(below(2) ? below(256) : 48 + below(64));
      }
      check_text(edited, d.shape);
    }
  }
  // Long numbers, runs up to 2^32 - 1, and text that is nothing but noise.
  for (int i = 0; i < 200; ++i) {
    std::vector<std::uint32_t> counts;
    std::uint64_t sum = 0;
    for (unsigned k = below(120); k > 0; --k) {
      const auto run = static_cast<std::uint32_t>(1 + (source() >> (1 + below(31))));
      if (sum + run > max_mask_pixels) break;
      counts.push_back(run);
      sum += run;
    }
    if (counts.empty()) counts.push_back(0);
    check_text(text_slowly(counts), Shape{1, static_cast<std::uint32_t>(sum)});
    std::vector<char> out(counts_text_bound(counts.size()));
    CHECK(std::string(out.data(), encode_counts_to(counts.data(), counts.size(), out.data())) == text_slowly(counts));
    std::string noise;
    for (unsigned k = below(200); k > 0; --k) noise.push_back(static_cast<char>(48 + below(64)));
    check_text(noise, Shape{1000, 1000});
  }
}

void test_dense(const Dense& d) {
  const Runs runs = encode_slowly(d);
  const std::size_t h = d.shape.height, w = d.shape.width;
  if (d.shape.pixels() == 0) return;
  std::vector<std::uint8_t> rows(h * w);
  std::vector<std::uint32_t> wide(h * w);
  for (std::uint32_t y = 0; y < h; ++y)
    for (std::uint32_t x = 0; x < w; ++x) {
      rows[y * w + x] = d.at(y, x) ? static_cast<std::uint8_t>(1 + below(255)) : std::uint8_t{0};
      wide[y * w + x] = d.at(y, x) ? 256u << below(23) : 0u;
    }
  const auto row = static_cast<std::ptrdiff_t>(w), column = static_cast<std::ptrdiff_t>(h);
  CHECK(encode_any(d.pixels.data(), h, w, 1, column, 1).counts == runs.counts);
  CHECK(encode_any(rows.data(), h, w, row, 1, 1).counts == runs.counts);
  CHECK(encode_any(wide.data(), h, w, 4 * row, 4, 4).counts == runs.counts);
  const std::uint32_t x0 = below(d.shape.width), y0 = below(d.shape.height);
  const Window windows[] = {{0, 0, d.shape.width, d.shape.height},
                            {x0, y0, x0 + 1 + below(d.shape.width - x0), y0 + 1 + below(d.shape.height - y0)}};
  for (const Window& win : windows) {
    const std::size_t wh = win.y1 - win.y0, ww = win.x1 - win.x0;
    for (const bool by_rows : {true, false}) {
      std::vector<std::uint8_t> out(wh * ww, 9);
      const auto rs = static_cast<std::ptrdiff_t>(by_rows ? ww : 1), cs = static_cast<std::ptrdiff_t>(by_rows ? 1 : wh);
      decode(runs.view(), win, PixelTarget<std::uint8_t>{out.data(), rs, cs}, std::uint8_t{1}, false);
      std::vector<std::uint16_t> other(wh * ww, 0);
      decode(runs.view(), win, PixelTarget<std::uint16_t>{other.data(), 2 * rs, 2 * cs}, std::uint16_t{700}, true);
      bool good = true;
      for (std::uint32_t y = 0; y < wh; ++y)
        for (std::uint32_t x = 0; x < ww; ++x) {
          const std::size_t at = static_cast<std::size_t>(y * rs + x * cs);
          const std::uint8_t pixel = d.at(win.y0 + y, win.x0 + x);
          good = good && out[at] == pixel && other[at] == 700 * pixel;
        }
      CHECK(good);
    }
  }
}

Dense transposed(const Dense& d) {
  Dense t(Shape{d.shape.width, d.shape.height});
  for (std::uint32_t y = 0; y < d.shape.height; ++y)
    for (std::uint32_t x = 0; x < d.shape.width; ++x) t.at(x, y) = d.at(y, x);
  return t;
}

void test_flat(const Dense& d) {
  const Runs runs = encode_slowly(d);
  const Dense t = transposed(d);
  CHECK(same(transpose(runs.view()), t));
  std::vector<std::int64_t> pairs;
  std::int64_t at = 0;
  const Runs by_rows = encode_slowly(t);
  for (std::size_t i = 0; i < by_rows.counts.size(); ++i) {
    if (i & 1u) {
      pairs.push_back(at + 1);
      pairs.push_back(by_rows.counts[i]);
    }
    at += by_rows.counts[i];
  }
  CHECK(to_hasty(runs.view(), nullptr) == pairs);
  CHECK(from_hasty(pairs.data(), pairs.size(), d.shape, nullptr, nullptr).counts == runs.counts);
  CHECK(to_alternating(runs.view(), true) == by_rows.counts);
  const std::vector<std::int64_t> wide(by_rows.counts.begin(), by_rows.counts.end());
  CHECK(from_alternating(wide.data(), wide.size(), d.shape, true, false, nullptr).counts == runs.counts);
  if (!pairs.empty()) {  // one edit: an answer or a DecodeError, nothing else
    pairs[below(static_cast<std::uint32_t>(pairs.size()))] += static_cast<std::int64_t>(below(7)) - 3;
    try {
      const Runs read = from_hasty(pairs.data(), pairs.size(), d.shape, nullptr, nullptr);
      CHECK(to_hasty(read.view(), nullptr).size() <= pairs.size());
    } catch (const DecodeError& error) {
      CHECK(error.offset() < pairs.size());
    }
    Repairs repairs;
    try {
      from_hasty(pairs.data(), pairs.size(), d.shape, nullptr, &repairs);
    } catch (const DecodeError&) {
    }
  }
}

template <class Rule>
Dense pixelwise(const Dense& a, const Dense& b, Rule&& rule) {
  Dense out(a.shape);
  for (std::size_t i = 0; i < out.pixels.size(); ++i)
    out.pixels[i] = static_cast<std::uint8_t>(rule(a.pixels[i] != 0, b.pixels[i] != 0));
  return out;
}

Dense placed(const Dense& d, std::int64_t x, std::int64_t y, Shape frame) {
  Dense out(frame);
  for (std::uint32_t b = 0; b < d.shape.height; ++b)
    for (std::uint32_t a = 0; a < d.shape.width; ++a) {
      const std::int64_t to_x = a + x, to_y = b + y;
      if (to_x >= 0 && to_y >= 0 && to_x < frame.width && to_y < frame.height)
        out.at(static_cast<std::uint32_t>(to_y), static_cast<std::uint32_t>(to_x)) = d.at(b, a);
    }
  return out;
}

void test_operations(Shape shape) {
  const Dense a = random_mask(shape), b = random_mask(shape);
  const Runs ra = encode_slowly(a), rb = encode_slowly(b);
  for (unsigned truth = 0; truth < 16; ++truth)
    CHECK(same(combine(ra.view(), rb.view(), truth),
               pixelwise(a, b, [&](bool p, bool q) { return truth >> (2 * p + q) & 1u; })));
  CHECK(same(complement(ra.view()), pixelwise(a, a, [](bool p, bool) { return !p; })));
  std::uint64_t both = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) both += a.pixels[i] & b.pixels[i];
  CHECK(intersection_area(ra.view(), rb.view()) == both);
  // Many masks at once.
  std::vector<Dense> many;
  std::vector<Runs> runs;
  std::vector<RunsView> views;
  for (unsigned k = 1 + below(7); k > 0; --k) many.push_back(random_mask(shape));
  for (const Dense& d : many) runs.push_back(encode_slowly(d));
  for (const Runs& r : runs) views.push_back(r.view());
  const std::size_t k = 1 + below(static_cast<std::uint32_t>(many.size()));
  Dense any(shape), all(shape), votes(shape);
  for (std::size_t i = 0; i < any.pixels.size(); ++i) {
    std::size_t n = 0;
    for (const Dense& d : many) n += d.pixels[i];
    any.pixels[i] = n > 0;
    all.pixels[i] = n == many.size();
    votes.pixels[i] = n >= k;
  }
  CHECK(same(merge(views.data(), views.size(), false), any));
  CHECK(same(merge(views.data(), views.size(), true), all));
  CHECK(same(vote(views.data(), views.size(), k), votes));
  // Overlaps; the table twice, so that enough pairs meet.
  std::vector<RunsView> rows;
  while (rows.size() < 20) rows.insert(rows.end(), views.begin(), views.end());
  const SpanTable one(rows.data(), rows.size()), two(views.data(), views.size());
  std::vector<double> out(rows.size() * views.size());
  iou(one, two, nullptr, out.data(), views.size(), 1, 2);
  for (std::size_t i = 0; i < rows.size(); ++i)
    for (std::size_t j = 0; j < views.size(); ++j) {
      std::uint64_t in = 0, un = 0;
      const Dense &p = many[i % many.size()], &q = many[j];
      for (std::size_t x = 0; x < p.pixels.size(); ++x) {
        in += p.pixels[x] & q.pixels[x];
        un += p.pixels[x] | q.pixels[x];
      }
      const double expected = un == 0 ? 0.0 : static_cast<double>(in) / static_cast<double>(un);
      CHECK(out[i * views.size() + j] == expected);
    }
  // Geometry.
  const std::int64_t x = static_cast<std::int64_t>(below(40)) - 20, y = static_cast<std::int64_t>(below(40)) - 20;
  const Shape frame = random_shape(false);
  CHECK(same(pad(ra.view(), x, y, frame), placed(a, x, y, frame)));
  const Dense small = random_mask(random_shape(false));
  const Runs rs = encode_slowly(small);
  Dense full(small.shape);
  std::fill(full.pixels.begin(), full.pixels.end(), std::uint8_t{1});
  const Dense under = placed(full, x, y, shape), over = placed(small, x, y, shape);
  Dense pasted = a;
  for (std::size_t i = 0; i < pasted.pixels.size(); ++i)
    if (under.pixels[i]) pasted.pixels[i] = over.pixels[i];
  CHECK(same(paste(ra.view(), rs.view(), x, y), pasted));
  Dense down(shape), right(shape), turned(shape);
  for (std::uint32_t r = 0; r < shape.height; ++r)
    for (std::uint32_t c = 0; c < shape.width; ++c) {
      down.at(shape.height - 1 - r, c) = a.at(r, c);
      right.at(r, shape.width - 1 - c) = a.at(r, c);
      turned.at(shape.height - 1 - r, shape.width - 1 - c) = a.at(r, c);
    }
  CHECK(same(flip_rows(ra.view()), down));
  CHECK(same(flip_columns(ra.view()), right));
  CHECK(same(rotate180(ra.view()), turned));
  if (shape.pixels() != 0) {
    const Shape to{below(30), below(30)};
    Dense resized(to);
    for (std::uint64_t r = 0; r < to.height; ++r)
      for (std::uint64_t c = 0; c < to.width; ++c)
        resized.at(static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(c)) =
            a.at(static_cast<std::uint32_t>((2 * r + 1) * shape.height / (2 * to.height)),
                 static_cast<std::uint32_t>((2 * c + 1) * shape.width / (2 * to.width)));
    CHECK(same(resize_nearest(ra.view(), to), resized));
  }
  // Label maps, painted over each other and split again.
  if (shape.pixels() == 0) return;
  std::vector<std::uint16_t> values, map(a.pixels.size()), slow(a.pixels.size());
  for (std::size_t i = 0; i < many.size(); ++i) values.push_back(static_cast<std::uint16_t>(1 + below(300)));
  for (std::size_t i = 0; i < many.size(); ++i)
    for (std::uint32_t r = 0; r < shape.height; ++r)
      for (std::uint32_t c = 0; c < shape.width; ++c)
        if (many[i].at(r, c)) slow[std::size_t{r} * shape.width + c] = values[i];
  paint_labels(views.data(), values.data(), views.size(), shape, map.data(), false);
  CHECK(map == slow);
  const PixelView<std::uint16_t> view{map.data(), shape.height, shape.width, 2 * static_cast<std::ptrdiff_t>(shape.width), 2};
  const LabelRuns<std::uint16_t> split = split_labels(view);
  for (std::size_t i = 0; i < split.ids.size(); ++i) {
    Dense own(shape);
    for (std::uint32_t r = 0; r < shape.height; ++r)
      for (std::uint32_t c = 0; c < shape.width; ++c) own.at(r, c) = map[std::size_t{r} * shape.width + c] == split.ids[i];
    CHECK(std::vector<std::uint32_t>(split.runs.begin() + static_cast<std::ptrdiff_t>(split.offsets[i]),
                                     split.runs.begin() + static_cast<std::ptrdiff_t>(split.offsets[i + 1])) ==
          encode_slowly(own).counts);
  }
}

bool near(Kernel kernel, double r, std::int64_t dx, std::int64_t dy) {
  const double x = static_cast<double>(dx < 0 ? -dx : dx), y = static_cast<double>(dy < 0 ? -dy : dy);
  if (kernel == Kernel::square) return x <= r && y <= r;
  if (kernel == Kernel::cross) return (dx == 0 || dy == 0) && x + y <= r;
  return x * x + y * y <= r * r;
}

void test_morphology(Shape shape) {
  const Dense a = random_mask(shape);
  const Runs ra = encode_slowly(a);
  static const double radii[] = {0, 1, 1.5, 2, 3.7};
  const double radius = radii[below(5)];
  const auto reach = static_cast<std::int64_t>(radius);
  for (const Kernel kernel : {Kernel::square, Kernel::cross, Kernel::disk}) {
    Dense wide(shape), narrow(shape), bordered(shape);
    for (std::int64_t y = 0; y < shape.height; ++y)
      for (std::int64_t x = 0; x < shape.width; ++x) {
        bool any = false, all = true, inside = true;
        for (std::int64_t dy = -reach; dy <= reach; ++dy)
          for (std::int64_t dx = -reach; dx <= reach; ++dx) {
            if (!near(kernel, radius, dx, dy)) continue;
            const bool in = x + dx >= 0 && y + dy >= 0 && x + dx < shape.width && y + dy < shape.height;
            const bool on = in && a.at(static_cast<std::uint32_t>(y + dy), static_cast<std::uint32_t>(x + dx));
            any = any || on;
            all = all && on;
            inside = inside && (on || !in);
          }
        const auto r = static_cast<std::uint32_t>(y), c = static_cast<std::uint32_t>(x);
        wide.at(r, c) = any;
        narrow.at(r, c) = all;
        bordered.at(r, c) = inside;
      }
    CHECK(same(dilate(ra.view(), kernel, radius), wide));
    CHECK(same(erode(ra.view(), kernel, radius, false), narrow));
    CHECK(same(erode(ra.view(), kernel, radius, true), bordered));
    const Runs closed = close(ra.view(), kernel, radius), opened = open(ra.view(), kernel, radius);
    CHECK(area(combine(ra.view(), closed.view(), truth_minus).view()) == 0);
    CHECK(area(combine(opened.view(), ra.view(), truth_minus).view()) == 0);
  }
  for (const bool diagonal : {false, true}) {
    const Components parts = components(ra.view(), diagonal);
    std::uint64_t total = 0;
    std::vector<RunsView> views;
    for (std::size_t i = 0; i + 1 < parts.offsets.size(); ++i) {
      views.push_back(RunsView{parts.runs.data() + parts.offsets[i],
                               static_cast<std::size_t>(parts.offsets[i + 1] - parts.offsets[i]), shape});
      total += area(views.back());
      // One piece is connected in itself: it is its own largest component.
      CHECK(largest_component(views.back(), diagonal).counts ==
            std::vector<std::uint32_t>(views.back().begin(), views.back().end()));
    }
    CHECK(total == area(ra.view()));
    if (!views.empty()) CHECK(same(merge(views.data(), views.size(), false), a));
    CHECK(same(remove_small(ra.view(), 0, diagonal), a));
    const Runs filled = fill_holes(ra.view(), ~std::uint64_t{0} >> 1, diagonal);
    CHECK(area(combine(ra.view(), filled.view(), truth_minus).view()) == 0);
    CHECK(fill_holes(filled.view(), ~std::uint64_t{0} >> 1, diagonal).counts == filled.counts);
  }
  const Moments m = centroid(ra.view());
  CHECK(m.area == area(ra.view()));
}

// Through a grid: any ascending lists of rows and columns, against the definition.
void test_grid(const Dense& d) {
  const auto lines = [](std::uint32_t n) {
    std::vector<std::int64_t> shown;
    if (n != 0)
      for (std::uint32_t i = below(3 * n); i-- > 0;) shown.push_back(below(n));
    std::sort(shown.begin(), shown.end());
    return shown;
  };
  const std::vector<std::int64_t> rows = lines(d.shape.height), columns = lines(d.shape.width);
  const Grid grid(d.shape, rows.data(), rows.size(), columns.data(), columns.size());
  Dense expected(make_shape(rows.size(), columns.size()));
  for (std::uint32_t y = 0; y < expected.shape.height; ++y)
    for (std::uint32_t x = 0; x < expected.shape.width; ++x)
      expected.at(y, x) = d.at(static_cast<std::uint32_t>(rows[y]), static_cast<std::uint32_t>(columns[x]));
  const Runs runs = encode_slowly(d);
  CHECK(same(sample(runs.view(), grid), expected));
  for (const std::int64_t bad : {std::int64_t{-1}, static_cast<std::int64_t>(d.shape.height)}) {
    bool refused = false;
    try {
      Grid(d.shape, &bad, 1, columns.data(), columns.size());
    } catch (const RangeError&) {
      refused = true;
    }
    CHECK(refused);
  }
}

void test_batches() {
  std::vector<std::string> texts;
  std::vector<CountsSource> sources;
  std::vector<Dense> masks;
  for (int i = 0; i < 40; ++i) masks.push_back(random_mask(random_shape(i % 3 == 0)));
  for (const Dense& d : masks) texts.push_back(text_slowly(encode_slowly(d).counts));
  std::size_t room = 0;
  for (std::size_t i = 0; i < masks.size(); ++i) {
    sources.push_back(CountsSource{texts[i].data(), nullptr, texts[i].size(), masks[i].shape});
    room += counts_room(texts[i].size());
  }
  for (const unsigned threads : {1u, 2u, 5u}) {
    std::vector<std::uint32_t> out(room);
    std::vector<std::uint64_t> offsets(masks.size() + 1);
    decode_counts_many(sources.data(), sources.size(), true, out.data(), offsets.data(), threads);
    for (std::size_t i = 0; i < masks.size(); ++i)
      CHECK(std::vector<std::uint32_t>(out.begin() + static_cast<std::ptrdiff_t>(offsets[i]),
                                       out.begin() + static_cast<std::ptrdiff_t>(offsets[i + 1])) ==
            encode_slowly(masks[i]).counts);
  }
}

void test_ellipses() {
  for (int i = 0; i < 100; ++i) {
    const double cx = below(300) / 10.0, cy = below(300) / 10.0, rx = below(150) / 10.0, ry = below(150) / 10.0;
    const Runs r = fill_ellipse(cx, cy, rx, ry, below(720) / 2.0, Shape{20, 25});
    const Box b = bounding_box(r.view());
    CHECK(b.width <= 2 * std::max(rx, ry) + 1 && b.height <= 2 * std::max(rx, ry) + 1);
  }
}

}  // namespace

int run_run_tests() {
  for (const char* name : {"baseline", "avx2", "avx512"}) {
    if (!force_level(name)) {
      std::printf("%s: not on this machine\n", name);
      continue;
    }
    source.seed(7);
    test_text();
    test_batches();
    for (int i = 0; i < 300; ++i) {
      const Dense d = random_mask(random_shape(i % 6 == 0));
      test_dense(d);
      test_flat(d);
      test_grid(d);
      test_operations(random_shape(i % 60 == 0));
      test_morphology(random_shape(false));
    }
    test_ellipses();
  }
  return failures;
}
