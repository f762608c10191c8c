"""One annotation record of COCO instances, in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from maskcodec.errors import DecodeError, FormatError, shorten
from maskcodec.formats._base import Source
from maskcodec.formats._shared import jsonio
from maskcodec.formats._shared.jsonio import Raw, Records
from maskcodec.formats.coco.schema import RESERVED, Dialect
from maskcodec.masks import Rle
from maskcodec.model.annotations import Annotation, Box, Mask, Polygon
from maskcodec.model.dataset import Item
from maskcodec.model.schema import LabelSchema

__all__ = ["Place", "read_annotation"]

_RINGS = msgspec.json.Decoder(list[list[float]])
_KNOWN = frozenset(("id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd", "score", "attributes"))
_NULL = Raw(b"null")


class _Plain(msgspec.Struct, gc=False):
    """The short fields of a record whose types are right; anything else is looked at field by field."""

    id: int | str | None = None
    category_id: int | str | None = None
    bbox: list[int | float] | None = None
    area: int | float | None = None
    iscrowd: int | bool | None = None
    score: int | float | None = None


_plain = msgspec.json.Decoder(_Plain)
_SHORT = ("id", "category_id", "bbox", "area", "iscrowd", "score")
_LIMIT = 2**63


@dataclass(slots=True)
class Place:
    """Where a record is, for its errors, and what it refers to."""

    source: Source
    records: Records
    at: int
    item: Item
    schema: LabelSchema
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

    @property
    def repeat(self) -> Any:
        lenient = self.source.on_error == "skip"
        return (lambda error: self.source.problem(error, self.item, self.record)) if lenient else None


def read_annotation(place: Place) -> Annotation:
    """Decode one record of an instances file.

    Raises:
        FormatError: the record breaks a rule; the file, the record and the field are named.
    """
    raw = place.records.raw(place.at)
    row = jsonio.fields(raw, file=place.records.file, record=place.record, repeat=place.repeat)
    short = _short_fields(place, raw, row)
    category_id = short["category_id"]
    if isinstance(category_id, bool) or not isinstance(category_id, (int, str)) or category_id not in place.schema:
        raise place.error("category_id", f"no category with the id {shorten(category_id)}")
    bbox = _bbox(place, short["bbox"])
    extra: dict[str, Any] = {k: place.value(row, k) for k in row if k not in _KNOWN}
    attributes = place.value(row, "attributes") if "attributes" in row else None
    if attributes is not None and not isinstance(attributes, dict):
        raise place.error("attributes", f"expected an object, got {shorten(attributes)}")
    shape = _shape(place, row, bbox, extra)
    _stored(place, short["area"], shape, bbox, extra)
    shape.id = place.id
    if isinstance(place.id, str):
        extra["id"] = place.id  # texts are kept as ids of COCO only where they came from COCO
    shape.category_id = category_id
    if attributes:
        _attributes(shape, attributes, extra)
    if short["score"] is not None:
        shape.score = _number(place, "score", short["score"])
    crowd = short["iscrowd"]
    if crowd is not None:
        if crowd not in (0, 1):
            raise place.error("iscrowd", f"expected 0 or 1, got {shorten(crowd)}")
        shape.is_crowd = bool(crowd)
        if isinstance(crowd, bool):
            extra["iscrowd"] = crowd
    if extra:
        shape.extras = {"coco": extra}
    return shape


def _short_fields(place: Place, raw: bytes, row: dict[str, Raw]) -> dict[str, Any]:
    """The short fields by name; one typed pass for a sound record, field by field with exact errors otherwise."""
    try:
        plain = _plain.decode(raw)
        found = {name: getattr(plain, name) for name in _SHORT}
        whole = [v for v in (*found.values(), *(plain.bbox or ())) if type(v) is int]
        if not whole or (max(whole) < _LIMIT and min(whole) >= -_LIMIT):
            place.id = plain.id
            return found
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    place.id = place.value(row, "id")
    return {name: place.value(row, name) for name in _SHORT}


def _number(place: Place, field: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise place.error(field, f"expected a number, got {shorten(value)}")
    return value


def _bbox(place: Place, value: Any) -> list[float] | None:
    if value is None:
        return None
    good = isinstance(value, list) and len(value) == 4 and all(type(v) in (int, float) for v in value)
    if not good:
        raise place.error("bbox", f"expected 4 finite numbers, got {shorten(value)}")
    if value[2] < 0 or value[3] < 0:
        raise place.error("bbox", f"expected a width and height of at least 0, got {shorten(value)}")
    return list(value)


def _shape(place: Place, row: dict[str, Raw], bbox: list[float] | None, extra: dict[str, Any]) -> Annotation:
    """The geometry, told by the JSON type of ``segmentation``, never by ``iscrowd``."""
    data = bytes(row.get("segmentation", _NULL)).strip()
    if data[:1] == b"{":
        return _mask(place, data, extra)
    form = "absent" if "segmentation" not in row else "null"
    if data != b"null":
        rings = _rings(place, data)
        if isinstance(rings, Annotation):
            return rings
        form = "[]" if not rings else "[[]]"
        if any(rings):
            return _polygon(place, rings)
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
    place.source.problem(odd, place.item, place.record)
    return value


def _polygon(place: Place, rings: list[list[float]]) -> Polygon:
    for at, ring in enumerate(rings):
        if len(ring) % 2 or len(ring) < 6:
            raise place.error(
                f"segmentation[{at}]", f"a polygon is at least 3 pairs of numbers, got {len(ring)} numbers"
            )
    return Polygon([np.array(ring).reshape(-1, 2) for ring in rings])


def _mask(place: Place, data: bytes, extra: dict[str, Any]) -> Mask:
    file, record = place.records.file, place.record
    parts = jsonio.fields(data, file=file, record=record, repeat=place.repeat)
    if parts.keys() != {"size", "counts"}:
        raise place.error("segmentation", f"expected the keys 'size' and 'counts', got {shorten(sorted(parts))}")
    size = place.value(parts, "size")
    if not isinstance(size, list) or len(size) != 2 or any(type(side) is not int or side < 0 for side in size):
        raise place.error("segmentation.size", f"expected [height, width], got {shorten(size)}")
    item = place.item
    if item.width is not None and item.height is not None and size != [item.height, item.width]:
        expected = [item.height, item.width]
        raise place.error("segmentation.size", f"expected {expected}, the size of the image, got {shorten(size)}")
    counts = place.value(parts, "counts")
    if isinstance(counts, list):
        if any(type(run) is not int for run in counts):
            raise place.error("segmentation.counts", f"expected integers, got {shorten(counts)}")
        extra["#form"] = "rle_list"
    elif not isinstance(counts, str):
        raise place.error("segmentation.counts", f"expected text or a list of integers, got {shorten(counts)}")
    try:
        return Mask(Rle.from_coco({"size": size, "counts": counts}))
    except DecodeError as error:
        raise place.error("segmentation.counts", str(error)) from error
    except (ValueError, OverflowError) as error:
        raise place.error("segmentation", str(error)) from error


def _stored(place: Place, area: Any, shape: Annotation, bbox: list[float] | None, extra: dict[str, Any]) -> None:
    """Keep the stored area and box where they are not what the writer would compute."""
    if area is not None:
        _number(place, "area", area)
    if isinstance(shape, Box):
        if area is not None and bbox is not None and area != bbox[2] * bbox[3]:
            extra["area"] = area
    elif isinstance(shape, Mask):
        if area is not None and area != shape.rle.area:
            extra["area"] = area
        if bbox is not None and tuple(bbox) != tuple(shape.rle.bbox):
            extra["bbox"] = bbox
    else:
        if area is not None:
            extra["area"] = area
        if bbox is not None:
            extra["bbox"] = bbox


def _attributes(shape: Annotation, attributes: dict[str, Any], extra: dict[str, Any]) -> None:
    """Take the entries that CVAT uses for shared fields out of the attributes, remembering which were there."""
    taken = []
    for name, types in RESERVED.items():
        if type(attributes.get(name)) in types:
            setattr(shape, name, attributes.pop(name))
            taken.append(name)
    if isinstance(shape, Box) and type(attributes.get("rotation")) in (int, float):
        shape.rotation = attributes.pop("rotation")
        taken.append("rotation")
    shape.attributes = attributes
    if taken:
        extra["#reserved"] = taken
