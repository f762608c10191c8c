// Arrow columns as a producer may hand them over: slices, views, nulls at every level, damaged ones; who releases what.
#include "column_tests.hpp"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "check.hpp"
#include "maskcodec/columns.hpp"
#include "maskcodec/error.hpp"

using namespace maskcodec;

namespace {

int failures = 0;
int alive = 0;

struct Counted {
  Counted() { ++alive; }
  ~Counted() { --alive; }
};

struct Memory : Counted {
  std::vector<std::int32_t> heights, widths, offsets{0};
  std::string text;
  std::vector<std::uint8_t> valid;
};

ArrowSchema schema_of(const SchemaSpec& spec) {
  ArrowSchema out;
  give_schema(Column{make_schema(spec), {}}, false, &out);
  return out;
}

const SchemaSpec mask_spec{"+s", "", "", {{"i", "height", "", {}}, {"i", "width", "", {}}, {"z", "counts", "", {}}}};

// Four masks of 3 x 4 with one pixel; bitmap bit 1 is clear: row 1 is null where the bitmap is used.
ArrowArray masks(std::shared_ptr<Memory> memory, bool struct_null, bool child_null) {
  for (int i = 0; i < 4; ++i) {
    memory->heights.push_back(3);
    memory->widths.push_back(4);
    memory->text += "417";
    memory->offsets.push_back(static_cast<std::int32_t>(memory->text.size()));
  }
  memory->valid = {0xFD};
  const void* bits = memory->valid.data();
  std::vector<ArrowArray> children;
  children.push_back(make_array(4, 0, {nullptr, memory->heights.data()}, {}, memory));
  children.push_back(make_array(4, child_null ? -1 : 0, {child_null ? bits : nullptr, memory->widths.data()}, {}, memory));
  children.push_back(make_array(4, 0, {nullptr, memory->offsets.data(), memory->text.data()}, {}, memory));
  return make_array(4, struct_null ? 1 : 0, {struct_null ? bits : nullptr}, std::move(children), memory);
}

Column taken(ArrowArray array, const SchemaSpec& spec = mask_spec) {
  ArrowSchema schema = schema_of(spec);
  try {
    return take_array(&schema, &array);
  } catch (...) {
    if (array.release) array.release(&array);
    if (schema.release) schema.release(&schema);
    throw;
  }
}

template <class Error, class Work>
std::string message(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::vector<std::int64_t> areas(const Column& column) {
  const Column numbers = column_area(mask_rows(column), 2);
  const ArrowArray& array = numbers.chunks[0].array->get();
  const auto* data = static_cast<const std::int64_t*>(array.buffers[1]);
  return std::vector<std::int64_t>(data, data + array.length);
}

void test_nulls_and_slices() {
  for (const auto& [in_struct, in_child] : {std::pair{true, false}, std::pair{false, true}}) {
    const Column column = taken(masks(std::make_shared<Memory>(), in_struct, in_child));
    const auto rows = mask_rows(column);
    CHECK(rows.size() == 4 && rows[0].valid() && !rows[1].valid() && rows[3].valid());
    CHECK(mask_rows(column.slice(1, 3)).size() == 2 && !mask_rows(column.slice(1, 3))[0].valid());
    CHECK((areas(column.slice(2, 4)) == std::vector<std::int64_t>{1, 1}));
  }
  CHECK(alive == 0);
  ArrowArray cut = masks(std::make_shared<Memory>(), true, false);
  cut.offset = 1;
  cut.length = 2;
  const auto rows = mask_rows(taken(cut));
  CHECK(rows.size() == 2 && !rows[0].valid() && rows[1].valid());
}

void test_shared_and_released() {
  ArrowArray out{}, moved{};
  ArrowSchema type{};
  ArrowArrayStream stream{};
  {
    const Column column = taken(masks(std::make_shared<Memory>(), true, false));
    give_chunk(canonical_masks(column).slice(1, 4).chunks[0], &out);
    give_schema(canonical_masks(column), false, &type);
    give_stream(column, true, &stream);
  }
  CHECK(alive == 1);
  CHECK(out.length == 3 && out.offset == 1 && std::strcmp(type.format, "+s") == 0);
  // A consumer takes a child for itself and lets go of the rest.
  moved = *out.children[2];
  out.children[2]->release = nullptr;
  out.release(&out);
  type.release(&type);
  stream.release(&stream);
  CHECK(alive == 1 && std::memcmp(moved.buffers[2], "417417", 6) == 0);
  moved.release(&moved);
  CHECK(alive == 0);
}

void test_streams() {
  const Column column = taken(masks(std::make_shared<Memory>(), false, false));
  Column two = column.slice(0, 1);
  two.chunks.push_back(column.slice(1, 4).chunks[0]);
  ArrowArrayStream stream{};
  give_stream(two, false, &stream);
  const Column back = take_stream(&stream);
  CHECK(stream.release == nullptr && back.chunks.size() == 2 && areas(back).size() == 4);
  CHECK(concatenate_masks(back).chunks.size() == 1);
  CHECK(message<RangeError>([&] { take_stream(&stream); }) == "the Arrow stream has been consumed before");
}

void test_damage() {
  auto memory = std::make_shared<Memory>();
  ArrowArray array = masks(memory, false, false);
  memory->offsets[2] = 1;  // below offsets[1]
  CHECK(message<DecodeError>([&] { mask_rows(taken(array)); }) == "row 1: the offsets of the Arrow array descend");
  memory = std::make_shared<Memory>();
  array = masks(memory, false, false);
  array.length = 5;
  CHECK(message<RangeError>([&] { taken(array); }).find("a child is too short") != std::string::npos);
  memory = std::make_shared<Memory>();
  array = masks(memory, false, false);
  array.children[0]->buffers[1] = nullptr;
  CHECK(message<RangeError>([&] { mask_rows(taken(array)); }).find("a buffer is missing") != std::string::npos);
  SchemaSpec two = mask_spec;
  two.children.pop_back();
  CHECK(message<RangeError>([&] { taken(masks(std::make_shared<Memory>(), false, false), two); }).find("children") !=
        std::string::npos);
  memory.reset();
  CHECK(alive == 0);
}

void test_views() {
  struct Views : Counted {
    std::vector<std::int32_t> views, sides{3, 3};
    std::string data = std::string(30, '0');
    std::int64_t sizes[1] = {30};
  };
  auto make = [](std::int32_t buffer, std::int32_t offset, std::int32_t size) {
    auto memory = std::make_shared<Views>();
    memory->views = {3, 0, 0, 0, size, 0, buffer, offset};
    std::memcpy(&memory->views[1], "417", 3);
    std::vector<ArrowArray> children;
    for (int i = 0; i < 2; ++i) children.push_back(make_array(2, 0, {nullptr, memory->sides.data()}, {}, memory));
    children.push_back(
        make_array(2, 0, {nullptr, memory->views.data(), memory->data.data(), memory->sizes}, {}, memory));
    return make_array(2, 0, {nullptr}, std::move(children), memory);
  };
  SchemaSpec spec = mask_spec;
  spec.children[2].format = "vz";
  const Column good = taken(make(0, 5, 20), spec);
  const auto rows = mask_rows(good);
  CHECK(rows[0].size == 3 && std::memcmp(rows[0].text, "417", 3) == 0 && rows[1].size == 20);
  for (const auto& [buffer, offset, size] : {std::tuple{1, 0, 20}, {-1, 0, 20}, {0, 15, 20}, {0, -1, 20}, {0, 0, -1}})
    CHECK(message<DecodeError>([&, b = buffer, o = offset, n = size] { mask_rows(taken(make(b, o, n), spec)); })
              .rfind("row 1: a view", 0) == 0);
}

}  // namespace

int run_column_tests() {
  test_nulls_and_slices();
  test_shared_and_released();
  test_streams();
  test_damage();
  test_views();
  CHECK(alive == 0);
  return failures;
}
