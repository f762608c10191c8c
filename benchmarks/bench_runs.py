"""Cells of the run codec: encode, decode, strings, areas, boxes, unions, overlaps, Hasty RLE."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import maskcodec as mc
from maskcodec.compat import mask as compat
from maskcodec.masks import decode_hasty, encode_hasty

from . import inputs, peers
from .cells import Cell, copy_floor, read_floor, write_floor

rlemasklib = peers.module("rlemasklib")
supervision = peers.module("supervision")
fastlabelrle = peers.module("fastlabelrle")  # needs Python 3.12
coco = peers.coco_like()


def counts_of(result: Any) -> bytes:
    """The compressed string of whatever a candidate calls a mask."""
    counts = result.to_coco()["counts"] if isinstance(result, mc.Rle) else result["counts"]
    return counts.encode() if isinstance(counts, str) else bytes(counts)


def title(shape: tuple[int, int], kind: str) -> str:
    return f"{shape[0]}x{shape[1]}, {kind}"


def sizes(quick: bool) -> list[tuple[int, int]]:
    return inputs.SIZES[:2] if quick else inputs.SIZES


def cells(quick: bool) -> Iterator[Cell]:
    yield from tiny()
    for shape in sizes(quick):
        for kind in inputs.KINDS:
            yield from encode(shape, kind)
        for kind in inputs.KINDS:
            yield from decode(shape, kind)
        yield from window(shape)
        yield from label_maps(shape)
        if shape[0] < 4000:
            yield batch(shape)
    yield from strings(quick)
    yield from unions()
    yield from overlaps(quick)
    yield from hasty(quick)


def tiny() -> Iterator[Cell]:
    mask = np.asfortranarray(inputs.mask("blobs", (480, 640))[:8, 200:208])
    mask = mask if mask.any() else np.eye(8, dtype=np.uint8, order="F")
    obj = compat.encode(mask)
    rle = mc.Rle.from_coco(obj)
    group = "One call on an 8x8 mask"
    everyone = {"maskcodec compat": compat, **coco}
    encoders: dict[str, Callable[[], Any]] = {n: lambda m=m: m.encode(mask) for n, m in everyone.items()}
    yield Cell(group, "encode", {"maskcodec Rle": lambda: mc.Rle.from_mask(mask), **encoders}, counts_of, target=1)
    decoders: dict[str, Callable[[], Any]] = {n: lambda m=m: m.decode(obj) for n, m in everyone.items()}
    yield Cell(group, "decode", {"maskcodec Rle": rle.decode, **decoders}, np.asarray, target=1)
    areas: dict[str, Callable[[], Any]] = {n: lambda m=m: m.area(obj) for n, m in everyone.items()}
    yield Cell(group, "area", {"maskcodec Rle": lambda: rle.area, **areas}, int, target=1)


def encode(shape: tuple[int, int], kind: str) -> Iterator[Cell]:
    c = inputs.mask(kind, shape)
    f = np.asfortranarray(c)
    dtypes = ["uint8", "bool"] if shape == inputs.SIZES[1] else ["uint8"]
    for dtype in dtypes:
        for order, mask in (("F", f.view(dtype)), ("C", c.view(dtype))):
            calls: dict[str, Callable[[], Any]] = {"maskcodec": lambda m=mask: mc.Rle.from_mask(m).to_coco(bytes=True)}
            for name, module in coco.items():
                if order == "F" or name == "hotcoco":
                    calls[name] = lambda mod=module, m=mask: mod.encode(m)
                else:
                    calls[name] = lambda mod=module, m=mask: mod.encode(np.asfortranarray(m))
            if rlemasklib:
                calls["rlemasklib"] = lambda m=mask: rlemasklib.RLEMask.from_array(m).to_dict()
            if supervision and shape[0] < 1000:
                calls["supervision"] = lambda m=mask: {"counts": supervision.mask_to_rle(m != 0, compressed=True)}
            name = f"{dtype} {order}-order {title(shape, kind)} ({len(mc.Rle.from_mask(c).runs)} runs)"
            yield Cell(
                "Encode to the compressed COCO string", name, calls, counts_of, floor=read_floor(c.size),
                target=2.5 if order == "C" else 1.3,
            )  # fmt: skip


def decode(shape: tuple[int, int], kind: str) -> Iterator[Cell]:
    mask = inputs.mask(kind, shape)
    obj = mc.Rle.from_mask(mask).to_coco(bytes=True)
    for order in ("F", "C"):
        calls: dict[str, Callable[[], Any]] = {"maskcodec": lambda o=order: mc.Rle.from_coco(obj).decode(order=o)}
        if order == "F":
            calls["maskcodec compat"] = lambda: compat.decode(obj)
            calls.update({name: lambda m=module: m.decode(obj) for name, module in coco.items()})
        else:
            calls.update({name: lambda m=module: np.ascontiguousarray(m.decode(obj)) for name, module in coco.items()})
        if rlemasklib:
            calls["rlemasklib"] = lambda o=order: rlemasklib.RLEMask.from_dict(obj).to_array(order=o)
        group = f"Decode to a dense mask, {order} order"
        noise = kind == inputs.KINDS[2]
        target = (1.3 if noise else 1) if order == "F" else (8 if noise and shape[0] > 4000 else 1.5)
        yield Cell(group, title(shape, kind), calls, np.asarray, floor=write_floor(mask.size), target=target)


def window(shape: tuple[int, int]) -> Iterator[Cell]:
    rle = mc.Rle.from_mask(inputs.mask("blobs", shape))
    obj = rle.to_coco(bytes=True)
    h, w = shape[0] // 8, shape[1] // 8
    x, y = 3 * w, 4 * h
    name = f"1/8 x 1/8 of {title(shape, 'blobs')} ({len(rle.runs)} runs)"
    calls: dict[str, Callable[[], Any]] = {
        "maskcodec": lambda: mc.Rle.from_coco(obj).decode(window=(x, y, x + w, y + h)),
    }
    calls.update(
        {n: lambda m=m: np.ascontiguousarray(m.decode(obj)[y : y + h, x : x + w]) for n, m in coco.items()},
    )
    if rlemasklib:
        calls["rlemasklib"] = lambda: rlemasklib.RLEMask.from_dict(obj).crop([x, y, w, h]).to_array(order="C")
    floor = write_floor(h * w)
    yield Cell("Decode a window", f"from the string, {name}", calls, np.asarray, floor=floor)
    calls = {"maskcodec": lambda: rle.decode(window=(x, y, x + w, y + h))}
    if rlemasklib:
        held = rlemasklib.RLEMask.from_dict(obj)
        calls["rlemasklib"] = lambda: held.crop([x, y, w, h]).to_array(order="C")
    yield Cell("Decode a window", f"from runs, {name}", calls, np.asarray, "maskcodec", floor=floor, target=5)


def strings_of(result: Any) -> list[bytes]:
    if isinstance(result, mc.RleArray):
        return [counts_of(obj) for obj in result.to_coco()]
    return [r if isinstance(r, bytes) else counts_of(r if isinstance(r, dict) else r.to_dict()) for r in result]


def label_maps(shape: tuple[int, int]) -> Iterator[Cell]:
    target = 30 if shape[0] > 4000 else 4
    few = inputs.label_image(shape, 50)
    small = few.astype(np.uint8)
    for dtype in ("uint8", "uint16", "uint32", "uint64"):
        labels = few.astype(dtype)
        ids, masks = mc.RleArray.from_label_map(labels)
        values = [int(i) for i in ids]

        def loop(labels: np.ndarray = labels, values: list[int] = values) -> list[bytes]:
            module = coco["pycocotools"]
            return [module.encode(np.asfortranarray(labels == i))["counts"] for i in values]

        calls: dict[str, Callable[[], Any]] = {"maskcodec": lambda labels=labels: mc.RleArray.from_label_map(labels)[1]}
        if "pycocotools" in coco and (dtype == "uint32" or shape[0] < 1000):
            calls["pycocotools"] = loop
        if rlemasklib:
            form = "rlemasklib" if dtype == "uint8" else "rlemasklib on uint8"
            calls[form] = lambda s=small: list(rlemasklib.RLEMask.from_label_map(s).values())
        name = f"{shape[0]}x{shape[1]} {dtype}, {len(values)} objects"
        floor = read_floor(labels.nbytes)
        yield Cell("Label image to all RLEs", name, calls, strings_of, "maskcodec", floor=floor, target=target)
        calls = {"maskcodec": lambda labels=labels: mc.RleArray.from_label_map(labels)[1].to_coco(bytes=True)}
        if rlemasklib:
            calls[form] = lambda s=small: [r.to_dict() for r in rlemasklib.RLEMask.from_label_map(s).values()]
        if fastlabelrle:
            calls["fastlabelrle"] = lambda labels=labels: fastlabelrle.encode(labels).counts
        yield Cell("Label image to all compressed strings", name, calls, strings_of, "maskcodec", floor=floor)
    if shape[0] < 4000:
        labels = inputs.label_image(shape, 5000)
        count = len(np.unique(labels)) - 1
        calls = {"maskcodec": lambda labels=labels: mc.RleArray.from_label_map(labels)[1]}
        name = f"{shape[0]}x{shape[1]} uint32, {count} objects"
        yield Cell("Label image to all RLEs", name, calls, strings_of, "maskcodec", floor=read_floor(labels.nbytes))
    yield from paint(shape)


def paint(shape: tuple[int, int]) -> Iterator[Cell]:
    _, masks = mc.RleArray.from_label_map(inputs.label_image(shape))
    objs = masks.to_coco()
    ids = list(range(1, len(masks) + 1))

    def loop() -> np.ndarray:
        out = np.zeros(shape, np.uint8)
        for index, obj in enumerate(objs):
            out[coco["pycocotools"].decode(obj) != 0] = index + 1
        return out

    for layout in "CF":
        calls: dict[str, Callable[[], Any]] = {"maskcodec": lambda f=layout: masks.to_label_map(ids, layout=f)}
        if layout == "C":
            calls["maskcodec uint32"] = lambda: masks.to_label_map(ids, dtype="uint32")
        if "pycocotools" in coco and layout == "C":
            calls["pycocotools"] = loop
        if rlemasklib:
            held = [rlemasklib.RLEMask.from_dict(obj) for obj in objs]
            if layout == "F":
                calls["rlemasklib"] = lambda h=held: rlemasklib.RLEMask.merge_to_label_map(h)
            else:
                calls["rlemasklib and a copy"] = lambda h=held: np.ascontiguousarray(
                    rlemasklib.RLEMask.merge_to_label_map(h)
                )
        name = f"{shape[0]}x{shape[1]} uint8, {layout} order, {len(masks)} objects"
        floor = write_floor(shape[0] * shape[1])
        yield Cell("RLEs to a label image", name, calls, np.asarray, "maskcodec", floor=floor, target=2)


def batch(shape: tuple[int, int]) -> Cell:
    _, masks = mc.RleArray.from_label_map(inputs.label_image(shape))
    objs = [{**obj, "counts": obj["counts"].encode()} for obj in masks.to_coco()]
    calls: dict[str, Callable[[], Any]] = {
        "maskcodec": lambda: mc.RleArray.from_coco(objs).decode().transpose(1, 2, 0),
        "maskcodec 2 threads": lambda: mc.RleArray.from_coco(objs, threads=2).decode(threads=2).transpose(1, 2, 0),
        "maskcodec compat": lambda: compat.decode(objs),
    }
    calls.update({name: lambda m=module: m.decode(objs) for name, module in coco.items()})
    if rlemasklib:
        calls["rlemasklib"] = lambda: np.stack([rlemasklib.decode(obj) for obj in objs], -1)
    name = f"{len(objs)} masks {shape[0]}x{shape[1]}"
    return Cell("Batch decode", name, calls, np.asarray, floor=write_floor(len(objs) * shape[0] * shape[1]), target=1)


def texts(kind: str, count: int) -> list[dict[str, Any]]:
    """RLE objects with bytes: outlines (nearly all numbers have one character) or blobs (half of them have two)."""
    if kind == "outlines":
        rings = inputs.outlines(count, inputs.SIZES[1], dense=True)
        return mc.RleArray.from_polygons([[ring] for ring in rings], inputs.SIZES[1]).to_coco(bytes=True)
    mask = inputs.mask("blobs", (480, 640))
    rolled = [np.roll(mask, 3 * i, axis=i % 2)[: 240 + i % 17, : 320 + i % 13] for i in range(count)]
    return [mc.Rle.from_mask(part).to_coco(bytes=True) for part in rolled]


def strings(quick: bool) -> Iterator[Cell]:
    count = 100 if quick else 1000
    for kind in ("outlines", "blobs"):
        objs = texts(kind, count)
        batched = mc.RleArray.from_coco(objs)
        total, size = len(batched.runs), sum(len(obj["counts"]) for obj in objs)
        name = f"{count} RLEs of {kind}, {total} runs, {size} characters"
        plain = batched.to_coco(compressed=False)

        def runs_of(result: Any) -> list[Any]:
            return [np.asarray(r.runs if isinstance(r, mc.Rle) else r, np.int64) for r in result]

        readers: dict[str, Callable[[], Any]] = {
            "maskcodec": lambda o=objs: mc.RleArray.from_coco(o),
            "maskcodec 2 threads": lambda o=objs: mc.RleArray.from_coco(o, threads=2),
            "maskcodec one by one": lambda o=objs: [mc.Rle.from_coco(obj) for obj in o],
        }
        if rlemasklib:
            readers["rlemasklib"] = lambda o=objs: [rlemasklib.decompress(obj)["ucounts"] for obj in o]
        yield Cell("String to runs", name, readers, runs_of, "maskcodec", floor=read_floor(size), target=2.5)

        def all_strings(result: Any) -> list[bytes]:
            return [counts_of(obj) for obj in result]

        writers: dict[str, Callable[[], Any]] = {"maskcodec compat": lambda p=plain: compat.frPyObjects(p, 1, 1)}
        writers.update({n: lambda m=m, p=plain: m.frPyObjects(p, 480, 640) for n, m in coco.items()})
        yield Cell("Runs to string", f"lists of {name}", writers, all_strings, floor=read_floor(size), target=2.5)
        rles = list(batched)
        writers = {"maskcodec": batched.to_coco, "maskcodec one by one": lambda r=rles: [rle.to_coco() for rle in r]}
        if rlemasklib:
            held = [rlemasklib.RLEMask.from_dict(obj) for obj in objs]
            writers["rlemasklib"] = lambda h=held: [r.to_dict() for r in h]
        yield Cell("Runs to string", f"arrays of {name}", writers, all_strings, "maskcodec", target=2.5)
        some = objs[: 250 if count > 250 else count]
        areas: dict[str, Callable[[], Any]] = {"maskcodec compat": lambda s=some: compat.area(s)}
        boxes: dict[str, Callable[[], Any]] = {"maskcodec compat": lambda s=some: compat.toBbox(s)}
        for peer, module in coco.items():
            areas[peer] = lambda m=module, s=some: m.area(s)
            boxes[peer] = lambda m=module, s=some: m.toBbox(s)
        name = f"{len(some)} RLEs of {kind}"
        yield Cell("Area of strings", name, areas, lambda a: np.asarray(a).tolist(), target=3)
        yield Cell("Bounding boxes of strings", name, boxes, lambda a: np.asarray(a).tolist(), target=3)


def unions() -> Iterator[Cell]:
    for shape in inputs.SIZES[:2]:
        rings = inputs.outlines(50, shape, dense=True)
        objs = mc.RleArray.from_polygons([[ring] for ring in rings], shape).to_coco()
        objs = [{**obj, "counts": obj["counts"].encode()} for obj in objs]
        calls: dict[str, Callable[[], Any]] = {"maskcodec compat": lambda o=objs: compat.merge(o)}
        calls["maskcodec"] = lambda o=objs: mc.RleArray.from_coco(o).merge().to_coco(bytes=True)
        calls.update({name: lambda m=module, o=objs: m.merge(o) for name, module in coco.items()})
        if rlemasklib:
            calls["rlemasklib"] = lambda o=objs: rlemasklib.union(o)
        yield Cell("Union", f"50 overlapping RLEs {shape[0]}x{shape[1]}", calls, counts_of, target=3)


def rounded(values: Any) -> np.ndarray:
    """Peers may round the last bit otherwise."""
    return np.round(np.asarray(values), 12)


def overlaps(quick: bool) -> Iterator[Cell]:
    shape = (1080, 1920)
    for count in (100,) if quick else (100, 1000):
        for dense in (False, True):
            sides = [
                mc.RleArray.from_polygons([[r] for r in inputs.outlines(count, shape, dense, seed)], shape)
                for seed in (1, 2)
            ]
            dt, gt = ([{**o, "counts": o["counts"].encode()} for o in side.to_coco()] for side in sides)
            crowd = [0] * count
            calls: dict[str, Callable[[], Any]] = {
                "maskcodec": lambda s=sides: s[0].iou(s[1]),
                "maskcodec 2 threads": lambda s=sides: s[0].iou(s[1], threads=2),
                "maskcodec compat": lambda d=dt, g=gt, c=crowd: compat.iou(d, g, c),
            }
            calls.update({n: lambda m=m, d=dt, g=gt, c=crowd: m.iou(d, g, c) for n, m in coco.items()})
            if rlemasklib:
                held = [[rlemasklib.RLEMask.from_dict(o) for o in side] for side in (dt, gt)]
                calls["rlemasklib"] = lambda h=held: rlemasklib.RLEMask.iou_matrix(*h)
            kind = "all overlapping" if dense else "on a grid"
            target = 3 if dense else 2
            yield Cell("Mask IoU", f"{count}x{count}, {kind}", calls, rounded, target=target)
    d, g = inputs.boxes(1000, 1), inputs.boxes(1000, 2)
    crowd = [0] * 1000
    calls = {"maskcodec compat": lambda: compat.iou(d, g, crowd)}
    calls.update({n: lambda m=m: m.iou(d, g, crowd) for n, m in coco.items()})
    yield Cell("Box IoU", "1000x1000", calls, rounded, floor=write_floor(8_000_000), target=10)


def pixel_loop(mask: np.ndarray) -> list[int]:
    """The published form: one Python step per pixel."""
    out, previous = [], 0
    for index, pixel in enumerate(mask.flatten().tolist()):
        if pixel == 1 and previous == 0:
            out += [index + 1, 0]
        if pixel == 1:
            out[-1] += 1
        previous = pixel
    return out


def numpy_pairs(mask: np.ndarray) -> list[int]:
    """The usual vectorised form: edges of the flat mask."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], mask.reshape(-1), [0])).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    return np.stack([starts + 1, ends - starts], 1).reshape(-1).tolist()


