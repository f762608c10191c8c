"""Texts in quotes, and what all three tasks share."""

from __future__ import annotations

import re
from typing import Any

from maskcodec.errors import FormatError
from maskcodec.formats._shared.lines import Line
from maskcodec.formats._shared.source import Source
from maskcodec.model.annotations import Annotation
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["LABEL", "NAMESPACE", "no_label", "no_table", "one_label", "one_line", "one_table", "place", "quoted",
           "unquoted"]  # fmt: skip

NAMESPACE = "icdar"
LABEL = "icdar"


def quoted(text: str) -> str:
    r"""A text in quotes, with ``\"`` and ``\\`` in it.

    Example:
        >>> print(quoted('say "hi"'))
        "say \"hi\""
    """
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquoted(source: Source, line: Line, text: str) -> str:
    """The text between the first quote, with which it begins, and the last one.

    Raises:
        FormatError: there is no other quote; a lenient reader takes the rest of the line.
    """
    if len(text) > 1 and text.endswith('"'):
        text = text[1:-1]
    else:
        source.problem(line.fault("a quote is not closed", "text"))
        text = text[1:]
    return re.sub(r'\\(["\\])', r"\1", text)


def one_line(text: str) -> str:
    """A text without line ends."""
    return re.sub(r"[ \t]*[\r\n]+[ \t]*", " ", text)


def no_label(annotation: Annotation, item: Any, report: LossReport) -> None:
    """Take the label from an annotation, which is a copy."""
    if annotation.category_id is not None:
        report.drop(item, annotation, "category_id", "the format has no labels")
        annotation.category_id = None


def no_table(schema: LabelSchema, report: LossReport) -> None:
    """Tell of labels."""
    for category in schema.categories:
        report.drop(category.name, None, "", "the format has no labels", what="category")


def one_label(annotation: Annotation, item: Any, report: LossReport, schema: LabelSchema) -> None:
    """Give an annotation, which is a copy, the only label."""
    known = next((category.id for category in schema.categories if category.name == LABEL), None)
    if annotation.category_id is None or annotation.category_id != known:
        report.rename(item, annotation, "category_id", f"there is one label, {LABEL}")
        annotation.category_id = known if known is not None else 0


def one_table(schema: LabelSchema, report: LossReport, used: bool) -> None:
    """Tell of labels but the one."""
    known = False
    for category in schema.categories:
        if category.name != LABEL or not used:
            report.drop(category.name, None, "", f"there is one label, {LABEL}", what="category")
            continue
        known = True
        if type(category.id) is not int or category.id != 0:
            report.rename(category.name, None, "id", f"there is one label, {LABEL}", what="category")
    if used and not known:
        report.default(LABEL, None, "", f"there is one label, {LABEL}", what="category")


def place(names: dict[str, str], source: Source) -> None:
    """Refuse two folders of one subset."""
    seen: dict[str, str] = {}
    for name, subset in names.items():
        if subset in seen:
            raise FormatError(f"the subset {subset} is there twice ({seen[subset]}, {name})", file=source.path)
        seen[subset] = name
