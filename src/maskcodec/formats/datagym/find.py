"""Which files of a folder belong together: lists of one project, the tasks of its videos, its label configuration."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from maskcodec.errors import FormatError
from maskcodec.formats._shared.jsonio import Document
from maskcodec.formats._shared.source import Source
from maskcodec.formats.datagym.schema import MEDIA_IDS, kind_of

__all__ = ["Found", "find"]


@dataclass
class Found:
    """What a source holds.

    Attributes:
        kind: "import", "export", "video", "task" or "configuration".
        lists: lists of media, or the one list of videos, or the tasks of videos alone.
        tasks: of a list of videos: task documents by the last part of the address that they come from.
        configuration: the label configuration beside them.
    """

    kind: str
    lists: list[Document]
    tasks: dict[str, Document] = field(default_factory=dict)
    configuration: Document | None = None


class _Row(msgspec.Struct):
    label_classes: msgspec.Raw = msgspec.Raw(b"")
    internal_media_ID: object = None
    internal_image_ID: object = None
    task_export_url: object = None


_ROW = msgspec.json.Decoder(_Row)


def find(source: Source) -> Found:
    """The lists or video tasks of a source.

    Raises:
        FormatError: there are none, or they are not of one project.
    """
    names = source.files if len(source.files) == 1 else [n for n in source.files if n.lower().endswith(".json")]
    if not names or (len(names) == 1 and names[0].lower().endswith(".bmp")):
        text = "no JSON document; a segmentation bitmap says neither medium nor class: read the export, with bitmaps="
        raise FormatError(text, file=source.path)
    documents = {name: source.document(name) for name in names}
    kinds = {name: kind_of(document) for name, document in documents.items()}
    if len(documents) == 1 and not any(kinds.values()) and documents[names[0]].root == "array":
        kinds[names[0]] = "import"  # named by the caller: an empty list, or the error says what is missing
    of = {k: [n for n in names if kinds[n] == k] for k in ("import", "export", "video", "task", "configuration")}
    configuration = documents[of["configuration"][0]] if len(of["configuration"]) == 1 else None
    lists = of["import"] + of["export"] + of["video"]
    if not lists and not of["task"]:
        if configuration is None:
            raise FormatError("no DataGym list, video task or label configuration", file=source.path)
        return Found("configuration", [], configuration=configuration)
    if not lists:
        if len(of["task"]) > 1:
            raise _several(source, of["task"], "their frames have equal names")
        return Found("task", [documents[of["task"][0]]])
    found_kinds = [kind for kind in ("import", "export", "video") if of[kind]]
    if len(found_kinds) > 1:
        raise _several(source, lists + of["task"], f"lists of different forms: {', '.join(found_kinds)}")
    kind = found_kinds[0]
    found = Found(kind, [documents[name] for name in lists], configuration=configuration)
    urls = _one_project(source, lists, found.lists)
    for name in of["task"]:
        stem = name.rpartition("/")[2].rpartition(".")[0]
        own = [url for url in urls if url == stem or stem.endswith(f"_{url}")]
        if len(own) != 1:
            why = f"{name} is named like no task of the list; the server calls it datagym_export_<time>_<task id>.json"
            raise _several(source, lists + of["task"], why)
        found.tasks[own[0]] = documents[name]
    if kind == "video" and len(lists) > 1:
        raise _several(source, lists, "several lists of videos")
    return found


def _several(source: Source, names: list[str], why: str) -> FormatError:
    text = f"several DataGym documents ({', '.join(names[:5])}), {why}; give the path of one"
    return FormatError(text, file=source.path)


def _one_project(source: Source, names: list[str], lists: list[Document]) -> set[str]:
    """Check that lists are parts of one: no medium twice, equal classes. Returns the ends of task addresses."""
    owners: dict[object, str] = {}
    classes: dict[bytes, str] = {}
    urls: set[str] = set()
    alone = len(names) == 1
    for name, document in zip(names, lists, strict=True):
        document.check()
        for raw in document.records(""):
            try:
                row = _ROW.decode(raw)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                continue  # reading it says what is wrong with it
            if isinstance(row.task_export_url, str):
                urls.add(row.task_export_url.rstrip("/").rpartition("/")[2])
            if alone:
                continue
            if bytes(row.label_classes):
                classes.setdefault(bytes(row.label_classes), name)
            number = next((v for v in (getattr(row, key) for key in MEDIA_IDS) if isinstance(v, str)), None)
            if number is not None and owners.setdefault(number, name) != name:
                raise _several(source, names, f"the medium {number} is in {owners[number]} and in {name}")
    if len(classes) > 1:
        raise _several(source, names, "their classes differ, so they are of several projects")
    return urls - {""}
