"""Ids of COCO records: what may be one, which are the same, and how to read them without the rest of the record."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class ImageHead(msgspec.Struct, gc=False):
    id: int | str
    file_name: str | None = None
    coco_url: str | None = None


class AnnotationHead(msgspec.Struct, gc=False):
    image_id: int | str
    id: int | str | None = None


class SoundHead(msgspec.Struct, gc=False):
    image_id: Int64
    id: Int64


image_head = msgspec.json.Decoder(ImageHead)
annotation_head = msgspec.json.Decoder(AnnotationHead)
sound_heads = msgspec.json.Decoder(list[SoundHead])


def plain_id(value: Any) -> bool:
    """Whether a value may be an id: a text, or an integer of 64 bits."""
    return isinstance(value, str) or (type(value) is int and -(2**63) <= value < 2**63)


def plain(value: Any) -> Any:
    """The id that counts in comparisons: ``"1"`` and ``1`` are the same."""
    return int(value) if isinstance(value, str) and value.isdecimal() and str(int(value)) == value else value
