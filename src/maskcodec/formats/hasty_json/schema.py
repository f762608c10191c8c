"""Names of Hasty JSON, and its classes, attribute definitions, tag groups and key-point schemas to and from ours."""

from __future__ import annotations

import uuid
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.source import Source
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import AttributeSpec, Category, LabelSchema, TagGroup

NAMESPACE = "hasty_json"
MARKS = ("export_format_version", "label_classes", "project_name")
VERSIONS = ("1.0", "1.1")
STATUSES = ("NEW", "IN PROGRESS", "TO REVIEW", "SKIPPED", "DONE", "COMPLETED", "AUTO-LABELLED")
TYPES = {
    "SELECTION": "select",
    "MULTIPLE-SELECTION": "multiselect",
    "TEXT": "text",
    "INT": "int",
    "FLOAT": "float",
    "BOOL": "bool",
}
NAMES = {ours: theirs for theirs, ours in TYPES.items()}
DEFAULT_GROUP = "Default"
# What is written where the data set says nothing; fixed, so that the same data give the same bytes.
INFO = {"project_name": "", "create_date": "1970-01-01T00:00:00Z", "export_date": "1970-01-01T00:00:00Z"}
_CLASS_KEYS = ("class_name", "class_type", "color", "attributes", "class_id", "parent_class_id")
_KINDS = {"object": "thing", "background": "stuff"}
_IDS = uuid.UUID("9a6c1c86-0f0c-5c3e-8a54-6a1d6f1f0d11")


def stable_id(*parts: object) -> str:
    """A UUID that depends on the given names alone, so that the same data gets the same ids in every run."""
    return str(uuid.uuid5(_IDS, "\x1f".join(map(str, parts))))


def color_from_text(text: str) -> tuple[int, ...] | None:
    """(r, g, b) or (r, g, b, a) of ``#RRGGBB`` or ``#RRGGBBAA``; None for anything else."""
    digits = text[1:]
    if text[:1] != "#" or len(digits) not in (6, 8) or any(c not in "0123456789abcdefABCDEF" for c in digits):
        return None
    return tuple(bytes.fromhex(digits))


def color_to_text(color: tuple[int, ...] | None, kept: Any = None) -> Any:
    """The text of a colour; the kept spelling while it still means the same, None without a colour."""
    if kept is not None and (color is None or color_from_text(kept) == tuple(color)):
        return kept
    return None if color is None else "#" + bytes(color).hex()


# --- reading ----------------------------------------------------------------------------------------------------------
def read_schema(source: Source, file: str, values: dict[str, Any]) -> tuple[LabelSchema, dict[str, Any]]:
    """Classes and definitions of a project.

    Args:
        source: hears of faults.
        file: name for errors.
        values: decoded top-level values other than the images.

    Returns:
        The schema, and what of it goes to the extras of the data set.
    """
    specs: dict[str, AttributeSpec] = {}
    for index, record in enumerate(_objects(source, file, values, "attributes")):
        where = f"attributes[{index}]"
        name, kind = record.get("name"), record.get("type")
        if not isinstance(name, str) or not isinstance(kind, str) or kind not in TYPES:
            text = f"expected a name and a type out of {', '.join(TYPES)}, got {shorten(name)} and {shorten(kind)}"
            source.problem(FormatError(text, file=file, record=where, field="type"), what="attribute")
            continue
        choices = record.get("values") or []
        plain = [v.get("value") if isinstance(v, dict) else v for v in choices] if isinstance(choices, list) else []
        rest = {k: v for k, v in record.items() if k not in ("name", "type", "values")}
        specs[name] = AttributeSpec(name, TYPES[kind], plain, extras={NAMESPACE: rest} if rest else {})
    schemas = _keypoint_schemas(source, file, values)
    categories = []
    for index, record in enumerate(_objects(source, file, values, "label_classes")):
        category = _category(source, file, record, f"label_classes[{index}]", specs, schemas)
        if category is not None:
            categories.append(category)
    named = {category.id: category.name for category in categories}
    for category in categories:
        own = category.extras.get(NAMESPACE, {})
        if isinstance(own.get("parent_class_id"), (str, int)) and own["parent_class_id"] in named:
            category.parent = named[own.pop("parent_class_id")]
    used = {spec.name for category in categories for spec in category.attributes}
    groups = []
    for record in _objects(source, file, values, "tag_groups"):
        rest = {k: v for k, v in record.items() if k not in ("group_id", "group_name", "tags")}
        several = rest.get("group_type") == "MULTIPLE-SELECTION" and bool(rest.pop("group_type"))
        name, listed = str(record.get("group_name", DEFAULT_GROUP)), record.get("tags")
        if listed is not None and not isinstance(listed, list):
            why = f"expected a list, got {shorten(listed)}"
            source.problem(FormatError(why, file=file, record=name, field="tag_groups.tags"), what="tag group")
        tags = list(listed) if isinstance(listed, list) else []
        groups.append(TagGroup(name, tags, several, record.get("group_id"), {NAMESPACE: rest} if rest else {}))
    schema = LabelSchema(categories, [s for s in specs.values() if s.name not in used], groups)
    extras: dict[str, Any] = {"attribute_order": list(specs)} if specs else {}
    if schemas:
        extras["keypoint_schemas"] = schemas
    return schema, extras


