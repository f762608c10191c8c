"""The attribute definitions of a project: those of the schema, and those that its values need."""

from __future__ import annotations

from typing import Any

from maskcodec.formats.hasty_json.schema import NAMES, NAMESPACE
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import AttributeSpec, LabelSchema

__all__ = ["Definitions"]


class Definitions:
    """Attribute definitions by name: of the schema, and of values that turn up without one."""

    def __init__(self, schema: LabelSchema, order: list[str], report: LossReport) -> None:
        self.report = report
        self.specs: dict[str, AttributeSpec] = {}
        for spec in [*schema.attributes, *(s for c in schema for s in c.attributes)]:
            first = self.specs.setdefault(spec.name, spec)
            if first is not spec and (first.type, first.values) != (spec.type, spec.values):
                values = first.values + [v for v in spec.values if v not in first.values]
                kind = first.type if first.type == spec.type else "text"
                self.specs[spec.name] = AttributeSpec(spec.name, kind, values, extras=first.extras)
                report.approximate(spec.name, None, "", "one definition for all categories", what="attribute")
            for field, empty in (("default", None), ("mutable", True), ("children", [])):
                if getattr(spec, field) != empty:
                    report.drop(spec.name, None, field, "Hasty defines name, type and values", what="attribute")
        self.order = [name for name in order if name in self.specs]

    def use(self, values: dict[str, Any]) -> None:
        """Define what is not defined yet, by the type of its value."""
        for name, value in values.items():
            if name not in self.specs:
                kinds = {bool: "bool", int: "int", float: "float", list: "multiselect"}
                self.specs[name] = AttributeSpec(name, kinds.get(type(value), "text"))
                self.report.default(None, None, "attributes", "a definition added for an attribute without one")
            spec = self.specs[name]
            if spec.type in ("int", "bool") and type(value) is float:
                self.specs[name] = AttributeSpec(name, "float", extras=spec.extras)

    def records(self) -> list[dict[str, Any]]:
        """The ``attributes`` list."""
        names = [*self.order, *(name for name in self.specs if name not in self.order)]
        return [
            {"name": n, "type": NAMES[s.type], "values": s.values, **s.extras.get(NAMESPACE, {})}
            for n, s in ((name, self.specs[name]) for name in names)
        ]
