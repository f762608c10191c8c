"""One annotation record of COCO, in, by the task of its file.

A sound record goes through one typed pass; where that refuses, or a key may be repeated, the record is looked at field
by field with exact errors.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType

from maskcodec.errors import shorten
from maskcodec.formats._shared import jsonio
from maskcodec.formats._shared.jsonio import Raw
from maskcodec.formats.coco.schema import RESERVED
from maskcodec.formats.coco.shapes import Place, read_bbox, read_shape
from maskcodec.model.annotations import Annotation, Box, Caption, Mask, Skeleton, Tag

__all__ = ["READERS", "known_category", "read_instance", "take_attributes"]

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_SHORT = ("id", "category_id", "bbox", "area", "iscrowd", "score")
_KNOWN = frozenset((*_SHORT, "image_id", "segmentation", "attributes"))


class _Sound(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A record of an instances file as all writers make it."""

    id: Int64
    image_id: Int64
    category_id: Int64
    bbox: tuple[Int64 | float, Int64 | float, Int64 | float, Int64 | float]
    area: Int64 | float
    segmentation: Raw | UnsetType = UNSET
    iscrowd: Annotated[int, Meta(ge=0, le=1)] | UnsetType = UNSET
    score: Int64 | float | UnsetType = UNSET
    attributes: Raw | UnsetType = UNSET


_sound = msgspec.json.Decoder(_Sound)


def _quick(raw: bytes) -> _Sound | None:
    """The record when it is sound: typed, without unknown or repeated keys."""
    try:
        row = _sound.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    # Each key has two quotes; what is beyond those of the keys that came out is a repeated key.
    quotes = 10
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
    return row if raw.count(b'"') == quotes else None


def read_instance(place: Place) -> Annotation:
    """Decode one record of an instances or stuff file.

    Raises:
        FormatError: the record breaks a rule; the file, the record and the field are named.
    """
    raw = place.records.raw(place.at)
    sound = _quick(raw)
    if sound is None or sound.category_id not in place.known:
        return _careful(place, raw)
    place.id = sound.id
    bbox = list(sound.bbox)
    if bbox[2] < 0 or bbox[3] < 0:
        read_bbox(place, bbox)
    extra: dict[str, Any] = {}
    shape = read_shape(place, None if sound.segmentation is UNSET else sound.segmentation, bbox, extra)
    _stored(sound.area, shape, bbox, extra)
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
    return shape


def _careful(place: Place, raw: bytes) -> Annotation:
    """The same, field by field."""
    row = jsonio.fields(raw, file=place.records.file, record=place.record, repeat=place.repeat)
    place.id = place.value(row, "id")
    short = {name: place.value(row, name) for name in _SHORT}
    category_id = known_category(place, short["category_id"])
    bbox = read_bbox(place, short["bbox"])
    extra: dict[str, Any] = {k: place.value(row, k) for k in row if k not in _KNOWN}
    shape = read_shape(place, row.get("segmentation"), bbox, extra)
    if short["area"] is not None:
        _number(place, "area", short["area"])
    _stored(short["area"], shape, bbox, extra)
    _shared(place, row, short, shape, extra)
    shape.category_id = category_id
    if extra:
        shape.extras = {"coco": extra}
    return shape


def _shared(place: Place, row: dict[str, Raw], short: dict[str, Any], shape: Annotation, extra: dict[str, Any]) -> None:
    """Id, attributes, score and crowd."""
    shape.id = place.id
    if isinstance(place.id, str):
        extra["id"] = place.id  # texts are kept as ids of COCO only where they came from COCO
    take_attributes(place, row, shape, extra)
    if short["score"] is not None:
        shape.score = _number(place, "score", short["score"])
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


def _number(place: Place, field: str, value: Any) -> float:
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


