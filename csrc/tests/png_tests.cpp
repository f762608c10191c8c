// Tests of inflating and of PNG rows without Python. Returns the number of failed checks.
#include "png_tests.hpp"

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "check.hpp"
#include "maskcodec/dense.hpp"
#include "maskcodec/error.hpp"
#include "maskcodec/inflate.hpp"
#include "maskcodec/png_rows.hpp"

namespace {

using namespace maskcodec;

int failures = 0;  // counted by CHECK

using Bytes = std::vector<std::uint8_t>;

Bytes inflated(const Bytes& stream, std::size_t size) {
  Bytes out(size);
  inflate(stream.data(), stream.size(), out.data(), size);
  return out;
}

bool refused(const Bytes& stream, std::size_t size) {
  try {
    inflated(stream, size);
  } catch (const DecodeError&) {
    return true;
  }
  return false;
}

Bytes text(const std::string& s) { return Bytes(s.begin(), s.end()); }

// Stored blocks around bytes, as a zlib stream.
Bytes stored(const Bytes& bytes) {
  Bytes out{0x78, 0x01};
  for (std::size_t at = 0; at == 0 || at < bytes.size(); at += 65535) {
    const std::size_t n = bytes.size() - at < 65535 ? bytes.size() - at : 65535;
    out.push_back(at + n == bytes.size());
    for (const std::size_t v : {n, ~n}) {
      out.push_back(static_cast<std::uint8_t>(v));
      out.push_back(static_cast<std::uint8_t>(v >> 8));
    }
    out.insert(out.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
               bytes.begin() + static_cast<std::ptrdiff_t>(at + n));
  }
  const std::uint32_t sum = adler32(bytes.data(), bytes.size());
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(sum >> shift));
  return out;
}

void streams() {
  CHECK(adler32(nullptr, 0) == 1);
  CHECK(adler32(text("Wikipedia").data(), 9) == 0x11E60398u);
  CHECK((inflated({0x78, 0x9c, 0x4b, 0x4c, 0x4a, 0x06, 0x00, 0x02, 0x4d, 0x01, 0x27}, 3) == text("abc")));  // fixed code
  CHECK((inflated({0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01}, 0) == Bytes{}));
  // Distance 1 with and without zeros: ten 0, ten 'a'.
  CHECK((inflated({0x78, 0xda, 0x63, 0x80, 0x03, 0x00, 0x00, 0x0a, 0x00, 0x01}, 10) == Bytes(10)));
  CHECK((inflated({0x78, 0xda, 0x4b, 0x84, 0x03, 0x00, 0x14, 0xe1, 0x03, 0xcb}, 10) == text("aaaaaaaaaa")));
  for (const std::size_t n : {std::size_t{0}, std::size_t{1}, std::size_t{65535}, std::size_t{65536}, std::size_t{200000}}) {
    Bytes bytes(n);
    for (std::size_t i = 0; i < n; i += 1 + i / 3) bytes[i] = static_cast<std::uint8_t>(i);
    Bytes stream = stored(bytes);
    CHECK(inflated(stream, n) == bytes);
    CHECK(refused(stream, n + 1));
    CHECK(n == 0 || refused(stream, n - 1));
    stream.back() ^= 1;
    CHECK(refused(stream, n));
    stream.pop_back();
    CHECK(refused(stream, n));
  }
  CHECK(refused({}, 0));
  CHECK(refused({0x78}, 0));
  CHECK(refused({0x79, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01}, 0));          // head
  CHECK(refused({0x78, 0x9c, 0x07, 0x00, 0x00, 0x00, 0x00, 0x01}, 0));          // block of kind 3
  CHECK(refused({0x78, 0x9c, 0x63, 0x00, 0x02, 0x00}, 300));                    // before the start, or too early
}

