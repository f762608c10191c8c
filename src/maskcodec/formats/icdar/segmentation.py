"""Text segmentation: a colour a character in ``*_GT.bmp``, and what the colours are in ``*_GT.txt``."""

from __future__ import annotations

import re
import struct
from itertools import chain
from itertools import count as count_from
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Confidence, NotThisFormat, Probe
from maskcodec.formats._shared.images import read_png
from maskcodec.formats._shared.lines import Line
from maskcodec.formats._shared.naming import Images
from maskcodec.formats._shared.pixelmaps import color_of, packed, paint
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source
from maskcodec.formats.icdar.texts import LABEL, NAMESPACE, one_label, one_line, one_table, quoted, unquoted
from maskcodec.idmaps import unpack_ids, voc_palette
from maskcodec.masks import Rle, RleArray
from maskcodec.model.annotations import Box, Mask
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category, LabelSchema

__all__ = ["by_label", "detect", "read", "write"]

_FILE = re.compile(r"(.*)_GT\.txt", re.IGNORECASE)
_WHITE = packed((255, 255, 255))
_VOC = voc_palette(256).tolist()


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
    if packed(color) == _WHITE:
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


def write_bmp(pixels: npt.NDArray[np.uint8]) -> bytes:
    """A BMP of 24 bits, rows from the bottom up, each filled to a multiple of 4 bytes; ``pixels`` is (H, W, 3)."""
    height, width, _ = pixels.shape
    stride = (width * 3 + 3) // 4 * 4
    rows = np.zeros((height, stride), np.uint8)
    rows[:, : width * 3] = pixels[::-1, :, ::-1].reshape(height, width * 3)
    size = stride * height
    sizes = (54 + size, 0, 54, 40, width, height, 1, 24, 0, size, 2835, 2835, 0, 0)
    head = struct.pack("<2sIIIIiiHHIIiiII", b"BM", *sizes)
    return head + rows.tobytes()


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
            item.annotations.append(mask)
        return item

    return Dataset(LabelSchema([Category(0, LABEL)] if pairs else []), LazyItems(sorted(pairs), load))


def _attributes(at: int, one: _Character) -> dict[str, Any]:
    color = " ".join(map(str, color_of(one.color)))
    return {"index": at, "text": one.text, "color": color, "center": one.center} | (
        {"ignore": True} if one.ignored else {}
    )


def _undeclared(source: Source, item: Item, name: str, regions: dict[int, Rle], known: set[int]) -> None:
    """Tell of colours that no line declares; their pixels are left out."""
    rest = {value: rle.area for value, rle in regions.items() if value not in known and value != _WHITE}
    if rest:
        value, area = max(rest.items(), key=lambda entry: entry[1])
        text = f"{len(rest)} undeclared colours, {color_of(value)} with {area} pixels"
        source.problem(FormatError(text, file=source.display(name), field="color"), item, what="pixels")


# --- writing ----------------------------------------------------------------------------------------------------------
def by_label(item: Item, source: Item, report: LossReport, schema: LabelSchema) -> None:
    """Words together, numbers and colours of all characters."""
    masks = [mask for mask in item.annotations if isinstance(mask, Mask)]
    first: dict[Any, int] = {}
    for at, mask in enumerate(masks):
        first.setdefault(mask.group_id if mask.group_id is not None else (at,), at)
    order = sorted(masks, key=lambda mask: first[mask.group_id] if mask.group_id is not None else masks.index(mask))
    if any(a is not b for a, b in zip(order, masks, strict=True)):
        report.approximate(source, None, "annotations", "the characters of a word stand together")
    counts: dict[Any, int] = {}
    for mask in order:
        counts[mask.group_id] = counts.get(mask.group_id, 0) + 1
    groups = {key: at for at, key in enumerate((k for k in counts if k is not None and counts[k] > 1), 1)}
    taken = {color for mask in order if (color := _color(mask.attributes.get("color"))) is not None}
    free = chain((packed(color) for color in _VOC[1:]), count_from(1))
    used: set[int] = set()
    for at, mask in enumerate(order):
        one_label(mask, source, report, schema)
        group = groups.get(mask.group_id)
        if mask.group_id is not None and group is None:
            report.drop(source, mask, "group_id", "a word of one character is no group")
        elif group != mask.group_id:
            report.rename(source, mask, "group_id", "words are numbered")
        mask.group_id = group
        _fill(mask, at, source, report)
        color = _color(mask.attributes.get("color"))
        if color is None or color in used:
            tell = report.default if mask.attributes.get("color") is None else report.approximate
            tell(source, mask, "attributes.color", "each character has a colour of its own, not white")
            color = next(c for c in free if c not in taken and c not in used and c != _WHITE)
        used.add(color)
        mask.attributes["color"] = " ".join(map(str, color_of(color)))
    item.annotations = list(order)


