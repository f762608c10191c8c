"""The parts of the shared write loop that look at a data set as a whole: schema, tracks, links, info, extras."""

from __future__ import annotations

from dataclasses import fields
from itertools import repeat
from operator import attrgetter
from typing import Any, TypeVar

from maskcodec.formats._base import Capabilities
from maskcodec.formats._shared.trackvalues import Unsaid
from maskcodec.model.dataset import Dataset, Link, Track
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import AttributeSpec, Category, LabelSchema, TagGroup

__all__ = ["NO_FIELD", "Whole", "clone"]

T = TypeVar("T")
Related = TypeVar("Related", Track, Link)
_fields: dict[type, tuple[tuple[str, ...], Any]] = {}
_CATEGORY_FIELDS: dict[str, Any] = {
    "color": None, "kind": "thing", "parent": None, "attributes": [], "keypoints": [], "skeleton": [],
}  # fmt: skip
NO_FIELD = "the format has no place for it"


def clone(value: T) -> T:
    """A shallow copy of a slots dataclass, without running its checks again."""
    kind = type(value)
    known = _fields.get(kind)
    if known is None:
        names = tuple(f.name for f in fields(value))  # type: ignore[arg-type]
        known = _fields[kind] = names, attrgetter(*names)
    names, values = known
    copy = object.__new__(kind)
    for _ in map(setattr, repeat(copy), names, values(value)):
        pass
    return copy


class Whole:
    """What a format holds of everything but items; a loss report hears of the rest."""

    def __init__(self, carries: Capabilities, report: LossReport) -> None:
        self.carries = carries
        self.report = report

    def extras(self, extras: dict[str, Any], item: Any, annotation: Any, what: str | None = None) -> dict[str, Any]:
        """The namespaces that the format writes back; every key of the others is entered as dropped.

        Keys that begin with ``#`` are notes of a reader about the form of its file, not data.
        """
        if not extras or all(name in self.carries.namespaces for name in extras):
            return extras
        for name, values in extras.items():
            if name not in self.carries.namespaces:
                for key in values:
                    if key[:1] != "#":
                        self.report.drop(item, annotation, f"extras.{name}.{key}", f"known to {name} only", what=what)
        return {name: values for name, values in extras.items() if name in self.carries.namespaces}

    def names(
        self, values: dict[str, Any], kept: Any, item: Any, annotation: Any, field: str, what: str | None = None
    ) -> dict[str, Any]:
        """The entries of a dict that are kept by name."""
        if not values or kept is True:
            return values
        kept = kept or ()
        for name in values:
            if name not in kept:
                self.report.drop(item, annotation, f"{field}.{name}", NO_FIELD, what=what)
        return {name: value for name, value in values.items() if name in kept}

    def category(self, source: Category) -> Category:
        """What the format holds of one category."""
        category = clone(source)
        for name, default in _CATEGORY_FIELDS.items():
            if name not in self.carries.category_fields and getattr(category, name) != default:
                setattr(category, name, type(default)() if isinstance(default, list) else default)
                self.report.drop(source.name, None, name, NO_FIELD, what="category")
        category.extras = self.extras(category.extras, source.name, None, "category")
        category.attributes = [self.spec(spec) for spec in category.attributes]
        return category

    def spec(self, source: AttributeSpec) -> AttributeSpec:
        """What the format holds of one definition."""
        if not source.extras and not source.children:
            return source
        spec = clone(source)
        spec.extras = self.extras(spec.extras, source.name, None, "attribute")
        spec.children = [self.spec(child) for child in spec.children]
        return spec

    def group(self, source: TagGroup) -> TagGroup:
        """What the format holds of one group of tags."""
        group = clone(source)
        group.extras = self.extras(group.extras, source.name, None, "tag group")
        return group

    def dataset(self, source: Dataset, items: Any) -> Dataset:
        """The data set that the writer sees."""
        carries, report, schema = self.carries, self.report, source.schema
        shown = LabelSchema([self.category(c) for c in schema.categories], background=schema.background)
        for name in ("attributes", "tag_groups", "background"):
            value = getattr(schema, name)
            if name in carries.schema_fields:
                kept: Any = self.spec if name == "attributes" else self.group
                setattr(shown, name, value if name == "background" else [kept(one) for one in value])
            elif value not in (None, []):
                setattr(shown, name, None if name == "background" else [])
                count = len(value) if isinstance(value, list) else 1
                report.drop(None, None, name, NO_FIELD, what="schema", count=count)
        tracks = source.tracks
        if "tracks" not in carries.dataset_fields:
            unsaid = Unsaid(tracks)
            for item in getattr(source.items, "plain", source.items) if unsaid else ():  # not the pass that is counted
                unsaid.look(item)
            for key, track in tracks.items():
                self.track(track, unsaid.names(key))
            tracks = {}
        tracks = {key: self.foreign(track, str(track.id), "track") for key, track in tracks.items()}
        links = source.links
        if links and "links" not in carries.dataset_fields:
            report.drop(None, None, "links", "the format has no links", count=len(links))
            links = []
        if carries.admits_link is not None:
            kept_links = [link for link in links if carries.admits_link(link)]
            if len(kept_links) < len(links):
                text = "the format has no links of this kind"
                report.drop(None, None, "links", text, count=len(links) - len(kept_links))
            links = kept_links
        links = [self.foreign(link, f"{link.source} -> {link.target}", "link") for link in links]
        info = self.names(source.info, carries.info, None, None, "info")
        extras = self.extras(source.extras, None, None)
        return Dataset(
            shown, items, tracks, links, info, extras, source.source, report=source.report, media=source.media
        )

    def foreign(self, source: Related, name: str, what: str) -> Related:
        """A track or link without what only other formats know of it."""
        extras = self.extras(source.extras, None, name, what)
        if extras is source.extras:
            return source
        kept = clone(source)
        kept.extras = extras
        return kept

    def track(self, source: Track, alone: list[str]) -> None:
        """Report what only the track itself holds; its id and category are those of its shapes."""
        for name in alone:
            self.report.drop(None, str(source.id), f"attributes.{name}", NO_FIELD, what="track")
        for name, values in source.extras.items():
            for key in values:
                self.report.drop(None, str(source.id), f"extras.{name}.{key}", NO_FIELD, what="track")
