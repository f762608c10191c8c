"""Cells of bitmap id packing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import maskcodec as mc

from . import inputs, peers
from .cells import Cell, copy_floor

cv2 = peers.module("cv2")


def or_view(ids: np.ndarray) -> np.ndarray:
    return (ids | np.uint32(0xFF000000)).view(np.uint8).reshape(*ids.shape, 4)


def modulo(ids: np.ndarray) -> np.ndarray:
    out = np.empty((*ids.shape, 3), np.uint8)
    rest = ids.copy()
    for channel in range(3):
        out[..., channel] = rest % 256
        rest //= 256
    return out


def multiply_add(rgb: np.ndarray) -> np.ndarray:
    wide = rgb.astype(np.uint32)
    return wide[..., 0] + 256 * wide[..., 1] + 65536 * wide[..., 2]


def cells(quick: bool) -> Iterator[Cell]:
    for shape in inputs.SIZES[:2] if quick else inputs.SIZES:
        ids = inputs.ids(shape)
        rgba = or_view(ids)
        rgb = np.ascontiguousarray(rgba[..., :3])
        name = f"{shape[0]}x{shape[1]}"
        floor = copy_floor(ids.nbytes)
        calls: dict[str, Callable[[], Any]] = {
            "maskcodec": lambda ids=ids: mc.pack_ids(ids, "segments"),
            "NumPy OR and view": lambda ids=ids: or_view(ids),
        }
        yield Cell("Ids to RGBA", name, calls, np.asarray, "NumPy OR and view", floor, target=1)
        calls = {
            "maskcodec": lambda ids=ids: mc.pack_ids(ids, "panoptic"),
            "modulo per channel": lambda ids=ids: modulo(ids),
        }
        if cv2:
            calls["opencv on the view"] = lambda ids=ids: cv2.cvtColor(
                ids.view(np.uint8).reshape(*ids.shape, 4), cv2.COLOR_RGBA2RGB
            )
        yield Cell("Ids to RGB", name, calls, np.asarray, "modulo per channel", floor, target=1)
        calls = {
            "maskcodec": lambda rgba=rgba: mc.unpack_ids(rgba),
            "NumPy view and AND": lambda rgba=rgba: rgba.view(np.uint32)[..., 0] & np.uint32(0xFFFFFF),
        }
        yield Cell("RGBA to ids", name, calls, np.asarray, "NumPy view and AND", floor, target=1)
        calls = {
            "maskcodec": lambda rgb=rgb: mc.unpack_ids(rgb),
            "multiply-add per channel": lambda rgb=rgb: multiply_add(rgb),
        }
        if cv2:
            calls["opencv and AND"] = lambda rgb=rgb: (
                cv2.cvtColor(rgb, cv2.COLOR_RGB2RGBA).view(np.uint32)[..., 0] & np.uint32(0xFFFFFF)
            )
        yield Cell("RGB to ids", name, calls, np.asarray, "multiply-add per channel", floor, target=1)
