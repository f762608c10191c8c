#include "maskcodec/idpack.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <type_traits>

#include "maskcodec/cpu.hpp"
#include "maskcodec/error.hpp"
#include "maskcodec/kernels.hpp"

#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
#define MASKCODEC_BYTE_SHUFFLE 1
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace maskcodec {

namespace {

bool little_endian() noexcept {
  const std::uint32_t one = 1;
  std::uint8_t first;
  std::memcpy(&first, &one, 1);
  return first == 1;
}

// --- reading rows of any integer type ------------------------------------------------------------------------------------

// Copies one row to `out`; returns whether all its values are in 0 .. limit (limit < 2^32).
template <class T>
bool load(const char* row, std::ptrdiff_t stride, std::size_t n, std::uint32_t limit, std::uint32_t* out) noexcept {
  using Wide = std::conditional_t<(sizeof(T) > 4), std::uint64_t, std::uint32_t>;
  Wide any = 0;  // all bits seen; a negative value is a huge one when read without sign
  const auto take = [&](T value, std::size_t k) {
    const auto wide = static_cast<Wide>(value);
    any |= wide;
    out[k] = static_cast<std::uint32_t>(wide);
  };
  if (stride == static_cast<std::ptrdiff_t>(sizeof(T))) {
    const T* p = reinterpret_cast<const T*>(row);
    for (std::size_t k = 0; k < n; ++k) take(p[k], k);
  } else {
    for (std::size_t k = 0; k < n; ++k)
      take(*reinterpret_cast<const T*>(row + static_cast<std::ptrdiff_t>(k) * stride), k);
  }
  if (any <= limit) return true;
  if (any > 0xFFFFFFFFu) return false;  // a limit has 32 bits
  return *std::max_element(out, out + n) <= limit;
}

const char* row_at(const IntView& v, std::size_t y) noexcept {
  return static_cast<const char*>(v.data) + static_cast<std::ptrdiff_t>(y) * v.row_stride;
}

std::string at_pixel(std::size_t y, std::size_t x) {
  return " at row " + std::to_string(y) + ", column " + std::to_string(x);
}

[[noreturn]] void refuse(const IntView& v, std::size_t y, std::uint32_t limit, const char* what) {
  with_kind(v.kind, [&](auto zero) {
    using T = decltype(zero);
    for (std::size_t x = 0; x < v.width; ++x) {
      const T value = *reinterpret_cast<const T*>(row_at(v, y) + static_cast<std::ptrdiff_t>(x) * v.col_stride);
      if (value < T{0} || static_cast<std::uint64_t>(value) > limit)
        throw RangeError(std::string(what) + " " + std::to_string(value) + at_pixel(y, x) + " is outside 0.." +
                         std::to_string(limit));
    }
  });
  throw RangeError(std::string(what) + " in row " + std::to_string(y) + " changed while it was read");
}

// The row as 32-bit values, all of them in 0 .. limit.
const std::uint32_t* checked_row(const IntView& v, std::size_t y, std::uint32_t limit, const char* what,
                                 std::vector<std::uint32_t>& buffer) {
  const bool good = with_kind(v.kind, [&](auto zero) {
    return load<decltype(zero)>(row_at(v, y), v.col_stride, v.width, limit, buffer.data());
  });
  if (!good) refuse(v, y, limit, what);
  return buffer.data();
}

// --- 24-bit ids ------------------------------------------------------------------------------------------------------------

// Packing returns all bits of all ids together: whoever has not checked them before sees there whether one was too large.
std::uint32_t to_rgba(const std::uint32_t* ids, std::size_t n, std::uint8_t* out) noexcept {
  if (little_endian() && reinterpret_cast<std::uintptr_t>(out) % 4 == 0)
    return kernels().mask_words(ids, n, 0xFFFFFFFFu, 0xFF000000u, reinterpret_cast<std::uint32_t*>(out));
  std::uint32_t any = 0;
  for (std::size_t k = 0; k < n; ++k) {
    any |= ids[k];
    out[4 * k] = static_cast<std::uint8_t>(ids[k]);
    out[4 * k + 1] = static_cast<std::uint8_t>(ids[k] >> 8);
    out[4 * k + 2] = static_cast<std::uint8_t>(ids[k] >> 16);
    out[4 * k + 3] = 255;
  }
  return any;
}

#ifdef MASKCODEC_BYTE_SHUFFLE
// Four pixels per vector; both return how many pixels they did. Every load and store stays within the row: the last few
// pixels are left to the portable loop.
__attribute__((target("ssse3"))) std::size_t shuffle_to_rgb(const std::uint32_t* ids, std::size_t n,
                                                            std::uint8_t* out, std::uint32_t& any) noexcept {
  __m128i seen = _mm_setzero_si128();
  const __m128i pick = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  std::size_t k = 0;
  for (; n - k >= 18; k += 16) {
    const auto* from = reinterpret_cast<const __m128i*>(ids + k);
    const __m128i a = _mm_loadu_si128(from), b = _mm_loadu_si128(from + 1);
    const __m128i c = _mm_loadu_si128(from + 2), d = _mm_loadu_si128(from + 3);
    seen = _mm_or_si128(seen, _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * k), _mm_shuffle_epi8(a, pick));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * k + 12), _mm_shuffle_epi8(b, pick));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * k + 24), _mm_shuffle_epi8(c, pick));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * k + 36), _mm_shuffle_epi8(d, pick));
  }
  for (; 3 * (n - k) >= 16; k += 4) {
    const __m128i words = _mm_loadu_si128(reinterpret_cast<const __m128i*>(ids + k));
    seen = _mm_or_si128(seen, words);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 3 * k), _mm_shuffle_epi8(words, pick));
  }
  std::uint32_t lanes[4];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(lanes), seen);
  any |= lanes[0] | lanes[1] | lanes[2] | lanes[3];
  return k;
}

