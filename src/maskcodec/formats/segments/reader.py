"""What the readers of releases and of lone labels share."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from maskcodec.errors import FormatError
from maskcodec.formats._shared.images import image_size
from maskcodec.formats._shared.source import Source
from maskcodec.formats.segments.assets import Assets, point_count
from maskcodec.formats.segments.frame import Frames
from maskcodec.formats.segments.schema import NAMESPACE
from maskcodec.formats.segments.shapes import Fault
from maskcodec.formats.segments.strands import Strand, check_links, strands, url_of, without
from maskcodec.model.dataset import Item

__all__ = ["Reader"]


class Reader(Frames):
    """What releases and lone labels share."""

    def __init__(self, source: Source, task: str) -> None:
        self.source, self.task = source, task
        self.series = task.endswith("-sequence")
        self.kind = "" if self.series else task
        self.seen: set[Any] = set()
        self.orders = {}

    def load(self, key: Any, make: Callable[[Any], Item], where: str) -> Item | None:
        """One item; None when a lenient reader had to skip it. Later passes report nothing again."""
        self.quiet = key in self.seen
        self.seen.add(key)
        try:
            return make(key)
        except FormatError as error:
            self.problem(error, where)
            return None

    def size_from_image(self, item: Item, url: Any, assets: Assets) -> None:
        """Width and height from the image where it is at hand; a bitmap of another size is a fault."""
        if not isinstance(url, str):
            return
        found = assets.open(url, f"{item.id}{url[url.rfind('.') :] if '.' in url.rpartition('/')[2] else ''}")
        if found is None:
            return
        file, data = found
        with data if not isinstance(data, bytes) else nullcontext():
            width, height = image_size(data, file, displayed=True)
        if item.width is not None and (item.width, item.height) != (width, height):
            text = f"the bitmap is {item.width} x {item.height}, the image {width} x {height}"
            raise FormatError(text, file=self.file, record=str(item.id), field="segmentation_bitmap")
        if item.width is None:
            item.width, item.height = width, height

    def check_count(self, item: Item, medium: Any, kept: dict[str, Any]) -> None:
        """Hold the number of ids against the points of the cloud, where it is at hand and says how many."""
        url = medium.get("url") if isinstance(medium, dict) else None
        found = self.assets.find(url, str(item.id)) if isinstance(url, str) and kept.get("points") else None
        count = point_count(found[1], medium.get("type")) if found is not None else None
        if count is not None and count != kept["points"]:
            text = f"{kept['points']} ids for a cloud of {count} points"
            raise FormatError(text, file=self.file, record=str(item.id), field="point_annotations")

    def fail(self, where: str, item: str) -> Callable[[str, str], None]:
        """What a lenient reader of a sample enters in the report."""

        def tell(field: str, text: str) -> None:
            self.problem(FormatError(text, file=self.file, record=where, field=field), item)

        return tell

    def parts(self, about: Any, label: Any, where: str, fail: Callable[[str, str], None]) -> list[Strand]:
        """The strands of a sample, checked."""
        try:
            found = strands(self.task, about, label, fail)
        except Fault as fault:
            raise FormatError(str(fault), file=self.file, record=where, field=fault.field) from fault
        check_links(label, found, fail)
        return found

    def series_head(self, attributes: Any) -> dict[str, Any]:
        """What the label of a sequence says besides its frames; its links are with the data set."""
        return without(attributes, "frames", "sensors", *(("links",) if (attributes or {}).get("links") else ()))

    def series_frame(
        self, base: str, parts: list[Strand], place: tuple[int, int], subset: str, head: dict[str, Any], where: str
    ) -> Item:
        """The item of one frame; ``head`` is what the sample says besides, and is kept with its first frame."""
        strand, at = parts[place[0]], place[1]
        self.kind = strand.content
        item = strand.item(base, at, subset)
        kept: dict[str, Any] = {}
        if strand.media is not None:
            kept["media"] = strand.media[at]
        if at == 0 and strand.kept:
            kept["sensor"] = strand.kept
        if all(not len(part) for part in parts[: place[0]]) and at == 0:
            idle = [[i, part.kept] for i, part in enumerate(parts) if not len(part)]
            kept["sample"] = {**head, **({"idle": idle} if idle else {})}
        item.extras = {NAMESPACE: kept}
        frame = strand.frames[at] if at < len(strand.frames) else None
        if frame is not None:
            name = f"sensor {strand.name}: frames[{at}]" if strand.name is not None else f"frames[{at}]"
            self.frame(item, frame, f"{where}: {name}", kept, f"{str(item.id).replace('/', '_')}_label.png")
            if "timestamp" not in frame and item.timestamp is not None:
                kept["untimed"] = True
            elif frame.get("timestamp") is not None:
                item.timestamp = kept["frame"].pop("timestamp")
        if strand.media is not None:
            self.check_medium(item, strand.media[at], kept)
        return item

    def check_medium(self, item: Item, medium: Any, kept: dict[str, Any]) -> None:
        """Hold the label against its image or cloud, where that is at hand."""
        if item.media == "point_cloud":
            self.check_count(item, (medium or {}).get("pcd"), kept)
        else:
            self.size_from_image(item, url_of(medium, False), self.assets)
