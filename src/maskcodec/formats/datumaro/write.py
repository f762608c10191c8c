"""Writing Datumaro: items stream into a spool a subset, tables are put before them at the end."""

from __future__ import annotations

import re
import shutil
from typing import Any, BinaryIO

from maskcodec.errors import FormatError
from maskcodec.formats._shared.jsonio import encode
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.datumaro.record import write_annotation
from maskcodec.formats.datumaro.schema import NAMESPACE, write_categories
from maskcodec.formats.datumaro.shapes import extent
from maskcodec.model.annotations import Annotation, Cuboid, Ellipse, Points, Skeleton
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category

__all__ = ["write"]


def write(dataset: Dataset, sink: NullSink, report: LossReport, *, target: str = "1.0") -> None:
    """Write ``annotations/<subset>.json``.

    Args:
        dataset: what the format carries.
        sink: the output.
        report: hears of special losses.
        target: "1.0" for datumaro 1.x, "cvat" for CVAT and datumaro 0.x.
    """
    _Writer(dataset, sink, report, target).run()


class _Writer:
    def __init__(self, dataset: Dataset, sink: NullSink, report: LossReport, target: str) -> None:
        self.dataset, self.sink, self.report, self.target = dataset, sink, report, target
        self.stored = dict(dataset.extras.get(NAMESPACE, {}))
        self.tables = self.stored.pop("#tables", {})
        self.files = self.stored.pop("#files", {})
        self.empty = self.stored.pop("#empty", [])
        self.spools: dict[str, BinaryIO] = {}
        self.counts: dict[str, int] = {}
        self.kinds: dict[str, set[str]] = {}
        self.ids: dict[str, set[str]] = {}
        self.names: dict[str, str] = {}
        self.orders: dict[str, dict[Any, int]] = {}

    def run(self) -> None:
        for item in self.dataset.items:
            subset = self.subset(item)
            if subset not in self.spools:
                self.open(subset)
            spool = self.spools[subset]
            spool.write((b",\n" if self.counts[subset] else b"\n") + encode(self.item(item, subset)))
            self.counts[subset] += 1
        for subset in self.empty:
            if subset not in self.spools:
                self.open(subset)
        if not self.spools:
            self.open("default")
        told = False
        for subset in self.spools:
            self.finish(subset, None if told else self.report)
            told = True
        for number, category in enumerate(self.dataset.schema):
            if category.id != number or type(category.id) is not int:
                self.report.rename(category.name, None, "id", "a label is known by its place", what="category")

    def open(self, subset: str) -> None:
        self.spools[subset] = self.sink.spool()
        self.counts[subset], self.kinds[subset], self.ids[subset] = 0, set(), set()
        self.orders[subset] = {category.id: at for at, category in enumerate(self.order(subset))}

    def order(self, subset: str) -> list[Category]:
        """The categories of a file, by their label ids."""
        own = self.tables.get(subset)
        if own is None or any(number not in self.dataset.schema for number in own):
            return self.dataset.schema.categories
        return [self.dataset.schema.by_id(number) for number in own]

    def subset(self, item: Item) -> str:
        """Name of the file that an item goes to."""
        name = self.names.get(item.subset)
        if name is None:
            name = re.sub(r'[/\\:*?"<>|\x00-\x1f]', "_", item.subset).strip() or "_"
            while name.casefold() in {other.casefold() for other in self.names.values()}:
                name += "_"
            self.names[item.subset] = name
        if name != item.subset:
            self.report.rename(item, None, "subset", "a subset is the name of a file")
        return name

    def item(self, item: Item, subset: str) -> dict[str, Any]:
        """The record of an item."""
        kept = dict(item.extras.get(NAMESPACE, {}))
        number = str(item.id)
        while number in self.ids[subset]:
            number += "_"
        if number != item.id:
            self.report.rename(item, None, "id", "ids are texts, each once in a subset")
        self.ids[subset].add(number)
        self.kinds[subset].add(item.media)
        groups: dict[Any, int] = {}
        kept_shapes = [a for a in item.annotations if self.writable(item, a)]
        rows = [self.annotation(item, a, subset, groups) for a in kept_shapes]
        attributes = dict(item.attributes)
        if item.frame is not None:
            attributes["frame"] = item.frame
        row: dict[str, Any] = {"id": number, "annotations": rows, "attr": attributes}
        others: list[str] = [key for key in ("video_frame", "video", "media") if key in kept]
        unnamed = kept.pop("#no_path", False)
        main: str = others[0] if others and item.media == "image" and "image" not in kept else "image"
        main = "point_cloud" if item.media == "point_cloud" else main
        media: dict[str, Any] = {}
        if item.path is not None and not unnamed:
            media["path"] = item.path
        if item.width is not None and item.height is not None:
            media["size"] = [item.height, item.width]
        elif item.width is not None or item.height is not None:
            self.report.drop(item, None, "width" if item.height is None else "height", "a size has two sides")
        if media or unnamed or main == "point_cloud" or isinstance(kept.get(main), dict):
            if "path" not in media and not unnamed and main == "image":
                media["path"] = f"{number}.jpg"
                self.report.default(item, None, "path", "an image has a path")
            own = kept.pop(main, None)
            row[main] = {**media, **(own if isinstance(own, dict) else {})}
        return {**row, **kept}

    def writable(self, item: Item, annotation: Annotation) -> bool:
        """Whether a record can hold the annotation; what it changes is told."""
        if isinstance(annotation, Points) and not isinstance(annotation, Skeleton) and not len(annotation.xy):
            self.report.drop(item, annotation, "", "there is no point")
            return False
        if isinstance(annotation, Ellipse) and "points" not in annotation.extras.get(NAMESPACE, {}):
            x0, y0, x1, y1 = extent(annotation)
            back = {"cx": (x0 + x1) / 2, "cy": (y0 + y1) / 2, "rx": (x1 - x0) / 2, "ry": (y1 - y0) / 2}
            for name, value in back.items():
                if value != getattr(annotation, name):
                    self.report.approximate(item, annotation, name, "rounded as the corners of its extent")
        return True

    def annotation(self, item: Item, annotation: Annotation, subset: str, groups: dict[Any, int]) -> dict[str, Any]:
        """The record of an annotation."""
        number = annotation.id if type(annotation.id) is int else 0
        if annotation.id is not None and number != annotation.id:
            self.report.rename(item, annotation, "id", "ids are integers")
        label = self.orders[subset].get(annotation.category_id)
        if label is None and annotation.category_id is not None:
            self.report.drop(item, annotation, "category_id", "its category is not in the label table")
        group = 0
        if annotation.group_id is not None:
            group = annotation.group_id if type(annotation.group_id) is int and annotation.group_id > 0 else 0
            if group == 0:
                group = groups.setdefault(annotation.group_id, 1_000_000 + len(groups))
                self.report.rename(item, annotation, "group_id", "groups are integers above 0")
        if isinstance(annotation, Skeleton) and annotation.z_order:
            self.report.approximate(item, annotation, "", "its z_order is written as an attribute")
        elif annotation.z_order and annotation.kind in ("tag", "caption", "cuboid"):
            self.report.drop(item, annotation, "z_order", "the record has no place for it")
        if isinstance(annotation, Cuboid) and annotation.quaternion is not None:
            if "rotation" not in annotation.extras.get(NAMESPACE, {}):
                self.report.approximate(item, annotation, "quaternion", "written as turns about x, y and z")
                if annotation.yaw:
                    self.report.approximate(item, annotation, "yaw", "the one of the quaternion is written")
        if annotation.kind == "caption" and annotation.category_id is not None:
            self.report.drop(item, annotation, "category_id", "a caption has no label")
        try:
            return write_annotation(annotation, label, number, group)
        except (ValueError, TypeError, OverflowError) as error:
            record = f"annotation {annotation.id}"
            raise FormatError(str(error), file=item.path or str(item.id), record=record) from error

    def finish(self, subset: str, report: LossReport | None) -> None:
        """Put the file of a subset together."""
        own = self.files.get(subset, {})
        info = own.get("info", self.dataset.info)
        rest = dict(own.get("rest", {k: v for k, v in self.stored.items() if k != "categories"}))
        tables = own.get("categories", self.stored.get("categories", {}))
        top: dict[str, Any] = {}
        if self.target == "1.0":
            clouds = self.kinds[subset] == {"point_cloud"}
            top = {"dm_format_version": "1.0", "media_type": 6 if clouds else 2}
        top["infos" if self.target == "1.0" else "info"] = rest.pop("info", info)
        top["categories"] = write_categories(self.dataset.schema, self.order(subset), tables, report)
        with self.sink.open(f"annotations/{subset}.json") as out:
            out.write(encode({**top, **rest})[:-1] + b',"items":[')
            spool = self.spools[subset]
            spool.seek(0)
            shutil.copyfileobj(spool, out, 1 << 20)
            out.write(b"]}\n")
