# pycocotools.mask: same names, same results bit for bit, same types and layouts, for every input that is well formed.
# Malformed input raises where the reference crashes, hangs or answers nonsense (see the rules in parse.pxi).

cdef dict coco_dict(RunsView runs):
    return {"size": [runs.shape.height, runs.shape.width], "counts": text_of(runs, True)}


def encode(mask):
    """Encode a dense mask, or a stack of them, as ``pycocotools.mask.encode``.

    Args:
        mask: (H, W) or (H, W, N) array of bool or integers, any layout; non-zero is foreground.

    Returns:
        One dict, or a list of N dicts, with ``counts`` as bytes.

    Example:
        >>> import numpy as np
        >>> encode(np.eye(2, dtype=np.uint8))
        {'size': [2, 2], 'counts': b'0120'}
    """
    cdef cnp.ndarray array
    cdef Runs runs
    cdef Py_ssize_t i
    cdef const char* data
    array = plain_array(mask, "mask")
    data = <const char*>cnp.PyArray_DATA(array)
    if array.ndim == 2:
        runs = encode_plane(array, data, 0, 1)
        return coco_dict(runs.view())
    if array.ndim != 3:
        raise ValueError(f"mask: expected a 2-D or 3-D array, got {array.ndim}-D")
    check_dense(make_shape(array.shape[0], array.shape[1]), array.shape[2])
    result = []
    for i in range(array.shape[2]):
        runs = encode_plane(array, data + i * array.strides[2], 0, 1)
        result.append(coco_dict(runs.view()))
    return result


cdef list as_list(object rles):
    if type(rles) is list:
        return rles
    if isinstance(rles, tuple):
        return list(rles)
    raise TypeError(f"expected a COCO RLE or a list of them, got {type(rles).__name__}")


def decode(rle):
    """Decode an RLE to (H, W), or a list of N of them to (H, W, N): uint8, Fortran order.

    Example:
        >>> decode({"size": [2, 2], "counts": b"0120"}).tolist()
        [[1, 0], [0, 1]]
    """
    cdef Runs runs
    cdef cnp.npy_intp dims[3]
    cdef cnp.ndarray out
    cdef Window win
    cdef Shape size
    cdef Py_ssize_t i, n
    if isinstance(rle, dict):
        runs = coco_from(rle, True, None)
        check_dense(runs.shape, 1)
        dims[0], dims[1] = runs.shape.height, runs.shape.width
        out = cnp.PyArray_ZEROS(2, dims, cnp.NPY_UINT8, 1)
        put(out, runs.view(), as_window(None, runs.shape), 1, True)
        return out
    rles = as_list(rle)
    n = len(rles)
    if n == 0:
        raise ValueError("decode: an empty list has no size")
    cdef _Batch batch = _Batch.read(rles)
    size = batch.views[0].shape
    for i in range(n):
        if batch.views[i].shape != size:
            raise ValueError(f"decode: masks of different sizes: {size.height} x {size.width} and "
                             f"{batch.views[i].shape.height} x {batch.views[i].shape.width}")
    check_dense(size, n)
    dims[0], dims[1], dims[2] = size.height, size.width, n
    out = cnp.PyArray_ZEROS(3, dims, cnp.NPY_UINT8, 1)
    win.x0, win.y0, win.x1, win.y1 = 0, 0, size.width, size.height
    cdef char* data = <char*>cnp.PyArray_DATA(out)
    cdef ptrdiff_t plane = size.pixels(), col = size.height
    with nogil:
        decode_many(batch.views.data(), n, win, data, plane, 1, col, 1, 1, True, 1)
    return out


cdef const char* text_in(object counts, Py_ssize_t* n) except? NULL:
    """The text of compressed counts in place, for as long as they are held; NULL for any other spelling."""
    if type(counts) is bytes:
        n[0] = PyBytes_GET_SIZE(counts)
        return PyBytes_AS_STRING(counts)
    if type(counts) is str and (<str>counts).isascii():
        return PyUnicode_AsUTF8AndSize(counts, n)
    return NULL


