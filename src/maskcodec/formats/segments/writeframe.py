"""One item to the label attributes of one image, cloud or frame, and its bitmap."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np

from maskcodec.formats._shared.images import write_png
from maskcodec.formats._shared.jsonio import encode
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.assets import stem
from maskcodec.formats.segments.shapes import join_points, shape_record
from maskcodec.idmaps import pack_ids
from maskcodec.masks import Rle, RleArray
from maskcodec.model.annotations import Annotation, Mask, PointMask
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["FrameWriter", "media_attributes", "media_name", "plain", "splice", "status_of"]

_CLOUDS = {"bin": "kitti", "laz": "las", "las": "las", "ply": "ply", "splat": "splat"}  # ending of a file -> pcd type


def plain(name: str) -> str:
    """A text as part of a file name."""
    return re.sub(r"[^\w .+()-]", "_", name).strip(" .")[:100] or "_"


def media_name(item: Item) -> str:
    """Where a media file is copied to."""
    return f"assets/{item.path if item.path is not None else item.id}"


def media_attributes(item: Item) -> dict[str, Any]:
    """Sample attributes of an image or cloud that has none."""
    if item.media != "point_cloud":
        return {"image": {"url": media_name(item)}}
    suffix = media_name(item).rpartition(".")[2].lower()
    return {"pcd": {"url": media_name(item), "type": _CLOUDS.get(suffix, "pcd")}}


def status_of(item: Item, known: bool, report: LossReport) -> str | None:
    """Status of a label; None where the label that was read (``known``) had none."""
    if item.status in names.STATUSES or (item.status is None and known):
        return item.status
    if item.status is None:
        report.default(item, None, "status", "every label has a status: LABELED")
    else:
        report.rename(item, None, "status", "Segments.ai has its own list of statuses")
    return "LABELED"


def splice(record: dict[str, Any], key: str, text: bytes) -> bytes:
    """An object with one more value, that is encoded already."""
    start = encode({k: v for k, v in record.items() if k != key})[:-1]
    return start + (b"," if len(start) > 1 else b"") + encode(key) + b":" + text + b"}"


class FrameWriter:
    """The part of the writer that makes label attributes."""

    series = False

    def __init__(self, dataset: Dataset, sink: NullSink, report: LossReport, kind: str, labelset: str) -> None:
        self.dataset, self.sink, self.report, self.kind, self.labelset = dataset, sink, report, kind, labelset
        self.categories = names.category_numbers(dataset.schema, report)
        self.samples: set[str] = set()
        self.bitmaps: set[str] = set()
        self.numbers: dict[Any, tuple[int, Any]] = {}  # id of an annotation of the frame -> id and track as written

    def frame(self, item: Item, kept: dict[str, Any], name: str) -> dict[str, Any]:
        rest = dict(kept.get("frame", {}))
        out: dict[str, Any] = {}
        if "format_version" in rest or "frame" not in kept:
            out["format_version"] = rest.pop("format_version", "0.2" if self.kind == "pointcloud-cuboid" else "0.1")
        bitmap = rest.pop("segmentation_bitmap") if rest.get("segmentation_bitmap") is not None else None
        taken: set[int] = set()
        used = {a.id for a in item.annotations if self._own(a.id)} | {u["id"] for u in kept.get("unlisted", [])}
        records = []
        painted: list[tuple[int, Rle, Mask | None]] = []
        for annotation in item.annotations:
            if annotation.category_id not in self.categories:
                self.report.drop(item, annotation, "", "an annotation needs a category of the schema")
                continue
            if isinstance(annotation, Mask) and not self._paintable(item, annotation):
                continue
            number = self._number(item, annotation, taken, used)
            if isinstance(annotation, Mask):
                painted.append((number, annotation.rle, annotation))
            records.append((number, annotation))
        gone: set[int] = set()
        if self.kind == "segmentation":
            painted += [(u["id"], Rle.from_coco(u), None) for u in kept.get("unlisted", [])]
            gone = self._paint(item, painted, bitmap, out, name)
        elif self.kind == "pointcloud-segmentation":
            clouds = [(number, a) for number, a in records if isinstance(a, PointMask)]
            out |= self._points(item, clouds, kept)
        listed = [(a.id, self._record(item, number, a)) for number, a in records if number not in gone]
        listed += [(r.get("id") if isinstance(r, dict) else None, r) for r in kept.get("unresolved", [])]
        out["annotations"] = [record for _, record in listed]
        self.numbers = {k: (r["id"], r.get("track_id")) for k, r in reversed(listed) if isinstance(k, (int, str))}
        if "point_annotations" in out:
            out["point_annotations"] = out.pop("point_annotations")
        if bitmap is not None and "segmentation_bitmap" not in out:
            out["segmentation_bitmap"] = bitmap
        elif self.kind == "segmentation" and not self.series and "frame" not in kept:
            out.setdefault("segmentation_bitmap", {"url": None})  # of unknown size, and only sequences may lack the key
        if item.attributes:
            out["attributes" if kept.get("old_attributes") else "image_attributes"] = item.attributes
        return {**rest, **out} if rest.get("segmentation_bitmap", 0) is None else {**out, **rest}

    def _own(self, number: Any) -> bool:
        return type(number) is int and 1 <= number <= (names.MAX_ID if self.kind == "segmentation" else 2**63 - 1)

    def _number(self, item: Item, annotation: Annotation, taken: set[int], used: set[Any]) -> int:
        number = annotation.id
        if not self._own(number) or number in taken:
            fresh = 1
            while fresh in used or fresh in taken:
                fresh += 1
            if number is not None:
                self.report.rename(item, annotation, "id", "ids are positive integers, each once in an image")
            number = fresh
        taken.add(int(number))  # type: ignore[arg-type]
        return int(number)  # type: ignore[arg-type]

    def _record(self, item: Item, number: int, annotation: Annotation) -> dict[str, Any]:
        rest = dict(annotation.extras.get(names.NAMESPACE, {}))
        rest.pop("no_pixels", None)
        order = rest.pop("#order", ())
        record: dict[str, Any] = {"id": number, "category_id": self.categories[annotation.category_id]}
        unsaid = rest.pop("unsaid", {})
        record |= shape_record(annotation, rest)
        attributes = self.attributes_of(item, annotation)
        if attributes or "attributes" in rest:
            record["attributes"] = attributes or rest.pop("attributes")
        track = self.track_of(item, annotation)
        if track is not None and not ("track_id" in unsaid and track == number):
            record["track_id"] = track
        elif unsaid.get("track_id"):
            record["track_id"] = None
        if self.series and (annotation.keyframe or "is_keyframe" not in unsaid):
            record["is_keyframe"] = annotation.keyframe
        elif unsaid.get("is_keyframe"):
            record["is_keyframe"] = None
        record |= rest
        return {**{key: record[key] for key in order if key in record}, **record} if order else record

    def attributes_of(self, item: Item, annotation: Annotation) -> dict[str, Any]:
        """Attributes as they are written."""
        return annotation.attributes

    def track_of(self, item: Item, annotation: Annotation) -> Any:
        """Track id as it is written."""
        return annotation.track_id

    # --- ids of points ------------------------------------------------------------------------------------------------
    def _points(self, item: Item, clouds: list[tuple[int, PointMask]], kept: dict[str, Any]) -> dict[str, Any]:
        """One id a point; how many points the cloud has is known of one that was read from here."""
        if self.series and not clouds and "frame" in kept and "points" not in kept:
            return {}
        parts = [(u["id"], np.array(u["points"], np.int64)) for u in kept.get("unlisted", [])]
        parts += [(number, annotation.indices) for number, annotation in clouds]
        least = max((int(indices.max()) + 1 for _, indices in parts if len(indices)), default=0)
        count = max(kept.get("points", 0), least)
        if clouds and count != kept.get("points"):
            self.report.default(item, None, "point_annotations", "the number of points is not known: up to the last id")
        ids = join_points(parts, count)
        for number, annotation in clouds:
            covered = len(annotation.indices) - int((ids[annotation.indices] == number).sum())
            if covered:
                self.report.drop(item, annotation, "indices", "points covered by a later object", count=covered)
        return {"point_annotations": ids.tolist()}

    # --- bitmaps ------------------------------------------------------------------------------------------------------
    def _paintable(self, item: Item, annotation: Mask) -> bool:
        if item.height is None or item.width is None:
            item.height, item.width = annotation.rle.shape
        if annotation.rle.shape != (item.height, item.width):
            self.report.drop(item, annotation, "", "the mask has another size than the image")
            return False
        if not annotation.rle.area and not annotation.extras.get(names.NAMESPACE, {}).get("no_pixels"):
            self.report.drop(item, annotation, "", "an empty mask has no pixels in a bitmap")
            return False
        return True

    def _paint(
        self, item: Item, painted: list[tuple[int, Rle, Mask | None]], bitmap: Any, out: dict[str, Any], name: str
    ) -> set[int]:
        """Write the bitmap of an image; returns the ids of objects that later ones cover altogether."""
        gone: set[int] = set()
        if not painted and bitmap is None and "frame" in item.extras.get(names.NAMESPACE, {}):
            return gone  # the frame had none
        if not item.height or not item.width or "unresolved" in item.extras.get(names.NAMESPACE, {}):
            return gone
        shape = (item.height, item.width)
        ids = np.zeros(shape, np.uint32)
        if painted:
            RleArray.from_rles([rle for _, rle, _ in painted]).to_label_map([n for n, _, _ in painted], out=ids)
        values, masks = RleArray.from_label_map(ids)
        left = dict(zip(values.tolist(), masks.areas.tolist(), strict=True))
        for number, rle, annotation in painted:
            covered = rle.area - left.get(number, 0)
            if covered and annotation is not None:
                if number in left:
                    self.report.drop(item, annotation, "rle", "pixels covered by a later object", count=covered)
                else:
                    self.report.drop(item, annotation, "", "covered by later objects altogether")
                    gone.add(number)
        url = bitmap.get("url") if isinstance(bitmap, dict) else None
        file = plain(str(url).rpartition("/")[2]) if url else ""
        if not file.endswith(".png") or file.casefold() in self.bitmaps:
            base = plain(stem(name).replace("/", "_"))
            file, count = f"{base}_label_{plain(self.labelset)}.png", 2
            while file.casefold() in self.bitmaps:
                file, count = f"{base}_label_{plain(self.labelset)}-{count}.png", count + 1
            url = f"assets/{file}"
        self.bitmaps.add(file.casefold())
        self.sink.later(f"assets/{file}", partial(write_png, pack_ids(ids, "segments")))
        out["segmentation_bitmap"] = {**(bitmap or {}), "url": url}
        return gone
