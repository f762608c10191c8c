"""Traps and bad input of the family of Ultralytics."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.formats.yolo.yamlfile import parse_yaml, yaml_text
from maskcodec.testing import assert_datasets_equal
from tests.formats.test_yolo import image

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
YAML = "path: .\ntrain: images/train\nnames: [cat, dog]\n"
BOX = "0 0.5 0.5 0.2 0.4"


def folder(root: Path, rows: str | None = BOX, yaml: str = YAML, *, media: bool = True) -> Path:
    files = {"data.yaml": yaml.encode()}
    if rows is not None:
        files["labels/train/a.b.txt"] = rows.encode()
    if media:
        files["images/train/a.b.jpg"] = image()
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def only(path: Path, format: str | None = None, **options: object) -> mc.Item:
    (item,) = mc.read(path, format, **options).items
    return item


@pytest.mark.parametrize(
    ("task", "row", "word"),
    [
        ("detect", "0 0.5 0.5 0.2", "4 columns"), ("detect", "2 0.5 0.5 0.2 0.2", "class 2"),
        ("detect", "0 0.5 0.5 0.2 nan", "'nan'"), ("detect", "0 0.5 0.5 -0.005 0.2", "positive"),
        ("segment", "0 0.1 0.1 0.2 0.2", "at least 3 points"), ("obb", "0 0 0 1 0 1 1 0", "four corners"),
        ("pose", "0 0.5 0.5 0.2 0.2 0.1 0.1 2", "points"), ("pose", "0 0.5 0.5 0.2 0.2 0.1 0.1 3 0 0 0", "visibility"),
    ],
)  # fmt: skip
def test_bad_row(tmp_path: Path, task: str, row: str, word: str) -> None:
    good = {"detect": BOX, "segment": "0 0 0 1 0 1 1", "obb": "0 0 0 1 0 1 1 0 1", "pose": f"{BOX} 0 0 0 0.5 0.5 1"}
    yaml = YAML + ("kpt_shape: [2, 3]\n" if task == "pose" else "")
    path = folder(tmp_path, f"{good[task]}\n{row}\n", yaml)
    with pytest.raises(mc.FormatError) as caught:
        only(path, f"ultralytics_{task}")
    assert (caught.value.file, caught.value.record) == ("labels/train/a.b.txt", "line 2")
    assert word in str(caught.value)
    assert len(only(path, f"ultralytics_{task}", on_error="skip").annotations) == 1


@pytest.mark.parametrize(
    ("rows", "task"),
    [
        (BOX, "detect"), (f"{BOX} 7", "detect"), ("", "detect"), ("0 0 0 1 0 1 1", "segment"),
        ("0 0 0 1 0 1 1 0 1", "segment"), ("0 0 0 1 0 1 1 0 1 3", "segment"), ("0 0 0 1 0 1 1 4", "segment"),
    ],
)  # fmt: skip
def test_task_is_told_by_the_columns(tmp_path: Path, rows: str, task: str) -> None:
    assert mc.detect(folder(tmp_path, rows)) == f"ultralytics_{task}"


def test_mixed_rows_ask_for_the_task(tmp_path: Path) -> None:
    path = folder(tmp_path, f"{BOX}\n0 0 0 1 0 1 1\n")
    with pytest.raises(mc.UnknownFormatError, match="name the task"):
        mc.read(path)


def test_tracks_and_confidences(tmp_path: Path) -> None:
    first, second, third = only(folder(tmp_path, f"{BOX} 7\n{BOX} 0.25\n1.0 0.5 0.5 0.2 0.4 1.0\n")).annotations
    assert (first.track_id, first.score, second.track_id, second.score) == (7, None, None, 0.25)
    assert (third.category_id, third.track_id, third.score) == (1, None, 1.0)
    assert only(folder(tmp_path / "s", "0 0 0 1 0 1 1 4")).annotations[0].track_id == 4
    assert only(folder(tmp_path / "o", "0 0 0 1 0 1 1 0 1 3"), "ultralytics_obb").annotations[0].track_id == 3
    yaml = YAML + "kpt_shape: [1, 2]\n"
    assert only(folder(tmp_path / "p", f"{BOX} 0.5 0.5 9", yaml)).annotations[0].track_id == 9


def test_tracks_are_written_when_asked(tmp_path: Path) -> None:
    data = mc.read(folder(tmp_path / "in", f"{BOX} 7\n")).load()
    report = mc.write(data, tmp_path / "plain", "ultralytics_detect", on_loss="ignore")
    assert [(loss.action, loss.field) for loss in report] == [("dropped", "track_id")]
    assert not len(mc.write(data, tmp_path / "tracks", "ultralytics_detect", tracks=True))
    assert only(tmp_path / "tracks").annotations[0].track_id == 7


def test_last_images_folder_counts(tmp_path: Path) -> None:
    path = folder(tmp_path, None, "train: images/x/images/train\nnames: {0: cat}\n", media=False)
    for name, data in (("images/x/images/train/a.jpg", image()), ("images/x/labels/train/a.txt", BOX.encode())):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    assert len(only(path).annotations) == 1


def test_roboflow_order_and_a_way_out_that_leads_nowhere(tmp_path: Path) -> None:
    for name, data in (
        ("data.yaml", b"train: ../train/images\nval: ../valid/images\nnc: 1\nnames: ['cat']\n"
                      b"roboflow:\n  license: x\n"),
        ("train/images/a.jpg", image()), ("train/labels/a.txt", BOX.encode()), ("valid/images/b.jpg", image()),
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    data = mc.read(tmp_path)
    assert [(i.subset, i.id, i.path, len(i.annotations)) for i in data.items] == [
        ("train", "a", "a.jpg", 1), ("val", "b", "b.jpg", 0),
    ]  # fmt: skip
    assert data.extras["yolo"]["keys"] == {"roboflow": "roboflow:\n  license: x\n"}
    mc.write(data, tmp_path / "out", "ultralytics_detect")
    assert "roboflow:\n  license: x\n" in (tmp_path / "out/data.yaml").read_text()


@pytest.mark.parametrize(
    ("yaml", "word"),
    [
        ("train: ../../etc\nnames: [a]\n", "not inside"), ("train: /etc\nnames: [a]\n", "not inside"),
        ("train: images/train\nnames: cat\n", "names"), ("train: images/train\nnames: {x: cat}\n", "names"),
        ("train: images/train\n", "names"), ("train: no.txt\nnames: [a]\n", "no.txt"),
        ("train: images/train\nnames: [a]\nkpt_shape: 3\n", "kpt_shape"),
        ("train: images/train\nnames: [a\n", "data.yaml"), ("\ttrain: x\nnames: [a]\n", "data.yaml"),
    ],
)  # fmt: skip
def test_bad_description(tmp_path: Path, yaml: str, word: str) -> None:
    with pytest.raises(mc.FormatError) as caught:
        only(folder(tmp_path, yaml=yaml), "ultralytics_detect")
    assert word in str(caught.value)


def test_folder_that_is_not_here_and_wrong_count_are_reported(tmp_path: Path) -> None:
    yaml = "path: ../datasets/x\ntrain: images/train\nval: images/val\nnc: 3\nnames: [a]\n"
    data = mc.read(folder(tmp_path, yaml=yaml))
    assert len(data.items) == 1
    assert {(loss.action, loss.field or loss.what) for loss in data.report} == {
        ("defaulted", "path"), ("defaulted", "nc"), ("unread", "file"),
    }  # fmt: skip


def test_label_file_that_is_missing_or_empty(tmp_path: Path) -> None:
    for name, rows in (("empty", ""), ("missing", None)):
        data = mc.read(folder(tmp_path / name / "in", rows))
        mc.write(data, tmp_path / name / "out", "ultralytics_detect")
        assert (tmp_path / name / "out/labels/train/a.b.txt").exists() == (rows == "")


def test_yaml() -> None:
    text = (
        "# comment\npath: .  # here\nnames:\n  0: yes\n  1: 'it''s # 1'\n  2: \"a\\\"b: c\"\n  3: null\n  7: a:b\n"
        "list:\n- x\n-   y z\nflow: {a: [1, '2, 3', \"]\"], b: c}\nlong: [a,\n  b]\n"
        "download: |\n  import x\n  y: 1\nend: 1\n"
    )
    assert parse_yaml(text, "f") == {
        "path": ".", "names": {"0": "yes", "1": "it's # 1", "2": 'a"b: c', "3": "null", "7": "a:b"},
        "list": ["x", "y z"],
        "flow": {"a": ["1", "2, 3", "]"], "b": "c"}, "long": ["a", "b"], "download": "import x\ny: 1\n", "end": "1",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["a: &x 1\n", "- a: 1\n", "a: !!str 1\n", "a: 'x\n", "a: [1\n", "a: 1\na: 2\n", "a: 1\n  b: 2\n"]
)
def test_yaml_beyond_the_reader_names_the_extra(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(mc.FormatError, match=r"maskcodec\[yaml\]"):
        parse_yaml(text, "f")


NAMES = ["cat", "yes", "No", "null", "1", "1.5", "a: b", "#x", "it's", '"q"', "道", "a b", "-", "~", "@x"]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_texts_for_every_reader(tmp_path: Path, name: str) -> None:
    assert parse_yaml(f"names:\n  0: {yaml_text(name)}\n", "f") == {"names": {"0": name}}
    data = mc.Dataset(mc.LabelSchema([mc.Category(0, name)]), [mc.Item("a", "a.jpg", subset="train")])
    mc.write(data, tmp_path / "out", "ultralytics_detect", on_loss="ignore")
    assert [c.name for c in mc.read(tmp_path / "out").schema] == [name]


def test_rotation_and_masks_come_back(tmp_path: Path) -> None:
    box = mc.Box(10, 20, 70, 40, 33.25, category_id=0)
    item = mc.Item("a", "a.jpg", width=333, height=77, subset="train", annotations=[box])
    data = mc.Dataset(mc.LabelSchema([mc.Category(0, "cat")]), [item])
    assert not len(mc.write(data, tmp_path / "obb", "ultralytics_obb"))
    assert_datasets_equal(data, mc.read(tmp_path / "obb"))
    two = mc.Polygon([[[1, 1], [5, 1], [5, 5]], [[8, 1], [12, 1], [12, 5]]], category_id=0)
    data.items[0].annotations = [two]
    report = mc.write(data, tmp_path / "seg", "ultralytics_segment", on_loss="ignore")
    assert [(loss.action, loss.what) for loss in report] == [("approximated", "multipart_polygon")]
    assert len(only(tmp_path / "seg").annotations) == 2


def test_classes_of_several_labels(tmp_path: Path) -> None:
    tags = [mc.Tag(category_id=1), mc.Tag(category_id=2)]
    items = [mc.Item("x/a", "x/a.jpg", subset="train", annotations=tags), mc.Item("b", "b.jpg", subset="train")]
    data = mc.Dataset(mc.LabelSchema([mc.Category(1, "dog"), mc.Category(2, "cat"), mc.Category(3, "cow")]), items)
    report = mc.write(data, tmp_path / "out", "ultralytics_classify", on_loss="ignore")
    assert ("dropped", "category") in [(loss.action, loss.what) for loss in report]
    assert json.loads((tmp_path / "out/train/labels.json").read_text()) == {
        "x/a": {"labels": ["dog", "cat"], "path": "dog/x/a.jpg"}, "b": {"labels": [], "path": "no_label/b.jpg"},
    }  # fmt: skip
    back = mc.read(tmp_path / "out")
    assert [c.name for c in back.schema] == ["cat", "dog"]
    assert [[t.category_id for t in i.annotations] for i in back.items] == [[1, 0], []]


def test_same_name_in_two_classes(tmp_path: Path) -> None:
    for name in ("train/a/1.jpg", "train/b/1.jpg", "train/no_label/2.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(image())
    assert [(i.id, len(i.annotations), i.width) for i in mc.read(tmp_path).items] == [
        ("a/1", 1, 10), ("b/1", 1, 10), ("2", 0, 10),
    ]  # fmt: skip
