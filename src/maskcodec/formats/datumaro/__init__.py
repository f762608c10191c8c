"""Datumaro JSON: the own format of the datumaro tool, in its three dialects; CVAT's "Datumaro 1.0" is one of them.

Written by datumaro (cvat-ai and open-edge-platform) and by CVAT; described in their documentation and sources.

Kept: tags, boxes with rotation, polygons, polylines, points, skeletons, masks, captions, cuboids, ellipses and 2D
cuboids (1.0), ids, groups, z-order, attributes with their types, label table with parents, colours and key points,
item attributes, media, subsets, unknown keys; occlusion, crowd, score, track ids as attributes of these names.
Lost, reported: tracks as objects, links, definitions of attributes but their names, holes and parts of polygons (a
mask is written), statuses, sequences; for CVAT ellipses (a mask) and 2D cuboids.
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Confidence, Format, NotThisFormat, Probe
from maskcodec.formats.datumaro.read import read
from maskcodec.formats.datumaro.schema import NAMESPACE, RESERVED, is_datumaro
from maskcodec.formats.datumaro.write import write
from maskcodec.model.annotations import (
    Box,
    Caption,
    Cuboid,
    Cuboid2D,
    Ellipse,
    Mask,
    Points,
    Polygon,
    Polyline,
    Skeleton,
    Tag,
)
from maskcodec.model.dataset import Item

__all__ = ["FORMATS"]


def _detect(probe: Probe) -> Confidence:
    for name, document in probe.json().items():
        if is_datumaro(document):
            return Confidence(85, f"{name} has categories and items")
    raise NotThisFormat("no JSON document with categories and items")


def carries(target: str = "1.0") -> Capabilities:
    """What the two dialects hold."""
    if target not in ("1.0", "cvat"):
        raise ValueError(f'target is "1.0" or "cvat", got {target!r}')
    kinds = {Box, Caption, Cuboid, Mask, Points, Polygon, Polyline, Skeleton, Tag}
    converts = {"multipart_polygon": Mask, "holed_polygon": Mask}
    if target == "1.0":
        kinds |= {Ellipse, Cuboid2D}
    else:
        converts["ellipse"] = Mask
    return Capabilities(
        kinds={*kinds, "rotated_box"},
        converts=converts,
        fields={"id", "group_id", "z_order", *RESERVED},
        as_attributes={"truncated"},
        attributes=True,
        media=("image", "point_cloud"),
        subsets=True,
        item_fields={"path", "width", "height", "frame"},
        item_attributes=True,
        category_fields={"id", "color", "parent", "attributes", "keypoints", "skeleton"},
        info=True,
        namespaces={NAMESPACE},
    )


def _media(item: Item) -> str:
    folder = "point_clouds" if item.media == "point_cloud" else "images"
    return f"{folder}/{item.subset}/{item.path}"


FORMATS = (
    Format(
        name="datumaro",
        title="Datumaro JSON",
        aliases=("Datumaro 1.0", "Datumaro 3D 1.0"),
        spec="https://open-edge-platform.github.io/datumaro (Datumaro format)",
        carries=carries,
        detect=_detect,
        read=read,
        write=write,
        streams="rw",
        media=_media,
    ),
)
