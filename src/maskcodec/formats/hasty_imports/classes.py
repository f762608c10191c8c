"""The class table: ``[{"name", "type", "color", "png_index"}]``, alone or beside class maps."""

from __future__ import annotations

from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.jsonio import Document, encode
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source
from maskcodec.formats.hasty_json.schema import color_from_text, color_to_text
from maskcodec.model.dataset import Dataset, ItemList
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category

__all__ = ["NAMESPACE", "detect", "is_table", "read", "read_categories", "write", "write_categories"]

NAMESPACE = "hasty_classes"
_MARKS = ("png_index", "color", "type", "class_type")
_KINDS: dict[Any, str] = {"object": "thing", "background": "stuff", 1: "thing", 2: "stuff"}


def is_table(document: Document, name: str) -> bool:
    """Whether a JSON document is a class table; names alone count only in a file named so."""
    if document.root != "array":
        return False
    rows = document.peek(count=300)
    if not all(isinstance(row, dict) and ("name" in row or "class_name" in row) for row in rows):
        return False
    named = name.rpartition("/")[2].lower().startswith("label_classes")
    return named or any(mark in row for row in rows for mark in _MARKS)


def read_categories(source: Source, document: Document) -> list[Category]:
    """The categories of a table; faults go to the source."""
    document.check()
    if document.root != "array":
        raise FormatError(f"the top level is an {document.root}, expected a list (array)", file=document.file)
    rows = document.value("", source.problem if source.on_error == "skip" else None)
    found: dict[str, Category] = {}
    indices: dict[Any, str] = {}
    for at, row in enumerate(rows):
        try:
            category = _category(row, document.file, f"[{at}]")
            index = category.extras.get(NAMESPACE, {}).get("png_index")
            key = tuple(index) if isinstance(index, list) else index
            if category.name in found:
                raise FormatError(f"duplicate class name {shorten(category.name)}", file=document.file,
                                  record=f"[{at}]", field="name")  # fmt: skip
            if key is not None and key in indices:
                raise FormatError(f"duplicate index {shorten(index)}, of {indices[key]!r} too", file=document.file,
                                  record=f"[{at}] ({category.name})", field="png_index")  # fmt: skip
        except FormatError as error:
            source.problem(error, what="category")
            continue
        found[category.name] = category
        if key is not None:
            indices[key] = category.name
    return list(found.values())


def _category(row: Any, file: str, record: str) -> Category:
    if not isinstance(row, dict):
        raise FormatError(f"expected an object, got {shorten(row)}", file=file, record=record)
    spelled = "class_name" if "class_name" in row else "name"
    name = row.get(spelled)
    if not isinstance(name, str) or not name:
        raise FormatError(f"expected a text, got {shorten(name)}", file=file, record=record, field=spelled)
    record = f"{record} ({name})"
    rest = {k: v for k, v in row.items() if k not in ("name", "class_name", "type", "class_type", "color", "id")}
    kind = row.get("class_type", row.get("type", "object"))
    if not isinstance(kind, (str, int)) or isinstance(kind, bool) or kind not in _KINDS:
        text = f"expected 'object' or 'background', got {shorten(kind)}"
        raise FormatError(text, file=file, record=record, field="type")
    spelling = row.get("color")
    color = color_from_text(spelling) if isinstance(spelling, str) else None
    if spelling is not None and color is None:
        text = f"expected #RRGGBB or #RRGGBBAA, got {shorten(spelling)}"
        raise FormatError(text, file=file, record=record, field="color")
    if spelling is not None and color_to_text(color) != spelling:
        rest["color"] = spelling
    index = rest.get("png_index")
    grey = type(index) is int and 1 <= index <= 255
    rgb = isinstance(index, list) and len(index) == 3 and all(type(v) is int and 0 <= v <= 255 for v in index)
    if index is not None and not grey and not rgb:
        text = f"expected an integer from 1 to 255 or three colour values, got {shorten(index)}"
        raise FormatError(text, file=file, record=record, field="png_index")
    if spelled == "class_name":
        rest["#documented"] = True
    number: int | str = name
    if isinstance(row.get("id"), str) or type(row.get("id")) is int:
        number = row["id"]
    elif "id" in row:
        rest["id"] = row["id"]
    category = Category(number, name, color, _KINDS[kind])
    if rest:
        category.extras = {NAMESPACE: rest}
    return category


def write_categories(categories: list[Category], indices: dict[Any, Any] | None = None) -> list[dict[str, Any]]:
    """The rows of a table, with the index of each category where one is given."""
    rows = []
    for category in categories:
        kept = dict(category.extras.get(NAMESPACE, {}))
        documented = kept.pop("#documented", False)
        row: dict[str, Any] = {}
        if category.id != category.name:
            row["id"] = category.id
        color = color_to_text(category.color, kept.pop("color", None))
        if color is not None:
            row["color"] = color
        index = (indices or {}).get(category.id, kept.get("png_index"))
        kept.pop("png_index", None)
        if index is not None:
            row["png_index"] = index
        row["class_name" if documented else "name"] = category.name
        row["class_type" if documented else "type"] = "background" if category.kind == "stuff" else "object"
        rows.append({**row, **kept})
    return rows


def detect(probe: Probe) -> Confidence:
    """A class table and no pictures beside it."""
    documents = probe.json()
    tables = [name for name, document in documents.items() if is_table(document, name)]
    if not tables:
        raise NotThisFormat("no JSON list of classes")
    if probe.matching(".png"):
        raise NotThisFormat(f"{tables[0]} is a class table with PNG files beside it")
    return Confidence(75, f"{tables[0]} is a list of classes")


def read(source: Source) -> Dataset:
    """Read a class table; the data set has no items."""
    names = source.files if len(source.files) == 1 else [n for n in source.files if n.lower().endswith(".json")]
    found = [n for n in names if len(names) == 1 or is_table(source.document(n), n)]
    if len(found) != 1:
        raise FormatError(f"expected one JSON list of classes, found {len(found)}", file=source.path)
    dataset = Dataset(items=ItemList())
    dataset.schema.categories = read_categories(source, source.document(found[0]))
    return dataset


def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    """Write ``label_classes.json``; items are reported as dropped."""
    for _ in dataset.items:
        pass  # the pass over the items is what reports them
    with sink.open("label_classes.json") as out:
        rows = write_categories(dataset.schema.categories)
        out.write(b"[" + b",".join(b"\n" + encode(row) for row in rows) + b"]\n")
