"""Writing LFW."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from maskcodec.formats._shared.lines import decimal
from maskcodec.formats._shared.naming import ending
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.lfw.pairs import NAMESPACE, NOBODY, PAIRS, field_of, folds, person_of
from maskcodec.model.annotations import Annotation, Points, Tag
from maskcodec.model.dataset import Dataset, Item, Link
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["Naming", "admits", "admits_link", "write"]


def admits(annotation: Annotation, schema: LabelSchema) -> str:
    """What speaks against an annotation."""
    if annotation.category_id is not None and annotation.category_id in schema:
        name = schema.by_id(annotation.category_id).name
        if re.search(r"[/\\\x00-\x1f]", name) or name != name.strip() or name in ("", ".", "..", NOBODY):
            return "the label cannot be the name of a person"
    if isinstance(annotation, Points) and not len(annotation.xy):
        return "no points"
    return ""


def admits_link(link: Link) -> bool:
    """Whether a link is one between images of a subset."""
    ends = (link.source, link.target)
    return all(isinstance(end, tuple) and len(end) == 2 for end in ends) and link.source[0] == link.target[0]


class Naming:
    """One tag and one set of points an image, both of the person whose folder it lies in."""

    def __init__(self) -> None:
        self.taken: set[tuple[str, str]] = set()

    def __call__(self, item: Item, source: Item, report: LossReport, schema: LabelSchema) -> None:
        """Set id, tag and points of an item to what a reader will find."""
        found: dict[str, Annotation] = {}
        for kind in ("tag", "points"):
            for annotation in (a for a in item.annotations if a.kind == kind):
                if kind in found:
                    report.drop(source, annotation, "", "an image has one set of points and one person")
                elif any(other.category_id != annotation.category_id for other in found.values()):
                    report.drop(source, annotation, "", "it has another label than its image")
                else:
                    found[kind] = annotation
        points = found.get("points")
        if isinstance(points, Points) and points.visibility is not None:
            if any(value != 2 for value in points.visibility):
                report.drop(source, points, "visibility", "the format has no place for it")
            points.visibility = None
        key = next((a.category_id for a in found.values()), None)
        label = schema.by_id(key).name if key is not None and key in schema else None
        if label is not None and "tag" not in found:
            report.default(source, "tag", "", "the folder of an image names its person")
            found = {"tag": Tag(category_id=key), **found}
        item.annotations = list(found.values())
        given = name = str(item.id)
        if label is None and person_of(name) is not None:
            name = f"{NOBODY}/{name}"
        elif label is not None and person_of(name) != label:
            name = f"{label}/{name.removeprefix(f'{NOBODY}/')}"
        if label is None and "/" not in name and "points" in found and re.fullmatch(".+_[0-9]+", name):
            name = f"{NOBODY}/{name}"
        base, count = name.strip(), 1
        name = base
        while (item.subset, name.casefold()) in self.taken:
            count += 1
            name = f"{base}_{count}"
        self.taken.add((item.subset, name.casefold()))
        if name != given:
            report.rename(source, None, "id", "an image lies in the folder of its person")
            if item.path is not None:
                item.path = name + item.path[len(given) :]
            item.id = name


def _listed(value: Any) -> list[str]:
    """Names of images out of a list, or of a text that holds one."""
    if isinstance(value, list):
        return [str(one) for one in value]
    try:
        found = json.loads(str(value))
    except ValueError:
        found = None
    if isinstance(found, list):
        return [str(one) for one in found]
    words = re.split(r"[;,\r\n]", str(value).strip().removeprefix("[").removesuffix("]"))
    return [word.strip().strip("'\"") for word in words if word.strip().strip("'\"")]


class _Part:
    """What is written of one subset."""

    def __init__(self) -> None:
        self.keys: dict[str, Item] = {}
        self.rows: list[tuple[str, str, bool, int]] = []
        self.tagged: dict[str, dict[str, list[str]]] = {}

    def row(self, first: str, second: str, matched: bool, fold: int, report: LossReport) -> None:
        """Take in a pair."""
        names = field_of(first), field_of(second)
        if first not in self.keys or second not in self.keys:
            report.drop(None, f"{first}, {second}", "", "an image of the pair is not there", what="link")
        elif None in names or (matched and names[0][0] != names[1][0]):  # type: ignore[index]
            report.drop(None, f"{first}, {second}", "", "a line cannot hold such a pair", what="link")
        else:
            self.rows.append((first, second, matched, fold))

    def text(self, header: tuple[int, ...]) -> str:
        """``pairs.txt``; images without pairs stand at its end."""
        out = ["\t".join(map(str, header))] if header else []
        paired = set[str]()
        for first, second, matched, _ in self.rows:
            (a, b), (c, d) = field_of(first) or ("", ""), field_of(second) or ("", "")
            out.append("\t".join((a, b, d) if matched else (a, b, c, d)))
            paired |= {first, second}
        return "".join(f"{row}\n" for row in [*out, *(key for key in self.keys if key not in paired)])


def write(dataset: Dataset, sink: NullSink, report: LossReport, *, dialect: str = "official") -> None:
    """Write ``<subset>/annotations`` with pairs, people and landmarks.

    Args:
        dataset: tags, points, and links between images with the attributes ``positive`` and ``fold``; without links,
            the attributes ``positive_pairs`` and ``negative_pairs`` of tags.
        sink: the output.
        report: hears of special losses.
        dialect: "official" with a header, "datumaro" without.
    """
    if dialect not in ("official", "datumaro"):
        raise ValueError(f'dialect is "official" or "datumaro", got {dialect!r}')
    parts: dict[str, _Part] = {}
    marks: dict[str, list[str]] = {}
    seen: dict[str, Counter[Any]] = {}
    for item in dataset.items:
        part, key = parts.setdefault(item.subset, _Part()), str(item.id)
        part.keys[key] = item
        for annotation in item.annotations:
            if isinstance(annotation, Points):
                row = [f"{key}{ending(item.path)}", *map(decimal, annotation.xy.ravel().tolist())]
                marks.setdefault(item.subset, []).append("\t".join(row) + "\n")
            elif isinstance(annotation, Tag):
                seen.setdefault(item.subset, Counter())[annotation.category_id] += 1
                part.tagged[key] = {name: _listed(annotation.attributes.get(name, [])) for name in PAIRS}
    _pairs(dataset, parts, report)
    headers = dataset.extras.get(NAMESPACE, {}).get("headers", {})
    for subset, part in (parts or {"default": _Part()}).items():
        part.rows.sort(key=lambda row: row[3])
        header = _header(part, tuple(headers.get(subset, ()))) if dialect == "official" else ()
        numbers = folds(header, [row[2] for row in part.rows])
        if numbers != [row[3] for row in part.rows]:
            report.approximate(None, None, "fold", "folds are known by the order of the pairs", what="link")
        order = dict.fromkeys(key for row in part.rows for key in row[:2])
        if [*order, *(key for key in part.keys if key not in order)] != list(part.keys):
            report.approximate(None, None, "items", "images are in the order of the pairs", what="dataset")
        sink.write(f"{subset}/annotations/pairs.txt", part.text(header).encode("utf-8"))
        if subset in marks:
            sink.write(f"{subset}/annotations/landmarks.txt", "".join(marks[subset]).encode("utf-8"))
    _people(dataset.schema, list(parts or ["default"]), seen, sink, report)


def _pairs(dataset: Dataset, parts: dict[str, _Part], report: LossReport) -> None:
    """The pairs of all subsets: links, or what the tags say where there are none."""
    for link in dataset.links:
        part, own = parts.get(link.source[0]), link.attributes
        if part is None:
            report.drop(None, str(link.source), "", "an image of the pair is not there", what="link")
            continue
        fold = own.get("fold", 1)
        matched = bool(own.get("positive", person_of(str(link.source[1])) == person_of(str(link.target[1]))))
        part.row(str(link.source[1]), str(link.target[1]), matched, fold if type(fold) is int else 1, report)
        for name in own.keys() - {"positive", "fold"}:
            report.drop(None, "link", f"attributes.{name}", "the format has no place for it")
    for part in parts.values():
        if not dataset.links:
            for matched in (True, False):
                for key, own in part.tagged.items():
                    for other in own[PAIRS[not matched]]:
                        part.row(key, other, matched, 1, report)
                        report.default(None, None, "links", "pairs are taken from the attributes of tags")
        derived: dict[str, dict[str, list[str]]] = {}
        for first, second, matched, _ in part.rows:
            derived.setdefault(first, {name: [] for name in PAIRS})[PAIRS[not matched]].append(second)
        for key, item in part.keys.items():
            for name in PAIRS:
                said, held = part.tagged.get(key, {}).get(name, []), derived.get(key, {}).get(name, [])
                if said != held and key in part.tagged:
                    report.approximate(item, "tag", f"attributes.{name}", "the links between images count")


def _header(part: _Part, given: tuple[int, ...]) -> tuple[int, ...]:
    """The header that was read, else one that fits the folds."""
    if given:
        return given
    count = Counter((row[3], row[2]) for row in part.rows)
    sizes = {count[fold, matched] for fold, _, in count for matched in (True, False)}
    return (len({fold for fold, _ in count}), sizes.pop()) if len(sizes) == 1 else () if sizes else (1, 0)


def _people(
    schema: LabelSchema, subsets: list[str], seen: dict[str, Counter[Any]], sink: NullSink, report: LossReport
) -> None:
    """``people.txt``: everybody with a number of images, known or seen."""
    order: dict[str, None] = {}
    held = {c.id: c.extras.get(NAMESPACE, {}).get("counts", {}) for c in schema.categories}
    for subset in subsets:
        rows = []
        for category in schema.categories:
            counts, own = held[category.id], seen.get(subset, Counter())
            nowhere = subset == subsets[0] and not any(category.id in seen.get(s, ()) or s in counts for s in subsets)
            if subset in counts or category.id in own or nowhere:
                rows.append(f"{category.name}\t{counts.get(subset, own[category.id])}\n")
                order.setdefault(category.name)
            if subset not in counts and (category.id in own or nowhere):
                report.default(category.name, None, "extras.lfw.counts", "the number of images here", what="category")
        if rows:
            sink.write(f"{subset}/annotations/people.txt", "".join([f"{len(rows)}\n", *rows]).encode("utf-8"))
    places = {name: at for at, name in enumerate(order)}
    for category in schema.categories:
        if re.search(r"[\t\r\n]", category.name) or category.name != category.name.strip() or not category.name:
            raise ValueError(f"label {category.name!r} cannot be written in people.txt (tab, line end, or blanks)")
        if type(category.id) is not int or category.id != places[category.name]:
            report.rename(category.name, None, "id", "people are numbered in the order of the list", what="category")
    if list(places) != [category.name for category in schema.categories]:
        report.approximate(None, None, "categories", "people are in the order of the list", what="schema")
