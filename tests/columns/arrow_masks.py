"""Mask columns in every layout that Arrow data come in, and the masks that they mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from maskcodec.masks import Rle
from tests.native.strategies import binary_masks

COUNTS = [pa.binary(), pa.large_binary(), pa.string(), pa.large_string()]
VIEWS = [getattr(pa, name)() for name in ("binary_view", "string_view") if hasattr(pa, name)]  # from pyarrow 16 on
COUNTS += VIEWS
SIDES = [pa.int32(), pa.int64(), pa.uint32(), pa.uint16(), pa.int16(), pa.uint8(), pa.int8(), pa.uint64()]


def struct_array(
    masks: list[Rle | None],
    counts: pa.DataType = COUNTS[0],
    side: pa.DataType = SIDES[0],
    names: tuple[str, ...] = ("height", "width", "counts"),
    nulls: list[str] | None = None,
) -> pa.StructArray:
    """A struct of the masks; ``nulls`` says for each null row where the null is: "struct" or the name of a field."""
    where = nulls or ["struct"] * len(masks)
    text = "string" in str(counts)

    def value(mask: Rle | None, name: str, row: int) -> Any:
        if mask is None:
            return None if where[row] == name else {"counts": "1" if text else b"1"}.get(name, 1)
        if name == "counts":
            return mask.to_coco(bytes=not text)["counts"]
        return mask.shape[0 if name == "height" else 1]

    types = {"height": side, "width": side, "counts": counts}
    children = []
    for name in names:
        values = [value(mask, name, row) for row, mask in enumerate(masks)]
        children.append(pa.array(values, types[name]) if name in types else pa.array([0] * len(masks)))
    mask = pa.array([m is None and where[i] == "struct" for i, m in enumerate(masks)], pa.bool_())
    return pa.StructArray.from_arrays(children, names, mask=mask)


@st.composite
def columns(
    draw: st.DrawFn, shape: tuple[int, int] | None = None, rows: int | None = None
) -> tuple[Any, list[Rle | None]]:
    """Some Arrow object, and the masks that it holds."""
    n = rows if rows is not None else draw(st.integers(0, 7))
    before, after = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    total = before + n + after
    masks: list[Rle | None] = [
        None if draw(st.integers(0, 4)) == 0 else Rle.from_mask(draw(binary_masks(shape, max_side=9)))
        for _ in range(total)
    ]
    names = tuple(draw(st.permutations(["height", "width", "counts"])))
    if draw(st.booleans()):
        names = (*names, "other")
    nulls = [draw(st.sampled_from(["struct", "height", "width", "counts"])) for _ in range(total)]
    array = struct_array(masks, draw(st.sampled_from(COUNTS)), draw(st.sampled_from(SIDES)), names, nulls)
    if draw(st.booleans()):  # the offset in the children, not in the struct
        inner = [field.slice(before, n) for field in (array.field(i) for i in range(len(names)))]
        valid = np.array([m is None and nulls[i] == "struct" for i, m in enumerate(masks)][before : before + n], bool)
        array = pa.StructArray.from_arrays(inner, names, mask=pa.array(valid, pa.bool_()))
    else:
        array = array.slice(before, n)
    masks = masks[before : before + n]
    form = draw(st.sampled_from(["array", "chunks", "table", "stream"]))
    if form == "array":
        return array, masks
    cut = draw(st.integers(0, n))
    chunked = pa.chunked_array([array.slice(0, cut), array.slice(cut)], array.type)
    if form == "chunks":
        return chunked, masks
    table = pa.table({"mask": chunked})
    if form == "table":
        return table, masks
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches()), masks
