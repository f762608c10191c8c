"""Writing Open Images."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable
from typing import Any

from maskcodec.errors import shorten
from maskcodec.formats._shared.images import write_png
from maskcodec.formats._shared.jsonio import encode
from maskcodec.formats._shared.labels import numbered
from maskcodec.formats._shared.lines import decimal, write_csv
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.open_images.read import SIDES, TOLERANCE, fraction
from maskcodec.formats.open_images.tables import (
    BOXES,
    FLAGS,
    HIERARCHY,
    IMAGES,
    LABELS,
    MASKS,
    META,
    NAMESPACE,
    mask_name,
    parents_of,
)
from maskcodec.model.annotations import Annotation, Box, Mask
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["arrange", "write"]

_PLACES = {
    "images": ("images-with-rotation", IMAGES),
    "labels": ("annotations-human-imagelabels", LABELS),
    "boxes": ("annotations-bbox", BOXES),
    "masks": ("annotations-object-segmentation", MASKS),
}
_FLAGS = {"is_group_of": "IsGroupOf", "is_depiction": "IsDepiction", "is_inside": "IsInside"}


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


def _fractions(annotation: Annotation) -> bool:
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
        if _fractions(annotation) == known:
            return "the size of the image is unknown, coordinates are fractions of it"
        if not all(map(math.isfinite, sides)) or sides[2] < sides[0] or sides[3] < sides[1]:
            return "it has no finite sides, or the right or bottom one comes first"
    return ""


def _box(box: Box, item: Item, source: Item, report: LossReport) -> None:
    width, height = (1, 1) if _fractions(box) else (item.width or 1, item.height or 1)
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
        if isinstance(annotation, Box) and name in _FLAGS and (type(value) is bool or value in (0, 1)):
            good[name] = bool(value)
        elif isinstance(annotation, Mask) and name == "box_id" and _plain(value):
            good[name] = value
        elif isinstance(annotation, Mask) and name == "predicted_iou" and _finite(value):
            good[name] = float(value)
        else:
            report.drop(source, annotation, f"attributes.{name}", "the row has no place for it, or not for this value")
    annotation.attributes = good


def _finite(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _plain(value: Any) -> bool:
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


class _Tables:
    """Rows of one subset."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, str]]] = {"images": [], "labels": [], "boxes": [], "masks": []}


def write(dataset: Dataset, sink: NullSink, report: LossReport, *, visible: bool = False) -> None:
    """Write the tables of each subset, the classes, their hierarchy, sizes of images, and a PNG for each mask.

    Args:
        dataset: tags, boxes and masks.
        sink: the output.
        report: hears of special losses.
        visible: masks are white (255), not 1.

    Raises:
        ValueError: a label without a name.
    """
    numbered(dataset.schema, report)
    names = _names(dataset.schema, report)
    subsets: dict[str, _Tables] = {}
    meta: list[str] = []
    taken: dict[str, set[str]] = {}
    for item in dataset.items:
        rows = subsets.setdefault(item.subset, _Tables()).rows
        rows["images"].append({"ImageID": str(item.id), "Subset": item.subset, **item.extras.get(NAMESPACE, {})})
        if item.width and item.height:
            meta.append(f"{shlex.quote(str(item.id))} {item.height} {item.width}\n")
        texts: dict[int, list[str]] = {}
        for annotation in item.annotations:
            own = annotation.extras.get(NAMESPACE, {})
            row = {"ImageID": str(item.id), "LabelName": names[annotation.category_id], **own}
            if isinstance(annotation, Mask):
                _mask_row(row, annotation, texts)
                folder = taken.setdefault(item.subset, set())
                row["MaskPath"] = _unique(own.get("MaskPath"), row, folder)
                pixels = annotation.rle.decode() * (255 if visible else 1)
                sink.write(f"masks/{item.subset}/{row['MaskPath']}", write_png(pixels, level=1))
                rows["masks"].append(row)
                continue
            row["Confidence"] = decimal(annotation.score if annotation.score is not None else 1.0)
            if isinstance(annotation, Box):
                _box_row(row, annotation, item, report)
                if annotation.group_id is not None:
                    texts.setdefault(annotation.group_id, [row[name] for name in SIDES])  # type: ignore[arg-type]
                rows["boxes"].append(row)
            else:
                rows["labels"].append(row)
    for subset, tables in (subsets or {"default": _Tables()}).items():
        for kind, (name, columns) in _PLACES.items():
            if tables.rows[kind] or kind == "images":
                sink.write(f"annotations/{subset}-{name}.csv", _csv(tables.rows[kind], columns))
    shown = [(names[c.id], c.extras.get(NAMESPACE, {}).get("display_name", names[c.id])) for c in dataset.schema]
    sink.write("annotations/class-descriptions.csv", write_csv(shown))
    if NAMESPACE in dataset.extras or any(c.parent is not None for c in dataset.schema):
        sink.write(f"annotations/{HIERARCHY}", encode(_tree(dataset, names, report)) + b"\n")
    if meta:
        sink.write(f"annotations/{META}", ("# <image name> <height> <width>\n\n" + "".join(meta)).encode("utf-8"))


