"""Traps and bad input of KITTI."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.formats._shared.images import read_png, write_png

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
REST = "0.00 0 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10"
TABLE = "0 0 0 background\n200 0 0 red\n0 200 0 green car\n"


def labels(root: Path, *rows: str, name: str = "training/label_2/a.txt") -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("".join(f"{row}\n" for row in rows), "utf-8")
    return root


def maps(root: Path, values: list[int], semantic: list[int] | None = None, table: str | None = TABLE) -> Path:
    parts = [("instance", np.array([values], np.uint16))]
    if semantic is not None:
        parts.append(("semantic", np.array([semantic], np.uint8)))
    for folder, pixels in parts:
        (root / "training" / folder).mkdir(parents=True, exist_ok=True)
        (root / "training" / folder / "a.png").write_bytes(write_png(pixels))
    if table is not None:
        (root / "label_colors.txt").write_text(table)
    return root


def boxes(dataset: mc.Dataset) -> list[tuple[str, float]]:
    names = {c.id: c.name for c in dataset.schema}
    return [(names[a.category_id], a.x1) for item in dataset.items for a in item.annotations]


def areas(dataset: mc.Dataset) -> list[tuple[object, ...]]:
    return [(a.category_id, a.id, a.is_crowd, a.rle.area) for item in dataset.items for a in item.annotations]


def fails(path: Path, *words: str, name: str = "kitti") -> mc.Dataset:
    """Check that a strict reader refuses with these words; returns what a lenient one makes of it."""
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, name).load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, name, on_error="skip").load()
    assert len(lenient.report)
    return lenient


def test_labels_with_blanks_and_numbers(tmp_path: Path) -> None:
    path = labels(tmp_path, f"traffic light {REST}", f"bicycle with space {REST} 0.5", f"12 {REST}", f"12 {REST} 0.25")
    assert mc.detect(path) == "kitti_detection"
    data = mc.read(path)
    assert [name for name, _ in boxes(data)] == ["traffic light", "bicycle with space", "12", "12"]
    assert [a.score for item in data.items for a in item.annotations] == [None, 0.5, None, 0.25]
    assert not len(mc.write(data, tmp_path / "out", "kitti_detection"))
    name = "training/label_2/a.txt"
    assert (tmp_path / "out" / name).read_text() == (path / name).read_text()


def test_label_that_ends_in_a_number(tmp_path: Path) -> None:
    path = labels(tmp_path, f"Car {REST}", f"truck 2 3 {REST}")
    assert boxes(fails(path, "a.txt", "line 2", "ends in a number")) == [("Car", 3.0), ("truck 2 3", 3.0)]


BAD = {
    "truncated": "Car 1.5 0 -10 1 2 3 4", "occluded": "Car 0 4 -10 1 2 3 4", "right": "Car 0 0 -10 3 2 1 4",
    "bottom": "Car 0 0 -10 1 4 3 2",
}  # fmt: skip


@pytest.mark.parametrize("column", BAD)
def test_bad_columns(tmp_path: Path, column: str) -> None:
    row = f"{BAD[column]} -1 -1 -1 -1000 -1000 -1000 -10"
    assert boxes(fails(labels(tmp_path, f"Car {REST}", row), "label_2/a.txt", "line 2", column)) == [("Car", 3.0)]


@pytest.mark.parametrize("word", ["nan", "inf", "x", "1_0", "1e999"])
def test_what_is_no_number(tmp_path: Path, word: str) -> None:
    row = f"Car 0 0 -10 {word} 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10"
    assert boxes(fails(labels(tmp_path, f"Car {REST}", row), "line 2", "columns", word)) == [("Car", 3.0)]


def test_fewer_columns_are_for_lenient_readers(tmp_path: Path) -> None:
    path = labels(tmp_path, f"Car {REST}", "Car 0 0 -10 5 6 7 8", "Car 1 2 3 4")
    lenient = fails(path, "line 2", "15 or 16 columns", name="kitti_detection")
    assert boxes(lenient) == [("Car", 3.0), ("Car", 7.0)]


def test_tracking_columns_are_refused(tmp_path: Path) -> None:
    fails(labels(tmp_path, f"0 12 Car {REST}"), "tracking", name="kitti_detection")


def test_levels_and_unknowns(tmp_path: Path) -> None:
    rows = [
        "Car 0.0 0.0 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10",
        "Car -1 -1 -10 1 2 3 4 -1 -1 -1 -1000 -1000 -1000 -10",
        "Car 0.25 2 -1 1 2 3 4 -1 -1 -1 -1 -1 -1 -1",
        "Car 1.0 1 -1 1 2 3 4 1.5 2 3 -1 -1 -1 -1 0.5",
        "Car 1 3 0.5 1 2 3 4 -1 -1 -1 4 5 6 0.25",
    ]
    data = mc.read(labels(tmp_path, *rows)).load()
    (item,) = data.items
    assert [(a.truncated, a.occluded, a.attributes) for a in item.annotations] == [
        (False, False, {}),
        (False, False, {"truncated": -1.0, "occluded": -1}),
        (True, True, {"truncated": 0.25, "occluded": 2}),
        (True, True, {"alpha": -1.0, "dimensions": [1.5, 2.0, 3.0], "location": [-1.0] * 3, "rotation_y": -1.0}),
        (True, False, {"occluded": 3, "alpha": 0.5, "location": [4.0, 5.0, 6.0], "rotation_y": 0.25}),
    ]
    assert not len(mc.write(data, tmp_path / "out", "kitti_detection"))
    assert (tmp_path / "out/training/label_2/a.txt").read_text().splitlines() == rows
    item.annotations[0].x1 = 9.5  # a number that was changed is written anew, the others keep their texts
    mc.write(data, tmp_path / "out", "kitti_detection", overwrite=True)
    first = (tmp_path / "out/training/label_2/a.txt").read_text().splitlines()[0]
    assert first == rows[0].replace(" 3 ", " 9.5 ")


def test_dialect_of_cvat(tmp_path: Path) -> None:
    path = labels(tmp_path, "Car 0.25 2 0.5 1 2 3 4 1 2 3 4 5 6 0.25")
    report = mc.write(mc.read(path), tmp_path / "out", "kitti_detection", dialect="cvat")
    assert (tmp_path / "out/training/label_2/a.txt").read_text() == "Car 1 1 -1 1 2 3 4 -1 -1 -1 -1 -1 -1 -1 1\n"
    assert {loss.field for loss in report} == {
        "attributes.truncated", "attributes.occluded", "attributes.alpha", "attributes.dimensions",
        "attributes.location", "attributes.rotation_y", "score",
    }  # fmt: skip


def test_attributes_that_a_column_cannot_hold_are_reported(tmp_path: Path) -> None:
    own = {"truncated": 0.5, "occluded": "much", "alpha": "x", "dimensions": [1.0, 2.0], "location": [-1, -1, -1],
           "ignore": True}  # fmt: skip
    item = mc.Item("a", annotations=[mc.Box(1, 2, 3, 4, category_id=0, attributes=own)])
    report = mc.write(mc.Dataset(mc.LabelSchema([mc.Category(0, "Car")]), [item]), tmp_path / "out", "kitti_detection")
    fields = {loss.field for loss in report if loss.action == "approximated"}
    assert fields == {f"attributes.{name}" for name in own}
    (twin,) = mc.read(tmp_path / "out").items
    assert not twin.annotations[0].attributes


def test_empty_and_missing_label_files(tmp_path: Path) -> None:
    path = labels(tmp_path, name="training/label_2/sub/empty.txt")
    (path / "training" / "image_2").mkdir()
    (path / "training" / "image_2" / "other.png").write_bytes(write_png(np.zeros((2, 3), np.uint8)))
    with pytest.raises(mc.UnknownFormatError):
        mc.detect(path)
    data = mc.read(path, "kitti_detection").load()
    assert [(i.id, i.path, i.width, i.annotations) for i in data.items] == [
        ("other", "other.png", 3, []), ("sub/empty", None, None, []),
    ]  # fmt: skip
    report = mc.write(data, tmp_path / "out", "kitti_detection", media="copy")
    assert [(loss.action, loss.examples) for loss in report if loss.what == "item"] == [
        ("approximated", [("training/other", "")]), ("dropped", [("training/sub/empty", "")]),
    ]  # fmt: skip


def test_folders_of_any_depth_and_subsets_with_dots(tmp_path: Path) -> None:
    labels(tmp_path / "a", f"Car {REST}", name="x/y/v1.0/label_2/s/1.txt")
    assert [i.key for i in mc.read(tmp_path / "a").items] == [("v1.0", "s/1")]
    labels(tmp_path / "b", f"Car {REST}", name="label_2/1.txt")
    assert [i.key for i in mc.read(tmp_path / "b").items] == [("default", "1")]
    labels(tmp_path / "b", f"Car {REST}", name="x/default/label_2/1.txt")
    assert len(fails(tmp_path / "b", "there already").items) == 1


def test_labels_that_cannot_be_written(tmp_path: Path) -> None:
    def data(name: str) -> mc.Dataset:
        item = mc.Item("a", annotations=[mc.Box(1, 2, 3, 4, category_id=0)])
        return mc.Dataset(mc.LabelSchema([mc.Category(0, name)]), [item])

    for name in ("truck 2", "a  b", "1 2 x", "a\nb", " a"):
        with pytest.raises(ValueError, match="cannot be written|read as columns"):
            mc.write(data(name), tmp_path / "out", "kitti_detection")
    report = mc.write(data("a  b 2"), tmp_path / "out", "kitti_detection", blanks="replace")
    assert [(loss.what, loss.field) for loss in report] == [("category", "name")]
    assert boxes(mc.read(tmp_path / "out")) == [("a_b_2", 3.0)]
    bad = data("x")
    bad.items[0].subset = "label_2"
    with pytest.raises(ValueError, match="name of a part"):
        mc.write(bad, tmp_path / "b", "kitti_detection")


def test_rotated_boxes_go_to_the_maps(tmp_path: Path) -> None:
    turned = mc.Box(2, 2, 8, 4, 30.0, category_id=0)
    item = mc.Item("a", width=10, height=8, annotations=[mc.Box(1, 1, 3, 3, category_id=0), turned])
    data = mc.Dataset(mc.LabelSchema([mc.Category(0, "Car")]), [item])
    mc.write(data, tmp_path / "out", "kitti")
    assert mc.detect(tmp_path / "out") == "kitti"
    assert [a.kind for a in next(iter(mc.read(tmp_path / "out").items)).annotations] == ["box", "mask"]
    report = mc.write(data, tmp_path / "boxes", "kitti_detection")
    assert ("approximated", "rotated_box") in {(loss.action, loss.what) for loss in report}


def test_classes_by_table(tmp_path: Path) -> None:
    data = mc.read(maps(tmp_path, [0, 0, 256, 257, 258, 513], [0, 0, 1, 1, 1, 2]))
    assert areas(data) == [(1, 256, True, 1), (1, 257, False, 1), (1, 258, False, 1), (2, 513, False, 1)]
    assert data.schema.by_id(2).name == "green car"
    assert areas(mc.read(tmp_path, keep_background=True))[0] == (0, 0, True, 2)


def test_unknown_class(tmp_path: Path) -> None:
    path = maps(tmp_path, [256, 5 * 256, 5 * 256])
    assert areas(fails(path, "training/instance/a.png", "value 1280", "2 pixels", "(1, 0)")) == [(1, 256, True, 1)]


def test_class_map_that_says_something_else(tmp_path: Path) -> None:
    path = maps(tmp_path, [256, 513, 513], [1, 1, 1])
    assert len(areas(fails(path, "semantic/a.png", "2 pixels", "(1, 0)"))) == 2


def test_maps_of_another_kind(tmp_path: Path) -> None:
    path = maps(tmp_path, [256])
    target = path / "training" / "instance" / "a.png"
    target.write_bytes(write_png(np.zeros((1, 1, 3), np.uint8)))
    assert not areas(fails(path, "instance/a.png", "one channel", name="kitti_segmentation"))
    target.write_bytes(write_png(np.zeros((1, 1), np.uint8)))
    fails(path, "instance/a.png", "16 bits", name="kitti_segmentation")


def test_sizes_differ(tmp_path: Path) -> None:
    path = maps(tmp_path, [256, 256])
    (path / "training" / "image_2").mkdir()
    (path / "training" / "image_2" / "a.png").write_bytes(write_png(np.zeros((1, 3), np.uint8)))
    fails(path, "2 x 1", "3 x 1")


def many(count: int, categories: int = 1, crowd: bool = False) -> mc.Dataset:
    masks = [mc.Mask(mc.Rle.from_box((i, 0, 1, 1), (1, count)), category_id=i % categories, is_crowd=crowd)
             for i in range(count)]  # fmt: skip
    schema = mc.LabelSchema([mc.Category(at, f"c{at}") for at in range(categories)])
    return mc.Dataset(schema, [mc.Item("a", width=count, height=1, annotations=masks)])


def test_limits(tmp_path: Path) -> None:
    mc.write(many(255), tmp_path / "out", "kitti_segmentation")
    assert [entry[1] for entry in areas(mc.read(tmp_path / "out"))] == [256 + i for i in range(1, 256)]
    with pytest.raises(ValueError, match="256 objects"):
        mc.write(many(256), tmp_path / "b", "kitti_segmentation")
    with pytest.raises(ValueError, match="257 classes"):
        mc.write(many(256, 256), tmp_path / "b", "kitti_segmentation")
    mc.write(many(255, 255), tmp_path / "b", "kitti_segmentation")
    assert areas(mc.read(tmp_path / "b"))[-1][1] == 255 * 256 + 1


def test_objects_beyond_the_limit_join_the_crowd_of_their_class(tmp_path: Path) -> None:
    report = mc.write(many(300), tmp_path / "out", "kitti_segmentation", overflow="crowd", on_loss="ignore")
    crowd = [loss for loss in report if "more objects" in loss.reason]
    assert [(loss.action, loss.what, loss.count) for loss in crowd] == [("approximated", "mask", 45)]
    found = areas(mc.read(tmp_path / "out"))
    assert found[0] == (1, 256, True, 45) and [entry[1] for entry in found[1:]] == [256 + i for i in range(1, 256)]
    both = mc.write(many(300), tmp_path / "both", "kitti", overflow="crowd", on_loss="ignore")
    assert len(both) and areas(mc.read(tmp_path / "both", "kitti")) == found
    with pytest.raises(ValueError, match="overflow is"):
        mc.write(many(3), tmp_path / "c", "kitti_segmentation", overflow="wrap")


def test_crowds_of_a_class_are_one(tmp_path: Path) -> None:
    report = mc.write(many(3, crowd=True), tmp_path / "out", "kitti_segmentation")
    assert ("approximated", "mask", "", 2) in {(loss.action, loss.what, loss.field, loss.count) for loss in report}
    data = mc.read(tmp_path / "out").load()
    assert areas(data) == [(1, 256, True, 3)]
    assert [loss.field for loss in data.report] == ["id"]


def test_maps_are_those_of_the_kit(tmp_path: Path) -> None:
    data = many(2)
    data.schema.categories[0].color = (9, 8, 7)
    mc.write(data, tmp_path / "out", "kitti_segmentation")
    found = {}
    for folder in ("instance", "semantic", "semantic_rgb"):
        pixels, header, _ = read_png((tmp_path / "out" / "default" / folder / "a.png").read_bytes())
        found[folder] = (pixels.tolist(), header.depth)
    assert found == {
        "instance": ([[257, 258]], 16), "semantic": ([[1, 1]], 8), "semantic_rgb": ([[[9, 8, 7], [9, 8, 7]]], 8),
    }  # fmt: skip


@given(st.lists(st.sampled_from([0, 256, 257, 259, 512, 513, 700]), min_size=1, max_size=12))
def test_every_value_survives(tmp_path_factory: pytest.TempPathFactory, values: list[int]) -> None:
    path = maps(tmp_path_factory.mktemp("kitti"), values)
    data = mc.read(path, "kitti_segmentation").load()
    assert not len(mc.write(data, path / "out", "kitti_segmentation"))
    pixels, _, _ = read_png((path / "out" / "training" / "instance" / "a.png").read_bytes())
    assert pixels.tolist() == [values]
