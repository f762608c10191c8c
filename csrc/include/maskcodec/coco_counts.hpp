// The compressed counts string of COCO (maskApi): 5 data bits a character, bit 5 = more follow, differences from run 3 on.
//
// scan_counts is the one routine that reads such text. It checks everything before anything is done with a run: the
// alphabet (characters 48..111), at most 7 characters a number, no open end, each run in 0..2^32-1, and the total,
// added up in 64 bits, against height * width.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "maskcodec/bits.hpp"
#include "maskcodec/kernels.hpp"
#include "maskcodec/runs.hpp"

#if (defined(__SSE2__) && defined(__x86_64__)) || (defined(_M_X64) && !defined(_M_ARM64EC))
#include <emmintrin.h>
#define MASKCODEC_SSE2 1
#endif

namespace maskcodec {

namespace detail {
[[noreturn]] void fail_character(const char* text, std::size_t at);
[[noreturn]] void fail_open(std::size_t at);
[[noreturn]] void fail_long(std::size_t at);
[[noreturn]] void fail_run(std::int64_t run, std::size_t index, std::size_t at);
[[noreturn]] void fail_over(Shape shape, std::size_t index, std::size_t at);
[[noreturn]] void fail_short(std::uint64_t sum, Shape shape, std::size_t at);

// One number that needs more than one character; p is at its first. Returns the position behind it.
inline const char* scan_long(const char* text, const char* p, const char* end, std::int64_t& value) {
  const char* first = p;
  std::uint64_t x = 0;
  unsigned shift = 0;
  for (;;) {
    if (p == end) fail_open(static_cast<std::size_t>(first - text));
    const unsigned c = static_cast<unsigned>(static_cast<unsigned char>(*p)) - 48u;
    if (c > 63u) fail_character(text, static_cast<std::size_t>(p - text));
    if (shift == 35u) fail_long(static_cast<std::size_t>(first - text));
    x |= static_cast<std::uint64_t>(c & 31u) << shift;
    shift += 5;
    ++p;
    if (!(c & 32u)) {
      if (c & 16u) x |= ~std::uint64_t{0} << shift;
      value = static_cast<std::int64_t>(x);
      return p;
    }
  }
}
}  // namespace detail

namespace detail {
constexpr std::uint64_t every_byte = 0x0101010101010101ull, every_lane = 0x0001000100010001ull;

inline std::uint64_t load_little(const char* p) {
  std::uint64_t w;
  std::memcpy(&w, p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  w = __builtin_bswap64(w);
#endif
  return w;
}

// The 5-bit groups of eight characters side by side; `digits` is 0..31 (and flags above) in every byte.
inline std::uint64_t squeeze(std::uint64_t digits) {
  std::uint64_t bits = (digits & 0x1F * every_lane) | (digits >> 3 & 0x03E0 * every_lane);
  bits = (bits & 0x000003FF000003FFull) | (bits >> 6 & 0x000FFC00000FFC00ull);
  return (bits & 0xFFFFFull) | (bits >> 12 & 0xFFFFF00000ull);
}

// Of 64 characters, those that end a number. False when one is outside the alphabet.
inline bool number_ends(const char* p, std::uint64_t& ends) {
#if MASKCODEC_SSE2
  std::uint64_t more = 0;
  __m128i good = _mm_set1_epi8(-1);
  for (int k = 0; k < 4; ++k) {
    const __m128i v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * k));
    good = _mm_and_si128(good, _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8(47)), _mm_cmplt_epi8(v, _mm_set1_epi8(112))));
    const __m128i flags = _mm_slli_epi16(_mm_sub_epi8(v, _mm_set1_epi8(48)), 2);  // bit 5 of every byte in bit 7
    more |= static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(flags))) << 16 * k;
  }
  ends = ~more;
  return _mm_movemask_epi8(good) == 0xFFFF;
