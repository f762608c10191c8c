"""Strips of text below a picture: what has no place in it, and what its colours mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from maskcodec.pictures import _pillow as pillow
from maskcodec.pictures._pillow import Bitmap
from maskcodec.pictures.canvas import MAX_SIDE, Canvas
from maskcodec.pictures.labels import shortened
from maskcodec.pictures.palette import Color

__all__ = ["INK", "PAPER", "QUIET", "Entry", "below", "stacked"]

PAPER: Color = (255, 255, 255)
INK: Color = (30, 30, 36)
QUIET: Color = (110, 110, 120)
_NARROWEST, _LINES, _ENTRIES = 220, 4, 60


@dataclass(slots=True)
class Entry:
    """A piece of a strip.

    Attributes:
        color: of a square before the text; None for none.
        own_line: stands on lines of its own, wrapped; else entries follow one another.
    """

    text: str
    color: Color | None = None
    own_line: bool = False
    ink: Color = INK


def _wrapped(text: str, font: pillow.Face, room: int) -> list[str]:
    """The text in lines of at most ``room`` pixels; beyond four lines it is cut."""
    lines: list[str] = []
    for paragraph in shortened(text, 600).splitlines() or [""]:
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if _width(font, longer) <= room:
                line = longer
                continue
            if line:
                lines.append(line)
            while _width(font, word) > room and len(word) > 1:  # scripts without blanks, long names
                cut = max(1, int(len(word) * room / _width(font, word)))
                while cut > 1 and _width(font, word[:cut]) > room:
                    cut -= 1
                lines.append(word[:cut])
                word = word[cut:]
            line = word
        lines.append(line)
    if len(lines) > _LINES:
        last = lines[_LINES - 1]
        lines = [*lines[: _LINES - 1], last[: max(1, len(last) - 3)].rstrip() + "..."]
    return lines


def _width(font: pillow.Face, text: str) -> int:
    face, shown = font.of(text)
    return pillow.text_size(face, shown)[0]


def below(image: Bitmap, entries: Sequence[Entry], size: int, chosen: str | None = None) -> Bitmap:
    """The picture with its entries below it; the picture itself when there are none.

    A picture narrower than 220 pixels gets paper beside it; one that is as high as a picture can be stays alone.
    """
    if not entries:
        return image
    text = strip(entries, max(image.width, _NARROWEST), size, chosen)
    return stacked([image, text]) if image.height + text.height <= MAX_SIDE else image


def strip(entries: Sequence[Entry], width: int, size: int, chosen: str | None = None) -> Bitmap:
    """Entries on paper of a width, as high as they need."""
    font = pillow.font(size, chosen)
    pad, box = max(5, size // 2), max(6, size * 3 // 4)
    line = round(size * 1.5)
    many = list(entries)
    if len(many) > _ENTRIES:
        many = [*many[:_ENTRIES], Entry(f"and {len(entries) - _ENTRIES} more", None, True, QUIET)]
    placed: list[tuple[int, int, str, Color | None, Color]] = []
    x, y = pad, pad
    for entry in many:
        indent = box + size // 3 if entry.color is not None else 0
        if entry.own_line and x > pad:
            x, y = pad, y + line
        text = entry.text if entry.own_line else " ".join(entry.text.split())
        lines = _wrapped(text, font, width - 2 * pad - indent)
        taken = indent + max(_width(font, part) for part in lines)
        if x > pad and x + taken > width - pad:
            x, y = pad, y + line
        placed.append((x, y, lines[0], entry.color, entry.ink))
        placed += [(x + indent, y + at * line, part, None, entry.ink) for at, part in enumerate(lines[1:], 1)]
        y += (len(lines) - 1) * line
        x += taken + size
        if entry.own_line or len(lines) > 1:
            x, y = pad, y + line
    bottom = y + (line if x > pad else 0) + pad // 2
    canvas = Canvas.blank((width, bottom), PAPER)
    for left, top, text, color, ink in placed:
        if color is not None:
            high = top + (line - box) // 2
            canvas.rectangle((left, high, left + box, high + box), color)
            left += box + size // 3
        face, shown = font.of(text)
        _, up, down = pillow.text_size(face, shown)
        canvas.text(left, top + (line - (down - up)) / 2, shown, face, ink)
    return canvas.image


def stacked(images: Sequence[Bitmap], gap: int = 0, paper: Color = PAPER) -> Bitmap:
    """Images one below the other, on paper as wide as the widest."""
    sheet = Canvas.blank((max(i.width for i in images), sum(i.height for i in images) + gap * (len(images) - 1)), paper)
    top = 0
    for image in images:
        sheet.image.paste(image, (0, top))
        top += image.height + gap
    return sheet.image
