"""Rows of label files: fractions of the image size to pixels and back.

A fraction of 6 or 16 digits times a width is a pixel value with noise behind it: pixel values are taken to 9 decimals,
which is far below what any tool means and makes whole pixels whole again. Writers choose the fewest decimals that lead
back to the same pixel values and report where none do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from maskcodec.formats._shared.lines import Line
from maskcodec.model.geometry import box_of_corners

__all__ = ["Size", "box_of", "category", "checked", "corners_of", "fractions", "outside", "pixel", "texts"]

Size = tuple[int, int]
DECIMALS = (6, 9, 12, 15, 18)
LOOSE = (-0.01, 1.01)


def pixel(fraction: float, length: int) -> float:
    """A fraction of a length in pixels."""
    return round(fraction * length, 9)


def box_of(row: Sequence[float], size: Size) -> tuple[float, float, float, float]:
    """Centre and size as fractions to the four sides in pixels."""
    (cx, cy, w, h), (width, height) = row, size
    return (
        pixel(cx - w / 2, width), pixel(cy - h / 2, height), pixel(cx + w / 2, width), pixel(cy + h / 2, height)
    )  # fmt: skip


def corners_of(row: Sequence[float], size: Size) -> tuple[float, float, float, float, float]:
    """Four corners as fractions to a box and its rotation, taken from the first edge."""
    points = [pixel(value, size[at % 2]) for at, value in enumerate(row)]
    return box_of_corners(np.array(points).reshape(4, 2))


def category(line: Line, count: int) -> int:
    """The class of a row; an integral float is one."""
    number = line.whole(0, "class")
    if not 0 <= number < count:
        raise line.fault(f"class {number}, there are {count}", "class")
    return number


def checked(line: Line, first: int, last: int) -> list[float]:
    """Finite numbers out of a row."""
    return [line.real(at, f"column {at + 1}") for at in range(first, last)]


def outside(line: Line, count: int) -> bool:
    """Whether one of the first numbers behind the class is outside of the image; trainers refuse such rows."""
    return any(not LOOSE[0] <= float(text) <= LOOSE[1] for text in line.fields[1 : 1 + count])


def fractions(values: Sequence[float], size: Size) -> list[float]:
    """Pixel coordinates x, y, x, y... as fractions."""
    return [value / size[at % 2] for at, value in enumerate(values)]


def texts(
    values: Sequence[float], same: Callable[[list[float]], bool], decimals: int | None = None
) -> tuple[list[str], bool]:
    """Fractions as texts with the fewest decimals that mean the same, and whether they do.

    Args:
        values: the fractions.
        same: whether these numbers, as they will be read, lead back to what is written.
        decimals: as many, whatever becomes of it.
    """
    out: list[str] = []
    for digits in (decimals,) if decimals is not None else DECIMALS:
        out = [f"{value:.{digits}f}" for value in values]
        if same([float(text) for text in out]):
            return out, True
    return out, False
