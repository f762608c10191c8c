"""MOT: sequences of the MOTChallenge, boxes of tracks as rows of numbers (CVAT "MOT 1.1").

Coordinates are taken as they stand, as the tools do; ``one_based=True`` follows the text of the benchmark.

Kept: frames of sequences with their sizes, boxes, ids of tracks, classes by their order, visibility, the flag for boxes
that are not considered; scores of detections, places in the world of older files, keys of ``seqinfo.ini``.
Lost, reported: names of images (``names=True`` writes them to ``names.txt``, where a reader finds them), everything
that is no upright box, other attributes, groups, z-order.
"""

from __future__ import annotations

from functools import partial

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.conversions import TO_BOX
from maskcodec.formats._shared.naming import media_at_path
from maskcodec.formats.mot import find, read, write
from maskcodec.formats.mot.arrange import arrange, settle
from maskcodec.formats.mot.read import NAMESPACE
from maskcodec.model.annotations import Box

__all__ = ["FORMATS"]


def _carries(
    *, enclosing: bool = False, several: bool | None = None, sizes: bool | None = None, names: bool = False
) -> Capabilities:
    return Capabilities(
        kinds={Box},
        converts=TO_BOX if enclosing else {"rotated_box": Box},
        fields={"track_id", "keyframe", "occluded", "score"},
        attributes={"ignored", "visibility"},
        order=True,
        sorted_items=True,
        arrange=partial(arrange, names=names),
        named_by="frame",
        one_folder=several is False,
        subsets=True,
        item_fields={"path", "sequence", "frame"} | ({"width", "height"} if sizes is not False else set()),
        image_sizes=True,
        namespaces={NAMESPACE},
    )


FORMATS = (
    Format(
        name="mot",
        title="MOT",
        aliases=("MOT 1.1", "mot_challenge"),
        spec="motchallenge.net, arXiv:1603.00831, CVAT format 'MOT 1.1'",
        carries=_carries,
        detect=find.detect,
        read=read.read,
        write=write.write,
        settle=settle,
        streams="r",
        media=media_at_path,
    ),
)
