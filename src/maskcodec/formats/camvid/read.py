"""Reading CamVid: lists with their maps, or folders of ``*_L.png``."""

from __future__ import annotations

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.labels import Label, categories
from maskcodec.formats._shared.lines import lines, quoted_fields
from maskcodec.formats._shared.naming import Found, Images, stem
from maskcodec.formats._shared.pixelmaps import BACKGROUND, VOID, ClassTable, PixelMap, read_map
from maskcodec.formats._shared.source import Source
from maskcodec.formats.camvid.lists import Entry, Files, entries_of, entry_of, is_map, release, texts
from maskcodec.formats.camvid.tables import NAMESPACE, TABLES, index_order, read_labels, table_of
from maskcodec.formats.segmentation_mask.pairs import background_of
from maskcodec.masks import Rle
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import LabelSchema

__all__ = ["detect", "read"]


def detect(probe: Probe) -> Confidence:
    """A list of images with a map that exists, or folders of ``*_L.png``."""
    source = probe.source
    root, names = texts(source)
    files = Files(source, root)
    for name in names:
        for line in lines(source, name):
            try:
                fields = quoted_fields(line)
                found = entry_of(files, name[len(root) : -4], line) if len(fields) == 2 and fields[1] else None
            except FormatError:
                break
            if found is not None and found.map and found.line is None and is_map(found.map):
                return Confidence(80, f"{name} lists images with their maps")
    entries = release(source)
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

    def load(self, entry: Entry) -> Item | None:
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
    root, names = texts(source)
    entries = entries_of(source, root, names)
    if not entries:
        entries = release(source)
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
