"""What a format is: what it carries, how it is recognised, read and written."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from maskcodec.errors import FormatError
from maskcodec.formats._shared.jsonio import Document
from maskcodec.formats._shared.sink import NullSink, Sink
from maskcodec.formats._shared.source import Source
from maskcodec.model.annotations import Annotation
from maskcodec.model.dataset import Dataset, Item, Link
from maskcodec.model.schema import LabelSchema

__all__ = ["Capabilities", "Confidence", "Dataset", "Format", "NotThisFormat", "NullSink", "Probe", "Sink", "Source"]

Names = bool | Collection[str]
Kind = str | type[Annotation]


def _kind(kind: Kind) -> str:
    return kind if isinstance(kind, str) else kind.kind


class NotThisFormat(Exception):
    """Raised by ``detect``: the reason why the data is not of the format."""


class Confidence(NamedTuple):
    """How sure ``detect`` is.

    Attributes:
        level: 0 to 100. 20: nothing speaks against it; 50: layout fits; 80: content fits; 90 and more: a content that
            no other format has, or a more special rule than another format's that holds too.
        reason: what was seen.
    """

    level: int
    reason: str


@dataclass(frozen=True)
class Capabilities:
    """What a format holds; everything else is lost, and the shared write loop reports it.

    ``True`` means every name, ``False`` or ``()`` none, a collection the names in it.

    Attributes:
        kinds: annotation kinds (class, or variant name such as "rotated_box") that are written as they are.
        converts: variant -> kind that it is turned into before writing (see ``_shared/conversions.py``).
        fields: shared annotation fields that are kept (``id``, ``group_id``, ``is_crowd``...; not the category).
        as_attributes: shared fields that are written as an attribute of the same name, and reported so.
        attributes: names of annotation attributes that are kept.
        only: kind -> the shared fields that annotations of this kind keep, "attributes" among them or not; kinds that
            are not named keep all of ``fields``, ``as_attributes`` and ``attributes``.
        order: list order is paint order: annotations are written by z_order, whose numbers are lost.
        named_points: a skeleton has as many points as its category names, if it names any; other annotations become
            skeletons only so, boxes with no point labelled.
        single_points: an annotation has one point, without visibility; several are written one by one.
        merges: what of a group is one object (see ``_shared/grouping.py``): "paint", "apart", "hull"; "": nothing.
        flat: a pixel belongs to one annotation: "objects" makes masks disjoint, later ones in front; "classes" also
            joins the masks of each category, in the order of the schema; "segments" joins crowds and stuff, and sorts.
        sorted_items: items have no order of their own, they come back sorted by name; writers report a change.
        unordered: annotations of an item have no order of their own, they come back sorted by what they are.
        arrange: brings the annotations of an item, which are copies, into the form of the format:
            ``(item, item as it was, report)``.
        admits: why an annotation of a kind that is carried cannot be written all the same, "" where it can:
            ``(annotation, schema)``.
        by_label: like ``arrange``, with the schema, and made anew for each pass over the items, as it may count:
            ``() -> (item, item as it was, report, schema)``.
        needs_category: annotations (or those of the kinds named) without a category of the schema are dropped.
        whole_pixels: coordinates are integers; others are rounded, halves up.
        ordered: corners of boxes come in order, left before right, top before bottom; others are exchanged.
        tags_as_attributes: tags and captions are written as attributes of their image.
        tags_last: tags are kept apart from shapes; a reader finds them after all others.
        apart: kinds that are kept in files of their own; a reader finds them after all others, in this order.
        tracks_last: shapes of tracks are kept apart from the others; a reader finds them after all others.
        media: kinds of media ("image", "point_cloud").
        named_by: items are known by the "path" of their image, or by its "stem", the path without the ending; the id is
            that stem then, and names are made unique and safe. "frame": by sequence and number (``one_folder``: all of
            one sequence); "sparse": likewise, numbers need not follow each other. "": the format keeps ids of its own.
        first_frame: number of the first frame of a sequence ("sparse").
        one_folder: names of items are unique over all subsets.
        subsets: whether subsets are kept.
        default_subset: the subset that items of the subset ``default`` are put into (with ``named_by``).
        item_fields: ``Item`` fields kept: "path", "width", "height", "sequence", "frame", "timestamp", "sensor",
            "status".
        image_sizes: width and height are those of the image files, if these come along.
        item_attributes: names of item attributes that are kept.
        category_fields: ``Category`` fields kept besides the name: "id", "color", "kind", "parent", "attributes",
            "keypoints", "skeleton".
        schema_fields: "attributes" (of items), "tag_groups", "background".
        info: keys of ``Dataset.info`` that are kept.
        dataset_fields: "tracks" (with their attributes), "links".
        admits_link: whether a link can be written, of the kinds that the format holds.
        namespaces: keys of ``extras`` that are written back; usually the name of the format.
    """

    kinds: Collection[Kind] = ()
    converts: Mapping[Any, Kind] = field(default_factory=dict)
    fields: Collection[str] = ()
    as_attributes: Collection[str] = ()
    attributes: Names = False
    only: Mapping[str, Collection[str]] = field(default_factory=dict)
    order: bool = False
    merges: str = ""
    flat: str = ""
    sorted_items: bool = False
    unordered: bool = False
    arrange: Callable[[Item, Item, Any], None] | None = None
    admits: Callable[[Annotation, LabelSchema], str] | None = None
    by_label: Callable[[], Callable[[Item, Item, Any, LabelSchema], None]] | None = None
    needs_category: Names = False
    tags_as_attributes: bool = False
    tags_last: bool = False
    apart: tuple[str, ...] = ()
    tracks_last: bool = False
    whole_pixels: bool = False
    ordered: bool = True
    named_points: bool = False
    single_points: bool = False
    media: Collection[str] = ("image",)
    named_by: str = ""
    first_frame: int = 0
    one_folder: bool = False
    subsets: bool = False
    default_subset: str = "default"
    item_fields: Collection[str] = ("path", "width", "height")
    image_sizes: bool = False
    item_attributes: Names = False
    category_fields: Collection[str] = ("id",)
    schema_fields: Collection[str] = ()
    info: Names = False
    dataset_fields: Collection[str] = ()
    admits_link: Callable[[Link], bool] | None = None
    namespaces: Collection[str] = ()

    @property
    def variants(self) -> frozenset[str]:
        """``kinds`` as variant names."""
        return frozenset(map(_kind, self.kinds))

    @property
    def conversions(self) -> dict[str, str]:
        """``converts`` as variant names."""
        return {_kind(a): _kind(b) for a, b in self.converts.items()}


class Probe:
    """What detection looks at: the listing, first bytes, outlines of JSON files; made once for all formats."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.files = source.files
        self._heads: dict[str, bytes] = {}
        self._json: dict[int, dict[str, Document]] = {}
        self.damaged: dict[str, str] = {}

    def head(self, name: str, size: int = 4096) -> bytes:
        """First bytes of a file."""
        if name not in self._heads:
            self._heads[name] = self.source.read(name, max(size, 4096))
        return self._heads[name][:size]

    def matching(self, *suffixes: str) -> list[str]:
        """Files whose name ends so (any letter case)."""
        return [name for name in self.files if name.lower().endswith(suffixes)]

    def json(self, limit: int = 16) -> dict[str, Document]:
        """Outlines of the first JSON files, by content; a file alone counts whatever its name."""
        if limit not in self._json:
            found: dict[str, Document] = {}
            names = self.files if len(self.files) == 1 else self.matching(".json")
            for name in names:
                if len(found) >= limit:
                    break
                head = self.head(name).lstrip(b"\xef\xbb\xbf \t\r\n")
                if head[:1] not in (b"{", b"["):
                    if name.lower().endswith(".json"):
                        self.damaged[name] = "does not begin like a JSON object or list" if head else "is empty"
                    continue
                try:
                    found[name] = self.source.document(name)
                except FormatError as error:
                    self.damaged[name] = str(error)
            self._json[limit] = found
        return self._json[limit]


