#include "maskcodec/arrow_data.hpp"

#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "maskcodec/error.hpp"

namespace maskcodec {

std::int64_t Column::length() const noexcept {
  std::int64_t total = 0;
  for (const Chunk& chunk : chunks) total += chunk.length;
  return total;
}

Column Column::slice(std::int64_t start, std::int64_t stop) const {
  Column out{schema, {}};
  std::int64_t at = 0;
  for (const Chunk& chunk : chunks) {
    const std::int64_t from = start > at ? start - at : 0;
    const std::int64_t to = stop - at < chunk.length ? stop - at : chunk.length;
    if (from < to) out.chunks.push_back(Chunk{chunk.array, chunk.offset + from, to - from});
    at += chunk.length;
  }
  if (out.chunks.empty() && !chunks.empty()) out.chunks.push_back(Chunk{chunks[0].array, chunks[0].offset, 0});
  return out;
}

// --- out ---------------------------------------------------------------------------------------------------------------

namespace {

struct ArrayMemory {
  std::vector<const void*> buffers;
  std::vector<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
  std::shared_ptr<const void> keep;
};

void release_array(ArrowArray* array) {
  auto* memory = static_cast<ArrayMemory*>(array->private_data);
  for (ArrowArray* child : memory->pointers)  // a consumer may have moved some of them out
    if (child->release) child->release(child);
  array->release = nullptr;
  delete memory;
}

struct SchemaMemory {
  std::string format, name, metadata;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};

void release_schema(ArrowSchema* schema) {
  auto* memory = static_cast<SchemaMemory*>(schema->private_data);
  for (ArrowSchema* child : memory->pointers)
    if (child->release) child->release(child);
  schema->release = nullptr;
  delete memory;
}

ArrowSchema build_schema(std::string format, std::string name, std::string metadata, std::int64_t flags,
                         std::vector<ArrowSchema> children) {
  auto memory = std::make_unique<SchemaMemory>();
  memory->format = std::move(format);
  memory->name = std::move(name);
  memory->metadata = std::move(metadata);
  memory->children = std::move(children);
  for (ArrowSchema& child : memory->children) memory->pointers.push_back(&child);
  ArrowSchema out{};
  out.format = memory->format.c_str();
  out.name = memory->name.c_str();
  out.metadata = memory->metadata.empty() ? nullptr : memory->metadata.data();
  out.flags = flags;
  out.n_children = static_cast<std::int64_t>(memory->children.size());
  out.children = memory->pointers.empty() ? nullptr : memory->pointers.data();
  out.release = release_schema;
  out.private_data = memory.release();
  return out;
}

void append_int(std::string& text, std::size_t value) {
  const auto number = static_cast<std::int32_t>(value);
  char bytes[4];
  std::memcpy(bytes, &number, 4);
  text.append(bytes, 4);
}

std::string extension_metadata(const std::string& extension) {
  std::string out;
  append_int(out, 2);
  for (const auto& [key, value] : {std::pair<std::string, std::string>{"ARROW:extension:name", extension},
                                   {"ARROW:extension:metadata", ""}}) {
    append_int(out, key.size());
    out += key;
    append_int(out, value.size());
    out += value;
  }
  return out;
}

std::string copied_metadata(const char* metadata) {
  if (metadata == nullptr) return {};
  auto integer = [&](std::size_t at) {
    std::int32_t value;
    std::memcpy(&value, metadata + at, 4);
    return static_cast<std::size_t>(value < 0 ? 0 : value);
  };
  std::size_t size = 4;
  for (std::size_t left = 2 * integer(0); left != 0; --left) size += 4 + integer(size);
  return std::string(metadata, size);
}

ArrowSchema copy_schema(const ArrowSchema& source, bool plain) {
  std::vector<ArrowSchema> children;
  for (std::int64_t i = 0; i < source.n_children; ++i) children.push_back(copy_schema(*source.children[i], plain));
  return build_schema(source.format, source.name ? source.name : "", plain ? "" : copied_metadata(source.metadata),
                      source.flags, std::move(children));
}

ArrowArray share(const ArrowArray& source, const std::shared_ptr<const void>& keep) {
  std::vector<ArrowArray> children;
  for (std::int64_t i = 0; i < source.n_children; ++i) children.push_back(share(*source.children[i], keep));
  std::vector<const void*> buffers(source.buffers, source.buffers + source.n_buffers);
  ArrowArray out = make_array(source.length, source.null_count, std::move(buffers), std::move(children), keep);
  out.offset = source.offset;
  return out;
}

struct StreamMemory {
  Column column;
  bool plain;
  std::size_t next = 0;
  std::string error;
};

template <class Work>
int guarded(ArrowArrayStream* stream, Work&& work) {
  auto& memory = *static_cast<StreamMemory*>(stream->private_data);
  try {
    work(memory);
    return 0;
  } catch (const std::bad_alloc&) {
    return ENOMEM;
  } catch (const std::exception& error) {
    memory.error = error.what();
    return EIO;
  }
}

int stream_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  return guarded(stream, [&](StreamMemory& memory) { give_schema(memory.column, memory.plain, out); });
}

int stream_next(ArrowArrayStream* stream, ArrowArray* out) {
  return guarded(stream, [&](StreamMemory& memory) {
    *out = ArrowArray{};
    if (memory.next < memory.column.chunks.size()) give_chunk(memory.column.chunks[memory.next++], out);
  });
}

const char* stream_error(ArrowArrayStream* stream) {
  return static_cast<StreamMemory*>(stream->private_data)->error.c_str();
}

void release_stream(ArrowArrayStream* stream) {
  delete static_cast<StreamMemory*>(stream->private_data);
  stream->release = nullptr;
}

}  // namespace

