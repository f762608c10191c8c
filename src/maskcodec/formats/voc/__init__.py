"""PASCAL VOC: detection, classification, layout, action and segmentation at once (CVAT "PASCAL VOC 1.1").

One XML file an image, lists of images, maps of classes and objects; from the challenges of 2007 to 2012, written by
CVAT and most tools for detection.

Kept: images with subsets and all their lists, boxes with parts, actions, flags, rotation and other attributes as texts,
masks that do not overlap, tags, labels with colours, unknown elements.
Lost, reported: ids but for their order, groups, z-order (it decides who covers whom), types of attributes, polygons (as
masks), other kinds.
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.conversions import TO_MASK
from maskcodec.formats._shared.naming import media_in
from maskcodec.formats.voc import read, write
from maskcodec.formats.voc.parts import arrange
from maskcodec.formats.voc.xml import NAMESPACE
from maskcodec.model.annotations import Box, Mask, Tag

__all__ = ["FORMATS"]

FORMATS = (
    Format(
        name="voc",
        title="PASCAL VOC",
        aliases=("PASCAL VOC 1.1", "pascal_voc"),
        spec="PASCAL VOC 2012 development kit",
        carries=Capabilities(
            kinds={Box, "rotated_box", Mask, Tag},
            converts={k: v for k, v in TO_MASK.items() if k not in ("box", "rotated_box")},
            fields={"id", "parent_id", "truncated", "occluded"},
            as_attributes={"track_id", "keyframe", "outside", "score", "is_crowd"},
            attributes=True,
            only={"mask": {"id"}, "tag": set()},
            order=True,
            needs_category=True,
            flat="objects",
            arrange=arrange,
            apart=("mask", "tag"),
            named_by="path",
            one_folder=True,
            subsets=True,
            category_fields={"id", "color", "parent", "attributes"},
            schema_fields={"background"},
            namespaces={NAMESPACE},
        ),
        detect=read.detect,
        read=read.read,
        write=write.write,
        streams="rw",
        media=media_in("JPEGImages"),
    ),
)
