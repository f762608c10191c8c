"""Lists of the frames of sequences (``*.seqmap``): ``<sequence> empty <first> <last>`` a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from maskcodec.errors import FormatError
from maskcodec.formats._shared.lines import lines
from maskcodec.formats._shared.sequences import Folders
from maskcodec.formats._shared.sink import NullSink
from maskcodec.formats._shared.source import Source
from maskcodec.formats.mots.png import folder
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["MAX_FRAME", "PLAIN", "read_seqmap", "write_rows"]

PLAIN = ("instances_txt", "gt", "data")
MAX_FRAME = 9_999_999


def read_seqmap(
    source: Source, name: str, found: Mapping[tuple[str, str], dict[int, list[Any]]], lowest: int
) -> None:
    """Add the frames of sequences that a list names, those without objects among them."""
    above = name.rpartition("/")[0].rpartition("/")[2]
    subset = above if above and above not in PLAIN else "default"
    for line in lines(source, name, comments=True):
        frames = found.get((subset, line.fields[0]))
        if len(line) != 4 or frames is None:
            continue  # another kind of list, or of a sequence that is elsewhere
        try:
            first, last = line.whole(2, "first frame"), line.whole(3, "last frame")
            if not lowest <= first <= last <= MAX_FRAME:
                raise line.fault(f"expected frames from {lowest} to {MAX_FRAME} in order, got {first} to {last}")
        except FormatError as error:
            source.problem(error)
            continue
        for frame in range(first, last + 1):
            frames.setdefault(frame, [])


def write_rows(
    sink: NullSink,
    report: LossReport,
    rows: dict[tuple[str, str], list[str]],
    frames: dict[tuple[str, str], list[int]],
    bare: dict[tuple[str, str], list[Item]],
) -> None:
    """Write the rows of each sequence, and lists of its frames where some have no objects."""
    maps: dict[str, list[str]] = {}
    folders = Folders()
    for key, own in rows.items():
        name, numbers = folders.of(*key), frames[key]
        sink.write(f"{name}.txt", "".join(own).encode("ascii"))
        if key in bare:
            if numbers == list(range(numbers[0], numbers[-1] + 1)):
                base = name.rpartition("/")[2]
                maps.setdefault(key[0], []).append(f"{base} empty {numbers[0]:06d} {numbers[-1]:06d}\n")
            else:
                for item in bare[key]:
                    report.drop(item, None, "", "an image without objects has no row, and frames are missing")
    for subset, own in maps.items():
        sink.write(f"{folder(subset)}frames.seqmap", "".join(own).encode("utf-8"))
