"""The packed batch: the same answers as its masks one by one, whatever their number."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc

from . import reference as ref
from . import strategies as own


@st.composite
def stacks(draw: st.DrawFn) -> np.ndarray:
    """(N, H, W) masks, N from 0."""
    shape = draw(own.shapes)
    masks = [draw(own.binary_masks(shape)) for _ in range(draw(st.integers(0, 5)))]
    return np.array(masks, np.uint8).reshape(len(masks), *shape)


def batch(masks: np.ndarray) -> mc.RleArray:
    return mc.RleArray.from_masks(list(masks))


@given(stacks())
def test_items_areas_and_boxes(masks: np.ndarray) -> None:
    a = batch(masks)
    assert len(a) == len(masks)
    assert [rle.runs.tolist() for rle in a] == [ref.mask_to_runs(mask) for mask in masks]
    assert a.areas.tolist() == masks.sum((1, 2)).tolist()
    assert np.asarray(a.bboxes).reshape(-1, 4).tolist() == [list(ref.bbox(mask)) for mask in masks]
    for index, mask in enumerate(masks):
        assert a[index] == mc.Rle.from_mask(mask) == a[index - len(masks)]
    with pytest.raises(IndexError):
        a[len(masks)]
    with pytest.raises(IndexError):
        a[-len(masks) - 1]


@given(stacks(), st.data())
def test_selection(masks: np.ndarray, data: st.DataObject) -> None:
    a = batch(masks)
    chosen = np.array(data.draw(st.lists(st.booleans(), min_size=len(masks), max_size=len(masks))), bool)
    assert list(a[chosen]) == [a[int(i)] for i in np.flatnonzero(chosen)]
    assert list(a[1:]) == [a[i] for i in range(1, len(masks))]
    assert list(a[::-1]) == [a[i] for i in range(len(masks) - 1, -1, -1)]
    with pytest.raises((IndexError, ValueError)):
        a[np.ones(len(masks) + 1, bool)]


@given(stacks())
def test_strings_and_back(masks: np.ndarray) -> None:
    a = batch(masks)
    objects = a.to_coco()
    assert objects == [mc.Rle.from_mask(mask).to_coco() for mask in masks]
    assert list(mc.RleArray.from_coco(objects)) == list(a)
    assert list(pickle.loads(pickle.dumps(a))) == list(a)


@given(stacks(), st.sampled_from("CF"))
def test_decode(masks: np.ndarray, order: str) -> None:
    if not len(masks):
        return
    dense = batch(masks).decode(order=order)
    assert dense.dtype == np.uint8 and dense.shape == masks.shape
    assert np.array_equal(dense, masks)
    out = np.full(masks.shape, 9, np.uint8)
    assert batch(masks).decode(out=out) is out
    assert np.array_equal(out, masks)


@given(stacks())
def test_stacks_of_both_forms(masks: np.ndarray) -> None:
    if len(masks):
        assert list(mc.RleArray.from_masks(masks)) == list(batch(masks))


@given(stacks(), st.data())
def test_iou_and_merge(masks: np.ndarray, data: st.DataObject) -> None:
    if not len(masks):
        return
    a = batch(masks)
    others = masks[: data.draw(st.integers(1, len(masks)))]
    crowd = data.draw(st.lists(st.integers(0, 1), min_size=len(others), max_size=len(others)))
    assert np.array_equal(a.iou(batch(others)), ref.iou(list(masks), list(others), [0] * len(others)))
    assert np.array_equal(a.iou(batch(others), crowd=crowd), ref.iou(list(masks), list(others), crowd))
    assert a.merge().runs.tolist() == ref.mask_to_runs(masks.any(0))
    assert a.merge(intersect=True).runs.tolist() == ref.mask_to_runs(masks.all(0))


@given(own.shapes, st.integers(0, 2**32 - 1), st.sampled_from(["u1", "<u2", ">u2", "<i4", ">i8", "<u8", "i1"]))
def test_label_maps(shape: tuple[int, int], seed: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.integers(0, 6, (shape[0], shape[1] // 2 + 1)), 2, axis=1)[:, : shape[1]] * 19
    labels = np.asarray(labels, dtype)
    expected = ref.split_labels(labels)
    for layout in ("C", "F", "every-other", "reversed"):
        ids, masks = mc.RleArray.from_label_map(own.lay_out(labels, layout))
        assert [int(i) for i in ids] == list(expected)
        assert [rle.runs.tolist() for rle in masks] == [ref.mask_to_runs(mask) for mask in expected.values()]
        if len(masks):
            assert np.array_equal(masks.to_label_map(ids), labels)


@given(stacks())
def test_later_masks_cover_earlier_ones(masks: np.ndarray) -> None:
    if len(masks):
        ids = list(range(3, 3 + len(masks)))
        painted = batch(masks).to_label_map(ids)
        assert np.array_equal(painted, ref.paint(ids, list(masks), masks.shape[1:]))


@given(stacks())
def test_save_and_load(tmp_path_factory: pytest.TempPathFactory, masks: np.ndarray) -> None:
    path = Path(tmp_path_factory.mktemp("batch")) / "masks.bin"
    a = batch(masks)
    a.save(path)
    assert list(mc.RleArray.load(path)) == list(a)
    assert list(mc.RleArray.load(path, mmap=True)) == list(a)


def test_many_masks() -> None:
    masks = np.random.default_rng(1).random((1000, 6, 7)) < 0.4
    a = mc.RleArray.from_masks(masks)
    assert len(a) == 1000
    assert np.array_equal(a.decode(), masks)
    assert np.array_equal(a.areas, masks.sum((1, 2)))
    a, b = mc.RleArray.from_masks(masks[:40]), mc.RleArray.from_masks(masks[40:70])
    assert np.array_equal(a.iou(b), ref.iou(list(masks[:40]), list(masks[40:70]), [0] * 30))


def test_polygons_in_one_call() -> None:
    rng = np.random.default_rng(2)
    rings = [[rng.uniform(-5, 30, 14).tolist() for _ in range(1 + i % 3)] for i in range(50)]
    shapes = [(20 + i % 4, 25) for i in range(50)]
    a = mc.RleArray.from_polygons(rings, shapes)
    assert list(a) == [mc.Rle.from_polygons(r, s) for r, s in zip(rings, shapes, strict=True)]
    assert list(mc.RleArray.from_polygons(rings, (20, 25))) == [mc.Rle.from_polygons(r, (20, 25)) for r in rings]


def test_different_sizes_can_be_held_but_not_combined() -> None:
    a = mc.RleArray.from_masks([np.ones((3, 4), np.uint8), np.ones((4, 3), np.uint8)])
    assert [rle.shape for rle in a] == [(3, 4), (4, 3)]
    assert a.areas.tolist() == [12, 12]
    for call in (a.decode, a.merge, lambda: a.iou(a), lambda: a.to_label_map([1, 2])):
        with pytest.raises(ValueError):
            call()


def test_bad_arguments() -> None:
    a = mc.RleArray.from_masks(np.ones((2, 3, 4), np.uint8))
    with pytest.raises(ValueError):
        a.iou(a, crowd=[1])
    with pytest.raises(ValueError):
        a.to_label_map([1])
    for bad in (None, 5, "masks", [np.ones(3, np.uint8)], [np.ones((3, 4))], np.ones((2, 3, 4))):
        with pytest.raises((TypeError, ValueError)):
            mc.RleArray.from_masks(bad)
    for bad in (None, 5, [None], [{"size": [3, 4]}], {"size": [3, 4], "counts": "<"}):
        with pytest.raises((TypeError, ValueError, KeyError)):
            mc.RleArray.from_coco(bad)
    with pytest.raises((TypeError, ValueError)):
        mc.RleArray.from_label_map(np.ones((3, 4)))


def test_a_slice_paints_its_own_masks():
    array = mc.RleArray.from_masks(np.eye(4, dtype=np.uint8).reshape(4, 2, 2))
    assert array[1:3].to_label_map([7, 8]).tolist() == [[0, 7], [8, 0]]
    assert array[2:].to_label_map([7, 8], out=np.zeros((2, 2), np.uint8)).tolist() == [[0, 0], [7, 8]]


@given(own.binary_masks(), st.data())
def test_windows_and_grids_equal_dense(mask, data):
    height, width = mask.shape
    array = mc.RleArray.from_masks(np.stack([mask, 1 - mask]))
    dense = array.decode()
    x = sorted(data.draw(st.tuples(st.integers(0, width), st.integers(0, width))))
    y = sorted(data.draw(st.tuples(st.integers(0, height), st.integers(0, height))))
    window = (x[0], y[0], x[1], y[1])
    assert (array.decode(window=window, threads=2) == dense[:, y[0] : y[1], x[0] : x[1]]).all()
    rows = sorted(data.draw(st.lists(st.integers(0, max(height - 1, 0)), max_size=30 if height else 0)))
    columns = sorted(data.draw(st.lists(st.integers(0, max(width - 1, 0)), max_size=30 if width else 0)))
    seen = array.gather(np.array(rows, int), np.array(columns, int), threads=2)
    assert (seen.decode() == dense[:, rows][:, :, columns]).all()


@pytest.mark.parametrize("rows", [[1, 0], [-1], [2], [0.5], [[0]]])
def test_grids_are_checked(rows):
    array = mc.RleArray.from_masks(np.ones((1, 2, 2), np.uint8))
    with pytest.raises((ValueError, TypeError)):
        array.gather(rows, [0])
    with pytest.raises((ValueError, TypeError)):
        array.gather([0], rows)
