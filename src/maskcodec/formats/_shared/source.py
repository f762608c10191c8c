"""A folder, zip, single file or bytes behind one listing; nothing outside it is ever opened.

Archives are read in place, never unpacked. Escaping or absolute names, links, duplicates and encrypted members are
refused (skipped and reported by a lenient reader); sizes are bounded by what comes out, not by what a header says.
"""

from __future__ import annotations

import io
import mmap
import os
import re
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any, BinaryIO

from maskcodec.errors import FormatError
from maskcodec.formats._shared._paths import safe_join, safe_name
from maskcodec.formats._shared._zips import Bounded, Limits, Wrapped, fault
from maskcodec.formats._shared.jsonio import Document
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

# A name as the listing spells it: another one may still lead to a listed file.
_PLAIN = re.compile(r"(?!\.{1,2}(?:/|$))[^/\\]+(?:/(?!\.{1,2}(?:/|$))[^/\\]+)*")
__all__ = ["Limits", "Source", "safe_join", "safe_name"]


class Source:
    """Read access to a data set on disk or in memory.

    Args:
        path: folder, zip, or single file; or the bytes of a zip or single file.
        on_error: "raise", or "skip" to enter problems in ``report`` and go on.
        limits: bounds for archives.

    Attributes:
        files: names of all files, sorted, ``/`` between parts. A single file lists itself alone; other files of its
            folder can be opened by name.
        report: what had to be skipped.
    """

    def __init__(
        self, path: str | os.PathLike[str] | bytes, *, on_error: str = "raise", limits: Limits | None = None
    ) -> None:
        if on_error not in ("raise", "skip"):
            raise ValueError(f'on_error is "raise" or "skip", got {on_error!r}')
        self.on_error = on_error
        self.report = LossReport()
        self.limits = limits or Limits()
        self.archive: zipfile.ZipFile | None = None
        self.turn: Any = None  # lock for opening and closing members of the archive, which counts them
        self._members: dict[str, zipfile.ZipInfo] = {}
        self._documents: dict[str, Document] = {}
        self._maps: dict[str, Any] = {}
        self._total = 0
        self._listed: frozenset[str] | None = None
        self._bytes = bytes(path) if isinstance(path, (bytes, bytearray, memoryview)) else None
        self.path: str = "<bytes>" if isinstance(path, (bytes, bytearray, memoryview)) else os.fspath(path)
        self.root: Path | None = None
        if self._bytes is not None:
            self.kind = "zip" if self._bytes[:4] in (b"PK\x03\x04", b"PK\x05\x06") else "file"
            self.files = ["data"]
        else:
            self._locate(Path(self.path))
        if self.kind == "zip":
            self._open_zip()

    def _locate(self, path: Path) -> None:
        if path.is_dir():
            self.kind, self.root, self.files = "folder", path, self._walk(path)
            return
        with path.open("rb") as stream:  # a missing path raises FileNotFoundError here
            head = stream.read(4)
        self.kind = "zip" if head in (b"PK\x03\x04", b"PK\x05\x06") else "file"
        self.root, self.files = path.parent, [path.name]

    def _walk(self, root: Path) -> list[str]:
        base, found = root.resolve(), []
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(n for n in folders if not n.startswith((".part-", ".shards-")))
            for name in names:
                full = Path(folder, name)
                if full.is_symlink() and not full.resolve().is_relative_to(base):
                    self.problem(FormatError("link that leads outside the data set", file=full.as_posix()))
                else:
                    found.append(full.relative_to(root).as_posix())
        return sorted(found)

    def _open_zip(self) -> None:
        self.turn = threading.RLock()
        with Wrapped(self.path):
            self.archive = zipfile.ZipFile(io.BytesIO(self._bytes) if self._bytes is not None else self.path)
        members = [info for info in self.archive.infolist() if not info.is_dir()]
        if len(members) > self.limits.members:
            raise FormatError(f"{len(members)} members, the limit is {self.limits.members}", file=self.path)
        for info in members:
            if info.filename in self._members:
                raise FormatError("duplicate member: two files of this name", file=self.display(info.filename))
            found = fault(info, self.limits)
            if found:
                self.problem(FormatError(found, file=self.display(info.orig_filename)))
            else:
                self._members[info.filename] = info
        self.files = sorted(self._members)

    def wrapped(self, name: str) -> Wrapped:
        """Context that turns zip errors into ours."""
        return Wrapped(self.display(name))

    def count(self, info: zipfile.ZipInfo, read: int, new: int) -> None:
        """Hold the bytes that came out of a member against the limits."""
        self._total += new
        limits, display = self.limits, self.display(info.filename)
        if read > limits.member or self._total > limits.total:
            raise FormatError("expands beyond the size limit for archives", file=display)
        if read > limits.ratio_from and read > limits.ratio * max(info.compress_size, 1):
            raise FormatError(f"expands by more than {limits.ratio}:1, the size limit for archives", file=display)

    def display(self, name: str) -> str:
        """Name of a file for messages: within the folder, or ``archive.zip/member``."""
        if self.kind == "zip":
            return f"{os.path.basename(self.path)}/{name}"
        return name

    def problem(self, error: FormatError, item: Any = None, annotation: Any = None, *, what: str | None = None) -> None:
        """Raise an error, or enter it in the report when the reader is lenient.

        Args:
            error: says file, record and field.
            item: item concerned, for the report.
            annotation: annotation concerned, for the report.
            what: kind of thing, for the report; by default from the arguments, else "record".
        """
        if self.on_error == "raise" or error.fatal:
            raise error
        if what is None and item is None and annotation is None:
            what = "record" if error.record else "file"
        name = ": ".join(part for part in (error.file, error.record) if part)
        self.report.unread(item if item is not None else name, annotation, error.field, error.message, what=what)

    def has(self, name: str) -> bool:
        """Whether a file of this name can be opened; names that lead outside cannot."""
        if name in self._members:
            return True
        if self.kind == "folder":
            if self._listed is None:
                self._listed = frozenset(self.files)
            if name in self._listed:
                return True
            if _PLAIN.fullmatch(name):
                return False  # the listing is complete
        if self.root is None or self.kind == "zip":
            return self.kind == "file" and name in self.files
        try:
            return safe_join(self.root, name).is_file()
        except (ValueError, OSError):
            return False

    def open(self, name: str) -> BinaryIO:
        """Open a file by its name.

        Raises:
            FormatError: the name leads outside, or the archive is damaged there.
            FileNotFoundError: there is no such file.
        """
        if self.kind == "zip":
            if name not in self._members:
                raise FileNotFoundError(2, "no such member", self.display(name))
            return io.BufferedReader(Bounded(self, self._members[name]), 1 << 16)
        if self._bytes is not None:
            if name not in self.files:
                raise FileNotFoundError(2, "no such file", name)
            return io.BytesIO(self._bytes)
        try:
            return safe_join(self.root or ".", name).open("rb")
        except ValueError as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(str(error), file=self.display(name)) from error

    def read(self, name: str, limit: int = -1) -> bytes:
        """Bytes of a file, at most ``limit`` of them."""
        with self.open(name) as stream:
            return stream.read(limit)

    def buffer(self, name: str) -> Any:
        """All bytes of a file: a memory map for files, bytes for small members, a temporary map for large ones."""
        if name not in self._maps:
            with self.open(name) as stream:
                if self.kind == "zip" and self._members[name].file_size > 64 << 20:
                    with tempfile.TemporaryFile() as spool:
                        while block := stream.read(1 << 20):
                            spool.write(block)
                        spool.flush()
                        self._maps[name] = mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ)
                elif self.kind != "zip" and self._bytes is None and os.fstat(stream.fileno()).st_size:
                    self._maps[name] = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
                else:
                    self._maps[name] = stream.read()
        return self._maps[name]

    def document(self, name: str) -> Document:
        """A JSON file, outlined once for detection and reading."""
        if name not in self._documents:
            self._documents[name] = Document(self.buffer(name), self.display(name))
        return self._documents[name]

    def open_media(self, item: Item | str) -> BinaryIO | None:
        """Open the media file of an item, or of a path; None when there is none, or several that could be it."""
        name = self.media_name(item)
        return None if name is None else self.open(name)

    def media_name(self, item: Item | str) -> str | None:
        """Name of the media file of an item, or of a path; None when there is none, or several that could be it.

        Looked for at its path, below ``<subset>/``, ``images/``, ``images/<subset>/`` and ``<subset>/images/``, then by
        the path's ending.
        """
        path, subset = (item, "default") if isinstance(item, str) else (item.path, item.subset)
        if path is None:
            return None
        folders = (subset, "images", f"images/{subset}", f"{subset}/images")
        for place in (path, *(f"{folder}/{path}" for folder in folders)):
            if self.has(place):
                return place
        alike = self._by_base().get(path.rpartition("/")[2], ())
        ending = [name for name in alike if ("/" + name).endswith("/" + path)]
        return ending[0] if len(ending) == 1 else None

    def _by_base(self) -> dict[str, list[str]]:
        if "" not in self._maps:
            table: dict[str, list[str]] = {}
            for name in self.files:
                table.setdefault(name.rpartition("/")[2], []).append(name)
            self._maps[""] = table
        found: dict[str, list[str]] = self._maps[""]
        return found

    def __repr__(self) -> str:
        return f"<Source: {self.kind} {self.path}, {len(self.files)} files>"
