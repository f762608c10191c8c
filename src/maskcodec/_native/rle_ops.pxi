# What one mask can do once it is there; class Rle (rle.pxi) adds the ways in and out.

@cython.freelist(64)
cdef class _RleOps:
    cdef Runs r
    cdef Py_hash_t cached_hash

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

    def paste(self, Rle other not None, x, y):
        """This mask with the pixels of another one, top-left corner at (x, y), in place of its own.

        The same as ``mask[y:y + h, x:x + w] = other`` on dense masks; what sticks out of the frame is cut off.

        Example:
            >>> Rle.from_box((0, 0, 3, 3), (3, 3)).paste(Rle.from_counts([4], (2, 2)), 2, -1).area
            8
        """
        return wrap(core_paste(self.r.view(), other.r.view(), as_int64(x, "x"), as_int64(y, "y")))

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
