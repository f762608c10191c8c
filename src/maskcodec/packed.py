"""A data set as a few arrays: what loaders hold instead of objects, so that worker processes share its pages.

One row an annotation and one entry an item, whatever their number; no Python object that a worker would touch. Masks
stay run lengths until somebody decodes them.
"""

from __future__ import annotations

import json
import os
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from maskcodec.columns import RleColumn, from_polygons
from maskcodec.errors import FormatError
from maskcodec.formats._shared.conversions import Impossible, mask_of
from maskcodec.formats._shared.images import image_size
from maskcodec.masks import Rle, RleArray
from maskcodec.model.annotations import Annotation, Box, Mask
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.geometry import bounds
from maskcodec.model.losses import LossReport
from maskcodec.model.schema import Category

__all__ = ["Entry", "PackedFile", "PackedIndex", "Texts"]

_NO_AREA = "it has no pixels: no loader target is made of it"
_CHUNK = 20_000  # masks a column
_BOX = "a box alone has no mask (boxes='fill' makes one of all its pixels)"


class Entry(NamedTuple):
    """What a loader needs of one item.

    Attributes:
        size: height and width in pixels.
        labels: (n,) int64, positions of the categories; -1 for none.
        boxes: (n, 4) float64, x0, y0, x1, y1 in pixels.
        crowd: (n,) bool.
        ids: (n,) int64, ids of the annotations; -1 for those that have none or a text.
        masks: one mask a row; None when they were not asked for.
        image_id: the number of the image in a COCO file, else the item's id if it is a number, else its position.
    """

    size: tuple[int, int]
    labels: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float64]
    crowd: npt.NDArray[np.bool_]
    ids: npt.NDArray[np.int64]
    masks: RleArray | None
    image_id: int


class Texts:
    """Many texts as two arrays: the bytes, and where each begins."""

    def __init__(self, data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> None:
        self.data, self.offsets = data, offsets

    @classmethod
    def of(cls, texts: Iterable[str]) -> Texts:
        """Pack texts.

        Example:
            >>> Texts.of(["a", "", "übersicht"])[2]
            'übersicht'
        """
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(one) for one in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, at: int) -> str:
        return self.data[self.offsets[at] : self.offsets[at + 1]].tobytes().decode("utf-8", "surrogatepass")


