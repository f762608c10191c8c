"""Reading CVAT XML: a first pass finds images and shapes of tracks, then items are made one by one."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np

from maskcodec.errors import FormatError
from maskcodec.formats._shared.frames import MediaNames
from maskcodec.formats._shared.source import Source
from maskcodec.formats._shared.xmlio import Document
from maskcodec.formats.cvat_xml.attributes import NAMESPACE
from maskcodec.formats.cvat_xml.images import stem_of
from maskcodec.formats.cvat_xml.index import Index
from maskcodec.formats.cvat_xml.schema import read_labels
from maskcodec.formats.cvat_xml.video import Entry, Tracks
from maskcodec.model.dataset import Dataset, Item, LazyItems, Origin, Track
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["documents", "read"]


def documents(source: Source) -> list[str]:
    """Names of the XML files with the right root element, or of the only file."""
    if len(source.files) == 1:
        return list(source.files)
    names = [name for name in source.files if name.lower().endswith(".xml")]
    fitting = [n for n in names if re.search(rb"<\s*annotations[\s>/]", source.read(n, 1 << 16).replace(b"\0", b""))]
    return fitting or names


def read(source: Source, *, frames: str = "all") -> Dataset:
    """Read every image and track: an XML file, or a folder or zip with one or more.

    Args:
        source: the data.
        frames: of tracks. "all": every frame on which the object is, those between sparse key frames interpolated;
            "stored": the frames that the file has; "keyframes": the key frames alone.
    """
    if frames not in ("all", "stored", "keyframes"):
        raise ValueError(f'frames is "all", "stored" or "keyframes", got {frames!r}')
    names = documents(source)
    if not names:
        listing = ", ".join(source.files[:5]) or "no files"
        raise FormatError(f"no annotations found, expected an XML file, got {listing}", file=source.path)
    indices = []
    for name in names:
        stem = name.rpartition("/")[2].rpartition(".")[0]
        document = Document(source.buffer(name), source.display(name))
        indices.append(Index(document, source.problem, stem))
    return _Reader(source, indices, frames).dataset()


class _Reader(Tracks):
    def __init__(self, source: Source, indices: list[Index], frames: str) -> None:
        self.source, self.indices, self.mode = source, indices, frames
        self.media = MediaNames(source.files)
        self.schema = LabelSchema()
        self.labels: dict[str, Category] = {}
        self.closed = False
        self._make_schema()
        self.subsets: dict[str, int] = {}
        self.images: list[tuple[int, int]] = [(i, k) for i, x in enumerate(indices) for k in range(len(x.numbers))]
        self.tracks: dict[Any, Track] = {}
        self.heads: list[tuple[Index, Track | None, Category | None, dict[str, str], int]] = []
        self.video = any(index.tracks for index in indices) or (not self.images and self._dialect() == "cvat_video")
        self._find_tracks()
        self.entries = self._entries()
        self.subset_names = list(self.subsets)
        self.seen = bytearray(len(self.entries))
        stems = Counter((self._subset(i, k), stem_of(name)) for i, k in self.images if (name := self._name(i, k)))
        self.repeated = {key for key, count in stems.items() if count > 1}
        whole_names = Counter((self._subset(i, k), self._name(i, k)) for i, k in self.images)
        self.twice = {key for key, count in whole_names.items() if count > 1}

    def dataset(self) -> Dataset:
        """The data set; items are made while it is iterated over."""
        extras: dict[str, Any] = {}
        if len(self.indices) == 1 and self.indices[0].meta.plain is not None:
            extras["meta"] = self.indices[0].meta.plain
        elif len(self.indices) > 1:
            extras["metas"] = {x.file: x.meta.plain for x in self.indices if x.meta.plain is not None}
        return Dataset(
            self.schema,
            LazyItems(range(len(self.entries)), self.item),
            self.tracks,
            extras={NAMESPACE: extras} if extras else {},
            source=Origin(self._dialect(), self.source.path, self.indices[0].version),
        )

    def _dialect(self) -> str:
        found = {index.dialect for index in self.indices}
        return found.pop() if len(found) == 1 else "cvat_xml"

    # --- reports ------------------------------------------------------------------------------------------------------
    # --- schema -------------------------------------------------------------------------------------------------------
    def _make_schema(self) -> None:
        report = self.source.report
        for index in self.indices:
            for category in read_labels(index.meta.labels, index.file):
                if category.name not in self.labels:
                    category.id = len(self.labels) + 1
                    self.labels[category.name] = category
            for tag in index.unknown:
                report.unread(index.file, None, tag, "unknown element beside images and tracks", what="file")
        self.closed = bool(self.labels)
        for index in self.indices:
            added = index.tag_labels if self.closed else {**index.shape_labels, **index.tag_labels}
            for name in added:
                if name not in self.labels:
                    reason = "label added: it occurs, but is not listed"
                    report.default(index.file, None, "", reason, what="category")
                    points = list(index.parts.get(name, ()))
                    self.labels[name] = Category(len(self.labels) + 1, name, keypoints=points)
        self.schema.categories = list(self.labels.values())

    # --- subsets, tracks, items ---------------------------------------------------------------------------------------
    def _subset(self, at: int, image: int) -> str:
        return self.indices[at].names[image][0] or self._default_subset(self.indices[at])

    def _name(self, at: int, image: int) -> str | None:
        return self.indices[at].names[image][1]

    def _entries(self) -> list[Entry]:
        """The items; fills ``rows``: for each item the shapes of tracks on it."""
        order = [(self._number(self._subset(i, k)), i, k) for i, k in self.images]
        self.rows: Any = None
        if not self.video:
            return [(s, -1, n) for n, (s, _, _) in enumerate(order)]
        wanted: list[set[int]] = []
        for index in self.indices:
            for subset in index.meta.frames:
                self._number(subset or self._default_subset(index))
        known: list[set[int]] = [set() for _ in self.subsets]
        for index in self.indices:
            for subset, frames in index.meta.frames.items():
                known[self._number(subset or self._default_subset(index))].update(frames)
        wanted = [set(frames) for frames in known]
        images: dict[tuple[int, int], int] = {}
        for n, (s, i, k) in enumerate(order):
            number = self.indices[i].numbers[k]
            if number < 0 or (s, number) in images:
                number = max([-1, *wanted[s], *(f for t, f in images if t == s)]) + 1
                self.source.report.default(f"image {k}", None, "id", "without a frame number of its own: put last")
            images[s, number] = n
            wanted[s].add(number)
        head_subset = np.array([h[4] for h in self.heads], np.int64)
        alive = np.array([h[1] is not None for h in self.heads], bool)
        columns, base = [], 0
        for index in self.indices:
            track = np.array(index.track, np.int64)
            keep = np.flatnonzero(track >= 0)
            keep = keep[alive[track[keep] + base]] if len(keep) else keep
            frame = np.array(index.frame, np.int64)[keep]
            columns.append((index, keep, track[keep] + base, frame, np.array(index.outside, bool)[keep]))
            base += len(index.tracks)
            for s in np.unique(head_subset[columns[-1][2]]).tolist():
                here = set(np.unique(frame[head_subset[columns[-1][2]] == s]).tolist())
                strange = here - wanted[s]
                if strange and known[s]:
                    reason = "frames outside of the range that the file gives, added"
                    self.source.report.default(index.file, None, "frame", reason, what="file", count=len(strange))
                wanted[s] |= here
        entries = [(s, f, images.get((s, f), -1)) for s in range(len(wanted)) for f in sorted(wanted[s])]
        self._place_rows(entries, columns, head_subset)
        return entries

    # --- items --------------------------------------------------------------------------------------------------------
    def item(self, at: int) -> Item | None:
        """Item ``at``; None when a lenient reader had to skip it."""
        self.quiet, self.seen[at] = bool(self.seen[at]), 1
        s, frame, image = self.entries[at]
        name = self.subset_names[s]
        if image >= 0:
            i, k = self.images[image]
            index = self.indices[i]
            columns = index.images
            element = index.document.parse(columns.start[k], columns.size[k], columns.line[k])
            try:
                item = self._image(element, index, k, name, frame)
            except FormatError as error:
                self.problem(error, f"image {k}")
                return None
        else:
            item = self._frame(name, frame)
        if self.rows is not None:
            low, high = np.searchsorted(self.rows[0], [at, at + 1])
            for _, track, file, row, then in self.rows[:, low:high].T.tolist():
                self._row(item, track, self.indices[file], row, then, frame)
        return item