// Noise behind a head that is right must never read or write out of bounds (sanitizers watch).
void noise() {
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    Bytes stream{0x78, 0x9c, static_cast<std::uint8_t>(random() % 2 ? 0x05 : 0x03)};
    for (std::size_t n = random() % 120; n != 0; --n) stream.push_back(static_cast<std::uint8_t>(random()));
    Bytes out(random() % 400);
    try {
      inflate(stream.data(), stream.size(), out.data(), out.size());
    } catch (const DecodeError&) {
    }
  }
}

int predicted(int filter, int left, int up, int corner) {
  const int guess = left + up - corner;
  const int a = std::abs(guess - left), b = std::abs(guess - up), c = std::abs(guess - corner);
  switch (filter) {
    case 1: return left;
    case 2: return up;
    case 3: return (left + up) / 2;
    case 4: return a <= b && a <= c ? left : b <= c ? up : corner;
    default: return 0;
  }
}

void filters() {
  std::mt19937 random(3);
  for (const unsigned depth : {1u, 2u, 4u, 8u, 16u})
    for (int round = 0; round < 400; ++round) {
      const Shape shape{1 + static_cast<std::uint32_t>(random() % 9), 1 + static_cast<std::uint32_t>(random() % 150)};
      const std::size_t n = (std::size_t{shape.width} * depth + 7) / 8, step = depth == 16 ? 2 : 1;
      const bool sparse = random() % 2 != 0;
      std::vector<Bytes> plain(shape.height, Bytes(n));
      for (Bytes& row : plain)
        if (random() % 3 != 0)
          for (std::uint8_t& byte : row)
            if (!sparse || random() % 20 == 0) byte = static_cast<std::uint8_t>(random() % 4 == 0 ? random() : 0);
      Bytes rows, mask(shape.pixels());
      for (std::size_t y = 0; y < shape.height; ++y) {
        const int filter = static_cast<int>(random() % 5);
        rows.push_back(static_cast<std::uint8_t>(filter));
        for (std::size_t i = 0; i < n; ++i) {
          const int left = i < step ? 0 : plain[y][i - step], up = y == 0 ? 0 : plain[y - 1][i];
          const int corner = y == 0 || i < step ? 0 : plain[y - 1][i - step];
          rows.push_back(static_cast<std::uint8_t>(plain[y][i] - predicted(filter, left, up, corner)));
        }
        for (std::size_t x = 0; x < shape.width; ++x) {
          const std::size_t bit = x * depth;
          mask[y * shape.width + x] =
              depth == 16 ? (plain[y][2 * x] | plain[y][2 * x + 1]) != 0
                          : (plain[y][bit / 8] >> (8 - depth - bit % 8) & ((1u << depth) - 1)) != 0;
        }
      }
      const Runs expected = encode(PixelView<std::uint8_t>{mask.data(), shape.height, shape.width,
                                                           static_cast<std::ptrdiff_t>(shape.width), 1});
      CHECK(png_foreground(rows.data(), rows.size(), shape, depth).counts == expected.counts);
      const Bytes stream = stored(rows);
      CHECK(png_mask(stream.data(), stream.size(), shape, depth).counts == expected.counts);
    }
}

template <class E, class Call>
bool throws(Call&& call) {
  try {
    call();
  } catch (const E&) {
    return true;
  }
  return false;
}

void bad_rows() {
  const Bytes rows{0, 0, 5, 0};
  CHECK(throws<DecodeError>([&] { png_foreground(rows.data(), 4, {2, 8}, 1); }));
  CHECK(throws<ShapeError>([&] { png_foreground(rows.data(), 4, {2, 9}, 1); }));
  CHECK(throws<ShapeError>([&] { png_foreground(rows.data(), 4, {2, 8}, 3); }));
  CHECK(throws<ShapeError>([&] { png_foreground(rows.data(), 4, {2, 8}, 0); }));
}

}  // namespace

int run_png_tests() {
  streams();
  noise();
  filters();
  bad_rows();
  return failures;
}
