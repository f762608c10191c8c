"""Reading VGGFace2."""

from __future__ import annotations

import csv
import io
import math
import re
from array import array
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.labels import read_meta, read_names
from maskcodec.formats._shared.lines import Line, table
from maskcodec.formats._shared.naming import IMAGES, Images, stem
from maskcodec.formats._shared.source import Source
from maskcodec.model.annotations import Annotation, Box, Points, Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["BOX", "MARKS", "NO_LABEL", "detect", "label_of", "merged", "parents", "read"]

NO_LABEL = "no_label"
BOX = ("NAME_ID", "X", "Y", "W", "H")
MARKS = ("NAME_ID", *(f"P{k}{axis}" for k in range(1, 6) for axis in "XY"))
_FILE = re.compile(r"(.*?)((?:bb_landmark/)?)loose_(bb|landmark)_([^/]+)\.csv")


def _files(names: list[str]) -> list[tuple[str, str, str, str]]:
    """Root, kind, subset and name of every list."""
    found = ((match, name) for name in names if (match := _FILE.fullmatch(name)))
    return [(match.group(1), match.group(3), match.group(4), name) for match, name in found]


def detect(probe: Probe) -> Confidence:
    """``loose_bb_*.csv`` or ``loose_landmark_*.csv``."""
    found = _files(probe.files)
    if not found:
        raise NotThisFormat("no bb_landmark/loose_bb_*.csv or loose_landmark_*.csv")
    return Confidence(80, f"{found[0][3]} is a list of VGGFace2")


def label_of(name: str) -> str | None:
    """The identity that the folder of an image names."""
    first, slash, _ = name.partition("/")
    return first if slash and first != NO_LABEL else None


