"""Slow, obvious oracles of neighbourhoods, holes, placing and ellipses."""

from __future__ import annotations

import numpy as np

from . import reference as ref


def kernel_offsets(kernel: str, radius: float) -> list[tuple[int, int]]:
    """(dy, dx) of the neighbourhood, as the documentation defines it."""
    r = int(radius)
    every = [(dy, dx) for dy in range(-r, r + 1) for dx in range(-r, r + 1)]
    if kernel == "square":
        return every
    if kernel == "cross":
        return [(dy, dx) for dy, dx in every if (dy == 0 or dx == 0) and abs(dy) + abs(dx) <= radius]
    return [(dy, dx) for dy, dx in every if dy * dy + dx * dx <= radius * radius]


def dilate(mask: np.ndarray, kernel: str, radius: float) -> np.ndarray:
    h, w = mask.shape
    out = np.zeros_like(mask)
    for dy, dx in kernel_offsets(kernel, radius):
        if abs(dy) < h and abs(dx) < w:
            here = out[max(0, -dy) : h - max(0, dy), max(0, -dx) : w - max(0, dx)]
            here |= mask[max(0, dy) : h + min(0, dy), max(0, dx) : w + min(0, dx)]
    return out


def erode(mask: np.ndarray, kernel: str, radius: float, border: bool = False) -> np.ndarray:
    r = int(radius) + 1
    around = np.pad(mask, r, constant_values=int(border))
    return 1 - dilate(1 - around, kernel, radius)[r:-r, r:-r]


def close(mask: np.ndarray, kernel: str, radius: float) -> np.ndarray:
    """Dilation, then erosion, on a plane without end."""
    r = 2 * int(radius) + 2
    return erode(dilate(np.pad(mask, r), kernel, radius), kernel, radius, border=True)[r:-r, r:-r]


def fill_holes(mask: np.ndarray, largest: int, connectivity: int) -> np.ndarray:
    """Background pieces that do not reach the frame, up to a size; they are connected the other way than the mask."""
    out = mask.copy()
    for piece in ref.components(1 - mask, 4 if connectivity == 8 else 8):
        edge = piece[0].any() or piece[-1].any() or piece[:, 0].any() or piece[:, -1].any()
        if not edge and piece.sum() <= largest:
            out |= piece
    return out


def place(mask: np.ndarray, x: int, y: int, shape: tuple[int, int]) -> np.ndarray:
    out = np.zeros(shape, mask.dtype)
    for row in range(mask.shape[0]):
        for column in range(mask.shape[1]):
            if 0 <= row + y < shape[0] and 0 <= column + x < shape[1]:
                out[row + y, column + x] = mask[row, column]
    return out


def ellipse(cx: float, cy: float, rx: float, ry: float, degrees: float, shape: tuple[int, int]) -> np.ndarray:
    """(x', y') of every pixel centre in the axes of the ellipse, squared and added: 1 on the outline."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    angle = np.deg2rad(degrees)
    u = (x - cx) * np.cos(angle) + (y - cy) * np.sin(angle)
    v = (y - cy) * np.cos(angle) - (x - cx) * np.sin(angle)
    return (u / rx) ** 2 + (v / ry) ** 2
