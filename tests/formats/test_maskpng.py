"""Masks as PNG files: written without their pixels, read without Pillow, the same as with them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from maskcodec import Rle
from maskcodec.errors import FormatError
from maskcodec.formats._shared.images import read_png
from maskcodec.formats._shared.maskpng import read_mask, write_mask
from maskcodec.formats._shared.png import SIGNATURE

_STRATEGIES = (zlib.Z_DEFAULT_STRATEGY, zlib.Z_FILTERED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED)


@st.composite
def masks(draw: st.DrawFn) -> np.ndarray:
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 150))
    mask = np.zeros((height, width), np.uint8)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = draw(st.sampled_from(("empty", "full", "blob", "noise", "edge")))
    if kind == "full":
        mask[:] = 1
    elif kind == "blob":
        y, x = rng.integers(height), rng.integers(width)
        mask[y : y + rng.integers(1, 20), x : x + rng.integers(1, 60)] = 1
    elif kind == "noise":
        mask[rng.random(mask.shape) < rng.random() ** 3] = 1
    elif kind == "edge":
        mask[:, [0, -1]] = 1
    return mask


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def _png(width: int, height: int, depth: int, stream: bytes, pieces: int = 1) -> bytes:
    step = max(1, -(-len(stream) // pieces))
    parts = [_chunk(b"IDAT", stream[at : at + step]) for at in range(0, len(stream), step)]
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0))
    return SIGNATURE + head + b"".join(parts) + _chunk(b"IEND", b"")


def _filtered(rows: list[bytes], step: int, choose) -> bytes:
    """Rows with the filters that ``choose`` gives, one after the other: slow and plain."""
    out, above = bytearray(), bytes(len(rows[0]))
    for row in rows:
        kind = choose()
        out.append(kind)
        for i, value in enumerate(row):
            a, b = row[i - step] if i >= step else 0, above[i]
            c = above[i - step] if i >= step else 0
            nearest = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            out.append((value - (0, a, b, (a + b) // 2, nearest)[kind]) & 255)
        above = row
    return bytes(out)


@given(masks(), st.sampled_from(((1, 1), (8, 1), (8, 255), (8, 7))))
def test_written_masks_are_those_that_pillow_reads(mask: np.ndarray, form: tuple[int, int]) -> None:
    depth, value = form
    data = write_mask(Rle.from_mask(mask), depth=depth, value=value)
    with Image.open(io.BytesIO(data)) as image:
        assert image.mode == ("1" if depth == 1 else "L")
        assert np.array_equal(np.asarray(image).astype(np.uint8), mask * value)
    pixels, header, _ = read_png(data)
    assert np.array_equal(pixels, mask * value) and header.depth == depth
    found = read_mask(data)
    assert found is not None and found[0] == Rle.from_mask(mask) and found[1] == header


@given(st.data(), st.sampled_from((1, 2, 4, 8, 16)))
@settings(max_examples=150)
def test_all_depths_filters_and_kinds_of_blocks_are_read(data: st.DataObject, depth: int) -> None:
    height, width = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 90))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    values = rng.integers(0, 2**depth, (height, width)) * (rng.random((height, width)) < rng.random() ** 2)
    bits = ((values[..., None] >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8).reshape(height, -1)
    rows = np.packbits(bits, axis=1)
    used = 8 * rows.shape[1] - width * depth
    rows[:, -1] |= np.uint8(rng.integers(0, 1 << used))  # what lies behind the last pixel does not count
    body = _filtered([row.tobytes() for row in rows], max(1, depth // 8), lambda: int(rng.integers(5)))
    packer = zlib.compressobj(int(rng.integers(0, 10)), zlib.DEFLATED, 15, 9, _STRATEGIES[rng.integers(5)])
    stream = packer.compress(body) + packer.flush()
    png = _png(width, height, depth, stream, int(rng.integers(1, 4)))
    found = read_mask(png)
    assert found is not None and found[0] == Rle.from_mask(values != 0)
    assert np.array_equal(read_png(png)[0], values)


@given(st.binary(max_size=3000), st.integers(0, 9), st.sampled_from(_STRATEGIES), st.integers(1, 50))
def test_streams_of_any_bytes_are_inflated(seed: bytes, level: int, strategy: int, times: int) -> None:
    rows = [b"\0" + seed[at : at + 25].ljust(25, b"\0") for at in range(0, max(1, len(seed)), 25)] * times
    packer = zlib.compressobj(level, zlib.DEFLATED, 15, 8, strategy)
    stream = packer.compress(b"".join(rows)) + packer.flush()
    found = read_mask(_png(200, len(rows), 1, stream))
    bits = np.unpackbits(np.frombuffer(b"".join(row[1:] for row in rows), np.uint8)).reshape(len(rows), 200)
    assert found is not None and found[0] == Rle.from_mask(bits)


@given(masks(), st.data())
@settings(max_examples=200)
def test_damaged_streams_are_left_to_the_checked_reader(mask: np.ndarray, data: st.DataObject) -> None:
    plain = write_mask(Rle.from_mask(mask), depth=data.draw(st.sampled_from((1, 8))))
    header, stream = plain[8:33], plain[41:-16]
    at = data.draw(st.integers(0, len(stream) - 1))
    broken = bytearray(stream)
    if data.draw(st.booleans()):
        broken[at] ^= data.draw(st.integers(1, 255))
    else:
        del broken[at:]
    png = SIGNATURE + header + _chunk(b"IDAT", bytes(broken)) + _chunk(b"IEND", b"")
    found = read_mask(png)
    if found is not None:  # the damage is in what inflating does not look at
        assert zlib.decompress(bytes(broken)) and found[0] == Rle.from_mask(read_png(png)[0])


@pytest.mark.parametrize("at", [20, 45, -3])
def test_checksums_of_chunks_are_checked(at: int) -> None:
    data = bytearray(write_mask(Rle.from_mask(np.eye(9, dtype=np.uint8))))
    data[at] ^= 1
    with pytest.raises(FormatError, match=r"corrupt|not valid|truncated|unknown"):
        read_mask(bytes(data), "m.png")
    with pytest.raises(FormatError, match="truncated"):
        read_mask(write_mask(Rle.from_mask(np.eye(9, dtype=np.uint8)))[:-5], "m.png")
    with pytest.raises(FormatError, match="not a PNG"):
        read_mask(b"GIF89a", "m.png")


def test_what_is_not_grey_is_left_to_the_checked_reader() -> None:
    for mode in ("P", "RGB", "RGBA", "LA"):
        out = io.BytesIO()
        Image.new(mode, (5, 4)).save(out, "PNG")
        assert read_mask(out.getvalue()) is None


def test_a_header_that_promises_too_much_takes_no_memory() -> None:
    stream = zlib.compress(bytes(100))
    assert read_mask(_png(40000, 40000, 8, stream)) is None
    assert read_mask(_png(2**31 - 1, 2**31 - 1, 8, stream)) is None
    bomb = zlib.compress(bytes(1 << 24), 9)
    assert read_mask(_png(8, 8, 8, bomb)) is None


def test_wrong_depths_values_and_masks_without_pixels_are_refused() -> None:
    mask = Rle.from_mask(np.eye(3, dtype=np.uint8))
    for depth, value in ((2, 1), (1, 2), (8, 256), (8, 0)):
        with pytest.raises(ValueError, match="bits"):
            write_mask(mask, depth=depth, value=value)
    with pytest.raises(ValueError, match="at least one pixel"):
        write_mask(Rle.from_mask(np.zeros((0, 4), np.uint8)))


def test_large_masks_are_the_same_as_their_pixels() -> None:
    mask = np.zeros((3000, 2500), np.uint8)
    mask[1203:1290, 17:1801] = 1
    mask[2400, 2499] = 1
    rle = Rle.from_mask(mask)
    for depth in (1, 8):
        data = write_mask(rle, depth=depth)
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))).astype(np.uint8), mask)
        assert read_mask(data)[0] == rle
        assert zlib.adler32(zlib.decompress(data[41:-16])) == int.from_bytes(data[-20:-16], "big")
