"""First pass over a CVAT XML file: where images, tracks and their shapes are, and which labels occur."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.xmlio import Document, Element
from maskcodec.formats.cvat_xml.meta import Meta, read_meta

__all__ = ["Index", "flatten"]

_KNOWN = ("version", "meta", "image", "track")
_INTEGER = re.compile(r"\s*[-+]?[0-9]{1,15}\s*")


@dataclass(slots=True)
class Columns:
    """Places of elements in the file: 24 bytes each."""

    start: array[int] = field(default_factory=lambda: array("q"))
    size: array[int] = field(default_factory=lambda: array("q"))
    line: array[int] = field(default_factory=lambda: array("q"))

    def add(self, start: int, size: int, line: int) -> None:
        """Add a place."""
        self.start.append(start)
        self.size.append(size)
        self.line.append(line)


class Index:
    """What the first pass over a file finds.

    Attributes:
        images: places of ``image`` elements; ``numbers`` their ids (-1 for none), ``names`` their (subset, name).
        rows: places of the shapes of tracks; ``frame``, ``track`` (position in ``tracks``) and ``outside`` of each.
            Rows of size -1 - n are element n of ``made``.
        tracks: attributes of each track, and its line.
        carried: row of a skeleton -> label of a point that it leaves out -> the row that had it last.
    """

    def __init__(self, document: Document, problem: Callable[..., None], stem: str) -> None:
        self.document, self.file, self._problem = document, document.file, problem
        self.version: str | None = None
        self.meta = Meta()
        self.stem = stem
        self.images, self.rows = Columns(), Columns()
        self.numbers = array("q")
        self.names: list[tuple[str | None, str | None]] = []
        self.frame, self.track, self.outside = array("q"), array("q"), array("b")
        self.tracks: list[tuple[dict[str, str], int]] = []
        self.made: list[Element] = []
        self.carried: dict[int, dict[str, int]] = {}
        self.tag_labels: dict[str, None] = {}
        self.shape_labels: dict[str, None] = {}
        self.parts: dict[str, dict[str, None]] = {}
        self.unknown: dict[str, None] = {}
        self._top, self._row, self._label = "", "", ""
        self._frame_text: dict[str, str] = {}
        self._nested, self._first = False, 0
        self._state: dict[str, int] = {}
        self._here: list[str] = []
        self._seen = False
        document.scan(self._begin, self._end)

    @property
    def dialect(self) -> str:
        """Name of the format that the file is of."""
        if len(self.images.start) and self.tracks:
            return "cvat_xml"
        if self.tracks or (self.meta.mode == "interpolation" and not len(self.images.start)):
            return "cvat_video"
        return "cvat_images"

    # --- callbacks ----------------------------------------------------------------------------------------------------
    def _begin(self, depth: int, tag: str, attributes: dict[str, str]) -> None:
        if depth == 3:
            if self._row == "skeleton" and tag != "attribute":
                self._here.append(attributes.get("label", ""))
                self._seen = self._seen or attributes.get("outside") != "1"
        elif depth == 2:
            self._row = tag
            if self._top == "image":
                label = attributes.get("label")
                if label:
                    (self.tag_labels if tag == "tag" else self.shape_labels)[label] = None
                    self._label = label
            elif self._top == "track":
                self._nested = self._nested or tag == "track"
                self._frame_text = attributes
            if tag == "skeleton":
                self._here, self._seen = [], False
        elif depth == 1:
            self._top = tag
            if tag == "image":
                number = attributes.get("id", "")
                self.numbers.append(int(number) if _INTEGER.fullmatch(number) else -1)
                self.names.append((attributes.get("subset"), attributes.get("name")))
            elif tag == "track":
                self._first, self._nested, self._state = len(self.frame), False, {}
                self._label = attributes.get("label", "")
                if self._label:
                    self.shape_labels[self._label] = None
                self.tracks.append((attributes, 0))
            elif tag not in _KNOWN:
                self.unknown[tag] = None
        elif depth == 0 and tag != "annotations":
            raise FormatError(f"the root element is {shorten(tag)}, expected annotations", file=self.file)

    def _end(self, depth: int, tag: str, start: int, size: int, line: int) -> None:
        if depth == 2:
            if tag == "skeleton":
                self.parts.setdefault(self._label, {}).update(dict.fromkeys(self._here))
            if self._top == "track" and tag != "track":
                self._add_row(tag, start, size, line)
            self._row = ""
        elif depth == 1:
            if tag == "image":
                self.images.add(start, size, line)
            elif tag == "track":
                self._end_track(start, size, line)
            elif tag == "meta":
                self.meta = read_meta(self.document.parse(start, size, line), self.file)
            elif tag == "version":
                self.version = self.document.parse(start, size, line).text.strip()

    # --- tracks -------------------------------------------------------------------------------------------------------
    def _where(self, line: int) -> str:
        name = self.tracks[-1][0].get("id", str(len(self.tracks) - 1))
        return f"line {line}: track {name}"

    def _add_row(self, tag: str, start: int, size: int, line: int) -> None:
        text = self._frame_text.get("frame")
        if text is None or not _INTEGER.fullmatch(text) or int(text) < 0:
            what = "the required attribute is missing" if text is None else f"expected a frame, got {shorten(text)}"
            self._fault(what, f"{self._where(line)}: {tag}", "frame", tag)
            return
        row = len(self.frame)
        self.rows.add(start, size, line)
        self.frame.append(int(text))
        self.track.append(len(self.tracks) - 1)
        self.outside.append(self._frame_text.get("outside") == "1" or (tag == "skeleton" and not self._seen))
        if tag == "skeleton" and size >= 0:
            missing = {label: last for label, last in self._state.items() if label not in self._here}
            if missing:
                self.carried[row] = missing
            self._state.update(dict.fromkeys(self._here, row))

    def _fault(self, message: str, record: str, field: str, what: str) -> None:
        self._problem(FormatError(message, file=self.file, record=record, field=field), what=what)

    def _end_track(self, start: int, size: int, line: int) -> None:
        self.tracks[-1] = (self.tracks[-1][0], line)
        if self._nested:
            self._cut(self._first)
            for element in flatten(self.document.parse(start, size, line)):
                self._frame_text = element.attributes
                self._seen = any(child.attributes.get("outside") != "1" for child in element.all("points"))
                rows = len(self.frame)
                self._add_row(element.tag, 0, -1 - len(self.made), element.line)
                if len(self.frame) > rows:
                    self.made.append(element)
                    self.parts.setdefault(self._label, {}).update(
                        dict.fromkeys(child.attributes.get("label", "") for child in element.all("points"))
                    )
        frames = self.frame[self._first :]
        if not len(frames):
            self._fault("a track without any shape", self._where(line), "", "track")
        elif len(set(frames)) < len(frames):
            self._drop_repeated()

    def _cut(self, at: int) -> None:
        for row in range(at, len(self.frame)):
            self.carried.pop(row, None)
        for column in (self.rows.start, self.rows.size, self.rows.line, self.frame, self.track, self.outside):
            del column[at:]

    def _drop_repeated(self) -> None:
        seen: set[int] = set()
        for row in range(self._first, len(self.frame)):
            if self.frame[row] in seen:
                text = f"frame {self.frame[row]} twice in one track (duplicate)"
                self._fault(text, self._where(self.rows.line[row]), "frame", "shape")
                self.track[row] = -1
            seen.add(self.frame[row])


def flatten(track: Element) -> list[Element]:
    """A skeleton track with tracks inside, as CVAT 2.2 and 2.3 wrote it: its rows with the points of each frame."""
    rows = {child.attributes.get("frame", ""): child for child in track.children if child.tag != "track"}
    inner = [(part.attributes.get("label", ""), part) for part in track.all("track")]
    for frame in (row.attributes.get("frame", "") for _, part in inner for row in part.children):
        rows.setdefault(frame, Element("skeleton", {"frame": frame, "keyframe": "0"}, track.line))
    out = []
    for frame, row in sorted(rows.items(), key=lambda pair: int(pair[0]) if pair[0].isdigit() else -1):
        made = Element(row.tag, row.attributes, row.line)
        made.children = list(row.all("attribute"))
        for label, part in inner:
            before = [
                r for r in part.children if r.attributes.get("frame", "").isdigit() and frame.isdigit()
                and int(r.attributes["frame"]) <= int(frame)
            ]  # fmt: skip
            if before:
                last = max(before, key=lambda r: int(r.attributes["frame"]))
                attributes = {k: v for k, v in last.attributes.items() if k not in ("frame", "z_order")}
                if last.attributes["frame"] != frame:
                    attributes["keyframe"] = "0"
                if "source" in part.attributes:
                    attributes.setdefault("source", part.attributes["source"])
                point = Element(last.tag, {"label": label, **attributes}, last.line)
                point.children = last.children
                made.children.append(point)
        out.append(made)
    return out
