"""CVAT XML 1.1: the annotation tool's own interchange format, in its two dialects and mixed.

Made by CVAT (https://github.com/cvat-ai/cvat, "CVAT for images 1.1" and "CVAT for video 1.1"), described on its page
"CVAT annotation format". Every reader here takes every child that a file has; the names differ in what is written.

Kept: tags (images), boxes and ellipses with rotation, polygons, polylines, points, cuboids, masks exactly, skeletons
with the state of each point, tracks with key frames (video), groups, z-order, occlusion, source, attributes typed by
their definitions, labels with colours and drawings of skeletons, ``meta`` as it was.
Lost, reported: ids of annotations, scores and crowd (attributes), parts and holes of polygons (a mask), captions
(a tag in images), item attributes; track identity in images, tags and image names in video.
"""

from __future__ import annotations

import re

from maskcodec.errors import shorten
from maskcodec.formats._base import Capabilities, Confidence, Dataset, Format, NotThisFormat, NullSink, Probe
from maskcodec.formats._shared.xmlio import Document
from maskcodec.formats.cvat_xml.read import documents, read
from maskcodec.formats.cvat_xml.write import write_file
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["FORMATS", "dialect"]

_SPEC = "https://docs.cvat.ai/docs/manual/advanced/xml_format/"
_CHILD = re.compile(rb"<(version|meta|image|track)[\s/>]")
_KINDS = {"box", "rotated_box", "ellipse", "polygon", "polyline", "points", "skeleton", "mask", "cuboid2d"}


def dialect(probe: Probe) -> tuple[str, str]:
    """Which of the formats of this module the data is, and the file that says so; a quick look, not a parse."""
    names = [n for n in documents(probe.source) if b"<" in probe.head(n)]
    if not names:
        raise NotThisFormat("no XML file")
    found: set[str] = set()
    for name in names:
        document = Document(probe.source.buffer(name), probe.source.display(name))
        head = bytes(document.buffer[: 1 << 16])
        root = re.search(rb"<([A-Za-z_][^\s/>]*)", head)
        if root is None or root.group(1) != b"annotations":
            what = shorten(root.group(1)[:40].decode("utf-8", "replace")) if root else "none"
            raise NotThisFormat(f"{name}: the root element is {what}, expected annotations")
        if not _CHILD.search(head) and re.search(rb"<[A-Za-z]", head[root.end() :]):
            raise NotThisFormat(f"{name}: none of version, meta, image, track")
        has = [tag for tag in ("image", "track") if document.mentions(tag)]
        if not has:
            has = ["track" if re.search(rb"<mode>\s*interpolation\s*</mode>", head) else "image"]
        found.update(has)
    return "cvat_xml" if len(found) > 1 else "cvat_images" if "image" in found else "cvat_video", names[0]


def _detect(wanted: str) -> object:
    def detect(probe: Probe) -> Confidence:
        name, file = dialect(probe)
        if name != wanted:
            raise NotThisFormat(f"{file} is {name}")
        return Confidence(85, f"{file} has annotations with the elements of {name}")

    return detect


def _carries(kinds: set[str], fields: set[str], converts: dict[str, str], **more: object) -> Capabilities:
    settings = {
        "kinds": kinds,
        "converts": {"multipart_polygon": "mask", "holed_polygon": "mask", **converts},
        "fields": {"group_id", "occluded", "z_order", "origin", *fields},
        "as_attributes": {"is_crowd", "truncated", "score"},
        "attributes": True,
        "subsets": True,
        "category_fields": {"id", "color", "attributes", "keypoints", "skeleton"},
        "namespaces": {"cvat_xml"},
        **more,
    }
    return Capabilities(**settings)  # type: ignore[arg-type]


def _of_video(*, images: bool = False) -> Capabilities:
    tags = {"tag"} if images else set()
    captions = {"caption": "tag"} if images else {}
    fields = {"track_id", "keyframe", "outside"}
    places = {"path", "width", "height", "frame", "sequence"}
    return _carries(_KINDS | tags, fields, captions, item_fields=places, dataset_fields={"tracks"})


_IMAGES = _carries(
    _KINDS | {"tag"}, set(), {"caption": "tag"}, item_fields={"path", "width", "height", "frame"}
)  # fmt: skip
_BOTH = _carries(
    _KINDS | {"tag"}, {"track_id", "keyframe", "outside"}, {"caption": "tag"}, tracks_last=True,
    item_fields={"path", "width", "height", "frame", "sequence"}, dataset_fields={"tracks"},
)  # fmt: skip


def _write_images(dataset: Dataset, sink: NullSink, report: LossReport, *, decimals: int | None = None) -> None:
    write_file(dataset, sink, report, "images", decimals, True)


def _write_video(
    dataset: Dataset, sink: NullSink, report: LossReport, *, decimals: int | None = None, images: bool = False
) -> None:
    write_file(dataset, sink, report, "video", decimals, images)


def _write_both(dataset: Dataset, sink: NullSink, report: LossReport, *, decimals: int | None = None) -> None:
    write_file(dataset, sink, report, "both", decimals, True)


def _media(item: Item) -> str:
    name = item.path if item.path is not None else str(item.id)
    return f"images/{name}" if item.subset == "default" else f"images/{item.subset}/{name}"


def _format(name: str, title: str, aliases: tuple[str, ...], carries: object, write: object) -> Format:
    return Format(
        name=name,
        title=title,
        aliases=aliases,
        spec=_SPEC,
        carries=carries,  # type: ignore[arg-type]
        detect=_detect(name),  # type: ignore[arg-type]
        read=read,
        write=write,  # type: ignore[arg-type]
        streams="rw",
        single=".xml",
        media=_media,
    )


FORMATS = (
    _format("cvat_images", "CVAT for images", ("CVAT for images 1.1", "CVAT 1.1"), _IMAGES, _write_images),
    _format("cvat_video", "CVAT for video", ("CVAT for video 1.1",), _of_video, _write_video),
    _format("cvat_xml", "CVAT XML, images and tracks", ("cvat",), _BOTH, _write_both),
)
