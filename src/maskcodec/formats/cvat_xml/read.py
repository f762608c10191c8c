"""Reading CVAT XML: a first pass finds images and shapes of tracks, then items are made one by one."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.frames import MediaNames, between, frame_name, gaps
from maskcodec.formats._shared.images import image_size
from maskcodec.formats._shared.source import Source
from maskcodec.formats._shared.xmlio import Document, Element
from maskcodec.formats.cvat_xml.attributes import NAMESPACE
from maskcodec.formats.cvat_xml.index import Index
from maskcodec.formats.cvat_xml.schema import read_labels
from maskcodec.formats.cvat_xml.shapes import Carried, Fault, Shapes, flag, pairs, whole
from maskcodec.model.annotations import Annotation
from maskcodec.model.dataset import Dataset, Item, LazyItems, Origin, Track
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["documents", "read"]

_IMAGE = ("id", "name", "subset", "width", "height")
_TRACK = ("id", "label", "source", "subset", "group_id", "task_id")
Entry = tuple[int, int, int]  # subset, frame (-1: none), number of the image (-1: none)


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


class _Reader(Shapes):
    def __init__(self, source: Source, indices: list[Index], frames: str) -> None:
        self.source, self.indices, self.mode = source, indices, frames
        self.quiet = False
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
        stems = Counter((self._subset(i, k), _stem(name)) for i, k in self.images if (name := self._name(i, k)))
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
    def problem(self, error: FormatError, item: Any = None, annotation: Any = None) -> None:
        """As of the source; a fault that an earlier pass has entered is not entered again."""
        if not (self.quiet and self.source.on_error == "skip"):
            self.source.problem(error, item, annotation)

    def note(self, item: Any, annotation: Any, field: str, text: str) -> None:
        """Enter something odd that is kept."""
        if not self.quiet:
            self.source.report.approximate(item, annotation, field, text)

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

    def _category(self, element_label: str | None) -> Category | None:
        if not element_label:
            return None
        if element_label not in self.labels:
            raise Fault("label", f"expected one of the listed labels, got {shorten(element_label)}")
        return self.labels[element_label]

    # --- subsets, tracks, items ---------------------------------------------------------------------------------------
    def _default_subset(self, index: Index) -> str:
        if index.meta.subset:
            return index.meta.subset
        named = index.stem not in ("annotations", "") and self.source.path != "<bytes>"
        return index.stem if named else "default"

    def _subset(self, at: int, image: int) -> str:
        return self.indices[at].names[image][0] or self._default_subset(self.indices[at])

    def _name(self, at: int, image: int) -> str | None:
        return self.indices[at].names[image][1]

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

    def _frame(self, subset: str, frame: int) -> Item:
        """A frame that only tracks know."""
        name = frame_name(frame)
        file = self.media.find(name, subset)
        item = Item(name, _below(file, subset) or name, subset=subset, frame=frame)
        sizes = {index.meta.size for index in self.indices if index.meta.size != (None, None)}
        if len(sizes) == 1:
            item.width, item.height = sizes.pop()
        if item.width is None or item.height is None:
            item.width, item.height = self._measure(file)
        return item

    def _measure(self, file: str | None) -> tuple[int | None, int | None]:
        if file is None:
            return None, None
        with self.source.open(file) as stream:
            try:
                return image_size(stream, self.source.display(file))
            except FormatError:
                return None, None  # the annotations do not need the picture

    def _image(self, element: Element, index: Index, at: int, subset: str, frame: int) -> Item:
        name = element.attributes.get("name")
        where = f"line {element.line}: image {element.attributes.get('id', at)} ({name})"
        if not name:
            raise FormatError("the required attribute is missing", file=index.file, record=where, field="name")
        file = self.media.find(name, subset)
        exact = file is None or file.endswith("/" + name) or file == name
        item = Item(self._id(name, subset, element, at), name if exact else _below(file, subset), subset=subset)
        rest: dict[str, Any] = {k: v for k, v in element.attributes.items() if k not in _IMAGE}
        if not exact:
            rest["name"] = name
        try:
            if frame >= 0:
                item.frame = frame
            elif "id" not in element.attributes:
                item.frame = at
                self.note(item, None, "id", "the image has no number; its position counts")
            else:
                item.frame = whole(element, "id")
            sizes = [whole(element, field, 0) for field in ("width", "height")]
            if min(sizes) < 0:
                raise Fault("width" if sizes[0] < 0 else "height", f"expected a size in pixels, got {min(sizes)}")
        except Fault as fault:
            raise FormatError(str(fault), file=index.file, record=where, field=fault.field) from fault
        item.width, item.height = (sizes[0], sizes[1]) if all(sizes) else self._measure(file)
        if item.width is None and not {"width", "height"} <= element.attributes.keys():
            self.note(item, None, "width", "the size of the image is not given")
        if rest:
            item.extras = {NAMESPACE: rest}
        for number, child in enumerate(element.children):
            self._shape(item, child, index, f"{where}: {child.tag}[{number}]")
        return item

    def _id(self, name: str, subset: str, element: Element, at: int) -> str:
        stem = _stem(name)
        if (subset, stem) not in self.repeated:
            return stem
        if (subset, name) not in self.twice:
            return name
        return f"{name}#{element.attributes.get('id', at)}"

    def _shape(self, item: Item, element: Element, index: Index, where: str) -> None:
        try:
            label = element.attributes.get("label")
            category = self._category(label) if element.tag != "tag" or label in self.labels else None
            item.annotations.append(self.annotation(element, item, category, {}))
        except Fault as fault:
            line = "" if where.startswith("line") else f"line {element.line}: "
            error = FormatError(str(fault), file=index.file, record=line + where, field=fault.field)
            self.problem(error, item, where.rpartition(": ")[2])

    # --- shapes of tracks ---------------------------------------------------------------------------------------------
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


def _stem(name: str) -> str:
    head, dot, tail = name.rpartition(".")
    return head if dot and head and "/" not in tail else name


def _below(file: str | None, subset: str) -> str | None:
    """A media file as the path of an item: without the folders that hold all media."""
    if file is None:
        return None
    name = file.removeprefix("images/")
    return name.removeprefix(f"{subset}/") if f"images/{subset}/" in file else name
