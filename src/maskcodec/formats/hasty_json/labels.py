"""Labels of Hasty JSON to annotations.

Geometry of a label, in this order: mask (over the crop of its box), polygon, key points, box. What of it is not the
geometry, and every key that is not known, stays in ``extras["hasty_json"]``.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.faults import Faults
from maskcodec.formats.hasty_json.schema import NAMESPACE
from maskcodec.masks import Rle
from maskcodec.model.annotations import Annotation, Box, Caption, Mask, Points, Polygon, Skeleton, Tag
from maskcodec.model.dataset import Item
from maskcodec.model.schema import Category

__all__ = ["Labels", "enclosing"]

Float64 = npt.NDArray[np.float64]
_LABEL_KEYS = ("id", "class_name", "bbox", "polygon", "mask", "z_index", "keypoints", "attributes")


class Fault(Exception):
    """What is wrong with a field of a label; becomes a FormatError where the place is known."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Labels(Faults):
    """The part of the reader that makes annotations of labels."""

    record = "label"
    file: str
    classes: dict[str, Category]
    keypoints: dict[Any, list[dict[str, Any]]]

    def add(self, item: Item, label: Any, index: int, where: str) -> None:
        name = f"labels[{index}]"
        try:
            if not isinstance(label, dict):
                raise Fault("", f"expected an object, got {shorten(label)}")
            if label.get("id") is not None:
                name += f" (id {shorten(label['id'])})"
            item.annotations.append(self._label(item, label, name))
        except Fault as fault:
            record = f"{where}: {name}"
            error = FormatError(str(fault), file=self.file, record=record, field=fault.field)
            self.problem(error, item, name)

    def _label(self, item: Item, label: dict[str, Any], name: str) -> Annotation:
        named = label.get("class_name")
        category = self.classes.get(named) if isinstance(named, str) else None
        if category is None:
            raise Fault("class_name", f"expected the name of a label class, got {shorten(label.get('class_name'))}")
        z_index = label.get("z_index")
        if z_index is not None and (type(z_index) not in (int, float) or not math.isfinite(z_index)):
            raise Fault("z_index", f"expected a number, got {shorten(z_index)}")
        attributes = label.get("attributes")
        if attributes is not None and not isinstance(attributes, dict):
            raise Fault("attributes", f"expected an object, got {shorten(attributes)}")
        if type(label.get("id")) not in (str, int, type(None)):
            raise Fault("id", f"expected a text or an integer, got {shorten(label['id'])}")
        rest = {k: v for k, v in label.items() if k not in _LABEL_KEYS}
        annotation = self._geometry(item, label, name, category, rest)
        annotation.category_id, annotation.id = category.id, label.get("id")
        annotation.z_order, annotation.attributes = z_index or 0, dict(attributes or {})
        if isinstance(annotation, Caption):
            del annotation.attributes["caption"]
        if rest:
            annotation.extras = {NAMESPACE: rest}
        return annotation

    def _geometry(
        self, item: Item, label: dict[str, Any], name: str, category: Category, rest: dict[str, Any]
    ) -> Annotation:
        """The shape of a label; other shapes that it has too go to ``rest``."""
        mask, polygon, points = label.get("mask"), label.get("polygon"), label.get("keypoints") or []
        box = self._box(item, label.get("bbox"), name, whole=mask is not None)
        if not isinstance(points, list) or not all(isinstance(p, dict) for p in points):
            raise Fault("keypoints", f"expected a list of objects, got {shorten(points)}")
        if polygon is not None:
            polygon = _ring(polygon)
        if mask is not None:
            shape = Mask(self._mask(item, mask, box, name))
            x, y, w, h = shape.rle.bbox
            if box is not None and tuple(box) != (x, y, x + w, y + h):
                rest["bbox"] = list(box)
            rest |= {k: v for k, v in (("polygon", label.get("polygon")), ("keypoints", points)) if v}
            return shape
        if polygon is not None:
            outline = Polygon([polygon])
            if box is None or list(box) != enclosing(outline, item):
                rest["bbox"] = box
            if points:
                rest["keypoints"] = points
            return outline
        if points:
            if box is not None:
                rest["bbox"] = box
            rest["keypoints"] = points
            return self._points(points, category)
        if box is not None:
            return Box(*box)
        if isinstance((label.get("attributes") or {}).get("caption"), str):
            return Caption(label["attributes"]["caption"])
        self.note(item, name, "", "a label without a shape, kept as a tag")
        rest["shapeless"] = True
        return Tag()

    def _box(self, item: Item, box: Any, name: str, whole: bool) -> list[float] | None:
        if box is None:
            if whole:
                raise Fault("bbox", "a mask needs the box of its crop, got null")
            return None
        if not isinstance(box, list) or len(box) != 4 or not all(_number(v) for v in box):
            raise Fault("bbox", f"expected 4 finite numbers x0, y0, x1, y1, got {shorten(box)}")
        x0, y0, x1, y1 = box
        if whole and not all(type(v) is int for v in box):
            raise Fault("bbox", f"the crop of a mask has integer corners, got {shorten(box)}")
        if x1 <= x0 or y1 <= y0:
            raise Fault("bbox", f"expected x0 < x1 and y0 < y1, got {shorten(box)}")
        width, height = _limit(item.width), _limit(item.height)
        if x0 < 0 or y0 < 0 or x1 > width or y1 > height:
            clipped = [max(x0, 0), max(y0, 0), min(x1, width), min(y1, height)]
            if whole or not self.lenient or clipped[0] >= clipped[2] or clipped[1] >= clipped[3]:
                raise Fault("bbox", f"outside the image of {width} x {height}: {shorten(box)}")
            self.note(item, name, "bbox", "clipped to the image")
            return clipped
        return list(box)

    def _mask(self, item: Item, pairs: Any, box: Any, name: str) -> Rle:
        if not isinstance(pairs, list):
            raise Fault("mask", f"expected a list of start, length pairs, got {shorten(pairs)}")
        if item.width is None or item.height is None:
            raise Fault("mask", "the size of the image is unknown, no mask can be read")
        shape = (item.height, item.width)
        notes: list[str] = []
        try:
            rle = Rle.from_hasty(pairs, shape, tuple(box), strict=not self.lenient, notes=notes)
        except (ValueError, TypeError) as error:
            whole = self._whole_image(pairs, shape) if self.lenient else None
            if whole is None:
                raise Fault("mask", str(error)) from error
            rle = whole
            notes = ["runs pass the crop: read as a mask of the whole image"]
        for note in notes:
            self.note(item, name, "mask", "".join(c for c in note if not c.isdigit()).strip())
        if not rle.area:
            self.note(item, name, "mask", "an empty mask, kept")
        return rle

    def _whole_image(self, pairs: list[Any], shape: tuple[int, int]) -> Rle | None:
        try:
            return Rle.from_hasty(pairs, shape, strict=False)
        except (ValueError, TypeError):
            return None

    def _points(self, points: list[dict[str, Any]], category: Category) -> Points:
        for index, point in enumerate(points):
            if not (_number(point.get("x")) and _number(point.get("y"))):
                text = f"expected numbers x and y, got {shorten(point.get('x'))}, {shorten(point.get('y'))}"
                raise Fault(f"keypoints[{index}]", text)
        order = {p.get("keypoint_class_id"): at for at, p in enumerate(self.keypoints.get(category.id, []))}
        places = [order.get(point.get("keypoint_class_id")) for point in points]
        seen = [0 if point.get("visible") is False else 1 for point in points]
        if len(order) < 2 or None in places or len(set(places)) < len(places):
            xy = [[point["x"], point["y"]] for point in points]
            return Points(np.array(xy, np.float64), None if all(seen) else [1 + s for s in seen])
        whole, visibility = [[0.0, 0.0] for _ in order], [0] * len(order)
        for point, at, s in zip(points, places, seen, strict=True):
            whole[at or 0], visibility[at or 0] = [point["x"], point["y"]], 1 + s
        return Skeleton(np.array(whole, np.float64), visibility)


