"""Contours along pixel edges: against the slow tracer, and back to the same mask."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as peer

from maskcodec._native import raster
from tests.native import raster_reference as ref

# The peer's own use of NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def trace(mask, **options):
    runs = np.array(ref.runs_of(mask), np.uint32)
    xy, offsets, holes = raster.trace(runs, *mask.shape, **options)
    assert xy.dtype == np.int32 and holes.dtype == np.bool_ and len(holes) == len(offsets) - 1
    rings = [[(int(x), int(y)) for x, y in xy[a:b]] for a, b in zip(offsets, offsets[1:], strict=False)]
    return rings, holes.tolist()


def fill(rings, shape, rule):
    xy = np.array([p for ring in rings for p in ring], float).reshape(-1, 2)
    offsets = np.cumsum([0] + [len(ring) for ring in rings])
    return ref.mask_of(raster.fill(xy, offsets, np.array([0, len(rings)]), np.array([shape]), rule)[0], shape)


def random_mask(rng):
    shape = tuple(map(int, rng.integers(1, 24, 2)))
    mask = rng.random(shape) < rng.uniform(0.05, 0.98)
    if rng.random() < 0.3:
        mask = np.kron(mask, np.ones((2, 3), bool))
    return mask


def test_equal_to_the_slow_tracer():
    rng = np.random.default_rng(1)
    for _ in range(1500):
        mask = random_mask(rng)
        rings, holes = trace(mask)
        expected = ref.trace(mask)
        assert rings == expected
        assert holes == [ref.signed_area(ring) < 0 for ring in expected]
        joined, flags = trace(mask, bridge=True)
        assert joined == ([ref.bridge(expected)] if expected else [])
        assert flags == [False] * len(joined)


def test_back_to_the_same_mask():
    rng = np.random.default_rng(2)
    for _ in range(1500):
        mask = random_mask(rng)
        rings, _ = trace(mask)
        joined, _ = trace(mask, bridge=True)
        for rule in ("even-odd", "non-zero"):
            np.testing.assert_array_equal(fill(rings, mask.shape, rule), mask)
        for rule in ("coco", "even-odd"):
            np.testing.assert_array_equal(fill(joined, mask.shape, rule), mask)
        if mask.any():
            flat = [float(v) for point in joined[0] for v in point]
            np.testing.assert_array_equal(peer.decode(peer.frPyObjects([flat], *mask.shape))[:, :, 0], mask)


def test_the_donut():
    mask = np.zeros((12, 12), bool)
    mask[1:11, 1:11] = True
    mask[4:7, 4:7] = False
    assert trace(mask, bridge=True)[0] == [
        [(1, 1), (11, 1), (11, 11), (1, 11), (1, 1), (4, 4), (4, 7), (7, 7), (7, 4), (4, 4), (1, 1)]
    ]
    assert trace(mask)[1] == [False, True]


def test_special_masks():
    assert trace(np.zeros((3, 4), bool)) == ([], [])
    assert trace(np.zeros((0, 4), bool)) == ([], [])
    assert trace(np.ones((3, 4), bool)) == ([[(0, 0), (4, 0), (4, 3), (0, 3)]], [False])
    diagonal = np.eye(2, dtype=bool)
    assert trace(diagonal)[0] == [[(0, 0), (1, 0), (1, 1), (0, 1)], [(1, 1), (2, 1), (2, 2), (1, 2)]]
    assert len(trace(diagonal[::-1])[0]) == 2


def test_cost_follows_runs_not_columns():
    xy, _, _ = raster.trace(np.array([5, 1999999990, 5], np.uint32), 1, 2000000000)
    assert xy.tolist() == [[5, 0], [1999999995, 0], [1999999995, 1], [5, 1]]


@pytest.mark.parametrize("tolerance", [0.3, 0.8, 1.5, 4.0])
def test_simplified_rings_stay_within_the_tolerance(tolerance):
    rng = np.random.default_rng(3)
    for _ in range(60):
        mask = random_mask(rng)
        exact, holes = trace(mask)
        rough, flags = trace(mask, tolerance=tolerance)
        assert flags == holes and len(rough) == len(exact)
        for before, after in zip(exact, rough, strict=True):
            assert len(after) >= 3 and after[0] == before[0]
            # Kept vertices are a subsequence; each dropped one is near the edge that spans it.
            position = 0
            places = []
            for vertex in after:
                position = before.index(vertex, position)
                places.append(position)
                position += 1
            for a, b in zip(places, [*places[1:], len(before)], strict=True):
                ends = before[a], before[b % len(before)]
                for k in range(a + 1, b):
                    assert ref.distance(before[k], *ends) <= tolerance + 1e-9


@pytest.mark.parametrize("tolerance", [-1.0, float("nan"), float("inf")])
def test_bad_tolerance(tolerance):
    with pytest.raises(ValueError, match="tolerance"):
        trace(np.ones((3, 3), bool), tolerance=tolerance)


@pytest.mark.parametrize("runs", [[5], [4, 0, 5], [10], [2**32 - 1, 10]])
def test_bad_runs(runs):
    with pytest.raises(ValueError):
        raster.trace(np.array(runs, np.uint32), 3, 3)


def test_real_coco_masks():
    samples = os.environ.get("MASKCODEC_SAMPLES")
    if not samples:
        pytest.skip("MASKCODEC_SAMPLES names no folder of samples")
    masks = 0
    for path in sorted(Path(samples, "coco", "val2014-subset").glob("annotations/instances*.json")):
        data = json.loads(path.read_text("utf-8"))
        sizes = {image["id"]: (image["height"], image["width"]) for image in data.get("images", [])}
        for annotation in data.get("annotations", []):
            shape, segmentation = sizes[annotation["image_id"]], annotation["segmentation"]
            rles = peer.frPyObjects(segmentation, *shape)
            rle = peer.merge(rles) if isinstance(rles, list) else rles
            mask = peer.decode(rle)
            if not mask.any():
                continue
            joined, _ = trace(mask, bridge=True)
            flat = [float(v) for point in joined[0] for v in point]
            assert peer.frPyObjects([flat], *shape)[0]["counts"] == rle["counts"]
            masks += 1
    assert masks >= 40
