"""Lists of ImageNet: ``<subset>.txt`` with names of images and numbers of labels, ``synsets.txt`` with the labels."""

from __future__ import annotations

import re
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.labels import numbered
from maskcodec.formats._shared.naming import IMAGES, Images, stem
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source, safe_name
from maskcodec.model.annotations import Annotation, Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["ENDINGS", "NAMESPACE", "arrange", "detect", "lists_in", "read", "write"]

NAMESPACE = "imagenet"
SYNSETS = "synsets.txt"
ENDINGS = (*IMAGES, ".jpe", ".jp2", ".pgm", ".pbm")
_OTHER = re.compile(r"(?:synsets|labels|readme.*)\.txt", re.IGNORECASE)
_QUOTED = re.compile(r'"(.*)"(\S*)((?:\s+[-+]?[0-9]+)*)')
_NUMBER = re.compile(r"[-+]?[0-9]{1,18}")


def lists_in(files: list[str]) -> list[str]:
    """Files that can be lists: texts at the top but the table of labels and what only describes."""
    return [name for name in files if "/" not in name and name.lower().endswith(".txt") and not _OTHER.fullmatch(name)]


def detect(probe: Probe) -> Confidence:
    """Lines of image names with numbers at the top; names alone count only beside ``synsets.txt``."""
    table = SYNSETS in probe.files
    for name in lists_in(probe.files):
        text = probe.head(name).decode("utf-8-sig", "replace").strip()
        if not text:
            continue
        line = text.splitlines()[0].strip()
        try:
            image, numbers = _parse(line)
        except ValueError as error:
            raise NotThisFormat(f"{name} is no list of images with numbers: {error}") from error
        if not image.lower().endswith(ENDINGS) or not (numbers or table):
            raise NotThisFormat(f"{name} is no list of images with numbers")
        return Confidence(80 if table else 45, f"{name} lists images with numbers of labels")
    raise NotThisFormat("no list of images with numbers at the top")


def _parse(line: str) -> tuple[str, tuple[int, ...]]:
    """Name and numbers of a line.

    Raises:
        ValueError: says what is wrong.
    """
    name, _, number = line.rpartition(" ")
    if number.isdecimal() and name.isprintable() and name and " " not in name and name[0] != '"' and len(number) < 19:
        return name, (int(number),)  # nearly every line
    if line[0] == '"':
        found = _QUOTED.fullmatch(line)
        if found is None:
            raise ValueError(f"quotes do not match, or a label id is not an integer: {shorten(line)}")
        return found.group(1) + found.group(2), tuple(map(int, found.group(3).split()))
    words = line.split()
    last = len(words)
    while last > 1 and _NUMBER.fullmatch(words[last - 1]):
        last -= 1
    if last > 1:
        if words[last - 1].lower().endswith(ENDINGS):
            raise _Blanks(line[: line.rindex(words[last - 1]) + len(words[last - 1])], tuple(map(int, words[last:])))
        raise ValueError(f"label id {shorten(words[last - 1])} is not an integer")
    return words[0], tuple(map(int, words[1:]))


class _Blanks(ValueError):
    """A name with blanks that is not in quotes."""

    def __init__(self, name: str, numbers: tuple[int, ...]) -> None:
        super().__init__(f"the name {shorten(name)} has blanks and no quotes")
        self.name, self.numbers = name, numbers


def _text(source: Source, name: str) -> list[str]:
    """Lines of a file; bytes that are not UTF-8 are replaced by a lenient reader."""
    data = source.read(name).removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        number = data[: error.start].count(b"\n") + 1
        text = f"not UTF-8 (byte {error.start} of the file)"
        source.problem(FormatError(text, file=source.display(name), record=f"line {number}"))
        return data.decode("utf-8", "replace").split("\n")


def _rows(source: Source, name: str) -> dict[str, tuple[tuple[int, ...], int]]:
    """Numbers of labels and the line, by image: tuples, which cost no garbage collection in their millions."""
    file = source.display(name)
    rows: dict[str, tuple[tuple[int, ...], int]] = {}

    def fault(number: int, message: str) -> None:
        source.problem(FormatError(message, file=file, record=f"line {number}"))

    for number, raw in enumerate(_text(source, name), 1):
        line = raw.strip()
        if not line:
            continue
        try:
            image, numbers = _parse(line)
            if not rows and not numbers and _NUMBER.fullmatch(line):
                text = "numbers without names: the ground truth of the development kit is no list of this format"
                raise FormatError(text, file=file, record=f"line {number}", fatal=True)
            if "\\" in image or ".." in image or image[0] == "/" or ":" in image:
                image = safe_name(image)
        except FormatError:
            raise
        except _Blanks as error:
            fault(number, str(error))
            image, numbers = error.name, error.numbers
        except ValueError as error:
            fault(number, str(error))
            continue
        if image in rows:
            fault(number, f"the name {shorten(image)} is there already, in line {rows[image][1]}")
            rows[image] = rows[image][0] + numbers, rows[image][1]
        else:
            rows[image] = numbers, number
    return rows


