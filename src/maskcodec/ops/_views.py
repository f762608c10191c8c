"""Items seen through a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from maskcodec.formats._shared.carry_whole import clone
from maskcodec.model.dataset import Dataset, Item, LazyItems, Origins
from maskcodec.model.losses import LossReport

__all__ = ["Changed", "Origins", "at", "clone", "derived", "total"]

Change = Callable[[Item], Item | None]


class Changed:
    """Items through a function that may leave some out.

    Args:
        items: what to go through.
        start: called at the beginning of each pass; returns the function for that pass, item -> item or None. Items are
            copied before they are changed.
        count: how many come out, if that is known.
    """

    def __init__(self, items: Iterable[Item], start: Callable[[], Change], count: int | None = None) -> None:
        self._items, self._start, self._count = items, start, count

    def __iter__(self) -> Iterator[Item]:
        change = self._start()
        for item in self._items:
            changed = change(item)
            if changed is not None:
                yield changed

    def __len__(self) -> int:
        if self._count is None:
            raise TypeError("how many items are left is known after a pass")
        return self._count


def total(items: Any) -> int:
    """The number of items, by a pass where it is not known."""
    try:
        return len(items)
    except TypeError:
        return sum(1 for _ in items)


def at(items: Any, positions: Sequence[int]) -> Any:
    """The items at these ascending positions, as lazy as they were."""
    if isinstance(items, LazyItems):
        return items.take(positions)
    if isinstance(items, Sequence):
        return [items[i] for i in positions]
    wanted = frozenset(positions)
    return Changed(items, lambda: _numbered(wanted), len(positions))


def _numbered(wanted: frozenset[int]) -> Change:
    place = -1

    def change(item: Item) -> Item | None:
        nonlocal place
        place += 1
        return item if place in wanted else None

    return change


def derived(dataset: Dataset, items: Any, **changes: Any) -> Dataset:
    """A data set with other items; the report of the first one is shared, as its items are read through it."""
    return replace(dataset, items=items, **{"report": dataset.report or LossReport(), **changes})
