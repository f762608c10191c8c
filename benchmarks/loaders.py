"""Masks in training loops: ``python -m benchmarks.loaders`` (needs torch, torchvision and pycocotools).

Every candidate runs in processes of its own, so that none inherits another's memory. First the targets of some images
are compared, pixel for pixel; then the time to make the masks of an image (no image is decoded), images a second and
CPU an image of a whole epoch with 0, 2 and 4 workers, private memory of a worker beside that of a worker of a data set
that holds nothing, start-up, and the pickle that a spawned worker gets.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from .make_coco import make

RESULTS = Path(__file__).with_name("LOADERS.md")
CANDIDATES = ("maskcodec", "maskcodec, packed file", "maskcodec, packed masks", "pycocotools", "serialised list")
EMPTY = "nothing"


def as_rles(path: Path) -> None:
    """Polygons of a COCO file as compressed run lengths."""
    import maskcodec as mc

    document = json.loads(path.read_text(encoding="utf-8"))
    for row in document["annotations"]:
        row["segmentation"] = mc.Rle.from_polygons(row["segmentation"], (480, 640)).to_coco()
    path.write_text(json.dumps(document), encoding="utf-8")


# --- the candidates ---------------------------------------------------------------------------------------------------


class Coco:
    """What training scripts do: an index of dicts, one decode a mask, a stack."""

    def __init__(self, path: str) -> None:
        import contextlib
        import io

        from pycocotools.coco import COCO

        with contextlib.redirect_stdout(io.StringIO()):
            self.coco = COCO(path)
        self.ids = sorted(self.coco.imgs)

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, at: int) -> list[dict[str, Any]]:
        return self.coco.imgToAnns[self.ids[at]]

    def __getitem__(self, at: int) -> tuple[Any, dict[str, Any]]:
        import torch
        from torchvision import tv_tensors

        rows = self.rows(at)
        masks = [torch.from_numpy(to_mask(row["segmentation"])) for row in rows]
        boxes = torch.tensor([row["bbox"] for row in rows], dtype=torch.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        return None, {
            "masks": tv_tensors.Mask(torch.stack(masks) if masks else torch.zeros((0, 480, 640), dtype=torch.uint8)),
            "boxes": tv_tensors.BoundingBoxes(boxes, format="XYXY", canvas_size=(480, 640)),
            "labels": torch.tensor([row["category_id"] for row in rows], dtype=torch.int64),
            "area": torch.tensor([row["area"] for row in rows], dtype=torch.float32),
            "iscrowd": torch.tensor([row["iscrowd"] for row in rows], dtype=torch.int64),
            "ids": torch.tensor([row["id"] for row in rows], dtype=torch.int64),
        }


def to_mask(segmentation: Any) -> Any:
    from pycocotools import mask

    if isinstance(segmentation, list):
        segmentation = mask.merge(mask.frPyObjects(segmentation, 480, 640))
    return mask.decode(segmentation)


def only_masks(data: Any, at: int) -> Any:
    """The (N, H, W) masks of an image, without boxes, labels and numbers."""
    import torch

    if isinstance(data, Coco):
        return torch.stack([torch.from_numpy(to_mask(row["segmentation"])) for row in data.rows(at)])
    masks = data.index.entry(at).masks
    out = torch.zeros((len(masks), 480, 640), dtype=torch.uint8)
    masks.decode(out.numpy())
    return out


class Serialised(Coco):
    """The records of each image as one pickle, all of them in one array (as detectron2 and mmengine keep them)."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        packs = [pickle.dumps(super(Serialised, self).rows(at), -1) for at in range(len(self.ids))]
        self.ends = np.cumsum([len(pack) for pack in packs])
        self.data = np.frombuffer(b"".join(packs), np.uint8)
        del self.coco

    def rows(self, at: int) -> list[dict[str, Any]]:
        begin = self.ends[at - 1] if at else 0
        return pickle.loads(memoryview(self.data[begin : self.ends[at]]))  # type: ignore[no-any-return]


