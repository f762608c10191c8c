"""Hasty's small import files: box list, polygon list, semantic PNG maps (import and export), class table.

Made by users and by the export job ``semantic_png`` of hasty.ai; described on its pages "Supported import types" and
"Semantic Segmentation (png images)".

Kept: images with their datasets; in lists boxes or polygons of one ring by class name, in whole pixels; in maps the
class of every pixel; in tables names, colours with alpha, indices, types and every other key.
Lost, reported: ids of annotations, attributes, z-order (in maps it decides who covers whom), classes without labels
(lists), other kinds (converted), instances and covered pixels (maps), everything but the classes (table).
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.coordinates import not_below_zero
from maskcodec.formats.hasty_imports import classes, lists, semantic, semantic_write
from maskcodec.formats.hasty_json.naming import media_name
from maskcodec.model.annotations import Box, Mask, Polygon
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["FORMATS"]

_PAGE = "vendor documentation, page 'Supported import types'"
_TO_BOX = ("polygon", "multipart_polygon", "holed_polygon", "ellipse", "mask")
_TO_POLYGON = ("box", "rotated_box", "multipart_polygon", "holed_polygon", "ellipse", "mask")
_TO_MASK = ("box", "rotated_box", "ellipse", "polygon", "multipart_polygon", "holed_polygon")


def _arrange(item: Item, source: Item, report: LossReport) -> None:
    item.annotations = [a for a in item.annotations if not_below_zero(a, source, report)]


def _list(kind: str) -> Format:
    def carries(*, decimals: bool = False) -> Capabilities:
        return Capabilities(
            kinds={Box} if kind == "bbox" else {Polygon},
            converts={"rotated_box": Polygon, **dict.fromkeys(_TO_BOX, Box)}
            if kind == "bbox"
            else dict.fromkeys(_TO_POLYGON, Polygon),
            order=True,
            needs_category=True,
            whole_pixels=not decimals,
            arrange=_arrange,
            subsets=True,
            item_fields={"path"},
            namespaces={lists.NAMESPACE},
        )

    return Format(
        name=f"hasty_{kind}",
        title=f"Hasty import: {kind} list",
        aliases=(kind,),
        spec=_PAGE,
        carries=carries,
        detect=lists.detector(kind),
        read=lists.read,
        write=lists.writer(kind),
        streams="rw",
        single=".json",
        media=media_name,
    )


FORMATS = (
    _list("bbox"),
    _list("polygon"),
    Format(
        name="hasty_semantic",
        title="Hasty semantic PNG",
        aliases=("semantic", "semantic_png"),
        spec="vendor documentation, page 'Semantic Segmentation (png images)'",
        carries=Capabilities(
            kinds={Mask},
            converts=dict.fromkeys(_TO_MASK, Mask),
            order=True,
            needs_category=True,
            flat="classes",
            sorted_items=True,
            subsets=True,
            item_fields={"path", "width", "height"},
            category_fields={"id", "color", "kind"},
            namespaces={semantic.NAMESPACE, classes.NAMESPACE},
        ),
        detect=semantic.detect,
        read=semantic.read,
        write=semantic_write.write,
        streams="rw",
        media=lambda item: f"images/{media_name(item)}",
    ),
    Format(
        name="hasty_label_classes",
        title="Hasty class table",
        aliases=("label_class", "label_classes"),
        spec=_PAGE,
        carries=Capabilities(media=(), category_fields={"id", "color", "kind"}, namespaces={classes.NAMESPACE}),
        detect=classes.detect,
        read=classes.read,
        write=classes.write,
        streams="r",
        single=".json",
    ),
)
