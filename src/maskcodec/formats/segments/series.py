"""Segments.ai sequences, samples of several sensors, and the family of all its formats.

Frames are items ``<sample>/<frame>`` (``<sample>/<sensor>/<frame>``) with sequence, position and time; what a sample
says besides is kept with its first frame. Which content the frames have is settled by what the data set holds. Tracks
and links stand in the data set.

Kept: what the labels of single images and clouds keep, tracks, key frames, times as given, empty frames, links.
Lost, reported: numbers of frames that are not their positions, statuses that differ within a sequence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.conversions import Impossible, convert
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats.segments import schema as names
from maskcodec.formats.segments.family import (
    SERIES,
    SHAPES,
    SIZES,
    SPEC,
    arranged,
    detector,
    own_extras,
    reader,
    sized,
)
from maskcodec.formats.segments.image import carries as carries_single
from maskcodec.formats.segments.look import DEFAULT, Look, sensor_of, task_of
from maskcodec.formats.segments.write import write_release
from maskcodec.formats.segments.writeframe import media_name
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["FORMATS"]

_IMAGE = ("image-vector-sequence", "image-segmentation-sequence")
_CLOUD = ("pointcloud-vector-sequence", "pointcloud-cuboid-sequence", "pointcloud-segmentation-sequence")
_PLACE = {"path", "status", "sequence", "frame", "timestamp"}
Tasks = Mapping[str, str] | None


# --- what is carried --------------------------------------------------------------------------------------------------
def _carries_series(task: str) -> Capabilities:
    content = str(names.content_of(task))
    fields = {*_PLACE, *SIZES.get(content, ())}
    return Capabilities(item_fields=fields, arrange=arranged(content, "sequence"), **SHAPES[content], **SERIES)


def _carries_sensors(tasks: Tasks = None) -> Capabilities:
    contents = tasks or {}

    def arrange(item: Item, source: Item, report: LossReport) -> None:
        """Each sensor holds the shapes of one content."""
        content = contents.get(sensor_of(item), DEFAULT[item.media])
        shapes = SHAPES[content]
        own_extras(item, source, report, content, "sensors")
        if shapes is not SHAPES["segmentation"]:
            for name in ("width", "height"):
                if getattr(item, name) is not None:
                    setattr(item, name, None)
                    report.drop(source, None, name, "the format has no place for it")
        kept = []
        for annotation in item.annotations:
            now, target = annotation, shapes.get("converts", {}).get(annotation.variant)
            if annotation.variant not in shapes["kinds"]:
                if target is None:
                    kind = annotation.variant.replace("_", " ")
                    report.drop(source, annotation, "", f"the content of its sensor has no {kind}")
                    continue
                try:
                    now, how = convert(annotation, source, target)
                except Impossible as error:
                    report.drop(source, annotation, "", str(error))
                    continue
                report.approximate(source, annotation, "", how)
            kept.append(now)
        item.annotations = kept

    kinds = frozenset().union(*(shapes["kinds"] for shapes in SHAPES.values()))
    converts = {k: v for k, v in SHAPES["vector"]["converts"].items() if k not in kinds}
    return Capabilities(
        kinds=kinds,
        converts=converts,
        order=True,
        single_points=True,
        admits=sized,
        arrange=arrange,
        item_fields={*_PLACE, "width", "height", "sensor"},
        media=("image", "point_cloud"),
        **SERIES,
    )


def _carries(task: str | None = None, tasks: Tasks = None) -> Capabilities:
    if task is None or task == names.MULTISENSOR:
        return _carries_sensors(tasks)
    return _carries_series(task) if task.endswith("-sequence") else carries_single(task)


def _carries_images(task: str | None = None) -> Capabilities:
    return _carries_series(task or _IMAGE[0])


def _carries_clouds(task: str | None = None) -> Capabilities:
    return _carries_series(task or _CLOUD[0])


# --- what the data set asks for ---------------------------------------------------------------------------------------
def _settle_images(dataset: Dataset, options: Mapping[str, Any]) -> Mapping[str, Any]:
    return _settled(dataset, options, _IMAGE, "image")


def _settle_clouds(dataset: Dataset, options: Mapping[str, Any]) -> Mapping[str, Any]:
    return _settled(dataset, options, _CLOUD, "point_cloud")


def _settled(dataset: Dataset, options: Mapping[str, Any], known: tuple[str, ...], medium: str) -> Mapping[str, Any]:
    task = options.get("task")
    if task is None:
        task = names.series_of(Look(dataset).over_all(medium, task_of(dataset)))
    _check(task, known)
    return {**options, "task": task}


def _flat(task: Any) -> Any:
    """Contents by their own names: "segmentation-bitmap" is "segmentation"."""
    return names.content_of(task) if task in (*names.SEGMENTATION, *names.VECTOR) else task


def _check(task: Any, known: tuple[str, ...]) -> None:
    if task not in known:
        raise ValueError(f"task is one of {', '.join(known)}, got {task!r}")


def _settle_sensors(dataset: Dataset, options: Mapping[str, Any]) -> Mapping[str, Any]:
    look = Look(dataset)
    found = {s: look.content(look.media[s], kinds, look.said.get(s)) for s, kinds in look.kinds.items()}
    return {**options, "tasks": {**found, **(options.get("tasks") or {})}}


def _settle_all(dataset: Dataset, options: Mapping[str, Any]) -> Mapping[str, Any]:
    task = options.get("task")
    if task is None:
        look = Look(dataset)
        media = set(look.media.values())
        if look.sensors or len(media) > 1 or task_of(dataset) == names.MULTISENSOR:
            task = names.MULTISENSOR
        else:
            content = look.over_all(media.pop() if media else "image", task_of(dataset))
            task = names.series_of(content) if look.sequences else content
    task = _flat(task)
    _check(task, tuple(names.FORMATS))
    options = {**options, "task": task}
    return _settle_sensors(dataset, options) if task == names.MULTISENSOR else options


# --- writing ----------------------------------------------------------------------------------------------------------
def _write_series(dataset: Dataset, sink: NullSink, report: LossReport, *, task: str | None = None) -> None:
    """Write a release file and its bitmaps.

    Args:
        dataset: what the format carries.
        sink: takes the files.
        report: hears of losses.
        task: task type; None: the one that fits the kinds.
    """
    content = str(names.content_of(str(task)))
    write_release(dataset, sink, report, str(task), lambda item: content)


def _write_sensors(dataset: Dataset, sink: NullSink, report: LossReport, *, tasks: Tasks = None) -> None:
    """Write a release file and its bitmaps.

    Args:
        dataset: what the format carries.
        sink: takes the files.
        report: hears of losses.
        tasks: content ("vector", "segmentation", "pointcloud-cuboid"...) by sensor; by its kinds where none is given.
    """
    contents = tasks or {}
    write_release(
        dataset, sink, report, names.MULTISENSOR, lambda item: contents.get(sensor_of(item), DEFAULT[item.media])
    )


def _write_all(
    dataset: Dataset, sink: NullSink, report: LossReport, *, task: str | None = None, tasks: Tasks = None
) -> None:
    """Write a release file of the task type that fits; options as of the parts."""
    if task is None or task == names.MULTISENSOR:
        _write_sensors(dataset, sink, report, tasks=tasks)
    elif task.endswith("-sequence"):
        _write_series(dataset, sink, report, task=task)
    else:
        write_release(dataset, sink, report, task)


def _format(name: str, title: str, tasks: tuple[str, ...], **more: Any) -> Format:
    return Format(
        name=name, title=title, detect=detector(tasks), read=reader(tasks), spec=SPEC, media=media_name, **more
    )


FORMATS = (
    _format(
        "segments_image_sequence",
        "Segments.ai image sequence",
        _IMAGE,
        aliases=_IMAGE,
        carries=_carries_images,
        settle=_settle_images,
        write=_write_series,
        streams="rw",
    ),
    _format(
        "segments_pointcloud_sequence",
        "Segments.ai point cloud sequence",
        _CLOUD,
        aliases=_CLOUD,
        carries=_carries_clouds,
        settle=_settle_clouds,
        write=_write_series,
        streams="rw",
    ),
    _format(
        "segments_multisensor",
        "Segments.ai multi-sensor sequence",
        (names.MULTISENSOR,),
        aliases=(names.MULTISENSOR,),
        carries=_carries_sensors,
        settle=_settle_sensors,
        write=_write_sensors,
        streams="rw",
    ),
    _format(
        "segments",
        "Segments.ai, every task type",
        tuple(names.FORMATS),
        carries=_carries,
        settle=_settle_all,
        write=_write_all,
        streams="rw",
        parts=tuple(dict.fromkeys(names.FORMATS.values())),
    ),
)
