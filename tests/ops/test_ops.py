"""Data sets out of data sets: what is chosen, renamed, joined, and what is said about it."""

from __future__ import annotations

import copy
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.ops import compare, filter_items, merge, remap, sample, split, statistics
from maskcodec.ops.validate import check
from maskcodec.testing import assert_datasets_equal
from tests.zoo import zoo

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.LossWarning")


def made(count: int = 20, categories: tuple[str, ...] = ("cat", "dog")) -> mc.Dataset:
    schema = mc.LabelSchema([mc.Category(i, name) for i, name in enumerate(categories, 1)])
    items = []
    for i in range(count):
        boxes = [
            mc.Box(k, k, k + i + 1, k + 2, category_id=1 + (i + k) % len(categories), id=10 * i + k, score=k / 2)
            for k in range(i % 4)
        ]
        items.append(mc.Item(f"{i}", f"{i}.png", width=50, height=40, sequence=f"s{i // 5}", annotations=boxes))
    return mc.Dataset(schema, items)


def unchanged(function, dataset: mc.Dataset):
    """The result of a function, which may not change what it is given."""
    before = copy.deepcopy(dataset)
    result = function(dataset)
    for part in result if isinstance(result, tuple) else (result,):
        if isinstance(part, mc.Dataset):
            list(part.items)
    assert_datasets_equal(before, dataset)
    return result


# --- filter -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "keeps"),
    [
        ({"categories": ["cat"]}, lambda i, a: a.category_id == 1),
        ({"without": ["cat"]}, lambda i, a: a.category_id != 1),
        ({"kinds": ["mask"]}, lambda i, a: False),
        ({"min_area": 8, "max_area": 20}, lambda i, a: 8 <= (a.x1 - a.x0) * (a.y1 - a.y0) <= 20),
        ({"min_score": 0.5}, lambda i, a: a.score >= 0.5),
        ({"crowd": True}, lambda i, a: False),
        ({"crowd": False}, lambda i, a: True),
        ({"items": ["1?.png"]}, lambda i, a: len(i.id) == 2 and i.id[0] == "1"),
        ({"subsets": ["none"]}, lambda i, a: False),
        ({"where": lambda i, a: a.id % 2 == 0}, lambda i, a: a.id % 2 == 0),
    ],
)
def test_filter_keeps_what_fulfils_the_condition(how, keeps):
    source = made()
    result, kept = unchanged(lambda d: filter_items(d, **how), source)
    for _ in range(2):  # the same in every pass
        found = {(i.id, a.id) for i in result.items for a in i.annotations}
        assert found == {(i.id, a.id) for i in source.items for a in i.annotations if keeps(i, a)}
    assert (kept.items, kept.annotations) == (20, 30)
    assert kept.kept_annotations == len(found)
    assert kept.annotations - kept.kept_annotations >= sum(kept.reasons.values())


def test_filter_takes_parts_along_and_drops_empty_items_when_asked():
    boxes = [
        mc.Box(0, 0, 9, 9, category_id=1, id=1), mc.Box(1, 1, 2, 2, category_id=2, id=2, parent_id=1),
        mc.Box(1, 1, 2, 2, category_id=2, id=3, parent_id=2), mc.Box(1, 1, 2, 2, category_id=2, id=4),
    ]  # fmt: skip
    items = [mc.Item("a", annotations=boxes), mc.Item("b"), mc.Item("c", annotations=boxes[:1])]
    data = mc.Dataset(made().schema, items)
    result, kept = filter_items(data, categories=["dog"])
    assert [[a.id for a in item.annotations] for item in result.items] == [[4], [], []]
    assert kept.reasons == {"category": 2, "part of another": 2}  # box 3 is a part of box 2, a part of box 1
    assert [item.id for item in filter_items(data, without=["cat"], keep_empty=False)[0].items] == ["a", "b"]
    assert [c.name for c in result.schema] == ["dog"]
    with pytest.raises(KeyError, match="no category 'cow'; there are cat, dog"):
        filter_items(data, categories=["cow"])


