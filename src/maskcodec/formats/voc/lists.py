"""``ImageSets``: which image is in which list, which class it shows, which of its objects do what."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from maskcodec.errors import shorten
from maskcodec.formats._shared.lines import Line, lines
from maskcodec.formats._shared.source import Source

__all__ = ["FOLDERS", "LIST", "Lists"]

FOLDERS = ("Main", "Layout", "Action", "Segmentation")
LIST = re.compile(r"(.*?)(?:^|(?<=/))ImageSets/(Main|Layout|Action|Segmentation)/([^/]+)\.txt")
_FLAGS = ("-1", "0", "1")


def _split(text: str, known: Iterable[str]) -> tuple[str, list[str]]:
    """Id of a line and the fields behind it: the longest beginning that is a known id, else the first field."""
    if text.startswith('"') and '"' in text[1:]:
        key, _, rest = text[1:].partition('"')
        return key, rest.split()
    words = text.split()
    for count in range(len(words), 1, -1):
        key = " ".join(words[:count])
        if key in known:
            return key, words[count:]
    return words[0], words[1:]


@dataclass
class Lists:
    """All lists of a data set.

    Attributes:
        members: folder -> list -> image id -> numbers of objects (none: the image as a whole).
        flags: image id -> class -> 1, -1 or 0.
        classed: names of the lists of ``Main`` that have a class list, with its classes.
        actions: name of a list of actions -> rows of image id, number of the object, flag.
    """

    members: dict[str, dict[str, dict[str, list[int]]]] = field(default_factory=dict)
    flags: dict[str, dict[str, int]] = field(default_factory=dict)
    classed: dict[str, list[str]] = field(default_factory=dict)
    actions: dict[str, list[list[Any]]] = field(default_factory=dict)

    @classmethod
    def read(cls, source: Source, root: str, files: set[str], labels: Iterable[str]) -> Lists:
        """Read the lists; ``files`` are the ids of images that have annotations or maps."""
        self = cls({folder: {} for folder in FOLDERS})
        found: dict[tuple[str, str], list[Line]] = {}
        for name in source.files:
            match = LIST.fullmatch(name)
            if match and match.group(1) == root:
                rows = [line for line in lines(source, name) if not line.text.startswith("#") or line.text in files]
                found[match.group(2), match.group(3)] = rows
        alone = {line.text.strip('"') for rows in found.values() for line in rows if len(line) == 1}
        known = files | alone
        classes: dict[str, list[Line]] = {}
        for (folder, name), rows in found.items():
            if folder == "Main" and self._is_class_list(rows, known):
                classes[name] = rows
            elif folder == "Action" and self._is_action_list(rows, known):
                self.actions[name] = [self._action(source, line, known) for line in rows]
            elif rows or not any(name.startswith(f"{label}_") for label in labels):
                self.members[folder][name] = self._images(source, folder, rows, known)
        self._classes(source, classes, known)
        return self

    @staticmethod
    def _is_class_list(rows: list[Line], known: set[str]) -> bool:
        if not rows or any(line.text.strip('"') in known for line in rows):
            return False
        return all(len(line) > 1 and line.fields[-1] in _FLAGS for line in rows)

    @staticmethod
    def _is_action_list(rows: list[Line], known: set[str]) -> bool:
        return bool(rows) and all(
            len(rest := _split(line.text, known)[1]) == 2 and rest[0].isdigit() and rest[1] in _FLAGS for line in rows
        )

    @staticmethod
    def _action(source: Source, line: Line, known: set[str]) -> list[Any]:
        key, rest = _split(line.text, known)
        return [key, int(rest[0]), int(rest[1])]

    @staticmethod
    def _images(source: Source, folder: str, rows: list[Line], known: set[str]) -> dict[str, list[int]]:
        out: dict[str, list[int]] = {}
        for line in rows:
            text = line.text
            if text.strip('"') in known:
                out.setdefault(text.strip('"'), [])
                continue
            key, rest = _split(text, known)
            if folder in ("Layout", "Action") and len(rest) == 1 and re.fullmatch("[0-9]{1,9}", rest[0]):
                out.setdefault(key, []).append(int(rest[0]))
            else:
                form = "an image id" if folder in ("Main", "Segmentation") else "an image id, the number of an object"
                source.problem(line.fault(f"expected {form}, got {shorten(text)}"))
        return out

    def _classes(self, source: Source, classes: dict[str, list[Line]], known: set[str]) -> None:
        """Sort class lists by the longest name of a list that their name ends with."""
        names = sorted({name for lists in self.members.values() for name in lists}, key=len, reverse=True)
        for name, rows in classes.items():
            subset = next((n for n in names if name.endswith(f"_{n}")), name.rpartition("_")[2])
            label = name[: -len(subset) - 1]
            if not label:
                label, subset = name, "default"
            self.classed.setdefault(subset, []).append(label)
            main = self.members["Main"].setdefault(subset, {})
            for line in rows:
                key, _ = _split(line.text, known) if line.text.startswith('"') else (" ".join(line.fields[:-1]), [])
                main.setdefault(key, [])
                flag = int(line.fields[-1])
                other = self.flags.setdefault(key, {}).setdefault(label, flag)
                if other != flag:
                    source.problem(line.fault(f"{key} has flag {other} for {label} in another list, here {flag}"))

    def sizes(self) -> dict[str, int]:
        """Number of images of every list name, over all folders."""
        merged: dict[str, set[str]] = {}
        for lists in self.members.values():
            for name, images in lists.items():
                merged.setdefault(name, set()).update(images)
        return {name: len(images) for name, images in merged.items()}

    def places(self) -> dict[str, dict[str, dict[str, list[int]]]]:
        """Image id -> folder -> list -> numbers of objects."""
        out: dict[str, dict[str, dict[str, list[int]]]] = {}
        for folder, lists in self.members.items():
            for name, images in lists.items():
                for key, numbers in images.items():
                    out.setdefault(key, {}).setdefault(folder, {})[name] = numbers
        return out
