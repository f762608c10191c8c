// AVX-512 (byte and word instructions) with function-level target attributes; empty where there is no such thing.
#include <cstring>

#include "maskcodec/kernels.hpp"

#if (defined(__x86_64__) || defined(_M_X64)) && (defined(__GNUC__) || defined(__clang__))
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 says so of its own headers
#endif
#include <immintrin.h>

#define MC_LEVEL avx512
#define MC_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,bmi,bmi2,popcnt")))
#define MC_WIDE 512

namespace maskcodec {
namespace avx512 {

MC_TARGET static inline unsigned ctz64(std::uint64_t v) { return static_cast<unsigned>(__builtin_ctzll(v)); }
MC_TARGET static inline __m512i load(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
MC_TARGET static inline std::uint64_t nz64(const std::uint8_t* p) {
  const __m512i v = load(p);
  return _mm512_test_epi8_mask(v, v);
}
// What a scan reads next. The hardware sees such streams too, but stops at every page (measured: 1.15 times as fast with it).
MC_TARGET static inline void ahead(const std::uint8_t* p) {
  for (int i = 0; i < MC_WIDE; i += 64) _mm_prefetch(reinterpret_cast<const char*>(p + i + 4096), _MM_HINT_T0);
}
MC_TARGET static inline bool any_nonzero(const std::uint8_t* p) {
  ahead(p);
  __m512i v = load(p);
  for (int i = 64; i < MC_WIDE; i += 64) v = _mm512_or_si512(v, load(p + i));
  return _mm512_test_epi8_mask(v, v) != 0;
}
MC_TARGET static inline bool any_zero(const std::uint8_t* p) {
  ahead(p);
  __m512i v = load(p);
  for (int i = 64; i < MC_WIDE; i += 64) v = _mm512_min_epu8(v, load(p + i));
  return _mm512_testn_epi8_mask(v, v) != 0;
}
MC_TARGET static inline std::uint64_t ne64(const std::uint8_t* p, const std::uint8_t* q) {
  return _mm512_cmpneq_epi8_mask(load(p), load(q));
}
MC_TARGET static inline bool any_different(const std::uint8_t* p, const std::uint8_t* q) {
  ahead(p);
  __m512i v = _mm512_xor_si512(load(p), load(q));
  for (int i = 64; i < MC_WIDE; i += 64) v = _mm512_or_si512(v, _mm512_xor_si512(load(p + i), load(q + i)));
  return _mm512_test_epi8_mask(v, v) != 0;
}

#define MC_WORDS_WIDE 1
MC_TARGET static inline bool words_are(const std::uint64_t* words, std::uint64_t value) {
  return _mm512_cmpneq_epi64_mask(_mm512_loadu_si512(words), _mm512_set1_epi64(static_cast<long long>(value))) == 0;
}

// The positions of elements of 4 or 8 bytes that differ, without a branch on what is found. Writes up to 16 numbers too many.
#define MC_DIFFER_WIDE 1
MC_TARGET static inline std::size_t differ_wide(const std::uint8_t* p, const std::uint8_t* q, std::uint32_t first,
                                                unsigned shift, std::uint32_t* out, std::size_t n) {
  __m512i place = _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                   _mm512_set1_epi32(static_cast<int>(first)));
  const int step = shift == 2 ? 16 : 8;
  for (int i = 0; i < MC_WIDE; i += 64) {
    const __mmask16 d = shift == 2 ? _mm512_cmpneq_epi32_mask(load(p + i), load(q + i))
                                   : static_cast<__mmask16>(_mm512_cmpneq_epi64_mask(load(p + i), load(q + i)));
    _mm512_storeu_si512(out + n, _mm512_maskz_compress_epi32(d, place));
    n += static_cast<std::size_t>(__builtin_popcount(d));
    place = _mm512_add_epi32(place, _mm512_set1_epi32(step));
  }
  return n;
}

#define MC_EMIT_WIDE 1
MC_TARGET static inline bool many_bits(std::uint64_t d) { return __builtin_popcountll(d) > 3; }
// Positions of bits without a branch on them; writes up to 16 numbers too many.
MC_TARGET static inline std::size_t emit_wide(std::uint64_t d, std::uint32_t base, std::uint32_t* out, std::size_t n) {
  __m512i place = _mm512_add_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                   _mm512_set1_epi32(static_cast<int>(base)));
  for (int i = 0; i < 4; ++i, d >>= 16) {
    _mm512_storeu_si512(out + n, _mm512_maskz_compress_epi32(static_cast<__mmask16>(d), place));
    n += static_cast<std::size_t>(__builtin_popcount(static_cast<unsigned>(d & 0xFFFFu)));
    place = _mm512_add_epi32(place, _mm512_set1_epi32(16));
  }
  return n;
}
#define MC_FILL_WIDE 1
MC_TARGET static inline void fill_bytes(std::uint8_t* out, std::size_t size, const std::uint8_t* pattern) {
  const __m512i v = load(pattern);
  for (; size > 64; size -= 64, out += 64) _mm512_storeu_si512(out, v);
  _mm512_mask_storeu_epi8(out, _bzhi_u64(~std::uint64_t{0}, static_cast<unsigned>(size)), v);
}
// Bits [shift, shift + n), n <= 448, of eight words at once.
MC_TARGET static inline void paint_wide(std::uint64_t* p, unsigned shift, std::uint64_t n) {
  const __m512i ones = _mm512_set1_epi64(-1);
  const __m512i head = _mm512_mask_sll_epi64(ones, 1, ones, _mm_cvtsi32_si128(static_cast<int>(shift)));
  const __m512i ends = _mm512_setr_epi64(64, 128, 192, 256, 320, 384, 448, 512);
  const __m512i over = _mm512_sub_epi64(ends, _mm512_set1_epi64(static_cast<long long>(shift + n)));
  const __m512i tail = _mm512_srlv_epi64(ones, _mm512_max_epi64(over, _mm512_setzero_si512()));
  _mm512_storeu_si512(p, _mm512_or_si512(_mm512_loadu_si512(p), _mm512_and_si512(head, tail)));
}

}  // namespace avx512
}  // namespace maskcodec

