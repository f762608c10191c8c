"""TFRecord framing and the wire form of ``tf.train.Example``: a map of names to lists of bytes, floats or integers."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from maskcodec._native.raster import crc32c
from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.source import Source

__all__ = ["entries", "example", "framed", "looks", "masked", "records", "unpacked", "values"]

Value = list[bytes] | list[float] | list[int]


def masked(data: bytes | memoryview) -> int:
    """Checksum of bytes as the files hold it."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def framed(payload: bytes) -> bytes:
    """A record: length, payload and their checksums."""
    head = struct.pack("<Q", len(payload))
    return b"".join((head, struct.pack("<I", masked(head)), payload, struct.pack("<I", masked(payload))))


def looks(head: bytes) -> bool:
    """Whether bytes are the begin of a record with features of an image."""
    if head[:2] == b"\x1f\x8b" or head[:2] in (b"\x78\x01", b"\x78\x9c", b"\x78\xda"):
        try:
            head = zlib.decompressobj(47).decompress(head, 4096)
        except zlib.error:
            return False
    if len(head) < 12 or struct.unpack("<I", head[8:12])[0] != masked(head[:8]):
        return False
    return head[12:13] == b"\x0a" and b"image/" in head


def unpacked(source: Source, name: str) -> Any:
    """The bytes of a file, decompressed where they are gzip or zlib.

    Raises:
        FormatError: the compression is damaged, or expands beyond the limits of archives.
    """
    data = source.buffer(name)
    if data[:2] != b"\x1f\x8b" and data[:2] not in (b"\x78\x01", b"\x78\x9c", b"\x78\xda"):
        return data
    if len(data) >= 12 and struct.unpack("<I", data[8:12])[0] == masked(bytes(data[:8])):
        return data
    out, view, limit = bytearray(), memoryview(data), source.limits.member
    try:
        while len(view):
            stream = zlib.decompressobj(47)
            out += stream.decompress(view, limit - len(out) + 1)
            if len(out) > limit:
                raise FormatError("expands beyond the size limit for archives", file=source.display(name))
            if not stream.eof:
                raise FormatError("the compressed data end too early (truncated)", file=source.display(name))
            view = memoryview(bytes(stream.unused_data))
    except zlib.error as error:
        raise FormatError(f"cannot be decompressed: {error}", file=source.display(name)) from error
    return bytes(out)


def records(source: Source, name: str, data: Any) -> Iterator[tuple[int, int]]:
    """Begin and end of the payload of every record; checksums are held against the bytes.

    Raises:
        FormatError: a wrong checksum (a lenient reader leaves the record out if its length is sound), a record that is
            cut off; then a lenient reader stops, or raises where it has no record at all.
    """
    view, at, number, size, good = memoryview(data), 0, 0, len(data), 0
    file = source.display(name)
    while at < size:
        record = f"record {number} (offset {at})"
        fault = None
        if size - at < 12:
            fault = FormatError(f"truncated: a record begins with 12 bytes, the file ends after {size - at}", file=file,
                                record=record, field="length")  # fmt: skip
        else:
            length, crc = struct.unpack_from("<QI", view, at)
            if masked(bytes(view[at : at + 8])) != crc:
                fault = FormatError("the checksum (CRC) of the length is wrong", file=file, record=record)
            elif length > size - at - 16:
                text = f"truncated: the length is {length}, the file ends after {max(size - at - 12, 0)} bytes"
                fault = FormatError(text, file=file, record=record, field="length")
        if fault is not None:
            fault.fatal = not good
            source.problem(fault, what="record")
            return
        begin, end = at + 12, at + 12 + length
        if masked(view[begin:end]) != struct.unpack_from("<I", view, end)[0]:
            source.problem(FormatError("the checksum (CRC) of the data is wrong", file=file, record=record))
        else:
            good += 1
            yield begin, end
        at, number = end + 4, number + 1


