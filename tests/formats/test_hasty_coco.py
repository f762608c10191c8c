"""Quirks of Hasty's COCO export."""

from __future__ import annotations

import json

import numpy as np
import pytest

import maskcodec as mc
from tests.zoo import simple

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


def written(dataset: mc.Dataset, tmp_path, **options) -> dict:
    mc.write(dataset, tmp_path / "o.json", "hasty_coco", on_loss="ignore", **options)
    return json.loads((tmp_path / "o.json").read_bytes())


def test_form_of_the_records(tmp_path):
    doc = written(simple(), tmp_path)
    assert doc["info"]["url"].startswith("https://app.hasty.ai/projects/")
    assert doc["categories"] == [{"id": 1, "name": "cat", "supercategory": "object"}]
    assert list(doc["images"][0]) == ["id", "width", "height", "file_name", "license", "flickr_url", "coco_url"]
    box, mask = doc["annotations"]
    assert list(box) == ["id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd"]
    assert (box["id"], box["segmentation"], box["area"], box["bbox"]) == (0, None, 35, [1, 2, 5, 7])
    assert isinstance(mask["segmentation"]["counts"], str)


def test_polygons_become_masks_unless_asked(tmp_path):
    ring = np.array([[1.0, 1.0], [9.0, 1.0], [9.0, 9.0]])
    item = mc.Item("a", "a.png", "image", 20, 12, annotations=[mc.Polygon([ring], category_id=1)])
    dataset = mc.Dataset(mc.LabelSchema([mc.Category(1, "c")]), [item])
    as_mask = written(dataset, tmp_path)["annotations"][0]["segmentation"]
    assert mc.Rle.from_coco(as_mask) == mc.Rle.from_polygons([ring], (12, 20))
    (tmp_path / "o.json").unlink()
    as_list = written(dataset, tmp_path, segmentation="polygon")["annotations"][0]["segmentation"]
    assert as_list == [[1, 1, 9, 1, 9, 9]]


def test_family_name_reads_it(tmp_path):
    mc.write(simple(), tmp_path / "o", "hasty_coco", on_loss="ignore")
    assert mc.read(tmp_path / "o", "hasty").source.format == "hasty_coco"
    assert mc.detect(tmp_path / "o") == "hasty_coco"


def test_segmentation_option_is_checked(tmp_path):
    with pytest.raises(ValueError, match="segmentation"):
        mc.write(simple(), tmp_path / "o", "hasty_coco", segmentation="auto")
