"""VGGFace2 on the samples of its specification."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal


@pytest.fixture
def root(samples: Path) -> Path:
    return samples / "vgg-face2"


def boxes(data: mc.Dataset) -> dict[str, tuple[float, ...]]:
    return {i.id: (a.x0, a.y0, a.x1 - a.x0, a.y1 - a.y0) for i in data.items for a in i.annotations if a.kind == "box"}


def test_basic(root: Path, tmp_path: Path) -> None:
    assert mc.detect(root / "basic") == "vgg_face2"
    data = mc.read(root / "basic", on_loss="raise").load()
    assert [(c.name, c.parent) for c in data.schema] == [("n000001", "Karl"), ("n000002", "Jay"), ("n000003", "Pol")]
    assert boxes(data) == {
        "n000001/0001_01": (2, 2, 1, 2), "n000002/0001_01": (2, 4, 2, 2), "n000002/0002_01": (1, 3, 1, 1),
        "n000003/0003_01": (1, 1, 1, 1),
    }  # fmt: skip
    assert sum(w * h for _, _, w, h in boxes(data).values()) == 8
    assert {(i.width, i.height) for i in data.items} == {(15, 10)}
    assert [i.subset for i in data.items].count("train") == 3
    marks = {i.id: a.xy.ravel().tolist() for i in data.items for a in i.annotations if a.kind == "points"}
    assert len(marks) == 4
    assert marks["n000001/0001_01"] == [2.787, 2.898, 2.965, 2.79, 2.8, 2.456, 2.81, 2.32, 2.89, 2.3]
    assert marks["n000002/0002_01"] == [1.2, 3.8, 1.8, 3.82, 1.51, 3.634, 1.43, 3.34, 1.65, 3.32]
    assert [a.category_id for i in data.items for a in i.annotations if a.kind == "box"] == [2, 0, 1, 1]
    assert not len(mc.write(data, tmp_path / "out", "vgg_face2", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    for path in (root / "basic" / "bb_landmark").iterdir():
        assert (tmp_path / "out" / "bb_landmark" / path.name).read_text().strip() == path.read_text().strip()
    assert (tmp_path / "out" / "labels.txt").read_text() == (root / "basic" / "labels.txt").read_text().strip() + "\n"
    assert (tmp_path / "out/train/n000001/0001_01.jpg").is_file()


def test_real_excerpt(root: Path) -> None:
    assert mc.detect(root / "real-excerpt") == "vgg_face2"
    data = mc.read(root / "real-excerpt", on_loss="raise")
    assert [c.name for c in data.schema] == ["n000001"]
    assert [i.subset for i in data.items] == ["test"] * 3
    assert list(boxes(data).values()) == [(60, 60, 79, 109), (134, 81, 207, 295), (58, 32, 75, 103)]
    assert {a.category_id for i in data.items for a in i.annotations} == {0}
