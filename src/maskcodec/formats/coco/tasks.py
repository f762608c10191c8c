"""Which task a COCO file is of, told by its content, and which subset it stands for."""

from __future__ import annotations

import re

from maskcodec.errors import FormatError
from maskcodec.formats._base import Probe, Source
from maskcodec.formats._shared.jsonio import Document

__all__ = ["HASTY_URL", "TASKS", "documents", "is_hasty", "stem", "subset_of", "task_of", "tasks_seen"]

TASKS = ("instances", "person_keypoints", "captions", "labels", "image_info", "stuff", "panoptic")
HASTY_URL = "https://app.hasty.ai/projects/"
_TASK_NAME = re.compile(rf"({'|'.join(TASKS)})(?:_(.+))?$")


def task_of(document: Document, name: str) -> tuple[str, str]:
    """Kind of a COCO file by its content, and what was seen; ("", reason) when it is none."""
    if document.root != "object":
        rows = document.peek(count=3)
        if rows and all(isinstance(row, dict) and "image_id" in row for row in rows):
            return "results", "a list of results"
        if rows and all(isinstance(row, list) and len(row) == 7 for row in rows):
            return "results", "rows of seven numbers"
        if not rows and _base(name) == "results":
            return "results", "an empty list, named so"
        return "", "the top level is a list, expected an object"
    if "images" not in document.keys:
        return "", "no list 'images'"
    if {"label_classes", "export_format_version"} & set(document.keys):
        return "", "keys of a Hasty project"
    if "annotations" not in document.keys:
        images = document.peek("images", 3) if document.type_of("images") == "an array" else []
        if images and not any({"id", "file_name"} & row.keys() for row in images if isinstance(row, dict)):
            return "", "images without ids or file names"
        return "image_info", "images without annotations"
    return _by_rows(document, name)


def _by_rows(document: Document, name: str) -> tuple[str, str]:
    is_list = document.type_of("annotations") == "an array"
    rows = [row for row in document.peek("annotations", 50) if isinstance(row, dict)] if is_list else []
    named = _TASK_NAME.match(_base(name))
    for key, task in (("segments_info", "panoptic"), ("caption", "captions"), ("keypoints", "person_keypoints")):
        if any(key in row for row in rows):
            return task, f"annotations with {key!r}"
    if named is not None and named.group(1) == "stuff":
        return "stuff", "named as a stuff file"
    if any({"bbox", "segmentation"} & row.keys() for row in rows):
        return "instances", "annotations with boxes or segmentations"
    if rows and all("category_id" in row for row in rows):
        return "labels", "annotations with a category alone"
    if named is not None and not rows:
        return named.group(1), "named so, without annotations"
    return "instances", "images, annotations and categories"


def _base(name: str) -> str:
    """File name without folders and without its extension."""
    return name.rpartition("/")[2].rpartition(".")[0] or name.rpartition("/")[2]


def stem(name: str) -> str:
    """A path without the extension of its file."""
    folder, slash, base = name.rpartition("/")
    return folder + slash + (base.rpartition(".")[0] or base)


def subset_of(name: str, alone: bool) -> str:
    """Subset that a file name stands for."""
    folder, _, base = name.rpartition("/")
    if base.lower() == "_annotations.coco.json":
        return folder.rpartition("/")[2] or "default"
    named = _TASK_NAME.match(_base(name))
    if named is not None:
        return named.group(2) or "default"
    return "default" if alone else _base(name)


def documents(source: Source) -> dict[str, Document]:
    """Outlines of all JSON files of a source that may be COCO."""
    if len(source.files) == 1:
        return {source.files[0]: source.document(source.files[0])}
    return {name: source.document(name) for name in source.files if name.lower().endswith(".json")}


def tasks_seen(probe: Probe) -> dict[str, tuple[str, str]]:
    """Task and reason of each JSON file of a probe."""
    return {name: task_of(document, name) for name, document in probe.json().items()}


def is_hasty(document: Document) -> bool:
    """Whether ``info.url`` is that of a Hasty project."""
    if "info" not in document.keys or document.broken is not None:
        return False
    try:
        info = document.value("info")
    except FormatError:
        return False
    return isinstance(info, dict) and str(info.get("url", "")).startswith(HASTY_URL)
