"""Cityscapes: maps of instances and classes, outlines in JSON (CVAT "Cityscapes 1.0").

The data set of street scenes with its scripts, what CVAT and Datumaro write, ``gtFine`` and ``gtCoarse``.

Kept in maps: images with subsets, cities and sizes, class and instance number of every pixel, crowds of classes with
instances, labels with colours. Kept in outlines (layout "original"): polygons of one ring in their order, groups,
deleted objects, ids, unknown keys.
Lost, reported: covered pixels (maps), other kinds, attributes, z-order (it decides who covers whom; outlines keep their
order), ids but for the values of maps.
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.conversions import TO_MASK
from maskcodec.formats._shared.grouping import merging
from maskcodec.formats._shared.naming import ending, stem
from maskcodec.formats.cityscapes import read, results, write
from maskcodec.formats.cityscapes.outlines import NAMESPACE
from maskcodec.model.annotations import Mask, Polygon
from maskcodec.model.dataset import Item

__all__ = ["FORMATS"]


def _carries(layout: str = "cvat", group: str = "keep") -> Capabilities:
    cvat = layout == "cvat"
    return Capabilities(
        kinds={Mask} if cvat else {Mask, Polygon},
        converts={kind: to for kind, to in TO_MASK.items() if cvat or kind != "polygon"},
        fields={"id", "is_crowd"} if cvat else {"id", "is_crowd", "z_order"},
        order=cvat,
        needs_category=True,
        merges=merging(group, "paint"),
        flat="segments" if cvat else "",
        named_by="stem",
        subsets=True,
        sorted_items=True,
        image_sizes=True,
        category_fields={"id", "color", "kind"},
        schema_fields={"background"},
        namespaces={NAMESPACE},
    )


def _place(item: Item, layout: str = "cvat") -> str | None:
    if item.path is None:
        return None
    folder = "imgsFine/leftImg8bit" if layout == "cvat" else "leftImg8bit"
    return f"{folder}/{item.subset}/{stem(item.path)}_leftImg8bit{ending(item.path)}"


FORMATS = (
    Format(
        name="cityscapes",
        title="Cityscapes",
        aliases=("Cityscapes 1.0",),
        spec="cityscapesScripts; CVAT format 'Cityscapes 1.0'",
        carries=_carries,
        detect=read.detect,
        read=read.read,
        write=write.write,
        streams="rw",
        media=_place,
    ),
    Format(
        name="cityscapes_results",
        title="Cityscapes, results for the instance evaluation",
        spec="cityscapesScripts, evaluation/evalInstanceLevelSemanticLabeling.py",
        carries=Capabilities(
            kinds={Mask},
            converts=TO_MASK,
            fields={"score"},
            order=True,
            needs_category=True,
            arrange=results.arrange,
            named_by="stem",
            subsets=True,
            sorted_items=True,
            image_sizes=True,
            category_fields={"id", "color", "kind"},
        ),
        detect=results.detect,
        read=results.read,
        write=results.write,
        streams="rw",
        media=results.place,
    ),
)
