// Words of 64 pixels.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(_MSC_VER)
#include <intrin.h>
#endif

namespace maskcodec {

inline unsigned count_trailing_zeros(std::uint64_t v) {  // v != 0
#if defined(_MSC_VER)
  unsigned long at;
  _BitScanForward64(&at, v);
  return at;
#else
  return static_cast<unsigned>(__builtin_ctzll(v));
#endif
}

inline unsigned count_leading_zeros(std::uint64_t v) {  // v != 0
#if defined(_MSC_VER)
  unsigned long at;
  _BitScanReverse64(&at, v);
  return 63 - at;
#else
  return static_cast<unsigned>(__builtin_clzll(v));
#endif
}

// Transposes a square of 64 x 64 bits in place: bit x of word y becomes bit y of word x.
inline void transpose64(std::uint64_t* square) {
  std::uint64_t mask = 0x00000000FFFFFFFFull;
  for (unsigned step = 32; step != 0; step >>= 1, mask ^= mask << step)
    for (unsigned i = 0; i < 64; i = ((i | step) + 1) & ~step) {
      const std::uint64_t swap = ((square[i] >> step) ^ square[i | step]) & mask;
      square[i] ^= swap << step;
      square[i | step] ^= swap;
    }
}

// Sets bits [a, b), a < b.
inline void set_bits(std::uint64_t* words, std::uint64_t a, std::uint64_t b) {
  const std::size_t i = static_cast<std::size_t>(a / 64), j = static_cast<std::size_t>((b - 1) / 64);
  const std::uint64_t head = ~std::uint64_t{0} << (a % 64), tail = ~std::uint64_t{0} >> (63 - (b - 1) % 64);
  if (i == j) {
    words[i] |= head & tail;
    return;
  }
  words[i] |= head;
  for (std::size_t k = i + 1; k < j; ++k) words[k] = ~std::uint64_t{0};
  words[j] |= tail;
}

// out[i] = bit i of `bits` ? value : 0, for i < n <= 64.
template <class T>
inline void expand_bits(std::uint64_t bits, std::size_t n, T* out, T value) {
  if (sizeof(T) == 1 && n == 64) {
    unsigned char v;
    std::memcpy(&v, &value, 1);
    for (unsigned i = 0; i < 8; ++i, bits >>= 8) {
      // Spread 8 bits over 8 bytes (bit i stays only in byte i), then turn "not zero" into the value.
      std::uint64_t x = (bits & 0xFF) * 0x0101010101010101ull & 0x8040201008040201ull;
      x = ((x + 0x7F7F7F7F7F7F7F7Full) >> 7 & 0x0101010101010101ull) * v;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
      x = __builtin_bswap64(x);
#endif
      std::memcpy(reinterpret_cast<unsigned char*>(out) + 8 * i, &x, 8);
    }
    return;
  }
  for (std::size_t i = 0; i < n; ++i) out[i] = (bits >> i) & 1 ? value : T{0};
}

}  // namespace maskcodec
