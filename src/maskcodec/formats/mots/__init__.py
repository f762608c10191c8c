"""MOTS: masks of tracks, as maps (CVAT "MOTS PNG 1.0") or as rows with run lengths.

Kept: images with subsets, masks exactly, classes by their order, numbers of tracks, the region to be ignored (a crowd).
Lost, reported: pixels covered by later objects, everything that is no area, attributes, groups, z-order (it decides who
covers whom). Shapes are written as the masks of their pixels.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from maskcodec.formats._base import Capabilities, Format
from maskcodec.formats._shared.conversions import TO_MASK
from maskcodec.formats._shared.grouping import merging
from maskcodec.formats.mots import png, txt
from maskcodec.formats.mots.numbers import join
from maskcodec.model.annotations import Mask
from maskcodec.model.dataset import Item
from maskcodec.model.losses import LossReport

__all__ = ["FORMATS"]


def _arrange(item: Item, source: Item, report: LossReport, *, first: int) -> None:
    join(item, source, report)
    sequence, frame = png.sequence_of(str(item.id), first)
    for name, value in (("sequence", sequence), ("frame", frame)):
        if getattr(item, name) != value:
            tell = report.drop if value is None else report.rename
            tell(source, None, name, "where the folder of an image is a number, that is its sequence")
            setattr(item, name, value)


def _rows(item: Item, source: Item, report: LossReport) -> None:
    join(item, source, report)
    for name in ("width", "height") if not item.annotations else ():
        if getattr(item, name) is not None:
            report.drop(source, None, name, "an image without objects has no row that says it")
            setattr(item, name, None)


def _media(item: Item) -> str | None:
    return f"{png.folder(item.subset)}images/{item.path}" if item.path else None


_BOTH = Capabilities(
    kinds={Mask},
    converts=TO_MASK,
    fields={"track_id", "is_crowd"},
    order=True,
    sorted_items=True,
    needs_category=True,
    flat="objects",
    subsets=True,
)


def _maps(first_frame: int = 0, group: str = "keep") -> Capabilities:
    return replace(
        _BOTH,
        merges=merging(group, "paint"),
        unordered=True,
        arrange=partial(_arrange, first=first_frame),
        named_by="stem",
        item_fields={"path", "width", "height", "sequence", "frame"},
    )


def _text(first_frame: int = 0) -> Capabilities:
    return replace(
        _BOTH,
        arrange=_rows,
        named_by="sparse",
        first_frame=first_frame,
        item_fields={"width", "height", "sequence", "frame"},
    )


FORMATS = (
    Format(
        name="mots_png",
        title="MOTS PNG",
        aliases=("MOTS PNG 1.0",),
        spec="arXiv:1902.03604, CVAT format 'MOTS PNG 1.0'",
        carries=_maps,
        detect=png.detect,
        read=png.read,
        write=png.write,
        streams="rw",
        media=_media,
    ),
    Format(
        name="mots_txt",
        title="MOTS text",
        spec="arXiv:1902.03604, github.com/VisualComputingInstitute/mots_tools",
        carries=_text,
        detect=txt.detect,
        read=txt.read,
        write=txt.write,
        streams="r",
    ),
)
