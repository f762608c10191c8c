"""Ids and colours in image files, label maps, and painting masks onto a canvas.

Ids are 2-D arrays ``(h, w)`` of any integer type, byte order and strides, read by value; nested lists of integers are
taken too. Floats and booleans are a ``TypeError``. A value that does not fit its packing is a ``ValueError`` that names
the first such value and its pixel: nothing is wrapped or clipped. Images are 8-bit ``(h, w, 3)`` or ``(h, w, 4)``
arrays of any strides.
"""

from __future__ import annotations

from typing import Any, Final, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from maskcodec._native import raster

__all__ = [
    "Painter",
    "colors_to_index",
    "index_to_colors",
    "label_map_to_runs",
    "pack_ids",
    "pack_instances",
    "unpack_ids",
    "unpack_instances",
    "voc_palette",
]

Layout = Literal["segments", "panoptic"]
IntArray = NDArray[np.integer[Any]]

_CHANNELS: Final = {"segments": 4, "panoptic": 3}


def pack_ids(ids: ArrayLike, layout: Layout = "segments") -> NDArray[np.uint8]:
    """Write ids into colour channels: ``id = R + 256 * G + 65536 * B``.

    Args:
        ids: ``(h, w)`` integers in 0..2^24-1.
        layout: ``"segments"`` for the RGBA bitmap of Segments.ai (alpha 255), ``"panoptic"`` for the RGB image of COCO
            panoptic.

    Returns:
        ``(h, w, 4)`` or ``(h, w, 3)`` uint8, C order.

    Raises:
        ValueError: an id outside 0..2^24-1, another number of dimensions, an unknown layout.
        TypeError: ids that are not integers.

    >>> pack_ids([[1, 256], [66051, 16777215]], "panoptic").tolist()
    [[[1, 0, 0], [0, 1, 0]], [[3, 2, 1], [255, 255, 255]]]
    """
    return raster.pack_ids(np.asarray(ids), _channels(layout))


def unpack_ids(image: ArrayLike, layout: Layout | None = None) -> NDArray[np.uint32]:
    """Read ids from colour channels; the way back from :func:`pack_ids`.

    Args:
        image: ``(h, w, 3)`` or ``(h, w, 4)`` uint8. A fourth channel is never part of the id, whatever its value.
        layout: both layouts read alike, with or without alpha; the name is only checked.

    Returns:
        ``(h, w)`` uint32.

    Raises:
        ValueError: another shape, an unknown layout.
        TypeError: another dtype than uint8.

    >>> unpack_ids(pack_ids([[7, 70000]])).tolist()
    [[7, 70000]]
    """
    if layout is not None:
        _channels(layout)
    return raster.unpack_ids(np.asarray(image))


def pack_instances(classes: ArrayLike, instances: ArrayLike, factor: int = 1000) -> NDArray[np.uint16]:
    """Combine class and instance numbers as ``class * factor + instance`` in 16 bits.

    Factor 1000 is the packing of MOTS and Cityscapes, 256 that of KITTI. The two inputs broadcast, so one class for the
    whole map can be given as a number.

    Args:
        classes: ``(h, w)`` integers, or one.
        instances: ``(h, w)`` integers in 0..factor-1, or one.
        factor: 1..65536.

    Returns:
        ``(h, w)`` uint16.

    Raises:
        ValueError: an instance that would spill into the class, a negative number, a result above 65535, shapes that do
            not fit.
        TypeError: numbers that are not integers.

    >>> pack_instances([[1, 2], [26, 10]], [[5, 1], [1, 0]]).tolist()
    [[1005, 2001], [26001, 10000]]
    >>> pack_instances(26, [[1]], factor=256).tolist()
    [[6657]]
    """
    first, second = np.broadcast_arrays(np.asarray(classes), np.asarray(instances))
    return raster.pack_instances(first, second, factor)


