"""Reading MOT sequences."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence as Indexed
from typing import Any

import numpy as np

from maskcodec.errors import FormatError
from maskcodec.formats._shared.frames import frame_number
from maskcodec.formats._shared.naming import Images
from maskcodec.formats._shared.sequences import frame_id
from maskcodec.formats._shared.source import Source
from maskcodec.formats.mot.find import CLASSES, Sequence, find, images_of
from maskcodec.formats.mot.rows import MAX_FRAME, Rules, Table, as_world, read_rows
from maskcodec.model.annotations import Box
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["NAMESPACE", "read"]

NAMESPACE = "mot"
_NOTHING = np.zeros((0, 10))
_OWN = ("name", "imdir", "seqlength", "imwidth", "imheight", "imext")


def read(
    source: Source,
    *,
    one_based: bool = False,
    first_frame: int = 1,
    detections: bool = False,
    occluded_below: float = 0.0,
) -> Dataset:
    """Read MOT sequences: ground truth, or detections where there is none.

    Args:
        source: folder or zip with one sequence or many, or a single file of rows.
        one_based: the corner of the top-left pixel is (1, 1), as the benchmark says; else (0, 0), as tools do.
        first_frame: number of the first frame, 1 or 0.
        detections: read ``det/det.txt`` although there is ground truth.
        occluded_below: a box with a visibility up to this is occluded.
    """
    if first_frame not in (0, 1):
        raise ValueError(f"first_frame is 0 or 1, got {first_frame}")
    found = find(source)
    for sequence in found:
        if sequence.truth and sequence.boxes:
            left, kept = (sequence.truth, "boxes") if detections else (sequence.boxes, "truth")
            text = f"the sequence has both ground truth and detections, one is read ({kept})"
            source.report.default(source.display(left), None, "", text, what="file")
            setattr(sequence, "truth" if detections else "boxes", "")
    _name(source, found)
    reader = _Reader(source, found, first_frame, float(one_based), occluded_below)
    dataset = Dataset(LabelSchema(reader.categories), LazyItems(_Frames(reader.lengths), reader.item))
    other = {f"{s.subset}/{s.name or ''}": _other(s) for s in found}
    if any(other.values()):
        dataset.extras[NAMESPACE] = {"seqinfo": {key: value for key, value in other.items() if value}}
    return dataset


def _other(sequence: Sequence) -> dict[str, str]:
    """What ``seqinfo.ini`` says besides; a rate of 0 frames says that it is unknown."""
    return {k: v for k, v in sequence.keys.items() if k.lower() not in _OWN and (k.lower(), v) != ("framerate", "0")}


def _name(source: Source, found: list[Sequence]) -> None:
    """Sequences of one subset have different names: that of their folder, where two say the same."""
    seen: set[tuple[str, str | None]] = set()
    for sequence in found:
        if (sequence.subset, sequence.name) in seen:
            text = "another sequence has this name, that of the folder counts"
            source.report.default(sequence.name or "", None, "name", text, what="sequence")
            sequence.name = sequence.folder.rpartition("/")[2] or sequence.name
            while (sequence.subset, sequence.name) in seen:
                sequence.name = f"{sequence.name}_"
        seen.add((sequence.subset, sequence.name))


class _Frames(Indexed[tuple[int, int]]):
    """Sequence and position of every frame, without a list of them."""

    def __init__(self, lengths: list[int]) -> None:
        self._starts = [sum(lengths[:at]) for at in range(len(lengths))]
        self._length = sum(lengths)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(self._length))]
        at = at + self._length if at < 0 else at
        if not 0 <= at < self._length:
            raise IndexError(at)
        sequence = bisect_right(self._starts, at) - 1
        return sequence, at - self._starts[sequence]


class _Reader:
    def __init__(
        self, source: Source, found: list[Sequence], first: int, shift: float, occluded_below: float
    ) -> None:
        self.source, self.found, self.first, self.shift, self.limit = source, found, first, shift, occluded_below
        self.images = Images(source)
        self.categories: list[Category] = []
        self._ids: dict[str, int] = {}
        self.tables: list[Table] = []
        self.worlds: list[bool] = []
        self.classes: list[list[int]] = []
        self.sizes: list[tuple[int | None, int | None]] = []
        self.frames: list[dict[int, str]] = []
        self.lengths: list[int] = []
        for sequence, images in zip(found, images_of(source, found), strict=True):
            self._sequence(sequence, images)

    def _labels(self, sequence: Sequence) -> list[str] | None:
        name = sequence.truth.rpartition("/")[0] + "/labels.txt" if "/" in sequence.truth else "labels.txt"
        if not sequence.truth or not self.source.has(name):
            return None
        try:
            text = self.source.read(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FormatError(f"not UTF-8 (byte {error.start})", file=self.source.display(name)) from error
        names = [line.strip() for line in text.split("\n")]  # an empty one keeps its number
        return names if names[-1] else names[:-1]

    def _sequence(self, sequence: Sequence, images: list[str]) -> None:
        source, given = self.source, self._labels(sequence)
        names = list(CLASSES) if given is None and sequence.truth else given or []
        rules = Rules(self.first, len(names), bool(sequence.truth))
        file = sequence.truth or sequence.boxes
        table = read_rows(source, file, rules) if file else Table(_NOTHING, 9)
        world = as_world(table, rules)
        used = not world and table.width >= 8 and len(table.values)
        self.classes.append(self._table(names) if given is not None or used else [])
        self.tables.append(table)
        self.worlds.append(world)
        about = source.display(sequence.info)
        try:
            width, height = (sequence.number(key, about) or None for key in ("imWidth", "imHeight"))
            length = sequence.number("seqLength", about)
        except FormatError as error:
            source.problem(error)
            width, height, length = None, None, 0
        self.sizes.append((width, height))
        self.frames.append(self._numbered(images))
        self._judge(sequence, table, world)
        last = int(table.values[-1, 0]) + 1 - self.first if len(table.values) else 0
        known = length or max(self.frames[-1], default=self.first - 1) + 1 - self.first
        if length and last > length:
            text = "there are boxes behind the end, the sequence is longer than it says"
            source.report.default(about, None, "seqLength", text, what="sequence")
        self.lengths.append(max(known, last))

    def _judge(self, sequence: Sequence, table: Table, world: bool) -> None:
        if not world and table.width >= 9:
            seen = table.values[:, 8]
            count = int(((seen > 1) | ((seen < 0) & (seen != -1))).sum())
            if count:
                text = "outside of 0 to 1, kept as it is"
                self.source.report.default(sequence.truth, "box", "attributes.visibility", text, count=count)

    def _numbered(self, images: list[str]) -> dict[int, str]:
        """Image file of each frame: by the number that is its name, else by its place."""
        bare = [name.rpartition("/")[2] for name in images]
        numbers = [frame_number(name) if name[:1].isdigit() else None for name in bare]
        if images and all(number is None for number in numbers):
            return dict(enumerate(images, self.first))
        out: dict[int, str] = {}
        for name, number in zip(images, numbers, strict=True):
            if number is None or not self.first <= number <= MAX_FRAME:
                self.source.report.unread(name, None, "", "the name of the image is no number of a frame", what="item")
            elif number in out:
                self.source.report.unread(name, None, "", "another image has this number", what="item")
            else:
                out[number] = name
        return out

    def _table(self, names: list[str]) -> list[int]:
        """Ids of the classes of a sequence; by name, where another sequence has another table."""
        if not self.categories:
            self.categories = [Category(at, name) for at, name in enumerate(names, 1)]
            self._ids = {name: at for at, name in reversed(list(enumerate(names, 1)))}
        if [category.name for category in self.categories[: len(names)]] == names:
            return list(range(1, len(names) + 1))
        for name in names:
            if name not in self._ids:
                self._ids[name] = len(self.categories) + 1
                self.categories.append(Category(len(self.categories) + 1, name))
        return [self._ids[name] for name in names]

    def item(self, entry: tuple[int, int]) -> Item:
        """Load one frame."""
        at, position = entry
        sequence, number, table = self.found[at], position + self.first, self.tables[at]
        item = Item(frame_id(sequence.name, number, len(self.found) > 1), subset=sequence.subset)
        item.sequence, item.frame = sequence.name, position
        image = self.frames[at].get(number)
        suffix = sequence.fields.get("imext", "")
        if image is not None:
            item.path = image
        elif suffix:
            folder = (sequence.fields.get("imdir") or "img1").strip("/")
            item.path = sequence.path(f"{folder}/{number:06d}{suffix}")
        item.width, item.height = self.sizes[at]
        if item.width is None or item.height is None:
            item.width, item.height = self.images.size(image)
        world = self.worlds[at]
        if sequence.boxes or (world and sequence.truth):
            item.extras[NAMESPACE] = {"#form": "det" if sequence.boxes else "world"}
        elif table.width < 9:
            item.extras[NAMESPACE] = {"#columns": table.width}
        if number in sequence.former:
            item.extras.setdefault(NAMESPACE, {})["name"] = sequence.former[number]
        for row in table.of(number).tolist():
            item.annotations.append(self._box(row, at, world, bool(sequence.boxes)))
        return item

    def _box(self, row: list[float], at: int, world: bool, detected: bool) -> Box:
        _, track, left, top, width, height, flag, number, seen, _ = row
        left, top = left - self.shift, top - self.shift
        box = Box(left, top, left + width, top + height)
        if track > 0:
            box.track_id, box.keyframe = int(track), True
        if detected:
            if not math.isnan(flag) and flag != -1:
                box.score = flag
        elif flag == 0:
            box.attributes["ignored"] = True
        elif not math.isnan(flag) and flag != 1:
            box.extras[NAMESPACE] = {"flag": flag}
        if world:
            place = [value for value in row[7:10] if not math.isnan(value)]
            if any(value != -1 for value in place):
                box.extras.setdefault(NAMESPACE, {})["world"] = place
            return box
        if number >= 1:
            box.category_id = self.classes[at][int(number) - 1]
        if not math.isnan(seen) and seen != -1:
            box.attributes["visibility"] = seen
            box.occluded = seen <= self.limit
        return box
