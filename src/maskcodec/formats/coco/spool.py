"""What is written of one file so far: records stream into two temporary files, put together at the end."""

from __future__ import annotations

import mmap
from array import array
from typing import Any, BinaryIO

import numpy as np

from maskcodec.formats._base import NullSink
from maskcodec.formats._shared._jsonscan import let_go
from maskcodec.formats.coco.index import plain, plain_id

__all__ = ["Numbers", "Part"]

_BLOCK = 1 << 20
_MANY = 64 << 20  # bytes
_LAST = 2**62
_SEPARATOR = b",\n"


class Numbers:
    """Ids of one kind in one file: kept where they are usable and unique, else the next free number."""

    def __init__(self, first: int) -> None:
        self._next = first
        self._used: set[Any] = set()

    def take(self, wanted: Any) -> Any:
        """The id to write; differs from ``wanted`` when that was not usable."""
        if type(wanted) is int and -(2**63) <= wanted < 2**63 and wanted not in self._used:
            self._used.add(wanted)
            return wanted
        if not plain_id(wanted) or plain(wanted) in self._used:
            while self._next in self._used:
                self._next += 1
            wanted = self._next
        self._used.add(plain(wanted))
        return wanted


class Part:
    """One file of one task and subset."""

    def __init__(self, sink: NullSink, first_id: int) -> None:
        self.images, self.annotations = sink.spool(), sink.spool()
        self.count = 0
        self.sizes, self.places = array("q"), array("q")
        self.reorder = False
        self.ids = Numbers(first_id)
        self.categorised = False
        self._rows: list[bytes] = []

    def add_image(self, row: bytes) -> None:
        self.images.write((b",\n" if self.count else b"\n") + row)
        self.count += 1

    def add_annotation(self, row: bytes, place: int | None) -> None:
        """Enter a record; ``place`` is where it stood among those of the file that it came from."""
        self._rows.append(row)
        self.sizes.append(len(row) + len(_SEPARATOR))
        if place is None:
            place = _LAST
        else:
            self.reorder = True
        self.places.append(place)
        if len(self._rows) >= 512:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            self._rows.append(b"")
            self.annotations.write(_SEPARATOR.join(self._rows))
            self._rows = []

    def copy_images(self, target: BinaryIO) -> None:
        self.images.seek(0)
        while block := self.images.read(_BLOCK):
            target.write(block)
        self.images.close()

    def copy_annotations(self, target: BinaryIO) -> None:
        """The records, in the order that the file had where it was not that of the images."""
        self._flush()
        total = sum(self.sizes)
        if total:
            target.write(b"\n")
            if self.reorder:
                self._copy_in_order(target)
            else:
                self._copy_straight(target, total - len(_SEPARATOR))
        self.annotations.close()

    def _copy_straight(self, target: BinaryIO, total: int) -> None:
        self.annotations.seek(0)
        while total and (block := self.annotations.read(min(total, _BLOCK))):
            target.write(block)
            total -= len(block)

    def _copy_in_order(self, target: BinaryIO) -> None:
        sizes = np.array(self.sizes, dtype=np.int64)
        starts = np.cumsum(sizes) - sizes
        order = np.argsort(np.array(self.places), kind="stable")
        self.annotations.flush()
        if not self.annotations.seek(0, 2):
            return  # a sink that keeps nothing
        with mmap.mmap(self.annotations.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
            rows, held = [], 0
            last = len(order) - 1
            for count, (start, size) in enumerate(zip(starts[order].tolist(), sizes[order].tolist(), strict=True)):
                rows.append(buffer[start : start + size - (len(_SEPARATOR) if count == last else 0)])
                held += size
                if len(rows) >= 2048 or count == last:
                    target.write(b"".join(rows))
                    rows = []
                if held > _MANY:
                    held = 0
                    let_go(buffer)
