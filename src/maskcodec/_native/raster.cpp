// Binding of the raster half of the core: polygons, contours, label maps, id packing. Checks arguments, hands arrays over
// without copying where type, byte order and alignment allow it, and releases the GIL. No algorithm lives here.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "maskcodec/contour.hpp"
#include "maskcodec/crc32c.hpp"
#include "maskcodec/lzf.hpp"
#include "maskcodec/idpack.hpp"
#include "maskcodec/paint.hpp"
#include "maskcodec/png_rows.hpp"
#include "maskcodec/polygon.hpp"
#include "pybind_errors.hpp"

namespace py = pybind11;
using namespace py::literals;
using namespace maskcodec;

namespace {

// --- arrays in -------------------------------------------------------------------------------------------------------------

std::string type_name(py::handle object) { return py::str(py::type::handle_of(object).attr("__name__")); }

py::array as_array(py::handle object, const char* name) {
  if (!py::isinstance<py::array>(object))
    throw std::invalid_argument(std::string(name) + ": expected an array, got " + type_name(object));
  return py::reinterpret_borrow<py::array>(object);
}

void check_dimensions(const py::array& a, py::ssize_t dimensions, const char* name) {
  if (a.ndim() != dimensions)
    throw ShapeError(std::string(name) + ": expected " + std::to_string(dimensions) + " dimensions, got " +
                     std::to_string(a.ndim()));
}

// The array itself where it is aligned and in native byte order, else a copy that is.
py::array native(py::array a) {
  const bool aligned = (a.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) != 0;
  const py::object dtype = a.dtype();
  if (aligned && dtype.attr("isnative").cast<bool>()) return a;
  return a.attr("astype")(dtype.attr("newbyteorder")("="));
}

[[noreturn]] void wrong_dtype(const py::array& a, const char* name, const char* expected) {
  throw std::invalid_argument(std::string(name) + ": expected " + expected + ", got dtype " +
                              std::string(py::str(py::object(a.dtype()))));
}

// An array of any integer type; holds the reference that keeps its memory.
struct Integers {
  py::array array;
  IntKind kind;

  Integers(py::handle object, py::ssize_t dimensions, const char* name) : array(as_array(object, name)) {
    const char letter = array.dtype().kind();
    if (letter != 'i' && letter != 'u') wrong_dtype(array, name, "integers");
    check_dimensions(array, dimensions, name);
    array = native(std::move(array));
    const bool is_signed = letter == 'i';
    switch (array.itemsize()) {
      case 1: kind = is_signed ? IntKind::i8 : IntKind::u8; break;
      case 2: kind = is_signed ? IntKind::i16 : IntKind::u16; break;
      case 4: kind = is_signed ? IntKind::i32 : IntKind::u32; break;
      case 8: kind = is_signed ? IntKind::i64 : IntKind::u64; break;
      default: wrong_dtype(array, name, "integers of at most 64 bits");
    }
  }

  std::size_t extent(py::ssize_t axis) const { return static_cast<std::size_t>(array.shape(axis)); }

  IntView view() const {
    return IntView{array.data(), kind, extent(0), extent(1), array.strides(0), array.strides(1)};
  }

