"""Cells of rasterisation and tracing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

import maskcodec as mc
from maskcodec.compat import mask as compat

from . import inputs, peers
from .bench_runs import coco, counts_of, rlemasklib
from .cells import Cell, read_floor

cv2 = peers.module("cv2")
supervision = peers.module("supervision")
skimage_draw = peers.module("skimage.draw")
skimage_measure = peers.module("skimage.measure")


def all_strings(result: Any) -> list[bytes]:
    objs = result.to_coco() if isinstance(result, mc.RleArray) else result
    return [counts_of(obj) for obj in objs]


def cells(quick: bool) -> Iterator[Cell]:
    rings = inputs.coco_like_rings()[: 200 if quick else None]
    yield from polygons(rings)
    for smooth in (True, False):
        big = inputs.circle((4096, 4096), 2000, smooth)
        calls: dict[str, Callable[[], Any]] = {
            "maskcodec compat": lambda big=big: compat.frPyObjects([big], 4096, 4096),
            "maskcodec Rle": lambda big=big: [mc.Rle.from_polygons([big], (4096, 4096))],
        }
        calls.update({n: lambda m=m, big=big: m.frPyObjects([big], 4096, 4096) for n, m in coco.items()})
        name = f"one {'smooth' if smooth else 'jagged'} outline of 2000 vertices in 4096x4096"
        yield Cell("Polygons", name, calls, all_strings, target=8 if smooth else None)
    many = inputs.octagons()
    arrays = [[np.array(ring)] for ring in many]
    calls = {
        "maskcodec compat": lambda: compat.frPyObjects(many, 480, 640),
        "maskcodec arrays": lambda: mc.RleArray.from_polygons(arrays, (480, 640)),
    }
    calls.update({n: lambda m=m: m.frPyObjects(many, 480, 640) for n, m in coco.items()})
    yield Cell("Polygons", "1000 octagons in 480x640, one call", calls, all_strings, target=4)
    for shape in inputs.SIZES[:1] if quick else inputs.SIZES[:2]:
        for kind in inputs.KINDS[:2]:
            yield trace(shape, kind)


def polygons(rings: list[list[float]]) -> Iterator[Cell]:
    shape = (480, 640)
    calls: dict[str, Callable[[], Any]] = {
        "maskcodec compat": lambda: [compat.frPyObjects([ring], *shape)[0] for ring in rings],
        "maskcodec Rle": lambda: [mc.Rle.from_polygons([ring], shape) for ring in rings],
    }
    calls.update({n: lambda m=m: [m.frPyObjects([ring], *shape)[0] for ring in rings] for n, m in coco.items()})
    if rlemasklib:
        calls["rlemasklib"] = lambda: [rlemasklib.from_polygon(ring, imshape=shape) for ring in rings]
    yield Cell("Polygons", f"{len(rings)} outlines, one call each", calls, all_strings, target=1.6)
    arrays = [[np.array(ring)] for ring in rings]
    calls = {
        "maskcodec compat": lambda: compat.frPyObjects(rings, *shape),
        "maskcodec arrays": lambda: mc.RleArray.from_polygons(arrays, shape),
    }
    calls.update({n: lambda m=m: m.frPyObjects(rings, *shape) for n, m in coco.items()})
    yield Cell("Polygons", f"{len(rings)} outlines, one call", calls, all_strings, target=4)

    # Every mask is made dense, a few of its pixels are kept: adding all of them up would cost more than making them.
    def some(image: np.ndarray) -> int:
        return int(image[7::67, 5::71].sum())

    def dense(module: Any) -> list[int]:
        return [some(module.decode(module.frPyObjects([ring], *shape)[0])) for ring in rings]

    def fill(ring: list[float]) -> int:
        image = np.zeros(shape, np.uint8)
        cv2.fillPoly(image, [np.round(np.array(ring).reshape(-1, 2)).astype(np.int32)], 1)
        return some(image)

    def lattice(ring: list[float]) -> int:
        points = np.array(ring).reshape(-1, 2)
        image = np.zeros(shape, np.uint8)
        image[skimage_draw.polygon(points[:, 1], points[:, 0], shape)] = 1
        return some(image)

    def pillow(ring: list[float]) -> int:
        image = Image.new("L", (shape[1], shape[0]))
        ImageDraw.Draw(image).polygon(ring, fill=1)
        return some(np.asarray(image))

    calls = {
        "maskcodec": lambda: [some(mc.Rle.from_polygons([ring], shape).decode()) for ring in rings],
    }
    calls.update({name: lambda m=module: dense(m) for name, module in coco.items()})
    calls["pillow"] = lambda: [pillow(ring) for ring in rings]
    other = {"pillow"}
    if cv2:
        calls["opencv fillPoly"] = lambda: [fill(ring) for ring in rings]
        other.add("opencv fillPoly")
        rounded = [np.round(np.array(ring)) for ring in rings]
        yield Cell(
            "Polygons",
            f"{len(rings)} outlines to dense masks, the rule of OpenCV, one call each",
            {
                "maskcodec": lambda: [some(mc.Rle.from_polygons([ring], shape, "opencv").decode()) for ring in rounded],
                "opencv fillPoly": lambda: [fill(ring) for ring in rings],
            },
            list,
            truth="opencv fillPoly",
        )
    if skimage_draw:
        calls["scikit-image"] = lambda: [lattice(ring) for ring in rings]
        other.add("scikit-image")
    yield Cell(
        "Polygons", f"{len(rings)} outlines to dense masks, one call each", calls, list, other_rule=other, target=1,
        against_other_rule=True,
    )  # fmt: skip


def trace(shape: tuple[int, int], kind: str) -> Cell:
    mask = inputs.mask(kind, shape)
    rle = mc.Rle.from_mask(mask)
    calls: dict[str, Callable[[], Any]] = {
        "maskcodec from the mask": lambda: mc.Rle.from_mask(mask).to_polygons(holes="rings"),
        "maskcodec from runs": lambda: rle.to_polygons(holes="rings"),
    }
    other = set()
    if cv2:
        other |= {"opencv CCOMP SIMPLE"}
        calls["opencv CCOMP SIMPLE"] = lambda: cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if supervision:
        other |= {"supervision"}
        calls["supervision"] = lambda: supervision.mask_to_polygons(mask)
    if skimage_measure and shape[0] < 1000:
        other |= {"scikit-image"}
        calls["scikit-image"] = lambda: skimage_measure.find_contours(mask, 0.5)

    def back(rings: Any) -> Any:
        """Filled again by crossing parity, the rings are the mask."""
        flat = np.zeros(shape, np.uint8)
        for ring in rings:
            flat ^= mc.Rle.from_polygons([np.asarray(ring, float).reshape(-1)], shape).decode()
        assert np.array_equal(flat, mask)
        return len(rings)

    return Cell(
        "Mask to polygons, exact with holes", f"{shape[0]}x{shape[1]}, {kind}", calls, back, other_rule=other,
        floor=read_floor(mask.size), target=2, against_other_rule=True,
    )  # fmt: skip
