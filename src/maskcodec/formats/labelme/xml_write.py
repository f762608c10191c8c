"""Writing LabelMe XML as CVAT does: ``<subset>/<folder>/<image>.xml``, masks in ``<subset>/Masks``."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from maskcodec.formats._shared.labels import FirstUse
from maskcodec.formats._shared.lines import two_decimals
from maskcodec.formats._shared.maskpng import write_mask
from maskcodec.formats._shared.naming import tell_order
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.xmlout import XmlWriter
from maskcodec.formats.labelme.attributes import attribute_text, parse_attributes
from maskcodec.formats.labelme.xml_read import NAMESPACE
from maskcodec.formats.voc.write import plant
from maskcodec.model.annotations import Annotation, Box, Mask, Polygon
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["write"]


def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    """Write one XML file an image, and a PNG file a mask.

    Args:
        dataset: boxes, polygons of one ring, masks.
        sink: the output.
        report: hears of special losses.
    """
    labels = FirstUse(dataset.schema, report)
    names: list[str] = []
    for item in dataset.items:
        body = io.BytesIO()
        xml = XmlWriter(body)
        own = item.extras.get(NAMESPACE, {})
        folder, _, name = str(item.path).rpartition("/")
        xml.start("annotation")
        xml.leaf("filename", name)
        xml.leaf("folder", folder)
        plant(xml, ["source", [[tag, text] for tag, text in own.get("source", {}).items()]])
        if item.width or item.height:
            plant(xml, ["imagesize", [["nrows", str(item.height or "")], ["ncols", str(item.width or "")]]])
        children: dict[Any, list[str]] = {}
        for annotation in item.annotations:
            if annotation.parent_id is not None:
                children.setdefault(annotation.parent_id, []).append(str(annotation.id))
        for annotation in item.annotations:
            _object(xml, sink, item, annotation, labels, children, report)
        for element in own.get("elements", ()):
            plant(xml, element)
        xml.end()
        names.append(f"{item.subset}/{item.id}.xml")
        sink.write(names[-1], body.getvalue())
    labels.close()
    tell_order(names, report)


def _object(
    xml: XmlWriter, sink: NullSink, item: Item, annotation: Annotation, labels: FirstUse,
    children: dict[Any, list[str]], report: LossReport,
) -> None:  # fmt: skip
    own = annotation.extras.get(NAMESPACE, {})
    xml.start("object")
    xml.leaf("name", labels.name(annotation.category_id))
    xml.leaf("deleted", "0")
    xml.leaf("verified", own.get("verified", "0"))
    xml.leaf("occluded", "yes" if annotation.occluded else "no")
    xml.leaf("attributes", _attributes(annotation, item, report))
    parent = str(annotation.parent_id) if annotation.parent_id is not None else ""
    plant(xml, ["parts", [["hasparts", ",".join(children.get(annotation.id, ()))], ["ispartof", parent]]])
    xml.leaf("date", own.get("date", ""))
    xml.leaf("id", str(annotation.id))
    if isinstance(annotation, Mask):
        if "type" in own:
            xml.leaf("type", own["type"])
        _mask(xml, sink, item, annotation, own)
    else:
        points: np.ndarray[Any, Any]
        if isinstance(annotation, Box):
            xml.leaf("type", "bounding_box")
            x0, y0, x1, y1 = annotation.x0, annotation.y0, annotation.x1, annotation.y1
            points = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
        else:
            points = annotation.rings[0] if isinstance(annotation, Polygon) else np.zeros((0, 2))
        xml.start("polygon")
        xml.leaf("username", own.get("username", ""))
        for x, y in points.tolist():
            plant(xml, ["pt", [["x", two_decimals(x)], ["y", two_decimals(y)]]])
        xml.end()
    for element in own.get("elements", ()):
        plant(xml, element)
    xml.end()


def _mask(xml: XmlWriter, sink: NullSink, item: Item, mask: Mask, own: dict[str, Any]) -> None:
    x, y, w, h = (int(value) for value in mask.rle.bbox)
    name = f"{item.id}_mask_{mask.id}.png"
    xml.start("segm")
    xml.leaf("username", own.get("username", ""))
    sides = {"xmin": x, "ymin": y, "xmax": x + w, "ymax": y + h}
    plant(xml, ["box", [[side, str(value)] for side, value in sides.items()]])
    xml.leaf("mask", name)
    if "scribbles" in own:
        plant(xml, ["scribbles", own["scribbles"]])
    xml.end()
    sink.write(f"{item.subset}/Masks/{name}", write_mask(mask.rle))


def _attributes(annotation: Annotation, item: Item, report: LossReport) -> str:
    attributes = dict(annotation.attributes)
    if isinstance(annotation, Box) and annotation.rotation:
        attributes["rotation"] = float(annotation.rotation)
    text = attribute_text(attributes)
    back = parse_attributes(text.strip())
    for name, value in attributes.items():
        if back.get(name) != value or type(back.get(name)) is not type(value):
            report.approximate(item, annotation, f"attributes.{name}", "written as a text")
    return text
