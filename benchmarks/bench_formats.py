"""Cells of whole conversions, beside the scripts that people write for them."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import maskcodec as mc

from . import inputs
from .bench_runs import coco, numpy_fill
from .cells import Cell
from .datumaro_worker import Worker, interpreter
from .make_coco import make


def project(path: Path, images: int) -> None:
    """A Hasty project with masks and polygons."""
    shape = (480, 640)
    labels, records = [], []
    rings = inputs.outlines(24, shape, dense=False)
    for index, ring in enumerate(rings):
        points = np.round(ring.reshape(-1, 2)).astype(int).clip(0, (shape[1], shape[0]))
        x, y, w, h = mc.Rle.from_polygons([points.reshape(-1).astype(float)], shape).bbox
        box = [x, y, x + w, y + h]
        label: dict[str, Any] = {"class_name": "thing", "bbox": box, "polygon": None, "mask": None, "z_index": index}
        if index % 2:
            rle = mc.Rle.from_polygons([points.reshape(-1).astype(float)], shape)
            label["mask"] = [int(v) for v in rle.to_hasty(box=tuple(box))]
        else:
            label["polygon"] = points.tolist()
        labels.append({**label, "attributes": {}})
    for index in range(images):
        own = [{**label, "id": f"{index}-{k}"} for k, label in enumerate(labels)]
        records.append(
            {
                "image_id": f"i{index}", "image_name": f"{index:06d}.jpg", "dataset_name": "bench", "width": shape[1],
                "height": shape[0], "image_status": "DONE", "labels": own, "tags": [], "attributes": {},
            }  # fmt: skip
        )
    document = {
        "project_name": "bench", "create_date": "2024-01-01T00:00:00Z", "export_format_version": "1.1",
        "export_date": "2024-01-01T00:00:00Z",
        "label_classes": [{"class_name": "thing", "class_type": "object", "color": "#1f78b44d", "attributes": []}],
        "images": records, "attributes": [],
    }  # fmt: skip
    path.write_text(json.dumps(document), encoding="utf-8")


def script(source: Path, target: Path) -> Path:
    """What a careful script does: json, a NumPy decode, pycocotools."""
    module = coco["pycocotools"]
    document = json.loads(source.read_text(encoding="utf-8"))
    annotations: list[dict[str, Any]] = []
    images = []
    for image_id, image in enumerate(document["images"], 1):
        images.append(
            {"id": image_id, "file_name": image["image_name"], "width": image["width"], "height": image["height"]}
        )
        for label in image["labels"]:
            x0, y0, x1, y1 = label["bbox"]
            if label["mask"] is not None:
                full = np.zeros((image["height"], image["width"]), np.uint8, order="F")
                full[y0:y1, x0:x1] = numpy_fill(np.asarray(label["mask"]), (y1 - y0, x1 - x0))
                rle = module.encode(full)
                segmentation: Any = {"size": rle["size"], "counts": rle["counts"].decode()}
                area = int(module.area(rle))
            else:
                segmentation = [[v for point in label["polygon"] for v in point]]
                area = int(module.area(module.frPyObjects(segmentation, image["height"], image["width"]))[0])
            annotations.append(
                {
                    "id": len(annotations) + 1, "image_id": image_id, "category_id": 1, "iscrowd": 0,
                    "bbox": [x0, y0, x1 - x0, y1 - y0], "segmentation": segmentation, "area": area,
                }  # fmt: skip
            )
    target.write_text(json.dumps({"images": images, "annotations": annotations, "categories": []}), encoding="utf-8")
    return target


def masks_in(path: Path) -> list[Any]:
    files = [path] if path.is_file() else sorted(path.rglob("*.json"))
    (document,) = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return sorted(
        a["segmentation"]["counts"] for a in document["annotations"] if isinstance(a["segmentation"], dict)
    )


def alike(path: Path) -> list[Any]:
    """Of each record what every tool keeps: numbers, rounded as some write them, and the corners of outlines."""
    files = [path] if path.is_file() else sorted(path.rglob("*.json"))
    (document,) = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    rows = []
    for row in document["annotations"]:
        rings = row["segmentation"]
        points = [round(v, 2) for ring in rings for v in ring] if isinstance(rings, list) else row["iscrowd"]
        rows.append((row["image_id"], row["category_id"], row["iscrowd"], points))
    return sorted(rows, key=repr)


def coco_cell(folder: Path, images: int, annotations: int, crowds: int) -> Cell:
    """COCO to COCO with every record checked, beside the standard library's parse and print of the same text."""
    (folder / "in" / "annotations").mkdir(parents=True, exist_ok=True)
    (folder / "in" / "images").mkdir(exist_ok=True)  # datumaro wants one
    source = make(folder / "in" / "annotations" / "instances_train.json", images, annotations, crowds=crowds)

    def ours() -> Path:
        target = folder / "coco"
        shutil.rmtree(target, ignore_errors=True)
        mc.convert(source, target, to="coco_instances", on_loss="ignore")
        return target

    def plain() -> Path:
        target = folder / "plain.json"
        target.write_text(json.dumps(json.loads(source.read_text(encoding="utf-8"))), encoding="utf-8")
        return target

    calls: dict[str, Callable[[], Any]] = {"maskcodec": ours, "json load and dump, unchecked": plain}
    python = interpreter()
    if python is not None:
        worker = Worker(python)
        calls["datumaro"] = lambda: worker.convert(folder / "in", folder / "datumaro", "coco_instances")
    size = source.stat().st_size / 1e6
    what = f"{annotations} annotations, {crowds} of them crowds" if crowds else f"{annotations} polygons"
    name = f"COCO to COCO, {images} images, {what}, {size:.1f} MB"
    # The standard library's round trip is a floor of what a checked conversion in Python costs, not a converter.
    return Cell(
        "Conversion", name, calls, alike, "json load and dump, unchecked", lambda: source.read_bytes(),
        other_rule={"json load and dump, unchecked"}, target=20,
    )  # fmt: skip


