"""Bringing annotations into the form of DataGym: order, coordinates from 0 on, texts as values."""

from __future__ import annotations

from typing import Any

from maskcodec.formats._shared.coordinates import not_below_zero
from maskcodec.model.annotations import Annotation
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["arrange"]


def arrange(item: Item, source: Item, report: LossReport) -> None:
    """Bring annotations into the order of the format: class by class, children behind their parents.

    Coordinates below 0 are cut off at 0, since the format has none, and values of attributes become texts.
    """
    roots: dict[Any, list[Annotation]] = {}
    children: dict[Any, list[Annotation]] = {}
    item.annotations = [a for a in item.annotations if not_below_zero(a, source, report)]
    ids = {a.id: a for a in item.annotations if a.id is not None}
    for annotation in item.annotations:
        parent = ids.get(annotation.parent_id) if annotation.parent_id is not None else None
        lost = parent is None or parent is annotation or parent.parent_id is not None
        if annotation.parent_id is not None and lost:
            report.drop(source, annotation, "parent_id", "no such parent, or nested deeper than one level")
            annotation.parent_id = None
        table = roots if annotation.parent_id is None else children
        key = annotation.category_id if annotation.parent_id is None else annotation.parent_id
        table.setdefault(key, []).append(annotation)
    ordered: list[Annotation] = []
    for group in roots.values():
        for annotation in group:
            ordered.append(annotation)
            own = children.pop(annotation.id, []) if annotation.id is not None else []
            kinds: dict[Any, list[Annotation]] = {}
            for child in own:
                kinds.setdefault(child.category_id, []).append(child)
            parents_id = len(ordered)
            for siblings in kinds.values():
                ordered += siblings
            if annotation.id is not None and (not own or annotation.id != parents_id):
                report.rename(source, annotation, "id", "DataGym has no ids; parents are numbered in an image")
            for child in own:
                if child.parent_id != parents_id:
                    report.rename(source, child, "parent_id", "DataGym has no ids; parents are numbered in an image")
                if child.id is not None:
                    report.rename(source, child, "id", "DataGym has no ids; parents are numbered in an image")
    if any(a is not b for a, b in zip(ordered, item.annotations, strict=True)):
        report.approximate(source, None, "annotations", "listed class by class", what="item")
    item.annotations = ordered
    item.attributes = _values(source, None, item.attributes, report)
    for annotation in ordered:
        annotation.attributes = _values(source, annotation, annotation.attributes, report)


def _values(item: Item, annotation: Annotation | None, values: dict[str, Any], report: LossReport) -> dict[str, Any]:
    """Attributes as classifications hold them: texts, lists of several texts, None."""
    out: dict[str, Any] = {}
    for name, value in values.items():
        rows = value if isinstance(value, list) else [value]
        texts = [v if isinstance(v, str) or (v is None and len(rows) == 1) else _text(v) for v in rows]
        if texts != rows:
            report.approximate(item, annotation, f"attributes.{name}", "values are written as texts")
        if isinstance(value, list) and len(value) == 1:
            why = "a list of one value is written as the value"
            report.approximate(item, annotation, f"attributes.{name}", why)
        out[name] = texts[0] if len(texts) == 1 else texts
    return out


def _text(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
