"""Writing COCO: items stream into two spools a file, put together at the end."""

from __future__ import annotations

from typing import Any

from maskcodec.formats._base import Dataset, NullSink
from maskcodec.formats._shared import jsonio
from maskcodec.formats.coco.compact import Named
from maskcodec.formats.coco.grouping import merge_groups
from maskcodec.formats.coco.panoptic import Segments
from maskcodec.formats.coco.rows import Rows
from maskcodec.formats.coco.schema import COCO, Dialect, write_category
from maskcodec.formats.coco.spool import Numbers, Part
from maskcodec.model.annotations import Annotation
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["RENUMBERED", "SEGMENTATIONS", "category_numbers", "write_files"]

SEGMENTATIONS = ("auto", "rle", "rle_list", "polygon")
RENUMBERED = "ids are unique integers in a file"
_UNCATEGORISED = ("it has no category", "its category is not in the schema")
_TASK_OF_KIND = {"skeleton": "person_keypoints", "caption": "captions", "tag": "labels"}


def category_numbers(dataset: Dataset, report: LossReport) -> dict[Any, Any]:
    """Category id of the model -> id to write; unusable ones are renumbered and reported."""
    free = Numbers(1)
    numbers: dict[Any, Any] = {}
    for category in dataset.schema.categories:
        if category.id in numbers:
            raise ValueError(f"two categories have the id {category.id!r}")
        keep = isinstance(category.id, int) or "coco" in category.extras
        number = numbers[category.id] = free.take(category.id if keep else None)
        if number != category.id:
            report.rename(category.name, None, "id", RENUMBERED, what="category")
    return numbers


class _Subset:
    """The files of one subset."""

    def __init__(self, name: str, sink: NullSink, first_id: int, tasks: tuple[str, ...]) -> None:
        self.parts = {task: Part(sink, first_id) for task in tasks}
        self.image_ids = {task: Numbers(1) for task in tasks}
        self.named = Named(name)


