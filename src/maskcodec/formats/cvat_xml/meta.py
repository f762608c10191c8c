"""The ``meta`` element of CVAT XML: kept as it is, and what of it readers need."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass, field
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.xmlio import Element, parse
from maskcodec.formats._shared.xmlout import XmlWriter

__all__ = ["Meta", "Plain", "fresh", "meta_of", "patched", "read_meta", "with_labels", "write_plain"]

KINDS = ("task", "job", "project")
Plain = list[Any]  # [tag, text] or [tag, [children]]; an element as lists and texts


@dataclass(slots=True)
class Meta:
    """What readers need of ``meta``.

    Attributes:
        subset: that the file names as a whole; None for none.
        mode: "annotation", "interpolation" or "".
        size: width and height of the frames of a video.
        frames: subset ("" for the one of the file) -> numbers of its frames.
        labels: the ``label`` elements.
        plain: the whole element without its labels.
    """

    subset: str | None = None
    mode: str = ""
    size: tuple[int | None, int | None] = (None, None)
    frames: dict[str, range] = field(default_factory=dict)
    labels: list[Element] = field(default_factory=list)
    plain: Plain | None = None


def to_plain(element: Element) -> Plain:
    """An element as lists and texts; the content of ``labels`` is left out."""
    if element.tag == "labels":
        return ["labels", []]
    if element.children:
        return [element.tag, [to_plain(child) for child in element.children]]
    return [element.tag, element.text]


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"[0-9]+", text) else None


def _frames(task: Element, file: str) -> range | None:
    start, stop = _number(task.value("start_frame")), _number(task.value("stop_frame"))
    found = re.fullmatch(r"step=([1-9][0-9]*)", task.value("frame_filter") or "step=1")
    if found is None:
        text = f"expected step=N, got {shorten(task.value('frame_filter'))}"
        raise FormatError(text, file=file, record=f"line {task.line}: meta", field="frame_filter")
    if start is not None and stop is not None:
        frames = range(start, stop + 1, int(found.group(1)))
    else:
        size = _number(task.value("size"))
        frames = range(size) if size is not None else None  # type: ignore[assignment]
    if frames is not None and len(frames) > 100_000_000:
        text = f"{len(frames)} frames, the limit is 100000000"
        raise FormatError(text, file=file, record=f"line {task.line}: meta", field="size")
    return frames


def read_meta(element: Element, file: str) -> Meta:
    """Read the ``meta`` element."""
    meta = Meta(plain=to_plain(element))
    body = next((child for child in element.children if child.tag in KINDS), None)
    if body is None:
        labels = element.find("labels")
        meta.labels = list(labels.all("label")) if labels is not None else []
        return meta
    meta.subset, meta.mode = body.value("subset") or None, body.value("mode") or ""
    size = body.find("original_size") or element.find("original_size")
    if size is not None:
        meta.size = _number(size.value("width")), _number(size.value("height"))
    labels = body.find("labels")
    meta.labels = list(labels.all("label")) if labels is not None else []
    tasks = body.find("tasks")
    if body.tag != "project":
        frames = _frames(body, file)
        if frames is not None:
            meta.frames[""] = frames
        return meta
    for task in tasks.all("task") if tasks is not None else ():
        frames, subset = _frames(task, file), task.value("subset") or "default"
        meta.mode = meta.mode or task.value("mode") or ""
        known = meta.frames.get(subset)
        if frames is not None and (known is None or len(frames) > len(known)):
            meta.frames[subset] = frames
        size = task.find("original_size")
        if size is not None:
            meta.size = _number(size.value("width")), _number(size.value("height"))
    return meta


# --- writing ----------------------------------------------------------------------------------------------------------
def _span(frames: range) -> list[Plain]:
    step = f"step={frames.step}" if frames.step > 1 else ""
    start, stop = (frames[0], frames[-1]) if len(frames) else (0, -1)
    found = [["size", str(len(frames))], ["start_frame", str(start)], ["stop_frame", str(stop)], ["frame_filter", step]]
    return found if len(frames) else found[:1]


def fresh(frames: dict[str, range], video: bool, size: tuple[int, int] | None) -> Plain:
    """A new ``meta``: a task, or a project when there are several subsets."""
    mode: list[Plain] = [["mode", "interpolation" if video else "annotation"]]
    place: list[Plain] = []
    if size is not None and video:
        place = [["original_size", [["width", str(size[0])], ["height", str(size[1])]]]]
    if len(frames) < 2:
        subset, numbers = next(iter(frames.items()), ("default", range(0)))
        span = _span(numbers)
        body = [["name", ""], span[0], *mode, ["subset", subset], *span[1:], ["labels", []], *place]
        return ["meta", [["task", body]]]
    tasks = [
        ["task", [["id", str(at)], ["name", subset], *_span(numbers)[:1], *mode, ["subset", subset],
                  *_span(numbers)[1:], *place]]
        for at, (subset, numbers) in enumerate(frames.items(), 1)
    ]  # fmt: skip
    return ["meta", [["project", [["name", ""], ["tasks", tasks], ["subsets", "\n".join(frames)], ["labels", []]]]]]


def patched(kept: Plain, frames: dict[str, range], size: tuple[int, int] | None) -> Plain | None:
    """A kept ``meta`` that says these frames and this size; None where it cannot."""
    body = next((child for child in kept[1] if child[0] in KINDS), None)
    if body is None or not isinstance(body[1], list) or body[0] == "project" or len(frames) > 1:
        return None
    numbers = next(iter(frames.values()), range(0))
    new = {child[0]: child for child in _span(numbers)}
    if size is not None:
        new["original_size"] = ["original_size", [["width", str(size[0])], ["height", str(size[1])]]]
    changing = ("size", "start_frame", "stop_frame", "frame_filter", "original_size")
    children = [new.pop(c[0]) if c[0] in new else c for c in body[1] if c[0] in new or c[0] not in changing]
    children += new.values()
    rest = [child for child in kept[1] if child is not body and child[0] != "original_size"]
    return ["meta", [[body[0], children], *rest]]


def write_plain(out: XmlWriter, plain: Plain, labels: Any) -> None:
    """An element kept as lists and texts; ``labels()`` writes the labels in their place."""
    tag, content = plain
    if tag == "labels" and labels is not None:
        labels()
    elif isinstance(content, list):
        out.start(tag)
        for child in content:
            write_plain(out, child, labels)
        out.end()
    else:
        out.leaf(tag, content)


def meta_of(plain: Any) -> Meta:
    """What a kept ``meta`` says."""
    if plain is None:
        return Meta()
    buffer = io.BytesIO()
    write_plain(XmlWriter(buffer), plain, None)
    return read_meta(parse(buffer.getvalue(), ""), "")


def with_labels(plain: Any, needed: bool) -> Any:
    """A kept ``meta``, with a place for labels if it has none and there are some."""
    if not needed or any("labels" in (c[0] for c in child[1]) for child in plain[1] if isinstance(child[1], list)):
        return plain
    bodies = [at for at, child in enumerate(plain[1]) if isinstance(child[1], list) and child[0] != "original_size"]
    if any(child[0] == "labels" for child in plain[1]):
        return plain
    at = bodies[0] if bodies else None
    if at is None:
        return ["meta", [["task", [["labels", []]]], *plain[1]]]
    children = list(plain[1])
    children[at] = [children[at][0], [*children[at][1], ["labels", []]]]
    return ["meta", children]
