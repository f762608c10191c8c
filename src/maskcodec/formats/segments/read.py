"""Reading Segments.ai image labels: a release file with all samples, or lone label attributes, one file a sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.images import image_size
from maskcodec.formats._shared.jsonio import Document, Records, decode
from maskcodec.formats._shared.source import Source
from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.assets import Assets, Resolver, point_count, stem
from maskcodec.formats.segments.frame import Frames
from maskcodec.model.dataset import Dataset, Item, LazyItems, Origin
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["read_labels"]


def read_labels(
    source: Source,
    kind: str,
    labelset: str | None,
    assets: str | None,
    resolve: Resolver | None,
    categories: Sequence[Mapping[str, Any]] | None,
) -> Dataset:
    """Read a release, or else all lone labels, of one kind."""
    single = len(source.files) == 1
    candidates = source.files if single else [name for name in source.files if name.lower().endswith(".json")]
    documents = {name: source.document(name) for name in candidates}
    if single:
        next(iter(documents.values())).check()
    kinds = {name: names.kind_of_release(document) for name, document in documents.items()}
    releases = [name for name, found in kinds.items() if found in (kind, "empty") or (single and found is not None)]
    if len(releases) > 1:
        raise FormatError(f"several releases: {', '.join(releases[:3])}; give the path of one", file=source.path)
    if releases:
        document = documents[releases[0]]
        document.check()
        lookup = Assets(source, releases[0], assets, resolve)
        return _Release(source, releases[0], document, kind, labelset, lookup).read()
    labels, others = [], []
    for name, document in documents.items():
        found = names.kind_of_label(document)
        if found == kind or (found == "empty" and kind == "vector") or (single and found is not None):
            labels.append(name)
        elif found is not None:
            others.append((name, found))
    if not labels:
        raise FormatError(f"no release and no label of the type {kind}", file=source.path)
    for name, found in others:
        source.report.unread(name, None, "", f"a label of another type ({found})", what="file")
    return _Labels(source, labels, kind, categories, assets, resolve).read()


class _Split(msgspec.Struct):
    split: str | None = None


class _Head(msgspec.Struct):
    name: str
    metadata: _Split | None = None


_HEADS = msgspec.json.Decoder(_Head)


class _Reader(Frames):
    """What releases and lone labels share."""

    def __init__(self, source: Source, kind: str) -> None:
        self.source, self.kind = source, kind
        self.lenient = source.on_error == "skip"
        self.seen: set[Any] = set()
        self.quiet = False

    def load(self, key: Any, make: Callable[[Any], Item], where: str) -> Item | None:
        """One item; None when a lenient reader had to skip it. Later passes report nothing again."""
        self.quiet = key in self.seen
        self.seen.add(key)
        try:
            return make(key)
        except FormatError as error:
            self.problem(error, where)
            return None

    def problem(self, error: FormatError, item: Any = None, annotation: Any = None) -> None:
        if not (self.quiet and self.lenient):
            self.source.problem(error, item, annotation, what="annotation" if annotation is not None else None)

    def note(self, item: Any, annotation: Any, field: str, text: str, what: str | None = None) -> None:
        if not self.quiet:
            self.source.report.approximate(item, annotation, field, text, what=what)

    def size_from_image(self, item: Item, url: Any, assets: Assets) -> None:
        """Width and height from the image where it is at hand; a bitmap of another size is a fault."""
        if not isinstance(url, str):
            return
        found = assets.find(url, f"{item.id}{url[url.rfind('.') :] if '.' in url.rpartition('/')[2] else ''}")
        if found is None:
            return
        width, height = image_size(found[1], found[0])
        if item.width is not None and (item.width, item.height) not in ((width, height), (height, width)):
            text = f"the bitmap is {item.width} x {item.height}, the image {width} x {height}"
            raise FormatError(text, file=self.file, record=str(item.id), field="segmentation_bitmap")
        if item.width is None:
            item.width, item.height = width, height

    def check_count(self, item: Item, medium: Any, kept: dict[str, Any]) -> None:
        """Hold the number of ids against the points of the cloud, where it is at hand and says how many."""
        url = medium.get("url") if isinstance(medium, dict) else None
        found = self.assets.find(url, str(item.id)) if isinstance(url, str) and kept.get("points") else None
        count = point_count(found[1], medium.get("type")) if found is not None else None
        if count is not None and count != kept["points"]:
            text = f"{kept['points']} ids for a cloud of {count} points"
            raise FormatError(text, file=self.file, record=str(item.id), field="point_annotations")


class _Release(_Reader):
    def __init__(
        self, source: Source, name: str, document: Document, kind: str, labelset: str | None, assets: Assets
    ) -> None:
        super().__init__(source, kind)
        self.document, self.part, self.assets = document, document.part("dataset"), assets
        self.file, self.name, self.wanted = document.file, name, labelset

    def read(self) -> Dataset:
        values = {key: self.document.value(key, self.source.problem) for key in self.document.keys if key != "dataset"}
        about = {key: self.part.value(key, self.source.problem) for key in self.part.keys if key != "samples"}
        task = dict(about.get("task_attributes") or {})
        schema = LabelSchema(names.read_categories(self.source, self.file, task.pop("categories", [])))
        listed = task.pop("image_attributes", None) or []
        schema.attributes = [names.read_attribute(a) for a in listed if isinstance(a, dict)]
        sets = [s.get("name") for s in about.get("labelsets") or [] if isinstance(s, dict)]
        self.labelset = self.wanted or (names.GROUND_TRUTH if names.GROUND_TRUTH in sets or not sets else str(sets[0]))
        self.categories = {category.id for category in schema}
        release = f"{about.get('owner')}_{about.get('name')}/{values.get('name')}/"
        self.assets.cache = (release, f"segments/{release}", "")
        info: dict[str, Any] = {key: values.pop(key) for key in ("name", "description", "created_at") if key in values}
        kept = {"dataset": {**about, "task_attributes": task}, **values}
        if self.labelset != names.GROUND_TRUTH:
            kept["labelset"] = self.labelset
        self.records = self.part.records("samples")
        self.double = self._double(self.records)
        items = LazyItems(range(len(self.records)), lambda i: self.load(i, self._item, self.records.name(i)))
        origin = Origin(names.FORMATS[self.kind], self.source.path, str(values.get("name") or info.get("name")))
        return Dataset(schema, items, info=info, extras={names.NAMESPACE: kept}, source=origin)

    def _double(self, records: Records) -> set[tuple[Any, str]]:
        """Names that samples of one split share when their extensions are taken away."""
        count: Counter[tuple[Any, str]] = Counter()
        for raw in records:
            try:
                head = _HEADS.decode(raw)
            except msgspec.DecodeError:
                continue  # reading the sample says what is wrong with it
            count[head.metadata.split if head.metadata is not None else None, stem(head.name)] += 1
        return {key for key, n in count.items() if n > 1}

    def _item(self, index: int) -> Item:
        where = self.records.name(index)
        sample = decode(self.records.raw(index), file=self.file, record=where, repeat=self.problem)
        name = sample.get("name") if isinstance(sample, dict) else None
        if not isinstance(name, str) or not name:
            text = f"expected a sample with a name, got {shorten(sample)}"
            raise FormatError(text, file=self.file, record=where, field="name")
        where = f"{where} ({name})"
        metadata = dict(sample.get("metadata") or {})
        subset = metadata.pop("split", None) if isinstance(metadata.get("split"), str) else None
        about = sample.get("attributes") or {}
        cloud = self.kind.startswith("pointcloud")
        medium = about.get("pcd" if cloud else "image")
        url = medium.get("url") if isinstance(medium, dict) else None
        path = name
        if stem(name) == name and isinstance(url, str) and stem(url) != url:
            path = name + url[len(stem(url)) :]
        number = stem(name) if (subset, stem(name)) not in self.double else name
        item = Item(number, path, "point_cloud" if cloud else "image", subset=subset or "default")
        rest = {k: v for k, v in sample.items() if k not in ("name", "labels", "metadata")}
        kept: dict[str, Any] = {**rest, **({"metadata": metadata} if "metadata" in sample else {})}
        if path != name:
            kept["name"] = name
        labels = sample.get("labels") or {}
        others = {key: value for key, value in labels.items() if key != self.labelset}
        if others:
            kept["labels"] = others
        for other in (key for key, value in others.items() if value is not None):
            self.note(item, None, f"labels.{other}", "the label of another labelset, kept as it is")
        label = labels.get(self.labelset)
        item.extras = {names.NAMESPACE: kept}
        if label is None:
            item.status = "UNLABELED"
        else:
            self._label(item, label, where, kept)
        if cloud:
            self.check_count(item, medium, kept)
        elif item.width is None:
            self.size_from_image(item, url, self.assets)
        return item

    def _label(self, item: Item, label: Any, where: str, kept: dict[str, Any]) -> None:
        if not isinstance(label, dict):
            text = f"expected an object or null, got {shorten(label)}"
            raise FormatError(text, file=self.file, record=where, field=f"labels.{self.labelset}")
        item.status = label.get("label_status")
        kept["label"] = {k: v for k, v in label.items() if k not in ("label_status", "attributes")}
        attributes = label.get("attributes")
        if attributes is None:
            kept["label"]["attributes"] = None
        else:
            cached = f"{stem(item.path or '')}_label_{self.labelset}.png"
            self.frame(item, attributes, f"{where}: {self.labelset}", kept, cached)


class _Labels(_Reader):
    """Lone label attributes: the categories are the ids that occur, unless a table is given."""

    def __init__(
        self,
        source: Source,
        files: list[str],
        kind: str,
        table: Sequence[Mapping[str, Any]] | None,
        assets: str | None,
        resolve: Resolver | None,
    ) -> None:
        super().__init__(source, kind)
        self.files = files
        self.lookup = {name: Assets(source, name, assets, resolve) for name in files}
        if table is not None:
            self.schema = LabelSchema(names.read_categories(source, "categories", [dict(row) for row in table]))
        else:
            found = set()
            for name in files:
                for record in source.document(name).peek("annotations", 2**31):
                    if isinstance(record, dict) and type(record.get("category_id")) is int:
                        found.add(record["category_id"])
            self.schema = LabelSchema([Category(number, str(number)) for number in sorted(found)])
        self.categories = {category.id for category in self.schema}

    def read(self) -> Dataset:
        for name in self.files:
            if names.kind_of_label(self.source.document(name)) == "empty":
                self.source.report.default(name, None, "type", "an empty label, read as an image vector label")
        items = LazyItems(self.files, lambda name: self.load(name, self._item, name))
        return Dataset(self.schema, items, source=Origin(names.FORMATS[self.kind], self.source.path))

    def _item(self, name: str) -> Item:
        document = self.source.document(name)
        document.check()
        self.file, self.assets = document.file, self.lookup[name]
        attributes = {key: document.value(key, self.problem) for key in document.keys}
        base = name[:-5] if name.lower().endswith(".json") else name
        item = Item(base, media="point_cloud" if self.kind.startswith("pointcloud") else "image")
        kept: dict[str, Any] = {}
        self.frame(item, attributes, "label", kept, f"{base}_label_{names.GROUND_TRUTH}.png")
        if kept:
            item.extras = {names.NAMESPACE: kept}
        return item
