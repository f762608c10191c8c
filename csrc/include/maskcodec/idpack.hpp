// Instance and class ids in image files: 24-bit ids as RGB(A) bytes, class * factor + instance words, palettes.
//
// Ids come as 2-D maps of any integer type and any strides, read by value. A value that does not fit is a RangeError naming
// the first such value in row order and its pixel. Outputs are C-ordered and belong to the caller, who sizes them; after an
// error their content is unspecified.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace maskcodec {

constexpr std::uint32_t max_packed_id = 0xFFFFFF;

enum class IntKind { i8, i16, i32, i64, u8, u16, u32, u64 };

// Calls `use` with a zero of the type.
template <class Use>
auto with_kind(IntKind kind, Use use) {
  switch (kind) {
    case IntKind::i8: return use(std::int8_t{});
    case IntKind::i16: return use(std::int16_t{});
    case IntKind::i32: return use(std::int32_t{});
    case IntKind::i64: return use(std::int64_t{});
    case IntKind::u8: return use(std::uint8_t{});
    case IntKind::u16: return use(std::uint16_t{});
    case IntKind::u32: return use(std::uint32_t{});
    case IntKind::u64: break;
  }
  return use(std::uint64_t{});
}

// A 2-D array of integers of a type known at run time; strides in bytes, elements aligned and in native byte order.
struct IntView {
  const void* data;
  IntKind kind;
  std::size_t height;
  std::size_t width;
  std::ptrdiff_t row_stride;
  std::ptrdiff_t col_stride;
};

// 8-bit pixels of 3 or 4 channels, strides in bytes.
struct ColorView {
  const std::uint8_t* data;
  std::size_t height;
  std::size_t width;
  std::ptrdiff_t row_stride;
  std::ptrdiff_t col_stride;
  std::ptrdiff_t channel_stride;
};

// id = R + 256 G + 65536 B; ids beyond 0..2^24-1 are refused. With four channels (out: h * w * 4 bytes) alpha is 255, the
// bitmap of Segments.ai; with three (h * w * 3 bytes) it is the PNG of COCO panoptic.
void pack_ids(const IntView& ids, unsigned channels, std::uint8_t* out);
// Back to ids. A fourth channel is never part of the id.
void unpack_ids(const ColorView& image, std::uint32_t* out);

// class * factor + instance as 16-bit words. Refused: an instance outside 0..factor-1, which would spill into the class, a
// negative class, and a result above 65535. The maps must have one shape (ShapeError).
void pack_instances(const IntView& classes, const IntView& instances, std::uint32_t factor, std::uint16_t* out);
// The quotient and remainder of every word; values outside 0..65535 are refused.
void unpack_instances(const IntView& words, std::uint32_t factor, std::uint16_t* classes, std::uint16_t* instances);

using Palette = std::vector<std::array<std::uint8_t, 3>>;

// The Pascal VOC colour map: of index i the bits are dealt out to red, green and blue three at a time, from the highest bit of
// each colour down. The first `count` entries, which are distinct up to 2^24.
Palette voc_palette(std::size_t count);

// Indices -> RGB. An index beyond the palette is refused.
void colorize(const IntView& indices, const Palette& palette, std::uint8_t* out);
// RGB (alpha ignored) -> the index of the colour's first entry in the palette. An unknown colour is refused.
void colors_to_index(const ColorView& image, const Palette& palette, std::uint16_t* out);

}  // namespace maskcodec
