"""Masks as Arrow columns: what engines hold, computed on where it lies.

A mask column is ``struct<height: int32, width: int32, counts: binary>`` of the extension type ``maskcodec.rle``;
counts is the compressed text of COCO. The functions here take anything that speaks Arrow's PyCapsule interface
(``RleColumn``, ``RleArray``, arrays and chunked arrays of pyarrow, series of Polars, relations of DuckDB), read its
buffers in place, and return objects of the same kind. Fields are found by name, sizes may be integers of any width,
counts binary or text of any layout; a row is null when its struct or one of its fields is, and null rows stay null. A
table of one column stands for that column. No library is needed to use them; the functions keep no state, let go of the
GIL, and pickle by name.

Bad rows are a ``DecodeError`` (counts that break their grammar) or a ``ValueError`` (sizes that do not fit) that names
them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from maskcodec._native import columns as _native
from maskcodec.masks import Rle, RleArray

__all__ = [
    "NumberColumn", "RleColumn", "TextColumn", "area", "bbox", "crop", "decode", "from_polygons", "iou", "merge",
    "resize", "to_array",
]  # fmt: skip

_Rule = Literal["coco", "even-odd", "non-zero", "pillow", "opencv"]
_Nulls = Literal["raise", "empty"]


class _Column:
    """A column that speaks Arrow; slices share its memory."""

    __slots__ = ("_data",)
    _data: _native.Chunked

    @classmethod
    def _of(cls, data: _native.Chunked) -> Any:
        column = cls.__new__(cls)
        column._data = data
        return column

    def __len__(self) -> int:
        return len(self._data)

    @property
    def null_count(self) -> int:
        """Number of null rows."""
        return self._data.null_count

    def __arrow_c_schema__(self) -> Any:
        return self._data.schema(None)

    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]:
        return self._data.array(requested_schema)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._data.stream(requested_schema)

    def _slice(self, key: slice) -> Any:
        start, stop, step = key.indices(len(self))
        if step != 1:
            raise ValueError("a column is sliced with step 1")
        return self._of(self._data.slice(start, max(start, stop)))

    def __repr__(self) -> str:
        nulls = f", {self.null_count} null" if self.null_count else ""
        return f"<{type(self).__name__}: {len(self)} rows{nulls}, {self._data.type}>"


class RleColumn(_Column):
    """A column of masks: any Arrow data of their layout, taken over without a copy where it is the layout above.

    Example:
        >>> column = RleColumn.from_rles([Rle.from_box((0, 0, 2, 2), (4, 4)), None])
        >>> len(column), column.null_count, column[0].area, column[1]
        (2, 1, 4, None)
        >>> area(column).to_pylist()
        [4, None]
    """

    __slots__ = ()

    def __init__(self, data: Any) -> None:
        """Take over Arrow data.

        Args:
            data: anything with ``__arrow_c_array__`` or ``__arrow_c_stream__``.

        Raises:
            TypeError: not Arrow data, or of another type.
        """
        self._data = _imported(data).masks()

    @staticmethod
    def from_rles(rles: RleArray | Iterable[Rle | None], threads: int = 1) -> RleColumn:
        """Encode masks; None is a null row.

        Args:
            rles: a ``RleArray``, or ``Rle`` objects and None.
            threads: 0 for as many as the machine has.
        """
        valid: NDArray[np.bool_] | None = None
        if not isinstance(rles, RleArray):
            given = list(rles)
            empty = Rle.from_counts([0], (0, 0))
            valid = np.fromiter((rle is not None for rle in given), bool, len(given))
            rles = RleArray.from_rles(empty if rle is None else rle for rle in given)
        rles.areas  # noqa: B018 - runs from outside are checked when they are used first: the encoder trusts them
        return _masks(_native.encode(rles.runs, rles.offsets, rles.sizes, valid, threads))

    def to_array(self, nulls: _Nulls = "raise", threads: int = 1) -> RleArray:
        """The masks as a ``RleArray``; arguments as of ``maskcodec.columns.to_array``."""
        return to_array(self, nulls=nulls, threads=threads)

    @property
    def null_count(self) -> int:
        """Number of null rows."""
        return int(np.count_nonzero(~self.valid))

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(N,) bool: rows that hold a mask."""
        return _native.shapes(self._data)[1]

    @property
    def sizes(self) -> NDArray[np.uint32]:
        """(N, 2) uint32: height and width of each row, 0 and 0 for null ones."""
        return _native.shapes(self._data)[0]

    @overload
    def __getitem__(self, key: int) -> Rle | None: ...
    @overload
    def __getitem__(self, key: slice) -> RleColumn: ...
    def __getitem__(self, key: int | slice) -> Rle | RleColumn | None:
        if isinstance(key, slice):
            column: RleColumn = self._slice(key)
            return column
        at = range(len(self))[key]
        one = self[at : at + 1]
        return one.to_array()[0] if one.valid[0] else None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RleColumn):
            return NotImplemented
        same = np.array_equal(self.valid, other.valid)
        return same and self.to_array("empty") == other.to_array("empty")

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        masks = self.to_array("empty")
        return _rebuilt, (masks.runs, masks.offsets, masks.sizes, self.valid)


