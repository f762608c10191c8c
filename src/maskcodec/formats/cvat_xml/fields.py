"""Numbers, flags and points out of the attributes of an element."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from maskcodec.errors import shorten
from maskcodec.formats._shared.xmlio import Element
from maskcodec.formats.cvat_xml.attributes import NUMBER

__all__ = ["Fault", "flag", "number", "pairs", "whole"]

_PAIR = r"[^,;]+,[^,;]+"
_POINTS = re.compile(rf"{_PAIR}(;{_PAIR})*;?\s*")
_DIGITS = re.compile(r"[-+0-9.eE,;\s]*")


class Fault(Exception):
    """What is wrong with a field of an element; becomes a FormatError where the place is known."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def number(element: Element, field: str, default: float | None = None) -> float:
    """A finite number out of an attribute."""
    text = element.attributes.get(field)
    if text is None:
        if default is None:
            raise Fault(field, "the required attribute is missing")
        return default
    value = float(text) if NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(value):
        raise Fault(field, f"expected a finite number, got {shorten(text)}")
    return value


def whole(element: Element, field: str, default: int | None = None) -> int:
    """A whole number out of an attribute."""
    value = number(element, field, default)
    if not float(value).is_integer():
        raise Fault(field, f"expected a whole number, got {shorten(element.attributes[field])}")
    return int(value)


def flag(element: Element, field: str, default: bool = False) -> bool:
    """0 or 1 out of an attribute."""
    text = element.attributes.get(field)
    if text is None:
        return default
    if text not in ("0", "1"):
        raise Fault(field, f"expected 0 or 1, got {shorten(text)}")
    return text == "1"


def pairs(element: Element, least: int) -> np.ndarray[Any, Any]:
    """Points out of the attribute ``points``: float64 (n, 2)."""
    text = element.attributes.get("points")
    if text is None:
        raise Fault("points", "the required attribute is missing")
    try:
        if not _POINTS.fullmatch(text) or not _DIGITS.fullmatch(text):
            raise ValueError
        flat = np.array(list(map(float, text.rstrip("; \n").replace(";", ",").split(","))), np.float64)
    except ValueError:
        raise Fault("points", f"expected pairs x,y;x,y of finite numbers, got {shorten(text)}") from None
    if not np.isfinite(flat).all():
        raise Fault("points", f"expected finite numbers, got {shorten(text)}")
    if len(flat) < 2 * least:
        raise Fault("points", f"expected at least {least} points, got {len(flat) // 2}")
    return flat.reshape(-1, 2)
