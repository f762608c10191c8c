#include "bit_planes.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "maskcodec/bits.hpp"
#include "maskcodec/kernels.hpp"

namespace maskcodec {

namespace {

// Sets bits [a, b), a < b, of words with one to spare at the end. Short stretches, the common ones, without a branch.
void paint_bits(std::uint64_t* words, std::uint64_t a, std::uint64_t b) {
  const std::uint64_t n = b - a;
  if (n > 64) {
    set_bits(words, a, b);
    return;
  }
  const std::uint64_t bits = ~std::uint64_t{0} >> (64 - n);
  const unsigned shift = a % 64;
  words[a / 64] |= bits << shift;
  words[a / 64 + 1] |= bits >> 1 >> (63 - shift);
}

// A growing list that is written a stretch at a time.
class Positions {
 public:
  explicit Positions(std::size_t expected) : list_(expected + 64) {}

  // Appends the positions where bits [0, n) change, `before` being the bit before the first; returns the last bit. The
  // words are overwritten.
  std::uint64_t toggles(std::uint64_t* words, std::uint64_t n, std::uint64_t base, std::uint64_t before) {
    const std::size_t count = static_cast<std::size_t>((n + 63) / 64);
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t bits = words[i];
      words[i] = bits ^ ((bits << 1) | before);
      before = bits >> 63;
    }
    if (n % 64 != 0) {
      // Behind the end all bits are 0, so the last bit shows as one more change, if it was set.
      const std::uint64_t inside = (std::uint64_t{1} << (n % 64)) - 1;
      before = (words[count - 1] & ~inside) != 0;
      words[count - 1] &= inside;
    }
    constexpr std::size_t piece = 64;  // words
    for (std::size_t i = 0; i < count; i += piece) {
      const std::size_t now = std::min(piece, count - i);
      if (list_.size() < size_ + 64 * now + 16) list_.resize(2 * list_.size() + 64 * now);
      size_ += kernels().bit_positions(words + i, now, static_cast<std::uint32_t>(base + 64 * i), list_.data() + size_);
    }
    return before;
  }
  void add(std::uint64_t position) {
    if (list_.size() < size_ + 1) list_.resize(2 * list_.size());
    list_[size_++] = static_cast<std::uint32_t>(position);
  }
  // Takes the last position back if it is this one.
  bool take_back(std::uint64_t position) {
    if (size_ == 0 || list_[size_ - 1] != position) return false;
    --size_;
    return true;
  }
  std::vector<std::uint32_t> list() && {
    list_.resize(size_);
    return std::move(list_);
  }

 private:
  std::vector<std::uint32_t> list_;
  std::size_t size_ = 0;
};

// Toggle positions to canonical runs, in place.
Runs to_runs(Shape shape, std::vector<std::uint32_t>&& positions) {
  const auto pixels = static_cast<std::uint32_t>(shape.pixels());
  if (positions.empty() || positions.back() != pixels) positions.push_back(pixels);
  std::uint32_t last = 0;
  for (std::uint32_t& p : positions) {
    const std::uint32_t at = p;
    p = at - last;
    last = at;
  }
  return Runs{shape, std::move(positions)};
}

}  // namespace

Runs paint_union(const RunsView* masks, std::size_t count, bool inverse, std::uint64_t from, std::uint64_t to) {
  const Kernels& k = kernels();
  std::vector<std::uint64_t> words((to - from) / 64 + 11);
  for (std::size_t m = 0; m < count; ++m) {
    const RunsView& mask = masks[m];
    if (inverse) k.paint_runs(mask.data, mask.size, 0, words.data());
    else if (mask.size > 1) k.paint_runs(mask.data + 1, mask.size - 1, mask.data[0] - from, words.data());
  }
  Positions positions(masks[0].size);
  if (positions.toggles(words.data(), to - from, from, 0)) positions.add(to);
  return to_runs(masks[0].shape, std::move(positions).list());
}

Runs transpose_bits(RunsView runs, const Box& box) {
  const std::uint64_t width = runs.shape.width;
  const std::size_t blocks = (std::size_t{box.height} + 63) / 64, words = (std::size_t{box.width} + 63) / 64;
  std::vector<std::uint64_t> columns(words * 64 * blocks + 1);
  each_piece(runs, [&](std::uint32_t x, std::uint32_t a, std::uint32_t b) {
    paint_bits(columns.data() + std::size_t{x - box.x} * blocks, a - box.y, b - box.y);
  });
  std::vector<std::uint64_t> rows(blocks * 64 * words);
  for (std::size_t c = 0; c < words; ++c)
    for (std::size_t b = 0; b < blocks; ++b) {
      std::uint64_t square[64];
      std::uint64_t any = 0;
      for (std::size_t j = 0; j < 64; ++j) any |= square[j] = columns[(c * 64 + j) * blocks + b];
      if (any == 0) continue;
      transpose64(square);
      for (std::size_t r = 0; r < 64; ++r) rows[(b * 64 + r) * words + c] = square[r];
    }
  Positions positions(runs.size);
  for (std::uint32_t y = 0; y < box.height; ++y) {
    const std::uint64_t base = (std::uint64_t{box.y} + y) * width + box.x;
    // A run that ended with the row above goes on here: its end and this start are taken back together.
    const std::uint64_t joined = (rows[y * words] & 1u) && positions.take_back(base);
    if (positions.toggles(rows.data() + y * words, box.width, base, joined)) positions.add(base + box.width);
  }
  return to_runs(Shape{runs.shape.width, runs.shape.height}, std::move(positions).list());
}

}  // namespace maskcodec
