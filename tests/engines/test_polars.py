"""The example of polars on the page about scale."""

from __future__ import annotations

from pathlib import Path

import pytest

from maskcodec import columns
from tests.engines import example

pytest.importorskip("pyarrow")
pytest.importorskip("polars")


def test_example(tmp_path: Path) -> None:
    example.run("polars", tmp_path)


def test_rows_keep_their_order_and_nulls(tmp_path: Path) -> None:
    """Masks in, masks and numbers out; groups by a column of the frame."""
    pl = pytest.importorskip("polars")
    example.archive(tmp_path)
    frame = pl.read_parquet(tmp_path / "archive/annotations.parquet", columns=["item", "mask"])
    kind = pl.Series(columns.RleColumn(frame["mask"])).dtype  # Polars' name of the extension type
    halved = frame.lazy().select(
        pl.col("mask").map_batches(lambda masks: pl.Series(columns.resize(masks, 24, 32)), return_dtype=kind)
    ).collect()["mask"]
    assert columns.RleColumn(halved) == columns.resize(frame["mask"], 24, 32)
    groups, merged = columns.merge(frame["mask"], frame["item"])
    assert groups.to_pylist() == frame["item"].unique(maintain_order=True).to_list()
    areas = frame.with_columns(area=pl.Series(columns.area(frame["mask"]))).group_by("item", maintain_order=True)
    largest = areas.agg(pl.col("area").max())["area"]
    united = pl.Series(columns.area(merged))
    assert ((united >= largest) | largest.is_null()).all()
    mask = columns.RleColumn(frame["mask"].filter(frame["item"] == 5)).to_array("empty")
    whole = mask[0]
    for one in mask[1:]:
        whole = whole | one if one.shape == whole.shape else whole
    assert merged[5] == whole
