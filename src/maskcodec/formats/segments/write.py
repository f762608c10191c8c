"""Writing Segments.ai labels: one release file, bitmaps beside it in ``assets/``."""

from __future__ import annotations

import shutil
from typing import Any

from maskcodec.formats._shared.jsonio import encode
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.assets import stem
from maskcodec.formats.segments.writeframe import FrameWriter, plain
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["media_name", "write_release"]


def media_name(item: Item) -> str:
    """Where a media file is copied to."""
    return f"assets/{item.path if item.path is not None else item.id}"


def media_attributes(item: Item) -> dict[str, Any]:
    """Sample attributes of an image or cloud that has none."""
    if item.media != "point_cloud":
        return {"image": {"url": media_name(item)}}
    suffix = media_name(item).rpartition(".")[2].lower()
    return {"pcd": {"url": media_name(item), "type": {"bin": "kitti", "laz": "las"}.get(suffix, suffix) or "pcd"}}


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
        task_type = about.pop("task_type", None)
        if task_type != kind and (kind not in names.FLAT or task_type not in names.FLAT[kind]):
            if task_type is not None:
                report.rename(None, None, f"extras.{names.NAMESPACE}.dataset", "the task type is that of the labels")
            task_type = "segmentation-bitmap" if kind == "segmentation" else kind
        about = {"name": name, "description": about.pop("description", ""), "task_type": task_type, **about}
        about.pop("samples", None)
        about["task_attributes"] = {**head, **task}
        about.setdefault("labelsets", [{"name": labelset, "description": ""}])
        with sink.open(f"{plain(name)}-{plain(release)}.json") as out:
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


class _Writer(FrameWriter):
    """Samples of one image or cloud."""

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
        record["attributes"] = kept.pop("attributes", None) or media_attributes(item)
        metadata = kept.pop("metadata", None)
        if item.subset != "default":
            metadata = {**(metadata or {}), "split": item.subset}
        if metadata is not None:
            record["metadata"] = metadata
        others = kept.pop("labels", {})
        record["labels"] = {self.labelset: self._label(item, kept, name), **others}
        inner = ("label", "frame", "unresolved", "unlisted", "old_attributes", "points")
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
        record["attributes"] = self.frame(item, kept, name)
        return {**record, **label}
