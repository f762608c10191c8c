"""Crops, frames, mirrors, turns, sizes, neighbourhoods and pieces of masks against dense oracles."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc

from . import reference as ref
from . import strategies as own

sides = st.integers(-6, 6)


def check(rle: mc.Rle, dense: np.ndarray) -> None:
    assert rle.shape == dense.shape
    assert rle.runs.tolist() == ref.mask_to_runs(dense)


@given(own.binary_masks(max_side=14), st.data())
def test_crop_and_place(mask: np.ndarray, data: st.DataObject) -> None:
    h, w = mask.shape
    x0, y0 = data.draw(st.integers(0, w)), data.draw(st.integers(0, h))
    x1, y1 = data.draw(st.integers(x0, w)), data.draw(st.integers(y0, h))
    part = mc.Rle.from_mask(mask).crop((x0, y0, x1, y1))
    check(part, mask[y0:y1, x0:x1])
    kept = np.zeros_like(mask)
    kept[y0:y1, x0:x1] = mask[y0:y1, x0:x1]
    check(part.place(x0, y0, mask.shape), kept)


@given(own.binary_masks(max_side=14), sides, sides, sides, sides)
def test_pad(mask: np.ndarray, left: int, top: int, right: int, bottom: int) -> None:
    rle = mc.Rle.from_mask(mask)
    if mask.shape[0] + top + bottom < 0 or mask.shape[1] + left + right < 0:
        with pytest.raises(ValueError):
            rle.pad(left, top, right, bottom)
    else:
        check(rle.pad(left, top, right, bottom), ref.pad(mask, left, top, right, bottom))


@given(own.binary_masks(max_side=14), st.integers(-5, 5))
def test_mirrors_and_turns(mask: np.ndarray, k: int) -> None:
    rle = mc.Rle.from_mask(mask)
    check(rle.flip("horizontal"), mask[:, ::-1])
    check(rle.flip("vertical"), mask[::-1])
    check(rle.transpose(), mask.T)
    check(rle.rot90(k), np.rot90(mask, k))


@given(own.binary_masks(max_side=14), st.integers(1, 30), st.integers(1, 30))
def test_resize(mask: np.ndarray, height: int, width: int) -> None:
    if mask.size:
        check(mc.Rle.from_mask(mask).resize((height, width)), ref.resize(mask, (height, width)))


radii = st.sampled_from([0, 1, 1.5, 2, 2.5, 3])


@given(own.binary_masks(max_side=14), radii, st.sampled_from(["square", "cross", "disk"]))
def test_dilate_and_erode(mask: np.ndarray, radius: float, kernel: str) -> None:
    rle = mc.Rle.from_mask(mask)
    if kernel != "disk":
        radius = int(radius)
    check(rle.dilate(radius, kernel), ref.dilate(mask, radius, kernel))
    check(rle.erode(radius, kernel, border=True), 1 - ref.dilate(1 - mask, radius, kernel))
    around = np.pad(1 - mask, 4, constant_values=1)
    check(rle.erode(radius, kernel), 1 - ref.dilate(around, radius, kernel)[4:-4, 4:-4])


@given(own.binary_masks(max_side=14), st.sampled_from([4, 8]))
def test_components_and_holes(mask: np.ndarray, connectivity: int) -> None:
    rle = mc.Rle.from_mask(mask)
    pieces = ref.components(mask, connectivity)
    found = list(rle.components(connectivity))
    assert len(found) == len(pieces)
    for one, piece in zip(found, pieces, strict=True):
        check(one, piece)
    outside = np.pad(1 - mask, 1, constant_values=1)
    reached = ref.components(outside, 12 - connectivity)[0][1:-1, 1:-1]
    check(rle.fill_holes(connectivity=connectivity), 1 - reached)
