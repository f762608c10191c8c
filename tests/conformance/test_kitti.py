"""KITTI on the samples of its specification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


@pytest.fixture
def kitti(samples: Path) -> Path:
    return samples / "kitti"


def found(dataset: mc.Dataset) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
    names = {c.id: c.name for c in dataset.schema}
    return {
        i.key: [
            (names[a.category_id], a.id, a.rle.area, a.is_crowd) if isinstance(a, mc.Mask)
            else (names[a.category_id], a.x0, a.y0, a.x1, a.y1, a.truncated, a.occluded)
            for a in i.annotations
        ]
        for i in dataset.items
    }  # fmt: skip


def test_detection(kitti: Path, tmp_path: Path) -> None:
    path = kitti / "datumaro_detection"
    assert mc.detect(path) == "kitti_detection"
    data = mc.read(path)
    assert [c.name for c in data.schema] == ["Truck", "Van"]
    assert found(data) == {
        ("training", "000030_10"): [("Truck", 0, 1, 2, 3, True, False), ("Van", 0, 5, 1, 8, False, False)],
        ("training", "000030_11"): [("Van", 0, 0, 2, 2, True, True), ("Van", 4, 4, 6, 6, False, False),
                                    ("Van", 6, 6, 7, 9, False, True)],
    }  # fmt: skip
    assert {(i.width, i.height, i.path) for i in data.items} == {
        (10, 10, "000030_10.png"), (10, 10, "000030_11.png"),
    }  # fmt: skip
    assert not any(a.attributes for i in data.items for a in i.annotations)  # all else is unknown
    assert not len(mc.write(data, tmp_path / "out", "kitti_detection", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    for name in ("000030_10", "000030_11"):
        part = f"training/label_2/{name}.txt"
        assert (tmp_path / "out" / part).read_bytes().strip() == (path / part).read_bytes().strip()


def test_lines_of_the_kit(kitti: Path, tmp_path: Path) -> None:
    path = kitti / "devkit-lines"
    assert mc.detect(path) == "kitti_detection"
    data = mc.read(path)
    (item,) = data.items
    assert [data.schema.by_id(a.category_id).name for a in item.annotations] == [
        "Truck", "Car", "Cyclist", "DontCare", "DontCare", "DontCare", "DontCare",
    ]  # fmt: skip
    truck, _, cyclist, ignored = item.annotations[:4]
    assert (truck.x0, truck.y0, truck.x1, truck.y1) == (599.41, 156.4, 629.75, 189.25)
    assert truck.attributes == {
        "alpha": -1.57, "dimensions": [2.85, 2.63, 12.34], "location": [0.47, 1.49, 69.44], "rotation_y": -1.56,
    }  # fmt: skip
    assert (cyclist.attributes["occluded"], cyclist.occluded) == (3, False)
    assert ignored.attributes == {"truncated": -1.0, "occluded": -1, "ignore": True}
    assert not ignored.truncated
    assert not len(mc.write(data, tmp_path / "out", "kitti_detection"))
    part = "training/label_2/000001.txt"
    assert (tmp_path / "out" / part).read_bytes() == (path / part).read_bytes()
    (full,) = mc.read(path, cuboids=True).items
    assert [a.kind for a in full.annotations] == ["box", "cuboid"] * 3 + ["box"] * 4
    box, cuboid = full.annotations[:2]
    assert cuboid.group_id == box.group_id == 1
    assert cuboid.position == (0.47, 1.49 - 2.85 / 2, 69.44)
    assert cuboid.dimensions == (12.34, 2.63, 2.85)


def test_segmentation(kitti: Path, tmp_path: Path) -> None:
    path = kitti / "datumaro_segmentation"
    assert mc.detect(path) == "kitti_segmentation"
    data = mc.read(path)
    assert found(data) == {
        ("training", "000030_10"): [("out of roi", 768, 2, True), ("truck", 6913, 1, False), ("truck", 6914, 2, False)],
        ("training", "000030_11"): [("out of roi", 768, 2, True), ("wall", 3073, 1, False), ("train", 7937, 2, False)],
    }
    report = mc.write(data, tmp_path / "out", "kitti_segmentation", media="copy")
    assert not len(report), report
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_cvat_export(kitti: Path, tmp_path: Path) -> None:
    path = kitti / "cvat-export"
    assert mc.detect(path) == "kitti"
    data = mc.read(path).load()
    assert found(data) == {
        ("default", "img1"): [("zeb", 1.5, 1, 4.5, 3.25, True, False), ("car", 256, 24, True), ("zeb", 512, 4, True)]
    }
    (item,) = data.items
    assert (item.width, item.height, item.annotations[0].score) == (8, 6, 1.0)
    assert sum(a.rle.area for a in item.annotations[1:]) + 20 == 48
    assert [(c.name, c.color) for c in data.schema] == [
        ("background", (0, 0, 0)), ("car", (40, 50, 60)), ("zeb", (10, 20, 30)),
    ]  # fmt: skip
    assert [(loss.action, loss.what, loss.field) for loss in data.report] == [("defaulted", "mask", "id")]
    assert not len(mc.write(data, tmp_path / "out", "kitti"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    for name in ("label_colors.txt", "default/label_2/img1.txt"):
        assert (tmp_path / "out" / name).read_text() == (path / name).read_text()
    parts = {name: mc.read(path, name) for name in ("kitti_detection", "kitti_segmentation")}
    assert [len(next(iter(part.items)).annotations) for part in parts.values()] == [1, 2]
    (split,) = mc.read(path, "kitti_segmentation", split=True).items
    assert sum(a.rle.area for a in split.annotations) == 28
    assert len(split.annotations) > 2


def test_tracklets(kitti: Path, tmp_path: Path) -> None:
    path = kitti / "datumaro_raw"
    assert mc.detect(path) == mc.detect(path / "tracklet_labels.xml") == "kitti_raw"
    data = mc.read(path)
    names = {c.id: c.name for c in data.schema}
    found = [
        (i.frame, names[a.category_id], a.track_id, a.position, a.dimensions, a.occluded)
        for i in data.items for a in i.annotations
    ]  # fmt: skip
    assert found == [
        (0, "car", 1, (1, 2, 3), (-1.03, 7.95, -3.62), False), (0, "bus", 2, (1, 1, 0), (-0.76, 8.34, 23.01), False),
        (1, "bus", 2, (0, 1, 0), (-0.76, 8.34, 23.01), True), (2, "car", 3, (1, 2, 3), (0.24, -9.41, 13.54), False),
    ]  # fmt: skip
    second = data.items[1].annotations[0]
    assert (second.yaw, second.quaternion is None) == (3.0, False)
    assert {(i.media, i.id) for i in data.items} == {("point_cloud", f"000000000{at}") for at in range(3)}
    assert [(loss.action, loss.field) for loss in data.report] == [("defaulted", "count")]  # it says 4
    assert not len(mc.write(data, tmp_path / "out", "kitti_raw"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    text = (tmp_path / "out" / "tracklet_labels.xml").read_text()
    assert text.count("<rx>1</rx>") == 1
    assert text.count('class_id="3"') == 1
    assert not (tmp_path / "out" / "frame_list.txt").exists()
