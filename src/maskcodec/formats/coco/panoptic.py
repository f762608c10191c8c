"""COCO panoptic: one record and one PNG an image; a pixel's value is the id of its segment, 0 is void.

Segment id = R + 256 * G + 65536 * B. Specification: https://cocodataset.org/#format-data and panopticapi. Its twin form
with two channels, category in R and instance in G, is read where the PNGs have no third channel's worth of ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import NullSink
from maskcodec.formats._shared import jsonio
from maskcodec.formats._shared.images import read_png, write_png
from maskcodec.formats.coco.index import File
from maskcodec.formats.coco.shapes import Place, read_bbox
from maskcodec.formats.coco.spool import Numbers, Part
from maskcodec.formats.coco.tasks import stem
from maskcodec.idmaps import Painter, pack_ids, unpack_ids
from maskcodec.masks import Rle, RleArray
from maskcodec.model.annotations import Annotation, Mask
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["Segments", "read_segments"]

_LARGEST = 2**24 - 1
_RECORD = ("image_id", "file_name", "segments_info")
_SEGMENT = ("id", "category_id", "area", "bbox", "iscrowd")


def read_segments(place: Place, numbers: list[int], file: File) -> None:
    """Decode the record of an image and its PNG into masks, one a segment, in the order of ``segments_info``."""
    for count, number in enumerate(numbers):
        place.at, place.id = number, None
        try:
            if count:
                raise place.error("image_id", "a second record for one image (duplicate)")
            _read_image(place, file)
        except FormatError as error:
            file.source.problem(error, place.item, error.record)


def _read_image(place: Place, file: File) -> None:
    row = jsonio.decode(place.records.raw(place.at), file=file.file, record=place.record, repeat=place.repeat)
    if not isinstance(row, dict):
        raise place.error("", f"expected an object, got {shorten(row)}")
    name, infos = row.get("file_name"), row.get("segments_info")
    if not isinstance(name, str):
        raise place.error("file_name", f"expected the name of a PNG, got {shorten(name)}")
    if not isinstance(infos, list):
        raise place.error("segments_info", f"expected a list, got {shorten(infos)}")
    item = place.item
    note = {key: value for key, value in row.items() if key not in _RECORD}
    if name != f"{stem(item.path or '')}.png":
        note["file_name"] = name
    if not file.grouped:
        note["#index"] = place.at
    item.extras.setdefault("coco", {})["#panoptic"] = note
    ids = _png(place, file, name)
    values, masks = RleArray.from_label_map(ids)
    found = {int(value): masks[at] for at, value in enumerate(values.tolist())}
    listed = [info for at, info in enumerate(infos) if _is_sound(place, at, info)]
    if found and not found.keys() & {info["id"] for info in listed}:
        found = _two_channels(found, listed)
    seen: set[int] = set()
    for at, info in enumerate(listed):
        try:
            item.annotations.append(_segment(place, f"segments_info[{at}]", info, found, seen))
        except FormatError as error:
            place.problem(error)
    for value in found.keys() - seen - {info["id"] for info in listed}:
        place.problem(place.error("segments_info", f"the id {value} of the PNG {name} is not in the list"))


def _is_sound(place: Place, at: int, info: Any) -> bool:
    """Whether an entry of the list is an object with a usable id; else it is reported."""
    if isinstance(info, dict) and type(info.get("id")) is int and 0 < info["id"] <= _LARGEST:
        return True
    shown = info.get("id") if isinstance(info, dict) else info
    text = f"expected an object with an id from 1 to {_LARGEST}, got {shorten(shown)}"
    place.problem(place.error(f"segments_info[{at}].id", text))
    return False


def _segment(place: Place, where: str, info: dict[str, Any], found: dict[int, Rle], seen: set[int]) -> Mask:
    number = info["id"]
    where = f"{where} (id {number})"
    if number in seen:
        raise place.error(f"{where}.id", "duplicate id")
    seen.add(number)
    category = info.get("category_id")
    if isinstance(category, bool) or not isinstance(category, (int, str)) or category not in place.known:
        raise place.error(f"{where}.category_id", f"no category with the id {shorten(category)}")
    if number not in found:
        raise place.error(f"{where}.id", "no pixel of the PNG has this id")
    mask = Mask(found[number], category_id=category, id=number)
    crowd = info.get("iscrowd", 0)
    if crowd not in (0, 1):
        raise place.error(f"{where}.iscrowd", f"expected 0 or 1, got {shorten(crowd)}")
    mask.is_crowd = bool(crowd)
    bbox = read_bbox(place, info.get("bbox"))
    extra = {key: value for key, value in info.items() if key not in _SEGMENT}
    if "area" in info and info["area"] != mask.rle.area:
        extra["area"] = info["area"]
    if bbox is not None and tuple(bbox) != tuple(mask.rle.bbox):
        extra["bbox"] = bbox
    mask.extras = {"coco": {**extra, "#task": "panoptic"}}
    return mask


def _png(place: Place, file: File, name: str) -> Any:
    """Segment ids of the pixels."""
    folder, slash, base = file.name.rpartition("/")
    beside = f"{folder}{slash}{stem(base)}"
    places = [f"{beside}/{name}", f"{folder}{slash}{name}", f"{beside}_2ch_format/{name}", name]
    at = next((each for each in places if file.source.has(each)), None)
    if at is None:
        raise place.error("file_name", f"no such PNG: {places[0]}")
    pixels, _, _ = read_png(file.source.read(at), file.source.display(at))
    if pixels.ndim != 3 or pixels.shape[2] not in (3, 4):
        raise place.error("file_name", f"expected an RGB image, {at} has the shape {pixels.shape}")
    item = place.item
    if item.width is not None and item.height is not None and pixels.shape[:2] != (item.height, item.width):
        expected = f"{item.height} x {item.width}"
        raise place.error("file_name", f"expected {expected} pixels as the image, {at} has {pixels.shape[:2]}")
    return unpack_ids(pixels, "panoptic")


def _two_channels(found: dict[int, Rle], infos: list[dict[str, Any]]) -> dict[int, Rle]:
    """Masks of a PNG with category in R and instance in G, by the ids of the list; as given when it is not such."""
    left = dict(found)
    named: dict[int, Rle] = {}
    for info in infos:
        box, area, category = info.get("bbox"), info.get("area"), info.get("category_id")
        for value, rle in left.items():
            if value < 65536 and value % 256 == category and rle.area == area and list(rle.bbox) == box:
                named[info["id"]] = left.pop(value)
                break
    return named if not left and len(named) == len(infos) else found


class Segments:
    """Writes panoptic records and their PNGs.

    Args:
        sink: where the PNGs go.
        report: hears of covered pixels and of ids that had to change.
        numbers: category id of the model -> number in the file.
    """

    def __init__(self, sink: NullSink, report: LossReport, numbers: dict[Any, Any]) -> None:
        self.sink, self.report, self.numbers = sink, report, numbers
        self._taken: set[str] = set()

    def add(self, part: Part, item: Item, image: Any, annotations: Iterable[Annotation]) -> None:
        """Write the record and the PNG of one image; annotations are masks in the order of painting."""
        stored = item.extras.get("coco", {})
        note = stored.get("#panoptic")
        masks = [mask for mask in annotations if isinstance(mask, Mask) and self._is_known(item, mask)]
        if not item.width or not item.height:
            for mask in masks:
                self.report.drop(item, mask, "", "the size of the image is unknown, no PNG can be painted")
        if not item.width or not item.height or (note is None and "id" in stored and not masks):
            return  # nothing to paint on, or an image that had no record
        free = Numbers(1)
        chosen = [self._number(free, item, mask) for mask in masks]
        painter = Painter((item.height, item.width), np.uint32)
        for number, mask in zip(chosen, masks, strict=True):
            painter.paint(mask.rle, number)
        ids = painter.array
        values, left = RleArray.from_label_map(ids)
        seen = {int(value): left[at] for at, value in enumerate(values.tolist())}
        infos = [
            self._info(item, mask, number, seen[number])
            for number, mask in zip(chosen, masks, strict=True)
            if self._is_seen(item, mask, seen.get(number))
        ]
        note = dict(note or {})
        place = note.pop("#index", None)
        name = self._name(item, note.pop("file_name", None), image)
        pixels = pack_ids(ids, "panoptic")
        self.sink.later(f"annotations/panoptic_{item.subset}/{name}", partial(write_png, pixels))
        row = {"image_id": image, "file_name": name, "segments_info": infos, **note}
        part.add_annotation(jsonio.encode(row), place)

    def _is_known(self, item: Item, mask: Mask) -> bool:
        if mask.category_id in self.numbers:
            return True
        why = "it has no category" if mask.category_id is None else "its category is not in the schema"
        self.report.drop(item, mask, "", why)
        return False

    def _number(self, free: Numbers, item: Item, mask: Mask) -> int:
        good = type(mask.id) is int and 0 < mask.id <= _LARGEST
        number = free.take(mask.id if good else None)
        if mask.id is not None and number != mask.id:
            self.report.rename(item, mask, "id", "segment ids are unique in an image, from 1 to 16777215")
        return int(number)

    def _is_seen(self, item: Item, mask: Mask, left: Rle | None) -> bool:
        if left is None:
            self.report.drop(
                item, mask, "", "covered by later ones altogether" if mask.rle.area else "it has no pixels"
            )
            return False
        covered = mask.rle.area - left.area
        if covered:
            self.report.drop(item, mask, "rle", "pixels covered by a later one", count=covered)
        return True

    def _info(self, item: Item, mask: Mask, number: int, left: Rle) -> dict[str, Any]:
        """The entry of a segment; area and box are those of the pixels that show."""
        extra = mask.extras.get("coco", {})
        row: dict[str, Any] = {"id": number, "category_id": self.numbers[mask.category_id]}
        row.update(area=left.area, bbox=list(left.bbox), iscrowd=int(mask.is_crowd))
        whole = left.area == mask.rle.area
        for key, value in extra.items():
            if key[:1] == "#":
                continue
            if whole or key not in ("area", "bbox"):
                row[key] = value
            else:
                self.report.drop(item, mask, f"extras.coco.{key}", "computed from the pixels that show")
        return row

    def _name(self, item: Item, wanted: Any, image: Any) -> str:
        """Name of the PNG, unique in its folder."""
        path = item.path or str(item.id)
        for name in (wanted, f"{stem(path)}.png", f"{path}.png", f"{image}.png"):
            key = f"{item.subset}/{name}".casefold()
            if name is not None and key not in self._taken:
                self._taken.add(key)
                return str(name)
        raise FormatError(f"no free name for the PNG of image {image}", file=path)
