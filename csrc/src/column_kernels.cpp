// What is computed from mask columns, row by row or group by group.
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "columns.hpp"
#include "maskcodec/coco_counts.hpp"
#include "maskcodec/run_ops.hpp"

namespace maskcodec {

namespace {

using Rows = std::vector<MaskRow>;

Runs runs_of(const MaskRow& row) { return decode_counts(row.text, row.size, row.shape); }

Validity validity_of(const Rows& rows) {
  return Validity::of(rows.size(), [&](std::size_t i) { return rows[i].valid(); });
}

std::string size_text(Shape shape) { return std::to_string(shape.height) + " x " + std::to_string(shape.width); }

// --- lists of numbers --------------------------------------------------------------------------------------------------

// Lists of either offset width, views and fixed sizes: where the elements of a row are.
class ListReader {
 public:
  explicit ListReader(const Node& node) : node_(node), values_(node) {
    const std::string format(node.schema->format);
    if (format.rfind("+w:", 0) == 0) {
      kind_ = 'w';
      size_ = std::stoll(format.substr(3));
    } else if (format == "+l" || format == "+L" || format == "+vl" || format == "+vL") {
      kind_ = format.back() == 'L' ? 'L' : 'l';
      view_ = format[1] == 'v';
      if (node.array->length != 0 && node.array->buffers[1] == nullptr)
        throw RangeError("an Arrow list: its offsets are missing");
    } else {
      throw std::invalid_argument("expected list<list<double>> (the rings of an object), got " + describe(*node.schema));
    }
    values_ = Node(node.schema->children[0], node.array->children[0], 0);
  }
  bool is_valid(std::int64_t i) const noexcept { return node_.is_valid(i); }
  const Node& values() const noexcept { return values_; }
  std::pair<std::int64_t, std::int64_t> range(std::int64_t i) const {
    const std::int64_t at = node_.base + i;
    std::int64_t from, to;
    if (kind_ == 'w') {
      from = at * size_;
      to = from + size_;
    } else {
      from = number(1, at);
      to = view_ ? from + number(2, at) : number(1, at + 1);
    }
    if (from < 0 || to < from || to > values_.array->length) throw DecodeError("the offsets of an Arrow list leave it", 0);
    return {from, to};
  }

 private:
  std::int64_t number(std::size_t buffer, std::int64_t at) const {
    return kind_ == 'L' ? node_.data<std::int64_t>(buffer)[at] : node_.data<std::int32_t>(buffer)[at];
  }
  Node node_, values_;
  char kind_ = 'l';
  bool view_ = false;
  std::int64_t size_ = 0;
};

class NumberReader {
 public:
  explicit NumberReader(const Node& node) : node_(node), single_(std::strcmp(node.schema->format, "f") == 0) {
    if (!single_ && std::strcmp(node.schema->format, "g") != 0)
      throw std::invalid_argument("expected rings of float or double, got " + describe(*node.schema));
    if (node.array->length != 0 && node.array->buffers[1] == nullptr)
      throw RangeError("an Arrow array of numbers: its data are missing");
  }
  double at(std::int64_t i) const {
    if (!node_.is_valid(i)) throw DecodeError("a coordinate is null", 0);
    const std::int64_t at = node_.base + i;
    return single_ ? static_cast<double>(node_.data<float>()[at]) : node_.data<double>()[at];
  }

 private:
  Node node_;
  bool single_;
};

Runs fill_row(const ListReader& objects, const ListReader& rings, const NumberReader& numbers, std::int64_t i, Shape shape,
              FillRule rule) {
  std::vector<double> xy;
  std::vector<std::size_t> ends;
  const auto [first, last] = objects.range(i);
  for (std::int64_t r = first; r < last; ++r) {
    const std::string name = "ring " + std::to_string(r - first) + ": ";
    if (!rings.is_valid(r)) throw DecodeError(name + "it is null", 0);
    const auto [from, to] = rings.range(r);
    if ((to - from) % 2 != 0) throw ShapeError(name + "expected an even number of values, got " + std::to_string(to - from));
    if (to - from < 6) throw ShapeError(name + "expected at least 3 points, got " + std::to_string((to - from) / 2));
    for (std::int64_t k = from; k < to; ++k) xy.push_back(numbers.at(k));
    ends.push_back(xy.size());
  }
  std::vector<RingView> views;
  std::size_t at = 0;
  for (const std::size_t end : ends) {
    views.push_back(RingView{xy.data() + at, (end - at) / 2});
    at = end;
  }
  return fill(views.data(), views.size(), shape, rule);
}

// --- groups ------------------------------------------------------------------------------------------------------------

// The group of every row, groups numbered in first-seen order, and the first row of each.
class Groups {
 public:
  explicit Groups(const Column& column) {
    const ArrowSchema& schema = column.schema->get();
    const ArrowSchema& values = schema.dictionary ? *schema.dictionary : schema;
    text_ = BytesReader::reads(values.format);
    utf8_ = std::strchr(values.format, 'u') != nullptr || std::strchr(values.format, 'U') != nullptr;
    if (!text_ && !IntegerReader::reads(values.format))
      throw std::invalid_argument("group: expected integers or text, got " + describe(schema));
    for (const Chunk& chunk : column.chunks) add(schema, chunk);
  }
  std::vector<std::size_t> of;
  std::size_t count() const noexcept { return count_; }

