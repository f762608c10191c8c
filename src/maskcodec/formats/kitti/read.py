"""Reading KITTI: label files, maps of instances, or both into one item."""

from __future__ import annotations

from maskcodec.errors import FormatError
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.lines import Line, lines
from maskcodec.formats._shared.naming import Found, Images
from maskcodec.formats._shared.pixelmaps import PixelMap, read_map
from maskcodec.formats._shared.source import Source
from maskcodec.formats.cityscapes.segments import KITTI, check_class_map, masks_of
from maskcodec.formats.cityscapes.table import city_schema, read_table
from maskcodec.formats.kitti.files import Layout, has_labels, has_maps
from maskcodec.formats.kitti.rows import NAMESPACE, box_of, cuboid_of, fields_of
from maskcodec.model.annotations import Annotation, Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["detect_boxes", "detect_both", "detect_maps", "read", "read_boxes", "read_maps"]

_DIGITS = frozenset("-+.0123456789")
_BOXES, _MAPS = ("label_2",), ("instance", "semantic")


def detect_boxes(probe: Probe) -> Confidence:
    """``label_2/*.txt`` with lines of 15 or 16 columns."""
    name = has_labels(probe)
    if name is None:
        raise NotThisFormat("no label_2/*.txt whose lines end in 14 numbers")
    return Confidence(80, f"{name} has lines of 15 or 16 columns")


def detect_maps(probe: Probe) -> Confidence:
    """``instance/*.png`` of one channel and 16 bits."""
    name = has_maps(probe)
    if name is None:
        raise NotThisFormat("no instance/*.png of one channel and 16 bits")
    return Confidence(80, f"{name} is a map of 16 bits")


def detect_both(probe: Probe) -> Confidence:
    """Both parts."""
    boxes, maps = has_labels(probe), has_maps(probe)
    if boxes is None or maps is None:
        raise NotThisFormat("no label_2/*.txt and instance/*.png together")
    return Confidence(85, f"{boxes} beside {maps}")


class _Reader:
    def __init__(
        self, source: Source, layout: Layout, parts: tuple[str, ...], cuboids: bool, keep: bool, split: bool
    ) -> None:
        self.source, self.layout, self.parts, self.cuboids = source, layout, parts, cuboids
        self.keep, self.split = keep, split
        self.numbered: bool | None = None  # whether any region has a number; None: there is none yet
        self.told, self.last = False, next(reversed(layout.items), None)
        self.lenient = source.on_error == "skip"
        self.images = Images(source)
        self.schema = LabelSchema()
        if "instance" in parts:
            if layout.table is not None:
                self.schema = read_table(source, layout.table)
            elif any(own.keys() & set(_MAPS) for own in layout.items.values()):
                self.schema = city_schema(plate=False)
        self.known = {category.name: int(category.id) for category in self.schema}
        if "label_2" in parts:
            for own in layout.items.values():
                if "label_2" in own:
                    self._collect(own["label_2"])

    def _collect(self, name: str) -> None:
        """Add the labels of a file to the schema; its faults are told when the image is read."""
        for text in self.source.read(name).decode("utf-8", "replace").lstrip("\ufeff").split("\n"):
            head, _, rest = text.partition(" ")
            if head in self.known and rest[:1] in _DIGITS:
                continue
            words = text.split()
            if words:
                try:
                    label, _ = fields_of(Line(text, words, 0, name), short=self.lenient)
                except FormatError:
                    continue
                if "\ufffd" not in label:
                    self._number(label)

    def _number(self, label: str) -> int:
        number = self.known.get(label)
        if number is None:
            number = self.known[label] = len(self.schema)
            self.schema.categories.append(Category(number, label))
        return number

    def load(self, key: tuple[str, str]) -> Item | None:
        own, source = self.layout.items[key], self.source
        item = Item(key[1], self.layout.path(key), subset=key[0])
        try:
            if own.keys() & set(_MAPS):
                item.annotations += self._masks(item, own)
                if not item.annotations:
                    item.extras[NAMESPACE] = {"#map": True}
            if "image_2" in own:
                size = self.images.size(own["image_2"])
                if item.width is not None and size != (item.width, item.height) and size[0] is not None:
                    text = f"{item.width} x {item.height} pixels, its image has {size[0]} x {size[1]}"
                    raise FormatError(text, file=source.display(own.get("instance") or own["semantic"]))
                item.width, item.height = size
        except FormatError as error:
            source.problem(error, item)
            item.annotations = []
        if "label_2" in own:
            item.annotations[:0] = self._boxes(item, own["label_2"])
        if not own.keys() & set(self.parts):
            item.extras[NAMESPACE] = {"#missing": True}
        if self.numbered is False and key == self.last and not self.told:
            text = "no region of the data set has an instance number, objects of a class are one crowd"
            source.report.default(None, None, "id", text, what="mask")
            self.told = True
        return item

    def _boxes(self, item: Item, name: str) -> list[Annotation]:
        out: list[Annotation] = []
        for line in lines(self.source, name):
            try:
                try:
                    label, texts = fields_of(line)
                except FormatError as error:
                    self.source.problem(error, item, what="line")
                    label, texts = fields_of(line, short=True)
                box = box_of(line, label, texts, self._number(label))
            except FormatError as error:
                self.source.problem(error, item, what="line")
                continue
            out.append(box)
            if self.cuboids:
                cuboid = cuboid_of(box)
                if cuboid is not None:
                    box.group_id = cuboid.group_id = line.number
                    out.append(cuboid)
        return out

    def _masks(self, item: Item, own: dict[str, str]) -> list[Annotation]:
        source = self.source
        maps = {folder: read_map(source.read(own[folder]), source.display(own[folder])) for folder in own
                if folder in _MAPS}  # fmt: skip
        for image in maps.values():
            if image.kind != "index":
                raise FormatError("expected a grey map, one channel", file=image.file)
        classes = maps.get("semantic")
        image = maps.get("instance", maps[min(maps)])
        if "instance" not in maps:
            values = image.values.astype("uint32") * 256
            image = PixelMap(values, "index", 16, None, image.file)
        elif image.depth != 16:
            raise FormatError(f"expected 16 bits, got {image.depth}", file=image.file)
        elif classes is not None:
            error = check_class_map(image, classes, KITTI)
            if error is not None:
                source.problem(error, item)
        item.height, item.width = image.shape
        masks = masks_of(source, item, image, KITTI, self.schema, keep_background=self.keep)
        if masks and not self.told:
            self.numbered = bool(self.numbered) or not all(mask.is_crowd for mask in masks)
        if not self.split:
            return [*masks]
        out: list[Annotation] = []
        for mask in masks:
            thing = mask.is_crowd and self.schema.by_id(mask.category_id).kind == "thing"  # type: ignore[arg-type]
            parts = mask.rle.components() if thing else ()
            out += [Mask(part, category_id=mask.category_id) for part in parts] if thing else [mask]
        return out


