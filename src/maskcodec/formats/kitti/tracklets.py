"""KITTI raw data: ``tracklet_labels.xml``, cuboids of tracks in the frames of a laser scanner.

Source: readme of the KITTI raw data development kit; ``attributes`` and ``frame_list.txt`` are additions of Datumaro.
"""

from __future__ import annotations

import re
from math import asin, atan2, cos, isfinite, sin
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared import xmlio
from maskcodec.formats._shared.carry_whole import clone
from maskcodec.formats._shared.lines import NUMBER, lines
from maskcodec.formats._shared.naming import Found, stem
from maskcodec.formats._shared.source import Source
from maskcodec.model.annotations import Annotation, Cuboid
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["FILE", "KEPT", "NAMESPACE", "angles_of", "detect", "quaternion_of", "read", "typed"]

NAMESPACE = "kitti_raw"
FILE, _LIST = "tracklet_labels.xml", "frame_list.txt"
KEPT = ("state", "occlusion", "occlusion_kf", "truncation", "amt_occlusion", "amt_border_l", "amt_border_r",
        "amt_occlusion_kf", "amt_border_kf")  # fmt: skip
_CLOUD = re.compile(r"(?:.*/)?velodyne_points/data/(.+)\.(?:pcd|bin|txt)", re.IGNORECASE)
_STATES = {"state": (0, 1, 2), "occlusion": (-1, 0, 1, 2), "truncation": (-1, 0, 1, 2, 99)}


def quaternion_of(rx: float, ry: float, rz: float) -> tuple[float, float, float, float] | None:
    """Turns about x, then y, then z; None where it is one about z alone."""
    if not rx and not ry:
        return None
    (sx, cx), (sy, cy), (sz, cz) = ((sin(a / 2), cos(a / 2)) for a in (rx, ry, rz))
    return (sx * cy * cz - cx * sy * sz, cx * sy * cz + sx * cy * sz, cx * cy * sz - sx * sy * cz,
            cx * cy * cz + sx * sy * sz)  # fmt: skip


def angles_of(x: float, y: float, z: float, w: float) -> tuple[float, float, float]:
    """The turns about x, y and z that a quaternion stands for."""
    rx = atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    ry = asin(max(-1.0, min(1.0, 2 * (w * y - z * x))))
    return rx, ry, atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))


