"""Segments.ai: the figures of the release and label files, and round trips of every key."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maskcodec as mc
from maskcodec.formats.segments.shapes import heading
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


@pytest.mark.parametrize("name", ["release-segmentation", "release-vector", "release-pointcloud"])
def test_every_key_survives(folder: Path, tmp_path: Path, name: str) -> None:
    source = folder / name
    report = mc.write(mc.read(source), tmp_path / "out", mc.detect(source))
    assert not len(report)
    (before,) = source.glob("*-v*.json")
    (after,) = (tmp_path / "out").glob("*.json")
    assert after.name == before.name.replace("clouds", "streets")  # the name of the data set within
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
        dataset = mc.read(path / f"{name}.json")
        (item,) = dataset.items
        assert [a.variant for a in item.annotations] == ["box", "polygon", "polyline", "points", "box"]
    assert [a.track_id for a in item.annotations] == [1, 2, 3, 4, 5]
    ends = (("default", item.id, 1), ("default", item.id, 2))
    assert dataset.links == [mc.Link(*ends, {"side": "left", "strength": 10})]


def test_labels_of_other_types_are_named(folder: Path) -> None:
    dataset = mc.read(folder / "label-attributes", "segments_image_vector").load()
    assert len(dataset.items) == 2
    assert dataset.report.total == 10


@pytest.mark.parametrize("kind", ["cuboid", "vector", "segmentation"])
def test_detection_of_cloud_labels(folder: Path, kind: str) -> None:
    path = folder / "label-attributes" / f"pointcloud-{kind}.json"
    assert mc.detect(path) == f"segments_pointcloud_{kind}"


def test_release_of_clouds(folder: Path) -> None:
    path = folder / "release-pointcloud"
    assert mc.detect(path) == "segments_pointcloud_cuboid"
    (item,) = mc.read(path, "segments").items
    assert (item.id, item.path, item.media, item.status) == ("frame_00001", "frame_00001.bin", "point_cloud", "LABELED")
    cloud = np.fromfile(path / "assets" / "frame_00001.bin", "<f4").reshape(-1, 4)[:, :3].astype(float)
    assert len(cloud) == 8
    inside = {}
    for cuboid in item.annotations:
        x, y, z, w = cuboid.quaternion or (0, 0, np.sin(cuboid.yaw / 2), np.cos(cuboid.yaw / 2))
        turn = np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )
        own = np.abs((cloud - cuboid.position) @ turn)
        inside[cuboid.id] = np.flatnonzero((own <= np.array(cuboid.dimensions) / 2).all(1)).tolist()
    assert inside == {1: [0, 1], 2: [2, 3], 3: [7]}
    assert item.annotations[0].attributes == ATTRIBUTES
    assert item.extras["segments"]["attributes"]["ego_pose"]["heading"]["qw"] == 1


def test_lone_cloud_labels(folder: Path) -> None:
    path = folder / "label-attributes"
    dataset = mc.read(path / "pointcloud-cuboid.json")
    (item,) = dataset.items
    first, second, third = item.annotations
    assert (first.position, first.dimensions, first.yaw, first.quaternion) == ((0, 0.2, 0.5), (4, 2, 1.5), 0.63, None)
    assert (second.yaw, second.quaternion) == (np.pi / 2, (0, 0, 0.7071067811865476, 0.7071067811865476))
    assert abs(heading(third.quaternion) - 0.632) < 0.0005
    ends = (("default", "pointcloud-cuboid", 1), ("default", "pointcloud-cuboid", 2))
    assert dataset.links == [mc.Link(*ends, {"side": "left", "strength": 10})]
    (item,) = mc.read(path / "pointcloud-vector.json").items
    assert [a.variant for a in item.annotations] == ["polygon3d", "polyline3d", "points3d", "cuboid"]
    assert item.annotations[0].rings[0].tolist() == [[12.34, 56.78, 0], [90.12, 34.56, 0], [78.91, 23.45, 0.5]]
    (item,) = mc.read(path / "pointcloud-segmentation.json").items
    assert {a.id: a.indices.tolist() for a in item.annotations} == {1: [7], 2: [4, 5, 6], 3: [3, 8]}
    assert item.annotations[2].attributes == ATTRIBUTES


@pytest.mark.parametrize("kind", ["cuboid", "vector", "segmentation"])
def test_every_key_of_cloud_labels_survives(folder: Path, tmp_path: Path, kind: str) -> None:
    path = folder / "label-attributes" / f"pointcloud-{kind}.json"
    mc.write(mc.read(path), tmp_path / "out", f"segments_pointcloud_{kind}")
    (written,) = (tmp_path / "out").glob("*.json")
    (sample,) = json.loads(written.read_text(encoding="utf-8"))["dataset"]["samples"]
    one, two = json.loads(path.read_text(encoding="utf-8")), sample["labels"]["ground-truth"]["attributes"]
    assert missing(one, two) == [] == missing(two, one)


SERIES = {
    "image-sequence-vector": "segments_image_sequence",
    "image-sequence-segmentation": "segments_image_sequence",
    "pointcloud-sequence-cuboid": "segments_pointcloud_sequence",
    "pointcloud-sequence-vector": "segments_pointcloud_sequence",
    "pointcloud-sequence-segmentation": "segments_pointcloud_sequence",
    "multisensor-sequence": "segments_multisensor",
}


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("by", ["", "segments"])
def test_every_key_of_sequences_survives(folder: Path, tmp_path: Path, name: str, by: str) -> None:
    path = folder / "label-attributes" / f"{name}.json"
    assert mc.detect(path) == SERIES[name]
    dataset = mc.read(path, by or SERIES[name]).load()
    assert not len(dataset.report)
    report = mc.write(dataset, tmp_path / "out", by or SERIES[name], on_loss="ignore")
    assert report == mc.plan(dataset, by or SERIES[name])
    # a label alone has no status, and its frames have no names
    assert {(x.action, x.what, x.field) for x in report} <= {
        ("defaulted", "item", "path"), ("defaulted", "item", "status"),
    }  # fmt: skip
    assert mc.detect(tmp_path / "out") == SERIES[name]
    (written,) = (tmp_path / "out").glob("*.json")
    (sample,) = json.loads(written.read_text(encoding="utf-8"))["dataset"]["samples"]
    one, two = json.loads(path.read_text(encoding="utf-8")), sample["labels"]["ground-truth"]["attributes"]
    assert json.dumps(two, sort_keys=True) == json.dumps(one, sort_keys=True)  # tells 4 from 4.0
    again = mc.read(tmp_path / "out", "segments").load()
    assert [(i.id, i.frame, i.timestamp, i.sensor) for i in again.items if i.sensor != "Camera 2"] == [
        (i.id, i.frame, i.timestamp, i.sensor) for i in dataset.items
    ]
    assert [i.annotations for i in again.items] == [i.annotations for i in dataset.items]
    third = mc.write(again, tmp_path / "third", "segments", on_loss="ignore")
    assert not len(third), str(third)
    (last,) = (tmp_path / "third").glob("*.json")
    assert json.loads(last.read_bytes()) == json.loads(written.read_bytes())


def test_sequence_of_shapes(folder: Path) -> None:
    items = list(mc.read(folder / "label-attributes" / "image-sequence-vector.json").items)
    assert [(i.id, i.sequence, i.frame, i.timestamp) for i in items] == [
        (f"image-sequence-vector/{at:05d}", "image-sequence-vector", at, time)
        for at, time in enumerate(["0", "100000000", None, "300000000"])
    ]
    boxes = [(at, a.x0, a.x1, a.y0, a.keyframe) for at, i in enumerate(items) for a in i.annotations if a.track_id == 1]
    assert boxes == [(0, 10, 30, 10, True), (1, 15, 35, 10, False), (3, 25, 45, 10, True)]
    assert [at for at, i in enumerate(items) for a in i.annotations if a.track_id == 2] == [0]


def test_sequence_of_bitmaps(folder: Path) -> None:
    items = list(mc.read(folder / "label-attributes" / "image-sequence-segmentation.json").items)
    assert [{a.id: a.rle.area for a in i.annotations} for i in items] == [{1: 9}, {1: 9, 2: 4}, {}]
    assert [(i.width, i.height) for i in items] == [(8, 6), (8, 6), (None, None)]


def test_several_sensors(folder: Path) -> None:
    dataset = mc.read(folder / "label-attributes" / "multisensor-sequence.json")
    items = list(dataset.items)
    assert [i.sensor for i in items] == ["Lidar"] * 3 + ["Camera 1"] * 3
    assert [(a.id, a.track_id, a.kind) for a in items[0].annotations] == [(1, 6, "cuboid"), (2, 7, "cuboid")]
    assert [(a.track_id, a.kind) for a in items[3].annotations] == [(6, "box")]
    assert dataset.links == [mc.Link(6, 7, {"kind": "tows"})]
    assert {key: (track.id, track.category_id) for key, track in dataset.tracks.items()} == {6: (6, 1), 7: (7, 2)}


def test_a_folder_of_every_type_is_the_family(folder: Path) -> None:
    dataset = mc.read(folder / "label-attributes", "segments").load()
    assert len({i.sequence or i.id for i in dataset.items}) == 12
    assert mc.detect(folder / "label-attributes") == "segments"


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


def test_sample_attributes_are_no_label(folder: Path, tmp_path: Path) -> None:
    path = folder / "sample-attributes" / "pointcloud.json"
    with pytest.raises(mc.UnknownFormatError, match="sample attributes"):
        mc.read(path)
    with pytest.raises(mc.FormatError, match="sample attributes.*hold no label"):
        mc.read(path, "segments")
    one = json.loads(path.read_text(encoding="utf-8"))
    image = {"image": {"url": "https://segments.example/a.png"}}
    task = {"name": "a", "task_type": "pointcloud-vector-sequence"}
    sensors = {"sensors": [{**task, "attributes": {"frames": [one]}}]}
    for about in (image, {"frames": [image]}, {"frames": [one]}, sensors):
        (tmp_path / "about.json").write_text(json.dumps(about), encoding="utf-8")
        with pytest.raises(mc.FormatError, match="sample attributes.*hold no label"):
            mc.read(tmp_path / "about.json", "segments")
