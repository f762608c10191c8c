"""Writing COCO instances: items stream into two spools a subset, put together at the end."""

from __future__ import annotations

from array import array
from typing import Any, BinaryIO

import numpy as np

from maskcodec.errors import FormatError
from maskcodec.formats._base import Dataset, NullSink
from maskcodec.formats._shared import jsonio
from maskcodec.formats._shared.jsonio import Raw
from maskcodec.formats.coco.read import plain_id, stem
from maskcodec.formats.coco.schema import COCO, Dialect, write_category
from maskcodec.model.annotations import Annotation, Box, Mask, Polygon
from maskcodec.model.dataset import Item
from maskcodec.model.geometry import bounds, polygon_area
from maskcodec.model.losses import LossReport, item_name

__all__ = ["SEGMENTATIONS", "write_files"]

SEGMENTATIONS = ("auto", "rle", "rle_list", "polygon")
_RENUMBERED = "ids are unique integers in a file"
_FIELDS = frozenset(("id", "area", "bbox", "iscrowd", "segmentation", "image_id", "category_id", "score", "attributes"))


class _Numbers:
    """Ids of one kind in one file: kept where they are usable and unique, else the next free number."""

    def __init__(self, first: int) -> None:
        self._next = first
        self._used: set[Any] = set()

    def take(self, wanted: Any) -> Any:
        """The id to write; differs from ``wanted`` when that was not usable."""
        if not plain_id(wanted) or _plain(wanted) in self._used:
            while self._next in self._used:
                self._next += 1
            wanted = self._next
        self._used.add(_plain(wanted))
        return wanted


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class _Part:
    """What is written of one subset so far."""

    def __init__(self, sink: NullSink, dialect: Dialect) -> None:
        self.images, self.annotations = sink.spool(), sink.spool()
        self.count = 0
        self.sizes, self.places = array("q"), array("q")
        self.reorder = False
        self.image_ids, self.annotation_ids = _Numbers(1), _Numbers(dialect.first_id)
        self.names: dict[str, list[tuple[str, Any, str, Any]]] = {}

    def add_image(self, row: dict[str, Any]) -> None:
        self.images.write((b",\n" if self.count else b"\n") + jsonio.encode(row))
        self.count += 1

    def add_annotation(self, row: bytes, place: int | None) -> None:
        self.annotations.write(row)
        self.sizes.append(len(row))
        self.reorder |= place is not None
        self.places.append(2**62 if place is None else place)

    def copy_images(self, target: BinaryIO) -> None:
        self.images.seek(0)
        while block := self.images.read(1 << 20):
            target.write(block)
        self.images.close()

    def copy_annotations(self, target: BinaryIO) -> None:
        """The records, in the order that the file had where it was not that of the images."""
        sizes = np.array(self.sizes, dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]) if len(sizes) else sizes
        order = np.argsort(np.array(self.places), kind="stable") if self.reorder else np.arange(len(sizes))
        self.annotations.seek(0)
        for count, at in enumerate(order.tolist()):
            if self.reorder:
                self.annotations.seek(int(starts[at]))
            target.write((b",\n" if count else b"\n") + self.annotations.read(int(sizes[at])))
        self.annotations.close()


