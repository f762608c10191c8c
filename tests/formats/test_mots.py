"""Traps and bad input of both forms of MOTS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats._shared.images import read_png, write_png
from maskcodec.masks import Rle
from maskcodec.model.schema import Category, LabelSchema
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


def maps(root: Path, rows: dict[str, list[int]], labels: str | None = "a\nb\nc\nd", dtype: Any = np.uint16) -> Path:
    for name, row in rows.items():
        path = root / "instances" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(write_png(np.array([row], dtype)))
    if labels is not None:
        (root / "instances" / "labels.txt").write_text(labels)
    return root


def text(root: Path, rows: str, name: str = "0002") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / f"{name}.txt").write_text(rows)
    return root


def found(dataset: mc.Dataset) -> list[tuple[Any, ...]]:
    names = {}
    out = []
    for item in dataset.items:
        names = {c.id: c.name for c in dataset.schema}
        out += [(names[a.category_id], a.track_id, a.is_crowd, a.rle.area) for a in item.annotations]
    return out


def fails(path: Path, *words: str, **options: Any) -> mc.Dataset:
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "mots", **options).load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, "mots", on_error="skip", **options).load()
    assert len(lenient.report)
    return lenient


def test_classes_of_the_originals(tmp_path: Path) -> None:
    data = mc.read(maps(tmp_path / "in", {"0002/000000": [1000, 2001, 10000, 0, 5007]}, None)).load()
    assert found(data) == [
        ("car", 0, False, 1), ("pedestrian", 1, False, 1), ("class_5", 7, False, 1), ("ignored", None, True, 1),
    ]  # fmt: skip
    item = data.items[0]
    assert (item.id, item.sequence, item.frame) == ("0002/000000", "0002", 0)
    assert [(loss.action, loss.what) for loss in data.report] == [("defaulted", "category")]
    assert not len(mc.write(data, tmp_path / "out", "mots_png"))
    assert not (tmp_path / "out/instances/labels.txt").exists()
    pixels, header, _ = read_png((tmp_path / "out/instances/0002/000000.png").read_bytes())
    assert (pixels.tolist(), header.depth) == ([[1000, 2001, 10000, 0, 5007]], 16)


def test_ignored_is_added_to_a_short_table(tmp_path: Path) -> None:
    data = mc.read(maps(tmp_path / "in", {"1": [10000, 1001]}))
    assert [(c.id, c.name) for c in data.schema][-1] == (10, "ignored")
    assert found(data) == [("a", 1, False, 1), ("ignored", None, True, 1)]
    assert not len(mc.write(data, tmp_path / "out", "mots_png"))
    assert (tmp_path / "out/instances/labels.txt").read_text() == "a\nb\nc\nd\n"
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_class_10_of_a_long_table(tmp_path: Path) -> None:
    names = "\n".join(f"n{n}" for n in range(1, 12))
    data = mc.read(maps(tmp_path / "a", {"1": [10000]}, names))
    assert found(data) == [("n10", 0, False, 1)]
    assert [loss.field for loss in data.report] == ["categories"]
    other = mc.read(maps(tmp_path / "b", {"1": [10000]}, names.replace("n10", "Ignore region")))
    assert found(other) == [("Ignore region", None, True, 1)]
    assert not len(other.report)


def test_number_0_is_an_object(tmp_path: Path) -> None:
    assert found(mc.read(maps(tmp_path, {"1": [1000, 0]}))) == [("a", 0, False, 1)]


def test_class_0(tmp_path: Path) -> None:
    assert found(fails(maps(tmp_path, {"1": [7, 1001]}), "1.png", "value 7", "class")) == [("a", 1, False, 1)]


def test_class_beyond_the_table(tmp_path: Path) -> None:
    lenient = fails(maps(tmp_path, {"1": [7003, 1001]}), "value 7003", "class 7", "there are 4")
    assert found(lenient) == [("a", 1, False, 1), ("class_7", 3, False, 1)]


def test_eight_bits(tmp_path: Path) -> None:
    assert not found(mc.read(maps(tmp_path / "a", {"1": [0, 0]}, dtype=np.uint8)))
    assert not list(fails(maps(tmp_path / "b", {"1": [0, 7]}, dtype=np.uint8), "8 bits", "16").items)


def test_colours(tmp_path: Path) -> None:
    maps(tmp_path, {"2": [1001]})
    (tmp_path / "instances/1.png").write_bytes(write_png(np.zeros((1, 2, 3), np.uint8)))
    assert [i.id for i in fails(tmp_path, "1.png", "one channel").items] == ["2"]


def test_images_without_maps_and_other_sizes(tmp_path: Path) -> None:
    maps(tmp_path, {"1": [1001, 0]})
    (tmp_path / "images").mkdir()
    for name in ("1", "2"):
        (tmp_path / "images" / f"{name}.png").write_bytes(write_png(np.zeros((3, 3), np.uint8)))
    data = mc.read(tmp_path).load()
    assert [(i.id, i.path, i.width, i.height, len(i.annotations)) for i in data.items] == [
        ("1", "1.png", 2, 1, 1), ("2", "2.png", 3, 3, 0),
    ]  # fmt: skip
    assert [loss.field for loss in data.report] == ["width"]
    fails(tmp_path, "3 x 3", check_images=True)


def test_empty_lines_of_the_table_do_not_count(tmp_path: Path) -> None:
    assert found(mc.read(maps(tmp_path, {"1": [2001]}, "a\n\nb\n"))) == [("b", 1, False, 1)]


def rectangle(x: int, width: int, **more: Any) -> mc.Mask:
    pixels = np.zeros((2, 9), np.uint8)
    pixels[:, x : x + width] = 1
    return mc.Mask(Rle.from_mask(pixels), **{"category_id": 1, **more})


def dataset(*frames: list[mc.Annotation]) -> mc.Dataset:
    items = [mc.Item(str(n), width=9, height=2, annotations=own) for n, own in enumerate(frames)]
    return mc.Dataset(LabelSchema([Category(1, "a"), Category(2, "b")]), items)


@pytest.mark.parametrize("name", ["mots_png", "mots_txt"])
def test_numbers_of_tracks(tmp_path: Path, name: str) -> None:
    data = dataset(
        [rectangle(0, 1, track_id=7), rectangle(1, 2), rectangle(3, 3, track_id=1001), rectangle(6, 1, track_id="x")],
        [rectangle(0, 2, track_id="x"), rectangle(2, 2, track_id=1, category_id=2), rectangle(5, 3, track_id=1)],
    )
    report = mc.write(data, tmp_path / "out", name, on_loss="ignore")
    assert ("defaulted", "track_id", 1) in {(loss.action, loss.field, loss.count) for loss in report}
    assert ("renamed", "track_id", 3) in {(loss.action, loss.field, loss.count) for loss in report}
    rows = sorted(found(mc.read(tmp_path / "out")))
    assert rows == [
        ("a", 1, False, 6), ("a", 2, False, 4), ("a", 3, False, 6), ("a", 4, False, 2), ("a", 4, False, 4),
        ("a", 7, False, 2), ("b", 1, False, 4),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["mots_png", "mots_txt"])
def test_crowds_are_one_region(tmp_path: Path, name: str) -> None:
    data = dataset([rectangle(0, 1, is_crowd=True), rectangle(4, 2, is_crowd=True, category_id=2), rectangle(7, 1)])
    report = mc.write(data, tmp_path / "out", name, on_loss="ignore")
    assert any("joined" in loss.reason for loss in report)
    assert any(loss.field == "category_id" for loss in report)
    assert sorted(found(mc.read(tmp_path / "out")), key=str) == [("a", 1, False, 2), ("ignored", None, True, 6)]


def test_covered_pixels_are_reported(tmp_path: Path) -> None:
    report = mc.write(dataset([rectangle(0, 4, track_id=1), rectangle(2, 4, track_id=2)]), tmp_path / "out", "mots_png",
                      on_loss="ignore")  # fmt: skip
    assert [loss.count for loss in report if loss.field == "rle"] == [4]
    assert found(mc.read(tmp_path / "out")) == [("a", 1, False, 4), ("a", 2, False, 8)]


def test_two_masks_of_a_track_are_joined(tmp_path: Path) -> None:
    report = mc.write(dataset([rectangle(0, 1, track_id=1), rectangle(4, 1, track_id=1)]), tmp_path / "out", "mots_png",
                      on_loss="ignore")  # fmt: skip
    assert any("joined" in loss.reason for loss in report)
    assert found(mc.read(tmp_path / "out")) == [("a", 1, False, 4)]


def test_more_objects_than_numbers(tmp_path: Path) -> None:
    frames = [[rectangle(0, 1)] for _ in range(1000)]
    with pytest.raises(ValueError, match="more than 999"):
        mc.write(dataset(*frames), tmp_path / "out", "mots_png", on_loss="ignore")


def test_no_map_where_nothing_is(tmp_path: Path) -> None:
    mc.write(dataset([rectangle(0, 1)], []), tmp_path / "a", "mots_png", on_loss="ignore")
    assert not read_png((tmp_path / "a/instances/1.png").read_bytes())[0].any()
    mc.write(dataset([rectangle(0, 1)], []), tmp_path / "b", "mots_png", on_loss="ignore", empty=False)
    assert not (tmp_path / "b/instances/1.png").exists()


COUNTS = Rle.from_mask(np.pad(np.ones((2, 2), np.uint8), ((0, 0), (0, 7)))).to_coco()["counts"]
ROW = f"0 1005 1 2 9 {COUNTS}\n"


def test_rows_come_back(tmp_path: Path) -> None:
    other = Rle.from_mask(np.pad(np.ones((2, 2), np.uint8), ((0, 0), (7, 0)))).to_coco()["counts"]
    rows = f"{ROW}0 10000 10 2 9 {other}\n7 2001 2 2 9 {COUNTS}\n"
    data = mc.read(text(tmp_path / "in", rows))
    assert [(i.id, i.frame) for i in data.items] == [("0002/000000", 0), ("0002/000007", 7)]
    assert not len(mc.write(data, tmp_path / "out", "mots_txt"))
    assert (tmp_path / "out/0002.txt").read_text() == rows
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["0002.txt"]


def test_frames_without_objects_are_in_a_list(tmp_path: Path) -> None:
    root = text(tmp_path / "in", ROW.replace("0 1005", "1 1005"))
    (root / "all.seqmap").write_text("0002 empty 000000 000003\n0009 empty 0 1\n")
    data = mc.read(root)
    assert [len(i.annotations) for i in data.items] == [0, 1, 0, 0]
    assert not len(mc.write(data, tmp_path / "out", "mots_txt"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


BAD = [
    ("0 1005 1 2 9\n", "5 fields"), (f"0 1005 2 2 9 {COUNTS}\n", "class 2"), (f"0 x 1 2 9 {COUNTS}\n", "id"),
    (f"0 1006 1 3 9 {COUNTS}\n", "3 x 9"), (f"0 1005 1 2 9 {COUNTS}\n", "already"), (f"-1 1 1 2 9 {COUNTS}\n", "frame"),
    (f"0 1006 1 2 9 {COUNTS}\n", "over another"), ("0 1006 1 2 9 111\n", "rle"), (f"0 7 0 2 9 {COUNTS}\n", "class 0"),
    ("1 1006 1 2 9 <<>>!!\n", "rle"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "word"), BAD)
def test_bad_rows(tmp_path: Path, row: str, word: str) -> None:
    lenient = fails(text(tmp_path, ROW + row), "0002.txt", "line 2", word)
    assert found(lenient) == [("car", 5, False, 4)]


def test_frames_out_of_order_are_reported(tmp_path: Path) -> None:
    data = mc.read(text(tmp_path, ROW.replace("0 1005", "3 1005") + ROW))
    assert [i.frame for i in data.items] == [0, 3]
    assert [loss.action for loss in data.report] == ["defaulted"]


def test_png_to_text_and_back(tmp_path: Path) -> None:
    data = mc.read(maps(tmp_path / "a", {"0002/000000": [1000, 2001, 10000, 0], "0002/000001": [0, 0, 0, 1000]}))
    mc.write(data, tmp_path / "b", "mots_txt", on_loss="ignore")
    assert (tmp_path / "b/labels.txt").read_text() == "a\nb\nc\nd\n"
    mc.write(mc.read(tmp_path / "b"), tmp_path / "c", "mots_png", on_loss="ignore")
    for name in ("0002/000000", "0002/000001"):
        first, second = (read_png((tmp_path / d / f"instances/{name}.png").read_bytes())[0] for d in "ac")
        assert np.array_equal(first, second)


def test_the_family_is_chosen_by_content(tmp_path: Path) -> None:
    assert mc.read(maps(tmp_path / "a", {"1": [1001]}), "mots").source.format == "mots_png"
    assert mc.read(text(tmp_path / "b", ROW), "mots").source.format == "mots_txt"
    assert mc.detect(tmp_path / "b") == "mots_txt"


def test_frames_that_count_from_one(tmp_path: Path) -> None:
    maps(tmp_path / "png", {"0002/000001": [1001], "0002/000003": [0], "0002/000000": [0]})
    frames = [(item.id, item.frame) for item in mc.read(tmp_path / "png", "mots_png", first_frame=1).items]
    assert frames == [("0002/000000", None), ("0002/000001", 0), ("0002/000003", 2)]
    rows = text(tmp_path / "txt", "1 1001 1 1 2 02\n3 1001 1 1 2 02\n")
    (rows / "x.seqmap").write_text("0002 empty 000001 000003\n")
    data = mc.read(rows, "mots_txt", first_frame=1).load()
    assert [(item.id, item.frame) for item in data.items] == [
        ("0002/000001", 0), ("0002/000002", 1), ("0002/000003", 2)
    ]  # fmt: skip
    mc.write(data, tmp_path / "out", "mots_txt", first_frame=1, on_loss="ignore")
    assert (tmp_path / "out/0002.txt").read_bytes() == (rows / "0002.txt").read_bytes()
    assert (tmp_path / "out/frames.seqmap").read_text() == "0002 empty 000001 000003\n"
    again = mc.read(tmp_path / "out", "mots_txt", first_frame=1)
    assert [(item.id, item.frame) for item in again.items] == [(item.id, item.frame) for item in data.items]
    plain = mc.read(rows, "mots_txt").load()
    assert [item.frame for item in plain.items] == [1, 2, 3]  # numbers are kept as they stand


def test_map_frames_are_written_as_they_are_counted(tmp_path: Path) -> None:
    mask = mc.Mask(Rle.from_box((0, 0, 1, 1), (1, 2)), category_id=1, track_id=1)
    item = mc.Item("0002/000001", width=2, height=1, sequence="0002", frame=0, annotations=[mask])
    data = mc.Dataset(LabelSchema([Category(1, "a")]), [item])
    report = mc.write(data, tmp_path / "out", "mots_png", first_frame=1, on_loss="ignore")
    assert "frame" not in {loss.field for loss in report}
    assert mc.read(tmp_path / "out", "mots_png", first_frame=1).items[0].frame == 0


def test_frames_before_the_first(tmp_path: Path) -> None:
    rows = text(tmp_path, "0 1001 1 1 2 02\n")
    with pytest.raises(mc.FormatError, match=r"line 1.*frame.*expected 1"):
        mc.read(rows, "mots_txt", first_frame=1).load()
    (rows / "x.seqmap").write_text("0002 empty 000000 000003\n")
    lenient = mc.read(rows, "mots_txt", first_frame=1, on_error="skip").load()
    assert [loss.count for loss in lenient.report] == [1, 1] and not len(lenient.items)
    for name in ("mots_txt", "mots_png"):
        with pytest.raises(ValueError, match="first_frame is 0 or 1"):
            mc.read(rows if name == "mots_txt" else maps(tmp_path / "m", {"a": [0]}), name, first_frame=2)
