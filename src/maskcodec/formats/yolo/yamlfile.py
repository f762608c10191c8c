"""The part of YAML that occurs in ``data.yaml``: maps and lists in blocks and in brackets, plain and quoted texts.

Every scalar is a text: ``yes``, ``1`` and ``null`` are names of classes here, not values. What goes beyond is left to
PyYAML (extra ``yaml``).
"""

from __future__ import annotations

import json
import re
from typing import Any

from maskcodec.errors import FormatError, shorten

__all__ = ["parse_yaml", "top_level", "yaml_text"]

_QUOTED = r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'"""
_KEY = re.compile(_QUOTED + r"""|[^\s#&*!|>%@`"'\[\]{},?:-](?:[^:#]|:(?=\S)|(?<=\S)#)*?)\s*:(?:\s+(.*))?$""")
_ITEM = re.compile(r"-(?:\s+(.*))?$")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_ .+-]*[A-Za-z0-9_]|[A-Za-z_]")
_WORDS = {"y", "n", "yes", "no", "true", "false", "on", "off", "null", "none", "nan", "inf"}


class _Beyond(Exception):
    """Something that this reader does not know."""


def parse_yaml(text: str, file: str) -> dict[str, Any]:
    """The top-level map of a file, with texts, lists and maps in it.

    Raises:
        FormatError: not YAML, no map, or beyond this reader and PyYAML is not installed.
    """
    value: Any
    try:
        value = _Parser(text).document()
    except _Beyond as beyond:
        try:
            import yaml  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            hint = f"{beyond}; install maskcodec[yaml] to read such files"
            raise FormatError(hint, file=file) from None
        try:
            value = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - makes texts, lists and dicts alone
        except yaml.YAMLError as error:
            raise FormatError(f"not valid YAML: {error}", file=file) from error
    if not isinstance(value, dict):
        raise FormatError(f"expected keys with values, got {shorten(value)}", file=file)
    return value


def yaml_text(name: str) -> str:
    """A text as a YAML scalar that every reader takes for the same text."""
    plain = _PLAIN.fullmatch(name) and name.casefold() not in _WORDS
    return name if plain else json.dumps(name, ensure_ascii=False)


def top_level(text: str) -> dict[str, str]:
    """The lines of every top-level key, as they stand."""
    out: dict[str, str] = {}
    key = ""
    for line in text.splitlines():
        found = _KEY.match(line)
        if found and not line[:1].isspace():
            key = _scalar(found.group(1))
            out[key] = line + "\n"
        elif key and line.strip() and not line.startswith("#"):
            out[key] += line + "\n"
    return out


def _scalar(text: str) -> str:
    if text.startswith("'"):
        if len(text) < 2 or not text.endswith("'"):
            raise _Beyond(f"a quote that is not closed: {shorten(text)}")
        return text[1:-1].replace("''", "'")
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            raise _Beyond(f"a quoted text that is not understood: {shorten(text)}") from None
    if text[:1] in tuple("&*!%@`|>"):
        raise _Beyond(f"an anchor, tag or directive: {shorten(text)}")
    return text


def _bare(line: str) -> str:
    """A line without its comment."""
    quote, skip = "", False
    for at, char in enumerate(line):
        if skip:
            skip = False
        elif quote:
            skip = (char, line[at + 1 : at + 2]) == ("'", quote) or (char, quote) == ("\\", '"')
            quote = "" if char == quote and not skip else quote
        elif char in "\"'" and (at == 0 or line[at - 1] in " \t[{,:-"):
            quote = char
        elif char == "#" and (at == 0 or line[at - 1] in " \t"):
            return line[:at].rstrip()
    return line.rstrip()


