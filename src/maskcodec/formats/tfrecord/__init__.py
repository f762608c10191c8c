"""TFRecord: records of the TensorFlow object detection API (CVAT "TFRecord 1.0"), without TensorFlow.

Kept: images with subsets, the image files that records hold, boxes as fractions of the size in 32 bits, masks exactly,
key points with their visibility and names, tracks, labels with their numbers, tags, captions, crowds, occlusion and
truncation, ``difficult``, ``group_of`` and ``weight``, features with other names.
Lost, reported: outlines (written as masks of their pixels), rotation, z-order, other attributes and groups.
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.conversions import TO_MASK
from maskcodec.formats._shared.grouping import merging
from maskcodec.formats._shared.naming import media_in
from maskcodec.formats.tfrecord import read, write
from maskcodec.formats.tfrecord.arrange import arrange
from maskcodec.formats.tfrecord.objects import EXTRA, NAMESPACE
from maskcodec.model.annotations import Box, Caption, Mask, Skeleton, Tag

__all__ = ["FORMATS"]


def _carries(tracks: bool = True, group: str = "keep") -> Capabilities:
    return Capabilities(
        kinds={Box, Mask, Skeleton, Tag, Caption},
        converts={kind: to for kind, to in TO_MASK.items() if kind != "box"},
        fields={"group_id", "is_crowd", "occluded", "truncated"} | ({"track_id"} if tracks else set()),
        attributes=set(EXTRA),
        only={"tag": set(), "caption": set()},
        merges=merging(group, "hull"),
        order=True,
        named_points=True,
        needs_category={"tag"},
        by_label=lambda: arrange,
        apart=("tag", "caption"),
        named_by="path",
        subsets=True,
        item_attributes={"source_id"},
        category_fields={"id", "keypoints"},
        namespaces={NAMESPACE},
    )


FORMATS = (
    Format(
        name="tfrecord",
        title="TFRecord (TensorFlow object detection)",
        aliases=("TFRecord 1.0", "tf_detection_api"),
        spec="tensorflow/models, research/object_detection, CVAT format 'TFRecord 1.0'",
        carries=_carries,
        detect=read.detect,
        read=read.read,
        write=write.write,
        streams="rw",
        media=media_in("images"),
    ),
)
