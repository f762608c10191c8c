"""Draw the pictures of masks.md: `python docs/make_pictures.py` (writes docs/pictures/)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import maskcodec as mc

HERE = Path(__file__).with_name("pictures")
H, W, SCALE, GAP = 44, 60, 4, 14
PAPER, GRID, INK = (255, 255, 255), (240, 240, 240), (40, 40, 48)
BLUE, ORANGE, GREEN, RED = (66, 120, 190), (236, 150, 58), (70, 160, 100), (205, 70, 70)
FAINT = (218, 226, 236)
Layer = tuple[mc.Rle, tuple[int, int, int]]


def star(x: float, y: float, outer: float, inner: float, points: int = 5, turn: float = -90) -> mc.Rle:
    angles = np.deg2rad(turn + np.arange(2 * points) * 180 / points)
    reach = np.where(np.arange(2 * points) % 2, inner, outer)
    ring = np.stack([x + reach * np.cos(angles), y + reach * np.sin(angles)], 1)
    return mc.Rle.from_polygons([ring], (H, W))


def disc(x: float, y: float, r: float, shape: tuple[int, int] = (H, W)) -> mc.Rle:
    return mc.Rle.from_ellipse((x, y, r, r), shape)


STAR, DISC = star(24, 23, 19, 8), disc(40, 26, 12)
CHEESE = disc(26, 22, 18) - disc(20, 17, 5) - disc(33, 27, 4) - disc(27, 34, 2) | disc(52, 8, 4) | disc(53, 37, 1.6)


def panel(layers: list[Layer], shape: tuple[int, int] = (H, W), scale: int = SCALE) -> Image.Image:
    """One frame with its masks, each pixel a square."""
    ids = np.zeros(shape, np.uint8)
    for number, (mask, _) in enumerate(layers, 1):
        ids[mask.decode(dtype="bool")] = number
    palette = np.array([PAPER, *(color for _, color in layers)], np.uint8)
    pixels = palette[ids].repeat(scale, 0).repeat(scale, 1)
    lines = pixels[scale - 1 :: scale, :], pixels[:, scale - 1 :: scale]
    for line in lines:
        line[...] = np.where((line == PAPER).all(-1, keepdims=True), np.array(GRID, np.uint8), line)
    image = Image.fromarray(pixels)
    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, image.height - 1), outline=INK)
    return image


def row(name: str, *panels: Image.Image) -> None:
    """Panels side by side, in few colours, as one small PNG."""
    height = max(p.height for p in panels)
    sheet = Image.new("RGB", (sum(p.width for p in panels) + GAP * (len(panels) - 1), height), PAPER)
    x = 0
    for p in panels:
        sheet.paste(p, (x, (height - p.height) // 2))
        x += p.width + GAP
    sheet.quantize(64, dither=Image.Dither.NONE).save(HERE / f"{name}.png", optimize=True)


def outlines(image: Image.Image, rings: list[np.ndarray], color: tuple[int, int, int]) -> Image.Image:
    draw = ImageDraw.Draw(image)
    for ring in rings:
        points = [(float(x) * SCALE, float(y) * SCALE) for x, y in ring]
        draw.line([*points, points[0]], fill=color, width=2)
        for x, y in points:
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=color)
    return image


def on(base: mc.Rle, result: mc.Rle, color: tuple[int, int, int] = BLUE) -> list[Layer]:
    """The result over a faint shadow of what it was made from."""
    return [(base, FAINT), (result, color)]


def both(result: mc.Rle) -> Image.Image:
    return panel(on(STAR | DISC, result))


def change(result: mc.Rle, base: mc.Rle) -> Image.Image:
    """What stayed, what came, what went."""
    return panel([(base & result, BLUE), (result - base, GREEN), (base - result, RED)])


def sets() -> None:
    row("two", panel([(STAR, BLUE), (DISC, ORANGE), (STAR & DISC, GREEN)]))
    row("sets", *(both(r) for r in (STAR | DISC, STAR & DISC, STAR - DISC, STAR ^ DISC)))
    three = mc.RleArray.from_rles([disc(22, 17, 12), disc(37, 17, 12), disc(29.5, 29, 12)])
    union = three.merge()
    row("vote", *(panel(on(union, three.vote(k))) for k in (1, 2, 3)))


def shapes() -> None:
    ring = [6, 6, 54, 6, 54, 38, 12, 16, 50, 12, 10, 38]
    rules = [mc.Rle.from_polygons([ring], (H, W), rule=rule) for rule in ("coco", "even-odd", "non-zero")]
    row("polygons", *(panel([(mask, BLUE)]) for mask in rules))
    row("ellipse", panel([(mc.Rle.from_box((8, 8, 30, 20), (H, W)), ORANGE),
                          (mc.Rle.from_ellipse((38, 26, 19, 9), (H, W), rotation=25), BLUE)]))  # fmt: skip
    exact, loose = CHEESE.to_polygons(), CHEESE.to_polygons(tolerance=0.8)
    row("contours", *(outlines(panel([(CHEESE, FAINT)]), rings, RED) for rings in (exact, loose)))


def geometry() -> None:
    place: Callable[[mc.Rle], Image.Image] = lambda m: panel([(m, BLUE)], m.shape)  # noqa: E731
    row("crop", panel(on(STAR, STAR.crop((10, 8, 36, 40)).place(10, 8, (H, W)))), place(STAR.crop((10, 8, 36, 40))),
        place(STAR.crop((10, 8, 36, 40)).pad(left=6, top=3, right=6, bottom=3)))  # fmt: skip
    bitten = STAR - DISC
    row("turns", *(place(m) for m in (bitten, bitten.flip(), bitten.rot90(), bitten.transpose())))
    row("resize", place(STAR), place(STAR.resize((22, 30))), place(STAR.resize((22, 75))))
    small = star(9, 9, 9, 4).crop((0, 0, 19, 18))
    row("paste", panel(on(STAR, STAR.shift(18, 8))), panel([(DISC.paste(small, 32, 16), BLUE)]))


def neighbourhoods() -> None:
    row("dilate", *(change(STAR.dilate(3, kernel), STAR) for kernel in ("square", "cross", "disk")))
    row("erode", *(change(STAR.erode(2, kernel), STAR) for kernel in ("square", "cross", "disk")))
    rough = (CHEESE | mc.Rle.from_box((40, 20, 16, 2), (H, W))) - mc.Rle.from_box((8, 30, 20, 1.2), (H, W))
    opened, closed = rough.open(1.5, "disk"), rough.close(1.5, "disk")
    row("open-close", panel([(rough, BLUE)]), change(opened, rough), change(closed, rough))
    row("boundary", panel(on(STAR, STAR.boundary(1), RED)), panel(on(STAR, STAR.boundary(3), RED)))


def pieces() -> None:
    parts = CHEESE.components()
    row("components", panel([(m, c) for m, c in zip(parts, (BLUE, ORANGE, GREEN), strict=True)]),
        change(CHEESE.largest_component(), CHEESE), change(CHEESE.remove_small(20), CHEESE))  # fmt: skip
    row("holes", change(CHEESE.fill_holes(), CHEESE), change(CHEESE.fill_holes(max_area=60), CHEESE))


def label_maps() -> None:
    masks = mc.RleArray.from_rles([STAR, DISC, star(14, 34, 11, 5)])
    colors = np.array([PAPER, BLUE, ORANGE, GREEN], np.uint8)

    def painted(order: list[int]) -> Image.Image:
        labels = masks.to_label_map([1, 2, 3], order=order)
        _, split = mc.RleArray.from_label_map(labels)
        return panel([(m, tuple(c)) for m, c in zip(split, colors[1:].tolist(), strict=True)])

    row("label-maps", painted([0, 1, 2]), painted([2, 1, 0]))


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for draw in (sets, shapes, geometry, neighbourhoods, pieces, label_maps):
        draw()
