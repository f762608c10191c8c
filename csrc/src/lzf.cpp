#include "maskcodec/lzf.hpp"

#include <cstring>

#include "maskcodec/error.hpp"

namespace maskcodec {

void unpack_lzf(const std::uint8_t* packed, std::size_t packed_size, std::uint8_t* out, std::size_t size) {
  std::size_t in = 0, at = 0;
  while (in < packed_size) {
    const std::size_t start = in;
    const std::size_t control = packed[in++];
    if (control < 32) {  // literals
      const std::size_t length = control + 1;
      if (length > packed_size - in) throw DecodeError("packed data end within a literal", start);
      if (length > size - at) throw DecodeError("packed data make more bytes than they should", start);
      std::memcpy(out + at, packed + in, length);
      in += length;
      at += length;
      continue;
    }
    std::size_t length = control >> 5;
    if (packed_size - in < (length == 7 ? 2U : 1U)) throw DecodeError("packed data end within a copy", start);
    if (length == 7) length += packed[in++];
    length += 2;
    const std::size_t back = ((control & 31U) << 8 | packed[in++]) + 1;
    if (back > at) throw DecodeError("packed data copy from before their beginning", start);
    if (length > size - at) throw DecodeError("packed data make more bytes than they should", start);
    // Byte by byte: a copy may read what it has just written.
    for (const std::size_t end = at + length; at < end; ++at) out[at] = out[at - back];
  }
  if (at != size) throw DecodeError("packed data make fewer bytes than they should", packed_size);
}

std::size_t lzf_limit(std::size_t packed_size) noexcept {
  return packed_size > static_cast<std::size_t>(-1) / 88 ? static_cast<std::size_t>(-1) : packed_size * 88;
}

}  // namespace maskcodec
