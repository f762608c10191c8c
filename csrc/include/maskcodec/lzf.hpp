#pragma once

#include <cstddef>
#include <cstdint>

namespace maskcodec {

// Unpack LZF data (the format of M. Lehmann's liblzf, as point cloud files use it): literals of 1 to 32 bytes, and
// copies of 3 to 264 bytes from at most 8192 bytes back. Throws DecodeError unless the data make exactly `size` bytes.
void unpack_lzf(const std::uint8_t* packed, std::size_t packed_size, std::uint8_t* out, std::size_t size);

// No data of this length unpack to more bytes than this.
std::size_t lzf_limit(std::size_t packed_size) noexcept;

}  // namespace maskcodec
