// What the files of columns share.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "maskcodec/columns.hpp"
#include "maskcodec/error.hpp"
#include "maskcodec/parallel.hpp"

namespace maskcodec {

// Rows of a thread's share; errors of `work` name the row, and are those of the first bad one.
constexpr std::size_t rows_at_once = 64;

template <class Work>
void name_row(std::size_t row, Work&& work) {
  const auto said = [row](const char* what) { return "row " + std::to_string(row) + ": " + what; };
  try {
    work();
  } catch (const DecodeError& error) {
    throw DecodeError(said(error.what()), error.offset());
  } catch (const ShapeError& error) {
    throw ShapeError(said(error.what()));
  } catch (const RangeError& error) {
    throw RangeError(said(error.what()));
  }
}

// Calls work(block, row) for every row; rows of a block come in order, on one thread.
template <class Work>
void each_row(std::size_t rows, unsigned threads, Work&& work) {
  parallel_for((rows + rows_at_once - 1) / rows_at_once, threads, [&](std::size_t block) {
    const std::size_t last = std::min(rows, (block + 1) * rows_at_once);
    for (std::size_t row = block * rows_at_once; row < last; ++row) name_row(row, [&] { work(block, row); });
  });
}

// A share of masks on their way out: texts one after the other.
struct MaskPart {
  std::vector<char> text;
  std::vector<std::size_t> sizes;
  std::vector<Shape> shapes;
  std::vector<bool> valid;
  void add(RunsView runs);
  void add(const char* counts, std::size_t size, Shape shape);
  void add_null();

 private:
  void close(std::size_t size, Shape shape);
};
Column join_masks(const std::vector<MaskPart>& parts);

// A column of masks, row i of which `make(part, i)` adds to its part.
template <class Make>
Column make_masks(std::size_t rows, unsigned threads, Make&& make) {
  std::vector<MaskPart> parts((rows + rows_at_once - 1) / rows_at_once);
  each_row(rows, threads, [&](std::size_t block, std::size_t row) { make(parts[block], row); });
  return join_masks(parts);
}

}  // namespace maskcodec
