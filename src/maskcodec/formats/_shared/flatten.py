"""One value a pixel: what class maps and instance maps can hold of masks that overlap."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from maskcodec.masks import Rle, RleArray
from maskcodec.model.annotations import Annotation, Mask
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["flatten", "is_region"]

_COVERED = "pixels covered by a later object"


def is_region(mask: Mask, schema: LabelSchema) -> bool:
    """Whether a mask has no number among the objects of its class: a crowd, or stuff that was not read with one."""
    if mask.is_crowd:
        return True
    stuff = schema.by_id(mask.category_id).kind == "stuff"  # type: ignore[arg-type]
    return stuff and not any("#instance" in own for own in mask.extras.values())


def flatten(
    item: Item, source: Item, report: LossReport, schema: LabelSchema, mode: str, copy: Callable[[Mask], Mask]
) -> None:
    """Make the masks of an item disjoint, later ones in front; other kinds stay as they are.

    Args:
        item: its annotations are replaced.
        source: the item as it was, for the report.
        report: hears of covered pixels, of masks that are gone, and of masks that were joined.
        schema: order of the classes.
        mode: "objects"; "classes" joins the masks of each class into one, in the order of the schema; "segments" joins
            the crowds of each class, or all its masks if it is stuff, and sorts by the schema, joined ones first.
        copy: makes the annotations that are changed.
    """
    shown: list[Mask] = []
    rest: list[Annotation] = []
    for annotation in item.annotations:
        if not isinstance(annotation, Mask):
            rest.append(annotation)
        elif annotation.rle.shape != (item.height, item.width):
            report.drop(source, annotation, "", "the mask has another size than the image")
        else:
            shown.append(annotation)
    if mode == "classes":
        item.annotations = [*rest, *_classes(shown, source, report, schema, copy)]
    else:
        found = _objects(shown, source, report, copy)
        item.annotations = [*rest, *(_segments(found, source, report, schema, copy) if mode == "segments" else found)]


def _visible(rles: list[Rle]) -> list[Rle]:
    """What later masks leave of each mask."""
    if not rles:
        return []
    painted = RleArray.from_rles(rles).to_label_map(np.arange(1, len(rles) + 1, dtype=np.uint32), dtype=np.uint32)
    ids, left = RleArray.from_label_map(painted)
    found = dict(zip(ids.tolist(), left, strict=True))
    return [found.get(i + 1, rles[i] - rles[i]) for i in range(len(rles))]


def _objects(masks: list[Mask], source: Item, report: LossReport, copy: Callable[[Mask], Mask]) -> list[Mask]:
    out = []
    for mask, left in zip(masks, _visible([m.rle for m in masks]), strict=True):
        lost = mask.rle.area - left.area
        if left.area == 0:
            why = "covered by later objects" if lost else "an empty mask has no pixels in a map"
            report.drop(source, mask, "", why)
            continue
        if lost:
            report.drop(source, mask, "rle", _COVERED, count=lost)
            mask = copy(mask)
            mask.rle = left
        out.append(mask)
    return out


def _classes(
    masks: list[Mask], source: Item, report: LossReport, schema: LabelSchema, copy: Callable[[Mask], Mask]
) -> list[Mask]:
    groups: dict[int, list[tuple[Mask, Rle]]] = {}
    for mask, left in zip(masks, _visible([m.rle for m in masks]), strict=True):
        groups.setdefault(schema.index(mask.category_id), []).append((mask, left))  # type: ignore[arg-type]
    out = []
    for _, group in sorted(groups.items()):
        first = group[0][0]
        whole = RleArray.from_rles([mask.rle for mask, _ in group]).merge()
        seen = RleArray.from_rles([left for _, left in group]).merge()
        for mask, _ in group[1:]:
            report.approximate(source, mask, "", "joined with the other masks of its class")
        if seen.area == 0:
            why = "covered by later objects" if whole.area else "an empty mask has no pixels in a map"
            report.drop(source, first, "", why)
            continue
        if whole.area != seen.area:
            report.drop(source, first, "rle", _COVERED, count=whole.area - seen.area)
        joined = copy(first)
        joined.rle = seen
        out.append(joined)
    return out


def _segments(
    masks: list[Mask], source: Item, report: LossReport, schema: LabelSchema, copy: Callable[[Mask], Mask]
) -> list[Mask]:
    """Disjoint masks, those without instances joined by class."""
    regions: dict[int, list[Mask]] = {}
    rest: list[tuple[int, Mask]] = []
    for mask in masks:
        at = schema.index(mask.category_id)  # type: ignore[arg-type]
        if is_region(mask, schema):
            regions.setdefault(at, []).append(mask)
        else:
            rest.append((at, mask))
    joined: list[tuple[int, Mask]] = []
    for at, group in regions.items():
        first = group[0]
        if len(group) > 1:
            for mask in group[1:]:
                report.approximate(source, mask, "", "joined with the other regions of its class")
            first = copy(first)
            first.rle = RleArray.from_rles([mask.rle for mask in group]).merge()
        joined.append((at, first))
    return [mask for _, mask in sorted(joined + rest, key=lambda pair: pair[0])]
