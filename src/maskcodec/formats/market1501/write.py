"""Writing Market-1501."""

from __future__ import annotations

import re
from typing import Any

from maskcodec.formats._shared.lines import NUMBER
from maskcodec.formats._shared.naming import stem
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.market1501.names import ATTRIBUTES, LABEL, PLACE, parse
from maskcodec.model.annotations import Annotation, Tag
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["Naming", "admits", "write"]

# Values of a name that does not say them; the number of the frame is counted.
_TAIL = re.compile(r"[^0-9/\\\x00-\x1f:][^/\\\x00-\x1f:]*")
_NUMBERS = {"camera_id": 0, "track_id": 1, "frame_id": None, "bbox_id": 0}


def admits(annotation: Annotation, schema: LabelSchema) -> str:
    """What speaks against an annotation."""
    known = schema.by_id(annotation.category_id).name  # type: ignore[arg-type]
    return "" if known == LABEL else f"of tags there is {LABEL} alone"


class Naming:
    """Gives images the names that say their values; one for each pass over the items.

    Args:
        pad: numbers of people have at least four digits.
    """

    def __init__(self, pad: bool) -> None:
        self.pad = pad
        self.taken: set[tuple[str, str]] = set()
        self.frames: dict[tuple[str, int, int], int] = {}

    def __call__(self, item: Item, source: Item, report: LossReport, schema: LabelSchema) -> None:
        """Set path, id, attributes and tag of an item to what a reader will find."""
        tags = [a for a in item.annotations if isinstance(a, Tag)]
        for tag in tags[1:]:
            report.drop(source, tag, "", "an image has one such tag")
        values = {**(tags[0].attributes if tags else {}), **item.attributes}
        given = item.path or f"{item.id}.jpg"
        own = parse(given)
        wanted = self._checked(values, own or {}, source, report)
        query = wanted.pop("query", own["query"] if own is not None else None)
        path = given
        if "person_id" in wanted and (own is None or any(own.get(k) != v for k, v in wanted.items())
                                      or ("custom_name" in own and "custom_name" not in values)):  # fmt: skip
            path = f"{given.rpartition('/')[0]}/" if "/" in given else ""
            path += self._name(wanted, source, report, "" if own is None else own.get("custom_name", ""), values)
            path += given[len(stem(given)) :]
        path = self._free(self._place(path, item, query), item, source, report)
        if path != given:
            report.rename(source, None, "path", "names and folders of images say what they are")
            report.rename(source, None, "id", "names and folders of images say what they are")
            item.path, item.id = path, stem(path)
        self._told(item, source, report, tags, parse(path), schema)

    def _checked(self, values: dict[str, Any], own: dict[str, Any], source: Item, report: LossReport) -> dict[str, Any]:
        """The values that a name can hold."""
        out: dict[str, Any] = {}
        for name in ATTRIBUTES:
            value = values.get(name)
            if value is None:
                continue
            number = _whole(value)
            good: Any
            if type(own.get(name)) is type(value) and own[name] == value and name != "person_id":
                good = value
            elif name == "query":
                good = {"True": True, "true": True, "False": False, "false": False}.get(str(value))
            elif name == "custom_name":
                good = value if isinstance(value, str) and _TAIL.fullmatch(value) else None
            elif name == "person_id":
                good = value if isinstance(value, str) and re.fullmatch("-?[0-9]+", value) else number
                good = None if good is None else str(good)
                if self.pad and good is not None and good.isdigit():
                    good = good.zfill(4)
            else:
                good = number if number is not None and 0 <= number < 10**9 else None
            if good is None:
                report.drop(source, None, f"attributes.{name}", "a name cannot say this value")
            else:
                if type(good) is not type(value) or good != value:
                    report.approximate(source, None, f"attributes.{name}", "written in the form of a name")
                out[name] = good
        return out

    def _name(self, wanted: dict[str, Any], source: Item, report: LossReport, tail: str, values: dict[str, Any]) -> str:
        for name, default in _NUMBERS.items():
            if name not in wanted:
                report.default(source, None, f"attributes.{name}", "the name of an image says it")
                if default is not None:
                    wanted[name] = default
        key = (wanted["person_id"], wanted["camera_id"], wanted["track_id"])
        frame = wanted.get("frame_id", self.frames.get(key, 0))
        self.frames[key] = max(self.frames.get(key, 0), frame + 1)
        tail = wanted.get("custom_name", tail if "custom_name" in values else "")
        return f"{key[0]}_c{key[1] + 1}s{key[2]}_{frame:06d}_{wanted['bbox_id']:02d}{tail}"

    def _place(self, path: str, item: Item, query: bool | None) -> str:
        """Put an image into the folder of its subset, or of queries."""
        folder = PLACE.match(path)
        if query is None:
            query = folder is not None and path.startswith("query") or folder is None and item.subset == "query"
        if folder is None:
            return f"query/{path}" if query else f"bounding_box_{item.subset}/{path}"
        if query == path.startswith("query"):
            return path
        return f"query/{path[folder.end() :]}" if query else f"bounding_box_{item.subset}/{path[folder.end() :]}"

    def _free(self, path: str, item: Item, source: Item, report: LossReport) -> str:
        base = stem(path)
        bare, count = base, 0
        while (item.subset, bare.casefold()) in self.taken:
            count += 1
            bare = f"{base}_{count}"
        self.taken.add((item.subset, bare.casefold()))
        return bare + path[len(base) :]

    def _told(self, item: Item, source: Item, report: LossReport, tags: list[Tag], values: dict[str, Any] | None,
              schema: LabelSchema) -> None:  # fmt: skip
        """Attributes and tag as a reader will find them."""
        if values is None:
            for name in item.attributes:
                report.drop(source, None, f"attributes.{name}", "the name of an image says nothing without person_id")
            for tag in tags[:1]:
                report.drop(source, tag, "", "the name of an image says nothing without person_id")
            item.attributes, item.annotations = {}, []
            return
        for name in values:
            if name not in item.attributes:
                report.default(source, None, f"attributes.{name}", "the name of an image says it")
        for name in item.attributes.keys() - values.keys():
            report.drop(source, None, f"attributes.{name}", "the name of an image does not say it")
        if not tags:
            report.default(source, "tag", "", f"an image with a name of this form is tagged {LABEL}")
            tag = Tag(category_id=next((c.id for c in schema.categories if c.name == LABEL), 0))
        else:
            tag = tags[0]
            for name in values.keys() | tag.attributes.keys():
                if tag.attributes.get(name) != values.get(name):
                    report.approximate(source, tag, f"attributes.{name}", "the attributes of the image count")
        tag.attributes = dict(values)
        item.attributes, item.annotations = values, [tag]


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = float(value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and float(value).is_integer()
    return int(value) if number else None


def write(dataset: Dataset, sink: NullSink, report: LossReport, *, pad: bool = False) -> None:
    """Write ``images_<subset>.txt``; images, when they are copied, go into ``bounding_box_<subset>`` and ``query``.

    Args:
        dataset: images with the attributes of their names.
        sink: the output.
        report: hears of special losses.
        pad: numbers of people have at least four digits.
    """
    lists: dict[str, list[str]] = {}
    used = False
    for item in dataset.items:
        used = used or bool(item.annotations)
        lists.setdefault(item.subset, []).append(f"{item.path}\n")
    for category in dataset.schema.categories:
        if category.name != LABEL or not used:
            report.drop(category.name, None, "", "the format has no table of labels", what="category")
        elif category.id != 0:
            report.rename(category.name, None, "id", "there is one label, its number is 0", what="category")
    if used and not any(category.name == LABEL for category in dataset.schema.categories):
        report.default(LABEL, None, "", "the names of images are its attributes", what="category")
    for subset, rows in (lists or {"default": []}).items():
        sink.write(f"images_{subset}.txt", "".join(rows).encode("utf-8"))
