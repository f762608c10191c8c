# One mask.

cdef Rle wrap(Runs runs):
    cdef Rle self = Rle.__new__(Rle)
    self.r = move(runs)
    return self


@cython.final
@cython.freelist(64)
cdef class Rle:
    """One binary mask of ``height`` x ``width`` pixels as run lengths. Immutable, hashable, picklable.

    Pixels are addressed (row, column) from the top-left corner; boxes are in pixels, half-open. Make one with the
    ``from_*`` functions. All of them check their input completely: malformed run lists raise ``DecodeError`` (a
    ``ValueError`` with ``.offset``), wrong types ``TypeError``.

    Example:
        >>> import numpy as np
        >>> mask = np.zeros((3, 4), np.uint8); mask[1, 1:3] = 1
        >>> r = Rle.from_mask(mask)
        >>> r.area, r.bbox, r.to_coco()
        (2, (1, 1, 2, 1), {'size': [3, 4], 'counts': '41202'})
        >>> bool((r.decode() == mask).all())
        True
    """
    cdef Runs r
    cdef Py_hash_t cached_hash

    def __init__(self):
        raise TypeError("use Rle.from_mask, Rle.from_coco, Rle.from_counts, Rle.from_hasty or Rle.from_polygons")

    # --- in ---------------------------------------------------------------------------------------------------

    @staticmethod
    def from_mask(mask):
        """Encode a dense mask; every non-zero element is foreground.

        Args:
            mask: (H, W) array of bool or any integer type, in C, Fortran or any strided layout, which is read in place.

        Raises:
            TypeError: not an array, or of another type (compare floats with a threshold first).
            ValueError: not 2-D, or more than 2^31-1 pixels.

        Example:
            >>> import numpy as np
            >>> Rle.from_mask(np.eye(2, dtype=bool)).to_counts()
            [0, 1, 2, 1]
        """
        cdef cnp.ndarray array = plain_array(mask, "mask")
        if array.ndim != 2:
            raise ValueError(f"mask: expected a 2-D array, got {array.ndim}-D")
        return wrap(encode_plane(array, <const char*>cnp.PyArray_DATA(array), 0, 1))

    @staticmethod
    def from_coco(rle, *, bint strict=True, list notes=None):
        """Read a COCO RLE object, compressed or not.

        Args:
            rle: mapping with ``size`` = [height, width] and ``counts`` = text, bytes, a buffer, or a list or 1-D array of
                integers (column-major, background first). Other keys are ignored.
            strict: with False a run list that ends early is padded with background; nothing else is repaired.
            notes: a list that receives one text per repair.

        Raises:
            DecodeError: counts that break the grammar or do not add up to height x width.

        Source: cocodataset/cocoapi ``maskApi.c``.

        Example:
            >>> Rle.from_coco({"size": [3, 4], "counts": "417"}).area
            1
        """
        return wrap(coco_from(rle, strict, notes))

    @staticmethod
    def from_counts(counts, shape, str order="F", start=0, *, bint strict=True, list notes=None):
        """Read alternating run lengths.

        Args:
            counts: list, tuple or 1-D integer array.
            shape: (height, width).
            order: "F" column-major (COCO, Datumaro), "C" row-major (CVAT).
            start: value of the first run, 0 or 1.
            strict, notes: as for ``from_coco``.

        Example:
            >>> Rle.from_counts([5, 1, 6], (3, 4), order="C").decode().tolist()
            [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
        """
        if order != "F" and order != "C":
            raise ValueError(f"order: expected 'F' or 'C', got {order!r}")
        if start not in (0, 1):
            raise ValueError(f"start: expected 0 or 1, got {start!r}")
        cdef Shape size = as_shape(shape, "shape")
        cdef vector[int64_t] numbers = as_ints(counts, "counts")
        cdef Repairs repairs
        cdef Repairs* lenient = NULL
        cdef bint rows = order == "C", first = start == 1
        if not strict:
            lenient = &repairs
        cdef Rle self = wrap(from_alternating(numbers.data(), numbers.size(), size, rows, first,
                                              lenient))
        if repairs.padded and notes is not None:
            notes.append(f"{repairs.padded} background pixels added at the end of a short run list")
        return self

    @staticmethod
    def from_hasty(pairs, shape, box=None, *, bint strict=True, list notes=None):
        """Read the run-length encoding of Hasty: start, length pairs, starts counted from 1, row-major.

        Args:
            pairs: flat list or 1-D integer array.
            shape: (height, width) of the image.
            box: (x0, y0, x1, y1), the crop that the pairs describe, half-open; None for the whole image.
            strict: with False, pairs of length 0 are left out and unsorted or overlapping pairs united.
            notes: a list that receives one text per repair.

        Raises:
            DecodeError: an odd count, a start or length below 1, pairs that overlap or descend or pass the crop.
            ValueError: a box that is empty, not of integers, or not inside the image.

        Example:
            >>> Rle.from_hasty([1, 2, 5, 1], (4, 5), box=(2, 1, 5, 3)).bbox
            (2, 1, 2, 2)
        """
        cdef Shape size = as_shape(shape, "shape")
        cdef vector[int64_t] numbers = as_ints(pairs, "mask")
        cdef PixelBox corners
        cdef const PixelBox* place = NULL
        if as_box(box, &corners):
            place = &corners
        cdef Repairs repairs
        cdef Repairs* lenient = NULL
        if not strict:
            lenient = &repairs
        cdef Rle self = wrap(core_from_hasty(numbers.data(), numbers.size(), size, place,
                                        lenient))
        if notes is not None:
            if repairs.empty_runs:
                notes.append(f"{repairs.empty_runs} runs of length 0 left out")
            if repairs.united:
                notes.append("unsorted or overlapping runs united")
        return self

    @staticmethod
    def from_polygons(rings, shape, str rule="coco"):
        """Rasterise the rings of one object.

        Args:
            rings: list of rings, each a flat list or 1-D array x0, y0, x1, y1, ... of at least 3 points (or an (n, 2)
                array), in pixels from the outer top-left corner; outside the image is fine.
            shape: (height, width).
            rule: "coco" (the reference's rule bit for bit; rings are united), "even-odd" or "non-zero" (pixel centres,
                all rings as one path), "pillow" (as ``ImageDraw.polygon`` paints; rings are united).

        Raises:
            ValueError: an odd count, fewer than 3 points, a number that is not finite or beyond 2^40.
            TypeError: anything but numbers.

        Example:
            >>> Rle.from_polygons([[1, 1, 4, 1, 4, 4, 1, 4]], (6, 6)).to_coco()["counts"]
            '733000;'
        """
        return wrap(fill_rings(rings, as_shape(shape, "shape"), as_rule(rule)))

    @staticmethod
    def from_box(box, shape):
        """Rasterise the box (x, y, width, height) by the COCO polygon rule.

        Example:
            >>> Rle.from_box((1, 1, 2, 2), (5, 5)).area
            4
        """
        return wrap(fill_one_box(box, as_shape(shape, "shape")))

    @staticmethod
    def from_ellipse(ellipse, shape, rotation=0):
        """Rasterise an ellipse by pixel centres.

        Args:
            ellipse: (cx, cy, rx, ry), centre and half axes in pixels.
            shape: (height, width).
            rotation: degrees, clockwise on the screen.

        Example:
            >>> Rle.from_ellipse((2, 2, 1, 2), (4, 4)).area
            8
        """
        if not isinstance(ellipse, (list, tuple, np.ndarray)) or len(ellipse) != 4:
            raise TypeError("ellipse: expected four numbers cx, cy, rx, ry")
        return wrap(fill_ellipse(as_number(ellipse[0], "ellipse"), as_number(ellipse[1], "ellipse"),
                                 as_number(ellipse[2], "ellipse"), as_number(ellipse[3], "ellipse"),
                                 as_number(rotation, "rotation"), as_shape(shape, "shape")))

    # --- facts ------------------------------------------------------------------------------------------------

    @property
    def height(self):
        """Rows."""
        return self.r.shape.height

    @property
    def width(self):
        """Columns."""
        return self.r.shape.width

    @property
    def shape(self):
        """(height, width)."""
        return (self.r.shape.height, self.r.shape.width)

    @property
    def area(self):
        """Number of foreground pixels."""
        return run_area(self.r.view())

    @property
    def bbox(self):
        """(x, y, width, height) of the foreground in whole pixels; four zeros for an empty mask."""
        cdef Box b = bounding_box(self.r.view())
        return (b.x, b.y, b.width, b.height)

    @property
    def runs(self):
        """Canonical column-major run lengths, background first: read-only (n,) uint32, not copied."""
        cdef cnp.npy_intp n = self.r.counts.size()
        cdef cnp.ndarray array = cnp.PyArray_SimpleNewFromData(1, &n, cnp.NPY_UINT32, self.r.counts.data())
        Py_INCREF(self)
        PyArray_SetBaseObject(array, self)
        PyArray_CLEARFLAGS(array, cnp.NPY_ARRAY_WRITEABLE)
        return array

    # --- out --------------------------------------------------------------------------------------------------

    def decode(self, out=None, str order="C", dtype="uint8", window=None):
        """Make the dense mask.

        Args:
            out: array to write into, of the window's shape (any layout, any bool, integer or float type), returned.
            order: layout of a new array, "C" or "F".
            dtype: type of a new array; foreground is 1.
            window: (x0, y0, x1, y1), half-open: only that crop is decoded.

        Returns:
            (H, W) array of 0 and 1.

        Raises:
            ValueError: a window outside the mask, an ``out`` of another shape, or more than 2^31-1 pixels.

        Example:
            >>> Rle.from_coco({"size": [2, 2], "counts": "112"}).decode(window=(0, 1, 2, 2)).tolist()
            [[1, 0]]
        """
        cdef Window win = as_window(window, self.r.shape)
        cdef cnp.npy_intp dims[2]
        cdef cnp.ndarray target
        cdef bint zeroed = False
        cdef Shape size
        dims[0] = win.y1 - win.y0
        dims[1] = win.x1 - win.x0
        if out is None:
            size.height, size.width = win.y1 - win.y0, win.x1 - win.x0
            check_dense(size, 1)
            if order != "C" and order != "F":
                raise ValueError(f"order: expected 'C' or 'F', got {order!r}")
            if type(dtype) is str and (<str>dtype) == "uint8":
                target = cnp.PyArray_ZEROS(2, dims, cnp.NPY_UINT8, order == "F")
            else:
                target = np.zeros((dims[0], dims[1]), as_dtype(dtype), order=order)
            zeroed = True
        else:
            target = writable(out)
            if target.ndim != 2 or target.shape[0] != dims[0] or target.shape[1] != dims[1]:
                raise ValueError(f"out: expected shape ({dims[0]}, {dims[1]}), got {out.shape}")
        put(target, self.r.view(), win, one_bits(target.dtype), zeroed)
        return target

    def to_coco(self, bint compressed=True, bint bytes=False):
        """The COCO RLE object: {"size": [height, width], "counts": str, bytes or list of int}.

        Example:
            >>> Rle.from_counts([4, 1, 7], (3, 4)).to_coco(compressed=False)
            {'size': [3, 4], 'counts': [4, 1, 7]}
        """
        cdef list size = [self.r.shape.height, self.r.shape.width]
        if compressed:
            return {"size": size, "counts": text_of(self.r.view(), bytes)}
        return {"size": size, "counts": self.runs.tolist()}

    def to_hasty(self, box=None):
        """Hasty start, length pairs (list of int) over the crop (x0, y0, x1, y1), or over the whole mask.

        Raises:
            ValueError: foreground outside the box.

        Example:
            >>> Rle.from_counts([4, 1, 7], (3, 4)).to_hasty(box=(1, 0, 3, 2))
            [3, 1]
        """
        cdef PixelBox corners
        cdef const PixelBox* place = NULL
        if as_box(box, &corners):
            place = &corners
        cdef vector[int64_t] pairs = core_to_hasty(self.r.view(), place)
        cdef Py_ssize_t i
        return [pairs[i] for i in range(<Py_ssize_t>pairs.size())]

    def to_counts(self, str order="F"):
        """Canonical alternating run lengths (list of int), background first; "F" column-major, "C" row-major.

        Example:
            >>> Rle.from_counts([4, 1, 7], (3, 4)).to_counts(order="C")
            [5, 1, 6]
        """
        if order == "F":
            return self.runs.tolist()
        if order != "C":
            raise ValueError(f"order: expected 'F' or 'C', got {order!r}")
        cdef vector[uint32_t] counts = to_alternating(self.r.view(), True)
        cdef Py_ssize_t i
        return [counts[i] for i in range(<Py_ssize_t>counts.size())]

    def to_polygons(self, str holes="rings", double tolerance=0):
        """Trace the mask along pixel edges, exactly.

        Args:
            holes: "rings": outer rings (clockwise on screen) and holes (the other way), sorted by first vertex;
                "bridge": all of it as one ring that the COCO rule (and even-odd) fills back to the same mask.
            tolerance: drop vertices while none is further than this many pixels from its new edge; 0 keeps the mask.

        Returns:
            list of (n, 2) float64 arrays of x, y; empty for an empty mask.

        Example:
            >>> Rle.from_box((1, 1, 2, 3), (5, 5)).to_polygons()[0].tolist()
            [[1.0, 1.0], [3.0, 1.0], [3.0, 4.0], [1.0, 4.0]]
        """
        if holes != "rings" and holes != "bridge":
            raise ValueError(f"holes: expected 'rings' or 'bridge', got {holes!r}")
        cdef Rings rings = trace(self.r.view())
        if tolerance != 0:
            rings = simplify(rings, tolerance)
        if holes == "bridge":
            rings = bridge(rings)
        cdef cnp.npy_intp dims[2]
        cdef cnp.ndarray array
        cdef double* out
        cdef size_t i, k
        cdef list result = []
        dims[1] = 2
        for i in range(rings.size()):
            dims[0] = rings.offsets[i + 1] - rings.offsets[i]
            array = cnp.PyArray_SimpleNew(2, dims, cnp.NPY_FLOAT64)
            out = <double*>cnp.PyArray_DATA(array)
            for k in range(2 * <size_t>dims[0]):
                out[k] = rings.xy[2 * rings.offsets[i] + k]
            result.append(array)
        return result

    # --- set operations ---------------------------------------------------------------------------------------

    def __or__(self, other):
        if type(self) is not Rle or type(other) is not Rle:
            return NotImplemented
        return wrap(combine((<Rle>self).r.view(), (<Rle>other).r.view(), 0xE))

    def __and__(self, other):
        if type(self) is not Rle or type(other) is not Rle:
            return NotImplemented
        return wrap(combine((<Rle>self).r.view(), (<Rle>other).r.view(), 0x8))

    def __sub__(self, other):
        if type(self) is not Rle or type(other) is not Rle:
            return NotImplemented
        return wrap(combine((<Rle>self).r.view(), (<Rle>other).r.view(), 0x4))

    def __xor__(self, other):
        if type(self) is not Rle or type(other) is not Rle:
            return NotImplemented
        return wrap(combine((<Rle>self).r.view(), (<Rle>other).r.view(), 0x6))

    def __invert__(self):
        return wrap(core_complement(self.r.view()))

    def __eq__(self, other):
        if type(other) is not Rle:
            return NotImplemented
        return self.r.shape == (<Rle>other).r.shape and self.r.counts == (<Rle>other).r.counts

    def __hash__(self):
        if self.cached_hash == 0:
            self.cached_hash = hash((self.r.shape.height, self.r.shape.width, text_of(self.r.view(), True))) or 1
        return self.cached_hash

    def __bool__(self):
        raise TypeError("the truth of a mask is ambiguous; test its area")

    def __reduce__(self):
        return unpickle, (self.r.shape.height, self.r.shape.width, self.runs.tobytes(), sys.byteorder)

    def __repr__(self):
        cdef Box b = bounding_box(self.r.view())
        return (f"Rle(height={self.r.shape.height}, width={self.r.shape.width}, area={self.area}, "
                f"bbox=({b.x}, {b.y}, {b.width}, {b.height}), runs={self.r.counts.size()})")

    def intersection_area(self, Rle other not None):
        """Number of pixels that both masks cover, without making their intersection."""
        return core_intersection_area(self.r.view(), other.r.view())

    # --- geometry ---------------------------------------------------------------------------------------------

    def crop(self, window):
        """The part inside (x0, y0, x1, y1), half-open, as a mask of that size.

        Example:
            >>> Rle.from_box((1, 1, 2, 2), (5, 5)).crop((2, 0, 5, 5)).shape
            (5, 3)
        """
        cdef Window w = as_window(window, self.r.shape)
        return wrap(core_crop(self.r.view(), w.x0, w.y0, w.x1, w.y1))

    def pad(self, left=0, top=0, right=0, bottom=0):
        """The mask in a frame that is larger by that many background pixels on each side (smaller where negative).

        Example:
            >>> Rle.from_box((0, 0, 1, 1), (2, 2)).pad(left=3, top=1).bbox
            (3, 1, 1, 1)
        """
        cdef int64_t l = as_int64(left, "left"), t = as_int64(top, "top")
        height = self.r.shape.height + t + as_int64(bottom, "bottom")
        width = self.r.shape.width + l + as_int64(right, "right")
        if height < 0 or width < 0:
            raise ValueError(f"pad: nothing is left of the mask ({height} x {width})")
        return wrap(core_pad(self.r.view(), l, t, as_shape((height, width), "pad")))

    def place(self, x, y, shape):
        """The mask with its top-left corner at pixel (x, y) of a frame of another (height, width); the rest is cut off.

        Example:
            >>> Rle.from_box((0, 0, 2, 2), (2, 2)).place(3, -1, (4, 4)).bbox
            (3, 0, 1, 1)
        """
        return wrap(core_pad(self.r.view(), as_int64(x, "x"), as_int64(y, "y"), as_shape(shape, "shape")))

    def shift(self, dx=0, dy=0):
        """The mask moved by (dx, dy) pixels inside its frame; what leaves the frame is cut off."""
        return wrap(core_pad(self.r.view(), as_int64(dx, "dx"), as_int64(dy, "dy"), self.r.shape))

    def flip(self, str direction="horizontal"):
        """The mirror image: "horizontal" swaps left and right, "vertical" swaps top and bottom."""
        if direction == "horizontal":
            return wrap(flip_columns(self.r.view()))
        if direction == "vertical":
            return wrap(flip_rows(self.r.view()))
        raise ValueError(f"direction: expected 'horizontal' or 'vertical', got {direction!r}")

    def rot90(self, k=1):
        """The mask turned counter-clockwise by k times 90 degrees, as ``numpy.rot90`` does."""
        cdef int64_t turns = as_int64(k, "k") % 4
        cdef Runs turned
        if turns == 0:
            return self
        if turns == 2:
            return wrap(rotate180(self.r.view()))
        turned = core_transpose(self.r.view())
        return wrap(flip_rows(turned.view()) if turns == 1 else flip_columns(turned.view()))

    def transpose(self):
        """Rows and columns exchanged."""
        return wrap(core_transpose(self.r.view()))

    def resize(self, shape):
        """Nearest-neighbour resize to (height, width): source index = floor((i + 0.5) * old / new).

        Example:
            >>> Rle.from_box((0, 0, 1, 2), (2, 2)).resize((4, 4)).bbox
            (0, 0, 2, 4)
        """
        return wrap(resize_nearest(self.r.view(), as_shape(shape, "shape")))

    # --- neighbourhoods ---------------------------------------------------------------------------------------

    def dilate(self, double radius=1, str kernel="square"):
        """The pixels with foreground within the kernel around them.

        Args:
            radius: in pixels; fractions matter for "disk" only.
            kernel: "square" (max(|dx|, |dy|) <= radius), "cross" (the two axes), "disk" (dx^2 + dy^2 <= radius^2).

        Example:
            >>> Rle.from_box((2, 2, 1, 1), (5, 5)).dilate(1, "cross").area
            5
        """
        cdef Kernel k = as_kernel(kernel)
        with nogil:
            done = core_dilate(self.r.view(), k, radius)
        return wrap(done)

    def erode(self, double radius=1, str kernel="square", bint border=False):
        """The pixels whose whole kernel is foreground; outside the frame is foreground with ``border``, else background.

        Example:
            >>> Rle.from_box((0, 0, 5, 5), (5, 5)).erode().area, Rle.from_box((0, 0, 5, 5), (5, 5)).erode(border=True).area
            (9, 25)
        """
        cdef Kernel k = as_kernel(kernel)
        with nogil:
            done = core_erode(self.r.view(), k, radius, border)
        return wrap(done)

    def open(self, double radius=1, str kernel="square"):
        """Erosion, then dilation: what the kernel fits into."""
        cdef Kernel k = as_kernel(kernel)
        with nogil:
            done = core_open(self.r.view(), k, radius)
        return wrap(done)

    def close(self, double radius=1, str kernel="square"):
        """Dilation, then erosion, as if the frame had no end: never removes a pixel."""
        cdef Kernel k = as_kernel(kernel)
        with nogil:
            done = core_close(self.r.view(), k, radius)
        return wrap(done)

    def boundary(self, double width=1):
        """The foreground within ``width`` pixels (square kernel) of background or of the frame's edge.

        Source: Cheng et al., Boundary IoU, CVPR 2021.

        Example:
            >>> Rle.from_box((0, 0, 5, 5), (9, 9)).boundary().area
            16
        """
        with nogil:
            inner = core_erode(self.r.view(), Kernel.square, width, False)
            done = combine(self.r.view(), inner.view(), 0x4)
        return wrap(done)

    def components(self, int connectivity=4):
        """The connected pieces as a ``RleArray``, in the order of their first pixel, column by column.

        Args:
            connectivity: 4 (pixels that share an edge) or 8 (also a corner).

        Example:
            >>> import numpy as np
            >>> len(Rle.from_mask(np.eye(3, dtype=bool)).components()), len(Rle.from_mask(np.eye(3, dtype=bool)).components(8))
            (3, 1)
        """
        cdef bint diagonal = as_diagonal(connectivity)
        cdef Components parts
        with nogil:
            parts = core_components(self.r.view(), diagonal)
        sizes = np.empty((parts.offsets.size() - 1, 2), np.uint32)
        sizes[:] = self.shape
        return pack(parts.runs, parts.offsets, sizes)

    def largest_component(self, int connectivity=4):
        """The connected piece with most pixels, the first of equals."""
        return wrap(core_largest(self.r.view(), as_diagonal(connectivity)))

    def remove_small(self, min_area, int connectivity=4):
        """The mask without connected pieces of fewer than ``min_area`` pixels."""
        cdef int64_t n = as_int64(min_area, "min_area")
        return wrap(core_remove_small(self.r.view(), max(n, 0), as_diagonal(connectivity)))

    def fill_holes(self, max_area=None, int connectivity=4):
        """The mask with the background that it encloses.

        Args:
            max_area: fill only holes of at most that many pixels; None for all.
            connectivity: of the foreground; holes are connected the other way.

        Example:
            >>> import numpy as np
            >>> ring = np.ones((3, 3), bool); ring[1, 1] = False
            >>> Rle.from_mask(ring).fill_holes().area
            9
        """
        cdef int64_t n = 2**62 if max_area is None else as_int64(max_area, "max_area")
        return wrap(core_fill_holes(self.r.view(), max(n, 0), as_diagonal(connectivity)))

    @property
    def centroid(self):
        """(x, y), the mean of the foreground's pixel centres; None for an empty mask.

        Example:
            >>> Rle.from_box((1, 1, 2, 4), (6, 6)).centroid
            (2.0, 3.0)
        """
        cdef Moments m = core_centroid(self.r.view())
        return (m.x, m.y) if m.area else None

    def contains(self, points):
        """Whether points lie on foreground pixels.

        Args:
            points: (x, y), or an (n, 2) array of them, in pixels from the outer top-left corner; half-open.

        Returns:
            bool, or (n,) bool.

        Example:
            >>> Rle.from_box((1, 1, 2, 2), (5, 5)).contains((2.9, 1))
            True
        """
        array = np.asarray(points)
        if array.dtype.kind not in "iuf" or array.ndim not in (1, 2) or array.shape[array.ndim - 1] != 2:
            raise TypeError(f"points: expected (x, y) or an (n, 2) array, got {array.dtype} of shape {array.shape}")
        xy = np.floor(array.reshape(-1, 2).astype(np.float64))
        x, y = xy[:, 0], xy[:, 1]
        inside = (x >= 0) & (y >= 0) & (x < self.r.shape.width) & (y < self.r.shape.height)
        flat = np.where(inside, x * self.r.shape.height + y, 0)
        ends = np.cumsum(self.runs, dtype=np.uint64)
        hit = inside & (np.searchsorted(ends, flat.astype(np.uint64), side="right") % 2 == 1)
        return bool(hit[0]) if array.ndim == 1 else hit


cdef Kernel as_kernel(str kernel) except *:
    if kernel == "square":
        return Kernel.square
    if kernel == "cross":
        return Kernel.cross
    if kernel == "disk":
        return Kernel.disk
    raise ValueError(f"kernel: expected 'square', 'cross' or 'disk', got {kernel!r}")


cdef bint as_diagonal(int connectivity) except -1:
    if connectivity != 4 and connectivity != 8:
        raise ValueError(f"connectivity: expected 4 or 8, got {connectivity}")
    return connectivity == 8


def unpickle(height, width, data, byteorder):
    """Rebuild an ``Rle`` from pickled run lengths, checked like any other input."""
    counts = np.frombuffer(data, np.dtype(np.uint32).newbyteorder("<" if byteorder == "little" else ">"))
    return Rle.from_counts(counts, (height, width))


cdef cnp.ndarray writable(object out):
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out: expected an array, got {type(out).__name__}")
    as_dtype(out.dtype)
    cdef cnp.ndarray array = out
    if not PyArray_ISWRITEABLE(array) or not PyArray_ISALIGNED(array):
        raise ValueError("out: expected a writable, aligned array")
    return array