ArrowArray make_array(std::int64_t length, std::int64_t nulls, std::vector<const void*> buffers,
                      std::vector<ArrowArray> children, std::shared_ptr<const void> keep) {
  auto memory = std::make_unique<ArrayMemory>();
  memory->buffers = std::move(buffers);
  memory->children = std::move(children);
  memory->keep = std::move(keep);
  for (ArrowArray& child : memory->children) memory->pointers.push_back(&child);
  ArrowArray out{};
  out.length = length;
  out.null_count = nulls;
  out.n_buffers = static_cast<std::int64_t>(memory->buffers.size());
  out.n_children = static_cast<std::int64_t>(memory->children.size());
  out.buffers = memory->buffers.empty() ? nullptr : memory->buffers.data();
  out.children = memory->pointers.empty() ? nullptr : memory->pointers.data();
  out.release = release_array;
  out.private_data = memory.release();
  return out;
}

Chunk make_chunk(ArrowArray array) {
  const std::int64_t length = array.length;
  return Chunk{std::make_shared<const OwnedArray>(&array), 0, length};
}

std::shared_ptr<const OwnedSchema> make_schema(const SchemaSpec& spec) {
  auto build = [](const SchemaSpec& one, const auto& self) -> ArrowSchema {
    std::vector<ArrowSchema> children;
    for (const SchemaSpec& child : one.children) children.push_back(self(child, self));
    return build_schema(one.format, one.name, one.extension.empty() ? "" : extension_metadata(one.extension),
                        ARROW_FLAG_NULLABLE, std::move(children));
  };
  ArrowSchema schema = build(spec, build);
  return std::make_shared<const OwnedSchema>(&schema);
}

void give_schema(const Column& column, bool plain, ArrowSchema* out) { *out = copy_schema(column.schema->get(), plain); }

void give_chunk(const Chunk& chunk, ArrowArray* out) {
  const ArrowArray& whole = chunk.array->get();
  *out = share(whole, chunk.array);
  out->offset += chunk.offset;
  out->length = chunk.length;
  if (chunk.length != whole.length && out->null_count != 0) out->null_count = -1;
}

void give_stream(const Column& column, bool plain, ArrowArrayStream* out) {
  auto memory = std::make_unique<StreamMemory>();
  memory->column = column;
  memory->plain = plain;
  *out = ArrowArrayStream{stream_schema, stream_next, stream_error, release_stream, memory.get()};
  memory.release();
}

// --- in ----------------------------------------------------------------------------------------------------------------

