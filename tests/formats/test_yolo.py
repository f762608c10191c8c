"""Traps and bad input of Darknet's form of YOLO."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import maskcodec as mc
from maskcodec.formats.yolo.rows import plain_boxes, rounded
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
BOX = "0 0.5 0.5 0.2 0.4"


def image(width: int = 10, height: int = 5, orientation: int = 1) -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new("RGB", (width, height)).save(out, "JPEG", exif=exif)
    return out.getvalue()


def folder(root: Path, rows: str | None = BOX, *, names: str = "cat\ndog\n", data: str = "", listed: str = "") -> Path:
    (root / "obj_train_data").mkdir(parents=True)
    (root / "obj.data").write_text(data or "classes=2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = b/\n")
    (root / "obj.names").write_text(names)
    (root / "train.txt").write_text(listed or "data/obj_train_data/a.b.jpg\n")
    (root / "obj_train_data/a.b.jpg").write_bytes(image())
    if rows is not None:
        (root / "obj_train_data/a.b.txt").write_text(rows)
    return root


def only(path: Path, **options: object) -> mc.Item:
    (item,) = mc.read(path, "yolo", **options).items
    return item


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("0 0.5 0.5 0.2", "4 fields"), ("0 0.5 0.5 0.2 0.2 7", "6 fields"), ("x 0.5 0.5 0.2 0.2", "'x'"),
        ("2 0.5 0.5 0.2 0.2", "class 2"), ("-1 0.5 0.5 0.2 0.2", "class -1"), ("0.5 0.5 0.5 0.2 0.2", "'0.5'"),
        ("0 nan 0.5 0.2 0.2", "'nan'"), ("0 1e999 0.5 0.2 0.2", "1e999"), ("0 0.5 0.5 -0.001 0.2", "positive"),
        ("0 1_0 0.5 0.2 0.2", "1_0"),
    ],
)  # fmt: skip
def test_bad_row(tmp_path: Path, row: str, word: str) -> None:
    path = folder(tmp_path, f"{BOX}\n{row}\n")
    with pytest.raises(mc.FormatError) as caught:
        only(path)
    assert caught.value.file == "obj_train_data/a.b.txt"
    assert caught.value.record == "line 2"
    assert word in str(caught.value)
    lenient = mc.read(path, "yolo", on_error="skip").load()
    assert len(lenient.items[0].annotations) == 1
    assert lenient.report.total == 1


def test_integral_class_scientific_numbers_and_the_edge(tmp_path: Path) -> None:
    first, second = only(folder(tmp_path, "1.0 5e-1 .5 0.2 4.0E-1\n0 0.0 1.01 0.2 0.2")).annotations
    assert (first.category_id, first.x0, first.y0, first.x1, first.y1) == (1, 4, 1.5, 6, 3.5)
    assert (second.x0, second.x1) == (-1, 1), "what leads over the edge is kept"


def test_what_lies_outside_of_the_image_is_kept_and_reported(tmp_path: Path) -> None:
    data = mc.read(folder(tmp_path, "0 1.5 0.5 0.2 0.4\n0 0.5 0.5 0.2 1.02\n0 0.5 -0.005 0.2 0.4")).load()
    found = [(a.x0, a.y0, a.y1) for a in data.items[0].annotations]
    assert found == [(14, 1.5, 3.5), (4, -0.05, 5.05), (4, -1.025, 0.975)]
    assert [(loss.action, loss.what, loss.count) for loss in data.report] == [("defaulted", "box", 2)]


def test_id_keeps_its_dots_and_the_path_its_ending(tmp_path: Path) -> None:
    item = only(folder(tmp_path))
    assert (item.id, item.path, item.width, item.height) == ("a.b", "a.b.jpg", 10, 5)


def test_size_is_the_displayed_one(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / "obj_train_data/a.b.jpg").write_bytes(image(10, 5, orientation=6))
    assert (only(path).width, only(path).height) == (5, 10)


def test_without_a_size_fractions_stay_fractions(tmp_path: Path) -> None:
    path = folder(tmp_path / "in")
    (path / "obj_train_data/a.b.jpg").unlink()
    data = mc.read(path).load()
    (box,) = data.items[0].annotations
    assert (box.x0, box.y0, box.x1, box.y1) == (0.4, 0.3, 0.6, 0.7)
    assert [(loss.action, loss.what, loss.field) for loss in data.report] == [("defaulted", "item", "width")]
    assert not len(mc.write(data, tmp_path / "out", "yolo"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    known = only(path, image_size=(10, 5)).annotations[0]
    assert (known.x0, known.y0, known.x1, known.y1) == (4, 1.5, 6, 3.5)
    (path / "images.meta").write_text('"a.b" 50 100\n')
    assert only(path).annotations[0].x0 == 40


def test_label_file_that_is_missing_or_empty(tmp_path: Path) -> None:
    for name, rows in (("empty", ""), ("missing", None)):
        data = mc.read(folder(tmp_path / name / "in", rows))
        assert [len(item.annotations) for item in data.items] == [0]
        mc.write(data, tmp_path / name / "out", "yolo")
        assert (tmp_path / name / "out/obj_train_data/a.b.txt").exists() == (rows == "")


def test_rows_that_stand_twice_are_kept_and_reported(tmp_path: Path) -> None:
    data = mc.read(folder(tmp_path, f"{BOX}\n{BOX}\n")).load()
    assert len(data.items[0].annotations) == 2
    assert [(loss.action, loss.field) for loss in data.report] == [("defaulted", "annotations")]


def test_names_that_shift_the_classes_are_reported(tmp_path: Path) -> None:
    data = mc.read(folder(tmp_path, names="s1\n1\n2\ncar\n\n"))
    assert [c.name for c in data.schema] == ["s1", "1", "2", "car"]
    assert {loss.field for loss in data.report} == {"categories", "classes"}


@pytest.mark.parametrize("data", ["classes = 1\ntrain = train.txt\n", "names = /etc/x\n", "names = ../obj.names\n"])
def test_bad_data_file(tmp_path: Path, data: str) -> None:
    with pytest.raises(mc.FormatError, match="names"):
        only(folder(tmp_path, data=data))


def test_list_that_is_missing(tmp_path: Path) -> None:
    path = folder(tmp_path, data="names = obj.names\ntrain = train.txt\nvalid = data/valid.txt\n")
    with pytest.raises(mc.FormatError, match=r"valid.*valid\.txt is missing"):
        only(path)
    assert only(path, on_error="skip").id == "a.b"


def test_unknown_keys_and_the_form_of_paths_survive(tmp_path: Path) -> None:
    keys = "names=obj.names\ntrain=train.txt\nlr = 0.1\n"
    path = folder(tmp_path / "in", data=keys, listed="obj_train_data\\a.b.jpg\n")
    data = mc.read(path)
    mc.write(data, tmp_path / "out", "yolo")
    assert (tmp_path / "out/train.txt").read_text() == "obj_train_data/a.b.jpg\n"
    assert "lr = 0.1" in (tmp_path / "out/obj.data").read_text()


@pytest.mark.parametrize(("images", "labels"), [("images", "labels"), ("Images", "Annotations"), ("", "")])
def test_without_a_data_file(tmp_path: Path, images: str, labels: str) -> None:
    for name, data in ((f"{images}/a.jpg", image()), (f"{labels}/a.txt", BOX.encode()), ("classes.txt", b"cat\n")):
        (tmp_path / name.strip("/")).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name.strip("/")).write_bytes(data)
    assert mc.detect(tmp_path) == "yolo"
    item = only(tmp_path)
    assert (item.id, item.path, item.annotations[0].x0) == ("a", "a.jpg", 4)


def boxes(*shapes: mc.Annotation, subset: str = "train") -> mc.Dataset:
    items = [mc.Item("a", "a.jpg", width=1021, height=333, subset=subset, annotations=list(shapes))]
    return mc.Dataset(mc.LabelSchema([mc.Category(0, "cat")]), items)


@pytest.mark.parametrize("x1", [7, 7.1, 1020.9999, 333.3333333333])
def test_boxes_come_back_exactly(tmp_path: Path, x1: float) -> None:
    data = boxes(mc.Box(1.3, 2, x1, 332.95, category_id=0))
    exact = round(x1, 9) == x1
    report = mc.write(data, tmp_path / "out", "yolo", on_loss="ignore")
    assert bool(len(report)) == (not exact)
    (back,) = only(tmp_path / "out").annotations
    assert abs(back.x1 - x1) < 1e-9
    if exact:
        assert back.x1 == x1


def test_style_of_cvat(tmp_path: Path) -> None:
    report = mc.write(boxes(mc.Box(1, 2, 4, 6, category_id=0)), tmp_path / "out", "yolo", decimals=6, on_loss="ignore")
    assert (tmp_path / "out/obj_train_data/a.txt").read_text() == "0 0.002449 0.012012 0.002938 0.012012\n"
    assert {loss.field for loss in report} == {"x0", "y0", "x1", "y1"}


def test_other_shapes_only_when_asked(tmp_path: Path) -> None:
    turned = mc.Box(10, 10, 30, 20, 90, category_id=0)
    ring = mc.Polygon([[[1, 1], [5, 1], [5, 4]]], category_id=0)
    report = mc.write(boxes(turned, ring), tmp_path / "none", "yolo", on_loss="ignore")
    assert {(loss.action, loss.what) for loss in report} == {("dropped", "rotated_box"), ("dropped", "polygon")}
    report = mc.write(boxes(turned, ring), tmp_path / "all", "yolo", on_loss="ignore", enclosing=True)
    first, second = only(tmp_path / "all").annotations
    assert (first.x0, first.y0, first.x1, first.y1) == (15, 5, 25, 25)
    assert (second.x0, second.y0, second.x1, second.y1) == (1, 1, 5, 4)


@pytest.mark.parametrize("subset", ["classes", "names", "backup"])
def test_subset_that_means_something_else(tmp_path: Path, subset: str) -> None:
    with pytest.raises(ValueError, match=subset):
        mc.write(boxes(subset=subset), tmp_path / "out", "yolo")


@given(
    st.one_of(
        st.floats(-1e6, 1e6),
        st.integers(-(10**13), 10**13).map(lambda n: n / 2 / 1e9),  # near a half of the ninth decimal
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    st.sampled_from((0, 6, 9, 12, 15, 18)),
)
def test_rounding_without_texts_is_that_of_python(value: float, digits: int) -> None:
    assert rounded(value, digits) == round(value, digits)


_NUMBER = st.one_of(
    st.floats(-0.1, 1.2).map(lambda v: f"{v:.6f}"), st.floats(0, 1).map(repr),
    st.sampled_from(("0", "1", ".5", "1e-3", "1.", "-0.005", "+0.25", "nan", "1e999", "1_0", "x")),
)  # fmt: skip
_ROWS = st.lists(
    st.lists(_NUMBER, min_size=3, max_size=5).flatmap(
        lambda row: st.sampled_from(("0", "1", "2", "1.0", "-1", "0.5")).map(lambda c: " ".join([c, *row]))
    ),
    max_size=6,
)  # fmt: skip


@given(_ROWS, st.sampled_from(("\n", "\r\n", "\n\n", "\r")), st.sampled_from(("darknet", "ultralytics")))
@settings(max_examples=150)
def test_files_read_at_once_are_those_read_line_by_line(rows: list[str], end: str, family: str) -> None:
    files = {"a.txt": end.join(rows), "images.meta": '"train/a" 77 1234\n"a" 77 1234\n'}
    if family == "darknet":
        files = {"obj.data": "names = obj.names\ntrain = train.txt\n", "obj.names": "x\ny\n", "train.txt": "o/a.jpg\n",
                 "o/a.txt": files["a.txt"], "images.meta": files["images.meta"]}  # fmt: skip
    else:
        files = {"data.yaml": "train: images/train\nnames:\n  0: x\n  1: y\ntask: detect\n",
                 "images/train/a.jpg": image(1234, 77),
                 "labels/train/a.txt": files["a.txt"], "images.meta": files["images.meta"]}  # fmt: skip
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)

    def found() -> tuple[Any, ...]:
        name = "yolo" if family == "darknet" else "ultralytics_detect"
        read = mc.read(data.getvalue(), name, on_error="skip", on_loss="ignore").load()
        sides = [(a.category_id, a.x0, a.y0, a.x1, a.y1, a.score, a.track_id) for a in read.items[0].annotations]
        return sides, [str(loss) for loss in read.report]

    fast = found()
    with pytest.MonkeyPatch.context() as patch:
        for module in ("darknet", "ultralytics"):
            patch.setattr(f"maskcodec.formats.yolo.{module}.plain_boxes", lambda *_: None)
        assert found() == fast


def test_plain_rows_take_the_short_way() -> None:
    assert plain_boxes(b"1 0.5 0.5 0.25 0.5\r\n0 .5 .5 .5 1e-1", range(2), (100, 40)) == [
        (1, 37.5, 10, 62.5, 30), (0, 25, 18, 75, 22)
    ]  # fmt: skip
    for data in (b"2 0.5 0.5 0.25 0.5", b"0 0.5 0.5 0.25", b"0 0.5 0.5 0 0.5", b"0 2 0.5 1 1", b"0 nan 0 1 1"):
        assert plain_boxes(data, range(2), (100, 40)) is None
    assert plain_boxes(b"0 0.5 0.5 0.25 0.5\n0 0.5 0.50 0.25 0.5\n", range(2), (10, 10)) is None
