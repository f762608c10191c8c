"""Reading LFW."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.lines import lines
from maskcodec.formats._shared.naming import Images, stem
from maskcodec.formats._shared.source import Source
from maskcodec.formats.lfw.pairs import NAMESPACE, PAIRS, Pairs, folds, key_of, person_of, read_pairs
from maskcodec.model.annotations import Points, Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems, Link
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["detect", "read"]

_PAIRS = re.compile(r"(.*?)((?:(?:^|(?<=/))annotations/)?)(?:^|(?<=/))pairs(|DevTrain|DevTest)\.txt")


def _files(files: list[str]) -> list[tuple[str, str, str, str]]:
    """Folder of the data set, folder of the lists, suffix and name of every list of pairs."""
    found = ((match, name) for name in files if (match := _PAIRS.fullmatch(name)))
    return [(match.group(1), match.group(1) + match.group(2), match.group(3), name) for match, name in found]


def detect(probe: Probe) -> Confidence:
    """``pairs.txt`` that begins with numbers or with fields between tab characters."""
    found = _files(probe.files)
    if not found:
        raise NotThisFormat("no annotations/pairs.txt")
    name = found[0][3]
    line = next(iter(probe.head(name).decode("utf-8-sig", "replace").strip().splitlines()), "")
    fields = line.split("\t")
    if name.endswith("annotations/pairs.txt") or len(fields) in (3, 4) or re.fullmatch(r"[0-9]+(\s+[0-9]+)?\s*", line):
        return Confidence(75, f"{name} lists pairs of images")
    raise NotThisFormat(f"{name} has neither a header nor fields between tab characters")


class _Part:
    """One subset."""

    def __init__(self, source: Source, root: str, folder: str, suffix: str, name: str) -> None:
        self.root, self.suffix = root, suffix
        self.subset = suffix or root.rstrip("/").rpartition("/")[2] or "default"
        self.pairs = read_pairs(source, name)
        self.counts = _people(source, f"{folder}people{suffix}.txt")
        self.marks = _landmarks(source, f"{folder}landmarks.txt", self.pairs)
        self.keys = dict.fromkeys([*self.pairs.keys, *self.marks])
        self.derived: dict[str, dict[str, list[str]]] = {}
        for first, second, matched in self.pairs.rows:
            self.derived.setdefault(first, {}).setdefault(PAIRS[not matched], []).append(second)


def _people(source: Source, name: str) -> dict[str, int]:
    out: dict[str, int] = {}
    for line in lines(source, name, separator="\t") if source.has(name) else ():
        fields = [text for text in line.fields if text]
        if len(fields) == 1:
            continue  # the number of folds, or of the people of one
        if len(fields) != 2 or not re.fullmatch("[0-9]{1,18}", fields[1]):
            source.problem(line.fault(f"expected a name and a number of images, got {shorten(line.text)}"))
            continue
        out.setdefault(fields[0], int(fields[1]))
    return out


def _landmarks(source: Source, name: str, pairs: Pairs) -> dict[str, npt.NDArray[np.float64]]:
    out: dict[str, npt.NDArray[np.float64]] = {}
    seen: dict[str, int] = {}
    for line in lines(source, name, separator="\t") if source.has(name) else ():
        while line.fields and not line.fields[-1]:
            line.fields.pop()
        key = stem(line.fields[0].replace("\\", "/"))
        if "/" not in key and key not in pairs.keys:
            found = re.fullmatch("(.+)_[0-9]+", key)
            key = key_of(found.group(1), key) if found else key
        try:
            if len(line) < 3 or len(line) % 2 == 0:
                raise line.fault(f"expected pairs of numbers behind the name, got {len(line) - 1} numbers")
            values = line.reals(1, (f"{'xy'[at % 2]}{at // 2 + 1}" for at in range(len(line) - 1)))
            if key in seen:
                raise line.fault(f"{shorten(key)} is there already, in line {seen[key]}")
        except FormatError as error:
            source.problem(error, what="points")
            if key not in seen:
                pairs.keys.setdefault(key)
            continue
        seen[key] = line.number
        out[key] = np.array(values).reshape(-1, 2)
    return out


def read(source: Source) -> Dataset:
    """Read pairs of images of people.

    Args:
        source: folder or zip with ``annotations/pairs.txt``, of one subset or of several, or one list.
    """
    files = _files(source.files)
    if not files:
        raise FormatError("no annotations/pairs.txt", file=source.path)
    parts = [_Part(source, *file) for file in files]
    if len({part.subset for part in parts}) < len(parts):
        names = ", ".join(file[3] for file in files[:4])
        raise FormatError(f"lists of pairs of one subset ({names}), name the folder of one", file=source.path)
    labels: dict[str, dict[str, int]] = {}
    for part in parts:
        for name, count in part.counts.items():
            labels.setdefault(name, {})[part.subset] = count
    for part in parts:
        for key in part.keys:
            person = person_of(key)
            if person is not None:
                labels.setdefault(person, {})
    schema = LabelSchema([Category(at, name) for at, name in enumerate(labels)])
    for category, counts in zip(schema.categories, labels.values(), strict=True):
        if counts:
            category.extras[NAMESPACE] = {"counts": counts}
    ids: dict[Any, int] = {name: at for at, name in enumerate(labels)}
    images = Images(source)

    def load(entry: tuple[_Part, str]) -> Item:
        part, key = entry
        item = Item(key, subset=part.subset)
        number = ids.get(person_of(key))
        for folder in (f"{part.root}images/", "images/", f"{part.root}lfw/", "lfw/", part.root):
            file = images.find(folder + key)
            if file is not None:
                item.path = file[len(folder) :]
                item.width, item.height = images.size(file)
                break
        if number is not None:
            derived = {name: list(keys) for name, keys in part.derived.get(key, {}).items()}
            item.annotations.append(Tag(category_id=number, attributes=derived))
        if key in part.marks:
            item.annotations.append(Points(part.marks[key], category_id=number))
        return item

    links, headers = [], {}
    for part in parts:
        numbers = folds(part.pairs.header, [matched for _, _, matched in part.pairs.rows])
        for (first, second, matched), fold in zip(part.pairs.rows, numbers, strict=True):
            own = {"positive": matched, "fold": fold}
            links.append(Link((part.subset, first), (part.subset, second), own))
        if part.pairs.header:
            headers[part.subset] = list(part.pairs.header)
    index = [(part, key) for part in parts for key in part.keys]
    extras = {NAMESPACE: {"headers": headers}} if headers else {}
    return Dataset(schema, LazyItems(index, load), links=links, extras=extras)
