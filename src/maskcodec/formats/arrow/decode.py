"""Rows to annotations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from maskcodec.columns import RleColumn
from maskcodec.errors import DecodeError, FormatError, shorten
from maskcodec.formats.arrow.decode_small import Bad, extras_of, id_of, json_value, restore
from maskcodec.formats.arrow.layout import FLAGS, IDS, WHOLE
from maskcodec.formats.arrow.tables import Table
from maskcodec.model.annotations import KINDS, Annotation

__all__ = ["Annotations"]

_CLASSES = {kind.kind: kind for kind in KINDS}
_BOX, _ELLIPSE = ("x0", "y0", "x1", "y1"), ("cx", "cy", "rx", "ry")
_INTEGERS = sum(1 << bit for bit in (*range(11), *WHOLE.values()))


class Annotations:
    """Annotations by ranges of rows; a block of rows is turned into Python values at once and kept.

    Args:
        table: the table of annotations.
        categories: ids, by the places of the categories.
    """

    block = 256

    def __init__(self, table: Table, categories: list[Any]) -> None:
        self.table, self._categories = table, categories
        self._kept: tuple[int, int, list[dict[str, Any]]] = (0, 0, [])

    def range(self, first: int, stop: int, item: int) -> Iterator[tuple[int, Annotation | FormatError]]:
        """(row, annotation or what is wrong with it) of the rows of an item."""
        for row in range(first, stop):
            low, high, values = self._kept
            if not low <= row < high:
                low, high = self.table.around(row, min(stop, row + self.block), self.block)
                try:
                    values = self._block(low, high)
                except (ValueError, TypeError) as error:
                    if isinstance(error, FormatError):
                        raise
                    raise self.table.fault(f"damaged rows: {error}", low) from error
                self._kept = (low, high, values)
            try:
                yield row, self._annotation(values[row - low], item)
            except Bad as bad:
                yield row, self.table.fault(str(bad), row, bad.field)
            except (ValueError, TypeError, KeyError, OverflowError) as error:
                yield row, self.table.fault(f"damaged row: {error}", row)

    def _block(self, low: int, high: int) -> list[dict[str, Any]]:
        batch = self.table.rows(low, high)
        columns: dict[str, list[Any]] = {}
        for name in batch.schema.names:
            if name == "mask":
                columns[name] = self._masks(batch.column(name))
            elif name == "rings":
                columns[name] = _rings(batch.column(name))
            elif name == "indices":
                columns[name] = _lists(batch.column(name), np.int64, name)
            else:
                array = batch.column(name)
                columns[name] = [None] * len(array) if array.null_count == len(array) else array.to_pylist()
        names = list(columns)
        return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    def _masks(self, array: Any) -> list[Any]:
        """Masks, None for null, or what is wrong with a row."""
        if array.null_count == len(array):
            return [None] * len(array)
        try:
            column = RleColumn(array)
            valid = column.valid
            masks = column.to_array("empty")
            return [masks[i] if ok else None for i, ok in enumerate(valid.tolist())]
        except TypeError as error:
            raise self.table.fault(str(error), field="mask", fatal=True) from error
        except (DecodeError, ValueError):  # one by one, so that the others come through
            return [self._mask(array[i : i + 1]) for i in range(len(array))]

    def _mask(self, row: Any) -> Any:
        try:
            return RleColumn(row)[0]
        except (DecodeError, ValueError) as error:
            return Bad("mask", str(error).removeprefix("row 0: "))

    def _annotation(self, row: dict[str, Any], item: int) -> Annotation:
        if row["item"] != item:
            raise Bad("item", f"expected {item}, the item whose rows these are, got {row['item']}")
        kind = _CLASSES.get(row["kind"])
        if kind is None:
            raise Bad("kind", f"expected one of {', '.join(_CLASSES)}, got {shorten(row['kind'])}")
        category, whole = row["category"], row["whole"]
        if category is None or not -1 <= category < len(self._categories):
            raise Bad("category", f"expected a row of the categories below {len(self._categories)}, got {category}")
        if whole is None or whole & ~_INTEGERS:
            raise Bad("whole", f"expected marks of integers, got {whole}")
        given: dict[str, Any] = {field: id_of(row, column) for field, column in IDS.items()}
        for name in FLAGS:
            given[name] = row[name]
            if row[name] is None:
                raise Bad(name, "expected true or false, got null")
        for name in ("z_order", "score"):
            given[name] = _number(row[name], whole >> WHOLE[name], name)
        given["attributes"] = json_value(row["attributes"], "attributes")
        given |= {"origin": row["origin"], "extras": extras_of(row)}
        given["category_id"] = None if category < 0 else self._categories[category]
        rest = json_value(row["rest"], "rest")
        given |= _geometry(row, kind.kind, whole, rest)
        one = kind(**given)
        restore(one, rest)
        return one


def _number(value: float | None, whole: int, name: str) -> float | int | None:
    if value is None or not whole & 1:
        return value
    if value != value or value in (float("inf"), float("-inf")) or value != int(value):
        raise Bad(name, f"marked as an integer, got {value}")
    return int(value)


def _lists(array: Any, kind: Any, name: str) -> list[Any]:
    """The lists of a column as arrays that share its memory, read-only; None for null, ``Bad`` with null inside."""
    flat = array.flatten()
    if not (array.null_count or flat.null_count):
        ends = np.cumsum(array.value_lengths().to_numpy())
        return np.split(flat.to_numpy(), ends[:-1]) if len(ends) else []
    lists = array.to_pylist()
    bad = Bad(name, "expected numbers, one is null")
    return [None if one is None else bad if None in one else np.array(one, kind) for one in lists]


def _rings(array: Any) -> list[Any]:
    """For every row its rings as flat arrays; None for null, ``Bad`` with null inside."""
    inner = _lists(array.flatten(), np.float64, "rings")
    out: list[Any] = []
    at = 0
    for count in array.value_lengths().to_pylist():
        if count is None:
            out.append(None)
            continue
        rings = inner[at : at + count]
        wrong = [ring for ring in rings if ring is None or isinstance(ring, Bad)]
        out.append(Bad("rings", "expected numbers, a ring or a number is null") if wrong else rings)
        at += count
    return out


def _geometry(row: dict[str, Any], kind: str, whole: int, rest: dict[str, Any]) -> dict[str, Any]:
    """The fields that the kind has of its own."""
    for name in ("mask", "rings", "indices"):
        if isinstance(row[name], Bad):
            raise row[name]
    for name in ("box", "numbers", "holes"):
        if row[name] is not None and None in row[name]:
            raise Bad(name, "expected values, one is null")
    if kind in ("box", "ellipse"):
        names = _BOX if kind == "box" else _ELLIPSE
        values = row["box" if kind == "box" else "numbers"]
        if values is None or len(values) != 4:
            raise Bad("box" if kind == "box" else "numbers", f"expected 4 numbers, got {shorten(values)}")
        named = enumerate(zip(names, values, strict=True))
        out = {name: _number(value, whole >> bit, name) for bit, (name, value) in named}
        return {**out, "rotation": _number(row["rotation"], whole >> WHOLE["rotation"], "rotation")}
    if kind == "mask":
        if row["mask"] is None and "rle" not in rest:
            raise Bad("mask", "expected a mask, got null")
        return {"rle": row["mask"]}
    if kind in ("polygon", "polyline", "points", "skeleton", "cuboid2d"):
        return _points(row, kind, rest)
    if kind == "cuboid":
        return _cuboid(row["numbers"], whole)
    if kind == "pointmask":
        if row["indices"] is None:
            raise Bad("indices", "expected a list of integers, got null")
        return {"indices": row["indices"].copy()}
    if kind == "caption":
        if row["text"] is None and "text" not in rest:
            raise Bad("text", "expected a text, got null")
        return {"text": row["text"]}
    return {}


def _points(row: dict[str, Any], kind: str, rest: dict[str, Any]) -> dict[str, Any]:
    dims, flat = row["dims"], row["rings"]
    if flat is None or (flat and dims not in (2, 3)) or any(len(ring) % dims for ring in flat):
        raise Bad("rings", f"expected rings of {dims} numbers a point (column dims: 2 or 3)")
    rings = [np.array(ring, np.float64).reshape(-1, dims) for ring in flat]
    if kind == "polygon":
        return {"rings": rings, "holes": tuple(row["holes"] or ())}
    name = "xy" if kind in ("points", "skeleton") else "points"
    if len(rings) != 1 and name not in rest:
        raise Bad("rings", f"expected one list of points, got {len(rings)}")
    out: dict[str, Any] = {name: rings[0] if rings else np.zeros((8, 2))}
    if name == "xy" and "xy" not in rest:
        out["visibility"] = row["visibility"]
    return out


def _cuboid(values: list[float] | None, whole: int) -> dict[str, Any]:
    if values is None or len(values) not in (7, 11):
        raise Bad("numbers", f"expected 7 or 11 numbers, got {shorten(values)}")
    numbers = [_number(value, whole >> bit, "numbers") for bit, value in enumerate(values)]
    return {
        "position": tuple(numbers[:3]), "dimensions": tuple(numbers[3:6]), "yaw": numbers[6],
        "quaternion": tuple(numbers[7:]) or None,
    }  # fmt: skip
