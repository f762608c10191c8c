"""Class maps: one PNG an image, whose values or colours are those of a class table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.faults import Faults
from maskcodec.formats._shared.images import PngHeader, image_size, read_png
from maskcodec.formats._shared.source import Source
from maskcodec.formats.hasty_imports import classes
from maskcodec.idmaps import unpack_ids
from maskcodec.masks import RleArray
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category

__all__ = ["NAMESPACE", "detect", "read"]

NAMESPACE = "hasty_semantic"


def _layout(source: Source) -> tuple[str | None, list[str]]:
    """The class table, and the maps in its folder and below; images beside them are none."""
    names = [n for n in source.files if n.lower().endswith(".json")]
    tables = [n for n in names if classes.is_table(source.document(n), n)]
    table = min(tables, key=lambda n: (n.count("/"), n)) if tables else None
    root = table.rpartition("/")[0] + "/" if table and "/" in table else ""
    maps = [n for n in source.files if n.startswith(root) and n.lower().endswith(".png")]
    own = [n for n in maps if not n[len(root) :].startswith("images/")]
    return table, own or maps


def detect(probe: Probe) -> Confidence:
    """A class table with PNG files beside or below it."""
    table, maps = _layout(probe.source)
    if table is None:
        raise NotThisFormat("no JSON list of classes")
    if not maps:
        raise NotThisFormat(f"no PNG file beside or below {table}")
    return Confidence(80, f"{table} is a list of classes, with {len(maps)} PNG files")


def read(source: Source, *, categories: list[Category] | None = None) -> Dataset:
    """Read class maps.

    Args:
        source: folder or zip with PNG files and, beside or above them, the JSON list of classes.
        categories: the classes, where there is no such list; grey maps need ``png_index`` in
            ``extras["hasty_classes"]``.
    """
    table, maps = _layout(source)
    if table is not None:
        categories = classes.read_categories(source, source.document(table))
    elif categories is None:
        error = FormatError("no JSON list of classes beside the maps", file=source.path)
        source.problem(error)
        categories = []
    root = table.rpartition("/")[0] + "/" if table and "/" in table else ""
    reader = _Reader(source, categories, root, table is None)
    dataset = Dataset(items=LazyItems(maps, reader.item))
    dataset.schema.categories = categories
    if table is None:
        for name in maps:  # classes named by their values: every map has to be looked at first
            reader.item(name)
    return dataset


class _Reader(Faults):
    def __init__(self, source: Source, categories: list[Category], root: str, invent: bool) -> None:
        self.source, self.categories, self.root, self.invent = source, categories, root, invent
        self.seen: set[str] = set()
        self.images: dict[str, list[str]] = {}  # by name with and without ending
        for name in source.files:
            inner = name.removeprefix(f"{root}images/")
            if inner != name:
                self.images.setdefault(inner.rpartition(".")[0], []).append(name)
                self.images.setdefault(inner, []).append(name)  # a map is named so where two images have one name
        self.by_index: dict[int, Category] = {}
        self.by_color: dict[int, list[Category]] = {}
        for category in categories:
            index = category.extras.get(classes.NAMESPACE, {}).get("png_index")
            if isinstance(index, int):
                self.by_index[index] = category
            color = index if isinstance(index, list) else category.color
            if color is not None:
                if isinstance(index, list) and category.color is not None and tuple(index) != category.color[:3]:
                    source.report.approximate(category.name, None, "color", "png_index is painted, not color",
                                              what="category")  # fmt: skip
                key = color[0] | color[1] << 8 | color[2] << 16
                self.by_color.setdefault(key, []).append(category)

    def item(self, name: str) -> Item | None:
        """Read one map."""
        file = self.source.display(name)
        self.quiet = name in self.seen
        self.seen.add(name)
        try:
            values, table, channels = self._values(name, file)
            item = self._named(name, values.shape)
            self._check_image(item, file)
            item.extras = {NAMESPACE: {"channels": channels}} if channels != 1 else {}
            ids, masks = RleArray.from_label_map(values)
            found = []
            for value, rle in zip(ids.tolist(), masks, strict=True):
                x, y, _, _ = rle.bbox
                try:
                    category = self._category(value, table, file, f"pixel ({x}.., {y}..)")
                except FormatError as error:
                    self.problem(error, item, f"value {value}")
                    continue
                found.append(Mask(rle, category_id=category.id))
        except FormatError as error:
            self.problem(error)
            return None
        order = {category.id: at for at, category in enumerate(self.categories)}
        item.annotations = sorted(found, key=lambda mask: order[mask.category_id])  # type: ignore[index]
        return item

    def _check_image(self, item: Item, file: str) -> None:
        """Hold a map against the image of its name, where images are given."""
        if not self.images:
            return
        stem = str(item.id) if item.subset == "default" else f"{item.subset}/{item.id}"
        found = self.images.get(stem, [])
        if not found:
            raise FormatError(f"no image of the name {shorten(stem)} in images/", file=file)
        if len(found) > 1:
            self.note(item, None, "path", f"several images fit: {', '.join(found[:3])}")
            return
        with self.source.open(found[0]) as stream:
            width, height = image_size(stream, self.source.display(found[0]))
        if (width, height) != (item.width, item.height):
            raise FormatError(f"the map is {item.width} x {item.height}, the image {width} x {height}", file=file)

    def _named(self, name: str, shape: tuple[int, ...]) -> Item:
        inner = name[len(self.root) :]
        subset, slash, base = inner.partition("/")
        stem = (base if slash else inner).rpartition(".")[0]
        return Item(stem, None, "image", shape[1], shape[0], subset if slash else "default")

    def _values(self, name: str, file: str) -> tuple[npt.NDArray[Any], str, int]:
        """The map as one number a pixel, whether these are indices or colours, and the channels of the file."""
        pixels, header, palette = read_png(self.source.read(name), file)
        if palette is not None:
            present = set(np.unique(pixels).tolist()) - {0}
            if present <= self.by_index.keys():
                return pixels, "index", 1
            return unpack_ids(palette[pixels]), "color", 3
        if header.color_type in (4, 6):
            alpha = pixels[..., -1]
            if alpha.size and int(alpha.min()) != 255:
                raise FormatError("a class map is opaque, its alpha channel is not 255 everywhere", file=file)
            pixels = np.ascontiguousarray(pixels[..., 0] if header.color_type == 4 else pixels[..., :3])
        if pixels.ndim == 3:
            return unpack_ids(pixels), "color", 3
        self._check_grey(pixels, header, file)
        return pixels, "index", 1

    def _check_grey(self, pixels: npt.NDArray[Any], header: PngHeader, file: str) -> None:
        if header.depth == 16 and pixels.size and int(pixels.max()) > 255:
            raise FormatError(f"a one-channel class map has values up to 255, got {int(pixels.max())}", file=file)
        if self.categories and not self.by_index and pixels.any() and not self.invent:
            raise FormatError("a one-channel map, but no class has a number as png_index", file=file)

    def _category(self, value: int, table: str, file: str, where: str) -> Category:
        if table == "index":
            if value in self.by_index:
                return self.by_index[value]
            if self.invent:
                made = Category(value, str(value), extras={classes.NAMESPACE: {"png_index": value}})
                self.by_index[value] = made
                self.categories.append(made)
                return made
            raise FormatError(f"no class has the value {value}", file=file, record=where)
        color = (value & 255, value >> 8 & 255, value >> 16)
        owners = self.by_color.get(value, [])
        if len(owners) == 1:
            return owners[0]
        if owners:
            names = ", ".join(c.name for c in owners)
            raise FormatError(f"the colour {color} is that of several classes: {names}", file=file, record=where)
        raise FormatError(f"no class has the colour {color}", file=file, record=where)