@dataclass
class PackedIndex:
    """Columns of a data set for loaders; picklable, and shared by forked workers.

    Attributes:
        categories: of the schema, in its order.
        keys: JSON text ``[subset, id]`` of each item.
        image_ids: (items,) int64: the number of the image in a COCO file, else the item's id if it is a number, else
            its position.
        paths: of each item, "" for none.
        names: name of each item's image file below ``root``; "" where there is none; None where ``root`` is another
            folder, in which the paths are looked for.
        root: folder or zip with the images; "" when there are none to open.
        sizes: (items, 2) int32, height and width of each item in pixels.
        offsets: (items + 1,) int64: item i has the rows ``offsets[i]`` to ``offsets[i + 1]``.
        labels: (rows,) int64, position of the category in ``categories``; -1 for none.
        boxes: (rows, 4) float64, x0, y0, x1, y1 in pixels.
        crowd: (rows,) bool.
        ids: (rows,) int64, ids of the annotations; -1 for those that have none or a text.
        masks: one mask a row, as COCO text, in columns of which none ends within an item; None when they were not asked
            for.
        starts: first row of each of these columns.
        report: which annotations have no row, and why.
    """

    categories: list[Category]
    keys: Texts
    image_ids: npt.NDArray[np.int64]
    paths: Texts
    names: Texts | None
    root: str
    sizes: npt.NDArray[np.int32]
    offsets: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float64]
    crowd: npt.NDArray[np.bool_]
    ids: npt.NDArray[np.int64]
    masks: list[RleColumn] | None
    starts: list[int]
    report: LossReport = field(default_factory=LossReport)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def key(self, at: int) -> tuple[str, int | str]:
        """(subset, id) of an item."""
        subset, own = json.loads(self.keys[at])
        return subset, own

    def entry(self, at: int) -> Entry:
        """What a loader needs of an item."""
        rows = slice(int(self.offsets[at]), int(self.offsets[at + 1]))
        height, width = self.sizes[at].tolist()
        return Entry(
            (height, width), self.labels[rows], self.boxes[rows], self.crowd[rows], self.ids[rows], self.masks_of(at),
            int(self.image_ids[at]),
        )  # fmt: skip

    def file(self, at: int) -> str:
        """Name of the item's image below ``root``; "" where there is none."""
        return self.names[at] if self.names is not None else _below(self.root, self.key(at)[0], self.paths[at])

    def moved(self, root: str | os.PathLike[str]) -> PackedIndex:
        """The same with images in another folder: below it, or below ``<subset>/`` in it."""
        return replace(self, root=os.path.abspath(root), names=None)

    def masks_of(self, at: int) -> RleArray | None:
        """The masks of an item."""
        if self.masks is None:
            return None
        begin, end = int(self.offsets[at]), int(self.offsets[at + 1])
        if begin == end:
            return RleArray.from_rles([])
        which = bisect_right(self.starts, begin) - 1
        start = self.starts[which]
        return self.masks[which][begin - start : end - start].to_array()

    @classmethod
    def from_dataset(
        cls,
        dataset: Dataset,
        *,
        masks: bool = True,
        boxes: str = "skip",
        subset: str | None = None,
        images: bool = True,
    ) -> PackedIndex:
        """Pack a data set in one pass over its items.

        Args:
            dataset: as ``read`` returns it.
            masks: make a mask of every annotation that has an area (polygons by the COCO rule); False: boxes alone.
            boxes: what becomes of boxes without a mask when masks are made: "skip" (in the report), or "fill".
            subset: only the items of this subset.
            images: look for the image files.

        Raises:
            FormatError: the size of an item is neither in the file nor in its image.

        Example:
            >>> from maskcodec import Category, LabelSchema
            >>> item = Item("a", "a.png", width=8, height=6, annotations=[Box(1, 1, 4, 3, category_id=7)])
            >>> index = PackedIndex.from_dataset(Dataset(LabelSchema([Category(7, "cat")]), [item]), masks=False)
            >>> index.key(0), index.labels.tolist(), index.boxes.tolist(), index.sizes.tolist()
            (('default', 'a'), [0], [[1.0, 1.0, 4.0, 3.0]], [[6, 8]])
        """
        if boxes not in ("skip", "fill"):
            raise ValueError(f"boxes: expected 'skip' or 'fill', got {boxes!r}")
        report, media = LossReport(), dataset.media
        name_of = getattr(media, "media_name", None) if images else None
        positions = {category.id: at for at, category in enumerate(dataset.schema.categories)}
        keys: list[str] = []
        numbers: list[int] = []
        names: list[str] = []
        paths: list[str] = []
        sizes: list[tuple[int, int]] = []
        counts = [0]
        labels: list[int] = []
        corners: list[tuple[float, ...]] = []
        crowd: list[bool] = []
        ids: list[int] = []
        store = _Store()
        for item in dataset.items:
            if subset is not None and item.subset != subset:
                continue
            if item.media != "image":
                report.drop(item, None, "", "loaders are for images")
                continue
            size = _size(item, dataset)
            sized = item if item.height is not None else Item(item.id, width=size[1], height=size[0])
            own: list[Rle] = []
            for annotation in item.annotations:
                found = _row(annotation, sized, item, masks, boxes, report)
                if found is None:
                    continue
                box, rle = found
                if rle is not None:
                    own.append(rle)
                corners.append(box)
                labels.append(-1 if annotation.category_id is None else positions.get(annotation.category_id, -1))
                crowd.append(annotation.is_crowd)
                own_id = annotation.id
                ids.append(own_id if isinstance(own_id, int) and -(2**63) <= own_id < 2**63 else -1)
            if masks:
                store.add(own)
            counts.append(len(labels))
            sizes.append(size)
            keys.append(json.dumps([item.subset, item.id], ensure_ascii=False))
            numbers.append(_number(item.extras, item.id, len(numbers)))
            paths.append(item.path or "")
            names.append((name_of(item) if name_of is not None else None) or "")
        report.merge(dataset.report)
        return cls(
            list(dataset.schema.categories),
            Texts.of(keys),
            np.array(numbers, np.int64),
            Texts.of(paths),
            Texts.of(names),
            _root(media) if any(names) else "",
            np.array(sizes, np.int32).reshape(-1, 2),
            np.array(counts, np.int64),
            np.array(labels, np.int64),
            np.array(corners, np.float64).reshape(-1, 4),
            np.array(crowd, bool),
            np.array(ids, np.int64),
            store.done() if masks else None,
            store.starts,
            report,
        )


