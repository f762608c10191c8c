"""DataGym on the samples of its specification."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

IMAGES = (
    "import/simple.json", "import/full.json", "import/deprecated-geometry-key.json",
    "export/authored-image-project.json", "export/dummy-project-derived.json",
    "export/not-reimportable-checklist-child.json", "export/not-reimportable-negative-point.json",
    "export/old-image-id-keys.json",
)  # fmt: skip


@pytest.fixture
def folder(samples: Path) -> Path:
    return samples / "datagym"


def by_class(item: mc.Item) -> dict[str, int]:
    found: dict[str, int] = {}
    for a in item.annotations:
        found[a.category_id] = found.get(a.category_id, 0) + 1
    return found


@pytest.mark.parametrize("name", [*IMAGES, "video/task-export.json", "video/sdk-merged-export.json"])
def test_detected(folder: Path, name: str) -> None:
    assert mc.detect(folder / name) == "datagym"


def plain(value: object) -> object:
    """JSON with whole floats and digits as the numbers that they are."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return int(value) if isinstance(value, str) and value.isdecimal() else value


@pytest.mark.parametrize("name", IMAGES)
def test_every_key_survives(folder: Path, tmp_path: Path, name: str) -> None:
    form = name.partition("/")[0]
    data = mc.read(folder / name)
    mc.write(data, tmp_path / "out.json", "datagym", on_loss="ignore", form=form)
    before, after = (json.loads(p.read_text()) for p in (folder / name, tmp_path / "out.json"))
    if name.endswith("negative-point.json"):
        before[1]["labels"] = {}  # a geometry without coordinates cannot be kept, and is reported
        assert data.report.total == 1
    assert plain(after) == plain(before)
    assert json.dumps(list(after[-1])) == json.dumps([k for k in before[-1] if k in after[-1]]) or form == "export"
    assert_datasets_equal(data, mc.read(tmp_path / "out.json"))


def test_full_import(folder: Path) -> None:
    first, second = mc.read(folder / "import/full.json").items
    assert by_class(first) == {"bus": 1, "car": 2, "wheel": 2, "plate": 1, "street": 1, "poi": 1}
    bus, car = first.annotations[:2]
    assert (bus.x0, bus.y0, bus.x1, bus.y1) == (272, 302, 272 + 324, 302 + 169)
    assert car.attributes == {"car_type": None}
    children = [a for a in first.annotations if a.parent_id is not None]
    assert [a.category_id for a in children] == ["wheel", "wheel", "plate"]
    assert {a.parent_id for a in children} == {car.id}
    other = [a for a in first.annotations if a.category_id == "car"][1]
    assert other.rings[0][0].tolist() == [200.5, 410.25]
    assert first.attributes == {
        "weather": "sunny", "weather/daytime": "day", "visible_signs": ["stop", "yield"], "note": "wet road",
    }  # fmt: skip
    (box,) = second.annotations
    assert (box.x0, box.y0, box.x1, box.y1) == (10, 20, 40, 60)


def test_authored_export(folder: Path) -> None:
    data = mc.read(folder / "export/authored-image-project.json")
    assert len(data.schema.categories) + len(data.schema.attributes) == 13
    first, second = data.items
    assert (first.id, first.path) == ("street_0001", "street_0001.jpg")
    assert (first.status, second.status) == ("completed", "skipped")
    water = next(a for a in first.annotations if a.category_id == "water")
    assert water.holes == (False, True)
    assert second.attributes["weather"] is None


def test_dummy_project(folder: Path) -> None:
    (item,) = mc.read(folder / "export/dummy-project-derived.json").items
    assert by_class(item) == {"cyclist": 10, "car": 8, "ped_cross": 5, "pedestrian": 2, "bus": 2}
    assert item.attributes == {"weather": "fair", "tod": "day"}
    car = next(a for a in item.annotations if a.category_id == "car")
    assert len(car.rings[0]) == 16
    assert car.rings[0][:2].tolist() == [[3586, 161], [3582, 151]]
    boxes = [(a.x0, a.y0, a.x1 - a.x0, a.y1 - a.y0) for a in item.annotations if a.category_id == "pedestrian"]
    assert boxes == [(773, 1095, 43, 22), (933, 921, 13, 11)]


@pytest.mark.parametrize("name", [n for n in IMAGES if "not-reimportable" in n])
def test_what_the_server_cannot_take_back_fails_as_an_import(folder: Path, tmp_path: Path, name: str) -> None:
    rows = json.loads((folder / name).read_text())[1:]
    keys = ("external_media_ID", "labeler", "status", "segmentations")
    for row in rows:
        for geometry in (g for own in row["labels"].values() for g in own):
            geometry.pop("nested_geometries", None)
    path = tmp_path / "import.json"
    path.write_text(json.dumps([{k: v for k, v in row.items() if k not in keys} for row in rows]))
    with pytest.raises(mc.FormatError) as caught:
        list(mc.read(path, "datagym").items)
    assert caught.value.record == "[0]"
    assert caught.value.field in ("global_classifications.visible_signs", "labels.poi[0].point[0].x")


