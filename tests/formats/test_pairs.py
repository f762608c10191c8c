"""Every format into every other: what is missing afterwards is what ``plan`` predicted and the report said."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import maskcodec as mc
from maskcodec import registry
from maskcodec.formats._shared.carry import carried
from maskcodec.formats.hasty_imports import semantic_write
from maskcodec.model.annotations import Annotation, same_value
from maskcodec.model.losses import LossReport
from maskcodec.testing import assert_datasets_equal
from tests.formats.test_contract import BOTH, by_subset, carries, expected, without_added, without_dropped
from tests.zoo import zoo

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

# What one format keeps as an attribute another keeps as a field: the same thing under the same name.
FIELDS: dict[str, tuple[type, ...]] = {
    "is_crowd": (bool,), "occluded": (bool,), "outside": (bool,), "keyframe": (bool,), "truncated": (bool,),
    "score": (int, float), "track_id": (int, str), "rotation": (int, float),
}  # fmt: skip


@pytest.fixture(autouse=True)
def every_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison goes by the names in the report, so it needs all of them."""
    monkeypatch.setattr("maskcodec.model.losses.MAX_EXAMPLES", 10_000)
    monkeypatch.setattr("tests.formats.test_contract.MAX_EXAMPLES", 10_000)


def plain(dataset: mc.Dataset) -> mc.Dataset:
    """Attributes that mean a field as this field, no notes of a reader on the form of its file, no bare tracks."""
    for item in dataset.items:
        item.extras = without_notes(item.extras)
        for annotation in item.annotations:
            annotation.extras = without_notes(annotation.extras)
            for name, types in FIELDS.items():
                if type(annotation.attributes.get(name)) in types and hasattr(annotation, name):
                    annotation.attributes = dict(annotation.attributes)
                    setattr(annotation, name, annotation.attributes.pop(name))
    dataset.extras = without_notes(dataset.extras)
    said: dict[Any, list[Annotation]] = {}
    for item in dataset.items:
        for annotation in item.annotations:
            said.setdefault(annotation.track_id, []).append(annotation)
    for key, track in dataset.tracks.items():  # what its shapes say, some formats say of the track as well
        own = {
            name: value
            for name, value in track.attributes.items()
            if not any(name in a.attributes and same_value(a.attributes[name], value) for a in said.get(track.id, []))
        }
        dataset.tracks[key] = dataclasses.replace(track, attributes=own)
    dataset.tracks = {key: track for key, track in dataset.tracks.items() if track.attributes or track.extras}
    return dataset


def without_notes(extras: dict) -> dict:
    kept = {ns: {k: v for k, v in own.items() if not k.startswith("#") and v != []} for ns, own in extras.items()}
    return {ns: own for ns, own in kept.items() if own}


# Results name images and categories by numbers alone and know no sizes: what goes there is compared in
# ``test_to_results`` below, which leaves these out.
NUMBERS_ONLY = "coco_results"
VALUED = [name for name in BOTH if name != NUMBERS_ONLY]
PAIRS = [(a, b) for a in VALUED for b in VALUED if a != b]

# Formats whose items are sorted by names that the writer may have to change: by these names the items pair up.
NAMED: dict[str, Callable[[mc.Item, dict[str, None], LossReport], str]] = {"hasty_semantic": semantic_write.map_name}


def read_back(path: Path, name: str) -> mc.Dataset:
    """What was written, with its items in the order in which ``shown_as`` has them."""
    dataset = mc.read(path, name, on_loss="ignore").load()
    if name not in NAMED:
        dataset.items = by_subset(dataset, name)
        return dataset
    files = {id(item): f"{item.subset}/{item.id}.png".removeprefix("default/") for item in dataset.items}
    dataset.items = mc.ItemList(sorted(dataset.items, key=lambda item: files[id(item)]))
    return dataset


def shown_as(dataset: mc.Dataset, name: str) -> tuple[mc.Dataset, LossReport]:
    """What a format holds of a data set, and what its writer reports."""
    shown, plan = expected(dataset, name)
    if name not in NAMED:
        shown.items = mc.ItemList(shown.items)
        return shown, plan
    items = list(carried(dataset, carries(name), LossReport()).items)
    taken: dict[str, None] = {}
    sized = [item for item in items if item.width and item.height]  # others are dropped, and the report says so
    files = {id(item): NAMED[name](item, taken, LossReport()) for item in sized}
    rest = [item for item in items if id(item) not in files]
    shown.items = mc.ItemList([*sorted(sized, key=lambda item: files[id(item)]), *rest])
    return shown, plan


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pairs")


def numbered(dataset: mc.Dataset) -> mc.Dataset:
    """With an id for every annotation, so that the report can tell them apart."""
    for item in dataset.items:
        for at, annotation in enumerate(item.annotations):
            if annotation.id is None:
                annotation.id = 1000 + at
    return dataset