class Walk:
    """What workers hold and touch, without the memory of decoded masks."""

    def __init__(self, data: Any) -> None:
        self.data = data

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, at: int) -> tuple[Any, dict[str, Any]]:
        if isinstance(self.data, Coco):
            rows = self.data.rows(at)
            return None, {"n": sum(len(row["segmentation"]) + len(row["bbox"]) for row in rows)}
        return None, self.data.target(at) if not isinstance(self.data, Nothing) else {}


class Nothing:
    def __init__(self, path: str) -> None:
        self.count = 20_000

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, at: int) -> tuple[Any, dict[str, Any]]:
        return None, {}


def opened(name: str, path: str) -> Any:
    if name == "pycocotools":
        return Coco(path)
    if name == "serialised list":
        return Serialised(path)
    if name == EMPTY:
        return Nothing(path)
    from maskcodec.torch import MaskDataset

    end = {"file": ".packed", "masks": ".masks"}[name.split()[-1]] if "packed" in name else ""
    return MaskDataset(path + end, images=None)


# --- one measurement, in a process of its own -------------------------------------------------------------------------


def checksum(batch: list[Any]) -> list[int]:
    """What an epoch takes from the workers: the masks stay there, so that only making them is measured."""
    return [int(target["masks"].shape[0]) if "masks" in target else 0 for _, target in batch]


