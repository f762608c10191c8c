"""Writing Segments.ai image labels: one release file, bitmaps beside it in ``assets/``."""

from __future__ import annotations

import re
import shutil
from typing import Any

import numpy as np

from maskcodec.formats._shared.images import write_png
from maskcodec.formats._shared.jsonio import encode, numbers
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.assets import stem
from maskcodec.idmaps import pack_ids
from maskcodec.masks import Rle, RleArray
from maskcodec.model.annotations import Annotation, Box, Mask, Points, Polygon, Polyline
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["media_name", "write_release"]


def media_name(item: Item) -> str:
    """Where a media file is copied to."""
    return f"assets/{item.path if item.path is not None else item.id}"


def write_release(dataset: Dataset, sink: NullSink, report: LossReport, kind: str) -> None:
    """Write ``<dataset>-<release>.json`` and the bitmaps."""
    kept = dict(dataset.extras.get(names.NAMESPACE, {}))
    about = dict(kept.pop("dataset", {}))
    labelset = kept.pop("labelset", names.GROUND_TRUTH)
    writer = _Writer(dataset, sink, report, kind, labelset)
    with sink.spool() as spool:
        for index, item in enumerate(dataset.items):
            spool.write(b",\n" if index else b"\n")
            spool.write(encode(writer.sample(item)))
        release, name = str(dataset.info.get("name", "v1.0")), str(about.get("name", "dataset"))
        task = dict(about.pop("task_attributes", {}))
        head: dict[str, Any] = {"format_version": task.pop("format_version", "0.1")}
        head["categories"] = names.write_categories(dataset.schema, writer.categories, report)
        if dataset.schema.attributes:
            head["image_attributes"] = [names.write_attribute(spec, report) for spec in dataset.schema.attributes]
        tasks, default = (names.SEGMENTATION, "segmentation-bitmap"), "vector"
        fits = names.SEGMENTATION if kind == "segmentation" else names.VECTOR
        task_type = about.pop("task_type", None)
        if task_type not in fits:
            if task_type is not None:
                report.rename(None, None, f"extras.{names.NAMESPACE}.dataset", "the task type is that of the labels")
            task_type = tasks[1] if kind == "segmentation" else default
        about = {"name": name, "description": about.pop("description", ""), "task_type": task_type, **about}
        about.pop("samples", None)
        about["task_attributes"] = {**head, **task}
        about.setdefault("labelsets", [{"name": labelset, "description": ""}])
        with sink.open(f"{_plain(name)}-{_plain(release)}.json") as out:
            top = {"name": release, **{k: v for k, v in dataset.info.items() if k != "name"}, **kept}
            if "name" not in dataset.info:
                top = {k: v for k, v in top.items() if k != "name"}
            out.write(b"{")
            for key, value in top.items():
                out.write(encode(key) + b":" + encode(value) + b",\n")
            out.write(b'"dataset":' + encode(about)[:-1] + b',\n"samples":[')
            spool.seek(0)
            shutil.copyfileobj(spool, out, 1 << 20)
            out.write(b"]}}\n")


def _plain(name: str) -> str:
    """A text as part of a file name."""
    return re.sub(r"[^\w .+()-]", "_", name).strip(" .")[:100] or "_"


