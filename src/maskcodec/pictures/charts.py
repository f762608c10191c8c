"""``plots``: statistics of a data set as bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import isfinite
from typing import Any

from maskcodec.model.schema import LabelSchema
from maskcodec.pictures import _pillow as pillow
from maskcodec.pictures._pillow import Bitmap
from maskcodec.pictures.canvas import Canvas, Picture
from maskcodec.pictures.legend import INK, PAPER, QUIET
from maskcodec.pictures.palette import Color, Colors, color

__all__ = ["plots"]

_ROWS, _BINS, _GRID = 20, 20, (228, 230, 234)
_NAMED = (
    ("categories", "Annotations per category"), ("kinds", "Annotations per kind"), ("subsets", "Items per subset"),
    ("sizes", "Sizes of items (width x height)"),
)  # fmt: skip
_BINNED = (
    ("areas", "Areas of annotations, pixels"), ("widths", "Widths of boxes, pixels"),
    ("heights", "Heights of boxes, pixels"), ("aspect", "Width / height of boxes"),
)  # fmt: skip


def plots(
    statistics: Mapping[str, Any], schema: LabelSchema | None = None, *, width: int = 1000, title: str = "",
    font: str | None = None,
) -> Picture:  # fmt: skip
    """Draw statistics as bars, without another library.

    Args:
        statistics: counts by name under ``categories``, ``kinds``, ``subsets`` and ``sizes``; counts by number under
            ``per_item``; ``{"edges": [...], "counts": [...]}`` under ``areas``, ``widths``, ``heights`` and ``aspect``;
            numbers under ``items`` and ``annotations``. What is missing is left out, other keys do not matter.
        schema: bars of categories get their colours.
        width: of the picture in pixels, from 300.
        title: written above; by default the numbers of items and annotations.
        font: as in ``draw``.

    Raises:
        ValueError: edges and counts that do not belong together, or numbers that are none.

    Example:
        >>> plots({"items": 3, "categories": {"cat": 2, "dog": 5}}).size[0]
        1000
    """
    if type(width) is not int or width < 300:
        raise ValueError(f"width: expected a whole number from 300, got {width!r}")
    size = max(12, width // 75)
    gap = size
    columns = 2 if width >= 640 else 1
    wide = (width - gap * (columns + 1)) // columns
    brush = _Brush(wide, size, font)
    panels = _panels(statistics, schema, brush)
    heads = [f"{int(statistics[key]):,} {key}" for key in ("items", "annotations") if key in statistics]
    head = brush.heading(title or ", ".join(heads), width)
    tops = [head.height] * columns
    placed = []
    for panel in panels:
        column = tops.index(min(tops))
        placed.append((gap + column * (wide + gap), tops[column], panel))
        tops[column] += panel.height + gap
    sheet = Canvas.blank((width, max([*tops, head.height + gap])), PAPER)
    sheet.image.paste(head, (0, 0))
    for x, y, panel in placed:
        sheet.image.paste(panel, (x, y))
    return Picture(sheet.image)


def _panels(statistics: Mapping[str, Any], schema: LabelSchema | None, brush: _Brush) -> list[Bitmap]:
    tones = Colors(schema) if schema is not None else None
    by_name = {category.name: category.id for category in schema} if schema is not None else {}
    out = []
    for key, title in _NAMED[:2]:
        out += _named(statistics, key, title, brush, tones if key == "categories" else None, by_name)
    per_item = statistics.get("per_item") or {}
    if per_item:
        edges, counts = _bins({int(k): _count(v, "per_item") for k, v in per_item.items()})
        out.append(brush.histogram("Annotations per item", edges, counts, whole=True))
    for key, title in _BINNED:
        found = statistics.get(key) or {}
        edges, counts = list(found.get("edges", ())), [_count(c, key) for c in found.get("counts", ())]
        if not counts:
            continue  # nothing was measured
        if len(edges) != len(counts) + 1 or not all(isfinite(edge) for edge in edges):
            raise ValueError(f"{key}: expected one edge more than counts, all numbers; got {len(edges)}, {len(counts)}")
        out.append(brush.histogram(title, edges, counts))
    for key, title in _NAMED[2:]:
        out += _named(statistics, key, title, brush, None, {})
    return out


def _named(
    statistics: Mapping[str, Any], key: str, title: str, brush: _Brush, tones: Colors | None, ids: Mapping[str, Any]
) -> list[Bitmap]:
    found = {str(name): _count(count, key) for name, count in (statistics.get(key) or {}).items()}
    if not found:
        return []
    rows = sorted(found.items(), key=lambda row: -row[1]) if key != "subsets" else list(found.items())
    colors = [tones.category(ids[name]) if tones is not None and name in ids else color(0) for name, _ in rows]
    rest = rows[_ROWS:]
    shown = rows[:_ROWS]
    if rest:
        shown.append((f"{len(rest)} others", sum(count for _, count in rest)))
        colors = [*colors[:_ROWS], (170, 174, 182)]
    return [brush.bars(title, shown, colors)]


def _count(value: Any, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not isfinite(value) or value < 0:
        raise ValueError(f"{key}: expected a count, got {value!r}")
    return float(value)


def _bins(counts: Mapping[int, float]) -> tuple[list[float], list[float]]:
    """Whole numbers in at most twenty bins of one width."""
    low, high = min(counts), max(counts)
    step = -(-(high - low + 1) // _BINS)
    number = -(-(high - low + 1) // step)
    out = [0.0] * number
    for value, count in counts.items():
        out[(value - low) // step] += count
    return [float(low + step * i) for i in range(number + 1)], out


def _short(value: float) -> str:
    """A number in at most five signs: 950, 1.2k, 35M."""
    for limit, sign in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            unit = {"T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3}[sign]
            return f"{value / unit:.3g}{sign}"
    return f"{value:.0f}" if value == int(value) else f"{value:.2g}" if abs(value) < 10 else f"{value:.0f}"


class _Brush:
    """Draws panels of one width."""

    def __init__(self, width: int, size: int, font: str | None) -> None:
        self.width, self.size = width, size
        self.big, self.font = pillow.font(round(size * 1.15), font), pillow.font(size, font)
        self.small = pillow.font(max(12, round(size * 0.85)), font)
        self.line = round(size * 1.7)

    def heading(self, text: str, width: int) -> Bitmap:
        """The line above all panels."""
        canvas = Canvas.blank((width, round(self.size * 2.6)), PAPER)
        face, shown = self.big.of(self._cut(text, self.big, width - 2 * self.size))
        canvas.text(self.size, self.size * 0.7, shown, face, INK)
        return canvas.image

    def _cut(self, text: str, font: pillow.Face, room: float) -> str:
        while len(text) > 4 and self._width(text, font) > room:
            text = text[: max(1, min(len(text) - 4, int(len(text) * room / self._width(text, font)) - 3))] + "..."
        return text

    def _width(self, text: str, font: pillow.Face) -> int:
        face, shown = font.of(text)
        return pillow.text_size(face, shown)[0]

    def _write(self, canvas: Canvas, x: float, y: float, text: str, font: pillow.Face, ink: Color) -> None:
        face, shown = font.of(text)
        canvas.text(x, y, shown, face, ink)

    def _panel(self, title: str, height: int) -> Canvas:
        canvas = Canvas.blank((self.width, self.line + height), PAPER)
        self._write(canvas, 0, 0, self._cut(title, self.big, self.width), self.big, INK)
        return canvas

    def bars(self, title: str, rows: Sequence[tuple[str, float]], colors: Sequence[Color]) -> Bitmap:
        """Counts by name, one bar below the other."""
        canvas = self._panel(title, len(rows) * self.line + self.size // 2)
        left = min(self.width * 0.4, max(self._width(name, self.font) for name, _ in rows)) + self.size * 0.6
        right = max(self._width(f"{count:,.0f}", self.font) for _, count in rows) + self.size * 0.6
        most = max(max(count for _, count in rows), 1.0)
        for at, ((name, count), tone) in enumerate(zip(rows, colors, strict=False)):
            y = self.line * (at + 1)
            self._write(canvas, 0, y, self._cut(name, self.font, left - self.size * 0.6 + 1), self.font, INK)
            end = left + (self.width - left - right) * count / most
            canvas.rectangle((left, y + 1, max(end, left + (count > 0)), y + self.line * 0.72), tone)
            self._write(canvas, end + self.size * 0.4, y, f"{count:,.0f}", self.font, QUIET)
        return canvas.image

    def histogram(
        self, title: str, edges: Sequence[float], counts: Sequence[float], *, whole: bool = False
    ) -> Bitmap:
        """Counts by number, one bar beside the other; as many numbers below as have room."""
        high = self.size * 9
        canvas = self._panel(title, high + self.line)
        most = max([*counts, 1.0])
        write: Callable[..., None] = self._write
        left = self._width(_short(most), self.small) + 6
        base, top = self.line + high, self.line + 4
        for part in (0.5, 1.0):
            y = base - (base - top) * part
            canvas.rectangle((left, y, self.width, y + 1), _GRID)
            if part == 1.0 or most > 1:
                write(canvas, 0, y - self.size * 0.55, _short(most * part), self.small, QUIET)
        step = (self.width - left) / len(counts)
        for at, count in enumerate(counts):
            x0, x1 = left + at * step, left + (at + 1) * step
            y = base - (base - top) * count / most
            if count:
                canvas.rectangle((x0 + 1, min(y, base - 1), max(x1 - 1, x0 + 2), base), color(0))
        canvas.rectangle((left, base, self.width, base + 1), QUIET)
        single = whole and edges[1] - edges[0] == 1
        labels = []
        for at, edge in enumerate(edges[:-1] if single else edges):
            text = _short(edge)
            wide = self._width(text, self.small)
            x = left + (at + 0.5 if single else at) * step - wide / 2
            labels.append((min(max(x, 0), self.width - wide), wide, text))
        gap, every = self.size * 0.6, 1  # as many numbers as have room, evenly
        while any(x + wide + gap > y for (x, wide, _), (y, _, _) in pairwise(labels[::every])):
            every += 1
        for x, _, text in labels[::every]:
            write(canvas, x, base + 4, text, self.small, QUIET)
        return canvas.image
