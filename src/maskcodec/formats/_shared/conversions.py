"""Turning a kind that a format cannot hold into one that it can; every step is named in the loss report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from maskcodec.model.annotations import Annotation, Box, Caption, Ellipse, Mask, Points, Polygon, Skeleton, Tag
from maskcodec.model.dataset import Item
from maskcodec.model.geometry import bounds, box_corners, ellipse_points
from maskcodec.model.schema import LabelSchema

__all__ = ["CONVERSIONS", "SHARED", "TO_BOX", "TO_MASK", "Impossible", "convert", "mask_of", "named_points"]

SHARED = tuple(f.name for f in fields(Annotation))


class Impossible(Exception):
    """This annotation cannot be converted; the text says why."""


def _with(kind: Callable[..., Any], source: Annotation, *args: Any) -> Any:
    return kind(*args, **{name: getattr(source, name) for name in SHARED})


def mask_of(annotation: Annotation, item: Item) -> Any:
    """The pixels of a planar annotation as an ``Rle`` of the item's size, polygons by the COCO rule.

    Raises:
        Impossible: the size of the item is unknown or too large, or the kind has no area.
    """
    from maskcodec.masks import Rle

    if isinstance(annotation, Mask):
        return annotation.rle
    if item.width is None or item.height is None:
        raise Impossible("the size of the item is unknown, no mask can be made")
    shape = (item.height, item.width)
    try:
        if isinstance(annotation, Box):
            return Rle.from_polygons([box_corners(annotation)], shape)
        if isinstance(annotation, Ellipse):
            return Rle.from_polygons([ellipse_points(annotation)], shape)
        if isinstance(annotation, Polygon):
            if not annotation.holes:
                return Rle.from_polygons(annotation.rings, shape)
            mask = Rle.from_polygons([], shape)
            for ring, hole in zip(annotation.rings, annotation.holes, strict=True):
                part = Rle.from_polygons([ring], shape)
                mask = mask - part if hole else mask | part
            return mask
    except (ValueError, MemoryError) as error:
        raise Impossible(f"no mask can be made: {error}") from error
    raise Impossible(f"a {annotation.kind} has no area")


def _to_mask(annotation: Annotation, item: Item) -> Mask:
    return _with(Mask, annotation, mask_of(annotation, item))  # type: ignore[no-any-return]


def _corners(annotation: Annotation, item: Item) -> Polygon:
    if not isinstance(annotation, Box):
        raise Impossible(f"a {annotation.kind} has no corners")
    return _with(Polygon, annotation, [box_corners(annotation)])  # type: ignore[no-any-return]


def _outline(annotation: Annotation, item: Item) -> Polygon:
    if not isinstance(annotation, Ellipse):
        raise Impossible(f"a {annotation.kind} has no outline")
    return _with(Polygon, annotation, [ellipse_points(annotation)])  # type: ignore[no-any-return]


def _bridged(annotation: Annotation, item: Item) -> Polygon:
    rings = list(mask_of(annotation, item).to_polygons(holes="bridge"))
    if not rings:
        raise Impossible("it has no pixels, so no polygon")
    return _with(Polygon, annotation, rings)  # type: ignore[no-any-return]


def _extent(annotation: Annotation, item: Item) -> Box:
    extent = bounds(annotation)
    if extent is None:
        raise Impossible("it has no extent")
    return _with(Box, annotation, *extent)  # type: ignore[no-any-return]


def _unrotated(annotation: Annotation, item: Item) -> Box:
    if not isinstance(annotation, Box):
        raise Impossible("not a box")
    return _with(Box, annotation, annotation.x0, annotation.y0, annotation.x1, annotation.y1)  # type: ignore[no-any-return]


def _points(annotation: Annotation, item: Item) -> Points:
    if not isinstance(annotation, Points):
        raise Impossible("not points")
    if not len(annotation.xy):
        raise Impossible("it has no points")
    return _with(Points, annotation, annotation.xy, annotation.visibility)  # type: ignore[no-any-return]


def _skeleton(annotation: Annotation, item: Item) -> Skeleton:
    if not isinstance(annotation, Points):
        raise Impossible("not points")
    return _with(Skeleton, annotation, annotation.xy, annotation.visibility)  # type: ignore[no-any-return]


def _unlabelled(annotation: Annotation, item: Item) -> Skeleton:
    """No point at all yet; the box goes where COCO keeps that of a person."""
    if not isinstance(annotation, Box):
        raise Impossible(f"a {annotation.kind} has no box")
    made: Skeleton = _with(Skeleton, annotation, np.zeros((0, 2)), [])
    box = [annotation.x0, annotation.y0, annotation.x1 - annotation.x0, annotation.y1 - annotation.y0]
    own = {key: value for key, value in annotation.extras.get("coco", {}).items() if key != "#form"}
    made.extras = {**annotation.extras, "coco": {"bbox": box, **own}}
    return made


def named_points(skeleton: Skeleton, schema: LabelSchema, *, made: bool = False) -> None:
    """Hold a skeleton against the points that its category names; one made of a box gets that many, unlabelled.

    Raises:
        Impossible: another number of points, or (of a skeleton made of another kind) a category that names none.
    """
    known = skeleton.category_id is not None and skeleton.category_id in schema
    count = len(schema.by_id(skeleton.category_id).keypoints) if known else 0  # type: ignore[arg-type]
    if made and not len(skeleton.xy):
        skeleton.xy, skeleton.visibility = np.zeros((count, 2)), [0] * count
    elif made and not count:
        raise Impossible("its category has no skeleton")
    elif count and len(skeleton.xy) != count:
        raise Impossible("its category names another number of points")


def _tag(annotation: Annotation, item: Item) -> Tag:
    if not isinstance(annotation, Caption):
        raise Impossible("not a caption")
    tag: Tag = _with(Tag, annotation)
    tag.attributes = {**annotation.attributes, "caption": annotation.text}
    return tag


_PIXELS = "written as the mask of its pixels (COCO rule)"
_EXACT = "written as the exact outline of its pixels"
CONVERSIONS: dict[tuple[str, str], tuple[Callable[[Annotation, Item], Annotation], str]] = {
    ("box", "polygon"): (_corners, "written as a polygon of its corners"),
    ("rotated_box", "polygon"): (_corners, "written as a polygon of its corners"),
    ("rotated_box", "box"): (_unrotated, "written without its rotation"),
    ("ellipse", "polygon"): (_outline, "written as a polygon of its outline"),
    ("polygon", "box"): (_extent, "written as its enclosing box"),
    ("multipart_polygon", "box"): (_extent, "written as its enclosing box"),
    ("holed_polygon", "box"): (_extent, "written as its enclosing box"),
    ("ellipse", "box"): (_extent, "written as its enclosing box"),
    ("mask", "box"): (_extent, "written as its enclosing box"),
    ("box", "mask"): (_to_mask, _PIXELS),
    ("rotated_box", "mask"): (_to_mask, _PIXELS),
    ("ellipse", "mask"): (_to_mask, _PIXELS),
    ("polygon", "mask"): (_to_mask, _PIXELS),
    ("multipart_polygon", "mask"): (_to_mask, _PIXELS),
    ("holed_polygon", "mask"): (_to_mask, _PIXELS),
    ("mask", "polygon"): (_bridged, _EXACT),
    ("holed_polygon", "polygon"): (_bridged, _EXACT),
    ("multipart_polygon", "polygon"): (_bridged, _EXACT),
    ("skeleton", "points"): (_points, "written as loose points"),
    ("caption", "tag"): (_tag, "written as a tag with an attribute caption"),
    ("points", "skeleton"): (_skeleton, "written as a skeleton"),
    ("box", "skeleton"): (_unlabelled, "written as the box of a skeleton without labelled points"),
}


def convert(annotation: Annotation, item: Item, to: str) -> tuple[Annotation, str]:
    """Convert one annotation; nothing of the given one is modified.

    Returns:
        The new annotation and the text for the report.

    Raises:
        Impossible: not for this one.
        ValueError: there is no such conversion.
    """
    step = CONVERSIONS.get((annotation.variant, to))
    if step is None:
        raise ValueError(f"no conversion from {annotation.variant} to {to}")
    return step[0](annotation, item), step[1]


# What formats that hold one kind alone make of the others.
TO_MASK = dict.fromkeys(("box", "rotated_box", "ellipse", "polygon", "multipart_polygon", "holed_polygon"), "mask")
TO_BOX = dict.fromkeys(("rotated_box", "ellipse", "polygon", "multipart_polygon", "holed_polygon", "mask"), "box")
