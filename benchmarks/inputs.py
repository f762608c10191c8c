"""Inputs of the benchmark cells: made from fixed seeds, the same on every machine."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw

SIZES = [(480, 640), (1080, 1920), (4096, 4096)]
KINDS = ["one object", "blobs", "salt and pepper 5%"]


def outline(rng: np.random.Generator, x: float, y: float, radius: float, vertices: int) -> np.ndarray:
    """A star-shaped outline, float64 (vertices, 2)."""
    angles = np.sort(rng.uniform(0, 2 * np.pi, vertices))
    reach = radius * rng.uniform(0.6, 1.0, vertices)
    return np.stack([x + reach * np.cos(angles), y + reach * np.sin(angles)], 1)


def draw(shape: tuple[int, int], rings: list[np.ndarray]) -> np.ndarray:
    image = Image.new("L", (shape[1], shape[0]))
    for ring in rings:
        ImageDraw.Draw(image).polygon([tuple(point) for point in ring.tolist()], fill=1)
    return np.array(image, np.uint8)


@lru_cache(maxsize=4)
def mask(kind: str, shape: tuple[int, int]) -> np.ndarray:
    """C-ordered uint8 mask of zeros and ones."""
    rng = np.random.default_rng(shape[0] * 7 + KINDS.index(kind))
    if kind == "one object":
        return draw(shape, [outline(rng, shape[1] * 0.45, shape[0] * 0.5, shape[0] * 0.12, 40)])
    coarse = Image.fromarray(rng.random((16, 16 * shape[1] // shape[0])).astype(np.float32))
    smooth = np.asarray(coarse.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))
    out = (smooth > np.quantile(smooth[::7, ::7], 0.65)).astype(np.uint8)
    if kind.startswith("salt"):
        out ^= (rng.random(shape, dtype=np.float32) < 0.05).astype(np.uint8)
    return out


@lru_cache(maxsize=2)
def label_image(shape: tuple[int, int], objects: int = 50) -> np.ndarray:
    """uint32 label image: outlines painted over each other."""
    rng = np.random.default_rng(objects)
    image = Image.new("I", (shape[1], shape[0]))
    side = min(shape) / np.sqrt(objects) * 1.1
    for index in range(objects):
        ring = outline(rng, rng.uniform(0, shape[1]), rng.uniform(0, shape[0]), side, 40)
        ImageDraw.Draw(image).polygon([tuple(point) for point in ring.tolist()], fill=index + 1)
    return np.array(image, np.int32).astype(np.uint32)


@lru_cache(maxsize=1)
def coco_like_rings() -> list[list[float]]:
    """939 flat rings of 480 x 640 images with the vertex counts of hand-drawn COCO outlines (21 on average)."""
    rng = np.random.default_rng(939)
    counts = np.clip(rng.gamma(1.7, 12.5, 939).astype(int), 4, 120)
    out = []
    for n in counts:
        ring = outline(rng, rng.uniform(0, 640), rng.uniform(0, 480), rng.gamma(1.5, 40) + 4, int(n))
        out.append(np.round(ring, 2).reshape(-1).tolist())
    return out


def circle(shape: tuple[int, int], vertices: int, smooth: bool) -> list[float]:
    """One outline that fills most of the image; its radius wanders within 2 %, or jumps by up to 40 %."""
    rng = np.random.default_rng(0)
    ring = outline(rng, 0, 0, 1, vertices)
    if smooth:
        ring *= (rng.uniform(0.98, 1, vertices) / np.hypot(*ring.T))[:, None]
    return (ring * min(shape) * 0.48 + (shape[1] / 2, shape[0] / 2)).reshape(-1).tolist()


@lru_cache(maxsize=1)
def octagons() -> list[list[float]]:
    rng = np.random.default_rng(8)
    return [outline(rng, *rng.uniform((0, 0), (640, 480)), 25, 8).reshape(-1).tolist() for _ in range(1000)]


@lru_cache(maxsize=4)
def outlines(count: int, shape: tuple[int, int], dense: bool, seed: int = 0) -> list[np.ndarray]:
    """Rings of overlapping objects: on a grid (each meets one of another call) or all in the middle."""
    rng = np.random.default_rng(seed)
    columns = int(np.ceil(np.sqrt(count * shape[1] / shape[0])))
    step = shape[1] / columns
    out = []
    for index in range(count):
        if dense:
            x, y = rng.uniform(0.45, 0.55, 2) * (shape[1], shape[0])
            radius = min(shape) * 0.17  # about 820 runs at 1080 x 1920
        else:
            x, y = (index % columns + 0.5) * step, (index // columns + 0.5) * step
            radius = step * 0.48
        out.append(outline(rng, x, y, radius, 40).reshape(-1))
    return out


def boxes(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.uniform(0, 1500, (count, 2)), rng.uniform(5, 400, (count, 2))], 1)


def ids(shape: tuple[int, int]) -> np.ndarray:
    """uint32 24-bit ids in large areas."""
    return label_image(shape) * np.uint32(65_793 * 3)
