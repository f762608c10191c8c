# Many masks, packed: runs, offsets, sizes.

MAGIC = int.from_bytes(b"MASKRLE1", "little")

cdef vector[RunsView] views_of(RleArray a) except *:
    cdef vector[RunsView] views
    cdef Py_ssize_t i
    views.resize(a.n)
    for i in range(a.n):
        views[i] = a.view(i)
    return views


cdef Shape common_shape(RleArray a, str what="masks") except *:
    cdef Py_ssize_t i
    cdef Shape first
    for i in range(a.n):
        if i == 0:
            first = a.shape_at(0)
        elif a.shape_at(i) != first:
            raise ValueError(f"{what}: expected one size, mask {i} is {a.shape_at(i).height} x {a.shape_at(i).width} "
                             f"and mask 0 is {first.height} x {first.width}")
    return first


cdef RleArray pack(vector[uint32_t]& runs, vector[uint64_t]& offsets, object sizes):
    """Take over runs that the core made."""
    cdef cnp.npy_intp n = runs.size()
    cdef cnp.ndarray r = cnp.PyArray_SimpleNew(1, &n, cnp.NPY_UINT32)
    if n:
        memcpy(cnp.PyArray_DATA(r), runs.data(), n * sizeof(uint32_t))
    n = offsets.size()
    cdef cnp.ndarray o = cnp.PyArray_SimpleNew(1, &n, cnp.NPY_UINT64)
    memcpy(cnp.PyArray_DATA(o), offsets.data(), n * sizeof(uint64_t))
    return RleArray(r, o, sizes, _trusted=True)


cdef RleArray pack_runs(vector[Runs]& masks):
    cdef size_t total = 0
    cdef size_t i
    cdef cnp.npy_intp n = masks.size() + 1
    cdef cnp.npy_intp dims[2]
    cdef cnp.ndarray o = cnp.PyArray_SimpleNew(1, &n, cnp.NPY_UINT64)
    cdef uint64_t* offsets = <uint64_t*>cnp.PyArray_DATA(o)
    for i in range(masks.size()):
        offsets[i] = total
        total += masks[i].counts.size()
    offsets[masks.size()] = total
    n = total
    cdef cnp.ndarray r = cnp.PyArray_SimpleNew(1, &n, cnp.NPY_UINT32)
    cdef uint32_t* runs = <uint32_t*>cnp.PyArray_DATA(r)
    dims[0] = masks.size()
    dims[1] = 2
    cdef cnp.ndarray s = cnp.PyArray_SimpleNew(2, dims, cnp.NPY_UINT32)
    cdef uint32_t* sizes = <uint32_t*>cnp.PyArray_DATA(s)
    for i in range(masks.size()):
        memcpy(runs + offsets[i], masks[i].counts.data(), masks[i].counts.size() * sizeof(uint32_t))
        sizes[2 * i] = masks[i].shape.height
        sizes[2 * i + 1] = masks[i].shape.width
    return RleArray(r, o, s, _trusted=True)


