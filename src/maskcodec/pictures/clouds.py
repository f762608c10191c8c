"""Points out of PCD, PLY and KITTI's ``.bin`` files.

PCD 0.7 as the Point Cloud Library documents it (``ascii``, ``binary``, ``binary_compressed``), PLY 1.0 as G. Turk
described it, ``.bin`` as the KITTI development kit writes it: records of four little-endian float32 (x, y, z,
reflectance), or five in files named ``.pcd.bin``. Every count is held against the length of the file before memory is
taken for it.
"""

from __future__ import annotations

import io
import struct
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from maskcodec._native.raster import unpack_lzf
from maskcodec.errors import FormatError, shorten

__all__ = ["read_cloud"]

Float64 = npt.NDArray[np.float64]
_PCD_TYPES = {("F", 4): "f4", ("F", 8): "f8", **{("I", n): f"i{n}" for n in (1, 2, 4, 8)},
              **{("U", n): f"u{n}" for n in (1, 2, 4, 8)}}  # fmt: skip
_PLY_TYPES = {
    "char": "i1", "int8": "i1", "uchar": "u1", "uint8": "u1", "short": "i2", "int16": "i2", "ushort": "u2",
    "uint16": "u2", "int": "i4", "int32": "i4", "uint": "u4", "uint32": "u4", "float": "f4", "float32": "f4",
    "double": "f8", "float64": "f8",
}  # fmt: skip
_HEADER = 1 << 16


def read_cloud(source: bytes | BinaryIO, file: str = "") -> Float64:
    """The points of a cloud in file order, float64 (n, 3), in the units of the file; lost echoes stay as NaN.

    Args:
        source: the file.
        file: its name: for errors, and because KITTI's format shows itself by nothing else.

    Raises:
        FormatError: none of the three formats, or a damaged file.

    Example:
        >>> read_cloud(np.array([[1, 2, 3, 0.5]], "<f4").tobytes(), "scan.bin").tolist()
        [[1.0, 2.0, 3.0]]
    """
    data = source if isinstance(source, bytes) else source.read()
    try:
        if data[:4] in (b"ply\n", b"ply\r"):
            return _ply(data)
        if data[:1] == b"#" or data[:8] in (b"VERSION ", b"FIELDS x"):
            return _pcd(data)
        if file.lower().endswith(".bin"):
            return _bin(data, 5 if file.lower().endswith(".pcd.bin") else 4)
    except FormatError as error:
        raise FormatError(error.message, file=file, record=error.record, field=error.field) from error
    raise FormatError("not a point cloud that can be read: expected PCD, PLY or a .bin of KITTI", file=file)


def _bin(data: bytes, width: int) -> Float64:
    if len(data) % (4 * width) and not len(data) % 20:
        width = 5
    if len(data) % (4 * width):
        raise FormatError(f"{len(data)} bytes are no whole number of points of {width} float32")
    return np.frombuffer(data, "<f4").reshape(-1, width)[:, :3].astype(np.float64)


def _lines(data: bytes, last: str) -> tuple[list[list[str]], int]:
    """The words of the header's lines to the one that begins with ``last``, and where the data begin."""
    out, at = [], 0
    while at < min(len(data), _HEADER):
        end = data.find(b"\n", at, _HEADER)
        if end < 0:
            break
        words = data[at:end].decode("latin-1").split()
        at = end + 1
        if words and not words[0].startswith("#"):
            out.append(words)
            if words[0] == last:
                return out, at
    raise FormatError(f"the header has no line {last!r}")


