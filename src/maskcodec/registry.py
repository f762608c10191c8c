"""The table of formats, and reading, writing, converting and detecting through it.

A format is one module and one line in ``_TABLE``. Modules are imported when they are needed; other packages add
formats through the entry point group ``maskcodec.formats`` (an entry point names a tuple of ``Format``).
"""

from __future__ import annotations

import difflib
import importlib
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from maskcodec.errors import AmbiguousFormatError, FormatError, LossWarning, UnknownFormatError, shorten
from maskcodec.model.dataset import Dataset, Item, LazyItems, Origin, Origins
from maskcodec.model.losses import LossReport, item_name

if TYPE_CHECKING:
    from maskcodec.formats._base import Confidence, Format, Probe
    from maskcodec.formats._shared.source import Source

__all__ = ["convert", "detect", "examine", "formats", "get_format", "plan", "read", "write"]

# name -> module below maskcodec.formats
_TABLE: dict[str, str] = {
    "hasty_json": "hasty_json",
    "segments_image_segmentation": "segments.image",
    "segments_image_vector": "segments.image",
    "segments_pointcloud_cuboid": "segments.image",
    "segments_pointcloud_vector": "segments.image",
    "segments_pointcloud_segmentation": "segments.image",
    "segments_image_sequence": "segments.series",
    "segments_pointcloud_sequence": "segments.series",
    "segments_multisensor": "segments.series",
    "segments": "segments.series",
    "coco_instances": "coco",
    "coco_keypoints": "coco",
    "coco_captions": "coco",
    "coco_labels": "coco",
    "coco_stuff": "coco",
    "coco_image_info": "coco",
    "coco_panoptic": "coco",
    "coco_results": "coco",
    "coco": "coco",
    "hasty_coco": "hasty_coco",
    "cvat_images": "cvat_xml",
    "cvat_video": "cvat_xml",
    "cvat_xml": "cvat_xml",
    "hasty_bbox": "hasty_imports",
    "hasty_polygon": "hasty_imports",
    "hasty_semantic": "hasty_imports",
    "hasty_label_classes": "hasty_imports",
    "datumaro": "datumaro",
    "datagym": "datagym",
    "segmentation_mask": "segmentation_mask",
    "voc": "voc",
    "mot": "mot",
    "tfrecord": "tfrecord",
    "open_images": "open_images",
    "mots_png": "mots",
    "mots_txt": "mots",
    "camvid": "camvid",
    "kitti_detection": "kitti",
    "kitti_segmentation": "kitti",
    "kitti": "kitti",
    "kitti_raw": "kitti",
    "cityscapes": "cityscapes",
    "cityscapes_results": "cityscapes",
    "labelme": "labelme",
    "labelme_json": "labelme",
    "yolo": "yolo",
    "ultralytics_detect": "yolo",
    "ultralytics_segment": "yolo",
    "ultralytics_obb": "yolo",
    "ultralytics_pose": "yolo",
    "ultralytics_classify": "yolo",
    "imagenet": "imagenet",
    "imagenet_txt": "imagenet",
    "wider_face": "wider_face",
    "vgg_face2": "vgg_face2",
    "market1501": "market1501",
    "lfw": "lfw",
    "icdar_word_recognition": "icdar",
    "icdar_text_localization": "icdar",
    "icdar_text_segmentation": "icdar",
    "arrow": "arrow",
}
# A name for a family: reading takes the member that recognises the data, writing the first one. A family whose parts
# can be read together is a format of its own in the table instead, with ``Format.parts``.
_UMBRELLAS: dict[str, tuple[str, ...]] = {
    "hasty": ("hasty_json", "hasty_coco"),
    "mots": ("mots_png", "mots_txt"),
    "ultralytics": (
        "ultralytics_detect", "ultralytics_segment", "ultralytics_obb", "ultralytics_pose", "ultralytics_classify",
    ),
}
_LISTED = 1500  # characters of reasons why no format fits
_FILES = (".json", ".xml", ".txt", ".csv", ".yaml", ".yml", ".png", ".parquet", ".tfrecord", ".tar", ".gz", ".7z")
MEDIA = ("reference", "copy", "hardlink", "symlink", "move", "list", "none")
_loaded: dict[str, Format] = {}
_PathLike = str | os.PathLike[str]


