// The few loops over pixels that are compiled once for each instruction level (csrc/src/kernels.inl).
#pragma once
#include <cstddef>
#include <cstdint>

namespace maskcodec {

struct Kernels {
  // bits[i] of the row: pixel i is not zero. Writes (width + 63) / 64 words, unused bits are 0.
  void (*row_bits)(const std::uint8_t* row, std::size_t width, std::uint64_t* bits);
  // Compares a row with the bits of the row above, which it replaces; appends the columns that differ to `events`
  // (room for `width` more) and counts them per column. Returns how many.
  std::size_t (*row_xor)(const std::uint8_t* row, std::size_t width, std::uint64_t* above, std::uint32_t* events,
                         std::uint32_t* per_column);
  // How many pixels at the start are zero, as far as it is cheap to say: at least all but MC_WIDE (512 at most) of them.
  std::size_t (*zeros)(const std::uint8_t* pixels, std::size_t n);
  // Positions base + i of the bits i that are set in n words; room for 64 n + 16. Returns how many.
  std::size_t (*bit_positions)(const std::uint64_t* words, std::size_t n, std::uint32_t base, std::uint32_t* out);
  // Sets the bits of every second run, the first of which starts at bit `at`; 8 words more than are set may be touched.
  void (*paint_runs)(const std::uint32_t* runs, std::size_t n, std::uint64_t at, std::uint64_t* words);
  // Fills every second of n runs (elements of 1 << shift bytes, the first one is passed over) with the element that the 64
  // bytes of `pattern` repeat. Nothing else is touched.
  void (*fill_runs)(const std::uint32_t* runs, std::size_t n, unsigned shift, const std::uint8_t* pattern,
                    std::uint8_t* out);
  // Toggle positions (base + i where pixel i differs from pixel i - 1, `state` being the pixel before the first) of a
  // line of n pixels; room for n + 16 of them. Updates `state`, returns how many.
  std::size_t (*line_toggles)(const std::uint8_t* line, std::size_t n, std::uint32_t base, unsigned* state,
                              std::uint32_t* out);
  // Compares two rows of `items` elements of 1 << shift bytes; writes the columns that differ, returns how many. `out` has
  // room for items + 16.
  std::size_t (*rows_differ)(const std::uint8_t* a, const std::uint8_t* b, std::size_t items, unsigned shift,
                             std::uint32_t* out);
  // Pixels that spans [start_a, end_a) and [start_b, end_b) share, column by column, added up.
  std::uint32_t (*column_overlap)(const std::int16_t* start_a, const std::int16_t* end_a, const std::int16_t* start_b,
                                  const std::int16_t* end_b, std::size_t n);
  // Bit j of `bits`: box j, corners in four arrays of a multiple of 64 elements, meets the box given by its corners.
  void (*boxes_meet)(const std::uint32_t* x0, const std::uint32_t* y0, const std::uint32_t* x1, const std::uint32_t* y1,
                     std::size_t n, const std::uint32_t* corners, std::uint64_t* bits);
  // IoU of n boxes with one: corners and areas in five arrays, and in the five numbers of `box`.
  void (*box_iou)(const double* x0, const double* y0, const double* x1, const double* y1, const double* area,
                  std::size_t n, const double* box, bool crowd, double* out);
  // out[i] = (in[i] & keep) | set; returns all bits of `in` together.
  std::uint32_t (*mask_words)(const std::uint32_t* in, std::size_t n, std::uint32_t keep, std::uint32_t set,
                              std::uint32_t* out);
};

// The table of the level in use.
const Kernels& kernels() noexcept;

// Compressed counts, where the level in use has byte compression (AVX-512 VBMI2); null pointers elsewhere.
struct CountsKernels {
  // Reads the numbers that end in 64 characters of the alphabet, bit i of `ends` set where character i ends one, and adds
  // up differences to `last` (the two runs before, which it replaces). Writes runs (room for 80), adds them to `total`,
  // returns how many; 0 and nothing changed when a number has more than three characters, a run would be negative, or one
  // of `last` is 2^30 or more.
  std::size_t (*read)(const char* text, std::uint64_t ends, std::uint32_t* last, std::uint32_t* out,
                      std::uint64_t* total);
  // Writes the text of runs[0..n), n a multiple of 16 and runs[-2], runs[-1] readable, as differences to the runs two
  // before. Returns the end of the text and in `done` how many runs it holds: less than n where a difference needs more
  // than three characters. Room for 7 characters a run.
  char* (*write)(const std::uint32_t* runs, std::size_t n, char* out, std::size_t* done);
};
const CountsKernels& counts_kernels() noexcept;

}  // namespace maskcodec