@functools.cache
def written(folder: Path, name: str) -> Path:
    """The zoo as a format holds it, on disk."""
    mc.write(zoo(), folder / name, name, on_loss="ignore")
    return folder / name


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_there_and_back(folder: Path, tmp_path: Path, first: str, second: str) -> None:
    source = numbered(mc.read(written(folder, first), first).load())
    shown, plan = shown_as(source, second)
    report = mc.write(source, tmp_path / "there", second, on_loss="ignore")
    assert report == plan
    there = read_back(tmp_path / "there", second)
    categories = there.schema.categories
    shown = without_dropped(shown, report, there)
    there = without_added(there, shown, report)
    assert_datasets_equal(plain(shown), plain(there), report, added=carries(second).namespaces)
    there.schema.categories = categories  # those that the writer had to add go back, too

    # And back: the first format holds what came through the second as it holds anything else.
    there = numbered(read_back(tmp_path / "there", second))  # afresh, with the classes that the writer added
    shown, plan = shown_as(there, first)
    report = mc.write(there, tmp_path / "back", first, on_loss="ignore")
    assert report == plan
    back = read_back(tmp_path / "back", first)
    shown = without_dropped(shown, report, back)
    back = without_added(back, shown, report)
    assert_datasets_equal(plain(shown), plain(back), report, added=carries(first).namespaces)


def geometry(annotation: Annotation) -> dict[str, Any]:
    """What a kind has of its own."""
    shared = {field.name for field in dataclasses.fields(Annotation)}
    own = {f.name: getattr(annotation, f.name) for f in dataclasses.fields(annotation) if f.name not in shared}
    if own.get("visibility", ...) is None:
        own["visibility"] = [2] * len(own["xy"])  # the file says it for every point
    return own


@pytest.mark.parametrize("other", VALUED)
def test_to_results(folder: Path, tmp_path: Path, other: str) -> None:
    """Value by value, but for what results cannot say: names and sizes of images, names of categories."""
    source = numbered(mc.read(written(folder, other), other).load())
    report = mc.write(source, tmp_path / "there", NUMBERS_ONLY, on_loss="ignore")
    shown, plan = expected(source, NUMBERS_ONLY)
    assert report == plan
    shown.items = mc.ItemList(shown.items)
    there = mc.read(tmp_path / "there", NUMBERS_ONLY).load()
    assert not len(there.report)
    # Items are left out by what is in them: their names are no longer unique where there are no subsets.
    losses = [loss for loss in report if loss.field or not (loss.what == "item" or "no points" in loss.reason)]
    shown = without_dropped(shown, losses, there)
    for item in shown.items:  # those without a point have no place in the file, and the report says so
        item.annotations = [a for a in item.annotations if not isinstance(a, mc.Points) or len(a.xy)]
    listed = [item for item in shown.items if item.annotations]
    assert len(listed) == len(there.items)
    numbers: dict[Any, Any] = {}
    for item, twin in zip(listed, there.items, strict=True):
        assert len(item.annotations) == len(twin.annotations)
        for one, two in zip(item.annotations, twin.annotations, strict=True):
            assert type(one) is type(two)
            assert same_value(geometry(one), geometry(two)), f"{item.key} {one!r} became {two!r}"
            assert two.score == (one.score if one.score is not None or one.kind == "caption" else 1.0)
            if one.category_id is not None or two.category_id is not None:
                assert numbers.setdefault(one.category_id, two.category_id) == two.category_id
            kept = {k: v for k, v in one.extras.get("coco", {}).items() if k[0] != "#" and k not in ("id", "iscrowd")}
            back = two.extras.get("coco", {})
            assert same_value(kept, {key: back.get(key) for key in kept})
    assert len(set(numbers.values())) == len(numbers)
    renumbered = any(loss.what == "category" and loss.field == "id" for loss in report)
    assert renumbered or all(key == value for key, value in numbers.items())
    unused = {category.name for category in shown.schema if category.id not in numbers}
    gone = {name for loss in report if loss.what == "category" and not loss.field for name, _ in loss.examples}
    assert unused == gone & unused
    assert {category.id for category in there.schema} == {number for number in numbers.values() if number is not None}


@pytest.mark.parametrize("other", VALUED)
def test_from_results(folder: Path, tmp_path: Path, other: str) -> None:
    source = numbered(mc.read(written(folder, NUMBERS_ONLY), NUMBERS_ONLY).load())
    shown, plan = shown_as(source, other)
    report = mc.write(source, tmp_path / "there", other, on_loss="ignore")
    assert report == plan
    there = read_back(tmp_path / "there", other)
    if any("written as points" in loss.reason for loss in report if loss.what == "skeleton"):
        for item in there.items:
            item.annotations = [as_skeleton(a) if type(a) is mc.Points else a for a in item.annotations]
        for item in shown.items:
            item.annotations = [as_skeleton(a) if type(a) is mc.Skeleton else a for a in item.annotations]
    shown = without_dropped(shown, report, there)
    there = without_added(there, shown, report)
    for item, twin in zip(shown.items, there.items, strict=True):
        if item.width is None and item.height is None:  # results know no sizes; a label map has one all the same
            twin.width = twin.height = None
    assert_datasets_equal(plain(shown), plain(there), report, added=carries(other).namespaces)


def as_skeleton(annotation: Annotation) -> Annotation:
    """Loose points as the skeleton that they were, all of them visible as the report says."""
    shared = {field.name: getattr(annotation, field.name) for field in dataclasses.fields(Annotation)}
    return mc.Skeleton(annotation.xy, [2] * len(annotation.xy), **shared)


def test_all_formats_take_part() -> None:
    assert {name for pair in PAIRS for name in pair} | {NUMBERS_ONLY} == {
        n for n, f in registry.formats().items() if f.read and f.write
    }
