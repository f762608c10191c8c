"""What is written in formats of data sets is read back by other packages: datumaro in an interpreter of its own that an
environment variable names, supervision where it is installed.

Datumaro 1.13 looks for masks of LabelMe where the web tool has them, not where CVAT has them, so it gets boxes alone.
It looks for images of Cityscapes where its scripts have them, which torchvision does too (``test_peer_loaders``).
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import maskcodec as mc
from maskcodec import registry
from tests.conformance.test_peer_datumaro import PEER, PROGRAM

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
# Format -> its name there, and where images lie that are not copied.
FORMS = {
    "voc": "voc", "segmentation_mask": "voc_segmentation", "yolo": "yolo", "labelme": "label_me",
    "ultralytics_detect": "yolo", "camvid": "camvid", "kitti_detection": "kitti_detection",
    "kitti_segmentation": "kitti_segmentation", "mot": "mot_seq", "mots_png": "mots", "imagenet": "imagenet",
    "imagenet_txt": "imagenet_txt", "wider_face": "wider_face", "vgg_face2": "vgg_face2",
    "market1501": "market1501", "lfw": "lfw", "icdar_word_recognition": "icdar_word_recognition",
    "icdar_text_localization": "icdar_text_localization", "icdar_text_segmentation": "icdar_text_segmentation",
    "open_images": "open_images",
}  # fmt: skip
FORMS = {name: form for name, form in FORMS.items() if name in registry.formats()}
SIZE = (20, 12)
MASK = np.zeros(SIZE[::-1], np.uint8)
MASK[1:5, 2:7] = 1
MASK[2:4, 3:6] = 0


def boxes() -> list[mc.Annotation]:
    return [mc.Box(1.0, 2.0, 6.0, 9.0, category_id=1), mc.Box(8.0, 1.0, 15.0, 5.0, category_id=2)]


def masks() -> list[mc.Annotation]:
    other = np.zeros_like(MASK)
    other[6:11, 8:18] = 1
    return [mc.Mask(mc.Rle.from_mask(MASK), category_id=1), mc.Mask(mc.Rle.from_mask(other), category_id=2)]


WHAT: dict[str, list[mc.Annotation]] = {
    "voc": boxes(), "segmentation_mask": masks(), "yolo": boxes(), "labelme": boxes(),
    "ultralytics_detect": boxes(), "camvid": masks(), "kitti_detection": boxes(),
    "kitti_segmentation": masks(), "mot": boxes(), "mots_png": masks(), "imagenet": [mc.Tag(category_id=1)],
    "imagenet_txt": [mc.Tag(category_id=1)], "wider_face": boxes()[:1], "vgg_face2": boxes()[:1],
    "icdar_word_recognition": [mc.Caption("a word")], "icdar_text_localization": boxes(),
    "icdar_text_segmentation": masks(), "open_images": boxes(), "lfw": [mc.Tag(category_id=1)],
    "market1501": [],
}  # fmt: skip


CAT = {"wider_face": "face"}  # the only class that it has
# It makes one table of labels for each subset (KITTI, LFW), one item of two sequences (MOT), a label of a subset
# (ImageNet).
ONE_SUBSET = ("kitti_detection", "lfw", "mot", "imagenet")


def dataset(name: str) -> mc.Dataset:
    schema = mc.LabelSchema([mc.Category(1, CAT.get(name, "cat")), mc.Category(2, "dog")])
    folder = "0--cat/" if name == "wider_face" else ""  # a path without a folder is none to it
    subsets = ("default", "default") if name in ONE_SUBSET else ("train", "val")
    items = [
        mc.Item(f"{folder}{key}", f"{folder}{key}.png", width=20, height=12, subset=subset, annotations=shapes)
        for key, subset, shapes in (("a", subsets[0], WHAT[name]), ("b", subsets[1], WHAT[name][:1]))
    ]
    return mc.Dataset(schema, items)


class Pictures:
    """Opens a picture for every item."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "picture.png"
        Image.new("RGB", SIZE).save(self.path)

    def open_media(self, item: object) -> Any:
        return self.path.open("rb")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("peer")
    for name in FORMS:
        data = dataset(name)
        data.media = Pictures(folder)
        mc.write(data, folder / name, name, on_loss="ignore", media="copy")
    return folder