cdef uint64_t area_of(object rle) except? 0:
    cdef Py_ssize_t n = 0
    cdef object counts = dict_item(rle, "counts", None) if type(rle) is dict else None
    cdef const char* text = text_in(counts, &n)
    cdef Runs runs
    if text != NULL:
        return text_area(text, n, as_shape(rle_key(rle, "size")))
    runs = coco_from(rle, True, None)
    return run_area(runs.view())


cdef Box box_of(object rle) except *:
    cdef Py_ssize_t n = 0
    cdef object counts = dict_item(rle, "counts", None) if type(rle) is dict else None
    cdef const char* text = text_in(counts, &n)
    cdef Runs runs
    if text != NULL:
        return text_box(text, n, as_shape(rle_key(rle, "size")))
    runs = coco_from(rle, True, None)
    return bounding_box(runs.view())


cdef cnp.dtype uint32_type = np.dtype(np.uint32)


def area(rle):
    """Foreground pixels of one RLE (uint32 scalar) or of a list (uint32 array).

    Example:
        >>> int(area({"size": [2, 2], "counts": b"0120"}))
        2
    """
    cdef cnp.npy_intp n
    cdef cnp.ndarray out
    cdef uint32_t* p
    cdef uint32_t one
    cdef Py_ssize_t i
    if isinstance(rle, dict):
        one = <uint32_t>area_of(rle)
        return PyArray_Scalar(&one, uint32_type, None)
    rles = as_list(rle)
    n = len(rles)
    out = cnp.PyArray_SimpleNew(1, &n, cnp.NPY_UINT32)
    p = <uint32_t*>cnp.PyArray_DATA(out)
    for i in range(n):
        p[i] = <uint32_t>area_of(rles[i])
    return out


def toBbox(rle):
    """x, y, width, height of one RLE (float64 (4,)) or of a list (float64 (N, 4)).

    Example:
        >>> toBbox({"size": [2, 2], "counts": b"0120"}).tolist()
        [0.0, 0.0, 2.0, 2.0]
    """
    cdef cnp.npy_intp dims[2]
    cdef cnp.ndarray out
    cdef double* p
    cdef Box b
    cdef Py_ssize_t i
    cdef bint single = isinstance(rle, dict)
    rles = [rle] if single else as_list(rle)
    dims[0], dims[1] = len(rles), 4
    out = cnp.PyArray_SimpleNew(2, dims, cnp.NPY_FLOAT64)
    p = <double*>cnp.PyArray_DATA(out)
    for i in range(dims[0]):
        b = box_of(rles[i])
        p[4 * i], p[4 * i + 1], p[4 * i + 2], p[4 * i + 3] = b.x, b.y, b.width, b.height
    return out[0] if single else out


def merge(rles, intersect=False):
    """Union (or intersection) of a list of RLEs of one size.

    Example:
        >>> merge([{"size": [2, 2], "counts": b"013"}, {"size": [2, 2], "counts": b"31"}])
        {'size': [2, 2], 'counts': b'0120'}
    """
    cdef bint both = bool(intersect)
    items = as_list(rles)
    if not items:
        return {"size": [0, 0], "counts": b""}
    cdef _Batch batch = _Batch.read(items)
    with nogil:
        merged = run_merge(batch.views.data(), batch.views.size(), both)
    return coco_dict(merged.view())


cdef object boxes_in(object boxes):
    """(n, 4) float64 boxes, or None when the argument is a list of RLEs."""
    if isinstance(boxes, np.ndarray):
        if boxes.dtype.kind not in "iuf":
            raise TypeError(f"boxes: expected numbers, got {boxes.dtype}")
        array = np.ascontiguousarray(boxes, dtype=np.float64)
        if array.ndim == 1 and array.size == 4:
            array = array.reshape(1, 4)
        if array.ndim != 2 or array.shape[1] != 4:
            raise ValueError(f"boxes: expected shape (n, 4), got {boxes.shape}")
        return array
    items = as_list(boxes)
    if items and all(isinstance(item, (list, tuple, np.ndarray)) and len(item) == 4 for item in items):
        return np.array([[as_number(v, "box") for v in item] for item in items], dtype=np.float64)
    return None


