"""Tags and captions of images for formats that have attributes of images, but neither of the two."""

from __future__ import annotations

from typing import Any

from maskcodec.model.annotations import Annotation, Caption, Tag
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["drop_repeated_tags", "tags_to_attributes"]


def tags_to_attributes(item: Item, source: Item, report: LossReport, schema: LabelSchema) -> None:
    """A tag becomes an attribute of its category's name with the value true, a caption one called "caption".

    Args:
        item: a copy, is changed.
        source: the item as it was, for the report.
        report: hears of every one.
        schema: names the categories.
    """
    kept: list[Annotation] = []
    attributes: dict[str, Any] = dict(item.attributes)
    for annotation in item.annotations:
        if not isinstance(annotation, (Tag, Caption)):
            kept.append(annotation)
            continue
        value: Any = True
        name = "caption"
        if isinstance(annotation, Caption):
            value = annotation.text
        elif annotation.category_id is not None and annotation.category_id in schema:
            name = schema.by_id(annotation.category_id).name
        else:
            report.drop(source, annotation, "", "a tag without a category of the schema says nothing")
            continue
        if attributes.setdefault(name, value) != value:
            report.drop(source, annotation, "", "the image has another attribute of this name")
            continue
        report.approximate(source, annotation, "", "written as an attribute of the image")
        for inner in annotation.attributes:
            report.drop(source, annotation, f"attributes.{inner}", "an attribute has none itself")
    if len(kept) != len(item.annotations):
        item.annotations, item.attributes = kept, attributes


def drop_repeated_tags(item: Item, source: Item, report: LossReport) -> None:
    """Leave out tags of a category that the item has already, for formats that say once whether it has it.

    Args:
        item: a copy, is changed.
        source: the item as it was, for the report.
        report: hears of every one.
    """
    seen: set[Any] = set()
    kept: list[Annotation] = []
    for annotation in item.annotations:
        if isinstance(annotation, Tag):
            if annotation.category_id in seen:
                report.drop(source, annotation, "", "the item has this tag already")
                continue
            seen.add(annotation.category_id)
        kept.append(annotation)
    if len(kept) != len(item.annotations):
        item.annotations = kept
