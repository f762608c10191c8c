"""Reading and writing data sets of Ultralytics: ``data.yaml``, ``images/<subset>``, ``labels/<subset>``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from maskcodec.errors import FormatError
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.labels import numbered
from maskcodec.formats._shared.lines import lines
from maskcodec.formats._shared.naming import Found
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source
from maskcodec.formats.yolo.common import META, NAMESPACE, Sizes, check_name, size_rows, unique_rows
from maskcodec.formats.yolo.layout import KNOWN, Entry, Layout
from maskcodec.formats.yolo.rows import outside, plain_boxes
from maskcodec.formats.yolo.tasks import PARSERS, row_of
from maskcodec.formats.yolo.yamlfile import yaml_text
from maskcodec.model.annotations import Box, Skeleton
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["detector", "reader", "settle", "writer"]


def detector(task: str) -> Callable[[Probe], Confidence]:
    """Recognises one task by ``data.yaml`` and the columns of its rows."""

    def detect(probe: Probe) -> Confidence:
        layout = Layout.of(probe.source)
        if not layout.entries and not layout.task:
            raise NotThisFormat(f"{layout.file} names no images")
        found, reason = layout.guess()
        if found.rstrip("?") != task:
            raise NotThisFormat(f"{layout.file}: {reason}")
        return Confidence(85, f"{layout.file}: {reason}")

    return detect


def reader(task: str) -> Callable[..., Dataset]:
    """The reader of one task."""

    def read(source: Source, *, image_size: tuple[int, int] | None = None) -> Dataset:
        """Read a data set of Ultralytics.

        Args:
            source: folder or zip with ``data.yaml`` (or another YAML file that names classes).
            image_size: (width, height) of the images that are not there.
        """
        try:
            layout = Layout.of(source)
        except NotThisFormat as error:
            raise FormatError(str(error), file=source.path) from error
        return _Reader(source, layout, task, image_size).dataset()

    return read


class _Reader:
    def __init__(self, source: Source, layout: Layout, task: str, size: tuple[int, int] | None) -> None:
        self.source, self.layout, self.parse = source, layout, PARSERS[task]
        self.task, self.sizes = task, Sizes(source, size, layout.root)

    def dataset(self) -> Dataset:
        layout, report = self.layout, self.source.report
        if layout.count != str(len(layout.names)):
            text = "the number of classes is not that of the names, which count"
            report.default(None, None, "nc", text, what="schema")
        if layout.foreign:
            report.default(None, None, "path", "the folder it names is not here: that of the file is taken")
        for text in layout.missing:
            report.unread(text, None, "", "a path of images that leads nowhere", what="file")
        if self.task == "segment" and layout.four_points:
            text = "rows of four points may be rotated boxes, which ultralytics_obb reads"
            report.default(None, None, "task", text)
        schema = LabelSchema([self._category(number, name) for number, name in sorted(layout.names.items())])
        files = {(subset, path): image for subset, _, path, image, _ in layout.entries if self.source.has(image)}
        dataset = Dataset(schema, LazyItems(layout.entries, self.item), media=Found(self.source, files))
        notes: dict[str, Any] = {"keys": layout.notes} if layout.notes else {}
        if layout.shape is not None:
            notes["#dims"] = layout.shape[1]
        if notes:
            dataset.extras[NAMESPACE] = notes
        return dataset

    def _category(self, number: int, name: str) -> Category:
        category = Category(number, name)
        if self.task == "pose" and self.layout.shape is not None:
            made = [f"{name}_point_{at}" for at in range(self.layout.shape[0])]
            named = self.layout.points.get(number, []) if self.layout.points else made
            category.keypoints = [str(point) for point in named]
            category.skeleton = self.layout.edges.get(number, [])
        return category

    def item(self, entry: Entry) -> Item:
        """Load one image."""
        subset, key, path, image, labels = entry
        item = Item(key, path, subset=subset)
        self.sizes.of(item, image)
        if not self.source.has(labels):
            item.extras[NAMESPACE] = {"#missing": True}
            return item
        if self.task == "detect" and item.width and item.height:
            plain = plain_boxes(self.source.read(labels), self.layout.names, (item.width, item.height))
            if plain is not None:
                item.annotations = [Box(x0, y0, x1, y1, category_id=number) for number, x0, y0, x1, y1 in plain]
                return item
        rows = []
        for line in lines(self.source, labels):
            try:
                number = line.whole(0, "class")
                if number not in self.layout.names:
                    raise line.fault(f"class {number} has no name", "class")
                annotation = self.parse(line, item, self.layout.shape)
            except FormatError as error:
                self.source.problem(error, item, f"line {line.number}")
                continue
            annotation.category_id = number
            count = 4 if self.task in ("detect", "pose") else len(line) - 2 + len(line) % 2
            if self.task != "obb" and outside(line, count):
                self.source.report.default(item, annotation, "", "coordinates outside of the image are kept")
            if isinstance(annotation, Skeleton):
                self._trim(annotation, number)
            if item.width is None:
                annotation.extras.setdefault(NAMESPACE, {})["fractions"] = True
            rows.append(" ".join(line.fields))
            item.annotations.append(annotation)
        unique_rows(self.source, item, rows, labels)
        self.sizes.fractions(item, len(item.annotations))
        return item

    def _trim(self, skeleton: Skeleton, number: int) -> None:
        """Leave out the points that only fill a row up to the number of points that all classes share."""
        count = len(self.layout.points.get(number, skeleton.xy))
        if count < len(skeleton.xy) and not any(skeleton.visibility[count:]):  # type: ignore[index]
            skeleton.xy, skeleton.visibility = skeleton.xy[:count], skeleton.visibility[:count]  # type: ignore[index]


def settle(dataset: Dataset, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Points of poses: those that the categories name, else those of the skeletons."""
    if options.get("points") is not None:
        return options
    count = max((len(category.keypoints) for category in dataset.schema.categories), default=0)
    if not count:
        found = (len(a.xy) for item in dataset.items for a in item.annotations if isinstance(a, Skeleton))
        count = max(found, default=0)
    return {**options, "points": count}


