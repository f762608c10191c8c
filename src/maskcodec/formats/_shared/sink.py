"""Output that is complete or absent: built beside the target, renamed into place at the end.

A folder, a zip or a single file behind one way of writing. Bytes depend on what is written alone: zip members carry a
fixed time and come in the order of writing.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import zipfile
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from maskcodec.errors import FormatError
from maskcodec.formats._shared._disk import alive, flush, name_full
from maskcodec.formats._shared._nullsink import NullSink

__all__ = ["NullSink", "Sink"]

_STORED = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".zip", ".mp4")


class Sink(NullSink):
    """Writes a folder, zip or single file; a context manager that commits on success and leaves nothing otherwise.

    Args:
        path: the target.
        container: "folder", "zip" or "file".
        overwrite: replace what is there; otherwise a file or a folder that is not empty is refused.
        inputs: paths that are being read, which the target must not replace.
        jobs: threads that make the files of ``later``; the output does not depend on their number.

    Raises:
        FileExistsError: the target exists and ``overwrite`` is false.
        ValueError: the target is, holds, or lies in an input that would be replaced.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        container: str = "folder",
        *,
        overwrite: bool = False,
        inputs: tuple[str, ...] = (),
        jobs: int = 1,
    ) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(jobs) if jobs > 1 else None
        self._room, self._pending = 4 * jobs, deque[Future[None]]()
        self.path = Path(os.path.abspath(path))
        self.container = container
        self._overwrite = overwrite
        self._spools: list[BinaryIO] = []
        self._linked: set[str] = set()
        self._moved: list[str] = []
        self._inputs = inputs
        self._check(inputs)
        self._part = self.path.with_name(f".part-{os.getpid()}-{self.path.name}")

    def _check(self, inputs: tuple[str, ...]) -> None:
        target = self.path.resolve()
        for name in inputs:
            source = Path(name).resolve()
            if source == target or source.is_relative_to(target) and target.exists():
                raise ValueError(f"{self.path} is or holds the input {name}; write elsewhere")
        if self.path.is_dir() and not self.path.is_symlink():
            if self.container != "folder":
                raise FileExistsError(17, "the target is a folder, expected a file name", str(self.path))
            if any(self.path.iterdir()) and not self._overwrite:
                raise FileExistsError(17, "the target folder is not empty (overwrite=True replaces it)", str(self.path))
        elif self.path.exists() and not self.path.is_file():
            raise FileExistsError(17, "the target is neither a file nor a folder", str(self.path))
        elif self.path.exists() and not (self._overwrite and self.container != "folder"):
            raise FileExistsError(17, "the target exists (overwrite=True replaces files)", str(self.path))

    def __enter__(self) -> Sink:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._sweep()
        self._check(self._inputs)  # the sweep may have brought back an output that was to be kept
        self._part.mkdir()
        return self

    def _sweep(self) -> None:
        """Remove what killed runs left behind."""
        for stray in self.path.parent.glob(".part-*-" + re.sub(r"([\[\]*?])", r"[\1]", self.path.name)):
            pid = stray.name.split("-")[1]
            if pid.isdigit() and int(pid) != os.getpid() and alive(int(pid)):
                continue
            if stray.name.startswith(f".part-{pid}-old-") and not self.path.exists():
                os.rename(stray, self.path)  # killed between the two renames of a replacement: the old output
            elif stray.is_dir():
                shutil.rmtree(stray)
            else:
                stray.unlink()

    def spool(self) -> BinaryIO:
        """A private temporary file for parts that are put together later."""
        spool: BinaryIO = tempfile.TemporaryFile(dir=self._part)  # noqa: SIM115 - closed on exit
        self._spools.append(spool)
        return spool

    def later(self, name: str, make: Callable[[], bytes]) -> None:
        """Write a whole file whose bytes take time to make; arguments as of ``NullSink.later``."""
        if self._pool is None:
            self.write(name, make())
            return
        name = self.claim(name)

        def run() -> None:
            data = make()
            with self._create(name) as stream:
                stream.write(data)

        self._pending.append(self._pool.submit(run))
        while len(self._pending) > self._room:
            self._pending.popleft().result()

    def _create(self, name: str) -> BinaryIO:
        full = self._part / name
        full.parent.mkdir(parents=True, exist_ok=True)
        return full.open("xb")

    def _place(self, name: str, path: str, how: str) -> None:
        if self.container != "folder":
            raise ValueError(f"{path}: files can be linked or moved into a folder, not into {self.path.name}")
        full = self._part / name
        full.parent.mkdir(parents=True, exist_ok=True)
        if how == "symlink":
            os.symlink(os.path.realpath(path), full)
        elif how == "hardlink":
            os.link(os.path.realpath(path), full)
        else:
            try:
                os.link(os.path.realpath(path), full)
            except OSError:  # another disk
                shutil.copy2(path, full)
            self._moved.append(path)
        self._linked.add(name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._pool is not None:
                self._pool.shutdown(cancel_futures=kind is not None)
            if kind is None:
                for made in self._pending:
                    made.result()
                self._commit()
        except OSError as failure:
            name_full(failure, self.path)
            raise
        finally:
            name_full(error, self.path)
            for spool in self._spools:
                with suppress(OSError):  # on a full disk there is no room for what it still holds either
                    spool.close()
            shutil.rmtree(self._part, ignore_errors=True)

    def _commit(self) -> None:
        if self.container == "folder":
            self._flush_all()
            old = None
            if self.path.exists():
                old = self.path.with_name(f".part-{os.getpid()}-old-{self.path.name}")
                os.rename(self.path, old)
            try:
                os.rename(self._part, self.path)
            except OSError:
                if old is not None:
                    os.rename(old, self.path)
                raise
            if old is not None:
                shutil.rmtree(old)
        else:
            ready = self._pack() if self.container == "zip" else self._single()
            flush(ready)
            os.replace(ready, self.path)
        flush(self.path.parent)
        for path in dict.fromkeys(self._moved):
            os.unlink(path)

    def _single(self) -> Path:
        if len(self.names) != 1:
            raise FormatError(
                f"the output needs {len(self.names)} files ({', '.join(self.names[:3])}...), give a folder or a .zip",
                file=self.path.name,
            )
        return self._part / self.names[0]

    def _pack(self) -> Path:
        ready = self._part / ".zip"
        with zipfile.ZipFile(ready, "x", allowZip64=True) as archive:
            for name in self.names:
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.create_system = 3
                info.external_attr = 0o100644 << 16
                stored = name.lower().endswith(_STORED)
                info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
                full = self._part / name
                info.file_size = full.stat().st_size  # lets zipfile choose zip64 by itself
                with full.open("rb") as source, archive.open(info, "w") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
        return ready

    def _flush_all(self) -> None:
        if len(self.names) > 64 and hasattr(os, "sync"):
            os.sync()  # one call for all, instead of one a file
            return
        for name in self.names:
            if name not in self._linked:  # their bytes are on the disk
                flush(self._part / name)
