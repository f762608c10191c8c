"""Groups as CVAT exports them, in the formats whose writers take ``group="cvat"``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.masks import Rle
from maskcodec.model.annotations import Mask
from maskcodec.model.schema import Category, LabelSchema

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
SHAPE = (8, 12)
SMALL, LARGE = Rle.from_box((0, 0, 2, 2), SHAPE), Rle.from_box((4, 1, 3, 4), SHAPE)
MERGED = "merged into one object with the rest of its group"
MAPS = ("segmentation_mask", "cityscapes", "kitti_segmentation", "mots_png")


def dataset(*annotations: mc.Annotation, size: bool = True) -> mc.Dataset:
    item = mc.Item("a", path="a.png", width=12 if size else None, height=8 if size else None)
    item.annotations = list(annotations)
    return mc.Dataset(LabelSchema([Category(1, "cat"), Category(2, "dog")]), [item])


def written(tmp_path: Path, data: mc.Dataset, name: str) -> tuple[list[mc.Annotation], dict[tuple[str, str], int]]:
    report = mc.write(data, tmp_path / "out", name, group="cvat", on_loss="ignore")
    assert [str(loss) for loss in mc.plan(data, name, group="cvat")] == [str(loss) for loss in report]
    (item,) = mc.read(tmp_path / "out", name, on_loss="ignore").load().items
    return item.annotations, {(loss.what, loss.reason): loss.count for loss in report}


def names(data: mc.Dataset, annotations: list[mc.Annotation]) -> list[Any]:
    return [a.category_id for a in annotations]


@pytest.mark.parametrize("name", MAPS)
def test_members_of_a_group_are_one_mask_of_the_label_of_the_largest(tmp_path: Path, name: str) -> None:
    data = dataset(Mask(SMALL, category_id=1, group_id=3), Mask(LARGE, category_id=2, group_id=3))
    found, told = written(tmp_path, data, name)
    schema = mc.read(tmp_path / "out", name).schema
    assert [(schema.by_id(a.category_id).name, a.rle) for a in found] == [("dog", SMALL | LARGE)]
    assert told["mask", MERGED] == 1 and data.items[0].annotations[0].group_id == 3


@pytest.mark.parametrize("name", MAPS)
def test_boxes_and_outlines_of_a_group_are_painted(tmp_path: Path, name: str) -> None:
    ring = np.array([[4.0, 1], [7, 1], [7, 5], [4, 5]])
    data = dataset(mc.Box(0, 0, 2, 2, category_id=1, group_id=3), mc.Polygon([ring], category_id=1, group_id=3))
    found, told = written(tmp_path, data, name)
    assert [a.rle for a in found] == [SMALL | LARGE]
    assert told["box", MERGED] == 1 and told["polygon", "written as the mask of its pixels (COCO rule)"] == 1


@pytest.mark.parametrize("name", [*MAPS, "kitti", "open_images", "tfrecord"])
def test_groups_stay_apart_where_nothing_is_asked_for(tmp_path: Path, name: str) -> None:
    data = dataset(Mask(SMALL, category_id=1, group_id=3), Mask(LARGE, category_id=1, group_id=3))
    mc.write(data, tmp_path / "out", name, on_loss="ignore")
    masks = [a for a in mc.read(tmp_path / "out", name).items[0].annotations if isinstance(a, Mask)]
    assert [mask.rle for mask in masks] == [SMALL, LARGE]
    with pytest.raises(ValueError, match="group is"):
        mc.write(data, tmp_path / "b", name, group="all")


def test_upright_boxes_stay_apart_in_kitti(tmp_path: Path) -> None:
    parts = [Mask(LARGE, category_id=1, group_id=3), Mask(SMALL, category_id=1, group_id=3)]
    found, _ = written(tmp_path, dataset(mc.Box(0, 0, 5, 5, category_id=1, group_id=3), *parts), "kitti")
    assert [a.kind for a in found] == ["box", "mask"] and found[1].rle == SMALL | LARGE


def test_masks_of_open_images_are_tied_to_the_box_of_their_group(tmp_path: Path) -> None:
    parts = [Mask(LARGE, category_id=1, group_id=3), Mask(SMALL, category_id=1, group_id=3)]
    found, _ = written(tmp_path, dataset(mc.Box(0, 0, 6, 4, category_id=1, group_id=3), *parts), "open_images")
    assert [(a.kind, a.group_id) for a in found] == [("box", 1), ("mask", 1)] and found[1].rle == SMALL | LARGE


def test_objects_of_tfrecord_have_a_box_around_all_and_the_mask_of_all(tmp_path: Path) -> None:
    parts = [
        mc.Box(8, 5, 10, 7, category_id=1, group_id=3),
        Mask(LARGE, category_id=2, group_id=3),
        Mask(SMALL, category_id=1, group_id=3),
        mc.Box(0, 0, 3, 1, category_id=1, group_id=4),
        mc.Box(3, 4, 4, 8, category_id=2, group_id=4),
    ]
    found, told = written(tmp_path, dataset(*parts), "tfrecord")
    assert [(a.kind, a.category_id, a.group_id) for a in found] == [("box", 2, 1), ("mask", 2, 1), ("box", 2, None)]
    boxes = [[a.x0, a.y0, a.x1, a.y1] for a in found if isinstance(a, mc.Box)]
    assert boxes == [pytest.approx([0, 0, 10, 7]), pytest.approx([0, 0, 4, 8])]  # 32 bits
    assert found[1].rle == SMALL | LARGE and told["box", MERGED] == 2 and told["mask", MERGED] == 1


def test_ungrouped_objects_come_first_then_groups_by_their_ids(tmp_path: Path) -> None:
    def square(x: int, group: Any) -> Mask:
        return Mask(Rle.from_box((x, 0, 1, 1), SHAPE), category_id=1, group_id=group)

    data = dataset(square(0, 9), square(1, 2), square(2, None), square(3, 2), square(4, 9), square(5, 0))
    found, _ = written(tmp_path, data, "segmentation_mask")
    assert [sorted(np.nonzero(a.rle.decode())[1].tolist()) for a in found] == [[2], [5], [1, 3], [0, 4]]


def test_a_group_without_a_known_size_stays_as_it_is(tmp_path: Path) -> None:
    ring = np.array([[4.0, 1], [7, 1], [7, 5]])
    parts = [mc.Polygon([ring], category_id=1, group_id=1), mc.Polygon([ring + 1], category_id=1, group_id=1)]
    report = mc.write(dataset(*parts, size=False), tmp_path / "out", "tfrecord", group="cvat", on_loss="ignore")
    assert MERGED not in {loss.reason for loss in report}
