"""Reading TFRecord files of the TensorFlow object detection API."""

from __future__ import annotations

import io
import re
from typing import Any, BinaryIO

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.images import image_size
from maskcodec.formats._shared.naming import Images, stem
from maskcodec.formats._shared.source import Source
from maskcodec.formats.tfrecord.labelmap import read_map
from maskcodec.formats.tfrecord.objects import BOX, KNOWN, NAMESPACE, read_objects
from maskcodec.formats.tfrecord.wire import entries, looks, records, scalar, unpacked, values
from maskcodec.model.annotations import Caption, Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["Embedded", "detect", "read"]

_FILE = re.compile(
    r"(?:.*/)?([^/]+?)(?:\.tfrecords?|\.record)?(?:-\d{5}-of-\d{5}(?:\.tfrecords?|\.record)?)?(?:\.gz)?", re.I
)
_NAME = re.compile(r".*(\.tfrecords?|\.record|-\d{5}-of-\d{5})(\.tfrecords?|\.record)?(\.gz)?", re.I)


def _files(names: list[str]) -> list[str]:
    return names if len(names) == 1 else [name for name in names if _NAME.fullmatch(name)]


def detect(probe: Probe) -> Confidence:
    """A file whose first record is sound and holds features of an image."""
    for name in _files(probe.files):
        if looks(probe.head(name)):
            return Confidence(95, f"{name} begins with a record of an image")
    raise NotThisFormat("no *.tfrecord that begins with a sound record")


