"""Single JSON values: strict decoding, splitting an object into its fields, encoding. Used through ``jsonio``."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared import _jsonscan as scan

Raw = msgspec.Raw
MAX_DEPTH = 256
_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_ANY = msgspec.json.Decoder()
def _plain(value: Any) -> Any:
    """Numbers of NumPy as those of Python."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)


def _faulty(data: bytes, cause: Exception, file: str, record: str, field: str) -> FormatError:
    """The error for text that the parser refused."""
    if isinstance(cause, RecursionError):
        text = f"nested deeper than {MAX_DEPTH} levels"
    elif isinstance(cause, UnicodeDecodeError):
        text = f"not UTF-8 (byte {cause.start})"
    elif re.search(rb"\\u[dD][89a-fA-F]", data):
        text = "a surrogate escape without its pair"
    else:
        text = f"not valid JSON: {cause}; got {shorten(data[:100].decode('utf-8', 'backslashreplace'))}"
    return FormatError(text, file=file, record=record, field=field)


def decode(data: bytes | Raw, *, file: str = "", record: str = "", field: str = "", repeat: Any = None) -> Any:
    """Decode one whole JSON value with every rule of this module.

    Args:
        data: UTF-8 text of the value.
        file: for errors.
        record: for errors.
        field: for errors.
        repeat: called with the error for a repeated key, instead of raising it; the last value counts then.

    Raises:
        FormatError: the text breaks a rule.
    """
    data = bytes(data)
    try:
        value = _ANY.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise _faulty(data, error, file, record, field) from error
    strings = 0 if b'"' in data else -1
    if type(value) in (list, dict):
        if data.count(b"[") + data.count(b"{") > MAX_DEPTH and scan.depth(data) > MAX_DEPTH:
            raise FormatError(f"nested deeper than {MAX_DEPTH} levels", file=file, record=record, field=field)
        found = _walk(value)
        if isinstance(found, str):
            raise FormatError(found, file=file, record=record, field=field)
        strings = found
        # Every text and key has two quotes; a repeated key leaves quotes that the decoded value does not account for,
        # and escaped ones only add to them.
        if data.count(b'"') != 2 * strings:
            key = scan.repeated_key(data)
            if key is not None:
                again = FormatError(f"key {shorten(key)} twice in one object", file=file, record=record, field=field)
                if repeat is None:
                    raise again
                repeat(again)
    elif type(value) is int and not -(2**63) <= value < 2**64:
        raise FormatError(f"integer beyond 64 bits: {shorten(value)}", file=file, record=record, field=field)
    return value


def _walk(value: Any) -> int | str:
    """Number of texts and keys in a decoded value, or what is wrong with it."""
    count, todo = 0, [value]
    while todo:
        node = todo.pop()
        if type(node) is dict:
            count += len(node)
            node = list(node.values())
        kinds = set(map(type, node))
        if kinds == {int} and min(node) >= -(2**63) and max(node) < 2**64:
            continue
        if int in kinds:
            big = next((v for v in node if type(v) is int and not -(2**63) <= v < 2**64), None)
            if big is not None:
                return f"integer beyond 64 bits: {shorten(big)}"
        if str in kinds:
            count += sum(1 for v in node if type(v) is str)
        if dict in kinds or list in kinds:
            todo.extend(v for v in node if type(v) is dict or type(v) is list)
    return count


def fields(data: bytes, *, file: str = "", record: str = "", repeat: Any = None) -> dict[str, Raw]:
    """Split one object into its fields without decoding them; each value goes to ``decode`` or a native parser.

    Args:
        data: UTF-8 text of the object.
        file: for errors.
        record: for errors.
        repeat: called with the error for a repeated key, instead of raising it; the last value counts then.

    Raises:
        FormatError: not an object, not valid, or a key twice.
    """
    try:
        found = _FIELDS.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        if isinstance(error, msgspec.ValidationError) or data[:1] != b"{":
            raise FormatError(f"expected an object, got {shorten(data[:100])}", file=file, record=record) from error
        for key, start, stop in scan.members(data):  # name the field at fault
            decode(bytes(data[start:stop]), file=file, record=record, field=key or "")
        raise _faulty(data, error, file, record, "") from error
    quotes = 2 * len(found) + sum(bytes(value).count(b'"') for value in found.values())
    if data.count(b'"') != quotes:  # never fewer: what an escape hides are quotes too many
        twice = scan.repeated_key(data, nested=False)
        if twice is not None:
            again = FormatError("key twice in one object (duplicate)", file=file, record=record, field=twice)
            if repeat is None:
                raise again
            repeat(again)
    return found


def numbers(values: Any) -> Raw:
    """Encode numbers (nested lists or arrays of them) so that they parse back equal and integers have no ``.0``.

    Raises:
        ValueError: NaN or infinity among them.
    """
    if isinstance(values, np.ndarray):
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise ValueError("NaN and infinity cannot be written as JSON")
        values = values.tolist()
    text = _ENCODER.encode(values)
    if b"null" in text:
        raise ValueError("NaN and infinity cannot be written as JSON")
    if b".0" in text:
        text = text.replace(b".0,", b",").replace(b".0]", b"]")
        if text.endswith(b".0"):
            text = text[:-2]
    return Raw(text)


def encode(value: Any) -> bytes:
    """Encode a value of plain types (and ``Raw``) on one line; NaN is refused, unlike msgspec, which prints null."""
    text = _ENCODER.encode(value)
    if b"null" in text:
        _refuse_nan(value)
    return text


def _refuse_nan(value: Any) -> None:
    if type(value) is float:
        if value - value != 0:
            raise ValueError("NaN and infinity cannot be written as JSON")
    elif type(value) is dict:
        for v in value.values():
            if type(v) not in (str, int, Raw, bool):
                _refuse_nan(v)
    elif type(value) in (list, tuple):
        for v in value:
            if type(v) not in (str, int, Raw, bool):
                _refuse_nan(v)