def _number(extras: dict[str, Any], own: Any, place: int) -> int:
    number = extras.get("coco", {}).get("id", own)
    return number if type(number) is int and abs(number) < 2**63 else place


def _below(root: str, subset: str, path: str) -> str:
    for name in (path, os.path.join(subset, path)) if path else ():
        if os.path.isfile(os.path.join(root, name)):
            return name
    return ""


def _size(item: Item, dataset: Dataset) -> tuple[int, int]:
    if item.height is not None and item.width is not None:
        return item.height, item.width
    stream = dataset.media.open_media(item) if dataset.media is not None else None
    if stream is None:
        raise FormatError(
            "the size is in no file and there is no image to look at", file=str(item.path or ""), record=str(item.id)
        )
    with stream:
        width, height = image_size(stream, str(item.path))
    return height, width


def _row(
    annotation: Annotation, sized: Item, item: Item, masks: bool, boxes: str, report: LossReport
) -> tuple[tuple[float, ...], Rle | None] | None:
    """Corners and mask of one annotation; None (and an entry in the report) when there is no target in it."""
    if annotation.outside:
        report.drop(item, annotation, "", "the object is outside here")
        return None
    extent = bounds(annotation) if annotation.kind in ("box", "ellipse", "polygon", "mask") else None
    if extent is None and not (masks and isinstance(annotation, Mask)):
        report.drop(item, annotation, "", _NO_AREA)
        return None
    box = tuple(map(float, extent)) if extent is not None else (0.0, 0.0, 0.0, 0.0)
    if not masks:
        return box, None
    if isinstance(annotation, Box) and boxes == "skip":
        report.drop(item, annotation, "", _BOX)
        return None
    try:
        rle = mask_of(annotation, sized)
    except Impossible as error:
        report.drop(item, annotation, "", str(error))
        return None
    if rle.shape != (sized.height, sized.width):
        raise FormatError(
            f"the mask is {rle.shape}, the image {(sized.height, sized.width)} (height, width)",
            file=str(item.path or ""), record=str(item.id), field="mask",
        )  # fmt: skip
    return box, rle


def _root(media: Any) -> str:
    source = getattr(media, "source", media)
    if getattr(source, "kind", "") == "zip":
        return os.path.abspath(source.path) if os.path.exists(source.path) else ""
    root = getattr(source, "root", None)
    return os.path.abspath(root) if root is not None else ""


class _Store:
    """Masks on their way into columns: some thousands are run lengths, the rest text already."""

    def __init__(self) -> None:
        self.columns: list[RleColumn] = []
        self.starts: list[int] = []
        self._waiting: list[Rle] = []
        self._rows = 0

    def add(self, masks: list[Rle]) -> None:
        self._waiting += masks
        if len(self._waiting) >= _CHUNK:
            self._encode()

    def _encode(self) -> None:
        self.columns.append(RleColumn.from_rles(RleArray.from_rles(self._waiting)))
        self.starts.append(self._rows)
        self._rows += len(self._waiting)
        self._waiting = []

    def done(self) -> list[RleColumn]:
        if self._waiting:
            self._encode()
        return self.columns


