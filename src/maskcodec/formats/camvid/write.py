"""Writing CamVid as CVAT does: lists, class maps, a table of colours."""

from __future__ import annotations

import re
from functools import partial

import numpy as np

from maskcodec.errors import shorten
from maskcodec.formats._shared.labels import write_label_colors
from maskcodec.formats._shared.pixelmaps import color_png, paint
from maskcodec.formats._shared.png import write_png
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.camvid.tables import NAMESPACE, index_order
from maskcodec.formats.segmentation_mask.write import Classes
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["write"]

RESERVED = ("label_colors", "labelmap")


def _row(image: str, mask: str) -> str:
    if re.search(r'[\s"]', image + mask):
        quoted = (text.replace('"', '""') for text in (image, mask))
        return " ".join(f'"{text}"' for text in quoted)
    return f"{image} {mask}"


def _sorted(schema: LabelSchema, report: LossReport) -> LabelSchema:
    """Labels as CVAT has them: by name, and no blanks in one, for which its reader fails."""
    for category in schema.categories:
        if re.search(r"\s", category.name):
            raise ValueError(f"label {shorten(category.name)} has a blank, dialect='cvat' cannot hold it")
    order = sorted(schema.categories, key=lambda category: category.name)
    if order != schema.categories:
        report.approximate(None, None, "categories", "labels are sorted by name", what="schema")
    return LabelSchema(order, background=schema.background)


class _Writer:
    def __init__(self, dataset: Dataset, sink: NullSink, report: LossReport, mode: str, dialect: str) -> None:
        self.sink, self.report, self.mode = sink, report, mode
        schema = _sorted(dataset.schema, report) if dialect == "cvat" else dataset.schema
        self.classes = Classes(schema, report, unique=mode == "rgb", add=False)
        self.numbers = {place: at for at, place in enumerate(index_order(self.classes.labels, True))}
        if mode == "index" and len(self.numbers) > 256:
            raise ValueError(f"{len(self.numbers)} classes with the background, a map by index holds 256")

    def map(self, item: Item) -> str:
        """Write the map of an image; returns its name, or "" when it has none."""
        if not item.width or not item.height:
            return ""
        masks: list[Mask] = []
        for mask in item.annotations:
            if self.classes.background is not None and mask.category_id == self.classes.background.id:
                self.report.drop(item, mask, "", "pixels of the background are no object")
            elif isinstance(mask, Mask):
                masks.append(mask)
        if not masks and "#unmasked" in item.extras.get(NAMESPACE, {}):
            for field in ("width", "height"):
                self.report.drop(item, None, field, "an image without a map has the size of its file")
            return ""
        if self.mode == "rgb":
            colors = [self.classes.colors[mask.category_id] for mask in masks]  # type: ignore[index]
            made = partial(color_png, item, masks, colors)
        else:
            values = [self.numbers[self.classes.numbers[mask.category_id]] for mask in masks]
            made = partial(write_png, paint(item, masks, values, np.uint8))
        name = f"{item.subset}annot/{item.id}.png"
        self.sink.later(name, made)
        return name


def write(
    dataset: Dataset, sink: NullSink, report: LossReport, *, mode: str = "rgb", dialect: str = "plain"
) -> None:
    """Write ``<subset>.txt``, ``<subset>annot/*.png`` and ``label_colors.txt``.

    Args:
        dataset: masks that do not overlap, one for each class of an image.
        sink: the output.
        report: hears of special losses.
        mode: "rgb" as CVAT does; "index" for grey maps, as of the SegNet tutorial (0 is the black label or nothing,
            the others follow in the order of the table).
        dialect: "cvat" sorts the labels by name and refuses names with blanks.

    Raises:
        ValueError: two labels of one colour, more labels than a map can number, a label whose name the table cannot
            hold, subsets whose folders would be one.
    """
    if mode not in ("rgb", "index"):
        raise ValueError(f'mode is "rgb" or "index", got {mode!r}')
    if dialect not in ("plain", "cvat"):
        raise ValueError(f'dialect is "plain" or "cvat", got {dialect!r}')
    writer = _Writer(dataset, sink, report, mode, dialect)
    lists: dict[str, list[str]] = {}
    for item in dataset.items:
        if item.subset in RESERVED:
            raise ValueError(f"a subset cannot be named {item.subset}, which is the table of labels")
        row = _row(f"/{item.subset}/{item.path}", writer.map(item))
        lists.setdefault(item.subset, []).append(row)
    for subset, rows in (lists or {"default": []}).items():
        if f"{subset}annot" in lists:
            raise ValueError(f"subsets {subset} and {subset}annot would share a folder")
        sink.write(f"{subset}.txt", "".join(f"{row}\n" for row in rows).encode("utf-8"))
    sink.write("label_colors.txt", write_label_colors(writer.classes.labels))
