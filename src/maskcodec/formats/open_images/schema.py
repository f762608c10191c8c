"""What Open Images says beside its rows: classes, their hierarchy, the list of images, their sizes."""

from __future__ import annotations

import csv
import io
import re
import shlex
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.jsonio import decode
from maskcodec.formats._shared.lines import Line, lines
from maskcodec.formats._shared.source import Source
from maskcodec.formats.open_images.tables import NAMESPACE, Files, Rows
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["classes", "hierarchy_of", "listed", "parents_of", "sizes"]


def listed(source: Source, files: Files) -> dict[str, tuple[str, dict[str, str]]]:
    """Images of the lists: subset, and what else the list says; the list of the whole set counts before others.

    Raises:
        FormatError: an image twice in a list, or a subset that is no name of a folder.
    """
    out: dict[str, tuple[str, dict[str, str]]] = {}
    for name in sorted(files.of("lists"), key=lambda name: (not name.endswith("/image_ids_and_rotation.csv"), name)):
        own: set[str] = set()
        file = source.display(name)
        text = source.read(name).decode("utf-8-sig", "strict" if source.on_error == "raise" else "replace")
        header: list[str] = []
        reader = csv.reader(io.StringIO(text, newline=""))
        for cells in reader:
            if not header:
                header = [cell.strip() for cell in cells]
                if not {"ImageID", "Subset"} <= set(header):
                    raise FormatError(f"columns ImageID and Subset are needed, got {shorten(header)}", file=file)
                continue
            if not cells:
                continue
            row = {key: cell for key, cell in zip(header, cells, strict=False) if cell}
            line = Line("", cells, reader.line_num, file)
            if len(cells) != len(header):
                source.report.default(file, None, "", "rows with other numbers of fields", what="record")
            try:
                image, subset = row.pop("ImageID", ""), row.pop("Subset", "")
                if not image or not subset or subset in (".", "..") or re.search(r"[/\\\0]", subset):
                    raise line.fault(f"expected an image and a name of its subset, got {shorten(cells[:2])}")
                if image in own:
                    raise line.fault(f"image {shorten(image)} is in the list already", "ImageID")
            except FormatError as error:
                source.problem(error)
                continue
            own.add(image)
            out.setdefault(image, (subset, row))
    return out


def classes(source: Source, files: Files, tables: list[Rows]) -> LabelSchema:
    """The categories, by the first table of classes; a lenient reader makes do without one."""
    found: dict[str, str] = {}
    tables_of = files.of("classes")
    ranked = sorted(tables_of, key=lambda n: ("oidv" not in n.rpartition("/")[2], "boxable" not in n, n))
    if not ranked:
        source.problem(FormatError("class-descriptions.csv is missing", file=source.path), what="file")
        for rows in tables:
            for image in rows.by_image:
                found.update((cells["LabelName"], "") for _, cells in rows.of(image) if "LabelName" in cells)
    for name in ranked[:1]:
        reader = csv.reader(io.StringIO(source.read(name).decode("utf-8-sig", "replace"), newline=""))
        for cells in reader:
            if not cells or cells[:2] == ["LabelName", "DisplayName"]:
                continue
            line = Line("", cells, reader.line_num, source.display(name))
            if cells[0] in found or not cells[0]:
                source.problem(line.fault(f"label {shorten(cells[0])} is there already or has no name", "LabelName"))
                continue
            found[cells[0]] = cells[1] if len(cells) > 1 else ""
    schema = LabelSchema([Category(at, name) for at, name in enumerate(found)])
    for category, shown in zip(schema, found.values(), strict=True):
        if shown and shown != category.name:
            category.extras[NAMESPACE] = {"display_name": shown}
    return schema


def hierarchy_of(source: Source, files: Files, schema: LabelSchema) -> Any:
    """Set the parents of categories; returns the tree as it stands in the file, None where there is none."""
    for name in files.of("hierarchy"):
        tree = decode(source.read(name).removeprefix(b"\xef\xbb\xbf"), file=source.display(name))
        parents = parents_of(tree, source.display(name))
        for category in schema:
            category.parent = parents.get(category.name)
        return tree
    return None


def parents_of(tree: Any, file: str = "") -> dict[str, str]:
    """The parent of each label below the root, by the first place where it stands."""
    out: dict[str, str] = {}
    stack: list[tuple[Any, str | None]] = [(tree, None)]
    first = True
    while stack:
        node, parent = stack.pop()
        below = node.get("Subcategory", []) if isinstance(node, dict) else None
        if not isinstance(below, list) or not isinstance(node.get("LabelName"), str):
            raise FormatError("expected nodes with LabelName and Subcategory", file=file)
        if parent is not None:
            out.setdefault(node["LabelName"], parent)
        stack += [(child, "" if first else node["LabelName"]) for child in reversed(below)]
        first = False
    return {name: parent for name, parent in out.items() if parent}


def sizes(source: Source, files: Files) -> dict[str, tuple[int, int]]:
    """Width and height of images by ``images.meta``."""
    out: dict[str, tuple[int, int]] = {}
    for name in files.of("meta"):
        for line in lines(source, name, comments=True):
            try:
                try:
                    fields = shlex.split(line.text, comments=True)
                except ValueError as error:
                    raise line.fault(f"quotes do not match: {shorten(line.text)}") from error
                if len(fields) < 3 or not all(re.fullmatch("[0-9]{1,9}", field) for field in fields[1:3]):
                    raise line.fault(f"expected an image, its height and width, got {shorten(line.text)}")
            except FormatError as error:
                source.problem(error)
                continue
            out[fields[0]] = int(fields[2]), int(fields[1])
    return out
