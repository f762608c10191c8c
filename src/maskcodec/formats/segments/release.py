"""Reading a release file of Segments.ai: all samples of a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.jsonio import Document, Records, decode
from maskcodec.formats._shared.source import Source
from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.assets import Assets, stem
from maskcodec.formats.segments.reader import Reader
from maskcodec.formats.segments.relations import TrackFinder, annotation_links
from maskcodec.formats.segments.strands import Strand, url_of, without
from maskcodec.model.dataset import Dataset, Item, LazyItems, Link, Origin, Track
from maskcodec.model.schema import LabelSchema

__all__ = ["Release"]


class _Split(msgspec.Struct):
    split: str | None = None


class _Head(msgspec.Struct):
    name: str
    metadata: _Split | None = None


_HEADS = msgspec.json.Decoder(_Head)


class Release(Reader):
    """A release file."""

    def __init__(
        self, source: Source, name: str, document: Document, task: str, labelset: str | None, assets: Assets
    ) -> None:
        super().__init__(source, task)
        self.document, self.part, self.assets = document, document.part("dataset"), assets
        self.file, self.name, self.wanted = document.file, name, labelset
        self.last: tuple[int, Any, list[Strand]] | None = None
        self.counted = False

    def read(self) -> Dataset:
        """The data set; of sequences the frames are counted first."""
        values = {key: self.document.value(key, self.source.problem) for key in self.document.keys if key != "dataset"}
        about = {key: self.part.value(key, self.source.problem) for key in self.part.keys if key != "samples"}
        for key, kind, name in (("task_attributes", dict, "an object"), ("labelsets", list, "a list")):
            if not isinstance(about.get(key), (kind, type(None))):
                text = f"expected {name}, got {shorten(about[key])}"
                raise FormatError(text, file=self.file, field=f"dataset.{key}")
        task = dict(about.get("task_attributes") or {})
        schema = LabelSchema(names.read_categories(self.source, self.file, task.pop("categories", [])))
        listed = task.pop("image_attributes", None)
        schema.attributes = names.read_attributes(self.source, self.file, listed, "task_attributes.image_attributes")
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
        index: Any = range(len(self.records))
        tracks: dict[Any, Track] = {}
        if self.series:
            finder = TrackFinder(schema)
            index, frameless = self._frames(finder)
            tracks = finder.tracks()
            links = finder.links(tracks)
            if frameless:
                kept["frameless"] = frameless
            items = LazyItems(index, lambda key: self.load(key, self._frame_item, self.records.name(key[0])))
        else:
            links = list(self._links())
            items = LazyItems(index, lambda i: self.load(i, self._item, self.records.name(i)))
        origin = Origin(names.FORMATS[self.task], self.source.path, str(values.get("name") or info.get("name")))
        return Dataset(schema, items, tracks, links, info, {names.NAMESPACE: kept}, origin)

    def _links(self) -> Iterator[Link]:
        """Links within samples of one image or cloud; only samples that may have some are looked into."""
        for at, raw in enumerate(self.records):
            if b'links"' not in raw and b"\\u00" not in raw:
                continue
            try:
                sample, _, number, subset, _ = self._sample(at, lambda *_: None)
            except FormatError:
                continue  # reading the item says what is wrong with it
            label = (sample.get("labels") or {}).get(self.labelset)
            attributes = label.get("attributes") if isinstance(label, dict) else None
            yield from annotation_links(subset or "default", number, attributes)

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

    # --- samples ------------------------------------------------------------------------------------------------------
    def _sample(self, index: int, repeat: Any) -> tuple[dict[str, Any], str, str, str | None, dict[str, Any]]:
        """A sample with its place for errors, its id, its split, and what it says besides."""
        where = self.records.name(index)
        sample = decode(self.records.raw(index), file=self.file, record=where, repeat=repeat)
        name = sample.get("name") if isinstance(sample, dict) else None
        if not isinstance(name, str) or not name:
            text = f"expected a sample with a name, got {shorten(sample)}"
            raise FormatError(text, file=self.file, record=where, field="name")
        for key in ("metadata", "labels"):
            if not isinstance(sample.get(key), (dict, type(None))):
                text = f"expected an object, got {shorten(sample[key])}"
                raise FormatError(text, file=self.file, record=f"{where} ({name})", field=key)
        metadata = dict(sample.get("metadata") or {})
        subset = metadata.pop("split", None) if isinstance(metadata.get("split"), str) else None
        kept = without(sample, "name", "labels", "metadata")
        if "metadata" in sample:
            kept["metadata"] = metadata
        others = without(sample.get("labels"), self.labelset)
        if others:
            kept["labels"] = others
        number = stem(name) if (subset, stem(name)) not in self.double else name
        return sample, f"{where} ({name})", number, subset, kept

    def _tell_others(self, item: Item, kept: dict[str, Any]) -> None:
        for other in (key for key, value in kept.get("labels", {}).items() if value is not None):
            self.note(item, None, f"labels.{other}", "the label of another labelset, kept as it is")

    def _item(self, index: int) -> Item:
        sample, where, number, subset, kept = self._sample(index, self.problem)
        name, about = sample["name"], sample.get("attributes")
        cloud = self.kind.startswith("pointcloud")
        url = url_of(about, cloud)
        path = name + url[len(stem(url)) :] if stem(name) == name and url is not None else name
        item = Item(number, path, "point_cloud" if cloud else "image", subset=subset or "default")
        if path != name:
            kept["name"] = name
        self._tell_others(item, kept)
        label = (sample.get("labels") or {}).get(self.labelset)
        item.extras = {names.NAMESPACE: kept}
        if label is None:
            item.status = "UNLABELED"
        else:
            self._label(item, label, where, kept)
        self.check_medium(item, about if isinstance(about, dict) else {}, kept)
        return item

    # --- frames of sequences ------------------------------------------------------------------------------------------
    def _frames(self, finder: TrackFinder) -> tuple[list[tuple[int, int, int]], list[Any]]:
        """Sample, strand and position of every frame; samples that have none, with their places."""
        index: list[tuple[int, int, int]] = []
        frameless = []
        for at in range(len(self.records)):
            try:
                (sample, _, number, subset, _), parts = self._taken(at)
            except FormatError as error:
                self.problem(error, self.records.name(at))
                continue
            label = ((sample.get("labels") or {}).get(self.labelset) or {}).get("attributes")
            finder.sample((subset or "default", number), label, (frame for part in parts for frame in part.frames))
            index += [(at, i, frame) for i, part in enumerate(parts) for frame in range(len(part))]
            if not any(map(len, parts)):
                frameless.append([at, decode(self.records.raw(at), file=self.file, repeat=lambda *_: None)])
        self.counted = True
        return index, frameless

    def _taken(self, at: int) -> tuple[Any, list[Strand]]:
        """A sample and its strands; the last one is remembered. Its faults are told when the frames are counted."""
        if self.last is None or self.last[0] != at:
            told = self.counted
            sample = self._sample(at, (lambda *_: None) if told else self.problem)
            label = (sample[0].get("labels") or {}).get(self.labelset)
            if label is not None and not isinstance(label, dict):
                text = f"expected an object or null, got {shorten(label)}"
                raise FormatError(text, file=self.file, record=sample[1], field=f"labels.{self.labelset}")
            attributes = (label or {}).get("attributes")
            fail = self.fail(f"{sample[1]}: {self.labelset}", sample[2]) if not told else lambda *_: None
            self.last = at, sample, self.parts(sample[0].get("attributes"), attributes, sample[1], fail)
        return self.last[1], self.last[2]

    def _frame_item(self, key: tuple[int, int, int]) -> Item:
        (sample, where, number, subset, kept), parts = self._taken(key[0])
        label = (sample.get("labels") or {}).get(self.labelset)
        head = {**kept, "attributes": without(kept.get("attributes"), "frames", "sensors")}
        if sample["name"] != number:
            head["name"] = sample["name"]
        if label is not None:
            head["label"] = without(label, "label_status", "attributes")
            if label.get("attributes") is None:
                head["label"]["attributes"] = None
            head["series"] = self.series_head(label.get("attributes"))
        where = f"{where}: {self.labelset}"
        item = self.series_frame(number, parts, key[1:], subset or "default", head, where)
        if "sample" in item.extras[names.NAMESPACE]:
            self._tell_others(item, kept)
        item.status = "UNLABELED" if label is None else label.get("label_status")
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
