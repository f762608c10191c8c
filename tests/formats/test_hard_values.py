"""Hard values through every format: numbers, masks, attributes come back as they were, or the report says otherwise."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.testing import assert_datasets_equal
from tests.formats.test_contract import BOTH, by_subset, carries, expected, without_added, without_dropped
from tests.formats.test_pairs import plain

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
SIZE = (37, 23)  # no power of two: fractions of it are never exact


@pytest.fixture(autouse=True)
def every_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison goes by the names in the report, so it needs all of them."""
    monkeypatch.setattr("maskcodec.model.losses.MAX_EXAMPLES", 10_000)
    monkeypatch.setattr("tests.formats.test_contract.MAX_EXAMPLES", 10_000)


def box(*sides: float, **more: object) -> mc.Box:
    return mc.Box(*sides, category_id=1, **more)  # type: ignore[arg-type]


def mask(*windows: tuple[int, int, int, int]) -> mc.Mask:
    pixels = np.zeros(SIZE[::-1], np.uint8)
    for x0, y0, x1, y1 in windows:
        pixels[y0:y1, x0:x1] ^= 1
    return mc.Mask(mc.Rle.from_mask(pixels), category_id=1)


def ring(*points: tuple[float, float]) -> mc.Polygon:
    return mc.Polygon([np.array(points)], category_id=1)


