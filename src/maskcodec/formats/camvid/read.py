"""Reading CamVid: lists with their maps, or folders of ``*_L.png``."""

from __future__ import annotations

import re
from typing import NamedTuple

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.labels import Label, categories
from maskcodec.formats._shared.lines import Line, lines, quoted_fields
from maskcodec.formats._shared.naming import IMAGES, Found, Images, stem
from maskcodec.formats._shared.pixelmaps import BACKGROUND, VOID, ClassTable, PixelMap, read_map
from maskcodec.formats._shared.source import Source
from maskcodec.formats.camvid.tables import NAMESPACE, TABLES, index_order, read_labels, table_of
from maskcodec.formats.segmentation_mask.pairs import background_of
from maskcodec.masks import Rle
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import LabelSchema

__all__ = ["detect", "read"]

_TABLE_NAMES = ("label_colors.txt", "labelmap.txt")
_RELEASE = re.compile(r"(.*)_L\.png", re.IGNORECASE)


class _Entry(NamedTuple):
    """One image of a list: its place below the folder of its subset, its files, and where the list has it."""

    subset: str
    path: str
    image: str | None
    map: str | None
    line: Line | None


def _texts(source: Source) -> tuple[str, list[str]]:
    """The folder of a data set, with its slash, and the text files in it that may be lists."""
    found = [n for n in source.files if n.lower().endswith(".txt")]
    depth = min((name.count("/") for name in found), default=0)
    roots = {name.rpartition("/")[0] for name in found if name.count("/") == depth}
    if len(roots) > 1:
        raise FormatError(f"several folders with lists ({', '.join(sorted(roots)[:4])}), name one", file=source.path)
    root = f"{next(iter(roots))}/" if roots - {""} else ""
    names = (n for n in found if n.startswith(root) and "/" not in n[len(root) :])
    return root, [name for name in names if name[len(root) :] not in _TABLE_NAMES]


def _is_map(path: str) -> bool:
    return path.lower().endswith(".png")


def _is_list(source: Source, name: str) -> bool:
    """Whether a text file lists images: its maps are there, it is empty, or a line looks like the path of one."""
    if any(other.startswith(f"{name[:-4]}annot/") for other in source.files):
        return True
    empty = True
    for line in lines(source, name):
        empty = False
        first, last = line.fields[0], line.fields[-1]
        if first[0] in '/\\"' or (len(line) <= 2 and (first.lower().endswith(IMAGES) or _is_map(last))):
            return True
    return empty


class _Files:
    """Finds listed files below a root, whatever stands in front of their paths."""

    def __init__(self, source: Source, root: str) -> None:
        self.root = root
        self.names = {self._key(name): name for name in reversed(source.files) if name.startswith(root)}

    @staticmethod
    def _key(name: str) -> str:
        base = stem(name)
        return base + name[len(base) :].lower()

    def find(self, parts: list[str]) -> tuple[str | None, int]:
        """The file of a path, and how many of its first components had to go."""
        for drop in range(len(parts)):
            name = self.names.get(self._key(self.root + "/".join(parts[drop:])))
            if name is not None:
                return name, drop
        return None, 0


def _parts(line: Line, text: str, field: str) -> list[str]:
    parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise line.fault(f"expected a path inside the data set, got {shorten(text)}", field)
    return parts


def _entry(files: _Files, subset: str, line: Line) -> _Entry:
    fields = quoted_fields(line)
    if len(fields) > 2:
        raise line.fault(f"expected the path of an image and that of its map, got {len(fields)} fields")
    parts = _parts(line, fields[0], "image")
    image, dropped = files.find(parts)
    found: str | None = None
    if len(fields) > 1 and fields[1]:
        found, cut = files.find(_parts(line, fields[1], "map"))
        if image is None and found is not None:
            dropped = min(cut, len(parts) - 1)
    rest = parts[dropped:]
    if subset in rest[:-1]:
        rest = rest[rest.index(subset) + 1 :]
    wanted = len(fields) > 1 and fields[1] != "" and found is None
    return _Entry(subset, "/".join(rest), image, fields[1] if wanted else found, line if wanted else None)


def _entries(source: Source, root: str, names: list[str]) -> list[_Entry]:
    """All images of the lists, each once a list."""
    files, out = _Files(source, root), []
    for name in names:
        if not _is_list(source, name):
            source.report.unread(source.display(name), None, "", "no list of images", what="file")
            continue
        subset = name[len(root) : -4]
        seen: dict[str, int] = {}
        for line in lines(source, name):
            try:
                entry = _entry(files, subset, line)
                key = stem(entry.path)
                if key in seen:
                    raise line.fault(f"image {shorten(key)} is there already, in line {seen[key]}")
            except FormatError as error:
                source.problem(error)
                continue
            seen[key] = line.number
            out.append(entry)
    used = {entry.map for entry in out}
    folders = tuple(f"{name[:-4]}annot/" for name in names)
    for name in source.files:
        if folders and name.startswith(folders) and name not in used and _is_map(name):
            source.report.unread(source.display(name), None, "", "a map that no list names", what="file")
    return out


