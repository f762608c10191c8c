"""`maskcodec.compat.mask` against pycocotools: same results bit for bit, same types, dtypes and memory order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as theirs

from maskcodec.compat import mask as ours

from . import reference as ref
from . import strategies as own
from .real_masks import REASON, SAMPLES, segmentations

# pycocotools' own arrays trip over NumPy 2
pytestmark = pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")


def assert_identical(got: Any, expected: Any) -> None:
    """Equal values in equal containers; arrays also with equal dtype, shape and memory order."""
    assert type(got) is type(expected)
    if isinstance(expected, dict):
        assert list(got) == list(expected)
        for key, value in expected.items():
            assert_identical(got[key], value)
    elif isinstance(expected, list):
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            assert_identical(one, other)
    elif isinstance(expected, np.ndarray):
        assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
        assert got.flags.f_contiguous == expected.flags.f_contiguous
        assert got.flags.c_contiguous == expected.flags.c_contiguous
        assert got.flags.writeable == expected.flags.writeable
        assert got.tobytes(order="A") == expected.tobytes(order="A")
    else:
        assert got == expected
        assert np.asarray(got).dtype == np.asarray(expected).dtype


def random_masks(count: int, seed: int) -> list[np.ndarray]:
    """Fortran-ordered masks of many sizes: noise, smooth blobs, rectangles, empty and full ones."""
    rng = np.random.default_rng(seed)
    out = []
    for index in range(count):
        h, w = rng.integers(1, 48, 2)
        kind = index % 5
        if kind == 0:
            mask = rng.random((h, w)) < rng.random()
        elif kind == 1:
            noise = rng.random((h + 8, w + 8)).cumsum(0).cumsum(1)
            smooth = noise[8:, 8:] - noise[:-8, 8:] - noise[8:, :-8] + noise[:-8, :-8]
            mask = smooth > np.median(smooth)
        elif kind == 2:
            mask = np.zeros((h, w), bool)
            mask[rng.integers(h) :, rng.integers(w) :] = True
        else:
            mask = np.full((h, w), kind == 3 and index % 2 == 0)
            mask[rng.integers(h), rng.integers(w)] ^= True
        out.append(np.asfortranarray(mask, dtype=np.uint8))
    return out


def random_ring(rng: np.random.Generator, index: int) -> list[float]:
    """Rings inside, outside and across the frame; whole, half, fifth and free coordinates."""
    points = rng.uniform(-15, 65, (int(rng.integers(3, 30)), 2))
    if index % 4 == 1:
        points = np.round(points)
    elif index % 4 == 2:
        points = np.round(points * 10) / 10
    elif index % 4 == 3:
        points[rng.integers(len(points))] *= 40
    return points.reshape(-1).tolist()


# --- differential -----------------------------------------------------------------------------------------------------
def test_a_thousand_masks_one_by_one() -> None:
    for mask in random_masks(1000, 1):
        rle = theirs.encode(mask)
        assert_identical(ours.encode(mask), rle)
        assert_identical(ours.encode(mask.astype(bool, order="F")), theirs.encode(mask.astype(bool, order="F")))
        assert_identical(ours.decode(rle), theirs.decode(rle))
        assert_identical(ours.area(rle), theirs.area(rle))
        assert_identical(ours.toBbox(rle), theirs.toBbox(rle))
        text = {"size": rle["size"], "counts": rle["counts"].decode()}
        assert_identical(ours.decode(text), theirs.decode(text))


def test_stacks() -> None:
    rng = np.random.default_rng(2)
    for _ in range(60):
        h, w, n = rng.integers(1, 20, 3)
        stack = np.asfortranarray(rng.random((h, w, n)) < rng.random(), dtype=np.uint8)
        rles = theirs.encode(stack)
        assert_identical(ours.encode(stack), rles)
        assert_identical(ours.decode(rles), theirs.decode(rles))
        assert_identical(ours.area(rles), theirs.area(rles))
        assert_identical(ours.toBbox(rles), theirs.toBbox(rles))
        for intersect in (False, True, 0, 1):
            assert_identical(ours.merge(rles, intersect), theirs.merge(rles, intersect))
        assert_identical(ours.merge(rles), theirs.merge(rles))
        assert_identical(ours.merge(rles, intersect=True), theirs.merge(rles, intersect=True))
        crowd = rng.integers(0, 2, n).tolist()
        first = rles[: max(1, n // 2)]
        assert_identical(ours.iou(first, rles, crowd), theirs.iou(first, rles, crowd))
        flags = np.array(crowd, np.uint8)
        assert_identical(ours.iou(rles, rles, flags), theirs.iou(rles, rles, flags))


def test_a_thousand_polygons() -> None:
    rng = np.random.default_rng(3)
    for index in range(1000):
        h, w = (int(v) for v in rng.integers(1, 50, 2))
        rings = [random_ring(rng, index) for _ in range(1 + index % 3)]
        assert_identical(ours.frPyObjects(rings, h, w), theirs.frPyObjects(rings, h, w))


def test_polygons_in_a_large_frame() -> None:
    rng = np.random.default_rng(4)
    for _ in range(60):
        angles = np.sort(rng.uniform(0, 2 * np.pi, 200))
        radius = rng.uniform(50, 900, 200)
        ring = np.stack([960 + radius * np.cos(angles), 540 + radius * np.sin(angles)], 1).reshape(-1).tolist()
        assert_identical(ours.frPyObjects([ring], 1080, 1920), theirs.frPyObjects([ring], 1080, 1920))


def test_boxes() -> None:
    rng = np.random.default_rng(5)
    for _ in range(100):
        dt = np.concatenate([rng.uniform(-5, 30, (7, 2)), rng.uniform(0, 20, (7, 2))], 1)
        gt = np.round(np.concatenate([rng.uniform(-5, 30, (4, 2)), rng.uniform(0, 20, (4, 2))], 1))
        crowd = rng.integers(0, 2, 4).tolist()
        assert_identical(ours.frPyObjects(dt, 25, 31), theirs.frPyObjects(dt, 25, 31))
        assert_identical(ours.iou(dt, gt, crowd), theirs.iou(dt, gt, crowd))
        assert_identical(ours.iou(dt.tolist(), gt.tolist(), crowd), theirs.iou(dt.tolist(), gt.tolist(), crowd))


@given(own.run_lists(), st.integers(1, 20))
def test_uncompressed_objects(pair: tuple[list[int], tuple[int, int]], other: int) -> None:
    runs, shape = pair
    obj = {"size": list(shape), "counts": ref.canonical(runs)}
    assert_identical(ours.frPyObjects(obj, other, other), theirs.frPyObjects(obj, other, other))
    assert_identical(ours.frPyObjects([obj, obj], other, other), theirs.frPyObjects([obj, obj], other, other))


@given(own.rings(), st.integers(1, 21), st.integers(1, 21))
def test_any_ring(ring: list[float], h: int, w: int) -> None:
    assert_identical(ours.frPyObjects([ring], h, w), theirs.frPyObjects([ring], h, w))


def test_lenient_rings_of_the_reference() -> None:
    odd = [1.0, 1, 5, 1, 5, 5, 7]
    assert_identical(ours.frPyObjects([odd], 8, 8), theirs.frPyObjects([odd], 8, 8))
    two_points = [[1.0, 1, 5, 1, 5, 5], [1.0, 1, 4, 4]]
    assert_identical(ours.frPyObjects(two_points, 8, 8), theirs.frPyObjects(two_points, 8, 8))


def test_empty_sides() -> None:
    rle = theirs.encode(np.asfortranarray(np.eye(4, dtype=np.uint8)))
    for dt, gt in (([], []), ([rle], []), ([], [rle])):
        assert_identical(ours.iou(dt, gt, [0] * len(gt)), theirs.iou(dt, gt, [0] * len(gt)))
    assert_identical(ours.merge([]), theirs.merge([]))
    assert_identical(ours.merge([rle]), theirs.merge([rle]))


def test_masks_without_pixels() -> None:
    for shape in ((0, 0), (0, 5), (5, 0)):
        mask = np.zeros(shape, np.uint8, order="F")
        assert_identical(ours.encode(mask), theirs.encode(mask))


@pytest.mark.skipif(not SAMPLES, reason=REASON)
def test_every_real_segmentation() -> None:
    seen = 0
    for where, segmentation, h, w in segmentations():
        seen += 1
        if isinstance(segmentation, dict) and isinstance(segmentation["counts"], str):
            rles = [{**segmentation, "counts": segmentation["counts"].encode()}]
        else:
            made = theirs.frPyObjects(segmentation, h, w)
            assert_identical(ours.frPyObjects(segmentation, h, w), made)
            rles = made if isinstance(made, list) else [made]
        merged = theirs.merge(rles)
        assert_identical(ours.merge(rles), merged)
        assert_identical(ours.decode(rles), theirs.decode(rles))
        assert_identical(ours.area(merged), theirs.area(merged))
        assert_identical(ours.toBbox(merged), theirs.toBbox(merged))
        assert_identical(ours.iou([merged], rles, [0] * len(rles)), theirs.iou([merged], rles, [0] * len(rles)))
        assert_identical(ours.encode(theirs.decode(merged)), theirs.encode(theirs.decode(merged))), where
    assert seen > 100


# --- where the reference fails or is wrong ----------------------------------------------------------------------------
def test_lists_of_256_and_more() -> None:
    masks = np.asfortranarray(np.random.default_rng(6).random((5, 4, 700)) < 0.4, dtype=np.uint8)
    rles = ours.encode(masks)
    assert len(rles) == 700
    areas = ours.area(rles)
    assert areas.dtype == np.uint32 and areas.tolist() == masks.sum((0, 1)).tolist()
    assert np.array_equal(ours.decode(rles), masks)
    assert np.array_equal(ours.toBbox(rles), theirs.toBbox(rles))
    assert np.array_equal(ours.iou(rles, rles[:300], [0] * 300), theirs.iou(rles, rles[:300], [0] * 300))
    assert ours.merge(rles) == theirs.merge(rles)


def test_c_order_is_accepted() -> None:
    mask = np.ascontiguousarray(np.random.default_rng(7).random((9, 13)) < 0.5).astype(np.uint8)
    assert ours.encode(mask) == theirs.encode(np.asfortranarray(mask))


def test_different_values_side_by_side_are_one_run() -> None:
    mask = np.asfortranarray([[1], [2], [255], [0], [3]], dtype=np.uint8)
    assert ours.encode(mask) == theirs.encode(np.asfortranarray(mask != 0))


def test_zero_length_runs() -> None:
    rle = {"size": [4, 5], "counts": b"230M550"}
    assert ours.merge([rle, rle], True) == {"size": [4, 5], "counts": b"23520"}
    assert ours.iou([rle], [rle], [1]).tolist() == [[1.0]]
    assert ours.iou([rle], [rle], [0]).tolist() == [[1.0]]
    assert ours.toBbox({"size": [4, 5], "counts": b"d00"}).tolist() == [0, 0, 0, 0]


def test_long_numbers() -> None:
    rle = {"size": [32768, 16384], "counts": b"PPPPP`0"}
    assert ours.merge([rle]) == rle
    assert ours.area(rle) == 0
    assert ours.area({"size": [65535, 65535], "counts": b"0QPPloo3"}) == 4294836225


GOOD = {"size": [4, 5], "counts": b"45;"}
SHORT = {"size": [4, 5], "counts": b"23"}


@pytest.mark.parametrize("function", ["decode", "area", "toBbox"])
@pytest.mark.parametrize(
    "counts", [b"5`", b"", b"23", b"2g0", b"2/4", b"p", b"5O", b"PPPPPP4", b"45;\x00", "45\u20ac", None, 5, 4.5, {}]
)
def test_malformed_counts_are_errors_everywhere(function: str, counts: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        getattr(ours, function)({"size": [4, 5], "counts": counts})
    with pytest.raises((ValueError, TypeError)):
        getattr(ours, function)([GOOD, {"size": [4, 5], "counts": counts}])


@pytest.mark.parametrize(
    "size", [[4.5, 5], [-4, 5], [4], [4, 5, 1], "45", None, [True, 20], [10**6, 10**6], [2**40, 1]]
)
def test_malformed_sizes_are_errors_everywhere(size: Any) -> None:
    for function in (ours.decode, ours.area, ours.toBbox):
        with pytest.raises((ValueError, TypeError, OverflowError)):
            function({"size": size, "counts": b"45;"})


@pytest.mark.parametrize(
    "call",
    [
        lambda: ours.merge([GOOD, SHORT]),
        lambda: ours.merge([GOOD, {"size": [5, 4], "counts": b"45;"}]),
        lambda: ours.iou([GOOD], [SHORT], [0]),
        lambda: ours.iou([GOOD], [{"size": [5, 4], "counts": b"45;"}], [0]),
        lambda: ours.iou([GOOD], [GOOD], []),
        lambda: ours.iou([GOOD], [GOOD], [0, 0]),
        lambda: ours.decode([]),
        lambda: ours.decode([GOOD, {"size": [2, 2], "counts": b"4"}]),
        lambda: ours.frPyObjects({"size": [4, 5], "counts": [5, 3]}, 4, 5),
        lambda: ours.frPyObjects({"size": [4, 5], "counts": [5, -3, 18]}, 4, 5),
        lambda: ours.frPyObjects({"size": [4, 5], "counts": [5.7, 3.2, 12.1]}, 4, 5),
        lambda: ours.frPyObjects([1.0, 1, 5, 1, 5, 5], 8, 8),
        lambda: ours.frPyObjects((1, 2, 3), 8, 8),
        lambda: ours.frPyObjects([[1.0, 1, 5]], 8, 8),
        lambda: ours.frPyObjects(np.array([1.0, 1, 5]), 8, 8),
        lambda: ours.frPyObjects(np.array([[1.0, 1, -5, 5]]), 8, 8),
        lambda: ours.frPyObjects([[1.0, 1, 5, 1, float("nan"), 5]], 8, 8),
        lambda: ours.frPyObjects([[1.0, 1, 5, 1, 1e300, 5]], 8, 8),
        lambda: ours.encode(np.eye(4, dtype=np.float64)),
        lambda: ours.encode(np.zeros(4, np.uint8)),
    ],
)
def test_the_reference_is_silent_or_dies_and_we_raise(call: Any) -> None:
    with pytest.raises((ValueError, TypeError, OverflowError)):
        call()


def test_an_empty_object_list() -> None:
    with pytest.raises((IndexError, ValueError)):
        ours.frPyObjects([], 8, 8)
