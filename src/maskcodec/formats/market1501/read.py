"""Reading Market-1501."""

from __future__ import annotations

import re

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.lines import lines
from maskcodec.formats._shared.naming import IMAGES, Images, stem
from maskcodec.formats._shared.source import Source, safe_name
from maskcodec.formats.market1501.names import LABEL, PLACE, parse
from maskcodec.model.annotations import Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["detect", "read"]

_LIST = re.compile(r"(.*?)(?:^|(?<=/))images_([^/]+)\.txt")
_IMAGE = re.compile(r"(.*?)(?:^|(?<=/))(bounding_box_([^/]*)|query[^/]*)/.+")


def _images(files: list[str]) -> list[tuple[str, str, str]]:
    """Root, subset and name of every image."""
    found = ((match, name) for name in files if name.lower().endswith(IMAGES) and (match := _IMAGE.fullmatch(name)))
    return [(match.group(1), match.group(3) or match.group(2), name) for match, name in found]


def detect(probe: Probe) -> Confidence:
    """Images in ``bounding_box_*``, or with names of this form in ``query``; or lists of such paths."""
    for name in probe.files:
        if _LIST.fullmatch(name):
            head = probe.head(name).decode("utf-8-sig", "replace").replace("\\", "/").lstrip()
            if PLACE.match(head):
                return Confidence(65, f"{name} lists images in bounding_box_* or query")
    for _, subset, name in _images(probe.files):
        if parse(name) is not None or not subset.startswith("query"):
            return Confidence(60, f"{name} is an image in a folder of Market-1501")
    raise NotThisFormat("no images in bounding_box_*/ or query/, and no images_*.txt that lists such")


def _listed(source: Source, name: str) -> list[str]:
    """The paths of a list."""
    out: dict[str, int] = {}
    for line in lines(source, name):
        try:
            path = safe_name(line.text)
        except ValueError as error:
            source.problem(line.fault(str(error), "path"))
            continue
        if not PLACE.match(path):
            source.problem(line.fault(f"expected bounding_box_*/ or query/ first, got {shorten(path)}", "path"))
        if path in out:
            source.problem(line.fault(f"{shorten(path)} is there already, in line {out[path]}", "path"))
            continue
        out[path] = line.number
    return list(out)


def read(source: Source, *, sizes: bool = True) -> Dataset:
    """Read images of people.

    Args:
        source: folder or zip with ``bounding_box_*``, ``query`` or ``images_*.txt``, or one list.
        sizes: open the images that are there for their sizes.
    """
    lists = [(match.group(1), match.group(2), name) for name in source.files if (match := _LIST.fullmatch(name))]
    pictures = _images(source.files)
    roots = sorted({root for root, _, _ in (*lists, *pictures)})
    if len(roots) != 1:
        shown = ", ".join(roots[:4])
        text = f"several data sets ({shown}), name the folder of one" if roots else "no images, and no list of them"
        raise FormatError(text, file=source.path)
    root = roots[0]
    rows = [(subset, path) for _, subset, name in lists for path in _listed(source, name)]
    known = {path for _, path in rows}
    rows += [(subset, name[len(root) :]) for _, subset, name in pictures if name[len(root) :] not in known]
    named = [parse(path) for _, path in rows]
    index: list[tuple[str, str, str]] = []
    ids: set[tuple[str, str]] = set()
    for (subset, path), values in zip(rows, named, strict=True):
        key = stem(path)
        if (subset, key) in ids:
            text = "another image has this name with another ending"
            source.report.default(f"{subset}/{path}", None, "id", text, what="item")
            key = path
        ids.add((subset, key))
        index.append((subset, key, path))
        if values is None and any(named):
            text = "a name of another form says nothing: an image without attributes"
            source.report.default(f"{subset}/{key}", None, "attributes", text, what="item")
        elif values is not None and values["camera_id"] < 0:
            text = "cameras are counted from 1, got 0"
            fault = FormatError(text, file=source.display(root + path), field="camera")
            source.problem(fault, f"{subset}/{key}", what="item")
    images = Images(source)

    def load(entry: tuple[str, str, str]) -> Item:
        subset, key, path = entry
        item = Item(key, path, subset=subset)
        if sizes:
            item.width, item.height = images.size(root + path)
        values = parse(path)
        if values is not None:
            item.attributes = values
            item.annotations = [Tag(category_id=0, attributes=dict(values))]
        return item

    return Dataset(LabelSchema([Category(0, LABEL)] if any(named) else []), LazyItems(index, load))
