"""Reading Open Images."""

from __future__ import annotations

from math import inf, isfinite, nextafter
from typing import Any

import numpy as np

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._shared.images import read_png
from maskcodec.formats._shared.lines import NUMBER, Line, decimal
from maskcodec.formats._shared.maskpng import read_mask
from maskcodec.formats._shared.naming import Images
from maskcodec.formats._shared.source import Source
from maskcodec.formats.open_images.schema import classes, hierarchy_of, listed, sizes
from maskcodec.formats.open_images.tables import BOXES, FLAGS, LABELS, MASKS, NAMESPACE, Files, Rows, mask_name
from maskcodec.masks import Rle
from maskcodec.model.annotations import Annotation, Box, Mask, Tag
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category

__all__ = ["SIDES", "TOLERANCE", "fraction", "read"]

SIDES = ("XMin", "XMax", "YMin", "YMax")
TOLERANCE = 1e-6
_FIELDS = {"IsGroupOf": "is_group_of", "IsDepiction": "is_depiction", "IsInside": "is_inside"}


def fraction(value: float, size: int) -> float:
    """A coordinate as a fraction of a size, that leads back to the same number where one does."""
    guess = value / size
    if guess * size == value:
        return guess
    for candidate in (nextafter(guess, inf), nextafter(guess, -inf)):
        if candidate * size == value:
            return candidate
    return guess