class _Annotation(msgspec.Struct, gc=False):
    id: int
    image_id: int
    category_id: int
    bbox: list[float]
    area: float
    iscrowd: int
    segmentation: Any


class _Image(msgspec.Struct, gc=False):
    id: int
    file_name: str
    width: int
    height: int


class _Document(msgspec.Struct, gc=False):
    images: list[_Image]
    annotations: list[_Annotation]


def workers_cell(folder: Path, images: int, annotations: int) -> Cell:
    """The same conversion by worker processes: the same bytes."""
    source = make(folder / "workers.json", images, annotations)

    def by(jobs: int) -> Callable[[], Path]:
        def ours() -> Path:
            target = folder / f"workers{jobs}"
            shutil.rmtree(target, ignore_errors=True)
            mc.convert(source, target, to="voc", jobs=jobs, on_loss="ignore")
            return target

        return ours

    def digest(path: Path) -> str:
        whole = hashlib.sha256()
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            whole.update(file.relative_to(path).as_posix().encode() + file.read_bytes())
        return whole.hexdigest()

    calls = {"maskcodec": by(1), "maskcodec, 2 workers": by(2)}
    return Cell("Conversion", f"COCO to VOC, {images} images, {annotations} polygons", calls, digest, "maskcodec")


def model_cell(folder: Path, images: int, annotations: int) -> Cell:
    """Every annotation in memory as an object of the model, beside the parse alone and pycocotools' index."""
    source = make(folder / "model.json", images, annotations)

    def ours() -> Any:
        return mc.read(source, "coco_instances").load()

    def parsed() -> Any:
        return msgspec.json.decode(source.read_bytes(), type=_Document)

    def count(result: Any) -> tuple[int, int]:
        if isinstance(result, mc.Dataset):
            ids = [annotation.id for item in result.items for annotation in item.annotations]
        elif isinstance(result, _Document):
            ids = [annotation.id for annotation in result.annotations]
        else:
            ids = list(result.anns)
        return len(ids), sum(ids)

    calls: dict[str, Callable[[], Any]] = {"maskcodec": ours, "typed parse alone (msgspec)": parsed}
    try:
        from pycocotools.coco import COCO

        def index() -> Any:
            with contextlib.redirect_stdout(io.StringIO()):
                return COCO(str(source))

        calls["pycocotools index"] = index
    except ImportError:
        pass
    size = source.stat().st_size / 1e6
    name = f"COCO into the model, {images} images, {annotations} polygons, {size:.1f} MB"
    return Cell("Reading", name, calls, count, "typed parse alone (msgspec)", lambda: source.read_bytes(), target=1 / 3)


