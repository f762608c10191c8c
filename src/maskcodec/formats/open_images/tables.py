"""Tables of Open Images: which files there are, and their rows by image, decoded when the image is read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.lines import Line, table
from maskcodec.formats._shared.naming import clean_name
from maskcodec.formats._shared.source import Source

__all__ = ["BOXES", "IMAGES", "LABELS", "MASKS", "NAMESPACE", "Files", "Rows", "detect",
           "mask_name"]  # fmt: skip

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


def mask_name(image: str, label: str, key: str) -> str:
    """Name of the file of a mask: one part of a path, as long as a file system takes."""
    name = clean_name(f"{image}_{label}_{key}".replace("/", "_")).replace("/", "_")
    return (name if len(name.encode("utf-8", "replace")) <= 200 else f"{name[:40]}_{key[:20]}") + ".png"