# --- remap ------------------------------------------------------------------------------------------------------------


def test_remap_renames_joins_and_drops():
    source = made(categories=("cat", "dog", "sky"))
    result, report = unchanged(lambda d: remap(d, {"cat": "animal", "dog": "animal", "sky": None}), source)
    assert [(c.id, c.name) for c in result.schema] == [(1, "animal")]
    for _ in range(2):
        found = Counter(a.category_id for item in result.items for a in item.annotations)
    expected = Counter(a.category_id for item in source.items for a in item.annotations)
    assert found == {1: expected[1] + expected[2]}
    assert [(loss.action, loss.what, loss.count) for loss in report] == [("dropped", "box", expected[3])]
    only, _ = remap(source, {"dog": "dog"}, others="drop")
    assert [c.name for c in only.schema] == ["dog"]
    with pytest.raises(KeyError, match="no category 'cow'"):
        remap(source, {"cow": "x"})


def test_remap_of_categories_with_other_points_is_told():
    schema = mc.LabelSchema([mc.Category(1, "a", keypoints=["x"]), mc.Category(2, "b", keypoints=["y", "z"])])
    result, report = remap(mc.Dataset(schema), {"b": "a"})
    assert result.schema.by_name("a").keypoints == ["x"]
    assert [(loss.what, loss.field) for loss in report] == [("category", "keypoints")]


# --- sample and split -------------------------------------------------------------------------------------------------


@given(st.integers(0, 30), st.integers(0, 5))
def test_sample_is_a_sorted_choice(count, seed):
    data = made(30)
    found = [int(item.id) for item in sample(data, count, seed=seed).items]
    assert found == sorted(set(found))
    assert len(found) == count
    assert found == [int(item.id) for item in sample(data, count / 30, seed=seed).items]


def test_sample_of_lazy_items_loads_only_those(tmp_path):
    mc.write(made(), tmp_path / "c", "coco_instances", on_loss="ignore")
    lazy = mc.read(tmp_path / "c")
    assert isinstance(sample(lazy, 3).items, mc.LazyItems)
    assert len(list(sample(lazy, 3).items)) == 3
    for wrong in (21, -1, 1.5):
        with pytest.raises(ValueError, match="size"):
            sample(lazy, wrong)


@given(st.lists(st.floats(0.01, 5), min_size=1, max_size=4), st.integers(0, 3), st.booleans())
def test_split_takes_every_item_once_and_keeps_the_shares(shares, seed, stratify):
    data = made(40)
    parts = {f"p{i}": share for i, share in enumerate(shares)}
    result = split(data, parts, seed=seed, stratify=stratify)
    assert [item.id for item in result.items] == [item.id for item in data.items]
    counts = Counter(item.subset for item in result.items)
    if not stratify:
        for name, share in parts.items():
            assert abs(counts[name] - 40 * share / sum(shares)) <= len(shares)
    again = split(data, parts, seed=seed, stratify=stratify)
    assert [item.subset for item in again.items] == [item.subset for item in result.items]


def test_split_keeps_sequences_together_and_balances_categories():
    data = made(40)
    subsets = {}
    for item in split(data, {"a": 1, "b": 1}, by="sequence").items:
        assert subsets.setdefault(item.sequence, item.subset) == item.subset
    result = split(data, {"train": 0.75, "val": 0.25}, stratify=True)
    counts = Counter((item.subset, a.category_id) for item in result.items for a in item.annotations)
    for category in (1, 2):
        share = counts["val", category] / (counts["val", category] + counts["train", category])
        assert 0.12 < share < 0.4
    for wrong in ({}, {"a": 0}, {"a": -1, "b": 2}):
        with pytest.raises(ValueError, match="parts"):
            split(data, wrong)


