"""CVAT XML: quirks of the format, bad input, tracks, what the writers keep and report."""

from __future__ import annotations

import json
import os
import re
import subprocess
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec import registry
from maskcodec.formats._shared.lines import two_decimals
from maskcodec.formats.cvat_xml.attributes import typed, value_text
from maskcodec.testing import assert_datasets_equal
from tests.zoo import simple, zoo

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

LABELS = "<labels><label><name>cat</name></label></labels>"
BONES = (
    "<labels><label><name>cat</name></label><label><name>man</name><type>skeleton</type><svg>"
    "&lt;line data-type='edge' data-node-from='1' data-node-to='3'&gt;&lt;/line&gt;"
    "&lt;circle data-node-id='3' data-label-name='left eye'/&gt;&lt;circle data-node-id='1' data-label-name='nose'/&gt;"
    "</svg></label><label><name>nose</name><type>points</type><parent>man</parent></label>"
    "<label><name>left eye</name><type>points</type><parent>man</parent></label></labels>"
)


def document(body: str, task: str = LABELS, root: str = "annotations") -> bytes:
    meta = f"<meta><task>{task}</task></meta>" if task else ""
    return f'<?xml version="1.0" encoding="utf-8"?>\n<{root}>{meta}\n{body}\n</{root}>'.encode()


def image(shapes: str, size: str = 'width="8" height="6"') -> str:
    return f'<image id="0" name="a.png" {size}>{shapes}</image>'


def read(body: str, task: str = LABELS, **options) -> mc.Dataset:
    return mc.read(document(body, task), "cvat", **options).load()


def one(shape: str, task: str = LABELS, **options) -> mc.Annotation:
    ((annotation,),) = [item.annotations for item in read(image(shape), task, **options).items]
    return annotation


def written(dataset: mc.Dataset, tmp_path, name: str, **options) -> tuple[str, mc.LossReport]:
    report = mc.write(dataset, tmp_path / "out.xml", name, on_loss="ignore", overwrite=True, **options)
    return (tmp_path / "out.xml").read_text("utf-8"), report


def tracked(dataset: mc.Dataset, track) -> dict[int, mc.Annotation]:
    return {item.frame: a for item in dataset.items for a in item.annotations if a.track_id == track}


# --- names ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "task", "name"),
    [
        (image(""), LABELS, "cvat_images"),
        ('<track id="0" label="cat"><box frame="0" xtl="0" ytl="0" xbr="1" ybr="1"/></track>', LABELS, "cvat_video"),
        (image("") + '<track id="0" label="cat"><box frame="0" xtl="0" ytl="0" xbr="1" ybr="1"/></track>', "",
         "cvat_xml"),
        ("", LABELS, "cvat_images"),
        ("", "<mode>interpolation</mode>", "cvat_video"),
        ("<version>1.1</version>", "", "cvat_images"),
    ],
)  # fmt: skip
def test_names_by_content(body, task, name):
    data = document(body, task)
    assert mc.detect(data) == name
    assert mc.read(data).source.format == name
    assert mc.read(data, "cvat").source.format == name


@pytest.mark.parametrize(
    "data", [b"<annotations/>", b"<annotation><size/></annotation>", b"<annotations><x/></annotations>"]
)
def test_other_xml_is_something_else(data):
    if data == b"<annotations/>":
        assert not list(mc.read(data, "cvat").items)
        return
    with pytest.raises(mc.UnknownFormatError):
        mc.detect(data)


def test_aliases():
    for alias, name in (("CVAT 1.1", "cvat_images"), ("CVAT for images 1.1", "cvat_images"),
                        ("CVAT for video 1.1", "cvat_video"), ("cvat", "cvat_xml")):  # fmt: skip
        assert registry.get_format(alias) is mc.formats()[name]


def test_every_name_reads_every_child():
    body = image('<tag label="cat"/>') + (
        '<track id="5" label="cat"><box frame="0" keyframe="1" outside="0" occluded="0" '
        'xtl="0" ytl="0" xbr="1" ybr="1"/></track>'
    )
    for name in ("cvat_images", "cvat_video", "cvat_xml"):
        (item,) = mc.read(document(body), name).items
        assert [a.kind for a in item.annotations] == ["tag", "box"]
        assert (item.id, item.path, item.frame) == ("a", "a.png", 0)


# --- shapes -----------------------------------------------------------------------------------------------------------
def test_mask_is_row_major_over_its_crop():
    rle = one('<mask label="cat" rle="1, 2, 1, 4" left="2" top="1" width="4" height="2"/>').rle
    assert sorted(zip(*np.nonzero(rle.decode()), strict=True)) == [(1, 3), (1, 4), (2, 2), (2, 3), (2, 4), (2, 5)]