#else
  std::uint64_t found = 0, wrong = 0;
  for (int k = 0; k < 8; ++k) {
    const std::uint64_t w = load_little(p + 8 * k), raised = w + 0x50 * every_byte;
    wrong |= w | (w + 0x10 * every_byte) | ~raised;
    found |= ((~raised >> 5 & every_byte) * 0x0102040810204080ull) >> 56 << 8 * k;
  }
  ends = found;
  return (wrong & 0x80 * every_byte) == 0;
#endif
}

// Eight one-character numbers in a row: run 2j of the block is even_base + lane j of `even` - 16 (j + 1), run 2j + 1 the
// same with `odd`; lanes are 16 bits wide.
struct EightRuns {
  std::uint64_t even, odd;
  std::uint64_t even_base, odd_base;
  std::uint64_t total;
};

// `digits` as above.
inline EightRuns eight_runs(std::uint64_t digits, std::int64_t older, std::int64_t newer) {
  const std::uint64_t d = (digits ^ 0x10 * every_byte) & 0x1F * every_byte;  // differences + 16
  EightRuns block;
  block.even = (d & 0xFF * every_lane) * every_lane;
  block.odd = (d >> 8 & 0xFF * every_lane) * every_lane;
  block.even_base = static_cast<std::uint64_t>(older);
  block.odd_base = static_cast<std::uint64_t>(newer);
  block.total = 4 * (block.even_base + block.odd_base) + (block.even * every_lane >> 48) +
                (block.odd * every_lane >> 48) - 320;
  return block;
}

// Four lanes are all at least 0 when `base` and the offsets of a block are added.
inline bool lanes_fit(std::uint64_t lanes, std::uint64_t base) {
  if (base >= 64) return true;
  constexpr std::uint64_t high = 0x8000u * every_lane;
  return ((lanes + base * every_lane + high - 0x0040003000200010ull) & high) == high;
}

inline void store_eight(const EightRuns& block, std::uint32_t* out) {
#if MASKCODEC_SSE2
  const __m128i zero = _mm_setzero_si128(), steps = _mm_setr_epi32(-16, -32, -48, -64);
  const __m128i even =
      _mm_add_epi32(_mm_unpacklo_epi16(_mm_cvtsi64_si128(static_cast<long long>(block.even)), zero),
                    _mm_add_epi32(_mm_set1_epi32(static_cast<int>(static_cast<std::uint32_t>(block.even_base))), steps));
  const __m128i odd =
      _mm_add_epi32(_mm_unpacklo_epi16(_mm_cvtsi64_si128(static_cast<long long>(block.odd)), zero),
                    _mm_add_epi32(_mm_set1_epi32(static_cast<int>(static_cast<std::uint32_t>(block.odd_base))), steps));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_unpacklo_epi32(even, odd));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 4), _mm_unpackhi_epi32(even, odd));
#else
  for (unsigned j = 0; j < 4; ++j) {
    out[2 * j] = static_cast<std::uint32_t>(block.even_base + (block.even >> 16 * j & 0xFFFFu) - 16 * (j + 1));
    out[2 * j + 1] = static_cast<std::uint32_t>(block.odd_base + (block.odd >> 16 * j & 0xFFFFu) - 16 * (j + 1));
  }
#endif
}
}  // namespace detail

