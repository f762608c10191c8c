"""Reading the tables: items and their annotations by ranges of rows, when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from maskcodec.errors import FormatError
from maskcodec.formats._base import Dataset, Source
from maskcodec.formats.arrow.decode import Annotations
from maskcodec.formats.arrow.decode_small import (
    Bad,
    category_of,
    item_of,
    json_value,
    link_of,
    read_spec,
    track_of,
)
from maskcodec.formats.arrow.layout import SUFFIXES, TABLES, VERSION
from maskcodec.formats.arrow.tables import Table, batch_lengths, open_table
from maskcodec.model.dataset import Item, LazyItems
from maskcodec.model.schema import LabelSchema, TagGroup

__all__ = ["Reader", "find", "media_name", "read"]


def find(files: list[str]) -> tuple[str, str] | None:
    """(folder with its slash, kind of file) where the tables lie; None when there is no table of items."""
    for kind, suffix in SUFFIXES.items():
        for name in files:
            folder, slash, base = name.rpartition("/")
            if base == f"items{suffix}":
                return folder + slash, kind
    return None


def media_name(item: Item) -> str | None:
    """Where the format keeps images: one folder a subset."""
    return f"images/{item.subset}/{item.path}" if item.path else None


class _Media:
    """The images beside the tables, else as every source finds them."""

    def __init__(self, source: Source, folder: str) -> None:
        self._source, self._folder = source, folder

    def open_media(self, item: Item | str) -> BinaryIO | None:
        name = None if isinstance(item, str) else media_name(item)
        if name is not None and self._source.has(self._folder + name):
            return self._source.open(self._folder + name)
        return self._source.open_media(item)


class Reader:
    """A data set in tables.

    Args:
        tables: by name.
        problem: hears of faults: (error, item, annotation).
        head: metadata of the data set, JSON.
    """

    def __init__(self, tables: Mapping[str, Table], problem: Callable[..., None], head: str) -> None:
        self.tables, self._problem = tables, problem
        self.dataset = Dataset()
        self._head(head)
        made = self._small("categories", category_of)
        self.dataset.schema.categories = made
        self.ids = [category.id for category in made]
        self.dataset.tracks = dict(self._small("tracks", lambda row: track_of(row, self.ids)))
        self.dataset.links = self._small("links", link_of)
        self.annotations = Annotations(tables["annotations"], self.ids)
        self._block: tuple[int, int, list[dict[str, Any]]] = (0, 0, [])
        self.dataset.items = LazyItems(range(len(tables["items"])), self.item)

    def _head(self, text: str) -> None:
        items = self.tables["items"]
        try:
            parts = json_value(text, "maskcodec.dataset")
            self.dataset.info = json_value(parts.get("info"), "info")
            self.dataset.extras = json_value(parts.get("extras"), "extras")
            specs = [read_spec(one) for one in json_value(parts.get("attributes"), "attributes", list)]
            groups = [TagGroup(**one) for one in json_value(parts.get("tag_groups"), "tag_groups", list)]
            background = json_value(parts.get("background"), "background").get("id")
        except (Bad, TypeError) as error:
            where = error.field if isinstance(error, Bad) else "tag_groups"
            raise items.fault(f"metadata of the data set: {error}", field=where, fatal=True) from error
        self.dataset.schema = LabelSchema([], specs, groups, background)

    def _small(self, name: str, make: Callable[[dict[str, Any]], Any]) -> list[Any]:
        """All rows of a small table; a bad category is fatal, as annotations know them by their places."""
        table, out = self.tables[name], []
        for at, row in enumerate(table.rows(0, len(table)).to_pylist()):
            try:
                out.append(make(row))
            except (Bad, TypeError, ValueError) as error:
                where = error.field if isinstance(error, Bad) else ""
                fault = table.fault(str(error), at, where, fatal=name == "categories")
                self._problem(fault, None, None)
        return out

    def item_row(self, at: int) -> dict[str, Any]:
        """The row of an item as Python values."""
        low, high, rows = self._block
        if not low <= at < high:
            table = self.tables["items"]
            low, high = table.around(at, at + 1, 256)
            rows = table.rows(low, high).to_pylist()
            self._block = (low, high, rows)
        return rows[at - low]

    def item(self, at: int) -> Item | None:
        """Load one item; None when a lenient reader had to skip it."""
        table, marks = self.tables["items"], self.tables["annotations"]
        try:
            row = self.item_row(at)
            try:
                item = item_of(row)
            except (Bad, TypeError, ValueError) as error:
                where = error.field if isinstance(error, Bad) else ""
                raise table.fault(str(error), at, where) from error
            first, count = row["first"], row["count"]
            if first is None or count is None or first < 0 or count < 0 or first + count > len(marks):
                text = f"expected rows of the {len(marks)} annotations, got {first} and {count} of them"
                raise table.fault(text, at, "first")
            for number, one in self.annotations.range(first, first + count, at):
                if isinstance(one, FormatError):
                    self._problem(one, item, f"annotations[{number}]")
                else:
                    item.annotations.append(one)
        except FormatError as error:
            self._problem(error, None, None)
            return None
        return item


def read(source: Source) -> Dataset:
    """Read the tables of a folder or zip."""
    found = find(source.files)
    if found is None:
        raise FormatError("expected tables items and annotations, .parquet or .arrow", file=source.path)
    folder, kind = found
    tables: dict[str, Table] = {}
    lengths: dict[str, list[int]] = {}
    for name in TABLES:
        path = folder + name + SUFFIXES[kind]
        if not source.has(path):
            raise FormatError("this table is missing", file=source.display(path), fatal=True)
        tables[name] = open_table(name, source.buffer(path), source.display(path), kind, lengths.get(name))
        if name == "categories":
            lengths = batch_lengths(tables[name])
        for column in tables[name].unknown:
            source.report.unread(None, None, column, f"a column that the table of {name} does not have", what="table")
    items = tables["items"]
    version = items.metadata.get(b"maskcodec.version", b"").decode("utf-8", "replace")
    if version != VERSION or b"maskcodec.dataset" not in items.metadata:
        text = f"expected tables of version {VERSION} with their metadata, got {version or 'no version'}"
        raise items.fault(text, field="maskcodec.version", fatal=True)

    def problem(error: FormatError, item: Any, annotation: Any) -> None:
        source.problem(error, item, annotation)

    reader = Reader(tables, problem, items.metadata[b"maskcodec.dataset"].decode("utf-8", "replace"))
    try:
        listed = sum(count or 0 for count in items.column("count", 0, len(items)).to_pylist())
    except FormatError:
        listed = -1  # damaged: it is told when the items are loaded
    if listed not in (-1, len(tables["annotations"])):
        text = f"the items list {listed} annotations, their table has {len(tables['annotations'])}"
        source.problem(items.fault(text, field="count"))
    reader.dataset.media = _Media(source, folder)
    return reader.dataset
