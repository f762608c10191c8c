"""Traps and bad input of VGGFace2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats._shared.images import write_png
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
BOX = "NAME_ID,X,Y,W,H\n"
MARKS = "NAME_ID,P1X,P1Y,P2X,P2Y,P3X,P3Y,P4X,P4Y,P5X,P5Y\n"
FIVE = [[75.81253, 110.2077], [103.1778, 104.6074], [1, 2], [0.1, -3], [5, 6]]


def lists(root: Path, boxes: str | None = None, marks: str | None = None, labels: str | None = None,
          subset: str = "train") -> Path:  # fmt: skip
    (root / "bb_landmark").mkdir(parents=True, exist_ok=True)
    for name, text in (("bb", boxes), ("landmark", marks)):
        if text is not None:
            (root / "bb_landmark" / f"loose_{name}_{subset}.csv").write_bytes(text.encode())
    if labels is not None:
        (root / "labels.txt").write_text(labels)
    return root


def found(dataset: mc.Dataset) -> dict[str, list[tuple[Any, ...]]]:
    names = {c.id: c.name for c in dataset.schema}
    return {item.id: [(a.kind, names.get(a.category_id)) for a in item.annotations] for item in dataset.items}


def fails(path: Path, *words: str) -> mc.Dataset:
    """Check that a strict reader refuses with these words; returns what a lenient one makes of it."""
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path).load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, on_error="skip").load()
    assert len(lenient.report)
    return lenient


def dataset(*annotations: mc.Annotation, key: str = "1", names: tuple[str, ...] = ("a", "b"),
            subset: str = "train") -> mc.Dataset:  # fmt: skip
    schema = mc.LabelSchema([mc.Category(at, name) for at, name in enumerate(names)])
    return mc.Dataset(schema, [mc.Item(key, subset=subset, annotations=list(annotations))])


def told(report: mc.LossReport) -> list[tuple[str, str, str]]:
    return [(loss.action, loss.what, loss.field) for loss in report]


def test_rows(tmp_path: Path) -> None:
    boxes = f'\ufeff{BOX}"n1/1",-3,2,4.5,5\r\n"a b/x, y/1",0,0,0,1\r\n'
    marks = f"{MARKS}n1/1,75.81253,110.2077,103.1778,104.6074,1,2,0.1,-3,5,6\nn2/3,,,,,,,,,,\n"
    data = mc.read(lists(tmp_path, boxes, marks), on_loss="raise")
    assert found(data) == {
        "a b/x, y/1": [("box", "a b")], "n1/1": [("box", "n1"), ("points", "n1")], "n2/3": [("tag", "n2")]
    }  # fmt: skip
    box, points = next(i for i in data.items if i.id == "n1/1").annotations
    assert (box.x0, box.y0, box.x1, box.y1) == (-3, 2, 1.5, 7)
    assert points.xy.tolist() == FIVE
    mc.write(data, tmp_path / "out", "vgg_face2", on_loss="raise")
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    assert (tmp_path / "out/bb_landmark/loose_bb_train.csv").read_text() == (
        f'{BOX}"a b/x, y/1",0,0,0,1\nn1/1,-3,2,4.5,5\n'
    )


def test_order_is_that_of_the_complete_list(tmp_path: Path) -> None:
    data = mc.read(lists(tmp_path, f"{BOX}z/1,1,1,1,1\na/1,1,1,1,1\n", f"{MARKS}a/1,{'1,' * 9}1\n"))
    assert [i.id for i in data.items] == ["z/1", "a/1"]
    assert not len(mc.write(data, tmp_path / "out", "vgg_face2"))
    assert [i.id for i in mc.read(tmp_path / "out").items] == ["z/1", "a/1"]
    data.load().items.reverse()
    data.items[0].annotations = data.items[0].annotations[1:]
    data.items.insert(0, mc.Item("z/2", subset="train", annotations=[mc.Box(0, 0, 1, 1, category_id=0)]))
    assert ("approximated", "dataset", "items") in told(mc.write(data, tmp_path / "out2", "vgg_face2"))
    assert [i.id for i in mc.read(tmp_path / "out2").items] == ["a/1", "z/1", "z/2"]


def test_subset_with_underscore_and_one_file(tmp_path: Path) -> None:
    lists(tmp_path, f"{BOX}n1/1,1,1,1,1\n", f"{MARKS}n1/2,,,,,,,,,,\n", subset="my_sub")
    lists(tmp_path, f"{BOX}n1/1,1,1,1,1\n", subset="other")
    assert [(i.subset, i.id) for i in mc.read(tmp_path).items] == [
        ("my_sub", "n1/1"), ("my_sub", "n1/2"), ("other", "n1/1")
    ]  # fmt: skip
    alone = mc.read(tmp_path / "bb_landmark" / "loose_bb_my_sub.csv")
    assert [(i.subset, i.id) for i in alone.items] == [("my_sub", "n1/1")]


def test_labels(tmp_path: Path) -> None:
    rows = f"{BOX}b c/1,1,1,1,1\nn9/1,1,1,1,1\nno_label/2,1,1,1,1\nplain,1,1,1,1\n"
    out, tmp_path = tmp_path / "out", lists(tmp_path / "in", rows, labels="x y z\n\nb c big cat\n")
    data = mc.read(tmp_path)
    assert [(c.name, c.parent) for c in data.schema] == [("x", "y z"), ("b c", "big cat"), ("n9", None)]
    assert [(loss.action, loss.what) for loss in data.report] == [("defaulted", "category")]
    assert found(data) == {
        "b c/1": [("box", "b c")], "n9/1": [("box", "n9")], "no_label/2": [("box", None)], "plain": [("box", None)]
    }  # fmt: skip
    mc.write(data, out, "vgg_face2", on_loss="raise")
    assert [c.name for c in mc.read(out).schema] == ["x", "b c", "n9"]
    assert not (out / "dataset_meta.json").exists()
    assert_datasets_equal(data, mc.read(out))
    (tmp_path / "labels.txt").unlink()
    assert [c.name for c in mc.read(tmp_path).schema] == ["b c", "n9"]
    image = tmp_path / "train" / "n9" / "1.png"
    image.parent.mkdir(parents=True)
    image.write_bytes(write_png(np.zeros((2, 3), np.uint8)))
    seen = mc.read(tmp_path)
    assert [c.name for c in seen.schema] == ["n9", "b c"]
    assert [(i.path, i.width) for i in seen.items][1] == ("n9/1.png", 3)
    image.with_name("2.png").write_bytes(image.read_bytes())
    assert ("unread", "file", "") in told(mc.read(tmp_path).report)


def test_unused_labels_with_blanks(tmp_path: Path) -> None:
    data = dataset(names=("a b", "c"))
    data.schema.categories[0].parent = "p q"
    mc.write(data, tmp_path / "out", "vgg_face2")
    back = mc.read(tmp_path / "out")
    assert [(c.name, c.parent) for c in back.schema] == [("a b", "p q"), ("c", None)]


@pytest.mark.parametrize(
    ("row", "words", "kept"),
    [
        ("n1/2,1,,3,4", ("line 3", "Y"), {"n1/1": 1, "n1/2": 0}),
        ("n1/2,1,x,3,4", ("line 3", "Y", "'x'"), {"n1/1": 1}),
        ("n1/2,1,2,-3,4", ("line 3", "W", "-3"), {"n1/1": 1, "n1/2": 0}),
        ("n1/1,1,2,3,4", ("line 3", "line 2", "n1/1"), {"n1/1": 1}),
        ("n1/2,1,2,3", ("line 3", "expected 5 fields"), {"n1/1": 1}),
        ("n1/2,nan,2,3,4", ("line 3", "X"), {"n1/1": 1}),
    ],
)
def test_bad_rows(tmp_path: Path, row: str, words: tuple[str, ...], kept: dict[str, int]) -> None:
    lenient = fails(lists(tmp_path, f"{BOX}n1/1,1,1,1,1\n{row}\n"), "loose_bb_train.csv", *words)
    assert {name: len(rows) for name, rows in found(lenient).items()} == kept
    assert lenient.report.total == 1


def test_rows_of_landmarks_of_one_image(tmp_path: Path) -> None:
    row, empty = f"n1/1,{'1,' * 9}2\n", "n1/1,,,,,,,,,,\n"
    for marks in (row + empty, empty + row):
        data = mc.read(lists(tmp_path, marks=MARKS + marks), on_loss="raise")
        assert found(data) == {"n1/1": [("points", "n1")]}
    assert found(fails(lists(tmp_path, marks=MARKS + row + row), "line 3", "line 2")) == {"n1/1": [("points", "n1")]}


def test_headers(tmp_path: Path) -> None:
    renamed = fails(lists(tmp_path, "NAME_ID,left,top,width,height\nn1/1,1,2,3,4\n"), "NAME_ID, X, Y, W, H", "left")
    assert found(renamed) == {"n1/1": [("box", "n1")]}
    missing = fails(lists(tmp_path, "n1/1,1,2,3,4\nn1/2,1,2,3,4\n"), "line 1")
    assert list(found(missing)) == ["n1/1", "n1/2"]
    swapped = mc.read(lists(tmp_path, "H,W,Y,X,NAME_ID\n4,3,2,1,n1/1\n"), on_loss="raise")
    (item,) = swapped.items
    assert (item.annotations[0].x0, item.annotations[0].y1) == (1, 6)
    for on_error in ("raise", "skip"):
        with pytest.raises(mc.FormatError, match="H"):
            mc.read(lists(tmp_path, "NAME_ID,X,Y,W\nn1/1,1,2,3\n"), on_error=on_error)


def test_ending_in_the_name(tmp_path: Path) -> None:
    data = mc.read(lists(tmp_path, f"{BOX}n1/1.jpg,1,1,1,1\n"))
    assert list(found(data)) == ["n1/1"]
    assert told(data.report) == [("approximated", "item", "id")]


def test_one_annotation_of_a_kind_and_one_label(tmp_path: Path) -> None:
    data = dataset(
        mc.Box(0, 0, 1, 1, category_id=0), mc.Box(0, 0, 2, 2, category_id=0), mc.Points(FIVE, category_id=1),
        mc.Points([[1, 1]], category_id=0), mc.Skeleton(FIVE, [2, 2, 1, 2, 2], category_id=0), mc.Tag(category_id=0),
        mc.Caption("x"),
    )  # fmt: skip
    report = mc.write(data, tmp_path / "out", "vgg_face2")
    assert found(mc.read(tmp_path / "out")) == {"a/1": [("box", "a"), ("points", "a")]}
    rows = told(report)
    assert ("dropped", "box", "") in rows  # the second
    assert sum(loss.count for loss in report if loss.what == "points" and loss.action == "dropped") == 3
    assert ("dropped", "points", "visibility") in rows
    assert ("dropped", "tag", "") in rows
    assert ("renamed", "item", "id") in rows


@pytest.mark.parametrize(
    ("key", "label", "written"),
    [("a/1", 0, "a/1"), ("no_label/1", 0, "a/1"), ("b/1", 0, "a/b/1"), ("1", 0, "a/1"), ("1", None, "1"),
     ("x/1", None, "no_label/x/1"), ("no_label/1", None, "no_label/1")],
)  # fmt: skip
def test_names(tmp_path: Path, key: str, label: int | None, written: str) -> None:
    report = mc.write(dataset(mc.Box(0, 0, 1, 1, category_id=label), key=key), tmp_path / "out", "vgg_face2")
    assert bool(len(report)) == (written != key)
    back = mc.read(tmp_path / "out")
    assert found(back) == {written: [("box", None if label is None else "a")]}
    report = mc.write(back, tmp_path / "again", "vgg_face2")
    assert not len(report)


def test_images_without_annotations(tmp_path: Path) -> None:
    mc.write(dataset(key="x/1"), tmp_path / "out", "vgg_face2")
    text = (tmp_path / "out/bb_landmark/loose_landmark_train.csv").read_text()
    assert text == f"{MARKS}no_label/x/1,,,,,,,,,,\n"
    assert not (tmp_path / "out/bb_landmark/loose_bb_train.csv").exists()
    assert found(mc.read(tmp_path / "out")) == {"no_label/x/1": []}


def test_labels_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"labels\.txt"):
        mc.write(dataset(names=("x\ny",)), tmp_path / "a", "vgg_face2")
    report = mc.write(dataset(mc.Box(0, 0, 1, 1, category_id=0), names=("x/y",)), tmp_path / "b", "vgg_face2")
    assert ("dropped", "box", "") in told(report)
