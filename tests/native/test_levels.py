"""Masks large enough for the wide loops, on every instruction level; the same answers from any number of threads."""

from __future__ import annotations

import os
import threading

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.compat import mask as mask_utils
from maskcodec.masks import decode_hasty, encode_hasty

from . import reference as ref
from . import strategies as own

KINDS = ["object", "blobs", "noise", "stripes", "full", "empty"]
SHAPES = [(130, 190), (64, 1200), (1100, 65), (257, 256)]


def picture(kind: str, shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """uint8 masks with few, some and very many runs."""
    h, w = shape
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h, :w]
    if kind == "object":
        return (((y - h / 2) / h) ** 2 + ((x - w / 2) / w) ** 2 < rng.uniform(0.05, 0.15)).astype(np.uint8)
    if kind == "blobs":
        waves = np.sin(y / rng.uniform(4, 9)) + np.sin(x / rng.uniform(4, 9)) + np.sin((x + y) / rng.uniform(9, 20))
        return (waves > 0.3).astype(np.uint8)
    if kind == "noise":
        return (rng.random(shape) < rng.choice([0.03, 0.5, 0.97])).astype(np.uint8)
    if kind == "stripes":
        return ((x + rng.integers(0, 9)) % 90 < 45).astype(np.uint8)
    return np.full(shape, kind == "full", np.uint8)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_dense_and_text(level: str, kind: str, shape: tuple[int, int]) -> None:
    mask = picture(kind, shape)
    runs = ref.mask_to_runs(mask)
    text = ref.format_counts(runs)
    for dtype in ("u1", "?", "<u2", "<i8"):
        for layout in ("C", "F", "every-other", "reversed"):
            assert mc.Rle.from_mask(own.lay_out(mask.astype(dtype), layout)).runs.tolist() == runs
    rle = mc.Rle.from_coco({"size": list(shape), "counts": text})
    assert rle.runs.tolist() == runs
    assert rle.to_coco()["counts"] == text
    obj = {"size": list(shape), "counts": text.encode()}
    assert int(mask_utils.area(obj)) == rle.area == int(mask.sum())
    assert mask_utils.toBbox(obj).tolist() == list(ref.bbox(mask)) == list(rle.bbox)
    for order in "CF":
        for dtype in ("u1", "?", "<u2", "f4", "f8"):
            assert np.array_equal(rle.decode(order=order, dtype=dtype), mask)
        for window in ((0, 0, 0, 0), (3, 5, shape[1] - 2, shape[0] - 9), (shape[1] - 1, 0, shape[1], shape[0])):
            x0, y0, x1, y1 = window
            assert np.array_equal(rle.decode(order=order, window=window), mask[y0:y1, x0:x1])
    assert rle.transpose().runs.tolist() == ref.mask_to_runs(mask.T)
    assert rle.to_counts(order="C") == ref.mask_to_runs(mask, "C")
    assert rle.to_hasty() == encode_hasty(mask) == ref.hasty_pairs(mask)
    assert np.array_equal(decode_hasty(encode_hasty(mask), shape), mask)


@pytest.mark.parametrize("at", [0, 1, 70, 71, 100, 200, -9, -1])
@pytest.mark.parametrize("edit", [b"/", b"p", b"\xff", b"P", b"o", b"oooooooo"])
def test_long_text_with_one_edit(level: str, at: int, edit: bytes) -> None:
    """Whatever the wide loop meets, the answer is that of the plain reading."""
    mask = picture("blobs", (130, 190))
    text = bytearray(ref.format_counts(ref.mask_to_runs(mask)).encode())
    where = at if at >= 0 else len(text) + at
    text[where : where + 1] = edit
    try:
        expected = ref.canonical(ref.parse_counts(bytes(text), mask.size))
    except ValueError:
        for call in (mc.Rle.from_coco, mask_utils.area, mask_utils.toBbox, mask_utils.decode):
            with pytest.raises(ValueError):
                call({"size": list(mask.shape), "counts": bytes(text)})
    else:
        assert mc.Rle.from_coco({"size": list(mask.shape), "counts": bytes(text)}).runs.tolist() == expected


