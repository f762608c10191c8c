"""One line of a KITTI label file, in and out.

Source: readme of the KITTI object development kit. Columns are counted from the right, because labels may hold blanks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import cos, isfinite, pi, sin
from typing import Any

from maskcodec.errors import shorten
from maskcodec.formats._shared.lines import NUMBER, Line, decimal
from maskcodec.model.annotations import Box, Cuboid
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["ATTRIBUTES", "COLUMNS", "NAMESPACE", "box_of", "cuboid_of", "fields_of", "label_of", "row_of"]

NAMESPACE = "kitti"
COLUMNS = ("truncated", "occluded", "alpha", "left", "top", "right", "bottom", "height", "width", "length",
           "x", "y", "z", "rotation_y", "score")  # fmt: skip
ATTRIBUTES = frozenset(("truncated", "occluded", "alpha", "dimensions", "location", "rotation_y", "ignore"))
_UNKNOWN = {"alpha": [-10.0], "dimensions": [-1.0] * 3, "location": [-1000.0] * 3, "rotation_y": [-10.0]}
_PLACES = {"alpha": (2, 3), "dimensions": (7, 10), "location": (10, 13), "rotation_y": (13, 14)}
_INTEGER = re.compile("[-+]?[0-9]+")


def _numeric(text: str) -> bool:
    return NUMBER.fullmatch(text) is not None and isfinite(float(text))


def fields_of(line: Line, *, short: bool = False) -> tuple[str, list[str]]:
    """Label and columns of a line.

    Args:
        line: the line.
        short: accept as few as 8 columns, the label included.

    Raises:
        FormatError: too few or too many numbers, or the columns of the tracking task.
    """
    words = line.fields
    count = 0
    for word in reversed(words):
        if not _numeric(word):
            break
        count += 1
    if count == len(words) and count in (15, 16):
        count -= 1
    names = words[: len(words) - count]
    if len(names) > 2 and count in (14, 15) and all(_INTEGER.fullmatch(word) for word in names[:2]):
        raise line.fault("a line of the tracking task (frame, track, type...), which is not supported")
    if count > 15 and names:
        if not short:
            raise line.fault(f"expected 15 or 16 columns, got {count} numbers at the end: the label ends in a number")
        names, count = words[:-14], 14
    if not names or count < 14:
        bad = next((word for word in reversed(words) if not _numeric(word)), "")
        if not names or not short or count < 7 or any(map(_numeric, names[1:])):
            raise line.fault(f"expected 15 or 16 columns, got {len(words)}; {shorten(bad)} is no number" if bad
                             else f"expected 15 or 16 columns, got {len(words)}")  # fmt: skip
    return " ".join(names), words[len(names) :]


def box_of(line: Line, label: str, texts: list[str], category_id: int) -> Box:
    """The box of a line; what its numbers say beyond flags and sides is in attributes.

    Raises:
        FormatError: sides in the wrong order, a level or share that is none.
    """
    row = list(map(float, texts))
    share, level = row[0], row[1]
    if not (share == -1 or 0 <= share <= 1):
        raise line.fault(f"expected -1 or 0 to 1, got {texts[0]}", "truncated")
    if level not in (-1, 0, 1, 2, 3):
        raise line.fault(f"expected -1, 0, 1, 2 or 3, got {texts[1]}", "occluded")
    x0, y0, x1, y1 = row[3:7]
    if x1 < x0:
        raise line.fault(f"right {texts[5]} is less than left {texts[3]}", "right")
    if y1 < y0:
        raise line.fault(f"bottom {texts[6]} is less than top {texts[4]}", "bottom")
    box = Box(x0, y0, x1, y1, category_id=category_id, truncated=share > 0, occluded=level in (1, 2))
    attributes: dict[str, Any] = {}
    if share not in (0, 1):
        attributes["truncated"] = share
    if level not in (0, 1):
        attributes["occluded"] = int(level)
    if len(row) >= 14:
        blank = row[7:10] == [-1, -1, -1]
        if row[2] != -10 and not (row[2] == -1 and blank):
            attributes["alpha"] = row[2]
        if not blank:
            attributes["dimensions"] = row[7:10]
        if row[10:13] != [-1000] * 3 and not (blank and row[10:13] == [-1] * 3):
            attributes["location"] = row[10:13]
        if row[13] != -10 and not (row[13] == -1 and blank):
            attributes["rotation_y"] = row[13]
        if len(row) > 14:
            box.score = row[14]
    elif row[2] not in (-1, -10):
        attributes["alpha"] = row[2]
    if label == "DontCare":
        attributes["ignore"] = True
    box.attributes = attributes
    box.extras = {NAMESPACE: {"#columns": texts}}
    return box


def cuboid_of(box: Box) -> Cuboid | None:
    """The object in camera coordinates (x right, y down, z forward), in metres; None when they are not known.

    KITTI gives the middle of its bottom and a turn about the axis down; a cuboid has its centre, its height upwards.
    """
    size, place, turn = (box.attributes.get(name) for name in ("dimensions", "location", "rotation_y"))
    if size is None or place is None or turn is None:
        return None
    (h, w, long), (x, y, z), half = size, place, turn / 2
    s = sin(pi / 4)
    quaternion = (cos(half) * s, sin(half) * s, -sin(half) * s, cos(half) * s)
    return Cuboid((x, y - h / 2, z), (long, w, h), -turn, quaternion, category_id=box.category_id)


def label_of(name: str) -> str:
    """A label as a line can hold it.

    Raises:
        ValueError: reading would not give it back.
    """
    words = name.split()
    if " ".join(words) != name or not words:
        raise ValueError(f"label {shorten(name)} cannot be written in a line; blanks='replace' changes it")
    if len(words) > 1 and (_numeric(words[-1]) or all(_INTEGER.fullmatch(word) for word in words[:2])):
        raise ValueError(f"label {shorten(name)} would be read as columns; blanks='replace' changes it")
    return name


def row_of(item: Item, box: Box, label: str, report: LossReport, cvat: bool) -> str:
    """The line of a box; numbers that are as they were read keep their texts.

    Args:
        item: for the report.
        box: without rotation.
        label: as it is written.
        report: hears of values that a line cannot hold.
        cvat: everything unknown is -1, and there is a score.
    """
    stored = box.extras.get(NAMESPACE, {}).get("#columns", ())
    sides = [box.x0, box.y0, box.x1, box.y1]
    if cvat:
        values = [float(box.truncated), float(box.occluded), -1.0, *sides, *[-1.0] * 7]
    else:
        values = [*_flags(item, box, report), -10.0, *sides, *[0.0] * 7]
        for name, (first, stop) in _PLACES.items():
            values[first:stop] = _measures(item, box, name, stored, report)
        if values[7:10] == [-1] * 3:
            for name, (first, stop) in _PLACES.items():
                if name in box.attributes and set(values[first:stop]) == {-1}:
                    text = "-1 means unknown where the dimensions are unknown"
                    report.approximate(item, box, f"attributes.{name}", text)
    if box.score is not None or cvat:
        values.append(1.0 if box.score is None else box.score)
        if box.score is None:
            report.default(item, box, "score", "CVAT writes a score")
    texts = [stored[at] if at < len(stored) and float(stored[at]) == v else decimal(v) for at, v in enumerate(values)]
    ignore = box.attributes.get("ignore")
    if not cvat and (ignore is True) != (label == "DontCare"):
        report.approximate(item, box, "attributes.ignore", "told by the label DontCare alone")
    return f"{label} {' '.join(texts)}\n"


def _measures(item: Item, box: Box, name: str, stored: Sequence[str], report: LossReport) -> list[float]:
    """Columns of an attribute; unknown in the way that was read, else in that of KITTI."""
    (first, stop), unknown, given = _PLACES[name], _UNKNOWN[name], box.attributes.get(name)
    row: list[Any] = given if isinstance(given, list) else [given]
    if given is not None:
        if len(row) == stop - first and row != unknown and all(type(v) in (int, float) and isfinite(v) for v in row):
            return [float(value) for value in row]
        report.approximate(item, box, f"attributes.{name}", "not what the column holds, left as unknown")
    return [float(text) for text in stored[first:stop]] if _unknown(stored, name) else unknown


def _unknown(stored: Sequence[str], name: str) -> bool:
    """Whether the columns that were read say that a value is not known, in whatever way."""
    first, stop = _PLACES[name]
    if len(stored) < 14:
        return False
    row = list(map(float, stored[first:stop]))
    return row == _UNKNOWN[name] or (set(row) == {-1.0} and list(map(float, stored[7:10])) == [-1.0] * 3)


def _flags(item: Item, box: Box, report: LossReport) -> tuple[float, float]:
    """Columns ``truncated`` and ``occluded``: the attributes where they say more than the flags and agree with them."""
    share, level = float(box.truncated), float(box.occluded)
    for name, flag in (("truncated", box.truncated), ("occluded", box.occluded)):
        if name not in box.attributes:
            continue
        value = box.attributes[name]
        good = type(value) in (int, float)
        if name == "truncated":
            good = good and (value == -1 or 0 < value < 1) and (value > 0) == flag
            share = float(value) if good else share
        else:
            good = good and value in (-1, 2, 3) and (value == 2) == flag and type(value) is int
            level = float(value) if good else level
        if not good:
            report.approximate(item, box, f"attributes.{name}", "told by the flag of this name")
    return share, level
