"""Traps and bad input of ICDAR text segmentation."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import maskcodec as mc
from maskcodec.formats._shared.images import write_png
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
NAME = "icdar_text_segmentation"
W, A, B, C = (255, 255, 255), (108, 225, 132), (82, 174, 214), (0, 0, 0)
PIXELS = np.array([[W, A, A, B], [W, W, C, B]], np.uint8)
LINES = '108 225 132 1 0 1 0 3 1 "F"\n\n82 174 214 3 1 3 0 4 2 "a b"\n#0 0 0 - - 2 1 3 2 ""\n'


def bmp(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "BMP")
    return out.getvalue()


def pair(root: Path, text: str | bytes = LINES, data: bytes | None = None) -> Path:
    (root / "train").mkdir(parents=True, exist_ok=True)
    (root / "train/a_GT.txt").write_bytes(text.encode() if isinstance(text, str) else text)
    (root / "train/a_GT.bmp").write_bytes(bmp(PIXELS) if data is None else data)
    return root


def found(data: mc.Dataset) -> list[tuple[object, int, object]]:
    return [(a.attributes["text"], a.rle.area, a.group_id) for i in data.items for a in i.annotations]


def told(report: mc.LossReport) -> set[tuple[str, str, str]]:
    return {(loss.action, loss.what, loss.field) for loss in report}


def fails(path: Path, *words: str) -> mc.Dataset:
    """Check that a strict reader refuses with these words; returns what a lenient one makes of it."""
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, NAME).load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, NAME, on_error="skip").load()
    assert len(lenient.report)
    return lenient


def test_a_box_that_is_not_that_of_its_pixels_is_told(tmp_path: Path) -> None:
    text = LINES.replace("1 0 3 1", "1 0 2 0").replace("3 0 4 2", "0 3 2 4")  # inclusive; row before column
    data = mc.read(pair(tmp_path / "in", text), NAME).load()
    told = [(loss.action, loss.what, loss.field, loss.count) for loss in data.report]
    assert told == [("defaulted", "mask", "box", 1)]
    assert found(data) == [("F", 2, None), ("a b", 2, 1), ("", 1, 1)]


def test_pair(tmp_path: Path) -> None:
    data = mc.read(pair(tmp_path / "in"), on_loss="raise").load()
    assert found(data) == [("F", 2, None), ("a b", 2, 1), ("", 1, 1)]
    last = data.items[0].annotations[2].attributes
    assert last == {"index": 2, "text": "", "color": "0 0 0", "center": "- -", "ignore": True}
    assert not len(mc.write(data, tmp_path / "out", NAME))
    assert (tmp_path / "out/train/a_GT.txt").read_text() == LINES
    with Image.open(tmp_path / "out/train/a_GT.bmp") as image:
        assert np.array_equal(np.asarray(image), PIXELS)
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


@pytest.mark.parametrize("kind", ["png", "palette", "top-down", "32 bits"])
def test_masks_are_told_by_content(tmp_path: Path, kind: str) -> None:
    data = write_png(PIXELS)
    if kind == "palette":
        palette = [W, A, B, C]
        data = write_png(np.array([[0, 1, 1, 2], [0, 0, 3, 2]], np.uint8), palette)
    elif kind == "top-down":
        data = bmp(PIXELS[::-1])
        data = data[:22] + struct.pack("<i", -2) + data[26:]
    elif kind == "32 bits":
        rows = np.concatenate([PIXELS[::-1, :, ::-1], np.zeros((2, 4, 1), np.uint8)], axis=2)
        data = bmp(PIXELS)[:28] + struct.pack("<H", 32) + bmp(PIXELS)[30:54] + rows.tobytes()
    assert found(mc.read(pair(tmp_path, data=data))) == [("F", 2, None), ("a b", 2, 1), ("", 1, 1)]


@pytest.mark.parametrize(
    ("text", "words", "count"),
    [
        (LINES + '82 174 214 1 1 1 1 1 1 "x"\n', ("line 5", "line 3", "(82, 174, 214)"), 3),
        (LINES + "1 2 3 1 1 1 1 1\n", ("line 5", "9 numbers"), 3),
        (LINES + '1 2 256 1 1 1 1 1 1 "x"\n', ("line 5", "0 to 255"), 3),
        (LINES + '255 255 255 1 1 1 1 1 1 "x"\n', ("line 5", "white"), 3),
        (LINES + '1 2 3 1 1 1 1 1 1 "x\n', ("line 5", "not closed"), 4),
        (LINES.encode() + b'1 2 3 1 1 1 1 1 1 "\xe9"\n', ("line 5", "UTF-8"), 3),
        (LINES.partition("#")[0], ("1 undeclared colours", "(0, 0, 0)", "1 pixels"), 2),
    ],
)
def test_bad_lines(tmp_path: Path, text: str | bytes, words: tuple[str, ...], count: int) -> None:
    assert len(found(fails(pair(tmp_path, text), *words))) == count


def test_bad_masks(tmp_path: Path) -> None:
    for data in (b"x", bmp(PIXELS)[:-3], b"BM" + bytes(60)):
        with pytest.raises(mc.FormatError, match="a_GT.bmp"):
            mc.read(pair(tmp_path, data=data), NAME).load()
    (tmp_path / "train/images").mkdir()
    (tmp_path / "train/images/a.png").write_bytes(write_png(np.zeros((3, 3), np.uint8)))
    assert len(found(fails(pair(tmp_path), "4 x 2 pixels", "3 x 3"))) == 3
    (tmp_path / "train/a_GT.bmp").unlink()
    lenient = fails(tmp_path, "a_GT.txt", "no *_GT.bmp")
    assert [a.kind for a in lenient.items[0].annotations] == ["box"] * 3
    with pytest.raises(mc.UnknownFormatError):
        mc.detect(tmp_path)


def test_writing_words(tmp_path: Path) -> None:
    def one(x: int, **more: object) -> mc.Mask:
        return mc.Mask(mc.Rle.from_box((x, 0, 1, 1), (2, 9)), category_id=0, **more)  # type: ignore[arg-type]

    masks = [
        one(0, group_id=7, attributes={"text": "a", "color": "255 255 255"}), one(1, attributes={"color": "128 0 0"}),
        one(2, group_id=7, attributes={"text": "say \"x\"", "color": "128 0 0"}), one(3, group_id=9), one(4),
    ]  # fmt: skip
    item = mc.Item("a", width=9, height=2, subset="train", annotations=masks)
    data = mc.Dataset(mc.LabelSchema([mc.Category(0, "icdar")]), [item])
    report = mc.write(data, tmp_path / "out", NAME)
    assert {("approximated", "item", "annotations"), ("renamed", "mask", "group_id"), ("dropped", "mask", "group_id"),
            ("defaulted", "mask", "attributes.color"), ("approximated", "mask", "attributes.color"),
            ("defaulted", "mask", "attributes.index")} <= told(report)  # fmt: skip
    back = mc.read(tmp_path / "out", on_loss="raise").load()
    assert [(a.attributes["text"], int(a.rle.bbox[0]), a.group_id) for a in back.items[0].annotations] == [
        ("a", 0, 1), ('say "x"', 2, 1), ("", 1, None), ("", 3, None), ("", 4, None)
    ]  # fmt: skip
    colors = [a.attributes["color"] for a in back.items[0].annotations]
    assert len(set(colors)) == 5
    assert "255 255 255" not in colors
    assert not len(mc.write(back, tmp_path / "again", NAME))


def test_images_of_unknown_size(tmp_path: Path) -> None:
    data = mc.Dataset(mc.LabelSchema(), [mc.Item("a"), mc.Item("b", width=3, height=2)])
    report = mc.write(data, tmp_path / "out", NAME)
    assert ("dropped", "item", "") in told(report)
    assert [(i.id, i.width, i.height) for i in mc.read(tmp_path / "out").items] == [("b", 3, 2)]


def test_many_characters(tmp_path: Path) -> None:
    masks = [mc.Mask(mc.Rle.from_box((x % 40, x // 40, 1, 1), (10, 40)), category_id=0) for x in range(400)]
    item = mc.Item("a", width=40, height=10, annotations=masks)
    mc.write(mc.Dataset(mc.LabelSchema([mc.Category(0, "icdar")]), [item]), tmp_path / "out", NAME)
    back = mc.read(tmp_path / "out", on_loss="raise").load()
    assert [a.rle for a in back.items[0].annotations] == [mask.rle for mask in masks]
