"""What a document of Segments.ai is: a release, a label alone, or sample attributes; and what its labels hold."""

from __future__ import annotations

from typing import Any

from maskcodec.formats._shared.jsonio import Document
from maskcodec.formats.segments.schema import MULTISENSOR, SEGMENTATION, VECTOR, content_of, series_of

__all__ = ["is_sample", "kind_of_content", "kind_of_label", "kind_of_release"]


def is_sample(document: Document) -> bool:
    """Whether a document is sample attributes: where the media of a sample are, and no label.

    These are objects with ``image`` or ``pcd``, or with frames or sensors that have them.
    """
    if document.root != "object" or "annotations" in document.keys:
        return False
    keys = set(document.keys)
    if any(key in keys and document.type_of(key) == "an object" for key in ("image", "pcd")):
        return True
    records: list[Any] = []
    for key in ("frames", "sensors"):
        records += document.peek(key, 20) if key in keys and document.type_of(key) == "an array" else []
    parts = [r.get("attributes", r) if isinstance(r, dict) else r for r in records]
    inner = [p["frames"] if isinstance(p.get("frames"), list) else [p] for p in parts if isinstance(p, dict)]
    frames = [frame for own in inner for frame in own]
    return any(isinstance(f, dict) and ({"image", "pcd"} & f.keys()) and "annotations" not in f for f in frames)


def kind_of_label(document: Document) -> str | None:
    """Type of a lone label: a content, the task type of a sequence, "empty", "empty-sequence"; None when it is none."""
    if document.root != "object" or any(key in document.keys for key in ("images", "items", "object", "dataset")):
        return None
    if is_sample(document):
        return None
    lists = {key for key in ("annotations", "frames", "sensors") if key in document.keys}
    lists = {key for key in lists if document.type_of(key) == "an array"}
    if "sensors" in lists:
        return MULTISENSOR
    if "frames" in lists:
        return _kind_of_frames(document.peek("frames", 1000))
    if "annotations" not in lists:
        return None
    return kind_of_content(list(document.keys), document.peek("annotations", 1000))


def _kind_of_frames(frames: list[Any]) -> str:
    """The first frame that says something; clouds with a vector anywhere are vectors."""
    found = "empty"
    for frame in frames:
        if isinstance(frame, dict) and isinstance(frame.get("annotations"), list):
            content = kind_of_content(list(frame), frame["annotations"])
            found = content if found == "empty" or content == "pointcloud-vector" else found
    return f"{found}-sequence" if found == "empty" else series_of(found)


def kind_of_content(keys: list[str], annotations: list[Any]) -> str:
    """Content of one frame, by its keys and annotations; "empty" when nothing tells."""
    if "segmentation_bitmap" in keys:
        return "segmentation"
    if "point_annotations" in keys:
        return "pointcloud-segmentation"
    records = [record for record in annotations if isinstance(record, dict)]
    for record in records:
        points = record.get("points")
        if isinstance(points, list) and points and isinstance(points[0], list) and len(points[0]) == 3:
            return "pointcloud-vector"
    if not records:
        return "empty"
    first = records[0]
    if first.get("type") in ("cuboid", "cuboid-sync") or "position" in first:
        return "pointcloud-cuboid"
    return "vector" if "type" in first or "points" in first else "segmentation"


def kind_of_release(document: Document) -> str | None:
    """Type of a release by its task type, else by its first label; None when it is no release."""
    if document.root != "object" or "dataset" not in document.keys or document.type_of("dataset") != "an object":
        return None
    part = document.part("dataset")
    if "samples" not in part.keys or "task_type" not in part.keys:
        return None
    task = part.value("task_type")
    if task in SEGMENTATION or task in VECTOR:
        return content_of(task)
    if task:
        return str(task)
    for sample in part.peek("samples", 20):
        labels = sample.get("labels") if isinstance(sample, dict) else None
        for label in (labels or {}).values():
            attributes = label.get("attributes") if isinstance(label, dict) else None
            if isinstance(attributes, dict) and isinstance(attributes.get("sensors"), list):
                return MULTISENSOR
            if isinstance(attributes, dict) and isinstance(attributes.get("frames"), list):
                return _kind_of_frames(attributes["frames"])
            if isinstance(attributes, dict) and isinstance(attributes.get("annotations"), list):
                return kind_of_content(list(attributes), attributes["annotations"])
    return "empty"
