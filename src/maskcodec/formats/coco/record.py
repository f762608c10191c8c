"""One annotation record of an instances or stuff file, in.

A sound record goes through one typed pass; where that refuses, or a key may be repeated, the record is looked at field
by field with exact errors.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from maskcodec.errors import shorten
from maskcodec.formats._shared import jsonio
from maskcodec.formats._shared.jsonio import Raw
from maskcodec.formats.coco.ids import Int64
from maskcodec.formats.coco.schema import RESERVED
from maskcodec.formats.coco.shapes import Place, read_bbox, read_shape
from maskcodec.model.annotations import Annotation, Box, Mask

__all__ = ["REFUSED", "SHORT", "Sound", "is_plain", "known_category", "number", "read_instance", "shared", "take_rest"]

SHORT = ("id", "category_id", "bbox", "area", "iscrowd", "score")
_KNOWN = frozenset((*SHORT, "image_id", "segmentation", "attributes"))


class _Known(msgspec.Struct, gc=False):
    """A record of an instances file as all writers make it, and whatever else is there."""

    id: Int64
    image_id: Int64
    category_id: Int64
    bbox: tuple[Int64 | float, Int64 | float, Int64 | float, Int64 | float]
    area: Int64 | float
    segmentation: Raw | UnsetType = UNSET
    iscrowd: Annotated[int, Meta(ge=0, le=1)] | UnsetType = UNSET
    score: Int64 | float | UnsetType = UNSET
    attributes: Raw | UnsetType = UNSET


class Sound(_Known, forbid_unknown_fields=True, gc=False):
    """A record without unknown keys."""


_sound = msgspec.json.Decoder(Sound)
_known = msgspec.json.Decoder(_Known)
REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def is_plain(row: _Known, raw: bytes, others: int = 0) -> bool:
    """Whether no key is repeated in a record of which all keys are known.

    Each key has two quotes; what is beyond those of the keys that came out is a repeated key.

    Args:
        row: what came out.
        raw: text of the record.
        others: keys besides those of an instance.
    """
    quotes = 10 + 2 * others
    if row.segmentation is not UNSET:
        quotes += 2
        data = bytes(row.segmentation)
        if data[:1] == b"{":
            quotes += data.count(b'"')
    if row.iscrowd is not UNSET:
        quotes += 2
    if row.score is not UNSET:
        quotes += 2
    if row.attributes is not UNSET:
        quotes += 2 + bytes(row.attributes).count(b'"')
    return raw.count(b'"') == quotes


def _quick(place: Place, raw: bytes, extra: dict[str, Any]) -> _Known | None:
    """The record when it is sound: typed, without repeated keys; unknown ones go to ``extra``."""
    try:
        row = _sound.decode(raw)
        return row if is_plain(row, raw) else None
    except REFUSED:
        pass
    try:
        known = _known.decode(raw)
    except REFUSED:
        return None
    place.id = known.id
    fields = jsonio.fields(raw, file=place.records.file, record=place.record, repeat=place.repeat)
    extra.update((key, place.value(fields, key)) for key in fields if key not in _KNOWN)
    return known if extra else None


def read_instance(place: Place) -> Annotation:
    """Decode one record of an instances or stuff file.

    Raises:
        FormatError: the record breaks a rule; the file, the record and the field are named.
    """
    raw = place.records.raw(place.at)
    extra: dict[str, Any] = {}
    sound = _quick(place, raw, extra)
    if sound is None or sound.category_id not in place.known:
        return _careful(place, raw)
    place.id = sound.id
    bbox = list(sound.bbox)
    if bbox[2] < 0 or bbox[3] < 0:
        read_bbox(place, bbox)
    shape = read_shape(place, None if sound.segmentation is UNSET else sound.segmentation, bbox, extra)
    _stored(sound.area, shape, bbox, extra)
    take_rest(place, sound, shape, extra)
    return shape


def take_rest(place: Place, sound: _Known, shape: Annotation, extra: dict[str, Any]) -> None:
    """Enter what sound records share besides the geometry."""
    shape.id = sound.id
    shape.category_id = sound.category_id
    if sound.attributes is not UNSET:
        take_attributes(place, {"attributes": sound.attributes}, shape, extra)
    if sound.score is not UNSET:
        shape.score = sound.score
    if sound.iscrowd is not UNSET and sound.iscrowd:
        shape.is_crowd = True
    if extra:
        shape.extras = {"coco": extra}


def _careful(place: Place, raw: bytes) -> Annotation:
    """The same, field by field."""
    row = jsonio.fields(raw, file=place.records.file, record=place.record, repeat=place.repeat)
    place.id = place.value(row, "id")
    short = {name: place.value(row, name) for name in SHORT}
    category_id = known_category(place, short["category_id"])
    bbox = read_bbox(place, short["bbox"])
    extra: dict[str, Any] = {k: place.value(row, k) for k in row if k not in _KNOWN}
    shape = read_shape(place, row.get("segmentation"), bbox, extra)
    if short["area"] is not None:
        number(place, "area", short["area"])
    _stored(short["area"], shape, bbox, extra)
    shared(place, row, short, shape, extra)
    shape.category_id = category_id
    if extra:
        shape.extras = {"coco": extra}
    return shape


def shared(place: Place, row: dict[str, Raw], short: dict[str, Any], shape: Annotation, extra: dict[str, Any]) -> None:
    """Enter id, attributes, score and crowd of a record."""
    shape.id = place.id
    if isinstance(place.id, str):
        extra["id"] = place.id  # texts are kept as ids of COCO only where they came from COCO
    take_attributes(place, row, shape, extra)
    if short["score"] is not None:
        shape.score = number(place, "score", short["score"])
    crowd = short["iscrowd"]
    if crowd is not None:
        if crowd not in (0, 1):
            raise place.error("iscrowd", f"expected 0 or 1, got {shorten(crowd)}")
        shape.is_crowd = bool(crowd)
        if isinstance(crowd, bool):
            extra["iscrowd"] = crowd


def known_category(place: Place, value: Any) -> int | str:
    """Check a ``category_id``."""
    if isinstance(value, bool) or not isinstance(value, (int, str)) or value not in place.known:
        raise place.error("category_id", f"no category with the id {shorten(value)}")
    return value


def number(place: Place, field: str, value: Any) -> float:
    """Check a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise place.error(field, f"expected a number, got {shorten(value)}")
    return value


def _stored(area: Any, shape: Annotation, bbox: list[float] | None, extra: dict[str, Any]) -> None:
    """Keep the stored area and box where they are not what the writer would compute."""
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


def take_attributes(place: Place, row: dict[str, Raw], shape: Annotation, extra: dict[str, Any]) -> None:
    """Read ``attributes``; entries that CVAT uses for shared fields become those, remembering which were there."""
    attributes = place.value(row, "attributes")
    if attributes is None:
        return
    if not isinstance(attributes, dict):
        raise place.error("attributes", f"expected an object, got {shorten(attributes)}")
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
