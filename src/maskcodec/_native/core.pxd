# The C++ core as the Cython extension sees it: declarations only.
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libcpp.vector cimport vector

cdef extern from "translate.hpp" namespace "maskcodec":
    void translate_current()

cdef extern from "small_int.hpp" namespace "maskcodec":
    bint small_int(object, long long*)
    object int_list[T](const T*, Py_ssize_t)

cdef extern from "dict_item.hpp" namespace "maskcodec":
    object dict_item(dict, object, object)

cdef extern from "maskcodec/view.hpp" namespace "maskcodec" nogil:
    cdef cppclass Shape:
        Shape()
        uint32_t height
        uint32_t width
        uint64_t pixels()
        bint operator==(const Shape&)
        bint operator!=(const Shape&)
    Shape make_shape(uint64_t, uint64_t) except +translate_current
    void check_dense(Shape, uint64_t) except +translate_current

cdef extern from "maskcodec/runs.hpp" namespace "maskcodec" nogil:
    cdef cppclass RunsView:
        RunsView()
        const uint32_t* data
        size_t size
        Shape shape
    cdef cppclass Runs:
        Runs()
        Shape shape
        vector[uint32_t] counts
        RunsView view()
    void canonicalise(vector[uint32_t]&) except +translate_current
    void check_total(const uint32_t*, size_t, Shape) except +translate_current

cdef extern from "maskcodec/coco_counts.hpp" namespace "maskcodec" nogil:
    Runs decode_counts(const char*, size_t, Shape, bint, uint64_t*) except +translate_current
    cdef cppclass CountsSource:
        const char* text
        const uint32_t* runs
        size_t size
        Shape shape
    size_t counts_room(size_t)
    void decode_counts_many(const CountsSource*, size_t, bint, uint32_t*, uint64_t*, unsigned) except +translate_current
    size_t counts_text_bound(size_t)
    size_t encode_counts_to(const uint32_t*, size_t, char*)
    uint64_t text_area(const char*, size_t, Shape) except +translate_current
    cdef cppclass Box:
        uint32_t x
        uint32_t y
        uint32_t width
        uint32_t height
    Box text_box(const char*, size_t, Shape) except +translate_current

cdef extern from "maskcodec/dense.hpp" namespace "maskcodec" nogil:
    Runs encode_any(const void*, size_t, size_t, ptrdiff_t, ptrdiff_t, size_t) except +translate_current
    cdef cppclass PlaneView:
        const void* data
        size_t height
        size_t width
        ptrdiff_t row_stride
        ptrdiff_t col_stride
        size_t item
    void encode_many(const PlaneView*, size_t, Runs*, unsigned) except +translate_current
    cdef cppclass Window:
        uint32_t x0
        uint32_t y0
        uint32_t x1
        uint32_t y1
    void decode_many(const RunsView*, size_t, Window, char*, ptrdiff_t, ptrdiff_t, ptrdiff_t, size_t, uint64_t, bint,
                     unsigned) except +translate_current

cdef extern from "maskcodec/flat_rle.hpp" namespace "maskcodec" nogil:
    Runs core_transpose "maskcodec::transpose" (RunsView) except +translate_current
    cdef cppclass PixelBox:
        int64_t x0
        int64_t y0
        int64_t x1
        int64_t y1
    cdef cppclass Repairs:
        Repairs()
        uint64_t padded
        uint64_t empty_runs
        bint united
    Runs core_from_hasty "maskcodec::from_hasty" (const int64_t*, size_t, Shape, const PixelBox*, Repairs*) except +translate_current
    Runs hasty_rows(const int64_t*, size_t, Shape, Repairs*) except +translate_current
    vector[int64_t] hasty_pairs(RunsView) except +translate_current
    vector[int64_t] core_to_hasty "maskcodec::to_hasty" (RunsView, const PixelBox*) except +translate_current
    Runs from_alternating(const int64_t*, size_t, Shape, bint, bint, Repairs*) except +translate_current
    vector[uint32_t] to_alternating(RunsView, bint) except +translate_current

