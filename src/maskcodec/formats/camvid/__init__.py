"""CamVid: class maps of driving video, lists of images with their maps, a table of colours (CVAT "CamVid 1.0").

The layout of the SegNet tutorial with the colours of the Cambridge release; written by CVAT and Datumaro. The maps of
the tutorial (indices without a table) and the folders of the release (``*_L.png``) are read too.

Kept: images with subsets, the class of every pixel, labels with their colours and their order.
Lost, reported: objects of a class (they are joined), covered pixels, everything that is not an area, ids, attributes,
z-order (it decides who covers whom).
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.conversions import TO_MASK
from maskcodec.formats._shared.naming import media_in
from maskcodec.formats.camvid import read, write
from maskcodec.formats.camvid.tables import NAMESPACE
from maskcodec.model.annotations import Mask

__all__ = ["FORMATS"]

FORMATS = (
    Format(
        name="camvid",
        title="CamVid",
        aliases=("CamVid 1.0",),
        spec="Cambridge-driving Labeled Video Database; CVAT format 'CamVid 1.0'",
        carries=Capabilities(
            kinds={Mask},
            converts=TO_MASK,
            order=True,
            needs_category=True,
            flat="classes",
            named_by="path",
            subsets=True,
            category_fields={"id", "color"},
            schema_fields={"background"},
            namespaces={NAMESPACE},
        ),
        detect=read.detect,
        read=read.read,
        write=write.write,
        streams="rw",
        media=media_in("{subset}"),
    ),
)
