"""Writing CVAT XML: images and shapes of tracks go to spools, numbers of frames are put in at the end."""

from __future__ import annotations

import re
import shutil
from array import array
from dataclasses import dataclass, field
from typing import Any

from maskcodec.formats._shared.frames import Ends, frame_name, progression
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.xmlio import parse
from maskcodec.formats._shared.xmlout import XmlWriter, quoted
from maskcodec.formats.cvat_xml.attributes import NAMESPACE
from maskcodec.formats.cvat_xml.meta import Meta, fresh, patched, read_meta, write_plain
from maskcodec.formats.cvat_xml.render import KEY, Renderer, mark
from maskcodec.formats.cvat_xml.schema import write_labels
from maskcodec.model.annotations import Annotation, Mask
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport, item_name

__all__ = ["write_file"]

_MARK = re.compile(b"\x01([0-9]+)\x01")
_NUMBER = b"\x02"  # stands for the number of a track that has none


def write_file(
    dataset: Dataset, sink: NullSink, report: LossReport, dialect: str, decimals: int | None, images: bool
) -> None:
    """Write ``annotations.xml``.

    Args:
        dataset: what the format carries.
        sink: the output.
        report: hears of losses.
        dialect: "images": every shape in its image; "video": every shape in a track; "both": shapes of tracks in
            tracks, the others in images.
        decimals: of coordinates; None: as many as needed.
        images: in the video dialect also write ``image`` elements, with names, sizes and tags.
    """
    if decimals is not None and not (isinstance(decimals, int) and 0 <= decimals <= 17):
        raise ValueError(f"decimals is 0 to 17 or None, got {decimals!r}")
    with sink.spool() as pictures, sink.spool() as shapes, sink.open("annotations.xml") as stream:
        writer = _Writer(dataset, sink, report, dialect, decimals, images, pictures, shapes)
        for position, item in enumerate(dataset.items):
            writer.item(position, item)
        writer.finish(stream)


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


