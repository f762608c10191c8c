"""Traps of Segments.ai by their places in section 6 of its description, and bad input, where the other tests have none.

Elsewhere: 1, 2, 4 and 15 ``test_segments``; 11 ``test_segments_relations`` (track ids, links); 12 and 13
``test_segments_space``; bad input ``test_segments``, ``test_segments_3d``, ``test_segments_sequence``. 7, 9 and 14 are
about exports and sums of the SDK that have no counterpart here: colours, Darknet files, speeds.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats._shared.images import write_png
from tests.formats.test_segments import IDS, LABEL, SHAPES, folder
from tests.formats.test_segments_3d import CUBOID
from tests.formats.test_segments_relations import picture, release

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


def masks(*parts: tuple[int, np.ndarray], kind: str = "thing") -> mc.Dataset:
    found = [mc.Mask(mc.Rle.from_mask(pixels), category_id=1, id=number) for number, pixels in parts]
    height, width = parts[0][1].shape
    item = mc.Item("a", "a.png", width=width, height=height, annotations=found, status="LABELED")
    return mc.Dataset(mc.LabelSchema([mc.Category(1, "x", kind=kind)]), [item])


def pixels(*at: tuple[int, int]) -> np.ndarray:
    out = np.zeros((6, 8), np.uint8)
    out[tuple(zip(*at, strict=True))] = 1
    return out


def test_trap_03_ids_beyond_24_bits_are_never_cut(tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        mc.pack_ids(np.array([[2**24 + 5]]), "segments")
    large = masks((2**24 + 5, pixels((0, 0))))
    report = mc.write(large, tmp_path / "out", "segments_image_segmentation", on_loss="ignore")
    assert [(x.action, x.field) for x in report if x.what == "mask"] == [("renamed", "id")]
    label = {**LABEL, "annotations": [{"id": 2**24 + 5, "category_id": 3}]}
    with pytest.raises(mc.FormatError, match="16777215"):
        mc.read(folder(tmp_path / "in", label, write_png(mc.pack_ids(IDS, "segments")))).load()


def test_trap_05_large_ids_holes_and_single_pixels_as_polygons(tmp_path: Path) -> None:
    ring = np.zeros((6, 8), np.uint8)
    ring[0:5, 0:5] = 1
    ring[2, 2] = 0
    data = masks((300, ring), (70000, pixels((5, 7))))
    mc.write(data, tmp_path / "bits", "segments_image_segmentation", on_loss="ignore")
    mc.convert(tmp_path / "bits", tmp_path / "coco", "coco_instances", segmentation="polygon", on_loss="ignore")
    (item,) = mc.read(tmp_path / "coco").items
    found = {a.id: mc.Rle.from_polygons(a.rings, (6, 8)).area for a in item.annotations}
    assert found == {300: 24, 70000: 1}


@pytest.mark.parametrize("annotations", [[], [{"id": 1, "category_id": 3}]])
def test_trap_06_bitmaps_with_more_ids_than_annotations(tmp_path: Path, annotations: list[Any]) -> None:
    path = folder(tmp_path / "in", {**LABEL, "annotations": annotations}, write_png(mc.pack_ids(IDS, "segments")))
    data = mc.read(path, "segments_image_segmentation").load()
    assert [a.rle.area for a in data.items[0].annotations] == [6] * len(annotations)
    assert [(x.action, x.field) for x in data.report if x.field == "segmentation_bitmap"]
    mc.write(data, tmp_path / "out", "segments_image_segmentation", on_loss="ignore")
    (png,) = (tmp_path / "out" / "assets").iterdir()
    found = mc.read(tmp_path / "out", on_loss="ignore").load()
    assert len(found.items[0].annotations) == len(annotations) and png.stat().st_size


def test_trap_08_stuff_objects_of_one_category_stay_apart(tmp_path: Path) -> None:
    data = masks((1, pixels((0, 0), (0, 1))), (2, pixels((3, 3))), kind="stuff")
    mc.write(data, tmp_path / "bits", "segments_image_segmentation", on_loss="ignore")
    digests = []
    for name in ("one", "two"):
        mc.convert(tmp_path / "bits", tmp_path / name, "coco_panoptic", on_loss="ignore")
        digests.append([p.read_bytes() for p in sorted((tmp_path / name).rglob("*")) if p.is_file()])
    assert digests[0] == digests[1], "colours are not by chance"
    (item,) = mc.read(tmp_path / "one").items
    assert sorted(a.rle.area for a in item.annotations) == [1, 2]


def test_trap_10_objects_of_several_parts_and_of_none(tmp_path: Path) -> None:
    ids = np.zeros((4, 6), np.uint32)
    ids[0, 0] = ids[3, 5] = 1
    label = {**LABEL, "annotations": [{"id": 1, "category_id": 3}, {"id": 9, "category_id": 3}]}
    data = mc.read(folder(tmp_path / "in", label, write_png(mc.pack_ids(ids, "segments")))).load()
    assert [(a.id, a.rle.area, a.rle.bbox) for a in data.items[0].annotations][0] == (1, 2, (0, 0, 6, 4))
    assert [a.rle.area for a in data.items[0].annotations] == [2, 0] and data.report.total == 1


@pytest.mark.parametrize("task", ["keypoints", "bboxes", "bbox", "vector"])
def test_trap_16_every_name_of_the_vector_task(tmp_path: Path, task: str) -> None:
    point = {"id": 1, "category_id": 1, "type": "point", "points": [[1, 2]], "attributes": {"a": 1}}
    source = release(tmp_path / "in", picture("a.jpg", point), task=task)
    assert mc.detect(source) == "segments_image_vector"
    data = mc.read(source)
    assert data.items[0].annotations[0].attributes == {"a": 1}
    assert not len(mc.write(data, tmp_path / "out", "segments_image_vector"))
    (written,) = (tmp_path / "out").glob("*.json")
    assert json.loads(written.read_text())["dataset"]["task_type"] == task


@pytest.mark.parametrize("label", [{**SHAPES}, {"annotations": [CUBOID]}], ids=["vector", "cuboid"])
@pytest.mark.parametrize("literal", ["NaN", "Infinity", "1e999"])
def test_bad_numbers(tmp_path: Path, label: dict[str, Any], literal: str) -> None:
    text = json.dumps(label).replace("2.5", literal).replace("0.5", literal)
    (tmp_path / "a.json").write_text(text)
    name = "segments_pointcloud_cuboid" if "cuboid" in text else "segments_image_vector"
    with pytest.raises(mc.FormatError):
        mc.read(tmp_path / "a.json", name).load()
    data = mc.read(tmp_path / "a.json", name, on_error="skip").load()
    assert data.report.total >= 1
    shapes = [a for i in data.items for a in i.annotations]
    assert all(math.isfinite(v) for a in shapes for v in np.ravel(getattr(a, "xy", getattr(a, "position", 0))))


@pytest.mark.parametrize("sample", [5, {"attributes": {}}, {"name": "", "labels": {}}, {"name": "b", "labels": []}])
def test_bad_samples_are_skipped_alone(tmp_path: Path, sample: Any) -> None:
    point = {"id": 1, "category_id": 1, "type": "point", "points": [[1, 2]]}
    source = release(tmp_path / "in", picture("a.jpg", point), sample, task="vector")
    with pytest.raises(mc.FormatError) as caught:
        mc.read(source, "segments").load()
    assert caught.value.file == "d-v1.json" and "samples[1]" in caught.value.record
    data = mc.read(source, "segments", on_error="skip").load()
    assert [i.id for i in data.items] == ["a"] and data.report.total == 1


# --- exports of the SDK that are COCO files ---------------------------------------------------------------------------
def test_panoptic_export_of_the_sdk_is_a_panoptic_file(tmp_path: Path) -> None:
    name = "a_label_ground-truth_coco-panoptic.png"  # in the folder of the release, where the JSON file is put, too
    infos = [{"id": n, "category_id": 3, "area": a, "bbox": b, "iscrowd": 0}
             for n, a, b in ((1, 6, [1, 1, 3, 2]), (70000, 2, [4, 3, 2, 1]))]  # fmt: skip
    doc = {"info": {"description": "o/d"}, "categories": [{"id": 3, "name": "car", "color": [1, 2, 3], "isthing": 1}],
           "images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 6}],
           "annotations": [{"image_id": 1, "file_name": name, "segments_info": infos}]}  # fmt: skip
    (tmp_path / "export_coco-panoptic_o_d_v1.json").write_text(json.dumps(doc))
    (tmp_path / name).write_bytes(write_png(mc.pack_ids(IDS, "panoptic")))
    assert mc.detect(tmp_path) == "coco_panoptic"
    data = mc.read(tmp_path).load()
    assert {a.id: a.rle.area for a in data.items[0].annotations} == {1: 6, 70000: 2} and not len(data.report)


def test_instance_export_of_the_sdk_is_coco_but_for_its_polygons(tmp_path: Path) -> None:
    base = {"image_id": 1, "category_id": 1, "iscrowd": 0}
    runs = mc.Rle.from_mask(IDS == 1).to_coco()
    rows = [{"segmentation": runs, "bbox": [1, 1, 3, 2], "area": 6}, {"bbox": [0, 0, 3, 1]},
            {"points": [[0, 0], [1, 1], [2, 0]]}, {}]  # fmt: skip
    doc = {"info": {}, "categories": [{"id": 1, "name": "cat"}],
           "images": [{"id": 1, "file_name": "a.png", "height": 4, "width": 6}],
           "annotations": [{"id": at, **base, **row} for at, row in enumerate(rows, 1)]}  # fmt: skip
    path = tmp_path / "export_coco-instance_o_d_v1.json"
    path.write_text(json.dumps(doc))
    with pytest.raises(mc.FormatError, match="no geometry") as caught:
        mc.read(path, "coco_instances").load()
    assert caught.value.record == "annotations[2] (id 3)"
    data = mc.read(path, "coco_instances", on_error="skip").load()
    assert [a.kind for a in data.items[0].annotations] == ["mask", "box"] and data.report.total == 2
