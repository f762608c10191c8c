// Masks seen through a grid of rows and columns: any resize without blending, crop or both, on runs.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "maskcodec/runs.hpp"

namespace maskcodec {

// Which source row each new row shows, and likewise for columns; ascending (equal neighbours repeat a line), made once
// for all masks of one size. RangeError for indices that descend or lie outside.
class Grid {
 public:
  Grid(Shape source, const std::int64_t* rows, std::size_t n_rows, const std::int64_t* columns, std::size_t n_columns);
  Shape source() const { return source_; }
  Shape shape() const { return shape_; }
  // The first new row (column) that shows source row (column) s or a later one; s up to the number of rows (columns).
  std::uint32_t row(std::uint32_t s) const { return rows_[s]; }
  std::uint32_t column(std::uint32_t s) const { return columns_[s]; }

 private:
  Shape source_, shape_;
  std::vector<std::uint32_t> rows_, columns_;
};

// The pixel (y, x) of the result is the pixel (rows[y], columns[x]) of the mask, which has the size that the grid is for.
Runs sample(RunsView runs, const Grid& grid);
void sample_many(const RunsView* masks, std::size_t count, const Grid& grid, Runs* out, unsigned threads);

}  // namespace maskcodec
