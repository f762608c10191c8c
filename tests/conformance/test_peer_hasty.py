"""What we write for Hasty is held against its SDK; runs where ``hasty`` is installed."""

from __future__ import annotations

import json
import uuid
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from tests.zoo import zoo

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    hasty = pytest.importorskip("hasty", reason="the SDK of Hasty is not installed")
    from hasty import constants, label_utils
    from hasty.label import Label

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
TYPES = {"SELECTION", "MULTIPLE-SELECTION", "TEXT", "INT", "FLOAT", "BOOL"}


def validate(label: dict[str, Any], class_id: str) -> None:
    """The checks that the SDK makes before it sends a label. It cannot take an empty mask, nor a label of none."""
    mask = label.get("mask") or None
    if label.get("bbox") is None and label.get("polygon") is None:
        return
    Label._validate_label(class_id, label.get("bbox"), label.get("polygon"), mask, label.get("z_index"))


def check(path: Path) -> int:
    """All labels of a project; returns how many there are."""
    project = json.loads(path.read_text("utf-8"))
    classes = {c["class_name"]: str(uuid.uuid4()) for c in project["label_classes"]}  # foreign ids are kept in files
    assert {a["type"] for a in project.get("attributes", [])} <= TYPES
    count = 0
    for image in project["images"]:
        assert image["image_status"] in constants.VALID_STATUSES
        for label in image["labels"]:
            validate(label, classes[label["class_name"]])
            count += 1
    return count


def pixels(label: dict[str, Any], shape: tuple[int, int]) -> np.ndarray:
    """A mask as the SDK decodes it, in its place in the image."""
    x0, y0, x1, y1 = label["bbox"]
    out = np.zeros(shape, np.uint8)
    out[y0:y1, x0:x1] = label_utils.rle_decode(label["mask"], (x1 - x0, y1 - y0))
    return out


def test_every_kind(tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "out", "hasty_json", on_loss="ignore")
    (path,) = (tmp_path / "out").rglob("*.json")
    assert check(path) == 16


def test_masks_are_what_the_sdk_decodes(tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "out", "hasty_json", on_loss="ignore")
    (path,) = (tmp_path / "out").rglob("*.json")
    project = json.loads(path.read_text("utf-8"))
    count = 0
    for image, item in zip(project["images"], mc.read(tmp_path / "out").items, strict=True):
        shapes = [a for a in item.annotations if a.kind != "tag"]
        for label, annotation in zip(image["labels"], shapes, strict=True):
            if label.get("mask"):
                count += 1
                found = pixels(label, (image["height"], image["width"]))
                assert np.array_equal(found, annotation.rle.decode())
                x0, y0, x1, y1 = label["bbox"]
                assert label_utils.rle_encoding(found[y0:y1, x0:x1]) == label["mask"]
    assert count > 4


def test_rle_of_the_sdk_is_read(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    for shape in ((1, 1), (1, 9), (7, 1), (13, 17)):
        mask = (random.random(shape) < 0.5).astype(np.uint8)
        mask.flat[0] = 1
        runs = [int(v) for v in label_utils.rle_encoding(mask)]
        rle = mc.Rle.from_hasty(runs, shape=shape)
        assert np.array_equal(rle.decode(), mask)
        assert list(np.asarray(rle.to_hasty()).reshape(-1)) == runs


@pytest.mark.parametrize("kind", ["bbox", "polygon"])
def test_lists(kind: str, tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "out", f"hasty_{kind}", on_loss="ignore")
    (path,) = (tmp_path / "out").rglob("*.json")
    number = str(uuid.uuid4())
    labels = [label for image in json.loads(path.read_text("utf-8")) for label in image["labels"]]
    assert labels
    for label in labels:
        validate(label, number)
        if kind == "polygon" and label.get("bbox") is not None:
            low, high = label_utils.polygon2box(label["polygon"])[:2], label_utils.polygon2box(label["polygon"])[2:]
            assert label["bbox"][:2] <= low and label["bbox"][2:] >= high


def test_samples_come_back_valid(samples: Path, tmp_path: Path) -> None:
    for folder in sorted((samples / "hasty-json").iterdir()):
        if folder.name != "bad":
            mc.write(mc.read(folder), tmp_path / folder.name, "hasty_json", on_loss="ignore")
            (path,) = (tmp_path / folder.name).rglob("*.json")
            project = json.loads(path.read_text("utf-8"))
            for image in project["images"]:
                for label in image["labels"]:
                    validate(label, str(uuid.uuid4()))
