"""Slow, obvious oracles for the raster half of the core. Nothing here is shipped."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np

Point = tuple[float, float]


def runs_of(mask: np.ndarray) -> list[int]:
    """Canonical column-major runs of a mask, pixel by pixel."""
    counts: list[int] = []
    current, length = 0, 0
    for value in (mask != 0).T.ravel().tolist():
        if value != current:
            counts.append(length)
            current, length = value, 0
        length += 1
    counts.append(length)
    return counts


def mask_of(runs: np.ndarray | list[int], shape: tuple[int, int]) -> np.ndarray:
    """The mask of runs, (h, w) uint8."""
    runs = np.asarray(runs, dtype=np.int64)
    assert runs.sum() == shape[0] * shape[1]
    return np.repeat(np.arange(len(runs)) % 2, runs).astype(np.uint8).reshape(shape[1], shape[0]).T


def assert_canonical(runs: np.ndarray, shape: tuple[int, int]) -> None:
    assert runs.dtype == np.uint32
    assert int(runs.sum(dtype=np.uint64)) == shape[0] * shape[1]
    assert len(runs) >= 1
    assert (runs[1:] > 0).all()


def coco_walk(ring: list[Point], shape: tuple[int, int]) -> np.ndarray:
    """Section 1 of the rule: walk every edge point by point in the grid of fifths (needs no large coordinate)."""
    h, w = shape
    grid = [(int(5 * x + 0.5), int(5 * y + 0.5)) for x, y in ring]
    points: list[tuple[int, int]] = []
    for (xs, ys), (xe, ye) in zip(grid, grid[1:] + grid[:1], strict=True):
        dx, dy = abs(xe - xs), abs(ye - ys)
        flip = (dx >= dy and xs > xe) or (dx < dy and ys > ye)
        if flip:
            xs, ys, xe, ye = xe, ye, xs, ys
        if dx >= dy:
            s = (ye - ys) / dx if dx else 0.0
            edge = [(xs + t, int(ys + s * t + 0.5)) for t in range(dx + 1)]
        else:
            s = (xe - xs) / dy
            edge = [(int(xs + s * t + 0.5), ys + t) for t in range(dy + 1)]
        points += edge[::-1] if flip else edge
    flips = []
    for (u0, v0), (u1, v1) in zip(points, points[1:], strict=False):
        if u0 == u1:
            continue
        c = min(u0, u1)
        if (c - 2) % 5 or not 0 <= (c - 2) // 5 <= w - 1:
            continue
        y = ceil(min(max((min(v0, v1) + 0.5) / 5 - 0.5, 0), h))
        flips.append((c - 2) // 5 * h + y)
    flat = np.zeros(h * w + 1, dtype=np.int64)
    np.add.at(flat, flips, 1)
    return (np.cumsum(flat)[:-1] % 2).astype(np.uint8).reshape(w, h).T


def centre_fill(rings: list[list[Point]], shape: tuple[int, int], rule: str) -> np.ndarray:
    """The pixel-centre rules in exact arithmetic: crossings at or above the centre of each pixel."""
    h, w = shape
    out = np.zeros(shape, dtype=np.uint8)
    for column in range(w):
        cx = Fraction(2 * column + 1, 2)
        crossings = []
        for ring in rings:
            for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
                (xa, ya), (xb, yb), sign = (a, b, 1) if a[0] < b[0] else (b, a, -1)
                xa, ya, xb, yb = map(Fraction, (xa, ya, xb, yb))
                if xa <= cx < xb:
                    crossings.append((ya + (cx - xa) * (yb - ya) / (xb - xa), sign))
        for row in range(h):
            signs = [sign for y, sign in crossings if y <= Fraction(2 * row + 1, 2)]
            out[row, column] = len(signs) % 2 if rule == "even-odd" else sum(signs) != 0
    return out


def opencv_fill(rings: list[list[Point]], shape: tuple[int, int]) -> np.ndarray:
    """OpenCV's ``fillPoly`` as observed, in whole numbers: x in 1/65536 pixels, rows rounded."""
    out = np.zeros(shape, np.uint8)
    bottom, right = shape[0] - 1, shape[1] - 1
    edges = []

    def cut(a: list[int], b: list[int]) -> bool:
        """Moves the ends to the border, rows first, in double precision and towards where they were."""
        for axis, last in ((1, bottom), (0, right)):
            if max(a[0], b[0]) < 0 or min(a[0], b[0]) > right or max(a[1], b[1]) < 0 or min(a[1], b[1]) > bottom:
                return False
            for p, q in ((a, b), (b, a)):
                goal = min(max(p[axis], 0), last)
                if goal != p[axis]:
                    other = 1 - axis
                    p[other] += int(float(goal - p[axis]) * float(q[other] - p[other]) / float(q[axis] - p[axis]))
                    p[axis] = goal
        return True

    for ring in rings:
        fixed = [(round(x * 65536), (round(y * 65536) + 32768) // 65536) for x, y in ring]
        for (x0, y0), (x1, y1) in zip(fixed[-1:] + fixed, fixed, strict=False):
            a, b = [(x0 + 32768) // 65536, y0], [(x1 + 32768) // 65536, y1]
            before = [*a, *b]
            if cut(a, b):
                (ax, ay), (bx, by) = sorted([tuple(a), tuple(b)]) if a[0] != b[0] else (a, b)
                dx, dy = bx - ax, by - ay
                for t in range(max(dx, abs(dy)) + 1):
                    if dx >= abs(dy):
                        step = ceil(Fraction(abs(dy) * t, dx) - Fraction(1, 2)) if dx else 0
                        out[ay + (step if dy > 0 else -step), ax + t] = 1
                    else:
                        step = ceil(Fraction(dx * t, abs(dy)) - Fraction(1, 2))
                        out[ay + (t if dy > 0 else -t), ax + step] = 1
            if y0 == y1:
                continue
            inside = min(before[::2]) >= 0 and max(before[::2]) <= right
            inside = inside and min(before[1::2]) >= 0 and max(before[1::2]) <= bottom
            from_x, to_x = (x0, x1) if inside else (a[0] * 65536, b[0] * 65536)
            from_y, to_y = (y0, y1) if inside or a[1] == b[1] else (a[1], b[1])
            slope = int(Fraction(to_x - from_x, to_y - from_y))
            edges.append((min(y0, y1), max(y0, y1), from_x, from_y, slope))
    for row in range(shape[0]):
        at = sorted(x + (row - y) * slope for top, end, x, y, slope in edges if top <= row < end)
        for left, stop in zip(at[::2], at[1::2], strict=True):
            out[row, max(0, -(-left // 65536)) : max(0, stop // 65536 + 1)] = 1
    return out


def trace(mask: np.ndarray) -> list[list[tuple[int, int]]]:
    """Pixel-edge rings by following unit edges of the dense mask; foreground on the right, right turns at saddles."""
    h, w = mask.shape
    pad = np.pad(mask != 0, 1)
    edges: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for y in range(h):
        for x in range(w):
            if not pad[y + 1, x + 1]:
                continue
            for other, start, end in (
                (pad[y, x + 1], (x, y), (x + 1, y)),
                (pad[y + 1, x + 2], (x + 1, y), (x + 1, y + 1)),
                (pad[y + 2, x + 1], (x + 1, y + 1), (x, y + 1)),
                (pad[y + 1, x], (x, y + 1), (x, y)),
            ):
                if not other:
                    edges.setdefault(start, []).append(end)
    rings = []
    while edges:
        start = next(iter(edges))
        path = [start, edges[start].pop()]
        if not edges[start]:
            del edges[start]
        first = (path[0], path[1])
        while True:
            (px, py), (qx, qy) = path[-2:]
            dx, dy = qx - px, qy - py
            right = (qx - dy, qy + dx)
            ends = edges.get((qx, qy), [])
            if (qx, qy) == start and (not ends or (first[1] == right and right not in ends)):
                break
            step = right if right in ends else ends[0]
            ends.remove(step)
            if not ends:
                del edges[(qx, qy)]
            path.append(step)
        path.pop()
        n = len(path)
        corners = [
            path[i]
            for i in range(n)
            if not (path[i - 1][0] == path[i][0] == path[(i + 1) % n][0])
            and not (path[i - 1][1] == path[i][1] == path[(i + 1) % n][1])
        ]
        k = min(range(len(corners)), key=lambda i: (corners[i][1], corners[i][0]))
        rings.append(corners[k:] + corners[:k])
    return sorted(rings, key=lambda ring: (ring[0][1], ring[0][0]))


def bridge(rings: list[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    if not rings:
        return []
    out = list(rings[0])
    if len(rings) > 1:
        out.append(rings[0][0])
    for ring in rings[1:]:
        out += [*ring, ring[0], rings[0][0]]
    return out


def split(labels: np.ndarray) -> dict[int, list[int]]:
    """Canonical runs of every distinct value, by comparing the whole map with each."""
    return {int(v): runs_of(labels == v) for v in np.unique(labels)}


def signed_area(ring: list[tuple[int, int]]) -> float:
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, ring[1:] + ring[:1], strict=True)) / 2


def distance(p: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
    """From a point to a segment."""
    p_, a_, b_ = (np.array(v, dtype=float) for v in (p, a, b))
    along = b_ - a_
    length = float(along @ along)
    t = 0.0 if length == 0 else min(1.0, max(0.0, float((p_ - a_) @ along) / length))
    return float(np.hypot(*(p_ - a_ - t * along)))
