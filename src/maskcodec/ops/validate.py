"""Everything that is wrong with a data set, in one pass."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.model.annotations import (
    Annotation,
    Box,
    Cuboid,
    Cuboid2D,
    Ellipse,
    Mask,
    PointMask,
    Points,
    Polygon,
    Polyline,
    Skeleton,
)
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.geometry import ring_area
from maskcodec.model.losses import LossReport, item_name
from maskcodec.model.schema import AttributeSpec

__all__ = ["Problem", "Recorded", "check", "validate"]


@dataclass
class Problem:
    """One thing that is wrong.

    Attributes:
        severity: "error" (the data breaks a rule) or "warning" (it is allowed, and likely a mistake).
        rule: short name of the rule.
        message: what was found and what was expected.
        item: name of the item, or file and record, as in the errors of readers.
        annotation: kind and id; "" where it is about the item or the data set.
        field: the field concerned.
    """

    severity: str
    rule: str
    message: str
    item: str = ""
    annotation: str = ""
    field: str = ""

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.item, self.annotation, self.field) if part)
        return f"{self.severity}: {place + ': ' if place else ''}{self.message} [{self.rule}]"

    def to_json(self) -> dict[str, str]:
        """As a dict that JSON can hold."""
        return {key: value for key, value in asdict(self).items() if value}


class Recorded(LossReport):
    """A report that keeps every entry, not examples alone."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[tuple[str, str, str, str, str]] = []
        self.fault = False  # while a reader enters what would have stopped it had it been strict

    def add(self, action: str, item: Any, annotation: Any, field: str, reason: str, **more: Any) -> None:
        """Enter a loss; arguments as of ``LossReport.add``."""
        kind = annotation if isinstance(annotation, str) or annotation is None else _label(annotation)
        severity = "error" if self.fault else "warning"
        self.entries.append((severity, item_name(item), kind or "", field, reason))
        super().add(action, item, annotation, field, reason, **more)


def validate(path: str | os.PathLike[str], format: str | None = None, *, media: bool = False, **options: Any) -> Any:
    """All problems of a data set on disk: those that reading it strictly would stop at, and those of ``check``.

    Args:
        path: folder, zip or file.
        format: format to read; None: by content.
        media: look at the image files too: whether they are there, and have the size that the items say.
        options: of the reader.

    Returns:
        A list of ``Problem``, errors of reading first.

    Raises:
        UnknownFormatError: no format fits.
    """
    from maskcodec import registry
    from maskcodec.formats._base import Source

    class Watched(Source):
        def problem(self, *args: Any, **more: Any) -> None:
            report = self.report
            if isinstance(report, Recorded):
                report.fault = True
            try:
                super().problem(*args, **more)
            finally:
                if isinstance(report, Recorded):
                    report.fault = False

    source = Watched(path, on_error="skip")
    first, source.report = source.report, Recorded()
    source.report.merge(first)
    problems = [Problem("error", "reading", loss.reason, name, kind, loss.field) for loss in first
                for name, kind in loss.examples or [("", "")]]  # fmt: skip
    try:
        dataset = registry._read(source, format, options)
        found = list(check(dataset, media=media))
    except FormatError as error:
        if not isinstance(error, FormatError) or error.__class__ is not FormatError:
            raise
        found = [Problem("error", "reading", error.message, ": ".join(filter(None, (error.file, error.record))), "",
                         error.field)]  # fmt: skip
    for severity, name, kind, field, reason in source.report.entries:
        problems.append(Problem(severity, "reading", reason, name, kind, field))
    return problems + found


def check(dataset: Dataset, *, media: bool = False) -> Iterator[Problem]:
    """Problems of a data set in memory or half read: references, geometry, attributes.

    Args:
        dataset: is passed once.
        media: look at the image files too.

    Example:
        >>> item = Item("a", width=9, height=9, annotations=[Box(1, 1, 1, 3, category_id=5)])
        >>> for problem in check(Dataset(items=[item])):
        ...     print(problem)
        error: a: box: category_id: no category 5 in the schema [category]
        error: a: box: no width or no height: (1, 1, 1, 3) [extent]
    """
    yield from _schema(dataset)
    state = _State(dataset)
    for item in dataset.items:
        yield from state.item(item)
        if media:
            yield from _media(dataset, item)
    yield from state.end()