class _Writer:
    def __init__(
        self, dataset: Dataset, sink: NullSink, report: LossReport, segmentation: str, renumber: bool, dialect: Dialect
    ) -> None:
        self.dataset, self.sink, self.report, self.dialect = dataset, sink, report, dialect
        self.as_list = segmentation == "rle_list"
        self.as_text = segmentation == "rle"
        self.renumber = renumber
        self.parts: dict[str, _Part] = {}
        self.numbers = self._category_numbers()

    def _category_numbers(self) -> dict[Any, Any]:
        free = _Numbers(1)
        numbers: dict[Any, Any] = {}
        for category in self.dataset.schema.categories:
            if category.id in numbers:
                raise ValueError(f"two categories have the id {category.id!r}")
            keep = isinstance(category.id, int) or "coco" in category.extras
            number = numbers[category.id] = free.take(category.id if keep else None)
            if number != category.id:
                self.report.rename(category.name, None, "id", _RENUMBERED, what="category")
        return numbers

    def run(self) -> None:
        for item in self.dataset.items:
            part = self.parts.get(item.subset)
            if part is None:
                part = self.parts[item.subset] = _Part(self.sink, self.dialect)
            number = self.image(part, item)
            for annotation in item.annotations:
                self.annotation(part, item, number, annotation)
        stored = self.dataset.extras.get("coco", {})
        for subset in stored.get("#subsets", ()) if self.dialect.tree else ():
            self.parts.setdefault(subset, _Part(self.sink, self.dialect))
        if not self.parts:
            self.parts["default"] = _Part(self.sink, self.dialect)
        for subset, part in self.parts.items():
            self.finish(subset, part, stored)

    def image(self, part: _Part, item: Item) -> Any:
        """Write the record of an image and return its id."""
        extra = dict(item.extras.get("coco", {}))
        wanted = extra.pop("id", item.id if type(item.id) is int else None)
        number = part.image_ids.take(wanted)
        if number != wanted and "id" in item.extras.get("coco", {}):
            self.report.rename(item, None, "extras.coco.id", _RENUMBERED)
        name = item.path
        if name is None:
            name = str(item.id)
            self.report.default(item, None, "path", "every image has a file name")
        part.names.setdefault(stem(name), []).append((name, number, item_name(item), item.id))
        row: dict[str, Any] = {"id": number}
        if item.width is not None:
            row["width"] = item.width
        if item.height is not None:
            row["height"] = item.height
        if not extra.pop("#no_file_name", False):
            row["file_name"] = name
        row.update(self.dialect.image_keys)
        part.add_image({**row, **extra})
        return number

    def annotation(self, part: _Part, item: Item, image: Any, annotation: Annotation) -> None:
        """Write one record."""
        if annotation.category_id not in self.numbers:
            why = "it has no category" if annotation.category_id is None else "its category is not in the schema"
            self.report.drop(item, annotation, "", why)
            return
        extra = annotation.extras.get("coco", {})
        # A text is an id of COCO only where it came from there; other texts (UUIDs) trouble readers that want numbers.
        keep = not self.renumber and (type(annotation.id) is int or extra.get("id") == annotation.id)
        number = part.annotation_ids.take(annotation.id if keep else None)
        if annotation.id is not None and number != annotation.id:
            self.report.rename(item, annotation, "id", _RENUMBERED)
        segmentation, area, bbox = self.shape(item, annotation, extra)
        row: dict[str, Any] = {
            "id": number, "image_id": image, "category_id": self.numbers[annotation.category_id],
        }  # fmt: skip
        if segmentation is not None:
            row["segmentation"] = segmentation
        row.update(area=_one(extra.get("area", area)), bbox=jsonio.numbers(extra.get("bbox", bbox)))
        row["iscrowd"] = extra["iscrowd"] if extra.get("iscrowd") is annotation.is_crowd else int(annotation.is_crowd)
        if annotation.score is not None:
            row["score"] = annotation.score
        attributes = self.attributes(annotation, extra)
        if attributes:
            row["attributes"] = attributes
        for key, value in extra.items():
            if key not in _FIELDS and not key.startswith("#"):
                row[key] = value
        try:
            part.add_annotation(jsonio.encode(row), extra.get("#index"))
        except (ValueError, TypeError, OverflowError) as error:
            raise FormatError(
                str(error), file=item.path or str(item.id), record=f"annotation {annotation.id}"
            ) from error

    def shape(self, item: Item, annotation: Annotation, extra: dict[str, Any]) -> tuple[Any, float, list[float]]:
        """Segmentation (None for an absent key), area and box."""
        form = extra.get("#form", self.dialect.box)
        if isinstance(annotation, Box):
            x0, y0, x1, y1 = annotation.x0, annotation.y0, annotation.x1, annotation.y1
            box = [x0, y0, x1 - x0, y1 - y0]
            kept = extra.get("bbox")
            if kept is not None and [kept[0], kept[1], kept[0] + kept[2], kept[1] + kept[3]] == [x0, y0, x1, y1]:
                box = kept
            text = {"null": b"null", "[[]]": b"[[]]", "absent": b""}.get(form, b"[]")
            return (Raw(text) if text else None), box[2] * box[3], box
        if isinstance(annotation, Mask):
            rle = annotation.rle
            if item.width is not None and item.height is not None and tuple(rle.shape) != (item.height, item.width):
                raise FormatError(
                    f"the mask is {tuple(rle.shape)}, the image ({item.height}, {item.width}) (height, width)",
                    file=item.path or str(item.id),
                    record=f"annotation {annotation.id}",
                )
            listed = self.as_list or (form == "rle_list" and not self.as_text)
            return rle.to_coco(compressed=not listed), rle.area, list(rle.bbox)
        if not isinstance(annotation, Polygon):
            raise TypeError(f"cannot write a {annotation.kind}")
        rings = jsonio.numbers([ring.reshape(-1).tolist() for ring in annotation.rings])
        if "bbox" in extra:
            box = extra["bbox"]
        else:
            x0, y0, x1, y1 = bounds(annotation) or (0, 0, 0, 0)
            box = [x0, y0, x1 - x0, y1 - y0]
        return rings, extra["area"] if "area" in extra else polygon_area(annotation), box

    def attributes(self, annotation: Annotation, extra: dict[str, Any]) -> dict[str, Any]:
        """The attributes with the shared fields that CVAT keeps among them."""
        listed = extra.get("#reserved", ())
        own: dict[str, Any] = {}
        for name in ("occluded", "outside", "keyframe", "track_id"):
            value = getattr(annotation, name)
            if value not in (None, False) or (name in listed and value is not None):
                own[name] = value
        if isinstance(annotation, Box) and (annotation.rotation or "rotation" in listed):
            own["rotation"] = annotation.rotation
        return {**annotation.attributes, **own} if own else annotation.attributes

    def identities(self, part: _Part) -> None:
        """Report the items whose id is not what the reader will make of their file names."""
        for base, alike in part.names.items():
            names = [name for name, _, _, _ in alike]
            for name, number, shown, item_id in alike:
                expected = base if len(alike) == 1 else name if names.count(name) == 1 else f"{name}#{number}"
                if item_id != expected:
                    self.report.rename(shown, None, "id", "items are named by their file", what="item")

    def finish(self, subset: str, part: _Part, stored: dict[str, Any]) -> None:
        """Put the file of a subset together."""
        self.identities(part)
        own = dict(stored.get("#subsets", {}).get(subset, {})) if self.dialect.tree else {}
        listed = own.pop("#categories", None)
        top = own or {"info": self.dataset.info, **{k: v for k, v in stored.items() if not k.startswith("#")}}
        top.setdefault("licenses", [])
        categories = [c for c in self.dataset.schema.categories if listed is None or c.id in listed]
        rows = [jsonio.encode(write_category(c, self.numbers[c.id], self.dialect)) for c in categories]
        name = f"annotations/instances_{subset}.json" if self.dialect.tree else "export.json"
        with self.sink.open(name) as target:
            target.write(b"{")
            for key, value in top.items():
                target.write(jsonio.encode(key) + b":" + jsonio.encode(value) + b",\n")
            target.write(b'"categories":[' + b",".join(b"\n" + row for row in rows) + b"],\n" + b'"images":[')
            part.copy_images(target)
            target.write(b'],\n"annotations":[')
            part.copy_annotations(target)
            target.write(b"]}\n")


def _one(value: Any) -> Any:
    """A number with integers as integers."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def write_files(
    dataset: Dataset,
    sink: NullSink,
    report: LossReport,
    segmentation: str = "auto",
    renumber: bool = False,
    dialect: Dialect = COCO,
) -> None:
    """Write a data set that holds only what COCO carries; one file a subset, in a tree or alone."""
    _Writer(dataset, sink, report, segmentation, renumber, dialect).run()
