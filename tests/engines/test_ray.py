"""The example of Ray Data on the page about scale."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines import example

pytest.importorskip("pyarrow")
pytest.importorskip("ray.data")


def test_example(tmp_path: Path) -> None:
    example.run("ray", tmp_path, RAY_USAGE_STATS_ENABLED="0", RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0")
