"""How each kind of annotation looks on a canvas."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from maskcodec.masks import Rle
from maskcodec.model.annotations import (
    Annotation,
    Box,
    Cuboid2D,
    Ellipse,
    Mask,
    Points,
    Polygon,
    Polyline,
    Skeleton,
)
from maskcodec.model.schema import LabelSchema
from maskcodec.pictures.canvas import Canvas
from maskcodec.pictures.palette import Color, color
from maskcodec.pictures.shapes import Float64, closed, cuboid_order, dashes, outline_rings

__all__ = ["Marks"]

_BOX_FILL, _HALO = 0.18, (20, 20, 20)


class Marks:
    """Draws annotations.

    Args:
        canvas: to draw on.
        scale: float64 (2,), pixels of the canvas a pixel of the item.
        line: width of lines in pixels of the canvas; 0 for no outlines.
        alpha: how much of what is below areas hide, 0 to 1.
        schema: says how the points of skeletons are connected.
        note: is called with what cannot be drawn as it is.
    """

    def __init__(
        self,
        canvas: Canvas,
        scale: Float64,
        line: float,
        alpha: float,
        schema: LabelSchema,
        note: Callable[[str], None],
    ) -> None:
        self.canvas, self.scale, self.line, self.alpha = canvas, scale, line, alpha
        self.schema, self.note = schema, note

    def rle(self, mask: Mask) -> Rle:
        """The mask in pixels of the canvas."""
        shape = (self.canvas.height, self.canvas.width)
        if mask.rle.shape == shape:
            return mask.rle
        return mask.rle.resize(shape) if mask.rle.area else Rle.from_polygons([], shape)

    def stain(self, rle: Rle, tone: Color, alpha: float) -> None:
        """Colour the pixels of a mask of the canvas' size."""
        x, y, w, h = rle.bbox
        if w and h:
            self.canvas.stain(rle.decode(window=(x, y, x + w, y + h)), x, y, tone, alpha)

    def fill(self, shape: Annotation, tone: Color) -> None:
        """The area of an annotation, if it has one."""
        if isinstance(shape, Mask):
            rle = self.rle(shape)
            if rle.area:
                self.stain(rle, tone, self.alpha)
            elif shape.rle.area:  # too small for a pixel of the canvas
                x, y = shape.rle.centroid or (0.0, 0.0)
                self.canvas.disc((x + 0.5) * self.scale[0], (y + 0.5) * self.scale[1], max(self.line, 1.5), tone)
            else:
                self.note("an empty mask")
        elif shape.outside:
            return
        elif isinstance(shape, Box) and not shape.rotation:
            self.canvas.rectangle(self._whole(shape), tone, self.alpha * _BOX_FILL)
        elif isinstance(shape, Box):
            self.canvas.area(self._rings(shape), (), tone, self.alpha * _BOX_FILL)
        elif isinstance(shape, (Polygon, Ellipse)):
            rings = self._rings(shape)
            holes = shape.holes if isinstance(shape, Polygon) and len(rings) == len(shape.holes) else ()
            self.canvas.area(rings, holes, tone, self.alpha)
        elif isinstance(shape, Cuboid2D):
            front = shape.points[:4]
            self.canvas.area([front[cuboid_order(front)] * self.scale], (), tone, self.alpha * 2 * _BOX_FILL)

    def outline(self, shape: Annotation, tone: Color) -> None:
        """The lines of an annotation."""
        if not self.line:
            return
        if isinstance(shape, Mask):
            # A line of one pixel inside the mask, so that the colours of neighbours stay apart.
            self.stain(self.rle(shape).boundary(max(1, round(self.line / 2))), tone, 1.0)
        elif isinstance(shape, Box) and not (shape.rotation or shape.outside or shape.occluded):
            self._frame(shape, tone)
        elif isinstance(shape, (Box, Polygon, Ellipse)):
            self._stroke(shape, map(closed, self._rings(shape)), tone)
        elif isinstance(shape, Polyline):
            chain = shape.points[:, :2] * self.scale
            if len(chain) == 1:
                self.canvas.disc(float(chain[0, 0]), float(chain[0, 1]), self.line, tone)
            self.canvas.lines([chain], _HALO, self.line + 2, 0.4)
            self._stroke(shape, [chain], tone)
        elif isinstance(shape, Cuboid2D):
            self._cuboid(shape, tone)

    def points(self, shape: Points, tone: Color, *, edges: Color | None = None) -> None:
        """Key points and the edges between them, which have colours of their own or the one that is given."""
        seen = [2] * len(shape.xy) if shape.visibility is None else list(shape.visibility)
        # The coordinates of a point that is not labelled may be anything.
        places = np.where(np.array(seen, int)[:, None] != 0, shape.xy[:, :2], 0.0) * self.scale
        reach = max(self.line * 1.8, 2.5)
        if isinstance(shape, Skeleton):
            self._edges(shape, places, seen, edges)
        for (x, y), visible in zip(places.tolist(), seen, strict=True):
            if visible == 0:  # not labelled: there is no place
                continue
            ring = max(reach * 0.35, 1.2) if visible == 1 else 0.0
            size = reach * 1.15 if visible == 1 else reach
            self.canvas.disc(x, y, size + 1, _HALO, hollow=ring + 1 if ring else 0)
            self.canvas.disc(x, y, size, tone, hollow=ring)

    def _edges(self, shape: Skeleton, places: Float64, seen: list[int], tone: Color | None) -> None:
        known = shape.category_id is not None and shape.category_id in self.schema
        edges = self.schema.by_id(shape.category_id).skeleton if known else []  # type: ignore[arg-type]
        wrong = 0
        for number, (a, b) in enumerate(edges):
            if not (1 <= a <= len(places) and 1 <= b <= len(places)):
                wrong += 1
                continue
            if not (seen[a - 1] and seen[b - 1]):
                continue
            chain = places[[a - 1, b - 1]]
            self.canvas.lines([chain], _HALO, self.line + 2, 0.4)
            hidden = seen[a - 1] == 1 or seen[b - 1] == 1
            parts = self._dashed(chain, 3, 2) if hidden else [chain]
            self.canvas.lines(parts, color(number) if tone is None else tone, max(self.line, 1))
        if wrong:
            self.note("an edge to a key point that a skeleton does not have")

    def _rings(self, shape: Annotation) -> list[Float64]:
        return [ring * self.scale for ring in outline_rings(shape, 0.1 / float(self.scale.max()))]

    def _whole(self, box: Box) -> tuple[int, int, int, int]:
        """An upright box on whole pixels, at least one."""
        far = 1e6
        x0, x1 = sorted(round(min(max(v * self.scale[0], -far), far)) for v in (box.x0, box.x1))
        y0, y1 = sorted(round(min(max(v * self.scale[1], -far), far)) for v in (box.y0, box.y1))
        return x0, y0, max(x1, x0 + 1), max(y1, y0 + 1)

    def _frame(self, box: Box, tone: Color) -> None:
        """The line lies inside the box where there is room."""
        x0, y0, x1, y1 = self._whole(box)
        line = max(1, round(self.line))
        for part in (
            (x0, y0, x1, min(y0 + line, y1)), (x0, max(y1 - line, y0), x1, y1),
            (x0, y0, min(x0 + line, x1), y1), (max(x1 - line, x0), y0, x1, y1),
        ):  # fmt: skip
            self.canvas.rectangle(part, tone)

    def _stroke(self, shape: Annotation, chains: Iterable[Float64], tone: Color) -> None:
        parts = list(chains)
        if shape.outside:
            parts = [piece for chain in parts for piece in self._dashed(chain, 1, 2.5)]
        elif shape.occluded:
            parts = [piece for chain in parts for piece in self._dashed(chain, 4, 3)]
        self.canvas.lines(parts, tone, self.line)

    def _dashed(self, chain: Float64, on: float, off: float) -> list[Float64]:
        from maskcodec.pictures.shapes import clip_chain

        edge = 4 * self.line + 8  # only what can be seen is cut up
        frame = (-edge, -edge, self.canvas.width + edge, self.canvas.height + edge)
        unit = max(self.line, 1.5)
        return [piece for part in clip_chain(chain, frame) for piece in dashes(part, on * unit, off * unit)]

    def _cuboid(self, shape: Cuboid2D, tone: Color) -> None:
        points = shape.points * self.scale
        order = cuboid_order(points[:4])
        back = [closed(points[4:][order])] + [points[[i, i + 4]] for i in order]
        style = shape.outside or shape.occluded
        thin = max(self.line * 0.6, 1)
        if style:
            back = [piece for chain in back for piece in self._dashed(chain, 3, 3)]
        self.canvas.lines(back, tone, thin)
        front = closed(points[:4][order])
        self.canvas.lines(self._dashed(front, 3, 3) if style else [front], tone, self.line)
        if not np.isfinite(points).all():
            self.note("a cuboid without a place")