__attribute__((target("ssse3"))) std::size_t shuffle_from_rgb(const std::uint8_t* row, std::size_t n,
                                                              std::uint32_t* out) noexcept {
  const __m128i pick = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
  std::size_t k = 0;
  for (; 3 * (n - k) >= 16; k += 4) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + 3 * k));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + k), _mm_shuffle_epi8(bytes, pick));
  }
  return k;
}
#endif

std::uint32_t to_rgb(const std::uint32_t* ids, std::size_t n, std::uint8_t* out) noexcept {
  std::uint32_t any = 0;
  std::size_t k = 0;
#ifdef MASKCODEC_BYTE_SHUFFLE
  if (level() != Level::baseline) k = shuffle_to_rgb(ids, n, out, any);
#endif
#if defined(__aarch64__)
  uint8x16_t seen = vdupq_n_u8(0);
  for (; k + 16 <= n; k += 16) {
    const uint8x16x4_t in = vld4q_u8(reinterpret_cast<const std::uint8_t*>(ids + k));
    seen = vorrq_u8(seen, in.val[3]);
    const uint8x16x3_t rgb = {{in.val[0], in.val[1], in.val[2]}};
    vst3q_u8(out + 3 * k, rgb);
  }
  any |= vmaxvq_u8(seen) != 0 ? 0xFF000000u : 0u;  // a bit that is too high, as far as anybody asks
#endif
  if (little_endian()) {
    for (; k + 8 <= n; k += 8) {  // two pixels make 48 bits, eight make three words; a fourth byte is cut off
      std::uint64_t all = 0;
      const auto pair = [&](std::size_t j) {
        std::uint64_t p;
        std::memcpy(&p, ids + k + 2 * j, 8);
        all |= p;
        return (p & 0xFFFFFF) | (p >> 8 & 0xFFFFFF000000);
      };
      const std::uint64_t p0 = pair(0), p1 = pair(1), p2 = pair(2), p3 = pair(3);
      any |= static_cast<std::uint32_t>(all | all >> 32);
      const std::uint64_t words[3] = {p0 | p1 << 48, p1 >> 16 | p2 << 32, p2 >> 32 | p3 << 16};
      std::memcpy(out + 3 * k, words, 24);
    }
  }
  for (; k < n; ++k) {
    any |= ids[k];
    out[3 * k] = static_cast<std::uint8_t>(ids[k]);
    out[3 * k + 1] = static_cast<std::uint8_t>(ids[k] >> 8);
    out[3 * k + 2] = static_cast<std::uint8_t>(ids[k] >> 16);
  }
  return any;
}

