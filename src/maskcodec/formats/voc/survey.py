"""What has to be known of all annotation files before one is read: labels, parts, how pixels are counted."""

from __future__ import annotations

from collections.abc import Iterator

from maskcodec.errors import FormatError
from maskcodec.formats._shared.source import Source
from maskcodec.formats._shared.xmlio import Element
from maskcodec.formats._shared.xmlio import read as read_xml
from maskcodec.formats.voc.xml import SIDES

__all__ = ["Survey"]


def _children(root: Element) -> Iterator[Element]:
    for element in root.all("object"):
        yield element
        yield from element.all("part")


def _values(root: Element) -> Iterator[float]:
    for element in _children(root):
        for side in SIDES:
            text = element.value("bndbox", side)
            try:
                yield float(text or "nan")
            except ValueError:
                continue


class Survey:
    """A look at every annotation file: names of labels, and what tells how coordinates are counted."""

    def __init__(self, source: Source, files: dict[str, str]) -> None:
        self.names: dict[str, None] = {}
        self.parts: dict[str, str] = {}
        self.low = self.marked = self.voc = False
        for name in files.values():
            try:
                root = read_xml(source, name)
            except FormatError as error:
                if error.fatal:
                    raise
                continue  # told when the item is read
            self.low |= any(value < 1 for value in _values(root))
            database = root.value("source", "database") or ""
            self.marked |= database == "Unknown" or any(e.find("attributes") is not None for e in root.all("object"))
            self.voc |= "VOC" in database
            for element in root.all("object"):
                owner = element.value("name") or ""
                self.names.setdefault(owner)
                for part in element.all("part"):
                    self.parts.setdefault(part.value("name") or "", owner)

    def one_based(self, source: Source, coordinates: str, table: bool) -> bool:
        """Whether pixels are counted from 1, by the option or by what was seen."""
        if coordinates not in ("auto", "voc", "continuous"):
            raise ValueError(f'coordinates is "auto", "voc" or "continuous", got {coordinates!r}')
        if coordinates != "auto":
            return coordinates == "voc"
        if self.low or self.marked or table or self.voc:
            return self.voc and not (self.low or self.marked or table)
        if self.names:
            text = "nothing tells how pixels are counted: taken as continuous"
            source.report.default(None, None, "coordinates", text)
        return False