@cython.final
cdef class RleArray(_RleArrayOps):
    """Many masks as three arrays, whatever their number: the form to keep, send and memory-map.

    ``runs`` is (total,) uint32, the canonical column-major run lengths of all masks, one after the other; mask i has
    ``runs[offsets[i]:offsets[i + 1]]``; ``sizes`` is (N, 2) uint32, height and width. Slicing gives a view.

    Example:
        >>> a = RleArray.from_polygons([[[1, 1, 4, 1, 4, 4, 1, 4]], [[0, 0, 2, 0, 2, 2, 0, 2]]], (6, 6))
        >>> len(a), a.areas.tolist(), a[1].bbox
        (2, [9, 4], (0, 0, 2, 2))
    """
    def __init__(self, runs, offsets, sizes, *, bint _trusted=False):
        """Wrap three arrays (not copied when they are contiguous and of the right types).

        Runs that come from outside are checked when a mask is used for the first time in a call, as everywhere; so no
        other thread may write into them during a call. Arrays that the library made are read-only.
        """
        for name, array, ndim in (("runs", runs, 1), ("offsets", offsets, 1), ("sizes", sizes, 2)):
            if not isinstance(array, np.ndarray) or array.ndim != ndim or array.dtype.kind not in "iu":
                raise TypeError(f"{name}: expected a {ndim}-D integer array")
        self.runs = np.ascontiguousarray(np.asarray(runs), dtype=np.uint32) if _trusted else narrowed(runs, np.uint32)
        self.offsets = narrowed(offsets, np.uint64)
        self.sizes = narrowed(sizes, np.uint32)
        self.n = self.sizes.shape[0]
        if self.sizes.shape[1] != 2 or self.offsets.shape[0] != self.n + 1:
            raise ValueError(f"expected sizes of shape (N, 2) and N + 1 offsets, got {sizes.shape} and {offsets.shape}")
        self.p = <const uint32_t*>cnp.PyArray_DATA(self.runs)
        self.o = <const uint64_t*>cnp.PyArray_DATA(self.offsets)
        self.s = <const uint32_t*>cnp.PyArray_DATA(self.sizes)
        self.trusted = _trusted
        if _trusted:  # nobody looks at them again
            for kept in (self.runs, self.offsets, self.sizes):
                PyArray_CLEARFLAGS(kept, cnp.NPY_ARRAY_WRITEABLE)
        if self.o[0] > self.o[self.n] or self.o[self.n] > <uint64_t>self.runs.shape[0]:
            raise ValueError("offsets: expected ascending positions inside runs")

    # --- in ---------------------------------------------------------------------------------------------------

    @staticmethod
    def from_rles(rles):
        """Pack ``Rle`` objects (an iterable).

        Example:
            >>> len(RleArray.from_rles([Rle.from_box((0, 0, 1, 1), (2, 2))]))
            1
        """
        cdef vector[Runs] masks
        for rle in rles:
            if type(rle) is not Rle:
                raise TypeError(f"expected Rle, got {type(rle).__name__}")
            masks.push_back((<Rle>rle).r)
        return pack_runs(masks)

    @staticmethod
    def from_masks(masks, axis=None, unsigned threads=1):
        """Encode a stack of dense masks.

        Args:
            masks: (N, H, W) or, with ``axis=-1``, (H, W, N) array of bool or any integer type in any layout, or an
                iterable of (H, W) arrays.
            axis: 0 (the default) or -1, the axis that counts masks.
            threads: 0 for as many as the machine has.

        Example:
            >>> import numpy as np
            >>> RleArray.from_masks(np.ones((3, 2, 2), bool)).areas.tolist()
            [4, 4, 4]
        """
        cdef vector[PlaneView] planes
        cdef vector[Runs] out
        cdef cnp.ndarray stack
        cdef Py_ssize_t i
        cdef Shape size
        cdef int k, rows
        cdef list kept = []
        if isinstance(masks, np.ndarray):
            stack = plain_array(masks, "masks")
            if stack.ndim != 3:
                raise ValueError(f"masks: expected a 3-D array, got {stack.ndim}-D")
            if axis not in (None, 0, -1, 2):
                raise ValueError(f"axis: expected 0 or -1, got {axis!r}")
            k = 2 if axis in (-1, 2) else 0
            rows = 0 if k == 2 else 1
            size = make_shape(stack.shape[rows], stack.shape[rows + 1])
            check_dense(size, stack.shape[k])
            kept.append(stack)
            for i in range(stack.shape[k]):
                planes.push_back(plane_view(stack, <const char*>cnp.PyArray_DATA(stack) + i * stack.strides[k],
                                            rows, rows + 1))
        else:
            for mask in masks:
                stack = plain_array(mask, "mask")
                if stack.ndim != 2:
                    raise ValueError(f"mask: expected a 2-D array, got {stack.ndim}-D")
                kept.append(stack)
                planes.push_back(plane_view(stack, <const char*>cnp.PyArray_DATA(stack), 0, 1))
        out.resize(planes.size())
        with nogil:
            encode_many(planes.data(), planes.size(), out.data(), threads)
        return pack_runs(out)

    @staticmethod
    def from_coco(rles, *, bint strict=True, unsigned threads=1):
        """Pack a list of COCO RLE objects (or ``Rle``), read as ``Rle.from_coco`` does.

        Args:
            rles: iterable of RLE objects.
            strict: as for ``Rle.from_coco``.
            threads: 0 for as many as the machine has.

        Raises:
            DecodeError: as ``Rle.from_coco``; the first bad RLE is named by its index.

        Example:
            >>> RleArray.from_coco([{"size": [3, 4], "counts": "417"}]).areas.tolist()
            [1]
        """
        cdef vector[CountsSource] sources
        cdef list kept = []
        cdef cnp.npy_intp room = gather_coco(rles if type(rles) is list else list(rles), strict, sources, kept)
        cdef cnp.npy_intp dims[2]
        cdef cnp.ndarray runs = cnp.PyArray_SimpleNew(1, &room, cnp.NPY_UINT32)
        dims[0], dims[1] = sources.size() + 1, 2
        cdef cnp.ndarray offsets = cnp.PyArray_SimpleNew(1, dims, cnp.NPY_UINT64)
        dims[0] = sources.size()
        cdef cnp.ndarray sizes = cnp.PyArray_SimpleNew(2, dims, cnp.NPY_UINT32)
        cdef uint32_t* p = <uint32_t*>cnp.PyArray_DATA(runs)
        cdef uint64_t* o = <uint64_t*>cnp.PyArray_DATA(offsets)
        cdef uint32_t* s = <uint32_t*>cnp.PyArray_DATA(sizes)
        cdef size_t i
        with nogil:
            decode_counts_many(sources.data(), sources.size(), strict, p, o, threads)
            for i in range(sources.size()):
                s[2 * i] = sources[i].shape.height
                s[2 * i + 1] = sources[i].shape.width
        kept_runs = runs[:o[sources.size()]]
        # Rooms are as large as texts are long: give back what is far too large.
        return RleArray(kept_runs if 4 * kept_runs.size > 3 * room else kept_runs.copy(), offsets, sizes, _trusted=True)

    @staticmethod
    def from_polygons(objects, shapes, str rule="coco", unsigned threads=1):
        """Rasterise many objects in one call.

        Args:
            objects: list of objects, each a list of rings as for ``Rle.from_polygons``.
            shapes: one (height, width) for all, or a list of one for each.
            rule: as for ``Rle.from_polygons``.
            threads: 0 for as many as the machine has.

        Example:
            >>> RleArray.from_polygons([[[0, 0, 2, 0, 2, 2, 0, 2]]], (3, 3)).areas.tolist()
            [4]
        """
        cdef vector[double] xy
        cdef vector[uint64_t] ring_offsets, object_offsets, offsets
        cdef vector[Shape] sizes
        cdef vector[uint32_t] runs
        cdef FillRule how = as_rule(rule)
        cdef Shape one
        cdef Py_ssize_t i, n = len(objects)
        cdef bint shared = (isinstance(shapes, (tuple, list)) and len(shapes) == 2
                            and isinstance(shapes[0], (int, np.integer)))
        if shared:
            one = as_shape(shapes, "shapes")
        elif len(shapes) != n:
            raise ValueError(f"shapes: expected one (height, width) or {n} of them, got {len(shapes)}")
        ring_offsets.push_back(0)
        object_offsets.push_back(0)
        for i in range(n):
            sizes.push_back(one if shared else as_shape(shapes[i], "shapes"))
            rings = objects[i]
            if type(rings) is not list and type(rings) is not tuple:
                raise TypeError(f"objects[{i}]: expected a list of rings, got {type(rings).__name__}")
            for ring in rings:
                append_ring(ring, xy, ring_offsets)
            object_offsets.push_back(ring_offsets.size() - 1)
        with nogil:
            fill_many(xy.data(), ring_offsets.data(), ring_offsets.size() - 1, object_offsets.data(), n, sizes.data(),
                      how, runs, offsets, threads)
        cdef cnp.ndarray table = np.empty((n, 2), np.uint32)
        cdef uint32_t* t = <uint32_t*>cnp.PyArray_DATA(table)
        for i in range(n):
            t[2 * i] = sizes[i].height
            t[2 * i + 1] = sizes[i].width
        return pack(runs, offsets, table)

    @staticmethod
    def from_label_map(labels, background=0):
        """Split a label map into one mask for each value, in one pass.

        Args:
            labels: (H, W) array of any integer type, in any layout.
            background: the value that is left out; None to keep all.

        Returns:
            ids, the distinct values in ascending order, (N,) of the type of ``labels``; and their N masks.

        Example:
            >>> import numpy as np
            >>> ids, masks = RleArray.from_label_map(np.array([[0, 7], [300, 7]]))
            >>> ids.tolist(), masks.areas.tolist()
            ([7, 300], [2, 1])
        """
        from maskcodec._native import raster
        ids, runs, offsets = raster.split_labels(labels, background)
        sizes = np.empty((len(ids), 2), np.uint32)
        sizes[:] = labels.shape
        return ids, RleArray(runs, offsets, sizes, _trusted=True)

    # --- parts ------------------------------------------------------------------------------------------------

    def __len__(self):
        return self.n

    def __getitem__(self, key):
        cdef Py_ssize_t i
        cdef RunsView v
        cdef Runs one
        if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
            i = key
            if i < 0:
                i += self.n
            if i < 0 or i >= self.n:
                raise IndexError(f"mask {key} of {self.n}")
            v = self.view(i)
            one.shape = v.shape
            one.counts.assign(v.data, v.data + v.size)
            return wrap(one)
        if isinstance(key, slice):
            start, stop, step = key.indices(self.n)
            if step == 1:
                stop = max(start, stop)
                return self.derived(self.runs, self.offsets[start:stop + 1], self.sizes[start:stop])
            return self.take(np.arange(start, stop, step))
        key = np.asarray(key)
        if key.dtype == bool:
            if key.shape != (self.n,):
                raise IndexError(f"expected {self.n} flags, got shape {key.shape}")
            return self.take(np.flatnonzero(key))
        return self.take(key)

    def __iter__(self):
        cdef Py_ssize_t i
        for i in range(self.n):
            yield self[i]

    def take(self, indices):
        """The masks at these positions (1-D integers, negative from the end), copied into a new array."""
        index = np.asarray(indices)
        if index.ndim != 1 or (index.size and index.dtype.kind not in "iu"):
            raise IndexError("expected a 1-D list of integers")
        index = index.astype(np.int64)
        if index.size and (index.min() < -self.n or index.max() >= self.n):
            raise IndexError(f"positions outside the {self.n} masks")
        index = np.where(index < 0, index + self.n, index)
        begin = self.offsets[index].astype(np.int64)
        length = self.offsets[index + 1].astype(np.int64) - begin
        count = len(index)
        offsets = np.zeros(count + 1, np.int64)
        np.cumsum(length, out=offsets[1:])
        gather = np.arange(offsets[count]) + np.repeat(begin - offsets[:count], length)
        return self.derived(self.runs[gather], offsets, self.sizes[index])

    @staticmethod
    def concatenate(arrays):
        """The masks of several arrays, one after the other.

        Example:
            >>> a = RleArray.from_rles([Rle.from_box((0, 0, 1, 1), (2, 2))])
            >>> len(RleArray.concatenate([a, a]))
            2
        """
        arrays = list(arrays)
        for a in arrays:
            if type(a) is not RleArray:
                raise TypeError(f"expected RleArray, got {type(a).__name__}")
        if not arrays:
            return RleArray.from_rles([])
        return RleArray.from_rles([r for a in arrays for r in a])

    # --- copies -----------------------------------------------------------------------------------------------

    def __eq__(self, other):
        if type(other) is not RleArray:
            return NotImplemented
        if self.n != (<RleArray>other).n or not np.array_equal(self.sizes, other.sizes):
            return False
        return all(a == b for a, b in zip(self, other, strict=True))

    def __reduce__(self):
        compact = self if self.o[0] == 0 and self.o[self.n] == <uint64_t>self.runs.shape[0] else self.take(
            np.arange(self.n))
        return RleArray, (compact.runs, compact.offsets, compact.sizes)

    def __repr__(self):
        return f"RleArray({self.n} masks, {int(self.o[self.n] - self.o[0])} runs)"


