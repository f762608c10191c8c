"""Reading LabelMe XML: the files of the web tool and those of CVAT."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.labels import categories
from maskcodec.formats._shared.lines import NUMBER
from maskcodec.formats._shared.naming import Images, stem
from maskcodec.formats._shared.source import Source
from maskcodec.formats._shared.xmlio import Element
from maskcodec.formats._shared.xmlio import read as read_xml
from maskcodec.formats.labelme.attributes import parse_attributes
from maskcodec.formats.labelme.groups import PartTree
from maskcodec.formats.labelme.patches import mask_of
from maskcodec.formats.voc.xml import tree
from maskcodec.masks import Rle
from maskcodec.model.annotations import Annotation, Box, Mask, Polygon
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import LabelSchema

__all__ = ["NAMESPACE", "detect", "read"]

NAMESPACE = "labelme"
_KNOWN = ("name", "deleted", "verified", "occluded", "attributes", "parts", "date", "id", "type", "polygon", "segm")
_NUMERIC = ("track_id", "rotation")


def _files(files: list[str]) -> list[str]:
    return [name for name in files if name.lower().endswith(".xml")]


def detect(probe: Probe) -> Confidence:
    """An XML file whose root is ``annotation`` and whose objects have polygons or masks."""
    for name in _files(probe.files)[:8]:
        head = probe.head(name, 65536)
        root = re.search(rb"<([A-Za-z_:][^\s/>!?]*)", re.sub(rb"<!--.*?-->|<\?.*?\?>|<!.*?>", b"", head, flags=re.S))
        if root is None or root.group(1) != b"annotation":
            raise NotThisFormat(f"the root element of {name} is not annotation")
        if b"<bndbox>" in head:
            raise NotThisFormat(f"{name} has boxes of PASCAL VOC")
        if b"<polygon>" in head or b"<segm>" in head or b"<imagesize>" in head:
            return Confidence(80, f"{name} has polygons, masks or imagesize below annotation")
    raise NotThisFormat("no XML file with object/polygon, object/segm or imagesize")


def read(source: Source, *, threshold: int = 1) -> Dataset:
    """Read LabelMe XML.

    Args:
        source: folder or zip with XML files, of the web tool or of CVAT.
        threshold: a pixel of a mask is set when one of its channels is at least this; an alpha channel that is 255
            everywhere does not count, another one decides alone when this is more than 1.
    """
    names: dict[str, None] = {}
    files = _files(source.files)
    if source.files and not files:
        raise FormatError("no XML file", file=source.path)
    for name in files:
        try:
            root = read_xml(source, name)
        except FormatError as error:
            if error.fatal:
                raise
            continue  # told when the item is read
        for element in root.all("object"):
            if element.value("deleted") != "1" and element.value("name"):
                names.setdefault(element.value("name") or "")
    schema = LabelSchema(categories(names))
    reader = _Reader(source, {c.name: c.id for c in schema.categories}, threshold)
    return Dataset(schema, LazyItems(files, reader.item))


class _Reader:
    def __init__(self, source: Source, ids: dict[str, Any], threshold: int) -> None:
        self.source, self.ids, self.threshold, self.images = source, ids, threshold, Images(source)

    def item(self, name: str) -> Item | None:
        """Load one file."""
        source, file = self.source, self.source.display(name)
        try:
            root = read_xml(source, name)
            if root.tag != "annotation":
                raise FormatError(f"expected the root element annotation, got {shorten(root.tag)}", file=file)
            item = self._named(root, name)
            self._size(root, item, name, file)
        except FormatError as error:
            source.problem(error)
            return None
        own: dict[str, Any] = {}
        for tag in ("source",):
            found = root.find(tag)
            if found is not None:
                own[tag] = {child.tag: child.text.strip() for child in found.children}
        known = ("filename", "folder", "source", "imagesize", "object")
        rest = [tree(child) for child in root.children if child.tag not in known]
        if rest:
            own["elements"] = rest
        if own:
            item.extras[NAMESPACE] = own
        self._objects(root, item, name, file)
        return item

    def _named(self, root: Element, name: str) -> Item:
        folder, filename = root.value("folder") or "", root.value("filename") or ""
        parts = name.split("/")
        subset = "default" if len(parts) == 1 or "Annotations" in parts[:-1] else parts[0]
        path = f"{folder}/{filename}" if folder else filename
        key = stem(path) if path else stem(name)
        return Item(key, path or None, subset=subset)

    def _size(self, root: Element, item: Item, name: str, file: str) -> None:
        size = root.find("imagesize")
        if size is not None:
            for tag, field in (("ncols", "width"), ("nrows", "height")):
                text = size.value(tag)
                if not text:
                    continue
                if not re.fullmatch("[0-9]{1,9}", text):
                    raise FormatError(f"expected a number of pixels, got {shorten(text)}", file=file, field=tag)
                setattr(item, field, int(text) or None)
        if item.width is None or item.height is None:
            inner = name.replace("Annotations/", "Images/", 1)
            picture = self.images.find(stem(inner), stem(name), stem(item.path or ""))
            item.width, item.height = self.images.size(picture)

    def _objects(self, root: Element, item: Item, name: str, file: str) -> None:
        tree_of = PartTree(self.source)
        for place, element in enumerate(root.all("object")):
            key = element.value("id") or ""
            record = f"object id {key or '?'}" + (f" ({element.value('name')})" if element.value("name") else "")
            try:
                number = tree_of.number(key, place, file, record)
                tree_of.add(element, number, file, record)
                if element.value("deleted") == "1":
                    self.source.report.unread(item, record, "", "objects marked as deleted are not read", what="object")
                    continue
                annotation = self._object(element, item, name, file, record)
            except FormatError as error:
                self.source.problem(error, item, record)
                continue
            annotation.id = number
            item.annotations.append(annotation)
        tree_of.finish(item, file)

    def _object(self, element: Element, item: Item, name: str, file: str, record: str) -> Annotation:
        label = element.value("name")
        if not label:
            raise FormatError("the element is missing or empty", file=file, record=record, field="name")
        polygon, segm = element.find("polygon"), element.find("segm")
        if polygon is not None:
            box = element.value("type") == "bounding_box"
            out: Annotation = self._shape(polygon, box, file, record)
        elif segm is not None:
            out = Mask(self._mask(segm, item, name, file, record))
        else:
            raise FormatError("neither polygon nor segm", file=file, record=record)
        out.category_id = self.ids[label]
        out.occluded = (element.value("occluded") or "no").lower() in ("yes", "1", "true")
        out.attributes = parse_attributes(element.value("attributes") or "")
        if isinstance(out, Box) and type(out.attributes.get("rotation")) in (int, float):
            out.rotation = float(out.attributes.pop("rotation"))
        own: dict[str, Any] = {}
        for tag in ("verified", "date"):
            if element.value(tag):
                own[tag] = element.value(tag)
        inner = polygon if polygon is not None else segm
        if inner is not None and inner.value("username"):
            own["username"] = inner.value("username")
        if segm is not None and polygon is None:
            if element.value("type"):
                own["type"] = element.value("type")
            scribbles = segm.find("scribbles")
            if scribbles is not None:
                own["scribbles"] = tree(scribbles)[1]
        rest = [tree(child) for child in element.children if child.tag not in _KNOWN]
        if rest:
            own["elements"] = rest
        if own:
            out.extras[NAMESPACE] = own
        return out

    @staticmethod
    def _shape(polygon: Element, box: bool, file: str, record: str) -> Annotation:
        points = []
        for at, point in enumerate(polygon.all("pt"), 1):
            for axis in ("x", "y"):
                text = point.value(axis)
                if text is None or not NUMBER.fullmatch(text) or not np.isfinite(float(text)):
                    field = f"polygon: pt {at}: {axis}"
                    fault = f"expected a finite number, got {shorten(text)}"
                    raise FormatError(fault, file=file, record=record, field=field)
                points.append(float(text))
        ring = np.array(points).reshape(-1, 2)
        least = 2 if box else 3
        if len(ring) < least:
            raise FormatError(f"{len(ring)} points, expected {least}", file=file, record=record, field="polygon")
        if not box:
            return Polygon([ring])
        return Box(*map(float, ring.min(axis=0)), *map(float, ring.max(axis=0)))

    def _mask(self, segm: Element, item: Item, name: str, file: str, record: str) -> Rle:
        wanted = segm.value("mask")
        if not wanted:
            raise FormatError("the element is missing or empty", file=file, record=record, field="mask")
        folder = name.rpartition("/")[0]
        top = name.split("/")[0] + "/" if "/" in name else ""
        above, _, below = ("/" + folder + "/").rpartition("/Annotations/")
        places = [f"{folder}/Masks/{wanted}".lstrip("/"), f"{top}Masks/{wanted}", f"Masks/{wanted}"]
        places.append(f"{above}/Masks/{below}{wanted}".lstrip("/"))
        found = next((place for place in places if self.source.has(place)), None)
        if found is None:
            raise FormatError(f"the mask file {shorten(wanted)} is missing", file=file, record=record, field="mask")
        rle = mask_of(self.source.read(found), self.source.display(found), self.threshold)
        if item.width is None or item.height is None:
            item.height, item.width = rle.shape
        if rle.shape != (item.height, item.width):
            text = f"{rle.width} x {rle.height} pixels, the image has {item.width} x {item.height}"
            raise FormatError(text, file=self.source.display(found), record=record, field="mask")
        return rle
