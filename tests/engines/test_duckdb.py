"""The example of duckdb on the page about scale."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskcodec import columns
from tests.engines import example

pytest.importorskip("pyarrow")
pytest.importorskip("duckdb")


def test_example(tmp_path: Path) -> None:
    example.run("duckdb", tmp_path)


def test_rows_keep_their_order_and_nulls(tmp_path: Path) -> None:
    """Masks in, masks and numbers out, over more rows than a call gets."""
    duckdb = pytest.importorskip("duckdb")
    pa = pytest.importorskip("pyarrow")
    example.archive(tmp_path)
    con = duckdb.connect()
    mask = con.struct_type({"height": "INTEGER", "width": "INTEGER", "counts": "BLOB"})
    makers = {
        "half": (lambda masks: pa.array(columns.resize(masks, 24, 32)), [mask], mask),
        "mask_iou": (lambda a, b: pa.array(columns.iou(a, b)), [mask, mask], "DOUBLE"),
    }
    for name, (function, given, result) in makers.items():
        con.create_function(name, function, given, result, type="arrow", null_handling="special")
    table = f"'{tmp_path}/archive/annotations.parquet'"
    found = con.sql(f"select half(mask) as mask, mask_iou(mask, mask) as iou from {table}").to_arrow_table()
    masks = columns.RleColumn(found["mask"])
    original = columns.RleColumn(con.sql(f"select mask from {table}"))
    assert len(masks) == example.ROWS
    assert masks == columns.resize(original, 24, 32)
    areas = columns.area(original).to_numpy(-1)
    expected = [None if area < 0 else float(area > 0) for area in areas.tolist()]
    assert found["iou"].to_pylist() == expected
