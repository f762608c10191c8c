"""``difference``: what is different between two items, as a picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from maskcodec.masks import Rle
from maskcodec.model.annotations import Annotation, Caption, Ellipse, Mask, Points, Polygon, Tag
from maskcodec.model.annotations import Box as BoxShape
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.schema import LabelSchema
from maskcodec.pictures.above import points_of
from maskcodec.pictures.basis import Notes, base, line_width, text_height
from maskcodec.pictures.canvas import Picture
from maskcodec.pictures.drawing import placeable
from maskcodec.pictures.labels import shortened
from maskcodec.pictures.legend import QUIET, Entry, below
from maskcodec.pictures.marks import Marks
from maskcodec.pictures.pairs import Pair, match
from maskcodec.pictures.palette import Color, Colors
from maskcodec.pictures.scene import scene
from maskcodec.pictures.shapes import clip_ring, outline_rings
from maskcodec.pictures.words import write_named

__all__ = ["difference"]

ADDED, REMOVED, CHANGED, SAME = (0, 170, 60), (225, 20, 20), (225, 0, 225), (150, 150, 150)


def difference(
    item_a: Item,
    item_b: Item,
    dataset_a: Dataset | None = None,
    dataset_b: Dataset | None = None,
    *,
    pairs: Iterable[Pair] | None = None,
    image: Any = None,
    schema_a: LabelSchema | None = None,
    schema_b: LabelSchema | None = None,
    width: int | None = None,
    labels: bool = True,
    alpha: float = 0.45,
    outline: float | None = None,
    scale: float = 1.0,
    fit: bool = False,
    font: str | None = None,
) -> Picture:
    """Draw what is different between two items: added green, removed red, changed magenta, the same grey and thin.

    Of an area that changed, the pixels that are only in one of the two are magenta; the old outline is dashed. Tags and
    captions stand in the strip below, beside the counts. Point clouds are drawn from above.

    Args:
        item_a: the old one.
        item_b: the new one, of the same size.
        dataset_a: gives the names of the categories of the old one, and the image.
        dataset_b: of the new one; its image is taken where the first has none.
        pairs: (old, new) annotations that differ, None for no partner, where the caller has compared; by default they
            are paired here: the same ones, then by id, then by overlap. Numbers (ids, groups, parents) and extras do
            not count, categories by their names.
        image: as in ``draw``, like width, labels, alpha, outline, scale, fit and font.
        schema_a: instead of the first data set's; schema_b likewise.

    Raises:
        ValueError: the items have different sizes.

    Example:
        >>> from maskcodec import Box
        >>> old = Item("a", width=400, height=300, annotations=[Box(10, 10, 90, 90)])
        >>> difference(old, Item("a", width=400, height=300)).array[10, 10].tolist() == list(REMOVED)
        True
    """
    sizes = [(i.width, i.height) for i in (item_a, item_b)]
    if None not in sizes[0] and None not in sizes[1] and sizes[0] != sizes[1]:
        raise ValueError(f"the items are {sizes[0]} and {sizes[1]} pixels (width, height); they cannot be laid over")
    colors_a, colors_b = _names(schema_a, dataset_a), _names(schema_b, dataset_b)
    if pairs is None:
        differ, equal = match(item_a.annotations, item_b.annotations, colors_a, colors_b)
    else:
        differ = list(pairs)
        known = {id(a) for a, _ in differ}
        equal = [(a, a) for a in item_a.annotations if id(a) not in known]
    item, dataset = (item_a, dataset_a) if image is not None or _has_media(dataset_a, item_a) else (item_b, dataset_b)
    both = replace(item, width=item_a.width or item_b.width, height=item_a.height or item_b.height,
                   annotations=[*item_a.annotations, *item_b.annotations])  # fmt: skip
    notes = Notes()
    named = _named(differ, equal, colors_a, colors_b)
    if item.media == "point_cloud":
        cloud = points_of(item, image if image is False or isinstance(image, np.ndarray) else None, dataset)
        plain = [(a, tone, text if labels else "") for a, tone, text, _ in named]
        canvas, entries = scene(plain, cloud, frame=None, width=width or 960, scale=scale, font=font, notes=notes)
        size = text_height(canvas, scale)
    else:
        canvas, factor = base(both, dataset, image, width, fit=fit, notes=notes)
        line, entries = line_width(canvas, scale) if outline is None else float(outline), []
        size = text_height(canvas, scale)
        before, after = (Marks(canvas, factor, line, alpha, colors.schema, notes) for colors in (colors_a, colors_b))
        thin = Marks(canvas, factor, min(line, 1.0), 0, colors_a.schema, notes)
        drawn = {id(a) for a, _ in placeable([(a, tone) for a, tone, _, _ in named], both, canvas, notes)}
        for a, tone, _, partner in named:
            if id(a) not in drawn or (tone == CHANGED and partner is None):
                continue  # it has no place, or is drawn with its partner
            if tone == CHANGED and partner is not None:
                _changed(before, after, partner, a)
            elif tone == SAME:
                _plain(thin, a, tone)
            else:
                after.fill(a, tone)
                _plain(before if tone == REMOVED else after, a, tone)
        if labels:
            write_named([(a, t, text) for a, t, text, _ in named if id(a) in drawn], canvas, factor, size, font, notes)
    entries += _counts(differ, equal)
    entries += _texts(differ, colors_a, colors_b)
    entries += [Entry(text, None, True, QUIET) for text in notes.lines()]
    return Picture(below(canvas.image, entries, size, font), notes.lines())


def _named(
    differ: list[Pair], equal: list[tuple[Annotation, Annotation]], colors_a: Colors, colors_b: Colors
) -> list[tuple[Annotation, Color, str, Annotation | None]]:
    """Annotation, colour, label and (of a new one that was another before) the old one, from back to front."""
    out: list[tuple[Annotation, Color, str, Annotation | None]] = [(a, SAME, "", None) for a, _ in equal]
    for old, new in differ:
        if old is not None and new is not None:
            out += [(old, CHANGED, "", None), (new, CHANGED, _what(old, new, colors_a, colors_b), old)]
        elif old is not None:
            out.append((old, REMOVED, colors_a.name(old.category_id), None))
        elif new is not None:
            out.append((new, ADDED, colors_b.name(new.category_id), None))
    return out


def _counts(differ: list[Pair], equal: list[tuple[Annotation, Annotation]]) -> list[Entry]:
    added, removed = sum(old is None for old, _ in differ), sum(new is None for _, new in differ)
    rows = (("added", added, ADDED), ("removed", removed, REMOVED), ("changed", len(differ) - added - removed, CHANGED))
    return [*(Entry(f"{name} {n}", tone) for name, n, tone in rows), Entry(f"the same {len(equal)}", SAME)]


def _names(schema: LabelSchema | None, dataset: Dataset | None) -> Colors:
    return Colors(schema if schema is not None else dataset.schema if dataset is not None else None)


def _has_media(dataset: Dataset | None, item: Item) -> bool:
    stream = dataset.media.open_media(item) if dataset is not None and dataset.media is not None else None
    if stream is None:
        return False
    stream.close()
    return True


def _plain(marks: Marks, shape: Annotation, tone: Color) -> None:
    marks.outline(shape, tone)
    if isinstance(shape, Points):
        marks.points(shape, tone, edges=tone)


def _changed(before: Marks, after: Marks, old: Annotation, new: Annotation) -> None:
    one, two = _pixels(before, old), _pixels(after, new)
    if one is not None and two is not None:
        after.stain(one ^ two, CHANGED, max(after.alpha, 0.7))
    if isinstance(old, Points) and isinstance(new, Points):
        hidden = replace(old, visibility=[min(v, 1) for v in old.visibility or [1] * len(old.xy)])
        before.points(hidden, CHANGED, edges=CHANGED)
        after.points(new, CHANGED, edges=CHANGED)
        return
    if not isinstance(old, Mask):  # of a mask the pixels say it all
        before.outline(replace(old, occluded=True, outside=False), CHANGED)
    after.outline(new, CHANGED)


def _pixels(marks: Marks, shape: Annotation) -> Rle | None:
    """The area of a shape in pixels of the canvas; None for a kind without one."""
    if isinstance(shape, Mask):
        return marks.rle(shape)
    if not isinstance(shape, (BoxShape, Ellipse, Polygon)):
        return None
    size = (marks.canvas.height, marks.canvas.width)
    frame = (-8.0, -8.0, size[1] + 8.0, size[0] + 8.0)
    rings = [clip_ring(ring * marks.scale, frame) for ring in outline_rings(shape)]
    holes = shape.holes if isinstance(shape, Polygon) and len(shape.holes) == len(rings) else (False,) * len(rings)
    out = Rle.from_polygons([], size)
    for ring, hole in zip(rings, holes, strict=True):
        if len(ring) > 2:
            part = Rle.from_polygons([ring], size)
            out = out - part if hole else out | part
    return out


def _what(old: Annotation, new: Annotation, colors_a: Colors, colors_b: Colors) -> str:
    """In words: category, pixels, attributes."""
    before, after = colors_a.name(old.category_id) or "none", colors_b.name(new.category_id) or "none"
    words = [f"{before} -> {after}" if before != after else "" if after == "none" else after]
    if isinstance(old, Mask) and isinstance(new, Mask) and old.rle.shape == new.rle.shape:
        pixels = (old.rle ^ new.rle).area
        words.append(f"{pixels} px" if pixels else "")
    if old.attributes != new.attributes:
        words.append("attributes")
    return shortened(" ".join(word for word in words if word), 80)


def _texts(differ: list[Pair], colors_a: Colors, colors_b: Colors) -> list[Entry]:
    out = []
    for pair, names, sign, tone in ((0, colors_a, "-", REMOVED), (1, colors_b, "+", ADDED)):
        for both in differ:
            one = both[pair]
            if isinstance(one, Tag):
                out.append(Entry(f"{sign} tag: {names.name(one.category_id) or 'none'}", tone))
            elif isinstance(one, Caption):
                out.append(Entry(f'{sign} "{one.text}"', tone, True))
    return out
