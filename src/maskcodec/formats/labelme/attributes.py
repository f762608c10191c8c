"""The attribute text of LabelMe: ``color=red, n=3, s="42", parked``, values typed by their text."""

from __future__ import annotations

import re
from typing import Any

from maskcodec.formats._shared.lines import NUMBER

__all__ = ["attribute_text", "parse_attributes"]

def _split(text: str, separator: str, most: int = 0) -> list[str]:
    """Parts between separators that no backslash stands before."""
    out: list[str] = []
    part, at = "", 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            part += text[at : at + 2]
            at += 2
            continue
        if text[at] == separator and not (most and len(out) == most):
            out.append(part)
            part = ""
        else:
            part += text[at]
        at += 1
    return [*out, part]


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)


def _number(text: str) -> Any:
    """The number that a text is, if it is exactly how that number is written; else None."""
    if NUMBER.fullmatch(text):
        if text.lstrip("-").isdigit() and str(int(text)) == text:
            return int(text)
        if str(float(text)) == text and text not in ("inf", "-inf"):
            return float(text)
    return None


def _value(text: str) -> Any:
    bare = text.strip()
    if len(bare) > 1 and bare[0] == '"' == bare[-1] and not (bare[-2] == "\\" and len(bare) > 2 and bare[-3] != "\\"):
        return _plain(bare[1:-1])
    if bare.lower() in ("true", "false"):
        return bare.lower() == "true"
    number = _number(bare)
    return _plain(bare) if number is None else number


def parse_attributes(text: str) -> dict[str, Any]:
    """Names and values; a bare name is true.

    Example:
        >>> parse_attributes('color=red, n=3, s="42", parked')
        {'color': 'red', 'n': 3, 's': '42', 'parked': True}
    """
    out: dict[str, Any] = {}
    for part in _split(text, ","):
        if part.strip():
            name, *rest = _split(part.strip(), "=", 1)
            out[_plain(name.strip())] = _value(rest[0]) if rest else True
    return out


def attribute_text(attributes: dict[str, Any]) -> str:
    """The text that parses back to these attributes.

    Example:
        >>> attribute_text({"a": "7", "b": 0.5, "c": True, "d": "x,y"})
        'a="7", b=0.5, c=True, d=x\\\\,y'
    """
    parts = []
    for name, value in attributes.items():
        text = str(value)
        if isinstance(value, str) or type(value) not in (bool, int, float):
            value = text if not isinstance(value, str) else value
            text = _escape(value)
            if _value(value) != value or value != value.strip() or not value or '"' in (value[0], value[-1]):
                text = f'"{text}"'
        parts.append(f"{_escape(name)}={text}")
    return ", ".join(parts)


def _escape(text: str) -> str:
    return re.sub(r'([\\=",])', r"\\\1", text)
