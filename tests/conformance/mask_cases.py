"""Run the malformed-mask corpus: one forked child per case, under a memory limit and a clock.

    python -m tests.conformance.mask_cases masks.jsonl [--adapter api|compat] [--lenient]

writes one JSON object a line: `id`, `verdict` (`pass` or `fail`) and what happened. A child that dies by a signal or
does not end in time is a failure whatever the case expects. Set `MALLOC_PERTURB_` outside to fill fresh memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import select
import signal
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import maskcodec as mc
from maskcodec.compat import mask as compat

MEMORY_LIMIT = 8 << 30
SECONDS = 20


# --- inputs -----------------------------------------------------------------------------------------------------------
class Opaque:
    """Some object that no operation knows."""


def scalar(dtype: str, value: Any) -> Any:
    value = build(value)
    return np.array([value], dtype=dtype)[0]


def array(spec: dict[str, Any]) -> np.ndarray:
    dtype = np.dtype(spec["dtype"])
    if "data" in spec:
        out = np.array(build(spec["data"]), dtype=dtype, order=spec.get("order", "C"))
    else:
        out = np.full(spec["shape"], build(spec["fill"]), dtype=dtype, order=spec.get("order", "C"))
    for step in spec.get("view", []):
        if step == "T":
            out = out.T
        elif step == "readonly":
            out.flags.writeable = False
        elif step == "unaligned":
            raw = np.zeros(out.nbytes + 1, np.uint8)
            raw[1:] = np.frombuffer(out.tobytes(), np.uint8)
            out = raw[1:].view(out.dtype).reshape(out.shape)
        else:
            parts = [[int(n) if n else None for n in part.split(":")] for part in step.split(",")]
            out = out[tuple(slice(*part) for part in parts)]
    return out


def nested(depth: int) -> list[Any]:
    out: list[Any] = []
    for _ in range(depth - 1):
        out = [out]
    return out


def repeated(pair: list[Any]) -> Any:
    return build(pair[0]) * pair[1]


BUILDERS: dict[str, Callable[[Any], Any]] = {
    "$bytes": lambda v: v.encode("latin-1"),
    "$bytearray": lambda v: bytearray(v.encode("latin-1")),
    "$memoryview": lambda v: memoryview(v.encode("latin-1")),
    "$cat": lambda v: "".join(build(part) for part in v),
    "$repeat": repeated,
    "$float": float,
    "$tuple": lambda v: tuple(build(item) for item in v),
    "$set": lambda v: {build(item) for item in v},
    "$numpy": lambda v: scalar(*v),
    "$object": lambda v: Opaque(),
    "$nest": nested,
    "$broadcast": lambda v: np.broadcast_to(np.array(v["value"], v["dtype"]), v["shape"]),
    "$array": array,
}


def build(value: Any) -> Any:
    """Plain JSON with one-key `$` objects -> the Python value it stands for."""
    if isinstance(value, dict):
        if len(value) == 1:
            key = next(iter(value))
            if key.startswith("$"):
                return BUILDERS[key](value[key])
        return {key: build(item) for key, item in value.items()}
    if isinstance(value, list):
        return [build(item) for item in value]
    return value


# --- operations -------------------------------------------------------------------------------------------------------
def dense(mask: np.ndarray) -> dict[str, Any]:
    """A mask as the corpus writes it; refuses bytes other than 0 and 1."""
    if mask.dtype != np.uint8 or (mask.size and mask.max() > 1):
        raise AssertionError(f"a mask of dtype {mask.dtype} with values {np.unique(mask)[:5].tolist()}")
    rows = ["".join(map(str, row)) for row in mask.tolist()] if mask.size <= 4096 else []
    return {"size": list(mask.shape), "area": int(mask.sum(dtype=np.int64)), "rows": rows}


def stack_areas(masks: np.ndarray, axes: tuple[int, int]) -> dict[str, Any]:
    if masks.size and masks.max() > 1:
        raise AssertionError("a mask with bytes other than 0 and 1")
    areas = masks.sum(axis=axes, dtype=np.int64)
    return {"areas": areas.tolist(), "areas_sum": int(areas.sum())}


def runs(rle: mc.Rle) -> dict[str, Any]:
    return {"size": list(rle.shape), "counts": rle.runs.tolist()}


def union(masks: list[mc.Rle], size: list[int]) -> dict[str, Any]:
    out = mc.Rle.from_counts([size[0] * size[1]], size)
    for mask in masks:
        out = out | mask
    return {"area": int(out.area)}


def api_from_polygons(polygons: Any, size: list[int], strict: bool) -> dict[str, Any]:
    return {"area": int(mc.Rle.from_polygons(polygons, size).area)}


def api_from_boxes(boxes: Any, size: list[int], strict: bool) -> dict[str, Any]:
    return union([mc.Rle.from_box(box, size) for box in boxes], size)


def api_merge(rles: Any, intersect: bool, strict: bool) -> dict[str, Any]:
    return runs(mc.RleArray.from_coco(rles).merge(intersect=intersect))


def api_iou(dt: Any, gt: Any, crowd: Any, strict: bool) -> Any:
    return mc.RleArray.from_coco(dt).iou(mc.RleArray.from_coco(gt), crowd=crowd).tolist()


API: dict[str, Callable[..., Any]] = {
    "decode": lambda rle, strict: dense(mc.Rle.from_coco(rle, strict=strict).decode()),
    "decode_many": lambda rles, strict: stack_areas(mc.RleArray.from_coco(rles).decode(), (1, 2)),
    "area": lambda rle, strict: int(mc.Rle.from_coco(rle, strict=strict).area),
    "area_many": lambda rles, strict: {"sum": int(mc.RleArray.from_coco(rles).areas.sum())},
    "bbox": lambda rle, strict: [float(v) for v in mc.Rle.from_coco(rle, strict=strict).bbox],
    "merge": api_merge,
    "iou": api_iou,
    "from_counts": lambda counts, size, strict: dense(mc.Rle.from_counts(counts, size, strict=strict).decode()),
    "encode": lambda mask, strict: runs(mc.Rle.from_mask(mask)),
    "from_polygons": api_from_polygons,
    "from_boxes": api_from_boxes,
    "hasty_decode": lambda mask, size, strict: dense(mc.Rle.from_hasty(mask, shape=size, strict=strict).decode()),
    "hasty_encode": lambda mask, strict: list(mc.Rle.from_mask(mask).to_hasty()),
    "ids_to_rgb": lambda ids, alpha, strict: mc.pack_ids(ids, "segments" if alpha else "panoptic").tolist(),
    "rgb_to_ids": lambda image, strict: mc.unpack_ids(image).tolist(),
}


def compat_runs(obj: dict[str, Any]) -> dict[str, Any]:
    return runs(mc.Rle.from_coco(obj))


COMPAT: dict[str, Callable[..., Any]] = {
    "decode": lambda rle, strict: dense(compat.decode(rle)),
    "decode_many": lambda rles, strict: stack_areas(compat.decode(rles), (0, 1)),
    "area": lambda rle, strict: int(compat.area(rle)),
    "area_many": lambda rles, strict: {"sum": int(compat.area(rles).sum(dtype=np.int64))},
    "bbox": lambda rle, strict: compat.toBbox(rle).tolist(),
    "merge": lambda rles, intersect, strict: compat_runs(compat.merge(rles, intersect)),
    "iou": lambda dt, gt, crowd, strict: np.asarray(compat.iou(dt, gt, crowd)).tolist(),
    "encode": lambda mask, strict: compat_runs(compat.encode(mask)),
    "from_counts": lambda counts, size, strict: dense(
        compat.decode(compat.frPyObjects({"size": size, "counts": counts}, 1, 1))
    ),
}


# --- verdicts ---------------------------------------------------------------------------------------------------------
def same(expected: Any, got: Any) -> bool:
    """Whether `got` has what `expected` names; keys that are not named are not compared."""
    if isinstance(expected, dict):
        return isinstance(got, dict) and all(key in got and same(item, got[key]) for key, item in expected.items())
    return bool(expected == got)


def allowed(case: dict[str, Any], lenient: bool) -> list[str]:
    if lenient:
        return [case["lenient"].split(":")[0]]
    return [case["expect"], *case.get("also_ok", [])]


def judge(case: dict[str, Any], adapter: dict[str, Callable[..., Any]], lenient: bool) -> dict[str, Any]:
    """Run one case in this process and compare."""
    outcomes = allowed(case, lenient)
    inputs = {key: build(item) for key, item in case["input"].items()}
    try:
        got = adapter[case["op"]](**inputs, strict=not lenient)
    except Exception as error:  # noqa: BLE001 - the verdict is about which exception it is
        names = {cls.__name__ for cls in type(error).__mro__}
        wanted = {name for o in outcomes if o.startswith("error:") for name in o[6:].split("|")}
        passed = bool(names & wanted) and "AssertionError" not in names
        return {"verdict": "pass" if passed else "fail", "got": f"{type(error).__name__}: {error}"[:300]}
    passed = "ok" in outcomes and ("value" not in case or same(case["value"], got))
    return {"verdict": "pass" if passed else "fail", "got": f"ok: {got!r}"[:300]}


def isolated(case: dict[str, Any], adapter: dict[str, Callable[..., Any]], lenient: bool) -> dict[str, Any]:
    """Run one case in a forked child."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(read_end)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            os.write(write_end, json.dumps(judge(case, adapter, lenient)).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(write_end)
    ready, _, _ = select.select([read_end], [], [], SECONDS)
    data = os.read(read_end, 65536) if ready else b""
    if not ready:
        os.kill(pid, signal.SIGKILL)
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    if not ready:
        return {"verdict": "fail", "got": f"hang: no answer in {SECONDS} s"}
    if os.WIFSIGNALED(status):
        return {"verdict": "fail", "got": f"signal {os.WTERMSIG(status)}"}
    if not data:
        return {"verdict": "fail", "got": f"no answer, exit code {os.WEXITSTATUS(status)}"}
    result: dict[str, Any] = json.loads(data)
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases")
    parser.add_argument("--adapter", choices=["api", "compat"], default="api")
    parser.add_argument("--lenient", action="store_true")
    options = parser.parse_args()
    adapter = API if options.adapter == "api" else COMPAT
    with open(options.cases, encoding="utf-8") as lines:
        cases = [json.loads(line) for line in lines]
    for case in cases:
        if case["op"] not in adapter or (options.lenient and "lenient" not in case):
            continue
        sys.stdout.write(json.dumps({"id": case["id"], **isolated(case, adapter, options.lenient)}) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