@given(st.data())
def test_masks_against_rows_of_pixels(data):
    h, w = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 8))
    bits = data.draw(st.lists(st.booleans(), min_size=h * w, max_size=h * w))
    runs, last = [0], False
    for bit in bits:
        if bit != last:
            runs.append(0)
        runs[-1] += 1
        last = bit
    at = data.draw(st.integers(0, len(runs)))
    runs[at:at] = [0, 0]  # runs of no length are legal anywhere
    shape = f'<mask label="cat" rle="{", ".join(map(str, runs))}" left="1" top="2" width="{w}" height="{h}"/>'
    (item,) = read(image(shape, 'width="10" height="9"')).items
    expected = np.zeros((9, 10), bool)
    expected[2 : 2 + h, 1 : 1 + w] = np.array(bits).reshape(h, w)
    assert (item.annotations[0].rle.decode().astype(bool) == expected).all()


def test_masks_whose_size_is_one_too_small_are_recovered():
    dataset = read(image('<mask label="cat" rle="1, 2, 1, 4" left="2" top="1" width="3" height="1"/>'))
    assert dataset.items[0].annotations[0].rle.area == 6
    assert [(loss.action, loss.field, loss.count) for loss in dataset.report] == [("approximated", "rle", 1)]


def test_mask_in_an_image_of_unknown_size():
    dataset = read(
        '<image id="0" name="a.png"><mask label="cat" rle="0, 4" left="2" top="1" width="2" height="2"/></image>'
    )
    assert dataset.items[0].annotations[0].rle.shape == (3, 4)
    assert {loss.what for loss in dataset.report} == {"mask", "item"}


def test_cuboid_keeps_the_order_of_the_file():
    names = [f"{a}{c}{f}" for f in "12" for c in ("tl", "bl", "tr", "br") for a in "xy"]
    pairs = " ".join(f'{name}="{n}"' for n, name in enumerate(names))
    assert one(f'<cuboid label="cat" {pairs}/>').points.ravel().tolist() == list(range(16))


def test_missing_attributes_have_their_meaning():
    box = one('<box xtl="0" ytl="0" xbr="1" ybr="1"/>')
    assert (box.category_id, box.origin, box.occluded, box.z_order, box.rotation, box.group_id) == (
        None, "manual", False, 0, 0, None,
    )  # fmt: skip
    assert one('<points label="" points="1,2;"/>').category_id is None


def test_attributes_are_typed_by_their_definitions():
    spec = "<attribute><name>{}</name><mutable>False</mutable><input_type>{}</input_type>" \
           "<default_value>{}</default_value><values>{}</values></attribute>"  # fmt: skip
    specs = [("b", "checkbox", "false", "false"), ("n", "number", "1", "0\n9"), ("i", "number", "1", "0\n9\n1"),
             ("s", "select", "light blue", "light blue"), ("r", "radio", "x", "x y"),
             ("t", "text", "", "")]  # fmt: skip
    inner = "".join(spec.format(*s) for s in specs)
    task = f"<labels><label><name>cat</name><attributes>{inner}</attributes></label></labels>"
    values = {"b": "True", "n": "4", "i": "4", "s": "red", "r": "y", "t": " 007 ", "?": "1"}
    inner = "".join(f'<attribute name="{name}">{text}</attribute>' for name, text in values.items())
    body = image(f'<tag label="cat">{inner}</tag>')
    dataset = read(body, task)
    found = dataset.items[0].annotations[0].attributes
    assert found == {"b": True, "n": 4.0, "i": 4, "s": "red", "r": "y", "t": " 007 ", "?": "1"}
    assert (type(found["n"]), type(found["i"])) == (float, int)
    kinds = {s.name: (s.type, s.values, s.default) for s in dataset.schema.categories[0].attributes}
    assert kinds == {"b": ("bool", [], False), "n": ("float", [0.0, 9.0], 1.0), "i": ("int", [0, 9], 1),
                     "s": ("select", ["light blue"], "light blue"), "r": ("select", ["x", "y"], "x"),
                     "t": ("text", [], None)}  # fmt: skip
    assert [loss.field for loss in dataset.report] == ["attributes.s"]


def test_texts_of_attributes_come_back(tmp_path):
    task = (
        "<labels><label><name>cat</name><attributes><attribute><name>b</name><mutable>True</mutable>"
        "<input_type>checkbox</input_type><default_value>False</default_value><values>x</values></attribute>"
        "<attribute><name>n</name><mutable>True</mutable><input_type>number</input_type>"
        "<default_value>1.50</default_value><values>0\n9\n0.5</values></attribute>"
        "<attribute><name>s</name><mutable>True</mutable><input_type>radio</input_type>"
        "<default_value></default_value><values>a\nb</values></attribute></attributes></label></labels>"
    )
    body = image('<tag label="cat"><attribute name="b">True</attribute><attribute name="n">2.50</attribute></tag>')
    text, report = written(read(body, task), tmp_path, "cvat_images")
    assert not len(report)
    for piece in ('<attribute name="b">True<', '<attribute name="n">2.50<', "<default_value>False<", "<values>x<",
                  "<default_value>1.50<", "<values>0\n9\n0.5<", "<input_type>radio<", "<default_value></"):  # fmt: skip
        assert piece in text


