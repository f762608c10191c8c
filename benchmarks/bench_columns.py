"""Cells of masks in Arrow columns, beside a loop over the rows, as code does that has no column kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import maskcodec as mc
from maskcodec import columns

from . import inputs, peers
from .bench_runs import coco
from .cells import Cell, read_floor

pyarrow = peers.module("pyarrow")


def cells(quick: bool) -> Iterator[Cell]:
    if pyarrow is None:
        return
    count, shape = (500, (480, 640)) if quick else (5_000, (480, 640))
    rings = inputs.outlines(200, shape, dense=False)
    rles = [mc.Rle.from_polygons([ring.reshape(-1)], shape) for ring in rings]
    array = mc.RleArray.from_rles([rles[i % len(rles)] for i in range(count)])
    column = pyarrow.array(columns.RleColumn.from_rles(array))
    size = sum(len(one["counts"]) for one in array.to_coco())
    other = pyarrow.array(columns.RleColumn.from_rles(mc.RleArray.from_rles(
        [rles[(i + 7) % len(rles)] for i in range(count)])))  # fmt: skip
    module = coco.get("pycocotools")

    def rows(of: Any = column) -> list[dict[str, Any]]:
        storage = of.storage if isinstance(of, pyarrow.ExtensionArray) else of
        return [{"size": [r["height"], r["width"]], "counts": r["counts"]} for r in storage.to_pylist()]

    def cell(name: str, ours: Callable[[], Any], loop: Callable[[], Any], answer: Any, target: float) -> Cell:
        calls = {"maskcodec": ours}
        if module is not None:
            calls["loop with pycocotools"] = loop
        title = f"{name}, {count} masks of {shape[0]}x{shape[1]}"
        return Cell("Columns", title, calls, answer, "loop with pycocotools", read_floor(size), target=target)

    def plain(result: Any) -> list[Any]:
        found = result.to_numpy() if isinstance(result, columns.NumberColumn) else np.asarray(result, float)
        return np.round(found.astype(float), 9).tolist()  # type: ignore[no-any-return]

    yield cell("areas", lambda: columns.area(column), lambda: [module.area(r) for r in rows()], plain, 10)
    yield cell("boxes", lambda: columns.bbox(column), lambda: [module.toBbox(r) for r in rows()], plain, 10)
    yield cell(
        "overlap row by row", lambda: columns.iou(column, other),
        lambda: [module.iou([a], [b], [0])[0, 0] for a, b in zip(rows(), rows(other), strict=True)], plain, 10,
    )  # fmt: skip
    few = column.slice(0, 100)
    out = np.zeros((100, *shape), np.uint8)
    yield Cell(
        "Columns", f"pixels of 100 masks of {shape[0]}x{shape[1]}, C order",
        {"maskcodec": lambda: columns.decode(few, out=out)}
        | ({"loop with pycocotools": lambda: np.stack([module.decode(r) for r in rows(few)])} if module else {}),
        lambda a: a.sum(axis=(1, 2)).tolist(), "loop with pycocotools", None, target=15,
    )  # fmt: skip
    flat = [[ring.reshape(-1).tolist()] for ring in rings]
    objects = pyarrow.array(flat, pyarrow.list_(pyarrow.list_(pyarrow.float64())))

    def filled() -> list[Any]:
        return [module.merge(module.frPyObjects(one, *shape)) for one in objects.to_pylist()]

    yield Cell(
        "Columns", f"{len(flat)} polygons to masks of {shape[0]}x{shape[1]}",
        {"maskcodec": lambda: columns.from_polygons(objects, *shape)}
        | ({"loop with pycocotools": filled} if module else {}),
        lambda found: [r["counts"] for r in (rows(pyarrow.array(found)) if not isinstance(found, list) else found)],
        "loop with pycocotools", None, target=3,
    )  # fmt: skip
