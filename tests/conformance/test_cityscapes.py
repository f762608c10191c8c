"""Cityscapes on the samples of its specification."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats._shared.images import read_png
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
BASE = "gtFine/train/toyville/toyville_000000_000019_gtFine_"


@pytest.fixture
def cityscapes(samples: Path) -> Path:
    return samples / "cityscapes"


def regions(item: mc.Item) -> list[tuple[Any, ...]]:
    return [(a.category_id, a.id, a.is_crowd, a.rle.area) for a in item.annotations]


def test_outlines_of_the_scripts(cityscapes: Path, tmp_path: Path) -> None:
    path = cityscapes / "official-scripts"
    assert mc.detect(path) == "cityscapes"
    data = mc.read(path)
    (item,) = data.items
    assert (item.key, item.width, item.height) == (("train", "toyville/toyville_000000_000019"), 40, 24)
    assert [(data.schema.by_id(a.category_id).name, a.z_order, a.is_crowd) for a in item.annotations] == [
        ("sky", 0, False), ("road", 1, False), ("car", 2, False), ("car", 3, False), ("car", 5, True),
        ("person", 6, False), ("license plate", 7, False), ("ego vehicle", 8, False), ("out of roi", 9, False),
    ]  # fmt: skip
    ((at, deleted),) = item.extras["cityscapes"]["deleted"]
    assert (at, deleted["user"]) == (4, "mc")
    assert not len(mc.write(data, tmp_path / "out", "cityscapes", layout="original"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    # The pixels are those that the scripts made of the same outlines.
    for name in ("instanceIds.png", "labelIds.png", "color.png"):
        ours, header, _ = read_png((tmp_path / "out" / f"{BASE}{name}").read_bytes())
        theirs, wanted, _ = read_png((path / f"{BASE}{name}").read_bytes())
        assert np.array_equal(ours, theirs), name
        assert (header.depth, header.color_type) == (wanted.depth, wanted.color_type)


def test_maps_of_the_scripts(cityscapes: Path, tmp_path: Path) -> None:
    path = cityscapes / "official-scripts"
    data = mc.read(path, use="instances")
    (item,) = data.items
    assert regions(item) == [
        (1, 1, False, 80), (3, 3, False, 80), (7, 7, False, 223), (23, 23, False, 312), (24, 24000, False, 38),
        (26, 26, True, 28), (26, 26000, False, 53), (26, 26001, False, 104),
    ]  # fmt: skip
    boxes = {a.id: tuple(map(int, a.rle.bbox)) for a in item.annotations}
    assert {key: boxes[key] for key in (26000, 26001, 26, 24000, 3, 1)} == {
        26000: (4, 10, 11, 8), 26001: (10, 11, 13, 8), 26: (24, 13, 7, 4), 24000: (31, 8, 4, 11), 3: (0, 0, 40, 2),
        1: (0, 22, 40, 2),
    }  # fmt: skip
    assert sum(a.rle.area for a in item.annotations) + 42 == 40 * 24
    for layout in ("original", "cvat"):
        assert not len(mc.write(data, tmp_path / layout, "cityscapes", layout=layout))
        assert_datasets_equal(data, mc.read(tmp_path / layout))
        ours, _, _ = read_png((tmp_path / layout / f"{BASE}instanceIds.png").read_bytes())
        assert np.array_equal(ours, read_png((path / f"{BASE}instanceIds.png").read_bytes())[0])
    (trained,) = mc.read(path, use="train").items
    assert regions(trained) == [
        (7, None, False, 223), (23, None, False, 312), (24, None, True, 38), (26, None, True, 185),
    ]  # fmt: skip


def test_datumaro(cityscapes: Path, tmp_path: Path) -> None:
    path = cityscapes / "datumaro"
    assert mc.detect(path) == "cityscapes"
    data = mc.read(path)
    assert {(i.subset, i.id[-6:]): regions(i) for i in data.items} == {
        ("test", "000031"): [(3, 3, False, 2), (27, 27001, False, 1), (27, 27002, False, 2)],
        ("test", "000032"): [(3, 3, False, 2), (12, 12, False, 1), (31, 31001, False, 2)],
        ("train", "000045"): [(3, 3, False, 4), (24, 24001, False, 1)],
        ("val", "000019"): [(1, 1024, False, 2), (3, 3, False, 3)],
    }
    assert all(item.id.startswith("defaultcity/defaultcity_00000") for item in data.items)
    for item in data.items:
        assert (item.path, item.width) == (f"{item.id}.png", 5)
        with data.media.open_media(item) as stream:
            assert stream.read(4) == b"\x89PNG"
    assert not len(mc.write(data, tmp_path / "out", "cityscapes", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_cvat_export(cityscapes: Path, tmp_path: Path) -> None:
    path = cityscapes / "cvat-export"
    assert mc.detect(path) == "cityscapes"
    data = mc.read(path)
    (item,) = data.items
    assert (item.key, item.width, item.height) == (("default", "img1"), 8, 6)
    assert regions(item) == [(1, 1002, False, 12), (1, 1003, False, 12), (2, 2001, False, 2), (2, 2004, False, 3)]
    assert [(c.id, c.name, c.color) for c in data.schema] == [
        (0, "background", (0, 0, 0)), (1, "car", (40, 50, 60)), (2, "zeb", (10, 20, 30)),
    ]  # fmt: skip
    assert not len(mc.write(data, tmp_path / "out", "cityscapes"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    assert (tmp_path / "out" / "label_colors.txt").read_text() == (path / "label_colors.txt").read_text()
    for name in ("instanceIds", "labelIds", "color"):
        part = f"gtFine/default/img1_gtFine_{name}.png"
        ours, theirs = (read_png((root / part).read_bytes())[0] for root in (tmp_path / "out", path))
        assert np.array_equal(ours, theirs)