namespace {

std::size_t least_buffers(const char* format) {
  const std::string f(format);
  if (f == "n" || f.rfind("+u", 0) == 0 || f == "+r") return 0;
  if (f == "+s" || f.rfind("+w:", 0) == 0) return 1;
  if (f == "u" || f == "z" || f == "U" || f == "Z" || f == "vu" || f == "vz" || f == "+vl" || f == "+vL") return 3;
  return 2;
}

void check(const ArrowSchema& schema, const ArrowArray& array, int depth) {
  auto fail = [&](const std::string& what) {
    throw RangeError("an Arrow array of the type " + describe(schema) + ": " + what);
  };
  if (depth > 64) fail("nested too deeply");
  if (array.length < 0 || array.offset < 0) fail("its length or offset is below 0");
  if (array.n_children != schema.n_children) {
    fail("expected " + std::to_string(schema.n_children) + " children, got " + std::to_string(array.n_children));
  }
  if (array.n_buffers < static_cast<std::int64_t>(least_buffers(schema.format)))
    fail("it has " + std::to_string(array.n_buffers) + " buffers, too few");
  if ((array.dictionary == nullptr) != (schema.dictionary == nullptr)) fail("its dictionary is missing");
  if (array.dictionary) check(*schema.dictionary, *array.dictionary, depth + 1);
  const std::string format(schema.format);
  for (std::int64_t i = 0; i < array.n_children; ++i) {
    check(*schema.children[i], *array.children[i], depth + 1);
    if (format == "+s" && array.children[i]->length < array.offset + array.length) fail("a child is too short");
  }
}

[[noreturn]] void stream_failed(ArrowArrayStream* stream, int code) {
  const char* text = stream->get_last_error(stream);
  throw RangeError("the Arrow stream failed: " + std::string(text ? text : std::strerror(code)));
}

}  // namespace

Column take_array(ArrowSchema* schema, ArrowArray* array) {
  if (schema->release == nullptr || array->release == nullptr)
    throw RangeError("the Arrow array has been consumed before");
  Column out{std::make_shared<const OwnedSchema>(schema), {}};
  const auto held = std::make_shared<const OwnedArray>(array);
  check(out.schema->get(), held->get(), 0);
  out.chunks.push_back(Chunk{held, 0, held->get().length});
  return out;
}

Column take_stream(ArrowArrayStream* source) {
  if (source->release == nullptr) throw RangeError("the Arrow stream has been consumed before");
  Owned<ArrowArrayStream> held(source);
  auto* stream = const_cast<ArrowArrayStream*>(&held.get());
  ArrowSchema schema{};
  if (const int code = stream->get_schema(stream, &schema)) stream_failed(stream, code);
  Column out{std::make_shared<const OwnedSchema>(&schema), {}};
  for (;;) {
    ArrowArray array{};
    if (const int code = stream->get_next(stream, &array)) stream_failed(stream, code);
    if (array.release == nullptr) return out;
    const auto piece = std::make_shared<const OwnedArray>(&array);
    check(out.schema->get(), piece->get(), 0);
    if (piece->get().length != 0) out.chunks.push_back(Chunk{piece, 0, piece->get().length});
  }
}

// --- looking -----------------------------------------------------------------------------------------------------------

Node::Node(const ArrowSchema* s, const ArrowArray* a, std::int64_t above)
    : schema(s), array(a), base(above + a->offset), valid(nullptr) {
  if (a->null_count != 0 && a->n_buffers > 0 && std::strcmp(s->format, "n") != 0)
    valid = static_cast<const std::uint8_t*>(a->buffers[0]);
}

std::string describe(const ArrowSchema& schema) {
  static const std::pair<const char*, const char*> names[] = {
      {"n", "null"}, {"b", "bool"}, {"c", "int8"}, {"C", "uint8"}, {"s", "int16"}, {"S", "uint16"}, {"i", "int32"},
      {"I", "uint32"}, {"l", "int64"}, {"L", "uint64"}, {"e", "float16"}, {"f", "float"}, {"g", "double"},
      {"z", "binary"}, {"Z", "large_binary"}, {"u", "string"}, {"U", "large_string"}, {"vz", "binary_view"},
      {"vu", "string_view"}, {"+l", "list"}, {"+L", "large_list"}, {"+vl", "list_view"}, {"+vL", "large_list_view"},
      {"+s", "struct"}, {"+m", "map"}, {"+r", "run_end_encoded"}};
  std::string text = schema.format ? schema.format : "";
  for (const auto& [format, name] : names) {
    if (text == format) {
      text = name;
      break;
    }
  }
  if (text.rfind("+w:", 0) == 0) text = "fixed_size_list[" + text.substr(3) + "]";
  if (schema.dictionary) return "dictionary<" + describe(*schema.dictionary) + ">";
  if (schema.n_children == 0) return text;
  text += "<";
  for (std::int64_t i = 0; i < schema.n_children && i < 8; ++i) {
    const ArrowSchema& child = *schema.children[i];
    text += (i == 0 ? "" : ", ") + std::string(child.name ? child.name : "") + ": " + describe(child);
  }
  return text + (schema.n_children > 8 ? ", ...>" : ">");
}

