"""Classes of MOTS: numbers from 1, names in ``labels.txt``, and the region to be ignored."""

from __future__ import annotations

from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.labels import numbered, read_names
from maskcodec.formats._shared.source import Source
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["FACTOR", "IGNORED", "Classes", "Table", "Tables"]

FACTOR, IGNORED, MOST = 1000, 10, 65
_PLAIN = ((1, "car"), (2, "pedestrian"), (IGNORED, "ignored"))


def _is_ignored(name: str) -> bool:
    return name.casefold().startswith("ignore")


def _is_plain(schema: LabelSchema) -> bool:
    """Whether the classes are those of the originals, and others known by their numbers alone."""
    found = [(category.id, category.name) for category in schema]
    return found[:3] == list(_PLAIN) and all(name == f"class_{number}" for number, name in found[3:])


class Table:
    """What the class numbers of one folder mean: the ids of ``labels``, or the originals' where there is no table."""

    def __init__(self, ids: list[int] | None) -> None:
        self.ids = ids


class Tables:
    """The classes of a data set, whose folders may each have a table; equal ones share their numbers.

    Args:
        source: hears of classes that no table has.
    """

    def __init__(self, source: Source) -> None:
        self.source, self.schema = source, LabelSchema()
        self._names: dict[str, int] = {}
        self._told: set[str] = set()

    def _add(self, name: str, number: int | None = None) -> int:
        known = {category.id for category in self.schema}
        number = number if number is not None and number not in known else len(self.schema) + 1
        while number in known:
            number += 1
        self.schema.categories.append(Category(number, name))
        self._names.setdefault(name, number)
        return number

    def table(self, name: str) -> Table:
        """The table of a folder, by the name of its file."""
        if not self.source.has(name):
            for number, label in _PLAIN:
                if label not in self._names:
                    self._add(label, number)
            return Table(None)
        names = read_names(self.source, name)
        if not self.schema.categories:
            for at, label in enumerate(names, 1):
                self._add(label, at)
        if [category.name for category in self.schema.categories[: len(names)]] == names:
            return Table([int(category.id) for category in self.schema.categories[: len(names)]])
        return Table([self._names[label] if label in self._names else self._add(label) for label in names])

    def ignores(self, table: Table) -> bool:
        """Whether class 10 without a number of an object is the region to be ignored, not a class like others."""
        if table.ids is None or len(table.ids) < IGNORED:
            return True
        if _is_ignored(self.schema.by_id(table.ids[IGNORED - 1]).name):
            return True
        if "class 10" not in self._told:
            self._told.add("class 10")
            text = "class 10 has another name, 10000 is an object of it and no region to be ignored"
            self.source.report.default(None, None, "categories", text, what="schema")
        return False

    def knows_ignored(self) -> bool:
        """Whether a category is the region to be ignored; there is none to be known where there is no folder."""
        return any(_is_ignored(category.name) for category in self.schema)

    def ignored(self, table: Table) -> int:
        """Category of the region to be ignored."""
        ids = table.ids if table.ids is not None else [category.id for category in self.schema]
        for number in [*ids, *(category.id for category in self.schema)]:
            if _is_ignored(self.schema.by_id(number).name):
                return int(number)
        return self._add("ignored", IGNORED)

    def category(self, table: Table, number: int, fault: FormatError) -> int:
        """Category of a class; one that the table lacks is an error, and ``class_<n>`` for a lenient reader."""
        if table.ids is None:
            known = {label: n for n, label in _PLAIN}
            name = next((label for label, n in known.items() if n == number), f"class_{number}")
        elif 1 <= number <= len(table.ids):
            return table.ids[number - 1]
        else:
            self.source.problem(fault)
            name = f"class_{number}"
        if name not in self._names:
            self._add(name, number)
        if name.startswith("class_") and name not in self._told and table.ids is None:
            self._told.add(name)
            self.source.report.default(name, None, "", "there is no table of labels", what="category")
        return self._names[name]


class Classes:
    """Numbers of the classes on writing.

    A last category with the id 10 that is to be ignored has no line in ``labels.txt``, unless it has other masks, too.

    Raises:
        ValueError: more than 65 classes, or a label that is no line of text.
    """

    def __init__(self, schema: LabelSchema, report: LossReport) -> None:
        self.schema, self.report = schema, report
        self.region: Any = next((c.id for c in schema if _is_ignored(c.name)), None)
        self.plain = _is_plain(schema)
        last = schema.categories[-1] if len(schema) else None
        self.extra = last if last is not None and len(schema) < IGNORED and last.id == self.region == IGNORED else None
        self.region_used = self.extra_used = False
        if self.plain:
            self.numbers: dict[Any, int] = {c.id: int(c.id) for c in schema}
        else:
            listed = schema.categories[:-1] if self.extra is not None else schema.categories
            self.numbers = numbered(LabelSchema(listed), report, first=1)
            if self.extra is not None:
                self.numbers[IGNORED] = len(schema)
        if max(self.numbers.values(), default=0) > MOST:
            raise ValueError(f"{max(self.numbers.values())} classes, 16 bits hold {MOST}")
        names = [category.name for category in schema]
        self.free = len(names) < IGNORED or self.plain or _is_ignored(names[IGNORED - 1])

    def labels(self) -> bytes | None:
        """The table, when all masks have been written; None where the numbers say everything."""
        if self.plain:
            return None
        listed = self.schema.categories
        if self.extra is not None and self.region_used and not self.extra_used:
            listed = listed[:-1]
        elif self.extra is not None:
            text = "labels are known by their place in the table"
            self.report.rename(self.extra.name, None, "id", text, what="category")
        return "".join(f"{_line(category.name)}\n" for category in listed).encode("utf-8")


def _line(name: str) -> str:
    if not name or name != name.strip() or "\n" in name or "\r" in name:
        raise ValueError(f"label {shorten(name)} cannot be written in labels.txt")
    return name
