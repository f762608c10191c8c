"""Maps whose values are a class and the number of an object in it, in and out: Cityscapes and KITTI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.flatten import is_region
from maskcodec.formats._shared.pixelmaps import PixelMap, paint
from maskcodec.formats._shared.source import Source
from maskcodec.formats.cityscapes.table import kind_of
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["CITYSCAPES", "KITTI", "Packing", "check_class_map", "masks_of", "painted"]


class Packing(NamedTuple):
    """How a value is made: ``class * factor + instance``.

    Attributes:
        namespace: of what the format knows of a mask.
        factor: of the class.
        first: number of the first instance of a class.
        plain: a region without instances is its class alone; else its class times the factor.
        things_only: such a region is a crowd only where the class has instances.
    """

    namespace: str
    factor: int
    first: int
    plain: bool
    things_only: bool

    def split(self, value: int) -> tuple[int, int | None]:
        """Class and instance of a value; None: a region without instances."""
        if self.plain and value < self.factor:
            return value, None
        number = value % self.factor
        return value // self.factor, number if self.plain or number else None

    def value(self, number: int, instance: int | None) -> int:
        """Value of a class and an instance."""
        return (number if self.plain else number * self.factor) if instance is None else number * self.factor + instance


CITYSCAPES = Packing("cityscapes", 1000, 0, plain=True, things_only=True)
KITTI = Packing("kitti", 256, 1, plain=False, things_only=False)


def masks_of(
    source: Source, item: Item, image: PixelMap, packing: Packing, schema: LabelSchema, *, keep_background: bool
) -> list[Mask]:
    """Masks of a map, one for each value, whose id it is; by class, regions without instances first.

    Args:
        source: hears of faults.
        item: for messages.
        image: the map.
        packing: of its values.
        schema: ids of its categories are classes.
        keep_background: pixels of the background become a mask too.

    Raises:
        FormatError: a value of an unknown class; a lenient reader leaves its pixels out.
    """
    out: list[tuple[int, int, Mask]] = []
    for value, rle in image.regions():
        number, instance = packing.split(value)
        if number not in schema:
            if value != 0 or len(schema):
                source.problem(image.fault(value, rle, f"class {number} is not in the table of labels"), item)
            continue
        if number == schema.background and instance is None and not keep_background:
            continue
        crowd = instance is None and (not packing.things_only or schema.by_id(number).kind == "thing")
        mask = Mask(rle, category_id=number, id=value, is_crowd=crowd)
        if instance is not None and schema.by_id(number).kind == "stuff":
            mask.extras = {packing.namespace: {"#instance": True}}
        out.append((number, -1 if instance is None else instance, mask))
    return [mask for _, _, mask in sorted(out, key=lambda entry: entry[:2])]


def painted(
    item: Item, masks: Sequence[Mask], numbers: dict[object, int], schema: LabelSchema, packing: Packing,
    report: LossReport, overflow: str = "raise",
) -> npt.NDArray[np.uint16]:  # fmt: skip
    """The map of an image, uint16 (H, W).

    Args:
        item: its size is that of the map.
        masks: disjoint, by class, at most one region without instances a class.
        numbers: category id -> class.
        schema: says which classes are stuff.
        packing: of the values.
        report: hears of ids that change.
        overflow: what becomes of objects of a class beyond those that the map can number: "raise", or "crowd": they
            join the region of the class that has no instances.

    Raises:
        ValueError: more classes or instances than 16 bits can hold.
    """
    groups: dict[int, list[Mask]] = {}
    values: dict[int, int] = {}
    for mask in masks:
        number = numbers[mask.category_id]
        if is_region(mask, schema):
            values[id(mask)] = packing.value(number, None)
            stuff = kind_of(schema.by_id(mask.category_id).name) == "stuff"  # type: ignore[arg-type]
            if mask.is_crowd != (not packing.things_only or not stuff):
                report.approximate(item, mask, "is_crowd", "told by the class of a region without instances")
        else:
            groups.setdefault(number, []).append(mask)
    for number, group in groups.items():
        stored = [packing.split(m.id) if type(m.id) is int and m.id >= 0 else (-1, None) for m in group]
        found = [instance if own == number and instance is not None else -1 for own, instance in stored]
        ascending = all(a < b for a, b in zip([packing.first - 1, *found], found, strict=False))
        for at, mask in enumerate(group):
            instance = found[at] if ascending else at + packing.first
            if instance >= packing.factor and overflow == "crowd":
                values[id(mask)] = packing.value(number, None)
                report.approximate(item, mask, "", "more objects of the class than the map can number: part of a crowd")
                continue
            if instance >= packing.factor:
                text = f"{len(group)} objects of one class, the map numbers {packing.factor - packing.first}"
                raise ValueError(f"{shorten(item.id)} has {text}")
            values[id(mask)] = packing.value(number, instance)
    for mask in masks:
        value = values[id(mask)]
        if value > 65535:
            raise ValueError(f"class {numbers[mask.category_id]} with its instance is {value}, 16 bits hold 65535")
        if mask.id is not None and mask.id != value:
            report.rename(item, mask, "id", "a region is known by its value in the map")
    return paint(item, masks, [values[id(mask)] for mask in masks], np.uint16)


def check_class_map(
    instances: PixelMap, classes: PixelMap, packing: Packing, *, unpainted: bool = False
) -> FormatError | None:
    """The error where a map of classes says something else than the map of instances; None where they agree.

    Args:
        instances: the map of instances.
        classes: the map of classes.
        packing: of the former.
        unpainted: pixels that are 0 in the former may be anything in the latter.
    """
    if instances.shape != classes.shape:
        (h, w), (height, width) = instances.shape, classes.shape
        return FormatError(f"{width} x {height} pixels, but {instances.file} has {w} x {h}", file=classes.file)
    values = instances.values
    own = values // packing.factor
    if packing.plain:
        own = np.where(values < packing.factor, values, own)
    differs = own != classes.values
    if unpainted:
        differs &= values != 0
    count = int(np.count_nonzero(differs))
    if not count:
        return None
    y, x = (int(part) for part in np.unravel_index(int(np.argmax(differs)), differs.shape))
    text = f"{count} pixels are of another class than in {instances.file}, the first at ({x}, {y})"
    return FormatError(text, file=classes.file)
