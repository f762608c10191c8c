"""The parts of the shared write loop that put annotations one by one, or in the order in which they are painted."""

from __future__ import annotations

from maskcodec.formats._shared.carry_whole import NO_FIELD, clone
from maskcodec.model.annotations import Annotation, Points
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["paint_order", "single_points"]


def single_points(annotation: Annotation, item: Item, report: LossReport) -> list[Annotation]:
    """Points one by one; the first keeps the id."""
    if not isinstance(annotation, Points):
        return [annotation]
    if annotation.visibility is not None and any(v != 2 for v in annotation.visibility):
        report.drop(item, annotation, "visibility", NO_FIELD)
    if len(annotation.xy) != 1:
        report.approximate(item, annotation, "", "written as single points")
    out: list[Annotation] = []
    for point in annotation.xy:
        one = clone(annotation)
        one.xy, one.visibility = point.reshape(1, -1), None
        if out:
            one.id = None
        out.append(one)
    return out


def paint_order(item: Item, source: Item, report: LossReport) -> None:
    """Annotations in the order of their z_order, whose numbers are gone then."""
    if not any(annotation.z_order for annotation in item.annotations):
        return
    for annotation in item.annotations:
        if annotation.z_order:
            report.approximate(source, annotation, "z_order", "kept as the order of the list")
    item.annotations = [clone(a) if a.z_order else a for a in sorted(item.annotations, key=lambda a: a.z_order)]
    for annotation in item.annotations:
        if annotation.z_order:
            annotation.z_order = 0
