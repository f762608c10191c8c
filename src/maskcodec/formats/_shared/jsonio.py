"""Strict JSON over a memory map: records are found first and decoded one by one, bulky fields stay raw.

Refused, with file, record and field in the error: bytes that are not UTF-8, NaN and Infinity, a key twice in one
object, lone surrogates, nesting beyond 256, integers beyond 64 bits. A byte order mark is skipped. The parser is
msgspec; what it does not check is checked here. Where it refuses a document, ``_jsonscan`` finds the record at fault,
so that a lenient reader loses only that record.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared import _jsonscan as scan
from maskcodec.formats._shared._jsonscan import Buffer, span

__all__ = ["Document", "Raw", "Records", "decode", "encode", "fields", "numbers"]

Raw = msgspec.Raw
MAX_DEPTH = 256
_RAWS = msgspec.json.Decoder(list[Raw])
_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_ANY = msgspec.json.Decoder()
_ENCODER = msgspec.json.Encoder()


def _faulty(data: bytes, cause: Exception, file: str, record: str, field: str) -> FormatError:
    """The error for text that the parser refused."""
    if isinstance(cause, RecursionError):
        text = f"nested deeper than {MAX_DEPTH} levels"
    elif isinstance(cause, UnicodeDecodeError):
        text = f"not UTF-8 (byte {cause.start})"
    elif re.search(rb"\\u[dD][89a-fA-F]", data):
        text = "a surrogate escape without its pair"
    else:
        text = f"not valid JSON: {cause}; got {shorten(data[:100].decode('utf-8', 'backslashreplace'))}"
    return FormatError(text, file=file, record=record, field=field)


def decode(data: bytes | Raw, *, file: str = "", record: str = "", field: str = "", repeat: Any = None) -> Any:
    """Decode one whole JSON value with every rule of this module.

    Args:
        data: UTF-8 text of the value.
        file: for errors.
        record: for errors.
        field: for errors.
        repeat: called with the error for a repeated key, instead of raising it; the last value counts then.

    Raises:
        FormatError: the text breaks a rule.
    """
    data = bytes(data)
    try:
        value = _ANY.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _faulty(data, error, file, record, field) from error
    strings = 0 if b'"' in data else -1
    if type(value) in (list, dict):
        if data.count(b"[") + data.count(b"{") > MAX_DEPTH and scan.depth(data) > MAX_DEPTH:
            raise FormatError(f"nested deeper than {MAX_DEPTH} levels", file=file, record=record, field=field)
        found = _walk(value)
        if isinstance(found, str):
            raise FormatError(found, file=file, record=record, field=field)
        strings = found
        # Every text and key has two quotes; a repeated key leaves quotes that the decoded value does not account for.
        if b"\\" in data or data.count(b'"') != 2 * strings:
            key = scan.repeated_key(data)
            if key is not None:
                again = FormatError(f"key {shorten(key)} twice in one object", file=file, record=record, field=field)
                if repeat is None:
                    raise again
                repeat(again)
    elif type(value) is int and not -(2**63) <= value < 2**64:
        raise FormatError(f"integer beyond 64 bits: {shorten(value)}", file=file, record=record, field=field)
    return value


def _walk(value: Any) -> int | str:
    """Number of texts and keys in a decoded value, or what is wrong with it."""
    count, todo = 0, [value]
    while todo:
        node = todo.pop()
        if type(node) is dict:
            count += len(node)
            node = list(node.values())
        kinds = set(map(type, node))
        if kinds == {int} and min(node) >= -(2**63) and max(node) < 2**64:
            continue
        if int in kinds:
            big = next((v for v in node if type(v) is int and not -(2**63) <= v < 2**64), None)
            if big is not None:
                return f"integer beyond 64 bits: {shorten(big)}"
        if str in kinds:
            count += sum(1 for v in node if type(v) is str)
        if dict in kinds or list in kinds:
            todo.extend(v for v in node if type(v) is dict or type(v) is list)
    return count


def fields(data: bytes, *, file: str = "", record: str = "", repeat: Any = None) -> dict[str, Raw]:
    """Split one object into its fields without decoding them; each value goes to ``decode`` or a native parser.

    Args:
        data: UTF-8 text of the object.
        file: for errors.
        record: for errors.
        repeat: called with the error for a repeated key, instead of raising it; the last value counts then.

    Raises:
        FormatError: not an object, not valid, or a key twice.
    """
    try:
        found = _FIELDS.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        if isinstance(error, msgspec.ValidationError) or data[:1] != b"{":
            raise FormatError(f"expected an object, got {shorten(data[:100])}", file=file, record=record) from error
        for key, start, stop in scan.members(data):  # name the field at fault
            decode(bytes(data[start:stop]), file=file, record=record, field=key or "")
        raise _faulty(data, error, file, record, "") from error
    quotes = 2 * len(found) + sum(bytes(value).count(b'"') for value in found.values())
    if data.count(b'"') != quotes or (b"\\" in data and len(scan.members(data)) != len(found)):
        twice = scan.repeated_key(data, nested=False)
        if twice is not None:
            again = FormatError("key twice in one object (duplicate)", file=file, record=record, field=twice)
            if repeat is None:
                raise again
            repeat(again)
    return found


class Records:
    """The elements of one array, each found by its place in the buffer (12 bytes a record), decoded on request."""

    def __init__(self, buffer: Buffer, key: str, file: str, start: npt.NDArray[np.int64], size: Any) -> None:
        self._buffer = buffer
        self.key = key
        self.file = file
        self.start = start
        self.size = size
        self._read = 0

    def __len__(self) -> int:
        return len(self.start)

    def raw(self, at: int) -> bytes:
        """Text of record ``at``."""
        start, size = int(self.start[at]), int(self.size[at])
        self._read += size + (64 << 10)  # a fault brings in the pages around it too
        if self._read > 64 << 20:
            self._read = 0
            scan.let_go(self._buffer)
        return bytes(self._buffer[start : start + size])

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
        """A top-level object as a document of its own, outlined in turn (its text is copied)."""
        if key not in self._parts:
            start, stop = self._values[key]
            text = bytes(self._buffer[start : stop if stop >= 0 else len(self._buffer)])
            self._parts[key] = Document(text, self.file)
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
        starts, sizes = span(self._buffer, start, stop, _RAWS)
        return Records(self._buffer, key, self.file, starts, sizes)


def numbers(values: Any) -> Raw:
    """Encode numbers (nested lists or arrays of them) so that they parse back equal and integers have no ``.0``.

    Raises:
        ValueError: NaN or infinity among them.
    """
    if isinstance(values, np.ndarray):
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError("NaN and infinity cannot be written as JSON")
        values = values.tolist()
    text = _ENCODER.encode(values)
    if b"null" in text:
        raise ValueError("NaN and infinity cannot be written as JSON")
    if b".0" in text:
        text = text.replace(b".0,", b",").replace(b".0]", b"]")
        if text.endswith(b".0"):
            text = text[:-2]
    return Raw(text)


def encode(value: Any) -> bytes:
    """Encode a value of plain types (and ``Raw``) on one line; NaN is refused, unlike msgspec, which prints null."""
    _refuse_nan(value)
    return _ENCODER.encode(value)


def _refuse_nan(value: Any) -> None:
    if type(value) is float:
        if value - value != 0:
            raise ValueError("NaN and infinity cannot be written as JSON")
    elif type(value) is dict:
        for v in value.values():
            if type(v) not in (str, int, Raw, bool):
                _refuse_nan(v)
    elif type(value) in (list, tuple):
        for v in value:
            if type(v) not in (str, int, Raw, bool):
                _refuse_nan(v)
