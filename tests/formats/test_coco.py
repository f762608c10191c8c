"""Quirks of COCO instances, on small documents written here."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


def document(*annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    base = {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "area": 12, "iscrowd": 0}
    rows = [{"id": at, **base, **row} for at, row in enumerate(annotations, 1)]
    return {
        "info": {}, "licenses": [], "categories": [{"id": 1, "name": "cat", "supercategory": ""}],
        "images": [{"id": 1, "width": 8, "height": 6, "file_name": "a.png"}], "annotations": rows, **more,
    }  # fmt: skip


def load(doc: Any, on_error: str = "raise") -> mc.Dataset:
    return mc.read(json.dumps(doc).encode(), "coco", on_error=on_error).load()


def only(doc: Any) -> Any:
    (item,) = load(doc).items
    (annotation,) = item.annotations
    return annotation


def rewritten(doc: Any, tmp_path: Any, **options: Any) -> Any:
    mc.write(load(doc), tmp_path / "o.json", "coco", on_loss="ignore", overwrite=True, **options)
    return json.loads((tmp_path / "o.json").read_bytes())


COUNTS = [13, 2, 4, 2, 4, 2, 21]


@pytest.mark.parametrize("form", [[], [[]], None, "absent"])
def test_every_way_to_say_box_only_is_kept(form, tmp_path):
    row = {} if form == "absent" else {"segmentation": form}
    doc = document(row)
    box = only(doc)
    assert (box.x0, box.y0, box.x1, box.y1) == (1, 2, 4, 6)
    assert rewritten(doc, tmp_path)["annotations"] == doc["annotations"]


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("crowd", [0, 1, True, False])
def test_rle_form_and_crowd_are_independent(compressed, crowd, tmp_path):
    rle = mc.Rle.from_coco({"size": [6, 8], "counts": COUNTS}).to_coco(compressed=compressed)
    doc = document({"segmentation": rle, "iscrowd": crowd, "area": 6, "bbox": [2, 1, 3, 2]})
    mask = only(doc)
    assert (mask.rle.area, mask.is_crowd) == (6, bool(crowd))
    assert "area" not in mask.extras.get("coco", {})
    (row,) = rewritten(doc, tmp_path)["annotations"]
    assert row == doc["annotations"][0]
    assert type(row["iscrowd"]) is type(crowd)


def test_polygon_doubles_ids_and_unknown_keys_survive(tmp_path):
    ring = [0.1, 0.30000000000000004, 7.000000000000001, 1e-17, 3, 5.5]
    doc = document(
        {"id": 2**62, "segmentation": [ring, ring[::-1]], "area": 6.123456789012345, "bbox": [0.1, 0, 6.9, 5.5],
         "score": 0.5, "attributes": {"a": 1, "b": 1.0, "c": "1", "d": True, "e": None}, "extra": {"k": [1, {"z": 2}]}},
        images=[{"id": -7, "file_name": "x/y.tar.gz", "width": 8, "height": 6, "license": None, "own": [1.5]}],
        categories=[{"id": 0, "name": "cat", "supercategory": "animal", "own": 1}],
        extra_top={"a": [1]}, info={"year": 2020, "own": "x"}, licenses=[{"id": 1, "name": "n", "url": ""}],
    )  # fmt: skip
    doc["annotations"][0].update(image_id=-7, category_id=0)
    again = rewritten(doc, tmp_path)
    assert again == doc
    assert list(map(type, again["annotations"][0]["attributes"].values())) == [int, float, str, bool, type(None)]
    (item,) = load(doc).items
    assert item.id == "x/y.tar"


def test_order_of_interleaved_annotations_is_kept(tmp_path):
    images = [{"id": n, "file_name": f"{n}.png", "width": 8, "height": 6} for n in (3, 1, 2)]
    doc = document(*({"image_id": n, "id": 100 - at} for at, n in enumerate((1, 3, 2, 1, 3))), images=images)
    for row in doc["annotations"]:
        row["segmentation"] = []
    again = rewritten(doc, tmp_path)
    assert again == doc
    assert [i.extras["coco"]["id"] for i in load(doc).items] == [3, 1, 2]


def test_equal_stems_and_equal_names_stay_different_items():
    names = ["a.png", "a.jpg", "b.png", "b.png", "c.png"]
    images = [{"id": n, "file_name": name} for n, name in enumerate(names)]
    assert [i.id for i in load(document(images=images)).items] == ["a.png", "a.jpg", "b.png#2", "b.png#3", "c"]


def test_cvat_entries_become_fields_and_go_back(tmp_path):
    own = {"occluded": True, "rotation": 30.0, "track_id": 5, "keyframe": False, "colour": "red", "outside": "maybe"}
    doc = document({"segmentation": [], "attributes": own})
    box = only(doc)
    assert (box.occluded, box.rotation, box.track_id, box.keyframe) == (True, 30.0, 5, False)
    assert box.attributes == {"colour": "red", "outside": "maybe"}
    assert rewritten(doc, tmp_path)["annotations"][0]["attributes"] == own


def test_category_zero_and_text_ids_are_real(tmp_path):
    doc = document({"id": "x-1", "category_id": 0, "segmentation": []}, categories=[{"id": 0, "name": "n"}])
    assert only(doc).category_id == 0
    assert rewritten(doc, tmp_path)["annotations"][0]["id"] == "x-1"


def test_1_and_text_1_are_the_same_id():
    with pytest.raises(mc.FormatError, match="duplicate"):
        load(document({"id": 1}, {"id": "1"}))


@pytest.mark.parametrize(
    ("row", "where", "text"),
    [
        ({"bbox": [1, 2, 3]}, "bbox", "4 finite numbers"),
        ({"bbox": [1, 2, -3, 4]}, "bbox", "at least 0"),
        ({"bbox": [1, 2, True, 4]}, "bbox", "4 finite numbers"),
        ({"bbox": None, "segmentation": None}, "bbox", "no geometry"),
        ({"segmentation": [[1, 2, 3, 4, 5]]}, "segmentation[0]", "5 numbers"),
        ({"segmentation": [[1, 1, 2, 2, 3, 3], []]}, "segmentation[1]", "0 numbers"),
        ({"segmentation": [1, 1, 2, 2, 3, 3]}, "segmentation", "flat list"),
        ({"segmentation": [{"size": [6, 8], "counts": COUNTS}]}, "segmentation", "holds one"),
        ({"segmentation": "text"}, "segmentation", "text"),
        ({"segmentation": {"size": [8, 6], "counts": COUNTS}}, "segmentation.size", "[6, 8]"),
        ({"segmentation": {"size": [6, 8], "counts": [1, 2]}}, "segmentation.counts", ""),
        ({"segmentation": {"size": [6, 8], "counts": [-1, 49]}}, "segmentation", ""),
        ({"segmentation": {"size": [6, 8], "counts": [1.5, 46.5]}}, "segmentation.counts", "integers"),
        ({"segmentation": {"size": [6, 8], "counts": "\u00e9"}}, "segmentation", ""),
        ({"segmentation": {"size": [6, 8]}}, "segmentation", "'counts'"),
        ({"iscrowd": 2}, "iscrowd", "0 or 1"),
        ({"score": "high"}, "score", "number"),
        ({"attributes": [1]}, "attributes", "object"),
        ({"area": "big"}, "area", "number"),
        ({"category_id": 9}, "category_id", "9"),
        ({"category_id": None}, "category_id", "None"),
        ({"image_id": 9}, "image_id", "9"),
        ({"image_id": None}, "image_id", ""),
        ({"id": 1.5}, "id", "1.5"),
        ({"id": 2**70}, "id", ""),
        ({"score": 2**70}, "score", "64 bits"),
    ],
)  # fmt: skip
def test_faults_are_named_and_skipped(row, where, text):
    doc = document({"segmentation": []}, row, {"segmentation": []})
    with pytest.raises(mc.FormatError) as caught:
        load(doc)
    error = caught.value
    assert error.field.startswith(where)
    assert error.record.startswith("annotations[1]")
    assert text in str(error)
    assert str(error).startswith("data: annotations[1]")
    lenient = load(doc, "skip")
    kept = [a.id for item in lenient.items for a in item.annotations]
    wrapped = where == "segmentation" and ("flat" in text or "holds" in text)
    assert kept == ([1, 2, 3] if wrapped else [1, 3])
    assert lenient.report.total == 1


def test_missing_annotation_id_is_kept_when_lenient():
    doc = document({"segmentation": []})
    del doc["annotations"][0]["id"]
    with pytest.raises(mc.FormatError, match=r"annotations\[0\]: id: required"):
        load(doc)
    lenient = load(doc, "skip")
    assert [a.id for item in lenient.items for a in item.annotations] == [None]
    assert lenient.report.total == 1


@pytest.mark.parametrize("key", ["images", "annotations"])
def test_missing_list(key):
    doc = document()
    del doc[key]
    with pytest.raises(mc.FormatError, match=key):
        mc.read(json.dumps(doc).encode(), "coco_instances")


def test_layouts(tmp_path):
    for at, (folder, names) in enumerate(
        {
            "roboflow": {"train/_annotations.coco.json": "train", "valid/_annotations.coco.json": "valid"},
            "mmdet": {
                "annotations/instances_train2017.json": "train2017",
                "annotations/instances_my_set.json": "my_set",
            },
            "fiftyone": {"labels.json": "default"},
            "bare": {"whatever.json": "default"},
            "two": {"a.json": "a", "b.json": "b"},
        }.items()
    ):
        for name in names:
            path = tmp_path / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document({"segmentation": [], "id": at})))
        assert mc.detect(tmp_path / folder) == "coco_instances"
        assert set(mc.read(tmp_path / folder).subsets()) == set(names.values())


def test_subsets_may_differ_in_their_top_level_and_be_empty(tmp_path):
    docs = {
        "a": document({"segmentation": []}, info={"year": 1}),
        "b": document(info={"year": 2}, categories=[{"id": 2, "name": "dog", "supercategory": ""}], images=[]),
    }
    for subset, doc in docs.items():
        path = tmp_path / "in" / "annotations" / f"instances_{subset}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(doc))
    assert not len(mc.convert(tmp_path / "in", tmp_path / "out", "coco"))
    for subset, doc in docs.items():
        assert json.loads((tmp_path / "out" / "annotations" / f"instances_{subset}.json").read_bytes()) == doc


@pytest.mark.parametrize("segmentation", ["auto", "rle", "rle_list", "polygon"])
def test_segmentation_options_keep_every_pixel(segmentation, tmp_path):
    mask = np.zeros((6, 8), np.uint8)
    mask[1:5, 1:7] = 1
    mask[2:4, 3:5] = 0
    rle = mc.Rle.from_mask(mask)
    triangle = [1, 1, 6.5, 1.25, 3, 5]
    doc = document({"segmentation": rle.to_coco()}, {"segmentation": [triangle]})
    rows = rewritten(doc, tmp_path, segmentation=segmentation)["annotations"]
    kinds = [type(row["segmentation"]) is dict and type(row["segmentation"]["counts"]) for row in rows]
    assert (
        kinds
        == {"auto": [str, False], "rle": [str, str], "rle_list": [list, list], "polygon": [False, False]}[segmentation]
    )
    again = mc.read(tmp_path / "o.json").load()
    first, second = again.items[0].annotations
    shape = (6, 8)
    assert (first.rle if isinstance(first, mc.Mask) else mc.Rle.from_polygons(first.rings, shape)) == rle
    expected = mc.Rle.from_polygons([np.reshape(triangle, (-1, 2))], shape)
    assert (second.rle if isinstance(second, mc.Mask) else mc.Rle.from_polygons(second.rings, shape)) == expected


def test_unusable_ids_are_renumbered_and_reported(tmp_path):
    boxes = [mc.Box(0, 0, 1, 1, category_id="c", id=i) for i in (1, 1, "3b9e-uuid", None)]
    schema = mc.LabelSchema([mc.Category("c", "cat")])
    report = mc.write(
        mc.Dataset(schema, [mc.Item("a", "a.png", annotations=boxes)]), tmp_path / "o", "coco", on_loss="ignore"
    )
    assert {(loss.action, loss.what, loss.field, loss.count) for loss in report} == {
        ("renamed", "category", "id", 1),
        ("renamed", "box", "id", 2),
    }
    assert [a.id for i in mc.read(tmp_path / "o").items for a in i.annotations] == [1, 2, 3, 4]


def test_mask_of_another_size_is_an_error_and_writes_nothing(tmp_path):
    mask = mc.Mask(mc.Rle.from_mask(np.ones((3, 4), bool)), category_id=1)
    dataset = mc.Dataset(
        mc.LabelSchema([mc.Category(1, "c")]), [mc.Item("a", "a.png", "image", 8, 6, annotations=[mask])]
    )
    with pytest.raises(mc.FormatError, match=r"\(3, 4\)"):
        mc.write(dataset, tmp_path / "o", "coco")
    assert list(tmp_path.iterdir()) == []


def test_nan_is_never_written(tmp_path):
    box = mc.Box(0, 0, float("nan"), 1, category_id=1)
    dataset = mc.Dataset(mc.LabelSchema([mc.Category(1, "c")]), [mc.Item("a", "a.png", annotations=[box])])
    with pytest.raises(ValueError, match="NaN"):
        mc.write(dataset, tmp_path / "o", "coco")
    assert list(tmp_path.iterdir()) == []


def test_paint_order_is_written_as_list_order(tmp_path):
    boxes = [mc.Box(0, 0, 1, 1, category_id=1, id=i, z_order=z) for i, z in ((1, 5), (2, -1), (3, 0), (4, 5))]
    dataset = mc.Dataset(mc.LabelSchema([mc.Category(1, "c")]), [mc.Item("a", "a.png", annotations=boxes)])
    mc.write(dataset, tmp_path / "o", "coco", on_loss="ignore")
    assert [a.id for i in mc.read(tmp_path / "o").items for a in i.annotations] == [2, 3, 1, 4]


numbers = st.floats(-1e6, 1e6, allow_nan=False) | st.integers(-1000, 1000)
texts = st.text(st.characters(codec="utf-8"), max_size=6)
scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
json_values = st.recursive(
    scalars | texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)


@given(
    ring=st.lists(numbers, min_size=6, max_size=12).filter(lambda r: len(r) % 2 == 0),
    box=st.tuples(numbers, numbers, st.floats(0, 1e6), st.floats(0, 1e6)),
    extra=st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1, max_size=6), json_values, max_size=3),
)
def test_any_record_survives(ring, box, extra, tmp_path_factory):
    extra = {f"x{key}": value for key, value in extra.items()}
    plain = {"segmentation": [], "bbox": list(box), "attributes": extra or {"a": 1}}
    doc = document({"segmentation": [ring], "bbox": list(box), **extra}, plain)
    folder = tmp_path_factory.mktemp("any")
    again = rewritten(doc, folder)
    assert again == doc
    assert_datasets_equal(load(doc), load(again))
