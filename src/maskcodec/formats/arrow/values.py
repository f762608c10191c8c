"""Python values as JSON text and back, exactly: what JSON cannot say is written as an object with the key ``$``.

``{"$": "tuple", "of": [...]}``, ``dict`` (keys that are no texts, or a key ``$``: pairs), ``float`` (nan, inf, with
their signs), ``bytes`` (base64), ``array`` (NumPy: type, shape, base64 of the little-endian elements; shape null for a
scalar), ``rle`` (size, counts). Integers have any length, floats their shortest exact form, -0.0 its sign.
"""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import numpy as np

from maskcodec.masks import Rle

__all__ = ["Unwritable", "from_text", "to_text"]

_DEEPEST = 150  # levels of lists and objects: far below what a reader's stack holds
_BIGGEST = 10**4000  # longer integers than Python reads from text


class Unwritable(ValueError):
    """A value that no text can hold; its message says what it is."""


def _plain(value: Any, depth: int = 0) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int:
        if not -_BIGGEST < value < _BIGGEST:
            raise Unwritable("integers of more than 4000 digits cannot be written")
        return value
    if kind is float:
        if math.isfinite(value):
            return value
        sign = "-" if math.isnan(value) and math.copysign(1, value) < 0 else ""  # repr leaves that of nan out
        return {"$": "float", "of": sign + repr(value)}
    if depth > _DEEPEST:
        raise Unwritable(f"values nested more than {_DEEPEST} deep cannot be written")
    if kind is list:
        return [_plain(one, depth + 1) for one in value]
    if kind is tuple:
        return {"$": "tuple", "of": [_plain(one, depth + 1) for one in value]}
    if isinstance(value, dict):
        if "$" not in value and all(type(key) is str for key in value):
            return {key: _plain(one, depth + 1) for key, one in value.items()}
        return {"$": "dict", "of": [[_plain(k, depth + 1), _plain(v, depth + 1)] for k, v in value.items()]}
    if kind is bytes:
        return {"$": "bytes", "of": base64.b64encode(value).decode()}
    if kind is Rle:
        return {"$": "rle", **value.to_coco()}
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufcSU" and value.dtype.fields is None:
        little = np.asarray(value).astype(value.dtype.newbyteorder("<"), order="C")
        shape = list(value.shape) if isinstance(value, np.ndarray) else None
        data = base64.b64encode(little.tobytes()).decode()
        return {"$": "array", "type": little.dtype.str, "shape": shape, "of": data}
    raise Unwritable(f"values of the type {kind.__name__} cannot be written")


def _restored(value: Any) -> Any:
    if type(value) is list:
        return [_restored(one) for one in value]
    if type(value) is not dict:
        return value
    tag = value.get("$")
    if tag is None:
        return {key: _restored(one) for key, one in value.items()}
    if tag == "tuple":
        return tuple(_restored(one) for one in value["of"])
    if tag == "dict":
        return {_restored(key): _restored(one) for key, one in value["of"]}
    if tag == "float" and value["of"] in ("nan", "-nan", "inf", "-inf"):
        return float(value["of"])
    if tag == "bytes":
        return base64.b64decode(value["of"], validate=True)
    if tag == "rle":
        return Rle.from_coco(value)
    if tag == "array":
        kind = np.dtype(value["type"])
        if kind.kind not in "biufcSU":
            raise ValueError(f"an array of the type {kind}")
        flat = np.frombuffer(base64.b64decode(value["of"], validate=True), kind).astype(kind.newbyteorder("="))
        return flat[0] if value["shape"] is None else flat.reshape(value["shape"])
    raise ValueError(f"unknown kind of value {tag!r}")


def to_text(value: Any) -> str:
    """A value as JSON text.

    Raises:
        Unwritable: no text can hold it.

    Example:
        >>> to_text({"a": (1, 2.0, float("inf"))})
        '{"a":{"$":"tuple","of":[1,2.0,{"$":"float","of":"inf"}]}}'
    """
    plain = _plain(value)
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a character: only an escape can say it
        text = json.dumps(plain, separators=(",", ":"), allow_nan=False)
    return text


def from_text(text: str) -> Any:
    """The value of a text that ``to_text`` made.

    Raises:
        ValueError: the text says no value; with the reason.

    Example:
        >>> from_text('{"a":{"$":"tuple","of":[1]}}')
        {'a': (1,)}
    """
    try:
        return _restored(json.loads(text))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except (KeyError, TypeError) as error:
        raise ValueError(f"damaged value: {error!r}") from None
