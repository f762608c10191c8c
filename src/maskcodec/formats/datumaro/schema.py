"""Label tables, colour maps and key-point tables of Datumaro to categories and back."""

from __future__ import annotations

from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.jsonio import Document
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import AttributeSpec, Category, LabelSchema

__all__ = ["NAMESPACE", "RESERVED", "is_datumaro", "read_categories", "write_categories"]

NAMESPACE = "datumaro"
VERSIONS = (None, "legacy", "1.0")
# Attributes that stand for shared fields (as CVAT and datumaro use them): name -> types that mean the field.
RESERVED: dict[str, tuple[type, ...]] = {
    "occluded": (bool,),
    "outside": (bool,),
    "keyframe": (bool,),
    "track_id": (int, str),
    "is_crowd": (bool,),
    "score": (int, float),
}


def is_datumaro(document: Document) -> bool:
    """Whether a JSON document has categories and items at its top."""
    keys = document.keys
    return "categories" in keys and "items" in keys and document.type_of("items") == "an array"


class _Table:
    """Reads the categories of one file."""

    def __init__(self, value: Any, file: str, report: LossReport) -> None:
        self.file, self.report = file, report
        if not isinstance(value, dict):
            raise self.fault(f"expected an object, got {shorten(value)}", "")
        self.value = value

    def fault(self, message: str, field: str) -> FormatError:
        return FormatError(message, file=self.file, record="categories", field=field)

    def rows(self, part: str, key: str) -> list[dict[str, Any]]:
        table = self.value.get(part)
        rows = table.get(key) if isinstance(table, dict) else None
        if table is not None and not (isinstance(rows, list) and all(isinstance(row, dict) for row in rows)):
            raise self.fault(f"expected a list of objects, got {shorten(rows)}", f"{part}.{key}")
        return rows or []

    def labels(self) -> list[Category]:
        out = []
        for at, row in enumerate(self.rows("label", "labels")):
            name, parent = row.get("name"), row.get("parent") or ""
            if not isinstance(name, str) or not isinstance(parent, str):
                raise self.fault(f"expected a text, got {shorten(name)}", f"label.labels[{at}].name")
            names = row.get("attributes") or []
            if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
                raise self.fault(f"expected a list of names, got {shorten(names)}", f"label.labels[{at}].attributes")
            rest = {k: v for k, v in row.items() if k not in ("name", "parent", "attributes")}
            own = [AttributeSpec(n) for n in names]
            kept = {NAMESPACE: rest} if rest else {}
            out.append(Category(at, name, parent=parent or None, attributes=own, extras=kept))
        return out

    def owner(self, row: dict[str, Any], field: str, categories: list[Category]) -> Category:
        number = row.get("label_id")
        if type(number) is not int or not 0 <= number < len(categories):
            raise self.fault(f"expected a label id below {len(categories)}, got {shorten(number)}", field)
        return categories[number]

    def colors(self, categories: list[Category]) -> list[dict[str, Any]]:
        """Colours of the labels; returns the entries beyond the label table."""
        beyond = []
        for at, row in enumerate(self.rows("mask", "colormap")):
            color = tuple(row.get(channel) for channel in "rgb")
            if not all(type(c) is int and 0 <= c <= 255 for c in color):
                raise self.fault(f"expected r, g and b from 0 to 255, got {shorten(color)}", f"mask.colormap[{at}]")
            number = row.get("label_id")
            if type(number) is int and 0 <= number < len(categories) and categories[number].color is None:
                categories[number].color = color  # type: ignore[assignment]
            else:
                beyond.append(row)
        return beyond

    def points(self, categories: list[Category]) -> None:
        for at, row in enumerate(self.rows("points", "items")):
            category = self.owner(row, f"points.items[{at}].label_id", categories)
            names, joints = row.get("labels") or [], row.get("joints") or []
            pairs = isinstance(joints, list) and all(
                isinstance(j, list) and len(j) == 2 and all(type(end) is int for end in j) for j in joints
            )
            if not isinstance(names, list) or not all(isinstance(n, str) for n in names) or not pairs:
                raise self.fault("expected names of points and pairs of numbers", f"points.items[{at}]")
            ends = {end for joint in joints for end in joint}
            first = 0 if 0 in ends else 1
            if ends and first and len(names) not in ends:
                why = "the numbers of joints begin at 0 or 1, taken as 1"
                self.report.approximate(category.name, None, "skeleton", why, what="category")
            category.keypoints = names
            category.skeleton = [(a + 1 - first, b + 1 - first) for a, b in joints]
            rest = {k: v for k, v in row.items() if k not in ("label_id", "labels", "joints")}
            if first == 0:
                rest["joints"] = joints
            if rest or not names:
                category.extras.setdefault(NAMESPACE, {})["points"] = rest


def read_categories(value: Any, file: str, report: LossReport) -> tuple[list[Category], dict[str, Any]]:
    """The categories of one file, their ids being their places, and what of the tables has no place in them."""
    table = _Table(value, file, report)
    categories = table.labels()
    beyond = table.colors(categories)
    table.points(categories)
    rest: dict[str, Any] = {k: v for k, v in value.items() if k not in ("label", "mask", "points")}
    label = value.get("label")
    if isinstance(label, dict):
        rest["label"] = {k: v for k, v in label.items() if k != "labels" and v not in ([], None)}
    rest = {k: v for k, v in rest.items() if v}
    if beyond:
        rest["colormap"] = beyond
    return categories, rest


def write_categories(
    schema: LabelSchema, order: list[Category], stored: dict[str, Any], report: LossReport | None
) -> dict[str, Any]:
    """The ``categories`` object of one file.

    Args:
        schema: all categories.
        order: those of the file, by their label ids.
        stored: what the reader kept of the tables.
        report: hears what of them is lost; None when it has been told.
    """
    labels, colors, points = [], [], []
    for number, category in enumerate(order):
        kept = dict(category.extras.get(NAMESPACE, {}))
        table = kept.pop("points", None)
        names = [spec.name for spec in category.attributes]
        labels.append({"name": category.name, "parent": category.parent or "", "attributes": names, **kept})
        if category.color is not None:
            colors.append({"label_id": number, **dict(zip("rgb", category.color[:3], strict=True))})
        if category.keypoints or category.skeleton or table is not None:
            row = {"label_id": number, "labels": category.keypoints}
            row["joints"] = [list(edge) for edge in category.skeleton]
            points.append({**row, **(table or {})})
        if report is not None:
            _losses(category, report)
    out: dict[str, Any] = {k: v for k, v in stored.items() if k not in ("label", "colormap")}
    out["label"] = {"labels": labels, "attributes": [], **stored.get("label", {})}
    colors += stored.get("colormap", [])
    if colors:
        out["mask"] = {"colormap": colors}
    if points:
        out["points"] = {"items": points}
    return out


def _losses(category: Category, report: LossReport) -> None:
    if category.color is not None and len(category.color) > 3:
        report.approximate(category.name, None, "color", "written without its opacity", what="category")
    plain = AttributeSpec("")
    for spec in category.attributes:
        for field in ("type", "values", "default", "mutable", "children"):
            if getattr(spec, field) != getattr(plain, field):
                report.drop(spec.name, None, field, "a label has the names of its attributes only", what="attribute")
