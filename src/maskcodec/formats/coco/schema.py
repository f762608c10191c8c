"""What COCO documents look like: kinds of file, dialects, categories, keys.

Keys of ``extras["coco"]`` that begin with ``#`` are notes of this reader about the form of the file; all others are
keys of the file, kept verbatim.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Probe, Source
from maskcodec.formats._shared.jsonio import Document
from maskcodec.model.schema import Category

TASKS = ("instances", "person_keypoints", "captions", "labels", "image_info", "stuff", "panoptic")
_TASK_NAME = re.compile(rf"({'|'.join(TASKS)})(?:_(.+))?$")
# Entries of ``attributes`` that CVAT and datumaro use for shared fields: name -> types that mean the field.
RESERVED: dict[str, tuple[type, ...]] = {
    "occluded": (bool,),
    "outside": (bool,),
    "keyframe": (bool,),
    "track_id": (int, str),
}
HASTY_URL = "https://app.hasty.ai/projects/"


@dataclass(frozen=True)
class Dialect:
    """Where the COCO family differs.

    Attributes:
        name: of the format.
        box: what ``segmentation`` of a box is written as: "[]" or "null".
        first_id: first number for annotations without one.
        kinds_as_super: the super-category tells things ("object") from stuff ("background").
        tree: ``annotations/instances_<subset>.json``; else one file.
        image_keys: keys that every image has, with their default values.
    """

    name: str = "coco_instances"
    box: str = "[]"
    first_id: int = 1
    kinds_as_super: bool = False
    tree: bool = True
    image_keys: tuple[tuple[str, Any], ...] = ()


COCO = Dialect()


def task_of(document: Document, name: str) -> tuple[str, str]:
    """Kind of a COCO file by its content, and what was seen; ("", reason) when it is none."""
    if document.root != "object":
        rows = document.peek(count=3)
        if rows and all(isinstance(row, dict) and "image_id" in row for row in rows):
            return "results", "a list of results"
        return "", "the top level is a list, expected an object"
    if "images" not in document.keys:
        return "", "no list 'images'"
    if "annotations" not in document.keys:
        return "image_info", "images without annotations"
    if {"label_classes", "export_format_version"} & set(document.keys):
        return "", "keys of a Hasty project"
    is_list = document.type_of("annotations") == "an array"
    rows = [row for row in document.peek("annotations", 50) if isinstance(row, dict)] if is_list else []
    named = _TASK_NAME.match(stem_of(name))
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


def stem_of(name: str) -> str:
    """File name without folders and without its extension."""
    return name.rpartition("/")[2].rpartition(".")[0] or name.rpartition("/")[2]


def subset_of(name: str, alone: bool) -> str:
    """Subset that a file name stands for."""
    folder, _, base = name.rpartition("/")
    if base.lower() == "_annotations.coco.json":
        return folder.rpartition("/")[2] or "default"
    named = _TASK_NAME.match(stem_of(name))
    if named is not None:
        return named.group(2) or "default"
    return "default" if alone else stem_of(name)


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


def read_category(row: Any, file: str, at: int, dialect: Dialect) -> Category:
    """One category; keys that the model does not know stay in extras.

    Raises:
        FormatError: no id, no name, or of the wrong type.
    """
    record = f"categories[{at}]"
    if not isinstance(row, dict):
        raise FormatError(f"expected an object, got {shorten(row)}", file=file, record=record)
    number, name = row.get("id"), row.get("name")
    if isinstance(number, bool) or not isinstance(number, (int, str)):
        raise FormatError(f"expected an integer, got {shorten(number)}", file=file, record=record, field="id")
    if not isinstance(name, str):
        where = f"{record} (id {number})"
        raise FormatError(f"expected text, got {shorten(name)}", file=file, record=where, field="name")
    rest = {key: value for key, value in row.items() if key not in ("id", "name")}
    category = Category(number, name)
    above = rest.get("supercategory")
    if dialect.kinds_as_super and above in ("object", "background"):
        category.kind = "stuff" if rest.pop("supercategory") == "background" else "thing"
    elif isinstance(above, str):
        category.parent = rest.pop("supercategory") or None
    if not isinstance(rest.get("isthing"), bool) and rest.get("isthing") in (0, 1):
        category.kind = "thing" if rest.pop("isthing") else "stuff"
        if category.kind == "thing":
            rest["isthing"] = 1  # the default of the model would leave the key out
    color = rest.get("color")
    if isinstance(color, list) and len(color) in (3, 4) and all(type(c) is int and 0 <= c <= 255 for c in color):
        category.color = tuple(rest.pop("color"))
    points, edges = rest.get("keypoints"), rest.get("skeleton")
    if isinstance(points, list) and points and all(isinstance(p, str) for p in points):
        category.keypoints = rest.pop("keypoints")
    if isinstance(edges, list) and edges and all(_is_edge(edge) for edge in edges):
        category.skeleton = [(edge[0], edge[1]) for edge in rest.pop("skeleton")]
    if rest:
        category.extras = {"coco": rest}
    return category


def _is_edge(edge: Any) -> bool:
    return isinstance(edge, list) and len(edge) == 2 and all(type(end) is int for end in edge)


def write_category(category: Category, number: int | str, dialect: Dialect) -> dict[str, Any]:
    """The record of a category."""
    above = category.parent or ""
    if dialect.kinds_as_super:
        above = "background" if category.kind == "stuff" else "object"
    row: dict[str, Any] = {"id": number, "name": category.name, "supercategory": above}
    row.update(category.extras.get("coco", {}))
    if category.kind == "stuff" and not dialect.kinds_as_super:
        row["isthing"] = 0
    if category.color is not None:
        row["color"] = list(category.color)
    if category.keypoints:
        row["keypoints"] = category.keypoints
    if category.skeleton:
        row["skeleton"] = [list(edge) for edge in category.skeleton]
    return row