  Column names() const {
    const Validity validity = Validity::of(count_, [&](std::size_t i) { return i != null_; });
    if (!text_) {
      std::vector<std::int64_t> numbers = numbers_;
      return make_numbers(std::move(numbers), validity);
    }
    struct Storage {
      std::vector<std::int64_t> offsets{0};
      std::string text;
      Validity validity;
    };
    auto storage = std::make_shared<Storage>();
    for (const std::string_view name : texts_) {
      storage->text += name;
      storage->offsets.push_back(static_cast<std::int64_t>(storage->text.size()));
    }
    storage->validity = validity;
    ArrowArray array = make_array(static_cast<std::int64_t>(count_), validity.nulls,
                                  {storage->validity.buffer(), storage->offsets.data(), storage->text.data()}, {}, storage);
    return Column{make_schema({utf8_ ? "U" : "Z", "", "", {}}), {make_chunk(array)}};
  }

 private:
  void add(const ArrowSchema& schema, const Chunk& chunk) {
    const Node node(&schema, &chunk.array->get(), chunk.offset);
    if (schema.dictionary) {
      // The indices alone, read as what they are; values through the dictionary.
      ArrowSchema plain = schema;
      plain.dictionary = nullptr;
      const IntegerReader index(Node(&plain, node.array, chunk.offset));
      const Node words(schema.dictionary, node.array->dictionary, 0);
      read(words, chunk.length, [&](std::int64_t i, std::int64_t& at) {
        if (!node.is_valid(i)) return false;
        if (!index.at(i, at) || at < 0 || at >= node.array->dictionary->length)
          throw DecodeError("group: its number leaves the dictionary", 0);
        return words.is_valid(at);
      });
    } else {
      read(node, chunk.length, [&](std::int64_t i, std::int64_t& at) {
        at = i;
        return node.is_valid(i);
      });
    }
  }

  template <class Place>
  void read(const Node& values, std::int64_t rows, Place&& place) {
    auto each = [&](auto&& look_up) {
      for (std::int64_t i = 0; i < rows; ++i) {
        name_row(of.size(), [&] {
          std::int64_t at = 0;
          of.push_back(place(i, at) ? look_up(at) : null_group());
        });
      }
    };
    if (text_) {
      const BytesReader bytes(values);
      each([&](std::int64_t at) {
        const BytesReader::Span span = bytes.at(at);
        const std::string_view name(span.data ? span.data : "", span.size);
        const auto [found, added] = by_text_.try_emplace(name, count_);
        if (added) put(0, name);
        return found->second;
      });
    } else {
      const IntegerReader integers(values);
      each([&](std::int64_t at) {
        std::int64_t number = 0;
        if (!integers.at(at, number)) throw DecodeError("group: a number beyond 2^63-1", 0);
        const auto [found, added] = by_number_.try_emplace(number, count_);
        if (added) put(number, {});
        return found->second;
      });
    }
  }

