"""Annotations to elements of CVAT XML, as text."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maskcodec.errors import FormatError
from maskcodec.formats._shared.lines import two_decimals
from maskcodec.formats._shared.xmlout import escape, quoted
from maskcodec.formats.cvat_xml.attributes import NAMESPACE, Definitions, typed, value_text
from maskcodec.formats.cvat_xml.shapes import CUBOID
from maskcodec.model.annotations import Annotation, Box, Cuboid2D, Ellipse, Mask, Points, Polygon, Polyline
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["KEY", "Renderer", "mark"]

KEY = "\x03"  # stands for the key frame flag of a shape until its whole track is known
_NAMES = {"cuboid2d": "cuboid"}
_LEAST = {"polygon": 3, "polyline": 2, "points": 1}
Pairs = list[tuple[str, str]]


def mark(position: int) -> str:
    """Stands for the frame number of an item until those of all items are known."""
    return f"\x01{position}\x01"


class _Unwritable(Exception):
    """A shape that the format cannot hold; the text says why."""


class Renderer:
    """Writes shapes; what it has to change goes to the report.

    Args:
        schema: of the data set; labels are known by name, so ids become positions.
        report: hears of losses.
        decimals: of coordinates; None: as many as needed, at least 2.
    """

    def __init__(self, schema: LabelSchema, report: LossReport, decimals: int | None) -> None:
        self.report, self.decimals, self.one_size = report, decimals, False  # True: of all frames, told by the masks
        self.definitions = Definitions(schema.categories, report)
        self.categories: dict[Any, Category] = {c.id: c for c in schema.categories}
        self.renumbered = {c.id for n, c in enumerate(schema.categories, 1) if c.id != n or type(c.id) is not int}
        for category in schema.categories:
            if category.id in self.renumbered:
                report.rename(category.name, None, "id", "labels are known by name", what="category")

    def category(self, item: Item, annotation: Annotation) -> Category | None:
        """Category of an annotation; None when it has none."""
        if annotation.category_id is None:
            return None
        category = self.categories.get(annotation.category_id)
        if category is None:
            self.report.drop(item, annotation, "category_id", "not in the schema")
        elif category.id in self.renumbered:
            self.report.rename(item, annotation, "category_id", "labels are known by name")
        return category

    # --- geometry -----------------------------------------------------------------------------------------------------
    def _numbers(self, item: Item, shape: Annotation, values: np.ndarray[Any, Any]) -> list[str]:
        flat = values.ravel()
        if self.decimals is None:
            if np.array_equal(np.round(flat, 2), flat) and (not len(flat) or np.abs(flat).max() < 1e9):
                return ("%.2f " * len(flat) % tuple(flat.tolist())).split()
            return list(map(two_decimals, flat.tolist()))
        texts = [f"{value:.{self.decimals}f}" for value in flat.tolist()]
        if any(float(text) != value for text, value in zip(texts, flat.tolist(), strict=True)):
            self.report.approximate(item, shape, "", f"coordinates rounded to {self.decimals} decimals")
        return texts

    def _points(self, item: Item, shape: Annotation, xy: np.ndarray[Any, Any]) -> str:
        texts = self._numbers(item, shape, xy)
        return ";".join(map(",".join, zip(texts[::2], texts[1::2], strict=True)))

    def _angle(self, item: Item, shape: Box | Ellipse) -> Pairs:
        turned = shape.rotation % 360
        if turned != shape.rotation:
            self.report.approximate(item, shape, "rotation", "angles are 0 to 360 degrees")
        return [("rotation", two_decimals(turned))] if turned else []

    def geometry(self, item: Item, shape: Annotation) -> Pairs:
        """Attributes of the geometry."""
        if isinstance(shape, Box):
            corners = np.array([[shape.x0, shape.y0], [shape.x1, shape.y1]], np.float64)
            if not np.isfinite(corners).all() or not math.isfinite(shape.rotation):
                raise _Unwritable("coordinates are not finite")
            if (corners[1] < corners[0]).any():
                self.report.approximate(item, shape, "", "corners put in order")
                corners.sort(axis=0)
            texts = self._numbers(item, shape, corners)
            return [*zip(("xtl", "ytl", "xbr", "ybr"), texts, strict=True), *self._angle(item, shape)]
        if isinstance(shape, Ellipse):
            values = np.array([shape.cx, shape.cy, shape.rx, shape.ry], np.float64)
            if not np.isfinite(values).all() or (values[2:] < 0).any() or not math.isfinite(shape.rotation):
                raise _Unwritable("not a finite ellipse")
            texts = self._numbers(item, shape, values)
            return [*zip(("cx", "cy", "rx", "ry"), texts, strict=True), *self._angle(item, shape)]
        if isinstance(shape, Mask):
            return self._mask(item, shape)
        xy: Any = None
        if isinstance(shape, Polygon):
            xy = shape.rings[0] if shape.rings else np.empty((0, 2))
        elif isinstance(shape, (Polyline, Cuboid2D)):
            xy = shape.points
        elif isinstance(shape, Points):
            xy = shape.xy
        if xy is None:
            return []
        if not np.isfinite(xy).all():
            raise _Unwritable("coordinates are not finite")
        if len(xy) < _LEAST.get(shape.kind, 1):
            raise _Unwritable(f"a {shape.kind} has at least {_LEAST.get(shape.kind, 1)} points")
        if isinstance(shape, Cuboid2D):
            return list(zip(CUBOID, self._numbers(item, shape, xy), strict=True))
        if isinstance(shape, Points) and shape.visibility is not None and any(v != 2 for v in shape.visibility):
            self.report.default(item, shape, "visibility", "loose points are all visible")
        return [("points", self._points(item, shape, xy))]

    def _mask(self, item: Item, shape: Mask) -> Pairs:
        rle = shape.rle
        x, y, w, h = rle.bbox
        if not rle.area:
            raise _Unwritable("an empty mask has no box")
        if item.width is not None and item.height is not None and rle.shape != (item.height, item.width):
            raise _Unwritable("the mask has another size than the image")
        if not self.one_size and None in (item.width, item.height) and rle.shape != (y + h, x + w):
            self.report.approximate(item, shape, "rle", "its size is lost: that of the image is unknown")
        runs = ", ".join(map(str, rle.crop((x, y, x + w, y + h)).to_counts("C")))
        return [("rle", runs), ("left", str(x)), ("top", str(y)), ("width", str(w)), ("height", str(h))]

    # --- whole shapes -------------------------------------------------------------------------------------------------
    def attributes(self, item: Item, shape: Annotation, category: Category | None, indent: str) -> str:
        """The ``attribute`` elements."""
        kept = shape.extras.get(NAMESPACE, {}).get("attributes", {})
        out = []
        for name, value in shape.attributes.items():
            kind = self.definitions.type_of(category, name, value)
            text = value_text(value)
            if name in kept and typed(kept[name], kind) == value:
                text = kept[name]
            again = typed(text, kind)
            if type(again) is not type(value) or again != value:
                self.report.approximate(item, shape, f"attributes.{name}", f"written as the text of a {kind}")
            out.append(f"{indent}<attribute{quoted([('name', name)])}>{escape(text)}</attribute>\n")
        return "".join(out)

    def shape(self, item: Item, shape: Annotation, group: str | None, position: int | None, source: str = "") -> str:
        """One element with everything in it; "" when it cannot be written.

        Args:
            item: that it stands on.
            shape: what is to be written.
            group: text of its group; None when the track says it, or there is none.
            position: of the item among all items when it is part of a track, else None.
            source: of the track; said again when it differs.
        """
        category = self.category(item, shape)
        try:
            return self._shape(item, shape, category, group, position, source)
        except FormatError as error:
            record = f"{item.subset}/{item.id}: {shape.variant}"
            raise FormatError(error.message, file="annotations.xml", record=record) from error

    def _shape(
        self, item: Item, shape: Annotation, category: Category | None, group: str | None, position: int | None,
        source: str,
    ) -> str:  # fmt: skip
        tag = _NAMES.get(shape.kind, shape.kind)
        names = category.keypoints if category is not None else []
        if isinstance(shape, Points) and tag == "skeleton" and len(names) != len(shape.xy):
            self.report.approximate(item, shape, "", "written as points: its label defines other points")
            tag = "points"
        try:
            geometry = [] if tag == "skeleton" else self.geometry(item, shape)
        except _Unwritable as reason:
            self.report.drop(item, shape, "", str(reason))
            return ""
        origin = shape.origin if shape.origin is not None else "manual"
        if shape.origin is None:
            self.report.default(item, shape, "origin", "the source of an annotation: manual")
        z_order = math.floor(shape.z_order + 0.5)
        if z_order != shape.z_order:
            self.report.approximate(item, shape, "z_order", "rounded to a whole number")
        key = "1" if shape.keyframe else KEY
        drawn = tag not in ("skeleton", "tag")
        pairs: Pairs = []
        if position is None:
            pairs += [("label", category.name if category is not None else ""), ("source", origin)]
        else:
            pairs += [("frame", mark(position)), ("keyframe", key)]
            if drawn:
                pairs += [("outside", str(int(shape.outside)))]
            if origin != source:
                pairs += [("source", origin)]
        if drawn or shape.occluded:
            pairs += [("occluded", str(int(shape.occluded)))]
        pairs += geometry
        if tag != "tag" or z_order:
            pairs += [("z_order", str(z_order))]
        if group is not None:
            pairs += [("group_id", group)]
        pairs += [(k, str(v)) for k, v in shape.extras.get(NAMESPACE, {}).get("xml", {}).items()]
        body = self.attributes(item, shape, category, "      ")
        if tag == "skeleton":
            body += self._elements(item, shape, names, key if position is not None else None)  # type: ignore[arg-type]
        start = "    <" + tag + "".join(_pair(k, v) for k, v in pairs) + ">\n"
        return f"{start}{body}    </{tag}>\n"

    def _elements(self, item: Item, shape: Points, names: list[str], key: str | None) -> str:
        kept = shape.extras.get(NAMESPACE, {}).get("points", {})
        visible = list(shape.visibility) if shape.visibility is not None else [2] * len(names)
        if shape.outside and any(visible):
            visible = [0] * len(names)
            self.report.default(item, shape, "visibility", "no point of an outside skeleton is visible")
        elif key is not None and not any(visible) and not shape.outside:
            self.report.default(item, shape, "outside", "a skeleton without a visible point is outside")
        xy = np.where(np.isfinite(shape.xy), shape.xy, 0)
        if not np.isfinite(shape.xy).all():
            self.report.approximate(item, shape, "xy", "coordinates that are not finite become 0")
        texts = self._numbers(item, shape, xy)
        origin = shape.origin if shape.origin is not None else "manual"
        out = []
        for at, (name, seen) in enumerate(zip(names, visible, strict=True)):
            own = kept.get(name, {})
            pairs: Pairs = [("label", name)]
            if key is not None:
                pairs += [("keyframe", own.get("keyframe", key))]
            pairs += [("outside", str(int(not seen)))]
            hidden = seen == 1 or (not seen and own.get("occluded", False))
            pairs += [("occluded", str(int(hidden))), ("source", own.get("source", origin))]
            pairs += [("points", f"{texts[2 * at]},{texts[2 * at + 1]}")]
            out.append("      <points" + "".join(_pair(k, v) for k, v in pairs) + ">\n")
            for attribute, text in own.get("attributes", {}).items():
                out.append(f"        <attribute{quoted([('name', attribute)])}>{escape(text)}</attribute>\n")
            out.append("      </points>\n")
        return "".join(out)


def _pair(name: str, text: str) -> str:
    """One attribute; marks that stand for later numbers pass unchecked."""
    if name in ("frame", "keyframe"):
        return f' {name}="{text}"'
    return quoted([(name, text)])
