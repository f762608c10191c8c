"""Writing VGGFace2."""

from __future__ import annotations

import re
from typing import Any

from maskcodec.errors import shorten
from maskcodec.formats._shared.jsonio import encode
from maskcodec.formats._shared.labels import numbered
from maskcodec.formats._shared.lines import decimal, extent, write_csv
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.vgg_face2.read import BOX, MARKS, NO_LABEL, label_of, merged, parents
from maskcodec.model.annotations import Annotation, Box, Points, Tag
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["admits", "by_label", "write"]


def admits(annotation: Annotation, schema: LabelSchema) -> str:
    """What speaks against an annotation."""
    if annotation.category_id is not None and annotation.category_id in schema:
        name = schema.by_id(annotation.category_id).name
        if re.search(r"[/\\\x00-\x1f]", name) or name != name.strip() or name in ("", ".", "..", NO_LABEL):
            return "the label cannot be the name of a folder"
    if isinstance(annotation, Points) and len(annotation.xy) != 5:
        return "the format has sets of five points"
    return ""


def by_label(item: Item, source: Item, report: LossReport, schema: LabelSchema) -> None:
    """One annotation of a kind, all of one label, which is the folder of the image."""
    found: dict[str, Annotation] = {}
    for kind in ("box", "points", "tag"):
        for annotation in (a for a in item.annotations if a.kind == kind):
            if kind in found:
                report.drop(source, annotation, "", f"an image has one {kind}")
            elif any(other.category_id != annotation.category_id for other in found.values()):
                report.drop(source, annotation, "", "it has another label than the box or the points of its image")
            elif kind == "tag" and "points" in found:
                report.drop(source, annotation, "", "the folder of the image says it, beside landmarks nothing else")
            else:
                found[kind] = annotation
    points = found.get("points")
    if isinstance(points, Points) and points.visibility is not None:
        if any(value != 2 for value in points.visibility):
            report.drop(source, points, "visibility", "the format has no place for it")
        points.visibility = None
    item.annotations = list(found.values())
    key = next((a.category_id for a in found.values()), None)
    label = schema.by_id(key).name if key is not None and key in schema else None
    name = str(item.id)
    if label is None and label_of(name) is not None:
        name = f"{NO_LABEL}/{name}"
    elif label is not None and label_of(name) != label:
        name = f"{label}/{name.removeprefix(f'{NO_LABEL}/')}"
    if name != item.id:
        report.rename(source, None, "id", "an image lies in the folder of its label")
        if item.path is not None:
            item.path = name + item.path[len(str(item.id)) :]
        item.id = name


def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    """Write ``bb_landmark/loose_bb_*.csv``, ``loose_landmark_*.csv`` and ``labels.txt``.

    Args:
        dataset: one box, five points and one tag an image.
        sink: the output.
        report: hears of special losses.

    Raises:
        ValueError: a label that cannot stand on a line, or two images of one name.
    """
    used: dict[str, None] = {}
    lists: dict[str, tuple[list[str], dict[str, list[str]], dict[str, list[str]]]] = {}
    for item in dataset.items:
        order, boxes, marks = lists.setdefault(item.subset, ([], {}, {}))
        name = str(item.id)
        if name in boxes or name in marks:
            raise ValueError(f"two images of {shorten(item.subset)} come to the name {shorten(name)}")
        order.append(name)
        label = label_of(name)
        used |= {label: None} if label is not None else {}
        for annotation in item.annotations:
            if isinstance(annotation, Box):
                x, y = annotation.x0, annotation.y0
                sizes = [extent(x, annotation.x1), extent(y, annotation.y1)]
                boxes[name] = [name, decimal(x), decimal(y), *sizes]
            elif isinstance(annotation, Points):
                marks[name] = [name, *map(decimal, annotation.xy.ravel().tolist())]
        tagged = any(isinstance(annotation, Tag) for annotation in item.annotations)
        if name not in marks and (tagged or name not in boxes):
            marks[name] = [name, *[""] * 10]
    _labels(dataset.schema, sink, report, used)
    for subset, (order, boxes, marks) in (lists or {"default": ([], {}, {})}).items():
        if merged(boxes, marks) != order:
            text = "images come back sorted, as some have boxes alone and others have none"
            report.approximate(None, None, "items", text, what="dataset")
        sink.write(f"bb_landmark/loose_landmark_{subset}.csv", write_csv([MARKS, *marks.values()]))
        if boxes:
            sink.write(f"bb_landmark/loose_bb_{subset}.csv", write_csv([BOX, *boxes.values()]))


def _labels(schema: LabelSchema, sink: NullSink, report: LossReport, used: dict[str, Any]) -> None:
    """``labels.txt``, and ``dataset_meta.json`` where blanks in names leave it open what is a label."""
    numbered(schema, report)
    rows, labels = [], []
    for category in schema.categories:
        row = f"{category.name} {category.parent}" if category.parent else category.name
        words = (category.name, category.parent or "")
        if not category.name or any(word != word.strip() or re.search(r"[\r\n]", word) for word in words):
            raise ValueError(f"label {shorten(row)} cannot be written in labels.txt (line end or blanks)")
        if category.name in labels:
            raise ValueError(f"two labels have the name {shorten(category.name)}")
        rows.append(row)
        labels.append(category.name)
    if rows:
        sink.write("labels.txt", "".join(f"{row}\n" for row in rows).encode("utf-8"))
    if parents(rows, used, False) != [(c.name, c.parent or None) for c in schema.categories]:
        sink.write("dataset_meta.json", encode({"labels": labels}) + b"\n")
