"""What rows of MOT files can say of boxes and sequences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from maskcodec.formats.mot.read import NAMESPACE
from maskcodec.model.annotations import Box
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import LossReport

__all__ = ["arrange", "settle"]


def settle(dataset: Dataset, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whether there are several sequences, and whether each has one size: by a look at the items."""
    if options.get("several") is not None and options.get("sizes") is not None:
        return options
    sizes: dict[tuple[str, str | None], set[tuple[int | None, int | None]]] = {}
    for item in dataset.items:
        if item.media == "image":
            sizes.setdefault((item.subset, item.sequence), set()).add((item.width, item.height))
    uniform = all(len(found) == 1 and (found == {(None, None)} or all(next(iter(found)))) for found in sizes.values())
    found = {"several": len(sizes) > 1, "sizes": uniform}
    return {**options, **{key: value for key, value in found.items() if options.get(key) is None}}


def arrange(item: Item, source: Item, report: LossReport, *, names: bool = False) -> None:
    """Bring boxes into what the rows of their file can say; with ``names``, remember the former path of the image."""
    own = item.extras.get(NAMESPACE, {})
    form = own.get("#form", "gt")
    name = own.get("name", source.path)
    if names and name is not None:
        if any(ord(letter) < 32 for letter in name) or name != name.strip():
            report.drop(source, None, "path", "it is no line of names.txt")
            name = None
        item.extras = {**item.extras, NAMESPACE: {**own, "name": name}}
    if "name" in item.extras.get(NAMESPACE, {}) and (not names or name is None):
        own = {key: value for key, value in own.items() if key != "name"}
        item.extras = {**item.extras, NAMESPACE: own}
        if not names:
            report.drop(source, None, f"extras.{NAMESPACE}.name", "names=True writes names.txt")
    for box in item.annotations:
        if box.keyframe != (box.track_id is not None):
            box.keyframe = box.track_id is not None
            report.approximate(source, box, "keyframe", "the boxes of tracks are key frames, all and only these")
        _attributes(box, source, report, form)  # type: ignore[arg-type]
        if form != "det" and box.score is not None:
            box.score = None
            report.drop(source, box, "score", "ground truth has a flag in its place")
        if form == "det" and box.score == -1:
            box.score = None
            report.drop(source, box, "score", "-1 means that there is none")
        if form != "gt" and box.category_id is not None:
            report.drop(source, box, "category_id", "such rows have no class")
            box.category_id = None


def _attributes(box: Box, source: Item, report: LossReport, form: str) -> None:
    kept = dict(box.attributes)
    for name in list(kept):
        value = kept[name]
        if name == "ignored" and form != "det":
            if value is not True:
                del kept[name]
            if type(value) is not bool:
                report.drop(source, box, "attributes.ignored", "it is no truth value")
            elif not value:
                report.approximate(source, box, "attributes.ignored", "what is not ignored says nothing of it")
            continue
        good = type(value) in (int, float) and math.isfinite(value) and value != -1
        if name == "visibility" and form == "gt" and good:
            kept[name] = float(value)
            continue
        del kept[name]
        report.drop(source, box, f"attributes.{name}", "such rows have no place for it, or it is no number")
    if form != "gt" and box.occluded:
        box.occluded = False
        report.drop(source, box, "occluded", "such rows have no place for it")
    if form == "gt" and "visibility" in kept and box.occluded != (kept["visibility"] <= 0):
        box.occluded = kept["visibility"] <= 0
        report.approximate(source, box, "occluded", "a box is occluded whose visibility is 0")
    box.attributes = kept