class _Writer:
    def __init__(
        self, dataset: Dataset, sink: NullSink, report: LossReport, dialect: Dialect, tasks: tuple[str, ...],
        segmentation: str, renumber: bool, group: str,
    ) -> None:  # fmt: skip
        self.dataset, self.sink, self.report, self.dialect = dataset, sink, report, dialect
        self.tasks, self.main = tasks, tasks[0]
        self.renumber, self.group = renumber, group
        self.first = 1 if renumber else dialect.first_id
        self.subsets: dict[str, _Subset] = {}
        self.numbers = category_numbers(dataset, report)
        self.rows = {task: Rows(dialect, segmentation, self.numbers_of(task)) for task in tasks}
        self.segments = Segments(sink, report, self.numbers)

    def run(self) -> None:
        for item in self.dataset.items:
            subset = self.subsets.get(item.subset)
            if subset is None:
                subset = self.subsets[item.subset] = _Subset(item.subset, self.sink, self.first, self.tasks)
            numbers = self.image(subset, item)
            annotations = item.annotations
            if self.group == "cvat":
                annotations = merge_groups(item, annotations, self.report)
            if self.main == "panoptic":
                self.segments.add(subset.parts["panoptic"], item, numbers["panoptic"], annotations)
            else:
                for annotation in annotations:
                    self.annotation(subset, item, numbers, annotation)
            self.list_image(subset, item, numbers)
        stored = self.dataset.extras.get("coco", {})
        if self.dialect.tree:
            parts = stored.get("#parts", {}).values()
            for name in [*stored.get("#subsets", ()), *(subset for part in parts for subset in part)]:
                self.subsets.setdefault(name, _Subset(name, self.sink, self.first, self.tasks))
        if not self.subsets:
            self.subsets["default"] = _Subset("default", self.sink, self.first, self.tasks)
        for name, subset in self.subsets.items():
            for shown in subset.named.renamed():
                self.report.rename(shown, None, "id", "items are named by their file", what="item")
            used = [task for task in self.tasks if self.is_used(name, subset, task, stored)]
            for task in used:
                self.finish(name, subset.parts[task], task, stored, used)

    def numbers_of(self, task: str) -> dict[Any, Any]:
        """Category numbers in the files of a task: where tasks disagree about an id, each has its own."""
        notes = {c.id: c.extras.get("coco", {}).get("#of") for c in self.dataset.schema.categories}
        own = {key: note["id"] for key, note in notes.items() if note and note["task"] == task}
        return {**self.numbers, **own} if len(self.tasks) > 1 else self.numbers

    def is_used(self, name: str, subset: _Subset, task: str, stored: dict[str, Any]) -> bool:
        """Whether a file is written: that of the main task always, others when they have something to carry."""
        return task == self.main or bool(subset.parts[task].sizes) or name in stored.get("#parts", {}).get(task, {})

    def image(self, subset: _Subset, item: Item) -> dict[str, Any]:
        """Id of an image in each file that lists it."""
        extra = item.extras.get("coco", {})
        wanted = extra.get("id", item.id if type(item.id) is int else None)
        listed = [task for task in extra.get("#tasks", ()) if task in self.tasks]
        numbers = {task: subset.image_ids[task].take(wanted) for task in listed or self.tasks}
        for key in extra.get("#panoptic", ()) if self.main != "panoptic" else ():
            if key not in ("#index", "file_name"):
                self.report.drop(item, None, f"panoptic.{key}", "belongs to the panoptic file")
        if "id" in extra and any(number != wanted for number in numbers.values()):
            self.report.rename(item, None, "extras.coco.id", RENUMBERED)
        name = item.path
        if name is None:
            name = str(item.id)
            self.report.default(item, None, "path", "every image has a file name")
        subset.named.add(name, next(iter(numbers.values())), item)
        return numbers

    def image_row(self, item: Item, name: str, number: Any, extra: dict[str, Any]) -> dict[str, Any]:
        row: dict[str, Any] = {"id": number}
        if item.width is not None:
            row["width"] = item.width
        if item.height is not None:
            row["height"] = item.height
        if "#no_file_name" not in extra:
            row["file_name"] = name
        row.update(self.dialect.image_keys)
        row.update((key, value) for key, value in extra.items() if key[:1] != "#" and key != "id")
        return row

    def list_image(self, subset: _Subset, item: Item, numbers: dict[str, Any]) -> None:
        """Enter the image into the files that list it."""
        extra = item.extras.get("coco", {})
        others = extra.get("#parts", {}) if len(self.tasks) > 1 else {}
        texts: dict[Any, bytes] = {}
        for task, number in numbers.items():
            text = texts.get(number) if task not in others else None
            if text is None:
                row = self.image_row(item, item.path or str(item.id), number, others.get(task, extra))
                text = jsonio.encode(row)
                if task not in others:
                    texts[number] = text
            subset.parts[task].add_image(text)

    def annotation(self, subset: _Subset, item: Item, images: dict[str, Any], annotation: Annotation) -> None:
        """Write one record; the image is listed in the file that it goes to."""
        category = annotation.category_id
        if category not in self.numbers and not (annotation.kind == "caption" and category is None):
            self.report.drop(item, annotation, "", _UNCATEGORISED[category is not None])
            return
        extra = annotation.extras.get("coco") or {}
        task = self.main
        if len(self.tasks) > 1:
            task = extra.get("#task") or _TASK_OF_KIND.get(annotation.kind, task)
            task = task if task in self.tasks else self.main
        part = subset.parts[task]
        if task not in images:
            images[task] = subset.image_ids[task].take(next(iter(images.values())))
        # A text is an id of COCO only where it came from there; other texts (UUIDs) trouble readers that want numbers.
        keep = not self.renumber and (type(annotation.id) is int or extra.get("id") == annotation.id)
        number = part.ids.take(annotation.id if keep else None)
        if annotation.id is not None and number != annotation.id:
            self.report.rename(item, annotation, "id", RENUMBERED)
        part.categorised |= category is not None
        row = self.rows[task].encode(task, annotation, item, number, images[task])
        part.add_annotation(row, extra.get("#index"))

    def finish(self, subset: str, part: Part, task: str, stored: dict[str, Any], used: list[str]) -> None:
        """Put one file together."""
        notes = stored.get("#subsets", {}) if task == self.main else stored.get("#parts", {}).get(task, {})
        own = dict(notes.get(subset, {})) if self.dialect.tree else {}
        listed = own.pop("#categories", None)
        bare = own.pop("#no_annotations", False) and not part.sizes
        top = own or {"info": self.dataset.info, **{k: v for k, v in stored.items() if not k.startswith("#")}}
        top.setdefault("licenses", [])
        categories = self.dataset.schema.categories
        if task == "captions" and task != self.main and listed is None and not part.categorised:
            categories = []
        elif listed is not None:
            categories = [category for category in categories if category.id in listed]
        numbers = self.rows[task].numbers
        points = task == "person_keypoints" or "person_keypoints" not in used
        rows = [write_category(c, numbers[c.id], self.dialect, points, task == "panoptic") for c in categories]
        origin = self.dataset.source
        if self.main == "person_keypoints" and not (origin is not None and "coco" in origin.format):
            rows = [{**row, "keypoints": row.get("keypoints", []), "skeleton": row.get("skeleton", [])} for row in rows]
        name = f"annotations/{task}_{subset}.json" if self.dialect.tree else "export.json"
        with self.sink.open(name) as target:
            target.write(b"{")
            for key, value in top.items():
                target.write(jsonio.encode(key) + b":" + jsonio.encode(value) + b",\n")
            target.write(b'"categories":[' + b",".join(b"\n" + jsonio.encode(row) for row in rows) + b"],\n")
            target.write(b'"images":[')
            part.copy_images(target)
            if not bare:
                target.write(b'],\n"annotations":[')
                part.copy_annotations(target)
            target.write(b"]}\n")


def write_files(
    dataset: Dataset,
    sink: NullSink,
    report: LossReport,
    segmentation: str = "auto",
    renumber: bool = False,
    dialect: Dialect = COCO,
    tasks: tuple[str, ...] = ("instances",),
    group: str = "keep",
) -> None:
    """Write a data set that holds only what COCO carries; one file a task and subset, in a tree or alone.

    Args:
        dataset: as shown by the shared write loop.
        sink: where to.
        report: hears of what only this writer loses.
        segmentation: "auto": each as it is; "rle", "rle_list": every area as run lengths, as text or as a list;
            "polygon": every area as outlines.
        renumber: give annotations new ids, in order, from 1: readers take 0 for none.
        dialect: of the COCO family.
        tasks: the first is written always, the others when something goes there.
        group: "cvat" merges the members of a group into one record.
    """
    _Writer(dataset, sink, report, dialect, tasks, segmentation, renumber, group).run()
