"""Tracks and links of a data set, put back with the samples of Segments.ai that they belong to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from maskcodec.formats.segments.relations import Place, TrackFinder, name_of
from maskcodec.formats.segments.schema import NAMESPACE
from maskcodec.model.annotations import Annotation, same_value
from maskcodec.model.dataset import Dataset, Item, Link, Track
from maskcodec.model.losses import LossReport

__all__ = ["AnnotationLinks", "TrackLinks"]


def _record(link: Link, source: int, target: int) -> dict[str, Any]:
    rest = {k: v for k, v in link.extras.get(NAMESPACE, {}).items() if not k.startswith("#")}
    if link.attributes:
        rest["attributes"] = link.attributes
    return {"from_id": source, "to_id": target, **rest}


def _lost(link: Link, report: LossReport) -> None:
    report.drop(None, f"{link.source} -> {link.target}", "", "an end of it is not there", what="link")


@dataclass
class _Order:
    """Tells when links come in another order than they had."""

    report: LossReport
    last: int = -1
    told: bool = False

    def __call__(self, at: int) -> None:
        if at < self.last and not self.told:
            self.report.approximate(None, None, "links", "links are kept sample by sample", what="dataset")
            self.told = True
        self.last = at


class AnnotationLinks:
    """Links of images and clouds, asked for as their items are written."""

    def __init__(self, dataset: Dataset, report: LossReport) -> None:
        self.report, self.order = report, _Order(report)
        self.waiting: dict[tuple[str, Any], list[tuple[int, Link]]] = {}
        for at, link in enumerate(dataset.links):
            self.waiting.setdefault(link.source[:2], []).append((at, link))

    def records(self, item: Item, numbers: dict[Any, tuple[int, Any]]) -> list[dict[str, Any]]:
        """Records of one item; ``numbers`` are ids and track ids as written, by the ids that annotations had."""
        out = []
        for at, link in self.waiting.pop((item.subset, item.id), ()):
            ends = [numbers.get(end[2]) for end in (link.source, link.target)]
            if None in ends:
                _lost(link, self.report)
                continue
            by = link.extras.get(NAMESPACE, {})
            named = []
            for key, end, given in zip(("#from_id", "#to_id"), ends, (link.source, link.target), strict=True):
                number, track = end or (0, None)
                named.append(number if type(track) is not int or by.get(key) == "id" else track)
                if number != given[2]:
                    self.report.rename(item, None, "links", "ends are named as their annotations are", what="dataset")
            self.order(at)
            out.append(_record(link, *named))
        return out

    def close(self) -> None:
        """Tell which links had no place."""
        for entries in self.waiting.values():
            for _, link in entries:
                _lost(link, self.report)


@dataclass
class TrackLinks:
    """Tracks and links of sequences: what is written of the tracks is gathered, then links are given their samples."""

    dataset: Dataset
    report: LossReport
    numbers: dict[tuple[Place, Any], int] = field(default_factory=dict)
    first: dict[Any, Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.found = TrackFinder(self.dataset.schema)
        self.wanted = bool(self.dataset.tracks or self.dataset.links)

    def attributes(self, place: Place, item: Item, annotation: Annotation) -> dict[str, Any]:
        """Take in a shape; its attributes, with those of its track that hold throughout and that it does not say."""
        own, number, tracks = annotation.attributes, annotation.track_id, self.dataset.tracks
        if not self.wanted or number is None:
            return own
        category = annotation.category_id
        keys = [(item.subset, item.sequence, category, number), (item.subset, None, category, number)]
        track = next((tracks[key] for key in keys if key in tracks), None)
        if track is None and self.first.get(number, place) == place:
            track = tracks.get(number)
        fixed = self.found.fixed.get(category, ())
        added = {k: v for k, v in track.attributes.items() if k in fixed and k not in own} if track is not None else {}
        for name in added:
            reason = "what holds for a track stands with each of its shapes"
            self.report.default(item, annotation, f"attributes.{name}", reason)
        merged = {**own, **added}
        self._shape(place, number, category, merged)
        return merged

    def unresolved(self, place: Place, records: list[Any]) -> None:
        """Take in shapes that are written as they were read, without pixels at hand."""
        for record in records if self.wanted else ():
            number = name_of(record) if isinstance(record, dict) else None
            if type(number) is int:
                own = record.get("attributes")
                self._shape(place, number, record.get("category_id"), own if isinstance(own, dict) else {})
                self.numbers[place, number] = number

    def _shape(self, place: Place, track: Any, category: Any, attributes: dict[str, Any]) -> None:
        self.first.setdefault(track, place)
        self.found.shape(place, track, category, attributes)

    def _place(self, key: Any) -> tuple[Place, Any] | None:
        """Sample and id of what a key of a track means."""
        if not isinstance(key, tuple):
            return (self.first[key], key) if key in self.first else None
        subset, sequence, category, number = key
        for place, own in self.found.places.items() if sequence is None else [((subset, sequence), {})]:
            own = own or self.found.places.get(place, {})
            if place[0] == subset and number in own and own[number].category_id == category:
                return place, number
        return None

    def close(self, places: Iterable[Place]) -> dict[Place, list[dict[str, Any]]]:
        """Records of links by sample; tells what of tracks and links is not written.

        Args:
            places: of the samples, in the order in which they are written.
        """
        rank = {place: at for at, place in enumerate(places)}
        # A number alone is the track of the first sample that has it, as it will be for a reader.
        known = self.found.places
        self.first = {n: p for p in sorted(known, key=rank.__getitem__, reverse=True) for n in known[p]}
        for key, track in self.dataset.tracks.items():
            self._compare(track, self._place(key))
        out: dict[Place, list[dict[str, Any]]] = {}
        order = _Order(self.report)
        for link in self.dataset.links:
            source, target = (self._place(end) for end in (link.source, link.target))
            if source is None or target is None or source[0] != target[0]:
                if source is None or target is None:
                    _lost(link, self.report)
                else:
                    text = "its ends are of two sequences"
                    self.report.drop(None, f"{link.source} -> {link.target}", "", text, what="link")
                continue
            order(rank[source[0]])
            out.setdefault(source[0], []).append(_record(link, self.numbers[source], self.numbers[target]))
        return out

    def _compare(self, track: Track, found: tuple[Place, Any] | None) -> None:
        name, report = str(track.id), self.report
        if found is None:
            report.drop(None, name, "", "no shape of it is written", what="track")
            return
        written = self.found.places[found[0]][found[1]]
        if track.category_id not in (None, written.category_id):
            report.approximate(None, name, "category_id", "a track has the category of its shapes", what="track")
        for key, value in track.attributes.items():
            if key not in written.attributes or not same_value(written.attributes[key], value, types=True):
                text = "not immutable, or its shapes say otherwise"
                report.drop(None, name, f"attributes.{key}", text, what="track")
        for key in track.extras.get(NAMESPACE, {}):
            report.drop(None, name, f"extras.{NAMESPACE}.{key}", "a track says nothing besides", what="track")
