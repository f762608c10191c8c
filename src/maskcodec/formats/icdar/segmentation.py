"""Text segmentation: a colour a character in ``*_GT.bmp``, and what the colours are in ``*_GT.txt``."""

from __future__ import annotations

import re
import struct
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.images import read_png
from maskcodec.formats._shared.lines import Line
from maskcodec.formats._shared.naming import Images
from maskcodec.formats._shared.pixelmaps import color_of, packed
from maskcodec.formats._shared.source import Source
from maskcodec.formats.icdar.texts import LABEL, NAMESPACE, unquoted
from maskcodec.idmaps import unpack_ids, voc_palette
from maskcodec.masks import Rle, RleArray
from maskcodec.model.annotations import Box, Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["detect", "read"]

_FILE = re.compile(r"(.*)_GT\.txt", re.IGNORECASE)
WHITE = packed((255, 255, 255))
VOC = voc_palette(256).tolist()


class _Character(NamedTuple):
    """One line."""

    color: int
    center: str
    box: list[int]
    text: str
    ignored: bool
    word: int


def _pairs(files: list[str]) -> dict[tuple[str, str], tuple[str, str | None]]:
    """(subset, id) -> text and mask."""
    have, lower = set(files), {name.lower(): name for name in files}
    out: dict[tuple[str, str], tuple[str, str | None]] = {}
    found = [(name, match.group(1)) for name in files if (match := _FILE.fullmatch(name))]
    wrapped = bool(found) and all(base.startswith("text_segmentation/") for _, base in found)
    for name, base in found:
        subset, slash, inner = base[len("text_segmentation/") if wrapped else 0 :].partition("/")
        key = (subset, inner) if slash else ("default", subset)
        exact = f"{name[:-4]}.bmp"
        out.setdefault(key, (name, exact if exact in have else lower.get(exact.lower())))
    return out


def detect(probe: Probe) -> Confidence:
    """``*_GT.txt`` with its ``*_GT.bmp``."""
    for text, mask in _pairs(probe.files).values():
        if mask is not None:
            return Confidence(80, f"{mask} is the mask of {text}")
    raise NotThisFormat("no *_GT.txt with its *_GT.bmp")


