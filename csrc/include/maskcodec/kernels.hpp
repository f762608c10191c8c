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
  // Toggle positions (base + i where pixel i differs from pixel i - 1, `state` being the pixel before the first) of a
  // line of n pixels; room for n of them. Updates `state`, returns how many.
  std::size_t (*line_toggles)(const std::uint8_t* line, std::size_t n, std::uint32_t base, unsigned* state,
                              std::uint32_t* out);
};

// The table of the level in use.
const Kernels& kernels() noexcept;

}  // namespace maskcodec
