"""Traps and bad input of segmentation masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats._shared.images import write_png
from maskcodec.idmaps import voc_palette

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
RED, GREEN = (200, 0, 0), (0, 200, 0)
MAP = "background:0,0,0::\nred:200,0,0::\ngreen:0,200,0::\n"


def rgb(rows: list[list[tuple[int, ...]]]) -> bytes:
    return write_png(np.array(rows, np.uint8))


def grey(rows: list[list[int]], dtype: type = np.uint8) -> bytes:
    return write_png(np.array(rows, dtype))


def folder(root: Path, classes: bytes | None, objects: bytes | None = None, table: str | None = MAP) -> Path:
    for name, data in (("SegmentationClass", classes), ("SegmentationObject", objects)):
        if data is not None:
            (root / name).mkdir(parents=True)
            (root / name / "a.png").write_bytes(data)
    if table is not None:
        (root / "labelmap.txt").write_text(table)
    return root


def areas(dataset: mc.Dataset) -> list[tuple[object, object, int]]:
    return [(a.category_id, a.id, a.rle.area) for item in dataset.items for a in item.annotations]


def fails(path: Path, *words: str) -> mc.Dataset:
    """Check that a strict reader refuses with these words; returns what a lenient one makes of it."""
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "segmentation_mask").load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, "segmentation_mask", on_error="skip").load()
    assert len(lenient.report)
    return lenient


def test_undeclared_colour_is_background_for_a_lenient_reader(tmp_path: Path) -> None:
    path = folder(tmp_path, rgb([[RED, (1, 2, 3), (1, 2, 3)]]))
    assert areas(fails(path, "SegmentationClass/a.png", "(1, 2, 3)", "2 pixels", "(1, 0)")) == [(1, None, 1)]


def test_black_is_background_and_void_is_void_without_being_declared(tmp_path: Path) -> None:
    path = folder(tmp_path, rgb([[RED, (0, 0, 0), (224, 224, 192)]]), table="red:200,0,0::\n")
    assert areas(mc.read(path)) == [(0, None, 1)]


def test_grey_255_is_void_and_another_missing_index_an_error(tmp_path: Path) -> None:
    assert areas(mc.read(folder(tmp_path / "a", grey([[1, 2, 255]])))) == [(1, None, 1), (2, None, 1)]
    assert areas(fails(folder(tmp_path / "b", grey([[1, 3, 3]])), "value 3", "2 pixels")) == [(1, None, 1)]


def test_colour_of_two_labels(tmp_path: Path) -> None:
    fails(folder(tmp_path, rgb([[RED, GREEN]]), table="a:200,0,0::\nb:200,0,0::\nc:0,200,0::\n"), "several labels")


def test_object_of_two_classes_is_split_by_a_lenient_reader(tmp_path: Path) -> None:
    lenient = fails(folder(tmp_path, rgb([[RED, GREEN]]), grey([[7, 7]])), "object 7", "red (1 pixels)", "green")
    assert areas(lenient) == [(1, None, 1), (2, None, 1)]


def test_object_without_class(tmp_path: Path) -> None:
    assert areas(fails(folder(tmp_path, rgb([[(0, 0, 0), RED]]), grey([[1, 2]])), "object 1")) == [(1, 2, 1)]


def test_objects_alone_have_no_label(tmp_path: Path) -> None:
    assert areas(fails(folder(tmp_path, None, grey([[1, 2]])), "without a class map")) == [(None, 1, 1), (None, 2, 1)]


def test_object_colours_beyond_the_colour_map_are_numbered_by_a_lenient_reader(tmp_path: Path) -> None:
    odd = rgb([[(9, 9, 9), (23, 190, 207)]])
    assert areas(fails(folder(tmp_path, rgb([[RED, RED]]), odd), "VOC colour map")) == [(1, 1, 1), (1, 2, 1)]


def test_sizes_differ(tmp_path: Path) -> None:
    assert not areas(fails(folder(tmp_path, rgb([[RED, RED]]), grey([[1]])), "2 x 1", "1 x 1"))


BAD_LINES = ("red:200,0,0:", "red:0:124:134:a,b:", "red:200,0::", "red:200,0,256::", "red:a,b,c::")


@pytest.mark.parametrize("line", BAD_LINES)
def test_bad_table(tmp_path: Path, line: str) -> None:
    fails(folder(tmp_path, rgb([[(0, 0, 0)]]), table=f"background:0,0,0::\n{line}\n"), "labelmap.txt", "line 2")


def test_label_twice(tmp_path: Path) -> None:
    fails(folder(tmp_path, rgb([[(0, 0, 0)]]), table="a:1,2,3::\na:1,2,4::\n"), "line 2", "'a'")


def test_blanks_in_a_colour(tmp_path: Path) -> None:
    assert areas(mc.read(folder(tmp_path, rgb([[RED]]), table="red: 200, 0, 0 ::\n"))) == [(0, None, 1)]


def test_palette_by_the_first_rule_that_fits(tmp_path: Path) -> None:
    palette = voc_palette(4)
    by_index = write_png(np.array([[1, 2]], np.uint8), palette)
    assert areas(mc.read(folder(tmp_path / "a", by_index, table="x:::\ny:::\nz:::\n"))) == [(1, None, 1), (2, None, 1)]
    # Every colour is declared, in another order: the colours count.
    swapped = "background:0,0,0::\nz:0,128,0::\ny:128,0,0::\n"
    assert areas(mc.read(folder(tmp_path / "b", by_index, table=swapped))) == [(1, None, 1), (2, None, 1)]
    (item,) = mc.read(tmp_path / "b").items
    assert [tuple(a.rle.bbox)[0] for a in item.annotations] == [1, 0]
    # The colours of VOC, undeclared: indices.
    assert areas(mc.read(folder(tmp_path / "c", by_index))) == [(1, None, 1), (2, None, 1)]


def test_alpha_must_be_opaque(tmp_path: Path) -> None:
    fails(folder(tmp_path / "a", rgb([[(200, 0, 0, 128)]])), "alpha")
    assert areas(mc.read(folder(tmp_path / "b", rgb([[(200, 0, 0, 255)]])))) == [(1, None, 1)]


def test_map_in_no_list_is_reported(tmp_path: Path) -> None:
    path = folder(tmp_path, rgb([[RED]]))
    (path / "ImageSets" / "Segmentation").mkdir(parents=True)
    (path / "ImageSets" / "Segmentation" / "my_set.txt").write_text("\ufeffb\r\n# c\r\n", "utf-8")
    data = mc.read(path)
    assert [i.key for i in data.items] == [("my_set", "b")]
    assert [(loss.what, loss.examples[0][0]) for loss in data.report] == [("file", "SegmentationClass/a.png")]


def many(count: int) -> mc.Dataset:
    masks = [mc.Mask(mc.Rle.from_box((i, 0, 1, 1), (2, count)), category_id=1) for i in range(count)]
    return mc.Dataset(mc.LabelSchema([mc.Category(1, "cat")]), [mc.Item("a", width=count, height=2, annotations=masks)])


def test_more_objects_than_eight_bits_hold(tmp_path: Path) -> None:
    for mode in ("rgb", "palette"):
        with pytest.raises(ValueError, match="300 objects"):
            mc.write(many(300), tmp_path / "out", "segmentation_mask", mode=mode)
    mc.write(many(300), tmp_path / "out", "segmentation_mask", mode="index")
    assert areas(mc.read(tmp_path / "out")) == [(1, i + 1, 1) for i in range(300)]


@pytest.mark.parametrize("mode", ["rgb", "palette", "index"])
def test_modes_hold_the_same_pixels(tmp_path: Path, mode: str) -> None:
    source = many(9)
    mc.write(source, tmp_path / "out", "segmentation_mask", mode=mode)
    (item,) = mc.read(tmp_path / "out").items
    assert [a.rle for a in item.annotations] == [a.rle for a in source.items[0].annotations]


def test_equal_colours_need_indices(tmp_path: Path) -> None:
    data = mc.Dataset(mc.LabelSchema([mc.Category(1, "a", color=RED), mc.Category(2, "b", color=RED)]))
    with pytest.raises(ValueError, match="'a' and 'b'"):
        mc.write(data, tmp_path / "out", "segmentation_mask")
    mc.write(data, tmp_path / "out", "segmentation_mask", mode="index")


def test_label_that_the_table_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'a:b'"):
        mc.write(mc.Dataset(mc.LabelSchema([mc.Category(1, "a:b")])), tmp_path / "out", "segmentation_mask")


def test_covered_pixels_and_images_without_size_are_reported(tmp_path: Path) -> None:
    low = mc.Mask(mc.Rle.from_box((0, 0, 3, 2), (2, 4)), category_id=1, id=5)
    top = mc.Mask(mc.Rle.from_box((0, 0, 2, 2), (2, 4)), category_id=1, id=6, z_order=1)
    items = [mc.Item("a", width=4, height=2, annotations=[top, low]), mc.Item("b", annotations=[low])]
    report = mc.write(mc.Dataset(mc.LabelSchema([mc.Category(1, "cat")]), items), tmp_path / "out", "mask")
    assert {(loss.action, loss.what, loss.field, loss.count) for loss in report} >= {
        ("dropped", "mask", "rle", 4), ("dropped", "mask", "", 1), ("approximated", "mask", "z_order", 1),
    }  # fmt: skip
    assert areas(mc.read(tmp_path / "out")) == [(1, 5, 2), (1, 6, 4)]


@pytest.mark.parametrize("name", ["segmentation_mask", "voc"])
def test_a_map_is_never_taken_for_the_image(tmp_path: Path, name: str) -> None:
    path = folder(tmp_path / "in", rgb([[RED, GREEN]]))
    (path / "ImageSets/Main").mkdir(parents=True)
    (path / "ImageSets/Main/train.txt").write_text("a\n")
    (path / "Annotations").mkdir()
    (path / "Annotations/a.xml").write_text("<annotation><filename>a.png</filename></annotation>")
    data = mc.read(path, name, on_loss="ignore")
    assert all(data.media.open_media(item) is None for item in data.items)
    (path / "JPEGImages").mkdir()
    (path / "JPEGImages/a.png").write_bytes(grey([[7, 7]]))
    data = mc.read(path, name, on_loss="ignore")
    (item,) = data.items
    with data.media.open_media(item) as image:
        assert image.read() == grey([[7, 7]])
