"""Reading labelme JSON: one file an image, beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.images import image_size
from maskcodec.formats._shared.jsonio import decode
from maskcodec.formats._shared.labels import categories, read_names
from maskcodec.formats._shared.naming import Images, stem
from maskcodec.formats._shared.source import Source, safe_name
from maskcodec.formats.labelme.patches import fault, from_base64, placed_mask
from maskcodec.model.annotations import Annotation, Box, Ellipse, Mask, Points, Polygon, Polyline, Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.geometry import box_of_corners
from maskcodec.model.schema import LabelSchema

__all__ = ["COUNTS", "NAMESPACE", "detect", "read"]

NAMESPACE = "labelme_json"
_TOP = ("version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth")
_SHAPE = ("label", "points", "group_id", "description", "shape_type", "flags", "mask")
# Shape type -> least and most points.
COUNTS: dict[str, tuple[int, float]] = {
    "polygon": (2, np.inf), "rectangle": (2, 2), "oriented_rectangle": (4, 4), "circle": (2, 2), "line": (2, 2),
    "linestrip": (2, np.inf), "point": (1, 1), "points": (1, np.inf), "mask": (2, 2),
}  # fmt: skip


def _files(source: Source) -> list[str]:
    return [name for name in source.files if name.lower().endswith(".json")] or (
        source.files if source.kind == "file" else []
    )


def detect(probe: Probe) -> Confidence:
    """A JSON object with ``shapes`` and ``imagePath``."""
    for name, document in probe.json().items():
        if {"shapes", "imagePath"} <= set(document.keys):
            return Confidence(90, f"{name} has shapes and imagePath")
        break
    raise NotThisFormat("no JSON object with shapes and imagePath")


def read(source: Source, *, drop_ignored: bool = False) -> Dataset:
    """Read labelme JSON.

    Args:
        source: folder or zip with JSON files, or one of them.
        drop_ignored: leave out shapes labelled ``__ignore__``, which exporters do not count as a class.
    """
    files = _files(source)
    if source.files and not files and not source.has("labels.txt"):
        raise FormatError("no JSON file", file=source.path)
    names: dict[str, None] = {}
    flags: dict[str, None] = {}
    for table, known in (("labels.txt", names), ("flags.txt", flags)):
        found = [name for name in source.files if name.rpartition("/")[2] == table]
        if found:
            known.update(dict.fromkeys(read_names(source, min(found, key=lambda name: (name.count("/"), name)))))
    for name in files:
        try:
            data = decode(source.read(name).removeprefix(b"\xef\xbb\xbf"), file=source.display(name))
        except FormatError:
            continue  # told when the item is read
        if isinstance(data, Mapping):
            shapes = data.get("shapes")
            for shape in shapes if isinstance(shapes, list) else ():
                if isinstance(shape, Mapping) and isinstance(shape.get("label"), str):
                    names.setdefault(shape["label"])
            if isinstance(data.get("flags"), Mapping):
                flags.update(dict.fromkeys(data["flags"]))
    names.update(flags)
    schema = LabelSchema(categories(names))
    reader = _Reader(source, {c.name: c.id for c in schema.categories}, drop_ignored)
    return Dataset(schema, LazyItems(files, reader.item))


class _Reader:
    def __init__(self, source: Source, ids: dict[str, Any], drop_ignored: bool) -> None:
        self.source, self.ids, self.drop_ignored, self.images = source, ids, drop_ignored, Images(source)

    def item(self, name: str) -> Item | None:
        """Load one file."""
        file = self.source.display(name)
        try:
            data = decode(self.source.read(name).removeprefix(b"\xef\xbb\xbf"), file=file)
            if not isinstance(data, dict):
                raise FormatError(f"expected an object, got {shorten(data)}", file=file)
            if not isinstance(data.get("shapes"), list):
                raise FormatError(f"expected a list, got {shorten(data.get('shapes'))}", file=file, field="shapes")
            item = self._image(data, name, file)
            self._flags(data.get("flags"), item, file)
        except FormatError as error:
            self.source.problem(error)
            return None
        for at, shape in enumerate(data["shapes"]):
            record = f"shapes[{at}]"
            try:
                if not isinstance(shape, dict):
                    raise fault(f"expected an object, got {shorten(shape)}", file, record)
                label = shape.get("label")
                if not isinstance(label, str):
                    raise fault(f"expected a text, got {shorten(label)}", file, record, "label")
                if label == "__ignore__" and self.drop_ignored:
                    self.source.report.unread(item, label, "", "shapes to be ignored", what="record")
                    continue
                annotation = self._shape(shape, item, file, f"{record} ({label})")
            except FormatError as error:
                self.source.problem(error, item, record)
                continue
            annotation.category_id = self.ids[label]
            item.annotations.append(annotation)
        tags = [Tag(category_id=self.ids[flag]) for flag, value in (data.get("flags") or {}).items() if value is True]
        item.annotations += tags
        return item

    def _image(self, data: dict[str, Any], name: str, file: str) -> Item:
        key = stem(name) if self.source.kind != "file" or "." in name else name
        folder = name.rpartition("/")[0]
        own: dict[str, Any] = {key: value for key, value in data.items() if key not in _TOP}
        item = Item(key, self._path(data.get("imagePath"), folder, own, file))
        own["#version"] = data.get("version")
        for field, wanted in (("width", "imageWidth"), ("height", "imageHeight")):
            value = data.get(wanted)
            if value is not None and (type(value) is not int or value < 0):
                raise FormatError(f"expected a number of pixels, got {shorten(value)}", file=file, field=wanted)
            setattr(item, field, value or None)
        if data.get("imageData") is not None:
            self._embedded(data["imageData"], item, own, file)
        if item.width is None or item.height is None:
            item.width, item.height = self.images.size(self.images.find(stem(item.path or ""), key))
        item.extras[NAMESPACE] = own
        return item

    def _path(self, value: Any, folder: str, own: dict[str, Any], file: str) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise FormatError(f"expected a path, got {shorten(value)}", file=file, field="imagePath")
        path = value.replace("\\", "/")
        try:
            inner = safe_name(path)
            if folder:
                inner = f"{folder}/{inner}"
        except ValueError:
            base = path.rpartition("/")[2] or "unnamed"
            inner = f"{folder}/{base}" if folder else base
        if inner != (f"{folder}/{value}" if folder else value):
            own["#imagePath"] = value
        return inner

    def _embedded(self, value: Any, item: Item, own: dict[str, Any], file: str) -> None:
        """The image in the file: kept as it is, its size counts."""
        data = from_base64(value, file, "", "imageData")
        own["imageData"] = value
        size = image_size(data, file)
        if (item.width, item.height) != size and item.width is not None:
            text = "the image in the file has another size than it says: the image counts"
            self.source.report.approximate(item, None, "width", text)
        item.width, item.height = size

    def _flags(self, flags: Any, item: Item, file: str) -> None:
        if flags is None:
            return
        if not isinstance(flags, dict) or not all(isinstance(value, bool) for value in flags.values()):
            raise FormatError(f"expected names with true or false, got {shorten(flags)}", file=file, field="flags")
        if not all(flags.values()):
            item.extras[NAMESPACE]["flags"] = dict(flags)

    def _shape(self, shape: dict[str, Any], item: Item, file: str, record: str) -> Annotation:
        kind = shape.get("shape_type", "polygon")
        if kind not in COUNTS:
            raise fault(f"expected one of {', '.join(COUNTS)}, got {shorten(kind)}", file, record, "shape_type")
        xy = self._points(shape.get("points"), file, record)
        least, most = COUNTS[kind]
        if not least <= len(xy) <= most:
            raise fault(f"a {kind} has {least if least == most else f'{least} or more'} points, got {len(xy)}", file,
                         record, "points")  # fmt: skip
        if (shape.get("mask") is not None) != (kind == "mask"):
            raise fault(f"a mask belongs to shapes of type mask, got type {kind}", file, record, "mask")
        own: dict[str, Any] = {key: value for key, value in shape.items() if key not in _SHAPE}
        raw = shape["points"]
        out: Annotation
        if kind == "polygon":
            out = Polygon([xy])
        elif kind == "rectangle":
            out = Box(*xy.min(axis=0).tolist(), *xy.max(axis=0).tolist())
            if raw != [[out.x0, out.y0], [out.x1, out.y1]]:
                own["#points"] = raw
        elif kind == "oriented_rectangle":
            out = Box(*box_of_corners(xy))
            own.update({"#type": kind, "#points": raw})
        elif kind == "circle":
            radius = float(np.hypot(*(xy[1] - xy[0])))
            out = Ellipse(float(xy[0, 0]), float(xy[0, 1]), radius, radius)
            own["#points"] = raw
        elif kind in ("line", "linestrip"):
            out = Polyline(xy)
            own["#type"] = kind
        elif kind in ("point", "points"):
            out = Points(xy)
            own["#type"] = kind
        else:
            out = Mask(placed_mask(shape["mask"], xy, item, self.source, file, record))
            own["#points"] = raw
        self._shared(shape, out, own, file, record)
        return out

    @staticmethod
    def _points(points: Any, file: str, record: str) -> np.ndarray[Any, Any]:
        good = isinstance(points, list) and all(
            isinstance(p, list) and len(p) == 2 and all(type(v) in (int, float) for v in p) for p in points
        )
        if not good:
            raise fault(f"expected a list of [x, y], got {shorten(points)}", file, record, "points")
        return np.array(points, np.float64).reshape(-1, 2)

    @staticmethod
    def _shared(shape: dict[str, Any], out: Annotation, own: dict[str, Any], file: str, record: str) -> None:
        group = shape.get("group_id")
        if group is not None and type(group) is not int:
            raise fault(f"expected a number or null, got {shorten(group)}", file, record, "group_id")
        out.group_id = group
        flags = shape.get("flags") or {}
        if not isinstance(flags, dict) or not all(isinstance(value, bool) for value in flags.values()):
            raise fault(f"expected names with true or false, got {shorten(flags)}", file, record, "flags")
        out.attributes = dict(flags)
        text = shape.get("description")
        if text is not None and not isinstance(text, str):
            raise fault(f"expected a text, got {shorten(text)}", file, record, "description")
        if text and "description" not in flags:
            out.attributes["description"] = text
        elif "description" in shape:
            own["#description"] = text
        if own:
            out.extras[NAMESPACE] = own
