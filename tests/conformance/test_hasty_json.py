"""Hasty JSON: the figures of the real and authored files, one fault each, and round trips of every key."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
REAL = ["authored-v1.1", "documented-minimal-v1.1", "documented-v1.0", "real-iguana-subset", "real-letters-subset"]


@pytest.fixture
def folder(samples: Path) -> Path:
    return samples / "hasty-json"


def kinds(item: mc.Item, dataset: mc.Dataset) -> Counter[tuple[str, str]]:
    return Counter((a.variant, dataset.schema.by_id(a.category_id).name) for a in item.annotations)


@pytest.mark.parametrize("name", REAL)
def test_detected_and_read_without_complaint(folder: Path, name: str) -> None:
    assert mc.detect(folder / name) == mc.detect(folder / name / "export.json") == "hasty_json"
    dataset = mc.read(folder / name).load()
    assert not len(dataset.report)
    assert len({item.key for item in dataset.items}) == len(dataset.items)


def missing(a: Any, b: Any, path: str = "") -> list[str]:
    """What of a JSON value is not in another one."""
    if isinstance(a, dict) and isinstance(b, dict):
        return [m for k in a for m in (missing(a[k], b[k], f"{path}/{k}") if k in b else [f"{path}/{k}"])]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        return [m for i, (x, y) in enumerate(zip(a, b, strict=True)) for m in missing(x, y, f"{path}/{i}")]
    same = type(a) is type(b) or "/points/" in path  # coordinates are written without `.0`
    return [] if same and a == b else [f"{path}: {a!r} became {b!r}"]


@pytest.mark.parametrize("name", REAL)
def test_every_key_survives(folder: Path, tmp_path: Path, name: str) -> None:
    report = mc.write(mc.read(folder / name), tmp_path / "out.json", "hasty_json")
    assert not len(report)
    before = json.loads((folder / name / "export.json").read_text(encoding="utf-8"))
    after = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    before["export_format_version"] = "1.1"
    assert missing(before, after) == []


def test_authored_masks(folder: Path) -> None:
    dataset = mc.read(folder / "authored-v1.1").load()
    first, second, third = dataset.items
    assert [i.key for i in dataset.items] == [
        ("train dataset", "IMG_000001"),
        ("val dataset", "IMG_000001"),
        ("val dataset", "IMG_000002"),
    ]
    assert [(i.width, i.height, i.status) for i in dataset.items] == [
        (24, 16, "DONE"), (10, 9, "TO REVIEW"), (10, 9, "NEW"),
    ]  # fmt: skip
    assert [a.variant for a in first.annotations] == ["mask", "polygon", "box", "mask", "skeleton"]
    assert [a.z_order for a in first.annotations] == [2, 3, 1, -1, 4]
    cat, dog, box, wall, person = first.annotations
    assert cat.attributes == {
        "fur": "black", "age": 3, "weight": 4.5, "indoor": True, "pose": "sitting", "marks": ["spot", "stripe"],
    }  # fmt: skip
    assert (box.x0, box.y0, box.x1, box.y1) == (0, 0, 5, 4)
    assert (person.xy.tolist(), person.visibility) == ([[6.0, 5.0], [8.0, 4.0]], [2, 2])
    assert dog.rings[0].tolist() == [[12, 3], [20, 3], [20, 11], [12, 11]]
    assert (wall.rle.area, wall.rle.bbox) == (96, (0, 12, 24, 4))
    assert not third.annotations
    expected = json.loads((folder / "authored-v1.1" / "expected-masks.json").read_text(encoding="utf-8"))
    found = {a.id: a.rle for item in dataset.items for a in item.annotations if a.kind == "mask"}
    assert len(expected) == len(found) == 3
    for record in expected:
        rle = found[record["label_id"]]
        x0, y0, x1, y1 = record["tight_bbox_xyxy"]
        assert (rle.area, rle.bbox) == (record["area"], (x0, y0, x1 - x0, y1 - y0))
        assert rle.to_coco() == record["coco_rle"]
        assert ["".join(".#"[v] for v in row) for row in rle.decode().tolist()] == record["rows"]
    assert found["93ee9b0c-0b31-4247-a13f-c016688dcbbf"].to_coco()["counts"] == "d13<000101000[7"
    schema = dataset.schema
    assert [(c.name, c.kind) for c in schema] == [
        ("cat", "thing"), ("dog", "thing"), ("person", "thing"), ("wall", "stuff"),
    ]  # fmt: skip
    assert schema.by_name("cat").color == (31, 120, 180, 77)
    assert [s.type for s in schema.by_name("cat").attributes] == [
        "text", "int", "float", "bool", "select", "multiselect",
    ]  # fmt: skip
    assert schema.by_name("person").keypoints == ["nose", "left eye"]
    assert schema.tag_groups[0].tags == ["xyz", "pqr"]
    assert [i.attributes for i in dataset.items] == [{"Default": ["xyz", "pqr"]}, {"Default": ["xyz"]}, {}]


def test_documented_versions(folder: Path) -> None:
    (item,) = mc.read(folder / "documented-minimal-v1.1").items
    (box,) = item.annotations
    assert (item.width, item.height, box.x0, box.y0, box.x1, box.y1) == (500, 430, 102, 45, 420, 404)
    assert item.attributes == {"Default": ["xyz", "pqr"]}
    old = mc.read(folder / "documented-v1.0")
    assert (old.source.version, old.info["create_date"]) == ("1.0", "2019-10-22 19:04:16Z")
    box, mask = next(iter(old.items)).annotations
    assert (box.kind, mask.rle.area) == ("box", 5)
    assert mask.rle.decode(window=(0, 0, 4, 2)).tolist() == [[1, 1, 1, 0], [0, 1, 1, 0]]


def test_iguanas(folder: Path) -> None:
    dataset = mc.read(folder / "real-iguana-subset").load()
    total = sum((kinds(item, dataset) for item in dataset.items), Counter())
    assert total == {("box", "iguana"): 61, ("points", "iguana_point"): 61}
    assert sum(total.values()) == 122
    by_key = {item.key: sorted(kinds(item, dataset).values()) for item in dataset.items}
    assert len(by_key) == 6
    assert by_key["FMO02", "DJI_0322"] == [15, 15] and by_key["FMO05", "DJI_0322"] == [25, 25]
    twice = [key for key in by_key if key[1] == "DJI_0141"]
    assert sorted(by_key[key] for key in twice) == [[3, 3], [10, 10]]
    annotations = [a for item in dataset.items for a in item.annotations]
    assert sum(bool(a.attributes) for a in annotations) == 14
    assert (min(a.z_order for a in annotations), max(a.z_order for a in annotations)) == (-1, 43)
    first = next(a for a in annotations if a.kind == "box")
    assert (first.x0, first.y0, first.x1, first.y1) == (3313, 1199, 3392, 1249)
    assert {(i.width, i.height, i.extras["hasty_json"]["image_mode"]) for i in dataset.items} == {(5472, 3648, "YCbCr")}


def test_letters(folder: Path) -> None:
    dataset = mc.read(folder / "real-letters-subset").load()
    found = {i.path: {name: n for (_, name), n in kinds(i, dataset).items()} for i in dataset.items}
    assert found == {
        "Default/002_000_01.jpg": {"aleph": 28, "he": 25, "shin": 10, "memsofit": 8, "tav": 8, "mem": 4},
        "Default/002_000_00.jpg": {"aleph": 33, "he": 30, "memsofit": 13, "shin": 9, "tav": 9, "mem": 4},
    }
    assert [(i.width, i.height, len(i.annotations)) for i in dataset.items] == [(236, 772, 83), (231, 762, 98)]
    box = dataset.items[0].annotations[0]
    assert (box.x0, box.y0, box.x1, box.y1) == (113, 357, 127, 375)
    z_orders = [a.z_order for i in dataset.items for a in i.annotations]
    assert (min(z_orders), max(z_orders)) == (0, 98)


# file -> field named by the strict error, labels that a lenient reader keeps
BAD = {
    "bbox-outside-image": ("bbox", 2),
    "bbox-reversed": ("bbox", 1),
    "mask-negative-length": ("mask", 1),
    "mask-odd-length": ("mask", 1),
    "mask-past-crop": ("mask", 2),
    "mask-runs-descend": ("mask", 2),
    "mask-runs-overlap": ("mask", 2),
    "mask-start-zero": ("mask", 1),
    "mask-without-bbox": ("bbox", 1),
    "polygon-odd-vertex": ("polygon", 1),
    "unknown-class": ("class_name", 2),
}


@pytest.mark.parametrize("name", [*BAD, "no-images"])
def test_one_fault(folder: Path, name: str) -> None:
    path = folder / "bad" / f"{name}.json"
    if name == "no-images":
        for mode in ("raise", "skip"):
            with pytest.raises(mc.FormatError, match=r"no-images\.json.*images"):
                mc.read(path, "hasty_json", on_error=mode)
        return
    field, kept = BAD[name]
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path).load()
    assert caught.value.file == f"{name}.json" and caught.value.field == field
    assert "IMG_000002.jpg" in caught.value.record and "labels[" in caught.value.record
    lenient = mc.read(path, on_error="skip").load()
    assert sum(len(item.annotations) for item in lenient.items) == kept
    assert lenient.report.total == 1
    assert list(lenient.items) and lenient.report.total == 1  # a second pass reports nothing again


def test_malformed_corpus(samples: Path) -> None:
    corpus = samples / "malformed" / "datasets"
    path = corpus / "hasty-mask-bad" / "export.json"
    with pytest.raises(ValueError, match=r"export\.json.*a\.png.*labels\[0\].*mask"):
        mc.read(path, "hasty").load()
    lenient = mc.read(path, "hasty", on_error="skip").load()
    assert [len(item.annotations) for item in lenient.items] == [1] and lenient.report.total == 1
    for mode in ("raise", "skip"):
        with pytest.raises(ValueError, match=r"export\.json.*version.*9\.0"):
            mc.read(corpus / "hasty-version-unknown" / "export.json", "hasty", on_error=mode)


@pytest.mark.parametrize("name", ["authored-v1.1", "documented-v1.0"])
@pytest.mark.parametrize("to", ["coco_instances", "hasty_coco"])
def test_masks_survive_other_formats(folder: Path, tmp_path: Path, name: str, to: str) -> None:
    def masks(path: Path) -> list[tuple[str, dict[str, Any]]]:
        dataset = mc.read(path, on_loss="ignore")
        return sorted(
            (item.path.rpartition("/")[2], a.rle.to_coco()["counts"])
            for item in dataset.items
            for a in item.annotations
            if a.kind == "mask"
        )

    before = masks(folder / name)
    assert len(mc.convert(folder / name, tmp_path / "there", to=to))
    there = masks(tmp_path / "there")
    assert set(before) <= set(there)
    mc.convert(tmp_path / "there", tmp_path / "back", to="hasty_json")
    assert masks(tmp_path / "back") == there
