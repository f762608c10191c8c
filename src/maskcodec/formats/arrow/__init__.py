"""Apache Arrow tables: the project's own archive form, as Parquet or as Arrow files that are mapped into memory.

Laid out in docs/arrow.md. Needs pyarrow (``maskcodec[arrow]``).

Kept: everything that the model holds, exactly: every kind, field, id, number (integers and floats told apart), text,
order, subset, track, link, unknown keys of every format. Lost, reported: values of types that are no data (what is
neither text, number, list, dict, bytes nor array) in attributes and extras.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from maskcodec.formats._base import Capabilities, Confidence, Format, NotThisFormat, Probe
from maskcodec.formats.arrow.layout import FLAGS, IDS
from maskcodec.formats.arrow.packed import Packed, open_packed
from maskcodec.formats.arrow.read import find, media_name, read
from maskcodec.formats.arrow.write import write
from maskcodec.model.annotations import KINDS

__all__ = ["FORMATS", "Packed", "open_packed"]


class _Every(Collection[str]):
    """Holds every name."""

    def __contains__(self, name: object) -> bool:
        return True

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 0


def _footer(probe: Probe, name: str, kind: str) -> bytes:
    """The end of a file, where its schema stands; empty when it is no such file."""
    data = probe.source.buffer(name)
    mark, count = (b"PAR1", 8) if kind == "parquet" else (b"ARROW1", 10)
    tail = bytes(data[-count:])
    if len(data) < 2 * count or not tail.endswith(mark) or bytes(data[: len(mark)]) != mark:
        return b""
    size = int.from_bytes(tail[:4], "little")
    return bytes(data[max(len(data) - count - size, 0) :])


def _detect(probe: Probe) -> Confidence:
    found = find(probe.files)
    if found is None:
        raise NotThisFormat("no items.parquet or items.arrow")
    folder, kind = found
    name = f"{folder}items.{'parquet' if kind == 'parquet' else 'arrow'}"
    footer = _footer(probe, name, kind)
    if not footer:
        raise NotThisFormat(f"{name} is no {kind} file, or is cut")
    if b"maskcodec.table" not in footer:
        raise NotThisFormat(f"the metadata of {name} do not say maskcodec.table")
    return Confidence(95, f"{name} says that it is a table of items")


_EVERYTHING = Capabilities(
    kinds={*KINDS, "rotated_box", "multipart_polygon", "holed_polygon", "polygon3d", "polyline3d", "points3d",
           "skeleton3d"},
    fields={*IDS, *FLAGS, "z_order", "score", "origin"},
    attributes=True,
    ordered=False,
    media=("image", "point_cloud"),
    subsets=True,
    item_fields={"path", "width", "height", "sequence", "frame", "timestamp", "sensor", "status"},
    item_attributes=True,
    category_fields={"id", "color", "kind", "parent", "attributes", "keypoints", "skeleton"},
    schema_fields={"attributes", "tag_groups", "background"},
    info=True,
    dataset_fields={"tracks", "links"},
    namespaces=_Every(),
)
_AREAS = ("polygon", "multipart_polygon", "holed_polygon", "ellipse")


def _carries(areas: str = "keep") -> Capabilities:
    if areas != "masks":
        return _EVERYTHING
    kinds = _EVERYTHING.variants - set(_AREAS)
    return replace(_EVERYTHING, kinds=kinds, converts=dict.fromkeys(_AREAS, "mask"))


FORMATS = (
    Format(
        name="arrow",
        title="Arrow tables (Parquet, Arrow IPC)",
        aliases=("parquet",),
        spec="docs/arrow.md",
        carries=_carries,
        detect=_detect,
        read=read,
        write=write,
        streams="rw",
        media=media_name,
    ),
)  # fmt: skip
