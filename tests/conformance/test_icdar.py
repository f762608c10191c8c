"""ICDAR robust reading on the samples of its specification."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal


@pytest.fixture
def root(samples: Path) -> Path:
    return samples / "icdar"


def texts(data: mc.Dataset) -> dict[str, list[str]]:
    return {i.id: [a.text if a.kind == "caption" else a.attributes["text"] for a in i.annotations] for i in data.items}


def test_recognition(root: Path, tmp_path: Path) -> None:
    assert mc.detect(root / "word_recognition") == "icdar_word_recognition"
    data = mc.read(root / "word_recognition", on_loss="raise")
    assert texts(data) == {"word_1": ["PROPER"], "word_2": ["Canon"]}
    assert [(i.subset, i.width, i.height) for i in data.items] == [("train", 15, 10)] * 2
    assert not len(mc.write(data, tmp_path / "out", "icdar_word_recognition", media="copy"))
    for name in ("gt.txt", "images/word_1.png"):
        written = (tmp_path / "out/train" / name).read_bytes()
        assert written == (root / "word_recognition/train" / name).read_bytes()
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_recognition_excerpts(root: Path) -> None:
    words = root / "real-excerpt" / "ic13_words"
    assert mc.detect(words) == "icdar_word_recognition"
    assert list(texts(mc.read(words, on_loss="raise")).values()) == [["PROPER"], ["FOOD"], ["PRONTO"], ['(412")']]
    words = root / "real-excerpt" / "ic15_words"
    data = mc.read(words, on_loss="raise")
    assert texts(data) == {"word_1": ["Genaxis Theatre"], "word_2": ["[06]"], "word_3": ["62-03"]}


def test_localization(root: Path, tmp_path: Path) -> None:
    assert mc.detect(root / "text_localization") == "icdar_text_localization"
    data = mc.read(root / "text_localization", on_loss="raise").load()
    first, second = data.items
    (quad,) = first.annotations
    assert (quad.kind, quad.rings[0].tolist()) == ("polygon", [[0, 0], [3, 1], [4, 6], [1, 7]])
    assert [(a.x0, a.y0, a.x1, a.y1) for a in second.annotations] == [(0, 0, 2, 3), (3, 3, 5, 6)]
    assert texts(data) == {"img_1": ["FOOD"], "img_2": ["RED", "LION"]}
    assert not len(mc.write(data, tmp_path / "out", "icdar_text_localization", media="copy"))
    for name in ("gt_img_1.txt", "gt_img_2.txt"):
        text = (root / "text_localization/train" / name).read_text().strip()
        assert (tmp_path / "out/train" / name).read_text().strip() == text
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_localization_excerpts(root: Path, tmp_path: Path) -> None:
    real = root / "real-excerpt"
    for name in ("ic13_train", "ic13_test", "ic15_train"):
        assert mc.detect(real / name) == "icdar_text_localization"
    data = mc.read(real / "ic13_train", on_loss="raise")
    assert texts(data) == {"100": ["Footpath", "To", "Colchester"]}
    box = data.items[0].annotations[0]
    assert (box.x0, box.y0, box.x1, box.y1) == (158, 128, 411, 181)
    data = mc.read(real / "ic13_test", on_loss="raise")
    assert texts(data) == {"img_1": ["Tiredness", "kills", "A"]}
    box = data.items[0].annotations[2]
    assert (box.x0, box.y0, box.x1, box.y1) == (0, 699, 77, 830)
    mc.write(data, tmp_path / "13", "icdar_text_localization", dialect="rrc", on_loss="raise")
    written = (tmp_path / "13/default/gt_img_1.txt").read_bytes()
    assert written == (real / "ic13_test/gt_img_1.txt").read_bytes()
    data = mc.read(real / "ic15_train", on_loss="raise")
    assert texts(data) == {"img_1": ["Genaxis Theatre", "[06]", "###"]}
    quads = data.items[0].annotations
    assert [a.attributes.get("ignore") for a in quads] == [None, None, True]
    assert quads[0].rings[0].tolist() == [[377, 117], [463, 117], [465, 130], [378, 130]]
    mc.write(data, tmp_path / "15", "icdar_text_localization", dialect="rrc", on_loss="raise")
    written = (tmp_path / "15/default/gt_img_1.txt").read_bytes()
    assert written == (real / "ic15_train/gt_img_1.txt").read_bytes()


def test_segmentation(root: Path, tmp_path: Path) -> None:
    folder = root / "text_segmentation"
    assert mc.detect(folder) == "icdar_text_segmentation"
    data = mc.read(folder, on_loss="ignore").load()
    # Boxes of this file hold rows before columns: the pixels count, and the report says so.
    assert {(loss.action, loss.what, loss.field) for loss in data.report} == {("defaulted", "mask", "box")}
    (item,) = data.items
    assert (item.subset, item.id, item.width, item.height) == ("train", "1", 5, 2)
    found = [(a.attributes["text"], a.rle.area, a.group_id, a.attributes["color"]) for a in item.annotations]
    assert found == [
        ("F", 2, None, "108 225 132"), ("T", 2, 1, "82 174 214"), ("h", 1, 1, "241 73 144"),
    ]  # fmt: skip
    places = [a.rle.decode().nonzero() for a in item.annotations]
    pixels = [sorted(zip(columns.tolist(), rows.tolist(), strict=True)) for rows, columns in places]
    assert pixels == [[(1, 0), (2, 0)], [(3, 0), (3, 1)], [(4, 1)]]
    assert not len(mc.write(data, tmp_path / "out", "icdar_text_segmentation", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    assert (tmp_path / "out/train/1_GT.txt").read_text() == (folder / "train/1_GT.txt").read_text()
    bitmap = (tmp_path / "out/train/1_GT.bmp").read_bytes()
    assert (bitmap[:2], bitmap[28], len(bitmap)) == (b"BM", 24, 54 + 2 * 16)
    assert bitmap[54:57] == b"\xff\xff\xff"  # from the bottom up: the second row is white but for T and h
    assert bitmap[54 + 9 : 54 + 12] == bytes((214, 174, 82))


def test_segmentation_grammar(root: Path) -> None:
    data = mc.read(root / "real-excerpt" / "ic13_seg", "icdar_text_segmentation", on_error="skip", on_loss="ignore")
    (box,) = data.items[0].annotations
    assert (box.x0, box.y0, box.x1, box.y1) == (158, 131, 187, 172)
    assert box.attributes == {"index": 0, "text": "F", "color": "108 225 132", "center": "168 147"}