  template <class T>
  PixelView<T> pixels() const {
    return PixelView<T>{static_cast<const T*>(array.data()), extent(0), extent(1), array.strides(0), array.strides(1)};
  }
};

// A contiguous array of exactly this element type; copied only to make it contiguous, aligned and native.
template <class T>
struct Exact {
  py::array array;
  Exact(py::handle object, const char* name, char kind, const char* expected) : array(as_array(object, name)) {
    if (array.dtype().kind() != kind || array.itemsize() != static_cast<py::ssize_t>(sizeof(T)))
      wrong_dtype(array, name, expected);
    array = native(std::move(array));
    if (!(array.flags() & py::array::c_style)) array = array.attr("copy")("C");
  }
  const T* data() const { return static_cast<const T*>(array.data()); }
  std::size_t size() const { return static_cast<std::size_t>(array.size()); }
};

Exact<std::uint32_t> runs_argument(py::handle object) {
  Exact<std::uint32_t> runs(object, "runs", 'u', "uint32");
  check_dimensions(runs.array, 1, "runs");
  return runs;
}

// Offsets are copied: they are trusted after the check, so nobody may change them in between.
std::vector<std::uint64_t> offsets_argument(py::handle object, const char* name, std::size_t end) {
  const Integers given(object, 1, name);
  const std::size_t n = given.extent(0);
  std::vector<std::uint64_t> out(n);
  with_kind(given.kind, [&](auto zero) {
    using T = decltype(zero);
    for (std::size_t i = 0; i < n; ++i)
      out[i] = static_cast<std::uint64_t>(
          *static_cast<const T*>(given.array.data(static_cast<py::ssize_t>(i))));  // a negative one becomes huge
  });
  bool good = n > 0 && out[0] == 0 && out[n - 1] == end;
  for (std::size_t i = 0; good && i + 1 < n; ++i) good = out[i] <= out[i + 1];
  if (!good) throw ShapeError(std::string(name) + ": expected ascending offsets from 0 to " + std::to_string(end));
  return out;
}

ColorView color_argument(py::array& image) {
  if (image.dtype().kind() != 'u' || image.itemsize() != 1) wrong_dtype(image, "image", "uint8");
  check_dimensions(image, 3, "image");
  if (image.shape(2) != 3 && image.shape(2) != 4)
    throw ShapeError("image: expected 3 or 4 channels, got " + std::to_string(image.shape(2)));
  return ColorView{static_cast<const std::uint8_t*>(image.data()), static_cast<std::size_t>(image.shape(0)),
                   static_cast<std::size_t>(image.shape(1)), image.strides(0), image.strides(1), image.strides(2)};
}

FillRule rule_argument(const std::string& name) {
  if (name == "coco") return FillRule::coco;
  if (name == "even-odd") return FillRule::even_odd;
  if (name == "non-zero") return FillRule::non_zero;
  if (name == "pillow") return FillRule::pillow;
  if (name == "opencv") return FillRule::opencv;
  throw ShapeError("rule: expected 'coco', 'even-odd', 'non-zero', 'pillow' or 'opencv', got '" + name + "'");
}

// --- arrays out ------------------------------------------------------------------------------------------------------------

// The memory of a vector as an array, not copied.
template <class T>
py::array_t<T> hand_over(std::vector<T>&& values, std::vector<py::ssize_t> shape = {}) {
  if (shape.empty()) shape = {static_cast<py::ssize_t>(values.size())};
  auto held = std::make_unique<std::vector<T>>(std::move(values));
  T* data = held->data();
  const py::capsule owner(held.get(), [](void* p) { delete static_cast<std::vector<T>*>(p); });
  held.release();
  return py::array_t<T>(shape, data, owner);
}

template <class T>
py::array_t<T> new_array(std::vector<py::ssize_t> shape) {
  return py::array_t<T>(std::move(shape));
}

// --- polygons and contours -------------------------------------------------------------------------------------------------

py::tuple fill_polygons(py::handle xy, py::handle ring_offsets, py::handle object_offsets, py::handle shapes,
                        const std::string& rule, unsigned threads) {
  const Exact<double> points(xy, "xy", 'f', "float64");
  if (points.size() % 2 != 0) throw ShapeError("xy: expected pairs of coordinates");
  const auto rings = offsets_argument(ring_offsets, "ring_offsets", points.size() / 2);
  const auto objects = offsets_argument(object_offsets, "object_offsets", rings.size() - 1);
  const Integers sizes(shapes, 2, "shapes");
  if (sizes.extent(0) != objects.size() - 1 || sizes.extent(1) != 2)
    throw ShapeError("shapes: expected one height and width per object");
  std::vector<Shape> frames(objects.size() - 1);
  with_kind(sizes.kind, [&](auto zero) {
    using T = decltype(zero);
    const auto view = sizes.pixels<T>();
    for (std::size_t i = 0; i < frames.size(); ++i)
      frames[i] = make_shape(static_cast<std::uint64_t>(view.at(i, 0)), static_cast<std::uint64_t>(view.at(i, 1)));
  });
  const FillRule how = rule_argument(rule);
  std::vector<std::uint32_t> runs;
  std::vector<std::uint64_t> offsets;
  {
    const py::gil_scoped_release release;
    fill_many(points.data(), rings.data(), rings.size() - 1, objects.data(), frames.size(), frames.data(), how, runs,
              offsets, threads);
  }
  return py::make_tuple(hand_over(std::move(runs)), hand_over(std::move(offsets)));
}

py::array fill_box_runs(double x, double y, double w, double h, std::uint64_t height, std::uint64_t width) {
  return hand_over(std::move(fill_box(x, y, w, h, make_shape(height, width)).counts));
}

py::tuple trace_runs(py::handle runs, std::uint64_t height, std::uint64_t width, bool bridged, double tolerance) {
  const auto counts = runs_argument(runs);
  const Shape shape = make_shape(height, width);
  Rings rings;
  {
    const py::gil_scoped_release release;
    rings = trace(checked_view(counts.data(), counts.size(), shape));
    if (tolerance != 0) rings = simplify(rings, tolerance);
    if (bridged) rings = bridge(rings);
  }
  const auto points = static_cast<py::ssize_t>(rings.xy.size() / 2);
  auto holes = hand_over(std::move(rings.holes));
  return py::make_tuple(hand_over(std::move(rings.xy), {points, 2}), hand_over(std::move(rings.offsets)),
                        holes.attr("view")("bool"));
}

// --- label maps ------------------------------------------------------------------------------------------------------------

// A Python integer (or anything with __index__) as T; outside T it is a RangeError.
template <class T>
T integer_value(py::handle object, const char* name) {
  const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(object.ptr()));
  if (!number) throw py::error_already_set();
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  bool fits = overflow == 0;
  T out{};
  if constexpr (std::numeric_limits<T>::is_signed) {
    fits = fits && value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
    out = static_cast<T>(value);
  } else if (overflow > 0) {
    const unsigned long long big = PyLong_AsUnsignedLongLong(number.ptr());
    if (PyErr_Occurred()) {
      PyErr_Clear();
    } else {
      fits = big <= std::numeric_limits<T>::max();
      out = static_cast<T>(big);
    }
  } else {
    fits = fits && value >= 0 && static_cast<unsigned long long>(value) <= std::numeric_limits<T>::max();
    out = static_cast<T>(value);
  }
  if (!fits)
    throw RangeError(std::string(name) + " " + std::string(py::str(number)) + " does not fit a canvas of " +
                     std::to_string(8 * sizeof(T)) + "-bit " +
                     (std::numeric_limits<T>::is_signed ? "signed" : "unsigned") + " integers");
  return out;
}