def test_label_configuration_beside_the_list(folder: Path, tmp_path: Path) -> None:
    for name in ("import/full.json", "label-configuration/authored.json"):
        (tmp_path / Path(name).name).write_bytes((folder / name).read_bytes())
    schema = mc.read(tmp_path).schema
    assert [c.name for c in schema] == ["bus", "car", "wheel", "plate", "street", "poi", "water"]
    assert schema.by_id("wheel").parent == "car"
    assert [(s.name, s.type, s.values) for s in schema.by_id("car").attributes] == [
        ("car_type", "select", ["suv", "van", "hatchback"])
    ]
    assert [(s.name, [c.name for c in s.children]) for s in schema.attributes] == [
        ("weather", ["daytime"]), ("visible_signs", []), ("note", []),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "area"),
    [("blackWithoutSegment", 0), ("blackWithSegment", 961), ("blackWithSegmentAndCut", 840)],
)
def test_bitmaps(folder: Path, name: str, area: int) -> None:
    asked = []

    def bitmaps(address: str) -> bytes:
        asked.append(address)
        return (folder / f"bitmap/{name}.bmp").read_bytes()

    first = next(iter(mc.read(folder / "export/authored-image-project.json", bitmaps=bitmaps).items))
    mask = first.annotations[-1]
    assert len(asked) == 1
    assert (mask.kind, mask.category_id, mask.rle.shape, mask.rle.area) == ("mask", "water", (50, 50), area)


@pytest.mark.parametrize(("name", "length"), [("task-export", 11), ("sdk-merged-export", 1355)])
def test_video(folder: Path, name: str, length: int) -> None:
    data = mc.read(folder / f"video/{name}.json", classes={"0f0e0000-0000-4000-a000-000000000001": "cup"})
    items = list(data.items)
    assert len(items) == length
    boxes = [next((a for a in i.annotations if a.track_id == 1), None) for i in items[:11]]
    assert [f for f, a in enumerate(boxes) if a is not None and a.keyframe] == [0, 5, 10]
    seventh = boxes[7]
    assert seventh is not None
    assert (seventh.x0, seventh.y0, seventh.x1 - seventh.x0, seventh.y1 - seventh.y0) == (170, 70, 48, 24)
    assert seventh.attributes == {"material": "glass"}
    assert [f for f, i in enumerate(items) if any(a.track_id == 2 for a in i.annotations)] == [4]
    other = next(a for a in items[4].annotations if a.track_id == 2)
    assert (other.attributes, other.category_id) == ({"object_name": None}, None)
    assert data.tracks[1].extras["datagym"]["object"].startswith("0f0e0000")
    only = list(mc.read(folder / f"video/{name}.json", keyframes_only=True).items)
    assert sum(len(i.annotations) for i in only) == 4


def test_project_export_of_videos_alone(folder: Path) -> None:
    items = mc.read(folder / "video/project-export.json").items
    assert len(items) == 1355
    assert (items[0].width, items[0].height, items[0].annotations) == (1920, 1080, [])


@pytest.mark.parametrize("name", ["import", "export", "video"])
def test_folders_of_several_projects_name_their_files(folder: Path, name: str) -> None:
    assert mc.detect(folder / name) == "datagym"
    with pytest.raises(mc.FormatError, match="give the path of one") as caught:
        mc.read(folder / name)
    assert ".json, " in str(caught.value)


def test_project_and_task_of_a_video_together(folder: Path, tmp_path: Path) -> None:
    number = "2a38755c-0e85-48a0-a5f6-6eb3652a0909"
    for name, new in (("project-export", "project"), ("task-export", f"datagym_export_1_{number}")):
        (tmp_path / f"{new}.json").write_bytes((folder / f"video/{name}.json").read_bytes())
    assert_datasets_equal(mc.read(tmp_path), mc.read(folder / "video/sdk-merged-export.json"))


def test_label_configuration_alone(folder: Path) -> None:
    assert mc.detect(folder / "label-configuration") == "datagym"
    data = mc.read(folder / "label-configuration/authored.json")
    assert list(data.items) == []
    specs = [s for c in data.schema for s in c.attributes] + data.schema.attributes
    entries = len(data.schema) + len(specs) + sum(len(s.children) for s in specs)
    assert entries == 13
