"""``image`` elements of CVAT XML to items."""

from __future__ import annotations

from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.frames import MediaNames
from maskcodec.formats._shared.images import image_size
from maskcodec.formats._shared.source import Source
from maskcodec.formats._shared.xmlio import Element
from maskcodec.formats.cvat_xml.attributes import NAMESPACE
from maskcodec.formats.cvat_xml.fields import Fault, whole
from maskcodec.formats.cvat_xml.index import Index
from maskcodec.formats.cvat_xml.shapes import Shapes
from maskcodec.model.dataset import Item
from maskcodec.model.schema import Category

__all__ = ["Images", "below", "stem_of"]

_IMAGE = ("id", "name", "subset", "width", "height")


class Images(Shapes):
    """The part of the reader that makes items of images."""

    source: Source
    media: MediaNames
    labels: dict[str, Category]
    repeated: set[tuple[str, str]]
    twice: set[tuple[str, str | None]]

    def _category(self, element_label: str | None) -> Category | None:
        if not element_label:
            return None
        if element_label not in self.labels:
            raise Fault("label", f"expected one of the listed labels, got {shorten(element_label)}")
        return self.labels[element_label]

    def _measure(self, file: str | None) -> tuple[int | None, int | None]:
        if file is None:
            return None, None
        with self.source.open(file) as stream:
            try:
                return image_size(stream, self.source.display(file))
            except FormatError:
                return None, None  # the annotations do not need the picture

    def _image(self, element: Element, index: Index, at: int, subset: str, frame: int) -> Item:
        name = element.attributes.get("name")
        own = f"image {element.attributes.get('id', at)} ({name})"
        where = f"line {element.line}: {own}"
        if not name:
            raise FormatError("the required attribute is missing", file=index.file, record=where, field="name")
        file = self.media.find(name, subset)
        exact = file is None or file.endswith("/" + name) or file == name
        item = Item(self._id(name, subset, element, at), name if exact else below(file, subset), subset=subset)
        rest: dict[str, Any] = {k: v for k, v in element.attributes.items() if k not in _IMAGE}
        if not exact:
            rest["name"] = name
        try:
            if frame >= 0:
                item.frame = frame
            elif "id" not in element.attributes:
                item.frame = at
                self.note(item, None, "id", "the image has no number; its position counts")
            else:
                item.frame = whole(element, "id")
            sizes = [whole(element, field, 0) for field in ("width", "height")]
            if min(sizes) < 0:
                raise Fault("width" if sizes[0] < 0 else "height", f"expected a size in pixels, got {min(sizes)}")
        except Fault as fault:
            raise FormatError(str(fault), file=index.file, record=where, field=fault.field) from fault
        item.width, item.height = (sizes[0], sizes[1]) if all(sizes) else self._measure(file)
        if item.width is None and not {"width", "height"} <= element.attributes.keys():
            self.note(item, None, "width", "the size of the image is not given")
        if rest:
            item.extras = {NAMESPACE: rest}
        for number, child in enumerate(element.children):
            self._shape(item, child, index, f"{own}: {child.tag}[{number}]")
        return item

    def _id(self, name: str, subset: str, element: Element, at: int) -> str:
        stem = stem_of(name)
        if (subset, stem) not in self.repeated:
            return stem
        if (subset, name) not in self.twice:
            return name
        return f"{name}#{element.attributes.get('id', at)}"

    def _shape(self, item: Item, element: Element, index: Index, where: str) -> None:
        try:
            label = element.attributes.get("label")
            category = self._category(label) if element.tag != "tag" or label in self.labels else None
            item.annotations.append(self.annotation(element, item, category, {}))
        except Fault as fault:
            record = f"line {element.line}: {where}"
            error = FormatError(str(fault), file=index.file, record=record, field=fault.field)
            self.problem(error, item, where.rpartition(": ")[2])


def stem_of(name: str) -> str:
    head, dot, tail = name.rpartition(".")
    return head if dot and head and "/" not in tail else name


def below(file: str | None, subset: str) -> str | None:
    """A media file as the path of an item: without the folders that hold all media."""
    if file is None:
        return None
    name = file.removeprefix("images/")
    return name.removeprefix(f"{subset}/") if f"images/{subset}/" in file else name