py::tuple split(py::handle labels, py::object background) {
  const Integers map(labels, 2, "labels");
  return with_kind(map.kind, [&](auto zero) -> py::tuple {
    using T = decltype(zero);
    T left_out{};
    if (!background.is_none()) left_out = integer_value<T>(background, "background");
    LabelRuns<T> result;
    {
      const py::gil_scoped_release release;
      result = split_labels<T>(map.pixels<T>(), background.is_none() ? nullptr : &left_out);
    }
    return py::make_tuple(hand_over(std::move(result.ids)), hand_over(std::move(result.runs)),
                          hand_over(std::move(result.offsets)));
  });
}

IntKind kind_of(const py::dtype& dtype) {
  const char letter = dtype.kind();
  if ((letter == 'i' || letter == 'u') && dtype.attr("isnative").cast<bool>()) {
    const bool is_signed = letter == 'i';
    switch (dtype.itemsize()) {
      case 1: return is_signed ? IntKind::i8 : IntKind::u8;
      case 2: return is_signed ? IntKind::i16 : IntKind::u16;
      case 4: return is_signed ? IntKind::i32 : IntKind::u32;
      case 8: return is_signed ? IntKind::i64 : IntKind::u64;
      default: break;
    }
  }
  throw std::invalid_argument("dtype: expected native integers of 8 to 64 bits, got " +
                              std::string(py::str(py::object(dtype))));
}

