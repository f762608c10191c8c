"""LFW: pairs of images of the same and of different people, in folds; with landmarks, as Datumaro and CVAT write them.

Kept: names of images and people, pairs with their order and fold (links), landmarks, counts of images.
Lost, reported: all other annotations and attributes, a second tag or set of points of an image.
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.naming import media_in
from maskcodec.formats.lfw import read, write
from maskcodec.formats.lfw.pairs import NAMESPACE, PAIRS
from maskcodec.model.annotations import Points, Tag

__all__ = ["FORMATS"]

FORMATS = (
    Format(
        name="lfw",
        title="Labeled Faces in the Wild",
        aliases=("LFW 1.0",),
        spec="LFW README (pairs.txt, people.txt), CVAT format 'LFW 1.0'",
        carries=Capabilities(
            kinds={Tag, Points},
            converts={"skeleton": Points},
            attributes=set(PAIRS),
            only={"points": set(), "tag": {"attributes"}},
            needs_category={"tag"},
            admits=write.admits,
            by_label=write.Naming,
            sorted_items=True,
            named_by="stem",
            subsets=True,
            item_fields={"path"},
            image_sizes=True,
            dataset_fields={"links"},
            admits_link=write.admits_link,
            namespaces={NAMESPACE},
        ),
        detect=read.detect,
        read=read.read,
        write=write.write,
        streams="",
        media=media_in("{subset}/images"),
    ),
)
