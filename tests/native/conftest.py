"""Fixtures of the native tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from maskcodec.masks import simd_level


@pytest.fixture(params=["baseline", "avx2", "avx512"])
def level(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every instruction level that this machine has, one after the other."""
    before = simd_level()
    try:
        simd_level(request.param)
    except ValueError:
        pytest.skip(f"this machine has no {request.param}")
    yield request.param
    simd_level(before)
