"""Geometry of Datumaro's annotations to ours and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maskcodec.errors import shorten
from maskcodec.formats._shared.jsonio import numbers
from maskcodec.masks import Rle
from maskcodec.model.annotations import (
    Annotation,
    Box,
    Caption,
    Cuboid,
    Cuboid2D,
    Ellipse,
    Mask,
    Points,
    Polygon,
    Polyline,
    Skeleton,
    Tag,
)
from maskcodec.model.geometry import side
from maskcodec.model.schema import Category

__all__ = ["Fault", "angles", "euler", "read_geometry", "write_geometry"]


class Fault(Exception):
    """What is wrong with a field of an annotation."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def euler(rotation: list[float]) -> tuple[float, float, float, float]:
    """Quaternion (x, y, z, w) of turns about x, then y, then z."""
    (sx, sy, sz), (cx, cy, cz) = ([f(v / 2) for v in rotation] for f in (math.sin, math.cos))
    return (
        sx * cy * cz - cx * sy * sz,
        cx * sy * cz + sx * cy * sz,
        cx * cy * sz - sx * sy * cz,
        cx * cy * cz + sx * sy * sz,
    )


def angles(quaternion: tuple[float, float, float, float]) -> list[float]:
    """Turns about x, y, z of a quaternion (x, y, z, w); the inverse of ``euler``."""
    x, y, z, w = quaternion
    sine = max(-1.0, min(1.0, 2 * (w * y - z * x)))
    about_x = math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    return [about_x, math.asin(sine), math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))]


def _numbers(row: dict[str, Any], field: str, multiple: int, exact: int | None = None) -> list[float]:
    values = row.get(field)
    listed: list[Any] = values if isinstance(values, list) else [None]
    good = all(type(v) in (int, float) and math.isfinite(v) for v in listed) and len(listed) % multiple == 0
    if not good or (exact is not None and len(listed) != exact):
        wanted = f"{exact}" if exact is not None else f"a multiple of {multiple}"
        raise Fault(field, f"expected {wanted} finite numbers, got {shorten(values)}")
    return listed


def _pairs(row: dict[str, Any], least: int) -> Any:
    values = _numbers(row, "points", 2)
    if len(values) < 2 * least:
        raise Fault("points", f"expected at least {least} points, got {len(values) // 2}")
    return np.array(values, np.float64).reshape(-1, 2)


def _visibility(values: Any, count: int) -> list[int] | None:
    if values is None:
        return None
    if not isinstance(values, list) or len(values) != count or not all(v in (0, 1, 2) for v in values):
        raise Fault("visibility", f"expected {count} values of 0, 1 or 2, got {shorten(values)}")
    return None if all(v == 2 for v in values) else [int(v) for v in values]