def unpack_instances(words: ArrayLike, factor: int = 1000) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Split ``class * factor + instance`` into classes and instances, both ``(h, w)`` uint16.

    Args:
        words: ``(h, w)`` integers in 0..65535.
        factor: 1000 for MOTS and Cityscapes, 256 for KITTI.

    Raises:
        ValueError: a value outside 0..65535.
        TypeError: values that are not integers.

    >>> classes, instances = unpack_instances([[1005, 10000]])
    >>> classes.tolist(), instances.tolist()
    ([[1, 10]], [[5, 0]])
    """
    return raster.unpack_instances(np.asarray(words), factor)


def voc_palette(count: int = 256, *, background: bool = True) -> NDArray[np.uint8]:
    """The Pascal VOC colour map, ``(count, 3)`` uint8 RGB; without ``background`` it starts at the entry of index 1.

    >>> voc_palette(4).tolist()
    [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    """
    first = 0 if background else 1
    return raster.voc_palette(count + first)[first:]


def index_to_colors(indices: ArrayLike, palette: ArrayLike) -> NDArray[np.uint8]:
    """Paint class indices with the colours of a palette.

    Args:
        indices: ``(h, w)`` integers in 0..len(palette)-1.
        palette: ``(n, 3)`` integers in 0..255, RGB.

    Returns:
        ``(h, w, 3)`` uint8.

    Raises:
        ValueError: an index beyond the palette, a palette of another shape or range.
        TypeError: indices or colours that are not integers.

    >>> index_to_colors([[0, 1]], voc_palette(2)).tolist()
    [[[0, 0, 0], [128, 0, 0]]]
    """
    return raster.colorize(np.asarray(indices), _palette(palette))


def colors_to_index(image: ArrayLike, palette: ArrayLike) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Find the palette index of every pixel's colour; the way back from :func:`index_to_colors`.

    Args:
        image: ``(h, w, 3)`` or ``(h, w, 4)`` uint8; alpha is ignored.
        palette: ``(n, 3)`` integers in 0..255, n at most 65536. Where a colour occurs twice its first index counts.

    Returns:
        ``(h, w)`` uint8, or uint16 for palettes of more than 256 colours.

    Raises:
        ValueError: a colour that is not in the palette (it is named with its pixel), a palette of another shape or
            range.
        TypeError: an image of another dtype, colours that are not integers.

    >>> colors_to_index(np.array([[[0, 128, 0], [128, 0, 0]]], np.uint8), voc_palette()).tolist()
    [[2, 1]]
    """
    colors = _palette(palette)
    index = raster.colors_to_index(np.asarray(image), colors)
    return index.astype(np.uint8) if len(colors) <= 256 else index


def label_map_to_runs(
    labels: ArrayLike, background: int | None = None
) -> tuple[IntArray, NDArray[np.uint32], NDArray[np.uint64]]:
    """Split a label map into the masks of its values, in one pass whatever their number.

    Args:
        labels: ``(h, w)`` integers of up to 64 bits, at most 2^31-1 pixels.
        background: a value to leave out.

    Returns:
        ``(ids, runs, offsets)``: the distinct values in ascending order and of the map's type;
        ``runs[offsets[i]:offsets[i + 1]]`` are the column-major runs of ``ids[i]``, background first.

    Raises:
        ValueError: another number of dimensions, too many pixels, a background outside the map's type.
        TypeError: labels that are not integers.

    >>> ids, runs, offsets = label_map_to_runs([[0, 3], [5, 3]], background=0)
    >>> ids.tolist(), runs.tolist(), offsets.tolist()
    ([3, 5], [2, 2, 1, 1, 2], [0, 2, 5])
    """
    return raster.split_labels(np.asarray(labels), background)


class Painter:
    """A canvas that masks are painted onto as values, later ones over earlier ones.

    Keep one for a series of images of one size: :meth:`clear` starts the next image without new memory. The work per
    mask follows its outline and its own pixels, not the canvas.

    Args:
        shape: height and width.
        dtype: integers of 8 to 64 bits.
        background: the value of unpainted pixels.
        out: paint onto this array instead, from what it holds: ``(h, w)`` integers, writable, the pixels of a row side
            by side. ``dtype`` and ``background`` are not used then.

    >>> painter = Painter((2, 3), dtype="uint8")
    >>> painter.paint(np.array([2, 2, 2], np.uint32), 7)
    >>> painter.array.tolist()
    [[0, 7, 0], [0, 7, 0]]
    """

    __slots__ = ("_native", "shape")

    def __init__(
        self, shape: tuple[int, int], dtype: DTypeLike = np.uint32, background: int = 0, *, out: IntArray | None = None
    ) -> None:
        height, width = shape
        if out is None:
            self._native = raster.Painter(height, width, np.dtype(dtype), background)
        else:
            if out.shape != (height, width):
                raise ValueError(f"out: expected shape {(height, width)}, got {out.shape}")
            self._native = raster.Painter.over(out)
        self.shape = (height, width)

    @property
    def array(self) -> IntArray:
        """The canvas itself, not a copy: it changes with the next call."""
        return self._native.array

    def paint(self, mask: Any, value: int) -> None:
        """Set the mask's pixels to ``value``.

        Args:
            mask: an ``Rle``, or canonical column-major runs as a uint32 array.
            value: an integer that the canvas can hold.

        Raises:
            ValueError: a mask of another shape, runs that are not canonical or do not add up, a value out of range.
        """
        shape = getattr(mask, "shape", None)
        runs = getattr(mask, "runs", mask)
        if runs is not mask and shape != self.shape:
            raise ValueError(f"a mask of shape {shape} does not fit a canvas of shape {self.shape}")
        self._native.paint(cast("NDArray[np.uint32]", runs), value)

    def paint_many(self, runs: NDArray[np.uint32], offsets: IntArray, values: ArrayLike) -> None:
        """Paint a packed batch in order: mask i has ``runs[offsets[i]:offsets[i + 1]]`` and gets ``values[i]``.

        Everything is checked before the first pixel changes. Raises as :meth:`paint` does.
        """
        self._native.paint_many(runs, offsets, np.asarray(values))

    def clear(self, background: int = 0) -> None:
        """Set every pixel to ``background``."""
        self._native.clear(background)


def _channels(layout: str) -> int:
    if layout not in _CHANNELS:
        raise ValueError(f"layout: expected 'segments' or 'panoptic', got {layout!r}")
    return _CHANNELS[layout]


def _palette(palette: ArrayLike) -> NDArray[np.uint8]:
    colors = np.asarray(palette)
    if colors.dtype.kind not in "iu":
        raise TypeError(f"palette: expected integers, got dtype {colors.dtype}")
    if colors.ndim != 2 or colors.shape[1] != 3:
        raise ValueError(f"palette: expected shape (n, 3), got {colors.shape}")
    if colors.size and (colors.min() < 0 or colors.max() > 255):
        raise ValueError("palette: expected colours in 0..255")
    return np.ascontiguousarray(colors, dtype=np.uint8)
