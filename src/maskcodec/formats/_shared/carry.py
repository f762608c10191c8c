"""The shared write loop: shows a writer only what its format carries and reports everything else.

The writer iterates over a view of the data set. On its way through the view each annotation of a kind that the format
lacks is converted or dropped, each field that it lacks is reset, and the report hears of it during the first pass.
Planning and writing run the same code, so the prediction cannot differ from the result.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from operator import attrgetter
from typing import Any

from maskcodec.formats._base import Capabilities
from maskcodec.formats._shared.carry_order import paint_order, single_points
from maskcodec.formats._shared.carry_whole import NO_FIELD, Whole, clone
from maskcodec.formats._shared.conversions import CONVERSIONS, Impossible, convert, named_points
from maskcodec.formats._shared.coordinates import rounded
from maskcodec.formats._shared.flatten import flatten
from maskcodec.formats._shared.grouping import merge_groups
from maskcodec.formats._shared.naming import Names
from maskcodec.formats._shared.sequences import FrameNames
from maskcodec.formats._shared.tags import tags_to_attributes
from maskcodec.model.annotations import Annotation, Box, Skeleton
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["carried", "shown_annotations"]

_FIELDS: dict[str, Any] = {
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
_ITEM_FIELDS = ("path", "width", "height", "sequence", "frame", "timestamp", "sensor", "status")


class _View(Whole):
    def __init__(self, carries: Capabilities, report: LossReport, schema: LabelSchema, media: bool) -> None:
        super().__init__(carries, report)
        self.schema, self.media = schema, media
        paths = carries.named_by == "path"
        together, default = carries.one_folder or not carries.subsets, carries.default_subset
        names = Names(report, paths=paths, together=together, kept=media, default=default)
        if carries.named_by in ("frame", "sparse"):
            sparse = carries.named_by == "sparse"
            several, first = not carries.one_folder, carries.first_frame
            names = FrameNames(report, several=several, kept=media, sparse=sparse, first=first)
        self.by_label = carries.by_label() if carries.by_label is not None else None
        self.naming = names if carries.named_by else None
        self.variants = carries.variants | ({"tag", "caption"} if carries.tags_as_attributes else frozenset())
        self.conversions = carries.conversions
        self.lacking = [
            (name, default)
            for name, default in _FIELDS.items()
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
        for name, default in _FIELDS.items():
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

    def item(self, source: Item, annotations: list[Annotation] | None = None) -> Item | None:
        """What the format holds of one item; None when nothing. ``annotations``: where they were shown already."""
        carries, report = self.carries, self.report
        if source.media not in carries.media:
            report.drop(source, None, "", f"the format has no {source.media.replace('_', ' ')} items")
            return None
        item = clone(source)
        if item.path is not None and "\\" in item.path:
            item.path = item.path.replace("\\", "/")
            report.rename(source, None, "path", "paths have / between their parts")
        for name in _ITEM_FIELDS:
            stored = name in carries.item_fields or (self.media and carries.image_sizes and name in ("width", "height"))
            if not stored and getattr(item, name) is not None:
                setattr(item, name, None)
                report.drop(source, None, name, NO_FIELD)
        if not carries.subsets and item.subset != "default":
            item.subset = "default"
            report.drop(source, None, "subset", "the format has no subsets")
        if self.naming is not None:
            self.naming.give(item, source)
        item.attributes = self.names(item.attributes, carries.item_attributes, source, None, "attributes")
        item.extras = self.extras(item.extras, source, None)
        item.annotations = self.annotations(source) if annotations is None else annotations
        if carries.tags_as_attributes:
            tags_to_attributes(item, source, report, self.schema)
        if carries.single_points:
            item.annotations = [one for a in item.annotations for one in single_points(a, source, report)]
        if carries.order:
            paint_order(item, source, report)
        if carries.flat:
            flatten(item, source, report, self.schema, carries.flat, clone)
        if carries.arrange is not None:
            carries.arrange(item, source, report)
        if self.by_label is not None:
            self.by_label(item, source, report, self.schema)
        if carries.tags_last:
            item.annotations.sort(key=lambda annotation: annotation.kind == "tag")
        if carries.apart:
            places = {kind: at for at, kind in enumerate(carries.apart, 1)}
            item.annotations.sort(key=lambda annotation: places.get(annotation.kind, 0))
        if carries.tracks_last:
            item.annotations.sort(key=lambda annotation: annotation.kind != "tag" and annotation.track_id is not None)
        return item


def _crossed(box: Box) -> bool:
    return box.x1 < box.x0 or box.y1 < box.y0


class _Items:
    """Items as the format holds them; the first pass reports, later ones are silent.

    Items that have a method ``shown`` give pairs instead: the item, and its annotations as ``shown_annotations`` made
    them (None: not yet).
    """

    def __init__(self, items: Any, view: _View, seen: Callable[[Item, Item], None] | None) -> None:
        self._items, self._view, self._seen, self._passes = items, view, seen, 0

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        first = self._passes == 0
        self._passes += 1
        view = self._view if first else _View(self._view.carries, LossReport(), self._view.schema, self._view.media)
        shown = getattr(self._items, "shown", None)
        for source, ready in shown() if shown is not None else ((one, None) for one in self._items):
            item = view.item(source, ready)
            if item is not None:
                if first and self._seen is not None:
                    self._seen(source, item)
                yield item


def shown_annotations(carries: Capabilities, report: LossReport, schema: LabelSchema) -> Callable[[Item], Any]:
    """The part of the loop that looks at one annotation at a time, to be run apart from the rest: item -> annotations.

    Args:
        carries: of the format.
        report: hears of what these annotations lose.
        schema: of the data set.
    """
    return _View(carries, report, schema, False).annotations


def carried(
    dataset: Dataset,
    carries: Capabilities,
    report: LossReport,
    seen: Callable[[Item, Item], None] | None = None,
) -> Dataset:
    """A view of a data set that holds only what a format carries.

    Args:
        dataset: is not modified.
        carries: of the format.
        report: hears of everything that the view leaves out: of the data set now, of items during the first pass.
        seen: called in the first pass with the item as it was and as the writer gets it.
    """
    view = _View(carries, report, dataset.schema, seen is not None)
    return view.dataset(dataset, _Items(dataset.items, view, seen))