def test_skeleton_points_are_ordered_by_node_number():
    shape = (
        '<skeleton label="man"><points label="left eye" outside="1" occluded="0" points="3,4"/>'
        '<points label="nose" outside="0" occluded="1" points="1,2"/></skeleton>'
    )
    bones = one(shape, BONES)
    assert (bones.xy.tolist(), bones.visibility) == ([[1, 2], [3, 4]], [1, 0])
    dataset = read(image(shape), BONES)
    assert (dataset.schema.categories[1].keypoints, dataset.schema.categories[1].skeleton) == (
        ["nose", "left eye"],
        [(1, 2)],
    )


def test_labels_that_no_list_names():
    body = image('<box label="b" xtl="0" ytl="0" xbr="1" ybr="1"/><tag label="a"/>')
    for task in ("", "<name>x</name>"):
        dataset = read(body, task)
        assert [c.name for c in dataset.schema] == ["b", "a"]
        assert [(loss.action, loss.what) for loss in dataset.report] == [("defaulted", "category")]
    dataset = read(image('<tag label="good_frame"/>'))
    assert [c.name for c in dataset.schema] == ["cat", "good_frame"]


# --- bad input --------------------------------------------------------------------------------------------------------
GOOD = '<box label="cat" xtl="1" ytl="1" xbr="2" ybr="2"/>'
BAD_SHAPES = {
    "xbr: expected at least 3.0": '<box label="cat" xtl="3" ytl="1" xbr="2" ybr="2"/>',
    "ybr: expected at least": '<box label="cat" xtl="1" ytl="3" xbr="2" ybr="2"/>',
    "xtl: the required attribute is missing": '<box label="cat" ytl="1" xbr="2" ybr="2"/>',
    "xtl: expected a finite number, got 'nan'": '<box label="cat" xtl="nan" ytl="1" xbr="2" ybr="2"/>',
    "xtl: expected a finite number, got '1e999'": '<box label="cat" xtl="1e999" ytl="1" xbr="2" ybr="2"/>',
    "xtl: expected a finite number, got '1_0'": '<box label="cat" xtl="1_0" ytl="1" xbr="2" ybr="2"/>',
    "rotation: expected a finite": '<box label="cat" xtl="1" ytl="1" xbr="2" ybr="2" rotation="x"/>',
    "z_order: expected a whole": '<box label="cat" xtl="1" ytl="1" xbr="2" ybr="2" z_order="0.5"/>',
    "occluded: expected 0 or 1": '<box label="cat" xtl="1" ytl="1" xbr="2" ybr="2" occluded="2"/>',
    "rx: expected a half axis": '<ellipse label="cat" cx="1" cy="1" rx="-1" ry="1"/>',
    "at least 3 points": '<polygon label="cat" points="1,1;2,2"/>',
    "at least 2 points": '<polyline label="cat" points="1,1"/>',
    "points: expected pairs": '<points label="cat" points=""/>',
    "points: expected pairs x,y": '<polygon label="cat" points="1,1;2;3,3"/>',
    "points: expected finite": '<polygon label="cat" points="1,1;2,1e999;3,3"/>',
    "got '1,1;2,nan;3,3'": '<polygon label="cat" points="1,1;2,nan;3,3"/>',
    "points: the required": '<polygon label="cat"/>',
    "xtl1: the required": '<cuboid label="cat"/>',
    "rle: expected run": '<mask label="cat" rle="1, -2, 9" left="0" top="0" width="2" height="4"/>',
    "rle: expected run lengths, got '1.5": '<mask label="cat" rle="1.5, 2" left="0" top="0" width="2" height="4"/>',
    "rle: the runs of the mask cover 7 pixels, its box has 8":
        '<mask label="cat" rle="7" left="0" top="0" width="2" height="4"/>',
    "left: the mask is outside": '<mask label="cat" rle="0, 8" left="7" top="0" width="2" height="4"/>',
    "top: the mask is outside": '<mask label="cat" rle="0, 8" left="0" top="-1" width="2" height="4"/>',
    "label: expected one of the listed labels, got 'dog'": '<box label="dog" xtl="1" ytl="1" xbr="2" ybr="2"/>',
    "unknown element 'circle'": '<circle label="cat" r="2"/>',
    "unknown element 'x'": '<box label="cat" xtl="1" ytl="1" xbr="2" ybr="2"><x/></box>',
    "attribute name is missing": '<tag label="cat"><attribute>1</attribute></tag>',
    "points ear: expected the points": '<skeleton label="man"><points label="ear" points="1,1"/></skeleton>',
    "box nose: expected the points": '<skeleton label="man"><box label="nose"/></skeleton>',
}  # fmt: skip


