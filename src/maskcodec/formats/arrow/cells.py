"""Values into the cells of a row.

A typed column holds a value only if it gives back exactly that value; what does not fit its column goes into ``rest``,
as JSON by the name of the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from maskcodec.formats.arrow.values import Unwritable, to_text
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["Cells", "Row", "is_int", "is_text"]

Row = dict[str, Any]


def is_text(value: Any) -> bool:
    """Whether a value is a text that UTF-8 can say."""
    if type(value) is not str:
        return False
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return False
    return True


def is_int(value: Any, bits: int = 64) -> bool:
    """Whether a value is an integer of so many bits, and no bool."""
    return type(value) is int and -(1 << bits - 1) <= value < 1 << bits - 1


class Cells:
    """Fills cells; what cannot be written is entered in the report.

    Args:
        schema: its categories are known by their places.
        report: hears of values that no text holds.
    """

    def __init__(self, schema: LabelSchema, report: LossReport) -> None:
        self.report = report
        self._categories: dict[tuple[type, Any], int] = {}
        for at, category in enumerate(schema.categories):
            self._categories.setdefault((type(category.id), category.id), at)

    def texts(self, values: Mapping[Any, Any], drop: Callable[[str, str], None], field: str) -> str | None:
        """A dict as JSON, without the entries that cannot be written; None for an empty one."""
        if not values:
            return None
        try:
            return to_text(dict(values))
        except Unwritable:
            kept: Row = {}
            for key, value in values.items():
                try:
                    to_text({key: value})
                    kept[key] = value
                except Unwritable as error:
                    if field == "extras" and isinstance(value, dict):
                        kept[key] = self._namespace(value, drop, f"extras.{key}")
                    else:
                        drop(f"{field}.{key}" if field else str(key), str(error))
            return to_text(kept)

    def _namespace(self, values: Row, drop: Callable[[str, str], None], field: str) -> Row:
        kept = {}
        for key, value in values.items():
            try:
                to_text({key: value})
                kept[key] = value
            except Unwritable as error:
                drop(f"{field}.{key}", str(error))
        return kept

    def put_id(self, row: Row, column: str, field: str, value: Any, rest: Row) -> None:
        """A number or a text into its column."""
        row[column] = row[f"{column}_text"] = None
        if is_int(value):
            row[column] = value
        elif is_text(value):
            row[f"{column}_text"] = value
        elif value is not None:
            rest[field] = value

    def put(self, row: Row, name: str, value: Any, fits: bool, rest: Row) -> None:
        """A value into its column, if it fits."""
        row[name] = value if fits else None
        if not fits and value is not None:
            rest[name] = value

    def place(self, value: Any, rest: Row) -> int:
        """Place of a category by its id, -1 for none."""
        if value is None:
            return -1
        try:
            at = self._categories.get((type(value), value), -1)
        except TypeError:
            at = -1
        if at < 0:
            rest["category_id"] = value
        return at

    def finish(self, row: Row, one: Any, rest: Row, drop: Callable[[str, str], None]) -> Row:
        """The JSON columns that end a row."""
        row["attributes"] = self.texts(one.attributes, drop, "attributes")
        row["extras"] = self.texts(one.extras, drop, "extras")
        row["rest"] = self.texts(rest, drop, "")
        return row
