"""Contact sheets, differences, statistics."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.pictures import contact_sheet, difference, plots
from maskcodec.pictures.compare import ADDED, CHANGED, REMOVED, SAME
from maskcodec.pictures.pairs import match
from maskcodec.pictures.palette import Colors
from maskcodec.pictures.sheet import _choice
from tests.zoo import zoo

SCHEMA = mc.LabelSchema([mc.Category(1, "cat", (200, 40, 40)), mc.Category(2, "dog", (40, 60, 200))])


def made(count: int) -> mc.Dataset:
    items = [
        mc.Item(f"i{at}", f"folder/i{at}.png", width=60 + at % 7, height=40, subset="train" if at % 3 else "val",
                annotations=[mc.Box(5, 5, 30, 30, category_id=1 + at % 2)])
        for at in range(count)
    ]  # fmt: skip
    return mc.Dataset(SCHEMA, items)


def near(pixel: np.ndarray, wanted: object, by: int = 3) -> bool:
    return bool(np.abs(pixel.astype(int) - np.asarray(wanted, int)).max() <= by)


def has(seen: np.ndarray, tone: tuple[int, int, int]) -> int:
    return int((np.abs(seen.astype(int) - tone).max(axis=2) <= 3).sum())


def test_choice_of_items():
    dataset = made(50)
    for n, seed, subset in ((8, None, None), (8, 3, None), (8, 3, "val"), (99, 1, None), (1, None, "train")):
        chosen, total = _choice(dataset, n, seed, subset)
        again, _ = _choice(mc.Dataset(SCHEMA, mc.LazyItems(range(50), dataset.items.__getitem__)), n, seed, subset)
        names = [item.id for item in chosen]
        assert names == [item.id for item in again]
        assert len(set(names)) == len(names) == min(n, total)
        assert total == sum(subset in (None, item.subset) for item in dataset.items)
        assert names == [item.id for item in dataset.items if item.id in names]  # in their order
    assert [i.id for i in _choice(dataset, 8, 3, None)[0]] != [i.id for i in _choice(dataset, 8, 4, None)[0]]
    assert [i.id for i in _choice(dataset, 5, None, None)[0]] == ["i0", "i10", "i20", "i30", "i40"]


def test_skipped_records_have_no_cell():
    source = made(4).items
    lazy = mc.LazyItems(range(4), lambda at: None if at == 2 else source[at])
    assert _choice(mc.Dataset(SCHEMA, lazy), 9, None, None)[1] == 3


@pytest.mark.parametrize("n", [1, 2, 5, 16])
def test_sheet(n):
    sheet = contact_sheet(made(30), n=n, columns=2, cell=100, labels=True)
    assert sheet.size[0] == 10 + 2 * 110 if n > 1 else sheet.size[0] <= 230
    rows = -(-n // 2)
    assert sheet.size[1] > rows * (75 + 34) and not sheet.notes
    assert has(sheet.array, (200, 40, 40)) or has(sheet.array, (40, 60, 200))


def test_sheet_of_everything():
    dataset = zoo()
    assert contact_sheet(dataset, cell=120).size[0] > 300
    assert contact_sheet(mc.Dataset()).size[0] > 100
    items = [mc.Item("n" * 300, width=1, height=9999, annotations=[mc.Tag()]), mc.Item("b", width=9999, height=1)]
    assert contact_sheet(mc.Dataset(items=items), columns=1, cell=100).size[0] == 220
    for bad in ({"n": 0}, {"cell": 10}, {"columns": 0}):
        with pytest.raises(ValueError):
            contact_sheet(dataset, **bad)


def test_a_bad_image_has_its_reason_in_its_place(tmp_path):
    (tmp_path / "i0.png").write_bytes(b"no image")

    class Folder:
        def open_media(self, item):
            path = tmp_path / f"{item.id}.png"
            return path.open("rb") if path.exists() else None

    dataset = made(2)
    dataset.media = Folder()
    sheet = contact_sheet(dataset, cell=200)
    assert len(sheet.notes) == 1 and sheet.notes[0].startswith("val/i0: folder/i0.png: the image cannot be decoded")
    assert not contact_sheet(dataset, cell=200, images=False).notes


GREY = np.full((200, 300, 3), 128, np.uint8)


def pair() -> tuple[mc.Item, mc.Item]:
    mask = np.zeros((200, 300), np.uint8)
    mask[20:80, 20:80] = 1
    old = mc.Item("a", width=300, height=200, annotations=[
        mc.Mask(mc.Rle.from_mask(mask), category_id=1, id=1), mc.Box(110, 20, 180, 80, category_id=1),
        mc.Box(210, 20, 280, 80, category_id=2, id=3), mc.Tag(category_id=1),
    ])  # fmt: skip
    new = copy.deepcopy(old)
    mask[20:80, 80:90] = 1
    new.annotations[0].rle = mc.Rle.from_mask(mask)
    del new.annotations[1]
    new.annotations[1].id = 77
    new.annotations += [mc.Box(110, 120, 180, 180, category_id=2), mc.Caption("new")]
    return old, new


def test_difference():
    old, new = pair()
    drawn = difference(old, new, image=GREY, schema_a=SCHEMA, schema_b=SCHEMA, labels=False, outline=2)
    seen = drawn.array
    changed = 128 + 0.7 * (np.array(CHANGED) - 128)
    assert near(seen[50, 85], changed) and tuple(seen[50, 50]) == (128, 128, 128)  # only pixels that differ
    assert tuple(seen[20, 120]) == REMOVED and tuple(seen[120, 120]) == ADDED
    assert tuple(seen[20, 240]) == SAME and tuple(seen[21, 240]) == (128, 128, 128)
    assert has(seen[200:], ADDED) and has(seen[200:], REMOVED) and has(seen[200:], CHANGED)
    none = difference(old, copy.deepcopy(old), image=GREY).array[:200]
    assert not has(none, ADDED) and not has(none, REMOVED) and not has(none, CHANGED)
    back = difference(new, old, image=GREY, labels=False, outline=2).array
    assert tuple(back[20, 120]) == ADDED and tuple(back[120, 120]) == REMOVED
    assert difference(old, new, width=150, image=GREY).size[0] == 220


def test_difference_with_given_pairs():
    old, new = pair()
    drawn = difference(old, new, pairs=[(old.annotations[1], None)], image=GREY, labels=False, outline=2).array
    assert tuple(drawn[20, 120]) == REMOVED and tuple(drawn[20, 50]) == SAME
    assert not has(drawn[:200], ADDED) and not has(drawn[:200], CHANGED)


def test_difference_of_every_kind():
    dataset = zoo()
    old = dataset.items[0]
    new = copy.deepcopy(old)
    for annotation in new.annotations:
        annotation.attributes = {"other": 1}
    drawn = difference(old, new, dataset, dataset)
    assert drawn.size[0] == 320 and has(drawn.array, CHANGED) > 200
    nothing = mc.Item("x", width=20, height=12)
    assert has(difference(old, nothing, dataset, dataset).array, REMOVED) > 200
    assert has(difference(nothing, old, dataset, dataset).array, ADDED) > 200
    before = zoo().items[0]
    assert old == before
    with pytest.raises(ValueError, match=r"\(20, 12\) and \(7, 5\)"):
        difference(old, mc.Item("y", width=7, height=5))


def test_difference_of_clouds():
    def cuboid(x: float, **more: object) -> mc.Cuboid:
        return mc.Cuboid((x, 0.0, 0.0), (4.0, 2.0, 1.0), category_id=1, **more)

    old = mc.Item("a", "a.pcd", media="point_cloud", annotations=[cuboid(0), cuboid(10), cuboid(20), mc.PointMask([1])])
    new = copy.deepcopy(old)
    new.annotations[1].position = (11.0, 0.0, 0.0)
    new.annotations[2] = cuboid(-20)
    for image in (None, False, np.zeros((5, 3))):
        drawn = difference(old, new, image=image, width=500).array
        assert has(drawn, ADDED) and has(drawn, REMOVED) and has(drawn, CHANGED) and has(drawn, SAME)
    differ, equal = match(old.annotations, new.annotations, Colors(), Colors())
    assert len(equal) == 2 and (old.annotations[1], new.annotations[1]) in differ and len(differ) == 3


def test_difference_takes_the_image_that_is_there(tmp_path):
    pixels = np.full((40, 60, 3), 77, np.uint8)
    mc.draw(mc.Item("b", width=60, height=40), image=pixels, width=60).save(tmp_path / "b.png")

    class Folder:
        def open_media(self, item):
            path = tmp_path / item.path
            return path.open("rb") if path.exists() else None

    old, new = mc.Item("a", "a.png", width=60, height=40), mc.Item("b", "b.png", width=60, height=40)
    datasets = (mc.Dataset(items=[item], media=Folder()) for item in (old, new))
    assert (difference(old, new, *datasets, width=60).array[:40, :60] == 77).all()


def test_hard_differences():
    nan = float("nan")
    hard = [mc.Box(nan, 1, 2, 3), mc.Polygon([]), mc.Polygon([[[-1e100, 0], [1e100, 1], [3, 1e100]]]),
            mc.Box(5, 5, 5, 5), mc.Mask(mc.Rle.from_counts([0], (0, 0))), mc.Points([]), mc.Polyline([[1, 1]]),
            mc.Cuboid((0, 0, 0), (1, 1, 1)), mc.Ellipse(1e90, 0, 1e90, 2)]  # fmt: skip
    moved = copy.deepcopy(hard)
    for annotation in moved:
        annotation.occluded = True
    for one, two in ((hard, moved), (hard, []), ([], hard), (hard, hard)):
        for at, annotation in enumerate(one):
            annotation.id = at
        for at, annotation in enumerate(two):
            annotation.id = at
        items = (mc.Item("a", width=50, height=40, annotations=list(side)) for side in (one, two))
        assert difference(*items).size[0] == 300


def test_matching():
    colors = Colors(SCHEMA)
    box, moved, other = mc.Box(0, 0, 10, 10, category_id=1), mc.Box(1, 0, 11, 10, category_id=1), mc.Box(50, 50, 60, 60)
    differ, equal = match([box, other], [other, moved], colors, colors)
    assert differ == [(box, moved)] and equal == [(other, other)]
    # Ids say more than overlap, a common category more than a little overlap.
    a, b = mc.Box(0, 0, 10, 10, id=1), mc.Box(0, 0, 10, 9, id=2)
    c, d = mc.Box(0, 0, 10, 9.5, id=2), mc.Box(0, 0, 10, 9.6, id=1)
    differ, _ = match([a, b], [c, d], colors, colors)
    assert sorted((one.id, two.id) for one, two in differ) == [(1, 1), (2, 2)]
    one, two, three = (mc.Box(0, 0, 10, 10 - at, category_id=1 + at % 2) for at in (0, 1, 2))
    assert match([one], [two, three], colors, colors)[0] == [(one, three), (None, two)]
    twice, _ = match([box, copy.deepcopy(box)], [copy.deepcopy(box)], colors, colors)
    assert len(twice) == 1 and twice[0][1] is None
    # Equal names are one category, whatever their ids.
    named = Colors(mc.LabelSchema([mc.Category("x", "cat")]))
    assert match([box], [mc.Box(0, 0, 10, 10, category_id="x")], colors, named)[0] == []
    assert match([mc.Tag(category_id=1)], [mc.Tag(category_id=2)], colors, colors)[0][0][1] is None


def statistics() -> dict:
    hist = {"edges": [0.0, 10.0, 20.0, 40.0], "counts": [3, 0, 7]}
    return {
        "items": 12, "annotations": 3456, "subsets": {"train": 10, "val": 2}, "kinds": {"box": 3000, "mask": 456},
        "categories": {**{f"c{i}": 100 - i for i in range(40)}, "cat": 1000}, "per_item": {"0": 3, "7": 9, "300": 1},
        "areas": hist, "widths": hist, "heights": hist, "aspect": hist, "sizes": {"640x480": 12}, "unknown": object(),
    }  # fmt: skip


def test_plots():
    whole = plots(statistics(), SCHEMA)
    assert whole.size[0] == 1000 and has(whole.array, (200, 40, 40)) > 1000  # the bar of "cat" has its colour
    assert (plots(statistics(), SCHEMA).array == whole.array).all()
    for edge in (whole.array[:, :4], whole.array[:, -4:], whole.array[:3], whole.array[-2:]):
        assert (edge == 255).all()
    for key in statistics():
        less = statistics()
        del less[key]
        assert plots(less).size[0] == 1000
        assert plots({key: statistics()[key]}, width=300).size[0] == 300
    assert plots({}).size[1] < 60
    empty = {"categories": {}, "per_item": {}, "areas": {"edges": [], "counts": []}, "widths": {}, "kinds": {"box": 0}}
    assert plots(empty, title="nothing").size[0] == 1000


@pytest.mark.parametrize("bad", [
    {"areas": {"edges": [1], "counts": [1]}}, {"areas": {"edges": [0, float("nan")], "counts": [1]}},
    {"kinds": {"a": float("nan")}}, {"kinds": {"a": "x"}}, {"kinds": {"a": -1}}, {"per_item": {"x": 1}},
])  # fmt: skip
def test_wrong_statistics(bad):
    with pytest.raises(ValueError):
        plots(bad)
    with pytest.raises(ValueError):
        plots({}, width=10)


def test_bars_are_as_long_as_their_counts():
    seen = plots({"kinds": {"a": 100, "b": 50, "c": 0}}, width=600).array
    blue = (seen == (30, 120, 255)).all(axis=2)
    lengths = sorted({int(row.sum()) for row in blue if row.any()})
    assert len(lengths) == 2 and abs(lengths[0] * 2 - lengths[1]) <= 2


def test_real_samples(samples: Path):
    dataset = mc.read(samples / "cvat-xml/project-three-subsets")
    assert contact_sheet(dataset, cell=100, seed=1).size[0] > 300