void from_row(const ColorView& v, std::size_t y, std::uint32_t* out) noexcept {
  const std::uint8_t* row = v.data + static_cast<std::ptrdiff_t>(y) * v.row_stride;
  std::size_t k = 0;
  if (little_endian() && v.channel_stride == 1 && v.col_stride == 4) {
    if (reinterpret_cast<std::uintptr_t>(row) % 4 == 0) {
      kernels().mask_words(reinterpret_cast<const std::uint32_t*>(row), v.width, max_packed_id, 0, out);
      return;
    }
    for (; k < v.width; ++k) {
      std::uint32_t word;
      std::memcpy(&word, row + 4 * k, 4);
      out[k] = word & max_packed_id;
    }
  } else if (little_endian() && v.channel_stride == 1 && v.col_stride == 3) {
#ifdef MASKCODEC_BYTE_SHUFFLE
    if (level() != Level::baseline) k = shuffle_from_rgb(row, v.width, out);
#endif
#if defined(__aarch64__)
    for (; k + 16 <= v.width; k += 16) {
      const uint8x16x3_t rgb = vld3q_u8(row + 3 * k);
      const uint8x16x4_t ids = {{rgb.val[0], rgb.val[1], rgb.val[2], vdupq_n_u8(0)}};
      vst4q_u8(reinterpret_cast<std::uint8_t*>(out + k), ids);
    }
#endif
    for (; k + 8 <= v.width; k += 8) {  // three words hold eight pixels; two of them make one word again
      std::uint64_t w[3];
      std::memcpy(w, row + 3 * k, 24);
      const auto split = [&](std::size_t j, std::uint64_t p) {
        p = (p & 0xFFFFFF) | (p << 8 & 0x00FFFFFF00000000);
        std::memcpy(out + k + 2 * j, &p, 8);
      };
      split(0, w[0]);
      split(1, w[0] >> 48 | w[1] << 16);
      split(2, w[1] >> 32 | w[2] << 32);
      split(3, w[2] >> 16);
    }
  }
  for (; k < v.width; ++k) {
    const std::uint8_t* p = row + static_cast<std::ptrdiff_t>(k) * v.col_stride;
    out[k] = p[0] | std::uint32_t{p[v.channel_stride]} << 8 | std::uint32_t{p[2 * v.channel_stride]} << 16;
  }
}

}  // namespace

void pack_ids(const IntView& ids, unsigned channels, std::uint8_t* out) {
  if (ids.kind == IntKind::u32 && ids.col_stride == 4 && ids.row_stride == static_cast<std::ptrdiff_t>(4 * ids.width)) {
    const auto* all = static_cast<const std::uint32_t*>(ids.data);
    const std::size_t n = ids.height * ids.width;
    if ((channels == 4 ? to_rgba(all, n, out) : to_rgb(all, n, out)) <= max_packed_id) return;
  }
  std::vector<std::uint32_t> buffer(ids.width);
  const std::size_t step = ids.width * channels;
  for (std::size_t y = 0; y < ids.height; ++y, out += step) {
    const bool as_is = ids.kind == IntKind::u32 && ids.col_stride == 4;
    const std::uint32_t* row = as_is ? reinterpret_cast<const std::uint32_t*>(row_at(ids, y))
                                     : checked_row(ids, y, max_packed_id, "id", buffer);
    const std::uint32_t any = channels == 4 ? to_rgba(row, ids.width, out) : to_rgb(row, ids.width, out);
    if (any > max_packed_id) refuse(ids, y, max_packed_id, "id");
  }
}

void unpack_ids(const ColorView& image, std::uint32_t* out) {
  if (image.row_stride == static_cast<std::ptrdiff_t>(image.width) * image.col_stride) {  // one long row
    ColorView row = image;
    row.width = image.height * image.width;
    row.height = 1;
    from_row(row, 0, out);
    return;
  }
  for (std::size_t y = 0; y < image.height; ++y, out += image.width) from_row(image, y, out);
}

// --- class * factor + instance -----------------------------------------------------------------------------------------------

void pack_instances(const IntView& classes, const IntView& instances, std::uint32_t factor, std::uint16_t* out) {
  if (classes.height != instances.height || classes.width != instances.width)
    throw ShapeError("the class map is " + std::to_string(classes.height) + " x " + std::to_string(classes.width) +
                     ", the instance map " + std::to_string(instances.height) + " x " +
                     std::to_string(instances.width));
  if (factor == 0 || factor > 65536) throw RangeError("factor " + std::to_string(factor) + " is outside 1..65536");
  std::vector<std::uint32_t> a(classes.width), b(classes.width);
  for (std::size_t y = 0; y < classes.height; ++y, out += classes.width) {
    const std::uint32_t* c = checked_row(classes, y, 65535 / factor, "class", a);
    const std::uint32_t* n = checked_row(instances, y, factor - 1, "instance", b);
    std::uint32_t worst = 0;
    for (std::size_t x = 0; x < classes.width; ++x) {
      const std::uint32_t value = c[x] * factor + n[x];
      worst = std::max(worst, value);
      out[x] = static_cast<std::uint16_t>(value);
    }
    if (worst > 65535)
      for (std::size_t x = 0; x < classes.width; ++x)
        if (c[x] * factor + n[x] > 65535)
          throw RangeError("class " + std::to_string(c[x]) + " and instance " + std::to_string(n[x]) + at_pixel(y, x) +
                           " make " + std::to_string(c[x] * factor + n[x]) + ", which is above 65535");
  }
}