def private(pid: int) -> float:
    """Private memory of a process in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    rows = dict(line.split(":", 1) for line in text.splitlines()[1:])
    return int(rows["Private_Dirty"].split()[0]) / 1024  # clean pages are those of files


def cpu() -> float:
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in both)


def measure(name: str, path: str, workers: int, images: int) -> dict[str, float]:
    import torch

    torch.set_num_threads(1)
    found: dict[str, float] = {}
    if name.startswith("maskcodec"):
        import pyarrow  # noqa: F401 - what is imported does not count as opening

        import maskcodec.formats.arrow
        import maskcodec.torch  # noqa: F401
    begin = time.perf_counter()
    data = opened(name, path)
    found["open"] = time.perf_counter() - begin
    if workers < 0:
        found |= alone(data, images)
        return found
    subset = torch.utils.data.Subset(data, range(min(images, len(data))))
    loader = torch.utils.data.DataLoader(
        subset, 8, num_workers=workers, collate_fn=checksum, multiprocessing_context="fork" if workers else None,
        persistent_workers=bool(workers),
    )  # fmt: skip
    before, begin = cpu(), time.perf_counter()
    masks = sum(sum(batch) for batch in loader)
    found["seconds"] = time.perf_counter() - begin
    found["masks"] = masks
    if workers:
        loader._iterator._shutdown_workers()  # type: ignore[union-attr]
        found["cpu"] = cpu() - before
        gc.collect()
        gc.freeze()  # else the collector touches, and so copies, every object of the parent in every worker
        walk = torch.utils.data.DataLoader(
            Walk(data), 8, num_workers=workers, collate_fn=len, multiprocessing_context="fork", persistent_workers=True
        )
        list(walk)
        loader = walk
        running = loader._iterator._workers  # type: ignore[union-attr]
        found["private"] = statistics.mean(private(worker.pid) for worker in running)
        loader._iterator._shutdown_workers()  # type: ignore[union-attr]
    else:
        found["cpu"] = cpu() - before
    found["images"] = len(subset)
    return found


def alone(data: Any, images: int) -> dict[str, float]:
    """Time of one item after another, and of the pickle that spawned workers get."""
    for at in range(20):
        data[at]
    times = []
    for _ in range(3):
        begin = time.process_time()
        for at in range(images):
            data[at]
        times.append(time.process_time() - begin)
    filled = [at for at in range(images) if len(data.target(at)["ids"] if hasattr(data, "target") else data.rows(at))]
    own = []
    for _ in range(3):
        begin = time.process_time()
        for at in filled:
            only_masks(data, at)
        own.append(time.process_time() - begin)
    begin = time.perf_counter()
    size = len(pickle.dumps(data, -1))
    middle = time.perf_counter()
    masks = statistics.median(own) / len(filled)
    return {"item": statistics.median(times) / images, "masks": masks, "pickle": size / 1e6, "dump": middle - begin}


def run(*arguments: Any) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.loaders", "--one", *map(str, arguments)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return json.loads(output.splitlines()[-1])  # type: ignore[no-any-return]


def equal(path: str, names: list[str]) -> None:
    """Every candidate gives the same targets for the first images."""
    import torch

    data = {name: opened(name, path) for name in names}
    for at in range(25):
        expected = data["pycocotools"][at][1]
        for name in names:
            target = data[name][at][1]
            for key in ("masks", "ids", "iscrowd"):
                assert torch.equal(target[key], expected[key]), (name, at, key)


def table(title: str, path: Path, names: list[str], images: int, rounds: int) -> list[str]:
    equal(str(path), names)
    single: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            single[name].append(run(name, path, -1, images // 4))
    rows = {name: {key: statistics.median(r[key] for r in single[name]) for key in single[name][0]} for name in names}
    empty = run(EMPTY, path, 2, images)["private"]
    epochs = {name: {n: run(name, path, n, images) for n in (0, 2, 4)} for name in names}
    lines = [f"## {title}", "", "| | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]

    def line(what: str, values: list[str]) -> None:
        lines.append(f"| {what} | " + " | ".join(values) + " |")

    slow = rows["pycocotools"]["masks"]
    line("masks of an image, CPU us", [f"{rows[n]['masks'] * 1e6:.0f}" for n in names])
    line("pycocotools / this", [f"{slow / rows[n]['masks']:.1f}x" for n in names])
    slow = rows["pycocotools"]["item"]
    line("targets of an image, CPU us", [f"{rows[n]['item'] * 1e6:.0f}" for n in names])
    line("pycocotools / this", [f"{slow / rows[n]['item']:.1f}x" for n in names])
    line("open, ms", [f"{rows[n]['open'] * 1e3:.0f}" for n in names])
    line("pickle for spawned workers, MB", [f"{rows[n]['pickle']:.1f}" for n in names])
    line("time of that pickle, ms", [f"{rows[n]['dump'] * 1e3:.0f}" for n in names])
    for n in (0, 2, 4):
        some = [epochs[name][n] for name in names]
        line(f"images a second, {n} workers", [f"{e['images'] / e['seconds']:.0f}" for e in some])
        line(f"CPU an image, us, {n} workers", [f"{e['cpu'] / e['images'] * 1e6:.0f}" for e in some])
        if n:
            line(f"private MB a worker beyond {empty:.0f}, {n}", [f"{e['private'] - empty:.1f}" for e in some])
    return [*lines, ""]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loaders", description=__doc__.splitlines()[0])
    parser.add_argument("--one", nargs=4, metavar=("NAME", "PATH", "WORKERS", "IMAGES"), help="one measurement")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name}")
    options = parser.parse_args()
    if options.one:
        name, path, workers, images = options.one
        print(json.dumps(measure(name, path, int(workers), int(images))))
        return 0
    import torch
    import torchvision

    import maskcodec as mc

    lines = [
        "# Masks in training loops",
        "",
        "Written by `python -m benchmarks.loaders --write`: "
        f"{os.cpu_count()} logical cores, torch {torch.__version__}, torchvision {torchvision.__version__}. "
        "480x640 images, targets compared first; no image is decoded, and masks do not leave the worker.",
        "",
    ]
    count = options.images
    with tempfile.TemporaryDirectory() as folder:
        for title in ("polygons", "compressed RLE"):
            path = make(Path(folder, "made.json"), count, count * 36 // 5, grouped=True)
            if title != "polygons":
                as_rles(path)
            packed = Path(f"{path}.packed")
            if "arrow" in mc.formats():
                mc.convert(path, packed, "arrow", "coco_instances", overwrite=True, on_loss="ignore", file="ipc")
                more: dict[str, Any] = {"file": "ipc", "areas": "masks"}
                mc.convert(path, f"{path}.masks", "arrow", "coco_instances", overwrite=True, on_loss="ignore", **more)
            names = [n for n in CANDIDATES if packed.exists() or "packed" not in n]
            what = f"{count} images, {count * 36 // 5} annotations, {title}, {path.stat().st_size / 1e6:.0f} MB"
            lines += table(what, path, names, min(count, 4000), options.rounds)
            print("\n".join(lines[-16:]), flush=True)
    if options.write:
        RESULTS.write_text("\n".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