class PackedFile:
    """The same for a folder of the format ``arrow`` with ``file="ipc"``: nothing is loaded, workers share its pages.

    Rows that hold masks and polygons without holes are decoded from the file; items with other kinds are read as
    objects. It pickles as its path.

    Args:
        path: the folder.
        masks, boxes, subset: as of ``PackedIndex.from_dataset``.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, masks: bool = True, boxes: str = "skip", subset: str | None = None
    ) -> None:
        from maskcodec.formats.arrow import open_packed

        if boxes not in ("skip", "fill"):
            raise ValueError(f"boxes: expected 'skip' or 'fill', got {boxes!r}")
        self._how: dict[str, Any] = {"masks": masks, "boxes": boxes, "subset": subset}
        self.packed = open_packed(path)
        self.root = os.path.abspath(os.path.join(path, "images"))
        self._items: dict[int, _Items] = {}
        self._rows: dict[int, _Rows] = {}
        # What pyarrow allocates first takes a whole huge page: here once, instead of in every worker that is forked.
        RleColumn(self.packed.column("mask", range(0)))
        self.places: npt.NDArray[np.int64] | None = None
        if subset is not None:
            names = np.array(self.packed.items("subset").to_pylist(), object)
            self.places = np.flatnonzero(names == subset)

    def __reduce__(self) -> tuple[Any, ...]:
        return _packed_file, (self.packed.path, self.root, self._how)

    def __len__(self) -> int:
        return len(self.packed) if self.places is None else len(self.places)

    def _place(self, at: int) -> int:
        return at if self.places is None else int(self.places[at])

    @property
    def categories(self) -> list[Category]:
        """Of the schema, in its order."""
        return self.packed.schema.categories

    @property
    def report(self) -> LossReport:
        """Which annotations have no row, and why; a pass over the file."""
        report = LossReport()
        for at in range(len(self)):
            self._objects(self._place(at), report)
        return report

    def key(self, at: int) -> tuple[str, int | str]:
        """(subset, id) of an item."""
        place = self._place(at)
        number = self._cell("id", place)
        return self._cell("subset", place), self._cell("id_text", place) if number is None else number

    def file(self, at: int) -> str:
        """Name of the item's image below ``root``; "" where there is none."""
        place = self._place(at)
        return _below(self.root, self._cell("subset", place), self._cell("path", place) or "")

    def moved(self, root: str | os.PathLike[str]) -> PackedFile:
        """The same with images in another folder: below it, or below ``<subset>/`` in it."""
        return _packed_file(self.packed.path, os.path.abspath(root), self._how)

    def _cell(self, column: str, place: int) -> Any:
        return self.packed.items(column, range(place, place + 1))[0].as_py()

    def entry(self, at: int) -> Entry:
        """What a loader needs of an item."""
        place = self._place(at)
        item, row = self._piece(self._items, "items", place)
        height, width, number = item.whole("height", row), item.whole("width", row), item.whole("id", row)
        extras = item.text("extras", row)
        image_id = _number(json.loads(extras) if extras else {}, number, at)
        if height is None or width is None:
            return self._entry_of_objects(place, image_id)
        count = item.whole("count", row) or 0
        if not count:
            none = np.zeros(0, np.int64)
            masks = RleArray.from_rles([]) if self._how["masks"] else None
            return Entry((height, width), none, np.zeros((0, 4)), none.astype(bool), none, masks, image_id)
        piece, begin = self._piece(self._rows, "annotations", item.whole("first", row) or 0)
        rows = slice(begin, begin + count)
        if begin + count > len(piece.plain) or not piece.plain[rows].all():
            return self._entry_of_objects(place, image_id)
        masks = self._masks(piece, rows, height, width) if self._how["masks"] else None
        return Entry(
            (height, width), piece.category[rows].astype(np.int64), np.nan_to_num(piece.box[rows]), piece.crowd[rows],
            piece.ids[rows], masks, image_id,
        )  # fmt: skip

    def _piece(self, known: dict[int, Any], table: str, row: int) -> tuple[Any, int]:
        """The piece of a table that a row is in, and its number there."""
        of = self.packed.table(table)
        at = bisect_right(of.starts, row) - 1
        if at not in known:
            made = _Items(of.piece(at)) if table == "items" else _Rows(of.piece(at), self._how["masks"])
            known[at] = made
        return known[at], row - of.starts[at]

    def _masks(self, piece: _Rows, rows: slice, height: int, width: int) -> RleArray:
        polygons = piece.polygon[rows]
        if not polygons.any():
            masks = piece.masks[rows].to_array()
        else:
            masks = from_polygons(piece.rings[rows], height, width).to_array("empty")
            if not polygons.all():
                both = RleArray.concatenate([masks, piece.masks[rows].to_array("empty")])
                masks = both.take(np.arange(len(polygons)) + len(polygons) * ~polygons)
        wrong = np.flatnonzero((masks.sizes != (height, width)).any(axis=1))
        if len(wrong):
            raise FormatError(
                f"the mask is {tuple(masks.sizes[wrong[0]].tolist())}, the image {(height, width)} (height, width)",
                file=self.packed.path, record=f"annotations, row {rows.start + int(wrong[0])} of a batch",
                field="mask",
            )  # fmt: skip
        return masks

    def _objects(self, place: int, report: LossReport) -> PackedIndex:
        how = {**self._how, "subset": None}
        data = Dataset(self.packed.schema, [self.packed.item(place)])
        index = PackedIndex.from_dataset(data, images=False, **how)
        report.merge(index.report)
        return index

    def _entry_of_objects(self, place: int, image_id: int) -> Entry:
        index = self._objects(place, LossReport())
        if not len(index):
            raise FormatError("a point cloud, loaders are for images", file=self.packed.path, record=f"items[{place}]")
        return index.entry(0)._replace(image_id=image_id)


