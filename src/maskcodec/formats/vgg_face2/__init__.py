"""VGGFace2: CSV files with a box and five landmarks an image, which lies in the folder of its identity.

Kept: names, subsets, identities with their class names, one box, one set of five points and one tag an image.
Lost, reported: further boxes and points, rotation, attributes, visibility, what has another label than its image.
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.naming import media_in
from maskcodec.formats.vgg_face2 import read, write
from maskcodec.model.annotations import Box, Points, Tag

__all__ = ["FORMATS"]

FORMATS = (
    Format(
        name="vgg_face2",
        title="VGGFace2",
        aliases=("VGGFace2 1.0", "vggface2"),
        spec="VGGFace2 bb_landmark, CVAT format 'VGGFace2 1.0'",
        carries=Capabilities(
            kinds={Box, Points, Tag},
            converts={"rotated_box": Box, "skeleton": Points},
            needs_category={"tag"},
            admits=write.admits,
            by_label=lambda: write.by_label,
            sorted_items=True,
            named_by="stem",
            subsets=True,
            category_fields={"id", "parent"},
            item_fields={"path"},
            image_sizes=True,
        ),
        detect=read.detect,
        read=read.read,
        write=write.write,
        streams="r",
        media=media_in("{subset}"),
    ),
)
