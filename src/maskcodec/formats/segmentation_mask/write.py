"""Writing segmentation masks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from maskcodec.errors import shorten
from maskcodec.formats._shared.labels import Label, numbered, write_label_map
from maskcodec.formats._shared.pixelmaps import color_of, color_png, paint
from maskcodec.formats._shared.png import write_png
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.segmentation_mask.pairs import NAMESPACE
from maskcodec.idmaps import voc_palette
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["Classes", "MapWriter", "object_numbers", "write"]

_PALETTE = voc_palette()
_TAKEN = ((0, 0, 0), (224, 224, 192))


class Classes:
    """The table of labels of a data set: numbers and colours of its categories, with a background among them.

    Args:
        schema: of the data set.
        report: hears of what the table changes.
        unique: colours stand for classes, so no two may be equal.
        add: put a background first where there is none; else black pixels need no label.

    Raises:
        ValueError: two categories of one colour.
    """

    def __init__(self, schema: LabelSchema, report: LossReport, *, unique: bool = True, add: bool = True) -> None:
        self.background = _background(schema)
        if self.background is not None and schema.background != self.background.id:
            report.default(None, None, "background", "the label of this name is the background", what="schema")
        first = 1 if self.background is None and add else 0
        self.numbers: dict[Any, int] = numbered(schema, report, first)
        self.labels = [Label(category.name) for category in schema.categories]
        colors = _colors(schema, self.background, report, unique)
        for label, color in zip(self.labels, colors, strict=True):
            label.color = color
        self.colors = dict(zip((c.id for c in schema.categories), colors, strict=True))
        if first and self.labels:
            self.labels.insert(0, Label("background", (0, 0, 0)))
            report.default("background", None, "", "maps need a class for pixels without object", what="category")
            report.default(None, None, "background", "maps need a class for pixels without object", what="schema")


def _background(schema: LabelSchema) -> Category | None:
    """The category that is the background: the one the schema names, else the one of this name."""
    named = [c for c in schema.categories if c.id == schema.background and schema.background is not None]
    return next(iter(named + [c for c in schema.categories if c.name == "background"]), None)


def _colors(
    schema: LabelSchema, background: Category | None, report: LossReport, unique: bool
) -> list[tuple[int, int, int]]:
    owners: dict[tuple[int, ...], str] = {}
    for category in schema.categories:
        color = category.color
        if color is None or category is background:
            continue
        if len(color) == 4:
            report.drop(category.name, None, "color", "a colour of a map has no alpha", what="category")
        if color[:3] == (0, 0, 0):
            continue  # gets another one below
        if color[:3] in owners and unique:
            names = f"{shorten(owners[color[:3]])} and {shorten(category.name)}"
            raise ValueError(f"labels {names} have one colour, {color[:3]}; a map by index can hold them")
        owners[color[:3]] = category.name
    rest = (color_of(value) for value in range(1, 1 << 24))  # should the palette not do
    free = chain((tuple(color) for color in _PALETTE[1:].tolist()), rest)
    out: list[tuple[int, int, int]] = []
    for category in schema.categories:
        color = category.color[:3] if category.color is not None else None
        if category is background:
            if color is not None and color != (0, 0, 0):
                report.approximate(category.name, None, "color", "the background is black", what="category")
            elif color is None:
                report.default(category.name, None, "color", "the background is black", what="category")
            out.append((0, 0, 0))
            continue
        if color is None or color == (0, 0, 0):
            text = "a class of a map needs a colour, not that of the background"
            tell = report.default if color is None else report.approximate
            tell(category.name, None, "color", text, what="category")
            color = next(color for color in free if color not in owners and color not in _TAKEN)
            owners[color] = category.name
        out.append((color[0], color[1], color[2]))
    return out


def object_numbers(item: Item, masks: Sequence[Mask], most: int, report: LossReport) -> list[int]:
    """Numbers of the objects of a map: their ids, where these ascend from 1 on, else their places.

    Raises:
        ValueError: more objects than a map can number.
    """
    if len(masks) > most:
        raise ValueError(f"{shorten(item.id)} has {len(masks)} objects, the map holds {most}; mode='index' holds 65535")
    ids = [mask.id for mask in masks]
    if all(type(i) is int and 0 < i <= most for i in ids) and all(a < b for a, b in zip(ids, ids[1:], strict=False)):  # type: ignore[operator]
        return ids  # type: ignore[return-value]
    for number, mask in enumerate(masks, 1):
        if mask.id is not None and mask.id != number:
            report.rename(item, mask, "id", "an object is known by its number in the map")
    return list(range(1, len(masks) + 1))


class MapWriter:
    """Writes ``SegmentationClass`` and ``SegmentationObject``.

    Args:
        schema: of the data set.
        sink: the output.
        report: hears of losses.
        mode: "rgb", "palette" or "index".
    """

    def __init__(self, schema: LabelSchema, sink: NullSink, report: LossReport, mode: str) -> None:
        if mode not in ("rgb", "palette", "index"):
            raise ValueError(f'mode is "rgb", "palette" or "index", got {mode!r}')
        self.sink, self.report, self.mode = sink, report, mode
        self.classes = Classes(schema, report, unique=mode == "rgb")
        if mode != "rgb" and len(self.classes.labels) > 255:
            raise ValueError(f"{len(self.classes.labels)} classes, a map by index holds 255")
        if mode == "palette":
            for label in self.classes.labels:
                label.color = None
            for category in schema.categories:
                if category.color is not None:
                    text = "a palette has the colours of VOC"
                    report.approximate(category.name, None, "color", text, what="category")

    def item(self, item: Item) -> int:
        """Write the maps of an image and return its number of objects; without a known size it has no maps."""
        if not item.width or not item.height:
            return 0
        masks: list[Mask] = []
        for mask in item.annotations:
            if not isinstance(mask, Mask):
                continue  # PASCAL VOC keeps them elsewhere
            if self.classes.background is not None and mask.category_id == self.classes.background.id:
                self.report.drop(item, mask, "", "pixels of the background are no object")
            else:
                masks.append(mask)
        numbers = object_numbers(item, masks, 65535 if self.mode == "index" else 254, self.report)
        classes = [self.classes.numbers[mask.category_id] for mask in masks]
        if self.mode == "rgb":
            colors = [self.classes.colors[mask.category_id] for mask in masks]  # type: ignore[index]
            first = partial(color_png, item, masks, colors)
            second = partial(color_png, item, masks, [_PALETTE[number].tolist() for number in numbers])
        else:
            palette = _PALETTE if self.mode == "palette" else None
            first = partial(write_png, paint(item, masks, classes, np.uint8), palette)
            wide = max(numbers, default=0) > 254
            second = partial(write_png, paint(item, masks, numbers, np.uint16 if wide else np.uint8), palette)
        self.sink.later(f"SegmentationClass/{item.id}.png", first)
        self.sink.later(f"SegmentationObject/{item.id}.png", second)
        return len(masks)


def write(
    dataset: Dataset, sink: NullSink, report: LossReport, *, mode: str = "rgb", group: str = "keep"
) -> None:
    """Write class maps, object maps, lists and the table of labels.

    Args:
        dataset: masks that do not overlap.
        sink: the output.
        report: hears of special losses.
        mode: "rgb" as CVAT does, "palette" as PASCAL VOC does (colours of labels are lost), "index" for grey maps,
            whose objects may be more than 254.
        group: "cvat" merges the members of a group into one object, whose largest member leads.

    Raises:
        ValueError: two labels of one colour, more labels or objects than the maps can number, a label whose name the
            table cannot hold.
    """
    writer = MapWriter(dataset.schema, sink, report, mode)
    lists: dict[str, list[str]] = {}
    for item in dataset.items:
        writer.item(item)
        for subset in item.extras.get(NAMESPACE, {}).get("lists") or [item.subset]:
            lists.setdefault(subset, []).append(str(item.id))
    for subset, ids in (lists or {"default": []}).items():
        sink.write(f"ImageSets/Segmentation/{subset}.txt", "".join(f"{key}\n" for key in ids).encode("utf-8"))
    sink.write("labelmap.txt", write_label_map(writer.classes.labels))
