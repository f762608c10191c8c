"""Videos of DataGym: objects with key frames, and the frames that each is visible in."""

from __future__ import annotations

from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.faults import Faults
from maskcodec.formats._shared.frames import between, frame_name
from maskcodec.formats._shared.jsonio import Document
from maskcodec.formats._shared.source import Source
from maskcodec.formats.datagym.find import Found
from maskcodec.formats.datagym.schema import NAMESPACE, read_classes, read_classification
from maskcodec.formats.datagym.shapes import Unset, read_geometry
from maskcodec.model.annotations import Annotation, Box
from maskcodec.model.dataset import Dataset, Item, LazyItems, Track
from maskcodec.model.schema import Category

__all__ = ["read_videos"]


def read_videos(source: Source, found: Found, keyframes_only: bool, classes: dict[str, str]) -> Dataset:
    """Read the task document of one video, or the list of a project's videos.

    Args:
        source: hears of faults.
        found: the list and its tasks, or one task alone.
        keyframes_only: make no shapes between key frames.
        classes: object id -> class key; a file does not say of which class an object is.
    """
    document, kind = found.lists[0], found.kind
    document.check()
    dataset = Dataset()
    tasks = {end: _task(task, source) for end, task in found.tasks.items()}
    repeat = source.problem if source.on_error == "skip" else None
    for name in dict.fromkeys(classes.values()):
        dataset.schema.categories.append(Category(name, name))
    videos: list[_Video] = []
    if kind == "task":
        videos.append(_Video(source, document.file, "", {}, _task(document, source), keyframes_only, classes))
    else:
        for at, row in enumerate(document.value("", repeat)):
            if not isinstance(row, dict):
                error = FormatError(f"expected an object, got {shorten(row)}", file=document.file, record=f"[{at}]")
                source.problem(error)
            elif "label_classes" in row:
                read_classes(row["label_classes"], dataset.schema, document.file, f"[{at}]")
                dataset.extras = {NAMESPACE: {"label_classes": row["label_classes"]}}
            else:
                end = str(row.get("task_export_url", "")).rstrip("/").rpartition("/")[2]
                task = row.get("labels", tasks.get(end))
                videos.append(_Video(source, document.file, f"[{at}]", row, task, keyframes_only, classes))
    first = 1
    for video in videos:
        first = video.tracks(dataset, first)
    places = [(video, frame) for video in videos for frame in range(video.length)]
    dataset.items = LazyItems(places, lambda place: place[0].item(place[1]))
    return dataset


def _task(document: Document, source: Source) -> dict[str, Any]:
    """The two tables of a task document."""
    document.check()
    repeat = source.problem if source.on_error == "skip" else None
    return {key: document.value(key, repeat) for key in ("frames", "object")}


