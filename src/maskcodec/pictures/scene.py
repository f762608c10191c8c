"""Things in space on the ground: the cloud, what lies in it, and their labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskcodec.model.annotations import Annotation, Cuboid, PointMask, Points, Polygon, Polyline
from maskcodec.pictures import _pillow as pillow
from maskcodec.pictures.basis import Notes, text_height
from maskcodec.pictures.canvas import Canvas
from maskcodec.pictures.ground import NIGHT, View, furniture, grid, number
from maskcodec.pictures.labels import Label, Labels
from maskcodec.pictures.legend import Entry
from maskcodec.pictures.palette import Color, height_colors
from maskcodec.pictures.shapes import Float64, Frame, closed, cuboid_corners, is_finite, peak

__all__ = ["scene"]


def scene(
    named: list[tuple[Annotation, Color, str]], cloud: Float64 | None, *, frame: Frame | None, width: int, scale: float,
    font: str | None, notes: Notes,
) -> tuple[Canvas, list[Entry]]:  # fmt: skip
    """Draw annotations, each in its colour and with its label, over a cloud.

    Args:
        named: annotations; those that do not lie in space are left to the notes.
        cloud: float64 (n, 3).
        frame: what to show; None: everything but the outermost points.

    Returns:
        The canvas, and what its colours mean.
    """
    shown = [(a, tone) for a, tone, _ in named if _spatial(a, cloud, notes)]
    view = View(frame or _frame(cloud, [a for a, _ in shown]), width)
    canvas = Canvas.blank(view.size, NIGHT)
    size = text_height(canvas, scale)
    line = max(2.0, round(scale * max(view.size) ** 0.5 / 16))
    ticks = grid(canvas, view)
    entries = _paint_cloud(canvas, view, cloud, shown, notes) if cloud is not None else []
    for annotation, tone in shown:
        _shape(canvas, view, annotation, tone, line)
    furniture(canvas, view, ticks, max(12, round(size * 0.8)), font, line)
    writer, drawn = Labels(canvas, size, font), {id(a) for a, _ in shown}
    for annotation, tone, text in named:
        place = _place(view, annotation, cloud) if text and id(annotation) in drawn else None
        if place is not None:
            mark = annotation.keyframe and annotation.track_id is not None
            writer.write(Label(text, place, tone, mark, peak([view(chain) for chain in _plan(annotation)])))
    if writer.crowded_out:
        notes("a label left out for want of room", writer.crowded_out)
    return canvas, entries


def _spatial(annotation: Annotation, cloud: Float64 | None, notes: Notes) -> bool:
    if isinstance(annotation, PointMask):
        if cloud is None:
            notes("not drawn: pointmask, for the cloud is not there")
        return cloud is not None
    if not (isinstance(annotation, Cuboid) or annotation.variant.endswith("3d")):
        if annotation.kind not in ("tag", "caption"):
            notes(f"not drawn: {annotation.variant}, which does not lie in space")
        return False
    if not is_finite(annotation):
        notes(f"not drawn: {annotation.kind} whose coordinates are no numbers")
        return False
    return True


def _plan(annotation: Annotation) -> list[Float64]:
    """What an annotation covers of the ground: chains of points (n, 2)."""
    if isinstance(annotation, Cuboid):
        corners = cuboid_corners(annotation)[:, :2]
        return [corners[:4] if annotation.quaternion is None else _hull(corners)]
    if isinstance(annotation, Polygon):
        return [ring[:, :2] for ring in annotation.rings if len(ring)]
    if isinstance(annotation, Polyline):
        return [annotation.points[:, :2]] if len(annotation.points) else []
    if isinstance(annotation, Points):
        known = annotation.visibility
        seen = annotation.xy[:, :2] if known is None else annotation.xy[np.array(known, int) != 0, :2]
        return [seen] if len(seen) else []
    return []


def _hull(points: Float64) -> Float64:
    """Convex hull of a few points (A. Andrew's monotone chain)."""
    order = sorted(map(tuple, points.tolist()))
    out: list[Any] = []
    for way in (order, order[::-1]):
        begin = len(out)
        for p in way:
            while len(out) - begin > 1 and _left(out[-2], out[-1], p) <= 0:
                out.pop()
            out.append(p)
        out.pop()
    return np.array(out or order[:1])


def _left(a: Any, b: Any, c: Any) -> float:
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def _paint_cloud(
    canvas: Canvas, view: View, cloud: Float64, shown: list[tuple[Annotation, Color]], notes: Notes
) -> list[Entry]:
    """All points, the highest last, so that it is what one sees from above."""
    sound: Any = (np.abs(cloud) < 1e150).all(axis=1)  # which numbers that are none are not
    if not sound.any():
        notes("the cloud has no points")
        return []
    low, high = np.percentile(cloud[sound, 2], (2, 98))
    scale = np.array(height_colors(), np.uint8)
    with np.errstate(all="ignore"):
        level = np.nan_to_num((cloud[:, 2] - low) / max(high - low, 1e-9)).clip(0, 1) * 255
    tones = scale[level.astype(np.uint8)]
    rank = np.where(sound, cloud[:, 2], 0.0).argsort(kind="stable")
    first = np.zeros(len(cloud), bool)
    for annotation, tone in shown:
        if isinstance(annotation, PointMask):
            inside = (annotation.indices >= 0) & (annotation.indices < len(cloud))
            if not inside.all():
                notes("a point that the cloud does not have", int((~inside).sum()))
            tones[annotation.indices[inside]] = tone
            first[annotation.indices[inside]] = True
    rank = rank[np.argsort(first[rank], kind="stable")]  # labelled points over the others
    rank = rank[sound[rank]]
    places = np.floor(view(cloud[rank]).clip(-9, max(view.size) + 9)).astype(np.int64)
    pixels = np.array(canvas.image)
    side = 3 if len(rank) < 3000 else 2 if len(rank) < 60_000 else 1
    for dy in range(side):
        for dx in range(side):
            x, y = places[:, 0] + dx - side // 2, places[:, 1] + dy - side // 2
            keep = (x >= 0) & (y >= 0) & (x < canvas.width) & (y < canvas.height)
            pixels[y[keep], x[keep]] = tones[rank[keep]]
    canvas.image = pillow.from_array(pixels)
    middle = (low + high) / 2
    marks = zip((low, middle, high), height_colors(3), strict=True)
    return [Entry(f"height {number(float(value), 3)}", tone) for value, tone in marks]


def _shape(canvas: Canvas, view: View, annotation: Annotation, tone: Color, line: float) -> None:
    chains = [view(chain) for chain in _plan(annotation)]
    if isinstance(annotation, (Cuboid, Polygon)):
        holes = annotation.holes if isinstance(annotation, Polygon) and len(annotation.holes) == len(chains) else ()
        canvas.area(chains, holes, tone, 0.25)
        canvas.lines([closed(chain) for chain in chains], tone, line)
    elif isinstance(annotation, Polyline):
        canvas.lines(chains, tone, line)
    elif isinstance(annotation, Points):
        seen = annotation.visibility or [2] * len(annotation.xy)
        places = np.where(np.array(seen, int)[:, None] != 0, annotation.xy, 0.0)
        for (x, y), visible in zip(view(places).tolist(), seen, strict=True):
            if visible:
                canvas.disc(x, y, 2.0 * line + 1, tone, hollow=line if visible == 1 else 0)
    if isinstance(annotation, Cuboid):
        corners = cuboid_corners(annotation)
        front, middle = corners[[0, 1, 4, 5]].mean(axis=0), corners.mean(axis=0)
        canvas.lines([view(np.stack([middle, front]))], tone, line)
        canvas.lines([view(corners[[0, 1]])], tone, line * 2.5)


def _place(view: View, annotation: Annotation, cloud: Float64 | None) -> Frame | None:
    if isinstance(annotation, PointMask):
        there = cloud if cloud is not None else np.zeros((0, 3))
        inside = annotation.indices[(annotation.indices >= 0) & (annotation.indices < len(there))]
        some = there[inside]
        some = some[np.isfinite(some).all(axis=1)]
        if not len(some):
            return None
        x, y = view(np.median(some, axis=0)[None])[0].tolist()
        box = (x - 4, y - 4, x + 4, y + 4)
    else:
        chains = [view(chain) for chain in _plan(annotation)]
        if not chains:
            return None
        every = np.concatenate(chains).clip(-1e9, 1e9)
        (x0, y0), (x1, y1) = every.min(axis=0).tolist(), every.max(axis=0).tolist()
        box = (x0 - 3, y0 - 3, x1 + 3, y1 + 3)
    outside = box[0] > view.size[0] or box[1] > view.size[1] or box[2] < 0 or box[3] < 0
    return None if outside else box


def _frame(cloud: Float64 | None, annotations: list[Annotation]) -> Frame:
    parts = [np.concatenate(chains) for a in annotations if (chains := _plan(a))]
    if cloud is not None:
        sound = cloud[np.isfinite(cloud).all(axis=1)][:, :2]
        if len(sound):
            parts.append(np.percentile(sound, (0.5, 99.5), axis=0))
    if not parts:
        return (-10.0, -10.0, 10.0, 10.0)
    low, high = np.min([p.min(axis=0) for p in parts], axis=0), np.max([p.max(axis=0) for p in parts], axis=0)
    span = max(float((high - low).max()), 1e-3 * float(np.abs([low, high]).max()), 1e-6)
    if (np.abs(low + high) / 2 < span).all():  # the origin is near: show it
        low, high = np.minimum(low, 0), np.maximum(high, 0)
    pad = 0.08 * span
    return float(low[0] - pad), float(low[1] - pad), float(high[0] + pad), float(high[1] + pad)
