"""Geometry of one COCO record, in: boxes, polygon lists, run lengths, and where a record is for its errors."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from maskcodec.errors import DecodeError, FormatError, shorten
from maskcodec.formats._base import Source
from maskcodec.formats._shared import jsonio
from maskcodec.formats._shared.jsonio import Raw, Records
from maskcodec.formats.coco.schema import Dialect
from maskcodec.masks import Rle
from maskcodec.model.annotations import Annotation, Box, Mask, Polygon
from maskcodec.model.dataset import Item

__all__ = ["Place", "read_bbox", "read_shape"]



class _SoundRle(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    size: tuple[int, int]
    counts: str | list[int]


_RINGS = msgspec.json.Decoder(list[list[float]])
_RLE = msgspec.json.Decoder(_SoundRle)


@dataclass(slots=True)
class Place:
    """Where a record is, for its errors, and what it refers to; one for all records of an image.

    Attributes:
        known: ids of the categories of the file.
        points: category id -> number of its key points, where it names any.
    """

    source: Source
    records: Records
    at: int
    item: Item
    known: Container[Any]
    points: dict[Any, int]
    dialect: Dialect
    id: Any = None

    @property
    def record(self) -> str:
        return self.records.name(self.at) + (f" (id {self.id})" if self.id is not None else "")

    def error(self, field: str, message: str) -> FormatError:
        return FormatError(message, file=self.records.file, record=self.record, field=field)

    def value(self, row: dict[str, Raw], field: str) -> Any:
        """Decode one field; None when it is absent."""
        raw = row.get(field)
        if raw is None:
            return None
        return jsonio.decode(raw, file=self.records.file, record=self.record, field=field, repeat=self.repeat)

    def problem(self, error: FormatError) -> None:
        """Raise an error, or report it and go on when the reader is lenient."""
        self.source.problem(error, self.item, self.record)

    @property
    def repeat(self) -> Any:
        return self.problem if self.source.on_error == "skip" else None


def read_bbox(place: Place, value: Any) -> list[float] | None:
    """Check a ``bbox``; None when there is none."""
    if value is None:
        return None
    good = isinstance(value, (list, tuple)) and len(value) == 4 and all(type(v) in (int, float) for v in value)
    if not good:
        raise place.error("bbox", f"expected 4 finite numbers, got {shorten(value)}")
    if value[2] < 0 or value[3] < 0:
        raise place.error("bbox", f"expected a width and height of at least 0, got {shorten(value)}")
    return list(value)


def read_shape(place: Place, raw: Any, bbox: list[float] | None, extra: dict[str, Any]) -> Annotation:
    """The geometry, told by the JSON type of ``segmentation`` (None: absent), never by ``iscrowd``.

    Args:
        place: of the record.
        raw: text of ``segmentation``.
        bbox: checked box of the record.
        extra: is told the form of the segmentation where it is not the usual one.
    """
    form, data = "absent", b"null"
    if raw is not None:
        form, data = "null", bytes(raw)
    if data[:1] == b"{":
        return _mask(place, data, extra)
    if data != b"null":
        rings = _rings(place, data)
        if isinstance(rings, Annotation):
            return rings
        if len(rings) and any(rings):
            return _polygon(place, rings)
        form = "[]" if not rings else "[[]]"
    if bbox is None:
        raise place.error("bbox", "no geometry: neither bbox nor segmentation")
    if form != place.dialect.box:
        extra["#form"] = form
    x, y, w, h = bbox
    if x + w - x != w or y + h - y != h:
        extra["bbox"] = bbox  # the width is not what the corners give back in floating point
    return Box(x, y, x + w, y + h)


def _rings(place: Place, data: bytes) -> Any:
    try:
        return _RINGS.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # looked at value by value below
    file, record = place.records.file, place.record
    value = jsonio.decode(data, file=file, record=record, field="segmentation", repeat=place.repeat)
    odd = None
    if isinstance(value, list) and value and all(type(v) in (int, float) for v in value):
        odd = place.error("segmentation", "expected a list of polygons, got one flat list of numbers")
        value = [value]
    elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        odd = place.error("segmentation", "expected an RLE object, got a list that holds one")
        extra: dict[str, Any] = {}
        value = _mask(place, jsonio.encode(value[0]), extra)
    if odd is None:
        raise place.error("segmentation", f"expected polygons or an RLE object, got {shorten(value)}")
    place.problem(odd)
    return value


def _polygon(place: Place, rings: list[list[float]]) -> Polygon:
    out = []
    for at, ring in enumerate(rings):
        if len(ring) % 2 or len(ring) < 6:
            text = f"a polygon is at least 3 pairs of numbers, got {len(ring)} numbers"
            raise place.error(f"segmentation[{at}]", text)
        out.append(np.array(ring).reshape(-1, 2))
    return Polygon(out)


def _mask(place: Place, data: bytes, extra: dict[str, Any]) -> Mask:
    size: Any
    try:
        sound = _RLE.decode(data)
        size, counts = list(sound.size), sound.counts
        if min(size) < 0 or data.count(b'"') != (6 if isinstance(counts, str) else 4):
            size, counts = _parts(place, data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        size, counts = _parts(place, data)
    item = place.item
    if item.width is not None and item.height is not None and size != [item.height, item.width]:
        expected = [item.height, item.width]
        raise place.error("segmentation.size", f"expected {expected}, the size of the image, got {shorten(size)}")
    if isinstance(counts, list):
        extra["#form"] = "rle_list"
    try:
        return Mask(Rle.from_coco({"size": size, "counts": counts}))
    except DecodeError as error:
        raise place.error("segmentation.counts", str(error)) from error
    except (ValueError, OverflowError) as error:
        raise place.error("segmentation", str(error)) from error


def _parts(place: Place, data: bytes) -> tuple[list[int], str | list[int]]:
    """Size and counts, field by field with exact errors."""
    parts = jsonio.fields(data, file=place.records.file, record=place.record, repeat=place.repeat)
    if parts.keys() != {"size", "counts"}:
        raise place.error("segmentation", f"expected the keys 'size' and 'counts', got {shorten(sorted(parts))}")
    size, counts = place.value(parts, "size"), place.value(parts, "counts")
    if not isinstance(size, list) or len(size) != 2 or any(type(side) is not int or side < 0 for side in size):
        raise place.error("segmentation.size", f"expected [height, width], got {shorten(size)}")
    if isinstance(counts, list) and any(type(run) is not int for run in counts):
        raise place.error("segmentation.counts", f"expected integers, got {shorten(counts)}")
    if not isinstance(counts, (str, list)):
        raise place.error("segmentation.counts", f"expected text or a list of integers, got {shorten(counts)}")
    return size, counts
