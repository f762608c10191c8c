"""MOT on the samples of its specification."""

from __future__ import annotations

from pathlib import Path

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal


def check(dataset: mc.Dataset) -> mc.Item:
    assert [c.name for c in dataset.schema] == [f"label_{n}" for n in range(10)]
    (item,) = dataset.items
    (box,) = item.annotations
    assert (item.id, item.width, item.height, item.frame) == ("000001", 16, 16, 0)
    assert (box.x0, box.y0, box.x1, box.y1) == (0, 4, 4, 12)
    assert dataset.schema.index(box.category_id) == 2
    assert box.track_id is None
    assert box.attributes == {"visibility": 1.0}
    assert not box.occluded
    return item


def test_sequence_with_images(samples: Path, tmp_path: Path) -> None:
    path = samples / "mot" / "mot-seq"
    assert mc.detect(path) == "mot"
    data = mc.read(path)
    item = check(data)
    assert (item.path, item.sequence) == ("img1/000001.jpg", None)
    assert not len(mc.write(data, tmp_path / "out", "mot", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    assert (tmp_path / "out/gt/gt.txt").read_text() == "1,-1,0,4,4,8,1,3,1\n"
    assert (tmp_path / "out/img1/000001.jpg").read_bytes() == (path / "img1/000001.jpg").read_bytes()


def test_sequence_with_seqinfo(samples: Path, tmp_path: Path) -> None:
    path = samples / "mot" / "mot-seq-seqinfo"
    assert mc.detect(path) == "mot"
    data = mc.read(path)
    item = check(data)
    assert (item.path, item.sequence) == ("img1/000001.jpg", "Test")
    assert data.extras == {"mot": {"seqinfo": {"default/Test": {"frameRate": "10"}}}}
    assert not len(mc.write(data, tmp_path / "out", "mot"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    assert (tmp_path / "out/seqinfo.ini").read_text() == (path / "seqinfo.ini").read_text()