@pytest.mark.parametrize("message", BAD_SHAPES)
def test_bad_shapes(message):
    body = image(f"\n{GOOD}\n{BAD_SHAPES[message]}\n{GOOD}")
    with pytest.raises(mc.FormatError, match=re.escape(message)) as caught:
        read(body, BONES)
    assert "line 5: image 0 (a.png): " in str(caught.value).replace(
        "line 3: image 0 (a.png)", "line 5: image 0 (a.png)"
    )
    assert caught.value.file == "data"
    dataset = read(body, BONES, on_error="skip")
    assert [a.kind for a in dataset.items[0].annotations] == ["box", "box"]
    assert [(loss.action, loss.count) for loss in dataset.report] == [("unread", 1)]
    list(dataset.items)
    assert dataset.report.total == 1


BOX = '<box frame="{}" keyframe="1" outside="0" occluded="0" xtl="1" ytl="1" xbr="2" ybr="2"/>'
BAD_TRACKS = {
    "track 3: box: frame: the required": '<track id="3" label="cat">{}<box xtl="1" ytl="1" xbr="2" ybr="2"/></track>',
    "track 3: box: frame: expected a frame, got '-1'": f'<track id="3" label="cat">{{}}{BOX.format(-1)}</track>',
    "frame 0 twice in one track": f'<track id="3" label="cat">{{}}{BOX.format(0)}</track>',
    "keyframe: expected 0 or 1":
        '<track id="3" label="cat">{}<box frame="1" keyframe="x" xtl="1" ytl="1" xbr="2" ybr="2"/></track>',
    "xbr: expected": '<track id="3" label="cat">{}<box frame="1" xtl="3" ytl="1" xbr="2" ybr="2"/></track>',
    "unknown element 'circle'": '<track id="3" label="cat">{}<circle frame="1"/></track>',
}  # fmt: skip


@pytest.mark.parametrize("message", BAD_TRACKS)
def test_bad_shapes_of_tracks(message):
    body = BAD_TRACKS[message].format(BOX.format(0))
    with pytest.raises(mc.FormatError, match=re.escape(message)) as caught:
        read(body)
    assert "line 3: track 3" in str(caught.value)
    dataset = read(body, on_error="skip")
    assert [a.kind for item in dataset.items for a in item.annotations] == ["box"]
    assert [(loss.action, loss.count) for loss in dataset.report] == [("unread", 1)]


@pytest.mark.parametrize(
    ("track", "message"),
    [('<track id="4" label="cat"></track>', "line 3: track 4: a track without any shape"),
     (f'<track id="4" label="dog">{BOX.format(0)}</track>', "track 4: label: expected one of the listed labels")],
)  # fmt: skip
def test_bad_tracks(track, message):
    body = track + f'<track id="5" label="cat">{BOX.format(0)}</track>'
    with pytest.raises(mc.FormatError, match=re.escape(message)):
        read(body)
    dataset = read(body, on_error="skip")
    assert [a.track_id for item in dataset.items for a in item.annotations] == [5]
    assert dataset.report.total == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (document("", root="dataset"), "the root element is 'dataset', expected annotations"),
        (document(image(""))[:-20], "line"),
        (b"", "empty"),
        (document('<image id="0" width="2" height="2"/>'), "name: the required attribute"),
        (document('<image id="x" name="a" width="2" height="2"/>'), "id: expected"),
        (document('<image id="0" name="a" width="-2" height="2"/>'), "width: expected a size"),
        (document("", "<labels><label><name>a</name></label><label><name>a</name></label></labels>"), "label twice"),
        (document("", "<labels><label><name>a</name><parent>b</parent></label></labels>"), "no label of the name 'b'"),
        (document("", "<size>2</size><frame_filter>step=0</frame_filter>"), "frame_filter: expected step=N"),
    ],
)
def test_bad_files(data, message):
    with pytest.raises(mc.FormatError, match=message):
        list(mc.read(data, "cvat").items)


def test_an_image_without_number_or_size_is_read_and_reported():
    dataset = read('<image name="b.png"/><image name="c.png" width="0" height="0" id="1"/>')
    assert [(i.frame, i.width) for i in dataset.items] == [(0, None), (1, None)]
    assert sorted(loss.field for loss in dataset.report) == ["id", "width"]


def test_unknown_elements_beside_images_are_reported():
    dataset = read(image(GOOD) + "<relations><x/></relations>")
    assert [(loss.action, loss.field) for loss in dataset.report] == [("unread", "relations")]