def _lines(source: Source, name: str) -> list[_Character]:
    """The characters of a file; words are parted by blank lines."""
    file, out, word = source.display(name), list[_Character](), 0
    seen: dict[int, int] = {}
    for number, raw in enumerate(source.read(name).removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        line = Line("", [], number, file)
        try:
            line.text = raw.decode("utf-8").strip()
            word += not line.text
            if not line.text:
                continue
            one = _character(source, line, word)
            if one.color in seen:
                text = f"colour {color_of(one.color)} is there already, in line {seen[one.color]}"
                raise line.fault(text, "color")
        except UnicodeDecodeError as error:
            source.problem(line.fault(f"not UTF-8 (byte {error.start} of the line)"))
            continue
        except FormatError as error:
            source.problem(error, what="character")
            continue
        seen[one.color] = number
        out.append(one)
    return out


def _character(source: Source, line: Line, word: int) -> _Character:
    ignored = line.text.startswith("#")
    fields = line.text.removeprefix("#").split(None, 9)
    line.fields = fields
    if len(fields) < 10 or not fields[9].startswith('"'):
        raise line.fault(f"expected 9 numbers and a text in quotes, got {shorten(line.text)}")
    color = [line.whole(at, name) for at, name in enumerate(("R", "G", "B"))]
    if not all(0 <= value <= 255 for value in color):
        raise line.fault(f"expected 0 to 255, got {color}", "color")
    if packed(color) == WHITE:
        raise line.fault("white is the background, no character", "color")
    center = "- -"
    if fields[3:5] != ["-", "-"]:
        center = f"{line.real(3, 'x'):g} {line.real(4, 'y'):g}"
    box = [line.whole(at, name) for at, name in enumerate(("left", "top", "right", "bottom"), 5)]
    return _Character(packed(color), center, box, unquoted(source, line, fields[9].strip()), ignored, word)


def _regions(data: bytes, file: str) -> tuple[dict[int, Rle], tuple[int, int]]:
    """The pixels of every colour; and height and width."""
    if data.startswith(b"\x89PNG"):
        pixels, _, palette = read_png(data, file)
        pixels = palette[pixels] if palette is not None else pixels
    else:
        pixels = _read_bmp(data, file)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    values = unpack_ids(np.ascontiguousarray(pixels[..., :3].astype(np.uint8, copy=False)))
    ids, masks = RleArray.from_label_map(values, background=None)
    return dict(zip(ids.tolist(), masks, strict=True)), (pixels.shape[0], pixels.shape[1])


def _read_bmp(data: bytes, file: str) -> npt.NDArray[np.uint8]:
    """Pixels of an uncompressed BMP of 24 or 32 bits, (H, W, 3).

    Raises:
        FormatError: another kind of file, or truncated.
    """
    if len(data) < 54 or data[:2] != b"BM":
        raise FormatError("neither a BMP nor a PNG file", file=file)
    begin, width, height, bits, packing = struct.unpack("<10xI4xii2xHI", data[:34])
    if bits not in (24, 32) or packing not in (0, 3) or width < 1 or not height:
        raise FormatError(f"a BMP of {bits} bits (compression {packing}), expected 24 without compression", file=file)
    count, stride = abs(height), (width * bits // 8 + 3) // 4 * 4
    if len(data) < begin + stride * count:
        raise FormatError(f"truncated: {width} x {count} pixels need {begin + stride * count} bytes", file=file)
    rows = np.frombuffer(data, np.uint8, stride * count, begin).reshape(count, stride)[:, : width * bits // 8]
    pixels = rows.reshape(count, width, bits // 8)[:, :, 2::-1]
    return np.ascontiguousarray(pixels[::-1] if height > 0 else pixels)


def read(source: Source) -> Dataset:
    """Read characters.

    Args:
        source: folder or zip with ``<subset>/<image>_GT.txt`` and ``<image>_GT.bmp``.
    """
    pairs = _pairs(source.files)
    if not pairs and source.files:
        raise FormatError("no *_GT.txt", file=source.path)
    images = Images(source)

    def load(entry: tuple[str, str]) -> Item:
        subset, key = entry
        text, bitmap = pairs[entry]
        item = Item(key, subset=subset)
        for folder in (f"{subset}/images/", f"{subset}/", f"text_segmentation/{subset}/images/", "images/", ""):
            picture = images.find(folder + key)
            if picture is not None:
                item.path = picture[len(folder) :]
                item.width, item.height = images.size(picture)
                break
        characters = _lines(source, text)
        if bitmap is None:
            source.problem(FormatError("there is no *_GT.bmp beside it", file=source.display(text)), item)
            for at, one in enumerate(characters):
                item.annotations.append(Box(*one.box, category_id=0, attributes=_attributes(at, one)))
            return item
        regions, shape = _regions(source.read(bitmap), source.display(bitmap))
        if item.width is not None and (item.height, item.width) != shape:
            fault = f"{shape[1]} x {shape[0]} pixels, its image has {item.width} x {item.height}"
            source.problem(FormatError(fault, file=source.display(bitmap)), item)
        item.height, item.width = shape
        _undeclared(source, item, bitmap, regions, {one.color for one in characters})
        words: dict[int, int] = {}
        for one in characters:
            words[one.word] = words.get(one.word, 0) + 1
        groups = {word: at for at, word in enumerate((w for w, count in words.items() if count > 1), 1)}
        for at, one in enumerate(characters):
            rle = regions[one.color] if one.color in regions else Rle.from_box((0, 0, 0, 0), shape)
            mask = Mask(rle, category_id=0, group_id=groups.get(one.word), attributes=_attributes(at, one))
            mask.extras = {NAMESPACE: {"box": one.box}}
            if not _encloses(one.box, rle):
                text = "the box of the line is another one than that of its pixels, these count"
                source.report.default(item, mask, "box", text)
            item.annotations.append(mask)
        return item

    return Dataset(LabelSchema([Category(0, LABEL)] if pairs else []), LazyItems(sorted(pairs), load))


def _encloses(box: list[int], rle: Rle) -> bool:
    """Whether a box is that of a mask, its last column and row counted in or not."""
    x, y, width, height = map(int, rle.bbox)
    left, top, right, bottom = box
    same = right - (x + width) in (-1, 0) and bottom - (y + height) in (-1, 0)
    return not rle.area or (left == x and top == y and same)


def _attributes(at: int, one: _Character) -> dict[str, Any]:
    color = " ".join(map(str, color_of(one.color)))
    return {"index": at, "text": one.text, "color": color, "center": one.center} | (
        {"ignore": True} if one.ignored else {}
    )


def _undeclared(source: Source, item: Item, name: str, regions: dict[int, Rle], known: set[int]) -> None:
    """Tell of colours that no line declares; their pixels are left out."""
    rest = {value: rle.area for value, rle in regions.items() if value not in known and value != WHITE}
    if rest:
        value, area = max(rest.items(), key=lambda entry: entry[1])
        text = f"{len(rest)} undeclared colours, {color_of(value)} with {area} pixels"
        source.problem(FormatError(text, file=source.display(name), field="color"), item, what="pixels")
