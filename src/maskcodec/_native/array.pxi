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
cdef class RleArray:
    """Many masks as three arrays, whatever their number: the form to keep, send and memory-map.

    ``runs`` is (total,) uint32, the canonical column-major run lengths of all masks, one after the other; mask i has
    ``runs[offsets[i]:offsets[i + 1]]``; ``sizes`` is (N, 2) uint32, height and width. Slicing gives a view.

    Example:
        >>> a = RleArray.from_polygons([[[1, 1, 4, 1, 4, 4, 1, 4]], [[0, 0, 2, 0, 2, 2, 0, 2]]], (6, 6))
        >>> len(a), a.areas.tolist(), a[1].bbox
        (2, [9, 4], (0, 0, 2, 2))
    """
    cdef readonly cnp.ndarray runs
    cdef readonly cnp.ndarray offsets
    cdef readonly cnp.ndarray sizes
    cdef const uint32_t* p
    cdef const uint64_t* o
    cdef const uint32_t* s
    cdef Py_ssize_t n
    cdef bint trusted

    def __init__(self, runs, offsets, sizes, *, bint _trusted=False):
        """Wrap three arrays (not copied when they are contiguous and of the right types).

        Runs that come from outside are checked when a mask is used for the first time in a call, as everywhere.
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
        if self.o[0] > self.o[self.n] or self.o[self.n] > <uint64_t>self.runs.shape[0]:
            raise ValueError("offsets: expected ascending positions inside runs")

    cdef Shape shape_at(self, Py_ssize_t i) except *:
        return make_shape(self.s[2 * i], self.s[2 * i + 1])

    cdef RunsView view(self, Py_ssize_t i) except *:
        cdef RunsView v
        cdef uint64_t begin = self.o[i], end = self.o[i + 1], k
        if begin >= end or end > <uint64_t>self.runs.shape[0]:
            raise ValueError(f"offsets[{i}]: expected ascending positions inside runs")
        v.data = self.p + begin
        v.size = end - begin
        v.shape = self.shape_at(i)
        if not self.trusted:
            check_total(v.data, v.size, v.shape)
            for k in range(1, v.size):
                if v.data[k] == 0:
                    raise DecodeError(f"mask {i}: run {k} is 0, packed runs are canonical", k)
        return v

    cdef RleArray derived(self, runs, offsets, sizes):
        cdef RleArray a = RleArray(runs, offsets, sizes, _trusted=True)
        a.trusted = self.trusted
        return a

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

    # --- facts ------------------------------------------------------------------------------------------------

    @property
    def areas(self):
        """(N,) int64: foreground pixels of each mask."""
        cdef vector[RunsView] views = views_of(self)
        cdef cnp.npy_intp n = self.n
        cdef cnp.ndarray out = cnp.PyArray_SimpleNew(1, &n, cnp.NPY_INT64)
        cdef int64_t* p = <int64_t*>cnp.PyArray_DATA(out)
        cdef Py_ssize_t i
        with nogil:
            for i in range(n):
                p[i] = run_area(views[i])
        return out

    @property
    def bboxes(self):
        """(N, 4) int64: x, y, width, height of each mask's foreground."""
        cdef vector[RunsView] views = views_of(self)
        cdef cnp.npy_intp dims[2]
        dims[0], dims[1] = self.n, 4
        cdef cnp.ndarray out = cnp.PyArray_SimpleNew(2, dims, cnp.NPY_INT64)
        cdef int64_t* p = <int64_t*>cnp.PyArray_DATA(out)
        cdef Py_ssize_t i
        cdef Box b
        with nogil:
            for i in range(dims[0]):
                b = bounding_box(views[i])
                p[4 * i], p[4 * i + 1], p[4 * i + 2], p[4 * i + 3] = b.x, b.y, b.width, b.height
        return out

    # --- out --------------------------------------------------------------------------------------------------

    def to_coco(self, bint compressed=True, bint bytes=False):
        """A list of COCO RLE objects, as ``Rle.to_coco`` makes them."""
        cdef Py_ssize_t i
        cdef list out = []
        for i in range(self.n):
            size = [self.s[2 * i], self.s[2 * i + 1]]
            if compressed:
                out.append({"size": size, "counts": text_of(self.view(i), bytes)})
            else:
                out.append({"size": size, "counts": self.runs[self.o[i]:self.o[i + 1]].tolist()})
        return out

    def decode(self, out=None, str order="C", dtype="uint8", axis=0, unsigned threads=1):
        """Make all masks dense; they must have one size.

        Args:
            out: array of the result's shape to write into, in any layout.
            order: memory layout of a new array: "C" or "F".
            dtype: type of a new array.
            axis: 0 for (N, H, W), -1 for (H, W, N).
            threads: 0 for as many as the machine has.

        Raises:
            ValueError: masks of different sizes, no masks and no ``out``, more than 2^31-1 pixels in all.

        Example:
            >>> RleArray.from_rles([Rle.from_box((0, 0, 1, 1), (2, 2))]).decode(axis=-1).shape
            (2, 2, 1)
        """
        cdef Shape size = common_shape(self)
        cdef cnp.ndarray target
        cdef bint zeroed = False
        if axis not in (0, -1, 2):
            raise ValueError(f"axis: expected 0 or -1, got {axis!r}")
        cdef int k = 0 if axis == 0 else 2
        cdef int rows = 1 if k == 0 else 0
        if self.n == 0:
            if out is None:
                raise ValueError("no masks: the size of the result is unknown")
            return out
        check_dense(size, self.n)
        cdef object shape
        if k == 0:
            shape = (self.n, size.height, size.width)
        else:
            shape = (size.height, size.width, self.n)
        if out is None:
            if order != "C" and order != "F":
                raise ValueError(f"order: expected 'C' or 'F', got {order!r}")
            target = np.zeros(shape, as_dtype(dtype), order=order)
            zeroed = True
        else:
            target = writable(out)
            if (<object>target).shape != shape:
                raise ValueError(f"out: expected shape {shape}, got {out.shape}")
        cdef vector[RunsView] views = views_of(self)
        cdef uint64_t value = one_bits(target.dtype)
        cdef Window win
        win.x0, win.y0, win.x1, win.y1 = 0, 0, size.width, size.height
        cdef char* data = <char*>cnp.PyArray_DATA(target)
        cdef ptrdiff_t step = target.strides[k], rs = target.strides[rows], cs = target.strides[rows + 1]
        cdef Py_ssize_t item = target.dtype.itemsize
        with nogil:
            decode_many(views.data(), views.size(), win, data, step, rs, cs, item, value, zeroed, threads)
        return target

    def to_label_map(self, ids, out=None, dtype=None, shape=None):
        """Paint each mask with its id into one label map; later masks cover earlier ones.

        Args:
            ids: (N,) integers.
            out: C-ordered (H, W) integer array to paint over, returned; else a new one, 0 where there is no mask.
            dtype: type of a new array; the smallest unsigned type that holds the ids (or int64) by default.
            shape: (height, width) of the result where there are no masks.

        Raises:
            ValueError: masks of different sizes, ids that do not fit the type.

        Example:
            >>> RleArray.from_rles([Rle.from_box((0, 0, 1, 2), (2, 2))]).to_label_map([9]).tolist()
            [[9, 0], [9, 0]]
        """
        from maskcodec._native import raster
        cdef Shape size = common_shape(self)
        values = np.asarray(ids)
        if values.shape != (self.n,) or (self.n and values.dtype.kind not in "iu"):
            raise ValueError(f"ids: expected {self.n} integers, got {values.dtype} of shape {values.shape}")
        low, high = (int(values.min()), int(values.max())) if self.n else (0, 0)
        if out is None:
            if self.n == 0 and shape is None:
                raise ValueError("no masks: the size of the result is unknown, give shape or out")
            if shape is None:
                shape = (size.height, size.width)
            out = np.zeros(shape, np.min_scalar_type(high) if dtype is None and low >= 0 else dtype or np.int64)
        limits = np.iinfo(out.dtype)
        if low < limits.min or high > limits.max:
            raise ValueError(f"ids: {low}..{high} do not fit {out.dtype}")
        if self.n:
            if not self.trusted:
                views_of(self)
            raster.Painter.over(out).paint_many(self.runs, self.offsets, values)
        return out

    # --- pairs ------------------------------------------------------------------------------------------------

    def iou(self, RleArray other not None, crowd=None, unsigned threads=1):
        """Intersection over union of every pair: (len(self), len(other)) float64.

        Args:
            other: masks of the same size.
            crowd: (len(other),) flags; where set, intersection over the area of the mask in ``self`` (COCO crowds).
            threads: 0 for as many as the machine has.

        Example:
            >>> a = RleArray.from_rles([Rle.from_box((0, 0, 2, 2), (4, 4))])
            >>> float(a.iou(RleArray.from_rles([Rle.from_box((0, 0, 4, 4), (4, 4))]))[0, 0])
            0.25
        """
        cdef cnp.npy_intp dims[2]
        dims[0], dims[1] = self.n, other.n
        cdef cnp.ndarray out = cnp.PyArray_ZEROS(2, dims, cnp.NPY_FLOAT64, 0)
        fill_iou(views_of(self), views_of(other), crowd, <double*>cnp.PyArray_DATA(out), other.n, 1, threads)
        return out

    def boundary_iou(self, RleArray other not None, double ratio=0.02, crowd=None, unsigned threads=1):
        """The lesser of mask IoU and IoU of the boundaries, for every pair: (len(self), len(other)) float64.

        Args:
            other: masks of the same size.
            ratio: width of the boundaries over the image diagonal; at least 1 pixel.
            crowd, threads: as for ``iou``.

        Source: Cheng et al., Boundary IoU, CVPR 2021.

        Example:
            >>> a = RleArray.from_rles([Rle.from_box((0, 0, 9, 9), (20, 20))])
            >>> float(a.boundary_iou(a)[0, 0])
            1.0
        """
        cdef Shape size = common_shape(self if self.n else other)
        width = max(1, round(ratio * (float(size.height) ** 2 + float(size.width) ** 2) ** 0.5))
        edges = RleArray.from_rles([r.boundary(width) for r in self])
        others = edges if other is self else RleArray.from_rles([r.boundary(width) for r in other])
        return np.minimum(self.iou(other, crowd, threads), edges.iou(others, crowd, threads))

    def merge(self, bint intersect=False):
        """The union (or intersection) of all masks as one ``Rle``; they must have one size and be at least one."""
        if self.n == 0:
            raise ValueError("no masks to merge")
        cdef vector[RunsView] views = views_of(self)
        with nogil:
            merged = run_merge(views.data(), views.size(), intersect)
        return wrap(merged)

    def vote(self, k):
        """The pixels that at least k of the masks cover, as one ``Rle``."""
        cdef int64_t need = as_int64(k, "k")
        if self.n == 0 or need < 1:
            raise ValueError("expected at least one mask and k >= 1")
        cdef vector[RunsView] views = views_of(self)
        with nogil:
            voted = core_vote(views.data(), views.size(), need)
        return wrap(voted)

    # --- files ------------------------------------------------------------------------------------------------

    def save(self, path):
        """Write the three arrays to one file that ``load`` can memory-map. The file is complete or absent."""
        compact = self if self.o[0] == 0 and self.o[self.n] == <uint64_t>self.runs.shape[0] else self.take(
            np.arange(self.n))
        header = np.array([MAGIC, compact.sizes.shape[0], compact.runs.shape[0], 0], "<u8")
        path = os.fspath(path)
        part = f"{path}.part-{os.getpid()}"
        try:
            with open(part, "wb") as file:
                for array, kind in ((header, "<u8"), (compact.offsets, "<u8"), (compact.sizes, "<u4"),
                                    (compact.runs, "<u4")):
                    np.ascontiguousarray(array, dtype=kind).tofile(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, path)
        except BaseException:
            if os.path.exists(part):
                os.unlink(part)
            raise

    @staticmethod
    def load(path, bint mmap=False):
        """Read a file that ``save`` wrote; with ``mmap`` without reading the masks: they are checked when used.

        Raises:
            DecodeError: not such a file, or a cut one.
        """
        path = os.fspath(path)
        data = np.memmap(path, np.uint8, "r") if mmap else np.fromfile(path, np.uint8)
        size = data.size
        if size < 32 or int(data[:8].view("<u8")[0]) != MAGIC:
            raise DecodeError(f"{path}: not a file of packed masks")
        n, total = (int(v) for v in data[8:24].view("<u8"))
        sizes_at = 32 + 8 * (n + 1)
        runs_at = sizes_at + 8 * n
        if runs_at + 4 * total != size:
            raise DecodeError(f"{path}: expected {runs_at + 4 * total} bytes for {n} masks, got {size}")
        return RleArray(data[runs_at:].view("<u4"), data[32:sizes_at].view("<u8"),
                        data[sizes_at:runs_at].view("<u4").reshape(n, 2))

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
