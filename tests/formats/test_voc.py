"""Traps and bad input of PASCAL VOC."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

BOX = "<bndbox><xmin>{}</xmin><ymin>2</ymin><xmax>{}</xmax><ymax>4</ymax></bndbox>"
OBJECT = "<object><name>cat</name>{}" + BOX + "</object>"


def thing(low: str = "1", high: str = "3", more: str = "") -> str:
    return OBJECT.format(more, low, high)


def folder(root: Path, *objects: str, head: str = "", lists: dict[str, str] | None = None, table: str = "") -> Path:
    (root / "Annotations").mkdir(parents=True)
    size = "<size><width>20</width><height>10</height><depth>3</depth></size>"
    text = f"<annotation><filename>a.jpg</filename>{head}{size}{''.join(objects)}</annotation>"
    (root / "Annotations" / "a.xml").write_text(text)
    for name, rows in (lists or {"Main/train": "a\n"}).items():
        path = root / "ImageSets" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(rows.encode())
    if table:
        (root / "labelmap.txt").write_text(table)
    return root


def first(path: Path, **options: object) -> mc.Item:
    return next(iter(mc.read(path, "voc", **options).items))


@pytest.mark.parametrize(
    ("low", "head", "table", "x0"),
    [
        ("0.5", "<source><database>VOC</database></source>", "", 0.5),
        ("5", "<source><database>VOC</database></source>", "cat:::\n", 5),
        ("5", "<source><database>Unknown</database></source>", "", 5),
        ("5", "<source><database>The VOC2007 Database</database></source>", "", 4),
        ("5.5", "<source><database>The VOC2012 Database</database></source>", "", 4.5),
        ("5", "", "", 5),
    ],
)
def test_how_pixels_are_counted(tmp_path: Path, low: str, head: str, table: str, x0: float) -> None:
    path = folder(tmp_path, thing(low, "9"), head=head, table=table)
    assert first(path).annotations[0].x0 == x0
    assert first(path, coordinates="voc").annotations[0].x0 == float(low) - 1
    data = mc.read(path)
    assert bool(len(data.report)) == (not head), "only a guess without any mark is reported"


def test_one_convention_for_the_whole_data_set(tmp_path: Path) -> None:
    voc = "<source><database>VOC</database></source>"
    path = folder(tmp_path, thing("5", "9"), head=voc, lists={"Main/train": "a\nb\n"})
    text = (path / "Annotations/a.xml").read_text().replace("<xmin>5", "<xmin>0")
    (path / "Annotations/b.xml").write_text(text)
    assert [item.annotations[0].x0 for item in mc.read(path).items] == [5, 0]


@pytest.mark.parametrize(
    ("objects", "words"),
    [
        ("<object><bndbox/></object>", ["object 1", "xmin"]),
        ("<object><name>cat</name></object>", ["object 1 (cat)", "bndbox"]),
        (thing().replace("<name>cat</name>", ""), ["object 1", "name"]),
        (thing("nan"), ["xmin", "'nan'"]),
        (thing("x"), ["xmin", "'x'"]),
        (thing("9", "6"), ["xmin 9", "xmax 6"]),
        (thing(more="<difficult>2</difficult>"), ["difficult", "'2'"]),
        (thing(more="<truncated>maybe</truncated>"), ["truncated", "'maybe'"]),
    ],
)
def test_bad_object_is_named_or_skipped(tmp_path: Path, objects: str, words: list[str]) -> None:
    path = folder(tmp_path, objects, thing())
    with pytest.raises(mc.FormatError) as caught:
        first(path)
    assert "Annotations/a.xml" in str(caught.value)
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, "voc", on_error="skip").load()
    assert len(lenient.items[0].annotations) == 1
    assert sum(loss.count for loss in lenient.report if loss.action == "unread") == 1


@pytest.mark.parametrize("word", ["true", "yes", "1.0", "", "False", "no"])
def test_words_for_flags_are_taken_by_a_lenient_reader(tmp_path: Path, word: str) -> None:
    path = folder(tmp_path, thing(more=f"<occluded>{word}</occluded>"))
    with pytest.raises(mc.FormatError, match="occluded"):
        first(path)
    (box,) = first(path, on_error="skip").annotations
    assert box.occluded == (word in ("true", "yes", "1.0"))


def test_root_and_damage(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / "Annotations/a.xml").write_text("<annotations/>")
    with pytest.raises(mc.FormatError, match="root element annotation"):
        first(path)
    (path / "Annotations/a.xml").write_text("<annotation><object></annotation>")
    with pytest.raises(mc.FormatError, match="well-formed"):
        first(path)
    assert list(mc.read(path, "voc", on_error="skip").items) == []


def test_label_beyond_the_table(tmp_path: Path) -> None:
    with pytest.raises(mc.FormatError, match="'cat' is not in the table"):
        first(folder(tmp_path, thing(), table="dog:::\n"))


def test_own_labels_without_a_table(tmp_path: Path) -> None:
    path = folder(tmp_path, thing().replace("cat", "helmet"))
    assert [c.name for c in mc.read(path).schema] == ["helmet"]


def test_lists(tmp_path: Path) -> None:
    lists = {
        "Main/my_set": "\ufeffa\r\n\r\nb\r\n# c\r\n", "Main/all": "a\nb\nd\n", "Main/cat_my_set": "a  1\nb  0\n",
        "Main/big cat_my_set": "a -1\nb  1\n", "Layout/my_set": 'a 1\n"b"\n', "Action/running_my_set": "a 1 -1\n",
    }  # fmt: skip
    path = folder(tmp_path / "in", thing(), lists=lists, table="cat:::\nbig cat:::\n")
    data = mc.read(path)
    assert [(item.subset, item.id) for item in data.items] == [("all", "d"), ("my_set", "a"), ("my_set", "b")]
    _, a, b = data.items
    assert [t.category_id for t in a.annotations if t.kind == "tag"] == [0]
    assert [t.category_id for t in b.annotations if t.kind == "tag"] == [1]
    assert b.extras["voc"]["difficult_classes"] == ["cat"]
    assert a.extras["voc"]["lists"] == {"Main": {"all": [], "my_set": []}, "Layout": {"my_set": [1]}}
    report = mc.write(data, tmp_path / "out", "voc", on_loss="ignore")
    assert [(loss.action, loss.field) for loss in report] == [("defaulted", "path")]
    assert_datasets_equal(data, mc.read(tmp_path / "out"), report, added={"voc"})
    written = {f"{p.parent.name}/{p.name}": p.read_text() for p in (tmp_path / "out/ImageSets").rglob("*.txt")}
    assert written["Main/cat_my_set.txt"] == "a  1\nb  0\n"
    assert sorted(written["Main/all.txt"].split()) == ["a", "b", "d"]
    assert written["Action/running_my_set.txt"] == "a 1 -1\n"


def test_object_number_beyond_the_objects(tmp_path: Path) -> None:
    path = folder(tmp_path, thing(), lists={"Main/train": "a\n", "Layout/train": "a 2\n"})
    with pytest.raises(mc.FormatError, match="object 2 of 1"):
        first(path)
    assert len(first(path, on_error="skip").annotations) == 1


def test_line_that_fits_no_form(tmp_path: Path) -> None:
    path = folder(tmp_path, thing(), lists={"Main/train": "a\nb c d e\n"})
    with pytest.raises(mc.FormatError, match="line 2"):
        mc.read(path)
    assert [item.id for item in mc.read(path, on_error="skip").items] == ["a"]


def test_image_in_no_list_is_kept_and_reported(tmp_path: Path) -> None:
    path = folder(tmp_path, thing(), lists={"Main/train": "b\n"})
    data = mc.read(path)
    assert [item.key for item in data.items] == [("train", "b"), ("default", "a")]
    assert ("defaulted", "item", "subset") in [(loss.action, loss.what, loss.field) for loss in data.report]


def test_loose_files(tmp_path: Path) -> None:
    path = folder(tmp_path / "in", thing())
    (tmp_path / "flat/deep").mkdir(parents=True)
    (path / "Annotations/a.xml").rename(tmp_path / "flat/deep/x.xml")
    assert mc.detect(tmp_path / "flat") == "voc"
    item = first(tmp_path / "flat")
    assert (item.id, item.path, len(item.annotations)) == ("deep/x", "a.jpg", 1)


def test_nested_root_and_two_data_sets(tmp_path: Path) -> None:
    folder(tmp_path / "VOCdevkit/VOC2012", thing())
    assert [item.id for item in mc.read(tmp_path).items] == ["a"]
    folder(tmp_path / "VOCdevkit/VOC2007", thing())
    with pytest.raises(mc.FormatError, match="several data sets"):
        mc.read(tmp_path, "voc")


def test_parts_of_others_and_attributes_are_reported(tmp_path: Path) -> None:
    schema = mc.LabelSchema([mc.Category(0, "person"), mc.Category(1, "head", parent="person")])
    owner = mc.Box(0, 0, 5, 5, category_id=0, id=4, attributes={"speed": 0.5, "name": "x", "score": 2.0})
    head = mc.Box(1, 1, 2, 2, category_id=1, id=5, parent_id=4)
    orphan = mc.Box(2, 2, 3, 3, category_id=1, id=6)
    data = mc.Dataset(schema, [mc.Item("a", "a.jpg", annotations=[owner, orphan, head])])
    report = mc.write(data, tmp_path / "out", "voc", on_loss="ignore")
    found = {(loss.action, loss.what, loss.field) for loss in report}
    assert ("dropped", "box", "") in found
    assert ("approximated", "box", "attributes.speed") in found
    assert ("approximated", "box", "attributes.score") not in found
    (item,) = mc.read(tmp_path / "out").items
    assert [(a.category_id, a.parent_id, a.attributes) for a in item.annotations] == [
        (1, None, {"speed": "0.5", "name": "x", "score": 2.0}), (2, 1, {}),
    ]  # fmt: skip


def test_elements_that_mean_nothing_to_us_survive(tmp_path: Path) -> None:
    head = "<owner><name>x</name></owner><path>C:\\foreign\\a.jpg</path>"
    more = "<pose>Left</pose><point><x>1</x><y>2</y></point><colour>red</colour>"
    path = folder(tmp_path / "in", thing(more=more), head=head)
    data = mc.read(path)
    mc.write(data, tmp_path / "out", "voc")
    back = mc.read(tmp_path / "out")
    assert [item.extras["voc"]["#elements"] for item in back.items] == [
        [["owner", [["name", "x"]]], ["path", "C:\\foreign\\a.jpg"]]
    ]
    (item,) = back.items
    own = item.annotations[0].extras["voc"]
    assert (own["pose"], own["point"], own["elements"]) == ("Left", [["x", "1"], ["y", "2"]], [["colour", "red"]])


def test_entities_and_document_types(tmp_path: Path) -> None:
    path = folder(tmp_path, thing())
    text = (path / "Annotations/a.xml").read_text()
    bomb = '<!DOCTYPE a [<!ENTITY x "xxxx">]>'
    for head, good in (("<!DOCTYPE annotation>", True), (bomb, False), ('<!DOCTYPE a PUBLIC "p" "u">', False)):
        (path / "Annotations/a.xml").write_text(head + text)
        if good:
            assert len(first(path).annotations) == 1
        else:
            with pytest.raises(mc.FormatError, match="DTD"):
                first(path, on_error="skip")


def test_class_list_of_a_label_beyond_the_table(tmp_path: Path) -> None:
    lists = {"Main/train": "a\n", "Main/dog_train": "a  1\n"}
    path = folder(tmp_path, thing(), lists=lists, table="cat:::\n")
    with pytest.raises(mc.FormatError, match="'dog' is not in the table"):
        first(path)
    assert [a.kind for a in first(path, on_error="skip").annotations] == ["box"]
