"""ImageNet on the samples of its specification."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal


@pytest.fixture
def root(samples: Path) -> Path:
    return samples / "imagenet"


def test_folders(root: Path, tmp_path: Path) -> None:
    assert mc.detect(root / "folder") == "imagenet"
    data = mc.read(root / "folder", on_loss="raise")
    assert [c.name for c in data.schema] == ["label_0", "label_1"]
    found = [(i.id, i.path, i.width, i.height, [a.category_id for a in i.annotations]) for i in data.items]
    assert found == [
        ("label_0/label_0_1", "label_0/label_0_1.jpg", 8, 8, [0]),
        ("label_0/label_0_2", "label_0/label_0_2.jpg", 10, 10, [0]),
        ("label_1/label_1_1", "label_1/label_1_1.jpg", 8, 8, [1]),
    ]
    assert not len(mc.write(data, tmp_path / "out", "imagenet", media="copy"))
    for item in data.items:
        assert (tmp_path / "out" / item.path).read_bytes() == (root / "folder" / item.path).read_bytes()
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_lists(root: Path, tmp_path: Path) -> None:
    folder = root / "txt" / "basic"
    assert mc.detect(folder) == "imagenet_txt"
    data = mc.read(folder, on_loss="raise")
    assert [(c.id, c.name) for c in data.schema] == [(k, f"label_{k}") for k in range(10)]
    assert [(i.subset, i.id, i.path, i.width) for i in data.items] == [
        ("train", str(k), f"{k}.jpg", None) for k in (1, 2, 3, 4)
    ]
    assert [[a.category_id for a in i.annotations] for i in data.items] == [[0], [5], [3], [5]]
    sized = mc.read(folder, "imagenet_txt", sizes=True)
    assert [(i.width, i.height) for i in sized.items] == [(6, 8), (8, 2), (None, None), (None, None)]
    assert not len(mc.write(data, tmp_path / "out", "imagenet_txt"))
    assert (tmp_path / "out" / "train.txt").read_text() == (folder / "train.txt").read_text().rstrip("\n") + "\n"
    assert (tmp_path / "out" / "synsets.txt").read_text() == (folder / "synsets.txt").read_text() + "\n"
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    assert_datasets_equal(sized, mc.read(folder, "ImageNet 1.0"))
