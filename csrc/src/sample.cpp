#include "maskcodec/sample.hpp"

#include <string>
#include <utility>

#include "maskcodec/error.hpp"
#include "maskcodec/parallel.hpp"
#include "maskcodec/run_ops.hpp"

namespace maskcodec {
namespace {

std::vector<std::uint32_t> firsts(std::uint32_t lines, const std::int64_t* shown, std::size_t count, const char* what) {
  std::vector<std::uint32_t> first(std::size_t{lines} + 1);
  std::size_t next = 0;  // first source line without an entry
  std::int64_t before = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (shown[i] < before || shown[i] >= static_cast<std::int64_t>(lines))
      throw RangeError(std::string(what) + ": expected ascending indices below " + std::to_string(lines) + ", index " +
                       std::to_string(i) + " is " + std::to_string(shown[i]));
    before = shown[i];
    while (next <= static_cast<std::size_t>(before)) first[next++] = static_cast<std::uint32_t>(i);
  }
  while (next <= lines) first[next++] = static_cast<std::uint32_t>(count);
  return first;
}

}  // namespace

Grid::Grid(Shape source, const std::int64_t* rows, std::size_t n_rows, const std::int64_t* columns,
           std::size_t n_columns)
    : source_(source),
      shape_(make_shape(n_rows, n_columns)),
      rows_(firsts(source.height, rows, n_rows, "rows")),
      columns_(firsts(source.width, columns, n_columns, "columns")) {}

Runs sample(RunsView runs, const Grid& grid) {
  if (runs.shape != grid.source()) throw ShapeError("the mask has another size than the grid is for");
  const std::uint64_t height = grid.shape().height;
  SpanBuilder out(grid.shape());
  std::vector<std::pair<std::uint32_t, std::uint32_t>> column;
  std::uint32_t current = 0;
  const auto flush = [&] {
    if (column.empty()) return;
    for (std::uint64_t x = grid.column(current); x < grid.column(current + 1); ++x)
      for (const auto& [a, b] : column) out.add(x * height + a, x * height + b);
    column.clear();
  };
  each_piece(runs, [&](std::uint32_t x, std::uint32_t y0, std::uint32_t y1) {
    if (x != current) {
      flush();
      current = x;
    }
    const std::uint32_t a = grid.row(y0), b = grid.row(y1);
    if (a < b) column.emplace_back(a, b);
  });
  flush();
  return out.finish();
}

void sample_many(const RunsView* masks, std::size_t count, const Grid& grid, Runs* out, unsigned threads) {
  parallel_for(count, threads, [&](std::size_t i) { out[i] = sample(masks[i], grid); });
}

}  // namespace maskcodec
