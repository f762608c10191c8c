"""Writing KITTI: label files, maps of instances and classes, the table of labels."""

from __future__ import annotations

from functools import partial

import numpy as np

from maskcodec.errors import shorten
from maskcodec.formats._shared.labels import FirstUse, write_label_colors
from maskcodec.formats._shared.png import write_png
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.cityscapes.segments import KITTI, painted
from maskcodec.formats.cityscapes.table import Numbers
from maskcodec.formats.kitti.rows import NAMESPACE, label_of, row_of
from maskcodec.model.annotations import Box, Mask
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["sizes_of_maps", "write", "write_boxes", "write_maps"]

_RESERVED = ("label_2", "image_2", "instance", "semantic", "semantic_rgb")


def _mapped(item: Item) -> bool:
    """Whether an image gets a map: it has masks, or was read with an empty one."""
    return "#map" in item.extras.get(NAMESPACE, {}) or any(isinstance(one, Mask) for one in item.annotations)


def sizes_of_maps(item: Item, source: Item, report: LossReport) -> None:
    """Forget the size of an image without masks: it has no map, and no image that comes along."""
    if item.path is None and not _mapped(item):
        for field in ("width", "height"):
            if getattr(item, field) is not None:
                setattr(item, field, None)
                report.drop(source, None, field, "the size of an image is that of its map, it has none")


class _Keys:
    """Checks subsets, and tells that items come back sorted."""

    def __init__(self, report: LossReport) -> None:
        self.report = report
        self.last = ("", "")
        self.told = False

    def add(self, item: Item) -> None:
        if item.subset in _RESERVED:
            raise ValueError(f"a subset cannot be named {item.subset}, which is the name of a part")
        key = (item.subset, str(item.id))
        if key < self.last and not self.told:
            self.told = True
            self.report.approximate(None, None, "items", "images have no order but that of their names")
        self.last = key


class _Boxes:
    def __init__(self, schema: LabelSchema, sink: NullSink, report: LossReport, dialect: str, blanks: str) -> None:
        if dialect not in ("kitti", "cvat"):
            raise ValueError(f'dialect is "kitti" or "cvat", got {dialect!r}')
        if blanks not in ("keep", "replace"):
            raise ValueError(f'blanks is "keep" or "replace", got {blanks!r}')
        self.sink, self.report, self.schema, self.cvat = sink, report, schema, dialect == "cvat"
        self.replace = blanks == "replace"
        self.names: dict[object, str] = {}
        self.used: dict[tuple[str, str], list[int | str]] = {}

    def _name(self, category_id: int | str) -> str:
        if category_id not in self.names:
            name = self.schema.by_id(category_id).name
            if self.replace and "_".join(name.split()) != name:
                self.report.rename(name, None, "name", "a label of a line has no blanks", what="category")
                name = "_".join(name.split()) or "_"
                if name in self.names.values() or any(category.name == name for category in self.schema):
                    raise ValueError(f"two labels would be {shorten(name)}")
            self.names[category_id] = label_of(name)
        return self.names[category_id]

    def item(self, item: Item) -> None:
        boxes = [a for a in item.annotations if isinstance(a, Box) and a.category_id is not None]
        rows = [row_of(item, box, self._name(box.category_id), self.report, self.cvat) for box in boxes]  # type: ignore[arg-type]
        used = dict.fromkeys(box.category_id for box in boxes if box.category_id is not None)
        if used:
            self.used[(item.subset, str(item.id))] = list(used)
        if "#missing" in item.extras.get(NAMESPACE, {}) and not boxes:
            self.report.approximate(item, None, "", "an image without a label file gets an empty one")
        self.sink.write(f"{item.subset}/label_2/{item.id}.txt", "".join(rows).encode("utf-8"))

    def close(self) -> None:
        """Tell what becomes of the categories, which are known by their first use in the order of the files."""
        first = FirstUse(self.schema, self.report)
        for key in sorted(self.used):
            for category_id in self.used[key]:
                first.name(category_id)
        first.close()


