"""Segments.ai point cloud labels: rules of cuboids, faults, ids of points, special losses."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.formats.segments.shapes import heading, join_points, split_points, wrap

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

CUBOID: dict[str, Any] = {
    "id": 1, "category_id": 3, "type": "cuboid", "position": {"x": 1, "y": 2.5, "z": 0},
    "dimensions": {"x": 4.0, "y": 2, "z": 1.5}, "yaw": 0.5,
}  # fmt: skip
LINE: dict[str, Any] = {"id": 2, "category_id": 3, "type": "polyline", "points": [[0, 0, 0], [1, 1, 0.5]]}
POINTS: dict[str, Any] = {
    "annotations": [{"id": 1, "category_id": 3}, {"id": 70000, "category_id": 5}],
    "point_annotations": [0, 70000, 1, 1, 0],
}


def label(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def written(folder: Path) -> Any:
    (release,) = folder.glob("*.json")
    (sample,) = json.loads(release.read_text())["dataset"]["samples"]
    return sample["labels"]["ground-truth"]["attributes"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": 0}, "id"),
        ({"category_id": None}, "category_id"),
        ({"type": "bbox"}, "type"),
        ({"type": "polygon"}, "type"),
        ({"position": {"x": 1, "y": 2}}, "position"),
        ({"position": [1, 2, 3]}, "position"),
        ({"position": {"x": 1, "y": 2, "z": "3"}}, "position"),
        ({"dimensions": {"x": 0, "y": 2, "z": 3}}, "dimensions"),
        ({"dimensions": {"x": 1, "y": -2, "z": 3}}, "dimensions"),
        ({"yaw": None}, "yaw"),
        ({"yaw": "0"}, "yaw"),
        ({"rotation": {"qx": 0, "qy": 0, "qz": 0, "qw": 0}}, "rotation"),
        ({"rotation": {"qx": 0, "qy": 0, "qz": 1}}, "rotation"),
    ],
)
def test_faults_of_cuboids(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    path = label(tmp_path / "a.json", {"annotations": [{**CUBOID, "id": 7}, {**CUBOID, **change}]})
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "segments_pointcloud_cuboid", categories=[{"id": 3, "name": "car"}]).load()
    assert (caught.value.file, caught.value.field) == ("a.json", field)
    assert "annotations[1]" in caught.value.record
    lenient = mc.read(path, "segments_pointcloud_cuboid", on_error="skip").load()
    assert [a.id for a in lenient.items[0].annotations] == [7] and lenient.report.total >= 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"points": [[0, 0], [1, 1]]}, "points"),
        ({"points": [[0, 0, 0], [1, 1]]}, "points"),
        ({"points": [[0, 0, 0]]}, "points"),
        ({"type": "polygon"}, "points"),
        ({"type": "bbox"}, "type"),
        ({"id": 1}, "id"),
    ],
)
def test_faults_of_shapes_in_space(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    path = label(tmp_path / "a.json", {"annotations": [CUBOID, {**LINE, **change}]})
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "segments_pointcloud_vector").load()
    assert caught.value.field == field
    lenient = mc.read(path, "segments_pointcloud_vector", on_error="skip").load()
    assert [a.kind for a in lenient.items[0].annotations] == ["cuboid"]


def test_nan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"annotations": [{**CUBOID, "yaw": math.nan}]}))
    with pytest.raises(mc.FormatError):
        mc.read(path, "segments_pointcloud_cuboid").load()


def test_yaw_is_wrapped_and_quaternions_are_normalised(tmp_path: Path) -> None:
    turned = {**CUBOID, "yaw": 4.0, "rotation": {"qx": 0, "qy": 0, "qz": 3, "qw": 4}}
    dataset = mc.read(label(tmp_path / "a.json", {"annotations": [turned]})).load()
    (cuboid,) = dataset.items[0].annotations
    assert cuboid.yaw == pytest.approx(4.0 - 2 * math.pi, abs=1e-15)
    assert cuboid.quaternion == (0, 0, 0.6, 0.8)
    assert {(loss.action, loss.field) for loss in dataset.report} == {("approximated", "yaw"),
                                                                      ("approximated", "rotation")}  # fmt: skip


@given(st.floats(-1e3, 1e3))
def test_wrapping_keeps_the_direction(yaw: float) -> None:
    found = wrap(yaw)
    assert -math.pi <= found <= math.pi
    assert math.cos(found - yaw) == pytest.approx(1, abs=1e-9)
    half = heading((0.0, 0.0, math.sin(found / 2), math.cos(found / 2)))
    assert math.cos(half - found) == pytest.approx(1, abs=1e-9)


@given(st.lists(st.sampled_from([0, 1, 5, 70000, 2**40])))
def test_ids_of_points(ids: list[int]) -> None:
    parts = split_points(ids)
    assert {k: v.tolist() for k, v in parts.items()} == {
        number: [at for at, value in enumerate(ids) if value == number] for number in set(ids) - {0}
    }
    assert join_points(list(parts.items()), len(ids)).tolist() == ids


def test_every_form_of_a_cuboid_comes_back(tmp_path: Path) -> None:
    turn = {"qx": 0, "qy": 0, "qz": 0.6, "qw": 0.8}
    bare = {k: v for k, v in CUBOID.items() if k != "yaw"}
    records = [
        {**CUBOID, "type": "cuboid-sync", "velocity": {"absolute": {"x": 1}, "relative": None}},
        {**CUBOID, "rotation": turn}, {**bare, "rotation": turn}, {**bare, "rotation": turn, "yaw": None},
        {**CUBOID, "rotation": None}, {**CUBOID, "position": {"x": 1, "y": 2, "z": 3, "frame": "map"}},
        {**CUBOID, "attributes": {}}, {**CUBOID, "attributes": None, "index": 4, "track_id": 9, "is_keyframe": True},
    ]  # fmt: skip
    records = [{**record, "id": number} for number, record in enumerate(records, 1)]
    source = {"annotations": records}
    dataset = mc.read(label(tmp_path / "a.json", source)).load()
    assert dataset.items[0].annotations[2].yaw == pytest.approx(2 * math.atan2(0.6, 0.8))
    assert not [x for x in mc.write(dataset, tmp_path / "out", "segments_pointcloud_cuboid", on_loss="ignore")
                if x.action == "dropped"]  # fmt: skip
    assert written(tmp_path / "out") == source
    text = next((tmp_path / "out").glob("*.json")).read_text()
    assert '"x":4.0,"y":2,' in text  # numbers keep their types


@pytest.mark.parametrize("ids", [None, [0, -1], [0, "1"], [0, 1.0], {"0": 1}, [True]])
def test_faults_of_ids_of_points(tmp_path: Path, ids: Any) -> None:
    path = label(tmp_path / "a.json", {**POINTS, "point_annotations": ids})
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "segments_pointcloud_segmentation").load()
    assert caught.value.field == "point_annotations"
    lenient = mc.read(path, "segments_pointcloud_segmentation", on_error="skip").load()
    assert not lenient.items and lenient.report.total == 1


def test_points_without_annotation_and_the_reverse_survive(tmp_path: Path) -> None:
    source = copy.deepcopy(POINTS)
    source["annotations"][1]["id"] = 5
    dataset = mc.read(label(tmp_path / "a.json", source)).load()
    assert {a.id: a.indices.tolist() for a in dataset.items[0].annotations} == {1: [2, 3], 5: []}
    assert sorted((loss.what, loss.field) for loss in dataset.report) == [
        ("item", "point_annotations"), ("pointmask", ""),
    ]  # fmt: skip
    mc.write(dataset, tmp_path / "out", "segments_pointcloud_segmentation", on_loss="ignore")
    assert written(tmp_path / "out") == source


def release(path: Path, points: int, kind: str = "kitti") -> Path:
    path.mkdir()
    sample = {"name": "c.bin", "attributes": {"pcd": {"url": "https://x.example/c.bin", "type": kind}},
              "labels": {"ground-truth": {"label_status": "LABELED", "attributes": POINTS}}}  # fmt: skip
    task = {"categories": [{"id": 3, "name": "car"}, {"id": 5, "name": "road"}]}
    dataset = {"task_type": "pointcloud-segmentation", "task_attributes": task, "samples": [sample]}
    (path / "r.json").write_text(json.dumps({"name": "v1", "dataset": dataset}))
    (path / "c.bin").write_bytes(np.zeros(points * (4 if kind == "kitti" else 5), "<f4").tobytes())
    return path


def test_number_of_ids_against_the_cloud(tmp_path: Path) -> None:
    for kind in ("kitti", "nuscenes"):
        (item,) = mc.read(release(tmp_path / f"good {kind}", 5, kind), "segments_pointcloud_segmentation").items
        assert [a.id for a in item.annotations] == [1, 70000]
    path = release(tmp_path / "bad", 6)
    with pytest.raises(mc.FormatError, match="5 ids for a cloud of 6 points"):
        mc.read(path).load()
    lenient = mc.read(path, on_error="skip").load()
    assert not lenient.items and lenient.report.total == 1


def test_overlapping_points_are_counted(tmp_path: Path) -> None:
    masks = [mc.PointMask([0, 1, 2], category_id=1, id=1), mc.PointMask([2, 4], category_id=1, id=2)]
    item = mc.Item("a", "a.bin", "point_cloud", annotations=masks, status="LABELED")
    dataset = mc.Dataset(mc.LabelSchema([mc.Category(1, "x")]), [item])
    report = mc.write(dataset, tmp_path / "out", "segments_pointcloud_segmentation", on_loss="ignore")
    assert report == mc.plan(dataset, "segments_pointcloud_segmentation")
    assert {(x.action, x.what, x.field, x.count) for x in report} == {
        ("dropped", "pointmask", "indices", 1), ("defaulted", "item", "point_annotations", 1),
    }  # fmt: skip
    assert written(tmp_path / "out")["point_annotations"] == [1, 1, 2, 0, 2]
    (back,) = mc.read(tmp_path / "out").items
    assert [a.indices.tolist() for a in back.annotations] == [[0, 1], [2, 4]]


def test_images_are_told(tmp_path: Path) -> None:
    item = mc.Item("a", "a.png", annotations=[mc.Box(0, 0, 1, 1, category_id=1)], status="LABELED")
    dataset = mc.Dataset(mc.LabelSchema([mc.Category(1, "x")]), [item])
    report = mc.plan(dataset, "segments_pointcloud_cuboid")
    assert [(x.action, x.what, x.count) for x in report] == [("dropped", "item", 1)]
