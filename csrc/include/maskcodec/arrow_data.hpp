// Arrow data that this process got from, or gives to, somebody else: ownership, slices, sharing without a copy.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "maskcodec/arrow_abi.h"

namespace maskcodec {

// Takes over a structure (its source is marked as moved) and releases it at the end.
template <class T>
class Owned {
 public:
  explicit Owned(T* source) noexcept : value_(*source) { source->release = nullptr; }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (value_.release) value_.release(&value_);
  }
  const T& get() const noexcept { return value_; }

 private:
  T value_;
};
using OwnedSchema = Owned<ArrowSchema>;
using OwnedArray = Owned<ArrowArray>;

// Rows offset .. offset + length of an array.
struct Chunk {
  std::shared_ptr<const OwnedArray> array;
  std::int64_t offset, length;
};

// A column: one type, any number of pieces. Copies and slices share the memory; the last one to go releases it, in
// whatever thread that is.
struct Column {
  std::shared_ptr<const OwnedSchema> schema;
  std::vector<Chunk> chunks;
  std::int64_t length() const noexcept;
  Column slice(std::int64_t start, std::int64_t stop) const;  // 0 <= start <= stop <= length()
};

// Takes over an array as a column of one piece, after checking that its structure fits the schema's.
Column take_array(ArrowSchema* schema, ArrowArray* array);
// Reads a stream to its end and takes over the pieces. RangeError with the producer's message when it fails.
Column take_stream(ArrowArrayStream* stream);

// Structures for a consumer; each holds the memory until it is released. Plain: without the extension type's name.
void give_schema(const Column& column, bool plain, ArrowSchema* out);
void give_chunk(const Chunk& chunk, ArrowArray* out);
void give_stream(const Column& column, bool plain, ArrowArrayStream* out);

// --- making ----------------------------------------------------------------------------------------------------------

struct SchemaSpec {
  std::string format, name;
  std::string extension;  // name of the extension type, "" for none
  std::vector<SchemaSpec> children;
};
std::shared_ptr<const OwnedSchema> make_schema(const SchemaSpec& spec);
// `keep` holds the memory of the buffers.
ArrowArray make_array(std::int64_t length, std::int64_t nulls, std::vector<const void*> buffers,
                      std::vector<ArrowArray> children, std::shared_ptr<const void> keep);
Chunk make_chunk(ArrowArray array);

// A bitmap, empty when every row is valid.
struct Validity {
  std::vector<std::uint8_t> bits;
  std::int64_t nulls = 0;
  template <class IsValid>
  static Validity of(std::size_t rows, IsValid&& is_valid) {
    Validity out;
    for (std::size_t i = 0; i < rows; ++i) {
      if (is_valid(i)) continue;
      if (out.bits.empty()) out.bits.assign((rows + 7) / 8, 0xFF);
      out.bits[i >> 3] = static_cast<std::uint8_t>(out.bits[i >> 3] & ~(1u << (i & 7)));
      ++out.nulls;
    }
    return out;
  }
  const void* buffer() const noexcept { return bits.empty() ? nullptr : bits.data(); }
};

// --- looking ---------------------------------------------------------------------------------------------------------

// One node of an array with the row of its buffers that is row 0 of the piece.
struct Node {
  const ArrowSchema* schema;
  const ArrowArray* array;
  std::int64_t base;
  const std::uint8_t* valid;  // null when no row is null

  Node(const ArrowSchema* s, const ArrowArray* a, std::int64_t above);
  Node child(std::size_t at) const { return Node(schema->children[at], array->children[at], base); }
  bool is_valid(std::int64_t i) const noexcept {
    const auto at = static_cast<std::uint64_t>(base + i);
    return valid == nullptr || (valid[at >> 3] >> (at & 7) & 1u) != 0;
  }
  template <class T>
  const T* data(std::size_t buffer = 1) const noexcept {
    return static_cast<const T*>(array->buffers[buffer]);
  }
};

std::string describe(const ArrowSchema& schema);  // the type, as a person writes it

// Integers of any width, as 64-bit ones.
class IntegerReader {
 public:
  explicit IntegerReader(const Node& node);
  static bool reads(const char* format);
  // False when the value does not fit 64 signed bits.
  bool at(std::int64_t i, std::int64_t& value) const;
  bool is_valid(std::int64_t i) const noexcept { return node_.is_valid(i); }

 private:
  Node node_;
  char kind_;
};

// Binary and text of every layout: 32- or 64-bit offsets, views.
class BytesReader {
 public:
  explicit BytesReader(const Node& node);
  static bool reads(const char* format);
  struct Span {
    const char* data;
    std::size_t size;
  };
  // DecodeError when offsets descend or leave the buffers.
  Span at(std::int64_t i) const;
  bool is_valid(std::int64_t i) const noexcept { return node_.is_valid(i); }

 private:
  Node node_;
  enum class Kind { small, large, view } kind_;
  std::int64_t end_ = 0;
};

}  // namespace maskcodec
