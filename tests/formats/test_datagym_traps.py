"""Traps of DataGym by their places in section 6 of its description, where ``test_datagym`` has none.

Elsewhere: 2 ``conformance.test_datagym`` (what the server cannot take back), 4 and 5 in part ``test_datagym``, 6
``test_what_the_configuration_does_not_know``. 8 is about the vendor's uploads.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maskcodec as mc
from tests.formats.test_datagym import GOOD, POINT, TRIANGLE, medium, save

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


@pytest.mark.parametrize("value", [3586, 3586.79, 0.1 + 0.2])
def test_trap_01_numbers_are_kept_and_written_as_they_are(tmp_path: Path, value: float) -> None:
    box = {"rectangle": [{"x": value, "y": value, "w": value, "h": 4}]}
    mc.convert(save(tmp_path, medium(box)), tmp_path / "out.json", "datagym")
    (row,) = json.loads((tmp_path / "out.json").read_text())
    assert row["labels"]["car"][0]["rectangle"] == box["rectangle"]


@pytest.mark.parametrize("bad", [{"x": None, "y": 3}, {"x": 3, "y": None}, None])
def test_trap_03_points_of_null(tmp_path: Path, bad: object) -> None:
    path = save(tmp_path, medium(GOOD, {"polygon": [*TRIANGLE, bad]}))
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path).load()
    assert caught.value.field.startswith("labels.car[1].polygon[3]")
    data = mc.read(path, on_error="skip").load()
    assert [a.kind for a in data.items[0].annotations] == ["box"] and data.report.total == 1


def test_trap_05_polygon_and_geometry_at_once(tmp_path: Path) -> None:
    path = save(tmp_path, medium(GOOD, {"polygon": TRIANGLE, "geometry": TRIANGLE}))
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path).load()
    assert caught.value.field == "labels.car[1]"
    data = mc.read(path, on_error="skip").load()
    assert [a.kind for a in data.items[0].annotations] == ["box"] and data.report.total == 1


def test_trap_07_parts_crowds_and_supercategories_from_coco(tmp_path: Path) -> None:
    ring = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0]]
    schema = mc.LabelSchema([mc.Category(1, "cat", parent="animal")])
    parts = mc.Polygon([ring, [[6.0, 6.0], [9.0, 6.0], [9.0, 9.0]]], category_id=1, is_crowd=True)
    item = mc.Item("a", "a.png", width=10, height=10, annotations=[parts])
    report = mc.write(mc.Dataset(schema, [item]), tmp_path / "out.json", "datagym", on_loss="ignore")
    (row,) = json.loads((tmp_path / "out.json").read_text())
    assert list(row["labels"]) == ["cat"] and "geometry" not in json.dumps(row).replace("nested_geometries", "")
    told = {(loss.action, loss.what) for loss in report if not loss.field}
    assert told & {("approximated", "multipart_polygon"), ("dropped", "multipart_polygon")}


def test_trap_09_sizes_are_read_by_their_names(tmp_path: Path) -> None:
    (item,) = mc.read(save(tmp_path, medium({"rectangle": [{"h": 4, "w": 3, "y": 2, "x": 1}]}))).items
    box = item.annotations[0]
    assert (box.x0, box.y0, box.x1, box.y1) == (1, 2, 4, 6)


@pytest.mark.parametrize("row", [{"labels": {}}, {"internal_media_ID": 3, "labels": {}}])
def test_bad_medium_is_skipped_alone(tmp_path: Path, row: dict) -> None:
    path = save(tmp_path, medium(GOOD), row)
    with pytest.raises(mc.FormatError, match="internal_media_ID"):
        mc.read(path, "datagym").load()
    data = mc.read(path, "datagym", on_error="skip").load()
    assert [i.id for i in data.items] == ["m1"] and data.report.total == 1


def test_bad_places_are_named_to_the_coordinate(tmp_path: Path) -> None:
    rows = [medium(GOOD)] * 3 + [medium({"polygon": [POINT, POINT, {"x": "one", "y": 0}]})]
    rows = [{**row, "internal_media_ID": f"m{at}"} for at, row in enumerate(rows)]
    with pytest.raises(mc.FormatError) as caught:
        mc.read(save(tmp_path, *rows), "datagym").load()
    assert f"{caught.value.record}.{caught.value.field}" == "[3].labels.car[0].polygon[2].x"
