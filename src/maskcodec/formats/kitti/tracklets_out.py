"""Writing ``tracklet_labels.xml``."""

from __future__ import annotations

import io
from typing import Any

from maskcodec.formats._shared.labels import FirstUse
from maskcodec.formats._shared.lines import decimal
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.xmlout import XmlWriter
from maskcodec.formats.kitti.tracklets import FILE, KEPT, NAMESPACE, angles_of, quaternion_of, typed
from maskcodec.model.annotations import Annotation, Cuboid
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["write"]


class _Tracklet:
    def __init__(self, first: int, cuboid: Cuboid) -> None:
        self.category_id, self.track_id = cuboid.category_id, cuboid.track_id
        self.number, self.first, self.next = 0, first, first
        self.size = cuboid.dimensions
        self.shared = [name for name in cuboid.extras.get(NAMESPACE, {}).get("#track", ()) if name in cuboid.attributes]
        self.values = {name: cuboid.attributes[name] for name in self.shared}
        self.poses: list[dict[str, Any]] = []
        self.label = ""

    def takes(self, frame: int, cuboid: Cuboid) -> bool:
        """Whether the cuboid goes on where the tracklet ends."""
        own = cuboid.attributes
        same = all(name in own and own[name] == value for name, value in self.values.items())
        return frame == self.next and tuple(cuboid.dimensions) == tuple(self.size) and same


