"""The example of Spark on the page about scale."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.engines import example

pytest.importorskip("pyarrow")
pytest.importorskip("pyspark")
pytestmark = pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")


def test_example(tmp_path: Path) -> None:
    example.run("spark", tmp_path, SPARK_LOCAL_IP="127.0.0.1")
