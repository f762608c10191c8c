"""Segments.ai sequences and several sensors: releases, faults, grouping, tracks, the choice of the task type."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


def box(x: int, **more: Any) -> dict[str, Any]:
    return {"id": 1, "category_id": 1, "type": "bbox", "points": [[x, 0], [x + 5, 5]], **more}


def frame(at: int) -> dict[str, Any]:
    return {"image": {"url": f"https://x.example/{at}.jpg"}, "name": f"cam_{at}.jpg", "timestamp": at * 10}


LABEL: dict[str, Any] = {
    "format_version": 0.2,
    "frames": [
        {"format_version": "0.1", "timestamp": 5, "annotations": [box(1, track_id=8, is_keyframe=True)]},
        {"annotations": [box(2), box(7, id=2, track_id=None, is_keyframe=None)], "image_attributes": {"dark": True}},
        {"annotations": []},
    ],
    "links": [{"from_id": 8, "to_id": 2, "attributes": {"a": 1}}],
}
SAMPLE: dict[str, Any] = {
    "uuid": "u", "name": "clip",
    "attributes": {"frames": [frame(0), frame(1), frame(2)], "extra": [1]},
    "metadata": {"split": "train", "k": None},
    "labels": {"ground-truth": {"label_status": "REVIEWED", "attributes": LABEL, "score": 0.5}, "model": None},
}  # fmt: skip


def release(path: Path, *samples: Any, task: str = "image-vector-sequence") -> Path:
    path.mkdir()
    about = {"name": "d", "owner": "o", "description": "", "task_type": task,
             "task_attributes": {"format_version": "0.1", "categories": [{"id": 1, "name": "car"}]},
             "labelsets": [{"name": "ground-truth", "description": ""}], "samples": list(samples)}  # fmt: skip
    (path / "d-v1.json").write_text(json.dumps({"name": "v1", "dataset": about}))
    return path


def content(path: Path) -> Any:
    (file,) = path.glob("*.json")
    return json.loads(file.read_text())


def test_release_comes_back_whole(tmp_path: Path) -> None:
    unlabelled = {**copy.deepcopy(SAMPLE), "name": "other", "labels": {"ground-truth": None}}
    empty = {**copy.deepcopy(SAMPLE), "name": "none", "attributes": {"frames": []}, "labels": {"ground-truth": None}}
    no_label = copy.deepcopy(SAMPLE)
    no_label |= {"name": "null", "labels": {"ground-truth": {"label_status": "SKIPPED", "attributes": None}}}
    source = release(tmp_path / "in", SAMPLE, empty, unlabelled, no_label)
    assert mc.detect(source) == "segments_image_sequence"
    dataset = mc.read(source).load()
    assert [i.id for i in dataset.items] == [f"{s}/cam_{at}" for s in ("clip", "other", "null") for at in range(3)]
    first, second = dataset.items[:2]
    assert (first.path, first.subset, first.sequence, first.frame) == ("clip/cam_0.jpg", "train", "clip", 0)
    assert (first.timestamp, second.timestamp, first.status) == (5, 10, "REVIEWED")
    assert [(a.id, a.track_id, a.keyframe) for i in (first, second) for a in i.annotations] == [
        (1, 8, True), (1, 1, False), (2, 2, False),
    ]  # fmt: skip
    assert second.attributes == {"dark": True}
    assert [i.status for i in dataset.items[3:]] == ["UNLABELED"] * 3 + ["SKIPPED"] * 3
    for name in ("segments_image_sequence", "segments"):
        report = mc.write(dataset, tmp_path / name, name)
        assert not len(report), str(report)
        assert content(tmp_path / name) == content(source)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"frames": LABEL["frames"][:2]}, "frames"),
        ({"frames": {}}, "frames"),
        ({"links": [{"from_id": 8, "to_id": 99}]}, "links"),
        ({"links": [{"from_id": [1], "to_id": 8}]}, "links"),
        ({"frames": [{"annotations": [box(1, track_id="8")]}, *LABEL["frames"][1:]], "links": []}, "track_id"),
        ({"frames": [{"annotations": [box(1, is_keyframe=1)]}, *LABEL["frames"][1:]], "links": []}, "is_keyframe"),
        ({"frames": [{"annotations": [box(1), box(2)]}, *LABEL["frames"][1:]], "links": []}, "id"),
        ({"frames": [{"annotations": None}, *LABEL["frames"][1:]], "links": []}, "annotations"),
    ],
)
def test_faults(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    bad = copy.deepcopy(SAMPLE)
    bad["name"] = "bad"
    bad["labels"]["ground-truth"]["attributes"] |= change
    source = release(tmp_path / "in", bad, SAMPLE)
    with pytest.raises(mc.FormatError) as caught:
        mc.read(source).load()
    assert caught.value.field == field and "bad" in caught.value.record and caught.value.file == "d-v1.json"
    lenient = mc.read(source, on_error="skip")
    items = list(lenient.items)
    assert [i.id for i in items][-3:] == ["clip/cam_0", "clip/cam_1", "clip/cam_2"]
    assert lenient.report.total == 1, str(lenient.report)
    assert list(lenient.items) == items and lenient.report.total == 1


CAMERAS: dict[str, Any] = {"sensors": [
    {"name": n, "task_type": "image-vector-sequence", "attributes": {"frames": [frame(0)]}} for n in "ab"
]}  # fmt: skip


def sensors(order: str) -> dict[str, Any]:
    inner = {"frames": [{"annotations": [box(1, track_id=3)]}]}
    listed = [{"name": n, "task_type": "image-vector-sequence", "attributes": inner} for n in order]
    return {"name": "s", "attributes": CAMERAS, "labels": {"ground-truth": {"attributes": {"sensors": listed}}}}


def test_order_of_sensors(tmp_path: Path) -> None:
    good = release(tmp_path / "good", sensors("ab"), task="multisensor-sequence")
    dataset = mc.read(good).load()
    assert [i.id for i in dataset.items] == ["s/a/cam_0", "s/b/cam_0"]
    assert not len(mc.write(dataset, tmp_path / "out", "segments"))
    assert content(tmp_path / "out")["dataset"]["samples"] == content(good)["dataset"]["samples"]
    bad = release(tmp_path / "bad", sensors("ba"), task="multisensor-sequence")
    with pytest.raises(mc.FormatError) as caught:
        mc.read(bad)
    assert caught.value.field == "sensors"
    lenient = mc.read(bad, on_error="skip").load()
    assert len(lenient.items) == 2 and lenient.report.total == 1


def data(*items: mc.Item) -> mc.Dataset:
    return mc.Dataset(mc.LabelSchema([mc.Category(1, "car")]), list(items))


def test_frames_are_grouped_and_numbered(tmp_path: Path) -> None:
    items = [
        mc.Item(f"{s}/{at}", f"{s}/{at}.png", sequence=s, frame=at, status="LABELED",
                annotations=[mc.Box(at, 0, 9, 9, category_id=1, id=1, track_id="t" if s == "a" else None)])
        for at in (4, 2) for s in ("a", "b")
    ]  # fmt: skip
    dataset = data(*items)
    report = mc.write(dataset, tmp_path / "out", "segments_image_sequence", on_loss="ignore")
    assert report == mc.plan(dataset, "segments_image_sequence")
    assert {(x.action, x.what, x.field, x.count) for x in report} == {
        ("approximated", "item", "", 2), ("renamed", "item", "frame", 4), ("renamed", "box", "track_id", 2),
        ("defaulted", "box", "track_id", 2),
    }  # fmt: skip
    back = mc.read(tmp_path / "out").load()
    assert [(i.id, i.frame, i.annotations[0].x0) for i in back.items] == [
        ("a/2", 0, 2), ("a/4", 1, 4), ("b/2", 0, 2), ("b/4", 1, 4),
    ]  # fmt: skip
    tracks = [i.annotations[0].track_id for i in back.items]
    assert tracks[0] == tracks[1] and tracks[2] != tracks[3]  # numbers are unique within a sequence


def test_the_family_picks_the_task_type(tmp_path: Path) -> None:
    mask = mc.Mask(mc.Rle.from_hasty([4, 2], (2, 3)), category_id=1, id=1)
    flat = mc.Box(0, 0, 2, 2, category_id=1, id=2)
    cube = mc.Cuboid((0, 0, 0), (1, 1, 1), category_id=1, id=1)
    line = mc.Polyline([[0, 0, 0], [1, 1, 1]], category_id=1, id=2)
    points = mc.PointMask([1], category_id=1, id=3)
    cases: list[tuple[str, str, list[Any], dict[str, Any]]] = [
        ("segmentation-bitmap", "image", [mask], {}),
        ("vector", "image", [flat], {}),
        ("vector", "image", [flat, mask], {}),
        ("image-segmentation-sequence", "image", [mask], {"sequence": "s"}),
        ("image-vector-sequence", "image", [flat], {"sequence": "s"}),
        ("pointcloud-cuboid", "point_cloud", [cube], {}),
        ("pointcloud-vector", "point_cloud", [cube, line], {}),
        ("pointcloud-segmentation", "point_cloud", [points], {}),
        ("pointcloud-cuboid-sequence", "point_cloud", [cube], {"sequence": "s"}),
        ("pointcloud-segmentation-sequence", "point_cloud", [points], {"sequence": "s"}),
        ("multisensor-sequence", "image", [mask], {"sequence": "s", "sensor": "c"}),
    ]
    for number, (task, media, shapes, more) in enumerate(cases):
        item = mc.Item("s/a", "s/a.png", media, width=3, height=2, annotations=shapes, **more)
        dataset = data(item)
        report = mc.write(dataset, tmp_path / str(number), "segments", on_loss="ignore")
        assert report == mc.plan(dataset, "segments")
        assert content(tmp_path / str(number))["dataset"]["task_type"] == task
        (back,) = mc.read(tmp_path / str(number), on_loss="ignore").items
        assert len(back.annotations) == len(shapes)
    for name in ("segments", "segments_image_sequence"):
        with pytest.raises(ValueError, match="task is one of"):
            mc.plan(data(), name, task="nothing")


def test_progress_counts_every_item_once(tmp_path: Path) -> None:
    told: list[int] = []
    mc.convert(release(tmp_path / "in", SAMPLE), tmp_path / "out", "segments", progress=lambda n, _: told.append(n))
    assert told == [1, 2, 3]


def test_images_without_a_sequence_are_not_joined(tmp_path: Path) -> None:
    dataset = data(*(mc.Item(name, name, status="LABELED") for name in ("a.png", "a.jpg", "b.png")))
    mc.write(dataset, tmp_path / "out", "segments_image_sequence", on_loss="ignore")
    back = mc.read(tmp_path / "out").load()
    assert [(i.sequence, i.frame) for i in back.items] == [("a", 0), ("a.jpg", 0), ("b", 0)]
