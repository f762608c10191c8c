"""Labels of CVAT XML as categories; skeletons drawn as SVG."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.xmlio import Element, parse
from maskcodec.formats._shared.xmlout import XmlWriter, quoted
from maskcodec.formats.cvat_xml.attributes import FIELDS, NAMESPACE, Definitions, plain, read_spec, spec_texts
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category

__all__ = ["read_labels", "unique_names", "write_labels"]

_LABEL = ("name", "color", "type", "attributes", "parent", "svg")


# --- skeletons --------------------------------------------------------------------------------------------------------
def read_svg(svg: str, points: list[str], file: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Names of the points by node number, and edges counted from 1; the names given where the drawing has none."""
    try:
        root = parse(f"<svg>{svg}</svg>".encode(), file)
    except FormatError:
        return points, []
    nodes: dict[str, str] = {}
    for circle in (e for e in root.children if "data-node-id" in e.attributes):
        name = circle.attributes.get("data-label-name")
        number = circle.attributes["data-node-id"]
        at = len(nodes)
        nodes[number] = name if name is not None else points[at] if at < len(points) else number
    order = sorted(nodes, key=lambda n: (not n.isdigit(), int(n) if n.isdigit() else 0, n))
    names = [nodes[n] for n in order]
    names += [name for name in points if name not in names]
    place = {number: at + 1 for at, number in enumerate(order)}
    edges = []
    for line in (e for e in root.children if e.attributes.get("data-type") == "edge"):
        ends = [place.get(line.attributes.get(f"data-node-{side}", "")) for side in ("from", "to")]
        if ends[0] is not None and ends[1] is not None:
            edges.append((ends[0], ends[1]))
    return names, edges


def draw_svg(category: Category) -> str:
    """A drawing of a skeleton: its points on a circle."""
    count = len(category.keypoints)
    xy = [(50 + 40 * math.sin(a), 50 - 40 * math.cos(a)) for a in (2 * math.pi * i / count for i in range(count))]
    lines = []
    for a, b in category.skeleton:
        if 0 < a <= count and 0 < b <= count:
            ends = zip(("x1", "y1", "x2", "y2"), (*xy[a - 1], *xy[b - 1]), strict=True)
            pairs = [(name, f"{v:.2f}") for name, v in ends]
            pairs += [("data-type", "edge"), ("data-node-from", str(a)), ("data-node-to", str(b))]
            lines.append(f"<line{quoted(pairs)}></line>")
    for number, (name, (x, y)) in enumerate(zip(category.keypoints, xy, strict=True), 1):
        pairs = [("r", "0.75"), ("cx", f"{x:.2f}"), ("cy", f"{y:.2f}"), ("data-type", "element node")]
        pairs += [("data-element-id", str(number)), ("data-node-id", str(number)), ("data-label-name", name)]
        lines.append(f"<circle{quoted(pairs)}></circle>")
    return "\n".join(lines)


# --- labels -----------------------------------------------------------------------------------------------------------
def _color(text: str | None) -> tuple[int, ...] | None:
    if text is None or not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        return None
    return tuple(bytes.fromhex(text[1:]))


def read_labels(labels: Iterable[Element], file: str) -> list[Category]:
    """Categories with ids counted from 1; labels with a parent become the points of its skeleton.

    Raises:
        FormatError: a label without a name, twice, or with a parent that is no label.
    """
    categories: dict[str, Category] = {}
    parts: dict[str, dict[str, Any]] = {}
    for element in labels:
        name, parent = plain(element, "name"), plain(element, "parent")
        where = f"line {element.line}: label {shorten(name)}"
        known = parts.setdefault(parent, {}) if parent else categories
        if not name or name in known:
            text = "label without a name" if not name else "label twice"
            raise FormatError(text, file=file, record=where, field="name")
        own = element.find("attributes")
        specs = [read_spec(e) for e in own.all("attribute")] if own is not None else []
        if parent:
            kind = element.value("type") or "points"
            texts = [spec_texts(spec) for spec in specs]
            parts[parent][name] = {"color": element.value("color"), "type": kind, "attributes": texts}
            continue
        rest = {e.tag: e.text for e in element.children if e.tag not in _LABEL}
        rest["type"] = element.value("type") or "any"
        svg = element.find("svg")
        if svg is not None:
            rest["svg"] = svg.text
        color = element.value("color")
        if color is not None and _color(color) is None:
            rest["color"] = color
        number, extras = len(categories) + 1, {NAMESPACE: rest}
        categories[name] = Category(number, name, _color(color), attributes=specs, extras=extras)
    for parent, points in parts.items():
        if parent not in categories:
            raise FormatError(f"no label of the name {shorten(parent)}", file=file, record="labels", field="parent")
        categories[parent].extras[NAMESPACE]["points"] = points
    for category in categories.values():
        rest = category.extras[NAMESPACE]
        if rest["type"] == "skeleton" or "points" in rest:
            category.keypoints, category.skeleton = read_svg(rest.get("svg", ""), list(rest.get("points", ())), file)
        if rest["type"] == ("skeleton" if category.keypoints else "any"):
            del rest["type"]
        if not rest:
            category.extras = {}
    return list(categories.values())


def _write_specs(out: XmlWriter, specs: Iterable[dict[str, str]]) -> None:
    out.start("attributes")
    for texts in specs:
        out.start("attribute")
        for name in FIELDS:
            out.leaf(name, texts[name])
        out.end()
    out.end()


def write_labels(out: XmlWriter, categories: Iterable[Category], definitions: Definitions, report: LossReport) -> None:
    """The ``labels`` element."""
    out.start("labels")
    for category in categories:
        rest = dict(category.extras.get(NAMESPACE, {}))
        points, svg = rest.pop("points", {}), rest.pop("svg", None)
        kind, color = rest.pop("type", "skeleton" if category.keypoints else "any"), rest.pop("color", None)
        out.start("label")
        out.leaf("name", category.name)
        if category.color is not None:
            color = "#" + bytes(category.color[:3]).hex()
            if len(category.color) > 3:
                report.default(category.name, None, "color", "colours have no alpha", what="category")
        if color is not None:
            out.leaf("color", color)
        out.leaf("type", kind)
        specs = definitions.of[category.id].values()
        for spec in specs:
            if spec.children:
                report.drop(category.name, None, "children", "nested attributes", what="attribute")
            if spec.type == "multiselect":
                report.approximate(category.name, None, "type", "several choices become a text", what="attribute")
        _write_specs(out, map(spec_texts, specs))
        for tag, text in rest.items():
            out.leaf(tag, text)
        if category.keypoints:
            same = svg is not None and read_svg(svg, list(points), "") == (category.keypoints, category.skeleton)
            out.leaf("svg", svg if same and svg is not None else draw_svg(category))
        out.end()
        for name in category.keypoints:
            point = points.get(name, {"color": None, "type": "points", "attributes": []})
            out.start("label")
            out.leaf("name", name)
            if point["color"] is not None:
                out.leaf("color", point["color"])
            out.leaf("type", point["type"])
            _write_specs(out, point["attributes"])
            out.leaf("parent", category.name)
            out.end()
    out.end()


def unique_names(categories: Iterable[Category], report: LossReport) -> None:
    """Give labels of the same name numbers; the categories are changed in place."""
    seen: set[str] = set()
    for category in categories:
        name, number = category.name, 2
        while name in seen:
            name, number = f"{category.name} ({number})", number + 1
        if name != category.name:
            report.rename(category.name, None, "name", "names of labels are unique", what="category")
            category.name = name
        seen.add(name)
