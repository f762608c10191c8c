# Input: sizes, run lists, arrays, rings. Everything is checked here, once, and nothing is truncated or wrapped.

cdef int64_t as_int64(object value, str what, Py_ssize_t index=-1) except? -1:
    cdef int overflow = 0
    cdef int64_t result
    if type(value) is not int:
        if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__") or isinstance(value, np.ndarray):
            where = f"{what}[{index}]" if index >= 0 else what
            raise TypeError(f"{where}: expected an integer, got {type(value).__name__}")
        value = value.__index__()
    result = PyLong_AsLongLongAndOverflow(value, &overflow)
    if overflow:
        where = f"{what}[{index}]" if index >= 0 else what
        raise DecodeError(f"{where}: {value} does not fit in 64 bits", max(index, 0))
    return result


cdef Shape as_shape(object size, str what="size") except *:
    cdef int64_t h, w
    cdef int overflow = 0, more = 0
    if type(size) is list and len(<list>size) == 2 and type((<list>size)[0]) is int and type((<list>size)[1]) is int:
        h = PyLong_AsLongLongAndOverflow((<list>size)[0], &overflow)
        w = PyLong_AsLongLongAndOverflow((<list>size)[1], &more)
        if overflow == 0 and more == 0 and h >= 0 and w >= 0:
            return make_shape(<uint64_t>h, <uint64_t>w)
    if type(size) is not list and type(size) is not tuple:
        if isinstance(size, np.ndarray) and size.ndim == 1 and size.dtype.kind in "iu":
            size = size.tolist()
        else:
            raise TypeError(f"{what}: expected two integers (height, width), got {type(size).__name__}")
    if len(size) != 2:
        raise ValueError(f"{what}: expected two integers (height, width), got {len(size)} values")
    h = as_int64(size[0], what, 0)
    w = as_int64(size[1], what, 1)
    if h < 0 or w < 0:
        raise ValueError(f"{what}: expected two integers from 0 on, got {h} and {w}")
    return make_shape(<uint64_t>h, <uint64_t>w)


cdef vector[int64_t] as_ints(object values, str what) except *:
    """A list, tuple or 1-D integer array as 64-bit integers."""
    cdef vector[int64_t] out
    cdef Py_ssize_t i, n
    cdef cnp.ndarray array
    cdef int overflow
    cdef long long small = 0
    cdef object item
    if isinstance(values, np.ndarray):
        if values.ndim != 1 or (values.dtype.kind not in "iu" and values.size):
            raise TypeError(f"{what}: expected a 1-D integer array, got {values.ndim}-D {values.dtype}")
        if values.dtype.kind == "u" and values.dtype.itemsize == 8 and values.size and int(values.max()) > 2**63 - 1:
            raise DecodeError(f"{what}: {int(values.max())} does not fit in 64 bits")
        array = np.ascontiguousarray(values, dtype=np.int64)
        n = array.shape[0]
        out.resize(n)
        if n:
            memcpy(out.data(), cnp.PyArray_DATA(array), n * sizeof(int64_t))
        return out
    if type(values) is not list and type(values) is not tuple:
        raise TypeError(f"{what}: expected a list of integers, got {type(values).__name__}")
    n = len(values)
    out.resize(n)
    for i in range(n):
        item = (<list>values)[i] if type(values) is list else values[i]
        if small_int(item, &small):
            out[i] = small
        elif type(item) is int:
            overflow = 0
            out[i] = PyLong_AsLongLongAndOverflow(item, &overflow)
            if overflow:
                raise DecodeError(f"{what}[{i}]: {item} does not fit in 64 bits", i)
        else:
            out[i] = as_int64(item, what, i)
    return out


cdef tuple range_of(cnp.ndarray values):
    """The least and the greatest of at least one integer; the usual type without a call."""
    cdef int64_t low, high
    cdef const int64_t* data
    cdef Py_ssize_t i
    if cnp.PyArray_TYPE(values) != cnp.NPY_INT64 or not cnp.PyArray_ISCARRAY_RO(values):
        return int(values.min()), int(values.max())
    data = <const int64_t*>cnp.PyArray_DATA(values)
    low = high = data[0]
    for i in range(1, values.shape[0]):
        low = min(low, data[i])
        high = max(high, data[i])
    return low, high


