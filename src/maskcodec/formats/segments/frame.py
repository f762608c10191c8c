"""One label of Segments.ai (the attributes of one image, cloud or frame) to annotations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.faults import Faults
from maskcodec.formats._shared.images import read_png
from maskcodec.formats.segments.schema import MAX_ID, NAMESPACE
from maskcodec.formats.segments.shapes import Fault, empty_points, read_shape, split_points
from maskcodec.idmaps import unpack_ids
from maskcodec.masks import Rle, RleArray
from maskcodec.model.annotations import Annotation, Mask, PointMask
from maskcodec.model.dataset import Item

if TYPE_CHECKING:
    from maskcodec.formats.segments.assets import Assets

__all__ = ["Frames"]

_KNOWN = ("id", "category_id", "attributes", "track_id")
_POINTS, _CUBOID = ("type", "points"), ("type", "position", "dimensions", "yaw", "rotation")


# Keys of an object in the order in which they are written; others follow.
_ORDER = (
    "id", "category_id", "type", "points", "position", "dimensions", "yaw", "rotation", "attributes", "track_id",
    "is_keyframe",
)  # fmt: skip


def _usual(keys: tuple[str, ...]) -> bool:
    """Whether keys stand in the order in which they are written."""
    places = [_ORDER.index(key) if key in _ORDER else len(_ORDER) for key in keys]
    return places == sorted(places)


class Frames(Faults):
    """The part of the readers that makes annotations; they say where faults go and where assets are."""

    record = "annotation"
    file: str
    kind: str  # content of the frame: segmentation, vector, pointcloud-...
    series: bool = False  # whether it is a frame of a sequence
    assets: Assets
    categories: set[Any]
    orders: dict[tuple[str, ...], list[str] | None]  # of keys of objects that were met; None: the usual one

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
        rest = {k: v for k, v in label.items() if k not in ("annotations", "image_attributes", "point_annotations")}
        if not item.attributes:
            rest |= {k: label[k] for k in ("image_attributes",) if k in label}
        if kept.get("old_attributes"):
            del rest["attributes"]
        if not self.series and label.get("links"):
            del rest["links"]  # the data set has them
        kept["frame"] = rest
        masks: dict[int, Any] | None = None
        if self.kind == "segmentation":
            masks = self._bitmap(item, label, where, cached)
        elif self.kind == "pointcloud-segmentation":
            masks = self._points(label, where, kept)
        seen: set[Any] = set()
        for index, record in enumerate(annotations):
            name = f"annotations[{index}]"
            try:
                annotation = self._annotation(item, record, name, masks, seen)
            except Fault as fault:
                error = FormatError(str(fault), file=self.file, record=f"{where}: {name}", field=fault.field)
                self.problem(error, item, name)
                continue
            if annotation is not None:
                item.annotations.append(annotation)
        flat = self.kind.endswith("segmentation")
        if flat and masks is None and annotations:
            kept["unresolved"] = annotations
            item.annotations = []
        left = {number: part for number, part in (masks or {}).items() if number and number not in seen}
        if left and self.kind == "segmentation":
            self.note(item, None, "segmentation_bitmap", "pixels of ids without an annotation, kept as they are")
            kept["unlisted"] = [{"id": number, **rle.to_coco()} for number, rle in left.items()]
        elif left:
            self.note(item, None, "point_annotations", "points of ids without an annotation, kept as they are")
            kept["unlisted"] = [{"id": number, "points": part.tolist()} for number, part in left.items()]
        links = label.get("links")
        if links is not None and not isinstance(links, list):
            text = f"expected a list, got {shorten(links)}"
            self.problem(FormatError(text, file=self.file, record=where, field="links"), item, "link")
        known = seen | {a.track_id for a in item.annotations} if links else set()
        for link in links if isinstance(links, list) else []:
            ends = [link.get("from_id"), link.get("to_id")] if isinstance(link, dict) else [link]
            if any(not isinstance(end, int) or end not in known for end in ends):
                text = f"a link to an id that is missing: {shorten(ends)}"
                self.problem(FormatError(text, file=self.file, record=where, field="links"), item, "link")

    def _annotation(
        self, item: Item, record: Any, name: str, masks: dict[int, Any] | None, seen: set[Any]
    ) -> Annotation | None:
        if not isinstance(record, dict):
            raise Fault("", f"expected an object, got {shorten(record)}")
        number, category = record.get("id"), record.get("category_id")
        limit = MAX_ID if self.kind == "segmentation" else 2**63
        if type(number) is not int or not 1 <= number <= limit:
            raise Fault("id", f"expected an integer from 1 to {limit}, got {shorten(number)}")
        if number in seen:
            raise Fault("id", f"duplicate id {number}")
        seen.add(number)
        if type(category) is not int or category not in self.categories:
            raise Fault("category_id", f"unknown category id {shorten(category)}")
        attributes = record.get("attributes")
        if attributes is not None and not isinstance(attributes, dict):
            raise Fault("attributes", f"expected an object, got {shorten(attributes)}")
        geometry = _CUBOID if str(record.get("type")).startswith("cuboid") else _POINTS
        known = _KNOWN if self.kind.endswith("segmentation") else (*_KNOWN, *geometry)
        rest = {k: v for k, v in record.items() if k not in known}
        keys = tuple(record)
        if keys not in self.orders:
            self.orders[keys] = None if _usual(keys) else list(keys)
        if self.orders[keys] is not None:
            rest["#order"] = self.orders[keys]
        if attributes in (None, {}) and "attributes" in record:
            rest["attributes"] = attributes
        if self.kind.endswith("segmentation"):
            if masks is None:
                return None
            part = masks.get(number)
            if part is None:
                points = self.kind != "segmentation"
                what = "an annotation without points, kept" if points else "an annotation without pixels, kept"
                self.note(item, name, "", what, "pointmask" if points else "mask")
                rest["no_pixels"] = True
            if self.kind == "segmentation":
                shape = (item.height or 0, item.width or 0)
                annotation: Annotation = Mask(
                    part if part is not None else Rle.from_counts([shape[0] * shape[1]], shape)
                )
            else:
                annotation = empty_points() if part is None else PointMask(part)
        else:
            annotation = read_shape(record, rest, self.kind, lambda field, text: self.note(item, name, field, text))
        if self.series:
            self._track(annotation, record, rest)
        annotation.id, annotation.category_id = number, category
        if not self.series:
            track = record.get("track_id")
            if not isinstance(track, (int, str, type(None))):
                raise Fault("track_id", f"expected an integer, got {shorten(track)}")
            annotation.track_id = track
        annotation.attributes = dict(attributes or {})
        if rest:
            annotation.extras = {NAMESPACE: rest}
        return annotation

    def _track(self, annotation: Annotation, record: dict[str, Any], rest: dict[str, Any]) -> None:
        """Track id and key frame; without a track id the id names the track."""
        track, key = record.get("track_id"), rest.pop("is_keyframe", None)
        if type(track) is not int and track is not None:
            raise Fault("track_id", f"expected an integer, got {shorten(track)}")
        if type(key) is not bool and key is not None:
            raise Fault("is_keyframe", f"expected true or false, got {shorten(key)}")
        annotation.track_id, annotation.keyframe = record["id"] if track is None else track, bool(key)
        unsaid = {name: name in record for name, value in (("track_id", track), ("is_keyframe", key)) if value is None}
        if unsaid:
            rest["unsaid"] = unsaid  # whether with null, or not at all

    def _points(self, label: dict[str, Any], where: str, kept: dict[str, Any]) -> dict[int, Any]:
        """Positions of points by id."""
        ids = label.get("point_annotations")
        if ids is None and self.series and not label["annotations"]:
            return {}
        try:
            parts = split_points(ids)
        except Fault as fault:
            raise FormatError(str(fault), file=self.file, record=where, field=fault.field) from fault
        kept["points"] = len(ids or [])
        return parts

    def _bitmap(self, item: Item, label: dict[str, Any], where: str, cached: str) -> dict[int, Rle] | None:
        """Masks by id; None where the bitmap is not at hand."""
        bitmap = label.get("segmentation_bitmap")
        url = bitmap.get("url") if isinstance(bitmap, dict) else None
        if not isinstance(url, str):
            if label["annotations"] and not self.series:
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
