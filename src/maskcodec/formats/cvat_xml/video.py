"""``track`` elements of CVAT XML: which frames their shapes stand on, and the shapes of one frame."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from maskcodec.errors import FormatError
from maskcodec.formats._shared.frames import between, frame_name, gaps
from maskcodec.formats._shared.xmlio import Element
from maskcodec.formats.cvat_xml.attributes import NAMESPACE
from maskcodec.formats.cvat_xml.fields import Fault, flag, pairs
from maskcodec.formats.cvat_xml.images import Images, below
from maskcodec.formats.cvat_xml.index import Index
from maskcodec.formats.cvat_xml.shapes import Carried
from maskcodec.model.annotations import Annotation
from maskcodec.model.dataset import Item, Track
from maskcodec.model.schema import Category

__all__ = ["Entry", "Tracks"]

_TRACK = ("id", "label", "source", "subset", "group_id", "task_id")
Entry = tuple[int, int, int]  # subset, frame (-1: none), number of the image (-1: none)


class Tracks(Images):
    """The part of the reader that knows tracks.

    Attributes:
        heads: of every track its file, what it is in the model (None: skipped), category, attributes, subset number.
        rows: shapes of tracks sorted by item, columns item, track, file, row, next row (-1: not interpolated).
    """

    indices: list[Index]
    mode: str
    subsets: dict[str, int]
    tracks: dict[Any, Track]
    heads: list[tuple[Index, Track | None, Category | None, dict[str, str], int]]
    rows: Any

    def _default_subset(self, index: Index) -> str:
        if index.meta.subset:
            return index.meta.subset
        named = index.stem not in ("annotations", "") and self.source.path != "<bytes>"
        return index.stem if named else "default"

    def _number(self, name: str) -> int:
        return self.subsets.setdefault(name, len(self.subsets))

    def _find_tracks(self) -> None:
        used = {h.get("id", "") for index in self.indices for h, _ in index.tracks}
        free = iter(n for n in range(len(used) + sum(len(x.tracks) for x in self.indices)) if str(n) not in used)
        for index in self.indices:
            for head, line in index.tracks:
                text = head.get("id")
                key = (int(text) if re.fullmatch(r"-?[0-9]+", text) else text) if text is not None else next(free)
                subset = head.get("subset") or self._default_subset(index)
                try:
                    category = self._category(head.get("label"))
                except Fault as fault:
                    record = f"line {line}: track {key}"
                    error = FormatError(str(fault), file=index.file, record=record, field=fault.field)
                    self.source.problem(error, what="track")
                    self.heads.append((index, None, None, head, self._number(subset)))
                    continue
                rest = {k: v for k, v in head.items() if k not in _TRACK}
                own = category.id if category is not None else None
                track = Track(key, own, extras={NAMESPACE: rest} if rest else {})
                place: Any = key if key not in self.tracks else (subset, None, own, key)
                if place in self.tracks:
                    text = "a second track of the same subset, label and id: their shapes become one track"
                    self.source.report.approximate(index.file, None, "id", text, what="track")
                self.tracks.setdefault(place, track)
                self.heads.append((index, track, category, head, self._number(subset)))

    def _place_rows(self, entries: list[Entry], columns: list[Any], head_subset: Any) -> None:
        """Sort the shapes of tracks by item; shapes between sparse key frames are made from the two around them."""
        subset, frame = np.array([e[:2] for e in entries], np.int64).reshape(-1, 2).T
        first = np.searchsorted(subset, np.arange(len(self.subsets) + 1))
        parts = []
        for at, (_, keep, track, frames, outside) in enumerate(columns):
            item = np.empty(len(keep), np.int64)
            for s in range(len(self.subsets)):
                mine = head_subset[track] == s
                item[mine] = first[s] + np.searchsorted(frame[first[s] : first[s + 1]], frames[mine])
            sort = np.lexsort((item, track))
            item, track, keep, outside = item[sort], track[sort], keep[sort], outside[sort]
            parts.append(np.stack([item, track, np.full(len(item), at), keep, np.full(len(item), -1)]))
            if self.mode == "all" and len(item):
                before, where = gaps(track, item, outside)
                parts.append(
                    np.stack([where, track[before], np.full(len(where), at), keep[before], keep[before + 1]])
                )  # fmt: skip
        rows = np.concatenate(parts, axis=1) if parts else np.empty((5, 0), np.int64)
        self.rows = rows[:, np.lexsort((rows[1], rows[0]))]

    def _frame(self, subset: str, frame: int) -> Item:
        """A frame that only tracks know."""
        name = frame_name(frame)
        file = self.media.find(name, subset)
        item = Item(name, below(file, subset) or name, subset=subset, frame=frame)
        sizes = {index.meta.size for index in self.indices if index.meta.size != (None, None)}
        if len(sizes) == 1:
            item.width, item.height = sizes.pop()
        if item.width is None or item.height is None:
            item.width, item.height = self._measure(file)
        return item

    def _row(self, item: Item, track: int, index: Index, row: int, then: int, frame: int) -> None:
        _, known, category, head, _ = self.heads[track]
        if known is None:
            return
        element = self._element(index, row)
        where = f"line {element.line}: track {known.id}: {element.tag}"
        try:
            shape = self._tracked(index, row, item, category, head, known)
            if then >= 0:
                end = self._tracked(index, then, item, category, head, known)
                here = index.frame[row]
                shape = between(shape, end, (frame - here) / (index.frame[then] - here))
            if self.mode != "keyframes" or shape.keyframe:
                item.annotations.append(shape)
        except Fault as fault:
            error = FormatError(str(fault), file=index.file, record=where, field=fault.field)
            self.problem(error, item, f"track {known.id}: {element.tag}")

    def _element(self, index: Index, row: int) -> Element:
        size = index.rows.size[row]
        if size < 0:
            return index.made[-1 - size]
        return index.document.parse(index.rows.start[row], size, index.rows.line[row])

    def _tracked(
        self, index: Index, row: int, item: Item, category: Category | None, head: dict[str, str], track: Track
    ) -> Annotation:
        element = self._element(index, row)
        carried: Carried = {}
        for label, source in index.carried.get(row, {}).items():
            for child in self._element(index, source).all("points"):
                if child.attributes.get("label") == label:
                    x, y = pairs(child, 1)[0].tolist()
                    carried[label] = (x, y)
        for name in ("source", "group_id"):
            if name in head:
                element.attributes.setdefault(name, head[name])
        shape = self.annotation(element, item, category, carried)
        shape.track_id, shape.keyframe = track.id, flag(element, "keyframe", True)
        shape.outside = flag(element, "outside")
        if shape.kind == "skeleton" and not any(shape.visibility):  # type: ignore[attr-defined]
            shape.outside = True
        return shape
