"""Files of a KITTI data set: ``[<subset>/]{label_2,image_2,instance,semantic,semantic_rgb}/<id>``."""

from __future__ import annotations

import re

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Probe
from maskcodec.formats._shared.naming import IMAGES, stem
from maskcodec.formats._shared.source import Source

__all__ = ["Layout", "has_labels", "has_maps"]

_PLACE = re.compile(r"(?:(.*?)/)??(label_2|image_2|instance|semantic|semantic_rgb)/(.+)\.(\w+)")
_ENDINGS = {"label_2": (".txt",), "image_2": tuple(IMAGES)}


class Layout:
    """Where the parts of every image are.

    Attributes:
        items: (subset, id) -> folder -> name of the file, sorted.
        table: name of ``label_colors.txt``; None when there is none.
        odd: files whose image has another one of that kind in the same subset.
    """

    def __init__(self, source: Source, folders: tuple[str, ...]) -> None:
        found: dict[tuple[str, str], dict[str, str]] = {}
        self.table: str | None = None
        for name in source.files:
            if name.rpartition("/")[2] == "label_colors.txt" and (self.table is None or len(name) < len(self.table)):
                self.table = name
            match = _PLACE.fullmatch(name)
            if match is None or match.group(2) not in folders:
                continue
            if not name.lower().endswith(_ENDINGS.get(match.group(2), (".png",))):
                continue
            subset = (match.group(1) or "").rpartition("/")[2] or "default"
            own = found.setdefault((subset, match.group(3)), {})
            if match.group(2) in own:
                text = f"image {shorten(match.group(3))} of {subset} is there already, as {own[match.group(2)]}"
                source.problem(FormatError(text, file=source.display(name)))
            else:
                own[match.group(2)] = name
        self.items = dict(sorted(found.items()))

    def path(self, key: tuple[str, str]) -> str | None:
        """Path of an image below ``image_2``."""
        name = self.items[key].get("image_2")
        return None if name is None else name[len(stem(name)) - len(key[1]) :]


def _matching(probe: Probe, folder: str) -> list[str]:
    found = ((name, _PLACE.fullmatch(name)) for name in probe.files)
    endings = _ENDINGS.get(folder, (".png",))
    return [n for n, match in found if match and match.group(2) == folder and n.lower().endswith(endings)]


def has_labels(probe: Probe) -> str | None:
    """A file below ``label_2`` whose first line has the columns of KITTI."""
    for name in _matching(probe, "label_2"):
        head = probe.head(name).removeprefix(b"\xef\xbb\xbf").split(b"\n")
        words = next((line.split() for line in head if line.strip()), [])
        if len(words) >= 15 and all(re.fullmatch(rb"[-+0-9.eE]+", word) for word in words[-14:]):
            return name
    return None


def has_maps(probe: Probe) -> str | None:
    """A PNG of one channel and 16 bits below ``instance``."""
    for name in _matching(probe, "instance"):
        if probe.head(name)[:8] == b"\x89PNG\r\n\x1a\n" and probe.head(name)[24:26] == b"\x10\x00":
            return name
    return None