cdef extern from "maskcodec/run_ops.hpp" namespace "maskcodec" nogil:
    uint64_t run_area "maskcodec::area" (RunsView)
    Box bounding_box(RunsView)
    Runs combine(RunsView, RunsView, unsigned) except +translate_current
    Runs core_complement "maskcodec::complement" (RunsView) except +translate_current
    Runs run_merge "maskcodec::merge" (const RunsView*, size_t, bint) except +translate_current
    Runs core_vote "maskcodec::vote" (const RunsView*, size_t, size_t) except +translate_current
    uint64_t core_intersection_area "maskcodec::intersection_area" (RunsView, RunsView) except +translate_current
    Runs core_crop "maskcodec::crop" (RunsView, uint32_t, uint32_t, uint32_t, uint32_t) except +translate_current
    Runs core_pad "maskcodec::pad" (RunsView, int64_t, int64_t, Shape) except +translate_current
    Runs flip_rows(RunsView) except +translate_current
    Runs flip_columns(RunsView) except +translate_current
    Runs rotate180(RunsView) except +translate_current
    Runs resize_nearest(RunsView, Shape) except +translate_current
    Runs core_paste "maskcodec::paste" (RunsView, RunsView, int64_t, int64_t) except +translate_current
    cdef enum class ChangeKind:
        crop
        pad
        shift
        flip_rows
        flip_columns
        resize
    cdef cppclass Change:
        Change()
        ChangeKind kind
        int64_t numbers[4]
    void change_many(const RunsView*, size_t, const Change&, Runs*, unsigned) except +translate_current
    cdef cppclass SpanTable:
        SpanTable(const RunsView*, size_t) except +translate_current
    void mask_iou "maskcodec::iou" (const SpanTable&, const SpanTable&, const uint8_t*, double*, size_t, size_t,
                  unsigned) except +translate_current
    void run_box_iou "maskcodec::box_iou" (const double*, size_t, const double*, size_t, const uint8_t*, double*)

cdef extern from "maskcodec/sample.hpp" namespace "maskcodec" nogil:
    cdef cppclass Grid:
        Grid(Shape, const int64_t*, size_t, const int64_t*, size_t) except +translate_current
    void sample_many(const RunsView*, size_t, const Grid&, Runs*, unsigned) except +translate_current

cdef extern from "maskcodec/polygon.hpp" namespace "maskcodec" nogil:
    cdef enum class FillRule:
        coco
        even_odd
        non_zero
        pillow
        opencv
    cdef cppclass RingView:
        const double* xy
        size_t points
    Runs fill(const RingView*, size_t, Shape, FillRule) except +translate_current
    void fill_many(const double*, const uint64_t*, size_t, const uint64_t*, size_t, const Shape*, FillRule,
                   vector[uint32_t]&, vector[uint64_t]&, unsigned) except +translate_current
    Runs fill_box(double, double, double, double, Shape) except +translate_current

cdef extern from "maskcodec/ellipse.hpp" namespace "maskcodec" nogil:
    Runs fill_ellipse(double, double, double, double, double, Shape) except +translate_current

cdef extern from "maskcodec/morph.hpp" namespace "maskcodec" nogil:
    cdef enum class Kernel:
        square
        cross
        disk
    Runs core_dilate "maskcodec::dilate" (RunsView, Kernel, double) except +translate_current
    Runs core_erode "maskcodec::erode" (RunsView, Kernel, double, bint) except +translate_current
    void boundaries(const RunsView*, size_t, double, Runs*, unsigned) except +translate_current
    Runs core_open "maskcodec::open" (RunsView, Kernel, double) except +translate_current
    Runs core_close "maskcodec::close" (RunsView, Kernel, double) except +translate_current
    cdef cppclass Components:
        vector[uint32_t] runs
        vector[uint64_t] offsets
    Components core_components "maskcodec::components" (RunsView, bint) except +translate_current
    Runs core_remove_small "maskcodec::remove_small" (RunsView, uint64_t, bint) except +translate_current
    Runs core_largest "maskcodec::largest_component" (RunsView, bint) except +translate_current
    Runs core_fill_holes "maskcodec::fill_holes" (RunsView, uint64_t, bint) except +translate_current
    cdef cppclass Moments:
        uint64_t area
        double x
        double y
    Moments core_centroid "maskcodec::centroid" (RunsView) except +translate_current

cdef extern from "maskcodec/contour.hpp" namespace "maskcodec" nogil:
    cdef cppclass Rings:
        vector[int32_t] xy
        vector[uint64_t] offsets
        vector[uint8_t] holes
        size_t size()
    Rings trace(RunsView) except +translate_current
    Rings bridge(const Rings&) except +translate_current
    Rings simplify(const Rings&, double) except +translate_current

cdef extern from "maskcodec/cpu.hpp" namespace "maskcodec" nogil:
    const char* level_name()
    bint force_level(const char*)