CASES: dict[str, list[mc.Annotation]] = {
    "thirds": [box(1 / 3, 2 / 3, 10 / 3, 20 / 3)],
    "sums": [box(0.1 + 0.2, 0.1, 0.7, 0.1 + 0.7)],
    "tiny": [box(5.0, 5.0, 5.000000001, 5.000000001)],
    "corners exchanged": [box(9.0, 2.0, 3.5, 8.0), box(3.5, 8.0, 9.0, 2.0), box(9.0, 8.0, 3.5, 2.0)],
    "no extent": [box(5.0, 5.0, 5.0, 5.0)],
    "whole image": [box(0, 0, *SIZE)],
    "beyond the image": [box(-3.25, -2.0, 40.5, 30.0)],
    "polygon beyond": [ring((-3.5, -2.0), (40.0, 1.0), (9.0, 30.25))],
    "points beyond": [mc.Points([[-1.0, 2.0], [50.0, 60.0]], category_id=1)],
    "far away": [box(1e7 + 0.125, 3.0, 1e7 + 2.5, 4.0)],
    "one ulp": [box(np.nextafter(3.0, 4), 3.0, np.nextafter(9.0, 8), 7.0)],
    "negative zero": [box(-0.0, 0.0, 3.0, 4.0)],
    "turned a little": [box(4.0, 4.0, 12.0, 9.0, 1e-7)],
    "turned": [box(4.0, 4.0, 12.0, 9.0, 179.99999)],
    "turned back": [box(4.0, 4.0, 12.0, 9.0, -45.0)],
    "turned twice": [box(4.0, 4.0, 12.0, 9.0, 725.5)],
    "one pixel": [mask((7, 5, 8, 6))],
    "full mask": [mask((0, 0, *SIZE))],
    "empty mask": [mask()],
    "corner pixels": [mask((0, 0, 1, 1), (36, 22, 37, 23), (36, 0, 37, 1))],
    "mask with holes": [mask((2, 2, 30, 20), (5, 5, 10, 10), (12, 5, 20, 15), (14, 7, 16, 9))],
    "diagonal pixels": [mask((3, 3, 4, 4), (4, 4, 5, 5), (5, 3, 6, 4))],
    "equal masks": [mask((2, 2, 9, 9)), mask((2, 2, 9, 9))],
    "flat polygon": [ring((1.0, 1.0), (5.0, 1.0), (9.0, 1.0))],
    "closed polygon": [ring((1.0, 1.0), (9.0, 1.0), (9.0, 9.0), (1.0, 1.0))],
    "crossing polygon": [ring((1.0, 1.0), (9.0, 9.0), (9.0, 1.0), (1.0, 9.0))],
    "polygon of thirds": [ring((1 / 3, 1 / 7), (20 / 3, 1 / 11), (20 / 3, 40 / 7))],
    "circle": [mc.Ellipse(10.1, 9.3, 4.7, 4.7, category_id=1)],
    "tilted ellipse": [mc.Ellipse(10.0, 9.0, 6.0, 2.0, 33.3, category_id=1)],
    "points": [mc.Points([[1 / 3, 2.0], [3.5, 1e-3]], category_id=1)],
    "no points": [mc.Points(np.zeros((0, 2)), category_id=1)],
    "line": [mc.Polyline([[0.1, 0.2], [0.1, 0.2], [30.0, 20.0]], category_id=1)],
    "text attributes": [box(1.0, 2.0, 9.0, 8.0, attributes={"a": "", "b": " x ", "c": "1", "d": "true", "e": '"\\,='})],
    "number attributes": [box(1.0, 2.0, 9.0, 8.0, attributes={"i": 7, "f": 0.1, "n": -3, "big": 2**53 + 1, "w": 3.0})],
    "other attributes": [box(1.0, 2.0, 9.0, 8.0, attributes={"t": True, "f": False, "l": ["x", "y"], "none": None})],
    "odd names": [box(1.0, 2.0, 9.0, 8.0, attributes={"with blank": "x", "ünï": "y", "a=b": "z", "difficult": "so"})],
    "flags": [box(1.0, 2.0, 9.0, 8.0, occluded=True, truncated=True, is_crowd=True, score=0.123456789, origin="auto")],
    "groups": [box(1.0, 2.0, 9.0, 8.0, group_id=5), box(2.0, 2.0, 9.0, 8.0, group_id="g"),
               box(3.0, 2.0, 9.0, 8.0, group_id=5)],
    "tracks": [box(1.0, 2.0, 9.0, 8.0, track_id=0), box(2.0, 2.0, 9.0, 8.0, track_id="t 1"),
               box(3.0, 2.0, 9.0, 8.0, track_id=2**40)],
    "ids": [box(1.0, 2.0, 9.0, 8.0, id="a b"), box(2.0, 2.0, 9.0, 8.0, id=0), box(3.0, 2.0, 9.0, 8.0, id=2**40)],
    "depth": [box(1.0, 2.0, 9.0, 8.0, z_order=3), box(2.0, 2.0, 9.0, 8.0, z_order=-1.5), box(3.0, 2.0, 9.0, 8.0)],
    "captions": [mc.Caption('two\nlines, "quotes"\tand 道'), mc.Caption("")],
    "tags twice": [mc.Tag(category_id=1), mc.Tag(category_id=2), mc.Tag(category_id=1)],
}  # fmt: skip
FORMATS = [name for name in BOTH if name != "coco_results"]  # numbers alone: held against its report in test_pairs


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("case", CASES)
def test_hard_value(tmp_path: Path, name: str, case: str) -> None:
    schema = mc.LabelSchema([mc.Category(1, "cat"), mc.Category(2, "dog")])
    item = mc.Item("a", "a.png", width=SIZE[0], height=SIZE[1], subset="train", annotations=copy.deepcopy(CASES[case]))
    for at, annotation in enumerate(item.annotations):
        annotation.id = 1 + at if annotation.id is None else annotation.id
    source = mc.Dataset(schema, [item])
    try:
        report = mc.write(source, tmp_path / "out", name, on_loss="ignore")
    except ValueError:
        assert not (tmp_path / "out").exists()
        return
    shown, plan = expected(source, name)
    assert report == plan
    back = mc.read(tmp_path / "out", name, on_loss="ignore").load()
    back.items = by_subset(back, name)
    shown = without_dropped(shown, report, back)
    back = without_added(back, shown, report)
    assert_datasets_equal(plain(shown), plain(back), report, added=carries(name).namespaces)
