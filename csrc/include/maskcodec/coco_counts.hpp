// The compressed counts string of COCO (maskApi): 5 data bits a character, bit 5 = more follow, differences from run 3 on.
//
// scan_counts is the one routine that reads such text. It checks everything before anything is done with a run: the
// alphabet (characters 48..111), at most 7 characters a number, no open end, each run in 0..2^32-1, and the total,
// added up in 64 bits, against height * width.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "maskcodec/runs.hpp"

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

// Calls sink(run) for every run of text[0..size), background first. Returns the sum of the runs.
// With strict = false a sum below the number of pixels is allowed (the caller pads); nothing else is.
template <class Sink>
std::uint64_t scan_counts(const char* text, std::size_t size, Shape shape, bool strict, Sink&& sink) {
  const std::uint64_t pixels = shape.pixels();
  const char* p = text;
  const char* const end = text + size;
  std::uint64_t sum = 0;
  std::int64_t older = 0, newer = 0;  // runs i-2 and i-1, as the differences see them (0 while i <= 2)
  std::size_t i = 0;
  while (p != end) {
    const char* const first = p;
    const unsigned c = static_cast<unsigned>(static_cast<unsigned char>(*p)) - 48u;
    std::int64_t x;
    if (c < 32u) {
      x = static_cast<std::int64_t>(c ^ 16u) - 16;
      ++p;
    } else if (c < 64u) {
      const unsigned d = p + 1 != end ? static_cast<unsigned>(static_cast<unsigned char>(p[1])) - 48u : 64u;
      if (d < 32u) {
        x = (static_cast<std::int64_t>((c & 31u) | (d << 5)) ^ 512) - 512;
        p += 2;
      } else {
        p = detail::scan_long(text, p, end, x);
      }
    } else {
      detail::fail_character(text, static_cast<std::size_t>(p - text));
    }
    x += older;
    if (static_cast<std::uint64_t>(x) > 0xFFFFFFFFull) detail::fail_run(x, i, static_cast<std::size_t>(first - text));
    sum += static_cast<std::uint64_t>(x);
    if (sum > pixels) detail::fail_over(shape, i, static_cast<std::size_t>(first - text));
    sink(static_cast<std::uint32_t>(x));
    // Run 3 is the first difference, and it is taken to run 1: run 0 never is a base.
    older = newer;
    newer = i == 0 ? 0 : x;
    ++i;
  }
  if (sum != pixels && strict) detail::fail_short(sum, shape, size);
  return sum;
}

// Text to canonical runs. `padded` receives how many background pixels were added at the end (strict = false only).
Runs decode_counts(const char* text, std::size_t size, Shape shape, bool strict = true, std::uint64_t* padded = nullptr);
// The same into a vector that is reused: counts are appended, canonical. For batches.
void append_counts(const char* text, std::size_t size, Shape shape, std::vector<std::uint32_t>& out);

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
  void operator()(std::uint32_t run) {
    if (foreground_ && run != 0) {
      if (!any_) {
        any_ = true;
        first_ = at_;
      }
      last_ = at_ + run - 1;
      const std::uint64_t stop = row_ + run;
      if (stop > h_) {  // it goes on in the next column, so it touches the top row and the bottom row
        top_ = 0;
        bottom_ = h_ - 1;
      } else {
        if (row_ < top_) top_ = row_;
        if (stop - 1 > bottom_) bottom_ = stop - 1;
      }
    }
    at_ += run;
    row_ += run;
    if (row_ >= h_ && h_ != 0) {
      row_ -= h_;
      if (row_ >= h_) row_ %= h_;
    }
    foreground_ = !foreground_;
  }
  Box box() const {
    if (!any_) return Box{};
    const auto x0 = static_cast<std::uint32_t>(first_ / h_);
    const auto x1 = static_cast<std::uint32_t>(last_ / h_);
    return Box{x0, static_cast<std::uint32_t>(top_), x1 - x0 + 1, static_cast<std::uint32_t>(bottom_ - top_ + 1)};
  }

 private:
  std::uint64_t h_, at_ = 0, row_ = 0, first_ = 0, last_ = 0, top_, bottom_ = 0;
  bool any_ = false, foreground_ = false;
};

}  // namespace maskcodec
