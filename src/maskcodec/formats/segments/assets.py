"""Files of Segments.ai that stand in the JSON as addresses.

Nothing is ever downloaded. The last part of an address is looked for beside the JSON and in ``assets/``, then under the
name that the SDK gives it in its cache.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import BinaryIO

from maskcodec.formats._shared.source import Source

__all__ = ["Assets", "Resolver", "point_count", "stem"]

Resolver = Callable[[str], bytes | None]
_MEDIA = (
    ".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff", ".pcd", ".bin", ".ply", ".las", ".laz", ".splat",
)  # fmt: skip


def stem(name: str) -> str:
    """A sample name without the extension of its image or point cloud."""
    head, dot, tail = name.rpartition(".")
    return head if dot and head and f".{tail.lower()}" in _MEDIA else name


def point_count(data: bytes, kind: object) -> int | None:
    """Number of points in the file of a cloud; None where its type does not tell.

    Example:
        >>> point_count(bytes(64), "kitti"), point_count(b"POINTS 7\\nDATA ascii\\n", "pcd")
        (4, 7)
    """
    size = {"kitti": 16, "binary-xyzi": 16, "nuscenes": 20, "binary-xyzir": 20}.get(str(kind))
    if size is not None:
        return len(data) // size
    found = re.search({"pcd": rb"^POINTS\s+(\d+)", "ply": rb"^element vertex (\d+)"}.get(str(kind), rb"$^"), data, re.M)
    return int(found.group(1)) if found else None


class Assets:
    """Finds the files that addresses stand for."""

    def __init__(self, source: Source, name: str, folder: str | None, resolve: Resolver | None) -> None:
        self.source, self.resolve = source, resolve
        self.folder = Source(folder) if folder is not None else None
        self.base = name.rpartition("/")[0] + "/" if "/" in name else ""
        self.cache: tuple[str, ...] = ()

    def find(self, url: str, cached: str) -> tuple[str, bytes] | None:
        """Name and content for an address; ``cached`` is the file's name in the cache of the SDK."""
        found = self.open(url, cached)
        if found is None:
            return None
        name, data = found
        if isinstance(data, bytes):
            return name, data
        with data:
            return name, data.read()

    def open(self, url: str, cached: str) -> tuple[str, bytes | BinaryIO] | None:
        """As ``find``, but a file is opened only."""
        if self.resolve is not None:
            data = self.resolve(url)
            if data is not None:
                return url, bytes(data)
        last = url.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]
        places = [(self.folder, last)] if self.folder is not None else []
        places += [(self.source, self.base + last), (self.source, f"{self.base}assets/{last}")]
        for root in (self.folder, self.source):
            if root is not None:
                base = self.base if root is self.source else ""
                places += [(root, f"{base}{folder}{cached}") for folder in self.cache]
        for root, place in places:
            if root is not None and last and root.has(place):
                return root.display(place), root.open(place)
        return None
