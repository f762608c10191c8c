"""What both YOLO families share: lists of images, side lists of sizes, coordinates without a known size."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.carry_whole import clone
from maskcodec.formats._shared.lines import lines, quoted_fields
from maskcodec.formats._shared.naming import Images, stem
from maskcodec.formats._shared.source import Source, safe_name
from maskcodec.model.annotations import Annotation, Polygon, Tag
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["META", "NAMESPACE", "Sizes", "check_name", "label_file", "need_size", "one_ring", "path_below", "read_list",
           "size_rows", "unique_rows"]  # fmt: skip

NAMESPACE = "yolo"
META = "images.meta"


def path_below(name: str, *bases: str, exists: Callable[[str], bool]) -> str:
    """A path of a list below the root: as it is, below each base, or without a leading ``data/``.

    Raises:
        ValueError: it leads outside.
    """
    path = safe_name(name)
    for candidate in (path, *(f"{base}{path}" for base in bases), path.removeprefix("data/")):
        if exists(candidate):
            return candidate
    return path.removeprefix("data/")


def read_list(source: Source, name: str, base: str, exists: Callable[[str], bool]) -> list[tuple[str, str]]:
    """Image paths of a list: as written, and below the root.

    Raises:
        FormatError: a path that leads outside; a lenient reader leaves the line out.
    """
    out = []
    for line in lines(source, name):
        try:
            out.append((line.text, path_below(line.text, base, exists=exists)))
        except ValueError as error:
            source.problem(line.fault(f"path {shorten(line.text)} is not inside the data set: {error}"))
    return out


class Sizes:
    """Sizes of images: by the image, by ``images.meta``, by what the caller says.

    Args:
        source: where images and the list are.
        given: (width, height) of all images.
    """

    def __init__(self, source: Source, given: tuple[int, int] | None, root: str = "") -> None:
        self.source, self.given, self.images = source, given, Images(source)
        self.listed: dict[str, tuple[int, int]] = {}
        if source.has(f"{root}{META}"):
            for line in lines(source, f"{root}{META}"):
                try:
                    fields = quoted_fields(line)
                    if len(fields) != 3 or not all(field.isdigit() for field in fields[1:]):
                        raise line.fault(f"expected an id, height and width, got {shorten(line.text)}")
                    self.listed[fields[0]] = int(fields[2]), int(fields[1])
                except FormatError as error:
                    source.problem(error)

    def of(self, item: Item, file: str | None) -> None:
        """Set the size of an item."""
        key = f"{item.subset}/{item.id}"
        item.width, item.height = self.images.size(file, displayed=True)  # as trainers of this family see it
        if item.width is None:
            listed = self.listed.get(key) or self.listed.get(str(item.id))
            item.width, item.height = listed or self.given or (None, None)

    def fractions(self, item: Item, count: int) -> None:
        """Tell that coordinates could not be turned into pixels."""
        if item.width is None and count:
            text = "the size of the image is unknown: coordinates stay fractions of it"
            self.source.report.default(item, None, "width", text, count=count)


def size_rows(items: Iterable[tuple[str, int, int]]) -> bytes:
    """``images.meta``: id, height, width."""
    rows = ((key.replace('"', '""'), height, width) for key, width, height in items)
    return "".join(f'"{key}" {height} {width}\n' for key, height, width in rows).encode("utf-8")


def need_size(item: Item, source: Item, report: LossReport) -> None:
    """Leave out what cannot be written of an image whose size is unknown, unless it was read so."""
    if item.width and item.height:
        return
    kept = []
    for annotation in item.annotations:
        if isinstance(annotation, Tag) or annotation.extras.get(NAMESPACE, {}).get("fractions"):
            kept.append(annotation)
        else:
            report.drop(source, annotation, "", "the size of the image is unknown, coordinates are fractions of it")
    item.annotations = kept


def one_ring(item: Item, source: Item, report: LossReport) -> None:
    """One polygon for each ring, and nothing without a known size."""
    need_size(item, source, report)
    out: list[Annotation] = []
    for annotation in item.annotations:
        if isinstance(annotation, Polygon) and len(annotation.rings) != 1:
            report.approximate(source, annotation, "", "a row has one ring: parts are objects of their own")
            for ring in annotation.rings:
                one = clone(annotation)
                one.rings, one.holes = [ring], ()
                out.append(one)
        elif isinstance(annotation, Polygon) and len(annotation.rings[0]) < 3:
            report.drop(source, annotation, "", "a polygon has at least three points")
        else:
            out.append(annotation)
    item.annotations = out


def unique_rows(source: Source, item: Item, rows: list[str], file: str) -> None:
    """Tell of rows that stand twice in a file; they are kept."""
    twice = len(rows) - len(set(rows))
    if twice:
        source.report.default(item, None, "annotations", "rows that stand twice in a file are kept", count=twice)


def check_name(name: str, file: str) -> str:
    """A name that can stand on a line of its own.

    Raises:
        ValueError: it cannot.
    """
    if not name or name != name.strip() or re.search(r"[\r\n]", name):
        raise ValueError(f"label {shorten(name)} cannot be written in {file}")
    return name


def label_file(path: str) -> str:
    """Label file of an image by its path: beside it."""
    return f"{stem(path)}.txt"
