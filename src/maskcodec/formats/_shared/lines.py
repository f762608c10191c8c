"""Text files with one record a line: decoding, fields, numbers that are checked on the way in and exact on the way out.

UTF-8 with or without a byte order mark, LF or CR/LF, the last line with or without its end. A line that is not UTF-8 is
a fault of that line alone.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.source import Source
from maskcodec.model.geometry import side

__all__ = [
    "NUMBER", "Line", "decimal", "extent", "lines", "plain_rows", "quoted_fields", "table", "two_decimals", "write_csv",
]  # fmt: skip

NUMBER = re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_FIELD = re.compile(r'"((?:[^"]|"")*)"|(\S+)')


class Line:
    """One record: ``text`` as it stands, ``fields``, the ``number`` of its line (from 1) and the file for messages."""

    __slots__ = ("fields", "file", "number", "text")

    def __init__(self, text: str, fields: list[str], number: int, file: str) -> None:
        self.text, self.fields, self.number, self.file = text, fields, number, file

    def __len__(self) -> int:
        return len(self.fields)

    def fault(self, message: str, field: str = "") -> FormatError:
        """The error for something that is wrong with this record."""
        return FormatError(message, file=self.file, record=f"line {self.number}", field=field)

    def real(self, at: int, field: str) -> float:
        """A finite number out of a field."""
        if at >= len(self.fields):
            raise self.fault(f"the field is missing, the line has {len(self.fields)}", field)
        text = self.fields[at]
        value = float(text) if NUMBER.fullmatch(text) else math.nan
        if not math.isfinite(value):
            raise self.fault(f"expected a finite number, got {shorten(text)}", field)
        return value

    def whole(self, at: int, field: str) -> int:
        """A whole number out of a field; ``3.0`` is one."""
        if at < len(self.fields) and re.fullmatch("[-+]?[0-9]{1,18}", self.fields[at]):
            return int(self.fields[at])
        value = self.real(at, field)
        if not value.is_integer():
            raise self.fault(f"expected a whole number, got {shorten(self.fields[at])}", field)
        return int(value)

    def reals(self, first: int, fields: Iterable[str]) -> list[float]:
        """Several finite numbers, one after the other."""
        return [self.real(first + at, field) for at, field in enumerate(fields)]


def lines(
    source: Source, name: str, *, separator: str | None = None, comments: bool = False, strip: bool = True
) -> Iterator[Line]:
    """The lines of a file that hold something.

    Args:
        source: where the file is.
        name: of the file.
        separator: between fields; None: runs of blanks. Blanks around a field are not part of it.
        comments: lines that begin with ``#`` are left out.
        strip: blanks around the line are not part of ``text``.

    Raises:
        FormatError: a line is not UTF-8; a lenient reader leaves it out and reports it.
    """
    file, data = source.display(name), source.read(name)
    if data[:3] == b"\xef\xbb\xbf":
        data = data[3:]
    for number, raw in enumerate(data.split(b"\n"), 1):
        try:
            text = raw.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as error:
            fault = FormatError(f"not UTF-8 (byte {error.start} of the line)", file=file, record=f"line {number}")
            source.problem(fault)
            continue
        bare = text.strip()
        if not bare or (comments and bare[0] == "#"):
            continue
        fields = bare.split() if separator is None else [field.strip() for field in bare.split(separator)]
        yield Line(bare if strip else text, fields, number, file)


_PLAIN = b"0123456789.+-eE \t\n"


def plain_rows(data: bytes) -> list[list[bytes]] | None:
    """Fields between blanks of every line that holds something, of a text of plain numbers.

    Of these characters ``float`` takes what ``Line.real`` takes, so that rows can be turned into numbers without a look
    at each field; whoever finds anything wrong with them goes through ``lines``, which says what it is.

    Returns:
        The rows; None where the text holds any other character than those of decimal numbers.

    Example:
        >>> plain_rows(b"0 .5 1e-3\\r\\n"), plain_rows(b"0 nan")
        ([[b'0', b'.5', b'1e-3']], None)
    """
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n")
    if data.translate(None, _PLAIN):
        return None
    return [fields for raw in data.split(b"\n") if (fields := raw.split())]


def quoted_fields(line: Line) -> list[str]:
    """Fields of a line between blanks, where a field in double quotes may hold blanks; ``""`` in it is a quote.

    Raises:
        FormatError: a quote that is not closed, or text right behind a closing one.
    """
    out, at, text = [], 0, line.text
    while at < len(text):
        found = _FIELD.match(text, at)
        if found is None or (found.group(2) or "").startswith('"') or text[found.end() : found.end() + 1].strip():
            raise line.fault(f"quotes do not match: {shorten(text)}")
        out.append(found.group(1).replace('""', '"') if found.group(1) is not None else found.group(2))
        at = found.end() + len(text[found.end() :]) - len(text[found.end() :].lstrip())
    return out


def table(source: Source, name: str, columns: Iterable[str]) -> Iterator[Line]:
    """Records of a CSV file with a header, as lines whose fields are those of ``columns`` first, then all others.

    Args:
        source: where the file is.
        name: of the file.
        columns: that must be there, in any order in the file.

    Raises:
        FormatError: not UTF-8, a column is missing, a record has another number of fields, a quote is not closed.
    """
    file = source.display(name)
    try:
        text = source.read(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8 (byte {error.start})", file=file) from error
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    wanted, order, width, begin = list(columns), list[int](), 0, 1
    try:
        for row in rows:
            number, begin = begin, rows.line_num + 1
            if not row:
                continue
            if not width:
                header = [cell.strip() for cell in row]
                missing = [column for column in wanted if column not in header]
                if missing:
                    raise FormatError(f"column {', '.join(missing)} is missing, got {shorten(header)}", file=file)
                order = [header.index(column) for column in wanted]
                order += [at for at in range(len(header)) if at not in order]
                width = len(header)
                yield Line("", [header[at] for at in order], number, file)
                continue
            line = Line(",".join(row), row, number, file)
            if len(row) != width:
                source.problem(line.fault(f"expected {width} fields, got {len(row)}"))
                continue
            line.fields = [row[at] for at in order]
            yield line
    except csv.Error as error:
        record = f"line {begin}"
        raise FormatError(f"a quoted field is not closed or not valid: {error}", file=file, record=record) from error


def write_csv(rows: Iterable[Iterable[str]]) -> bytes:
    """Records as CSV, fields quoted where they must be, lines ended by LF."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8")


def decimal(value: float) -> str:
    """The shortest text that parses back to the same number, whole numbers without ``.0``.

    Example:
        >>> decimal(3.0), decimal(0.1), decimal(1e-7)
        ('3', '0.1', '1e-07')
    """
    if type(value) is not float:
        if isinstance(value, int):
            return str(int(value))
        value = float(value)
    text = repr(value)
    return text[:-2] if text[-2:] == ".0" else text


def extent(low: float, high: float) -> str:
    """The shortest text of a width that leads from one side back to the other, where a float can.

    Example:
        >>> extent(0.1, 0.1 + 0.2), extent(60, 139)
        ('0.2', '79')
    """
    width = high - low
    for digits in range(1, 17):
        short = float(f"{width:.{digits}g}")
        if low + short == high:
            return decimal(short)
    return decimal(side(low, high))


def two_decimals(value: float) -> str:
    """A coordinate: 2 decimals when that is exact, else the shortest text that parses back to the same number.

    Example:
        >>> two_decimals(3), two_decimals(0.125)
        ('3.00', '0.125')
    """
    text = f"{value:.2f}"
    return text if float(text) == value else repr(float(value))
