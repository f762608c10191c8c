// Masks in PNG files: from the inflated rows of one grey channel straight to Runs.
#pragma once
#include <cstddef>
#include <cstdint>

#include "maskcodec/runs.hpp"

namespace maskcodec {

// Pixels that are not 0, out of the filtered rows of a PNG of one grey channel that is not interlaced: height rows of a
// filter byte and (width * depth + 7) / 8 bytes, `depth` bits a pixel (1, 2, 4, 8 or 16). W3C PNG, sections 7.2 and 9.
// ShapeError for another depth or number of bytes, DecodeError (offset = its byte) for an unknown filter.
Runs png_foreground(const std::uint8_t* rows, std::size_t size, Shape shape, unsigned depth);

// The same out of the compressed rows, the zlib stream of the IDAT chunks. DecodeError too for a stream that is damaged or
// of another length.
Runs png_mask(const std::uint8_t* stream, std::size_t size, Shape shape, unsigned depth);

}  // namespace maskcodec
