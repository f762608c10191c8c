"""YOLO: Darknet's form (CVAT "YOLO 1.1") and the family of Ultralytics.

Label files with one object a row, coordinates as fractions of the image size; names of classes in a list.

Kept: images with subsets, classes by their order, boxes (detection), polygons (segmentation), rotated boxes, key points
with visibility, tags (classification), sizes of images in a side list.
Lost, reported: ids, attributes, groups, z-order, everything that a task has no row for.
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.naming import media_in
from maskcodec.formats.yolo import darknet
from maskcodec.formats.yolo.common import NAMESPACE, need_size
from maskcodec.model.annotations import Box, Polygon

__all__ = ["FORMATS"]

_ENCLOSED = ("polygon", "multipart_polygon", "holed_polygon", "ellipse", "mask")


def _boxes(*, enclosing: bool = False) -> Capabilities:
    return Capabilities(
        kinds={Box},
        converts={"rotated_box": Polygon, **dict.fromkeys(_ENCLOSED, Box)} if enclosing else {},
        order=True,
        needs_category=True,
        arrange=need_size,
        named_by="path",
        subsets=True,
        default_subset="train",
        namespaces={NAMESPACE},
    )


FORMATS = (
    Format(
        name="yolo",
        title="YOLO (Darknet)",
        aliases=("YOLO 1.1", "darknet"),
        spec="AlexeyAB/darknet, CVAT format 'YOLO 1.1'",
        carries=_boxes,
        detect=darknet.detect,
        read=darknet.read,
        write=darknet.write,
        streams="rw",
        media=media_in("obj_{subset}_data"),
    ),
)
