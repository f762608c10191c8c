"""Geometry of drawing: outlines cut to the canvas, so that no coordinate of a file can make the work grow."""

from __future__ import annotations

from math import hypot

import numpy as np
import numpy.typing as npt

from maskcodec.model.annotations import Annotation, Box, Cuboid, Cuboid2D, Ellipse, Mask, Points, Polygon, Polyline
from maskcodec.model.geometry import box_corners, ellipse_points

__all__ = ["Float64", "Frame", "closed", "clip_chain", "clip_ring", "cuboid_corners", "cuboid_order", "dashes",
           "extent", "is_finite", "outline_rings", "peak"]  # fmt: skip

Float64 = npt.NDArray[np.float64]
Frame = tuple[float, float, float, float]
_FAR = 1e9  # coordinates beyond are as far out of any picture


def is_finite(annotation: Annotation) -> bool:
    """Whether all coordinates of an annotation are numbers and no further away than 10^150.

    That far, differences and products are still numbers.
    """
    return all(bool(np.isfinite(part).all() and (np.abs(part) < 1e150).all()) for part in _numbers(annotation))


def _numbers(annotation: Annotation) -> list[Float64]:
    if isinstance(annotation, Box):
        return [np.array([annotation.x0, annotation.y0, annotation.x1, annotation.y1, annotation.rotation], float)]
    if isinstance(annotation, Ellipse):
        return [np.array([annotation.cx, annotation.cy, annotation.rx, annotation.ry, annotation.rotation], float)]
    if isinstance(annotation, Polygon):
        return annotation.rings
    if isinstance(annotation, (Polyline, Cuboid2D)):
        return [annotation.points]
    if isinstance(annotation, Points):
        seen = annotation.visibility
        return [annotation.xy if seen is None else annotation.xy[np.asarray(seen, int) != 0]]
    if isinstance(annotation, Cuboid):
        numbers = [*annotation.position, *annotation.dimensions, annotation.yaw, *(annotation.quaternion or ())]
        return [np.array(numbers, float)]
    return []


def outline_rings(annotation: Annotation, tolerance: float = 0.05) -> list[Float64]:
    """The closed outlines of a box, ellipse (to a tolerance) or polygon, float64 (n, 2) each, in pixels of the item."""
    if isinstance(annotation, Box):
        return [box_corners(annotation)]
    if isinstance(annotation, Ellipse):
        return [ellipse_points(annotation, tolerance)]
    if isinstance(annotation, Polygon):
        return [ring[:, :2] for ring in annotation.rings if len(ring)]
    return []


def extent(annotation: Annotation, scale: Float64) -> Frame | None:
    """Where on the canvas an annotation lies (x0, y0, x1, y1); None where it has no place."""
    if isinstance(annotation, Mask):
        x, y, w, h = annotation.rle.bbox
        parts = [np.array([[x, y], [x + w, y + h]], float)] if w and h else []
    elif isinstance(annotation, (Box, Ellipse, Polygon)):
        parts = outline_rings(annotation)
    elif isinstance(annotation, (Polyline, Cuboid2D)):
        parts = [annotation.points[:, :2]]
    else:
        parts = [part[:, :2] for part in _numbers(annotation) if part.ndim == 2]
    parts = [part for part in parts if len(part)]
    if not parts:
        return None
    low = np.min([part.min(axis=0) for part in parts], axis=0) * scale
    high = np.max([part.max(axis=0) for part in parts], axis=0) * scale
    x0, y0, x1, y1 = np.clip([*low, *high], -_FAR, _FAR).tolist()
    return x0, y0, x1, y1


def peak(chains: list[Float64]) -> tuple[float, float] | None:
    """The highest point of chains on a canvas, the leftmost of several; None where there is no point."""
    some = [chain for chain in chains if len(chain)]
    if not some:
        return None
    points = np.concatenate(some)
    x, y = points[np.lexsort((points[:, 0], points[:, 1]))[0]].clip(-_FAR, _FAR).tolist()
    return x, y


def closed(ring: Float64) -> Float64:
    """The ring with its first point at its end too."""
    return ring if len(ring) < 2 or np.array_equal(ring[0], ring[-1]) else np.concatenate([ring, ring[:1]])


