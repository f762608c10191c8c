"""Rows of MOT files: comma separated numbers, many at once where a file is sound, line by line where it is not."""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError
from maskcodec.formats._shared.lines import Line, lines
from maskcodec.formats._shared.source import Source

__all__ = ["COLUMNS", "MAX_FRAME", "Rules", "Table", "as_world", "read_rows"]

Float64 = npt.NDArray[np.float64]
MAX_FRAME = 9_999_999
COLUMNS = ("frame", "id", "left", "top", "width", "height", "conf", "class", "visibility", "z")
_EXACT = 2.0**53


class Table(NamedTuple):
    """Rows of a file.

    Attributes:
        values: float64 (n, 10), sorted by frame, NaN where a column is missing.
        width: number of columns; the largest where they differ.
    """

    values: Float64
    width: int

    def of(self, frame: int) -> Float64:
        """Rows of a frame, in the order of the file."""
        low, high = np.searchsorted(self.values[:, 0], (frame, frame + 1)).tolist()
        rows: Float64 = self.values[low:high]
        return rows


class Rules(NamedTuple):
    """What rows are held against.

    Attributes:
        first: number of the first frame, 1 or 0.
        classes: number of classes; 0 where the class is not looked at.
        truth: ground truth, whose columns 8 and 9 are class and visibility; else detections.
    """

    first: int
    classes: int
    truth: bool


def _bulk(source: Source, name: str) -> Float64 | None:
    """All rows at once; None where a line is not just numbers, as many as in the others."""
    data = source.read(name)
    if not data.strip():
        return np.zeros((0, 6))
    if b"#" in data or b"_" in data or not data.isascii():
        return None
    try:
        values = np.loadtxt(io.BytesIO(data), delimiter=",", ndmin=2, comments=None)
    except ValueError:
        return None
    return values if 6 <= values.shape[1] <= 10 else None


def _numbers(line: Line) -> list[float]:
    if not 6 <= len(line) <= 10:
        raise line.fault(f"expected frame, id, left, top, width, height (6 to 10 fields), got {len(line)}")
    values: list[float] = [line.whole(0, "frame"), line.whole(1, "id")]
    return values + [line.real(at, COLUMNS[at]) for at in range(2, len(line))]


def _faults(values: Float64, rules: Rules) -> npt.NDArray[np.bool_]:
    """Which rows break a rule, any rule."""
    frame, track = values[:, 0], values[:, 1]
    bad: npt.NDArray[np.bool_] = np.isnan(values[:, 0])
    bad |= ~np.isfinite(values[:, :6]).all(axis=1)
    with np.errstate(invalid="ignore"):
        bad |= (frame < rules.first) | (frame > MAX_FRAME) | (frame != np.floor(frame))
        bad |= (track != np.floor(track)) | (np.abs(track) >= _EXACT)
        bad |= (values[:, 4] < 0) | (values[:, 5] < 0)
        if rules.truth:
            number = values[:, 7]
            given = ~np.isnan(number) & (number != -1)
            bad |= given & ((number < 1) | (number > rules.classes) | (number != np.floor(number)))
    real = np.flatnonzero(track > 0)
    order = real[np.lexsort((track[real], frame[real]))]
    same = (np.diff(frame[order]) == 0) & (np.diff(track[order]) == 0)
    bad[order[1:][same]] = True
    return bad


def _check(line: Line, row: list[float], rules: Rules, seen: set[tuple[float, float]]) -> None:
    frame, track = row[0], row[1]
    if not rules.first <= frame <= MAX_FRAME:
        raise line.fault(f"frames are {rules.first} to {MAX_FRAME}, got {frame:.0f}", "frame")
    if abs(track) >= _EXACT:
        raise line.fault(f"an id is below 2^53, got {track:.0f}", "id")
    for at in (4, 5):
        if row[at] < 0:
            raise line.fault(f"expected 0 or more, got {row[at]}", COLUMNS[at])
    if track > 0 and (frame, track) in seen:
        raise line.fault(f"track {track:.0f} is in frame {frame:.0f} already", "id")
    if rules.truth and len(row) > 7 and row[7] != -1:
        if not row[7].is_integer():
            raise line.fault(f"expected a whole number, got {row[7]}", "class")
        if not 1 <= row[7] <= rules.classes:
            raise line.fault(f"class {row[7]:.0f}, there are {rules.classes} from 1 on", "class")


def _one_by_one(source: Source, name: str, rules: Rules) -> list[list[float]]:
    out: list[list[float]] = []
    seen: set[tuple[float, float]] = set()
    for line in lines(source, name, separator=",", comments=True):
        try:
            row = _numbers(line)
            try:
                _check(line, row, rules, seen)
            except FormatError as error:
                if error.field != "class" or row[7] != 0:
                    raise
                source.problem(error)  # class 0 of other tools: a lenient reader keeps the box without a class
                row[7] = -1.0
        except FormatError as error:
            source.problem(error)
            continue
        if row[1] > 0:
            seen.add((row[0], row[1]))
        out.append(row)
    return out


def read_rows(source: Source, name: str, rules: Rules) -> Table:
    """Rows of a file, sorted by frame.

    Raises:
        FormatError: fewer than 6 or more than 10 fields, no numbers, a frame before the first, negative sizes, a class
            that is not there, a track twice in a frame; a lenient reader leaves the row out.
    """
    found = _bulk(source, name)
    if found is not None:
        full = _widened(found)
        judged = rules if not (rules.truth and found.shape[1] == 10) else rules._replace(truth=_is_truth(full, rules))
        if not _faults(full, judged).any() and np.isfinite(found).all():
            return _sorted(full, found.shape[1])
    return _slow(source, name, rules)


def _widened(values: Float64) -> Float64:
    full = np.full((len(values), 10), np.nan)
    full[:, : values.shape[1]] = values
    return full


def _is_truth(full: Float64, rules: Rules) -> bool:
    """Whether ten columns hold a class and a visibility all the same, not a place in the world."""
    number, seen = full[:, 7], full[:, 8]
    classes = (number == np.floor(number)) & (number >= 1) & (number <= rules.classes)
    return bool(len(full)) and bool((classes & (seen >= 0) & (seen <= 1)).all())


def _slow(source: Source, name: str, rules: Rules) -> Table:
    wide = Rules(rules.first, 0, False)
    if rules.truth:  # ten columns are no ground truth of today, unless they look like it
        bare = (raw.strip() for raw in source.read(name).split(b"\n"))
        if max((raw.count(b",") + 1 for raw in bare if raw[:1] != b"#"), default=0) == 10:
            rules = wide
    rows = _one_by_one(source, name, rules)
    width = max((len(row) for row in rows), default=9)
    full = np.full((len(rows), 10), np.nan)
    for at, row in enumerate(rows):
        full[at, : len(row)] = row
    return _sorted(full, width)


def _sorted(full: Float64, width: int) -> Table:
    return Table(full[np.argsort(full[:, 0], kind="stable")], width)


def as_world(table: Table, rules: Rules) -> bool:
    """Whether columns 8 to 10 are a place in the world."""
    return not rules.truth or (table.width == 10 and not _is_truth(table.values, rules))