#include "kernels.inl"

#define MC_VBMI2 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vbmi,avx512vbmi2,bmi,bmi2,lzcnt,popcnt")))

namespace maskcodec {
namespace avx512 {

MC_VBMI2 static std::size_t read_counts(const char* text, std::uint64_t ends, std::uint32_t* last, std::uint32_t* out,
                                        std::uint64_t* total) {
  if (ends == 0 || (last[0] | last[1]) >> 30) return 0;
  const std::uint64_t more = ~ends & (~std::uint64_t{0} >> _lzcnt_u64(ends));
  if (more & (more >> 1) & (more >> 2)) return 0;
  const auto n = static_cast<std::size_t>(_mm_popcnt_u64(ends));
  alignas(64) static constexpr std::uint8_t count[64] = {
      0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
      32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
  const __m512i iota = _mm512_load_si512(count), one8 = _mm512_set1_epi8(1);
  const __m512i digits = _mm512_sub_epi8(_mm512_loadu_si512(text), _mm512_set1_epi8(48));
  // Positions of the last and the first character of every number.
  const __m512i stop = _mm512_maskz_compress_epi8(ends, iota);
  const __m512i start =
      _mm512_maskz_add_epi8(~std::uint64_t{1}, _mm512_permutexvar_epi8(_mm512_sub_epi8(iota, one8), stop), one8);
  // Bytes 4k .. 4k + 3 of a group belong to number k of the group.
  const __m512i lane = _mm512_and_si512(_mm512_srli_epi16(iota, 2), _mm512_set1_epi8(15));
  const __m512i offset = _mm512_and_si512(iota, _mm512_set1_epi8(3));
  const __m512i zero = _mm512_setzero_si512();
  __m512i base = _mm512_set1_epi64(static_cast<long long>(last[0] | std::uint64_t{last[1]} << 32));
  __m512i sum = zero;
  __mmask16 negative = 0;
  for (std::size_t g = 0; g < n; g += 16) {
    const __m512i which = _mm512_add_epi8(lane, _mm512_set1_epi8(static_cast<char>(g)));
    const __m512i from = _mm512_permutexvar_epi8(which, start), to = _mm512_permutexvar_epi8(which, stop);
    const __m512i place = _mm512_add_epi8(from, offset);
    const __mmask64 valid = _mm512_cmple_epu8_mask(place, to);
    const __m512i bytes = _mm512_and_si512(_mm512_maskz_permutexvar_epi8(valid, place, digits), _mm512_set1_epi8(31));
    const __m512i pairs = _mm512_maddubs_epi16(bytes, _mm512_set1_epi16(0x2001));          // + 32 * second
    const __m512i value = _mm512_madd_epi16(pairs, _mm512_set1_epi32(0x04000001));         // + 1024 * third
    const __m512i extra = _mm512_and_si512(_mm512_sub_epi8(to, from), _mm512_set1_epi32(3));  // characters after the first
    const __m512i sign = _mm512_sllv_epi32(_mm512_set1_epi32(16),
                                           _mm512_add_epi32(extra, _mm512_slli_epi32(extra, 2)));
    __m512i x = _mm512_sub_epi32(_mm512_xor_si512(value, sign), sign);
    x = _mm512_add_epi32(x, _mm512_alignr_epi32(x, zero, 14));
    x = _mm512_add_epi32(x, _mm512_alignr_epi32(x, zero, 12));
    x = _mm512_add_epi32(x, _mm512_alignr_epi32(x, zero, 8));
    x = _mm512_add_epi32(x, base);
    _mm512_storeu_si512(out + g, x);
    base = _mm512_permutexvar_epi64(_mm512_set1_epi64(7), x);
    const std::size_t rest = n - g;
    const auto live = static_cast<__mmask16>(rest >= 16 ? 0xFFFFu : (1u << rest) - 1u);
    negative = static_cast<__mmask16>(negative | (_mm512_movepi32_mask(x) & live));
    const __m512i kept = _mm512_maskz_mov_epi32(live, x);
    sum = _mm512_add_epi64(sum, _mm512_add_epi64(_mm512_srli_epi64(kept, 32),
                                                 _mm512_and_si512(kept, _mm512_set1_epi64(0xFFFFFFFFll))));
  }
  if (negative) return 0;
  *total += static_cast<std::uint64_t>(_mm512_reduce_add_epi64(sum));
  last[0] = n == 1 ? last[1] : out[n - 2];
  last[1] = out[n - 1];
  return n;
}

MC_VBMI2 static char* write_counts(const std::uint32_t* runs, std::size_t n, char* out, std::size_t* done) {
  std::size_t i = 0;
  for (; i < n; i += 16) {
    const __m512i x = _mm512_sub_epi32(_mm512_loadu_si512(runs + i), _mm512_loadu_si512(runs + i - 2));
    // Runs from 2^31 on are left to the caller: only their differences could leave 32 bits.
    const __mmask16 big = _mm512_cmpge_epu32_mask(_mm512_add_epi32(x, _mm512_set1_epi32(16384)), _mm512_set1_epi32(32768));
    const __mmask16 huge = _mm512_movepi32_mask(_mm512_loadu_si512(runs + i)) |
                           _mm512_movepi32_mask(_mm512_loadu_si512(runs + i - 2));
    if (big | huge) break;
    const __mmask16 two = _mm512_cmpge_epu32_mask(_mm512_add_epi32(x, _mm512_set1_epi32(16)), _mm512_set1_epi32(32));
    const __mmask16 three = _mm512_cmpge_epu32_mask(_mm512_add_epi32(x, _mm512_set1_epi32(512)), _mm512_set1_epi32(1024));
    __m512i text = _mm512_and_si512(x, _mm512_set1_epi32(31));
    text = _mm512_or_si512(text, _mm512_and_si512(_mm512_slli_epi32(x, 3), _mm512_set1_epi32(0x1F00)));
    text = _mm512_or_si512(text, _mm512_and_si512(_mm512_slli_epi32(x, 6), _mm512_set1_epi32(0x1F0000)));
    text = _mm512_mask_or_epi32(text, two, text, _mm512_set1_epi32(0x20));
    text = _mm512_mask_or_epi32(text, three, text, _mm512_set1_epi32(0x2000));
    text = _mm512_add_epi8(text, _mm512_set1_epi8(48));
    __m512i used = _mm512_set1_epi32(0x80);
    used = _mm512_mask_or_epi32(used, two, used, _mm512_set1_epi32(0x8000));
    used = _mm512_mask_or_epi32(used, three, used, _mm512_set1_epi32(0x800000));
    const __mmask64 keep = _mm512_movepi8_mask(used);
    _mm512_storeu_si512(out, _mm512_maskz_compress_epi8(keep, text));
    out += _mm_popcnt_u64(keep);
  }
  *done = i;
  return out;
}

extern const CountsKernels counts_table;
const CountsKernels counts_table = {read_counts, write_counts};

}  // namespace avx512
}  // namespace maskcodec
#endif
