"""Writing CVAT XML: images and shapes of tracks go to spools, numbers of frames are put in at the end."""

from __future__ import annotations

import shutil
from array import array
from typing import Any

from maskcodec.formats._shared.frames import frame_name, progression
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.xmlout import XmlWriter, quoted
from maskcodec.formats.cvat_xml.attributes import NAMESPACE
from maskcodec.formats.cvat_xml.images import stem_of
from maskcodec.formats.cvat_xml.meta import fresh, meta_of, patched, with_labels, write_plain
from maskcodec.formats.cvat_xml.numbering import Numbering, groups_of
from maskcodec.formats.cvat_xml.render import Renderer, mark
from maskcodec.formats.cvat_xml.schema import unique_names, write_labels
from maskcodec.formats.cvat_xml.write_tracks import TrackWriter
from maskcodec.model.annotations import Annotation
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport, item_name

__all__ = ["write_file"]


def write_file(
    dataset: Dataset, sink: NullSink, report: LossReport, dialect: str, decimals: int | None, images: bool
) -> None:
    """Write ``annotations.xml``.

    Args:
        dataset: what the format carries.
        sink: the output.
        report: hears of losses.
        dialect: "images": every shape in its image; "video": every shape in a track; "both": shapes of tracks in
            tracks, the others in images.
        decimals: of coordinates; None: as many as needed.
        images: in the video dialect also write ``image`` elements, with names, sizes and tags.
    """
    if decimals is not None and not (isinstance(decimals, int) and 0 <= decimals <= 17):
        raise ValueError(f"decimals is 0 to 17 or None, got {decimals!r}")
    with sink.spool() as pictures, sink.spool() as shapes, sink.open("annotations.xml") as stream:
        writer = _Writer(dataset, sink, report, dialect, decimals, images, pictures, shapes)
        for position, item in enumerate(dataset.items):
            writer.item(position, item)
        writer.finish(stream)


