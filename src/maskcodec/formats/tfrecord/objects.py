"""The objects of a record: a box each, with a mask, key points, flags and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from maskcodec.formats._shared.images import read_png
from maskcodec.formats._shared.maskpng import read_mask
from maskcodec.masks import Rle
from maskcodec.model.annotations import Annotation, Box, Mask, Skeleton
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["BOX", "EXTRA", "FLAGS", "KNOWN", "NAMESPACE", "POINTS", "TRACK", "read_objects"]

NAMESPACE = "tfrecord"
BOX = tuple(f"image/object/bbox/{name}" for name in ("xmin", "xmax", "ymin", "ymax"))
POINTS = tuple(f"image/object/keypoint/{name}" for name in ("x", "y", "visibility"))
TRACK = "image/object/track/label"
FLAGS = {"is_crowd": "is_crowd", "truncated": "truncated", "occluded": "occluded"}
EXTRA = {"difficult": "int", "group_of": "int", "weight": "float"}
KNOWN: dict[str, str] = {
    "image/filename": "bytes", "image/source_id": "bytes", "image/height": "int", "image/width": "int",
    "image/encoded": "bytes", "image/format": "bytes", "image/key/sha256": "bytes",
    **dict.fromkeys(BOX, "float"), "image/object/class/text": "bytes", "image/object/class/label": "int",
    **{f"image/object/{name}": "int" for name in FLAGS},
    **{f"image/object/{name}": kind for name, kind in EXTRA.items()},
    **dict(zip(POINTS, ("float", "float", "int"), strict=True)), TRACK: "int",
    "image/object/mask": "", "image/class/text": "bytes", "image/class/label": "int", "image/caption": "bytes",
}  # fmt: skip
_UNKNOWN = "the size of the image is unknown: coordinates stay fractions of it"


def read_objects(
    item: Item, get: dict[str, Any], labels: list[tuple[int | None, int]], boxes: bool, file: str, report: LossReport
) -> int:
    """Add the objects of a record to its item: a box, its mask and its key points, tied by a group.

    Args:
        item: gets the annotations; its size may be unknown.
        get: features of the record.
        labels: category of each object, and how many key points it names (0: any number).
        boxes: keep the box of an object that has a mask.
        file: for messages.
        report: hears of what had to be assumed.

    Returns:
        How many objects there are.

    Raises:
        FormatError: a damaged mask.
        ValueError: lists of different lengths, a box that is none, key points that do not fit.
    """
    count = len(get.get(BOX[0], ()))
    _check_lengths(get, count, (item.height or 0) * (item.width or 0))
    masks = _masks(item, get.get("image/object/mask", ()), count, file)
    points, tracks = _points(get, count), get.get(TRACK, ())
    scale = (item.width, item.height) if item.width and item.height else None
    group = 0
    for i, (category, named) in enumerate(labels):
        x0, x1, y0, y1 = (float(get[key][i]) for key in BOX)
        if not (x0 <= x1 and y0 <= y1 and all(map(np.isfinite, (x0, x1, y0, y1)))):
            raise ValueError(f"image/object/bbox: object {i}: xmin <= xmax and ymin <= ymax expected, "
                             f"got {x0}, {x1}, {y0}, {y1}")  # fmt: skip
        if min(x0, y0) < 0 or max(x1, y1) > 1:
            report.default(item, "box", "", "boxes that reach beyond the image are kept")
        w, h = scale or (1, 1)
        made: list[Annotation] = [Box(x0 * w, y0 * h, x1 * w, y1 * h)]
        rle = masks[i]
        if rle is not None:
            made = [*made, Mask(rle)] if boxes else [Mask(rle)]
        if points is not None:
            skeleton = _skeleton(points[0][i], points[1][i], points[2][i], (w, h), named, i)
            made += [skeleton] if skeleton is not None else []
        group += len(made) > 1
        for annotation in made:
            annotation.category_id = category
            annotation.group_id = group if len(made) > 1 else None
            if len(tracks) and tracks[i] >= 0:
                annotation.track_id = int(tracks[i])
            if scale is None and not isinstance(annotation, Mask):
                annotation.extras[NAMESPACE] = {"fractions": True}
            _set_flags(annotation, get, i)
        if scale is None:
            report.default(item, None, "width", _UNKNOWN)
        item.annotations += made
    return count


def _check_lengths(get: dict[str, Any], count: int, pixels: int) -> None:
    for key, found in get.items():
        if not key.startswith("image/object/") or key in POINTS:
            continue
        numeric = key == "image/object/mask" and isinstance(found, np.ndarray)
        if key in BOX or (key.startswith("image/object/class") and len(found)):
            good = len(found) == count
        else:
            good = len(found) in (0, count * pixels if numeric else count)
        if not good:
            raise ValueError(f"{key}: {len(found)} values for {count} objects")
    if count and any(len(get.get(key, ())) != count for key in BOX):
        raise ValueError(f"image/object/bbox: sides are missing, there are {count} objects")


def _points(get: dict[str, Any], count: int) -> list[Any] | None:
    """Columns x, y, visibility of (objects, points); None where there are none."""
    x, y, seen = (get.get(key, ()) for key in POINTS)
    if not len(x) and not len(y):
        return None
    if not count or len(x) % count or len(y) != len(x) or len(seen) not in (0, len(x)):
        raise ValueError(f"{POINTS[0]}: {len(x)}, {len(y)} and {len(seen)} values of key points for {count} objects")
    shape = count, len(x) // count
    marks = np.asarray(seen, np.int64).reshape(shape) if len(seen) else None
    if marks is not None and ((marks < 0) | (marks > 2)).any():
        raise ValueError(f"{POINTS[2]}: expected 0, 1 or 2, got {int(marks.min())} to {int(marks.max())}")
    sides = [np.asarray(side, np.float64).reshape(shape) for side in (x, y)]
    if marks is None:  # what is there is visible; writers mark missing points by NaN
        marks = np.where(np.isnan(sides[0]) | np.isnan(sides[1]), 0, 2)
    return [*sides, marks]


def _skeleton(x: Any, y: Any, seen: Any, scale: tuple[int, int], named: int, i: int) -> Skeleton | None:
    """The key points of an object; None where no point is labelled."""
    if not seen.any():
        return None
    if named:
        if len(x) < named or seen[named:].any():
            raise ValueError(f"{POINTS[0]}: object {i} has {len(x)} key points, its label names {named}")
        x, y, seen = x[:named], y[:named], seen[:named]
    xy = np.stack([x * scale[0], y * scale[1]], axis=1)
    missing = np.isnan(xy).any(axis=1) & (seen == 0)
    xy[missing] = 0
    if not np.isfinite(xy).all():
        raise ValueError(f"{POINTS[0]}: object {i} has a key point that is labelled, but is no finite number")
    return Skeleton(xy, seen.tolist())




def _set_flags(annotation: Annotation, get: dict[str, Any], i: int) -> None:
    """Flags and other numbers of an object."""
    for name, field in FLAGS.items():
        found = get.get(f"image/object/{name}", ())
        if len(found):
            setattr(annotation, field, bool(found[i]))
    for name, kind in EXTRA.items():
        found = get.get(f"image/object/{name}", ())
        if len(found):
            annotation.attributes[name] = bool(found[i]) if kind == "int" else float(found[i])


def _masks(item: Item, found: Any, count: int, file: str) -> list[Rle | None]:
    """The mask of every object, None where it has none; an image of unknown size gets that of its masks.

    Raises:
        FormatError: a damaged PNG.
        ValueError: a mask of another size.
    """
    if not len(found):
        return [None] * count
    shape = (item.height or 0, item.width or 0)
    if isinstance(found, np.ndarray):
        return [Rle.from_mask(one != 0) for one in found.reshape(count, *shape)]
    out: list[Rle | None] = []
    for i, data in enumerate(found):
        if not data:
            out.append(None)
            continue
        rle = _png(data, f"{file}: image/object/mask {i}")
        if item.width is None or item.height is None:
            item.height, item.width = shape = rle.shape
        if rle.shape != shape:
            size = f"{rle.width} x {rle.height}"
            raise ValueError(f"image/object/mask: mask {i} has {size} pixels, the image {shape[1]} x {shape[0]}")
        out.append(rle)
    return out


def _png(data: bytes, file: str) -> Rle:
    plain = read_mask(data, file)
    if plain is not None:
        return plain[0]
    pixels = read_png(data, file)[0]
    return Rle.from_mask((pixels != 0).any(axis=2) if pixels.ndim == 3 else pixels)