def _schema(dataset: Dataset) -> Iterator[Problem]:
    ids: set[Any] = set()
    names: set[str] = set()
    for category in dataset.schema:
        if category.id in ids:
            yield Problem("error", "unique", f"two categories have the id {category.id!r}", "categories")
        if category.name in names:
            yield Problem("warning", "unique", f"two categories have the name {category.name!r}", "categories")
        if not category.name:
            yield Problem("error", "name", f"the category {category.id!r} has no name", "categories")
        ids.add(category.id)
        names.add(category.name)
        count = len(category.keypoints)
        for edge in category.skeleton:
            if not all(1 <= end <= count for end in edge):
                text = f"edge {tuple(edge)} of {count} points, which count from 1"
                yield Problem("error", "skeleton", text, "categories", category.name, "skeleton")
    background = dataset.schema.background
    if background is not None and background not in ids:
        yield Problem("error", "category", f"no category {background!r} in the schema", "schema", "", "background")


def _label(annotation: Annotation) -> str:
    kind = annotation.variant.replace("_", " ")
    return f"{kind} id {annotation.id}" if annotation.id is not None else kind


class _State:
    """What must be unique, and is known of all items seen."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.schema = dataset, dataset.schema
        self.keys: set[Any] = set()
        self.paths: set[Any] = set()
        self.ids: set[Any] = set()
        self.tracks: set[Any] = set()
        self.frames: set[Any] = set()

    def item(self, item: Item) -> Iterator[Problem]:
        name = item_name(item)
        if item.key in self.keys:
            yield Problem("error", "unique", "two items have this subset and id", name)
        self.keys.add(item.key)
        if item.path is not None:
            if (item.subset, item.path) in self.paths:
                yield Problem("warning", "unique", f"two items have the path {item.path}", name, "", "path")
            self.paths.add((item.subset, item.path))
        if item.sequence is not None and item.frame is not None:
            frame = (item.subset, item.sequence, item.sensor, item.frame)
            if frame in self.frames:
                yield Problem("warning", "unique", f"two frames {item.frame} of {item.sequence}", name, "", "frame")
            self.frames.add(frame)
        for side in ("width", "height"):
            value = getattr(item, side)
            if value is not None and value <= 0:
                yield Problem("error", "size", f"{side} of {value} pixels", name, "", side)
        yield from _values(item.attributes, self.schema.attributes, name, "")
        own = {a.id for a in item.annotations if a.id is not None}
        shapes: dict[Any, str] = {}
        for annotation in item.annotations:
            label = _label(annotation)
            for severity, rule, message, field in self._annotation(annotation, item, own):
                yield Problem(severity, rule, message, name, label, field)
            if annotation.category_id is not None and annotation.category_id in self.schema:
                specs = self.schema.by_id(annotation.category_id).attributes
                yield from _values(annotation.attributes, specs, name, label)
            same = _same(annotation)
            if same in shapes:
                yield Problem("warning", "duplicate", f"the same shape and category as {shapes[same]}", name, label)
            elif same is not None:
                shapes[same] = label

    def _annotation(self, a: Annotation, item: Item, own: set[Any]) -> Iterator[tuple[str, str, str, str]]:
        if a.category_id is not None and a.category_id not in self.schema:
            yield "error", "category", f"no category {a.category_id!r} in the schema", "category_id"
        if a.id is not None:
            key = (item.subset, a.kind, a.id)  # files are by subset and, in families, by kind: each counts from 1
            if key in self.ids:
                yield "warning", "unique", f"the id {a.id!r} is used more than once in the subset", "id"
            self.ids.add(key)
        if a.parent_id is not None and a.parent_id not in own:
            yield "error", "parent", f"no annotation {a.parent_id!r} in the item", "parent_id"
        if a.track_id is not None:
            self.tracks.add(a.track_id)
        if a.score is not None and not 0 <= a.score <= 1:
            yield "warning", "score", f"expected a score from 0 to 1, got {a.score}", "score"
        for rule, message in _geometry(a, item):
            severity = "warning" if rule in ("outside", "area", "empty") else "error"
            yield severity, rule, message, ""
        if isinstance(a, Skeleton) and a.category_id is not None and a.category_id in self.schema:
            count = len(self.schema.by_id(a.category_id).keypoints)
            if count and count != len(a.xy):
                yield "error", "keypoints", f"{len(a.xy)} points, its category has {count}", "xy"

    def end(self) -> Iterator[Problem]:
        for track in self.dataset.tracks.values():
            if track.id not in self.tracks:
                yield Problem("warning", "track", "no annotation belongs to it", "tracks", str(track.id))
            if track.category_id is not None and track.category_id not in self.schema:
                text = f"no category {track.category_id!r} in the schema"
                yield Problem("error", "category", text, "tracks", str(track.id), "category_id")


def _numbers(a: Annotation) -> Any:
    if isinstance(a, Box):
        return [a.x0, a.y0, a.x1, a.y1, a.rotation]
    if isinstance(a, Ellipse):
        return [a.cx, a.cy, a.rx, a.ry, a.rotation]
    if isinstance(a, Polygon):
        return np.concatenate([ring.reshape(-1) for ring in a.rings]) if a.rings else []
    if isinstance(a, Points):
        return a.xy
    if isinstance(a, (Polyline, Cuboid2D)):
        return a.points
    if isinstance(a, Cuboid):
        return [*a.position, *a.dimensions, a.yaw, *(a.quaternion or ())]
    return []


def _geometry(a: Annotation, item: Item) -> Iterator[tuple[str, str]]:
    numbers = np.asarray(_numbers(a), float).reshape(-1)
    if not np.isfinite(numbers).all():
        yield "finite", "a coordinate is not a finite number"
        return
    if isinstance(a, Box) and (a.x1 <= a.x0 or a.y1 <= a.y0):
        yield "extent", f"no width or no height: ({a.x0:g}, {a.y0:g}, {a.x1:g}, {a.y1:g})"
    elif isinstance(a, Ellipse) and (a.rx <= 0 or a.ry <= 0):
        yield "extent", f"half axes of {a.rx:g} and {a.ry:g}"
    elif isinstance(a, Cuboid) and min(a.dimensions) <= 0:
        yield "extent", f"dimensions {tuple(a.dimensions)}"
    elif isinstance(a, Polygon):
        yield from _polygon(a)
    elif isinstance(a, Polyline) and len(a.points) < 2:
        yield "points", f"{len(a.points)} points, a polyline has at least 2"
    elif isinstance(a, Points):
        if not len(a.xy):
            yield "empty", "no points"
        bad = sorted({v for v in a.visibility or () if v not in (0, 1, 2)})
        if bad:
            yield "visibility", f"expected 0, 1 or 2, got {shorten(bad)}"
    elif isinstance(a, Mask):
        if None not in (item.width, item.height) and a.rle.shape != (item.height, item.width):
            yield "size", f"the mask is {a.rle.shape}, the item {(item.height, item.width)} (height, width)"
        if not a.rle.area:
            yield "empty", "the mask has no pixels"
    elif isinstance(a, PointMask):
        if not len(a.indices):
            yield "empty", "no points"
        elif int(a.indices.min()) < 0:
            yield "points", f"index {int(a.indices.min())}"
    yield from _inside(a, item)


def _polygon(a: Polygon) -> Iterator[tuple[str, str]]:
    if not a.rings:
        yield "points", "no rings"
    for at, ring in enumerate(a.rings):
        distinct = len(np.unique(ring, axis=0))
        if distinct < 3:
            yield "points", f"ring {at} has {distinct} different points, at least 3 are needed"
        elif ring.shape[1] == 2 and ring_area(ring) == 0:
            yield "area", f"ring {at} has no area"


def _inside(a: Annotation, item: Item) -> Iterator[tuple[str, str]]:
    if item.width is None or item.height is None or isinstance(a, (Mask, Cuboid)):
        return
    if isinstance(a, (Box, Ellipse)) and a.rotation:
        return  # corners of turned boxes may stick out
    if isinstance(a, Box):
        xy = np.array([[a.x0, a.y0], [a.x1, a.y1]], float)
    elif isinstance(a, Ellipse):
        xy = np.array([[a.cx - a.rx, a.cy - a.ry], [a.cx + a.rx, a.cy + a.ry]], float)
    elif isinstance(a, Polygon) and a.variant != "polygon3d" and a.rings:
        xy = np.concatenate(a.rings)
    elif isinstance(a, Points) and a.xy.shape[1] == 2:
        seen = np.asarray(a.visibility) > 0 if a.visibility is not None else slice(None)
        xy = a.xy[seen]
    elif isinstance(a, (Polyline, Cuboid2D)) and a.points.shape[1] == 2:
        xy = a.points
    else:
        return
    if not len(xy):
        return
    over = max(float(-xy.min()), float(xy[:, 0].max()) - item.width, float(xy[:, 1].max()) - item.height)
    if over > 0:
        yield "outside", f"sticks out of the image of {item.width} x {item.height} by {over:g} px"


_TYPES: dict[str, Callable[[Any, AttributeSpec], bool]] = {
    "int": lambda v, s: isinstance(v, int) and not isinstance(v, bool),
    "float": lambda v, s: isinstance(v, (int, float)) and not isinstance(v, bool) and math.isfinite(v),
    "bool": lambda v, s: isinstance(v, bool),
    "text": lambda v, s: isinstance(v, str),
    "select": lambda v, s: v in s.values,
    "multiselect": lambda v, s: isinstance(v, (list, tuple)) and all(one in s.values for one in v),
}


def _values(values: dict[str, Any], specs: list[AttributeSpec], item: str, label: str) -> Iterator[Problem]:
    known = {spec.name: spec for spec in specs}
    for name, value in values.items():
        spec = known.get(name)
        if spec is None or value is None or _TYPES[spec.type](value, spec):
            continue
        choices = f" of {shorten(spec.values)}" if spec.type.endswith("select") else ""
        text = f"expected {spec.type}{choices}, got {shorten(value)}"
        yield Problem("warning", "attribute", text, item, label, f"attributes.{name}")


def _same(a: Annotation) -> Any:
    """What two annotations share that are drawn twice; None for kinds without a shape."""
    if isinstance(a, Mask):
        return "mask", a.category_id, a.rle, a.track_id
    numbers = np.asarray(_numbers(a), float).reshape(-1)
    if not numbers.size or isinstance(a, Skeleton):
        return None
    return a.kind, a.category_id, numbers.tobytes(), a.track_id


def _media(dataset: Dataset, item: Item) -> Iterator[Problem]:
    from maskcodec.formats._shared.images import image_size

    name = item_name(item)
    stream = dataset.media.open_media(item) if dataset.media is not None else None
    if stream is None:
        yield Problem("warning", "media", f"no file {item.path or 'of a known name'}", name, "", "path")
        return
    if item.media != "image":
        stream.close()
        return
    try:
        with stream:
            width, height = image_size(stream, str(item.path))
    except FormatError as error:
        yield Problem("error", "media", error.message, name, "", "path")
        return
    if None not in (item.width, item.height) and (width, height) != (item.width, item.height):
        text = f"the image is {width} x {height}, its item says {item.width} x {item.height}"
        yield Problem("error", "media", text, name, "", "width")
