"""Dialects, traps and bad input of MOT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc
from maskcodec.model.schema import Category, LabelSchema
from maskcodec.registry import examine
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


def sequence(root: Path, rows: str, labels: str | None = "a\nb", name: str = "gt", info: str = "") -> Path:
    (root / name).mkdir(parents=True)
    (root / name / f"{name}.txt").write_bytes(rows.encode())
    if labels is not None:
        (root / name / "labels.txt").write_text(labels)
    if info:
        (root / "seqinfo.ini").write_text("[Sequence]\n" + info)
    return root


def boxes(dataset: mc.Dataset) -> list[tuple[Any, ...]]:
    return [
        (item.id, a.track_id, (a.x0, a.y0, a.x1, a.y1), a.category_id)
        for item in dataset.items
        for a in item.annotations
    ]


def fails(path: Path, *words: str, **options: Any) -> mc.Dataset:
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "mot", **options).load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, "mot", on_error="skip", **options).load()
    assert len(lenient.report)
    return lenient


CVAT = "1,1,1.25,2.0,3.0,4.5,1,1,0.0\r\n1,-1,1,2,3,4,0,2,0.3\r\n2,1,1.25,2.0,3.0,4.5,1,1,0.0\r\n"


def test_cvat_export(tmp_path: Path) -> None:
    data = mc.read(sequence(tmp_path / "in", CVAT))
    assert data.source.format == "mot"
    assert boxes(data) == [
        ("000001", 1, (1.25, 2, 4.25, 6.5), 1), ("000001", None, (1, 2, 4, 6), 2),
        ("000002", 1, (1.25, 2, 4.25, 6.5), 1),
    ]  # fmt: skip
    first, second = data.items[0].annotations
    assert (first.occluded, first.attributes, first.keyframe) == (True, {"visibility": 0.0}, True)
    assert (second.occluded, second.attributes, second.keyframe) == (False, {"visibility": 0.3, "ignored": True}, False)
    assert not len(mc.write(data, tmp_path / "out", "mot"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    assert (tmp_path / "out/gt/gt.txt").read_text() == (
        "1,1,1.25,2,3,4.5,1,1,0\n1,-1,1,2,3,4,0,2,0.3\n2,1,1.25,2,3,4.5,1,1,0\n"
    )


def test_official_results_have_blanks_and_unused_columns(tmp_path: Path) -> None:
    rows = "1, 3, 794.27, 247.59, 71.245, 174.88, -1, -1, -1, -1\n1, -1, 0, 0, 5, 5, 0.5, -1, -1, -1\n"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "MOT16-01.txt").write_text(rows)
    assert mc.detect(tmp_path) == "mot"
    (item,) = mc.read(tmp_path).items
    assert item.sequence == "MOT16-01"
    first, second = item.annotations
    assert (first.track_id, first.score, first.category_id, first.attributes) == (3, None, None, {})
    assert (second.track_id, second.score) == (None, 0.5)


def test_detections_come_back_as_detections(tmp_path: Path) -> None:
    rows = "1,-1,0,0,5,5,0.5,-1,-1,-1\n2,-1,0.1,0.2,5,5,-1,1.5,2,3\n"
    data = mc.read(sequence(tmp_path / "in", rows, None, "det"), "mot").load()
    assert len(data.schema) == 0
    assert data.items[1].annotations[0].extras == {"mot": {"world": [1.5, 2.0, 3.0]}}
    assert not len(mc.write(data, tmp_path / "out", "mot"))
    assert (tmp_path / "out/det/det.txt").read_text() == rows
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_ground_truth_of_2015_has_no_class(tmp_path: Path) -> None:
    rows = "1,1,0,0,5,5,1,-1,-1,-1\n1,2,0,0,5,5,0,7.5,3,-1\n"
    data = mc.read(sequence(tmp_path / "in", rows, None), "mot").load()
    assert [a.category_id for a in data.items[0].annotations] == [None, None]
    assert data.items[0].annotations[1].attributes == {"ignored": True}
    mc.write(data, tmp_path / "out", "mot", on_loss="raise")
    assert (tmp_path / "out/gt/gt.txt").read_text() == rows


def test_ten_columns_that_are_classes(tmp_path: Path) -> None:
    data = mc.read(sequence(tmp_path, "1,1,0,0,5,5,1,2,0.5,-1\n"), "mot")
    assert boxes(data)[0][3] == 2


@pytest.mark.parametrize(("row", "width"), [("1,1,0,0,5,5", 6), ("1,1,0,0,5,5,0", 7), ("1,1,0,0,5,5,1,2", 8)])
def test_fewer_columns(tmp_path: Path, row: str, width: int) -> None:
    data = mc.read(sequence(tmp_path / "in", row), "mot").load()
    assert "visibility" not in data.items[0].annotations[0].attributes
    mc.write(data, tmp_path / "out", "mot", on_loss="raise")
    assert (tmp_path / "out/gt/gt.txt").read_text() == row + "\n"


def test_comments_empty_lines_and_any_order(tmp_path: Path) -> None:
    data = mc.read(sequence(tmp_path, "# frame, id\n\n3,1,0,0,1,1,1,1,1\n1,1,0,0,2,2,1,1,1\n"), "mot")
    assert [len(item.annotations) for item in data.items] == [1, 0, 1]


def test_the_classes_of_the_benchmark(tmp_path: Path) -> None:
    data = mc.read(sequence(tmp_path, "1,1,0,0,5,5,1,13,0.5\n", None), "mot")
    assert (len(data.schema), data.schema.by_id(13).name) == (13, "crowd")
    fails(sequence(tmp_path / "b", "1,1,0,0,5,5,1,14,0.5\n", None), "gt.txt", "line 1", "class 14")


def test_empty_names_keep_their_number(tmp_path: Path) -> None:
    data = mc.read(sequence(tmp_path / "in", "1,1,0,0,5,5,1,3,1\n", "a\n\nc"), "mot")
    assert [(c.id, c.name) for c in data.schema] == [(1, "a"), (2, ""), (3, "c")]
    mc.write(data, tmp_path / "out", "mot", on_loss="raise")
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


BAD = [
    ("1,1,0,0,5", "6 to 10"), ("1,x,0,0,5,5,1,1,1", "id"), ("0,1,0,0,5,5,1,1,1", "frame"),
    ("1,1,0,0,-5,5,1,1,1", "width"),
    ("1,1,0,nan,5,5,1,1,1", "top"), ("1,1,0,0,5,inf,1,1,1", "height"), ("1,1,0,0,5,5,1,3,1", "class 3"),
    ("1.5,1,0,0,5,5,1,1,1", "frame"), ("1,1,0,0,5,5,1,1.5,1", "class"), ("1,7,0,0,5,5,1,1,1", "track 7"),
    ("99999999999,1,0,0,5,5,1,1,1", "frame"), ("1,1,0,0,5,5,,1,1", "conf"), ("1,1,0,0,5,5,1,1,1,1,1", "6 to 10"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "word"), BAD)
def test_bad_rows(tmp_path: Path, row: str, word: str) -> None:
    good = "1,7,0,0,5,5,1,1,1\n"
    lenient = fails(sequence(tmp_path, f"{good}{row}\n"), "gt/gt.txt", "line 2", word)
    assert boxes(lenient) == [("000001", 7, (0, 0, 5, 5), 1)]


def test_class_0_is_no_class_for_a_lenient_reader(tmp_path: Path) -> None:
    assert boxes(fails(sequence(tmp_path, "1,1,0,0,5,5,1,0,1\n"), "class 0")) == [("000001", 1, (0, 0, 5, 5), None)]


def test_frames_from_0(tmp_path: Path) -> None:
    data = mc.read(sequence(tmp_path, "0,1,0,0,5,5,1,1,1\n2,1,0,0,5,5,1,1,1\n"), "mot", first_frame=0)
    assert [(i.id, i.frame) for i in data.items] == [("000000", 0), ("000001", 1), ("000002", 2)]
    assert [len(i.annotations) for i in data.items] == [1, 0, 1]
    fails(sequence(tmp_path / "b", "-1,1,0,0,5,5,1,1,1\n"), "frame", first_frame=0)


def test_corner_counted_from_1(tmp_path: Path) -> None:
    data = mc.read(sequence(tmp_path / "in", "1,1,1,1,5,5,1,1,1\n"), "mot", one_based=True)
    assert boxes(data)[0][2] == (0, 0, 5, 5)
    mc.write(data, tmp_path / "out", "mot", one_based=True, on_loss="raise")
    assert (tmp_path / "out/gt/gt.txt").read_text() == "1,1,1,1,5,5,1,1,1\n"


def test_seqinfo_gives_length_and_size(tmp_path: Path) -> None:
    info = "NAME=Cam 1\nimdir=frames\nseqLength=3\nimWidth=64\nimHeight=48\nimExt=.png\nowner=me\n"
    data = mc.read(sequence(tmp_path / "in", "1,1,0,0,5,5,1,1,1\n", info=info))
    assert [(i.path, i.width, i.height, i.sequence) for i in data.items] == [
        (f"frames/00000{n}.png", 64, 48, "Cam 1") for n in (1, 2, 3)
    ]
    report = mc.write(data, tmp_path / "out", "mot", on_loss="ignore")
    assert {(loss.what, loss.field) for loss in report} == {("item", "path")}
    back = mc.read(tmp_path / "out")
    assert len(back.items) == 3
    assert back.extras == data.extras == {"mot": {"seqinfo": {"default/Cam 1": {"owner": "me"}}}}


def test_boxes_behind_the_end_are_reported(tmp_path: Path) -> None:
    data = mc.read(sequence(tmp_path, "5,1,0,0,5,5,1,1,1\n", info="seqLength=3\n"))
    assert len(data.items) == 5
    assert [(loss.action, loss.field) for loss in data.report] == [("defaulted", "seqLength")]


def test_visibility_beyond_1_is_kept_and_reported(tmp_path: Path) -> None:
    data = mc.read(sequence(tmp_path, "1,1,0,0,5,5,1,1,1.01\n"))
    assert data.items[0].annotations[0].attributes == {"visibility": 1.01}
    assert [loss.field for loss in data.report] == ["attributes.visibility"]


def test_many_sequences(tmp_path: Path) -> None:
    root = tmp_path / "in"
    for place in ("train/A-DPM", "train/A-SDP", "test/A-DPM"):
        sequence(root / place, "1,1,0,0,5,5,1,1,1\n", info=f"name={place[-5:]}\nframeRate=30\nseqLength=2\n")
    sequence(root / "test/B", "1,-1,0,0,5,5,0.9,-1,-1,-1\n", None, "det", info="name=B\nseqLength=1\n")
    assert mc.detect(root) == "mot"
    data = mc.read(root)
    assert [(i.subset, i.id) for i in data.items] == [
        ("test", "A-DPM/000001"), ("test", "A-DPM/000002"), ("test", "B/000001"), ("train", "A-DPM/000001"),
        ("train", "A-DPM/000002"), ("train", "A-SDP/000001"), ("train", "A-SDP/000002"),
    ]  # fmt: skip
    assert not len(mc.write(data, tmp_path / "out", "mot"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_sequences_with_tables_of_their_own(tmp_path: Path) -> None:
    sequence(tmp_path / "x", "1,1,0,0,5,5,1,1,1\n", "a\nb")
    sequence(tmp_path / "y", "1,1,0,0,5,5,1,1,1\n", "b\nc")
    data = mc.read(tmp_path)
    assert [c.name for c in data.schema] == ["a", "b", "c"]
    assert [row[3] for row in boxes(data)] == [1, 2]


def test_ground_truth_counts_before_detections(tmp_path: Path) -> None:
    sequence(tmp_path, "1,1,0,0,5,5,1,1,1\n")
    sequence(tmp_path, "1,-1,0,0,9,9,0.5,-1,-1,-1\n", None, "det")
    data = mc.read(tmp_path)
    assert boxes(data)[0][2] == (0, 0, 5, 5)
    assert [(loss.what, loss.action) for loss in data.report] == [("file", "defaulted")]
    assert boxes(mc.read(tmp_path, detections=True))[0][2] == (0, 0, 9, 9)


def frames(*annotations: list[mc.Annotation], **more: Any) -> mc.Dataset:
    items = [mc.Item(f"f{n}", width=9, height=9, annotations=own, **more) for n, own in enumerate(annotations)]
    return mc.Dataset(LabelSchema([Category(1, "a"), Category(2, "b")]), items)


def box(track: Any = None, category: int = 1, **more: Any) -> mc.Box:
    return mc.Box(0.1, 0.2, 0.7, 3.3, category_id=category, track_id=track, keyframe=track is not None, **more)


def test_ids_of_tracks_are_kept_and_texts_numbered(tmp_path: Path) -> None:
    data = frames([box("x"), box(7), box(2, 2)], [box(7), box("x")])
    report = mc.write(data, tmp_path / "out", "mot", on_loss="ignore")
    assert ("renamed", "box", "track_id") in {(loss.action, loss.what, loss.field) for loss in report}
    assert [row[1] for row in boxes(mc.read(tmp_path / "out"))] == [1, 7, 2, 7, 1]


def test_one_number_for_two_classes_in_a_frame(tmp_path: Path) -> None:
    mc.write(frames([box(5, 1), box(5, 2)], [box(5, 2)]), tmp_path / "out", "mot", on_loss="ignore")
    assert [row[1] for row in boxes(mc.read(tmp_path / "out"))] == [5, 1, 1]


def test_a_track_that_changes_its_class_keeps_its_number(tmp_path: Path) -> None:
    mc.write(frames([box(5, 1)], [box(5, 2)]), tmp_path / "out", "mot", on_loss="ignore")
    assert [(row[1], row[3]) for row in boxes(mc.read(tmp_path / "out"))] == [(5, 1), (5, 2)]


def test_a_track_twice_in_a_frame(tmp_path: Path) -> None:
    report = mc.write(frames([box(5), box(5)]), tmp_path / "out", "mot", on_loss="ignore")
    assert ("dropped", "box", "") in {(loss.action, loss.what, loss.field) for loss in report}
    assert len(boxes(mc.read(tmp_path / "out"))) == 1


def test_coordinates_come_back_exactly(tmp_path: Path) -> None:
    mc.write(frames([box()]), tmp_path / "out", "mot", on_loss="ignore")
    assert boxes(mc.read(tmp_path / "out"))[0][2] == (0.1, 0.2, 0.7, 3.3)
    mc.write(frames([box()]), tmp_path / "short", "mot", on_loss="ignore", decimals=1)
    assert (tmp_path / "short/gt/gt.txt").read_text().startswith("1,-1,0.1,0.2,0.6,3.1,")


def test_occluded_and_outside(tmp_path: Path) -> None:
    seen = box(1, attributes={"visibility": 0.5}, occluded=True)
    data = frames([box(1, occluded=True)], [box(1, outside=True)], [seen])
    report = mc.write(data, tmp_path / "out", "mot", on_loss="ignore")
    assert any("outside" in loss.reason for loss in report)
    assert ("approximated", "occluded") in {(loss.action, loss.field) for loss in report}
    back = [item.annotations for item in mc.read(tmp_path / "out").items]
    assert [len(own) for own in back] == [1, 0, 1]
    assert (back[0][0].occluded, back[2][0].occluded, back[2][0].attributes) == (True, False, {"visibility": 0.5})


def test_other_shapes_as_boxes_on_request(tmp_path: Path) -> None:
    shape = mc.Polygon([[[1, 1], [4, 1], [4, 5]]], category_id=1)
    report = mc.write(frames([shape]), tmp_path / "a", "mot", on_loss="ignore")
    assert any("no polygon" in loss.reason for loss in report)
    mc.write(frames([shape]), tmp_path / "b", "mot", on_loss="ignore", enclosing=True)
    assert boxes(mc.read(tmp_path / "b"))[0][2] == (1, 1, 4, 5)


def test_images_are_found_by_number_or_place(tmp_path: Path) -> None:
    root = sequence(tmp_path, "12,1,0,0,5,5,1,1,1\n")
    (root / "img1").mkdir()
    for name in ("1.jpg", "00012.jpg", "x.jpg"):
        (root / "img1" / name).write_bytes(b"")
    lenient = mc.read(root, on_error="skip")
    assert [(i.id, i.path) for i in lenient.items if i.path] == [("000001", "img1/1.jpg"), ("000012", "img1/00012.jpg")]
    assert any(loss.what == "item" and "no number" in loss.reason for loss in lenient.report)


def test_not_mot(tmp_path: Path) -> None:
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "gt.txt").write_text('word_1.png, "text"\n')
    assert "comma separated" in examine(tmp_path)[1]["mot"]


def test_former_names_of_images(tmp_path: Path) -> None:
    paths = ("a b/x.jpg", "é.jpg", " odd.jpg", None)
    items = [mc.Item(f"i{at}", path=path, width=4, height=4) for at, path in enumerate(paths)]
    report = mc.write(mc.Dataset(items=items), tmp_path / "out", "mot", names=True, on_loss="ignore")
    assert (tmp_path / "out/names.txt").read_text("utf-8") == "000001 a b/x.jpg\n000002 é.jpg\n"
    assert "it is no line of names.txt" in {loss.reason for loss in report}
    data = mc.read(tmp_path / "out", "mot").load()
    assert [item.extras.get("mot", {}).get("name") for item in data.items] == ["a b/x.jpg", "é.jpg", None, None]
    mc.write(data, tmp_path / "again", "mot", names=True, on_loss="ignore")
    assert (tmp_path / "again/names.txt").read_bytes() == (tmp_path / "out/names.txt").read_bytes()
    report = mc.write(data, tmp_path / "bare", "mot", on_loss="ignore")
    assert ("dropped", "extras.mot.name", 2) in {(loss.action, loss.field, loss.count) for loss in report}
    assert not (tmp_path / "bare/names.txt").exists()


@pytest.mark.parametrize("text", ["x a.jpg", "000001", "1 a.jpg\n1 b.jpg"])
def test_former_names_that_are_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt/gt.txt").write_text("1,1,0,0,1,1,1,1,1\n")
    (tmp_path / "names.txt").write_text(text)
    with pytest.raises(mc.FormatError, match=r"names.txt.*line"):
        mc.read(tmp_path, "mot").load()
    assert len(mc.read(tmp_path, "mot", on_error="skip").load().report)
