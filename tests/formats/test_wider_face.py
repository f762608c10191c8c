"""Traps and bad input of WIDER FACE."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
ZEROS = "0 0 0 0 0 0 0 0 0 0"


def split(root: Path, text: str, subset: str = "train", labels: str | None = None) -> Path:
    (root / "wider_face_split").mkdir(exist_ok=True)
    (root / "wider_face_split" / f"wider_face_{subset}_bbx_gt.txt").write_bytes(text.encode())
    if labels is not None:
        (root / "labels.txt").write_text(labels)
    return root


def found(dataset: mc.Dataset) -> dict[str, list[tuple[Any, ...]]]:
    names = {c.id: c.name for c in dataset.schema}
    return {
        item.path: [(names[a.category_id], a.x0, a.y0, a.x1, a.y1) if isinstance(a, mc.Box) else names[a.category_id]
                    for a in item.annotations]
        for item in dataset.items
    }  # fmt: skip


def fails(path: Path, *words: str) -> mc.Dataset:
    """Check that a strict reader refuses with these words; returns what a lenient one makes of it."""
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path).load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, on_error="skip").load()
    assert len(lenient.report)
    return lenient


def test_official_order_of_columns(tmp_path: Path) -> None:
    data = mc.read(split(tmp_path, "0--P/a.jpg\n1\n111 425 122 127 0 1 0 0 0 1 \n"), on_loss="raise")
    (item,) = data.items
    box, tag = item.annotations
    assert box.attributes == {"blur": 0, "expression": 1, "illumination": 0, "invalid": 0, "occlusion": 0, "pose": 1}
    assert all(type(value) is int for value in box.attributes.values())
    assert tag.kind == "tag"
    forced = mc.read(tmp_path, dialect="datumaro").items[0].annotations[0]
    assert (forced.attributes["invalid"], forced.attributes["pose"]) == (1, 0)


@pytest.mark.parametrize(
    ("row", "label", "attributes"),
    [
        ("1.0 2.0 3.5 4.0 - - - False - - ", "face", {"occlusion": 0}),
        ("1 2 3 4 2.0 - - True True - car", "car", {"blur": 2, "occlusion": 1, "pose": 1}),
        ("1 2 3 4", "face", {}),
        ("1 2 3 4 label one", "label one", {}),
        ("1 2 3 4 dog", "dog", {}),
        ("1 2 3 4 0 0 1 2 1 0 label  one", "label  one",
         {"blur": 0, "expression": 0, "illumination": 1, "invalid": 0, "occlusion": 2, "pose": 1}),
        ("1.0 2.0 3.0 4.0 0 0 0 2 0 1", "face",
         {"blur": 0, "expression": 0, "illumination": 0, "invalid": 1, "occlusion": 2, "pose": 0}),
    ],
)  # fmt: skip
def test_datumaro_rows(tmp_path: Path, row: str, label: str, attributes: dict[str, int]) -> None:
    data = mc.read(split(tmp_path, f"a.jpg\n1\n{row}\n"))
    assert any(loss.field == "dialect" for loss in data.report)
    (item,) = data.items
    (box,) = item.annotations
    assert data.schema.by_id(box.category_id).name == label
    assert box.attributes == attributes
    assert (box.x0, box.y0) == (1, 2)
    assert box.occluded == (attributes.get("occlusion", 0) > 0)
    mc.write(data, tmp_path / "out", "wider_face", dialect="datumaro", on_loss="raise")
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_missing_counts_are_images_without_faces(tmp_path: Path) -> None:
    data = mc.read(split(tmp_path, "a.jpg\nb.jpg\n1\n1 2 3 4\nc.jpg"))
    assert {path: len(rows) for path, rows in found(data).items()} == {"a.jpg": 0, "b.jpg": 1, "c.jpg": 0}
    assert {loss.field: loss.count for loss in data.report} == {"count": 2, "dialect": 1}
    report = mc.write(data, tmp_path / "out", "wider_face")
    assert {loss.field for loss in report} == {f"attributes.{name}" for name in (
        "blur", "expression", "illumination", "invalid", "occlusion", "pose")}  # fmt: skip
    text = (tmp_path / "out/wider_face_split/wider_face_train_bbx_gt.txt").read_text()
    assert text == f"a.jpg\n0\n{ZEROS} \nb.jpg\n1\n1 2 3 4 0 0 0 0 0 0 \nc.jpg\n0\n{ZEROS} \n"


def test_same_name_in_two_events(tmp_path: Path) -> None:
    text = f"0--Parade/a.jpg\n0\n{ZEROS}\n1--Handshaking/a.jpg\n0\n{ZEROS}\n"
    assert [i.id for i in mc.read(split(tmp_path, text)).items] == ["0--Parade/a", "1--Handshaking/a"]


def test_only_lists_are_read(tmp_path: Path) -> None:
    split(tmp_path, f"a.jpg\n0\n{ZEROS}\n", "my_sub")
    (tmp_path / "wider_face_split" / "readme.txt").write_text("http://x.y/z.html\n")
    (tmp_path / "wider_face_split" / "wider_face_test_filelist.txt").write_text("0--P\\b.jpg\nc.jpg")
    data = mc.read(tmp_path, on_loss="raise")
    assert [(i.subset, i.path) for i in data.items] == [("my_sub", "a.jpg"), ("test", "0--P/b.jpg"), ("test", "c.jpg")]
    mc.write(data, tmp_path / "out", "wider_face", on_loss="raise")
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    assert [i.path for i in mc.read(tmp_path / "wider_face_split" / "wider_face_my_sub_bbx_gt.txt").items] == ["a.jpg"]


def test_count_zero_with_and_without_filler(tmp_path: Path) -> None:
    text = f"\ufeffa.jpg\r\n0\r\n{ZEROS}\r\nb.jpg\r\n0\r\nc.jpg\r\n1\r\n1 2 3 4 0 0 0 0 0 0"
    data = mc.read(split(tmp_path, text), on_loss="raise")
    assert found(data) == {"a.jpg": [], "b.jpg": [], "c.jpg": [("face", 1, 2, 4, 6)]}


def test_sizes_of_zero_are_kept(tmp_path: Path) -> None:
    data = mc.read(split(tmp_path, f"a.jpg\n1\n{ZEROS}\nb.jpg\n2\n5 5 0 4 0 0 0 0 0 0\n1 1 2 2 0 0 0 0 0 0\n"))
    assert found(data) == {"a.jpg": [("face", 0, 0, 0, 0)], "b.jpg": [("face", 5, 5, 5, 9), ("face", 1, 1, 3, 3)]}
    assert data.report.total == 2
    assert not len(mc.write(data, tmp_path / "out", "wider_face"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_label_table(tmp_path: Path) -> None:
    row = "1 2 3 4 0 0 0 0 0 0"
    split(tmp_path, f"0--Parade/a.jpg\n1\n{row}\n", labels="Parade\ncar\n")
    data = mc.read(tmp_path, on_loss="raise")
    assert [c.name for c in data.schema] == ["Parade", "car", "face"]
    assert found(data) == {"0--Parade/a.jpg": [("face", 1, 2, 4, 6), "Parade"]}
    assert found(mc.read(tmp_path, events=False)) == {"0--Parade/a.jpg": [("face", 1, 2, 4, 6)]}
    lenient = fails(split(tmp_path, f"0--Run/a.jpg\n1\n{row} bus\n"), "bus", "labels")
    assert [c.name for c in lenient.schema] == ["Parade", "car", "face", "bus"]
    assert found(lenient)["0--Run/a.jpg"] == [("bus", 1, 2, 4, 6)]


@pytest.mark.parametrize(
    ("text", "words", "kept"),
    [
        ("a.jpg\n1 2 3 4 0 0 0 0 0 0\nb.jpg\n0\n", ("line 1", "a.jpg", "without a count"), {"a.jpg": 1, "b.jpg": 0}),
        ("a.jpg\n3\n1 2 3 4 0 0 0 0 0 0\nb.jpg\n0\n", ("line 1", "announces 3", "found 1"), {"a.jpg": 1, "b.jpg": 0}),
        ("a.jpg\n0\n1 2 3 4 0 0 0 0 0 0\n", ("line 3", "more than"), {"a.jpg": 1}),
        ("a.jpg\n2\n1 2 3\n1 2 3 4 0 0 0 0 0 0\n", ("line 3", "got 3"), {"a.jpg": 1}),
        ("a.jpg\n1\n1 2 3 4 0 0 0\n", ("line 3", "got 7"), {"a.jpg": 0}),
        ("a.jpg\n1\n1 2 x 4 0 0 0 0 0 0\n", ("line 3", "w:", "'x'"), {"a.jpg": 0}),
        ("a.jpg\n1\n1 2 3 4 0 0 0 2 0 0\n", ("line 3", "invalid", "column 8"), {"a.jpg": 1}),
        ("../a.jpg\n0\nb.jpg\n0\n", ("line 1", "outside"), {"b.jpg": 0}),
        ("a.jpg\n0\na.jpg\n1\n1 2 3 4 0 0 0 0 0 0\n", ("line 3", "line 1"), {"a.jpg": 1}),
        ("5\na.jpg\n0\n", ("line 1", "without a path"), {"a.jpg": 0}),
    ],
)
def test_bad_input(tmp_path: Path, text: str, words: tuple[str, ...], kept: dict[str, int]) -> None:
    lenient = fails(split(tmp_path, text), "wider_face_train_bbx_gt.txt", *words)
    assert {path: len(rows) for path, rows in found(lenient).items()} == kept
    assert sum(loss.count for loss in lenient.report if loss.action == "unread") == 1


def dataset(*annotations: mc.Annotation, path: str = "a.jpg", names: tuple[str, ...] = ("face", "car")) -> mc.Dataset:
    schema = mc.LabelSchema([mc.Category(at, name) for at, name in enumerate(names)])
    return mc.Dataset(schema, [mc.Item("a", path, subset="train", annotations=list(annotations))])


def test_other_labels(tmp_path: Path) -> None:
    data = dataset(mc.Box(1, 2, 3, 4, category_id=1), mc.Box(0, 0, 1, 1, category_id=0))
    report = mc.write(data, tmp_path / "a", "wider_face")
    assert [loss.count for loss in report if (loss.action, loss.what, loss.field) == ("dropped", "box", "")] == [1]
    assert found(mc.read(tmp_path / "a")) == {"a.jpg": [("face", 0, 0, 1, 1)]}
    report = mc.write(data, tmp_path / "b", "wider_face", labels="face")
    assert ("renamed", "box", "category_id") in {(loss.action, loss.what, loss.field) for loss in report}
    assert len(found(mc.read(tmp_path / "b"))["a.jpg"]) == 2
    assert not len(mc.write(data, tmp_path / "c", "wider_face", dialect="datumaro"))
    assert found(mc.read(tmp_path / "c")) == {"a.jpg": [("car", 1, 2, 3, 4), ("face", 0, 0, 1, 1)]}
    for options in ({"dialect": "x"}, {"labels": "x"}):
        with pytest.raises(ValueError, match="'x'"):
            mc.write(data, tmp_path / "d", "wider_face", **options)


def test_attributes_are_numbers_of_the_tables(tmp_path: Path) -> None:
    attributes = {"blur": "2", "pose": True, "invalid": 5, "expression": 1.0}
    data = dataset(mc.Box(0.1, 0.25, 0.7, 3, category_id=0, occluded=True, attributes=attributes))
    report = mc.write(data, tmp_path / "a", "wider_face")
    told = {(loss.action, loss.field) for loss in report}
    assert {("approximated", f"attributes.{name}") for name in ("blur", "pose", "occlusion", "expression")} <= told
    assert ("dropped", "attributes.invalid") in told
    assert {("defaulted", "attributes.invalid"), ("defaulted", "attributes.illumination")} <= told
    (item,) = mc.read(tmp_path / "a").items
    (box,) = item.annotations
    assert box.attributes == {"blur": 2, "expression": 1, "illumination": 0, "invalid": 0, "occlusion": 1, "pose": 1}
    assert (box.x0, box.y0, box.x1, box.y1, box.occluded) == (0.1, 0.25, 0.7, 3, True)


@pytest.mark.parametrize(
    ("path", "tags", "written"),
    [
        ("a.jpg", (1,), "1--car/a.jpg"),
        ("7--car/a.jpg", (1,), "7--car/a.jpg"),
        ("0--face/a.jpg", (1,), "1--car/a.jpg"),
        ("x/a.jpg", (1,), "1--car/x/a.jpg"),
        ("1--car/a.jpg", (), "no_label/1--car/a.jpg"),
        ("9--tree/a.jpg", (), "9--tree/a.jpg"),
        ("no_label/a.jpg", (1,), "1--car/a.jpg"),
        ("5", (), "no_label/5"),
    ],
)
def test_events_are_folders(tmp_path: Path, path: str, tags: tuple[int, ...], written: str) -> None:
    data = dataset(*(mc.Tag(category_id=tag) for tag in tags), path=path)
    report = mc.write(data, tmp_path / "a", "wider_face")
    assert any(loss.field == "path" and loss.action == "renamed" for loss in report) == (path != written)
    (item,) = mc.read(tmp_path / "a").items
    assert item.path == written
    assert [a.category_id for a in item.annotations] == list(tags)


def test_labels_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"labels\.txt"):
        mc.write(dataset(names=("face", " x")), tmp_path / "a", "wider_face")
    report = mc.write(dataset(mc.Tag(category_id=1), names=("face", "x/y")), tmp_path / "b", "wider_face")
    assert [(loss.action, loss.what, loss.field) for loss in report] == [("dropped", "tag", "")]