cdef Runs counts_from(object counts, Shape shape, bint strict, list notes) except *:
    """Counts in any of their spellings: text, bytes, buffers (compressed), lists and integer arrays (uncompressed)."""
    cdef Py_ssize_t n = 0
    cdef const char* text
    cdef uint64_t padded = 0
    cdef vector[int64_t] numbers
    cdef Repairs repairs
    cdef Repairs* lenient = NULL
    cdef Py_buffer buffer
    cdef Runs runs
    if type(counts) is str or isinstance(counts, str):
        try:
            text = PyUnicode_AsUTF8AndSize(counts, &n)
        except UnicodeEncodeError as error:
            raise DecodeError("counts: text with a lone surrogate", error.start) from error
        runs = decode_counts(text, n, shape, strict, &padded)
    elif isinstance(counts, bytes):
        runs = decode_counts(PyBytes_AS_STRING(counts), PyBytes_GET_SIZE(counts), shape, strict, &padded)
    elif isinstance(counts, (list, tuple, np.ndarray)):
        numbers = as_ints(counts, "counts")
        if not strict:
            lenient = &repairs
        runs = from_alternating(numbers.data(), numbers.size(), shape, False, False, lenient)
        padded = repairs.padded
    elif isinstance(counts, (bytearray, memoryview)):
        PyObject_GetBuffer(counts, &buffer, PyBUF_SIMPLE)
        try:
            runs = decode_counts(<const char*>buffer.buf, buffer.len, shape, strict, &padded)
        finally:
            PyBuffer_Release(&buffer)
    else:
        raise TypeError(f"counts: expected text, bytes or a list of integers, got {type(counts).__name__}")
    if padded and notes is not None:
        notes.append(f"{padded} background pixels added at the end of a short run list")
    return runs


cdef object missing = object()


cdef inline object rle_key(object rle, str key):
    if type(rle) is dict:
        value = dict_item(rle, key, missing)
        if value is not missing:
            return value
    if type(rle) is not dict and not hasattr(rle, "keys"):
        raise TypeError(f"expected a COCO RLE with 'size' and 'counts', got {type(rle).__name__}")
    try:
        return rle[key]
    except KeyError:
        raise DecodeError(f"a COCO RLE needs the key {key!r}") from None


cdef Runs coco_from(object rle, bint strict, list notes) except *:
    if type(rle) is Rle:
        return (<Rle>rle).r
    return counts_from(rle_key(rle, "counts"), as_shape(rle_key(rle, "size")), strict, notes)


cdef size_t gather_coco(list items, bint strict, vector[CountsSource]& sources, list kept) except? 0:
    """COCO RLEs as sources for ``decode_counts_many``: text in place, anything else as runs.

    ``kept`` receives the objects that the sources point into. Returns the room that the runs need.
    """
    cdef Py_ssize_t i, n = len(items)
    cdef CountsSource source
    cdef size_t room = 0
    cdef Py_ssize_t length = 0
    cdef object item, counts
    cdef Rle ready
    sources.reserve(n)
    for i in range(n):
        item = items[i]
        counts = None if type(item) is Rle else rle_key(item, "counts")
        if type(counts) is bytes:
            source.text = PyBytes_AS_STRING(counts)
            source.size = PyBytes_GET_SIZE(counts)
        elif type(counts) is str and (<str>counts).isascii():
            source.text = PyUnicode_AsUTF8AndSize(counts, &length)
            source.size = length
        else:
            ready = <Rle>item if type(item) is Rle else wrap(coco_from(item, strict, None))
            counts = ready
            source.text = NULL
            source.runs = ready.r.counts.data()
            source.size = ready.r.counts.size()
            source.shape = ready.r.shape
        if source.text != NULL:
            source.shape = as_shape(rle_key(item, "size"))
        kept.append(counts)
        sources.push_back(source)
        room += counts_room(source.size)
    return room


cdef class _Batch:
    """The runs of a list of COCO RLEs, for as long as this object lives."""
    cdef vector[uint32_t] runs
    cdef vector[uint64_t] offsets
    cdef vector[RunsView] views

    @staticmethod
    cdef _Batch read(list items):
        cdef _Batch self = _Batch()
        cdef vector[CountsSource] sources
        cdef list kept = []
        cdef size_t i
        self.runs.resize(gather_coco(items, True, sources, kept))
        self.offsets.resize(sources.size() + 1)
        with nogil:
            decode_counts_many(sources.data(), sources.size(), True, self.runs.data(), self.offsets.data(), 1)
        self.views.resize(sources.size())
        for i in range(sources.size()):
            self.views[i].data = self.runs.data() + self.offsets[i]
            self.views[i].size = self.offsets[i + 1] - self.offsets[i]
            self.views[i].shape = sources[i].shape
        return self


cdef cnp.ndarray plain_array(object mask, str what):
    """The array itself, or a native, aligned copy where its elements cannot be read in place."""
    if not isinstance(mask, np.ndarray):
        raise TypeError(f"{what}: expected an array, got {type(mask).__name__}")
    cdef cnp.ndarray array = mask
    cdef int kind = cnp.PyArray_TYPE(array)
    if kind < cnp.NPY_BOOL or kind > cnp.NPY_ULONGLONG:  # the numbers of bool and of all integer types
        raise TypeError(f"{what}: expected a boolean or integer array, got {array.dtype}"
                        + ("; compare it with a threshold first" if array.dtype.kind == "f" else ""))
    if not PyArray_ISALIGNED(array):
        array = array.copy()
    return array


