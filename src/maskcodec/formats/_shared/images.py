"""Image headers, and PNG label maps in and out. The only importer of Pillow.

Pillow accepts wrong checksums, missing rows and missing palettes, and scales or cuts some bit depths silently, so
chunks, checksums, the number of rows, the palette and the bit depth are checked here before and after decoding.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError
from maskcodec.formats._shared.png import (
    MAX_PIXELS,
    SIGNATURE,
    PngHeader,
    check_chunks,
    check_rows,
    minimal,
    read_header,
    write_png,
)

__all__ = ["MAX_PIXELS", "PngHeader", "image_size", "read_bmp", "read_picture", "read_png", "write_png"]

_counting = threading.Lock()
_limits: list[int | None] = []  # Pillow's limit, once for each image that is being opened without it
_quiet = threading.Lock()


@contextmanager
def _any_size() -> Iterator[None]:
    """Pillow without its own limit of pixels, which is one for all threads: the last one out puts it back."""
    from PIL import Image

    with _counting:
        _limits.append(_limits[0] if _limits else Image.MAX_IMAGE_PIXELS)
        Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        with _counting:
            limit = _limits.pop()
            if not _limits:
                Image.MAX_IMAGE_PIXELS = limit


def image_size(stream: BinaryIO | bytes, file: str = "", *, displayed: bool = False) -> tuple[int, int]:
    """Width and height in pixels from the header of a png, jpeg, bmp, gif, webp or tiff; told by content.

    Args:
        stream: the file.
        file: for errors.
        displayed: after the rotation that EXIF data of a jpeg ask for; else the stored size.

    Raises:
        FormatError: not such an image, or a damaged header.
    """
    from PIL import Image, UnidentifiedImageError

    source = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    head = source.read(33)
    if head.startswith(SIGNATURE):
        header = read_header(head[8:33], file)
        return header.width, header.height
    source.seek(0) if source.seekable() else None
    rest: Any = source if source.seekable() else io.BytesIO(head + source.read())
    try:
        # Only the header is read. Filters of warnings are those of all threads: one at a time may change them.
        with _any_size(), _quiet, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong beyond the size does not matter here
            with Image.open(rest, formats=("JPEG", "BMP", "GIF", "WEBP", "TIFF")) as image:
                turned = displayed and image.getexif().get(0x0112) in (5, 6, 7, 8)
                return (int(image.height), int(image.width)) if turned else (int(image.width), int(image.height))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error) as error:
        # Pillow's own text for a file that it does not know names an object in memory, another one every time.
        why = "unknown type" if isinstance(error, UnidentifiedImageError) else error
        raise FormatError(f"not an image whose size can be read: {why}", file=file) from error


def read_png(
    data: bytes, file: str = "", *, max_pixels: int = MAX_PIXELS
) -> tuple[npt.NDArray[Any], PngHeader, npt.NDArray[np.uint8] | None]:
    """Decode a PNG label map without changing a value.

    Args:
        data: the whole file.
        file: for errors.
        max_pixels: refuse larger images before decoding.

    Returns:
        The pixels: uint8 or uint16 (H, W) for grey and palette images (palette: indices), uint8 (H, W, 2|3|4)
        otherwise; the header; the palette as uint8 (n, 3), or None.

    Raises:
        FormatError: damaged, truncated, without its palette or with indices beyond it, larger than the limit, or of a
            depth that would lose bits (16-bit colour).
    """
    from PIL import Image

    if data.startswith(SIGNATURE):
        first = read_header(data[8:33], file)
        if first.width * first.height > max_pixels:
            raise FormatError(f"{first.width} x {first.height} pixels, the limit is {max_pixels}", file=file)
    header, parts, plte = check_chunks(data, file)
    palette = None
    if header.color_type == 3:
        if plte is None or len(plte) % 3 or not plte:
            raise FormatError("PNG palette image without a valid palette (PLTE)", file=file)
        palette = np.frombuffer(plte, np.uint8).reshape(-1, 3)
    if header.depth == 16 and header.channels > 1:
        raise FormatError(f"16-bit PNG with {header.channels} channels, expected 8 bit", file=file)
    check_rows(header, parts, file)
    try:
        # Only the chunks that matter are handed on, so that no text chunk is ever expanded.
        with _any_size(), Image.open(io.BytesIO(minimal(data)), formats=("PNG",)) as image:
            image.load()
            pixels = np.asarray(image)
    except (OSError, ValueError, SyntaxError, struct.error, zlib.error, EOFError) as error:
        raise FormatError(f"PNG cannot be decoded: {error}", file=file) from error
    if header.depth == 16:
        pixels = pixels.astype(np.uint16, copy=False)
    elif header.color_type == 0 and header.depth < 8:
        scale = {1: 1, 2: 85, 4: 17}[header.depth]  # Pillow spreads 2 and 4 bit over 0..255
        pixels = (pixels.astype(np.uint8) // scale).astype(np.uint8)
    if palette is not None and pixels.size and int(pixels.max()) >= len(palette):
        raise FormatError(f"index {int(pixels.max())} beyond the palette of {len(palette)} colours", file=file)
    return pixels, header, palette


def read_bmp(data: bytes, file: str = "", *, max_pixels: int = MAX_PIXELS) -> npt.NDArray[np.uint8]:
    """Decode a BMP of one channel (grey, palette indices or 1 bit) to uint8 (H, W).

    Raises:
        FormatError: not such a file, truncated, or larger than the limit.
    """
    from PIL import Image

    width, height = image_size(data, file)
    if not data.startswith(b"BM"):
        raise FormatError("not a BMP file", file=file)
    if width * height > max_pixels:
        raise FormatError(f"{width} x {height} pixels, the limit is {max_pixels}", file=file)
    try:
        with Image.open(io.BytesIO(data), formats=("BMP",)) as image:
            if image.mode not in ("L", "P", "1"):
                raise FormatError(f"a BMP of mode {image.mode}, expected one channel", file=file)
            image.load()
            return np.asarray(image).astype(np.uint8)
    except (OSError, ValueError, SyntaxError, struct.error) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"BMP cannot be decoded: {error}", file=file) from error



def read_picture(stream: BinaryIO | bytes, file: str = "", mode: str = "RGB") -> npt.NDArray[np.uint8]:
    """Decode a photograph as it is stored (not turned by its EXIF data) to uint8 (H, W, channels) or (H, W).

    Args:
        stream: the file, of any kind that Pillow reads.
        file: for errors.
        mode: "RGB", or "L" for one channel.

    Raises:
        FormatError: not an image, or a damaged one.
    """
    from PIL import Image, UnidentifiedImageError

    source = io.BytesIO(stream) if isinstance(stream, bytes) else stream
    try:
        with Image.open(source) as image:
            return np.array(image.convert(mode))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error) as error:
        raise FormatError(f"the image cannot be decoded: {error}", file=file) from error
