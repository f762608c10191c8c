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
