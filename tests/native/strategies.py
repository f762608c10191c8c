"""Hypothesis strategies: masks in every layout, run lists, valid counts strings and strings with one edit."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from . import reference as ref

DTYPES = ["?", "u1", "i1", "<u2", ">u2", "<i2", ">i2", "<u4", ">u4", "<i4", ">i4", "<u8", ">u8", "<i8", ">i8"]
LAYOUTS = ["C", "F", "every-other", "reversed", "window", "unaligned", "readonly"]

shapes = st.tuples(st.integers(0, 21), st.integers(0, 21))


@st.composite
def binary_masks(draw: st.DrawFn, shape: tuple[int, int] | None = None, max_side: int = 21) -> np.ndarray:
    """C-ordered uint8 masks of zeros and ones: noise, blocks, everything, nothing."""
    side = st.integers(0, max_side)
    h, w = shape if shape is not None else (draw(side), draw(side))
    kind = draw(st.sampled_from(["noise", "noise", "blocks", "full", "empty"]))
    mask = np.zeros((h, w), np.uint8)
    if kind == "full":
        mask[:] = 1
    elif kind == "noise":
        seed, density = draw(st.integers(0, 2**32 - 1)), draw(st.sampled_from([0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98]))
        mask[:] = np.random.default_rng(seed).random((h, w)) < density
    elif kind == "blocks" and h and w:
        for _ in range(draw(st.integers(1, 4))):
            y, x = draw(st.integers(0, h - 1)), draw(st.integers(0, w - 1))
            mask[y : y + draw(st.integers(1, h)), x : x + draw(st.integers(1, w))] ^= 1
    return mask


def lay_out(values: np.ndarray, layout: str) -> np.ndarray:
    """The same values in another memory layout."""
    h, w = values.shape
    if layout == "C":
        return np.ascontiguousarray(values)
    if layout == "F":
        return np.asfortranarray(values)
    if layout == "every-other":
        big = np.ones((2 * h + 1, 3 * w + 1), values.dtype)
        view = big[: 2 * h : 2, : 3 * w : 3]
    elif layout == "reversed":
        view = np.ones((h, w), values.dtype)[::-1, ::-1]
    elif layout == "window":
        view = np.ones((h + 3, w + 5), values.dtype, order="F")[1 : h + 1, 2 : w + 2]
    elif layout == "unaligned":
        raw = np.zeros(values.size * values.itemsize + 1, np.uint8)
        view = raw[1:].view(values.dtype).reshape(h, w) if values.size else np.empty((h, w), values.dtype)
    else:
        view = np.empty((h, w), values.dtype)
    view[...] = values
    if layout == "readonly":
        view.flags.writeable = False
    return view


@st.composite
def arrays(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A pair: some integer or boolean array in any layout, and the C-ordered 0/1 mask that it means."""
    mask = draw(binary_masks())
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    values = mask.astype(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        wide = 256 if info.max > 255 else 3
        palette = np.array([1, 2, min(255, info.max), info.max, wide, info.min or 7], dtype)
        picks = np.random.default_rng(draw(st.integers(0, 999))).integers(0, len(palette), mask.shape)
        values = np.where(mask, palette[picks], np.zeros((), dtype)).astype(dtype)
    return lay_out(values, draw(st.sampled_from(LAYOUTS))), mask


@st.composite
def run_lists(draw: st.DrawFn, max_side: int = 12) -> tuple[list[int], tuple[int, int]]:
    """Valid runs, zero-length ones anywhere, and the shape they fill."""
    shape = (draw(st.integers(0, max_side)), draw(st.integers(0, max_side)))
    left = shape[0] * shape[1]
    runs: list[int] = []
    while left and len(runs) < 60:
        run = draw(st.integers(0, min(left, 40)))
        runs.append(run)
        left -= run
    if left or not runs:
        runs.append(left)
    return runs + [0] * draw(st.integers(0, 3)), shape


@st.composite
def strings(draw: st.DrawFn) -> tuple[str, tuple[int, int]]:
    """Valid strings, some with longer spellings than needed."""
    runs, shape = draw(run_lists())
    return ref.format_counts(runs, pad=draw(st.integers(0, 6))), shape


@st.composite
def edited_strings(draw: st.DrawFn) -> tuple[bytes, tuple[int, int]]:
    """A valid string after one edit, which often makes it invalid."""
    text, shape = draw(strings())
    data = bytearray(text.encode("ascii"))
    code = draw(st.one_of(st.integers(0, 255), st.integers(48, 111)))
    at = draw(st.integers(0, len(data)))
    edit = draw(st.sampled_from(["insert", "replace", "delete", "cut", "none"]))
    if edit == "insert":
        data.insert(at, code)
    elif edit == "cut":
        del data[at:]
    elif at < len(data) and edit == "replace":
        data[at] = code
    elif at < len(data) and edit == "delete":
        del data[at]
    return bytes(data), shape


@st.composite
def rings(draw: st.DrawFn, low: float = -6, high: float = 26, max_points: int = 12) -> list[float]:
    """Rings of any form: fractional, repeated, far outside, on the fifth-of-a-pixel grid or anywhere."""
    kind = draw(st.sampled_from(["any", "fifths", "whole", "far"]))
    if kind == "any":
        number = st.floats(low, high, allow_nan=False)
    elif kind == "fifths":
        number = st.integers(int(low * 10), int(high * 10)).map(lambda v: v / 10)
    elif kind == "whole":
        number = st.integers(int(low), int(high)).map(float)
    else:
        number = st.floats(-300, 300, allow_nan=False)
    points = draw(st.lists(st.tuples(number, number), min_size=3, max_size=max_points))
    if draw(st.booleans()):
        points.insert(draw(st.integers(0, len(points))), draw(st.sampled_from(points)))
    return [v for point in points for v in point]
