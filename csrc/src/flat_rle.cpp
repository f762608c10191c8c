#include "maskcodec/flat_rle.hpp"

#include <algorithm>
#include <limits>

#include "bit_planes.hpp"
#include "maskcodec/run_ops.hpp"

namespace maskcodec {

namespace {

// Calls piece(x, a, b) for every maximal stretch of rows [a, b) in column x that toggles against the column to its left
// (for column 0: against the last column moved down by one, since a row-major run goes on there).
template <class Piece>
void column_changes(RunsView runs, Piece&& piece) {
  const std::uint64_t h = runs.shape.height, w = runs.shape.width;
  // Boundaries of a column: ascending rows in 0..h where the value changes, starting from background.
  std::vector<std::uint32_t> left, here, last;
  auto difference = [&](std::uint32_t x, const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
    std::size_t i = 0, j = 0;
    bool open = false;
    std::uint32_t from = 0;
    while (i < a.size() || j < b.size()) {
      std::uint32_t at;
      if (j == b.size() || (i < a.size() && a[i] < b[j])) at = a[i++];
      else if (i == a.size() || b[j] < a[i]) at = b[j++];
      else {
        ++i;
        ++j;
        continue;
      }
      if (open) piece(x, from, at);
      from = at;
      open = !open;
    }
    if (open) piece(x, from, static_cast<std::uint32_t>(h));
  };
  // Column 0 needs the last one, which is only known at the end: it is compared then.
  std::vector<std::uint32_t> first;
  std::uint64_t column = 0;  // the column that `here` describes
  bool value = false;
  auto close = [&](std::uint64_t next) {
    if (column == 0) first = here;
    else difference(static_cast<std::uint32_t>(column), left, here);
    left.swap(here);
    here.clear();
    // Columns without a boundary inside repeat: all background or all foreground.
    const std::uint64_t gap = next - column - 1;
    if (gap != 0) {
      if (value) here.push_back(0);
      if (column + 1 < w && left != here) difference(static_cast<std::uint32_t>(column + 1), left, here);
      left.swap(here);
      here.clear();
    }
    column = next;
    if (value) here.push_back(0);
  };
  std::uint64_t row = 0, at_column = 0;
  for (std::size_t i = 0; i + 1 < runs.size; ++i) {
    row += runs.data[i];
    if (row >= h) {
      at_column += row / h;
      row %= h;
    }
    if (at_column != column) close(at_column);
    // `value` is what the pixel before this boundary has.
    if (row == 0 && value) here.clear();
    else here.push_back(static_cast<std::uint32_t>(row));
    value = !value;
  }
  // The final run reaches the end of the mask.
  if (column != w) close(w);
  last = left;
  if (first.empty() && w != 0 && last.empty()) return;
  // Last column, one row down: its pixel (h - 1) belongs to no row of column 0.
  std::vector<std::uint32_t> moved;
  for (const std::uint32_t b : last)
    if (b + std::uint64_t{1} < h) moved.push_back(b + 1);
  difference(0, moved, first);
}

}  // namespace

Runs transpose(RunsView runs) {
  const Shape shape{runs.shape.width, runs.shape.height};
  const std::uint64_t w = runs.shape.width;
  if (runs.size == 1 || (runs.size == 2 && runs.data[0] == 0))
    return Runs{shape, std::vector<std::uint32_t>(runs.begin(), runs.end())};
  const Box box = bounding_box(runs);
  if (std::uint64_t{box.width} * box.height < 128 * std::uint64_t{runs.size}) return transpose_bits(runs, box);
  std::uint64_t total = 0;
  std::uint32_t low = std::numeric_limits<std::uint32_t>::max(), high = 0;
  column_changes(runs, [&](std::uint32_t, std::uint32_t a, std::uint32_t b) {
    total += b - a;
    low = std::min(low, a);
    high = std::max(high, b);
  });
  std::vector<std::uint32_t> positions;
  positions.reserve(total + 1);
  if (high - low > 4 * total + 65536) {
    // Few toggles spread over very many rows: sorting them is cheaper than an array of rows.
    column_changes(runs, [&](std::uint32_t x, std::uint32_t a, std::uint32_t b) {
      for (std::uint32_t y = a; y < b; ++y) positions.push_back(static_cast<std::uint32_t>(y * w + x));
    });
    std::sort(positions.begin(), positions.end());
  } else {
    // Counting sort by row. Column 0 is reported last but comes first in its row, so it is placed by itself.
    std::vector<std::uint32_t> offsets(std::size_t{high - low} + 2);
    std::vector<std::uint8_t> leading(high - low, 0);
    column_changes(runs, [&](std::uint32_t x, std::uint32_t a, std::uint32_t b) {
      ++offsets[a - low + 1];
      --offsets[b - low + 1];  // wraps, and unwraps in the sums below
      if (x == 0) std::fill(leading.begin() + (a - low), leading.begin() + (b - low), std::uint8_t{1});
    });
    std::uint32_t in_row = 0, sum = 0;
    for (std::size_t y = 1; y < offsets.size(); ++y) {
      in_row += offsets[y];
      const std::uint32_t n = in_row;
      offsets[y] = sum;
      sum += n;
    }
    positions.resize(total);
    // offsets[y + 1] is where row y starts.
    for (std::uint32_t y = low; y < high; ++y)
      if (leading[y - low]) positions[offsets[y - low + 1]++] = static_cast<std::uint32_t>(y * w);
    column_changes(runs, [&](std::uint32_t x, std::uint32_t a, std::uint32_t b) {
      if (x == 0) return;
      for (std::uint32_t y = a; y < b; ++y)
        positions[offsets[y - low + 1]++] = static_cast<std::uint32_t>(y * w + x);
    });
  }
  const auto pixels = static_cast<std::uint32_t>(shape.pixels());
  std::uint32_t last = 0;
  positions.push_back(pixels);
  for (std::uint32_t& p : positions) {
    const std::uint32_t at = p;
    p = at - last;
    last = at;
  }
  return Runs{shape, std::move(positions)};
}

namespace {

Shape crop_shape(Shape shape, const PixelBox* box) {
  if (!box) return shape;
  if (box->x0 < 0 || box->y0 < 0 || box->x1 <= box->x0 || box->y1 <= box->y0 || box->x1 > shape.width ||
      box->y1 > shape.height)
    throw ShapeError("box (" + std::to_string(box->x0) + ", " + std::to_string(box->y0) + ", " +
                     std::to_string(box->x1) + ", " + std::to_string(box->y1) +
                     ") is empty or not inside the image of height " + std::to_string(shape.height) + " and width " +
                     std::to_string(shape.width));
  return Shape{static_cast<std::uint32_t>(box->y1 - box->y0), static_cast<std::uint32_t>(box->x1 - box->x0)};
}

[[noreturn]] void fail_pair(std::size_t pair, std::int64_t start, std::int64_t length, const std::string& why) {
  throw DecodeError("run " + std::to_string(pair) + " (start " + std::to_string(start) + ", length " +
                        std::to_string(length) + ") " + why,
                    2 * pair);
}

}  // namespace

Runs hasty_rows(const std::int64_t* pairs, std::size_t size, Shape crop, Repairs* repairs) {
  const auto pixels = static_cast<std::int64_t>(crop.pixels());
  if (size % 2 != 0)
    throw DecodeError("the list has " + std::to_string(size) + " numbers, expected start, length pairs", size - 1);
  const Shape turned{crop.width, crop.height};  // row-major of the crop = column-major of its transpose
  if (pixels > 0) {  // in one go, as long as nothing is unusual
    std::vector<std::uint32_t> counts(size + 1);
    std::int64_t last = 0;
    std::size_t i = 0;
    for (; i < size; i += 2) {
      const std::int64_t start = pairs[i], length = pairs[i + 1];
      if (start <= last + (i != 0) || length < 1 || start > pixels || length > pixels - start + 1) break;
      counts[i] = static_cast<std::uint32_t>(start - 1 - last);
      counts[i + 1] = static_cast<std::uint32_t>(length);
      last = start - 1 + length;
    }
    if (i == size) {
      counts[size] = static_cast<std::uint32_t>(pixels - last);
      if (last == pixels) counts.pop_back();
      return Runs{turned, std::move(counts)};
    }
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> spans;  // half-open, from 0
  spans.reserve(size / 2);
  std::int64_t end = 0;
  bool tangled = false;
  for (std::size_t i = 0; i < size; i += 2) {
    const std::int64_t start = pairs[i], length = pairs[i + 1];
    if (start < 1) fail_pair(i / 2, start, length, "starts below 1 (starts are counted from 1)");
    if (length < 0 || (length == 0 && !repairs)) fail_pair(i / 2, start, length, "has a length below 1");
    if (start > pixels + 1 || length > pixels - (start - 1))
      fail_pair(i / 2, start, length, "passes the end of the area of " + std::to_string(crop.height) + " x " +
                                          std::to_string(crop.width) + " = " + std::to_string(pixels) + " pixels");
    if (length == 0) {
      ++repairs->empty_runs;
      continue;
    }
    if (start - 1 < end) {
      if (!repairs) fail_pair(i / 2, start, length, "overlaps or precedes the run before it");
      tangled = true;
    }
    spans.emplace_back(start - 1, start - 1 + length);
    end = std::max(end, start - 1 + length);
  }
  if (tangled) {
    repairs->united = true;
    std::sort(spans.begin(), spans.end());
  }
  RunsBuilder builder(turned);
  for (std::size_t i = 0; i < spans.size();) {
    std::int64_t a = spans[i].first, b = spans[i].second;
    for (++i; i < spans.size() && spans[i].first <= b; ++i) b = std::max(b, spans[i].second);
    builder.toggle(static_cast<std::uint64_t>(a));
    if (b != pixels) builder.toggle(static_cast<std::uint64_t>(b));
  }
  return builder.finish();
}

Runs from_hasty(const std::int64_t* pairs, std::size_t size, Shape shape, const PixelBox* box, Repairs* repairs) {
  const Shape crop = crop_shape(shape, box);
  Runs inside = transpose(hasty_rows(pairs, size, crop, repairs).view());
  if (!box || crop == shape) return inside;
  return pad(inside.view(), static_cast<std::uint32_t>(box->x0), static_cast<std::uint32_t>(box->y0), shape);
}

std::vector<std::int64_t> hasty_pairs(RunsView rows) {
  std::vector<std::int64_t> pairs(rows.size / 2 * 2);
  std::int64_t at = 1;
  for (std::size_t i = 0; i + 1 < rows.size; i += 2) {
    at += rows.data[i];
    pairs[i] = at;
    pairs[i + 1] = rows.data[i + 1];
    at += rows.data[i + 1];
  }
  return pairs;
}

std::vector<std::int64_t> to_hasty(RunsView runs, const PixelBox* box) {
  const Shape crop_size = crop_shape(runs.shape, box);
  Runs cropped;
  RunsView inside = runs;
  if (box && crop_size != runs.shape) {
    cropped = crop(runs, static_cast<std::uint32_t>(box->x0), static_cast<std::uint32_t>(box->y0),
                   static_cast<std::uint32_t>(box->x1), static_cast<std::uint32_t>(box->y1));
    inside = cropped.view();
    if (area(inside) != area(runs)) throw ShapeError("the mask has foreground outside the box");
  }
  return hasty_pairs(transpose(inside).view());
}

Runs from_alternating(const std::int64_t* counts, std::size_t size, Shape shape, bool rows, bool start,
                      Repairs* repairs) {
  std::vector<std::uint32_t> runs;
  runs.reserve(size + 2);
  if (start) runs.push_back(0);
  const std::uint64_t pixels = shape.pixels();
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (counts[i] < 0 || counts[i] > 0xFFFFFFFFll)
      throw DecodeError("counts: run " + std::to_string(i) + " is " + std::to_string(counts[i]) +
                            ", expected 0..4294967295",
                        i);
    sum += static_cast<std::uint64_t>(counts[i]);
    if (sum > pixels)
      throw DecodeError("counts: run " + std::to_string(i) + " passes the end of the mask (" +
                            std::to_string(shape.height) + " x " + std::to_string(shape.width) + " = " +
                            std::to_string(pixels) + " pixels)",
                        i);
    runs.push_back(static_cast<std::uint32_t>(counts[i]));
  }
  if (sum != pixels) {
    if (!repairs)
      throw DecodeError("counts: runs add up to " + std::to_string(sum) + ", expected " +
                            std::to_string(shape.height) + " x " + std::to_string(shape.width) + " = " +
                            std::to_string(pixels) + " pixels",
                        size);
    repairs->padded = pixels - sum;
    if (runs.size() % 2 == 0) runs.push_back(0);
    runs.back() += static_cast<std::uint32_t>(pixels - sum);
  }
  canonicalise(runs);
  if (!rows) return Runs{shape, std::move(runs)};
  const Runs lines{Shape{shape.width, shape.height}, std::move(runs)};
  return transpose(lines.view());
}

std::vector<std::uint32_t> to_alternating(RunsView runs, bool rows) {
  if (rows) return transpose(runs).counts;
  return std::vector<std::uint32_t>(runs.begin(), runs.end());
}

}  // namespace maskcodec