def _release(source: Source) -> list[_Entry]:
    """Images of the release: maps ``<frame>_L.png`` in a folder of their own, images in another one."""
    folders: dict[str, list[str]] = {}
    for name in source.files:
        if _is_map(name):
            folders.setdefault(name.rpartition("/")[0], []).append(name)
    maps = [name for own in folders.values() if all(map(_RELEASE.fullmatch, own)) for name in own]
    images = {stem(name).rpartition("/")[2]: name for name in source.files if name.lower().endswith(IMAGES)}
    out = []
    for name in maps:
        key = stem(name).rpartition("/")[2][:-2]
        image = images.get(key)
        out.append(_Entry("default", (image or f"{key}.png").rpartition("/")[2], image, name, None))
    return out


def detect(probe: Probe) -> Confidence:
    """A list of images with a map that exists, or folders of ``*_L.png``."""
    source = probe.source
    root, names = _texts(source)
    files = _Files(source, root)
    for name in names:
        for line in lines(source, name):
            try:
                fields = quoted_fields(line)
                found = _entry(files, name[len(root) : -4], line) if len(fields) == 2 and fields[1] else None
            except FormatError:
                break
            if found is not None and found.map and found.line is None and _is_map(found.map):
                return Confidence(80, f"{name} lists images with their maps")
    entries = _release(source)
    if entries:
        return Confidence(60, f"a folder of maps {entries[0].map}, one an image")
    raise NotThisFormat("no <subset>.txt with paths of an image and a map that exists, no folder of *_L.png")


class _Reader:
    def __init__(self, source: Source, labels: list[Label], declared: bool, given: str | None, keep: bool) -> None:
        self.source, self.images = source, Images(source)
        self.by_index = declared or given is not None  # what an index stands for is known
        self.void = given == "segnet"
        self.order = index_order(labels, declared)
        colors = [labels[at].color if at is not None else None for at in self.order]
        back = background_of(labels)
        self.back = back if keep else None
        place = self.order.index(back) if back in self.order else 0
        self.table = ClassTable(colors, place if back is not None or declared else None)

    def load(self, entry: _Entry) -> Item | None:
        source = self.source
        item = Item(stem(entry.path), entry.path, subset=entry.subset)
        try:
            if entry.line is not None:
                source.problem(entry.line.fault(f"the map {shorten(entry.map)} is missing", "map"), item)
            elif entry.map is not None:
                areas = read_map(source.read(entry.map), source.display(entry.map))
                item.height, item.width = areas.shape
                item.annotations += self._masks(item, areas)
            size = self.images.size(entry.image)
            if entry.image is not None and size[0] is not None:
                if item.width is not None and size != (item.width, item.height):
                    text = f"{item.width} x {item.height} pixels, its image has {size[0]} x {size[1]}"
                    raise FormatError(text, file=source.display(entry.map or entry.path))
                item.width, item.height = size
        except FormatError as error:
            source.problem(error, item)
            item.annotations = []
        if entry.map is None:
            item.extras[NAMESPACE] = {"#unmasked": True}
        return item

    def _masks(self, item: Item, areas: PixelMap) -> list[Mask]:
        """One mask for each class, in the order of the labels."""
        if areas.depth == 16:
            raise FormatError("a class map of 16 bits, expected 8 bits a channel", file=areas.file)
        regions = areas.regions()
        found, by = self.table.classes(areas, (value for value, _ in regions))
        if by == "index" and not self.by_index:
            text = "a map of indices needs a table of labels: label_colors.txt, or labels='segnet' (12 classes) or "
            raise FormatError(f"{text}'camvid' (32 classes)", file=areas.file)
        merged: dict[int, Rle] = {}
        for value, rle in regions:
            number = found[value]
            what = "colour" if by == "color" else "index"
            if number is None or (number == VOID and not (self.void and by == "index")):
                self.source.problem(areas.fault(value, rle, f"the {what} is not in the table of labels"), item)
            elif by == "color" and self.table.ambiguous(value, areas):
                self.source.problem(areas.fault(value, rle, "the colour is that of several labels"), item)
            else:
                category = self.back if number == BACKGROUND else self.order[number] if number >= 0 else None
                if category is not None:
                    merged[category] = merged[category] | rle if category in merged else rle
        return [Mask(rle, category_id=category) for category, rle in sorted(merged.items())]


def read(source: Source, *, labels: str | None = None, keep_background: bool = False) -> Dataset:
    """Read CamVid.

    Args:
        source: folder or zip with lists and maps.
        labels: "segnet" (12 classes) or "camvid" (32 classes): what the values of maps mean, whatever a table says;
            None: the table of the data set, else, for maps by colours, the 32 classes.
        keep_background: pixels of a label that is the background become a mask too.

    Raises:
        FormatError: no lists and no maps, or a fault in them; maps of indices without a table of labels.
        ValueError: another name for the labels.
    """
    if labels is not None and labels not in TABLES:
        raise ValueError(f'labels is "segnet" or "camvid", got {labels!r}')
    root, names = _texts(source)
    entries = _entries(source, root, names)
    if not entries:
        entries = _release(source)
    table = table_of(source, root)
    if not entries and not names and table is None:
        raise FormatError("no <subset>.txt and no folder of *_L.png", file=source.path)
    declared = table is not None and labels is None
    known = read_labels(source, table) if table is not None and labels is None else TABLES[labels or "camvid"]
    schema = LabelSchema(categories(known), background=background_of(known))
    if not entries and table is None:
        schema = LabelSchema()
    reader = _Reader(source, known, declared, labels, keep_background)
    pictures: dict[tuple[str, str | None], str] = {(e.subset, e.path): e.image for e in entries if e.image is not None}
    return Dataset(schema, LazyItems(entries, reader.load), media=Found(source, pictures))
