"""Cuboids and shapes in the coordinates of the vehicle, and the points in cuboids."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.formats.segments.shapes import heading
from maskcodec.formats.segments.space import Pose, cuboid_points, pose_of, to_ego

NUMBER = st.floats(-50, 50)
ANGLE = st.floats(-math.pi, math.pi)
TURN = st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: sum(v * v for v in q) > 0.01)


def unit(turn: tuple) -> tuple:
    length = math.sqrt(sum(v * v for v in turn))
    return tuple(v / length for v in turn)


def spun(turn: tuple, point: tuple) -> np.ndarray:
    """A point turned by q p q*, written out by the products of quaternions."""

    def times(a: tuple, b: tuple) -> tuple:
        av, aw, bv, bw = np.array(a[:3]), a[3], np.array(b[:3]), b[3]
        return (*(aw * bv + bw * av + np.cross(av, bv)), aw * bw - av @ bv)

    x, y, z, w = turn
    return np.array(times(times(turn, (*point, 0.0)), (-x, -y, -z, w))[:3])


@given(TURN, st.tuples(NUMBER, NUMBER, NUMBER), st.tuples(NUMBER, NUMBER, NUMBER))
def test_the_vehicle_sees_what_the_world_holds(turn: tuple, place: tuple, point: tuple) -> None:
    seen = to_ego(mc.Points([point]), Pose(place, turn)).xy[0]
    assert np.allclose(spun(unit(turn), tuple(seen)) + place, point, atol=1e-9)


@given(ANGLE, ANGLE, st.tuples(NUMBER, NUMBER, NUMBER))
def test_yaw_stays_in_its_range(yaw: float, own: float, place: tuple) -> None:
    pose = Pose(place, (0.0, 0.0, math.sin(own / 2), math.cos(own / 2)))
    cuboid = mc.Cuboid((0, 0, 0), (1, 2, 3), yaw, (0.0, 0.0, math.sin(yaw / 2), math.cos(yaw / 2)))
    seen = to_ego(cuboid, pose)
    assert -math.pi <= seen.yaw <= math.pi
    assert math.isclose(math.cos(seen.yaw), math.cos(yaw - own), abs_tol=1e-9)
    assert math.isclose(math.sin(seen.yaw), math.sin(heading(seen.quaternion)), abs_tol=1e-9)
    assert cuboid.yaw == yaw, "the given one is not changed"


@given(st.lists(st.tuples(NUMBER, NUMBER, NUMBER), max_size=8), TURN, TURN, st.tuples(NUMBER, NUMBER, NUMBER))
def test_points_in_a_cuboid_do_not_depend_on_where_one_looks_from(
    points: list, turn: tuple, own: tuple, place: tuple
) -> None:
    pose = Pose(place, own)
    world = np.array(points).reshape(-1, 3)
    for quaternion in (unit(turn), None):
        cuboid = mc.Cuboid((1.0, 2.0, 3.0), (40.0, 30.0, 20.0), 0.7, quaternion)
        whole = quaternion if quaternion is not None else (0.0, 0.0, math.sin(0.35), math.cos(0.35))
        x, y, z, w = whole
        local = [spun((-x, -y, -z, w), tuple(p - np.array((1.0, 2.0, 3.0)))) for p in world]
        clear = [i for i, p in enumerate(local) if (np.abs(np.abs(p) - (20, 15, 10)) > 1e-6).all()]  # not on a face
        wanted = [5 * int(all(abs(local[i]) <= (20, 15, 10))) for i in clear]
        seen = np.array([to_ego(mc.Points([p]), pose).xy[0] for p in world]).reshape(-1, 3)
        assert cuboid_points(world, [(5, cuboid)])[clear].tolist() == wanted
        assert cuboid_points(seen, [(5, cuboid)], pose)[clear].tolist() == wanted


def test_later_cuboids_lie_over_earlier_ones() -> None:
    boxes = [(3, mc.Cuboid((0, 0, 0), (4, 4, 4), 0.0)), (9, mc.Cuboid((1, 0, 0), (2, 2, 2), 0.0))]
    assert cuboid_points([[-1, 0, 0, 7], [1, 0, 0, 7], [2, 1, 1, 7]], boxes).tolist() == [3, 9, 9]
    with pytest.raises(ValueError, match="wider"):
        cuboid_points([[1, 2]], boxes)


def test_what_does_not_lie_in_space_is_left_alone() -> None:
    box = mc.Box(1, 2, 3, 4)
    assert to_ego(box, Pose((1, 2, 3))) is box


@pytest.mark.parametrize("bad", [{"position": {"x": 1}}, {"position": None, "heading": {}}, 5])
def test_what_is_no_pose(bad: object) -> None:
    with pytest.raises(ValueError, match="not an ego pose"):
        pose_of(mc.Item("a", extras={"segments": {"attributes": {"ego_pose": bad}}}))
    with pytest.raises(ValueError, match="not a pose"):
        Pose((0, 0, 0), (0, 0, 0, 0))


def test_points_of_the_release(samples: Path) -> None:
    folder = samples / "segments-ai" / "release-pointcloud"
    (item,) = mc.read(folder, on_loss="ignore").items
    points = np.frombuffer((folder / "assets" / "frame_00001.bin").read_bytes(), "<f4").reshape(-1, 4)
    ids = cuboid_points(points, [(a.id, a) for a in item.annotations], pose_of(item))
    assert {i: np.flatnonzero(ids == i).tolist() for i in (1, 2, 3)} == {1: [0, 1], 2: [2, 3], 3: [7]}