def _read(
    source: Source, parts: tuple[str, ...], cuboids: bool = False, keep: bool = False, split: bool = False
) -> Dataset:
    layout = Layout(source, (*parts, "image_2"))
    if not layout.items and layout.table is None and not any("/" in name for name in source.files):
        if source.files:
            raise FormatError(f"no {' and no '.join(parts[:2])} folder", file=source.path)
    reader = _Reader(source, layout, parts, cuboids, keep, split)
    pictures = {(key[0], layout.path(key)): own["image_2"] for key, own in layout.items.items() if "image_2" in own}
    return Dataset(reader.schema, LazyItems(list(layout.items), reader.load), media=Found(source, pictures))


def read_boxes(source: Source, *, cuboids: bool = False) -> Dataset:
    """Read ``label_2``.

    Args:
        source: folder or zip.
        cuboids: add the objects in camera coordinates where they are known, each in a group with its box.

    Raises:
        FormatError: a line that breaks the rules; a lenient reader leaves it out, or takes 8 columns and more.
    """
    return _read(source, _BOXES, cuboids)


def read_maps(source: Source, *, keep_background: bool = False, split: bool = False) -> Dataset:
    """Read ``instance``, held against ``semantic`` where that is there.

    Args:
        source: folder or zip.
        keep_background: pixels of the background become a mask too.
        split: a crowd of a class that has instances becomes one mask for each connected part of it.

    Raises:
        FormatError: a damaged map, one with unknown classes, or one that says something else than the other.
    """
    return _read(source, _MAPS, keep=keep_background, split=split)


def read(
    source: Source, *, cuboids: bool = False, keep_background: bool = False, split: bool = False
) -> Dataset:
    """Read both parts, into one item an image: boxes, then masks.

    Args:
        source: folder or zip.
        cuboids: see ``read_boxes``.
        keep_background: see ``read_maps``.
        split: see ``read_maps``.

    Raises:
        FormatError: a fault in any of the files.
    """
    return _read(source, (*_BOXES, *_MAPS), cuboids, keep_background, split)
