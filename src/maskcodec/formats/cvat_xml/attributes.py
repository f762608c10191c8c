"""Attribute definitions of CVAT XML, and values of attributes as text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from maskcodec.formats._shared.xmlio import Element
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import AttributeSpec, Category

__all__ = ["FIELDS", "NAMESPACE", "NUMBER", "Definitions", "plain", "read_spec", "spec_texts", "typed",
           "value_text"]  # fmt: skip

NAMESPACE = "cvat_xml"
NUMBER = re.compile(r"\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*")
_TYPES = {"select": "select", "radio": "select", "checkbox": "bool", "number": "float", "text": "text"}
_INPUTS = {"select": "select", "bool": "checkbox", "float": "number", "int": "number"}
_WHOLE = [-(2**53) + 1, 2**53 - 1]  # limits of whole numbers that say nothing
FIELDS = ("name", "mutable", "input_type", "default_value", "values")


def plain(element: Element, tag: str) -> str:
    """Text of a child as it is, or without the blanks around it where it was broken into lines; "" for none."""
    found = element.find(tag)
    text = found.text if found is not None else ""
    return text.strip() if "\n" in text else text


# --- values -----------------------------------------------------------------------------------------------------------
def value_text(value: Any) -> str:
    """Text of an attribute value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(map(value_text, value))
    return "" if value is None else str(value)


def typed(text: str, kind: str) -> Any:
    """Value of an attribute by the type of its definition; the text itself where it is no such value."""
    if kind == "bool":
        return {"true": True, "false": False}.get(text.strip().lower(), text)
    if kind == "int" and re.fullmatch(r"\s*[-+]?[0-9]+\s*", text, re.ASCII):
        return int(text)
    if kind in ("int", "float") and NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


# --- definitions ------------------------------------------------------------------------------------------------------
def _values(kind: str, text: str, default: str) -> tuple[str, list[Any]]:
    """Type and values of a definition."""
    lines = [line.strip() for line in text.split("\n")] if text.strip() else []
    if len(lines) == 1 and default in lines[0].split():
        lines = lines[0].split()
    if kind == "float":
        numbers = [typed(line, "int") for line in lines]
        # Limits and step that are whole numbers leave room for whole numbers alone.
        if len(numbers) == 3 and all(type(n) is int for n in numbers):
            whole = numbers[:2] if numbers[2] == 1 else numbers
            return "int", [] if whole == _WHOLE else whole
        numbers = [typed(line, "float") for line in lines]
        return kind, numbers if all(type(n) is float for n in numbers) else []
    if kind == "bool" or (kind == "text" and lines in ([], [default])):
        return kind, []
    return kind, lines


def read_spec(element: Element) -> AttributeSpec:
    """One definition; texts that would come out differently are kept."""
    texts = {name: element.value(name) or "" for name in FIELDS}
    texts["name"] = plain(element, "name")
    given, default = texts["input_type"], texts["default_value"]
    kind, values = _values(_TYPES.get(given, "text"), texts["values"], default)
    spec = AttributeSpec(texts["name"], kind, values, typed(default, kind) if default else None)
    spec.mutable = texts["mutable"].lower() == "true"
    if kind == "int" and type(spec.default) is float:
        spec.default = None
    again = spec_texts(spec)
    kept = {name: texts[name] for name in ("input_type", "default_value", "values") if again[name] != texts[name]}
    if kept:
        spec.extras = {NAMESPACE: kept}
    return spec


def spec_texts(spec: AttributeSpec) -> dict[str, str]:
    """Texts of one definition."""
    default, lines = value_text(spec.default), [value_text(v) for v in spec.values]
    if spec.type == "bool":
        lines = ["false"]
        default = default or "false"
    elif spec.type == "int":
        lines = [*(lines or map(str, _WHOLE)), "1"][:3]
    elif not lines:
        lines = [default]
    texts = {
        "name": spec.name,
        "mutable": str(spec.mutable),
        "input_type": _INPUTS.get(spec.type, "text"),
        "default_value": default,
        "values": "\n".join(lines) if spec.type != "float" or spec.values else "",
    }
    kept = {**texts, **spec.extras.get(NAMESPACE, {})}
    kind, values = _values(_TYPES.get(kept["input_type"], "text"), kept["values"], kept["default_value"])
    if kind == spec.type and values == spec.values:
        texts |= {"values": kept["values"], "input_type": kept["input_type"]}
        if kept["default_value"] and typed(kept["default_value"], kind) == spec.default or not kept["default_value"]:
            texts["default_value"] = kept["default_value"]
    return texts


class Definitions:
    """Attribute definitions of categories while a data set is written; what occurs undefined is added."""

    def __init__(self, categories: Iterable[Category], report: LossReport) -> None:
        self._report = report
        self.of = {c.id: {spec.name: spec for spec in c.attributes} for c in categories}
        for own in self.of.values():
            for spec in own.values():
                if spec.type == "bool" and spec.default is None:
                    report.default(spec.name, None, "default", "a checkbox has a default: false", what="attribute")

    def type_of(self, category: Category | None, name: str, value: Any) -> str:
        """Type that an attribute has when it is read again."""
        if category is None:
            return "text"
        specs = self.of[category.id]
        if name not in specs:
            kinds = {bool: "bool", int: "int", float: "float"}
            specs[name] = AttributeSpec(name, kinds.get(type(value), "text"))
            self._report.default(category.name, None, "attributes", "CVAT wants attributes defined", what="category")
        kind = specs[name].type
        return "text" if kind == "multiselect" else kind
