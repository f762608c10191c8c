"""Every valid sample of the image formats into every other of them, and back: nothing is lost a second time."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

SAMPLES = {
    "hasty-json/authored-v1.1/export.json": "hasty_json",
    "hasty-json/documented-minimal-v1.1/export.json": "hasty_json",
    "hasty-json/documented-v1.0/export.json": "hasty_json",
    "hasty-json/real-iguana-subset/export.json": "hasty_json",
    "hasty-json/real-letters-subset/export.json": "hasty_json",
    "hasty-coco/authored-masks/export.json": "hasty_coco",
    "hasty-coco/authored-string-ids/export.json": "hasty_coco",
    "hasty-coco/real-letters-subset/export.json": "hasty_coco",
    "coco/val2014-subset/annotations/instances_val2014.json": "coco_instances",
    "coco/lvis-subset/lvis_val_subset.json": "coco_instances",
    "coco/datumaro_coco_instances": "coco_instances",
    "coco/cvat-export/annotations/instances_default.json": "coco_instances",
    "coco/panoptic-sample/panoptic_coco_detection_format.json": "coco_instances",
    "segments-ai/release-segmentation": "segments_image_segmentation",
    "segments-ai/release-vector": "segments_image_vector",
}
FORMATS = ("hasty_json", "coco_instances", "hasty_coco", "segments_image_segmentation", "segments_image_vector")


def wholes(report: mc.LossReport) -> list[str]:
    """What is gone: whole annotations and items, and pixels; but for masks that had none to begin with."""
    gone = [loss for loss in report if loss.action in ("dropped", "unread") and loss.field in ("", "rle")]
    return [str(loss) for loss in gone if "no pixels" not in loss.reason]


def geometry(dataset: mc.Dataset) -> list[list[tuple[str, object]]]:
    """Kinds and coordinates of all annotations, item by item."""
    out = []
    for item in dataset.items:
        row: list[tuple[str, object]] = []
        for a in item.annotations:
            if isinstance(a, mc.Mask):
                row.append(("mask", a.rle))
            elif isinstance(a, mc.Box):
                row.append(("box", (a.x0, a.y0, a.x1, a.y1)))
            elif isinstance(a, mc.Polygon):
                row.append(("polygon", [ring.tolist() for ring in a.rings]))
            else:
                row.append((a.kind, None))
        out.append(row)
    return out


PAIRS = [(name, to) for name, own in SAMPLES.items() for to in FORMATS if to != own]


@pytest.mark.parametrize(("name", "to"), PAIRS)
def test_there_and_back(samples: Path, tmp_path: Path, name: str, to: str) -> None:
    source, own = samples / name, SAMPLES[name]
    plan = mc.plan(mc.read(source, own), to)
    there = mc.convert(source, tmp_path / "there", to, own, on_loss="ignore")
    written = mc.read(tmp_path / "there", to)
    assert plan == mc.write(mc.read(source, own), tmp_path / "again", to, on_loss="ignore")
    assert {loss.action for loss in there} <= {"dropped", "approximated", "renamed", "defaulted", "unread"}

    back = mc.convert(tmp_path / "there", tmp_path / "back", own, to, on_loss="ignore")
    returned = mc.read(tmp_path / "back", own)
    # What an image cannot be without, a vector release has not: then whole items cannot come back, and are named.
    if to == "segments_image_vector":
        unsized = [loss for loss in back if loss.what == "item" and loss.action == "dropped" and not loss.field]
        if unsized:
            assert all("size" in loss.reason for loss in unsized)
            return
    if not any("size" in loss.reason or "outside" in loss.reason for loss in back):
        assert wholes(back) == []
    if not any(loss.field == "" for loss in back):
        assert geometry(returned) == geometry(written)

    # And the target itself holds still: writing what was read from it changes nothing more.
    still = mc.write(written, tmp_path / "still", to, on_loss="ignore")
    assert not len(still), str(still)
    assert_datasets_equal(written, mc.read(tmp_path / "still", to))
