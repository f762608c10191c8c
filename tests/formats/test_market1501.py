"""Traps and bad input of Market-1501."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats._shared.images import write_png
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
PERSON: dict[str, Any] = {"query": False, "person_id": "0001", "camera_id": 0, "track_id": 1, "frame_id": 15}
PERSON["bbox_id"] = 0


def listed(root: Path, *rows: str, subset: str = "test") -> Path:
    root.mkdir(exist_ok=True)
    (root / f"images_{subset}.txt").write_text("".join(f"{row}\n" for row in rows))
    return root


def fails(path: Path, *words: str) -> mc.Dataset:
    """Check that a strict reader refuses with these words; returns what a lenient one makes of it."""
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "market1501").load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, "market1501", on_error="skip").load()
    assert len(lenient.report)
    return lenient


def paths(data: mc.Dataset) -> list[tuple[str, str]]:
    return [(item.subset, item.path) for item in data.items]


def told(report: mc.LossReport) -> set[tuple[str, str, str]]:
    return {(loss.action, loss.what, loss.field) for loss in report}


def people(*attributes: dict[str, Any], subset: str = "train", tag: bool = False) -> mc.Dataset:
    items = [mc.Item(f"x{k}", subset=subset, attributes={} if tag else own) for k, own in enumerate(attributes)]
    for item, own in zip(items, attributes, strict=True):
        item.annotations = [mc.Tag(category_id=0, attributes=own)] if tag else []
    return mc.Dataset(mc.LabelSchema([mc.Category(0, "market-1501")]), items)


def written(data: mc.Dataset, path: Path, **options: Any) -> tuple[list[tuple[str, str]], mc.LossReport]:
    report = mc.write(data, path, "market1501", **options)
    return paths(mc.read(path, "market1501")), report


def test_names(tmp_path: Path) -> None:
    rows = ("bounding_box_test/-1_c6s12_1051000_07.jpg", "query\\0000_c12s0_5_3.PNG",
            "bounding_box_test/a b/0002_c1s1_000401_03_a.jpg",
            "bounding_box_test/0001_c1s1_000401_03.jpg.jpg", "bounding_box_test/0001_c2_f0046182.jpg")  # fmt: skip
    data = mc.read(listed(tmp_path / "in", *rows))
    found = [i.attributes for i in data.items]
    assert tuple(found[0].values()) == (False, "-1", 5, 12, 1051000, 7)
    assert tuple(found[1].values()) == (True, "0000", 11, 0, 5, 3)
    assert [row.get("custom_name") for row in found] == [None, None, "_a", ".jpg", None]
    assert found[4] == {}
    assert told(data.report) == {("defaulted", "item", "attributes")}
    assert not len(mc.write(data, tmp_path / "out", "market1501"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    assert (tmp_path / "out/images_test.txt").read_text().splitlines() == [row.replace("\\", "/") for row in rows]


def test_lists_and_folders_are_united(tmp_path: Path) -> None:
    names = ("0001_c1s1_000001_00.jpg", "0001_c1s1_000002_00.jpg", "Thumbs.db")
    for folder in ("bounding_box_train", "gt_bbox"):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_bytes(write_png(np.zeros((2, 3), np.uint8)))
    listed(tmp_path, f"bounding_box_train/{names[1]}", f"query/{names[0]}", subset="mine")
    data = mc.read(tmp_path, "market1501")
    assert paths(data) == [
        ("mine", f"bounding_box_train/{names[1]}"), ("mine", f"query/{names[0]}"),
        ("train", f"bounding_box_train/{names[0]}"),
    ]  # fmt: skip
    assert [i.width for i in data.items] == [3, None, 3]
    assert [i.width for i in mc.read(tmp_path, "market1501", sizes=False).items] == [None] * 3


def test_detection_wants_content(tmp_path: Path) -> None:
    listed(tmp_path, "nothing at all", subset="raw")
    with pytest.raises(mc.UnknownFormatError):
        mc.detect(tmp_path)
    listed(tmp_path, "query/a.jpg", subset="raw")
    assert mc.detect(tmp_path) == "market1501"


@pytest.mark.parametrize(
    ("row", "words", "kept"),
    [
        ("x/0001_c1s1_000001_00.jpg", ("line 2", "bounding_box_"), 2),
        ("../query/0001_c1s1_000001_00.jpg", ("line 2", "outside"), 1),
        ("/query/0001_c1s1_000001_00.jpg", ("line 2", "absolute"), 1),
        ("query/0001_c0s1_000001_00.jpg", ("c0s1", "counted from 1"), 2),
        ("query/0009_c1s1_000001_00.jpg", ("line 2", "line 1"), 1),
    ],
)
def test_bad_lists(tmp_path: Path, row: str, words: tuple[str, ...], kept: int) -> None:
    lenient = fails(listed(tmp_path, "query/0009_c1s1_000001_00.jpg", row), *words)
    assert len(paths(lenient)) == kept
    assert "c0" not in row or lenient.items[1].attributes["camera_id"] == -1


def test_numbers_of_cvat(tmp_path: Path) -> None:
    own = {"query": "True", "person_id": 1.0, "camera_id": 1.0, "track_id": 1.0, "frame_id": 0.0, "bbox_id": 0.0}
    found, report = written(people(own, tag=True), tmp_path / "a")
    assert found == [("train", "query/1_c2s1_000000_00.jpg")]
    assert ("approximated", "item", "attributes.person_id") in told(report)
    found, _ = written(people({**PERSON, "person_id": 0}), tmp_path / "b")
    assert found == [("train", "bounding_box_train/0_c1s1_000015_00.jpg")]
    found, _ = written(people({**PERSON, "person_id": 7}), tmp_path / "c", pad=True)
    assert found == [("train", "bounding_box_train/0007_c1s1_000015_00.jpg")]


def test_frames_are_counted(tmp_path: Path) -> None:
    one, two = {"person_id": "0001"}, {"person_id": "0002"}
    rows: list[dict[str, Any]] = [one, one, two, PERSON, PERSON, one]
    data = people(*rows)
    found, report = written(data, tmp_path / "a")
    assert [path.partition("/")[2] for _, path in found] == [
        "0001_c1s1_000000_00.jpg", "0001_c1s1_000001_00.jpg", "0002_c1s1_000000_00.jpg", "0001_c1s1_000015_00.jpg",
        "0001_c1s1_000015_00_1.jpg", "0001_c1s1_000016_00.jpg",
    ]  # fmt: skip
    assert report == mc.plan(data, "market1501")
    assert ("defaulted", "item", "attributes.frame_id") in told(report)


def test_query_in_any_subset(tmp_path: Path) -> None:
    found, _ = written(people({**PERSON, "query": True}, {**PERSON}), tmp_path / "a")
    assert [path for _, path in found] == [
        f"{folder}/0001_c1s1_000015_00.jpg" for folder in ("query", "bounding_box_train")
    ]
    assert [i.attributes["query"] for i in mc.read(tmp_path / "a").items] == [True, False]
    found, _ = written(people({**PERSON, "query": True}, subset="query"), tmp_path / "b")
    assert (tmp_path / "b" / "images_query.txt").is_file()


def test_attributes_of_the_image_count(tmp_path: Path) -> None:
    data = people(PERSON)
    data.items[0].annotations = [mc.Tag(category_id=0, attributes={**PERSON, "frame_id": 99})]
    found, report = written(data, tmp_path / "a")
    assert found[0][1].endswith("0001_c1s1_000015_00.jpg")
    assert ("approximated", "tag", "attributes.frame_id") in told(report)
    back = mc.read(tmp_path / "a").load()
    back.items[0].attributes["frame_id"] = 16
    found, report = written(back, tmp_path / "b")
    assert found[0][1].endswith("0001_c1s1_000016_00.jpg")
    assert ("renamed", "item", "path") in told(report)


def test_values_that_a_name_cannot_say(tmp_path: Path) -> None:
    bad = {**PERSON, "camera_id": "a", "bbox_id": -1, "custom_name": "1/x", "weather": "sun"}
    found, report = written(people(bad), tmp_path / "a")
    assert found[0][1].endswith("0001_c1s1_000015_00.jpg")
    gone = {field for action, _, field in told(report) if action == "dropped"}
    assert gone >= {f"attributes.{name}" for name in ("camera_id", "bbox_id", "custom_name", "weather")}
    found, report = written(people({"frame_id": 5}), tmp_path / "b")
    assert found == [("train", "bounding_box_train/x0.jpg")]
    assert ("dropped", "item", "attributes.frame_id") in told(report)
    found, _ = written(people({**PERSON, "custom_name": "_left"}), tmp_path / "c")
    assert found[0][1].endswith("_00_left.jpg")
