"""KITTI: boxes in label files (object benchmark), maps of instances (semantics benchmark), both (CVAT "KITTI 1.0").

Kept by ``kitti_detection``: images with subsets, boxes in their order, all 15 or 16 columns with their texts, labels
that are used. Flags ``truncated`` and ``occluded`` stand for 1; other levels and shares, -1 for unknown among them, are
in attributes of these names, and so are ``alpha``, ``dimensions`` (height, width, length), ``location``,
``rotation_y``; ``ignore`` marks the label DontCare.
Kept by ``kitti_segmentation``: images with subsets and sizes, class and number of the object of every pixel, crowds
(regions without number), labels with colours.
Lost, reported: pixels covered by later objects, other kinds, other attributes, groups, z-order (it decides who covers
whom in maps), ids but for the values of maps.

``kitti_raw``: cuboids of tracks in the frames of a laser scanner (CVAT "Kitti Raw Format 1.0").

``kitti`` reads both parts into one item an image, and writes boxes to label files, everything else to maps.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.conversions import TO_MASK
from maskcodec.formats._shared.grouping import merging
from maskcodec.formats._shared.naming import media_in
from maskcodec.formats.kitti import read, tracklets, tracklets_out, write
from maskcodec.formats.kitti.rows import ATTRIBUTES, NAMESPACE
from maskcodec.model.annotations import Box, Cuboid, Mask

__all__ = ["FORMATS"]

_carries = partial(Capabilities, needs_category=True, named_by="stem", subsets=True, sorted_items=True,
                   image_sizes=True, namespaces={NAMESPACE})  # fmt: skip
_TABLE: dict[str, Any] = {"category_fields": {"id", "color", "kind"}, "schema_fields": {"background"}}
_BOX, _MASK = frozenset(("truncated", "occluded", "score")), frozenset(("id", "is_crowd"))


def _boxes(dialect: str = "kitti") -> Capabilities:
    attributes = ATTRIBUTES if dialect == "kitti" else ("ignore",)
    return _carries(
        kinds={Box}, converts={"rotated_box": Box}, fields=_BOX, attributes=attributes, item_fields={"path"}
    )  # fmt: skip


def _maps(group: str = "keep") -> Capabilities:
    return _carries(kinds={Mask}, converts=TO_MASK, fields=_MASK, order=True, merges=merging(group, "paint"),
                    flat="segments", **_TABLE)  # fmt: skip


def _both(dialect: str = "kitti", group: str = "keep") -> Capabilities:
    return _carries(
        kinds={Box, Mask},
        converts={kind: to for kind, to in TO_MASK.items() if kind != "box"},
        fields=_BOX | _MASK,
        attributes=ATTRIBUTES if dialect == "kitti" else ("ignore",),
        only={"box": _BOX | {"attributes"}, "mask": _MASK},
        order=True,
        merges=merging(group, "apart"),
        flat="segments",
        arrange=write.sizes_of_maps,
        **_TABLE,
    )


_RAW = Capabilities(
    kinds={Cuboid},
    fields={"track_id", "keyframe", "occluded", "truncated"},
    attributes=True,
    needs_category=True,
    media=("point_cloud",),
    named_by="stem",
    item_fields={"path", "frame"},
    namespaces={tracklets.NAMESPACE},
)
_format = partial(Format, spec="KITTI vision benchmark suite", streams="rw", media=media_in("{subset}/image_2"))
FORMATS = (
    _format(
        name="kitti_detection", title="KITTI detection", carries=_boxes, detect=read.detect_boxes, read=read.read_boxes,
        write=write.write_boxes,
    ),
    _format(
        name="kitti_segmentation", title="KITTI segmentation", carries=_maps, detect=read.detect_maps,
        read=read.read_maps, write=write.write_maps,
    ),
    _format(
        name="kitti", title="KITTI, both parts", aliases=("KITTI 1.0",), carries=_both, detect=read.detect_both,
        read=read.read, write=write.write, parts=("kitti_detection", "kitti_segmentation"),
    ),
    Format(
        name="kitti_raw", title="KITTI raw tracklets", aliases=("Kitti Raw Format 1.0",), carries=_RAW,
        spec="KITTI raw data development kit", detect=tracklets.detect, read=tracklets.read, write=tracklets_out.write,
        streams="", media=media_in("velodyne_points/data"),
    ),
)  # fmt: skip
