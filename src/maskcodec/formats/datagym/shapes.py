"""Geometries of DataGym to annotations and back."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats.datagym.schema import NAMESPACE, read_classification
from maskcodec.model.annotations import Annotation, Box, Points, Polygon, Polyline
from maskcodec.model.geometry import side

__all__ = ["SHAPES", "Unset", "geometry_of", "read_geometry"]

SHAPES = ("polygon", "line", "point", "rectangle", "geometry", "image_segmentation")
_LEAST = {"polygon": 3, "line": 2, "point": 1, "rectangle": 1}
_DIGITS = re.compile(r"[0-9]+$")


class Unset(Exception):
    """A geometry whose coordinates the server left out (null)."""


def read_geometry(
    row: Any, where: tuple[str, str, str], strict: bool, category: str, expected: str | None = None
) -> Annotation:
    """One geometry with its classifications; nested geometries are the caller's.

    Args:
        row: the object of the file.
        where: file, record and field for errors.
        strict: hold it against the published schema of the import.
        category: class key.
        expected: what the class is of by the label configuration.

    Raises:
        FormatError: it breaks the rules.
        Unset: coordinates are null, as the server writes what it could not keep.
    """
    file, record, field = where

    def fail(message: str, inner: str = "") -> FormatError:
        return FormatError(message, file=file, record=record, field=field + inner)

    if not isinstance(row, dict):
        raise fail(f"expected an object, got {shorten(row)}")
    unknown = [k for k in row if k not in (*SHAPES, "classifications", "nested_geometries")]
    if unknown and strict:
        raise fail(f"unknown key {shorten(unknown[0])}")
    given = [k for k in SHAPES if k in row and not (strict and k == "image_segmentation")]
    if len(given) != 1:
        raise fail(f"expected exactly one of {', '.join(SHAPES[:5])}, got {', '.join(given) or 'none'}")
    kind, values = given[0], row[given[0]]
    extra: dict[str, Any] = {k: row[k] for k in unknown}
    if kind == "geometry":
        extra["deprecated"] = True
        kind = expected if expected in _LEAST else _kind_of(values, fail)
    if expected is not None and kind != expected:
        raise fail(f"a {kind} under a class of the type {expected}", f".{kind}")
    shape: Annotation
    if kind == "image_segmentation":
        shape = _rings(values, fail)
    else:
        if not isinstance(values, list):
            raise fail(f"expected a list of points, got {shorten(values)}", f".{given[0]}")
        least, exact = _LEAST[kind], kind in ("point", "rectangle")
        if len(values) < least or (exact and len(values) != least):
            raise fail(f"a {kind} has {'' if exact else 'at least '}{least}, got {len(values)}", f".{given[0]}")
        keys = ("x", "y", "w", "h") if kind == "rectangle" else ("x", "y")
        points = [_point(v, keys, fail, f".{given[0]}[{i}]", strict) for i, v in enumerate(values)]
        shape = _shape(kind, points, fail, f".{given[0]}[0]")
    shape.category_id = category
    found = row.get("classifications", {})
    if not isinstance(found, dict):
        raise fail(f"expected an object, got {shorten(found)}", ".classifications")
    for name, inner in found.items():
        path = (file, record, f"{field}.classifications.{name}")
        read_classification(inner, name, shape.attributes, path, strict)
    if "classifications" not in row:
        extra["no_classifications"] = True
    if extra:
        shape.extras = {NAMESPACE: extra}
    return shape


def _kind_of(values: Any, fail: Any) -> str:
    """What the deprecated key holds, told by the keys and the number of its points."""
    if not isinstance(values, list) or not values:
        raise fail(f"expected a list of points or a rectangle, got {shorten(values)}", ".geometry")
    if isinstance(values[0], dict) and {"w", "h"} <= values[0].keys():
        return "rectangle"
    return {1: "point", 2: "line"}.get(len(values), "polygon")


def _point(value: Any, keys: tuple[str, ...], fail: Any, inner: str, strict: bool) -> list[float]:
    if not isinstance(value, dict) or value.keys() != set(keys):
        raise fail(f"expected an object with {', '.join(keys)}, got {shorten(value)}", inner)
    out = []
    for key in keys:
        number = value[key]
        if number is None and not strict:
            raise Unset
        if isinstance(number, str) and _DIGITS.match(number):
            number = int(number)
        if type(number) not in (int, float) or not math.isfinite(number) or number < 0:
            raise fail(f"expected a number from 0 on, got {shorten(value[key])}", f"{inner}.{key}")
        out.append(number)
    return out


def _shape(kind: str, points: list[list[float]], fail: Any, inner: str) -> Annotation:
    if kind == "rectangle":
        x, y, w, h = points[0]
        if w == 0 or h == 0:
            raise fail("expected a width and height above 0", inner)
        box = Box(x, y, x + w, y + h)
        if x + w - x != w or y + h - y != h:
            box.extras = {NAMESPACE: {"size": [w, h]}}  # not what the corners give back in floating point
        return box
    array = np.array(points, np.float64)
    if kind == "polygon":
        return Polygon([array])
    return Polyline(array) if kind == "line" else Points(array)


def _rings(values: Any, fail: Any) -> Polygon:
    if not isinstance(values, list) or not values or not all(isinstance(ring, list) for ring in values):
        raise fail(f"expected a list of rings, got {shorten(values)}", ".image_segmentation")
    rings = []
    for at, ring in enumerate(values):
        if len(ring) < 3:
            raise fail(f"a ring has at least 3 points, got {len(ring)}", f".image_segmentation[{at}]")
        inner = f".image_segmentation[{at}]"
        rings.append(np.array([_point(v, ("x", "y"), fail, f"{inner}[{i}]", False) for i, v in enumerate(ring)]))
    polygon = Polygon(rings, tuple(at > 0 for at in range(len(rings))))
    polygon.extras = {}
    return polygon


def _plain(value: float) -> float:
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else float(value)


def _xy(ring: Any) -> list[dict[str, float]]:
    return [{"x": _plain(x), "y": _plain(y)} for x, y in ring.tolist()]


def geometry_of(annotation: Annotation) -> tuple[str, Any]:
    """Key and value of a geometry; the annotation is of a kind that the format holds."""
    kept = annotation.extras.get(NAMESPACE, {})
    if isinstance(annotation, Box):
        x, y = annotation.x0, annotation.y0
        w, h = side(x, annotation.x1), side(y, annotation.y1)
        if "size" in kept and [x + kept["size"][0], y + kept["size"][1]] == [annotation.x1, annotation.y1]:
            w, h = kept["size"]
        return "rectangle", [{"x": _plain(x), "y": _plain(y), "w": _plain(w), "h": _plain(h)}]
    if isinstance(annotation, Polygon):
        if annotation.holes or kept.get("segmentation"):
            return "image_segmentation", [_xy(ring) for ring in annotation.rings]
        return "polygon", _xy(annotation.rings[0])
    if isinstance(annotation, Polyline):
        return "line", _xy(annotation.points)
    if isinstance(annotation, Points):
        return "point", _xy(annotation.xy)
    raise TypeError(f"cannot write a {annotation.kind}")
