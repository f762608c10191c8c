"""One annotation record of a keypoints, captions or labels file, in; and the reader of each task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET

from maskcodec.errors import shorten
from maskcodec.formats._shared import jsonio
from maskcodec.formats.coco.ids import Int64
from maskcodec.formats.coco.record import (
    REFUSED,
    SHORT,
    Sound,
    is_plain,
    known_category,
    number,
    read_instance,
    shared,
    take_rest,
)
from maskcodec.formats.coco.shapes import Place, read_bbox, read_shape
from maskcodec.model.annotations import Annotation, Caption, Skeleton, Tag

__all__ = ["READERS"]

_NUMERIC, _SEEN = frozenset((int, float)), frozenset((0, 1, 2))
_NOTHING = (b"[]", b"null", b"[[]]")
_APART = frozenset(("id", "category_id", "iscrowd", "score", "image_id", "segmentation", "attributes"))


class _SoundPoints(Sound, gc=False, kw_only=True):
    keypoints: list[float]
    num_keypoints: int


class _SoundCaption(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: Int64
    image_id: Int64
    caption: str


class _SoundLabel(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    id: Int64
    image_id: Int64
    category_id: Int64


_points_decoder = msgspec.json.Decoder(_SoundPoints)
_caption_decoder = msgspec.json.Decoder(_SoundCaption)
_label_decoder = msgspec.json.Decoder(_SoundLabel)


def _quick_keypoints(place: Place, raw: bytes) -> Annotation | None:
    """A record as all writers make it; None for any other."""
    try:
        row = _points_decoder.decode(raw)
    except REFUSED:
        return None
    if row.segmentation is UNSET or row.iscrowd is UNSET or not is_plain(row, raw, 2):
        return None
    if row.category_id not in place.known:
        return None
    place.id = row.id
    bbox = list(row.bbox)
    if bbox[2] < 0 or bbox[3] < 0:
        read_bbox(place, bbox)
    extra: dict[str, Any] = {"bbox": bbox, "area": row.area}
    outline = bytes(row.segmentation)
    if outline not in _NOTHING:
        read_shape(place, outline, bbox, {})  # checked as that of an instance
        extra["segmentation"] = jsonio.decode(outline)
        if extra["segmentation"] == []:
            del extra["segmentation"]
    elif outline != b"[]":
        extra["segmentation"] = jsonio.decode(outline)
    shape = _points(place, row.keypoints, row.category_id)
    _count(place, shape, row.num_keypoints)
    take_rest(place, row, shape, extra)
    return shape


def _count(place: Place, shape: Skeleton, stored: Any) -> None:
    counted = sum(1 for v in shape.visibility or () if v > 0)
    if type(stored) is not int or stored != counted:
        place.problem(place.error("num_keypoints", f"expected {counted}, the labelled points, got {shorten(stored)}"))


def read_keypoints(place: Place) -> Annotation:
    """One record of a keypoints file: a skeleton; a record without ``keypoints`` is one of an instances file.

    Box, area and segmentation of the object stay verbatim in the extras.
    """
    raw = place.records.raw(place.at)
    quick = _quick_keypoints(place, raw)
    if quick is not None:
        return quick
    row = jsonio.fields(raw, file=place.records.file, record=place.record, repeat=place.repeat)
    if "keypoints" not in row:
        return read_instance(place)
    place.id = place.value(row, "id")
    short = {name: place.value(row, name) for name in SHORT}
    category_id = known_category(place, short["category_id"])
    extra: dict[str, Any] = {k: place.value(row, k) for k in row if k not in _APART}
    read_bbox(place, short["bbox"])
    if short["area"] is not None:
        number(place, "area", short["area"])
    if "segmentation" in row:
        data = bytes(row["segmentation"])
        if data not in _NOTHING:
            read_shape(place, data, short["bbox"], {})  # checked as that of an instance
        extra["segmentation"] = place.value(row, "segmentation")
    absent = [key for key in ("segmentation", "area", "bbox", "iscrowd") if key not in row]
    shape = _points(place, extra.pop("keypoints"), category_id)
    if "num_keypoints" in extra:
        _count(place, shape, extra.pop("num_keypoints"))
    else:
        absent.append("num_keypoints")
    shared(place, row, short, shape, extra)
    if absent:
        extra["#absent"] = absent
    if extra.get("segmentation", ...) == []:
        del extra["segmentation"]
    shape.category_id = category_id
    if extra:
        shape.extras = {"coco": extra}
    return shape


def _points(place: Place, values: Any, category_id: Any) -> Skeleton:
    if not isinstance(values, list) or not _NUMERIC.issuperset(map(type, values)):
        raise place.error("keypoints", f"expected a list of numbers, got {shorten(values)}")
    named = place.points.get(category_id)
    if len(values) % 3 or (named is not None and len(values) != 3 * named):
        expected = f"{3 * named}, three for each point of the category" if named is not None else "a multiple of 3"
        raise place.error("keypoints", f"expected {expected}, got {len(values)} numbers")
    seen = values[2::3]
    if not _SEEN.issuperset(seen):
        raise place.error("keypoints", f"expected a visibility of 0, 1 or 2, got {shorten(seen)}")
    return Skeleton(np.array(values, dtype=np.float64).reshape(-1, 3)[:, :2].copy(), [int(v) for v in seen])


def read_caption(place: Place) -> Annotation:
    """One record of a captions file; a category that the file does not list is kept as it is."""
    raw = place.records.raw(place.at)
    try:
        sound = _caption_decoder.decode(raw)
        if raw.count(b'"') == 8:  # three keys and the text: none twice
            return Caption(sound.caption, id=sound.id)
    except REFUSED:
        pass
    row = jsonio.fields(raw, file=place.records.file, record=place.record, repeat=place.repeat)
    place.id = place.value(row, "id")
    text = place.value(row, "caption")
    if not isinstance(text, str):
        raise place.error(
            "caption", f"expected text, got {shorten(text)}" if "caption" in row else "required key is missing"
        )
    shape = Caption(text)
    own = ("id", "image_id", "caption", "score", "attributes")
    extra = {key: place.value(row, key) for key in row if key not in own}
    category = extra.get("category_id")
    if isinstance(category, (int, str)) and not isinstance(category, bool) and category in place.known:
        shape.category_id = extra.pop("category_id")
    shared(place, row, {"score": place.value(row, "score"), "iscrowd": None}, shape, extra)
    if extra:
        shape.extras = {"coco": extra}
    return shape


def read_label(place: Place) -> Annotation:
    """One record of a labels file: the image belongs to a category."""
    raw = place.records.raw(place.at)
    try:
        sound = _label_decoder.decode(raw)
        if raw.count(b'"') == 6 and sound.category_id in place.known:
            return Tag(id=sound.id, category_id=sound.category_id)
    except REFUSED:
        pass
    row = jsonio.fields(raw, file=place.records.file, record=place.record, repeat=place.repeat)
    place.id = place.value(row, "id")
    shape = Tag(category_id=known_category(place, place.value(row, "category_id")))
    own = ("id", "image_id", "category_id", "score", "attributes")
    extra = {key: place.value(row, key) for key in row if key not in own}
    shared(place, row, {"score": place.value(row, "score"), "iscrowd": None}, shape, extra)
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
