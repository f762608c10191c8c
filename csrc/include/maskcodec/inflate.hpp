// Reading of zlib streams (RFC 1950, 1951) whose inflated size is known, at the speed of memory where they repeat a byte:
// a mask in a PNG is nearly all zeros.
#pragma once
#include <cstddef>
#include <cstdint>

namespace maskcodec {

// Inflates a stream of exactly `size` bytes into `out`, which holds zeros, and checks its Adler-32. Bytes behind the
// stream are not looked at. DecodeError (offset = byte of the stream) for anything else.
void inflate(const std::uint8_t* data, std::size_t n, std::uint8_t* out, std::size_t size);

// Adler-32 of bytes.
std::uint32_t adler32(const std::uint8_t* data, std::size_t n) noexcept;

}  // namespace maskcodec
