#include "maskcodec/crc32c.hpp"

#include <array>

namespace maskcodec {

namespace {

constexpr std::uint32_t polynomial = 0x82F63B78U;  // reflected

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[k][b]: what byte b contributes when k bytes follow it (slicing by eight).
constexpr Tables make_tables() noexcept {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1U) != 0 ? (value >> 1) ^ polynomial : value >> 1;
    tables[0][byte] = value;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t byte = 0; byte < 256; ++byte)
      tables[k][byte] = (tables[k - 1][byte] >> 8) ^ tables[0][tables[k - 1][byte] & 255U];
  return tables;
}

constexpr Tables tables = make_tables();

// Byte by byte, so that the order of bytes of the machine does not matter; compilers make one load of it.
std::uint32_t load(const std::uint8_t* p) noexcept {
  return std::uint32_t{p[0]} | std::uint32_t{p[1]} << 8 | std::uint32_t{p[2]} << 16 | std::uint32_t{p[3]} << 24;
}

}  // namespace

std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t seed) noexcept {
  const auto* p = static_cast<const std::uint8_t*>(data);
  std::uint32_t crc = ~seed;
  for (; size >= 8; size -= 8, p += 8) {
    const std::uint32_t low = load(p) ^ crc, high = load(p + 4);
    crc = tables[7][low & 255U] ^ tables[6][low >> 8 & 255U] ^ tables[5][low >> 16 & 255U] ^ tables[4][low >> 24] ^
          tables[3][high & 255U] ^ tables[2][high >> 8 & 255U] ^ tables[1][high >> 16 & 255U] ^ tables[0][high >> 24];
  }
  for (; size != 0; --size, ++p) crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 255U];
  return ~crc;
}

}  // namespace maskcodec
