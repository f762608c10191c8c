"""Sequences and samples of several sensors, taken apart into frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from maskcodec.errors import shorten
from maskcodec.formats.segments.assets import stem
from maskcodec.formats.segments.schema import MULTISENSOR, content_of
from maskcodec.formats.segments.shapes import Fault
from maskcodec.model.dataset import Item

__all__ = ["Strand", "check_links", "strands", "url_of", "without"]

Fail = Callable[[str, str], None]


@dataclass
class Strand:
    """What one sensor sees: frames of the sample beside frames of its label.

    Attributes:
        name: of the sensor; None where there is but one.
        content: of its frames.
        media: frames of the sample; None where the sample is not at hand.
        frames: frames of the label.
        kept: what the sensor says besides, ``sample`` and ``label``.
    """

    name: str | None
    content: str
    media: list[Any] | None
    frames: list[Any]
    kept: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        said = [m.get("name") if isinstance(m, dict) else None for m in self.media or [None] * len(self.frames)]
        full = [name if isinstance(name, str) and name else f"{at:05d}" for at, name in enumerate(said)]
        count = Counter(full)
        full = [name if count[name] == 1 else f"{at:05d}" for at, name in enumerate(full)]
        short = Counter(stem(name) for name in full)
        self.names = [(name, stem(name) if short[stem(name)] == 1 else name) for name in full]

    def __len__(self) -> int:
        return len(self.names)

    def item(self, base: str, at: int, subset: str) -> Item:
        """The item of a frame, without its label."""
        prefix = f"{base}/{self.name}/" if self.name is not None else f"{base}/"
        name, short = self.names[at]
        cloud = self.content.startswith("pointcloud")
        medium = self.media[at] if self.media is not None else None
        url = url_of(medium, cloud)
        path = name if stem(name) != name or url is None else name + url[len(stem(url)) :]
        return Item(
            prefix + short,
            prefix + path if self.media is not None else None,
            "point_cloud" if cloud else "image",
            subset=subset,
            sequence=base,
            frame=at,
            timestamp=medium.get("timestamp") if isinstance(medium, dict) else None,
            sensor=self.name,
        )


def url_of(medium: Any, cloud: bool) -> str | None:
    """Address of the image or cloud of a sample or frame."""
    inner = medium.get("pcd" if cloud else "image") if isinstance(medium, dict) else None
    url = inner.get("url") if isinstance(inner, dict) else None
    return url if isinstance(url, str) else None


def without(record: Any, *keys: str) -> dict[str, Any]:
    """A copy of an object without some keys."""
    return {k: v for k, v in record.items() if k not in keys} if isinstance(record, dict) else {}


def strands(task: str, about: Any, label: Any, fail: Fail) -> list[Strand]:
    """Take a sample apart.

    Args:
        task: task type of a sequence, or of several sensors.
        about: sample attributes; None where there are none.
        label: label attributes; None where there are none.
        fail: called with field and text of what a lenient reader can live with.

    Raises:
        Fault: it has not the form of the task.
    """
    if task != MULTISENSOR:
        return [_strand(None, str(content_of(task)), about, label, fail)]
    inner = label.get("sensors") if isinstance(label, dict) else None
    if label is not None and not isinstance(inner, list):
        raise Fault("sensors", f"expected a list of sensors, got {shorten(inner)}")
    own = about.get("sensors") if isinstance(about, dict) else None
    listed = _named(own) if isinstance(own, list) else None
    labels = _named(inner or [])
    if listed is not None and inner is not None and list(listed) != list(labels):
        fail("sensors", f"expected the sensors of the sample in their order {list(listed)}, got {list(labels)}")
    out = []
    for name in listed if listed is not None else labels:
        sample, record = (listed or {}).get(name), labels.get(name)
        kind = str((record or sample or {}).get("task_type"))
        content = content_of(kind)
        if content is None or not kind.endswith("-sequence"):
            raise Fault("task_type", f"sensor {name}: unknown task type {shorten(kind)}")
        strand = _strand(name, content, (sample or {}).get("attributes"), (record or {}).get("attributes"), fail)
        if record is not None:
            left = record.get("attributes")
            strand.kept["label"] = {**record, "attributes": without(left, "frames") if isinstance(left, dict) else left}
        if sample is not None:
            strand.kept["sample"] = {**sample, "attributes": without(sample.get("attributes"), "frames")}
        out.append(strand)
    return out


def _named(sensors: list[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for at, sensor in enumerate(sensors):
        name = sensor.get("name") if isinstance(sensor, dict) else None
        if not isinstance(name, str) or name in found:
            raise Fault("sensors", f"sensor {at}: expected an object with a name of its own, got {shorten(sensor)}")
        found[name] = sensor
    return found


def _strand(name: str | None, content: str, about: Any, label: Any, fail: Fail) -> Strand:
    media = about.get("frames") if isinstance(about, dict) else None
    frames = label.get("frames") if isinstance(label, dict) else None
    if not isinstance(media, list):
        media = None
    if not isinstance(frames, list):
        if label is not None and label != []:
            raise Fault("frames", f"expected a list of frames, got {shorten(label)}")
        frames = []
    elif media is not None and len(frames) != len(media):
        fail("frames", f"{len(frames)} frames of labels for {len(media)} frames of the sample")
    return Strand(name, content, media, frames)


def check_links(label: Any, parts: list[Strand], fail: Fail) -> None:
    """Ends of links are tracks of the sample."""
    known: set[Any] = set()
    for frame in (frame for part in parts for frame in part.frames):
        records = frame.get("annotations") if isinstance(frame, dict) else None
        for record in records if isinstance(records, list) else []:
            if isinstance(record, dict):
                track = record.get("id") if record.get("track_id") is None else record["track_id"]
                known |= {track} if isinstance(track, int) else set()
    links = label.get("links") if isinstance(label, dict) else None
    if links is not None and not isinstance(links, list):
        fail("links", f"expected a list, got {shorten(links)}")
    for link in links if isinstance(links, list) else []:
        ends = [link.get("from_id"), link.get("to_id")] if isinstance(link, dict) else [link]
        if any(not isinstance(end, int) or end not in known for end in ends):
            fail("links", f"a link to a track that is missing: {shorten(ends)}")
