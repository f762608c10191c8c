"""Strict JSON over a memory map: records are found first and decoded one by one, bulky fields stay raw.

Refused, with file, record and field in the error: bytes that are not UTF-8, NaN and Infinity, a key twice in one
object, lone surrogates, nesting beyond 256, integers beyond 64 bits. A byte order mark is skipped. The parser is
msgspec; what it does not check is checked here. Where it refuses a document, ``_jsonscan`` finds the record at fault,
so that a lenient reader loses only that record.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError
from maskcodec.formats._shared import _jsonscan as scan
from maskcodec.formats._shared._jsonscan import Buffer
from maskcodec.formats._shared._jsonspan import span
from maskcodec.formats._shared._jsonvalues import Raw, decode, encode, fields, numbers

__all__ = ["Document", "Raw", "Records", "decode", "encode", "fields", "numbers"]

_RAWS = msgspec.json.Decoder(list[Raw])
_ANY = msgspec.json.Decoder()
_LARGE = 64 << 20  # bytes


class Records:
    """The elements of one array, each found by its place in the buffer (12 bytes a record), decoded on request."""

    def __init__(self, buffer: Buffer, key: str, file: str, start: npt.NDArray[np.int64], size: Any) -> None:
        self._buffer = buffer
        self.key = key
        self.file = file
        self.start = start
        self.size = size
        self._read = 0
        self._large = len(buffer) > _LARGE

    def __len__(self) -> int:
        return len(self.start)

    def raw(self, at: int) -> bytes:
        """Text of record ``at``."""
        start, size = self.start.item(at), self.size.item(at)
        if self._large:
            self._account(size)
        return bytes(self._buffer[start : start + size])

    def chunk(self, first: int, last: int) -> bytes:
        """Text of the records from ``first`` up to ``last``, with what stands between them, as one array."""
        start, stop = int(self.start[first]), int(self.start[last - 1] + self.size[last - 1])
        if self._large:
            self._account(stop - start)
        return b"[" + bytes(self._buffer[start:stop]) + b"]"

    def _account(self, size: int) -> None:
        """Give pages back after a while; a fault brings in the pages around it too."""
        self._read += size + (64 << 10)
        if self._read > _LARGE:
            self._read = 0
            scan.let_go(self._buffer)

    def name(self, at: int) -> str:
        """Name of record ``at`` for errors: ``annotations[3]``."""
        return f"{self.key}[{at}]"

    def __iter__(self) -> Iterator[bytes]:
        return (self.raw(i) for i in range(len(self)))


class Document:
    """A JSON file whose top level is an object or an array; top-level values are found, not decoded.

    Args:
        buffer: bytes or memory map of the file; must outlive the document.
        file: name for errors.

    Raises:
        FormatError: the file is empty, not UTF-8, or not JSON at its top levels.
    """

    def __init__(self, buffer: Buffer, file: str) -> None:
        self.file = file
        self._buffer = buffer
        self._start = 3 if bytes(buffer[:3]) == codecs.BOM_UTF8 else 0
        self.broken: FormatError | None = None
        first = scan.skip_space(buffer, self._start)
        if first >= len(buffer):
            raise FormatError("the file is empty (offset 0), expected a JSON document", file=file)
        self.root = {b"{": "object", b"[": "array"}.get(bytes(buffer[first : first + 1]), "value")
        scan.check_utf8(buffer, file)
        self._values: dict[str, tuple[int, int]] = {}
        self._parts: dict[str, Document] = {}
        self.repeated: list[str] = []
        end = len(buffer)
        try:
            end = scan.value_end(buffer, first, file)
            if scan.skip_space(buffer, end) < len(buffer):
                self.broken = scan.error_at(buffer, end, file, "extra data after the document")
            self._outline(first, end)
        except FormatError as error:
            self.broken = error
            if not self._values:  # damaged: what was begun is still good enough to tell the format
                try:
                    self._outline(first, end)
                except FormatError:
                    self.broken = error

    def _outline(self, first: int, end: int) -> None:
        scan.let_go(self._buffer)
        if self.root == "object":
            # A value is entered without its end first: of a truncated file that is what detection has to go by.
            found = scan.members(self._buffer, first, self.file, self._begin)
            self._values = {key: (start, stop) for key, start, stop in found}
            names = [key for key, _, _ in found]
            self.repeated = [key for i, key in enumerate(names) if key in names[:i]]
        else:
            self._values[""] = (first, end)

    def _begin(self, key: str, start: int) -> None:
        self._values.setdefault(key, (start, -1))

    def check(self) -> None:
        """Raise the error of a document that is damaged as a whole."""
        if self.broken is not None:
            raise self.broken
        if self.repeated:
            raise FormatError("key twice at the top level (duplicate)", file=self.file, field=self.repeated[0])

    @property
    def keys(self) -> list[str]:
        """Top-level keys, in file order."""
        return list(self._values) if self.root == "object" else []

    def type_of(self, key: str) -> str:
        """Type of a top-level value by its first character: object, array, string, null, number, true, false."""
        start = self._values[key][0]
        return scan.type_at(self._buffer, start)

    def contains(self, key: str, text: bytes) -> bool:
        """Whether the text occurs anywhere in a top-level value; a quick look, not a parse."""
        start, stop = self._values[key]
        return self._buffer.find(text, start, stop if stop >= 0 else len(self._buffer)) >= 0

    def value(self, key: str, repeat: Any = None) -> Any:
        """Decode a whole top-level value."""
        start, stop = self._values[key]
        return decode(bytes(self._buffer[start:stop]), file=self.file, field=key, repeat=repeat)

    def part(self, key: str) -> Document:
        """A top-level object as a document of its own, outlined in turn, over the same buffer."""
        if key not in self._parts:
            start, stop = self._values[key]
            part = Document.__new__(Document)
            part.file, part._buffer, part._start, part.broken = self.file, self._buffer, start, self.broken
            part.root = {"an object": "object", "an array": "array"}.get(self.type_of(key), "value")
            part._values, part._parts, part.repeated = {}, {}, []
            try:
                part._outline(start, stop if stop >= 0 else len(self._buffer))
            except FormatError as error:
                part.broken = error
            self._parts[key] = part
        return self._parts[key]

    def peek(self, key: str = "", count: int = 20) -> list[Any]:
        """The first records of an array, decoded loosely, for detection."""
        out = []
        for start, stop in scan.elements(self._buffer, self._values[key][0], count):
            try:
                out.append(_ANY.decode(bytes(self._buffer[start:stop])))
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                out.append(None)
        return out

    def records(self, key: str = "") -> Records:
        """Find the elements of a top-level array.

        Raises:
            FormatError: the value is not an array.
        """
        if key not in self._values:
            raise FormatError("required list is missing", file=self.file, field=key)
        start, stop = self._values[key]
        if bytes(self._buffer[start : start + 1]) != b"[":
            found = self.type_of(key)
            raise FormatError(f"expected a list (array), got {found}", file=self.file, field=key)
        starts, sizes = span(self._buffer, start, stop, _RAWS, self.file)
        return Records(self._buffer, key, self.file, starts, sizes)