class _Video(Faults):
    """One video: its objects' shapes by frame."""

    def __init__(
        self,
        source: Source,
        file: str,
        record: str,
        head: dict[str, Any],
        task: Any,
        keyframes_only: bool,
        classes: dict[str, str],
    ) -> None:
        self.source, self.file, self.place, self.head = source, file, record, head
        self.keyframes_only, self.classes = keyframes_only, classes
        self.seen: set[int] = set()
        name = head.get("external_media_ID") or head.get("internal_media_ID")
        self.sequence = str(name) if name is not None else None
        self.width, self.height = self._whole("video_width"), self._whole("video_height")
        self.shapes: dict[str, dict[int, Annotation]] = {}
        self.visible: dict[int, list[str]] = {}
        self.numbers: dict[str, int] = {}
        if task is not None:
            self._read(task)
        last = max([*self.visible, *(f for own in self.shapes.values() for f in own)], default=-1)
        self.length = self._whole("video_total_frames") or last + 1

    def _error(self, message: str, field: str) -> FormatError:
        return FormatError(message, file=self.file, record=self.place, field=field)

    def _whole(self, key: str) -> int | None:
        value = self.head.get(key)
        if value is None:
            return None
        if isinstance(value, (str, int)) and not isinstance(value, bool) and str(value).isdecimal():
            return int(value)
        raise self._error(f"expected a whole number, got {shorten(value)}", key)

    def _frames(self, table: Any, field: str) -> list[tuple[int, Any]]:
        if not isinstance(table, dict):
            raise self._error(f"expected an object, got {shorten(table)}", field)
        for key in table:
            if not key.isdecimal():
                raise self._error(f"expected the number of a frame, got {shorten(key)}", field)
        return sorted((int(key), value) for key, value in table.items())

    def _read(self, task: Any) -> None:
        if not isinstance(task, dict) or "frames" not in task or "object" not in task:
            raise self._error(f"expected an object with frames and object, got {shorten(task)}", "labels")
        for frame, rows in self._frames(task["frames"], "frames"):
            good = isinstance(rows, list) and all(isinstance(r, dict) and "visibleObjectId" in r for r in rows)
            if not good:
                text = f"expected a list of visible objects, got {shorten(rows)}"
                self.source.problem(self._error(text, f"frames.{frame}"))
                continue
            self.visible[frame] = [str(row["visibleObjectId"]) for row in rows]
        if not isinstance(task["object"], dict):
            raise self._error(f"expected an object, got {shorten(task['object'])}", "object")
        for name, frames in task["object"].items():
            self.numbers[name] = len(self.numbers) + 1
            attributes: dict[str, Any] = {}
            own: dict[int, Annotation] = {}
            for frame, row in self._frames(frames, f"object.{name}"):
                try:
                    self._change(name, frame, row, attributes, own)
                except Unset:
                    why = "the server wrote no coordinates (null)"
                    self.left_out(self.sequence, f"{name}: {frame}", "", why, what="geometry")
                except FormatError as error:
                    self.source.problem(error, self.sequence, name)
            self.shapes[name] = own
        for frame, names in self.visible.items():
            for name in names:
                if name not in self.shapes:
                    self.source.problem(self._error(f"no object {shorten(name)}", f"frames.{frame}"))

    def _change(
        self, name: str, frame: int, row: Any, attributes: dict[str, Any], own: dict[int, Annotation]
    ) -> None:
        """Take in what an object changes at a frame: its place, its classifications, or both."""
        field = f"object.{name}.{frame}"
        if not isinstance(row, dict):
            raise self._error(f"expected an object, got {shorten(row)}", field)
        found = row.get("classifications")
        if found is not None and not isinstance(found, dict):
            raise self._error(f"expected an object, got {shorten(found)}", f"{field}.classifications")
        for key, values in (found or {}).items():
            where = (self.file, self.place, f"{field}.classifications.{key}")
            read_classification(values, key, attributes, where, False)
        attributes.update({key: None for key, value in attributes.items() if value == "null"})
        keys = [key for key in row if key != "classifications"]
        if any(key != "rectangle" for key in keys):
            text = "DataGym writes the points of a video geometry over each other, it cannot be read"
            raise self._error(text, f"{field}.{keys[0]}")
        if keys:
            shape = read_geometry({"rectangle": row["rectangle"]}, (self.file, self.place, field), False, name)
            shape.keyframe = True
        elif own:
            shape = _copy(own[max(own)], False)  # its place goes on, only its classifications change
        else:
            return
        shape.attributes = dict(attributes)
        shape.category_id = self.classes.get(name)
        shape.track_id = self.numbers[name]
        shape.extras = {}
        own[frame] = shape

    def tracks(self, dataset: Dataset, first: int) -> int:
        """Number the tracks on from ``first`` and enter them; returns the next number."""
        for name, own in self.shapes.items():
            self.numbers[name] = first
            for shape in own.values():
                shape.track_id = first
            kept = {NAMESPACE: {"object": name}}
            dataset.tracks[first] = Track(first, self.classes.get(name), extras=kept)
            first += 1
        return first

    def item(self, frame: int) -> Item:
        """One frame with the shapes of all objects that are visible in it."""
        self.quiet = frame in self.seen
        self.seen.add(frame)
        item = Item(frame_name(frame), None, "image", self.width, self.height, sequence=self.sequence, frame=frame)
        if self.sequence is not None:
            item.id = f"{self.sequence}/{item.id}"
        for name in self.visible.get(frame, []):
            own = self.shapes.get(name, {})
            shape = self._at(own, frame)
            if shape is not None:
                item.annotations.append(shape)
            elif not own:
                self.left_out(item, name, "", "visible, but without a place", what="geometry")
        if frame == 0 and self.head:
            known = ("video_width", "video_height", "labels")
            item.extras = {NAMESPACE: {k: v for k, v in self.head.items() if k not in known}}
        return item

    def _at(self, own: dict[int, Annotation], frame: int) -> Annotation | None:
        """The shape at a frame: as the file has it, between two key frames in proportion, held behind the last."""
        if frame in own and own[frame].keyframe:
            return _copy(own[frame], True)
        if self.keyframes_only:
            return None
        keys = [f for f, shape in own.items() if shape.keyframe]
        before = max((f for f in keys if f <= frame), default=None)
        after = min((f for f in keys if f > frame), default=None)
        if before is None:
            return None
        a = own[before]
        shape = a if after is None else between(a, own[after], (frame - before) / (after - before))
        shape = _copy(shape, False)
        changed = max((f for f in own if f <= frame), default=before)
        shape.attributes = dict(own[changed].attributes)
        return shape


def _copy(shape: Annotation, keyframe: bool) -> Annotation:
    if not isinstance(shape, Box):
        raise TypeError(f"a video has boxes only, got a {shape.kind}")
    return Box(
        shape.x0, shape.y0, shape.x1, shape.y1,
        category_id=shape.category_id, track_id=shape.track_id, attributes=dict(shape.attributes), keyframe=keyframe,
    )  # fmt: skip
