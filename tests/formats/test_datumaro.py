"""Datumaro: the traps and the bad input of its description, one by one."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats.datumaro.shapes import angles, euler

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

LABELS = [
    {"name": "car", "parent": "", "attributes": ["brand"]},
    {"name": "left", "parent": "", "attributes": []},
    {"name": "right", "parent": "", "attributes": []},
    {"name": "1", "parent": "left", "attributes": []},
    {"name": "2", "parent": "left", "attributes": []},
    {"name": "1", "parent": "right", "attributes": []},
]


def document(*annotations: dict[str, Any], item: dict[str, Any] | None = None, **top: Any) -> dict[str, Any]:
    points = [{"label_id": 1, "labels": ["1", "2"], "joints": [[1, 2]]}, {"label_id": 2, "labels": ["1"], "joints": []}]
    categories = {"label": {"labels": LABELS, "attributes": []}, "points": {"items": points}}
    row = {"id": "a", "annotations": list(annotations), "attr": {}, "image": {"path": "a.png", "size": [10, 12]}}
    return copy.deepcopy({"info": {}, "categories": categories, "items": [{**row, **(item or {})}], **top})


def note(kind: str, **more: Any) -> dict[str, Any]:
    return {"id": 0, "type": kind, "attributes": {}, "group": 0, "label_id": 0, "z_order": 0, **more}


def text(whole: Any) -> bytes:
    return json.dumps(whole).encode()


def one(whole: dict[str, Any], on_error: str = "raise") -> Any:
    (item,) = mc.read(text(whole), "datumaro", on_error=on_error).items
    return item.annotations


def again(whole: dict[str, Any], tmp_path: Path) -> tuple[dict[str, Any], mc.LossReport]:
    """The document after reading and writing."""
    report = mc.write(mc.read(text(whole), "datumaro"), tmp_path / "out", "datumaro")
    (file,) = (tmp_path / "out" / "annotations").iterdir()
    return json.loads(file.read_text("utf-8")), report


# --- traps ------------------------------------------------------------------------------------------------------------
def test_the_mask_of_the_documentation_is_refused_not_padded():
    bad = document(note("mask", rle={"counts": "d0d0:F\\0", "size": [10, 10]}))
    with pytest.raises(mc.FormatError, match="100"):
        one(bad)
    data = mc.read(text(bad), on_error="skip")
    assert [item.annotations for item in data.items] == [[]]
    assert [(loss.action, loss.field, loss.count) for loss in data.report] == [("unread", "rle", 1)]


def test_visibility_of_points_is_kept(tmp_path):
    whole = document(note("points", points=[1.0, 2.0, 3.0, 4.5], visibility=[2, 1]))
    assert one(whole)[0].visibility == [2, 1]
    back, report = again(whole, tmp_path)
    assert back["items"][0]["annotations"][0]["visibility"] == [2, 1]
    assert not len(report)


def test_skeletons_with_and_without_attributes_of_points(tmp_path):
    whole = document(
        note("skeleton", label_id=1, points=[1, 2, 2, 3, 4, 1], points_attributes=[{"x": 1}, {}]),
        note("skeleton", label_id=1, points=[1, 2, 2, 3, 4, 0], attributes={"z_order": 3}),
    )
    first, second = one(whole)
    assert (first.visibility, second.visibility, second.z_order) == ([2, 1], [2, 0], 3)
    back, report = again(whole, tmp_path)
    rows = back["items"][0]["annotations"]
    assert rows[0]["points_attributes"] == [{"x": 1}, {}]
    assert rows[1]["attributes"] == {"z_order": 3}
    assert [loss.reason for loss in report] == ["its z_order is written as an attribute"]


def test_older_skeletons_list_their_elements(tmp_path):
    elements = [note("points", label_id=3 + at, points=[at, 1.5], visibility=[at + 1]) for at in (0, 1)]
    whole = document(note("skeleton", label_id=1, elements=elements))
    (shape,) = one(whole)
    assert shape.xy.tolist() == [[0, 1.5], [1, 1.5]]
    assert shape.visibility == [1, 2]
    back, _ = again(whole, tmp_path)
    assert back["items"][0]["annotations"][0]["elements"] == elements


def test_points_of_two_skeletons_may_share_their_names():
    schema = mc.read(text(document()), "datumaro").schema
    assert schema.by_name("left").keypoints == ["1", "2"]
    assert schema.by_name("right").keypoints == ["1"]


@pytest.mark.parametrize("joints", [[[0, 1]], [[1, 2]]])
def test_edges_count_from_0_or_1(tmp_path, joints):
    whole = document()
    whole["categories"]["points"]["items"][0]["joints"] = joints
    assert mc.read(text(whole), "datumaro").schema.by_name("left").skeleton == [(1, 2)]
    back, _ = again(whole, tmp_path)
    found = next(row for row in back["categories"]["points"]["items"] if row["label_id"] == 1)
    assert found["joints"] == joints


@pytest.mark.parametrize(
    ("version", "good"), [(None, True), ("legacy", True), ("1.0", True), ("2.0", False), (1, False)]
)
def test_versions(version, good):
    whole = document(**({} if version is None else {"dm_format_version": version}))
    if good:
        assert len(list(mc.read(text(whole), "datumaro").items)) == 1
        return
    with pytest.raises(mc.FormatError, match="version"):
        mc.read(text(whole), "datumaro")
    data = mc.read(text(whole), "datumaro", on_error="skip")
    assert [loss.field for loss in data.report] == ["dm_format_version"]
    assert len(list(data.items)) == 1


def test_mask_of_another_size_than_the_item_is_kept_and_reported():
    whole = document(note("mask", rle={"counts": [0, 6], "size": [2, 3]}))
    data = mc.read(text(whole), "datumaro")
    (item,) = data.items
    assert item.annotations[0].rle.shape == (2, 3)
    assert [(loss.action, loss.what, loss.field) for loss in data.report] == [("approximated", "mask", "rle")]


def test_size_is_height_first_and_points_are_x_first():
    (item,) = mc.read(text(document(note("polygon", points=[11.5, 1, 12, 9, 0, 3]))), "datumaro").items
    assert (item.width, item.height) == (12, 10)
    assert item.annotations[0].rings[0].tolist() == [[11.5, 1], [12, 9], [0, 3]]


def test_attributes_that_are_state_and_such_that_only_look_so(tmp_path):
    state = {"occluded": True, "track_id": 5, "keyframe": False, "rotation": 30.0, "brand": "x"}
    whole = document(
        note("bbox", bbox=[1.0, 2, 3, 4], attributes=state),
        note("bbox", bbox=[1, 2, 3, 4], attributes={"occluded": "no"}),
    )
    box, other = one(whole)
    assert (box.occluded, box.track_id, box.keyframe, box.rotation) == (True, 5, False, 30.0)
    assert box.attributes == {"brand": "x"}
    assert (other.occluded, other.attributes) == (False, {"occluded": "no"})
    back, report = again(whole, tmp_path)
    assert [row["attributes"] for row in back["items"][0]["annotations"]] == [state, {"occluded": "no"}]
    assert not len(report)


def test_counts_as_a_list_are_read_and_written_as_text(tmp_path):
    whole = document(note("mask", rle={"counts": [20, 20, 80], "size": [10, 12]}))
    (mask,) = one(whole)
    assert mask.rle.area == 20
    rle = again(whole, tmp_path)[0]["items"][0]["annotations"][0]["rle"]
    assert isinstance(rle["counts"], str)
    assert mc.Rle.from_coco(rle) == mask.rle


@pytest.mark.parametrize("path", ["frame_000000.PNG", "sub dir/übersicht.JPEG"])
def test_names_of_pictures_are_verbatim(tmp_path, path):
    whole = document(item={"image": {"path": path, "size": [10, 12]}})
    assert again(whole, tmp_path)[0]["items"][0]["image"]["path"] == path


def test_trailing_commas_are_not_json():
    with pytest.raises(mc.FormatError, match=r"byte \d+"):
        list(mc.read(text(document()).replace(b'"attr": {}', b'"attr": {},'), "datumaro").items)


@pytest.mark.parametrize("key", ["info", "infos"])
def test_both_names_of_info(key):
    whole = document()
    del whole["info"]
    whole[key] = {"author": "x"}
    assert mc.read(text(whole), "datumaro").info == {"author": "x"}


def test_unknown_keys_survive_everywhere(tmp_path):
    whole = document(note("bbox", bbox=[1, 2, 3, 4], object_id=7, mine=[1]), item={"theirs": {"a": None}}, ours=1.5)
    back, report = again(whole, tmp_path)
    row = back["items"][0]
    assert (back["ours"], row["theirs"]) == (1.5, {"a": None})
    assert (row["annotations"][0]["object_id"], row["annotations"][0]["mine"]) == (7, [1])
    assert not len(report)


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ({"id": 0, "type": "label", "attributes": {}, "group": 0, "label_id": 0}, "tag"),
        ({"id": 0, "type": "caption", "attributes": {}, "group": 0, "caption": "a\nb"}, "caption"),
        (note("bbox", bbox=[1.1, 2.2, 3.3, 4.4]), "box"),
        (note("bbox", bbox=[350.8999938964844, 0.1, 0.2, 0.3], label_id=None), "box"),
        (note("polygon", points=[0.1, 0.2, 5, 6, 7.25, 8]), "polygon"),
        (note("polyline", points=[0.1, 0.2, 5, 6]), "polyline"),
        (note("ellipse", points=[1.1, 2.2, 3.3, 4.4]), "ellipse"),
        (note("cuboid_2d", points=[[float(v), v + 0.5] for v in range(8)]), "cuboid2d"),
    ],
)
def test_every_type_comes_back_with_its_numbers(tmp_path, row, kind):
    whole = document(row)
    assert [annotation.kind for annotation in one(whole)] == [kind]
    back = again(whole, tmp_path)[0]["items"][0]["annotations"][0]
    flat = {**row, "points": np.ravel(row["points"]).tolist()} if "points" in row else row
    assert ({**back, "points": np.ravel(back["points"]).tolist()} if "points" in back else back) == flat


def test_rotated_boxes_are_read_and_written_as_boxes_with_an_attribute(tmp_path):
    whole = document(note("rotated_bbox", points=[5, 4, 6, 2, 30]))
    (box,) = one(whole)
    assert (box.x0, box.y0, box.x1, box.y1, box.rotation) == (2, 3, 8, 5, 30)
    row = again(whole, tmp_path)[0]["items"][0]["annotations"][0]
    assert (row["type"], row["bbox"], row["attributes"]) == ("bbox", [2, 3, 6, 2], {"rotation": 30})


def test_turns_of_cuboids(tmp_path):
    cuboid = {"position": [1, 2, 3], "rotation": [0.25, -0.5, 1.0], "scale": [4, 5, 6.5]}
    whole = document({"id": 3, "type": "cuboid_3d", "attributes": {}, "group": 0, "label_id": 0, **cuboid},
                     item={"image": None, "point_cloud": {"path": "a.pcd"}})  # fmt: skip
    (shape,) = one(whole)
    assert (shape.position, shape.dimensions) == ((1, 2, 3), (4, 5, 6.5))
    assert angles(euler([0.25, -0.5, 1.0])) == pytest.approx([0.25, -0.5, 1.0])
    assert angles(shape.quaternion) == pytest.approx([0.25, -0.5, 1.0])
    row = again(whole, tmp_path)[0]["items"][0]["annotations"][0]
    assert {key: row[key] for key in cuboid} == cuboid


# --- bad input --------------------------------------------------------------------------------------------------------
BAD = {
    "label beyond the table": (note("bbox", bbox=[1, 2, 3, 4], label_id=6), "label_id", "below 6"),
    "label that is no number": (note("bbox", bbox=[1, 2, 3, 4], label_id="car"), "label_id", "label id"),
    "unknown type": (note("blob"), "type", "blob"),
    "three numbers": (note("bbox", bbox=[1, 2, 3]), "bbox", "4 finite numbers"),
    "text in a box": (note("bbox", bbox=[1, 2, 3, "4"]), "bbox", "4 finite numbers"),
    "negative width": (note("bbox", bbox=[1, 2, -3, 4]), "bbox", "at least 0"),
    "odd points": (note("polyline", points=[1, 2, 3]), "points", "multiple of 2"),
    "two corners": (note("polygon", points=[1, 2, 3, 4]), "points", "at least 3"),
    "no points": (note("points"), "points", "finite numbers"),
    "visibility too short": (note("points", points=[1, 2, 3, 4], visibility=[1]), "visibility", "2 values"),
    "visibility of 3": (note("points", points=[1, 2], visibility=[3]), "visibility", "0, 1 or 2"),
    "skeleton too short": (note("skeleton", label_id=1, points=[1, 2, 2]), "points", "3 x 2"),
    "skeleton not in threes": (note("skeleton", label_id=1, points=[1, 2]), "points", "multiple of 3"),
    "skeleton seen 5": (note("skeleton", label_id=1, points=[1, 2, 5, 1, 2, 2]), "points", "0, 1 or 2"),
    "elements that are none": (note("skeleton", label_id=1, elements=[1]), "elements", "list of objects"),
    "counts of another alphabet": (note("mask", rle={"counts": "a!", "size": [10, 12]}), "rle", "alphabet"),
    "counts of another sum": (note("mask", rle={"counts": [3, 4], "size": [10, 12]}), "rle", "120"),
    "size of one number": (note("mask", rle={"counts": [12], "size": [12]}), "rle", "size|shape|height"),
    "negative size": (note("mask", rle={"counts": [12], "size": [-3, -4]}), "rle", "size|shape|height|negative"),
    "no mask": (note("mask"), "rle", "object"),
    "no caption": (note("caption"), "caption", "text"),
    "group of text": (note("label", group="x"), "group", "integer"),
    "attributes in a list": (note("label", attributes=[]), "attributes", "object"),
    "flat cuboid": (note("cuboid_3d", position=[1, 2], rotation=[0, 0, 0], scale=[1, 1, 1]), "position", "3 finite"),
    "no object": (5, "", "object"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_annotations_are_named_and_skipped(name):
    row, field, message = BAD[name]
    good = note("bbox", bbox=[1, 2, 3, 4])
    whole = document(good, row, good)
    with pytest.raises(mc.FormatError, match=message) as caught:
        one(whole)
    assert caught.value.field == field
    assert "items[0] (id 'a')" in caught.value.record
    assert "annotations[1]" in caught.value.record
    data = mc.read(text(whole), "datumaro", on_error="skip")
    assert [len(item.annotations) for item in data.items] == [2]
    assert [(loss.action, loss.field, loss.count) for loss in data.report] == [("unread", field, 1)]


@pytest.mark.parametrize("key", ["categories", "items"])
def test_missing_lists(key):
    whole = document()
    del whole[key]
    with pytest.raises(mc.FormatError) as caught:
        mc.read(text(whole), "datumaro")
    assert caught.value.field == key


def test_the_same_id_twice():
    whole = document()
    whole["items"] *= 2
    with pytest.raises(mc.FormatError, match="duplicate") as caught:
        mc.read(text(whole), "datumaro")
    assert caught.value.record == "items[1] (id a)"
    data = mc.read(text(whole), "datumaro", on_error="skip")
    assert len(list(data.items)) == 1
    assert [loss.field for loss in data.report] == ["id"]


@pytest.mark.parametrize(
    ("item", "field"),
    [
        ({"image": {"path": "../a.png"}}, "image.path"),
        ({"image": {"path": "/a.png"}}, "image.path"),
        ({"image": {"path": "a.png", "size": [10]}}, "image.size"),
        ({"image": {"path": "a", "size": [0, 4]}}, "image.size"),
        ({"annotations": {}}, ""),
        ({"annotations": {"a": 1}}, "annotations"),
        ({"attr": [1]}, "attr"),
        ({"id": 5}, "id"),
    ],
)
def test_bad_items_are_named_and_skipped(item, field):
    whole = document(item=item)
    good = document()["items"][0]
    whole["items"].append({**good, "id": "b"})
    if not field:  # an empty value is none
        assert len(list(mc.read(text(whole), "datumaro").items)) == 2
        return
    with pytest.raises(mc.FormatError) as caught:
        list(mc.read(text(whole), "datumaro").items)
    assert caught.value.field == field
    assert "items[0]" in caught.value.record
    data = mc.read(text(whole), "datumaro", on_error="skip")
    assert [found.id for found in data.items] == ["b"]
    assert [loss.field for loss in data.report] == [field]


@pytest.mark.parametrize("literal", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_numbers_that_are_none(literal):
    data = text(document(note("bbox", bbox=[1, 2, 3, 12345]))).replace(b"12345", literal)
    with pytest.raises(mc.FormatError) as caught:
        list(mc.read(data, "datumaro").items)
    assert "items[0]" in caught.value.record


def test_an_item_without_annotations_has_none():
    whole = document()
    del whole["items"][0]["annotations"]
    assert one(whole) == []