class _Writer:
    def __init__(
        self, dataset: Dataset, sink: NullSink, report: LossReport, dialect: str, decimals: int | None, images: bool,
        pictures: Any, shapes: Any,
    ) -> None:  # fmt: skip
        self.dataset, self.report, self.dialect = dataset, report, dialect
        self.pictures, self.shapes = pictures, shapes
        self.with_images = images or dialect != "video"
        self.kept = dataset.extras.get(NAMESPACE, {}).get("meta")
        self.meta = _meta_of(self.kept)
        self.named = self.meta.subset or "default"
        self.say_subset = sink.container == "file"
        _unique_names(dataset, report)
        self.render = Renderer(dataset.schema, report, decimals)
        self.quiet = Renderer(dataset.schema, LossReport(), decimals)
        self.subsets: dict[str, array[int]] = {}  # positions of the items of each
        self.frames: array[int] = array("q")  # given number of each item, -1 for none
        self.names: list[tuple[str, str, str, bool, bool]] = []  # in reports, id, file name, has frame, has path
        self.pieces: array[int] = array("q")  # place of each image in the spool, and whether tracks do without it
        self.used: dict[str, set[int]] = {}
        self.tracks: dict[Any, _Track] = {}
        self.ends: dict[str, Ends] = {}
        self.loose: dict[str, list[tuple[int, Item, Annotation, str]]] = {}
        self.single: array[int] = array("q")  # order and place of the one-frame tracks
        # A data set of this family keeps the order of its tracks; others come as they begin.
        ours = dataset.source is not None and dataset.source.format.startswith("cvat_")
        self.ranks = {(t.category_id, t.id): n for n, t in enumerate(dataset.tracks.values(), 1)} if ours else {}
        self.order = len(self.ranks)
        self.size: tuple[int, int] | None = None
        self.unsized: list[str] = []

    # --- items --------------------------------------------------------------------------------------------------------
    def item(self, position: int, item: Item) -> None:
        """Take one item in."""
        report = self.report
        kept = item.extras.get(NAMESPACE, {})
        number = item.frame if item.frame is not None and item.frame >= 0 else -1
        if item.sequence is not None:
            report.rename(item, None, "sequence", "frames of all sequences follow each other")
        self.subsets.setdefault(item.subset, array("q")).append(position)
        self.frames.append(number)
        self._place(item)
        tracked, here = [], []
        for annotation in item.annotations:
            if annotation.kind != "tag" and (annotation.track_id is not None or self.dialect == "video"):
                tracked.append(annotation)
            else:
                here.append(annotation)
        if tracked or self.dialect != "images":
            self._tracks(position, item, tracked)
        name = str(kept.get("name") or item.path or item.id)
        if "name" in kept and item.path is not None and _stem(item.path) != _stem(name):
            name = item.path
        plain = not here and str(item.id) == frame_name(max(number, 0)) and item.path == item.id
        plain = plain and (item.width, item.height) == (self.size or (None, None))
        self.names.append((item_name(item), str(item.id), name, item.frame is not None, item.path is not None))
        if not isinstance(item.id, str):
            report.rename(item, None, "id", "an image is known by its name")
        if self.with_images:
            self._image(position, item, name, here, kept, plain)

    def _numbered(self, item: Item | str, given: bool, old: int, new: int) -> None:
        if not given:
            self.report.default(item, None, "frame", "images have a number", what="item")
        elif old != new:
            self.report.rename(item, None, "frame", "images are counted anew", what="item")

    def _place(self, item: Item) -> None:
        """Size of the frames of a video: the first one that is known."""
        if item.width is None or item.height is None:
            self.unsized.append(item_name(item))
        elif self.size is None:
            self.size = (item.width, item.height)
        elif not self.with_images:
            for part, mine, theirs in zip(("width", "height"), (item.width, item.height), self.size, strict=True):
                if mine != theirs:
                    self.report.default(item, None, part, "a video has one size for all frames")

    def _image(
        self, position: int, item: Item, name: str, here: list[Annotation], kept: dict[str, Any], plain: bool
    ) -> None:
        groups = _groups(item, here, self.report)
        number = mark(position)
        if self.dialect == "images":
            used = self.used.setdefault(item.subset, set())
            given = self.frames[position]
            at = given if given >= 0 else len(used)
            while at in used:
                at += 1
            used.add(at)
            self._numbered(item, item.frame is not None, given, at)
            self.frames[position] = at
            number = str(at)
        pairs = [("name", name)]
        if item.subset != self.named or self.say_subset:
            pairs.append(("subset", item.subset))
        pairs += [(k, str(v)) for k, v in kept.items() if k not in ("id", "name")]
        pairs += [("width", str(item.width or 0)), ("height", str(item.height or 0))]
        start = self.pictures.tell()
        parts = [f'  <image id="{number}"{quoted(pairs)}>\n']
        for annotation in here:
            if annotation.track_id is not None:
                self.report.default(item, annotation, "track_id", "a tag belongs to no track")
            for flag in ("keyframe", "outside"):
                if getattr(annotation, flag):
                    self.report.default(item, annotation, flag, "only shapes of tracks have it")
            parts.append(self.render.shape(item, annotation, groups.get(id(annotation)), None))
        parts.append("  </image>\n")
        data = "".join(parts).encode("utf-8")
        self.pictures.write(data)
        if self.dialect != "images":
            self.pieces.extend((start, len(data), plain))

    # --- tracks -------------------------------------------------------------------------------------------------------
    def _tracks(self, position: int, item: Item, tracked: list[Annotation]) -> None:
        self._close_loose(position, item, item.subset)
        groups = _groups(item, tracked, self.report)
        shapes: dict[Any, Annotation] = {}
        newest = -1
        for annotation in tracked:
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
        if not self._fits(item, shape):
            return False
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

    def _fits(self, item: Item, shape: Annotation) -> bool:
        """Whether a mask lies in the frames of the video, which all have one size."""
        if self.with_images or not isinstance(shape, Mask) or self.size is None:
            return True
        x, y, w, h = shape.rle.bbox
        if x + w > self.size[0] or y + h > self.size[1]:
            self.report.drop(item, shape, "", "outside of the frames, which have one size")
            return False
        if shape.rle.shape != (self.size[1], self.size[0]):
            self.report.approximate(item, shape, "", "put into the frames, which have one size")
        return True

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
        text = self.render.shape(item, annotation, None, position, source) if self._fits(item, annotation) else ""
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

    # --- the file -----------------------------------------------------------------------------------------------------
    def finish(self, stream: Any) -> None:
        """Put the file together."""
        for subset in list(self.loose):
            self._close_loose(None, None, subset)
        video = bool(self.tracks or self.single) or self.dialect == "video"
        if video:
            self._number_frames()
        elif self.dialect == "both":
            self._number_images()
        self._names(video)
        numbers = self._track_numbers()
        out = XmlWriter(stream)
        out.raw('<?xml version="1.0" encoding="utf-8"?>\n')
        out.start("annotations")
        out.leaf("version", "1.1")
        labels = self.dataset.schema.categories
        write_plain(
            out, self._meta(video), lambda: write_labels(out, labels, self.render.definitions, self.report)
        )  # fmt: skip
        if self.dialect == "images":
            self.pictures.seek(0)
            shutil.copyfileobj(self.pictures, stream, 1 << 20)
        else:
            for at in range(0, len(self.pieces), 3):
                start, size, plain = self.pieces[at : at + 3]
                if not (plain and video):
                    stream.write(self._filled(self.pictures, start, size))
        if video:
            self._write_tracks(stream, numbers)
        out.end()

    def _filled(self, spool: Any, start: int, size: int) -> bytes:
        spool.seek(start)
        return _MARK.sub(lambda found: b"%d" % self.frames[int(found.group(1))], spool.read(size))

    def _number_frames(self) -> None:
        """Numbers of the frames of each subset: those given if they are evenly spaced, else counted from 0."""
        for positions in self.subsets.values():
            given = [self.frames[p] for p in positions]
            known = progression(given) if given[0] >= 0 else None
            for at, position in enumerate(positions):
                number = known[at] if known is not None else at
                name, _, _, framed, _ = self.names[position]
                self._numbered(name, framed, self.frames[position], number)
                self.frames[position] = number

    def _number_images(self) -> None:
        """Numbers of the images of each subset: those given if no two are the same, else counted from 0."""
        for positions in self.subsets.values():
            given = [self.frames[p] for p in positions]
            keep = min(given) >= 0 and len(set(given)) == len(given)
            for at, position in enumerate(positions):
                number = given[at] if keep else at
                self._numbered(self.names[position][0], self.names[position][3], given[at], number)
                self.frames[position] = number

    def _names(self, video: bool) -> None:
        """Report items whose id or path is read back as another."""
        names = self.names
        if video and not self.with_images:
            for position, (shown, own, name, _, located) in enumerate(names):
                reason = "frames are known by their number"
                if own != frame_name(self.frames[position]):
                    self.report.rename(shown, None, "id", reason, what="item")
                if not located or name != frame_name(self.frames[position]):
                    self.report.rename(shown, None, "path", reason, what="item")
            if self.size is not None:
                for shown in self.unsized:
                    for part in ("width", "height"):
                        self.report.default(shown, None, part, "a video has one size for all frames", what="item")
            return
        for positions in self.subsets.values():
            stems: dict[str, int] = {}
            for p in positions:
                stem = _stem(names[p][2])
                stems[stem] = stems.get(stem, 0) + 1
            for p in positions:
                shown, own, name, _, located = names[p]
                plain = video and len(self.pieces) > 3 * p + 2 and self.pieces[3 * p + 2]
                if plain and own == frame_name(self.frames[p]):
                    continue
                if plain:
                    self.pieces[3 * p + 2] = 0
                stem = _stem(name)
                if own != (stem if stems[stem] == 1 else name):
                    self.report.rename(shown, None, "id", "an image is known by its name", what="item")
                if not located:
                    self.report.default(shown, None, "path", "an image has a name", what="item")

    def _meta(self, video: bool) -> Any:
        ranges = {}
        for subset, positions in self.subsets.items():
            known = progression(self.frames[p] for p in positions)
            ranges[subset] = known if known is not None and known[0] >= 0 else range(len(positions))
        size = self.size if video else None
        if self.kept is not None:
            said = {subset or self.named: frames for subset, frames in self.meta.frames.items()}
            if not video or (said == ranges and self.meta.size == (size or (None, None))):
                return _with_labels(self.kept, bool(self.dataset.schema.categories))
            new = patched(self.kept, ranges, size) if list(ranges) in ([self.named], []) else None
            if new is not None:
                return _with_labels(new, bool(self.dataset.schema.categories))
            self.report.drop(None, None, f"extras.{NAMESPACE}.meta", "the frames are no longer those that it describes")
        return fresh(ranges, video, size)

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
        for known in self.dataset.tracks.values():
            if known.id not in written:
                self.report.drop(None, str(known.id), "", "no shape of it is written", what="track")
            for name in known.attributes:
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