def test_split_renames_what_would_meet(tmp_path):
    report = mc.LossReport()
    data = mc.Dataset(items=[mc.Item("a", "a.png", subset=name) for name in ("x", "y", "z")])
    result = split(data, {"all": 1.0}, report=report)
    assert [(i.id, i.path) for i in result.items] == [("a", "a.png"), ("y/a", "y/a.png"), ("z/a", "z/a.png")]
    assert {(loss.field, loss.count) for loss in report} == {("id", 2), ("path", 2)}


# --- merge ------------------------------------------------------------------------------------------------------------


def test_merge_joins_by_name_and_loses_nothing():
    one, two = made(categories=("cat", "dog")), made(categories=("dog", "bird", "cat"))
    both, report = unchanged(lambda d: merge([d, two], ["one", "two"]), one)
    assert [c.name for c in both.schema] == ["cat", "dog", "bird"]
    names = {c.id: c.name for c in both.schema}
    expected = Counter()
    for source in (one, two):
        own = {c.id: c.name for c in source.schema}
        expected.update((a.x1, own[a.category_id]) for item in source.items for a in item.annotations)
    for _ in range(2):
        items = list(both.items)
        assert Counter((a.x1, names[a.category_id]) for item in items for a in item.annotations) == expected
        ids = [a.id for item in items for a in item.annotations]
        assert len(ids) == len(set(ids))
        assert len({item.key for item in items}) == len({(item.subset, item.path) for item in items}) == 40
    assert {loss.field for loss in report if loss.action == "renamed"} == {"id", "path"}
    assert len(both.items) == 40


def test_merge_keeps_relations():
    both, _ = merge([zoo(), zoo()], ["a", "b"])
    for item in both.items:
        own = {a.id for a in item.annotations}
        assert all(a.parent_id is None or a.parent_id in own for a in item.annotations)
    tracks = {a.track_id for item in both.items for a in item.annotations} - {None}
    assert {track.id for track in both.tracks.values()} == tracks
    assert len(both.links) == 2
    assert all(link.source in both.tracks and link.target in both.tracks for link in both.links)
    assert not [p for p in check(both) if p.rule in ("parent", "track", "category")]


def test_merge_of_one_is_that_one():
    both, report = merge([zoo()], ["a"])
    assert not len(report)
    both.items = mc.ItemList(both.items)
    assert_datasets_equal(zoo(), both)
    with pytest.raises(ValueError, match="no data sets"):
        merge([])
    with pytest.raises(ValueError, match="different names"):
        merge([zoo(), zoo()], ["a", "a"])


def test_merge_keeps_texts_apart_and_images_in_reach(tmp_path):
    sources = []
    for name in ("one", "two"):
        (tmp_path / name / "images").mkdir(parents=True)
        (tmp_path / name / "images" / "a.png").write_bytes(name.encode())
        item = mc.Item("a", "a.png", width=8, height=8, annotations=[mc.Box(0, 0, 2, 2, category_id=1, id="x")])
        data = mc.Dataset(mc.LabelSchema([mc.Category(1, "cat")]), [item])
        mc.write(data, tmp_path / name / "annotations", "datumaro", on_loss="ignore")
        sources.append(mc.read(tmp_path / name, "datumaro"))
    both, _ = merge(sources, ["one", "two"])
    mc.write(both, tmp_path / "out", "coco_instances", media="copy", on_loss="ignore")
    found = {p.relative_to(tmp_path / "out").as_posix(): p.read_bytes() for p in (tmp_path / "out").rglob("*.png")}
    assert sorted(found.values()) == [b"one", b"two"]
    assert len(mc.read(tmp_path / "out").items) == 2


# --- compare ----------------------------------------------------------------------------------------------------------


def test_equal_data_sets_are_equal():
    found = compare(zoo(), zoo())
    assert not found
    assert (found.items, found.annotations) == (7, 29)


