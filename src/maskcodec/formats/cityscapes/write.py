"""Writing Cityscapes, in the layout of CVAT or that of the data set."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.errors import shorten
from maskcodec.formats._shared.carry_whole import clone
from maskcodec.formats._shared.conversions import SHARED, mask_of
from maskcodec.formats._shared.flatten import flatten
from maskcodec.formats._shared.labels import write_label_colors
from maskcodec.formats._shared.png import write_png
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.cityscapes.files import SPLITS, is_city_file
from maskcodec.formats.cityscapes.outlines import NAMESPACE, document
from maskcodec.formats.cityscapes.segments import CITYSCAPES, painted
from maskcodec.formats.cityscapes.table import CITY, Numbers, kind_of, spelt
from maskcodec.masks import Rle, RleArray
from maskcodec.model.annotations import Mask, Polygon
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["write"]


class _Maps:
    """Writes the maps of an image from its values."""

    def __init__(self, sink: NullSink, colors: dict[int, tuple[int, int, int]], alpha: bool) -> None:
        self.sink = sink
        self.colors = np.zeros((256, 4 if alpha else 3), np.uint8)
        self.colors[:, 3:] = 255
        for number, color in colors.items():
            self.colors[number, :3] = color

    def write(self, item: Item, values: npt.NDArray[np.uint16]) -> None:
        base = f"gtFine/{item.subset}/{item.id}_gtFine_"
        classes = np.where(values < 1000, values, values // 1000).astype(np.uint8)
        self.sink.later(f"{base}instanceIds.png", partial(write_png, values, level=3))
        self.sink.later(f"{base}labelIds.png", partial(write_png, classes, level=3))
        self.sink.later(f"{base}color.png", partial(write_png, self.colors[classes], level=3))


class _Cvat:
    def __init__(self, schema: LabelSchema, sink: NullSink, report: LossReport) -> None:
        self.sink, self.report, self.schema = sink, report, schema
        self.table = Numbers(schema, report)
        if len(self.table.labels) > 256:
            raise ValueError(f"{len(self.table.labels)} classes with the background, a map of classes holds 256")
        self.maps = _Maps(sink, {at: label.color or (0, 0, 0) for at, label in enumerate(self.table.labels)}, False)

    def item(self, item: Item) -> None:
        masks: list[Mask] = []
        back = self.table.background
        for mask in item.annotations:
            if back is not None and mask.category_id == back.id:
                self.report.drop(item, mask, "", "pixels of the background are no object")
            elif isinstance(mask, Mask):
                masks.append(mask)
        self.maps.write(item, painted(item, masks, self.table.numbers, self.schema, CITYSCAPES, self.report))

    def close(self) -> None:
        self.sink.write("label_colors.txt", write_label_colors(self.table.labels))


class _Original:
    def __init__(self, schema: LabelSchema, sink: NullSink, report: LossReport) -> None:
        self.sink, self.report = sink, report
        self.numbers: dict[Any, int] = {}
        self.names: dict[Any, str] = {}
        shown: list[Category] = []
        for category in schema.categories:
            back = category.id == schema.background or category.name == "background"
            row = CITY[0] if back else spelt(category.name)
            if row is None:
                raise ValueError(f"label {shorten(category.name)} is not one of Cityscapes; layout='cvat' holds it")
            if row.id in self.numbers.values():
                raise ValueError(f"label {shorten(category.name)} is there twice")
            self.numbers[category.id], self.names[category.id] = row.id, row.name
            if category.id != row.id or type(category.id) is not int:
                report.rename(category.name, None, "id", "labels have the ids of Cityscapes", what="category")
            if category.name != row.name:
                report.rename(category.name, None, "name", "labels have the names of Cityscapes", what="category")
            if category.kind != kind_of(row.name):
                report.approximate(category.name, None, "kind", "as in the table of Cityscapes", what="category")
            if category.color != row.color:
                report.approximate(category.name, None, "color", "as in the table of Cityscapes", what="category")
            shown.append(Category(category.id, row.name, kind=kind_of(row.name)))
        if list(self.numbers.values()) not in ([row.id for row in CITY], [row.id for row in CITY[:-1]]):
            text = "the table of Cityscapes is that of every data set"
            report.approximate(None, None, "categories", text, what="schema")
        self.schema = LabelSchema(shown)
        self.maps = _Maps(sink, {row.id: row.color for row in CITY if row.id >= 0}, True)

    def item(self, item: Item) -> None:
        shapes = sorted(item.annotations, key=lambda shape: shape.z_order)
        outlines = [shape for shape in shapes if isinstance(shape, Polygon)]
        if "#outlines" in item.extras.get(NAMESPACE, {}) or (outlines and len(outlines) == len(shapes)):
            data = document(item, outlines, self.names.__getitem__, self.report)
            self.sink.write(f"gtFine/{item.subset}/{item.id}_gtFine_polygons.json", data)
            self.maps.write(item, self._drawn(item, outlines))
            return
        copy = clone(item)
        copy.annotations = []
        for shape in shapes:
            if shape.z_order:
                self.report.approximate(item, shape, "z_order", "kept as the order of painting")
            if self.numbers[shape.category_id] <= 0:
                self.report.drop(item, shape, "", "pixels of the background are no object")
            elif isinstance(shape, Mask):
                copy.annotations.append(shape)
            else:
                self.report.approximate(item, shape, "", "written as a mask, as the other objects of the image are")
                own = {name: getattr(shape, name) for name in SHARED}
                copy.annotations.append(Mask(mask_of(shape, item), **own))
        flatten(copy, item, self.report, self.schema, "segments", clone)
        masks = [mask for mask in copy.annotations if isinstance(mask, Mask)]
        numbers: dict[object, int] = dict(self.numbers)
        self.maps.write(item, painted(item, masks, numbers, self.schema, CITYSCAPES, self.report))

    def _drawn(self, item: Item, shapes: list[Polygon]) -> npt.NDArray[np.uint16]:
        """The map that the scripts of Cityscapes make of outlines, which are drawn with their edges."""
        shape_of = (item.height or 0, item.width or 0)
        values: list[int] = []
        rles: list[Rle] = []
        counts: dict[int, int] = {}
        for shape in shapes:
            number = self.numbers[shape.category_id]
            if number < 0:
                continue  # the license plate is in the outlines alone
            instance = None
            if kind_of(self.names[shape.category_id]) == "thing" and not shape.is_crowd:
                instance = counts.get(number, 0)
                counts[number] = instance + 1
                if instance > 999:
                    raise ValueError(f"{shorten(item.id)} has more than 1000 objects of one class")
            values.append(CITYSCAPES.value(number, instance))
            rles.append(Rle.from_polygons(shape.rings, shape_of, "pillow"))
        return RleArray.from_rles(rles).to_label_map(np.array(values, np.int64), dtype=np.uint16, shape=shape_of)

    def close(self) -> None:
        """Nothing is left to write: the table of labels is that of every data set."""


def write(
    dataset: Dataset, sink: NullSink, report: LossReport, *, layout: str = "cvat", group: str = "keep"
) -> None:
    """Write ``gtFine/<subset>/<id>_gtFine_{instanceIds,labelIds,color}.png``.

    Args:
        dataset: masks; with layout "original" also polygons of one ring.
        sink: the output.
        report: hears of special losses.
        layout: "cvat" adds ``label_colors.txt``; "original" has the ids of Cityscapes, and ``*_polygons.json`` for
            images whose objects are all polygons, which are painted as the scripts of Cityscapes do.
        group: "cvat" merges the members of a group into one object, whose largest member leads.

    Raises:
        ValueError: more classes or objects than the maps can number; a label that Cityscapes has not, in its layout; a
            subset that would be read as a city.
    """
    if layout not in ("cvat", "original"):
        raise ValueError(f'layout is "cvat" or "original", got {layout!r}')
    writer = _Cvat(dataset.schema, sink, report) if layout == "cvat" else _Original(dataset.schema, sink, report)
    keys: list[tuple[str, str]] = []
    plain: dict[str, bool] = {}
    for item in dataset.items:
        if not item.width or not item.height:
            report.drop(item, None, "", "the size of the image is unknown")
            continue
        keys.append((item.subset, str(item.id)))
        if item.subset not in SPLITS:
            plain[item.subset] = plain.get(item.subset, True) and is_city_file(item.subset, str(item.id))
        if "#missing" in item.extras.get(NAMESPACE, {}):
            report.approximate(item, None, "", "an image without a map gets an empty one")
        writer.item(item)
    for subset in (name for name, city in plain.items() if city):
        raise ValueError(f"subset {shorten(subset)} would be read as a city, by the names of its images")
    if keys != sorted(keys):
        report.approximate(None, None, "items", "images have no order but that of their names")
    writer.close()
