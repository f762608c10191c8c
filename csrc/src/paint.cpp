#include "maskcodec/paint.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>

#include "maskcodec/kernels.hpp"

namespace maskcodec {

namespace {

constexpr std::uint32_t closed = 0xFFFFFFFFu;

// --- splitting ---------------------------------------------------------------------------------------------------------

// Label -> index in order of first appearance: a table for small labels, a hash table for the others.
template <class U>
class LabelIndex {
 public:
  std::uint32_t operator()(U label) {
    if (label < small_.size()) {
      const std::uint32_t index = small_[static_cast<std::size_t>(label)];
      return index != closed ? index : small_[static_cast<std::size_t>(label)] = add(label);
    }
    return other(label);
  }

  std::vector<U> values;
  std::vector<std::uint32_t> stretches;  // of each label; the caller counts

 private:
  std::uint32_t add(U label) {
    values.push_back(label);
    stretches.push_back(0);
    return static_cast<std::uint32_t>(values.size() - 1);
  }

  std::uint32_t other(U label) {
    if (label < 65536u) {
      // Never beyond 65536: larger labels may be in the hash table already.
      small_.resize(std::min<std::size_t>(65536, std::max<std::size_t>(256, 2 * static_cast<std::size_t>(label))), closed);
      return (*this)(label);
    }
    if (hashed_.empty()) hashed_.assign(1024, closed);
    std::size_t at = slot(label);
    if (hashed_[at] == closed) {
      if (2 * (values.size() + 1) > hashed_.size()) {
        hashed_.assign(hashed_.size() * 2, closed);
        for (std::uint32_t i = 0; i < values.size(); ++i)
          if (values[i] >= small_.size()) hashed_[slot(values[i])] = i;
        at = slot(label);
      }
      hashed_[at] = add(label);
    }
    return hashed_[at];
  }

  std::size_t slot(U label) const {
    std::uint64_t hash = static_cast<std::uint64_t>(label) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    const std::size_t mask = hashed_.size() - 1;
    std::size_t at = static_cast<std::size_t>(hash) & mask;
    while (hashed_[at] != closed && values[hashed_[at]] != label) at = (at + 1) & mask;
    return at;
  }

  std::vector<std::uint32_t> small_, hashed_;
};

// The map as one column-major run-length sequence: each stretch is its start << 32 | the index of its label.
using Stretches = std::vector<std::uint64_t>;

template <class U>
constexpr unsigned size_shift() {
  return sizeof(U) == 1 ? 0 : sizeof(U) == 2 ? 1 : sizeof(U) == 4 ? 2 : 3;
}

template <class U>
const std::uint8_t* bytes_of(const U* p) {
  return reinterpret_cast<const std::uint8_t*>(p);
}

// Columns contiguous in memory: compare each pixel with the one above.
template <class U>
void scan_columns(PixelView<U> map, LabelIndex<U>& index, Stretches& out) {
  const Kernels& k = kernels();
  const std::size_t height = map.height;
  std::vector<std::uint32_t> rows(height + 16);
  const auto put = [&](std::size_t position, U label) {
    const std::uint32_t i = index(label);
    ++index.stretches[i];
    out.push_back(std::uint64_t{position} << 32 | i);
  };
  for (std::size_t x = 0; x < map.width; ++x) {
    const U* column = &map.at(0, x);
    const std::size_t top = x * height;
    if (x == 0 || column[0] != map.at(height - 1, x - 1)) put(top, column[0]);
    const std::size_t n = k.rows_differ(bytes_of(column + 1), bytes_of(column), height - 1, size_shift<U>(), rows.data());
    for (std::size_t i = 0; i < n; ++i) put(top + rows[i] + 1, column[rows[i] + 1]);
  }
}

// Anything else, row by row: compare each row with the one above, note where they differ, then bring the notes into column
// order by counting. Done in strips of columns so that a noisy map needs little more memory than its result.
template <class U>
class RowScan {
 public:
  RowScan(PixelView<U> map, LabelIndex<U>& index, Stretches& out) : map_(map), index_(index), out_(out) {}

