// Binding of Arrow columns: capsules in and out, kernels without the GIL. No algorithm lives here.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "maskcodec/columns.hpp"
#include "pybind_errors.hpp"

namespace py = pybind11;
using namespace py::literals;
using namespace maskcodec;

namespace {

template <class T>
using Plain = py::array_t<T, py::array::c_style | py::array::forcecast>;
using Numbers = Plain<std::uint32_t>;

// --- capsules ----------------------------------------------------------------------------------------------------------

template <class T>
struct Capsule;
template <>
struct Capsule<ArrowSchema> {
  static constexpr const char* name = "arrow_schema";
};
template <>
struct Capsule<ArrowArray> {
  static constexpr const char* name = "arrow_array";
};
template <>
struct Capsule<ArrowArrayStream> {
  static constexpr const char* name = "arrow_array_stream";
};

// A capsule whose structure `fill` makes; one that nobody takes releases it.
template <class T, class Fill>
py::object give(Fill&& fill) {
  auto held = std::make_unique<T>();
  fill(held.get());
  PyObject* capsule = PyCapsule_New(held.get(), Capsule<T>::name, [](PyObject* object) {
    auto* value = static_cast<T*>(PyCapsule_GetPointer(object, Capsule<T>::name));
    if (value == nullptr) {
      PyErr_Clear();
      return;
    }
    if (value->release) value->release(value);
    delete value;
  });
  if (capsule == nullptr) {
    held->release(held.get());
    throw py::error_already_set();
  }
  held.release();
  return py::reinterpret_steal<py::object>(capsule);
}

template <class T>
T* opened(const py::handle& capsule) {
  void* value = PyCapsule_GetPointer(capsule.ptr(), Capsule<T>::name);
  if (value == nullptr) throw py::error_already_set();
  return static_cast<T*>(value);
}

// Whether a consumer asks for the storage rather than the extension type; anything that is no struct cannot be given.
bool wants_plain(const py::object& requested, const ArrowSchema& own) {
  if (requested.is_none()) return false;
  const ArrowSchema& schema = *opened<ArrowSchema>(requested);
  if (std::strcmp(schema.format, own.format) != 0)
    throw py::value_error("requested_schema: the column is " + describe(own) + ", it cannot be given as " + describe(schema));
  return own.metadata != nullptr && schema.metadata == nullptr;
}

// --- a column ----------------------------------------------------------------------------------------------------------

Column take(const py::object& object) {
  if (py::hasattr(object, "__arrow_c_array__")) {
    const py::tuple pair = object.attr("__arrow_c_array__")();
    if (pair.size() != 2) throw py::type_error("__arrow_c_array__ must return two capsules");
    return take_array(opened<ArrowSchema>(pair[0]), opened<ArrowArray>(pair[1]));
  }
  if (py::hasattr(object, "__arrow_c_stream__")) {
    const py::object capsule = object.attr("__arrow_c_stream__")();
    auto* stream = opened<ArrowArrayStream>(capsule);
    const py::gil_scoped_release release;  // the producer may need the GIL in a thread of its own
    return take_stream(stream);
  }
  throw py::type_error("expected Arrow data (an object with __arrow_c_array__ or __arrow_c_stream__), got " +
                       std::string(py::str(py::type::handle_of(object).attr("__name__"))));
}

class Chunked {
 public:
  explicit Chunked(Column c) : column(std::move(c)) {}
  Column column;

  std::int64_t size() const { return column.length(); }
  std::int64_t null_count() const {
    std::int64_t nulls = 0;
    const ArrowSchema& schema = column.schema->get();
    for (const Chunk& chunk : column.chunks) {
      if (std::strcmp(schema.format, "n") == 0) {
        nulls += chunk.length;
        continue;
      }
      const Node node(&schema, &chunk.array->get(), chunk.offset);
      if (node.valid == nullptr) continue;
      for (std::int64_t i = 0; i < chunk.length; ++i) nulls += node.is_valid(i) ? 0 : 1;
    }
    return nulls;
  }
  Chunked slice(std::int64_t start, std::int64_t stop) const { return Chunked(column.slice(start, stop)); }
  Chunked masks() const {
    const py::gil_scoped_release release;
    return Chunked(canonical_masks(column));
  }

  py::object schema(const py::object& requested) const {
    const bool plain = wants_plain(requested, column.schema->get());
    return give<ArrowSchema>([&](ArrowSchema* out) { give_schema(column, plain, out); });
  }
  // Several pieces of masks become one; numbers have one from the start.
  py::tuple array(const py::object& requested) const {
    Column whole = column;
    if (whole.chunks.size() != 1) whole = joined(whole);
    const py::object type = schema(requested);
    return py::make_tuple(type, give<ArrowArray>([&](ArrowArray* out) { give_chunk(whole.chunks.at(0), out); }));
  }
  py::object stream(const py::object& requested) const {
    const bool plain = wants_plain(requested, column.schema->get());
    return give<ArrowArrayStream>([&](ArrowArrayStream* out) { give_stream(column, plain, out); });
  }

