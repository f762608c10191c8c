"""What the tables of Open Images can say of annotations."""

from __future__ import annotations

import math
import re
from typing import Any

from maskcodec.formats.open_images.read import TOLERANCE
from maskcodec.formats.open_images.tables import NAMESPACE
from maskcodec.model.annotations import Annotation, Box, Mask
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["FLAG_COLUMNS", "arrange", "in_fractions", "plain_name"]

FLAG_COLUMNS = {"is_group_of": "IsGroupOf", "is_depiction": "IsDepiction", "is_inside": "IsInside"}


def arrange(item: Item, source: Item, report: LossReport) -> None:
    """Bring annotations into what the tables can say."""
    masks = [a for a in item.annotations if isinstance(a, Mask)]
    if masks and not (item.width and item.height):
        item.height, item.width = masks[0].rle.shape
        report.default(source, None, "width", "the size of the image is unknown, that of a mask counts")
        report.default(source, None, "height", "the size of the image is unknown, that of a mask counts")
    kept: list[Annotation] = []
    for annotation in item.annotations:
        reason = _reason(annotation, item)
        if reason:
            report.drop(source, annotation, "", reason)
            continue
        if isinstance(annotation, Box):
            _box(annotation, item, source, report)
        if annotation.kind != "mask" and (annotation.score is None or not math.isfinite(annotation.score)):
            annotation.score = 1.0
            report.default(source, annotation, "score", "every row has a confidence")
        _attributes(annotation, source, report)
        kept.append(annotation)
    item.annotations = kept
    _box_ids([a for a in kept if isinstance(a, Mask)], source, report)
    _groups(kept, source, report)


def in_fractions(annotation: Annotation) -> bool:
    """Whether coordinates are fractions of an image whose size is unknown."""
    return "fractions" in annotation.extras.get(NAMESPACE, {})


def _reason(annotation: Annotation, item: Item) -> str:
    """Why an annotation cannot be written."""
    known = bool(item.width and item.height)
    if isinstance(annotation, Mask):
        if annotation.rle.shape != (item.height, item.width):
            return "the mask has another size than the image"
        return "" if known else "the image has no pixels"
    if isinstance(annotation, Box):
        sides = (annotation.x0, annotation.y0, annotation.x1, annotation.y1)
        if in_fractions(annotation) == known:
            return "the size of the image is unknown, coordinates are fractions of it"
        if not all(map(math.isfinite, sides)) or sides[2] < sides[0] or sides[3] < sides[1]:
            return "it has no finite sides, or the right or bottom one comes first"
    return ""


def _box(box: Box, item: Item, source: Item, report: LossReport) -> None:
    width, height = (1, 1) if in_fractions(box) else (item.width or 1, item.height or 1)
    for name, limit in (("x0", width), ("y0", height), ("x1", width), ("y1", height)):
        value = getattr(box, name)
        if not -TOLERANCE * limit <= value <= limit * (1 + TOLERANCE):
            setattr(box, name, float(min(max(value, 0), limit)))
            report.approximate(source, box, name, "cut off at the border of the image")
    if box.is_crowd:
        box.is_crowd = False
        box.attributes = {**box.attributes, "is_group_of": True}
        report.approximate(source, box, "is_crowd", "written as IsGroupOf")


def _attributes(annotation: Annotation, source: Item, report: LossReport) -> None:
    good: dict[str, Any] = {}
    for name, value in annotation.attributes.items():
        if isinstance(annotation, Box) and name in FLAG_COLUMNS and (type(value) is bool or value in (0, 1)):
            good[name] = bool(value)
        elif isinstance(annotation, Mask) and name == "box_id" and plain_name(value):
            good[name] = value
        elif isinstance(annotation, Mask) and name == "predicted_iou" and _finite(value):
            good[name] = float(value)
        else:
            report.drop(source, annotation, f"attributes.{name}", "the row has no place for it, or not for this value")
    annotation.attributes = good


def _finite(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def plain_name(value: Any) -> bool:
    """Whether a value can be the name of a file."""
    return type(value) is str and value not in ("", ".", "..") and not re.search(r"[/\\\x00-\x1f]", value)


def _box_ids(masks: list[Mask], source: Item, report: LossReport) -> None:
    used: set[Any] = set()
    for mask in masks:
        if mask.attributes.get("box_id") in used:
            report.rename(source, mask, "attributes.box_id", "two masks of an image have one number")
            mask.attributes = {key: value for key, value in mask.attributes.items() if key != "box_id"}
        used.add(mask.attributes.get("box_id"))
    number = 0
    for mask in masks:
        if "box_id" not in mask.attributes:
            while f"{number:08x}" in used:
                number += 1
            used.add(f"{number:08x}")
            mask.attributes = {"box_id": f"{number:08x}", **mask.attributes}
            report.default(source, mask, "attributes.box_id", "every mask has a number in its image")


def _groups(annotations: list[Annotation], source: Item, report: LossReport) -> None:
    """Groups are those of a box and the masks of its label; they are numbered from 1."""
    boxes: dict[Any, Box] = {}
    first: dict[Any, Box] = {}
    for box in annotations:
        if isinstance(box, Box):
            one = first.setdefault((box.category_id, box.x0, box.x1, box.y0, box.y1), box)
            if box.group_id is not None:
                boxes.setdefault((box.group_id, box.category_id), one)
    numbers: dict[int, int] = {}
    given: dict[int, int] = {}
    for mask in annotations:
        linked = boxes.get((mask.group_id, mask.category_id)) if isinstance(mask, Mask) else None
        if linked is not None:
            number = numbers.setdefault(id(linked), len(numbers) + 1)
            given[id(mask)] = given[id(linked)] = number
    for annotation in annotations:
        now = given.get(id(annotation))
        if annotation.group_id is not None and now is None:
            report.drop(source, annotation, "group_id", "a group is a box and the masks of its label")
        elif annotation.group_id != now:
            report.rename(source, annotation, "group_id", "groups are numbered in each image")
        annotation.group_id = now
