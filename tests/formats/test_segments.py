"""Segments.ai image labels: quirks, bitmaps of every form, special losses."""

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

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

IDS = np.zeros((4, 6), np.uint32)
IDS[1:3, 1:4] = 1
IDS[3, 4:] = 70000
LABEL: dict[str, Any] = {
    "annotations": [{"id": 1, "category_id": 3}, {"id": 70000, "category_id": 5, "track_id": 9}],
    "segmentation_bitmap": {"url": "https://example.org/x/y/map.png?token=1"},
}
SHAPES: dict[str, Any] = {
    "annotations": [
        {"id": 1, "category_id": 3, "type": "bbox", "points": [[5, 1], [2, 4]]},
        {"id": 2, "category_id": 3, "type": "point", "points": [[0.5, 1]]},
    ]
}


def folder(path: Path, label: Any, bitmap: bytes | None) -> Path:
    path.mkdir(exist_ok=True)
    (path / "label.json").write_text(json.dumps(label))
    if bitmap is not None:
        (path / "map.png").write_bytes(bitmap)
    return path


def areas(path: Path, **options: Any) -> dict[int, int]:
    (item,) = mc.read(path, "segments", **options).items
    return {a.id: a.rle.area for a in item.annotations}


def test_bitmaps_of_every_form(tmp_path: Path) -> None:
    rgba = mc.pack_ids(IDS, "segments")
    assert areas(folder(tmp_path / "rgba", LABEL, write_png(rgba))) == {1: 6, 70000: 2}
    assert areas(folder(tmp_path / "rgb", LABEL, write_png(rgba[..., :3]))) == {1: 6, 70000: 2}
    small = copy.deepcopy(LABEL)
    small["annotations"][1]["id"] = 7
    grey = np.where(IDS == 70000, 7, IDS)
    for dtype in (np.uint8, np.uint16):
        assert areas(folder(tmp_path / dtype.__name__, small, write_png(grey.astype(dtype)))) == {1: 6, 7: 2}
    palette = write_png(grey.astype(np.uint8), np.zeros((8, 3), np.uint8))
    for mode in ("raise", "skip"):
        path = folder(tmp_path / f"palette {mode}", small, palette)
        if mode == "raise":
            with pytest.raises(mc.FormatError, match="palette"):
                areas(path)
        else:
            dataset = mc.read(path, "segments", on_error=mode).load()
            assert not dataset.items and dataset.report.total == 1


def test_alpha_is_no_part_of_the_id(tmp_path: Path) -> None:
    rgba = mc.pack_ids(IDS, "segments")
    rgba[..., 3] = 7
    path = folder(tmp_path / "a", LABEL, write_png(rgba))
    dataset = mc.read(path).load()
    assert {a.id: a.rle.area for a in dataset.items[0].annotations} == {1: 6, 70000: 2}
    assert [loss.field for loss in dataset.report] == ["segmentation_bitmap"]


def test_where_a_bitmap_is_looked_for(tmp_path: Path) -> None:
    data = write_png(mc.pack_ids(IDS, "segments"))
    path = folder(tmp_path / "in", LABEL, None)
    dataset = mc.read(path).load()
    assert dataset.report.total == 1 and not dataset.items[0].annotations
    assert dataset.items[0].extras["segments"]["unresolved"] == LABEL["annotations"]
    mc.write(dataset, tmp_path / "out", "segments_image_segmentation", on_loss="ignore")
    (release,) = (tmp_path / "out").glob("*.json")
    (sample,) = json.loads(release.read_text())["dataset"]["samples"]
    attributes = sample["labels"]["ground-truth"]["attributes"]
    assert attributes["annotations"] == LABEL["annotations"]
    assert attributes["segmentation_bitmap"] == LABEL["segmentation_bitmap"]
    asked: list[str] = []

    def resolve(url: str) -> bytes:
        asked.append(url)
        return data

    assert areas(path, resolve=resolve) == {1: 6, 70000: 2}
    assert asked == [LABEL["segmentation_bitmap"]["url"]]
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "map.png").write_bytes(data)
    assert areas(path, assets=str(tmp_path / "elsewhere")) == {1: 6, 70000: 2}
    (path / "assets").mkdir()
    (path / "assets" / "map.png").write_bytes(data)
    assert areas(path) == {1: 6, 70000: 2}