class _Lists:
    """Both lists of one subset; numbers in arrays, as there may be millions of rows."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.rows: dict[str, dict[str, int]] = {"bb": {}, "landmark": {}}
        self.values = {"bb": array("d"), "landmark": array("d")}
        self.lines = {"bb": array("q"), "landmark": array("q")}
        self.empty: set[str] = set()

    def add(self, kind: str, name: str) -> None:
        """Take in a file."""
        columns = BOX if kind == "bb" else MARKS
        rows, values, numbers = self.rows[kind], self.values[kind], self.lines[kind]
        for line in _records(self.source, name, columns):
            key = line.fields[0].replace("\\", "/")
            if key.lower().endswith(IMAGES):
                text = "the name has the ending of an image, which is no part of it"
                self.source.report.approximate(key, None, "id", text, what="item")
                key = stem(key)
            try:
                found = self._numbers(line, columns)
                if not key:
                    raise line.fault("the name is empty", "NAME_ID")
            except FormatError as error:
                self.source.problem(error)
                continue
            known = rows.get(key, -1)
            if known < 0:
                rows[key] = len(numbers)
            elif found is None or math.isnan(values[known * len(found)]):
                if found is not None:
                    values[known * len(found) : (known + 1) * len(found)] = array("d", found)
                    numbers[known] = line.number
                    continue
            else:
                text = f"{shorten(key)} is there already, in line {numbers[known]}"
                self.source.problem(line.fault(text, "NAME_ID"))
                continue
            if found is None and kind == "landmark" and not any(text.strip() for text in line.fields[1:11]):
                self.empty.add(key)
            if known < 0:
                values.extend(found if found is not None else [math.nan] * (len(columns) - 1))
                numbers.append(line.number)

    def _numbers(self, line: Line, columns: tuple[str, ...]) -> list[float] | None:
        """The numbers of a row; None where all cells are empty, or the annotation has to be left out."""
        given = [bool(text.strip()) for text in line.fields[1 : len(columns)]]
        if not any(given):
            return None
        if not all(given):
            missing = columns[1:][given.index(False)]
            self.source.problem(line.fault("some cells are empty, others not", missing), what="annotation")
            return None
        line.fields = [text.strip() for text in line.fields]
        found = line.reals(1, columns[1:])
        if len(columns) == len(BOX) and min(found[2:]) < 0:
            field = "W" if found[2] < 0 else "H"
            self.source.problem(line.fault(f"expected a size of 0 or more, got {min(found[2:])}", field), what="box")
            return None
        return found

    def get(self, kind: str, name: str, count: int) -> array[float] | None:
        """The numbers of an image."""
        at = self.rows[kind].get(name, -1) * count
        found = self.values[kind][at : at + count] if at >= 0 else None
        return None if not found or math.isnan(found[0]) else found

    def names(self) -> list[str]:
        """Images in order."""
        return merged(self.rows["bb"], self.rows["landmark"])


def merged(first: Iterable[str], second: Iterable[str]) -> list[str]:
    """Names of both lists in the order of the one that has all of them; sorted, where neither has."""
    one, two = dict.fromkeys(first), dict.fromkeys(second)
    for own, other in ((one, two), (two, one)):
        if other.keys() <= own.keys():
            return list(own)
    return sorted(one | two)


def _records(source: Source, name: str, columns: tuple[str, ...]) -> Iterator[Line]:
    """The rows of a file; a lenient reader takes other names of columns, or none, if there are as many as expected."""
    head = source.read(name, 1 << 16).decode("utf-8-sig", "replace").partition("\n")[0]
    header = [cell.strip() for cell in next(csv.reader(io.StringIO(head)), [])]
    wanted: tuple[str, ...] = columns
    bare = False
    if header and not set(columns) <= set(header) and len(header) == len(columns) == len(set(header)):
        text = f"expected the columns {', '.join(columns)}, got {shorten(header)}"
        source.problem(FormatError(text, file=source.display(name), record="line 1"), what="header")
        wanted = tuple(header)
        bare = any(re.fullmatch(r"[-+0-9.eE]+", cell) for cell in header[1:])
    rows = table(source, name, wanted)
    first = next(rows, None)
    if first is not None and bare:
        yield first
    yield from rows


def parents(rows: list[str], labels: Iterable[str], exact: bool) -> list[tuple[str, str | None]]:
    """Labels with their class names out of the lines of ``labels.txt``.

    Args:
        rows: the lines.
        labels: that are known; of a line the longest beginning counts that is one of them, else its first word.
        exact: each line begins with the label at its place.
    """
    known = list(labels)
    names = set(known)
    out = []
    for at, row in enumerate(rows):
        ends = [found.start() for found in re.finditer(r"\s", row)] + [len(row)]
        fits = [row[:end] for end in ends if row[:end] in names]
        name = known[at] if exact else fits[-1] if fits else row.split()[0]
        out.append((name, row[len(name) :].strip() or None))
    return out


def _table(source: Source, root: str, used: dict[str, None], folders: set[str]) -> list[Category]:
    labels, rows = list[tuple[str, str | None]](), list[str]()
    if source.has(f"{root}labels.txt"):
        rows = read_names(source, f"{root}labels.txt")
    if source.has(f"{root}dataset_meta.json"):
        names: list[str] = read_meta(source, f"{root}dataset_meta.json")["labels"]
        exact = len(rows) == len(names)
        exact = exact and all(f"{row} ".startswith(f"{name} ") for row, name in zip(rows, names, strict=True))
        labels = parents(rows, names, True) if exact else [(name, None) for name in names]
    elif rows:
        labels = parents(rows, {*used, *folders}, False)
    else:
        labels = [(name, None) for name in sorted(folders)]
    found: dict[str, str | None] = {}
    for name, parent in labels:
        if name in found:
            text = f"label {shorten(name)} is there already"
            source.problem(FormatError(text, file=source.display(f"{root}labels.txt")), what="category")
        found.setdefault(name, parent)
    for name in used:
        if name not in found:
            if found and labels:
                source.report.default(name, None, "", "a label that is not in the table of labels", what="category")
            found[name] = None
    return [Category(at, name, parent=parent) for at, (name, parent) in enumerate(found.items())]


def read(source: Source) -> Dataset:
    """Read boxes and landmarks of faces.

    Args:
        source: folder or zip with ``bb_landmark``, or one CSV file.
    """
    files = _files(source.files)
    roots = sorted({root for root, _, _, _ in files})
    if len(roots) != 1:
        text = f"several data sets ({', '.join(roots[:4])}), name the folder of one" if roots else "no loose_*.csv"
        raise FormatError(text, file=source.path)
    root = roots[0]
    lists: dict[str, _Lists] = {}
    for _, kind, subset, name in sorted(files, key=lambda file: (file[2], file[1])):
        lists.setdefault(subset, _Lists(source)).add(kind, name)
    index = [(subset, name) for subset, own in lists.items() for name in own.names()]
    used = dict.fromkeys(label for _, name in index if (label := label_of(name)) is not None)
    folders = _folders(source, root, lists)
    schema = LabelSchema(_table(source, root, used, folders))
    ids: dict[str | None, Any] = {category.name: category.id for category in schema.categories}
    images = Images(source)

    def load(entry: tuple[str, str]) -> Item:
        subset, name = entry
        own, key = lists[subset], ids.get(label_of(name))
        item = Item(name, subset=subset)
        file = images.find(f"{root}{subset}/{name}")
        if file is not None:
            item.path = file[len(f"{root}{subset}/") :]
            item.width, item.height = images.size(file)
        found: list[Annotation] = []
        box, marks = own.get("bb", name, 4), own.get("landmark", name, 10)
        if box is not None:
            found.append(Box(box[0], box[1], box[0] + box[2], box[1] + box[3], category_id=key))
        if marks is not None:
            found.append(Points(np.array(marks).reshape(5, 2), category_id=key))
        elif name in own.empty and key is not None:
            found.append(Tag(category_id=key))
        item.annotations = found
        return item

    return Dataset(schema, LazyItems(index, load))


def _folders(source: Source, root: str, lists: dict[str, _Lists]) -> set[str]:
    """Identities that have a folder of images; images that no list has are entered in the report."""
    out = set[str]()
    for name in source.files:
        subset, slash, rest = name[len(root) :].partition("/") if name.startswith(root) else ("", "", "")
        if slash and subset in lists and rest.lower().endswith(IMAGES):
            label = label_of(rest)
            out |= {label} if label is not None else set()
            if not any(stem(rest) in rows for rows in lists[subset].rows.values()):
                source.report.unread(name, None, "", "an image that is in no list", what="file")
    return out