def read(source: Source) -> Dataset:
    """Read Open Images.

    Args:
        source: folder or zip with tables below ``annotations`` or at the top, images and masks beside them.
    """
    reader = _Reader(source)
    dataset = Dataset(reader.schema, LazyItems(reader.entries, reader.item))
    if reader.tree is not None:
        dataset.extras[NAMESPACE] = {"hierarchy": reader.tree}
    return dataset


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source, self.files, self.images = source, Files(source.files), Images(source)
        if self.files.folder is None:
            raise FormatError("no tables of Open Images", file=source.path)
        for name in self.files.of("other"):
            source.report.unread(source.display(name), None, "", "a table of a kind that is not read", what="file")
        kinds = zip(("labels", "boxes", "masks"), (LABELS, BOXES, MASKS), strict=True)
        self.tables = {kind: Rows(source, columns, kind) for kind, columns in kinds}
        for kind, rows in self.tables.items():
            for name in self.files.of(kind):
                rows.add(name)
        self.schema = classes(source, self.files, list(self.tables.values()))
        self.ids = {category.name: category.id for category in self.schema}
        self.tree = hierarchy_of(source, self.files, self.schema)
        self.sizes = sizes(source, self.files)
        images = listed(source, self.files)
        for rows in self.tables.values():
            for image, subset in rows.subsets.items():
                images.setdefault(image, (subset, {}))
        self.rows = images
        order = dict.fromkeys(subset for subset, _ in images.values())
        self.entries = [image for subset in sorted(order) for image in images if images[image][0] == subset]

    def item(self, image: str) -> Item:
        """Load one image."""
        subset, about = self.rows[image]
        item = Item(image, subset=subset)
        if about:
            item.extras[NAMESPACE] = dict(about)
        base = f"{self.files.root}images/{subset}/"
        picture = self.images.find(f"{base}{image}", f"{self.files.root}images/{image}", f"{self.files.root}{image}")
        if picture is not None:
            item.path = picture.removeprefix(base) if picture.startswith(base) else picture
        size = self.sizes.get(image)
        item.width, item.height = size if size is not None else self.images.size(picture)
        self._each("labels", item, self._tag)
        self._each("boxes", item, self._box)
        self._each("masks", item, self._mask)
        self._groups(item)
        return item

    def _each(self, kind: str, item: Item, make: Any) -> None:
        for line, cells in self.tables[kind].of(str(item.id)):
            try:
                item.annotations.append(make(item, line, dict(cells)))
            except FormatError as error:
                self.source.problem(error, item, f"line {line.number}")

    def _common(self, annotation: Annotation, line: Line, cells: dict[str, str]) -> None:
        name = cells.pop("LabelName", "")
        cells.pop("ImageID", "")
        if name not in self.ids:
            fault = line.fault(f"label {shorten(name)} is not among the classes", "LabelName")
            self.source.problem(fault)  # a lenient reader adds it
            self.ids[name] = len(self.schema)
            self.schema.categories.append(Category(len(self.schema), name))
        annotation.category_id = self.ids[name]
        if "Confidence" in cells:
            annotation.score = _number(line, cells, "Confidence")
        if cells:
            annotation.extras[NAMESPACE] = cells

    def _tag(self, item: Item, line: Line, cells: dict[str, str]) -> Tag:
        tag = Tag()
        self._common(tag, line, cells)
        return tag

    def _box(self, item: Item, line: Line, cells: dict[str, str]) -> Box:
        values = []
        for name in SIDES:
            text = cells.get(name, "")
            value = _number(line, cells, name)
            if not -TOLERANCE <= value <= 1 + TOLERANCE:
                self.source.problem(line.fault(f"expected a fraction of the image from 0 to 1, got {text}", name))
                value = min(max(value, 0.0), 1.0)
                text = ""
            values.append((value, text))
        (x0, _), (x1, _), (y0, _), (y1, _) = values
        for low, high, name in ((x0, x1, "XMax"), (y0, y1, "YMax")):
            if high < low:
                raise line.fault(f"{high} is less than {low}", name)
        width, height = item.width or 0, item.height or 0
        known = bool(width and height)
        scale = (width, height) if known else (1, 1)
        box = Box(x0 * scale[0], y0 * scale[1], x1 * scale[0], y1 * scale[1])
        for (value, text), name, size in zip(values, SIDES, (scale[0], scale[0], scale[1], scale[1]), strict=True):
            if text and decimal(fraction(value * size, size)) != text:
                cells[name] = text
        if not known:
            cells["fractions"] = "1"
            text = "the size of the image is unknown: coordinates stay fractions of it"
            self.source.report.default(item, None, "width", text)
        for name in FLAGS:
            flag = cells.pop(name, "-1")
            if flag not in ("-1", "0", "1"):
                raise line.fault(f"expected 1, 0 or -1, got {shorten(flag)}", name)
            if name in _FIELDS and flag != "-1":
                box.attributes[_FIELDS[name]] = flag == "1"
            elif flag == "1":
                setattr(box, "occluded" if name == "IsOccluded" else "truncated", True)
            elif flag == "0" and name not in _FIELDS:
                cells[name] = "0"
        self._common(box, line, cells)
        return box

    def _mask(self, item: Item, line: Line, cells: dict[str, str]) -> Mask:
        path = cells.pop("MaskPath", "")
        key = cells.get("BoxID", "")
        for name, text in (("MaskPath", path), ("BoxID", key)):
            if not text or text in (".", "..") or any(c in text for c in "/\\\0"):
                raise line.fault(f"expected a plain name, got {shorten(text)}", name)
        place = f"{self.files.root}masks/{item.subset}/{path}"
        rle = Rle.from_counts([(item.height or 0) * (item.width or 0)], (item.height or 0, item.width or 0))
        try:
            rle = self._pixels(item, place, line)
        except FormatError as error:
            self.source.problem(error, item, f"line {line.number}")  # a lenient reader keeps the row
        mask = Mask(rle)
        mask.attributes["box_id"] = cells.pop("BoxID")
        if "PredictedIoU" in cells:
            mask.attributes["predicted_iou"] = _number(line, cells, "PredictedIoU")
        for name in SIDES:
            if f"Box{name}" in cells:
                line_text = cells[f"Box{name}"]
                if not -TOLERANCE <= _number(line, cells, f"Box{name}") <= 1 + TOLERANCE:
                    self.source.problem(line.fault(f"expected a fraction of the image, got {line_text}", f"Box{name}"))
                cells[f"Box{name}"] = line_text
        if path != mask_name(str(item.id), cells.get("LabelName", ""), key):
            cells["MaskPath"] = path
        self._common(mask, line, cells)
        return mask

    def _pixels(self, item: Item, place: str, line: Line) -> Rle:
        if not self.source.has(place):
            raise line.fault(f"the mask {place} is missing", "MaskPath")
        rle = _grey(self.source.read(place), self.source.display(place))
        if not item.width or not item.height:
            item.height, item.width = rle.shape
            self.source.report.default(item, None, "width", "the size of the image is unknown, that of a mask counts")
        if rle.shape != (item.height, item.width):
            self.source.report.default(item, "mask", "rle", "a mask of another size than the image is scaled")
            rle = rle.resize((item.height, item.width))
        return rle

    def _groups(self, item: Item) -> None:
        """Masks belong to the box of their label that has the coordinates which they name."""
        boxes = [a for a in item.annotations if isinstance(a, Box)]
        count = 0
        for mask in item.annotations:
            own = mask.extras.get(NAMESPACE, {}) if isinstance(mask, Mask) else {}
            if not all(f"Box{name}" in own for name in SIDES):
                continue
            wanted = [float(own[f"Box{name}"]) for name in SIDES]
            for box in boxes:
                w, h = (1, 1) if "fractions" in box.extras.get(NAMESPACE, {}) else (item.width or 1, item.height or 1)
                sides = (box.x0 / w, box.x1 / w, box.y0 / h, box.y1 / h)
                near = all(abs(a - b) <= TOLERANCE for a, b in zip(sides, wanted, strict=True))
                if near and box.category_id == mask.category_id:
                    if box.group_id is None:
                        count += 1
                        box.group_id = count
                    mask.group_id = box.group_id
                    break


def _grey(data: bytes, file: str) -> Rle:
    plain = read_mask(data, file)
    if plain is not None:
        return plain[0]
    pixels = read_png(data, file)[0]
    if pixels.ndim == 3:
        colors = pixels[..., :3] if pixels.shape[2] > 2 else pixels[..., :1]
        if (colors != colors[..., :1]).any():
            raise FormatError("expected one channel, got colours", file=file)
        pixels = np.ascontiguousarray(colors[..., 0])
    return Rle.from_mask(pixels)


def _number(line: Line, cells: dict[str, str], name: str) -> float:
    text = cells.pop(name, "")
    value = float(text) if NUMBER.fullmatch(text) else inf
    if not isfinite(value):
        raise line.fault(f"expected a finite number, got {shorten(text)}", name)
    return value
