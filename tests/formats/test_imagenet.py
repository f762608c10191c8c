"""Traps and bad input of ImageNet lists and folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats._shared.images import write_png
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
PNG = write_png(np.zeros((2, 3), np.uint8))


def lists(root: Path, text: str | bytes, synsets: str | None = "cat\ndog\nbig bird\n", name: str = "train.txt") -> Path:
    (root / name).write_bytes(text.encode() if isinstance(text, str) else text)
    if synsets is not None:
        (root / "synsets.txt").write_text(synsets)
    return root


def folders(root: Path, *names: str) -> Path:
    for at, name in enumerate(names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(write_png(np.full((2, 3), at, np.uint8)))
    return root


def found(dataset: mc.Dataset) -> list[tuple[Any, ...]]:
    names = {c.id: c.name for c in dataset.schema}
    return [(i.subset, i.id, i.path, [names[a.category_id] for a in i.annotations]) for i in dataset.items]


def fails(path: Path, *words: str, name: str = "imagenet_txt") -> mc.Dataset:
    """Check that a strict reader refuses with these words; returns what a lenient one makes of it."""
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, name).load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, name, on_error="skip").load()
    assert len(lenient.report)
    return lenient


def test_lines(tmp_path: Path) -> None:
    text = 'a/n1.JPEG 0\r\nmulti.jpg 2 0 1\n\nuntagged.jpg \n"two words".jpg 1\n"say "hi" x".png\nmulti2.jpg\t0'
    data = mc.read(lists(tmp_path, b"\xef\xbb\xbf" + text.encode()), "imagenet_txt", on_loss="raise")
    assert found(data) == [
        ("train", "a/n1", "a/n1.JPEG", ["cat"]),
        ("train", "multi", "multi.jpg", ["cat", "dog", "big bird"]),
        ("train", "untagged", "untagged.jpg", []),
        ("train", "two words", "two words.jpg", ["dog"]),
        ("train", 'say "hi" x', 'say "hi" x.png', []),
        ("train", "multi2", "multi2.jpg", ["cat"]),
    ]
    mc.write(data, tmp_path / "out", "imagenet_txt", on_loss="raise")
    assert (tmp_path / "out" / "train.txt").read_text() == (
        'a/n1.JPEG 0\nmulti.jpg 0 1 2\nuntagged.jpg\n"two words".jpg 1\n"say "hi" x".png\nmulti2.jpg 0\n'
    )
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_blanks_without_quotes(tmp_path: Path) -> None:
    lenient = fails(lists(tmp_path, "x.jpg 0\na b c.jpg 0\n"), "train.txt", "line 2", "blanks")
    assert found(lenient)[1] == ("train", "a b c", "a b c.jpg", ["cat"])


@pytest.mark.parametrize(
    ("line", "words", "kept"),
    [
        ("b.jpg x", ("'x'", "not an integer"), None),
        ('"b c.jpg 0', ("quotes",), None),
        ("b.jpg 3", ("label id 3", "b.jpg", "3 labels"), []),
        ("b.jpg -1", ("label id -1",), []),
        ("a.jpg 1", ("a.jpg", "line 1"), "merged"),
        ("../b.jpg 1", ("outside",), None),
        ("/b.jpg 1", ("absolute",), None),
    ],
)
def test_bad_lines(tmp_path: Path, line: str, words: tuple[str, ...], kept: Any) -> None:
    lenient = fails(lists(tmp_path, f"a.jpg 0\n{line}\n"), "train.txt", "line 2", *words)
    rows = found(lenient)
    assert rows[0][3] == (["cat", "dog"] if kept == "merged" else ["cat"])
    assert len(rows) == (2 if kept == [] else 1)
    assert kept != [] or rows[1][3] == []


def test_not_utf8(tmp_path: Path) -> None:
    lenient = fails(lists(tmp_path, b"a.jpg 0\n\xff.jpg 1\n"), "train.txt", "line 2", "byte 8")
    assert [row[3] for row in found(lenient)] == [["cat"], ["dog"]]


def test_ground_truth_of_the_development_kit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(mc.FormatError, match="development kit"):
        mc.read(lists(tmp_path, "490\n361\n"), "imagenet_txt", on_error="skip")


def test_same_stem_is_kept_twice(tmp_path: Path) -> None:
    data = mc.read(lists(tmp_path, "a.jpg 0\na.png 1\n"))
    assert found(data) == [("train", "a", "a.jpg", ["cat"]), ("train", "a.png", "a.png", ["dog"])]
    assert data.report.total == 1


def test_labels(tmp_path: Path) -> None:
    data = mc.read(lists(tmp_path, "a.jpg 2\n", None))
    assert [c.name for c in data.schema] == ["class-0", "class-1", "class-2"]
    assert any(loss.field == "categories" for loss in data.report)
    assert mc.detect(tmp_path) == "imagenet_txt"
    lists(tmp_path, "a.jpg 2\n", "x\ny\nz\n\n \n")
    assert [c.name for c in mc.read(tmp_path).schema] == ["x", "y", "z"]
    inner = fails(lists(tmp_path, "a.jpg 2\n", "x\n\nz\n"), "synsets.txt", "line 2", "blank")
    assert found(inner)[0][3] == ["z"]
    twice = fails(lists(tmp_path, "a.jpg 2\n", "x\ny\nx\n"), "synsets.txt", "line 3", "line 1")
    assert [c.name for c in twice.schema] == ["x", "y", "x_2"]
    lists(tmp_path, "a.jpg 0\n", "n01440764 tench, Tinca tinca\n")
    assert [c.name for c in mc.read(tmp_path).schema] == ["n01440764 tench, Tinca tinca"]
    split = mc.read(tmp_path, split_synsets=True)
    assert [c.name for c in split.schema] == ["n01440764"]
    mc.write(split, tmp_path / "out", "imagenet_txt", on_loss="raise")
    assert (tmp_path / "out" / "synsets.txt").read_text() == "n01440764 tench, Tinca tinca\n"


def test_lists_without_numbers_need_their_name(tmp_path: Path) -> None:
    lists(tmp_path, "a.jpg\n", None)
    with pytest.raises(mc.UnknownFormatError):
        mc.detect(tmp_path)
    assert found(mc.read(tmp_path, "imagenet_txt")) == [("train", "a", "a.jpg", [])]
    assert found(mc.read(lists(tmp_path, "", None), "imagenet_txt")) == []


def test_one_list_alone_and_neighbours(tmp_path: Path) -> None:
    lists(tmp_path, "a.jpg 0\n")
    lists(tmp_path, "b.jpg 1\n", name="val.txt")
    lists(tmp_path, "not a list", name="README.txt")
    assert [row[:2] for row in found(mc.read(tmp_path))] == [("train", "a"), ("val", "b")]
    assert found(mc.read(tmp_path / "val.txt", "imagenet_txt")) == [("val", "b", "b.jpg", ["dog"])]


def test_subset_that_cannot_be_a_list(tmp_path: Path) -> None:
    item = mc.Item("a", "a.jpg", subset="labels", annotations=[mc.Tag(category_id=0), mc.Tag(category_id=0)])
    report = mc.write(mc.Dataset(mc.LabelSchema([mc.Category(0, "x")]), [item]), tmp_path / "o", "imagenet_txt")
    assert [(loss.action, loss.what, loss.field) for loss in report] == [
        ("renamed", "item", "subset"), ("dropped", "tag", ""),
    ]  # fmt: skip
    assert found(mc.read(tmp_path / "o")) == [("labels_", "a", "a.jpg", ["x"])]


def test_folders_of_any_depth(tmp_path: Path) -> None:
    folders(tmp_path, "cat/cat_0.jpg", "cat/more/deep.jpg", "dog/cat_0.PNG", "no_label/img.jpg", "über/x.webp")
    (tmp_path / "cat" / "Thumbs.db").write_bytes(b"x")
    (tmp_path / "cat" / ".DS_Store").write_bytes(b"x")
    assert mc.detect(tmp_path) == "imagenet"
    data = mc.read(tmp_path, on_loss="raise")
    assert found(data) == [
        ("default", "cat/cat_0", "cat/cat_0.jpg", ["cat"]),
        ("default", "cat/more/deep", "cat/more/deep.jpg", ["cat"]),
        ("default", "dog/cat_0", "dog/cat_0.PNG", ["dog"]),
        ("default", "no_label/img", "no_label/img.jpg", []),
        ("default", "über/x", "über/x.webp", ["über"]),
    ]
    mc.write(data, tmp_path / "out", "imagenet", media="copy", on_loss="raise")
    assert_datasets_equal(data, mc.read(tmp_path / "out"))
    folders(tmp_path, "loose.jpg")
    with pytest.raises(mc.UnknownFormatError, match="loose.jpg"):
        mc.detect(tmp_path)
    (tmp_path / "out").rename(tmp_path.with_name("elsewhere"))
    assert ("default", "loose", "loose.jpg", []) in found(mc.read(tmp_path, "imagenet"))


def test_subset_folders(tmp_path: Path) -> None:
    folders(tmp_path / "in", "train/cat/1.png", "val/cat/1.png", "val/dog/1.png")
    data = mc.read(tmp_path / "in", "imagenet")
    assert found(data) == [
        ("train", "cat/1", "cat/1.png", ["cat"]), ("val", "cat/1", "cat/1.png", ["cat"]),
        ("val", "dog/1", "dog/1.png", ["dog"]),
    ]  # fmt: skip
    assert [loss.field for loss in data.report] == ["subset"]
    assert found(mc.read(tmp_path / "in", "imagenet", subsets=False))[0][3] == ["train"]
    assert not len(mc.write(data, tmp_path / "out", "imagenet", media="copy"))
    assert_datasets_equal(data, mc.read(tmp_path / "out", "imagenet"))


def test_writing_folders(tmp_path: Path) -> None:
    folders(tmp_path / "in", "cat/0.png", "dog/0.png", "z.png", "u.png")
    schema = mc.LabelSchema([mc.Category(5, "dog"), mc.Category(6, "cat"), mc.Category(7, "none")])
    rows = {"cat/0": (5,), "dog/0": (5,), "z": (5, 6), "u": (), "gone": (5,)}
    items = [mc.Item(k, f"{k}.png", annotations=[mc.Tag(category_id=c) for c in v]) for k, v in rows.items()]
    data = mc.Dataset(schema, items, media=mc.read(tmp_path / "in", "imagenet").media)
    report = mc.write(data, tmp_path / "out", "imagenet", media="copy")
    assert report == mc.plan(data, "imagenet", media="copy")
    back = mc.read(tmp_path / "out")
    assert {(row[1], *row[3]) for row in found(back)} == {
        ("dog/0", "dog"), ("dog/0_2", "dog"), ("dog/z", "dog"), ("cat/z", "cat"), ("no_label/u",),
    }  # fmt: skip
    assert (tmp_path / "out/dog/0.png").read_bytes() == (tmp_path / "in/cat/0.png").read_bytes()
    told = {(loss.action, loss.what, loss.field): loss.count for loss in report}
    assert told[("dropped", "item", "")] == 1
    assert told[("approximated", "item", "annotations")] == 1
    assert told[("renamed", "item", "path")] == 5
    assert told[("dropped", "category", "")] == 1
    assert ("approximated", "schema", "categories") in told


def test_labels_that_cannot_be_folders(tmp_path: Path) -> None:
    folders(tmp_path / "in", "a.png")
    media = mc.read(tmp_path / "in", "imagenet").media
    for name in ("a/b", "..", "no_label", "x\\y"):
        item = mc.Item("a", "a.png", annotations=[mc.Tag(category_id=0)])
        data = mc.Dataset(mc.LabelSchema([mc.Category(0, name)]), [item], media=media)
        with pytest.raises(ValueError, match="folder"):
            mc.write(data, tmp_path / "out", "imagenet", media="copy")
        assert not (tmp_path / "out").exists()
        mc.write(data, tmp_path / "lists", "imagenet", overwrite=True)
        assert found(mc.read(tmp_path / "lists")) == [("default", "a", "a.png", [name])]


def test_images_of_other_formats_are_not_labels(tmp_path: Path) -> None:
    folders(tmp_path, "images/a.png", "masks/a.png")
    with pytest.raises(mc.UnknownFormatError):
        mc.detect(tmp_path)
