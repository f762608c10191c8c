"""Segmentation masks on the samples of their specification."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal


@pytest.fixture
def masks(samples: Path) -> Path:
    return samples / "segmentation-mask"


def found(dataset: mc.Dataset) -> list[tuple[str, str, list[tuple[str, object, int, tuple[int, ...]]]]]:
    names = {c.id: c.name for c in dataset.schema}
    return [
        (i.subset, i.id, [(names[a.category_id], a.id, a.rle.area, tuple(map(int, a.rle.bbox))) for a in i.annotations])
        for i in dataset.items
    ]


def test_cvat_export(masks: Path, tmp_path: Path) -> None:
    assert mc.detect(masks / "cvat-export") == "segmentation_mask"
    data = mc.read(masks / "cvat-export")
    assert [(c.id, c.name, c.color) for c in data.schema] == [
        (0, "background", (0, 0, 0)), (1, "car", (40, 50, 60)), (2, "zeb", (10, 20, 30)),
    ]  # fmt: skip
    assert data.schema.background == 0
    assert found(data) == [
        ("default", "img1", [("zeb", 1, 3, (3, 2, 3, 3)), ("zeb", 2, 2, (4, 1, 1, 2)), ("car", 3, 12, (0, 0, 4, 3)),
                             ("car", 4, 12, (4, 3, 4, 3))]),
        ("default", "sub/img 2", []),
    ]  # fmt: skip
    assert not len(mc.write(data, tmp_path / "out", "segmentation_mask"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    for name in ("labelmap.txt", "ImageSets/Segmentation/default.txt"):
        assert (tmp_path / "out" / name).read_text() == (masks / "cvat-export" / name).read_text()


def test_voc_palette(masks: Path) -> None:
    data = mc.read(masks / "voc2012-palette")
    ((_, key, objects),) = found(data)
    assert key == "2007_000032"
    assert objects == [("aeroplane", None, 4734, (105, 87, 270, 96)), ("person", None, 866, (24, 179, 188, 58))]
    (item,) = mc.read(masks / "voc2012-palette", keep_void=True).items
    void = item.annotations[-1]
    assert (len(item.annotations), void.rle.area, tuple(void.rle.bbox)) == (3, 5355, (0, 83, 379, 158))


def test_labels_of_voc_without_a_table(masks: Path) -> None:
    data = mc.read(masks / "datumaro_voc_dataset1", "segmentation_mask")
    assert len(data.schema) == 22
    assert sorted(found(data)) == [
        ("test", "2007_000002", []), ("train", "2007_000001", [("bicycle", 1, 200, (0, 0, 20, 10))]),
    ]  # fmt: skip


def test_indices(masks: Path) -> None:
    data = mc.read(masks / "grayscale")
    assert found(data) == [
        ("train", "a", [("cat", 1, 2, (1, 0, 2, 1)), ("dog", 2, 2, (2, 0, 2, 2)), ("dog", 3, 1, (3, 1, 1, 1))])
    ]
    assert [(loss.what, loss.count) for loss in data.report] == [("pixels", 3)]
