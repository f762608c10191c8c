"""Market-1501: images of people whose names say everything, and lists of these names.

Kept: names, subsets, the six values of a name, as attributes of the image and of the tag ``market-1501`` (the form of
CVAT; the attributes of the image count). Lost, reported: all other annotations and attributes, sizes of images.
"""

from __future__ import annotations

from functools import partial

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.naming import media_at_path
from maskcodec.formats.market1501 import read, write
from maskcodec.formats.market1501.names import ATTRIBUTES
from maskcodec.model.annotations import Tag

__all__ = ["FORMATS"]


def _carries(*, pad: bool = False) -> Capabilities:
    return Capabilities(
        kinds={Tag},
        attributes=set(ATTRIBUTES),
        needs_category=True,
        admits=write.admits,
        by_label=partial(write.Naming, pad),
        named_by="path",
        subsets=True,
        item_fields={"path"},
        image_sizes=True,
        item_attributes=set(ATTRIBUTES),
    )


FORMATS = (
    Format(
        name="market1501",
        title="Market-1501",
        aliases=("Market-1501 1.0", "market-1501"),
        spec="Market-1501 (names of files), CVAT format 'Market-1501 1.0'",
        carries=_carries,
        detect=read.detect,
        read=read.read,
        write=write.write,
        streams="r",
        media=media_at_path,
    ),
)
