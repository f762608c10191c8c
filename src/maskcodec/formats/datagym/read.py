"""Reading DataGym: import and export lists of image projects; videos go to ``video.py``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import msgspec

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.faults import Faults
from maskcodec.formats._shared.images import image_size, read_bmp
from maskcodec.formats._shared.jsonio import Document, decode
from maskcodec.formats._shared.source import Source, safe_name
from maskcodec.formats.datagym.find import Found
from maskcodec.formats.datagym.heads import HEADS, keys_of, name_of, stem_of
from maskcodec.formats.datagym.schema import (
    MEDIA_IDS,
    NAMES,
    NAMESPACE,
    foreign_values,
    read_classes,
    read_classification,
    read_configuration,
)
from maskcodec.formats.datagym.shapes import Unset, read_geometry
from maskcodec.masks import Rle
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import AttributeSpec, Category, LabelSchema

__all__ = ["Resolver", "read_images"]

Resolver = Callable[[str], "bytes | None"]
_KNOWN = (*NAMES, "status", "global_classifications", "labels", "label_classes")


def read_images(source: Source, found: Found, bitmaps: Resolver | None) -> Dataset:
    """Read import or export lists of one project."""
    dataset = Dataset()
    reader = _Reader(source, found.lists, found.kind == "import")
    reader.bitmaps = bitmaps
    if found.configuration is not None:
        dataset.schema = read_configuration(found.configuration.value(""), found.configuration.file)
        reader.configured = True
    reader.scan(dataset.schema)
    dataset.items = LazyItems(reader.places, reader.item)
    if reader.classes is not None:
        dataset.extras = {NAMESPACE: {"label_classes": reader.classes}}
    return dataset


class _Reader(Faults):
    def __init__(self, source: Source, documents: list[Document], strict: bool) -> None:
        self.source, self.documents, self.strict = source, documents, strict
        self.file = documents[0].file
        self.records = [document.records("") for document in documents]
        self.seen: set[tuple[int, int]] = set()
        self.configured = False
        self.bitmaps: Resolver | None = None
        self.classes: Any = None
        self.places: list[tuple[int, int]] = []
        self.stems: Counter[str] = Counter()
        self.known: set[str] = set()
        self.schema = LabelSchema()

    def scan(self, schema: LabelSchema) -> None:
        """First pass: class lists, class keys, and names that are not unique."""
        repeat = self.source.problem if self.lenient else None
        keys: dict[str, None] = {}
        for part, records in enumerate(self.records):
            self.file = self.documents[part].file
            for at, raw in enumerate(records):
                try:
                    head = HEADS.decode(raw)
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    self.places.append((part, at))  # the second pass says what is wrong with it
                    continue
                if head.label_classes is None:
                    self.places.append((part, at))
                    self.stems[stem_of(name_of(head))] += 1
                    keys.update(keys_of(head))
                    continue
                row = decode(raw, file=self.file, record=f"[{at}]", repeat=repeat)
                if self.classes is None:
                    self.classes = row["label_classes"]
                    read_classes(self.classes, schema, self.file, f"[{at}]")
                if at:
                    self.note(f"[{at}]", None, "label_classes", "not in first place", "record")
        self.known = {category.name for category in schema}
        if not self.configured and self.classes is None:
            for key in keys:
                schema.categories.append(Category(key, key))
            self.known = set(keys)
        self.schema = schema

    def item(self, place: tuple[int, int]) -> Item | None:
        """One medium; None when a lenient reader had to skip it."""
        self.quiet, self.file = place in self.seen, self.documents[place[0]].file
        self.seen.add(place)
        try:
            return self._item(*place)
        except FormatError as error:
            self.problem(error)
            return None

    def _item(self, part: int, at: int) -> Item:
        record = f"[{at}]"
        repeat = self.problem if self.lenient else None
        row = decode(self.records[part].raw(at), file=self.file, record=record, repeat=repeat)
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
            stem = stem_of(item.path)
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
        for inner in ("global_classifications", "labels"):
            if inner in row and not isinstance(row[inner], dict):
                text = f"expected an object, got {shorten(row[inner])}"
                raise FormatError(text, file=self.file, record=record, field=inner)
        for name, values in row.get("global_classifications", {}).items():
            try:
                where = (self.file, record, f"global_classifications.{name}")
                read_classification(values, name, item.attributes, where, self.strict)
            except FormatError as error:
                self.problem(error, item, f"global_classifications.{name}")
        if self.configured:
            self._check_values(item, None, item.attributes, self.schema.attributes, record, "global_classifications")
        missing = [inner for inner in ("global_classifications", "labels") if inner not in row]
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
                self.left_out(item, None, "segmentations", "the bitmap is not at hand")
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
                self.problem(error, item, "bitmap")
                continue
            item.height, item.width = shape
            kept = {NAMESPACE: {"segmentation": True}}
            item.annotations.append(Mask(Rle.from_mask(pixels >= 128), category_id=name, extras=kept))

    def _geometries(self, item: Item, labels: dict[str, Any], record: str, field: str, parent: Any) -> None:
        for name, rows in labels.items():
            if not isinstance(rows, list) or name not in self.known:
                text = f"expected a list, got {shorten(rows)}" if name in self.known else "an unknown class key"
                inner = f"{field}.{name}"
                self.problem(FormatError(text, file=self.file, record=record, field=inner), item, name)
                continue
            for at, row in enumerate(rows):
                place = f"{field}.{name}[{at}]"
                try:
                    annotation = read_geometry(row, (self.file, record, place), self.strict, name, self._type(name))
                except Unset:
                    why = "the server wrote no coordinates (null)"
                    self.left_out(item, place, "", why, what="geometry")
                    continue
                except FormatError as error:
                    self.problem(error, item, place)
                    continue
                if "image_segmentation" in row and self.strict:
                    self.left_out(
                        item, place, "image_segmentation", "DataGym ignores it on import", what="geometry"
                    )
                if self.configured:
                    specs = self.schema.by_id(name).attributes
                    self._check_values(item, place, annotation.attributes, specs, record, f"{place}.classifications")
                annotation.parent_id = parent
                item.annotations.append(annotation)
                nested = row.get("nested_geometries", {})
                if not isinstance(nested, dict) or (nested and parent is not None):
                    deep = "geometries are nested deeper than one level"
                    text = deep if parent is not None else f"expected an object, got {shorten(nested)}"
                    inner = f"{place}.nested_geometries"
                    self.problem(FormatError(text, file=self.file, record=record, field=inner), item, place)
                    continue
                if nested:
                    annotation.id = len(item.annotations)  # children name it; DataGym itself has no ids
                    self._geometries(item, nested, record, f"{place}.nested_geometries", annotation.id)

    def _type(self, name: str) -> str | None:
        """Geometry that a class is of by the label configuration; None where there is none."""
        kept = self.schema.by_id(name).extras.get(NAMESPACE, {}) if self.configured else {}
        return kept.get("type") if isinstance(kept.get("type"), str) else None

    def _check_values(
        self, item: Item, place: str | None, values: dict[str, Any], specs: list[AttributeSpec], record: str, field: str
    ) -> None:
        """Hold values against the options of the label configuration; a lenient reader leaves out what is none."""
        for name, text in foreign_values(values, specs):
            error = FormatError(text, file=self.file, record=record, field=f"{field}.{name}")
            self.problem(error, item, place or f"{field}.{name}")
            for inner in [key for key in values if key == name or key.startswith(f"{name}/")]:
                del values[inner]
