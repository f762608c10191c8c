"""Traps of COCO by their numbers in section 6 of its description, and bad input, where ``test_coco`` has none.

Elsewhere: 3, 4, 9 ``test_coco``; 10 ``test_coco_tasks``; 11 ``test_hasty_traps``; bad records and segments in
``test_coco.test_faults_are_named_and_skipped``, ``test_coco_tasks.test_faults_of_*`` and the malformed data sets.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc
from tests.formats.test_coco import COUNTS, document, load, only, rewritten
from tests.formats.test_coco_tasks import panoptic

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


def test_trap_01_0_is_an_id_of_everything(tmp_path: Path) -> None:
    images = [{"id": 0, "width": 8, "height": 6, "file_name": "a.png"}]
    categories = [{"id": 0, "name": "cat", "supercategory": ""}]
    row = {"id": 0, "image_id": 0, "category_id": 0, "segmentation": []}
    doc = document(row, images=images, categories=categories)
    box = only(doc)
    assert (box.id, box.category_id) == (0, 0)
    assert rewritten(doc, tmp_path) == doc


@pytest.mark.parametrize("gone", [("iscrowd",), ("segmentation",), ("iscrowd", "segmentation", "area")])
def test_trap_02_what_may_be_missing(gone: tuple[str, ...]) -> None:
    doc = document({"segmentation": []})
    for key in gone:
        del doc["annotations"][0][key]
    box = only(doc)
    assert (box.kind, box.is_crowd, box.x0, box.y1) == ("box", False, 1, 6)


def test_trap_05_one_name_in_two_subsets(tmp_path: Path) -> None:
    for subset, x in (("train", 1), ("val", 2)):
        path = tmp_path / "in" / "annotations" / f"instances_{subset}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document({"segmentation": [], "bbox": [x, 0, 1, 1]})))
    mc.convert(tmp_path / "in", tmp_path / "one", "hasty_json", on_loss="ignore")
    mc.convert(tmp_path / "one", tmp_path / "back", "coco_instances", on_loss="ignore")
    found = {i.subset: [a.x0 for a in i.annotations] for i in mc.read(tmp_path / "back").items}
    assert found == {"train": [1], "val": [2]}


@pytest.mark.parametrize("skeleton", [[[1, 2], [2, 3]], [[2, 3], [1, 2], [1, 2]], [[0, 1], [1, 2]], []])
def test_trap_06_edges_stay_as_they_are(tmp_path: Path, skeleton: list[list[int]]) -> None:
    person = {"id": 1, "name": "p", "supercategory": "", "keypoints": ["a", "b", "c"], "skeleton": skeleton}
    row = {"segmentation": [], "keypoints": [1, 1, 2] * 3, "num_keypoints": 3}
    doc = document(row, categories=[person])
    data = mc.read(json.dumps(doc).encode(), "coco_keypoints").load()
    mc.write(data, tmp_path / "o.json", "coco_keypoints", on_loss="ignore")
    assert json.loads((tmp_path / "o.json").read_bytes())["categories"] == [person]


def test_trap_07_stored_areas_of_segments_are_not_those_of_their_pixels(tmp_path: Path) -> None:
    source = panoptic(tmp_path / "in")
    path = source / "annotations" / "panoptic_val.json"
    doc = json.loads(path.read_bytes())
    doc["annotations"][0]["segments_info"][0] |= {"area": 4, "bbox": [0, 0, 1, 9]}
    doc["categories"][0]["isthing"] = 0
    path.write_text(json.dumps(doc))
    data = mc.read(source, on_loss="ignore").load()
    assert data.items[0].annotations[0].rle.area == 2
    mc.write(data, tmp_path / "out", "coco_panoptic", on_loss="ignore")
    again = json.loads((tmp_path / "out" / "annotations" / "panoptic_val.json").read_bytes())
    assert again["annotations"] == doc["annotations"] and again["categories"] == doc["categories"]


@pytest.mark.parametrize("compressed", [True, False])
def test_trap_08_swapped_sizes(compressed: bool) -> None:
    rle = mc.Rle.from_counts(COUNTS, (6, 8)).to_coco(compressed=compressed)
    doc = document({"segmentation": []}, {"segmentation": {**rle, "size": [8, 6]}})
    with pytest.raises(mc.FormatError, match=r"\[6, 8\]") as caught:
        load(doc)
    assert caught.value.field == "segmentation.size"
    data = load(doc, "skip")
    assert [a.id for a in data.items[0].annotations] == [1] and data.report.total == 1


@pytest.mark.parametrize("counts", [[*COUNTS, 5], COUNTS[:-1]])
@pytest.mark.parametrize("compressed", [True, False])
def test_trap_12_runs_of_another_sum(counts: list[int], compressed: bool) -> None:
    size = sum(counts)
    text = mc.Rle.from_counts(counts, (size, 1)).to_coco()["counts"] if compressed else counts
    doc = document({"segmentation": {"size": [6, 8], "counts": text}}, {"segmentation": []})
    with pytest.raises(mc.FormatError) as caught:
        load(doc)
    assert caught.value.field.startswith("segmentation")
    data = load(doc, "skip")
    assert [a.id for a in data.items[0].annotations] == [2] and data.report.total == 1


# --- bad input --------------------------------------------------------------------------------------------------------
CAT = {"id": 1, "name": "cat", "supercategory": ""}
A = {"id": 1, "width": 8, "height": 6, "file_name": "a.png"}
WHOLE: dict[str, tuple[dict[str, Any], str, int, int]] = {
    # more keys of the document, what the error says, items and annotations that a lenient reader keeps
    "image id twice": ({"images": [A, {**A, "file_name": "b.png"}]}, "duplicate", 1, 1),
    "category id twice": ({"categories": [CAT, {**CAT, "name": "dog"}]}, "duplicate", 1, 1),
    "id of an image beyond 64 bits": ({"images": [A, {**A, "id": 2**64, "file_name": "b.png"}]}, "id", 1, 1),
    "id of a category beyond 64 bits": ({"categories": [CAT, {"id": 2**64, "name": "dog"}]}, "64 bits", 1, 1),
    "absolute file name": ({"images": [A, {**A, "id": 2, "file_name": "/etc/b.png"}]}, "file_name", 1, 1),
    "file name that leaves": ({"images": [A, {**A, "id": 2, "file_name": "../b.png"}]}, "file_name", 1, 1),
    "image without an id": ({"images": [A, {"file_name": "b.png"}]}, "id", 1, 1),
}


@pytest.mark.parametrize("case", WHOLE)
def test_bad_heads(case: str) -> None:
    more, message, items, annotations = WHOLE[case]
    doc = document({"segmentation": []}, **more)
    with pytest.raises(mc.FormatError, match=message) as caught:
        load(doc)
    assert caught.value.file and caught.value.record
    data = load(doc, "skip")
    assert (len(data.items), sum(len(i.annotations) for i in data.items)) == (items, annotations)
    assert data.report.total == 1


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("data", [b"", b"{", json.dumps(document({})).encode()[:-30], b"[1, 2", b"not JSON"])
def test_bad_files(data: bytes, on_error: str) -> None:
    with pytest.raises(mc.FormatError):
        mc.read(data, "coco_instances", on_error=on_error).load()


def test_the_same_key_twice_in_a_record() -> None:
    row = json.dumps(document({"segmentation": []})).replace('"area": 12', '"area": 12, "area": 13').encode()
    with pytest.raises(mc.FormatError, match="area"):
        mc.read(row, "coco_instances").load()
    data = mc.read(row, "coco_instances", on_error="skip").load()
    assert [a.extras["coco"]["area"] for a in data.items[0].annotations] == [13] and data.report.total == 1


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_none(literal: str) -> None:
    doc = document({"segmentation": []}, {"segmentation": [], "bbox": [777, 2, 3, 4]})
    row = json.dumps(doc).replace("777", literal)
    with pytest.raises(mc.FormatError):
        mc.read(row.encode(), "coco_instances").load()
    data = mc.read(row.encode(), "coco_instances", on_error="skip").load()
    assert [a.id for i in data.items for a in i.annotations] == [1] and data.report.total == 1


def test_what_leaves_the_image_is_legal_and_edges_beyond_are_no_error() -> None:
    ring = [-5, -5, 20, 0, 3, 30]
    data = load(document({"segmentation": [ring], "bbox": [-5, -5, 25, 35]}))
    assert data.items[0].annotations[0].rings[0].ravel().tolist() == ring
    person = {"id": 1, "name": "p", "keypoints": ["a"], "skeleton": [[1, 9]]}
    doc = document({"segmentation": [], "keypoints": [1, 1, 2], "num_keypoints": 1}, categories=[person])
    assert len(mc.read(json.dumps(doc).encode(), "coco_keypoints").load().items[0].annotations) == 1
