"""PASCAL VOC on the samples of its specification."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
ACTIONS = {"other", "phoning", "reading", "ridinghorse", "takingphoto", "walking"}


@pytest.fixture
def voc(samples: Path) -> Path:
    return samples / "pascal-voc"


def sides(box: mc.Box) -> tuple[float, float, float, float]:
    return box.x0, box.y0, box.x1, box.y1


def test_datumaro_dataset(voc: Path, tmp_path: Path) -> None:
    assert mc.detect(voc / "datumaro_voc_dataset1") == "voc"
    data = mc.read(voc / "datumaro_voc_dataset1")
    names = {c.id: c.name for c in data.schema}
    assert list(names.values())[:2] == ["background", "aeroplane"]
    assert [(c.name, c.parent) for c in data.schema][22:] == [(name, "person") for name in ("head", "hand", "foot")]
    test, train = data.items
    assert (test.key, test.annotations) == (("test", "2007_000002"), [])
    assert (train.key, train.path, train.width, train.height) == (("train", "2007_000001"), "2007_000001.jpg", 20, 10)
    cat, person, head, mask, *tags = train.annotations
    assert (names[cat.category_id], sides(cat), cat.truncated, cat.extras["voc"]["pose"]) == (
        "cat", (1, 2, 3, 4), True, "Unspecified",
    )  # fmt: skip
    assert (names[person.category_id], sides(person)) == ("person", (4, 5, 6, 7))
    assert {name for name, value in person.attributes.items() if value} == ACTIONS
    assert len(person.attributes) == 11
    assert (names[head.category_id], sides(head), head.parent_id) == ("head", (5.5, 6, 7.5, 8), 2)
    assert (names[mask.category_id], mask.id, mask.rle.area) == ("bicycle", 1, 200)
    assert sorted(names[tag.category_id] for tag in tags) == [
        "aeroplane", "bird", "bottle", "car", "chair", "diningtable", "horse", "ignored", "person", "sheep", "train",
    ]  # fmt: skip
    assert [(loss.action, loss.field) for loss in data.report] == [("defaulted", "coordinates")]
    report = mc.write(data, tmp_path / "out", "voc")
    assert not len(report), report
    back = mc.read(tmp_path / "out")
    assert_datasets_equal(data, back)
    for name in ("Main/train_train", "Main/cat_train", "Main/train", "Layout/train", "Action/test"):
        path = f"ImageSets/{name}.txt"
        assert (tmp_path / "out" / path).read_text() == (voc / "datumaro_voc_dataset1" / path).read_text()


def test_layout_of_voc2012(voc: Path, tmp_path: Path) -> None:
    data = mc.read(voc / "voc2012-layout")
    (item,) = data.items
    person, *parts, tag = item.annotations
    names = {c.id: c.name for c in data.schema}
    assert (item.width, item.height) == (486, 500)
    assert sides(person) == (173, 100, 349, 351)
    assert (person.x1 - person.x0, person.y1 - person.y0) == (176, 251)
    assert [(names[p.category_id], sides(p), p.parent_id) for p in parts] == [
        ("head", (168, 103, 209, 146), 1), ("hand", (277, 209, 297, 233), 1), ("foot", (272, 332, 297, 354), 1),
        ("foot", (318, 306, 340, 326), 1),
    ]  # fmt: skip
    assert names[tag.category_id] == "person"
    (plain,) = mc.read(voc / "voc2012-layout", coordinates="continuous").items
    assert sides(plain.annotations[0]) == (174, 101, 349, 351)
    # Written in the same convention the file says the same again.
    assert not len(mc.write(data, tmp_path / "out", "voc", coordinates="voc"))
    assert_datasets_equal(data, mc.read(tmp_path / "out", coordinates="voc"))
    assert (tmp_path / "out/ImageSets/Layout/train.txt").read_text() == "2007_000027  1\n"
    text = (tmp_path / "out/Annotations/2007_000027.xml").read_text()
    assert "<xmin>174</xmin>" in text and "<database>The VOC2007 Database</database>" in text


def test_cvat_export(voc: Path, tmp_path: Path) -> None:
    data = mc.read(voc / "cvat-export")
    assert [(c.name, c.color) for c in data.schema] == [
        ("background", (0, 0, 0)), ("zeb", (128, 0, 0)), ("car", (0, 128, 0)),
    ]  # fmt: skip
    first, second = data.items
    assert (first.id, first.path, second.id, second.path) == ("img1", "img1.png", "sub/img 2", "sub/img 2.png")
    box, tag = first.annotations
    assert (sides(box), box.truncated, box.rotation, tag.category_id) == ((1.5, 1, 4.5, 3.25), True, 30.0, 1)
    assert not len(mc.write(data, tmp_path / "out", "voc"))
    for path in sorted((voc / "cvat-export/ImageSets").rglob("*.txt")):
        inner = path.relative_to(voc / "cvat-export")
        assert (tmp_path / "out" / inner).read_text() == path.read_text(), inner
