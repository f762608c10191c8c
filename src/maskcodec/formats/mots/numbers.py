"""Numbers of objects on writing: those of their tracks where they fit, else free ones."""

from __future__ import annotations

from typing import Any

from maskcodec.formats._shared.carry_whole import clone
from maskcodec.formats.mots.labels import FACTOR, IGNORED, Classes
from maskcodec.masks import RleArray
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["Numbers", "join"]

_Key = tuple[str, str | None, int]


def join(item: Item, source: Item, report: LossReport) -> None:
    """Bring the masks of an image into what a map can say: crowds are one region, a track has one mask."""
    groups: dict[Any, list[Mask]] = {}
    for mask in item.annotations:
        if not isinstance(mask, Mask):
            continue
        if mask.is_crowd and mask.track_id is not None:
            mask = clone(mask)
            mask.is_crowd = False
            report.drop(source, mask, "is_crowd", "only a region without a track can be a crowd")
        key = "crowd" if mask.is_crowd else id(mask) if mask.track_id is None else (mask.category_id, mask.track_id)
        groups.setdefault(key, []).append(mask)
    item.annotations = []
    for key, masks in groups.items():
        first = masks[0]
        if len(masks) > 1:
            text = "joined to one region that is ignored" if key == "crowd" else "joined with others of the track"
            for mask in masks[1:]:
                report.approximate(source, mask, "", text)
            first = clone(first)
            first.rle = RleArray.from_rles([mask.rle for mask in masks]).merge()
        item.annotations.append(first)


class Numbers:
    """Pixel values of masks.

    Args:
        classes: numbers of the classes.
        report: hears of numbers that change.
        renumber: give all tracks new numbers.
    """

    def __init__(self, classes: Classes, report: LossReport, renumber: bool) -> None:
        self.classes, self.report, self.renumber = classes, report, renumber
        self._used: dict[_Key, set[int]] = {}
        self._tracks: dict[tuple[_Key, Any], int] = {}
        self._lowest: dict[_Key, int] = {}
        self._waiting: set[tuple[str, Any]] = set()

    def _key(self, item: Item, mask: Mask) -> _Key:
        return item.subset, item.sequence, self.classes.numbers[mask.category_id]

    def _fits(self, key: _Key, track: Any) -> bool:
        if track == 0 and key[2] == IGNORED and self.classes.free:
            return False  # the value of the region to be ignored
        return type(track) is int and 0 <= track < FACTOR and not self.renumber

    def learn(self, item: Item) -> bool:
        """Take note of the tracks of an image; returns whether it can be written before all others are known."""
        ready = True
        for mask in item.annotations:
            if not isinstance(mask, Mask) or mask.is_crowd:
                continue
            if self._fits(self._key(item, mask), mask.track_id):
                self._used.setdefault(self._key(item, mask), set()).add(mask.track_id)  # type: ignore[arg-type]
            else:
                ready = False
        if not ready:
            self._waiting.add((item.subset, item.id))
        return ready

    def waits(self, item: Item) -> bool:
        """Whether an image was not ready."""
        return (item.subset, item.id) in self._waiting

    def _free(self, key: _Key) -> int:
        used, number = self._used.setdefault(key, set()), self._lowest.get(key, 1)
        while number in used:
            number += 1
        if number >= FACTOR:
            raise ValueError(f"more than {FACTOR - 1} objects of class {key[2]} in a sequence, 16 bits hold no more")
        used.add(number)
        self._lowest[key] = number + 1
        return number

    def values(self, item: Item, masks: list[Mask]) -> list[int]:
        """Pixel value of each mask; 0 for what cannot be written."""
        out = []
        for mask in masks:
            if mask.is_crowd:
                out.append(self._region(item, mask))
                continue
            key, track = self._key(item, mask), mask.track_id
            self.classes.extra_used |= self.classes.extra is not None and mask.category_id == IGNORED
            if track is None:
                number = self._free(key)
                self.report.default(item, mask, "track_id", "every mask has a number, the lowest that is free")
            elif self._fits(key, track):
                number = int(track)
            else:
                if (key, track) not in self._tracks:
                    self._tracks[key, track] = self._free(key)
                number = self._tracks[key, track]
                if number != track:
                    self.report.rename(item, mask, "track_id", "tracks are numbered in each class")
            out.append(key[2] * FACTOR + number)
        return out

    def _region(self, item: Item, mask: Mask) -> int:
        if not self.classes.free:
            self.report.drop(item, mask, "", "class 10 has another name, there is no region to be ignored")
            return 0
        if mask.category_id != self.classes.region:
            self.report.approximate(item, mask, "category_id", "a crowd is a region to be ignored, without its class")
            if self.classes.region is None:
                text = "the region to be ignored is a class of its own"
                self.report.default("ignored", None, "", text, what="category")
        self.classes.region_used = True
        return IGNORED * FACTOR
