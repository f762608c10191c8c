"""The list forms: ``[{"image_name", "labels": [{"class_name", "bbox" or "polygon"}]}]``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.images import image_size
from maskcodec.formats._shared.jsonio import Document, decode, encode, numbers
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source, safe_name
from maskcodec.formats.hasty_json.labels import Fault, Labels
from maskcodec.formats.hasty_json.naming import image_name, media_name
from maskcodec.formats.hasty_json.schema import NAMESPACE as JSON_NAMESPACE
from maskcodec.model.annotations import Annotation, Box, Polygon
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["NAMESPACE", "detector", "read", "writer"]

NAMESPACE = "hasty_list"


class _LabelHead(msgspec.Struct):
    class_name: Any = None


class _Head(msgspec.Struct):
    image_name: Any = None
    dataset_name: Any = None
    labels: list[_LabelHead] | None = None


_HEADS = msgspec.json.Decoder(_Head)


def recognise(document: Document) -> dict[str, int] | None:
    """How many labels of the first records have which geometry; None when it is no such list."""
    if document.root != "array":
        return None
    rows = document.peek(count=50)
    if not rows or not all(isinstance(row, dict) and "image_name" in row and "labels" in row for row in rows):
        return None
    labels = [label for row in rows for label in row["labels"] or [] if isinstance(label, dict)]
    return {key: sum(label.get(key) is not None for label in labels) for key in ("bbox", "polygon")}


def detector(kind: str) -> Callable[[Probe], Confidence]:
    """A list with a polygon is a polygon list, any other a box list."""

    def detect(probe: Probe) -> Confidence:
        for name, document in probe.json().items():
            found = recognise(document)
            if found is None:
                continue
            if (kind == "polygon") == bool(found["polygon"]):
                return Confidence(85, f"{name}: a list of images with {kind} labels")
            raise NotThisFormat(f"{name}: a list of images with other labels")
        raise NotThisFormat("no JSON list of objects with image_name and labels")

    return detect


def _document(source: Source) -> Document:
    names = source.files if len(source.files) == 1 else [n for n in source.files if n.lower().endswith(".json")]
    found = [d for d in map(source.document, names) if len(names) == 1 or recognise(d) is not None]
    if len(found) != 1:
        raise FormatError(f"expected one JSON list of images with labels, found {len(found)}", file=source.path)
    return found[0]


def read(source: Source) -> Dataset:
    """Read a box or polygon list; entries of one image are joined in file order."""
    document = _document(source)
    document.check()
    if document.root != "array":
        raise FormatError(f"the top level is an {document.root}, expected a list (array)", file=document.file)
    reader = _Reader(source, document)
    categories = [Category(name, name) for name in reader.classes]
    return Dataset(LabelSchema(categories), LazyItems(range(len(reader.entries)), reader.item))


class _Reader(Labels):
    def __init__(self, source: Source, document: Document) -> None:
        self.source, self.file = source, document.file
        self.seen: set[int] = set()
        self.records = document.records("")
        self.classes: dict[str, Category] = {}
        self.keypoints: dict[Any, list[dict[str, Any]]] = {}
        places: dict[tuple[Any, Any], list[int]] = {}
        for at, raw in enumerate(self.records):
            try:
                head = _HEADS.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                head = _Head()  # looked at by itself, where its faults are named
            key = (head.dataset_name, head.image_name) if isinstance(head.image_name, str) else (None, at)
            if not isinstance(head.dataset_name, (str, type(None))):
                key = (None, at)
            places.setdefault(key, []).append(at)
            for label in head.labels or []:
                if isinstance(label.class_name, str) and label.class_name:
                    self.classes.setdefault(label.class_name, Category(label.class_name, label.class_name))
        self.entries = list(places.values())
        self.stems = Counter((dataset, _stem(name)) for dataset, name in places if isinstance(name, str))

    def item(self, at: int) -> Item | None:
        """One image with the labels of all its entries."""
        item = None
        self.quiet = at in self.seen
        self.seen.add(at)
        for place in self.entries[at]:
            try:
                item = self._entry(place, item)
            except FormatError as error:
                self.problem(error)
        return item

    def _entry(self, place: int, item: Item | None) -> Item:
        where = f"[{place}]"
        repeat = self.problem if self.lenient else None
        row = decode(self.records.raw(place), file=self.file, record=where, repeat=repeat)
        if not isinstance(row, dict):
            raise FormatError(f"expected an object, got {shorten(row)}", file=self.file, record=where)
        name: Any = row.get("image_name")
        dataset, labels = row.get("dataset_name"), row.get("labels")
        for field, good in (("image_name", isinstance(name, str) and bool(name)),
                            ("dataset_name", dataset is None or isinstance(dataset, str)),
                            ("labels", isinstance(labels, list))):  # fmt: skip
            if not good:
                text = f"expected {'a list' if field == 'labels' else 'a text'}, got {shorten(row.get(field))}"
                raise FormatError(text, file=self.file, record=where, field=field)
        where += f" ({name})"
        if item is None:
            subset = dataset or "default"
            try:
                path = safe_name(name if subset == "default" else f"{subset}/{name}")
            except ValueError as error:
                raise FormatError(str(error), file=self.file, record=where, field="image_name") from error
            stem = _stem(name)
            item = Item(stem if self.stems[dataset, stem] == 1 else name, path, subset=subset)
            stream = self.source.open_media(item)
            if stream is not None:
                with stream:
                    item.width, item.height = image_size(stream, path)
        rest = {k: v for k, v in row.items() if k not in ("image_name", "dataset_name", "labels")}
        if rest:
            item.extras.setdefault(NAMESPACE, {}).update(rest)
        for index, label in enumerate(labels or []):
            self.add(item, label, index, where)
        return item

    def _label(self, item: Item, label: dict[str, Any], name: str) -> Annotation:
        if all(label.get(key) is None for key in ("bbox", "polygon", "mask")) and not label.get("keypoints"):
            raise Fault("bbox", "a label without a shape: neither bbox nor polygon")
        annotation = super()._label(item, label, name)
        if JSON_NAMESPACE in annotation.extras:
            annotation.extras = {NAMESPACE: annotation.extras[JSON_NAMESPACE]}
            if annotation.extras[NAMESPACE].get("bbox", 0) is None:
                del annotation.extras[NAMESPACE]["bbox"]  # absent, as usual in this form
            if not annotation.extras[NAMESPACE]:
                annotation.extras = {}
        return annotation


def _stem(name: str) -> str:
    head, dot, tail = name.rpartition(".")
    return head if dot and head and "/" not in tail else name


def writer(kind: str) -> Callable[..., None]:
    """The writer of one of the two lists."""

    def write(dataset: Dataset, sink: NullSink, report: LossReport, *, decimals: bool = False) -> None:
        """Write ``<kind>.json``.

        Args:
            dataset: what the format carries.
            sink: the output.
            report: hears of special losses.
            decimals: write coordinates as they are; otherwise they come as whole pixels.
        """
        schema = dataset.schema
        used: dict[Any, None] = {}
        with sink.open(f"{kind}.json") as out:
            out.write(b"[")
            for count, item in enumerate(dataset.items):
                name = image_name(item)
                if item.path != media_name(item):
                    report.rename(item, None, "path", "Hasty keeps images as <dataset>/<image>")
                if item.id != _stem(name):
                    report.rename(item, None, "id", "an image is known by its dataset and name")
                labels = []
                for annotation in item.annotations:
                    category = schema.by_id(annotation.category_id)
                    used.setdefault(category.id)
                    labels.append({"class_name": category.name, **_shape(annotation)})
                row: dict[str, Any] = {"image_name": name}
                if item.subset != "default":
                    row["dataset_name"] = item.subset
                row |= {"labels": labels, **item.extras.get(NAMESPACE, {})}
                out.write((b",\n" if count else b"\n") + encode(row))
            out.write(b"]\n")
        for category in schema:
            if category.id not in used:
                report.drop(category.name, None, "", "the list names only classes that have labels", what="category")
            elif category.id != category.name:
                report.rename(category.name, None, "id", "classes are known by their names", what="category")
        if [c.id for c in schema if c.id in used] != list(used):
            why = "classes come in the order of their first labels"
            report.approximate(None, None, "categories", why, what="schema")

    return write


def _shape(annotation: Annotation) -> dict[str, Any]:
    kept = annotation.extras.get(NAMESPACE, {})
    if isinstance(annotation, Box):
        corners = [annotation.x0, annotation.y0, annotation.x1, annotation.y1]
        return {"bbox": numbers(corners), **{k: v for k, v in kept.items() if k != "polygon"}}
    if isinstance(annotation, Polygon):
        return {"polygon": numbers(annotation.rings[0]), **kept}
    raise TypeError(f"cannot write a {annotation.kind}")
