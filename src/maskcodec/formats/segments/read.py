"""Reading Segments.ai labels: finds the release, or the lone label files, of the task types that are wanted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from maskcodec.errors import FormatError
from maskcodec.formats._shared.source import Source
from maskcodec.formats.segments import kinds
from maskcodec.formats.segments.assets import Assets, Resolver
from maskcodec.formats.segments.lone import Labels
from maskcodec.formats.segments.release import Release
from maskcodec.model.dataset import Dataset

__all__ = ["fitting", "read_labels"]

_EMPTY = {"empty": "vector", "empty-sequence": "image-vector-sequence"}


def fitting(found: str | None, tasks: Collection[str]) -> str | None:
    """The task type that something is read as; None when it is of none that is wanted.

    Example:
        >>> fitting("empty", {"vector"}), fitting("pointcloud-cuboid", {"vector"})
        ('vector', None)
    """
    task = _EMPTY.get(str(found), found)
    return task if task in tasks else None


def read_labels(
    source: Source,
    tasks: Sequence[str],
    labelset: str | None,
    assets: str | None,
    resolve: Resolver | None,
    categories: Sequence[Mapping[str, Any]] | None,
) -> Dataset:
    """Read a release, or else all lone labels, of some contents and task types."""
    single = len(source.files) == 1
    candidates = source.files if single else [name for name in source.files if name.lower().endswith(".json")]
    documents = {name: source.document(name) for name in candidates}
    if single:
        next(iter(documents.values())).check()

    def choose(found: str | None) -> str | None:
        if found is not None and len(tasks) == 1 and (found == "empty" or single):
            return tasks[0]  # what the caller says goes before what the file looks like
        return fitting(found, tasks)

    releases = {name: choose(kinds.kind_of_release(document)) for name, document in documents.items()}
    releases = {name: task for name, task in releases.items() if task is not None}
    if len(releases) > 1:
        raise FormatError(f"several releases: {', '.join(list(releases)[:3])}; give the path of one", file=source.path)
    for name, task in releases.items():
        documents[name].check()
        lookup = Assets(source, name, assets, resolve)
        return Release(source, name, documents[name], str(task), labelset, lookup).read()
    found = {name: kinds.kind_of_label(document) for name, document in documents.items()}
    labels = {name: task for name, kind in found.items() if (task := choose(kind)) is not None}
    if not labels and single and kinds.is_sample(next(iter(documents.values()))):
        text = "sample attributes: they say where the media of a sample are, and hold no label"
        raise FormatError(text, file=next(iter(documents.values())).file)
    if not labels:
        raise FormatError(f"no release and no label of the type {' or '.join(tasks)}", file=source.path)
    for name, kind in found.items():
        if kind is not None and name not in labels:
            source.report.unread(name, None, "", f"a label of another type ({kind})", what="file")
    return Labels(source, labels, categories, assets, resolve).read()
