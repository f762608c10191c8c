"""The example of Hugging Face datasets on the page about scale."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engines import example

pytest.importorskip("pyarrow")
pytest.importorskip("datasets")


def test_example(tmp_path: Path) -> None:
    example.run("datasets", tmp_path, HF_HUB_OFFLINE="1", HF_HOME=str(tmp_path / "cache"))