def _labels(source: Source, split: bool) -> list[Category] | None:
    """The table of labels; None when there is none."""
    if not source.has(SYNSETS):
        return None
    file, rows = source.display(SYNSETS), [line.strip() for line in _text(source, SYNSETS)]
    while rows and not rows[-1]:
        rows.pop()
    found: dict[str, int] = {}
    out = []
    for at, row in enumerate(rows):
        name, _, more = row.partition(" ") if split else (row, "", "")
        if not name:
            text = "a blank line between labels shifts the numbers of those after it"
            source.problem(FormatError(text, file=file, record=f"line {at + 1}"), what="category")
            name = f"class-{at}"
        if name in found:
            text = f"label {shorten(name)} is there already, in line {found[name]}"
            source.problem(FormatError(text, file=file, record=f"line {at + 1}"), what="category")
            name = next(other for k in range(2, len(rows) + 2) if (other := f"{name}_{k}") not in found)
        found[name] = at + 1
        out.append(Category(at, name, extras={NAMESPACE: {"description": more.strip()}} if more.strip() else {}))
    return out


def read(source: Source, *, split_synsets: bool = False, sizes: bool = False) -> Dataset:
    """Read lists of images with numbers of labels.

    Args:
        source: folder or zip with ``<subset>.txt`` and ``synsets.txt``, or one list.
        split_synsets: a line of ``synsets.txt`` is an id and, behind the first blank, a description.
        sizes: open the images that are there for their sizes.
    """
    names = lists_in(source.files)
    if not names:
        raise FormatError("no list <subset>.txt at the top", file=source.path)
    table = _labels(source, split_synsets)
    held = {name: _rows(source, name) for name in names}
    if table is None:
        count = max((n for rows in held.values() for numbers, _ in rows.values() for n in numbers), default=-1) + 1
        if count > 1_000_000:
            raise FormatError(f"label id {count - 1} without {SYNSETS}", file=source.path)
        table = [Category(at, f"class-{at}") for at in range(count)]
        if table:
            text = f"there is no {SYNSETS}: labels are named by their numbers"
            source.report.default(None, None, "categories", text, what="schema", count=count)
    index: list[tuple[str, str, str, tuple[int, ...]]] = []
    for file, rows in held.items():
        subset, ids = stem(file), set[str]()
        for name, (numbers, line) in rows.items():
            key = stem(name)
            if key in ids:
                text = "another image of the list has this name with another ending"
                source.report.default(f"{subset}/{name}", None, "id", text, what="item")
                key = name
            ids.add(key)
            for number in numbers:
                if not 0 <= number < len(table):
                    text = f"label id {number} of {shorten(name)} is not in the table of {len(table)} labels"
                    source.problem(FormatError(text, file=source.display(file), record=f"line {line}"), what="tag")
            if len(numbers) > 1:
                numbers = tuple(sorted({number for number in numbers if 0 <= number < len(table)}))
            index.append((subset, key, name, numbers))
    images, count = Images(source), len(table)

    def load(entry: tuple[str, str, str, tuple[int, ...]]) -> Item:
        subset, key, name, numbers = entry
        item = Item(key, name, subset=subset)
        item.annotations = [Tag(category_id=number) for number in numbers if 0 <= number < count]
        if sizes:
            item.width, item.height = images.size(next((p for p in (f"images/{name}", name) if source.has(p)), None))
        return item

    return Dataset(LabelSchema(table), LazyItems(index, load))


def arrange(item: Item, source: Item, report: LossReport) -> None:
    """A label once an image; names of subsets that can be those of lists."""
    if _OTHER.fullmatch(f"{item.subset}.txt"):
        report.rename(source, None, "subset", "a file of this name is no list")
        item.subset += "_"
    kept: dict[Any, Annotation] = {}
    for tag in item.annotations:
        if kept.setdefault(tag.category_id, tag) is not tag:
            report.drop(source, tag, "", "the image has this tag already")
    item.annotations = list(kept.values())


def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    """Write a list for each subset and ``synsets.txt``.

    Args:
        dataset: tags.
        sink: the output.
        report: hears of special losses.

    Raises:
        ValueError: a label whose name cannot stand on a line of its own, or two of one name.
    """
    numbers = numbered(dataset.schema, report)
    names = set[str]()
    for name in (category.name for category in dataset.schema.categories):
        if not name or name != name.strip() or re.search(r"[\r\n]", name) or name in names:
            raise ValueError(f"label {shorten(name)} cannot be written in {SYNSETS} (line end, blanks, or twice)")
        names.add(name)
    lists: dict[str, list[str]] = {}
    for item in dataset.items:
        used = [numbers[tag.category_id] for tag in item.annotations]
        if used != sorted(used):
            report.approximate(item, item.annotations[0], "", "tags stand in the order of the labels")
        lists.setdefault(item.subset, []).append(" ".join([_name(item), *map(str, sorted(used))]))
    for subset, rows in (lists or {"default": []}).items():
        sink.write(f"{subset}.txt", "".join(f"{row}\n" for row in rows).encode("utf-8"))
    words = [(c.name, c.extras.get(NAMESPACE, {}).get("description")) for c in dataset.schema.categories]
    lines = (f"{name} {more}\n" if more else f"{name}\n" for name, more in words)
    sink.write(SYNSETS, "".join(lines).encode("utf-8"))


def _name(item: Item) -> str:
    path = item.path or f"{item.id}.jpg"
    if not re.search(r"\s", path) and path[0] != '"' and not _NUMBER.fullmatch(path):
        return path
    bare = path if re.search(r"\s", path[len(stem(path)) :]) else stem(path)
    return f'"{bare}"{path[len(bare) :]}'
