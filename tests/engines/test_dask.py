"""The example of dask on the page about scale."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskcodec import columns
from tests.engines import example

pytest.importorskip("pyarrow")
pytest.importorskip("dask")


def test_example(tmp_path: Path) -> None:
    example.run("dask", tmp_path)


def test_functions_go_to_other_processes(tmp_path: Path) -> None:
    """A kernel itself is what is sent, by its name, and columns come back."""
    bag = pytest.importorskip("dask.bag")
    pq = pytest.importorskip("pyarrow.parquet")
    example.archive(tmp_path)
    table = pq.read_table(tmp_path / "archive/annotations.parquet", columns=["mask"])
    parts = [table.slice(start, 5000) for start in range(0, example.ROWS, 5000)]
    found = bag.from_sequence(parts, npartitions=4).map(columns.area).compute(scheduler="processes", num_workers=2)
    expected = columns.area(table).to_pylist()
    assert [area for part in found for area in part.to_pylist()] == expected
