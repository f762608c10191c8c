"""A sink that keeps nothing; its checks of names are those of every sink."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, BinaryIO

from maskcodec.errors import FormatError
from maskcodec.formats._shared._paths import safe_name

__all__ = ["NullSink"]


class NullSink:
    """A sink that keeps nothing and touches no disk: for predicting what writing would lose."""

    container = "folder"
    media = "reference"  # what becomes of the media files: "copy" for formats whose layout depends on them

    def __init__(self) -> None:
        self.names: list[str] = []
        self.listed: list[tuple[str, str]] = []  # (name in the output, file) of media that are only listed
        self._folded: dict[str, str] = {}

    def open(self, name: str) -> BinaryIO:
        """Open a new file for writing.

        Raises:
            FormatError: the name leads outside, is too long for a file system, or clashes with one already written.
        """
        return self._create(self.claim(name))

    def place(self, name: str, path: str, how: str) -> None:
        """Put a file of the disk into the output without copying its bytes.

        Args:
            name: in the output.
            path: of the file.
            how: "hardlink", "symlink", "move" (gone from its place when the output is complete), or "list" (only noted
                in ``listed``).
        """
        name = self.claim(name)
        if how == "list":
            self.names.remove(name)
            self.listed.append((name, path))
        else:
            self._place(name, path, how)

    def _place(self, name: str, path: str, how: str) -> None:
        pass

    def claim(self, name: str) -> str:
        """The name as it is written, if it can be; raises as ``open``."""
        try:
            name = safe_name(name)
        except ValueError as error:
            raise FormatError(str(error), file=name, field="output name") from error
        if max(len(part.encode("utf-8", "surrogatepass")) for part in name.split("/")) > 255:
            raise FormatError("a part of the output name is longer than 255 bytes", file=name, field="output name")
        folded = name.casefold()
        if folded in self._folded:
            other = self._folded[folded]
            raise FormatError(f"the same as {other!r} up to letter case", file=name, field="output name")
        self._folded[folded] = name
        self.names.append(name)
        return name

    def _create(self, name: str) -> BinaryIO:
        return _Nothing()  # type: ignore[return-value]

    def write(self, name: str, data: bytes) -> None:
        """Write a whole file."""
        with self.open(name) as stream:
            stream.write(data)

    def later(self, name: str, make: Callable[[], bytes]) -> None:
        """Write a whole file whose bytes take time to make: a sink with several jobs makes them in threads.

        Args:
            name: claimed now, so that the order of files is that of the calls.
            make: gives the bytes; what it looks at may not change afterwards.
        """
        self.write(name, make())

    def spool(self) -> BinaryIO:
        """A private temporary file for parts that are put together later."""
        return _Nothing()  # type: ignore[return-value]


class _Nothing(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return 0

    def tell(self) -> int:
        return 0

    def readinto(self, target: Any) -> int:
        return 0

    def write(self, data: Any) -> int:
        return memoryview(data).nbytes
