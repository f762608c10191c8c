"""Tracks and links of Segments.ai labels, found in one pass over the samples.

A track is a number within a sequence; its attributes are those that the definitions call immutable and that all its
shapes say alike. Links of a sequence name tracks, those of a single image or cloud name annotations (by their track id
where they have one).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from maskcodec.formats.segments.schema import NAMESPACE
from maskcodec.model.annotations import same_value
from maskcodec.model.dataset import Link, Track
from maskcodec.model.schema import LabelSchema

__all__ = ["Place", "TrackFinder", "annotation_links", "is_annotation_link", "is_track_link", "name_of"]

Place = tuple[str, Any]  # subset and sequence


def is_annotation_link(link: Link) -> bool:
    """Whether both ends are ``(subset, item, annotation)``, of one item."""
    ends = (link.source, link.target)
    return all(isinstance(end, tuple) and len(end) == 3 for end in ends) and link.source[:2] == link.target[:2]


def is_track_link(link: Link) -> bool:
    """Whether both ends are keys of tracks."""
    ends = (link.source, link.target)
    return all(len(end) == 4 if isinstance(end, tuple) else isinstance(end, (int, str)) for end in ends)


def _read(source: Any, target: Any, record: dict[str, Any], by: dict[str, Any]) -> Link:
    rest = {k: v for k, v in record.items() if k not in ("from_id", "to_id")} | by
    attributes = rest.get("attributes")
    if isinstance(attributes, dict) and attributes:
        del rest["attributes"]
    else:
        attributes = {}
    return Link(source, target, dict(attributes), {NAMESPACE: rest} if rest else {})


def name_of(record: dict[str, Any]) -> Any:
    """What links call an annotation: its track, without one its id."""
    return record.get("id") if record.get("track_id") is None else record["track_id"]


def annotation_links(subset: str, item: Any, label: Any) -> Iterator[Link]:
    """The links of one image or cloud; those that name nothing are left to the reading of the item, which tells."""
    records = label.get("annotations") if isinstance(label, dict) else None
    links = label.get("links") if isinstance(label, dict) else None
    if not isinstance(records, list) or not isinstance(links, list):
        return
    known = [r for r in records if isinstance(r, dict) and isinstance(r.get("id"), int)]
    ids: dict[Any, Any] = {r["id"]: r["id"] for r in reversed(known)}
    tracks: dict[Any, Any] = {name_of(r): r["id"] for r in reversed(known) if isinstance(name_of(r), int)}
    for link in links:
        ends = [link.get(key) for key in ("from_id", "to_id")] if isinstance(link, dict) else [None]
        if not all(isinstance(end, int) and (end in tracks or end in ids) for end in ends):
            continue  # reading the item says so
        by = {f"#{key}": "id" for key, end in zip(("from_id", "to_id"), ends, strict=True) if end not in tracks}
        source, target = ((subset, item, tracks.get(end, ids.get(end))) for end in ends)
        yield _read(source, target, link, by)


class TrackFinder:
    """Tracks and links of sequences, sample by sample."""

    def __init__(self, schema: LabelSchema) -> None:
        fixed = ((c.id, [spec.name for spec in c.attributes if not spec.mutable]) for c in schema)
        self.fixed: dict[Any, list[str]] = dict(fixed)
        self.places: dict[Place, dict[Any, Track]] = {}
        self._links: list[tuple[Place, dict[str, Any]]] = []

    def shape(self, place: Place, number: Any, category: Any, attributes: dict[str, Any]) -> None:
        """Take in a shape of a track."""
        own = self.places.setdefault(place, {})
        track = own.get(number)
        if track is None:
            fixed = {name: attributes[name] for name in self.fixed.get(category, ()) if name in attributes}
            own[number] = Track(number, category, fixed)
        elif track.attributes:
            mine = track.attributes
            for name in [n for n in mine if not (n in attributes and same_value(mine[n], attributes[n], types=True))]:
                del mine[name]

    def sample(self, place: Place, label: Any, frames: Iterable[Any]) -> None:
        """Take in a sample: label attributes, and the frames of all its sensors. What is faulty is told elsewhere."""
        for frame in frames:
            records = frame.get("annotations") if isinstance(frame, dict) else None
            for record in records if isinstance(records, list) else []:
                if not isinstance(record, dict):
                    continue
                number, category, own = name_of(record), record.get("category_id"), record.get("attributes")
                if type(number) is int and type(category) is int and category in self.fixed:
                    self.shape(place, number, category, own if isinstance(own, dict) else {})
        links = label.get("links") if isinstance(label, dict) else None
        known = self.places.get(place, {})
        for link in links if isinstance(links, list) else []:
            ends = [link.get(key) for key in ("from_id", "to_id")] if isinstance(link, dict) else [None]
            if all(isinstance(end, int) and end in known for end in ends):
                self._links.append((place, link))

    def tracks(self) -> dict[Any, Track]:
        """By number; by (subset, sequence, category, number) where an earlier one has the number."""
        found: dict[Any, Track] = {}
        for (subset, sequence), own in self.places.items():
            for number, track in own.items():
                found[number if number not in found else (subset, sequence, track.category_id, number)] = track
        return found

    def links(self, tracks: dict[Any, Track]) -> list[Link]:
        """With the keys that the tracks have."""
        out = []
        for (subset, sequence), link in self._links:
            own = self.places[subset, sequence]
            keys = []
            for end in (link["from_id"], link["to_id"]):
                first = tracks[end] is own[end]
                keys.append(end if first else (subset, sequence, own[end].category_id, end))
            out.append(_read(keys[0], keys[1], link, {}))
        return out
