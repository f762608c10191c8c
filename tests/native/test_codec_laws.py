"""Laws of the COCO codec, of set operations, rasterisation and tracing, against slow oracles."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

import maskcodec as mc

from . import reference as ref
from . import strategies as own


def rle_of(mask: np.ndarray) -> mc.Rle:
    return mc.Rle.from_mask(mask)


# --- encode and decode ------------------------------------------------------------------------------------------------
@given(own.arrays())
def test_encode_reads_any_dtype_and_layout(pair: tuple[np.ndarray, np.ndarray]) -> None:
    array, mask = pair
    before = array.copy()
    rle = mc.Rle.from_mask(array)
    assert rle.runs.tolist() == ref.mask_to_runs(mask)
    assert rle.shape == mask.shape and (rle.height, rle.width) == mask.shape
    assert rle.area == int(mask.sum())
    assert tuple(rle.bbox) == ref.bbox(mask)
    assert np.array_equal(array, before)


@given(own.binary_masks(), st.sampled_from("CF"), st.sampled_from(["uint8", "bool"]))
def test_decode_gives_the_mask_back(mask: np.ndarray, order: str, dtype: str) -> None:
    dense = rle_of(mask).decode(order=order, dtype=dtype)
    assert dense.dtype == np.dtype(dtype) and dense.shape == mask.shape
    assert dense.flags.c_contiguous if order == "C" else dense.flags.f_contiguous
    assert np.array_equal(dense, mask)


@given(own.binary_masks(), st.sampled_from(own.LAYOUTS[:5]))
def test_decode_into_a_given_array(mask: np.ndarray, layout: str) -> None:
    out = own.lay_out(np.full(mask.shape, 7, np.uint8), layout)
    assert rle_of(mask).decode(out=out) is out
    assert np.array_equal(out, mask)


@given(own.binary_masks(), st.data())
def test_decode_of_a_window(mask: np.ndarray, data: st.DataObject) -> None:
    h, w = mask.shape
    x0, y0 = data.draw(st.integers(0, w)), data.draw(st.integers(0, h))
    x1, y1 = data.draw(st.integers(x0, w)), data.draw(st.integers(y0, h))
    for order in "CF":
        part = rle_of(mask).decode(window=(x0, y0, x1, y1), order=order)
        assert np.array_equal(part, mask[y0:y1, x0:x1])


@pytest.mark.parametrize("window", [(-1, 0, 2, 2), (0, 0, 99, 2), (3, 0, 2, 2), (0.5, 0, 2, 2), (0, 0, 2)])
def test_impossible_windows_are_refused(window: tuple[float, ...]) -> None:
    with pytest.raises((ValueError, TypeError)):
        rle_of(np.ones((5, 5), np.uint8)).decode(window=window)


@pytest.mark.parametrize(
    "out",
    [
        np.zeros((4, 5), np.uint8),
        np.zeros((5, 5), np.complex64),
        np.zeros(25, np.uint8),
        np.broadcast_to(np.uint8(0), (5, 5)),
    ],
)
def test_an_output_that_does_not_fit_is_refused(out: np.ndarray) -> None:
    with pytest.raises((ValueError, TypeError)):
        rle_of(np.ones((5, 5), np.uint8)).decode(out=out)


@given(own.run_lists())
def test_run_lists_are_read_canonically(pair: tuple[list[int], tuple[int, int]]) -> None:
    runs, shape = pair
    rle = mc.Rle.from_counts(runs, shape)
    assert rle.runs.tolist() == ref.canonical(runs)
    assert rle == mc.Rle.from_counts(np.array(runs, np.int64), shape)
    assert rle == mc.Rle.from_counts(tuple(runs), shape)
    assert np.array_equal(rle.decode(), ref.runs_to_mask(runs, shape))
    assert np.array_equal(mc.Rle.from_counts(runs, shape, order="C").decode(), ref.runs_to_mask(runs, shape, "C"))
    inverted = mc.Rle.from_counts(runs, shape, start=1)
    assert np.array_equal(inverted.decode(), 1 - ref.runs_to_mask(runs, shape))
    assert rle.to_coco(compressed=False) == {"size": list(shape), "counts": ref.canonical(runs)}


@given(own.binary_masks(), st.sampled_from("CF"))
def test_counts_go_both_ways(mask: np.ndarray, order: str) -> None:
    counts = rle_of(mask).to_counts(order=order)
    assert list(counts) == ref.mask_to_runs(mask, order)
    assert mc.Rle.from_counts(counts, mask.shape, order=order) == rle_of(mask)


@given(own.run_lists(), st.integers(1, 9), st.sampled_from("CF"))
def test_sums_that_do_not_fit(pair: tuple[list[int], tuple[int, int]], extra: int, order: str) -> None:
    runs, shape = pair
    with pytest.raises(ValueError):
        mc.Rle.from_counts([*runs, 0, extra], shape, order=order)
    total, pixels = sum(runs) - extra, shape[0] * shape[1]
    if total > 0:
        short = [total]
        with pytest.raises(ValueError):
            mc.Rle.from_counts(short, shape, order=order)
        notes: list[object] = []
        padded = mc.Rle.from_counts([0, total], shape, order=order, strict=False, notes=notes)
        assert np.array_equal(padded.decode(), ref.runs_to_mask([0, total, pixels - total], shape, order))
        assert len(notes) == 1
        with pytest.raises(ValueError):
            mc.Rle.from_counts([pixels + extra], shape, order=order, strict=False)


# --- the string -------------------------------------------------------------------------------------------------------
@given(own.strings())
def test_valid_strings_are_read_and_written(pair: tuple[str, tuple[int, int]]) -> None:
    text, shape = pair
    runs = ref.canonical(ref.parse_counts(text, shape[0] * shape[1]))
    size = list(shape)
    rle = mc.Rle.from_coco({"size": size, "counts": text})
    assert rle.runs.tolist() == runs
    assert rle == mc.Rle.from_coco({"size": size, "counts": text.encode()})
    assert rle == mc.Rle.from_coco({"size": size, "counts": bytearray(text.encode())})
    assert rle.to_coco() == {"size": size, "counts": ref.format_counts(runs)}
    assert rle.to_coco(bytes=True) == {"size": size, "counts": ref.format_counts(runs).encode()}


@given(own.edited_strings())
def test_the_parser_accepts_exactly_what_the_rules_accept(pair: tuple[bytes, tuple[int, int]]) -> None:
    text, shape = pair
    try:
        runs = ref.canonical(ref.parse_counts(text, shape[0] * shape[1]))
    except ValueError:
        with pytest.raises(ValueError):
            mc.Rle.from_coco({"size": list(shape), "counts": text})
    else:
        assert mc.Rle.from_coco({"size": list(shape), "counts": text}).runs.tolist() == runs


@given(st.binary(max_size=12), own.shapes)
def test_random_bytes(text: bytes, shape: tuple[int, int]) -> None:
    try:
        runs = ref.canonical(ref.parse_counts(text, shape[0] * shape[1]))
    except ValueError:
        with pytest.raises(ValueError):
            mc.Rle.from_coco({"size": list(shape), "counts": text})
    else:
        assert mc.Rle.from_coco({"size": list(shape), "counts": text}).runs.tolist() == runs


@given(st.lists(st.integers(0, 2**32 - 1), max_size=6))
def test_long_runs(parts: list[int]) -> None:
    runs: list[int] = []
    for part in parts:
        runs.append(min(part, 2**32 - 1 - sum(runs)))
    shape = (1, sum(runs))
    rle = mc.Rle.from_coco({"size": list(shape), "counts": ref.format_counts(runs)})
    assert rle.runs.tolist() == ref.canonical(runs)
    assert rle.area == sum(ref.canonical(runs)[1::2])
    assert rle.to_coco()["counts"] == ref.format_counts(ref.canonical(runs))


def test_errors_name_the_position() -> None:
    with pytest.raises(mc.DecodeError) as caught:
        mc.Rle.from_coco({"size": [6, 8], "counts": "=2/41O01O:"})
    assert caught.value.offset == 2


# --- identity ---------------------------------------------------------------------------------------------------------
@given(own.binary_masks())
def test_equality_hash_and_pickle(mask: np.ndarray) -> None:
    rle, again = rle_of(mask), mc.Rle.from_coco(rle_of(mask).to_coco())
    assert rle == again and hash(rle) == hash(again)
    assert pickle.loads(pickle.dumps(rle)) == rle
    assert rle != rle_of(np.pad(mask, 1))
    assert (rle == "mask") is False
    if mask.size:
        other = mask.copy()
        other[0, 0] ^= 1
        assert rle != rle_of(other)


def test_runs_are_read_only() -> None:
    runs = rle_of(np.eye(4, dtype=np.uint8)).runs
    assert runs.dtype == np.uint32 and not runs.flags.writeable
    with pytest.raises(ValueError):
        runs[0] = 5
    with pytest.raises(ValueError):
        runs.flags.writeable = True


def test_masks_are_immutable() -> None:
    rle = rle_of(np.eye(4, dtype=np.uint8))
    for name in ("height", "width", "runs", "area", "bbox", "shape", "anything"):
        with pytest.raises(AttributeError):
            setattr(rle, name, 3)


# --- set operations ---------------------------------------------------------------------------------------------------
@given(st.data(), own.shapes)
def test_set_operations(data: st.DataObject, shape: tuple[int, int]) -> None:
    a, b = data.draw(own.binary_masks(shape)), data.draw(own.binary_masks(shape))
    left, right = rle_of(a), rle_of(b)
    for ours, dense in [
        (left | right, a | b),
        (left & right, a & b),
        (left ^ right, a ^ b),
        (left - right, a & (1 - b)),
        (~left, 1 - a),
    ]:
        assert ours.runs.tolist() == ref.mask_to_runs(dense)
        assert ours.shape == shape
    assert left | right == right | left


def test_set_operations_need_one_size() -> None:
    a, b = rle_of(np.ones((6, 8), np.uint8)), rle_of(np.ones((8, 6), np.uint8))
    for operation in ("__or__", "__and__", "__xor__", "__sub__"):
        with pytest.raises(ValueError):
            getattr(a, operation)(b)
    with pytest.raises(TypeError):
        a | 3  # type: ignore[operator]


# --- polygons ---------------------------------------------------------------------------------------------------------
@given(own.rings(), own.shapes)
def test_coco_rule_equals_the_walked_rule(ring: list[float], shape: tuple[int, int]) -> None:
    expected = ref.coco_fill(ring, shape)
    assert mc.Rle.from_polygons([ring], shape).runs.tolist() == ref.mask_to_runs(expected)
    assert mc.Rle.from_polygons([np.array(ring)], shape).runs.tolist() == ref.mask_to_runs(expected)


@given(st.lists(own.rings(max_points=6), max_size=4))
def test_rings_of_one_annotation_are_united(rings: list[list[float]]) -> None:
    expected = np.zeros((15, 18), np.uint8)
    for ring in rings:
        expected |= ref.coco_fill(ring, (15, 18))
    assert np.array_equal(mc.Rle.from_polygons(rings, (15, 18)).decode(), expected)


# Thirds of a pixel, moved by odd amounts, keep every pixel centre off the edges: what happens to a centre on an edge is
# a convention, which the next test looks at.
thirds = st.integers(-15, 75).map(lambda v: v / 3)


@given(st.lists(st.tuples(thirds, thirds), min_size=3, max_size=8), st.sampled_from(["even-odd", "non-zero"]))
def test_centre_rules(points: list[tuple[float, float]], rule: str) -> None:
    ring = [v for x, y in points for v in (x + 0.01031, y + 0.02357)]
    expected = ref.centre_fill(ring, (20, 22), rule)
    assert np.array_equal(mc.Rle.from_polygons([ring], (20, 22), rule=rule).decode(), expected)


@pytest.mark.parametrize("rule", ["even-odd", "non-zero", "coco"])
@given(own.binary_masks())
def test_pixel_edges_fill_exactly(rule: str, mask: np.ndarray) -> None:
    h, w = mask.shape
    ring = [0, 0, w, 0, w, h, 0, h]
    assert mc.Rle.from_polygons([ring], mask.shape, rule=rule).area == mask.size


@given(st.lists(st.tuples(st.integers(-5, 25), st.integers(-5, 25)), min_size=3, max_size=8))
def test_pillow_rule(points: list[tuple[int, int]]) -> None:
    image = Image.new("L", (22, 20))
    ImageDraw.Draw(image).polygon([tuple(map(float, p)) for p in points], fill=1)
    ours = mc.Rle.from_polygons([[v for p in points for v in p]], (20, 22), rule="pillow").decode()
    assert np.array_equal(ours, np.asarray(image))


@pytest.mark.parametrize(
    "ring",
    [
        [1, 1, 2, 2],
        [1, 1, 2, 2, 3],
        [1, 1, 5, 1, 5, 5, 1],
        [],
        [1, 1, 5, 1, float("nan"), 5],
        [1, 1, 5, 1, float("inf"), 5],
        [1, 1, 5, 1, 2.0**60, 5],
        ["1", "1", "5", "1", "5", "5"],
        [1, 1, 5, 1, None, 5],
        None,
        "1,1,5,1,5,5",
    ],
)
@pytest.mark.parametrize("rule", ["coco", "even-odd", "non-zero", "pillow"])
def test_rings_that_are_none(ring: object, rule: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        mc.Rle.from_polygons([ring], (8, 8), rule=rule)


def test_an_unknown_rule() -> None:
    with pytest.raises(ValueError):
        mc.Rle.from_polygons([[1, 1, 5, 1, 5, 5]], (8, 8), rule="cairo")


# --- tracing ----------------------------------------------------------------------------------------------------------
@given(own.binary_masks())
def test_a_bridged_ring_fills_back_exactly(mask: np.ndarray) -> None:
    rle = rle_of(mask)
    rings = [ref.flat_ring(ring) for ring in rle.to_polygons(holes="bridge")]
    assert len(rings) == (1 if mask.any() else 0)
    assert mc.Rle.from_polygons(rings, mask.shape) == rle
    if rings:
        assert np.array_equal(ref.coco_fill(rings[0], mask.shape), mask)


@given(own.binary_masks())
def test_rings_follow_the_documented_form(mask: np.ndarray) -> None:
    rings = [ref.flat_ring(ring) for ring in rle_of(mask).to_polygons(holes="rings")]
    back = np.zeros(mask.shape, np.uint8)
    starts = []
    for ring in rings:
        back ^= ref.coco_fill(ring, mask.shape)
        points = list(zip(ring[0::2], ring[1::2], strict=True))
        assert points[0] == min(points, key=lambda p: (p[1], p[0]))
        starts.append((points[0][1], points[0][0]))
        for (x0, y0), (x1, y1), (x2, _) in zip(points, points[1:] + points[:1], points[2:] + points[:2], strict=True):
            assert (x0 == x1) != (y0 == y1)  # along pixel edges
            assert (x0 == x1) != (x1 == x2)  # every vertex is a corner
    assert np.array_equal(back, mask)
    assert starts == sorted(starts)
    # outer rings run clockwise on the screen (positive area with y down), holes the other way
    doubled = 0.0
    for ring in rings:
        xs, ys = np.array(ring[0::2]), np.array(ring[1::2])
        doubled += float((xs * np.roll(ys, -1) - np.roll(xs, -1) * ys).sum())
    assert doubled == 2 * mask.sum()