def test_pixels_without_annotation_and_the_reverse_survive(tmp_path: Path) -> None:
    label = {**LABEL, "annotations": [{"id": 1, "category_id": 3}, {"id": 5, "category_id": 3}]}
    dataset = mc.read(folder(tmp_path / "in", label, write_png(mc.pack_ids(IDS, "segments")))).load()
    assert {a.id: a.rle.area for a in dataset.items[0].annotations} == {1: 6, 5: 0}
    assert dataset.report.total == 2
    assert not len(mc.write(dataset, tmp_path / "out", "segments_image_segmentation", on_loss="ignore")) - 2
    (png,) = (tmp_path / "out" / "assets").iterdir()
    assert np.array_equal(mc.unpack_ids(np.asarray(Image.open(png))), IDS)
    again = mc.read(tmp_path / "out", on_loss="ignore").load()
    assert {a.id: a.rle.area for a in again.items[0].annotations} == {1: 6, 5: 0}


def test_covered_pixels_are_counted(tmp_path: Path) -> None:
    squares = []
    for number, (side, z) in enumerate([(4, 0), (3, 2), (2, 1)], 1):
        pixels = np.zeros((6, 6), np.uint8)
        pixels[:side, :side] = 1
        squares.append(mc.Mask(mc.Rle.from_mask(pixels), category_id=1, id=number, z_order=z))
    item = mc.Item("a", "a.png", width=6, height=6, annotations=squares, status="LABELED")
    dataset = mc.Dataset(mc.LabelSchema([mc.Category(1, "x")]), [item])
    report = mc.write(dataset, tmp_path / "out", "segments_image_segmentation", on_loss="ignore")
    assert report == mc.plan(dataset, "segments_image_segmentation")
    found = {(x.field, x.reason): (x.count, x.examples) for x in report if x.action == "dropped"}
    assert found["rle", "pixels covered by a later object"] == (9, [("a", "id 1")])
    assert found["", "covered by later objects altogether"] == (1, [("a", "id 3")])
    (back,) = mc.read(tmp_path / "out").items
    assert [(a.id, a.rle.area) for a in back.annotations] == [(1, 7), (2, 9)]


def test_ids_that_do_not_fit_are_renumbered(tmp_path: Path) -> None:
    one = mc.Rle.from_hasty([1, 1], (2, 2))
    two = mc.Rle.from_hasty([4, 1], (2, 2))
    masks = [mc.Mask(one, category_id="u", id=2**24), mc.Mask(two, category_id="u", id=2**24 - 1)]
    item = mc.Item("a", "a.png", width=2, height=2, annotations=masks, status="LABELED")
    dataset = mc.Dataset(mc.LabelSchema([mc.Category("u", "x")]), [item])
    report = mc.write(dataset, tmp_path / "out", "segments_image_segmentation", on_loss="ignore")
    assert {(x.action, x.what, x.field) for x in report} == {("renamed", "category", "id"), ("renamed", "mask", "id")}
    (back,) = mc.read(tmp_path / "out").items
    assert {a.id: a.rle for a in back.annotations} == {1: one, 2**24 - 1: two}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": 0}, "id"),
        ({"id": -3}, "id"),
        ({"id": 2**24}, "id"),
        ({"id": 70000}, "id"),
        ({"id": "1"}, "id"),
        ({"category_id": None}, "category_id"),
        ({"category_id": "3"}, "category_id"),
        ({"attributes": [1]}, "attributes"),
    ],
)
def test_faults_of_segmentations(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    label = copy.deepcopy(LABEL)
    label["annotations"].append({"id": 1, "category_id": 3, **change} if change.get("id") != 70000 else
                                {"id": 70000, "category_id": 3})  # fmt: skip
    label["annotations"][0], label["annotations"][2] = label["annotations"][2], {"id": 3, "category_id": 3}
    path = folder(tmp_path / "in", label, write_png(mc.pack_ids(IDS, "segments")))
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path).load()
    assert (caught.value.file, caught.value.field) == ("label.json", field)
    assert "annotations[" in caught.value.record
    lenient = mc.read(path, on_error="skip").load()
    assert len(lenient.items[0].annotations) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "cube"}, "type"),
        ({"points": [[1, 2]]}, "points"),
        ({"points": [[1, 2], [3, 4], [5, 6]]}, "points"),
        ({"points": [[1, 2], [3, "4"]]}, "points"),
        ({"points": None}, "points"),
        ({"type": "polygon"}, "points"),
        ({"type": "point"}, "points"),
        ({"id": 2}, "id"),
    ],
)
def test_faults_of_shapes(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    label = copy.deepcopy(SHAPES)
    label["annotations"][0].update(change)
    path = folder(tmp_path / "in", label, None)
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "segments_image_vector").load()
    assert caught.value.field == field
    lenient = mc.read(path, "segments_image_vector", on_error="skip").load()
    assert len(lenient.items[0].annotations) == 1 and lenient.report.total >= 1


