"""Every trap of CVAT XML by its number in section 6 of the description of the format, and what its section 7 calls bad.

Bad shapes and tracks one by one, strict and lenient, are in ``test_cvat.BAD_SHAPES`` and ``BAD_TRACKS``; here are the
cases that take more than a line, and those of whole files.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.model.geometry import box_corners
from tests.formats.test_cvat import (
    BONES,
    BOX,
    GOOD,
    LABELS,
    document,
    frames_of,
    image,
    one,
    read,
    row,
    sparse,
    tracked,
    written,
)

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

MASK = '<mask label="cat" rle="{}" left="2" top="1" width="{}" height="{}"/>'
SKELETON = '<skeleton label="man" {}><points label="left eye" outside="0" occluded="0" points="3,4"/>' \
           '<points label="nose" outside="0" occluded="0" points="1,2"/></skeleton>'  # fmt: skip


@pytest.mark.parametrize("runs", ["1, 2, 1, 4", "0, 8", "8"])
def test_trap_01_masks_one_too_small(runs: str) -> None:
    dataset = read(image(MASK.format(runs, 3, 1)))  # 4 x 2 pixels are meant
    (mask,) = dataset.items[0].annotations
    assert mask.rle.area == sum(map(int, runs.split(", ")[1::2]))
    assert [(loss.action, loss.field) for loss in dataset.report] == [("approximated", "rle")]


@pytest.mark.parametrize("size", [(4, 3), (2, 2), (4, 1), (3, 2)])
def test_trap_01_masks_of_neither_size(size: tuple[int, int]) -> None:
    body = image(GOOD + MASK.format("1, 2, 1, 4", *size))
    with pytest.raises(mc.FormatError, match="the runs of the mask cover 8 pixels"):
        read(body)
    dataset = read(body, on_error="skip")
    assert [a.kind for a in dataset.items[0].annotations] == ["box"] and dataset.report.total == 1


def test_trap_02_rows_not_columns() -> None:
    pixels = one(MASK.format("0, 3, 3", 3, 2)).rle.decode(window=(2, 1, 5, 3))
    assert pixels.tolist() == [[1, 1, 1], [0, 0, 0]]


def test_trap_03_tracks_inside_tracks() -> None:
    point = '<points frame="{}" keyframe="1" outside="{}" occluded="0" points="{},{}"/>'
    inner = '<track id="{}" label="{}">{}</track>'
    rows = '<skeleton frame="0" keyframe="1" outside="0" occluded="0" points="9,9;9,9"/>'
    nose = inner.format(1, "nose", point.format(0, 0, 1, 2) + point.format(1, 1, 1, 3))
    eye = inner.format(2, "left eye", point.format(0, 0, 3, 4))
    dataset = read(f'<track id="0" label="man">{rows}{nose}{eye}</track>', BONES)
    bones = tracked(dataset, 0)
    assert list(dataset.tracks) == [0]
    assert bones[0].xy.tolist() == [[1, 2], [3, 4]] and bones[0].visibility == [2, 2]


@pytest.mark.parametrize("more", ["", 'points="" rotation="0.00"', 'points="7,7;8,8"'])
def test_trap_04_old_skeletons_in_images(more: str) -> None:
    bones = one(SKELETON.format(more), BONES)
    assert (bones.kind, bones.xy.tolist()) == ("skeleton", [[1, 2], [3, 4]])


def test_trap_05_elements_in_any_order() -> None:
    shape = SKELETON.format("")
    nose, eye = re.findall(r"<points[^>]*/>", shape)[::-1]
    assert one(shape, BONES) == one(f'<skeleton label="man">{nose}{eye}</skeleton>', BONES)


def test_trap_06_the_end_of_a_track_is_written_on_the_last_frame(tmp_path: Path) -> None:
    text, report = written(frames_of([(1, 0)], [(1, 1)], []), tmp_path, "cvat_video")
    assert re.findall(r'frame="(\d)" keyframe="1" outside="(\d)"', text) == [("0", "0"), ("1", "0"), ("2", "1")]
    assert [(loss.action, loss.what, loss.field) for loss in report] == [("defaulted", "box", "")]
    back = mc.read(tmp_path / "out.xml").load()
    assert {f: a.outside for f, a in tracked(back, 1).items()} == {0: False, 1: False, 2: True}


def test_trap_07_tags_of_videos_and_tracks_of_images(tmp_path: Path) -> None:
    dataset = frames_of([(1, 0)], [])
    dataset.items[0].annotations.append(mc.Tag(category_id=1, origin="manual"))
    _, video = written(dataset, tmp_path, "cvat_video")
    assert [loss.count for loss in video if (loss.action, loss.what, loss.field) == ("dropped", "tag", "")] == [1]
    text, _ = written(dataset, tmp_path, "cvat_video", images=True)
    assert "<tag " in text and "<track " in text
    _, images = written(dataset, tmp_path, "cvat_images")
    assert ("box", "track_id") in {(loss.what, loss.field) for loss in images}
    mixed = image('<tag label="cat"/>') + f'<track id="0" label="cat">{BOX.format(0)}</track>'
    assert [a.kind for a in mc.read(document(mixed), "cvat_video").items[0].annotations] == ["tag", "box"]


@pytest.mark.parametrize("source", ["manual", "auto", "semi-auto", "file", "x"])
def test_trap_08_where_a_shape_comes_from_is_kept(tmp_path: Path, source: str) -> None:
    dataset = read(image(GOOD.replace("<box", f'<box source="{source}"')))
    text, _ = written(dataset, tmp_path, "cvat_images")
    assert dataset.items[0].annotations[0].origin == source and f'source="{source}"' in text


@pytest.mark.parametrize("task", ["", LABELS])
def test_trap_09_kinds_that_peers_skip(task: str) -> None:
    corners = " ".join(f'{a}{c}{f}="1"' for f in "12" for c in ("tl", "bl", "tr", "br") for a in "xy")
    shapes = f'<ellipse label="cat" cx="3" cy="2" rx="2" ry="1" rotation="30"/><cuboid label="cat" {corners}/>' \
             + MASK.format("0, 4", 2, 2)  # fmt: skip
    (item,) = read(image(shapes), task).items
    assert [a.kind for a in item.annotations] == ["ellipse", "cuboid2d", "mask"]
    assert item.annotations[0].rotation == 30


def test_trap_09_projects_without_subsets() -> None:
    tasks = "<tasks><task><id>5</id><name>t</name></task></tasks>"
    data = document(image(GOOD), "").replace(
        b"<annotations>", f"<annotations><meta><project>{LABELS}{tasks}</project></meta>".encode()
    )
    (item,) = mc.read(data).items
    assert (item.subset, len(item.annotations)) == ("default", 1)


def test_trap_10_boxes_turn_clockwise_and_are_not_rounded() -> None:
    box = one('<box label="cat" xtl="2.25" ytl="1" xbr="6.25" ybr="3" rotation="90"/>')
    assert np.allclose(box_corners(box)[0], [5.25, 0])  # what was top left is top right
    assert (box.x0, box.rotation) == (2.25, 90)


@pytest.mark.parametrize(("first", "last", "middle"), [(0, 180, 90), (90, 270, 180), (350, 10, 0), (10, 350, 0)])
def test_trap_11_turns_between_key_frames(first: int, last: int, middle: int) -> None:
    shapes = tracked(sparse(row(0, 0, rotation=first), row(2, 0, rotation=last)), 7)
    assert shapes[1].rotation % 360 == middle


def test_trap_12_labels_that_are_missing_or_not_listed() -> None:
    for none in ('label=""', ""):
        assert one(f'<points {none} points="1,2"/>').category_id is None
    assert [c.name for c in read(image('<tag label="good_frame"/>')).schema] == ["cat", "good_frame"]
    shape, track = GOOD.replace("cat", "dog"), f'<track id="1" label="dog">{BOX.format(0)}</track>'
    for body in (image(GOOD + shape), image(GOOD) + track):
        assert [c.name for c in read(body, "").schema] == ["cat", "dog"]
        with pytest.raises(mc.FormatError, match="expected one of the listed labels, got 'dog'"):
            read(body)
        dataset = read(body, on_error="skip")
        assert [a.category_id for item in dataset.items for a in item.annotations] == [1]
        assert [(loss.action, loss.count) for loss in dataset.report] == [("unread", 1)]


def test_trap_13_the_task_of_an_image_is_no_identity(tmp_path: Path) -> None:
    body = "".join(f'<image id="{n}" task_id="39" subset="{s}" name="a.png" width="2" height="2"/>'
                   for s in ("Train", "Test") for n in (0,))  # fmt: skip
    dataset = read(body)
    assert [(i.subset, i.id) for i in dataset.items] == [("Train", "a"), ("Test", "a")]
    text, _ = written(dataset, tmp_path, "cvat_images")
    assert text.count('task_id="39"') == 2


def test_trap_14_states_that_the_importer_asks_for(tmp_path: Path) -> None:
    shape = SKELETON.format("").replace("<skeleton", '<skeleton frame="0"')
    dataset = read(f'<track id="0" label="man">{shape}</track>', BONES)
    text, _ = written(dataset, tmp_path, "cvat_video")
    (head,) = re.findall("<skeleton[^>]*>", text)
    assert "keyframe=" in head and "frame=" in head
    points = re.findall("<points[^>]*>", text)
    assert len(points) == 2 and all(f"{name}=" in row for row in points for name in ("keyframe", "outside", "occluded"))
    text, _ = written(dataset, tmp_path, "cvat_images")
    assert all(f"{name}=" in row for row in re.findall("<points[^>]*>", text) for name in ("outside", "occluded"))


# --- bad input --------------------------------------------------------------------------------------------------------
SHAPES = {
    "negative ry": ('<ellipse label="cat" cx="1" cy="1" rx="1" ry="-1"/>', "ry: expected a half axis"),
    "non-numeric": (GOOD.replace('"1"', '"one"'), "xtl: expected a finite number, got 'one'"),
    "infinite": (GOOD.replace('"1"', '"-inf"'), "xtl: expected a finite number, got '-inf'"),
    "sub-label outside its skeleton":
        ('<points label="nose" points="1,2"/>', "label: expected one of the listed labels"),
    "sub-label of another skeleton":
        ('<skeleton label="cat"><points label="nose" points="1,2"/></skeleton>', "expected the points"),
    "runs that are no numbers": (MASK.format("1, x, 7", 4, 2), "rle: expected run lengths"),
    "mask below the image": (MASK.replace('top="1"', 'top="5"').format("0, 8", 4, 2), "the mask is outside"),
    "mask left of the image": (MASK.replace('left="2"', 'left="-2"').format("0, 8", 4, 2), "the mask is outside"),
    "sizes that are no numbers": (MASK.format("0, 8", "x", 2), "width: expected"),
}  # fmt: skip


@pytest.mark.parametrize("case", SHAPES)
def test_bad_shape(case: str) -> None:
    shape, message = SHAPES[case]
    body = image(GOOD + shape + GOOD)
    with pytest.raises(mc.FormatError, match=re.escape(message)) as caught:
        read(body, BONES)
    assert "image 0 (a.png)" in str(caught.value)
    dataset = read(body, BONES, on_error="skip")
    assert [a.kind for a in dataset.items[0].annotations] == ["box", "box"]
    assert [(loss.action, loss.count) for loss in dataset.report] == [("unread", 1)]


ENTITY = b'<!DOCTYPE annotations [<!ENTITY a "b">]><annotations><image id="0" name="&a;"/></annotations>'
FATAL = {
    "wrong root": (document(image(GOOD), root="dataset"), "the root element is 'dataset'"),
    "not well-formed": (document(image(GOOD)).replace(b"</image>", b""), "line"),
    "cut off": (document(image(GOOD))[:-20], "line"),
    "entity": (ENTITY, "DOCTYPE|entity|entities|DTD"),
    "no bytes": (b"", "empty"),
}


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("case", FATAL)
def test_bad_file(case: str, on_error: str) -> None:
    data, message = FATAL[case]
    with pytest.raises(mc.FormatError, match=f"(?i){message}"):
        mc.read(data, "cvat", on_error=on_error).load()


@pytest.mark.parametrize("bad", ['id="1" width="2"', 'id="x" name="b.png"', 'id="1" name="b.png" width="-2"'])
def test_bad_image_is_skipped_alone(bad: str) -> None:
    body = image(GOOD) + f"<image {bad}/>"
    with pytest.raises(mc.FormatError):
        read(body)
    dataset = read(body, on_error="skip")
    assert [i.id for i in dataset.items] == ["a"] and dataset.report.total == 1


def test_runs_of_no_length_are_legal_anywhere() -> None:
    assert one(MASK.format("0, 0, 0, 2, 0, 0, 1, 1", 2, 2)).rle == one(MASK.format("0, 2, 1, 1", 2, 2)).rle


def test_attributes_of_tracks_are_lost_only_where_their_shapes_do_not_say_them(tmp_path: Path) -> None:
    dataset = frames_of([(1, 0)], [(1, 1)])
    for item in dataset.items:
        item.annotations[0].attributes = {"doors": "4", "side": item.id}
    values = {"doors": "4", "side": dataset.items[0].id, "colour": "red"}
    dataset.tracks = {1: mc.Track(1, 1, values, {"other": {"k": 1}})}
    for to in ("cvat_video", "coco_instances"):
        report = mc.write(dataset, tmp_path / to, to, on_loss="ignore")
        told = {(loss.action, loss.field) for loss in report if loss.what == "track"}
        assert told == {("dropped", "attributes.side"), ("dropped", "attributes.colour"), ("dropped", "extras.other.k")}
        assert report == mc.plan(dataset, to)
