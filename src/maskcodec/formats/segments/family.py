"""What the formats of Segments.ai share: detection, reading, and what each content carries."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.source import Source
from maskcodec.formats.segments import kinds
from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.assets import Resolver
from maskcodec.formats.segments.read import fitting, read_labels
from maskcodec.formats.segments.relations import is_annotation_link, is_track_link
from maskcodec.model.annotations import Annotation, Cuboid
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["COMMON", "SERIES", "SHAPES", "SINGLE", "SIZES", "SPEC", "arranged", "detector", "own_extras", "reader"]

SPEC = "https://docs.segments.ai (label types)"
COMMON: dict[str, Any] = {
    "fields": {"id", "track_id"},
    "as_attributes": {"occluded", "score", "is_crowd"},
    "tags_as_attributes": True,
    "attributes": True,
    "subsets": True,
    "item_attributes": True,
    "category_fields": {"id", "color", "kind", "attributes"},
    "schema_fields": {"attributes"},
    "info": {"name", "description", "created_at"},
    "namespaces": {names.NAMESPACE},
}
# Samples of one image or cloud link annotations; sequences have tracks, and link these.
SINGLE: dict[str, Any] = {**COMMON, "dataset_fields": {"links"}, "admits_link": is_annotation_link}
SERIES: dict[str, Any] = {
    **COMMON,
    "fields": {*COMMON["fields"], "keyframe"},
    "dataset_fields": {"links", "tracks"},
    "admits_link": is_track_link,
}
_TO_POLYGON = ("rotated_box", "ellipse", "mask", "holed_polygon", "multipart_polygon")
_TO_MASK = ("box", "rotated_box", "ellipse", "polygon", "holed_polygon", "multipart_polygon")
# Content -> what tells how shapes are carried.


def sized(annotation: Annotation, schema: LabelSchema) -> str:
    """Why a cuboid cannot be written, "" where it can."""
    if isinstance(annotation, Cuboid) and min(annotation.dimensions) <= 0:
        return "dimensions of a cuboid are positive"
    return ""


SHAPES: dict[str, dict[str, Any]] = {
    "segmentation": {"kinds": {"mask"}, "converts": dict.fromkeys(_TO_MASK, "mask"), "order": True},
    "vector": {
        "kinds": {"box", "polygon", "polyline", "points"},
        "converts": dict.fromkeys(_TO_POLYGON, "polygon"),
        "single_points": True,
    },
    "pointcloud-cuboid": {"kinds": {"cuboid"}, "media": ("point_cloud",), "admits": sized},
    "pointcloud-vector": {
        "kinds": {"cuboid", "polygon3d", "polyline3d", "points3d"},
        "single_points": True,
        "media": ("point_cloud",),
        "admits": sized,
    },
    "pointcloud-segmentation": {"kinds": {"pointmask"}, "order": True, "media": ("point_cloud",)},
}
SERIES_KEYS = {"media", "sensor", "sample", "untimed"}
FRAME_KEYS = {"frame", "points", "unlisted", "unresolved", "old_attributes"}
_OF_CONTENT = {
    "unlisted": {"segmentation", "pointcloud-segmentation"},
    "unresolved": {"segmentation"},
    "points": {"pointcloud-segmentation"},
}


def own_extras(item: Item, source: Item, report: LossReport, content: str, form: str) -> None:
    """Leave out what a sample of another form said about itself: its place in the release is not here.

    Args:
        item: as the writer gets it.
        source: as it was.
        report: hears of it.
        content: of the item as it is written.
        form: "single", "sequence" or "sensors".
    """
    kept = item.extras.get(names.NAMESPACE, {})
    others = form == "single" or (form == "sensors") != (source.sensor is not None)
    gone = [key for key in kept if (others if key in SERIES_KEYS else form != "single" and key not in FRAME_KEYS)]
    gone += [key for key, contents in _OF_CONTENT.items() if key in kept and content not in contents]
    if not gone:
        return
    for key in gone:
        report.drop(source, None, f"extras.{names.NAMESPACE}.{key}", "said of a sample of another task type")
    left = {key: value for key, value in kept.items() if key not in gone}
    item.extras = {**item.extras, names.NAMESPACE: left}


def arranged(content: str, form: str) -> Callable[[Item, Item, LossReport], None]:
    """``own_extras`` for a content."""

    def arrange(item: Item, source: Item, report: LossReport) -> None:
        own_extras(item, source, report, content, form)

    return arrange


SIZES = {"segmentation": ("width", "height")}


def detector(tasks: Sequence[str]) -> Callable[[Probe], Confidence]:
    """Detection of releases and lone labels of some contents and task types."""

    def detect(probe: Probe) -> Confidence:
        reasons, mine, others = [], [], 0
        for name, document in probe.json().items():
            release = kinds.kind_of_release(document)
            if fitting(release, tasks) is not None:
                return Confidence(85, f"{name} is a release with {release} labels")
            label = kinds.kind_of_label(document) if release is None else None
            if fitting(label, tasks) is not None:
                mine.append(name)
            else:
                others += label is not None
                what = "sample attributes" if kinds.is_sample(document) else "no dataset.samples"
                why = f"{what}, no list of annotations alone"
                reasons.append(f"{name}: {release or label or why}")
        if mine and len(mine) >= others:
            text = f"{mine[0]} holds label attributes of the type {' or '.join(tasks[:2])}"
            return Confidence(75 if len(mine) > others else 60, text)
        raise NotThisFormat("; ".join(reasons[:3]) or "needs a JSON document")

    return detect


def reader(tasks: Sequence[str]) -> Callable[..., Dataset]:
    """Reading of releases and lone labels of some contents and task types."""

    def read(
        source: Source,
        *,
        labelset: str | None = None,
        assets: str | None = None,
        resolve: Resolver | None = None,
        categories: Sequence[Mapping[str, Any]] | None = None,
    ) -> Dataset:
        """Read one release, or all lone label files.

        Args:
            source: the data.
            labelset: which labels of a release; "ground-truth", else the first, when None.
            assets: folder with the files that addresses end in.
            resolve: address -> bytes of the file, or None; asked before any folder.
            categories: table (``id``, ``name``...) for lone label files, which have none.
        """
        return read_labels(source, tasks, labelset, assets, resolve, categories)

    return read
