"""Tracks and frames: laws of interpolation, ends of tracks, names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.formats._shared.frames import (
    Ends,
    MediaNames,
    between,
    by_track,
    expand,
    frame_name,
    frame_number,
    gaps,
    progression,
    turn,
)
from tests.zoo import zoo

NUMBER = st.floats(-1000, 1000)
ANGLE = st.floats(0, 360, exclude_max=True)
PART = st.floats(0, 1)


@given(ANGLE, ANGLE, PART)
def test_turn_takes_the_shorter_arc(a, b, t):
    angle = turn(a, b, t)
    assert 0 <= angle <= 360
    way = min((b - a) % 360, (a - b) % 360)
    gone = min((angle - a) % 360, (a - angle) % 360)
    assert gone == pytest.approx(way * t, abs=1e-6)


@given(ANGLE, ANGLE)
def test_turn_begins_and_ends_where_it_should(a, b):
    assert turn(a, b, 0) == pytest.approx(a)
    assert (turn(a, b, 1) - b) % 360 == pytest.approx(0, abs=1e-9) or (b - turn(a, b, 1)) % 360 < 1e-9


def test_turn_between_opposite_angles():
    assert [turn(0, 180, t) for t in (0.25, 0.5, 1)] == [45, 90, 180]


@given(st.tuples(*[NUMBER] * 4), st.tuples(*[NUMBER] * 4), PART)
def test_boxes_and_ellipses_are_linear(a, b, t):
    for kind, names in ((mc.Box, ("x0", "y0", "x1", "y1")), (mc.Ellipse, ("cx", "cy", "rx", "ry"))):
        first, last = kind(*a, keyframe=True), kind(*b, occluded=True, keyframe=True)
        shape = between(first, last, t)
        for name, x, y in zip(names, a, b, strict=True):
            assert getattr(shape, name) == pytest.approx(x * (1 - t) + y * t, abs=1e-9)
        assert (shape.keyframe, shape.occluded, shape.rotation) == (False, False, 0)
        assert (first.keyframe, first) == (True, kind(*a, keyframe=True))
    assert between(first, last, 0) == kind(*a)


@given(st.integers(1, 5), PART, st.integers(0, 2**32))
def test_points(count, t, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(-9, 9, (2, count, 2))
    mixed = a * (1 - t) + b * t
    assert np.allclose(between(mc.Skeleton(a, [0] * count), mc.Skeleton(b), t).xy, mixed)
    assert between(mc.Skeleton(a, [0] * count), mc.Skeleton(b), t).visibility == [0] * count
    assert np.allclose(between(mc.Points(a), mc.Points(b), t).xy, mixed if count == 1 else a)
    eight, other = rng.uniform(-9, 9, (2, 8, 2))
    assert np.allclose(between(mc.Cuboid2D(eight), mc.Cuboid2D(other), t).points, eight * (1 - t) + other * t)


def test_what_cannot_be_mixed_is_held():
    square, other = [[0, 0], [4, 0], [4, 4]], [[9, 9], [4, 0], [4, 4]]
    mask = mc.Mask(mc.Rle.from_box((0, 0, 2, 2), (4, 4)))
    for a, b in (
        (mc.Polygon([square]), mc.Polygon([other])),
        (mc.Polyline(square), mc.Polyline(other)),
        (mc.Points(square), mc.Points(other)),
        (mask, mc.Mask(mc.Rle.from_box((1, 1, 3, 3), (4, 4)))),
        (mc.Box(0, 0, 1, 1), mc.Polygon([other])),
        (mc.Skeleton(square), mc.Skeleton(other[:2])),
    ):
        assert between(a, b, 0.5) == a


def slow_gaps(track, position, outside):
    out = []
    for i in range(len(track) - 1):
        if track[i] == track[i + 1] and not outside[i]:
            out += [(i, p) for p in range(position[i] + 1, position[i + 1])]
    return out


ROWS = st.tuples(st.integers(0, 2), st.integers(0, 12), st.booleans())


@given(st.lists(ROWS, unique_by=lambda r: r[:2], max_size=12))
def test_gaps(rows):
    rows.sort()
    track, position, outside = (np.array([r[n] for r in rows], kind) for n, kind in enumerate((int, int, bool)))
    before, where = gaps(track, position, outside)
    assert list(zip(before.tolist(), where.tolist(), strict=True)) == slow_gaps(track, position, outside)


@given(st.sets(st.integers(0, 20), min_size=1), st.integers(1, 4), st.data())
def test_expanded_tracks_have_every_frame_until_they_are_outside(places, step, data):
    frames = range(5, 5 + 21 * step, step)
    shapes = [
        (frames[p], mc.Box(float(p), 0.0, p + 1.0, 1.0, keyframe=True, outside=data.draw(st.booleans())))
        for p in sorted(places)
    ]
    full = dict(expand(shapes, frames))
    assert list(full) == sorted(full)
    stored = dict(shapes)
    for frame, box in full.items():
        if frame in stored:
            assert box is stored[frame]
        else:
            assert box.x0 == pytest.approx(frames.index(frame))
            assert not box.keyframe
    for frame in frames:
        last = max((f for f in stored if f <= frame), default=None)
        inside = last is not None and (frame in stored or (not stored[last].outside and frame < max(stored)))
        assert (frame in full) == inside


def test_nothing_expands_to_nothing():
    assert list(expand([], range(3))) == []


def test_ends():
    ends = Ends()
    one, two = mc.Box(0, 0, 1, 1, track_id=1), mc.Box(0, 0, 2, 2, track_id=2, outside=True)
    assert ends.step({1: one, 2: two}) == []
    ((key, shape),) = ends.step({3: one})
    assert (key, shape.outside, shape.keyframe, shape.x1) == (1, True, True, 1)
    assert not one.outside
    assert [key for key, _ in ends.step({})] == [3]
    assert ends.step({}) == []


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [([], range(0)), ([7], range(7, 8)), ([3, 5, 7], range(3, 8, 2)), ([0, 1, 3], None), ([2, 1], None),
     ([1, 1], None)],
)
def test_progression(numbers, expected):
    assert progression(numbers) == expected


@given(st.integers(0, 10**8))
def test_frame_names(number):
    assert frame_number(frame_name(number)) == frame_number(f"a/{number}.jpg") == number
    assert frame_number(f"img{number}.jpg") is None


def test_media_names():
    media = MediaNames(["images/a/b.PNG", "images/val/c.jpg", "images/frame_000001.PNG", "d.png", "images/d.png"])
    assert media.find("a/b.png") == "images/a/b.PNG"
    assert media.find("c.jpg", "val") == "images/val/c.jpg"
    assert media.find("c.jpg", "train") is None
    assert media.find("frame_000001") == "images/frame_000001.PNG"
    assert media.find("d.png") == "images/d.png"
    assert media.find("b.png") is None


def test_tracks_are_told_by_subset_sequence_category_and_id():
    tracks = by_track(zoo().items)
    assert {key: [position for position, _, _ in shapes] for key, shapes in tracks.items()} == {
        ("default", None, 3, 7): [0], ("default", "clip", 3, 7): [4], ("default", None, 3, 6): [6],
    }  # fmt: skip
