"""Reading Datumaro: one JSON document a subset; items are found first and decoded one by one."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.jsonio import Document, decode
from maskcodec.formats._shared.source import Source, safe_name
from maskcodec.formats.datumaro.record import read_annotation
from maskcodec.formats.datumaro.schema import NAMESPACE, VERSIONS, is_datumaro, read_categories
from maskcodec.formats.datumaro.shapes import Fault
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems, Origin
from maskcodec.model.schema import Category

__all__ = ["read"]

_MEDIA = ("image", "point_cloud", "video_frame", "video", "media")
_TOP = ("categories", "items", "info", "infos", "dm_format_version", "media_type")


class _Head(msgspec.Struct):
    id: Any = None


_HEADS = msgspec.json.Decoder(_Head)


def read(source: Source) -> Dataset:
    """Read every annotation file of a folder, zip or file; the stem of each is its subset."""
    names = source.files if len(source.files) == 1 else [n for n in source.files if n.lower().endswith(".json")]
    documents = {name: source.document(name) for name in names}
    found = {n: d for n, d in documents.items() if len(names) == 1 or is_datumaro(d)}
    if not found:
        raise FormatError("no JSON document with categories and items", file=source.path)
    dataset, files = Dataset(), []
    for name, document in found.items():
        subset = name.rpartition("/")[2].rpartition(".")[0] or name.rpartition("/")[2]
        files.append(_File(source, document, subset if subset != "data" or len(found) > 1 else "default"))
    _merge(dataset, files, source)
    places = [(file, at) for file in files for at in range(len(file.items))]
    dataset.items = LazyItems(places, lambda place: place[0].item(place[1]))
    return dataset


def _merge(dataset: Dataset, files: list[_File], source: Source) -> None:
    """One schema for all files; a file with another label table keeps its order."""
    known: dict[tuple[str, str | None], Category] = {}
    tables: dict[str, list[Any]] = {}
    for file in files:
        for category in file.categories:
            key = (category.name, category.parent)
            if key not in known or any(c is known[key] for c in file.mapped):
                category.id = len(dataset.schema.categories)
                dataset.schema.categories.append(category)
                known.setdefault(key, category)
                file.mapped.append(category)
            else:
                file.mapped.append(known[key])
    first = files[0]
    whole = [c.id for c in dataset.schema]
    for file in files:
        own = [c.id for c in file.mapped]
        if own != whole:
            tables[file.subset] = own
    dataset.info = file_info = dict(first.info)
    extra: dict[str, Any] = dict(first.rest)
    if first.tables:
        extra["categories"] = first.tables
    if tables:
        extra["#tables"] = tables
    differing = {}
    for file in files:
        if (file.info, file.rest, file.tables) != (first.info, first.rest, first.tables):
            differing[file.subset] = {"info": file.info, "rest": file.rest, "categories": file.tables}
        if not file.items and "#empty" not in extra:
            extra["#empty"] = [f.subset for f in files if not f.items]
    if differing:
        extra["#files"] = differing
    if extra.get("#empty") == ["default"] and len(files) == 1:
        del extra["#empty"]
    if extra:
        dataset.extras = {NAMESPACE: extra}
    dataset.info = file_info
    dataset.source = Origin("datumaro", source.path, first.version)


class _File:
    """One document: its label table and the places of its items."""

    def __init__(self, source: Source, document: Document, subset: str) -> None:
        document.check()
        self.source, self.document, self.file, self.subset = source, document, document.file, subset
        if document.root != "object" or "items" not in document.keys or "categories" not in document.keys:
            missing = next((k for k in ("categories", "items") if k not in document.keys), "")
            raise FormatError("required key is missing", file=self.file, field=missing)
        self.lenient = source.on_error == "skip"
        values = {k: document.value(k, self.repeat) for k in document.keys if k != "items"}
        self.version = values.get("dm_format_version")
        if self.version not in VERSIONS:
            text = f"unknown version, expected 1.0 or none, got {shorten(self.version)}"
            source.problem(FormatError(text, file=self.file, field="dm_format_version"))
        info = values.get("infos", values.get("info"))
        self.info: dict[str, Any] = info if isinstance(info, dict) else {}
        self.rest = {k: v for k, v in values.items() if k not in _TOP}
        if info is not None and not isinstance(info, dict):
            self.rest["info"] = info
        self.categories, self.tables = read_categories(values["categories"], self.file, source.report)
        self.mapped: list[Category] = []
        self.records = document.records("items")
        self.items: list[int] = []
        self._index()

    @property
    def repeat(self) -> Any:
        return self.source.problem if self.lenient else None

    def _index(self) -> None:
        ids: Counter[Any] = Counter()
        for at, raw in enumerate(self.records):
            try:
                number = _HEADS.decode(raw).id
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                number = None  # the second pass says what is wrong with it
            if isinstance(number, str):
                ids[number] += 1
                if ids[number] > 1:
                    error = FormatError("duplicate id", file=self.file, record=f"items[{at}] (id {number})", field="id")
                    self.source.problem(error)
                    continue
            self.items.append(at)

    def item(self, at: int) -> Item | None:
        """Load one item; None when a lenient reader had to skip it."""
        try:
            return self._item(self.items[at])
        except FormatError as error:
            self.source.problem(error)
            return None

    def _item(self, at: int) -> Item:
        record = f"items[{at}]"
        row = decode(self.records.raw(at), file=self.file, record=record, repeat=self.repeat)
        if not isinstance(row, dict) or not isinstance(row.get("id"), str):
            text = f"expected an object with a text as id, got {shorten(row)}"
            raise FormatError(text, file=self.file, record=record, field="id")
        record = f"{record} (id {shorten(row['id'])})"
        attributes, annotations = row.get("attr") or {}, row.get("annotations") or []
        for field, value, kind in (("attr", attributes, dict), ("annotations", annotations, list)):
            if not isinstance(value, kind):
                text = f"expected {'an object' if kind is dict else 'a list'}, got {shorten(value)}"
                raise FormatError(text, file=self.file, record=record, field=field)
        item = Item(row["id"], subset=self.subset, attributes=dict(attributes))
        if type(item.attributes.get("frame")) is int:
            item.frame = item.attributes.pop("frame")
        extra = {k: v for k, v in row.items() if k not in ("id", "attr", "annotations", *_MEDIA)}
        self._media(item, row, record, extra)
        if extra:
            item.extras = {NAMESPACE: extra}
        for index, one in enumerate(annotations):
            self._annotation(item, one, index, record)
        return item

    def _media(self, item: Item, row: dict[str, Any], record: str, extra: dict[str, Any]) -> None:
        """Path and size of the medium; what has no field of ours stays in ``extra``."""
        given = [key for key in _MEDIA if isinstance(row.get(key), dict)]
        if not given:
            extra |= {key: row[key] for key in _MEDIA if key in row}
            return
        main = given[0]
        item.media = "point_cloud" if main == "point_cloud" else "image"
        media = dict(row[main])
        path = media.pop("path", None)
        if path is None and main == "image":
            path = f"{item.id}.jpg"
            extra["#no_path"] = True
        if path is not None and path != "":
            try:
                item.path = safe_name(path)
            except ValueError as error:
                raise FormatError(str(error), file=self.file, record=record, field=f"{main}.path") from error
            if item.path != path:
                media["path"] = path
        elif path == "":
            media["path"] = path
        size = media.pop("size", None)
        if size is not None:
            if not isinstance(size, list) or len(size) != 2 or not all(type(v) is int and v > 0 for v in size):
                text = f"expected [height, width], two integers above 0, got {shorten(size)}"
                raise FormatError(text, file=self.file, record=record, field=f"{main}.size")
            item.height, item.width = size
        if media or main not in ("image", "point_cloud"):
            extra[main] = media
        extra |= {key: row[key] for key in given[1:]}

    def _annotation(self, item: Item, row: Any, index: int, record: str) -> None:
        name = f"annotations[{index}]"
        try:
            if not isinstance(row, dict):
                raise Fault("", f"expected an object, got {shorten(row)}")
            category, label = None, row.get("label_id")
            if label is not None:
                if type(label) is not int or not 0 <= label < len(self.mapped):
                    raise Fault("label_id", f"expected a label id below {len(self.mapped)}, got {shorten(label)}")
                category = self.mapped[label]
            annotation = read_annotation(row, category)
        except Fault as fault:
            where = f"{record}: {name}"
            error = FormatError(str(fault), file=self.file, record=where, field=fault.field)
            self.source.problem(error, item, name)
            return
        annotation.category_id = category.id if category is not None else None
        if isinstance(annotation, Mask) and item.width is not None:
            if annotation.rle.shape != (item.height, item.width):
                why = "the mask has another size than the item, kept as it is"
                self.source.report.approximate(item, name, "rle", why, what="mask")
        item.annotations.append(annotation)
