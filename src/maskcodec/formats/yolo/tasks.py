"""Rows of the tasks of Ultralytics: detection, segmentation, rotated boxes, poses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from maskcodec.formats._shared.lines import Line, decimal
from maskcodec.formats.yolo.common import NAMESPACE
from maskcodec.formats.yolo.rows import box_of, centred_texts, checked, corners_of, fractions, pixel, texts
from maskcodec.model.annotations import Annotation, Box, Polygon, Skeleton
from maskcodec.model.dataset import Item
from maskcodec.model.geometry import box_corners
from maskcodec.model.losses import LossReport

__all__ = ["PARSERS", "Row", "row_of"]

UNIT = (1, 1)
Row = Callable[[Line, Item, "tuple[int, int] | None"], Annotation]


def _size(item: Item) -> tuple[int, int]:
    return (item.width, item.height) if item.width and item.height else UNIT


def _columns(line: Line, wanted: str, *good: int) -> bool:
    """Whether a row has a track behind it; the number of columns is one of ``good`` or one more."""
    if len(line) in good:
        return False
    if len(line) - 1 in good:
        return True
    raise line.fault(f"expected {wanted}, got {len(line)} columns")


def _track(line: Line, annotation: Annotation) -> Annotation:
    annotation.track_id = line.whole(len(line) - 1, "track id")
    return annotation


def parse_detect(line: Line, item: Item, shape: tuple[int, int] | None) -> Annotation:
    """``c cx cy w h``, then a track id or a confidence."""
    more = _columns(line, "class, centre, width and height", 5)
    row = checked(line, 1, 5)
    if row[2] < 0 or row[3] < 0:
        raise line.fault(f"width and height are positive, got {row[2]} and {row[3]}")
    box = Box(*box_of(row, _size(item)))
    if more:
        last = line.real(5, "column 6")
        if last.is_integer() and "." not in line.fields[5]:
            return _track(line, box)
        box.score = last
    return box


def parse_segment(line: Line, item: Item, shape: tuple[int, int] | None) -> Annotation:
    """``c x1 y1 x2 y2 x3 y3 ...``, then a track id."""
    if len(line) < 7:
        raise line.fault(f"expected a class and at least 3 points, got {len(line)} columns")
    more = len(line) % 2 == 0
    size, row = _size(item), checked(line, 1, len(line) - more)
    points = [pixel(value, size[at % 2]) for at, value in enumerate(row)]
    ring = Polygon([np.array(points).reshape(-1, 2)])
    return _track(line, ring) if more else ring


def parse_obb(line: Line, item: Item, shape: tuple[int, int] | None) -> Annotation:
    """``c x1 y1 x2 y2 x3 y3 x4 y4``, then a track id."""
    more = _columns(line, "class and four corners", 9)
    box = Box(*corners_of(checked(line, 1, 9), _size(item)))
    return _track(line, box) if more else box


def parse_pose(line: Line, item: Item, shape: tuple[int, int] | None) -> Annotation:
    """``c cx cy w h``, then x, y and perhaps visibility of every point, then a track id."""
    count, dims = shape or ((len(line) - 5) // 3, 3)
    more = _columns(line, f"class, box and {count} points of {dims} numbers", 5 + count * dims)
    size, box = _size(item), checked(line, 1, 5)
    flat = checked(line, 5, 5 + count * dims)
    points = np.array(flat).reshape(count, dims)
    marks = [2] * count
    if dims == 3:
        marks = [int(v) if v in (0, 1, 2) else -1 for v in points[:, 2]]
        if -1 in marks:
            bad = marks.index(-1)
            raise line.fault(f"visibility is 0, 1 or 2, got {points[bad, 2]}", f"point {bad + 1}")
    xy = np.array([[pixel(x, size[0]), pixel(y, size[1])] for x, y in points[:, :2].tolist()]).reshape(-1, 2)
    skeleton = Skeleton(xy, marks)
    sides = box_of(box, size)
    if sides != hull(skeleton):
        skeleton.extras[NAMESPACE] = {"bbox": list(sides)}
    return _track(line, skeleton) if more else skeleton


PARSERS: dict[str, Row] = {
    "detect": parse_detect, "segment": parse_segment, "obb": parse_obb, "pose": parse_pose,
}  # fmt: skip


def hull(skeleton: Skeleton) -> tuple[float, ...]:
    """The box around the points that are there."""
    marks = skeleton.visibility or [2] * len(skeleton.xy)
    seen = skeleton.xy[[mark > 0 for mark in marks]] if len(marks) else skeleton.xy
    if not len(seen):
        return (0.0, 0.0, 0.0, 0.0)
    return (*map(float, seen.min(axis=0)), *map(float, seen.max(axis=0)))


class _Writer:
    """Turns annotations into rows; what cannot come back exactly goes to the report."""

    def __init__(self, item: Item, report: LossReport, decimals: int | None, shape: tuple[int, int] | None) -> None:
        self.item, self.report, self.decimals, self.shape = item, report, decimals, shape
        self.size = _size(item)

    def _texts(
        self, values: list[float], same: Callable[[list[float]], bool], annotation: Annotation, *fields: str
    ) -> list[str]:
        return self._told(*texts(values, same, self.decimals), annotation, *fields)

    def _told(self, out: list[str], exact: bool, annotation: Annotation, *fields: str) -> list[str]:
        if not exact:
            for name in fields:
                self.report.approximate(self.item, annotation, name, "rounded to fractions of the image size")
        return [decimal(float(text)) if self.decimals is None else text for text in out]

    def centred(self, sides: Any, annotation: Annotation, *fields: str) -> list[str]:
        """Centre and size of a box."""
        return self._told(*centred_texts(sides, self.size, self.decimals), annotation, *fields)

    def detect(self, box: Any) -> list[str]:
        return self.centred((box.x0, box.y0, box.x1, box.y1), box, "x0", "y0", "x1", "y1")

    def segment(self, polygon: Any) -> list[str]:
        flat = polygon.rings[0].ravel().tolist()
        return self._texts(fractions(flat, self.size), lambda row: self._points(row) == flat, polygon, "rings")

    def _points(self, row: list[float]) -> list[float]:
        return [pixel(value, self.size[at % 2]) for at, value in enumerate(row)]

    def obb(self, box: Any) -> list[str]:
        flat = box_corners(box).ravel().tolist()
        wanted = (box.x0, box.y0, box.x1, box.y1, box.rotation)
        fields = ("x0", "y0", "x1", "y1", "rotation")
        return self._texts(fractions(flat, self.size), lambda row: corners_of(row, self.size) == wanted, box, *fields)

    def pose(self, skeleton: Any, named: bool) -> list[str]:
        count, dims = self.shape or (len(skeleton.xy), 3)
        sides = skeleton.extras.get(NAMESPACE, {}).get("bbox") or hull(skeleton)
        flat = skeleton.xy.ravel().tolist()
        rows = self._texts(fractions(flat, self.size), lambda row: self._points(row) == flat, skeleton, "xy")
        marks = list(skeleton.visibility or [2] * len(skeleton.xy)) + [0] * (count - len(skeleton.xy))
        rows += ["0", "0"] * (count - len(skeleton.xy))
        if len(skeleton.xy) < count and not named:
            for name in ("xy", "visibility"):
                text = "filled up to the number of points that all rows have"
                self.report.approximate(self.item, skeleton, name, text)
        out = self.centred(sides, skeleton)
        for at in range(count):
            out += rows[2 * at : 2 * at + 2] + ([str(marks[at])] if dims == 3 else [])
        return out


def row_of(
    task: str, annotation: Annotation, item: Item, report: LossReport, decimals: int | None,
    shape: tuple[int, int] | None, named: bool,
) -> list[str]:  # fmt: skip
    """The columns of a row behind the class; ``named``: the category says how many points there are."""
    writer = _Writer(item, report, decimals, shape)
    if task == "pose":
        return writer.pose(annotation, named)
    return list(getattr(writer, task)(annotation))
