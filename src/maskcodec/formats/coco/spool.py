"""What is written of one file so far: records stream into two temporary files, put together at the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO

import numpy as np

from maskcodec.formats._base import NullSink
from maskcodec.formats.coco.compact import Column
from maskcodec.formats.coco.ids import plain, plain_id

__all__ = ["Numbers", "Part"]

_BLOCK = 1 << 20
_AT_ONCE = 2048  # records
_FLAGGED = 1 << 28  # 32 MiB of bits at most
_SEPARATOR = b",\n"


class Numbers:
    """Ids of one kind in one file: kept where they are usable and unique, else the next free number."""

    def __init__(self, first: int) -> None:
        self._next = first
        self._flags = bytearray()  # a bit for each small number: a set of millions would take hundreds of megabytes
        self._others: set[Any] = set()

    def _is_used(self, number: Any) -> bool:
        if type(number) is int and 0 <= number < _FLAGGED:
            at = number >> 3
            return at < len(self._flags) and bool(self._flags[at] >> (number & 7) & 1)
        return number in self._others

    def _use(self, number: Any) -> None:
        if type(number) is int and 0 <= number < _FLAGGED:
            at = number >> 3
            if at >= len(self._flags):
                self._flags.extend(bytes(max(at + 1 - len(self._flags), len(self._flags))))
            self._flags[at] |= 1 << (number & 7)
        else:
            self._others.add(number)

    def take(self, wanted: Any) -> Any:
        """The id to write; differs from ``wanted`` when that was not usable."""
        if not plain_id(wanted) or self._is_used(plain(wanted)):
            while self._is_used(self._next):
                self._next += 1
            wanted = self._next
        self._use(plain(wanted))
        return wanted


class Part:
    """One file of one task and subset."""

    def __init__(self, sink: NullSink, first_id: int) -> None:
        self.images, self.annotations = sink.spool(), sink.spool()
        self.count = 0
        self.sizes, self.places = Column(), Column()
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
        if place is not None and not self.reorder:
            self.reorder = True
            for _ in range(len(self.sizes) - 1):
                self.places.append(-1)
        if self.reorder:
            self.places.append(-1 if place is None else place)
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
        total = int(self.sizes.array.sum(dtype=np.int64))
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
        sizes = self.sizes.array
        starts = np.cumsum(sizes, dtype=np.int64)
        starts -= sizes
        places = self.places.array
        order = np.argsort(np.where(places < 0, np.iinfo(places.dtype).max, places), kind="stable")
        self.annotations.flush()
        if not self.annotations.seek(0, 2):
            return  # a sink that keeps nothing
        read = self._reader()
        for first in range(0, len(order), _AT_ONCE):
            some = order[first : first + _AT_ONCE]
            # A memory map would bring in the pages around every record.
            rows = [read(size, start) for size, start in zip(sizes[some].tolist(), starts[some].tolist(), strict=True)]
            if first + _AT_ONCE >= len(order):
                rows[-1] = rows[-1][: -len(_SEPARATOR)]
            target.write(b"".join(rows))

    def _reader(self) -> Callable[[int, int], bytes]:
        if hasattr(os, "pread"):
            return partial(os.pread, self.annotations.fileno())

        def read(size: int, start: int) -> bytes:
            self.annotations.seek(start)
            return self.annotations.read(size)

        return read
