"""What a sink asks of the operating system."""

from __future__ import annotations

import errno
import os
from pathlib import Path

__all__ = ["alive", "flush", "name_full"]

_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


def name_full(error: BaseException | None, path: Path) -> None:
    """A full disk is told by a number alone: say for what there was no room."""
    if isinstance(error, OSError) and error.errno in _FULL and error.filename is None:
        error.filename = str(path)


def flush(path: Path) -> None:
    """Force a file or folder to the disk."""
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def alive(pid: int) -> bool:
    """Whether a process runs; where that cannot be asked, it does."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
