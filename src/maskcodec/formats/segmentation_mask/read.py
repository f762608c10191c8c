"""Reading segmentation masks."""

from __future__ import annotations

import re
from typing import Any

from maskcodec.errors import FormatError
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.labels import Label, categories, read_label_map, read_meta
from maskcodec.formats._shared.lines import lines
from maskcodec.formats._shared.naming import Found, Images
from maskcodec.formats._shared.source import Source
from maskcodec.formats.segmentation_mask.pairs import NAMESPACE, VOC_LABELS, Pairs, background_of
from maskcodec.idmaps import voc_palette
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import LabelSchema

__all__ = ["detect", "find_maps", "read", "read_labels", "root_of", "subset_of"]

_PLACE = re.compile(r"(.*?)(?:^|(?<=/))(SegmentationClass|SegmentationObject)/(.+)\.[pP][nN][gG]")
_LIST = re.compile(r"(.*?)(?:^|(?<=/))ImageSets/Segmentation/([^/]+)\.txt")
_VOC = re.compile(r"(.*?)(?:^|(?<=/))(?:ImageSets/(?:Main|Layout|Action)/[^/]+\.txt|Annotations/.+\.xml)")


def root_of(source: Source, *patterns: re.Pattern[str]) -> str | None:
    """The folder above the parts of a data set, with its slash; None when there is no part.

    Raises:
        FormatError: there are several.
    """
    found = {match.group(1) for name in source.files for p in patterns if (match := p.fullmatch(name))}
    if len(found) > 1:
        shown = ", ".join(sorted(found)[:4])
        raise FormatError(f"several data sets ({shown}), name the folder of one", file=source.path)
    return next(iter(found), None)


def detect(probe: Probe) -> Confidence:
    """``SegmentationClass`` or ``SegmentationObject`` with PNG files, or lists for them, and no other part of VOC."""
    root = root_of(probe.source, _PLACE, _LIST)
    if root is None:
        raise NotThisFormat("no SegmentationClass/*.png, SegmentationObject/*.png or ImageSets/Segmentation/*.txt")
    other = next((name for name in probe.files if _VOC.fullmatch(name)), None)
    if other is not None:
        raise NotThisFormat(f"{other} makes it PASCAL VOC")
    return Confidence(80, f"segmentation maps or lists below {root or 'the top'}")


def read_labels(source: Source, root: str) -> tuple[list[Label], bool]:
    """The labels of a data set of the VOC family, and whether a table declares them; else those of VOC.

    ``dataset_meta.json`` counts before ``labelmap.txt``. Where no label has a colour, they have those of VOC.
    """
    meta, table = f"{root}dataset_meta.json", f"{root}labelmap.txt"
    if source.has(meta):
        labels = _from_meta(read_meta(source, meta), source.display(meta))
    elif source.has(table):
        labels = read_label_map(source, table)
    else:
        return [Label(label.name, label.color) for label in VOC_LABELS], False
    if any(label.color is not None for label in labels):
        return labels, True
    for label, color in zip(labels, voc_palette(max(len(labels), 1)).tolist(), strict=False):
        label.color = (color[0], color[1], color[2])
    return labels, False


def _from_meta(meta: dict[str, Any], file: str) -> list[Label]:
    colors = meta.get("segmentation_colors") or []
    parts, actions = meta.get("parts") or {}, meta.get("actions") or {}
    out = []
    for at, name in enumerate(meta["labels"]):
        color = colors[at] if at < len(colors) else None
        good = isinstance(color, list) and len(color) == 3 and all(isinstance(c, int) and 0 <= c <= 255 for c in color)
        if color is not None and not good:
            raise FormatError("expected a colour of three numbers 0 to 255", file=file, field="segmentation_colors")
        lists = [list(map(str, table.get(str(at), []))) for table in (parts, actions)]
        out.append(Label(name, tuple(color) if color else None, *lists))
    return out


def find_maps(source: Source, root: str) -> dict[str, dict[str, str]]:
    """Image id -> folder of the map -> name of the map."""
    found: dict[str, dict[str, str]] = {}
    for name in source.files:
        match = _PLACE.fullmatch(name)
        if match and match.group(1) == root:
            found.setdefault(match.group(3), {})[match.group(2)] = name
    return found


def subset_of(lists: dict[str, list[str]]) -> dict[str, str]:
    """The subset of every id: of the lists that have it the shortest one, ties by name."""
    out: dict[str, str] = {}
    for subset in sorted(lists, key=lambda name: (len(lists[name]), name), reverse=True):
        out.update(dict.fromkeys(lists[subset], subset))
    return out


def read(source: Source, *, keep_void: bool = False) -> Dataset:
    """Read segmentation masks.

    Args:
        source: folder or zip with ``SegmentationClass`` and ``SegmentationObject``.
        keep_void: void pixels (index 255, colour 224, 224, 192) become a mask of the category ``ignored``.
    """
    root = root_of(source, _PLACE, _LIST)
    if root is None:
        raise FormatError("no SegmentationClass, SegmentationObject or ImageSets/Segmentation", file=source.path)
    labels, declared = read_labels(source, root)
    schema = LabelSchema(categories(labels), background=background_of(labels))
    if labels and labels[-1].name == "ignored" and not declared:
        labels = labels[:-1]  # the colour of void, not a class
    elif keep_void:
        schema.categories += categories([Label("ignored", (224, 224, 192))], len(labels))
    maps = find_maps(source, root)
    lists: dict[str, list[str]] = {}
    for name in source.files:
        match = _LIST.fullmatch(name)
        if match:
            rows = (line.text for line in lines(source, name))
            lists[match.group(2)] = [text for text in rows if text in maps or not text.startswith("#")]
    if not lists:
        lists = {"default": sorted(maps)}
    else:
        for key in sorted(maps.keys() - {key for ids in lists.values() for key in ids}):
            text = "a map whose image is in no list"
            source.report.unread(next(iter(maps[key].values())), None, "", text, what="file")
    subsets = subset_of(lists)
    reader = Pairs(source, labels, schema.categories[-1].id if keep_void else None, declared)  # type: ignore[arg-type]
    images = Images(source)
    places: dict[str, list[str]] = {}
    for name in sorted(lists):
        for key in dict.fromkeys(lists[name]):
            places.setdefault(key, []).append(name)

    def load(entry: tuple[str, str]) -> Item | None:
        subset, key = entry
        item = Item(key, subset=subset)
        picture = images.find(f"{root}JPEGImages/{key}")
        if picture is not None:
            item.path = picture[len(f"{root}JPEGImages/") :]
        if len(places[key]) > 1:
            item.extras[NAMESPACE] = {"lists": places[key]}
        own = maps.get(key, {})
        try:
            item.annotations += reader.masks(item, own.get("SegmentationClass"), own.get("SegmentationObject"))
            if picture is not None:
                width, height = images.size(picture)
                if own and (width, height) != (item.width, item.height) and width is not None:
                    text = f"{item.width} x {item.height} pixels, its image has {width} x {height}"
                    raise FormatError(text, file=source.display(next(iter(own.values()))))
                item.width, item.height = width, height
        except FormatError as error:
            source.problem(error, item)
            return None
        return item

    order = [(name, key) for name in sorted(lists) for key in dict.fromkeys(lists[name]) if subsets[key] == name]
    folder = f"{root}JPEGImages/"
    pictures = ((name, images.find(f"{folder}{key}")) for name, key in order)
    files: dict[tuple[str, str | None], str] = {
        (name, picture[len(folder) :]): picture for name, picture in pictures if picture is not None
    }  # fmt: skip
    return Dataset(schema, LazyItems(order, load), media=Found(source, files))

