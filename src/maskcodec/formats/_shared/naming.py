"""Names of files for items, and the image files that belong to names.

Many formats know an image by its path without the ending: that is the id of the item there, and the folder that a file
lies in says the subset. ``Names`` gives every item such a name when it is written; ``Images`` finds the file again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import BinaryIO

from maskcodec.errors import FormatError
from maskcodec.formats._shared.frames import IMAGES
from maskcodec.formats._shared.images import image_size
from maskcodec.formats._shared.source import Source, safe_name
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = [
    "IMAGES", "Found", "Images", "Names", "clean_name", "ending", "media_at_path", "media_in", "stem", "tell_order",
]  # fmt: skip


def stem(path: str) -> str:
    """A path without its last ending.

    Example:
        >>> stem("a.b/c.d.png"), stem("a.b/c"), stem(".hidden")
        ('a.b/c.d', 'a.b/c', '.hidden')
    """
    folder, slash, base = path.rpartition("/")
    head, dot, _ = base.rpartition(".")
    return f"{folder}{slash}{head}" if dot and head else path


def ending(path: str | None, default: str = ".jpg") -> str:
    """The ending of a path, with its dot."""
    return path[len(stem(path)) :] or default if path else default


def media_in(folder: str) -> Callable[[Item], str | None]:
    """Where a format keeps images: all in one folder, or in one a subset where the name holds ``{subset}``."""

    def place(item: Item) -> str | None:
        return f"{folder.replace('{subset}', item.subset)}/{item.path}" if item.path else None

    return place


def media_at_path(item: Item) -> str | None:
    """Where a format keeps images that names them by their whole path."""
    return item.path


def clean_name(name: str) -> str:
    """A name that can be that of a file inside the data set, as near to the one given as can be."""
    try:
        return safe_name(name)
    except ValueError:
        parts = [re.sub(r"[\x00-\x1f\x7f:]", "_", part) for part in name.replace("\\", "/").split("/")]
        return "/".join(part for part in parts if part not in ("", ".", "..")) or "unnamed"


class Names:
    """Gives items names that can be those of files: unique whatever the letter case, inside the data set.

    Args:
        report: hears of ids, paths and subsets that are changed.
        paths: the format keeps the whole path of the image; else only its path without the ending, which is the id.
        together: names are unique over all subsets, which share a folder; else in their subset.
        kept: the image files come along, so that their endings are known although the format does not keep them.
        default: the subset that items without one (``default``) go into.
    """

    def __init__(
        self, report: LossReport, *, paths: bool, together: bool = False, kept: bool = False, default: str = "default"
    ) -> None:
        self.report, self.paths, self.together, self.kept, self.default = report, paths, together, kept, default
        self._taken: dict[str, set[str]] = {}
        self._subsets: dict[str, str] = {}

    def give(self, item: Item, source: Item) -> None:
        """Set subset, id and path of an item, which is a copy of ``source``, to what a reader will find."""
        if item.subset == source.subset:
            item.subset = self._subset(source)
        taken = self._taken.setdefault("" if self.together else item.subset, set())
        given = source.path is not None
        name = clean_name(source.path if source.path is not None else str(source.id))
        base = bare = stem(name) if given else name
        count = 1
        while bare.casefold() in taken:
            count += 1
            bare = f"{base}_{count}"
        taken.add(bare.casefold())
        item.id = bare
        if source.id != bare:
            self.report.rename(source, None, "id", "an item is known by the path of its image without the ending")
        item.path = bare + (name[len(base) :] if given else ".jpg")
        if self.paths or (self.kept and given):
            if not given:
                self.report.default(source, None, "path", "the format names an image file")
            elif source.path != item.path:
                self.report.rename(source, None, "path", "another image has this name, or it leads outside")
        else:
            if given:
                self.report.drop(source, None, "path", "images are known by their paths without the ending")
            item.path = None

    def _subset(self, source: Item) -> str:
        if source.subset == "default" != self.default:
            self.report.rename(source, None, "subset", f"the format has no default subset, it is {self.default}")
            return self.default
        name = self._subsets.get(source.subset)
        if name is None:
            name = clean_name(source.subset).replace("/", "_")
            while name in self._subsets.values():
                name += "_"
            self._subsets[source.subset] = name
        if name != source.subset:
            self.report.rename(source, None, "subset", "the name of a subset is that of a file or folder")
        return name


def tell_order(names: list[str], report: LossReport) -> None:
    """Report that files, one an item, come back in the order of their names, if that is another."""
    if names != sorted(names):
        report.approximate(None, None, "items", "files have no order but that of their names")


class Found:
    """Opens the images of items that a reader found, and no other file of that name, as a map of its pixels is.

    Args:
        source: has the files.
        names: (subset, path of the item) -> name of the file.
    """

    def __init__(self, source: Source, names: Mapping[tuple[str, str | None], str]) -> None:
        self.source, self.names = source, names

    def open_media(self, item: Item | str) -> BinaryIO | None:
        """The image of an item, or of a path that only one subset has; None when there is none."""
        name = self.media_name(item)
        return self.source.open(name) if name is not None else None

    def media_name(self, item: Item | str) -> str | None:
        """Name of the file that ``open_media`` opens."""
        if isinstance(item, str):
            alike = [name for (_, path), name in self.names.items() if path == item]
            return alike[0] if len(alike) == 1 else None
        return self.names.get((item.subset, item.path))


class Images:
    """The image files of a data set by their names without the ending."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._files: dict[str, str] = {}
        for name in reversed(source.files):
            if name.lower().endswith(IMAGES):
                self._files[stem(name)] = name

    def find(self, *names: str) -> str | None:
        """The first image file whose path without the ending is one of these; None when there is none."""
        return next((self._files[name] for name in names if name in self._files), None)

    def size(self, name: str | None, *, displayed: bool = False) -> tuple[int | None, int | None]:
        """Width and height of an image file; None, None when there is no file, or (reported) no size in it.

        Args:
            name: of the file.
            displayed: after the rotation that its EXIF data ask for; else as stored.
        """
        if name is None or not self.source.has(name):
            return None, None
        try:
            with self.source.open(name) as stream:
                return image_size(stream, self.source.display(name), displayed=displayed)
        except FormatError as error:
            self.source.problem(error)
            return None, None
