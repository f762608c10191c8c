"""Hasty JSON 1.0 and 1.1: one document with all classes, attributes, tags, key-point schemas, images and labels.

Produced by the annotation tool of hasty.ai (export job ``json_v1.1``, a zip with one JSON) and read by its
``hasty_export`` importer; described on its pages "Hasty JSON v1.1" and "Hasty JSON v1.0".

Kept: boxes, polygons of one ring, masks exactly with the crop frame they came in, key points with ids and dates,
z-order, typed attributes of labels and images, tags by group, class tree, statuses, ids, and every unknown key.
Tags are image attributes named after their group; a tag that bears the name of a class is a ``Tag`` of that class.
Lost, reported: tracks, groups, shapes without a Hasty form, fractions of pixels (unless ``decimals=True``).
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Confidence, Format, NotThisFormat, Probe
from maskcodec.formats._shared.jsonio import Document
from maskcodec.formats.hasty_json.naming import media_name
from maskcodec.formats.hasty_json.read import read
from maskcodec.formats.hasty_json.schema import MARKS, NAMESPACE
from maskcodec.formats.hasty_json.write import write
from maskcodec.model.annotations import Box, Caption, Mask, Points, Polygon, Skeleton, Tag

__all__ = ["FORMATS", "detect", "recognise"]


def recognise(document: Document) -> str | None:
    """Why a JSON document is not a Hasty project; None when it is one."""
    if document.root != "object":
        return "the top level is a list"
    keys = document.keys
    if "annotations" in keys:
        return "has annotations beside images, as COCO"
    if "images" not in keys or document.type_of("images") != "an array":
        return "has no list of images"
    if not any(mark in keys for mark in MARKS):
        return f"has none of {', '.join(MARKS)}"
    return None


def detect(probe: Probe) -> Confidence:
    """Recognise a project by its top-level keys; the file may have any name."""
    reasons = []
    for name, document in probe.json().items():
        reason = recognise(document)
        if reason is None:
            return Confidence(85, f"{name} has images and {', '.join(k for k in MARKS if k in document.keys)}")
        reasons.append(f"{name}: {reason}")
    raise NotThisFormat("; ".join(reasons[:3]) or "needs a JSON document")


def carries(*, decimals: bool = False) -> Capabilities:
    """What the format holds; fractions of pixels only with ``decimals``."""
    return Capabilities(
        kinds={Tag, Box, Polygon, Mask, Points, Skeleton, Caption},
        converts={"rotated_box": Polygon, "ellipse": Mask, "holed_polygon": Mask, "multipart_polygon": Mask},
        fields={"id", "z_order"},
        as_attributes={"is_crowd", "occluded", "score"},
        attributes=True,
        tags_last=True,
        whole_pixels=not decimals,
        subsets=True,
        item_fields={"path", "width", "height", "status"},
        item_attributes=True,
        category_fields={"id", "color", "kind", "parent", "attributes", "keypoints"},
        schema_fields={"attributes", "tag_groups"},
        info={"project_name", "create_date", "export_date"},
        namespaces={NAMESPACE},
    )


FORMATS = (
    Format(
        name="hasty_json",
        title="Hasty JSON",
        aliases=("json_v1.1", "hasty_export", "Hasty JSON v1.1"),
        spec="https://hasty.gitbook.io (Hasty JSON v1.1)",
        carries=carries,
        detect=detect,
        read=read,
        write=write,
        streams="rw",
        single=".json",
        media=media_name,
    ),
)