def test_reversed_corners_come_back_as_they_were(tmp_path: Path) -> None:
    dataset = mc.read(folder(tmp_path / "in", SHAPES, None)).load()
    box = dataset.items[0].annotations[0]
    assert (box.x0, box.y0, box.x1, box.y1) == (2, 1, 5, 4)
    mc.write(dataset, tmp_path / "out", "segments_image_vector", on_loss="ignore")
    (release,) = (tmp_path / "out").glob("*.json")
    (sample,) = json.loads(release.read_text())["dataset"]["samples"]
    assert sample["labels"]["ground-truth"]["attributes"]["annotations"] == SHAPES["annotations"]


def test_links_to_missing_ids(tmp_path: Path) -> None:
    label = {**SHAPES, "links": [{"from_id": 1, "to_id": 8}]}
    with pytest.raises(mc.FormatError, match="link"):
        mc.read(folder(tmp_path / "in", label, None)).load()


def test_an_empty_label_is_a_vector_label_and_told(tmp_path: Path) -> None:
    dataset = mc.read(folder(tmp_path / "in", {"annotations": []}, None)).load()
    assert dataset.source.format == "segments_image_vector"
    assert dataset.report.total == 1


def test_a_table_of_categories(tmp_path: Path) -> None:
    path = folder(tmp_path / "in", SHAPES, None)
    dataset = mc.read(path, categories=[{"id": 3, "name": "car"}])
    assert [c.name for c in dataset.schema] == ["car"]
    with pytest.raises(mc.FormatError, match="category"):
        mc.read(path, categories=[{"id": 4, "name": "car"}]).load()


def test_splits_and_equal_names(tmp_path: Path) -> None:
    items = [mc.Item("a", "a.png", subset=s, status="LABELED") for s in ("train", "val")]
    dataset = mc.Dataset(mc.LabelSchema(), items)
    mc.write(dataset, tmp_path / "out", "segments_image_vector", on_loss="ignore")
    back = mc.read(tmp_path / "out").load()
    assert [i.subset for i in back.items] == ["train", "val"]
    assert [i.path for i in back.items] == ["a.png", "val/a.png"]


def test_tags_captions_and_crowds_become_attributes(tmp_path: Path) -> None:
    box = mc.Box(1, 1, 4, 4, category_id=1, is_crowd=True)
    tags = [mc.Tag(category_id=2), mc.Tag(category_id=9), mc.Caption("a cat"), mc.Caption("another")]
    schema = mc.LabelSchema([mc.Category(1, "cat"), mc.Category(2, "rain")])
    item = mc.Item("a", "a.png", width=9, height=9, annotations=[box, *tags], attributes={"sun": False})
    dataset = mc.Dataset(schema, [item])
    report = mc.write(dataset, tmp_path / "out", "segments_image_vector", on_loss="ignore")
    assert report == mc.plan(dataset, "segments_image_vector")
    (back,) = mc.read(tmp_path / "out").items
    assert back.attributes == {"sun": False, "rain": True, "caption": "a cat"}
    assert [(a.kind, a.attributes) for a in back.annotations] == [("box", {"is_crowd": True})]
    found = {(x.action, x.what): x.count for x in report if x.what in ("tag", "caption") and not x.field}
    assert found == {("approximated", "tag"): 1, ("dropped", "tag"): 1, ("approximated", "caption"): 1,
                     ("dropped", "caption"): 1}  # fmt: skip


# --- traps and bad input that have no test above ----------------------------------------------------------------------
def segmentation_release(path: Path, image: bytes, name: str = "a.png") -> Path:
    path.mkdir()
    sample = {"name": name, "attributes": {"image": {"url": f"https://x.example/{name}"}},
              "labels": {"ground-truth": {"label_status": "LABELED", "attributes": LABEL}}}  # fmt: skip
    task = {"categories": [{"id": 3, "name": "car"}, {"id": 5, "name": "road"}]}
    dataset = {"task_type": "segmentation-bitmap", "task_attributes": task, "samples": [sample]}
    (path / "r.json").write_text(json.dumps({"name": "v1", "dataset": dataset}))
    (path / "map.png").write_bytes(write_png(mc.pack_ids(IDS, "segments")))
    (path / name).write_bytes(image)
    return path