class _Parser:
    def __init__(self, text: str) -> None:
        self.lines: list[tuple[int, str]] = []
        self.raw = text.lstrip("\ufeff").splitlines()
        for number, line in enumerate(self.raw):
            bare = _bare(line)
            if bare.strip() and bare not in ("---", "..."):
                if "\t" in bare[: len(bare) - len(bare.lstrip())]:
                    raise _Beyond(f"a tab before the text of line {number + 1}")
                self.lines.append((number, bare))
        self.at = 0

    def document(self) -> Any:
        value = self._block(0) if self.lines else {}
        if self.at < len(self.lines):
            raise _Beyond(f"line {self.lines[self.at][0] + 1} does not fit its indentation")
        return value

    def _indent(self) -> int:
        if self.at >= len(self.lines):
            return -1
        line = self.lines[self.at][1]
        return len(line) - len(line.lstrip())

    def _block(self, least: int) -> Any:
        indent = self._indent()
        if indent < least:
            return ""
        if _ITEM.match(self.lines[self.at][1].strip()):
            out = []
            while self._indent() == indent and (found := _ITEM.match(self.lines[self.at][1].strip())):
                out.append(self._value(found.group(1), indent))
            return out
        made: dict[str, Any] = {}
        while self._indent() == indent:
            number, line = self.lines[self.at]
            found = _KEY.match(line.strip())
            if not found:
                raise _Beyond(f"line {number + 1} is neither a key nor an entry of a list: {shorten(line)}")
            key = _scalar(found.group(1))
            if key in made:
                raise _Beyond(f"line {number + 1}: key {shorten(key)} twice")
            made[key] = self._value(found.group(2), indent, key=True)
        return made

    def _value(self, text: str | None, indent: int, key: bool = False) -> Any:
        """What stands behind a key or a dash, on the same line or below it."""
        self.at += 1
        text = (text or "").strip()
        if not text:
            below = self._indent()
            listed = key and below == indent and _ITEM.match(self.lines[self.at][1].strip())
            return self._block(indent if listed else indent + 1)
        if text[0] in "|>":
            return self._literal(indent)
        if text[0] in "[{":
            while text.count("[") + text.count("{") > text.count("]") + text.count("}") and self.at < len(self.lines):
                text += " " + self.lines[self.at][1].strip()
                self.at += 1
            value, rest = _flow(text)
            if rest.strip():
                raise _Beyond(f"text behind a bracket: {shorten(rest)}")
            return value
        if not key and _KEY.match(text):
            raise _Beyond("a map inside of a list")
        return _scalar(text)

    def _literal(self, indent: int) -> str:
        rows = []
        while self._indent() > indent:
            rows.append(self.lines[self.at][1].strip())
            self.at += 1
        return "\n".join(rows) + "\n"


def _flow(text: str) -> tuple[Any, str]:
    """The value at the beginning of a text in brackets, and what follows it."""
    text = text.lstrip()
    if text[:1] in ("[", "{"):
        closing = "]" if text[0] == "[" else "}"
        values: list[Any] = []
        made: dict[str, Any] = {}
        rest = text[1:].lstrip()
        while rest[:1] != closing:
            if not rest:
                raise _Beyond("a bracket that is not closed")
            value, rest = _flow(rest)
            rest = rest.lstrip()
            if closing == "}":
                if not rest.startswith(":"):
                    raise _Beyond(f"expected a colon, got {shorten(rest)}")
                made[str(value)], rest = _flow(rest[1:])
                rest = rest.lstrip()
            else:
                values.append(value)
            if rest.startswith(","):
                rest = rest[1:].lstrip()
            elif rest[:1] != closing:
                raise _Beyond(f"expected a comma or a closing bracket, got {shorten(rest)}")
        return (values if closing == "]" else made), rest[1:]
    found = re.match(_QUOTED + r"|[^,\[\]{}:]+(?::(?=\S)[^,\[\]{}:]+)*)", text)
    if not found:
        raise _Beyond(f"a value that is not understood: {shorten(text)}")
    return _scalar(found.group(1).strip()), text[found.end() :]
