"""Reading WIDER FACE."""

from __future__ import annotations

import re
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.labels import categories, read_meta, read_names
from maskcodec.formats._shared.lines import lines
from maskcodec.formats._shared.naming import Images, stem
from maskcodec.formats._shared.source import Source, safe_name
from maskcodec.formats.wider_face.rows import FACE, NAMESPACE, Face, faces, records
from maskcodec.model.annotations import Box, Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import LabelSchema

__all__ = ["detect", "event_of", "order_of", "read"]

_LIST = re.compile(r"(.*?)((?:wider_face_split/)?)wider_face_([^/]+)_(bbx_gt|filelist)\.txt")
_EVENT = re.compile(r"([0-9]+)--(.+)")


def _lists(files: list[str]) -> list[tuple[str, str, str, str]]:
    """Root, subset, kind and name of every list."""
    found = ((match, name) for name in files if (match := _LIST.fullmatch(name)))
    return [(match.group(1), match.group(3), match.group(4), name) for match, name in found]


def detect(probe: Probe) -> Confidence:
    """``wider_face_*_bbx_gt.txt`` or ``wider_face_*_filelist.txt``."""
    found = _lists(probe.files)
    if not found:
        raise NotThisFormat("no wider_face_split/wider_face_*_bbx_gt.txt or wider_face_*_filelist.txt")
    return Confidence(90, f"{found[0][3]} is a list of WIDER FACE")


def event_of(path: str) -> tuple[int, str] | None:
    """Number and name of the event that the first folder of a path says."""
    found = _EVENT.fullmatch(path.partition("/")[0]) if "/" in path else None
    return (int(found.group(1)), found.group(2)) if found else None


def order_of(events: set[tuple[int, str]]) -> list[str]:
    """Labels of a data set that has no table of them: faces, then events by their numbers."""
    return list(dict.fromkeys([FACE, *(name for _, name in sorted(events))]))


def _table(source: Source, root: str) -> list[str] | None:
    """The table of labels; None when there is none."""
    if source.has(f"{root}dataset_meta.json"):
        names: list[str] = read_meta(source, f"{root}dataset_meta.json")["labels"]
    elif source.has(f"{root}labels.txt"):
        names = read_names(source, f"{root}labels.txt")
    else:
        return None
    for name in {name for name in names if names.count(name) > 1}:
        source.problem(FormatError(f"label {shorten(name)} is there twice", file=source.path), what="category")
    return list(dict.fromkeys([*names, FACE]))


def _paths(source: Source, name: str) -> list[str]:
    out: dict[str, int] = {}
    for line in lines(source, name):
        try:
            path = safe_name(line.text)
        except ValueError as error:
            source.problem(line.fault(str(error), "path"))
            continue
        if path in out:
            source.problem(line.fault(f"{shorten(path)} is there already, in line {out[path]}", "path"))
        out.setdefault(path, line.number)
    return list(out)


def read(source: Source, *, dialect: str = "auto", events: bool | None = None) -> Dataset:
    """Read lists of faces.

    Args:
        source: folder or zip with ``wider_face_split``, or one list.
        dialect: "official" for the columns of the data set itself, "datumaro" for those of Datumaro and CVAT, "auto"
            for what a file shows.
        events: the event that the folder of an image names becomes a tag; None: where the table of labels has it, or
            where there is no table.
    """
    lists = _lists(source.files)
    roots = sorted({root for root, _, _, _ in lists})
    if len(roots) != 1:
        text = f"several data sets ({', '.join(roots[:4])}), name the folder of one" if roots else "no list of faces"
        raise FormatError(text, file=source.path)
    held: dict[str, dict[str, list[Face] | None]] = {}
    for _, subset, kind, name in lists:
        own = held.setdefault(subset, {})
        if kind == "filelist":
            for path in _paths(source, name):
                own.setdefault(path, None)
        else:
            found, bare = records(source, name)
            rows = faces(source, found, dialect, bare, source.display(name))
            own.update({record.path: row for record, row in rows})
    schema = _schema(source, roots[0], held, events)
    ids: dict[str, Any] = {category.name: category.id for category in schema.categories}
    images = Images(source)

    def load(entry: tuple[str, str, str, list[Face] | None]) -> Item:
        subset, key, path, rows = entry
        item = Item(key, path, subset=subset)
        item.width, item.height = images.size(f"{roots[0]}WIDER_{subset}/images/{path}")
        if rows is None:
            item.extras[NAMESPACE] = {"#list": True}
        for face in rows or ():
            x, y, w, h = face.box
            box = Box(x, y, x + w, y + h, category_id=ids[face.label or FACE], attributes=dict(face.attributes))
            box.occluded = face.attributes.get("occlusion", 0) > 0
            item.annotations.append(box)
        event = event_of(path)
        if event is not None and events is not False and event[1] in ids:
            item.annotations.append(Tag(category_id=ids[event[1]]))
        return item

    return Dataset(schema, LazyItems(_index(source, held), load))


def _index(
    source: Source, held: dict[str, dict[str, list[Face] | None]]
) -> list[tuple[str, str, str, list[Face] | None]]:
    out = []
    for subset, own in held.items():
        taken: set[str] = set()
        for path, rows in own.items():
            key = stem(path)
            if key in taken:
                text = "another image of the list has this name with another ending"
                source.report.default(f"{subset}/{path}", None, "id", text, what="item")
                key = path
            taken.add(key)
            out.append((subset, key, path, rows))
    return out


def _schema(
    source: Source, root: str, held: dict[str, dict[str, list[Face] | None]], events: bool | None
) -> LabelSchema:
    paths = [path for own in held.values() for path in own]
    tokens = [face.label for own in held.values() for rows in own.values() for face in rows or () if face.label]
    named = {event for event in map(event_of, paths) if event is not None}
    table = _table(source, root)
    if table is None:
        labels = order_of(named if events is not False else set()) if paths else []
    else:
        labels = [*table, *(order_of(named) if events else [])]
        for label in dict.fromkeys(tokens):
            if label not in table:
                text = f"the label {shorten(label)} of a face is not in the table of labels"
                source.problem(FormatError(text, file=source.path), what="category")
    return LabelSchema(categories(dict.fromkeys([*labels, *tokens])))
