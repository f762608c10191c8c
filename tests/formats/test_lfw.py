"""Traps and bad input of LFW."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


def lists(root: Path, pairs: str, people: str | None = None, marks: str | None = None,
          folder: str = "s/annotations") -> Path:  # fmt: skip
    (root / folder).mkdir(parents=True, exist_ok=True)
    for name, text in (("pairs", pairs), ("people", people), ("landmarks", marks)):
        if text is not None:
            (root / folder / f"{name}.txt").write_bytes(text.replace(" ", "\t").encode())
    return root


def found(data: mc.Dataset) -> dict[str, list[str]]:
    names = {c.id: c.name for c in data.schema}
    return {item.id: [names[a.category_id] for a in item.annotations if a.kind == "tag"] for item in data.items}


def pairs(data: mc.Dataset) -> list[tuple[str, str, bool, int]]:
    return [(k.source[1], k.target[1], k.attributes["positive"], k.attributes["fold"]) for k in data.links]


def fails(path: Path, *words: str) -> mc.Dataset:
    """Check that a strict reader refuses with these words; returns what a lenient one makes of it."""
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "lfw").load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, "lfw", on_error="skip").load()
    assert len(lenient.report)
    return lenient


def people(keys: dict[str, int | None], links: list[Any] | None = None) -> mc.Dataset:
    schema = mc.LabelSchema([mc.Category(at, name) for at, name in enumerate("ab")])
    items = [mc.Item(key, subset="s", annotations=[] if label is None else [mc.Tag(category_id=label)])
             for key, label in keys.items()]  # fmt: skip
    return mc.Dataset(schema, items, links=links or [])


def told(report: mc.LossReport) -> set[tuple[str, str, str]]:
    return {(loss.action, loss.what, loss.field) for loss in report}


def test_folds_and_headers(tmp_path: Path) -> None:
    text = "2 1\na 1 2\na 1 b 1\nb 1 2\nb 1 a 2\n"
    data = mc.read(lists(tmp_path / "a", text), on_loss="raise")
    assert [row[3] for row in pairs(data)] == [1, 1, 2, 2]
    mc.write(data, tmp_path / "b", "lfw")
    assert (tmp_path / "b/s/annotations/pairs.txt").read_text() == text.replace(" ", "\t")
    one = mc.read(lists(tmp_path / "c", "\ufeff1\r\na 1 2\r\na 1 b 1"), on_loss="raise")
    assert list(found(one)) == ["a/a_0001", "a/a_0002", "b/b_0001"]
    assert one.extras["lfw"]["headers"] == {"s": [1]}
    bare = mc.read(lists(tmp_path / "d", "a 1 2\na 1 b 1\nb 1 2\nb 1 a 2\n"), on_loss="raise")
    assert [row[3] for row in pairs(bare)] == [1, 1, 2, 2]
    mc.write(bare, tmp_path / "e", "lfw")
    assert (tmp_path / "e/s/annotations/pairs.txt").read_text() == text.replace(" ", "\t")
    mc.write(bare, tmp_path / "f", "lfw", dialect="datumaro")
    assert (tmp_path / "f/s/annotations/pairs.txt").read_text() == text.replace(" ", "\t")[4:]
    lying = mc.read(lists(tmp_path / "g", "3 5\na 1 2\n"))
    assert told(lying.report) == {("defaulted", "file", "header")}


def test_names(tmp_path: Path) -> None:
    text = "0\nT.J._O'Hara 3 x y_0001\np a/1 b\n- z p 1000\nlone/lone_0007\nbare\n"
    data = mc.read(lists(tmp_path / "b", text))
    assert found(data) == {
        "T.J._O'Hara/T.J._O'Hara_0003": ["T.J._O'Hara"], "x/y_0001": ["x"], "p/a/1": ["p"], "p/b": ["p"], "z": [],
        "p/p_1000": ["p"], "lone/lone_0007": ["lone"], "bare": [],
    }  # fmt: skip
    mc.write(data, tmp_path / "c", "lfw", dialect="datumaro")
    assert (tmp_path / "c/s/annotations/pairs.txt").read_text() == text.replace(" ", "\t")[2:]
    assert found(mc.read(tmp_path / "c")) == found(data)
    assert mc.read(tmp_path / "c").links == data.links


def test_people(tmp_path: Path) -> None:
    data = mc.read(lists(tmp_path / "a", "0\nb/b_0001\n", "2\nnobody 7\nb 3\n"))
    assert [(c.name, c.extras["lfw"]["counts"]) for c in data.schema] == [("nobody", {"s": 7}), ("b", {"s": 3})]
    assert not len(mc.write(data, tmp_path / "b", "lfw"))
    assert (tmp_path / "b/s/annotations/people.txt").read_text() == "2\nnobody\t7\nb\t3\n"
    assert_datasets_equal(data, mc.read(tmp_path / "b"))


def test_landmarks(tmp_path: Path) -> None:
    marks = "a/a_0001.jpg 0 4 3.25 -3\n\nDean_Barker_0001.jpg 1 2\nbare_5.jpg 1 2\nc/x.png 5 6\n"
    data = mc.read(lists(tmp_path / "a", "0\na/a_0001\nbare_5\n", marks=marks))
    assert found(data) == {
        "a/a_0001": ["a"], "bare_5": [], "Dean_Barker/Dean_Barker_0001": ["Dean_Barker"], "c/x": ["c"]
    }  # fmt: skip
    assert [a.xy.tolist() for i in data.items for a in i.annotations if a.kind == "points"][0] == [[0, 4], [3.25, -3]]
    names = {c.id: c.name for c in data.schema}
    assert [names.get(a.category_id) for i in data.items for a in i.annotations if a.kind == "points"] == [
        "a", None, "Dean_Barker", "c"
    ]  # fmt: skip


@pytest.mark.parametrize("folder", ["annotations", ".", "s/annotations"])
def test_places(tmp_path: Path, folder: str) -> None:
    (data,) = (mc.read(lists(tmp_path / "in", "0\na/a_0001\n", folder=folder)),)
    assert [i.subset for i in data.items] == ["s" if folder[0] == "s" else "default"]
    (tmp_path / "in" / folder / "pairs.txt").rename(tmp_path / "in" / "pairsDevTest.txt")
    assert [i.subset for i in mc.read(tmp_path / "in").items] == ["DevTest"]


@pytest.mark.parametrize(
    ("row", "words", "kept"),
    [
        ("a 1", ("line 3", "got 2"), 2),
        ("a 1 b 1 c", ("line 3", "got 5"), 2),
        ("a\u00a01\u00a02", ("line 3", "tab"), 2),
        ("a 0 1", ("line 3", "from 1"), 2),
    ],
)
def test_bad_pairs(tmp_path: Path, row: str, words: tuple[str, ...], kept: int) -> None:
    path = lists(tmp_path, f"1\na 1 2\n{row}\n")
    file = path / "s/annotations/pairs.txt"
    file.write_text(file.read_text().replace("\u00a0", " "))
    lenient = fails(path, "pairs.txt", *words)
    assert len(found(lenient)) >= kept


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("a/a_0001.jpg 1 2 3", ("line 2", "got 3")),
        ("a/a_0001.jpg 1 x", ("line 2", "y1", "'x'")),
        ("b/b_0001.jpg 1 2", ("line 2", "line 1")),
    ],
)
def test_bad_landmarks(tmp_path: Path, row: str, words: tuple[str, ...]) -> None:
    lenient = fails(lists(tmp_path, "0\na/a_0001\n", marks=f"b/b_0001.jpg 1 2\n{row}\n"), "landmarks.txt", *words)
    assert sum(a.kind == "points" for i in lenient.items for a in i.annotations) == 1
    assert len(found(lenient)) == 2


@pytest.mark.parametrize("value", ["['a/a_0002', 'b/b_0001']", '["a/a_0002", "b/b_0001"]', "a/a_0002; b/b_0001"])
def test_pairs_as_text(tmp_path: Path, value: str) -> None:
    data = people({"a/a_0001": 0, "a/a_0002": 0, "b/b_0001": 1})
    data.items[0].annotations[0].attributes = {"negative_pairs": value, "positive_pairs": ["a/a_0002"]}
    report = mc.write(data, tmp_path / "a", "lfw")
    assert ("defaulted", "dataset", "links") in told(report)
    assert pairs(mc.read(tmp_path / "a")) == [
        ("a/a_0001", "a/a_0002", True, 1), ("a/a_0001", "a/a_0002", False, 1), ("a/a_0001", "b/b_0001", False, 1)
    ]  # fmt: skip


def test_links_that_no_line_can_hold(tmp_path: Path) -> None:
    def link(a: str, b: str, **own: Any) -> mc.Link:
        return mc.Link(("s", a), ("s", b), own)

    links = [link("a/a_0001", "b/b_0001", positive=True), link("a/a_0001", "gone"),
             link("a/7", "b/b_0001", positive=False), mc.Link(1, 2),
             link("b/b_0001", "a/a_0001", positive=False, note=1)]  # fmt: skip
    report = mc.write(people({"b/b_0001": 1, "a/a_0001": 0, "a/7": 0}, links), tmp_path / "a", "lfw")
    gone = {(loss.what, loss.field): loss.count for loss in report if loss.action == "dropped"}
    assert (gone["dataset", "links"], gone["link", "attributes.note"]) == (1, 1)
    assert sum(loss.count for loss in report if (loss.action, loss.what, loss.field) == ("dropped", "link", "")) == 3
    assert pairs(mc.read(tmp_path / "a")) == [("b/b_0001", "a/a_0001", False, 1)]


@pytest.mark.parametrize(
    ("key", "label", "written"),
    [("a/x", 0, "a/x"), ("x", 0, "a/x"), ("b/x", 0, "a/b/x"), ("-/x", 0, "a/x"), ("x/y", None, "-/x/y"),
     ("x", None, "x")],
)  # fmt: skip
def test_ids(tmp_path: Path, key: str, label: int | None, written: str) -> None:
    report = mc.write(people({key: label}), tmp_path / "a", "lfw")
    assert (("renamed", "item", "id") in told(report)) == (written != key)
    assert found(mc.read(tmp_path / "a")) == {written: [] if label is None else ["a"]}
