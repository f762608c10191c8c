"""Bad input and special losses of DataGym."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maskcodec as mc

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

POINT = {"x": 5, "y": 6}
GOOD = {"rectangle": [{"x": 1, "y": 2, "w": 3, "h": 4}]}


def save(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "import.json"
    path.write_text(json.dumps(list(rows)))
    return path


def medium(*geometries: object, **more: object) -> dict:
    return {"internal_media_ID": "m1", "labels": {"car": list(geometries)}, **more}


@pytest.mark.parametrize(
    ("geometry", "field"),
    [
        ({}, ""),
        ({"point": [POINT], "line": [POINT, POINT]}, ""),
        ({"point": [POINT], "geometry": [POINT]}, ""),
        ({"point": [POINT], "colour": "red"}, ""),
        ({"point": [POINT, POINT]}, ".point"),
        ({"line": [POINT]}, ".line"),
        ({"polygon": [POINT, POINT]}, ".polygon"),
        ({"polygon": [POINT, POINT, {"x": -1, "y": 0}]}, ".polygon[2].x"),
        ({"polygon": [POINT, POINT, {"x": "1.5", "y": 0}]}, ".polygon[2].x"),
        ({"polygon": [POINT, POINT, {"x": 1, "y": 0, "z": 2}]}, ".polygon[2]"),
        ({"rectangle": [{"x": 1, "y": 2, "w": 0, "h": 4}]}, ".rectangle[0]"),
        ({"rectangle": [{"x": 1, "y": 2, "w": 3}]}, ".rectangle[0]"),
        ({**GOOD, "classifications": {"kind": "suv"}}, ".classifications.kind"),
        ({**GOOD, "classifications": {"kind": ["suv", {}]}}, ".classifications.kind"),
        ({**GOOD, "classifications": {"kind": [3]}}, ".classifications.kind"),
        ({**GOOD, "nested_geometries": [1]}, ".nested_geometries"),
        ({**GOOD, "nested_geometries": {"w": [{**GOOD, "nested_geometries": {"v": [GOOD]}}]}},
         ".nested_geometries.w[0].nested_geometries"),
    ],
)  # fmt: skip
def test_bad_geometry_is_named_or_skipped(tmp_path: Path, geometry: dict, field: str) -> None:
    path = save(tmp_path, medium(GOOD, geometry, GOOD))
    with pytest.raises(mc.FormatError) as caught:
        list(mc.read(path).items)
    assert (caught.value.record, caught.value.field) == ("[0]", f"labels.car[1]{field}")
    lenient = mc.read(path, on_error="skip").load()
    assert lenient.report.total == 1
    assert sum(a.category_id == "car" for a in lenient.items[0].annotations) in (2, 3)


CLASSIFICATIONS = {
    "[]": True, "[null]": True, '["a"]': True, '["a","b","c"]': True, '["a",{"k":["v"]}]': True,
    '[null,{"k":["v"]}]': True, '["a",{"k":["v"],"l":["w"]}]': True, '["a",null]': False, '[{"k":["v"]}]': False,
    '["a",{"k":["v"]},{"l":["w"]}]': False, '["a","b",{"k":["v"]}]': False, "[3]": False, '"a"': False,
}  # fmt: skip


@pytest.mark.parametrize("text", CLASSIFICATIONS)
def test_classifications_pass_as_the_published_schema_says(tmp_path: Path, text: str) -> None:
    path = save(tmp_path, {**medium(GOOD), "global_classifications": {"weather": json.loads(text)}})
    data = mc.read(path)
    if not CLASSIFICATIONS[text]:
        with pytest.raises(mc.FormatError):
            list(data.items)
        return
    mc.write(data, tmp_path / "out.json", "datagym", on_loss="ignore")
    (row,) = json.loads((tmp_path / "out.json").read_text())
    assert row["global_classifications"] == {"weather": json.loads(text)}


@pytest.mark.parametrize("row", [{"labels": {}, "status": "done", "external_media_ID": "a"}, {"internal_media_ID": 3}])
def test_medium_without_id(tmp_path: Path, row: dict) -> None:
    with pytest.raises(mc.FormatError) as caught:
        list(mc.read(save(tmp_path, medium(GOOD), row), "datagym").items)
    assert (caught.value.record, caught.value.field) == ("[1]", "internal_media_ID")


def test_negative_coordinates_and_order_are_reported(tmp_path: Path) -> None:
    item = mc.Item("a", "a.png", annotations=[
        mc.Box(-2, 1, 4, 5, category_id="car"),
        mc.Box(0, 0, 1, 1, category_id="bus"),
        mc.Polygon([[[0, 0], [5, 0], [5, -3]]], category_id="car"),
    ])  # fmt: skip
    data = mc.Dataset(mc.LabelSchema([mc.Category(n, n) for n in ("car", "bus")]), [item])
    report = mc.write(data, tmp_path / "out.json", "datagym", on_loss="ignore")
    assert sum(loss.count for loss in report if "below 0" in loss.reason) == 2
    assert any("class by class" in loss.reason for loss in report)
    assert item.annotations[0].x0 == -2
    (back,) = mc.read(tmp_path / "out.json").items
    assert [a.category_id for a in back.annotations] == ["car", "car", "bus"]
    assert back.annotations[0].x0 == 0
