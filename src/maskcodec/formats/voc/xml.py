"""One annotation file of PASCAL VOC as annotations."""

from __future__ import annotations

import math
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.lines import NUMBER
from maskcodec.formats._shared.source import Source
from maskcodec.formats._shared.xmlio import Element
from maskcodec.model.annotations import Annotation, Box
from maskcodec.model.dataset import Item

__all__ = ["NAMESPACE", "SIDES", "TYPED", "UNKNOWN", "Reader", "tree"]

NAMESPACE = "voc"
# What a file without a known source says, as CVAT has it.
UNKNOWN = [["folder", ""], ["source", [["database", "Unknown"], ["annotation", "Unknown"], ["image", "Unknown"]]]]
SIDES = ("xmin", "ymin", "xmax", "ymax")
# Attributes that have a type of their own; all others are texts.
_FLAGS = ("keyframe", "outside", "is_crowd", "truncated", "occluded")
TYPED: dict[str, type] = {"track_id": int, "score": float, **dict.fromkeys(_FLAGS, bool)}
_WORDS = {"true": True, "yes": True, "1.0": True, "false": False, "no": False, "0.0": False, "": False}
_KNOWN = {"name", "truncated", "occluded", "difficult", "bndbox", "part", "actions", "attributes", "pose", "point"}


def tree(element: Element) -> list[Any]:
    """An element that means nothing to us, as [tag, text or list of its children]."""
    return [element.tag, [tree(child) for child in element.children] if element.children else element.text.strip()]


def typed(name: str, text: str) -> Any:
    """Value of an attribute: a text, but for the names that have a type."""
    kind = TYPED.get(name)
    if kind is bool and text in ("True", "False"):
        return text == "True"
    if kind in (int, float) and NUMBER.fullmatch(text) and (kind is float or text.lstrip("-").isdigit()):
        return kind(text)
    return text


class Reader:
    """Reads annotation files.

    Args:
        source: hears of faults.
        one_based: coordinates are pixel numbers from 1, the last pixel included.
        ids: name of a label -> id of its category.
        declared: the labels come from a table, others are faults.
    """

    def __init__(self, source: Source, one_based: bool, ids: dict[str, Any], declared: bool) -> None:
        self.source, self.one_based, self.ids, self.declared = source, one_based, ids, declared

    def item(self, root: Element, file: str, item: Item) -> None:
        """Fill an item with what its file says.

        Raises:
            FormatError: the file as a whole is at fault.
        """
        if root.tag != "annotation":
            raise FormatError(f"expected the root element annotation, got {shorten(root.tag)}", file=file)
        own: dict[str, Any] = {}
        item.path = root.value("filename") or None
        size = root.find("size")
        if size is not None:
            item.width, item.height = (self._whole(size, name, file) for name in ("width", "height"))
            depth = size.value("depth")
            if depth:
                own["depth"] = depth
        if root.value("segmented"):
            own["segmented"] = root.value("segmented")
        known = ("filename", "size", "object", "segmented")
        rest = [tree(child) for child in root.children if child.tag not in known]
        if rest and rest != UNKNOWN:
            own["#elements"] = rest
        if own:
            item.extras[NAMESPACE] = own
        for number, element in enumerate(root.all("object"), 1):
            record = f"object {number}" + (f" ({element.value('name')})" if element.value("name") else "")
            try:
                item.annotations += self._object(element, number, file, record, item)
            except FormatError as error:
                self.source.problem(error, item, record)

    def _whole(self, size: Element, name: str, file: str) -> int | None:
        text = size.value(name)
        if not text:
            return None
        if not NUMBER.fullmatch(text) or not float(text).is_integer() or float(text) < 0:
            raise FormatError(f"expected a number of pixels, got {shorten(text)}", file=file, record="size", field=name)
        return int(float(text)) or None

    def _flag(self, element: Element, name: str, file: str, record: str) -> bool:
        text = element.value(name)
        if text is None or text in ("0", "1"):
            return text == "1"
        error = FormatError(f"expected 0 or 1, got {shorten(text)}", file=file, record=record, field=name)
        if text.lower() not in _WORDS:
            raise error
        self.source.problem(error, what=name)
        return _WORDS[text.lower()]

    def box(self, element: Element, file: str, record: str) -> list[float]:
        """The four sides of a ``bndbox``, from 0 on and half-open."""
        frame = element.find("bndbox")
        if frame is None:
            raise FormatError("the element is missing", file=file, record=record, field="bndbox")
        out = []
        for side in SIDES:
            text = frame.value(side)
            value = float(text) if text is not None and NUMBER.fullmatch(text) else math.nan
            if not math.isfinite(value):
                fault = f"expected a finite number, got {shorten(text)}"
                raise FormatError(fault, file=file, record=record, field=side)
            out.append(int(value) if value.is_integer() else value)
        for low, high in ((0, 2), (1, 3)):
            if out[low] > out[high]:
                text = f"{SIDES[low]} {out[low]} is greater than {SIDES[high]} {out[high]}"
                raise FormatError(text, file=file, record=record, field="bndbox")
        if self.one_based:
            out[0], out[1] = out[0] - 1, out[1] - 1
        return out

    def _category(self, element: Element, file: str, record: str) -> Any:
        name = element.value("name")
        if not name:
            raise FormatError("the element is missing or empty", file=file, record=record, field="name")
        if name not in self.ids:
            fault = f"label {shorten(name)} is not in the table of labels"
            raise FormatError(fault, file=file, record=record, field="name")
        return self.ids[name]

    def _object(self, element: Element, number: int, file: str, record: str, item: Item) -> list[Annotation]:
        box = Box(*self.box(element, file, record), category_id=self._category(element, file, record), id=number)
        box.truncated = self._flag(element, "truncated", file, record)
        box.occluded = self._flag(element, "occluded", file, record)
        if self._flag(element, "difficult", file, record):
            box.attributes["difficult"] = True
        own: dict[str, Any] = {}
        for name in ("pose", "point"):
            found = element.find(name)
            if found is not None:
                own[name] = tree(found)[1]
        actions = element.find("actions")
        for action in actions.children if actions is not None else ():
            box.attributes[action.tag] = self._flag(actions, action.tag, file, f"{record}: actions")  # type: ignore[arg-type]
        if actions is not None:
            own["#actions"] = [action.tag for action in actions.children]
        self._attributes(element, box, own)
        rest = [tree(child) for child in element.children if child.tag not in _KNOWN]
        if rest:
            own["elements"] = rest
        if own:
            box.extras[NAMESPACE] = own
        out: list[Annotation] = [box]
        for at, part in enumerate(element.all("part"), 1):
            where = f"{record}: part {at}"
            try:
                sides, category = self.box(part, file, where), self._category(part, file, where)
                out.append(Box(*sides, category_id=category, parent_id=number))
            except FormatError as error:
                self.source.problem(error, item, where)
        return out

    @staticmethod
    def _attributes(element: Element, box: Box, own: dict[str, Any]) -> None:
        block = element.find("attributes")
        for attribute in block.all("attribute") if block is not None else ():
            name, text = attribute.value("name") or "", attribute.value("value") or ""
            if name == "rotation" and NUMBER.fullmatch(text):
                box.rotation = float(text)
                own["#rotation"] = text
            else:
                box.attributes[name] = typed(name, text)