def iou(dt, gt, iscrowd):
    """IoU of every pair of two lists of RLEs, or of two (n, 4) box arrays: float64 (m, n), Fortran order.

    Args:
        dt, gt: lists of RLE dicts of one size, or boxes x, y, width, height.
        iscrowd: one flag for each of ``gt``; where set, intersection over the area of ``dt``.

    Example:
        >>> iou([{"size": [2, 2], "counts": b"0120"}], [{"size": [2, 2], "counts": b"04"}], [0]).tolist()
        [[0.5]]
    """
    cdef cnp.npy_intp dims[2]
    cdef cnp.ndarray out, a, b, flags
    cdef _Batch one, two
    crowd = np.ascontiguousarray(np.asarray(iscrowd) != 0, dtype=np.uint8).reshape(-1)
    if len(crowd) != len(gt):
        raise ValueError(f"iscrowd: expected {len(gt)} flags, got {len(crowd)}")
    if len(dt) == 0 or len(gt) == 0:
        return []
    boxes_a, boxes_b = boxes_in(dt), boxes_in(gt)
    if (boxes_a is None) != (boxes_b is None):
        raise TypeError("iou: expected two lists of RLEs or two lists of boxes")
    dims[0], dims[1] = len(dt), len(gt)
    if boxes_a is not None:
        a, b, flags = boxes_a, boxes_b, crowd
        dims[0], dims[1] = a.shape[0], b.shape[0]
        out = cnp.PyArray_EMPTY(2, dims, cnp.NPY_FLOAT64, 1)
        if not (np.isfinite(boxes_a).all() and np.isfinite(boxes_b).all()):
            raise ValueError("iou: expected finite boxes")
        with nogil:
            run_box_iou(<const double*>cnp.PyArray_DATA(a), dims[0], <const double*>cnp.PyArray_DATA(b), dims[1],
                    <const uint8_t*>cnp.PyArray_DATA(flags), <double*>cnp.PyArray_DATA(out))
        return out
    one, two = _Batch.read(as_list(dt)), _Batch.read(as_list(gt))
    out = cnp.PyArray_ZEROS(2, dims, cnp.NPY_FLOAT64, 1)
    fill_iou(one.views, two.views, crowd, <double*>cnp.PyArray_DATA(out), 1, dims[0], 1)
    return out


def frPyObjects(obj, h, w):
    """RLEs from boxes, polygons or uncompressed RLEs, dispatched as the reference does.

    Args:
        obj: (n, 4) array or list of boxes; list of polygons; list of dicts with ``counts`` and ``size``; one such dict.
        h, w: height and width of the image (an RLE's own size wins).

    Returns:
        A list of dicts, or one dict for one dict.

    Example:
        >>> frPyObjects([[1, 1, 4, 1, 4, 4, 1, 4]], 6, 6)
        [{'size': [6, 6], 'counts': b'733000;'}]
    """
    cdef Runs runs
    cdef Shape size
    if isinstance(obj, dict):
        runs = coco_from(obj, True, None)
        return coco_dict(runs.view())
    size = as_shape((h, w))
    result = []
    if isinstance(obj, np.ndarray):
        if obj.ndim != 2:
            raise ValueError(f"boxes: expected shape (n, 4), got {obj.shape}")
        for box in boxes_in(obj).tolist():
            runs = fill_one_box(box, size)
            result.append(coco_dict(runs.view()))
        return result
    if not isinstance(obj, list):
        raise TypeError(f"expected boxes, polygons or uncompressed RLEs, got {type(obj).__name__}")
    if not obj:
        raise IndexError("frPyObjects: the list is empty")
    first = obj[0]
    if isinstance(first, dict):
        for item in obj:
            runs = coco_from(item, True, None)
            result.append(coco_dict(runs.view()))
        return result
    if not isinstance(first, (list, tuple, np.ndarray)):
        raise TypeError(f"expected boxes, polygons or uncompressed RLEs, got a list of {type(first).__name__}")
    if len(first) == 4:
        for box in boxes_in(obj).tolist():
            runs = fill_one_box(box, size)
            result.append(coco_dict(runs.view()))
        return result
    if len(first) < 4:
        raise ValueError(f"expected a box of 4 or a polygon of at least 6 numbers, got {len(first)}")
    for ring in obj:
        # As in the reference, an odd last value is dropped, and a ring of two points is an empty mask.
        runs = fill_rings([ring], size, FillRule.coco, True)
        result.append(coco_dict(runs.view()))
    return result
