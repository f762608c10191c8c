"""Structure of JSON text without decoding it: where values begin and end, and where a fault is.

The tolerant scanner here understands texts and brackets only. It is used where the strict parser gave up (to find the
record at fault) and for a look at the first records; whatever it finds is decoded strictly afterwards.
"""

from __future__ import annotations

import codecs
import json
import mmap
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from maskcodec.errors import FormatError

Buffer = bytes | mmap.mmap
_SPACE = re.compile(rb"[ \t\r\n]*")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_MARK = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},]', re.DOTALL)
_SCALAR = re.compile(rb"[^\s,\]}\[{\"]+")
_CLOSER = {b"]": b"[", b"}": b"{"}
_TYPES = {b"{": "an object", b"[": "an array", b'"': "text", b"n": "null", b"t": "true", b"f": "false"}
_CHUNK = 1 << 20
LARGE = 64 << 20  # bytes
_TRAILING = re.compile(r"JSON is malformed: trailing characters \(byte (\d+)\)")


def skip_space(buffer: Buffer, at: int) -> int:
    """Position of the first character from ``at`` on that is not white space."""
    match = _SPACE.match(buffer, at)
    return match.end() if match else at


def type_at(buffer: Buffer, at: int) -> str:
    """Name of the type of the value that begins at ``at``."""
    return _TYPES.get(bytes(buffer[at : at + 1]), "a number")


def error_at(buffer: Buffer, at: int, file: str, text: str, record: str = "") -> FormatError:
    """An error that names line, column and offset of a position."""
    line, last, at_chunk = 1, 0, 0
    while at_chunk < at:
        chunk = bytes(buffer[at_chunk : min(at, at_chunk + _CHUNK)])
        line += chunk.count(b"\n")
        newline = chunk.rfind(b"\n")
        last = at_chunk + newline + 1 if newline >= 0 else last
        at_chunk += len(chunk)
    return FormatError(f"{text} (line {line}, column {at - last + 1}, offset {at})", file=file, record=record)


