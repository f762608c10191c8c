"""Trees of parts and the groups that they make: brought into the form of a file before anything is written."""

from __future__ import annotations

from typing import Any

from maskcodec.model.annotations import Annotation, Mask, Polygon
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["arrange", "link"]


def link(annotations: list[Annotation], parents: dict[Any, Any]) -> None:
    """Give connected annotations a group, numbered from 1 in the order of their first members."""
    roots: dict[Any, Any] = {}

    def root(key: Any) -> Any:
        while key in parents:
            key = parents[key]
        return key

    members: dict[Any, list[Annotation]] = {}
    for annotation in annotations:
        members.setdefault(root(annotation.id), []).append(annotation)
    for group in members.values():
        if len(group) > 1:
            roots[root(group[0].id)] = len(roots) + 1
            for annotation in group:
                annotation.group_id = len(roots)


def arrange(item: Item, source: Item, report: LossReport) -> None:
    """Number the objects, tie groups to their first members, and report what that changes."""
    shapes = []
    for annotation in item.annotations:
        rings = annotation.rings if isinstance(annotation, Polygon) else ()
        if isinstance(annotation, Mask) and annotation.rle.shape != (item.height, item.width):
            report.drop(source, annotation, "", "the mask has another size than the image")
        elif rings and len(rings[0]) < 3:
            report.drop(source, annotation, "", "a polygon has at least three points")
        else:
            shapes.append(annotation)
    item.annotations = shapes
    before = [(a.id, a.parent_id, a.group_id) for a in shapes]
    ids = [a.id for a in shapes]
    good = len(set(ids)) == len(ids) and all(type(i) is int and i >= 0 for i in ids)
    new = {a.id: (a.id if good else at) for at, a in reversed(list(enumerate(shapes))) if a.id is not None}
    for at, annotation in enumerate(shapes):
        annotation.id = annotation.id if good else at
        annotation.parent_id = new.get(annotation.parent_id) if annotation.parent_id is not None else None
    _groups(shapes)
    for annotation, (own, parent, group) in zip(shapes, before, strict=True):
        for name, old in (("id", own), ("parent_id", parent), ("group_id", group)):
            if getattr(annotation, name) != old and not (name == "id" and old is None):
                tell = report.default if old is None else report.rename
                tell(source, annotation, name, "objects are numbered, groups are trees of parts")


def _groups(shapes: list[Annotation]) -> None:
    parents: dict[Any, Any] = {a.id: a.parent_id for a in shapes if a.parent_id is not None}
    for annotation in shapes:  # no circles
        seen, key = {annotation.id}, annotation.id
        while key in parents:
            if parents[key] in seen:
                del parents[key]
                break
            key = parents[key]
            seen.add(key)
    leaders: dict[Any, Annotation] = {}
    for annotation in shapes:
        if annotation.group_id is None:
            continue
        leader = leaders.setdefault(annotation.group_id, annotation)
        top, other = annotation.id, leader.id
        while top in parents:
            top = parents[top]
        while other in parents:
            other = parents[other]
        if top != other:
            parents[top] = leader.id
    for annotation in shapes:
        annotation.parent_id, annotation.group_id = parents.get(annotation.id), None
    link(shapes, parents)


