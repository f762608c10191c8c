"""Segmentation masks: pairs of PNG maps, classes and objects, with a table of labels (CVAT "Segmentation mask 1.1").

The segmentation part of PASCAL VOC with free colours; written by CVAT, Datumaro and VOC tools.

Kept: images with subsets, the class and the number of the object of every pixel, labels with their colours.
Lost, reported: pixels covered by later objects, everything that is not an area, attributes, groups, z-order (it decides
who covers whom).
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.conversions import TO_MASK
from maskcodec.formats._shared.grouping import merging
from maskcodec.formats._shared.naming import media_in
from maskcodec.formats.segmentation_mask import read, write
from maskcodec.formats.segmentation_mask.pairs import NAMESPACE
from maskcodec.model.annotations import Mask

__all__ = ["FORMATS"]


def _carries(group: str = "keep") -> Capabilities:
    return Capabilities(
        kinds={Mask},
        converts=TO_MASK,
        fields={"id"},
        order=True,
        needs_category=True,
        merges=merging(group, "paint"),
        flat="objects",
        named_by="stem",
        one_folder=True,
        subsets=True,
        category_fields={"id", "color"},
        schema_fields={"background"},
        namespaces={NAMESPACE},
    )


FORMATS = (
    Format(
        name="segmentation_mask",
        title="Segmentation mask",
        aliases=("Segmentation mask 1.1", "mask"),
        spec="PASCAL VOC 2012 development kit, CVAT format 'Segmentation mask 1.1'",
        carries=_carries,
        detect=read.detect,
        read=read.read,
        write=write.write,
        streams="rw",
        media=media_in("JPEGImages"),
    ),
)
