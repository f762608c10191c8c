"""Neighbourhoods, components and geometry on runs against slow dense oracles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc

from . import morph_reference as slow
from . import reference as ref
from . import strategies as own

radii = st.sampled_from([0, 1, 1.5, 2, 2.3, 3, 5, 30])
kernels = st.sampled_from(["square", "cross", "disk"])
masks = own.binary_masks(max_side=13)
connectivity = st.sampled_from([4, 8])


def rle_of(mask: np.ndarray) -> mc.Rle:
    return mc.Rle.from_mask(mask)


def same(rle: mc.Rle, dense: np.ndarray) -> bool:
    """Equal, and canonical."""
    return rle.shape == dense.shape and rle.runs.tolist() == ref.mask_to_runs(dense)


# --- neighbourhoods ---------------------------------------------------------------------------------------------------
@given(masks, kernels, radii)
def test_dilate(mask: np.ndarray, kernel: str, radius: float) -> None:
    assert same(rle_of(mask).dilate(radius, kernel), slow.dilate(mask, kernel, radius))


@given(masks, kernels, radii, st.booleans())
def test_erode(mask: np.ndarray, kernel: str, radius: float, border: bool) -> None:
    assert same(rle_of(mask).erode(radius, kernel, border), slow.erode(mask, kernel, radius, border))


@given(masks, kernels, st.sampled_from([0, 1, 1.5, 2, 3]))
def test_open_and_close(mask: np.ndarray, kernel: str, radius: float) -> None:
    opened, closed = rle_of(mask).open(radius, kernel), rle_of(mask).close(radius, kernel)
    assert same(opened, slow.dilate(slow.erode(mask, kernel, radius), kernel, radius))
    assert same(closed, slow.close(mask, kernel, radius))
    assert (opened - rle_of(mask)).area == 0
    assert (rle_of(mask) - closed).area == 0


@given(masks, st.integers(1, 4))
def test_boundary(mask: np.ndarray, width: int) -> None:
    dense = mask & (1 - slow.erode(mask, "square", width))
    assert same(rle_of(mask).boundary(width), dense)
    assert mc.RleArray.from_rles([rle_of(mask)] * 2).boundaries(width)[1] == rle_of(dense)


@given(st.data(), own.shapes, st.floats(0.01, 0.3))
def test_boundary_iou(data: st.DataObject, shape: tuple[int, int], ratio: float) -> None:
    a, b = ([data.draw(own.binary_masks(shape)) for _ in range(2)] for _ in range(2))
    width = max(1, round(ratio * (shape[0] ** 2 + shape[1] ** 2) ** 0.5))
    edges = [[m & (1 - slow.erode(m, "square", width)) for m in side] for side in (a, b)]
    expected = np.minimum(ref.iou(a, b, [0, 1]), ref.iou(*edges, [0, 1]))
    ours = [mc.RleArray.from_masks(side) for side in (a, b)]
    for threads in (1, 2, 5):
        assert np.array_equal(ours[0].boundary_iou(ours[1], ratio, crowd=[0, 1], threads=threads), expected)


@pytest.mark.parametrize("radius", [-1, -0.5, float("nan"), float("inf")])
@pytest.mark.parametrize("operation", ["dilate", "erode", "open", "close"])
def test_impossible_radii(operation: str, radius: float) -> None:
    mask = rle_of(np.eye(5, dtype=np.uint8))
    with pytest.raises(ValueError):
        getattr(mask, operation)(radius)


def test_an_unknown_kernel() -> None:
    with pytest.raises(ValueError):
        rle_of(np.eye(5, dtype=np.uint8)).dilate(1, "diamond")


# --- components -------------------------------------------------------------------------------------------------------
@given(masks, connectivity)
def test_components(mask: np.ndarray, how: int) -> None:
    expected = ref.components(mask, how)
    assert [part.runs.tolist() for part in rle_of(mask).components(how)] == [ref.mask_to_runs(m) for m in expected]


@given(masks, connectivity, st.integers(-1, 30))
def test_small_and_largest(mask: np.ndarray, how: int, smallest: int) -> None:
    parts = ref.components(mask, how)
    kept = sum((p for p in parts if p.sum() >= smallest), np.zeros_like(mask))
    assert same(rle_of(mask).remove_small(smallest, how), kept)
    largest = max(parts, key=lambda p: int(p.sum()), default=np.zeros_like(mask))
    assert same(rle_of(mask).largest_component(how), largest)


@given(masks, connectivity, st.one_of(st.none(), st.integers(0, 20)))
def test_fill_holes(mask: np.ndarray, how: int, largest: int | None) -> None:
    expected = slow.fill_holes(mask, 10**9 if largest is None else largest, how) if mask.size else mask
    assert same(rle_of(mask).fill_holes(largest, how), expected)


def test_an_unknown_connectivity() -> None:
    for call in ("components", "largest_component", "fill_holes"):
        with pytest.raises(ValueError):
            getattr(rle_of(np.eye(3, dtype=np.uint8)), call)(connectivity=6)


# --- points and moments -----------------------------------------------------------------------------------------------
@given(masks)
def test_centroid(mask: np.ndarray) -> None:
    ys, xs = np.nonzero(mask)
    ours = rle_of(mask).centroid
    if not len(xs):
        assert ours is None
    else:
        assert ours == pytest.approx(((xs + 0.5).mean(), (ys + 0.5).mean()), rel=1e-14)


@given(masks, st.lists(st.tuples(st.floats(-3, 16), st.floats(-3, 16)), max_size=20))
def test_contains(mask: np.ndarray, points: list[tuple[float, float]]) -> None:
    h, w = mask.shape
    expected = [0 <= x < w and 0 <= y < h and bool(mask[int(y), int(x)]) for x, y in points]
    assert rle_of(mask).contains(np.array(points).reshape(-1, 2)).tolist() == expected
    for point, hit in zip(points, expected, strict=True):
        assert rle_of(mask).contains(point) is hit


# --- several masks ----------------------------------------------------------------------------------------------------
@given(st.data(), own.shapes, st.integers(1, 6))
def test_vote_and_merge(data: st.DataObject, shape: tuple[int, int], count: int) -> None:
    stack = np.array([data.draw(own.binary_masks(shape)) for _ in range(count)])
    array = mc.RleArray.from_masks(stack)
    for k in range(1, count + 2):
        assert same(array.vote(k), (stack.sum(0) >= k).astype(np.uint8))
    assert same(array.merge(), stack.max(0))
    assert same(array.merge(intersect=True), stack.min(0))


@given(st.data(), own.shapes)
def test_intersection_area(data: st.DataObject, shape: tuple[int, int]) -> None:
    a, b = data.draw(own.binary_masks(shape)), data.draw(own.binary_masks(shape))
    assert rle_of(a).intersection_area(rle_of(b)) == int((a & b).sum())


# --- geometry ---------------------------------------------------------------------------------------------------------
@given(masks, st.data())
def test_crop(mask: np.ndarray, data: st.DataObject) -> None:
    h, w = mask.shape
    x0, y0 = data.draw(st.integers(0, w)), data.draw(st.integers(0, h))
    x1, y1 = data.draw(st.integers(x0, w)), data.draw(st.integers(y0, h))
    assert same(rle_of(mask).crop((x0, y0, x1, y1)), mask[y0:y1, x0:x1])
    assert np.array_equal(rle_of(mask).decode(window=(x0, y0, x1, y1)), mask[y0:y1, x0:x1])
    array = mc.RleArray.from_masks([mask, mask])
    assert list(array.crop((x0, y0, x1, y1), threads=2)) == [rle_of(mask[y0:y1, x0:x1])] * 2
    with pytest.raises(ValueError):
        array.crop((0, 0, w + 1, h))


offsets = st.one_of(st.integers(-16, 16), st.sampled_from([2**40, -(2**40), 2**62, -(2**62)]))


@given(masks, offsets, offsets, own.shapes)
def test_place_and_shift(mask: np.ndarray, x: int, y: int, shape: tuple[int, int]) -> None:
    assert same(rle_of(mask).place(x, y, shape), slow.place(mask, x, y, shape))
    assert same(rle_of(mask).shift(x, y), slow.place(mask, x, y, mask.shape))
    assert mc.RleArray.from_masks([mask]).shift(x, y)[0] == rle_of(mask).shift(x, y)


@given(masks, masks, st.integers(-16, 16), st.integers(-16, 16))
def test_paste(mask: np.ndarray, other: np.ndarray, x: int, y: int) -> None:
    covered = slow.place(np.ones_like(other), x, y, mask.shape)
    expected = np.where(covered, slow.place(other, x, y, mask.shape), mask)
    assert same(rle_of(mask).paste(rle_of(other), x, y), expected)


@given(masks, *[st.integers(-5, 5)] * 4)
def test_pad(mask: np.ndarray, left: int, top: int, right: int, bottom: int) -> None:
    shape = (mask.shape[0] + top + bottom, mask.shape[1] + left + right)
    array = mc.RleArray.from_masks([mask, mask])
    if min(shape) < 0:
        for thing in (rle_of(mask), array):
            with pytest.raises(ValueError):
                thing.pad(left, top, right, bottom)
        return
    expected = slow.place(mask, left, top, shape)
    assert same(rle_of(mask).pad(left, top, right, bottom), expected)
    assert list(array.pad(left, top, right, bottom, threads=2)) == [rle_of(expected)] * 2


@given(masks, st.integers(-5, 5))
def test_turns(mask: np.ndarray, k: int) -> None:
    rle, array = rle_of(mask), mc.RleArray.from_masks([mask])
    assert same(rle.flip("horizontal"), mask[:, ::-1])
    assert same(rle.flip("vertical"), mask[::-1])
    assert array.flip("horizontal")[0] == rle.flip("horizontal")
    assert array.flip("vertical")[0] == rle.flip("vertical")
    assert same(rle.rot90(k), np.rot90(mask, k))
    assert same(rle.transpose(), mask.T)
    for thing in (rle, array):
        with pytest.raises(ValueError):
            thing.flip("sideways")


@given(masks, own.shapes, st.sampled_from("CF"))
def test_resize(mask: np.ndarray, shape: tuple[int, int], order: str) -> None:
    array = mc.RleArray.from_masks([mask, mask])
    if not mask.size and shape[0] * shape[1]:
        for thing in (rle_of(mask), array):
            with pytest.raises(ValueError):
                thing.resize(shape)
        return
    expected = ref.resize(mask, shape) if mask.size else np.zeros(shape, np.uint8)
    assert same(rle_of(mask).resize(shape), expected)
    assert list(array.resize(shape, threads=2)) == [rle_of(expected)] * 2
    assert np.array_equal(rle_of(mask).decode(size=shape, order=order), expected)
    assert np.array_equal(array.decode(size=shape, order=order), np.array([expected, expected]))
    out = np.full(shape, 7, np.uint8)
    assert rle_of(mask).decode(out, size=shape) is out
    assert np.array_equal(out, expected)
    if expected.size:
        assert np.array_equal(rle_of(mask).decode(size=shape, window=(0, 0, 1, shape[0])), expected[:, :1])


def test_masks_of_different_sizes_are_decoded_at_one_size() -> None:
    array = mc.RleArray.from_masks([np.ones((2, 3), np.uint8), np.eye(4, dtype=np.uint8)])
    assert array.decode(size=(4, 4)).sum((1, 2)).tolist() == [16, 4]


# Numbers that keep the outline off pixel centres by more than rounding: on it, a convention decides.
@given(st.floats(-3, 20), st.floats(-3, 20), st.floats(0.1, 15), st.floats(0.1, 15), st.floats(-400, 400))
def test_ellipse(cx: float, cy: float, rx: float, ry: float, degrees: float) -> None:
    value = slow.ellipse(cx, cy, rx, ry, degrees, (17, 19))
    ours = mc.Rle.from_ellipse((cx, cy, rx, ry), (17, 19), degrees).decode()
    clear = abs(value - 1) > 1e-6
    assert np.array_equal(ours[clear], (value <= 1)[clear])
