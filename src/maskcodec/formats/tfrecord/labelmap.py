"""``label_map.pbtxt``: the table of labels as text of a protocol buffer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.source import Source
from maskcodec.model.schema import Category

__all__ = ["keypoint_ids", "read_map", "write_map"]

_TOKEN = re.compile(
    r"""\s+|\#[^\n]*|[,;]|(?P<mark>[{}:<>])|(?P<text>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<word>[-+.\w]+)"""
)
_ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t", "a": b"\a", "b": b"\b", "f": b"\f", "v": b"\v"}


def _unescaped(text: str) -> str:
    def one(match: re.Match[bytes]) -> bytes:
        code = match.group(1).decode("utf-8", "replace")
        if code[0] in "01234567":
            return bytes([int(code, 8) & 255])
        if code[0] in "xX" and len(code) > 1:
            return bytes([int(code[1:], 16)])
        return _ESCAPES.get(code, code.encode("utf-8"))

    pattern = rb"\\([0-7]{1,3}|[xX][0-9a-fA-F]{1,2}|.)"
    return re.sub(pattern, one, text[1:-1].encode("utf-8"), flags=re.DOTALL).decode("utf-8", "replace")


def _tokens(text: str, file: str) -> list[tuple[str, str, int]]:
    out, at, line = [], 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FormatError(f"unexpected {shorten(text[at : at + 20])}", file=file, record=f"line {line}")
        if match.lastgroup:
            out.append((match.lastgroup, match.group(), line))
        line += match.group().count("\n")
        at = match.end()
    return out


_Tokens = list[tuple[str, str, int]]


def _message(tokens: _Tokens, at: int, file: str, depth: int) -> tuple[list[tuple[str, Any, int]], int]:
    """Fields of a message up to its closing brace, and the place behind it."""
    out: list[tuple[str, Any, int]] = []
    while at < len(tokens):
        kind, name, line = tokens[at]
        if kind == "mark" and name in "}>" and depth:
            return out, at + 1
        at += 1
        if at < len(tokens) and tokens[at][1] == ":" and tokens[at][0] == "mark":
            at += 1
        if kind != "word" or at >= len(tokens) or depth > 8:
            raise FormatError(f"expected a field with a value, got {shorten(name)}", file=file, record=f"line {line}")
        if tokens[at][0] == "mark" and tokens[at][1] in "{<":
            value, at = _message(tokens, at + 1, file, depth + 1)
            out.append((name, value, line))
            continue
        if tokens[at][0] == "mark":
            raise FormatError(f"expected a value of {name}", file=file, record=f"line {line}")
        text = ""
        if tokens[at][0] == "text":
            while at < len(tokens) and tokens[at][0] == "text":
                text += _unescaped(tokens[at][1])
                at += 1
            out.append((name, text, line))
        else:
            out.append((name, tokens[at][1], line))
            at += 1
    if depth:
        raise FormatError("a brace is not closed (truncated)", file=file)
    return out, at


def read_map(source: Source, name: str) -> list[Category]:
    """Categories in the order of their ids.

    Raises:
        FormatError: not such a text, an item without id or name, an id or a name twice.
    """
    file = source.display(name)
    try:
        text = source.read(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"not UTF-8 (byte {error.start})", file=file) from error
    found: dict[int, Category] = {}
    names: set[str] = set()
    for key, value, line in _message(_tokens(text, file), 0, file, 0)[0]:
        record = f"line {line}"
        try:
            if key != "item" or not isinstance(value, list):
                raise FormatError(f"expected item {{...}}, got {shorten(key)}", file=file, record=record)
            fields = {field: inner for field, inner, _ in value}
            number, label = fields.get("id"), fields.get("name")
            if not isinstance(number, str) or not re.fullmatch("[0-9]{1,9}", number):
                raise FormatError(f"expected a number, got {shorten(number)}", file=file, record=record, field="id")
            if not isinstance(label, str) or not label:
                raise FormatError("the name is missing", file=file, record=record, field="name")
            if int(number) in found or int(number) < 1 or label in names:
                text = f"id {number} or name {shorten(label)} is there already, or the id is 0"
                raise FormatError(text, file=file, record=record)
            category = found[int(number)] = Category(int(number), label)
            names.add(label)
            own: dict[str, Any] = {}
            if isinstance(fields.get("display_name"), str):
                own["display_name"] = fields["display_name"]
            points = [{f: v for f, v, _ in inner} for field, inner, _ in value if field == "keypoints"]
            for at, point in enumerate(points):
                if not isinstance(point.get("label"), str) or not point["label"]:
                    text = "a key point without a label has a name made of its place"
                    source.report.default(label, None, "keypoints", text, what="category")
                category.keypoints.append(point.get("label") or f"point_{at + 1}")
            if points:
                own["keypoint_ids"] = [str(point.get("id", "")) for point in points]
            if own:
                category.extras["tfrecord"] = own
        except FormatError as error:
            source.problem(error, what="category")
    plain = keypoint_ids([found[number] for number in sorted(found)])
    for category in found.values():
        own = category.extras.get("tfrecord", {})
        if own.get("keypoint_ids") == [str(plain[name]) for name in category.keypoints]:
            del own["keypoint_ids"]
            if not own:
                del category.extras["tfrecord"]
    most = max(found, default=0)
    if most > 10 * len(found) + 1000:
        raise FormatError(f"id {most} of {len(found)} labels: the ids have too many gaps", file=file)
    for number in range(1, most):
        if number not in found:
            found[number] = Category(number, f"class_{number}")
            text = "an id without a label has a name made of it"
            source.report.default(f"class_{number}", None, "name", text, what="category")
    return [found[number] for number in sorted(found)]


def _quoted(text: str) -> str:
    for old, new in (("\\", "\\\\"), ("'", "\\'"), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(old, new)
    return f"'{text}'"


def keypoint_ids(categories: Iterable[Category]) -> dict[str, int]:
    """Ids of key points, from 1: those of one name are the same in all categories."""
    names = dict.fromkeys(name for category in categories for name in category.keypoints)
    return {name: at for at, name in enumerate(names, 1)}


def write_map(labels: list[tuple[int, str, Category]]) -> bytes:
    """The table: ids, names, key points, and what else is known."""
    out = []
    plain = keypoint_ids(category for _, _, category in labels)
    for number, name, category in labels:
        own = category.extras.get("tfrecord", {})
        out.append(f"item {{\n\tid: {number}\n\tname: {_quoted(name)}\n")
        if "display_name" in own:
            out.append(f"\tdisplay_name: {_quoted(own['display_name'])}\n")
        ids = own.get("keypoint_ids", ())
        if len(ids) != len(category.keypoints):
            ids = [str(plain[label]) for label in category.keypoints]
        for key, label in zip(ids, category.keypoints, strict=True):
            out.append(f"\tkeypoints {{ {f'id: {key} ' if key else ''}label: {_quoted(label)} }}\n")
        out.append("}\n\n")
    return "".join(out).encode("utf-8")
