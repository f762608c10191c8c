"""Samples of sequences while they are written: their frames wait in a spool."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Frame", "Sample", "Strand"]

# Tracks of shapes that have none, or no number for one, are counted from here: far from the numbers of other tracks.
_FRESH = 2**30


@dataclass
class Frame:
    """A frame: places of its medium and label in the spool."""

    order: int
    number: int | None
    item: str
    name: str | None
    media: tuple[int, int]
    label: tuple[int, int]
    said: bool


@dataclass
class Strand:
    """What one sensor sees."""

    content: str
    kept: dict[str, Any] = field(default_factory=dict)
    frames: list[Frame] = field(default_factory=list)


@dataclass
class Sample:
    """A sequence; ``place`` is its subset and name as the data set has them."""

    name: str
    subset: str
    status: str | None
    place: tuple[str, Any]
    head: dict[str, Any] = field(default_factory=dict)
    strands: dict[str | None, Strand] = field(default_factory=dict)
    tracks: dict[Any, int] = field(default_factory=dict)
    fresh: int = _FRESH
    bare: bool = True
