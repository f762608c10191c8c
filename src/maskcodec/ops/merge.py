"""Several data sets as one: categories joined by name, ids made unique, no file name taken twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from maskcodec.model.annotations import same_value
from maskcodec.model.dataset import Dataset, Item, Link, Track
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import AttributeSpec, Category, LabelSchema
from maskcodec.ops._views import Origins, clone

__all__ = ["merge"]

_IDS = "ids of several data sets that are the same"


@dataclass
class _Source:
    """One of the data sets, and what becomes of its ids."""

    name: str
    dataset: Dataset
    categories: dict[Any, Any] = field(default_factory=dict)
    by: dict[str, int] = field(default_factory=lambda: {"id": 0, "track_id": 0})  # added to whole numbers
    texts: dict[str, set[str]] = field(default_factory=lambda: {"id": set(), "track_id": set()})  # texts to be changed
    items: dict[tuple[str, Any], Any] = field(default_factory=dict)  # key -> new id

    def moved(self, what: str, value: Any) -> Any:
        """The new value of an id of an annotation or a track."""
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, int):
            return value + self.by[what]
        return f"{self.name}/{value}" if value in self.texts[what] else value


@dataclass
class _Seen:
    """Ids that a data set uses."""

    low: dict[str, int] = field(default_factory=dict)
    high: dict[str, int] = field(default_factory=dict)
    texts: dict[str, set[str]] = field(default_factory=lambda: {"id": set(), "track_id": set()})
    keys: list[tuple[str, Any]] = field(default_factory=list)

    def add(self, what: str, value: Any) -> None:
        if isinstance(value, str):
            self.texts[what].add(value)
        elif isinstance(value, int):
            self.low[what] = min(self.low.get(what, value), value)
            self.high[what] = max(self.high.get(what, value), value)

    @classmethod
    def of(cls, dataset: Dataset) -> _Seen:
        seen = cls()
        for item in dataset.items:
            seen.keys.append(item.key)
            for annotation in item.annotations:
                seen.add("id", annotation.id)
                seen.add("track_id", annotation.track_id)
        for track in dataset.tracks.values():
            seen.add("track_id", track.id)
        return seen


def merge(datasets: Sequence[Dataset], names: Sequence[str] | None = None) -> tuple[Dataset, LossReport]:
    """Put data sets together; nothing is left out.

    Categories of one name become one, with the id, colour and points of the first. Ids of annotations and tracks that
    several data sets use are moved beyond those of the data sets before. An item whose subset and id, or whose path, is
    taken gets the name of its data set in front (``second/a.png``): two files of one name stay two. The data sets are
    passed once to look at their ids.

    Args:
        datasets: one or more; none is modified.
        names: of the data sets, for renamed items; "1", "2"... by default.

    Returns:
        The data set, and what had to be renamed or could not be joined.

    Example:
        >>> from maskcodec import Box
        >>> def one(category):
        ...     item = Item("a", "a.png", annotations=[Box(0, 0, 1, 1, category_id=category, id=1)])
        ...     return Dataset(LabelSchema([Category(category, "cat")]), [item])
        >>> both, report = merge([one(1), one(7)], ["x", "y"])
        >>> [(i.path, i.annotations[0].id, i.annotations[0].category_id) for i in both.items]
        [('a.png', 1, 1), ('y/a.png', 2, 1)]
    """
    if not datasets:
        raise ValueError("no data sets to merge")
    names = [str(i) for i in range(1, len(datasets) + 1)] if names is None else list(names)
    if len(names) != len(datasets) or len(set(names)) != len(names):
        raise ValueError(f"names: expected {len(datasets)} different names, got {names}")
    report = LossReport()
    sources = [_Source(name, dataset) for name, dataset in zip(names, datasets, strict=True)]
    schema = _schema(sources, report)
    _ids(sources)
    tracks, links = _tracks(sources, report), _links(sources)
    info: dict[str, Any] = {}
    extras: dict[str, dict[str, Any]] = {}
    for source in sources:
        for key, value in source.dataset.info.items():
            _put(info, key, value, "info", report)
        for space, own in source.dataset.extras.items():
            for key, value in own.items():
                _put(extras.setdefault(space, {}), key, value, f"extras.{space}", report)
    origins = Origins()
    items = _Merged(sources, origins, report)
    return Dataset(schema, items, tracks, links, info, extras, media=origins), report


def _put(into: dict[str, Any], key: str, value: Any, field: str, report: LossReport) -> None:
    if key not in into:
        into[key] = value
    elif not same_value(into[key], value) and key[:1] != "#":
        report.drop(None, None, f"{field}.{key}", "another data set says otherwise, the first one holds")


def _schema(sources: list[_Source], report: LossReport) -> LabelSchema:
    made: dict[str, Category] = {}
    used: set[Any] = set()
    schema = LabelSchema()
    for source in sources:
        own = source.dataset.schema
        for category in own:
            known = made.get(category.name)
            if known is None:
                made[category.name] = known = clone(category)
                known.attributes = list(category.attributes)
                if category.id in used:
                    known.id = max((one for one in used if isinstance(one, int)), default=0) + 1
                    report.rename(category.name, None, "id", _IDS, what="category")
                used.add(known.id)
            else:
                _joined(known, category, report)
            source.categories[category.id] = known.id
        _specs(schema.attributes, own.attributes, "schema", report)
        for group in own.tag_groups:
            known_group = next((one for one in schema.tag_groups if one.name == group.name), None)
            if known_group is None:
                schema.tag_groups.append(replace(group, tags=list(group.tags)))
            else:
                known_group.tags += [tag for tag in group.tags if tag not in known_group.tags]
        if schema.background is None and own.background is not None:
            schema.background = source.categories.get(own.background, own.background)
    schema.categories = list(made.values())
    return schema


def _joined(known: Category, category: Category, report: LossReport) -> None:
    if known.id != category.id:
        report.rename(category.name, None, "id", "joined with the category of this name", what="category")
    for name in ("color", "kind", "parent", "keypoints", "skeleton", "extras"):
        mine, other = getattr(known, name), getattr(category, name)
        if mine in (None, [], {}) and other not in (None, [], {}):
            setattr(known, name, other)
        elif other not in (None, [], {}) and not same_value(mine, other):
            report.drop(category.name, None, name, "joined: the first one of this name holds", what="category")
    _specs(known.attributes, category.attributes, category.name, report)


def _specs(known: list[AttributeSpec], more: Iterable[AttributeSpec], where: str, report: LossReport) -> None:
    for spec in more:
        mine = next((one for one in known if one.name == spec.name), None)
        if mine is None:
            known.append(spec)
        elif mine != spec:
            if mine.type == spec.type and mine.type in ("select", "multiselect"):
                values = [*mine.values, *(value for value in spec.values if value not in mine.values)]
                known[known.index(mine)] = replace(mine, values=values)
            else:
                report.drop(where, None, f"attributes.{spec.name}", "joined: the first one of this name holds")


def _ids(sources: list[_Source]) -> None:
    """What is added to the ids of each data set."""
    tops: dict[str, int] = {}
    ranges: dict[str, list[tuple[int, int]]] = {"id": [], "track_id": []}
    texts: dict[str, set[str]] = {"id": set(), "track_id": set()}
    taken: set[tuple[str, Any]] = set()
    for source in sources:
        seen = _Seen.of(source.dataset)
        for what in ("id", "track_id"):
            if what in seen.low:
                low, high = seen.low[what], seen.high[what]
                if any(low <= b and a <= high for a, b in ranges[what]):
                    source.by[what] = max(tops[what] + 1 - low, 0)
                    low, high = low + source.by[what], high + source.by[what]
                ranges[what].append((low, high))
                tops[what] = max(tops.get(what, high), high)
            source.texts[what] = seen.texts[what] & texts[what]
            texts[what] |= seen.texts[what]
        for key in seen.keys:
            if key in taken:
                source.items[key] = f"{source.name}/{key[1]}"
            taken.add((key[0], source.items.get(key, key[1])))


def _tracks(sources: list[_Source], report: LossReport) -> dict[Any, Track]:
    tracks: dict[Any, Track] = {}
    for source in sources:
        for key, track in source.dataset.tracks.items():
            moved = source.moved("track_id", track.id)
            if moved != track.id:
                report.rename(None, str(track.id), "id", _IDS, what="track")
            category = source.categories.get(track.category_id, track.category_id)
            if isinstance(key, tuple):
                key = (*key[:-2], source.categories.get(key[-2], key[-2]), moved) if len(key) > 1 else (moved,)
            else:
                key = moved
            tracks[key if key not in tracks else (source.name, key)] = replace(track, id=moved, category_id=category)
    return tracks


def _links(sources: list[_Source]) -> list[Link]:
    links = []
    for source in sources:
        tracks = source.dataset.tracks

        def end(value: Any, source: _Source = source, tracks: dict[Any, Track] = tracks) -> Any:
            if isinstance(value, tuple):
                if value in tracks:
                    return (*value[:-1], source.moved("track_id", value[-1]))
                new = source.items.get(value[:2])
                return value if new is None else (value[0], new, *value[2:])
            return source.moved("track_id" if value in tracks else "id", value)

        links += [replace(link, source=end(link.source), target=end(link.target)) for link in source.dataset.links]
    return links


class _Merged:
    """The items of all data sets, one after the other."""

    def __init__(self, sources: list[_Source], origins: Origins, report: LossReport) -> None:
        self._sources, self._origins, self._report = sources, origins, report
        self._untold = [report]  # of what comes up in a pass; the first one takes it

    def __len__(self) -> int:
        return sum(len(source.dataset.items) for source in self._sources)

    def __iter__(self) -> Iterator[Item]:
        try:
            report = self._untold.pop()
        except IndexError:
            report = LossReport()
        paths: set[tuple[str, str]] = set()
        for source in self._sources:
            for item in source.dataset.items:
                yield self._changed(source, item, paths, report)
        if report is self._report:
            for source in self._sources:
                report.merge(source.dataset.report)

    def _changed(self, source: _Source, before: Item, paths: set[tuple[str, str]], report: LossReport) -> Item:
        item = clone(before)
        if before.key in source.items:
            item.id = source.items[before.key]
            report.rename(before, None, "id", "an item of this id is in another data set")
        if item.path is not None:
            if (item.subset, item.path) in paths:
                item.path = f"{source.name}/{item.path}"
                report.rename(before, None, "path", "a file of this name is in another data set")
            paths.add((item.subset, item.path))
        self._origins.remember(item, source.dataset.media, before)
        moved: Callable[[str, Any], Any] = source.moved
        annotations = []
        for annotation in before.annotations:
            new = clone(annotation)
            new.category_id = source.categories.get(annotation.category_id, annotation.category_id)
            new.id, new.parent_id = moved("id", annotation.id), moved("id", annotation.parent_id)
            new.track_id = moved("track_id", annotation.track_id)
            for name in ("id", "track_id"):
                if getattr(new, name) != getattr(annotation, name):
                    report.rename(before, annotation, name, _IDS)
            annotations.append(new)
        item.annotations = annotations
        return item
