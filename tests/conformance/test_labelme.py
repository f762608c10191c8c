"""LabelMe XML and labelme JSON on the samples of their specification."""

from __future__ import annotations

import json
from math import hypot
from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
NAMES = ["window", "license plate", "o1", "q1", "b1", "m1", "hg"]


@pytest.fixture
def labelme(samples: Path) -> Path:
    return samples / "labelme"


@pytest.mark.parametrize(("name", "key"), [("xml-flat", "example_folder/img1"), ("xml-folders", "subset1/img1")])
def test_xml(labelme: Path, tmp_path: Path, name: str, key: str) -> None:
    assert mc.detect(labelme / name) == "labelme"
    data = mc.read(labelme / name)
    assert [c.name for c in data.schema] == NAMES
    (item,) = data.items
    assert (item.subset, item.id, item.path) == ("default", key, f"{key}.png")
    assert (item.width, item.height) == (102, 77)
    window, plate, o1, q1, b1, m1, hg = item.annotations
    assert window.rings[0].tolist()[0] == [43, 34]
    assert (plate.rle.area, tuple(plate.rle.bbox)) == (10, (58, 67, 5, 2))
    assert (len(o1.rings[0]), o1.occluded, o1.attributes) == (7, True, {"a1": True})
    assert (q1.attributes, q1.parent_id) == ({"kj": True}, 2)
    assert (b1.x0, b1.y0, b1.x1 - b1.x0, b1.y1 - b1.y0, b1.occluded, b1.attributes) == (
        13,
        19,
        10,
        11,
        True,
        {"hg": True},
    )
    assert (m1.rle.area, tuple(m1.rle.bbox), m1.attributes) == (130, (55, 14, 15, 10), {"d": True})
    assert hg.attributes == {"gfd lkj lkj hi": True}
    assert [a.group_id for a in item.annotations] == [None, None, 1, 1, 1, 2, 2]
    assert [a.id for a in item.annotations] == list(range(7))
    assert not len(mc.write(data, tmp_path / "out", "labelme"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    (item,) = mc.read(labelme / name, threshold=128).items
    assert item.annotations[5].rle.area == 75


def test_primitives(labelme: Path, tmp_path: Path) -> None:
    assert mc.detect(labelme / "json-primitives") == "labelme_json"
    data = mc.read(labelme / "json-primitives")
    (item,) = data.items
    assert (item.id, item.path, item.width, item.height) == ("primitives", "primitives.jpg", 560, 450)
    first, circle, second, polygon, line, point, strip, octagon = item.annotations
    assert [(b.x0, b.y0, b.x1, b.y1) for b in (first, second)] == [(32, 35, 132, 135), (391, 33, 542, 135)]
    assert (circle.cx, circle.cy, circle.rx, circle.ry) == (195, 84, hypot(30, 41), hypot(30, 41))
    assert abs(circle.rx - 50.8035) < 1e-4
    assert (len(polygon.rings[0]), len(line.points), point.xy.tolist(), len(strip.points)) == (4, 2, [[345, 174]], 3)
    assert (octagon.rle.area, tuple(octagon.rle.bbox)[:2]) == (7275, (417, 305))
    assert not len(mc.write(data, tmp_path / "out", "labelme_json"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"), added={"labelme_json"})
    old = json.loads((labelme / "json-primitives/primitives.json").read_text())
    new = json.loads((tmp_path / "out/primitives.json").read_text())
    for shape in (*old["shapes"], *new["shapes"]):
        if shape["shape_type"] == "mask":
            shape["mask"] = shape["points"] = None  # the same pixels in another PNG
    assert new == old


def test_instances(labelme: Path, tmp_path: Path) -> None:
    data = mc.read(labelme / "json-instances")
    assert len(data.schema) == 22
    (item,) = data.items
    names = {c.id: c.name for c in data.schema}
    found = [(names[a.category_id], a.group_id) for a in item.annotations]
    assert (
        found == [("person", None)] * 3 + [("chair", None), ("person", None), ("__ignore__", None)] + [("sofa", 0)] * 4
    )
    assert len({(name, group) if group is not None else at for at, (name, group) in enumerate(found)}) == 7
    (less,) = mc.read(labelme / "json-instances", drop_ignored=True).items
    assert len(less.annotations) == 9
    assert not len(mc.write(data, tmp_path / "out", "labelme_json"))
    old = json.loads((labelme / "json-instances/2011_000006.json").read_text())
    new = json.loads((tmp_path / "out/2011_000006.json").read_text())
    assert [s["points"] for s in new["shapes"]] == [s["points"] for s in old["shapes"]]
    assert (tmp_path / "out/labels.txt").read_text().split() == (
        labelme / "json-instances/labels.txt"
    ).read_text().split()


def test_boxes(labelme: Path) -> None:
    data = mc.read(labelme / "json-boxes/2011_000025.json")
    names = {c.id: c.name for c in data.schema}
    assert [(names[b.category_id], b.x0, round(b.y0, 4), b.x1, round(b.y1, 4)) for b in data.items[0].annotations] == [
        ("bus", 84, 20.3846, 435, 373.3846),
        ("bus", 1, 99, 107, 282),
        ("car", 409, 167, 500, 266),
    ]


def test_flags(labelme: Path, tmp_path: Path) -> None:
    data = mc.read(labelme / "json-flags")
    assert [c.name for c in data.schema] == ["__ignore__", "cat", "dog"]
    (item,) = data.items
    assert (item.width, item.height, [a.category_id for a in item.annotations]) == (640, 480, [1])
    assert not len(mc.write(data, tmp_path / "out", "labelme_json"))
    assert list(json.loads((tmp_path / "out/0001.json").read_text())["flags"].items()) == [
        ("__ignore__", False),
        ("cat", True),
        ("dog", False),
    ]
