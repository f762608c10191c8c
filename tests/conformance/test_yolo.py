"""YOLO, Darknet's form and the family of Ultralytics, on the samples of their specification."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal


@pytest.fixture
def yolo(samples: Path) -> Path:
    return samples / "yolo"


def near(found: tuple[float, ...], wanted: tuple[float, ...], tolerance: float = 1e-4) -> bool:
    return len(found) == len(wanted) and all(abs(a - b) <= tolerance for a, b in zip(found, wanted, strict=True))


def test_darknet(yolo: Path, tmp_path: Path) -> None:
    assert mc.detect(yolo / "darknet") == "yolo"
    data = mc.read(yolo / "darknet")
    assert [c.name for c in data.schema] == [f"label_{i}" for i in range(10)]
    (item,) = data.items
    assert (item.key, item.path, item.width, item.height) == (("train", "1"), "1.jpg", 15, 10)
    first, second = item.annotations
    assert near((first.x0, first.y0, first.x1, first.y1), (0, 2, 4, 4))
    assert near((second.x0, second.y0, second.x1, second.y1), (3, 3, 5, 6))
    assert (first.category_id, second.category_id) == (2, 4)
    assert not len(mc.write(data, tmp_path / "out", "yolo", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    for name in ("obj.data", "obj.names", "train.txt", "obj_train_data/1.txt", "obj_train_data/1.jpg"):
        assert (tmp_path / "out" / name).read_bytes().strip() == (yolo / "darknet" / name).read_bytes().strip(), name


TWO_BOXES = ["yolov8-detection", "yolov8-detection-with-list-of-imgs", "yolov8-detection-with-list-of-names",
             "yolov8-detection-with-subset-txt"]  # fmt: skip


@pytest.mark.parametrize("name", TWO_BOXES)
def test_detection(yolo: Path, tmp_path: Path, name: str) -> None:
    assert mc.detect(yolo / name) == "ultralytics_detect"
    data = mc.read(yolo / name, "ultralytics")
    assert [c.name for c in data.schema] == [f"label_{i}" for i in range(10)]
    (item,) = data.items
    assert (item.key, item.path, item.width, item.height) == (("train", "1"), "1.jpg", 15, 10)
    first, second = item.annotations
    assert (first.category_id, second.category_id) == (2, 4)
    assert near((first.x0, first.y0, first.x1, first.y1), (0, 2, 4, 4))
    assert near((second.x0, second.y0, second.x1, second.y1), (3, 3, 5, 6))
    assert not len(mc.write(data, tmp_path / "out", "ultralytics_detect", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    rows = (tmp_path / "out/labels/train/1.txt").read_text().split()
    assert list(map(float, rows)) == list(map(float, (yolo / name / "labels/train/1.txt").read_text().split()))


def test_segmentation(yolo: Path) -> None:
    assert mc.detect(yolo / "yolov8-segmentation") == "ultralytics_segment"
    (item,) = mc.read(yolo / "yolov8-segmentation").items
    first, second = item.annotations
    assert (first.category_id, second.category_id) == (2, 4)
    assert near(tuple(first.rings[0].ravel()), (1.5, 1, 6, 1, 6, 5))
    assert near(tuple(second.rings[0].ravel()), (3, 1.5, 6, 1.5, 6, 7.5, 4.5, 7.5, 3.75, 3))


def test_rotated_boxes(yolo: Path) -> None:
    path = yolo / "yolov8-oriented-boxes"
    with pytest.warns(mc.LossWarning, match="ultralytics_obb"):
        assert mc.read(path).source.format == "ultralytics_segment"
    (item,) = mc.read(path, "ultralytics_obb").items
    first, second = item.annotations
    assert near((first.x0, first.y0, first.x1, first.y1, first.rotation), (1, 2, 4, 6, 30), 2e-3)
    assert near((second.x0, second.y0, second.x1, second.y1, second.rotation), (3, 2, 9, 4, 120), 2e-3)


@pytest.mark.parametrize("name", ["yolov8-pose", "yolov8-pose-two-values-per-point"])
def test_poses(yolo: Path, tmp_path: Path, name: str) -> None:
    assert mc.detect(yolo / name) == "ultralytics_pose"
    data = mc.read(yolo / name)
    (category,) = data.schema
    assert (category.name, category.keypoints) == ("skeleton_label", [f"skeleton_label_point_{i}" for i in range(3)])
    ((pose,),) = [item.annotations for item in data.items]
    assert near(tuple(pose.xy.ravel()), (1.5, 2, 4.5, 4, 7.5, 6))
    assert list(pose.visibility) == [2, 2, 2]
    assert near(tuple(pose.extras["yolo"]["bbox"]), (0, 2, 4, 4))
    assert not len(mc.write(data, tmp_path / "out", "ultralytics_pose", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    assert ("[3, 2]" in (tmp_path / "out/data.yaml").read_text()) == ("two" in name)


def test_classification(yolo: Path, tmp_path: Path) -> None:
    assert mc.detect(yolo / "yolov8-classification") == "ultralytics_classify"
    data = mc.read(yolo / "yolov8-classification")
    assert [(i.subset, i.id, [t.category_id for t in i.annotations]) for i in data.items] == [
        ("train", "1", [0]), ("train", "2", [0]), ("train", "3", [1]),
    ]  # fmt: skip
    assert not len(mc.write(data, tmp_path / "out", "ultralytics_classify", media="copy"))
    assert (tmp_path / "out/train/label_1/3.jpg").is_file()
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