class _Writer:
    def __init__(self, dataset: Dataset, report: LossReport) -> None:
        self.report, self.labels = report, FirstUse(dataset.schema, report)
        self.schema = dataset.schema
        self.tracklets: list[_Tracklet] = []
        self.rows: list[tuple[str, list[_Tracklet]]] = []
        self.open: dict[tuple[Any, Any], _Tracklet] = {}
        self.frame = -1
        self.names: list[tuple[int, str]] = []
        self.listed = False

    def item(self, item: Item) -> None:
        frame = item.frame
        if frame is None or frame <= self.frame:
            if frame is None:
                self.report.default(item, None, "frame", "frames have numbers")
            else:
                self.report.approximate(item, None, "frame", "frames have ascending numbers")
            frame = self.frame + 1
        self.frame = frame
        self.names.append((frame, str(item.id)))
        self.listed = self.listed or item.id != f"{frame:010d}" or not item.annotations
        row: list[_Tracklet] = []
        for cuboid in item.annotations:
            if isinstance(cuboid, Cuboid):
                row.append(self._tracklet(item, cuboid, frame))
                self._pose(row[-1], item, cuboid)
        self.rows.append((f"{item.id}", row))

    def _tracklet(self, item: Item, cuboid: Cuboid, frame: int) -> _Tracklet:
        key = (cuboid.category_id, cuboid.track_id)
        found = self.open.get(key) if cuboid.track_id is not None else None
        if found is None or not found.takes(frame, cuboid):
            found = _Tracklet(frame, cuboid)
            self.tracklets.append(found)
            if cuboid.track_id is not None:
                self.open[key] = found
        found.next = frame + 1
        if cuboid.track_id is None:
            self.report.default(item, cuboid, "track_id", "every cuboid is one of a tracklet")
        return found

    def number(self) -> None:
        """Put the tracklets in their order: that of their tracks if these are numbered from 1, else as they came."""
        ids = [tracklet.track_id for tracklet in self.tracklets]
        whole = [key for key in ids if type(key) is int]
        if sorted(whole) == list(range(1, len(ids) + 1)):
            places = dict(zip(whole, self.tracklets, strict=True))
            self.tracklets = [places[number] for number in sorted(whole)]
        text = "a track is known by the place of its tracklet"
        for number, tracklet in enumerate(self.tracklets, 1):
            tracklet.number = number
            tracklet.label = self.labels.name(tracklet.category_id)
            if tracklet.track_id is not None and (tracklet.track_id != number or type(tracklet.track_id) is not int):
                self.report.rename(None, str(tracklet.track_id), "track_id", text, what="cuboid",
                                   count=len(tracklet.poses))  # fmt: skip
        self.labels.close()
        for name, row in self.rows:
            numbers = [tracklet.number for tracklet in row]
            if numbers != sorted(numbers):
                text = "cuboids stand in the order of their tracklets"
                self.report.approximate(name, None, "annotations", text, what="item")

    def _pose(self, tracklet: _Tracklet, item: Item, cuboid: Cuboid) -> None:
        own = cuboid.extras.get(NAMESPACE, {})
        turn = own.get("#turn")
        if turn is None or quaternion_of(*turn) != cuboid.quaternion or turn[2] != cuboid.yaw:
            turn = [0.0, 0.0, cuboid.yaw] if cuboid.quaternion is None else list(angles_of(*cuboid.quaternion))
            if turn[2] != cuboid.yaw:
                self.report.approximate(item, cuboid, "yaw", "turns about x, y and z are written")
            if quaternion_of(*turn) != cuboid.quaternion:
                self.report.approximate(item, cuboid, "quaternion", "turns about x, y and z are written")
        flags = dict.fromkeys(KEPT, -1) | {"occlusion_kf": 0} | own.get("#pose", {})
        if (flags["state"] == 2) != cuboid.keyframe or flags["state"] == -1:
            flags["state"] = 2 if cuboid.keyframe else 1
        attributes = dict(cuboid.attributes)
        for name, levels, field in (("occlusion", (2,), "occluded"), ("truncation", (2, 99), "truncated")):
            flag = getattr(cuboid, field)
            set_by = (1, 2) if name == "occlusion" else (1,)
            if name in attributes and attributes[name] in levels and (attributes[name] in set_by) == flag:
                flags[name] = attributes.pop(name)
                continue
            if attributes.pop(name, None) is not None:
                self.report.approximate(item, cuboid, f"attributes.{name}", "told by the flag of this kind")
            if (flags[name] in set_by) != flag or flags[name] in levels:
                flags[name] = 1 if flag else -1
        for name in tracklet.values:
            attributes.pop(name, None)
        self._typed(item, cuboid, attributes)
        pose = dict(zip(("tx", "ty", "tz", "rx", "ry", "rz"), map(decimal, (*cuboid.position, *turn)), strict=True))
        pose |= {name: str(flags[name]) for name in KEPT}
        tracklet.poses.append({**pose, "attributes": attributes})

    def _typed(self, item: Item, cuboid: Annotation, attributes: dict[str, Any]) -> None:
        for name, value in attributes.items():
            back = typed(_text(value))
            if back != value or type(back) is not type(value):
                self.report.approximate(item, cuboid, f"attributes.{name}", "written as a text")

    def xml(self) -> bytes:
        body = io.BytesIO()
        xml = XmlWriter(body)
        xml.raw('<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>\n<!DOCTYPE boost_serialization>\n')
        xml.start("boost_serialization", (("signature", "serialization::archive"), ("version", "9")))
        xml.start("tracklets", (("class_id", "0"), ("tracking_level", "0"), ("version", "0")))
        xml.leaf("count", str(len(self.tracklets)))
        xml.leaf("item_version", "1")
        item, poses, place = ([("class_id", str(n)), ("tracking_level", "0"), ("version", v)]
                              for n, v in ((1, "1"), (2, "0"), (3, "2")))  # fmt: skip
        for tracklet in self.tracklets:
            xml.start("item", item)
            xml.leaf("objectType", tracklet.label)
            length, width, height = tracklet.size
            for name, value in (("h", height), ("w", width), ("l", length)):
                xml.leaf(name, decimal(value))
            xml.leaf("first_frame", str(tracklet.first))
            xml.start("poses", poses)
            xml.leaf("count", str(len(tracklet.poses)))
            xml.leaf("item_version", "2")
            for pose in tracklet.poses:
                xml.start("item", place)
                for name, value in pose.items():
                    if name != "attributes":
                        xml.leaf(name, value)
                _attributes(xml, pose["attributes"])
                xml.end()
                item, poses, place = [], [], []  # the archive says of each class what it is once
            xml.end()
            xml.leaf("finished", "1")
            _attributes(xml, tracklet.values)
            xml.end()
        xml.end()
        xml.end()
        return body.getvalue()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value) if isinstance(value, float) else str(value)


def _attributes(xml: XmlWriter, values: dict[str, Any]) -> None:
    if values:
        xml.start("attributes")
        for name, value in values.items():
            xml.start("attribute")
            xml.leaf("name", name)
            xml.leaf("value", _text(value))
            xml.end()
        xml.end()


def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    """Write ``tracklet_labels.xml``, and ``frame_list.txt`` where frames have other names than their numbers.

    A tracklet has a pose in every frame from its first on and one size: where a track pauses or changes its size,
    another tracklet begins.

    Args:
        dataset: cuboids in point clouds.
        sink: the output.
        report: hears of special losses.
    """
    writer = _Writer(dataset, report)
    for item in dataset.items:
        writer.item(item)
    writer.number()
    sink.write(FILE, writer.xml())
    if writer.listed:
        sink.write("frame_list.txt", "".join(f"{frame} {name}\n" for frame, name in writer.names).encode("utf-8"))
