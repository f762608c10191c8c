"""Which annotation of one item became which of another, for difference pictures."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from maskcodec.model.annotations import Annotation, Cuboid, Mask, same_value
from maskcodec.pictures.palette import Colors
from maskcodec.pictures.shapes import cuboid_corners, extent, is_finite

__all__ = ["Pair", "match"]

Pair = tuple["Annotation | None", "Annotation | None"]
# What another file may number or note differently without saying anything else about the image.
_NOT_COMPARED = {"category_id", "id", "extras", "group_id", "parent_id"}


@dataclass(slots=True)
class _Side:
    annotations: list[Annotation]
    names: list[str]
    extents: list[Any]
    free: list[int]

    @classmethod
    def of(cls, annotations: list[Annotation], colors: Colors) -> _Side:
        ones = np.ones(2)
        extents = [_extent(a, ones) if is_finite(a) else None for a in annotations]
        names = [colors.name(a.category_id) for a in annotations]
        return cls(annotations, names, extents, list(range(len(annotations))))


def _extent(annotation: Annotation, ones: Any) -> Any:
    """Box of an annotation, of what lies in space on the ground."""
    if isinstance(annotation, Cuboid):
        plan = cuboid_corners(annotation)[:, :2]
        return (*plan.min(axis=0).tolist(), *plan.max(axis=0).tolist())
    return extent(annotation, ones)


def same(a: Annotation, b: Annotation, name_a: str, name_b: str) -> bool:
    """Whether two annotations say the same, but for their numbers."""
    if type(a) is not type(b) or name_a != name_b:
        return False
    return all(same_value(getattr(a, f.name), getattr(b, f.name)) for f in fields(a) if f.name not in _NOT_COMPARED)


def match(
    old: list[Annotation], new: list[Annotation], colors_old: Colors, colors_new: Colors
) -> tuple[list[Pair], list[tuple[Annotation, Annotation]]]:
    """Pair the annotations of two items: those that are the same, then by id, then by the overlap of their extents.

    Returns:
        Pairs that differ (with None where there is no partner), and pairs that are the same.
    """
    one, two = _Side.of(old, colors_old), _Side.of(new, colors_new)
    equal = [(old[i], new[j]) for i, j in _equal(one, two)]
    differ: list[Pair] = [(old[i], new[j]) for i, j in _by_id(one, two)]
    differ += [(old[i], new[j]) for i, j in _by_overlap(one, two)]
    differ += [(old[i], None) for i in one.free]
    differ += [(None, new[j]) for j in two.free]
    return differ, equal


def _equal(one: _Side, two: _Side) -> list[tuple[int, int]]:
    places: dict[Any, list[int]] = defaultdict(list)
    for j in two.free:
        places[_key(two, j)].append(j)
    out = []
    for i in one.free:
        there = places.get(_key(one, i), [])
        alike = (j for j in there if same(one.annotations[i], two.annotations[j], one.names[i], two.names[j]))
        found = next(alike, None)
        if found is not None:
            there.remove(found)
            out.append((i, found))
    return _taken(one, two, out)


def _key(side: _Side, at: int) -> Any:
    a = side.annotations[at]
    return a.kind, side.names[at], side.extents[at], a.rle.area if isinstance(a, Mask) else 0


def _by_id(one: _Side, two: _Side) -> list[tuple[int, int]]:
    places = {(a.kind, a.id): j for j in two.free if (a := two.annotations[j]).id is not None}
    out, used = [], set()
    for i in one.free:
        a = one.annotations[i]
        j = places.get((a.kind, a.id)) if a.id is not None else None
        if j is not None and j not in used and _overlap(one.extents[i], two.extents[j]) > 0:
            used.add(j)
            out.append((i, j))
    return _taken(one, two, out)


def _overlap(a: Any, b: Any) -> float:
    if a is None or b is None:
        return 1e-9 if a is b else 0.0  # kinds without a place: nothing speaks against it
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if w < 0 or h < 0:
        return 0.0
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - w * h
    return 1.0 if union <= 0 else max(w * h / union, 1e-9)


def _by_overlap(one: _Side, two: _Side) -> list[tuple[int, int]]:
    """Greedily, the best first, from an IoU of one half; a common category counts a little."""
    kinds: dict[str, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for side, which in ((one, 0), (two, 1)):
        for at in side.free:
            if side.extents[at] is not None:
                kinds[side.annotations[at].kind][which].append(at)
    found = []
    for rows, columns in kinds.values():
        if not rows or not columns:
            continue  # nothing of this kind on the other side
        boxes = np.array([two.extents[j] for j in columns])
        sizes = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
        for i in rows:
            box = np.array(one.extents[i])
            common = (np.minimum(boxes[:, 2:], box[2:]) - np.maximum(boxes[:, :2], box[:2])).clip(0).prod(axis=1)
            score = common / np.maximum(sizes + (box[2:] - box[:2]).prod() - common, 1e-12)
            for at in np.flatnonzero(score >= 0.5).tolist():
                j = columns[at]
                found.append((-float(score[at]) - 0.2 * (one.names[i] == two.names[j]), i, j))
    out: list[tuple[int, int]] = []
    rows_used, columns_used = set(), set()
    for _, i, j in sorted(found):
        if i not in rows_used and j not in columns_used:
            rows_used.add(i)
            columns_used.add(j)
            out.append((i, j))
    return _taken(one, two, sorted(out))


def _taken(one: _Side, two: _Side, pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    left, right = {i for i, _ in pairs}, {j for _, j in pairs}
    one.free = [i for i in one.free if i not in left]
    two.free = [j for j in two.free if j not in right]
    return pairs
