"""Reading PASCAL VOC: every task at once."""

from __future__ import annotations

import re
from typing import Any, BinaryIO

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.labels import Label, categories
from maskcodec.formats._shared.naming import Images
from maskcodec.formats._shared.source import Source
from maskcodec.formats._shared.xmlio import read as read_xml
from maskcodec.formats.segmentation_mask.pairs import VOC_LABELS, Pairs, background_of
from maskcodec.formats.segmentation_mask.read import find_maps, read_labels, root_of
from maskcodec.formats.voc.lists import LIST, Lists
from maskcodec.formats.voc.survey import Survey
from maskcodec.formats.voc.xml import NAMESPACE, Reader
from maskcodec.model.annotations import Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import AttributeSpec, Category, LabelSchema

__all__ = ["detect", "read"]

_XML = re.compile(r"(.*?)(?:^|(?<=/))Annotations/(.+)\.[xX][mM][lL]")
_PNG = re.compile(r"(.*?)(?:^|(?<=/))Segmentation(?:Class|Object)/.+\.[pP][nN][gG]")
_PARTS = ["head", "hand", "foot"]
_ACTIONS = ["other", "jumping", "phoning", "playinginstrument", "reading", "ridingbike", "ridinghorse", "running",
            "takingphoto", "usingcomputer", "walking"]  # fmt: skip


def _flat(files: list[str]) -> dict[str, str]:
    """XML files anywhere, by their path without the ending."""
    return {name[:-4]: name for name in files if name.lower().endswith(".xml")}


def detect(probe: Probe) -> Confidence:
    """Lists in ``ImageSets``, files in ``Annotations``, or XML files with boxes anywhere."""
    lists = [name for name in probe.files if (match := LIST.fullmatch(name)) and match.group(2) != "Segmentation"]
    if lists:
        return Confidence(80, f"{lists[0]} is a list of PASCAL VOC")
    for name in list(_flat(probe.files).values())[:8]:
        head = probe.head(name, 65536)
        root = re.search(rb"<([A-Za-z_:][^\s/>!?]*)", re.sub(rb"<!--.*?-->|<\?.*?\?>|<!.*?>", b"", head, flags=re.S))
        if root is None or root.group(1) != b"annotation":
            raise NotThisFormat(f"the root element of {name} is not annotation")
        if b"<bndbox>" in head or (b"<size>" in head and b"<imagesize>" not in head):
            return Confidence(70, f"{name} has the root annotation with size or bndbox")
    raise NotThisFormat("no ImageSets/{Main,Layout,Action}/*.txt and no XML file with size or bndbox")


def _labels(source: Source, root: str, survey: Survey, lists: list[str], maps: bool) -> tuple[list[Label], bool]:
    """The labels, and whether a table declares them; those of VOC where some of them occur, then what else occurs."""
    labels, colored = read_labels(source, root)
    if source.has(f"{root}labelmap.txt") or source.has(f"{root}dataset_meta.json"):
        return labels, colored
    voc = {label.name for label in VOC_LABELS}
    seen = [name for name in (*survey.names, *lists) if name]
    if maps or not seen or voc & set(seen):
        person = next(label for label in labels if label.name == "person")
        person.parts, person.actions = list(_PARTS), list(_ACTIONS)
    else:
        labels = []
    return labels + [Label(name) for name in dict.fromkeys(seen) if all(name != label.name for label in labels)], False


def _schema(labels: list[Label], parts: dict[str, str]) -> LabelSchema:
    made = categories(labels)
    owners: dict[str, list[str]] = {}
    for label, category in zip(labels, made, strict=True):
        category.attributes = [AttributeSpec(name, "bool") for name in label.actions]
        for part in label.parts:
            owners.setdefault(part, []).append(label.name)
    for part, owner in parts.items():
        owners.setdefault(part, [owner])
    known = {category.name for category in made}
    for part, names in owners.items():
        if part and part not in known:
            extras: dict[str, dict[str, Any]] = {NAMESPACE: {"part_of": names}} if len(names) > 1 else {}
            made.append(Category(len(made), part, parent=names[0], extras=extras))
    return LabelSchema(made, background=background_of(labels))


def read(source: Source, *, coordinates: str = "auto", keep_void: bool = False) -> Dataset:
    """Read PASCAL VOC.

    Args:
        source: folder or zip with ``ImageSets``, ``Annotations`` and maps, nested or not; or loose XML files.
        coordinates: "voc": numbers of pixels from 1, the last included; "continuous": corners from 0, as CVAT and most
            tools write; "auto": once for the data set, by coordinates below 1, by marks of CVAT, by the database.
        keep_void: void pixels of maps become a mask of the category ``ignored``.
    """
    root = root_of(source, LIST, _XML, _PNG)
    flat = root is None
    root = root or ""
    files = _flat(source.files) if flat else {
        match.group(2): name for name in source.files if (match := _XML.fullmatch(name)) and match.group(1) == root
    }  # fmt: skip
    if flat and not files:
        raise FormatError("no ImageSets, Annotations or XML files", file=source.path)
    maps = find_maps(source, root)
    survey = Survey(source, files)
    table = source.has(f"{root}labelmap.txt") or source.has(f"{root}dataset_meta.json")
    names = [label.name for label in read_labels(source, root)[0]]
    lists = Lists.read(source, root, files.keys() | maps.keys(), names)
    classes = dict.fromkeys(label for group in lists.classed.values() for label in group)
    labels, declared = _labels(source, root, survey, list(classes), bool(maps))
    schema = _schema(labels, {} if table else survey.parts)
    ids = {category.name: category.id for category in schema.categories}
    for subset, group in lists.classed.items():
        for label in [label for label in group if label not in ids]:
            text = f"label {shorten(label)} is not in the table of labels"
            source.problem(FormatError(text, file=f"{root}ImageSets/Main/{label}_{subset}.txt"))
            group.remove(label)
            for flags in lists.flags.values():
                flags.pop(label, None)
    solid = [label for label in labels if label.name != "ignored"] if not table else labels
    if keep_void and "ignored" not in ids:
        schema.categories.append(Category(len(schema.categories), "ignored"))
        ids["ignored"] = schema.categories[-1].id
    pairs = Pairs(source, solid, ids["ignored"] if keep_void else None, declared)  # type: ignore[arg-type]
    loader = _Loader(source, root, files, maps, lists, pairs, schema)
    loader.reader = Reader(source, survey.one_based(source, coordinates, table), ids, table)
    dataset = Dataset(schema, LazyItems(loader.order(), loader.item), media=loader)
    notes = {"class_lists": lists.classed, "action_lists": lists.actions}
    if any(notes.values()):
        dataset.extras[NAMESPACE] = {f"#{key}": value for key, value in notes.items() if value}
    return dataset


