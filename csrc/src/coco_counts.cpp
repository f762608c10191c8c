#include "maskcodec/coco_counts.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "maskcodec/parallel.hpp"

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

// Writes runs one after the other.
struct Store {
  std::uint32_t* p;
  void operator()(const std::uint32_t* runs, std::size_t n) {
    if (n == 1) *p = *runs;
    else std::memcpy(p, runs, n * sizeof *runs);
    p += n;
  }
};

// Adds up the runs of either colour.
struct Sums {
  std::uint64_t even = 0, odd = 0;
  bool parity = false;
  void operator()(const std::uint32_t* runs, std::size_t n) {
    std::uint64_t a = 0, b = 0;
    std::size_t i = 0;
    for (; i + 2 <= n; i += 2) {
      a += runs[i];
      b += runs[i + 1];
    }
    if (i < n) a += runs[i];
    even += parity ? b : a;
    odd += parity ? a : b;
    parity ^= (n & 1u) != 0;
  }
};

struct Boxes : BoxFold {
  using BoxFold::BoxFold;
  bool parity = false;
  void operator()(const std::uint32_t* runs, std::size_t n) {
    std::size_t i = 0;
    if (parity && n != 0) foreground(runs[i++]);
    for (; i + 2 <= n; i += 2) pair(runs[i], runs[i + 1]);
    if (i < n) background(runs[i]);
    parity ^= (n & 1u) != 0;
  }
};

constexpr std::size_t slack = 2;  // padding may add a zero run and a background run

// Decodes into `out` (room for `size` + slack runs), canonical; returns the number of runs.
std::size_t decode_into(const char* text, std::size_t size, Shape shape, bool strict, std::uint32_t* out,
                        std::uint64_t* padded) {
  Store store{out};
  const std::uint64_t sum = scan_counts(text, size, shape, strict, store);
  std::size_t n = static_cast<std::size_t>(store.p - out);
  std::uint32_t zeros = 0;
  for (std::size_t i = 0; i < n; ++i) zeros += out[i] == 0;
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
  if (size <= 256) {
    std::uint32_t small[256 + slack];
    const std::size_t n = decode_into(text, size, shape, strict, small, padded);
    return Runs{shape, std::vector<std::uint32_t>(small, small + n)};
  }
  std::unique_ptr<std::uint32_t[]> buffer(new std::uint32_t[size + slack]);
  const std::size_t n = decode_into(text, size, shape, strict, buffer.get(), padded);
  return Runs{shape, std::vector<std::uint32_t>(buffer.get(), buffer.get() + n)};
}

std::size_t counts_room(std::size_t size) { return size + slack; }

void decode_counts_many(const CountsSource* sources, std::size_t count, bool strict, std::uint32_t* out,
                        std::uint64_t* offsets, unsigned threads) {
  // A few groups of neighbours, so that each packs its own masks and only whole groups are moved afterwards.
  threads = resolve_threads(threads, count);
  const std::size_t groups = threads == 1 ? 1 : std::min<std::size_t>(count, 8 * std::size_t{threads});
  struct Group {
    std::size_t first, last;
    std::uint32_t* out;
    std::size_t runs;
  };
  std::vector<Group> all(groups);
  std::size_t room = 0, next = 0;
  for (std::size_t g = 0; g < groups; ++g) {
    const std::size_t last = count * (g + 1) / groups;
    all[g] = Group{next, last, out + room, 0};
    for (; next < last; ++next) room += counts_room(sources[next].size);
  }
  parallel_for(groups, threads, [&](std::size_t g) {
    std::uint32_t* p = all[g].out;
    for (std::size_t i = all[g].first; i < all[g].last; ++i) {
      const CountsSource& s = sources[i];
      std::size_t n = s.size;
      if (s.text) {
        try {
          n = decode_into(s.text, s.size, s.shape, strict, p, nullptr);
        } catch (const DecodeError& error) {
          throw DecodeError("rles[" + std::to_string(i) + "]: " + error.what(), error.offset());
        }
      } else {
        std::copy(s.runs, s.runs + n, p);
      }
      offsets[i + 1] = n;
      p += n;
    }
    all[g].runs = static_cast<std::size_t>(p - all[g].out);
  });
  offsets[0] = 0;
  for (std::size_t i = 0; i < count; ++i) offsets[i + 1] += offsets[i];
  std::uint32_t* p = out;
  for (const Group& g : all) {
    if (p != g.out) std::memmove(p, g.out, g.runs * sizeof(std::uint32_t));
    p += g.runs;
  }
}

namespace {

// One number of any length.
char* put(std::int64_t x, char* p) {
  for (;;) {
    const std::int64_t rest = x >> 5;  // arithmetic on every compiler we support
    const bool last = (x & 16) ? rest == -1 : rest == 0;
    *p++ = static_cast<char>(48 + (x & 31) + (last ? 0 : 32));
    if (last) return p;
    x = rest;
  }
}

// A run from the fourth on: one to three characters without a branch; three are written, as many as are needed count.
char* put_difference(const std::uint32_t* run, char* p) {
  const std::int64_t x = std::int64_t{run[0]} - run[-2];
  if (static_cast<std::uint64_t>(x + 16384) >= 32768u) return put(x, p);
  const auto u = static_cast<std::uint32_t>(x);
  const std::uint32_t two = u + 16u >= 32u, three = u + 512u >= 1024u;
  p[0] = static_cast<char>(((u & 31u) | two << 5) + 48u);
  p[1] = static_cast<char>(((u >> 5 & 31u) | three << 5) + 48u);
  p[2] = static_cast<char>((u >> 10 & 31u) + 48u);
  return p + 1 + two + three;
}

}  // namespace

std::size_t encode_counts_to(const std::uint32_t* counts, std::size_t size, char* out) {
  char* p = out;
  for (std::size_t i = 0; i < size && i < 3; ++i) p = put(counts[i], p);
  std::size_t i = 3;
  const CountsKernels& kernel = counts_kernels();
  while (i < size) {
    if (kernel.write && size - i >= 16) {
      std::size_t done;
      p = kernel.write(counts + i, (size - i) / 16 * 16, p, &done);
      i += done;
    }
    // What the kernel left (a few at the end, or a group with a long number) one by one.
    for (const std::size_t stop = std::min(size, i + 16); i < stop; ++i) p = put_difference(counts + i, p);
  }
  return static_cast<std::size_t>(p - out);
}

std::uint64_t text_area(const char* text, std::size_t size, Shape shape) {
  Sums sums;
  scan_counts(text, size, shape, true, sums);
  return sums.odd;
}

Box text_box(const char* text, std::size_t size, Shape shape) {
  Boxes fold(shape);
  scan_counts(text, size, shape, true, fold);
  return fold.box();
}

}  // namespace maskcodec
