"""Label maps: splitting into runs and painting runs."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from maskcodec import idmaps
from maskcodec._native import raster
from tests.native import raster_reference as ref

DTYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"]


def layouts(array):
    big = np.zeros((array.shape[0] * 2 + 1, array.shape[1] * 3 + 1), array.dtype)
    big[1::2, 1::3] = array
    raw = np.zeros(array.nbytes + 1, np.uint8)[1:]
    raw[:] = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
    yield "C", np.ascontiguousarray(array)
    yield "F", np.asfortranarray(array)
    yield "sliced", big[1::2, 1::3]
    yield "reversed", np.ascontiguousarray(array[::-1, ::-1])[::-1, ::-1]
    yield "reversed F", np.asfortranarray(array[::-1, ::-1])[::-1, ::-1]
    yield "other byte order", array.astype(array.dtype.newbyteorder())
    yield "unaligned", raw.view(array.dtype).reshape(array.shape)


def check_split(labels, expected=None, background=None):
    expected = ref.split(labels) if expected is None else expected
    ids, runs, offsets = raster.split_labels(labels, background)
    assert ids.dtype == labels.dtype.newbyteorder("=")
    assert ids.tolist() == sorted(v for v in expected if v != background)
    for i, value in enumerate(ids.tolist()):
        mine = runs[offsets[i] : offsets[i + 1]]
        ref.assert_canonical(mine, labels.shape)
        assert mine.tolist() == expected[value], (value, labels)


@pytest.mark.parametrize("dtype", DTYPES)
def test_split(dtype):
    rng = np.random.default_rng(1)
    limits = np.iinfo(dtype)
    for k in range(40):
        shape = tuple(map(int, rng.integers(1, 90, 2)))
        values = rng.integers(limits.min, limits.max, int(rng.integers(1, 9)), dtype=dtype, endpoint=True)
        if k % 3 == 0:
            values = np.array([0, 1, 2, limits.max, limits.min], dtype)
        labels = values[rng.integers(0, len(values), shape)]
        if k % 2:
            labels = np.kron(labels, np.ones((3, 4), dtype))
        expected = ref.split(labels)
        for _, view in layouts(labels):
            check_split(view, expected)
        check_split(labels, expected, background=int(values[0]))


@pytest.mark.parametrize("dtype", ["u2", "u4", "i8"])
def test_split_tens_of_thousands_of_ids(dtype):
    rng = np.random.default_rng(2)
    labels = rng.permutation(200 * 150).reshape(200, 150).astype(dtype)
    if dtype == "i8":
        labels = labels * 1_000_003_000_007 - 2**60
    ids, runs, offsets = raster.split_labels(labels)
    np.testing.assert_array_equal(ids, np.sort(labels.ravel()))
    assert len(offsets) == 30001 and int(offsets[-1]) == len(runs)
    start = {int(v): i for i, v in enumerate(labels.T.ravel())}
    for i in range(0, 30000, 97):
        at = start[int(ids[i])]
        assert runs[offsets[i] : offsets[i + 1]].tolist() == ([at, 1, 29999 - at] if at < 29999 else [at, 1])


def test_split_in_strips():
    """Tall maps are read in strips of columns."""
    rng = np.random.default_rng(3)
    labels = np.repeat(rng.integers(0, 3, (600, 700)).astype(np.uint8), 60, axis=0)
    assert (2**23 // labels.shape[0]) < labels.shape[1]
    ids, runs, offsets = raster.split_labels(labels)
    for i, value in enumerate(ids):
        np.testing.assert_array_equal(ref.mask_of(runs[offsets[i] : offsets[i + 1]], labels.shape), labels == value)


def test_split_special():
    ids, runs, offsets = raster.split_labels(np.zeros((0, 5), np.int16))
    assert (ids.dtype, ids.tolist(), runs.tolist(), offsets.tolist()) == (np.int16, [], [], [0])
    ids, runs, offsets = raster.split_labels(np.full((3, 4), 9, np.uint64))
    assert (ids.tolist(), runs.tolist()) == ([9], [0, 12])
    ids, runs, offsets = raster.split_labels(np.full((3, 4), 9, np.uint64), 9)
    assert (ids.tolist(), runs.tolist(), offsets.tolist()) == ([], [], [0])
    huge = np.lib.stride_tricks.as_strided(np.zeros(1, np.uint8), (2**16, 2**15), (0, 0))
    with pytest.raises(ValueError, match=r"2\^31-1"):
        raster.split_labels(huge)
    for wrong in (np.zeros((2, 2)), np.zeros((2, 2), bool), [[1]], np.array([["a"]]), np.zeros((2, 2), object)):
        with pytest.raises(TypeError):
            raster.split_labels(wrong)
    with pytest.raises(ValueError):
        raster.split_labels(np.zeros(3, int))
    with pytest.raises(ValueError, match="256"):
        raster.split_labels(np.zeros((3, 3), np.uint8), 256)


@pytest.mark.parametrize("dtype", DTYPES)
def test_paint(dtype):
    rng = np.random.default_rng(4)
    limits = np.iinfo(dtype)
    for _ in range(60):
        shape = tuple(map(int, rng.integers(1, 40, 2)))
        masks = [rng.random(shape) < rng.uniform(0, 1.1) for _ in range(4)]
        values = rng.integers(limits.min, limits.max, 4, dtype=dtype, endpoint=True)
        expected = np.full(shape, 3, dtype)
        painter = raster.Painter(*shape, np.dtype(dtype), 3)
        for mask, value in zip(masks, values, strict=True):
            expected[mask] = value
            painter.paint(np.array(ref.runs_of(mask), np.uint32), value)
        np.testing.assert_array_equal(painter.array, expected)
        assert painter.array.dtype == dtype
        painter.clear(3)
        assert (painter.array == 3).all()
        parts = [np.array(ref.runs_of(mask), np.uint32) for mask in masks]
        painter.paint_many(np.concatenate(parts), np.cumsum([0] + [len(p) for p in parts]), values)
        np.testing.assert_array_equal(painter.array, expected)


def test_split_and_paint_are_inverse():
    rng = np.random.default_rng(5)
    labels = np.kron(rng.integers(-5, 5, (20, 31)), np.ones((4, 3), int))
    ids, runs, offsets = raster.split_labels(labels)
    painter = raster.Painter(*labels.shape, labels.dtype)
    painter.paint_many(runs, offsets, ids)
    np.testing.assert_array_equal(painter.array, labels)


def test_paint_onto_a_given_array():
    big = np.zeros((6, 9), np.uint16)
    painter = idmaps.Painter((3, 4), out=big[1:6:2, 2:6])
    painter.paint(np.array([0, 5, 7], np.uint32), 7)
    expected = np.zeros_like(big)
    view = expected[1:6:2, 2:6]
    view[:, 0] = 7
    view[0:2, 1] = 7
    np.testing.assert_array_equal(big, expected)
    frozen = np.zeros((2, 2), np.uint8)
    frozen.flags.writeable = False
    for wrong in (frozen, np.zeros((2, 4), np.uint8)[:, ::2], np.zeros((2, 2), np.uint8, order="F")):
        with pytest.raises(ValueError):
            idmaps.Painter((2, 2), out=wrong)
    with pytest.raises(TypeError):
        idmaps.Painter((2, 2), out=np.zeros((2, 2)))
    with pytest.raises(ValueError):
        idmaps.Painter((2, 3), out=np.zeros((2, 2), np.uint8))


def test_paint_refuses():
    painter = raster.Painter(3, 3, np.dtype("u1"))
    for runs, value, error in [
        (np.array([5], np.uint32), 1, ValueError),
        (np.array([4, 0, 5], np.uint32), 1, ValueError),
        (np.array([4, 2, 4], np.uint32), 1, ValueError),
        (np.array([], np.uint32), 1, ValueError),
        (np.array([0, 9], np.uint32), 256, ValueError),
        (np.array([0, 9], np.uint32), -1, ValueError),
        (np.array([0, 9], np.uint32), 2**70, ValueError),
        (np.array([0, 9], np.uint32), 1.0, TypeError),
        (np.array([0, 9], np.int64), 1, TypeError),
        ([0, 9], 1, TypeError),
    ]:
        with pytest.raises(error):
            painter.paint(runs, value)
    with pytest.raises(ValueError):
        painter.paint_many(np.array([0, 9, 5], np.uint32), np.array([0, 2, 3]), np.array([1, 2]))
    with pytest.raises(ValueError, match=r"values\[1\]"):
        painter.paint_many(np.array([0, 9, 0, 9], np.uint32), np.array([0, 2, 4]), np.array([1, -2]))
    assert not painter.array.any()
    for dtype in ("f4", "?", ">u2", "O"):
        with pytest.raises(TypeError):
            raster.Painter(3, 3, np.dtype(dtype))
    with pytest.raises(ValueError):
        raster.Painter(2**16, 2**15, np.dtype("u1"))


def test_the_canvas_outlives_the_painter():
    painter = idmaps.Painter((2, 2), "int8")
    array = painter.array
    del painter
    array[:] = 5
    assert array.tolist() == [[5, 5], [5, 5]]


def test_one_painter_in_many_threads():
    painter = raster.Painter(60, 80, np.dtype("u4"))
    runs = [np.array(ref.runs_of(np.random.default_rng(k).random((60, 80)) < 0.5), np.uint32) for k in range(4)]

    def work(k):
        for _ in range(200):
            painter.paint(runs[k], k + 1)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert painter.array.max() <= 4
