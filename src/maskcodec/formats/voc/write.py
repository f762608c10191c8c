"""Writing PASCAL VOC as CVAT does: annotation files, lists, maps, and the table of labels."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from maskcodec.formats._shared.labels import Label, write_label_map
from maskcodec.formats._shared.lines import decimal
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.xmlout import XmlWriter
from maskcodec.formats.segmentation_mask.write import MapWriter
from maskcodec.formats.voc.lists import FOLDERS
from maskcodec.formats.voc.parts import Parts
from maskcodec.formats.voc.xml import NAMESPACE, SIDES, UNKNOWN, typed
from maskcodec.model.annotations import Box, Tag
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["plant", "write"]

class _Writer:
    def __init__(self, dataset: Dataset, sink: NullSink, report: LossReport, one_based: bool, mode: str) -> None:
        self.sink, self.report, self.one_based = sink, report, one_based
        self.schema = Parts(dataset.schema, report)
        plain = self.schema.plain(dataset.schema)
        self.maps = MapWriter(plain, sink, report, mode)
        self.labels: list[Label] = self.maps.classes.labels
        by_name = {label.name: label for label in self.labels}
        for category in dataset.schema.categories:
            self._label(category, by_name, plain, report)
        notes = dataset.extras.get(NAMESPACE, {})
        self.action_lists: dict[str, list[list[Any]]] = notes.get("#action_lists", {})
        self.class_lists: dict[str, list[str]] = notes.get("#class_lists", {})
        self.lists: dict[str, dict[str, dict[str, list[int]]]] = {folder: {} for folder in FOLDERS}
        self.tags: dict[str, dict[str, int]] = {}
        self.tagged: set[str] = set()

    def _label(self, category: Category, labels: dict[str, Label], plain: LabelSchema, report: LossReport) -> None:
        if category.id in self.schema.owners:
            for owner in self.schema.owners[category.id]:
                labels[owner].parts.append(category.name)
            if category.color is not None:
                report.approximate(category.name, None, "color", "a part has no colour", what="category")
            if category.attributes:
                report.approximate(category.name, None, "attributes", "a part has none", what="category")
        else:
            labels[category.name].actions = self.schema.actions[category.id]

    def item(self, item: Item) -> None:
        boxes = [a for a in item.annotations if isinstance(a, Box)]
        numbers, parts = self._numbers(item, boxes)
        body = io.BytesIO()
        xml = XmlWriter(body)
        xml.start("annotation")
        own = item.extras.get(NAMESPACE, {})
        elements = own.get("#elements", UNKNOWN)
        masks = self.maps.item(item) > 0
        for element in (e for e in elements if e[0] == "folder"):
            plant(xml, element)
        xml.leaf("filename", str(item.path))
        for element in (e for e in elements if e[0] != "folder"):
            plant(xml, element)
        if item.width is not None or item.height is not None:
            size = {"width": item.width or "", "height": item.height or "", "depth": own.get("depth", "")}
            plant(xml, ["size", [[name, str(value)] for name, value in size.items()]])
        xml.leaf("segmented", "1" if masks else own.get("segmented", "0"))
        for box in boxes:
            if id(box) in numbers:
                self._object(xml, item, box, parts.get(id(box), []))
        xml.end()
        self.sink.write(f"Annotations/{item.id}.xml", body.getvalue())
        self._list(item, bool(parts), boxes, masks)

    def _numbers(self, item: Item, boxes: list[Box]) -> tuple[dict[int, int], dict[int, list[Box]]]:
        """Numbers of the objects of an image, and the parts of each."""
        owners = {box.id: box for box in boxes if box.id is not None}
        numbers: dict[int, int] = {}
        parts: dict[int, list[Box]] = {}
        for box in boxes:
            owner = owners.get(box.parent_id) if box.parent_id is not None else None
            if owner is not None and id(owner) in numbers and self.schema.is_part(box.category_id, owner.category_id):
                parts.setdefault(id(owner), []).append(box)
                self._part(item, box, owner, numbers[id(owner)])
                continue
            if box.category_id in self.schema.owners:
                self.report.drop(item, box, "", "a part without its owner")
                continue
            numbers[id(box)] = len(numbers) + 1
            if box.parent_id is not None:
                self.report.rename(item, box, "parent_id", "only parts of labels know their owner")
            if box.id is not None and box.id != numbers[id(box)]:
                self.report.rename(item, box, "id", "an object is known by its place in the file")
        return numbers, parts

    def _part(self, item: Item, box: Box, owner: Box, number: int) -> None:
        """Tell what a part cannot hold."""
        if box.parent_id != number:
            self.report.rename(item, box, "parent_id", "an object is known by its place in the file")
        if box.id is not None:
            self.report.rename(item, box, "id", "a part has no id")
        for name in ("rotation", "truncated", "occluded"):
            if getattr(box, name):
                self.report.approximate(item, box, name, "a part has a name and a box alone")
        for name in box.attributes:
            self.report.approximate(item, box, f"attributes.{name}", "a part has a name and a box alone")

    def _object(self, xml: XmlWriter, item: Item, box: Box, parts: list[Box]) -> None:
        own = box.extras.get(NAMESPACE, {})
        xml.start("object")
        xml.leaf("name", self.schema.names[box.category_id])  # type: ignore[index]
        if "pose" in own:
            plant(xml, ["pose", own["pose"]])
        attributes = dict(box.attributes)
        difficult = attributes.pop("difficult", None)
        for name, flag in (("truncated", box.truncated), ("occluded", box.occluded), ("difficult", bool(difficult))):
            xml.leaf(name, str(int(flag)))
        if difficult is not None and difficult is not True:
            text = "a flag: what is not true is read as not set"
            self.report.approximate(item, box, "attributes.difficult", text)
        self._bndbox(xml, item, box)
        if "point" in own:
            plant(xml, ["point", own["point"]])
        for part in parts:
            xml.start("part")
            xml.leaf("name", self.schema.names[part.category_id])  # type: ignore[index]
            self._bndbox(xml, item, part)
            xml.end()
        actions = [*self.schema.actions.get(box.category_id, ()), *own.get("#actions", ())]
        flags = {name: attributes.pop(name) for name in dict.fromkeys(actions) if type(attributes.get(name)) is bool}
        if flags:
            plant(xml, ["actions", [[name, str(int(flag))] for name, flag in flags.items()]])
        self._attributes(xml, item, box, attributes, own.get("#rotation"))
        for element in own.get("elements", ()):
            plant(xml, element)
        xml.end()

    def _attributes(self, xml: XmlWriter, item: Item, box: Box, attributes: dict[str, Any], zero: str | None) -> None:
        rows = [(name, value if isinstance(value, str) else str(value)) for name, value in attributes.items()]
        for name, text in rows:
            value = attributes[name]
            back = typed(name, text.strip())
            if back != value or type(back) is not type(value):
                self.report.approximate(item, box, f"attributes.{name}", "written as a text")
        if box.rotation:
            rows.append(("rotation", repr(float(box.rotation))))
        elif zero is not None:
            rows.append(("rotation", zero))
        if rows:
            found = [["attribute", [["name", name], ["value", text.strip()]]] for name, text in rows]
            plant(xml, ["attributes", found])

    def _bndbox(self, xml: XmlWriter, item: Item, box: Box) -> None:
        sides = [box.x0, box.y0, box.x1, box.y1]
        if self.one_based:
            sides[:2] = [box.x0 + 1, box.y0 + 1]
            if (sides[0] - 1, sides[1] - 1) != (box.x0, box.y0):
                self.report.approximate(item, box, "x0", "rounded by counting pixels from 1")
                self.report.approximate(item, box, "y0", "rounded by counting pixels from 1")
        plant(xml, ["bndbox", [[name, decimal(value)] for name, value in zip(SIDES, sides, strict=True)]])

    def _list(self, item: Item, parts: bool, boxes: list[Box], masks: bool) -> None:
        key, own = str(item.id), item.extras.get(NAMESPACE, {})
        places = own.get("lists") or own.get("#lists")
        if places is None:
            bare = not item.annotations
            actions = any(type(box.attributes.get(name)) is bool for box in boxes
                          for name in self.schema.actions.get(box.category_id, ()))  # fmt: skip
            wanted = {"Main": True, "Layout": parts or bare, "Action": actions or bare, "Segmentation": masks or bare}
            places = {folder: {item.subset: []} for folder in FOLDERS if wanted[folder]}
        for folder, lists in places.items():
            for name, numbers in lists.items():
                self.lists[folder].setdefault(name, {})[key] = list(numbers)
        flags = {self.schema.names[a.category_id]: 1 for a in item.annotations if isinstance(a, Tag)}  # type: ignore[index]
        flags.update(dict.fromkeys(own.get("difficult_classes", ()), 0))
        if flags or "#flagged" in own:
            self.tags[key] = flags
            main = places.get("Main", {})
            self.tagged.update(name for name in main if name in self.class_lists or not main.keys() & self.class_lists)

    def close(self) -> None:
        """Write the lists and the table of labels."""
        if not any(self.lists.values()):
            self.lists["Main"]["default"] = {}
        for folder, lists in self.lists.items():
            for name, images in lists.items():
                quote = '"' if folder == "Layout" else ""
                rows = [f"{quote * (' ' in key)}{key}{quote * (' ' in key)}{number}" for key, numbers in images.items()
                        for number in ([f"  {n}" for n in numbers] or [""])]  # fmt: skip
                self._rows(folder, name, rows)
        for subset, images in self.lists["Main"].items():
            if subset in self.tagged or subset in self.class_lists:
                used = dict.fromkeys(label for key in images for label in self.tags.get(key, ()))
                stored = self.class_lists.get(subset) or [label.name for label in self.labels]
                for label in dict.fromkeys([*stored, *used]):
                    flags = ((key, self.tags[key].get(label, -1)) for key in images if key in self.tags)
                    self._rows("Main", f"{label}_{subset}", [f"{key} {flag: d}" for key, flag in flags])
        known = {key for lists in self.lists.values() for images in lists.values() for key in images}
        for name, entries in self.action_lists.items():
            rows = [f"{key} {number} {flag: d}" for key, number, flag in entries if key in known]
            self._rows("Action", name, rows)
        self.sink.write("labelmap.txt", write_label_map(self.labels))

    def _rows(self, folder: str, name: str, rows: list[str]) -> None:
        self.sink.write(f"ImageSets/{folder}/{name}.txt", "".join(f"{row}\n" for row in rows).encode("utf-8"))


def plant(xml: XmlWriter, element: list[Any]) -> None:
    """Write an element given as [tag, text or list of children]."""
    tag, content = element
    if isinstance(content, str):
        xml.leaf(tag, content)
        return
    xml.start(tag)
    for child in content:
        plant(xml, child)
    xml.end()


def write(
    dataset: Dataset, sink: NullSink, report: LossReport, *, coordinates: str = "continuous", mode: str = "rgb"
) -> None:
    """Write ``Annotations``, ``ImageSets``, ``SegmentationClass``, ``SegmentationObject`` and ``labelmap.txt``.

    Args:
        dataset: boxes, masks that do not overlap, tags.
        sink: the output.
        report: hears of special losses.
        coordinates: "continuous" as CVAT does, "voc" for numbers of pixels from 1, the last included.
        mode: of the maps: "rgb", "palette" or "index".

    Raises:
        ValueError: labels that the table or the maps cannot hold, more objects than a map can number.
    """
    if coordinates not in ("voc", "continuous"):
        raise ValueError(f'coordinates is "voc" or "continuous", got {coordinates!r}')
    writer = _Writer(dataset, sink, report, coordinates == "voc", mode)
    each: Callable[[Item], None] = writer.item
    for item in dataset.items:
        each(item)
    writer.close()
