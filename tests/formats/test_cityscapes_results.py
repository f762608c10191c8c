"""Results for the instance evaluation of Cityscapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats._shared.images import read_png, write_png
from maskcodec.masks import Rle

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
NAME = "cityscapes_results"
PIXELS = np.array([[0, 7, 255], [0, 1, 0]], np.uint8)


def results(root: Path, text: str, name: str = "val/aachen_000000_000019.txt", **masks: np.ndarray) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))
    for key, pixels in (masks or {"m": PIXELS}).items():
        (path.parent / f"{key}.png").write_bytes(write_png(pixels))
    return root


def fails(path: Path, *words: str) -> mc.Dataset:
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, NAME).load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, NAME, on_error="skip").load()
    assert len(lenient.report)
    return lenient


def test_rows_are_masks_with_labels_and_confidences(tmp_path: Path) -> None:
    rows = "m.png 26 0.976347\r\n./m.png 24 1\n\n"
    data = mc.read(results(tmp_path, rows)).load()
    assert data.source.format == NAME
    (item,) = data.items
    assert (item.id, item.subset, item.width, item.height) == ("aachen_000000_000019", "val", 3, 2)
    assert [(a.category_id, a.score, a.rle) for a in item.annotations] == [
        (26, 0.976347, Rle.from_mask(PIXELS)), (24, 1.0, Rle.from_mask(PIXELS))
    ]  # fmt: skip
    assert [(c.id, c.name, c.kind) for c in data.schema] == [(24, "person", "thing"), (26, "car", "thing")]


def test_masks_may_lie_above_the_text_but_not_outside(tmp_path: Path) -> None:
    root = results(tmp_path / "in", "../m.png 26 0.5", "val/a.txt")
    (root / "val/m.png").rename(root / "m.png")
    assert len(mc.read(root, NAME).items[0].annotations) == 1
    (tmp_path / "m.png").write_bytes((root / "m.png").read_bytes())
    (root / "val/a.txt").write_text("../../m.png 26 0.5")
    assert not fails(root, "a.txt", "line 1", "missing").items[0].annotations


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("x.png 26 0.5", ("line 2", "x.png", "missing")),
        ("/m.png 26 0.5", ("line 2", "missing")),
        ("m.png 26", ("line 2", "expected a mask, a label and a confidence")),
        ("m.png car 0.5", ("line 2", "expected a mask")),
        ("m.png 26 nan", ("line 2", "confidence", "finite")),
        ("other.png 26 0.5", ("line 2", "2 x 1 pixels, the image has 3 x 2")),
        ("color.png 26 0.5", ("color.png", "one channel")),
    ],
)
def test_bad_rows(tmp_path: Path, row: str, words: tuple[str, ...]) -> None:
    other = {"m": PIXELS, "other": np.ones((1, 2), np.uint8), "color": np.ones((2, 3, 3), np.uint8)}
    lenient = fails(results(tmp_path, f"m.png 26 0.5\n{row}\n", **other), *words)
    assert len(lenient.items[0].annotations) == 1


def test_an_id_that_the_table_has_not_is_told(tmp_path: Path) -> None:
    data = mc.read(results(tmp_path, "m.png 77 0.5"), NAME).load()
    assert [(c.id, c.name) for c in data.schema] == [(77, "class_77")]
    assert [(loss.action, loss.what, loss.field) for loss in data.report] == [("defaulted", "category", "name")]


def dataset(*names: str, **fields: Any) -> mc.Dataset:
    schema = mc.LabelSchema([mc.Category(at, name) for at, name in enumerate(names)])
    masks = [mc.Mask(Rle.from_box((at, 0, 3, 2), (4, 9)), category_id=at, score=0.1 + at) for at in range(len(names))]
    item = mc.Item("x/a b", width=9, height=4, subset="val", annotations=masks)
    for field, value in fields.items():
        setattr(item, field, value)
    return mc.Dataset(schema, [item])


def test_written_as_the_evaluation_takes_it(tmp_path: Path) -> None:
    data = dataset("person", "trafficlight", "car")
    mc.write(data, tmp_path / "out", NAME, on_loss="ignore")
    lines = (tmp_path / "out/val/x/a b.txt").read_text().splitlines()
    assert [line.split(" ") for line in lines] == [
        ["a_b_masks/0000.png", "24", "0.1"], ["a_b_masks/0001.png", "19", "1.1"], ["a_b_masks/0002.png", "26", "2.1"]
    ]  # fmt: skip
    pixels, header, _ = read_png((tmp_path / "out/val/x/a_b_masks/0001.png").read_bytes())
    assert header.depth == 8 and sorted(np.unique(pixels)) == [0, 255]
    back = mc.read(tmp_path / "out").items[0]
    assert [a.rle for a in back.annotations] == [a.rle for a in data.items[0].annotations]  # overlaps stay


def test_labels_that_rows_tell_need_no_list(tmp_path: Path) -> None:
    mc.write(dataset("person", "car"), tmp_path / "plain", NAME, on_loss="ignore")
    assert not (tmp_path / "plain/labels.csv").exists()
    report = mc.write(dataset("zebra", "car", "Wagen"), tmp_path / "own", NAME, on_loss="ignore")
    assert (tmp_path / "own/labels.csv").read_text() == "id,name\n34,zebra\n26,car\n35,Wagen\n"
    assert ("renamed", "category", "id", 3) in {(loss.action, loss.what, loss.field, loss.count) for loss in report}
    assert [c.name for c in mc.read(tmp_path / "own").schema] == ["zebra", "car", "Wagen"]


def test_masks_that_no_line_can_hold(tmp_path: Path) -> None:
    data = dataset("person", "car", width=8)
    report = mc.write(data, tmp_path / "out", NAME, on_loss="ignore")
    assert ("dropped", "mask", "", 2) in {(loss.action, loss.what, loss.field, loss.count) for loss in report}
    assert (tmp_path / "out/val/x/a b.txt").read_bytes() == b""


def test_folders_of_masks_do_not_meet(tmp_path: Path) -> None:
    data = dataset("person")
    twin = dataset("person").items[0]
    twin.id = "x/a_b"
    data.items.append(twin)
    mc.write(data, tmp_path / "out", NAME, on_loss="ignore")
    names = sorted(path.name for path in (tmp_path / "out/val/x").iterdir())
    assert names == ["a b.txt", "a_b.txt", "a_b_masks", "a_b_masks_"]
    assert [len(item.annotations) for item in mc.read(tmp_path / "out").items] == [1, 1]