class _Maps:
    def __init__(self, schema: LabelSchema, sink: NullSink, report: LossReport, overflow: str) -> None:
        if overflow not in ("raise", "crowd"):
            raise ValueError(f'overflow is "raise" or "crowd", got {overflow!r}')
        self.sink, self.report, self.schema, self.overflow = sink, report, schema, overflow
        self.table = Numbers(schema, report)
        if len(self.table.labels) > 256:
            raise ValueError(f"{len(self.table.labels)} classes with the background, a map holds 256")
        self.colors = np.zeros((256, 3), np.uint8)
        for at, label in enumerate(self.table.labels):
            self.colors[at] = label.color or (0, 0, 0)

    def item(self, item: Item) -> None:
        masks: list[Mask] = []
        back = self.table.background
        for mask in item.annotations:
            if isinstance(mask, Mask):
                if back is not None and mask.category_id == back.id:
                    self.report.drop(item, mask, "", "pixels of the background are no object")
                else:
                    masks.append(mask)
        if "#missing" in item.extras.get(NAMESPACE, {}):
            self.report.approximate(item, None, "", "an image without a map gets an empty one")
        values = painted(item, masks, self.table.numbers, self.schema, KITTI, self.report, self.overflow)
        classes = (values >> 8).astype(np.uint8)
        for folder, pixels in (("instance", values), ("semantic", classes), ("semantic_rgb", self.colors[classes])):
            self.sink.later(f"{item.subset}/{folder}/{item.id}.png", partial(write_png, pixels, level=3))

    def close(self) -> None:
        self.sink.write("label_colors.txt", write_label_colors(self.table.labels))


def write_boxes(
    dataset: Dataset, sink: NullSink, report: LossReport, *, dialect: str = "kitti", blanks: str = "keep"
) -> None:
    """Write ``<subset>/label_2/*.txt``.

    Args:
        dataset: boxes.
        sink: the output.
        report: hears of special losses.
        dialect: "cvat" writes 16 columns, flags instead of levels and shares, and -1 for everything in space.
        blanks: in labels: "keep", as readers that count from the right want them, or "replace" by underscores.

    Raises:
        ValueError: a label that would be read as something else.
    """
    keys, boxes = _Keys(report), _Boxes(dataset.schema, sink, report, dialect, blanks)
    for item in dataset.items:
        keys.add(item)
        boxes.item(item)
    boxes.close()
    if not keys.last[1]:
        sink.write("default/label_2/.empty", b"")


def write_maps(
    dataset: Dataset, sink: NullSink, report: LossReport, *, overflow: str = "raise", group: str = "keep"
) -> None:
    """Write ``<subset>/{instance,semantic,semantic_rgb}/*.png`` and ``label_colors.txt``.

    Args:
        dataset: masks that do not overlap.
        sink: the output.
        report: hears of special losses.
        overflow: "crowd" puts the objects of a class beyond 255 into its crowd, where they are one; else they are an
            error.
        group: "cvat" merges the members of a group into one object, whose largest member leads.

    Raises:
        ValueError: more classes than 256 or more objects of a class than 255.
    """
    keys, maps = _Keys(report), _Maps(dataset.schema, sink, report, overflow)
    for item in dataset.items:
        if not item.width or not item.height:
            report.drop(item, None, "", "the size of the image is unknown")
            continue
        keys.add(item)
        maps.item(item)
    maps.close()


def write(
    dataset: Dataset,
    sink: NullSink,
    report: LossReport,
    *,
    dialect: str = "kitti",
    blanks: str = "keep",
    overflow: str = "raise",
    group: str = "keep",
) -> None:
    """Write boxes to label files and everything else with an area to maps.

    Args: as of ``write_boxes`` and ``write_maps``.

    Raises:
        ValueError: see ``write_boxes`` and ``write_maps``.
    """
    keys, boxes = _Keys(report), _Boxes(dataset.schema, sink, report, dialect, blanks)
    maps = _Maps(dataset.schema, sink, report, overflow)
    for item in dataset.items:
        keys.add(item)
        mapped = _mapped(item) and bool(item.width and item.height)
        if mapped:
            maps.item(item)
        if not mapped or any(isinstance(annotation, Box) for annotation in item.annotations):
            boxes.item(item)
    maps.close()
