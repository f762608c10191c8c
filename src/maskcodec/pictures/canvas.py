"""A canvas: areas, lines and marks with smooth edges, each cut to the canvas before a pixel is touched."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from math import ceil, floor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.pictures import _pillow as pillow
from maskcodec.pictures._pillow import Bitmap
from maskcodec.pictures.palette import Color
from maskcodec.pictures.shapes import Float64, Frame, clip_chain, clip_ring

__all__ = ["Canvas", "Picture"]

MAX_SIDE, MAX_AREA = 32_768, 2**28
_MARGIN = 64.0


class Picture:
    """A drawing; a notebook shows it.

    Attributes:
        image: the ``PIL.Image.Image``.
        notes: what is not in it or not as it should be, and why.

    Example:
        >>> import maskcodec as mc
        >>> item = mc.Item("a", width=400, height=300, annotations=[mc.Box(10, 10, 90, 60)])
        >>> picture = mc.draw(item)
        >>> picture.size, picture.array.shape, picture.notes
        ((400, 300), (300, 400, 3), [])
    """

    def __init__(self, image: Bitmap, notes: Iterable[str] = ()) -> None:
        self.image = image
        self.notes = list(notes)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.image.size

    @property
    def array(self) -> npt.NDArray[np.uint8]:
        """The pixels, uint8 (H, W, 3); a copy."""
        return np.array(self.image)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a PNG file; it is complete or absent.

        Raises:
            ValueError: the name does not end in ``.png``.
            OSError: the file cannot be written.
        """
        target = Path(path)
        if target.suffix.lower() != ".png":
            raise ValueError(f"pictures are PNG files: expected a name ending in .png, got {str(path)!r}")
        data = self._repr_png_()
        handle, part = tempfile.mkstemp(prefix=f".{target.name[:40]}.", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(part, 0o666 & ~mask)
            os.replace(part, target)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise

    def _repr_png_(self) -> bytes:
        return pillow.encode_png(self.image)

    def __repr__(self) -> str:
        return f"<Picture: {self.image.width} x {self.image.height}{', notes: ' if self.notes else ''}" + (
            f"{'; '.join(self.notes)}>" if self.notes else ">"
        )


class Canvas:
    """An RGB image to draw on; coordinates are its pixels, origin at the outer corner of the top-left one.

    Raises:
        ValueError: larger than 32768 pixels a side or 2^28 in all.
    """

    def __init__(self, image: Bitmap) -> None:
        self.image = image
        self.width, self.height = image.size

    @classmethod
    def blank(cls, size: tuple[int, int], color: Color = (255, 255, 255)) -> Canvas:
        """A canvas of one colour."""
        width, height = size
        if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_AREA):
            raise ValueError(f"a picture of {width} x {height} pixels is too large; give a smaller width")
        return cls(pillow.new(size, color))

    @classmethod
    def checker(cls, size: tuple[int, int]) -> Canvas:
        """Grey squares: there is no image here."""
        made = cls.blank(size, (206, 206, 206))
        step = 16
        tile = np.full((2 * step, 2 * step, 3), 206, np.uint8)
        tile[:step, step:] = tile[step:, :step] = 194
        rows = np.resize(np.arange(2 * step), size[1])
        columns = np.resize(np.arange(2 * step), size[0])
        made.image = pillow.from_array(tile[rows[:, None], columns])
        return made

    def stain(self, mask: npt.NDArray[np.uint8], x: int, y: int, color: Color, alpha: float) -> None:
        """Colour the pixels where a uint8 mask (h, w), placed at (x, y), is not 0."""
        if mask.size and alpha > 0:
            level = np.uint8(round(255 * min(alpha, 1.0)))
            self.image.paste(color, (x, y), pillow.from_array((mask != 0).astype(np.uint8) * level))

    def _cover(self, box: Frame, paint: Any, color: Color, alpha: float) -> None:
        """Let ``paint(draw, factor, x, y)`` draw a shape, larger than life, and lay it down with smooth edges."""
        x0, y0 = max(floor(box[0]), 0), max(floor(box[1]), 0)
        x1, y1 = min(ceil(box[2]), self.width), min(ceil(box[3]), self.height)
        if x0 >= x1 or y0 >= y1 or alpha <= 0:
            return
        area = (x1 - x0) * (y1 - y0)
        factor = 4 if area < 200_000 else 2 if area < 2_000_000 else 1
        layer = pillow.new(((x1 - x0) * factor, (y1 - y0) * factor), 0, "L")
        paint(pillow.drawer(layer), factor, x0, y0)
        layer = layer.reduce(factor) if factor > 1 else layer
        if alpha < 1:
            layer = layer.point([round(level * alpha) for level in range(256)])
        self.image.paste(color, (x0, y0), layer)

    def area(self, rings: Sequence[Float64], holes: Sequence[bool], color: Color, alpha: float) -> None:
        """Fill rings, each in turn filled or (a hole) taken away."""
        frame = (-_MARGIN, -_MARGIN, self.width + _MARGIN, self.height + _MARGIN)
        parts = [clip_ring(ring, frame) for ring in rings]
        some = [part for part in parts if len(part) > 2]
        if not some:
            return
        low, high = np.min([p.min(axis=0) for p in some], axis=0), np.max([p.max(axis=0) for p in some], axis=0)

        def paint(draw: Any, factor: int, x: int, y: int) -> None:
            for part, hole in zip(parts, holes or [False] * len(parts), strict=True):
                if len(part) > 2:
                    # Pillow counts from the centres of pixels.
                    scaled = (part - (x, y)) * factor - 0.5
                    draw.polygon([(a, b) for a, b in scaled.tolist()], fill=0 if hole else 255)

        self._cover((low[0], low[1], high[0], high[1]), paint, color, alpha)

    def lines(self, chains: Iterable[Float64], color: Color, width: float, alpha: float = 1.0) -> None:
        """Draw chains of points."""
        half = width / 2
        frame = (-half - 1, -half - 1, self.width + half + 1, self.height + half + 1)
        pieces = [piece for chain in chains for piece in clip_chain(chain, frame)]
        if not pieces:
            return
        low = np.min([p.min(axis=0) for p in pieces], axis=0) - half - 1
        high = np.max([p.max(axis=0) for p in pieces], axis=0) + half + 1

        def paint(draw: Any, factor: int, x: int, y: int) -> None:
            thick = max(1, round(width * factor))
            for piece in pieces:
                points = [(a, b) for a, b in ((piece - (x, y)) * factor - 0.5).tolist()]
                draw.line(points, fill=255, width=thick, joint="curve")
                if len(points) > 2 and points[0] == points[-1]:  # the corner where a ring closes
                    r = thick / 2 - 0.5
                    a, b = points[0]
                    if r > 0.5:
                        draw.ellipse((a - r, b - r, a + r, b + r), fill=255)

        self._cover((low[0], low[1], high[0], high[1]), paint, color, alpha)

    def disc(self, x: float, y: float, r: float, color: Color, hollow: float = 0.0) -> None:
        """A round mark; ``hollow`` is the width of its ring."""
        if not (-r <= x <= self.width + r and -r <= y <= self.height + r):
            return

        def paint(draw: Any, factor: int, left: int, top: int) -> None:
            a, b, c = (x - left) * factor - 0.5, (y - top) * factor - 0.5, r * factor
            draw.ellipse((a - c, b - c, a + c, b + c), fill=255)
            if hollow:
                c = max(r - hollow, 0.0) * factor
                draw.ellipse((a - c, b - c, a + c, b + c), fill=0)

        self._cover((x - r - 1, y - r - 1, x + r + 1, y + r + 1), paint, color, 1.0)

    def rectangle(self, box: Frame, color: Color, alpha: float = 1.0) -> None:
        """A rectangle of whole pixels."""
        x0, y0, x1, y1 = max(round(box[0]), 0), max(round(box[1]), 0), round(box[2]), round(box[3])
        x1, y1 = min(x1, self.width), min(y1, self.height)
        if x1 <= x0 or y1 <= y0 or alpha <= 0:
            return
        if alpha >= 1:
            self.image.paste(color, (x0, y0, x1, y1))
        else:
            self.image.paste(color, (x0, y0), pillow.new((x1 - x0, y1 - y0), round(255 * alpha), "L"))

    def text(self, x: float, y: float, text: str, face: Any, color: Color) -> None:
        """Text with the top left corner of its line at a place."""
        pillow.drawer(self.image).text((round(x), round(y)), text, font=face, fill=color)
