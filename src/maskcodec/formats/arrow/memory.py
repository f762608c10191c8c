"""A data set as tables in memory, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from maskcodec.errors import FormatError
from maskcodec.formats._base import Capabilities
from maskcodec.formats._shared.carry import carried
from maskcodec.formats.arrow.layout import TABLES, VERSION, arrow, schema
from maskcodec.formats.arrow.read import Reader
from maskcodec.formats.arrow.tables import of_table
from maskcodec.formats.arrow.write import batches
from maskcodec.model.dataset import Dataset, Origin
from maskcodec.model.losses import LossReport

__all__ = ["ArrowTables", "from_tables", "to_tables"]


@dataclass(slots=True)
class ArrowTables:
    """The tables of a data set, each a ``pyarrow.Table`` (or any other object with an Arrow stream).

    Attributes:
        items: images, frames, point clouds; its metadata hold what is known of the data set as a whole.
        annotations: one row an object; ``item`` is the row of its item.
        categories: ``category`` of an annotation is a row of it.
        tracks: objects over time.
        links: relations.
        metadata: what is known of the data set as a whole, for engines that forget the metadata of tables.
        report: what could not be put into the tables.
    """

    items: Any
    annotations: Any
    categories: Any
    tracks: Any
    links: Any
    metadata: str
    report: LossReport


def to_tables(dataset: Dataset, carries: Capabilities) -> ArrowTables:
    """All of a data set in memory."""
    pa = arrow()
    report = LossReport()
    metadata, made = batches(carried(dataset, carries, report), report)
    parts: dict[str, list[Any]] = {table: [] for table in TABLES}
    for table, batch in made:
        parts[table].append(batch)
    tables = {}
    for table, found in parts.items():
        own = schema(table)
        if table == "items":
            own = own.with_metadata({**own.metadata, **{k.encode(): v.encode() for k, v in metadata.items()}})
        tables[table] = pa.Table.from_batches([batch.replace_schema_metadata(own.metadata) for batch in found], own)
    return ArrowTables(**tables, metadata=metadata["maskcodec.dataset"], report=report)


def from_tables(tables: ArrowTables) -> Dataset:
    """The data set of tables; rows of annotations may have been left out, their order by item is kept.

    Raises:
        FormatError: other columns or types, annotations that are not in the order of their items.
    """
    pa = arrow()
    annotations = pa.table(tables.annotations)
    items = pa.table(tables.items)
    if "item" not in annotations.column_names:
        raise FormatError("required column is missing", file="<annotations>", field="item")
    # Which rows belong to an item is counted anew, so that an engine may drop some.
    of = annotations.column("item").to_numpy() if len(annotations) else np.empty(0, np.int64)
    if of.dtype.kind != "i" or (len(of) and (of.min() < 0 or of.max() >= len(items) or (np.diff(of) < 0).any())):
        text = f"expected rows in the order of their items, numbers from 0 to {len(items) - 1}"
        raise FormatError(text, file="<annotations>", field="item")
    numbers = np.arange(len(items))
    first = np.searchsorted(of, numbers, "left")
    count = np.searchsorted(of, numbers, "right") - first
    for name, values in (("first", first), ("count", count)):
        array = pa.array(values.astype(np.int64))
        at = items.column_names.index(name) if name in items.column_names else None
        items = items.append_column(name, array) if at is None else items.set_column(at, name, array)
    found = {name: of_table(name, getattr(tables, name)) for name in ("categories", "tracks", "links")}
    found |= {"items": of_table("items", items), "annotations": of_table("annotations", annotations)}
    for table in found.values():
        if table.unknown:
            raise table.fault("a column that the format does not have; take it out first", field=table.unknown[0])

    def problem(error: FormatError, item: Any, annotation: Any) -> None:
        raise error

    dataset = Reader(found, problem, tables.metadata).dataset
    dataset.source = Origin("arrow", "", VERSION)
    return dataset
