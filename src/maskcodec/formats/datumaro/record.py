"""Annotations of Datumaro to ours and back: what they share besides the geometry."""

from __future__ import annotations

from typing import Any

from maskcodec.errors import shorten
from maskcodec.formats.datumaro.schema import NAMESPACE, RESERVED
from maskcodec.formats.datumaro.shapes import Fault, read_geometry, write_geometry
from maskcodec.model.annotations import Annotation, Box, Caption, Cuboid, Ellipse, Skeleton, Tag
from maskcodec.model.schema import Category

__all__ = ["read_annotation", "write_annotation"]

_COMMON = ("id", "type", "attributes", "group", "label_id", "z_order")


def read_annotation(row: Any, category: Category | None) -> Annotation:
    """One record; its category is looked up by the caller.

    Raises:
        Fault: the record breaks a rule.
    """
    extra: dict[str, Any] = {}
    shape, used = read_geometry(row, category, extra)
    for field, default in (("id", 0), ("group", 0), ("z_order", 0)):
        value = row.get(field, default)
        if type(value) is not int and not (field == "z_order" and type(value) is float):
            raise Fault(field, f"expected an integer, got {shorten(value)}")
    attributes = row.get("attributes", {})
    if not isinstance(attributes, dict):
        raise Fault("attributes", f"expected an object, got {shorten(attributes)}")
    shape.attributes = dict(attributes)
    shape.id, shape.z_order = row.get("id", 0), row.get("z_order", 0)
    shape.group_id = row.get("group") or None
    taken = []
    for name, types in RESERVED.items():
        if type(shape.attributes.get(name)) in types:
            setattr(shape, name, shape.attributes.pop(name))
            taken.append(name)
    if isinstance(shape, (Box, Ellipse)) and type(shape.attributes.get("rotation")) in (int, float):
        shape.rotation = shape.attributes.pop("rotation")
        taken.append("rotation")
    if isinstance(shape, Skeleton) and type(shape.attributes.get("z_order")) in (int, float):
        shape.z_order = shape.attributes.pop("z_order")
    rest = {k: v for k, v in row.items() if k not in _COMMON and k not in used}
    extra |= rest
    if taken:
        extra["#reserved"] = taken
    if extra:
        shape.extras = {NAMESPACE: extra}
    return shape


def write_annotation(shape: Annotation, label: int | None, number: int, group: int) -> dict[str, Any]:
    """The record of an annotation."""
    kept = dict(shape.extras.get(NAMESPACE, {}))
    listed = kept.pop("#reserved", ())
    attributes = dict(shape.attributes)
    for name in RESERVED:
        value = getattr(shape, name)
        if (value is not None and value is not False) or (name in listed and value is not None):
            attributes[name] = value
    if isinstance(shape, (Box, Ellipse)) and (shape.rotation or "rotation" in listed):
        attributes["rotation"] = shape.rotation
    places = write_geometry(shape, kept)
    row: dict[str, Any] = {"id": number, "type": places.pop("type"), "attributes": attributes, "group": group}
    if not isinstance(shape, Caption):
        row["label_id"] = label
    if isinstance(shape, Skeleton):
        if shape.z_order:
            attributes["z_order"] = shape.z_order
    elif not isinstance(shape, (Tag, Caption, Cuboid)):
        row["z_order"] = shape.z_order
    return {**row, **places, **kept}
