"""Traps and bad input of KITTI raw tracklets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec.formats.kitti.tracklets import angles_of, quaternion_of

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


def pose(**values: Any) -> str:
    own = dict.fromkeys(("tx", "ty", "tz", "rx", "ry", "rz"), 0) | {"state": 2, "occlusion": 0, "truncation": 0}
    own |= values
    attributes = own.pop("attributes", "")
    return "<item>" + "".join(f"<{k}>{v}</{k}>" for k, v in own.items() if v is not None) + attributes + "</item>"


def tracklet(*poses: str, label: str = "Car", first: int = 0, count: int | None = None, more: str = "") -> str:
    number = len(poses) if count is None else count
    return (f"<item><objectType>{label}</objectType><h>1</h><w>2</w><l>3</l><first_frame>{first}</first_frame>"
            f"<poses><count>{number}</count><item_version>2</item_version>{''.join(poses)}</poses>"
            f"<finished>1</finished>{more}</item>")  # fmt: skip


def file(root: Path, *items: str, head: str = "<!DOCTYPE boost_serialization>") -> Path:
    root.mkdir(exist_ok=True, parents=True)
    body = f"<tracklets><count>{len(items)}</count>{''.join(items)}</tracklets>"
    text = f'<?xml version="1.0" standalone="yes" ?>\n{head}\n<boost_serialization>{body}</boost_serialization>'
    (root / "tracklet_labels.xml").write_text(text)
    return root


def fails(path: Path, *words: str) -> mc.Dataset:
    """Check that a strict reader refuses with these words; returns what a lenient one makes of it."""
    with pytest.raises(mc.FormatError) as caught:
        mc.read(path, "kitti_raw").load()
    for word in words:
        assert word in str(caught.value)
    lenient = mc.read(path, "kitti_raw", on_error="skip").load()
    assert len(lenient.report)
    return lenient


BAD = {
    "tx": pose(tx="x"), "rz": pose(rz="nan"), "state": pose(state=3), "occlusion": pose(occlusion=5),
    "truncation": pose(truncation=50), "ty": pose(ty=None), "occlusion_kf": pose(occlusion_kf=0.5),
}  # fmt: skip


@pytest.mark.parametrize("field", BAD)
def test_bad_poses(tmp_path: Path, field: str) -> None:
    lenient = fails(file(tmp_path, tracklet(BAD[field]), tracklet(pose())), "tracklet_labels.xml", "tracklet 0", field)
    assert [a.track_id for item in lenient.items for a in item.annotations] == [2]


def test_bad_tracklets(tmp_path: Path) -> None:
    fails(file(tmp_path / "a", tracklet(pose(), count=2)), "poses", "1 poses, the count is 2")
    fails(file(tmp_path / "b", tracklet(pose(), first=-1)), "first_frame")
    fails(file(tmp_path / "c", tracklet(pose(), label="")), "objectType")


def test_document_types(tmp_path: Path) -> None:
    mc.read(file(tmp_path / "a", tracklet(pose()))).load()
    mc.read(file(tmp_path / "b", tracklet(pose()), head="")).load()
    path = file(tmp_path / "c", tracklet(pose()), head='<!DOCTYPE boost_serialization SYSTEM "x.dtd">')
    with pytest.raises(mc.FormatError, match="DTD"):
        mc.read(path, "kitti_raw", on_error="skip")


def test_levels_states_and_attributes(tmp_path: Path) -> None:
    own = "<attributes><attribute><name>speed</name><value>1.5</value></attribute></attributes>"
    shared = "<attributes><attribute><name>parked</name><value>true</value></attribute></attributes>"
    poses = [pose(occlusion=2, truncation=99, state=1, attributes=own), pose(occlusion=1, truncation=1, state=0),
             pose(occlusion=-1, truncation=2, amt_border_l=7)]  # fmt: skip
    data = mc.read(file(tmp_path, tracklet(*poses, first=4, more=shared))).load()
    shapes = [a for item in data.items for a in item.annotations]
    assert [item.frame for item in data.items] == [4, 5, 6]
    assert [(a.occluded, a.truncated, a.keyframe, a.attributes) for a in shapes] == [
        (True, False, False, {"parked": True, "speed": 1.5, "occlusion": 2, "truncation": 99}),
        (True, True, False, {"parked": True}), (False, False, True, {"parked": True, "truncation": 2}),
    ]  # fmt: skip
    assert not len(mc.write(data, tmp_path / "out", "kitti_raw"))
    back = mc.read(tmp_path / "out").load()
    assert [a for item in back.items for a in item.annotations] == shapes
    text = (tmp_path / "out" / "tracklet_labels.xml").read_text()
    assert (text.count("<name>parked</name>"), text.count("<amt_border_l>7</amt_border_l>")) == (1, 1)
    assert text.count("<state>0</state>") == 1


def cuboids(*frames: list[tuple[int, int | None, float]]) -> mc.Dataset:
    items = [
        mc.Item(f"f{at}", f"f{at}.pcd", "point_cloud", frame=at,
                annotations=[mc.Cuboid((x, 0.0, 0.0), (3.0, 2.0, 1.0), category_id=c, track_id=t) for c, t, x in row])
        for at, row in enumerate(frames)
    ]  # fmt: skip
    return mc.Dataset(mc.LabelSchema([mc.Category(0, "Car"), mc.Category(1, "Van")]), items)


def test_pauses_begin_new_tracklets(tmp_path: Path) -> None:
    data = cuboids([(0, 1, 0.5), (1, 2, 0.25)], [(1, 2, 1.0)], [(0, 1, 2.0), (0, None, 3.0)], [])
    report = mc.write(data, tmp_path / "out", "kitti_raw")
    found = {(loss.action, loss.field, loss.count) for loss in report if loss.what == "cuboid"}
    assert found == {("defaulted", "track_id", 1), ("renamed", "track_id", 1)}
    back = mc.read(tmp_path / "out")
    assert [i.id for i in back.items] == ["f0", "f1", "f2", "f3"]
    assert [[(a.category_id, a.track_id, a.position[0]) for a in i.annotations] for i in back.items] == [
        [(0, 1, 0.5), (1, 2, 0.25)], [(1, 2, 1.0)], [(0, 3, 2.0), (0, 4, 3.0)], [],
    ]  # fmt: skip


def test_tracks_that_are_numbered_keep_their_order(tmp_path: Path) -> None:
    data = cuboids([(1, 2, 0.5)], [(0, 1, 1.0), (1, 2, 1.5)])
    report = mc.write(data, tmp_path / "out", "kitti_raw")
    assert not [loss for loss in report if loss.what == "cuboid" or loss.field == "annotations"]
    back = mc.read(tmp_path / "out")
    found = [[(a.track_id, a.position[0]) for a in item.annotations] for item in back.items]
    assert found == [[(2, 0.5)], [(1, 1.0), (2, 1.5)]]
    unsorted = cuboids([(1, 2, 0.5), (0, 1, 1.0)])
    report = mc.write(unsorted, tmp_path / "b", "kitti_raw")
    assert ("approximated", "annotations") in {(loss.action, loss.field) for loss in report}


def test_names_of_frames_and_clouds(tmp_path: Path) -> None:
    path = file(tmp_path / "in", tracklet(pose(), first=3))
    (path / "frame_list.txt").write_text("3 sub dir/a\n7 b\n")
    for name in ("sub dir/a.pcd", "0000000009.bin", "odd.pcd"):
        (path / "velodyne_points" / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "velodyne_points" / "data" / name).write_bytes(b"x")
    data = mc.read(path)
    assert [(i.frame, i.id, i.path, len(i.annotations)) for i in data.items] == [
        (3, "sub dir/a", "sub dir/a.pcd", 1), (7, "b", None, 0), (9, "0000000009", "0000000009.bin", 0),
    ]  # fmt: skip
    assert [loss.examples[0][0] for loss in data.report] == ["velodyne_points/data/odd.pcd"]
    report = mc.write(data, tmp_path / "out", "kitti_raw", media="copy")
    assert {loss.field for loss in report} <= {"media"}
    assert [(i.frame, i.id, i.path) for i in mc.read(tmp_path / "out").items] == [
        (i.frame, i.id, i.path) for i in data.items
    ]  # fmt: skip
    (path / "frame_list.txt").write_text("3 a\nx b\n3 c\n")
    lenient = fails(path, "frame_list.txt", "line 2")
    assert [i.id for i in lenient.items] == ["a", "0000000009"]


@given(*(st.floats(-1.5, 1.5),) * 3)
def test_turns(rx: float, ry: float, rz: float) -> None:
    quaternion = quaternion_of(rx, ry, rz)
    if quaternion is None:
        assert not rx and not ry
        return
    assert sum(part * part for part in quaternion) == pytest.approx(1)
    assert angles_of(*quaternion) == pytest.approx((rx, ry, rz), abs=1e-6)
