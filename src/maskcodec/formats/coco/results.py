"""COCO results: a bare list of what a detector found, as pycocotools' ``loadRes`` takes it.

Kept: boxes, masks (as compressed RLE), key points with visibility or confidence, captions, scores, order, unknown keys.
Not in the file: ids of annotations, images beyond their number, names of categories, info. Each record says by its keys
what it is, so kinds may be mixed; rows of seven numbers (image, x, y, w, h, score, category) are boxes.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Capabilities, Confidence, Dataset, NotThisFormat, NullSink, Probe, Source
from maskcodec.formats._shared import jsonio
from maskcodec.formats.coco.index import File, plain, plain_id
from maskcodec.formats.coco.schema import COCO
from maskcodec.formats.coco.shapes import Place, read_bbox, read_shape
from maskcodec.formats.coco.spool import Numbers, Part
from maskcodec.formats.coco.tasks import documents, stem, task_of, tasks_seen
from maskcodec.formats.coco.write import RENUMBERED, category_numbers
from maskcodec.model.annotations import Annotation, Box, Caption, Mask, Points, Skeleton
from maskcodec.model.dataset import Item, LazyItems
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["CARRIES", "detect_results", "read_results", "write_results"]

CARRIES = Capabilities(
    kinds={"box", "mask", "skeleton", "caption"},
    converts={
        **dict.fromkeys(("polygon", "multipart_polygon", "holed_polygon", "ellipse"), "mask"),
        "rotated_box": "box", "points": "skeleton",
    },
    fields={"score"},
    order=True,
    item_fields=(),
    category_fields={"id"},
    needs_category=("box", "ellipse", "polygon", "mask", "points", "skeleton"),
    namespaces=("coco",),
)  # fmt: skip
_WHOLE = ("image_id", "category_id", "score")
_NAMED = "results have the numbers of categories alone"


def detect_results(probe: Probe) -> Confidence:
    """A list of objects with ``image_id``, and no other COCO file beside it."""
    seen = tasks_seen(probe)
    found = {name: why for name, (task, why) in seen.items() if task == "results"}
    if not found:
        raise NotThisFormat("no JSON file that is a list of results")
    if len(found) < sum(bool(task) for task, _ in seen.values()):
        raise NotThisFormat("results beside ground truth")
    return Confidence(80, "; ".join(f"{name}: {why}" for name, why in found.items()))


class _Results:
    """One file: its records by image."""

    def __init__(self, source: Source, name: str, truth: File | None) -> None:
        self.source, self.truth = source, truth
        document = source.document(name)
        document.check()
        if document.root != "object":
            self.records = document.records()
        else:
            raise FormatError("the top level is an object, expected a list of results", file=document.file)
        self.records.key = "results"
        self.file = document.file
        self.of_image: dict[Any, list[int]] = {}
        self.categories: dict[Any, int | str] = {}
        self.last = -1
        self.grouped = True
        if truth is not None:
            self.of_image = {number: [] for number in truth.place}
        for at in range(len(self.records)):
            try:
                self._enter(at)
            except FormatError as error:
                source.problem(error)

    def _row(self, at: int) -> dict[str, Any]:
        """A record as a dict; rows of numbers too."""
        record = self.records.name(at)
        value = jsonio.decode(self.records.raw(at), file=self.file, record=record, repeat=self._repeat)
        if isinstance(value, list) and len(value) == 7:
            if any(type(v) not in (int, float) for v in value):
                raise FormatError(f"expected 7 numbers, got {shorten(value)}", file=self.file, record=record)
            whole = [int(v) if v == int(v) else v for v in (value[0], value[6])]
            return {"image_id": whole[0], "category_id": whole[1], "bbox": value[1:5], "score": value[5], "#row": True}
        if not isinstance(value, dict):
            raise FormatError(f"expected an object or 7 numbers, got {shorten(value)}", file=self.file, record=record)
        return value

    @property
    def _repeat(self) -> Any:
        return self.source.problem if self.source.on_error == "skip" else None

    def _enter(self, at: int) -> None:
        row = self._row(at)
        record = self.records.name(at)
        number, category = row.get("image_id"), row.get("category_id")
        if not plain_id(number):
            text = f"expected the id of an image, got {shorten(number)}"
            raise FormatError(text, file=self.file, record=record, field="image_id")
        if "caption" not in row or category is not None:
            if not plain_id(category) or (self.truth is not None and category not in self.truth.known):
                text = f"expected the id of a category, got {shorten(category)}"
                raise FormatError(text, file=self.file, record=record, field="category_id")
            self.categories[plain(category)] = category  # type: ignore[assignment]
        if self.truth is not None and plain(number) not in self.of_image:
            raise FormatError(
                f"no image with the id {shorten(number)}", file=self.file, record=record, field="image_id"
            )
        listed = self.of_image.setdefault(plain(number), [])
        if listed and listed[-1] != self.last:
            self.grouped = False
        listed.append(at)
        self.last = at

    def item(self, key: Any) -> Item | None:
        """Load the results of one image."""
        if self.truth is not None:
            at = self.truth.place[key]
            item = self.truth.image(at, stem(self.truth.names[at]))
            item.subset = "default"
            item.extras = {"coco": {"id": item.extras["coco"]["id"]}}
        else:
            item = Item(key)
        for at in self.of_image[key]:
            place = Place(self.source, self.records, at, item, self.categories.values(), {}, COCO)
            try:
                annotation = self._annotation(place, self._row(at))
            except FormatError as error:
                self.source.problem(error, item, error.record)
                continue
            if not self.grouped:
                annotation.extras.setdefault("coco", {})["#index"] = at
            item.annotations.append(annotation)
        return item

    def _annotation(self, place: Place, row: dict[str, Any]) -> Annotation:
        extra: dict[str, Any] = {}
        known = {*_WHOLE}
        shape: Annotation
        if "caption" in row:
            if not isinstance(row["caption"], str):
                raise place.error("caption", f"expected text, got {shorten(row['caption'])}")
            shape = Caption(row["caption"])
            known.add("caption")
        elif "keypoints" in row:
            shape = _points(place, row["keypoints"], extra)
            known.add("keypoints")
            read_bbox(place, row.get("bbox"))
        elif "segmentation" in row:
            shape = read_shape(place, jsonio.encode(row["segmentation"]), read_bbox(place, row.get("bbox")), extra)
            extra.pop("#form", None)
            known.add("segmentation")
            if isinstance(shape, Box):
                known.add("bbox")
        elif "bbox" in row:
            shape = read_shape(place, None, read_bbox(place, row["bbox"]), extra)
            extra.pop("#form", None)
            known.add("bbox")
        else:
            raise place.error("", "no geometry and no text: none of bbox, segmentation, keypoints, caption")
        score = row.get("score")
        if score is None and not isinstance(shape, Caption):
            raise place.error("score", "required key is missing")
        if score is not None and type(score) not in (int, float):
            raise place.error("score", f"expected a number, got {shorten(score)}")
        shape.score, shape.category_id = score, row.get("category_id")
        extra.update((key, value) for key, value in row.items() if key not in known)
        if extra:
            shape.extras = {"coco": extra}
        return shape


def _points(place: Place, values: Any, extra: dict[str, Any]) -> Skeleton:
    good = isinstance(values, list) and values and len(values) % 3 == 0
    if not good or any(type(v) not in (int, float) for v in values):
        raise place.error("keypoints", f"expected three numbers a point, got {shorten(values)}")
    seen = values[2::3]
    if any(v not in (0, 1, 2) for v in seen):
        extra["keypoints"] = values  # a confidence is more than the visibility that it is read as
    xy = np.array(values, dtype=np.float64).reshape(-1, 3)[:, :2].copy()
    return Skeleton(xy, [2 if v > 0 else 0 for v in seen] if extra else [int(v) for v in seen])


def read_results(source: Source, *, ground_truth: str | os.PathLike[str] | None = None) -> Dataset:
    """Read results; with the ground truth they were made for, images and categories have their names and sizes.

    Args:
        source: with one file of results.
        ground_truth: JSON file or folder with the images and categories.
    """
    truth = None
    if ground_truth is not None:
        truth = _ground_truth(Source(ground_truth, on_error=source.on_error))
    names = list(documents(source))
    if len(names) > 1:
        names = [name for name in names if task_of(source.document(name), name)[0] == "results"]
    if len(names) != 1:
        raise FormatError(f"expected one file of results, found {len(names)}: {shorten(names)}", file=source.path)
    results = _Results(source, names[0], truth)
    dataset = Dataset()
    if truth is not None:
        dataset.schema = LabelSchema(truth.categories)
    else:
        numbers = sorted(results.categories.values(), key=lambda number: (isinstance(number, str), number))
        dataset.schema = LabelSchema([Category(number, str(number)) for number in numbers])
    dataset.items = LazyItems(list(results.of_image), results.item)
    return dataset


def _ground_truth(source: Source) -> File:
    seen = {name: task_of(document, name)[0] for name, document in documents(source).items()}
    fitting = [name for name, task in seen.items() if task and task != "results"]
    if len(fitting) != 1:
        raise FormatError(f"expected one COCO file with images, found {len(fitting)}", file=source.path)
    return File(source, fitting[0], "default", seen[fitting[0]], COCO)


def write_results(dataset: Dataset, sink: NullSink, report: LossReport, *, score: float = 1.0) -> None:
    """Write one list of results.

    Args:
        dataset: as shown by the shared write loop.
        sink: where to.
        report: hears of what only this writer loses.
        score: of annotations that have none.
    """
    part, images = Part(sink, 1), Numbers(1)
    numbers = category_numbers(dataset, report)
    if any(category.name != str(category.id) for category in dataset.schema.categories):
        report.rename(None, None, "categories", _NAMED, count=len(dataset.schema))
    for key, value in dataset.extras.get("coco", {}).items():
        if value and key[:1] != "#":
            report.drop(None, None, f"extras.coco.{key}", "results are a bare list")
    for item in dataset.items:
        extra = item.extras.get("coco", {})
        for key in extra:
            if key != "id" and key[:1] != "#":
                report.drop(item, None, f"extras.coco.{key}", "results say nothing about images")
        if not item.annotations:
            report.drop(item, None, "", "an image without results is not listed")
            continue
        wanted = extra.get("id", item.id if type(item.id) is int or (type(item.id) is str and not extra) else None)
        wanted = wanted if type(wanted) is int or "id" in extra else None
        image = images.take(wanted)
        if image != item.id:
            report.rename(item, None, "id", "results name images by their number" if "id" in extra else RENUMBERED)
        for annotation in item.annotations:
            own = annotation.extras.get("coco", {})
            if annotation.score is None and not isinstance(annotation, Caption):
                report.default(item, annotation, "score", "every result has a score")
            part.add_annotation(jsonio.encode(_row(annotation, own, image, numbers, score)), own.get("#index"))
    with sink.open("results.json") as target:
        target.write(b"[")
        part.copy_annotations(target)
        target.write(b"]\n")


def _row(annotation: Annotation, extra: dict[str, Any], image: Any, numbers: dict[Any, Any], score: float) -> Any:
    row: dict[str, Any] = {"image_id": image}
    if annotation.category_id in numbers:
        row["category_id"] = numbers[annotation.category_id]
    if isinstance(annotation, Caption):
        row["caption"] = annotation.text
    elif isinstance(annotation, Mask):
        row["segmentation"] = annotation.rle.to_coco()
    elif isinstance(annotation, Points):
        seen = annotation.visibility if annotation.visibility is not None else [2] * len(annotation.xy)
        kept = extra.get("keypoints")
        if isinstance(kept, list) and len(kept) == 3 * len(seen):
            seen = kept[2::3]
        row["keypoints"] = jsonio.numbers(np.column_stack([annotation.xy, seen]).reshape(-1))
    elif isinstance(annotation, Box):
        box = [annotation.x0, annotation.y0, annotation.x1 - annotation.x0, annotation.y1 - annotation.y0]
        kept = extra.get("bbox")
        if kept is not None and [kept[0], kept[1], kept[0] + kept[2], kept[1] + kept[3]] == [
            annotation.x0, annotation.y0, annotation.x1, annotation.y1,
        ]:  # fmt: skip
            box = kept
        row["bbox"] = jsonio.numbers(box)
        if "#row" in extra:
            return [row["image_id"], *box, annotation.score, row["category_id"]]
    if annotation.score is not None or not isinstance(annotation, Caption):
        row["score"] = annotation.score if annotation.score is not None else score
    for key, value in extra.items():
        if key[:1] != "#" and key not in row and key not in ("id", "iscrowd"):
            row[key] = value
    return row