class Embedded:
    """Opens images that records hold, else those beside them."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader

    def open_media(self, item: Item | str) -> BinaryIO | None:
        """The image of an item."""
        place = item.extras.get(NAMESPACE, {}).get("#record") if isinstance(item, Item) else None
        data = self._reader.encoded(place) if place else b""
        return io.BytesIO(data) if data else self._reader.source.open_media(item)

    def embedded(self, item: Item) -> bytes:
        """The image that the record of an item holds; empty when there is none."""
        place = item.extras.get(NAMESPACE, {}).get("#record")
        return self._reader.encoded(place) if place else b""


def read(source: Source, *, boxes: str = "all") -> Dataset:
    """Read TFRecord files.

    Args:
        source: folder or zip with files of records and ``label_map.pbtxt``; or one such file.
        boxes: "all", or "from_mask" to leave out the boxes of objects that have a mask.
    """
    if boxes not in ("all", "from_mask"):
        raise ValueError(f'boxes is "all" or "from_mask", got {boxes!r}')
    reader = _Reader(source, boxes == "all")
    dataset = Dataset(reader.schema, LazyItems(reader.index, reader.item))
    dataset.media = Embedded(reader)
    return dataset


class _Reader:
    def __init__(self, source: Source, boxes: bool) -> None:
        self.source, self.boxes, self.images = source, boxes, Images(source)
        self.names = [name for name in _files(source.files) if not name.endswith(".pbtxt")]
        maps = [name for name in source.files if name.endswith(".pbtxt")]
        if not maps and source.kind == "file" and source.has("label_map.pbtxt"):
            maps = ["label_map.pbtxt"]
        if not self.names and not maps:
            raise FormatError("no *.tfrecord", file=source.path)
        best = min(maps, key=lambda n: ("label_map" not in n, n.count("/"), n), default=None)
        self.schema = LabelSchema(read_map(source, best) if best is not None else [])
        self.ids = {category.name: int(category.id) for category in self.schema}
        self.numbers = set(self.ids.values())
        self.points: dict[Any, int] = {category.id: len(category.keypoints) for category in self.schema}
        self._learning = True
        self.data: list[Any] = []
        self.index: list[tuple[int, int, int, int]] = []
        seen: set[tuple[str, str]] = set()
        for at, name in enumerate(self.names):
            try:
                data = unpacked(source, name)
            except FormatError as error:
                source.problem(error, what="file")
                data = b""
            self.data.append(data)
            for number, (begin, end) in enumerate(records(source, name, data)):
                if self._learn(at, number, begin, end, seen):
                    self.index.append((at, number, begin, end))
        self._learning = False

    def subset(self, at: int) -> str:
        match = _FILE.fullmatch(self.names[at])
        return match.group(1) if match else "default"

    def _learn(self, at: int, number: int, begin: int, end: int, seen: set[tuple[str, str]]) -> bool:
        """Take note of the labels of a record; whether it is a sound message."""
        try:
            data = self.data[at]
            places = entries(data, begin, end)
            for group in ("image/object/class", "image/class"):
                texts = self._get(data, places, f"{group}/text")
                numbers = self._get(data, places, f"{group}/label")
                for i in range(max(len(texts), len(numbers))):
                    self._label(texts[i] if i < len(texts) else b"", int(numbers[i]) if i < len(numbers) else 0)
            name = self._get(data, places, "image/filename")
            key = self.subset(at), bytes(name[0]).decode("utf-8", "replace") if name else ""
        except ValueError as error:
            self._problem(at, number, begin, error)
            return False
        if key in seen and key[1]:
            self.source.report.default(key[1], None, "id", "several images of a subset have this name")
        seen.add(key)
        return True

    def _problem(self, at: int, number: int, begin: int, error: ValueError, item: Item | None = None) -> None:
        record = f"record {number} (offset {begin - 12})"
        self.source.problem(FormatError(str(error), file=self.source.display(self.names[at]), record=record), item)

    def _get(self, data: Any, places: dict[str, tuple[int, int]], key: str) -> Any:
        if key not in places:
            return []
        kind, found = values(data, *places[key])
        if kind and KNOWN[key] and kind != KNOWN[key]:
            raise ValueError(f"{key}: expected a list of {KNOWN[key]}, got one of {kind}")
        return found

    def _text(self, data: bytes) -> str:
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            if self.source.on_error == "raise":
                raise ValueError(f"a name that is not UTF-8: {shorten(data)}") from error
            return data.decode("latin-1")

    def _label(self, text: bytes, number: int) -> int | None:
        """Id of a label, which is added where it is new; text counts before number."""
        name = self._text(text)
        if not name:
            if number <= 0:
                return None
            if number not in self.numbers:
                self._add(f"class_{number}", number)
            return number
        if name not in self.ids:
            self._add(name, number if number > 0 and number not in self.numbers else max(self.numbers, default=0) + 1)
        if number > 0 and number != self.ids[name] and self._learning:
            reason = "number and text of a label do not agree, the text counts"
            self.source.report.default(name, None, "id", reason, what="category")
        return self.ids[name]

    def _add(self, name: str, number: int) -> None:
        self.schema.categories.append(Category(number, name))
        self.ids[name] = number
        self.numbers.add(number)

    def encoded(self, place: tuple[int, int, int]) -> bytes:
        """The image in a record."""
        at, begin, end = place
        found = self._get(self.data[at], entries(self.data[at], begin, end), "image/encoded")
        return bytes(found[0]) if found else b""

    def item(self, entry: tuple[int, int, int, int]) -> Item | None:
        """Load one record."""
        at, number, begin, end = entry
        try:
            return self._item(at, number, begin, end)
        except FormatError as error:
            self.source.problem(error)
        except ValueError as error:
            self._problem(at, number, begin, error)
        return None

    def _item(self, at: int, number: int, begin: int, end: int) -> Item:
        data, places = self.data[at], entries(self.data[at], begin, end)
        get = {key: self._get(data, places, key) for key in KNOWN if key in places and key != "image/encoded"}
        single = {key: scalar(key, get.get(key, ())) for key in list(KNOWN)[:7] if key != "image/encoded"}
        name = self._text(single["image/filename"] or b"")
        item = Item(stem(name) if name else f"{number:06d}", name or None, subset=self.subset(at))
        item.width, item.height = (int(single[key] or 0) or None for key in ("image/width", "image/height"))
        if single["image/source_id"]:
            item.attributes["source_id"] = self._text(single["image/source_id"])
        own: dict[str, Any] = {"#record": (at, begin, end)}
        for key, field in (("image/format", "format"), ("image/key/sha256", "sha256")):
            if single[key]:
                own[field] = self._text(single[key])
        other = {key: bytes(data[a:b]) for key, (a, b) in places.items() if key not in KNOWN}
        if other:
            own["features"] = other
        self._size(item, self.encoded((at, begin, end)))
        file = f"{self.source.display(self.names[at])}: record {number}"
        labels = [self._of(get, "image/object/class", i) for i in range(len(get.get(BOX[0], ())))]
        points = [self.points.get(label, 0) for label in labels]
        count = read_objects(item, get, list(zip(labels, points, strict=True)), self.boxes, file, self.source.report)
        if other:
            own["#objects"] = count
        item.extras[NAMESPACE] = own
        for i in range(max(len(get.get("image/class/text", ())), len(get.get("image/class/label", ())))):
            item.annotations.append(Tag(category_id=self._of(get, "image/class", i)))
        item.annotations += [Caption(self._text(text)) for text in get.get("image/caption", ())]
        return item

    def _size(self, item: Item, encoded: bytes) -> None:
        if not encoded:
            if item.width is None or item.height is None:
                base = str(item.id)
                item.width, item.height = self.images.size(self.images.find(f"images/{base}", base))
            return
        try:
            size = image_size(encoded, str(item.id))
        except FormatError as error:
            self.source.report.default(item, None, "width", f"the image cannot be read: {error.message[:60]}")
            return
        if size != (item.width, item.height):
            if item.width is not None:
                self.source.report.default(item, None, "width", "the image has another size than its record says")
            item.width, item.height = size

    def _of(self, get: dict[str, Any], group: str, i: int) -> int | None:
        texts, numbers = get.get(f"{group}/text", ()), get.get(f"{group}/label", ())
        return self._label(texts[i] if i < len(texts) else b"", int(numbers[i]) if i < len(numbers) else 0)
