"""Tables in: pieces (record batches, row groups) are opened when rows of them are asked for."""

from __future__ import annotations

import bisect
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from maskcodec.errors import FormatError
from maskcodec.formats.arrow.layout import arrow, schema

__all__ = ["Table", "batch_lengths", "of_table", "open_table"]

_MAPPED = 1 << 16  # pieces of a mapped file are views, they cost next to nothing


class Table:
    """Rows of a table, piece by piece.

    Args:
        name: of the table, for messages.
        file: display name of the file.
        lengths: rows of every piece.
        load: number of a piece -> record batch.
        found: schema of the file.
        kept: pieces that stay in memory.

    Attributes:
        unknown: columns that the format does not have.
    """

    def __init__(
        self, name: str, file: str, lengths: Sequence[int], load: Callable[[int], Any], found: Any, kept: int = 3
    ) -> None:
        self.name, self.file, self._load, self._most = name, file, load, kept
        self.starts = [0]
        for length in lengths:
            self.starts.append(self.starts[-1] + length)
        self.metadata: dict[bytes, bytes] = found.metadata or {}
        self._pieces: dict[int, Any] = {}
        self._columns: dict[str, int] = {}
        own = schema(name)
        for at, column in enumerate(found.names):
            if column in self._columns:
                raise self.fault("two columns have this name", field=column)
            self._columns[column] = at
        for field in own:
            if field.name not in self._columns:
                raise self.fault("required column is missing", field=field.name)
            self._fits(found.field(self._columns[field.name]).type, field)
        self.unknown = [column for column in found.names if column not in own.names]

    def _fits(self, found: Any, field: Any) -> None:
        if found == field.type or field.name == "mask":  # a mask is read in any layout, or refused by name
            return
        pa = arrow()
        try:
            pa.array([], found).cast(field.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise self.fault(f"expected {field.type}, got {found}", field=field.name) from None

    def fault(self, message: str, row: int | None = None, field: str = "", *, fatal: bool = False) -> FormatError:
        """An error about the table, or about a row of it."""
        record = "" if row is None else f"{self.name}[{row}]"
        return FormatError(message, file=self.file, record=record, field=field, fatal=fatal)

    def __len__(self) -> int:
        return self.starts[-1]

    def piece(self, at: int) -> Any:
        """A record batch, its columns as the format has them (but for the layout of masks)."""
        batch = self._pieces.get(at)
        if batch is None:
            pa = arrow()
            try:
                batch = self._loaded(at)
            except (pa.ArrowException, OSError, ValueError) as error:
                if isinstance(error, FormatError):
                    raise
                raise self.fault(f"damaged: {error}", self.starts[at]) from error
            pieces = {**self._pieces, at: batch}
            while len(pieces) > self._most:
                del pieces[next(iter(pieces))]
            self._pieces = pieces  # in one step: several threads may read
        return batch

    def _loaded(self, at: int) -> Any:
        pa = arrow()
        batch, own = self._load(at), schema(self.name)
        batch.validate(full=True)  # offsets and texts: the functions of pyarrow trust them
        if batch.num_rows != self.starts[at + 1] - self.starts[at]:
            raise self.fault(f"expected {self.starts[at + 1] - self.starts[at]} rows, got {batch.num_rows}")
        arrays = []
        for field in own:
            array = batch.column(self._columns[field.name])
            if isinstance(array, pa.ExtensionArray):
                array = array.storage
            if field.name != "mask" and array.type != field.type:
                array = array.cast(field.type)
            arrays.append(array)
        return pa.RecordBatch.from_arrays(arrays, names=own.names)

    def parts(self, first: int, stop: int) -> Iterator[tuple[int, int, int]]:
        """(piece, first row in it, number of rows) for rows first .. stop."""
        if not 0 <= first <= stop <= len(self):
            raise self.fault(f"rows {first} to {stop} are asked for, there are {len(self)}")
        at = bisect.bisect_right(self.starts, first) - 1
        while first < stop:
            end = min(stop, self.starts[at + 1])
            if end > first:
                yield at, first - self.starts[at], end - first
            first, at = end, at + 1

    def rows(self, first: int, stop: int) -> Any:
        """Rows first .. stop as one record batch; without a copy where they lie in one piece."""
        found = [self.piece(at).slice(row, count) for at, row, count in self.parts(first, stop)]
        if not found:
            return schema_batch(self.name)
        if len(found) == 1:
            return found[0]
        return arrow().Table.from_batches(found).combine_chunks().to_batches()[0]

    def column(self, name: str, first: int, stop: int) -> Any:
        """The same of one column, as an array."""
        place = schema(self.name).get_field_index(name)
        if place < 0:
            raise KeyError(name)
        found = [self.piece(at).column(place).slice(row, count) for at, row, count in self.parts(first, stop)]
        if not found:
            return schema_batch(self.name).column(place)
        return found[0] if len(found) == 1 else arrow().concat_arrays(found)

    def around(self, first: int, stop: int, least: int) -> tuple[int, int]:
        """A range of at least so many rows, where there are, that holds these and ends with their piece at most."""
        at = bisect.bisect_right(self.starts, first) - 1
        end = self.starts[at + 1] if at + 1 < len(self.starts) else stop
        return first, max(stop, min(first + least, end))


def schema_batch(name: str) -> Any:
    """No rows of a table."""
    pa = arrow()
    own = schema(name)
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in own], names=own.names)


def open_table(name: str, buffer: Any, file: str, kind: str, lengths: Sequence[int] | None = None) -> Table:
    """A table in a file whose bytes (or memory map) are given.

    Args:
        name: of the table.
        buffer: all bytes of the file.
        file: display name.
        kind: "parquet" or "ipc".
        lengths: rows of every record batch, where they are known; they are checked when a batch is read.

    Raises:
        FormatError: the file is damaged, or has other columns or types.
    """
    pa = arrow()
    stream = buffer if isinstance(buffer, pa.NativeFile) else pa.BufferReader(pa.py_buffer(buffer))
    try:
        if kind == "ipc":
            reader = pa.ipc.open_file(stream)
            if lengths is None or len(lengths) != reader.num_record_batches:
                lengths = [reader.get_batch(at).num_rows for at in range(reader.num_record_batches)]
            return Table(name, file, lengths, reader.get_batch, reader.schema, _MAPPED)
        import pyarrow.parquet as pq  # type: ignore[import-untyped, import-not-found, unused-ignore]

        parquet = pq.ParquetFile(stream)
        lengths = [parquet.metadata.row_group(at).num_rows for at in range(parquet.num_row_groups)]

        def load(at: int) -> Any:
            found = parquet.read_row_group(at).combine_chunks().to_batches()
            return found[0] if found else schema_batch(name)

        return Table(name, file, lengths, load, parquet.schema_arrow)
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"damaged, or no {kind} file: {error}", file=file, fatal=True) from error


def batch_lengths(categories: Table) -> dict[str, list[int]]:
    """Rows of the record batches of the other tables, as the table that is written last has them; {} without it."""
    try:
        found = json.loads(categories.metadata.get(b"maskcodec.batches", b"{}"))
    except ValueError:
        return {}
    listed = found if isinstance(found, dict) else {}
    return {
        name: lengths
        for name, lengths in listed.items()
        if isinstance(lengths, list) and all(type(one) is int and one >= 0 for one in lengths)
    }


def of_table(name: str, data: Any) -> Table:
    """A table in memory: anything with Arrow's capsules."""
    pa = arrow()
    table = pa.table(data)
    found = table.to_batches()
    return Table(name, f"<{name}>", [batch.num_rows for batch in found], found.__getitem__, table.schema)
