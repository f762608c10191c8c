// One instruction level of the kernels. The including file defines MC_LEVEL (a namespace name), MC_TARGET (a function
// attribute or nothing), MC_WIDE (bytes per uniform test) and the primitives nz64, any_nonzero, any_zero, ne64,
// any_different, ctz64. Loops without primitives are plain: compilers turn them into vectors of each level.
// No standard templates are used here, so that no code of one level can be merged into another by the linker.

namespace maskcodec {
namespace MC_LEVEL {

// The bits of the last n < 64 pixels of a row that starts `before` pixels earlier.
MC_TARGET static inline std::uint64_t nz_tail(const std::uint8_t* p, std::size_t n, std::size_t before) {
  if (before + n >= 64) return nz64(p + n - 64) >> (64 - n);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < n; ++i) bits |= static_cast<std::uint64_t>(p[i] != 0) << i;
  return bits;
}

// Writes base + i for every bit i of `d`; returns the new count.
MC_TARGET static inline std::size_t emit_bits(std::uint64_t d, std::uint32_t base, std::uint32_t* out, std::size_t n) {
#ifdef MC_EMIT_WIDE
  if (many_bits(d)) return emit_wide(d, base, out, n);
#endif
  while (d) {
    out[n++] = base + static_cast<std::uint32_t>(ctz64(d));
    d &= d - 1;
  }
  return n;
}

MC_TARGET static std::size_t bit_positions(const std::uint64_t* words, std::size_t n, std::uint32_t base,
                                           std::uint32_t* out) {
  std::size_t found = 0;
  for (std::size_t i = 0; i < n; ++i) found = emit_bits(words[i], base + static_cast<std::uint32_t>(64 * i), out, found);
  return found;
}

MC_TARGET static inline void paint_span(std::uint64_t* words, std::uint64_t a, std::uint64_t n) {
  std::uint64_t* p = words + a / 64;
  const unsigned shift = static_cast<unsigned>(a % 64);
  if (n <= 64) {  // two words at most, without asking whether it is two
    const std::uint64_t bits = ~std::uint64_t{0} >> (64 - n);
    p[0] |= bits << shift;
    p[1] |= bits >> 1 >> (63 - shift);
    return;
  }
#ifdef MC_EMIT_WIDE
  if (n <= 448) {
    paint_wide(p, shift, n);
    return;
  }
#endif
  const std::uint64_t last = (shift + n - 1) / 64;
  p[0] |= ~std::uint64_t{0} << shift;
  for (std::uint64_t k = 1; k < last; ++k) p[k] = ~std::uint64_t{0};
  p[last] |= ~std::uint64_t{0} >> (63 - (shift + n - 1) % 64);
}

MC_TARGET static void paint_runs(const std::uint32_t* runs, std::size_t n, std::uint64_t at, std::uint64_t* words) {
  for (std::size_t i = 0; i < n; i += 2) {
    if (runs[i] != 0) paint_span(words, at, runs[i]);
    at += runs[i];
    if (i + 1 < n) at += runs[i + 1];
  }
}

#ifndef MC_FILL_WIDE
template <int N>
MC_TARGET static inline void store16(std::uint8_t* out, const std::uint8_t* pattern) {
  for (int i = 0; i < N; ++i) std::memcpy(out + 16 * i, pattern, 16);
}

// Stores of one width that may overlap, the last one ending with the span: how many follows from the power of two of the
// size, which neighbouring spans mostly share.
MC_TARGET static inline void fill_bytes(std::uint8_t* out, std::size_t size, const std::uint8_t* pattern) {
  std::uint8_t* const end = out + size;
  if (size > 64) {
    for (; out + 64 < end; out += 64) store16<4>(out, pattern);
    store16<4>(end - 64, pattern);
  } else if (size > 32) {
    store16<2>(out, pattern);
    store16<2>(end - 32, pattern);
  } else if (size >= 16) {
    store16<1>(out, pattern);
    store16<1>(end - 16, pattern);
  } else if (size >= 8) {
    std::memcpy(out, pattern, 8);
    std::memcpy(end - 8, pattern, 8);
  } else {
    for (std::size_t i = 0; i < size; ++i) out[i] = pattern[i];
  }
}
#endif

MC_TARGET static void fill_runs(const std::uint32_t* runs, std::size_t n, unsigned shift, const std::uint8_t* pattern,
                                std::uint8_t* out) {
  for (std::size_t i = 0; i + 1 < n; i += 2) {
    out += std::size_t{runs[i]} << shift;
    const std::size_t size = std::size_t{runs[i + 1]} << shift;
    fill_bytes(out, size, pattern);
    out += size;
  }
}

MC_TARGET static std::size_t zeros(const std::uint8_t* pixels, std::size_t n) {
  std::size_t i = 0;
  while (i + MC_WIDE <= n && !any_nonzero(pixels + i)) i += MC_WIDE;
  return i;
}

MC_TARGET static void row_bits(const std::uint8_t* row, std::size_t width, std::uint64_t* bits) {
  const std::size_t words = width / 64;
  for (std::size_t i = 0; i < words; ++i) bits[i] = nz64(row + 64 * i);
  if (width % 64) bits[words] = nz_tail(row + 64 * words, width % 64, 64 * words);
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

#ifndef MC_WORDS_WIDE
// Whether the words of MC_WIDE pixels are all `value`.
MC_TARGET static inline bool words_are(const std::uint64_t* words, std::uint64_t value) {
  std::uint64_t other = 0;
  for (std::size_t j = 0; j < MC_WIDE / 64; ++j) other |= words[j] ^ value;
  return other == 0;
}
#endif

MC_TARGET static std::size_t row_xor(const std::uint8_t* row, std::size_t width, std::uint64_t* above,
                                     std::uint32_t* events, std::uint32_t* per_column) {
  const std::size_t words = width / 64;
  constexpr std::size_t group = MC_WIDE / 64;
  std::size_t n = 0;
  std::size_t i = 0;
  for (; i + group <= words; i += group) {
    // Uniform under uniform is by far the commonest case, and cheaper to see than its bits are to collect.
    if (words_are(above + i, 0) ? !any_nonzero(row + 64 * i)
                                : words_are(above + i, ~std::uint64_t{0}) && !any_zero(row + 64 * i))
      continue;
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
    const std::uint64_t b = i < words ? nz64(row + 64 * i) : nz_tail(row + 64 * i, width % 64, 64 * i);
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
      const std::uint64_t d = bits ^ ((bits << 1) | carry);
      carry = bits >> 63;
      found = emit_bits(d, base + static_cast<std::uint32_t>(i), out, found);
    }
  }
  if (i < n) {
    const std::size_t rest = n - i;
    const std::uint64_t bits = nz_tail(line + i, rest, i);
    const std::uint64_t d = (bits ^ ((bits << 1) | carry)) & ((std::uint64_t{1} << rest) - 1);
    carry = (bits >> (rest - 1)) & 1;
    found = emit_bits(d, base + static_cast<std::uint32_t>(i), out, found);
  }
  *state = static_cast<unsigned>(carry);
  return found;
}

MC_TARGET static inline std::size_t emit_items(std::uint64_t d, std::uint32_t first, unsigned shift, std::uint32_t* out,
                                               std::size_t n) {
  // One flag an element: the flags of its bytes together, in the lowest.
  if (shift > 0) d |= d >> 1;
  if (shift > 1) d |= d >> 2;
  if (shift > 2) d |= d >> 4;
  d &= shift == 0 ? ~std::uint64_t{0} : shift == 1 ? 0x5555555555555555ull : shift == 2 ? 0x1111111111111111ull
                                                                                      : 0x0101010101010101ull;
  while (d) {
    out[n++] = first + (static_cast<std::uint32_t>(ctz64(d)) >> shift);
    d &= d - 1;
  }
  return n;
}

MC_TARGET static std::size_t rows_differ(const std::uint8_t* a, const std::uint8_t* b, std::size_t items, unsigned shift,
                                         std::uint32_t* out) {
  const std::size_t bytes = items << shift;
  std::size_t n = 0, i = 0;
  for (; i + MC_WIDE <= bytes; i += MC_WIDE) {
    if (!any_different(a + i, b + i)) continue;
#ifdef MC_DIFFER_WIDE
    if (shift >= 2) {
      n = differ_wide(a + i, b + i, static_cast<std::uint32_t>(i >> shift), shift, out, n);
      continue;
    }
#endif
    for (std::size_t j = i; j < i + MC_WIDE; j += 64) {
      const std::uint64_t d = ne64(a + j, b + j);
      if (d) n = emit_items(d, static_cast<std::uint32_t>(j >> shift), shift, out, n);
    }
  }
  for (; i + 64 <= bytes; i += 64) {
    const std::uint64_t d = ne64(a + i, b + i);
    if (d) n = emit_items(d, static_cast<std::uint32_t>(i >> shift), shift, out, n);
  }
  std::uint64_t d = 0;
  for (std::size_t j = i; j < bytes; ++j) d |= static_cast<std::uint64_t>(a[j] != b[j]) << (j - i);
  return d ? emit_items(d, static_cast<std::uint32_t>(i >> shift), shift, out, n) : n;
}

MC_TARGET static std::uint32_t column_overlap(const std::int16_t* start_a, const std::int16_t* end_a,
                                              const std::int16_t* start_b, const std::int16_t* end_b, std::size_t n) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int16_t from = start_a[i] > start_b[i] ? start_a[i] : start_b[i];
    const std::int16_t to = end_a[i] < end_b[i] ? end_a[i] : end_b[i];
    const std::int16_t both = static_cast<std::int16_t>(to - from);
    sum += static_cast<std::uint32_t>(both > 0 ? both : 0);
  }
  return sum;
}