def _load(name: str) -> Format:
    if name not in _loaded:
        module = importlib.import_module(f"maskcodec.formats.{_TABLE[name]}")
        for format in module.FORMATS:
            _loaded.setdefault(format.name, format)
    return _loaded[name]


def _outside() -> None:
    """Load the formats of other packages, once.

    A thread that comes while another one is at it loads them too: a lock, held while modules are imported, could wait
    for a module whose import waits for the lock. A package that asks for the formats while it is imported gets ours.
    """
    if "" in _outside_done or getattr(_outside_busy, "here", False):
        return
    _outside_busy.here = True
    try:
        _load_outside()
    finally:
        _outside_busy.here = False
        _outside_done.add("")


def _load_outside() -> None:
    from importlib.metadata import entry_points

    for entry in entry_points(group="maskcodec.formats"):
        try:
            found = entry.load()
        except Exception as error:  # noqa: BLE001 - somebody else's package must not break ours
            warnings.warn(f"formats of {entry.value} cannot be loaded: {error}", RuntimeWarning, stacklevel=4)
            continue
        for format in found:
            if format.name in _TABLE or format.name in _UMBRELLAS:
                warnings.warn(f"{entry.value} may not replace {format.name}", RuntimeWarning, stacklevel=4)
            else:
                _loaded.setdefault(format.name, format)


_outside_done: set[str] = set()
_outside_busy = threading.local()


def formats() -> Mapping[str, Format]:
    """All registered formats by name, in the order of the table (read-only).

    Example:
        >>> formats()["coco_instances"].title
        'COCO instances'
    """
    for name in _TABLE:
        _load(name)
    _outside()
    ordered = {name: _loaded[name] for name in _TABLE}
    return MappingProxyType({**ordered, **_loaded})


def _members(name: str) -> list[Format]:
    return [_load(member) for member in _UMBRELLAS[name] if member in _TABLE]


def get_format(name: str) -> Format:
    """The format of a registry name, an alias or a family name (then its first member).

    Raises:
        UnknownFormatError: no such name; the message suggests the nearest.
    """
    if not isinstance(name, str):
        raise TypeError(f"a format is given by its name, got {type(name).__name__}")
    if name in _TABLE:
        return _load(name)
    if name in _UMBRELLAS and _members(name):
        return _members(name)[0]
    known = formats()
    if name in known:
        return known[name]
    names = {alias.casefold(): format.name for format in known.values() for alias in (format.name, *format.aliases)}
    if name.casefold() in names:
        return known[names[name.casefold()]]
    near = difflib.get_close_matches(name.casefold(), [*names, *_UMBRELLAS], 3, 0.5)
    hint = f", did you mean {' or '.join(near)}?" if near else f"; known are {', '.join(known)}"
    raise UnknownFormatError(f"unknown format {shorten(name)}{hint}", candidates=dict.fromkeys(near, "near name"))


def _ask(candidates: Iterable[Format], probe: Probe) -> tuple[dict[str, Confidence], dict[str, str]]:
    from maskcodec.formats._base import NotThisFormat

    yes: dict[str, Confidence] = {}
    no: dict[str, str] = {}
    for format in candidates:
        if format.read is None:
            continue
        try:
            yes[format.name] = format.detect(probe)
        except (NotThisFormat, FormatError, OSError) as error:
            no[format.name] = str(error)
    return yes, no


def _choose(candidates: Iterable[Format], source: Source) -> Format:
    from maskcodec.formats._base import Probe

    probe = Probe(source)
    yes, no = _ask(candidates, probe)
    if not yes:
        damaged = [f"{name}: {reason}" for name, reason in probe.damaged.items()]
        alike: dict[str, list[str]] = {}
        for name, reason in no.items():
            alike.setdefault(reason, []).append(name)
        # What a format found comes before what it did not find.
        order = sorted(alike, key=lambda reason: not any(name in reason for name in source.files[:50]))
        lines = damaged + [f"not {', '.join(alike[reason])}: {reason}" for reason in order]
        if sum(map(len, lines)) > _LISTED:
            shown = next(count for count in range(len(lines)) if sum(map(len, lines[: count + 1])) > _LISTED)
            rest = f"... and {len(lines) - max(shown, 1)} more reasons, see candidates"
            lines = [*lines[: max(shown, 1)], rest]
        listing = ", ".join(source.files[:5]) or "nothing"
        raise UnknownFormatError(
            f"no format recognised ({len(source.files)} files: {listing})\n  " + "\n  ".join(lines),
            file=source.path,
            candidates=no,
        )
    best = max(confidence.level for confidence in yes.values())
    winners = {name: found.reason for name, found in yes.items() if found.level == best}
    for name in [name for name in winners if winners.keys() & _loaded[name].parts]:
        del winners[name]  # a family never ties with its own parts
    if len(winners) > 1:
        lines = [f"{name}: {reason}" for name, reason in winners.items()]
        raise AmbiguousFormatError(
            "several formats fit, name one of them\n  " + "\n  ".join(lines), file=source.path, candidates=winners
        )
    return _loaded[next(iter(winners))]