# --- names and subsets ------------------------------------------------------------------------------------------------
def test_names_that_share_a_stem():
    body = "".join(f'<image id="{n}" name="{name}" width="1" height="1"/>' for n, name in
                   enumerate(["a/b.png", "a/b.jpg", "c.png", "c.png", "d"]))  # fmt: skip
    assert [i.id for i in read(body).items] == ["a/b.png", "a/b.jpg", "c.png#2", "c.png#3", "d"]


def test_subsets(tmp_path):
    (tmp_path / "train.xml").write_bytes(document(image(GOOD)))
    (tmp_path / "val.xml").write_bytes(document(image(GOOD), LABELS + "<subset>test</subset>"))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "annotations.xml").write_bytes(document(image(GOOD).replace("<image", '<image subset="x"')))
    (tmp_path / "other.xml").write_bytes(b"<other/>")
    dataset = mc.read(tmp_path)
    assert [(i.subset, i.id) for i in dataset.items] == [("x", "a"), ("train", "a"), ("test", "a")]
    assert len(dataset.schema) == 1
    assert len(dataset.extras["cvat_xml"]["metas"]) == 3
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(tmp_path / "train.xml", "deep/annotations.xml")
    assert [i.subset for i in mc.read(tmp_path / "all.zip").items] == ["default"]


def test_names_without_extension_find_their_picture(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "frame_000000.PNG").write_bytes(b"not looked at")
    body = '<image id="0" name="frame_000000" width="3" height="2"/>'
    (tmp_path / "annotations.xml").write_bytes(document(body))
    dataset = mc.read(tmp_path).load()
    (item,) = dataset.items
    assert (item.id, item.path) == ("frame_000000", "frame_000000.PNG")
    text, report = written(dataset, tmp_path, "cvat_images")
    assert 'name="frame_000000"' in text
    assert not len(report)


# --- tracks -----------------------------------------------------------------------------------------------------------
def sparse(*rows: str, task: str = "<start_frame>0</start_frame><stop_frame>10</stop_frame>", **options) -> mc.Dataset:
    return read(
        f'<track id="7" label="cat" source="auto" group_id="4">{"".join(rows)}</track>', LABELS + task, **options
    )


def row(frame: int, x: float, **more) -> str:
    pairs = " ".join(f'{k}="{v}"' for k, v in {"keyframe": 1, "outside": 0, "occluded": 0, **more}.items())
    return f'<box frame="{frame}" {pairs} xtl="{x}" ytl="0" xbr="{x + 1}" ybr="1"/>'


def test_sparse_key_frames_are_filled():
    shapes = tracked(sparse(row(0, 0, rotation=350), row(4, 8, rotation=10), row(6, 8, outside=1), row(9, 3)), 7)
    assert list(shapes) == [0, 1, 2, 3, 4, 5, 6, 9]
    assert [shapes[f].x0 for f in range(5)] == [0, 2, 4, 6, 8]
    assert [shapes[f].rotation for f in range(5)] == [350, 355, 0, 5, 10]
    assert [f for f, s in shapes.items() if s.keyframe] == [0, 4, 6, 9]
    assert {(s.origin, s.group_id) for s in shapes.values()} == {("auto", 4)}
    stored = sparse(row(0, 0), row(4, 8), frames="stored")
    assert list(tracked(stored, 7)) == [0, 4]
    stepped = sparse(row(0, 0), row(6, 6), task="<start_frame>0</start_frame><stop_frame>9</stop_frame>"
                     "<frame_filter>step=3</frame_filter>")  # fmt: skip
    assert {f: s.x0 for f, s in tracked(stepped, 7).items()} == {0: 0, 3: 3, 6: 6}
    with pytest.raises(ValueError, match="frames is"):
        sparse(frames="some")


def test_frames_beyond_the_task_are_added_and_reported():
    dataset = sparse(row(0, 0), row(1, 1), task="<size>1</size>")
    assert [i.frame for i in dataset.items] == [0, 1]
    assert [(loss.action, loss.field) for loss in dataset.report] == [("defaulted", "frame")]
    assert [i.frame for i in sparse(row(5, 0), task="").items] == [5]


def test_track_ids():
    body = "".join(
        f'<track {head} label="cat">{BOX.format(0)}</track>' for head in ('id="1"', "", 'id="1" subset="s"', 'id="k"')
    )
    dataset = read(body)
    assert list(dataset.tracks) == [1, 0, ("s", None, 1, 1), "k"]
    assert [(i.subset, [a.track_id for a in i.annotations]) for i in dataset.items] == [
        ("default", [1, 0, "k"]),
        ("s", [1]),
    ]


def test_tags_in_tracks():
    dataset = read('<track id="1" label="cat"><tag frame="0" keyframe="1"/></track>')
    assert [(a.kind, a.track_id) for a in dataset.items[0].annotations] == [("tag", 1)]