 private:
  static Column joined(const Column& many) {
    Column out = concatenate_masks(many);
    if (out.chunks.size() != 1) throw py::value_error("a column of more than 2^31-1 bytes is not one array: take its stream");
    return out;
  }
};

// --- numbers out -------------------------------------------------------------------------------------------------------

// (values, valid or None) of a column of numbers; values lie in its memory, which they keep.
py::tuple numpy(const Chunked& self) {
  const ArrowSchema& schema = self.column.schema->get();
  const std::string format(schema.format);
  const bool boxes = format == "+w:4" && std::strcmp(schema.children[0]->format, "g") == 0;
  if (self.column.chunks.size() > 1 || !(boxes || format == "l" || format == "g"))
    throw std::invalid_argument("expected a column of int64, double or four doubles, got " + describe(schema));
  const bool whole = format == "l";
  if (self.column.chunks.empty()) {
    const py::object empty = whole ? py::object(py::array_t<std::int64_t>(0))
                                   : py::object(py::array_t<double>(boxes ? std::vector<py::ssize_t>{0, 4}
                                                                          : std::vector<py::ssize_t>{0}));
    return py::make_tuple(empty, py::none());
  }
  const Chunk& chunk = self.column.chunks[0];
  const Node node(&schema, &chunk.array->get(), chunk.offset);
  const auto n = static_cast<py::ssize_t>(chunk.length);
  auto keep = std::make_unique<std::shared_ptr<const OwnedArray>>(chunk.array);
  const py::capsule owner(keep.get(), [](void* p) { delete static_cast<std::shared_ptr<const OwnedArray>*>(p); });
  keep.release();
  py::object values;
  if (boxes) {
    const ArrowArray& child = *node.array->children[0];
    const double* data = static_cast<const double*>(child.buffers[1]) + child.offset + 4 * node.base;
    values = py::array_t<double>(std::vector<py::ssize_t>{n, 4}, data, owner);
  } else if (whole) {
    values = py::array_t<std::int64_t>(n, node.data<std::int64_t>() + node.base, owner);
  } else {
    values = py::array_t<double>(n, node.data<double>() + node.base, owner);
  }
  values.attr("flags").attr("writeable") = false;
  if (self.null_count() == 0) return py::make_tuple(values, py::none());
  py::array_t<bool> valid(n);
  bool* out = valid.mutable_data();
  for (py::ssize_t i = 0; i < n; ++i) out[i] = node.is_valid(i);
  return py::make_tuple(values, valid);
}

template <class T>
std::vector<T> copied(const Plain<T>& array) {
  return std::vector<T>(array.data(), array.data() + array.size());
}

Validity validity_argument(const py::object& valid, py::ssize_t rows) {
  if (valid.is_none()) return {};
  const auto flags = valid.cast<Plain<bool>>();
  if (flags.size() != rows) throw py::value_error("valid: expected a flag for every row");
  const bool* data = flags.data();
  return Validity::of(static_cast<std::size_t>(rows), [data](std::size_t i) { return data[i]; });
}

Chunked numbers(const py::array& values, const py::object& valid) {
  const char kind = values.dtype().kind();
  Validity validity = validity_argument(valid, values.shape(0));
  if (kind == 'i')
    return Chunked(make_numbers(copied<std::int64_t>(values.cast<Plain<std::int64_t>>()), std::move(validity)));
  auto doubles = copied<double>(values.cast<Plain<double>>());
  return Chunked(values.ndim() == 2 ? make_boxes(std::move(doubles), std::move(validity))
                                    : make_numbers(std::move(doubles), std::move(validity)));
}

// Names of groups as Python values: only for tests and printing, no kernel makes objects.
py::list texts(const Chunked& self) {
  py::list out;
  const ArrowSchema& schema = self.column.schema->get();
  const bool utf8 = std::strchr(schema.format, 'u') || std::strchr(schema.format, 'U');
  for (const Chunk& chunk : self.column.chunks) {
    const BytesReader reader(Node(&schema, &chunk.array->get(), chunk.offset));
    for (std::int64_t i = 0; i < chunk.length; ++i) {
      if (!reader.is_valid(i)) {
        out.append(py::none());
        continue;
      }
      const BytesReader::Span span = reader.at(i);
      out.append(utf8 ? py::object(py::str(span.data, span.size)) : py::object(py::bytes(span.data, span.size)));
    }
  }
  return out;
}

// --- kernels -----------------------------------------------------------------------------------------------------------

std::vector<MaskRow> rows_of(const Chunked& column) { return mask_rows(column.column); }

template <class Kernel>
Chunked run(const Chunked& column, Kernel&& kernel) {
  const py::gil_scoped_release release;
  return Chunked(kernel(rows_of(column)));
}

std::vector<Shape> shapes_argument(const Numbers& sizes) {
  if (sizes.ndim() != 2 || sizes.shape(1) != 2) throw py::value_error("sizes: expected a height and a width for every row");
  std::vector<Shape> out;
  for (py::ssize_t i = 0; i < sizes.shape(0); ++i) out.push_back(make_shape(sizes.at(i, 0), sizes.at(i, 1)));
  return out;
}

FillRule rule_argument(const std::string& name) {
  if (name == "coco") return FillRule::coco;
  if (name == "even-odd") return FillRule::even_odd;
  if (name == "non-zero") return FillRule::non_zero;
  if (name == "pillow") return FillRule::pillow;
  if (name == "opencv") return FillRule::opencv;
  throw py::value_error("rule: expected 'coco', 'even-odd', 'non-zero', 'pillow' or 'opencv', got '" + name + "'");
}

py::tuple shapes(const Chunked& column) {
  std::vector<MaskRow> rows;
  {
    const py::gil_scoped_release release;
    rows = rows_of(column);
  }
  const auto n = static_cast<py::ssize_t>(rows.size());
  py::array_t<std::uint32_t> sizes(std::vector<py::ssize_t>{n, 2});
  py::array_t<bool> valid(n);
  std::uint32_t* size = sizes.mutable_data();
  bool* flag = valid.mutable_data();
  for (const MaskRow& row : rows) {
    *size++ = row.shape.height;
    *size++ = row.shape.width;
    *flag++ = row.valid();
  }
  return py::make_tuple(sizes, valid);
}

template <class T>
py::array_t<T> handed_over(std::vector<T>&& values) {
  auto held = std::make_unique<std::vector<T>>(std::move(values));
  const auto n = static_cast<py::ssize_t>(held->size());
  T* data = held->data();
  const py::capsule owner(held.get(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
  held.release();
  return py::array_t<T>(n, data, owner);
}

py::tuple runs(const Chunked& column, unsigned threads) {
  std::vector<std::uint32_t> counts;
  std::vector<std::uint64_t> offsets;
  {
    const py::gil_scoped_release release;
    column_runs(rows_of(column), counts, offsets, threads);
  }
  return py::make_tuple(handed_over(std::move(counts)), handed_over(std::move(offsets)));
}

Chunked encode_masks(const Numbers& counts, const Plain<std::uint64_t>& offsets,
               const Numbers& sizes, const py::object& valid, unsigned threads) {
  const std::vector<Shape> frames = shapes_argument(sizes);
  const std::size_t n = frames.size();
  if (offsets.size() != static_cast<py::ssize_t>(n + 1)) throw py::value_error("offsets: expected one more than there are masks");
  std::optional<py::array_t<std::uint8_t>> flags;
  if (!valid.is_none()) {
    flags = valid.attr("astype")("uint8").cast<py::array_t<std::uint8_t>>();
    if (flags->size() != static_cast<py::ssize_t>(n)) throw py::value_error("valid: expected a flag for every mask");
  }
  const std::uint64_t* at = offsets.data();
  for (std::size_t i = 0; i < n; ++i)
    if (at[i] > at[i + 1] || at[i + 1] > static_cast<std::uint64_t>(counts.size()))
      throw py::value_error("offsets: expected ascending positions inside runs");
  const std::uint32_t* data = counts.data();
  const std::uint8_t* flag = flags ? flags->data() : nullptr;
  const py::gil_scoped_release release;
  return Chunked(encode_column(data, at, frames.data(), flag, n, threads));
}

Window window_argument(const std::uint32_t* v) { return Window{v[0], v[1], v[2], v[3]}; }

void decode_masks(const Chunked& column, py::array out, const Numbers& window, const py::object& resize, std::uint64_t value,
            bool zeroed, unsigned threads) {
  if (out.ndim() != 3 || window.size() != 4 || out.shape(0) != column.size() ||
      out.shape(1) != static_cast<py::ssize_t>(window.at(3)) - static_cast<py::ssize_t>(window.at(1)) ||
      out.shape(2) != static_cast<py::ssize_t>(window.at(2)) - static_cast<py::ssize_t>(window.at(0)))
    throw py::value_error("out: expected an array of one window a row");
  const Window win = window_argument(window.data());
  std::optional<Shape> size;
  if (!resize.is_none()) {
    const auto pair = resize.cast<std::pair<std::uint64_t, std::uint64_t>>();
    size = make_shape(pair.first, pair.second);
  }
  check_dense(Shape{win.y1 - win.y0, win.x1 - win.x0}, static_cast<std::uint64_t>(column.size()));
  const DenseTarget target{static_cast<char*>(out.mutable_data()), out.strides(0), out.strides(1), out.strides(2),
                           static_cast<std::size_t>(out.itemsize()), value, zeroed};
  const py::gil_scoped_release release;
  column_decode(rows_of(column), win, size ? &*size : nullptr, target, threads);
}

Chunked crop_masks(const Chunked& column, const Numbers& windows, unsigned threads) {
  const bool shared = windows.ndim() == 1;
  if (windows.size() != 4 * (shared ? 1 : column.size())) throw py::value_error("window: expected four integers, or four a row");
  std::vector<Window> all;
  for (py::ssize_t i = 0; i < windows.size(); i += 4) all.push_back(window_argument(windows.data() + i));
  if (all.empty()) all.push_back(Window{});
  return run(column, [&](const auto& rows) { return column_crop(rows, all.data(), shared, threads); });
}

Chunked polygons(const Chunked& objects, const Numbers& sizes, const std::string& rule, unsigned threads) {
  const bool shared = sizes.ndim() == 1;
  std::vector<Shape> frames;
  if (shared) {
    if (sizes.size() != 2) throw py::value_error("sizes: expected a height and a width");
    frames.push_back(make_shape(sizes.at(0), sizes.at(1)));
  } else {
    frames = shapes_argument(sizes);
    if (static_cast<std::int64_t>(frames.size()) != objects.size())
      throw py::value_error("expected a height and a width for every row");
  }
  const FillRule how = rule_argument(rule);
  const py::gil_scoped_release release;
  return Chunked(column_polygons(objects.column, frames.data(), shared, how, threads));
}

}  // namespace

PYBIND11_MODULE(columns, m, py::mod_gil_not_used()) {
  m.doc() = "Arrow columns of masks. Private: use maskcodec.columns.";
  maskcodec::translate_exceptions();
  py::class_<Chunked>(m, "Chunked")
      .def(py::init([](const py::object& data) { return Chunked(take(data)); }), "data"_a)
      .def("__len__", &Chunked::size)
      .def_property_readonly("type", [](const Chunked& self) { return describe(self.column.schema->get()); })
      .def_property_readonly("null_count", &Chunked::null_count)
      .def_property_readonly("chunks", [](const Chunked& self) { return self.column.chunks.size(); })
      .def("slice", &Chunked::slice, "start"_a, "stop"_a)
      .def("masks", &Chunked::masks)
      .def("schema", &Chunked::schema, "requested"_a)
      .def("array", &Chunked::array, "requested"_a)
      .def("stream", &Chunked::stream, "requested"_a)
      .def("numpy", &numpy)
      .def("texts", &texts);
  m.def("numbers", &numbers, "values"_a, "valid"_a);
  m.def("shapes", &shapes, "column"_a);
  m.def("runs", &runs, "column"_a, "threads"_a);
  m.def("encode", &encode_masks, "runs"_a, "offsets"_a, "sizes"_a, "valid"_a, "threads"_a);
  m.def("decode", &decode_masks, "column"_a, "out"_a, "window"_a, "resize"_a, "value"_a, "zeroed"_a, "threads"_a);
  m.def(
      "area",
      [](const Chunked& c, unsigned threads) { return run(c, [&](const auto& rows) { return column_area(rows, threads); }); },
      "column"_a, "threads"_a);
  m.def(
      "bbox",
      [](const Chunked& c, unsigned threads) { return run(c, [&](const auto& rows) { return column_box(rows, threads); }); },
      "column"_a, "threads"_a);
  m.def(
      "iou",
      [](const Chunked& a, const Chunked& b, unsigned threads) {
        return run(a, [&](const auto& rows) { return column_iou(rows, rows_of(b), threads); });
      },
      "a"_a, "b"_a, "threads"_a);
  m.def("crop", &crop_masks, "column"_a, "window"_a, "threads"_a);
  m.def(
      "resize",
      [](const Chunked& c, std::uint64_t height, std::uint64_t width, unsigned threads) {
        const Shape shape = make_shape(height, width);
        return run(c, [&](const auto& rows) { return column_resize(rows, shape, threads); });
      },
      "column"_a, "height"_a, "width"_a, "threads"_a);
  m.def("polygons", &polygons, "objects"_a, "sizes"_a, "rule"_a, "threads"_a);
  m.def(
      "merge",
      [](const Chunked& c, const Chunked& groups, unsigned threads) {
        Merged out;
        {
          const py::gil_scoped_release release;
          out = column_merge(rows_of(c), groups.column, threads);
        }
        return py::make_tuple(Chunked(std::move(out.groups)), Chunked(std::move(out.masks)));
      },
      "column"_a, "group"_a, "threads"_a);
}
