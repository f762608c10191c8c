"""Word recognition: ``gt.txt`` with names of images and texts."""

from __future__ import annotations

import re

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.lines import Line, lines
from maskcodec.formats._shared.naming import IMAGES, Images, stem
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source, safe_name
from maskcodec.formats.icdar.texts import LABEL, no_label, no_table, one_line, place, quoted, unquoted
from maskcodec.model.annotations import Annotation, Caption, Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["Captions", "admits", "detect", "read", "write"]

_ENDINGS = "|".join(re.escape(ending) for ending in IMAGES)
_FIRST = re.compile(rf'[^"]+(?:{_ENDINGS})\s*,\s*(?:".*)?', re.IGNORECASE)
_TEXT = re.compile(r'(.*?)\s*,\s*(".*)')
_BARE = re.compile(rf"(.+?(?:{_ENDINGS}))\s*,\s*(\S.*)", re.IGNORECASE)


def _files(files: list[str]) -> list[str]:
    return [name for name in files if name == "gt.txt" or name.endswith("/gt.txt")]


def detect(probe: Probe) -> Confidence:
    """``gt.txt`` that begins with the name of an image, a comma, and a quote or nothing."""
    found = _files(probe.files)
    for name in found:
        text = probe.head(name).decode("utf-8-sig", "replace").strip()
        line = text.splitlines()[0].strip() if text else ""
        if _FIRST.fullmatch(line):
            return Confidence(80, f"{name} has names of images with texts")
    raise NotThisFormat(f"{found[0]} has no names of images with texts" if found else "no gt.txt")


def _row(source: Source, line: Line) -> tuple[str, str | None]:
    """Name and text of a line."""
    found = _TEXT.fullmatch(line.text)
    if found is not None:
        return found.group(1), unquoted(source, line, found.group(2))
    bare = _BARE.fullmatch(line.text)
    if bare is not None and not line.text.lower().endswith(IMAGES):
        source.problem(line.fault(f"the text is not in quotes: {shorten(bare.group(2))}", "text"))
        return bare.group(1), bare.group(2)
    return line.text.removesuffix(",").rstrip(), None


def read(source: Source) -> Dataset:
    """Read words.

    Args:
        source: folder or zip with ``<subset>/gt.txt``, or one such file.
    """
    files = _files(source.files) or (source.files if len(source.files) == 1 else [])
    if not files:
        raise FormatError("no gt.txt", file=source.path)
    subsets = {name: name.rpartition("/")[0].rpartition("/")[2] or "default" for name in files}
    place(subsets, source)
    index: list[tuple[str, str, str, str, list[str]]] = []
    for name, subset in subsets.items():
        rows: dict[str, list[str]] = {}
        for line in lines(source, name):
            path, text = _row(source, line)
            try:
                path = safe_name(path)
            except ValueError as error:
                source.problem(line.fault(str(error), "name"))
                continue
            rows.setdefault(path, []).extend([text] if text is not None else [])
        keys: set[str] = set()
        for path, texts in rows.items():
            key = stem(path) if stem(path) not in keys else path
            if key == path != stem(path):
                text = "another image has this name with another ending"
                source.report.default(f"{subset}/{path}", None, "id", text, what="item")
            keys.add(key)
            index.append((name, subset, key, path, texts))
    images = Images(source)

    def load(entry: tuple[str, str, str, str, list[str]]) -> Item:
        name, subset, key, path, texts = entry
        item = Item(key, path, subset=subset, annotations=[Caption(text) for text in texts])
        folder = name[: -len("gt.txt")]
        places = (f"{folder}images/{path}", f"{folder}{path}", f"images/{path}")
        item.width, item.height = images.size(next((file for file in places if source.has(file)), None))
        return item

    return Dataset(LabelSchema(), LazyItems(index, load))


def admits(annotation: Annotation, schema: LabelSchema) -> str:
    """What speaks against an annotation: a tag is a text only in the form of CVAT."""
    if not isinstance(annotation, Tag):
        return ""
    known = annotation.category_id is not None and annotation.category_id in schema
    name = schema.by_id(annotation.category_id).name if known else ""  # type: ignore[arg-type]
    good = name == LABEL and isinstance(annotation.attributes.get("text"), str)
    return "" if good else f"a tag is a text only as {LABEL} with an attribute text"


class Captions:
    """Texts of images; tags of CVAT become texts."""

    def __call__(self, item: Item, source: Item, report: LossReport, schema: LabelSchema) -> None:
        """Set name and captions of an item to what a reader will find."""
        kept: list[Annotation] = []
        for annotation in item.annotations:
            if isinstance(annotation, Tag):
                report.approximate(source, annotation, "", "written as a caption")
                annotation = Caption(annotation.attributes["text"])
            no_label(annotation, source, report)
            if isinstance(annotation, Caption) and one_line(annotation.text) != annotation.text:
                report.approximate(source, annotation, "text", "a text stands on one line")
                annotation.text = one_line(annotation.text)
            kept.append(annotation)
        item.annotations = kept
        given = item.path or f"{item.id}.jpg"
        path = re.sub(r',(\s*)"', r",\1_", given.strip().rstrip(","))
        if path != given:
            report.rename(source, None, "path", "a name of this form cannot be told from the text behind it")
            report.rename(source, None, "id", "a name of this form cannot be told from the text behind it")
            item.path, item.id = path, stem(path)


def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    """Write ``<subset>/gt.txt``.

    Args:
        dataset: captions.
        sink: the output.
        report: hears of special losses.
    """
    no_table(dataset.schema, report)
    texts: dict[str, list[str]] = {}
    for item in dataset.items:
        rows = [f"{item.path}, {quoted(a.text)}\n" for a in item.annotations if isinstance(a, Caption)]
        texts.setdefault(item.subset, []).extend(rows or [f"{item.path},\n"])
    for subset, rows in (texts or {"default": []}).items():
        sink.write(f"{subset}/gt.txt", "".join(rows).encode("utf-8"))
