"""Streaming XML: what is read, what is refused, what is written."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.formats._shared.xmlio import Document, Element, parse
from maskcodec.formats._shared.xmlout import XmlWriter, escape, quoted

TEXT = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters=[*map(chr, range(32)), "￾", "￿"]))
ANY = st.text(st.sampled_from("ab&<>\"'\n\t\r \x7f\x85 é道\U0001f600]"), max_size=12)


def found(data: bytes) -> list[tuple[int, str, bytes, int]]:
    """Every element as ``scan`` tells it: depth, tag, its bytes, its line."""
    document, out = Document(data, "a.xml"), []
    begun = []
    document.scan(
        lambda depth, tag, attributes: begun.append((depth, tag)),
        lambda depth, tag, start, size, line: out.append((depth, tag, document.buffer[start : start + size], line)),
    )
    assert sorted(begun) == sorted((depth, tag) for depth, tag, _, _ in out)
    return out


def test_scan_tells_where_elements_are():
    data = b'<?xml version="1.0"?>\n<r>\n <a x="1>2"/><a/></r>\n'
    assert found(data) == [(1, "a", b'<a x="1>2"/>', 3), (1, "a", b"<a/>", 3), (0, "r", data[22:-1], 2)]
    data = b"<r><a>/></a><a ><a/></a></r>"
    assert [piece for _, _, piece, _ in found(data)[:3]] == [b"<a>/></a>", b"<a/>", b"<a ><a/></a>"]
    data = b"<r><a><a></a ></a><b/></r>"
    assert found(data) == [(2, "a", b"<a></a >", 1), (1, "a", b"<a><a></a ></a>", 1), (1, "b", b"<b/>", 1),
                           (0, "r", data, 1)]  # fmt: skip


@given(st.recursive(st.just(()), lambda child: st.lists(st.tuples(st.sampled_from(["a", "bb"]), child), max_size=4)),
       st.sampled_from(["", "\n", "é "]))  # fmt: skip
def test_every_piece_that_scan_finds_parses_alone(tree, filler):
    def build(nodes) -> str:
        return filler.join(f"<{tag}>{build(inner)}</{tag}>" if inner else f"<{tag}/>" for tag, inner in nodes)

    data = f"<r>{build(tree)}</r>".encode()

    def count(nodes) -> int:
        return sum(1 + count(inner) for _, inner in nodes)

    pieces = found(data)
    assert len(pieces) == count(tree) + 1
    for _, tag, piece, line in pieces:
        element = parse(piece, "a.xml", line)
        assert (element.tag, element.line) == (tag, line)


def test_pieces_across_blocks(monkeypatch):
    monkeypatch.setattr("maskcodec.formats._shared.xmlio._BLOCK", 3)
    data = "<r>é<a>道</a><b x='1'/></r>".encode()
    assert [piece for _, _, piece, _ in found(data)][:2] == ["<a>道</a>".encode(), b"<b x='1'/>"]


def test_mentions_across_blocks(monkeypatch):
    monkeypatch.setattr("maskcodec.formats._shared.xmlio._BLOCK", 1)
    document = Document(b"<r>" + b" " * 62 + b"<image/></r>", "a.xml")
    assert document.mentions("image")
    assert not document.mentions("imag")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"<r><a></r>", r"mismatched tag.*line 1, column 8"),
        (b"<r>\n<a", r"line 2"),
        (b'<!DOCTYPE r [<!ENTITY e "x">]><r>&e;</r>', "document type or entity declaration"),
        (b'<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd"><r/>', "document type"),
        (b"<r>&e;</r>", "undefined entity"),
        (b"<r>\xff</r>", "not well-formed"),
        (b"<a>" * 300 + b"</a>" * 300, "nested deeper than 256"),
        (b'<?xml version="1.0" encoding="utf-7"?><r/>', "encoding 'utf-7' is not supported"),
        (b'<?xml version="1.0" encoding="unicode_escape"?><r/>', "not supported"),
        (b'<?xml version="1.0" encoding="gbk"?><r>\xff\xff</r>', "not in its declared encoding"),
    ],
)
def test_refused(data, message):
    with pytest.raises(mc.FormatError, match=message) as caught:
        found(data)
    assert str(caught.value).startswith("a.xml: ")


def test_large_elements_are_refused(monkeypatch):
    monkeypatch.setattr("maskcodec.formats._shared.xmlio.MAX_ELEMENT", 10)
    with pytest.raises(mc.FormatError, match="line 2: element 'a' of 18 bytes, the limit is 10"):
        found(b"<r>\n<a>xxxxxxxxxxx</a></r>")


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16", "windows-1252", "utf-8-sig"])
@pytest.mark.parametrize("small", [0, 1 << 20])
def test_encodings(monkeypatch, encoding, small):
    monkeypatch.setattr("maskcodec.formats._shared._xmltext._SMALL", small)
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    data = f'<?xml version="1.0" encoding="{declared}"?>\n<r><a n="café"/></r>'.encode(encoding)
    pieces = found(data)
    assert parse(pieces[0][2], "a.xml").attributes == {"n": "café"}


def test_errors_of_a_piece_tell_the_line_of_the_file():
    with pytest.raises(mc.FormatError, match="line 41"):
        parse(b"<a>\n<b></a>", "a.xml", 40)


@given(ANY, ANY)
def test_what_is_written_parses_back(value, text):
    stream = io.BytesIO()
    out = XmlWriter(stream)
    out.start("r", [("v", value)])
    out.leaf("t", text)
    out.end()
    element = parse(stream.getvalue(), "a.xml")
    assert element.attributes == {"v": value}
    assert element.children[0].text == text


@given(TEXT)
def test_any_text_parses_back(text):
    element = parse(f"<r{quoted([('v', text)])}>{escape(text)}</r>".encode(), "a.xml")
    assert element.attributes["v"] == element.text == text


@pytest.mark.parametrize("text", ["\x00", "a\x0b", "\ud800", "\uffff"])
def test_what_xml_cannot_hold_is_refused(text):
    for write in (escape, lambda t: quoted([("v", t)])):
        with pytest.raises(mc.FormatError, match=r"U\+[0-9A-F]{4} .*cannot be written in XML"):
            write(text)


def test_layout():
    stream = io.BytesIO()
    out = XmlWriter(stream)
    out.start("r")
    out.start("a", [("x", "1")])
    out.leaf("b", "")
    out.end()
    out.end()
    assert stream.getvalue() == b'<r>\n  <a x="1">\n    <b></b>\n  </a>\n</r>\n'


def test_element_lookups():
    element = parse(b"<r><a><b> x </b></a><a/></r>", "a.xml")
    assert element.value("a", "b") == "x"
    assert element.value("a", "c") is None
    assert element.find("z", "b") is None
    assert len(list(element.all("a"))) == 2
    assert isinstance(element.find("a"), Element)
