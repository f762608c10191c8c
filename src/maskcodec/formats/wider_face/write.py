"""Writing WIDER FACE."""

from __future__ import annotations

import re
from typing import Any

from maskcodec.errors import shorten
from maskcodec.formats._shared.labels import numbered
from maskcodec.formats._shared.lines import NUMBER, decimal, extent
from maskcodec.formats._shared.naming import stem
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.wider_face.read import event_of, order_of
from maskcodec.formats.wider_face.rows import ATTRIBUTES, DATUMARO, FACE, NAMESPACE, is_path
from maskcodec.model.annotations import Annotation, Box, Tag
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["by_label", "write"]

NO_LABEL = "no_label"
_FILLER = "0 0 0 0 0 0 0 0 0 0 "


def admits(annotation: Annotation, schema: LabelSchema, *, dialect: str, labels: str) -> str:
    """What speaks against an annotation.

    Args:
        annotation: of any kind.
        schema: names the labels.
        dialect: of the writer.
        labels: "drop" leaves out boxes of labels other than ``face``, "face" writes them as faces.
    """
    if dialect not in ("official", "datumaro"):
        raise ValueError(f'dialect is "official" or "datumaro", got {dialect!r}')
    if labels not in ("drop", "face"):
        raise ValueError(f'labels is "drop" or "face", got {labels!r}')
    if annotation.category_id is None or annotation.category_id not in schema:
        return ""
    name = schema.by_id(annotation.category_id).name
    if isinstance(annotation, Tag) and (re.search(r"[/\\\x00-\x1f]", name) or name != name.strip()):
        return "the label cannot be the name of a folder"
    if isinstance(annotation, Box) and name != FACE and dialect == "official" and labels == "drop":
        return "not a face (labels='face' writes it as one, dialect='datumaro' keeps the label)"
    return ""


def by_label(item: Item, source: Item, report: LossReport, schema: LabelSchema, *, dialect: str, labels: str) -> None:
    """Faces alone with the six numbers that each has; the event of an image as its folder.

    Args:
        item: a copy, is changed.
        source: the item as it was.
        report: hears of everything.
        schema: names the labels.
        dialect: of the writer.
        labels: of the writer.
    """
    names = {category.id: category.name for category in schema.categories}
    kept: list[Annotation] = []
    event: str | None = None
    for annotation in item.annotations:
        name = names.get(annotation.category_id)  # type: ignore[arg-type]
        if isinstance(annotation, Tag):
            if event is not None:
                report.drop(source, annotation, "", "an image is of one event")
                continue
            event = name
        elif name is None:
            report.default(source, annotation, "category_id", "a box without a label is that of a face")
        elif name != FACE and dialect == "official":
            report.rename(source, annotation, "category_id", "written as a face")
        if isinstance(annotation, Box):
            _attributes(annotation, source, report, dialect)
        kept.append(annotation)
    item.annotations = kept
    _folder(item, source, report, event, names)


def _attributes(box: Box, source: Item, report: LossReport, dialect: str) -> None:
    """The six attributes as numbers of their tables, in their order."""
    given, values = dict(box.attributes), dict[str, int]()
    if box.occluded and given.get("occlusion") is None:
        report.approximate(source, box, "attributes.occlusion", "occluded is written as partial occlusion")
        given["occlusion"] = 1
    for name, most in ATTRIBUTES.items():
        value = given.get(name)
        number = _whole(value)
        if value is not None and (number is None or not 0 <= number <= most):
            report.drop(source, box, f"attributes.{name}", "the value is not in the table of the format")
            number = None
        elif value is not None and type(value) is not int:
            report.approximate(source, box, f"attributes.{name}", "written as a number")
        if number is None and dialect == "official":
            report.default(source, box, f"attributes.{name}", "the format needs a value")
            number = 0
        if number is not None:
            values[name] = number
    occluded = values.get("occlusion", 0) > 0
    if occluded != box.occluded:
        report.approximate(source, box, "occluded", "the step of occlusion says otherwise")
        box.occluded = occluded
    box.attributes = values


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = float(value)
    return int(value) if isinstance(value, (bool, int, float)) and value == value // 1 else None


