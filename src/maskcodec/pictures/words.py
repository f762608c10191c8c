"""What drawings say in words: labels beside shapes, and the strip below."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from maskcodec.model.annotations import Annotation, Box, Caption, Mask, Points, Tag
from maskcodec.model.dataset import Item
from maskcodec.model.losses import item_name
from maskcodec.pictures.basis import Notes
from maskcodec.pictures.canvas import Canvas
from maskcodec.pictures.labels import Label, Labels, shortened
from maskcodec.pictures.legend import QUIET, Entry
from maskcodec.pictures.palette import Color, Colors
from maskcodec.pictures.shapes import extent, outline_rings, peak

__all__ = ["label_text", "strip_entries", "write_labels", "write_named"]


def label_text(annotation: Annotation, palette: Colors, attributes: bool) -> str:
    """What the label of an annotation says."""
    parts = [palette.name(annotation.category_id)]
    if annotation.track_id is not None:
        parts.append(f"#{annotation.track_id}")
    if annotation.is_crowd:
        parts.append("(crowd)")
    if annotation.score is not None:
        parts.append(f"{annotation.score:.2f}")
    if attributes:
        parts += [f"{name}={shortened(str(value), 24)}" for name, value in annotation.attributes.items()]
    return shortened(" ".join(part for part in parts if part), 120)


def _peak(annotation: Annotation, factor: Any) -> tuple[float, float] | None:
    """Where the label of a shape belongs that does not fill the corner of its box."""
    if isinstance(annotation, Mask):
        x, y, w, _ = annotation.rle.bbox
        if not w:
            return None
        at = int(annotation.rle.decode(window=(x, y, x + w, y + 1)).argmax())
        return float((x + at) * factor[0]), float(y * factor[1])
    if isinstance(annotation, Box) and not annotation.rotation:
        return None
    return peak([ring * factor for ring in outline_rings(annotation)])


def write_labels(
    shown: list[tuple[Annotation, Color]], canvas: Canvas, factor: Any, palette: Colors, size: int, font: str | None,
    attributes: bool, notes: Notes,
) -> Labels:  # fmt: skip
    """Labels of annotations, those of large ones first."""
    named = [(annotation, tone, label_text(annotation, palette, attributes)) for annotation, tone in shown]
    return write_named(named, canvas, factor, size, font, notes)


def write_named(
    named: list[tuple[Annotation, Color, str]], canvas: Canvas, factor: Any, size: int, font: str | None, notes: Notes
) -> Labels:
    """Texts beside annotations."""
    writer = Labels(canvas, size, font)
    waiting = []
    for annotation, tone, text in named:
        if isinstance(annotation, Points):
            known = annotation.visibility
            seen = np.ones(len(annotation.xy), bool) if known is None else np.array(known, int) > 0
            writer.keep_free(annotation.xy[seen, :2] * factor, size / 3)
        box = extent(annotation, factor)
        if box is None or not text:
            continue  # nothing to name, or nothing to say
        if isinstance(annotation, Points):  # what marks its points is larger than they are
            box = (box[0] - size / 2, box[1] - size / 2, box[2] + size / 2, box[3] + size / 2)
        if box[0] > canvas.width or box[1] > canvas.height or box[2] < 0 or box[3] < 0:
            notes(f"outside the picture: {annotation.kind}")
            continue
        mark = annotation.keyframe and annotation.track_id is not None
        writer.spare(box)
        waiting.append(Label(text, box, tone, mark, _peak(annotation, factor)))
    waiting.sort(key=lambda label: -(label.box[2] - label.box[0]) * (label.box[3] - label.box[1]))
    for label in waiting:
        writer.write(label)
    if writer.crowded_out:
        notes("a label left out for want of room", writer.crowded_out)
    if writer.unreadable:
        notes("a label whose script the font does not have: give one (font=)", writer.unreadable)
    return writer


def strip_entries(
    toned: list[tuple[Annotation, Color]], palette: Colors, item: Item, attributes: bool, notes: Notes,
    legend: bool | None,
) -> list[Entry]:  # fmt: skip
    """What stands below a picture."""
    out = []
    if legend:
        counts = Counter(a.category_id for a, _ in toned if not isinstance(a, (Tag, Caption)))
        for category, count in counts.items():
            out.append(Entry(f"{palette.name(category) or 'no category'} ({count})", palette.category(category)))
    for annotation, tone in toned:
        if isinstance(annotation, Tag):
            text = label_text(annotation, palette, attributes) or "without category"
            out.append(Entry(f"tag: {text}", tone if annotation.category_id is not None else None))
        elif isinstance(annotation, Caption):
            out.append(Entry(f'"{annotation.text}"', None, True))
    if attributes and item.attributes:
        text = ", ".join(f"{name}={shortened(str(value), 40)}" for name, value in item.attributes.items())
        out.append(Entry(f"{item_name(item)}: {text}", None, True))
    out += [Entry(line, None, True, QUIET) for line in notes.lines()]
    return out
