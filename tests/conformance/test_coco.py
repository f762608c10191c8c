"""The figures of real COCO files."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path

import pytest
from pycocotools import mask as peer
from pycocotools.coco import COCO

import maskcodec as mc
from maskcodec.formats._shared.images import read_png
from maskcodec.model.annotations import same_value
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

SOUND = [
    "coco/val2014-subset", "coco/lvis-subset", "coco/datumaro_coco_instances", "coco/cvat-export",
    "coco/panoptic-sample/panoptic_coco_detection_format.json", "coco/panoptic-sample/panoptic_examples.json",
    "coco/datumaro_coco_captions", "coco/datumaro_coco_labels", "coco/datumaro_coco_stuff",
    "coco/datumaro_coco_image_info", "coco/datumaro_coco_person_keypoints", "coco/keypoints-val2017-subset",
    "hasty-coco/real-letters-subset", "hasty-coco/authored-masks",
    "hasty-coco/authored-string-ids",
]  # fmt: skip


def by_id(dataset: mc.Dataset) -> dict:
    return {(item.subset, a.id): (item, a) for item in dataset.items for a in item.annotations}


def as_mask(item: mc.Item, annotation: mc.Annotation) -> mc.Rle:
    if isinstance(annotation, mc.Mask):
        return annotation.rle
    assert isinstance(annotation, mc.Polygon)
    return mc.Rle.from_polygons(annotation.rings, (item.height, item.width))


def test_val2014(samples):
    dataset = mc.read(samples / "coco" / "val2014-subset")
    counts = {item.extras["coco"]["id"]: (item.width, item.height, len(item.annotations)) for item in dataset.items}
    assert counts == {
        1146: (427, 640, 2), 357: (640, 218, 18), 42: (640, 478, 1), 73: (565, 640, 2), 136: (500, 374, 4),
        133: (640, 480, 2), 74: (640, 426, 8), 1176: (426, 640, 16),
    }  # fmt: skip
    found = by_id(dataset)
    assert len(found) == 53
    assert len(dataset.schema) == 80
    assert len(dataset.extras["coco"]["licenses"]) == 8
    variants = [a.variant for _, a in found.values()]
    assert (variants.count("polygon"), variants.count("multipart_polygon"), variants.count("mask")) == (48, 3, 2)
    parts = {a.id: len(a.rings) for _, a in found.values() if a.variant == "multipart_polygon"}
    assert parts == {502933: 2, 1323595: 2, 1327873: 3}
    subset = next(iter(found))[0]
    assert subset == "val2014"
    areas = {500146: 8714, 502933: 8426, 596940: 22017, 597046: 8654, 1817255: 53487, 1323595: 103, 1327873: 81}
    for number, area in areas.items():
        assert as_mask(*found[subset, number]).area == area
    boxes = {500146: (1, 115, 53, 257), 502933: (0, 61, 69, 313), 1817255: (215, 41, 347, 244)}
    for number, box in boxes.items():
        assert tuple(as_mask(*found[subset, number]).bbox) == box
    text = as_mask(*found[subset, 1817255]).to_coco()["counts"]
    assert (len(text), text[:16]) == (755, "n_T31m>0O2N100O1")


def test_val2014_crowds_keep_the_stored_area_and_box(samples):
    found = by_id(mc.read(samples / "coco" / "val2014-subset"))
    _, first = found["val2014", 900100000357]
    assert first.is_crowd
    assert (first.rle.area, tuple(first.rle.bbox)) == (6341, (466, 0, 174, 74))
    assert first.extras["coco"]["area"] == 6687
    assert first.extras["coco"]["bbox"] == [466, 0, 173, 73]
    _, second = found["val2014", 900100001176]
    assert (second.rle.area, tuple(second.rle.bbox)) == (467, (368, 306, 18, 36))
    text = second.rle.to_coco()["counts"]
    assert (len(text), text[:16]) == (46, "eYV76ic02N2N2O5K")


def test_bridged_polygons_of_all_real_masks_fill_back_under_the_peer(samples, tmp_path):
    source = mc.read(samples / "coco" / "val2014-subset")
    mc.write(source, tmp_path / "masks", "coco", segmentation="rle", on_loss="ignore")
    masks = mc.read(tmp_path / "masks")
    report = mc.write(masks, tmp_path / "out", "coco", segmentation="polygon", on_loss="ignore")
    assert [(loss.action, loss.count) for loss in report] == [("approximated", 53)]
    written = json.loads((tmp_path / "out" / "annotations" / "instances_val2014.json").read_bytes())
    sizes = {row["id"]: (row["height"], row["width"]) for row in written["images"]}
    expected = {a.id: a.rle for item in masks.items for a in item.annotations}
    for row in written["annotations"]:
        height, width = sizes[row["image_id"]]
        filled = peer.merge(peer.frPyObjects(row["segmentation"], height, width))
        assert filled["counts"].decode() == expected[row["id"]].to_coco()["counts"]


def test_panoptic_detection_records(samples):
    dataset = mc.read(samples / "coco" / "panoptic-sample" / "panoptic_coco_detection_format.json")
    (item,) = dataset.items
    assert (item.extras["coco"]["id"], item.width, item.height) == (142238, 640, 427)
    assert len(item.annotations) == 18
    assert 640 * 427 - sum(a.rle.area for a in item.annotations) == 2712
    areas = sorted(a.rle.area for a in item.annotations)
    assert {3528, 24295, 130762} <= set(areas)


def test_lvis(samples):
    dataset = mc.read(samples / "coco" / "lvis-subset")
    found = by_id(dataset)
    assert (len(dataset.items), len(found), len(dataset.schema)) == (5, 8, 53)
    assert not any(a.is_crowd for _, a in found.values())
    assert len(found["default", 153][1].rings) == 3
    assert len(found["default", 154][1].rings) == 8
    assert all((ring[0] == ring[-1]).all() for _, a in found.values() for ring in a.rings)
    assert "neg_category_ids" in next(iter(dataset.items)).extras["coco"]
    assert {"synset", "synonyms", "def", "frequency"} <= dataset.schema.categories[0].extras["coco"].keys()


def test_datumaro_instances(samples):
    dataset = mc.read(samples / "coco" / "datumaro_coco_instances")
    train, val = dataset.items
    assert (train.key, train.path, train.width, train.height) == (("train", "a"), "a.jpg", 10, 5)
    assert train.extras["coco"]["id"] == 5
    (box,) = train.annotations
    assert (box.x0, box.y0, box.x1, box.y1, box.category_id) == (2, 2, 5, 3, 2)
    polygon, crowd = val.annotations
    assert polygon.rings[0].tolist() == [[0, 0], [1, 0], [1, 2], [0, 2]]
    assert polygon.attributes == {"x": 1, "y": "hello"}
    assert (crowd.rle.area, tuple(crowd.rle.bbox), crowd.is_crowd) == (20, (0, 0, 2, 10), True)
    assert crowd.extras["coco"]["bbox"] == [0, 0, 1, 9]
    assert [(c.id, c.name) for c in dataset.schema] == [(1, "a"), (2, "b"), (4, "c")]


def test_cvat_export(samples):
    dataset = mc.read(samples / "coco" / "cvat-export", "coco_instances", on_loss="ignore")
    first, second = dataset.items
    assert (first.key, second.key) == (("default", "img1"), ("val", "sub/img1"))
    rotated, polygon, mask, crowd, parts, box = first.annotations
    assert (rotated.rotation, rotated.x0, rotated.y1, rotated.occluded) == (30.0, 1.5, 3.25, False)
    assert (polygon.occluded, polygon.attributes) == (True, {"color": "red"})
    assert (mask.rle.area, mask.is_crowd) == (6, True)
    assert (crowd.rle.area, crowd.category_id) == (16, 2)
    assert (len(parts.rings), parts.score) == (2, 0.5)
    assert (box.x1, box.y1) == (5.0, 5.0)
    assert "person_keypoints" in str(dataset.report)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("val2014-subset", "coco_instances"), ("lvis-subset", "coco_instances"), ("cvat-export", "coco"),
        ("datumaro_coco_captions", "coco_captions"), ("datumaro_coco_labels", "coco_labels"),
        ("datumaro_coco_stuff", "coco_stuff"), ("datumaro_coco_image_info", "coco_image_info"),
        ("datumaro_coco_person_keypoints", "coco_keypoints"), ("keypoints-val2017-subset", "coco_keypoints"),
        ("panoptic-sample/panoptic_examples.json", "coco_panoptic"), ("panoptic-sample", "coco"),
        ("val2014-subset/results/instances_val2014_fakebbox100_results.json", "coco_results"),
        ("val2014-subset/results/captions_val2014_fakecap_results.json", "coco_results"),
        ("hasty-doc-example/annotation.json", None),
    ],
)  # fmt: skip
def test_tasks_are_told_apart(samples, folder, name):
    if name is None:
        with pytest.raises(mc.UnknownFormatError):
            mc.detect(samples / "coco" / folder)
    else:
        assert mc.detect(samples / "coco" / folder) == name


def check_same(path: Path, written: Path) -> None:
    """Every key and value of a file is in the file written again; what is added are defaults."""
    before, now = json.loads(path.read_bytes()), json.loads(written.read_bytes())
    assert before.keys() == now.keys()
    for key in before.keys() - {"categories", "images", "annotations"}:
        assert before[key] == now[key]
    for key in ("categories", "images", "annotations"):
        assert len(before[key]) == len(now[key])
        for old, new in zip(before[key], now[key], strict=True):
            more = {k: v for k, v in new.items() if k not in old}
            assert {k: new[k] for k in old} == old
            assert more.items() <= {"iscrowd": 0, "supercategory": ""}.items()


@pytest.mark.parametrize("folder", SOUND)
def test_every_key_and_value_survives(samples, folder, tmp_path):
    name = mc.detect(samples / folder)
    dataset = mc.read(samples / folder, on_loss="ignore")
    assert not len(mc.write(dataset, tmp_path / "out", name, on_loss="raise"))
    assert_datasets_equal(dataset, mc.read(tmp_path / "out", name, on_loss="ignore"))
    written = {path.name: path for path in (tmp_path / "out").rglob("*.json")}
    root = samples / folder
    files = root.rglob("*.json") if root.is_dir() else [root]
    originals = {path.name: path for path in files if path.parent.name != "results"}
    assert written
    if len(originals) == len(written) == 1:
        check_same(*originals.values(), *written.values())
        return
    assert originals.keys() <= written.keys() | {"instances_default.json"}
    for file, path in originals.items():
        check_same(path, written[file])


def test_media_are_found_and_copied(samples, tmp_path):
    shutil.copytree(samples / "coco" / "datumaro_coco_instances", tmp_path / "in")
    report = mc.convert(tmp_path / "in", tmp_path / "out", "coco", media="copy")
    assert not len(report)
    source = (tmp_path / "in" / "images" / "train" / "a.jpg").read_bytes()
    assert (tmp_path / "out" / "images" / "a.jpg").read_bytes() == source


def shapes(dataset: mc.Dataset) -> list[mc.Annotation]:
    return [annotation for item in dataset.items for annotation in item.annotations]


def test_cvat_export_reads_both_tasks(samples):
    dataset = mc.read(samples / "coco" / "cvat-export", on_loss="ignore")
    assert {c.id: c.name for c in dataset.schema} == {1: "a", 2: "b", 5: "car", 6: "person"}
    (skeleton,) = [a for a in shapes(dataset) if a.kind == "skeleton"]
    assert (skeleton.visibility, skeleton.category_id) == ([2, 1, 0], 6)
    assert skeleton.xy.tolist() == [[1.5, 2.5], [3, 4], [5, 6]]
    assert skeleton.extras["coco"]["bbox"] == [1.5, 2.5, 1.5, 1.5]
    assert dataset.schema.by_id(6).skeleton == [(2, 3), (1, 2)]


def test_cvat_export_groups(samples):
    (crowd, parts) = shapes(mc.read(samples / "coco" / "cvat-export", "coco_instances", on_loss="ignore"))[3:5]
    assert crowd.rle.to_counts() == [0, 2, 4, 2, 19, 3, 3, 3, 3, 3, 3, 3]
    assert [ring.tolist() for ring in parts.rings][1] == [[4, 3], [8, 3], [8, 6], [4, 6]]


def test_keypoints_val2017(samples):
    dataset = mc.read(samples / "coco" / "keypoints-val2017-subset")
    (item,) = dataset.items
    assert (item.extras["coco"]["id"], item.width, item.height) == (139099, 640, 453)
    counts = [sum(v > 0 for v in a.visibility) for a in item.annotations]
    assert counts == [11, 14, 7, 9, 14, 15, 10, 2, 7, 6, 0, 0, 9, 0]
    assert [a.is_crowd for a in item.annotations] == [False] * 13 + [True]
    assert item.annotations[-1].id == 900100139099
    (category,) = dataset.schema
    assert (len(category.keypoints), len(category.skeleton), category.skeleton[0]) == (17, 19, (16, 14))
    assert item.annotations[0].extras["coco"]["area"] == 7355.7537


def test_datumaro_keypoints(samples):
    dataset = mc.read(samples / "coco" / "datumaro_coco_person_keypoints")
    (first,), (second, third) = (item.annotations for item in dataset.items)
    assert (first.category_id, first.visibility, first.xy.tolist()) == (2, [0, 1, 2], [[0, 0], [0, 2], [4, 1]])
    assert (second.category_id, second.attributes) == (1, {"x": 1, "y": "hello"})
    assert (third.is_crowd, third.visibility) == (True, [2, 2, 2])
    assert dataset.schema.by_id(1).skeleton == [(0, 1), (1, 2)]


def test_datumaro_captions_labels_info_and_stuff(samples):
    root = samples / "coco"
    assert [a.text for a in shapes(mc.read(root / "datumaro_coco_captions"))] == ["hello", "world", "text"]
    labels = mc.read(root / "datumaro_coco_labels")
    assert [(i.subset, i.id, [a.category_id for a in i.annotations]) for i in labels.items][1] == ("val", "b", [1, 2])
    info = mc.read(root / "datumaro_coco_image_info")
    assert [(i.subset, i.id, i.width, i.height) for i in info.items] == [("train", "a", 10, 5), ("val", "b", 5, 10)]
    stuff = shapes(mc.read(root / "datumaro_coco_stuff"))
    assert [(a.id, a.rle.area, a.is_crowd) for a in stuff] == [(7, 20, True), (2, 20, True)]


def test_panoptic(samples, tmp_path):
    source = samples / "coco" / "panoptic-sample"
    dataset = mc.read(source / "panoptic_examples.json").load()
    (item,) = dataset.items
    found = {a.id: a for a in item.annotations}
    assert (len(found), len(dataset.schema)) == (18, 133)
    assert 640 * 427 - sum(a.rle.area for a in found.values()) == 2712
    names = {c.id: c.name for c in dataset.schema}
    figures = {
        number: (names[found[number].category_id], found[number].rle.area, tuple(found[number].rle.bbox))
        for number in (3937500, 3153362, 2330219)
    }
    assert figures == {
        3937500: ("person", 3528, (282, 207, 48, 149)), 3153362: ("person", 24295, (75, 111, 517, 262)),
        2330219: ("tree-merged", 130762, (0, 0, 640, 263)),
    }  # fmt: skip
    assert found[3153362].is_crowd
    assert not any({"area", "bbox"} & a.extras["coco"].keys() for a in found.values())
    detection = mc.read(source / "panoptic_coco_detection_format.json").load()
    masks = {(a.category_id, a.rle) for a in detection.items[0].annotations}
    assert masks == {(a.category_id, a.rle) for a in found.values()}
    assert not len(mc.write(dataset, tmp_path / "out", "coco_panoptic"))
    (written,) = (tmp_path / "out").rglob("*.png")
    png = source / "panoptic_examples" / "000000142238.png"
    assert (read_png(written.read_bytes())[0] == read_png(png.read_bytes())[0][..., :3]).all()


def test_panoptic_in_two_channels(samples, tmp_path):
    """The twin form, read with the JSON of the three-channel one."""
    source = samples / "coco" / "panoptic-sample"
    shutil.copy(source / "panoptic_examples.json", tmp_path / "panoptic_examples.json")
    shutil.copytree(source / "panoptic_examples_2ch_format", tmp_path / "panoptic_examples_2ch_format")
    one, two = (mc.read(root / "panoptic_examples.json").load() for root in (source, tmp_path))
    assert_datasets_equal(one, two)


def test_results(samples, tmp_path):
    root = samples / "coco" / "val2014-subset" / "results"
    counts = {"instances_val2014_fakebbox100": 47, "instances_val2014_fakesegm100": 47,
              "person_keypoints_val2014_fakekeypoints100": 4, "captions_val2014_fakecap": 20}  # fmt: skip
    read = {name: mc.read(root / f"{name}_results.json").load() for name in counts}
    assert {name: len(shapes(dataset)) for name, dataset in read.items()} == counts
    box = read["instances_val2014_fakebbox100"].items[0]
    (first,) = box.annotations
    assert (box.id, first.category_id, first.score) == (42, 18, 0.236)
    assert (first.x0, first.y0) == (258.15, 41.29)
    mask = shapes(read["instances_val2014_fakesegm100"])[0].rle
    assert (mask.shape, mask.area, tuple(mask.bbox)) == ((478, 640), 53487, (259, 41, 347, 244))
    assert {len(a.xy) for a in shapes(read["person_keypoints_val2014_fakekeypoints100"])} == {17}
    for name, dataset in read.items():
        assert not len(mc.write(dataset, tmp_path / f"{name}.json", "coco_results"))
        written = json.loads((tmp_path / f"{name}.json").read_bytes())
        assert written == json.loads((root / f"{name}_results.json").read_bytes())


@pytest.mark.parametrize("name", ["instances_val2014_fakebbox100", "instances_val2014_fakesegm100"])
def test_pycocotools_gives_the_same_for_results_written_again(samples, name, tmp_path):
    root = samples / "coco" / "val2014-subset"
    mc.write(mc.read(root / "results" / f"{name}_results.json"), tmp_path / "o.json", "coco_results")
    truth = root / "annotations" / "instances_val2014.json"
    listed = {row["id"] for row in json.loads(truth.read_bytes())["images"]}
    loaded = []
    for path in (root / "results" / f"{name}_results.json", tmp_path / "o.json"):
        rows = [row for row in json.loads(path.read_bytes()) if row["image_id"] in listed]
        with contextlib.redirect_stdout(io.StringIO()):
            loaded.append(COCO(str(truth)).loadRes(rows).anns)
    assert same_value(*loaded)
    assert loaded[0]
