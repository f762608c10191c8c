"""One mask as a PNG of one grey channel, without ever making its pixels: formats that keep a file for each mask.

A file is nearly all background. Written, only the rows that the mask touches are packed and compressed; the rows above
and below are stretches of zeros whose compressed form is known beforehand. Read, the core inflates the rows and turns
them into runs. What it does not take (colours, palettes, interlaced or damaged files) is left to ``images.read_png``.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec._native import raster
from maskcodec.formats._shared.png import MAX_PIXELS, PngHeader, assemble, check_chunks
from maskcodec.masks import Rle

__all__ = ["read_mask", "write_mask"]

_PIECE = 1 << 20


def read_mask(data: bytes, file: str = "") -> tuple[Rle, PngHeader] | None:
    """The pixels of a PNG that are not 0.

    Args:
        data: the whole file.
        file: for errors.

    Returns:
        The mask and the header; None for what is not grey, interlaced, larger than ``MAX_PIXELS`` or damaged inside:
        ``read_png`` reads it, or says what is wrong with it.

    Raises:
        FormatError: no PNG, a wrong checksum, or a truncated file.
    """
    header, parts, _ = check_chunks(data, file)
    if header.color_type or header.interlaced or header.width * header.height > MAX_PIXELS:
        return None
    try:
        runs = raster.png_mask(b"".join(parts), header.height, header.width, header.depth)
    except ValueError:
        return None
    return Rle.from_counts(runs, (header.height, header.width)), header


def write_mask(rle: Rle, *, depth: int = 1, value: int = 1) -> bytes:
    """Encode a mask as a grey PNG, whose bytes depend on the mask and zlib alone.

    Args:
        rle: the mask.
        depth: bits of a pixel, 1 or 8; viewers show the 1 of one bit as white.
        value: of the foreground, at most what ``depth`` can hold.

    Raises:
        ValueError: a mask without pixels, another depth or value.

    Example:
        >>> from maskcodec import Rle
        >>> read_mask(write_mask(Rle.from_counts([2, 3, 1], (2, 3))))[0].decode().tolist()
        [[0, 1, 1], [0, 1, 0]]
    """
    if depth not in (1, 8) or not 1 <= value < 1 << depth:
        raise ValueError(f"expected 1 or 8 bits and a value that they hold, got {depth} and {value}")
    if not rle.height or not rle.width:
        raise ValueError(f"a PNG has at least one pixel, got a mask of {rle.height} x {rle.width}")
    _, top, _, count = map(int, rle.bbox)
    rows = _rows(rle, depth, value).tobytes()
    stride = 1 + (rle.width * depth + 7) // 8
    before, behind = stride * top, stride * (rle.height - top - count)
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    inner = packer.compress(rows) + packer.flush(zlib.Z_SYNC_FLUSH)
    total = _more_zeros(zlib.adler32(rows, _more_zeros(1, before)), behind)
    # Pieces end at whole bytes and refer to nothing before them; the last block is empty.
    body = b"".join((b"\x78\x01", _zeros(before), inner, _zeros(behind), b"\x03\x00", total.to_bytes(4, "big")))
    return assemble(rle.width, rle.height, depth, 0, body)


def _rows(rle: Rle, depth: int, value: int) -> npt.NDArray[Any]:
    """The rows that the mask touches, each behind its filter byte (0: none)."""
    left, top, width, height = map(int, rle.bbox)
    first = left // 8 * 8 if depth == 1 else left
    pixels = rle.decode(window=(first, top, left + width, top + height))
    packed = np.packbits(pixels, axis=1) if depth == 1 else pixels * np.uint8(value)
    rows = np.zeros((height, 1 + (rle.width * depth + 7) // 8), np.uint8)
    start = 1 + first * depth // 8
    rows[:, start : start + packed.shape[1]] = packed
    return rows


def _more_zeros(checksum: int, count: int) -> int:
    """Adler-32 with so many zeros behind: they only add the low half to the high one."""
    low, high = checksum & 0xFFFF, checksum >> 16
    return (high + count * low) % 65521 << 16 | low


def _zeros(count: int) -> bytes:
    """So many zeros, compressed."""
    whole, rest = divmod(count, _PIECE)
    return _stretch(_PIECE) * whole + b"".join(_stretch(1 << bit) for bit in range(20) if rest >> bit & 1)


@lru_cache(maxsize=32)
def _stretch(count: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(bytes(count)) + packer.flush(zlib.Z_SYNC_FLUSH)