  std::size_t null_group() {
    if (null_ == none) {
      null_ = count_;
      put(0, {});
    }
    return null_;
  }
  void put(std::int64_t number, std::string_view name) {
    if (text_)
      texts_.push_back(name);
    else
      numbers_.push_back(number);
    ++count_;
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  bool text_ = false, utf8_ = false;
  std::size_t count_ = 0, null_ = none;
  std::unordered_map<std::string_view, std::size_t> by_text_;
  std::unordered_map<std::int64_t, std::size_t> by_number_;
  std::vector<std::string_view> texts_;
  std::vector<std::int64_t> numbers_;
};

}  // namespace

Column column_area(const Rows& rows, unsigned threads) {
  std::vector<std::int64_t> out(rows.size());
  each_row(rows.size(), threads, [&](std::size_t, std::size_t i) {
    const MaskRow& row = rows[i];
    if (row.valid()) out[i] = static_cast<std::int64_t>(text_area(row.text, row.size, row.shape));
  });
  return make_numbers(std::move(out), validity_of(rows));
}

Column column_box(const Rows& rows, unsigned threads) {
  std::vector<double> out(4 * rows.size());
  each_row(rows.size(), threads, [&](std::size_t, std::size_t i) {
    const MaskRow& row = rows[i];
    if (!row.valid()) return;
    const Box box = text_box(row.text, row.size, row.shape);
    out[4 * i] = box.x;
    out[4 * i + 1] = box.y;
    out[4 * i + 2] = box.width;
    out[4 * i + 3] = box.height;
  });
  return make_boxes(std::move(out), validity_of(rows));
}

Column column_iou(const Rows& a, const Rows& b, unsigned threads) {
  if (a.size() != b.size())
    throw ShapeError("expected columns of one length, got " + std::to_string(a.size()) + " and " + std::to_string(b.size()) + " rows");
  std::vector<double> out(a.size());
  each_row(a.size(), threads, [&](std::size_t, std::size_t i) {
    if (!a[i].valid() || !b[i].valid()) return;
    if (a[i].shape != b[i].shape)
      throw ShapeError("masks of different sizes, " + size_text(a[i].shape) + " and " + size_text(b[i].shape));
    const Runs one = runs_of(a[i]), two = runs_of(b[i]);
    const std::uint64_t both = intersection_area(one.view(), two.view());
    const std::uint64_t either = area(one.view()) + area(two.view()) - both;
    out[i] = either == 0 ? 0.0 : static_cast<double>(both) / static_cast<double>(either);
  });
  return make_numbers(std::move(out), Validity::of(a.size(), [&](std::size_t i) { return a[i].valid() && b[i].valid(); }));
}

Column encode_column(const std::uint32_t* runs, const std::uint64_t* offsets, const Shape* shapes, const std::uint8_t* valid,
                     std::size_t count, unsigned threads) {
  return make_masks(count, threads, [&](MaskPart& part, std::size_t i) {
    if (valid && !valid[i]) return part.add_null();
    part.add(RunsView{runs + offsets[i], static_cast<std::size_t>(offsets[i + 1] - offsets[i]), shapes[i]});
  });
}

void column_runs(const Rows& rows, std::vector<std::uint32_t>& runs, std::vector<std::uint64_t>& offsets, unsigned threads) {
  struct Part {
    std::vector<std::uint32_t> runs;
    std::vector<std::size_t> sizes;
  };
  std::vector<Part> parts((rows.size() + rows_at_once - 1) / rows_at_once);
  each_row(rows.size(), threads, [&](std::size_t block, std::size_t i) {
    Part& part = parts[block];
    if (!rows[i].valid()) {
      part.runs.push_back(0);
      part.sizes.push_back(1);
      return;
    }
    const Runs one = runs_of(rows[i]);
    part.runs.insert(part.runs.end(), one.counts.begin(), one.counts.end());
    part.sizes.push_back(one.counts.size());
  });
  std::size_t total = 0;
  for (const Part& part : parts) total += part.runs.size();
  runs.reserve(total);
  offsets.assign(1, 0);
  offsets.reserve(rows.size() + 1);
  for (const Part& part : parts) {
    runs.insert(runs.end(), part.runs.begin(), part.runs.end());
    for (const std::size_t size : part.sizes) offsets.push_back(offsets.back() + size);
  }
}

void column_decode(const Rows& rows, Window window, const Shape* resize, const DenseTarget& out, unsigned threads) {
  parallel_for(rows.size(), threads, [&](std::size_t i) {
    name_row(i, [&] {
      Runs runs{resize ? *resize : Shape{window.y1, window.x1}, {}};
      if (rows[i].valid()) {
        runs = runs_of(rows[i]);
        if (resize) runs = resize_nearest(runs.view(), *resize);
      } else {
        runs.counts.push_back(static_cast<std::uint32_t>(runs.shape.pixels()));
      }
      if (window.x0 > window.x1 || window.y0 > window.y1 || window.x1 > runs.shape.width || window.y1 > runs.shape.height)
        throw ShapeError("the window leaves the mask of " + size_text(runs.shape));
      const RunsView view = runs.view();
      decode_many(&view, 1, window, out.data + static_cast<std::ptrdiff_t>(i) * out.step, out.step, out.row_stride,
                  out.col_stride, out.item, out.value, out.zeroed, 1);
    });
  });
}

Column column_crop(const Rows& rows, const Window* windows, bool shared, unsigned threads) {
  return make_masks(rows.size(), threads, [&](MaskPart& part, std::size_t i) {
    if (!rows[i].valid()) return part.add_null();
    const Window& w = windows[shared ? 0 : i];
    const Shape shape = rows[i].shape;
    if (w.x0 > w.x1 || w.y0 > w.y1 || w.x1 > shape.width || w.y1 > shape.height)
      throw ShapeError("the window (" + std::to_string(w.x0) + ", " + std::to_string(w.y0) + ", " + std::to_string(w.x1) + ", " +
                       std::to_string(w.y1) + ") leaves the mask of " + size_text(shape));
    part.add(crop(runs_of(rows[i]).view(), w.x0, w.y0, w.x1, w.y1).view());
  });
}

Column column_resize(const Rows& rows, Shape shape, unsigned threads) {
  return make_masks(rows.size(), threads, [&](MaskPart& part, std::size_t i) {
    if (!rows[i].valid()) return part.add_null();
    part.add(resize_nearest(runs_of(rows[i]).view(), shape).view());
  });
}

Column column_polygons(const Column& objects, const Shape* shapes, bool shared, FillRule rule, unsigned threads) {
  std::vector<MaskPart> parts;
  std::size_t before = 0;
  const ArrowSchema& schema = objects.schema->get();
  auto wrong = [&] {
    throw std::invalid_argument("expected list<list<double>> (the rings of an object), got " + describe(schema));
  };
  if (schema.n_children != 1 || schema.children[0]->n_children != 1) {
    if (std::strcmp(schema.format, "n") != 0) wrong();
    const Column& column = objects;
    return make_masks(static_cast<std::size_t>(column.length()), threads, [](MaskPart& part, std::size_t) { part.add_null(); });
  }
  for (const Chunk& chunk : objects.chunks) {
    const ListReader list(Node(&schema, &chunk.array->get(), chunk.offset));
    const ListReader rings(list.values());
    const NumberReader numbers(rings.values());
    const auto n = static_cast<std::size_t>(chunk.length);
    std::vector<MaskPart> mine((n + rows_at_once - 1) / rows_at_once);
    parallel_for(mine.size(), threads, [&](std::size_t block) {
      for (std::size_t i = block * rows_at_once; i < std::min(n, (block + 1) * rows_at_once); ++i) {
        name_row(before + i, [&] {
          const auto at = static_cast<std::int64_t>(i);
          if (!list.is_valid(at)) return mine[block].add_null();
          mine[block].add(fill_row(list, rings, numbers, at, shapes[shared ? 0 : before + i], rule).view());
        });
      }
    });
    parts.insert(parts.end(), std::make_move_iterator(mine.begin()), std::make_move_iterator(mine.end()));
    before += n;
  }
  return join_masks(parts);
}

Merged column_merge(const Rows& rows, const Column& column, unsigned threads) {
  const Groups groups(column);
  if (groups.of.size() != rows.size())
    throw ShapeError("expected a group for every mask, got " + std::to_string(groups.of.size()) + " groups and " +
                     std::to_string(rows.size()) + " masks");
  // The valid rows of each group, in order.
  std::vector<std::size_t> begin(groups.count() + 1), members(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].valid()) ++begin[groups.of[i] + 1];
  for (std::size_t g = 0; g < groups.count(); ++g) begin[g + 1] += begin[g];
  std::vector<std::size_t> next(begin.begin(), begin.end() - 1);
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].valid()) members[next[groups.of[i]]++] = i;
  std::vector<MaskPart> parts(groups.count());
  parallel_for(groups.count(), threads, [&](std::size_t g) {
    if (begin[g] == begin[g + 1]) return parts[g].add_null();
    std::vector<Runs> masks;
    std::vector<RunsView> views;
    const std::size_t first = members[begin[g]];
    for (std::size_t k = begin[g]; k < begin[g + 1]; ++k) {
      const std::size_t i = members[k];
      name_row(i, [&] {
        if (rows[i].shape != rows[first].shape)
          throw ShapeError("a mask of " + size_text(rows[i].shape) + ", row " + std::to_string(first) + " of its group is " +
                           size_text(rows[first].shape));
        masks.push_back(runs_of(rows[i]));
      });
    }
    for (const Runs& mask : masks) views.push_back(mask.view());
    parts[g].add(merge(views.data(), views.size(), false).view());
  });
  return Merged{groups.names(), join_masks(parts)};
}

}  // namespace maskcodec
