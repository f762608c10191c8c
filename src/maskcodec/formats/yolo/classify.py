"""Classification of Ultralytics: ``<subset>/<label>/<image>``, and ``labels.json`` of CVAT."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.jsonio import decode, encode
from maskcodec.formats._shared.labels import categories
from maskcodec.formats._shared.naming import IMAGES, Found, Images, stem
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source
from maskcodec.formats.yolo.layout import find_yaml
from maskcodec.model.annotations import Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import LabelSchema

__all__ = ["NO_LABEL", "detect", "place", "read", "write"]

NO_LABEL = "no_label"
_SUBSETS = {"train", "val", "valid", "validation", "test"}


def _parts(files: list[str]) -> list[tuple[str, str, str]]:
    """Subset, label and name of every image."""
    split = (name.split("/", 2) for name in files if name.lower().endswith(IMAGES))
    return [(parts[0], parts[1], parts[2]) for parts in split if len(parts) == 3]


def detect(probe: Probe) -> Confidence:
    """``<subset>/labels.json``, or nothing but images in folders of classes below folders of subsets."""
    for name in probe.files:
        if name.count("/") == 1 and name.endswith("/labels.json"):
            return Confidence(85, f"{name} lists the labels of images")
    if find_yaml(probe.source) is not None:
        raise NotThisFormat("classification has no *.yaml file")
    found = _parts(probe.files)
    if not found or len(found) != len(probe.files) or any("/" in name for _, _, name in found):
        raise NotThisFormat("not only images in <subset>/<label>")
    if not {subset for subset, _, _ in found} <= _SUBSETS:
        raise NotThisFormat("the folders at the top are not named train, val or test")
    return Confidence(40, "images in <subset>/<label>")


def _listing(source: Source, subset: str) -> dict[str, dict[str, Any]]:
    name = f"{subset}/labels.json"
    if not source.has(name):
        return {}
    file = source.display(name)
    rows = decode(source.read(name), file=file)
    if not isinstance(rows, dict):
        raise FormatError(f"expected ids with labels and path, got {shorten(rows)}", file=file)
    good: dict[str, dict[str, Any]] = {}
    for key, row in rows.items():
        labels = row.get("labels") if isinstance(row, dict) else None
        if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
            text = f"expected labels as a list of names, got {shorten(row)}"
            source.problem(FormatError(text, file=file, record=key, field="labels"))
            continue
        good[key] = row
    return good


def read(source: Source) -> Dataset:
    """Read classification folders.

    Args:
        source: folder or zip with ``<subset>/<label>/<image>``; ``<subset>/labels.json`` counts where it is there.
    """
    images = Images(source)
    found = _parts(source.files)
    listed = [name[: -len("/labels.json")] for name in source.files if re.fullmatch("[^/]+/labels.json", name)]
    entries: list[tuple[str, str, str | None, list[str]]] = []
    labels: dict[str, None] = {}
    for subset in dict.fromkeys([subset for subset, _, _ in found] + listed):
        rows, seen = _listing(source, subset), set[str]()
        for key, row in rows.items():
            path = str(row.get("path", ""))
            full = f"{subset}/{path}" if source.has(f"{subset}/{path}") else None
            seen.update(f"{subset}/{label}/{path.partition('/')[2]}" for label in row["labels"])
            seen.add(f"{subset}/{path}")
            labels.update(dict.fromkeys(row["labels"]))
            entries.append((subset, key, full or path, row["labels"]))
        own = [(label, name) for part, label, name in found if part == subset]
        alone = [(label, name) for label, name in own if f"{subset}/{label}/{name}" not in seen]
        names = Counter(stem(name) for _, name in alone)
        for label, name in alone:
            key = stem(name)
            key = key if names[key] == 1 and key not in rows else f"{label}/{key}"
            kept = [] if label == NO_LABEL else [label]
            labels.update(dict.fromkeys(kept))
            entries.append((subset, key, f"{subset}/{label}/{name}", kept))
    schema = LabelSchema(categories(sorted(labels)))
    ids = {category.name: category.id for category in schema.categories}

    def inner_path(subset: str, key: str, path: str | None) -> str | None:
        """Path of the image below its label; below its subset where the id holds the label."""
        below = (path or "").removeprefix(f"{subset}/")
        if "/" in key and stem(f"{subset}/{key}") == stem(path or ""):
            return below
        return below.partition("/")[2] or None

    def load(entry: tuple[str, str, str | None, list[str]]) -> Item:
        subset, key, path, tags = entry
        item = Item(key, inner_path(subset, key, path), subset=subset)
        item.width, item.height = images.size(path)
        item.annotations = [Tag(category_id=ids[label]) for label in tags]
        return item

    files = {(subset, inner_path(subset, key, path)): path for subset, key, path, _ in entries
             if path is not None and source.has(path)}  # fmt: skip
    return Dataset(schema, LazyItems(entries, load), media=Found(source, files))


def _folder(labels: list[str]) -> str:
    return re.sub(r"[/\\\x00-\x1f]", "_", labels[0]) if labels else NO_LABEL


def place(item: Item, schema: LabelSchema) -> str | None:
    """Where the image of an item goes: into the folder of its first label."""
    labels = [schema.by_id(a.category_id).name for a in item.annotations if a.category_id in schema]  # type: ignore[arg-type]
    return f"{item.subset}/{_folder(labels)}/{item.path}"


def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    """Write ``<subset>/labels.json``; images, when they are copied, go into folders of their first label.

    Args:
        dataset: tags.
        sink: the output.
        report: hears of special losses.
    """
    names = {category.id: category.name for category in dataset.schema.categories}
    used: set[str] = set()
    rows: dict[str, dict[str, Any]] = {}
    for item in dataset.items:
        labels = [names[tag.category_id] for tag in item.annotations]
        used.update(labels)
        rows.setdefault(item.subset, {})[str(item.id)] = {"labels": labels, "path": f"{_folder(labels)}/{item.path}"}
    order = sorted(used)
    for key, name in names.items():
        if name not in used:
            report.drop(name, None, "", "a class without images has no folder", what="category")
        elif type(key) is not int or key != order.index(name):
            report.rename(name, None, "id", "classes are numbered in the order of their names", what="category")
    if [name for name in names.values() if name in used] != order:
        report.approximate(None, None, "categories", "classes are in the order of their names", what="schema")
    for subset, own in (rows or {"train": {}}).items():
        sink.write(f"{subset}/labels.json", encode(own) + b"\n")
