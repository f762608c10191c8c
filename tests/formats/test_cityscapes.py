"""Traps and bad input of Cityscapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.formats._shared.images import read_png, write_png
from maskcodec.formats.cityscapes.table import CITY, spelt

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
ROAD = {"label": "road", "polygon": [[0, 0], [4, 0], [4, 3]]}
TABLE = "0 0 0 background\n200 0 0 traffic light\n0 200 0 green\n"


def put(root: Path, name: str, data: bytes) -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(data)
    return root


def png(values: list[int], dtype: type = np.uint16) -> bytes:
    return write_png(np.array([values], dtype))


def maps(root: Path, values: list[int], labels: list[int] | None = None, table: str | None = None) -> Path:
    put(root, "gtFine/train/c/c_1_2_gtFine_instanceIds.png", png(values))
    if labels is not None:
        put(root, "gtFine/train/c/c_1_2_gtFine_labelIds.png", png(labels, np.uint8))
    if table is not None:
        put(root, "label_colors.txt", table.encode())
    return root


def outlines(root: Path, *objects: Any, **keys: Any) -> Path:
    body = {"imgHeight": 4, "imgWidth": 6, "objects": list(objects), **keys}
    body = {key: value for key, value in body.items() if value is not None}
    return put(root, "gtFine/train/c/c_1_2_gtFine_polygons.json", json.dumps(body).encode())


def regions(dataset: mc.Dataset) -> list[tuple[Any, ...]]:
    return [(a.category_id, a.id, a.is_crowd, a.rle.area) for item in dataset.items for a in item.annotations]


def fails(path: Path, *words: str, **options: Any) -> mc.Dataset:
    """Check that a strict reader refuses with these words; returns what a lenient one makes of it."""
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "cityscapes", **options).load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, "cityscapes", on_error="skip", **options).load()
    assert len(lenient.report)
    return lenient


def test_table() -> None:
    assert len(CITY) == 35
    assert [row.id for row in CITY] == [*range(34), -1]
    assert sum(row.things for row in CITY) == 10
    assert sorted(row.train for row in CITY if 0 <= row.train < 255) == list(range(19))
    assert spelt("egovehicle") is spelt("ego vehicle") is CITY[1]
    assert spelt("cat") is None


def test_instance_zero_and_names_with_blanks(tmp_path: Path) -> None:
    path = maps(tmp_path / "in", [0, 1, 1000, 1001, 2999], [0, 1, 1, 1, 2], TABLE)
    data = mc.read(path)
    # A traffic light is stuff by its name, whatever its number; another class may have instances.
    assert regions(data) == [(1, 1, False, 1), (1, 1000, False, 1), (1, 1001, False, 1), (2, 2999, False, 1)]
    assert not len(mc.write(data, tmp_path / "out", "cityscapes"))
    back = mc.read(tmp_path / "out")
    assert regions(back) == regions(data)
    assert back.schema.by_id(1).name == "traffic light"
    assert regions(mc.read(path, keep_background=True))[0] == (0, 0, True, 1)


def test_label_color_is_another_name(tmp_path: Path) -> None:
    put(maps(tmp_path, [2]), "label_color.txt", TABLE.encode())
    assert mc.read(tmp_path).schema.by_id(2).name == "green"


def test_unknown_class(tmp_path: Path) -> None:
    path = maps(tmp_path, [7, 34001, 34001])
    assert regions(fails(path, "instanceIds.png", "value 34001", "2 pixels", "(1, 0)")) == [(7, 7, False, 1)]


def test_maps_that_disagree(tmp_path: Path) -> None:
    fails(maps(tmp_path, [26001, 7, 7, 0], [26, 7, 8, 5]), "labelIds.png", "1 pixels", "(2, 0)")
    mc.read(maps(tmp_path / "b", [26001, 0], [26, 5])).load()  # what is not painted may be anything
    fails(maps(tmp_path / "c", [7, 7], [7]), "1 x 1", "2 x 1")


def test_maps_of_other_kinds(tmp_path: Path) -> None:
    name = "gtFine/train/c/c_1_2_gtFine_instanceIds.png"
    put(tmp_path, name, write_png(np.zeros((1, 1, 4), np.uint8) + 255))
    fails(tmp_path, "instanceIds.png", "one channel")
    put(tmp_path, name, png([7, 26], np.uint8))  # classes alone
    assert regions(mc.read(tmp_path)) == [(7, 7, False, 1), (26, 26, True, 1)]


def test_train_ids_are_for_those_who_ask(tmp_path: Path) -> None:
    path = maps(tmp_path / "a", [7, 26001, 26002, 0])
    put(path, "gtFine/train/c/c_1_2_gtFine_labelTrainIds.png", png([0, 13, 13, 255], np.uint8))
    assert [entry[1] for entry in regions(mc.read(path))] == [7, 26001, 26002]
    assert regions(mc.read(path, use="train")) == [(7, None, False, 1), (26, None, True, 2)]
    alone = put(tmp_path / "b", "gtFine/train/c/c_1_2_gtFine_labelTrainIds.png", png([19, 0, 255], np.uint8))
    assert mc.detect(alone) == "cityscapes"
    assert regions(mc.read(alone)) == [(7, None, False, 1)]
    bad = put(tmp_path / "d", "gtFine/train/c/c_1_2_gtFine_labelTrainIds.png", png([20, 0], np.uint8))
    assert regions(fails(bad, "value 20", "train id")) == [(7, None, False, 1)]
    with pytest.raises(ValueError, match="use is one of"):
        mc.read(path, use="all")


def test_subsets_cities_and_other_files(tmp_path: Path) -> None:
    one = png([7])
    for name in ("gtFine/aachen/aachen_000000_000019_gtFine_instanceIds.png", "gtFine/x_gtFine_instanceIds.png",
                 "gtFine/mine/aachen_000000_000019_gtFine_instanceIds.png", "gtFine/val/a/b_gtFine_instanceIds.png",
                 "gtFine/val/a/b_gtFine_color.png", "gtFine/val/a/b_disparity.png", "gtFine/.DS_Store",
                 "leftImg8bit/val/a/c_leftImg8bit.png", "x/imgsFine/leftImg8bit/val/a/b_leftImg8bit.png"):  # fmt: skip
        put(tmp_path, name, one)
    data = mc.read(tmp_path)
    assert [(i.subset, i.id, i.path) for i in data.items] == [
        ("default", "aachen/aachen_000000_000019", None), ("default", "x", None),
        ("mine", "aachen_000000_000019", None), ("val", "a/b", "a/b.png"), ("val", "a/c", "a/c.png"),
    ]  # fmt: skip
    report = mc.write(data, tmp_path / "out", "cityscapes", media="copy")
    assert ("approximated", "item", "", 1) in {(loss.action, loss.what, loss.field, loss.count) for loss in report}
    assert (tmp_path / "out/imgsFine/leftImg8bit/val/a/c_leftImg8bit.png").exists()


def test_same_image_twice(tmp_path: Path) -> None:
    for root in ("a", "b"):
        maps(tmp_path / root, [7])
    assert len(fails(tmp_path, "there already").items) == 1


def test_fine_before_coarse(tmp_path: Path) -> None:
    maps(tmp_path, [7])
    put(tmp_path, "gtCoarse/train/c/c_1_2_gtCoarse_instanceIds.png", png([8]))
    data = mc.read(tmp_path)
    assert [entry[0] for entry in regions(data)] == [7]
    assert [(loss.action, loss.examples[0][0]) for loss in data.report] == [("unread", "gtCoarse")]
    assert [entry[0] for entry in regions(mc.read(tmp_path, truth="gtCoarse"))] == [8]
    coarse = put(tmp_path / "b", "gtCoarse/train_extra/c/c_1_2_gtCoarse_instanceIds.png", png([8]))
    assert [i.subset for i in mc.read(coarse).items] == ["train_extra"]


def test_outlines_survive(tmp_path: Path) -> None:
    objects = [
        {**ROAD, "id": 7, "verified": 1, "note": {"x": [1]}},
        {"label": "egovehicle", "polygon": [[-3.5, 1.25], [9, 0], [1e-7, 8]], "deleted": 0},
        {"label": "cargroup", "deleted": 1, "polygon": "anything"},
        {"label": "bicyclegroup", "polygon": [[0, 0], [4, 0], [4, 3], [0, 0]]},
        {"label": "polegroup", "polygon": [[0, 0], [4, 0], [4, 3]]},
    ]
    data = mc.read(outlines(tmp_path, *objects, source="me")).load()
    (item,) = data.items
    assert [(data.schema.by_id(a.category_id).name, a.is_crowd, a.z_order) for a in item.annotations] == [
        ("road", False, 0), ("ego vehicle", False, 1), ("bicycle", True, 3), ("polegroup", False, 4),
    ]  # fmt: skip
    assert not len(mc.write(data, tmp_path / "out", "cityscapes", layout="original"))
    name = "gtFine/train/c/c_1_2_gtFine_polygons.json"
    written, read = (json.loads((root / name).read_text()) for root in (tmp_path / "out", tmp_path))
    assert written == read
    assert not (tmp_path / "out" / "label_colors.txt").exists()


BAD: dict[str, dict[str, Any]] = {
    "label": {"label": "catgroup", "polygon": ROAD["polygon"]},
    "polygon": {"label": "car", "polygon": [[1, 2], [3, 4]]},
    "pairs": {"label": "car", "polygon": [[1, 2, 3], [3, 4], [5, 6]]}, "objects[1]": {"polygon": ROAD["polygon"]},
    "expected an object": 3, "numbers": {"label": "car", "polygon": [["1", 2], [3, 4], [5, 6]]},
}  # fmt: skip


@pytest.mark.parametrize("word", BAD)
def test_bad_objects(tmp_path: Path, word: str) -> None:
    lenient = fails(outlines(tmp_path, ROAD, BAD[word], ROAD), "polygons.json", "objects[1]", word)
    assert [a.z_order for item in lenient.items for a in item.annotations] == [0, 2]


@pytest.mark.parametrize("key", ["imgHeight", "imgWidth", "objects"])
def test_missing_keys(tmp_path: Path, key: str) -> None:
    fails(outlines(tmp_path, **({key: None})), "polygons.json", key, "missing")
    fails(outlines(tmp_path, **({key: "5"})), "polygons.json", key)


def test_sizes_differ(tmp_path: Path) -> None:
    path = outlines(tmp_path / "a", ROAD)
    put(path, "gtFine/train/c/c_1_2_gtFine_instanceIds.png", png([7]))
    fails(path, "6 x 4", "1 x 1")
    path = put(maps(tmp_path / "b", [7]), "leftImg8bit/train/c/c_1_2_leftImg8bit.png", png([7, 7], np.uint8))
    fails(path, "1 x 1", "2 x 1")


def many(count: int, categories: int, **fields: Any) -> mc.Dataset:
    masks = [mc.Mask(mc.Rle.from_box((i, 0, 1, 1), (1, count)), category_id=i % categories, **fields)
             for i in range(count)]  # fmt: skip
    schema = mc.LabelSchema([mc.Category(at, f"c{at}") for at in range(categories)])
    return mc.Dataset(schema, [mc.Item("a", width=count, height=1, annotations=masks)])


def test_limits(tmp_path: Path) -> None:
    mc.write(many(1000, 1), tmp_path / "a", "cityscapes")
    assert [entry[1] for entry in regions(mc.read(tmp_path / "a"))] == list(range(1000, 2000))
    with pytest.raises(ValueError, match="1001 objects"):
        mc.write(many(1001, 1), tmp_path / "b", "cityscapes")
    mc.write(many(65, 65), tmp_path / "c", "cityscapes")
    assert regions(mc.read(tmp_path / "c"))[-1][1] == 65000
    with pytest.raises(ValueError, match="66000"):
        mc.write(many(66, 66), tmp_path / "b", "cityscapes")
    mc.write(many(255, 255, is_crowd=True), tmp_path / "d", "cityscapes")
    assert regions(mc.read(tmp_path / "d"))[-1] == (255, 255, True, 1)
    with pytest.raises(ValueError, match="257 classes"):
        mc.write(many(256, 256, is_crowd=True), tmp_path / "b", "cityscapes")
    assert not (tmp_path / "b").exists()


def test_original_layout_has_the_labels_of_cityscapes(tmp_path: Path) -> None:
    data = many(3, 3)
    with pytest.raises(ValueError, match="'c0' is not one of Cityscapes"):
        mc.write(data, tmp_path / "out", "cityscapes", layout="original")
    for category, name in zip(data.schema, ("car", "licenseplate", "unlabeled"), strict=True):
        category.name = name
    report = mc.write(data, tmp_path / "out", "cityscapes", layout="original")
    assert ("dropped", "mask", 2) in {(loss.action, loss.what, loss.count) for loss in report if not loss.field}
    assert regions(mc.read(tmp_path / "out")) == [(26, 26000, False, 1)]
    pixels, header, _ = read_png((tmp_path / "out/gtFine/default/a_gtFine_color.png").read_bytes())
    assert (header.color_type, pixels[0].tolist()) == (6, [[0, 0, 142, 255], [0, 0, 0, 255], [0, 0, 0, 255]])
    with pytest.raises(ValueError, match="layout is"):
        mc.write(data, tmp_path / "b", "cityscapes", layout="other")


@pytest.mark.parametrize(("layout", "folder"), [("cvat", "imgsFine/leftImg8bit"), ("original", "leftImg8bit")])
def test_images_are_copied_where_the_layout_wants_them(tmp_path: Path, layout: str, folder: str) -> None:
    (tmp_path / "in/gtFine/train/x").mkdir(parents=True)
    (tmp_path / "in/leftImg8bit/train/x").mkdir(parents=True)
    (tmp_path / "in/gtFine/train/x/a_gtFine_instanceIds.png").write_bytes(write_png(np.array([[26000, 7]], np.uint16)))
    picture = write_png(np.zeros((1, 2, 3), np.uint8))
    (tmp_path / "in/leftImg8bit/train/x/a_leftImg8bit.png").write_bytes(picture)
    mc.write(mc.read(tmp_path / "in"), tmp_path / "out", "cityscapes", layout=layout, media="copy", on_loss="ignore")
    assert [p.relative_to(tmp_path / "out").as_posix() for p in tmp_path.rglob("out/**/*leftImg8bit.png")] == [
        f"{folder}/train/x/a_leftImg8bit.png"
    ]
    back = mc.read(tmp_path / "out")
    with back.media.open_media(back.items[0]) as stream:
        assert stream.read() == picture


def test_polygons_beside_masks_are_written_as_masks(tmp_path: Path) -> None:
    schema = mc.LabelSchema([mc.Category(26, "car")])
    ring = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]]
    mask = mc.Mask(mc.Rle.from_box((1, 0, 3, 1), (2, 4)), category_id=26)
    item = mc.Item("a", width=4, height=2, annotations=[mc.Polygon([ring], category_id=26, z_order=1), mask])
    report = mc.write(mc.Dataset(schema, [item]), tmp_path / "out", "cityscapes", layout="original")
    found = {(loss.action, loss.what, loss.field, loss.count) for loss in report}
    assert found >= {("approximated", "polygon", "", 1), ("dropped", "mask", "rle", 1)}
    assert [entry[3] for entry in regions(mc.read(tmp_path / "out"))] == [2, 4]


def test_subset_that_would_be_read_as_a_city(tmp_path: Path) -> None:
    data = many(1, 1)
    data.items[0].subset, data.items[0].id = "aachen", "aachen_000000_000019"
    with pytest.raises(ValueError, match="read as a city"):
        mc.write(data, tmp_path / "out", "cityscapes")


@given(st.lists(st.sampled_from([0, 1, 2, 1000, 1001, 1999, 2000, 2005]), min_size=1, max_size=12))
def test_every_value_survives(tmp_path_factory: pytest.TempPathFactory, values: list[int]) -> None:
    path = maps(tmp_path_factory.mktemp("cityscapes"), values, table=TABLE)
    assert not len(mc.write(mc.read(path).load(), path / "out", "cityscapes"))
    pixels, _, _ = read_png((path / "out/gtFine/train/c/c_1_2_gtFine_instanceIds.png").read_bytes())
    assert pixels.tolist() == [values]
