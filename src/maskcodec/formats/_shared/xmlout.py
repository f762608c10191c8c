"""Writing XML: everything escaped so that it parses back equal, element by element, the same bytes in every run."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from maskcodec.errors import FormatError, shorten

__all__ = ["XmlWriter", "escape", "quoted"]

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TEXT = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_VALUE = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\n": "&#10;", "\t": "&#9;", "\r": "&#13;"}
)
_SPECIAL = re.compile('[&<>"\n\t\r\x00-\x1f\ud800-\udfff\ufffe\uffff]')


def _checked(text: str) -> str:
    found = _FORBIDDEN.search(text)
    if found:
        raise FormatError(f"the character U+{ord(found.group()):04X} of {shorten(text)} cannot be written in XML")
    return text


def escape(text: str) -> str:
    """Text as element content; parsing gives the same text back."""
    return _checked(text).translate(_TEXT) if _SPECIAL.search(text) else text


def quoted(pairs: Iterable[tuple[str, str]]) -> str:
    """Attributes for a start tag, each with a space before it.

    Example:
        >>> quoted([("a", 'x < "y"')])
        ' a="x &lt; &quot;y&quot;"'
    """
    return "".join(
        f' {name}="{_checked(text).translate(_VALUE) if _SPECIAL.search(text) else text}"' for name, text in pairs
    )


class XmlWriter:
    """Writes elements as they come, two spaces a level, every element closed by an end tag of its own."""

    def __init__(self, stream: Any, level: int = 0) -> None:
        self._stream, self._open = stream, [""] * level

    def start(self, tag: str, pairs: Iterable[tuple[str, str]] = ()) -> None:
        """Begin an element."""
        self.raw(f"{'  ' * len(self._open)}<{tag}{quoted(pairs)}>\n")
        self._open.append(tag)

    def end(self) -> None:
        """End the innermost element."""
        tag = self._open.pop()
        self.raw(f"{'  ' * len(self._open)}</{tag}>\n")

    def leaf(self, tag: str, text: str, pairs: Iterable[tuple[str, str]] = ()) -> None:
        """An element that holds text alone."""
        self.raw(f"{'  ' * len(self._open)}<{tag}{quoted(pairs)}>{escape(text)}</{tag}>\n")

    def raw(self, text: str) -> None:
        """Text that is XML already."""
        self._stream.write(text.encode("utf-8"))