bool IntegerReader::reads(const char* format) {
  return format[0] != '\0' && format[1] == '\0' && std::strchr("cCsSiIlL", format[0]) != nullptr;
}

namespace {

void check_data(const Node& node) {
  if (node.array->length != 0 && node.array->buffers[1] == nullptr)
    throw RangeError("an Arrow array of the type " + describe(*node.schema) + ": a buffer is missing");
}

}  // namespace

IntegerReader::IntegerReader(const Node& node) : node_(node), kind_(node.schema->format[0]) {
  if (!reads(node.schema->format) || node.schema->dictionary)
    throw std::invalid_argument("expected integers, got " + describe(*node.schema));
  check_data(node);
}

bool IntegerReader::at(std::int64_t i, std::int64_t& value) const {
  const std::int64_t at = node_.base + i;
  switch (kind_) {
    case 'c': value = node_.data<std::int8_t>()[at]; return true;
    case 'C': value = node_.data<std::uint8_t>()[at]; return true;
    case 's': value = node_.data<std::int16_t>()[at]; return true;
    case 'S': value = node_.data<std::uint16_t>()[at]; return true;
    case 'i': value = node_.data<std::int32_t>()[at]; return true;
    case 'I': value = node_.data<std::uint32_t>()[at]; return true;
    case 'l': value = node_.data<std::int64_t>()[at]; return true;
    default: {
      const std::uint64_t big = node_.data<std::uint64_t>()[at];
      value = static_cast<std::int64_t>(big);
      return big <= static_cast<std::uint64_t>(INT64_MAX);
    }
  }
}

bool BytesReader::reads(const char* format) {
  for (const char* known : {"z", "Z", "u", "U", "vz", "vu"})
    if (std::strcmp(known, format) == 0) return true;
  return false;
}

BytesReader::BytesReader(const Node& node) : node_(node), kind_(Kind::small) {
  const char* f = node.schema->format;
  if (!reads(f) || node.schema->dictionary)
    throw std::invalid_argument("expected binary or text, got " + describe(*node.schema));
  check_data(node);
  if (f[0] == 'v')
    kind_ = Kind::view;
  else if (f[0] == 'Z' || f[0] == 'U')
    kind_ = Kind::large;
  const ArrowArray& a = *node.array;
  if (kind_ != Kind::view && a.length != 0) {
    const std::int64_t last = a.offset + a.length;
    end_ = kind_ == Kind::small ? node.data<std::int32_t>()[last] : node.data<std::int64_t>()[last];
  }
}

BytesReader::Span BytesReader::at(std::int64_t i) const {
  const std::int64_t at = node_.base + i;
  if (kind_ != Kind::view) {
    const std::int64_t from = kind_ == Kind::small ? node_.data<std::int32_t>()[at] : node_.data<std::int64_t>()[at];
    const std::int64_t to = kind_ == Kind::small ? node_.data<std::int32_t>()[at + 1] : node_.data<std::int64_t>()[at + 1];
    // The last offset is as far as the data are known to reach.
    if (from < 0 || to < from || to > end_) throw DecodeError("the offsets of the Arrow array descend", 0);
    const char* data = node_.data<char>(2);
    return Span{data ? data + from : "", data ? static_cast<std::size_t>(to - from) : 0};
  }
  const char* view = node_.data<char>() + 16 * at;
  std::int32_t part[4];
  std::memcpy(part, view, 16);
  const std::int32_t size = part[0], buffer = part[2], offset = part[3];
  if (size < 0) throw DecodeError("a view of the Arrow array has a length below 0", 0);
  if (size <= 12) return Span{view + 4, static_cast<std::size_t>(size)};
  const std::int64_t buffers = node_.array->n_buffers - 3;
  const auto* sizes = node_.data<std::int64_t>(static_cast<std::size_t>(buffers + 2));
  if (buffer < 0 || buffer >= buffers || offset < 0 || std::int64_t{offset} + size > sizes[buffer])
    throw DecodeError("a view of the Arrow array leaves its buffers", 0);
  return Span{node_.data<char>(static_cast<std::size_t>(2 + buffer)) + offset, static_cast<std::size_t>(size)};
}

}  // namespace maskcodec
