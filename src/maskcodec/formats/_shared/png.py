"""PNG as bytes: chunks, checksums, rows; and label maps out, with bytes that depend on the pixels alone."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError

__all__ = [
    "MAX_PIXELS", "SIGNATURE", "PngHeader", "assemble", "check_chunks", "check_rows", "minimal", "read_header",
    "write_png",
]  # fmt: skip

MAX_PIXELS = 2**31 - 1
SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


@dataclass(frozen=True, slots=True)
class PngHeader:
    """What IHDR says; ``channels`` of a palette image is 1."""

    width: int
    height: int
    depth: int
    color_type: int
    interlaced: bool

    @property
    def channels(self) -> int:
        return _CHANNELS[self.color_type]


def read_header(chunk: bytes, file: str) -> PngHeader:
    if len(chunk) < 25 or chunk[:8] != b"\x00\x00\x00\x0dIHDR":
        raise FormatError("PNG is truncated or does not begin with its header", file=file)
    width, height, depth, color, method, filtering, interlace = struct.unpack(">IIBBBBB", chunk[8:21])
    if zlib.crc32(chunk[4:21]) != int.from_bytes(chunk[21:25], "big"):
        raise FormatError("PNG header is corrupt (CRC)", file=file)
    if not 0 < width < 2**31 or not 0 < height < 2**31 or depth not in _DEPTHS.get(color, ()):
        raise FormatError(f"PNG header is not valid: {width} x {height}, depth {depth}, colour type {color}", file=file)
    if method or filtering or interlace > 1:
        raise FormatError("PNG uses an unknown compression, filter or interlace method", file=file)
    return PngHeader(width, height, depth, color, bool(interlace))


def check_chunks(data: bytes, file: str) -> tuple[PngHeader, list[bytes], bytes | None]:
    """Header, image data and palette of a PNG whose chunks have been checked."""
    if not data.startswith(SIGNATURE):
        raise FormatError("not a PNG file", file=file)
    header = read_header(data[8:33], file)
    parts: list[bytes] = []
    palette: bytes | None = None
    at, kind = 33, b"IHDR"
    while kind != b"IEND":
        if at + 12 > len(data):
            raise FormatError("PNG is truncated: no end chunk", file=file)
        size = int.from_bytes(data[at : at + 4], "big")
        kind = data[at + 4 : at + 8]
        stop = at + 8 + size
        if stop + 4 > len(data):
            raise FormatError(f"PNG is truncated inside its {kind!r} chunk", file=file)
        if zlib.crc32(data[at + 4 : stop]) != int.from_bytes(data[stop : stop + 4], "big"):
            raise FormatError(f"PNG is corrupt: CRC of the {kind!r} chunk", file=file)
        if kind == b"IDAT":
            parts.append(data[at + 8 : stop])
        elif kind == b"PLTE":
            palette = data[at + 8 : stop]
        at = stop + 4
    return header, parts, palette


def check_rows(header: PngHeader, parts: list[bytes], file: str) -> None:
    """Compare the length of the image data with what the header promises; nothing beyond that is expanded."""
    passes = [(header.width, header.height)]
    if header.interlaced:
        steps = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
        passes = [(-(-(header.width - x) // dx), -(-(header.height - y) // dy)) for x, y, dx, dy in steps]
    bits = header.depth * header.channels
    expected = sum(h * (1 + (w * bits + 7) // 8) for w, h in passes if w > 0 and h > 0)
    inflater, got = zlib.decompressobj(), 0
    try:
        for part in parts:
            block = part
            while block and got <= expected:
                got += len(inflater.decompress(block, 1 << 20))
                block = inflater.unconsumed_tail
        got += len(inflater.flush())
    except zlib.error as error:
        raise FormatError(f"PNG image data is corrupt: {error}", file=file) from error
    if got < expected:
        raise FormatError(f"PNG image data is incomplete: {got} of {expected} bytes of its rows", file=file)
    if got > expected:
        raise FormatError(f"PNG holds more image data than its {header.height} rows", file=file)


def minimal(data: bytes) -> bytes:
    out, at = [SIGNATURE], 8
    while at < len(data):
        stop = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] in (b"IHDR", b"PLTE", b"IDAT", b"IEND"):
            out.append(data[at:stop])
        at = stop
    return b"".join(out)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def write_png(pixels: npt.NDArray[Any], palette: npt.NDArray[np.uint8] | None = None, *, level: int = 6) -> bytes:
    """Encode a label map as a PNG whose bytes depend on the pixels, the palette and zlib alone.

    Args:
        pixels: uint8 or uint16 (H, W): grey, or indices into ``palette`` (uint8 only); uint8 (H, W, 3|4): RGB, RGBA.
        palette: uint8 (n, 3), n from 1 to 256.
        level: of compression, 0 to 9.

    Raises:
        TypeError: another dtype.
        ValueError: another shape, an empty image, or an index beyond the palette.
    """
    array = np.ascontiguousarray(pixels)
    if array.dtype not in (np.uint8, np.uint16):
        raise TypeError(f"expected uint8 or uint16 pixels, got {array.dtype}")
    channels = 1 if array.ndim == 2 else array.shape[2] if array.ndim == 3 else 0
    if channels not in (1, 3, 4) or array.ndim not in (2, 3) or (array.ndim == 3 and channels == 1):
        raise ValueError(f"expected pixels of shape (H, W), (H, W, 3) or (H, W, 4), got {array.shape}")
    if array.shape[0] == 0 or array.shape[1] == 0:
        raise ValueError(f"a PNG has at least one pixel, got {array.shape}")
    if array.dtype == np.uint16 and (channels > 1 or palette is not None):
        raise ValueError("16-bit pixels are grey, without a palette")
    height, width = array.shape[:2]
    color, depth, body = {1: 0, 3: 2, 4: 6}[channels], 8 * array.dtype.itemsize, b""
    if palette is not None:
        table = np.ascontiguousarray(palette, dtype=np.uint8)
        if channels != 1 or table.ndim != 2 or table.shape[1] != 3 or not 1 <= len(table) <= 256:
            raise ValueError(f"expected (H, W) indices and a palette of shape (1..256, 3), got {table.shape}")
        if int(array.max()) >= len(table):
            raise ValueError(f"index {int(array.max())} beyond the palette of {len(table)} colours")
        color, body = 3, _chunk(b"PLTE", table.tobytes())
    rows = array.astype(">u2").view(np.uint8) if depth == 16 else array
    rows = rows.reshape(height, -1)
    # Label maps are flat areas: "up" turns all but the borders into zeros, at a fraction of an adaptive choice.
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    return assemble(width, height, depth, color, zlib.compress(filtered.tobytes(), level), before=body)


def assemble(width: int, height: int, depth: int, color: int, body: bytes, before: bytes = b"") -> bytes:
    """A PNG of compressed rows; ``before``: chunks that stand before them."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"".join(
        (SIGNATURE, _chunk(b"IHDR", header), before, _chunk(b"IDAT", body), _chunk(b"IEND", b""))
    )
