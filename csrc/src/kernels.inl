// One instruction level of the kernels. The including file defines MC_LEVEL (a namespace name), MC_TARGET (a function
// attribute or nothing), MC_WIDE (pixels per uniform test) and the four primitives nz64, any_nonzero, any_zero, ctz64.
// No standard templates are used here, so that no code of one level can be merged into another by the linker.

namespace maskcodec {
namespace MC_LEVEL {

MC_TARGET static inline std::uint64_t nz_tail(const std::uint8_t* p, std::size_t n) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < n; ++i) bits |= static_cast<std::uint64_t>(p[i] != 0) << i;
  return bits;
}

MC_TARGET static void row_bits(const std::uint8_t* row, std::size_t width, std::uint64_t* bits) {
  const std::size_t words = width / 64;
  for (std::size_t i = 0; i < words; ++i) bits[i] = nz64(row + 64 * i);
  if (width % 64) bits[words] = nz_tail(row + 64 * words, width % 64);
}

MC_TARGET static inline std::size_t emit_columns(std::uint64_t d, std::uint32_t first, std::uint32_t* events,
                                                 std::uint32_t* per_column, std::size_t n) {
  while (d) {
    const std::uint32_t x = first + static_cast<std::uint32_t>(ctz64(d));
    events[n++] = x;
    ++per_column[x];
    d &= d - 1;
  }
  return n;
}

MC_TARGET static std::size_t row_xor(const std::uint8_t* row, std::size_t width, std::uint64_t* above,
                                     std::uint32_t* events, std::uint32_t* per_column) {
  const std::size_t words = width / 64;
  constexpr std::size_t group = MC_WIDE / 64;
  std::size_t n = 0;
  std::size_t i = 0;
  for (; i + group <= words; i += group) {
    // Uniform under uniform is by far the commonest case, and cheaper to see than its bits are to collect.
    std::uint64_t any = 0, all = ~std::uint64_t{0};
    for (std::size_t j = 0; j < group; ++j) {
      any |= above[i + j];
      all &= above[i + j];
    }
    if (any == 0 ? !any_nonzero(row + 64 * i) : all == ~std::uint64_t{0} && !any_zero(row + 64 * i)) continue;
    for (std::size_t j = i; j < i + group; ++j) {
      const std::uint64_t b = nz64(row + 64 * j);
      const std::uint64_t d = b ^ above[j];
      if (d) {
        above[j] = b;
        n = emit_columns(d, static_cast<std::uint32_t>(64 * j), events, per_column, n);
      }
    }
  }
  for (; i * 64 < width; ++i) {
    const std::uint64_t b = i < words ? nz64(row + 64 * i) : nz_tail(row + 64 * i, width % 64);
    const std::uint64_t d = b ^ above[i];
    if (d) {
      above[i] = b;
      n = emit_columns(d, static_cast<std::uint32_t>(64 * i), events, per_column, n);
    }
  }
  return n;
}

MC_TARGET static std::size_t line_toggles(const std::uint8_t* line, std::size_t n, std::uint32_t base, unsigned* state,
                                          std::uint32_t* out) {
  std::uint64_t carry = *state;
  std::size_t found = 0;
  std::size_t i = 0;
  const std::size_t whole = n - n % 64;
  while (i < whole) {
    // Uniform stretches first: most of a mask is one.
    if (carry) {
      while (i + MC_WIDE <= whole && !any_zero(line + i)) i += MC_WIDE;
    } else {
      while (i + MC_WIDE <= whole && !any_nonzero(line + i)) i += MC_WIDE;
    }
    const std::size_t stop = i + MC_WIDE < whole ? i + MC_WIDE : whole;
    for (; i < stop; i += 64) {
      const std::uint64_t bits = nz64(line + i);
      std::uint64_t d = bits ^ ((bits << 1) | carry);
      carry = bits >> 63;
      const std::uint32_t at = base + static_cast<std::uint32_t>(i);
      while (d) {
        out[found++] = at + static_cast<std::uint32_t>(ctz64(d));
        d &= d - 1;
      }
    }
  }
  if (i < n) {
    const std::size_t rest = n - i;
    const std::uint64_t bits = nz_tail(line + i, rest);
    std::uint64_t d = (bits ^ ((bits << 1) | carry)) & ((std::uint64_t{1} << rest) - 1);
    carry = (bits >> (rest - 1)) & 1;
    const std::uint32_t at = base + static_cast<std::uint32_t>(i);
    while (d) {
      out[found++] = at + static_cast<std::uint32_t>(ctz64(d));
      d &= d - 1;
    }
  }
  *state = static_cast<unsigned>(carry);
  return found;
}

extern const Kernels table;
const Kernels table = {row_bits, row_xor, line_toggles};

}  // namespace MC_LEVEL
}  // namespace maskcodec
