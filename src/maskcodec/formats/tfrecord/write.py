"""Writing TFRecord files of the TensorFlow object detection API."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

from maskcodec.errors import shorten
from maskcodec.formats._shared.images import write_png
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.tfrecord.labelmap import write_map
from maskcodec.formats.tfrecord.read import BOX, EXTRA, FLAGS, NAMESPACE, Embedded
from maskcodec.formats.tfrecord.wire import example, framed
from maskcodec.model.annotations import Annotation, Box, Caption, Mask, Tag
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["arrange", "write"]

_SHARED = (*FLAGS.values(), "category_id")


def _fractions(annotation: Annotation) -> bool:
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
        if _fractions(annotation) == bool(item.width and item.height):
            return "the size of the image is unknown, coordinates are fractions of it"
        if not all(map(math.isfinite, sides)) or sides[2] < sides[0] or sides[3] < sides[1]:
            return "it has no finite sides, or the right or bottom one comes first"
    return ""


def _round(box: Box, item: Item, source: Item, report: LossReport) -> None:
    """Coordinates as they will be read: fractions of the image size in 32 bits."""
    width, height = (1, 1) if _fractions(box) else (item.width or 1, item.height or 1)
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


def write(
    dataset: Dataset, sink: NullSink, report: LossReport, *, masks: bool = True, ascii_only: bool = False
) -> None:
    """Write a file of records for each subset, and ``label_map.pbtxt``.

    Args:
        dataset: boxes, masks, tags, captions.
        sink: the output.
        report: hears of special losses.
        masks: write the masks, not only their boxes.
        ascii_only: names of labels are written without other letters; those left empty are an error.

    Raises:
        ValueError: a label without a name, or two of one name.
    """
    labels = _labels(dataset, report, ascii_only)
    files: dict[str, Any] = {}
    try:
        for item in dataset.items:
            if item.subset not in files:
                files[item.subset] = sink.open(f"{item.subset}.tfrecord")
            image = dataset.media.embedded(item) if isinstance(dataset.media, Embedded) else b""
            files[item.subset].write(framed(_record(item, labels, image, masks, report)))
        if not files:
            files["default"] = sink.open("default.tfrecord")
    finally:
        for stream in files.values():
            stream.close()
    own = {c.id: c.extras.get(NAMESPACE, {}) for c in dataset.schema}
    sink.write("label_map.pbtxt", write_map([(number, name, own[key]) for key, (number, name) in labels.items()]))


def _labels(dataset: Dataset, report: LossReport, ascii_only: bool) -> dict[Any, tuple[int, str]]:
    """Number and name of each category: its place, from 1."""
    out: dict[Any, tuple[int, str]] = {}
    taken: set[str] = set()
    for at, category in enumerate(dataset.schema, 1):
        if category.id != at or type(category.id) is not int:
            report.rename(category.name, None, "id", "labels are numbered from 1 without gaps", what="category")
        name = category.name.encode("ascii", "ignore").decode() if ascii_only else category.name
        base, count = name, 1
        if not name:
            raise ValueError(f"label {shorten(category.name)} has no name that can be written")
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        if name != category.name:
            text = "labels are known by their names" if not ascii_only else "written in ASCII"
            report.rename(category.name, None, "name", text, what="category")
        out[category.id] = at, name
    return out


def _record(item: Item, labels: dict[Any, tuple[int, str]], image: bytes, masks: bool, report: LossReport) -> bytes:
    own = item.extras.get(NAMESPACE, {})
    objects: list[list[Annotation]] = []
    for part in item.annotations:
        if isinstance(part, Box):
            objects.append([part])
        elif isinstance(part, Mask) and masks:
            objects[-1].append(part)
        elif isinstance(part, Mask):
            report.drop(item, part, "", "masks are not asked for")
    features: dict[str, Any] = {
        "image/filename": [str(item.path or "").encode("utf-8")],
        "image/source_id": [str(item.attributes.get("source_id", "")).encode("utf-8")],
        "image/height": [item.height or 0],
        "image/width": [item.width or 0],
        "image/encoded": [image],
        "image/format": [str(own.get("format", "")).encode("utf-8")],
    }
    if image or "sha256" in own:
        features["image/key/sha256"] = [own.get("sha256", hashlib.sha256(image).hexdigest()).encode()]
    if objects:
        _objects(features, item, objects, labels)
    tags = [labels[a.category_id] for a in item.annotations if isinstance(a, Tag)]
    if tags:
        features["image/class/text"] = [name.encode("utf-8") for _, name in tags]
        features["image/class/label"] = [number for number, _ in tags]
    captions = [a.text.encode("utf-8", "replace") for a in item.annotations if isinstance(a, Caption)]
    if captions:
        features["image/caption"] = captions
    for key, raw in own.get("features", {}).items():
        if key.startswith("image/object/") and own.get("#objects") != len(objects):
            report.drop(item, None, f"extras.{NAMESPACE}.features", "the image has another number of objects now")
        else:
            features[key] = raw
    return example(features)


def _objects(
    features: dict[str, Any], item: Item, objects: list[list[Annotation]], labels: dict[Any, tuple[int, str]]
) -> None:
    rows = []
    for parts in objects:
        box: Any = parts[0]
        w, h = (1, 1) if _fractions(box) else (item.width or 1, item.height or 1)
        rows.append((box.x0 / w, box.x1 / w, box.y0 / h, box.y1 / h))
    sides = np.array(rows, np.float64).astype(np.float32)
    for at, key in enumerate(BOX):
        features[key] = sides[:, at]
    named = [labels.get(parts[0].category_id, (0, "")) for parts in objects]
    features["image/object/class/text"] = [name.encode("utf-8") for _, name in named]
    features["image/object/class/label"] = [number for number, _ in named]
    for name, field in FLAGS.items():
        flags = [int(getattr(parts[0], field)) for parts in objects]
        if any(flags):
            features[f"image/object/{name}"] = flags
    for name, kind in EXTRA.items():
        found = [parts[0].attributes.get(name) for parts in objects]
        if any(value is not None for value in found):
            plain = [value or 0 for value in found]
            features[f"image/object/{name}"] = list(map(int, plain)) if kind == "int" else np.array(plain, np.float32)
    if any(len(parts) > 1 for parts in objects):
        features["image/object/mask"] = [_png(parts[1]) if len(parts) > 1 else b"" for parts in objects]


def _png(mask: Any) -> bytes:
    return write_png(mask.rle.decode(), level=1)


