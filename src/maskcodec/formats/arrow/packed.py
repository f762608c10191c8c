"""Tables on disk as columns, for loaders: nothing is decoded before it is asked for; processes share the pages."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maskcodec.columns import RleColumn
from maskcodec.errors import FormatError
from maskcodec.formats.arrow.layout import SUFFIXES, TABLES, VERSION, arrow
from maskcodec.formats.arrow.read import Reader
from maskcodec.formats.arrow.tables import Table, batch_lengths, open_table
from maskcodec.model.dataset import Item
from maskcodec.model.schema import LabelSchema

__all__ = ["Packed", "open_packed"]


class Packed:
    """A data set of the format ``arrow`` in a folder; items by number, annotations by ranges of rows.

    With ``file="ipc"`` the files are mapped into memory: opening reads footers alone, columns are views of the file,
    and processes that open it share its pages. A Parquet file works, too; its row groups are unpacked when rows are
    asked for. It pickles as its path.

    Attributes:
        path: the folder.
        kind: "ipc" or "parquet".
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        pa = arrow()
        self.path = os.fspath(path)
        kinds = [kind for kind, end in SUFFIXES.items() if os.path.isfile(os.path.join(self.path, f"items{end}"))]
        if not kinds:
            raise FormatError("expected a folder with items.arrow or items.parquet", file=self.path)
        self.kind = kinds[-1]
        self._reader: Reader | None = None
        self._pa = pa
        self._lengths: dict[str, list[int]] = {}
        self._categories = self._open("categories")
        self._lengths = batch_lengths(self._categories)
        self._items = self._open("items")
        self._rows = self._open("annotations")
        if self._items.metadata.get(b"maskcodec.version", b"").decode("utf-8", "replace") != VERSION:
            raise self._items.fault(f"expected tables of version {VERSION}", field="maskcodec.version", fatal=True)

    def __reduce__(self) -> tuple[Any, ...]:
        return open_packed, (self.path,)

    def _open(self, name: str) -> Table:
        path = os.path.join(self.path, name + SUFFIXES[self.kind])
        try:
            stream = self._pa.memory_map(path)
        except OSError as error:
            raise FormatError(f"the table cannot be opened: {error}", file=path, fatal=True) from error
        return open_table(name, stream, path, self.kind, self._lengths.get(name))

    @property
    def reader(self) -> Reader:
        """Reads whole items; made at first use."""
        if self._reader is None:
            tables = {"categories": self._categories, "items": self._items, "annotations": self._rows}
            tables |= {name: self._open(name) for name in TABLES if name not in tables}

            def problem(error: FormatError, item: Any, annotation: Any) -> None:
                raise error

            head = self._items.metadata.get(b"maskcodec.dataset", b"{}").decode("utf-8", "replace")
            self._reader = Reader(tables, problem, head)
        return self._reader

    def __len__(self) -> int:
        return len(self._items)

    @property
    def rows_total(self) -> int:
        """Number of annotations."""
        return len(self._rows)

    @property
    def schema(self) -> LabelSchema:
        """Categories (``category`` counts them from 0) and what else annotations may say."""
        return self.reader.dataset.schema

    def table(self, name: str) -> Table:
        """The table of ``items`` or of ``annotations``, for those who go through its batches themselves."""
        return {"items": self._items, "annotations": self._rows}[name]

    def rows(self, at: int) -> range:
        """The rows of the annotations of an item."""
        at = range(len(self))[at]
        first = int(self.items("first", range(at, at + 1))[0].as_py())
        return range(first, first + int(self.items("count", range(at, at + 1))[0].as_py()))

    def items(self, column: str, rows: range | None = None) -> Any:
        """A column of the table of items as an Arrow array (not copied where it lies in one piece)."""
        return self._column(self._items, column, range(len(self)) if rows is None else rows)

    def column(self, column: str, rows: range) -> Any:
        """Rows of a column of the annotations as an Arrow array (not copied where they lie in one piece)."""
        return self._column(self._rows, column, rows)

    def _column(self, table: Table, column: str, rows: range) -> Any:
        if rows.step != 1:
            raise ValueError("rows are a range of step 1")
        return table.column(column, rows.start, max(rows.start, rows.stop))

    def category(self, rows: range) -> NDArray[np.int32]:
        """(n,) int32: places of the categories in the schema, -1 for none; a view of the file."""
        values: NDArray[np.int32] = self.column("category", rows).to_numpy()
        return values

    def box(self, rows: range) -> NDArray[np.float64]:
        """(n, 4) float64: x0, y0, x1, y1 in pixels, NaN where there is no extent; a view of the file.

        Of a box its corners before its rotation, of other kinds in the plane (but loose points) their extent.
        """
        values: NDArray[np.float64] = self.column("box", rows).flatten().to_numpy().reshape(-1, 4)
        return values

    def kinds(self, rows: range) -> list[str]:
        """Kinds of annotations: "box", "mask", "polygon"..."""
        kinds: list[str] = self.column("kind", rows).to_pylist()
        return kinds

    def masks(self, rows: range) -> RleColumn:
        """The masks, null for other kinds: their counts stay where they lie in the file."""
        return RleColumn(self.column("mask", rows))

    def item(self, at: int) -> Item:
        """A whole item with its annotations, as ``maskcodec.read`` gives it.

        Raises:
            FormatError: a row breaks a rule.
        """
        item = self.reader.item(range(len(self))[at])
        if item is None:
            raise IndexError(f"item {at} could not be read")
        return item

    def __repr__(self) -> str:
        return f"<Packed: {len(self)} items, {len(self._rows)} annotations, {self.path}>"


def open_packed(path: str | os.PathLike[str]) -> Packed:
    """Open a folder of the format ``arrow`` as columns.

    Args:
        path: the folder, as ``write(..., "arrow", file="ipc")`` (or Parquet) made it.

    Raises:
        FormatError: no such tables, or damaged ones; pyarrow is not installed.
    """
    return Packed(path)
