"""Tables out, batch by batch: an item's rows never lie in two batches."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, BinaryIO

import numpy as np

from maskcodec.columns import RleColumn
from maskcodec.formats._base import Dataset, Sink
from maskcodec.formats.arrow.cells import Row
from maskcodec.formats.arrow.encode import Encoder
from maskcodec.formats.arrow.encode_small import category_row, link_row, spec_value, track_row
from maskcodec.formats.arrow.layout import SUFFIXES, TABLES, arrow, mask_array, schema
from maskcodec.formats.arrow.values import Unwritable, to_text
from maskcodec.model.losses import LossReport

__all__ = ["batches", "write"]

_ROWS = 16384  # in a batch of annotations or items, or as many as there are when texts take this many bytes
_BYTES = 16 << 20


class _Counting(io.RawIOBase):
    """A stream that knows where it is, whatever the sink behind it."""

    def __init__(self, target: BinaryIO) -> None:
        self._target, self._at = target, 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        self._target.write(data)
        size: int = memoryview(data).nbytes
        self._at += size
        return size


def _lists(values: Any, lengths: list[int], kind: Any) -> Any:
    """Lists of one flat array, none of them null."""
    pa = arrow()
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return pa.ListArray.from_arrays(pa.array(offsets), values).cast(kind)


def _ring_boxes(rows: list[Row], boxes: Any) -> None:
    """Extents of what is given by rings in the plane; loose points have none."""
    flat = [row["dims"] == 2 and row["kind"] in ("polygon", "polyline", "cuboid2d") for row in rows]
    sizes = [sum(map(len, row["rings"])) if planar else 0 for row, planar in zip(rows, flat, strict=True)]
    at = [i for i, size in enumerate(sizes) if size]
    if not at:
        return
    starts = np.cumsum([0, *(sizes[i] for i in at[:-1])])
    xy = np.concatenate([ring for i in at for ring in rows[i]["rings"]])
    boxes[at, :2] = np.minimum.reduceat(xy, starts)
    boxes[at, 2:] = np.maximum.reduceat(xy, starts)


def _annotation_arrays(rows: list[Row]) -> dict[str, Any]:
    pa = arrow()
    kinds = schema("annotations")
    boxes = np.array([row["box"] for row in rows], np.float64).reshape(-1, 4)
    _ring_boxes(rows, boxes)
    rings = [ring for row in rows for ring in row["rings"]]
    flat = np.concatenate([ring.reshape(-1) for ring in rings]) if rings else np.empty(0)
    inner = _lists(pa.array(flat), [ring.size for ring in rings], kinds.field("rings").type.value_type)
    indices = np.concatenate([row["indices"] for row in rows]) if rows else np.empty(0, np.int64)
    numbers = [v for row in rows for v in row["numbers"]]
    return {
        "box": pa.FixedSizeListArray.from_arrays(pa.array(boxes.reshape(-1)), 4),
        "rings": _lists(inner, [len(row["rings"]) for row in rows], kinds.field("rings").type),
        "mask": mask_array(RleColumn.from_rles(row["mask"] for row in rows)),
        "numbers": _lists(pa.array(numbers, pa.float64()), [len(row["numbers"]) for row in rows],
                          kinds.field("numbers").type),
        "indices": _lists(pa.array(indices), [len(row["indices"]) for row in rows], kinds.field("indices").type),
    }  # fmt: skip


def _batch(table: str, rows: list[Row]) -> Any:
    pa = arrow()
    made = _annotation_arrays(rows) if table == "annotations" else {}
    arrays = [
        made[field.name] if field.name in made else pa.array([row[field.name] for row in rows], field.type)
        for field in schema(table)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema(table))


def _size(row: Row) -> int:
    """Bytes that a row holds on to, roughly."""
    size = 512 + sum(ring.nbytes for ring in row["rings"]) + row["indices"].nbytes
    if row["mask"] is not None:
        size += row["mask"].runs.nbytes
    return int(size) + _texts(row)


def _texts(row: Row) -> int:
    return sum(len(row[name]) for name in ("text", "attributes", "extras", "rest") if row.get(name))


def head(dataset: Dataset, encoder: Encoder, report: LossReport) -> str:
    """What holds for the data set as a whole, as JSON."""

    def drop(field: str, why: str) -> None:
        report.drop(None, None, field, why)

    def listed(name: str, values: list[Any]) -> list[Any]:
        kept = []
        for value in values:
            try:
                to_text(value)
                kept.append(value)
            except Unwritable as error:
                drop(f"{name}.{value['name']}", str(error))
        return kept

    known = dataset.schema
    groups = [{k: getattr(g, k) for k in ("name", "tags", "multiple", "id", "extras")} for g in known.tag_groups]
    parts = {
        "info": encoder.texts(dataset.info, drop, "info"),
        "extras": encoder.texts(dataset.extras, drop, "extras"),
        "attributes": to_text(listed("attributes", [spec_value(spec) for spec in known.attributes])),
        "tag_groups": to_text(listed("tag_groups", groups)),
        "background": encoder.texts({"id": known.background}, drop, "background"),
    }
    return to_text({name: text for name, text in parts.items() if text is not None})


def batches(dataset: Dataset, report: LossReport) -> tuple[dict[str, str], Iterator[tuple[str, Any]]]:
    """The metadata of the table of items, and (name of a table, record batch) as they become full."""
    encoder = Encoder(dataset.schema, report)
    metadata = {"maskcodec.dataset": head(dataset, encoder, report)}

    def run() -> Iterator[tuple[str, Any]]:
        small: dict[str, list[Row | None]] = {
            "categories": [category_row(encoder, one) for one in dataset.schema.categories],
            "tracks": [track_row(encoder, key, one) for key, one in dataset.tracks.items()],
            "links": [link_row(encoder, one) for one in dataset.links],
        }
        for table, made in small.items():
            kept = [row for row in made if row is not None]
            if kept:
                yield table, _batch(table, kept)
        items: list[Row] = []
        rows: list[Row] = []
        first = held = texts = 0
        for at, item in enumerate(dataset.items):
            items.append(encoder.item(item, first))
            texts += _texts(items[-1])
            new = [encoder.annotation(one, item, at) for one in item.annotations]
            first += len(new)
            held += sum(map(_size, new))
            rows += new
            if len(rows) >= _ROWS or held >= _BYTES:
                yield "annotations", _batch("annotations", rows)
                rows, held = [], 0
            if len(items) >= _ROWS or texts >= _BYTES:
                yield "items", _batch("items", items)
                items, texts = [], 0
        if rows:
            yield "annotations", _batch("annotations", rows)
        if items:
            yield "items", _batch("items", items)

    return metadata, run()


def write(dataset: Dataset, sink: Sink, report: LossReport, *, file: str = "parquet", areas: str = "keep") -> None:
    """Write the tables.

    Args:
        dataset: what to write.
        sink: folder or zip.
        report: hears of values that no text holds.
        file: "parquet" (zstd), or "ipc": Arrow files that are not compressed, which readers map into memory.
        areas: "keep", or "masks" to fill polygons and ellipses once, so that loaders need not; the report says so.
    """
    if file not in SUFFIXES:
        raise ValueError(f'file is "parquet" or "ipc", got {file!r}')
    if areas not in ("keep", "masks"):
        raise ValueError(f'areas is "keep" or "masks", got {areas!r}')
    pa = arrow()
    metadata, made = batches(dataset, report)
    lengths: dict[str, list[int]] = {table: [] for table in TABLES}
    categories = []
    with ExitStack() as stack:

        def start(table: str, more: dict[str, str]) -> Any:
            target = _Counting(stack.enter_context(sink.open(table + SUFFIXES[file])))
            own = schema(table)
            own = own.with_metadata({**own.metadata, **{k.encode(): v.encode() for k, v in more.items()}})
            return stack.enter_context(_writer(pa, target, own, file))

        others = [table for table in TABLES if table != "categories"]
        writers = {table: start(table, metadata if table == "items" else {}) for table in others}
        for table, batch in made:
            lengths[table].append(batch.num_rows)
            if table == "categories":
                categories.append(batch)
            else:
                writers[table].write_batch(batch)
        # Last, so that readers learn from it where batches begin without opening them.
        last = start("categories", {"maskcodec.batches": json.dumps({table: lengths[table] for table in others})})
        for batch in categories:
            last.write_batch(batch)


def _writer(pa: Any, target: Any, own: Any, file: str) -> Any:
    stream = pa.PythonFile(target, mode="w")
    if file == "ipc":
        return pa.ipc.new_file(stream, own, options=pa.ipc.IpcWriteOptions(compression=None))
    import pyarrow.parquet as pq  # type: ignore[import-untyped, import-not-found, unused-ignore]

    texts = [field.name for field in own if pa.types.is_string(field.type)]
    return pq.ParquetWriter(stream, own, compression="zstd", use_dictionary=texts, store_schema=True)