def frames_of(*boxes: list[tuple[int, int]]) -> mc.Dataset:
    """A data set with a box (track, x) list for every frame."""
    items = [
        mc.Item(f"frame_{n:06d}", f"frame_{n:06d}", width=20, height=20, frame=n, annotations=[
            mc.Box(x, 0, x + 1, 1, category_id=1, track_id=t, keyframe=True, origin="manual") for t, x in row])
        for n, row in enumerate(boxes)
    ]  # fmt: skip
    return mc.Dataset(mc.LabelSchema([mc.Category(1, "cat")]), mc.ItemList(items))


def test_a_track_that_is_over_is_ended_on_the_next_frame(tmp_path):
    text, report = written(frames_of([(1, 0), (2, 5)], [(2, 5)], [(2, 5), (1, 3)]), tmp_path, "cvat_video")
    assert [(loss.action, loss.what, loss.field, loss.count) for loss in report] == [
        ("approximated", "item", "annotations", 1), ("defaulted", "box", "", 1),
    ][::-1]  # fmt: skip
    rows = re.findall(r'<box frame="(\d+)" keyframe="(\d)" outside="(\d)"', text)
    assert rows == [
        ("0", "1", "0"),
        ("1", "1", "1"),
        ("2", "1", "0"),
        ("0", "1", "0"),
        ("1", "1", "0"),
        ("2", "1", "0"),
    ]


def test_a_track_without_key_frames_gets_them_on_every_frame(tmp_path):
    dataset = frames_of(*[[(1, n)] for n in range(3)])
    for item in dataset.items:
        item.annotations[0].keyframe = False
    text, report = written(dataset, tmp_path, "cvat_video")
    assert re.findall(r'keyframe="(\d)"', text) == ["1", "1", "1"]
    assert sum(loss.count for loss in report if loss.field == "keyframe") == 3
    dataset.items[2].annotations[0].keyframe = True
    text, _ = written(dataset, tmp_path, "cvat_video")
    assert re.findall(r'keyframe="(\d)"', text) == ["1", "0", "1"]


def test_loose_shapes_become_tracks_of_one_frame(tmp_path):
    dataset = frames_of([(None, 3)], [], [(None, 4)])
    text, _ = written(dataset, tmp_path, "cvat_video")
    assert re.findall(r'<track id="(\d+)"|<box frame="(\d+)" keyframe="1" outside="(\d)"', text) == [
        ("0", "", ""), ("", "0", "0"), ("", "1", "1"), ("1", "", ""), ("", "2", "0"),
    ]  # fmt: skip


def test_track_ids_are_kept_and_made_numbers(tmp_path):
    dataset = frames_of([(5, 0), ("a", 1), (None, 2), (0, 3)])
    text, report = written(dataset, tmp_path, "cvat_video")
    assert re.findall(r'<track id="(\d+)"', text) == ["5", "1", "2", "0"]
    assert [loss.count for loss in report if (loss.action, loss.field) == ("renamed", "track_id")] == [1]


def test_sequences_follow_each_other(tmp_path):
    dataset = frames_of([(1, 0)], [(1, 1)], [(1, 2)], [(1, 3)])
    for item, (sequence, frame) in zip(dataset.items, [("a", 1), ("a", 2), ("b", 1), ("b", 2)], strict=True):
        item.sequence, item.frame = sequence, frame
    text, _ = written(dataset, tmp_path, "cvat_video")
    assert text.count("<track ") == 2
    assert re.findall(r'frame="(\d)" keyframe="1" outside="(\d)"', text) == [
        ("0", "0"), ("1", "0"), ("2", "1"), ("2", "0"), ("3", "0"),
    ]  # fmt: skip


def test_frames_of_a_video_hold_every_mask(tmp_path):
    dataset = frames_of([], [], [])
    for item, (width, height) in zip(dataset.items, [(4, 3), (3, 9), (None, None)], strict=True):
        item.width, item.height = width, height
        box = mc.Rle.from_box((1, 1, 2, 2), (height or 5, width or 12))
        item.annotations = [mc.Mask(box, category_id=1, track_id=1, keyframe=True, origin="manual")]
    _, report = written(dataset, tmp_path, "cvat_video")
    assert [(loss.action, loss.count) for loss in report if loss.what == "mask"] == [("approximated", 3)]
    back = mc.read(tmp_path / "out.xml").load()
    assert {(i.width, i.height) for i in back.items} == {(12, 9)}
    assert [a.rle.bbox for i in back.items for a in i.annotations] == [(1, 1, 2, 2)] * 3


def test_mixed_form_keeps_tracks_tags_and_names(tmp_path):
    dataset = frames_of([(1, 0)], [(1, 1)])
    dataset.items[0].annotations.insert(0, mc.Tag(category_id=1, origin="manual"))
    dataset.items[0].path = "first.png"
    dataset.items[0].id = "first"
    dataset.tracks = {1: mc.Track(1, 1)}
    text, report = written(dataset, tmp_path, "cvat")
    assert not len(report)
    assert text.count("<image ") == 1, "frames that only tracks use need no image"
    assert mc.detect(tmp_path / "out.xml") == "cvat_xml"
    assert_datasets_equal(dataset, mc.read(tmp_path / "out.xml"), added=["cvat_xml"])


