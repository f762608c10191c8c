"""Lists of images with their maps, and the folders of the Cambridge release."""

from __future__ import annotations

import re
from typing import NamedTuple

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.lines import Line, lines, quoted_fields
from maskcodec.formats._shared.naming import IMAGES, stem
from maskcodec.formats._shared.source import Source

__all__ = ["Entry", "Files", "entries_of", "entry_of", "is_map", "release", "texts"]

_TABLE_NAMES = ("label_colors.txt", "labelmap.txt")
_RELEASE = re.compile(r"(.*)_L\.png", re.IGNORECASE)


class Entry(NamedTuple):
    """One image of a list: its place below the folder of its subset, its files, and where the list has it."""

    subset: str
    path: str
    image: str | None
    map: str | None
    line: Line | None


def texts(source: Source) -> tuple[str, list[str]]:
    """The folder of a data set, with its slash, and the text files in it that may be lists."""
    found = [n for n in source.files if n.lower().endswith(".txt")]
    depth = min((name.count("/") for name in found), default=0)
    roots = {name.rpartition("/")[0] for name in found if name.count("/") == depth}
    if len(roots) > 1:
        raise FormatError(f"several folders with lists ({', '.join(sorted(roots)[:4])}), name one", file=source.path)
    root = f"{next(iter(roots))}/" if roots - {""} else ""
    names = (n for n in found if n.startswith(root) and "/" not in n[len(root) :])
    return root, [name for name in names if name[len(root) :] not in _TABLE_NAMES]


def is_map(path: str) -> bool:
    return path.lower().endswith(".png")


def _is_list(source: Source, name: str) -> bool:
    """Whether a text file lists images: its maps are there, it is empty, or a line looks like the path of one."""
    if any(other.startswith(f"{name[:-4]}annot/") for other in source.files):
        return True
    empty = True
    for line in lines(source, name):
        empty = False
        first, last = line.fields[0], line.fields[-1]
        if first[0] in '/\\"' or (len(line) <= 2 and (first.lower().endswith(IMAGES) or is_map(last))):
            return True
    return empty


class Files:
    """Finds listed files below a root, whatever stands in front of their paths."""

    def __init__(self, source: Source, root: str) -> None:
        self.root = root
        self.names = {self._key(name): name for name in reversed(source.files) if name.startswith(root)}

    @staticmethod
    def _key(name: str) -> str:
        base = stem(name)
        return base + name[len(base) :].lower()

    def find(self, parts: list[str]) -> tuple[str | None, int]:
        """The file of a path, and how many of its first components had to go."""
        for drop in range(len(parts)):
            name = self.names.get(self._key(self.root + "/".join(parts[drop:])))
            if name is not None:
                return name, drop
        return None, 0


def _parts(line: Line, text: str, field: str) -> list[str]:
    parts = [part for part in text.replace("\\", "/").split("/") if part not in ("", ".")]
    if ".." in parts or not parts:
        raise line.fault(f"expected a path inside the data set, got {shorten(text)}", field)
    return parts


def entry_of(files: Files, subset: str, line: Line) -> Entry:
    fields = quoted_fields(line)
    if len(fields) > 2:
        raise line.fault(f"expected the path of an image and that of its map, got {len(fields)} fields")
    parts = _parts(line, fields[0], "image")
    image, dropped = files.find(parts)
    found: str | None = None
    if len(fields) > 1 and fields[1]:
        found, cut = files.find(_parts(line, fields[1], "map"))
        if image is None and found is not None:
            dropped = min(cut, len(parts) - 1)
    rest = parts[dropped:]
    if subset in rest[:-1]:
        rest = rest[rest.index(subset) + 1 :]
    wanted = len(fields) > 1 and fields[1] != "" and found is None
    return Entry(subset, "/".join(rest), image, fields[1] if wanted else found, line if wanted else None)


def entries_of(source: Source, root: str, names: list[str]) -> list[Entry]:
    """All images of the lists, each once a list."""
    files, out = Files(source, root), []
    for name in names:
        if not _is_list(source, name):
            source.report.unread(source.display(name), None, "", "no list of images", what="file")
            continue
        subset = name[len(root) : -4]
        seen: dict[str, int] = {}
        for line in lines(source, name):
            try:
                entry = entry_of(files, subset, line)
                key = stem(entry.path)
                if key in seen:
                    raise line.fault(f"image {shorten(key)} is there already, in line {seen[key]}")
            except FormatError as error:
                source.problem(error)
                continue
            seen[key] = line.number
            out.append(entry)
    used = {entry.map for entry in out}
    folders = tuple(f"{name[:-4]}annot/" for name in names)
    for name in source.files:
        if folders and name.startswith(folders) and name not in used and is_map(name):
            source.report.unread(source.display(name), None, "", "a map that no list names", what="file")
    return out


def release(source: Source) -> list[Entry]:
    """Images of the release: maps ``<frame>_L.png`` in a folder of their own, images in another one."""
    folders: dict[str, list[str]] = {}
    for name in source.files:
        if is_map(name):
            folders.setdefault(name.rpartition("/")[0], []).append(name)
    maps = [name for own in folders.values() if all(map(_RELEASE.fullmatch, own)) for name in own]
    images = {stem(name).rpartition("/")[2]: name for name in source.files if name.lower().endswith(IMAGES)}
    out = []
    for name in maps:
        key = stem(name).rpartition("/")[2][:-2]
        image = images.get(key)
        out.append(Entry("default", (image or f"{key}.png").rpartition("/")[2], image, name, None))
    return out
