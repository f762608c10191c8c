"""Settings and fixtures for all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default", deadline=None, derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", parent=settings.get_profile("default"), max_examples=100)
settings.register_profile("thorough", parent=settings.get_profile("default"), max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def samples() -> Path:
    """Folder with the real sample files; tests that need it are skipped where it is not given."""
    folder = os.environ.get("MASKCODEC_SAMPLES")
    if not folder:
        pytest.skip("MASKCODEC_SAMPLES is not set; it names the folder with the sample data sets")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"MASKCODEC_SAMPLES={folder} is not a folder")
    return path
