"""Polygon rasterisation against the slow oracles, pycocotools and Pillow."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pycocotools import mask as peer

from maskcodec._native import raster
from tests.native import raster_reference as ref

# The peer's own use of NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

RULES = ("coco", "even-odd", "non-zero", "pillow", "opencv")


def fill(rings, shape, rule="coco"):
    rings = [np.asarray(ring, dtype=float).reshape(-1, 2) for ring in rings]
    xy = np.concatenate(rings) if rings else np.empty((0, 2))
    offsets = np.cumsum([0] + [len(ring) for ring in rings])
    runs, bounds = raster.fill(xy, offsets, np.array([0, len(rings)]), np.array([shape]), rule)
    assert bounds.tolist() == [0, len(runs)]
    ref.assert_canonical(runs, shape)
    return runs


def filled(rings, shape, rule="coco"):
    return ref.mask_of(fill(rings, shape, rule), shape)


def peer_mask(ring, shape):
    return peer.decode(peer.frPyObjects([np.ravel(ring).tolist()], *shape))[:, :, 0]


def pillow_mask(ring, shape):
    image = Image.new("L", (shape[1], shape[0]))
    ImageDraw.Draw(image).polygon([(float(x), float(y)) for x, y in ring], fill=1)
    return np.asarray(image)


def random_ring(rng, shape):
    n = int(rng.integers(3, 12))
    side = max(shape)
    points = (
        lambda: rng.uniform(-5, side + 5, (n, 2)),
        lambda: rng.integers(-4, side + 4, (n, 2)).astype(float),
        lambda: rng.integers(-8, 2 * side + 8, (n, 2)) / 2,
        lambda: rng.uniform(-300, 300, (n, 2)),
        lambda: rng.uniform(0, 1, (n, 2)) * shape[::-1],
        lambda: np.round(rng.uniform(-3, side + 3, (n, 2)), 1),
        lambda: rng.uniform(-20000, 20000, (n, 2)) / [1, 20],
    )[int(rng.integers(7))]()
    if rng.random() < 0.3:
        points = np.repeat(points, rng.integers(1, 3, len(points)), axis=0)
    if rng.random() < 0.2:
        points = np.vstack([points, points[:1]])
    return points


# Section 5 of the rule: ring, height, width, counts, string, area, area under Pillow.
VECTORS = [
    ("1,1 4,1 4,4 1,4", 6, 6, [7, 3, 3, 3, 3, 3, 14], "733000;", 9, 16),
    ("0,0 0,9 9,9 9,0", 10, 10, [0, *[9, 1] * 8, 9, 11], "091000000000000000:", 81, 100),
    ("0,0 6,0 6,5 0,5", 5, 6, [0, 30], "0n0", 30, 30),
    ("1,1 6,1 1,6", 7, 7, [8, 4, 3, 3, 4, 2, 5, 1, 19], "843O1O1O>", 10, 21),
    ("1,6 6,1 1,1", 7, 7, [8, 4, 3, 3, 4, 2, 5, 1, 19], "843O1O1O>", 10, 21),
    ("0.5,0.5 2.5,0.5 2.5,2.5 0.5,2.5", 4, 4, [5, 2, 2, 2, 5], "52203", 4, 9),
    ("0.4,0.4 2.4,0.4 2.4,2.4 0.4,2.4", 4, 4, [0, 2, 2, 2, 10], "02208", 4, 9),
    ("0.6,0.6 2.6,0.6 2.6,2.6 0.6,2.6", 4, 4, [5, 2, 2, 2, 5], "52203", 4, 9),
    ("1,1 1.5,1 1.5,4 1,4", 6, 6, [7, 3, 26], "73j0", 3, 4),
    ("1,1 4,1 4,1.5 1,1.5", 6, 6, [7, 1, 5, 1, 5, 1, 16], "715000;", 3, 4),
    ("1,1 4,1 4,1.4 1,1.4", 6, 6, [36], "T1", 0, 4),
    ("1,1 6,6 6,1 1,6", 8, 8, [9, 4, 5, 2, 14, 2, 5, 4, 19], "945N90G2>", 12, 24),
    ("-3,-3 3,-3 3,3 -3,3", 5, 5, [0, 3, 2, 3, 2, 3, 12], "032000:", 9, 16),
    ("3,3 9,3 9,9 3,9", 5, 5, [18, 2, 3, 2], "b0230", 4, 4),
    ("7,7 9,7 9,9 7,9", 5, 5, [25], "i0", 0, 0),
    ("1,1 4,1 4,4 1,4 1,1", 6, 6, [7, 3, 3, 3, 3, 3, 14], "733000;", 9, 16),
    ("1,1 1,1 4,1 4,1 4,4 1,4", 6, 6, [7, 3, 3, 3, 3, 3, 14], "733000;", 9, 16),
    ("1,1 4,4 1,1", 6, 6, [36], "T1", 0, 4),
    ("2.31,1.07 6.82,2.4 5.93,6.66 1.2,5.05", 8, 8, [12, 1, 4, 4, 4, 5, 4, 4, 4, 4, 4, 2, 12], "<143010O000N8", 20, 22),
    (
        "1,1 7,1 7,7 1,7 1,1 3,3 3,5 5,5 5,3 3,3",
        8,
        8,
        [9, 6, 2, 6, 2, 2, 2, 2, 2, 2, 2, 2, 2, 6, 2, 6, 9],
        "96200L00000004007",
        32,
        48,
    ),
    ("1,1 8,1 1,8", 10, 10, [11, 6, 4, 5, 5, 4, 6, 3, 7, 2, 8, 1, 38], ";64O1O1O1O1On0", 21, 36),
]


@pytest.mark.parametrize(("text", "h", "w", "counts", "string", "area", "pillow_area"), VECTORS)
def test_vectors(text, h, w, counts, string, area, pillow_area):
    ring = [tuple(map(float, pair.split(","))) for pair in text.split()]
    runs = fill([ring], (h, w))
    assert runs.tolist() == counts
    assert peer.frPyObjects({"size": [h, w], "counts": counts}, h, w)["counts"].decode() == string
    assert int(runs[1::2].sum()) == area
    assert int(filled([ring], (h, w), "pillow").sum()) == pillow_area


@pytest.mark.parametrize(
    ("box", "counts"),
    [
        ([1, 1, 2, 2], [6, 2, 3, 2, 12]),
        ([0.5, 0.5, 2, 2], [6, 2, 3, 2, 12]),
        ([0.4, 0.4, 2, 2], [0, 2, 3, 2, 18]),
        ([1.2, 1.2, 1.5, 1.5], [6, 2, 3, 2, 12]),
        ([-1, -1, 3, 3], [0, 2, 3, 2, 18]),
        ([3, 3, 9, 9], [18, 2, 3, 2]),
        ([2, 2, 0, 0], [25]),
        ([2, 2, 0, 3], [25]),
    ],
)
def test_boxes(box, counts):
    assert raster.fill_box(*box, 5, 5).tolist() == counts


@pytest.mark.parametrize("box", [[0, 0, -1, 1], [0, 0, 1, -1], [0, 0, float("nan"), 1], [0, 0, float("inf"), 1]])
def test_boxes_refused(box):
    with pytest.raises(ValueError):
        raster.fill_box(*box, 5, 5)


def test_random_rings_equal_pycocotools():
    rng = np.random.default_rng(1)
    for _ in range(12000):
        shape = tuple(map(int, rng.integers(1, 30, 2)))
        ring = random_ring(rng, shape)
        np.testing.assert_array_equal(filled([ring], shape), peer_mask(ring, shape), err_msg=f"{shape} {ring.tolist()}")


def test_random_rings_equal_the_walk():
    rng = np.random.default_rng(2)
    for _ in range(300):
        shape = tuple(map(int, rng.integers(1, 12, 2)))
        ring = rng.uniform(-12, 24, (int(rng.integers(3, 7)), 2))
        np.testing.assert_array_equal(filled([ring], shape), ref.coco_walk([tuple(p) for p in ring.tolist()], shape))


def test_random_rings_equal_pillow():
    rng = np.random.default_rng(3)
    for _ in range(12000):
        shape = tuple(map(int, rng.integers(1, 30, 2)))
        ring = random_ring(rng, shape)
        np.testing.assert_array_equal(
            filled([ring], shape, "pillow"), pillow_mask(ring, shape), err_msg=f"{shape} {np.trunc(ring).tolist()}"
        )


@pytest.mark.parametrize("rule", ["even-odd", "non-zero"])
def test_pixel_centre_rules_equal_exact_arithmetic(rule):
    rng = np.random.default_rng(4)
    for _ in range(250):
        shape = tuple(map(int, rng.integers(1, 10, 2)))
        rings = [
            (rng.integers(-8, 40, (int(rng.integers(3, 6)), 2)) / 4).tolist() for _ in range(int(rng.integers(1, 4)))
        ]
        np.testing.assert_array_equal(
            filled(rings, shape, rule), ref.centre_fill(rings, shape, rule), err_msg=str(rings)
        )


@pytest.mark.parametrize("rule", ["even-odd", "non-zero"])
def test_ties_are_half_open(rule):
    """A centre on a left or top border is in, on a right or bottom border out."""
    expected = np.zeros((4, 4), np.uint8)
    expected[0:2, 0:2] = 1
    np.testing.assert_array_equal(filled([[(0.5, 0.5), (2.5, 0.5), (2.5, 2.5), (0.5, 2.5)]], (4, 4), rule), expected)


def test_one_path_or_union():
    outer, hole = [(1, 1), (11, 1), (11, 11), (1, 11)], [(4, 4), (4, 7), (7, 7), (7, 4)]
    assert [int(filled([outer, hole], (12, 12), rule).sum()) for rule in RULES] == [100, 91, 91, 121, 117]
    same_way = hole[::-1]
    assert [int(filled([outer, same_way], (12, 12), rule).sum()) for rule in RULES] == [100, 91, 100, 121, 117]


@pytest.mark.parametrize("rule", ["coco", "pillow"])
def test_rings_are_united(rule):
    rng = np.random.default_rng(5)
    for _ in range(400):
        shape = tuple(map(int, rng.integers(1, 25, 2)))
        rings = [random_ring(rng, shape) for _ in range(int(rng.integers(0, 5)))]
        expected = np.zeros(shape, np.uint8)
        for ring in rings:
            expected |= filled([ring], shape, rule)
        np.testing.assert_array_equal(filled(rings, shape, rule), expected)


@pytest.mark.parametrize("rule", ["coco", "even-odd"])
def test_order_direction_start_and_repeats_do_not_matter(rule):
    rng = np.random.default_rng(6)
    for _ in range(500):
        shape = tuple(map(int, rng.integers(1, 25, 2)))
        ring = random_ring(rng, shape)
        runs = fill([ring], shape, rule).tolist()
        assert fill([ring[::-1]], shape, rule).tolist() == runs
        assert fill([np.roll(ring, 3, axis=0)], shape, rule).tolist() == runs
        assert fill([np.repeat(ring, 2, axis=0)], shape, rule).tolist() == runs


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("far", [1e7, 1e9, 2.0**40])
def test_far_vertices_cost_nothing(rule, far):
    runs = fill([[(0, 0), (far, far), (0, far)]], (20, 20), rule)
    assert 180 <= runs[1::2].sum() <= 220
    assert fill([[(-far, -far), (far, -far), (far, far), (-far, far)]], (20, 30), rule).tolist() == [0, 600]


def test_far_vertices_equal_pycocotools():
    for ring in ([(-200000, 3), (190000, 9.4), (3, 12)], [(4, -150000.3), (9.5, 250000), (2, 3)]):
        np.testing.assert_array_equal(filled([ring], (20, 20)), peer_mask(ring, (20, 20)))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 2.0**41, -(2.0**41)])
def test_bad_coordinates_are_named(rule, bad):
    with pytest.raises(ValueError, match=r"object 0, ring 1, point 2: y"):
        fill([[(0, 0), (4, 0), (4, 4)], [(0, 0), (4, 0), (4, bad)]], (20, 20), rule)


@pytest.mark.parametrize("rule", RULES)
def test_empty_frames_and_rings(rule):
    triangle = [(0, 0), (4, 0), (4, 4)]
    for shape in ((0, 0), (0, 5), (5, 0)):
        assert fill([triangle], shape, rule).tolist() == [0]
    assert fill([], (3, 4), rule).tolist() == [12]
    assert fill([[]], (3, 4), rule).tolist() == [12]


@pytest.mark.parametrize("rule", RULES)
def test_batches_and_threads(rule):
    rng = np.random.default_rng(7)
    rings, objects, shapes = [], [0], []
    for _ in range(200):
        shape = tuple(map(int, rng.integers(1, 40, 2)))
        rings += [random_ring(rng, shape) for _ in range(int(rng.integers(0, 4)))]
        objects.append(len(rings))
        shapes.append(shape)
    xy, offsets = np.concatenate(rings), np.cumsum([0] + [len(r) for r in rings]).astype(np.uint64)
    runs, bounds = raster.fill(xy, offsets, np.array(objects), np.array(shapes), rule)
    for threads in (0, 2, 5):
        again = raster.fill(xy, offsets, np.array(objects), np.array(shapes), rule, threads)
        assert again[0].tobytes() == runs.tobytes() and again[1].tobytes() == bounds.tobytes()
    for i, shape in enumerate(shapes):
        assert (
            runs[bounds[i] : bounds[i + 1]].tolist() == fill(rings[objects[i] : objects[i + 1]], shape, rule).tolist()
        )


def opencv_case(rng):
    """Rings of 16-bit fixed point vertices as ``fillPoly`` takes them: (rings, shift, shape)."""
    shape = tuple(map(int, rng.integers(1, 50, 2)))
    shift = int(rng.integers(0, 17))
    beyond = int(rng.choice([0, 6, 300, 15000]))
    rings = []
    for _ in range(rng.integers(1, 5)):
        n = int(rng.integers(1, 12))
        points = rng.uniform(-beyond, (shape[1] + beyond - 1, shape[0] + beyond - 1), (n, 2))
        if rng.random() < 0.2:
            points[:, rng.integers(0, 2)] = points[0, 0]
        if rng.random() < 0.2:
            points = points[rng.integers(0, n, n)]
        if rng.random() < 0.3:
            points = np.round(points)
        rings.append(np.round(points * 2**shift).astype(np.int32))
    return rings, shift, shape


@pytest.mark.parametrize("seed", range(8))
def test_opencv_rule(seed):
    rng = np.random.default_rng(seed)
    for _ in range(40):
        rings, shift, shape = opencv_case(rng)
        exact = [ring / 2**shift for ring in rings]
        expected = ref.opencv_fill([ring.tolist() for ring in exact], shape)
        np.testing.assert_array_equal(filled(exact, shape, "opencv"), expected)


@pytest.mark.parametrize("seed", range(8))
def test_opencv_rule_beside_opencv(seed):
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed")
    rng = np.random.default_rng(100 + seed)
    for _ in range(400):
        rings, shift, shape = opencv_case(rng)
        expected = np.zeros(shape, np.uint8)
        cv2.fillPoly(expected, rings, 1, cv2.LINE_8, shift)
        np.testing.assert_array_equal(filled([ring / 2**shift for ring in rings], shape, "opencv"), expected)


def test_opencv_rule_with_far_vertices():
    """As far as coordinates go: the frame is inside, or is not."""
    far = 2.0**40
    assert filled([[(-far, -far), (far, -far), (far, far), (-far, far)]], (30, 40), "opencv").all()
    assert not filled([[(-far, -far), (far, -far), (far, -9), (-far, -9)]], (30, 40), "opencv").any()
    half = filled([[(-far, -far), (far, -far), (far, 9), (-far, 9)]], (30, 40), "opencv")
    assert half[:10].all() and not half[10:].any()


def test_arguments():
    xy, one = np.zeros((3, 2)), np.array([0, 1])
    good = (xy, np.array([0, 3]), one, np.array([[5, 5]]), "coco")
    assert raster.fill(*good)[0].tolist() == [25]
    assert raster.fill(xy.astype(">f8"), *good[1:])[0].tolist() == [25]
    for position, wrong, error in [
        (0, xy.astype(np.float32), TypeError),
        (0, [[0.0, 0.0]], TypeError),
        (0, np.zeros(7), ValueError),
        (1, np.array([0, 4]), ValueError),
        (1, np.array([0, -1, 3]), ValueError),
        (1, np.array([1, 3]), ValueError),
        (1, np.array([0.0, 3.0]), TypeError),
        (2, np.array([0, 2]), ValueError),
        (2, np.array([], dtype=int), ValueError),
        (3, np.array([[5, -5]]), ValueError),
        (3, np.array([[5, 5], [5, 5]]), ValueError),
        (3, np.array([[2**17, 2**17]]), ValueError),
        (3, np.array([[2**16, 2**15]]), ValueError),
        (4, "OpenCV", ValueError),
    ]:
        arguments = [*good]
        arguments[position] = wrong
        with pytest.raises(error):
            raster.fill(*arguments)


def test_real_coco_rings():
    samples = os.environ.get("MASKCODEC_SAMPLES")
    if not samples:
        pytest.skip("MASKCODEC_SAMPLES names no folder of samples")
    rings = 0
    for path in sorted(Path(samples, "coco").rglob("*instances*.json")):
        data = json.loads(path.read_text("utf-8"))
        if not isinstance(data, dict):  # a results file
            continue
        sizes = {image["id"]: (image["height"], image["width"]) for image in data.get("images", [])}
        for annotation in data.get("annotations", []):
            segmentation = annotation.get("segmentation")
            shape = sizes.get(annotation["image_id"])
            if shape is None or not isinstance(segmentation, list):
                continue
            for ring in segmentation:
                if len(ring) < 6 or len(ring) % 2:
                    continue
                np.testing.assert_array_equal(filled([ring], shape), peer_mask(ring, shape))
                points = np.reshape(ring, (-1, 2))
                np.testing.assert_array_equal(filled([ring], shape, "pillow"), pillow_mask(points, shape))
                rings += 1
    assert rings >= 50