# Batches are looked at through their buffers: the functions of pyarrow.compute would do, but importing that module
# costs every worker more memory than the data.


def _bits(buffer: Any, offset: int, count: int) -> Any:
    packed = np.frombuffer(buffer, np.uint8)[offset // 8 : (offset + count + 7) // 8]
    return np.unpackbits(packed, bitorder="little")[offset % 8 : offset % 8 + count].astype(bool)


def _valid(column: Any) -> Any:
    """(n,) flags, False where null; None where nothing is."""
    buffer = column.buffers()[0]
    if buffer is None or not column.null_count:
        return None
    return _bits(buffer, column.offset, len(column))


def _values(column: Any, kind: Any, null: Any) -> npt.NDArray[Any]:
    """The values of a column of fixed width, ``null`` for null; a view where there is no null."""
    buffer = column.buffers()[1]
    if buffer is None:
        return np.full(len(column), null, kind)
    if kind is bool:
        values = _bits(buffer, column.offset, len(column))
    else:
        values = np.frombuffer(buffer, kind)[column.offset : column.offset + len(column)]
    valid = _valid(column)
    filled: npt.NDArray[Any] = np.where(valid, values, np.asarray(null, values.dtype)) if valid is not None else values
    return filled


def _equal(column: Any, text: bytes) -> Any:
    """(n,) flags, True where a column of strings has this text."""
    _, offsets, data = column.buffers()
    if data is None:
        return np.zeros(len(column), bool)
    at = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    found = np.diff(at) == len(text)
    places, letters = at[:-1][found], np.frombuffer(data, np.uint8)
    same = np.ones(len(places), bool)
    for k, letter in enumerate(text):  # one letter of all at a time, so that little memory is touched
        same &= letters[places + k] == letter
    found[found] = same
    valid = _valid(column)
    if valid is not None:
        found &= valid
    return found


class _Items:
    """A batch of items: views of the file."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch
        self._numbers: dict[str, Any] = {}

    def whole(self, name: str, row: int) -> int | None:
        """A whole number; None for null."""
        if name not in self._numbers:
            column = self._batch.column(name)
            self._numbers[name] = (_values(column, np.int64, 0), _valid(column))
        values, valid = self._numbers[name]
        return None if valid is not None and not valid[row] else int(values[row])

    def text(self, name: str, row: int) -> str | None:
        """A text; None for null."""
        found: str | None = self._batch.column(name)[row].as_py()
        return found


class _Rows:
    """A batch of annotations: views of the file, and some flags a row.

    ``plain`` rows need no look at objects: masks and polygons without holes; where no masks are asked for, unrotated
    boxes and ellipses too.
    """

    def __init__(self, batch: Any, masks: bool) -> None:
        kind = batch.column("kind")
        self.polygon = _equal(kind, b"polygon")
        self.plain = _equal(kind, b"mask") | self.polygon
        if masks:
            holes, valid = batch.column("holes"), _valid(batch.column("holes"))
            marked = np.full(len(kind), not holes.null_count) if valid is None else valid
            self.plain &= ~(self.polygon & (marked | (_values(batch.column("dims"), np.int8, 0) == 3)))
        else:
            flat = _values(batch.column("rotation"), np.float64, 0.0) == 0
            self.plain |= (_equal(kind, b"box") | _equal(kind, b"ellipse")) & flat
        boxes = batch.column("box")
        corners = np.frombuffer(boxes.values.buffers()[1] or b"", np.float64)
        begin = 4 * boxes.offset + boxes.values.offset
        self.box = corners[begin : begin + 4 * len(boxes)].reshape(-1, 4)
        self.plain &= ~_values(batch.column("outside"), bool, False) & ~np.isnan(self.box).any(axis=1)
        self.category = _values(batch.column("category"), np.int32, -1)
        self.crowd = _values(batch.column("is_crowd"), bool, False)
        self.ids = _values(batch.column("id"), np.int64, -1)
        self.rings = _Slices(batch.column("rings"))
        self.masks = RleColumn(batch.column("mask"))


class _Slices:
    """Rows of an Arrow array as Python slices them."""

    def __init__(self, array: Any) -> None:
        self._array = array

    def __getitem__(self, rows: slice) -> Any:
        return self._array.slice(rows.start, rows.stop - rows.start)


def _packed_file(path: str, root: str, how: dict[str, Any]) -> PackedFile:
    made = PackedFile(path, **how)
    made.root = root
    return made
