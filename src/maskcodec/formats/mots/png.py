"""The PNG form of MOTS: one channel of 16 bits, class * 1000 + number of the object."""

from __future__ import annotations

import re
from functools import partial

import numpy as np

from maskcodec.errors import FormatError
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.images import write_png
from maskcodec.formats._shared.naming import IMAGES, Images, stem, tell_order
from maskcodec.formats._shared.pixelmaps import PixelMap, paint, read_map
from maskcodec.formats._shared.png import SIGNATURE, read_header
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source
from maskcodec.formats.mots.labels import FACTOR, IGNORED, Classes, Table, Tables
from maskcodec.formats.mots.numbers import Numbers
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.losses import LossReport

__all__ = ["detect", "read", "write"]

_PLACE = re.compile(r"(?:(.*?)/)?instances/(?:(.+)\.[pP][nN][gG]|labels\.txt)")


def detect(probe: Probe) -> Confidence:
    """``instances/**/*.png`` with one channel of 16 bits, or of 8 where nothing is in it."""
    seen = ""
    for name in probe.files:
        match = _PLACE.fullmatch(name)
        if not match or not match.group(2):
            continue
        head = probe.head(name)
        if not head.startswith(SIGNATURE):
            continue
        header = read_header(head[8:33], name)
        if header.color_type == 0 and header.depth == 16:
            return Confidence(85, f"{name} has one channel of 16 bits")
        seen = seen or (name if header.color_type == 0 and header.depth == 8 else "")
    if seen:
        return Confidence(60, f"{seen} has one channel")
    raise NotThisFormat("no instances/*.png with one channel of 16 bits")


def read(
    source: Source, *, check_images: bool = False, ignored: bool | None = None, first_frame: int = 0
) -> Dataset:
    """Read class and track of every pixel.

    Args:
        source: folder or zip with ``instances``, or with a folder for each subset that holds one.
        check_images: an image of another size than its map is an error; else the map counts, and the report says so.
        ignored: there are regions to be ignored, although no label is named so; None: the maps are searched for them.
        first_frame: number of the first map of a sequence, 0 (KITTI) or 1 (MOTSChallenge); frames count from there.
    """
    return _Reader(source, check_images, ignored, checked_first(first_frame)).dataset()


def checked_first(first_frame: int) -> int:
    """The number of the first frame.

    Raises:
        ValueError: neither 0 nor 1.
    """
    if first_frame not in (0, 1):
        raise ValueError(f"first_frame is 0 or 1, got {first_frame!r}")
    return first_frame


def sequence_of(key: str, first: int = 0) -> tuple[str | None, int | None]:
    """Sequence and frame of an image by its path: where the folder is a number, that is its sequence."""
    folder, _, base = key.rpartition("/")
    last = folder.rpartition("/")[2]
    if not re.fullmatch("[0-9]+", last):
        return None, None
    frame = int(base) - first if re.fullmatch("[0-9]{1,9}", base) else -1
    return last, frame if frame >= 0 else None


