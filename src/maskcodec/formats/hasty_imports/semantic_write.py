"""Writing class maps: one PNG an image, painted in the order of the annotations."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.errors import shorten
from maskcodec.formats._shared.images import write_png
from maskcodec.formats._shared.jsonio import encode
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.hasty_imports import classes
from maskcodec.formats.hasty_imports.semantic import NAMESPACE
from maskcodec.formats.hasty_json.naming import image_name
from maskcodec.idmaps import pack_ids, voc_palette
from maskcodec.masks import RleArray
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category

__all__ = ["map_name", "write"]


def write(dataset: Dataset, sink: NullSink, report: LossReport, *, channels: int | None = None) -> None:
    """Write ``<subset>/<image>.png`` and ``label_classes.json``.

    Args:
        dataset: masks that do not overlap, at most one for each class of an image.
        sink: the output.
        report: hears of special losses.
        channels: 1 for class indices, 3 for colours; None: as each map was read, else 1, or 3 where the table of
            classes has colours as indices.

    Raises:
        ValueError: more than 255 classes for one channel; equal or black colours of classes for three.
    """
    if channels not in (None, 1, 3):
        raise ValueError(f"channels is 1 or 3, got {channels!r}")
    categories = dataset.schema.categories
    kept = {c.id: c.extras.get(classes.NAMESPACE, {}).get("png_index") for c in categories}
    colored = any(isinstance(index, list) for index in kept.values())
    default = channels or (3 if colored else 1)
    indices = _indices(kept)
    colors: dict[Any, int] | None = None
    taken: dict[str, None] = {}
    for item in dataset.items:
        if not item.width or not item.height:
            report.drop(item, None, "", "the size of the image is unknown")
            continue
        name = map_name(item, taken, report)
        stored = item.extras.get(NAMESPACE, {}).get("channels", default)
        if (channels or stored) == 3:
            if colors is None:
                colors = _colors(categories, kept, indices, report)
            pixels = pack_ids(_painted(item, colors, np.uint32), "panoptic")
        else:
            if len(categories) > 255:
                raise ValueError(f"{len(categories)} classes do not fit one channel, write channels=3")
            pixels = _painted(item, indices, np.uint8)
        sink.later(name, partial(write_png, pixels))
    if list(taken) != sorted(taken):
        report.approximate(None, None, "items", "maps have no order but that of their names")
    # An index is a number of eight bits; more classes than that are told apart by their colours alone.
    rows = classes.write_categories(
        categories, {k: v for k, v in indices.items() if v <= 255 and not isinstance(kept[k], list)}
    )
    with sink.open("label_classes.json") as out:
        out.write(b"[" + b",".join(b"\n" + encode(row) for row in rows) + b"]\n")


def _indices(kept: dict[Any, Any]) -> dict[Any, int]:
    """An index for each class: its own, else the lowest free one."""
    used = {index for index in kept.values() if isinstance(index, int)}
    free = (n for n in range(1, len(kept) + 256) if n not in used)
    return {key: index if isinstance(index, int) else next(free) for key, index in kept.items()}


def _colors(
    categories: list[Category], kept: dict[Any, Any], indices: dict[Any, int], report: LossReport
) -> dict[Any, int]:
    """A colour for each class, packed; classes without one get one of the VOC colours."""
    wanted = {c.id: kept[c.id] if isinstance(kept[c.id], list) else c.color for c in categories}
    owners: dict[tuple[int, ...], str] = {}
    for category in categories:
        color = wanted[category.id]
        if color is None:
            continue
        key = tuple(color[:3])
        if key == (0, 0, 0):
            raise ValueError(f"class {shorten(category.name)} is black, which is the background of a class map")
        if key in owners:
            raise ValueError(f"classes {shorten(owners[key])} and {shorten(category.name)} have one colour, {key}")
        owners[key] = category.name
    palette = [tuple(color) for color in voc_palette(256).tolist()]
    for category in categories:
        if wanted[category.id] is None:
            rest = ((n & 255, n >> 8 & 255, n >> 16) for n in range(1, 1 << 24))  # should the palette not do
            order = chain(palette[indices[category.id] :], palette[1:], rest)
            key = next(color for color in order if color not in owners)
            owners[key] = category.name
            wanted[category.id] = category.color = key
            report.default(category.name, None, "color", "a class of a colour map needs one", what="category")
    return {key: c[0] | c[1] << 8 | c[2] << 16 for key, c in wanted.items() if c is not None}


def _painted(item: Item, values: dict[Any, int], dtype: Any) -> npt.NDArray[Any]:
    masks = [a for a in item.annotations if isinstance(a, Mask)]
    numbers = np.array([values[a.category_id] for a in masks], np.int64)
    shape = (item.height or 0, item.width or 0)
    return RleArray.from_rles([a.rle for a in masks]).to_label_map(numbers, dtype=dtype, shape=shape)


def map_name(item: Item, taken: dict[str, None], report: LossReport) -> str:
    """Name of a map: that of its image with the ending ``.png``."""
    image = image_name(item)
    stem = image.rpartition(".")[0] or image
    if item.path is not None:
        report.rename(item, None, "path", "a map is known by the name of its image without its ending")
    else:
        stem = image
    folder = "" if item.subset == "default" else f"{item.subset}/"
    count = 1
    while f"{folder}{stem}.png".casefold() in taken:
        stem, count = image if count == 1 else f"{image}_{count}", count + 1
    name = f"{folder}{stem}.png"
    subset, slash, base = name.rpartition(".")[0].partition("/")  # as it will be read
    if item.id != (base if slash else subset):
        report.rename(item, None, "id", "a map is known by the name of its image without its ending")
    if slash and item.subset != subset:
        report.rename(item, None, "subset", "the first folder of a map is its dataset")
    taken[name.casefold()] = None
    return name
