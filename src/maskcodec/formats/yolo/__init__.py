"""YOLO: Darknet's form (CVAT "YOLO 1.1") and the family of Ultralytics.

Label files with one object a row, coordinates as fractions of the image size; names of classes in a list.

Kept: images with subsets, classes by their order, boxes (detection), polygons (segmentation), rotated boxes, key points
with visibility, tags (classification), sizes of images in a side list.
Lost, reported: ids, attributes, groups, z-order, everything that a task has no row for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.naming import media_in
from maskcodec.formats.yolo import classify, darknet, darknet_write, ultralytics
from maskcodec.formats.yolo.common import NAMESPACE, need_size, one_ring
from maskcodec.model.annotations import Box, Polygon, Skeleton, Tag

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


def _plain(
    kinds: set[Any], converts: dict[str, Any], **more: Any
) -> Callable[..., Capabilities]:
    def carries(*, tracks: bool = False, enclosing: bool = False) -> Capabilities:
        boxes = Box in kinds and "rotated_box" not in kinds
        return Capabilities(
            kinds=kinds,
            converts=dict(_boxes(enclosing=True).converts) if enclosing and boxes else converts,
            fields={"track_id"} if tracks else set(),
            order=True,
            needs_category=True,
            arrange=one_ring,
            named_by="path",
            subsets=True,
            default_subset="train",
            namespaces={NAMESPACE},
            **more,
        )

    return carries


def _poses(*, tracks: bool = False, edges: bool = False) -> Capabilities:
    fields = {"id", "keypoints", "skeleton"} if edges else {"id", "keypoints"}
    return _plain({Skeleton}, {}, named_points=True, category_fields=fields)(tracks=tracks)


_TO_POLYGON = dict.fromkeys(("box", "rotated_box", "ellipse", "holed_polygon", "mask"), "polygon")
_TASKS = {
    "detect": ("detection", _plain({Box}, {})),
    "segment": ("segmentation", _plain({Polygon, "multipart_polygon"}, _TO_POLYGON)),
    "obb": ("oriented bounding boxes", _plain({Box, "rotated_box"}, {})),
    "pose": ("pose", _poses),
}


def _task(task: str, title: str, carries: Callable[..., Capabilities]) -> Format:
    return Format(
        name=f"ultralytics_{task}",
        title=f"Ultralytics YOLO: {title}",
        aliases=(f"Ultralytics YOLO {title.title()} 1.0", f"YOLOv8 {title.title()} 1.0"),
        spec="docs.ultralytics.com/datasets",
        carries=carries,
        detect=ultralytics.detector(task),
        read=ultralytics.reader(task),
        write=ultralytics.writer(task),
        streams="rw",
        media=media_in("images/{subset}"),
        settle=ultralytics.settle if task == "pose" else None,
    )


FORMATS = (
    *(_task(task, *entry) for task, entry in _TASKS.items()),
    Format(
        name="ultralytics_classify",
        title="Ultralytics YOLO: classification",
        aliases=("Ultralytics YOLO Classification 1.0", "YOLOv8 Classification 1.0"),
        spec="docs.ultralytics.com/datasets/classify",
        carries=Capabilities(
            kinds={Tag},
            needs_category=True,
            named_by="path",
            subsets=True,
            default_subset="train",
            item_fields={"path"},
            image_sizes=True,
        ),
        detect=classify.detect,
        read=classify.read,
        write=classify.write,
        streams="w",
        place=classify.place,
    ),
    Format(
        name="yolo",
        title="YOLO (Darknet)",
        aliases=("YOLO 1.1", "darknet"),
        spec="AlexeyAB/darknet, CVAT format 'YOLO 1.1'",
        carries=_boxes,
        detect=darknet.detect,
        read=darknet.read,
        write=darknet_write.write,
        streams="rw",
        media=media_in("obj_{subset}_data"),
    ),
)