def clip_ring(ring: Float64, frame: Frame) -> Float64:
    """The part of an area within a frame: Sutherland and Hodgman's cut, side by side, on whole arrays.

    Args:
        ring: float64 (n, 2), closed or not.
        frame: (x0, y0, x1, y1).

    Example:
        >>> clip_ring(np.array([[-1e300, 1], [5, 1], [5, 3]]), (0, 0, 10, 10))[:, 0].max().item()
        5.0
    """
    points = ring
    for axis, limit, above in ((0, frame[0], True), (0, frame[2], False), (1, frame[1], True), (1, frame[3], False)):
        if not len(points):
            break
        inside = points[:, axis] >= limit if above else points[:, axis] <= limit
        if inside.all():
            continue
        after = np.roll(points, -1, axis=0)
        crosses = inside != np.roll(inside, -1)
        run = np.where(crosses, after[:, axis] - points[:, axis], 1.0)
        t = ((limit - points[:, axis]) / run)[:, None]
        cut = points * (1 - t) + after * t
        cut[:, axis] = limit
        both = np.stack([points, cut], axis=1)
        points = both[np.stack([inside, crosses], axis=1)]
    return points


def clip_chain(points: Float64, frame: Frame) -> list[Float64]:
    """The pieces of a chain of lines within a frame (Liang and Barsky's cut, all segments at once).

    Returns:
        Chains of float64 (n, 2), n at least 2; the chain itself where it lies inside.
    """
    low, high = np.array(frame[:2]), np.array(frame[2:])
    if len(points) < 2:
        return []
    if bool(((points >= low) & (points <= high)).all()):
        return [points]
    start, run = points[:-1], np.diff(points, axis=0)
    still = run == 0
    with np.errstate(all="ignore"):  # segments along an axis are settled below
        one, two = (low - start) / np.where(still, 1.0, run), (high - start) / np.where(still, 1.0, run)
    outside = (still & ((start < low) | (start > high))).any(axis=1)
    enter = np.where(still, 0.0, np.minimum(one, two)).max(axis=1).clip(0.0)
    leave = np.where(still, 1.0, np.maximum(one, two)).min(axis=1).clip(None, 1.0)
    keep = np.flatnonzero((enter <= leave) & ~outside)
    out: list[list[Float64]] = []
    end = None  # (segment, whether it ran to its end) of the piece before
    for at in keep.tolist():
        a = (start[at] + run[at] * enter[at]).clip(low, high)
        b = (start[at] + run[at] * leave[at]).clip(low, high)
        if end == at - 1 and enter[at] == 0.0:
            out[-1].append(b)
        else:
            out.append([a, b])
        end = at if leave[at] == 1.0 else None
    return [np.array(piece) for piece in out]


def dashes(points: Float64, on: float, off: float) -> list[Float64]:
    """A chain cut into dashes, measured along it, corners kept."""
    if len(points) < 2:
        return []
    lengths = np.hypot(*np.diff(points, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(lengths)])
    total = float(at[-1])
    if total <= on:
        return [points]
    starts = np.arange(0.0, total, on + off)
    ends = np.minimum(starts + on, total)
    x0, y0 = np.interp(starts, at, points[:, 0]), np.interp(starts, at, points[:, 1])
    x1, y1 = np.interp(ends, at, points[:, 0]), np.interp(ends, at, points[:, 1])
    first, last = np.searchsorted(at, starts, "right"), np.searchsorted(at, ends, "left")
    return [
        np.concatenate([[[x0[i], y0[i]]], points[first[i] : last[i]], [[x1[i], y1[i]]]]) for i in range(len(starts))
    ]


def cuboid_order(front: Float64) -> list[int]:
    """The four corners of a face in an order that goes around it, whatever order the file has."""
    middle = front.mean(axis=0)
    angles = np.arctan2(front[:, 1] - middle[1], front[:, 0] - middle[0])
    return [int(i) for i in np.argsort(angles, kind="stable")]


def cuboid_corners(cuboid: Cuboid) -> Float64:
    """The eight corners of a box in space, float64 (8, 3): bottom, then top, each front left, front right, back right,
    back left (front is the side that +x turned to)."""
    l, w, h = (side / 2 for side in cuboid.dimensions)  # noqa: E741
    face = np.array([[l, w], [l, -w], [-l, -w], [-l, w]])
    corners = np.concatenate([np.column_stack([face, np.full(4, z)]) for z in (-h, h)])
    turned: Float64 = corners @ _turn(cuboid).T + np.asarray(cuboid.position, float)
    return turned


def _turn(cuboid: Cuboid) -> Float64:
    if cuboid.quaternion is None:
        c, s = float(np.cos(cuboid.yaw)), float(np.sin(cuboid.yaw))
        return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    x, y, z, w = cuboid.quaternion
    size = hypot(x, y, z, w)
    if not size:
        return np.eye(3)
    x, y, z, w = x / size, y / size, z / size, w / size
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip
