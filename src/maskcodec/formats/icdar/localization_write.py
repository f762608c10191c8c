"""Writing lines of words and their places."""

from __future__ import annotations

from typing import Any

from maskcodec.formats._shared.lines import decimal
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.icdar.localization import IGNORED, SCRIPTS
from maskcodec.formats.icdar.texts import NAMESPACE, one_label, one_line, one_table, quoted
from maskcodec.model.annotations import Annotation, Box, Polygon
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["admits", "by_label", "write"]


def admits(annotation: Annotation, schema: LabelSchema) -> str:
    """What speaks against an annotation."""
    if isinstance(annotation, Polygon) and annotation.variant == "polygon" and len(annotation.rings[0]) < 3:
        return "a polygon of fewer than three points"
    return ""


def by_label(item: Item, source: Item, report: LossReport, schema: LabelSchema) -> None:
    """Texts on one line; the form of the file that holds everything."""
    words = item.annotations
    form = item.extras.get(NAMESPACE, {}).get("#form")
    sizes = {len(word.rings[0]) if isinstance(word, Polygon) else 0 for word in words}
    scripts = [word.attributes.get("script") for word in words]
    good = {
        "comma": sizes == {0},
        "2015": sizes == {4},
        "mlt": sizes == {4} and all(script in SCRIPTS for script in scripts),
    }
    if form is not None and not good.get(form, False):
        item.extras = {name: own for name, own in item.extras.items() if name != NAMESPACE}
        form = None
        if words:
            report.approximate(source, None, "form", "the form of the file does not hold these shapes")
    for word in words:
        one_label(word, source, report, schema)
        own = {name: value for name, value in word.attributes.items() if name != "script" or form == "mlt"}
        if len(own) < len(word.attributes):
            report.drop(source, word, "attributes.script", "the form of the file has no scripts")
        _text(word, own, source, report)
        if form == "mlt" and own.get("text", "") != own.get("text"):
            report.default(source, word, "attributes.text", "the form of the file has a text on every line")
            own["text"] = ""
        word.attributes = own
    texts = any(word.attributes.get("text") for word in words)
    for word in words:
        if not texts and sizes - {0, 4} and isinstance(word, Polygon) and "text" not in word.attributes:
            report.default(source, word, "attributes.text", "a text in quotes tells where points end")
            word.attributes["text"] = ""


def _text(word: Annotation, own: dict[str, Any], source: Item, report: LossReport) -> None:
    """Text and mark of a word, changed in ``own``."""
    text = own.get("text")
    if text is not None:
        plain = one_line(str(text))
        if plain != text:
            report.approximate(source, word, "attributes.text", "a text stands on one line")
        own["text"] = plain
    else:
        own.pop("text", None)
    if "ignore" in own and bool(own["ignore"]) != (own.get("text") == IGNORED):
        if own["ignore"]:
            report.approximate(source, word, "attributes.text", f"{IGNORED} says that a word is ignored")
            own["text"] = IGNORED
    if own.get("text") == IGNORED:
        if own.get("ignore") is not True:
            report.default(source, word, "attributes.ignore", f"{IGNORED} says that a word is ignored")
        own["ignore"] = True
    elif "ignore" in own:
        report.drop(source, word, "attributes.ignore", f"only {IGNORED} says that a word is ignored")
        del own["ignore"]


def _line(word: Annotation, form: str) -> str:
    if isinstance(word, Box):
        numbers, blank = [word.x0, word.y0, word.x1, word.y1], ", " if form == "comma" else " "
    else:
        numbers, blank = word.rings[0].ravel().tolist(), ","  # type: ignore[attr-defined]
    text = word.attributes.get("text")
    fields = list(map(decimal, numbers))
    if form == "mlt":
        fields.append(word.attributes["script"])
    if text is not None:
        fields.append(text if form in ("2015", "mlt") else quoted(text))
    return blank.join(fields)


def write(dataset: Dataset, sink: NullSink, report: LossReport, *, dialect: str = "plain") -> None:
    """Write ``<subset>/gt_<image>.txt``, in the form that the file was read in.

    Args:
        dataset: boxes and polygons.
        sink: the output.
        report: hears of special losses.
        dialect: "plain" ends lines with LF, "rrc" with CR/LF and begins files with a byte order mark.
    """
    if dialect not in ("plain", "rrc"):
        raise ValueError(f'dialect is "plain" or "rrc", got {dialect!r}')
    last: dict[str, str] = {}
    sorted_so_far = True
    for item in dataset.items:
        form = item.extras.get(NAMESPACE, {}).get("#form", "")
        rows = [_line(word, form) for word in item.annotations]
        texts = [text for word in item.annotations if (text := word.attributes.get("text"))]
        marked = form == "2015" and texts and all(text[0] == text[-1] == '"' for text in texts)
        end = "\r\n" if dialect == "rrc" else "\n"
        mark = "\ufeff" if marked or (dialect == "rrc" and form in ("2015", "mlt")) else ""
        folder, slash, name = str(item.id).rpartition("/")
        text = mark + "".join(row + end for row in rows)
        sink.write(f"{item.subset}/{folder}{slash}gt_{name}.txt", text.encode("utf-8"))
        sorted_so_far = sorted_so_far and last.get(item.subset, "") <= str(item.id)
        last[item.subset] = str(item.id)
    one_table(dataset.schema, report, bool(last))
    if not sorted_so_far:
        report.approximate(None, None, "items", "images come back sorted by their names", what="dataset")
