"""Filtering annotations and items, and renaming or joining categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from maskcodec.model.annotations import Annotation, Box, Ellipse, Mask, Polygon
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.geometry import polygon_area
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category
from maskcodec.ops._views import Changed, clone, derived

__all__ = ["Kept", "filter_items", "remap"]


@dataclass
class Kept:
    """What a pass over filtered items let through.

    Attributes:
        items, annotations: how many there were.
        kept_items, kept_annotations: how many are left.
        reasons: reason -> number of annotations that it removed.
    """

    items: int = 0
    annotations: int = 0
    kept_items: int = 0
    kept_annotations: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


def area_of(annotation: Annotation) -> float | None:
    """Area in square pixels; None for kinds that have none."""
    if isinstance(annotation, Mask):
        return annotation.rle.area
    if isinstance(annotation, Box):
        return abs((annotation.x1 - annotation.x0) * (annotation.y1 - annotation.y0))
    if isinstance(annotation, Ellipse):
        return float(np.pi * abs(annotation.rx * annotation.ry))
    if isinstance(annotation, Polygon) and annotation.variant != "polygon3d":
        return abs(polygon_area(annotation))
    return None


def filter_items(
    dataset: Dataset,
    *,
    categories: Collection[str] | None = None,
    without: Collection[str] = (),
    kinds: Collection[str] | None = None,
    subsets: Collection[str] | None = None,
    items: Collection[str] = (),
    attributes: Mapping[str, Any] | None = None,
    min_area: float | None = None,
    max_area: float | None = None,
    min_score: float | None = None,
    crowd: bool | None = None,
    keep_empty: bool = True,
    where: Callable[[Item, Annotation], bool] | None = None,
) -> tuple[Dataset, Kept]:
    """Keep the annotations and items that fulfil every condition.

    Args:
        dataset: is not modified.
        categories: names of categories to keep; the schema keeps these alone. None: all.
        without: names of categories to leave out, of the schema too.
        kinds: kinds ("mask") or variants ("rotated_box") to keep.
        subsets: subsets to keep.
        items: patterns (``*``, ``?``) of which the path or id of an item must match one.
        attributes: values that annotations must have.
        min_area, max_area: in square pixels, inclusive; annotations without an area pass.
        min_score: annotations without a score pass.
        crowd: keep crowds only, or all but crowds.
        keep_empty: keep items of which no annotation is left (those that had none to begin with are kept too).
        where: any other condition on an annotation.

    Returns:
        The data set, and what the last complete pass over its items kept. Parts of annotations that are left out
        (``parent_id``) are left out with them.

    Raises:
        KeyError: a category that the schema has not.

    Example:
        >>> from maskcodec import Box, LabelSchema
        >>> item = Item("a", annotations=[Box(0, 0, 2, 2, category_id=1), Box(0, 0, 9, 9, category_id=1)])
        >>> small, kept = filter_items(Dataset(LabelSchema([Category(1, "cat")]), [item]), max_area=10)
        >>> [len(i.annotations) for i in small.items], kept.kept_annotations, dict(kept.reasons)
        ([1], 1, {'area': 1})
    """
    names = {category.name for category in dataset.schema}
    for name in (*(categories or ()), *without):
        if name not in names:
            raise KeyError(f"no category {name!r}; there are {', '.join(sorted(names)) or 'none'}")
    left = [c for c in dataset.schema if (categories is None or c.name in categories) and c.name not in without]
    chosen = {category.id for category in left}
    narrowed = len(left) != len(dataset.schema)
    tests: list[tuple[str, Callable[[Item, Annotation], bool]]] = []
    if narrowed:
        tests.append(("category", lambda item, a: a.category_id in chosen))
    if kinds is not None:
        tests.append(("kind", lambda item, a: a.kind in kinds or a.variant in kinds))
    if attributes:
        tests.append(("attributes", lambda item, a: all(a.attributes.get(k) == v for k, v in attributes.items())))
    if min_area is not None or max_area is not None:
        low, high = (-np.inf if min_area is None else min_area), (np.inf if max_area is None else max_area)
        tests.append(("area", lambda item, a: (area := area_of(a)) is None or low <= area <= high))
    if min_score is not None:
        tests.append(("score", lambda item, a: a.score is None or a.score >= min_score))
    if crowd is not None:
        tests.append(("crowd", lambda item, a: a.is_crowd == crowd))
    if where is not None:
        tests.append(("where", where))
    kept = Kept()

    def start() -> Callable[[Item], Item | None]:
        kept.__init__()  # type: ignore[misc]
        return change

    def change(item: Item) -> Item | None:
        kept.items += 1
        kept.annotations += len(item.annotations)
        if subsets is not None and item.subset not in subsets:
            return None
        if items and not any(fnmatchcase(name, one) for one in items for name in (str(item.path or ""), str(item.id))):
            return None
        found = _passing(item, tests, kept.reasons)
        if not found and item.annotations and not keep_empty:
            return None
        kept.kept_items += 1
        kept.kept_annotations += len(found)
        if len(found) == len(item.annotations):
            return item
        item = clone(item)
        item.annotations = found
        return item

    shown = replace(dataset.schema, categories=left) if narrowed else dataset.schema
    if shown.background not in chosen and narrowed:
        shown = replace(shown, background=None)
    result = derived(dataset, Changed(dataset.items, start), schema=shown)
    if narrowed:
        result.tracks = {k: t for k, t in dataset.tracks.items() if t.category_id is None or t.category_id in chosen}
    return result, kept


def _passing(
    item: Item, tests: list[tuple[str, Callable[[Item, Annotation], bool]]], reasons: Counter[str]
) -> list[Annotation]:
    found, gone = [], set()
    for annotation in item.annotations:
        reason = next((name for name, test in tests if not test(item, annotation)), "")
        if reason:
            reasons[reason] += 1
            if annotation.id is not None:
                gone.add(annotation.id)
        else:
            found.append(annotation)
    while gone:
        parts = [a for a in found if a.parent_id is not None and a.parent_id in gone]
        if not parts:
            break
        reasons["part of another"] += len(parts)
        gone |= {a.id for a in parts if a.id is not None}
        found = [a for a in found if not any(a is part for part in parts)]
    return found


def remap(dataset: Dataset, mapping: Mapping[str, str | None], *, others: str = "keep") -> tuple[Dataset, LossReport]:
    """Rename, join and leave out categories.

    Args:
        dataset: is not modified.
        mapping: name -> new name; several with one new name are joined (the first one's id, colour and points stay);
            None leaves the category and its annotations out.
        others: "keep" the categories that the mapping does not name, or "drop" them.

    Returns:
        The data set, and what it lost: annotations of categories that are left out are counted when they are passed.

    Raises:
        KeyError: a category that the schema has not.

    Example:
        >>> from maskcodec import LabelSchema
        >>> schema = LabelSchema([Category(1, "cat"), Category(2, "dog"), Category(3, "sky")])
        >>> remap(Dataset(schema), {"cat": "animal", "dog": "animal", "sky": None})[0].schema.categories[0].name
        'animal'
    """
    if others not in ("keep", "drop"):
        raise ValueError(f"others: expected 'keep' or 'drop', got {others!r}")
    names = {category.name for category in dataset.schema}
    for name in mapping:
        if name not in names:
            raise KeyError(f"no category {name!r}; there are {', '.join(sorted(names)) or 'none'}")
    report = LossReport()
    ids: dict[Any, Any] = {}
    made: dict[str, Category] = {}
    for category in dataset.schema:
        wanted = mapping.get(category.name, category.name if others == "keep" else None)
        if wanted is None:
            ids[category.id] = None
            continue
        name = wanted
        if name not in made:
            made[name] = clone(category)
            made[name].name = name
        elif [made[name].keypoints, made[name].skeleton] != [category.keypoints, category.skeleton]:
            report.drop(category.name, None, "keypoints", "joined with a category of other points", what="category")
        ids[category.id] = made[name].id
    renamed = {c.name: mapping[c.name] for c in dataset.schema if mapping.get(c.name) not in (None, c.name)}
    for category in made.values():
        category.parent = renamed.get(category.parent, category.parent) if category.parent else category.parent
    told: list[bool] = []

    def start() -> Callable[[Item], Item | None]:
        first = not told
        told.append(True)
        return lambda item: _recategorised(item, ids, report if first else LossReport())

    background = ids.get(dataset.schema.background, dataset.schema.background)
    schema = replace(dataset.schema, categories=list(made.values()), background=background)
    tracks = {}
    for key, track in dataset.tracks.items():
        if track.category_id in ids and ids[track.category_id] is None:
            report.drop(None, str(track.id), "", "its category is left out", what="track")
            continue
        tracks[key] = replace(track, category_id=ids.get(track.category_id, track.category_id))
    count = len(dataset.items) if hasattr(dataset.items, "__len__") else None
    return derived(dataset, Changed(dataset.items, start, count), schema=schema, tracks=tracks), report


def _recategorised(item: Item, ids: Mapping[Any, Any], report: LossReport) -> Item:
    changed = []
    for annotation in item.annotations:
        known = annotation.category_id is not None and annotation.category_id in ids
        now = ids[annotation.category_id] if known else annotation.category_id
        if known and now is None:
            report.drop(item, annotation, "", "its category is left out")
            continue
        if now != annotation.category_id:
            annotation = clone(annotation)
            annotation.category_id = now
        changed.append(annotation)
    item = clone(item)
    item.annotations = changed
    return item
