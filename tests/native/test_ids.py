"""Id packing, instance words and palettes."""

from __future__ import annotations

import doctest

import numpy as np
import pytest

from maskcodec import idmaps

VECTORS = {
    0: (0, 0, 0),
    1: (1, 0, 0),
    255: (255, 0, 0),
    256: (0, 1, 0),
    65535: (255, 255, 0),
    65536: (0, 0, 1),
    66051: (3, 2, 1),
    11259375: (239, 205, 171),
    16777215: (255, 255, 255),
}
DTYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"]


def layouts(array):
    big = np.zeros((array.shape[0] * 2 + 1, array.shape[1] * 3 + 1, *array.shape[2:]), array.dtype)
    big[1::2, 1::3] = array
    raw = np.zeros(array.nbytes + 1, np.uint8)[1:]
    raw[:] = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
    return [
        np.ascontiguousarray(array),
        np.asfortranarray(array),
        big[1::2, 1::3],
        np.ascontiguousarray(array[::-1, ::-1])[::-1, ::-1],
        array.astype(array.dtype.newbyteorder()),
        raw.view(array.dtype).reshape(array.shape),
    ]


@pytest.mark.parametrize(("number", "color"), VECTORS.items())
def test_vectors(number, color):
    ids = np.array([[number]])
    assert idmaps.pack_ids(ids, "segments").tolist() == [[[*color, 255]]]
    assert idmaps.pack_ids(ids, "panoptic").tolist() == [[[*color]]]
    assert idmaps.unpack_ids(idmaps.pack_ids(ids)).tolist() == [[number]]


@pytest.mark.parametrize("dtype", DTYPES)
def test_pack_and_back(dtype):
    rng = np.random.default_rng(1)
    for width in (1, 2, 3, 4, 5, 17, 64):
        ids = rng.integers(0, min(2**24, np.iinfo(dtype).max), (7, width), dtype=dtype)
        expected = np.stack([ids.astype(np.uint64) >> shift & 255 for shift in (0, 8, 16)], axis=-1).astype(np.uint8)
        for view in layouts(ids):
            rgba, rgb = idmaps.pack_ids(view, "segments"), idmaps.pack_ids(view, "panoptic")
            assert rgb.shape == (7, width, 3) and rgb.dtype == np.uint8 and rgb.flags.c_contiguous
            np.testing.assert_array_equal(rgb, expected)
            np.testing.assert_array_equal(rgba[..., :3], expected)
            assert (rgba[..., 3] == 255).all()
        rgba[..., 3] = rng.integers(0, 256, ids.shape)
        for image in (rgb, rgba):
            for view in layouts(image):
                back = idmaps.unpack_ids(view)
                assert back.dtype == np.uint32
                np.testing.assert_array_equal(back, ids)
        np.testing.assert_array_equal(idmaps.unpack_ids(rgba[..., 2::-1][..., ::-1]), ids)


@pytest.mark.parametrize(
    ("dtype", "bad"), [("u4", 2**24), ("i4", -1), ("i1", -128), ("u8", 2**63), ("i8", 2**32), ("u8", 2**40)]
)
def test_ids_out_of_range_are_named(dtype, bad):
    ids = np.zeros((4, 6), dtype)
    ids[2, 3] = bad
    ids[3, 1] = bad
    for layout in ("segments", "panoptic"):
        for view in (ids, np.asfortranarray(ids), ids.astype(ids.dtype.newbyteorder())):
            with pytest.raises(ValueError, match=f"id {bad} at row 2, column 3"):
                idmaps.pack_ids(view, layout)


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 2)), np.zeros((2, 2), bool), np.array([["a"]]), np.zeros((2, 2), object)]
)
def test_wrong_kinds(wrong):
    for call in (
        lambda: idmaps.pack_ids(wrong),
        lambda: idmaps.pack_instances(wrong, wrong),
        lambda: idmaps.unpack_instances(wrong),
        lambda: idmaps.index_to_colors(wrong, idmaps.voc_palette()),
        lambda: idmaps.label_map_to_runs(wrong),
    ):
        with pytest.raises(TypeError):
            call()


