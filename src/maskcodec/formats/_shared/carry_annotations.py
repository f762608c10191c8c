"""What a format holds of annotations, one at a time: the half of the shared write loop that needs the schema alone."""

from __future__ import annotations

from collections.abc import Collection
from operator import attrgetter
from typing import Any

from maskcodec.formats._base import Capabilities
from maskcodec.formats._shared.carry_whole import NO_FIELD, Whole, clone
from maskcodec.formats._shared.conversions import CONVERSIONS, Impossible, convert, named_points
from maskcodec.formats._shared.coordinates import rounded
from maskcodec.formats._shared.grouping import merge_groups
from maskcodec.model.annotations import Annotation, Box, Skeleton
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["FIELDS", "Shown"]

FIELDS: dict[str, Any] = {
    "id": None,
    "group_id": None,
    "track_id": None,
    "parent_id": None,
    "keyframe": False,
    "outside": False,
    "occluded": False,
    "truncated": False,
    "is_crowd": False,
    "z_order": 0,
    "score": None,
    "origin": None,
}


class Shown(Whole):
    """Annotations as a format holds them; a loss report hears of the rest."""

    def __init__(self, carries: Capabilities, report: LossReport, schema: LabelSchema) -> None:
        super().__init__(carries, report)
        self.schema = schema
        self.variants = carries.variants | ({"tag", "caption"} if carries.tags_as_attributes else frozenset())
        self.conversions = carries.conversions
        self.lacking = [
            (name, default)
            for name, default in FIELDS.items()
            if name not in carries.fields and not (name == "z_order" and carries.order)
        ]
        # What is kept as it is needs no copy, unless something later in the item works on copies.
        copies = carries.flat or carries.arrange or carries.by_label or carries.single_points or carries.only
        looks = carries.whole_pixels or carries.admits or carries.named_points or carries.needs_category
        self.straight = not copies and not looks and len(self.lacking) > 1
        self._lacked = attrgetter(*(name for name, _ in self.lacking)) if self.straight else None
        self._defaults = tuple(default for _, default in self.lacking)

    def kept(self, annotation: Annotation) -> bool:
        """Whether the format holds the annotation as it is, without a look at every field."""
        if self._lacked is None or annotation.variant not in self.variants or annotation.outside:
            return False
        if isinstance(annotation, Box) and self.carries.ordered and _crossed(annotation):
            return False
        if annotation.attributes and self.carries.attributes is not True:
            return False
        if self._lacked(annotation) != self._defaults:
            return False
        extras = annotation.extras
        return not extras or all(name in self.carries.namespaces for name in extras)

    def annotation(self, annotation: Annotation, item: Item) -> Annotation | None:
        """What the format holds of one annotation; None when nothing; not to be modified."""
        if self.straight and self.kept(annotation):
            return annotation
        carries, report, now = self.carries, self.report, annotation
        if annotation.outside and "outside" not in carries.fields and "outside" not in carries.as_attributes:
            report.drop(item, annotation, "", "the object is outside, and the format cannot say so")
            return None
        needed = carries.needs_category
        if needed and (needed is True or annotation.kind in needed) and annotation.category_id not in self.schema:
            report.drop(item, annotation, "", "it has no category of the schema, the format needs one")
            return None
        refusal = carries.admits(annotation, self.schema) if carries.admits is not None else ""
        if refusal:
            report.drop(item, annotation, "", refusal)
            return None
        if carries.ordered and isinstance(now, Box) and _crossed(now):
            now = clone(now)
            now.x0, now.x1 = sorted((now.x0, now.x1))
            now.y0, now.y1 = sorted((now.y0, now.y1))
            report.approximate(item, annotation, "", "corners put in order", what=now.variant)
        for _ in range(4):
            variant = now.variant
            if variant in self.variants:
                break
            target = self.conversions.get(variant)
            if target is None:
                report.drop(item, annotation, "", f"the format has no {variant.replace('_', ' ')}")
                return None
            if (variant, target) not in CONVERSIONS:
                raise ValueError(f"no conversion from {variant} to {target}")
            try:
                now, how = convert(now, item, target)
                if carries.named_points and isinstance(now, Skeleton):
                    named_points(now, self.schema, made=True)
            except Impossible as error:
                report.drop(item, annotation, "", str(error))
                return None
            report.approximate(item, annotation, "", how, what=variant)
        if carries.named_points and now is annotation and isinstance(now, Skeleton):
            try:
                named_points(now, self.schema)
            except Impossible as error:
                report.drop(item, annotation, "", str(error))
                return None
        if carries.whole_pixels:
            whole = rounded(now)
            if whole is not now:
                report.approximate(item, annotation, "", "coordinates rounded to whole pixels", what=now.variant)
                now = whole
        if now is annotation:
            now = clone(annotation)
        for name, default in self.lacking:
            value = getattr(now, name)
            if value is default or value == default:
                continue
            setattr(now, name, default)
            narrow = carries.only.get(now.kind)
            free = name not in now.attributes  # an attribute of this name says more than the flag
            if free and name in carries.as_attributes and (narrow is None or "attributes" in narrow):
                now.attributes = {**now.attributes, name: value}
                report.approximate(item, annotation, name, "written as an attribute of this name")
            else:
                report.drop(item, annotation, name, NO_FIELD)
        only = carries.only.get(now.kind)
        if only is not None:
            self._narrow(now, annotation, item, only)
        now.attributes = self.names(now.attributes, carries.attributes, item, annotation, "attributes")
        now.extras = self.extras(now.extras, item, annotation)
        return now

    def _narrow(self, now: Annotation, annotation: Annotation, item: Item, only: Collection[str]) -> None:
        """Take out what annotations of this kind cannot hold, although others can."""
        for name, default in FIELDS.items():
            if name not in only and getattr(now, name) != default and not (name == "z_order" and self.carries.order):
                setattr(now, name, default)
                self.report.drop(item, annotation, name, NO_FIELD)
        if "attributes" not in only:
            now.attributes = self.names(now.attributes, False, item, annotation, "attributes")

    def annotations(self, source: Item) -> list[Annotation]:
        """What the format holds of the annotations of one item; needs nothing but the schema."""
        if source.media not in self.carries.media:
            return []
        given = source.annotations
        if self.carries.merges:
            given = merge_groups(source, given, self.report, self.carries.merges)
        shown = (self.annotation(annotation, source) for annotation in given)
        return [annotation for annotation in shown if annotation is not None]


def _crossed(box: Box) -> bool:
    return box.x1 < box.x0 or box.y1 < box.y0
