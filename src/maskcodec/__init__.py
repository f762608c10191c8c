"""Native mask codec with complete annotation-format imports and exports on top."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Public name -> module; loaded at first use, so that importing the package costs next to nothing.
_PLACES: dict[str, str] = {
    **dict.fromkeys(("Rle", "RleArray"), "masks"),
    "RleColumn": "columns",
    **dict.fromkeys(("pack_ids", "unpack_ids"), "idmaps"),
    **dict.fromkeys(("read", "write", "detect", "formats", "plan"), "registry"),
    **dict.fromkeys(("convert", "merge_shards", "plan_shards", "run_shard"), "shards"),
    **dict.fromkeys(("Picture", "draw"), "pictures"),
    **dict.fromkeys(
        (
            "AmbiguousFormatError", "DecodeError", "Error", "FormatError", "LossError", "LossWarning",
            "UnknownFormatError",
        ),
        "errors",
    ),
    **dict.fromkeys(("Loss", "LossReport"), "model.losses"),
    **dict.fromkeys(("AttributeSpec", "Category", "LabelSchema", "TagGroup"), "model.schema"),
    **dict.fromkeys(("Dataset", "Item", "ItemList", "LazyItems", "Link", "Track"), "model.dataset"),
    **dict.fromkeys(
        (
            "Annotation", "Box", "Caption", "Cuboid", "Cuboid2D", "Ellipse", "Mask", "PointMask", "Points", "Polygon",
            "Polyline", "Skeleton", "Tag",
        ),
        "model.annotations",
    ),
}  # fmt: skip

if TYPE_CHECKING:
    from maskcodec.columns import RleColumn
    from maskcodec.errors import (
        AmbiguousFormatError,
        DecodeError,
        Error,
        FormatError,
        LossError,
        LossWarning,
        UnknownFormatError,
    )
    from maskcodec.idmaps import pack_ids, unpack_ids
    from maskcodec.masks import Rle, RleArray
    from maskcodec.model.annotations import (
        Annotation,
        Box,
        Caption,
        Cuboid,
        Cuboid2D,
        Ellipse,
        Mask,
        PointMask,
        Points,
        Polygon,
        Polyline,
        Skeleton,
        Tag,
    )
    from maskcodec.model.dataset import Dataset, Item, ItemList, LazyItems, Link, Track
    from maskcodec.model.losses import Loss, LossReport
    from maskcodec.model.schema import AttributeSpec, Category, LabelSchema, TagGroup
    from maskcodec.pictures import Picture, draw
    from maskcodec.registry import detect, formats, plan, read, write
    from maskcodec.shards import convert, merge_shards, plan_shards, run_shard

__all__ = [
    "AmbiguousFormatError",
    "Annotation",
    "AttributeSpec",
    "Box",
    "Caption",
    "Category",
    "Cuboid",
    "Cuboid2D",
    "Dataset",
    "DecodeError",
    "Ellipse",
    "Error",
    "FormatError",
    "Item",
    "ItemList",
    "LabelSchema",
    "LazyItems",
    "Link",
    "Loss",
    "LossError",
    "LossReport",
    "LossWarning",
    "Mask",
    "Picture",
    "PointMask",
    "Points",
    "Polygon",
    "Polyline",
    "Rle",
    "RleArray",
    "RleColumn",
    "Skeleton",
    "Tag",
    "TagGroup",
    "Track",
    "UnknownFormatError",
    "convert",
    "detect",
    "draw",
    "formats",
    "merge_shards",
    "pack_ids",
    "plan",
    "plan_shards",
    "read",
    "run_shard",
    "unpack_ids",
    "write",
]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{place}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