// Values for a canvas of T, each of which it must hold.
template <class T>
std::vector<T> colors_as(const Integers& colors) {
  std::vector<T> out(colors.extent(0));
  with_kind(colors.kind, [&](auto zero) {
    using V = decltype(zero);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const V value = *static_cast<const V*>(colors.array.data(static_cast<py::ssize_t>(i)));
      out[i] = static_cast<T>(value);
      if (static_cast<V>(out[i]) != value || (out[i] < T{0}) != (value < V{0}))
        throw RangeError("values[" + std::to_string(i) + "]: " + std::to_string(value) +
                         " does not fit the canvas's dtype");
    }
  });
  return out;
}

// Many masks onto a fresh canvas; the runs are canonical and of its shape (the caller has checked them).
py::array paint_canvas(py::handle runs, py::handle offsets, py::handle values, std::uint64_t height, std::uint64_t width,
                       const py::dtype& dtype, bool columns) {
  const auto counts = runs_argument(runs);
  const auto bounds = offsets_argument(offsets, "offsets", counts.size());
  const Integers colors(values, 1, "values");
  if (colors.extent(0) + 1 != bounds.size())
    throw ShapeError("values: expected " + std::to_string(bounds.size() - 1) + ", got " +
                     std::to_string(colors.extent(0)));
  const Shape shape = make_shape(height, width);
  check_dense(shape);
  const auto zeros = py::module_::import("numpy").attr("zeros");
  py::array canvas = zeros(py::make_tuple(height, width), dtype, "order"_a = columns ? "F" : "C");
  with_kind(kind_of(dtype), [&](auto zero) {
    using T = decltype(zero);
    const std::vector<T> fills = colors_as<T>(colors);
    T* out = static_cast<T*>(canvas.mutable_data());
    const py::gil_scoped_release release;
    std::vector<RunsView> views;
    views.reserve(fills.size());
    for (std::size_t i = 0; i < fills.size(); ++i)
      views.push_back(
          checked_view(counts.data() + bounds[i], static_cast<std::size_t>(bounds[i + 1] - bounds[i]), shape));
    paint_labels(views.data(), fills.data(), fills.size(), shape, out, columns);
  });
  return canvas;
}

// A Painter of any pixel type. One mask at a time: threads that share a painter wait for each other.
class AnyPainter {
 public:
  AnyPainter(std::uint64_t height, std::uint64_t width, const py::dtype& dtype, py::handle background) {
    const Shape shape = make_shape(height, width);
    with_kind(kind_of(dtype), [&](auto zero) {
      using T = decltype(zero);
      const T fill = integer_value<T>(background, "background");
      const py::gil_scoped_release release;
      painter_ = std::make_unique<Painter<T>>(shape, fill);
    });
  }

  explicit AnyPainter(py::array canvas) : canvas_(std::move(canvas)) {
    check_dimensions(canvas_, 2, "canvas");
    const IntKind kind = kind_of(canvas_.dtype());
    const auto item = canvas_.itemsize();
    const Shape shape = make_shape(static_cast<std::uint64_t>(canvas_.shape(0)),
                                   static_cast<std::uint64_t>(canvas_.shape(1)));
    const bool one_row = shape.height <= 1;
    if (!canvas_.writeable()) throw ShapeError("canvas: the array is read-only");
    // Strides of an array without pixels mean nothing.
    if (canvas_.size() != 0 && (!(canvas_.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) ||
        (shape.width > 1 && canvas_.strides(1) != item) || (!one_row && canvas_.strides(0) % item != 0)))
      throw ShapeError("canvas: the pixels of a row must lie side by side");
    with_kind(kind, [&](auto zero) {
      using T = decltype(zero);
      painter_ = std::make_unique<Painter<T>>(static_cast<T*>(canvas_.mutable_data()), shape,
                                              one_row ? 0 : canvas_.strides(0) / item);
    });
  }

