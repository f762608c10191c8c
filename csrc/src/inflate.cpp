#include "maskcodec/inflate.hpp"

#include <algorithm>
#include <cstring>

#include "maskcodec/error.hpp"
#include "maskcodec/kernels.hpp"

namespace maskcodec {

namespace {

// Bits of a stream, lowest first. Behind its end there are none: `take` and `symbol` throw.
class Bits {
 public:
  Bits(const std::uint8_t* data, std::size_t n) : begin_(data), at_(data), end_(data + n) {}

  [[noreturn]] void fail(const char* what) const {
    throw DecodeError(what, static_cast<std::size_t>(at_ - begin_) - count_ / 8);
  }
  // At least 56 bits, or all that are left.
  void refill() {
    while (count_ <= 56 && at_ != end_) {
      held_ |= std::uint64_t{*at_++} << count_;
      count_ += 8;
    }
  }
  std::uint64_t peek() const { return held_; }
  void drop(unsigned n) {
    if (n > count_) fail("the stream ends too early");
    held_ >>= n;
    count_ -= n;
  }
  unsigned take(unsigned n) {  // n <= 16
    if (count_ < n) refill();
    const unsigned value = static_cast<unsigned>(held_ & ((std::uint64_t{1} << n) - 1));
    drop(n);
    return value;
  }
  void align() { drop(count_ % 8); }
  // Copies whole bytes; the stream is aligned.
  void bytes(std::uint8_t* out, std::size_t n) {
    for (; n != 0 && count_ != 0; --n) *out++ = static_cast<std::uint8_t>(take(8));
    if (static_cast<std::size_t>(end_ - at_) < n) fail("the stream ends too early");
    if (n != 0) std::memcpy(out, at_, n);
    at_ += n;
  }

 private:
  const std::uint8_t *begin_, *at_, *end_;
  std::uint64_t held_ = 0;
  unsigned count_ = 0;
};

// A prefix code as one table over as many bits as its longest word has.
class Code {
 public:
  // False for lengths that are no complete code; a single word of one bit counts as one, as zlib has it.
  bool make(const std::uint8_t* lengths, unsigned n) {
    unsigned count[16] = {}, next[16] = {};
    for (unsigned i = 0; i < n; ++i) ++count[lengths[i]];
    count[0] = 0;
    longest_ = 15;
    while (longest_ > 1 && count[longest_] == 0) --longest_;
    int left = 1;
    for (unsigned bits = 1; bits <= 15; ++bits) {
      left = 2 * left - static_cast<int>(count[bits]);
      if (left < 0) return false;
      next[bits] = (next[bits - 1] + count[bits - 1]) << 1;
    }
    if (left != 0 && longest_ != 1) return false;
    std::fill(table_, table_ + (std::size_t{1} << longest_), std::uint16_t{0});
    for (unsigned i = 0; i < n; ++i) {
      const unsigned length = lengths[i];
      if (length == 0) continue;
      unsigned word = next[length]++, reversed = 0;
      for (unsigned bit = 0; bit < length; ++bit, word >>= 1) reversed = reversed << 1 | (word & 1u);
      for (unsigned at = reversed; at < 1u << longest_; at += 1u << length)
        table_[at] = static_cast<std::uint16_t>(i << 4 | length);
    }
    return true;
  }
  // The next symbol; 48 bits at least are held, or all that are left.
  unsigned read(Bits& bits) const {
    const unsigned entry = table_[bits.peek() & ((1u << longest_) - 1)];
    if (entry == 0) bits.fail("a word that the code does not have");
    bits.drop(entry & 15u);
    return entry >> 4;
  }

