"""Values of a wrong type, anywhere in a sample: an error of the library's own, or a reader that can live with it."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

FILES = {
    **{f"segments-ai/label-attributes/{name}.json": "segments" for name in (
        "image-vector", "image-vector-documented-track-ids", "image-sequence-vector", "image-sequence-segmentation",
        "pointcloud-cuboid", "pointcloud-segmentation", "pointcloud-sequence-vector", "multisensor-sequence",
    )},
    "segments-ai/release-segmentation/streets-v1.0.json": "segments",
    "segments-ai/release-vector/streets-v2.0.json": "segments",
    "segments-ai/release-pointcloud/clouds-v1.0.json": "segments",
    "hasty-json/authored-v1.1/export.json": "hasty_json",
    "hasty-imports/mixed/import.json": "hasty_bbox",
    "hasty-imports/label-class/label_classes-exported-form.json": "hasty_label_classes",
    "datagym/import/full.json": "datagym",
    "datagym/export/authored-image-project.json": "datagym",
    "datagym/video/sdk-merged-export.json": "datagym",
    "datagym/video/task-export.json": "datagym",
    "datagym/label-configuration/authored.json": "datagym",
}  # fmt: skip
WRONG: tuple[Any, ...] = (None, 5, "x", [], {}, [[]], True)


def places(value: Any, place: tuple = ()) -> Iterator[tuple]:
    """Every place in a document, of lists the first three elements."""
    yield place
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*place, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value[:3]):
            yield from places(inner, (*place, at))


def changed(value: Any, place: tuple, new: Any) -> Any:
    if not place:
        return new
    value = copy.deepcopy(value)
    inner = value
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = new
    return value


@pytest.mark.parametrize("name", FILES)
def test_wrong_types_are_told_or_borne(samples: Path, name: str) -> None:
    document = json.loads((samples / name).read_text("utf-8"))
    found = list(places(document))
    for place in random.Random(7).sample(found, min(len(found), 60)):
        for new in WRONG:
            data = json.dumps(changed(document, place, new)).encode()
            for mode in ("raise", "skip"):
                try:
                    mc.read(data, FILES[name], on_error=mode).load()
                except mc.Error as error:
                    assert str(error), f"{place} = {new!r} ({mode})"