cdef object narrowed(object array, object dtype):
    """The array in another integer type, or ValueError where a value does not fit."""
    array = np.ascontiguousarray(array)
    if array.dtype == dtype:
        return array
    if array.size and (int(array.min()) < 0 or int(array.max()) > np.iinfo(dtype).max):
        raise ValueError(f"expected values that fit {np.dtype(dtype)}, got {int(array.min())}..{int(array.max())}")
    return array.astype(dtype)


cdef int fill_iou(vector[RunsView] a, vector[RunsView] b, object crowd, double* out, size_t stride_a, size_t stride_b,
                  unsigned threads) except -1:
    cdef size_t i
    cdef const uint8_t* flags = NULL
    cdef cnp.ndarray table
    cdef SpanTable* ta = NULL
    cdef SpanTable* tb = NULL
    if crowd is not None:
        table = np.ascontiguousarray(np.asarray(crowd) != 0, dtype=np.uint8).reshape(-1)
        if <size_t>table.shape[0] != b.size():
            raise ValueError(f"crowd: expected {b.size()} flags, got {table.shape[0]}")
        flags = <const uint8_t*>cnp.PyArray_DATA(table)
    for i in range(a.size() + b.size()):
        first = a[0].shape if a.size() else b[0].shape
        this = a[i].shape if i < a.size() else b[i - a.size()].shape
        if this != first:
            raise ValueError(f"masks of different sizes: {first.height} x {first.width} and "
                             f"{this.height} x {this.width}")
    try:
        ta = new SpanTable(a.data(), a.size())
        tb = new SpanTable(b.data(), b.size())
        with nogil:
            mask_iou(ta[0], tb[0], flags, out, stride_a, stride_b, threads)
    finally:
        del ta
        del tb
    return 0
