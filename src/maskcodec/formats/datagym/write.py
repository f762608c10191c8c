"""Writing DataGym lists: the import form, or the export form with its class list."""

from __future__ import annotations

import shutil
import uuid
from typing import Any

import numpy as np

from maskcodec.formats._shared.jsonio import encode
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.datagym.schema import MEDIA_IDS, NAMES, NAMESPACE, write_classes
from maskcodec.formats.datagym.shapes import geometry_of
from maskcodec.model.annotations import Annotation, Box, Points, Polygon, Polyline
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport, item_name

__all__ = ["arrange", "write"]

_STATES = ("completed", "skipped", "reviewed")
_IDS = uuid.UUID("5f0d1f34-54c5-5b0c-9a6e-3a1be1d7b7a1")


def arrange(item: Item, source: Item, report: LossReport) -> None:
    """Bring annotations into the order of the format: class by class, children behind their parents.

    Coordinates below 0 are cut off at 0, since the format has none, and values of attributes become texts.
    """
    roots: dict[Any, list[Annotation]] = {}
    children: dict[Any, list[Annotation]] = {}
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
        if _clip(annotation):
            report.approximate(source, annotation, "", "coordinates below 0 moved to 0")


def _clip(annotation: Annotation) -> bool:
    """Move negative coordinates of a copy to 0; whether there were any."""
    if isinstance(annotation, Box):
        low = (annotation.x0, annotation.y0)
        annotation.x0, annotation.y0 = max(low[0], 0), max(low[1], 0)
        return (annotation.x0, annotation.y0) != low
    if isinstance(annotation, Polygon):
        found = any((ring < 0).any() for ring in annotation.rings)
        if found:
            annotation.rings = [np.maximum(ring, 0) for ring in annotation.rings]
        return found
    if isinstance(annotation, Points):
        found = bool((annotation.xy < 0).any())
        if found:
            annotation.xy = np.maximum(annotation.xy, 0)
        return found
    if isinstance(annotation, Polyline):
        found = bool((annotation.points < 0).any())
        if found:
            annotation.points = np.maximum(annotation.points, 0)
        return found
    return False


def write(dataset: Dataset, sink: NullSink, report: LossReport, *, form: str = "import") -> None:
    """Write ``<form>.json``.

    Args:
        dataset: what the format carries.
        sink: the output.
        report: hears of special losses.
        form: "import", what DataGym takes, or "export", what it gives out.
    """
    writer = _Writer(dataset, report, form)
    with sink.spool() as spool:
        count = 0
        for item in dataset.items:
            spool.write((b",\n" if count else b"\n") + encode(writer.record(item)))
            count += 1
        with sink.open(f"{form}.json") as out:
            out.write(b"[")
            stored = dataset.extras.get(NAMESPACE, {}).get("label_classes")
            if form == "export" and (count or stored is not None):
                rows = write_classes(dataset.schema, stored, writer.used)
                out.write(b"\n" + encode({"label_classes": rows}) + (b"," if count else b""))
            spool.seek(0)
            shutil.copyfileobj(spool, out, 1 << 20)
            out.write(b"]\n")
    writer.identities()
    if form == "import":
        writer.missing()