def change(dataset: mc.Dataset, kind: str, **values) -> mc.Dataset:
    dataset = copy.deepcopy(dataset)
    annotation = next(a for item in dataset.items for a in item.annotations if a.variant == kind)
    for name, value in values.items():
        setattr(annotation, name, value)
    return dataset


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("box", {"x0": 1.625}, "11: geometry: 0.125 px apart"),
        ("box", {"category_id": 17}, "11: category: 'cat' -> 'person'"),
        ("box", {"occluded": True}, "11: occluded: False -> True"),
        ("box", {"attributes": {"n": 1}}, "11: attributes.n: None -> 1"),
        ("caption", {"text": "other"}, "25: geometry"),
        ("cuboid", {"yaw": 1.63}, "1: geometry: 1 px apart"),
        ("skeleton", {"visibility": [2, 2, 0]}, "22: geometry: 1 px apart"),
    ],
)
def test_a_change_is_named(kind, values, expected):
    found = compare(zoo(), change(zoo(), kind, **values))
    assert found.total == 1
    assert expected in str(found)


def test_masks_are_compared_by_their_pixels():
    pixels = np.zeros((12, 20), np.uint8)
    pixels[2:9, 3:11] = 1
    other = pixels.copy()
    other[2, 3:6] = 0
    one, two = (
        mc.Dataset(items=[mc.Item("a", width=20, height=12, annotations=[mc.Mask(mc.Rle.from_mask(m))])])
        for m in (pixels, other)
    )
    found = compare(one, two)
    assert (found.total, found.pixels) == (1, 3)
    assert not compare(one, two, pixels=3)
    assert compare(one, two, pixels=2)
    shape = mc.Dataset(items=[mc.Item("a", width=20, height=12, annotations=[mc.Box(3, 2, 11, 9)])])
    assert compare(one, shape).changes[0].field == "kind"
    assert not compare(one, shape, shapes=False)
    assert compare(two, shape, shapes=False).pixels == 3


def test_items_and_annotations_that_are_missing():
    fewer = zoo()
    fewer.items.pop(1)
    fewer.items[0].annotations.pop(0)
    found = compare(zoo(), fewer)
    assert [str(c) for c in found.changes] == ["- a.png: cat box id 11", "- sub dir/b.jpg"]
    assert found.gone == {"box": 3, "item": 1}
    assert [c.what for c in compare(fewer, zoo()).changes] == ["added", "added"]
    renamed = zoo()
    renamed.schema.categories[0].name = "lion"
    kinds = Counter((c.what, c.item) for c in compare(zoo(), renamed).changes if c.item == "categories")
    assert kinds == {("removed", "categories"): 1, ("added", "categories"): 1}


@given(st.permutations(range(18)))
def test_order_makes_no_difference(order):
    other = zoo()
    other.items[0].annotations = [other.items[0].annotations[i] for i in order]
    other.items.reverse()
    assert not compare(zoo(), other)


# --- check ------------------------------------------------------------------------------------------------------------


