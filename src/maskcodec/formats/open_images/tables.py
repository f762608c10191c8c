"""Tables of Open Images: which files there are, and their rows by image, decoded when the image is read."""

from __future__ import annotations

import csv
import io
import re
import shlex
from collections.abc import Iterable
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.jsonio import decode
from maskcodec.formats._shared.lines import Line, lines, table
from maskcodec.formats._shared.naming import clean_name
from maskcodec.formats._shared.source import Source
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["BOXES", "IMAGES", "LABELS", "MASKS", "NAMESPACE", "Files", "Rows", "classes", "detect", "hierarchy_of",
           "listed", "mask_name", "parents_of", "sizes"]  # fmt: skip

NAMESPACE = "open_images"
LABELS = ("ImageID", "Source", "LabelName", "Confidence")
FLAGS = ("IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside")
BOXES = (*LABELS, "XMin", "XMax", "YMin", "YMax", *FLAGS)
MASKS = ("MaskPath", "ImageID", "LabelName", "BoxID", "BoxXMin", "BoxXMax", "BoxYMin", "BoxYMax", "PredictedIoU",
         "Clicks")  # fmt: skip
IMAGES = ("ImageID", "Subset", "OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL", "Author", "Title",
          "OriginalSize", "OriginalMD5", "Thumbnail300KURL", "Rotation")  # fmt: skip
_CLASSES = re.compile(r"(oidv\w+-)?class-descriptions(-boxable)?\.csv")
_LIST = re.compile(r"(.+-)?image_ids_and_rotation\.csv|.+-images(-with-labels)?-with-rotation\.csv")
_KINDS = {
    "labels": re.compile(r"(?:oidv\w+?-)?([^-]+)-.*human-imagelabels(?:-boxable)?\.csv"),
    "boxes": re.compile(r"(?:oidv\w+?-)?([^-]+)(?:-.+?)?-annotations-bbox\.csv"),
    "masks": re.compile(r"(?:oidv\w+?-)?([^-]+)(?:-.+?)?-annotations-object-segmentation\.csv"),
}
_OTHER = re.compile(r".*(-vrd|-point-labels|-machine-imagelabels).*\.csv|.*narratives.*\.jsonl?")
HIERARCHY = "bbox_labels_600_hierarchy.json"
META = "images.meta"


class Files:
    """The files of a data set by what they are; ``root`` is the folder above ``annotations``, with its slash."""

    def __init__(self, names: Iterable[str]) -> None:
        found: dict[str, dict[str, list[str]]] = {}
        for name in names:
            folder, _, base = name.rpartition("/")
            kind = next((kind for kind, pattern in _KINDS.items() if pattern.fullmatch(base)), None)
            kind = kind or ("lists" if _LIST.fullmatch(base) else "classes" if _CLASSES.fullmatch(base) else None)
            kind = kind or ("other" if _OTHER.fullmatch(base) else None)
            kind = kind or {META: "meta", HIERARCHY: "hierarchy"}.get(base)
            if kind:
                found.setdefault(folder, {}).setdefault(kind, []).append(name)
        strong = {f: own for f, own in found.items() if own.keys() & {"labels", "boxes", "masks", "lists", "classes"}}
        self.folder = min(strong, key=lambda f: (f.count("/"), f), default=None)
        self.kinds = strong.get(self.folder, {}) if self.folder is not None else {}
        root = (self.folder or "").removesuffix("annotations").rstrip("/")
        self.root = f"{root}/" if root else ""

    def of(self, kind: str) -> list[str]:
        """Files of a kind."""
        return self.kinds.get(kind, [])


def detect(probe: Probe) -> Confidence:
    """Tables with the names of the data set, or a list of classes beside a list of images."""
    files = Files(probe.files)
    for kind in ("boxes", "labels", "masks", "lists"):
        for name in files.of(kind):
            if b"ImageID" in probe.head(name).split(b"\n")[0]:
                return Confidence(85, f"{name} is a table of images")
    raise NotThisFormat("no <subset>-annotations-*.csv or list of images with a column ImageID")


