"""Trees of parts and the groups that they make: brought into the form of a file before anything is written."""

from __future__ import annotations

import re
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.source import Source
from maskcodec.formats._shared.xmlio import Element
from maskcodec.model.annotations import Annotation, Mask, Polygon
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["PartTree", "arrange", "link"]


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




class PartTree:
    """Ids and parts of the objects of one file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.seen: set[int] = set()
        self.parents: dict[Any, Any] = {}
        self.children: dict[Any, list[int]] = {}

    def number(self, text: str, place: int, file: str, record: str) -> int:
        """The id of an object; its place where it has none."""
        if text and not re.fullmatch("[0-9]{1,9}", text):
            raise FormatError(f"expected a number, got {shorten(text)}", file=file, record=record, field="id")
        number = int(text) if text else place
        if number in self.seen:
            raise FormatError("another object has this id (duplicate)", file=file, record=record, field="id")
        self.seen.add(number)
        return number

    def add(self, element: Element, number: int, file: str, record: str) -> None:
        """What an object says of its parts and of what it is a part of."""
        for tag in ("hasparts", "ispartof"):
            for text in (element.value("parts", tag) or "").split(","):
                if not text.strip():
                    continue
                if not re.fullmatch(r"\s*[0-9]{1,9}\s*", text):
                    raise FormatError(f"expected ids, got {shorten(text)}", file=file, record=record, field=tag)
                if tag == "ispartof":
                    self.parents[number] = int(text)
                else:
                    self.children.setdefault(number, []).append(int(text))

    def finish(self, item: Item, file: str) -> None:
        """Set parents and groups of the annotations of an item."""
        for parent, numbers in self.children.items():
            for number in numbers:
                self.parents.setdefault(number, parent)
        lost = {c for c, p in self.parents.items() if c not in self.seen or p not in self.seen}
        if lost:
            self.source.report.unread(item, "object", "parts", "parts that are not in the file", count=len(lost))
        alive = {a.id for a in item.annotations}
        parents = {c: p for c, p in self.parents.items() if c in alive and p in alive}
        for start in list(parents):
            key, seen = start, {start}
            while key in parents:
                if parents[key] in seen:
                    text = "objects that are parts of each other"
                    self.source.problem(FormatError(text, file=file, record=f"object id {key}", field="parts"), item)
                    del parents[key]
                    break
                key = parents[key]
                seen.add(key)
        for annotation in item.annotations:
            annotation.parent_id = parents.get(annotation.id)
        link(item.annotations, parents)
