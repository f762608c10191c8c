"""Wire form, dialects, traps and bad input of TFRecord."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.formats._shared.images import write_png
from maskcodec.formats.tfrecord.wire import entries, example, framed, masked, values
from maskcodec.masks import Rle
from maskcodec.model.schema import Category, LabelSchema
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
BASE: dict[str, Any] = {
    "image/filename": [b"a.png"], "image/height": [10], "image/width": [20],
    "image/object/bbox/xmin": np.array([0.25], np.float32), "image/object/bbox/xmax": np.array([0.5], np.float32),
    "image/object/bbox/ymin": np.array([0.0], np.float32), "image/object/bbox/ymax": np.array([1.0], np.float32),
    "image/object/class/text": [b"cat"], "image/object/class/label": [1],
}  # fmt: skip
MAP = "item { id: 1 name: 'cat' }\nitem {\n\tid: 2\n\tname: 'dog'\n}\n"


def without(*keys: str, **more: Any) -> bytes:
    named = {key.replace("__", "/"): value for key, value in more.items()}
    return framed(example({**{k: v for k, v in BASE.items() if k not in keys}, **named}))


def file(root: Path, *parts: bytes, table: str | None = MAP, name: str = "train.tfrecord") -> Path:
    root.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(b"".join(parts))
    if table is not None:
        (root / "label_map.pbtxt").write_text(table)
    return root


def fails(path: Path, *words: str) -> mc.Dataset:
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "tfrecord").load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, "tfrecord", on_error="skip").load()
    assert len(lenient.report)
    return lenient


@given(st.dictionaries(st.text(max_size=5), st.one_of(
    st.lists(st.binary(max_size=5), min_size=1, max_size=4),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=4),
    st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=4).map(lambda v: np.array(v, np.float32)),
), max_size=4))  # fmt: skip
@settings(max_examples=60)
def test_examples_come_back(features: dict[str, Any]) -> None:
    data = example(features)
    found = {key: values(data, *place)[1] for key, place in entries(data, 0, len(data)).items()}
    assert {k: list(v) for k, v in found.items()} == {k: list(v) for k, v in features.items()}


def test_lists_that_are_not_packed_and_unknown_fields() -> None:
    floats = b"".join(b"\x0d" + struct.pack("<f", value) for value in (1.5, -2))
    assert values(b"\x12" + bytes([len(floats)]) + floats, 0, len(floats) + 2)[1].tolist() == [1.5, -2]
    integers = b"\x08\x05\x08" + b"\xff" * 9 + b"\x01"
    assert values(b"\x1a" + bytes([len(integers)]) + integers, 0, len(integers) + 2)[1].tolist() == [5, -1]
    assert values(b"\x40\x01\x49" + bytes(8), 0, 11) == ("", [])
    assert values(b"", 0, 0) == ("", [])


def test_the_last_of_two_features_counts(tmp_path: Path) -> None:
    once, twice = example({"image/width": [5]}), example({"image/width": [7]})
    merged = b"\x0a" + bytes([len(once) + len(twice) - 4]) + once[2:] + twice[2:]
    assert values(merged, *entries(merged, 0, len(merged))["image/width"])[1].tolist() == [7]


@pytest.mark.parametrize("name", ["train.tfrecord", "train.record", "train.tfrecords", "train-00000-of-00002",
                                  "train.tfrecord-00001-of-00002.tfrecord"])  # fmt: skip
def test_names_of_files(tmp_path: Path, name: str) -> None:
    path = file(tmp_path, without(), name=name)
    assert mc.detect(path) == "tfrecord"
    (item,) = mc.read(path).items
    assert (item.subset, item.id) == ("train", "a")


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed(tmp_path: Path, pack: Any) -> None:
    path = file(tmp_path / "a", pack(without()), name="train.tfrecord")
    assert mc.detect(path) == "tfrecord"
    assert len(mc.read(path).items) == 1
    cut = pack(without())[:-6]
    with pytest.raises(mc.FormatError, match="truncated"):
        mc.read(file(tmp_path / "b", cut), "tfrecord")


def test_labels_without_a_table(tmp_path: Path) -> None:
    more = {"image__object__class__text": [b"dog"], "image__object__class__label": [4]}
    data = mc.read(file(tmp_path, without(), without(image__filename=[b"b.png"], **more), table=None))
    assert [(c.id, c.name) for c in data.schema] == [(1, "cat"), (4, "dog")]


def test_text_counts_before_number(tmp_path: Path) -> None:
    data = mc.read(file(tmp_path, without(image__object__class__label=[2])))
    assert [a.category_id for i in data.items for a in i.annotations] == [1]
    assert [(loss.what, loss.field) for loss in data.report] == [("category", "id")]


TABLES = [
    'item { name: "cat", id: 1 }  # comment\nitem: { id: 2; name: "d\\"og" display_name: "D" }',
    "item {\n  id: 1\n  name: 'cat'\n  keypoints { id: 3 label: 'nose' }\n}\nitem{id:2 name:'d\"' 'og'}",
]


@pytest.mark.parametrize("table", TABLES)
def test_tables(tmp_path: Path, table: str) -> None:
    data = mc.read(file(tmp_path / "in", without(), table=table)).load()
    assert [(c.id, c.name) for c in data.schema] == [(1, "cat"), (2, 'd"og')]
    mc.write(data, tmp_path / "out", "tfrecord", on_loss="ignore")
    again = mc.read(tmp_path / "out")
    assert [(c.name, c.extras) for c in again.schema] == [(c.name, c.extras) for c in data.schema]


def test_gaps_of_a_table(tmp_path: Path) -> None:
    data = mc.read(file(tmp_path / "a", without(), table="item { id: 3 name: 'cat' }"))
    assert [c.name for c in data.schema] == ["class_1", "class_2", "cat"]
    fails(file(tmp_path / "b", without(), table="item { id: 1 name: 'x' } item { id: 1 name: 'y' }"), "already")
    for at, bad in enumerate(("item { id: 1 name: 'x'", "item { id: x name: 'y' }",
                              "item { id: 9000000 name: 'y' }", "§")):  # fmt: skip
        with pytest.raises(mc.FormatError, match="label_map"):
            mc.read(file(tmp_path / f"c{at}", without(), table=bad), "tfrecord")


def test_missing_features_are_fine(tmp_path: Path) -> None:
    keys = ("image/filename", *(key for key in BASE if "object" in key))
    (item,) = mc.read(file(tmp_path, without(*keys))).items
    assert (item.id, item.path, item.annotations) == ("000000", None, [])


BAD: list[tuple[dict[str, Any], str]] = [
    ({"image__object__bbox__xmax": np.array([0.125], np.float32)}, "xmin"),
    ({"image__object__bbox__xmax": np.array([0.5, 0.6], np.float32)}, "2 values for 1 objects"),
    ({"image__object__class__label": [1, 2]}, "2 values for 1 objects"),
    ({"image__height": [b"10"]}, "image/height: expected a list of int"),
    ({"image__height": [1, 2]}, "expected one value"),
    ({"image__object__is_crowd": [1, 0, 1]}, "3 values"),
    ({"image__object__mask": [b"no png"]}, "mask"),
    ({"image__object__mask": [write_png(np.ones((3, 3), np.uint8))]}, "3 x 3"),
    ({"image__object__bbox__xmin": np.array([np.nan], np.float32)}, "xmin"),
]


@pytest.mark.parametrize(("more", "word"), BAD)
def test_bad_records(tmp_path: Path, more: dict[str, Any], word: str) -> None:
    good = without(image__filename=[b"good.png"])
    lenient = fails(file(tmp_path, without(**more), good), "train.tfrecord", "record 0", word)
    assert [i.id for i in lenient.items] == ["good"]


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    lenient = fails(file(tmp_path, without(image__object__class__text=[b"caf\xe9"])), "UTF-8")
    assert "café" in [c.name for c in lenient.schema]


def test_damaged_messages(tmp_path: Path) -> None:
    for at, payload in enumerate((b"\x0a\x7f", b"\x0a" + b"\xff" * 11, b"\x0b", b"\x0a\x04\x0a\x02\x0a\x09")):
        assert len(fails(file(tmp_path / str(at), without(), framed(payload)), "record 1", "offset").items) == 1


def test_cut_off_everywhere(tmp_path: Path) -> None:
    whole = without()
    for size in (1, 8, 11, 12, 20, len(whole) - 1):
        path = file(tmp_path / str(size), whole, whole[:size])
        with pytest.raises(mc.FormatError, match="truncated"):
            mc.read(path, "tfrecord")
        assert len(mc.read(path, "tfrecord", on_error="skip").items) == 1
        with pytest.raises(mc.FormatError):
            mc.read(file(tmp_path / f"x{size}", whole[:size]), "tfrecord", on_error="skip")


def test_a_length_beyond_the_file_takes_no_memory(tmp_path: Path) -> None:
    head = struct.pack("<Q", 2**62)
    path = file(tmp_path, head + struct.pack("<I", masked(head)) + b"rest")
    with pytest.raises(mc.FormatError, match="length"):
        mc.read(path, "tfrecord", on_error="skip")


def test_empty_files_are_empty_sets(tmp_path: Path) -> None:
    assert len(mc.read(file(tmp_path, b""), "tfrecord").items) == 0


def test_masks_of_both_forms(tmp_path: Path) -> None:
    pixels = np.zeros((10, 20), np.uint8)
    pixels[2:5, 3:9] = 255
    forms = ([write_png(pixels)], [write_png(np.dstack([pixels] * 3))], (pixels > 0).astype(np.float32).ravel())
    for at, form in enumerate(forms):
        (item,) = mc.read(file(tmp_path / str(at), without(image__object__mask=form))).items
        box, mask = item.annotations
        assert (box.kind, mask.rle.area, tuple(mask.rle.bbox)) == ("box", 18, (3, 2, 6, 3))
        assert box.group_id == mask.group_id == 1
        (item,) = mc.read(tmp_path / str(at), boxes="from_mask").items
        assert [(a.kind, a.group_id) for a in item.annotations] == [("mask", None)]


def test_everything_else_comes_back(tmp_path: Path) -> None:
    more = {
        "image__object__is_crowd": [1], "image__object__difficult": [0],
        "image__object__weight": np.array([0.3], np.float32),
        "image__object__area": np.array([7], np.float32), "image__class__text": [b"dog", b"cat"],
        "image__class__label": [2, 1], "image__caption": ["ü".encode()], "my__own": [-1, 5], "image__format": [b"png"],
        "image__encoded": [write_png(np.zeros((10, 20), np.uint8))], "image__source_id": [b"77"],
    }  # fmt: skip
    data = mc.read(file(tmp_path / "in", without(**more))).load()
    box, *rest = data.items[0].annotations
    assert (box.is_crowd, box.attributes) == (True, {"difficult": False, "weight": float(np.float32(0.3))})
    assert [(a.kind, a.category_id) for a in rest] == [("tag", 2), ("tag", 1), ("caption", None)]
    assert not len(mc.write(data, tmp_path / "out", "tfrecord"))
    first, second = ((tmp_path / d / "train.tfrecord").read_bytes() for d in ("in", "out"))
    found = [entries(data, 12, len(data) - 4) for data in (first, second)]
    assert found[1].keys() - found[0].keys() == {"image/key/sha256"}
    for key, (a, b) in found[0].items():
        c, d = found[1][key]
        assert first[a:b] == second[c:d], key


def test_features_of_objects_do_not_outlive_them(tmp_path: Path) -> None:
    data = mc.read(file(tmp_path / "in", without(image__object__area=np.array([7], np.float32)))).load()
    data.items[0].annotations.clear()
    report = mc.write(data, tmp_path / "out", "tfrecord", on_loss="ignore")
    assert [loss.field for loss in report] == ["extras.tfrecord.features"]


def test_the_size_of_the_image_counts(tmp_path: Path) -> None:
    data = mc.read(file(tmp_path, without(image__encoded=[write_png(np.zeros((5, 40), np.uint8))]))).load()
    assert (data.items[0].width, data.items[0].height) == (40, 5)
    assert [loss.field for loss in data.report] == ["width"]


def test_unknown_size(tmp_path: Path) -> None:
    data = mc.read(file(tmp_path / "in", without("image/height", "image/width"))).load()
    assert data.items[0].annotations[0].x1 == 0.5
    assert not len(mc.write(data, tmp_path / "out", "tfrecord"))
    back = mc.read(tmp_path / "out").load()
    back.items[0].extras = data.items[0].extras  # where the record lies in its file
    assert_datasets_equal(data, back)


def dataset(*annotations: mc.Annotation) -> mc.Dataset:
    return mc.Dataset(LabelSchema([Category(1, "é'\\\n"), Category(2, "b")]),
                      [mc.Item("a", path="a.png", width=7, height=4, annotations=list(annotations))])  # fmt: skip


def square(x: int, **more: Any) -> mc.Mask:
    pixels = np.zeros((4, 7), np.uint8)
    pixels[1:3, x : x + 2] = 1
    return mc.Mask(Rle.from_mask(pixels), category_id=1, **more)


def test_lone_masks_get_a_box(tmp_path: Path) -> None:
    report = mc.write(dataset(square(1)), tmp_path / "out", "tfrecord", on_loss="ignore")
    assert any(loss.action == "defaulted" and "box" in loss.reason for loss in report)
    box, mask = mc.read(tmp_path / "out").items[0].annotations
    assert (round(box.x0, 5), box.y0, round(box.x1, 5), box.y1, mask.rle.area) == (1, 1, 3, 3, 4)


def test_pairs_and_their_flags(tmp_path: Path) -> None:
    box = mc.Box(1, 1, 3, 3, category_id=1, group_id=9, occluded=True, attributes={"difficult": True})
    report = mc.write(dataset(box, square(1, group_id=9), mc.Box(0, 0, 7, 4, category_id=2, group_id=5)),
                      tmp_path / "out", "tfrecord", on_loss="ignore")  # fmt: skip
    assert {("approximated", "occluded"), ("dropped", "group_id")} <= {(loss.action, loss.field) for loss in report}
    found = mc.read(tmp_path / "out").items[0].annotations
    assert [(a.kind, a.group_id, a.occluded, a.attributes) for a in found] == [
        ("box", 1, True, {"difficult": True}), ("mask", 1, True, {"difficult": True}),
        ("box", None, False, {"difficult": False}),
    ]  # fmt: skip


def test_names_of_labels(tmp_path: Path) -> None:
    mc.write(dataset(), tmp_path / "a", "tfrecord", on_loss="ignore")
    assert [c.name for c in mc.read(tmp_path / "a", "tfrecord").schema] == ["é'\\\n", "b"]
    report = mc.write(dataset(), tmp_path / "b", "tfrecord", on_loss="ignore", ascii_only=True)
    assert ("renamed", "name") in {(loss.action, loss.field) for loss in report}


def test_without_masks(tmp_path: Path) -> None:
    mc.write(dataset(square(1)), tmp_path / "out", "tfrecord", on_loss="ignore", masks=False)
    assert [a.kind for a in mc.read(tmp_path / "out").items[0].annotations] == ["box"]


POINTS = "image/object/keypoint/"


def points(*rows: tuple[float, float, int], **more: Any) -> bytes:
    x, y, seen = (list(column) for column in zip(*rows, strict=True))
    named = {f"{POINTS}x": np.array(x, np.float32), f"{POINTS}y": np.array(y, np.float32), f"{POINTS}visibility": seen}
    return framed(example({**BASE, **named, **more}))


def test_key_points_belong_to_the_box_of_their_object(tmp_path: Path) -> None:
    table = "item { id: 1 name: 'cat' keypoints { id: 1 label: 'nose' } keypoints { id: 2 label: 'tail' } }"
    data = mc.read(file(tmp_path / "in", points((0.25, 0.5, 2), (0.5, 0.25, 1), (0, 0, 0)), table=table)).load()
    box, skeleton = data.items[0].annotations
    assert isinstance(skeleton, mc.Skeleton) and box.group_id == skeleton.group_id == 1
    assert (skeleton.xy.tolist(), skeleton.visibility) == ([[5, 5], [10, 2.5]], [2, 1])
    assert (skeleton.category_id, data.schema.by_id(1).keypoints) == (1, ["nose", "tail"])
    assert not len(mc.write(data, tmp_path / "out", "tfrecord"))
    again = mc.read(tmp_path / "out")
    item = again.items[0]
    assert [(a.kind, a.group_id) for a in item.annotations] == [("box", 1), ("skeleton", 1)]
    assert (item.annotations[1].xy.tolist(), item.annotations[1].visibility) == ([[5, 5], [10, 2.5]], [2, 1])
    assert again.schema.by_id(1).keypoints == ["nose", "tail"] and not again.schema.by_id(1).extras
    assert "keypoints { id: 2 label: 'tail' }" in (tmp_path / "out/label_map.pbtxt").read_text()


def test_key_points_without_visibility_are_visible_and_missing_ones_no_numbers(tmp_path: Path) -> None:
    named = {f"{POINTS}x": np.array([0.5, np.nan], np.float32), f"{POINTS}y": np.array([0.5, np.nan], np.float32)}
    data = mc.read(file(tmp_path, framed(example({**BASE, **named})))).load()
    skeleton = data.items[0].annotations[1]
    assert (skeleton.xy.tolist(), skeleton.visibility) == ([[10, 5], [0, 0]], [2, 0])


def test_an_object_without_labelled_points_has_no_skeleton(tmp_path: Path) -> None:
    data = mc.read(file(tmp_path, points((0.5, 0.5, 0)))).load()
    assert [a.kind for a in data.items[0].annotations] == ["box"] and data.items[0].annotations[0].group_id is None


@pytest.mark.parametrize(
    ("rows", "more", "words"),
    [
        (((0.5, 0.5, 3),), {}, ("expected 0, 1 or 2",)),
        (((np.inf, 0.5, 2),), {}, ("finite",)),
        (((np.nan, 0.5, 2),), {}, ("finite",)),
        (((0.5, 0.5, 2),), {f"{POINTS}y": np.array([], np.float32)}, ("1, 0 and 1 values",)),
        (((0.5, 0.5, 2),), {f"{POINTS}visibility": [2, 2]}, ("1, 1 and 2 values",)),
        (((0.5, 0.5, 2),), {"image/object/track/label": [1, 2]}, ("track/label", "2 values for 1 objects")),
        (((0.5, 0.5, 2),), {f"{POINTS}visibility": np.array([2], np.float32)}, ("expected a list of int",)),
    ],
)
def test_key_points_and_tracks_that_do_not_fit(tmp_path: Path, rows: Any, more: dict[str, Any], words: Any) -> None:
    fails(file(tmp_path, points(*rows, **more)), "record 0", *words)


def test_key_points_are_as_many_as_their_label_names(tmp_path: Path) -> None:
    table = "item { id: 1 name: 'cat' keypoints { label: 'nose' } }"
    fails(file(tmp_path / "a", points((0.5, 0.5, 2), (0.1, 0.1, 1)), table=table), "2 key points, its label names 1")
    table = "item { id: 1 name: 'cat' keypoints { label: 'nose' } keypoints { label: 'tail' } }"
    fails(file(tmp_path / "b", points((0.5, 0.5, 2)), table=table), "1 key points, its label names 2")


def test_points_of_unknown_visibility_are_visible(tmp_path: Path) -> None:
    item = mc.Item("a", path="a.png", width=8, height=8, annotations=[mc.Skeleton([[1, 2]], category_id=1)])
    data = mc.Dataset(LabelSchema([Category(1, "cat")]), [item])
    report = mc.write(data, tmp_path / "out", "tfrecord", on_loss="ignore")
    assert ("defaulted", "skeleton", "visibility") in {(loss.action, loss.what, loss.field) for loss in report}
    assert mc.read(tmp_path / "out").items[0].annotations[1].visibility == [2]


def test_tracks(tmp_path: Path) -> None:
    boxes = [mc.Box(0, 0, 1, 1, category_id=1, track_id=track) for track in (7, None, "a", -3, 2**63)]
    data = mc.Dataset(LabelSchema([Category(1, "cat")]), [mc.Item("a", path="a.png", width=4, height=4)])
    data.items[0].annotations = boxes
    report = mc.write(data, tmp_path / "out", "tfrecord", on_loss="ignore")
    assert [(loss.action, loss.field, loss.count) for loss in report] == [("dropped", "track_id", 3)]
    assert [a.track_id for a in mc.read(tmp_path / "out").items[0].annotations] == [7, None, None, None, None]
    report = mc.write(data, tmp_path / "bare", "tfrecord", tracks=False, on_loss="ignore")
    assert [(loss.action, loss.field, loss.count) for loss in report] == [("dropped", "track_id", 4)]
    assert b"track" not in (tmp_path / "bare/default.tfrecord").read_bytes()


def test_parts_of_an_object_on_writing(tmp_path: Path) -> None:
    xy, mask = np.array([[1.0, 2], [3, 1]]), Rle.from_box((1, 1, 2, 2), (8, 8))
    parts = [
        mc.Skeleton(xy, [2, 1], category_id=1, group_id=5, track_id=3),
        mc.Mask(mask, category_id=1, group_id=5),
        mc.Skeleton(xy, [0, 2], category_id=1),
        mc.Skeleton(xy, [0, 0], category_id=1),
        mc.Skeleton(xy[:1], [1], category_id=1),
        mc.Box(0, 0, 4, 4, category_id=1, group_id=6),
        mc.Skeleton(xy, [1, 1], category_id=2, group_id=6),
    ]
    item = mc.Item("a", path="a.png", width=8, height=8, annotations=parts)
    schema = LabelSchema([Category(1, "cat"), Category(2, "dog")])
    report = mc.write(mc.Dataset(schema, [item]), tmp_path / "out", "tfrecord", on_loss="ignore")
    found = mc.read(tmp_path / "out").items[0].annotations
    assert [(a.kind, a.group_id, a.track_id, a.category_id) for a in found] == [
        ("box", None, None, 1), ("box", 1, None, 1), ("mask", 1, None, 1), ("skeleton", 1, None, 1),
        ("box", 2, None, 1), ("skeleton", 2, None, 1), ("box", 3, None, 2), ("skeleton", 3, None, 2),
    ]  # fmt: skip
    assert (found[4].x0, found[4].y0, found[4].x1, found[4].y1) == (3, 1, 3, 1)  # of the point that is labelled
    told = {(loss.action, loss.what, loss.field, loss.count) for loss in report}
    assert {("dropped", "skeleton", "", 1), ("defaulted", "mask", "", 1), ("defaulted", "skeleton", "", 2)} <= told
    assert ("approximated", "skeleton", "track_id", 1) in told and ("dropped", "box", "group_id", 1) in told