  void run() {
    const std::size_t strip = std::max<std::size_t>(4096, (std::size_t{1} << 24) / map_.height);
    for (std::size_t x = 0; x < map_.width; x += strip) scan(x, std::min(map_.width, x + strip));
  }

 private:
  const U* row(std::size_t y, std::size_t first, std::size_t n, std::vector<U>& buffer) const {
    if (map_.col_stride == static_cast<std::ptrdiff_t>(sizeof(U))) return &map_.at(y, first);
    buffer.resize(n);
    for (std::size_t k = 0; k < n; ++k) buffer[k] = map_.at(y, first + k);
    return buffer.data();
  }

  // Looks up the labels of the `found` columns that were noted last.
  void label(const U* here, std::size_t found) {
    for (std::size_t i = noted_; i < noted_ + found; ++i) {
      const std::uint32_t index = index_(here[where_[i]]);
      what_[i] = index;
      ++index_.stretches[index];
      ++place_[where_[i]];
    }
    noted_ += found;
  }

  void scan(std::size_t first, std::size_t last) {
    const Kernels& kernel = kernels();
    const std::size_t n = last - first;
    noted_ = 0;
    place_.assign(n + 1, 0);
    row_ends_.resize(map_.height);
    make_room(n);
    const U* above = row(0, first, n, buffers_[0]);
    std::size_t found = 0;
    for (std::size_t k = 0; k < n; ++k)
      if (first + k == 0 || above[k] != map_.at(map_.height - 1, first + k - 1))
        where_[found++] = static_cast<std::uint32_t>(k);
    label(above, found);
    row_ends_[0] = static_cast<std::uint32_t>(noted_);
    for (std::size_t y = 1; y < map_.height; ++y) {
      const U* here = row(y, first, n, buffers_[y & 1]);
      make_room(n);
      label(here, kernel.rows_differ(bytes_of(here), bytes_of(above), n, size_shift<U>(), where_.get() + noted_));
      row_ends_[y] = static_cast<std::uint32_t>(noted_);
      above = here;
    }
    std::size_t total = out_.size();
    for (std::size_t k = 0; k < n; ++k) {
      const std::uint32_t count = place_[k];
      place_[k] = static_cast<std::uint32_t>(total);
      total += count;
    }
    out_.resize(total);
    std::size_t i = 0;
    for (std::size_t y = 0; y < map_.height; ++y)
      for (; i < row_ends_[y]; ++i) {
        const std::uint32_t column = where_[i];
        out_[place_[column]++] = std::uint64_t{(first + column) * map_.height + y} << 32 | what_[i];
      }
  }

  void make_room(std::size_t n) {
    if (room_ >= noted_ + n + 16) return;
    const std::size_t size = std::max(noted_ + n + 16, room_ * 2);
    for (auto* buffer : {&where_, &what_}) {
      std::unique_ptr<std::uint32_t[]> bigger(new std::uint32_t[size]);
      std::copy_n(buffer->get(), noted_, bigger.get());
      *buffer = std::move(bigger);
    }
    room_ = size;
  }

