"""Reading COCO: an index of places first, then one image with its annotations at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np

from maskcodec.errors import FormatError
from maskcodec.formats._base import Source
from maskcodec.formats.coco.compact import all_different
from maskcodec.formats.coco.index import File
from maskcodec.formats.coco.panoptic import read_segments
from maskcodec.formats.coco.schema import COCO, Dialect, merge_category
from maskcodec.formats.coco.shapes import Place
from maskcodec.formats.coco.tasked import READERS
from maskcodec.formats.coco.tasks import TASKS, documents, stem, subset_of, task_of
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["read"]


class _Subset:
    """The files of one subset; an image in several of them (same id, same path) is one item."""

    def __init__(self, files: list[File]) -> None:
        self.files = files
        names: Collection[str] = files[0].names
        self.table: list[list[int]] = []
        if len(files) > 1:
            found: dict[Any, list[int]] = {}
            for which, file in enumerate(files):
                for at, number in enumerate(file.place):
                    found.setdefault((number, file.names[at]), [-1] * len(files))[which] = at
            self.table = list(found.values())
            names = [name for _, name in found]
        self.count = len(names)
        self.names = _distinct(names, (number for number, _ in found) if len(files) > 1 else iter(files[0].place))

    def item(self, at: int) -> Item | None:
        """Load one image with its annotations; None when a record had to be skipped."""
        places = self.table[at] if self.table else [at]
        item: Item | None = None
        first: dict[str, Any] = {}
        for file, place in zip(self.files, places, strict=True):
            if place < 0:
                continue
            try:
                found = file.image(place, self.names.get(at, stem(file.names[place])))
            except FormatError as error:
                file.source.problem(error)
                continue
            if item is None:
                item, first = found, dict(found.extras["coco"])
            elif found.extras["coco"] != first or (found.width, found.height) != (item.width, item.height):
                self._other(item, found, first, file, place)
            _annotations(item, file, place)
        if item is not None and -1 in places:
            listed = [file.task for file, place in zip(self.files, places, strict=True) if place >= 0]
            item.extras.setdefault("coco", {})["#tasks"] = listed
        return item

    def _other(self, item: Item, found: Item, first: dict[str, Any], file: File, place: int) -> None:
        """Keep what another file says about the same image."""
        for key in ("width", "height"):
            mine, own = getattr(item, key), getattr(found, key)
            if mine is None:
                setattr(item, key, own)
            elif own is not None and own != mine:
                record = file.images.name(file.kept[place])
                file.problem(f"expected {mine} as in the other files of the subset, got {own}", record, key, item)
        if found.extras["coco"] != first:
            item.extras["coco"].setdefault("#parts", {})[file.task] = found.extras["coco"]


def _distinct(names: Collection[str], numbers: Iterator[Any]) -> dict[int, str]:
    """Item ids where the stem of the path is not enough: with the extension, and then with the image id."""
    if all_different(map(stem, names), len(names)):
        return {}
    stems: dict[str, int] = {}
    for name in names:
        stems[stem(name)] = stems.get(stem(name), 0) + 1
    if len(stems) == len(names):
        return {}
    double = {name for name in names if stems[stem(name)] > 1}
    seen: dict[str, int] = {}
    for name in names:
        if name in double:
            seen[name] = seen.get(name, 0) + 1
    listed = enumerate(zip(names, numbers, strict=True))
    return {i: name if seen[name] == 1 else f"{name}#{number}" for i, (name, number) in listed if name in double}


def _annotations(item: Item, file: File, at: int) -> None:
    """Decode the records of an image, in file order."""
    numbers = file.of_image(at)
    if not numbers:
        return
    place = Place(file.source, file.annotations, 0, item, file.known, file.points, file.dialect)
    if file.task == "panoptic":
        read_segments(place, numbers, file)
        for annotation in item.annotations if file.renamed else ():
            if annotation.extras.get("coco", {}).get("#task") == "panoptic":
                annotation.category_id = file.renamed.get(annotation.category_id, annotation.category_id)
        return
    reader = READERS[file.task]
    for number in numbers:
        place.at, place.id = number, None
        try:
            annotation = reader(place)
        except FormatError as error:
            file.source.problem(error, item, error.record)
            continue
        if not file.grouped:
            annotation.extras.setdefault("coco", {})["#index"] = number
        if file.task == "stuff":
            annotation.extras.setdefault("coco", {})["#task"] = "stuff"
        if file.renamed:
            annotation.category_id = file.renamed.get(annotation.category_id, annotation.category_id)
        item.annotations.append(annotation)


def read(source: Source, dialect: Dialect = COCO, tasks: tuple[str, ...] = ("instances",)) -> Dataset:
    """Read every file of the given tasks; those of one subset are merged by image.

    Raises:
        FormatError: damaged files, and in strict mode any fault of the index; faults inside records come later, when
            the items are iterated over.
    """
    files = _open(source, dialect, tasks)
    by_subset: dict[str, list[File]] = {}
    for file in files:
        by_subset.setdefault(file.subset, []).append(file)
    subsets = [_Subset(parts) for parts in by_subset.values()]
    dataset = Dataset()
    _merge(dataset, files, tasks[0])
    owner = np.repeat(np.arange(len(subsets)), [subset.count for subset in subsets])
    first = np.cumsum([0, *(subset.count for subset in subsets)])

    def load(at: int) -> Item | None:
        which = int(owner[at])
        return subsets[which].item(at - int(first[which]))

    dataset.items = LazyItems(range(len(owner)), load)
    return dataset


def _open(source: Source, dialect: Dialect, tasks: tuple[str, ...]) -> list[File]:
    found = documents(source)
    seen = {name: task_of(document, name) for name, document in found.items()}
    wanted = {name: task for name, (task, _) in seen.items() if task in tasks}
    if not wanted and len(found) == 1:
        wanted = dict.fromkeys(found, tasks[0])  # named by the caller: the error says what is missing
    if not wanted:
        reasons = "; ".join(f"{name}: {reason}" for name, (_, reason) in seen.items()) or "no JSON file"
        raise FormatError(f"no COCO {' or '.join(tasks)} file: {reasons}", file=source.path)
    for name, (task, reason) in seen.items():
        if task and name not in wanted:
            source.report.unread(source.display(name), None, "", f"a COCO {task} file ({reason})", what="file")
    files: dict[tuple[str, str], File] = {}
    for name in sorted(wanted, key=lambda name: TASKS.index(wanted[name])):
        document, task = found[name], wanted[name]
        if document.root != "object":
            raise FormatError("the top level is a list (array), expected an object", file=document.file)
        subset = subset_of(name, sum(task == other for other in wanted.values()) == 1)
        if (subset, task) in files:
            subset = name.rpartition(".")[0]
        files[subset, task] = File(source, name, subset, task, dialect)
    return list(files.values())


def _merge_categories(files: list[File]) -> LabelSchema:
    """One list of categories; where files of different tasks mean different things by an id, the later gets a new one.

    The id that the file has stays in the note ``#of``, for writing.
    """
    schema = LabelSchema()
    used = {category.id for file in files for category in file.categories}
    known: dict[Any, tuple[Category, str]] = {}
    moved: dict[Any, Category] = {}
    for file in files:
        for at, category in enumerate(file.categories):
            key = (file.task, category.id, category.name)
            first, task = known.setdefault(category.id, (category, file.task))
            if first is category:
                schema.categories.append(category)
            elif key in moved:
                file.renamed[category.id] = moved[key].id
                file.categories[at] = moved[key]
            elif first.name != category.name and task != file.task:
                free = max((number for number in used if isinstance(number, int)), default=0) + 1
                used.add(free)
                why = "another task has another category of this id"
                file.source.report.rename(category.name, None, "id", why, what="category")
                file.renamed[category.id] = free
                category.extras.setdefault("coco", {})["#of"] = {"task": file.task, "id": category.id}
                category.id = free
                moved[key] = category
                schema.categories.append(category)
            else:
                merge_category(first, category, file)
    return schema


def _merge(dataset: Dataset, files: list[File], main: str) -> None:
    """One schema and one set of top-level values for all files; what differs is kept by task and subset."""
    schema = _merge_categories(files)
    dataset.schema = schema
    tops = [file.top() for file in files]
    first = tops[0]
    info = first.get("info")
    if isinstance(info, dict):
        dataset.info = dict(info)
    kept = {key: value for key, value in first.items() if key != "info" or not isinstance(value, dict)}
    of_main = [file for file in files if file.task == main]
    differing: dict[str, Any] = {}
    parts: dict[str, dict[str, Any]] = {}
    for file, top in zip(files, tops, strict=True):
        own = dict(top) if top != first else {}
        if file.categories != schema.categories:
            own["#categories"] = [category.id for category in file.categories]
        if file.task == "image_info" and "annotations" not in file.document.keys:
            own = {**top, **own, "#no_annotations": True}
        if file.task != main:
            parts.setdefault(file.task, {})[file.subset] = own
        elif own or not file.kept:
            differing[file.subset] = own
    if differing and (len(of_main) > 1 or of_main[0].subset != "default" or differing[of_main[0].subset]):
        kept["#subsets"] = differing
    if parts:
        kept["#parts"] = parts
    if kept:
        dataset.extras = {"coco": kept}
