// Baseline: SSE2 on x86-64, NEON on AArch64, plain 64-bit words elsewhere.
#include <cstring>

#include "maskcodec/kernels.hpp"

#if defined(__SSE2__) || defined(_M_X64)
#include <emmintrin.h>
#define MC_SSE2 1
#elif defined(__aarch64__) || defined(_M_ARM64)
#include <arm_neon.h>
#define MC_NEON 1
#endif
#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace maskcodec {
namespace baseline {

static inline unsigned ctz64(std::uint64_t v) {
#if defined(_MSC_VER)
  unsigned long at;
  _BitScanForward64(&at, v);
  return at;
#else
  return static_cast<unsigned>(__builtin_ctzll(v));
#endif
}

#if MC_SSE2
static inline std::uint64_t zero16(const std::uint8_t* p) {
  const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128()))));
}
static inline std::uint64_t nz64(const std::uint8_t* p) {
  return ~(zero16(p) | (zero16(p + 16) << 16) | (zero16(p + 32) << 32) | (zero16(p + 48) << 48));
}
#define MC_WIDE 256
static inline bool any_nonzero(const std::uint8_t* p) {
  __m128i v = _mm_setzero_si128();
  for (int i = 0; i < MC_WIDE; i += 16) v = _mm_or_si128(v, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i)));
  return _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128())) != 0xFFFF;
}
static inline bool any_zero(const std::uint8_t* p) {
  __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  for (int i = 16; i < MC_WIDE; i += 16) v = _mm_min_epu8(v, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i)));
  return _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128())) != 0;
}
static inline std::uint64_t same16(const std::uint8_t* p, const std::uint8_t* q) {
  const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(q));
  return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(a, b))));
}
static inline std::uint64_t ne64(const std::uint8_t* p, const std::uint8_t* q) {
  return ~(same16(p, q) | (same16(p + 16, q + 16) << 16) | (same16(p + 32, q + 32) << 32) |
           (same16(p + 48, q + 48) << 48));
}
static inline bool any_different(const std::uint8_t* p, const std::uint8_t* q) {
  __m128i v = _mm_setzero_si128();
  for (int i = 0; i < MC_WIDE; i += 16)
    v = _mm_or_si128(v, _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i)),
                                      _mm_loadu_si128(reinterpret_cast<const __m128i*>(q + i))));
  return _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128())) != 0xFFFF;
}
#elif MC_NEON
// The bits of 64 flags that are 0 or 255.
static inline std::uint64_t pack64(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
  // Give each flag its bit, then add neighbours three times: 64 flags end up in 8 bytes.
  const uint8x16_t bit = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t ab = vpaddq_u8(vandq_u8(a, bit), vandq_u8(b, bit));
  const uint8x16_t cd = vpaddq_u8(vandq_u8(c, bit), vandq_u8(d, bit));
  const uint8x16_t abcd = vpaddq_u8(ab, cd);
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(abcd, abcd)), 0);
}
static inline uint8x16_t not_zero(const std::uint8_t* p) {
  const uint8x16_t v = vld1q_u8(p);
  return vtstq_u8(v, v);
}
static inline uint8x16_t not_same(const std::uint8_t* p, const std::uint8_t* q) {
  return vmvnq_u8(vceqq_u8(vld1q_u8(p), vld1q_u8(q)));
}
static inline std::uint64_t ne64(const std::uint8_t* p, const std::uint8_t* q) {
  return pack64(not_same(p, q), not_same(p + 16, q + 16), not_same(p + 32, q + 32), not_same(p + 48, q + 48));
}
static inline std::uint64_t nz64(const std::uint8_t* p) {
  return pack64(not_zero(p), not_zero(p + 16), not_zero(p + 32), not_zero(p + 48));
}
#define MC_WIDE 128
static inline bool any_nonzero(const std::uint8_t* p) {
  uint8x16_t v = vld1q_u8(p);
  for (int i = 16; i < MC_WIDE; i += 16) v = vorrq_u8(v, vld1q_u8(p + i));
  return vmaxvq_u8(v) != 0;
}
static inline bool any_zero(const std::uint8_t* p) {
  uint8x16_t v = vld1q_u8(p);
  for (int i = 16; i < MC_WIDE; i += 16) v = vminq_u8(v, vld1q_u8(p + i));
  return vminvq_u8(v) == 0;
}
static inline bool any_different(const std::uint8_t* p, const std::uint8_t* q) {
  uint8x16_t v = veorq_u8(vld1q_u8(p), vld1q_u8(q));
  for (int i = 16; i < MC_WIDE; i += 16) v = vorrq_u8(v, veorq_u8(vld1q_u8(p + i), vld1q_u8(q + i)));
  return vmaxvq_u8(v) != 0;
}
#else
static inline std::uint64_t nz8(const std::uint8_t* p) {
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 8; ++i) bits |= static_cast<std::uint64_t>(p[i] != 0) << i;
  return bits;
}
static inline std::uint64_t nz64(const std::uint8_t* p) {
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 8; ++i) bits |= nz8(p + 8 * i) << (8 * i);
  return bits;
}
#define MC_WIDE 64
static inline bool any_nonzero(const std::uint8_t* p) {
  std::uint64_t word, all = 0;
  for (int i = 0; i < MC_WIDE; i += 8) {
    std::memcpy(&word, p + i, 8);
    all |= word;
  }
  return all != 0;
}
static inline bool any_zero(const std::uint8_t* p) { return ~nz64(p) != 0; }
static inline std::uint64_t ne64(const std::uint8_t* p, const std::uint8_t* q) {
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 64; ++i) bits |= static_cast<std::uint64_t>(p[i] != q[i]) << i;
  return bits;
}
static inline bool any_different(const std::uint8_t* p, const std::uint8_t* q) {
  return std::memcmp(p, q, MC_WIDE) != 0;
}
#endif

}  // namespace baseline
}  // namespace maskcodec

#define MC_LEVEL baseline
#define MC_TARGET
#include "kernels.inl"