  void paint(py::handle runs, py::handle value) {
    const auto counts = runs_argument(runs);
    std::visit(
        [&](auto& p) {
          const auto color = integer_value<pixel<decltype(p)>>(value, "value");
          const py::gil_scoped_release release;
          const std::lock_guard<std::mutex> lock(*guard_);
          p->paint(checked_view(counts.data(), counts.size(), p->shape()), color);
        },
        painter_);
  }

  void paint_many(py::handle runs, py::handle offsets, py::handle values) {
    const auto counts = runs_argument(runs);
    const auto bounds = offsets_argument(offsets, "offsets", counts.size());
    const Integers colors(values, 1, "values");
    if (colors.extent(0) + 1 != bounds.size())
      throw ShapeError("values: expected " + std::to_string(bounds.size() - 1) + ", got " +
                       std::to_string(colors.extent(0)));
    std::visit(
        [&](auto& p) {
          using T = pixel<decltype(p)>;
          const std::vector<T> fills = colors_as<T>(colors);
          const py::gil_scoped_release release;
          const std::lock_guard<std::mutex> lock(*guard_);
          // Everything is checked before the first pixel changes.
          for (std::size_t i = 0; i < fills.size(); ++i)
            checked_view(counts.data() + bounds[i], static_cast<std::size_t>(bounds[i + 1] - bounds[i]), p->shape());
          for (std::size_t i = 0; i < fills.size(); ++i)
            p->paint(RunsView{counts.data() + bounds[i], static_cast<std::size_t>(bounds[i + 1] - bounds[i]), p->shape()},
                     fills[i]);
        },
        painter_);
  }

  void clear(py::handle background) {
    std::visit(
        [&](auto& p) {
          const auto color = integer_value<pixel<decltype(p)>>(background, "background");
          const py::gil_scoped_release release;
          const std::lock_guard<std::mutex> lock(*guard_);
          p->clear(color);
        },
        painter_);
  }

  py::array array(py::handle self) const {
    if (canvas_) return canvas_;
    return std::visit(
        [&](const auto& p) -> py::array {
          using T = pixel<decltype(p)>;
          return py::array_t<T>({p->shape().height, p->shape().width}, p->data(), self);
        },
        painter_);
  }

 private:
  template <class P>
  using pixel = std::remove_pointer_t<decltype(std::declval<P>()->data())>;

  std::variant<std::unique_ptr<Painter<std::uint8_t>>, std::unique_ptr<Painter<std::uint16_t>>,
               std::unique_ptr<Painter<std::uint32_t>>, std::unique_ptr<Painter<std::uint64_t>>,
               std::unique_ptr<Painter<std::int8_t>>, std::unique_ptr<Painter<std::int16_t>>,
               std::unique_ptr<Painter<std::int32_t>>, std::unique_ptr<Painter<std::int64_t>>>
      painter_;
  py::array canvas_{py::reinterpret_steal<py::array>(py::handle())};  // the caller's canvas, if it is one
  std::unique_ptr<std::mutex> guard_ = std::make_unique<std::mutex>();
};

// --- ids and colours -------------------------------------------------------------------------------------------------------

py::array pack(py::handle ids, unsigned channels) {
  if (channels != 3 && channels != 4) throw ShapeError("channels: expected 3 or 4, got " + std::to_string(channels));
  const Integers map(ids, 2, "ids");
  auto out = new_array<std::uint8_t>({map.array.shape(0), map.array.shape(1), static_cast<py::ssize_t>(channels)});
  std::uint8_t* to = out.mutable_data();
  const py::gil_scoped_release release;
  pack_ids(map.view(), channels, to);
  return std::move(out);
}

