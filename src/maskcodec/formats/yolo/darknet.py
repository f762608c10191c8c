"""Darknet's form of YOLO (CVAT "YOLO 1.1"): ``obj.data``, ``obj.names``, image lists, label files beside the images."""

from __future__ import annotations

import re
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.labels import categories, read_names
from maskcodec.formats._shared.lines import lines
from maskcodec.formats._shared.naming import IMAGES, Found, stem
from maskcodec.formats._shared.source import Source
from maskcodec.formats.yolo.common import (
    META,
    NAMESPACE,
    Sizes,
    label_file,
    path_below,
    read_list,
    unique_rows,
)
from maskcodec.formats.yolo.rows import box_of, category, checked, outside, plain_boxes
from maskcodec.model.annotations import Box
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import LabelSchema

__all__ = ["RESERVED", "box_at", "detect", "read"]

RESERVED = ("classes", "names", "backup")
_ROW = re.compile(rb"(\xef\xbb\xbf)?\d+(\.0+)?(\s+[-+.\deE]+){4}\s*$")
_NAMES = ("obj.names", "classes.txt", "classes.names")
_PAIRS = (("images/", "labels/"), ("Images/", "Annotations/"), ("JPEGImages/", "labels/"))


def _data_file(source: Source) -> str | None:
    found = [name for name in source.files if name.lower().endswith(".data")]
    return min(found, key=lambda name: (name.count("/"), not name.endswith("obj.data"), name)) if found else None


def _names_file(source: Source) -> str | None:
    found = [name for name in source.files if name.rpartition("/")[2] in _NAMES]
    return min(found, key=lambda name: (name.count("/"), name)) if found else None


def detect(probe: Probe) -> Confidence:
    """``obj.data`` with names, or a list of names with label files."""
    data = _data_file(probe.source)
    if data is not None and re.search(rb"^\s*names\s*=", probe.head(data), re.MULTILINE):
        return Confidence(90, f"{data} names the classes")
    names = _names_file(probe.source)
    if names is None:
        raise NotThisFormat("no obj.data, obj.names or classes.txt")
    for name in probe.matching(".txt"):
        if name != names and _ROW.match(probe.head(name).split(b"\n")[0]):
            return Confidence(60, f"{names} names classes, {name} has boxes")
    raise NotThisFormat(f"{names}, but no label file with rows of class and four numbers")


def read(source: Source, *, image_size: tuple[int, int] | None = None) -> Dataset:
    """Read Darknet's form of YOLO.

    Args:
        source: folder or zip with ``obj.data``; or with a list of names, images and label files.
        image_size: (width, height) of the images that are not there.
    """
    data = _data_file(source)
    if data is not None:
        return _Listed(source, data, image_size).dataset()
    return _Loose(source, image_size).dataset()


class _Reader:
    """Reads label files; ``entries`` are subset, id, path, image file, label file of every image."""

    def __init__(self, source: Source, root: str, size: tuple[int, int] | None) -> None:
        self.source, self.root, self.sizes = source, root, Sizes(source, size, root)
        self.entries: list[tuple[str, str, str | None, str, str]] = []
        self.names: list[str] = []
        self.notes: dict[str, Any] = {}

    def dataset(self) -> Dataset:
        suspicious = [name for name in self.names if name.isdigit()]
        if len(set(self.names)) < len(self.names) or suspicious:
            text = "names that are numbers or stand twice: parts of skeletons may have shifted the classes"
            self.source.report.default(None, None, "categories", text, what="schema")
        files = {(subset, path): image for subset, _, path, image, _ in self.entries if self.source.has(image)}
        media = Found(self.source, files)
        dataset = Dataset(LabelSchema(categories(self.names)), LazyItems(self.entries, self.item), media=media)
        if self.notes:
            dataset.extras[NAMESPACE] = self.notes
        return dataset

    def item(self, entry: tuple[str, str, str | None, str, str]) -> Item:
        """Load one image."""
        subset, key, path, image, labels = entry
        item = Item(key, path, subset=subset)
        self.sizes.of(item, image)
        if not self.source.has(labels):
            item.extras[NAMESPACE] = {"#missing": True}
            return item
        plain = plain_boxes(self.source.read(labels), range(len(self.names)), (item.width or 0, item.height or 0))
        if plain is not None and item.width and item.height:
            item.annotations = [Box(x0, y0, x1, y1, category_id=number) for number, x0, y0, x1, y1 in plain]
            return item
        rows = []
        for line in lines(self.source, labels):
            try:
                if len(line) != 5:
                    raise line.fault(f"expected class, centre, width and height, got {len(line)} fields")
                number, row = category(line, len(self.names)), checked(line, 1, 5)
                if row[2] < 0 or row[3] < 0:
                    raise line.fault(f"width and height are positive, got {row[2]} and {row[3]}")
            except FormatError as error:
                self.source.problem(error, item, f"line {line.number}")
                continue
            rows.append(" ".join(line.fields))
            item.annotations.append(box_at(row, item, number))
            if outside(line, 4):
                self.source.report.default(item, "box", "", "coordinates outside of the image are kept")
            if not row[2] or not row[3]:
                self.source.report.default(item, "box", "", "boxes without extent are kept")
        unique_rows(self.source, item, rows, labels)
        self.sizes.fractions(item, len(item.annotations))
        return item


