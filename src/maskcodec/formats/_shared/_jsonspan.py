"""Where the records of a JSON array are: begin and size of each, found without decoding them."""

from __future__ import annotations

import re
from array import array
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from maskcodec.formats._shared import _jsonscan as scan
from maskcodec.formats._shared._jsonscan import Buffer, elements, error_at, fast_end, let_go, skip_space

__all__ = ["span"]


def span(
    buffer: Buffer, start: int, stop: int, raws: Any, file: str = ""
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Begin and size of the elements of the array at ``start``; the strict parser first, then the tolerant scanner.

    Raises:
        FormatError: commas too many or at the end; what is wrong inside an element shows when it is decoded.
    """
    if stop - start > scan.LARGE:
        return _span_by_record(buffer, start, stop, file)
    try:
        with memoryview(buffer) as view, view[start:stop] as part:
            sizes = np.fromiter((len(memoryview(raw)) for raw in raws.decode(part)), dtype=np.int64)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _span_by_marks(buffer, start, stop, file)
    starts = np.empty(len(sizes), dtype=np.int64)
    at, match = start + 1, re.compile(rb"[ \t\r\n,]*").match
    for i, size in enumerate(sizes.tolist()):
        at = match(buffer, at).end()  # type: ignore[union-attr]
        starts[i] = at
        at += size
    return starts, sizes


def _span_by_marks(
    buffer: Buffer, start: int, stop: int, file: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The same by texts and brackets alone, for a list with a fault in it."""
    found = list(elements(buffer, start))
    ends = [start + 1, *(end for _, end in found)]
    begins = [*(begin for begin, _ in found), stop - 1]
    for at, (end, begin) in enumerate(zip(ends, begins, strict=True)):
        between = bytes(buffer[end:begin]).strip()
        if between != (b"," if 0 < at < len(found) else b""):
            raise error_at(buffer, end, file, f"expected one comma between records, got {between[:20]!r}")
    table = np.array(found, dtype=np.int64).reshape(-1, 2)
    return table[:, 0].copy(), table[:, 1] - table[:, 0]


def _span_by_record(
    buffer: Buffer, start: int, stop: int, file: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The same for a large array, one element at a time, letting go of the pages on the way."""
    starts = array("q")
    sizes = array("i")
    at, held = skip_space(buffer, start + 1), start
    while at < stop - 1:
        end = fast_end(buffer, at, "")
        starts.append(at)
        try:
            sizes.append(end - at)
        except OverflowError:
            sizes = array("q", [*sizes, end - at])
        at = skip_space(buffer, end)
        if at >= stop - 1:
            break
        after = skip_space(buffer, at + 1)
        if bytes(buffer[at : at + 1]) != b"," or after >= stop - 1:
            return _span_by_marks(buffer, start, stop, file)
        at = after
        if at - held > scan.LARGE:
            held = at
            let_go(buffer)
    return np.frombuffer(starts, dtype=np.int64), np.frombuffer(sizes, dtype=f"i{sizes.itemsize}")