class _Writer:
    def __init__(self, dataset: Dataset, sink: NullSink, report: LossReport, kind: str, labelset: str) -> None:
        self.dataset, self.sink, self.report, self.kind, self.labelset = dataset, sink, report, kind, labelset
        self.categories = names.category_numbers(dataset.schema, report)
        self.samples: set[str] = set()
        self.bitmaps: set[str] = set()

    def sample(self, item: Item) -> dict[str, Any]:
        """The record of one sample."""
        kept = dict(item.extras.get(names.NAMESPACE, {}))
        path = item.path if item.path is not None else str(item.id)
        if item.path is None and "name" not in kept:
            self.report.default(item, None, "path", "every sample has a name")
        name = kept.pop("name", path)
        if name in self.samples:
            name = f"{item.subset}/{name}"
            self.report.rename(item, None, "path", "sample names are unique")
            self.report.rename(item, None, "id", "sample names are unique")
        self.samples.add(name)
        if item.id not in (stem(name), name):
            self.report.rename(item, None, "id", "an item is named by its sample")
        record: dict[str, Any] = {"uuid": kept.pop("uuid")} if "uuid" in kept else {}
        record["name"] = name
        record["attributes"] = kept.pop("attributes", {"image": {"url": media_name(item)}})
        metadata = kept.pop("metadata", None)
        if item.subset != "default":
            metadata = {**(metadata or {}), "split": item.subset}
        if metadata is not None:
            record["metadata"] = metadata
        others = kept.pop("labels", {})
        record["labels"] = {self.labelset: self._label(item, kept, name), **others}
        inner = ("label", "frame", "unresolved", "unlisted", "old_attributes")
        return {**record, **{k: v for k, v in kept.items() if k not in inner}}

    def _label(self, item: Item, kept: dict[str, Any], name: str) -> dict[str, Any] | None:
        label = dict(kept.get("label", {}))
        if item.status == "UNLABELED" and not item.annotations and not label and not item.attributes:
            return None
        status = item.status
        if status not in names.STATUSES:
            if status is None and "label" in kept:
                pass
            elif status is None:
                status = "LABELED"
                self.report.default(item, None, "status", "every label has a status: LABELED")
            else:
                status = "LABELED"
                self.report.rename(item, None, "status", "Segments.ai has its own list of statuses")
        record: dict[str, Any] = {"label_status": status} if status is not None else {}
        if "attributes" in label and not item.annotations:
            return {**record, **label}
        label.pop("attributes", None)
        record["attributes"] = self._frame(item, kept, name)
        return {**record, **label}

    def _frame(self, item: Item, kept: dict[str, Any], name: str) -> dict[str, Any]:
        rest = dict(kept.get("frame", {}))
        out: dict[str, Any] = {"format_version": rest.pop("format_version", "0.1")}
        bitmap = rest.pop("segmentation_bitmap", None)
        taken: set[int] = set()
        used = {a.id for a in item.annotations if self._own(a.id)} | {u["id"] for u in kept.get("unlisted", [])}
        records = []
        painted: list[tuple[int, Rle, Mask | None]] = []
        for annotation in item.annotations:
            if annotation.category_id not in self.categories:
                self.report.drop(item, annotation, "", "an annotation needs a category of the schema")
                continue
            if isinstance(annotation, Mask) and not self._paintable(item, annotation):
                continue
            number = self._number(item, annotation, taken, used)
            if isinstance(annotation, Mask):
                painted.append((number, annotation.rle, annotation))
            records.append((number, annotation))
        painted += [(u["id"], Rle.from_coco(u), None) for u in kept.get("unlisted", [])]
        gone = self._paint(item, painted, bitmap, out, name) if self.kind == "segmentation" else set()
        own = [self._record(item, number, a) for number, a in records if number not in gone]
        out["annotations"] = own + kept.get("unresolved", [])
        if bitmap is not None and "segmentation_bitmap" not in out:
            out["segmentation_bitmap"] = bitmap
        if item.attributes:
            out["attributes" if kept.get("old_attributes") else "image_attributes"] = item.attributes
        return {**out, **rest}

    def _own(self, number: Any) -> bool:
        return type(number) is int and 1 <= number <= (names.MAX_ID if self.kind == "segmentation" else 2**63 - 1)

    def _number(self, item: Item, annotation: Annotation, taken: set[int], used: set[Any]) -> int:
        number = annotation.id
        if not self._own(number) or number in taken:
            fresh = 1
            while fresh in used or fresh in taken:
                fresh += 1
            if number is not None:
                self.report.rename(item, annotation, "id", "ids are positive integers, each once in an image")
            number = fresh
        taken.add(int(number))  # type: ignore[arg-type]
        return int(number)  # type: ignore[arg-type]

    def _record(self, item: Item, number: int, annotation: Annotation) -> dict[str, Any]:
        rest = dict(annotation.extras.get(names.NAMESPACE, {}))
        rest.pop("no_pixels", None)
        record: dict[str, Any] = {"id": number, "category_id": self.categories[annotation.category_id]}
        points = rest.pop("points", None)
        if isinstance(annotation, Box):
            corners = [[annotation.x0, annotation.y0], [annotation.x1, annotation.y1]]
            if points is not None and [list(map(min, *points)), list(map(max, *points))] == corners:
                corners = points
            record |= {"type": "bbox", "points": numbers(corners)}
        elif isinstance(annotation, Polygon):
            record |= {"type": "polygon", "points": numbers(annotation.rings[0])}
        elif isinstance(annotation, Polyline):
            record |= {"type": "polyline", "points": numbers(annotation.points)}
        elif isinstance(annotation, Points):
            record |= {"type": "point", "points": numbers(annotation.xy)}
        elif points is not None:
            rest["points"] = points
        if annotation.attributes or "attributes" in rest:
            record["attributes"] = annotation.attributes or rest.pop("attributes")
        if annotation.track_id is not None:
            record["track_id"] = annotation.track_id
        return {**record, **rest}

    # --- bitmaps ------------------------------------------------------------------------------------------------------
    def _paintable(self, item: Item, annotation: Mask) -> bool:
        if item.height is None or item.width is None:
            item.height, item.width = annotation.rle.shape
        if annotation.rle.shape != (item.height, item.width):
            self.report.drop(item, annotation, "", "the mask has another size than the image")
            return False
        if not annotation.rle.area and not annotation.extras.get(names.NAMESPACE, {}).get("no_pixels"):
            self.report.drop(item, annotation, "", "an empty mask has no pixels in a bitmap")
            return False
        return True

    def _paint(
        self, item: Item, painted: list[tuple[int, Rle, Mask | None]], bitmap: Any, out: dict[str, Any], name: str
    ) -> set[int]:
        """Write the bitmap of an image; returns the ids of objects that later ones cover altogether."""
        gone: set[int] = set()
        if not item.height or not item.width or "unresolved" in item.extras.get(names.NAMESPACE, {}):
            return gone
        shape = (item.height, item.width)
        ids = np.zeros(shape, np.uint32)
        if painted:
            RleArray.from_rles([rle for _, rle, _ in painted]).to_label_map([n for n, _, _ in painted], out=ids)
        values, masks = RleArray.from_label_map(ids)
        left = dict(zip(values.tolist(), masks.areas.tolist(), strict=True))
        for number, rle, annotation in painted:
            covered = rle.area - left.get(number, 0)
            if covered and annotation is not None:
                if number in left:
                    self.report.drop(item, annotation, "rle", "pixels covered by a later object", count=covered)
                else:
                    self.report.drop(item, annotation, "", "covered by later objects altogether")
                    gone.add(number)
        url = bitmap.get("url") if isinstance(bitmap, dict) else None
        file = _plain(str(url).rpartition("/")[2]) if url else ""
        if not file.endswith(".png") or file.casefold() in self.bitmaps:
            base = _plain(stem(name).replace("/", "_"))
            file, count = f"{base}_label_{_plain(self.labelset)}.png", 2
            while file.casefold() in self.bitmaps:
                file, count = f"{base}_label_{_plain(self.labelset)}-{count}.png", count + 1
            url = f"assets/{file}"
        self.bitmaps.add(file.casefold())
        self.sink.write(f"assets/{file}", write_png(pack_ids(ids, "segments")))
        out["segmentation_bitmap"] = {**(bitmap or {}), "url": url}
        return gone