def _names(schema: LabelSchema, report: LossReport) -> dict[Any, str]:
    out: dict[Any, str] = {}
    taken: set[str] = set()
    for category in schema:
        if not category.name:
            raise ValueError("a label without a name cannot be written in class-descriptions.csv")
        name, count = category.name, 1
        while name in taken:
            count += 1
            name = f"{category.name}_{count}"
        taken.add(name)
        out[category.id] = name
        if name != category.name:
            report.rename(category.name, None, "name", "labels are known by their names", what="category")
    return out


def _csv(rows: list[dict[str, str]], columns: tuple[str, ...]) -> bytes:
    known = dict.fromkeys(columns)
    more = dict.fromkeys(key for row in rows for key in row if key not in known and key != "fractions")
    header = [*columns, *more]
    return write_csv([header, *([str(row.get(key, "")) for key in header] for row in rows)])


def _unique(given: Any, row: dict[str, str], taken: set[str]) -> str:
    name = given if _plain(given) else mask_name(row["ImageID"], row["LabelName"], row["BoxID"])
    base, count = name.removesuffix(".png"), 1
    while name.casefold() in taken:
        count += 1
        name = f"{base}_{count}.png"
    taken.add(name.casefold())
    return str(name)


def _mask_row(row: dict[str, str], mask: Mask, texts: dict[int, list[str]]) -> None:
    row["BoxID"] = mask.attributes["box_id"]
    if "predicted_iou" in mask.attributes:
        row["PredictedIoU"] = decimal(mask.attributes["predicted_iou"])
    sides = texts.get(mask.group_id) if isinstance(mask.group_id, int) else None
    if sides is None:
        return
    for name, text in zip(SIDES, sides, strict=True):
        old = row.get(f"Box{name}")
        if old is None or abs(float(old) - float(text)) > TOLERANCE / 2:
            row[f"Box{name}"] = text


def _box_row(row: dict[str, str], box: Box, item: Item, report: LossReport) -> None:
    width, height = (1, 1) if _fractions(box) else (item.width or 1, item.height or 1)
    values = (("XMin", "x0", width), ("XMax", "x1", width), ("YMin", "y0", height), ("YMax", "y1", height))
    for name, field, size in values:
        value, old = getattr(box, field), row.get(name)
        if old is not None and float(old) * size == value:
            continue
        share = fraction(value, size)
        if share * size != value:
            report.approximate(item, box, field, "rounded to a fraction of the image size")
        row[name] = decimal(share)
    for name in FLAGS:
        row.setdefault(name, "-1")
    for name, flag in (("IsOccluded", box.occluded), ("IsTruncated", box.truncated)):
        if flag:
            row[name] = "1"
    for name, value in box.attributes.items():
        row[_FLAGS[name]] = "1" if value else "0"


def _tree(dataset: Dataset, names: dict[Any, str], report: LossReport) -> Any:
    """The hierarchy: as it was read, where the parents are still those; else made of the parents."""
    parents = {names[c.id]: c.parent for c in dataset.schema if c.parent is not None}
    kept = dataset.extras.get(NAMESPACE, {}).get("hierarchy")
    if kept is not None:
        found = parents_of(kept)
        if all(found.get(name) == parents.get(name) for name in names.values()):
            return kept
        report.drop(None, None, f"extras.{NAMESPACE}.hierarchy", "the parents of labels are others now")
    below: dict[str, list[str]] = {}
    for name, parent in parents.items():
        below.setdefault(parent, []).append(name)
    number, used = 0, {*names.values(), *below}
    while f"/m/{number}" in used:
        number += 1
    root: dict[str, Any] = {"LabelName": f"/m/{number}", "Subcategory": []}
    done: set[str] = set()
    stack = [(root, name) for name in below if name not in parents]
    while stack:
        above, name = stack.pop()
        done.add(name)
        node: dict[str, Any] = {"LabelName": name}
        above["Subcategory"].append(node)
        if name in below:
            node["Subcategory"] = []
            stack += [(node, child) for child in below[name]]
    for name in _lost(parents, done):
        report.drop(name, None, "parent", "its parents go round in a circle", what="category")
    return root


def _lost(parents: Iterable[str], done: set[str]) -> list[str]:
    return [shorten(name) for name in parents if name not in done]