def _varint(data: Any, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise ValueError(f"a number of more than 10 bytes, or cut off, at offset {at}")


def _fields(data: Any, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, wire type, begin and end of each field."""
    while at < end:
        key, at = _varint(data, at, end)
        kind, begin = key & 7, at
        if kind == 0:
            _, at = _varint(data, at, end)
        elif kind == 2:
            length, begin = _varint(data, at, end)
            at = begin + length
        elif kind in (1, 5):
            at += 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind} at offset {begin}")
        if at > end:
            raise ValueError(f"a field at offset {begin} is longer than what holds it (truncated)")
        yield key >> 3, kind, begin, at


def entries(data: Any, begin: int, end: int) -> dict[str, tuple[int, int]]:
    """Place of the feature of each name in an Example; of a name that stands twice the last counts.

    Raises:
        ValueError: not such a message.
    """
    out: dict[str, tuple[int, int]] = {}
    for number, kind, first, last in _fields(data, begin, end):
        if (number, kind) != (1, 2):
            continue
        for inner, wire, low, high in _fields(data, first, last):
            if (inner, wire) != (1, 2):
                continue
            key, place = "", (high, high)
            for part, form, a, b in _fields(data, low, high):
                if (part, form) == (1, 2):
                    key = bytes(data[a:b]).decode("utf-8", "surrogateescape")
                elif (part, form) == (2, 2):
                    place = a, b
            out[key] = place
    return out


def values(data: Any, begin: int, end: int) -> tuple[str, Any]:
    """Kind ("bytes", "float", "int" or "") and values of a feature; floats and packed integers as arrays.

    Raises:
        ValueError: not such a message.
    """
    kind, out = "", list[Any]()
    for number, wire, first, last in _fields(data, begin, end):
        name = {1: "bytes", 2: "float", 3: "int"}.get(number)
        if name is None or wire != 2:
            continue
        if name != kind:
            kind, out = name, []
        for inner, form, low, high in _fields(data, first, last):
            if inner != 1:
                continue
            if kind == "bytes" and form == 2:
                out.append(bytes(data[low:high]))
            elif kind == "float" and form in (2, 5) and (high - low) % 4 == 0:
                out.append(np.frombuffer(data, "<f4", (high - low) // 4, low))
            elif kind == "int" and form in (0, 2):
                out.append(_integers(data, low, high))
            else:
                raise ValueError(f"a list of {kind} with another type of values at offset {low}")
    if kind in ("float", "int"):
        dtype = np.float32 if kind == "float" else np.int64
        return kind, np.concatenate(out).astype(dtype) if out else np.zeros(0, dtype)
    return kind, out


def _integers(data: Any, begin: int, end: int) -> Any:
    block = np.frombuffer(data, np.uint8, end - begin, begin)
    if not (block & 128).any():
        return block.astype(np.int64)
    out, at = [], begin
    while at < end:
        value, at = _varint(data, at, end)
        out.append(value)
    return np.array(out, np.uint64).astype(np.int64)


def _number(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _block(field: int, data: bytes) -> bytes:
    return b"".join((_number(field << 3 | 2), _number(len(data)), data))


def _feature(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value  # as it was read
    if isinstance(value, np.ndarray):
        return _block(2, _block(1, value.astype("<f4").tobytes()))
    if value and isinstance(value[0], bytes):
        return _block(1, b"".join(_block(1, one) for one in value))
    return _block(3, _block(1, b"".join(map(_number, value))))


def example(features: Mapping[str, Iterable[Any]]) -> bytes:
    """An Example: lists of bytes, lists of integers, arrays of floats, or raw bytes of a feature; sorted by name."""
    out = []
    for key, value in sorted(features.items()):
        name = key.encode("utf-8", "surrogateescape")
        out.append(_block(1, _block(1, name) + _block(2, _feature(value))))
    return _block(1, b"".join(out))


def scalar(key: str, found: Any) -> Any:
    """The one value of a feature; None where there is none.

    Raises:
        ValueError: there are several.
    """
    if len(found) > 1:
        raise ValueError(f"{key}: expected one value, got {len(found)}: {shorten(list(found)[:3])}")
    return found[0] if len(found) else None