py::array unpack(py::handle image) {
  py::array given = as_array(image, "image");
  const ColorView view = color_argument(given);
  auto out = new_array<std::uint32_t>({given.shape(0), given.shape(1)});
  std::uint32_t* to = out.mutable_data();
  const py::gil_scoped_release release;
  unpack_ids(view, to);
  return std::move(out);
}

py::array pack_words(py::handle classes, py::handle instances, std::uint32_t factor) {
  const Integers a(classes, 2, "classes"), b(instances, 2, "instances");
  auto out = new_array<std::uint16_t>({a.array.shape(0), a.array.shape(1)});
  std::uint16_t* to = out.mutable_data();
  const py::gil_scoped_release release;
  pack_instances(a.view(), b.view(), factor, to);
  return std::move(out);
}

py::tuple unpack_words(py::handle words, std::uint32_t factor) {
  const Integers map(words, 2, "words");
  auto classes = new_array<std::uint16_t>({map.array.shape(0), map.array.shape(1)});
  auto instances = new_array<std::uint16_t>({map.array.shape(0), map.array.shape(1)});
  {
    std::uint16_t* to = classes.mutable_data();
    std::uint16_t* beside = instances.mutable_data();
    const py::gil_scoped_release release;
    unpack_instances(map.view(), factor, to, beside);
  }
  return py::make_tuple(classes, instances);
}

Palette palette_argument(py::handle object) {
  const Exact<std::uint8_t> colors(object, "palette", 'u', "uint8");
  check_dimensions(colors.array, 2, "palette");
  if (colors.array.shape(1) != 3) throw ShapeError("palette: expected three channels");
  Palette out(static_cast<std::size_t>(colors.array.shape(0)));
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = {colors.data()[3 * i], colors.data()[3 * i + 1], colors.data()[3 * i + 2]};
  return out;
}

py::array voc(std::size_t count) {
  if (count > std::size_t{max_packed_id} + 1) throw RangeError("count: there are only 2^24 colours");
  const Palette palette = voc_palette(count);
  auto out = new_array<std::uint8_t>({static_cast<py::ssize_t>(count), 3});
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t c = 0; c < 3; ++c) out.mutable_data()[3 * i + c] = palette[i][c];
  return std::move(out);
}

py::array paint_indices(py::handle indices, py::handle palette) {
  const Integers map(indices, 2, "indices");
  const Palette colors = palette_argument(palette);
  auto out = new_array<std::uint8_t>({map.array.shape(0), map.array.shape(1), 3});
  std::uint8_t* to = out.mutable_data();
  const py::gil_scoped_release release;
  colorize(map.view(), colors, to);
  return std::move(out);
}

py::array find_indices(py::handle image, py::handle palette) {
  py::array given = as_array(image, "image");
  const ColorView view = color_argument(given);
  const Palette colors = palette_argument(palette);
  auto out = new_array<std::uint16_t>({given.shape(0), given.shape(1)});
  std::uint16_t* to = out.mutable_data();
  const py::gil_scoped_release release;
  colors_to_index(view, colors, to);
  return std::move(out);
}

// --- PNG -------------------------------------------------------------------------------------------------------------------

py::array read_png_mask(const py::buffer& stream, std::uint64_t height, std::uint64_t width, unsigned depth) {
  const py::buffer_info info = stream.request();
  if (PyBuffer_IsContiguous(info.view(), 'C') == 0) throw std::invalid_argument("stream: expected contiguous bytes");
  const Shape shape = make_shape(height, width);
  check_dense(shape);
  Runs runs;
  {
    const py::gil_scoped_release release;
    runs = png_mask(static_cast<const std::uint8_t*>(info.ptr), static_cast<std::size_t>(info.size * info.itemsize), shape,
                    depth);
  }
  return hand_over(std::move(runs.counts));
}

// --- checksums -------------------------------------------------------------------------------------------------------------