// Hands the runs of text[0..size), background first, to sink(runs, n), piece by piece. Returns the sum of the runs.
// With strict = false a sum below the number of pixels is allowed (the caller pads); nothing else is.
//
// Characters are looked at many at a time, so that the processor does not have to guess the length of every number.
template <class Sink>
std::uint64_t scan_counts(const char* text, std::size_t size, Shape shape, bool strict, Sink&& sink) {
  const std::uint64_t pixels = shape.pixels();
  const char* p = text;
  const char* const end = text + size;
  std::uint64_t sum = 0;
  std::int64_t older = 0, newer = 0;  // runs i-2 and i-1, as the differences see them (0 while i <= 2)
  std::size_t i = 0;
  // One number, checked in full; every error comes from here.
  auto one = [&] {
    const char* const first = p;
    const unsigned c = static_cast<unsigned>(static_cast<unsigned char>(*p)) - 48u;
    std::int64_t x;
    if (c < 32u) {
      x = static_cast<std::int64_t>(c ^ 16u) - 16;
      ++p;
    } else if (c < 64u) {
      p = detail::scan_long(text, p, end, x);
    } else {
      detail::fail_character(text, static_cast<std::size_t>(p - text));
    }
    x += older;
    if (static_cast<std::uint64_t>(x) > 0xFFFFFFFFull) detail::fail_run(x, i, static_cast<std::size_t>(first - text));
    sum += static_cast<std::uint64_t>(x);
    if (sum > pixels) detail::fail_over(shape, i, static_cast<std::size_t>(first - text));
    const auto run = static_cast<std::uint32_t>(x);
    sink(&run, 1);
    // Run 3 is the first difference, and it is taken to run 1: run 0 never is a base.
    older = newer;
    newer = i == 0 ? 0 : x;
    ++i;
  };
  if (p != end) one();
  // Many characters at once: where numbers end is known before they are read. Anything wrong is met again by `one`.
  const CountsKernels& kernel = counts_kernels();
  std::uint32_t runs[80];
  while (end - p >= 72) {
    std::uint64_t ends;
    if (!detail::number_ends(p, ends) || ends == 0) break;
    std::uint64_t total = sum;
    std::size_t taken = 0;
    const char* q = p;
    if (kernel.read) {
      std::uint32_t last[2] = {static_cast<std::uint32_t>(older), static_cast<std::uint32_t>(newer)};
      taken = kernel.read(p, ends, last, runs, &total);
      if (taken != 0 && total <= pixels) {
        older = last[0];
        newer = last[1];
        q = p + 64 - count_leading_zeros(ends);
      }
    }
    if (taken == 0) {
      std::int64_t before = older, now = newer;
      std::int64_t signs = 0;
      for (std::uint64_t left = ends; left != 0;) {
        if ((left & 0xFFu) == 0xFFu) {
          const detail::EightRuns block = detail::eight_runs(detail::load_little(q) + 0x50 * detail::every_byte, before, now);
          if (!detail::lanes_fit(block.even, block.even_base) || !detail::lanes_fit(block.odd, block.odd_base)) {
            signs = -1;
            break;
          }
          detail::store_eight(block, runs + taken);
          total += block.total;
          before += static_cast<std::int64_t>(block.even >> 48) - 64;
          now += static_cast<std::int64_t>(block.odd >> 48) - 64;
          q += 8;
          left >>= 8;
          taken += 8;
          continue;
        }
        const unsigned n = count_trailing_zeros(left) + 1;
        if (n > 7) {
          signs = -1;
          break;
        }
        const std::uint64_t w = detail::load_little(q) - 0x30 * detail::every_byte;  // the first n bytes are digits
        const std::uint64_t v =
            n <= 3 ? (w & 0x1Fu) | (w >> 3 & 0x3E0u) | (w >> 6 & 0x7C00u) : detail::squeeze(w);
        const std::int64_t x = (static_cast<std::int64_t>(v << (64 - 5 * n)) >> (64 - 5 * n)) + before;
        before = now;
        now = x;
        signs |= x;
        total += static_cast<std::uint64_t>(x);
        runs[taken++] = static_cast<std::uint32_t>(x);
        q += n;
        left >>= n;
      }
      if (signs < 0) break;
      if (total <= pixels) {
        older = before;
        newer = now;
      }
    }
    if (total > pixels) break;
    sink(runs, taken);
    sum = total;
    i += taken;
    p = q;
  }
  while (end - p >= 8) {
    const std::uint64_t w = detail::load_little(p);
    const std::uint64_t raised = w + 0x50 * detail::every_byte;  // characters from '0' on get their high bit
    const std::uint64_t wrong = (w | (w + 0x10 * detail::every_byte) | ~raised) & 0x80 * detail::every_byte;
    if (wrong != 0 || (raised & 0x20 * detail::every_byte) != 0) {
      one();
      continue;
    }
    const detail::EightRuns block = detail::eight_runs(raised, older, newer);
    if (!detail::lanes_fit(block.even, block.even_base) || !detail::lanes_fit(block.odd, block.odd_base) ||
        sum + block.total > pixels) {
      one();
      continue;
    }
    detail::store_eight(block, runs);
    sink(runs, 8);
    sum += block.total;
    older += static_cast<std::int64_t>(block.even >> 48) - 64;
    newer += static_cast<std::int64_t>(block.odd >> 48) - 64;
    i += 8;
    p += 8;
  }
  while (p != end) one();
  if (sum != pixels && strict) detail::fail_short(sum, shape, size);
  return sum;
}