def read_geometry(row: dict[str, Any], category: Category | None, extra: dict[str, Any]) -> tuple[Annotation, set[str]]:
    """The shape of a record, and the keys that it used."""
    kind = row.get("type")
    if kind == "label":
        return Tag(), set()
    if kind == "caption":
        if not isinstance(row.get("caption"), str):
            raise Fault("caption", f"expected a text, got {shorten(row.get('caption'))}")
        return Caption(row["caption"]), {"caption"}
    if kind == "bbox":
        x, y, w, h = _numbers(row, "bbox", 4, 4)
        if w < 0 or h < 0:
            raise Fault("bbox", f"expected a width and height of at least 0, got {shorten(row['bbox'])}")
        if x + w - x != w or y + h - y != h:
            extra["bbox"] = row["bbox"]  # the width is not what the corners give back in floating point
        return Box(x, y, x + w, y + h), {"bbox"}
    if kind == "rotated_bbox":
        cx, cy, w, h, r = _numbers(row, "points", 5, 5)
        return Box(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, r), {"points"}
    if kind == "polygon":
        return Polygon([_pairs(row, 3)]), {"points"}
    if kind == "polyline":
        return Polyline(_pairs(row, 1)), {"points"}
    if kind == "points":
        xy = _pairs(row, 1)
        return Points(xy, _visibility(row.get("visibility"), len(xy))), {"points", "visibility"}
    if kind == "skeleton":
        return _skeleton(row, category, extra)
    if kind == "mask":
        rle = row.get("rle")
        if not isinstance(rle, dict):
            raise Fault("rle", f"expected an object, got {shorten(rle)}")
        try:
            return Mask(Rle.from_coco(rle)), {"rle"}
        except (ValueError, TypeError) as error:
            raise Fault("rle", str(error)) from error
    if kind == "cuboid_3d":
        position, rotation, scale = (_numbers(row, key, 3, 3) for key in ("position", "rotation", "scale"))
        flat = rotation[0] == 0 and rotation[1] == 0
        quaternion = None if flat else euler(rotation)
        yaw = rotation[2] if quaternion is None else angles(quaternion)[2]
        if not flat:
            extra["rotation"] = rotation
        place, size = tuple(position), tuple(scale)
        return Cuboid(place, size, yaw, quaternion), {"position", "rotation", "scale"}  # type: ignore[arg-type]
    if kind == "ellipse":
        x0, y0, x1, y1 = _numbers(row, "points", 4, 4)
        shape = Ellipse((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2)
        if extent(shape) != [x0, y0, x1, y1]:
            extra["points"] = row["points"]
        return shape, {"points"}
    if kind == "cuboid_2d":
        points = row.get("points")
        flat_values = [v for p in points for v in p] if isinstance(points, list) and _nested(points) else points
        values = _numbers({"points": flat_values}, "points", 16, 16)
        return Cuboid2D(np.array(values, np.float64).reshape(8, 2)), {"points"}
    raise Fault("type", f"unknown type {shorten(kind)}")


def _nested(points: list[Any]) -> bool:
    return all(isinstance(p, list) for p in points)


def _skeleton(row: dict[str, Any], category: Category | None, extra: dict[str, Any]) -> tuple[Annotation, set[str]]:
    names = category.keypoints if category is not None else []
    if "elements" in row and "points" not in row:
        elements = row["elements"]
        if not isinstance(elements, list) or not all(isinstance(e, dict) for e in elements):
            raise Fault("elements", f"expected a list of objects, got {shorten(elements)}")
        extra["elements"] = elements
        values = []
        for element in elements:
            x, y = _numbers(element, "points", 2, 2)
            seen = _visibility(element.get("visibility"), 1)
            values += [x, y, seen[0] if seen else 2]
        used = {"elements"}
    else:
        values = _numbers(row, "points", 3)
        used = {"points", "points_attributes"}
        attributes = row.get("points_attributes")
        if attributes is not None and attributes != [{}] * (len(values) // 3):
            extra["points_attributes"] = attributes
    table = np.array(values, np.float64).reshape(-1, 3)
    if names and len(table) != len(names):
        raise Fault("points", f"expected 3 x {len(names)} numbers, got {len(values)}")
    seen = table[:, 2].tolist()
    if not all(v in (0, 1, 2) for v in seen):
        raise Fault("points", f"expected a visibility of 0, 1 or 2, got {shorten(seen)}")
    return Skeleton(table[:, :2].copy(), [int(v) for v in seen]), used


def extent(shape: Ellipse) -> list[float]:
    return [shape.cx - shape.rx, shape.cy - shape.ry, shape.cx + shape.rx, shape.cy + shape.ry]


def write_geometry(shape: Annotation, kept: dict[str, Any]) -> dict[str, Any]:
    """Type and own fields of a record; uses up what of ``kept`` it writes back."""
    if isinstance(shape, Tag):
        return {"type": "label"}
    if isinstance(shape, Caption):
        return {"type": "caption", "caption": shape.text}
    if isinstance(shape, Box):
        x, y = shape.x0, shape.y0
        box = kept.pop("bbox", None)
        if box is None or [box[0], box[1], box[0] + box[2], box[1] + box[3]] != [x, y, shape.x1, shape.y1]:
            box = [x, y, side(x, shape.x1), side(y, shape.y1)]
        return {"type": "bbox", "bbox": numbers(box)}
    if isinstance(shape, Polygon):
        return {"type": "polygon", "points": numbers(shape.rings[0].reshape(-1))}
    if isinstance(shape, Polyline):
        return {"type": "polyline", "points": numbers(shape.points.reshape(-1))}
    if isinstance(shape, Skeleton):
        seen = shape.visibility or [2] * len(shape.xy)
        if "elements" in kept:
            return {"type": "skeleton", "elements": kept.pop("elements")}
        flat = [v for (x, y), s in zip(shape.xy.tolist(), seen, strict=True) for v in (x, y, s)]
        attributes = kept.pop("points_attributes", [{} for _ in seen])
        return {"type": "skeleton", "points": numbers(flat), "points_attributes": attributes}
    if isinstance(shape, Points):
        seen = shape.visibility or [2] * len(shape.xy)
        return {"type": "points", "points": numbers(shape.xy.reshape(-1)), "visibility": list(seen)}
    if isinstance(shape, Mask):
        coco = shape.rle.to_coco()
        return {"type": "mask", "rle": {"counts": coco["counts"], "size": coco["size"]}}
    if isinstance(shape, Cuboid):
        turned = kept.pop("rotation", None)
        if turned is None or shape.quaternion != euler(turned):
            turned = [0, 0, shape.yaw] if shape.quaternion is None else angles(shape.quaternion)
        places = {"position": shape.position, "rotation": turned, "scale": shape.dimensions}
        return {"type": "cuboid_3d", **{k: numbers(list(v)) for k, v in places.items()}}
    if isinstance(shape, Ellipse):
        points = kept.pop("points", None)
        return {"type": "ellipse", "points": numbers(extent(shape) if points is None else points)}
    if isinstance(shape, Cuboid2D):
        return {"type": "cuboid_2d", "points": numbers(shape.points)}
    raise TypeError(f"cannot write a {shape.kind}")
