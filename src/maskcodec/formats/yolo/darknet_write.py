"""Writing Darknet's form of YOLO."""

from __future__ import annotations

from maskcodec.formats._shared.labels import numbered
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.yolo.common import META, NAMESPACE, check_name, size_rows
from maskcodec.formats.yolo.darknet import RESERVED, box_at
from maskcodec.formats.yolo.rows import centred_texts, texts
from maskcodec.model.annotations import Annotation, Box
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["write"]


def write(
    dataset: Dataset, sink: NullSink, report: LossReport, *, decimals: int | None = None, enclosing: bool = False
) -> None:
    """Write ``obj.data``, ``obj.names``, a list a subset, a label file an image, and sizes in ``images.meta``.

    Args:
        dataset: boxes.
        sink: the output.
        report: hears of special losses.
        decimals: of fractions, 6 as CVAT does; None: as many as lead back to the same pixels.
        enclosing: other shapes with an area are written as their enclosing boxes; else they are left out.

    Raises:
        ValueError: a subset with a name that means something else.
    """
    numbers = numbered(dataset.schema, report)
    notes = dataset.extras.get(NAMESPACE, {})
    prefix = notes.get("#prefix", "data/")
    lists: dict[str, list[str]] = {}
    sizes: list[tuple[str, int, int]] = []
    for item in dataset.items:
        if item.subset in RESERVED:
            raise ValueError(f"a subset cannot be named {item.subset} in obj.data")
        place = f"obj_{item.subset}_data/{item.path}"
        lists.setdefault(item.subset, []).append(prefix + place)
        if item.width and item.height:
            sizes.append((f"{item.subset}/{item.id}", item.width, item.height))
        rows = [f"{numbers[box.category_id]} {_row(box, item, report, decimals)}" for box in item.annotations]
        if rows or "#missing" not in item.extras.get(NAMESPACE, {}):
            sink.write(f"obj_{item.subset}_data/{item.id}.txt", "".join(f"{row}\n" for row in rows).encode())
    for subset, rows in lists.items():
        sink.write(f"{subset}.txt", "".join(f"{row}\n" for row in rows).encode("utf-8"))
    if sizes:
        sink.write(META, size_rows(sizes))
    names = [check_name(c.name, "obj.names") for c in dataset.schema.categories]
    sink.write("obj.names", "".join(f"{name}\n" for name in names).encode("utf-8"))
    keys = {"classes": str(len(dataset.schema.categories)), **{s: f"{prefix}{s}.txt" for s in lists},
            "names": f"{prefix}obj.names", "backup": "backup/", **notes.get("keys", {})}  # fmt: skip
    sink.write("obj.data", "".join(f"{key} = {value}\n" for key, value in keys.items()).encode("utf-8"))


def _row(box: Annotation, item: Item, report: LossReport, decimals: int | None) -> str:
    return " ".join(box_texts(box, item, report, decimals)) if isinstance(box, Box) else ""


def box_texts(box: Box, item: Item, report: LossReport, decimals: int | None) -> list[str]:
    """Centre and size of a box as fractions."""
    sides = (box.x0, box.y0, box.x1, box.y1)
    if item.width and item.height:
        found, exact = centred_texts(sides, (item.width, item.height), decimals)
    else:
        x0, y0, x1, y1 = sides
        values = [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]
        wanted = Box(*sides, category_id=0, extras={NAMESPACE: {"fractions": True}})
        found, exact = texts(values, lambda row: box_at(row, item, 0) == wanted, decimals)
    if not exact:
        for name in ("x0", "y0", "x1", "y1"):
            report.approximate(item, box, name, "rounded to fractions of the image size")
    return found