  PixelView<U> map_;
  LabelIndex<U>& index_;
  Stretches& out_;
  std::unique_ptr<std::uint32_t[]> where_, what_;  // column and label of each note, in row order
  std::size_t noted_ = 0, room_ = 0;
  std::vector<std::uint32_t> place_, row_ends_;
  std::vector<U> buffers_[2];
};

}  // namespace

template <class T>
LabelRuns<T> split_labels(PixelView<T> labels, const T* background) {
  using U = std::make_unsigned_t<T>;
  const Shape shape = make_shape(labels.height, labels.width);
  check_dense(shape);
  LabelRuns<T> out;
  out.offsets.push_back(0);
  if (shape.pixels() == 0) return out;
  const auto pixels = static_cast<std::uint32_t>(shape.pixels());
  // Compared as unsigned bits; only the order of the ids at the end minds the sign.
  const PixelView<U> map{reinterpret_cast<const U*>(labels.data), labels.height, labels.width, labels.row_stride,
                         labels.col_stride};
  Stretches s;
  LabelIndex<U> index;
  if (labels.row_stride == static_cast<std::ptrdiff_t>(sizeof(T)) && labels.height > 1)
    scan_columns(map, index, s);
  else
    RowScan<U>(map, index, s).run();

  std::vector<std::uint32_t> order;
  std::uint32_t skipped = closed;
  for (std::uint32_t i = 0; i < index.values.size(); ++i) {
    if (background && index.values[i] == static_cast<U>(*background))
      skipped = i;
    else
      order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return static_cast<T>(index.values[a]) < static_cast<T>(index.values[b]);
  });
  struct Label {
    std::uint64_t at = 0;   // where its next run goes
    std::uint32_t end = 0;  // where its last stretch so far ends
  };
  std::vector<Label> all(index.values.size());
  const auto last = static_cast<std::uint32_t>(s.back());  // its label ends in foreground, the others in background
  std::uint64_t total = 0;
  for (const std::uint32_t i : order) {
    out.ids.push_back(static_cast<T>(index.values[i]));
    all[i].at = total;
    total += 2 * std::uint64_t{index.stretches[i]} + (i == last ? 0 : 1);
    out.offsets.push_back(total);
  }
  out.runs.resize(static_cast<std::size_t>(total));
  s.push_back(std::uint64_t{pixels} << 32);
  for (std::size_t k = 0; k + 1 < s.size(); ++k) {
    const auto which = static_cast<std::uint32_t>(s[k]);
    if (which == skipped) continue;
    const auto start = static_cast<std::uint32_t>(s[k] >> 32), end = static_cast<std::uint32_t>(s[k + 1] >> 32);
    Label& label = all[which];
    std::uint32_t* runs = out.runs.data() + label.at;
    runs[0] = start - label.end;
    runs[1] = end - start;
    label.at += 2;
    label.end = end;
  }
  for (const std::uint32_t i : order)
    if (i != last) out.runs[static_cast<std::size_t>(all[i].at)] = pixels - all[i].end;
  return out;
}

RunsView checked_view(const std::uint32_t* counts, std::size_t size, Shape shape) {
  check_total(counts, size, shape);
  std::size_t zeros = 0;
  for (std::size_t i = 1; i < size; ++i) zeros += counts[i] == 0;
  for (std::size_t i = 1; i < size && zeros != 0; ++i)
    if (counts[i] == 0) throw DecodeError("run " + std::to_string(i) + " is 0; canonical runs are needed here", i);
  return RunsView{counts, size, shape};
}

// --- painting ----------------------------------------------------------------------------------------------------------

template <class T>
Painter<T>::Painter(Shape shape, T background) : shape_(shape), canvas_(nullptr), row_stride_(shape.width) {
  check_dense(shape);
  own_.assign(static_cast<std::size_t>(shape.pixels()), background);
  canvas_ = own_.data();
  open_.assign(shape.height, closed);
}

template <class T>
Painter<T>::Painter(T* canvas, Shape shape, std::ptrdiff_t row_stride)
    : shape_(shape), canvas_(canvas), row_stride_(row_stride) {
  check_dense(shape);
  open_.assign(shape.height, closed);
}

template <class T>
void Painter<T>::clear(T background) {
  for (std::uint32_t y = 0; y < shape_.height; ++y)
    std::fill_n(canvas_ + static_cast<std::ptrdiff_t>(y) * row_stride_, shape_.width, background);
}

