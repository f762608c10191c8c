"""One image: its class map and its object map as masks. Shared with PASCAL VOC."""

from __future__ import annotations

import numpy as np

from maskcodec.errors import FormatError
from maskcodec.formats._shared.labels import Label
from maskcodec.formats._shared.pixelmaps import BACKGROUND, VOID, ClassTable, PixelMap, joint, read_map
from maskcodec.formats._shared.source import Source
from maskcodec.idmaps import voc_palette
from maskcodec.masks import Rle
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Item

__all__ = ["NAMESPACE", "VOC_LABELS", "Pairs", "background_of"]

NAMESPACE = "segmentation_mask"
_VOC_NAMES = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable",
    "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
_PALETTE = [tuple(color) for color in voc_palette().tolist()]
VOC_LABELS = [Label(name, _PALETTE[at]) for at, name in enumerate(_VOC_NAMES)] + [Label("ignored", _PALETTE[255])]
_VOC_INDEX = {color[0] | color[1] << 8 | color[2] << 16: at for at, color in enumerate(_PALETTE)}


def background_of(labels: list[Label]) -> int | None:
    """Place of the background among labels: the one that is black, else the one of this name; None: there is none."""
    black = [at for at, label in enumerate(labels) if label.color == (0, 0, 0)]
    named = [at for at, label in enumerate(labels) if label.name == "background"]
    return next(iter(black + named), None)


class Pairs:
    """Reads class maps and object maps.

    Args:
        source: where the maps are; hears of faults.
        labels: by index; ``void`` is not among them.
        void: category id for void pixels; None leaves them out.
        declared: the colours come from a table of labels.
    """

    def __init__(self, source: Source, labels: list[Label], void: int | None, declared: bool) -> None:
        self.source, self.void = source, void
        self.table = ClassTable([label.color for label in labels], background_of(labels), declared=declared)
        self.names = [label.name for label in labels]

    def masks(self, item: Item, classes: str | None, objects: str | None) -> list[Mask]:
        """The objects of an image, of which at least one map is given by its name; sets the size of the item.

        Raises:
            FormatError: a map is damaged, they differ in size, or there are objects without classes.
        """
        source = self.source
        areas = read_map(source.read(classes), source.display(classes)) if classes else None
        bodies = read_map(source.read(objects), source.display(objects)) if objects else None
        first = areas or bodies
        if first is None:
            return []
        if areas is not None and areas.depth == 16:
            raise FormatError("a class map of 16 bits, expected 8 bits a channel", file=areas.file)
        item.height, item.width = first.shape
        if areas is None:
            source.problem(FormatError("an object map without a class map", file=first.file), item)
            return self._objects(item, first, None, {})
        known = self._classes(item, areas)
        if bodies is None:
            return self._areas(areas, known)
        return self._objects(item, bodies, areas, known)

    def _classes(self, item: Item, areas: PixelMap) -> dict[int, int]:
        """Class of every value of a class map that has one; a lenient reader leaves out pixels of the others."""
        regions = areas.regions()
        found, by = self.table.classes(areas, (value for value, _ in regions))
        out: dict[int, int] = {}
        for value, rle in regions:
            number = found[value]
            fault = ""
            if number is None:
                fault = "is not in the table of labels"
            elif by == "color" and self.table.ambiguous(value, areas):
                fault = "is that of several labels"
            if fault:
                what = "colour" if by == "color" else "index"
                self.source.problem(areas.fault(value, rle, f"the {what} {fault}"), item)
            elif number is not None:
                out[value] = number
        return out

    def _category(self, number: int) -> int | None:
        """Category id of a class; None when it makes no object."""
        return number if number >= 0 else self.void if number == VOID else None

    def _areas(self, areas: PixelMap, known: dict[int, int]) -> list[Mask]:
        """Masks of a class map that has no object map: one a class."""
        merged: dict[int, Rle] = {}
        for value, rle in areas.regions():
            category = self._category(known.get(value, BACKGROUND))
            if category is not None:
                merged[category] = merged[category] | rle if category in merged else rle
        return [Mask(rle, category_id=category) for category, rle in sorted(merged.items())]

    def _numbers(self, item: Item, bodies: PixelMap, used: set[int]) -> dict[int, int]:
        """Number of the object of every value; 0 for none, VOID for the border."""
        if bodies.kind != "color":
            void = 255 if bodies.depth < 16 else None
            return {value: VOID if value == void else value for value in used}
        if used <= _VOC_INDEX.keys():
            return {value: VOID if _VOC_INDEX[value] == 255 else _VOC_INDEX[value] for value in used}
        value, rle = next((value, rle) for value, rle in bodies.regions() if value in used and value not in _VOC_INDEX)
        self.source.problem(bodies.fault(value, rle, "not a colour of the VOC colour map"), item)
        flat, at = np.unique(bodies.values.ravel(), return_index=True)
        order = [int(value) for value in flat[np.argsort(at)] if value]
        return {0: 0, **{value: number for number, value in enumerate(order, 1)}}

    def _objects(self, item: Item, bodies: PixelMap, areas: PixelMap | None, known: dict[int, int]) -> list[Mask]:
        parts: dict[int, dict[int | None, Rle]] = {}
        border: list[Mask] = []
        if areas is None:
            whole = [(value, 0, rle) for value, rle in bodies.regions()]
        else:
            whole = [part for part in joint(bodies, areas) if part[1] in known]
        numbers = self._numbers(item, bodies, {value for value, _, _ in whole})
        for value, area, rle in whole:
            number = numbers[value]
            label = known[area] if areas is not None else None
            if number in (0, VOID):
                if label is not None and label >= 0:
                    text = "pixels of a class outside every object make no object"
                    self.source.report.unread(item, self.names[label], "", text, what="pixels", count=rle.area)
                elif label == VOID and self.void is not None:
                    border.append(Mask(rle, category_id=self.void))
                continue
            own = parts.setdefault(number, {})
            own[label] = own[label] | rle if label in own else rle
        out: list[Mask] = []
        for number, own in sorted(parts.items()):
            out += self._object(item, bodies.file, number, own)
        return out + border

    def _object(self, item: Item, file: str, number: int, own: dict[int | None, Rle]) -> list[Mask]:
        """The masks of one object: one, unless it has several classes and the reader is lenient."""
        real = {label: rle for label, rle in own.items() if label is None or label >= 0}
        if len(own) == 1 and real:
            ((label, rle),) = real.items()
            return [Mask(rle, category_id=label, id=number)]
        names = [self.names[x] if x is not None and x >= 0 else "void" if x == VOID else "background" for x in own]
        counts = ", ".join(f"{name} ({rle.area} pixels)" for name, rle in zip(names, own.values(), strict=True))
        text = f"one class expected, found {counts}"
        self.source.problem(FormatError(text, file=file, record=f"object {number}"), item, f"object {number}")
        return [Mask(rle, category_id=label, id=number if len(real) == 1 else None) for label, rle in real.items()]