def typed(text: str) -> Any:
    """The value of an attribute: a truth value, a number, or the text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if re.fullmatch("[-+]?[0-9]{1,18}", text):
        return int(text)
    return float(text) if NUMBER.fullmatch(text) and isfinite(float(text)) else text


def _find(files: list[str]) -> str | None:
    found = [name for name in files if name.rpartition("/")[2] == FILE]
    if len(found) > 1:
        raise FormatError(f"several data sets ({', '.join(found[:4])}), name the folder of one", file=found[0])
    return found[0] if found else files[0] if len(files) == 1 else None


def detect(probe: Probe) -> Confidence:
    """An XML file of tracklets."""
    name = _find(probe.files)
    if name is None or b"<boost_serialization" not in probe.head(name):
        raise NotThisFormat(f"no {FILE} with boost_serialization/tracklets")
    return Confidence(90, f"{name} holds tracklets")


class _Tracklets:
    def __init__(self, source: Source, name: str) -> None:
        self.source, self.file = source, source.display(name)
        self.schema = LabelSchema()
        self.frames: dict[int, list[Cuboid]] = {}
        root = xmlio.read(source, name)
        found = root.find("tracklets") if root.tag == "boost_serialization" else None
        if found is None:
            raise FormatError(f"expected boost_serialization/tracklets, got {shorten(root.tag)}", file=self.file)
        items = list(found.all("item"))
        if found.value("count") != str(len(items)):
            text = "the number of tracklets is another, they are counted"
            source.report.default(self.file, None, "count", text, what="file")
        ids: dict[str, int] = {}
        for at, item in enumerate(items):
            try:
                label = item.value("objectType")
                if not label:
                    raise self.fault(item, at, "objectType", "expected a label")
                poses = self._tracklet(item, at)
            except FormatError as error:
                source.problem(error)
                continue
            number = ids.setdefault(label, len(ids))
            for frame, cuboid in poses:
                cuboid.category_id = number
                self.frames.setdefault(frame, []).append(cuboid)
        self.schema.categories = [Category(number, label) for label, number in ids.items()]

    def fault(self, element: xmlio.Element, at: int, field: str, message: str) -> FormatError:
        record = f"tracklet {at} (line {element.line})"
        return FormatError(message, file=self.file, record=record, field=field)

    def number(self, element: xmlio.Element, at: int, field: str, whole: bool = False, default: Any = None) -> Any:
        text = element.value(field)
        if text is None and default is not None:
            return default
        if text is None or not NUMBER.fullmatch(text) or not isfinite(float(text)):
            raise self.fault(element, at, field, f"expected a number, got {shorten(text)}")
        if whole and not float(text).is_integer():
            raise self.fault(element, at, field, f"expected a whole number, got {shorten(text)}")
        return int(float(text)) if whole else float(text)

    def _attributes(self, element: xmlio.Element) -> dict[str, Any]:
        block = element.find("attributes")
        rows = block.all("attribute") if block is not None else ()
        return {row.value("name") or "": typed(row.value("value") or "") for row in rows}

    def _tracklet(self, item: xmlio.Element, at: int) -> list[tuple[int, Cuboid]]:
        size = tuple(self.number(item, at, field) for field in ("l", "w", "h"))
        first = self.number(item, at, "first_frame", whole=True)
        if first < 0:
            raise self.fault(item, at, "first_frame", f"expected a frame, got {first}")
        block = item.find("poses")
        poses = list(block.all("item")) if block is not None else []
        if block is None or self.number(block, at, "count", whole=True) != len(poses):
            shown = block.value("count") if block is not None else None
            raise self.fault(item, at, "poses", f"{len(poses)} poses, the count is {shown}")
        own = self._attributes(item)
        if item.value("finished") not in (None, "1"):
            self.source.report.unread(self.file, f"tracklet {at}", "finished", "not kept", what="track")
        out = []
        for place, pose in enumerate(poses):
            cuboid = self._pose(pose, at, size)
            cuboid.track_id = at + 1
            cuboid.attributes = {**own, **cuboid.attributes}
            if own:
                cuboid.extras[NAMESPACE]["#track"] = list(own)
            out.append((first + place, cuboid))
        return out

    def _pose(self, pose: xmlio.Element, at: int, size: Any) -> Cuboid:
        x, y, z, rx, ry, rz = (self.number(pose, at, field) for field in ("tx", "ty", "tz", "rx", "ry", "rz"))
        unset = dict.fromkeys(KEPT, -1) | {"state": 0}
        flags = {field: self.number(pose, at, field, whole=True, default=unset[field]) for field in KEPT}
        for field, known in _STATES.items():
            if flags[field] not in known:
                raise self.fault(pose, at, field, f"expected one of {known}, got {flags[field]}")
        cuboid = Cuboid((x, y, z), size, rz, quaternion_of(rx, ry, rz))
        cuboid.keyframe = flags["state"] == 2
        cuboid.occluded, cuboid.truncated = flags["occlusion"] in (1, 2), flags["truncation"] == 1
        cuboid.attributes = self._attributes(pose)
        for field, more in (("occlusion", (2,)), ("truncation", (2, 99))):
            if flags[field] in more:
                cuboid.attributes[field] = flags[field]
        cuboid.extras = {NAMESPACE: {"#pose": flags, "#turn": [rx, ry, rz]}}
        return cuboid


def _names(source: Source, root: str) -> dict[int, str]:
    """Names of frames in a list of them."""
    out: dict[int, str] = {}
    if not source.has(root + _LIST):
        return out
    for line in lines(source, root + _LIST):
        try:
            number, _, name = line.text.partition(" ")
            if not re.fullmatch("[0-9]{1,18}", number) or not name.strip():
                raise line.fault(f"expected a frame and a name, got {shorten(line.text)}")
            if int(number) in out:
                raise line.fault(f"frame {number} is there already")
        except FormatError as error:
            source.problem(error)
            continue
        out[int(number)] = name.strip()
    return out


def read(source: Source) -> Dataset:
    """Read tracklets: an item for each frame, cuboids in the coordinates of the scanner.

    The place of a cuboid is what the file says, its middle for CVAT and Datumaro, the middle of its bottom in KITTI's
    own data.

    Raises:
        FormatError: not such a file, a number that is none, a wrong count of poses.
    """
    name = _find(source.files)
    if name is None:
        raise FormatError(f"no {FILE}", file=source.path)
    found = _Tracklets(source, name)
    root = name[: -len(name.rpartition("/")[2])]
    names = _names(source, root)
    clouds: dict[str, str] = {m.group(1): n for n in source.files if (m := _CLOUD.fullmatch(n))}
    numbers = {text: frame for frame, text in names.items()}
    for text, cloud in clouds.items():
        if text in numbers:
            continue
        if text.isdigit() and len(text) < 19 and int(text) not in names:
            names[int(text)] = text
        else:
            source.report.unread(cloud, None, "", "a point cloud of no frame", what="file")
    for frame in found.frames:
        names.setdefault(frame, f"{frame:010d}")

    def path(frame: int) -> str | None:
        cloud = clouds.get(names[frame])
        return None if cloud is None else names[frame] + cloud[len(stem(cloud)) :]

    def load(frame: int) -> Item:
        shapes: list[Annotation] = [_copy(cuboid) for cuboid in found.frames.get(frame, ())]
        return Item(names[frame], path(frame), "point_cloud", frame=frame, annotations=shapes)

    order = sorted(names)
    pictures = {("default", path(frame)): clouds[names[frame]] for frame in order if names[frame] in clouds}
    return Dataset(found.schema, LazyItems(order, load), media=Found(source, pictures))


def _copy(cuboid: Cuboid) -> Cuboid:
    out = clone(cuboid)
    out.attributes = dict(cuboid.attributes)
    return out
