"""Shapes of Segments.ai, to and from ours: 2D and 3D vectors, cuboids, ids of points."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.errors import shorten
from maskcodec.formats._shared.jsonio import numbers
from maskcodec.model.annotations import Annotation, Box, Cuboid, PointMask, Points, Polygon, Polyline

__all__ = ["Fault", "heading", "join_points", "read_shape", "shape_record", "split_points", "wrap"]

Int64 = npt.NDArray[np.int64]
Note = Callable[[str, str], None]
_SHAPES = {"bbox": 2, "polygon": 3, "polyline": 2, "point": 1}
_CUBOIDS = ("cuboid", "cuboid-sync")
_AXES, _TURN = ("x", "y", "z"), ("qx", "qy", "qz", "qw")
_TYPES = {
    "vector": tuple(_SHAPES),
    "pointcloud-cuboid": _CUBOIDS,
    "pointcloud-vector": ("polygon", "polyline", "point", *_CUBOIDS),
}
# Quaternions are written with seven digits or so; what differs from 1 by more was not meant to be of unit length.
_UNIT = 1e-4


class Fault(Exception):
    """What is wrong with a field of an annotation."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def wrap(yaw: float) -> float:
    """An angle in [-pi, pi]; one that is so already is returned as it is.

    Example:
        >>> wrap(3), round(wrap(4.0), 6)
        (3, -2.283185)
    """
    return yaw if -math.pi <= yaw <= math.pi else math.remainder(yaw, 2 * math.pi)


def heading(quaternion: tuple[float, float, float, float]) -> float:
    """Yaw of an orientation (x, y, z, w), in radians: the direction of its x axis seen from above.

    Example:
        >>> round(heading((0, 0.0491566, 0.3096865, 0.9495672)), 3)
        0.632
    """
    x, y, z, w = quaternion
    return math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def read_shape(record: dict[str, Any], rest: dict[str, Any], content: str, note: Note) -> Annotation:
    """A shape of a label of the given content; what has no field of ours is entered in ``rest``.

    Raises:
        Fault: the record breaks a rule.
    """
    kind, points = record.get("type"), record.get("points")
    if kind not in _TYPES[content]:
        raise Fault("type", f"expected one of {', '.join(_TYPES[content])}, got {shorten(kind)}")
    if kind in _CUBOIDS:
        return _cuboid(record, rest, note)
    size = 2 if content == "vector" else 3
    if not isinstance(points, list) or not all(
        isinstance(p, list) and len(p) == size and all(map(_number, p)) for p in points
    ):
        raise Fault(
            "points", f"expected {'pairs' if size == 2 else 'triples'} of finite numbers, got {shorten(points)}"
        )
    least = _SHAPES[str(kind)]
    exact = kind in ("bbox", "point")
    if len(points) < least or (exact and len(points) != least):
        raise Fault("points", f"a {kind} has {'' if exact else 'at least '}{least} points, got {len(points)}")
    if kind == "bbox":
        (ax, ay), (bx, by) = points
        if ax > bx or ay > by:
            rest["points"] = points
        return Box(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))
    array = np.array(points, np.float64)
    if kind == "polygon":
        return Polygon([array])
    return Polyline(array) if kind == "polyline" else Points(array)


def _values(record: dict[str, Any], field: str, axes: tuple[str, ...], rest: dict[str, Any]) -> tuple[Any, ...]:
    value = record.get(field)
    if not isinstance(value, dict) or not all(_number(value.get(axis)) for axis in axes):
        raise Fault(field, f"expected an object with finite numbers {', '.join(axes)}, got {shorten(value)}")
    if len(value) > len(axes):
        rest[field] = {k: v for k, v in value.items() if k not in axes}
    return tuple(value[axis] for axis in axes)