def box_at(row: list[float], item: Item, number: int) -> Box:
    """A box out of centre and size; fractions where the size of the image is unknown."""
    if item.width and item.height:
        return Box(*box_of(row, (item.width, item.height)), category_id=number)
    cx, cy, w, h = row
    note = {NAMESPACE: {"fractions": True}}
    return Box(cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2, category_id=number, extras=note)


class _Listed(_Reader):
    """With ``obj.data``."""

    def __init__(self, source: Source, data: str, size: tuple[int, int] | None) -> None:
        super().__init__(source, data.rpartition("/")[0] + "/" if "/" in data else "", size)
        self.keys: dict[str, str] = {}
        for line in lines(source, data, comments=True):
            key, sign, value = line.text.partition("=")
            if not sign:
                source.problem(line.fault(f"expected key = value, got {shorten(line.text)}"))
                continue
            self.keys[key.strip()] = value.strip()
        file = source.display(data)
        if "names" not in self.keys:
            raise FormatError("the key is missing", file=file, field="names")
        self.names = read_names(source, self._place(self.keys["names"], file, "names"))
        count = self.keys.get("classes", str(len(self.names)))
        if count != str(len(self.names)):
            text = "the number of classes is not that of the names, which count"
            source.report.default(None, None, "classes", text, what="schema")
        known = {key: value for key, value in self.keys.items() if key not in ("classes", "names")}
        for subset, value in known.items():
            place = self._place(value, file, subset) if subset != "backup" else ""
            if subset != "backup" and (place.endswith(".txt") or source.has(place)):
                self._subset(subset, place, file)
        other = {key: v for key, v in known.items() if key != "backup" and not v.endswith(".txt")}
        if other:
            self.notes["keys"] = other

    def _place(self, value: str, file: str, key: str) -> str:
        try:
            return self.root + path_below(value, exists=lambda name: self.source.has(self.root + name))
        except ValueError as error:
            text = f"path {shorten(value)} is not inside the data set: {error}"
            raise FormatError(text, file=file, field=key) from error

    def _subset(self, subset: str, name: str, file: str) -> None:
        if not self.source.has(name):
            self.source.problem(FormatError(f"the list {name} is missing", file=file, field=subset), what="file")
            return
        seen: set[str] = set()
        for written, path in read_list(self.source, name, "", lambda path: self.source.has(self.root + path)):
            self.notes.setdefault("#prefix", "data/" if written.replace("\\", "/").startswith("data/") else "")
            inner = path.partition("/")[2] or path
            if inner in seen:
                text = "images that stand twice in a list are read once"
                self.source.report.default(inner, None, "", text, what="item")
                continue
            seen.add(inner)
            full = self.root + path
            places = [label_file(full), *(label_file(full.replace(a, b)) for a, b in _PAIRS if a in full)]
            labels = next((place for place in places if self.source.has(place)), places[0])
            self.entries.append((subset, stem(inner), inner, full, labels))


class _Loose(_Reader):
    """Without ``obj.data``: label files beside images, or in a folder of their own."""

    def __init__(self, source: Source, size: tuple[int, int] | None) -> None:
        names = _names_file(source)
        if names is None:
            raise FormatError("no obj.data, obj.names or classes.txt", file=source.path)
        super().__init__(source, names.rpartition("/")[0] + "/" if "/" in names else "", size)
        self.names = read_names(source, names)
        below = [name for name in source.files if name.startswith(self.root) and name != names]
        images = {self._inner(stem(name)): name for name in below if name.lower().endswith(IMAGES)}
        labels = {self._inner(stem(name)): name for name in below if name.lower().endswith(".txt")
                  and name != f"{self.root}{META}" and name.rpartition("/")[2] != "train.txt"}  # fmt: skip
        for key in sorted({*images, *labels}):
            image, text = images.get(key), labels.get(key, "")
            path = f"{key}{image[len(stem(image)):]}" if image else None
            self.entries.append(("default", key, path, image or "", text))

    def _inner(self, name: str) -> str:
        inner = name[len(self.root) :]
        for pair in _PAIRS:
            for folder in pair:
                if inner.startswith(folder):
                    return inner[len(folder) :]
        return inner
