"""The difference of two data sets of any formats, exact to the pixel and to the coordinate."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from maskcodec.formats._shared.conversions import Impossible, mask_of
from maskcodec.model.annotations import (
    Annotation,
    Box,
    Caption,
    Cuboid,
    Ellipse,
    Mask,
    PointMask,
    Points,
    Polygon,
    same_value,
)
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.geometry import bounds

__all__ = ["Change", "Comparison", "compare", "matched"]

_FIELDS = ("group_id", "track_id", "keyframe", "outside", "occluded", "truncated", "is_crowd", "z_order", "score")
_LISTED = 10_000


@dataclass
class Change:
    """One difference.

    Attributes:
        what: "added" and "removed" (items or annotations), "changed".
        item: name of the item.
        annotation: kind and id of the annotation; "" for the item itself.
        field: what differs: "geometry", "category", a shared field, an attribute, "size"...
        before, after: the values, where they are short.
        pixels: number of pixels that differ, for areas.
        distance: largest difference of a coordinate in pixels, for shapes of one kind and number of points.
    """

    what: str
    item: str
    annotation: str = ""
    field: str = ""
    before: Any = None
    after: Any = None
    pixels: int | None = None
    distance: float | None = None

    def __str__(self) -> str:
        sign = {"added": "+", "removed": "-"}.get(self.what, "~")
        parts = [f"{sign} {self.item}"]
        parts += [self.annotation] if self.annotation else []
        text = ": ".join(parts)
        if self.field:
            text += f": {self.field}"
        if self.pixels is not None or self.distance is not None:
            measures = [f"{self.pixels} pixels differ"] if self.pixels is not None else []
            measures += [f"{self.distance:g} px apart"] if self.distance is not None else []
            return f"{text}: {', '.join(measures)}"
        return f"{text}: {self.before!r} -> {self.after!r}" if self.what == "changed" else text


@dataclass
class Comparison:
    """What ``compare`` found.

    Attributes:
        changes: the differences, at most 10,000; ``total`` counts all.
        items, annotations: how many were compared with each other.
        pixels: largest number of pixels by which a mask differs.
        distance: largest difference of a coordinate in pixels.
        gone: how many annotations of each variant, and items, are in the first data set alone.
    """

    changes: list[Change] = field(default_factory=list)
    total: int = 0
    items: int = 0
    annotations: int = 0
    pixels: int = 0
    distance: float = 0.0
    gone: Counter[str] = field(default_factory=Counter)

    def add(self, change: Change) -> None:
        """Enter a difference."""
        self.total += 1
        self.pixels = max(self.pixels, change.pixels or 0)
        self.distance = max(self.distance, change.distance or 0.0)
        if len(self.changes) < _LISTED:
            self.changes.append(change)

    def __bool__(self) -> bool:
        return self.total > 0

    def to_json(self) -> dict[str, Any]:
        """As a dict that JSON can hold."""
        rows = [{k: getattr(c, k) for k in c.__dataclass_fields__ if getattr(c, k) not in (None, "")}
                for c in self.changes]  # fmt: skip
        return {
            "equal": not self.total, "differences": self.total, "items": self.items, "annotations": self.annotations,
            "pixels": self.pixels, "distance": self.distance, "changes": _plain(rows),
        }  # fmt: skip

    def __str__(self) -> str:
        if not self.total:
            return f"equal: {self.items} items, {self.annotations} annotations"
        head = f"{self.total} difference{'s' * (self.total != 1)} ({self.items} items compared)"
        lines = [head, *(f"  {change}" for change in self.changes)]
        if self.total > len(self.changes):
            lines.append(f"  ... and {self.total - len(self.changes)} more")
        if self.pixels or self.distance:
            lines.append(f"largest: {self.pixels} pixels, {self.distance:g} px")
        return "\n".join(lines)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        return value.item()
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def compare(
    a: Dataset, b: Dataset, *, tolerance: float = 0.0, pixels: int = 0, shapes: bool = True, fields: bool = True
) -> Comparison:
    """Compare two data sets item by item and annotation by annotation.

    Items are matched by subset and id, else by their path without its ending, else by its last part where that is
    unique. Annotations of two matched items are matched by category and geometry: equal ones first, then those that
    overlap most, then those of one id.

    Args:
        a: what is expected.
        b: what came out.
        tolerance: coordinates that differ by no more are equal.
        pixels: masks that differ by no more pixels are equal.
        shapes: kinds must be equal; False compares the pixels of areas alone, whatever shape they are.
        fields: compare attributes, the shared fields and the names in the schema too.

    Example:
        >>> from maskcodec import Category, LabelSchema
        >>> def one(x):
        ...     item = Item("a", annotations=[Box(x, 0, 9, 9, category_id=1)])
        ...     return Dataset(LabelSchema([Category(1, "cat")]), [item])
        >>> print(compare(one(1), one(1.5)))
        1 difference (1 items compared)
          ~ a: cat box: geometry: 0.5 px apart
        largest: 0 pixels, 0.5 px
    """
    found = Comparison()
    names = [{category.id: category.name for category in dataset.schema} for dataset in (a, b)]
    one_has, other_has = ({category.name for category in dataset.schema} for dataset in (a, b))
    if fields:
        for name in sorted(one_has ^ other_has):
            found.add(Change("removed" if name in one_has else "added", "categories", name))
    work = _Work(found, names, tolerance, pixels, shapes, fields)
    for one, two in _pairs(a, b):
        if one is None or two is None:
            name = _name(one or two)  # type: ignore[arg-type]
            found.add(Change("added" if one is None else "removed", name))
            if one is not None:
                found.gone.update(["item", *(a.variant for a in one.annotations)])
            continue
        found.items += 1
        work.item(one, two)
    return found


def _name(item: Item) -> str:
    name = item.path if item.path is not None else str(item.id)
    return f"{item.subset}/{name}" if item.subset != "default" else name


def _keys(item: Item) -> list[Any]:
    path = item.path if item.path is not None else str(item.id)
    stem = os.path.splitext(path)[0]
    return [("key", item.key), ("stem", item.subset, stem), ("stem", stem), ("last", stem.rpartition("/")[2])]


def _pairs(a: Dataset, b: Dataset) -> Iterator[tuple[Item | None, Item | None]]:
    """Items of both, matched; those of ``b`` are found by position, so that neither need be in memory."""
    positions: dict[Any, list[int]] = {}
    count = 0
    for place, item in enumerate(b.items):
        count += 1
        for key in _keys(item):
            positions.setdefault(key, []).append(place)
    random = b.items if hasattr(b.items, "__getitem__") else list(b.items)
    left = dict.fromkeys(range(count))

    def found(item: Item) -> int | None:
        for key in _keys(item):
            places = [place for place in positions.get(key, ()) if place in left]
            if len(places) == 1:  # what names two items names none
                return places[0]
        return None

    later: list[Item] = []  # their names are taken by several: whoever has the whole name comes first
    for item in a.items:
        match = found(item)
        if match is None:
            later.append(item)
        else:
            del left[match]
            yield item, random[match]
    for item in later:
        match = found(item)
        if match is None:
            yield item, None
        else:
            del left[match]
            yield item, random[match]
    for place in left:
        yield None, random[place]


def matched(a: Dataset, b: Dataset) -> Iterator[tuple[str, Item, Item]]:
    """Name and both sides of the items that are in both data sets, matched as ``compare`` does."""
    for one, two in _pairs(a, b):
        if one is not None and two is not None:
            yield _name(one), one, two


@dataclass
class _Work:
    found: Comparison
    names: list[dict[Any, str]]
    tolerance: float
    pixels: int
    shapes: bool
    fields: bool

    def item(self, one: Item, two: Item) -> None:
        name = _name(one)
        for what in ("width", "height"):
            x, y = getattr(one, what), getattr(two, what)
            if None not in (x, y) and x != y:
                self.found.add(Change("changed", name, "", what, x, y))
        pairs, gone, new = self._match(one, two)
        self.found.annotations += len(pairs)
        for x, y in pairs:
            self._annotation(name, x, y, one, two)
        self.found.gone.update(x.variant for x in gone)
        for x in gone:
            self.found.add(Change("removed", name, self._label(x, 0)))
        for y in new:
            self.found.add(Change("added", name, self._label(y, 1)))

    def _label(self, annotation: Annotation, side: int) -> str:
        category = self.names[side].get(annotation.category_id, "")
        parts = [category, annotation.variant.replace("_", " ")]
        parts += [f"id {annotation.id}"] if annotation.id is not None else []
        return " ".join(part for part in parts if part)

    def _match(
        self, one: Item, two: Item
    ) -> tuple[list[tuple[Annotation, Annotation]], list[Annotation], list[Annotation]]:
        pairs: dict[int, int] = {}
        left = dict.fromkeys(range(len(two.annotations)))
        table: dict[Any, list[int]] = {}
        for j, y in enumerate(two.annotations):
            table.setdefault(self._exact(y, 1), []).append(j)
        for i, x in enumerate(one.annotations):
            alike = table.get(self._exact(x, 0))
            if alike:
                pairs[i] = alike.pop(0)
                del left[pairs[i]]
        scores = []
        rest = [i for i in range(len(one.annotations)) if i not in pairs]
        for i in rest:
            for j in left:
                score = self._likeness(one.annotations[i], two.annotations[j])
                if score > 0:
                    scores.append((-score, i, j))
        for _, i, j in sorted(scores):
            if i not in pairs and j in left:
                pairs[i] = j
                del left[j]
        matched = [(one.annotations[i], two.annotations[j]) for i, j in sorted(pairs.items())]
        gone = [x for i, x in enumerate(one.annotations) if i not in pairs]
        return matched, gone, [two.annotations[j] for j in left]

    def _exact(self, annotation: Annotation, side: int) -> Any:
        values = []
        for value in _geometry(annotation):
            values.append((value.shape, value.tobytes()) if isinstance(value, np.ndarray) else value)
        name = self.names[side].get(annotation.category_id)
        return annotation.kind, name, tuple(values)

    def _likeness(self, x: Annotation, y: Annotation) -> float:
        """0 for shapes that cannot be one; more the more they are alike."""
        same_name = self.names[0].get(x.category_id) == self.names[1].get(y.category_id)
        same_id = x.id is not None and x.id == y.id
        areas = (Box, Ellipse, Mask, Polygon)
        if x.kind != y.kind and not same_id and not (isinstance(x, areas) and isinstance(y, areas)):
            return 0.0
        p, q = bounds(x), bounds(y)
        if p is None or q is None:
            return (same_name + same_id) if x.kind == y.kind else 0.0
        width, height = min(p[2], q[2]) - max(p[0], q[0]), min(p[3], q[3]) - max(p[1], q[1])
        if width < 0 or height < 0:
            return 0.25 * same_id
        both = width * height
        union = (p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]) - both
        score = (both / union if union > 0 else 1.0) + 0.5 * same_name + 0.25 * same_id + 1e-9
        return score / 2 if self.shapes and x.kind != y.kind else score

    def _annotation(self, name: str, x: Annotation, y: Annotation, one: Item, two: Item) -> None:
        label = self._label(x, 0)
        mine, other = self.names[0].get(x.category_id), self.names[1].get(y.category_id)
        if mine != other:
            self.found.add(Change("changed", name, label, "category", mine, other))
        if not all(same_value(p, q) for p, q in zip(_geometry(x), _geometry(y), strict=False)) or x.kind != y.kind:
            self._shape(name, label, x, y, one, two)
        if not self.fields:
            return
        for what in _FIELDS:
            p, q = getattr(x, what), getattr(y, what)
            if p != q:
                self.found.add(Change("changed", name, label, what, p, q))
        for key in dict.fromkeys([*x.attributes, *y.attributes]):
            p, q = x.attributes.get(key), y.attributes.get(key)
            if not same_value(p, q, types=True):
                self.found.add(Change("changed", name, label, f"attributes.{key}", p, q))

    def _shape(self, name: str, label: str, x: Annotation, y: Annotation, one: Item, two: Item) -> None:
        pixels = distance = None
        areas = (Box, Ellipse, Mask, Polygon)
        if isinstance(x, areas) and isinstance(y, areas) and (isinstance(x, Mask) or isinstance(y, Mask)
                                                              or x.kind != y.kind):  # fmt: skip
            pixels = _pixels(x, y, one, two)
        if x.kind == y.kind and not isinstance(x, Mask):
            distance = _distance(x, y)
        small = (pixels is None or pixels <= self.pixels) and (distance is None or distance <= self.tolerance)
        if small and (pixels is not None or distance is not None) and (x.kind == y.kind or not self.shapes):
            self.found.pixels = max(self.found.pixels, pixels or 0)
            self.found.distance = max(self.found.distance, distance or 0.0)
            return
        change = Change("changed", name, label, "geometry", pixels=pixels, distance=distance)
        if x.kind != y.kind and self.shapes:
            change.field = "kind"
            change.before, change.after = x.variant, y.variant
            change.pixels = None
            self.found.add(change)
            if pixels:
                self.found.add(Change("changed", name, label, "geometry", pixels=pixels))
            return
        if pixels is None and distance is None:
            change.before, change.after = _short(x), _short(y)
        self.found.add(change)


def _geometry(annotation: Annotation) -> list[Any]:
    names = {
        "box": ("x0", "y0", "x1", "y1", "rotation"), "ellipse": ("cx", "cy", "rx", "ry", "rotation"),
        "polyline": ("points",), "points": ("xy", "visibility"), "skeleton": ("xy", "visibility"), "mask": ("rle",),
        "cuboid2d": ("points",), "cuboid": ("position", "dimensions", "yaw", "quaternion"),
        "pointmask": ("indices",), "caption": ("text",),
    }  # fmt: skip
    if isinstance(annotation, Polygon):
        return [annotation.holes, *annotation.rings]
    values = [getattr(annotation, name) for name in names.get(annotation.kind, ())]
    return [tuple(value) if isinstance(value, list) else value for value in values]


def _short(annotation: Annotation) -> Any:
    if isinstance(annotation, Caption):
        return annotation.text
    if isinstance(annotation, (Points, PointMask)):
        return f"{len(annotation.xy if isinstance(annotation, Points) else annotation.indices)} points"
    if isinstance(annotation, Cuboid):
        return (*annotation.position, *annotation.dimensions, annotation.yaw)
    return annotation.variant


def _pixels(x: Annotation, y: Annotation, one: Item, two: Item) -> int | None:
    """Pixels that only one of them covers; None where that cannot be said."""
    sized = one if one.width is not None and one.height is not None else two
    try:
        p, q = mask_of(x, sized), mask_of(y, sized)
        return int((p ^ q).area)
    except (Impossible, ValueError):
        return None


def _distance(x: Annotation, y: Annotation) -> float | None:
    """Largest difference of a coordinate; None where the numbers of points differ."""
    largest = 0.0
    mine, other = _geometry(x), _geometry(y)
    if len(mine) != len(other):
        return None
    for p, q in zip(mine, other, strict=True):
        if p is None or q is None or isinstance(p, str):
            if not same_value(p, q):
                return None
            continue
        p, q = np.asarray(p, float), np.asarray(q, float)
        if p.shape != q.shape:
            return None
        if p.size:
            with np.errstate(invalid="ignore"):
                apart = np.where((p == q) | (np.isnan(p) & np.isnan(q)), 0.0, np.abs(p - q))
            largest = max(largest, float(apart.max()) if not np.isnan(apart).any() else float("inf"))
    return largest
