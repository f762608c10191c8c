"""Traps and bad input of LabelMe XML and labelme JSON."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats._shared.images import write_png
from maskcodec.formats.labelme.attributes import attribute_text, parse_attributes
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


def thing(number: object = 0, points: str = "1,1 6,1 6,4", more: str = "", name: str = "cat") -> str:
    pts = "".join("<pt><x>{}</x><y>{}</y></pt>".format(*p.split(",")) for p in points.split())
    return f"<object><name>{name}</name><id>{number}</id>{more}<polygon>{pts}</polygon></object>"


def xml(root: Path, *objects: str, name: str = "a.xml", head: str = "<filename>a.png</filename>") -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    size = "<imagesize><nrows>10</nrows><ncols>20</ncols></imagesize>"
    (root / name).write_text(f"<annotation>{head}{''.join(objects)}{size}</annotation>")
    return root


def only(path: Path, format: str = "labelme", **options: object) -> mc.Item:
    (item,) = mc.read(path, format, **options).items
    return item


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=3", {"a": 3}),
        ("a=007", {"a": "007"}),
        ("a=1.50", {"a": "1.50"}),
        ("a=0.5", {"a": 0.5}),
        ("a=1e5", {"a": "1e5"}),
        ("a=TRUE, b=false", {"a": True, "b": False}),
        ('s="42"', {"s": "42"}),
        ("parked", {"parked": True}),
        (r"a=x\,y, b\=c=d", {"a": "x,y", "b=c": "d"}),
        (r"q=\"x\"", {"q": '"x"'}),
        ('a="x, b"', {"a": '"x', 'b"': True}),
        ("", {}),
        (" , ", {}),
        ("a=b=c", {"a": "b=c"}),
    ],
)
def test_attribute_texts(text: str, value: dict[str, Any]) -> None:
    assert parse_attributes(text) == value
    assert parse_attributes(attribute_text(value)) == value


@pytest.mark.parametrize(
    "value", ["", " x", '"', '""', "\\", "a\\", ",", "=", "1", "1.0", "true", "nan", "é", "a b", 7, -0.5, True]
)
def test_attribute_values_come_back(value: object) -> None:
    back = parse_attributes(attribute_text({"k": value, "z": "end"}))
    assert back == {"k": value, "z": "end"}
    assert type(back["k"]) is type(value)


def test_wrapped_text_is_stripped(tmp_path: Path) -> None:
    head = "<filename>\na.png\n</filename><folder>\nf\n</folder>"
    path = xml(tmp_path, thing(more="<type> bounding_box </type>", name="\ncat\n"), head=head)
    item = only(path)
    assert (item.id, item.path, item.annotations[0].kind) == ("f/a", "f/a.png", "box")
    assert [c.name for c in mc.read(path).schema] == ["cat"]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (thing(1, "1,1 2,2"), ["object id 1", "2 points"]),
        (thing(1, "1,1 2,x 3,3"), ["pt 2: y", "'x'"]),
        (thing(1, "1,1", "<type>bounding_box</type>"), ["1 points"]),
        (thing(0), ["duplicate"]),
        (thing("x"), ["'x'"]),
        ("<object><name>cat</name><id>1</id></object>", ["neither polygon nor segm"]),
        ("<object><id>1</id><polygon/></object>", ["name"]),
        ("<object><name>m</name><id>1</id><segm><mask>no.png</mask></segm></object>", ["no.png", "missing"]),
        (thing(1, more="<parts><ispartof>x</ispartof></parts>"), ["ispartof"]),
    ],
)
def test_bad_object(tmp_path: Path, bad: str, words: list[str]) -> None:
    path = xml(tmp_path, thing(0), bad)
    with pytest.raises(mc.FormatError) as caught:
        only(path)
    assert caught.value.file == "a.xml"
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, "labelme", on_error="skip").load()
    assert len(lenient.items[0].annotations) == 1
    assert lenient.report.total == 1


def test_circle_of_parts(tmp_path: Path) -> None:
    a, b = (thing(i, more=f"<parts><ispartof>{1 - i}</ispartof></parts>") for i in (0, 1))
    with pytest.raises(mc.FormatError, match="parts of each other"):
        only(xml(tmp_path, a, b))
    assert len(only(tmp_path, on_error="skip").annotations) == 2


def test_deleted_objects_and_parts_that_are_gone(tmp_path: Path) -> None:
    gone = thing(0, more="<deleted>1</deleted><parts><hasparts>1,9</hasparts></parts>")
    data = mc.read(xml(tmp_path, gone, thing(1)), "labelme").load()
    assert [(a.id, a.parent_id, a.group_id) for a in data.items[0].annotations] == [(1, None, None)]
    assert {(loss.action, loss.field or loss.what) for loss in data.report} == {
        ("unread", "object"),
        ("unread", "parts"),
    }


def test_mask_sizes_and_layouts(tmp_path: Path) -> None:
    segm = "<object><name>m</name><id>2</id><segm><mask>a_mask_2.png</mask></segm></object>"
    good, bad = (write_png(np.ones((h, 20), np.uint8)) for h in (10, 9))
    for folder in ("flat", "sub"):
        path = xml(tmp_path / folder, segm, name="a.xml" if folder == "flat" else "train/d/a.xml")
        place = "Masks" if folder == "flat" else "train/Masks"
        (path / place).mkdir(parents=True)
        (path / place / "a_mask_2.png").write_bytes(good)
        item = only(path)
        assert item.annotations[0].rle.area == 200
        assert item.subset == ("default" if folder == "flat" else "train")
    (tmp_path / "flat/Masks/a_mask_2.png").write_bytes(bad)
    with pytest.raises(mc.FormatError, match="20 x 9 pixels"):
        only(tmp_path / "flat")


def test_file_without_objects_is_told_by_its_size_element(tmp_path: Path) -> None:
    assert mc.detect(xml(tmp_path)) == "labelme"
    (tmp_path / "a.xml").write_text("<annotation><size><width>1</width></size></annotation>")
    assert mc.detect(tmp_path) == "voc"


def test_groups_become_trees(tmp_path: Path) -> None:
    boxes = [mc.Box(i, 0, i + 1, 1, category_id=0, id=i, group_id=g) for i, g in enumerate((7, None, 7, 3, 7))]
    item = mc.Item("d/a", "d/a.png", width=9, height=4, annotations=boxes)
    report = mc.write(
        mc.Dataset(mc.LabelSchema([mc.Category(0, "c")]), [item]), tmp_path / "out", "labelme", on_loss="ignore"
    )
    back = only(tmp_path / "out").annotations
    assert [(a.group_id, a.parent_id) for a in back] == [(1, None), (None, None), (1, 0), (None, None), (1, 0)]
    assert {(loss.action, loss.field) for loss in report} == {("renamed", "group_id"), ("defaulted", "parent_id")}


def test_shapes_that_xml_has_not(tmp_path: Path) -> None:
    shapes = [
        mc.Tag(category_id=0),
        mc.Polyline([[0, 0], [1, 1]], category_id=0),
        mc.Points([[0, 0]], category_id=0),
        mc.Box(1, 2, 5, 6, 12.5, category_id=0, track_id=7, attributes={"s": "1"}),
    ]
    data = mc.Dataset(
        mc.LabelSchema([mc.Category(0, "c"), mc.Category(1, "unused")]),
        [mc.Item("a", "a.png", width=9, height=9, annotations=shapes)],
    )
    report = mc.write(data, tmp_path / "out", "labelme", on_loss="ignore")
    assert {(loss.action, loss.what) for loss in report if not loss.field} == {
        ("dropped", "tag"),
        ("dropped", "polyline"),
        ("dropped", "points"),
        ("dropped", "category"),
    }
    (box,) = only(tmp_path / "out").annotations
    assert (box.rotation, box.attributes) == (12.5, {"s": "1", "track_id": 7})


# --- JSON -------------------------------------------------------------------------------------------------------------
def shape(**more: object) -> dict[str, Any]:
    return {
        "label": "cat",
        "points": [[1, 2], [5.5, 6]],
        "shape_type": "rectangle",
        "group_id": None,
        "flags": {},
        **more,
    }


def as_json(root: Path, *shapes: dict[str, Any], **more: object) -> Path:
    data = {
        "version": "5.5.0",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": "a.jpg",
        "imageData": None,
        "imageHeight": 10,
        "imageWidth": 20,
        **more,
    }
    root.mkdir(parents=True, exist_ok=True)
    (root / "a.json").write_text(json.dumps(data))
    return root


PATCH = base64.b64encode(write_png(np.ones((3, 4), np.uint8))).decode()


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"label": 3}, "label"),
        ({"points": None}, "points"),
        ({"points": [[1, 2]]}, "points"),
        ({"points": [[1, "2"], [3, 4]]}, "points"),
        ({"points": [[1, True], [3, 4]]}, "points"),
        ({"shape_type": "star"}, "shape_type"),
        ({"group_id": "1"}, "group_id"),
        ({"group_id": True}, "group_id"),
        ({"flags": {"a": 1}}, "flags"),
        ({"description": 3}, "description"),
        ({"mask": PATCH}, "mask"),
        ({"shape_type": "mask"}, "mask"),
        ({"shape_type": "mask", "mask": "%%"}, "mask"),
        ({"shape_type": "circle", "points": [[1, 2]]}, "points"),
        ({"shape_type": "oriented_rectangle"}, "points"),
    ],
)
def test_bad_shape(tmp_path: Path, bad: dict[str, Any], field: str) -> None:
    path = as_json(tmp_path, shape(), shape(**bad))
    with pytest.raises(mc.FormatError) as caught:
        only(path, "labelme_json")
    assert (caught.value.file, caught.value.field) == ("a.json", field)
    assert "shapes[1]" in caught.value.record
    lenient = mc.read(path, "labelme_json", on_error="skip").load()
    assert len(lenient.items[0].annotations) == 1
    assert lenient.report.total == 1


def test_bad_file(tmp_path: Path) -> None:
    for text in (
        "[",
        "[]",
        '{"imagePath": "a", "shapes": 3}',
        '{"imagePath": "a", "shapes": [], "flags": {"x": 1}}',
        '{"imagePath": 3, "shapes": []}',
        '{"imagePath": "a", "shapes": [], "imageWidth": "x"}',
    ):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(mc.FormatError):
            only(tmp_path, "labelme_json")
        assert not list(mc.read(tmp_path, "labelme_json", on_error="skip").items)


def test_corners_in_any_order_and_old_shapes(tmp_path: Path) -> None:
    first = shape(points=[[5.5, 6], [1, 2]])
    old = {"label": "cat", "points": [[0, 0], [4, 0], [4, 4]], "line_color": None, "fill_color": [1, 2]}
    path = as_json(tmp_path / "in", first, old, lineColor=[0, 255, 0, 128])
    data = mc.read(path)
    box, polygon = data.items[0].annotations
    assert (box.x0, box.y0, box.x1, box.y1, polygon.kind) == (1, 2, 5.5, 6, "polygon")
    assert polygon.extras["labelme_json"] == {"line_color": None, "fill_color": [1, 2]}
    assert not len(mc.write(data, tmp_path / "out", "labelme_json"))
    written = json.loads((tmp_path / "out/a.json").read_text())
    assert written["shapes"][0]["points"] == [[5.5, 6], [1, 2]]
    assert (written["lineColor"], written["shapes"][1]["fill_color"]) == ([0, 255, 0, 128], [1, 2])


def test_mask_corners_are_inclusive_and_what_is_outside_is_cut(tmp_path: Path) -> None:
    inside = shape(shape_type="mask", points=[[3, 2], [6, 4]], mask=PATCH)
    outside = shape(shape_type="mask", points=[[18.4, -0.6], [21.4, 1.4]], mask=PATCH)
    data = mc.read(as_json(tmp_path, inside, outside)).load()
    one, two = data.items[0].annotations
    assert (tuple(one.rle.bbox), one.rle.area) == ((3, 2, 4, 3), 12)
    assert (tuple(two.rle.bbox), two.rle.area) == ((18, 0, 2, 2), 4)
    assert [(loss.action, loss.count) for loss in data.report] == [("unread", 8)]


def test_image_paths(tmp_path: Path) -> None:
    for value, path in (("..\\x\\b.jpg", "b.jpg"), ("C:\\data\\c.jpg", "c.jpg"), ("sub\\d.jpg", "sub/d.jpg")):
        assert only(as_json(tmp_path, imagePath=value), "labelme_json").path == path


def test_image_in_the_file_is_kept_and_counts(tmp_path: Path) -> None:
    image = base64.b64encode(write_png(np.zeros((7, 9), np.uint8))).decode()
    data = mc.read(as_json(tmp_path / "in", imageData=image)).load()
    assert (data.items[0].width, data.items[0].height) == (9, 7)
    assert [(loss.action, loss.field) for loss in data.report] == [("approximated", "width")]
    mc.write(data, tmp_path / "out", "labelme_json")
    assert json.loads((tmp_path / "out/a.json").read_text())["imageData"] == image


def test_rotated_boxes_circles_groups_and_parts(tmp_path: Path) -> None:
    two = mc.Polygon([[[1, 1], [5, 1], [5, 5]], [[8, 1], [12, 1], [12, 5]]], category_id=0)
    shapes = [
        mc.Box(4, 2, 10, 6, 30.0, category_id=0),
        mc.Ellipse(5, 5, 2, 2, category_id=0),
        two,
        mc.Box(1, 1, 2, 2, category_id=0, group_id=0, attributes={"big": True, "description": "x", "n": 3}),
    ]
    data = mc.Dataset(
        mc.LabelSchema([mc.Category(0, "c")]), [mc.Item("a", "a.jpg", width=20, height=10, annotations=shapes)]
    )
    report = mc.write(data, tmp_path / "out", "labelme_json", on_loss="ignore")
    assert {(loss.action, loss.what, loss.field) for loss in report} == {
        ("approximated", "multipart_polygon", ""),
        ("dropped", "box", "attributes.n"),
    }
    turned, circle, first, second, box = only(tmp_path / "out", "labelme_json").annotations
    assert (turned.x0, turned.y0, turned.x1, turned.y1, turned.rotation) == (4, 2, 10, 6, 30)
    assert (circle.rx, circle.ry) == (2, 2)
    assert first.group_id == second.group_id == 1
    assert (box.group_id, box.attributes) == (0, {"big": True, "description": "x"})
    once = mc.read(tmp_path / "out").load()
    assert not len(mc.write(once, tmp_path / "again", "labelme_json"))
    assert_datasets_equal(once, mc.read(tmp_path / "again"))
