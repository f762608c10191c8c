"""Writing DataGym lists: the import form, or the export form with its class list."""

from __future__ import annotations

import shutil
import uuid
from typing import Any

from maskcodec.formats._shared.jsonio import encode
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.datagym.schema import MEDIA_IDS, NAMES, NAMESPACE, write_classes
from maskcodec.formats.datagym.shapes import geometry_of
from maskcodec.model.annotations import Annotation
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport, item_name

__all__ = ["write"]

_STATES = ("completed", "skipped", "reviewed")
_IDS = uuid.UUID("5f0d1f34-54c5-5b0c-9a6e-3a1be1d7b7a1")


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