def read_keypoints(place: Place) -> Annotation:
    """One record of a keypoints file: a skeleton; a record without ``keypoints`` is one of an instances file.

    Box, area and segmentation of the object stay verbatim in the extras.
    """
    raw = place.records.raw(place.at)
    row = jsonio.fields(raw, file=place.records.file, record=place.record, repeat=place.repeat)
    if "keypoints" not in row:
        return read_instance(place)
    place.id = place.value(row, "id")
    short = {name: place.value(row, name) for name in _SHORT}
    category_id = known_category(place, short["category_id"])
    extra: dict[str, Any] = {k: place.value(row, k) for k in row if k not in _KNOWN or k in ("bbox", "area")}
    read_bbox(place, short["bbox"])
    if short["area"] is not None:
        _number(place, "area", short["area"])
    if "segmentation" in row:
        data = bytes(row["segmentation"])
        if data not in (b"[]", b"null", b"[[]]"):
            read_shape(place, data, short["bbox"], {})  # checked as that of an instance
        extra["segmentation"] = place.value(row, "segmentation")
    absent = [key for key in ("segmentation", "area", "bbox", "iscrowd") if key not in row]
    shape = _points(place, extra.pop("keypoints"), category_id)
    counted = sum(1 for v in shape.visibility or () if v > 0)
    if "num_keypoints" in extra:
        stored = extra.pop("num_keypoints")
        if type(stored) is not int or stored != counted:
            place.problem(
                place.error("num_keypoints", f"expected {counted}, the labelled points, got {shorten(stored)}")
            )
    else:
        absent.append("num_keypoints")
    _shared(place, row, short, shape, extra)
    if absent:
        extra["#absent"] = absent
    if extra.get("segmentation", ...) == []:
        del extra["segmentation"]
    shape.category_id = category_id
    if extra:
        shape.extras = {"coco": extra}
    return shape


def _points(place: Place, values: Any, category_id: Any) -> Skeleton:
    if not isinstance(values, list) or any(type(v) not in (int, float) for v in values):
        raise place.error("keypoints", f"expected a list of numbers, got {shorten(values)}")
    named = place.points.get(category_id)
    if len(values) % 3 or (named is not None and len(values) != 3 * named):
        expected = f"{3 * named}, three for each point of the category" if named is not None else "a multiple of 3"
        raise place.error("keypoints", f"expected {expected}, got {len(values)} numbers")
    seen = values[2::3]
    if any(v not in (0, 1, 2) for v in seen):
        raise place.error("keypoints", f"expected a visibility of 0, 1 or 2, got {shorten(seen)}")
    return Skeleton(np.array(values, dtype=np.float64).reshape(-1, 3)[:, :2].copy(), [int(v) for v in seen])


def read_caption(place: Place) -> Annotation:
    """One record of a captions file; a category that the file does not list is kept as it is."""
    row = jsonio.fields(place.records.raw(place.at), file=place.records.file, record=place.record, repeat=place.repeat)
    place.id = place.value(row, "id")
    text = place.value(row, "caption")
    if not isinstance(text, str):
        raise place.error(
            "caption", f"expected text, got {shorten(text)}" if "caption" in row else "required key is missing"
        )
    shape = Caption(text)
    own = ("id", "image_id", "caption", "score", "attributes")
    extra = {key: place.value(row, key) for key in row if key not in own}
    number = extra.get("category_id")
    if isinstance(number, (int, str)) and not isinstance(number, bool) and number in place.known:
        shape.category_id = extra.pop("category_id")
    _shared(place, row, {"score": place.value(row, "score"), "iscrowd": None}, shape, extra)
    if extra:
        shape.extras = {"coco": extra}
    return shape


def read_label(place: Place) -> Annotation:
    """One record of a labels file: the image belongs to a category."""
    row = jsonio.fields(place.records.raw(place.at), file=place.records.file, record=place.record, repeat=place.repeat)
    place.id = place.value(row, "id")
    shape = Tag(category_id=known_category(place, place.value(row, "category_id")))
    own = ("id", "image_id", "category_id", "score", "attributes")
    extra = {key: place.value(row, key) for key in row if key not in own}
    _shared(place, row, {"score": place.value(row, "score"), "iscrowd": None}, shape, extra)
    if extra:
        shape.extras = {"coco": extra}
    return shape


READERS: dict[str, Callable[[Place], Annotation]] = {
    "instances": read_instance,
    "stuff": read_instance,
    "image_info": read_instance,
    "person_keypoints": read_keypoints,
    "captions": read_caption,
    "labels": read_label,
}
