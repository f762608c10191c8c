"""Reading Hasty JSON: images are found first and decoded one by one."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.images import image_size
from maskcodec.formats._shared.jsonio import Document, Records, decode
from maskcodec.formats._shared.source import Source
from maskcodec.formats.hasty_json import schema as names
from maskcodec.formats.hasty_json.labels import Labels
from maskcodec.model.annotations import Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems, Origin
from maskcodec.model.schema import Category, LabelSchema, TagGroup

__all__ = ["read"]

_IMAGE_KEYS = (
    "image_name", "dataset_name", "width", "height", "image_status", "labels", "tags", "tag_groups", "attributes",
)  # fmt: skip


class _LabelHead(msgspec.Struct):
    class_name: Any = None


class _Head(msgspec.Struct):
    """What the first pass looks at; everything else is skipped undecoded."""

    image_name: Any = None
    dataset_name: Any = None
    tags: Any = None
    tag_groups: Any = None
    labels: list[_LabelHead] | None = None


_HEADS = msgspec.json.Decoder(_Head)


def _document(source: Source) -> tuple[str, Document]:
    from maskcodec.formats.hasty_json import recognise

    single = len(source.files) == 1
    candidates = source.files if single else [name for name in source.files if name.lower().endswith(".json")]
    documents = {name: source.document(name) for name in candidates}
    found = {name: d for name, d in documents.items() if single or recognise(d) is None}
    if len(found) != 1:
        what = f"{len(found)} Hasty projects ({', '.join(found)})" if found else "no Hasty project"
        raise FormatError(f"expected one JSON document with images and label classes, found {what}", file=source.path)
    return next(iter(found.items()))


def read(source: Source) -> Dataset:
    """Read a project: a JSON file, or a folder or zip with one."""
    _, document = _document(source)
    document.check()
    file = document.file
    if document.root != "object" or "images" not in document.keys:
        raise FormatError("required list of images is missing", file=file, field="images")
    values = {key: document.value(key, source.problem) for key in document.keys if key != "images"}
    version = values.get("export_format_version")
    if version is None:
        version = "1.1" if "attributes" in values or document.contains("images", b'"tags"') else "1.0"
        source.report.default(file, None, "export_format_version", "version taken from the keys that occur")
    elif version not in names.VERSIONS:
        text = f"unknown version, expected 1.0 or 1.1, got {shorten(version)}"
        raise FormatError(text, file=file, field="export_format_version")
    schema, extras = names.read_schema(source, file, values)
    known = ("label_classes", "attributes", "tag_groups", "keypoint_schemas", "export_format_version")
    info = {k: v for k, v in values.items() if k in names.INFO and v != names.INFO[k]}
    extras |= {k: v for k, v in values.items() if k not in known and k not in names.INFO}
    reader = _Reader(source, document.records("images"), schema, extras.get("keypoint_schemas") or [])
    return Dataset(
        schema,
        LazyItems(range(len(reader.images)), reader.item),
        info=info,
        extras={names.NAMESPACE: extras} if extras else {},
        source=Origin("hasty_json", source.path, version),
    )


class _Reader(Labels):
    def __init__(self, source: Source, images: Records, schema: LabelSchema, schemas: list[dict[str, Any]]) -> None:
        self.source, self.images, self.file = source, images, images.file
        self.seen: set[int] = set()
        self.groups = {group.name: group for group in schema.tag_groups}
        self.classes: dict[str, Category] = {}
        for category in schema:
            self.classes.setdefault(category.name, category)
        self.defined = {spec.name for spec in schema.attributes} | {s.name for c in schema for s in c.attributes}
        self.keypoints = {c.id: names.keypoint_classes(schemas, c.id) for c in schema}
        self._scan(schema)

    def _scan(self, schema: LabelSchema) -> None:
        """First pass: what must be known before the first image is read."""
        stems: Counter[tuple[Any, Any]] = Counter()
        for raw in self.images:
            try:
                head = _HEADS.decode(raw)
            except msgspec.DecodeError:
                continue  # the second pass says what is wrong with it
            if isinstance(head.image_name, str) and isinstance(head.dataset_name, (str, type(None))):
                stems[head.dataset_name, _stem(head.image_name)] += 1
            for group, tags in _tags(head.tags, head.tag_groups):
                fresh = [tag for tag in tags if tag not in self.classes]
                if fresh and group not in self.groups:
                    self.groups[group] = TagGroup(group)
                    schema.tag_groups.append(self.groups[group])
                if fresh:
                    own = self.groups[group].tags
                    own += [tag for tag in dict.fromkeys(fresh) if tag not in own]
            for label in head.labels or []:
                name = label.class_name
                if self.lenient and isinstance(name, str) and name not in self.classes:
                    self.classes[name] = Category(name, name)
                    schema.categories.append(self.classes[name])
                    self.source.report.default(self.file, None, "", "class added", what="category")
        self.repeated = {key for key, count in stems.items() if count > 1}

    # --- images -------------------------------------------------------------------------------------------------------
    def item(self, index: int) -> Item | None:
        """Image ``index``; None when a lenient reader had to skip it."""
        self.quiet = index in self.seen
        self.seen.add(index)
        file, where = self.file, self.images.name(index)
        try:
            record = decode(self.images.raw(index), file=file, record=where, repeat=self.problem)
            if not isinstance(record, dict):
                raise FormatError(f"expected an object, got {shorten(record)}", file=file, record=where)
            return self._item(record, where)
        except FormatError as error:
            self.problem(error, where)
            return None

    def _item(self, record: dict[str, Any], where: str) -> Item:
        file, name = self.file, record.get("image_name")
        if not isinstance(name, str) or not name:
            text = f"expected the name of an image, got {shorten(name)}"
            raise FormatError(text, file=file, record=where, field="image_name")
        dataset = record.get("dataset_name")
        if dataset is not None and not isinstance(dataset, str):
            text = f"expected a text, got {shorten(dataset)}"
            raise FormatError(text, file=file, record=where, field="dataset_name")
        subset = dataset or "default"
        path = name if subset == "default" else f"{subset}/{name}"
        where = f"{where} ({subset}/{name})" if dataset else f"{where} ({name})"
        extras = {k: v for k, v in record.items() if k not in _IMAGE_KEYS}
        key = _stem(name) if (dataset, _stem(name)) not in self.repeated else name
        width, height = self._size(record, path, where)
        item = Item(key, path, width=width, height=height, subset=subset, status=record.get("image_status"))
        if extras:
            item.extras = {names.NAMESPACE: extras}
        if item.status is not None and item.status not in names.STATUSES:
            if not isinstance(item.status, str):
                text = f"expected a text, got {shorten(item.status)}"
                raise FormatError(text, file=file, record=where, field="image_status")
            self.note(item, None, "status", "a status that Hasty does not document, kept as it is")
        item.attributes = self._object(record.get("attributes"), where, "attributes")
        labels = record.get("labels") or []
        if not isinstance(labels, list):
            raise FormatError(f"expected a list, got {shorten(labels)}", file=file, record=where, field="labels")
        for index, label in enumerate(labels):
            self.add(item, label, index, where)
        for group, tags in _tags(record.get("tags"), record.get("tag_groups")):
            free = [tag for tag in tags if tag not in self.classes]
            for tag in tags:
                if tag in self.classes:
                    own = {"group": group} if group != names.DEFAULT_GROUP else {}
                    kept = {names.NAMESPACE: own} if own else {}
                    item.annotations.append(Tag(category_id=self.classes[tag].id, extras=kept))
            if free:
                item.attributes[group if group not in item.attributes else f"{group} (tags)"] = free
        return item

    def _size(self, record: dict[str, Any], path: str, where: str) -> tuple[int, int]:
        if record.get("width") is None or record.get("height") is None:
            stream = self.source.open_media(Item(path, path))
            if stream is not None:
                with stream:
                    return image_size(stream, path)
        for field in ("width", "height"):
            value = record.get(field)
            if type(value) is not int or value < 1:
                text = f"expected the size of the image in pixels, got {shorten(value)}"
                raise FormatError(text, file=self.file, record=where, field=field)
        return record["width"], record["height"]

    def _object(self, value: Any, where: str, field: str) -> dict[str, Any]:
        if value is not None and not isinstance(value, dict):
            raise FormatError(f"expected an object, got {shorten(value)}", file=self.file, record=where, field=field)
        return dict(value or {})


def _stem(name: str) -> str:
    head, dot, tail = name.rpartition(".")
    return head if dot and head and "/" not in tail else name


def _tags(tags: Any, groups: Any) -> list[tuple[str, list[str]]]:
    """Tags of an image by group; those of the flat list that no group has count for the default group."""
    out = []
    if isinstance(groups, dict):
        out = [(g, [str(t) for t in own]) for g, own in groups.items() if isinstance(own, list) and own]
    grouped = {tag for _, own in out for tag in own}
    loose = [str(t) for t in tags if str(t) not in grouped] if isinstance(tags, list) else []
    if loose:
        for group, own in out:
            if group == names.DEFAULT_GROUP:
                own += loose
                return out
        out.append((names.DEFAULT_GROUP, loose))
    return out
