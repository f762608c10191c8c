"""Segments.ai tracks and links in the data set: what readers find, what comes back, what is told of the rest."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

CATEGORIES = [
    {"id": 1, "name": "car", "attributes": [
        {"name": "doors", "input_type": "number", "is_track_level": True},
        {"name": "colour", "input_type": "text", "is_track_level": True},
        {"name": "speed", "input_type": "number"},
    ]},
    {"id": 2, "name": "trailer"},
]  # fmt: skip


def box(number: int, category: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "category_id": category, "type": "bbox", "points": [[number, 0], [number + 5, 5]], **more}


def clip(name: str, *frames: list[dict[str, Any]], links: Any = None, split: str | None = None) -> dict[str, Any]:
    label: dict[str, Any] = {"format_version": "0.2", "frames": [{"annotations": own} for own in frames]}
    if links is not None:
        label["links"] = links
    media = [{"image": {"url": f"https://x.example/{name}{at}.jpg"}, "name": f"{at}.jpg"} for at in range(len(frames))]
    sample = {"name": name, "attributes": {"frames": media},
              "labels": {"ground-truth": {"label_status": "LABELED", "attributes": label}}}  # fmt: skip
    return sample | ({"metadata": {"split": split}} if split else {})


def picture(name: str, *records: dict[str, Any], links: Any = None) -> dict[str, Any]:
    label: dict[str, Any] = {"annotations": list(records)} | ({} if links is None else {"links": links})
    return {"name": name, "attributes": {"image": {"url": f"https://x.example/{name}"}},
            "labels": {"ground-truth": {"label_status": "LABELED", "attributes": label}}}  # fmt: skip


def release(path: Path, *samples: Any, task: str = "image-vector-sequence") -> Path:
    path.mkdir()
    about = {"name": "d", "owner": "o", "description": "", "task_type": task,
             "task_attributes": {"format_version": "0.1", "categories": copy.deepcopy(CATEGORIES)},
             "labelsets": [{"name": "ground-truth", "description": ""}], "samples": list(samples)}  # fmt: skip
    (path / "d-v1.json").write_text(json.dumps({"name": "v1", "dataset": about}))
    return path


def content(path: Path) -> Any:
    (file,) = path.glob("*.json")
    return json.loads(file.read_text())


TOW = {"from_id": 4, "to_id": 5, "attributes": {"kind": "tows"}, "note": [1]}
TWO = (
    clip(
        "a",
        [box(4, attributes={"doors": 4, "colour": "red", "speed": 1}), box(5, 2)],
        [box(1, track_id=4, attributes={"doors": 4, "colour": "blue", "speed": 1})],
        links=[TOW, {"from_id": 5, "to_id": 4}, {"from_id": 5, "to_id": 4, "attributes": {}}],
    ),
    clip("b", [box(4, attributes={"doors": 2}), box(9, 2)], links=[{"from_id": 9, "to_id": 4}], split="val"),
    clip("c", [box(7)], links=[]),
)


def test_tracks_and_links_of_sequences(tmp_path: Path) -> None:
    source = release(tmp_path / "in", *TWO)
    dataset = mc.read(source)
    again = ("val", "b", 1, 4)  # a number alone is the first track that has it
    assert dataset.tracks == {
        4: mc.Track(4, 1, {"doors": 4}), 5: mc.Track(5, 2), again: mc.Track(4, 1, {"doors": 2}), 9: mc.Track(9, 2),
        7: mc.Track(7, 1),
    }  # fmt: skip
    assert dataset.links == [
        mc.Link(4, 5, {"kind": "tows"}, {"segments": {"note": [1]}}),
        mc.Link(5, 4),
        mc.Link(5, 4, {}, {"segments": {"attributes": {}}}),
        mc.Link(9, again),
    ]
    for name in ("segments_image_sequence", "segments"):
        report = mc.write(dataset, tmp_path / name, name)
        assert not len(report), str(report)
        assert content(tmp_path / name) == content(source)
    moved = mc.write(dataset, tmp_path / "several", "segments_multisensor", on_loss="ignore")
    back = mc.read(tmp_path / "several")
    assert (back.links, back.tracks) == (dataset.links, dataset.tracks)
    assert not [loss for loss in moved if "link" in (loss.what, loss.field) or loss.what == "track"]


def test_links_of_pictures(tmp_path: Path) -> None:
    links = [TOW, {"from_id": 30, "to_id": 5, "attributes": None}, {"from_id": 4, "to_id": 3}]
    one = picture("a.jpg", box(3, track_id=30), box(4), box(5), links=links)
    two = picture("b.jpg", box(4), box(5, track_id="x"), links=[TOW])
    source = release(tmp_path / "in", one, two, picture("c.jpg", box(4), links=[]), picture("d.jpg"), task="vector")
    dataset = mc.read(source)
    assert not dataset.tracks
    ends = [("a", 4, 5), ("a", 3, 5), ("a", 4, 3), ("b", 4, 5)]
    wanted = [(("default", item, a), ("default", item, b)) for item, a, b in ends]
    assert [(link.source, link.target) for link in dataset.links] == wanted
    assert [link.attributes for link in dataset.links] == [{"kind": "tows"}, {}, {}, {"kind": "tows"}]
    report = mc.write(dataset, tmp_path / "out", "segments_image_vector")
    assert not len(report), str(report)
    assert content(tmp_path / "out") == content(source)
    lone = tmp_path / "lone"
    lone.mkdir()
    (lone / "a.json").write_text(json.dumps(one["labels"]["ground-truth"]["attributes"]))
    assert mc.read(lone).links == dataset.links[:3]


@pytest.mark.parametrize("to", ["coco_instances", "cvat_video", "hasty_json"])
def test_what_has_no_links_reports_them(tmp_path: Path, to: str) -> None:
    dataset = mc.read(release(tmp_path / "in", *TWO))
    losses = {(x.what, x.field): (x.action, x.count) for x in mc.plan(dataset, to)}
    assert losses["dataset", "links"] == ("dropped", 4)
    assert not [what for what, _ in losses if what == "track"], "the shapes say the same, and it goes with them"
    dataset.tracks[4].attributes["only"] = 1
    losses = {(x.what, x.field): (x.action, x.count) for x in mc.plan(dataset, to)}
    assert losses["track", "attributes.only"] == ("dropped", 1)


def made(*links: mc.Link, tracks: dict[Any, mc.Track] | None = None) -> mc.Dataset:
    """Two clips of two frames; track "t" in both, "u" in the first."""
    doors = mc.AttributeSpec("doors", "int", mutable=False)
    schema = mc.LabelSchema([mc.Category(1, "car", attributes=[doors])])
    items = [
        mc.Item(f"{c}/{at}", f"{c}/{at}.jpg", sequence=c, frame=at, status="LABELED", annotations=[
            mc.Box(0, 0, 5, 5, category_id=1, id=n, track_id=t, keyframe=True)
            for n, t in ((1, "t"), (2, "u")) if c == "a" or t == "t"
        ])
        for c in "ab" for at in range(2)
    ]  # fmt: skip
    return mc.Dataset(schema, items, tracks or {}, list(links))


def told(report: mc.LossReport) -> list[tuple[str, str, str, int]]:
    return [(x.action, x.what, x.field, x.count) for x in report if x.what in ("link", "track", "dataset", "box")]


def test_tracks_of_another_source(tmp_path: Path) -> None:
    tracks = {
        "t": mc.Track("t", 1, {"doors": 4, "age": 1}, {"other": {"k": 1}}),
        ("default", "b", 1, "t"): mc.Track("t", 1, {"doors": 2}),
        "gone": mc.Track("gone", 1),
    }
    links = [mc.Link("u", "t", {"a": 1}, {"other": {"k": 1}}), mc.Link("u", ("default", "b", 1, "t")),
             mc.Link("t", "gone"), mc.Link(("default", "a/0", 1), ("default", "a/0", 2)),
             mc.Link(("default", "a/0"), ("default", "a/1"))]  # fmt: skip
    dataset = made(*links, tracks=tracks)
    report = mc.write(dataset, tmp_path / "out", "segments_image_sequence", on_loss="ignore")
    assert report == mc.plan(dataset, "segments_image_sequence")
    assert [x for x in told(report) if x[0] != "renamed"] == [
        ("dropped", "track", "extras.other.k", 1),
        ("dropped", "dataset", "links", 2),  # between annotations, between items
        ("dropped", "link", "extras.other.k", 1),
        ("defaulted", "box", "attributes.doors", 4),
        ("dropped", "track", "attributes.age", 1),
        ("dropped", "track", "", 1),
        ("dropped", "link", "", 1),  # of two sequences
        ("dropped", "link", "", 1),  # to a track without shapes
    ]
    back = mc.read(tmp_path / "out")
    boxes = [a for item in back.items for a in item.annotations]
    first, second = (n for n, track in back.tracks.items() if not isinstance(n, tuple))
    assert [a.attributes for a in boxes if a.track_id == first] == [{"doors": 4}] * 2 + [{"doors": 2}] * 2
    assert back.links == [mc.Link(second, first, {"a": 1})]
    assert back.tracks[first].attributes == {"doors": 4}
    assert back.tracks["default", "b", 1, first].attributes == {"doors": 2}


def test_links_out_of_order_are_told(tmp_path: Path) -> None:
    tracks = {"t": mc.Track("t", 1), ("default", "b", 1, "t"): mc.Track("t", 1)}
    later = ("default", "b", 1, "t")
    report = mc.plan(made(mc.Link(later, later), mc.Link("t", "u"), tracks=tracks), "segments_image_sequence")
    assert ("approximated", "dataset", "links", 1) in told(report)


def test_links_of_annotations_that_are_renumbered_or_gone() -> None:
    twice = [mc.Box(0, 0, 5, 5, category_id=1, id=n) for n in ("x", 2)]
    item = mc.Item("a", "a.jpg", status="LABELED", annotations=[*twice, mc.Box(0, 0, 5, 5, id=3)])
    ends = [("default", "a", n) for n in ("x", 2, 3)]
    links = [mc.Link(ends[0], ends[1]), mc.Link(ends[1], ends[2]), mc.Link(("default", "b", 1), ("default", "b", 2))]
    report = mc.plan(mc.Dataset(mc.LabelSchema([mc.Category(1, "car")]), [item], links=links), "segments_image_vector")
    assert [x for x in told(report) if x[1] in ("link", "dataset")] == [
        ("renamed", "dataset", "links", 1), ("dropped", "link", "", 2),
    ]  # fmt: skip


def test_links_to_what_is_missing_are_skipped_alone(tmp_path: Path) -> None:
    bad = clip("a", [box(4), box(5)], links=[TOW, {"from_id": 4, "to_id": 99}, 3])
    source = release(tmp_path / "in", bad)
    with pytest.raises(mc.FormatError) as caught:
        mc.read(source)
    assert caught.value.field == "links" and "99" in str(caught.value)
    dataset = mc.read(source, on_error="skip").load()
    assert [(k.source, k.target) for k in dataset.links] == [(4, 5)] and len(dataset.items[0].annotations) == 2
    assert [(x.action, x.what, x.field, x.count) for x in dataset.report] == [("unread", "item", "links", 1)] * 2


def test_tracks_whose_bitmaps_are_not_at_hand_survive(tmp_path: Path) -> None:
    record = {"id": 1, "category_id": 1, "track_id": 4, "attributes": {"doors": 4}}
    sample = clip("a", [record, {"id": 2, "category_id": 2}], links=[{"from_id": 4, "to_id": 2}])
    frame = sample["labels"]["ground-truth"]["attributes"]["frames"][0]
    frame["segmentation_bitmap"] = {"url": "https://x.example/none.png"}
    source = release(tmp_path / "in", sample, task="image-segmentation-sequence")
    dataset = mc.read(source)
    assert dataset.tracks == {4: mc.Track(4, 1, {"doors": 4}), 2: mc.Track(2, 2)} and len(dataset.links) == 1
    report = mc.write(dataset, tmp_path / "out", "segments_image_sequence", on_loss="ignore")
    assert not [loss for loss in report if loss.what in ("track", "link")], str(report)
    assert content(tmp_path / "out")["dataset"]["samples"] == content(source)["dataset"]["samples"]
