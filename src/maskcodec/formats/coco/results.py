"""COCO results, in: a bare list of what a detector found, as pycocotools' ``loadRes`` takes it.

Kept: boxes, masks (as compressed RLE), key points with visibility or confidence, captions, scores, order, unknown keys.
Not in the file: ids of annotations, images beyond their number, names of categories, info. Each record says by its keys
what it is, so kinds may be mixed; rows of seven numbers (image, x, y, w, h, score, category) are boxes.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, Dataset, NotThisFormat, Probe, Source
from maskcodec.formats._shared import jsonio
from maskcodec.formats.coco.ids import plain, plain_id
from maskcodec.formats.coco.index import File
from maskcodec.formats.coco.schema import COCO
from maskcodec.formats.coco.shapes import Place, read_bbox, read_shape
from maskcodec.formats.coco.tasks import documents, stem, task_of, tasks_seen
from maskcodec.model.annotations import Annotation, Box, Caption, Skeleton
from maskcodec.model.dataset import Item, LazyItems
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["detect_results", "read_results"]

_WHOLE = ("image_id", "category_id", "score")


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
