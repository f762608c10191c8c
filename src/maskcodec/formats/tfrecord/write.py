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
from maskcodec.formats.tfrecord.objects import BOX, EXTRA, FLAGS, NAMESPACE, POINTS, TRACK
from maskcodec.formats.tfrecord.read import Embedded
from maskcodec.formats.tfrecord.wire import example, framed
from maskcodec.model.annotations import Annotation, Box, Caption, Mask, Skeleton, Tag
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["write"]


def write(
    dataset: Dataset,
    sink: NullSink,
    report: LossReport,
    *,
    masks: bool = True,
    ascii_only: bool = False,
    tracks: bool = True,
    group: str = "keep",
) -> None:
    """Write a file of records for each subset, and ``label_map.pbtxt``.

    Args:
        dataset: boxes, masks, key points, tags, captions.
        sink: the output.
        report: hears of special losses.
        masks: write the masks, not only their boxes.
        ascii_only: names of labels are written without other letters; those left empty are an error.
        tracks: write the numbers of tracks, where objects have one.
        group: "cvat" merges the members of a group into one object, a box around all and the mask of all.

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
    table = [(*labels[category.id], category) for category in dataset.schema]
    sink.write("label_map.pbtxt", write_map(table))


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
        elif isinstance(part, Mask) and not masks:
            report.drop(item, part, "", "masks are not asked for")
        elif isinstance(part, (Mask, Skeleton)):
            objects[-1].append(part)
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
    if any(parts[0].track_id is not None for parts in objects):
        features[TRACK] = [-1 if parts[0].track_id is None else parts[0].track_id for parts in objects]
    masks = [next((part for part in parts if isinstance(part, Mask)), None) for parts in objects]
    if any(masks):
        features["image/object/mask"] = [write_mask(mask.rle) if mask is not None else b"" for mask in masks]
    skeletons = [next((part for part in parts if isinstance(part, Skeleton)), None) for parts in objects]
    if any(skeletons):
        _points(features, item, skeletons)


def _points(features: dict[str, Any], item: Item, skeletons: list[Skeleton | None]) -> None:
    """Key points of all objects, each with as many as the longest; what an object has not is not labelled."""
    most = max(len(one.xy) for one in skeletons if one is not None)
    xy, seen = np.zeros((len(skeletons), most, 2)), np.zeros((len(skeletons), most), np.int64)
    for at, one in enumerate(skeletons):
        if one is not None:
            scale = (1, 1) if in_fractions(one) else (item.width or 1, item.height or 1)
            xy[at, : len(one.xy)] = one.xy / scale
            seen[at, : len(one.xy)] = one.visibility or 2
    features[POINTS[0]], features[POINTS[1]] = (xy[..., side].ravel().astype(np.float32) for side in (0, 1))
    features[POINTS[2]] = seen.ravel().tolist()
