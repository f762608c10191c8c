"""Merging the members of a group into one record, as CVAT does when it exports COCO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maskcodec.formats._shared.carry_whole import clone
from maskcodec.formats._shared.conversions import Impossible, mask_of
from maskcodec.masks import Rle
from maskcodec.model.annotations import Annotation, Box, Mask, Polygon
from maskcodec.model.dataset import Item
from maskcodec.model.geometry import bounds
from maskcodec.model.losses import LossReport

__all__ = ["merge_groups"]

_MERGED = "merged into one record with the rest of its group"


def merge_groups(item: Item, annotations: Sequence[Annotation], report: LossReport) -> list[Annotation]:
    """One annotation for each group id other than 0; those without a group first, then groups by id, as CVAT does.

    The member with the largest area leads: its category, attributes, score and id stay, the box is that of all boxes.
    The attribute ``is_crowd`` of the leader decides what is written: true, one mask of all polygons and masks; another
    value, polygons; without it, a mask where a mask of the leader's category is in the group, else polygons.
    """
    out: list[Annotation] = []
    groups: dict[Any, list[Annotation]] = {}
    for annotation in annotations:
        if annotation.group_id:
            groups.setdefault(annotation.group_id, []).append(annotation)
        else:
            out.append(annotation)
    for group in sorted(groups, key=lambda key: (isinstance(key, str), key)):
        members = groups[group]
        if len(members) == 1 or item.width is None or item.height is None:
            why = "a group of one" if len(members) == 1 else "the size of the item is unknown, its groups stay apart"
            for member in members:
                report.drop(item, member, "group_id", why)
            out += members
            continue
        out.append(_merged(item, members, report))
    return out


def _area(item: Item, annotation: Annotation) -> float:
    if isinstance(annotation, Box):
        return float((annotation.x1 - annotation.x0) * (annotation.y1 - annotation.y0))
    try:
        return float(mask_of(annotation, item).area)
    except Impossible:
        return 0.0


def _merged(item: Item, members: list[Annotation], report: LossReport) -> Annotation:
    leader = max(members, key=lambda member: _area(item, member))
    crowd = leader.attributes.get("is_crowd", leader.is_crowd or None)
    shapes = [member for member in members if isinstance(member, (Polygon, Mask))]
    own_mask = any(isinstance(m, Mask) and m.category_id == leader.category_id for m in members)
    for member in members:
        if member is not leader:
            report.approximate(item, member, "", _MERGED)
    result: Annotation
    left: list[Annotation] = []
    if shapes and (crowd is True or (crowd is None and own_mask)):
        result = _as(Mask(_union(item, shapes)), leader)
    else:
        rings: list[Any] = []
        for shape in shapes:
            if isinstance(shape, Polygon):
                rings += shape.rings
            elif crowd is not None:
                rings += shape.rle.to_polygons(holes="bridge")
            else:
                left.append(shape)
        result = _as(Polygon(rings), leader) if rings else clone(leader)
    for hidden in left:
        report.drop(item, hidden, "shape", "CVAT's rule for groups leaves it out of the record")
    extents = [extent for extent in map(bounds, members) if extent is not None]
    x0, y0 = min(e[0] for e in extents), min(e[1] for e in extents)
    x1, y1 = max(e[2] for e in extents), max(e[3] for e in extents)
    if isinstance(result, Box):
        result.x0, result.y0, result.x1, result.y1, result.rotation = x0, y0, x1, y1, 0.0
    else:
        extra = {key: value for key, value in leader.extras.get("coco", {}).items() if key not in ("area", "#form")}
        extra["bbox"] = [x0, y0, x1 - x0, y1 - y0]
        if isinstance(result, Polygon):
            extra["area"] = _union(item, [result]).area
        result.extras = {**leader.extras, "coco": extra}
    result.is_crowd = crowd is True
    result.attributes = {name: value for name, value in leader.attributes.items() if name != "is_crowd"}
    result.group_id = None
    return result


def _as(shape: Annotation, leader: Annotation) -> Annotation:
    """The shape with everything else from the leader."""
    for name in Annotation.__slots__:
        setattr(shape, name, getattr(leader, name))
    return shape


def _union(item: Item, shapes: Sequence[Annotation]) -> Rle:
    whole: Rle | None = None
    for shape in shapes:
        mask = mask_of(shape, item)
        whole = mask if whole is None else whole | mask
    if whole is None:
        raise Impossible("no shape in the group")
    return whole