def _stem(name: str) -> str:
    head, dot, tail = name.rpartition(".")
    return head if dot and head and "/" not in tail else name


def _meta_of(plain: Any) -> Meta:
    """What a kept ``meta`` says."""
    if plain is None:
        return Meta()
    import io

    buffer = io.BytesIO()
    write_plain(XmlWriter(buffer), plain, None)
    return read_meta(parse(buffer.getvalue(), ""), "")


def _with_labels(plain: Any, needed: bool) -> Any:
    """A kept ``meta``, with a place for labels if it has none and there are some."""
    if not needed or any("labels" in (c[0] for c in child[1]) for child in plain[1] if isinstance(child[1], list)):
        return plain
    bodies = [at for at, child in enumerate(plain[1]) if isinstance(child[1], list) and child[0] != "original_size"]
    if any(child[0] == "labels" for child in plain[1]):
        return plain
    at = bodies[0] if bodies else None
    if at is None:
        return ["meta", [["task", [["labels", []]]], *plain[1]]]
    children = list(plain[1])
    children[at] = [children[at][0], [*children[at][1], ["labels", []]]]
    return ["meta", children]


def _unique_names(dataset: Dataset, report: LossReport) -> None:
    seen: set[str] = set()
    for category in dataset.schema.categories:
        name, number = category.name, 2
        while name in seen:
            name, number = f"{category.name} ({number})", number + 1
        if name != category.name:
            report.rename(category.name, None, "name", "names of labels are unique", what="category")
            category.name = name
        seen.add(name)


def _groups(item: Item, annotations: list[Annotation], report: LossReport) -> dict[int, str]:
    """Text of the group of each annotation (by identity); groups are positive numbers."""
    given = [a.group_id for a in annotations if a.group_id is not None]
    if not given:
        return {}
    used = {g for g in given if type(g) is int and g > 0}
    numbers: dict[Any, int] = {}
    out = {}
    for annotation in annotations:
        group = annotation.group_id
        if group is None:
            continue
        if not (type(group) is int and group > 0):
            if group not in numbers:
                numbers[group] = max([0, *used]) + 1
                used.add(numbers[group])
            report.rename(item, annotation, "group_id", "groups are positive numbers")
            group = numbers[group]
        out[id(annotation)] = str(group)
    return out
