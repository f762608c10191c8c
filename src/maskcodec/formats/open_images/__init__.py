"""Open Images (V4 to V7): tables of images, labels, boxes and masks, one PNG a mask (CVAT "Open Images V6 1.0").

Kept: images with subsets and what the lists say of them, labels of images with their confidence (0 says that the label
is verified not to hold), boxes with their flags, masks exactly, also where they overlap, the box that a mask belongs
to, names and hierarchy of classes, other columns.
Lost, reported: outlines (written as masks of their pixels), rotation, tracks, z-order, other attributes and groups.
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.conversions import TO_MASK
from maskcodec.formats._shared.grouping import merging
from maskcodec.formats._shared.naming import media_in
from maskcodec.formats.open_images import read, tables, write
from maskcodec.formats.open_images.arrange import arrange
from maskcodec.formats.open_images.tables import NAMESPACE
from maskcodec.model.annotations import Box, Mask, Tag

__all__ = ["FORMATS"]


def _carries(group: str = "keep") -> Capabilities:
    return Capabilities(
        kinds={Tag, Box, Mask},
        converts={kind: to for kind, to in TO_MASK.items() if kind != "box"},
        fields={"group_id", "score", "occluded", "truncated", "is_crowd"},
        attributes={"is_group_of", "is_depiction", "is_inside", "box_id", "predicted_iou"},
        only={"tag": {"score"}, "mask": {"group_id", "attributes"}},
        merges=merging(group, "apart"),
        order=True,
        needs_category=True,
        arrange=arrange,
        apart=("tag", "box", "mask"),
        named_by="stem",
        one_folder=True,
        subsets=True,
        category_fields={"id", "parent"},
        namespaces={NAMESPACE},
    )


FORMATS = (
    Format(
        name="open_images",
        title="Open Images",
        aliases=("Open Images V6 1.0", "Open Images 1.0"),
        spec="storage.googleapis.com/openimages/web, CVAT format 'Open Images V6 1.0'",
        carries=_carries,
        detect=tables.detect,
        read=read.read,
        write=write.write,
        streams="r",
        media=media_in("images/{subset}"),
    ),
)
