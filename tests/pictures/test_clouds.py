"""Point clouds: readers, and the view from above."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import maskcodec as mc
from maskcodec._native.raster import unpack_lzf
from maskcodec.pictures import draw, from_above, points_of, read_cloud
from maskcodec.pictures.shapes import cuboid_corners
from tests.zoo import zoo

XYZ = np.array([[1.5, -2.0, 3.25], [0.0, 0.5, -1.0], [np.nan, np.nan, np.nan], [100.0, 7.0, 2.0]])


def pack(data: bytes) -> bytes:
    """A slow, plain packer: literals, and copies found by trying."""
    out, literals, at = bytearray(), bytearray(), 0

    def flush() -> None:
        for start in range(0, len(literals), 32):
            part = literals[start : start + 32]
            out.append(len(part) - 1)
            out.extend(part)
        literals.clear()

    while at < len(data):
        best, where = 0, 0
        for start in range(max(0, at - 8192), at):
            n = 0
            while n < 264 and at + n < len(data) and data[start + n] == data[at + n]:
                n += 1
            if n > best:
                best, where = n, start
        if best < 3:
            literals.append(data[at])
            at += 1
            continue
        flush()
        back, length = at - where - 1, best - 2
        out.append((min(length, 7) << 5) | back >> 8)
        if length >= 7:
            out.append(length - 7)
        out.append(back & 255)
        at += best
    flush()
    return bytes(out)


@given(st.lists(st.sampled_from([b"a", b"bc", b"abc" * 9, b"\0" * 300, bytes(range(40))]), max_size=8).map(b"".join))
@settings(max_examples=60)
def test_unpacking(data):
    packed = pack(data)
    assert unpack_lzf(packed, len(data)) == data
    for cut in range(len(packed)):
        with pytest.raises(ValueError):
            unpack_lzf(packed[:cut], len(data))


@given(st.binary(max_size=30), st.integers(0, 300))
@settings(max_examples=200)
def test_unpacking_anything(data, size):
    try:
        assert len(unpack_lzf(data, size)) == size
    except ValueError:
        pass


def test_unpacking_takes_no_memory_on_a_promise():
    with pytest.raises(ValueError, match="never make so many bytes"):
        unpack_lzf(b"\0a", 2**40)
    with pytest.raises(TypeError):
        unpack_lzf("text", 3)


def pcd(style: str, fields: str = "x y z i", points: int = 4) -> bytes:
    head = (
        f"# .PCD v0.7\nVERSION 0.7\nFIELDS {fields}\nSIZE 4 4 4 2\nTYPE F F F U\nCOUNT 1 1 1 3\nWIDTH {points}\n"
        f"HEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {points}\nDATA {style}\n"
    ).encode()
    rows = np.zeros(4, [("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("i", "<u2", 3)])
    for axis, name in enumerate("xyz"):
        rows[name] = XYZ[:, axis]
    if style == "ascii":
        lines = "\n".join(f"{x:g} {y:g} {z:g} 1 2 3" for x, y, z in XYZ.tolist())
        return head + lines.encode() + b"\n"
    if style == "binary":
        return head + rows.tobytes()
    plain = b"".join(np.ascontiguousarray(rows[name]).tobytes() for name in ("x", "y", "z", "i"))
    packed = pack(plain)
    return head + struct.pack("<II", len(packed), len(plain)) + packed


def ply(style: str) -> bytes:
    head = (
        f"ply\nformat {style} 1.0\ncomment made\nelement vertex 4\nproperty uchar red\nproperty double x\n"
        "property float y\nproperty float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
    ).encode()
    if style == "ascii":
        return head + "\n".join(f"9 {x:g} {y:g} {z:g}" for x, y, z in XYZ.tolist()).encode() + b"\n3 0 1 2\n"
    order = "<" if "little" in style else ">"
    rows = np.zeros(4, [("red", "u1"), ("x", order + "f8"), ("y", order + "f4"), ("z", order + "f4")])
    for axis, name in enumerate("xyz"):
        rows[name] = XYZ[:, axis]
    return head + rows.tobytes() + b"\x03" + bytes(12)


CLOUDS = {
    **{f"{style}.pcd": pcd(style) for style in ("ascii", "binary", "binary_compressed")},
    **{f"{style}.ply": ply(style) for style in ("ascii", "binary_little_endian", "binary_big_endian")},
    "scan.bin": np.column_stack([XYZ, XYZ[:, :1]]).astype("<f4").tobytes(),
    "scan.pcd.bin": np.column_stack([XYZ, XYZ[:, :2]]).astype("<f4").tobytes(),
}


@pytest.mark.parametrize("name", CLOUDS)
def test_reading(name):
    assert np.array_equal(read_cloud(CLOUDS[name], name), XYZ, equal_nan=True)


@pytest.mark.parametrize("name", CLOUDS)
def test_cut_clouds(name):
    data = CLOUDS[name]
    shortest = len(data) - 13 if "ply" in name else len(data)  # the faces after the points do not matter
    for cut in range(0, shortest, 3):
        try:
            found = read_cloud(data[:cut], name)
        except mc.FormatError as error:
            assert str(error).startswith(f"{name}: ")
        else:
            assert "ascii" in name or name.endswith(".bin"), cut
            assert len(found) <= 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"POINTS 4", b"POINTS 99999999999"), (b"POINTS 4", b"POINTS -4"), (b"POINTS 4", b"POINTS x"),
        (b"FIELDS x y z i", b"FIELDS x y i"), (b"FIELDS x y z i", b"FIELDS x y w i"),
        (b"SIZE 4 4 4 2", b"SIZE 4 4 4 3"),
        (b"TYPE F F F U", b"TYPE F F F Q"), (b"COUNT 1 1 1 3", b"COUNT 1 1 1 99999999999999"),
        (b"COUNT 1 1 1 3", b"COUNT 1 2 1 3"), (b"COUNT 1 1 1 3", b"COUNT 1 1 1"), (b"DATA ", b"DATA x"),
        (b"DATA", b"ATAD"),
        (b"POINTS 4\n", b""), (b"FIELDS x y z i", b"FIELDS x y z z"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("style", ["ascii", "binary", "binary_compressed"])
def test_wrong_headers(style, old, new):
    data = pcd(style).replace(old, new)
    if old == b"POINTS 4\n":
        assert len(read_cloud(data, "a.pcd")) == 4  # width times height
        return
    with pytest.raises(mc.FormatError, match="^a.pcd: "):
        read_cloud(data, "a.pcd")


@given(st.binary(max_size=200), st.sampled_from(sorted(CLOUDS)), st.integers(0, 400))
@settings(max_examples=150)
def test_damaged_clouds(noise, name, at):
    data = CLOUDS[name]
    for broken in (data[:at] + noise, data[:at] + noise + data[at + len(noise) :], noise):
        try:
            assert read_cloud(broken, name).shape[1:] == (3,)
        except mc.FormatError:
            pass


def test_no_cloud():
    with pytest.raises(mc.FormatError, match="a.png: not a point cloud that can be read"):
        read_cloud(b"\x89PNG", "a.png")


def scene() -> tuple[mc.Item, np.ndarray]:
    rng = np.random.default_rng(0)
    cloud = np.column_stack([rng.uniform(-10, 10, (5000, 2)), rng.uniform(0, 1, 5000)])
    cloud[0] = (5, 5, 50)
    return mc.Item("a", "a.pcd", media="point_cloud"), cloud


FRAME = (-10.0, -10.0, 10.0, 10.0)


def test_points_are_where_they_are():
    item, cloud = scene()
    seen = from_above(item, cloud, frame=FRAME, width=400, legend=False).array
    assert seen.shape == (400, 400, 3)
    assert tuple(seen[100, 300]) == (254, 236, 84)  # the highest, 5 right and 5 up of the middle
    empty = from_above(item, frame=FRAME, width=400, legend=False).array
    one = from_above(item, np.array([[-5.0, -2.5, 0.0]]), frame=FRAME, width=400, legend=False).array
    ys, xs = np.nonzero((one != empty).any(axis=2))
    assert set(xs) <= {99, 100, 101} and set(ys) <= {249, 250, 251} and len(xs)


def test_cuboids_and_heading():
    item, _ = scene()
    schema = mc.LabelSchema([mc.Category(1, "car", (240, 80, 20))])
    item.annotations = [mc.Cuboid((4.0, 4.0, 0.0), (4.0, 2.0, 1.0), np.pi / 2, category_id=1)]
    seen = from_above(item, schema=schema, frame=FRAME, width=400, labels=False, legend=False).array.astype(int)
    drawn = np.abs(seen - (240, 80, 20)).max(axis=2) < 20
    ys, xs = np.nonzero(drawn)
    assert abs(xs.min() - 260) < 4 and abs(xs.max() - 300) < 4 and abs(ys.min() - 80) < 5 and abs(ys.max() - 160) < 4
    assert drawn[78:84, 262:298].sum() > drawn[156:162, 262:298].sum()  # the front, at the top, is the thicker side
    assert drawn[100, 279:282].any() and not drawn[140, 279:282].any()  # the line from the middle to the front
    assert (np.abs(seen[110, 270] - (22, 24, 30)).max() > 20) and tuple(seen[110, 320]) == (22, 24, 30)


def test_corners_turn_as_they_should():
    turned = cuboid_corners(mc.Cuboid((1, 2, 3), (4, 2, 1), np.pi / 2))
    assert np.allclose(turned[:4].mean(axis=0), (1, 2, 2.5)) and np.allclose(turned[0], (0, 4, 2.5))
    half = np.sqrt(0.5)
    same = cuboid_corners(mc.Cuboid((1, 2, 3), (4, 2, 1), 0.0, (0, 0, half * 3, half * 3)))  # of any length
    assert np.allclose(turned, same)
    assert np.allclose(cuboid_corners(mc.Cuboid((0, 0, 0), (2, 2, 2), 0.0, (0, 0, 0, 0)))[0], (1, 1, -1))


def test_point_masks():
    item, cloud = scene()
    schema = mc.LabelSchema([mc.Category(1, "hedge", (240, 80, 20))])
    inside = np.flatnonzero((cloud[:, 0] > 2) & (cloud[:, 1] < -2))
    item.annotations = [mc.PointMask(inside, category_id=1), mc.PointMask([-1, 10**9], category_id=1)]
    drawn = from_above(item, cloud, schema=schema, frame=FRAME, width=400, labels=False)
    hit = (drawn.array[:400] == (240, 80, 20)).all(axis=2)
    assert hit[240:, 240:].sum() > 500 and not hit[:236].any() and not hit[:, :236].any()
    assert drawn.notes == ["a point that the cloud does not have (2 times)"]
    assert from_above(item, schema=schema).notes == ["not drawn: pointmask, for the cloud is not there (2 times)"]


def test_hard_clouds():
    item, _ = scene()
    nan = float("nan")
    item.annotations = [
        mc.Cuboid((nan, 0, 0), (1, 1, 1)), mc.Cuboid((1e300, 0, 0), (1, 1, 1)), mc.Cuboid((1e100, 0, 0), (1e99, 1, 1)),
        mc.Cuboid((0, 0, 0), (0, 0, 0)), mc.Cuboid((0, 0, 0), (-1, 2, 3), 1.0, (1e-9, 0, 0, 0)),
        mc.Polygon([[[0, 0, 0]]]),
        mc.Polyline(np.zeros((0, 3))), mc.Points([[nan, 0, 1]], [0]), mc.PointMask([]), mc.Tag(), mc.Box(0, 0, 1, 1),
    ]  # fmt: skip
    clouds = (np.zeros((0, 3)), np.full((5, 3), nan), np.full((5, 4), 1e300), np.zeros((9, 3)), np.eye(3) * 1e-30)
    for cloud in (None, *clouds):
        assert from_above(item, cloud, width=300).size[0] == 300
    for size in (10, 61):
        from_above(item, np.zeros((4, 3)), width=size)
    with pytest.raises(ValueError, match="points: expected"):
        from_above(item, np.zeros((4, 2)))
    with pytest.raises(ValueError, match="frame: expected"):
        from_above(item, frame=(0, 0, 0, 1))
    with pytest.raises(ValueError, match="width: expected"):
        from_above(item, width=0)


def test_clouds_of_data_sets(tmp_path):
    item, cloud = scene()
    (tmp_path / "a.pcd").write_bytes(pcd("binary_compressed"))
    assert np.array_equal(points_of(item, tmp_path / "a.pcd"), XYZ, equal_nan=True)
    assert points_of(item) is None and points_of(item, False) is None

    class Folder:
        def open_media(self, which):
            return (tmp_path / which.path).open("rb")

    dataset = mc.Dataset(items=[item], media=Folder())
    assert len(points_of(item, dataset=dataset)) == 4
    assert draw(item, dataset).size[0] == 960
    (tmp_path / "a.pcd").write_bytes(b"# nothing\n")
    with pytest.raises(mc.FormatError, match="a.pcd: the header has no line 'DATA'"):
        draw(item, dataset)
    assert draw(item, dataset, image=False).size[0] == 960
    whole = zoo()
    assert (from_above(whole.items[-1], cloud).array == from_above(whole.items[-1], cloud).array).all()


def test_real_clouds(samples: Path):
    for name in ("datumaro/with-pcd", "segments-ai/release-pointcloud"):
        dataset = mc.read(samples / name)
        for item in dataset.items:
            assert len(points_of(item, dataset=dataset)) > 0
            assert draw(item, dataset).size[0] == 960
