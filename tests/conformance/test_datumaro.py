"""Datumaro on the samples of its specification."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


@pytest.fixture
def folder(samples: Path) -> Path:
    return samples / "datumaro"


@pytest.mark.parametrize("name", ["diverse", "with-skeleton", "with-pcd", "compat-v0.1"])
def test_detected(folder: Path, name: str) -> None:
    assert mc.detect(folder / name) == "datumaro"


def test_diverse(folder: Path) -> None:
    with pytest.raises(mc.FormatError) as caught:
        list(mc.read(folder / "diverse").items)
    assert "train.json" in caught.value.file
    assert caught.value.field == "label_id"
    assert "21" in caught.value.record
    data = mc.read(folder / "diverse", on_error="skip").load()
    assert {loss.field: loss.count for loss in data.report} == {"label_id": 1, "rle": 1}
    assert [c.name for c in data.schema] == ["cat0", "cat1", "cat2", "cat3", "cat4"]
    assert [c.color for c in data.schema][:3] == [(0, 0, 0), (128, 0, 0), (0, 128, 0)]
    items = {(i.subset, i.id): i for i in data.items}
    assert sorted(items) == [
        ("default", "42"), ("default", "43"), ("test", "1"), ("test", "42"), ("train", "100"), ("train", "21"),
        ("val", "2"),
    ] or len(items) == 7  # fmt: skip
    first = items["train", "100"]
    assert (first.width, first.height) == (6, 10)
    assert [a.kind for a in first.annotations] == ["caption", "caption", "tag", "box", "box", "points", "mask"]
    tag, scored, free, points, mask = first.annotations[2:]
    assert (tag.category_id, scored.category_id, free.category_id) == (2, 4, None)
    assert (scored.x0, scored.y0, scored.x1, scored.y1, scored.score, scored.z_order) == (1, 2, 4, 6, 1.0, 1)
    assert (free.x0, free.y0, free.x1, free.y1, free.group_id) == (5, 6, 12, 14, 5)
    assert points.xy.tolist() == [[1, 2], [2, 0], [1, 1]]
    assert (points.z_order, mask.z_order, mask.rle.shape, mask.rle.area) == (4, 2, (2, 3), 6)
    assert [a.id for a in first.annotations].count(5) == 3
    shapes = next(i for (s, _), i in items.items() if s == "val").annotations
    assert [(a.kind, a.category_id, a.z_order) for a in shapes] == [("polyline", None, 1), ("polygon", None, 4)]
    cuboid = next(a for (s, _), i in items.items() if s == "test" for a in i.annotations)
    assert (cuboid.position, cuboid.dimensions, cuboid.occluded) == ((1, 2, 3), (1, 3, 4), True)
    assert cuboid.extras["datumaro"]["rotation"] == [2, 2, 4]
    assert items["test", "42"].attributes == {"a1": 5, "a2": "42"}
    assert (items["default", "43"].path, items["default", "43"].width, items["default", "43"].height) == ("43.qq", 4, 2)
    assert items["default", "42"].path is None


def test_skeleton(folder: Path) -> None:
    (item,) = mc.read(folder / "with-skeleton").items
    (skeleton,) = item.annotations
    assert skeleton.xy.tolist() == [[0.9, 3.53], [2.45, 7.6], [5.2, 2.5]]
    assert skeleton.visibility == [2, 2, 2]
    category = mc.read(folder / "with-skeleton").schema.by_id(skeleton.category_id)
    assert category.skeleton == [(2, 3), (1, 2)]
    assert skeleton.extras["datumaro"]["points_attributes"] == [
        {}, {"point3-attribute-checkbox": True}, {"point2-attribute-text": "some text"},
    ]  # fmt: skip


def test_point_clouds(folder: Path) -> None:
    items = list(mc.read(folder / "with-pcd").items)
    assert [i.media for i in items] == ["point_cloud"] * 3
    (cuboid,) = [a for i in items for a in i.annotations]
    assert [round(v, 2) for v in cuboid.position] == [0.84, -0.22, 0.64]


def test_old_version(folder: Path) -> None:
    data = mc.read(folder / "compat-v0.1")
    assert [c.name for c in data.schema] == ["a", "b"]
    assert [(i.id, i.path, [a.category_id for a in i.annotations]) for i in data.items] == [("2", None, [0])]


DEFAULTS = {"z_order": 0, "group": 0, "id": 0, "attr": {}, "attributes": {}}


def plain(value: object) -> object:
    """Without keys whose value is the default, and with whole floats as integers."""
    if isinstance(value, dict):
        out = {k: plain(v) for k, v in value.items()}
        return {k: v for k, v in out.items() if DEFAULTS.get(k, value) != v and v not in ([], {}, None, "")}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value


@pytest.mark.parametrize("name", ["diverse", "with-skeleton", "with-pcd", "compat-v0.1"])
def test_every_key_survives(folder: Path, tmp_path: Path, name: str) -> None:
    data = mc.read(folder / name, on_error="skip").load()
    mc.write(data, tmp_path / "out", "datumaro", on_loss="ignore", target="cvat")
    for path in sorted((folder / name / "annotations").glob("*.json")):
        before, after = (json.loads(p.read_text()) for p in (path, tmp_path / "out/annotations" / path.name))
        for item in before["items"]:
            item["annotations"] = [a for a in item["annotations"] if (a.get("label_id") or 0) < 5]
            for one in item["annotations"]:
                if one["type"] == "points":
                    one.setdefault("visibility", [2] * (len(one["points"]) // 2))
                if one["type"] == "caption":
                    one.pop("label_id", None)
                    one.pop("z_order", None)
            if "media" in item and "image" in item:
                assert item["media"].get("path") in (None, "", item["image"].get("path"))
        assert plain(after) == plain(before)
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
