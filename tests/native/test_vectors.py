"""Every literal vector of the format descriptions."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from pycocotools import mask as reference_mask

import maskcodec as mc

from . import reference as ref

SAMPLES = os.environ.get("MASKCODEC_SAMPLES", "")

# counts -> compressed string (coco-rle, vectors)
STRINGS = [
    ([6], "6"),
    ([0, 6], "06"),
    ([0, 1, 5], "015"),
    ([15], "?"),
    ([16], "`0"),
    ([32], "P1"),
    ([511], "o?"),
    ([512], "P`0"),
    ([1, 2, 3, 4, 5], "12322"),
    ([1, 2, 3, 1], "123O"),
    ([100, 200, 9700], "T3X6T_9"),
    ([10, 20, 30, 40, 50, 60, 9790], ":d0n0d0d0d0\\`9"),
    ([16777215], "oooo?"),
    ([16777216], "PPPP`0"),
    ([536870911], "ooooo?"),
    ([536870912], "PPPPP`0"),
    ([4294967295], "oooooo3"),
    ([0, 4294967295], "0oooooo3"),
]

# rows, column-major counts, string, bbox, Hasty pairs, row-major counts
MASKS = [
    (("....", "....", "...."), [12], "<", (0, 0, 0, 0), [], [12]),
    (("####", "####", "####"), [0, 12], "0<", (0, 0, 4, 3), [1, 12], [0, 12]),
    (("....", ".#..", "...."), [4, 1, 7], "417", (1, 1, 1, 1), [6, 1], [5, 1, 6]),
    (("#...", "....", "...."), [0, 1, 11], "01;", (0, 0, 1, 1), [1, 1], [0, 1, 11]),
    (("....", "....", "...#"), [11, 1], ";1", (3, 2, 1, 1), [12, 1], [11, 1]),
    (("..#.", ".#..", ".#.."), [4, 3, 5], "435", (1, 0, 2, 3), [3, 1, 6, 1, 10, 1], [2, 1, 2, 1, 3, 1, 2]),
    (
        ("#...", "#...", "###."),
        [0, 3, 2, 1, 2, 1, 3],
        "032N001",
        (0, 0, 3, 3),
        [1, 1, 5, 1, 9, 3],
        [0, 1, 3, 1, 3, 3, 1],
    ),
    (
        (".....", ".###.", ".#.#.", ".###.", "....."),
        [6, 3, 2, 1, 1, 1, 2, 3, 6],
        "632NO0124",
        (1, 1, 3, 3),
        [7, 3, 12, 1, 14, 1, 17, 3],
        [6, 3, 2, 1, 1, 1, 2, 3, 6],
    ),
    (
        ("#.#", ".#.", "#.#"),
        [0, 1, 1, 1, 1, 1, 1, 1, 1, 1],
        "0110000000",
        (0, 0, 3, 3),
        [1, 1, 3, 1, 5, 1, 7, 1, 9, 1],
        [0, 1, 1, 1, 1, 1, 1, 1, 1, 1],
    ),
    ((".##..#.",), [1, 2, 2, 1, 1], "122OO", (1, 0, 5, 1), [2, 2, 6, 1], [1, 2, 2, 1, 1]),
    ((".", "#", "#", "."), [1, 2, 1], "121", (0, 1, 1, 2), [2, 2], [1, 2, 1]),
    (("..##", "##..", "...#"), [1, 1, 2, 1, 1, 1, 2, 1, 1, 1], None, (0, 0, 4, 3), [3, 4, 12, 1], [2, 4, 5, 1]),
]

# ring, frame, counts, string, area (polygon-rasterisation, vectors)
RINGS = [
    ("1,1 4,1 4,4 1,4", (6, 6), [7, 3, 3, 3, 3, 3, 14], "733000;", 9),
    ("0,0 0,9 9,9 9,0", (10, 10), [0] + [9, 1] * 8 + [9, 11], "091000000000000000:", 81),
    ("0,0 6,0 6,5 0,5", (5, 6), [0, 30], "0n0", 30),
    ("1,1 6,1 1,6", (7, 7), [8, 4, 3, 3, 4, 2, 5, 1, 19], "843O1O1O>", 10),
    ("1,6 6,1 1,1", (7, 7), [8, 4, 3, 3, 4, 2, 5, 1, 19], "843O1O1O>", 10),
    ("0.5,0.5 2.5,0.5 2.5,2.5 0.5,2.5", (4, 4), [5, 2, 2, 2, 5], "52203", 4),
    ("0.4,0.4 2.4,0.4 2.4,2.4 0.4,2.4", (4, 4), [0, 2, 2, 2, 10], "02208", 4),
    ("0.6,0.6 2.6,0.6 2.6,2.6 0.6,2.6", (4, 4), [5, 2, 2, 2, 5], "52203", 4),
    ("1,1 1.5,1 1.5,4 1,4", (6, 6), [7, 3, 26], "73j0", 3),
    ("1,1 4,1 4,1.5 1,1.5", (6, 6), [7, 1, 5, 1, 5, 1, 16], "715000;", 3),
    ("1,1 4,1 4,1.4 1,1.4", (6, 6), [36], "T1", 0),
    ("1,1 6,6 6,1 1,6", (8, 8), [9, 4, 5, 2, 14, 2, 5, 4, 19], "945N90G2>", 12),
    ("-3,-3 3,-3 3,3 -3,3", (5, 5), [0, 3, 2, 3, 2, 3, 12], "032000:", 9),
    ("3,3 9,3 9,9 3,9", (5, 5), [18, 2, 3, 2], "b0230", 4),
    ("7,7 9,7 9,9 7,9", (5, 5), [25], "i0", 0),
    ("1,1 4,1 4,4 1,4 1,1", (6, 6), [7, 3, 3, 3, 3, 3, 14], "733000;", 9),
    ("1,1 1,1 4,1 4,1 4,4 1,4", (6, 6), [7, 3, 3, 3, 3, 3, 14], "733000;", 9),
    ("1,1 4,4 1,1", (6, 6), [36], "T1", 0),
    (
        "2.31,1.07 6.82,2.4 5.93,6.66 1.2,5.05",
        (8, 8),
        [12, 1, 4, 4, 4, 5, 4, 4, 4, 4, 4, 2, 12],
        "<143010O000N8",
        20,
    ),
    (
        "1,1 7,1 7,7 1,7 1,1 3,3 3,5 5,5 5,3 3,3",
        (8, 8),
        [9, 6, 2, 6, 2, 2, 2, 2, 2, 2, 2, 2, 2, 6, 2, 6, 9],
        "96200L00000004007",
        32,
    ),
    (
        "1,1 8,1 1,8",
        (10, 10),
        [11, 6, 4, 5, 5, 4, 6, 3, 7, 2, 8, 1, 38],
        ";64O1O1O1O1On0",
        21,
    ),
]

# box, counts, string, area, bbox back; all in a 5 x 5 frame
BOXES = [
    ([1, 1, 2, 2], [6, 2, 3, 2, 12], "62309", 4, (1, 1, 2, 2)),
    ([0.5, 0.5, 2, 2], [6, 2, 3, 2, 12], "62309", 4, (1, 1, 2, 2)),
    ([0.4, 0.4, 2, 2], [0, 2, 3, 2, 18], "0230?", 4, (0, 0, 2, 2)),
    ([1.2, 1.2, 1.5, 1.5], [6, 2, 3, 2, 12], "62309", 4, (1, 1, 2, 2)),
    ([-1, -1, 3, 3], [0, 2, 3, 2, 18], "0230?", 4, (0, 0, 2, 2)),
    ([3, 3, 9, 9], [18, 2, 3, 2], "b0230", 4, (3, 3, 2, 2)),
    ([2, 2, 0, 0], [25], "i0", 0, (0, 0, 0, 0)),
]


def shape_of(pixels: int) -> tuple[int, int]:
    """Some shape with so many pixels."""
    return (1, pixels)


@pytest.mark.parametrize(("counts", "text"), STRINGS)
def test_counts_and_string(counts: list[int], text: str) -> None:
    shape = shape_of(sum(counts))
    rle = mc.Rle.from_coco({"size": list(shape), "counts": text})
    assert rle.runs.tolist() == counts
    assert rle.to_coco() == {"size": list(shape), "counts": text}
    assert mc.Rle.from_counts(counts, shape).to_coco(bytes=True)["counts"] == text.encode()


def test_runs_that_add_up_to_more_than_any_mask_are_refused_although_the_grammar_allows_them() -> None:
    # [3, 4294967295, 3, 5] is a valid number sequence, but no mask has so many pixels
    assert ref.format_counts([3, 4294967295, 3, 5]) == "3oooooo33VPPPPPL"
    with pytest.raises(ValueError):
        mc.Rle.from_coco({"size": [1, 4294967295], "counts": "3oooooo33VPPPPPL"})
    with pytest.raises(ValueError):
        mc.Rle.from_coco({"size": [1, 4294967306], "counts": "3oooooo33VPPPPPL"})


@pytest.mark.parametrize(("rows", "counts", "text", "box", "pairs", "row_counts"), MASKS)
def test_masks(
    rows: tuple[str, ...],
    counts: list[int],
    text: str | None,
    box: tuple[int, ...],
    pairs: list[int],
    row_counts: list[int],
) -> None:
    mask = ref.picture(*rows)
    rle = mc.Rle.from_mask(mask)
    assert rle.runs.tolist() == counts
    assert rle.area == int(mask.sum())
    assert tuple(rle.bbox) == box
    if text is not None:
        assert rle.to_coco()["counts"] == text
        assert np.array_equal(mc.Rle.from_coco({"size": list(mask.shape), "counts": text}).decode(), mask)
    assert list(rle.to_hasty()) == pairs
    assert mc.Rle.from_hasty(pairs, shape=mask.shape) == rle
    assert list(rle.to_counts(order="C")) == row_counts
    assert mc.Rle.from_counts(row_counts, mask.shape, order="C") == rle
    assert list(rle.to_counts(order="F")) == counts


def test_set_operations() -> None:
    a, b = (mc.Rle.from_coco({"size": [4, 5], "counts": text}) for text in ("53<", "45;"))
    assert (a.runs.tolist(), b.runs.tolist()) == ([5, 3, 12], [4, 5, 11])
    assert (a | b).to_coco()["counts"] == "45;"
    assert (a & b).to_coco()["counts"] == "53<"
    pair = [mc.RleArray.from_coco([rle.to_coco()]) for rle in (a, b)]
    assert pair[0].iou(pair[1]).tolist() == [[0.6]]
    assert pair[0].iou(pair[1], crowd=[1]).tolist() == [[1.0]]


def test_zero_length_inner_runs_are_folded() -> None:
    rle = mc.Rle.from_coco({"size": [4, 5], "counts": "230M550"})
    assert rle.area == 8
    assert rle.to_coco()["counts"] == "23520"
    assert rle.runs.tolist() == [2, 3, 5, 5, 5]


@pytest.mark.parametrize(("points", "shape", "counts", "text", "area"), RINGS)
def test_rings(points: str, shape: tuple[int, int], counts: list[int], text: str, area: int) -> None:
    ring = [float(v) for pair in points.split() for v in pair.split(",")]
    rle = mc.Rle.from_polygons([ring], shape)
    assert rle.runs.tolist() == counts
    assert rle.to_coco()["counts"] == text
    assert rle.area == area


@pytest.mark.parametrize(("box", "counts", "text", "area", "back"), BOXES)
def test_boxes(box: list[float], counts: list[int], text: str, area: int, back: tuple[int, ...]) -> None:
    x, y, w, h = box
    rle = mc.Rle.from_polygons([[x, y, x, y + h, x + w, y + h, x + w, y]], (5, 5))
    assert rle.runs.tolist() == counts
    assert rle.to_coco()["counts"] == text
    assert (rle.area, tuple(rle.bbox)) == (area, back)
    assert mc.Rle.from_box(box, (5, 5)) == rle


def test_the_crop_of_a_hasty_label() -> None:
    rle = mc.Rle.from_hasty([3, 4, 12, 1], shape=(30, 40), box=(10, 20, 14, 23))
    ys, xs = np.nonzero(rle.decode())
    assert sorted(zip(xs.tolist(), ys.tolist(), strict=True)) == [(10, 21), (11, 21), (12, 20), (13, 20), (13, 22)]
    assert (rle.area, tuple(rle.bbox)) == (5, (10, 20, 4, 3))
    assert list(rle.to_hasty(box=(10, 20, 14, 23))) == [3, 4, 12, 1]
    with pytest.raises(ValueError):
        mc.Rle.from_hasty([12, 2], shape=(30, 40), box=(10, 20, 14, 23))


def test_donut_as_one_ring() -> None:
    mask = np.zeros((12, 12), np.uint8)
    mask[1:11, 1:11] = 1
    mask[4:7, 4:7] = 0
    rle = mc.Rle.from_mask(mask)
    (ring,) = rle.to_polygons(holes="bridge")
    assert ref.flat_ring(ring) == [1, 1, 11, 1, 11, 11, 1, 11, 1, 1, 4, 4, 4, 7, 7, 7, 7, 4, 4, 4, 1, 1]
    assert rle.to_coco()["counts"] == "=:20000I11OO11OO11O6000000;"
    assert mc.Rle.from_polygons([ref.flat_ring(ring)], (12, 12)) == rle
    outer, hole = rle.to_polygons(holes="rings")
    assert ref.flat_ring(outer) == [1, 1, 11, 1, 11, 11, 1, 11]
    assert ref.flat_ring(hole) == [4, 4, 4, 7, 7, 7, 7, 4]
    # two rings of one annotation are united, so the hole is filled
    assert mc.Rle.from_polygons([ref.flat_ring(outer), ref.flat_ring(hole)], (12, 12)).area == 100


def test_datumaro_sample_is_short_by_18_pixels() -> None:
    sample = {"size": [10, 10], "counts": "d0d0:F\\0"}
    with pytest.raises(ValueError):
        mc.Rle.from_coco(sample)
    notes: list[object] = []
    lenient = mc.Rle.from_coco(sample, strict=False, notes=notes)
    assert (lenient.area, tuple(lenient.bbox)) == (30, (2, 0, 4, 10))
    assert lenient == mc.Rle.from_coco({"size": [10, 10], "counts": "d0d0:Fn0"})
    assert len(notes) == 1


def test_mots_line() -> None:
    text = "WSV:2d;1O10000O10000O1O100O100O1O100O1000000000000000O100O102N5K00O1O1N2O110OO2O001O1NTga3"
    rle = mc.Rle.from_coco({"size": [375, 1242], "counts": text})
    assert (rle.area, tuple(rle.bbox)) == (283, (890, 168, 41, 11))
    assert rle.to_coco()["counts"] == text


def packed(ids: list[int], dtype: str = "uint32") -> np.ndarray:
    return mc.pack_ids(np.array([ids], dtype), "segments")


def test_id_packing() -> None:
    table = {
        0: [0, 0, 0, 255],
        1: [1, 0, 0, 255],
        255: [255, 0, 0, 255],
        256: [0, 1, 0, 255],
        65535: [255, 255, 0, 255],
        65536: [0, 0, 1, 255],
        66051: [3, 2, 1, 255],
        11259375: [239, 205, 171, 255],
        16777215: [255, 255, 255, 255],
    }
    image = packed(list(table))
    assert image.tolist() == [list(table.values())]
    assert mc.unpack_ids(image).tolist() == [list(table)]
    assert mc.pack_ids(np.array([list(table)]), "panoptic").tolist() == [[v[:3] for v in table.values()]]
    assert mc.unpack_ids(np.array([[[1, 2, 3]]], np.uint8)).tolist() == [[197121]]
    with pytest.raises(ValueError):
        packed([16777221])


@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")  # pycocotools under NumPy 2
@pytest.mark.skipif(not SAMPLES, reason="MASKCODEC_SAMPLES is not set: no real files")
def test_the_mask_of_the_hasty_coco_page() -> None:
    path = Path(SAMPLES) / "coco" / "hasty-doc-example" / "annotation.json"
    found = json.loads(path.read_text(encoding="utf-8"))["segmentation"]
    rle = mc.Rle.from_coco(found)
    assert len(found["counts"]) == 245
    assert (len(rle.runs), int(rle.runs.sum()), int(rle.runs[0]), int(rle.runs[-1])) == (235, 4636467, 1115207, 3264761)
    assert (rle.area, tuple(rle.bbox)) == (6718, (504, 842, 117, 75))
    assert rle.to_coco() == found
    dense = rle.decode()
    assert dense.shape == (2211, 2097) and dense.flags.c_contiguous
    digest = "01351be8f74932773f5d3a4ab72dd2d34c8bf9245d05d88d1533fb8310b5ad37"
    assert hashlib.sha256(dense.tobytes()).hexdigest() == digest
    assert np.array_equal(dense, reference_mask.decode(found))
    box = (504, 842, 621, 917)
    pairs = list(rle.to_hasty(box=box))
    assert len(pairs) == 164 and sum(pairs[1::2]) == 6718
    assert pairs[:11] == [85, 14, 202, 14, 315, 21, 428, 26, 545, 26, 659]
    assert pairs[-8:] == [8344, 35, 8461, 35, 8581, 28, 8708, 8]
    assert mc.Rle.from_hasty(pairs, shape=(2211, 2097), box=box) == rle
