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


def export(tmp_path, *annotations: dict, **more: object):
    doc = {
        "info": {"url": "https://app.hasty.ai/projects/x"}, "categories": [{"id": 1, "name": "cat"}],
        "images": [{"id": 7, "width": 4, "height": 2, "file_name": "a.png"}],
        "annotations": [{"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 2], "area": 2, "iscrowd": 0, **a}
                        for a in annotations], **more,
    }  # fmt: skip
    (tmp_path / "in.json").write_text(json.dumps(doc))
    return tmp_path / "in.json"


def test_sizes_that_are_swapped_are_an_error(tmp_path):
    path = export(tmp_path, {"id": 0, "segmentation": {"size": [4, 2], "counts": [0, 2, 6]}})
    with pytest.raises(mc.FormatError, match="size"):
        list(mc.read(path, "hasty_coco").items)


def test_lists_of_runs_and_ids_from_zero_are_read(tmp_path):
    rows = [{"id": 0, "segmentation": {"size": [2, 4], "counts": [0, 2, 6]}}, {"id": 1, "segmentation": None}]
    (item,) = mc.read(export(tmp_path, *rows), "hasty_coco").items
    mask, box = item.annotations
    assert (mask.id, mask.is_crowd, mask.rle.area, tuple(mask.rle.bbox)) == (0, False, 2, (0, 0, 1, 2))
    assert (box.id, box.kind) == (1, "box")


@pytest.mark.parametrize("second", [1, "1"])
def test_ids_twice_or_of_two_types(tmp_path, second):
    path = export(tmp_path, {"id": 1, "segmentation": None}, {"id": second, "segmentation": None})
    with pytest.raises(mc.FormatError, match="duplicate id"):
        mc.read(path, "hasty_coco").load()
    lenient = mc.read(path, "hasty_coco", on_error="skip").load()
    assert [a.id for a in lenient.items[0].annotations] == [1, second], "nothing is lost, and the report says it"
    assert lenient.report.total == 1
