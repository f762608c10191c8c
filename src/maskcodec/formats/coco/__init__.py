"""COCO: one JSON document for each task and subset.

Made by the COCO authors for their detection, keypoint, caption, stuff and panoptic tasks; written by CVAT, datumaro,
Roboflow, FiftyOne, LVIS and many more. Specification: https://cocodataset.org/#format-data, and the readers
pycocotools, panopticapi and lvis-api.

Kept: ids, file order, subsets, stored area and box, info, licenses, unknown keys of every level, crowd, score, and (as
CVAT does, in ``attributes``) rotation, occlusion, track ids; then by task

- ``coco_instances``, ``coco_stuff``: boxes, polygons with parts, masks;
- ``coco_keypoints``: skeletons with box, area and segmentation of their object; key points and edges of categories;
- ``coco_captions``: captions; ``coco_labels``: tags; ``coco_image_info``: images alone;
- ``coco_panoptic``: masks that do not overlap, in PNGs;
- ``coco_results``: what detectors write, without images, categories and ids.

Lost: groups (merged into one record with ``group="cvat"``), z-order numbers (the order of painting stays), holes of
polygons (a mask of the same pixels is written), ellipses (a mask), every other kind, item attributes and status.

``coco`` reads all parts found and merges them by subset and image. COCO lists a person in the instances and the
keypoints file under the same id; both annotations stay, each with its id, and go back to their own file. Nothing links
them but the id, because a group would not survive in the files. On writing, instances are written always, keypoints,
captions, labels and stuff when there are such annotations.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from maskcodec.formats._base import Capabilities, Confidence, Dataset, Format, NotThisFormat, NullSink, Probe, Source
from maskcodec.formats.coco.read import read
from maskcodec.formats.coco.results import detect_results, read_results
from maskcodec.formats.coco.results_out import CARRIES, write_results
from maskcodec.formats.coco.schema import COCO
from maskcodec.formats.coco.tasks import is_hasty, tasks_seen
from maskcodec.formats.coco.write import SEGMENTATIONS, write_files
from maskcodec.model.losses import LossReport

__all__ = ["FORMATS"]

_ALL = ("instances", "person_keypoints", "captions", "labels", "stuff", "image_info", "panoptic")
_WRITTEN = ("instances", "person_keypoints", "captions", "labels", "stuff")
_SHARED = frozenset(("id", "is_crowd", "score", "occluded", "outside", "keyframe", "track_id"))
_CATEGORY = frozenset(("id", "color", "kind", "parent", "keypoints", "skeleton"))
_CONVERTS: dict[str, dict[str, str]] = {
    "auto": {},
    "rle": {"polygon": "mask", "multipart_polygon": "mask"},
    "rle_list": {"polygon": "mask", "multipart_polygon": "mask"},
    "polygon": {"mask": "polygon", "holed_polygon": "polygon", "ellipse": "polygon"},
}
_GROUPS = ("keep", "cvat")


def _capabilities(kinds: set[str], converts: dict[str, str], fields: frozenset[str], **more: Any) -> Capabilities:
    return Capabilities(
        kinds=kinds - converts.keys(),
        converts=converts,
        fields=fields,
        attributes=True,
        order=True,
        subsets=True,
        category_fields=_CATEGORY,
        info=True,
        namespaces=("coco",),
        **more,
    )


def carries(segmentation: str = "auto", group: str = "keep") -> Capabilities:
    """What an instances file holds, by how segmentations and groups are to be written."""
    if segmentation not in SEGMENTATIONS:
        raise ValueError(f"segmentation is one of {SEGMENTATIONS}, got {segmentation!r}")
    if group not in _GROUPS:
        raise ValueError(f"group is one of {_GROUPS}, got {group!r}")
    kinds = {"box", "rotated_box", "polygon", "multipart_polygon", "mask"}
    converts = {"holed_polygon": "mask", "ellipse": "mask", **_CONVERTS[segmentation]}
    return _capabilities(kinds, converts, _SHARED | ({"group_id"} if group == "cvat" else set()))


def carries_all(segmentation: str = "auto", group: str = "keep") -> Capabilities:
    """What all files together hold."""
    base = carries(segmentation, group)
    kinds = {*base.variants, "skeleton", "caption", "tag"}
    return _capabilities(
        kinds, base.conversions | {"points": "skeleton"}, frozenset(base.fields), named_points=True,
        apart=("skeleton", "caption", "tag"),
    )  # fmt: skip


_KEYPOINTS = _capabilities({"skeleton"}, {"points": "skeleton", "box": "skeleton"}, _SHARED, named_points=True)
_OF_IMAGE = _SHARED - {"is_crowd"}
_PANOPTIC = Capabilities(
    kinds={"mask"},
    converts=dict.fromkeys(("box", "rotated_box", "polygon", "multipart_polygon", "holed_polygon", "ellipse"), "mask"),
    fields={"id", "is_crowd"},
    order=True,
    subsets=True,
    category_fields=_CATEGORY,
    info=True,
    namespaces=("coco",),
)


def _detect(task: str) -> Callable[[Probe], Confidence]:
    def detect(probe: Probe) -> Confidence:
        seen = tasks_seen(probe)
        if not seen:
            raise NotThisFormat("no JSON file")
        fitting = [name for name, (found, _) in seen.items() if found == task]
        if not fitting:
            raise NotThisFormat(
                "; ".join(f"{name} is {found or 'no COCO file'}: {why}" for name, (found, why) in seen.items())
            )
        if any(is_hasty(probe.json()[name]) for name in fitting):
            return Confidence(70, f"COCO {task}, but with the address of a Hasty project")
        return Confidence(80, f"{fitting[0]}: {seen[fitting[0]][1]}")

    return detect


def _detect_all(probe: Probe) -> Confidence:
    tasks = {task: name for name, (task, _) in tasks_seen(probe).items() if task in _ALL}
    if len(tasks) < 2:
        raise NotThisFormat(f"files of {len(tasks)} COCO tasks, expected several")
    return Confidence(85, "several tasks: " + ", ".join(f"{name} is {task}" for task, name in tasks.items()))


def _read(tasks: tuple[str, ...]) -> Callable[..., Dataset]:
    def reader(source: Source) -> Dataset:
        return read(source, COCO, tasks)

    return reader


def _write_instances(
    dataset: Dataset, sink: NullSink, report: LossReport, *, segmentation: str = "auto", renumber: bool = False,
    group: str = "keep",
) -> None:  # fmt: skip
    write_files(dataset, sink, report, segmentation, renumber, tasks=("instances",), group=group)


def _write_all(
    dataset: Dataset, sink: NullSink, report: LossReport, *, segmentation: str = "auto", renumber: bool = False,
    group: str = "keep",
) -> None:  # fmt: skip
    write_files(dataset, sink, report, segmentation, renumber, tasks=_WRITTEN, group=group)


def _write_stuff(
    dataset: Dataset, sink: NullSink, report: LossReport, *, segmentation: str = "auto", renumber: bool = False
) -> None:
    write_files(dataset, sink, report, segmentation, renumber, tasks=("stuff",))


def _write(task: str) -> Callable[..., None]:
    def write(dataset: Dataset, sink: NullSink, report: LossReport, *, renumber: bool = False) -> None:
        write_files(dataset, sink, report, "auto", renumber, tasks=(task,))

    return write


def _write_panoptic(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    write_files(dataset, sink, report, tasks=("panoptic",))


_format = partial(
    Format, spec="https://cocodataset.org/#format-data", streams="rw", media=lambda item: f"images/{item.path}"
)


def _task(name: str, title: str, task: str, carries: Any, write: Callable[..., None], *aliases: str) -> Format:
    single = "" if task == "panoptic" else ".json"
    return _format(
        name=name, title=title, carries=carries, detect=_detect(task), read=_read((task,)), write=write,
        aliases=aliases, single=single,
    )  # fmt: skip


FORMATS = (
    _task("coco_instances", "COCO instances", "instances", carries, _write_instances, "COCO 1.0", "coco_detection"),
    _task(
        "coco_keypoints", "COCO keypoints", "person_keypoints", _KEYPOINTS, _write("person_keypoints"),
        "COCO Keypoints 1.0",
    ),
    _task("coco_captions", "COCO captions", "captions", _capabilities({"caption"}, {}, _OF_IMAGE), _write("captions")),
    _task("coco_labels", "COCO labels", "labels", _capabilities({"tag"}, {}, _OF_IMAGE), _write("labels")),
    _task("coco_stuff", "COCO stuff", "stuff", lambda segmentation="auto": carries(segmentation), _write_stuff),
    _task("coco_image_info", "COCO image info", "image_info", _capabilities(set(), {}, _SHARED), _write("image_info")),
    _task("coco_panoptic", "COCO panoptic", "panoptic", _PANOPTIC, _write_panoptic),
    _format(
        name="coco_results", title="COCO results", carries=CARRIES, detect=detect_results, read=read_results,
        write=write_results, single=".json", media=None,
    ),
    _format(
        name="coco", title="COCO, all parts", carries=carries_all, detect=_detect_all, read=_read(_ALL),
        write=_write_all, single=".json",
        parts=(
            "coco_instances", "coco_keypoints", "coco_captions", "coco_labels", "coco_stuff", "coco_image_info",
            "coco_panoptic",
        ),
    ),
)  # fmt: skip
