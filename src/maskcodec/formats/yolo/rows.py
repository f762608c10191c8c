"""Rows of label files: fractions of the image size to pixels and back.

A fraction of 6 or 16 digits times a width is a pixel value with noise behind it: pixel values are taken to 9 decimals,
which is far below what any tool means and makes whole pixels whole again. Writers choose the fewest decimals that lead
back to the same pixel values and report where none do.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

import numpy as np

from maskcodec.formats._shared.lines import Line, plain_rows
from maskcodec.model.geometry import box_of_corners

__all__ = ["Size", "box_of", "category", "centred_texts", "checked", "corners_of", "fractions", "outside", "pixel",
           "plain_boxes", "rounded", "texts"]  # fmt: skip

Size = tuple[int, int]
DECIMALS = (6, 9, 12, 15, 18)
_SCALES = [10.0**digits for digits in range(16)]  # exact
LOOSE = (-0.01, 1.01)


def rounded(value: float, digits: int) -> float:
    """``round(value, digits)``, mostly without its way through a decimal text; no negative zero.

    Scaled, the number is off by less than a thousandth below 2^43, so a fraction that is not near a half decides as the
    number itself would, and a whole number of less than 2^53 divided by a power of ten is the decimal's nearest float.
    """
    if digits > 15:
        return round(value, digits) + 0.0
    scaled = value * _SCALES[digits]
    if -8e12 < scaled < 8e12:
        whole = round(scaled)
        if -0.499 < scaled - whole < 0.499:
            return whole / _SCALES[digits]
    return round(value, digits) + 0.0


def pixel(fraction: float, length: int) -> float:
    """A fraction of a length in pixels."""
    return rounded(fraction * length, 9)


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


def centred_texts(sides: Sequence[float], size: Size, decimals: int | None = None) -> tuple[list[str], bool]:
    """Centre and size of a box as ``texts``, tried without making texts that are of no use."""
    (x0, y0, x1, y1), (width, height) = sides, size
    fx, fy, gx, gy = x0 / width, y0 / height, x1 / width, y1 / height
    cx, cy, w, h = (fx + gx) / 2, (fy + gy) / 2, gx - fx, gy - fy
    exact, tries = False, (decimals,) if decimals is not None else DECIMALS
    for digits in tries:
        if digits == 15 and not all(rounded(side, 9) == side for side in sides):
            continue  # no decimals lead back to more than 9 of them
        centre, half = rounded(cx, digits), rounded(w, digits) / 2  # the number that the text will be read as
        if rounded((centre - half) * width, 9) != x0 or rounded((centre + half) * width, 9) != x1:
            continue
        centre, half = rounded(cy, digits), rounded(h, digits) / 2
        exact = rounded((centre - half) * height, 9) == y0 and rounded((centre + half) * height, 9) == y1
        if exact:
            break
    return [f"{value:.{digits}f}" for value in (cx, cy, w, h)], exact


def plain_boxes(data: bytes, known: Container[int], size: Size) -> list[tuple[int, float, float, float, float]] | None:
    """Class and sides of boxes, of a file in which nothing is to be told about any row.

    Args:
        data: the file, rows of class, centre and size.
        known: classes.
        size: of the image; (1, 1) keeps fractions.

    Returns:
        The boxes; None where a row is to be looked at: it has other columns, lies outside, stands twice...
    """
    rows = plain_rows(data)
    if rows is None:
        return None
    (low, high), (width, height) = LOOSE, size
    out, seen = [], set()
    try:
        for fields in rows:
            row = number, cx, cy, w, h = tuple(map(float, fields))
            if not (low <= cx <= high and low <= cy <= high and 0 < w <= high and 0 < h <= high):
                return None
            kind = int(number)
            if kind != number or kind not in known:
                return None
            seen.add(row)
            w, h = w / 2, h / 2
            sides = pixel(cx - w, width), pixel(cy - h, height), pixel(cx + w, width), pixel(cy + h, height)
            out.append((kind, *sides))
    except (ValueError, OverflowError):
        return None
    return out if len(seen) == len(out) else None
