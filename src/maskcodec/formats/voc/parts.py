"""Parts of objects and actions: what the table of labels holds of a schema beside names and colours."""

from __future__ import annotations

from typing import Any

from maskcodec.formats._shared.tags import drop_repeated_tags
from maskcodec.formats.voc.xml import NAMESPACE
from maskcodec.model.annotations import Annotation, Box
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["Parts", "arrange"]


def arrange(item: Item, source: Item, report: LossReport) -> None:
    """Bring boxes that are parts behind their owner, where a reader finds them."""
    drop_repeated_tags(item, source, report)
    ids = {a.id for a in item.annotations if isinstance(a, Box) and a.id is not None}
    parts: dict[Any, list[Annotation]] = {}
    rest: list[Annotation] = []
    for annotation in item.annotations:
        owned = isinstance(annotation, Box) and annotation.parent_id in ids and annotation.parent_id != annotation.id
        (parts.setdefault(annotation.parent_id, []) if owned else rest).append(annotation)
    out: list[Annotation] = []
    while rest:
        first = rest.pop(0)
        out.append(first)
        rest[:0] = parts.pop(first.id, []) if isinstance(first, Box) else []
    item.annotations = out + [a for group in parts.values() for a in group]


class Parts:
    """What the table of labels holds of the schema: parts by their owners, yes/no attributes as actions."""

    def __init__(self, schema: LabelSchema, report: LossReport) -> None:
        self.names = {category.id: category.name for category in schema.categories}
        known = {category.name for category in schema.categories}
        self.owners: dict[Any, list[str]] = {}
        self.actions: dict[Any, list[str]] = {}
        parents = {category.parent for category in schema.categories}
        for category in schema.categories:
            owners = category.extras.get(NAMESPACE, {}).get("part_of") or [category.parent]
            inner = category.name in parents and category.parent is not None
            if category.parent is not None and category.parent in known and not inner:
                self.owners[category.id] = [name for name in owners if name in known]
            elif category.parent is not None:
                report.approximate(category.name, None, "parent", "only parts of labels are known", what="category")
            kept = [spec for spec in category.attributes if spec.type == "bool" and spec.name.isidentifier()]
            self.actions[category.id] = [spec.name for spec in kept]
            if category.attributes != [type(spec)(spec.name, "bool") for spec in kept]:
                text = "only names of yes/no attributes are kept, as actions"
                report.approximate(category.name, None, "attributes", text, what="category")

    def is_part(self, category: Any, owner: Any) -> bool:
        """Whether a category is a part of another."""
        return self.names.get(owner) in self.owners.get(category, ())

    def plain(self, schema: LabelSchema) -> LabelSchema:
        """The schema without parts, which are no labels."""
        kept = [category for category in schema.categories if category.id not in self.owners]
        return LabelSchema(kept, background=schema.background)
