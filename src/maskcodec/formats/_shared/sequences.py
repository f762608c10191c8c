"""Names of frames for formats that know an image by its sequence and its number in it."""

from __future__ import annotations

from maskcodec.formats._shared.naming import Names, clean_name, ending
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["FrameNames", "Folders", "frame_id"]

UNNAMED = "sequence"


def frame_id(sequence: str | None, number: int, several: bool) -> str:
    """Id of a frame: its number, below the name of the sequence where there are several.

    Example:
        >>> frame_id("a", 7, True), frame_id("a", 7, False)
        ('a/000007', '000007')
    """
    return f"{sequence}/{number:06d}" if several else f"{number:06d}"


class Folders:
    """A folder for each sequence: unique whatever the letter case, in the order of their first use."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], str] = {}
        self._taken: set[tuple[str, str]] = set()

    def of(self, subset: str, sequence: str) -> str:
        """Path of the folder of a sequence; that of its subset, unless it is ``default``, stands before it."""
        key = subset, sequence
        if key not in self._found:
            name = base = clean_name(sequence).replace("/", "_")
            count = 1
            while (subset, name.casefold()) in self._taken:
                count += 1
                name = f"{base}_{count}"
            self._taken.add((subset, name.casefold()))
            self._found[key] = name if subset == "default" else f"{subset}/{name}"
        return self._found[key]


class FrameNames(Names):
    """Gives items the names of frames: numbered from 1 in each sequence, in the order in which they come.

    Args:
        report: hears of ids, paths, subsets, sequences and frames that are changed.
        several: there is more than one sequence.
        kept: the image files come along.
        images: folder of the images below that of the sequence.
        sparse: frames keep their numbers where these ascend; sequences are names of files.
        first: number of frame 0 of a sparse sequence.
    """

    def __init__(
        self, report: LossReport, *, several: bool, kept: bool = False, images: str = "img1", sparse: bool = False,
        first: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(report, paths=False, kept=kept)
        self.several, self.images, self.sparse, self.folders = several, images, sparse, Folders()
        self.first = first
        self._numbers: dict[tuple[str, str | None], int] = {}
        self._sequences: dict[tuple[str, str | None], str] = {}

    def give(self, item: Item, source: Item) -> None:
        """Set subset, sequence, frame, id and path of an item, which is a copy of ``source``."""
        if item.subset == source.subset:
            item.subset = self._subset(source)
        if self.several or item.subset != "default" or source.sequence is not None:
            item.sequence = self._sequence(item.subset, source)
        key = item.subset, item.sequence
        frame = self._numbers.get(key, -1) + 1
        if self.sparse and source.frame is not None and frame <= source.frame <= 999_999_999:
            frame = source.frame
        self._numbers[key] = frame
        if source.frame != frame:
            tell = self.report.default if source.frame is None else self.report.rename
            tell(source, None, "frame", "frames are numbered in the order of the items")
        number = frame + (self.first if self.sparse else 1)
        item.frame, item.id = frame, frame_id(item.sequence, number, self.several)
        if source.id != item.id:
            self.report.rename(source, None, "id", "an image is known by its sequence and the number of its frame")
        folder = ""
        if item.sequence is not None and (self.several or item.subset != "default"):
            folder = self.folders.of(item.subset, item.sequence) + "/"
        if source.path is None or (item.path is None and not self.kept):
            return
        item.path = f"{folder}{self.images}/{number:06d}{ending(source.path)}"
        if self.sparse:
            self.report.drop(source, None, "path", "images are copied, but the format does not name them")
        elif item.path != source.path and self.kept:
            self.report.rename(source, None, "path", "images are named by their sequence and the number of the frame")
        elif item.path != source.path:
            item.path = None
            self.report.drop(source, None, "path", "images are known by their sequence and the number of the frame")

    def _sequence(self, subset: str, source: Item) -> str:
        key = subset, source.sequence
        if key not in self._sequences:
            name = " ".join((source.sequence or "").split()) or UNNAMED
            if self.sparse:
                name = "_".join(clean_name(name).replace("/", "_").split())
            taken = {value.casefold() for key, value in self._sequences.items() if key[0] == subset}
            while name.casefold() in taken or (self.sparse and name.casefold() == "labels"):
                name += "_"
            self._sequences[key] = name
        name = self._sequences[key]
        if source.sequence is None:
            self.report.default(source, None, "sequence", "of several sequences each has a name")
        elif name != source.sequence:
            self.report.rename(source, None, "sequence", "the name of a sequence is a line of text, or that of a file")
        return name
