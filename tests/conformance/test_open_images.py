"""Open Images on the samples of its specification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal


def found(dataset: mc.Dataset) -> dict[Any, list[tuple[Any, ...]]]:
    names = {c.id: c.name for c in dataset.schema}
    return {
        item.id: [(a.kind, names[a.category_id], a.score, a.group_id) for a in item.annotations]
        for item in dataset.items
    }


def test_datumaro(samples: Path, tmp_path: Path) -> None:
    path = samples / "open-images" / "datumaro_v6"
    assert mc.detect(path) == "open_images"
    data = mc.read(path, on_loss="ignore").load()
    assert [(loss.action, loss.what) for loss in data.report] == [("defaulted", "record")]  # the ragged row d
    assert [(c.name, c.parent, c.extras["open_images"]["display_name"]) for c in data.schema] == [
        (f"/m/{n}", "/m/0" if n == 1 else None, f"Generic label #{n}") for n in range(4)
    ]
    assert [(i.subset, i.id, i.width, i.height) for i in data.items] == [
        ("test", "c", 5, 10), ("train", "a", 6, 8), ("train", "b", 8, 2), ("validation", "d", 5, 1),
    ]  # fmt: skip
    assert found(data) == {
        "a": [("tag", "/m/0", 1.0, None)],
        "b": [("tag", "/m/0", 0.0, None), ("box", "/m/0", 1.0, 1), ("mask", "/m/0", None, 1)],
        "c": [("tag", "/m/1", 1.0, None), ("tag", "/m/3", 1.0, None), ("box", "/m/3", 0.7, None)],
        "d": [],
    }
    items = {item.id: item for item in data.items}
    _, box, mask = items["b"].annotations
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((1.6, 0.6, 8.0, 1.0))
    assert (box.occluded, box.truncated, box.attributes) == (False, False, {})
    assert (mask.rle.area, tuple(mask.rle.bbox)) == (4, (0, 0, 2, 2))
    assert mask.attributes == {"box_id": "01234567", "predicted_iou": 0.5}
    third = items["c"].annotations[2]
    assert (third.x0, third.y0, third.x1, third.y1) == pytest.approx((3.5, 0, 4, 5))
    assert (third.occluded, third.truncated) == (True, False)
    assert third.attributes == {"is_group_of": True, "is_depiction": False, "is_inside": False}
    assert not len(mc.write(data, tmp_path / "out", "open_images", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    for name in ("train", "test"):
        rows = [p.read_text() for root in (path, tmp_path / "out") for p in root.glob(f"annotations/*{name}-*bbox.csv")]
        assert rows[0] == rows[1]


def test_cvat_export(samples: Path, tmp_path: Path) -> None:
    path = samples / "open-images" / "cvat-export"
    assert mc.detect(path) == "open_images"
    data = mc.read(path).load()
    assert [c.name for c in data.schema] == ["zeb", "car"]
    first, second = data.items
    assert (first.id, first.width, first.height, second.id, second.width) == ("img1", 8, 6, "sub/img 2", None)
    tag, box, *masks = first.annotations
    assert (tag.kind, box.x0, box.y0, box.x1, box.y1) == ("tag", 1.5, 1, 4.5, 3.25)
    assert (box.occluded, box.truncated, box.attributes) == (False, True, {})
    assert [(m.category_id, m.rle.area, tuple(m.rle.bbox)) for m in masks] == [
        (1, 12, (0, 0, 4, 3)), (1, 12, (4, 3, 4, 3)), (0, 9, (3, 2, 3, 3)),
    ]  # fmt: skip
    assert not len(mc.write(data, tmp_path / "out", "open_images"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    for place in path.glob("annotations/*.csv"):
        ours = (tmp_path / "out" / "annotations" / place.name).read_text().split()
        assert ours == place.read_text().split()


def test_rows_of_the_documentation(samples: Path) -> None:
    path = samples / "open-images" / "doc-rows"
    assert mc.detect(path) == "open_images"
    with pytest.raises(mc.FormatError, match="class-descriptions"):
        mc.read(path, "open_images").load()
    data = mc.read(path, "open_images", on_error="skip", on_loss="ignore").load()
    assert {i.subset for i in data.items} == {"train"}
    assert (len(data.items), len(data.schema)) == (5, 4)
    kinds = [a.kind for i in data.items for a in i.annotations]
    assert sorted(kinds) == ["box"] * 4 + ["mask"]
    boxes = {i.id: i.annotations[0] for i in data.items}
    assert boxes["0001eeaf4aed83f9"].x0 == 0.022673031
    mask = boxes["677c122b0eaa5d16"]
    assert mask.rle.area == 0
    assert len(mask.extras["open_images"]["Clicks"].split(";")) == 12
