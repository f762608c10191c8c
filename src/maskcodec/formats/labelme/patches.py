"""Masks of labelme: a PNG of the image size (XML), or a PNG patch in base64, placed by its corners (JSON)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.images import read_png
from maskcodec.formats._shared.maskpng import read_mask
from maskcodec.formats._shared.source import Source
from maskcodec.masks import Rle
from maskcodec.model.dataset import Item

__all__ = ["fault", "from_base64", "mask_of", "placed_mask"]


def fault(message: str, file: str, record: str, field: str = "") -> FormatError:
    """The error for a shape."""
    return FormatError(message, file=file, record=record, field=field)


def placed_mask(
    value: Any, xy: np.ndarray[Any, Any], item: Item, source: Source, file: str, record: str
) -> Rle:
    """The mask of the whole image: the patch with its first corner at the rounded first point.

    Raises:
        FormatError: no base64, no PNG, or the size of the image is unknown.
    """
    if item.width is None or item.height is None:
        raise fault("the size of the image is unknown, so is that of the mask", file, record, "mask")
    pixels, _, palette = read_png(from_base64(value, file, record, "mask"), file)
    if palette is not None:
        pixels = palette[pixels]
    patch = (pixels.reshape(*pixels.shape[:2], -1) != 0).any(axis=2)
    x, y = (int(np.floor(v + 0.5)) for v in xy[0])
    if np.array_equal(xy, np.floor(xy)):
        width, height = int(xy[1, 0] - xy[0, 0]) + 1, int(xy[1, 1] - xy[0, 1]) + 1
        if patch.shape != (height, width):
            text = "a patch and its corners differ in size: the smaller counts"
            source.report.approximate(item, "mask", "points", text)
            patch = patch[: max(height, 0), : max(width, 0)]
    whole = Rle.from_mask(patch)
    placed = whole.place(x, y, (item.height, item.width))
    if placed.area != whole.area:
        text = "pixels of a mask outside of the image are cut"
        source.report.unread(item, "mask", "mask", text, count=whole.area - placed.area)
    return placed


def from_base64(value: Any, file: str, record: str, field: str) -> bytes:
    """Bytes out of base64."""
    try:
        if not isinstance(value, str):
            raise ValueError("not a text")
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise fault(f"expected base64, got {shorten(value)} ({error})", file, record, field) from error


def mask_of(data: bytes, file: str, threshold: int = 1) -> Rle:
    """The mask in a PNG: pixels with a channel of at least ``threshold``, on a scale of 0 to 255.

    An alpha channel counts as a channel (alone, where the threshold is above 1), unless it is 255 everywhere.
    """
    plain = read_mask(data, file) if threshold == 1 else None
    if plain is not None:
        return plain[0]
    pixels, header, palette = read_png(data, file)
    if palette is not None:
        pixels = palette[pixels]
    elif header.depth < 8:
        pixels = pixels * (255 // (2**header.depth - 1))
    if header.color_type in (4, 6) and pixels.size:
        solid = int(pixels[..., -1].min()) == 255
        pixels = pixels[..., :-1] if solid else pixels[..., -1] if threshold > 1 else pixels
    marked = np.asarray(pixels >= threshold)
    return Rle.from_mask(np.asarray(marked.any(axis=2)) if marked.ndim == 3 else marked)
