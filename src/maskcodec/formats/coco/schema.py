"""What COCO documents look like: dialects, categories, keys.

Keys of ``extras["coco"]`` that begin with ``#`` are notes of this reader about the form of the file; all others are
keys of the file, kept verbatim.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.model.schema import Category

# Entries of ``attributes`` that CVAT and datumaro use for shared fields: name -> types that mean the field.
RESERVED: dict[str, tuple[type, ...]] = {
    "occluded": (bool,),
    "outside": (bool,),
    "keyframe": (bool,),
    "track_id": (int, str),
}


@dataclass(frozen=True)
class Dialect:
    """Where the COCO family differs.

    Attributes:
        name: of the format.
        box: what ``segmentation`` of a box is written as: "[]" or "null".
        first_id: first number for annotations without one.
        kinds_as_super: the super-category tells things ("object") from stuff ("background").
        tree: ``annotations/instances_<subset>.json``; else one file.
        image_keys: keys that every image has, with their default values.
    """

    name: str = "coco_instances"
    box: str = "[]"
    first_id: int = 1
    kinds_as_super: bool = False
    tree: bool = True
    image_keys: tuple[tuple[str, Any], ...] = ()


COCO = Dialect()


def read_category(row: Any, file: str, at: int, dialect: Dialect) -> Category:
    """One category; keys that the model does not know stay in extras.

    Raises:
        FormatError: no id, no name, or of the wrong type.
    """
    record = f"categories[{at}]"
    if not isinstance(row, dict):
        raise FormatError(f"expected an object, got {shorten(row)}", file=file, record=record)
    number, name = row.get("id"), row.get("name")
    if isinstance(number, bool) or not isinstance(number, (int, str)):
        raise FormatError(f"expected an integer, got {shorten(number)}", file=file, record=record, field="id")
    if not isinstance(name, str):
        where = f"{record} (id {number})"
        raise FormatError(f"expected text, got {shorten(name)}", file=file, record=where, field="name")
    rest = {key: value for key, value in row.items() if key not in ("id", "name")}
    category = Category(number, name)
    above = rest.get("supercategory")
    if dialect.kinds_as_super and above in ("object", "background"):
        category.kind = "stuff" if rest.pop("supercategory") == "background" else "thing"
    elif isinstance(above, str):
        category.parent = rest.pop("supercategory") or None
    if not isinstance(rest.get("isthing"), bool) and rest.get("isthing") in (0, 1):
        category.kind = "thing" if rest.pop("isthing") else "stuff"
        if category.kind == "thing":
            rest["isthing"] = 1  # the default of the model would leave the key out
    color = rest.get("color")
    if isinstance(color, list) and len(color) in (3, 4) and all(type(c) is int and 0 <= c <= 255 for c in color):
        category.color = tuple(rest.pop("color"))
    points, edges = rest.get("keypoints"), rest.get("skeleton")
    if isinstance(points, list) and points and all(isinstance(p, str) for p in points):
        category.keypoints = rest.pop("keypoints")
    if isinstance(edges, list) and edges and all(_is_edge(edge) for edge in edges):
        category.skeleton = [(edge[0], edge[1]) for edge in rest.pop("skeleton")]
    if rest:
        category.extras = {"coco": rest}
    return category


_DIFFERS = "differs from another file of the data set"


def merge_category(into: Category, other: Category, file: Any) -> None:
    """Take what another file says about a category; what contradicts the first is reported.

    Args:
        into: the category as known so far.
        other: the same id in another file.
        file: that file, for its ``problem`` and ``source``.
    """
    record = f"categories (id {other.id})"
    if into.name != other.name:
        file.problem(f"is {into.name!r} in another file", record, "name")
        return
    for name, default in (("color", None), ("kind", "thing"), ("parent", None), ("keypoints", []), ("skeleton", [])):
        mine, own = getattr(into, name), getattr(other, name)
        if own in (default, mine):
            continue
        if mine == default:
            setattr(into, name, own)
        else:
            file.source.report.unread(other.name, None, name, _DIFFERS, what="category")
    known = into.extras.get("coco", {})
    for key, own in other.extras.get("coco", {}).items():
        if key not in known:
            known = into.extras.setdefault("coco", {})
            known[key] = own
        elif known[key] != own:
            file.source.report.unread(other.name, None, f"extras.coco.{key}", _DIFFERS, what="category")


def _is_edge(edge: Any) -> bool:
    return isinstance(edge, list) and len(edge) == 2 and all(type(end) is int for end in edge)


def write_category(
    category: Category, number: int | str, dialect: Dialect, points: bool = True, things: bool = False
) -> dict[str, Any]:
    """The record of a category; with its key points or not, with ``isthing`` always or only where it says something."""
    above = category.parent or ""
    if dialect.kinds_as_super:
        above = "background" if category.kind == "stuff" else "object"
    row: dict[str, Any] = {"id": number, "name": category.name, "supercategory": above}
    row.update((key, value) for key, value in category.extras.get("coco", {}).items() if key[:1] != "#")
    if category.kind == "stuff" and not dialect.kinds_as_super:
        row["isthing"] = 0
    elif things:
        row["isthing"] = 1
    if category.color is not None:
        row["color"] = list(category.color)
    if category.keypoints and points:
        row["keypoints"] = category.keypoints
    if category.skeleton and points:
        row["skeleton"] = [list(edge) for edge in category.skeleton]
    return row
