"""Strict JSON, against the standard library's parser."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskcodec.errors import FormatError
from maskcodec.formats._shared import jsonio
from maskcodec.formats._shared.jsonio import Document

texts = st.text(st.characters(codec="utf-8"), max_size=6)
scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
layouts = st.sampled_from([{}, {"indent": 1}, {"separators": (",", ":")}, {"ensure_ascii": False}])


@given(values, layouts)
def test_decode_equals_the_standard_library(value, layout):
    text = json.dumps(value, **layout)
    assert jsonio.decode(text.encode()) == json.loads(text)


@given(st.dictionaries(texts, values, max_size=5), layouts)
def test_document_finds_every_value(value, layout):
    data = json.dumps(value, **layout).encode()
    document = Document(data, "f")
    document.check()
    assert document.keys == list(value)
    assert {key: document.value(key) for key in value} == value
    assert {k: jsonio.decode(raw) for k, raw in jsonio.fields(data).items()} == value


@given(st.lists(values, max_size=6), layouts, st.sampled_from(["", "\n", " \t"]))
def test_records_are_the_elements(value, layout, space):
    data = (space + json.dumps({"a": value}, **layout) + space).encode()
    records = Document(data, "f").records("a")
    assert [jsonio.decode(records.raw(i)) for i in range(len(records))] == value
    assert Document(data, "f").peek("a", 2) == value[:2]


@given(values)
def test_encode_and_back(value):
    assert jsonio.decode(jsonio.encode(value)) == value


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)))
def test_numbers_parse_back_equal_and_integers_have_no_point(row):
    text = bytes(jsonio.numbers(row))
    back = json.loads(text)
    assert back == row
    assert b".0," not in text
    assert b".0]" not in text


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_nan_is_not_written(bad):
    for value in (bad, [1, bad], {"a": {"b": (bad,)}}):
        with pytest.raises(ValueError, match="NaN"):
            jsonio.encode(value)
    with pytest.raises(ValueError, match="NaN"):
        jsonio.numbers([bad])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", "JSON"), (b"{", "JSON"), (b"NaN", "JSON"), (b"[Infinity]", "JSON"), (b'{"a":1,"a":2}', "'a' twice"),
        (b'{"x":{"a":1,"b":"\\"","a":2}}', "'a' twice"), (b'[{"a":{}}, {"\\u0061":1,"a":2}]', "'a' twice"),
        (b"[18446744073709551616]", "64 bits"), (b"-9223372036854775809", "64 bits"), (b'"\\ud800"', "surrogate"),
        (b'"\xff"', "UTF-8"), (b"[" * 300 + b"]" * 300, "256"), (b"[" * 50_000, "256"), (b"[1] 2", "JSON"),
    ],
)  # fmt: skip
def test_refused(text, says):
    with pytest.raises(FormatError, match="f: r: x") as caught:
        jsonio.decode(text, file="f", record="r", field="x")
    assert says in str(caught.value)
    assert len(str(caught.value)) < 300


def test_depth_of_256_is_fine_and_brackets_in_texts_do_not_count():
    jsonio.decode(b"[" * 256 + b"]" * 256)
    assert jsonio.decode(b'["' + b"[{" * 500 + b'"]') == ["[{" * 500]


def test_repeated_key_counts_last_when_allowed():
    heard = []
    assert jsonio.decode(b'{"a":1,"a":2}', repeat=heard.append) == {"a": 2}
    assert {k: bytes(v) for k, v in jsonio.fields(b'{"a":1, "a":2}', repeat=heard.append).items()} == {"a": b"2"}
    assert len(heard) == 2


def test_damage_in_one_record_leaves_the_others():
    document = Document(b'{"a": [{"x":1}, {"x":NaN}, {"y":"]},"}], "b": 2}', "f")
    document.check()
    records = document.records("a")
    assert [records.raw(i) for i in range(3)] == [b'{"x":1}', b'{"x":NaN}', b'{"y":"]},"}']
    with pytest.raises(FormatError, match=r"f: a\[1\]: x"):
        jsonio.fields(records.raw(1), file="f", record=records.name(1))


@pytest.mark.parametrize(
    ("data", "says"),
    [(b'{"a": [1, 2', "truncated"), (b'{"a": 1} x', "extra data"), (b'{"a" 1}', "colon"), (b'{"a": [1}', "unexpected")],
)
def test_damaged_document_says_where(data, says):
    with pytest.raises(FormatError, match=r"line 1, column \d+, offset \d+") as caught:
        Document(data, "f").check()
    assert says in str(caught.value)


def test_utf8_is_checked_across_chunks(monkeypatch):
    monkeypatch.setattr("maskcodec.formats._shared._jsonscan._CHUNK", 4)
    Document('["äöü€😀"]'.encode(), "f").check()
    with pytest.raises(FormatError, match="offset 8"):
        Document('["äöü'.encode() + b"\xff" + b'"]', "f")


def test_byte_order_mark_is_skipped():
    assert Document(b'\xef\xbb\xbf{"a":1}', "f").value("a") == 1


@pytest.mark.parametrize(
    "text",
    [
        b'{"a": [1, {"b": [2, "]"]}, [3, [4]], "x,]"], "c": {}, "d": [], "e": [[1, 2], [3]]}',
        b' [ {"a": 1}, {"b": [1, 2]} , 3 ] ',
        b"[]",
        b'{"a": [1, 2',
        b'{"a": [1 2]}',
        b'{"a": [1, 2]} x',
        b'{"a": [1, 2]]',
        b'{"a": [{"b": 1}, {"b": }]}',
        b'{"a": [1,, 2]}',
        b'{"a": [1, 2,]}',
        b'{"a": [,1]}',
        b'{"a": [,]}',
    ],
)
def test_large_documents_are_outlined_like_small_ones(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    def outline() -> object:
        document = jsonio.Document(text, "f.json")
        if document.broken is not None:
            return "refused"
        try:
            return records(document)
        except FormatError:
            return "refused"

    def records(document: Document) -> object:
        return {key: [bytes(r) for r in document.records(key)] if document.type_of(key) == "an array" else None
                for key in document.keys or [""]}  # fmt: skip

    small = outline()
    monkeypatch.setattr("maskcodec.formats._shared._jsonscan.LARGE", 1)
    assert outline() == small


@pytest.mark.parametrize("text", [b"[1,,2]", b"[1,]", b"[,1]", b"[,]"])
def test_commas_stand_between_records_only(text: bytes) -> None:
    with pytest.raises(FormatError, match="comma"):
        Document(text, "f.json").records()
