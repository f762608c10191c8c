"""The grammar of the lists: a path, the number of its faces, a row for each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.lines import NUMBER, Line, lines
from maskcodec.formats._shared.naming import IMAGES
from maskcodec.formats._shared.source import Source, safe_name

__all__ = ["ATTRIBUTES", "DATUMARO", "FACE", "NAMESPACE", "Face", "Record", "faces", "is_path", "records"]

NAMESPACE = "wider_face"
FACE = "face"
# Columns 5 to 10 and their largest value; then in the order in which Datumaro and CVAT write them.
ATTRIBUTES = {"blur": 2, "expression": 1, "illumination": 1, "invalid": 1, "occlusion": 2, "pose": 1}
DATUMARO = ("blur", "expression", "illumination", "occlusion", "pose", "invalid")
_WORDS = {"True": 1, "False": 0}
_COUNT = re.compile("[0-9]{1,9}")


@dataclass(slots=True)
class Record:
    """One image of a list."""

    path: str
    line: Line
    rows: list[Line] = field(default_factory=list)


@dataclass(slots=True)
class Face:
    """One row: left, top, width, height, attributes, and the label if there is one."""

    box: list[float]
    attributes: dict[str, int]
    label: str | None = None


def _numbers(fields: list[str]) -> bool:
    return len(fields) >= 4 and all(NUMBER.fullmatch(text) for text in fields[:4])


def is_path(fields: list[str]) -> bool:
    """Whether a line is that of a path, not a count or a row, whatever stands before it."""
    if fields[-1].lower().endswith(IMAGES):
        return True
    return "/" in fields[0] and not NUMBER.fullmatch(fields[0])


def records(source: Source, name: str) -> tuple[list[Record], bool]:
    """The images of a list, and whether one has no count, as in the form of Datumaro."""
    rows = list(lines(source, name))
    out: dict[str, Record] = {}
    bare = False
    last: Record | None = None
    at = 0
    while at < len(rows):
        line = rows[at]
        at += 1
        if not is_path(line.fields) and (_numbers(line.fields) or (len(line) == 1 and NUMBER.fullmatch(line.text))):
            what = "a row more than its image announces" if len(line) > 1 else f"a count {line.text} without a path"
            source.problem(line.fault(what if last is None else f"{what} (after {shorten(last.path)})"))
            if len(line) > 1 and last is not None:
                last.rows.append(line)
            continue
        last, at, counted = _record(source, line, rows, at)
        bare = bare or not counted
        try:
            last.path = safe_name(last.path)
        except ValueError as error:
            source.problem(line.fault(str(error), "path"))
            continue
        if last.path in out:
            other = out[last.path]
            text = f"{shorten(last.path)} is there already, in line {other.line.number}"
            source.problem(line.fault(text, "path"))
            other.rows += last.rows
            last = other
            continue
        out[last.path] = last
    return list(out.values()), bare


def _record(source: Source, line: Line, rows: list[Line], at: int) -> tuple[Record, int, bool]:
    """The record that begins with a path, where it ends, and whether it has a count."""
    record = Record(line.text, line)
    if at < len(rows) and len(rows[at]) == 1 and _COUNT.fullmatch(rows[at].text):
        count = int(rows[at].text)
        at += 1
        if not count and at < len(rows) and _numbers(rows[at].fields) and not any(map(_value, rows[at].fields)):
            return record, at + 1, True  # a row of zeros fills the place
        while len(record.rows) < count and at < len(rows) and not is_path(rows[at].fields):
            record.rows.append(rows[at])
            at += 1
        if len(record.rows) < count:
            text = f"{shorten(record.path)} announces {count} rows, found {len(record.rows)}"
            source.problem(line.fault(text, "count"))
        return record, at, True
    if at < len(rows) and _numbers(rows[at].fields) and not is_path(rows[at].fields):
        source.problem(line.fault(f"{shorten(record.path)} is followed by rows without a count", "count"))
        while at < len(rows) and _numbers(rows[at].fields) and not is_path(rows[at].fields):
            record.rows.append(rows[at])
            at += 1
        return record, at, True
    text = "no count: an image without faces, as Datumaro writes it"
    source.report.default(record.path, None, "count", text, what="item")
    return record, at, False


def _value(text: str) -> float:
    return float(text) if NUMBER.fullmatch(text) else 1.0


def _label_at(row: Line) -> int:
    """Where the label of a row begins: behind 4 or 10 fields; 0: there is none."""
    if len(row) > 10:
        return 10
    plain = len(row) < 5 or row.fields[4] in ("-", *_WORDS) or NUMBER.fullmatch(row.fields[4])
    return 0 if plain else 4


def _foreign(row: Line) -> bool:
    """Whether a row shows the form of Datumaro: its marks, other numbers of columns, whole numbers with ``.0``."""
    if len(row) == 4 or _label_at(row):
        return True
    return any(text in ("-", *_WORDS) or "." in text for text in row.fields[4:10]) or any(
        text.endswith(".0") for text in row.fields[:4]
    )


def faces(
    source: Source, records: list[Record], dialect: str, bare: bool, file: str
) -> list[tuple[Record, list[Face]]]:
    """The faces of all images of a list.

    Args:
        source: hears of faults.
        records: of the list.
        dialect: "official", "datumaro", or "auto" for what the rows show.
        bare: an image has no count.
        file: for the report.
    """
    if dialect not in ("auto", "official", "datumaro"):
        raise ValueError(f'dialect is "auto", "official" or "datumaro", got {dialect!r}')
    foreign = dialect == "datumaro"
    if dialect == "auto" and (bare or any(_foreign(row) for record in records for row in record.rows)):
        foreign = True
        text = "columns 8 to 10 are taken for occluded, pose, invalid, as Datumaro and CVAT write them"
        source.report.default(file, None, "dialect", text, what="file")
    order = DATUMARO if foreign else tuple(ATTRIBUTES)
    out = []
    for record in records:
        found = []
        for row in record.rows:
            try:
                found.append(_face(source, row, order, foreign))
            except FormatError as error:
                source.problem(error, what="box")
        if len(found) == 1 and not any(found[0].box):
            text = "one face with a box of zeros is kept: an image without faces, counted as one"
            source.report.approximate(record.path, "box", "", text)
        elif any(face.box[2] <= 0 or face.box[3] <= 0 for face in found):
            source.report.approximate(record.path, "box", "", "a box without width or height is kept")
        out.append((record, found))
    return out


def _face(source: Source, row: Line, order: tuple[str, ...], foreign: bool) -> Face:
    if len(row) < 4:
        raise row.fault(f"expected 10 numbers, got {len(row)} in {shorten(row.text)}")
    box = [row.whole(at, f) if "." not in row.fields[at] else row.real(at, f) for at, f in enumerate("xywh")]
    begin = _label_at(row)
    columns = row.fields[4 : begin or 10]
    if (columns and len(columns) != 6) or (not foreign and len(row) != 10):
        raise row.fault(f"expected 10 numbers, got {len(row)} in {shorten(row.text)}")
    values: dict[str, int] = {}
    for at, (name, text) in enumerate(zip(order, columns, strict=False), 4):
        if foreign and text == "-":
            continue
        value = _WORDS[text] if foreign and text in _WORDS else row.whole(at, name)
        if not 0 <= value <= ATTRIBUTES[name]:
            text = f"column {at + 1} is 0 to {ATTRIBUTES[name]}, got {value}"
            source.problem(row.fault(text, name), what="attribute")
        values[name] = value
    label = row.text.split(None, begin)[begin].strip() if begin else None
    return Face(box, {name: values[name] for name in ATTRIBUTES if name in values}, label)
