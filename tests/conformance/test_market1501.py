"""Market-1501 on the samples of its specification."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal

NAMES = ("person_id", "camera_id", "track_id", "frame_id", "bbox_id", "query")


@pytest.fixture
def root(samples: Path) -> Path:
    return samples / "market-1501"


def rows(data: mc.Dataset) -> list[tuple[object, ...]]:
    return [(i.subset, i.width, i.height, *(i.attributes[name] for name in NAMES)) for i in data.items]


def test_basic(root: Path, tmp_path: Path) -> None:
    assert mc.detect(root / "basic") == "market1501"
    data = mc.read(root / "basic", on_loss="raise")
    assert rows(data) == [
        ("test", 5, 2, "0001", 0, 1, 1051, 0, False),
        ("train", 5, 2, "0002", 0, 3, 151, 0, False),
        ("query", 5, 2, "0001", 1, 3, 111, 0, True),
    ]
    assert [c.name for c in data.schema] == ["market-1501"]
    assert all(i.annotations[0].attributes == i.attributes for i in data.items)
    assert not len(mc.write(data, tmp_path / "out", "market1501", media="copy"))
    for path in (root / "basic").rglob("*.jpg"):
        assert (tmp_path / "out" / path.relative_to(root / "basic")).read_bytes() == path.read_bytes()
    back = mc.read(tmp_path / "out")
    back.items = mc.ItemList(sorted(back.items, key=lambda item: ("test", "train", "query").index(item.subset)))
    assert_datasets_equal(data, back)


def test_list(root: Path, tmp_path: Path) -> None:
    assert mc.detect(root / "list") == "market1501"
    data = mc.read(root / "list", on_loss="raise")
    assert [row[0] for row in rows(data)] == ["test"] * 4
    columns = list(zip(*(row[3:] for row in rows(data)), strict=True))
    assert columns[0] == ("0001", "-1", "0000", "0001")
    assert columns[1] == (0, 0, 0, 1)
    assert columns[3] == (1051, 401, 151, 111)
    assert columns[4] == (0, 3, 1, 0)
    assert columns[5] == (False, False, False, True)
    assert not len(mc.write(data, tmp_path / "out", "market1501"))
    text = (root / "list" / "images_test.txt").read_text()
    assert (tmp_path / "out" / "images_test.txt").read_text() == text
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
