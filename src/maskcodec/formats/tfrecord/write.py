"""Writing TFRecord files of the TensorFlow object detection API."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from maskcodec.errors import shorten
from maskcodec.formats._shared.maskpng import write_mask
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.tfrecord.arrange import in_fractions
from maskcodec.formats.tfrecord.labelmap import write_map
from maskcodec.formats.tfrecord.objects import EXTRA, FLAGS
from maskcodec.formats.tfrecord.read import BOX, NAMESPACE, Embedded
from maskcodec.formats.tfrecord.wire import example, framed
from maskcodec.model.annotations import Annotation, Box, Caption, Mask, Tag
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["write"]

def write(
    dataset: Dataset, sink: NullSink, report: LossReport, *, masks: bool = True, ascii_only: bool = False
) -> None:
    """Write a file of records for each subset, and ``label_map.pbtxt``.

    Args:
        dataset: boxes, masks, tags, captions.
        sink: the output.
        report: hears of special losses.
        masks: write the masks, not only their boxes.
        ascii_only: names of labels are written without other letters; those left empty are an error.

    Raises:
        ValueError: a label without a name, or two of one name.
    """
    labels = _labels(dataset, report, ascii_only)
    files: dict[str, Any] = {}
    try:
        for item in dataset.items:
            if item.subset not in files:
                files[item.subset] = sink.open(f"{item.subset}.tfrecord")
            image = dataset.media.embedded(item) if isinstance(dataset.media, Embedded) else b""
            files[item.subset].write(framed(_record(item, labels, image, masks, report)))
        if not files:
            files["default"] = sink.open("default.tfrecord")
    finally:
        for stream in files.values():
            stream.close()
    own = {c.id: c.extras.get(NAMESPACE, {}) for c in dataset.schema}
    sink.write("label_map.pbtxt", write_map([(number, name, own[key]) for key, (number, name) in labels.items()]))


def _labels(dataset: Dataset, report: LossReport, ascii_only: bool) -> dict[Any, tuple[int, str]]:
    """Number and name of each category: its place, from 1."""
    out: dict[Any, tuple[int, str]] = {}
    taken: set[str] = set()
    for at, category in enumerate(dataset.schema, 1):
        if category.id != at or type(category.id) is not int:
            report.rename(category.name, None, "id", "labels are numbered from 1 without gaps", what="category")
        name = category.name.encode("ascii", "ignore").decode() if ascii_only else category.name
        base, count = name, 1
        if not name:
            raise ValueError(f"label {shorten(category.name)} has no name that can be written")
        while name in taken:
            count += 1
            name = f"{base}_{count}"
        taken.add(name)
        if name != category.name:
            text = "labels are known by their names" if not ascii_only else "written in ASCII"
            report.rename(category.name, None, "name", text, what="category")
        out[category.id] = at, name
    return out


def _record(item: Item, labels: dict[Any, tuple[int, str]], image: bytes, masks: bool, report: LossReport) -> bytes:
    own = item.extras.get(NAMESPACE, {})
    objects: list[list[Annotation]] = []
    for part in item.annotations:
        if isinstance(part, Box):
            objects.append([part])
        elif isinstance(part, Mask) and masks:
            objects[-1].append(part)
        elif isinstance(part, Mask):
            report.drop(item, part, "", "masks are not asked for")
    features: dict[str, Any] = {
        "image/filename": [str(item.path or "").encode("utf-8")],
        "image/source_id": [str(item.attributes.get("source_id", "")).encode("utf-8")],
        "image/height": [item.height or 0],
        "image/width": [item.width or 0],
        "image/encoded": [image],
        "image/format": [str(own.get("format", "")).encode("utf-8")],
    }
    if image or "sha256" in own:
        features["image/key/sha256"] = [own.get("sha256", hashlib.sha256(image).hexdigest()).encode()]
    if objects:
        _objects(features, item, objects, labels)
    tags = [labels[a.category_id] for a in item.annotations if isinstance(a, Tag)]
    if tags:
        features["image/class/text"] = [name.encode("utf-8") for _, name in tags]
        features["image/class/label"] = [number for number, _ in tags]
    captions = [a.text.encode("utf-8", "replace") for a in item.annotations if isinstance(a, Caption)]
    if captions:
        features["image/caption"] = captions
    for key, raw in own.get("features", {}).items():
        if key.startswith("image/object/") and own.get("#objects") != len(objects):
            report.drop(item, None, f"extras.{NAMESPACE}.features", "the image has another number of objects now")
        else:
            features[key] = raw
    return example(features)


def _objects(
    features: dict[str, Any], item: Item, objects: list[list[Annotation]], labels: dict[Any, tuple[int, str]]
) -> None:
    rows = []
    for parts in objects:
        box: Any = parts[0]
        w, h = (1, 1) if in_fractions(box) else (item.width or 1, item.height or 1)
        rows.append((box.x0 / w, box.x1 / w, box.y0 / h, box.y1 / h))
    sides = np.array(rows, np.float64).astype(np.float32)
    for at, key in enumerate(BOX):
        features[key] = sides[:, at]
    named = [labels.get(parts[0].category_id, (0, "")) for parts in objects]
    features["image/object/class/text"] = [name.encode("utf-8") for _, name in named]
    features["image/object/class/label"] = [number for number, _ in named]
    for name, field in FLAGS.items():
        flags = [int(getattr(parts[0], field)) for parts in objects]
        if any(flags):
            features[f"image/object/{name}"] = flags
    for name, kind in EXTRA.items():
        found = [parts[0].attributes.get(name) for parts in objects]
        if any(value is not None for value in found):
            plain = [value or 0 for value in found]
            features[f"image/object/{name}"] = list(map(int, plain)) if kind == "int" else np.array(plain, np.float32)
    if any(len(parts) > 1 for parts in objects):
        features["image/object/mask"] = [_png(parts[1]) if len(parts) > 1 else b"" for parts in objects]


def _png(mask: Any) -> bytes:
    return write_mask(mask.rle)


