#include "maskcodec/coco_counts.hpp"

#include <cstdio>
#include <memory>
#include <string>

namespace maskcodec {

namespace detail {

void fail_character(const char* text, std::size_t at) {
  char shown[32];
  const unsigned c = static_cast<unsigned char>(text[at]);
  if (c > 32 && c < 127)
    std::snprintf(shown, sizeof shown, "'%c'", static_cast<int>(c));
  else
    std::snprintf(shown, sizeof shown, "byte 0x%02X", c);
  throw DecodeError("counts: " + std::string(shown) + " at position " + std::to_string(at) +
                        " is outside the alphabet '0'..'o'",
                    at);
}

void fail_open(std::size_t at) {
  throw DecodeError("counts: the text ends inside the number that starts at position " + std::to_string(at), at);
}

void fail_long(std::size_t at) {
  throw DecodeError("counts: the number at position " + std::to_string(at) + " has more than 7 characters", at);
}

void fail_run(std::int64_t run, std::size_t index, std::size_t at) {
  throw DecodeError("counts: run " + std::to_string(index) + " at position " + std::to_string(at) + " is " +
                        std::to_string(run) + ", expected 0..4294967295",
                    at);
}

void fail_over(Shape shape, std::size_t index, std::size_t at) {
  throw DecodeError("counts: run " + std::to_string(index) + " at position " + std::to_string(at) +
                        " passes the end of the mask (" + std::to_string(shape.height) + " x " +
                        std::to_string(shape.width) + " = " + std::to_string(shape.pixels()) + " pixels)",
                    at);
}

void fail_short(std::uint64_t sum, Shape shape, std::size_t at) {
  throw DecodeError("counts: runs add up to " + std::to_string(sum) + ", expected " + std::to_string(shape.height) +
                        " x " + std::to_string(shape.width) + " = " + std::to_string(shape.pixels()) + " pixels",
                    at);
}

}  // namespace detail

namespace {

// Decodes into `out` (room for `size` runs), canonical; returns the number of runs.
std::size_t decode_into(const char* text, std::size_t size, Shape shape, bool strict, std::uint32_t* out,
                        std::uint64_t* padded) {
  std::uint32_t* p = out;
  std::uint32_t zeros = 0;
  const std::uint64_t sum = scan_counts(text, size, shape, strict, [&](std::uint32_t run) {
    zeros += run == 0;
    *p++ = run;
  });
  std::size_t n = static_cast<std::size_t>(p - out);
  const std::uint64_t missing = shape.pixels() - sum;
  if (padded) *padded = missing;
  if (zeros > (n != 0 && out[0] == 0 ? 1u : 0u) || missing != 0 || n == 0) {
    std::vector<std::uint32_t> counts(out, out + n);
    if (missing != 0) {
      if (counts.size() % 2 == 0) counts.push_back(0);
      counts.back() += static_cast<std::uint32_t>(missing);
    }
    canonicalise(counts);
    n = counts.size();
    for (std::size_t i = 0; i < n; ++i) out[i] = counts[i];
  }
  return n;
}

}  // namespace

Runs decode_counts(const char* text, std::size_t size, Shape shape, bool strict, std::uint64_t* padded) {
  // Two more than characters: padding may add a zero run and a background run, an empty text is the run 0.
  if (size <= 256) {
    std::uint32_t small[258];
    const std::size_t n = decode_into(text, size, shape, strict, small, padded);
    return Runs{shape, std::vector<std::uint32_t>(small, small + n)};
  }
  std::unique_ptr<std::uint32_t[]> buffer(new std::uint32_t[size + 2]);
  const std::size_t n = decode_into(text, size, shape, strict, buffer.get(), padded);
  return Runs{shape, std::vector<std::uint32_t>(buffer.get(), buffer.get() + n)};
}

void append_counts(const char* text, std::size_t size, Shape shape, std::vector<std::uint32_t>& out) {
  const std::size_t before = out.size();
  out.resize(before + size + 2);
  try {
    out.resize(before + decode_into(text, size, shape, true, out.data() + before, nullptr));
  } catch (...) {
    out.resize(before);
    throw;
  }
}

std::size_t encode_counts_to(const std::uint32_t* counts, std::size_t size, char* out) {
  char* p = out;
  for (std::size_t i = 0; i < size; ++i) {
    std::int64_t x = counts[i];
    if (i > 2) x -= counts[i - 2];
    if (x >= -16 && x < 16) {
      *p++ = static_cast<char>(48 + (x & 31));
    } else if (x >= -512 && x < 512) {
      p[0] = static_cast<char>(48 + 32 + (x & 31));
      p[1] = static_cast<char>(48 + ((x >> 5) & 31));
      p += 2;
    } else {
      for (;;) {
        const std::int64_t rest = x >> 5;  // arithmetic on every compiler we support
        const bool last = (x & 16) ? rest == -1 : rest == 0;
        *p++ = static_cast<char>(48 + (x & 31) + (last ? 0 : 32));
        if (last) break;
        x = rest;
      }
    }
  }
  return static_cast<std::size_t>(p - out);
}

std::uint64_t text_area(const char* text, std::size_t size, Shape shape) {
  std::uint64_t all[2] = {0, 0};
  unsigned parity = 0;
  scan_counts(text, size, shape, true, [&](std::uint32_t run) {
    all[parity] += run;
    parity ^= 1u;
  });
  return all[1];
}

Box text_box(const char* text, std::size_t size, Shape shape) {
  BoxFold fold(shape);
  scan_counts(text, size, shape, true, fold);
  return fold.box();
}

}  // namespace maskcodec
