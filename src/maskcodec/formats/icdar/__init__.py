"""ICDAR robust reading 2013 and 2015: word recognition, text localization, text segmentation.

Kept: names and subsets of images; captions; boxes and polygons with their texts, in the form of the file that they were
read from; masks of characters with colours, by words.
Lost, reported: labels, other attributes and kinds, line ends in texts.
"""

from __future__ import annotations

from typing import Any

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.conversions import TO_MASK
from maskcodec.formats._shared.naming import media_in
from maskcodec.formats.icdar import localization, localization_write, recognition, segmentation, segmentation_write
from maskcodec.formats.icdar.texts import NAMESPACE
from maskcodec.model.annotations import Box, Caption, Mask, Polygon, Tag

__all__ = ["FORMATS"]

_CARRIES: dict[str, Any] = {
    "subsets": True, "item_fields": {"path"}, "image_sizes": True, "category_fields": set(), "namespaces": {NAMESPACE},
}  # fmt: skip

FORMATS = (
    Format(
        name="icdar_word_recognition",
        title="ICDAR word recognition",
        aliases=("ICDAR Recognition 1.0",),
        spec="Robust Reading Competition, challenges 1, 2 and 4",
        carries=Capabilities(
            kinds={Caption, Tag},
            attributes={"text"},
            only={"caption": set(), "tag": {"attributes"}},
            admits=recognition.admits,
            by_label=recognition.Captions,
            named_by="path",
            **_CARRIES,
        ),
        detect=recognition.detect,
        read=recognition.read,
        write=recognition.write,
        streams="r",
        media=media_in("{subset}/images"),
    ),
    Format(
        name="icdar_text_localization",
        title="ICDAR text localization",
        aliases=("ICDAR Localization 1.0", "ICDAR Detection 1.0"),
        spec="Robust Reading Competition, challenges 1, 2, 4, 8 and 15",
        carries=Capabilities(
            kinds={Box, Polygon},
            converts={"rotated_box": Polygon},
            attributes={"text", "ignore", "script"},
            admits=localization_write.admits,
            by_label=lambda: localization_write.by_label,
            sorted_items=True,
            named_by="stem",
            **_CARRIES,
        ),
        detect=localization.detect,
        read=localization.read,
        write=localization_write.write,
        streams="rw",
        media=media_in("{subset}/images"),
    ),
    Format(
        name="icdar_text_segmentation",
        title="ICDAR text segmentation",
        aliases=("ICDAR Segmentation 1.0",),
        spec="Robust Reading Competition, challenges 1 and 2",
        carries=Capabilities(
            kinds={Mask},
            converts=TO_MASK,
            fields={"group_id"},
            attributes={"index", "text", "color", "center", "ignore"},
            order=True,
            flat="objects",
            by_label=lambda: segmentation_write.by_label,
            sorted_items=True,
            named_by="stem",
            **{**_CARRIES, "item_fields": {"path", "width", "height"}},
        ),
        detect=segmentation.detect,
        read=segmentation.read,
        write=segmentation_write.write,
        streams="rw",
        media=media_in("{subset}/images"),
    ),
)
