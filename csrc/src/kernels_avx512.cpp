// AVX-512 (byte and word instructions) with function-level target attributes; empty where there is no such thing.
#include "maskcodec/kernels.hpp"

#if (defined(__x86_64__) || defined(_M_X64)) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>

#define MC_LEVEL avx512
#define MC_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,bmi,bmi2")))
#define MC_WIDE 512

namespace maskcodec {
namespace avx512 {

MC_TARGET static inline unsigned ctz64(std::uint64_t v) { return static_cast<unsigned>(__builtin_ctzll(v)); }
MC_TARGET static inline __m512i load(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
MC_TARGET static inline std::uint64_t nz64(const std::uint8_t* p) {
  const __m512i v = load(p);
  return _mm512_test_epi8_mask(v, v);
}
MC_TARGET static inline bool any_nonzero(const std::uint8_t* p) {
  __m512i v = load(p);
  for (int i = 64; i < MC_WIDE; i += 64) v = _mm512_or_si512(v, load(p + i));
  return _mm512_test_epi8_mask(v, v) != 0;
}
MC_TARGET static inline bool any_zero(const std::uint8_t* p) {
  __m512i v = load(p);
  for (int i = 64; i < MC_WIDE; i += 64) v = _mm512_min_epu8(v, load(p + i));
  return _mm512_testn_epi8_mask(v, v) != 0;
}
MC_TARGET static inline std::uint64_t ne64(const std::uint8_t* p, const std::uint8_t* q) {
  return _mm512_cmpneq_epi8_mask(load(p), load(q));
}
MC_TARGET static inline bool any_different(const std::uint8_t* p, const std::uint8_t* q) {
  __m512i v = _mm512_xor_si512(load(p), load(q));
  for (int i = 64; i < MC_WIDE; i += 64) v = _mm512_or_si512(v, _mm512_xor_si512(load(p + i), load(q + i)));
  return _mm512_test_epi8_mask(v, v) != 0;
}

}  // namespace avx512
}  // namespace maskcodec

#include "kernels.inl"
#endif
