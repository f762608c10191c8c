"""Slow, obvious oracles: what every codec operation must give, written with Python integers and dense NumPy arrays.

Nothing here imports the library. Each function states one rule in the plainest way there is, so that a reader can check
it against the format descriptions by eye; none of it is meant to be fast.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any

import numpy as np

MAX_RUN = 2**32 - 1


# --- runs and masks ---------------------------------------------------------------------------------------------------
def canonical(runs: list[int]) -> list[int]:
    """The only spelling of these runs: no zero-length run but the first, no trailing one, `[0]` where there is none."""
    bits = [(i % 2, n) for i, n in enumerate(runs) if n]
    merged = [(value, sum(n for _, n in group)) for value, group in groupby(bits, key=lambda pair: pair[0])]
    if not merged:
        return [0]
    return ([0] if merged[0][0] == 1 else []) + [n for _, n in merged]


def flat_runs(flat: np.ndarray) -> list[int]:
    """Alternating runs, background first, of a flat array of zeros and ones."""
    runs, expected, length = [], 0, 0
    for value in flat:
        if int(value) != expected:
            runs.append(length)
            expected, length = 1 - expected, 0
        length += 1
    return [*runs, length]


def mask_to_runs(mask: np.ndarray, order: str = "F") -> list[int]:
    """Runs of a mask read column by column (`"F"`) or row by row (`"C"`)."""
    return flat_runs((np.asarray(mask) != 0).astype(np.uint8).flatten(order=order))  # type: ignore[arg-type]


def runs_to_mask(runs: list[int], shape: tuple[int, int], order: str = "F") -> np.ndarray:
    """The uint8 mask, C order, of valid runs."""
    flat = np.repeat(np.arange(len(runs), dtype=np.uint8) % 2, runs)
    return np.ascontiguousarray(flat.reshape(shape, order=order))  # type: ignore[call-overload]


# --- the compressed COCO string ---------------------------------------------------------------------------------------
def format_counts(runs: list[int], pad: int = 0) -> str:
    """Encode runs. `pad` more characters than needed are spent on every number (still the same value)."""
    text = ""
    for i, run in enumerate(runs):
        value = run - runs[i - 2] if i > 2 else run
        width = 1
        while not -(2 ** (5 * width - 1)) <= value < 2 ** (5 * width - 1):
            width += 1
        width = min(7, width + pad)
        for k in range(width):
            group = (value >> (5 * k)) & 31
            text += chr(48 + group + (32 if k < width - 1 else 0))
    return text


def parse_counts(text: str | bytes, pixels: int) -> list[int]:
    """Runs of a compressed string under the strict rules; ValueError for whatever breaks one of them."""
    codes = list(text) if isinstance(text, bytes) else [ord(c) for c in text]
    runs: list[int] = []
    at = 0
    while at < len(codes):
        value, used = 0, 0
        while True:
            if at >= len(codes):
                raise ValueError("the string ends inside a number")
            if used == 7:
                raise ValueError("a number of more than 7 characters")
            code = codes[at]
            if not 48 <= code <= 111:
                raise ValueError("a character outside 48..111")
            group = code - 48
            value |= (group & 31) << (5 * used)
            at, used = at + 1, used + 1
            if not group & 32:
                break
        if group & 16:
            value -= 1 << (5 * used)
        if len(runs) > 2:
            value += runs[-2]
        if not 0 <= value <= MAX_RUN:
            raise ValueError("a run outside 0..2^32-1")
        runs.append(value)
    if sum(runs) != pixels:
        raise ValueError("the runs do not cover the mask")
    return runs


# --- Hasty ------------------------------------------------------------------------------------------------------------
def hasty_pairs(mask: np.ndarray, box: tuple[int, int, int, int] | None = None) -> list[int]:
    """1-based (start, length) pairs, row by row, of the mask or of its crop `box` = (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box or (0, 0, mask.shape[1], mask.shape[0])
    pairs, position = [], 1
    for i, run in enumerate(mask_to_runs(mask[y0:y1, x0:x1], order="C")):
        if i % 2 and run:
            pairs += [position, run]
        position += run
    return pairs


def hasty_mask(
    pairs: list[int], shape: tuple[int, int], box: tuple[int, int, int, int] | None = None, strict: bool = True
) -> np.ndarray:
    """The mask of such pairs; ValueError for what the strict (or lenient) rules refuse."""
    x0, y0, x1, y1 = box or (0, 0, shape[1], shape[0])
    if len(pairs) % 2:
        raise ValueError("an odd number of values")
    crop = np.zeros((y1 - y0) * (x1 - x0), np.uint8)
    last_end = 0
    for start, length in zip(pairs[::2], pairs[1::2], strict=True):
        if start < 1 or length < (1 if strict else 0) or start - 1 + length > crop.size:
            raise ValueError("a pair outside the mask")
        if strict and start - 1 < last_end:
            raise ValueError("pairs out of order")
        last_end = start - 1 + length
        crop[start - 1 : last_end] = 1
    mask = np.zeros(shape, np.uint8)
    mask[y0:y1, x0:x1] = crop.reshape(y1 - y0, x1 - x0)
    return mask


# --- derived quantities -----------------------------------------------------------------------------------------------
def bbox(mask: np.ndarray) -> tuple[int, int, int, int]:
    """(x, y, width, height) of the foreground, zeros when there is none."""
    ys, xs = np.nonzero(mask)
    if not len(xs):
        return (0, 0, 0, 0)
    return (int(xs.min()), int(ys.min()), int(xs.max() - xs.min() + 1), int(ys.max() - ys.min() + 1))


def iou(dt: list[np.ndarray], gt: list[np.ndarray], crowd: list[int]) -> np.ndarray:
    """Intersection over union, (len(dt), len(gt)); over the area of the detection where the other is a crowd."""
    out = np.zeros((len(dt), len(gt)))
    for i, d in enumerate(dt):
        for j, g in enumerate(gt):
            inside = int(((d != 0) & (g != 0)).sum())
            over = int((d != 0).sum()) if crowd[j] else int(((d != 0) | (g != 0)).sum())
            out[i, j] = inside / over if inside else 0.0
    return out


def box_iou(dt: list[list[float]], gt: list[list[float]], crowd: list[int]) -> np.ndarray:
    """The same for boxes (x, y, width, height)."""
    out = np.zeros((len(dt), len(gt)))
    for i, (dx, dy, dw, dh) in enumerate(dt):
        for j, (gx, gy, gw, gh) in enumerate(gt):
            w = min(dx + dw, gx + gw) - max(dx, gx)
            h = min(dy + dh, gy + gh) - max(dy, gy)
            if w > 0 and h > 0:
                out[i, j] = w * h / (dw * dh if crowd[j] else dw * dh + gw * gh - w * h)
    return out


def split_labels(labels: np.ndarray, background: int = 0) -> dict[int, np.ndarray]:
    """One mask per id of a label map, without the background, by ascending id."""
    return {int(i): (labels == i).astype(np.uint8) for i in np.unique(labels) if i != background}


def paint(ids: list[int], masks: list[np.ndarray], shape: tuple[int, int]) -> np.ndarray:
    """Label map in which later masks cover earlier ones."""
    out = np.zeros(shape, np.int64)
    for i, mask in zip(ids, masks, strict=True):
        out[mask != 0] = i
    return out


# --- polygons ---------------------------------------------------------------------------------------------------------
def coco_fill(ring: list[float], shape: tuple[int, int]) -> np.ndarray:
    """The COCO rule walked point by point: scale by 5, keep the column crossings, toggle, take differences."""
    h, w = shape
    xs = [int(5 * v + 0.5) for v in ring[0::2]]
    ys = [int(5 * v + 0.5) for v in ring[1::2]]
    points: list[tuple[int, int]] = []
    for i in range(len(xs)):
        x0, y0, x1, y1 = xs[i], ys[i], xs[(i + 1) % len(xs)], ys[(i + 1) % len(xs)]
        dx, dy = abs(x1 - x0), abs(y1 - y0)
        if dx == dy == 0:
            continue
        swapped = x0 > x1 if dx >= dy else y0 > y1
        if swapped:
            x0, y0, x1, y1 = x1, y1, x0, y0
        if dx >= dy:
            walk = [(x0 + t, int(y0 + ((y1 - y0) / dx) * t + 0.5)) for t in range(dx + 1)]
        else:
            walk = [(int(x0 + ((x1 - x0) / dy) * t + 0.5), y0 + t) for t in range(dy + 1)]
        points += reversed(walk) if swapped else walk
    toggles = np.zeros(h * w + 1, np.int64)
    for (u0, v0), (u1, v1) in zip(points, points[1:], strict=False):
        if u0 == u1:
            continue
        x = (min(u0, u1) + 0.5) / 5 - 0.5
        if x != int(x) or not 0 <= x <= w - 1:
            continue
        y = min(max((min(v0, v1) + 0.5) / 5 - 0.5, 0), h)
        toggles[int(x) * h + int(np.ceil(y))] += 1
    return (np.cumsum(toggles[: h * w]) % 2).astype(np.uint8).reshape(w, h).T.copy()


def centre_fill(ring: list[float], shape: tuple[int, int], rule: str) -> np.ndarray:
    """Pixels whose centre is inside, by crossing parity (`"even-odd"`) or winding number (`"non-zero"`)."""
    points = list(zip(ring[0::2], ring[1::2], strict=True))
    out = np.zeros(shape, np.uint8)
    for row in range(shape[0]):
        for col in range(shape[1]):
            cx, cy, crossings, winding = col + 0.5, row + 0.5, 0, 0
            for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
                if (y0 <= cy) != (y1 <= cy) and x0 + (cy - y0) * (x1 - x0) / (y1 - y0) <= cx:
                    crossings += 1
                    winding += 1 if y1 > y0 else -1
            out[row, col] = crossings % 2 if rule == "even-odd" else winding != 0
    return out


# --- small helpers ----------------------------------------------------------------------------------------------------
def picture(*rows: str) -> np.ndarray:
    """A mask drawn with `.` and `#`, top row first."""
    return np.array([[c == "#" for c in row] for row in rows], np.uint8)


def flat_ring(ring: Any) -> list[float]:
    """A ring in any shape as one flat list of floats."""
    return [float(v) for v in np.asarray(ring, np.float64).reshape(-1)]


# --- geometry ---------------------------------------------------------------------------------------------------------
def pad(mask: np.ndarray, left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """More background around the mask, or less of it where a side is negative."""
    h, w = mask.shape
    out = np.zeros((h + top + bottom, w + left + right), np.uint8)
    for y in range(h):
        for x in range(w):
            if 0 <= y + top < out.shape[0] and 0 <= x + left < out.shape[1]:
                out[y + top, x + left] = mask[y, x]
    return out


def resize(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Nearest neighbour: the pixel under the centre of each new one."""
    ys = [(2 * i + 1) * mask.shape[0] // (2 * shape[0]) for i in range(shape[0])]
    xs = [(2 * i + 1) * mask.shape[1] // (2 * shape[1]) for i in range(shape[1])]
    return mask[np.ix_(ys, xs)]


def reach(radius: float, kernel: str) -> list[tuple[int, int]]:
    """Offsets (dy, dx) of a kernel."""
    r = int(radius)
    inside = {
        "square": lambda dy, dx: True,
        "cross": lambda dy, dx: dy == 0 or dx == 0,
        "disk": lambda dy, dx: dy * dy + dx * dx <= radius * radius,
    }[kernel]
    return [(dy, dx) for dy in range(-r, r + 1) for dx in range(-r, r + 1) if inside(dy, dx)]


def dilate(mask: np.ndarray, radius: float, kernel: str) -> np.ndarray:
    """Every pixel with foreground within the kernel."""
    h, w = mask.shape
    out = np.zeros_like(mask)
    for y, x in zip(*np.nonzero(mask), strict=True):
        for dy, dx in reach(radius, kernel):
            if 0 <= y + dy < h and 0 <= x + dx < w:
                out[y + dy, x + dx] = 1
    return out


def components(mask: np.ndarray, connectivity: int) -> list[np.ndarray]:
    """Connected pieces, by their first pixel in column order (flood fill)."""
    left, out = mask.copy(), []
    for x in range(mask.shape[1]):
        for y in range(mask.shape[0]):
            if not left[y, x]:
                continue
            piece, todo = np.zeros_like(mask), [(y, x)]
            while todo:
                py, px = todo.pop()
                if 0 <= py < mask.shape[0] and 0 <= px < mask.shape[1] and left[py, px]:
                    left[py, px], piece[py, px] = 0, 1
                    near = [(dy, dx) for dy, dx in reach(1, "square") if connectivity == 8 or 0 in (dy, dx)]
                    todo += [(py + dy, px + dx) for dy, dx in near]
            out.append(piece)
    return out
