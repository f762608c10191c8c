"""Writing Hasty JSON 1.1: images go to a spool one by one, then what their values need is put around them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from typing import Any

from maskcodec.formats._shared.images import image_size
from maskcodec.formats._shared.jsonio import encode, numbers
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.hasty_json import schema as names
from maskcodec.formats.hasty_json.definitions import Definitions
from maskcodec.formats.hasty_json.keypoints import write_keypoints
from maskcodec.formats.hasty_json.labels import enclosing
from maskcodec.formats.hasty_json.naming import image_name, media_name
from maskcodec.model.annotations import Annotation, Box, Caption, Mask, Points, Polygon, Tag
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, TagGroup

__all__ = ["write"]


def write(dataset: Dataset, sink: NullSink, report: LossReport, *, decimals: bool = False) -> None:
    """Write a project as ``export.json``.

    Args:
        dataset: what the format carries.
        sink: the output.
        report: hears of special losses.
        decimals: write coordinates as they are; otherwise the data set comes with whole pixels.
    """
    writer = _Writer(dataset, report)
    extras = dict(dataset.extras.get(names.NAMESPACE, {}))
    extras.pop("attribute_order", None)
    schemas = names.write_keypoint_schemas(dataset.schema, extras.pop("keypoint_schemas", None) or [])
    writer.keypoints = {c.id: names.keypoint_classes(schemas, c.id) for c in dataset.schema}
    with sink.spool() as spool:
        first = True
        for item in dataset.items:
            record = writer.image(item)
            if record is not None:
                spool.write(b"\n" if first else b",\n")
                spool.write(encode(record))
                first = False
        info = {**names.INFO, **dataset.info}
        head: dict[str, Any] = {key: info[key] for key in ("project_name", "create_date")}
        head["export_format_version"] = "1.1"
        head["export_date"] = info["export_date"]
        head["label_classes"] = names.write_classes(dataset.schema, report)
        head["keypoint_schemas"] = schemas
        head["tag_groups"] = writer.tag_groups()
        with sink.open("export.json") as out:
            out.write(encode(head)[:-1] + b',"images":[')
            spool.seek(0)
            shutil.copyfileobj(spool, out, 1 << 20)
            out.write(b'],\n"attributes":' + encode(writer.definitions.records()))
            for key, value in extras.items():
                out.write(b"," + encode(key) + b":" + encode(value))
            out.write(b"}\n")


class _Writer:
    def __init__(self, dataset: Dataset, report: LossReport) -> None:
        self.dataset, self.report = dataset, report
        order = dataset.extras.get(names.NAMESPACE, {}).get("attribute_order", [])
        self.definitions = Definitions(dataset.schema, order, report)
        self.groups = {group.name: list(group.tags) for group in dataset.schema.tag_groups}
        self.keypoints: dict[Any, list[dict[str, Any]]] = {}

    def tag_groups(self) -> list[dict[str, Any]]:
        """The ``tag_groups`` list, with the tags that turned up."""
        kept = {group.name: group for group in self.dataset.schema.tag_groups}
        out = []
        for name, tags in self.groups.items():
            group = kept.get(name, TagGroup(name))
            record = {
                "group_id": group.id if group.id is not None else names.stable_id("tag group", name),
                "group_name": name,
                "group_type": "MULTIPLE-SELECTION" if group.multiple else "SELECTION",
                "tags": tags,
            }
            out.append({**record, **group.extras.get(names.NAMESPACE, {})})
        return out

    # --- images -------------------------------------------------------------------------------------------------------
    def image(self, item: Item) -> dict[str, Any] | None:
        """The record of one image; None when it has no size."""
        width, height = self._size(item)
        if width is None or height is None:
            self.report.drop(item, None, "", "the size of the image is unknown")
            return None
        if (item.width, item.height) != (width, height):
            item.width, item.height = width, height
        name = image_name(item)
        kept = dict(item.extras.get(names.NAMESPACE, {}))
        if item.path != media_name(item):
            self.report.rename(item, None, "path", "Hasty keeps images as <dataset>/<image>")
        stem = name.rpartition(".")[0] or name
        if item.id != stem:  # the name as a whole only where another image has the same stem
            self.report.rename(item, None, "id", "an image is known by its dataset and name")
        image_id = kept.pop("image_id", None) or names.stable_id("image", item.subset, name)
        record: dict[str, Any] = {"image_id": image_id, "width": width, "height": height, "image_name": name}
        record["image_mode"] = kept.pop("image_mode", None)
        if record["image_mode"] is None:
            del record["image_mode"]
        record["dataset_name"] = item.subset
        record["image_status"] = item.status if item.status is not None else "NEW"
        if item.status is None:
            self.report.default(item, None, "status", "Hasty wants a status: NEW")
        tags, attributes = self._tags(item)
        labels = []
        for index, annotation in enumerate(item.annotations):
            if isinstance(annotation, Caption) and annotation.category_id is None:
                self._caption(item, annotation, attributes)
            elif isinstance(annotation, Tag) and not annotation.extras.get(names.NAMESPACE, {}).get("shapeless"):
                self._tag(item, annotation, tags)
            else:
                label = self.label(item, annotation, index)
                if label is not None:
                    labels.append(label)
        self.definitions.use(attributes)
        record["labels"] = labels
        record["tags"] = [tag for own in tags.values() for tag in own]
        record["tag_groups"] = tags
        record["attributes"] = attributes
        return {**record, **kept}

    def _size(self, item: Item) -> tuple[int | None, int | None]:
        if (item.width is None or item.height is None) and self.dataset.media is not None:
            stream = self.dataset.media.open_media(item)
            if stream is not None:
                with stream:
                    return image_size(stream, item.path or "")
        return item.width, item.height

    def _tags(self, item: Item) -> tuple[dict[str, list[str]], dict[str, Any]]:
        """Image tags by group, and the attributes that are none."""
        tags: dict[str, list[str]] = {}
        attributes: dict[str, Any] = {}
        for name, value in item.attributes.items():
            group = name if name in self.groups else name.removesuffix(" (tags)")
            if group in self.groups and isinstance(value, list) and all(isinstance(v, str) for v in value):
                for tag in value:
                    self._put(tags, group, tag)
            else:
                attributes[name] = value
        return tags, attributes

    def _put(self, tags: dict[str, list[str]], group: str, tag: str) -> None:
        tags.setdefault(group, []).append(tag)
        own = self.groups.setdefault(group, [])
        if tag not in own:
            own.append(tag)
            self.report.default(None, None, "tag_groups", "a tag added to its group")

    def _category(self, item: Item, annotation: Annotation) -> Category | None:
        if annotation.category_id is not None and annotation.category_id in self.dataset.schema:
            return self.dataset.schema.by_id(annotation.category_id)
        self.report.drop(item, annotation, "", "a label needs a class")
        return None

    def _tag(self, item: Item, annotation: Tag, tags: dict[str, list[str]]) -> None:
        category = self._category(item, annotation)
        if category is None:
            return
        self._put(tags, annotation.extras.get(names.NAMESPACE, {}).get("group", names.DEFAULT_GROUP), category.name)
        if annotation.id is not None:
            self.report.rename(item, annotation, "id", "an image tag has no id")
        if annotation.z_order:
            self.report.drop(item, annotation, "z_order", "an image tag is a name alone")
        for name in annotation.attributes:
            self.report.drop(item, annotation, f"attributes.{name}", "an image tag is a name alone")

    def _caption(self, item: Item, annotation: Caption, attributes: dict[str, Any]) -> None:
        name, number = "caption", 2
        while name in attributes:
            name, number = f"caption {number}", number + 1
        attributes[name] = annotation.text
        self.report.drop(item, annotation, "", "without a class it is written as an attribute of the image")
        self.report.default(item, None, "attributes", "an attribute added for a caption")

    # --- labels -------------------------------------------------------------------------------------------------------
    def label(self, item: Item, annotation: Annotation, index: int) -> dict[str, Any] | None:
        """The record of one label; None when it cannot be written."""
        category = self._category(item, annotation)
        if category is None:
            return None
        kept = dict(annotation.extras.get(names.NAMESPACE, {}))
        kept.pop("shapeless", None)
        shape: dict[str, Any] = {"bbox": None, "polygon": None, "mask": None, "keypoints": []}
        if isinstance(annotation, Box):
            shape["bbox"] = self._box(item, annotation, (annotation.x0, annotation.y0, annotation.x1, annotation.y1))
            if shape["bbox"] is None:
                return None
        elif isinstance(annotation, Polygon):
            shape["polygon"] = numbers(annotation.rings[0])
            shape["keypoints"] = kept.pop("keypoints", [])
            shape["bbox"] = kept.pop("bbox") if "bbox" in kept else enclosing(annotation, item)
        elif isinstance(annotation, Mask):
            shape |= {key: kept.pop(key) for key in ("polygon", "keypoints") if key in kept}
            if not self._mask(item, annotation, kept.pop("bbox", None), shape):
                return None
        elif isinstance(annotation, Points):
            if not len(annotation.xy):
                self.report.drop(item, annotation, "", "it has no points")
                return None
            shape["bbox"] = kept.pop("bbox", None)
            shape["keypoints"] = write_keypoints(
                item, annotation, self.keypoints.get(category.id, []), kept.pop("keypoints", []), self.report
            )
        attributes = annotation.attributes
        if isinstance(annotation, Caption):
            attributes = {**attributes, "caption": annotation.text}
        self.definitions.use(attributes)
        label_id = annotation.id
        if label_id is None:
            label_id = names.stable_id("label", item.subset, image_name(item), index)
        record: dict[str, Any] = {"id": label_id, "class_name": category.name, **shape}
        ordered = {k: record[k] for k in ("id", "class_name", "bbox", "polygon", "mask")}
        ordered["z_index"] = annotation.z_order
        return {**ordered, "keypoints": record["keypoints"], "attributes": attributes, **kept}

    def _box(self, item: Item, annotation: Annotation, corners: Sequence[float]) -> list[float] | None:
        x0, y0, x1, y1 = (int(v) if float(v).is_integer() else v for v in corners)
        clipped = [max(x0, 0), max(y0, 0), min(x1, item.width or 0), min(y1, item.height or 0)]
        if clipped[0] >= clipped[2] or clipped[1] >= clipped[3]:
            self.report.drop(item, annotation, "", "outside the image")
            return None
        if clipped != [x0, y0, x1, y1]:
            sides = zip(("x0", "y0", "x1", "y1"), clipped, (x0, y0, x1, y1), strict=True)
            changed = [name for name, new, old in sides if new != old] if isinstance(annotation, Box) else [""]
            for name in changed:
                self.report.approximate(item, annotation, name, "clipped to the image")
        return clipped

    def _mask(self, item: Item, annotation: Mask, frame: Any, shape: dict[str, Any]) -> bool:
        rle = annotation.rle
        if rle.shape != (item.height, item.width):
            self.report.drop(item, annotation, "", "the mask has another size than the image")
            return False
        x, y, w, h = rle.bbox
        tight = [x, y, x + w, y + h]
        inside = frame is not None and frame[0] <= x and frame[1] <= y and frame[2] >= x + w and frame[3] >= y + h
        if frame is None or (rle.area and not inside):
            frame = tight
        if not rle.area and frame == tight:
            self.report.drop(item, annotation, "", "an empty mask has no box")
            return False
        shape["bbox"], shape["mask"] = frame, numbers(rle.to_hasty(box=tuple(frame)))
        return True
