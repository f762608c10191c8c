"""Writing MOT sequences."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from maskcodec.errors import shorten
from maskcodec.formats._shared.labels import numbered
from maskcodec.formats._shared.lines import decimal
from maskcodec.formats._shared.naming import ending
from maskcodec.formats._shared.sequences import Folders
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.mot.read import NAMESPACE
from maskcodec.model.annotations import Box
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.geometry import side
from maskcodec.model.losses import LossReport

__all__ = ["write"]

class _Sequence:
    """Rows of one sequence, kept as numbers until their tracks are known."""

    def __init__(self, key: tuple[str, str | None], form: str) -> None:
        self.key, self.form = key, form
        self.rows = array("d")
        self.classes = array("q")
        self.tracks: list[tuple[Any, Any] | None] = []
        self.worlds: dict[int, list[float]] = {}
        self.flags: dict[int, str] = {}
        self.names: list[str] = []
        self.length, self.size, self.endings = 0, (0, 0), set[str]()
        self.width = 9

    def ids(self) -> dict[tuple[Any, Any], int]:
        """Number of each track: its own where that can be, else the next free one."""
        frames: dict[tuple[float, Any], Any] = {}
        apart: set[tuple[Any, Any]] = set()
        for at, key in enumerate(self.tracks):
            if key is not None:
                other = frames.setdefault((self.rows[at * 7], key[1]), key)
                if other != key:  # two classes use one number at the same time: they are two objects
                    apart.add(key)
        order = dict.fromkeys(key for key in self.tracks if key is not None)
        plain = {key: key[1] for key in order if key not in apart and type(key[1]) is int and 0 < key[1] < 2**53}
        taken, free = set(plain.values()), 1
        for key in order:
            if key not in plain:
                while free in taken:
                    free += 1
                plain[key] = free
                taken.add(free)
        return plain


class _Writer:
    def __init__(self, dataset: Dataset, report: LossReport, shift: float, decimals: int | None) -> None:
        self.report, self.shift, self.decimals = report, shift, decimals
        self.numbers = numbered(dataset.schema, report, first=1)
        self.found: dict[tuple[str, str | None], _Sequence] = {}

    def text(self, value: float) -> str:
        return decimal(value) if self.decimals is None else decimal(round(value, self.decimals))

    def item(self, item: Item) -> _Sequence:
        own = item.extras.get(NAMESPACE, {})
        key = item.subset, item.sequence
        if key not in self.found:
            self.found[key] = _Sequence(key, own.get("#form", "gt"))
            self.found[key].width = own.get("#columns", 9)
        to = self.found[key]
        if own.get("#form", "gt") != to.form:
            text = "rows of a sequence have the form of those of its first frame"
            self.report.approximate(item, None, f"extras.{NAMESPACE}", text)
        to.length += 1
        if "name" in own:
            to.names.append(f"{to.length:06d} {own['name']}\n")
        to.size = (item.width or 0, item.height or 0)
        to.endings.add(ending(item.path, "") if item.path else "")
        here: set[Any] = set()
        for box in item.annotations:
            if isinstance(box, Box):
                self.box(box, item, to, here)
        return to

    def box(self, box: Box, item: Item, to: _Sequence, here: set[Any]) -> None:
        key = None if box.track_id is None else (box.category_id, box.track_id)
        if key is not None and key in here:
            self.report.drop(item, box, "", "another box of the track is in this frame")
            return
        here.add(key)
        left, top = box.x0 + self.shift, box.y0 + self.shift
        width, height = side(box.x0, box.x1), side(box.y0, box.y1)
        if not all(map(math.isfinite, (left, top, width, height))) or width < 0 or height < 0:
            self.report.drop(item, box, "", "it has no finite sides, or the right or bottom one comes first")
            return
        x0, y0 = left - self.shift, top - self.shift
        back = x0, y0, x0 + width, y0 + height
        if self.decimals is not None or back != (box.x0, box.y0, box.x1, box.y1):
            for name, value in zip(("x0", "y0", "x1", "y1"), back, strict=True):
                if value != getattr(box, name) or self.decimals is not None:
                    self.report.approximate(item, box, name, "rounded: the row holds a corner and a size")
        own = box.extras.get(NAMESPACE, {})
        seen = box.attributes.get("visibility")
        if seen is None:
            if to.form == "gt" and (to.width == 9 or box.occluded):
                text = "a row holds the visibility, 1 or 0 if occluded"
                self.report.default(item, box, "attributes.visibility", text)
            seen = 0.0 if box.occluded else 1.0
        if to.form == "gt" and (box.occluded or "visibility" in box.attributes):
            to.width = 9
        if box.category_id is not None:
            to.width = max(to.width, 8)
        flag = 0.0 if box.attributes.get("ignored") else own.get("flag", 1.0)
        if to.form == "det":
            flag = -1.0 if box.score is None else box.score
        if flag != 1:
            to.width = max(to.width, 7)
        if "world" in own:
            to.worlds[len(to.tracks)] = own["world"]
        number = -1
        if box.category_id is not None:
            number = self.numbers.get(box.category_id, -1) if to.form == "gt" else -1
            if number == -1:
                self.report.drop(item, box, "category_id", "there is no such class, or the rows have none")
        to.rows.extend((to.length, left, top, width, height, flag, seen))
        to.classes.append(number)
        to.tracks.append(key)

    def lines(self, sequence: _Sequence) -> Iterator[str]:
        ids = sequence.ids()
        for (_, track), number in ids.items():
            if number != track or type(track) is not int:
                text = "tracks are numbered from 1, each number once in a frame"
                self.report.rename(None, str(track), "track_id", text, what="box")
        shown: Callable[[float], str] = decimal if self.decimals is None else self.text
        truth, width = sequence.form == "gt", sequence.width
        c = iter(sequence.rows)  # seven numbers a row
        rows = enumerate(zip(sequence.tracks, c, c, c, c, c, c, c, strict=True))
        for at, (key, frame, left, top, across, down, flag, seen) in rows:
            out = [str(int(frame)), str(ids[key] if key is not None else -1)]
            out += (shown(left), shown(top), shown(across), shown(down), _flag(flag))
            if truth:
                out += [str(sequence.classes[at]), _flag(seen)]
                yield ",".join(out if width == 9 else out[:width]) + "\n"
            else:
                place = [decimal(value) for value in sequence.worlds.get(at, ())]
                yield ",".join(out + (place + ["-1"] * 3)[:3]) + "\n"


def _flag(value: float) -> str:
    """Flags are mostly 1 or 0."""
    return "1" if value == 1 else decimal(value)


def write(
    dataset: Dataset,
    sink: NullSink,
    report: LossReport,
    *,
    one_based: bool = False,
    decimals: int | None = None,
    enclosing: bool = False,
    several: bool | None = None,
    sizes: bool | None = None,
    names: bool = False,
) -> None:
    """Write ``gt/gt.txt``, ``gt/labels.txt`` and ``seqinfo.ini`` for each sequence; detections as ``det/det.txt``.

    Args:
        dataset: boxes, frame by frame.
        sink: the output.
        report: hears of special losses.
        one_based: the corner of the top-left pixel is (1, 1), as the benchmark defines it.
        decimals: of coordinates; None: as many as lead back to the same number.
        enclosing: other shapes with an area are written as their enclosing boxes; else they are left out.
        several: a folder for each sequence; None: where there are several.
        sizes: images of a sequence have one size, which is written; None: by a look at them.
        names: write ``names.txt`` beside ``seqinfo.ini``, a line of number and former path for each image.

    Raises:
        ValueError: a label that is no line of text; several sequences although there is one.
    """
    writer = _Writer(dataset, report, float(one_based), decimals)
    order: list[tuple[str, str | None]] = []
    for item in dataset.items:
        key = writer.item(item).key
        if not order or order[-1] != key:
            order.append(key)
    if not several and len(writer.found) > 1:
        raise ValueError(f"{len(writer.found)} sequences, several=True writes a folder for each")
    if order != sorted(order, key=lambda key: (key[0], key[1] or "")) or len(order) > len(writer.found):
        report.approximate(None, None, "items", "frames stand sequence by sequence, sorted by name")
    labels = "".join(f"{_line(category.name)}\n" for category in dataset.schema.categories)
    for key, sequence in writer.found.items():
        if len(sequence.endings) > 1:
            text = "files of several types, or none: without the file the type is not known"
            report.approximate("/".join(filter(None, key)), None, "path", text, what="item")
    notes = dataset.extras.get(NAMESPACE, {}).get("seqinfo", {})
    folders = Folders()
    for key, sequence in (writer.found or {("default", None): _Sequence(("default", None), "gt")}).items():
        subset, name = key
        folder = folders.of(subset, name) + "/" if name is not None and (several or subset != "default") else ""
        place = "det/det.txt" if sequence.form == "det" else "gt/gt.txt"
        with sink.open(folder + place) as out:
            for line in writer.lines(sequence):
                out.write(line.encode("ascii"))
        if sequence.form != "det":
            sink.write(f"{folder}gt/labels.txt", labels.encode("utf-8"))
        if sequence.names:
            sink.write(f"{folder}names.txt", "".join(sequence.names).encode("utf-8"))
        if sequence.length:
            sink.write(f"{folder}seqinfo.ini", _seqinfo(sequence, notes.get(f"{subset}/{name or ''}", {})))
    for key in notes:
        if tuple(key.split("/", 1)) not in {(subset, name or "") for subset, name in writer.found}:
            report.drop(key, None, f"extras.{NAMESPACE}.seqinfo", "there is no such sequence", what="sequence")


def _seqinfo(sequence: _Sequence, other: Mapping[str, str]) -> bytes:
    known = {"name": sequence.key[1] or "", "imDir": "img1", "frameRate": "0", "seqLength": str(sequence.length)}
    if all(sequence.size):
        known |= {"imWidth": str(sequence.size[0]), "imHeight": str(sequence.size[1])}
    known["imExt"] = next(iter(sequence.endings)) if len(sequence.endings) == 1 else ""
    known |= other
    return ("[Sequence]\n" + "".join(f"{key}={value}\n" for key, value in known.items())).encode("utf-8")


def _line(name: str) -> str:
    if name != name.strip() or "\n" in name or "\r" in name:
        raise ValueError(f"label {shorten(name)} cannot be written in labels.txt")
    return name
