"""Hasty's import files and semantic exports on the samples of their specifications."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


@pytest.fixture
def imports(samples: Path) -> Path:
    return samples / "hasty-imports"


def test_box_list(imports: Path, tmp_path: Path) -> None:
    assert mc.detect(imports / "bbox/bbox.json") == "hasty_bbox"
    data = mc.read(imports / "bbox/bbox.json")
    (item,) = data.items
    (box,) = item.annotations
    assert (item.path, item.width, box.category_id) == ("2010_000001.jpg", None, "cat")
    assert (box.x0, box.y0, box.x1, box.y1) == (128, 13, 340, 308)
    assert not len(mc.write(data, tmp_path / "out.json", "hasty_bbox"))
    assert_datasets_equal(data, mc.read(tmp_path / "out.json"))


def test_polygon_list(imports: Path) -> None:
    assert mc.detect(imports / "polygon/polygon.json") == "hasty_polygon"
    (item,) = mc.read(imports / "polygon/polygon.json").items
    (polygon,) = item.annotations
    (ring,) = polygon.rings
    x, y = ring.T
    assert len(ring) == 21
    assert (x.min(), y.min(), x.max(), y.max()) == (2, 222, 498, 332)
    assert abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2 == 35963.5
    assert mc.Rle.from_polygons([ring], (375, 500)).area == 35980


def test_entries_of_one_image_are_joined(imports: Path) -> None:
    data = mc.read(imports / "mixed/import.json")
    assert [(item.path, [a.kind for a in item.annotations]) for item in data.items] == [
        ("2010_000001.jpg", ["box", "polygon"]),
        ("2010_000002.jpg", []),
    ]


def test_class_tables(imports: Path, tmp_path: Path) -> None:
    folder = imports / "label-class"
    assert mc.detect(folder / "label_classes.json") == "hasty_label_classes"
    data = mc.read(folder / "label_classes.json")
    assert [(c.name, c.kind, c.color) for c in data.schema] == [
        ("wall", "stuff", (0x80, 0, 0xFF, 0x4D)),
        ("plate", "thing", (0x39, 0x6B, 0xF9, 0x4D)),
        ("sea", "stuff", (0x1F, 0x78, 0xB4, 0x4D)),
    ]
    minimal = mc.read(folder / "label_classes-minimal.json")
    assert [(c.name, c.color) for c in minimal.schema] == [("wall", None), ("plate", None)]
    for name in ("label_classes", "label_classes-minimal", "label_classes-exported-form"):
        data = mc.read(folder / f"{name}.json", "hasty_label_classes")
        assert not len(mc.write(data, tmp_path / f"{name}.json", "hasty_label_classes"))
        assert_datasets_equal(data, mc.read(tmp_path / f"{name}.json", "hasty_label_classes"))


AREAS = {"wall": 36, "plate": 12, "sea": 8}


def test_semantic_maps(imports: Path, tmp_path: Path) -> None:
    folder = imports / "semantic"
    assert mc.detect(folder) == "hasty_semantic"
    data = mc.read(folder)
    names = {c.id: c.name for c in data.schema}
    items = list(data.items)
    assert [(i.subset, i.id, i.width, i.height) for i in items] == [
        ("one-channel", "scene_01", 12, 8),
        ("three-channel", "scene_01", 12, 8),
    ]
    for item in items:
        assert {names[a.category_id]: a.rle.area for a in item.annotations} == AREAS
    plate = next(a for a in items[0].annotations if names[a.category_id] == "plate")
    assert plate.rle.bbox == (2, 4, 4, 3)
    assert not len(mc.write(data, tmp_path / "out", "hasty_semantic"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


@pytest.mark.parametrize("name", ["semantic-grey", "semantic-color", "semantic-grey-documented-names"])
def test_semantic_exports(samples: Path, tmp_path: Path, name: str) -> None:
    folder = samples / "hasty-exports" / name
    assert mc.detect(folder) == "hasty_semantic"
    data = mc.read(folder)
    assert [(c.name, c.kind) for c in data.schema] == [("sea", "stuff"), ("boat", "thing"), ("buoy", "thing")]
    names = {c.id: c.name for c in data.schema}
    found = {i.subset: {names[a.category_id]: a.rle.area for a in i.annotations} for i in data.items}
    assert found == {"test": {"sea": 10}, "train": {"sea": 16, "boat": 10, "buoy": 8}}
    assert not len(mc.write(data, tmp_path / "out", "hasty_semantic"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    from PIL import Image

    for part in ("train", "test"):
        with Image.open(folder / part / "harbour.png") as a, Image.open(tmp_path / "out" / part / "harbour.png") as b:
            assert a.mode == b.mode
            assert (np.asarray(a) == np.asarray(b)).all()


def test_project_folder_on_top(samples: Path, tmp_path: Path) -> None:
    shutil.copytree(samples / "hasty-exports/semantic-grey", tmp_path / "in/project")
    assert [i.subset for i in mc.read(tmp_path / "in").items] == ["test", "train"]
