"""Elements of CVAT XML to annotations: every shape of both dialects."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from maskcodec.errors import shorten
from maskcodec.formats._shared.faults import Faults
from maskcodec.formats._shared.xmlio import Element
from maskcodec.formats.cvat_xml.attributes import NAMESPACE, typed, value_text
from maskcodec.formats.cvat_xml.fields import Fault, flag, number, pairs, whole
from maskcodec.masks import Rle
from maskcodec.model.annotations import (
    Annotation,
    Box,
    Cuboid2D,
    Ellipse,
    Mask,
    Points,
    Polygon,
    Polyline,
    Skeleton,
    Tag,
)
from maskcodec.model.dataset import Item
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["CUBOID", "SHAPES", "Carried", "Shapes"]

CUBOID = tuple(f"{axis}{corner}{face}" for face in "12" for corner in ("tl", "bl", "tr", "br") for axis in "xy")
SHAPES = ("box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton", "tag")
_COMMON = {"label", "source", "occluded", "z_order", "group_id", "frame", "keyframe", "outside"}
_OWN = {
    "box": {"xtl", "ytl", "xbr", "ybr", "rotation"},
    "ellipse": {"cx", "cy", "rx", "ry", "rotation"},
    "cuboid": set(CUBOID),
    "mask": {"rle", "left", "top", "width", "height"},
    "tag": set(),
    "skeleton": {"points", "rotation"},  # old files repeat the coordinates of all points here
}
_RUNS = re.compile(r"\s*[0-9]+(\s*,\s*[0-9]+)*\s*")
_LEAST = {"polygon": 3, "polyline": 2, "points": 1}
Carried = dict[str, tuple[float, float]]


class Shapes(Faults):
    """The part of the reader that makes annotations of elements."""

    schema: LabelSchema

    def annotation(self, element: Element, item: Item, category: Category | None, carried: Carried) -> Annotation:
        """One annotation.

        Args:
            element: of the shape or tag.
            item: that it stands on, for its size and the report.
            category: of the shape or its track.
            carried: positions of skeleton points that are outside and not repeated here.

        Raises:
            Fault: it breaks a rule.
        """
        tag = element.tag
        if tag not in SHAPES:
            raise Fault("", f"unknown element {shorten(tag)}, expected one of {', '.join(SHAPES)}")
        shape: Annotation = getattr(self, f"_{tag}")(element, item, category, carried)
        shape.category_id = category.id if category is not None else None
        shape.occluded = flag(element, "occluded")
        shape.z_order = whole(element, "z_order", 0)
        shape.origin = element.attributes.get("source", "manual")
        group = whole(element, "group_id", 0)
        shape.group_id = group or None
        self._attributes(element, item, category, shape)
        own = _OWN.get(tag)
        unknown = {k: v for k, v in element.attributes.items() if k not in _COMMON and (own is None or k not in own)}
        unknown.pop("points" if own is None else "", None)
        if unknown:
            shape.extras.setdefault(NAMESPACE, {})["xml"] = unknown
        return shape

    def _attributes(self, element: Element, item: Item, category: Category | None, shape: Annotation) -> None:
        specs = {spec.name: spec for spec in category.attributes} if category is not None else {}
        for child in element.children:
            name = child.attributes.get("name")
            if child.tag != "attribute":
                if element.tag != "skeleton":
                    raise Fault("", f"unknown element {shorten(child.tag)}, expected attribute")
                continue
            if name is None:
                raise Fault("attribute", "the required attribute name is missing")
            spec = specs.get(name)
            value = typed(child.text, spec.type) if spec is not None else child.text
            if spec is not None and spec.type in ("bool", "int", "float") and isinstance(value, str):
                self.note(item, shape, f"attributes.{name}", f"not of its type {spec.type}, kept as text")
            if spec is not None and spec.type == "select" and spec.values and value not in spec.values:
                self.note(item, shape, f"attributes.{name}", "not among the values of its definition, kept")
            if name in shape.attributes:
                self.note(item, shape, f"attributes.{name}", "given twice, the last one counts")
            shape.attributes[name] = value
            if value_text(value) != child.text:
                shape.extras.setdefault(NAMESPACE, {}).setdefault("attributes", {})[name] = child.text

    # --- geometry -----------------------------------------------------------------------------------------------------
    def _tag(self, element: Element, *_: Any) -> Tag:
        return Tag()

    def _box(self, element: Element, *_: Any) -> Box:
        x0, y0, x1, y1 = (number(element, name) for name in ("xtl", "ytl", "xbr", "ybr"))
        for low, high, name in ((x0, x1, "xbr"), (y0, y1, "ybr")):
            if high < low:
                raise Fault(name, f"expected at least {low}, got {high}")
        return Box(x0, y0, x1, y1, number(element, "rotation", 0.0))

    def _ellipse(self, element: Element, *_: Any) -> Ellipse:
        cx, cy, rx, ry = (number(element, name) for name in ("cx", "cy", "rx", "ry"))
        for value, name in ((rx, "rx"), (ry, "ry")):
            if value < 0:
                raise Fault(name, f"expected a half axis of at least 0, got {value}")
        return Ellipse(cx, cy, rx, ry, number(element, "rotation", 0.0))

    def _polygon(self, element: Element, *_: Any) -> Polygon:
        return Polygon([pairs(element, _LEAST["polygon"])])

    def _polyline(self, element: Element, *_: Any) -> Polyline:
        return Polyline(pairs(element, _LEAST["polyline"]))

    def _points(self, element: Element, *_: Any) -> Points:
        return Points(pairs(element, _LEAST["points"]))

    def _cuboid(self, element: Element, *_: Any) -> Cuboid2D:
        return Cuboid2D(np.array([number(element, name) for name in CUBOID]).reshape(8, 2))

    def _mask(self, element: Element, item: Item, *_: Any) -> Mask:
        text = element.attributes.get("rle")
        if text is None or not _RUNS.fullmatch(text):
            what = "the required attribute is missing" if text is None else f"expected run lengths, got {shorten(text)}"
            raise Fault("rle", what)
        counts = list(map(int, text.split(",")))
        left, top, width, height = (whole(element, name) for name in ("left", "top", "width", "height"))
        total = sum(counts)
        if width < 0 or height < 0:
            raise Fault("width" if width < 0 else "height", "expected a size of at least 0")
        if total != width * height:
            if total != (width + 1) * (height + 1):
                raise Fault("rle", f"the runs of the mask cover {total} pixels, its box has {width * height}")
            width, height = width + 1, height + 1
            self.note(item, "mask", "rle", "width and height are one too small, as some versions of CVAT wrote them")
        shape = (item.height or 0, item.width or 0)
        if item.height is None or item.width is None:
            shape = (max(top, 0) + height, max(left, 0) + width)
            self.note(item, "mask", "", "the size of the image is unknown: the mask ends at its box")
        full = shape
        if element.attributes.get("outside") == "1":  # repeats the mask of an earlier frame, which may be larger
            full = max(shape[0], top + height), max(shape[1], left + width)
        for low, size, limit, field in ((left, width, full[1], "left"), (top, height, full[0], "top")):
            if low < 0 or low + size > limit:
                raise Fault(field, f"the mask is outside the image: {low} to {low + size} of {limit}")
        try:
            rle = Rle.from_counts(counts, (height, width), order="C").place(left, top, full)
            return Mask(rle if full == shape else rle.crop((0, 0, shape[1], shape[0])))
        except (ValueError, MemoryError) as error:
            raise Fault("rle", str(error)) from error

    def _skeleton(self, element: Element, item: Item, category: Category | None, carried: Carried) -> Skeleton:
        names = category.keypoints if category is not None else []
        xy, visibility = np.zeros((len(names), 2)), [0] * len(names)
        for name, place in carried.items():
            if name in names:
                xy[names.index(name)] = place
        more: dict[str, dict[str, Any]] = {}
        seen = set()
        keyframe, source = element.attributes.get("keyframe", "1"), element.attributes.get("source", "manual")
        for child in element.children:
            name = child.attributes.get("label", "")
            if child.tag == "attribute":
                continue
            if child.tag != "points" or name not in names or name in seen:
                raise Fault(f"{child.tag} {name}", "expected the points of the sub-labels of the skeleton, once each")
            seen.add(name)
            at = names.index(name)
            xy[at] = pairs(child, 1)[0]
            outside, occluded = flag(child, "outside"), flag(child, "occluded")
            visibility[at] = 0 if outside else 1 if occluded else 2
            own: dict[str, Any] = {"occluded": True} if outside and occluded else {}
            if child.attributes.get("keyframe", keyframe) != keyframe:
                own["keyframe"] = child.attributes["keyframe"]
            if child.attributes.get("source", source) != source:
                own["source"] = child.attributes["source"]
            values = {e.attributes.get("name", ""): e.text for e in child.all("attribute")}
            if values:
                own["attributes"] = values
            if own:
                more[name] = own
        return Skeleton(xy, visibility, extras={NAMESPACE: {"points": more}} if more else {})
