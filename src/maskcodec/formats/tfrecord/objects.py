"""What a record says of an object beside its box: flags, numbers, a mask."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskcodec.formats._shared.images import read_png
from maskcodec.formats._shared.maskpng import read_mask
from maskcodec.masks import Rle
from maskcodec.model.annotations import Annotation
from maskcodec.model.dataset import Item

__all__ = ["EXTRA", "FLAGS", "masks_of", "set_flags"]

FLAGS = {"is_crowd": "is_crowd", "truncated": "truncated", "occluded": "occluded"}
EXTRA = {"difficult": "int", "group_of": "int", "weight": "float"}


def set_flags(annotation: Annotation, get: dict[str, Any], i: int) -> None:
    """Flags and other numbers of an object."""
    for name, field in FLAGS.items():
        found = get.get(f"image/object/{name}", ())
        if len(found):
            setattr(annotation, field, bool(found[i]))
    for name, kind in EXTRA.items():
        found = get.get(f"image/object/{name}", ())
        if len(found):
            annotation.attributes[name] = bool(found[i]) if kind == "int" else float(found[i])


def masks_of(item: Item, found: Any, count: int, file: str) -> list[Rle | None]:
    """The mask of every object, None where it has none; an image of unknown size gets that of its masks.

    Raises:
        FormatError: a damaged PNG.
        ValueError: a mask of another size.
    """
    if not len(found):
        return [None] * count
    shape = (item.height or 0, item.width or 0)
    if isinstance(found, np.ndarray):
        return [Rle.from_mask(one != 0) for one in found.reshape(count, *shape)]
    out: list[Rle | None] = []
    for i, data in enumerate(found):
        if not data:
            out.append(None)
            continue
        rle = _png(data, f"{file}: image/object/mask {i}")
        if item.width is None or item.height is None:
            item.height, item.width = shape = rle.shape
        if rle.shape != shape:
            size = f"{rle.width} x {rle.height}"
            raise ValueError(f"image/object/mask: mask {i} has {size} pixels, the image {shape[1]} x {shape[0]}")
        out.append(rle)
    return out


def _png(data: bytes, file: str) -> Rle:
    plain = read_mask(data, file)
    if plain is not None:
        return plain[0]
    pixels = read_png(data, file)[0]
    return Rle.from_mask((pixels != 0).any(axis=2) if pixels.ndim == 3 else pixels)
