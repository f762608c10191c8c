"""The shared write loop: shows a writer only what its format carries and reports everything else.

The writer iterates over a view of the data set. On its way through the view each annotation of a kind that the format
lacks is converted or dropped, each field that it lacks is reset, and the report hears of it during the first pass.
Planning and writing run the same code, so the prediction cannot differ from the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from maskcodec.formats._base import Capabilities
from maskcodec.formats._shared.carry_annotations import Shown
from maskcodec.formats._shared.carry_order import paint_order, single_points
from maskcodec.formats._shared.carry_whole import NO_FIELD, clone
from maskcodec.formats._shared.flatten import flatten
from maskcodec.formats._shared.naming import Names
from maskcodec.formats._shared.sequences import FrameNames
from maskcodec.formats._shared.tags import tags_to_attributes
from maskcodec.model.annotations import Annotation
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["carried", "shown_annotations"]

_ITEM_FIELDS = ("path", "width", "height", "sequence", "frame", "timestamp", "sensor", "status")


class _View(Shown):
    def __init__(self, carries: Capabilities, report: LossReport, schema: LabelSchema, media: bool) -> None:
        super().__init__(carries, report, schema)
        self.media = media
        paths = carries.named_by == "path"
        together, default = carries.one_folder or not carries.subsets, carries.default_subset
        names = Names(report, paths=paths, together=together, kept=media, default=default)
        if carries.named_by in ("frame", "sparse"):
            sparse = carries.named_by == "sparse"
            several, first = not carries.one_folder, carries.first_frame
            names = FrameNames(report, several=several, kept=media, sparse=sparse, first=first)
        self.by_label = carries.by_label() if carries.by_label is not None else None
        self.naming = names if carries.named_by else None

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
    return Shown(carries, report, schema).annotations


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
