"""The format arrow: nothing changes on the way, not even the type of a number; damage is refused by name."""

from __future__ import annotations

import dataclasses
import gc
import os
import pickle
import random
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.formats.arrow import open_packed, write
from maskcodec.formats.arrow.values import from_text, to_text
from maskcodec.masks import Rle
from maskcodec.model.annotations import PointMask, Polygon
from maskcodec.model.dataset import Track
from tests.formats.test_mutations import mutated
from tests.zoo import planar, spatial, zoo

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
FILES = ["parquet", "ipc"]
ENDS = {"parquet": ".parquet", "ipc": ".arrow"}
write_module = sys.modules[write.__module__]


def exactly(a: Any, b: Any) -> bool:
    """Equal down to types, signs of zero, order of keys, NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    if isinstance(a, dict):
        return list(a) == list(b) and all(exactly(x, y) for x, y in zip(a.items(), b.items(), strict=True))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(exactly(x, y) for x, y in zip(a, b, strict=True))
    if dataclasses.is_dataclass(a) and not isinstance(a, type):
        names = [f.name for f in dataclasses.fields(a) if f.name not in ("_ids", "report", "source", "media")]
        return all(exactly(getattr(a, name), getattr(b, name)) for name in names)
    return bool(a == b)


def same(a: mc.Dataset, b: mc.Dataset) -> None:
    one, two = list(a.items), list(b.items)
    for x, y in zip(one, two, strict=True):
        for p, q in zip(x.annotations, y.annotations, strict=True):
            assert exactly(p, q), f"{p!r} became {q!r}"
        assert exactly(x, y), f"{x!r} became {y!r}"
    for name in ("schema", "tracks", "links", "info", "extras"):
        assert exactly(getattr(a, name), getattr(b, name)), name


def hard() -> mc.Dataset:
    """Values that a careless format changes."""
    nan, inf = float("nan"), float("inf")
    odd = {
        "int": 2**70, "negative": -(2**63) - 1, "float": 0.1, "whole": 1.0, "one": 1, "yes": True, "none": None,
        "zero": -0.0, "nan": nan, "inf": -inf, "text": "道 \x00 \ud800", "list": [1, [2.0, (3,)]], "tuple": (1, "a"),
        "bytes": b"\xff\x00", "$": {"$": "tuple", "of": []}, "": {},
        "array": np.arange(6, dtype=">i2").reshape(2, 3), "bool array": np.array([True, False]),
        "empty array": np.zeros((0, 4), np.float32), "numpy": np.float32(0.1), "numpy int": np.int64(5),
        "keys": {1: "a", (2, 3): "b", None: "c", "1": "d"}, "rle": Rle.from_box((0, 0, 1, 1), (3, 3)),
    }  # fmt: skip
    odd["array"] = odd["array"].astype("i2")
    big = 2**53 + 1
    marks: list[Any] = [
        mc.Box(1, 2.0, big, -0.0, rotation=30, category_id=1, id=2**63, score=1, z_order=2.0, attributes=odd),
        mc.Box(nan, inf, -inf, 5e-324, category_id="1", id="7", group_id=7, track_id="t", parent_id=-(2**63)),
        mc.Box(1.0, 2.0, 3.0, 4.0, category_id=1.0, id=1.5, score=nan, z_order=2**60, origin="\udfff"),
        mc.Box(1.0, 2.0, 3.0, 4.0, category_id=True, id=True, score=True, extras={"a": odd, "#b": {"#c": [1]}}),
        mc.Box(1.0, 2.0, 3.0, 4.0, category_id=99, keyframe=1, outside=None),
        mc.Ellipse(1, 2, 3.5, 4, 0, category_id=1),
        Polygon([], category_id=1),
        Polygon([np.zeros((0, 2)), [[1, 2], [3, -0.0]]], category_id=1),
        Polygon([[[1, 2, 3]], [[nan, inf, 0]]], (True, False)),
        Polygon([[[1.0, 2.0]], [[1.0, 2.0, 3.0]]]),
        mc.Polyline(np.zeros((0, 3))),
        mc.Points(np.zeros((0, 2)), []),
        mc.Points([[1, 2]], [300]),
        mc.Skeleton([[1, 2, 3]], None),
        mc.Cuboid((1, 2.0, big), (1.0, nan, 3), 2, (0, 0.0, 0, 1)),
        mc.Cuboid([1, 2, 3], (1, 2, 3), 1.0),
        mc.Caption(""), mc.Caption("\ud83d"), mc.Tag(),
        PointMask([]), PointMask([2**62, -1, 0]),
        mc.Mask(Rle.from_counts([0], (0, 7))), mc.Mask(Rle.from_counts([0, 4], (2, 2))),
        mc.Mask(Rle.from_counts([0], (2**31, 0))),
    ]  # fmt: skip
    items = [
        mc.Item(2**64, "ü/\x7f.png", width=2**40, annotations=marks, attributes=odd, timestamp=5, status=""),
        mc.Item("2", None, frame=0, timestamp="2020", extras={"x": odd}),
        mc.Item(-1, "", timestamp=nan, sequence="", sensor="\ud800", subset=""),
        mc.Item((1, "tuple"), width=3.0, height=True, annotations=marks[:1], subset="\udc00"),
    ]
    categories = [
        mc.Category(1, "a", (1, 2, 3, 4, 5), "thing", "", [mc.AttributeSpec("x", default=(1,), values=[nan])], ["p"]),
        mc.Category("1", "a", (), skeleton=[(1, 2), (0, -1)], extras={"n": odd}),
        mc.Category(None, "\ud800", [1, 2], skeleton=[[1, 2]], keypoints=("a",)),
        mc.Category(1, "again", (2**40,)),
    ]
    schema = mc.LabelSchema(categories, [mc.AttributeSpec("w", children=[mc.AttributeSpec("c", extras={"e": odd})])],
                            [mc.TagGroup("g", ["t"], False, 2**70, {"e": odd})], "1")  # fmt: skip
    tracks = {7: Track(7, 1, odd), ("s", None, 1, "x"): Track("x", "1", extras={"e": odd}), "7": Track("7")}
    links = [mc.Link(("s", 1), ("t", (2.0,)), odd), mc.Link(1, "1", extras={"e": odd})]
    return mc.Dataset(schema, items, tracks, links, {"a": odd, **odd}, {"e": odd})


@pytest.mark.parametrize("make", [zoo, hard, mc.Dataset], ids=["zoo", "hard", "empty"])
@pytest.mark.parametrize("file", FILES)
def test_nothing_changes(make: Any, file: str, tmp_path: Path) -> None:
    assert not mc.plan(make(), "arrow", file=file).total
    for name in ("out", "out.zip"):
        assert not mc.write(make(), tmp_path / name, "arrow", file=file).total
        assert mc.detect(tmp_path / name) == "arrow"
        back = mc.read(tmp_path / name)
        same(make(), back)
        assert not back.report.total
    same(make(), mc.read((tmp_path / "out.zip").read_bytes()))


@pytest.mark.parametrize("make", [zoo, hard, mc.Dataset], ids=["zoo", "hard", "empty"])
def test_nothing_changes_in_memory(make: Any) -> None:
    tables = make().to_arrow()
    assert not tables.report.total
    same(make(), mc.Dataset.from_arrow(tables))


@pytest.mark.parametrize("file", FILES)
def test_samples_of_every_kind_across_batches(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_module, "_ROWS", 5)
    items = []
    for at in range(37):
        marks = planar()[at % 7 : at % 7 + at % 4] if at % 3 else spatial()[: at % 5]
        items.append(mc.Item(at, f"{at}.png", width=20, height=12, annotations=marks, subset=f"s{at % 2}"))
    source = mc.Dataset(zoo().schema, items)
    mc.write(source, tmp_path / "out", "arrow", file=file)
    if file == "ipc":
        assert pa.ipc.open_file(tmp_path / "out/annotations.arrow").num_record_batches > 5
    back = mc.read(tmp_path / "out")
    same(source, back)
    for at in (36, 0, 17, 3, 3, 35):  # in any order
        assert exactly(back.items[at], items[at])
    packed = open_packed(tmp_path / "out")
    assert len(packed) == 37
    assert packed.rows_total == sum(len(item.annotations) for item in items)
    for at in (36, 5, 0):
        rows = packed.rows(at)
        assert packed.kinds(rows) == [a.kind for a in items[at].annotations]
        assert exactly(packed.item(at), items[at])
    # A range over several batches
    whole = range(packed.rows_total)
    assert packed.kinds(whole) == [a.kind for item in items for a in item.annotations]
    masks = [a.rle if a.kind == "mask" else None for item in items for a in item.annotations]
    assert [packed.masks(whole)[i] for i in whole] == masks


def test_items_are_written_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_module, "_ROWS", 50)
    alive: list[int] = []

    class Marked(mc.Box):
        __slots__ = ("__weakref__",)

    def load(at: int) -> mc.Item:
        if at % 100 == 0:
            gc.collect()
            alive.append(sum(isinstance(o, Marked) for o in gc.get_objects()))
        return mc.Item(at, f"{at}.png", annotations=[Marked(1.0, 2.0, 3.0, 4.0) for _ in range(5)])

    mc.write(mc.Dataset(items=mc.LazyItems(range(500), load)), tmp_path / "out", "arrow")
    assert max(alive) < 100


# --- values -----------------------------------------------------------------------------------------------------------

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=5)
    | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.lists(inner, max_size=4).map(tuple)
    | st.dictionaries(st.text(max_size=3) | st.integers() | st.just("$"), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(plain)
def test_values_come_back(value: Any) -> None:
    text = to_text(value)
    text.encode()
    assert exactly(from_text(text), value)


@pytest.mark.parametrize("text", ['{"$":"tuple"}', '{"$":"no"}', "[", "",
                                  '{"$":"array","type":"O","shape":[1],"of":""}',
                                  '{"$":"float","of":"1"}', '{"$":"bytes","of":"?"}', "[" * 10**5, '{"$":[]}',
                                  '{"$":"dict","of":[[[],1]]}', '{"$":"array","type":"<i4","shape":[9],"of":""}',
                                  '{"$":"rle","size":[1,1],"counts":"9"}'])  # fmt: skip
def test_damaged_values_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="."):
        from_text(text)


def test_what_no_text_holds_is_reported(tmp_path: Path) -> None:
    deep: Any = []
    for _ in range(400):
        deep = [deep]
    bad = {"object": object(), "deep": deep, "digits": 10**5000, "set": {1}, "good": 1}
    box = mc.Box(1, 2, 3, 4, attributes=bad, extras={"n": {**bad}})
    item = mc.Item("a", annotations=[box], attributes=bad)
    track = Track(1, attributes=bad)
    schema = mc.LabelSchema([mc.Category(1, "c", extras={"n": bad}, attributes=[mc.AttributeSpec("s", default={1})])])
    source = mc.Dataset(schema, [item], {1: track, object(): Track(2)}, [mc.Link(object(), 1)], bad)
    plan = mc.plan(source, "arrow")
    assert plan == mc.write(source, tmp_path / "out", "arrow", on_loss="ignore")
    assert {(loss.what, loss.field) for loss in plan} >= {
        ("box", "attributes.object"), ("box", "attributes.deep"), ("box", "extras.n.set"),
        ("item", "attributes.digits"), ("track", "attributes.set"), ("track", ""), ("link", ""),
        ("dataset", "info.object"), ("category", "extras.n.object"), ("category", "attributes.s"),
    }  # fmt: skip
    assert all(loss.action == "dropped" for loss in plan)
    back = mc.read(tmp_path / "out")
    (again,) = back.items
    assert again.annotations[0].attributes == {"good": 1}
    assert again.annotations[0].extras == {"n": {"good": 1}}
    assert back.info == {"good": 1}
    with pytest.raises(TypeError, match="no option"):
        mc.write(source, tmp_path / "two", "arrow", compression="no")
    with pytest.raises(ValueError, match='"parquet" or "ipc"'):
        mc.write(source, tmp_path / "two", "arrow", file="csv")
    assert bytes_of(source) is None


def bytes_of(source: mc.Dataset) -> None:
    """An input that was refused in part is as it was."""
    assert set(source.items[0].attributes) == {"object", "deep", "digits", "set", "good"}


# --- tables in other hands --------------------------------------------------------------------------------------------


def test_tables_through_an_engine() -> None:
    pl = pytest.importorskip("polars")
    tables = zoo().to_arrow()
    names = ("items", "annotations", "categories", "tracks", "links")
    moved = dataclasses.replace(tables, **{name: pl.DataFrame(getattr(tables, name)) for name in names})
    same(zoo(), mc.Dataset.from_arrow(moved))
    boxes = dataclasses.replace(moved, annotations=moved.annotations.filter(pl.col("kind") == "box"))
    kept = mc.Dataset.from_arrow(boxes).load()
    counts = [sum(a.kind == "box" for a in i.annotations) for i in zoo().items]
    assert [len(i.annotations) for i in kept.items] == counts
    shuffled = dataclasses.replace(moved, annotations=moved.annotations.reverse())
    with pytest.raises(mc.FormatError, match="in the order of their items"):
        mc.Dataset.from_arrow(shuffled)
    with pytest.raises(mc.FormatError, match="take it out"):
        mc.Dataset.from_arrow(dataclasses.replace(moved, annotations=moved.annotations.with_columns(mine=1)))
    with pytest.raises(mc.FormatError, match="required column is missing"):
        mc.Dataset.from_arrow(dataclasses.replace(moved, annotations=moved.annotations.drop("kind")))


def test_a_file_that_an_engine_wrote(tmp_path: Path) -> None:
    pl = pytest.importorskip("polars")
    mc.write(zoo(), tmp_path / "out", "arrow")
    path = tmp_path / "out/annotations.parquet"
    table = pl.DataFrame(pq.read_table(path))  # types of its own: large lists and texts
    table.with_columns(area=pl.lit(1.0)).write_parquet(path, row_group_size=7)
    back = mc.read(tmp_path / "out", on_loss="ignore")
    same(zoo(), back)
    assert [(loss.action, loss.field) for loss in back.report] == [("unread", "area")]


# --- damage -----------------------------------------------------------------------------------------------------------


def edited(folder: Path, table: str, **columns: Any) -> None:
    """Replace cells: column = {row: value}."""
    path = folder / f"{table}.parquet"
    old = pq.read_table(path)
    for name, changes in columns.items():
        at = old.schema.get_field_index(name)
        values = old.column(name).to_pylist()
        for row, value in changes.items():
            values[row] = value
        old = old.set_column(at, old.schema.field(at), pa.array(values, old.schema.field(at).type))
    pq.write_table(old, path)


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"mask": {6: {"height": 12, "width": 20, "counts": b"!"}}}, r"annotations\[6\]: mask: .*"),
        ({"mask": {6: {"height": -1, "width": 20, "counts": b"0"}}}, r"annotations\[6\]: mask: height"),
        ({"mask": {6: None}}, r"annotations\[6\]: mask: expected a mask, got null"),
        ({"kind": {6: "blob"}}, r"annotations\[6\]: kind: expected one of tag, .* got 'blob'"),
        ({"kind": {6: None}}, r"annotations\[6\]: kind: "),
        ({"item": {6: 1}}, r"annotations\[6\]: item: expected 0"),
        ({"category": {6: 3}}, r"annotations\[6\]: category: .*below 3, got 3"),
        ({"category": {6: None}}, r"annotations\[6\]: category: "),
        ({"attributes": {6: "{"}}, r"annotations\[6\]: attributes: expected JSON"),
        ({"attributes": {6: "[1]"}}, r"annotations\[6\]: attributes: expected an object"),
        ({"extras": {6: '{"a":1}'}}, r"annotations\[6\]: extras: expected an object in 'a'"),
        ({"rest": {6: '{"nose":1}'}}, r"annotations\[6\]: rest: unknown field 'nose'"),
        ({"whole": {6: 1 << 30}}, r"annotations\[6\]: whole: "),
        ({"whole": {6: 1 << 17}, "score": {6: 0.5}}, r"annotations\[6\]: score: marked as an integer, got 0.5"),
        ({"outside": {6: None}}, r"annotations\[6\]: outside: "),
        ({"id": {6: 1}, "id_text": {6: "a"}}, r"annotations\[6\]: id: both"),
        ({"kind": {6: "polygon"}, "rings": {6: [[1.0, 2.0, 3.0]]}, "dims": {6: 2}}, r"annotations\[6\]: rings: "),
        ({"kind": {6: "polyline"}, "rings": {6: [[1.0, 2.0]] * 2}, "dims": {6: 2}}, r"annotations\[6\]: rings: "),
        ({"kind": {6: "cuboid"}, "numbers": {6: [1.0]}}, r"annotations\[6\]: numbers: expected 7 or 11"),
        ({"kind": {6: "ellipse"}, "numbers": {6: [1.0]}}, r"annotations\[6\]: numbers: expected 4"),
        ({"kind": {6: "cuboid2d"}, "rings": {6: [[1.0, 2.0]]}, "dims": {6: 2}}, r"annotations\[6\]: .*8 points"),
        ({"kind": {6: "polygon"}, "rings": {6: [None]}, "dims": {6: 2}}, r"annotations\[6\]: rings: .*null"),
        ({"kind": {6: "polygon"}, "rings": {6: [[1.0, None]]}, "dims": {6: 2}}, r"annotations\[6\]: rings: .*null"),
        ({"kind": {6: "polygon"}, "rings": {6: None}}, r"annotations\[6\]: rings: "),
        ({"kind": {6: "pointmask"}, "indices": {6: [1, None]}}, r"annotations\[6\]: indices: .*null"),
        ({"kind": {6: "pointmask"}, "indices": {6: None}}, r"annotations\[6\]: indices: .*null"),
        ({"kind": {6: "box"}, "box": {6: [1.0, 2.0, None, 3.0]}}, r"annotations\[6\]: box: .*null"),
        ({"kind": {6: "points"}, "visibility": {6: [None]}, "rings": {6: [[1.0, 2.0]]}, "dims": {6: 2}},
         r"annotations\[6\]: damaged"),
        ({"kind": {6: "caption"}}, r"annotations\[6\]: text: "),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_and_skipped(columns: Any, text: str, tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "out", "arrow")
    edited(tmp_path / "out", "annotations", **columns)
    with pytest.raises(mc.FormatError, match=rf"annotations\.parquet: {text}"):
        mc.read(tmp_path / "out").load()
    back = mc.read(tmp_path / "out", on_error="skip", on_loss="ignore").load()
    assert back.report.total == 1
    expected = zoo()
    del expected.items[0].annotations[6]
    same(expected, back)


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"id": {1: None}, "id_text": {1: None}}, "id: expected a number or a text"),
        ({"subset": {1: None}}, "subset: expected a text"),
        ({"first": {1: 100}}, "first: expected rows of the 29 annotations, got 100 and 2"),
        ({"first": {1: None}}, "first: "),
        ({"attributes": {1: "x"}}, "attributes: expected JSON"),
    ],
)
def test_a_bad_item_is_named_and_skipped(columns: Any, text: str, tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "out", "arrow")
    edited(tmp_path / "out", "items", **columns)
    with pytest.raises(mc.FormatError, match=rf"items\.parquet: items\[1\]: {text}"):
        mc.read(tmp_path / "out").load()
    back = mc.read(tmp_path / "out", on_error="skip", on_loss="ignore").load()
    assert back.report.total == 1
    expected = zoo()
    del expected.items[1]
    same(expected, back)


def test_rows_that_no_item_has(tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "out", "arrow")
    edited(tmp_path / "out", "items", count={0: 17})
    with pytest.raises(mc.FormatError, match="the items list 28 annotations, their table has 29"):
        mc.read(tmp_path / "out")
    back = mc.read(tmp_path / "out", on_error="skip", on_loss="ignore").load()
    assert back.report.total == 1
    assert len(back.items[0].annotations) == 17


@pytest.mark.parametrize("file", FILES)
def test_damaged_files(file: str, tmp_path: Path) -> None:
    source, end = tmp_path / "out", ENDS[file]
    mc.write(zoo(), source, "arrow", file=file)

    def copy(name: str) -> Path:
        shutil.copytree(source, tmp_path / name)
        return tmp_path / name

    for table in ("annotations", "tracks", "categories"):
        gone = copy(f"no {table}")
        (gone / f"{table}{end}").unlink()
        with pytest.raises(mc.FormatError, match=rf"{table}\{end}: this table is missing"):
            mc.read(gone)
        with pytest.raises(mc.FormatError):
            mc.read(gone, on_error="skip")
    cut = copy("cut")
    data = (cut / f"annotations{end}").read_bytes()
    (cut / f"annotations{end}").write_bytes(data[:-40])
    with pytest.raises(mc.FormatError, match=rf"annotations\{end}: damaged"):
        mc.read(cut)
    with pytest.raises(mc.FormatError, match="annotations"):
        open_packed(cut)
    (cut / f"items{end}").write_bytes(b"")
    with pytest.raises(mc.UnknownFormatError, match="is cut"):
        mc.detect(cut)
    with pytest.raises(mc.FormatError, match="expected a folder with"):
        open_packed(tmp_path)


def rewritten(path: Path, change: Any) -> None:
    pq.write_table(change(pq.read_table(path)), path)


def test_other_schemas(tmp_path: Path) -> None:
    def attempt(table: str, change: Any, text: str) -> None:
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        mc.write(zoo(), tmp_path / "out", "arrow")
        rewritten(tmp_path / "out" / f"{table}.parquet", change)
        with pytest.raises(mc.FormatError, match=text):
            mc.read(tmp_path / "out", "arrow").load()

    attempt("annotations", lambda t: t.drop_columns(["kind"]), "kind: required column is missing")
    for column in ("box", "mask"):
        at = zoo().to_arrow().annotations.schema.get_field_index(column)
        text = f"{column}: expected (fixed|struct)"
        attempt("annotations", lambda t, at=at, name=column: t.set_column(at, name, t["kind"]), text)
    attempt("annotations", lambda t: t.append_column("kind", t["kind"]), "two columns have this name|damaged")
    attempt("items", lambda t: t.replace_schema_metadata({}), "expected tables of version 1")
    newer = {b"maskcodec.table": b"items", b"maskcodec.version": b"2"}
    attempt("items", lambda t: t.replace_schema_metadata({**t.schema.metadata, **newer}), "got 2")
    for text in ("", "[]", '{"info":"["}', '{"attributes":"[1]"}', '{"tag_groups":"[{\\"nose\\":1}]"}'):
        head = {b"maskcodec.dataset": text.encode()}
        wrong = "metadata of the data set"
        attempt("items", lambda t, h=head: t.replace_schema_metadata({**t.schema.metadata, **h}), wrong)
    nameless = pa.nulls(3, pa.string())
    attempt("categories", lambda t: t.set_column(2, t.schema.field(2), nameless), r"categories\[0\]: name")


def test_bad_tracks_and_links_are_skipped(tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "out", "arrow")
    edited(tmp_path / "out", "tracks", key={0: "{"})
    edited(tmp_path / "out", "links", target={0: "}"})
    with pytest.raises(mc.FormatError, match=r"tracks\[0\]: key"):
        mc.read(tmp_path / "out")
    back = mc.read(tmp_path / "out", on_error="skip", on_loss="ignore")
    assert list(back.tracks) == [6]
    assert back.links == []
    assert back.report.total == 2


def test_damaged_mapped_files_are_refused_or_read(tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "out", "arrow", file="ipc")
    rng, refused = random.Random(3), 0
    for _ in range(300):
        name = rng.choice(["annotations.arrow", "items.arrow", "annotations.arrow", "categories.arrow"])
        path = tmp_path / "out" / name
        data = path.read_bytes()
        path.write_bytes(mutated(data, rng))
        for attempt in (lambda: mc.read(tmp_path / "out", "arrow", on_error=rng.choice(["raise", "skip"]),
                                        on_loss="ignore").load(), lambda: look(tmp_path / "out")):  # fmt: skip
            try:
                attempt()
            except (mc.Error, ValueError):
                refused += 1
        path.write_bytes(data)
    assert refused > 50


def look(folder: Path) -> None:
    """All that a loader reads of a file."""
    packed = open_packed(folder)
    for at in range(len(packed)):
        rows = packed.rows(at)
        packed.category(rows).sum(), packed.box(rows).sum()  # noqa: B018
        packed.masks(rows).to_array("empty")


# --- packed -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES)
def test_packed_columns(file: str, tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "out", "arrow", file=file)
    packed = open_packed(tmp_path / "out")
    assert packed.kind == file
    assert [c.name for c in packed.schema] == [c.name for c in zoo().schema]
    for at, item in enumerate(zoo().items):
        rows = packed.rows(at)
        assert len(rows) == len(item.annotations)
        ids = [None if place < 0 else packed.schema.categories[place].id for place in packed.category(rows)]
        assert ids == [a.category_id for a in item.annotations]
        masks, boxes = packed.masks(rows), packed.box(rows)
        for i, one in enumerate(item.annotations):
            assert masks[i] == (one.rle if one.kind == "mask" else None)
            if one.kind == "box":
                assert boxes[i].tolist() == [one.x0, one.y0, one.x1, one.y1]
        assert exactly(packed.item(at), item)
    assert packed.items("width").to_pylist()[:2] == [20, 20]
    assert packed.box(range(0))[:].shape == (0, 4)
    with pytest.raises(IndexError):
        packed.rows(7)
    with pytest.raises(mc.FormatError, match="rows 0 to 30"):
        packed.kinds(range(30))
    again = pickle.loads(pickle.dumps(packed))
    assert again.path == packed.path
    assert "7 items, 29 annotations" in repr(again)


def test_boxes_are_extents(tmp_path: Path) -> None:
    from maskcodec.model.geometry import bounds

    mc.write(mc.Dataset(zoo().schema, [mc.Item("a", annotations=planar())]), tmp_path / "out", "arrow", file="ipc")
    packed = open_packed(tmp_path / "out")
    for one, box in zip(planar(), packed.box(packed.rows(0)).tolist(), strict=True):
        expected = None if isinstance(one, mc.Points) else bounds(one)
        if isinstance(one, mc.Cuboid2D):
            expected = (*one.points.min(axis=0), *one.points.max(axis=0))
        if one.variant == "rotated_box":
            expected = (one.x0, one.y0, one.x1, one.y1)
        assert np.allclose(box, expected or [np.nan] * 4, rtol=0, atol=1e-12, equal_nan=True), one


def test_mapped_columns_are_views(tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "out", "arrow", file="ipc")
    packed = open_packed(tmp_path / "out")
    rows = packed.rows(0)
    assert np.shares_memory(packed.category(rows), packed.category(range(5)))
    assert np.shares_memory(packed.box(rows), packed.box(range(5)))
    one, two = (pa.array(packed.masks(r)).field(2).buffers()[2].address for r in (rows, range(6, 7)))
    assert one == two
    assert not packed.category(rows).flags.writeable


@pytest.mark.skipif(sys.platform != "linux", reason="looks at the memory maps of Linux")
def test_opening_reads_footers_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    mask = Rle.from_mask(rng.random((200, 300)) < 0.5)  # 50 kB of counts
    items = [mc.Item(i, f"{i}.png", annotations=[mc.Mask(mask, category_id=3)] * 4) for i in range(200)]
    mc.write(mc.Dataset(zoo().schema, items), tmp_path / "out", "arrow", file="ipc")
    assert (tmp_path / "out/annotations.arrow").stat().st_size > 20e6
    times = []
    for _ in range(5):
        start = time.perf_counter()
        packed = open_packed(tmp_path / "out")
        times.append(time.perf_counter() - start)
    assert min(times) < 0.02
    private = before = private_pages()
    for at in range(200):
        packed.masks(packed.rows(at))
    private = private_pages() - before
    assert private < 5e6, "masks are not copied"


def private_pages() -> int:
    """Bytes of memory that only this process has and that no file holds."""
    text = Path("/proc/self/smaps_rollup").read_text()
    return sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Private_Dirty"))


# --- the rest ---------------------------------------------------------------------------------------------------------


def test_images_come_along_by_subset(tmp_path: Path) -> None:
    for subset in ("train", "val"):
        (tmp_path / "in" / subset).mkdir(parents=True)
        (tmp_path / "in" / subset / "a.png").write_bytes(subset.encode())

    class Files:
        def open_media(self, item: Any) -> Any:
            return open(tmp_path / "in" / item.subset / item.path, "rb")

    items = [mc.Item("a", "a.png", subset=subset) for subset in ("train", "val")]
    mc.write(mc.Dataset(items=items, media=Files()), tmp_path / "out.zip", "arrow", media="copy")
    back = mc.read(tmp_path / "out.zip")
    for item in back.items:
        with back.media.open_media(item) as stream:
            assert stream.read() == item.subset.encode()


def test_it_says_what_to_install(tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "out", "arrow")
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "import maskcodec as mc\n"
        "assert mc.detect(sys.argv[1]) == 'arrow'\n"
        "for attempt in (lambda: mc.read(sys.argv[1]), lambda: mc.plan(mc.Dataset(), 'arrow'),\n"
        "                lambda: mc.Dataset().to_arrow()):\n"
        "    try:\n        attempt()\n"
        "    except mc.FormatError as error:\n        assert 'maskcodec[arrow]' in str(error), error\n"
        "    else:\n        raise SystemExit(1)\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    subprocess.run([sys.executable, "-c", program, tmp_path / "out"], check=True, env=env)


def test_conversion_through_the_archive_keeps_coco(tmp_path: Path) -> None:
    mc.write(zoo(), tmp_path / "coco", "coco_instances", on_loss="ignore")
    assert not mc.convert(tmp_path / "coco", tmp_path / "archive", "arrow").total
    assert not mc.convert(tmp_path / "archive", tmp_path / "again", "coco_instances", on_loss="ignore").total
    for path in (tmp_path / "coco").rglob("*.json"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(tmp_path / "coco")).read_bytes()


def test_areas_as_masks(tmp_path):
    report = mc.write(zoo(), tmp_path / "out", "arrow", areas="masks", file="ipc", on_loss="ignore")
    assert {(loss.action, loss.what, loss.count) for loss in report} == {
        ("approximated", kind, count)
        for kind, count in (("polygon", 1), ("multipart_polygon", 1), ("holed_polygon", 1), ("ellipse", 1))
    }
    back = mc.read(tmp_path / "out")
    before = [a for item in zoo().items for a in item.annotations]
    after = [a for item in back.items for a in item.annotations]
    for a, b in zip(before, after, strict=True):
        assert a.id == b.id
        assert b.kind == ("mask" if a.kind in ("polygon", "ellipse") and a.variant != "polygon3d" else a.kind)
    with pytest.raises(ValueError, match="areas"):
        mc.write(zoo(), tmp_path / "x", "arrow", areas="all")


def test_the_sign_of_nan_comes_back(tmp_path):
    import math

    values = [math.copysign(math.nan, sign) for sign in (1, -1)]
    item = mc.Item("a", extras={"own": {"values": values}})
    mc.write(mc.Dataset(items=[item]), tmp_path / "out", "arrow", on_loss="raise")
    (back,) = mc.read(tmp_path / "out").items
    found = back.extras["own"]["values"]
    assert all(map(math.isnan, found))
    assert [math.copysign(1, value) for value in found] == [1, -1]
