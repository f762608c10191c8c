"""Names that come from data: checked before anything is opened or made by them. Used through ``source``."""

from __future__ import annotations

import os
import re
from pathlib import Path

from maskcodec.errors import shorten

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE_OR_SCHEME = re.compile(r"[A-Za-z]:|[A-Za-z][A-Za-z0-9+.-]+://")


def safe_name(name: object) -> str:
    r"""Check a relative name from data and return it with ``/`` between parts.

    Raises:
        ValueError: empty, absolute, with a drive, share or scheme, climbing with ``..``, or with control characters.

    Example:
        >>> safe_name("sub\\c.png")
        'sub/c.png'
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"expected a relative path, got {shorten(name)}")
    path = name.replace("\\", "/")
    if _CONTROL.search(path):
        raise ValueError(f"control character in the path {shorten(name)}")
    if path.startswith("/") or _DRIVE_OR_SCHEME.match(path):
        raise ValueError(f"absolute path or address {shorten(name)}, expected a path inside the data set")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise ValueError(f"path {shorten(name)} leads outside the data set")
    return "/".join(parts)


def safe_join(root: str | os.PathLike[str], name: object) -> Path:
    """Join a name from data to a folder; links are followed before the check.

    Raises:
        ValueError: the name or what it resolves to is outside the folder.
    """
    base = os.path.realpath(root)  # plain texts: a data set of many small files opens each of them through here
    path = os.path.join(base, *safe_name(name).split("/"))
    if not (os.path.realpath(path) + os.sep).startswith(base.rstrip(os.sep) + os.sep):
        raise ValueError(f"path {shorten(name)} leads outside the data set through a link")
    return Path(path)
