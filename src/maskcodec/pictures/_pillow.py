"""All that the pictures take from Pillow: images in, fonts, drawing, PNG out. The only importer of it in this package.

Pillow is used from release 9.1 on; what came later (a scalable font, in 10.1) has a substitute here.
"""

from __future__ import annotations

import io
import struct
import unicodedata
import warnings
from functools import lru_cache
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from maskcodec.errors import FormatError

__all__ = ["Bitmap", "drawer", "encode_png", "fit", "font", "from_array", "is_bitmap", "load", "new", "text_size"]

Bitmap = Image.Image
UInt8 = npt.NDArray[np.uint8]
MAX_PIXELS = 2**29  # of a photograph that is decoded

# Faces that hold more scripts than the built-in one, by the names under which systems keep them.
_SYSTEM_FACES = (
    "NotoSansCJK-Regular.ttc", "DejaVuSans.ttf", "NotoSans-Regular.ttf", "Arial Unicode.ttf", "msyh.ttc",
    "PingFang.ttc", "malgun.ttf", "wqy-zenhei.ttc", "Arial.ttf", "arial.ttf", "FreeSans.ttf",
)  # fmt: skip
_SHARPS = str.maketrans({"ß": "ss", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "ł": "l", "Ł": "L", "đ": "d",
                         "…": "...", "–": "-", "—": "-", "×": "x", "·": "-"})  # fmt: skip


def is_bitmap(value: object) -> bool:
    """Whether it is an image of Pillow."""
    return isinstance(value, Image.Image)


def new(size: tuple[int, int], color: Any = 0, mode: str = "RGB") -> Bitmap:
    """A canvas of one colour."""
    return Image.new(mode, size, color)


def from_array(pixels: UInt8) -> Bitmap:
    """uint8 (H, W) or (H, W, 3) as an image."""
    return Image.fromarray(np.ascontiguousarray(pixels))


def drawer(image: Bitmap) -> Any:
    """Something that draws on the image."""
    return ImageDraw.Draw(image)


