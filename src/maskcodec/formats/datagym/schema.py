"""Kinds of DataGym documents, class lists and label configurations, and classification values."""

from __future__ import annotations

from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.jsonio import Document
from maskcodec.model.schema import AttributeSpec, Category, LabelSchema

__all__ = [
    "NAMESPACE", "foreign_values", "kind_of", "read_classes", "read_classification", "read_configuration",
    "write_classes",
]  # fmt: skip

NAMESPACE = "datagym"
MEDIA_IDS = ("internal_media_ID", "internal_image_ID")
NAMES = ("external_media_ID", "external_image_ID")
GEOMETRIES = ("point", "line", "polygon", "image_segmentation", "rectangle")
TYPES = {"select": "select", "radio": "select", "checklist": "multiselect", "freetext": "text"}
_WRITTEN = {"select": "select", "multiselect": "checklist"}
_ORDER = {name: at for at, name in enumerate((*GEOMETRIES, "select", "radio", "checklist", "freetext"))}


def kind_of(document: Document) -> str | None:
    """"import", "export", "video", "configuration" (lists) or "task" (one video); None for anything else."""
    if document.root == "object":
        keys = document.keys
        good = "frames" in keys and "object" in keys and document.type_of("frames") == "an object"
        return "task" if good else None
    if document.root != "array":
        return None
    rows = [row for row in document.peek(count=50) if isinstance(row, dict)]
    tasks = [row for row in rows if any(key in row for key in MEDIA_IDS)]
    if any("task_export_url" in row or any(key.startswith("video_") for key in row) for row in tasks):
        return "video"
    if any("label_classes" in row for row in rows) or any(
        "status" in row or any(key in row for key in NAMES) for row in tasks
    ):
        return "export"
    if tasks:
        return "import"
    if rows and all("entryKey" in row and "type" in row for row in rows):
        return "configuration"
    return None


def read_classes(rows: Any, schema: LabelSchema, file: str, record: str) -> None:
    """Add the entries of a ``label_classes`` list to a schema."""
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        text = f"expected a list of objects, got {shorten(rows)}"
        raise FormatError(text, file=file, record=record, field="label_classes")
    for at, row in enumerate(rows):
        name, geometry = row.get("class_name"), row.get("geometry_type")
        kind = str(row.get("classification_type", "")).lower()
        if not isinstance(name, str) or not name:
            text = f"expected a text, got {shorten(name)}"
            raise FormatError(text, file=file, record=record, field=f"label_classes[{at}].class_name")
        if isinstance(geometry, str) or kind == "image_segmentation":
            if name not in schema:
                kept = {NAMESPACE: {"type": str(geometry or kind).lower()}}
                schema.categories.append(Category(name, name, extras=kept))
        elif kind in TYPES:
            schema.attributes.append(AttributeSpec(name, TYPES[kind]))
        else:
            text = f"expected geometry_type or classification_type, got {shorten(row)}"
            raise FormatError(text, file=file, record=record, field=f"label_classes[{at}]")


def read_configuration(rows: Any, file: str) -> LabelSchema:
    """The schema of a label configuration: nested classifications become children of attributes."""
    schema = LabelSchema()
    for at, row in enumerate(rows if isinstance(rows, list) else [rows]):
        _entry(row, schema, None, file, f"[{at}]")
    return schema


def _entry(row: Any, schema: LabelSchema, above: Category | AttributeSpec | None, file: str, record: str) -> None:
    if not isinstance(row, dict):
        raise FormatError(f"expected an object, got {shorten(row)}", file=file, record=record)
    key, kind = row.get("entryKey"), str(row.get("type", "")).lower()
    if not isinstance(key, str) or not key:
        raise FormatError(f"expected a text, got {shorten(key)}", file=file, record=record, field="entryKey")
    known = ("type", "entryKey", "children", "options", "color")
    rest = {k: v for k, v in row.items() if k not in known}
    made: Category | AttributeSpec
    if kind in GEOMETRIES:
        text = row.get("color")
        good = isinstance(text, str) and len(text) == 7 and text[0] == "#"
        try:
            color = tuple(bytes.fromhex(text[1:])) if good and isinstance(text, str) else None
        except ValueError:
            why = f"expected #RRGGBB, got {shorten(text)}"
            raise FormatError(why, file=file, record=record, field="color") from None
        made = Category(key, key, color, extras={NAMESPACE: {"type": kind, **rest}})
        if isinstance(above, Category):
            made.parent = above.name
        schema.categories.append(made)
    elif kind in TYPES:
        options = row.get("options") or {}
        if not isinstance(options, dict):
            raise FormatError(f"expected an object, got {shorten(options)}", file=file, record=record, field="options")
        made = AttributeSpec(key, TYPES[kind], list(options), extras={NAMESPACE: {**rest, "options": options}})
        owner = schema if above is None else above
        (owner.children if isinstance(owner, AttributeSpec) else owner.attributes).append(made)
    else:
        raise FormatError(f"unknown type {shorten(row.get('type'))}", file=file, record=record, field="type")
    children = row.get("children") or []
    if not isinstance(children, list):
        raise FormatError(f"expected a list, got {shorten(children)}", file=file, record=record, field="children")
    for at, child in enumerate(children):
        _entry(child, schema, made, file, f"{record}.children[{at}]")


