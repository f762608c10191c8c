"""Bad input and special losses of DataGym."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
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


# --- several files ----------------------------------------------------------------------------------------------------
BOX = {"rectangle": [{"x": 1, "y": 2, "w": 3, "h": 4}], "classifications": {}}
CLASSES = {"label_classes": [{"class_name": "car", "geometry_type": "rectangle"}]}


def numbered(number: int, **more: object) -> dict:
    return {"internal_media_ID": f"m{number}", "global_classifications": {}, "labels": {"car": [BOX]}, **more}


def put(folder: Path, **files: object) -> Path:
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    return folder


def test_lists_of_one_project_are_read_together(tmp_path: Path) -> None:
    put(tmp_path, one=[numbered(1), numbered(2)], two=[numbered(3)])
    assert mc.detect(tmp_path) == "datagym"
    assert [(i.id, len(i.annotations)) for i in mc.read(tmp_path).items] == [("m1", 1), ("m2", 1), ("m3", 1)]
    put(tmp_path, one=[CLASSES, numbered(1, status="completed")], two=[CLASSES, numbered(2, status="skipped")])
    data = mc.read(tmp_path)
    assert [(i.id, i.status) for i in data.items] == [("m1", "completed"), ("m2", "skipped")]
    assert [c.name for c in data.schema] == ["car"]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"one": [numbered(1)], "two": [numbered(1)]}, "m1 is in one.json and in two.json"),
        ({"one": [numbered(1)], "two": [numbered(2, status="completed")]}, "different forms: import, export"),
        ({"one": [CLASSES, numbered(1, status="done")], "two": [{"label_classes": []}, numbered(2)]}, "classes differ"),
        ({"one": {"frames": {}, "object": {}}, "two": {"frames": {}, "object": {}}}, "equal names"),
        ({"one": [numbered(1, task_export_url="https://host/x/t1/")], "two": {"frames": {}, "object": {}}}, "task id"),
    ],
)
def test_lists_of_several_projects_are_named(tmp_path: Path, files: dict, why: str) -> None:
    with pytest.raises(mc.FormatError, match="give the path of one") as caught:
        mc.read(put(tmp_path, **files), "datagym")
    assert "one.json" in str(caught.value) and "two.json" in str(caught.value) and why in str(caught.value)


def test_videos_and_their_tasks(tmp_path: Path) -> None:
    task = {"frames": {"0": [{"visibleObjectId": "o"}], "1": [{"visibleObjectId": "o"}]}, "object": {"o": {"0": BOX}}}
    rows = [{"label_classes": []}] + [
        {"internal_media_ID": f"m{n}", "task_export_url": f"https://host/api/t{n}/", "video_total_frames": "3"}
        for n in (1, 2)
    ]
    put(tmp_path, datagym_export_5_project=rows, datagym_export_6_t2=task)
    found = [(i.id, len(i.annotations)) for i in mc.read(tmp_path).items]
    assert found == [(f"m{n}/frame_{f:06d}", int(n == 2 and f < 2)) for n in (1, 2) for f in range(3)]


def test_configuration_alone_is_a_schema(tmp_path: Path) -> None:
    rows = [{"type": "RECTANGLE", "entryKey": "car", "color": "#ff0000", "children": []}]
    put(tmp_path, configuration=rows)
    assert mc.detect(tmp_path) == "datagym"
    data = mc.read(tmp_path)
    assert list(data.items) == [] and [(c.name, c.color) for c in data.schema] == [("car", (255, 0, 0))]


def test_bitmaps_alone_say_what_is_needed(tmp_path: Path) -> None:
    (tmp_path / "car.bmp").write_bytes(b"BM")
    with pytest.raises(mc.FormatError, match="bitmaps="):
        mc.read(tmp_path, "datagym")


CONFIGURATION = [
    {"type": "POLYGON", "entryKey": "car", "children": [
        {"type": "SELECT", "entryKey": "kind", "options": {"suv": "SUV"}, "children": []}]},
    {"type": "LINE", "entryKey": "lane", "children": []},
    {"type": "CHECKLIST", "entryKey": "signs", "options": {"stop": "Stop", "yield": "Yield"}, "children": [
        {"type": "FREETEXT", "entryKey": "why", "children": []}]},
]  # fmt: skip
CAR = "labels.car[0].classifications."
TRIANGLE = [{"x": 1, "y": 1}, {"x": 5, "y": 1}, {"x": 5, "y": 7}]


@pytest.mark.parametrize(
    ("labels", "values", "field"),
    [
        ({"car": [BOX]}, {}, "labels.car[0].rectangle"),
        ({"bus": [BOX]}, {}, "labels.bus"),
        ({"car": [{"polygon": TRIANGLE, "classifications": {"kind": ["van"]}}]}, {}, CAR + "kind"),
        ({"car": [{"polygon": TRIANGLE, "classifications": {"age": ["3"]}}]}, {}, CAR + "age"),
        ({}, {"signs": ["stop", "go"]}, "global_classifications.signs"),
        ({}, {"weather": ["sun"]}, "global_classifications.weather"),
        ({}, {"signs": ["stop", {"who": ["me"]}]}, "global_classifications.signs/who"),
    ],
)
def test_what_the_configuration_does_not_know(tmp_path: Path, labels: dict, values: dict, field: str) -> None:
    good = {"car": [{"polygon": TRIANGLE, "classifications": {"kind": ["suv"]}}], "lane": [{"geometry": TRIANGLE}]}
    rows = [
        {"internal_media_ID": "a", "labels": good, "global_classifications": {"signs": ["stop", {"why": ["x"]}]}},
        {"internal_media_ID": "b", "labels": labels, "global_classifications": values},
    ]
    put(tmp_path, labels=rows, configuration=CONFIGURATION)
    with pytest.raises(mc.FormatError) as caught:
        list(mc.read(tmp_path).items)
    assert (caught.value.record, caught.value.field) == ("[1]", field)
    data = mc.read(tmp_path, on_error="skip", on_loss="ignore")
    items = list(data.items)
    assert [a.kind for a in items[0].annotations] == ["polygon", "polyline"]
    assert items[0].attributes == {"signs": "stop", "signs/why": "x"}
    assert len(items) == 2 and data.report.total == 1
    list(data.items)
    assert data.report.total == 1, "a second pass says nothing again"


def test_faults_are_entered_once_however_often_items_are_read(tmp_path: Path) -> None:
    rows = [numbered(1), numbered(2, labels={"car": [{"rectangle": []}, BOX]}), {"labels": {}}, numbered(3, status=5)]
    data = mc.read(put(tmp_path, rows=rows), on_error="skip", on_loss="ignore")
    once = [len(i.annotations) for i in data.items], data.report.total
    assert once == ([1, 1], 3)
    assert ([len(i.annotations) for i in data.items], data.report.total) == once


# --- traps and bad input that have no test above ----------------------------------------------------------------------
def test_a_class_list_that_does_not_come_first(tmp_path: Path) -> None:
    data = mc.read(put(tmp_path, rows=[numbered(1, status="completed"), CLASSES, numbered(2, status="skipped")]))
    assert [i.id for i in data.items] == ["m1", "m2"]
    assert [(x.field, x.reason, x.count) for x in data.report] == [("label_classes", "not in first place", 1)]


def test_segmentations_of_an_import_are_told(tmp_path: Path) -> None:
    row = numbered(1, labels={"car": [{**BOX, "image_segmentation": [[{"x": 1, "y": 1}]]}]})
    data = mc.read(put(tmp_path, rows=[row]))
    for _ in range(2):
        assert [a.kind for i in data.items for a in i.annotations] == ["box"]
        assert [(x.field, x.count) for x in data.report] == [("image_segmentation", 1)]


@pytest.mark.parametrize("kind", ["polygon", "line", "point"])
def test_points_of_videos_cannot_be_read(tmp_path: Path, kind: str) -> None:
    broken = {"0": {kind: [{"x": 3, "Y": 4}]}, "1": BOX}
    task = {"frames": {"0": [{"visibleObjectId": "o"}], "1": [{"visibleObjectId": "o"}]}, "object": {"o": broken}}
    path = put(tmp_path, task=task)
    with pytest.raises(mc.FormatError, match="over each other") as caught:
        mc.read(path)
    assert caught.value.field == f"object.o.0.{kind}"
    data = mc.read(path, on_error="skip", on_loss="ignore")
    assert [[a.kind for a in i.annotations] for i in data.items] == [[], ["box"]]
    assert data.report.total == 1


def test_frames_are_sorted_as_numbers(tmp_path: Path) -> None:
    keys = {str(f): {"rectangle": [{"x": f, "y": 0, "w": 2, "h": 2}]} for f in (10, 9, 0)}
    task = {"frames": {str(f): [{"visibleObjectId": "o"}] for f in (10, 2, 9, 0)}, "object": {"o": keys}}
    items = list(mc.read(put(tmp_path, task=task)).items)
    assert {i.frame: a.x0 for i in items for a in i.annotations} == {0: 0, 2: 2, 9: 9, 10: 10}


@pytest.mark.parametrize(
    ("task", "field"),
    [
        ({"frames": [], "object": {}}, "frames"),
        ({"frames": {"x": []}, "object": {}}, "frames"),
        ({"frames": {"0": [{}]}, "object": {}}, "frames.0"),
        ({"frames": {"0": [{"visibleObjectId": "o"}]}, "object": {}}, "frames.0"),
        ({"frames": {}, "object": []}, "object"),
        ({"frames": {}, "object": {"o": {"0": 3}}}, "object.o.0"),
        ({"frames": {}, "object": {"o": {"0": {"rectangle": []}}}}, "object.o.0.rectangle"),
    ],
)
def test_faults_of_videos(tmp_path: Path, task: dict, field: str) -> None:
    row = {"internal_media_ID": "m", "task_export_url": "https://host/t/", "labels": task}
    with pytest.raises(mc.FormatError) as caught:
        list(mc.read(put(tmp_path, rows=[row])).items)
    assert caught.value.field == field


def test_bitmaps_of_the_server_are_filled_by_the_rule_of_opencv() -> None:
    """Boundaries belong to the area; rings of one call cancel where they overlap."""

    def square(low: int, high: int) -> np.ndarray:
        return np.array([[low, low], [high, low], [high, high], [low, high]], np.float64)

    def pixels(*rings: np.ndarray) -> mc.Rle:
        return mc.Rle.from_polygons(list(rings), (50, 50), rule="opencv")

    outer, hole = pixels(square(10, 40)), pixels(square(20, 30))
    assert (outer.area, (outer - hole).area) == (961, 840)
    both = pixels(square(10, 40), square(30, 48))
    assert (both.area, (outer | pixels(square(30, 48))).area) == (1120, 1201)
