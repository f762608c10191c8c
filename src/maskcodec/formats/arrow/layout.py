"""The tables of the format: names, columns, types; docs/arrow.md describes them.

pyarrow is imported at first use, so that a data set in another format never pays for it.
"""

from __future__ import annotations

import functools
from typing import Any

from maskcodec.columns import RleColumn
from maskcodec.errors import FormatError

__all__ = ["FLAGS", "IDS", "SUFFIXES", "TABLES", "VERSION", "WHOLE", "arrow", "mask_field", "schema"]

VERSION = "1"
TABLES = ("categories", "items", "annotations", "tracks", "links")
SUFFIXES = {"parquet": ".parquet", "ipc": ".arrow"}
# Model field -> column of integer ids; texts stand in the column of this name with ``_text``.
IDS = {"id": "id", "group_id": "group", "track_id": "track", "parent_id": "parent"}
FLAGS = ("keyframe", "outside", "occluded", "truncated", "is_crowd")
# Bits of ``whole``: the number was an integer. 0 to 10 are those of the geometry, in order.
WHOLE = {"rotation": 16, "score": 17, "z_order": 18}

# Column -> type by a short name; see ``_type``.
_COLUMNS: dict[str, dict[str, str]] = {
    "items": {
        "subset": "text", "id": "int", "id_text": "text", "path": "text", "media": "text", "width": "int",
        "height": "int", "sequence": "text", "frame": "int", "timestamp": "float", "timestamp_text": "text",
        "sensor": "text", "status": "text", "first": "int", "count": "int", "attributes": "text", "extras": "text",
        "rest": "text",
    },
    "annotations": {
        "item": "int", "kind": "text", "category": "int32", "id": "int", "id_text": "text", "box": "box",
        "mask": "mask", "rings": "rings", "dims": "int8", "holes": "bools", "visibility": "int8s", "rotation": "float",
        "numbers": "floats", "indices": "ints", "text": "text", "is_crowd": "bool", "score": "float",
        "z_order": "float", "group": "int", "group_text": "text", "track": "int", "track_text": "text",
        "parent": "int", "parent_text": "text", "keyframe": "bool", "outside": "bool", "occluded": "bool",
        "truncated": "bool", "whole": "int32", "origin": "text", "attributes": "text", "extras": "text",
        "rest": "text",
    },
    "categories": {
        "id": "int", "id_text": "text", "name": "text", "kind": "text", "parent": "text", "color": "int32s",
        "keypoints": "texts", "skeleton": "edges", "attributes": "text", "extras": "text", "rest": "text",
    },
    "tracks": {
        "key": "text", "id": "int", "id_text": "text", "category": "int32", "attributes": "text", "extras": "text",
        "rest": "text",
    },
    "links": {"source": "text", "target": "text", "attributes": "text", "extras": "text"},
}  # fmt: skip


def arrow() -> Any:
    """The module pyarrow.

    Raises:
        FormatError: it is not installed.
    """
    try:
        import pyarrow  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise FormatError("pyarrow is needed: pip install 'maskcodec[arrow]'", fatal=True) from None
    return pyarrow


@functools.cache
def _type(name: str) -> Any:
    pa = arrow()
    return {
        "text": pa.string(), "int": pa.int64(), "int32": pa.int32(), "int8": pa.int8(), "bool": pa.bool_(),
        "float": pa.float64(), "floats": pa.list_(pa.float64()), "ints": pa.list_(pa.int64()),
        "int32s": pa.list_(pa.int32()), "int8s": pa.list_(pa.int8()), "bools": pa.list_(pa.bool_()),
        "texts": pa.list_(pa.string()), "edges": pa.list_(pa.list_(pa.int32())),
        "rings": pa.list_(pa.list_(pa.float64())), "box": pa.list_(pa.float64(), 4),
        "mask": pa.struct([("height", pa.int32()), ("width", pa.int32()), ("counts", pa.binary())]),
    }[name]  # fmt: skip


@functools.cache
def mask_field() -> Any:
    """The column ``mask`` with the name of its extension type."""
    pa = arrow()
    metadata = {b"ARROW:extension:name": b"maskcodec.rle", b"ARROW:extension:metadata": b""}
    return pa.field("mask", _type("mask"), metadata=metadata)


@functools.cache
def schema(table: str) -> Any:
    """Columns and types of a table."""
    pa = arrow()
    fields = [
        mask_field() if kind == "mask" else pa.field(name, _type(kind)) for name, kind in _COLUMNS[table].items()
    ]
    return pa.schema(fields, metadata={"maskcodec.table": table, "maskcodec.version": VERSION})


def mask_array(column: RleColumn) -> Any:
    """A column of masks as a plain struct, whether or not somebody registered its extension type."""
    pa = arrow()
    array = pa.array(column)
    return array.storage if isinstance(array, pa.ExtensionArray) else array
