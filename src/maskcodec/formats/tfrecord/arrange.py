"""Objects of a record: a box, with a mask or without."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from maskcodec.formats.tfrecord.objects import EXTRA, FLAGS
from maskcodec.formats.tfrecord.read import NAMESPACE
from maskcodec.model.annotations import Annotation, Box, Caption, Mask
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["arrange", "in_fractions"]

_SHARED = (*FLAGS.values(), "category_id")


def in_fractions(annotation: Annotation) -> bool:
    """Whether coordinates are fractions of an image whose size is unknown."""
    return "fractions" in annotation.extras.get(NAMESPACE, {})


def arrange(item: Item, source: Item, report: LossReport) -> None:
    """Bring annotations into objects: a box, with a mask or without; everything else behind them."""
    first = next((a for a in item.annotations if isinstance(a, Mask)), None)
    if first is not None and not (item.width and item.height):
        item.height, item.width = first.rle.shape
        for name in ("width", "height"):
            report.default(source, None, name, "the size of the image is unknown, that of a mask counts")
    boxes: list[Box] = []
    masks: list[Mask] = []
    rest: list[Annotation] = []
    for annotation in item.annotations:
        reason = _reason(annotation, item)
        if reason:
            report.drop(source, annotation, "", reason)
        elif isinstance(annotation, Box):
            _round(annotation, item, source, report)
            boxes.append(annotation)
        elif isinstance(annotation, Mask):
            masks.append(annotation)
        else:
            if isinstance(annotation, Caption) and annotation.category_id is not None:
                report.drop(source, annotation, "category_id", "a caption is a text alone")
                annotation.category_id = None
            rest.append(annotation)
    objects = _pairs(item, boxes, masks, source, report)
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
            return "the size of the image is unknown, coordinates are fractions of it"
        if not all(map(math.isfinite, sides)) or sides[2] < sides[0] or sides[3] < sides[1]:
            return "it has no finite sides, or the right or bottom one comes first"
    return ""


def _round(box: Box, item: Item, source: Item, report: LossReport) -> None:
    """Coordinates as they will be read: fractions of the image size in 32 bits."""
    width, height = (1, 1) if in_fractions(box) else (item.width or 1, item.height or 1)
    for name, size in (("x0", width), ("y0", height), ("x1", width), ("y1", height)):
        value = getattr(box, name)
        now = float(np.float32(value / size)) * size
        if now != value:
            report.approximate(source, box, name, "rounded to a fraction of the image size, in 32 bits")
            setattr(box, name, now)


def _pairs(
    item: Item, boxes: list[Box], masks: list[Mask], source: Item, report: LossReport
) -> list[list[Annotation]]:
    """Objects in their order: boxes, each with the mask of its group and label; then masks, each with its box."""
    waiting: dict[Any, list[Mask]] = {}
    for mask in masks:
        if mask.group_id is not None:
            waiting.setdefault((mask.group_id, mask.category_id), []).append(mask)
    partner: dict[int, Mask] = {}
    for box in boxes:
        found = waiting.get((box.group_id, box.category_id))
        if box.group_id is not None and found:
            partner[id(box)] = found.pop(0)
    used = {id(mask) for mask in partner.values()}
    objects: list[list[Annotation]] = [[box, partner[id(box)]] if id(box) in partner else [box] for box in boxes]
    for mask in masks:
        if id(mask) not in used:
            x, y, w, h = mask.rle.bbox
            lone = Box(x, y, x + w, y + h, **{name: getattr(mask, name) for name in _SHARED})
            lone.attributes = {key: value for key, value in mask.attributes.items() if key in EXTRA}
            lone.group_id = mask.group_id
            _round(lone, item, source, report)
            report.default(source, mask, "", "a mask stands beside its box, which was added")
            objects.append([lone, mask])
    group = 0
    for parts in objects:
        group += len(parts) > 1
        number = group if len(parts) > 1 else None
        for part in parts:
            if part.group_id is not None and number is None:
                report.drop(source, part, "group_id", "a group is a box and its mask")
            elif part.group_id != number:
                report.rename(source, part, "group_id", "groups are numbered in each image")
            part.group_id = number
        for part in parts[1:]:
            for name in FLAGS.values():
                if getattr(part, name) != getattr(parts[0], name):
                    setattr(part, name, getattr(parts[0], name))
                    report.approximate(source, part, name, "a box and its mask are one object, that of the box counts")
    return objects


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