def options_of(function: Callable[..., Any] | None) -> dict[str, inspect.Parameter]:
    """Keyword-only parameters of a reader or writer: its options."""
    if function is None:
        return {}
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


@dataclass(frozen=True)
class Format:
    """One format, as a module lists it in ``FORMATS``.

    Attributes:
        name: registry name, snake_case.
        title: name for people.
        carries: what it holds; or a function of the writer's options (as keywords) that says so.
        detect: looks at a probe; returns a ``Confidence`` or raises ``NotThisFormat`` with the reason.
        read: ``(source, *, options) -> Dataset``; problems go to ``source.problem``; None where import is undefined.
        write: ``(dataset, sink, report, *, options) -> None``. The data set holds only what the format carries, the
            first pass over its items reports the rest; special losses go to ``report``. None: no export.
        spec: where the format is described.
        aliases: other names.
        streams: "r", "w" or "rw": item by item in bounded memory.
        single: suffix of the single file (".json") when the output may be one.
        media: name in the output for the media file of an item, which options of the writer (as keywords) may change;
            None: the item's path.
        place: like ``media``, for formats that keep images by their class: ``(item, schema) -> name``.
        places: like ``place``, where an image has several copies or its name depends on others': made once a run by
            ``(data set, report)``, then called with every item, and as it was: ``(item, source) -> names``.
        parts: names of the formats that this one reads and writes together (a family such as "coco"); where a part
            recognises the data as well as the family, the part is meant.
        settle: ``(data set, options) -> options`` of the writer: what the caller left open, by a look at the data set.
    """

    name: str
    title: str
    carries: Capabilities | Callable[..., Capabilities]
    detect: Callable[[Probe], Confidence]
    read: Callable[..., Dataset] | None = None
    write: Callable[..., None] | None = None
    spec: str = ""
    aliases: tuple[str, ...] = ()
    streams: str = ""
    single: str = ""
    media: Callable[..., str | None] | None = None
    place: Callable[[Item, LabelSchema], str | None] | None = None
    places: Callable[[Dataset, Any], Callable[[Item, Item], list[str]]] | None = None
    parts: tuple[str, ...] = ()
    settle: Callable[[Dataset, Mapping[str, Any]], Mapping[str, Any]] | None = None

    def capabilities(self, options: Mapping[str, Any] | None = None) -> Capabilities:
        """What it carries under the options of the writer."""
        if isinstance(self.carries, Capabilities):
            return self.carries
        return self.carries(**_known(self.carries, options or {}))

    def medium(self, item: Item, options: Mapping[str, Any]) -> str | None:
        """Name in the output for the media file of an item, under the options of the writer."""
        return item.path if self.media is None else self.media(item, **_known(self.media, options))

    @property
    def read_options(self) -> dict[str, inspect.Parameter]:
        """Options of the reader."""
        return options_of(self.read)

    @property
    def write_options(self) -> dict[str, inspect.Parameter]:
        """Options of the writer."""
        return options_of(self.write)


def _known(function: Callable[..., Any], options: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in options.items() if k in inspect.signature(function).parameters}


def first_reason(reasons: Iterable[str]) -> str:
    """The first text, or "" when there is none."""
    return next(iter(reasons), "")
