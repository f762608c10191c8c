"""Reading DataGym: import and export lists of image projects; videos go to ``video.py``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import msgspec

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.images import image_size, read_bmp
from maskcodec.formats._shared.jsonio import Document, decode
from maskcodec.formats._shared.source import Source, safe_name
from maskcodec.formats.datagym.schema import (
    MEDIA_IDS,
    NAMES,
    NAMESPACE,
    kind_of,
    read_classes,
    read_classification,
    read_configuration,
)
from maskcodec.formats.datagym.shapes import Unset, read_geometry
from maskcodec.masks import Rle
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["Resolver", "find", "read_images"]

Resolver = Callable[[str], "bytes | None"]
_KNOWN = (*NAMES, "status", "global_classifications", "labels", "label_classes")


class _Geometry(msgspec.Struct):
    nested_geometries: Any = None


class _Head(msgspec.Struct):
    internal_media_ID: Any = None
    internal_image_ID: Any = None
    external_media_ID: Any = None
    external_image_ID: Any = None
    label_classes: Any = None
    labels: dict[str, list[_Geometry]] | None = None


_HEADS = msgspec.json.Decoder(_Head)


def find(source: Source) -> tuple[Document, str, Document | None]:
    """The one list or video task of a source, its kind, and the label configuration beside it."""
    names = source.files if len(source.files) == 1 else [n for n in source.files if n.lower().endswith(".json")]
    documents = [source.document(name) for name in names]
    kinds = [kind_of(document) for document in documents]
    found = [(d, k) for d, k in zip(documents, kinds, strict=True) if k not in (None, "configuration")]
    if not found and len(documents) == 1 and documents[0].root == "array":
        found = [(documents[0], "import")]  # named by the caller: an empty list, or the error says what is missing
    if len(found) != 1:
        raise FormatError(f"expected one DataGym list or video task, found {len(found)}", file=source.path)
    configurations = [d for d, k in zip(documents, kinds, strict=True) if k == "configuration"]
    document, kind = found[0]
    return document, str(kind), configurations[0] if len(configurations) == 1 else None


def read_images(
    source: Source, document: Document, kind: str, configuration: Document | None, bitmaps: Resolver | None
) -> Dataset:
    """Read an import or export list."""
    document.check()
    dataset = Dataset()
    reader = _Reader(source, document, kind == "import")
    reader.bitmaps = bitmaps
    if configuration is not None:
        dataset.schema = read_configuration(configuration.value(""), configuration.file)
        reader.configured = True
    reader.scan(dataset.schema)
    dataset.items = LazyItems(reader.places, reader.item)
    if reader.classes is not None:
        dataset.extras = {NAMESPACE: {"label_classes": reader.classes}}
    return dataset


class _Reader:
    def __init__(self, source: Source, document: Document, strict: bool) -> None:
        self.source, self.document, self.file, self.strict = source, document, document.file, strict
        self.records = document.records("")
        self.configured = False
        self.bitmaps: Resolver | None = None
        self.classes: Any = None
        self.places: list[int] = []
        self.stems: Counter[str] = Counter()
        self.known: set[str] = set()

    def scan(self, schema: LabelSchema) -> None:
        """First pass: class lists, class keys, and names that are not unique."""
        repeat = self.source.problem if self.source.on_error == "skip" else None
        keys: dict[str, None] = {}
        for at, raw in enumerate(self.records):
            try:
                head = _HEADS.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                self.places.append(at)  # the second pass says what is wrong with it
                continue
            if head.label_classes is not None:
                row = decode(raw, file=self.file, record=f"[{at}]", repeat=repeat)
                self.classes = row["label_classes"]
                read_classes(self.classes, schema, self.file, f"[{at}]")
                if at:
                    why = "not in first place"
                    self.source.report.approximate(f"[{at}]", None, "label_classes", why, what="record")
                continue
            self.places.append(at)
            self.stems[_stem(_name(head))] += 1
            for name, rows in (head.labels or {}).items():
                keys[name] = None
                for geometry in rows:
                    if isinstance(geometry.nested_geometries, dict):
                        keys.update(dict.fromkeys(geometry.nested_geometries))
        self.known = {category.name for category in schema}
        if not self.configured and self.classes is None:
            for key in keys:
                schema.categories.append(Category(key, key))
            self.known = set(keys)

    def item(self, at: int) -> Item | None:
        """One medium; None when a lenient reader had to skip it."""
        try:
            return self._item(at)
        except FormatError as error:
            self.source.problem(error)
            return None

    def _item(self, at: int) -> Item:
        record = f"[{at}]"
        repeat = self.source.problem if self.source.on_error == "skip" else None
        row = decode(self.records.raw(at), file=self.file, record=record, repeat=repeat)
        if not isinstance(row, dict):
            raise FormatError(f"expected an object, got {shorten(row)}", file=self.file, record=record)
        key = next((k for k in MEDIA_IDS if k in row), MEDIA_IDS[0])
        if not isinstance(row.get(key), str) or not row[key]:
            text = f"expected the id of a medium, got {shorten(row.get(key))}"
            raise FormatError(text, file=self.file, record=record, field=key)
        named = next((k for k in NAMES if isinstance(row.get(k), str)), None)
        extra = {k: v for k, v in row.items() if k not in _KNOWN}
        item = Item(row[key])
        if named is not None:
            try:
                item.path = safe_name(row[named])
            except ValueError as error:
                raise FormatError(str(error), file=self.file, record=record, field=named) from error
            stem = _stem(item.path)
            item.id = stem if self.stems[stem] == 1 else row[key]
            if item.path != row[named]:
                extra[named] = row[named]
            stream = self.source.open_media(item)
            if stream is not None:
                with stream:
                    item.width, item.height = image_size(stream, item.path)
        if not isinstance(row.get("status"), (str, type(None))):
            text = f"expected a text, got {shorten(row['status'])}"
            raise FormatError(text, file=self.file, record=record, field="status")
        item.status = row.get("status")
        for part in ("global_classifications", "labels"):
            if part in row and not isinstance(row[part], dict):
                text = f"expected an object, got {shorten(row[part])}"
                raise FormatError(text, file=self.file, record=record, field=part)
        for name, values in row.get("global_classifications", {}).items():
            try:
                where = (self.file, record, f"global_classifications.{name}")
                read_classification(values, name, item.attributes, where, self.strict)
            except FormatError as error:
                self.source.problem(error, item, f"global_classifications.{name}")
        missing = [part for part in ("global_classifications", "labels") if part not in row]
        if missing:
            extra["absent"] = missing
        empty = [name for name, rows in row.get("labels", {}).items() if rows == []]
        if empty:
            extra["empty_labels"] = empty
        item.extras = {NAMESPACE: extra}
        self._geometries(item, row.get("labels", {}), record, "labels", None)
        if self.bitmaps is not None:
            self._bitmaps(item, row.get("segmentations"), record)
        return item

    def _bitmaps(self, item: Item, addresses: Any, record: str) -> None:
        """Segmentation bitmaps, one for each class: white pixels are its mask."""
        for address in addresses if isinstance(addresses, list) else []:
            data = self.bitmaps(address) if self.bitmaps is not None and isinstance(address, str) else None
            if data is None:
                self.source.report.unread(item, None, "segmentations", "the bitmap is not at hand")
                continue
            name = unquote(address.rpartition("/")[2])
            try:
                if name not in self.known:
                    raise FormatError(f"a bitmap of an unknown class {shorten(name)}", file=self.file, record=record)
                pixels = read_bmp(data, address)
                shape = (item.height or pixels.shape[0], item.width or pixels.shape[1])
                if pixels.shape != shape:
                    text = f"a bitmap of {pixels.shape}, the image is {shape} (height, width)"
                    raise FormatError(text, file=address, record=record)
            except FormatError as error:
                self.source.problem(error, item, "bitmap")
                continue
            item.height, item.width = shape
            kept = {NAMESPACE: {"segmentation": True}}
            item.annotations.append(Mask(Rle.from_mask(pixels >= 128), category_id=name, extras=kept))

    def _geometries(self, item: Item, labels: dict[str, Any], record: str, field: str, parent: Any) -> None:
        for name, rows in labels.items():
            if not isinstance(rows, list) or name not in self.known:
                text = f"expected a list, got {shorten(rows)}" if name in self.known else "an unknown class key"
                inner = f"{field}.{name}"
                self.source.problem(FormatError(text, file=self.file, record=record, field=inner), item, name)
                continue
            for at, row in enumerate(rows):
                place = f"{field}.{name}[{at}]"
                try:
                    annotation = read_geometry(row, (self.file, record, place), self.strict, name)
                except Unset:
                    why = "the server wrote no coordinates (null)"
                    self.source.report.unread(item, place, "", why, what="geometry")
                    continue
                except FormatError as error:
                    self.source.problem(error, item, place)
                    continue
                if "image_segmentation" in row and self.strict:
                    self.source.report.unread(
                        item, place, "image_segmentation", "DataGym ignores it on import", what="geometry"
                    )
                annotation.parent_id = parent
                item.annotations.append(annotation)
                nested = row.get("nested_geometries", {})
                if not isinstance(nested, dict) or (nested and parent is not None):
                    deep = "geometries are nested deeper than one level"
                    text = deep if parent is not None else f"expected an object, got {shorten(nested)}"
                    inner = f"{place}.nested_geometries"
                    self.source.problem(FormatError(text, file=self.file, record=record, field=inner), item, place)
                    continue
                if nested:
                    annotation.id = len(item.annotations)  # children name it; DataGym itself has no ids
                    self._geometries(item, nested, record, f"{place}.nested_geometries", annotation.id)


def _name(head: _Head) -> str:
    for value in (head.external_media_ID, head.external_image_ID, head.internal_media_ID, head.internal_image_ID):
        if isinstance(value, str):
            return value
    return ""


def _stem(name: str) -> str:
    folder, slash, base = name.rpartition("/")
    return folder + slash + (base.rpartition(".")[0] or base)