def numpy_fill(pairs: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    steps = np.zeros(shape[0] * shape[1] + 1, np.int8)
    steps[pairs[::2] - 1] += 1
    steps[pairs[::2] - 1 + pairs[1::2]] -= 1
    return np.cumsum(steps[:-1], dtype=np.int8).view(np.uint8).reshape(shape)


def hasty(quick: bool) -> Iterator[Cell]:
    crop = np.ascontiguousarray(inputs.mask("one object", (1080, 1920))[400:660, 700:1000])
    pixels = [("crop 260x300, one object", crop)]
    pixels += [(title((1080, 1920), kind), inputs.mask(kind, (1080, 1920))) for kind in inputs.KINDS[1:]]
    for name, mask in pixels:
        pairs = mc.Rle.from_mask(mask).to_hasty()
        plain = [int(v) for v in pairs]
        array = np.array(plain, np.int64)
        encoders: dict[str, Callable[[], Any]] = {
            "maskcodec": lambda m=mask: mc.Rle.from_mask(m).to_hasty(),
            "maskcodec, no Rle": lambda m=mask: encode_hasty(m),
            "NumPy edges": lambda m=mask: numpy_pairs(m),
        }
        if not quick or mask.size < 100_000:
            encoders["loop over pixels"] = lambda m=mask: pixel_loop(m)
        to_list: Callable[[Any], Any] = lambda r: [int(v) for v in r]  # noqa: E731
        yield Cell("Hasty RLE", f"encode, {name}", encoders, to_list, "NumPy edges", read_floor(mask.size), target=10)
        decoders: dict[str, Callable[[], Any]] = {
            "maskcodec": lambda p=plain, s=mask.shape: mc.Rle.from_hasty(p, shape=s).decode(),
            "maskcodec, array given": lambda a=array, s=mask.shape: mc.Rle.from_hasty(a, shape=s).decode(),
            "maskcodec, no Rle": lambda p=plain, s=mask.shape: decode_hasty(p, s),
            "maskcodec, no Rle, array given": lambda a=array, s=mask.shape: decode_hasty(a, s),
            "NumPy steps": lambda p=plain, s=mask.shape: numpy_fill(np.asarray(p), s),
            "NumPy steps, array given": lambda a=array, s=mask.shape: numpy_fill(a, s),
        }
        floor = copy_floor(mask.size)
        yield Cell("Hasty RLE", f"decode, {name}", decoders, np.asarray, "NumPy steps", floor, target=10)
