"""Writing tracks of CVAT XML: shapes wait in a spool until all frames are numbered."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from typing import Any

from maskcodec.formats._shared.frames import Ends
from maskcodec.formats._shared.trackvalues import Unsaid
from maskcodec.formats._shared.xmlout import quoted
from maskcodec.formats.cvat_xml.attributes import NAMESPACE
from maskcodec.formats.cvat_xml.numbering import groups_of
from maskcodec.formats.cvat_xml.render import KEY, Renderer
from maskcodec.model.annotations import Annotation, Mask
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport, item_name

__all__ = ["TrackWriter"]

_MARK = re.compile(b"\x01([0-9]+)\x01")
_NUMBER = b"\x02"  # stands for the number of a track that has none


@dataclass(slots=True)
class _Track:
    """A track while it is written; ``rows`` are places of its shapes in the spool."""

    order: int
    id: Any
    head: list[tuple[str, str]]
    source: str
    group: str | None
    keyed: bool = False
    waiting: dict[str, list[Any]] = field(default_factory=dict)
    seen: dict[str, list[Any]] = field(default_factory=dict)
    rows: array[int] = field(default_factory=lambda: array("q"))


class TrackWriter:
    """The part of the writer that makes tracks."""

    dataset: Dataset
    report: LossReport
    render: Renderer
    quiet: Renderer
    shapes: Any
    with_images: bool
    named: str
    say_subset: bool
    size: tuple[int, int] | None
    frames: array[int]
    masks: dict[tuple[int, int], list[Any]]

    def _start_tracks(self) -> None:
        self.tracks: dict[Any, _Track] = {}
        self.unsaid = Unsaid(self.dataset.tracks)
        self.taken: set[int] = set()
        self.ends: dict[str, Ends] = {}
        self.loose: dict[str, list[tuple[int, Item, Annotation, str]]] = {}
        self.single: array[int] = array("q")  # order and place of the one-frame tracks
        # A data set of this family keeps the order of its tracks; others come as they begin.
        source, tracks = self.dataset.source, self.dataset.tracks.values()
        ours = source is not None and source.format.startswith("cvat_")
        self.ranks = {(t.category_id, t.id): n for n, t in enumerate(tracks, 1)} if ours else {}
        self.order = len(self.ranks)

    def _tracks(self, position: int, item: Item, tracked: list[Annotation]) -> None:
        self._close_loose(position, item, item.subset)
        self.unsaid.look(item)
        groups = groups_of(item, tracked, self.report)
        shapes: dict[Any, Annotation] = {}
        newest = -1
        for annotation in tracked:
            self._measure(item, annotation)
            group = groups.get(id(annotation))
            if annotation.track_id is None:
                self._one_frame(position, item, annotation, group)
                newest = self.order
                continue
            key = (item.subset, item.sequence, annotation.category_id, annotation.track_id)
            if key in shapes:
                self.report.drop(item, annotation, "", "a second shape of one track on one frame")
                continue
            track = self.tracks.get(key)
            if track is None:
                head, source = self._head(item, annotation)
                rank = self.ranks.get((annotation.category_id, annotation.track_id)) or self._next()
                track = self.tracks[key] = _Track(rank, annotation.track_id, head, source, group)
            elif track.group != group:
                self.report.approximate(item, annotation, "group_id", "a track has one group")
            if track.order < newest:
                self.report.approximate(item, None, "annotations", "shapes come in the order of their tracks")
            newest = max(newest, track.order)
            if self._row(track, position, item, annotation, self.render):
                shapes[key] = annotation
                count = track.seen.setdefault(annotation.variant, [0, item_name(item)])
                count[0] += 1
        anywhere = Item(item.id, subset=item.subset)  # the shape that ends a track is that of another frame
        for key, shape in self.ends.setdefault(item.subset, Ends()).step(shapes):
            self._ended(item, shape)
            self._row(self.tracks[key], position, anywhere, shape, self.quiet)

    def _next(self) -> int:
        self.order += 1
        return self.order

    def _ended(self, item: Item, shape: Annotation) -> None:
        self.report.default(item, shape.variant, "", "a shape outside, added to end a track")

    def _row(self, track: _Track, position: int, item: Item, shape: Annotation, render: Renderer) -> bool:
        if not track.rows and not shape.keyframe:
            self.report.default(item, shape, "keyframe", "the first shape of a track is a key frame")
        elif not shape.keyframe:
            count = track.waiting.setdefault(shape.variant, [0, item_name(item)])
            count[0] += 1
        text = render.shape(item, shape, None, position, track.source)
        if not text:
            return False
        if not track.rows:
            text = text.replace(KEY, "1")
        track.keyed = track.keyed or (shape.keyframe and render is self.render)
        data = text.encode("utf-8")
        track.rows.extend((self.shapes.tell(), len(data)))
        self.shapes.write(data)
        return True

    def _measure(self, item: Item, shape: Annotation) -> None:
        """Make the frames of a video, which have one size, hold a mask."""
        if self.with_images or not isinstance(shape, Mask) or not shape.rle.area:
            return
        height, width = shape.rle.shape
        self.masks.setdefault((height, width), [0, item_name(item)])[0] += 1
        if item.width is None or item.height is None:
            self.size = (max(width, self.size[0]), max(height, self.size[1])) if self.size else (width, height)

    def _head(self, item: Item, annotation: Annotation) -> tuple[list[tuple[str, str]], str]:
        category = self.render.categories.get(annotation.category_id)
        source = annotation.origin if annotation.origin is not None else "manual"
        head = [("label", category.name if category is not None else ""), ("source", source)]
        if item.subset != self.named or self.say_subset:
            head.append(("subset", item.subset))
        return head, source

    def _one_frame(self, position: int, item: Item, annotation: Annotation, group: str | None) -> None:
        order = self._next()
        head, source = self._head(item, annotation)
        text = self.render.shape(item, annotation, None, position, source)
        if not text:
            return
        self.report.default(item, annotation, "track_id", "a shape becomes a track of one frame")
        if not annotation.keyframe:
            self.report.default(item, annotation, "keyframe", "the first shape of a track is a key frame")
        pairs = [*head, ("group_id", group)] if group is not None else head
        start = f'  <track id="{_NUMBER.decode()}"{quoted(pairs)}>\n{text.replace(KEY, "1")}'
        self.loose.setdefault(item.subset, []).append((order, item, annotation, start))

    def _close_loose(self, position: int | None, item: Item | None, subset: str) -> None:
        """End the one-frame tracks of the last item of a subset, on this item if there is one."""
        for order, _, annotation, text in self.loose.pop(subset, ()):
            if position is not None and item is not None and not annotation.outside:
                ends = Ends()
                ends.step({0: annotation})
                for _, shape in ends.step({}):
                    self._ended(item, shape)
                    _, source = self._head(item, annotation)
                    text += self.quiet.shape(Item(item.id, subset=subset), shape, None, position, source)
            data = f"{text}  </track>\n".encode()
            self.single.extend((order, self.shapes.tell(), len(data)))
            self.shapes.write(data)

    def _track_numbers(self) -> dict[Any, int]:
        numbers: dict[Any, int] = {}
        taken: set[int] = set()
        for key, track in self.tracks.items():
            if type(track.id) is int and track.id not in taken:
                numbers[key] = track.id
                taken.add(track.id)
        free = 0
        for key, track in self.tracks.items():
            if key not in numbers:
                while free in taken:
                    free += 1
                taken.add(free)
                numbers[key] = free
                for variant, (count, shown) in track.seen.items():
                    self.report.rename(shown, None, "track_id", "track ids are numbers", what=variant, count=count)
            if not track.keyed:
                for variant, (count, shown) in track.waiting.items():
                    reason = "no key frames are marked: all are"
                    self.report.default(shown, None, "keyframe", reason, what=variant, count=count)
        self.taken = taken
        written = {key[3] for key, track in self.tracks.items() if track.rows}
        tracks = self.dataset.tracks
        for key, known in tracks.items():
            if known.id not in written:
                self.report.drop(None, str(known.id), "", "no shape of it is written", what="track")
            for name in self.unsaid.names(key):
                reason = "attributes belong to the shapes"
                self.report.drop(None, str(known.id), f"attributes.{name}", reason, what="track")
        return numbers

    def _write_tracks(self, stream: Any, numbers: dict[Any, int]) -> None:
        """All tracks, in the order in which they began."""
        extras = {(t.category_id, t.id): t.extras.get(NAMESPACE, {}) for t in self.dataset.tracks.values()}
        todo: list[tuple[int, Any, int]] = [(t.order, key, -1) for key, t in self.tracks.items() if t.rows]
        todo += [(self.single[at], None, at) for at in range(0, len(self.single), 3)]
        todo.sort(key=lambda entry: entry[0])
        free = 0
        for _, key, at in todo:
            if at >= 0:
                while free in self.taken:
                    free += 1
                text = self._filled(self.shapes, self.single[at + 1], self.single[at + 2])
                stream.write(text.replace(_NUMBER, b"%d" % free, 1))
                free += 1
                continue
            track = self.tracks[key]
            pairs = [("id", str(numbers[key])), *track.head]
            if track.group is not None:
                pairs.append(("group_id", track.group))
            pairs += [(k, str(v)) for k, v in extras.get((key[2], key[3]), {}).items()]
            stream.write(f"  <track{quoted(pairs)}>\n".encode())
            key_text = b"0" if track.keyed else b"1"
            for row in range(0, len(track.rows), 2):
                text = self._filled(self.shapes, track.rows[row], track.rows[row + 1])
                stream.write(text.replace(KEY.encode(), key_text))
            stream.write(b"  </track>\n")

    def _filled(self, spool: Any, start: int, size: int) -> bytes:
        spool.seek(start)
        return _MARK.sub(lambda found: b"%d" % self.frames[int(found.group(1))], spool.read(size))
