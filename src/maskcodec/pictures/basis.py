"""What a drawing stands on: the image or grey squares, in the size that was asked for; and what it has to say."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np

from maskcodec.errors import FormatError
from maskcodec.model.annotations import Annotation, Mask
from maskcodec.model.dataset import Dataset, Item
from maskcodec.pictures import _pillow as pillow
from maskcodec.pictures.canvas import Canvas
from maskcodec.pictures.shapes import extent, is_finite

__all__ = ["Notes", "base", "line_width", "text_height"]

LARGEST, SMALL, ENLARGED = 4096, 200, 320


class Notes:
    """What is not in a picture, counted."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def __call__(self, text: str, count: int = 1) -> None:
        self._counts[text] += count

    def lines(self) -> list[str]:
        """One line a reason."""
        return [text if count == 1 else f"{text} ({count} times)" for text, count in self._counts.items()]


def line_width(canvas: Canvas, scale: float) -> float:
    """Width of lines that suits the size of the drawing."""
    return float(max(1, round(scale * max(canvas.width, canvas.height) ** 0.5 / 14)))


def text_height(canvas: Canvas, scale: float) -> int:
    """Height of text that suits the size of the drawing."""
    side: float = max(canvas.width, canvas.height) ** 0.5
    return max(6, round(scale * max(12.0, 0.55 * side)))


def base(
    item: Item, dataset: Dataset | None, image: Any, width: int | None, *, fit: bool, notes: Notes
) -> tuple[Canvas, Any]:
    """The ground to draw on, and how many of its pixels a pixel of the item is (float64 (2,))."""
    if width is not None and (type(width) is not int or width < 1):
        raise ValueError(f"width: expected a whole number above 0, got {width!r}")
    own = (item.width, item.height) if item.width and item.height and item.width > 0 < item.height else None
    name = str(item.path or item.id)
    photo, true = _photo(item, dataset, image, name, own, width)
    size = own or true
    if size is None:
        size = _guess(item.annotations)
        notes("the size is in no file: taken from the annotations")
    if true is not None and own is not None and true != own and not fit:
        raise FormatError(
            f"the image is {true[0]} x {true[1]} pixels, its annotations are made for {own[0]} x {own[1]} "
            "(fit=True scales it)", file=name,
        )  # fmt: skip
    target = _target(size, width)
    factor = np.array([target[0] / size[0], target[1] / size[1]])
    if photo is None:
        return Canvas.checker(target), factor
    Canvas.blank((1, 1)) if target[0] * target[1] < 2**20 else Canvas.blank(target)  # refuses what is too large
    return Canvas(pillow.fit(photo, target, exact=target[0] > photo.width and max(size) < SMALL)), factor


def _photo(
    item: Item, dataset: Dataset | None, image: Any, name: str, own: tuple[int, int] | None, width: int | None
) -> tuple[pillow.Bitmap | None, tuple[int, int] | None]:
    near = None
    if own is not None and width is not None and width < own[0]:
        near = (width, max(1, own[1] * width // own[0]))
    if image is None:
        stream = dataset.media.open_media(item) if dataset is not None and dataset.media is not None else None
        if stream is None:
            return None, None
        with stream:
            return pillow.load(stream, name, size=own, near=near)
    if image is False:
        return None, None
    if isinstance(image, (str, os.PathLike)):
        with Path(image).open("rb") as stream:
            return pillow.load(stream, os.fspath(image), size=own, near=near)
    return pillow.load(image, name, size=own, near=near)


def _target(size: tuple[int, int], width: int | None) -> tuple[int, int]:
    w, h = size
    longest = max(w, h)
    if width is not None:
        return width, max(1, round(h * width / w))
    if longest < SMALL:
        times = ENLARGED // longest
        return w * times, h * times
    if longest > LARGEST:
        return max(1, round(w * LARGEST / longest)), max(1, round(h * LARGEST / longest))
    return w, h


def _guess(annotations: Iterable[Annotation]) -> tuple[int, int]:
    w, h = 0.0, 0.0
    for a in annotations:
        if isinstance(a, Mask):
            w, h = max(w, a.rle.width), max(h, a.rle.height)
        elif is_finite(a) and (box := extent(a, np.ones(2))) is not None:
            w, h = max(w, box[2]), max(h, box[3])
    if w < 1 or h < 1:
        return 320, 240
    w, h = min(w, 1e5, 20 * h), min(h, 1e5, 20 * w)  # no picture is much longer than that
    return ceil(w * 1.04), ceil(h * 1.04)