 private:
  unsigned longest_ = 1;
  std::uint16_t table_[1 << 15];  // symbol * 16 + length; 0: no such word
};

struct Codes {
  Code literals, distances;
};

void read_codes(Bits& bits, Codes& codes) {
  static const std::uint8_t order[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  const unsigned literals = bits.take(5) + 257, distances = bits.take(5) + 1, count = bits.take(4) + 4;
  if (literals > 286 || distances > 30) bits.fail("too many symbols");
  std::uint8_t lengths[320] = {};
  for (unsigned i = 0; i < count; ++i) lengths[order[i]] = static_cast<std::uint8_t>(bits.take(3));
  Code& first = codes.literals;  // made anew below
  if (!first.make(lengths, 19)) bits.fail("the code of the code lengths is not complete");
  std::memset(lengths, 0, sizeof lengths);
  for (unsigned i = 0; i < literals + distances;) {
    bits.refill();
    const unsigned symbol = first.read(bits);
    if (symbol < 16) {
      lengths[i++] = static_cast<std::uint8_t>(symbol);
      continue;
    }
    if (symbol == 16 && i == 0) bits.fail("a code length that repeats nothing");
    const std::uint8_t value = symbol == 16 ? lengths[i - 1] : std::uint8_t{0};
    unsigned times = symbol == 16 ? 3 + bits.take(2) : symbol == 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    if (times > literals + distances - i) bits.fail("too many code lengths");
    while (times-- != 0) lengths[i++] = value;
  }
  if (lengths[256] == 0) bits.fail("no word for the end of a block");
  if (!codes.literals.make(lengths, literals)) bits.fail("the code of literals is not complete");
  if (!codes.distances.make(lengths + literals, distances)) bits.fail("the code of distances is not complete");
}

void fixed_codes(Codes& codes) {
  std::uint8_t lengths[288];
  for (unsigned i = 0; i < 288; ++i) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  codes.literals.make(lengths, 288);
  std::fill(lengths, lengths + 32, std::uint8_t{5});
  codes.distances.make(lengths, 32);
}

// Repeats n bytes from `distance` before; zeros are there already.
void repeat(std::uint8_t* out, std::size_t distance, std::size_t n) {
  const std::uint8_t* from = out - distance;
  if (distance == 1) {
    if (*from != 0) std::memset(out, *from, n);
  } else if (distance >= n) {
    std::memcpy(out, from, n);
  } else {
    for (std::size_t i = 0; i < n; ++i) out[i] = from[i];
  }
}

std::uint8_t* read_block(Bits& bits, const Codes& codes, std::uint8_t* begin, std::uint8_t* out, std::uint8_t* end) {
  static const std::uint16_t base[29] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                         31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
  static const std::uint8_t extra[29] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
  static const std::uint16_t far[30] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
                                        193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
  for (;;) {
    bits.refill();  // a word of 15 bits, 5 more, a word of 15 bits, 13 more
    const unsigned symbol = codes.literals.read(bits);
    if (symbol < 256) {
      if (out == end) bits.fail("more bytes than expected");
      *out++ = static_cast<std::uint8_t>(symbol);
      continue;
    }
    if (symbol == 256) return out;
    if (symbol > 285) bits.fail("a length that there is not");
    const std::size_t length = base[symbol - 257] + bits.take(extra[symbol - 257]);
    const unsigned reach = codes.distances.read(bits);
    if (reach > 29) bits.fail("a distance that there is not");
    const std::size_t distance = far[reach] + bits.take(reach < 4 ? 0 : reach / 2 - 1);
    if (distance > static_cast<std::size_t>(out - begin)) bits.fail("a distance that reaches before the start");
    if (length > static_cast<std::size_t>(end - out)) bits.fail("more bytes than expected");
    repeat(out, distance, length);
    out += length;
  }
}

}  // namespace

void inflate(const std::uint8_t* data, std::size_t n, std::uint8_t* out, std::size_t size) {
  Bits bits(data, n);
  const unsigned method = bits.take(8), flags = bits.take(8);
  if ((method & 15u) != 8 || method >> 4 > 7 || (method * 256 + flags) % 31 != 0 || (flags & 0x20u) != 0)
    bits.fail("not the head of a zlib stream");
  std::uint8_t* const begin = out;
  std::uint8_t* const end = out + size;
  static thread_local Codes codes;
  for (bool last = false; !last;) {
    last = bits.take(1) != 0;
    const unsigned kind = bits.take(2);
    if (kind == 3) bits.fail("a block of an unknown kind");
    if (kind == 0) {
      bits.align();
      const unsigned count = bits.take(16), inverse = bits.take(16);
      if ((count ^ inverse) != 0xFFFFu) bits.fail("the length of a stored block is corrupt");
      if (count > static_cast<std::size_t>(end - out)) bits.fail("more bytes than expected");
      bits.bytes(out, count);
      out += count;
      continue;
    }
    if (kind == 1) fixed_codes(codes);
    else read_codes(bits, codes);
    out = read_block(bits, codes, begin, out, end);
  }
  if (out != end) bits.fail("fewer bytes than expected");
  bits.align();
  std::uint32_t sum = 0;
  for (int i = 0; i < 4; ++i) sum = sum << 8 | bits.take(8);
  if (sum != adler32(begin, size)) bits.fail("the checksum is another one");
}

std::uint32_t adler32(const std::uint8_t* data, std::size_t n) noexcept {
  constexpr std::uint32_t modulus = 65521;
  constexpr std::size_t most = 5552;  // bytes that 32 bits can add up
  const Kernels& k = kernels();
  std::uint64_t low = 1, high = 0;
  for (std::size_t at = 0; at < n;) {
    const std::size_t blank = k.zeros(data + at, n - at);  // they add the low half to the high one, over and over
    if (blank != 0) {
      high = (high + (blank % modulus) * low) % modulus;
      at += blank;
    }
    const std::size_t now = std::min(most, n - at);
    std::uint32_t a = static_cast<std::uint32_t>(low), b = static_cast<std::uint32_t>(high);
    for (std::size_t i = 0; i < now; ++i) b += a += data[at + i];
    low = a % modulus;
    high = b % modulus;
    at += now;
  }
  return static_cast<std::uint32_t>(high << 16 | low);
}

}  // namespace maskcodec
