"""The typed passes of the COCO reader against its careful one, and what only the careful one can tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.formats.coco import record, shapes, tasked
from maskcodec.formats.coco.compact import Column, Named, Places, Texts, all_different
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

IMAGE = {"id": 1, "file_name": "a.png", "width": 8, "height": 6}
PEOPLE = {"id": 1, "name": "person", "keypoints": ["nose", "tail"], "skeleton": [[1, 2]]}
BASE = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4.5], "area": 6, "iscrowd": 0}
RLE = mc.Rle.from_counts([13, 2, 4, 2, 27], (6, 8)).to_coco()
RECORDS: dict[str, list[dict[str, Any]]] = {
    "coco_instances": [
        {**BASE, "segmentation": [[1, 2, 3.5, 4, 5, 6]]},
        {**BASE, "segmentation": RLE},
        {**BASE, "segmentation": {"size": [6, 8], "counts": [13, 2, 4, 2, 27]}, "iscrowd": 1},
        {**BASE, "segmentation": [], "score": 0.5, "attributes": {"occluded": True, "rotation": 3.5, "n": "\\ \""}},
        {**BASE, "mine": {"a": ["\\", None]}, "name\"": 1},
    ],
    "coco_keypoints": [
        {**BASE, "segmentation": [], "keypoints": [1, 2, 2, 3.5, 4, 0], "num_keypoints": 1},
        {**BASE, "segmentation": None, "keypoints": [1, 2, 2.0, 3, 4, 1], "num_keypoints": 2, "score": 1},
        {**BASE, "segmentation": [[1, 2, 3.5, 4, 5, 6]], "keypoints": [0] * 6, "num_keypoints": 0},
        {**BASE, "segmentation": RLE, "keypoints": [0] * 6, "num_keypoints": 0, "attributes": {"keyframe": True}},
    ],
    "coco_captions": [
        {"id": 1, "image_id": 1, "caption": "plain"},
        {"id": 1, "image_id": 1, "caption": 'quoted " and \\ and übersicht'},
        {"id": 1, "image_id": 1, "caption": "", "category_id": 1},
    ],
    "coco_labels": [
        {"id": 1, "image_id": 1, "category_id": 1},
        {"id": 1, "image_id": 1, "category_id": 1, "score": 0.5},
    ],
}  # fmt: skip
CASES = [pytest.param(task, row, id=f"{task}{at}") for task, rows in RECORDS.items() for at, row in enumerate(rows)]


def text(row: Any, **more: Any) -> bytes:
    category = PEOPLE if "keypoints" in row else {"id": 1, "name": "person"}
    return json.dumps({"images": [IMAGE], "annotations": [row], "categories": [category], **more}).encode()


class Refuses:
    """A decoder that takes nothing, so that the careful reader has it."""

    def decode(self, data: bytes) -> Any:
        raise msgspec.ValidationError("refused")


def careful(data: bytes | Path, name: str, monkeypatch: pytest.MonkeyPatch) -> mc.Dataset:
    with monkeypatch.context() as patch:
        for module, names in (
            (record, ("_sound", "_known")),
            (shapes, ("_RLE",)),
            (tasked, ("_points_decoder", "_caption_decoder", "_label_decoder")),
        ):
            for decoder in names:
                patch.setattr(module, decoder, Refuses())
        return mc.read(data, name).load()


@pytest.mark.parametrize(("task", "row"), CASES)
def test_both_readers_agree(task, row, monkeypatch):
    assert_datasets_equal(mc.read(text(row), task), careful(text(row), task, monkeypatch))


@pytest.mark.parametrize("name", ["val2014-subset", "lvis-subset", "keypoints-val2017-subset", "cvat-export"])
def test_both_readers_agree_on_real_files(samples: Path, name: str, monkeypatch):
    files = [p for p in sorted((samples / "coco" / name).rglob("*.json")) if "results" not in p.parts]
    assert files
    for path in files:
        form = mc.detect(path)
        assert_datasets_equal(mc.read(path, form), careful(path, form, monkeypatch))


@pytest.mark.parametrize(("task", "row"), CASES)
def test_a_repeated_key_is_never_overlooked(task, row):
    """Each key of a record a second time, plain and written with an escape."""
    data = text(row)
    for key in row:
        name = json.dumps(key)
        for again in (name, f'"\\u{ord(key[0]):04x}{name[2:]}'):
            for value in {json.dumps(row[key]), "1", '"x"'}:
                twice = data.replace(b'"annotations": [{', f'"annotations": [{{{again}: {value}, '.encode(), 1)
                assert twice != data
                with pytest.raises(mc.FormatError):
                    list(mc.read(twice, task).items)


@pytest.mark.parametrize("key", ["size", "counts"])
def test_a_repeated_key_in_run_lengths(key):
    data = text({**BASE, "segmentation": RLE})
    value = json.dumps(RLE[key])
    twice = data.replace(b'"segmentation": {', f'"segmentation": {{"{key}": {value}, '.encode())
    with pytest.raises(mc.FormatError, match="twice"):
        list(mc.read(twice, "coco_instances").items)


@pytest.mark.parametrize(
    ("images", "field", "message"),
    [
        ([IMAGE, IMAGE], "id", "duplicate"),
        ([IMAGE, {**IMAGE, "id": "1"}], "id", "duplicate"),
        ([IMAGE, {**IMAGE, "id": 2**63}], "id", "64 bits"),
        ([IMAGE, {**IMAGE, "id": None}], "id", "64 bits"),
        ([IMAGE, {**IMAGE, "id": 2, "file_name": "../a.png"}], "file_name", "path"),
        ([IMAGE, {**IMAGE, "id": 2, "file_name": "/a.png"}], "file_name", "path"),
        ([IMAGE, {**IMAGE, "id": 2, "file_name": 5}], "file_name", "path"),
        ([IMAGE, {"id": 2}], "file_name", "path"),
        ([IMAGE, 5], "", "object"),
    ],
)
def test_bad_images_are_named_and_skipped(images, field, message):
    data = text({**BASE, "segmentation": []}, images=images)
    with pytest.raises(mc.FormatError, match=message) as caught:
        mc.read(data, "coco_instances")
    assert caught.value.field == field
    assert caught.value.record.startswith("images[1]")
    lenient = mc.read(data, "coco_instances", on_error="skip")
    assert [len(item.annotations) for item in lenient.items] == [1]
    assert lenient.report.total == 1


@pytest.mark.parametrize(
    ("categories", "field"),
    [
        ([PEOPLE, PEOPLE], "id"),
        ([PEOPLE, {"id": 1.5, "name": "x"}], "id"),
        ([PEOPLE, {"id": 2}], "name"),
        ([PEOPLE, 5], ""),
    ],
)
def test_bad_categories_are_named_and_skipped(categories, field):
    data = text({**BASE, "segmentation": []}, categories=categories)
    with pytest.raises(mc.FormatError) as caught:
        mc.read(data, "coco_instances")
    assert (caught.value.field, caught.value.record[:13]) == (field, "categories[1]")
    lenient = mc.read(data, "coco_instances", on_error="skip")
    assert len(lenient.schema) == 1
    assert lenient.report.total == 1


def test_equal_names_in_two_subsets_keep_their_ids(tmp_path):
    box = {"category_id": 1, "id": 3}
    items = [mc.Item("a", "a.png", width=8, height=6, subset=subset, annotations=[mc.Box(1, 1, 2, 2, **box)],
                     extras={"coco": {"id": number}}) for subset, number in (("train", 7), ("val", 9))]  # fmt: skip
    mc.write(mc.Dataset(mc.LabelSchema([mc.Category(1, "cat")]), items), tmp_path / "out", "coco_instances")
    for subset, number in (("train", 7), ("val", 9)):
        document = json.loads((tmp_path / "out" / "annotations" / f"instances_{subset}.json").read_text("utf-8"))
        assert [image["id"] for image in document["images"]] == [number]
        assert [row["image_id"] for row in document["annotations"]] == [number]


# --- columns in place of lists and dicts ------------------------------------------------------------------------------
whole = st.integers(-(2**63), 2**63 - 1)
numbers = st.one_of(whole, st.integers(0, 50), st.text(max_size=3), st.integers(2**64, 2**65))


@given(st.lists(numbers, unique=True), whole)
@settings(max_examples=60)
def test_places_are_those_of_a_dict(ids, other):
    places, table = Places(ids), {number: at for at, number in enumerate(ids)}
    assert list(places) == ids
    assert len(places) == len(ids)
    asked = [*ids, other, "x", None]
    assert [places.get(number) for number in asked] == [table.get(number) for number in asked]
    small = [number for number in (*ids, other) if type(number) is int and -(2**63) <= number < 2**63]
    assert places.find(small).tolist() == [table.get(number, -1) for number in small]


@given(st.lists(st.text(max_size=5)))
@settings(max_examples=60)
def test_texts_are_those_of_a_list(values):
    texts = Texts()
    for value in values:
        texts.append(value)
    assert list(texts) == values
    assert texts[1:] == values[1:]
    if all_different(texts, len(texts)):
        assert len(set(values)) == len(values)


@given(st.lists(st.one_of(st.integers(-5, 5), whole)))
@settings(max_examples=60)
def test_columns_hold_any_integer(values):
    column = Column()
    for value in values:
        column.append(value)
    assert column.array.tolist() == values
    assert column.array.dtype == (np.int64 if any(not -(2**31) <= v < 2**31 for v in values) else np.int32)


def test_items_that_are_named_otherwise_are_found():
    named = Named("val")
    for name, number, item_id in (
        ("a.png", 1, "a"), ("b.png", 2, "x"), ("c.png", 3, "c.png"), ("c.jpg", 4, "c.jpg"), ("d.png", 5, "d#5"),
        ("d.png", 6, "d.png#6"), ("e.png", "t", "e"),
    ):  # fmt: skip
        named.add(name, number, mc.Item(item_id, name, subset="val"))
    assert list(named.renamed()) == ["val/x", "val/d#5"]