def test_video_form_with_images(tmp_path):
    dataset = frames_of([(1, 0)], [])
    dataset.items[1].annotations.append(mc.Tag(category_id=1, origin="manual"))
    dataset.items[1].id, dataset.items[1].path = "b", "b.png"
    _, report = written(dataset, tmp_path, "cvat_video")
    assert ("dropped", "tag") in [(loss.action, loss.what) for loss in report]
    _, report = written(dataset, tmp_path, "cvat_video", images=True)
    assert [(loss.action, loss.what, loss.field) for loss in report] == [("defaulted", "box", "")]
    back = mc.read(tmp_path / "out.xml").load()
    assert [[a.kind for a in i.annotations] for i in back.items] == [["box"], ["tag", "box"]]
    assert back.items[1].path == "b.png"


def test_images_leave_out_what_is_outside(tmp_path):
    dataset = frames_of([(1, 0)], [(1, 1)])
    dataset.items[1].annotations[0].outside = True
    text, report = written(dataset, tmp_path, "cvat_images")
    assert text.count("<box") == 1
    assert ("dropped", "box", "") in [(loss.action, loss.what, loss.field) for loss in report]


# --- writing ----------------------------------------------------------------------------------------------------------
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_parse_back(value):
    assert float(two_decimals(value)) == value


def test_numbers_have_two_decimals_where_that_is_exact():
    assert list(map(two_decimals, [1, 0.5, -2.25, 1 / 3, 1e-7])) == [
        "1.00",
        "0.50",
        "-2.25",
        "0.3333333333333333",
        "1e-07",
    ]


@given(
    st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False), st.text())
)
def test_values_parse_back(value):
    kind = {bool: "bool", int: "int", float: "float", str: "text"}[type(value)]
    again = typed(value_text(value), kind)
    assert (again, type(again)) == (value, type(value))


@given(
    st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=3, max_size=6),
    st.text(st.sampled_from("a&<\"'\n é"), max_size=6),
)
def test_coordinates_and_texts_survive(tmp_path_factory, ring, text):
    polygon = mc.Polygon([ring], category_id=1, origin=text, attributes={"note": text})
    schema = mc.LabelSchema([mc.Category(1, "cat", attributes=[mc.AttributeSpec("note")])])
    dataset = mc.Dataset(schema, [mc.Item("a", "a", width=9, height=9, frame=0, annotations=[polygon])])
    path = tmp_path_factory.mktemp("cvat") / "a.xml"
    assert not len(mc.write(dataset, path, "cvat_images"))
    assert_datasets_equal(dataset, mc.read(path), added=["cvat_xml"])


def test_decimals(tmp_path):
    dataset = simple()
    dataset.items[0].annotations[0].x1 = 6.123456
    text, report = written(dataset, tmp_path, "cvat_images", decimals=2)
    assert 'xbr="6.12"' in text
    assert ("approximated", "box") in [(loss.action, loss.what) for loss in report]
    with pytest.raises(ValueError, match="decimals"):
        written(dataset, tmp_path, "cvat_images", decimals=-1)


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (mc.Box(0, 0, float("nan"), 1), "not finite"),
        (mc.Polygon([[[0, 0], [1, 1]]]), "at least 3 points"),
        (mc.Polygon([[[0, 0], [1, 1], [float("inf"), 0]]]), "not finite"),
        (mc.Polyline([[0, 0]]), "at least 2 points"),
        (mc.Points(np.empty((0, 2))), "at least 1 points"),
        (mc.Ellipse(1, 1, -1, 1), "not a finite ellipse"),
        (mc.Mask(mc.Rle.from_mask(np.zeros((12, 20), bool))), "empty mask"),
        (mc.Mask(mc.Rle.from_mask(np.ones((2, 2), bool))), "another size"),
    ],
)
def test_what_cannot_be_written_is_dropped_and_reported(tmp_path, annotation, reason):
    dataset = simple()
    dataset.items[0].annotations = [annotation]
    text, report = written(dataset, tmp_path, "cvat_images")
    assert [loss.count for loss in report if loss.action == "dropped" and reason in loss.reason and not loss.field] == [
        1
    ]
    assert mc.plan(dataset, "cvat_images") == report
    assert len(list(mc.read(tmp_path / "out.xml").items)) == 2


def test_control_characters_are_refused_with_their_place(tmp_path):
    dataset = simple()
    dataset.items[0].annotations[0].attributes["x"] = "a\x00"
    with pytest.raises(mc.FormatError, match=r"annotations.xml: default/one: box: the character U\+0000"):
        mc.write(dataset, tmp_path / "out", "cvat_images", on_loss="ignore")
    assert not (tmp_path / "out").exists()


