#include "maskcodec/paint.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <type_traits>

namespace maskcodec {

namespace {

constexpr std::uint32_t closed = 0xFFFFFFFFu;

// --- splitting ---------------------------------------------------------------------------------------------------------

// The map as one column-major run-length sequence: stretch k starts at starts[k] and has labels[k]; neighbours differ.
template <class U>
struct Stretches {
  std::vector<std::uint32_t> starts;
  std::vector<U> labels;
};

template <class U, std::size_t N>
bool differ(const U* a, const U* b) noexcept {
  U any = 0;
  for (std::size_t i = 0; i < N; ++i) any = static_cast<U>(any | static_cast<U>(a[i] ^ b[i]));
  return any != 0;
}

// Columns contiguous in memory: compare each pixel with the one above, a chunk at a time.
template <class U>
void scan_columns(PixelView<U> map, Stretches<U>& out) {
  constexpr std::size_t chunk = 64 / sizeof(U);
  const std::size_t height = map.height;
  const auto put = [&](std::size_t position, U label) {
    out.starts.push_back(static_cast<std::uint32_t>(position));
    out.labels.push_back(label);
  };
  for (std::size_t x = 0; x < map.width; ++x) {
    const U* column = &map.at(0, x);
    const std::size_t top = x * height;
    if (x == 0 || column[0] != map.at(height - 1, x - 1)) put(top, column[0]);
    std::size_t y = 1;
    for (; y + chunk <= height; y += chunk) {
      if (!differ<U, chunk>(column + y, column + y - 1)) continue;
      for (std::size_t k = y; k < y + chunk; ++k)
        if (column[k] != column[k - 1]) put(top + k, column[k]);
    }
    for (; y < height; ++y)
      if (column[y] != column[y - 1]) put(top + y, column[y]);
  }
}

// Anything else, row by row: compare each row with the one above, note where they differ, then bring the notes into column
// order by counting. Done in strips of columns so that a noisy map needs little more memory than its result.
template <class U>
class RowScan {
 public:
  RowScan(PixelView<U> map, Stretches<U>& out) : map_(map), out_(out) {}

  void run() {
    const std::size_t strip = std::max<std::size_t>(256, (std::size_t{1} << 23) / map_.height);
    for (std::size_t x = 0; x < map_.width; x += strip) scan(x, std::min(map_.width, x + strip));
  }

 private:
  static constexpr std::size_t chunk = 64 / sizeof(U);

  const U* row(std::size_t y, std::size_t first, std::size_t n, std::vector<U>& buffer) const {
    if (map_.col_stride == static_cast<std::ptrdiff_t>(sizeof(U))) return &map_.at(y, first);
    buffer.resize(n);
    for (std::size_t k = 0; k < n; ++k) buffer[k] = map_.at(y, first + k);
    return buffer.data();
  }

  void note(std::size_t column, std::size_t y, U label) {
    where_[noted_] = (std::uint64_t{column} << 32) | y;
    what_[noted_] = label;
    ++noted_;
    ++place_[column];
  }

  void scan(std::size_t first, std::size_t last) {
    const std::size_t n = last - first;
    noted_ = 0;
    place_.assign(n + 1, 0);
    make_room(n);
    const U* above = row(0, first, n, buffers_[0]);
    for (std::size_t k = 0; k < n; ++k)
      if (first + k == 0 || above[k] != map_.at(map_.height - 1, first + k - 1)) note(k, 0, above[k]);
    for (std::size_t y = 1; y < map_.height; ++y) {
      const U* here = row(y, first, n, buffers_[y & 1]);
      make_room(n);
      std::size_t k = 0;
      for (; k + chunk <= n; k += chunk) {
        if (!differ<U, chunk>(here + k, above + k)) continue;
        for (std::size_t j = k; j < k + chunk; ++j)
          if (here[j] != above[j]) note(j, y, here[j]);
      }
      for (; k < n; ++k)
        if (here[k] != above[k]) note(k, y, here[k]);
      above = here;
    }
    const std::size_t base = out_.starts.size();
    std::size_t total = base;
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t count = place_[k];
      place_[k] = total;
      total += count;
    }
    out_.starts.resize(total);
    out_.labels.resize(total);
    for (std::size_t i = 0; i < noted_; ++i) {
      const auto column = static_cast<std::size_t>(where_[i] >> 32);
      const std::size_t to = place_[column]++;
      out_.starts[to] = static_cast<std::uint32_t>((first + column) * map_.height + (where_[i] & 0xFFFFFFFFu));
      out_.labels[to] = what_[i];
    }
  }

