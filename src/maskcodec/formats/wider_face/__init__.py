"""WIDER FACE: one list of faces a subset, with folders of images by event.

Kept: paths, boxes, the six attributes of faces, occlusion in three steps, events as tags of images.
Lost, reported: rotation, other kinds and attributes, labels other than ``face`` (in the form of the data set itself),
sizes of images.
"""

from __future__ import annotations

from functools import partial

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats.wider_face import read, write
from maskcodec.formats.wider_face.rows import ATTRIBUTES, NAMESPACE
from maskcodec.model.annotations import Box, Tag
from maskcodec.model.dataset import Item

__all__ = ["FORMATS"]


def _carries(*, dialect: str = "official", labels: str = "drop") -> Capabilities:
    return Capabilities(
        kinds={Box, Tag},
        converts={"rotated_box": Box},
        fields={"occluded"},
        attributes=set(ATTRIBUTES),
        only={"tag": set()},
        needs_category={"tag"},
        admits=partial(write.admits, dialect=dialect, labels=labels),
        by_label=lambda: partial(write.by_label, dialect=dialect, labels=labels),
        tags_last=True,
        named_by="path",
        subsets=True,
        item_fields={"path"},
        image_sizes=True,
        namespaces={NAMESPACE},
    )


def _media(item: Item) -> str | None:
    return f"WIDER_{item.subset}/images/{item.path}" if item.path else None


FORMATS = (
    Format(
        name="wider_face",
        title="WIDER FACE",
        aliases=("WiderFace 1.0", "widerface"),
        spec="readme.txt of wider_face_split, CVAT format 'WiderFace 1.0'",
        carries=_carries,
        detect=read.detect,
        read=read.read,
        write=write.write,
        streams="r",
        media=_media,
    ),
)
