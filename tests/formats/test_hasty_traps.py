"""Traps of Hasty's formats by their places in the descriptions, and bad input, where other tests have none.

Numbers count the points of section 6 of each description. Hasty JSON: 1 and 4 ``conformance.test_hasty_json.BAD``; 5,
6, 11, 12, 13 ``test_hasty_json``; 9 is about a script that has no counterpart here. Exports: 1 to 4, imports: 1 to 5, 8
and 9 ``test_hasty_imports``, ``conformance.test_hasty_imports``. COCO export: all here, or in ``test_hasty_coco``.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import maskcodec as mc
from maskcodec.formats._shared.images import write_png
from tests.formats.test_hasty_coco import export
from tests.formats.test_hasty_imports import CLASSES, maps, overlapping
from tests.formats.test_hasty_json import PROJECT, load, only, project

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


# --- Hasty JSON -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [1, 255, True])
def test_json_trap_02_any_value_but_0_is_of_the_mask(value: Any) -> None:
    pixels = np.zeros((2, 4), type(value) if value is True else np.uint8)
    pixels[0, 1:3] = value
    assert mc.Rle.from_mask(pixels).to_hasty() == [2, 2]


def test_json_trap_03_sizes_are_height_first() -> None:
    rle = only(project(bbox=[3, 2, 9, 7], mask=[1, 6])).rle
    assert rle.shape == rle.decode().shape == (16, 24)
    assert rle.decode()[2, 3:9].all() and rle.area == 6


@pytest.mark.parametrize("mask", [[8, 4, 3, 2], [3, 2, 20, 2, 8, 4], [3, 2, 4, 2]])
def test_json_trap_04_every_run_is_checked_not_the_last(mask: list[int]) -> None:
    with pytest.raises(mc.FormatError, match="mask"):
        load(project(mask=mask))
    dataset = load(project(mask=mask), on_error="skip")
    pixels = {at for start, length in zip(mask[::2], mask[1::2], strict=True) for at in range(start, start + length)}
    assert dataset.items[0].annotations[0].rle.area == len(pixels) and dataset.report.total == 1


def test_json_trap_05_a_run_past_the_image_too_is_no_mask_of_it() -> None:
    document = project(mask=[200, 3, 384, 2])
    dataset = load(document, on_error="skip")
    assert not dataset.items[0].annotations and dataset.report.total == 1


def test_json_traps_07_and_08_equal_names_and_high_images_in_coco(tmp_path: Path) -> None:
    document = copy.deepcopy(PROJECT)
    document["images"].append({**document["images"][0], "dataset_name": "e", "width": 16, "height": 24, "labels": []})
    mc.write(load(document), tmp_path / "out", "coco_instances", on_loss="ignore")
    sizes = []
    for file in sorted((tmp_path / "out" / "annotations").iterdir()):
        images = json.loads(file.read_bytes())["images"]
        sizes += [(file.stem, i["file_name"].rpartition("/")[2], i["width"], i["height"]) for i in images]
    assert sizes == [("instances_d", "a.png", 24, 16), ("instances_e", "a.png", 16, 24)]


def test_json_trap_10_values_where_names_are_expected(tmp_path: Path) -> None:
    document = copy.deepcopy(PROJECT)
    document["label_classes"][0]["attributes"] = ["black", "white"]
    mc.write(load(document), tmp_path / "out.json", "hasty_json")
    assert json.loads((tmp_path / "out.json").read_bytes())["label_classes"][0]["attributes"] == ["black", "white"]


@pytest.mark.parametrize("status", ["Done", "FINISHED"])
def test_json_trap_13_a_status_that_is_not_known_is_kept_and_told(tmp_path: Path, status: str) -> None:
    document = copy.deepcopy(PROJECT)
    document["images"][0]["image_status"] = status
    for mode in ("raise", "skip"):
        dataset = load(document, on_error=mode)
        assert dataset.items[0].status == status and [x.field for x in dataset.report] == ["status"]
    mc.write(dataset, tmp_path / "out.json", "hasty_json", on_loss="ignore")
    assert json.loads((tmp_path / "out.json").read_bytes())["images"][0]["image_status"] == status


@pytest.mark.parametrize("mode", ["raise", "skip"])
def test_json_bad_without_images(mode: str) -> None:
    document = copy.deepcopy(PROJECT)
    del document["images"]
    with pytest.raises(mc.FormatError, match="images"):
        load(document, on_error=mode)


def test_json_bad_image_without_a_size_is_skipped_alone() -> None:
    document = copy.deepcopy(PROJECT)
    document["images"].append({**document["images"][0], "image_name": "b.png"})
    del document["images"][0]["width"]
    with pytest.raises(mc.FormatError, match="width"):
        load(document)
    dataset = load(document, on_error="skip")
    assert [i.id for i in dataset.items] == ["b"] and dataset.report.total == 1


# --- exports and imports ----------------------------------------------------------------------------------------------
def test_exports_trap_05_equal_names_in_two_folders(tmp_path: Path) -> None:
    folder = maps(tmp_path, np.ones((1, 2), np.uint8))
    for name, value in (("one", 1), ("two", 3)):
        (folder / name).mkdir()
        (folder / name / "image1.png").write_bytes(write_png(np.full((1, 2), value, np.uint8)))
    (folder / "a.png").unlink()
    items = list(mc.read(folder, "hasty_semantic").items)
    assert len({item.key for item in items}) == 2
    assert [[a.category_id for a in item.annotations] for item in items] == [["wall"], ["sea"]]


def test_imports_trap_06_indices_are_given_when_writing_only(tmp_path: Path) -> None:
    bare = [{"name": "wall"}, {"name": "sea", "png_index": 1}]
    folder = maps(tmp_path, np.array([[0, 1, 2]], np.uint8), bare)
    with pytest.raises(mc.FormatError, match="value 2"):
        mc.read(folder).load()
    (folder / "a.png").write_bytes(write_png(np.array([[0, 1, 1]], np.uint8)))
    data = mc.read(folder).load()
    assert [a.category_id for a in data.items[0].annotations] == ["sea"]
    mc.write(data, tmp_path / "out", "hasty_semantic", on_loss="ignore")
    (classes,) = (tmp_path / "out").rglob("*.json")
    assert {c.get("name", c.get("class_name")): c["png_index"] for c in json.loads(classes.read_bytes())} == {
        "wall": 2, "sea": 1,
    }  # fmt: skip


def test_imports_trap_07_a_colour_that_another_class_has_is_not_given_again(tmp_path: Path) -> None:
    data = overlapping()
    data.schema.categories[1].color = (128, 0, 0)  # what the first class would be given
    report = mc.write(data, tmp_path / "out", "hasty_semantic", on_loss="ignore", channels=3)
    assert [x.count for x in report if x.field == "color"] == [1]
    colors = [c.color for c in mc.read(tmp_path / "out").schema]
    assert colors[1] == (128, 0, 0) and len(set(colors)) == 2


TWO = np.zeros((1, 3, 2), np.uint8)  # grey and alpha
COLOURED = np.full((1, 3, 3), 7, np.uint8)
AMBIGUOUS = [{"name": "a", "color": "#070707"}, {"name": "b", "color": "#07070780"}]


@pytest.mark.parametrize(
    ("pixels", "classes", "message", "kept"),
    [(TWO, CLASSES, "channel", 0), (COLOURED, AMBIGUOUS, "several classes", 1), (COLOURED, CLASSES, "colour", 1)],
    ids=["two channels", "colours that differ in alpha alone", "colour of no class"],
)  # fmt: skip
def test_imports_bad_map(tmp_path: Path, pixels: np.ndarray, classes: Any, message: str, kept: int) -> None:
    folder = maps(tmp_path, pixels[..., 0] if pixels is TWO else pixels, classes)
    if pixels is TWO:
        Image.fromarray(pixels, "LA").save(folder / "a.png")
    with pytest.raises(mc.FormatError, match=message):
        mc.read(folder, "hasty_semantic").load()
    data = mc.read(folder, "hasty_semantic", on_error="skip").load()
    assert len(data.items) == kept and not any(i.annotations for i in data.items) and data.report.total >= 1


@pytest.mark.parametrize(("picture", "size"), [("b.png", (1, 3)), ("a.png", (3, 1))])
def test_imports_bad_picture(tmp_path: Path, picture: str, size: tuple[int, int]) -> None:
    folder = maps(tmp_path, np.array([[0, 1, 1]], np.uint8))
    (folder / "images").mkdir()
    (folder / "images" / picture).write_bytes(write_png(np.zeros(size, np.uint8)))
    with pytest.raises(mc.FormatError):
        mc.read(folder).load()
    data = mc.read(folder, on_error="skip").load()
    assert not data.items and data.report.total == 1


# --- COCO export ------------------------------------------------------------------------------------------------------
RUNS = {"size": [2, 4], "counts": mc.Rle.from_counts([0, 2, 6], (2, 4)).to_coco()["counts"]}


def test_coco_traps_01_and_03_null_is_no_mask_and_runs_are_no_crowd(tmp_path: Path) -> None:
    path = export(tmp_path, {"id": 0, "segmentation": None}, {"id": 5, "segmentation": RUNS})
    (item,) = mc.read(path).items
    assert [(a.kind, a.is_crowd) for a in item.annotations] == [("box", False), ("mask", False)]
    mc.convert(path, tmp_path / "out.json", "hasty_coco")
    rows = json.loads((tmp_path / "out.json").read_bytes())["annotations"]
    assert [(r["segmentation"], r["iscrowd"]) for r in rows] == [(None, 0), (RUNS, 0)]


@pytest.mark.parametrize("renumber", [False, True])
def test_coco_traps_02_and_04_ids_from_0_and_with_gaps(tmp_path: Path, renumber: bool) -> None:
    path = export(tmp_path, *({"id": n, "segmentation": None} for n in (0, 9, 4)))
    mc.convert(path, tmp_path / "out.json", "hasty_coco", renumber=renumber, on_loss="ignore")
    rows = json.loads((tmp_path / "out.json").read_bytes())["annotations"]
    assert [r["id"] for r in rows] == ([1, 2, 3] if renumber else [0, 9, 4])


def test_coco_trap_05_the_area_of_a_box_is_none_of_a_mask(tmp_path: Path) -> None:
    path = export(tmp_path, {"id": 0, "segmentation": RUNS, "bbox": [0, 0, 4, 2], "area": 8})
    (item,) = mc.read(path).items
    assert item.annotations[0].rle.area == 2
    mc.convert(path, tmp_path / "out.json", "hasty_coco")
    (row,) = json.loads((tmp_path / "out.json").read_bytes())["annotations"]
    assert (row["area"], row["bbox"]) == (8, [0, 0, 4, 2])


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"segmentation": {**RUNS, "size": [4, 2]}}, "segmentation.size"),
        ({"segmentation": {"size": [2, 4], "counts": [0, 2, 7]}}, "segmentation.counts"),
        ({"bbox": [0, 0, -1, 2], "segmentation": None}, "bbox"),
        ({"category_id": 9, "segmentation": None}, "category_id"),
        ({"bbox": None, "segmentation": None}, "bbox"),
    ],
)
def test_coco_bad(tmp_path: Path, row: dict[str, Any], field: str) -> None:
    path = export(tmp_path, {"id": 0, "segmentation": None}, {"id": 1, **row}, {"id": 2, "segmentation": RUNS})
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "hasty_coco").load()
    assert (caught.value.field, caught.value.record) == (field, "annotations[1] (id 1)")
    data = mc.read(path, "hasty_coco", on_error="skip").load()
    assert [a.id for a in data.items[0].annotations] == [0, 2] and data.report.total == 1