def examine(path: _PathLike | bytes) -> tuple[dict[str, Confidence], dict[str, str]]:
    """What every format says about some data: name -> confidence, and name -> reason against."""
    from maskcodec.formats._base import Probe, Source

    return _ask(formats().values(), Probe(Source(path)))


def detect(path: _PathLike | bytes) -> str:
    """Name of the format of a folder, zip or file, by its content.

    Raises:
        UnknownFormatError: none fits; ``candidates`` has every reason.
        AmbiguousFormatError: several fit equally well.
    """
    from maskcodec.formats._base import Source

    return _choose(formats().values(), Source(path)).name


def _check_options(given: Mapping[str, Any], known: Mapping[str, Any], what: str) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f", did you mean {near[0]!r}?" if near else f"; it has {', '.join(known) or 'none'}"
            raise TypeError(f"{what} has no option {name!r}{hint}")


def _check_loss(on_loss: str) -> None:
    if on_loss not in ("warn", "raise", "ignore"):
        raise ValueError(f'on_loss is "warn", "raise" or "ignore", got {on_loss!r}')


def _warn(report: LossReport, on_loss: str, what: str) -> None:
    if len(report) and on_loss == "warn":
        warnings.warn(f"{what}: {report}", LossWarning, stacklevel=3)


def read(
    path: _PathLike | bytes,
    format: str | None = None,
    *,
    on_error: str = "raise",
    on_loss: str = "warn",
    **options: Any,
) -> Dataset:
    """Read a data set; items are loaded while they are iterated over.

    Args:
        path: folder, zip or file; or the bytes of a zip or file.
        format: registry name, alias or family; None: by content.
        on_error: "raise" at the first fault, or "skip" the smallest unit possible and enter it in
            ``Dataset.report``, which is complete after a whole pass over the items.
        on_loss: what to do about an entry in the report: "warn" (about those known on return), "raise", "ignore".
        options: of the format's reader.

    Raises:
        FormatError: the data breaks the rules of its format; during iteration for faults within items.
        UnknownFormatError: no format fits.
        AmbiguousFormatError: several formats fit.
    """
    _check_loss(on_loss)
    from maskcodec.formats._base import Source

    source = Source(path, on_error=on_error)
    source.report.stop = on_loss == "raise"
    dataset = _read(source, format, options)
    _warn(dataset.report, on_loss, f"reading {source.path}")
    return dataset


def _read(source: Source, name: str | None, options: Mapping[str, Any]) -> Dataset:
    if name is None:
        chosen = _choose(formats().values(), source)
    elif name in _UMBRELLAS and len(_members(name)) > 1:
        chosen = _choose(_members(name), source)
    else:
        chosen = get_format(name)
    if chosen.read is None:
        raise ValueError(f"{chosen.name} cannot be read, only written")
    _check_options(options, chosen.read_options, f"reading {chosen.name}")
    dataset = chosen.read(source, **options)
    if isinstance(dataset.items, LazyItems):
        dataset.items = dataset.items.through(Once(source))
    dataset.report = source.report
    if dataset.media is None:
        dataset.media = source
    if dataset.source is None:
        dataset.source = Origin(chosen.name, source.path)
    return dataset