// Text to canonical runs. `padded` receives how many background pixels were added at the end (strict = false only).
Runs decode_counts(const char* text, std::size_t size, Shape shape, bool strict = true, std::uint64_t* padded = nullptr);
// One of many masks to read: text, or (with text = nullptr) `size` canonical runs that are taken as they are.
struct CountsSource {
  const char* text;
  const std::uint32_t* runs;
  std::size_t size;
  Shape shape;
};
// Room, in runs, that decode_counts_many needs for a text of `size` characters (or for that many runs).
std::size_t counts_room(std::size_t size);
// Writes the canonical runs of all sources one after the other to `out`, which has the sum of their rooms, and their
// count + 1 offsets. A DecodeError is that of the first bad source and names its index, whatever `threads` is.
void decode_counts_many(const CountsSource* sources, std::size_t count, bool strict, std::uint32_t* out,
                        std::uint64_t* offsets, unsigned threads);

// Upper bound of the characters that encode_counts_to writes for `runs` runs.
constexpr std::size_t counts_text_bound(std::size_t runs) { return runs * 7; }
// Writes the minimal text of the runs, returns its length.
std::size_t encode_counts_to(const std::uint32_t* counts, std::size_t size, char* out);

// Folds over the text, no run list: number of foreground pixels; box (x, y, width, height) of the foreground.
std::uint64_t text_area(const char* text, std::size_t size, Shape shape);
struct Box {
  std::uint32_t x = 0, y = 0, width = 0, height = 0;
};
Box text_box(const char* text, std::size_t size, Shape shape);

// Box of canonical or non-canonical runs, one run at a time, without a division per run.
class BoxFold {
 public:
  explicit BoxFold(Shape shape) : h_(shape.height), top_(shape.height) {}
  void background(std::uint32_t run) { pair(run, 0); }
  void foreground(std::uint32_t run) { pair(0, run); }
  // A background run and the foreground run after it; either may be 0.
  void pair(std::uint32_t back, std::uint32_t fore) {
    const std::uint64_t both = std::uint64_t{back} + fore;
    std::uint64_t start = row_ + back, next = row_ + both;
    if (next >= 2 * h_ && h_ != 0) {
      start %= h_;
      next %= h_;
    } else {
      start -= start >= h_ ? h_ : 0;
      next -= next >= h_ ? h_ : 0;
    }
    if (fore != 0) {
      if (last_ == 0) first_ = at_ + back;
      // A run that passes the bottom goes on at the top of the next column, so it touches both: `bottom_` tells later.
      const std::uint64_t stop = start + fore;
      top_ = start < top_ ? start : top_;
      bottom_ = stop > bottom_ ? stop : bottom_;
      last_ = at_ + both;
    }
    at_ += both;
    row_ = next;
  }
  Box box() const {
    if (last_ == 0) return Box{};
    const auto x0 = static_cast<std::uint32_t>(first_ / h_);
    const auto x1 = static_cast<std::uint32_t>((last_ - 1) / h_);
    const bool wraps = bottom_ > h_;
    const std::uint64_t top = wraps ? 0 : top_, bottom = wraps ? h_ : bottom_;
    return Box{x0, static_cast<std::uint32_t>(top), x1 - x0 + 1, static_cast<std::uint32_t>(bottom - top)};
  }

 private:
  std::uint64_t h_, at_ = 0, row_ = 0, first_ = 0, last_ = 0, top_, bottom_ = 0;  // last_: end of the last, 0 for none
};

}  // namespace maskcodec
