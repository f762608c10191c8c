"""Choosing items: a sample, or subsets for training and testing."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.ops._views import Changed, Origins, at, clone, derived, total

__all__ = ["sample", "split"]


def sample(dataset: Dataset, size: int | float, *, seed: int = 0) -> Dataset:
    """Some items, chosen at random, in the order that they had.

    Args:
        dataset: is not modified.
        size: how many items (an int), or which part of them (a float from 0 to 1).
        seed: the same seed gives the same items on every machine.

    Raises:
        ValueError: more items than there are.

    Example:
        >>> data = Dataset(items=[Item(i) for i in range(10)])
        >>> [item.id for item in sample(data, 3).items] == [item.id for item in sample(data, 0.3).items]
        True
    """
    count = total(dataset.items)
    if isinstance(size, float):
        if not 0 <= size <= 1:
            raise ValueError(f"size: expected a part from 0 to 1, got {size}")
        size = round(size * count)
    if not 0 <= size <= count:
        raise ValueError(f"size: {size} of {count} items")
    return derived(dataset, at(dataset.items, sorted(random.Random(seed).sample(range(count), size))))


def split(
    dataset: Dataset,
    parts: Mapping[str, float],
    *,
    seed: int = 0,
    by: str = "item",
    stratify: bool = False,
    report: LossReport | None = None,
) -> Dataset:
    """Divide the items among subsets.

    Args:
        dataset: is not modified; the subsets that it has are replaced.
        parts: name of a subset -> its share; shares are taken relative to their sum.
        seed: the same seed gives the same subsets on every machine.
        by: "item"; or "sequence", which keeps the frames of a sequence together.
        stratify: keep the shares within each category too, as well as that can be done (needs a pass over all items).
        report: hears of items that must be renamed, because two of one name come into one subset.

    Raises:
        ValueError: no parts, or shares that are not positive.

    Example:
        >>> data = split(Dataset(items=[Item(i) for i in range(10)]), {"train": 0.8, "val": 0.2})
        >>> Counter(item.subset for item in data.items)
        Counter({'train': 8, 'val': 2})
    """
    if not parts or any(not share > 0 for share in parts.values()):
        raise ValueError(f"parts: expected names with positive shares, got {dict(parts)!r}")
    if by not in ("item", "sequence"):
        raise ValueError(f"by: expected 'item' or 'sequence', got {by!r}")
    groups, contents = _groups(dataset, by, stratify)
    members = list(groups.values())
    random.Random(seed).shuffle(members)
    whole = sum(parts.values())
    shares = {name: share / whole for name, share in parts.items()}
    chosen = _stratified(members, contents, shares) if stratify else _filled(members, shares)
    count = sum(map(len, members))
    names: list[str] = [""] * count
    for name, positions in chosen.items():
        for position in positions:
            names[position] = name
    origins, told = Origins(), report if report is not None else LossReport()
    passes: list[bool] = []

    def start() -> Callable[[Item], Item | None]:
        hears = told if not passes else LossReport()
        passes.append(True)
        return _assigned(names, origins, dataset.media, hears)

    return derived(dataset, Changed(dataset.items, start, count), media=origins)


def _groups(dataset: Dataset, by: str, look: bool) -> tuple[dict[Any, list[int]], list[Counter[Any]]]:
    """Positions that stay together, and (if asked for) the categories at each position."""
    if by == "item" and not look:
        return {i: [i] for i in range(total(dataset.items))}, []
    groups: dict[Any, list[int]] = {}
    contents: list[Counter[Any]] = []
    for position, item in enumerate(dataset.items):
        key = (item.subset, item.sequence) if by == "sequence" and item.sequence is not None else position
        groups.setdefault(key, []).append(position)
        contents.append(Counter(a.category_id for a in item.annotations))
    return groups, contents


def _filled(members: list[list[int]], shares: Mapping[str, float]) -> dict[str, list[int]]:
    """Each group to the subset that lacks most; whole numbers come out as near to the shares as they can."""
    count = sum(map(len, members))
    lacking = {name: share * count for name, share in shares.items()}
    out: dict[str, list[int]] = {name: [] for name in shares}
    for group in members:
        name = max(lacking, key=lambda one: lacking[one])
        out[name] += group
        lacking[name] -= len(group)
    return out


def _stratified(
    members: list[list[int]], contents: list[Counter[Any]], shares: Mapping[str, float]
) -> dict[str, list[int]]:
    """Rare categories first, each group to the subset that lacks most of the category (iterative stratification,
    Sechidis et al., 2011)."""
    inside = [sum((contents[i] for i in group), Counter()) for group in members]
    left = set(range(len(members)))
    sums = sum((Counter(content.keys()) for content in inside), Counter())
    lacking = {name: {c: share * n for c, n in sums.items()} for name, share in shares.items()}
    room = {name: share * sum(map(len, members)) for name, share in shares.items()}
    holders: dict[Any, list[int]] = {}
    for number, content in enumerate(inside):
        for category in content:
            holders.setdefault(category, []).append(number)
    out: dict[str, list[int]] = {name: [] for name in shares}

    def put(number: int, name: str) -> None:
        left.discard(number)
        out[name] += members[number]
        room[name] -= len(members[number])
        for category in inside[number]:
            lacking[name][category] -= 1

    for category in sorted(sums, key=lambda c: (sums[c], str(c))):
        for number in holders[category]:
            if number in left:
                put(number, max(shares, key=lambda name: (lacking[name][category], room[name])))
    for number in sorted(left):
        put(number, max(shares, key=lambda name: room[name]))
    return out


def _assigned(names: list[str], origins: Origins, media: Any, report: LossReport) -> Callable[[Item], Item | None]:
    taken: set[tuple[str, Any]] = set()
    paths: set[tuple[str, str]] = set()
    place = -1

    def change(item: Item) -> Item | None:
        nonlocal place
        place += 1
        before, item = item, clone(item)
        item.subset = names[place]
        if item.key in taken:
            item.id = f"{before.subset}/{before.id}"
            report.rename(before, None, "id", "two items of this id come into one subset")
        if item.path is not None and (item.subset, item.path) in paths:
            item.path = f"{before.subset}/{before.path}"
            report.rename(before, None, "path", "two files of this name come into one subset")
        taken.add(item.key)
        if item.path is not None:
            paths.add((item.subset, item.path))
        origins.remember(item, media, before)
        return item

    return change