def test_wrong_shapes_and_names():
    for call in (
        lambda: idmaps.pack_ids(np.zeros(3, int)),
        lambda: idmaps.pack_ids(np.zeros((3, 3), int), "coco"),
        lambda: idmaps.unpack_ids(np.zeros((3, 3, 2), np.uint8)),
        lambda: idmaps.unpack_ids(np.zeros((3, 3), np.uint8)),
        lambda: idmaps.unpack_ids(np.zeros((3, 3, 4), np.uint8), "coco"),
        lambda: idmaps.pack_instances(np.zeros((3, 3), int), np.zeros((3, 2), int)),
        lambda: idmaps.pack_instances([[1]], [[1]], factor=0),
        lambda: idmaps.index_to_colors([[0]], [[0, 0]]),
        lambda: idmaps.index_to_colors([[0]], [[0, 0, 256]]),
        lambda: idmaps.index_to_colors([[0]], np.zeros((0, 3), int)),
    ):
        with pytest.raises(ValueError):
            call()
    with pytest.raises(TypeError):
        idmaps.unpack_ids(np.zeros((3, 3, 3), np.uint16))


@pytest.mark.parametrize("factor", [1000, 256, 7])
@pytest.mark.parametrize("dtype", ["u2", "i4", "i8", "u8"])
def test_instances(factor, dtype):
    rng = np.random.default_rng(2)
    words = rng.integers(0, 65536, (9, 13)).astype("u4")
    for view in layouts(words):
        classes, instances = idmaps.unpack_instances(view, factor)
        assert classes.dtype == instances.dtype == np.uint16
        np.testing.assert_array_equal(classes, words // factor)
        np.testing.assert_array_equal(instances, words % factor)
    for a, b in zip(layouts(classes.astype(dtype)), layouts(instances.astype(dtype)), strict=True):
        packed = idmaps.pack_instances(a, b, factor)
        assert packed.dtype == np.uint16
        np.testing.assert_array_equal(packed, words)


def test_instances_refused():
    for classes, instances, factor, text in [
        (1, 1000, 1000, "instance 1000 at row 0, column 1"),
        (1, 256, 256, "instance 256"),
        (1, -1, 1000, "instance -1"),
        (-1, 1, 1000, "class -1"),
        (66, 0, 1000, "class 66"),
        (65, 536, 1000, "class 65 and instance 536 at row 0, column 1 make 65536"),
        (256, 0, 256, "class 256"),
    ]:
        with pytest.raises(ValueError, match=text):
            idmaps.pack_instances([[0, classes]], [[0, instances]], factor)
    assert idmaps.pack_instances([[65]], [[535]]).tolist() == [[65535]]
    for bad in (-1, 65536):
        with pytest.raises(ValueError, match=f"value {bad}"):
            idmaps.unpack_instances([[bad]])


def test_voc_palette():
    palette = idmaps.voc_palette()
    assert palette.shape == (256, 3) and palette.dtype == np.uint8
    expected = {0: (0, 0, 0), 1: (128, 0, 0), 8: (64, 0, 0), 14: (64, 128, 128), 15: (192, 128, 128), 20: (0, 64, 128)}
    expected |= {21: (128, 64, 128), 255: (224, 224, 192)}
    assert {i: tuple(palette[i].tolist()) for i in expected} == expected
    assert len({tuple(c) for c in palette.tolist()}) == 256
    np.testing.assert_array_equal(idmaps.voc_palette(5, background=False), palette[1:6])


@pytest.mark.parametrize("count", [1, 21, 256, 300, 5000])
def test_palettes(count):
    rng = np.random.default_rng(3)
    palette = idmaps.voc_palette(count)
    indices = np.kron(rng.integers(0, count, (11, 7)), np.ones((2, 3), int))
    image = idmaps.index_to_colors(indices, palette)
    np.testing.assert_array_equal(image, palette[indices])
    rgba = np.concatenate([image, rng.integers(0, 256, (*indices.shape, 1)).astype(np.uint8)], axis=-1)
    for view in [*layouts(image), *layouts(rgba)]:
        back = idmaps.colors_to_index(view, palette)
        assert back.dtype == (np.uint8 if count <= 256 else np.uint16)
        np.testing.assert_array_equal(back, indices)


def test_palette_errors():
    palette = idmaps.voc_palette(3)
    with pytest.raises(ValueError, match=r"index 3 at row 0, column 1"):
        idmaps.index_to_colors([[0, 3]], palette)
    with pytest.raises(ValueError, match=r"colour \(1, 2, 3\) at row 1, column 0"):
        idmaps.colors_to_index(np.array([[[0, 0, 0]], [[1, 2, 3]]], np.uint8), palette)
    assert idmaps.colors_to_index(np.zeros((1, 1, 3), np.uint8), [[0, 0, 0], [0, 0, 0]]).tolist() == [[0]]


def test_nothing_given_is_modified():
    ids = np.arange(12).reshape(3, 4)
    before = ids.copy()
    idmaps.pack_ids(ids)
    idmaps.label_map_to_runs(ids)
    np.testing.assert_array_equal(ids, before)


def test_doctests():
    result = doctest.testmod(idmaps)
    assert result.attempted > 8 and result.failed == 0