def test_groups_and_labels_are_made_valid(tmp_path):
    dataset = mc.Dataset(mc.LabelSchema([mc.Category("x", "cat"), mc.Category("y", "cat")]))
    boxes = [mc.Box(0, 0, 1, 1, group_id=g, category_id=c) for g, c in ((3, "x"), ("a", "y"), ("a", "gone"))]
    dataset.items = [mc.Item("a", "a.png", width=2, height=2, annotations=boxes)]
    _, report = written(dataset, tmp_path, "cvat_images")
    back = mc.read(tmp_path / "out.xml").load()
    assert [c.name for c in back.schema] == ["cat", "cat (2)"]
    assert [(a.group_id, a.category_id) for a in back.items[0].annotations] == [(3, 1), (4, 2), (4, None)]
    assert {("renamed", "group_id"), ("renamed", "category_id"), ("dropped", "category_id")} <= {
        (loss.action, loss.field) for loss in report
    }


def test_several_subsets_make_a_project(tmp_path):
    text, _ = written(zoo(), tmp_path, "cvat_images")
    assert "<subsets>default\nval set</subsets>" in text
    assert 'subset="val set"' in text
    assert [i.subset for i in mc.read(tmp_path / "out.xml").items] == [
        i.subset for i in zoo().items if i.media == "image"
    ]


def test_kept_meta_follows_the_frames(tmp_path):
    dataset = sparse(row(0, 0), task="<id>9</id><name>n</name><size>3</size><owner><username>u</username></owner>")
    assert "<size>3</size>" in written(dataset, tmp_path, "cvat_video")[0]
    dataset.items.pop()
    text, report = written(dataset, tmp_path, "cvat_video")
    assert "<size>2</size>" in text
    assert "<id>9</id>" in text
    assert "<username>u</username>" in text
    assert [loss.action for loss in report] == ["defaulted"]
    assert [i.frame for i in mc.read(tmp_path / "out.xml").items] == [0, 1]


def test_items_can_be_taken_in_any_order():
    dataset = mc.read(document("".join(f'<image id="{n}" name="{n}.png" width="1" height="1"><tag label="cat"/></image>'
                                       for n in range(5))), "cvat")  # fmt: skip
    assert [dataset.items[n].id for n in (4, 0, 2)] == ["4", "0", "2"]
    assert len(dataset.items) == 5


PEER = os.environ.get("MASKCODEC_DATUMARO_PYTHON")
PROGRAM = """
import json, sys
from datumaro.components.dataset import Dataset
found = []
for item in Dataset.import_from(sys.argv[1], "cvat"):
    for a in item.annotations:
        kind = a.type.name
        found.append([item.id, item.subset, kind, [float(v) for v in getattr(a, "points", [])], int(a.z_order) if hasattr(a, "z_order") else 0])
print("FOUND" + json.dumps(sorted(found)))
"""  # noqa: E501


@pytest.mark.skipif(PEER is None, reason="MASKCODEC_DATUMARO_PYTHON names no interpreter that has datumaro")
def test_datumaro_reads_what_is_written(tmp_path):
    """Peer: datumaro from PyPI; it has no ellipse, cuboid, skeleton and mask in this format, and wants the pictures."""
    from PIL import Image

    square = [[1.5, 2.25], [8.0, 2.0], [4.13, 9.0]]
    shapes = [
        mc.Box(1.5, 2.25, 6.0, 9.75, category_id=1, z_order=2),
        mc.Polygon([square], category_id=1),
        mc.Polyline(square, category_id=1),
        mc.Points(square, category_id=1),
    ]
    dataset = mc.Dataset(
        mc.LabelSchema([mc.Category(1, "cat")]),
        [mc.Item("a", "a.png", width=20, height=12, frame=0, annotations=shapes)],
    )
    (tmp_path / "src").mkdir()
    Image.new("RGB", (20, 12)).save(tmp_path / "src" / "a.png")
    mc.write(dataset, tmp_path / "out", "cvat_images", on_loss="ignore")
    (tmp_path / "out" / "images").mkdir()
    (tmp_path / "src" / "a.png").rename(tmp_path / "out" / "images" / "a.png")
    done = subprocess.run([PEER, "-c", PROGRAM, str(tmp_path / "out")], capture_output=True, text=True, timeout=120)
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    assert lines, done.stderr[-2000:]
    flat = [v for point in square for v in point]
    found = {kind: (name, points, z_order) for name, _, kind, points, z_order in json.loads(lines[0][5:])}
    assert found == {
        "bbox": ("a", pytest.approx([1.5, 2.25, 6.0, 9.75]), 2),
        "polygon": ("a", pytest.approx(flat), 0),
        "polyline": ("a", pytest.approx(flat), 0),
        "points": ("a", pytest.approx(flat), 0),
    }
