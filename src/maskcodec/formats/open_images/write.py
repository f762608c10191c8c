"""Writing Open Images."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

from maskcodec.errors import shorten
from maskcodec.formats._shared.jsonio import encode
from maskcodec.formats._shared.labels import numbered
from maskcodec.formats._shared.lines import decimal, write_csv
from maskcodec.formats._shared.maskpng import write_mask
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.open_images.arrange import FLAG_COLUMNS, in_fractions, plain_name
from maskcodec.formats.open_images.read import SIDES, TOLERANCE, fraction
from maskcodec.formats.open_images.schema import parents_of
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
)
from maskcodec.model.annotations import Box, Mask
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["write"]

_PLACES = {
    "images": ("images-with-rotation", IMAGES),
    "labels": ("annotations-human-imagelabels", LABELS),
    "boxes": ("annotations-bbox", BOXES),
    "masks": ("annotations-object-segmentation", MASKS),
}


class _Tables:
    """Rows of one subset."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, str]]] = {"images": [], "labels": [], "boxes": [], "masks": []}


def write(
    dataset: Dataset,
    sink: NullSink,
    report: LossReport,
    *,
    visible: bool = False,
    depth: int = 1,
    group: str = "keep",
) -> None:
    """Write the tables of each subset, the classes, their hierarchy, sizes of images, and a PNG for each mask.

    Args:
        dataset: tags, boxes and masks.
        sink: the output.
        report: hears of special losses.
        visible: masks are white (255) in 8 bits.
        depth: bits of the pixels of masks, 1, or 8 as CVAT writes them (0 and 1).
        group: "cvat" merges the masks and outlines of a group into one mask, whose largest member leads.

    Raises:
        ValueError: a label without a name, another depth.
    """
    if depth not in (1, 8):
        raise ValueError(f"depth is 1 or 8 bits, got {depth!r}")
    bits = 8 if visible else depth
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
                data = write_mask(annotation.rle, depth=bits, value=255 if visible else 1)
                sink.write(f"masks/{item.subset}/{row['MaskPath']}", data)
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
    name = given if plain_name(given) else mask_name(row["ImageID"], row["LabelName"], row["BoxID"])
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
    width, height = (1, 1) if in_fractions(box) else (item.width or 1, item.height or 1)
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
        row[FLAG_COLUMNS[name]] = "1" if value else "0"


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
