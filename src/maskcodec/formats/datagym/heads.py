"""What the first pass over a list looks at: names of media and class keys."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["HEADS", "Head", "keys_of", "name_of", "stem_of"]


class _Geometry(msgspec.Struct):
    nested_geometries: Any = None


class Head(msgspec.Struct):
    internal_media_ID: Any = None
    internal_image_ID: Any = None
    external_media_ID: Any = None
    external_image_ID: Any = None
    label_classes: Any = None
    labels: dict[str, list[_Geometry]] | None = None


HEADS = msgspec.json.Decoder(Head)


def keys_of(head: Head) -> dict[str, None]:
    """Class keys of a medium, in their order."""
    keys: dict[str, None] = {}
    for name, rows in (head.labels or {}).items():
        keys[name] = None
        for geometry in rows:
            if isinstance(geometry.nested_geometries, dict):
                keys.update(dict.fromkeys(geometry.nested_geometries))
    return keys


def name_of(head: Head) -> str:
    for value in (head.external_media_ID, head.external_image_ID, head.internal_media_ID, head.internal_image_ID):
        if isinstance(value, str):
            return value
    return ""


def stem_of(name: str) -> str:
    folder, slash, base = name.rpartition("/")
    return folder + slash + (base.rpartition(".")[0] or base)
