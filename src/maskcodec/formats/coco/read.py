"""Reading COCO instances: an index of places first, then one image with its annotations at a time."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from maskcodec.errors import FormatError, shorten
from maskcodec.formats._base import Source
from maskcodec.formats._shared import jsonio
from maskcodec.formats._shared.jsonio import Document
from maskcodec.formats._shared.source import safe_name
from maskcodec.formats.coco.record import Place, read_annotation
from maskcodec.formats.coco.schema import COCO, Dialect, documents, read_category, subset_of, task_of
from maskcodec.model.dataset import Dataset, Item, LazyItems
from maskcodec.model.schema import Category, LabelSchema

_LARGEST_SIDE = 2**31 - 1


class _ImageHead(msgspec.Struct, gc=False):
    id: int | str
    file_name: str | None = None
    coco_url: str | None = None


class _AnnotationHead(msgspec.Struct, gc=False):
    image_id: int | str
    id: int | str | None = None


_image_head = msgspec.json.Decoder(_ImageHead)
_annotation_head = msgspec.json.Decoder(_AnnotationHead)


def plain_id(value: Any) -> bool:
    """Whether a value may be an id: a text, or an integer of 64 bits."""
    return isinstance(value, str) or (type(value) is int and -(2**63) <= value < 2**63)


class _File:
    """One document: places of its records, annotations grouped by image."""

    def __init__(self, source: Source, document: Document, subset: str, dialect: Dialect) -> None:
        self.source, self.document, self.subset, self.dialect = source, document, subset, dialect
        self.file = document.file
        if document.broken is not None:
            raise document.broken
        for key in document.repeated:
            self.problem("key twice at the top level (duplicate)", "", key)
        self.images = document.records("images")
        self.annotations = document.records("annotations")
        self.ids: list[str] = []
        self.names: dict[int, str] = {}
        self.place: dict[str, int] = {}
        self.kept: list[int] = []
        self._index_images()
        self.order, self.starts, self.grouped = self._index_annotations()
        self.schema = LabelSchema()

    def problem(self, message: str, record: str, field: str, item: Any = None, annotation: Any = None) -> None:
        error = FormatError(message, file=self.file, record=record, field=field)
        self.source.problem(error, item, annotation)

    def top(self) -> dict[str, Any]:
        """Top-level values besides the big lists."""
        wanted = (key for key in self.document.keys if key not in ("images", "annotations", "categories"))
        return {key: self.document.value(key, self.source.problem if self.lenient else None) for key in wanted}

    @property
    def lenient(self) -> bool:
        return self.source.on_error == "skip"

    def categories(self) -> list[Category]:
        found: dict[Any, Category] = {}
        document = self.document
        rows = document.value("categories", self.source.problem if self.lenient else None) \
            if "categories" in document.keys else []  # fmt: skip
        if rows is not None and not isinstance(rows, list):
            raise FormatError(f"expected a list (array), got {shorten(rows)}", file=self.file, field="categories")
        for at, row in enumerate(rows or []):
            try:
                category = read_category(row, self.file, at, self.dialect)
            except FormatError as error:
                self.source.problem(error)
                continue
            if category.id in found:
                self.problem("duplicate id", f"categories[{at}] (id {category.id})", "id")
                continue
            found[category.id] = category
        return list(found.values())

    def _index_images(self) -> None:
        stems: dict[str, int] = {}
        names: list[str] = []
        for at in range(len(self.images)):
            try:
                number, name = self._image_head(at)
            except FormatError as error:
                self.source.problem(error)
                continue
            if str(number) in self.place:
                self.problem("duplicate id", f"images[{at}] (id {number})", "id")
                continue
            self.place[str(number)] = len(self.kept)
            self.kept.append(at)
            names.append(name)
            stems[stem(name)] = stems.get(stem(name), 0) + 1
        # Where stems collide the item id keeps its extension, where names collide the image id is added.
        double = {name for name in names if stems[stem(name)] > 1}
        seen: dict[str, int] = {}
        for name in names:
            if name in double:
                seen[name] = seen.get(name, 0) + 1
        numbers = list(self.place) if double else []
        self.names = {
            i: name if seen[name] == 1 else f"{name}#{numbers[i]}" for i, name in enumerate(names) if name in double
        }

    def _image_head(self, at: int) -> tuple[int | str, str]:
        raw = self.images.raw(at)
        number: Any
        try:
            head = _image_head.decode(raw)
            number, name, address = head.id, head.file_name, head.coco_url
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            record = self.images.name(at)
            row = jsonio.decode(raw, file=self.file, record=record, repeat=lambda error: None)
            if not isinstance(row, dict):
                raise FormatError(f"expected an object, got {shorten(row)}", file=self.file, record=record) from None
            number, name, address = row.get("id"), row.get("file_name"), row.get("coco_url")
        if not plain_id(number):
            text = f"expected an integer of at most 64 bits, got {shorten(number)}"
            raise FormatError(text, file=self.file, record=self.images.name(at), field="id")
        record = f"images[{at}] (id {number})"
        if name is None and isinstance(address, str):
            name = address.rpartition("/")[2]
        try:
            return number, safe_name(name)
        except ValueError as error:
            raise FormatError(str(error), file=self.file, record=record, field="file_name") from error

    def _index_annotations(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], bool]:
        owner = np.full(len(self.annotations), -1, dtype=np.int64)
        seen: set[int | str] = set()
        for at in range(len(self.annotations)):
            try:
                image_id, number = self._annotation_head(at)
            except FormatError as error:
                self.source.problem(error)
                continue
            record = f"annotations[{at}]" + (f" (id {number})" if number is not None else "")
            if number is None:
                self.problem("required key is missing", record, "id")
            else:
                plain: int | str = int(number) if isinstance(number, str) and number.isdecimal() else number
                if plain in seen:
                    self.problem("duplicate id", record, "id")
                seen.add(plain)
            found = self.place.get(str(image_id))
            if found is None:
                self.problem(f"no image with the id {shorten(image_id)}", record, "image_id")
                continue
            owner[at] = found
        order = np.argsort(owner, kind="stable")
        starts = np.searchsorted(owner[order], np.arange(len(self.kept) + 1))
        listed = owner[owner >= 0]
        return order, starts, bool((listed[1:] >= listed[:-1]).all())

    def _annotation_head(self, at: int) -> tuple[Any, Any]:
        raw = self.annotations.raw(at)
        try:
            head = _annotation_head.decode(raw)
            if plain_id(head.image_id) and (head.id is None or plain_id(head.id)):
                return head.image_id, head.id
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
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

    def item(self, at: int) -> Item | None:
        """Load one image with its annotations; None when the record had to be skipped."""
        try:
            item = self._image(at)
        except FormatError as error:
            self.source.problem(error)
            return None
        numbers = self.order[self.starts[at] : self.starts[at + 1]].tolist()
        for number in numbers:
            place = Place(self.source, self.annotations, number, item, self.schema, self.dialect)
            try:
                annotation = read_annotation(place)
            except FormatError as error:
                self.source.problem(error, item, error.record)
                continue
            if not self.grouped:
                annotation.extras.setdefault("coco", {})["#index"] = number
            item.annotations.append(annotation)
        return item

    def _image(self, at: int) -> Item:
        where = self.kept[at]
        repeat = self.source.problem if self.lenient else None
        row = jsonio.decode(self.images.raw(where), file=self.file, record=self.images.name(where), repeat=repeat)
        record = f"images[{where}] (id {row['id']})"
        sides: dict[str, int | None] = {}
        for key in ("width", "height"):
            side = row.get(key)
            if type(side) is float and side.is_integer():
                side = int(side)
            if side is not None and (type(side) is not int or not 0 <= side <= _LARGEST_SIDE):
                text = f"expected an integer from 0 to {_LARGEST_SIDE}, got {shorten(side)}"
                raise FormatError(text, file=self.file, record=record, field=key)
            sides[key] = side
        name = row.get("file_name")
        known = {"width", "height"}
        if name is None:
            path = safe_name(str(row["coco_url"]).rpartition("/")[2])
            extra = {"file_name": None} if "file_name" in row else {"#no_file_name": True}
        else:
            path = safe_name(name)
            known.add("file_name")
            extra = {"file_name": name} if path != name else {}
        extra = {**{key: value for key, value in row.items() if key not in known}, **extra}
        number = self.names.get(at, stem(path))
        return Item(number, path, "image", sides["width"], sides["height"], self.subset, extras={"coco": extra})


def stem(name: str) -> str:
    """A path without the extension of its file."""
    folder, slash, base = name.rpartition("/")
    return folder + slash + (base.rpartition(".")[0] or base)


def read(source: Source, dialect: Dialect = COCO) -> Dataset:
    """Read every instances file of a source; each is a subset.

    Raises:
        FormatError: damaged files, and in strict mode any fault of the index; faults inside records come later, when
            the items are iterated over.
    """
    found = documents(source)
    tasks = {name: task_of(document, name) for name, document in found.items()}
    wanted = [name for name, (task, _) in tasks.items() if task == "instances"]
    if not wanted and len(found) == 1:
        wanted = list(found)  # named by the caller: the error says what is missing
    if not wanted:
        reasons = "; ".join(f"{name}: {reason}" for name, (_, reason) in tasks.items()) or "no JSON file"
        raise FormatError(f"no COCO instances file: {reasons}", file=source.path)
    for name, (task, reason) in tasks.items():
        if task and name not in wanted:
            source.report.unread(source.display(name), None, "", f"a COCO {task} file ({reason})", what="file")
    files: dict[str, _File] = {}
    for name in wanted:
        document = found[name]
        if document.root != "object":
            raise FormatError("the top level is a list (array), expected an object", file=document.file)
        subset = subset_of(name, len(wanted) == 1)
        subset = subset if subset not in files else name.rpartition(".")[0]
        files[subset] = _File(source, document, subset, dialect)
    dataset = Dataset()
    _merge(dataset, files)
    owner = np.repeat(np.arange(len(files)), [len(f.kept) for f in files.values()])
    first = np.cumsum([0, *(len(f.kept) for f in files.values())])
    listed = list(files.values())

    def load(at: int) -> Item | None:
        which = int(owner[at])
        return listed[which].item(at - int(first[which]))

    dataset.items = LazyItems(range(len(owner)), load)
    return dataset


def _merge(dataset: Dataset, files: dict[str, _File]) -> None:
    """One schema and one set of top-level values for all files; what differs is kept by subset."""
    tops = {subset: file.top() for subset, file in files.items()}
    lists = {subset: file.categories() for subset, file in files.items()}
    schema = dataset.schema
    for subset, categories in lists.items():
        for category in categories:
            if category.id not in schema:
                schema.categories.append(category)
            elif schema.by_id(category.id).name != category.name:
                other = schema.by_id(category.id).name
                files[subset].problem(f"is {other!r} in another subset", f"categories (id {category.id})", "name")
        files[subset].schema = schema
    first = next(iter(tops.values()))
    info = first.get("info")
    if isinstance(info, dict):
        dataset.info = dict(info)
    kept = {key: value for key, value in first.items() if key != "info" or not isinstance(value, dict)}
    differing: dict[str, Any] = {}
    for subset, top in tops.items():
        own = dict(top) if top != first else {}
        if lists[subset] != schema.categories:
            own["#categories"] = [category.id for category in lists[subset]]
        if own or not files[subset].kept:
            differing[subset] = own
    if differing and (len(files) > 1 or "default" not in files):
        kept["#subsets"] = differing
    if kept:
        dataset.extras = {"coco": kept}


__all__ = ["plain_id", "read", "stem"]
