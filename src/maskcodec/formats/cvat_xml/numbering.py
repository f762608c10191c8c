"""Numbers of frames and names of items: what they are read back as, and groups."""

from __future__ import annotations

from array import array
from typing import Any

from maskcodec.formats._shared.frames import frame_name, progression
from maskcodec.formats.cvat_xml.images import stem_of
from maskcodec.model.annotations import Annotation
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["Numbering", "groups_of"]


class Numbering:
    """The part of the writer that numbers items and reports those that are read back under another name.

    Attributes:
        subsets: positions of the items of each subset.
        frames: number of each item; -1 where none is given.
        names: of each item its name in reports, its id, its file name, whether it has a frame, whether it has a path.
        sizes: width and height of each item, 0 for unknown.
        masks: size of masks -> how many, and an item with one.
        pieces: of each image its place in the spool and whether tracks do without it, three numbers each.
    """

    report: LossReport
    with_images: bool
    size: tuple[int, int] | None
    sizes: array[int]
    masks: dict[tuple[int, int], list[Any]]
    subsets: dict[str, array[int]]
    frames: array[int]
    names: list[tuple[str, str, str, bool, bool]]
    pieces: array[int]

    def _numbered(self, item: Item | str, given: bool, old: int, new: int) -> None:
        if not given:
            self.report.default(item, None, "frame", "images have a number", what="item")
        elif old != new:
            self.report.rename(item, None, "frame", "images are counted anew", what="item")

    def _number_frames(self) -> None:
        """Numbers of the frames of each subset: those given if they are evenly spaced, else counted from 0."""
        for positions in self.subsets.values():
            given = [self.frames[p] for p in positions]
            known = progression(given) if given[0] >= 0 else None
            for at, position in enumerate(positions):
                number = known[at] if known is not None else at
                name, _, _, framed, _ = self.names[position]
                self._numbered(name, framed, self.frames[position], number)
                self.frames[position] = number

    def _number_images(self) -> None:
        """Numbers of the images of each subset: those given if no two are the same, else counted from 0."""
        for positions in self.subsets.values():
            given = [self.frames[p] for p in positions]
            keep = min(given) >= 0 and len(set(given)) == len(given)
            for at, position in enumerate(positions):
                number = given[at] if keep else at
                self._numbered(self.names[position][0], self.names[position][3], given[at], number)
                self.frames[position] = number

    def _names(self, video: bool) -> None:
        """Report items whose id or path is read back as another."""
        names = self.names
        if video and not self.with_images:
            for position, (shown, own, name, _, located) in enumerate(names):
                reason = "frames are known by their number"
                if own != frame_name(self.frames[position]):
                    self.report.rename(shown, None, "id", reason, what="item")
                if not located or name != frame_name(self.frames[position]):
                    self.report.rename(shown, None, "path", reason, what="item")
                for at, part in enumerate(("width", "height")):
                    if self.size is not None and self.sizes[2 * position + at] != self.size[at]:
                        self.report.default(shown, None, part, "a video has one size for all frames", what="item")
            for shape, (count, shown) in self.masks.items():
                if self.size is not None and shape != (self.size[1], self.size[0]):
                    reason = "put into the frames, which have one size"
                    self.report.approximate(shown, None, "", reason, what="mask", count=count)
            return
        for positions in self.subsets.values():
            stems: dict[str, int] = {}
            for p in positions:
                stem = stem_of(names[p][2])
                stems[stem] = stems.get(stem, 0) + 1
            for p in positions:
                shown, own, name, _, located = names[p]
                plain = video and len(self.pieces) > 3 * p + 2 and self.pieces[3 * p + 2]
                if plain and own == frame_name(self.frames[p]):
                    continue
                if plain:
                    self.pieces[3 * p + 2] = 0
                stem = stem_of(name)
                if own != (stem if stems[stem] == 1 else name):
                    self.report.rename(shown, None, "id", "an image is known by its name", what="item")
                if not located:
                    self.report.default(shown, None, "path", "an image has a name", what="item")


def groups_of(item: Item, annotations: list[Annotation], report: LossReport) -> dict[int, str]:
    """Text of the group of each annotation (by identity); groups are positive numbers."""
    given = [a.group_id for a in annotations if a.group_id is not None]
    if not given:
        return {}
    used = {g for g in given if type(g) is int and g > 0}
    numbers: dict[Any, int] = {}
    out = {}
    for annotation in annotations:
        group = annotation.group_id
        if group is None:
            continue
        if not (type(group) is int and group > 0):
            if group not in numbers:
                numbers[group] = max([0, *used]) + 1
                used.add(numbers[group])
            report.rename(item, annotation, "group_id", "groups are positive numbers")
            group = numbers[group]
        out[id(annotation)] = str(group)
    return out