def bitmap_cell(folder: Path, side: int, objects: int) -> Cell:
    """One image of many objects from class and object maps to such maps, pixels checked on the way in."""
    rng = np.random.default_rng(7)
    labels = np.zeros((side, side), np.uint16)
    reach = side // 14
    y, x = np.mgrid[: 2 * reach, : 2 * reach] - reach
    for number in range(1, objects + 1):
        top, left = rng.integers(0, side - 2 * reach, 2)
        inside = x * x + y * y < rng.integers(reach // 6, reach) ** 2
        labels[top : top + 2 * reach, left : left + 2 * reach][inside] = number
    ids, rles = mc.RleArray.from_label_map(labels)
    masks: list[mc.Annotation] = [
        mc.Mask(rle, category_id=1 + at % 20, id=at + 1) for at, rle in enumerate(rles)
    ]
    schema = mc.LabelSchema([mc.Category(n, f"class {n}") for n in range(1, 21)])
    item = mc.Item("a", "a.png", width=side, height=side, annotations=masks)
    source = folder / "maps"
    mc.write(mc.Dataset(schema, [item]), source, "segmentation_mask", on_loss="ignore")

    def ours() -> Path:
        target = folder / "maps_ours"
        shutil.rmtree(target, ignore_errors=True)
        mc.convert(source, target, to="segmentation_mask", on_loss="ignore")
        return target

    def areas(path: Path) -> list[int]:
        return sorted(a.rle.area for one in mc.read(path, "segmentation_mask").items for a in one.annotations)  # type: ignore[attr-defined]

    calls: dict[str, Callable[[], Any]] = {"maskcodec": ours}
    python = interpreter()
    if python is not None:
        worker = Worker(python)
        calls["datumaro"] = lambda: worker.convert(source, folder / "maps_datumaro", "voc_segmentation")
    name = f"Segmentation mask to segmentation mask, one image of {side}x{side}, {len(ids)} objects"
    return Cell("Conversion", name, calls, areas, "maskcodec", other_rule={"datumaro"})


def cells(quick: bool) -> Iterator[Cell]:
    if not hasattr(mc, "convert"):
        return
    images = 50 if quick else 500
    folder = Path(tempfile.mkdtemp(prefix="maskcodec-bench-"))
    try:
        source = folder / "export.json"
        project(source, images)

        def ours() -> Path:
            target = folder / "ours"
            shutil.rmtree(target, ignore_errors=True)
            mc.convert(source, target, to="coco", media="none", on_loss="ignore")
            return target

        calls: dict[str, Callable[[], Any]] = {"maskcodec": ours}
        if "pycocotools" in coco:
            calls["script with pycocotools"] = lambda: script(source, folder / "script.json")
        size = source.stat().st_size / 1e6
        name = f"Hasty JSON to COCO, {images} images, {24 * images} labels, {size:.1f} MB"
        yield Cell("Conversion", name, calls, masks_in, "script with pycocotools", lambda: source.read_bytes())
        small = (500, 3_600) if quick else (5_000, 36_000)
        yield coco_cell(folder, *small, 0)
        yield coco_cell(folder, *small, small[1] // 90)
        yield model_cell(folder, *small)
        yield workers_cell(folder, *small)
        yield bitmap_cell(folder, 1024 if quick else 4096, 250)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
