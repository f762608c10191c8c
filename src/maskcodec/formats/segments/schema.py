"""Segments.ai task types, categories and attribute definitions, to and from ours."""

from __future__ import annotations

from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.source import Source
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import AttributeSpec, Category, LabelSchema

NAMESPACE = "segments"
GROUND_TRUTH = "ground-truth"
MAX_ID = 2**24 - 1
SEGMENTATION = ("segmentation-bitmap", "segmentation-bitmap-highres")
VECTOR = ("vector", "bboxes", "bbox", "keypoints")
FLAT = {"segmentation": SEGMENTATION, "vector": VECTOR}
CONTENTS = ("segmentation", "vector", "pointcloud-segmentation", "pointcloud-cuboid", "pointcloud-vector")
MULTISENSOR = "multisensor-sequence"
FORMATS = {  # content or task type -> registry name
    "segmentation": "segments_image_segmentation",
    "vector": "segments_image_vector",
    **{name: f"segments_{name.replace('-', '_')}" for name in CONTENTS[2:]},
    "image-segmentation-sequence": "segments_image_sequence",
    "image-vector-sequence": "segments_image_sequence",
    **{f"{name}-sequence": "segments_pointcloud_sequence" for name in CONTENTS[2:]},
    MULTISENSOR: "segments_multisensor",
}
STATUSES = (
    "REVIEWED", "REVIEWING_IN_PROGRESS", "LABELED", "LABELING_IN_PROGRESS", "REJECTED", "PRELABELED", "SKIPPED",
    "VERIFIED", "UNLABELED",
)  # fmt: skip
_TYPES = {"select": "select", "multiselect": "multiselect", "text": "text", "number": "float", "checkbox": "bool"}
_NAMES = {"select": "select", "multiselect": "multiselect", "text": "text", "float": "number", "bool": "checkbox"}


def series_of(content: str) -> str:
    """Task type of the sequences with frames of a content."""
    return f"{content if content.startswith('pointcloud') else f'image-{content}'}-sequence"


def content_of(task: str) -> str | None:
    """What a frame of a task type holds: one of ``CONTENTS``; None for several sensors and for what is unknown.

    Example:
        >>> content_of("image-vector-sequence"), content_of("bboxes"), content_of("pointcloud-cuboid")
        ('vector', 'vector', 'pointcloud-cuboid')
    """
    if task in SEGMENTATION or task in VECTOR:
        return "segmentation" if task in SEGMENTATION else "vector"
    content = task.removesuffix("-sequence").removeprefix("image-")
    return content if content in CONTENTS else None


# --- reading ----------------------------------------------------------------------------------------------------------
def read_attribute(record: dict[str, Any]) -> AttributeSpec:
    """One attribute definition; what has no field of ours stays in the extras."""
    kind = record.get("input_type")
    ours = _TYPES.get(str(kind), "text")
    if kind == "number" and _whole(record.get("step")):
        ours = "int"
    values = record.get("values")
    rest = {k: v for k, v in record.items() if k not in ("name", "input_type", "values", "default_value")}
    if rest.get("is_track_level") is True:
        del rest["is_track_level"]
        mutable = False
    else:
        mutable = True
    if not isinstance(kind, str) or kind not in _TYPES:
        rest["input_type"] = kind
    if values is not None and not isinstance(values, list):
        rest["values"] = values
    if "default_value" in record and record["default_value"] is None:
        rest["default_value"] = None
    return AttributeSpec(
        str(record.get("name")),
        ours,
        list(values) if isinstance(values, list) else [],
        record.get("default_value"),
        mutable,
        extras={NAMESPACE: rest} if rest else {},
    )


def read_attributes(source: Source, file: str, records: Any, where: str) -> list[AttributeSpec]:
    """A list of definitions, or none (null); faults go to the source."""
    if records is not None and not isinstance(records, list):
        error = FormatError(f"expected a list, got {shorten(records)}", file=file, field=where)
        source.problem(error, what="attribute")
        return []
    out = []
    for at, record in enumerate(records or []):
        if isinstance(record, dict) and isinstance(record.get("name"), str):
            out.append(read_attribute(record))
        else:
            text = f"expected an object with a name, got {shorten(record)}"
            source.problem(FormatError(text, file=file, record=f"{where}[{at}]"), what="attribute")
    return out


