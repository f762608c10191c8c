"""The text form of MOTS: ``frame id class height width run-lengths`` a row, one file for each sequence."""

from __future__ import annotations

import re
from typing import NamedTuple

from maskcodec.errors import DecodeError, FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.lines import Line, lines
from maskcodec.formats._shared.sequences import frame_id
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source
from maskcodec.formats.mots.labels import FACTOR, IGNORED, Classes, Table, Tables
from maskcodec.formats.mots.numbers import Numbers
from maskcodec.formats.mots.png import checked_first, folder
from maskcodec.formats.mots.seqmap import MAX_FRAME, PLAIN, read_seqmap, write_rows
from maskcodec.masks import Rle
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.losses import LossReport

__all__ = ["detect", "read", "write"]

_FILE = re.compile(r"(?:(.*)/)?([^/]+)\.txt")
_ROW = re.compile(rb"(?:\xef\xbb\xbf)?\s*(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\S+)\s*$")


class _Row(NamedTuple):
    line: Line
    value: int
    number: int
    height: int
    width: int


class _Sequence:
    def __init__(self, file: str, subset: str, name: str, table: Table) -> None:
        self.file, self.subset, self.name, self.table = file, subset, name, table
        self.frames: dict[int, list[_Row]] = {}


def detect(probe: Probe) -> Confidence:
    """Rows of five numbers and run lengths, whose ids are class * 1000 + number."""
    for name in probe.matching(".txt")[:64]:  # sequences are few; label files of other formats may be a million
        first = next((raw for raw in probe.head(name).split(b"\n") if raw.strip()), b"")
        match = _ROW.match(first if first.endswith(b"\r") or len(first) < 4000 else first[:4000])
        if match and (int(match[2]) // FACTOR == int(match[3]) or int(match[3]) == IGNORED):
            return Confidence(90, f"{name} has run lengths of frames and tracks")
    raise NotThisFormat("no text file with rows of frame, id, class, height, width and run lengths")


def read(source: Source, *, first_frame: int = 0) -> Dataset:
    """Read rows of masks.

    Args:
        source: folder or zip with a file for each sequence, or one such file.
        first_frame: number of the first frame, 0 (KITTI) or 1 (MOTSChallenge); frames count from there.
    """
    first = checked_first(first_frame)
    tables = Tables(source)
    found = _find(source, tables, first)
    entries: list[tuple[_Sequence, int]] = []
    for sequence in found:
        _rows(source, sequence, tables, first)
        entries += [(sequence, frame) for frame in sorted(sequence.frames)]

    def load(entry: tuple[_Sequence, int]) -> Item:
        return _item(source, tables, *entry, first)

    return Dataset(tables.schema, LazyItems(entries, load))


def _find(source: Source, tables: Tables, first: int) -> list[_Sequence]:
    out: dict[tuple[str, str], _Sequence] = {}
    known = False
    for name in source.files if source.kind != "file" else [source.files[0]]:
        match = _FILE.fullmatch(name)
        if not match and source.kind != "file":
            continue
        above, stem = (match.group(1) or "", match.group(2)) if match else ("", name)
        known |= stem == "labels"
        if stem == "labels":
            continue
        last = above.rpartition("/")[2]
        if stem == last == "gt":  # <subset>/<sequence>/gt/gt.txt
            rest, _, stem = above.rpartition("/")[0].rpartition("/")
            last = rest.rpartition("/")[2]
        subset = last if last and last not in PLAIN else "default"
        table = tables.table(f"{above}/labels.txt" if above else "labels.txt")
        if (subset, stem) in out:
            subset = above or subset
        out[subset, stem] = _Sequence(name, subset, stem, table)
    if not out and not known:
        raise FormatError("no text file with rows of masks", file=source.path)
    if known and not out:
        tables.table(next(name for name in source.files if name.rpartition("/")[2] == "labels.txt"))
    for name in source.files:
        if name.endswith(".seqmap"):
            read_seqmap(source, name, {key: sequence.frames for key, sequence in out.items()}, first)
    return [out[key] for key in sorted(out)]


def _rows(source: Source, sequence: _Sequence, tables: Tables, first: int) -> None:
    last, told = -1, False
    for line in lines(source, sequence.file):
        try:
            if len(line) != 6:
                raise line.fault(f"expected frame, id, class, height, width and run lengths, got {len(line)} fields")
            names = ("frame", "id", "class", "height", "width")
            frame, value, number, height, width = (line.whole(at, name) for at, name in enumerate(names))
            if not first <= frame <= MAX_FRAME:
                raise line.fault(f"expected {first} to {MAX_FRAME}, got {frame}", "frame")
            if height < 0 or width < 0:
                raise line.fault(f"expected a size, got {height} x {width}", "height")
            if value // FACTOR != number or number < 1:
                raise line.fault(f"{value} is no id of class {number}, expected class * 1000 + number", "id")
            if value != IGNORED * FACTOR or not tables.ignores(sequence.table):
                known = f"class {number}, there are {len(sequence.table.ids or ())}"
                tables.category(sequence.table, number, line.fault(known, "class"))
            else:
                tables.ignored(sequence.table)
        except FormatError as error:
            source.problem(error)
            continue
        if frame < last and not told:
            told = True
            text = "rows are not in the order of frames"
            source.report.default(source.display(sequence.file), None, "", text, what="file")
        last = frame
        sequence.frames.setdefault(frame, []).append(_Row(line, value, number, height, width))


def _item(source: Source, tables: Tables, sequence: _Sequence, frame: int, first: int) -> Item:
    item = Item(frame_id(sequence.name, frame, True), subset=sequence.subset)
    item.sequence, item.frame = sequence.name, frame - first
    seen: set[int] = set()
    masks: list[Rle] = []
    for row in sequence.frames[frame]:
        try:
            if item.height is None:
                item.height, item.width = row.height, row.width
            if (row.height, row.width) != (item.height, item.width):
                text = f"{row.height} x {row.width}, other rows of the frame have {item.height} x {item.width}"
                raise row.line.fault(text, "height")
            if row.value in seen:
                raise row.line.fault(f"{row.value} is in frame {frame} already", "id")
            try:
                rle = Rle.from_coco({"size": [row.height, row.width], "counts": row.line.fields[5]})
            except (DecodeError, ValueError, MemoryError) as error:
                raise row.line.fault(f"{error}, in {shorten(row.line.fields[5], 40)}", "rle") from error
            masks.append(rle)
            if len(masks) > 1 and _overlap(masks):
                masks.pop()
                raise row.line.fault("the mask lies over another one of the frame", "rle")
        except FormatError as error:
            source.problem(error, item, f"line {row.line.number}")
            continue
        seen.add(row.value)
        if row.value == IGNORED * FACTOR and tables.ignores(sequence.table):
            item.annotations.append(Mask(rle, category_id=tables.ignored(sequence.table), is_crowd=True))
        else:
            category = tables.category(sequence.table, row.number, row.line.fault("no such class", "class"))
            item.annotations.append(Mask(rle, category_id=category, track_id=row.value % FACTOR))
    return item


def _overlap(masks: list[Rle]) -> bool:
    return any(mask.intersection_area(masks[-1]) for mask in masks[:-1])


def write(
    dataset: Dataset, sink: NullSink, report: LossReport, *, renumber: bool = False, first_frame: int = 0
) -> None:
    """Write rows for each sequence, labels beside them, and which frames there are where some have no objects.

    Args:
        dataset: masks that do not overlap.
        sink: the output.
        report: hears of special losses.
        renumber: all tracks get new numbers in each class, not only those whose numbers do not fit (0 to 999).
        first_frame: number of the first frame, 0 or 1.

    Raises:
        ValueError: more than 65 classes, or 999 objects of a class in a sequence.
    """
    first = checked_first(first_frame)
    classes = Classes(dataset.schema, report)
    numbers = Numbers(classes, report, renumber)
    order: list[tuple[str, str]] = []
    for item in dataset.items:
        key = item.subset, item.sequence or ""
        if not order or order[-1] != key:
            order.append(key)
        numbers.learn(item)
    if order != sorted(set(order)):
        report.approximate(None, None, "items", "frames stand sequence by sequence, sorted by name")
    rows: dict[tuple[str, str], list[str]] = {}
    frames: dict[tuple[str, str], list[int]] = {}
    bare: dict[tuple[str, str], list[Item]] = {}
    for item in dataset.items:
        key = item.subset, item.sequence or ""
        out = rows.setdefault(key, [])
        masks = [a for a in item.annotations if isinstance(a, Mask)]
        before = len(out)
        for mask, value in zip(masks, numbers.values(item, masks), strict=True):
            if value:
                text = mask.rle.to_coco()["counts"]
                size = f"{mask.rle.height} {mask.rle.width}"
                out.append(f"{(item.frame or 0) + first} {value} {value // FACTOR} {size} {text}\n")
        frames.setdefault(key, []).append((item.frame or 0) + first)
        if len(out) == before:
            bare.setdefault(key, []).append(item)
    write_rows(sink, report, rows, frames, bare)
    labels = classes.labels()
    if labels is not None:
        for subset in dict.fromkeys(key[0] for key in rows) or ("default",):
            sink.write(f"{folder(subset)}labels.txt", labels)
