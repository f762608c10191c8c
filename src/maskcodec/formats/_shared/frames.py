"""Tracks and the frames they run through: interpolation, ends of tracks, names of frames. Knows no format.

A track is the set of shapes that share subset, sequence, category and track id. In the model a shape stands on every
frame where its object is: absence means that it is not there. Formats that store key frames alone are filled up by
``gaps`` and ``between`` when they are read; formats where a shape lasts until it is ended get the ends from ``Ends``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.formats._shared.carry_whole import clone
from maskcodec.model.annotations import Annotation, Box, Cuboid2D, Ellipse, Points
from maskcodec.model.dataset import Item

__all__ = ["Ends", "MediaNames", "between", "by_track", "expand", "frame_name", "frame_number", "gaps", "progression",
           "track_key", "turn"]  # fmt: skip

Int64 = npt.NDArray[np.int64]
IMAGES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".gif", ".ppm")


# --- names ------------------------------------------------------------------------------------------------------------
def frame_name(number: int) -> str:
    """Name of a frame that has none: ``frame_000007``."""
    return f"frame_{number:06d}"


def frame_number(name: str) -> int | None:
    """Number of a frame by its name: ``frame_000007.png`` or ``7.jpg``; None for any other name.

    Example:
        >>> frame_number("a/frame_000012.PNG"), frame_number("0003.jpg"), frame_number("img3.jpg")
        (12, 3, None)
    """
    found = re.search(r"(?:^|/)(?:frame_)?([0-9]+)(?:\.[A-Za-z]{3,4})?$", name)
    return int(found.group(1)) if found else None


class MediaNames:
    """Finds the media file of a frame among the files of a data set.

    In this order: ``images/<name>``, ``images/<subset>/<name>``, ``<name>``, ``<subset>/<name>``; then the same with
    the extension in other letters; then with any image extension added.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._files = set(files)
        self._folded: dict[str, str] = {}
        for name in sorted(self._files):
            stem, dot, suffix = name.rpartition(".")
            self._folded.setdefault(f"{stem}{dot}{suffix.lower()}", name)

    def find(self, name: str, subset: str = "default") -> str | None:
        """The file of a frame; None when there is none."""
        places = [f"images/{name}", f"images/{subset}/{name}", name, f"{subset}/{name}"]
        for place in places:
            if place in self._files:
                return place
        for place in places:
            stem, dot, suffix = place.rpartition(".")
            for folded in (f"{stem}{dot}{suffix.lower()}", *(place + suffix for suffix in IMAGES)):
                if folded in self._folded:
                    return self._folded[folded]
        return None


# --- tracks -----------------------------------------------------------------------------------------------------------
def track_key(item: Item, annotation: Annotation) -> tuple[Any, ...]:
    """What tells the track of a shape from others: subset, sequence, category, track id."""
    return item.subset, item.sequence, annotation.category_id, annotation.track_id


def by_track(items: Iterable[Item]) -> dict[tuple[Any, ...], list[tuple[int, Item, Annotation]]]:
    """Shapes by track, each with the position of its item; for data that fits in memory."""
    tracks: dict[tuple[Any, ...], list[tuple[int, Item, Annotation]]] = {}
    for position, item in enumerate(items):
        for annotation in item.annotations:
            if annotation.track_id is not None:
                tracks.setdefault(track_key(item, annotation), []).append((position, item, annotation))
    return tracks


def progression(frames: Iterable[int]) -> range | None:
    """The numbers as a range when each is larger than the one before by the same step, else None."""
    numbers = list(frames)
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    if step < 1 or any(b - a != step for a, b in zip(numbers, numbers[1:], strict=False)):
        return None
    return range(numbers[0], numbers[-1] + 1, step) if numbers else range(0)


class Ends:
    """Tells, item by item, which tracks are over: they were on the last item and have no shape on this one.

    Remembers only the shapes of the last item.
    """

    def __init__(self) -> None:
        self._open: dict[Any, Annotation] = {}

    def step(self, shapes: dict[Any, Annotation]) -> list[tuple[Any, Annotation]]:
        """Keys of the tracks that end here, each with a copy of its last shape, outside and a key frame."""
        ended = []
        for key, last in self._open.items():
            if key not in shapes and not last.outside:
                shape = clone(last)
                shape.outside = shape.keyframe = True
                ended.append((key, shape))
        self._open = dict(shapes)
        return ended