class Once:
    """What is wrong with an item is entered in the report when it is loaded first, not again in later passes.

    One item of a data set is loaded at a time: readers note what they have seen and said, so threads that share a data
    set take turns. Threads with a data set each do not wait for each other.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._told: set[Any] = set()
        self._turn = threading.RLock()

    def __call__(self, load: Callable[[Any], Item | None], entry: Any) -> Item | None:
        with self._turn:
            return self._load(load, entry)

    def _load(self, load: Callable[[Any], Item | None], entry: Any) -> Item | None:
        source, report = self._source, self._source.report
        key = entry if isinstance(entry, (int, str)) else id(entry)  # the index keeps the entry alive
        if key in self._told:
            source.report = LossReport()
            try:
                return load(entry)
            finally:
                source.report = report
        before = report.total
        try:
            return load(entry)
        finally:
            if report.total != before:
                self._told.add(key)


def _run(
    dataset: Dataset, chosen: Format, sink: Any, report: LossReport, media: str, options: Mapping[str, Any]
) -> None:
    from maskcodec.formats._shared.carry import carried

    if media not in MEDIA:
        near = difflib.get_close_matches(media, MEDIA, 1) if isinstance(media, str) else []
        hint = f", did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"media is one of {', '.join(MEDIA)}, got {media!r}{hint}")
    if chosen.write is None:
        raise ValueError(f"{chosen.name} cannot be written, only read")
    _check_options(options, chosen.write_options, f"writing {chosen.name}")
    if chosen.settle is not None:
        options = chosen.settle(dataset, options)

    placed = media not in ("reference", "none")
    sink.media = "copy" if placed else media
    places = chosen.places(dataset, report) if chosen.places is not None and placed else None

    def copy(source: Item, item: Item) -> None:
        stream = None
        file = _file(dataset.media, source) if media != "copy" else None
        if dataset.media is not None:
            stream = dataset.media.open_media(source)
        if stream is None:
            report.drop(source, None, "media", "the media file was not found")
            return
        names: list[Any]  # a medium without a name is refused by the sink
        if places is not None:
            names = places(item, source)
        elif chosen.place is not None:
            names = [chosen.place(item, dataset.schema)]
        else:
            names = [chosen.medium(item, options)]
        if media != "copy":
            stream.close()
            if file is None:
                text = "its image lies in an archive or a record, from where it can be copied alone"
                raise ValueError(f"{item_name(source)}: {text}")
            for name in names:
                sink.place(name, file, media)
            return
        with stream, ExitStack() as opened:
            targets = [opened.enter_context(sink.open(name)) for name in names]
            while block := stream.read(1 << 20):
                for target in targets:
                    target.write(block)

    shown = carried(dataset, chosen.capabilities(options), report, copy if placed else None)
    if media == "none":
        shown.media = None
    chosen.write(shown, sink, report, **options)


def _file(media: Any, item: Item) -> str | None:
    """Path of the media file of an item, if it is a file of its own."""
    from maskcodec.formats._shared.source import safe_join

    if isinstance(media, Origins):
        found = media.origin(item)
        return _file(*found) if found is not None else None
    name = media.media_name(item) if hasattr(media, "media_name") else None
    source = getattr(media, "source", media)
    if name is None or source.root is None or source.kind == "zip":
        return None
    return os.path.abspath(safe_join(source.root, name))


def plan(dataset: Dataset, format: str, *, media: str = "reference", **options: Any) -> LossReport:
    """What ``write`` would lose, without touching the disk: the same code runs into a sink that keeps nothing.

    Args:
        dataset: what to write.
        format: registry name, alias or family.
        media: as of ``write``.
        options: of the format's writer.
    """
    from maskcodec.formats._base import NullSink

    report = LossReport()
    _run(dataset, get_format(format), NullSink(), report, media, options)
    return report


def write(
    dataset: Dataset,
    path: _PathLike,
    format: str,
    *,
    on_loss: str = "warn",
    media: str = "reference",
    overwrite: bool = False,
    **options: Any,
) -> LossReport:
    """Write a data set; the output is complete or absent.

    Args:
        dataset: what to write; is not modified.
        path: a folder; a zip when it ends in ``.zip``; a single file where the format can be one (``.json``).
        format: registry name, alias or family.
        on_loss: "warn" once at the end, "raise" at the first loss (then nothing is written), or "ignore".
        media: "copy" copies the media files into the output; "hardlink", "symlink" and "move" place them there without
            copying (folders alone); "list" writes ``<path>.media.tsv``, a line for each: its name in the output, a tab,
            its path. "reference" leaves them where they are; a format that says what only the media know (their size)
            has them looked at there. "none" does not open them at all.
        overwrite: replace what is at ``path``: a file, or a folder with everything in it.
        options: of the format's writer.

    Returns:
        What could not be kept as it was.

    Raises:
        LossError: on_loss is "raise" and something would be lost.
        FileExistsError: the target exists.
    """
    _check_loss(on_loss)
    report = LossReport(stop=on_loss == "raise")
    _write(dataset, path, get_format(format), report, media, overwrite, options)
    _warn(report, on_loss, f"writing {os.fspath(path)}")
    return report


def _write(
    dataset: Dataset,
    path: _PathLike,
    chosen: Format,
    report: LossReport,
    media: str,
    overwrite: bool,
    options: Mapping[str, Any],
    jobs: int = 1,
) -> None:
    from maskcodec.formats._base import Sink

    suffix = os.path.splitext(os.fspath(path))[1].lower()
    container = "zip" if suffix == ".zip" else "file" if suffix and suffix == chosen.single else "folder"
    if container == "folder" and suffix in _FILES and not os.path.isdir(path):
        what = f"a {chosen.single} file, a folder" if chosen.single else "a folder"
        raise ValueError(f"{os.fspath(path)}: {chosen.name} is written into {what} or a .zip")
    origin = dataset.source.path if dataset.source is not None else ""
    inputs = (origin,) if origin and os.path.exists(origin) else ()
    with Sink(path, container, overwrite=overwrite, inputs=inputs, jobs=jobs) as sink:
        _run(dataset, chosen, sink, report, media, options)
    if media == "list":
        lines = "".join(f"{name}\t{file}\n" for name, file in sink.listed)
        with Sink(f"{os.fspath(path)}.media.tsv", "file", overwrite=overwrite) as listing:
            listing.write("media.tsv", lines.encode("utf-8", "surrogateescape"))


class _Counted:
    """Items that tell a callback how many of them have passed."""

    def __init__(self, items: Any, tell: Callable[[int, int | None], None]) -> None:
        self.plain, self._tell = items, tell

    def __iter__(self) -> Iterator[Item]:
        try:
            total = len(self.plain)
        except TypeError:  # known after a pass, or never
            total = None
        for count, item in enumerate(self.plain, 1):
            yield item
            self._tell(count, total)


def opened(
    src: _PathLike | bytes,
    chosen: Format,
    format: str | None,
    on_error: str,
    options: Mapping[str, Any],
    *,
    stop: bool = False,
) -> tuple[Dataset, dict[str, Any]]:
    """Open what is to be converted into ``chosen``: the data set, and the options that are the writer's."""
    from maskcodec.formats._base import Source

    source = Source(src, on_error=on_error)
    source.report.stop = stop
    reader = _choose(formats().values(), source) if format is None else None
    of_reader = (reader or get_format(format or "")).read_options
    _check_options(options, {**chosen.write_options, **of_reader}, f"converting to {chosen.name}")
    dataset = _read(source, reader.name if reader else format, {k: v for k, v in options.items() if k in of_reader})
    return dataset, {k: v for k, v in options.items() if k in chosen.write_options}