cdef PlaneView plane_view(cnp.ndarray array, const char* data, int row_axis, int col_axis):
    cdef PlaneView view
    view.data = data
    view.height, view.width = array.shape[row_axis], array.shape[col_axis]
    view.row_stride, view.col_stride = array.strides[row_axis], array.strides[col_axis]
    view.item = cnp.PyArray_ITEMSIZE(array)
    return view


cdef Runs encode_plane(cnp.ndarray array, const char* data, int row_axis, int col_axis) except *:
    """One 2-D plane of an array; only zero or not matters, so byte order and sign do not."""
    cdef size_t h = array.shape[row_axis], w = array.shape[col_axis]
    cdef ptrdiff_t rs = array.strides[row_axis], cs = array.strides[col_axis]
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(array)
    cdef Runs runs
    if h < 64 and w < 64:  # not worth letting go of the lock
        return encode_any(data, h, w, rs, cs, item)
    with nogil:
        runs = encode_any(data, h, w, rs, cs, item)
    return runs


cdef int append_ring(object ring, vector[double]& xy, vector[uint64_t]& offsets, bint lenient=False) except -1:
    """A flat list or 1-D array x0, y0, x1, y1, ... (or an (n, 2) array) as one more ring of doubles."""
    cdef Py_ssize_t i, n
    cdef size_t before = xy.size()
    cdef cnp.ndarray array
    cdef object item
    cdef list numbers
    cdef double* out
    cdef uint64_t last = offsets.back()
    if isinstance(ring, np.ndarray):
        if ring.dtype.kind not in "iuf" or not (ring.ndim == 1 or (ring.ndim == 2 and ring.shape[1] == 2)):
            raise TypeError(f"polygon: expected a flat numeric array or one of shape (n, 2), "
                            f"got {ring.dtype} of shape {ring.shape}")
        array = np.ascontiguousarray(ring, dtype=np.float64).reshape(-1)
        n = array.shape[0]
        xy.resize(before + n)
        if n:
            memcpy(xy.data() + before, cnp.PyArray_DATA(array), n * sizeof(double))
    elif type(ring) is list or type(ring) is tuple:
        numbers = <list>ring if type(ring) is list else list(ring)
        n = len(numbers)
        xy.resize(before + n)
        out = xy.data() + before
        for i in range(n):
            item = numbers[i]
            if type(item) is float:
                out[i] = PyFloat_AS_DOUBLE(item)
            elif type(item) is int or (isinstance(item, (int, float, np.integer, np.floating))
                                       and not isinstance(item, bool)):
                try:
                    out[i] = <double>float(item)
                except OverflowError:
                    raise ValueError(f"polygon: {str(item)[:40]} is too large for a coordinate") from None
            else:
                raise TypeError(f"polygon: expected numbers, got {type(item).__name__}")
    else:
        raise TypeError(f"polygon: expected a flat list of numbers x0, y0, x1, y1, ..., got {type(ring).__name__}")
    if n % 2 and not lenient:
        raise ValueError(f"polygon: expected an even number of values, got {n}")
    if n < 6 and not lenient:
        raise ValueError(f"polygon: expected at least 3 points, got {n // 2}")
    if n % 2:
        xy.resize(before + n - 1)
    offsets.push_back(last + <uint64_t>(n // 2))
    return 0


cdef FillRule as_rule(str rule) except *:
    if rule == "coco":
        return FillRule.coco
    if rule == "even-odd":
        return FillRule.even_odd
    if rule == "non-zero":
        return FillRule.non_zero
    if rule == "pillow":
        return FillRule.pillow
    if rule == "opencv":
        return FillRule.opencv
    raise ValueError(f"rule: expected 'coco', 'even-odd', 'non-zero', 'pillow' or 'opencv', got {rule!r}")


cdef Runs fill_rings(object rings, Shape shape, FillRule rule, bint lenient=False) except *:
    cdef vector[double] xy
    cdef vector[uint64_t] offsets
    cdef vector[RingView] views
    cdef size_t i
    if type(rings) is not list and type(rings) is not tuple and not isinstance(rings, np.ndarray):
        raise TypeError(f"rings: expected a list of rings, got {type(rings).__name__}")
    offsets.push_back(0)
    for ring in rings:
        append_ring(ring, xy, offsets, lenient)
    views.resize(offsets.size() - 1)
    for i in range(views.size()):
        views[i].xy = xy.data() + 2 * offsets[i]
        views[i].points = offsets[i + 1] - offsets[i]
    with nogil:
        return fill(views.data(), views.size(), shape, rule)


cdef double as_number(object value, str what) except? -1.0:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{what}: expected a number, got {type(value).__name__}")
    return float(value)


cdef Runs fill_one_box(object box, Shape shape) except *:
    if not isinstance(box, (list, tuple, np.ndarray)):
        raise TypeError(f"box: expected x, y, width, height, got {type(box).__name__}")
    if len(box) != 4:
        raise ValueError(f"box: expected x, y, width, height, got {len(box)} values")
    return fill_box(as_number(box[0], "box"), as_number(box[1], "box"), as_number(box[2], "box"),
                    as_number(box[3], "box"), shape)


cdef Window as_window(object window, Shape shape) except *:
    """(x0, y0, x1, y1), half-open, inside the mask."""
    cdef Window w
    if window is None:
        w.x0, w.y0, w.x1, w.y1 = 0, 0, shape.width, shape.height
        return w
    if not isinstance(window, (list, tuple, np.ndarray)) or len(window) != 4:
        raise TypeError("window: expected four integers x0, y0, x1, y1")
    cdef int64_t x0 = as_int64(window[0], "window"), y0 = as_int64(window[1], "window")
    cdef int64_t x1 = as_int64(window[2], "window"), y1 = as_int64(window[3], "window")
    if x0 < 0 or y0 < 0 or x1 < x0 or y1 < y0 or x1 > shape.width or y1 > shape.height:
        raise ValueError(f"window: ({x0}, {y0}, {x1}, {y1}) is not inside the mask of height {shape.height} "
                         f"and width {shape.width}")
    w.x0, w.y0, w.x1, w.y1 = <uint32_t>x0, <uint32_t>y0, <uint32_t>x1, <uint32_t>y1
    return w


cdef bint as_box(object box, PixelBox* out) except -1:
    """Integer corners x0, y0, x1, y1 of a crop; False for None."""
    cdef double value
    cdef int64_t corner[4]
    cdef int i
    if box is None:
        return False
    if not isinstance(box, (list, tuple, np.ndarray)) or len(box) != 4:
        raise ValueError("box: expected four integers x0, y0, x1, y1")
    for i in range(4):
        item = box[i]
        if isinstance(item, (float, np.floating)):
            if item != item or item in (float("inf"), float("-inf")) or item != int(item):
                raise ValueError(f"box: expected integers, got {item!r}")
            item = int(item)
        corner[i] = as_int64(item, "box", i)
    out.x0, out.y0, out.x1, out.y1 = corner[0], corner[1], corner[2], corner[3]
    return True


cdef int put(cnp.ndarray target, RunsView runs, Window win, uint64_t value, bint zeroed) except -1:
    """Decode into a 2-D array; `value` holds the bits of one element."""
    cdef char* data = <char*>cnp.PyArray_DATA(target)
    cdef ptrdiff_t rs = target.strides[0], cs = target.strides[1]
    cdef Py_ssize_t item = cnp.PyArray_ITEMSIZE(target)
    if runs.size < 64 and runs.shape.pixels() < 65536:  # not worth letting go of the lock
        decode_many(&runs, 1, win, data, 0, rs, cs, item, value, zeroed, 1)
    else:
        with nogil:
            decode_many(&runs, 1, win, data, 0, rs, cs, item, value, zeroed, 1)
    return 0


cdef object as_dtype(object dtype):
    dtype = np.dtype(dtype)
    if dtype.kind not in "biuf" or dtype.itemsize > 8 or not dtype.isnative:
        raise TypeError(f"dtype: expected a native boolean, integer or float type of at most 8 bytes, got {dtype}")
    return dtype


cdef uint64_t one_bits(object dtype) except? 0:
    """The bits of the number 1 in a type."""
    if dtype.kind in "biu":
        return 1
    return int.from_bytes(np.ones(1, dtype).tobytes(), sys.byteorder)


cdef object text_of(RunsView runs, bint as_bytes):
    """The compressed counts text of runs."""
    cdef char small[1024]
    cdef char* buffer = small
    cdef size_t n
    cdef size_t bound = counts_text_bound(runs.size)
    cdef object result
    if bound > sizeof(small):
        buffer = <char*>malloc(bound)
        if buffer == NULL:
            raise MemoryError()
    try:
        n = encode_counts_to(runs.data, runs.size, buffer)
        if as_bytes:
            return PyBytes_FromStringAndSize(buffer, n)
        result = PyUnicode_New(n, 127)
        memcpy(PyUnicode_DATA(result), buffer, n)
        return result
    finally:
        if buffer != small:
            free(buffer)
