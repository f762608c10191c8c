"""Traps and bad input of ICDAR word recognition and text localization."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.formats._shared.images import write_png
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
WORDS, PLACES = "icdar_word_recognition", "icdar_text_localization"


def file(root: Path, name: str, text: str | bytes) -> Path:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return root


def captions(data: mc.Dataset) -> dict[str, list[str]]:
    return {item.path: [a.text for a in item.annotations] for item in data.items}


def shapes(data: mc.Dataset) -> list[tuple[Any, ...]]:
    return [
        ((a.x0, a.y0, a.x1, a.y1) if a.kind == "box" else tuple(a.rings[0].ravel().tolist()), a.attributes.get("text"))
        for item in data.items
        for a in item.annotations
    ]


def fails(path: Path, name: str, *words: str) -> mc.Dataset:
    """Check that a strict reader refuses with these words; returns what a lenient one makes of it."""
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, name).load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, name, on_error="skip").load()
    assert len(lenient.report)
    return lenient


def told(report: mc.LossReport) -> set[tuple[str, str, str]]:
    return {(loss.action, loss.what, loss.field) for loss in report}


def image(*annotations: mc.Annotation, path: str | None = None, names: tuple[str, ...] = ("icdar",)) -> mc.Dataset:
    schema = mc.LabelSchema([mc.Category(at, name) for at, name in enumerate(names)])
    return mc.Dataset(schema, [mc.Item("a", path, subset="train", annotations=list(annotations))])


# --- word recognition -------------------------------------------------------------------------------------------------
def test_words(tmp_path: Path) -> None:
    text = (
        '\ufeffword_1.png, "PROPER"\r\n\nword_136.png, "(412\\")"\nword_3.png, "a, b"\nword_4.png, ""\nword_5.png,\n'
        'a,b.jpg,"say \\"hi\\", bob"\nback.png, "back\\\\slash \\n"\nword_1.png, "again"\nplain.png\nx.png, "#, "q" "'
    )
    data = mc.read(file(tmp_path / "in", "train/gt.txt", text), on_loss="raise")
    assert captions(data) == {
        "word_1.png": ["PROPER", "again"], "word_136.png": ['(412")'], "word_3.png": ["a, b"], "word_4.png": [""],
        "word_5.png": [], "a,b.jpg": ['say "hi", bob'], "back.png": ["back\\slash \\n"], "plain.png": [],
        "x.png": ['#, "q" '],
    }  # fmt: skip
    mc.write(data, tmp_path / "out", WORDS, on_loss="raise")
    assert_datasets_equal(data, mc.read(tmp_path / "out"))


def test_folders_of_words(tmp_path: Path) -> None:
    file(tmp_path, "gt.txt", 'a.png, "x"\n')
    assert [i.subset for i in mc.read(tmp_path).items] == ["default"]
    file(tmp_path, "word_recognition/val/gt.txt", 'a.png, "x"\n')
    file(tmp_path, "word_recognition/val/a.png", write_png(np.zeros((2, 3), np.uint8)))
    assert [(i.subset, i.width) for i in mc.read(tmp_path).items] == [("default", None), ("val", 3)]
    file(tmp_path, "other/val/gt.txt", 'a.png, "x"\n')
    with pytest.raises(mc.FormatError, match="twice"):
        mc.read(tmp_path, WORDS)


def test_empty_list_needs_its_name(tmp_path: Path) -> None:
    file(tmp_path, "train/gt.txt", "")
    with pytest.raises(mc.UnknownFormatError):
        mc.detect(tmp_path)
    assert list(mc.read(tmp_path, WORDS).items) == []


@pytest.mark.parametrize(
    ("line", "words", "kept"),
    [
        ('b.png, "open', ("line 2", "not closed"), {"b.png": ["open"]}),
        ("b.png, bare text", ("line 2", "not in quotes"), {"b.png": ["bare text"]}),
        ('../b.png, "x"', ("line 2", "outside"), {}),
        (b'b.png, "\xe9"', ("line 2", "UTF-8"), {}),
    ],
)
def test_bad_words(tmp_path: Path, line: str | bytes, words: tuple[str, ...], kept: dict[str, list[str]]) -> None:
    raw = line.encode() if isinstance(line, str) else line
    lenient = fails(file(tmp_path, "train/gt.txt", b'a.png, "x"\n' + raw + b"\n"), WORDS, "gt.txt", *words)
    assert captions(lenient) == {"a.png": ["x"], **kept}


def test_tags_of_cvat_are_captions(tmp_path: Path) -> None:
    tag = mc.Tag(category_id=0, attributes={"text": "hi"})
    other = mc.Tag(category_id=1, attributes={"text": "no"})
    report = mc.write(image(tag, other, mc.Caption("two\nlines"), names=("icdar", "x")), tmp_path / "out", WORDS)
    assert captions(mc.read(tmp_path / "out")) == {"a.jpg": ["hi", "two lines"]}
    assert {("approximated", "tag", ""), ("dropped", "tag", ""), ("approximated", "caption", "text")} <= told(report)


def test_names_that_look_like_texts(tmp_path: Path) -> None:
    report = mc.write(image(mc.Caption("x"), path='a, "b.png'), tmp_path / "out", WORDS)
    assert ("renamed", "item", "path") in told(report)
    assert captions(mc.read(tmp_path / "out")) == {"a, _b.png": ["x"]}


# --- text localization ------------------------------------------------------------------------------------------------
QUAD = "377,117,463,117,465,130,378,130"
CORNERS = (377, 117, 463, 117, 465, 130, 378, 130)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('158 128 411 181 "Footpath"\n1 2 3 4 "a b"\n', [((158, 128, 411, 181), "Footpath"), ((1, 2, 3, 4), "a b")]),
        ('38, 43, 920, 215, "READER\\""\n1, 2, 3, 4, "5"\n', [((38, 43, 920, 215), 'READER"'), ((1, 2, 3, 4), "5")]),
        ('1 2 3 4 "back\\\\slash"\n1 2 3 4\n1 2 3 4 ""\n',
         [((1, 2, 3, 4), "back\\slash"), ((1, 2, 3, 4), None), ((1, 2, 3, 4), "")]),
        (f"{QUAD},Genaxis Theatre\n{QUAD},100,000\n{QUAD},\"q\" \n{QUAD},\n{QUAD}\n",
         [(CORNERS, "Genaxis Theatre"), (CORNERS, "100,000"), (CORNERS, '"q" '), (CORNERS, ""), (CORNERS, None)]),
        (f'\ufeff{QUAD},"quoted"\n', [(CORNERS, '"quoted"')]),
        (f'{QUAD},"quoted"\n1.5 2 3 4 "box"\n{QUAD}\n',
         [(CORNERS, "quoted"), ((1.5, 2, 3, 4), "box"), (CORNERS, None)]),
        (f'1,2,3,4,5,6,"tri"\n{QUAD},9,10,"five"\n1,2,3,4,5,6\n',
         [((1, 2, 3, 4, 5, 6), "tri"), ((*CORNERS, 9, 10), "five"), ((1, 2, 3, 4, 5, 6), None)]),
        (f"{QUAD},Latin,text, more\n{QUAD},None,###\n", [(CORNERS, "text, more"), (CORNERS, "###")]),
    ],
)  # fmt: skip
def test_forms(tmp_path: Path, text: str, found: list[tuple[Any, ...]]) -> None:
    data = mc.read(file(tmp_path / "in", "train/gt_a.txt", text), on_loss="raise").load()
    assert shapes(data) == found
    assert mc.detect(tmp_path / "in") == PLACES
    assert not len(mc.write(data, tmp_path / "out", PLACES))
    again = mc.read(tmp_path / "out", PLACES)
    assert shapes(again) == found
    assert_datasets_equal(data, again)
    mc.write(data, tmp_path / "rrc", PLACES, dialect="rrc")
    if not any(len(numbers) in (6, 10) for numbers, _ in found):
        assert shapes(mc.read(tmp_path / "rrc", PLACES)) == found


def test_scripts_and_ignored(tmp_path: Path) -> None:
    data = mc.read(file(tmp_path, "train/gt_a.txt", f"{QUAD},Latin,text\n{QUAD},None,###\n"))
    assert [a.attributes for a in data.items[0].annotations] == [
        {"script": "Latin", "text": "text"}, {"script": "None", "text": "###", "ignore": True}
    ]  # fmt: skip
    forced = mc.read(tmp_path, form="2015")
    assert [text for _, text in shapes(forced)] == ["Latin,text", "None,###"]
    with pytest.raises(ValueError, match="form"):
        mc.read(tmp_path, PLACES, form="x")


def test_form_without_texts_can_be_forced(tmp_path: Path) -> None:
    path = file(tmp_path, "train/gt_a.txt", f"{QUAD},9,10\n")
    assert shapes(mc.read(path, PLACES)) == [(CORNERS, "9,10")]
    assert shapes(mc.read(path, PLACES, form="cvat")) == [((*CORNERS, 9, 10), None)]


def test_places(tmp_path: Path) -> None:
    picture = write_png(np.zeros((2, 3), np.uint8))
    file(tmp_path, "train/a/b/gt_1.txt", '1 2 3 4 "x"\n')
    file(tmp_path, "train/images/a/b/1.png", picture)
    file(tmp_path, "train/images/lonely.png", picture)
    file(tmp_path, "gt_2.txt", '1 2 3 4 "x"\n')
    data = mc.read(tmp_path, on_loss="raise")
    assert [(i.subset, i.id, i.path, i.width, len(i.annotations)) for i in data.items] == [
        ("default", "2", None, None, 1), ("train", "a/b/1", "a/b/1.png", 3, 1), ("train", "lonely", "lonely.png", 3, 0),
    ]  # fmt: skip
    folder = file(tmp_path / "plain", "gt/1.txt", '1 2 3 4 "x"\n')
    assert [(i.subset, i.id) for i in mc.read(folder, PLACES).items] == [("default", "1")]
    with pytest.raises(mc.UnknownFormatError):
        mc.detect(folder)


@pytest.mark.parametrize(
    ("line", "words", "kept"),
    [
        ('1 2 3 "x"', ("line 2", "got 3"), []),
        ("1,2,3,4,5,6,7,x", ("line 2", "got 7"), []),
        ("x", ("line 2", "got 0"), []),
        ('5 2 3 4 "x"', ("line 2", "right < left"), [((3, 2, 5, 4), "x")]),
        ('1 8 3 4 "x"', ("line 2", "bottom < top"), [((1, 4, 3, 8), "x")]),
        ('1 2 3 4 "open', ("line 2", "not closed"), [((1, 2, 3, 4), "open")]),
        (b'1 2 3 4 "\xe9"', ("line 2", "UTF-8"), []),
    ],
)
def test_bad_places(tmp_path: Path, line: str | bytes, words: tuple[str, ...], kept: list[Any]) -> None:
    raw = line.encode() if isinstance(line, str) else line
    path = file(tmp_path, "train/gt_a.txt", b'0 0 1 1 "x"\n' + raw + b"\n")
    lenient = fails(path, PLACES, "train/gt_a.txt", *words)
    assert shapes(lenient) == [((0, 0, 1, 1), "x"), *kept]
    assert lenient.report.total == 1


def test_writing_shapes(tmp_path: Path) -> None:
    ring = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [2.0, 6.0], [0.0, 4.0]]
    turned = mc.Box(0, 0, 4, 2, 90, category_id=0, attributes={"text": "say \"hi\"\nbob"})
    report = mc.write(image(mc.Polygon([ring], category_id=0), turned), tmp_path / "a", PLACES)
    assert {("approximated", "rotated_box", ""), ("approximated", "polygon", "attributes.text")} <= told(report)
    (first, second) = shapes(mc.read(tmp_path / "a"))
    assert first == (tuple(np.ravel(ring).tolist()), None)
    assert second[1] == 'say "hi" bob'
    report = mc.write(image(mc.Polygon([ring], category_id=0)), tmp_path / "b", PLACES)
    assert told(report) == {("defaulted", "polygon", "attributes.text")}
    assert shapes(mc.read(tmp_path / "b")) == [(tuple(np.ravel(ring).tolist()), "")]
    report = mc.write(image(mc.Polygon([ring[:2]], category_id=0)), tmp_path / "c", PLACES)
    assert ("dropped", "polygon", "") in told(report)


def test_marks(tmp_path: Path) -> None:
    given: list[dict[str, Any]] = [
        {"ignore": True, "text": "x"}, {"text": "###"}, {"ignore": False, "text": "y"}, {"script": "Latin"}
    ]  # fmt: skip
    boxes = [mc.Box(0, 0, 1, 1, category_id=0, attributes=own) for own in given]
    report = mc.write(image(*boxes), tmp_path / "a", PLACES)
    assert told(report) == {
        ("approximated", "box", "attributes.text"), ("defaulted", "box", "attributes.ignore"),
        ("dropped", "box", "attributes.ignore"), ("dropped", "box", "attributes.script"),
    }  # fmt: skip
    (item,) = mc.read(tmp_path / "a").items
    ignored = {"text": "###", "ignore": True}
    assert [a.attributes for a in item.annotations] == [ignored, ignored, {"text": "y"}, {}]


def test_one_label(tmp_path: Path) -> None:
    data = image(mc.Box(0, 0, 1, 1, category_id=1), mc.Box(0, 0, 1, 1), names=("word", "x"))
    report = mc.write(data, tmp_path / "a", PLACES)
    assert told(report) == {
        ("renamed", "box", "category_id"), ("dropped", "category", ""), ("defaulted", "category", "")
    }  # fmt: skip
    back = mc.read(tmp_path / "a")
    assert [(c.id, c.name) for c in back.schema] == [(0, "icdar")]


def test_form_that_no_longer_fits(tmp_path: Path) -> None:
    data = mc.read(file(tmp_path / "in", "train/gt_a.txt", f"{QUAD},Genaxis Theatre\n")).load()
    data.items[0].annotations.append(mc.Box(0, 0, 1, 1, category_id=0))
    report = mc.write(data, tmp_path / "out", PLACES)
    assert told(report) == {("approximated", "item", "form")}
    assert shapes(mc.read(tmp_path / "out")) == [(CORNERS, "Genaxis Theatre"), ((0, 0, 1, 1), None)]