# --- interpolation ----------------------------------------------------------------------------------------------------
def turn(a: float, b: float, t: float) -> float:
    """Angle in degrees between two others along the shorter arc, in [0, 360); exactly opposite ones turn clockwise.

    Example:
        >>> turn(350, 20, 0.5), turn(10, 190, 0.5)
        (5.0, 100.0)
    """
    way = (b - a) % 360
    return float((a + (way - 360 if way > 180 else way) * t) % 360)


def between(a: Annotation, b: Annotation, t: float) -> Annotation:
    """The shape between two key frames, at ``t`` from 0 (``a``) to 1 (``b``); no key frame itself.

    Linear: boxes, ellipses, cuboids, skeletons, single points; rotation takes the shorter arc. Everything else
    (polygons, polylines, several points, masks) and every other field is held from ``a``.
    """
    shape: Any = clone(a)
    shape.keyframe = False
    if type(a) is not type(b):
        return shape  # type: ignore[no-any-return]
    if isinstance(a, (Box, Ellipse)):
        for name in ("x0", "y0", "x1", "y1") if isinstance(a, Box) else ("cx", "cy", "rx", "ry"):
            start = getattr(a, name)
            setattr(shape, name, start + (getattr(b, name) - start) * t)
        shape.rotation = turn(a.rotation, b.rotation, t) if a.rotation != b.rotation else a.rotation  # type: ignore[attr-defined]
    elif isinstance(a, Cuboid2D):
        shape.points = a.points + (b.points - a.points) * t  # type: ignore[attr-defined]
    elif isinstance(a, Points) and a.xy.shape == b.xy.shape and (a.kind == "skeleton" or len(a.xy) == 1):  # type: ignore[attr-defined]
        shape.xy = a.xy + (b.xy - a.xy) * t  # type: ignore[attr-defined]
    return shape  # type: ignore[no-any-return]


def gaps(track: Int64, position: Int64, outside: npt.NDArray[np.bool_]) -> tuple[Int64, Int64]:
    """Where key frames leave frames out.

    Args:
        track: number of the track of each shape; shapes of one track stand together, in order of time.
        position: of each shape among the frames of its sequence, counted without gaps.
        outside: whether the object is outside from there on; nothing is filled in behind such a shape.

    Returns:
        For every missing frame: index of the shape before it (the next one is the shape after it), and its position.
    """
    missing = np.diff(position) - 1
    missing[(np.diff(track) != 0) | outside[:-1] | (missing < 0)] = 0
    before = np.repeat(np.arange(len(missing)), missing)
    first = np.repeat(np.cumsum(missing) - missing, missing)
    return before, position[before] + 1 + np.arange(len(before)) - first


def expand(shapes: Iterable[tuple[int, Annotation]], frames: Iterable[int]) -> Iterator[tuple[int, Annotation]]:
    """A track on every frame: the shapes given, and those interpolated between them; ends with the last of them.

    Args:
        shapes: (frame, shape), in order of frames.
        frames: numbers of all frames of the sequence, in order; those of the shapes among them.
    """
    given = list(shapes)
    place = {frame: at for at, frame in enumerate(frames)}
    names = list(place)
    rows = np.array([place[frame] for frame, _ in given], np.int64)
    outside = np.array([shape.outside for _, shape in given], bool)
    before, where = gaps(np.zeros(len(rows), np.int64), rows, outside) if len(rows) else (rows, rows)
    filled: dict[int, list[int]] = {}
    for row, at in zip(before.tolist(), where.tolist(), strict=True):
        filled.setdefault(row, []).append(names[at])
    for row, (frame, shape) in enumerate(given):
        yield frame, shape
        for number in filled.get(row, ()):
            end, last = given[row + 1]
            yield number, between(shape, last, (number - frame) / (end - frame))
