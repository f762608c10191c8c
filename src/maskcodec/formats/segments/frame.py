"""One label of Segments.ai (the attributes of one image) to annotations."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.images import read_png
from maskcodec.formats.segments.schema import MAX_ID, NAMESPACE
from maskcodec.idmaps import unpack_ids
from maskcodec.masks import Rle, RleArray
from maskcodec.model.annotations import Annotation, Box, Mask, Points, Polygon, Polyline
from maskcodec.model.dataset import Item

if TYPE_CHECKING:
    from maskcodec.formats.segments.assets import Assets

__all__ = ["Frames"]

_KNOWN = ("id", "category_id", "attributes", "track_id", "type", "points")
_SHAPES = {"bbox": 2, "polygon": 3, "polyline": 2, "point": 1}


class Frames:
    """The part of the readers that makes annotations; they say where faults go and where assets are."""

    file: str
    kind: str
    lenient: bool
    assets: Assets
    categories: set[Any]

    def problem(self, error: FormatError, item: Any = None, annotation: Any = None) -> None:
        """Raise an error, or enter it in the report."""
        raise NotImplementedError

    def note(self, item: Any, annotation: Any, field: str, text: str, what: str | None = None) -> None:
        """Enter something odd that is kept."""
        raise NotImplementedError

    def frame(self, item: Item, label: Any, where: str, kept: dict[str, Any], cached: str) -> None:
        """Read label attributes into an item; what has no field of ours goes to ``kept``."""
        annotations = label.get("annotations") if isinstance(label, dict) else None
        if not isinstance(annotations, list):
            text = f"expected label attributes with a list of annotations, got {shorten(label)}"
            raise FormatError(text, file=self.file, record=where, field="annotations")
        for old in ("image_attributes", "attributes"):
            if isinstance(label.get(old), dict):
                item.attributes = dict(label[old])
                if old == "attributes":
                    kept["old_attributes"] = True
                break
        rest = {k: v for k, v in label.items() if k not in ("annotations", "image_attributes")}
        if not item.attributes:
            rest |= {k: label[k] for k in ("image_attributes",) if k in label}
        if kept.get("old_attributes"):
            del rest["attributes"]
        if rest:
            kept["frame"] = rest
        masks = self._bitmap(item, label, where, kept, cached) if self.kind == "segmentation" else None
        seen: set[Any] = set()
        for index, record in enumerate(annotations):
            name = f"annotations[{index}]"
            try:
                annotation = self._annotation(item, record, name, masks, seen)
            except _Fault as fault:
                error = FormatError(str(fault), file=self.file, record=f"{where}: {name}", field=fault.field)
                self.problem(error, item, name)
                continue
            if annotation is not None:
                item.annotations.append(annotation)
        if self.kind == "segmentation" and masks is None and annotations:
            kept["unresolved"] = annotations
            item.annotations = []
        left = {number: rle for number, rle in (masks or {}).items() if number and number not in seen}
        if left:
            self.note(item, None, "segmentation_bitmap", "pixels of ids without an annotation, kept as they are")
            kept["unlisted"] = [{"id": number, **rle.to_coco()} for number, rle in left.items()]
        for link in label.get("links") or []:
            ends = [link.get("from_id"), link.get("to_id")] if isinstance(link, dict) else [link]
            known = seen | {a.track_id for a in item.annotations}
            if any(end not in known for end in ends):
                text = f"a link to an id that is missing: {shorten(ends)}"
                self.problem(FormatError(text, file=self.file, record=where, field="links"), item, "link")

    def _annotation(
        self, item: Item, record: Any, name: str, masks: dict[int, Rle] | None, seen: set[Any]
    ) -> Annotation | None:
        if not isinstance(record, dict):
            raise _Fault("", f"expected an object, got {shorten(record)}")
        number, category = record.get("id"), record.get("category_id")
        limit = MAX_ID if self.kind == "segmentation" else 2**63
        if type(number) is not int or not 1 <= number <= limit:
            raise _Fault("id", f"expected an integer from 1 to {limit}, got {shorten(number)}")
        if number in seen:
            raise _Fault("id", f"duplicate id {number}")
        seen.add(number)
        if type(category) is not int or category not in self.categories:
            raise _Fault("category_id", f"unknown category id {shorten(category)}")
        attributes = record.get("attributes")
        if attributes is not None and not isinstance(attributes, dict):
            raise _Fault("attributes", f"expected an object, got {shorten(attributes)}")
        rest = {k: v for k, v in record.items() if k not in _KNOWN}
        if attributes in (None, {}) and "attributes" in record:
            rest["attributes"] = attributes
        if self.kind == "segmentation":
            if masks is None:
                return None
            rest |= {k: record[k] for k in ("type", "points") if k in record}
            rle = masks.get(number)
            if rle is None:
                self.note(item, name, "", "an annotation without pixels, kept", "mask")
                rest["no_pixels"] = True
                rle = Rle.from_counts([(item.height or 0) * (item.width or 0)], (item.height or 0, item.width or 0))
            annotation: Annotation = Mask(rle)
        else:
            annotation = _shape(record, rest)
        annotation.id, annotation.category_id, annotation.track_id = number, category, record.get("track_id")
        annotation.attributes = dict(attributes or {})
        if rest:
            annotation.extras = {NAMESPACE: rest}
        return annotation

    def _bitmap(
        self, item: Item, label: dict[str, Any], where: str, kept: dict[str, Any], cached: str
    ) -> dict[int, Rle] | None:
        """Masks by id; None where the bitmap is not at hand."""
        bitmap = label.get("segmentation_bitmap")
        url = bitmap.get("url") if isinstance(bitmap, dict) else None
        if not isinstance(url, str):
            if label["annotations"]:
                text = f"expected an object with an url, got {shorten(bitmap)}"
                raise FormatError(text, file=self.file, record=where, field="segmentation_bitmap")
            return {}
        found = self.assets.find(url, cached)
        if found is None:
            self.note(item, None, "segmentation_bitmap", "not at hand: its address is kept, no mask is read")
            return None
        file, data = found
        pixels, header, palette = read_png(data, file)
        if palette is not None or header.color_type == 4:
            text = "a palette or grey-and-alpha image, expected RGBA, RGB or grey: its values are not ids"
            raise FormatError(text, file=file, record=where, field="segmentation_bitmap")
        if pixels.ndim == 3:
            if pixels.shape[2] == 4 and pixels.size and int(pixels[..., 3].min()) != 255:
                self.note(item, None, "segmentation_bitmap", "alpha is not 255 everywhere; it is no part of the ids")
            ids = unpack_ids(pixels)
        else:
            ids = pixels
            if header.depth == 16 and pixels.size and int(pixels.max()) == 65535:
                self.note(item, None, "segmentation_bitmap", "grey value 65535: larger ids were cut off by the SDK")
        item.height, item.width = ids.shape
        values, masks = RleArray.from_label_map(ids)
        return dict(zip(values.tolist(), masks, strict=True))


class _Fault(Exception):
    """What is wrong with a field of an annotation."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def _shape(record: dict[str, Any], rest: dict[str, Any]) -> Annotation:
    kind, points = record.get("type"), record.get("points")
    if kind not in _SHAPES:
        raise _Fault("type", f"expected one of {', '.join(_SHAPES)}, got {shorten(kind)}")
    if not isinstance(points, list) or not all(
        isinstance(p, list) and len(p) == 2 and all(type(v) in (int, float) and math.isfinite(v) for v in p)
        for p in points
    ):
        raise _Fault("points", f"expected pairs of finite numbers, got {shorten(points)}")
    least = _SHAPES[str(kind)]
    exact = kind in ("bbox", "point")
    if len(points) < least or (exact and len(points) != least):
        raise _Fault("points", f"a {kind} has {'' if exact else 'at least '}{least} points, got {len(points)}")
    if kind == "bbox":
        (ax, ay), (bx, by) = points
        if ax > bx or ay > by:
            rest["points"] = points
        return Box(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))
    array = np.array(points, np.float64)
    if kind == "polygon":
        return Polygon([array])
    return Polyline(array) if kind == "polyline" else Points(array)
