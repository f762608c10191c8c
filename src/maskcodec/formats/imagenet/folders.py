"""Folders of ImageNet: the folder of an image is its label."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.labels import categories
from maskcodec.formats._shared.naming import Images, stem
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source
from maskcodec.formats.imagenet import text
from maskcodec.formats.imagenet.text import ENDINGS
from maskcodec.model.annotations import Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["NO_LABEL", "Places", "detect", "read", "write"]

NO_LABEL = "no_label"
_SUBSETS = {"train", "val", "valid", "validation", "test", "default"}
_NO_CLASS = {"images", "annotations", "labels", "masks", "jpegimages"}
_NOISE = {"thumbs.db", "desktop.ini"}


def _noise(name: str) -> bool:
    base = name.rpartition("/")[2]
    return base.startswith(".") or base.lower() in _NOISE


def _images(files: list[str]) -> list[str]:
    return [name for name in files if name.lower().endswith(ENDINGS) and not _noise(name)]


def detect(probe: Probe) -> Confidence:
    """Nothing but images in folders, none of which has a name that other formats use."""
    images = _images(probe.files)
    other = next((name for name in probe.files if name not in set(images[:1]) and not _noise(name)
                  and not name.lower().endswith(ENDINGS)), None)  # fmt: skip
    if other is not None:
        raise NotThisFormat(f"{other} is not an image")
    if not images:
        raise NotThisFormat("no image")
    for name in images:
        parts = name.split("/")
        if len(parts) < 2:
            raise NotThisFormat(f"{name} is in no folder")
        for part in parts[:-1]:
            if part.casefold() in _NO_CLASS or re.match("WIDER_|bounding_box_", part):
                raise NotThisFormat(f"a folder {part} is not one of a label")
    return Confidence(20, "only images in folders")


def _sorted(labels: Iterable[str]) -> list[str]:
    """By their bytes in UTF-8, as folders are listed."""
    return sorted(labels, key=lambda name: name.encode("utf-8", "surrogatepass"))


def _layout(source: Source, images: list[str], subsets: bool | None) -> bool:
    """Whether the folders at the top are subsets."""
    if subsets is not None:
        return subsets
    inside = [name for name in images if "/" in name]
    found = bool(inside) and all(name.partition("/")[0] in _SUBSETS and name.count("/") > 1 for name in inside)
    if found:
        text = "the folders at the top are taken for subsets by their names"
        source.report.default(None, None, "subset", text, what="dataset")
    return found


def read(source: Source, *, subsets: bool | None = None, sizes: bool = True) -> Dataset:
    """Read images in folders of labels; or lists, where there are some at the top.

    Args:
        source: folder or zip.
        subsets: whether the folders at the top are subsets, with those of labels below; None: by their names.
        sizes: open the images for their sizes.
    """
    images = _images(source.files)
    names = text.lists_in(source.files)
    if names and (source.has(text.SYNSETS) or not any("/" in name for name in images) or _listing(source, names)):
        return text.read(source, sizes=sizes)
    if not images and source.files:
        raise FormatError("no image in a folder of a label, and no list of images", file=source.path)
    below = _layout(source, images, subsets)
    found: list[tuple[str, str, str, str | None]] = []
    labels: set[str] = set()
    ids: set[tuple[str, str]] = set()
    for full in images:
        subset, _, path = full.partition("/") if below and "/" in full else ("default", "", full)
        label = path.partition("/")[0] if "/" in path else NO_LABEL
        key = stem(path)
        if (subset, key) in ids:
            what = "another image of the folder has this name with another ending"
            source.report.default(full, None, "id", what, what="item")
            key = path
        ids.add((subset, key))
        if label != NO_LABEL:
            labels.add(label)
        found.append((subset, key, path, None if label == NO_LABEL else label))
    schema = LabelSchema(categories(_sorted(labels)))
    numbers = {category.name: category.id for category in schema.categories}
    sized = Images(source)

    def load(entry: tuple[str, str, str, str | None]) -> Item:
        subset, key, path, label = entry
        item = Item(key, path, subset=subset)
        if sizes:
            inside = below and source.has(f"{subset}/{path}")
            item.width, item.height = sized.size(f"{subset}/{path}" if inside else path)
        item.annotations = [Tag(category_id=numbers[label])] if label is not None else []
        return item

    return Dataset(schema, LazyItems(found, load))


def _listing(source: Source, names: list[str]) -> bool:
    try:
        return text.detect(Probe(source)).level > 0
    except NotThisFormat:
        for name in names:
            source.report.unread(name, None, "", "a text beside folders of images is no list of them", what="file")
        return False


def _folder(label: str) -> str:
    """The folder of a label.

    Raises:
        ValueError: its name cannot be that of a folder.
    """
    if re.search(r"[/\\\x00-\x1f:]", label) or label in ("", ".", "..", NO_LABEL) or label != label.strip():
        raise ValueError(f"label {shorten(label)} cannot be the name of a folder; lists (imagenet_txt) can hold it")
    return label


class Places:
    """Where images go: into the folder of each of their labels, below that of their subset if there are any.

    Args:
        dataset: is looked through for subsets.
        report: hears of images that change their name, or have several labels.
    """

    def __init__(self, dataset: Dataset, report: LossReport) -> None:
        self.report = report
        self.labels: dict[Any, str] = {category.id: _folder(category.name) for category in dataset.schema.categories}
        self.folders = {*self.labels.values(), NO_LABEL}
        self.below = any(item.subset != "default" for item in dataset.items)
        self.taken: set[str] = set()

    def __call__(self, item: Item, source: Item) -> list[str]:
        """Names of the copies of an image."""
        path = item.path or f"{item.id}.jpg"
        first, slash, rest = path.partition("/")
        inner = rest if slash and first in self.folders else path
        labels = [self.labels[tag.category_id] for tag in item.annotations] or [NO_LABEL]
        if len(labels) > 1:
            self.report.approximate(source, None, "annotations", "the image is copied into the folder of each label")
        if self.below and item.subset not in _SUBSETS:
            text = "a reader that goes by names takes the folder of this subset for that of a label"
            self.report.approximate(source, None, "subset", text)
        out = []
        for label in labels:
            name = self._free(f"{item.subset}/{label}" if self.below else label, inner)
            out.append(f"{item.subset}/{name}" if self.below else name)
            if name != path:
                self.report.rename(source, None, "path", "an image lies in the folder of its label")
        return out

    def _free(self, folder: str, inner: str) -> str:
        base = bare = stem(inner)
        count = 1
        while f"{folder}/{bare}".casefold() in self.taken:
            count += 1
            bare = f"{base}_{count}"
        self.taken.add(f"{folder}/{bare}".casefold())
        return f"{folder.rpartition('/')[2]}/{bare}{inner[len(base):]}"


def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    """Leave the images in the folders where their copies are; without copies write lists.

    Args:
        dataset: tags.
        sink: the output, which holds the copies.
        report: hears of special losses.

    Raises:
        ValueError: a label whose name cannot be that of a folder, or stand in a list.
    """
    if sink.media != "copy":
        text.write(dataset, sink, report)
        return
    used = set[Any]()
    before = len(sink.names)
    for item in dataset.items:
        if len(sink.names) == before:
            report.drop(item, None, "", "an image without its file has no place in folders")
            continue
        before = len(sink.names)
        used.update(tag.category_id for tag in item.annotations)
    names = {category.id: category.name for category in dataset.schema.categories}
    order = _sorted(names[key] for key in used)
    for key, name in names.items():
        if key not in used:
            report.drop(name, None, "", "a label without images has no folder", what="category")
        elif type(key) is not int or key != order.index(name):
            report.rename(name, None, "id", "labels are numbered in the order of their names", what="category")
    if [name for key, name in names.items() if key in used] != order:
        report.approximate(None, None, "categories", "labels are in the order of their names", what="schema")
    if not sink.names:
        text.write(Dataset(dataset.schema), sink, LossReport())
