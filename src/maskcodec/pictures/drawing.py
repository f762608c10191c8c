"""``draw``: an item with its annotations as a picture."""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

from maskcodec.model.annotations import Annotation, Caption, Cuboid, Mask, PointMask, Points, Tag
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.schema import LabelSchema
from maskcodec.pictures.basis import Notes, base, line_width, text_height
from maskcodec.pictures.canvas import Canvas, Picture
from maskcodec.pictures.legend import below
from maskcodec.pictures.marks import Marks
from maskcodec.pictures.palette import Color, Colors
from maskcodec.pictures.shapes import is_finite
from maskcodec.pictures.words import strip_entries, write_labels

__all__ = ["chosen_kinds", "draw", "placeable"]


def draw(
    item: Item,
    dataset: Dataset | None = None,
    *,
    image: Any = None,
    schema: LabelSchema | None = None,
    width: int | None = None,
    labels: bool = True,
    alpha: float = 0.45,
    outline: float | None = None,
    attributes: bool = False,
    kinds: Iterable[str] | None = None,
    colors: str = "category",
    scale: float = 1.0,
    fit: bool = False,
    legend: bool | None = None,
    font: str | None = None,
) -> Picture:
    """Draw an item with its annotations.

    Boxes, polygons with their holes, masks, ellipses, lines, key points and flat cuboids are drawn where they are;
    shapes that are occluded have dashed lines, those outside dotted ones, key frames a diamond in the label, hidden key
    points are hollow. Tags, captions and what could not be drawn stand in a strip below the image. A point cloud is
    drawn from above (``from_above``).

    Args:
        item: of a data set, or made by hand; it is not changed.
        dataset: gives the schema and opens the image.
        image: the image, instead of the one that the data set opens: a path, bytes, an open file, an array
            (H, W), (H, W, 3) or (H, W, 4), or an image of Pillow; False: none. Where there is none the ground is
            grey squares.
        schema: names and colours of the categories, instead of the data set's.
        width: of the drawing in pixels; its height follows. By default that of the item, made smaller where a side is
            longer than 4096 pixels, and enlarged by a whole factor where both are shorter than 200.
        labels: write category, track, score beside the shapes; labels never cover one another.
        alpha: how much of the image areas hide, 0 to 1.
        outline: width of lines in pixels; 0 for none.
        attributes: write attributes into the labels, and those of the item into the strip.
        kinds: draw only these (``box``, ``mask``, ``rotated_box``...).
        colors: by "category", "instance" or "track".
        scale: of text and lines.
        fit: scale an image whose size is not the item's.
        legend: the strip below: None where there is something to say, True also what the colours mean, False never.
        font: file or name of a font for scripts that the built-in one does not have.

    Raises:
        FormatError: the image cannot be decoded, or has another size than the item.
        ValueError: an argument makes no sense.
        OSError: the image or the font cannot be opened.

    Example:
        >>> from maskcodec import Box, Category, Item, LabelSchema
        >>> item = Item("a", width=640, height=480, annotations=[Box(40, 30, 300, 400, category_id=1)])
        >>> draw(item, schema=LabelSchema([Category(1, "cat")])).size
        (640, 480)
    """
    if item.media == "point_cloud" and (image is None or image is False):
        from maskcodec.pictures.above import from_above

        return from_above(
            item, image, dataset=dataset, schema=schema, width=width or 960, labels=labels, kinds=kinds, scale=scale,
            font=font, colors=colors, legend=legend,
        )  # fmt: skip
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha: expected a number from 0 to 1, got {alpha!r}")
    if not (isfinite(scale) and 0 < scale <= 20):
        raise ValueError(f"scale: expected a number above 0 and up to 20, got {scale!r}")
    schema = schema if schema is not None else (dataset.schema if dataset is not None else LabelSchema())
    chosen, notes = chosen_kinds(item.annotations, kinds), Notes()
    canvas, factor = base(item, dataset, image, width, fit=fit, notes=notes)
    line = line_width(canvas, scale) if outline is None else float(outline)
    size = text_height(canvas, scale)
    palette = Colors(schema, colors)
    marks = Marks(canvas, factor, line, alpha, schema, notes)
    toned = [(a, palette.of(a, at)) for at, a in chosen]
    shown = placeable(toned, item, canvas, notes)
    for annotation, tone in shown:
        marks.fill(annotation, tone)
    for annotation, tone in shown:
        marks.outline(annotation, tone)
    for annotation, tone in shown:
        if isinstance(annotation, Points):
            marks.points(annotation, tone)
    if labels:
        write_labels(shown, canvas, factor, palette, size, font, attributes, notes)
    entries = strip_entries(toned, palette, item, attributes, notes, legend)
    return Picture(below(canvas.image, entries, size, font) if legend is not False else canvas.image, notes.lines())


def chosen_kinds(annotations: Iterable[Annotation], kinds: Iterable[str] | None) -> list[tuple[int, Annotation]]:
    """Annotations of these kinds or variants with their positions, from back to front."""
    wanted = {kinds} if isinstance(kinds, str) else None if kinds is None else set(kinds)
    pairs = [(at, a) for at, a in enumerate(annotations) if wanted is None or {a.kind, a.variant} & wanted]
    return sorted(pairs, key=lambda pair: pair[1].z_order if isfinite(pair[1].z_order) else 0.0)


def placeable(
    toned: list[tuple[Annotation, Color]], item: Item, canvas: Canvas, notes: Notes
) -> list[tuple[Annotation, Color]]:
    """The annotations that have a place in the picture; of the others the notes say why."""
    shown = []
    size = (item.height, item.width)
    for annotation, tone in toned:
        if isinstance(annotation, (Tag, Caption)):
            continue
        if isinstance(annotation, (Cuboid, PointMask)) or annotation.variant.endswith("3d"):
            notes(f"not drawn: {annotation.variant}, which lies in space")
        elif not is_finite(annotation):
            notes(f"not drawn: {annotation.kind} whose coordinates are no numbers")
        else:
            if isinstance(annotation, Mask) and None not in size and annotation.rle.shape != size:
                notes(f"a mask of {annotation.rle.width} x {annotation.rle.height} on an item of {size[1]} x {size[0]}")
            shown.append((annotation, tone))
    return shown
