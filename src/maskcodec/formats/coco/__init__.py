"""COCO instances: boxes, polygons and masks of objects, as JSON.

Made by the COCO authors for their detection task; written by CVAT, datumaro, Roboflow, FiftyOne, LVIS and many more.
Specification: https://cocodataset.org/#format-data, and the readers pycocotools and lvis-api.

Kept: boxes, polygons with parts, masks, crowd, score, attributes, ids, file order, subsets, stored area and bbox,
info, licenses, unknown keys of every level, and (as CVAT does, in ``attributes``) rotation, occlusion, track ids.
Lost: groups, z-order numbers (the order of painting stays), holes of polygons (a mask of the same pixels is written),
ellipses (a mask), every other kind, item attributes and status.
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Confidence, Dataset, Format, NotThisFormat, NullSink, Probe, Source
from maskcodec.formats.coco.read import read
from maskcodec.formats.coco.schema import is_hasty, tasks_seen
from maskcodec.formats.coco.write import SEGMENTATIONS, write_files
from maskcodec.model.losses import LossReport

__all__ = ["FORMATS"]

_CONVERTS = {
    "auto": {},
    "rle": {"polygon": "mask", "multipart_polygon": "mask"},
    "rle_list": {"polygon": "mask", "multipart_polygon": "mask"},
    "polygon": {"mask": "polygon", "holed_polygon": "polygon"},
}


def carries(segmentation: str = "auto") -> Capabilities:
    """What a file holds, by how segmentations are to be written."""
    if segmentation not in SEGMENTATIONS:
        raise ValueError(f"segmentation is one of {SEGMENTATIONS}, got {segmentation!r}")
    kinds = {"box", "rotated_box", "polygon", "multipart_polygon", "mask"}
    converts = {"holed_polygon": "mask", "ellipse": "mask", **_CONVERTS[segmentation]}
    if segmentation == "polygon":
        converts["ellipse"] = "polygon"
    return Capabilities(
        kinds=kinds - converts.keys(),
        converts=converts,
        fields={"id", "is_crowd", "score", "occluded", "outside", "keyframe", "track_id"},
        attributes=True,
        order=True,
        subsets=True,
        category_fields={"id", "color", "kind", "parent", "keypoints", "skeleton"},
        info=True,
        namespaces=("coco",),
    )


def _detect(probe: Probe) -> Confidence:
    seen = tasks_seen(probe)
    if not seen:
        raise NotThisFormat("no JSON file")
    fitting = [name for name, (task, _) in seen.items() if task == "instances"]
    if not fitting:
        raise NotThisFormat(
            "; ".join(f"{name} is {task or 'no COCO file'}: {why}" for name, (task, why) in seen.items())
        )
    if any(is_hasty(probe.json()[name]) for name in fitting):
        return Confidence(70, "COCO instances, but with the address of a Hasty project")
    return Confidence(80, f"{fitting[0]}: {seen[fitting[0]][1]}")


def _read(source: Source) -> Dataset:
    return read(source)


def _write(
    dataset: Dataset, sink: NullSink, report: LossReport, *, segmentation: str = "auto", renumber: bool = False
) -> None:
    write_files(dataset, sink, report, segmentation, renumber)


FORMATS = (
    Format(
        name="coco_instances",
        title="COCO instances",
        spec="https://cocodataset.org/#format-data",
        aliases=("COCO 1.0", "coco_detection"),
        carries=carries,
        detect=_detect,
        read=_read,
        write=_write,
        streams="rw",
        single=".json",
        media=lambda item: f"images/{item.path}",
    ),
)