def writer(task: str) -> Callable[..., None]:
    """The writer of one task."""

    def write_plain(
        dataset: Dataset, sink: NullSink, report: LossReport, *, decimals: int | None = None, tracks: bool = False,
        enclosing: bool = False,
    ) -> None:  # fmt: skip
        """Write ``data.yaml``, lists of images, label files, and sizes in ``images.meta``.

        Args:
            dataset: what the task holds.
            sink: the output.
            report: hears of special losses.
            decimals: of fractions, 6 as CVAT does; None: as many as lead back to the same pixels.
            tracks: write track ids, which Ultralytics does not read.
            enclosing: detection: other shapes with an area are written as their enclosing boxes, not left out.
        """
        _Writer(dataset, sink, report, task, decimals, None, False).write()

    def write_poses(
        dataset: Dataset, sink: NullSink, report: LossReport, *, decimals: int | None = None, tracks: bool = False,
        edges: bool = False, points: int | None = None,
    ) -> None:  # fmt: skip
        """Write ``data.yaml``, lists of images, label files, and sizes in ``images.meta``.

        Args:
            dataset: skeletons.
            sink: the output.
            report: hears of special losses.
            decimals: of fractions, 6 as CVAT does; None: as many as lead back to the same pixels.
            tracks: write track ids, which Ultralytics does not read.
            edges: write the edges of skeletons as a key ``skeleton``, which Ultralytics does not read.
            points: a pose has; None: as many as the categories name.
        """
        dims = dataset.extras.get(NAMESPACE, {}).get("#dims", 3)
        _Writer(dataset, sink, report, task, decimals, (points or 0, dims), edges).write()

    return write_poses if task == "pose" else write_plain


class _Writer:
    def __init__(
        self, dataset: Dataset, sink: NullSink, report: LossReport, task: str, decimals: int | None,
        shape: tuple[int, int] | None, edges: bool,
    ) -> None:  # fmt: skip
        self.data, self.sink, self.report, self.task = dataset, sink, report, task
        self.decimals, self.shape, self.edges = decimals, shape, edges
        self.numbers = numbered(dataset.schema, report)

    def write(self) -> None:
        """Write everything."""
        lists: dict[str, list[str]] = {}
        sizes: list[tuple[str, int, int]] = []
        for item in self.data.items:
            if item.subset in KNOWN:
                raise ValueError(f"a subset cannot be named {item.subset} in data.yaml")
            lists.setdefault(item.subset, []).append(f"./images/{item.subset}/{item.path}\n")
            if item.width and item.height:
                sizes.append((f"{item.subset}/{item.id}", item.width, item.height))
            rows = [self._row(annotation, item) for annotation in item.annotations]
            if rows or "#missing" not in item.extras.get(NAMESPACE, {}):
                self.sink.write(f"labels/{item.subset}/{item.id}.txt", "".join(rows).encode())
        for subset, paths in lists.items():
            self.sink.write(f"{subset}.txt", "".join(paths).encode("utf-8"))
        if sizes:
            self.sink.write(META, size_rows(sizes))
        self.sink.write("data.yaml", "".join(self._yaml(lists)).encode("utf-8"))

    def _row(self, annotation: Any, item: Item) -> str:
        named = bool(self.data.schema.by_id(annotation.category_id).keypoints)
        columns = row_of(self.task, annotation, item, self.report, self.decimals, self.shape, named)
        if annotation.track_id is not None:
            columns.append(str(annotation.track_id))
        return f"{self.numbers[annotation.category_id]} {' '.join(columns)}\n"

    def _yaml(self, lists: dict[str, list[str]]) -> list[str]:
        categories = self.data.schema.categories
        # No key ``path``: without it Ultralytics takes the folder of the file, "." would be the working directory.
        out = [f"{yaml_text(subset)}: {yaml_text(f'{subset}.txt')}\n" for subset in lists]
        out += [f"task: {self.task}\n"]
        if self.shape is not None:
            out += [f"kpt_shape: [{self.shape[0]}, {self.shape[1]}]\n"]
            named = {at: c for at, c in enumerate(categories) if c.keypoints}
            if any(c.keypoints != [f"{c.name}_point_{n}" for n in range(self.shape[0])] for c in named.values()):
                out += ["kpt_names:\n", *(f"  {at}: {json.dumps(c.keypoints, ensure_ascii=False)}\n"
                                          for at, c in named.items())]  # fmt: skip
            else:
                for category in categories:
                    if not category.keypoints:
                        why = "points are named by their numbers"
                        self.report.default(category.name, None, "keypoints", why, what="category")
            if self.edges:
                out += ["skeleton:\n", *(f"  {at}: {json.dumps(list(map(list, c.skeleton)))}\n"
                                         for at, c in named.items())]  # fmt: skip
        for text in self.data.extras.get(NAMESPACE, {}).get("keys", {}).values():
            out.append(text)
        names = [f"  {at}: {yaml_text(check_name(c.name, 'data.yaml'))}\n" for at, c in enumerate(categories)]
        return [*out, "names:\n" if names else "names: []\n", *names]
