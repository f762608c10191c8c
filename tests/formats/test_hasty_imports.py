"""Traps and bad input of Hasty's small import files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats._shared.images import write_png

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

BOX = {"class_name": "cat", "bbox": [1, 2, 5, 6]}
CLASSES = [{"name": "wall", "png_index": 1, "color": "#8000ff4d"}, {"name": "sea", "png_index": 3, "color": "#1f78b4"}]


def as_list(tmp_path: Path, rows: object) -> Path:
    path = tmp_path / "import.json"
    path.write_text(json.dumps(rows))
    return path


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"image_name": "a.jpg", "labels": [{"bbox": [1, 2, 5, 6]}]}, "class_name"),
        ({"image_name": "a.jpg", "labels": [{"class_name": "cat"}]}, "bbox"),
        ({"image_name": "a.jpg", "labels": [{**BOX, "bbox": [5, 2, 1, 6]}]}, "bbox"),
        ({"image_name": "a.jpg", "labels": [{**BOX, "bbox": [1, 2, 5]}]}, "bbox"),
        ({"image_name": "a.jpg", "labels": [{"class_name": "cat", "polygon": [[1, 2], [3, 4]]}]}, "polygon"),
        ({"image_name": "a.jpg", "labels": [{"class_name": "cat", "bbox": [0, 0, 2, 2], "mask": [1, 2]}]}, "mask"),
        ({"image_name": "", "labels": []}, "image_name"),
        ({"image_name": "../a.jpg", "labels": []}, "image_name"),
        ({"image_name": "a.jpg", "labels": None}, "labels"),
    ],
)
def test_bad_record_is_named_or_skipped(tmp_path: Path, row: dict, field: str) -> None:
    path = as_list(tmp_path, [{"image_name": "b.jpg", "labels": [BOX]}, row])
    with pytest.raises(mc.FormatError) as caught:
        list(mc.read(path, "hasty_bbox").items)
    assert caught.value.field == field
    assert "[1]" in caught.value.record
    lenient = mc.read(path, "hasty_bbox", on_error="skip").load()
    assert sum(len(i.annotations) for i in lenient.items) == 1
    assert lenient.report.total == 1


def test_same_name_in_two_datasets(tmp_path: Path) -> None:
    rows = [{"image_name": "a.jpg", "dataset_name": d, "labels": [BOX]} for d in ("one", "two")]
    items = list(mc.read(as_list(tmp_path, rows)).items)
    assert [(i.subset, i.id, i.path) for i in items] == [("one", "a", "one/a.jpg"), ("two", "a", "two/a.jpg")]


def test_both_geometries_survive(tmp_path: Path) -> None:
    ring = [[0, 0], [4, 0], [4, 4]]
    rows = [{"image_name": "a.jpg", "labels": [{"class_name": "cat", "bbox": [0, 0, 9, 9], "polygon": ring}]}]
    data = mc.read(as_list(tmp_path, rows))
    mc.write(data, tmp_path / "out.json", "hasty_polygon")
    (row,) = json.loads((tmp_path / "out.json").read_text())
    assert row["labels"] == [{"class_name": "cat", "polygon": ring, "bbox": [0, 0, 9, 9]}]


def maps(tmp_path: Path, pixels: np.ndarray, classes: object = CLASSES, **png: object) -> Path:
    folder = tmp_path / "maps"
    folder.mkdir()
    (folder / "label_classes.json").write_text(json.dumps(classes))
    (folder / "a.png").write_bytes(write_png(pixels, **png))
    return folder


def test_unknown_value_is_named_with_its_pixel(tmp_path: Path) -> None:
    pixels = np.zeros((3, 4), np.uint8)
    pixels[0, 0], pixels[1, 2] = 1, 9
    folder = maps(tmp_path, pixels)
    with pytest.raises(mc.FormatError, match=r"a\.png: pixel \(2.*1.*value 9"):
        list(mc.read(folder).items)
    lenient = mc.read(folder, on_error="skip").load()
    assert [a.rle.area for a in lenient.items[0].annotations] == [1]
    assert lenient.report.total == 1


def test_palette_counts_by_index(tmp_path: Path) -> None:
    pixels = np.array([[0, 3, 3]], np.uint8)
    palette = np.arange(12, dtype=np.uint8).reshape(4, 3)
    (item,) = mc.read(maps(tmp_path, pixels, palette=palette)).items
    assert [(a.category_id, a.rle.area) for a in item.annotations] == [("sea", 2)]


@pytest.mark.parametrize(
    ("classes", "text"),
    [
        ([*CLASSES, {"name": "wall", "png_index": 7}], "duplicate class name"),
        ([*CLASSES, {"name": "air", "png_index": 3}], "duplicate index"),
        ([*CLASSES, {"name": "air", "png_index": 0}], "from 1 to 255"),
        ([*CLASSES, {"name": "air", "png_index": 256}], "from 1 to 255"),
        ([*CLASSES, {"name": "air", "color": "#12"}], "#RRGGBB"),
        ([*CLASSES, {"name": "air", "type": "sky"}], "object"),
    ],
)
def test_bad_class_table(tmp_path: Path, classes: object, text: str) -> None:
    folder = maps(tmp_path, np.ones((2, 2), np.uint8), classes)
    with pytest.raises(mc.FormatError, match=text):
        mc.read(folder)
    assert [c.name for c in mc.read(folder, on_error="skip").schema] == ["wall", "sea"]


def test_two_classes_of_one_colour_are_ambiguous(tmp_path: Path) -> None:
    classes = [{"name": "a", "color": "#102030"}, {"name": "b", "color": "#10203080"}]
    pixels = np.zeros((2, 2, 3), np.uint8)
    pixels[0, 0] = (0x10, 0x20, 0x30)
    with pytest.raises(mc.FormatError, match="several classes: a, b"):
        list(mc.read(maps(tmp_path, pixels, classes)).items)


def overlapping() -> mc.Dataset:
    item = mc.Item("a", width=6, height=4)
    for number, box, z in (("wall", (0, 0, 4, 4), 0), ("sea", (2, 0, 4, 4), 1), ("wall", (5, 0, 1, 1), 2)):
        rle = mc.Rle.from_box(box, (4, 6))
        item.annotations.append(mc.Mask(rle, category_id=number, z_order=z))
    return mc.Dataset(mc.LabelSchema([mc.Category("wall", "wall"), mc.Category("sea", "sea")]), [item])


@pytest.mark.parametrize("channels", [1, 3])
def test_overlaps_are_painted_in_order_and_counted(tmp_path: Path, channels: int) -> None:
    report = mc.write(overlapping(), tmp_path / "out", "hasty_semantic", on_loss="ignore", channels=channels)
    assert report == mc.plan(overlapping(), "hasty_semantic", channels=channels)
    (covered,) = [loss for loss in report if loss.field == "rle"]
    assert covered.count == 8 + 1  # of the first wall, and of the sea under the second
    assert [loss.count for loss in report if "joined" in loss.reason] == [1]
    (item,) = mc.read(tmp_path / "out").items
    assert [(a.category_id, a.rle.area) for a in item.annotations] == [("wall", 9), ("sea", 15)]


def test_what_three_channels_cannot_tell_apart_is_refused(tmp_path: Path) -> None:
    data = overlapping()
    for color in ((0, 0, 0), (9, 9, 9)):
        for category in data.schema:
            category.color = color
        with pytest.raises(ValueError, match="black|one colour"):
            mc.write(data, tmp_path / "out", "hasty_semantic", on_loss="ignore", channels=3)
    assert not (tmp_path / "out").exists()


# --- traps and bad input that have no test above ----------------------------------------------------------------------
def test_faults_are_entered_once_however_often_items_are_read(tmp_path: Path) -> None:
    rows = [{"image_name": "a.jpg", "labels": [BOX, {"class_name": "cat"}]}, {"image_name": "", "labels": []}]
    data = mc.read(as_list(tmp_path, rows), "hasty_bbox", on_error="skip", on_loss="ignore")
    for _ in range(2):
        assert [len(i.annotations) for i in data.items] == [1]
        assert data.report.total == 2
    pixels = np.array([[0, 1, 9]], np.uint8)
    data = mc.read(maps(tmp_path, pixels), on_error="skip", on_loss="ignore")
    for _ in range(2):
        assert [len(i.annotations) for i in data.items] == [1]
        assert data.report.total == 1


def test_a_class_list_is_a_list(tmp_path: Path) -> None:
    path = tmp_path / "label_classes.json"
    path.write_text(json.dumps({"name": "wall", "png_index": 1}))
    with pytest.raises(mc.FormatError, match="object, expected a list"):
        mc.read(path, "hasty_label_classes")


@pytest.mark.parametrize("mode", ["raise", "skip"])
def test_maps_without_a_class_list(tmp_path: Path, mode: str) -> None:
    folder = maps(tmp_path, np.array([[0, 7, 7, 2]], np.uint8))
    (folder / "label_classes.json").unlink()
    if mode == "raise":
        with pytest.raises(mc.FormatError, match="no JSON list of classes"):
            mc.read(folder, "hasty_semantic")
        wall = mc.Category("wall", "wall", extras={"hasty_classes": {"png_index": 7}})
        sea = mc.Category("sea", "sea", extras={"hasty_classes": {"png_index": 2}})
        (item,) = mc.read(folder, "hasty_semantic", categories=[wall, sea]).items
        assert {a.category_id: a.rle.area for a in item.annotations} == {"wall": 2, "sea": 1}
        return
    data = mc.read(folder, "hasty_semantic", on_error=mode, on_loss="ignore")
    (item,) = data.items
    names = {c.id: c.name for c in data.schema}
    assert {names[a.category_id]: a.rle.area for a in item.annotations} == {"7": 2, "2": 1}


def test_more_than_eight_bits(tmp_path: Path) -> None:
    (item,) = mc.read(maps(tmp_path, np.array([[0, 3]], np.uint16))).items
    assert [a.category_id for a in item.annotations] == ["sea"]
    (tmp_path / "maps" / "a.png").write_bytes(write_png(np.array([[0, 300]], np.uint16)))
    with pytest.raises(mc.FormatError, match="up to 255, got 300"):
        list(mc.read(tmp_path / "maps").items)


def test_alpha_of_a_map(tmp_path: Path) -> None:
    pixels = np.full((1, 2, 4), 255, np.uint8)
    pixels[0, :, :3] = (0x80, 0, 0xFF)
    folder = maps(tmp_path, pixels)
    assert [a.category_id for i in mc.read(folder).items for a in i.annotations] == ["wall"]
    pixels[0, 1, 3] = 254
    (folder / "a.png").write_bytes(write_png(pixels))
    with pytest.raises(mc.FormatError, match="alpha"):
        list(mc.read(folder).items)


def test_a_colour_that_no_class_has_is_named_with_its_pixel(tmp_path: Path) -> None:
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[1, 1] = (0x80, 1, 0xFF)  # as lossy compression leaves it
    with pytest.raises(mc.FormatError, match=r"a\.png: pixel \(1.*1.*\(128, 1, 255\)"):
        list(mc.read(maps(tmp_path, pixels)).items)


def test_indices_and_channels_belong_together(tmp_path: Path) -> None:
    colours = [{"name": "a", "png_index": [1, 2, 3]}, {"name": "b", "png_index": [4, 5, 6], "color": "#010203"}]
    folder = maps(tmp_path, np.ones((1, 2), np.uint8), colours)
    with pytest.raises(mc.FormatError, match="no class has a number"):
        list(mc.read(folder).items)
    pixels = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)
    (folder / "a.png").write_bytes(write_png(pixels))
    data = mc.read(folder)  # the list is what is painted, whatever the colour says
    assert {a.category_id: a.rle.area for i in data.items for a in i.annotations} == {"a": 1, "b": 1}
    assert [(x.what, x.field) for x in data.report] == [("category", "color")]
    (folder / "label_classes.json").write_text(json.dumps([{"name": "a", "png_index": 1}]))
    with pytest.raises(mc.FormatError, match="no class has the colour"):
        list(mc.read(folder).items)


def test_more_classes_than_a_byte_holds(tmp_path: Path) -> None:
    schema = mc.LabelSchema([mc.Category(n, f"c{n}", color=(n % 256, n // 256, 1)) for n in range(256)])
    rle = mc.Rle.from_box((0, 0, 1, 1), (2, 2))
    data = mc.Dataset(schema, [mc.Item("a", width=2, height=2, annotations=[mc.Mask(rle, category_id=255)])])
    with pytest.raises(ValueError, match="256 classes do not fit"):
        mc.write(data, tmp_path / "out", "hasty_semantic", on_loss="ignore")
    mc.write(data, tmp_path / "out", "hasty_semantic", on_loss="ignore", channels=3)
    assert [a.category_id for i in mc.read(tmp_path / "out").items for a in i.annotations] == [255]
    for category in schema:
        category.color = None
    mc.write(data, tmp_path / "out", "hasty_semantic", on_loss="ignore", channels=3, overwrite=True)
    back = mc.read(tmp_path / "out")
    assert [a.category_id for i in back.items for a in i.annotations] == [255]
    assert len({c.color for c in back.schema}) == 256


def test_classes_without_a_colour_get_one_in_colour_maps(tmp_path: Path) -> None:
    data = overlapping()
    report = mc.write(data, tmp_path / "out", "hasty_semantic", on_loss="ignore", channels=3)
    assert [x.count for x in report if x.field == "color"] == [2]
    back = mc.read(tmp_path / "out")
    assert [c.color for c in back.schema] == [(128, 0, 0), (0, 128, 0)]


def test_maps_are_held_against_their_images(tmp_path: Path) -> None:
    folder = maps(tmp_path, np.array([[0, 1, 1]], np.uint8))
    (folder / "images").mkdir()
    (folder / "images" / "b.png").write_bytes(write_png(np.zeros((1, 3), np.uint8)))
    with pytest.raises(mc.FormatError, match="no image of the name 'a'"):
        list(mc.read(folder).items)
    (folder / "images" / "a.png").write_bytes(write_png(np.zeros((1, 3), np.uint8)))
    data = mc.read(folder).load()
    assert len(data.items) == 1 and not len(data.report)
    (folder / "images" / "a.jpg").write_bytes(write_png(np.zeros((1, 3), np.uint8)))
    data = mc.read(folder).load()
    assert [(x.field, x.count) for x in data.report] == [("path", 1)]
    (folder / "images" / "a.jpg").unlink()
    (folder / "images" / "a.png").write_bytes(write_png(np.zeros((3, 1), np.uint8)))
    with pytest.raises(mc.FormatError, match="the map is 3 x 1, the image 1 x 3"):
        list(mc.read(folder).items)