std::uint32_t checksum(const py::buffer& data) {
  const py::buffer_info info = data.request();
  if (PyBuffer_IsContiguous(info.view(), 'C') == 0) throw std::invalid_argument("data: expected contiguous bytes");
  const auto size = static_cast<std::size_t>(info.size * info.itemsize);
  py::gil_scoped_release release;
  return crc32c(info.ptr, size);
}

// --- packed bytes -----------------------------------------------------------------------------------------------------

py::bytes unpack_packed(const py::bytes& data, std::uint64_t size) {
  char* packed = nullptr;
  py::ssize_t packed_size = 0;
  if (PyBytes_AsStringAndSize(data.ptr(), &packed, &packed_size) != 0) throw py::error_already_set();
  const auto length = static_cast<std::size_t>(packed_size);
  if (size > lzf_limit(length)) throw RangeError("size: packed data of this length never make so many bytes");
  auto out = py::reinterpret_steal<py::bytes>(PyBytes_FromStringAndSize(nullptr, static_cast<py::ssize_t>(size)));
  if (!out) throw py::error_already_set();
  auto* to = reinterpret_cast<std::uint8_t*>(PyBytes_AS_STRING(out.ptr()));
  const py::gil_scoped_release release;
  unpack_lzf(reinterpret_cast<const std::uint8_t*>(packed), length, to, static_cast<std::size_t>(size));
  return out;
}

}  // namespace

PYBIND11_MODULE(raster, m, py::mod_gil_not_used()) {
  m.doc() = "Polygons, contours, label maps and id packing over arrays. Private: use maskcodec.polygons and maskcodec.idmaps.";
  maskcodec::translate_exceptions();
  m.def("fill", &fill_polygons, "xy"_a, "ring_offsets"_a, "object_offsets"_a, "shapes"_a, "rule"_a, "threads"_a = 1);
  m.def("fill_box", &fill_box_runs, "x"_a, "y"_a, "w"_a, "h"_a, "height"_a, "width"_a);
  m.def("trace", &trace_runs, "runs"_a, "height"_a, "width"_a, "bridge"_a = false, "tolerance"_a = 0.0);
  m.def("split_labels", &split, "labels"_a, "background"_a = py::none());
  m.def("paint_labels", &paint_canvas, "runs"_a, "offsets"_a, "values"_a, "height"_a, "width"_a, "dtype"_a, "columns"_a);
  m.def("pack_ids", &pack, "ids"_a, "channels"_a);
  m.def("unpack_ids", &unpack, "image"_a);
  m.def("crc32c", &checksum, "data"_a);
  m.def("png_mask", &read_png_mask, "stream"_a, "height"_a, "width"_a, "depth"_a);
  m.def("unpack_lzf", &unpack_packed, "data"_a, "size"_a);
  m.def("pack_instances", &pack_words, "classes"_a, "instances"_a, "factor"_a);
  m.def("unpack_instances", &unpack_words, "words"_a, "factor"_a);
  m.def("voc_palette", &voc, "count"_a);
  m.def("colorize", &paint_indices, "indices"_a, "palette"_a);
  m.def("colors_to_index", &find_indices, "image"_a, "palette"_a);
  py::class_<AnyPainter>(m, "Painter")
      .def(py::init<std::uint64_t, std::uint64_t, const py::dtype&, py::handle>(), "height"_a, "width"_a, "dtype"_a,
           "background"_a = py::int_(0))
      .def_static(
          "over", [](py::handle canvas) { return std::make_unique<AnyPainter>(as_array(canvas, "canvas")); },
          "canvas"_a)
      .def("paint", &AnyPainter::paint, "runs"_a, "value"_a)
      .def("paint_many", &AnyPainter::paint_many, "runs"_a, "offsets"_a, "values"_a)
      .def("clear", &AnyPainter::clear, "background"_a = py::int_(0))
      .def_property_readonly("array", [](py::object self) { return self.cast<AnyPainter&>().array(self); });
}
