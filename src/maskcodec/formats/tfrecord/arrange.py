"""Objects of a record: a box, with or without a mask and key points."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maskcodec.formats.tfrecord.objects import EXTRA, FLAGS, NAMESPACE
from maskcodec.model.annotations import Annotation, Box, Caption, Mask, Skeleton
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["arrange", "in_fractions"]

_SAME = (*FLAGS.values(), "track_id")


def in_fractions(annotation: Annotation) -> bool:
    """Whether coordinates are fractions of an image whose size is unknown."""
    return "fractions" in annotation.extras.get(NAMESPACE, {})


def arrange(item: Item, source: Item, report: LossReport, schema: LabelSchema) -> None:
    """Bring annotations into objects: a box, its mask, its key points; everything else behind them."""
    first = next((a for a in item.annotations if isinstance(a, Mask)), None)
    if first is not None and not (item.width and item.height):
        item.height, item.width = first.rle.shape
        for name in ("width", "height"):
            report.default(source, None, name, "the size of the image is unknown, that of a mask counts")
    boxes: list[Box] = []
    more: list[Mask | Skeleton] = []
    rest: list[Annotation] = []
    for skeleton in item.annotations:
        if isinstance(skeleton, Skeleton) and skeleton.visibility is None:
            skeleton.visibility = [2] * len(skeleton.xy)
            report.default(source, skeleton, "visibility", "points of unknown visibility are visible")
    most = max((len(a.xy) for a in item.annotations if isinstance(a, Skeleton)), default=0)
    for annotation in item.annotations:
        reason = _reason(annotation, item) or _count(annotation, most, schema)
        if reason:
            report.drop(source, annotation, "", reason)
            continue
        if annotation.track_id is not None and not _is_track(annotation.track_id):
            report.drop(source, annotation, "track_id", "a track is a whole number from 0 on, of 63 bits")
            annotation.track_id = None
        if isinstance(annotation, Box):
            _round(annotation, item, source, report)
            boxes.append(annotation)
        elif isinstance(annotation, (Mask, Skeleton)):
            if isinstance(annotation, Skeleton):
                _round_points(annotation, item, source, report)
            more.append(annotation)
        else:
            if isinstance(annotation, Caption) and annotation.category_id is not None:
                report.drop(source, annotation, "category_id", "a caption is a text alone")
                annotation.category_id = None
            rest.append(annotation)
    objects = _objects(item, boxes, more, source, report)
    _same(objects, source, report)
    _attributes(objects, source, report)
    item.annotations = [part for parts in objects for part in parts] + rest


def _reason(annotation: Annotation, item: Item) -> str:
    """Why an annotation cannot be written."""
    if isinstance(annotation, Mask):
        if annotation.rle.shape != (item.height, item.width):
            return "the mask has another size than the image"
        return "" if annotation.rle.area else "an empty mask has no box"
    if isinstance(annotation, Box):
        sides = (annotation.x0, annotation.y0, annotation.x1, annotation.y1)
        if in_fractions(annotation) == bool(item.width and item.height):
            return _UNKNOWN
        if not all(map(math.isfinite, sides)) or sides[2] < sides[0] or sides[3] < sides[1]:
            return "it has no finite sides, or the right or bottom one comes first"
    if isinstance(annotation, Skeleton):
        if in_fractions(annotation) == bool(item.width and item.height):
            return _UNKNOWN
        if not any(annotation.visibility or ()):
            return "key points none of which is labelled are none"
        return "" if np.isfinite(annotation.xy).all() else "it has a point that is no finite number"
    return ""


def _count(annotation: Annotation, most: int, schema: LabelSchema) -> str:
    """Why the number of points of a skeleton cannot be written."""
    if not isinstance(annotation, Skeleton) or len(annotation.xy) == most:
        return ""
    known = annotation.category_id in schema and schema.by_id(annotation.category_id).keypoints  # type: ignore[arg-type]
    return "" if known else "others of the image have more points, and its category does not name them"


def _is_track(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**63


_UNKNOWN = "the size of the image is unknown, coordinates are fractions of it"


def _round_points(skeleton: Skeleton, item: Item, source: Item, report: LossReport) -> None:
    scale = np.array((1, 1) if in_fractions(skeleton) else (item.width or 1, item.height or 1), np.float64)
    now = (skeleton.xy / scale).astype(np.float32).astype(np.float64) * scale
    if not np.array_equal(now, skeleton.xy):
        report.approximate(source, skeleton, "xy", "rounded to a fraction of the image size, in 32 bits")
        skeleton.xy = now


def _round(box: Box, item: Item, source: Item, report: LossReport) -> None:
    """Coordinates as they will be read: fractions of the image size in 32 bits."""
    width, height = (1, 1) if in_fractions(box) else (item.width or 1, item.height or 1)
    for name, size in (("x0", width), ("y0", height), ("x1", width), ("y1", height)):
        value = getattr(box, name)
        now = float(np.float32(value / size)) * size
        if now != value:
            report.approximate(source, box, name, "rounded to a fraction of the image size, in 32 bits")
            setattr(box, name, now)


def _objects(
    item: Item, boxes: list[Box], more: list[Mask | Skeleton], source: Item, report: LossReport
) -> list[list[Annotation]]:
    """Boxes with the mask and the key points of their group and label; then masks and key points, with a new box."""
    waiting: dict[Any, list[Mask | Skeleton]] = {}
    for part in more:
        if part.group_id is not None:
            waiting.setdefault((part.group_id, part.category_id, part.kind), []).append(part)
    used: set[int] = set()
    objects: list[list[Annotation]] = []
    for first in (*boxes, *sorted(more, key=lambda part: isinstance(part, Skeleton))):
        if id(first) in used:
            continue
        used.add(id(first))
        parts: list[Annotation] = [first]
        if not isinstance(first, Box):
            parts = [_box_of(first, item, source, report), first]
        for kind in ("mask", "skeleton") if first.group_id is not None else ():
            found = waiting.get((first.group_id, first.category_id, kind), [])
            found = [part for part in found if id(part) not in used]
            if found and kind != first.kind:
                used.add(id(found[0]))
                parts.append(found[0])
        objects.append(parts)
    return objects


def _box_of(part: Mask | Skeleton, item: Item, source: Item, report: LossReport) -> Box:
    """The box that a mask or key points without one stand beside."""
    if isinstance(part, Mask):
        x, y, w, h = part.rle.bbox
        sides = (x, y, x + w, y + h)
    else:
        xy = part.xy[np.asarray(part.visibility) > 0]
        sides = (*xy.min(axis=0).tolist(), *xy.max(axis=0).tolist())
    box = Box(*sides, category_id=part.category_id, **{name: getattr(part, name) for name in _SAME})
    box.attributes = {key: value for key, value in part.attributes.items() if key in EXTRA}
    box.group_id = part.group_id
    if in_fractions(part):
        box.extras = {NAMESPACE: {"fractions": True}}
    _round(box, item, source, report)
    report.default(source, part, "", "it stands beside its box, which was added")
    return box


def _same(objects: list[list[Annotation]], source: Item, report: LossReport) -> None:
    """Parts of an object are tied by a group, and have what the box has."""
    group = 0
    for parts in objects:
        group += len(parts) > 1
        number = group if len(parts) > 1 else None
        for part in parts:
            if part.group_id is not None and number is None:
                report.drop(source, part, "group_id", "a group is a box with its mask or key points")
            elif part.group_id != number:
                report.rename(source, part, "group_id", "groups are numbered in each image")
            part.group_id = number
        for part in parts[1:]:
            for name in _SAME:
                if getattr(part, name) != getattr(parts[0], name):
                    setattr(part, name, getattr(parts[0], name))
                    report.approximate(source, part, name, "the parts are one object, that of the box counts")


def _attributes(objects: list[list[Annotation]], source: Item, report: LossReport) -> None:
    """An attribute that an object has, all of the image have; a box and its mask have the same."""
    used: dict[str, None] = {}
    for parts in objects:
        for part in parts:
            kept: dict[str, Any] = {}
            for name, value in part.attributes.items():
                flag = EXTRA.get(name) == "int" and type(value) is bool
                number = EXTRA.get(name) == "float" and type(value) in (int, float) and math.isfinite(value)
                if flag or number:
                    kept[name] = value if flag else float(np.float32(value))
                    if kept[name] != value:
                        report.approximate(source, part, f"attributes.{name}", "rounded to 32 bits")
                else:
                    report.drop(source, part, f"attributes.{name}", "the record has no place for it, or for this value")
            part.attributes = kept
            used.update(dict.fromkeys(kept))
    for parts in objects:
        for part in parts:
            for name in used:
                value = parts[0].attributes.get(name, False if EXTRA[name] == "int" else 0.0)
                if name not in part.attributes:
                    report.default(source, part, f"attributes.{name}", "other objects of the image have a value")
                elif part.attributes[name] != value:
                    report.approximate(source, part, f"attributes.{name}", "that of the box counts")
                part.attributes = {**part.attributes, name: value}