MC_TARGET static void boxes_meet(const std::uint32_t* x0, const std::uint32_t* y0, const std::uint32_t* x1,
                                 const std::uint32_t* y1, std::size_t n, const std::uint32_t* corners,
                                 std::uint64_t* bits) {
  const std::uint32_t ax0 = corners[0], ay0 = corners[1], ax1 = corners[2], ay1 = corners[3];
  for (std::size_t i = 0; i < n; i += 64) {
    std::uint8_t meet[64];
    for (std::size_t j = 0; j < 64; ++j)
      meet[j] = static_cast<std::uint8_t>((x0[i + j] < ax1) & (ax0 < x1[i + j]) & (y0[i + j] < ay1) & (ay0 < y1[i + j]));
    bits[i / 64] = nz64(meet);
  }
}

// The order of operations is that of the reference, so results are equal to the last bit.
MC_TARGET static void box_iou(const double* x0, const double* y0, const double* x1, const double* y1, const double* area,
                              std::size_t n, const double* box, bool crowd, double* out) {
  const double bx0 = box[0], by0 = box[1], bx1 = box[2], by1 = box[3], b_area = box[4];
  if (crowd) {
    for (std::size_t i = 0; i < n; ++i) {
      const double w = (x1[i] < bx1 ? x1[i] : bx1) - (x0[i] > bx0 ? x0[i] : bx0);
      const double h = (y1[i] < by1 ? y1[i] : by1) - (y0[i] > by0 ? y0[i] : by0);
      const double ratio = w * h / area[i];
      const double value = w <= 0 ? 0.0 : ratio;
      out[i] = h <= 0 ? 0.0 : value;
    }
  } else {
    for (std::size_t i = 0; i < n; ++i) {
      const double w = (x1[i] < bx1 ? x1[i] : bx1) - (x0[i] > bx0 ? x0[i] : bx0);
      const double h = (y1[i] < by1 ? y1[i] : by1) - (y0[i] > by0 ? y0[i] : by0);
      const double both = w * h;
      const double ratio = both / (area[i] + b_area - both);
      const double value = w <= 0 ? 0.0 : ratio;
      out[i] = h <= 0 ? 0.0 : value;
    }
  }
}

MC_TARGET static std::uint32_t mask_words(const std::uint32_t* in, std::size_t n, std::uint32_t keep, std::uint32_t set,
                                          std::uint32_t* out) {
  std::uint32_t any = 0;
  std::size_t i = 0;
  for (; i < n && reinterpret_cast<std::uintptr_t>(out + i) % 64 != 0; ++i) {  // whole lines are written faster
    any |= in[i];
    out[i] = (in[i] & keep) | set;
  }
  for (; i < n; ++i) {
    any |= in[i];
    out[i] = (in[i] & keep) | set;
  }
  return any;
}

extern const Kernels table;
const Kernels table = {row_bits,    row_xor,        zeros,         bit_positions, paint_runs, fill_runs, line_toggles,
                       rows_differ, column_overlap, boxes_meet,    box_iou,    mask_words};

}  // namespace MC_LEVEL
}  // namespace maskcodec