def test_a_bitmap_of_another_size_than_its_image(tmp_path: Path) -> None:
    good = segmentation_release(tmp_path / "good", write_png(np.zeros((4, 6), np.uint8)))
    assert [(i.width, i.height) for i in mc.read(good).items] == [(6, 4)]
    path = segmentation_release(tmp_path / "bad", write_png(np.zeros((6, 4), np.uint8)))
    with pytest.raises(mc.FormatError, match="bitmap is 6 x 4, the image 4 x 6") as caught:
        mc.read(path).load()
    assert caught.value.field == "segmentation_bitmap"
    lenient = mc.read(path, on_error="skip").load()
    assert not lenient.items and lenient.report.total == 1


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_images_count_as_they_stand_upright(tmp_path: Path, orientation: int) -> None:
    stored = (6, 4) if orientation in (1, 3) else (4, 6)
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = tmp_path / "picture.jpg"
    Image.new("L", stored).save(picture, exif=exif)
    path = segmentation_release(tmp_path / "in", picture.read_bytes(), "a.jpg")
    assert [(i.width, i.height) for i in mc.read(path).items] == [(6, 4)]


def test_ids_that_the_sdk_cut_off_are_told(tmp_path: Path) -> None:
    label = {**LABEL, "annotations": [{"id": 65535, "category_id": 3}]}
    cut = write_png(np.where(IDS > 0, 65535, 0).astype(np.uint16))
    dataset = mc.read(folder(tmp_path / "in", label, cut)).load()
    assert [a.rle.area for a in dataset.items[0].annotations] == [8]
    assert [loss.reason for loss in dataset.report] == ["grey value 65535: larger ids were cut off by the SDK"]


def test_categories_that_the_release_does_not_name(tmp_path: Path) -> None:
    path = folder(tmp_path / "in", SHAPES, None)
    with pytest.raises(mc.FormatError, match="unknown category id 3") as caught:
        mc.read(path, categories=[{"id": 4, "name": "car"}]).load()
    assert (caught.value.field, "annotations[0]" in caught.value.record) == ("category_id", True)


@pytest.mark.parametrize("version", ["0.2", 0.1, None])
def test_what_old_files_have(tmp_path: Path, version: object) -> None:
    """Versions as numbers, and attributes of the image where those of objects are named today."""
    label = {"format_version": version, **SHAPES, "attributes": {"weather": "sun"}}
    dataset = mc.read(folder(tmp_path / "in", label, None)).load()
    assert dataset.items[0].attributes == {"weather": "sun"}
    mc.write(dataset, tmp_path / "out", "segments_image_vector", on_loss="ignore")
    (release,) = (tmp_path / "out").glob("*.json")
    (sample,) = json.loads(release.read_text())["dataset"]["samples"]
    attributes = sample["labels"]["ground-truth"]["attributes"]
    assert json.dumps(attributes, sort_keys=True) == json.dumps(label, sort_keys=True)


def test_labels_of_other_labelsets_are_kept_and_told(tmp_path: Path) -> None:
    sample = {"name": "a.png", "attributes": {"image": {"url": "https://x.example/a.png"}},
              "labels": {"model": {"attributes": {**SHAPES, "annotations": SHAPES["annotations"][1:]}},
                         "ground-truth": {"attributes": SHAPES}}}  # fmt: skip
    task = {"categories": [{"id": 3, "name": "car"}]}
    dataset = {"task_type": "vector", "task_attributes": task, "samples": [sample]}
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"name": "v1", "dataset": dataset}))
    first = mc.read(path).load()
    assert len(first.items[0].annotations) == 2 and [x.field for x in first.report] == ["labels.model"]
    second = mc.read(path, "segments", labelset="model").load()
    assert len(second.items[0].annotations) == 1 and [x.field for x in second.report] == ["labels.ground-truth"]
    for source in (first, second):
        mc.write(source, tmp_path / "out", "segments", on_loss="ignore", overwrite=True)
        (release,) = (tmp_path / "out").glob("*.json")
        assert json.loads(release.read_text())["dataset"]["samples"][0]["labels"] == sample["labels"]


def test_keys_of_objects_keep_their_order(tmp_path: Path) -> None:
    shape = {"points": [[1, 2], [3, 4]], "my": 0, "type": "bbox", "attributes": {"z": 1, "a": 2}, "category_id": 3}
    shape["id"] = 1
    dataset = mc.read(folder(tmp_path / "in", {"annotations": [shape]}, None)).load()
    mc.write(dataset, tmp_path / "out", "segments_image_vector", on_loss="ignore")
    (release,) = (tmp_path / "out").glob("*.json")
    (sample,) = json.loads(release.read_text())["dataset"]["samples"]
    (record,) = sample["labels"]["ground-truth"]["attributes"]["annotations"]
    assert json.dumps(record) == json.dumps(shape)
