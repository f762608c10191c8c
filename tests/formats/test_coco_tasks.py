"""COCO tasks besides instances, and all of them together, on small documents written here."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO

import maskcodec as mc
from maskcodec.formats._shared.images import read_png, write_png
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

PERSON = {"id": 1, "name": "person", "supercategory": "", "keypoints": ["a", "b", "c"], "skeleton": [[2, 3], [1, 2]]}
POINTS = [1, 1, 2, 3.5, 4, 1, 0, 0, 0]


def document(*annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    rows = [{"id": at, "image_id": 1, **row} for at, row in enumerate(annotations, 1)]
    return {
        "info": {}, "licenses": [], "categories": [dict(PERSON)],
        "images": [{"id": 1, "width": 8, "height": 6, "file_name": "a.png"}], "annotations": rows, **more,
    }  # fmt: skip


def person(**more: Any) -> dict[str, Any]:
    return {
        "category_id": 1, "segmentation": [], "area": 7.5, "bbox": [1, 1, 2.5, 3], "iscrowd": 0, "keypoints": POINTS,
        "num_keypoints": 2, **more,
    }  # fmt: skip


def load(doc: Any, name: str | None, on_error: str = "raise") -> mc.Dataset:
    return mc.read(json.dumps(doc).encode(), name, on_error=on_error).load()


def rewritten(doc: Any, name: str, tmp_path: Path) -> Any:
    report = mc.write(load(doc, name), tmp_path / "o.json", name, overwrite=True)
    assert not len(report)
    return json.loads((tmp_path / "o.json").read_bytes())


def put(folder: Path, **documents: Any) -> Path:
    for name, doc in documents.items():
        path = folder / "annotations" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(doc))
    return folder


# --- key points ------------------------------------------------------------------------------------------------------


def test_keypoints_keep_everything_of_the_object(tmp_path):
    polygon = [[1, 1, 5, 1, 5, 5.25]]
    doc = document(
        person(), person(segmentation=polygon, score=0.5, attributes={"occluded": True, "k": 1}, own=[1]),
        person(segmentation={"size": [6, 8], "counts": [13, 2, 4, 2, 4, 2, 21]}, iscrowd=1),
        person(keypoints=[0] * 9, num_keypoints=0),
    )  # fmt: skip
    del doc["annotations"][3]["segmentation"]
    assert mc.detect(json.dumps(doc).encode()) == "coco_keypoints"
    (item,) = load(doc, "coco_keypoints").items
    first, second, crowd, _ = item.annotations
    assert (first.xy.tolist(), first.visibility) == ([[1, 1], [3.5, 4], [0, 0]], [2, 1, 0])
    assert (second.score, second.occluded, second.attributes) == (0.5, True, {"k": 1})
    assert crowd.is_crowd
    assert rewritten(doc, "coco_keypoints", tmp_path) == doc


def test_edges_are_verbatim_and_a_category_without_points_takes_any_number(tmp_path):
    bare = {"id": 2, "name": "b", "supercategory": "", "keypoints": [], "skeleton": [[0, 1], [0, 1]]}
    doc = document(person(category_id=2, keypoints=[1, 2, 2], num_keypoints=1), categories=[PERSON, bare])
    assert load(doc, None).schema.by_id(1).skeleton == [(2, 3), (1, 2)]
    assert rewritten(doc, "coco_keypoints", tmp_path) == doc


@pytest.mark.parametrize(
    ("row", "field", "text"),
    [
        ({"keypoints": [1, 1, 2]}, "keypoints", "9, three for each"),
        ({"keypoints": [1, 1]}, "keypoints", "9"),
        ({"keypoints": [1, 1, 3, *POINTS[3:]]}, "keypoints", "0, 1 or 2"),
        ({"keypoints": "x"}, "keypoints", "numbers"),
        ({"keypoints": None}, "keypoints", "numbers"),
        ({"num_keypoints": 3}, "num_keypoints", "expected 2"),
        ({"bbox": [1, 2]}, "bbox", "4 finite"),
        ({"category_id": 7}, "category_id", "7"),
        ({"segmentation": [[1, 2]]}, "segmentation[0]", "2 numbers"),
        ({"area": "x"}, "area", "number"),
    ],
)
def test_faults_of_keypoints(row, field, text):
    doc = document(person(), person(**row), person())
    with pytest.raises(mc.FormatError) as caught:
        load(doc, "coco_keypoints")
    assert caught.value.field == field
    assert text in str(caught.value)
    assert caught.value.record == "annotations[1] (id 2)"
    lenient = load(doc, "coco_keypoints", "skip")
    kept = [a.id for item in lenient.items for a in item.annotations]
    assert kept == ([1, 2, 3] if field == "num_keypoints" else [1, 3])
    assert lenient.report.total == 1


def test_boxes_become_people_without_points_and_loose_points_need_names(tmp_path):
    schema = mc.LabelSchema([mc.Category(1, "p", keypoints=["a", "b"]), mc.Category(2, "q")])
    shapes = [
        mc.Box(1, 2, 4, 6, category_id=1), mc.Points([[1, 1], [2, 2]], category_id=1),
        mc.Points([[1, 1]], category_id=1), mc.Points([[1, 1]], category_id=2), mc.Box(0, 0, 1, 1, category_id=2),
    ]  # fmt: skip
    dataset = mc.Dataset(schema, [mc.Item("a", "a.png", annotations=shapes)])
    report = mc.write(dataset, tmp_path / "o.json", "coco_keypoints", on_loss="ignore")
    assert report == mc.plan(dataset, "coco_keypoints")
    assert [(loss.action, loss.what, loss.count) for loss in report] == [
        ("approximated", "box", 2), ("approximated", "points", 1), ("dropped", "points", 1), ("dropped", "points", 1),
    ]  # fmt: skip
    rows = json.loads((tmp_path / "o.json").read_bytes())["annotations"]
    assert [(row["keypoints"], row["num_keypoints"], row["bbox"], row["area"]) for row in rows] == [
        ([0] * 6, 0, [1, 2, 3, 4], 12), ([1, 1, 2, 2, 2, 2], 2, [1, 1, 1, 1], 1), ([], 0, [0, 0, 1, 1], 1),
    ]  # fmt: skip


# --- captions, labels, image info ------------------------------------------------------------------------------------


def test_captions(tmp_path):
    doc = document({"caption": "hello"}, {"caption": "wörld", "category_id": 0, "own": 1}, categories=[])
    assert mc.detect(json.dumps(doc).encode()) == "coco_captions"
    (item,) = load(doc, None).items
    assert [(a.text, a.category_id) for a in item.annotations] == [("hello", None), ("wörld", None)]
    assert rewritten(doc, "coco_captions", tmp_path) == doc
    doc["annotations"][1]["caption"] = 5
    with pytest.raises(mc.FormatError, match="caption: expected text"):
        load(doc, None)
    assert load(doc, None, "skip").report.total == 1


def test_labels(tmp_path):
    doc = document({"category_id": 1, "score": 0.5, "attributes": {"a": "b"}}, {"category_id": 1})
    assert mc.detect(json.dumps(doc).encode()) == "coco_labels"
    (item,) = load(doc, None).items
    assert [(a.kind, a.category_id, a.score) for a in item.annotations] == [("tag", 1, 0.5), ("tag", 1, None)]
    assert rewritten(doc, "coco_labels", tmp_path) == doc


@pytest.mark.parametrize("listed", [True, False])
def test_image_info_with_and_without_the_list(listed, tmp_path):
    doc = document()
    del doc["categories"][0]["keypoints"], doc["categories"][0]["skeleton"]
    if not listed:
        del doc["annotations"]
    path = put(tmp_path / "in", image_info_test=doc)
    assert mc.detect(path) == "coco_image_info"
    assert not len(mc.convert(path, tmp_path / "out", "coco_image_info"))
    assert json.loads((tmp_path / "out" / "annotations" / "image_info_test.json").read_bytes()) == doc


# --- panoptic --------------------------------------------------------------------------------------------------------

THINGS = [
    {"id": 1, "name": "cat", "supercategory": "animal", "isthing": 1, "color": [1, 2, 3]},
    {"id": 2, "name": "sky", "supercategory": "", "isthing": 0, "color": [4, 5, 6]},
]


def panoptic(folder: Path, infos: Any = None, pixels: Any = None, **more: Any) -> Path:
    """One image of 6 x 4: segment 7 (3 pixels), segment 70000 (8 pixels), the rest void."""
    ids = np.zeros((4, 6), np.int64)
    ids[1, 1:3], ids[2, 1] = 7, 7
    ids[0:2, 2:6] = 70000
    ids[1, 1] = 7
    if infos is None:
        infos = [
            {"id": 7, "category_id": 1, "area": 2, "bbox": [1, 1, 1, 2], "iscrowd": 0, "own": True},
            {"id": 70000, "category_id": 2, "area": 8, "bbox": [2, 0, 4, 2], "iscrowd": 1},
        ]
    doc = document(
        categories=THINGS, images=[{"id": 1, "width": 6, "height": 4, "file_name": "a.jpg"}],
        annotations=[{"image_id": 1, "file_name": "p0.png", "segments_info": infos, "own": 1, **more}],
    )  # fmt: skip
    put(folder, panoptic_val=doc)
    image = mc.pack_ids(ids, "panoptic") if pixels is None else pixels
    (folder / "annotations" / "panoptic_val").mkdir()
    (folder / "annotations" / "panoptic_val" / "p0.png").write_bytes(write_png(image))
    return folder


def test_panoptic_round_trip(tmp_path):
    source = panoptic(tmp_path / "in")
    assert mc.detect(source) == "coco_panoptic"
    dataset = mc.read(source).load()
    (item,) = dataset.items
    assert [(a.id, a.category_id, a.rle.area, a.is_crowd) for a in item.annotations] == [
        (7, 1, 2, False), (70000, 2, 8, True),
    ]  # fmt: skip
    assert [c.kind for c in dataset.schema.categories] == ["thing", "stuff"]
    assert not len(mc.write(dataset, tmp_path / "out", "coco_panoptic"))
    one, two = (
        [(p / "annotations" / "panoptic_val.json").read_bytes() for p in (source, tmp_path / "out")],
        [
            read_png((p / "annotations" / "panoptic_val" / "p0.png").read_bytes())[0]
            for p in (source, tmp_path / "out")
        ],
    )
    assert json.loads(one[0]) == json.loads(one[1])
    assert (two[0] == two[1]).all()
    assert two[1][0, 2].tolist() == [112, 17, 1]


def info(**more: Any) -> dict[str, Any]:
    return {"id": 7, "category_id": 1, "area": 2, "bbox": [1, 1, 1, 2], "iscrowd": 0, **more}


OTHER = {"id": 70000, "category_id": 2, "area": 8, "bbox": [2, 0, 4, 2], "iscrowd": 0}


@pytest.mark.parametrize(
    ("infos", "text", "kept"),
    [
        ([info()], "the id 70000 of the PNG p0.png is not in the list", [7]),
        ([info(), OTHER, {**OTHER, "id": 9}], "no pixel of the PNG has this id", [7, 70000]),
        ([info(category_id=5), OTHER], "no category with the id 5", [70000]),
        ([info(), OTHER, info()], "duplicate", [7, 70000]),
        ([info(iscrowd=4), OTHER], "expected 0 or 1", [70000]),
        ([info(), OTHER, 5], "expected an object with an id", [7, 70000]),
    ],
)
def test_faults_of_segments(infos, text, kept, tmp_path):
    source = panoptic(tmp_path / "in", infos)
    with pytest.raises(mc.FormatError, match=text) as caught:
        mc.read(source).load()
    assert caught.value.record.startswith("annotations[0]")
    lenient = mc.read(source, on_error="skip").load()
    assert [a.id for item in lenient.items for a in item.annotations] == kept
    assert lenient.report.total == 1


def test_faults_of_the_png(tmp_path):
    gone = panoptic(tmp_path / "gone")
    (gone / "annotations" / "panoptic_val" / "p0.png").unlink()
    with pytest.raises(mc.FormatError, match="no such PNG: annotations/panoptic_val/p0.png"):
        mc.read(gone).load()
    small = panoptic(tmp_path / "small", pixels=np.zeros((3, 6, 3), np.uint8))
    with pytest.raises(mc.FormatError, match="expected 4 x 6 pixels"):
        mc.read(small).load()
    grey = panoptic(tmp_path / "grey", pixels=np.zeros((4, 6), np.uint8))
    with pytest.raises(mc.FormatError, match="RGB"):
        mc.read(grey).load()
    lenient = mc.read(small, on_error="skip").load()
    assert (len(lenient.items), lenient.report.total) == (1, 1)


def test_two_channels_are_recognised(tmp_path):
    ids = np.zeros((4, 6, 3), np.uint8)
    ids[1:3, 1] = (1, 5, 0)
    ids[0:2, 2:6] = (2, 0, 0)
    dataset = mc.read(panoptic(tmp_path / "in", pixels=ids)).load()
    assert [(a.id, a.rle.area) for item in dataset.items for a in item.annotations] == [(7, 2), (70000, 8)]


def test_later_masks_win_and_the_report_counts_what_they_cover(tmp_path):
    def mask(rows: slice, columns: slice, **more: Any) -> mc.Mask:
        pixels = np.zeros((4, 6), bool)
        pixels[rows, columns] = True
        return mc.Mask(mc.Rle.from_mask(pixels), category_id=1, **more)

    masks = [
        mask(slice(0, 4), slice(0, 2), id=5, extras={"coco": {"area": 99}}), mask(slice(1, 2), slice(3, 4), id=6),
        mask(slice(1, 3), slice(1, 5), id=5), mask(slice(3, 4), slice(5, 6), id=2**24),
    ]  # fmt: skip
    dataset = mc.Dataset(
        mc.LabelSchema([mc.Category(1, "cat")]), [mc.Item("a", "a.png", "image", 6, 4, annotations=masks)]
    )
    report = mc.write(dataset, tmp_path / "o", "coco_panoptic", on_loss="ignore")
    assert [(loss.action, loss.what, loss.field, loss.count) for loss in report] == [
        ("renamed", "mask", "id", 2), ("dropped", "mask", "rle", 2), ("dropped", "mask", "extras.coco.area", 1),
        ("dropped", "mask", "", 1),
    ]  # fmt: skip
    (record,) = json.loads((tmp_path / "o" / "annotations" / "panoptic_default.json").read_bytes())["annotations"]
    assert [(i["id"], i["area"], i["bbox"]) for i in record["segments_info"]] == [
        (5, 6, [0, 0, 2, 4]), (1, 8, [1, 1, 4, 2]), (2, 1, [5, 3, 1, 1]),
    ]  # fmt: skip
    back = mc.read(tmp_path / "o").load()
    assert [a.rle.area for item in back.items for a in item.annotations] == [6, 8, 1]


# --- results ---------------------------------------------------------------------------------------------------------

RLE = {"size": [6, 8], "counts": mc.Rle.from_counts([13, 2, 4, 2, 4, 2, 21], (6, 8)).to_coco()["counts"]}
RESULTS = [
    {"image_id": 42, "category_id": 18, "bbox": [258.15, 41.29, 348.26, 243.78], "score": 0.236},
    {"image_id": 7, "category_id": 2, "segmentation": RLE, "score": 1},
    {"image_id": 42, "category_id": 1, "keypoints": [1.5, 2, 1, 3, 4, 0], "score": 0.5},
    {"image_id": 42, "category_id": 1, "keypoints": [1.5, 2, 0.75, 3, 4, 0.25], "score": 0.5, "own": {"k": 1}},
    {"image_id": 9, "caption": "a cat"},
]


def test_results_of_mixed_kinds_are_kept_record_by_record(tmp_path):
    data = json.dumps(RESULTS).encode()
    assert mc.detect(data) == "coco_results"
    dataset = mc.read(data).load()
    assert [(item.id, [a.kind for a in item.annotations]) for item in dataset.items] == [
        (42, ["box", "skeleton", "skeleton"]), (7, ["mask"]), (9, ["caption"]),
    ]  # fmt: skip
    assert [a.id for item in dataset.items for a in item.annotations] == [None] * 5
    assert dataset.items[0].annotations[2].visibility == [2, 2]
    assert not len(mc.write(dataset, tmp_path / "o.json", "coco_results"))
    assert json.loads((tmp_path / "o.json").read_bytes()) == RESULTS


def test_rows_of_numbers(tmp_path):
    rows = [[42, 1.5, 2, 3, 4, 0.9, 18], [7, 0, 0, 1, 1, 0.25, 2.0]]
    dataset = mc.read(json.dumps(rows).encode()).load()
    box = dataset.items[0].annotations[0]
    assert (box.x0, box.x1, box.score, box.category_id) == (1.5, 4.5, 0.9, 18)
    mc.write(dataset, tmp_path / "o.json", "coco_results")
    assert json.loads((tmp_path / "o.json").read_bytes()) == rows


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"bbox": [1, 2, 3]}, "bbox"), ({"score": "x"}, "score"), ({"score": None}, "score"),
        ({"image_id": None}, "image_id"), ({"category_id": True}, "category_id"),
        ({"bbox": None, "keypoints": [1, 2]}, "keypoints"), ({"caption": 5}, "caption"),
        ({"segmentation": {"size": [6, 8], "counts": [1, 2]}}, "segmentation.counts"),
    ],
)  # fmt: skip
def test_every_result_is_checked(row, field):
    good = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1}
    data = json.dumps([good, {**good, **row}, good]).encode()
    with pytest.raises(mc.FormatError) as caught:
        mc.read(data, "coco_results").load()
    assert (caught.value.field, caught.value.record) == (field, "results[1]")
    lenient = mc.read(data, "coco_results", on_error="skip").load()
    assert sum(len(item.annotations) for item in lenient.items) == 2
    assert lenient.report.total == 1


def test_ground_truth_gives_names_and_sizes(tmp_path):
    truth = document(images=[{"id": n, "width": 8, "height": 6, "file_name": f"{n}.png"} for n in (7, 42, 50)])
    truth["categories"] = [{"id": n, "name": f"class {n}"} for n in (1, 2, 18)]
    (tmp_path / "gt.json").write_text(json.dumps(truth))
    data = json.dumps(RESULTS[:4]).encode()
    dataset = mc.read(data, "coco_results", ground_truth=tmp_path / "gt.json").load()
    assert [(i.id, i.width, len(i.annotations)) for i in dataset.items] == [("7", 8, 1), ("42", 8, 3), ("50", 8, 0)]
    assert dataset.schema.by_id(18).name == "class 18"
    with pytest.raises(mc.FormatError, match=r"results\[4\]: image_id: no image with the id 9"):
        mc.read(json.dumps(RESULTS).encode(), "coco_results", ground_truth=tmp_path / "gt.json")


@pytest.mark.parametrize("kind", ["bbox", "segmentation", "keypoints"])
def test_pycocotools_loads_the_results_that_are_written(kind, tmp_path):
    ids = (42, 7, 9)
    truth = {
        "info": {}, "images": [{"id": n, "width": 8, "height": 6, "file_name": f"{n}.png"} for n in ids],
        "annotations": [], "categories": [{"id": n, "name": str(n)} for n in (1, 2, 18)],
    }  # fmt: skip
    (tmp_path / "gt.json").write_text(json.dumps(truth))
    rows = [row for row in RESULTS if kind in row]
    mc.write(mc.read(json.dumps(rows).encode()), tmp_path / "o.json", "coco_results")
    with contextlib.redirect_stdout(io.StringIO()):
        loaded = COCO(str(tmp_path / "gt.json")).loadRes(str(tmp_path / "o.json"))
    found = loaded.loadAnns(loaded.getAnnIds())
    assert [(a["image_id"], a["category_id"], a["score"]) for a in found] == [
        (row["image_id"], row["category_id"], row["score"]) for row in rows
    ]
    if kind == "segmentation":
        assert [a["area"] for a in found] == [6]


# --- all parts -------------------------------------------------------------------------------------------------------


def parts(folder: Path) -> Path:
    """Instances, key points, captions and labels of one subset; the key points share ids with the instances."""
    boxes = {"category_id": 1, "segmentation": [], "area": 12, "bbox": [1, 2, 3, 4], "iscrowd": 0}
    plain = [{"id": 1, "name": "person", "supercategory": ""}, {"id": 3, "name": "cat", "supercategory": ""}]
    images = [{"id": n, "width": 8, "height": 6, "file_name": f"{n}.png"} for n in (4, 5, 6)]
    return put(
        folder,
        instances_val=document({**boxes, "id": 10, "image_id": 5}, {**boxes, "id": 11, "image_id": 4},
                               images=images, categories=plain, info={"year": 1}),
        person_keypoints_val=document(person(id=10, image_id=5), images=images),
        captions_val=document({"id": 1, "image_id": 6, "caption": "x"}, images=images[2:], categories=[]),
        labels_val=document({"id": 1, "image_id": 5, "category_id": 3}, images=images, categories=plain[1:]),
    )  # fmt: skip


def test_umbrella_reads_all_parts_and_writes_them_back(tmp_path):
    source = parts(tmp_path / "in")
    assert mc.detect(source) == "coco"
    dataset = mc.read(source).load()
    assert [(i.path, [(a.kind, a.id) for a in i.annotations]) for i in dataset.items] == [
        ("4.png", [("box", 11)]), ("5.png", [("box", 10), ("skeleton", 10), ("tag", 1)]), ("6.png", [("caption", 1)]),
    ]  # fmt: skip
    assert len(dataset.schema) == 2
    assert dataset.schema.by_id(1).keypoints == ["a", "b", "c"]
    assert not len(dataset.report)
    assert not len(mc.write(dataset, tmp_path / "out", "coco"))
    written = {p.name: json.loads(p.read_bytes()) for p in (tmp_path / "out" / "annotations").iterdir()}
    assert written == {p.name: json.loads(p.read_bytes()) for p in (source / "annotations").iterdir()}
    assert_datasets_equal(dataset, mc.read(tmp_path / "out"))


def test_umbrella_reads_one_part_and_the_part_alone_is_detected(tmp_path):
    source = put(tmp_path / "in", person_keypoints_val=document(person()))
    assert mc.detect(source) == "coco_keypoints"
    assert [a.kind for i in mc.read(source, "coco").items for a in i.annotations] == ["skeleton"]


def test_stuff_and_panoptic_are_read_too_and_stuff_goes_back(tmp_path):
    source = panoptic(tmp_path / "in")
    rle = {"size": [4, 6], "counts": [0, 8, 16]}
    stuff = {"category_id": 2, "segmentation": rle, "area": 8, "bbox": [0, 0, 2, 4], "iscrowd": 0}
    put(source, stuff_val=document(stuff, images=[{"id": 1, "width": 6, "height": 4, "file_name": "a.jpg"}],
                                   categories=THINGS))  # fmt: skip
    dataset = mc.read(source).load()
    assert [(a.id, a.rle.area) for i in dataset.items for a in i.annotations] == [(1, 8), (7, 2), (70000, 8)]
    mc.write(dataset, tmp_path / "out", "coco", on_loss="ignore")
    files = sorted(p.name for p in (tmp_path / "out" / "annotations").iterdir())
    assert files == ["instances_val.json", "stuff_val.json"]
    assert len(json.loads((tmp_path / "out" / "annotations" / files[0]).read_bytes())["annotations"]) == 2


def test_tasks_that_disagree_about_a_category_keep_their_own_numbers(tmp_path):
    source = parts(tmp_path / "in")
    path = source / "annotations" / "labels_val.json"
    doc = json.loads(path.read_bytes())
    doc["categories"] = [{"id": 3, "name": "indoor", "supercategory": ""}]
    path.write_text(json.dumps(doc))
    dataset = mc.read(source, on_loss="ignore").load()
    assert [(loss.action, loss.what, loss.field) for loss in dataset.report] == [("renamed", "category", "id")]
    assert {c.id: c.name for c in dataset.schema} == {1: "person", 3: "cat", 4: "indoor"}
    assert [a.category_id for i in dataset.items for a in i.annotations if a.kind == "tag"] == [4]
    mc.write(dataset, tmp_path / "out", "coco")
    written = {p.name: json.loads(p.read_bytes()) for p in (tmp_path / "out" / "annotations").iterdir()}
    assert written == {p.name: json.loads(p.read_bytes()) for p in (source / "annotations").iterdir()}


def test_results_beside_ground_truth_are_named_in_the_report(tmp_path):
    source = put(tmp_path / "in", instances_val=document(person()))
    doc = json.loads((source / "annotations" / "instances_val.json").read_bytes())
    for row in doc["annotations"]:
        del row["keypoints"], row["num_keypoints"]
    put(source, instances_val=doc, results=RESULTS)
    assert mc.detect(source) == "coco_instances"
    assert "a COCO results file" in str(mc.read(source, on_loss="ignore").report)


@pytest.mark.parametrize(
    ("names", "media"),
    [
        (("train/_annotations.coco.json", "valid/_annotations.coco.json"), ("train/1.png", "valid/1.png")),
        (("annotations/instances_train.json", "annotations/instances_val.json"), ("train/1.png", "val/1.png")),
        (("annotations/instances_train.json",), ("images/1.png",)),
        (("annotations/instances_train.json",), ("images/train/1.png",)),
        (("labels.json",), ("data/1.png",)),
    ],
)  # fmt: skip
@pytest.mark.parametrize("task", ["coco_instances", "coco_keypoints"])
def test_media_of_every_layout_are_found(names, media, task, tmp_path):
    row = person()
    if task == "coco_instances":
        del row["keypoints"], row["num_keypoints"]
    doc = document(row, images=[{"id": 1, "width": 8, "height": 6, "file_name": "1.png"}])
    for name in (*names, *media):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(doc) if name.endswith(".json") else name)
    assert mc.detect(tmp_path / "in") == task
    dataset = mc.read(tmp_path / "in")
    for item, name in zip(dataset.items, media, strict=True):
        with dataset.media.open_media(item) as stream:
            assert stream.read().decode() == name


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", ["coco_instances", "coco_keypoints"])
def test_pycocotools_reads_what_is_written(name, tmp_path):
    row = person(segmentation={"size": [6, 8], "counts": [13, 2, 4, 2, 4, 2, 21]})
    ring = person(segmentation=[[1, 1, 5, 1, 5, 5.25]])
    if name == "coco_instances":
        for each in (row, ring):
            del each["keypoints"], each["num_keypoints"]
    mc.write(load(document(row, ring), name), tmp_path / "o.json", name)
    with contextlib.redirect_stdout(io.StringIO()):
        loaded = COCO(str(tmp_path / "o.json"))
    first, second = loaded.loadAnns(loaded.getAnnIds())
    assert loaded.annToMask(first).sum() == 6
    expected = mc.Rle.from_polygons([np.array([[1, 1], [5, 1], [5, 5.25]])], (6, 8))
    assert (loaded.annToMask(second) == expected.decode()).all()
    if name == "coco_keypoints":
        assert (first["keypoints"], first["num_keypoints"]) == (POINTS, 2)


# --- groups ----------------------------------------------------------------------------------------------------------


def square(x: int, y: int, w: int, h: int, **more: Any) -> mc.Polygon:
    return mc.Polygon([[[x, y], [x + w, y], [x + w, y + h], [x, y + h]]], group_id=1, **more)


def grouped(*shapes: Any, tmp_path: Path) -> tuple[Any, mc.LossReport]:
    schema = mc.LabelSchema([mc.Category(1, "a"), mc.Category(2, "b")])
    dataset = mc.Dataset(schema, [mc.Item("a", "a.png", "image", 8, 6, annotations=list(shapes))])
    report = mc.write(dataset, tmp_path / "o.json", "coco_instances", group="cvat", on_loss="ignore", overwrite=True)
    assert report == mc.plan(dataset, "coco_instances", group="cvat")
    return json.loads((tmp_path / "o.json").read_bytes())["annotations"], report


def test_crowd_of_the_leader_merges_into_one_mask(tmp_path):
    small = square(0, 0, 2, 2, category_id=1)
    large = square(4, 3, 4, 3, category_id=2, attributes={"is_crowd": True, "k": 1})
    (row,), report = grouped(small, large, tmp_path=tmp_path)
    assert mc.Rle.from_coco(row["segmentation"]).to_counts() == [0, 2, 4, 2, 19, 3, 3, 3, 3, 3, 3, 3]
    assert (row["area"], row["bbox"], row["category_id"], row["iscrowd"]) == (16, [0, 0, 8, 6], 2, 1)
    assert row["attributes"] == {"k": 1}
    assert [(loss.action, loss.what) for loss in report] == [("approximated", "polygon")]


def test_no_crowd_of_the_leader_gives_polygons(tmp_path):
    mask = np.zeros((6, 8), bool)
    mask[0:2, 0:2] = True
    small = mc.Mask(mc.Rle.from_mask(mask), category_id=1, group_id=1)
    large = square(4, 3, 4, 3, category_id=2, attributes={"is_crowd": False}, score=0.5)
    (row,), _ = grouped(small, large, tmp_path=tmp_path)
    assert [len(ring) for ring in row["segmentation"]] == [8, 8]
    assert (row["area"], row["bbox"], row["iscrowd"], row["score"]) == (16, [0, 0, 8, 6], 0, 0.5)


def test_without_the_attribute_a_mask_of_the_leaders_category_decides(tmp_path):
    mask = np.zeros((6, 8), bool)
    mask[1:3, 1:3] = True
    own = mc.Mask(mc.Rle.from_mask(mask), category_id=2, group_id=1)
    (row,), _ = grouped(own, square(4, 3, 4, 3, category_id=2), tmp_path=tmp_path)
    assert (mc.Rle.from_coco(row["segmentation"]).area, row["iscrowd"]) == (16, 0)
    box = mc.Box(0, 0, 5, 5, category_id=1, group_id=1)
    (row,), report = grouped(box, own, tmp_path=tmp_path)
    assert (row["segmentation"], row["bbox"], row["category_id"]) == ([], [0, 0, 5, 5], 1)
    assert ("dropped", "mask", "shape") in {(loss.action, loss.what, loss.field) for loss in report}


def test_groups_of_one_and_order(tmp_path):
    alone = square(0, 0, 1, 1, category_id=1, id=1)
    loose = mc.Box(0, 0, 2, 2, category_id=1, id=2)
    rows, report = grouped(alone, loose, tmp_path=tmp_path)
    assert [row["id"] for row in rows] == [2, 1]
    assert [(loss.action, loss.field) for loss in report] == [("dropped", "group_id")]


def test_groups_are_kept_apart_by_default(tmp_path):
    dataset = mc.Dataset(
        mc.LabelSchema([mc.Category(1, "a")]),
        [mc.Item("a", "a.png", "image", 8, 6, annotations=[square(0, 0, 1, 1, category_id=1) for _ in range(2)])],
    )
    report = mc.write(dataset, tmp_path / "o.json", "coco_instances", on_loss="ignore")
    assert len(json.loads((tmp_path / "o.json").read_bytes())["annotations"]) == 2
    assert [(loss.action, loss.field, loss.count) for loss in report] == [("dropped", "group_id", 2)]