@pytest.fixture(scope="module")
def found(written: Path) -> dict[str, Any]:
    if PEER is None:
        pytest.skip("MASKCODEC_DATUMARO_PYTHON names no interpreter that has datumaro")
    lines = "\n".join(f"{name}\t{form}\t{written / name}" for name, form in FORMS.items())
    done = subprocess.run([PEER, "-c", PROGRAM], input=lines, capture_output=True, text=True, timeout=300)
    answer = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    assert answer, done.stderr[-2000:]
    return json.loads(answer[0][5:])


def label_of(name: str, category_id: object) -> str:
    """Name of a category there; texts of ICDAR have none."""
    return "" if name.startswith("icdar") else {1: CAT.get(name, "cat"), 2: "dog"}.get(category_id, "none")


def rows(found: dict[str, Any], name: str, kind: str) -> list[dict[str, Any]]:
    """Annotations of a kind, sorted; items by their last part, or by the number of the frame."""
    assert "error" not in found[name], found[name]["error"]
    kept = [row for row in found[name]["rows"] if row["type"] == kind and row.get("label") != "background"]
    for row in kept:
        row.setdefault("label", label_of(name, 0))
        key = row["item"].replace(":", "/").rpartition("/")[2]
        row["item"] = {"1": "a", "2": "b"}.get(key, key)
    return sorted(kept, key=lambda row: (row["item"], row["label"]))


@pytest.mark.parametrize("name", FORMS)
def test_items(found: dict[str, Any], name: str) -> None:
    assert "error" not in found[name], found[name]["error"]
    keys = sorted(item.replace(":", "/").rpartition("/")[2] for item, _ in found[name]["items"])
    assert keys == (["1", "2"] if name == "mot" else ["a", "b"])


@pytest.mark.parametrize("name", [name for name in FORMS if any(a.kind == "box" for a in WHAT[name])])
def test_boxes(found: dict[str, Any], name: str) -> None:
    wanted = [
        (item.id.rpartition("/")[2], label_of(name, a.category_id), [a.x0, a.y0, a.x1, a.y1])
        for item in dataset(name).items for a in item.annotations if isinstance(a, mc.Box)
    ]  # fmt: skip
    there = rows(found, name, "bbox")
    assert [(row["item"], row["label"]) for row in there] == [(item, label) for item, label, _ in wanted]
    for row, (_, _, sides) in zip(there, wanted, strict=True):
        assert row["points"] == pytest.approx(sides, abs=0.01)


@pytest.mark.parametrize("name", [name for name in FORMS if any(a.kind == "mask" for a in WHAT[name])])
def test_masks(found: dict[str, Any], name: str) -> None:
    assert [(row["item"], row["label"], row["area"]) for row in rows(found, name, "mask")] == [
        (item.id, label_of(name, a.category_id), a.rle.area)
        for item in dataset(name).items for a in item.annotations if isinstance(a, mc.Mask)
    ]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in FORMS if any(a.kind == "tag" for a in WHAT[name])])
def test_tags(found: dict[str, Any], name: str) -> None:
    assert [(row["item"], row["label"]) for row in rows(found, name, "label")] == [("a", "cat"), ("b", "cat")]


def test_supervision_reads_voc(written: Path) -> None:
    sv = pytest.importorskip("supervision")
    folder = written / "voc"
    mc.write(mc.read(folder), written / "counted", "voc", coordinates="voc", on_loss="ignore")
    data = sv.DetectionDataset.from_pascal_voc(str(folder / "JPEGImages"), str(written / "counted/Annotations"))
    names = {Path(path).stem: detections for path, _, detections in data}
    assert sorted(names) == ["a", "b"]
    assert sorted(names["a"].xyxy.tolist()) == [[1, 2, 6, 9], [8, 1, 15, 5]], "it counts pixels from 1"


def test_supervision_reads_ultralytics(written: Path) -> None:
    sv = pytest.importorskip("supervision")
    folder = written / "ultralytics_detect"
    data = sv.DetectionDataset.from_yolo(
        str(folder / "images/train"), str(folder / "labels/train"), str(folder / "data.yaml")
    )
    ((_, _, detections),) = list(data)
    assert data.classes == ["cat", "dog"]
    assert np.allclose(detections.xyxy, [[1, 2, 6, 9], [8, 1, 15, 5]], atol=1e-3)