def _cuboid(record: dict[str, Any], rest: dict[str, Any], note: Note) -> Cuboid:
    position, dimensions = _values(record, "position", _AXES, rest), _values(record, "dimensions", _AXES, rest)
    if min(dimensions) <= 0:
        raise Fault("dimensions", f"expected positive sizes, got {shorten(record['dimensions'])}")
    turn = None
    if record.get("rotation") is not None:
        turn = _values(record, "rotation", _TURN, rest)
        length = math.sqrt(sum(v * v for v in turn))
        if not length:
            raise Fault("rotation", "a quaternion of length 0 is no orientation")
        if abs(length - 1) > _UNIT:
            note("rotation", "a quaternion that is not of unit length, normalised")
            turn = tuple(v / length for v in turn)
    elif "rotation" in record:
        rest["rotation"] = None
    yaw = record.get("yaw")
    if yaw is None and turn is not None:
        rest["yaw"] = "yaw" in record  # said with null, or not at all: the orientation says it
        yaw = heading(turn)
    if not _number(yaw):
        raise Fault("yaw", f"expected a finite number, got {shorten(yaw)}")
    if wrap(yaw) != yaw:  # type: ignore[arg-type]
        note("yaw", "a yaw outside [-pi, pi], wrapped")
    if record["type"] != "cuboid":
        rest["type"] = record["type"]
    return Cuboid(position, dimensions, wrap(yaw), turn)  # type: ignore[arg-type]


def _plain(value: Any) -> int | float:
    return int(value) if isinstance(value, (int, np.integer)) else float(value)


def _object(axes: tuple[str, ...], values: Any, more: Any) -> dict[str, Any]:
    return {**{a: _plain(v) for a, v in zip(axes, values, strict=True)}, **(more or {})}


def shape_record(annotation: Annotation, rest: dict[str, Any]) -> dict[str, Any]:
    """Type and coordinates of a shape; what it needs of ``rest`` is taken out."""
    if isinstance(annotation, Cuboid):
        record = {
            "type": rest.pop("type", "cuboid"),
            "position": _object(_AXES, annotation.position, rest.pop("position", None)),
            "dimensions": _object(_AXES, annotation.dimensions, rest.pop("dimensions", None)),
        }
        unsaid = rest.pop("yaw", None)
        if unsaid is None or annotation.quaternion is None or annotation.yaw != heading(annotation.quaternion):
            record["yaw"] = _plain(annotation.yaw)
        elif unsaid:
            record["yaw"] = None
        more = rest.pop("rotation", None)
        if annotation.quaternion is not None:
            record["rotation"] = _object(_TURN, annotation.quaternion, more)
        elif "rotation" in annotation.extras.get("segments", {}):
            record["rotation"] = None
        return record
    points = rest.pop("points", None)
    if isinstance(annotation, Box):
        corners = [[annotation.x0, annotation.y0], [annotation.x1, annotation.y1]]
        if points is not None and [list(map(min, *points)), list(map(max, *points))] == corners:
            corners = points
        return {"type": "bbox", "points": numbers(corners)}
    if isinstance(annotation, Polygon):
        return {"type": "polygon", "points": numbers(annotation.rings[0])}
    if isinstance(annotation, Polyline):
        return {"type": "polyline", "points": numbers(annotation.points)}
    if isinstance(annotation, Points):
        return {"type": "point", "points": numbers(annotation.xy)}
    return {} if points is None else {"points": points}


# --- points of clouds -------------------------------------------------------------------------------------------------
def split_points(ids: Any) -> dict[int, Int64]:
    """Positions of the points of every id but 0, by one sort.

    Raises:
        Fault: not a list of integers from 0.

    Example:
        >>> {i: at.tolist() for i, at in split_points([0, 3, 2, 2, 3]).items()}
        {2: [2, 3], 3: [1, 4]}
    """
    if not isinstance(ids, list) or any(type(v) is not int for v in ids):
        raise Fault("point_annotations", f"expected a list of integers, got {shorten(ids)}")
    array = np.array(ids, np.int64)
    if len(array) and int(array.min()) < 0:
        raise Fault("point_annotations", f"expected ids from 0, got {int(array.min())}")
    order = np.argsort(array, kind="stable")
    values, starts = np.unique(array[order], return_index=True)
    parts = np.split(order, starts[1:]) if len(values) else []
    return {number: part for number, part in zip(values.tolist(), parts, strict=True) if number}


def join_points(parts: list[tuple[int, Int64]], count: int) -> Int64:
    """One id a point, 0 for none; later parts lie over earlier ones."""
    out = np.zeros(count, np.int64)
    for number, indices in parts:
        out[indices] = number
    return out


def empty_points() -> PointMask:
    """No point at all."""
    return PointMask(np.zeros(0, np.int64))
