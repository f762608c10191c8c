# One mask.

cdef Rle wrap(Runs runs):
    cdef Rle self = Rle.__new__(Rle)
    self.r = move(runs)
    return self


@cython.final
cdef class Rle(_RleOps):
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
                all rings as one path), "pillow" (as ``ImageDraw.polygon`` paints; rings are united), "opencv" (as
                ``fillPoly`` paints all rings together, vertices rounded to 1/65536 pixel instead of cut to integers).

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

    def decode(self, out=None, str order="C", dtype="uint8", window=None, size=None):
        """Make the dense mask.

        Args:
            out: array to write into, of the window's shape (any layout, any bool, integer or float type), returned.
            order: layout of a new array, "C" or "F".
            dtype: type of a new array; foreground is 1.
            window: (x0, y0, x1, y1), half-open: only that crop is decoded.
            size: (height, width) that the mask is resized to first, as ``resize`` does it: on runs. A window is then one
                of the resized mask.

        Returns:
            (H, W) array of 0 and 1.

        Raises:
            ValueError: a window outside the mask, an ``out`` of another shape, or more than 2^31-1 pixels.

        Example:
            >>> Rle.from_coco({"size": [2, 2], "counts": "112"}).decode(window=(0, 1, 2, 2)).tolist()
            [[1, 0]]
        """
        if size is not None:
            return self.resize(size).decode(out, order, dtype, window)
        cdef Window win = as_window(window, self.r.shape)
        cdef cnp.npy_intp dims[2]
        cdef cnp.ndarray target
        cdef bint zeroed = False
        cdef Shape shape
        dims[0] = win.y1 - win.y0
        dims[1] = win.x1 - win.x0
        if out is None:
            shape.height, shape.width = win.y1 - win.y0, win.x1 - win.x0
            check_dense(shape, 1)
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
        return int_list(pairs.data(), pairs.size())

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
        return int_list(counts.data(), counts.size())

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