void unpack_instances(const IntView& words, std::uint32_t factor, std::uint16_t* classes, std::uint16_t* instances) {
  if (factor == 0 || factor > 65536) throw RangeError("factor " + std::to_string(factor) + " is outside 1..65536");
  std::vector<std::uint32_t> buffer(words.width);
  for (std::size_t y = 0; y < words.height; ++y, classes += words.width, instances += words.width) {
    const std::uint32_t* row = checked_row(words, y, 65535, "value", buffer);
    const auto divide = [&](std::uint32_t by) {
      for (std::size_t x = 0; x < words.width; ++x) {
        const std::uint32_t quotient = row[x] / by;
        classes[x] = static_cast<std::uint16_t>(quotient);
        instances[x] = static_cast<std::uint16_t>(row[x] - quotient * by);
      }
    };
    if (factor == 1000)
      divide(1000);  // known divisors compile to a multiplication
    else if (factor == 256)
      divide(256);
    else
      divide(factor);
  }
}

// --- palettes ------------------------------------------------------------------------------------------------------------

Palette voc_palette(std::size_t count) {
  Palette out(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t rest = i;
    for (int bit = 7; bit >= 0; --bit, rest >>= 3)
      for (std::size_t channel = 0; channel < 3; ++channel)
        out[i][channel] = static_cast<std::uint8_t>(out[i][channel] | ((rest >> channel) & 1u) << bit);
  }
  return out;
}

void colorize(const IntView& indices, const Palette& palette, std::uint8_t* out) {
  std::vector<std::uint32_t> buffer(indices.width);
  if (palette.empty()) {
    if (indices.height != 0 && indices.width != 0) throw RangeError("the palette has no entries");
    return;
  }
  const auto limit = static_cast<std::uint32_t>(std::min<std::size_t>(palette.size() - 1, max_packed_id));
  for (std::size_t y = 0; y < indices.height; ++y, out += 3 * indices.width) {
    const std::uint32_t* row = checked_row(indices, y, limit, "index", buffer);
    for (std::size_t x = 0; x < indices.width; ++x) std::memcpy(out + 3 * x, palette[row[x]].data(), 3);
  }
}

void colors_to_index(const ColorView& image, const Palette& palette, std::uint16_t* out) {
  constexpr std::uint32_t free_slot = 0xFFFFFFFFu;
  if (palette.size() > 65536) throw RangeError("a palette of more than 65536 colours");
  std::size_t size = 64;
  while (size < 4 * palette.size()) size *= 2;
  const std::size_t mask = size - 1;
  std::vector<std::uint32_t> colors(size, free_slot);
  std::vector<std::uint16_t> indices(size, 0);
  const auto slot = [&](std::uint32_t color) {
    std::size_t at = ((color * 0x9E3779B1u) >> 12) & mask;
    while (colors[at] != free_slot && colors[at] != color) at = (at + 1) & mask;
    return at;
  };
  for (std::size_t i = 0; i < palette.size(); ++i) {
    const auto& p = palette[i];
    const std::uint32_t color = p[0] | std::uint32_t{p[1]} << 8 | std::uint32_t{p[2]} << 16;
    const std::size_t at = slot(color);
    if (colors[at] == color) continue;
    colors[at] = color;
    indices[at] = static_cast<std::uint16_t>(i);
  }
  std::vector<std::uint32_t> row(image.width);
  std::uint32_t last = free_slot;  // neighbours mostly have one colour
  std::uint16_t index = 0;
  for (std::size_t y = 0; y < image.height; ++y, out += image.width) {
    from_row(image, y, row.data());
    for (std::size_t x = 0; x < image.width; ++x) {
      if (row[x] != last) {
        const std::size_t at = slot(row[x]);
        if (colors[at] == free_slot)
          throw RangeError("colour (" + std::to_string(row[x] & 255) + ", " + std::to_string(row[x] >> 8 & 255) + ", " +
                           std::to_string(row[x] >> 16) + ")" + at_pixel(y, x) + " is not in the palette");
        last = row[x];
        index = indices[at];
      }
      out[x] = index;
    }
  }
}

}  // namespace maskcodec
