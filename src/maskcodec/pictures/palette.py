"""Colours that can be told apart, the same in every run and on every machine."""

from __future__ import annotations

import zlib
from functools import lru_cache
from math import cos, pi, sin
from typing import Any

from maskcodec.model.annotations import Annotation
from maskcodec.model.schema import LabelSchema

__all__ = ["NO_CATEGORY", "PALETTE", "Color", "Colors", "color", "height_colors", "ink_on", "lightness"]

Color = tuple[int, int, int]
NO_CATEGORY: Color = (190, 190, 190)

# Each was chosen as the one furthest (in Oklab) from those chosen before, among colours neither too dark nor too pale
# to be seen on a photograph; then sorted so that the first ones are the strongest.
PALETTE: tuple[Color, ...] = (
    (30, 120, 255), (255, 165, 60), (225, 0, 15), (0, 240, 255), (165, 30, 180), (180, 240, 0), (0, 120, 60),
    (255, 120, 195), (150, 90, 0), (45, 195, 120), (105, 90, 165), (255, 210, 0), (225, 30, 135), (0, 150, 180),
    (225, 120, 255), (150, 150, 0), (255, 120, 105), (90, 60, 225), (45, 255, 180), (165, 60, 90), (150, 165, 255),
    (0, 165, 0), (195, 120, 150), (60, 195, 255), (150, 90, 255), (195, 225, 150), (195, 135, 75), (255, 195, 255),
    (0, 105, 165), (90, 210, 0), (165, 120, 210), (180, 195, 30),
)  # fmt: skip

# From low to high: violet, blue, teal, green, yellow; lightness rises all the way.
_HEIGHTS: tuple[Color, ...] = ((92, 88, 208), (52, 132, 214), (38, 178, 164), (132, 212, 92), (254, 236, 84))


@lru_cache(1 << 16)  # data sets of thousands of categories look through them for each picture
def color(index: int) -> Color:
    """A colour for a number: from the list, beyond it by the golden angle in three lightnesses.

    Example:
        >>> color(0), color(0) == color(0), len({color(i) for i in range(200)})
        ((30, 120, 255), True, 200)
    """
    if index < len(PALETTE):
        return PALETTE[index]
    beyond = index - len(PALETTE)
    hue = beyond * pi * (3 - 5**0.5)
    light, chroma = ((0.74, 0.13), (0.58, 0.15), (0.86, 0.10))[beyond % 3]
    return _from_oklch(light, chroma * (1 - 0.04 * (beyond // 3 % 6)), hue)


def _from_oklch(light: float, chroma: float, hue: float) -> Color:
    """Oklab (B. Ottosson, 2020) to sRGB, cut to what a screen can show."""
    a, b = chroma * cos(hue), chroma * sin(hue)
    l, m, s = (  # noqa: E741
        (light + p * a + q * b) ** 3
        for p, q in ((0.3963377774, 0.2158037573), (-0.1055613458, -0.0638541728), (-0.0894841775, -1.2914855480))
    )
    linear = (
        4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
        -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
        -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s,
    )
    r, g, b = (
        round(255 * min(max(12.92 * v if v <= 0.0031308 else 1.055 * v ** (1 / 2.4) - 0.055, 0.0), 1.0)) for v in linear
    )
    return r, g, b


def _luminance(rgb: Color) -> float:
    r, g, b = ((v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4) for v in (c / 255 for c in rgb))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def lightness(rgb: Color) -> float:
    """CIE lightness, 0 (black) to 100 (white)."""
    y = _luminance(rgb)
    return float(116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y)


def ink_on(background: Color) -> Color:
    """Black or white, whichever reads better on this colour (contrast of WCAG 2)."""
    y = _luminance(background)
    return (0, 0, 0) if (y + 0.05) / 0.05 > 1.05 / (y + 0.05) else (255, 255, 255)


def height_colors(count: int = 256) -> list[Color]:
    """A scale for numbers from low to high."""
    out: list[Color] = []
    for i in range(count):
        at = i * (len(_HEIGHTS) - 1) / max(count - 1, 1)
        k = min(int(at), len(_HEIGHTS) - 2)
        low, high, t = _HEIGHTS[k], _HEIGHTS[k + 1], at - k
        r, g, b = (round(x + (y - x) * t) for x, y in zip(low, high, strict=True))
        out.append((r, g, b))
    return out


def _number(value: Any) -> int:
    """A number for any id, the same in every process."""
    if type(value) is int and value >= 0:
        return value % 4096
    return zlib.crc32(str(value).encode("utf-8", "surrogatepass")) % 4096


class Colors:
    """Which annotation has which colour.

    Args:
        schema: colours of its categories are taken where they can be seen (lightness 15 to 96, not transparent) and no
            category before has the same; the others get one of the palette by their position.
        by: "category"; "instance": each annotation of a picture its own; "track": each track its own.

    Example:
        >>> from maskcodec import Category
        >>> made = Colors(LabelSchema([Category(1, "cat", (200, 60, 20)), Category(2, "dog", (0, 0, 0))]))
        >>> made.category(1), made.category(2) == color(1), made.category(None) == NO_CATEGORY
        ((200, 60, 20), True, True)
    """

    def __init__(self, schema: LabelSchema | None = None, by: str = "category") -> None:
        if by not in ("category", "instance", "track"):
            raise ValueError(f"colors: expected 'category', 'instance' or 'track', got {by!r}")
        self.by = by
        self.schema = schema or LabelSchema()
        self._table: dict[Any, Color] = {}
        taken: set[Color] = set()
        waiting = []
        for at, category in enumerate(self.schema):
            own = _visible(category.color)
            if own is None or own in taken:
                waiting.append((at, category.id))
                continue
            taken.add(own)
            self._table.setdefault(category.id, own)
        for at, category_id in waiting:
            step = at
            while color(step) in taken and step < at + len(PALETTE):
                step += 1
            taken.add(color(step))
            self._table.setdefault(category_id, color(step))

    def category(self, category_id: Any) -> Color:
        """Colour of a category, of the schema or not."""
        if category_id is None:
            return NO_CATEGORY
        found = self._table.get(category_id)
        return color(len(self.schema) + _number(category_id)) if found is None else found

    def of(self, annotation: Annotation, position: int) -> Color:
        """Colour of an annotation that stands at this position in its item."""
        if self.by == "instance":
            return color(position)
        if self.by == "track":
            return NO_CATEGORY if annotation.track_id is None else color(_number(annotation.track_id))
        return self.category(annotation.category_id)

    def name(self, category_id: Any) -> str:
        """Name of a category; its id where the schema does not know it."""
        if category_id is None:
            return ""
        return self.schema.by_id(category_id).name if category_id in self.schema else f"[{category_id}]"


def _visible(found: tuple[int, ...] | None) -> Color | None:
    if found is None or len(found) not in (3, 4) or not all(0 <= c <= 255 for c in found):
        return None
    if len(found) == 4 and not found[3]:
        return None
    rgb = (int(found[0]), int(found[1]), int(found[2]))
    return rgb if 15 <= lightness(rgb) <= 96 else None
