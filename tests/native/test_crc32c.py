"""The checksum of TFRecord files against its definition, bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maskcodec._native.raster import crc32c
from maskcodec.formats.tfrecord.wire import masked


def slow(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@given(st.binary(max_size=70))
@settings(max_examples=100)
def test_definition(data: bytes) -> None:
    assert crc32c(data) == slow(data)
    assert crc32c(memoryview(b"x" + data)[1:]) == slow(data)


def test_check_values() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert masked(b"123456789") == 0xC78AB0E5
    assert masked(b"") == 0xA282EAD8


def test_only_contiguous_bytes() -> None:
    with pytest.raises(TypeError, match="contiguous"):
        crc32c(memoryview(b"abcdef")[::2])
    with pytest.raises(TypeError):
        crc32c("text")  # type: ignore[arg-type]
    assert crc32c(np.arange(5, dtype=np.uint16)) == slow(np.arange(5, dtype=np.uint16).tobytes())  # type: ignore[arg-type]
