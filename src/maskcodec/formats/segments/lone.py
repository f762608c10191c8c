"""Reading label attributes of Segments.ai without their release, one file a sample."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from maskcodec.errors import FormatError
from maskcodec.formats._shared.jsonio import Document
from maskcodec.formats._shared.source import Source
from maskcodec.formats.segments import kinds
from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.assets import Assets, Resolver
from maskcodec.formats.segments.reader import Reader
from maskcodec.formats.segments.relations import TrackFinder, annotation_links
from maskcodec.formats.segments.strands import Strand
from maskcodec.model.dataset import Dataset, Item, LazyItems, Link, Origin
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["Labels"]


class Labels(Reader):
    """Lone label attributes: the categories are the ids that occur, unless a table is given."""

    def __init__(
        self,
        source: Source,
        files: dict[str, str],
        table: Sequence[Mapping[str, Any]] | None,
        assets: str | None,
        resolve: Resolver | None,
    ) -> None:
        super().__init__(source, next(iter(files.values())))
        self.files = files
        self.last: tuple[str, dict[str, Any], list[Strand]] | None = None
        self.told: set[str] = set()
        self.lookup = {name: Assets(source, name, assets, resolve) for name in files}
        if table is not None:
            self.schema = LabelSchema(names.read_categories(source, "categories", [dict(row) for row in table]))
        else:
            found = {number for name in files for number in _categories(source.document(name))}
            self.schema = LabelSchema([Category(number, str(number)) for number in sorted(found)])
        self.categories = {category.id for category in self.schema}

    def read(self) -> Dataset:
        """The data set; of sequences the frames are counted first."""
        index: list[tuple[str, int, int]] = []
        frameless: dict[str, Any] = {}
        finder = TrackFinder(self.schema)
        links: list[Link] = []
        for name, task in self.files.items():
            if str(kinds.kind_of_label(self.source.document(name))).startswith("empty"):
                what = "an image vector label" if task == "vector" else f"a label of the type {task}"
                self.source.report.default(name, None, "type", f"an empty label, read as {what}")
            if not task.endswith("-sequence"):
                index.append((name, 0, 0))
                links += self._links(name)
                continue
            try:
                attributes, parts = self._taken(name)
            except FormatError as error:
                self.problem(error, name)
                continue
            place = ("default", _base(name))
            finder.sample(place, attributes, (frame for part in parts for frame in part.frames))
            index += [(name, i, frame) for i, part in enumerate(parts) for frame in range(len(part))]
            if not any(map(len, parts)):
                frameless[name] = attributes
        items = LazyItems(index, lambda key: self.load(key, self._item, key[0]))
        extras = {names.NAMESPACE: {"frameless_labels": frameless}} if frameless else {}
        tracks = finder.tracks()
        links += finder.links(tracks)
        origin = Origin(names.FORMATS[self.task], self.source.path)
        return Dataset(self.schema, items, tracks, links, {}, extras, origin)

    def _links(self, name: str) -> list[Link]:
        """Links within the label of one image or cloud."""
        document = self.source.document(name)
        if "links" not in document.keys:
            return []
        try:
            label = {key: document.value(key, lambda *_: None) for key in ("annotations", "links")}
        except FormatError:
            return []  # reading the item says what is wrong with it
        return list(annotation_links("default", _base(name), label))

    def _open(self, name: str) -> tuple[str, Document]:
        document = self.source.document(name)
        document.check()
        self.file, self.assets, self.task = document.file, self.lookup[name], self.files[name]
        self.series = self.task.endswith("-sequence")
        return _base(name), document

    def _taken(self, name: str) -> tuple[dict[str, Any], list[Strand]]:
        """A sequence and its strands; the last one is remembered. Its faults are told when the frames are counted."""
        base, document = self._open(name)
        if self.last is None or self.last[0] != name:
            quiet = name in self.told
            self.told.add(name)
            problem: Any = (lambda *_: None) if quiet else self.problem
            attributes = {key: document.value(key, problem) for key in document.keys}
            fail = problem if quiet else self.fail("label", base)
            self.last = name, attributes, self.parts(None, attributes, "label", fail)
        return self.last[1], self.last[2]

    def _item(self, key: tuple[str, int, int]) -> Item:
        name = key[0]
        base, document = self._open(name)
        if self.series:
            attributes, parts = self._taken(name)
            head = {"series": self.series_head(attributes)}
            return self.series_frame(base, parts, key[1:], "default", head, "label")
        self.kind = self.task
        attributes = {key: document.value(key, self.problem) for key in document.keys}
        kept: dict[str, Any] = {}
        item = Item(base, media="point_cloud" if self.kind.startswith("pointcloud") else "image")
        self.frame(item, attributes, "label", kept, f"{base}_label_{names.GROUND_TRUTH}.png")
        item.extras = {names.NAMESPACE: kept}
        return item


def _base(name: str) -> str:
    """Name of a file without its ending."""
    return name[:-5] if name.lower().endswith(".json") else name


def _categories(document: Document) -> Iterator[int]:
    """Category ids of a label, wherever they stand in it."""
    if kinds.kind_of_label(document) is None:
        return
    stack = [document.peek(key, 2**31) for key in ("annotations", "frames", "sensors") if key in document.keys]
    while stack:
        for record in stack.pop():
            if not isinstance(record, dict):
                continue
            if type(record.get("category_id")) is int:
                yield record["category_id"]
            inner = record.get("attributes") if "task_type" in record else record
            for key in ("annotations", "frames"):
                if isinstance(inner, dict) and isinstance(inner.get(key), list):
                    stack.append(inner[key])
