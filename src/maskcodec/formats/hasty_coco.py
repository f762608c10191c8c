"""Hasty COCO export: a COCO instances document with masks as RLE text and boxes with a null segmentation.

Written by Hasty (job ``json_coco``). Specification: the vendor page "COCO Dataset format" and real exports.

Kept: boxes, masks, ids (from 0), classes with their type (as super-category), info, unknown keys.
Lost: attributes, crowd, scores, tags, subsets; polygons become masks unless ``segmentation="polygon"``, rotated boxes
and ellipses become masks.
"""

from __future__ import annotations

import uuid

from maskcodec.formats._base import Capabilities, Confidence, Dataset, Format, NotThisFormat, NullSink, Probe, Source
from maskcodec.formats.coco.read import read
from maskcodec.formats.coco.schema import Dialect
from maskcodec.formats.coco.tasks import HASTY_URL, is_hasty, tasks_seen
from maskcodec.formats.coco.write import write_files
from maskcodec.model.losses import LossReport

__all__ = ["FORMATS"]

HASTY = Dialect(
    name="hasty_coco",
    box="null",
    first_id=0,
    kinds_as_super=True,
    tree=False,
    image_keys=(("license", None), ("flickr_url", ""), ("coco_url", None)),
)
_SEGMENTATIONS = ("rle", "polygon")


def carries(segmentation: str = "rle") -> Capabilities:
    """What a file holds; ``segmentation="polygon"`` keeps polygons as lists."""
    if segmentation not in _SEGMENTATIONS:
        raise ValueError(f"segmentation is one of {_SEGMENTATIONS}, got {segmentation!r}")
    kinds = {"box", "mask"}
    if segmentation == "polygon":
        kinds |= {"polygon", "multipart_polygon"}
    into_mask = {"rotated_box", "ellipse", "holed_polygon", "polygon", "multipart_polygon"}
    return Capabilities(
        kinds=kinds,
        converts=dict.fromkeys(sorted(into_mask - kinds), "mask"),
        fields={"id"},
        order=True,
        category_fields={"id", "kind"},
        info=True,
        namespaces=("coco",),
    )


def _detect(probe: Probe) -> Confidence:
    seen = tasks_seen(probe)
    for name, document in probe.json().items():
        if seen[name][0] == "instances" and is_hasty(document):
            return Confidence(90, f"{name}: info.url is that of a Hasty project")
    raise NotThisFormat("no COCO instances file whose info.url is that of a Hasty project")


def _read(source: Source) -> Dataset:
    return read(source, HASTY)


def _write(
    dataset: Dataset, sink: NullSink, report: LossReport, *, segmentation: str = "rle", renumber: bool = False
) -> None:
    url = dataset.info.get("url")
    if not str(url or "").startswith(HASTY_URL):
        info = dict(dataset.info)
        info["url"] = HASTY_URL + str(uuid.uuid5(uuid.NAMESPACE_URL, f"{url or info.get('description') or 'project'}"))
        dataset.info = info
        enter = report.rename if url else report.default
        enter(None, None, "info.url", "a Hasty export has the address of its project")
    write_files(dataset, sink, report, "auto", renumber, HASTY)


FORMATS = (
    Format(
        name="hasty_coco",
        title="Hasty COCO export",
        spec="vendor documentation, page 'COCO Dataset format'",
        aliases=("json_coco",),
        carries=carries,
        detect=_detect,
        read=_read,
        write=_write,
        streams="rw",
        single=".json",
    ),
)