def _whole(step: Any) -> bool:
    try:
        return step not in (None, "") and not isinstance(step, bool) and float(step).is_integer()
    except (TypeError, ValueError):
        return False


def read_categories(source: Source, file: str, records: Any) -> list[Category]:
    """The ``categories`` of the task attributes."""
    if not isinstance(records, list):
        raise FormatError(f"expected a list, got {shorten(records)}", file=file, field="task_attributes.categories")
    found: dict[Any, Category] = {}
    for index, record in enumerate(records):
        where = f"task_attributes.categories[{index}]"
        if not isinstance(record, dict) or type(record.get("id")) is not int or not isinstance(record.get("name"), str):
            text = f"expected an object with an integer id and a name, got {shorten(record)}"
            source.problem(FormatError(text, file=file, record=where), what="category")
            continue
        if record["id"] in found:
            text = f"duplicate id {record['id']}"
            source.problem(FormatError(text, file=file, record=where, field="id"), what="category")
            continue
        known = ("id", "name", "color", "has_instances", "attributes")
        rest = {k: v for k, v in record.items() if k not in known}
        color = record.get("color")
        plain = isinstance(color, list) and len(color) in (3, 4) and all(type(v) is int for v in color)
        if "color" in record and not plain:
            rest["color"] = color
        if type(record.get("has_instances")) is not bool:
            rest["has_instances"] = record.get("has_instances", "absent")
        if record.get("attributes") == []:
            rest["attributes"] = []
        own = record.get("attributes")
        found[record["id"]] = Category(
            record["id"],
            record["name"],
            tuple(color) if isinstance(color, list) and plain else None,
            "stuff" if record.get("has_instances") is False else "thing",
            attributes=read_attributes(source, file, own, f"{where}.attributes"),
            extras={NAMESPACE: rest} if rest else {},
        )
    return list(found.values())


# --- writing ----------------------------------------------------------------------------------------------------------
def write_attribute(spec: AttributeSpec, report: LossReport) -> dict[str, Any]:
    """One attribute definition."""
    rest = dict(spec.extras.get(NAMESPACE, {}))
    record: dict[str, Any] = {"name": spec.name, "input_type": rest.pop("input_type", None)}
    if record["input_type"] is None:
        record["input_type"] = _NAMES.get(spec.type, "number")
    if spec.values or spec.type in ("select", "multiselect"):
        record["values"] = spec.values
    if spec.default is not None:
        record["default_value"] = spec.default
    if not spec.mutable:
        record["is_track_level"] = True
    if spec.type == "int" and "step" not in rest:
        record["step"] = 1
    if spec.children:
        report.drop(spec.name, None, "children", "definitions are not nested", what="attribute")
    return {**record, **rest}


def write_categories(schema: LabelSchema, numbers: dict[Any, int], report: LossReport) -> list[dict[str, Any]]:
    """The ``categories`` of the task attributes."""
    out = []
    for category in schema:
        rest = dict(category.extras.get(NAMESPACE, {}))
        record: dict[str, Any] = {"id": numbers[category.id], "name": category.name}
        if category.color is not None:
            record["color"] = list(category.color)
        instances = rest.pop("has_instances", category.kind == "thing")
        if instances != "absent":
            record["has_instances"] = instances
        if category.attributes:
            record["attributes"] = [write_attribute(spec, report) for spec in category.attributes]
        out.append({**record, **rest})
    return out


def category_numbers(schema: LabelSchema, report: LossReport) -> dict[Any, int]:
    """Integer ids of the categories: their own where they are integers, else the next free number."""
    used = {c.id for c in schema if type(c.id) is int}
    numbers: dict[Any, int] = {}
    free = 1
    for category in schema:
        if type(category.id) is int:
            numbers[category.id] = category.id
            continue
        while free in used:
            free += 1
        used.add(free)
        numbers[category.id] = free
        report.rename(category.name, None, "id", "category ids are integers", what="category")
    return numbers