def _color(value: Any) -> int | None:
    found = re.fullmatch("([0-9]{1,3}) ([0-9]{1,3}) ([0-9]{1,3})", value) if isinstance(value, str) else None
    color = [int(text) for text in found.groups()] if found else [256]
    return packed(color) if max(color) < 256 and packed(color) != _WHITE else None


def _fill(mask: Mask, at: int, source: Item, report: LossReport) -> None:
    """The attributes that a line has."""
    own = dict(mask.attributes)
    if type(own.get("index")) is not int or own["index"] != at:
        tell = report.default if "index" not in own else report.rename
        tell(source, mask, "attributes.index", "characters are numbered in their order")
    text = own.get("text")
    if not isinstance(text, str) or one_line(text) != text:
        tell = report.default if text is None else report.approximate
        tell(source, mask, "attributes.text", "a line has a text in quotes")
    center = own.get("center")
    if not isinstance(center, str) or not re.fullmatch(r"- -|-?[0-9.]+ -?[0-9.]+", center):
        x, y, w, h = mask.rle.bbox
        tell = report.default if center is None else report.approximate
        tell(source, mask, "attributes.center", "that of the pixels")
        center = f"{int(x + w / 2)} {int(y + h / 2)}" if mask.rle.area else "- -"
    mask.attributes = {"index": at, "text": one_line(str(text)) if text is not None else "", "center": center,
                       "color": own.get("color")}  # fmt: skip
    if own.get("ignore") is True:
        mask.attributes["ignore"] = True
    elif "ignore" in own:
        report.drop(source, mask, "attributes.ignore", "a line says it or does not")


def write(dataset: Dataset, sink: NullSink, report: LossReport) -> None:
    """Write ``<subset>/<image>_GT.txt`` and ``<image>_GT.bmp``.

    Args:
        dataset: masks that do not overlap.
        sink: the output.
        report: hears of special losses.
    """
    last: dict[str, str] = {}
    in_order = True
    for item in dataset.items:
        if not item.width or not item.height:
            report.drop(item, None, "", "an image of unknown size has no mask")
            continue
        masks = [mask for mask in item.annotations if isinstance(mask, Mask)]
        rows: list[str] = []
        before: Any = None
        table = [(255, 255, 255)]
        for mask in masks:
            if rows and (mask.group_id is None or mask.group_id != before):
                rows.append("")
            before = mask.group_id
            own = mask.attributes
            x, y, w, h = (int(value) for value in mask.rle.bbox)
            box = mask.extras.get(NAMESPACE, {}).get("box") or [x, y, x + w, y + h]
            mark = "#" if own.get("ignore") else ""
            rows.append(f"{mark}{own['color']} {own['center']} {' '.join(map(str, box))} {quoted(own['text'])}")
            table.append(color_of(_color(own["color"]) or 0))
        values = paint(item, masks, range(1, len(masks) + 1), np.uint32)
        sink.write(f"{item.subset}/{item.id}_GT.txt", "".join(f"{row}\n" for row in rows).encode("utf-8"))
        sink.write(f"{item.subset}/{item.id}_GT.bmp", write_bmp(np.array(table, np.uint8)[values]))
        in_order = in_order and last.get(item.subset, "") <= str(item.id)
        last[item.subset] = str(item.id)
    one_table(dataset.schema, report, bool(last))
    if not in_order:
        report.approximate(None, None, "items", "images come back sorted by their names", what="dataset")
