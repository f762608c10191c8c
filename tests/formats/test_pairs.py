"""Every format into every other: what is missing afterwards is what ``plan`` predicted and the report said."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec import registry
from maskcodec.formats._shared.carry import carried
from maskcodec.formats.hasty_imports import semantic_write
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
    dataset.tracks = {key: track for key, track in dataset.tracks.items() if track.attributes or track.extras}
    return dataset


def without_notes(extras: dict) -> dict:
    kept = {ns: {k: v for k, v in own.items() if not k.startswith("#") and v != []} for ns, own in extras.items()}
    return {ns: own for ns, own in kept.items() if own}


# Results name images and categories by numbers alone and know no sizes: they are held against their report by kinds and
# counts in ``test_results`` below, not value by value.
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
    shown = without_dropped(shown, report, there)
    there = without_added(there, shown, report)
    assert_datasets_equal(plain(shown), plain(there), report, added=carries(second).namespaces)

    # And back: the first format holds what came through the second as it holds anything else.
    there = numbered(there)
    shown, plan = shown_as(there, first)
    report = mc.write(there, tmp_path / "back", first, on_loss="ignore")
    assert report == plan
    back = read_back(tmp_path / "back", first)
    shown = without_dropped(shown, report, back)
    back = without_added(back, shown, report)
    assert_datasets_equal(plain(shown), plain(back), report, added=carries(first).namespaces)


@pytest.mark.parametrize("other", VALUED)
def test_results(folder: Path, tmp_path: Path, other: str) -> None:
    for first, second in ((other, NUMBERS_ONLY), (NUMBERS_ONLY, other)):
        source = numbered(mc.read(written(folder, first), first).load())
        out = tmp_path / second
        report = mc.write(source, out, second, on_loss="ignore")
        assert report == mc.plan(source, second)
        gone = sum(loss.count for loss in report if loss.action == "dropped" and loss.field == "" and
                   loss.what not in ("item", "category"))  # fmt: skip
        named = {name for loss in report if loss.what == "item" and loss.action == "dropped" and not loss.field
                 for name, _ in loss.examples}  # fmt: skip
        gone += sum(loss.count for loss in report if loss.reason == "written as an attribute of the image")
        joined = sum(loss.count for loss in report if "joined" in loss.reason)
        kept = sum(len(i.annotations) for i in source.items if not named & {str(i.id), f"{i.subset}/{i.id}"})
        there = sum(len(i.annotations) for i in mc.read(out, second, on_loss="ignore").items)
        assert there >= kept - gone - joined


def test_all_formats_take_part() -> None:
    assert {name for pair in PAIRS for name in pair} | {NUMBERS_ONLY} == {
        n for n, f in registry.formats().items() if f.read and f.write
    }
