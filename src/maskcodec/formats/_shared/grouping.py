"""Groups as CVAT exports them: the members of a group are one object, an option of formats that CVAT writes so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maskcodec.formats._shared.carry_whole import clone
from maskcodec.formats._shared.conversions import SHARED, Impossible, mask_of
from maskcodec.masks import RleArray
from maskcodec.model.annotations import Annotation, Box, Ellipse, Mask, Polygon
from maskcodec.model.dataset import Item
from maskcodec.model.geometry import bounds
from maskcodec.model.losses import LossReport

__all__ = ["merge_groups", "merging"]


def merging(group: str, how: str) -> str:
    """``Capabilities.merges`` for the option of a writer: ``how`` for "cvat", nothing for "keep".

    Raises:
        ValueError: another option.
    """
    if group not in ("keep", "cvat"):
        raise ValueError(f'group is "keep" or "cvat", got {group!r}')
    return how if group == "cvat" else ""


def merge_groups(item: Item, annotations: Sequence[Annotation], report: LossReport, how: str) -> list[Annotation]:
    """Join what has an area in each group; the largest member leads: all but the shape is its own.

    Ungrouped annotations come first, then groups by their ids, as CVAT has them.

    Args:
        item: its size is that of the masks.
        annotations: are not modified.
        report: hears of every member that is joined to another.
        how: "paint": boxes become part of the mask; "apart": upright boxes stay as they are, in the group; "hull": they
            become one box around all members, in a group with the mask.
    """
    out = [annotation for annotation in annotations if not annotation.group_id]
    groups: dict[Any, list[Annotation]] = {}
    for annotation in annotations:
        if annotation.group_id:
            groups.setdefault(annotation.group_id, []).append(annotation)
    for key in sorted(groups, key=lambda key: (isinstance(key, str), key)):
        out += _merged(item, groups[key], report, how)
    return out


def _is_box(annotation: Annotation) -> bool:
    return isinstance(annotation, Box) and not annotation.rotation


def _merged(item: Item, members: list[Annotation], report: LossReport, how: str) -> list[Annotation]:
    apart = [member for member in members if _is_box(member) and how != "paint"]
    shapes = [m for m in members if isinstance(m, (Box, Ellipse, Polygon, Mask)) and not any(m is box for box in apart)]
    try:
        rles = [mask_of(shape, item) for shape in shapes]
    except Impossible:
        return members  # the conversion says what is missing
    joined = [*shapes, *apart] if how == "hull" else shapes
    if len(joined) < 2 or len({rle.shape for rle in rles}) > 1:
        return members
    areas = [float(rle.area) for rle in rles] + [_area(box) for box in apart if how == "hull"]
    leader = joined[areas.index(max(areas))]
    for member in joined:
        if member is not leader:
            report.approximate(item, member, "", "merged into one object with the rest of its group")
    made: list[Annotation] = []
    own = {name: getattr(leader, name) for name in SHARED}
    if how == "hull" and apart:
        extents = [extent for extent in map(bounds, joined) if extent is not None]
        sides = [pick(extent[at] for extent in extents) for at, pick in enumerate((min, min, max, max))]
        made.append(Box(*sides, **own))
    if shapes:
        if not isinstance(leader, Mask):
            report.approximate(item, leader, "", "written as the mask of its pixels (COCO rule)")
        made.append(Mask(RleArray.from_rles(rles).merge(), **own))
    rest = [member for member in members if not any(member is one for one in joined)]
    if len(made) + len(rest) == 1:
        made = [clone(one) for one in made]
        made[0].group_id = None
    return [*rest, *made]


def _area(box: Annotation) -> float:
    x0, y0, x1, y1 = bounds(box) or (0.0, 0.0, 0.0, 0.0)
    return (x1 - x0) * (y1 - y0)
