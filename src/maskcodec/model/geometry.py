"""Box, rotation and polygon arithmetic that formats share. Pixels, origin top-left, y down."""

from __future__ import annotations

from collections.abc import Iterable
from math import atan2, ceil, cos, degrees, hypot, inf, nextafter, pi, radians, sin

import numpy as np
import numpy.typing as npt

from maskcodec.model.annotations import Annotation, Box, Ellipse, Mask, Points, Polygon, Polyline

__all__ = ["bounds", "box_corners", "box_of_corners", "ellipse_points", "polygon_area", "ring_area", "rotate", "side"]

Float64 = npt.NDArray[np.float64]


def rotate(points: Float64, degrees: float, centre: tuple[float, float]) -> Float64:
    """Turn points clockwise (as seen, y down) by ``degrees`` about ``centre``."""
    c, s = cos(radians(degrees)), sin(radians(degrees))
    d = points - np.asarray(centre)
    return np.stack([centre[0] + c * d[:, 0] - s * d[:, 1], centre[1] + s * d[:, 0] + c * d[:, 1]], axis=1)


def box_corners(box: Box) -> Float64:
    """The four corners of a box, rotation applied, clockwise from the top-left one; float64 (4, 2)."""
    corners = np.array([[box.x0, box.y0], [box.x1, box.y0], [box.x1, box.y1], [box.x0, box.y1]], dtype=np.float64)
    if not box.rotation:
        return corners
    return rotate(corners, box.rotation, ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2))


def box_of_corners(points: Float64) -> tuple[float, float, float, float, float]:
    """Sides and rotation of the box with four corners in order; the first edge is its top.

    An edge along x is taken as it is. Otherwise numbers are rounded to 7 decimals, which undoes the noise of sine and
    cosine, so that ``box_of_corners(box_corners(box))`` gives back what has no more decimals than that.
    """
    (ax, ay), (bx, by), (cx, cy), _ = points.tolist()
    angle = round(degrees(atan2(by - ay, bx - ax)), 7) + 0.0
    if not angle:
        low, high = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return low[0], low[1], high[0], high[1], 0.0
    w, h = hypot(bx - ax, by - ay) / 2, hypot(cx - bx, cy - by) / 2
    x, y = points.mean(axis=0).tolist()
    return round(x - w, 7), round(y - h, 7), round(x + w, 7), round(y + h, 7), angle


def ellipse_points(ellipse: Ellipse, tolerance: float = 0.05) -> Float64:
    """Points of the outline, no further than ``tolerance`` pixels from it; float64 (n, 2), n from 16 to 720."""
    radius = max(abs(ellipse.rx), abs(ellipse.ry), 1e-9)
    # Sagitta of a chord over the angle t of a circle: r * (1 - cos(t / 2)), about r * t * t / 8.
    n = min(max(16, ceil(2 * pi / (8 * tolerance / radius) ** 0.5)), 720)
    t = np.arange(n) * (2 * pi / n)
    points = np.stack([ellipse.cx + ellipse.rx * np.cos(t), ellipse.cy + ellipse.ry * np.sin(t)], axis=1)
    return rotate(points, ellipse.rotation, (ellipse.cx, ellipse.cy)) if ellipse.rotation else points


def side(low: float, high: float) -> float:
    """A width or height that leads from one corner back to the other exactly, where a float can.

    Example:
        >>> 0.1 + side(0.1, 0.7) == 0.7
        True
    """
    width = high - low
    for candidate in (width, nextafter(width, inf), nextafter(width, -inf)):
        if low + candidate == high:
            return candidate
    return width


def ring_area(ring: Float64) -> float:
    """Area enclosed by a ring (shoelace), without sign; the ring may repeat its first point."""
    if len(ring) < 3:
        return 0.0
    x, y = ring[:, 0], ring[:, 1]
    return abs(float(np.dot(x[:-1], y[1:]) - np.dot(x[1:], y[:-1]) + x[-1] * y[0] - x[0] * y[-1])) / 2


def polygon_area(polygon: Polygon) -> float:
    """Sum of the areas of the rings, holes taken away."""
    if not polygon.holes:
        return sum(ring_area(ring) for ring in polygon.rings)
    marked = zip(polygon.rings, polygon.holes, strict=True)
    return sum(-ring_area(ring) if hole else ring_area(ring) for ring, hole in marked)


def _extent(arrays: Iterable[Float64]) -> tuple[float, float, float, float] | None:
    parts = [a for a in arrays if len(a)]
    if not parts:
        return None
    low = np.min([a[:, :2].min(axis=0) for a in parts], axis=0)
    high = np.max([a[:, :2].max(axis=0) for a in parts], axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def bounds(annotation: Annotation) -> tuple[float, float, float, float] | None:
    """Extent (x0, y0, x1, y1) of a planar annotation; None where it has none (tag, empty mask, cuboid in space)."""
    if isinstance(annotation, Box):
        if not annotation.rotation:
            return annotation.x0, annotation.y0, annotation.x1, annotation.y1
        return _extent([box_corners(annotation)])
    if isinstance(annotation, Ellipse):
        t = radians(annotation.rotation)
        half_w = ((annotation.rx * cos(t)) ** 2 + (annotation.ry * sin(t)) ** 2) ** 0.5
        half_h = ((annotation.rx * sin(t)) ** 2 + (annotation.ry * cos(t)) ** 2) ** 0.5
        return annotation.cx - half_w, annotation.cy - half_h, annotation.cx + half_w, annotation.cy + half_h
    if isinstance(annotation, Polygon):
        return _extent(annotation.rings)
    if isinstance(annotation, Polyline):
        return _extent([annotation.points])
    if isinstance(annotation, Points):
        return _extent([annotation.xy])
    if isinstance(annotation, Mask):
        x, y, w, h = annotation.rle.bbox
        return (x, y, x + w, y + h) if w and h else None
    return None