  void make_room(std::size_t n) {
    if (where_.size() >= noted_ + n) return;
    const std::size_t size = std::max(noted_ + n, where_.size() * 2);
    where_.resize(size);
    what_.resize(size);
  }

  PixelView<U> map_;
  Stretches<U>& out_;
  std::vector<std::uint64_t> where_;
  std::vector<U> what_;
  std::size_t noted_ = 0;
  std::vector<std::size_t> place_;
  std::vector<U> buffers_[2];
};

// Label -> index in order of first appearance: a table where the labels lie close together, a hash table elsewhere.
template <class U>
class LabelIndex {
 public:
  LabelIndex(const std::vector<U>& labels) {
    const auto [low, high] = std::minmax_element(labels.begin(), labels.end());
    low_ = *low;
    const std::uint64_t range = static_cast<std::uint64_t>(*high) - low_;
    direct_ = range < std::max<std::uint64_t>(65536, 4 * labels.size());
    table_.assign(direct_ ? static_cast<std::size_t>(range) + 1 : 1024, closed);
  }

  std::uint32_t operator()(U label) {
    if (direct_) {
      std::uint32_t& index = table_[static_cast<std::size_t>(label - low_)];
      if (index == closed) {
        index = static_cast<std::uint32_t>(values.size());
        values.push_back(label);
      }
      return index;
    }
    std::size_t at = slot(label);
    if (table_[at] == closed) {
      if (2 * (values.size() + 1) > table_.size()) {
        table_.assign(table_.size() * 2, closed);
        for (std::uint32_t i = 0; i < values.size(); ++i) table_[slot(values[i])] = i;
        at = slot(label);
      }
      table_[at] = static_cast<std::uint32_t>(values.size());
      values.push_back(label);
    }
    return table_[at];
  }

  std::vector<U> values;

 private:
  std::size_t slot(U label) const {
    std::uint64_t hash = static_cast<std::uint64_t>(label) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 32;
    const std::size_t mask = table_.size() - 1;
    std::size_t at = static_cast<std::size_t>(hash) & mask;
    while (table_[at] != closed && values[table_[at]] != label) at = (at + 1) & mask;
    return at;
  }

  std::uint64_t low_ = 0;
  bool direct_ = true;
  std::vector<std::uint32_t> table_;
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
  Stretches<U> s;
  if (labels.row_stride == static_cast<std::ptrdiff_t>(sizeof(T)) && labels.height > 1)
    scan_columns(map, s);
  else
    RowScan<U>(map, s).run();

  struct Label {
    std::uint32_t stretches = 0;
    std::uint32_t end = 0;  // where its last stretch so far ends
    std::uint64_t at = 0;   // where its next run goes
  };
  LabelIndex<U> index(s.labels);
  std::vector<Label> all;
  std::vector<std::uint32_t> which(s.labels.size());
  for (std::size_t k = 0; k < which.size(); ++k) {
    which[k] = index(s.labels[k]);
    if (which[k] == all.size()) all.emplace_back();
    Label& label = all[which[k]];
    ++label.stretches;
    label.end = k + 1 < which.size() ? s.starts[k + 1] : pixels;
  }
  std::vector<std::uint32_t> order;
  constexpr std::uint32_t left_out = closed;
  std::uint32_t skipped = left_out;
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    if (background && index.values[i] == static_cast<U>(*background))
      skipped = i;
    else
      order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return static_cast<T>(index.values[a]) < static_cast<T>(index.values[b]);
  });
  std::uint64_t total = 0;
  for (const std::uint32_t i : order) {
    Label& label = all[i];
    out.ids.push_back(static_cast<T>(index.values[i]));
    label.at = total;
    total += 2 * std::uint64_t{label.stretches} + (label.end < pixels ? 1 : 0);
    out.offsets.push_back(total);
    label.end = 0;
  }
  out.runs.resize(static_cast<std::size_t>(total));
  for (std::size_t k = 0; k < which.size(); ++k) {
    if (which[k] == skipped) continue;
    Label& label = all[which[k]];
    const std::uint32_t end = k + 1 < which.size() ? s.starts[k + 1] : pixels;
    out.runs[static_cast<std::size_t>(label.at++)] = s.starts[k] - label.end;
    out.runs[static_cast<std::size_t>(label.at++)] = end - s.starts[k];
    label.end = end;
  }
  for (const std::uint32_t i : order)
    if (all[i].end < pixels) out.runs[static_cast<std::size_t>(all[i].at)] = pixels - all[i].end;
  return out;
}

RunsView checked_view(const std::uint32_t* counts, std::size_t size, Shape shape) {
  check_total(counts, size, shape);
  for (std::size_t i = 1; i < size; ++i)
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