def _objects(source: Source, file: str, values: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = values.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        source.problem(FormatError(f"expected a list, got {shorten(found)}", file=file, field=key), what=key)
        return []
    for index, record in enumerate(found):
        if not isinstance(record, dict):
            text = f"expected an object, got {shorten(record)}"
            source.problem(FormatError(text, file=file, record=f"{key}[{index}]"), what=key)
    return [record for record in found if isinstance(record, dict)]


def _keypoint_schemas(source: Source, file: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    """The key-point schemas that can be used; faults of the others go to the source."""
    out = []
    for index, record in enumerate(_objects(source, file, values, "keypoint_schemas")):
        classes, owners = record.get("keypoint_classes") or [], record.get("associated_label_classes") or []
        good = isinstance(classes, list) and all(
            isinstance(c, dict) and isinstance(c.get("keypoint_class_id"), (str, int, type(None))) for c in classes
        )
        if good and isinstance(owners, list):
            out.append(record)
            continue
        field = "associated_label_classes" if good else "keypoint_classes"
        why = f"expected a list{'' if good else ' of objects'}, got {shorten(record.get(field))}"
        error = FormatError(why, file=file, record=f"keypoint_schemas[{index}]", field=field)
        source.problem(error, what="keypoint schema")
    return out


def _category(
    source: Source,
    file: str,
    record: dict[str, Any],
    where: str,
    specs: dict[str, AttributeSpec],
    schemas: list[dict[str, Any]],
) -> Category | None:
    name = record.get("class_name")
    if not isinstance(name, str):
        why = f"expected a text, got {shorten(name)}"
        source.problem(FormatError(why, file=file, record=where, field="class_name"), what="category")
        return None
    extras = {k: v for k, v in record.items() if k not in _CLASS_KEYS}
    kind = record.get("class_type", "object")
    if not isinstance(kind, str) or kind not in _KINDS:
        extras["class_type"] = kind
    text = record.get("color")
    color = color_from_text(text) if isinstance(text, str) else None
    if text is not None and color_to_text(color) != text:
        extras["color"] = text
    wanted = record.get("attributes") or []
    class_id = record.get("class_id")
    for key, good, expected in (
        ("attributes", isinstance(wanted, list), "a list"),
        ("class_id", isinstance(class_id, (str, int, type(None))), "a text"),
    ):
        if not good:
            why = f"expected {expected}, got {shorten(record[key])}"
            source.problem(FormatError(why, file=file, record=where, field=key), what="category")
            return None
    own = [specs[n] for n in wanted if isinstance(n, str) and n in specs]
    if len(own) != len(wanted):
        extras["attributes"] = wanted  # names without a definition (the vendor's example lists values here)
    if record.get("parent_class_id") is not None:
        extras["parent_class_id"] = record["parent_class_id"]
    points = keypoint_classes(schemas, class_id)
    return Category(
        name if class_id is None else class_id,
        name,
        color,
        _KINDS.get(kind, "thing") if isinstance(kind, str) else "thing",
        attributes=own,
        keypoints=[str(point.get("keypoint_class_name")) for point in points],
        extras={NAMESPACE: extras} if extras else {},
    )


def keypoint_classes(schemas: list[dict[str, Any]], class_id: object) -> list[dict[str, Any]]:
    """Key-point classes of the schema that names a label class, in their order."""
    for schema in schemas:
        if class_id is not None and class_id in (schema.get("associated_label_classes") or []):
            points = [p for p in schema.get("keypoint_classes") or [] if isinstance(p, dict)]
            return sorted(points, key=lambda p: p["norder"] if isinstance(p.get("norder"), (int, float)) else 0)
    return []


# --- writing ----------------------------------------------------------------------------------------------------------
def write_classes(schema: LabelSchema, report: LossReport) -> list[dict[str, Any]]:
    """The ``label_classes`` list."""
    ids = {category.name: category.id for category in schema}
    out = []
    for category in schema:
        kept = dict(category.extras.get(NAMESPACE, {}))
        named = category.id == category.name
        record: dict[str, Any] = {} if named else {"class_id": category.id}
        if not named or category.parent is not None:
            record["parent_class_id"] = ids.get(category.parent or "", kept.pop("parent_class_id", None))
            if category.parent is not None and category.parent not in ids:
                why = "the parent is no class of the project, written without"
                report.default(category.name, None, "parent", why, what="category")
        kept.pop("parent_class_id", None)
        record["class_name"] = category.name
        record["class_type"] = kept.pop("class_type", "background" if category.kind == "stuff" else "object")
        spelled = color_to_text(category.color, kept.pop("color", None))
        if spelled is not None:
            record["color"] = spelled
        record |= {key: kept.pop(key) for key in ("norder", "icon_url") if key in kept}
        record["attributes"] = kept.pop("attributes", [spec.name for spec in category.attributes])
        out.append({**record, **kept})
    return out


def write_keypoint_schemas(schema: LabelSchema, kept: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The ``keypoint_schemas`` list: those that were read, and one for each further category with key points."""
    out = list(kept)
    for category in schema:
        if not category.keypoints or keypoint_classes(out, category.id):
            continue
        points = [
            {
                "keypoint_class_id": stable_id("keypoint class", category.name, index, name),
                "keypoint_class_name": name,
                "norder": index + 1,
                "editor_x": None,
                "editor_y": None,
                "max_points": 1,
                "min_points": 0,
            }
            for index, name in enumerate(category.keypoints)
        ]
        out.append(
            {
                "keypoint_schema_id": stable_id("keypoint schema", category.name),
                "keypoint_schema_name": category.name,
                "keypoint_schema_type": "points",
                "associated_label_classes": [category.id],
                "keypoint_classes": points,
                "keypoint_skeleton": [],
            }
        )
    return out
