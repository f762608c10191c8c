"""MOTS on the samples of its specification."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import maskcodec as mc
from maskcodec.formats._shared.images import read_png
from maskcodec.testing import assert_datasets_equal


def test_two_subsets(samples: Path, tmp_path: Path) -> None:
    path = samples / "mots-png" / "png-two-subsets"
    assert mc.detect(path) == "mots_png"
    data = mc.read(path, "mots", on_loss="ignore").load()
    names = {c.id: c.name for c in data.schema}
    assert list(names.values()) == ["a", "b", "c", "d"]
    found = {
        (i.subset, i.id): {(names[a.category_id], a.track_id, a.rle.area) for a in i.annotations} for i in data.items
    }
    assert found == {
        ("train", "1"): {("d", 3, 2), ("c", 2, 1), ("d", 1, 1)}, ("train", "2"): {("d", 2, 1)},
        ("val", "3"): {("a", 1, 1)},
    }  # fmt: skip
    assert all((i.width, i.height) == (5, 1) for i in data.items)
    assert [(loss.what, loss.field, loss.count) for loss in data.report] == [("item", "width", 3)]
    assert not len(mc.write(data, tmp_path / "out", "mots_png", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out", on_loss="ignore"))
    for name in ("train/instances/1.png", "train/instances/2.png", "val/instances/3.png"):
        first, second = (read_png((root / name).read_bytes())[0] for root in (path, tmp_path / "out"))
        assert np.array_equal(first, second)
    assert (tmp_path / "out/train/images/1.jpg").read_bytes() == (path / "train/images/1.jpg").read_bytes()


def test_line_of_the_documentation(samples: Path, tmp_path: Path) -> None:
    path = samples / "mots-png" / "txt-docs-line"
    assert mc.detect(path) == "mots_txt"
    data = mc.read(path, "mots")
    (item,) = data.items
    (mask,) = item.annotations
    assert (item.id, item.sequence, item.frame, item.height, item.width) == ("0000/000052", "0000", 52, 375, 1242)
    assert (data.schema.by_id(mask.category_id).name, mask.track_id) == ("car", 5)
    assert (mask.rle.area, tuple(mask.rle.bbox)) == (283, (890, 168, 41, 11))
    runs = mask.rle.runs.tolist()
    assert (len(runs), runs[:3], runs[-1]) == (83, [333927, 2, 372], 116824)
    assert not len(mc.write(data, tmp_path / "out", "mots_txt"))
    assert (tmp_path / "out/0000.txt").read_bytes().strip() == (path / "0000.txt").read_bytes().strip()
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
