"""Real masks written as one bridged COCO polygon fill back to exactly the same mask under pycocotools itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from pycocotools import mask as theirs

import maskcodec as mc

from . import reference as ref
from . import strategies as own
from .real_masks import REASON, SAMPLES, segmentations


def rle_of(segmentation: object, h: int, w: int) -> mc.Rle:
    if isinstance(segmentation, dict):
        return mc.Rle.from_coco(segmentation)
    return mc.Rle.from_polygons(segmentation, (h, w))


@pytest.mark.skipif(not SAMPLES, reason=REASON)
def test_every_real_mask() -> None:
    seen, with_holes, different = 0, 0, []
    for where, segmentation, h, w in segmentations():
        rle = rle_of(segmentation, h, w)
        rings = [ref.flat_ring(ring) for ring in rle.to_polygons(holes="bridge")]
        if not rle.area:
            assert rings == []
            continue
        seen += 1
        with_holes += len(rle.to_polygons(holes="rings")) > 1
        assert len(rings) == 1
        (back,) = theirs.frPyObjects(rings, h, w)
        if back != rle.to_coco(bytes=True):
            different.append(where)
    assert different == []
    assert seen > 100 and with_holes > 5


@given(own.binary_masks(max_side=30))
def test_any_mask(mask: object) -> None:
    rle = mc.Rle.from_mask(mask)
    rings = [ref.flat_ring(ring) for ring in rle.to_polygons(holes="bridge")]
    if rings:
        assert theirs.frPyObjects(rings, rle.height, rle.width) == [rle.to_coco(bytes=True)]