class _Writer:
    def __init__(self, dataset: Dataset, report: LossReport, form: str) -> None:
        self.dataset, self.report, self.form = dataset, report, form
        self.used: dict[Any, set[str]] = {}
        self.stems: dict[str, list[tuple[str, Any, str]]] = {}

    def identities(self) -> None:
        """Report the items whose id is not what the reader will make of their names."""
        for stem, alike in self.stems.items():
            for shown, item_id, number in alike:
                if item_id != (stem if len(alike) == 1 else number):
                    why = "a medium is known by its name, or by its id where names are equal"
                    self.report.rename(shown, None, "id", why, what="item")

    def missing(self) -> None:
        """Report what an import list does not say of classes and definitions."""
        schema = self.dataset.schema
        for category in schema:
            if category.id not in self.used:
                why = "an import names only classes that have labels"
                self.report.drop(category.name, None, "", why, what="category")
            elif category.id != category.name:
                self.report.rename(category.name, None, "id", "classes are known by their keys", what="category")
        if [c.id for c in schema if c.id in self.used] != list(self.used):
            self.report.approximate(
                None, None, "categories", "classes come in the order of their first labels", what="schema"
            )
        if "label_classes" in self.dataset.extras.get(NAMESPACE, {}):
            why = "an import has no class list"
            self.report.drop(None, None, f"extras.{NAMESPACE}.label_classes", why)

    def record(self, item: Item) -> dict[str, Any]:
        """The object of one medium."""
        kept = dict(item.extras.get(NAMESPACE, {}))
        absent, empty = kept.pop("absent", []), kept.pop("empty_labels", [])
        old = MEDIA_IDS[1] in kept
        key, named = (MEDIA_IDS[1], NAMES[1]) if old else (MEDIA_IDS[0], NAMES[0])
        number = kept.pop(key, None)
        if number is None:
            number = str(uuid.uuid5(_IDS, f"{item.subset}\x1f{item.id}"))
            self.report.default(item, None, "extras.datagym.internal_media_ID", "every medium has an id of the server")
        row: dict[str, Any] = {key: number}
        name = kept.pop(named, item.path)
        if name is not None:
            row[named] = name
        stem = number
        if item.path is not None:
            folder, slash, base = item.path.rpartition("/")
            stem = folder + slash + (base.rpartition(".")[0] or base)
        self.stems.setdefault(stem, []).append((item_name(item), item.id, number))
        if "labeler" in kept:
            row["labeler"] = kept.pop("labeler")
        if item.status is not None:
            row["status"] = item.status
            if self.form == "export" and item.status not in _STATES:
                self.report.approximate(item, None, "status", "a state that DataGym does not know")
        row |= {k: kept.pop(k) for k in ("segmentations", "keepData") if k in kept}
        found = self._classifications(item, None, item.attributes)
        if found or "global_classifications" not in absent:
            row["global_classifications"] = found
        labels = self._labels(item, item.annotations)
        for name in empty:
            labels.setdefault(name, [])
        if labels or "labels" not in absent:
            row["labels"] = labels
        return {**row, **kept}

    def _labels(self, item: Item, annotations: list[Annotation]) -> dict[str, list[Any]]:
        labels: dict[str, list[Any]] = {}
        nested: dict[str, list[Any]] = {}
        for annotation in annotations:
            category = self.dataset.schema.by_id(annotation.category_id)  # type: ignore[arg-type]
            geometry, value = geometry_of(annotation)
            self.used.setdefault(category.id, set()).add(geometry)
            extra = annotation.extras.get(NAMESPACE, {})
            row: dict[str, Any] = {"geometry" if extra.get("deprecated") else geometry: value}
            found = self._classifications(item, annotation, annotation.attributes)
            if found or not extra.get("no_classifications"):
                row["classifications"] = found
            inner = ("deprecated", "no_classifications", "size", "segmentation")
            row |= {k: v for k, v in extra.items() if k not in inner}
            if annotation.parent_id is None:
                nested = {}
                labels.setdefault(category.name, []).append(row)
                if self.form == "export":
                    row["nested_geometries"] = nested
                parent = row
            else:
                parent["nested_geometries"] = nested
                nested.setdefault(category.name, []).append(row)
        return labels

    def _classifications(
        self, item: Item, annotation: Annotation | None, values: dict[str, Any]
    ) -> dict[str, list[Any]]:
        """Nested arrays of values by path; children of a path that is not there stay where they are."""
        out: dict[str, list[Any]] = {}
        arrays: dict[str, list[Any]] = {}
        for name, value in values.items():
            array = list(value) if isinstance(value, list) else [value]
            arrays[name] = array
            above, slash, key = name.rpartition("/")
            owner = arrays.get(above) if slash else None
            if owner is None:
                out[name] = array
                continue
            if owner and isinstance(owner[-1], dict):
                owner[-1][key] = array
                self._note(item, annotation, name, "DataGym reads one nested classification of a value")
            else:
                owner.append({key: array})
                if len(owner) != 2 and self.form == "import":
                    self._note(item, annotation, name, "DataGym takes nested classifications of single values only")
        return out

    def _note(self, item: Item, annotation: Annotation | None, name: str, why: str) -> None:
        self.report.approximate(item, annotation, f"attributes.{name}", why)


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
