"""Maps with one value a pixel: classes and objects in PNG files, by index, by palette or by colour.

Reading goes over regions, not pixels: one pass of the core splits a map into the masks of its values, and only these
few values are looked up. A colour is packed as R + 256 G + 65536 B.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError
from maskcodec.formats._shared.images import read_png, write_png
from maskcodec.idmaps import pack_ids, unpack_ids, voc_palette
from maskcodec.masks import Rle, RleArray
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Item

__all__ = ["BACKGROUND", "VOID", "ClassTable", "PixelMap", "color_of", "color_png", "joint", "packed", "paint",
           "read_map"]  # fmt: skip

BACKGROUND, VOID = -1, -2
_VOC = [tuple(color) for color in voc_palette(256).tolist()]


def packed(color: Sequence[int]) -> int:
    """A colour as one number."""
    return color[0] | color[1] << 8 | color[2] << 16


def color_of(value: int) -> tuple[int, int, int]:
    """The colour of a packed number."""
    return value & 255, value >> 8 & 255, value >> 16 & 255


class PixelMap(NamedTuple):
    """A map as it was read.

    Attributes:
        values: (H, W), indices or packed colours.
        kind: "index" (grey), "palette" (indices, with colours for them) or "color".
        depth: bits of a channel.
        palette: uint8 (n, 3) of kind "palette".
        file: for messages.
    """

    values: npt.NDArray[Any]
    kind: str
    depth: int
    palette: npt.NDArray[np.uint8] | None
    file: str

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.values.shape[0], self.values.shape[1]

    def regions(self) -> list[tuple[int, Rle]]:
        """Every value with its pixels, in ascending order."""
        ids, masks = RleArray.from_label_map(self.values, background=None)
        return list(zip(ids.tolist(), masks, strict=True))

    def fault(self, value: int, rle: Rle, message: str) -> FormatError:
        """The error for a value, naming it, its number of pixels and the first of them."""
        x, y = first_pixel(rle)
        shown = f"colour {color_of(value)}" if self.kind == "color" else f"value {value}"
        return FormatError(message, file=self.file, record=f"{shown} ({rle.area} pixels, first at ({x}, {y}))")


def first_pixel(rle: Rle) -> tuple[int, int]:
    """Column and row of the first pixel of a mask, column by column."""
    at = int(rle.runs[0])
    return at // rle.height, at % rle.height


def read_map(data: bytes, file: str) -> PixelMap:
    """Decode a PNG map without changing a value.

    Raises:
        FormatError: damaged, or with an alpha channel that is not 255 everywhere.
    """
    pixels, header, palette = read_png(data, file)
    if header.color_type in (4, 6):
        if pixels.size and int(pixels[..., -1].min()) != 255:
            raise FormatError("a map is opaque, its alpha channel is not 255 everywhere", file=file)
        pixels = np.ascontiguousarray(pixels[..., 0] if header.color_type == 4 else pixels[..., :3])
    if pixels.ndim == 3:
        return PixelMap(unpack_ids(pixels), "color", header.depth, None, file)
    return PixelMap(pixels, "palette" if palette is not None else "index", header.depth, palette, file)


def joint(first: PixelMap, second: PixelMap) -> list[tuple[int, int, Rle]]:
    """Every pair of values that two maps of one size have at the same pixel, with the pixels.

    Raises:
        FormatError: the sizes differ.
    """
    if first.shape != second.shape:
        (h, w), (height, width) = first.shape, second.shape
        raise FormatError(f"{w} x {h} pixels, but {second.file} has {width} x {height}", file=first.file)
    small = first.values.dtype == second.values.dtype == np.uint8
    bits = 8 if small else 32
    both: npt.NDArray[Any] = first.values.astype(np.uint16 if small else np.uint64)
    np.left_shift(both, both.dtype.type(bits), out=both)
    np.bitwise_or(both, second.values, out=both)
    ids, masks = RleArray.from_label_map(both, background=None)
    low = (1 << bits) - 1
    return [(value >> bits, value & low, rle) for value, rle in zip(ids.tolist(), masks, strict=True)]


class ClassTable:
    """What the values of a class map mean.

    Args:
        colors: of the classes, by index; None where one has no colour.
        background: index of the class that makes no object; None: none.
        declared: the colours come from a table; else a palette is not looked at, indices count.
    """

    def __init__(self, colors: Sequence[Any], background: int | None = None, *, declared: bool = True) -> None:
        self.count, self.background, self.declared = len(colors), background, declared
        self.by_color: dict[int, int] = {}
        self.twice: set[int] = set()
        for at, color in enumerate(colors):
            if color is not None and self.by_color.setdefault(packed(color), at) != at:
                self.twice.add(packed(color))

    def by_value(self, value: int) -> int | None:
        """Class of an index: its position, BACKGROUND, VOID, or None when there is none."""
        if value < self.count:
            return BACKGROUND if value == self.background else value
        return VOID if value == 255 and self.count < 256 else None

    def of_color(self, value: int) -> int | None:
        """Class of a packed colour: its position, BACKGROUND, VOID, or None when there is none."""
        at = self.by_color.get(value)
        if at is not None:
            return BACKGROUND if at == self.background else at
        return BACKGROUND if value == 0 else VOID if value == packed(_VOC[255]) else None

    def classes(self, image: PixelMap, values: Iterable[int]) -> tuple[dict[int, int | None], str]:
        """Class of every value of a map, and whether they were taken by "index" or by "color".

        A palette counts as colours where the table declares all of them, else as indices where they are the VOC
        colours of their indices.
        """
        used = set(values)
        if image.kind == "color":
            return {value: self.of_color(value) for value in used}, "color"
        plain = {value: self.by_value(value) for value in used}
        if image.palette is None or not self.declared:
            return plain, "index"
        colors = {value: tuple(image.palette[value].tolist()) for value in used}
        named = {value: self.of_color(packed(color)) for value, color in colors.items()}
        if None not in named.values():
            return named, "color"
        if None not in plain.values() and all(colors[value] == _VOC[value] for value in used):
            return plain, "index"
        return named, "color"

    def ambiguous(self, value: int, image: PixelMap) -> bool:
        """Whether several classes have the colour of a value (black excepted, which is background)."""
        if image.palette is not None:
            value = packed(image.palette[value].tolist())
        return value in self.twice and value != 0


def paint(item: Item, masks: Sequence[Mask], numbers: Sequence[int], dtype: Any) -> npt.NDArray[Any]:
    """Masks as numbers on one map of the size of the item, later ones over earlier ones."""
    shape = (item.height or 0, item.width or 0)
    rles = RleArray.from_rles([mask.rle for mask in masks])
    return rles.to_label_map(np.array(numbers, np.int64), dtype=dtype, shape=shape)


def color_png(item: Item, masks: Sequence[Mask], colors: Sequence[Sequence[int]], level: int = 3) -> bytes:
    """A PNG with three channels, each mask in its colour, black elsewhere."""
    values = paint(item, masks, [packed(color) for color in colors], np.uint32)
    return write_png(pack_ids(values, "panoptic"), level=level)
