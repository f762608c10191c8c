"""Members of archives, read in place and held against limits. Used through ``source``."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared._paths import safe_name

if TYPE_CHECKING:
    from maskcodec.formats._shared.source import Source


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what an archive may expand to, in members and bytes; the ratio counts beyond ``ratio_from`` bytes."""

    members: int = 100_000
    member: int = 1 << 30
    total: int = 16 << 30
    ratio: int = 1000
    ratio_from: int = 10 << 20


class Bounded(io.RawIOBase):
    """A zip member whose real size is checked while it is read, and whose errors are ours."""

    def __init__(self, source: Source, info: zipfile.ZipInfo) -> None:
        self._source, self._info, self._read = source, info, 0
        with source.wrapped(info.filename):
            if source.archive is None:
                raise OSError("not an archive")
            with source.turn:
                self._stream = source.archive.open(info)

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        with self._source.wrapped(self._info.filename):
            data = self._stream.read(len(target))
        target[: len(data)] = data
        self._read += len(data)
        self._source.count(self._info, self._read, len(data))
        return len(data)

    def close(self) -> None:
        if not self.closed:
            with self._source.turn:
                self._stream.close()
        super().close()


class Wrapped:
    """Turns errors of zipfile and zlib into ours, naming the member."""

    def __init__(self, display: str) -> None:
        self._display = display

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)):
            raise FormatError(f"damaged or unsupported zip member: {error}", file=self._display) from error


def fault(info: zipfile.ZipInfo, limits: Limits) -> str | None:
    """What speaks against a member, by its header."""
    try:
        if safe_name(info.orig_filename) != info.filename:
            return f"member name {shorten(info.orig_filename)} is not in plain form"
    except ValueError as error:
        return f"refused member: {error}"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "refused member: a symbolic link"
    if info.flag_bits & 1:
        return "refused member: encrypted"
    if info.file_size > limits.member:
        return f"expands to {info.file_size} bytes, the limit is {limits.member}"
    if info.file_size > limits.ratio_from and info.file_size > limits.ratio * max(info.compress_size, 1):
        return f"expands by more than {limits.ratio}:1, the size limit for archives"
    return None
