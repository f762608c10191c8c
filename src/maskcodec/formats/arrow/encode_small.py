"""Categories, tracks and links to rows."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace
from typing import Any

from maskcodec.formats.arrow.cells import Cells, Row, is_int, is_text
from maskcodec.formats.arrow.values import Unwritable, to_text
from maskcodec.model.dataset import Link, Track
from maskcodec.model.schema import AttributeSpec, Category

__all__ = ["category_row", "link_row", "spec_value", "track_row"]


def spec_value(spec: AttributeSpec) -> Row:
    """A definition of an attribute as plain values."""
    own = {f.name: getattr(spec, f.name) for f in fields(spec)}
    return {**own, "children": [spec_value(child) for child in spec.children]}


def category_row(encoder: Cells, one: Category) -> Row:
    """The row of a category."""
    rest: Row = {}
    row: Row = {}
    encoder.put_id(row, "id", "id", one.id, rest)
    for name in ("name", "kind", "parent"):
        value = getattr(one, name)
        encoder.put(row, name, value, is_text(value), rest)
    color, names, edges = one.color, one.keypoints, one.skeleton
    encoder.put(row, "color", color, type(color) is tuple and all(is_int(c, 32) for c in color), rest)
    encoder.put(row, "keypoints", names, type(names) is list and all(map(is_text, names)), rest)
    pairs = type(edges) is list and all(type(e) is tuple and all(is_int(v, 32) for v in e) for e in edges)
    encoder.put(row, "skeleton", edges, pairs, rest)

    def drop(field: str, why: str) -> None:
        encoder.report.drop(str(one.name), None, field, why, what="category")

    encoder.finish(row, SimpleNamespace(attributes={}, extras=one.extras), rest, drop)
    kept = []
    for spec in one.attributes:
        try:
            to_text(spec_value(spec))
            kept.append(spec_value(spec))
        except Unwritable as error:
            drop(f"attributes.{spec.name}", str(error))
    row["attributes"] = to_text(kept) if kept else None
    return row


def track_row(encoder: Cells, key: Any, one: Track) -> Row | None:
    """The row of a track; None when its key cannot be written."""

    def drop(field: str, why: str) -> None:
        encoder.report.drop(None, str(one.id), field, why, what="track")

    rest: Row = {}
    row: Row = {"category": encoder.place(one.category_id, rest)}
    try:
        row["key"] = to_text(key)
    except Unwritable as error:
        drop("", str(error))
        return None
    encoder.put_id(row, "id", "id", one.id, rest)
    return encoder.finish(row, one, rest, drop)


def link_row(encoder: Cells, one: Link) -> Row | None:
    """The row of a link; None when its ends cannot be written."""

    def drop(field: str, why: str) -> None:
        encoder.report.drop(None, None, field, why, what="link")

    try:
        row: Row = {"source": to_text(one.source), "target": to_text(one.target)}
    except Unwritable as error:
        drop("", str(error))
        return None
    row["attributes"] = encoder.texts(one.attributes, drop, "attributes")
    row["extras"] = encoder.texts(one.extras, drop, "extras")
    return row