def write_classes(schema: LabelSchema, stored: Any, used: dict[Any, set[str]]) -> list[dict[str, str]]:
    """The ``label_classes`` list of an export: the stored one, and what is not in it."""
    rows = [dict(row) for row in stored or []]
    known = {row.get("class_name") for row in rows}
    added: list[dict[str, str]] = []
    for category in schema:
        if category.name in known:
            continue
        kinds = used.get(category.id, set())
        kind = category.extras.get(NAMESPACE, {}).get("type") or min(kinds or {"rectangle"}, key=_ORDER.__getitem__)
        under = "classification_type" if kind == "image_segmentation" else "geometry_type"
        added.append({"class_name": category.name, under: kind})
    specs = list(schema.attributes)
    for category in schema:
        specs += category.attributes
    for spec in specs:
        if spec.name not in known:
            known.add(spec.name)
            added.append({"class_name": spec.name, "classification_type": _WRITTEN.get(spec.type, "freetext")})
    added.sort(key=lambda row: _ORDER[row.get("geometry_type") or row["classification_type"]])
    return rows + added


def read_classification(
    values: Any, name: str, out: dict[str, Any], where: tuple[str, str, str], strict: bool, depth: int = 1
) -> None:
    """Add one classification to a dict: one value as it is, several as a list, none as None; children by path.

    Args:
        values: the array of the file.
        name: path of the classification, ``weather`` or ``weather/daytime``.
        out: receives the values.
        where: file, record and field for errors.
        strict: hold the array against the published schema of the import; an export may break it.
        depth: of nesting.

    Raises:
        FormatError: the array breaks the schema.
    """
    file, record, field = where
    fault = None
    if not isinstance(values, list):
        fault = f"expected a list, got {shorten(values)}"
    elif depth > 4:
        fault = "classifications are nested deeper than 4 levels"
    else:
        texts = [v for v in values if not isinstance(v, dict)]
        children = [v for v in values if isinstance(v, dict)]
        if not all(isinstance(v, str) for v in texts[1:]) or not isinstance((texts or [None])[0], (str, type(None))):
            fault = f"expected null or texts, got {shorten(values)}"
        elif any(not child for child in children):
            fault = "an empty nested classification"
        elif strict and children and (len(children) > 1 or not isinstance(values[-1], dict) or len(values) != 2):
            fault = f"expected one value and then one nested classification, got {shorten(values)}"
    if fault is not None:
        raise FormatError(fault, file=file, record=record, field=field)
    out[name] = texts[0] if len(texts) == 1 else texts
    for child in children:
        for key, inner in child.items():
            path = f"{name}/{key}"
            read_classification(inner, path, out, (file, record, f"{field}.{key}"), strict, depth + 1)


def foreign_values(values: dict[str, Any], specs: list[AttributeSpec], above: str = "") -> list[tuple[str, str]]:
    """Classifications that a configuration does not know, by path, with what is wrong.

    Example:
        >>> foreign_values({"sky": "green"}, [AttributeSpec("sky", "select", ["blue", "grey"])])
        [('sky', "expected one of blue, grey, got 'green'")]
    """
    known = {f"{above}{spec.name}": spec for spec in specs}
    found = []
    for path, value in values.items():
        if not path.startswith(above) or "/" in path.removeprefix(above):
            continue  # one level at a time; children follow below
        spec = known.get(path)
        if spec is None:
            found.append((path, "an unknown classification key"))
            continue
        options = spec.extras.get(NAMESPACE, {}).get("options") or {}
        allowed = {*spec.values, *(options.values() if isinstance(options, dict) else ())}
        wrong = [v for v in (value if isinstance(value, list) else [value]) if v is not None and v not in allowed]
        if wrong and spec.type in ("select", "multiselect"):
            found.append((path, f"expected one of {', '.join(map(str, spec.values))}, got {shorten(wrong[0])}"))
        found += foreign_values(values, spec.children, f"{path}/")
    return found