def _rebuilt(runs: Any, offsets: Any, sizes: Any, valid: NDArray[np.bool_]) -> RleColumn:
    masks = RleArray(runs, offsets, sizes)
    masks.areas  # noqa: B018 - checks what came from outside
    return _masks(_native.encode(masks.runs, masks.offsets, masks.sizes, valid, 1))


class NumberColumn(_Column):
    """A column of int64, of double, or of four doubles a row, with nulls; NumPy reads it in place where there are none.

    Example:
        >>> NumberColumn(np.array([1, 2, 3]), np.array([True, False, True])).to_pylist()
        [1, None, 3]
    """

    __slots__ = ()

    def __init__(self, values: ArrayLike, valid: ArrayLike | None = None) -> None:
        """Copy numbers.

        Args:
            values: (N,) integers or floats, or (N, 4) floats.
            valid: (N,) flags, False where the row is null.
        """
        array = np.asarray(values)
        if array.dtype.kind not in "iuf" or not (array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 4)):
            raise TypeError(f"values: expected (N,) or (N, 4) numbers, got {array.dtype} of shape {array.shape}")
        if array.dtype.kind == "u" and array.size and int(array.max()) > 2**63 - 1:
            raise ValueError("values: a number beyond 2^63-1")
        kind = np.float64 if array.dtype.kind == "f" or array.ndim == 2 else np.int64
        self._data = _native.numbers(array.astype(kind), None if valid is None else np.asarray(valid, dtype=bool))

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(N,) bool: rows that hold a number."""
        flags = self._data.numpy()[1]
        return np.ones(len(self), bool) if flags is None else flags

    def to_numpy(self, null: float | None = None) -> NDArray[Any]:
        """The numbers as (N,) int64, (N,) float64 or (N, 4) float64.

        Args:
            null: what stands for null rows.

        Raises:
            ValueError: there are null rows, and nothing was given for them.
        """
        values, flags = self._data.numpy()
        if flags is None:
            return values
        if null is None:
            first = int(np.flatnonzero(~flags)[0])
            raise ValueError(f"row {first} is null, and {self.null_count} in all: say what stands for them")
        out = values.copy()
        out[~flags] = null
        return out

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        array = self.to_numpy()
        return array.astype(dtype or array.dtype, copy=bool(copy))

    def to_pylist(self) -> list[Any]:
        """The numbers as Python objects, None for null."""
        values, flags = self._data.numpy()
        out: list[Any] = values.tolist()
        return out if flags is None else [v if ok else None for v, ok in zip(out, flags, strict=True)]

    @overload
    def __getitem__(self, key: int) -> Any: ...
    @overload
    def __getitem__(self, key: slice) -> NumberColumn: ...
    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            return self._slice(key)
        at = range(len(self))[key]
        return self._slice(slice(at, at + 1)).to_pylist()[0]

    def __reduce__(self) -> tuple[Any, ...]:
        values, flags = self._data.numpy()
        return NumberColumn, (np.array(values), flags)


class TextColumn(_Column):
    """A column of texts: the groups of ``merge`` where these are texts."""

    __slots__ = ()

    def to_pylist(self) -> list[Any]:
        """The texts as Python objects, None for null."""
        return self._data.texts()


def _imported(data: Any) -> _native.Chunked:
    if isinstance(data, _Column):
        return data._data
    return _native.Chunked(data)


def _masks(data: _native.Chunked) -> RleColumn:
    column: RleColumn = RleColumn._of(data)
    return column


def _numbers(data: _native.Chunked) -> NumberColumn:
    column: NumberColumn = NumberColumn._of(data)
    return column


def area(col: Any, *, threads: int = 1) -> NumberColumn:
    """Foreground pixels of each mask (int64), straight from the counts.

    Args:
        col: masks, as Arrow data.
        threads: 0 for as many as the machine has.

    Example:
        >>> area(RleArray.from_rles([Rle.from_box((0, 0, 2, 3), (4, 4))])).to_numpy().tolist()
        [6]
    """
    return _numbers(_native.area(_imported(col), threads))


def bbox(col: Any, *, threads: int = 1) -> NumberColumn:
    """Box of each mask's foreground: x, y, width, height in pixels (four doubles), zeros for an empty mask.

    Example:
        >>> bbox(RleArray.from_rles([Rle.from_box((1, 0, 2, 3), (4, 4))])).to_numpy().tolist()
        [[1.0, 0.0, 2.0, 3.0]]
    """
    return _numbers(_native.bbox(_imported(col), threads))


@overload
def iou(a: Any, b: Any, *, pairwise: Literal[False] = False, threads: int = 1) -> NumberColumn: ...
@overload
def iou(a: Any, b: Any, *, pairwise: Literal[True], threads: int = 1) -> NDArray[np.float64]: ...
def iou(a: Any, b: Any, *, pairwise: bool = False, threads: int = 1) -> NumberColumn | NDArray[np.float64]:
    """Intersection over union of masks, row by row; 0 for two empty masks, null where either is null.

    Args:
        a: masks, as Arrow data.
        b: as many masks, of the same size row by row.
        pairwise: every mask of ``a`` with every mask of ``b``, all of one size: (len(a), len(b)) float64, NaN for null.
        threads: 0 for as many as the machine has.

    Raises:
        ValueError: columns of different lengths, masks of different sizes.

    Example:
        >>> a = RleColumn.from_rles([Rle.from_box((0, 0, 2, 2), (4, 4))])
        >>> iou(a, RleColumn.from_rles([Rle.from_box((0, 0, 4, 4), (4, 4))])).to_pylist()
        [0.25]
    """
    if not pairwise:
        return _numbers(_native.iou(_imported(a), _imported(b), threads))
    one, two = RleColumn(a), RleColumn(b)
    rows, columns = np.flatnonzero(one.valid), np.flatnonzero(two.valid)
    out = np.full((len(one), len(two)), np.nan)
    found = to_array(one, nulls="empty", threads=threads).take(rows).iou(
        to_array(two, nulls="empty", threads=threads).take(columns), None, threads
    )
    out[np.ix_(rows, columns)] = found
    return out


def _check_nulls(valid: NDArray[np.bool_], nulls: str) -> None:
    if nulls not in ("raise", "empty"):
        raise ValueError(f"nulls: expected 'raise' or 'empty', got {nulls!r}")
    if nulls == "raise" and not valid.all():
        row = int(np.flatnonzero(~valid)[0])
        raise ValueError(f"row {row} is null (nulls='empty' takes it as a mask without pixels)")


def _common_size(data: _native.Chunked, nulls: str) -> tuple[int, int] | None:
    """Height and width of all masks; None when there is no mask."""
    sizes, valid = _native.shapes(data)
    _check_nulls(valid, nulls)
    rows = np.flatnonzero(valid)
    if not len(rows):
        return None
    first = sizes[rows[0]]
    other = rows[(sizes[rows] != first).any(axis=1)]
    if len(other):
        h, w = sizes[other[0]]
        raise ValueError(f"row {other[0]}: a mask of {h} x {w}, row {rows[0]} is {first[0]} x {first[1]}; give a size")
    return int(first[0]), int(first[1])


def _whole(values: Any, count: int, name: str) -> tuple[int, ...]:
    """So many integers from 0 on that fit 32 bits."""
    array = np.asarray(values)
    if array.shape != (count,) or array.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected {count} integers, got {values!r}")
    if array.min() < 0 or array.max() > 0xFFFFFFFF:
        raise ValueError(f"{name}: expected integers from 0 on, got {values!r}")
    return tuple(int(v) for v in array)


def decode(
    col: Any,
    out: NDArray[Any] | None = None,
    *,
    order: Literal["C", "F"] = "C",
    dtype: DTypeLike = "uint8",
    window: Sequence[int] | None = None,
    size: Sequence[int] | None = None,
    nulls: _Nulls = "raise",
    threads: int = 1,
) -> NDArray[Any]:
    """Make all masks dense, each straight from its counts; they must have one size, unless ``size`` is given.

    Args:
        col: masks, as Arrow data.
        out: (N, H, W) array in any layout to write into, returned; every element is written.
        order: memory layout of a new array: "C", or "F" for masks in columns, which is faster.
        dtype: type of a new array; foreground is 1.
        window: (x0, y0, x1, y1), half-open: only that crop of every mask.
        size: (height, width) that every mask is resized to first (nearest neighbour, on runs); a window is then one of
            the resized masks.
        nulls: "raise", or "empty" for a plane of zeros in place of null.
        threads: 0 for as many as the machine has.

    Raises:
        DecodeError: bad counts; the row is named.
        ValueError: masks of different sizes, a null row, no mask and no ``out``, more than 2^31-1 pixels in all.

    Example:
        >>> decode(RleArray.from_rles([Rle.from_box((0, 0, 1, 1), (2, 2))])).tolist()
        [[[1, 0], [0, 0]]]
    """
    data = _imported(col)
    n = len(data)
    own = _common_size(data, nulls) if size is None else None
    if size is not None:
        height, width = _whole(size, 2, "size")
        own = (height, width)
        _check_nulls(_native.shapes(data)[1], nulls)
    if own is None and window is None:
        if out is None or out.ndim != 3 or out.shape[0] != n:
            raise ValueError("no masks: the size of the result is unknown")
        own = (out.shape[1], out.shape[2])
    x0, y0, x1, y1 = (0, 0, own[1], own[0]) if window is None and own else _whole(window, 4, "window")
    if x0 > x1 or y0 > y1 or (own and (x1 > own[1] or y1 > own[0])):
        raise ValueError(f"window: expected x0 <= x1 and y0 <= y1 inside {own}, got {window!r}")
    shape = (n, y1 - y0, x1 - x0)
    zeroed = out is None
    if out is None:
        kind = np.dtype(dtype)
        if order not in ("C", "F"):
            raise ValueError(f"order: expected 'C' or 'F', got {order!r}")
        if n * shape[1] * shape[2] > 2**31 - 1:
            raise ValueError(f"{n} dense masks of {shape[1]} x {shape[2]} pixels are more than 2^31-1 pixels")
        # "F" is columns within a mask, not across masks: planes stay apart.
        out = np.zeros(shape, kind) if order == "C" else np.zeros((n, shape[2], shape[1]), kind).transpose(0, 2, 1)
    kind = out.dtype
    if kind.kind not in "biuf" or kind.itemsize not in (1, 2, 4, 8):
        raise TypeError(f"dtype: expected bool, an integer or a float of at most 64 bits, got {kind}")
    if out.shape != shape:
        raise ValueError(f"out: expected shape {shape}, got {out.shape}")
    if not (out.flags.writeable and out.flags.aligned):
        raise ValueError("out: expected a writable, aligned array")
    one = int.from_bytes(np.ones((), kind).tobytes(), sys.byteorder)
    win = np.array([x0, y0, x1, y1], np.uint32)
    _native.decode(data, out, win, None if size is None else own, one, zeroed, threads)
    return out


def _integers(values: Any, name: str) -> NDArray[np.int64]:
    """Integers from an Arrow column, an array or a number; no nulls."""
    if hasattr(values, "__arrow_c_array__") or hasattr(values, "__arrow_c_stream__"):
        if not isinstance(values, NumberColumn):
            values = values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(values)
    array = np.asarray(values)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name}: expected integers without null, got {array.dtype}")
    if array.size and (array.min() < 0 or array.max() > 0xFFFFFFFF):
        raise ValueError(f"{name}: expected integers from 0 on")
    return array.astype(np.int64)


def from_polygons(col: Any, height: Any, width: Any, *, rule: _Rule = "coco", threads: int = 1) -> RleColumn:
    """Rasterise a column of polygons: ``list<list<double>>`` (or float), the rings of each as x0, y0, x1, y1, ...

    Args:
        col: Arrow data; lists of any layout. A null row gives a null mask, a row without rings an empty mask.
        height: of all masks, or a column or array of one for each row.
        width: likewise.
        rule: as of ``Rle.from_polygons``.
        threads: 0 for as many as the machine has.

    Raises:
        ValueError: a ring of fewer than 3 points or an odd number of values, a coordinate that is not finite or beyond
            2^40; the row is named.
    """
    data = _imported(col)
    h, w = _integers(height, "height"), _integers(width, "width")
    if h.ndim == 0 and w.ndim == 0:
        sizes = np.array([h, w], np.uint32)
    else:
        sizes = np.empty((len(data), 2), np.uint32)
        for at, (side, name) in enumerate(((h, "height"), (w, "width"))):
            if side.ndim and side.shape != (len(data),):
                raise ValueError(f"{name}: expected {len(data)} integers, got shape {side.shape}")
            sizes[:, at] = side
    return _masks(_native.polygons(data, sizes, rule, threads))


def merge(col: Any, group: Any, *, threads: int = 1) -> tuple[NumberColumn | TextColumn, RleColumn]:
    """Unite the masks of each group.

    Args:
        col: masks, as Arrow data; those of a group have one size. Null masks add nothing.
        group: as many integers or texts, as Arrow data or an array; dictionary types are fine. Null is a group, too.
        threads: 0 for as many as the machine has.

    Returns:
        The distinct groups in first-seen order, and the mask of each; null where a group has no mask but null.

    Example:
        >>> a = RleColumn.from_rles([Rle.from_box((x, 0, 1, 2), (2, 4)) for x in range(3)])
        >>> groups, masks = merge(a, np.array([7, 5, 7]))
        >>> groups.to_pylist(), area(masks).to_pylist()
        ([7, 5], [4, 2])
    """
    if not (hasattr(group, "__arrow_c_array__") or hasattr(group, "__arrow_c_stream__")):
        group = NumberColumn(group)
    groups, masks = _native.merge(_imported(col), _imported(group), threads)
    names: NumberColumn | TextColumn = _numbers(groups) if groups.type == "int64" else TextColumn._of(groups)
    return names, _masks(masks)


def crop(col: Any, window: ArrayLike, *, threads: int = 1) -> RleColumn:
    """The part of every mask inside a window, as masks of its size.

    Args:
        col: masks, as Arrow data.
        window: (x0, y0, x1, y1), half-open, or (N, 4) of them, one for each row; inside the mask.
        threads: 0 for as many as the machine has.

    Example:
        >>> crop(RleArray.from_rles([Rle.from_box((1, 1, 2, 2), (5, 5))]), (2, 0, 5, 5))[0].shape
        (5, 3)
    """
    array = np.asarray(window)
    if array.dtype.kind not in "iu" or array.ndim not in (1, 2) or array.shape[-1] != 4:
        raise TypeError(f"window: expected four integers, or (N, 4), got {array.dtype} of shape {array.shape}")
    if array.size and (array.min() < 0 or array.max() > 0xFFFFFFFF):
        raise ValueError("window: expected integers from 0 on")
    return _masks(_native.crop(_imported(col), array.astype(np.uint32), threads))


def resize(col: Any, height: int, width: int, *, threads: int = 1) -> RleColumn:
    """Every mask resized by nearest neighbour, as ``Rle.resize`` does it: on runs.

    Example:
        >>> resize(RleArray.from_rles([Rle.from_box((0, 0, 1, 2), (2, 2))]), 4, 4)[0].bbox
        (0, 0, 2, 4)
    """
    h, w = _whole((height, width), 2, "size")
    return _masks(_native.resize(_imported(col), h, w, threads))


def to_array(col: Any, *, nulls: _Nulls = "raise", threads: int = 1) -> RleArray:
    """The masks as a ``RleArray``.

    Args:
        col: masks, as Arrow data.
        nulls: "raise", or "empty" for a mask of 0 x 0 pixels in place of null.
        threads: 0 for as many as the machine has.

    Raises:
        DecodeError: bad counts; the row is named.
        ValueError: a null row.
    """
    data = _imported(col)
    sizes, valid = _native.shapes(data)
    _check_nulls(valid, nulls)
    runs, offsets = _native.runs(data, threads)
    return RleArray(runs, offsets, sizes)
