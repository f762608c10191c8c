// CRC-32C (Castagnoli), as TFRecord files carry it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace maskcodec {

// Checksum of `size` bytes; `seed` is the checksum of what came before them, 0 at the start.
std::uint32_t crc32c(const void* data, std::size_t size, std::uint32_t seed = 0) noexcept;

}  // namespace maskcodec