class _Writer(Numbering, TrackWriter):
    def __init__(
        self, dataset: Dataset, sink: NullSink, report: LossReport, dialect: str, decimals: int | None, images: bool,
        pictures: Any, shapes: Any,
    ) -> None:  # fmt: skip
        self.dataset, self.report, self.dialect = dataset, report, dialect
        self.pictures, self.shapes = pictures, shapes
        self.with_images = images or dialect != "video"
        self.kept = dataset.extras.get(NAMESPACE, {}).get("meta")
        self.meta = meta_of(self.kept)
        self.named = self.meta.subset or "default"
        # A single file may get any name, and a file without a subset is named after it.
        self.say_subset = sink.container == "file"
        unique_names(dataset.schema.categories, report)
        self.render = Renderer(dataset.schema, report, decimals)
        self.render.one_size = dialect == "video"
        self.quiet = Renderer(dataset.schema, LossReport(), decimals)
        self.subsets: dict[str, array[int]] = {}  # positions of the items of each
        self.frames: array[int] = array("q")  # given number of each item, -1 for none
        self.names: list[tuple[str, str, str, bool, bool]] = []  # in reports, id, file name, has frame, has path
        self.pieces: array[int] = array("q")  # place of each image in the spool, and whether tracks do without it
        self.used: dict[str, set[int]] = {}
        self._start_tracks()
        self.size: tuple[int, int] | None = None
        self.sizes: array[int] = array("q")  # width and height of each item, 0 for unknown
        self.masks: dict[tuple[int, int], list[Any]] = {}

    # --- items --------------------------------------------------------------------------------------------------------
    def item(self, position: int, item: Item) -> None:
        """Take one item in."""
        report = self.report
        kept = item.extras.get(NAMESPACE, {})
        number = item.frame if item.frame is not None and item.frame >= 0 else -1
        if item.sequence is not None:
            report.rename(item, None, "sequence", "frames of all sequences follow each other")
        self.subsets.setdefault(item.subset, array("q")).append(position)
        self.frames.append(number)
        self._place(item)
        tracked, here = [], []
        for annotation in item.annotations:
            if annotation.kind != "tag" and (annotation.track_id is not None or self.dialect == "video"):
                tracked.append(annotation)
            else:
                here.append(annotation)
        if tracked or self.dialect != "images":
            self._tracks(position, item, tracked)
        name = str(kept.get("name") or item.path or item.id)
        if "name" in kept and item.path is not None and stem_of(item.path) != stem_of(name):
            name = item.path
        plain = not here and str(item.id) == frame_name(max(number, 0)) and item.path == item.id
        plain = plain and (item.width, item.height) == (self.size or (None, None))
        self.names.append((item_name(item), str(item.id), name, item.frame is not None, item.path is not None))
        if not isinstance(item.id, str):
            report.rename(item, None, "id", "an image is known by its name")
        if self.with_images:
            self._image(position, item, name, here, kept, plain)

    def _place(self, item: Item) -> None:
        """Size of the frames of a video: the first one that is known, or the largest where no image says its own."""
        width, height = item.width or 0, item.height or 0
        self.sizes.extend((width, height))
        if width and height and self.size is None:
            self.size = (width, height)
        elif width and height and self.size is not None and not self.with_images:
            self.size = (max(width, self.size[0]), max(height, self.size[1]))

    def _image(
        self, position: int, item: Item, name: str, here: list[Annotation], kept: dict[str, Any], plain: bool
    ) -> None:
        groups = groups_of(item, here, self.report)
        number = mark(position)
        if self.dialect == "images":
            used = self.used.setdefault(item.subset, set())
            given = self.frames[position]
            at = given if given >= 0 else len(used)
            while at in used:
                at += 1
            used.add(at)
            self._numbered(item, item.frame is not None, given, at)
            self.frames[position] = at
            number = str(at)
        pairs = [("name", name)]
        if item.subset != self.named or self.say_subset:
            pairs.append(("subset", item.subset))
        pairs += [(k, str(v)) for k, v in kept.items() if k not in ("id", "name")]
        pairs += [("width", str(item.width or 0)), ("height", str(item.height or 0))]
        start = self.pictures.tell()
        parts = [f'  <image id="{number}"{quoted(pairs)}>\n']
        for annotation in here:
            if annotation.track_id is not None:
                self.report.default(item, annotation, "track_id", "a tag belongs to no track")
            for flag in ("keyframe", "outside"):
                if getattr(annotation, flag):
                    self.report.default(item, annotation, flag, "only shapes of tracks have it")
            parts.append(self.render.shape(item, annotation, groups.get(id(annotation)), None))
        parts.append("  </image>\n")
        data = "".join(parts).encode("utf-8")
        self.pictures.write(data)
        if self.dialect != "images":
            self.pieces.extend((start, len(data), plain))

    # --- tracks -------------------------------------------------------------------------------------------------------

    # --- the file -----------------------------------------------------------------------------------------------------
    def finish(self, stream: Any) -> None:
        """Put the file together."""
        for subset in list(self.loose):
            self._close_loose(None, None, subset)
        video = bool(self.tracks or self.single) or self.dialect == "video"
        if video:
            self._number_frames()
        elif self.dialect == "both":
            self._number_images()
        self._names(video)
        numbers = self._track_numbers()
        out = XmlWriter(stream)
        out.raw('<?xml version="1.0" encoding="utf-8"?>\n')
        out.start("annotations")
        out.leaf("version", "1.1")
        labels = self.dataset.schema.categories
        write_plain(
            out, self._meta(video), lambda: write_labels(out, labels, self.render.definitions, self.report)
        )  # fmt: skip
        if self.dialect == "images":
            self.pictures.seek(0)
            shutil.copyfileobj(self.pictures, stream, 1 << 20)
        else:
            for at in range(0, len(self.pieces), 3):
                start, size, plain = self.pieces[at : at + 3]
                if not (plain and video):
                    stream.write(self._filled(self.pictures, start, size))
        if video:
            self._write_tracks(stream, numbers)
        out.end()

    def _meta(self, video: bool) -> Any:
        ranges = {}
        for subset, positions in self.subsets.items():
            known = progression(self.frames[p] for p in positions)
            ranges[subset] = known if known is not None and known[0] >= 0 else range(len(positions))
        size = self.size if video else None
        if self.kept is not None:
            said = {subset or self.named: frames for subset, frames in self.meta.frames.items()}
            if not video or (said == ranges and self.meta.size == (size or (None, None))):
                return with_labels(self._with_subset(self.kept), bool(self.dataset.schema.categories))
            new = patched(self.kept, ranges, size) if list(ranges) in ([self.named], []) else None
            if new is not None:
                return with_labels(self._with_subset(new), bool(self.dataset.schema.categories))
            self.report.drop(None, None, f"extras.{NAMESPACE}.meta", "the frames are no longer those that it describes")
        return fresh(ranges, video, size)

    def _with_subset(self, plain: Any) -> Any:
        """A ``meta`` that names its subset, where the name of the file would otherwise."""
        if not self.say_subset or self.meta.subset is not None:
            return plain
        children = [
            [tag, [*content, ["subset", self.named]]] if tag in ("task", "job") and isinstance(content, list)
            else [tag, content]
            for tag, content in plain[1]
        ]  # fmt: skip
        return ["meta", children]