def _whole(text: str, record: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise FormatError(f"expected a whole number, got {shorten(text)}", record="header", field=record)
    return int(text)


def _pcd(data: bytes) -> Float64:
    rows, start = _lines(data, "DATA")
    header = {row[0]: row[1:] for row in rows}
    names = header.get("FIELDS") or header.get("COLUMNS") or []
    sizes, types = header.get("SIZE", []), header.get("TYPE", [])
    counts = [_whole(text, "COUNT") for text in header.get("COUNT", ["1"] * len(names))]
    if not len(names) == len(sizes) == len(types) == len(counts) or not {"x", "y", "z"} <= set(names):
        raise FormatError(
            f"expected FIELDS with x, y, z and as many SIZE, TYPE, COUNT, got {shorten(names)}", record="header"
        )
    total = header.get("POINTS") or [str(_whole((header.get("WIDTH") or [""])[0], "WIDTH")
                                         * _whole((header.get("HEIGHT") or ["1"])[0], "HEIGHT"))]  # fmt: skip
    points = _whole(total[0], "POINTS")
    fields = []
    for at, (name, size, kind, count) in enumerate(zip(names, sizes, types, counts, strict=True)):
        found = _PCD_TYPES.get((kind, _whole(size, "SIZE")))
        if found is None:
            raise FormatError(f"expected F 4 or 8, I or U 1 to 8, got {kind} {size}", record="header", field=name)
        fields.append((name if name in ("x", "y", "z") else f"_{at}", "<" + found, (count,)))
    if any(count != 1 for name, count in zip(names, counts, strict=True) if name in "xyz"):
        raise FormatError("x, y and z are one number each", record="header", field="COUNT")
    style = (header["DATA"] or [""])[0]
    if style == "ascii":
        columns = np.cumsum([0, *counts])
        picked = [int(columns[names.index(axis)]) for axis in "xyz"]
        return _table(data[start:], int(columns[-1]), points, picked)
    record = _record(fields)
    if style == "binary":
        return _xyz(_records(data, start, record, points))
    if style != "binary_compressed":
        raise FormatError(f"DATA is ascii, binary or binary_compressed, got {shorten(style)}", record="header")
    return _compressed(data, start, record.itemsize, fields, points)


def _compressed(data: bytes, start: int, itemsize: int, fields: list[Any], points: int) -> Float64:
    """Points that are packed field by field."""
    if len(data) < start + 8:
        raise FormatError("ends before the compressed points")
    packed, full = struct.unpack_from("<II", data, start)
    if full != points * itemsize or start + 8 + packed > len(data):
        raise FormatError(
            f"{points} points are {points * itemsize} bytes; the file says {full}, and {packed} packed of which "
            f"{len(data) - start - 8} are there"
        )
    try:
        plain = unpack_lzf(data[start + 8 : start + 8 + packed], full) if full else b""
    except ValueError as error:
        raise FormatError(f"the compressed points are damaged: {error}") from error
    out, at = np.empty((points, 3)), 0
    for name, kind, (count,) in fields:
        size = points * count * np.dtype(kind).itemsize
        if name in ("x", "y", "z"):
            out[:, "xyz".index(name)] = np.frombuffer(plain, kind, points, at)
        at += size
    return out


def _record(fields: list[Any]) -> np.dtype[Any]:
    try:
        return np.dtype([(n, k) if c == (1,) else (n, k, c) for n, k, c in fields])
    except ValueError as error:
        raise FormatError(f"the fields make no record: {error}", record="header") from error


def _records(data: bytes, start: int, record: np.dtype[Any], count: int) -> npt.NDArray[Any]:
    if start + count * record.itemsize > len(data):
        raise FormatError(f"{count} points need {count * record.itemsize} bytes, there are {len(data) - start}")
    return np.frombuffer(data, record, count, start)


def _xyz(rows: npt.NDArray[Any]) -> Float64:
    return np.stack([rows[axis].astype(np.float64) for axis in "xyz"], axis=1)


def _table(text: bytes, width: int, count: int, picked: list[int]) -> Float64:
    """Numbers of a text, ``width`` a point; more after the last point are not read."""
    if count * width * 2 > len(text) + 1:
        raise FormatError(f"{count} points of {width} numbers do not fit into {len(text)} bytes")
    words = text.split(None, count * width)[: count * width]
    if len(words) < count * width:
        raise FormatError(f"expected {count} points of {width} numbers, found {len(words)} numbers")
    table = np.array(words, dtype=bytes).reshape(count, width)[:, picked]
    try:
        return table.astype(np.float64)
    except ValueError as error:
        raise FormatError(f"expected numbers: {error}") from error


def _ply(data: bytes) -> Float64:
    rows, start = _lines(data, "end_header")
    style = next((row[1] for row in rows if row[0] == "format" and len(row) > 1), "")
    elements = [at for at, row in enumerate(rows) if row[0] == "element"]
    if not elements or rows[elements[0]][1:2] != ["vertex"] or len(rows[elements[0]]) < 3:
        raise FormatError("expected the element 'vertex' first", record="header")
    count = _whole(rows[elements[0]][2], "vertex")
    end = elements[1] if len(elements) > 1 else len(rows)
    properties = [row for row in rows[elements[0] + 1 : end] if row[0] == "property"]
    fields = []
    for row in properties:
        if len(row) != 3 or row[1] not in _PLY_TYPES:
            raise FormatError(f"expected 'property type name', got {shorten(' '.join(row))}", record="header")
        order = ">" if style == "binary_big_endian" else "<"
        fields.append((row[2], order + _PLY_TYPES[row[1]], (1,)))
    names = [field[0] for field in fields]
    if not {"x", "y", "z"} <= set(names):
        raise FormatError(f"expected properties x, y, z, got {shorten(names)}", record="header")
    if style == "ascii":
        return _table(data[start:], len(names), count, [names.index(axis) for axis in "xyz"])
    if style not in ("binary_little_endian", "binary_big_endian"):
        raise FormatError(f"expected the format ascii or binary, got {shorten(style)}", record="header")
    return _xyz(_records(data, start, _record(fields), count))


def open_cloud(stream: BinaryIO, file: str) -> Float64:
    """Read the cloud of an open file and close it."""
    with stream:
        return read_cloud(io.BytesIO(stream.read()), file)
