"""The ground of a view from above: where things are on it, and the grid, axes and scale that tell so."""

from __future__ import annotations

from math import floor, log10
from typing import Any

import numpy as np

from maskcodec.pictures import _pillow as pillow
from maskcodec.pictures.canvas import Canvas
from maskcodec.pictures.palette import Color
from maskcodec.pictures.shapes import Float64, Frame

__all__ = ["NIGHT", "View", "furniture", "grid", "number"]

NIGHT, _GRID, _FAINT, _EGO = (22, 24, 30), (44, 48, 58), (130, 136, 150), (255, 255, 255)


class View:
    """World to canvas."""

    def __init__(self, frame: Frame, width: int) -> None:
        x0, y0, x1, y1 = (float(v) for v in frame)
        if not (np.isfinite(frame).all() and x1 > x0 and y1 > y0):
            raise ValueError(f"frame: expected x0 < x1 and y0 < y1, got {tuple(frame)}")
        if type(width) is not int or width < 1:
            raise ValueError(f"width: expected a whole number above 0, got {width!r}")
        tall, wide = y1 - y0, x1 - x0
        if tall < wide * 0.45:
            y0, y1 = (y0 + y1 - wide * 0.45) / 2, (y0 + y1 + wide * 0.45) / 2
        elif tall > wide * 1.2:
            x0, x1 = (x0 + x1 - tall / 1.2) / 2, (x0 + x1 + tall / 1.2) / 2
        self.x0, self.y0, self.x1, self.y1 = x0, y0, x1, y1
        self.factor = width / (x1 - x0)
        self.size = (width, max(1, round((y1 - y0) * self.factor)))

    def __call__(self, xyz: Any) -> Float64:
        """Points (n, 2 or 3) on the canvas, float64 (n, 2)."""
        points = np.asarray(xyz, np.float64)
        return np.stack([(points[:, 0] - self.x0) * self.factor, (self.y1 - points[:, 1]) * self.factor], axis=1)


def grid(canvas: Canvas, view: View) -> list[tuple[str, float, float]]:
    """Lines at round numbers; their values, to be written."""
    rough = max(view.x1 - view.x0, view.y1 - view.y0) / 8
    power = 10.0 ** floor(log10(rough))
    step = next(power * m for m in (1, 2, 5, 10, 20) if power * m >= rough)
    ticks: list[tuple[str, float, float]] = [("step", step, step * view.factor)]
    for axis, low, high in (("x", view.x0, view.x1), ("y", view.y0, view.y1)):
        for value in np.arange(np.ceil(low / step), np.floor(high / step) + 1)[:40] * step:
            at = (value - view.x0) * view.factor if axis == "x" else (view.y1 - value) * view.factor
            ends = [[at, 0], [at, canvas.height]] if axis == "x" else [[0, at], [canvas.width, at]]
            canvas.lines([np.array(ends, float)], _GRID if value else (80, 86, 100), 1)
            ticks.append((axis, float(value), float(at)))
    return ticks


def number(value: float, digits: int = 4) -> str:
    """A number in few signs."""
    return f"{value + 0.0:.{digits}g}" if abs(value) < 1e5 else f"{value:.2e}"


def furniture(
    canvas: Canvas, view: View, ticks: list[tuple[str, float, float]], size: int, font: str | None, line: float
) -> None:
    """Numbers of the grid, axes, the mark of the origin, the scale bar."""
    text = pillow.font(size, font)

    def write(x: float, y: float, what: str, tone: Color = _FAINT) -> None:
        face, shown = text.of(what)
        wide, _, high = pillow.text_size(face, shown)
        x, y = min(max(x, 2), canvas.width - wide - 2), min(max(y, 1), canvas.height - high - 1)
        canvas.text(x, y, shown, face, tone)

    step, length = ticks[0][1], ticks[0][2]
    roomy = canvas.width >= 400  # a thumbnail has its scale alone
    for axis, value, at in ticks[1:] if roomy else ():
        if axis == "x" and at > size * 3:
            write(at + 3, canvas.height - size * 1.3, number(value))
        elif axis == "y" and at < canvas.height - size * 6.5:
            write(3, at + 1, number(value))
    x, y = (float(v) for v in view(np.zeros((1, 2)))[0])
    if 0 <= x <= canvas.width and 0 <= y <= canvas.height:
        r = 4.0 + 2 * line if roomy else 4.0
        arrow = np.array([[x + 1.6 * r, y], [x - r, y - r], [x - 0.4 * r, y], [x - r, y + r]])
        canvas.area([arrow], (), _EGO, 1.0)
    corner, reach = np.array([size * 1.2, canvas.height - size * 2.2]), size * 2.5
    for way, name in ((np.array([1.0, 0.0]), "x"), (np.array([0.0, -1.0]), "y")) if roomy else ():
        tip = corner + way * reach
        side = way[::-1] * 4
        canvas.lines([np.stack([corner, tip])], _EGO, 2)
        canvas.area([np.stack([tip + way * 6, tip + side, tip - side])], (), _EGO, 1.0)
        x, y = (tip + (10, -size * 0.6) if name == "x" else tip + (8, -size * 0.9)).tolist()
        write(x, y, name, _EGO)
    right, bottom = canvas.width - size * 1.2, canvas.height - size * 2.2
    left, tick = right - length, bottom - 4
    canvas.lines([np.array([[left, tick], [left, bottom], [right, bottom], [right, tick]])], _EGO, 2)
    face, shown = text.of(f"{number(step)} unit{'' if step == 1 else 's'}")
    write(right - length / 2 - pillow.text_size(face, shown)[0] / 2, bottom - size * 1.6, shown, _EGO)
