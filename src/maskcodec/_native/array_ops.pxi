# What many masks can do once they are packed; class RleArray (array.pxi) adds the ways in, parts and copies.

cdef class _RleArrayOps:
    cdef readonly cnp.ndarray runs
    cdef readonly cnp.ndarray offsets
    cdef readonly cnp.ndarray sizes
    cdef const uint32_t* p
    cdef const uint64_t* o
    cdef const uint32_t* s
    cdef Py_ssize_t n
    cdef bint trusted

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
        return RleArray(runs, offsets, sizes, _trusted=self.trusted)

    # --- Arrow ------------------------------------------------------------------------------------------------

    def __arrow_c_schema__(self):
        from maskcodec.columns import RleColumn
        return RleColumn.from_rles(self[:0]).__arrow_c_schema__()

    def __arrow_c_array__(self, requested_schema=None):
        return self.to_arrow().__arrow_c_array__(requested_schema)

    def to_arrow(self, unsigned threads=1):
        """The masks as an Arrow column (``maskcodec.columns.RleColumn``), encoded as COCO's compressed counts.

        Example:
            >>> len(RleArray.from_rles([Rle.from_box((0, 0, 1, 1), (2, 2))]).to_arrow())
            1
        """
        from maskcodec.columns import RleColumn
        return RleColumn.from_rles(self, threads)

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

    def decode(self, out=None, str order="C", dtype="uint8", axis=0, unsigned threads=1, size=None, window=None):
        """Make all masks dense; they must have one size.

        Args:
            out: array of the result's shape to write into, in any layout.
            order: memory layout of a new array: "C" or "F".
            dtype: type of a new array.
            axis: 0 for (N, H, W), -1 for (H, W, N).
            threads: 0 for as many as the machine has.
            size: (height, width) that every mask is resized to first, as ``resize`` does it: on runs. Masks of different
                sizes are then welcome.
            window: (x0, y0, x1, y1), half-open: only this part of every mask (after ``size``) is decoded.

        Raises:
            ValueError: masks of different sizes, no masks and no ``out``, more than 2^31-1 pixels in all, a window
                that is not inside the masks.

        Example:
            >>> RleArray.from_rles([Rle.from_box((0, 0, 1, 1), (2, 2))]).decode(axis=-1).shape
            (2, 2, 1)
        """
        if size is not None:
            return self.resize(size, threads).decode(out, order, dtype, axis, threads, None, window)
        cdef Shape one = common_shape(self)
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
        cdef Window win = as_window(window, one)
        one.height, one.width = win.y1 - win.y0, win.x1 - win.x0
        check_dense(one, self.n)
        cdef object shape
        if k == 0:
            shape = (self.n, one.height, one.width)
        else:
            shape = (one.height, one.width, self.n)
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
        cdef char* data = <char*>cnp.PyArray_DATA(target)
        cdef ptrdiff_t step = target.strides[k], rs = target.strides[rows], cs = target.strides[rows + 1]
        cdef Py_ssize_t item = target.dtype.itemsize
        with nogil:
            decode_many(views.data(), views.size(), win, data, step, rs, cs, item, value, zeroed, threads)
        return target

    def to_label_map(self, ids, out=None, dtype=None, shape=None, order=None, str layout="C"):
        """Paint each mask with its id into one label map; later masks cover earlier ones.

        Args:
            ids: (N,) integers.
            out: C-ordered (H, W) integer array to paint over, returned; else a new one, 0 where there is no mask.
            dtype: type of a new array; the smallest unsigned type that holds the ids (or int64) by default.
            shape: (height, width) of the result where there are no masks.
            order: (N,) numbers such as z orders: lower ones are painted first, equal ones in the order of the masks.
            layout: memory layout of a new array, "C" or "F" (columns, which is faster).

        Raises:
            ValueError: masks of different sizes, ids that do not fit the type.

        Example:
            >>> a = RleArray.from_rles([Rle.from_box((0, 0, 1, 2), (2, 2)), Rle.from_box((0, 0, 2, 1), (2, 2))])
            >>> a.to_label_map([9, 5]).tolist(), a.to_label_map([9, 5], order=[1, 0]).tolist()
            ([[5, 5], [9, 0]], [[9, 5], [9, 0]])
        """
        from maskcodec._native import raster
        cdef Shape size = common_shape(self)
        values = np.asarray(ids)
        if values.shape != (self.n,) or (self.n and values.dtype.kind not in "iu"):
            raise ValueError(f"ids: expected {self.n} integers, got {values.dtype} of shape {values.shape}")
        if layout != "C" and layout != "F":
            raise ValueError(f"layout: expected 'C' or 'F', got {layout!r}")
        if self.n == 0 and out is None and shape is None:
            raise ValueError("no masks: the size of the result is unknown, give shape or out")
        low, high = range_of(values) if self.n else (0, 0)
        if out is not None:
            kind = out.dtype
        else:
            kind = np.dtype(np.min_scalar_type(high) if dtype is None and low >= 0 else dtype or np.int64)
        if kind.kind not in "iu":
            raise TypeError(f"expected an integer type, got {kind}")
        if dtype is not None or out is not None:  # else it was chosen to fit
            limits = np.iinfo(kind)
            if low < limits.min or high > limits.max:
                raise ValueError(f"ids: {low}..{high} do not fit {kind}")
        if self.n == 0:
            return np.zeros(shape, kind, order=layout) if out is None else out
        masks = self
        if order is not None:
            keys = np.asarray(order)
            if keys.shape != (self.n,) or keys.dtype.kind not in "iuf":
                raise ValueError(f"order: expected {self.n} numbers, got {keys.dtype} of shape {keys.shape}")
            first = np.argsort(keys, kind="stable")
            masks, values = self.take(first), values[first]
        if not self.trusted:
            views_of(self)
        begin, end = int(masks.offsets[0]), int(masks.offsets[self.n])  # of a slice, somewhere in the middle
        runs, offsets = masks.runs[begin:end], masks.offsets - np.uint64(begin)
        if out is None:
            return raster.paint_labels(runs, offsets, values, size.height, size.width, kind, layout == "F")
        raster.Painter.over(out).paint_many(runs, offsets, values)
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
        cdef double width = max(1, round(ratio * (float(size.height) ** 2 + float(size.width) ** 2) ** 0.5))
        edges = self.boundaries(width, threads)
        others = edges if other is self else other.boundaries(width, threads)
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

    # --- changes ----------------------------------------------------------------------------------------------

    cdef RleArray changed(self, Change change, unsigned threads):
        cdef vector[RunsView] views = views_of(self)
        cdef vector[Runs] out
        out.resize(views.size())
        with nogil:
            change_many(views.data(), views.size(), change, out.data(), threads)
        return pack_runs(out)

    def crop(self, window, unsigned threads=1):
        """The part of every mask inside (x0, y0, x1, y1), half-open, as ``Rle.crop``; the window must lie inside all.

        Example:
            >>> RleArray.from_rles([Rle.from_box((1, 1, 2, 2), (5, 5))]).crop((2, 0, 5, 5)).areas.tolist()
            [2]
        """
        cdef Change change
        cdef Window w
        cdef Py_ssize_t i
        for i in range(self.n):
            w = as_window(window, self.shape_at(i))
        change.kind = ChangeKind.crop
        change.numbers[0], change.numbers[1], change.numbers[2], change.numbers[3] = w.x0, w.y0, w.x1, w.y1
        return self.changed(change, threads)

    def pad(self, left=0, top=0, right=0, bottom=0, unsigned threads=1):
        """Every mask in a frame that is larger by that many pixels on each side (smaller where negative).

        Example:
            >>> RleArray.from_rles([Rle.from_box((0, 0, 1, 1), (2, 2))]).pad(left=3, top=1)[0].bbox
            (3, 1, 1, 1)
        """
        cdef Change change
        cdef Py_ssize_t i
        change.kind = ChangeKind.pad
        sides = (as_int64(left, "left"), as_int64(top, "top"), as_int64(right, "right"), as_int64(bottom, "bottom"))
        for i in range(4):
            if abs(sides[i]) > 2**33:
                raise ValueError(f"pad: {sides[i]} is larger than any mask")
            change.numbers[i] = sides[i]
        for i in range(self.n):
            if self.s[2 * i] + sides[1] + sides[3] < 0 or self.s[2 * i + 1] + sides[0] + sides[2] < 0:
                raise ValueError(f"pad: nothing is left of mask {i} ({self.s[2 * i]} x {self.s[2 * i + 1]})")
        return self.changed(change, threads)

    def shift(self, dx=0, dy=0, unsigned threads=1):
        """Every mask moved by (dx, dy) pixels inside its frame; what leaves the frame is cut off.

        Example:
            >>> RleArray.from_rles([Rle.from_box((0, 0, 2, 2), (2, 2))]).shift(1).areas.tolist()
            [2]
        """
        cdef Change change
        change.kind = ChangeKind.shift
        change.numbers[0], change.numbers[1] = as_int64(dx, "dx"), as_int64(dy, "dy")
        return self.changed(change, threads)

    def flip(self, str direction="horizontal", unsigned threads=1):
        """The mirror images: "horizontal" swaps left and right, "vertical" swaps top and bottom.

        Example:
            >>> RleArray.from_rles([Rle.from_box((0, 0, 1, 1), (2, 3))]).flip()[0].bbox
            (2, 0, 1, 1)
        """
        cdef Change change
        if direction == "horizontal":
            change.kind = ChangeKind.flip_columns
        elif direction == "vertical":
            change.kind = ChangeKind.flip_rows
        else:
            raise ValueError(f"direction: expected 'horizontal' or 'vertical', got {direction!r}")
        return self.changed(change, threads)

    def resize(self, shape, unsigned threads=1):
        """Every mask resized to (height, width) by nearest neighbour, as ``Rle.resize``.

        Example:
            >>> RleArray.from_rles([Rle.from_box((0, 0, 1, 2), (2, 2))]).resize((4, 4))[0].bbox
            (0, 0, 2, 4)
        """
        cdef Change change
        cdef Shape size = as_shape(shape, "shape")
        change.kind = ChangeKind.resize
        change.numbers[0], change.numbers[1] = size.height, size.width
        return self.changed(change, threads)

    def gather(self, rows, columns, unsigned threads=1):
        """Every mask seen through a grid: pixel (y, x) of the result is pixel (rows[y], columns[x]); one size for all.

        Any resize without blending, whatever its rule, and any crop are such grids, and so are both in one step.

        Args:
            rows: (height,) ascending integers, the source row that each new row shows.
            columns: (width,) likewise.
            threads: 0 for as many as the machine has.

        Raises:
            ValueError: indices that descend or lie outside, masks of different sizes.

        Example:
            >>> a = RleArray.from_rles([Rle.from_box((1, 0, 2, 1), (2, 3))])
            >>> a.gather([0, 0, 1], [1, 2])[0].decode().tolist()
            [[1, 1], [1, 1], [0, 0]]
        """
        lines = [np.asarray(rows), np.asarray(columns)]
        for one in lines:
            if one.ndim != 1 or (one.size and one.dtype.kind not in "iu"):
                raise ValueError(f"rows and columns: expected 1-D lists of integers, got {one.dtype} of {one.ndim} dims")
        cdef cnp.ndarray down = np.ascontiguousarray(lines[0], np.int64)
        cdef cnp.ndarray across = np.ascontiguousarray(lines[1], np.int64)
        if self.n == 0:
            return self
        cdef vector[RunsView] views = views_of(self)
        cdef vector[Runs] out
        cdef Grid* grid = new Grid(common_shape(self), <const int64_t*>cnp.PyArray_DATA(down), (<object>down).shape[0],
                                   <const int64_t*>cnp.PyArray_DATA(across), (<object>across).shape[0])
        out.resize(views.size())
        try:
            with nogil:
                sample_many(views.data(), views.size(), grid[0], out.data(), threads)
        finally:
            del grid
        return pack_runs(out)

    def boundaries(self, double width=1, unsigned threads=1):
        """The boundary of every mask, as ``Rle.boundary``.

        Example:
            >>> RleArray.from_rles([Rle.from_box((0, 0, 5, 5), (9, 9))]).boundaries().areas.tolist()
            [16]
        """
        cdef vector[RunsView] views = views_of(self)
        cdef vector[Runs] out
        out.resize(views.size())
        with nogil:
            boundaries(views.data(), views.size(), width, out.data(), threads)
        return pack_runs(out)

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
