"""Sequences and samples of several sensors: frames are spooled as they come and put together at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from maskcodec.formats._shared.jsonio import decode, encode
from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.assets import stem
from maskcodec.formats.segments.look import sensor_of
from maskcodec.formats.segments.spooled import Frame, Sample, Strand
from maskcodec.formats.segments.writeframe import FrameWriter, media_attributes, splice, status_of
from maskcodec.formats.segments.writerelations import TrackLinks
from maskcodec.model.annotations import Annotation
from maskcodec.model.dataset import Item
from maskcodec.model.losses import item_name

__all__ = ["SeriesWriter"]


class SeriesWriter(FrameWriter):
    """Groups frames by sequence and sensor."""

    series = True

    def start(self, task: str, choose: Callable[[Item], str], spool: BinaryIO) -> None:
        """Set the task type, what decides on the content of a new sensor, and where frames are kept meanwhile."""
        self.task, self.choose, self.spool, self.at = task, choose, spool, 0
        self.groups: dict[tuple[str, Any], Sample] = {}
        self.used: set[str] = set()
        self.latest: tuple[str, Any] | None = None
        self.relations = TrackLinks(self.dataset, self.report)

    def _keep(self, value: Any) -> tuple[int, int]:
        data = encode(value)
        self.spool.write(data)
        self.at += len(data)
        return self.at - len(data), len(data)

    def _group(self, item: Item, kept: dict[str, Any]) -> Sample:
        path = item.path if item.path is not None else str(item.id)
        sequence = item.sequence if item.sequence is not None else stem(path)
        key: tuple[str, Any] = (item.subset, sequence)
        if item.sequence is None:  # by itself: nothing says that it belongs to another
            self.report.default(item, None, "sequence", "every frame is one of a sequence")
            key = (item.subset, len(self.groups))
        head = kept.get("sample", {})
        if key not in self.groups:
            name = str(head.get("name", sequence))
            others = (
                name,
                *((path,) if item.sequence is None else ()),
                f"{item.subset}/{name}",
                f"{item.subset}/{path}",
            )
            free = next((other for other in others if other not in self.used), f"{path} {len(self.groups)}")
            if free != name:
                name = free
                for changed in ("sequence", "path", "id"):
                    self.report.rename(item, None, changed, "sample names are unique")
            elif stem(name) != sequence and name != sequence:
                self.report.rename(item, None, "sequence", "a sequence is named by its sample")
            self.used.add(name)
            known = head.get("label") is not None
            status = "UNLABELED" if item.status == "UNLABELED" else status_of(item, known, self.report)
            self.groups[key] = Sample(name, item.subset, status, key)
        elif self.latest != key:
            self.report.approximate(item, None, "", "frames are kept sequence by sequence")
        self.latest = key
        group = self.groups[key]
        if head:
            group.head = head
        return group

    def add(self, item: Item) -> None:
        """Take in one frame."""
        kept = item.extras.get(names.NAMESPACE, {})
        group = self._group(item, kept)
        sensor = item.sensor
        if self.task == names.MULTISENSOR and sensor is None:
            sensor = sensor_of(item)
            self.report.default(item, None, "sensor", "every frame is of a sensor")
        if sensor not in group.strands:
            group.strands[sensor] = Strand(self.choose(item))
        strand = group.strands[sensor]
        if (item.media == "point_cloud") != strand.content.startswith("pointcloud"):
            self.report.drop(item, None, "", "its sensor has another kind of media")
            return
        if "sensor" in kept:
            strand.kept = kept["sensor"]
        if item.status != group.status and group.status is not None and item.status is not None and strand.frames:
            self.report.rename(item, None, "status", "all frames of a sequence have one status")
        self.kind = strand.content
        self.sample = group
        name = self._name(item, group, sensor)
        media = kept.get("media")
        if not isinstance(media, dict):
            media = media_attributes(item)
            if item.timestamp is not None:
                media["timestamp"] = item.timestamp
        place = self._keep(media)
        said = "frame" in kept or bool(item.annotations) or bool(item.attributes) or "media" not in kept
        label = self.frame(item, kept, f"{item.id}") if said else {"annotations": []}
        self.relations.unresolved(group.place, kept.get("unresolved", []))
        if item.timestamp is not None and said and "untimed" not in kept:
            label["timestamp"] = item.timestamp
        if said and (item.status != "UNLABELED" or item.annotations or item.attributes):
            group.bare = False
        order = item.frame if item.frame is not None else len(strand.frames)
        own = None if stem(str(media.get("name", ""))) == stem(name) else name
        strand.frames.append(Frame(order, item.frame, item_name(item), own, place, self._keep(label), said))

    def _name(self, item: Item, group: Sample, sensor: str | None) -> str:
        """Name of a frame below its sequence and sensor."""
        base = stem(group.name)
        prefix = f"{base}/{sensor}/" if sensor is not None else f"{base}/"
        number, path = str(item.id), item.path
        if path is None:
            self.report.default(item, None, "path", "every frame has a name")
            path = number
        name = path.removeprefix(prefix)
        if prefix + name != path and item.path is not None:
            self.report.rename(item, None, "path", "a frame is named by its sequence")
        if number not in (prefix + name, prefix + stem(name)):
            self.report.rename(item, None, "id", "a frame is named by its sequence")
        return name

    def attributes_of(self, item: Item, annotation: Annotation) -> dict[str, Any]:
        """Attributes of a shape, with those of its track."""
        return self.relations.attributes(self.sample.place, item, annotation)

    def track_of(self, item: Item, annotation: Annotation) -> int:
        """Number of the track of a shape."""
        number = self._number_of(item, annotation)
        self.relations.numbers[self.sample.place, annotation.track_id] = number
        return number

    def _number_of(self, item: Item, annotation: Annotation) -> int:
        group, track = self.sample, annotation.track_id
        if type(track) is int:
            return track
        if track is None or track not in group.tracks:
            group.fresh += 1
            if track is None:
                self.report.default(item, annotation, "track_id", "every object of a sequence has a track")
                return group.fresh
            group.tracks[track] = group.fresh
        self.report.rename(item, annotation, "track_id", "track ids are integers")
        return group.tracks[track]

    # --- putting together ---------------------------------------------------------------------------------------------
    def records(self) -> Iterator[dict[str, bytes]]:
        """Samples: keys with encoded values."""
        links = self.relations.close(self.groups)
        for group in self.groups.values():
            yield self._put(group, links.get(group.place))

    def _frames(self, strand: Strand) -> tuple[bytes, bytes]:
        strand.frames.sort(key=lambda frame: frame.order)
        media, labels = [], []
        for at, frame in enumerate(strand.frames):
            if frame.number is None:
                self.report.default(frame.item, None, "frame", "a frame has a position in its sequence", what="item")
            elif frame.number != at:
                self.report.rename(frame.item, None, "frame", "frames are numbered by their position", what="item")
            self.spool.seek(frame.media[0])
            text = self.spool.read(frame.media[1])
            if frame.name is not None and stem(frame.name) != f"{at:05d}":
                text = splice(decode(text, file=""), "name", encode(frame.name)) if text else text
            media.append(text)
            self.spool.seek(frame.label[0])
            labels.append(self.spool.read(frame.label[1]))
        return b"[" + b",\n".join(media) + b"]", b"[" + b",\n".join(labels) + b"]"

    def _put(self, group: Sample, links: list[dict[str, Any]] | None) -> dict[str, bytes]:
        head = dict(group.head)
        label = head.pop("label", None)
        about, series = head.pop("attributes", {}), head.pop("series", None)
        metadata, others, idle = head.pop("metadata", None), head.pop("labels", {}), head.pop("idle", [])
        head.pop("name", None)
        if group.subset != "default":
            metadata = {**(metadata or {}), "split": group.subset}
        if self.task == names.MULTISENSOR:
            sample, labels = self._sensors(group, idle)
        else:
            sample, labels = self._frames(group.strands[None])
        key = "sensors" if self.task == names.MULTISENSOR else "frames"
        out = {"name": encode(group.name), "attributes": splice(about, key, sample)}
        if metadata is not None:
            out["metadata"] = encode(metadata)
        if group.bare and group.status == "UNLABELED" and label is None and series is None:
            found = b"null"
        else:
            status = {} if group.status is None else {"label_status": group.status}
            if label is not None and "attributes" in label and group.bare:
                found = encode({**status, **label})
            else:
                rest = {k: v for k, v in (label or {}).items() if k != "attributes"}
                version = {"format_version": "0.1" if self.task == "image-segmentation-sequence" else "0.2"}
                start = series if series is not None else {} if key == "sensors" else version
                if links:
                    start = {**start, "links": links}
                found = splice({**status, **rest}, "attributes", splice(start, key, labels))
        out["labels"] = splice(others, self.labelset, found)
        return out | {k: encode(v) for k, v in head.items()}

    def _sensors(self, group: Sample, idle: list[Any]) -> tuple[bytes, bytes]:
        samples, labels = [], []
        for name, strand in group.strands.items():
            media, frames = self._frames(strand)
            plain = {"name": name, "task_type": names.series_of(strand.content)}
            sample = dict(strand.kept.get("sample", plain))
            samples.append(splice(sample, "attributes", splice(sample.pop("attributes", {}), "frames", media)))
            label = dict(strand.kept.get("label", plain))
            about = label.pop("attributes", {} if "label" in strand.kept else {"format_version": "0.2"})
            said = any(frame.said for frame in strand.frames)
            if not isinstance(about, dict) and not said:
                labels.append(encode({**label, "attributes": about}))
            else:
                start = about if isinstance(about, dict) else {"format_version": "0.2"}
                labels.append(splice(label, "attributes", splice(start, "frames", frames)))
        for at, kept in idle:
            sample = kept.get("sample") or {**kept["label"], "attributes": {}}
            samples.insert(at, splice(sample, "attributes", splice(sample.get("attributes") or {}, "frames", b"[]")))
            if "label" in kept:
                about = kept["label"].get("attributes")
                text = splice(about, "frames", b"[]") if isinstance(about, dict) else encode(about)
                labels.insert(at, splice(kept["label"], "attributes", text))
        return b"[" + b",\n".join(samples) + b"]", b"[" + b",\n".join(labels) + b"]"
