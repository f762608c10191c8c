"""``from_above``: a point cloud and what lies in space, seen from above."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.schema import LabelSchema
from maskcodec.pictures.basis import Notes, text_height
from maskcodec.pictures.canvas import Picture
from maskcodec.pictures.clouds import open_cloud, read_cloud
from maskcodec.pictures.drawing import chosen_kinds
from maskcodec.pictures.legend import below
from maskcodec.pictures.palette import Colors
from maskcodec.pictures.scene import scene
from maskcodec.pictures.shapes import Float64, Frame
from maskcodec.pictures.words import label_text, strip_entries

__all__ = ["from_above", "points_of"]


def from_above(
    item: Item,
    points: Any = None,
    *,
    dataset: Dataset | None = None,
    schema: LabelSchema | None = None,
    width: int = 960,
    frame: Frame | None = None,
    labels: bool = True,
    kinds: Iterable[str] | None = None,
    colors: str = "category",
    scale: float = 1.0,
    legend: bool | None = None,
    font: str | None = None,
) -> Picture:
    """Draw a point cloud from above: x to the right, y up, the height as colour.

    Cuboids are their ground plan, filled lightly, with a line from the middle to the front; areas, lines and points in
    space are drawn by their x and y; points of a point mask have its colour. A white arrow marks the origin, which is
    where the sensor stands in most data sets.

    Args:
        item: a point cloud; it is not changed.
        points: float (n, 3 or more), in the units of the annotations, or a file (PCD, PLY, KITTI's ``.bin``); False:
            none. By default what the data set opens.
        dataset: gives the schema and opens the cloud.
        schema: names and colours of the categories, instead of the data set's.
        width: of the drawing in pixels.
        frame: what to show, (x0, y0, x1, y1); by default all annotations, and the points but for the outermost.
        labels: as in ``draw``, like kinds, colors, scale, legend and font.

    Raises:
        FormatError: the cloud cannot be read.
        ValueError: an argument makes no sense.

    Example:
        >>> from maskcodec import Cuboid, Item
        >>> item = Item("a", media="point_cloud", annotations=[Cuboid((5.0, 2.0, 0.5), (4.0, 2.0, 1.5), 0.3)])
        >>> from_above(item, np.zeros((10, 3)), width=400).size[0]
        400
    """
    schema = schema if schema is not None else (dataset.schema if dataset is not None else LabelSchema())
    notes, palette = Notes(), Colors(schema, colors)
    cloud = points_of(item, points, dataset)
    toned = [(a, palette.of(a, at)) for at, a in chosen_kinds(item.annotations, kinds)]
    named = [(a, tone, label_text(a, palette, False) if labels else "") for a, tone in toned]
    canvas, entries = scene(named, cloud, frame=frame, width=width, scale=scale, font=font, notes=notes)
    size = text_height(canvas, scale)
    entries += strip_entries(toned, palette, item, False, notes, legend)
    return Picture(below(canvas.image, entries, size, font) if legend is not False else canvas.image, notes.lines())


def points_of(item: Item, points: Any = None, dataset: Dataset | None = None) -> Float64 | None:
    """The points of an item, float64 (n, 3), from what is given or from the data set; None where there are none."""
    if points is False:
        return None
    if points is None:
        stream = dataset.media.open_media(item) if dataset is not None and dataset.media is not None else None
        return None if stream is None else open_cloud(stream, str(item.path or item.id))
    if isinstance(points, (str, os.PathLike)):
        return read_cloud(Path(points).read_bytes(), os.fspath(points))
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] < 3:
        raise ValueError(f"points: expected an array (n, 3 or more), got {array.shape}")
    return array[:, :3]