def test_text_of_numbers_of_every_length(level: str) -> None:
    rng = np.random.default_rng(5)
    for spread in (4, 40, 600, 20000, 2**19):
        runs = [1, *rng.integers(1, spread, 300).tolist()]
        shape = (1, sum(runs))
        for pad in (0, 3):
            text = ref.format_counts(runs, pad=pad)
            assert mc.Rle.from_coco({"size": list(shape), "counts": text}).runs.tolist() == runs
        assert mc.Rle.from_counts(runs, shape).to_coco()["counts"] == ref.format_counts(runs)
    huge = [5, 2**31, 3, 2**30, *[7] * 100]
    text = ref.format_counts(huge)
    assert mc.Rle.from_coco({"size": [1, sum(huge)], "counts": text}).runs.tolist() == huge
    assert mc.Rle.from_counts(huge, (1, sum(huge))).to_coco()["counts"] == text


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<i4", "<u8", "i1"])
@pytest.mark.parametrize("layout", ["C", "F", "reversed"])
def test_label_maps(level: str, dtype: str, layout: str) -> None:
    h, w = 70, 700
    y, x = np.mgrid[:h, :w]
    labels = ((x // 37) * 3 + (y // 11) + picture("noise", (h, w), 4)) % 90
    if np.dtype(dtype).itemsize > 2:
        labels = labels * 1000 + (labels > 50) * 2**20
    labels = labels.astype(dtype)
    expected = ref.split_labels(labels)
    ids, masks = mc.RleArray.from_label_map(own.lay_out(labels, layout))
    assert ids.tolist() == list(expected)
    assert [rle.runs.tolist() for rle in masks] == [ref.mask_to_runs(m) for m in expected.values()]
    for shape in ("C", "F"):
        painted = masks.to_label_map(ids, dtype=np.dtype(dtype).newbyteorder("="), layout=shape)
        assert np.array_equal(painted, labels) and painted.flags[f"{shape}_CONTIGUOUS"]
    assert np.array_equal(masks.to_label_map(ids, out=np.zeros((h, w), np.dtype(dtype).newbyteorder("="))), labels)


@pytest.mark.parametrize("dtype", ["<u4", "<i8"])
def test_every_label_is_found_once_whatever_the_order(dtype: str) -> None:
    """Labels on both sides of 2^16, the larger ones first: each has one entry, and its runs are its own."""
    line = [70_000, 40_000, 70_000, 131_000, 65_535, 131_000, 65_536, 1, 70_000, 2**31 - 1, 65_536]
    labels = np.array([line, line[::-1]], dtype)
    for layout in ("C", "F"):
        ids, masks = mc.RleArray.from_label_map(own.lay_out(labels, layout))
        assert ids.tolist() == sorted(set(line))
        for label, rle in zip(ids, masks, strict=True):
            assert np.array_equal(rle.decode(), labels == label)


@pytest.mark.parametrize("count", [3, 254, 256, 300])
@pytest.mark.parametrize("dtype", ["u1", "<u2", "<i8"])
def test_overlapping_masks_are_painted_in_order(count: int, dtype: str) -> None:
    rng = np.random.default_rng(count)
    shape = (75, 133)
    corners = rng.integers(0, 60, (count, 2))
    boxes = [mc.Rle.from_box((*map(float, xy), *rng.uniform(1, 70, 2)), shape) for xy in corners]
    masks = mc.RleArray.from_rles(boxes)
    ids = rng.integers(0, 250, count)
    dense = [rle.decode() for rle in boxes]
    z = rng.integers(-2, 3, count)
    back_to_front = sorted(range(count), key=lambda i: z[i])
    for layout in "CF":
        assert np.array_equal(masks.to_label_map(ids, dtype=dtype, layout=layout), ref.paint(ids, dense, shape))
        expected = ref.paint([ids[i] for i in back_to_front], [dense[i] for i in back_to_front], shape)
        assert np.array_equal(masks.to_label_map(ids, dtype=dtype, order=z, layout=layout), expected)
    with pytest.raises(ValueError):
        masks.to_label_map(ids, order=z[1:])
    with pytest.raises(ValueError):
        masks.to_label_map(ids, layout="K")


@pytest.mark.parametrize("kind", ["object", "blobs", "noise"])
def test_overlaps_of_many(level: str, kind: str) -> None:
    """Enough meetings for the layout by columns, sizes that leave it, and one mask that is too deep for it."""
    shape = (140, 90)
    a = [picture(kind, shape, seed) for seed in range(18)] + [picture("noise", shape, 99), np.zeros(shape, np.uint8)]
    b = [np.roll(picture("object", shape, seed), seed * 5, 1) for seed in range(20)] + [picture("full", shape)]
    crowd = [i % 3 == 0 for i in range(len(b))]
    ours = mc.RleArray.from_masks(a), mc.RleArray.from_masks(b)
    expected = ref.iou(a, b, crowd)
    assert np.array_equal(ours[0].iou(ours[1], crowd), expected)
    texts = [[{**o, "counts": o["counts"].encode()} for o in side.to_coco()] for side in ours]
    assert np.array_equal(mask_utils.iou(*texts, crowd), expected)
    assert ours[0].merge().runs.tolist() == ref.mask_to_runs(np.max(a, 0))
    assert ours[0].merge(intersect=True).runs.tolist() == ref.mask_to_runs(np.min(a, 0))
    assert ours[1].merge().runs.tolist() == ref.mask_to_runs(np.max(b, 0))


def test_tall_masks_overlap_exactly(level: str) -> None:
    """Taller than 16 bits can count."""
    shape = (40000, 3)
    rng = np.random.default_rng(1)
    edges = np.sort(rng.integers(0, shape[0], (12, 2)), 1)
    masks = np.zeros((12, *shape), np.uint8)
    for mask, (top, bottom) in zip(masks, edges, strict=True):
        mask[top:bottom, 1:] = 1
    array = mc.RleArray.from_masks(masks)
    assert np.array_equal(array.iou(array), ref.iou(list(masks), list(masks), [0] * 12))


def test_box_overlaps(level: str) -> None:
    rng = np.random.default_rng(2)
    a, b = (np.concatenate([rng.uniform(0, 50, (n, 2)), rng.uniform(0, 30, (n, 2))], 1) for n in (37, 70))
    a[::5] = np.round(a[::5])
    b[::3] = np.round(b[::3])
    crowd = [i % 4 == 0 for i in range(70)]
    assert np.array_equal(mask_utils.iou(a, b, crowd), ref.box_iou(a.tolist(), b.tolist(), crowd))


@pytest.mark.parametrize("width", [1, 15, 64, 200])
def test_id_words(level: str, width: int) -> None:
    ids = np.random.default_rng(width).integers(0, 2**24, (9, width)).astype(np.uint32)
    planes = np.stack([ids & 255, ids >> 8 & 255, ids >> 16, np.full_like(ids, 255)], -1).astype(np.uint8)
    assert np.array_equal(mc.pack_ids(ids, "segments"), planes)
    assert np.array_equal(mc.pack_ids(ids, "panoptic"), planes[..., :3])
    for image in (planes, np.ascontiguousarray(planes[..., :3]), planes[:, ::-1], planes[:, :, :3]):
        assert np.array_equal(mc.unpack_ids(image), ids[:, ::-1] if image.strides[1] < 0 else ids)
    for y, x in ((0, 0), (4, width // 2), (8, width - 1)):
        bad = ids.copy()
        bad[y, x] = 2**24
        for layout in ("segments", "panoptic"):
            with pytest.raises(ValueError, match=f"row {y}, column {x}"):
                mc.pack_ids(bad, layout)


# --- threads ----------------------------------------------------------------------------------------------------------
def answers(threads: int) -> list[object]:
    """Every batch call that takes threads."""
    masks = np.array([picture(KINDS[i % 6], (60, 80), i) for i in range(23)])
    array = mc.RleArray.from_masks(masks, threads=threads)
    out = [array, mc.RleArray.from_coco(array.to_coco(), threads=threads), array.decode(threads=threads)]
    out += [array.decode(axis=-1, threads=threads), array.decode(size=(31, 17), threads=threads)]
    out += [array.iou(array, threads=threads), array.boundary_iou(array, threads=threads)]
    out += [array.crop((3, 4, 50, 40), threads=threads), array.pad(1, 2, 3, -4, threads=threads)]
    out += [array.shift(5, -6, threads=threads), array.resize((20, 90), threads=threads)]
    out += [array.flip(threads=threads), array.flip("vertical", threads=threads), array.boundaries(2, threads=threads)]
    rings = [[ring.reshape(-1)] for rle in array for ring in rle.to_polygons()[:2]]
    return [*out, mc.RleArray.from_polygons(rings, (60, 80), threads=threads)]


def equal(one: object, other: object) -> bool:
    return np.array_equal(one, other) if isinstance(one, np.ndarray) else one == other


@pytest.mark.parametrize("threads", [2, 5, 0])
def test_results_do_not_depend_on_threads(threads: int) -> None:
    for one, other in zip(answers(1), answers(threads), strict=True):
        assert equal(one, other)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_first_bad_one_is_reported(threads: int) -> None:
    good = mc.Rle.from_mask(picture("blobs", (60, 80))).to_coco()
    rles = [good] * 40
    rles[13] = {**good, "counts": good["counts"][:-1] + "/"}
    rles[14] = {**good, "counts": "0"}
    rles[39] = {**good, "counts": "/"}
    with pytest.raises(mc.DecodeError, match=r"rles\[13\].*'/'"):
        mc.RleArray.from_coco(rles, threads=threads)


def test_calls_from_many_threads_at_once() -> None:
    expected = answers(1)
    failed: list[object] = []

    def work() -> None:
        failed.extend(1 for one, other in zip(expected, answers(2), strict=True) if not equal(one, other))

    pool = [threading.Thread(target=work) for _ in range(4)]
    for thread in pool:
        thread.start()
    for thread in pool:
        thread.join()
    assert not failed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_threads_before_and_after_a_fork() -> None:
    expected = answers(3)
    child = os.fork()
    if child == 0:
        same = all(equal(one, other) for one, other in zip(expected, answers(3), strict=True))
        os._exit(0 if same else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert all(equal(one, other) for one, other in zip(expected, answers(3), strict=True))
