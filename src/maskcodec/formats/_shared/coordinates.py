"""Coordinates for formats that hold fewer of them: whole pixels, none below 0."""

from __future__ import annotations

from math import floor
from typing import Any

import numpy as np

from maskcodec.formats._shared.carry_whole import clone
from maskcodec.model.annotations import Annotation, Box, Points, Polygon, Polyline
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["not_below_zero", "rounded"]


def _with(annotation: Annotation, **values: Any) -> Annotation:
    copy = clone(annotation)
    for name, value in values.items():
        setattr(copy, name, value)
    return copy


def rounded(annotation: Annotation) -> Annotation:
    """The annotation with coordinates in whole pixels, halves up; the same object where they are so already.

    A box stays at least a pixel wide and high.
    """
    if isinstance(annotation, Box):
        x0, y0, x1, y1 = (floor(v + 0.5) for v in (annotation.x0, annotation.y0, annotation.x1, annotation.y1))
        x1, y1 = max(x1, x0 + 1), max(y1, y0 + 1)
        if (x0, y0, x1, y1) == (annotation.x0, annotation.y0, annotation.x1, annotation.y1):
            return annotation
        return _with(annotation, x0=x0, y0=y0, x1=x1, y1=y1)
    if isinstance(annotation, Polygon):
        rings = [np.floor(ring + 0.5) for ring in annotation.rings]
        if all(np.array_equal(a, b) for a, b in zip(rings, annotation.rings, strict=True)):
            return annotation
        return _with(annotation, rings=rings)
    if isinstance(annotation, Points):
        xy = np.floor(annotation.xy + 0.5)
        if np.array_equal(xy, annotation.xy):
            return annotation
        return _with(annotation, xy=xy)
    return annotation


def not_below_zero(annotation: Annotation, item: Item, report: LossReport) -> bool:
    """For formats without negative coordinates and boxes without extent: move a copy to 0, and report it.

    Returns:
        Whether anything is left; reported if not.
    """
    changed: list[str] = []
    if isinstance(annotation, Box):
        for name in ("x0", "y0", "x1", "y1"):
            if getattr(annotation, name) < 0:
                setattr(annotation, name, 0)
                changed.append(name)
        if annotation.x0 >= annotation.x1 or annotation.y0 >= annotation.y1:
            report.drop(item, annotation, "", "the box has no extent at coordinates above 0")
            return False
    elif isinstance(annotation, Polygon) and any((ring < 0).any() for ring in annotation.rings):
        annotation.rings = [np.maximum(ring, 0) for ring in annotation.rings]
        changed.append("rings")
    elif isinstance(annotation, Points) and (annotation.xy < 0).any():
        annotation.xy = np.maximum(annotation.xy, 0)
        changed.append("xy")
    elif isinstance(annotation, Polyline) and (annotation.points < 0).any():
        annotation.points = np.maximum(annotation.points, 0)
        changed.append("points")
    for name in changed:
        report.approximate(item, annotation, name, "coordinates below 0 moved to 0")
    return True
