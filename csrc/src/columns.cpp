// Rows of mask columns in, columns out.
#include "columns.hpp"

#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

#include "maskcodec/coco_counts.hpp"

namespace maskcodec {

namespace {

constexpr const char* expected = "expected struct<height, width, counts>, got ";

const char* empty_text = "";

// Position of a field, or -1.
std::int64_t field(const ArrowSchema& schema, const char* name) {
  std::int64_t found = -1;
  for (std::int64_t i = 0; i < schema.n_children; ++i) {
    if (schema.children[i]->name == nullptr || std::strcmp(schema.children[i]->name, name) != 0) continue;
    if (found >= 0) throw std::invalid_argument(std::string("two fields have the name ") + name);
    found = i;
  }
  return found;
}

bool is_struct(const ArrowSchema& schema) { return std::strcmp(schema.format, "+s") == 0 && !schema.dictionary; }

struct MaskFields {
  std::size_t height, width, counts;
};

MaskFields find_fields(const ArrowSchema& schema) {
  if (!is_struct(schema)) throw std::invalid_argument(expected + describe(schema));
  const std::int64_t h = field(schema, "height"), w = field(schema, "width"), c = field(schema, "counts");
  if (h < 0 || w < 0 || c < 0) throw std::invalid_argument(expected + describe(schema));
  for (const std::int64_t at : {h, w}) {
    const ArrowSchema& child = *schema.children[at];
    if (!IntegerReader::reads(child.format) || child.dictionary)
      throw std::invalid_argument(std::string(child.name) + ": expected integers, got " + describe(child));
  }
  const ArrowSchema& counts = *schema.children[c];
  if (!BytesReader::reads(counts.format) || counts.dictionary)
    throw std::invalid_argument("counts: expected binary or text (COCO's compressed counts), got " + describe(counts));
  return MaskFields{static_cast<std::size_t>(h), static_cast<std::size_t>(w), static_cast<std::size_t>(c)};
}

std::uint64_t side(const IntegerReader& reader, const char* name, std::int64_t i) {
  std::int64_t value = 0;
  const bool fits = reader.at(i, value);
  if (!fits || value < 0)
    throw DecodeError(std::string(name) + ": expected an integer from 0 on" + (fits ? ", got " + std::to_string(value) : ""), 0);
  return static_cast<std::uint64_t>(value);
}

void chunk_rows(const ArrowSchema& schema, const Chunk& chunk, std::vector<MaskRow>& out) {
  Node node(&schema, &chunk.array->get(), chunk.offset);
  std::vector<Node> above;
  while (is_struct(*node.schema) && node.schema->n_children == 1) {  // a table of one column
    above.push_back(node);
    node = node.child(0);
  }
  const auto n = chunk.length;
  if (std::strcmp(node.schema->format, "n") == 0) {
    out.insert(out.end(), static_cast<std::size_t>(n), MaskRow{nullptr, 0, Shape{}});
    return;
  }
  const MaskFields fields = find_fields(*node.schema);
  const IntegerReader heights(node.child(fields.height)), widths(node.child(fields.width));
  const BytesReader counts(node.child(fields.counts));
  above.push_back(node);
  for (std::int64_t i = 0; i < n; ++i) {
    MaskRow row{nullptr, 0, Shape{}};
    bool valid = heights.is_valid(i) && widths.is_valid(i) && counts.is_valid(i);
    for (const Node& one : above) valid = valid && one.is_valid(i);
    if (valid) {
      name_row(out.size(), [&] {
        row.shape = make_shape(side(heights, "height", i), side(widths, "width", i));
        const BytesReader::Span text = counts.at(i);
        row.text = text.data ? text.data : empty_text;
        row.size = text.size;
      });
    }
    out.push_back(row);
  }
}

bool is_canonical(const ArrowSchema& schema) {
  static const std::pair<const char*, const char*> layout[] = {{"height", "i"}, {"width", "i"}, {"counts", "z"}};
  if (!is_struct(schema) || schema.n_children != 3) return false;
  for (std::size_t i = 0; i < 3; ++i) {
    const ArrowSchema& child = *schema.children[i];
    if (child.name == nullptr || child.dictionary || std::strcmp(child.name, layout[i].first) != 0 ||
        std::strcmp(child.format, layout[i].second) != 0)
      return false;
  }
  return true;
}

std::shared_ptr<const OwnedSchema> mask_schema() {
  return make_schema({"+s", "", mask_extension, {{"i", "height", "", {}}, {"i", "width", "", {}}, {"z", "counts", "", {}}}});
}

constexpr std::size_t most_text = 0x7FFFFFFF;  // what 32-bit offsets reach

struct MaskStorage {
  Validity validity;
  std::vector<std::int32_t> heights, widths, offsets{0};
  std::vector<char> text;
};

Chunk mask_chunk(std::shared_ptr<MaskStorage> storage, const std::vector<bool>& valid) {
  const std::size_t n = storage->heights.size();
  storage->validity = Validity::of(n, [&](std::size_t i) { return valid[i]; });
  if (storage->text.empty()) storage->text.push_back(0);  // a buffer that is there
  const auto length = static_cast<std::int64_t>(n);
  std::vector<ArrowArray> children;
  children.push_back(make_array(length, 0, {nullptr, storage->heights.data()}, {}, storage));
  children.push_back(make_array(length, 0, {nullptr, storage->widths.data()}, {}, storage));
  children.push_back(make_array(length, 0, {nullptr, storage->offsets.data(), storage->text.data()}, {}, storage));
  return make_chunk(make_array(length, storage->validity.nulls, {storage->validity.buffer()}, std::move(children), storage));
}

template <class T>
struct NumberStorage {
  std::vector<T> values;
  Validity validity;
};

template <class T>
Column numbers(const char* format, std::vector<T> values, Validity validity) {
  auto storage = std::make_shared<NumberStorage<T>>(NumberStorage<T>{std::move(values), std::move(validity)});
  const auto length = static_cast<std::int64_t>(storage->values.size());
  if (storage->values.empty()) storage->values.reserve(1);
  ArrowArray array = make_array(length, storage->validity.nulls, {storage->validity.buffer(), storage->values.data()}, {}, storage);
  return Column{make_schema({format, "", "", {}}), {make_chunk(array)}};
}

}  // namespace

std::vector<MaskRow> mask_rows(const Column& column) {
  std::vector<MaskRow> rows;
  rows.reserve(static_cast<std::size_t>(column.length()));
  const ArrowSchema* schema = &column.schema->get();
  for (const Chunk& chunk : column.chunks) chunk_rows(*schema, chunk, rows);
  if (column.chunks.empty()) {  // the type is looked at all the same
    while (is_struct(*schema) && schema->n_children == 1) schema = schema->children[0];
    if (std::strcmp(schema->format, "n") != 0) find_fields(*schema);
  }
  return rows;
}

Column canonical_masks(const Column& column) {
  return is_canonical(column.schema->get()) ? Column{mask_schema(), column.chunks} : concatenate_masks(column);
}

Column concatenate_masks(const Column& column) {
  const std::vector<MaskRow> rows = mask_rows(column);
  return make_masks(rows.size(), 1, [&](MaskPart& part, std::size_t i) {
    if (!rows[i].valid()) return part.add_null();
    part.add(rows[i].text, rows[i].size, rows[i].shape);
  });
}

void MaskPart::close(std::size_t size, Shape shape) {
  if (shape.height > 0x7FFFFFFFu || shape.width > 0x7FFFFFFFu)
    throw ShapeError("a side of more than 2^31-1 pixels does not fit the column");
  if (size > most_text) throw ShapeError("counts of more than 2^31-1 characters do not fit the column");
  sizes.push_back(size);
  shapes.push_back(shape);
  valid.push_back(true);
}

void MaskPart::add(const char* counts, std::size_t size, Shape shape) {
  text.insert(text.end(), counts, counts + size);
  close(size, shape);
}

void MaskPart::add(RunsView runs) {
  const std::size_t before = text.size();
  text.resize(before + counts_text_bound(runs.size) + 8);
  const std::size_t size = encode_counts_to(runs.data, runs.size, text.data() + before);
  text.resize(before + size);
  close(size, runs.shape);
}

void MaskPart::add_null() {
  sizes.push_back(0);
  shapes.push_back(Shape{});
  valid.push_back(false);
}

Column join_masks(const std::vector<MaskPart>& parts) {
  Column out{mask_schema(), {}};
  auto storage = std::make_shared<MaskStorage>();
  std::vector<bool> valid;
  auto flush = [&] {
    out.chunks.push_back(mask_chunk(std::exchange(storage, std::make_shared<MaskStorage>()), valid));
    valid.clear();
  };
  std::size_t rows = 0, bytes = 0;
  for (const MaskPart& part : parts) {
    rows += part.sizes.size();
    bytes += part.text.size();
  }
  storage->heights.reserve(rows);
  storage->widths.reserve(rows);
  storage->offsets.reserve(rows + 1);
  storage->text.reserve(std::min(bytes, most_text));
  for (const MaskPart& part : parts) {
    const char* text = part.text.data();
    for (std::size_t i = 0; i < part.sizes.size(); ++i) {
      if (storage->text.size() + part.sizes[i] > most_text) flush();
      storage->heights.push_back(static_cast<std::int32_t>(part.shapes[i].height));
      storage->widths.push_back(static_cast<std::int32_t>(part.shapes[i].width));
      storage->text.insert(storage->text.end(), text, text + part.sizes[i]);
      storage->offsets.push_back(static_cast<std::int32_t>(storage->text.size()));
      valid.push_back(part.valid[i]);
      text += part.sizes[i];
    }
  }
  if (!valid.empty() || out.chunks.empty()) flush();
  return out;
}

Column make_numbers(std::vector<std::int64_t> values, Validity validity) {
  return numbers("l", std::move(values), std::move(validity));
}

Column make_numbers(std::vector<double> values, Validity validity) {
  return numbers("g", std::move(values), std::move(validity));
}

Column make_boxes(std::vector<double> values, Validity validity) {
  auto storage = std::make_shared<NumberStorage<double>>(NumberStorage<double>{std::move(values), std::move(validity)});
  const auto numbers = static_cast<std::int64_t>(storage->values.size());
  if (storage->values.empty()) storage->values.reserve(1);
  std::vector<ArrowArray> children{make_array(numbers, 0, {nullptr, storage->values.data()}, {}, storage)};
  ArrowArray array = make_array(numbers / 4, storage->validity.nulls, {storage->validity.buffer()}, std::move(children), storage);
  return Column{make_schema({"+w:4", "", "", {{"g", "item", "", {}}}}), {make_chunk(array)}};
}

}  // namespace maskcodec
