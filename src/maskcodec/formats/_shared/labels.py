"""Tables of labels: one name a line, ``labelmap.txt``, ``label_colors.txt``, ``dataset_meta.json``; and their numbers.

The position of a label in its table is its number in most formats, so ids of categories become positions on the way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.jsonio import decode
from maskcodec.formats._shared.lines import Line, lines
from maskcodec.formats._shared.source import Source
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["FirstUse", "Label", "categories", "numbered", "read_label_colors", "read_label_map", "read_meta",
           "read_names", "write_label_colors", "write_label_map"]  # fmt: skip

Color = tuple[int, int, int]


@dataclass(slots=True)
class Label:
    """One line of a table of labels."""

    name: str
    color: Color | None = None
    parts: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)


def read_names(source: Source, name: str) -> list[str]:
    """One name a line; empty lines do not count, blanks around a name are not part of it."""
    return [line.text for line in lines(source, name)]


def _color(line: Line, texts: list[str]) -> Color:
    values = [int(text) if re.fullmatch(r"\s*[0-9]{1,3}\s*", text) else -1 for text in texts]
    if len(values) != 3 or not all(0 <= value <= 255 for value in values):
        raise line.fault(f"expected a colour of three numbers 0 to 255, got {shorten(' '.join(texts))}", "color")
    return values[0], values[1], values[2]


def _table(source: Source, name: str, parse: Callable[[Line], Label]) -> list[Label]:
    found: list[Label] = []
    known: dict[str, int] = {}
    for line in lines(source, name, comments=True):
        try:
            label = parse(line)
            if label.name in known:
                raise line.fault(f"label {shorten(label.name)} is there already, in line {known[label.name]}", "name")
        except FormatError as error:
            source.problem(error, what="category")
            continue
        known[label.name] = line.number
        found.append(label)
    return found


def read_label_map(source: Source, name: str) -> list[Label]:
    """``labelmap.txt``: ``name:r,g,b:parts:actions`` a line; colour, parts and actions may be empty.

    Raises:
        FormatError: not four fields, a colour that is none, a name twice; a lenient reader leaves the line out.
    """

    def parse(line: Line) -> Label:
        parts = line.text.split(":")
        if len(parts) != 4 or not parts[0].strip():
            raise line.fault(f"expected name:r,g,b:parts:actions, got {len(parts)} fields in {shorten(line.text)}")
        color = _color(line, parts[1].split(",")) if parts[1].strip() else None
        lists = [[word.strip() for word in part.split(",") if word.strip()] for part in parts[2:]]
        return Label(parts[0].strip(), color, *lists)

    return _table(source, name, parse)


def write_label_map(labels: Iterable[Label]) -> bytes:
    """``labelmap.txt``.

    Raises:
        ValueError: a name that the file cannot hold.
    """
    out = ["# label:color_rgb:parts:actions"]
    for label in labels:
        for word in (label.name, *label.parts, *label.actions):
            if re.search(r"[:\r\n]", word) or word != word.strip() or word.startswith("#") or not word:
                raise ValueError(f"label {shorten(word)} cannot be written in labelmap.txt (colon, line end or blank)")
        color = ",".join(map(str, label.color)) if label.color is not None else ""
        out.append(f"{label.name}:{color}:{','.join(label.parts)}:{','.join(label.actions)}")
    return ("\n".join(out) + "\n").encode("utf-8")


def read_label_colors(source: Source, name: str) -> list[Label]:
    """``label_colors.txt``: ``r g b name`` a line, the name may hold blanks; or just ``name``.

    Raises:
        FormatError: a colour that is none, a name twice; a lenient reader leaves the line out.
    """

    def parse(line: Line) -> Label:
        digits = [text for text in line.fields[:3] if re.fullmatch("[-+]?[0-9.]+", text)]
        if len(digits) < 3 or len(line.fields) < 4:
            if digits and len(line.fields) > 1:
                raise line.fault(f"expected r g b name, got {shorten(line.text)}", "color")
            return Label(line.text)
        return Label(" ".join(line.text.split(None, 3)[3:]).strip(), _color(line, digits))

    return _table(source, name, parse)


def write_label_colors(labels: Iterable[Label]) -> bytes:
    """``label_colors.txt``.

    Raises:
        ValueError: a name that the file cannot hold.
    """
    out = []
    for label in labels:
        if re.search(r"[\r\n]", label.name) or label.name != label.name.strip() or not label.name:
            raise ValueError(f"label {shorten(label.name)} cannot be written in label_colors.txt")
        color = label.color or (0, 0, 0)
        out.append(f"{color[0]} {color[1]} {color[2]} {label.name}\n")
    return "".join(out).encode("utf-8")


def read_meta(source: Source, name: str) -> dict[str, Any]:
    """``dataset_meta.json`` of Datumaro: ``labels``, ``label_map``, ``segmentation_colors``, ``parts``, ``actions``.

    Raises:
        FormatError: not such a file.
    """
    file = source.display(name)
    meta = decode(source.read(name).removeprefix(b"\xef\xbb\xbf"), file=file)
    if not isinstance(meta, dict):
        raise FormatError(f"expected an object, got {shorten(meta)}", file=file)
    if "labels" not in meta and isinstance(meta.get("label_map"), dict):
        meta = {**meta, "labels": list(meta["label_map"].values())}
    found = meta.get("labels")
    if not isinstance(found, list) or not all(isinstance(label, str) for label in found):
        raise FormatError(f"expected a list of names, got {shorten(found)}", file=file, field="labels")
    return meta


def categories(labels: Iterable[Label | str], first: int = 0) -> list[Category]:
    """Categories whose ids are the positions of their labels."""
    made = (Label(label) if isinstance(label, str) else label for label in labels)
    return [Category(at, label.name, color=label.color) for at, label in enumerate(made, first)]


def numbered(schema: LabelSchema, report: LossReport, first: int = 0) -> dict[Any, int]:
    """A number for each category, its position; the report hears of ids that change so.

    Args:
        schema: of the data set.
        report: hears of the renamed.
        first: number of the first category.
    """
    for number, category in enumerate(schema.categories, first):
        if category.id != number or type(category.id) is not int:
            report.rename(category.name, None, "id", "labels are known by their place in the table", what="category")
    return {category.id: number for number, category in enumerate(schema.categories, first)}


class FirstUse:
    """Labels of a format that has no table of them: they are known by name, in the order of their first use.

    Args:
        schema: of the data set; its ids become positions in that order, unused categories are lost.
        report: hears of that, when everything has been written.
    """

    def __init__(self, schema: LabelSchema, report: LossReport) -> None:
        self.schema, self.report = schema, report
        self._used: dict[Any, None] = {}

    def name(self, category_id: Any) -> str:
        """The name of a category that is being written."""
        self._used[category_id] = None
        return self.schema.by_id(category_id).name

    def close(self) -> None:
        """Tell what became of the categories."""
        places = {key: at for at, key in enumerate(self._used)}
        for category in self.schema.categories:
            if category.id not in places:
                self.report.drop(category.name, None, "", "the format has no table of labels", what="category")
            elif type(category.id) is not int or category.id != places[category.id]:
                text = "labels are numbered in the order of their first use"
                self.report.rename(category.name, None, "id", text, what="category")
        if [category.id for category in self.schema.categories if category.id in places] != list(places):
            text = "labels are in the order of their first use"
            self.report.approximate(None, None, "categories", text, what="schema")
