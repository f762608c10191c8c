"""LabelMe: the XML of the web tool (CVAT "LabelMe 3.0"), and the JSON of the desktop program labelme.

XML, kept: images with subsets, boxes, polygons, masks, attributes with types, occlusion, ids, trees of parts.
Lost, reported: labels without objects, other kinds (ellipses become polygons), z-order, numbers of groups.
JSON, kept: images, boxes, rotated boxes, polygons, circles, lines, points, masks, tags (flags), groups, yes/no
attributes, the description, embedded images, unknown keys.
Lost, reported: subsets, ids, other attributes, tracks.
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats.labelme import groups, json_read, json_write, xml_read, xml_write
from maskcodec.model.annotations import Box, Ellipse, Mask, Points, Polygon, Polyline, Tag
from maskcodec.model.dataset import Item

__all__ = ["FORMATS"]

_FLAGS = {"occluded", "truncated", "is_crowd"}


def _media(item: Item) -> str | None:
    return f"{item.subset}/{item.path}"


FORMATS = (
    Format(
        name="labelme",
        title="LabelMe XML",
        aliases=("LabelMe 3.0", "label_me"),
        spec="CSAILVision/LabelMeAnnotationTool, annotationCache/XMLTemplates",
        carries=Capabilities(
            kinds={Box, "rotated_box", Polygon, Mask},
            converts=dict.fromkeys(("ellipse", "multipart_polygon", "holed_polygon"), "mask"),
            fields={"id", "parent_id", "group_id", "occluded"},
            as_attributes={"track_id", "keyframe", "outside", "truncated", "is_crowd", "score"},
            attributes=True,
            order=True,
            sorted_items=True,
            needs_category=True,
            arrange=groups.arrange,
            named_by="path",
            subsets=True,
            namespaces={xml_read.NAMESPACE},
        ),
        detect=xml_read.detect,
        read=xml_read.read,
        write=xml_write.write,
        streams="rw",
        media=_media,
    ),
    Format(
        name="labelme_json",
        title="labelme JSON",
        aliases=("labelme 5",),
        spec="wkentaro/labelme, labelme/_label_file.py",
        carries=Capabilities(
            kinds={Box, "rotated_box", Polygon, "multipart_polygon", Ellipse, Polyline, Points, Mask, Tag},
            converts={"holed_polygon": Mask, "skeleton": Points},
            fields={"group_id"},
            as_attributes=_FLAGS,
            attributes=True,
            only={"tag": set()},
            order=True,
            sorted_items=True,
            needs_category=True,
            tags_last=True,
            arrange=json_write.arrange,
            named_by="path",
            namespaces={json_read.NAMESPACE},
        ),
        detect=json_read.detect,
        read=json_read.read,
        write=json_write.write,
        streams="rw",
    ),
)
