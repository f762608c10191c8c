"""Segments.ai image labels: segmentation bitmaps and vector shapes.

Produced by the Segments.ai platform as release files (all samples of a dataset) and as label attributes of one sample;
described in its documentation, "Label types" and "Exporting data", and in the models of its SDK.

Kept: objects with 24-bit ids as exact masks, boxes, polygons of one ring, polylines, points, attributes of objects and
images, track ids, statuses, categories with their definitions, other labelsets, sample and release metadata, links.
Lost, reported: pixels under later objects, rotation, holes, skeletons, groups, crowd, z-order numbers, fractions of
nothing else; the size of images in vector releases (it is nowhere in the JSON).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from maskcodec.formats._base import Capabilities, Confidence, Format, NotThisFormat, Probe
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source
from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.assets import Resolver
from maskcodec.formats.segments.read import read_labels
from maskcodec.formats.segments.write import media_name, write_release
from maskcodec.model.annotations import Box, Mask, Points, Polygon, Polyline
from maskcodec.model.dataset import Dataset
from maskcodec.model.losses import LossReport

__all__ = ["FORMATS"]

_COMMON: dict[str, Any] = {
    "fields": {"id", "track_id"},
    "as_attributes": {"occluded", "score"},
    "attributes": True,
    "subsets": True,
    "item_attributes": True,
    "category_fields": {"id", "color", "kind", "attributes"},
    "schema_fields": {"attributes"},
    "info": {"name", "description", "created_at"},
    "namespaces": {names.NAMESPACE},
}
_TO_POLYGON = ("rotated_box", "ellipse", "mask", "holed_polygon", "multipart_polygon")
_TO_MASK = ("box", "rotated_box", "ellipse", "polygon", "holed_polygon", "multipart_polygon")


def _detector(kind: str) -> Callable[[Probe], Confidence]:
    def detect(probe: Probe) -> Confidence:
        reasons, mine, others = [], [], 0
        for name, document in probe.json().items():
            release = names.kind_of_release(document)
            if release == kind or (release == "empty" and kind == "vector"):
                return Confidence(85, f"{name} is a release with {release} labels")
            label = names.kind_of_label(document) if release is None else None
            if label == kind or (label == "empty" and kind == "vector"):
                mine.append(name)
            else:
                others += label is not None
                reasons.append(f"{name}: {release or label or 'no dataset.samples, no list of annotations alone'}")
        if mine and len(mine) >= others:
            return Confidence(75 if len(mine) > others else 60, f"{mine[0]} holds label attributes of the type {kind}")
        raise NotThisFormat("; ".join(reasons[:3]) or "needs a JSON document")

    return detect


def _reader(kind: str) -> Callable[..., Dataset]:
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
        return read_labels(source, (kind,), labelset, assets, resolve, categories)

    return read


def _writer(kind: str) -> Callable[..., None]:
    def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
        """Write a release file and its bitmaps."""
        write_release(dataset, sink, report, kind)

    return write


def _format(kind: str, title: str, aliases: tuple[str, ...], carries: Capabilities) -> Format:
    return Format(
        name=names.FORMATS[kind],
        title=title,
        aliases=aliases,
        spec="https://docs.segments.ai (label types)",
        carries=carries,
        detect=_detector(kind),
        read=_reader(kind),
        write=_writer(kind),
        streams="rw",
        media=media_name,
    )


FORMATS = (
    _format(
        "segmentation",
        "Segments.ai image segmentation",
        names.SEGMENTATION,
        Capabilities(
            kinds={Mask},
            converts=dict.fromkeys(_TO_MASK, Mask),
            order=True,
            item_fields={"path", "width", "height", "status"},
            **_COMMON,
        ),
    ),
    _format(
        "vector",
        "Segments.ai image vector",
        tuple(name for name in names.VECTOR if name != "bbox"),  # a name of Hasty's box list
        Capabilities(
            kinds={Box, Polygon, Polyline, Points},
            converts=dict.fromkeys(_TO_POLYGON, Polygon),
            single_points=True,
            item_fields={"path", "status"},
            **_COMMON,
        ),
    ),
    _format(
        "pointcloud-cuboid",
        "Segments.ai point cloud cuboids",
        ("pointcloud-cuboid",),
        Capabilities(kinds={"cuboid"}, item_fields={"path", "status"}, media=("point_cloud",), **_COMMON),
    ),
    _format(
        "pointcloud-vector",
        "Segments.ai point cloud vector",
        ("pointcloud-vector",),
        Capabilities(
            kinds={"cuboid", "polygon3d", "polyline3d", "points3d"},
            single_points=True,
            item_fields={"path", "status"},
            media=("point_cloud",),
            **_COMMON,
        ),
    ),
    _format(
        "pointcloud-segmentation",
        "Segments.ai point cloud segmentation",
        ("pointcloud-segmentation",),
        Capabilities(
            kinds={"pointmask"}, order=True, item_fields={"path", "status"}, media=("point_cloud",), **_COMMON
        ),
    ),
)