def _folder(item: Item, source: Item, report: LossReport, event: str | None, names: dict[Any, str]) -> None:
    """Put the image into the folder of its event, or out of one that a reader would take for an event."""
    given = item.path or f"{item.id}.jpg"
    path = given.strip()
    found = event_of(path)
    labels = list(names.values())
    if event is not None and (found is None or found[1] != event):
        first, slash, rest = path.partition("/")
        inner = rest if slash and (first == NO_LABEL or (found is not None and found[1] in labels)) else path
        path = f"{labels.index(event)}--{event}/{inner}"
    elif event is None and found is not None and found[1] in labels:
        path = f"{NO_LABEL}/{path}"
    if not is_path(path.split()):
        path = f"{NO_LABEL}/{path}"
    if path != given:
        text = "the folder of an image names its event"
        report.rename(source, None, "path", text)
        report.rename(source, None, "id", text)
        item.path, item.id = path, stem(path)


def write(
    dataset: Dataset, sink: NullSink, report: LossReport, *, dialect: str = "official", labels: str = "drop"
) -> None:
    """Write a list of faces for each subset, and ``labels.txt`` where paths alone do not say the labels.

    Args:
        dataset: boxes and tags.
        sink: the output.
        report: hears of special losses.
        dialect: "official" as in the data set itself, "datumaro" as CVAT and Datumaro write and read: other columns,
            other labels at the end of a row.
        labels: what becomes of boxes of other labels in the official form: "drop", or "face" to write them as faces.

    Raises:
        ValueError: a label that cannot stand on a line, or two images of one path.
    """
    table = [category.name for category in dataset.schema.categories]
    numbered(dataset.schema, report)
    names = {category.id: category.name for category in dataset.schema.categories}
    texts: dict[str, list[str]] = {}
    plain: dict[str, bool] = {}
    events: set[tuple[int, str]] = set()
    seen: set[tuple[str, str]] = set()
    for item in dataset.items:
        path = item.path or ""
        if (item.subset, path.casefold()) in seen:
            raise ValueError(f"two images of {shorten(item.subset)} come to the path {shorten(path)}")
        seen.add((item.subset, path.casefold()))
        event = event_of(path)
        events |= {event} if event is not None else set()
        boxes = [box for box in item.annotations if isinstance(box, Box)]
        listed = bool(item.extras.get(NAMESPACE, {}).get("#list")) and not boxes
        plain[item.subset] = plain.get(item.subset, True) and listed
        out = texts.setdefault(item.subset, [])
        out.append(path)
        rows = [_row(item, box, report, dialect, names) for box in boxes]
        if dialect == "official" or rows:
            out.append(str(len(rows)))
        out += rows or ([_FILLER] if dialect == "official" else [])
    derived = order_of(events) if texts else []
    if FACE not in table and (texts or table):
        report.default(FACE, None, "", "faces need a label", what="category")
        table.append(FACE)
    if table != derived or (dialect != "official" and table):
        for name in table:
            if not name or name != name.strip() or re.search(r"[\r\n]", name) or table.count(name) > 1:
                raise ValueError(f"label {shorten(name)} cannot be written in labels.txt (line end, blanks, or twice)")
        sink.write("labels.txt", "".join(f"{name}\n" for name in table).encode("utf-8"))
    for subset, lines in (texts or {"default": []}).items():
        if plain.get(subset):
            lines = [line for at, line in enumerate(lines) if dialect != "official" or at % 3 == 0]
        name = f"wider_face_split/wider_face_{subset}_{'filelist' if plain.get(subset) else 'bbx_gt'}.txt"
        sink.write(name, "".join(f"{line}\n" for line in lines).encode("utf-8"))


def _row(item: Item, box: Box, report: LossReport, dialect: str, names: dict[Any, str]) -> str:
    sides = [decimal(box.x0), decimal(box.y0), extent(box.x0, box.x1), extent(box.y0, box.y1)]
    if dialect == "official":
        if not all(float(value).is_integer() for value in (box.x0, box.y0, box.x1, box.y1)):
            report.approximate(item, box, "", "a box in fractions of pixels, readers may want whole ones")
        return " ".join([*sides, *(str(box.attributes[name]) for name in ATTRIBUTES), ""])
    words = [repr(float(value)) for value in sides]
    for name in DATUMARO:
        value = box.attributes.get(name)
        truth = name == "occlusion" and value in (0, 1)
        words.append("-" if value is None else str(bool(value)) if truth else str(value))
    label = names.get(box.category_id, FACE)
    return " ".join([*words, *([label] if label != FACE else [])])
