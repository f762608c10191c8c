"""Labels of Cityscapes, which KITTI shares, and tables of labels in files.

Source: ``labels.py`` of cityscapesScripts. Names are known with and without their blanks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from maskcodec.formats._shared.labels import Label, read_label_colors
from maskcodec.formats._shared.source import Source
from maskcodec.formats.segmentation_mask.pairs import background_of
from maskcodec.idmaps import voc_palette
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["CITY", "CityLabel", "Numbers", "city_schema", "kind_of", "read_table", "spelt"]


class CityLabel(NamedTuple):
    """One row: ``train`` is 255 for classes that are not trained on, ``things`` says whether it has instances."""

    name: str
    id: int
    train: int
    things: bool
    color: tuple[int, int, int]


_ROWS = """
unlabeled 0 255 0 0 0 0, ego vehicle 1 255 0 0 0 0, rectification border 2 255 0 0 0 0, out of roi 3 255 0 0 0 0,
static 4 255 0 0 0 0, dynamic 5 255 0 111 74 0, ground 6 255 0 81 0 81, road 7 0 0 128 64 128,
sidewalk 8 1 0 244 35 232, parking 9 255 0 250 170 160, rail track 10 255 0 230 150 140, building 11 2 0 70 70 70,
wall 12 3 0 102 102 156, fence 13 4 0 190 153 153, guard rail 14 255 0 180 165 180, bridge 15 255 0 150 100 100,
tunnel 16 255 0 150 120 90, pole 17 5 0 153 153 153, polegroup 18 255 0 153 153 153, traffic light 19 6 0 250 170 30,
traffic sign 20 7 0 220 220 0, vegetation 21 8 0 107 142 35, terrain 22 9 0 152 251 152, sky 23 10 0 70 130 180,
person 24 11 1 220 20 60, rider 25 12 1 255 0 0, car 26 13 1 0 0 142, truck 27 14 1 0 0 70, bus 28 15 1 0 60 100,
caravan 29 255 1 0 0 90, trailer 30 255 1 0 0 110, train 31 16 1 0 80 100, motorcycle 32 17 1 0 0 230,
bicycle 33 18 1 119 11 32, license plate -1 -1 0 0 0 142
"""


def _row(text: str) -> CityLabel:
    words = text.split()
    number, train, things, r, g, b = (int(word) for word in words[-6:])
    return CityLabel(" ".join(words[:-6]), number, train, bool(things), (r, g, b))


CITY = [_row(row) for row in _ROWS.replace("\n", " ").split(",")]
_BY_NAME = {label.name.replace(" ", ""): label for label in CITY}


def spelt(name: str) -> CityLabel | None:
    """The row of a name, with or without its blanks."""
    return _BY_NAME.get(name.replace(" ", ""))


def kind_of(name: str) -> str:
    """Whether a class has instances by the table; one that is not in it may have some."""
    label = spelt(name)
    return "thing" if label is None or label.things else "stuff"


def city_schema(*, plate: bool) -> LabelSchema:
    """The table as a schema; ``plate``: with the license plate, whose id is not for pixels."""
    rows = (row for row in CITY if plate or row.id >= 0)
    return LabelSchema([Category(r.id, r.name, color=r.color, kind=kind_of(r.name)) for r in rows], background=0)


def read_table(source: Source, name: str) -> LabelSchema:
    """``label_colors.txt``: the place of a line is the id of its class; without colours those of VOC.

    Raises:
        FormatError: see ``read_label_colors``.
    """
    labels = read_label_colors(source, name)
    palette = [(r, g, b) for r, g, b in voc_palette(256).tolist()]
    colors = [label.color or (palette[at] if at < 256 else None) for at, label in enumerate(labels)]
    shown = [Label(label.name, color) for label, color in zip(labels, colors, strict=True)]
    found = [Category(at, label.name, color=label.color, kind=kind_of(label.name)) for at, label in enumerate(shown)]
    return LabelSchema(found, background=background_of(shown))


class Numbers:
    """Classes of a data set by their places in ``label_colors.txt``, the background first.

    Args:
        schema: of the data set.
        report: hears of what the table changes.
    """

    def __init__(self, schema: LabelSchema, report: LossReport) -> None:
        named = [c for c in schema.categories if schema.background is not None and c.id == schema.background]
        self.background = next(iter(named + [c for c in schema.categories if c.name == "background"]), None)
        if self.background is not None and schema.background != self.background.id:
            report.default(None, None, "background", "the label of this name is the background", what="schema")
        order = [c for c in schema.categories if c is not self.background]
        self.labels: list[Label] = []
        if self.background is not None:
            order.insert(0, self.background)
        elif order:
            self.labels.append(Label("background", (0, 0, 0)))
            report.default("background", None, "", "maps need a class for pixels without object", what="category")
            report.default(None, None, "background", "maps need a class for pixels without object", what="schema")
        if order != schema.categories:
            report.approximate(None, None, "categories", "the background is the first label", what="schema")
        self.numbers: dict[Any, int] = {}
        palette = voc_palette(256).tolist()
        for category in order:
            number = self.numbers[category.id] = len(self.labels)
            if category.id != number or type(category.id) is not int:
                text = "labels are known by their place in the table"
                report.rename(category.name, None, "id", text, what="category")
            self.labels.append(Label(category.name, self._color(category, palette[number % 256], report)))
            if category.kind != kind_of(category.name):
                text = "a label without a name of Cityscapes is a thing, the others are as there"
                report.approximate(category.name, None, "kind", text, what="category")

    def _color(self, category: Category, free: list[int], report: LossReport) -> tuple[int, int, int]:
        color = category.color
        if color is not None and len(color) == 4:
            report.drop(category.name, None, "color", "a colour of a map has no alpha", what="category")
        if category is self.background:
            if color is None:
                report.default(category.name, None, "color", "the background is black", what="category")
            elif color[:3] != (0, 0, 0):
                report.approximate(category.name, None, "color", "the background is black", what="category")
            return 0, 0, 0
        if color is None:
            report.default(category.name, None, "color", "a class of a map needs a colour", what="category")
            color = tuple(free)
        return color[0], color[1], color[2]