def convert(
    src: _PathLike | bytes,
    dst: _PathLike,
    to: str,
    format: str | None = None,
    *,
    on_error: str = "raise",
    on_loss: str = "warn",
    media: str = "reference",
    overwrite: bool = False,
    dry_run: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
    **options: Any,
) -> LossReport:
    """Read and write in one go, item by item, never the whole data set in memory.

    Args:
        src: what to read, as of ``read``.
        dst: what to write, as of ``write``.
        to: format to write.
        format: format to read; None: by content.
        on_error: as of ``read``.
        on_loss: as of ``write``; also about what had to be skipped in reading.
        media: as of ``write``.
        overwrite: as of ``write``.
        dry_run: predict the report only; nothing is written.
        progress: called with the number of items done and their total (None when unknown).
        options: of the reader and of the writer; an option that both have goes to both.

    Returns:
        What could not be kept, in reading (action ``unread``) and in writing.
    """
    _check_loss(on_loss)
    from maskcodec.formats._base import NullSink

    chosen = get_format(to)
    dataset, of_writer = opened(src, chosen, format, on_error, options, stop=on_loss == "raise")
    if progress is not None:
        dataset.items = _Counted(dataset.items, progress)
    report = LossReport(stop=on_loss == "raise")
    if dry_run:
        _run(dataset, chosen, NullSink(), report, media, of_writer)
    else:
        _write(dataset, dst, chosen, report, media, overwrite, of_writer)
    report.merge(dataset.report)
    _warn(report, on_loss, f"converting {'<bytes>' if isinstance(src, bytes) else os.fspath(src)}")
    return report
