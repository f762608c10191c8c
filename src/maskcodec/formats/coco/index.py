"""One COCO document: places of its records, annotations grouped by image; records are decoded on request."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Source
from maskcodec.formats._shared import jsonio
from maskcodec.formats._shared.jsonio import Records
from maskcodec.formats._shared.source import safe_name
from maskcodec.formats.coco.compact import Places, Texts
from maskcodec.formats.coco.ids import SoundHead, annotation_head, image_head, plain, plain_id, sound_heads
from maskcodec.formats.coco.schema import Dialect, read_category
from maskcodec.model.dataset import Item
from maskcodec.model.schema import Category

__all__ = ["File"]

_LARGEST_SIDE = 2**31 - 1
_CHUNK = 2048  # records whose ids are read at once
_TAKES = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class File:
    """One document of one task and subset.

    Attributes:
        names: path of each image kept.
        place: id -> position in ``names``.
        kept: position -> number of the record in ``images``.
        order: numbers of the annotations by image, None where that is the order of the file.
        grouped: whether the annotations come in the order of their images.
        categories: of the file, in its order.
        known: ids of the categories in the file.
        renamed: id of a category in the file -> in the data set, where they differ.
    """

    def __init__(self, source: Source, name: str, subset: str, task: str, dialect: Dialect) -> None:
        document = source.document(name)
        self.source, self.document, self.subset, self.task, self.dialect = source, document, subset, task, dialect
        self.file, self.name = document.file, name
        if document.broken is not None:
            raise document.broken
        for key in document.repeated:
            self.problem("key twice at the top level (duplicate)", "", key)
        self.images = document.records("images")
        if task == "image_info" and "annotations" not in document.keys:
            none = np.empty(0, np.int64)
            self.annotations = Records(b"", "annotations", self.file, none, none)
        else:
            self.annotations = document.records("annotations")
        self.names, self.kept = Texts(), array("q")
        self.place = self._index_images()
        self.order, self.starts, self.grouped = self._index_annotations()
        self.categories = self._categories()
        self.renamed: dict[Any, int | str] = {}
        self.known = {category.id for category in self.categories}
        self.points = {category.id: len(category.keypoints) for category in self.categories if category.keypoints}

    def problem(self, message: str, record: str, field: str, item: Any = None, annotation: Any = None) -> None:
        error = FormatError(message, file=self.file, record=record, field=field)
        self.source.problem(error, item, annotation)

    @property
    def repeat(self) -> Any:
        """What to do about a repeated key."""
        return self.source.problem if self.source.on_error == "skip" else None

    def top(self) -> dict[str, Any]:
        """Top-level values besides the big lists."""
        wanted = (key for key in self.document.keys if key not in ("images", "annotations", "categories"))
        return {key: self.document.value(key, self.repeat) for key in wanted}

    def _categories(self) -> list[Category]:
        found: dict[Any, Category] = {}
        if "categories" not in self.document.keys or self.document.type_of("categories") == "null":
            return []
        records = self.document.records("categories")
        for at in range(len(records)):
            try:
                row = jsonio.decode(records.raw(at), file=self.file, record=records.name(at), repeat=self.repeat)
                category = read_category(row, self.file, at, self.dialect)
            except FormatError as error:
                self.source.problem(error)
                continue
            if category.id in found:
                self.problem("duplicate id", f"categories[{at}] (id {category.id})", "id")
                continue
            found[category.id] = category
        return list(found.values())

    def _index_images(self) -> Places:
        place: dict[Any, None] = {}
        for at in range(len(self.images)):
            try:
                number, name = self._image_head(at)
            except FormatError as error:
                self.source.problem(error)
                continue
            if plain(number) in place:
                self.problem("duplicate id", f"images[{at}] (id {number})", "id")
                continue
            place[plain(number)] = None
            self.kept.append(at)
            self.names.append(name)
        return Places(list(place))

    def _image_head(self, at: int) -> tuple[int | str, str]:
        raw = self.images.raw(at)
        number: Any
        try:
            head = image_head.decode(raw)
            number, name, address = head.id, head.file_name, head.coco_url
        except _TAKES:
            record = self.images.name(at)
            row = jsonio.decode(raw, file=self.file, record=record, repeat=lambda error: None)
            if not isinstance(row, dict):
                raise FormatError(f"expected an object, got {shorten(row)}", file=self.file, record=record) from None
            number, name, address = row.get("id"), row.get("file_name"), row.get("coco_url")
        if not plain_id(number):
            text = f"expected an integer of at most 64 bits, got {shorten(number)}"
            raise FormatError(text, file=self.file, record=self.images.name(at), field="id")
        if name is None and isinstance(address, str):
            name = address.rpartition("/")[2]
        try:
            return number, safe_name(name)
        except ValueError as error:
            record = f"images[{at}] (id {number})"
            raise FormatError(str(error), file=self.file, record=record, field="file_name") from error

    def _index_annotations(self) -> tuple[npt.NDArray[Any] | None, npt.NDArray[np.int64], bool]:
        small = np.int32 if max(len(self.annotations), len(self.kept)) < 2**31 else np.int64
        owner: npt.NDArray[Any] = np.full(len(self.annotations), -1, dtype=small)
        if not self._owners_of_sound(owner):
            seen: set[Any] = set()  # some record needs a closer look: all are looked at, in file order
            for at in range(len(owner)):
                owner[at] = self._owner(at, seen)
        listed = owner[owner >= 0] if owner.min(initial=0) < 0 else owner
        grouped = bool((listed[1:] >= listed[:-1]).all())
        order = None if grouped and listed is owner else np.argsort(owner, kind="stable").astype(small)
        starts = np.zeros(len(self.kept) + 1, dtype=np.int64)
        np.cumsum(np.bincount(listed, minlength=len(self.kept)), out=starts[1:])
        starts += len(owner) - len(listed)
        return order, starts, grouped

    def _owners_of_sound(self, owner: npt.NDArray[Any]) -> bool:
        """Enter the positions of the images of all annotations; False where a record needs a closer look."""
        ids = np.empty(len(owner), dtype=np.int64)
        for first, last, heads in self._heads():
            found = self.place.find([head.image_id for head in heads])
            if not heads or found.min() < 0:
                return False
            owner[first:last] = found
            ids[first:last] = [head.id for head in heads]
        ids.sort()
        return not bool((ids[1:] == ids[:-1]).any())

    def _heads(self) -> Iterator[tuple[int, int, list[SoundHead]]]:
        """Ids of the annotations, many at once; an empty list where some of them need a closer look."""
        for first in range(0, len(self.annotations), _CHUNK):
            last = min(first + _CHUNK, len(self.annotations))
            try:
                heads = [] if self.task == "panoptic" else sound_heads.decode(self.annotations.chunk(first, last))
            except _TAKES:
                heads = []
            yield first, last, heads if len(heads) == last - first else []

    def _owner(self, at: int, seen: set[Any]) -> int:
        """Position of the image of one annotation, -1 when it has to be skipped."""
        try:
            image_id, number = self._annotation_head(at)
        except FormatError as error:
            self.source.problem(error)
            return -1
        record = f"annotations[{at}]" + (f" (id {number})" if number is not None else "")
        if number is not None:
            if plain(number) in seen:
                self.problem("duplicate id", record, "id")
            seen.add(plain(number))
        elif self.task != "panoptic":
            self.problem("required key is missing", record, "id")
        found = self.place.get(plain(image_id))
        if found is None:
            self.problem(f"no image with the id {shorten(image_id)}", record, "image_id")
            return -1
        return found

    def _annotation_head(self, at: int) -> tuple[Any, Any]:
        raw = self.annotations.raw(at)
        try:
            head = annotation_head.decode(raw)
            if plain_id(head.image_id) and (head.id is None or plain_id(head.id)):
                return head.image_id, head.id
        except _TAKES:
            pass  # found out below, field by field
        record = self.annotations.name(at)
        row = jsonio.fields(raw, file=self.file, record=record, repeat=lambda error: None)
        number = jsonio.decode(row["id"], file=self.file, record=record, field="id") if "id" in row else None
        if number is not None and not plain_id(number):
            raise FormatError(f"expected an integer, got {shorten(number)}", file=self.file, record=record, field="id")
        record += f" (id {number})" if number is not None else ""
        owner = jsonio.decode(row.get("image_id", jsonio.Raw(b"null")), file=self.file, record=record, field="image_id")
        if not plain_id(owner):
            text = f"expected the id of an image, got {shorten(owner)}"
            raise FormatError(text, file=self.file, record=record, field="image_id")
        return owner, number

    def of_image(self, at: int) -> list[int]:
        """Numbers of the annotation records of an image, in file order."""
        first, last = int(self.starts[at]), int(self.starts[at + 1])
        return list(range(first, last)) if self.order is None else self.order[first:last].tolist()

    def image(self, at: int, name: str) -> Item:
        """Decode one image record; ``name`` becomes the id of the item.

        Raises:
            FormatError: the record breaks a rule.
        """
        where = self.kept[at]
        row = jsonio.decode(self.images.raw(where), file=self.file, record=self.images.name(where), repeat=self.repeat)
        record = f"images[{where}] (id {row['id']})"
        width = self._side(row, "width", record)
        height = self._side(row, "height", record)
        own = row.get("file_name")
        path = safe_name(own if own is not None else str(row["coco_url"]).rpartition("/")[2])
        if "file_name" not in row:
            row["#no_file_name"] = True
        elif path == own:
            del row["file_name"]
        return Item(name, path, "image", width, height, self.subset, extras={"coco": row})

    def _side(self, row: dict[str, Any], key: str, record: str) -> int | None:
        side = row.pop(key, None)
        if type(side) is float and side.is_integer():
            side = int(side)
        if side is not None and (type(side) is not int or not 0 <= side <= _LARGEST_SIDE):
            text = f"expected an integer from 0 to {_LARGEST_SIDE}, got {shorten(side)}"
            raise FormatError(text, file=self.file, record=record, field=key)
        return side
