"""Files of a Cityscapes data set: ``gtFine/<subset>/[<city>/]<id>_gtFine_*`` and ``leftImg8bit/...``."""

from __future__ import annotations

import re

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.naming import IMAGES, ending
from maskcodec.formats._shared.source import Source

__all__ = ["PARTS", "SPLITS", "Layout", "is_city_file", "seen"]

SPLITS = ("train", "val", "test", "train_extra", "default")
# Part -> what the names of its files end in.
PARTS = {"polygons": "polygons.json", "instances": "instanceIds.png", "labels": "labelIds.png",
         "train": "labelTrainIds.png"}  # fmt: skip
_SUFFIXES = {suffix: part for part, suffix in PARTS.items()}
_TRUTH = re.compile(r"(?:.*/)?(gtFine|gtCoarse)/(.+)_\1_(\w+\.\w+)")
_IMAGE = re.compile(r"(?:.*/)?leftImg8bit/(.+)_leftImg8bit\.\w+")


def is_city_file(folder: str, key: str) -> bool:
    """Whether a file is named as those of a city are, which the folder is called after."""
    return re.fullmatch(re.escape(folder) + "_[0-9]+_[0-9]+", key) is not None


def _cities(keys: list[str]) -> set[str]:
    """Folders without a split above them that are cities."""
    found: dict[str, bool] = {}
    for key in keys:
        folder, slash, rest = key.partition("/")
        if slash and folder not in SPLITS:
            found[folder] = found.get(folder, True) and is_city_file(folder, rest)
    return {folder for folder, city in found.items() if city}


def seen(files: list[str]) -> tuple[str | None, str | None]:
    """The first map or outlines, and the first image, of which the names are those of Cityscapes."""
    truth = (n for n in files if (match := _TRUTH.fullmatch(n)) and match.group(3) in _SUFFIXES)
    return next(truth, None), next(filter(_IMAGE.fullmatch, files), None)


class Layout:
    """Where the parts of every image are.

    Args:
        source: the data set.
        truth: "gtFine" or "gtCoarse"; None: the former, or the latter where there is none.

    Attributes:
        items: (subset, id) -> part ("image" too) -> name of the file, sorted.
        table: name of the table of labels; None when there is none.
    """

    def __init__(self, source: Source, truth: str | None) -> None:
        files: dict[str, list[tuple[str, str, str]]] = {"gtFine": [], "gtCoarse": []}
        images: list[tuple[str, str, str]] = []
        tables = []
        for name in source.files:
            if name.rpartition("/")[2] in ("label_colors.txt", "label_color.txt"):
                tables.append(name)
            elif match := _TRUTH.fullmatch(name):
                if match.group(3) in _SUFFIXES:
                    files[match.group(1)].append((match.group(2), _SUFFIXES[match.group(3)], name))
            elif (match := _IMAGE.fullmatch(name)) and name.lower().endswith(IMAGES):
                images.append((match.group(1), "image", name))
        self.table = min(tables, key=lambda name: (name.count("/"), name.endswith("label_color.txt")), default=None)
        chosen = truth or ("gtFine" if files["gtFine"] or not files["gtCoarse"] else "gtCoarse")
        if truth is None and chosen == "gtFine" and files["gtCoarse"]:
            text = "gtFine is there too; read it with truth='gtCoarse'"
            source.report.unread("gtCoarse", None, "", text, what="file", count=len(files["gtCoarse"]))
        cities = _cities([key for key, _, _ in files[chosen]])
        found: dict[tuple[str, str], dict[str, str]] = {}
        for key, part, name in files[chosen] + images:
            folder, slash, rest = key.partition("/")
            place = (folder, rest) if slash and folder not in cities else ("default", key)
            own = found.setdefault(place, {})
            if part in own:
                text = f"image {shorten(place[1])} of {place[0]} is there already, as {own[part]}"
                source.problem(FormatError(text, file=source.display(name)))
            else:
                own[part] = name
        self.items = dict(sorted(found.items()))

    def path(self, key: tuple[str, str]) -> str | None:
        """Path of an image: its id with the ending of its file."""
        name = self.items[key].get("image")
        return None if name is None else key[1] + ending(name)
