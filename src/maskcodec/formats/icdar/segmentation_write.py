"""Writing maps of characters and their lines."""

from __future__ import annotations

import re
import struct
from itertools import chain
from itertools import count as count_from
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.formats._shared.pixelmaps import color_of, packed, paint
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.icdar.segmentation import VOC, WHITE
from maskcodec.formats.icdar.texts import NAMESPACE, one_label, one_line, one_table, quoted
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["by_label", "write", "write_bmp"]


def write_bmp(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A BMP of 24 bits, rows from the bottom up, each filled to a multiple of 4 bytes; ``pixels`` is (H, W, 3)."""
    height, width, _ = pixels.shape
    stride = (width * 3 + 3) // 4 * 4
    rows = np.zeros((height, stride), np.uint8)
    rows[:, : width * 3] = pixels[::-1, :, ::-1].reshape(height, width * 3)
    size = stride * height
    sizes = (54 + size, 0, 54, 40, width, height, 1, 24, 0, size, 2835, 2835, 0, 0)
    head = struct.pack("<2sIIIIiiHHIIiiII", b"BM", *sizes)
    return head + rows.tobytes()


# --- writing ----------------------------------------------------------------------------------------------------------
def by_label(item: Item, source: Item, report: LossReport, schema: LabelSchema) -> None:
    """Words together, numbers and colours of all characters."""
    masks = [mask for mask in item.annotations if isinstance(mask, Mask)]
    first: dict[Any, int] = {}
    for at, mask in enumerate(masks):
        first.setdefault(mask.group_id if mask.group_id is not None else (at,), at)
    order = sorted(masks, key=lambda mask: first[mask.group_id] if mask.group_id is not None else masks.index(mask))
    if any(a is not b for a, b in zip(order, masks, strict=True)):
        report.approximate(source, None, "annotations", "the characters of a word stand together")
    counts: dict[Any, int] = {}
    for mask in order:
        counts[mask.group_id] = counts.get(mask.group_id, 0) + 1
    groups = {key: at for at, key in enumerate((k for k in counts if k is not None and counts[k] > 1), 1)}
    taken = {color for mask in order if (color := _color(mask.attributes.get("color"))) is not None}
    free = chain((packed(color) for color in VOC[1:]), count_from(1))
    used: set[int] = set()
    for at, mask in enumerate(order):
        one_label(mask, source, report, schema)
        group = groups.get(mask.group_id)
        if mask.group_id is not None and group is None:
            report.drop(source, mask, "group_id", "a word of one character is no group")
        elif group != mask.group_id:
            report.rename(source, mask, "group_id", "words are numbered")
        mask.group_id = group
        _fill(mask, at, source, report)
        color = _color(mask.attributes.get("color"))
        if color is None or color in used:
            tell = report.default if mask.attributes.get("color") is None else report.approximate
            tell(source, mask, "attributes.color", "each character has a colour of its own, not white")
            color = next(c for c in free if c not in taken and c not in used and c != WHITE)
        used.add(color)
        mask.attributes["color"] = " ".join(map(str, color_of(color)))
    item.annotations = list(order)


def _color(value: Any) -> int | None:
    found = re.fullmatch("([0-9]{1,3}) ([0-9]{1,3}) ([0-9]{1,3})", value) if isinstance(value, str) else None
    color = [int(text) for text in found.groups()] if found else [256]
    return packed(color) if max(color) < 256 and packed(color) != WHITE else None


def _fill(mask: Mask, at: int, source: Item, report: LossReport) -> None:
    """The attributes that a line has."""
    own = dict(mask.attributes)
    if type(own.get("index")) is not int or own["index"] != at:
        tell = report.default if "index" not in own else report.rename
        tell(source, mask, "attributes.index", "characters are numbered in their order")
    text = own.get("text")
    if not isinstance(text, str) or one_line(text) != text:
        tell = report.default if text is None else report.approximate
        tell(source, mask, "attributes.text", "a line has a text in quotes")
    center = own.get("center")
    if not isinstance(center, str) or not re.fullmatch(r"- -|-?[0-9.]+ -?[0-9.]+", center):
        x, y, w, h = mask.rle.bbox
        tell = report.default if center is None else report.approximate
        tell(source, mask, "attributes.center", "that of the pixels")
        center = f"{int(x + w / 2)} {int(y + h / 2)}" if mask.rle.area else "- -"
    mask.attributes = {"index": at, "text": one_line(str(text)) if text is not None else "", "center": center,
                       "color": own.get("color")}  # fmt: skip
    if own.get("ignore") is True:
        mask.attributes["ignore"] = True
    elif "ignore" in own:
        report.drop(source, mask, "attributes.ignore", "a line says it or does not")


def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    """Write ``<subset>/<image>_GT.txt`` and ``<image>_GT.bmp``.

    Args:
        dataset: masks that do not overlap.
        sink: the output.
        report: hears of special losses.
    """
    last: dict[str, str] = {}
    in_order = True
    for item in dataset.items:
        if not item.width or not item.height:
            report.drop(item, None, "", "an image of unknown size has no mask")
            continue
        masks = [mask for mask in item.annotations if isinstance(mask, Mask)]
        rows: list[str] = []
        before: Any = None
        table = [(255, 255, 255)]
        for mask in masks:
            if rows and (mask.group_id is None or mask.group_id != before):
                rows.append("")
            before = mask.group_id
            own = mask.attributes
            x, y, w, h = (int(value) for value in mask.rle.bbox)
            box = mask.extras.get(NAMESPACE, {}).get("box") or [x, y, x + w, y + h]
            mark = "#" if own.get("ignore") else ""
            rows.append(f"{mark}{own['color']} {own['center']} {' '.join(map(str, box))} {quoted(own['text'])}")
            table.append(color_of(_color(own["color"]) or 0))
        values = paint(item, masks, range(1, len(masks) + 1), np.uint32)
        sink.write(f"{item.subset}/{item.id}_GT.txt", "".join(f"{row}\n" for row in rows).encode("utf-8"))
        sink.write(f"{item.subset}/{item.id}_GT.bmp", write_bmp(np.array(table, np.uint8)[values]))
        in_order = in_order and last.get(item.subset, "") <= str(item.id)
        last[item.subset] = str(item.id)
    one_table(dataset.schema, report, bool(last))
    if not in_order:
        report.approximate(None, None, "items", "images come back sorted by their names", what="dataset")
