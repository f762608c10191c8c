"""Results for the instance evaluation of Cityscapes: a text an image, a line and a PNG an object.

A line is ``<path of the mask> <id of the label> <confidence>``, the path relative to the text, as
``evalInstanceLevelSemanticLabeling.py`` of cityscapesScripts takes it. Masks may overlap.
Labels that the rows do not tell (of other names, or without masks) stand in ``labels.csv``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.images import read_png
from maskcodec.formats._shared.lines import Line, decimal, lines, table, write_csv
from maskcodec.formats._shared.maskpng import read_mask, write_mask
from maskcodec.formats._shared.naming import Images, tell_order
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source
from maskcodec.formats.cityscapes.table import CITY, kind_of, spelt
from maskcodec.masks import Rle
from maskcodec.model.annotations import Annotation, Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["arrange", "detect", "place", "read", "write"]

_ROW = re.compile(r"(\S.*\.png)\s+([-+]?[0-9]{1,9})\s+(\S+)", re.IGNORECASE)
_HEAD = re.compile(rb"(?:\xef\xbb\xbf)?\s*(\S[^\n]*\.png)\s+-?\d+\s+[-+.\deE]+\s*(?:\n|$)", re.IGNORECASE)
LABELS = "labels.csv"
_NAMES = {row.id: row for row in CITY}


def detect(probe: Probe) -> Confidence:
    """A text whose first line names a mask that is there, a number and a confidence."""
    for name in probe.matching(".txt")[:64]:
        match = _HEAD.match(probe.head(name))
        if match and probe.source.has(_beside(name, match.group(1).decode("utf-8", "replace"))):
            return Confidence(88, f"{name} names masks with labels and confidences")
    if probe.source.has(LABELS) and probe.head(LABELS).startswith(b"id,name\n"):
        return Confidence(30, f"{LABELS} lists labels, no text has a line")
    raise NotThisFormat("no text with lines of a mask, a label and a confidence")


def _beside(text: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(text), path.replace("\\", "/")))


def read(source: Source) -> Dataset:
    """Read results.

    Args:
        source: folder or zip with a text for each image, in the folder of its subset or at the top.
    """
    images, found, used = Images(source), dict[tuple[str, str], str](), set[int]()
    for name in source.files:
        if name.endswith(".txt"):
            subset, slash, inner = name[:-4].partition("/")
            found[(subset, inner) if slash else ("default", subset)] = name
            used |= {int(match.group(2)) for line in _quiet(source, name) if (match := _ROW.fullmatch(line))}
    if not found and source.files and not source.has(LABELS):
        raise FormatError("no texts of results", file=source.path)
    listed = dict(_listed(source)) if source.has(LABELS) else {}
    schema = LabelSchema([_known(number, listed[number]) for number in listed])
    schema.categories += [_category(source, number) for number in sorted(used - listed.keys())]

    def load(key: tuple[str, str]) -> Item:
        item, name = Item(key[1], subset=key[0]), found[key]
        picture = images.find(name[:-4])
        if picture is not None:
            item.path = key[1] + picture[len(name) - 4 :]
            item.width, item.height = images.size(picture)
        for line in lines(source, name):
            try:
                item.annotations.append(_mask(source, item, name, line))
            except FormatError as error:
                source.problem(error, item, f"line {line.number}")
        return item

    return Dataset(schema, LazyItems(sorted(found), load))


def _quiet(source: Source, name: str) -> list[str]:
    return [line.strip() for line in source.read(name).decode("utf-8", "replace").split("\n")]


def _listed(source: Source) -> Iterator[tuple[int, str]]:
    seen: set[int] = set()
    for line in islice(table(source, LABELS, ("id", "name")), 1, None):
        try:
            number = line.whole(0, "id")
            if number in seen:
                raise line.fault(f"id {number} is there already", "id")
        except FormatError as error:
            source.problem(error, what="category")
            continue
        seen.add(number)
        yield number, line.fields[1]


def _known(number: int, name: str | None = None) -> Category:
    row = _NAMES.get(number)
    if row is None:
        return Category(number, f"class_{number}" if name is None else name)
    return Category(number, row.name if name is None else name, color=row.color, kind=kind_of(row.name))


def _category(source: Source, number: int) -> Category:
    if number not in _NAMES:
        text = "the table of Cityscapes has no such id"
        source.report.default(f"class_{number}", None, "name", text, what="category")
    return _known(number)


def _mask(source: Source, item: Item, name: str, line: Line) -> Mask:
    match = _ROW.fullmatch(line.text)
    if match is None:
        raise line.fault(f"expected a mask, a label and a confidence, got {shorten(line.text)}")
    line.fields = list(match.groups())
    place = _beside(name, match.group(1))
    if place.startswith(("../", "/")) or not source.has(place):
        raise line.fault(f"the mask {shorten(match.group(1))} is missing", "mask")
    rle = _pixels(source.read(place), source.display(place))
    if item.width is None or item.height is None:
        item.height, item.width = rle.shape
    if rle.shape != (item.height, item.width):
        raise line.fault(f"{rle.width} x {rle.height} pixels, the image has {item.width} x {item.height}", "mask")
    return Mask(rle, category_id=int(match.group(2)), score=line.real(2, "confidence"))


def _pixels(data: bytes, file: str) -> Rle:
    plain = read_mask(data, file)
    if plain is not None:
        return plain[0]
    pixels = read_png(data, file)[0]
    if pixels.ndim != 2:
        raise FormatError("expected one channel", file=file)
    return Rle.from_mask(np.ascontiguousarray(pixels))


def place(item: Item) -> str | None:
    """Where images lie."""
    return f"{item.subset}/{item.path}" if item.path else None


def arrange(item: Item, source: Item, report: LossReport) -> None:
    """Masks have the size of the image, and a confidence; without masks, no size is known."""
    kept: list[Annotation] = []
    for mask in item.annotations:
        if not isinstance(mask, Mask) or not mask.rle.height or not mask.rle.width:
            report.drop(source, mask, "", "a mask has at least one pixel")
            continue
        if item.width is None or item.height is None:
            item.height, item.width = mask.rle.shape
            for name in ("width", "height"):
                report.default(source, None, name, "the size of the image is unknown, that of a mask counts")
        if mask.rle.shape != (item.height, item.width):
            report.drop(source, mask, "", "the mask has another size than the image")
            continue
        if mask.score is None:
            mask.score = 1.0
            report.default(source, mask, "score", "a line has a confidence, 1 where it is unknown")
        kept.append(mask)
    item.annotations = kept
    for name in ("width", "height") if not kept and item.path is None else ():
        if getattr(item, name) is not None:
            setattr(item, name, None)
            report.drop(source, None, name, "the size of an image is that of its masks, it has none")


def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    """Write ``<subset>/<id>.txt`` and the masks that it names.

    Args:
        dataset: masks with labels of Cityscapes.
        sink: the output.
        report: hears of special losses.
    """
    numbers, used, keys = _numbers(dataset.schema), set[Any](), list[str]()
    taken: set[str] = set()
    for item in dataset.items:
        keys.append(f"{item.subset}/{item.id}")
        above, _, base = f"{item.subset}/{item.id}".rpartition("/")
        folder = "".join("_" if letter.isspace() else letter for letter in base) + "_masks"
        while f"{above}/{folder}".casefold() in taken:
            folder += "_"
        taken.add(f"{above}/{folder}".casefold())
        rows: list[str] = []
        for mask in item.annotations:
            if isinstance(mask, Mask):
                used.add(mask.category_id)
                name = f"{folder}/{len(rows):04d}.png"
                sink.write(f"{above}/{name}", write_mask(mask.rle, depth=8, value=255))
                score = decimal(mask.score if mask.score is not None else 1.0)
                rows.append(f"{name} {numbers[mask.category_id]} {score}\n")
        sink.write(f"{item.subset}/{item.id}.txt", "".join(rows).encode("utf-8"))
    tell_order(keys, report)
    labels = _labels(dataset.schema, numbers, used, report)
    if labels:
        sink.write(LABELS, labels)


def _numbers(schema: LabelSchema) -> dict[Any, int]:
    """Ids of labels in the table of Cityscapes; others keep theirs where that is free, or get one from 34 on."""
    out: dict[Any, int] = {}
    taken = set(_NAMES)
    for category in schema.categories:
        row = spelt(category.name)
        if row is not None and row.id not in out.values():
            out[category.id] = row.id
    for category in schema.categories:
        if category.id not in out:
            number = category.id if type(category.id) is int and 0 <= category.id < 10**9 else 34
            while number in taken:
                number = max(number + 1, 34)
            taken.add(number)
            out[category.id] = number
    return out


def _labels(schema: LabelSchema, numbers: dict[Any, int], used: set[Any], report: LossReport) -> bytes:
    """The list of labels; empty where the rows say all that it would."""
    for category in schema.categories:
        shown = _known(numbers[category.id])
        if category.id != shown.id or type(category.id) is not int:
            text = "labels have the ids of Cityscapes, others from 34 on where theirs is taken"
            report.rename(category.name, None, "id", text, what="category")
        for field in ("kind", "color"):
            if getattr(category, field) != getattr(shown, field):
                report.approximate(category.name, None, field, "as in the table of Cityscapes", what="category")
    order = [numbers[category.id] for category in schema.categories]
    names = [_known(number).name for number in order]
    plain = names == [category.name for category in schema.categories] and order == sorted(order)
    if plain and used == set(numbers):
        return b""
    return write_csv([("id", "name"), *((str(n), c.name) for n, c in zip(order, schema.categories, strict=True))])
