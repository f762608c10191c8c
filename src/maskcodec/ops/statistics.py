"""Counts and distributions of a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from maskcodec.model.dataset import Dataset
from maskcodec.model.geometry import bounds
from maskcodec.ops.edit import area_of

__all__ = ["statistics"]

_BINS = 20


def statistics(dataset: Dataset) -> dict[str, Any]:
    """Count what a data set holds, in one pass over its items.

    Returns:
        A dict that JSON can hold: numbers of ``items`` and ``annotations``; counts by ``subsets``, ``kinds``,
        ``categories`` (by name, unused ones too), ``per_item`` (annotations an item), ``sizes`` (``WxH`` of items),
        ``flags`` (crowd, occluded, truncated, outside), ``attributes`` (name -> value -> count, where there are few
        values); ``tracks``, ``links``; and histograms (``edges``, ``counts``) of ``areas`` (square pixels,
        logarithmic), ``widths``, ``heights`` and ``aspect`` (width over height) of annotations.

    Example:
        >>> from maskcodec import Box, Category, Item, LabelSchema
        >>> item = Item("a", annotations=[Box(0, 0, 2, 3, category_id=1)])
        >>> found = statistics(Dataset(LabelSchema([Category(1, "cat")]), [item]))
        >>> found["annotations"], found["categories"], found["per_item"]
        (1, {'cat': 1}, {'1': 1})
    """
    subsets: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    categories: Counter[Any] = Counter()
    per_item: Counter[int] = Counter()
    sizes: Counter[str] = Counter()
    flags: Counter[str] = Counter()
    values: dict[str, Counter[str]] = {}
    areas, widths, heights = [], [], []
    for item in dataset.items:
        subsets[item.subset] += 1
        per_item[len(item.annotations)] += 1
        sizes["unknown" if item.width is None or item.height is None else f"{item.width}x{item.height}"] += 1
        for annotation in item.annotations:
            kinds[annotation.variant] += 1
            categories[annotation.category_id] += 1
            for name in ("is_crowd", "occluded", "truncated", "outside", "keyframe"):
                flags[name] += bool(getattr(annotation, name))
            for name, value in annotation.attributes.items():
                values.setdefault(name, Counter())[str(value)] += 1
            area = area_of(annotation)
            if area is None:
                continue
            extent = bounds(annotation)
            areas.append(area)
            widths.append(extent[2] - extent[0] if extent is not None else 0.0)
            heights.append(extent[3] - extent[1] if extent is not None else 0.0)
    known = {category.name: categories.pop(category.id, 0) for category in dataset.schema}
    if categories:
        known.update({"(none)" if key is None else f"(not in the schema: {key})": n for key, n in categories.items()})
    shape = np.asarray(widths, float), np.asarray(heights, float)
    tall = shape[1] > 0
    return {
        "format": dataset.source.format if dataset.source is not None else None,
        "items": sum(subsets.values()),
        "annotations": sum(kinds.values()),
        "subsets": dict(subsets),
        "kinds": dict(kinds.most_common()),
        "categories": known,
        "per_item": {str(count): per_item[count] for count in sorted(per_item)},
        "sizes": dict(sizes.most_common(50)),
        "flags": {name: count for name, count in flags.items() if count},
        "attributes": {name: dict(found.most_common(20)) for name, found in values.items()},
        "tracks": len(dataset.tracks),
        "links": len(dataset.links),
        "areas": _histogram(areas, logarithmic=True),
        "widths": _histogram(widths),
        "heights": _histogram(heights),
        "aspect": _histogram((shape[0][tall] / shape[1][tall]).tolist(), logarithmic=True),
    }


def _histogram(values: Sequence[float], *, logarithmic: bool = False) -> dict[str, list[float]]:
    found = np.asarray(values, float)
    found = found[np.isfinite(found)]
    if logarithmic:
        found = found[found > 0]
    if not len(found):
        return {"edges": [], "counts": []}
    low, high = float(found.min()), float(found.max())
    if low == high:
        return {"edges": [low, high], "counts": [len(found)]}
    if logarithmic:
        edges = np.geomspace(low, high, _BINS + 1)
    else:
        edges = np.linspace(low, high, _BINS + 1)
    edges[0], edges[-1] = low, high  # rounding may have moved them inwards
    counts, _ = np.histogram(found, edges)
    return {"edges": edges.tolist(), "counts": counts.tolist()}