// On the line between two columns the rows where just one of them changes bound the stretches in which they differ; in each
// row of such a stretch a span starts or ends.
template <class T>
void Painter<T>::close_line(std::uint64_t x, T value) {
  const auto column = static_cast<std::uint32_t>(x);
  std::size_t a = 0, b = 0;
  bool differs = false;
  std::uint32_t from = 0;
  while (a < left_.size() || b < here_.size()) {
    if (a < left_.size() && b < here_.size() && left_[a] == here_[b]) {
      ++a;
      ++b;
      continue;
    }
    const std::uint32_t to = b == here_.size() || (a < left_.size() && left_[a] < here_[b]) ? left_[a++] : here_[b++];
    if (differs) {
      T* row = canvas_ + static_cast<std::ptrdiff_t>(from) * row_stride_;
      for (std::uint32_t y = from; y < to; ++y, row += row_stride_) {
        const std::uint32_t start = open_[y];
        if (start == closed) {
          open_[y] = column;
        } else {
          std::fill(row + start, row + column, value);
          open_[y] = closed;
        }
      }
    }
    differs = !differs;
    from = to;
  }
}

template <class T>
void Painter<T>::paint(RunsView runs, T value) {
  if (runs.shape != shape_)
    throw ShapeError("a mask of " + std::to_string(runs.shape.height) + " x " + std::to_string(runs.shape.width) +
                     " does not fit a canvas of " + std::to_string(shape_.height) + " x " +
                     std::to_string(shape_.width));
  if (runs.size < 2 || shape_.pixels() == 0) return;
  const std::uint64_t height = shape_.height;
  left_.clear();
  std::size_t i = 0;
  std::uint64_t end = runs.data[0];
  std::uint64_t x = end / height;  // columns before the first foreground stay as they are
  while (x < shape_.width) {
    const std::uint64_t top = x * height;
    const std::uint64_t bottom = top + height;
    here_.clear();
    while (end <= top && i + 1 < runs.size) end += runs.data[++i];
    bool inside = (i & 1) != 0;
    if (inside) here_.push_back(0);
    while (end < bottom && i + 1 < runs.size) {
      here_.push_back(static_cast<std::uint32_t>(end - top));
      inside = !inside;
      end += runs.data[++i];
    }
    if (inside) here_.push_back(static_cast<std::uint32_t>(height));
    close_line(x, value);
    left_.swap(here_);
    ++x;
    // The other columns that lie wholly in the same run look like this one, if this one does.
    const bool uniform = left_.empty() || (left_.size() == 2 && left_[0] == 0 && left_[1] == height);
    if (uniform && end > x * height) x = end / height;
  }
  here_.clear();
  close_line(shape_.width, value);
}

template class Painter<std::uint8_t>;
template class Painter<std::uint16_t>;
template class Painter<std::uint32_t>;
template class Painter<std::uint64_t>;
template class Painter<std::int8_t>;
template class Painter<std::int16_t>;
template class Painter<std::int32_t>;
template class Painter<std::int64_t>;

template LabelRuns<std::uint8_t> split_labels(PixelView<std::uint8_t>, const std::uint8_t*);
template LabelRuns<std::uint16_t> split_labels(PixelView<std::uint16_t>, const std::uint16_t*);
template LabelRuns<std::uint32_t> split_labels(PixelView<std::uint32_t>, const std::uint32_t*);
template LabelRuns<std::uint64_t> split_labels(PixelView<std::uint64_t>, const std::uint64_t*);
template LabelRuns<std::int8_t> split_labels(PixelView<std::int8_t>, const std::int8_t*);
template LabelRuns<std::int16_t> split_labels(PixelView<std::int16_t>, const std::int16_t*);
template LabelRuns<std::int32_t> split_labels(PixelView<std::int32_t>, const std::int32_t*);
template LabelRuns<std::int64_t> split_labels(PixelView<std::int64_t>, const std::int64_t*);

}  // namespace maskcodec
