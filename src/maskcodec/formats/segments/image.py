"""Segments.ai labels of single images and point clouds: bitmaps, vector shapes, cuboids, ids of points.

Produced by the Segments.ai platform as release files (all samples of a dataset) and as label attributes of one sample;
described in its documentation, "Label types" and "Exporting data", and in the models of its SDK.

Kept: objects with 24-bit ids as exact masks, boxes, polygons of one ring, polylines, points, cuboids with yaw and
orientation, one id a point, attributes of objects and images, track ids, statuses, categories with their definitions,
other labelsets, sample and release metadata, links.
Lost, reported: pixels and points under later objects, rotation, holes, skeletons, groups, crowd, z-order numbers; the
size of images in vector releases (it is nowhere in the JSON).
"""

from __future__ import annotations

from collections.abc import Callable

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.family import SHAPES, SINGLE, SIZES, SPEC, arranged, detector, reader
from maskcodec.formats.segments.write import write_release
from maskcodec.formats.segments.writeframe import media_name
from maskcodec.model.dataset import Dataset
from maskcodec.model.losses import LossReport

__all__ = ["FORMATS", "carries"]


def carries(content: str) -> Capabilities:
    """What samples of one image or cloud hold."""
    fields = {"path", "status", *SIZES.get(content, ())}
    return Capabilities(item_fields=fields, arrange=arranged(content, "single"), **SHAPES[content], **SINGLE)


def _writer(kind: str) -> Callable[..., None]:
    def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
        """Write a release file and its bitmaps."""
        write_release(dataset, sink, report, kind)

    return write


def _format(kind: str, title: str, aliases: tuple[str, ...]) -> Format:
    return Format(
        name=names.FORMATS[kind],
        title=title,
        aliases=aliases,
        spec=SPEC,
        carries=carries(kind),
        detect=detector((kind,)),
        read=reader((kind,)),
        write=_writer(kind),
        streams="rw",
        media=media_name,
    )


FORMATS = (
    _format("segmentation", "Segments.ai image segmentation", names.SEGMENTATION),
    _format(
        "vector",
        "Segments.ai image vector",
        tuple(name for name in names.VECTOR if name != "bbox"),  # a name of Hasty's box list
    ),
    _format("pointcloud-cuboid", "Segments.ai point cloud cuboids", ("pointcloud-cuboid",)),
    _format("pointcloud-vector", "Segments.ai point cloud vector", ("pointcloud-vector",)),
    _format("pointcloud-segmentation", "Segments.ai point cloud segmentation", ("pointcloud-segmentation",)),
)
