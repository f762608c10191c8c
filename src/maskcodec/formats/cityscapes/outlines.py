"""``*_polygons.json``: objects of one image as outlines, in the order of painting."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.jsonio import decode, encode
from maskcodec.formats._shared.lines import decimal
from maskcodec.formats._shared.source import Source
from maskcodec.formats.cityscapes.table import spelt
from maskcodec.model.annotations import Polygon
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["NAMESPACE", "Names", "document", "read_outlines"]

NAMESPACE = "cityscapes"


class Names:
    """Labels of outlines: those of a schema, with or without their blanks, and with ``group`` behind them."""

    def __init__(self, schema: LabelSchema) -> None:
        self.known = {category.name.replace(" ", ""): category for category in schema}

    def find(self, label: str) -> tuple[Any, bool] | None:
        """Id of the category and whether it is a group; None when there is no such category."""
        bare = label.replace(" ", "")
        for name, group in ((bare, False), (bare.removesuffix("group"), True)):
            if name in self.known and (not group or name != bare):
                return self.known[name].id, group
        return None


def _points(value: Any) -> Any:
    """Points of an outline, or None when it is none."""
    if not isinstance(value, list) or not all(isinstance(p, list) and len(p) == 2 for p in value):
        return None
    if not all(type(v) in (int, float) for p in value for v in p):
        return None
    ring = np.array(value, np.float64).reshape(-1, 2)
    return ring if np.isfinite(ring).all() else None


def read_outlines(source: Source, name: str, item: Item, names: Names) -> list[Polygon]:
    """The objects of a file that are not deleted; sets the size of the item, keeps the rest in its extras.

    Raises:
        FormatError: no object with ``imgHeight``, ``imgWidth`` and ``objects``, or one of these breaks the rules; a
            lenient reader leaves it out.
    """
    file = source.display(name)
    root = decode(source.read(name).removeprefix(b"\xef\xbb\xbf"), file=file)
    if not isinstance(root, dict):
        raise FormatError(f"expected an object, got {shorten(root)}", file=file)
    for field in ("imgHeight", "imgWidth", "objects"):
        value = root.get(field)
        good = isinstance(value, list) if field == "objects" else type(value) is int and 0 < value < 1 << 31
        if not good:
            expected = "a list" if field == "objects" else "a number of pixels"
            found = f"got {shorten(value)}" if field in root else "the key is missing"
            raise FormatError(f"expected {expected}, {found}", file=file, field=field)
    item.height, item.width = root.pop("imgHeight"), root.pop("imgWidth")
    out: list[Polygon] = []
    deleted: list[list[Any]] = []
    for at, entry in enumerate(root.pop("objects")):
        if isinstance(entry, dict) and entry.get("deleted") in (1, True):
            deleted.append([at, entry])
            continue
        try:
            out.append(_outline(entry, at, file, names))
        except FormatError as error:
            source.problem(error, item, f"objects[{at}]")
    own: dict[str, Any] = {}
    if deleted:
        own["deleted"] = deleted
    if root:
        own["keys"] = root
    if not out:
        own["#outlines"] = True
    if own:
        item.extras[NAMESPACE] = own
    return out


def _outline(entry: Any, at: int, file: str, names: Names) -> Polygon:
    record = f"objects[{at}]"
    if not isinstance(entry, dict):
        raise FormatError(f"expected an object, got {shorten(entry)}", file=file, record=record)
    label, ring = entry.get("label"), _points(entry.get("polygon"))
    found = names.find(label) if isinstance(label, str) else None
    if found is None or not isinstance(label, str):
        raise FormatError(f"expected a known label, got {shorten(label)}", file=file, record=record, field="label")
    if ring is None or len(ring) < 3:
        shown = "points that are no pairs of numbers" if ring is None else f"{len(ring)}"
        raise FormatError(f"expected at least 3 points, got {shown}", file=file, record=record, field="polygon")
    number = entry.get("id")
    shape = Polygon([ring], category_id=found[0], is_crowd=found[1], z_order=at,
                    id=number if type(number) is int else None)  # fmt: skip
    own = {k: v for k, v in entry.items() if k not in ("label", "polygon") and (k != "id" or shape.id is None)}
    row = spelt(label)
    if row is not None and row.name != label:
        own["#label"] = label
    if own:
        shape.extras = {NAMESPACE: own}
    return shape


def document(item: Item, shapes: list[Polygon], name_of: Callable[[Any], str], report: LossReport) -> bytes:
    """The file of an image.

    Args:
        item: with its size; brings deleted objects and other keys.
        shapes: in the order of painting, one ring each.
        name_of: category id -> label.
        report: hears of what the file cannot hold.
    """
    own = item.extras.get(NAMESPACE, {})
    rows: list[Any] = [_entry(item, shape, name_of(shape.category_id), report) for shape in shapes]
    places: list[Polygon | None] = list(shapes)
    for at, entry in own.get("deleted", ()):
        rows.insert(at, entry)
        places.insert(at, None)
    for at, shape in enumerate(places):
        if shape is not None and shape.z_order != at:
            report.approximate(item, shape, "z_order", "kept as the order of the list")
    head = {"imgHeight": item.height, "imgWidth": item.width, **own.get("keys", {})}
    body = b",".join(row if isinstance(row, bytes) else encode(row) for row in rows)
    return encode(head)[:-1] + b',"objects":[' + body + b"]}\n"


def _entry(item: Item, shape: Polygon, name: str, report: LossReport) -> bytes:
    own = shape.extras.get(NAMESPACE, {})
    label = f"{name}group" if shape.is_crowd else name
    if shape.is_crowd and spelt(label) is not None:
        report.approximate(item, shape, "is_crowd", "a class has the name of this group")
        label = name
    stored = own.get("#label")
    if isinstance(stored, str) and stored.replace(" ", "") == label.replace(" ", ""):
        label = stored
    kept = {key: value for key, value in own.items() if key[:1] != "#"}
    if type(shape.id) is int:
        kept["id"] = shape.id
    elif shape.id is not None:
        report.approximate(item, shape, "id", "an id is a number")
    points = ",".join(f"[{decimal(x)},{decimal(y)}]" for x, y in shape.rings[0].tolist())
    return encode({"label": label, **kept})[:-1] + f',"polygon":[{points}]}}'.encode()
