"""Data sets, items, tracks, links; items in memory or loaded one by one."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from maskcodec.model.annotations import Annotation, Id
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

if TYPE_CHECKING:
    from maskcodec.formats.arrow.memory import ArrowTables

__all__ = ["Dataset", "Item", "ItemList", "Items", "LazyItems", "Link", "Media", "Origin", "Origins", "Track"]


@dataclass(slots=True)
class Item:
    """One image, video frame or point cloud with its annotations; ``(subset, id)`` is unique in a data set.

    Attributes:
        id: usually the path without its extension.
        path: relative to the media root, ``/`` between parts; None when unknown.
        media: "image" or "point_cloud".
        width: pixels; None when unknown.
        height: pixels; None when unknown.
        sequence: name of the sequence that this is a frame of.
        frame: position in the sequence, from 0.
        status: state of the labelling work, as the file says it.
    """

    id: Id
    path: str | None = None
    media: str = "image"
    width: int | None = None
    height: int | None = None
    subset: str = "default"
    sequence: str | None = None
    frame: int | None = None
    timestamp: float | str | None = None
    sensor: str | None = None
    status: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    annotations: list[Annotation] = field(default_factory=list)
    extras: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, Id]:
        """What identifies the item in its data set."""
        return self.subset, self.id


@dataclass(slots=True)
class Track:
    """An object over time; its shapes are the annotations with this ``track_id``."""

    id: Id
    category_id: Id | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    extras: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Link:
    """A relation between two tracks, annotations or items.

    Attributes:
        source: of a track its key in ``Dataset.tracks``, of an annotation ``(subset, item, annotation)`` by their ids,
            of an item ``(subset, id)``.
        target: likewise.
    """

    source: Any
    target: Any
    attributes: dict[str, Any] = field(default_factory=dict)
    extras: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Origin:
    """Where a data set was read from."""

    format: str
    path: str = ""
    version: str | None = None


class Items(Protocol):
    """What ``Dataset.items`` is: iterable again and again."""

    def __iter__(self) -> Iterator[Item]: ...


class Media(Protocol):
    """Opens the media of items; the source of a data set is one."""

    def open_media(self, item: Item | str) -> BinaryIO | None: ...


class Origins:
    """Opens the media of items under the names that they had before."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, str | None], tuple[Any, Item]] = {}

    def remember(self, item: Item, media: Any, before: Item) -> None:
        """Note what an item was called where its file is."""
        if media is not None:
            plain = Item(before.id, before.path, subset=before.subset)
            plain.extras = {name: {k: v for k, v in own.items() if k[:1] == "#"} for name, own in before.extras.items()}
            self._places[item.subset, item.path] = (media, plain)

    def origin(self, item: Item | str) -> tuple[Any, Item] | None:
        """The media that have the file of an item (or of a path in the subset ``default``), and the item there."""
        key = ("default", item) if isinstance(item, str) else (item.subset, item.path)
        return self._places.get(key)

    def open_media(self, item: Item | str) -> BinaryIO | None:
        """The media file of an item; None when there is none."""
        found = self.origin(item)
        stream: BinaryIO | None = found[0].open_media(found[1]) if found is not None else None
        return stream


class ItemList(list[Item]):
    """Items in memory."""


class LazyItems(Sequence[Item]):
    """Items that are loaded when they are asked for, so that a data set need not fit in memory.

    Every pass loads them afresh: changes to a loaded item are not kept. Materialise with ``ItemList(items)``.

    Args:
        index: one entry an item, cheap to hold (a number, a name); a sequence.
        load: entry -> Item, or None when the record had to be skipped (the loader reports that itself).
    """

    def __init__(self, index: Sequence[Any], load: Callable[[Any], Item | None]) -> None:
        self._index = index
        self._load = load

    def through(self, loader: Callable[[Callable[[Any], Item | None], Any], Item | None]) -> LazyItems:
        """The same items, loaded by ``loader(load, entry)``."""
        load = self._load
        return LazyItems(self._index, lambda entry: loader(load, entry))

    def take(self, positions: Sequence[int]) -> LazyItems:
        """The items at these positions."""
        return LazyItems([self._index[i] for i in positions], self._load)

    def __len__(self) -> int:
        return len(self._index)

    def __iter__(self) -> Iterator[Item]:
        for entry in self._index:
            item = self._load(entry)
            if item is not None:
                yield item

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return LazyItems(self._index[at], self._load)
        item = self._load(self._index[at])
        if item is None:
            raise IndexError(f"item {at} could not be read; see the report of the data set")
        return item

    def __repr__(self) -> str:
        return f"<LazyItems: {len(self)}>"


@dataclass(slots=True)
class Dataset:
    """A schema, items, and what holds for all of them.

    Attributes:
        items: iterable again and again, in file order.
        tracks: by track id, or by (subset, sequence, category, id) where an earlier track has the id.
        info: texts and numbers about the data set as a whole (``description``, ``version``, ``url``...).
        extras: format namespace -> what only that format knows.
        source: where it was read from.
        report: what reading had to skip. Readers are lazy: it is complete after one whole pass over ``items``.
        media: opens the media of items.

    Example:
        >>> from maskcodec.model.annotations import Box
        >>> from maskcodec.model.schema import Category, LabelSchema
        >>> schema = LabelSchema([Category(1, "cat")])
        >>> item = Item("a", path="a.png", width=8, height=6, annotations=[Box(1, 1, 4, 3, category_id=1)])
        >>> len(Dataset(schema, [item]).items)
        1
    """

    schema: LabelSchema = field(default_factory=LabelSchema)
    items: Any = field(default_factory=ItemList)
    tracks: dict[Any, Track] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)
    info: dict[str, Any] = field(default_factory=dict)
    extras: dict[str, dict[str, Any]] = field(default_factory=dict)
    source: Origin | None = None
    report: LossReport = field(default_factory=LossReport, compare=False)
    media: Media | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.items, list) and not isinstance(self.items, ItemList):
            self.items = ItemList(self.items)
        elif isinstance(self.items, Iterator) or not isinstance(self.items, Iterable):
            raise TypeError("items must be iterable again and again: give a list, ItemList or LazyItems")

    def subsets(self) -> list[str]:
        """Names of the subsets, in first-seen order; walks over all items."""
        return list(dict.fromkeys(item.subset for item in self.items))

    def to_arrow(self) -> ArrowTables:
        """All of it as Arrow tables in memory: ``items``, ``annotations``, ``categories``, ``tracks``, ``links``.

        Needs pyarrow. ``write(..., "arrow")`` puts the same tables on disk, item by item.
        """
        from maskcodec.formats.arrow import FORMATS
        from maskcodec.formats.arrow.memory import to_tables

        return to_tables(self, FORMATS[0].capabilities())

    @staticmethod
    def from_arrow(tables: ArrowTables) -> Dataset:
        """The data set of Arrow tables, as ``to_arrow`` makes them; items are loaded while they are iterated over.

        Args:
            tables: an engine may have left out rows of annotations, and may give the tables in types of its own.

        Raises:
            FormatError: other columns, or annotations that are not in the order of their items.
        """
        from maskcodec.formats.arrow.memory import from_tables

        return from_tables(tables)

    def load(self) -> Dataset:
        """Read all items into memory and return the data set itself."""
        if not isinstance(self.items, ItemList):
            # Nothing made here is garbage: looking for cycles among millions of new objects would double the time.
            collecting = gc.isenabled()
            gc.disable()
            try:
                self.items = ItemList(self.items)
            finally:
                if collecting:
                    gc.enable()
        return self