def fit(image: Bitmap, size: tuple[int, int], *, exact: bool = False) -> Bitmap:
    """Scaled to a size; ``exact`` keeps values as they are (for enlarging pixels that should be seen)."""
    if image.size == size:
        return image
    if exact:
        return image.resize(size, Image.Resampling.NEAREST)
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def encode_png(image: Bitmap) -> bytes:
    """The image as a PNG file."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def load(
    source: Any, file: str = "", *, size: tuple[int, int] | None = None, near: tuple[int, int] | None = None
) -> tuple[Bitmap, tuple[int, int]]:
    """Decode a photograph to RGB.

    Args:
        source: bytes, an open file, an array (H, W), (H, W, 3) or (H, W, 4), or an image of Pillow.
        file: for errors.
        size: width and height that the annotations are made for: an image that has them only after the rotation that
            its EXIF data ask for is turned.
        near: width and height that will do; a JPEG is then decoded smaller, in a fraction of the time.

    Returns:
        The image, and its true width and height.

    Raises:
        FormatError: not an image, a damaged one, or one of more than 2^29 pixels.
    """
    if isinstance(source, np.ndarray):
        made = Image.fromarray(_eight_bits(source))
        return made.convert("RGB"), made.size
    if isinstance(source, Image.Image):
        return _rgb(source), source.size
    stream: BinaryIO = io.BytesIO(source) if isinstance(source, (bytes, bytearray)) else source
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None  # the limit below is the one that holds
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata that do not matter for the pixels
            with Image.open(stream) as image:
                true = image.size
                if true[0] * true[1] > MAX_PIXELS:
                    raise FormatError(f"{true[0]} x {true[1]} pixels, the limit is {MAX_PIXELS}", file=file)
                turned = size is not None and true != size and true[::-1] == size
                turned = turned and image.getexif().get(0x0112) in (5, 6, 7, 8)
                if near is not None:
                    image.draft("RGB", near[::-1] if turned else near)
                return (_rgb(ImageOps.exif_transpose(image)), true[::-1]) if turned else (_rgb(image), true)
    except FormatError:
        raise
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error, EOFError) as error:
        raise FormatError(f"the image cannot be decoded: {error}", file=file) from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _rgb(image: Any) -> Bitmap:
    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    out: Bitmap = image.convert("RGB")
    return out.copy() if out is image else out


def _eight_bits(pixels: npt.NDArray[Any]) -> UInt8:
    """Pixels of any depth as uint8; more than 8 bits are spread from their smallest to their largest value."""
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (3, 4)) or not pixels.size:
        raise ValueError(f"image: expected an array (H, W), (H, W, 3) or (H, W, 4), got {pixels.shape}")
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    if pixels.dtype == bool:
        return np.ascontiguousarray(pixels.astype(np.uint8) * 255)
    if pixels.dtype.kind not in "uif":
        raise ValueError(f"image: expected numbers, got {pixels.dtype}")
    real = np.nan_to_num(pixels.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(real.min()), float(real.max())
    if pixels.dtype.kind == "f" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    return np.ascontiguousarray(((real - low) * (255 / max(high - low, 1e-12))).round().astype(np.uint8))


class Face:
    """A font of one size, with a substitute for scripts that it lacks."""

    def __init__(self, size: int, chosen: str | None = None) -> None:
        self.size = size
        self.own = _open_face(chosen, size) if chosen is not None else _built_in(size)
        self.scalable = not isinstance(self.own, ImageFont.ImageFont)

    def of(self, text: str) -> tuple[Any, str]:
        """The face that holds the text, and the text as it can be written: the signs that no face has as ``?``."""
        text = "".join(" " if c in "\r\n\t" else c for c in text if c.isprintable() or c in "\r\n\t")
        if all(map(self._has, text)):
            return self.own, text
        for face in _system_faces(self.size):
            if all(_glyph(face, c) for c in text):
                return face, text
        folded = unicodedata.normalize("NFKD", text.translate(_SHARPS))
        folded = "".join(c for c in folded if not unicodedata.combining(c))
        return self.own, "".join(c if self._has(c) else "?" for c in folded)

    def _has(self, character: str) -> bool:
        if not self.scalable:
            return character.isascii()
        return _glyph(self.own, character)


@lru_cache(16)
def font(size: int, chosen: str | None = None) -> Face:
    """The font of a height in pixels: the file or system font that was chosen, else the one built into Pillow.

    Raises:
        OSError: there is no such font.
    """
    return Face(size, chosen)


def _open_face(name: str, size: int) -> Any:
    try:
        return ImageFont.truetype(name, size)
    except OSError as error:
        raise OSError(f"font {name!r} cannot be opened: {error}") from error


def _built_in(size: int) -> Any:
    try:
        return ImageFont.load_default(size)
    except (TypeError, ImportError, OSError):  # before Pillow 10.1, or built without FreeType
        scalable = _system_faces(size)
        return scalable[0] if scalable else ImageFont.load_default()


@lru_cache(16)
def _system_faces(size: int) -> tuple[Any, ...]:
    found = []
    for name in _SYSTEM_FACES:
        try:
            found.append(ImageFont.truetype(name, size))
        except (OSError, ImportError):
            continue
    return tuple(found)


@lru_cache(4096)
def _glyph(face: Any, character: str) -> bool:
    """Whether a face has a sign for the character, told by what it draws for one that does not exist."""
    if character.isspace():
        return True
    mask, missing = face.getmask(character), face.getmask("\U0010fffe")
    return mask.size != missing.size or bytes(mask) != bytes(missing)


def text_size(face: Any, text: str) -> tuple[int, int, int]:
    """Width of the text, and the top and bottom of the line of its face (the same for every text of it)."""
    if not hasattr(face, "getmetrics"):  # a bitmap font
        return int(face.getmask(text).size[0]) if text else 0, 0, int(face.getmask("Ag").size[1])
    x0, _, x1, _ = face.getbbox(text) if text else (0, 0, 0, 0)
    ascent, descent = face.getmetrics()
    return int(x1 - min(x0, 0)), 0, int(ascent + descent)
