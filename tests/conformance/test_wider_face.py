"""WIDER FACE on the samples of its specification."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal


@pytest.fixture
def root(samples: Path) -> Path:
    return samples / "wider-face"


def boxes(item: mc.Item) -> list[tuple[float, ...]]:
    return [(a.x0, a.y0, a.x1 - a.x0, a.y1 - a.y0) for a in item.annotations if isinstance(a, mc.Box)]


def values(item: mc.Item, name: str) -> list[int]:
    return [a.attributes[name] for a in item.annotations if isinstance(a, mc.Box)]


def test_basic(root: Path, tmp_path: Path) -> None:
    assert mc.detect(root / "basic") == "wider_face"
    data = mc.read(root / "basic", on_loss="raise").load()
    assert [c.name for c in data.schema] == ["face"]
    assert [(i.subset, i.id, i.width, i.height, boxes(i)) for i in data.items] == [
        ("train", "0--Parade/0_Parade_image_01", 15, 10, [(1, 2, 2, 2)]),
        ("train", "1--Handshaking/1_Handshaking_image_02", 15, 10, [(1, 1, 2, 2), (5, 1, 2, 2)]),
        ("val", "0--Parade/0_Parade_image_03", 15, 10, [(0, 0, 1, 1), (3, 2, 1, 2), (5, 6, 1, 1)]),
    ]
    assert not any(a.kind == "tag" for i in data.items for a in i.annotations)
    first, second, third = data.items
    assert set(first.annotations[0].attributes.values()) == {0}
    assert values(second, "illumination") == [1, 1]
    assert values(third, "occlusion") == [2, 0, 2]
    assert values(third, "invalid") == [0, 1, 0]
    assert [a.occluded for a in third.annotations] == [True, False, True]
    tagged = mc.read(root / "basic", events=True)
    assert [c.name for c in tagged.schema] == ["face", "Parade", "Handshaking"]
    assert [i.annotations[-1].category_id for i in tagged.items] == [1, 2, 1]
    report = mc.write(data, tmp_path / "out", "wider_face", media="copy")
    assert not len(report)
    assert_datasets_equal(data, mc.read(tmp_path / "out", on_loss="ignore"))
    for subset in ("train", "val"):
        name = f"wider_face_split/wider_face_{subset}_bbx_gt.txt"
        rows = [line.rstrip() for line in (tmp_path / "out" / name).read_text().splitlines()]
        assert rows == [line.rstrip() for line in (root / "basic" / name).read_text().splitlines()]


def test_real_excerpt(root: Path, tmp_path: Path) -> None:
    folder = root / "real-excerpt"
    assert mc.detect(folder) == "wider_face"
    data = mc.read(folder, on_loss="ignore").load()
    assert [str(loss.reason) for loss in data.report] == [
        "one face with a box of zeros is kept: an image without faces, counted as one"
    ]
    names = {c.id: c.name for c in data.schema}
    assert list(names.values()) == ["face", "Parade", "Interview"]
    items = {subset: [i for i in data.items if i.subset == subset] for subset in ("train", "val", "test")}
    tags = {
        subset: [names[a.category_id] for i in own for a in i.annotations if a.kind == "tag"]
        for subset, own in items.items()
    }
    assert tags == {"train": ["Parade"] * 2, "val": ["Parade"] * 4 + ["Interview"], "test": ["Parade"] * 3}
    by_name = {i.id.rpartition("_0_")[2] if "_0_" in i.id else i.id[-6:]: i for i in items["val"]}
    assert sum(len(boxes(i)) for i in items["val"]) == 20
    face = by_name["194"]
    assert boxes(face)[0] == (111, 425, 122, 127)
    assert (sum(values(face, "pose")), sum(values(face, "expression"))) == (2, 5)
    other = by_name["205"]
    assert len(boxes(other)) == 6
    assert (values(other, "occlusion").count(2), sum(values(other, "expression"))) == (1, 2)
    assert sum(values(other, "illumination")) == 1
    assert boxes(by_name["829"]) == [(501, 160, 285, 443)]
    assert boxes(by_name["275"]) == [(0, 0, 0, 0)]
    interview = next(i for i in items["val"] if "Interview" in i.id)
    assert values(interview, "occlusion") == [1, 0, 1, 1, 1, 0, 2]
    assert values(interview, "blur").count(1) == 6
    assert values(interview, "blur").count(2) == 1
    marked = {name: [b for b, v in zip(boxes(interview), values(interview, name), strict=True) if v]
              for name in ("pose", "invalid")}  # fmt: skip
    assert marked == {"pose": [(505, 250, 17, 20)], "invalid": [(381, 264, 6, 9)]}
    assert [boxes(i) for i in items["train"]] == [[(449, 330, 122, 149)], []]
    assert len(items["test"]) == 3

    assert not len(mc.write(data, tmp_path / "out", "wider_face"))
    for kind in ("train_bbx_gt", "val_bbx_gt", "test_filelist"):
        name = f"wider_face_split/wider_face_{kind}.txt"
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()
    assert not (tmp_path / "out" / "labels.txt").exists()
    assert_datasets_equal(data, mc.read(tmp_path / "out", on_loss="ignore"))