def problems(*annotations, **item):
    specs = [mc.AttributeSpec("age", "int"), mc.AttributeSpec("coat", "select", ["a"])]
    schema = mc.LabelSchema(
        [mc.Category(1, "cat", attributes=specs), mc.Category(2, "man", keypoints=["nose", "ear"])]
    )
    one = mc.Item("a", **{"width": 20, "height": 12, **item}, annotations=list(annotations))
    return [(p.severity, p.rule) for p in check(mc.Dataset(schema, [one]))]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (mc.Box(1, 1, 3, 3, category_id=1), []),
        (mc.Box(1, 1, 3, 3, category_id=9), [("error", "category")]),
        (mc.Box(3, 1, 3, 3), [("error", "extent")]),
        (mc.Box(5, 1, 3, 3), [("error", "extent")]),
        (mc.Box(float("nan"), 1, 3, 3), [("error", "finite")]),
        (mc.Box(15, 1, 23, 3), [("warning", "outside")]),
        (mc.Box(-1, 1, 3, 3), [("warning", "outside")]),
        (mc.Box(1, 1, 3, 3, parent_id=4), [("error", "parent")]),
        (mc.Box(1, 1, 3, 3, score=1.5), [("warning", "score")]),
        (mc.Box(1, 1, 3, 3, category_id=1, attributes={"age": "x"}), [("warning", "attribute")]),
        (mc.Box(1, 1, 3, 3, category_id=1, attributes={"coat": "b"}), [("warning", "attribute")]),
        (mc.Box(1, 1, 3, 3, category_id=1, attributes={"coat": "a", "age": 3, "other": ()}), []),
        (mc.Ellipse(5, 5, 0, 2), [("error", "extent")]),
        (mc.Polygon([]), [("error", "points")]),
        (mc.Polygon([[[1, 1], [2, 2], [1, 1]]]), [("error", "points")]),
        (mc.Polygon([[[1, 1], [2, 2], [3, 3]]]), [("warning", "area")]),
        (mc.Polyline([[1, 1]]), [("error", "points")]),
        (mc.Points([]), [("warning", "empty")]),
        (mc.Points([[1, 1]], [3]), [("error", "visibility")]),
        (mc.Skeleton([[1, 1]], category_id=2), [("error", "keypoints")]),
        (mc.Mask(mc.Rle.from_box((0, 0, 2, 2), (12, 21))), [("error", "size")]),
        (mc.Mask(mc.Rle.from_counts([240], (12, 20))), [("warning", "empty")]),
        (mc.Cuboid((0, 0, 0), (1, 0, 1)), [("error", "extent")]),
        (mc.PointMask([-1]), [("error", "points")]),
        (mc.PointMask([]), [("warning", "empty")]),
        (mc.Caption("x"), []),
        (mc.Tag(category_id=1), []),
    ],
)
def test_every_rule(annotation, expected):
    assert problems(annotation) == expected


def test_rules_about_several():
    box = mc.Box(1, 1, 3, 3, category_id=1, id=5)
    assert problems(box, copy.deepcopy(box)) == [("warning", "unique"), ("warning", "duplicate")]
    assert problems(box, mc.Points([[1, 1]], category_id=1, id=5)) == []  # as files of COCO by task have it
    two = [mc.Item(name, subset=name, annotations=[copy.deepcopy(box)]) for name in ("train", "val")]
    assert list(check(mc.Dataset(mc.LabelSchema([mc.Category(1, "a")]), two))) == []
    assert problems(height=0) == [("error", "size")]
    frames = [mc.Item("a", "a.png", sequence="s", frame=1) for _ in range(2)]
    twice = mc.Dataset(items=frames)
    assert [(p.severity, p.field) for p in check(twice)] == [("error", ""), ("warning", "path"), ("warning", "frame")]
    schema = mc.LabelSchema(
        [mc.Category(1, "a"), mc.Category(1, "a"), mc.Category(2, "", keypoints=["x"], skeleton=[(0, 1)])], background=7
    )
    rules = [(p.rule, p.severity) for p in check(mc.Dataset(schema, [], {3: mc.Track(3, 8)}))]
    assert rules == [
        ("unique", "error"), ("unique", "warning"), ("name", "error"), ("skeleton", "error"), ("category", "error"),
        ("track", "warning"), ("category", "error"),
    ]  # fmt: skip
    assert not [p for p in check(zoo()) if p.severity == "error"]


def test_statistics_count_everything():
    found = statistics(zoo())
    assert (found["items"], found["annotations"], found["tracks"], found["links"]) == (7, 29, 2, 1)
    assert found["subsets"] == {"default": 5, "val set": 2}
    assert sum(found["kinds"].values()) == sum(found["categories"].values()) == 29
    assert sum(int(n) * count for n, count in found["per_item"].items()) == 29
    for name in ("areas", "widths", "heights", "aspect"):
        assert len(found[name]["edges"]) == len(found[name]["counts"]) + 1
    assert sum(found["widths"]["counts"]) == sum(found["heights"]["counts"])
    empty = statistics(mc.Dataset())
    assert (empty["items"], empty["areas"]) == (0, {"edges": [], "counts": []})
