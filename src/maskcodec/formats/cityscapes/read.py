"""Reading Cityscapes: outlines, or maps of instances, classes or train ids."""

from __future__ import annotations

from maskcodec.errors import FormatError
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.naming import Found, Images
from maskcodec.formats._shared.pixelmaps import PixelMap, read_map
from maskcodec.formats._shared.source import Source
from maskcodec.formats.cityscapes.files import Layout, seen
from maskcodec.formats.cityscapes.outlines import NAMESPACE, Names, read_outlines
from maskcodec.formats.cityscapes.segments import CITYSCAPES, check_class_map, masks_of
from maskcodec.formats.cityscapes.table import CITY, city_schema, read_table
from maskcodec.masks import Rle
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import LabelSchema

__all__ = ["detect", "read"]

USES = ("auto", "polygons", "instances", "train")
_ORDER = {"auto": ("polygons", "instances", "labels", "train"), "polygons": ("polygons",),
          "instances": ("instances", "labels"), "train": ("train",)}  # fmt: skip
_BY_TRAIN = {label.train: label.id for label in CITY if 0 <= label.train < 255}


def detect(probe: Probe) -> Confidence:
    """``gtFine/**/*_gtFine_{instanceIds,labelIds,labelTrainIds}.png`` or ``*_polygons.json``, or ``gtCoarse``."""
    truth, image = seen(probe.files)
    if truth is not None:
        return Confidence(85, f"{truth} is named as maps and outlines of Cityscapes are")
    if image is not None:
        return Confidence(50, "images in leftImg8bit, without maps")
    raise NotThisFormat("no gtFine/**/*_gtFine_instanceIds.png or the like")


class _Reader:
    def __init__(self, source: Source, layout: Layout, use: str, keep: bool) -> None:
        self.source, self.layout, self.order, self.keep = source, layout, _ORDER[use], keep
        self.images = Images(source)
        parts = {part for own in layout.items.values() for part in own if part in self.order}
        self.custom = layout.table is not None
        if layout.table is not None:
            self.schema = read_table(source, layout.table)
        else:
            self.schema = city_schema(plate="polygons" in parts) if parts else LabelSchema()
        self.names = Names(self.schema)

    def load(self, key: tuple[str, str]) -> Item | None:
        own, source = self.layout.items[key], self.source
        item = Item(key[1], self.layout.path(key), subset=key[0])
        part = next((part for part in self.order if part in own), None)
        try:
            if part == "polygons":
                item.annotations += read_outlines(source, own[part], item, self.names)
                other = own.get("instances") or own.get("labels")
                if other is not None:
                    self._compare(item, other, own[part])
            elif part == "train":
                item.annotations += self._trained(item, own[part])
            elif part is not None:
                item.annotations += self._masks(item, own)
            else:
                item.extras[NAMESPACE] = {"#missing": True}
            if "image" in own:
                self._compare(item, own["image"], own[part] if part is not None else own["image"])
        except FormatError as error:
            source.problem(error, item)
            item.annotations = []
        return item

    def _compare(self, item: Item, picture: str, file: str) -> None:
        """Hold the size of an item against that of a file; take it where the item has none."""
        size = self.images.size(picture)
        if size[0] is None:
            return
        if item.width is not None and size != (item.width, item.height):
            text = f"{item.width} x {item.height} pixels, {self.source.display(picture)} has {size[0]} x {size[1]}"
            raise FormatError(text, file=self.source.display(file))
        item.width, item.height = size

    def _map(self, name: str) -> PixelMap:
        image = read_map(self.source.read(name), self.source.display(name))
        if image.kind != "index":
            raise FormatError("expected a grey map, one channel", file=image.file)
        return image

    def _masks(self, item: Item, own: dict[str, str]) -> list[Mask]:
        image = self._map(own.get("instances") or own["labels"])
        item.height, item.width = image.shape
        if "instances" in own and "labels" in own:
            error = check_class_map(image, self._map(own["labels"]), CITYSCAPES, unpainted=True)
            if error is not None:
                self.source.problem(error, item)
        return masks_of(self.source, item, image, CITYSCAPES, self.schema, keep_background=self.keep)

    def _trained(self, item: Item, name: str) -> list[Mask]:
        """Regions of a map of train ids: 255 is ignored, 19 is background in maps of Datumaro."""
        image = self._map(name)
        item.height, item.width = image.shape
        if self.custom:
            return masks_of(self.source, item, image, CITYSCAPES, self.schema, keep_background=self.keep)
        found: list[tuple[int, Rle]] = []
        for value, rle in image.regions():
            if value in _BY_TRAIN:
                found.append((_BY_TRAIN[value], rle))
            elif value not in (19, 255):
                self.source.problem(image.fault(value, rle, "no class has this train id"), item)
        return [
            Mask(rle, category_id=number, is_crowd=self.schema.by_id(number).kind == "thing")
            for number, rle in sorted(found, key=lambda pair: pair[0])
        ]


def read(source: Source, *, use: str = "auto", truth: str | None = None, keep_background: bool = False) -> Dataset:
    """Read Cityscapes.

    A region of a map without instance number is a crowd where its class may have instances (every class that is not
    stuff by the table of Cityscapes).

    Args:
        source: folder or zip with ``gtFine`` or ``gtCoarse``.
        use: "polygons" (outlines), "instances" (maps ``instanceIds``, else ``labelIds``), "train" (maps
            ``labelTrainIds``), or "auto": the first of these that an image has.
        truth: "gtFine" or "gtCoarse"; None: the former if there is any.
        keep_background: pixels of the background become a mask too.

    Raises:
        FormatError: a damaged file, unknown classes, maps that contradict each other.
        ValueError: an unknown value of an option.
    """
    if use not in USES:
        raise ValueError(f"use is one of {USES}, got {use!r}")
    if truth not in (None, "gtFine", "gtCoarse"):
        raise ValueError(f'truth is "gtFine" or "gtCoarse", got {truth!r}')
    layout = Layout(source, truth)
    if not layout.items and layout.table is None:
        raise FormatError("no gtFine, gtCoarse or leftImg8bit folder with files of Cityscapes", file=source.path)
    reader = _Reader(source, layout, use, keep_background)
    pictures = {(key[0], layout.path(key)): own["image"] for key, own in layout.items.items() if "image" in own}
    return Dataset(reader.schema, LazyItems(list(layout.items), reader.load), media=Found(source, pictures))
