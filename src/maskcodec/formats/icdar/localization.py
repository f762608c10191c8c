"""Text localization: a file an image, a word a line, in one of four forms."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.lines import NUMBER, Line, lines
from maskcodec.formats._shared.naming import IMAGES, Images, stem
from maskcodec.formats._shared.source import Source
from maskcodec.formats.icdar.texts import LABEL, NAMESPACE, unquoted
from maskcodec.model.annotations import Annotation, Box, Polygon
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["detect", "read"]

SCRIPTS = {"Arabic", "Bangla", "Chinese", "Hindi", "Japanese", "Korean", "Latin", "Symbols", "Mixed", "None"}
FORMS = ("auto", "2013", "2015", "mlt", "cvat")
IGNORED = "###"
_FILE = re.compile(r"(.*?)(?:^|(?<=/))gt_([^/]+)\.txt", re.IGNORECASE)
_FOLDER = re.compile(r"(.*?)(?:^|(?<=/))gt/(.+)\.txt", re.IGNORECASE)


class _Row(NamedTuple):
    """A line: its leading numbers, as text, and whether commas part them."""

    line: Line
    numbers: list[str]
    commas: bool

    def rest(self, count: int) -> str | None:
        """What stands behind so many fields; None when nothing does, not even a comma."""
        parts = self.line.text.split(",", count) if self.commas else self.line.text.split(None, count)
        return parts[count] if len(parts) > count else None


def _parse(line: Line) -> _Row:
    head = re.match(rf"\s*{NUMBER.pattern}\s*(,?)", line.text)
    commas = head is not None and head.group(1) == ","
    numbers = []
    for text in line.text.split(",") if commas else line.text.split():
        if not NUMBER.fullmatch(text.strip()):
            break
        numbers.append(text.strip())
    return _Row(line, numbers, commas)


def _places(files: list[str], named: bool) -> dict[tuple[str, str], str]:
    """(subset, id) -> file."""
    found = [(name, match) for name in files if (match := _FILE.fullmatch(name))]
    if not found and named:
        found = [(name, match) for name in files if (match := _FOLDER.fullmatch(name))]
    wrapped = bool(found) and all(match.group(1).startswith("text_localization/") for _, match in found)
    out: dict[tuple[str, str], str] = {}
    for name, match in found:
        folder = match.group(1)[len("text_localization/") if wrapped else 0 :]
        subset, _, inner = folder.partition("/")
        out.setdefault((subset or "default", inner + match.group(2)), name)
    return out


def detect(probe: Probe) -> Confidence:
    """``gt_*.txt`` with lines that begin with 4, or 8 or more, numbers."""
    found = list(_places(probe.files, False).values())
    for name in found[:32]:
        text = probe.head(name).decode("utf-8-sig", "replace").strip()
        if text:
            count = len(_parse(Line(text.splitlines()[0], [], 1, name)).numbers)
            if count in (4, 6) or count >= 8:
                return Confidence(75, f"{name} has lines of {count} numbers and a text")
            raise NotThisFormat(f"{name} has {count} numbers where a line begins, expected 4 or 8")
    raise NotThisFormat("no gt_*.txt with words" if found else "no gt_*.txt")


def _form(rows: list[_Row], mark: bool) -> str:
    """The form of a file: "2013" with 4 numbers, else "mlt", "cvat" or "2015"."""
    if not any(len(row.numbers) >= 8 or len(row.numbers) == 6 for row in rows):
        return "2013"
    quads = [row for row in rows if len(row.numbers) >= 8]
    scripts = [(row.rest(8) or "").partition(",")[0].strip() for row in quads]
    if quads and all(script in SCRIPTS for script in scripts):
        return "mlt"
    texts = [text for row in rows if (text := (row.rest(len(row.numbers)) or "").strip())]
    if not mark and texts and all(len(text) > 1 and text[0] == text[-1] == '"' for text in texts):
        return "cvat"
    return "2015"


def _number(text: str) -> float:
    return int(text) if re.fullmatch("[-+]?[0-9]{1,15}", text) else float(text)


def _word(source: Source, row: _Row, form: str) -> Annotation:
    """One line.

    Raises:
        FormatError: another number of numbers than the form has.
    """
    line, count = row.line, len(row.numbers)
    free = form == "cvat" and count >= 6 and count % 2 == 0
    if count < 4 or (4 < count < 8 and not free):
        raise line.fault(f"expected 4 or 8 numbers, got {count} in {shorten(line.text)}")
    size = count if free else 8 if count >= 8 else 4
    values = [_number(text) for text in row.numbers[:size]]
    rest = row.rest(size)
    attributes: dict[str, Any] = {}
    if form == "mlt" and size == 8:
        script, comma, text = (rest or "").partition(",")
        attributes["script"] = script.strip()
        rest = text if comma else None
    if rest is not None and (form in ("cvat", "2013") or size == 4):
        rest = rest.strip()
        rest = (unquoted(source, line, rest) if rest[0] == '"' else rest) if rest else None
    if rest is not None:
        attributes["text"] = rest
    if rest == IGNORED:
        attributes["ignore"] = True
    if size > 4:
        return Polygon([np.array(values, np.float64).reshape(-1, 2)], category_id=0, attributes=attributes)
    for low, high, names in ((0, 2, "right < left"), (1, 3, "bottom < top")):
        if values[high] < values[low]:
            source.problem(line.fault(f"{names}: {row.numbers[high]} < {row.numbers[low]}"), what="box")
            values[low], values[high] = values[high], values[low]
    return Box(*values, category_id=0, attributes=attributes)


def read(source: Source, *, form: str = "auto") -> Dataset:
    """Read words and where they are.

    Args:
        source: folder or zip with ``<subset>/gt_<image>.txt``, or with ``gt/<image>.txt``.
        form: "2013" (4 numbers), "2015" (8 numbers, text as it stands), "mlt" (with the script), "cvat" (any polygon,
            text in quotes), or "auto" for what each file shows.
    """
    if form not in FORMS:
        raise ValueError(f"form is one of {', '.join(FORMS)}, got {form!r}")
    places: dict[tuple[str, str], str | None] = dict(_places(source.files, True))
    if not places and not any(name.lower().endswith(IMAGES) for name in source.files) and len(source.files) > 1:
        raise FormatError("no gt_*.txt", file=source.path)
    images = Images(source)
    for name in source.files:
        subset, found, inner = name.rpartition("images/")
        if found and subset.count("/") < 2 and name.lower().endswith(IMAGES):
            key = (subset.rstrip("/").rpartition("/")[2] or "default", stem(inner))
            places.setdefault(key, None)

    def load(entry: tuple[str, str]) -> Item:
        subset, key = entry
        file = places[entry]
        item = Item(key, subset=subset)
        for folder in (f"{subset}/images/", f"{subset}/", f"text_localization/{subset}/images/", "images/", ""):
            picture = images.find(folder + key)
            if picture is not None:
                item.path = picture[len(folder) :]
                item.width, item.height = images.size(picture)
                break
        if file is None:
            return item
        rows = [_parse(line) for line in lines(source, file, strip=False)]
        own = _form(rows, source.read(file, 3) == b"\xef\xbb\xbf") if form == "auto" else form
        for row in rows:
            try:
                item.annotations.append(_word(source, row, own))
            except FormatError as error:
                source.problem(error, item, what="word")
        if own == "2013" and rows and all(row.commas for row in rows):
            own = "comma"
        if own in ("comma", "2015", "mlt") and item.annotations:
            item.extras[NAMESPACE] = {"#form": own}
        return item

    return Dataset(LabelSchema([Category(0, LABEL)] if places else []), LazyItems(sorted(places), load))
