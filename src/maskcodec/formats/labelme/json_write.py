"""Writing labelme JSON: ``<image>.json`` for each image, ``labels.txt`` for all."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from maskcodec.formats._shared.carry_whole import clone
from maskcodec.formats._shared.conversions import convert
from maskcodec.formats._shared.images import write_png
from maskcodec.formats._shared.labels import numbered
from maskcodec.formats._shared.naming import tell_order
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.tags import drop_repeated_tags
from maskcodec.formats.labelme.json_read import NAMESPACE
from maskcodec.formats.yolo.common import check_name
from maskcodec.model.annotations import Annotation, Box, Ellipse, Mask, Points, Polygon, Polyline, Tag
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.geometry import box_corners, box_of_corners
from maskcodec.model.losses import LossReport

__all__ = ["arrange", "write"]


def arrange(item: Item, source: Item, report: LossReport) -> None:
    """Shapes as labelme has them: one ring each, circles, patches of masks, attributes that are flags or a text."""
    drop_repeated_tags(item, source, report)
    out: list[Annotation] = []
    taken = {a.group_id for a in item.annotations if type(a.group_id) is int}
    numbers: dict[Any, int] = {}
    for annotation in item.annotations:
        group = annotation.group_id
        if group is not None and type(group) is not int:
            numbers.setdefault(group, next(n for n in range(len(taken) + 1) if n not in taken))
            taken.add(numbers[group])
            annotation.group_id = numbers[group]
            report.rename(source, annotation, "group_id", "groups are numbers")
        if isinstance(annotation, Ellipse) and annotation.rx != annotation.ry:
            annotation, how = convert(annotation, item, "polygon")
            report.approximate(source, annotation, "", how, what="ellipse")
        if not _fits(annotation, item, source, report):
            continue
        if isinstance(annotation, Points) and any(v != 2 for v in annotation.visibility or ()):
            report.approximate(source, annotation, "visibility", "points are all visible")
        if isinstance(annotation, Points):
            annotation.visibility = None
        if not isinstance(annotation, Tag):
            _flags(annotation, source, report)
        if not isinstance(annotation, Polygon) or len(annotation.rings) < 2:
            out.append(annotation)
            continue
        if annotation.group_id is None:
            annotation.group_id = next(n for n in range(len(taken) + 1) if n not in taken)
            taken.add(annotation.group_id)
        report.approximate(source, annotation, "", "parts are shapes of one group")
        for ring in annotation.rings:
            one = clone(annotation)
            one.rings, one.holes = [ring], ()
            out.append(one)
    item.annotations = out


def _fits(annotation: Annotation, item: Item, source: Item, report: LossReport) -> bool:
    """Whether a shape can hold the annotation; reported if not."""
    why = ""
    if isinstance(annotation, Mask):
        if annotation.rle.shape != (item.height, item.width):
            why = "the mask has another size than the image"
        elif not annotation.rle.area:
            why = "an empty mask has no patch"
    elif isinstance(annotation, Polygon) and any(len(ring) < 2 for ring in annotation.rings):
        why = "a polygon has at least two points"
    elif isinstance(annotation, Polyline) and len(annotation.points) < 2:
        why = "a line has at least two points"
    elif isinstance(annotation, Points) and not len(annotation.xy):
        why = "there is no point"
    if why:
        report.drop(source, annotation, "", why)
    return not why


def _flags(annotation: Annotation, source: Item, report: LossReport) -> None:
    for name, value in list(annotation.attributes.items()):
        good = isinstance(value, bool) or (name == "description" and isinstance(value, str) and value)
        if not good:
            report.drop(source, annotation, f"attributes.{name}", "flags are true or false")
            annotation.attributes = {k: v for k, v in annotation.attributes.items() if k != name}


def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    """Write one JSON file an image, and ``labels.txt``.

    Args:
        dataset: boxes, polygons of one ring, circles, lines, points, masks, tags.
        sink: the output.
        report: hears of special losses.

    Raises:
        ValueError: a label that cannot stand on a line of its own.
    """
    numbered(dataset.schema, report)
    names = {category.id: category.name for category in dataset.schema.categories}
    files: list[str] = []
    for item in dataset.items:
        own = item.extras.get(NAMESPACE, {})
        shown = own.get("#imagePath") or str(item.path).rpartition("/")[2]
        tags = {names[a.category_id]: True for a in item.annotations if isinstance(a, Tag)}  # type: ignore[index]
        flags = {**{k: False for k, v in own.get("flags", {}).items() if not v or k in tags}, **tags}
        ordered = {k: flags[k] for k in [*own.get("flags", {}), *flags] if k in flags}
        data = {
            "version": own.get("#version") or "5.7.0", "flags": ordered,
            "shapes": [_shape(a, item, names, report) for a in item.annotations if not isinstance(a, Tag)],
            "imagePath": shown, "imageData": own.get("imageData"), "imageHeight": item.height,
            "imageWidth": item.width,
            **{key: value for key, value in own.items() if key[:1] != "#" and key not in ("flags", "imageData")},
        }  # fmt: skip
        text = json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False, default=lambda value: value.item())
        files.append(f"{item.id}.json")
        sink.write(files[-1], (text + "\n").encode("utf-8"))
    tell_order(files, report)
    labels = [check_name(name, "labels.txt") for name in names.values()]
    sink.write("labels.txt", "".join(f"{label}\n" for label in labels).encode("utf-8"))


def _shape(annotation: Annotation, item: Item, names: dict[Any, str], report: LossReport) -> dict[str, Any]:
    own = annotation.extras.get(NAMESPACE, {})
    kind, points, mask = _geometry(annotation, item, own, report)
    attributes = dict(annotation.attributes)
    described = attributes.get("description")
    text = attributes.pop("description") if isinstance(described, str) else own.get("#description", "")
    return {
        "label": names[annotation.category_id], "points": points, "group_id": annotation.group_id,
        "description": text, "shape_type": kind, "flags": attributes, "mask": mask,
        **{key: value for key, value in own.items() if key[:1] != "#"},
    }  # fmt: skip


def _geometry(annotation: Annotation, item: Item, own: dict[str, Any], report: LossReport) -> tuple[str, Any, Any]:
    raw, kind = own.get("#points"), own.get("#type")
    if isinstance(annotation, Polygon):
        return "polygon", annotation.rings[0].tolist(), None
    if isinstance(annotation, Polyline):
        return kind or ("line" if len(annotation.points) == 2 else "linestrip"), annotation.points.tolist(), None
    if isinstance(annotation, Points):
        return kind or ("point" if len(annotation.xy) == 1 else "points"), annotation.xy.tolist(), None
    if isinstance(annotation, Ellipse):
        centre = [annotation.cx, annotation.cy]
        circle = [centre, [annotation.cx + annotation.rx, annotation.cy]]
        if raw is not None and raw[0] == centre and _radius(raw) == annotation.rx:
            circle = raw
        if _radius(circle) != annotation.rx:
            for name in ("rx", "ry"):
                report.approximate(item, annotation, name, "rounded as a point on the rim")
        return "circle", circle, None
    if isinstance(annotation, Mask):
        x, y, w, h = (int(value) for value in annotation.rle.bbox)
        patch = annotation.rle.crop((x, y, x + w, y + h)).decode()
        corners = [[float(x), float(y)], [float(x + w - 1), float(y + h - 1)]]
        if raw is not None and np.array_equal(np.floor(np.add(raw, 0.5)), corners):
            corners = raw
        return "mask", corners, base64.b64encode(write_png(patch.astype(np.uint8))).decode("ascii")
    return _box(annotation, item, kind, raw, report)


def _radius(circle: Any) -> float:
    return float(np.hypot(*np.subtract(circle[1], circle[0])))


def _box(annotation: Any, item: Item, kind: Any, raw: Any, report: LossReport) -> tuple[str, Any, Any]:
    box: Box = annotation
    sides = (box.x0, box.y0, box.x1, box.y1)
    if not box.rotation and kind != "oriented_rectangle":
        kept = raw is not None and (*np.min(raw, axis=0), *np.max(raw, axis=0)) == sides
        return "rectangle", raw if kept else [[box.x0, box.y0], [box.x1, box.y1]], None
    if raw is not None and box_of_corners(np.array(raw, np.float64)) == (*sides, box.rotation):
        return "oriented_rectangle", raw, None
    corners = box_corners(box)
    for name, was, back in zip(
        ("x0", "y0", "x1", "y1", "rotation"), (*sides, box.rotation), box_of_corners(corners), strict=True
    ):
        if was != back:
            report.approximate(item, box, name, "rounded as four corners")
    return "oriented_rectangle", corners.tolist(), None
