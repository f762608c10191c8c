"""Hasty JSON: quirks, odd but valid files, special losses."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import maskcodec as mc

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

PROJECT: dict[str, Any] = {
    "project_name": "P",
    "create_date": "2024-08-01T10:00:00Z",
    "export_format_version": "1.1",
    "export_date": "2024-08-21T09:30:00Z",
    "label_classes": [
        {"class_id": "a1", "parent_class_id": None, "class_name": "cat", "class_type": "object", "color": "#1F78B44D"},
        {"class_id": "b2", "parent_class_id": "a1", "class_name": "kitten", "class_type": "object", "color": "#1f78b4"},
    ],
    "images": [
        {
            "image_name": "a.png", "dataset_name": "d", "width": 24, "height": 16, "image_status": "DONE", "tags": [],
            "labels": [{"class_name": "cat", "bbox": [3, 2, 9, 7], "polygon": None, "mask": [3, 2, 8, 4], "z_index": 2}]
        }
    ],
    "attributes": [],
}  # fmt: skip


def project(**label: Any) -> dict[str, Any]:
    """The project with other values in its one label."""
    out = copy.deepcopy(PROJECT)
    out["images"][0]["labels"][0].update(label)
    return out


def load(document: Any, **options: Any) -> mc.Dataset:
    return mc.read(json.dumps(document).encode(), "hasty_json", **options).load()


def one_item(annotation: Any, width: int, height: int) -> mc.Dataset:
    item = mc.Item("a", "a.png", width=width, height=height, annotations=[annotation])
    return mc.Dataset(mc.LabelSchema([mc.Category(1, "cat")]), [item])


def only(document: Any, **options: Any) -> Any:
    (item,) = load(document, **options).items
    (annotation,) = item.annotations
    return annotation


def written(dataset: mc.Dataset, path: Path, **options: Any) -> dict[str, Any]:
    mc.write(dataset, path / "out.json", "hasty_json", **options)
    found: dict[str, Any] = json.loads((path / "out.json").read_text(encoding="utf-8"))
    return found


def test_crop_frame_is_kept_while_the_mask_lies_in_it(tmp_path: Path) -> None:
    document = project(bbox=[0, 0, 24, 16], mask=[30, 2])
    dataset = load(document)
    (label,) = written(dataset, tmp_path)["images"][0]["labels"]
    assert (label["bbox"], label["mask"]) == ([0, 0, 24, 16], [30, 2])
    mask = dataset.items[0].annotations[0]
    mask.extras["hasty_json"]["bbox"] = [0, 0, 2, 2]
    (tmp_path / "out.json").unlink()
    (label,) = written(dataset, tmp_path)["images"][0]["labels"]
    assert (label["bbox"], label["mask"]) == ([5, 1, 7, 2], [1, 2])


def test_touching_runs_are_written_merged(tmp_path: Path) -> None:
    dataset = load(project(mask=[1, 2, 3, 2]))
    assert not len(dataset.report)
    assert written(dataset, tmp_path)["images"][0]["labels"][0]["mask"] == [1, 4]


def test_empty_mask_is_kept_with_its_frame_and_told(tmp_path: Path) -> None:
    dataset = load(project(mask=[]))
    assert dataset.items[0].annotations[0].rle.area == 0
    assert dataset.report.total == 1
    label = written(dataset, tmp_path)["images"][0]["labels"][0]
    assert (label["bbox"], label["mask"]) == ([3, 2, 9, 7], [])


def test_empty_mask_without_a_frame_is_dropped(tmp_path: Path) -> None:
    mask = mc.Mask(mc.Rle.from_counts([12], (3, 4)), category_id=1)
    report = mc.write(one_item(mask, 4, 3), tmp_path / "out", "hasty_json", on_loss="ignore")
    assert [(x.action, x.what, x.count) for x in report if x.action == "dropped"] == [("dropped", "mask", 1)]


def test_whole_image_masks_are_read_leniently_only() -> None:
    document = project(mask=[200, 3])
    with pytest.raises(mc.FormatError, match="mask"):
        load(document)
    mask = only(document, on_error="skip")
    assert mask.rle == mc.Rle.from_hasty([200, 3], (16, 24))


def test_a_label_with_all_shapes_keeps_them(tmp_path: Path) -> None:
    document = project(polygon=[[3, 2], [9, 2], [9, 7]])
    mask = only(document)
    assert mask.kind == "mask"
    (label,) = written(load(document), tmp_path)["images"][0]["labels"]
    assert label["polygon"] == [[3, 2], [9, 2], [9, 7]] and label["mask"] == [3, 2, 8, 4]


def test_a_label_without_shape_becomes_a_tag_and_comes_back(tmp_path: Path) -> None:
    document = project(mask=None, bbox=None, id="x")
    dataset = load(document)
    (tag,) = dataset.items[0].annotations
    assert (tag.kind, tag.id, dataset.report.total) == ("tag", "x", 1)
    (label,) = written(dataset, tmp_path)["images"][0]["labels"]
    assert (label["id"], label["class_name"], label["bbox"], label["mask"]) == ("x", "cat", None, None)


def test_tags_named_like_a_class_are_tags_of_the_class(tmp_path: Path) -> None:
    document = project()
    document["images"][0] |= {"tags": ["cat", "old", "sun"], "tag_groups": {"sky": ["sun"], "Default": ["old"]}}
    dataset = load(document)
    item = dataset.items[0]
    assert [a.kind for a in item.annotations] == ["mask", "tag"]
    assert item.attributes == {"sky": ["sun"], "Default": ["old"]}
    image = written(dataset, tmp_path)["images"][0]
    assert sorted(image["tags"]) == ["cat", "old", "sun"]
    assert image["tag_groups"] == {"sky": ["sun"], "Default": ["old", "cat"]}


def test_colours_parents_and_unknown_keys(tmp_path: Path) -> None:
    document = project(confidence=0.5)
    document |= {"my_key": {"deep": [1, None]}}
    document["images"][0]["reviewer"] = "jo"
    document["label_classes"][0]["norder"] = 10.5
    dataset = load(document)
    cat, kitten = dataset.schema
    assert (cat.color, kitten.color, kitten.parent) == ((31, 120, 180, 77), (31, 120, 180), "cat")
    out = written(dataset, tmp_path)
    assert [c["color"] for c in out["label_classes"]] == ["#1F78B44D", "#1f78b4"]
    assert [c["parent_class_id"] for c in out["label_classes"]] == [None, "a1"]
    assert out["label_classes"][0]["norder"] == 10.5
    assert out["my_key"] == {"deep": [1, None]} and out["images"][0]["reviewer"] == "jo"
    assert out["images"][0]["labels"][0]["confidence"] == 0.5


def test_ids_are_made_once_and_stay(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first = written(load(PROJECT), tmp_path / "one")
    assert first == written(load(PROJECT), tmp_path / "two")
    label = first["images"][0]["labels"][0]["id"]
    assert len(label) == 36
    assert only(first).id == label


def test_version_is_guessed_only_where_it_is_missing() -> None:
    document = project()
    del document["export_format_version"]
    dataset = load(document)
    assert dataset.source.version == "1.1" and dataset.report.total == 1
    del document["attributes"], document["images"][0]["tags"]
    assert load(document).source.version == "1.0"
    for bad in ("9.0", 1.1, "1.10", 1):
        for mode in ("raise", "skip"):
            with pytest.raises(mc.FormatError, match="version"):
                load({**document, "export_format_version": bad}, on_error=mode)


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ({"bbox": [3, 2, 9]}, "bbox"),
        ({"bbox": [3.5, 2, 9, 7]}, "bbox"),
        ({"bbox": [3, 2, 3, 7]}, "bbox"),
        ({"bbox": [3, 2, 25, 7]}, "bbox"),
        ({"bbox": "3,2,9,7"}, "bbox"),
        ({"bbox": [True, 2, 9, 7]}, "bbox"),
        ({"mask": [3, 2, 8]}, "mask"),
        ({"mask": [3.0, 2.0]}, "mask"),
        ({"mask": "3 2"}, "mask"),
        ({"mask": [0, 2]}, "mask"),
        ({"mask": [380, 30]}, "mask"),
        ({"mask": None, "polygon": [[1, 1], [2, 2]]}, "polygon"),
        ({"mask": None, "polygon": [[1, 1], [2, 2], [3]]}, "polygon"),
        ({"mask": None, "polygon": [[1, 1], [2, 2], [3, "4"]]}, "polygon"),
        ({"mask": None, "bbox": None, "keypoints": [{"x": 1}]}, "keypoints[0]"),
        ({"class_name": None}, "class_name"),
        ({"z_index": "front"}, "z_index"),
        ({"attributes": []}, "attributes"),
        ({"id": 1.5}, "id"),
    ],
)
def test_faults_name_their_place_and_cost_one_label(label: dict[str, Any], field: str) -> None:
    document = project(**label)
    document["images"][0]["labels"].append({"class_name": "cat", "bbox": [0, 0, 2, 2]})
    with pytest.raises(mc.FormatError) as caught:
        load(document)
    assert (caught.value.field, caught.value.record) == (field, caught.value.record)
    assert "a.png" in caught.value.record and "labels[0]" in caught.value.record
    lenient = load(document, on_error="skip")
    assert [a.kind for a in lenient.items[0].annotations] == ["box"]
    assert lenient.report.total == 1


def test_size_comes_from_the_picture_where_it_is_missing(tmp_path: Path) -> None:
    document = project()
    del document["images"][0]["width"], document["images"][0]["height"]
    with pytest.raises(mc.FormatError, match="width"):
        load(document)
    picture = io.BytesIO()
    Image.new("L", (24, 16)).save(picture, "PNG")
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr("any name.json", json.dumps(document))
        archive.writestr("d/a.png", picture.getvalue())
    (item,) = mc.read(tmp_path / "export.zip").items
    assert (item.width, item.height) == (24, 16)


def test_fractions_are_rounded_or_kept(tmp_path: Path) -> None:
    box = mc.Box(1.5, 2.25, 6.1, 9.75, category_id=1)
    dataset = one_item(box, 20, 12)
    out = written(dataset, tmp_path, on_loss="ignore")
    assert out["images"][0]["labels"][0]["bbox"] == [2, 2, 6, 10]
    assert any(x.reason.startswith("coordinates rounded") for x in mc.plan(dataset, "hasty_json"))
    (tmp_path / "out.json").unlink()
    out = written(dataset, tmp_path, decimals=True, on_loss="ignore")
    assert out["images"][0]["labels"][0]["bbox"] == [1.5, 2.25, 6.1, 9.75]
    assert not any(x.action == "approximated" for x in mc.plan(dataset, "hasty_json", decimals=True))


def test_one_image_name_in_two_datasets(tmp_path: Path) -> None:
    document = project()
    document["images"].append({**document["images"][0], "dataset_name": "e", "labels": []})
    dataset = load(document)
    assert [i.key for i in dataset.items] == [("d", "a"), ("e", "a")]
    assert [i.path for i in dataset.items] == ["d/a.png", "e/a.png"]
    document["images"].append({**document["images"][0], "image_name": "a.jpg"})
    assert [i.key for i in load(document).items] == [("d", "a.png"), ("e", "a"), ("d", "a.jpg")]


def test_example_of_the_project(tmp_path: Path) -> None:
    example = Path(__file__).parents[2] / "examples" / "harbour_export"
    assert mc.detect(example) == "hasty_json"
    dataset = mc.read(example).load()
    assert not len(dataset.report) and len(dataset.items) == 4
    for item in dataset.items:
        stream = dataset.media.open_media(item)
        with stream, Image.open(stream) as picture:
            assert picture.size == (item.width, item.height)
    holes = [a for i in dataset.items for a in i.annotations if a.kind == "mask" and len(a.rle.to_polygons()) > 1]
    assert len(holes) >= 4
    report = mc.write(dataset, tmp_path / "out", "hasty_json", media="copy")
    assert not len(report)
    before, after = (json.loads((p / "export.json").read_text("utf-8")) for p in (example, tmp_path / "out"))
    assert before == after
    assert np.array_equal(*(np.asarray(Image.open(p / "pier" / "0001.png")) for p in (example, tmp_path / "out")))


# --- traps and bad input that have no test above ----------------------------------------------------------------------
def test_what_scripts_of_others_write_is_no_error() -> None:
    """Key points of null, a status in small letters, an empty class list of attributes, numbers as ids."""
    document = project(keypoints=None, id=17, attributes={})
    document["images"][0]["image_status"] = "Done"
    document["create_date"] = "2024-08-01 10:00:00.123456"
    dataset = load(document)
    (item,) = dataset.items
    assert (item.status, item.annotations[0].id) == ("Done", 17)
    assert [x.action for x in dataset.report] in ([], ["approximated"])


def test_runs_of_no_length_are_left_out_leniently() -> None:
    document = project(mask=[3, 2, 6, 0, 8, 4])
    with pytest.raises(mc.FormatError, match="mask"):
        load(document)
    dataset = load(document, on_error="skip")
    (mask,) = dataset.items[0].annotations
    assert (mask.rle.area, dataset.report.total) == (6, 1)


def test_boxes_are_clipped_leniently_but_never_with_a_mask() -> None:
    document = project(bbox=[3, 2, 30, 7], mask=None)
    with pytest.raises(mc.FormatError, match="bbox"):
        load(document)
    box = only(document, on_error="skip")
    assert (box.x0, box.y0, box.x1, box.y1) == (3, 2, 24, 7)
    dataset = load(project(bbox=[3, 2, 30, 7]), on_error="skip")
    assert not dataset.items[0].annotations and dataset.report.total == 1


def test_equal_z_orders_stay_in_the_order_of_the_list(tmp_path: Path) -> None:
    document = project()
    document["images"][0]["labels"] = [
        {"class_name": "cat", "bbox": [at, 0, at + 2, 2], "polygon": None, "mask": None, "z_index": z}
        for at, z in enumerate((5, -1, 5, 5, -1))
    ]
    dataset = load(document)
    assert [(a.x0, a.z_order) for a in dataset.items[0].annotations] == [(0, 5), (1, -1), (2, 5), (3, 5), (4, -1)]
    labels = written(dataset, tmp_path)["images"][0]["labels"]
    assert [(x["bbox"][0], x["z_index"]) for x in labels] == [(0, 5), (1, -1), (2, 5), (3, 5), (4, -1)]
    mc.write(dataset, tmp_path / "painted", "segments_image_segmentation", on_loss="ignore")
    (item,) = mc.read(tmp_path / "painted").items
    assert [(a.rle.bbox[0], a.rle.area) for a in item.annotations] == [(5, 2), (0, 4), (2, 2), (3, 4)]