def check_utf8(buffer: Buffer, file: str) -> None:
    """Raise ``FormatError`` where the text is not UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    for at in range(0, len(buffer) or 1, _CHUNK):
        held = len(decoder.getstate()[0])
        try:
            decoder.decode(bytes(buffer[at : at + _CHUNK]), final=at + _CHUNK >= len(buffer))
        except UnicodeDecodeError as error:
            where = at - held + error.start
            found = bytes(buffer[where : where + 1])
            raise error_at(buffer, where, file, f"not UTF-8: byte {found!r} cannot be decoded") from error
        if at % LARGE == 0:
            let_go(buffer)


def value_end(buffer: Buffer, start: int, file: str) -> int:
    """End of the value at ``start``, by brackets and texts alone.

    Raises:
        FormatError: the text ends before the value does, brackets do not match, or nesting is deeper than 256.
    """
    if len(buffer) - start > LARGE:  # never all of it in memory at once
        if bytes(buffer[start : start + 1]) == b"[":
            return array_end(buffer, start, file)
        if bytes(buffer[start : start + 1]) == b"{":
            found = members(buffer, start, file)
            at = found[-1][2] if found else start + 1
            return skip_space(buffer, at) + 1
    try:  # the strict parser is many times faster, and right when the whole rest is one value
        with memoryview(buffer) as view, view[start:] as rest:
            msgspec.json.decode(rest, type=msgspec.Raw)
        return len(buffer)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _end_by_brackets(buffer, start, file)


def _end_by_brackets(buffer: Buffer, start: int, file: str) -> int:
    first = bytes(buffer[start : start + 1])
    if first == b'"':
        match = _TOKEN.match(buffer, start)
        if match is None:
            raise error_at(buffer, start, file, "text without its closing quote")
        return match.end()
    if first not in (b"[", b"{"):
        match = _SCALAR.match(buffer, start)
        if match is None:
            raise error_at(buffer, start, file, "expected a JSON value")
        return match.end()
    stack: list[bytes] = []
    for match in _TOKEN.finditer(buffer, start):
        token = match.group()
        if token in (b"[", b"{"):
            stack.append(token)
            if len(stack) > 256:
                raise error_at(buffer, match.start(), file, "nested deeper than 256 levels")
        elif token in _CLOSER:
            if stack.pop() != _CLOSER[token]:
                raise error_at(buffer, match.start(), file, f"unexpected {token.decode()}")
            if not stack:
                return match.end()
    raise error_at(buffer, len(buffer), file, "the document ends before it is complete (truncated)")


def members(
    buffer: Buffer, start: int = 0, file: str = "", seen: Callable[[str, int], None] | None = None
) -> list[tuple[str, int, int]]:
    """Members of the object at ``start``: key, begin and end of the value. ``seen`` hears of each value first."""
    out: list[tuple[str, int, int]] = []
    at = skip_space(buffer, start + 1)
    if bytes(buffer[at : at + 1]) == b"}":
        return out
    while True:
        match = _TOKEN.match(buffer, at)
        if match is None or not match.group().startswith(b'"'):
            raise error_at(buffer, at, file, "expected a key")
        try:
            key = msgspec.json.decode(match.group(), type=str)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise error_at(buffer, at, file, f"key is not valid text: {error}") from error
        at = skip_space(buffer, match.end())
        if bytes(buffer[at : at + 1]) != b":":
            raise error_at(buffer, at, file, "expected a colon")
        at = skip_space(buffer, at + 1)
        if seen is not None:
            seen(key, at)
        end = fast_end(buffer, at, file)
        out.append((key, at, end))
        at = skip_space(buffer, end)
        mark = bytes(buffer[at : at + 1])
        if mark == b"}":
            return out
        if mark != b",":
            raise error_at(buffer, at, file, "expected a comma or the end of the object")
        at = skip_space(buffer, at + 1)


def array_end(buffer: Buffer, start: int, file: str) -> int:
    """End of the array at ``start``, element by element, letting go of the pages on the way."""
    at, held = skip_space(buffer, start + 1), start
    if bytes(buffer[at : at + 1]) == b"]":
        return at + 1
    while True:
        at = skip_space(buffer, fast_end(buffer, at, file))
        mark = bytes(buffer[at : at + 1])
        if mark == b"]":
            return at + 1
        if mark != b",":  # a fault between two records: the tolerant scanner says where the list ends all the same
            return _end_by_brackets(buffer, start, file)
        at = skip_space(buffer, at + 1)
        if at - held > LARGE:
            held = at
            let_go(buffer)


def fast_end(buffer: Buffer, start: int, file: str) -> int:
    """End of a value inside a larger text; the strict parser tells it by where it finds trailing characters."""
    if len(buffer) - start > LARGE and bytes(buffer[start : start + 1]) == b"[":
        return array_end(buffer, start, file)
    if bytes(buffer[start : start + 1]) in (b"[", b"{"):
        try:
            with memoryview(buffer) as view, view[start:] as rest:
                msgspec.json.decode(rest, type=msgspec.Raw)
            return len(buffer)
        except msgspec.DecodeError as error:
            match = _TRAILING.fullmatch(str(error))
            if match:
                end = start + int(match.group(1)) - 1  # it counts the character that it stumbled over
                while bytes(buffer[end - 1 : end]) in (b" ", b"\t", b"\r", b"\n"):
                    end -= 1
                return end
        except (RecursionError, UnicodeDecodeError):
            pass  # the scanner below finds the place
    return _end_by_brackets(buffer, start, file)


def elements(buffer: Buffer, start: int, limit: int | None = None) -> Iterator[tuple[int, int]]:
    """Begin and end of the elements of the array at ``start``, by texts and brackets; stops at a fault."""
    depth, begin, count = 0, start + 1, 0
    for match in _MARK.finditer(buffer, start):
        token = match.group()
        if token in (b"[", b"{"):
            depth += 1
        elif token in (b"]", b"}") or (token == b"," and depth == 1):
            if token != b",":
                depth -= 1
            if depth == 0 or token == b",":
                first = skip_space(buffer, begin)
                if first < match.start():
                    yield first, first + len(bytes(buffer[first : match.start()]).rstrip())
                    count += 1
                begin = match.end()
                if depth == 0 or (limit is not None and count >= limit):
                    return


def let_go(buffer: Buffer) -> None:
    """Give the pages of a memory map back; they come from the file again when they are needed."""
    if isinstance(buffer, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        buffer.madvise(mmap.MADV_DONTNEED)


def depth(data: bytes) -> int:
    """Deepest nesting of brackets."""
    level = deepest = 0
    for match in _TOKEN.finditer(data):
        token = match.group()
        if token in (b"[", b"{"):
            level += 1
            deepest = max(deepest, level)
        elif token in _CLOSER:
            level -= 1
    return deepest


def repeated_key(data: bytes, *, nested: bool = True) -> str | None:
    """The first key that occurs twice in one object of a valid text, or None."""
    if not nested:
        seen: set[str] = set()
        for key, _, _ in members(data):
            if key in seen:
                return key
            seen.add(key)
        return None
    twice: list[str] = []

    def pairs(found: list[tuple[str, Any]]) -> None:
        keys = [key for key, _ in found]
        twice.extend(key for i, key in enumerate(keys) if key in keys[:i])

    json.loads(data, object_pairs_hook=pairs)
    return twice[0] if twice else None
