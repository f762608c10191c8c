"""One annotation record of COCO, out, by the task of its file."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskcodec.errors import FormatError
from maskcodec.formats._shared import jsonio
from maskcodec.formats._shared.jsonio import Raw
from maskcodec.formats.coco.schema import Dialect
from maskcodec.model.annotations import Annotation, Box, Caption, Mask, Points, Polygon
from maskcodec.model.dataset import Item
from maskcodec.model.geometry import bounds, polygon_area

__all__ = ["Rows"]

_BOX_ONLY = {"null": Raw(b"null"), "[[]]": Raw(b"[[]]"), "absent": None}
_EMPTY = Raw(b"[]")
_FIELDS = frozenset(("id", "area", "bbox", "iscrowd", "segmentation", "image_id", "category_id", "score", "attributes"))
_FIELDS_OF_POINTS = _FIELDS | {"keypoints", "num_keypoints"}


class Rows:
    """Makes records of annotations.

    Args:
        dialect: of the COCO family.
        segmentation: "rle_list" and "rle" fix the form of run lengths; else the form that was read, or text.
        numbers: category id of the model -> number in the file.
    """

    def __init__(self, dialect: Dialect, segmentation: str, numbers: dict[Any, Any]) -> None:
        self.dialect = dialect
        self.as_list = segmentation == "rle_list"
        self.as_text = segmentation == "rle"
        self.numbers = numbers

    def encode(self, task: str, annotation: Annotation, item: Item, number: Any, image: Any) -> bytes:
        """Text of the record.

        Raises:
            FormatError: a mask of another size than the image, or a number that JSON cannot hold.
        """
        extra = annotation.extras.get("coco") or {}
        try:
            if task == "person_keypoints" and isinstance(annotation, Points):
                row = self.skeleton(annotation, extra, number, image)
            elif isinstance(annotation, Caption):
                row = {"id": number, "image_id": image, "caption": annotation.text}
                if annotation.category_id is not None:
                    row["category_id"] = self.numbers[annotation.category_id]
                self.rest(row, annotation, extra, ("id", "image_id", "caption"))
            elif annotation.kind == "tag":
                row = {"id": number, "image_id": image, "category_id": self.numbers[annotation.category_id]}
                self.rest(row, annotation, extra, ("id", "image_id", "category_id"))
            else:
                row = self.instance(annotation, item, extra, number, image)
            return jsonio.encode(row)
        except (ValueError, TypeError, OverflowError) as error:
            if isinstance(error, FormatError):
                raise
            where = f"annotation {annotation.id}"
            raise FormatError(str(error), file=item.path or str(item.id), record=where) from error

    def instance(
        self, annotation: Annotation, item: Item, extra: dict[str, Any], number: Any, image: Any
    ) -> dict[str, Any]:
        """A record of an instances file."""
        segmentation, area, bbox = self.shape(item, annotation, extra)
        row: dict[str, Any] = {"id": number, "image_id": image, "category_id": self.numbers[annotation.category_id]}
        if segmentation is not None:
            row["segmentation"] = segmentation
        if extra:
            area = extra.get("area", area)
            bbox = extra.get("bbox", bbox)
        row["area"] = int(area) if type(area) is float and area.is_integer() and abs(area) < 2**53 else area
        row["bbox"] = bbox if extra and "bbox" in extra else jsonio.numbers(bbox)
        crowd = annotation.is_crowd
        row["iscrowd"] = crowd if extra and extra.get("iscrowd") is crowd else int(crowd)
        self.rest(row, annotation, extra, _FIELDS)
        return row

    def skeleton(self, annotation: Points, extra: dict[str, Any], number: Any, image: Any) -> dict[str, Any]:
        """A record of a keypoints file; without a stored box, that of the labelled points."""
        seen = annotation.visibility if annotation.visibility is not None else [2] * len(annotation.xy)
        flat = np.column_stack([annotation.xy, np.asarray(seen, dtype=np.float64)]).reshape(-1)
        labelled = annotation.xy[np.asarray(seen, dtype=np.int64) > 0]
        box = [0, 0, 0, 0]
        if len(labelled):
            low, high = labelled.min(axis=0), labelled.max(axis=0)
            box = [*low.tolist(), *(high - low).tolist()]
        row: dict[str, Any] = {"id": number, "image_id": image, "category_id": self.numbers[annotation.category_id]}
        row["segmentation"] = extra.get("segmentation", _EMPTY)
        bbox = extra.get("bbox", box)
        sized = bbox if isinstance(bbox, (list, tuple)) else box
        row["area"] = extra.get("area", sized[2] * sized[3])
        row["bbox"] = jsonio.numbers(bbox) if bbox is not None else None
        crowd = annotation.is_crowd
        row["iscrowd"] = crowd if extra.get("iscrowd") is crowd else int(crowd)
        row["keypoints"] = jsonio.numbers(flat)
        row["num_keypoints"] = len(labelled)
        for key in extra.get("#absent", ()):
            row.pop(key, None)
        self.rest(row, annotation, extra, _FIELDS_OF_POINTS)
        return row

    def shape(self, item: Item, annotation: Annotation, extra: dict[str, Any]) -> tuple[Any, float, list[float]]:
        """Segmentation (None for an absent key), area and box."""
        if isinstance(annotation, Polygon):
            rings = jsonio.numbers([ring.reshape(-1).tolist() for ring in annotation.rings])
            if "bbox" in extra and "area" in extra:
                return rings, extra["area"], extra["bbox"]
            x0, y0, x1, y1 = bounds(annotation) or (0, 0, 0, 0)
            return rings, polygon_area(annotation), [x0, y0, x1 - x0, y1 - y0]
        form = extra.get("#form", self.dialect.box)
        if isinstance(annotation, Box):
            x0, y0, x1, y1 = annotation.x0, annotation.y0, annotation.x1, annotation.y1
            box = [x0, y0, x1 - x0, y1 - y0]
            kept = extra.get("bbox")
            if kept is not None and [kept[0], kept[1], kept[0] + kept[2], kept[1] + kept[3]] == [x0, y0, x1, y1]:
                box = kept
            return _BOX_ONLY.get(form, _EMPTY), box[2] * box[3], box
        if not isinstance(annotation, Mask):
            raise TypeError(f"cannot write a {annotation.kind}")
        rle = annotation.rle
        if item.width is not None and item.height is not None and tuple(rle.shape) != (item.height, item.width):
            raise FormatError(
                f"the mask is {tuple(rle.shape)}, the image ({item.height}, {item.width}) (height, width)",
                file=item.path or str(item.id),
                record=f"annotation {annotation.id}",
            )
        listed = self.as_list or (form == "rle_list" and not self.as_text)
        return rle.to_coco(compressed=not listed), rle.area, list(rle.bbox)

    def rest(self, row: dict[str, Any], annotation: Annotation, extra: dict[str, Any], known: Any) -> None:
        """Score, attributes and unknown keys."""
        if annotation.score is not None:
            row["score"] = annotation.score
        attributes = self.attributes(annotation, extra.get("#reserved", ()))
        if attributes:
            row["attributes"] = attributes
        for key, value in extra.items():
            if key not in known and key[:1] != "#":
                row[key] = value

    def attributes(self, annotation: Annotation, listed: Any) -> dict[str, Any]:
        """The attributes with the shared fields that CVAT keeps among them."""
        own: dict[str, Any] = {}
        if annotation.occluded or "occluded" in listed:
            own["occluded"] = annotation.occluded
        if annotation.outside or "outside" in listed:
            own["outside"] = annotation.outside
        if annotation.keyframe or "keyframe" in listed:
            own["keyframe"] = annotation.keyframe
        if annotation.track_id is not None:
            own["track_id"] = annotation.track_id
        if isinstance(annotation, Box) and (annotation.rotation or "rotation" in listed):
            own["rotation"] = annotation.rotation
        return {**annotation.attributes, **own} if own else annotation.attributes
