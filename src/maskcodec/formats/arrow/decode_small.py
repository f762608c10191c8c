"""Rows to items, categories, tracks and links, and what all rows share."""

from __future__ import annotations

from typing import Any

from maskcodec.errors import DecodeError, shorten
from maskcodec.formats.arrow.values import from_text
from maskcodec.model.dataset import Item, Link, Track
from maskcodec.model.schema import AttributeSpec, Category

__all__ = [
    "Bad", "category_of", "extras_of", "id_of", "item_of", "json_value", "link_of", "read_spec", "restore", "track_of",
]  # fmt: skip


class Bad(Exception):
    """A row that breaks a rule; the field comes first."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def json_value(text: str | None, field: str, kind: type = dict) -> Any:
    """The value of a JSON column; null is an empty one."""
    if text is None:
        return kind()
    try:
        value = from_text(text)
    except (ValueError, DecodeError) as error:
        raise Bad(field, f"expected JSON as the format writes it: {error}") from error
    if not isinstance(value, kind):
        raise Bad(field, f"expected {'an object' if kind is dict else 'a list'}, got {shorten(value)}")
    return value


def id_of(row: dict[str, Any], column: str) -> Any:
    """The number or the text of an id."""
    number, text = row[column], row[f"{column}_text"]
    if number is not None and text is not None:
        raise Bad(column, f"both a number and a text: {number} and {shorten(text)}")
    return number if text is None else text


def extras_of(row: dict[str, Any]) -> dict[str, Any]:
    """The extras of a row."""
    extras: dict[str, Any] = json_value(row["extras"], "extras")
    for name, own in extras.items():
        if not isinstance(own, dict):
            raise Bad("extras", f"expected an object in {shorten(name)}, got {shorten(own)}")
    return extras


def restore(one: Any, rest: dict[str, Any]) -> None:
    """Set the fields that did not fit their columns."""
    for name, value in rest.items():
        if name not in type(one).__dataclass_fields__:
            raise Bad("rest", f"unknown field {shorten(name)}")
        setattr(one, name, value)


def item_of(row: dict[str, Any]) -> Item:
    """An item without its annotations."""
    names = ("path", "width", "height", "sequence", "frame", "sensor", "status")
    given = {name: row[name] for name in names}
    given["timestamp"] = row["timestamp"] if row["timestamp_text"] is None else row["timestamp_text"]
    rest = json_value(row["rest"], "rest")
    for name in ("subset", "media"):
        if row[name] is None and name not in rest:
            raise Bad(name, "expected a text, got null")
        given[name] = row[name]
    given["attributes"] = json_value(row["attributes"], "attributes")
    item = Item(id_of(row, "id"), extras=extras_of(row), **given)
    if item.id is None and "id" not in rest:
        raise Bad("id", "expected a number or a text, got null")
    restore(item, rest)
    return item


def read_spec(value: Any) -> AttributeSpec:
    """A definition of an attribute from its plain values."""
    if not isinstance(value, dict):
        raise Bad("attributes", f"expected an object, got {shorten(value)}")
    try:
        return AttributeSpec(**{**value, "children": [read_spec(child) for child in value.get("children", [])]})
    except (TypeError, ValueError) as error:
        raise Bad("attributes", str(error)) from error


def category_of(row: dict[str, Any]) -> Category:
    """A category."""
    rest = json_value(row["rest"], "rest")
    if row["name"] is None and "name" not in rest:
        raise Bad("name", "expected a text, got null")
    specs = [read_spec(one) for one in json_value(row["attributes"], "attributes", list)]
    color, edges = row["color"], row["skeleton"]
    category = Category(
        id_of(row, "id"), row["name"], None if color is None else tuple(color), row["kind"], row["parent"], specs,
        row["keypoints"] or [], [tuple(edge) for edge in edges or ()], extras_of(row),
    )  # fmt: skip
    restore(category, rest)
    return category


def track_of(row: dict[str, Any], categories: list[Any]) -> tuple[Any, Track]:
    """The key of a track, and the track."""
    at = row["category"]
    if at is None or not -1 <= at < len(categories):
        raise Bad("category", f"expected a row of the categories below {len(categories)}, got {at}")
    category = None if at < 0 else categories[at]
    track = Track(id_of(row, "id"), category, json_value(row["attributes"], "attributes"), extras_of(row))
    restore(track, json_value(row["rest"], "rest"))
    return json_value(row["key"], "key", object), track


def link_of(row: dict[str, Any]) -> Link:
    """A link."""
    source, target = (json_value(row[name], name, object) for name in ("source", "target"))
    return Link(source, target, json_value(row["attributes"], "attributes"), extras_of(row))