class Rows:
    """Rows of the tables of one kind, by image."""

    def __init__(self, source: Source, columns: tuple[str, ...], kind: str) -> None:
        self.source, self.columns, self.pattern = source, columns, _KINDS[kind]
        self.by_image: dict[str, list[tuple[int, int]]] = {}
        self.subsets: dict[str, str] = {}
        self.names: list[str] = []
        self._rows: list[list[Any]] = []
        self._order: list[list[int]] = []
        self.headers: list[list[str]] = []

    def add(self, name: str) -> None:
        """Take in a table.

        Raises:
            FormatError: it is not UTF-8, a column is missing, or a quote is not closed.
        """
        source, at = self.source, len(self.names)
        match = self.pattern.fullmatch(name.rpartition("/")[2])
        subset = match.group(1) if match else "default"
        data = source.read(name)
        if b'"' in data:
            rows: list[Any] = []
            header: list[str] = []
            for line in table(source, name, ("ImageID", "LabelName")):
                header = header or line.fields
                rows.append(line if rows else None)
                if rows[-1] is not None:
                    self._note(line.fields[header.index("ImageID")], subset, at, len(rows) - 1)
        else:
            rows = data.removeprefix(b"\xef\xbb\xbf").split(b"\n")
            header = [cell.strip() for cell in rows[0].decode("utf-8", "replace").split(",")]
            self._check(header, source.display(name))
            column = header.index("ImageID")
            for number in range(1, len(rows)):
                parts = rows[number].split(b",", column + 1)
                if len(parts) > column and rows[number].strip():
                    self._note(parts[column].rstrip(b"\r").decode("utf-8", "replace"), subset, at, number)
                elif rows[number].strip():
                    fault = FormatError("the image is missing", file=source.display(name), record=f"line {number + 1}")
                    source.problem(fault)
        self._check(header, source.display(name))
        self.names.append(name)
        self._rows.append(rows)
        self.headers.append(header)

    def _check(self, header: list[str], file: str) -> None:
        needed = MASKS[:4] if self.columns is MASKS else ("ImageID", "LabelName")
        needed = (*needed, *(BOXES[4:8] if self.columns is BOXES else ()))
        missing = [column for column in needed if column not in header]
        if missing:
            raise FormatError(f"column {', '.join(missing)} is missing, got {shorten(header)}", file=file)

    def _note(self, image: str, subset: str, table: int, row: int) -> None:
        self.by_image.setdefault(image, []).append((table, row))
        self.subsets.setdefault(image, subset)

    def of(self, image: str) -> list[tuple[Line, dict[str, str]]]:
        """Rows of an image, each with its cells by column; cells that are empty are left out."""
        out = []
        for at, number in self.by_image.get(image, ()):
            raw, header, file = self._rows[at][number], self.headers[at], self.source.display(self.names[at])
            if isinstance(raw, Line):
                line = raw
            else:
                try:
                    text = raw.decode("utf-8").rstrip("\r")
                except UnicodeDecodeError as error:
                    fault = FormatError(f"not UTF-8 (byte {error.start})", file=file, record=f"line {number + 1}")
                    self.source.problem(fault)
                    continue
                line = Line(text, text.split(","), number + 1, file)
            if len(line.fields) > len(header) or len(line.fields) < len(header) - 1:
                self.source.problem(line.fault(f"expected {len(header)} fields, got {len(line.fields)}"))
                continue
            out.append((line, {key: cell for key, cell in zip(header, line.fields, strict=False) if cell}))
        return out


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


def mask_name(image: str, label: str, key: str) -> str:
    """Name of the file of a mask: one part of a path, as long as a file system takes."""
    name = clean_name(f"{image}_{label}_{key}".replace("/", "_")).replace("/", "_")
    return (name if len(name.encode("utf-8", "replace")) <= 200 else f"{name[:40]}_{key[:20]}") + ".png"


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