def enclosing(polygon: Polygon, item: Item) -> list[int] | None:
    """Whole-pixel box around the rings, inside the image; None when nothing of it is inside."""
    low = [min(float(ring[:, axis].min()) for ring in polygon.rings) for axis in (0, 1)]
    high = [max(float(ring[:, axis].max()) for ring in polygon.rings) for axis in (0, 1)]
    x0, y0 = (max(0, math.floor(v)) for v in low)
    x1 = min(_limit(item.width), max(math.ceil(high[0]), math.floor(low[0]) + 1))
    y1 = min(_limit(item.height), max(math.ceil(high[1]), math.floor(low[1]) + 1))
    return [x0, y0, x1, y1] if x0 < x1 and y0 < y1 else None


def _limit(side: int | None) -> int:
    return 2**62 if side is None else side  # an image of unknown size cuts nothing off


def _ring(points: Any) -> Float64:
    if not isinstance(points, list) or len(points) < 3:
        raise Fault("polygon", f"expected at least 3 points, got {shorten(points)}")
    if set(map(type, points)) == {list} and set(map(len, points)) == {2}:
        if set(map(type, chain.from_iterable(points))) <= {int, float}:
            ring = np.array(points, np.float64)
            if np.isfinite(ring).all():
                return ring
    for index, point in enumerate(points):
        if not isinstance(point, list) or len(point) != 2 or not all(_number(v) for v in point):
            raise Fault("polygon", f"vertex {index}: expected a pair of finite numbers, got {shorten(point)}")
    raise Fault("polygon", f"expected pairs of finite numbers, got {shorten(points)}")


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)
