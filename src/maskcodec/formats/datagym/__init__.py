"""DataGym: the import and export lists of image projects, and the exports of video projects.

Produced and read by the labelling server DataGym.ai; described on its pages "Import Data" and "Export data", with a
JSON schema for imports, and in the source of its server.

Kept: boxes, polygons, lines, points, segmentations with holes (export form), nested geometries as children,
classifications with their nesting as attributes named by path, media ids and names, states, class lists, unknown
keys; segmentation bitmaps where the caller hands them over.
Lost, reported: instance ids, order between classes, groups, z-order, rotation, crowd, numbers and booleans in
attributes (written as texts), coordinates below 0, masks (written as outlines), classes without labels (import form).
"""

from __future__ import annotations

from maskcodec.formats._base import Capabilities, Confidence, Dataset, Format, NotThisFormat, Probe, Source
from maskcodec.formats.datagym.arrange import arrange
from maskcodec.formats.datagym.find import find
from maskcodec.formats.datagym.read import Resolver, read_images
from maskcodec.formats.datagym.schema import NAMESPACE, kind_of, read_configuration
from maskcodec.formats.datagym.video import read_videos
from maskcodec.formats.datagym.write import write
from maskcodec.model.annotations import Box, Points, Polygon, Polyline

__all__ = ["FORMATS"]


def _detect(probe: Probe) -> Confidence:
    for name, document in probe.json().items():
        kind = kind_of(document)
        if kind is not None:
            return Confidence(85, f"{name}: a DataGym {'label ' if kind == 'configuration' else ''}{kind} document")
    raise NotThisFormat("no JSON list of objects with a media id, no video task with frames and object")


def _read(
    source: Source,
    *,
    bitmaps: Resolver | None = None,
    keyframes_only: bool = False,
    classes: dict[str, str] | None = None,
) -> Dataset:
    """Read a list or a video task.

    Args:
        source: a JSON file, or a folder or zip with the lists of one project and perhaps a label configuration, or
            with a project's list of videos and the tasks ``datagym_export_<time>_<task id>.json``.
        bitmaps: address of a segmentation bitmap -> bytes of the BMP, or None; nothing is downloaded.
        keyframes_only: of videos: only the shapes that the file has, none between them.
        classes: of videos: object id -> class key, which the file does not have.
    """
    found = find(source)
    if found.kind == "configuration" and found.configuration is not None:
        document = found.configuration
        document.check()
        return Dataset(read_configuration(document.value(""), document.file))
    if found.kind in ("video", "task"):
        return read_videos(source, found, keyframes_only, classes or {})
    return read_images(source, found, bitmaps)


def carries(form: str = "import") -> Capabilities:
    """What a list holds; segmentations with holes only in the export form."""
    if form not in ("import", "export"):
        raise ValueError(f'form is "import" or "export", got {form!r}')
    to_polygon = {"rotated_box", "ellipse", "mask", "multipart_polygon", "holed_polygon"}
    kinds = {Box, Polygon, Polyline, Points}
    holes = {"holed_polygon"} if form == "export" else set()
    return Capabilities(
        kinds={*kinds, *holes},
        converts=dict.fromkeys(sorted(to_polygon - holes), Polygon),
        fields={"id", "parent_id"},
        as_attributes={"is_crowd", "occluded", "score"},
        attributes=True,
        order=True,
        needs_category=True,
        single_points=True,
        arrange=arrange,
        item_fields={"path", "status"},
        item_attributes=True,
        namespaces={NAMESPACE},
    )


FORMATS = (
    Format(
        name="datagym",
        title="DataGym JSON",
        aliases=("DataGym",),
        spec="https://docs.datagym.ai (Import Data, Export data)",
        carries=carries,
        detect=_detect,
        read=_read,
        write=write,
        streams="rw",
        single=".json",
    ),
)
