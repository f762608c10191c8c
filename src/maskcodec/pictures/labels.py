"""Labels beside what they name: inside the picture, never over one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from maskcodec.pictures import _pillow as pillow
from maskcodec.pictures.canvas import Canvas
from maskcodec.pictures.palette import Color, ink_on
from maskcodec.pictures.shapes import Float64, Frame

__all__ = ["Label", "Labels", "shortened"]

_CELL = 2  # pixels a cell of the map of what is taken


def shortened(text: str, limit: int) -> str:
    """The text, cut with three dots where it is longer."""
    return text if len(text) <= limit else text[: max(limit - 3, 1)].rstrip() + "..."


@dataclass(slots=True)
class Label:
    """A text for a place.

    Attributes:
        box: what it names (x0, y0, x1, y1) on the canvas.
        mark: a small diamond before the text (a key frame).
        peak: its highest point, where that is no corner of the box.
    """

    text: str
    box: Frame
    color: Color
    mark: bool = False
    peak: tuple[float, float] | None = None


class Labels:
    """Finds room for labels and writes them.

    Attributes:
        places: where labels are (x0, y0, x1, y1), in the order in which they were written.
        crowded_out: how many found no room near what they name.
        unreadable: how many have signs that the font lacks.
    """

    def __init__(self, canvas: Canvas, size: int, chosen: str | None = None) -> None:
        self.canvas = canvas
        self.font = pillow.font(size, chosen)
        self.pad = max(2, size // 6)
        self.places: list[tuple[int, int, int, int]] = []
        self.crowded_out = 0
        self.unreadable = 0
        self._taken = np.zeros((canvas.height // _CELL + 1, canvas.width // _CELL + 1), bool)
        self._spared = self._taken.copy()

    def keep_free(self, points: Float64, reach: float) -> None:
        """Let no label cover these points (float64 (n, 2)); those outside do not matter."""
        edge = max(self.canvas.width, self.canvas.height) + reach
        for x, y in points[(np.abs(points) < edge).all(axis=1)].tolist():
            x0, y0 = max(0, int((x - reach) // _CELL)), max(0, int((y - reach) // _CELL))
            self._taken[y0 : max(0, int((y + reach) // _CELL) + 1), x0 : max(0, int((x + reach) // _CELL) + 1)] = True

    def spare(self, box: Frame) -> None:
        """Cover the place of a small shape only where there is no other room."""
        rows, columns = self._taken.shape
        # Cells that lie in it completely: a label may touch its edge.
        x0, y0 = max(0, int(box[0]) // _CELL + 1), max(0, int(box[1]) // _CELL + 1)
        x1, y1 = min(columns, int(box[2]) // _CELL), min(rows, int(box[3]) // _CELL)
        if x0 < x1 and y0 < y1 and (x1 - x0) * (y1 - y0) < self._taken.size // 16:
            self._spared[y0:y1, x0:x1] = True

    def write(self, label: Label) -> bool:
        """Write a label if there is room for it."""
        face, text = self.font.of(label.text)
        width, top, bottom = pillow.text_size(face, text)
        longest = self.canvas.width - 2 * self.pad - (self.font.size if label.mark else 0)
        while width > longest and len(text) > 4:
            text = shortened(text, max(4, min(len(text) - 1, int(len(text) * longest / width))))
            width, top, bottom = pillow.text_size(face, text)
        mark = (bottom - top) * 2 // 3 if label.mark else 0
        w, h = width + 2 * self.pad + mark, bottom - top + self.pad // 2
        place = self._room(label.box, label.peak, w, h)
        if place is None:
            self.crowded_out += 1
            return False
        x, y = place
        self.places.append((x, y, x + w, y + h))
        self.unreadable += text.count("?") > label.text.count("?")
        self._taken[_cells(y, h + _CELL), _cells(x, w + _CELL)] = True
        self.canvas.rectangle((x, y, x + w, y + h), label.color)
        ink = ink_on(label.color)
        if mark:
            r, cx, cy = mark * 0.38, x + self.pad + mark * 0.4, y + h / 2
            diamond = np.array([[cx - r, cy], [cx, cy - r], [cx + r, cy], [cx, cy + r]])
            self.canvas.area([diamond], (), ink, 1.0)
        self.canvas.text(x + self.pad + mark, y - top + self.pad // 4, text, face, ink)
        return True

    def _room(self, box: Frame, peak: tuple[float, float] | None, w: int, h: int) -> tuple[int, int] | None:
        """The first free place of some around the box, the usual one first."""
        width, height = self.canvas.width, self.canvas.height
        if w > width or h > height:
            return None
        x0, y0 = min(max(box[0], 0), width), min(max(box[1], 0), height)
        x1, y1 = min(max(box[2], 0), width), min(max(box[3], 0), height)
        middle_x, middle_y = (x0 + x1 - w) / 2, (y0 + y1 - h) / 2
        tries: list[tuple[float, float]] = [
            (x0, y0 - h), (x0, y0), (x1 - w, y0 - h), (x1 - w, y0), (x0, y1), (x0, y1 - h), (x1 - w, y1),
            (x1 - w, y1 - h), (middle_x, y0 - h), (middle_x, y1), (x1, y0), (x0 - w, y0), (middle_x, middle_y),
        ]  # fmt: skip
        if peak is not None:
            tries[:0] = [(peak[0] - self.pad, peak[1] - h), (peak[0] - w + self.pad, peak[1] - h)]
        near = len(tries)
        tries += [(x0 + dx, y0 - h + step * h) for step in (1, -1, 2, -2, 3, -3, 4) for dx in (0, -w / 2, w / 2)]
        places = [(round(min(max(x, 0), width - w)), round(min(max(y, 0), height - h))) for x, y in tries]
        windows = [(_cells(y, h), _cells(x, w)) for x, y in places]
        free = [at for at, window in enumerate(windows) if not self._taken[window].any()]
        best = (at for at in free if at < near and not self._spared[windows[at]].any())
        at = next(best, free[0] if free else None)
        return None if at is None else places[at]


def _cells(start: int, length: int) -> slice:
    """The cells that pixels fall into."""
    return slice(start // _CELL, -(-(start + length) // _CELL))
