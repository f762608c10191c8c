"""Items and annotations to rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskcodec.formats.arrow.cells import Cells, Row, is_int, is_text
from maskcodec.formats.arrow.layout import FLAGS, IDS, WHOLE
from maskcodec.model.annotations import (
    Annotation,
    Box,
    Caption,
    Cuboid,
    Cuboid2D,
    Ellipse,
    Mask,
    PointMask,
    Points,
    Polygon,
    Polyline,
)
from maskcodec.model.dataset import Item
from maskcodec.model.geometry import bounds

__all__ = ["Encoder"]

_EXACT = 2**53
_NO_BOX = (float("nan"),) * 4
_NO_RINGS: list[Any] = []
_NO_INDICES = np.empty(0, np.int64)


class Encoder(Cells):
    """Makes the rows of items and annotations."""

    def annotation(self, one: Annotation, item: Item, at: int) -> Row:
        """The row of an annotation of the item at this place."""
        rest: Row = {}
        row: Row = {"item": at, "kind": one.kind, "category": self.place(one.category_id, rest)}
        for field, column in IDS.items():
            value = getattr(one, field)
            if value is None:
                row[column] = row[f"{column}_text"] = None
            else:
                self.put_id(row, column, field, value, rest)
        for name in FLAGS:
            value = getattr(one, name)
            row[name] = value is True
            if type(value) is not bool:
                rest[name] = value
        self.put(row, "origin", one.origin, is_text(one.origin), rest)
        row["whole"] = 0
        self._number(row, "z_order", one.z_order, rest)
        self._number(row, "score", one.score, rest)
        row["rotation"] = row["text"] = row["holes"] = row["visibility"] = row["mask"] = None
        row["indices"] = _NO_INDICES
        row["dims"], row["rings"], row["numbers"], row["box"] = 0, _NO_RINGS, (), _NO_BOX
        self._geometry(row, one, rest)

        def drop(field: str, why: str) -> None:
            self.report.drop(item, one, field, why)

        return self.finish(row, one, rest, drop)

    def _number(self, row: Row, name: str, value: Any, rest: Row, bit: int | None = None) -> None:
        row[name] = None
        if isinstance(value, float):
            row[name] = float(value)
        elif type(value) is int and -_EXACT <= value <= _EXACT:
            row[name] = float(value)
            row["whole"] |= 1 << (WHOLE[name] if bit is None else bit)
        elif value is not None:
            rest[name] = value

    def _numbers(self, row: Row, one: Any, names: tuple[str, ...], rest: Row) -> None:
        """Plain numbers of the geometry; a field that does not fit is in ``rest``, and NaN in the row."""
        values, cell = [], {"whole": row["whole"]}
        for bit, name in enumerate(names):
            self._number(cell, name, getattr(one, name), rest, bit)
            if cell[name] is None:
                rest[name] = getattr(one, name)
            values.append(_NO_BOX[0] if cell[name] is None else cell[name])
        row["whole"] = cell["whole"]
        row["numbers"] = values

    def _geometry(self, row: Row, one: Annotation, rest: Row) -> None:
        if isinstance(one, Box):
            self._numbers(row, one, ("x0", "y0", "x1", "y1"), rest)
            row["box"], row["numbers"] = row["numbers"], ()
            self._number(row, "rotation", one.rotation, rest)
        elif isinstance(one, Mask):
            if max(one.rle.shape) < 1 << 31:
                row["mask"] = one.rle
                row["box"] = bounds(one) or _NO_BOX
            else:
                rest["rle"] = one.rle
        elif isinstance(one, Polygon):
            self._rings(row, "rings", one.rings, rest)
            row["holes"] = list(one.holes) or None
        elif isinstance(one, (Polyline, Cuboid2D)):
            self._rings(row, "points", [one.points], rest)
        elif isinstance(one, Points):
            self._rings(row, "xy", [one.xy], rest)
            fits = one.visibility is None or all(is_int(v, 8) for v in one.visibility)
            self.put(row, "visibility", one.visibility, fits, rest)
        elif isinstance(one, Ellipse):
            self._numbers(row, one, ("cx", "cy", "rx", "ry"), rest)
            self._number(row, "rotation", one.rotation, rest)
            if not rest:
                row["box"] = bounds(one) or _NO_BOX
        elif isinstance(one, Cuboid):
            self._cuboid(row, one, rest)
        elif isinstance(one, PointMask):
            row["indices"] = one.indices
        elif isinstance(one, Caption):
            self.put(row, "text", one.text, is_text(one.text), rest)

    def _rings(self, row: Row, field: str, rings: list[Any], rest: Row) -> None:
        dims = {ring.shape[1] for ring in rings if ring.ndim == 2 and ring.dtype == np.float64}
        if len(dims) > 1 or dims - {2, 3} or (rings and not all(r.ndim == 2 and r.dtype == np.float64 for r in rings)):
            rest[field] = rings if field == "rings" else rings[0]
            return
        row["rings"] = rings
        row["dims"] = dims.pop() if dims else 0

    def _cuboid(self, row: Row, one: Cuboid, rest: Row) -> None:
        parts = [("position", one.position, 3), ("dimensions", one.dimensions, 3), ("yaw", (one.yaw,), 1)]
        if one.quaternion is not None:
            parts.append(("quaternion", one.quaternion, 4))
        values: list[float] = []
        for name, value, size in parts:
            cell: Row = {"whole": row["whole"]}
            bad: Row = {}
            if type(value) is tuple and len(value) == size:
                for at, number in enumerate(value):
                    self._number(cell, str(at), number, bad, len(values) + at)
            if bad or len(cell) != size + 1 or None in cell.values():
                rest[name] = getattr(one, name)
                values += [_NO_BOX[0]] * size
                continue
            row["whole"] = cell.pop("whole")
            values += cell.values()
        row["numbers"] = values

    def item(self, one: Item, first: int) -> Row:
        """The row of an item whose annotations begin at a row of their table."""
        rest: Row = {}
        row: Row = {"first": first, "count": len(one.annotations)}
        self.put_id(row, "id", "id", one.id, rest)
        for name in ("subset", "path", "media", "sequence", "sensor", "status"):
            value = getattr(one, name)
            self.put(row, name, value, is_text(value), rest)
        for name in ("width", "height", "frame"):
            value = getattr(one, name)
            self.put(row, name, value, is_int(value), rest)
        row["timestamp"] = row["timestamp_text"] = None
        if isinstance(one.timestamp, float):
            row["timestamp"] = float(one.timestamp)
        else:
            self.put(row, "timestamp_text", one.timestamp, is_text(one.timestamp), rest)
            if "timestamp_text" in rest:
                rest["timestamp"] = rest.pop("timestamp_text")
        return self.finish(row, one, rest, lambda field, why: self.report.drop(one, None, field, why))
