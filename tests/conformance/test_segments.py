"""Segments.ai: the figures of the release and label files, and round trips of every key."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maskcodec as mc
from tests.conformance.test_hasty_json import missing

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
ATTRIBUTES = {
    "is_crowd": "0", "color": "red", "doors": 4, "parked": True, "weight": 1.5, "tags": ["a", "b"], "note": None,
}  # fmt: skip


@pytest.fixture
def folder(samples: Path) -> Path:
    return samples / "segments-ai"


def test_release_of_bitmaps(folder: Path) -> None:
    path = folder / "release-segmentation"
    assert mc.detect(path) == mc.detect(path / "streets-v1.0.json") == "segments_image_segmentation"
    dataset = mc.read(path, "segments").load()
    expected = json.loads((path / "expected-objects.json").read_text(encoding="utf-8"))
    assert len(dataset.items) == len(expected) == 3
    for item, record in zip(dataset.items, expected, strict=True):
        assert (item.path, item.width, item.height) == (record["sample"], 20, 12)
        if record["objects"] is None:
            assert item.status == "UNLABELED" and not item.annotations
            continue
        assert [(a.id, a.category_id, a.rle.area) for a in item.annotations] == [
            (o["id"], o["category_id"], o["area"]) for o in record["objects"]
        ]
        for annotation, wanted in zip(item.annotations, record["objects"], strict=True):
            if wanted["area"]:
                assert annotation.rle.to_coco() == wanted["coco_rle"]
                assert list(annotation.rle.bbox) == wanted["bbox_xywh"]
        covered = sum(a.rle.area for a in item.annotations)
        assert 240 - covered == record["unlabelled_pixels"]
    first, second, _ = dataset.items
    assert first.annotations[0].attributes == ATTRIBUTES
    assert first.attributes == {"scene_type": "crossroads", "weather": "sunny", "is_raining": False}
    assert [i.status for i in dataset.items] == ["LABELED", "REVIEWED", "UNLABELED"]
    assert [(c.id, c.name, c.color, c.kind) for c in dataset.schema] == [
        (1, "car", (0, 113, 188), "thing"),
        (2, "road", (216, 82, 24), "stuff"),
        (3, "tree", None, "thing"),
        (4, "sign", (1, 2, 3), "thing"),
    ]
    assert {s.name: s.type for s in dataset.schema.by_id(1).attributes} == {
        "color": "select", "doors": "int", "parked": "bool", "note": "text", "tags": "multiselect",
        "is_crowd": "select", "weight": "float",
    }  # fmt: skip
    # the object without pixels is told, and nothing else
    assert [(loss.what, loss.count) for loss in dataset.report] == [("mask", 1)]


def test_release_of_shapes(folder: Path) -> None:
    path = folder / "release-vector"
    assert mc.detect(path) == "segments_image_vector"
    dataset = mc.read(path, "segments").load()
    first, second, third = dataset.items
    assert [a.variant for a in first.annotations] == ["box", "polygon", "polyline", "points", "box"]
    box, polygon, line, point, reversed_box = first.annotations
    assert (box.x0, box.y0, box.x1, box.y1) == (12.34, 16.78, 90.12, 54.56)
    assert box.attributes == ATTRIBUTES
    assert polygon.rings[0].tolist() == [[10.5, 20.0], [40.25, 20.0], [40.25, 60.75], [10.5, 60.75]]
    assert (line.points.tolist(), point.xy.tolist()) == ([[0, 0], [10, 10], [20, 5.5]], [[33.3, 44.4]])
    assert (reversed_box.x0, reversed_box.y0, reversed_box.x1, reversed_box.y1) == (120, 100, 200, 150)
    assert (second.annotations, second.status) == ([], "LABELED")
    assert (third.annotations, third.status) == ([], "UNLABELED")


@pytest.mark.parametrize("name", ["release-segmentation", "release-vector"])
def test_every_key_survives(folder: Path, tmp_path: Path, name: str) -> None:
    source = folder / name
    report = mc.write(mc.read(source), tmp_path / "out", mc.detect(source))
    assert not len(report)
    (before,) = source.glob("streets-*.json")
    (after,) = (tmp_path / "out").glob("*.json")
    assert after.name == before.name
    one, two = (json.loads(p.read_text(encoding="utf-8")) for p in (before, after))
    assert missing(one, two) == [] == missing(two, one)
    for png in (source / "assets").glob("[0-9]*.png"):
        again = np.asarray(Image.open(tmp_path / "out" / "assets" / png.name))
        assert np.array_equal(again, np.asarray(Image.open(png)))


def test_lone_labels(folder: Path) -> None:
    path = folder / "label-attributes"
    dataset = mc.read(path / "image-segmentation.json").load()
    (item,) = dataset.items
    assert [(a.id, a.rle.area) for a in item.annotations] == [(1, 20), (2, 28), (300, 25), (70000, 20)]
    assert [(c.id, c.name) for c in dataset.schema] == [(1, "1"), (2, "2"), (3, "3")]
    assert item.annotations[0].attributes == ATTRIBUTES
    for name in ("image-vector", "image-vector-documented-track-ids"):
        (item,) = mc.read(path / f"{name}.json").items
        assert [a.variant for a in item.annotations] == ["box", "polygon", "polyline", "points", "box"]
    assert [a.track_id for a in item.annotations] == [1, 2, 3, 4, 5]
    assert item.extras["segments"]["frame"]["links"] == [
        {"from_id": 1, "to_id": 2, "attributes": {"side": "left", "strength": 10}}
    ]


def test_labels_of_other_types_are_named(folder: Path) -> None:
    dataset = mc.read(folder / "label-attributes", "segments_image_vector").load()
    assert len(dataset.items) == 2
    assert dataset.report.total == 10
    for name in ("pointcloud-cuboid", "image-sequence-vector", "multisensor-sequence"):
        with pytest.raises(mc.UnknownFormatError):
            mc.detect(folder / "label-attributes" / f"{name}.json")


def test_rgb_bitmap(samples: Path) -> None:
    dataset = mc.read(samples / "malformed" / "datasets" / "segments-rgb-not-rgba", "segments").load()
    (item,) = dataset.items
    assert {a.id: a.rle.area for a in item.annotations} == {1: 50, 70000: 40}
    assert not len(dataset.report)


def test_coco_through_bitmaps_keeps_every_uncovered_pixel(samples: Path, tmp_path: Path) -> None:
    source = samples / "coco" / "val2014-subset" / "annotations"
    report = mc.convert(source, tmp_path / "bitmaps", to="segments_image_segmentation")
    mc.convert(tmp_path / "bitmaps", tmp_path / "back", to="coco_instances")
    before = {i.path: i for i in mc.read(source, on_loss="ignore").items}
    after = {i.path: i for i in mc.read(tmp_path / "back", on_loss="ignore").items}
    assert before.keys() == after.keys()
    lost = 0
    for path, item in before.items():
        painted = np.zeros((item.height, item.width), np.int64)
        areas = {}
        for annotation in item.annotations:
            rle = annotation.rle if annotation.kind == "mask" else mc.Rle.from_polygons(annotation.rings, painted.shape)
            painted[rle.decode() != 0] = annotation.id
            areas[annotation.id] = rle.area
        wanted = sorted(mc.Rle.from_mask(painted == i).to_coco()["counts"] for i in areas if (painted == i).any())
        assert sorted(a.rle.to_coco()["counts"] for a in after[path].annotations) == wanted
        lost += sum(area - int((painted == i).sum()) for i, area in areas.items() if (painted == i).any())
    told = sum(loss.count for loss in report if (loss.what, loss.field) == ("mask", "rle"))
    assert told == lost > 0
