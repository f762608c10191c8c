"""Reading XML in bounded memory: elements are found first and parsed one by one.

The parser is expat. Refused, with file and line in the error: document types that declare anything, entity
declarations, text that is not in its declared encoding, nesting beyond 256, one element beyond 256 MiB. The first pass
(``Document.scan``) walks through the whole file and tells where elements begin and end; ``Document.parse`` makes a
small tree of one of them, so items can be loaded again and again, in any order, and a 1 GB file never becomes a tree.
Pages of the memory map are given back on the way. UTF-8 files are used in place, others are turned into UTF-8 first,
large ones in a temporary file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any
from xml.parsers import expat

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared._jsonscan import Buffer, let_go
from maskcodec.formats._shared._xmltext import in_utf8
from maskcodec.formats._shared.source import Source

__all__ = ["Document", "Element", "parse", "read"]

MAX_DEPTH = 256
MAX_ELEMENT = 256 << 20
_BLOCK = 1 << 20
_EMPTY = re.compile(rb"""<[^\s/>]+(\s+[^\s=]+\s*=\s*("[^"]*"|'[^']*'))*\s*/>""")


class Element:
    """One element: ``tag``, ``attributes``, ``children``, its own ``text``, the ``line`` it begins on."""

    __slots__ = ("attributes", "children", "line", "tag", "text")

    def __init__(self, tag: str, attributes: dict[str, str], line: int) -> None:
        self.tag, self.attributes, self.line = tag, attributes, line
        self.children: list[Element] = []
        self.text = ""

    def find(self, *path: str) -> Element | None:
        """The first descendant along a path of tags."""
        node: Element | None = self
        for tag in path:
            node = next((child for child in node.children if child.tag == tag), None) if node is not None else None
        return node

    def value(self, *path: str) -> str | None:
        """Text of a descendant without the blanks around it; None when there is no such element."""
        node = self.find(*path)
        return node.text.strip() if node is not None else None

    def all(self, tag: str) -> Iterator[Element]:
        """The children of a tag."""
        return (child for child in self.children if child.tag == tag)


def _parser(file: str) -> Any:
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True

    def refuse(*_: Any) -> None:
        text = f"line {parser.CurrentLineNumber}: document type or entity declaration (DTD), refused"
        raise FormatError(text, file=file, fatal=True)

    def begin(name: str, system: str | None, public: str | None, internal: int) -> None:
        if system is not None or public is not None or internal:
            refuse()  # a bare name declares nothing and is harmless

    parser.StartDoctypeDeclHandler = begin
    parser.EntityDeclHandler = refuse
    return parser


def _malformed(error: expat.ExpatError, file: str, line: int = 0) -> FormatError:
    reason = expat.ErrorString(error.code)
    return FormatError(f"not well-formed XML: {reason} (line {error.lineno + line}, column {error.offset})", file=file)


class Document:
    """One XML file.

    Args:
        buffer: bytes or memory map of the file; must outlive the document.
        file: name for errors.

    Raises:
        FormatError: the file is empty or in an encoding that is not supported.
    """

    def __init__(self, buffer: Buffer, file: str) -> None:
        self.file = file
        if not len(buffer):
            raise FormatError("the file is empty (line 1), expected an XML document", file=file)
        self.buffer = in_utf8(buffer, file)
        self._read = 0

    def scan(
        self, begin: Callable[[int, str, dict[str, str]], None], end: Callable[[int, str, int, int, int], None]
    ) -> None:
        """Walk through the whole file.

        Args:
            begin: called with depth (the root has 0), tag and attributes at the begin of each element.
            end: called with depth, tag, first byte, size in bytes and line at the end of each element.

        Raises:
            FormatError: not well-formed, or a limit of this module is passed; or whatever the callbacks raise.
        """
        parser, buffer = _parser(self.file), self.buffer
        starts: list[tuple[int, int]] = []
        newest = 0

        def on_start(tag: str, attributes: dict[str, str]) -> None:
            depth = len(starts)
            if depth >= MAX_DEPTH:
                text = f"line {parser.CurrentLineNumber}: elements nested deeper than {MAX_DEPTH} levels"
                raise FormatError(text, file=self.file)
            nonlocal newest
            newest = parser.CurrentByteIndex
            starts.append((newest, parser.CurrentLineNumber))
            begin(depth, tag, attributes)

        def on_end(tag: str) -> None:
            start, line = starts.pop()
            stop = parser.CurrentByteIndex
            # Of <a></a> expat gives the place of the end tag, of <a/> the place behind it.
            name = tag.encode()
            empty = start == newest and buffer[stop - 2 : stop] == b"/>" and _EMPTY.fullmatch(buffer, start, stop)
            if not empty and buffer[stop : stop + 2 + len(name)] == b"</" + name:
                stop = buffer.find(b">", stop) + 1
            if stop - start > MAX_ELEMENT and starts:
                text = f"line {line}: element {shorten(tag)} of {stop - start} bytes, the limit is {MAX_ELEMENT}"
                raise FormatError(text, file=self.file)
            end(len(starts), tag, start, stop - start, line)

        parser.StartElementHandler, parser.EndElementHandler = on_start, on_end
        try:
            for at in range(0, len(buffer), _BLOCK):
                parser.Parse(buffer[at : at + _BLOCK], False)
                if at % (64 * _BLOCK) == 0:
                    let_go(buffer)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise _malformed(error, self.file) from error
        finally:
            parser.StartElementHandler = parser.EndElementHandler = None  # break the reference cycle
            let_go(buffer)

    def mentions(self, tag: str) -> bool:
        """Whether a start tag seems to occur: a quick look at the bytes, comments included."""
        pattern, step = re.compile(rb"<%b[\s/>]" % tag.encode()), 64 * _BLOCK
        for at in range(0, len(self.buffer), step):
            found = pattern.search(self.buffer, at, at + step + 64)
            let_go(self.buffer)
            if found:
                return True
        return False

    def parse(self, start: int, size: int, line: int = 1) -> Element:
        """The tree of one element that ``scan`` found."""
        self._read += size + (64 << 10)  # a fault brings in the pages around it too
        if self._read > 64 << 20:
            self._read = 0
            let_go(self.buffer)
        return parse(self.buffer[start : start + size], self.file, line)


def read(source: Source, name: str) -> Element:
    """The tree of a whole small file."""
    data, file = source.read(name), source.display(name)
    if not data.strip():
        raise FormatError("the file is empty (line 1), expected an XML document", file=file)
    return parse(bytes(in_utf8(data, file)), file)


def parse(data: bytes, file: str, line: int = 1) -> Element:
    """The tree of a small piece of XML with one outermost element.

    Example:
        >>> parse(b'<a x="1"><b>t&amp;u</b></a>', "a.xml").value("b")
        't&u'
    """
    parser, root = _parser(file), Element("", {}, line)
    node, stack = root, list[Element]()

    def on_start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal node
        if len(stack) > MAX_DEPTH:
            raise FormatError(f"line {line}: elements nested deeper than {MAX_DEPTH} levels", file=file)
        child = Element(tag, attributes, line + parser.CurrentLineNumber - 1)
        node.children.append(child)
        stack.append(node)
        node = child

    def on_end(tag: str) -> None:
        nonlocal node
        node = stack.pop()

    def on_text(text: str) -> None:
        node.text += text

    parser.StartElementHandler, parser.EndElementHandler = on_start, on_end
    parser.CharacterDataHandler = on_text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise _malformed(error, file, line - 1) from error
    finally:
        parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None
    return root.children[0]
