"""The Hasty run-length encoding, plain and over the crop of a label's box."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.masks import decode_hasty, encode_hasty

from . import reference as ref
from . import strategies as own


@st.composite
def masks_in_boxes(draw: st.DrawFn) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    """A mask and a box in it; nothing is set outside the box."""
    h, w = draw(st.integers(1, 20)), draw(st.integers(1, 20))
    x0, y0 = draw(st.integers(0, w - 1)), draw(st.integers(0, h - 1))
    x1, y1 = draw(st.integers(x0 + 1, w)), draw(st.integers(y0 + 1, h))
    mask = np.zeros((h, w), np.uint8)
    mask[y0:y1, x0:x1] = draw(own.binary_masks((y1 - y0, x1 - x0)))
    return mask, (x0, y0, x1, y1)


@given(own.binary_masks())
def test_the_whole_image(mask: np.ndarray) -> None:
    pairs = mc.Rle.from_mask(mask).to_hasty()
    assert list(pairs) == ref.hasty_pairs(mask)
    assert mc.Rle.from_hasty(pairs, shape=mask.shape) == mc.Rle.from_mask(mask)
    assert json.loads(json.dumps(list(pairs))) == ref.hasty_pairs(mask)


@given(own.binary_masks(), st.sampled_from(["C", "F", "every-other", "reversed"]))
def test_between_dense_masks_and_pairs(mask: np.ndarray, layout: str) -> None:
    pairs = encode_hasty(own.lay_out(mask, layout))
    assert pairs == ref.hasty_pairs(mask)
    for given_as in (pairs, np.array(pairs, np.int32)):
        dense = decode_hasty(given_as, mask.shape)
        assert dense.dtype == np.uint8 and dense.flags.c_contiguous and np.array_equal(dense, mask)


@given(masks_in_boxes())
def test_a_crop(pair: tuple[np.ndarray, tuple[int, int, int, int]]) -> None:
    mask, box = pair
    rle = mc.Rle.from_mask(mask)
    pairs = rle.to_hasty(box=box)
    assert list(pairs) == ref.hasty_pairs(mask, box)
    assert mc.Rle.from_hasty(pairs, shape=mask.shape, box=box) == rle
    assert mc.Rle.from_hasty(np.array(pairs, np.int32), shape=mask.shape, box=box) == rle


@given(own.shapes, st.lists(st.integers(-2, 60), max_size=8), st.booleans())
def test_the_reader_accepts_exactly_what_the_rules_accept(
    shape: tuple[int, int], pairs: list[int], strict: bool
) -> None:
    try:
        expected = ref.hasty_mask(pairs, shape, strict=strict)
    except ValueError:
        with pytest.raises(ValueError):
            mc.Rle.from_hasty(pairs, shape=shape, strict=strict)
        if strict:
            with pytest.raises(mc.DecodeError):
                decode_hasty(pairs, shape)
    else:
        if strict:
            assert np.array_equal(decode_hasty(pairs, shape), expected)
        assert np.array_equal(mc.Rle.from_hasty(pairs, shape=shape, strict=strict).decode(), expected)


@given(own.shapes, st.lists(st.tuples(st.integers(1, 80), st.integers(0, 9)), max_size=6))
def test_lenient_reading_unites_and_says_so(shape: tuple[int, int], pairs: list[tuple[int, int]]) -> None:
    pixels = shape[0] * shape[1]
    flat = [v for start, length in pairs if start - 1 + length <= pixels for v in (start, length)]
    notes: list[object] = []
    rle = mc.Rle.from_hasty(flat, shape=shape, strict=False, notes=notes)
    assert np.array_equal(rle.decode(), ref.hasty_mask(flat, shape, strict=False))
    try:
        mc.Rle.from_hasty(flat, shape=shape)
    except ValueError:
        assert notes
    else:
        assert not notes


def test_touching_pairs_are_valid_and_written_merged() -> None:
    rle = mc.Rle.from_hasty([1, 2, 3, 2], shape=(2, 4))
    assert list(rle.to_hasty()) == [1, 4]


@pytest.mark.parametrize(
    "pairs",
    [[1.0, 2.0], ["1", "2"], [None, 1], "1 2", None, {"start": 1}, [[1, 2]], [True, 1], [float("nan"), 1], 5],
)
def test_pairs_that_are_no_integers(pairs: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        mc.Rle.from_hasty(pairs, shape=(3, 4))


@pytest.mark.parametrize("pairs", [[2**32 + 1, 1], [1, 2**32], [2**63 - 1, 2], [2**80, 1], [1, 2**64]])
def test_numbers_are_computed_without_wrapping(pairs: list[int]) -> None:
    with pytest.raises((ValueError, OverflowError)):
        mc.Rle.from_hasty(pairs, shape=(3, 4))


@pytest.mark.parametrize(
    "box", [(-1, 0, 3, 3), (0, 0, 5, 3), (0, 0, 4, 4), (2, 0, 2, 3), (3, 0, 1, 3), (0.5, 0, 3, 3), (0, 0, 3), "0,0,3,3"]
)
def test_boxes_that_do_not_fit(box: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        mc.Rle.from_hasty([1, 1], shape=(3, 4), box=box)
    with pytest.raises((ValueError, TypeError)):
        mc.Rle.from_mask(np.eye(3, 4, dtype=np.uint8)).to_hasty(box=box)


def test_a_crop_that_would_lose_pixels_is_refused() -> None:
    with pytest.raises(ValueError):
        mc.Rle.from_mask(np.ones((3, 4), np.uint8)).to_hasty(box=(0, 0, 2, 2))