class _Loader:
    reader: Reader

    def __init__(
        self, source: Source, root: str, files: dict[str, str], maps: dict[str, dict[str, str]], lists: Lists,
        pairs: Pairs, schema: LabelSchema,
    ) -> None:  # fmt: skip
        self.source, self.root, self.files, self.maps, self.lists, self.pairs = source, root, files, maps, lists, pairs
        self.ids = {category.name: category.id for category in schema.categories}
        self.images, self.places, self.sizes = Images(source), lists.places(), lists.sizes()

    def order(self) -> list[tuple[str, str]]:
        """Subset and id of every image: list by list, then those that are in no list."""
        out: list[tuple[str, str]] = []
        subsets = {key: self._subset(key) for key in self.places}
        for name in sorted(self.sizes):
            rows = dict.fromkeys(key for lists in self.lists.members.values() for key in lists.get(name, {}))
            out += [(name, key) for key in rows if subsets[key] == name]
        for key in [*self.files, *(key for key in self.maps if key not in self.files)]:
            if key not in subsets:
                if self.sizes:
                    self.source.report.default(key, None, "subset", "an image that is in no list", what="item")
                out.append(("default", key))
        return out

    def _subset(self, key: str) -> str:
        names = {name for lists in self.places[key].values() for name in lists}
        return min(names, key=lambda name: (self.sizes[name], name))

    def item(self, entry: tuple[str, str]) -> Item | None:
        """Load one image."""
        subset, key = entry
        item, source = Item(key, subset=subset), self.source
        picture = self._picture(key)
        try:
            if key in self.files:
                self.reader.item(read_xml(source, self.files[key]), source.display(self.files[key]), item)
            own = self.maps.get(key, {})
            if own:
                size = (item.width, item.height)
                item.annotations += self.pairs.masks(item, own.get("SegmentationClass"), own.get("SegmentationObject"))
                if None not in size and size != (item.width, item.height):
                    text = f"{item.width} x {item.height} pixels, the annotation file says {size[0]} x {size[1]}"
                    raise FormatError(text, file=source.display(next(iter(own.values()))))
        except FormatError as error:
            source.problem(error, item)
            return None
        if picture is not None and (item.path is None or item.path.rpartition("/")[2] != picture.rpartition("/")[2]):
            item.path = item.path or picture.removeprefix(f"{self.root}JPEGImages/")
        if picture is not None and item.width is None:
            item.width, item.height = self.images.size(picture)
        self._lists(item, key)
        return item

    def _picture(self, key: str) -> str | None:
        return self.images.find(f"{self.root}JPEGImages/{key}", f"{self.root}images/{key}", f"{self.root}{key}")

    def open_media(self, item: Item | str) -> BinaryIO | None:
        """The image of an item, never a map of its pixels; of a path, the one in ``JPEGImages``."""
        name = self.media_name(item)
        return self.source.open(name) if name is not None else None

    def media_name(self, item: Item | str) -> str | None:
        """Name of the file that ``open_media`` opens."""
        name = self._picture(str(item.id)) if isinstance(item, Item) else f"{self.root}JPEGImages/{item}"
        return name if name is not None and self.source.has(name) else None

    def _lists(self, item: Item, key: str) -> None:
        """Tags and the lists of an image; numbers of objects are held against its objects."""
        places = self.places.get(key, {})
        objects = sum(a.kind == "box" and a.parent_id is None for a in item.annotations)
        for folder, lists in places.items():
            for name, numbers in lists.items():
                for number in numbers:
                    if not 1 <= number <= objects:
                        text = f"object {number} of {objects} of {key}"
                        file = self.source.display(f"{self.root}ImageSets/{folder}/{name}.txt")
                        self.source.problem(FormatError(text, file=file, record=key), item, what="record")
        flags = self.lists.flags.get(key, {})
        item.annotations += [Tag(category_id=self.ids[label]) for label, flag in flags.items() if flag == 1]
        own = item.extras.setdefault(NAMESPACE, {})
        if own.pop("segmented", "0") == "1" and not any(a.kind == "mask" for a in item.annotations):
            own["segmented"] = "1"
        zero = [label for label, flag in flags.items() if flag == 0]
        if zero:
            own["difficult_classes"] = zero
        elif flags and 1 not in flags.values():
            own["#flagged"] = True
        several = any(set(lists) != {item.subset} for lists in places.values())
        if places:
            own["lists" if several else "#lists"] = places
        if not own:
            del item.extras[NAMESPACE]