class _Reader:
    def __init__(self, source: Source, check: bool, ignored: bool | None, first: int) -> None:
        self.source, self.check, self.images, self.first = source, check, Images(source), first
        self.tables = Tables(source)
        self.roots: dict[str, Table] = {}
        inner: list[tuple[str, str]] = []
        for name in source.files:
            match = _PLACE.fullmatch(name)
            if match:
                root = match.group(1) or ""
                self.roots.setdefault(root, Table(None))
                if match.group(2):
                    inner.append((root, match.group(2)))
        if not self.roots:
            raise FormatError("no instances/*.png", file=source.path)
        for root in self.roots:
            self.roots[root] = self.tables.table(f"{root}/instances/labels.txt" if root else "instances/labels.txt")
            folder = f"{root}/images/" if root else "images/"
            inside = [name for name in source.files if name.startswith(folder) and name.lower().endswith(IMAGES)]
            inner += [(root, stem(name[len(folder) :])) for name in inside]
        last = [root.rpartition("/")[2] or "default" for root in self.roots]
        names = last if len(set(last)) == len(last) else [root or "default" for root in self.roots]
        subsets = dict(zip(self.roots, names, strict=True))
        self.entries = sorted({(subsets[root], root, key) for root, key in inner})
        if ignored or (ignored is None and not self.tables.knows_ignored() and self._has_ignored()):
            self.tables.ignored(next(iter(self.roots.values())))

    def _has_ignored(self) -> bool:
        """Whether a map has a region to be ignored."""
        for _, root, key in self.entries:
            name = self._map(root, key)
            try:
                if name is None or not self.tables.ignores(self.roots[root]):
                    continue
                found = read_map(self.source.read(name), self.source.display(name))
            except FormatError:
                continue  # told when the image is read
            if found.kind == "index" and bool((found.values == IGNORED * FACTOR).any()):
                return True
        return False

    def _map(self, root: str, key: str) -> str | None:
        base = f"{root}/instances/" if root else "instances/"
        return next((base + key + e for e in (".png", ".PNG") if self.source.has(base + key + e)), None)

    def dataset(self) -> Dataset:
        return Dataset(self.tables.schema, LazyItems(self.entries, self.item))

    def item(self, entry: tuple[str, str, str]) -> Item | None:
        """Load one image."""
        subset, root, key = entry
        item, base = Item(key, subset=subset), f"{root}/" if root else ""
        item.sequence, item.frame = sequence_of(key, self.first)
        picture = self.images.find(f"{base}images/{key}")
        if picture is not None:
            item.path = picture[len(f"{base}images/") :]
        try:
            size = self.images.size(picture)
            item.width, item.height = size
            name = self._map(root, key)
            if name is None:
                return item  # an image without objects
            found = read_map(self.source.read(name), self.source.display(name))
            if found.kind != "index":
                text = "expected one channel of 16 bits, class * 1000 + number; the ids are lost in colours"
                raise FormatError(text, file=found.file)
            item.height, item.width = found.shape
            if size[0] is not None and size != (item.width, item.height):
                text = f"{item.width} x {item.height} pixels, its image has {size[0]} x {size[1]}"
                if self.check:
                    raise FormatError(text, file=found.file)
                self.source.report.default(item, None, "width", "the image has another size, that of the map counts")
            self._masks(item, found, self.roots[root])
        except FormatError as error:
            self.source.problem(error, item)
            return None
        return item

    def _masks(self, item: Item, found: PixelMap, table: Table) -> None:
        regions = [(value, rle) for value, rle in found.regions() if value]
        if found.depth < 16 and regions:
            text = f"{found.depth} bits, expected 16: class * 1000 + number does not fit"
            raise found.fault(*regions[0], text)
        for value, rle in regions:
            number, instance = divmod(value, FACTOR)
            if number == 0:
                self.source.problem(found.fault(value, rle, "the class is 0, expected class * 1000 + number"), item)
            elif value == IGNORED * FACTOR and self.tables.ignores(table):
                item.annotations.append(Mask(rle, category_id=self.tables.ignored(table), is_crowd=True))
            else:
                fault = found.fault(value, rle, f"class {number}, there are {len(table.ids or ())}")
                category = self.tables.category(table, number, fault)
                item.annotations.append(Mask(rle, category_id=category, track_id=instance))


def write(
    dataset: Dataset, sink: NullSink, report: LossReport, *, renumber: bool = False, empty: bool = True,
    first_frame: int = 0, group: str = "keep",
) -> None:  # fmt: skip
    """Write a map for each image and the labels beside them.

    Args:
        dataset: masks that do not overlap.
        sink: the output.
        report: hears of special losses.
        renumber: all tracks get new numbers in each class, not only those whose numbers do not fit (0 to 999).
        empty: write maps for images without objects, as the originals have them.
        first_frame: number of the first map of a sequence; names of images say them.
        group: "cvat" merges the members of a group into one object, whose largest member leads.

    Raises:
        ValueError: more than 65 classes, or 999 objects of a class in a sequence.
    """
    checked_first(first_frame)
    classes, order = Classes(dataset.schema, report), list[str]()
    numbers = Numbers(classes, report, renumber)
    subsets: dict[str, None] = {}

    def put(item: Item) -> None:
        masks = [a for a in item.annotations if isinstance(a, Mask)]
        values = numbers.values(item, masks)
        kept = [(mask, value) for mask, value in zip(masks, values, strict=True) if value]
        if kept or empty:
            shown = paint(item, [mask for mask, _ in kept], [value for _, value in kept], np.uint16)
            sink.later(f"{folder(item.subset)}instances/{item.id}.png", partial(write_png, shown))

    waiting = False
    for item in dataset.items:
        order.append(f"{item.subset}/{item.id}")
        subsets[item.subset] = None
        if not item.width or not item.height:
            report.drop(item, None, "", "the size of the image is unknown, no map can be made")
        elif numbers.learn(item):
            put(item)
        else:
            waiting = True
    for item in dataset.items if waiting else ():
        if item.width and item.height and numbers.waits(item):
            put(item)
    tell_order(order, report)
    labels = classes.labels()
    if labels is not None:
        for subset in subsets or ("default",):
            sink.write(f"{folder(subset)}instances/labels.txt", labels)


def folder(subset: str) -> str:
    """Folder of a subset; there is none for ``default``."""
    return "" if subset == "default" else f"{subset}/"
