"""Writing Segments.ai labels: one release file, bitmaps beside it in ``assets/``."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any, BinaryIO

from maskcodec.formats._shared.jsonio import encode
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.assets import stem
from maskcodec.formats.segments.writeframe import FrameWriter, media_attributes, plain, status_of
from maskcodec.formats.segments.writerelations import AnnotationLinks
from maskcodec.formats.segments.writeseries import SeriesWriter
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["write_release"]


def write_release(
    dataset: Dataset, sink: NullSink, report: LossReport, kind: str, choose: Callable[[Item], str] | None = None
) -> None:
    """Write ``<dataset>-<release>.json`` and the bitmaps.

    Args:
        dataset: what the format carries.
        sink: takes the files.
        report: hears of losses.
        kind: content of samples, or task type of sequences.
        choose: content of the frames of a sensor, by its first item; for sequences.
    """
    kept = dict(dataset.extras.get(names.NAMESPACE, {}))
    about = dict(kept.pop("dataset", {}))
    labelset = kept.pop("labelset", names.GROUND_TRUTH)
    frameless = _frameless(kept, labelset)
    writer: _Writer | SeriesWriter
    with sink.spool() as spool:
        if choose is None:
            writer = _Writer(dataset, sink, report, kind, labelset)
            writer.links = AnnotationLinks(dataset, report)
            for index, item in enumerate(dataset.items):
                spool.write(b",\n" if index else b"\n")
                spool.write(encode(writer.sample(item)))
            writer.links.close()
        else:
            writer = SeriesWriter(dataset, sink, report, kind, labelset)
            _series(writer, dataset, sink, spool, kind, choose, frameless)
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


def _frameless(kept: dict[str, Any], labelset: str) -> dict[int, Any]:
    """Samples without frames, by their places."""
    found = {int(at): sample for at, sample in kept.pop("frameless", [])}
    for at, (name, label) in enumerate(kept.pop("frameless_labels", {}).items()):
        found[-1 - at] = {"name": stem(name), "attributes": {}, "labels": {labelset: {"attributes": label}}}
    return found


def _series(
    writer: SeriesWriter,
    dataset: Dataset,
    sink: NullSink,
    spool: BinaryIO,
    task: str,
    choose: Callable[[Item], str],
    frameless: dict[int, Any],
) -> None:
    with sink.spool() as frames:
        writer.start(task, choose, frames)
        for item in dataset.items:
            writer.add(item)
        count = 0

        def put(record: bytes) -> None:
            nonlocal count
            spool.write((b",\n" if count else b"\n") + record)
            count += 1

        for record in writer.records():
            while count in frameless:
                put(encode(frameless.pop(count)))
            put(b"{" + b",".join(encode(key) + b":" + value for key, value in record.items()) + b"}")
        for at in sorted(frameless):
            put(encode(frameless[at]))


class _Writer(FrameWriter):
    """Samples of one image or cloud."""

    links: AnnotationLinks

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
        if item.id != stem(name):
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
        status = status_of(item, "label" in kept, self.report)
        record: dict[str, Any] = {"label_status": status} if status is not None else {}
        if "attributes" in label and not item.annotations:
            return {**record, **label}
        label.pop("attributes", None)
        record["attributes"] = self.frame(item, kept, name)
        links = self.links.records(item, self.numbers)
        if links:
            record["attributes"]["links"] = links
            if item.id != stem(name):
                self.report.rename(item, None, "links", "ends are named as their items are", what="dataset")
        return {**record, **label}
