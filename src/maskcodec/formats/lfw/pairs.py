"""The grammar of ``pairs.txt``: a header, then folds of matched pairs and of mismatched ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.lines import Line, lines
from maskcodec.formats._shared.source import Source

__all__ = ["NAMESPACE", "NOBODY", "PAIRS", "Pairs", "field_of", "folds", "key_of", "person_of", "read_pairs"]

NAMESPACE = "lfw"
NOBODY = "-"
PAIRS = ("positive_pairs", "negative_pairs")
_NUMBER = re.compile("[0-9]{1,9}")


@dataclass(slots=True)
class Pairs:
    """A list of pairs.

    Attributes:
        header: its one or two numbers; () when there is none.
        keys: images in the order of their first line.
        rows: first and second image of each pair, and whether they are matched.
    """

    header: tuple[int, ...] = ()
    keys: dict[str, None] = field(default_factory=dict)
    rows: list[tuple[str, str, bool]] = field(default_factory=list)


def key_of(person: str, image: str) -> str:
    """The image of a person: by its number, or by its name."""
    if _NUMBER.fullmatch(image):
        image = f"{person}_{int(image):04d}"
    if person == NOBODY:
        return f"{NOBODY}/{image}" if "/" in image else image
    return f"{person}/{image}"


def person_of(key: str) -> str | None:
    """The person whose folder an image lies in."""
    person, slash, _ = key.partition("/")
    return person if slash and person != NOBODY else None


def field_of(key: str) -> tuple[str, str] | None:
    """Person and image of a line; None for a name that no line can hold."""
    person = person_of(key)
    image = key if person is None and "/" not in key else key.partition("/")[2]
    found = re.fullmatch(re.escape(person or "") + "_([0-9]{4,9})", image)
    if person is not None and found is not None and int(found.group(1)) > 0:
        number = str(int(found.group(1)))
        return (person, number) if key_of(person, number) == key else (person, image)
    return None if _NUMBER.fullmatch(image) else (person or NOBODY, image)


def folds(header: tuple[int, ...], matched: Sequence[bool]) -> list[int]:
    """The fold of each pair, from 1: by the header where it fits, else a fold begins where matched pairs do again."""
    size = header[-1] * 2 if header else 0
    if size and (header[0] if len(header) > 1 else 1) * size == len(matched):
        return [at // size + 1 for at in range(len(matched))]
    out, fold, last = [], 1, True
    for one in matched:
        fold += one and not last
        last = one
        out.append(fold)
    return out


def read_pairs(source: Source, name: str) -> Pairs:
    """Read a list of pairs."""
    pairs, first, seen = Pairs(), True, set[tuple[str, str, bool]]()
    for line in lines(source, name, separator="\t"):
        while line.fields and not line.fields[-1]:
            line.fields.pop()
        if first and len(line) <= 2 and all(_NUMBER.fullmatch(text) for text in line.fields):
            pairs.header = tuple(map(int, line.fields))
            first = False
            continue
        first = False
        try:
            row = _row(source, line)
        except FormatError as error:
            source.problem(error)
            continue
        pairs.keys |= dict.fromkeys(key for key in row[:2] if key)
        if row[1]:
            if row in seen:
                text = "a pair that is listed twice is kept"
                source.report.default(f"{row[0]}, {row[1]}", None, "", text, what="link")
            seen.add(row)
            pairs.rows.append(row)
    announced = (pairs.header[0] if len(pairs.header) > 1 else 1) * 2 * pairs.header[-1] if pairs.header else 0
    if pairs.header and announced != len(pairs.rows):
        text = "the header announces another number of pairs"
        source.report.default(source.display(name), None, "header", text, what="file")
    return pairs


def _row(source: Source, line: Line) -> tuple[str, str, bool]:
    fields = line.fields
    words = line.text.split()
    if len(fields) == 1 and len(words) in (3, 4) and _NUMBER.fullmatch(words[1]):
        source.problem(line.fault(f"expected tab characters between fields, got {shorten(line.text)}"))
        fields = words
    if len(fields) == 1:
        return fields[0], "", False
    if len(fields) not in (3, 4) or not all(fields):
        raise line.fault(f"expected 1, 3 or 4 fields, got {len(fields)} in {shorten(line.text)}")
    places = (1, 2) if len(fields) == 3 else (1, 3)
    for at in places:
        if re.fullmatch("[-+]?[0-9]+", fields[at]) and not (_NUMBER.fullmatch(fields[at]) and int(fields[at])):
            source.problem(line.fault(f"images are counted from 1, got {fields[at]}", "image"))
    second = fields[0] if len(fields) == 3 else fields[2]
    return key_of(fields[0], fields[1]), key_of(second, fields[-1]), len(fields) == 3
