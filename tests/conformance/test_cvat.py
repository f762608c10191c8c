"""The figures of real CVAT XML files."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

import maskcodec as mc
from maskcodec.model.geometry import box_corners
from maskcodec.testing import assert_datasets_equal

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")

IMAGES = ["docs-images", "images-all-shapes", "images-skeleton", "project-three-subsets"]
VIDEOS = ["docs-video", "video-nested-tracks", "video-skeleton-tracks"]


def load(samples, name: str, **options) -> mc.Dataset:
    return mc.read(samples / "cvat-xml" / name, **options).load()


def kinds(item: mc.Item) -> dict[str, int]:
    return dict(Counter(a.kind for a in item.annotations))


def tracked(dataset: mc.Dataset, track: int) -> dict[int, mc.Annotation]:
    return {item.frame: a for item in dataset.items for a in item.annotations if a.track_id == track}


def outside(shapes: dict[int, mc.Annotation]) -> list[int]:
    return [frame for frame, shape in shapes.items() if shape.outside]


def test_all_shapes(samples):
    dataset = load(samples, "images-all-shapes")
    assert (dataset.source.format, dataset.source.version) == ("cvat_images", "1.1")
    assert not len(dataset.report)
    assert [(c.name, c.color) for c in dataset.schema] == [("dog", (64, 96, 64)), ("cat", (96, 128, 192)),
                                                           ("skele", (118, 92, 98))]  # fmt: skip
    cat, skele = dataset.schema.categories[1:]
    assert [(s.name, s.type, s.values, s.default, s.mutable) for s in cat.attributes] == [
        ("x", "text", [], "yy", False), ("y", "select", ["1", "2"], "1", False),
    ]  # fmt: skip
    assert (skele.keypoints, skele.skeleton) == (["1", "2", "3", "4"], [(2, 1), (3, 1), (3, 2)])
    first, second, third = dataset.items
    assert [(i.path, i.width, i.height, i.subset, i.frame) for i in dataset.items] == [
        ("30.png", 810, 399, "Train", 0), ("31.png", 916, 158, "Train", 1), ("32.png", 936, 182, "Train", 2),
    ]  # fmt: skip
    assert kinds(first) == {"box": 14, "polygon": 4, "polyline": 2, "points": 6, "mask": 1, "skeleton": 2, "tag": 1}
    names = ("box", "polygon", "polyline", "points", "ellipse", "cuboid2d", "mask", "tag")
    assert kinds(second) == dict.fromkeys(names, 1)
    assert kinds(third) == {}
    groups: dict[int, Counter] = {}
    for item in dataset.items:
        for a in item.annotations:
            if a.group_id is not None:
                groups.setdefault(a.group_id, Counter())[a.kind] += 1
    assert groups == {1: {"box": 2}, 2: {"box": 2}, 3: {"box": 4}, 4: {"box": 3}, 5: {"polygon": 1, "mask": 1},
                      7: {"box": 1, "points": 3}}  # fmt: skip


def test_all_shapes_masks_ellipse_and_skeletons(samples):
    first, second, _ = load(samples, "images-all-shapes").items
    one = next(a for a in first.annotations if a.kind == "mask").rle
    assert (one.bbox, one.area, one.shape) == ((627, 244, 41, 41), 1181, (399, 810))
    crop = one.crop((627, 244, 668, 285))
    assert len(crop.to_counts("C")) == 69
    rows = crop.decode().sum(axis=1)
    assert (rows[0], rows[-1]) == (5, 9)
    two = next(a for a in second.annotations if a.kind == "mask").rle
    assert (two.bbox, two.area) == ((23, 57, 85, 68), 3200)
    assert len(two.crop((23, 57, 108, 125)).to_counts("C")) == 291
    text = two.to_coco()["counts"]
    assert len(text) == 336
    assert text.startswith("Rd3=`42M4L4M2N2N2O")
    ellipse = next(a for a in second.annotations if a.kind == "ellipse")
    assert (ellipse.cx, ellipse.cy, ellipse.rx, ellipse.ry) == (359.22, 57.54, 22.57, 19.61)
    cuboid = next(a for a in second.annotations if a.kind == "cuboid2d")
    assert cuboid.points[:2].tolist() == [[503.86, 51.36], [503.86, 95.65]]
    hidden, plain = [a for a in first.annotations if a.kind == "skeleton"]
    # The elements stand as 4, 3, 1, 2 in the file.
    assert hidden.visibility == [1, 1, 0, 1]
    assert hidden.xy.tolist() == [[694.83, 75.81], [741.28, 102.22], [695.93, 102.58], [697.59, 126.84]]
    assert plain.visibility == [2, 2, 2, 0]


def test_docs_images(samples):
    dataset = load(samples, "docs-images")
    (item,) = dataset.items
    assert (item.width, item.height) == (1600, 1200)
    assert kinds(item) == {"box": 1, "polygon": 1, "polyline": 2, "points": 1, "tag": 1, "skeleton": 1, "mask": 1}
    assert len(next(a for a in item.annotations if a.kind == "polygon").rings[0]) == 69
    assert len(next(a for a in item.annotations if a.kind == "points").xy) == 4
    assert [(loss.action, loss.what, loss.count) for loss in dataset.report] == [("defaulted", "category", 1)]
    assert dataset.schema.by_name("good_frame").id == len(dataset.schema)
    mask = next(a for a in item.annotations if a.kind == "mask").rle
    assert (mask.bbox, mask.area) == ((707, 888, 13, 15), 149)
    columns = mask.decode(window=(707, 888, 720, 903)).sum(axis=0).tolist()
    assert columns == [6, 9, 11, 13, 14, 15, 15, 15, 14, 13, 11, 8, 5]
    assert mask.to_coco()["counts"] == r"[\mi06YU13M2N2O1O1O0001O1O1N3M3MR\VP1"


def test_docs_video(samples):
    dataset = load(samples, "docs-video")
    assert dataset.source.format == "cvat_video"
    assert len(dataset.items) == 4620
    assert {(i.width, i.height) for i in dataset.items} == {(640, 480)}
    assert [i.id for i in dataset.items[:2]] == ["frame_000000", "frame_000001"]
    for track, kind in ((0, "polygon"), (1, "skeleton")):
        shapes = tracked(dataset, track)
        assert {a.kind for a in shapes.values()} == {kind}
        assert list(shapes) == [0, 1, 6, 7, 13, 14]
        assert outside(shapes) == [1, 7, 14]
    assert {t: dataset.schema.by_id(v.category_id).name for t, v in dataset.tracks.items()} == {0: "car", 1: "s1"}


def test_images_skeleton(samples):
    dataset = load(samples, "images-skeleton")
    specs = dataset.schema.by_name("label1").attributes
    assert [(s.name, s.type, s.default) for s in specs] == [
        ("a1", "bool", False), ("a2", "select", "v1"), ("a3", "text", "0000"), ("a4", "float", 0.0),
    ]  # fmt: skip
    assert specs[1].values == ["v1", "v2", "v3"]
    skeleton = dataset.schema.by_name("skeleton")
    assert (skeleton.keypoints, skeleton.skeleton) == (["1", "2", "3", "4"], [(3, 2), (1, 4)])
    first, second = dataset.items
    assert [(i.path, i.width, i.height, i.subset) for i in dataset.items] == [
        ("img0.jpg", 8, 8, "train"), ("img1.jpg", 10, 10, "train"),
    ]  # fmt: skip
    box, line, bones = first.annotations
    assert (box.x0, box.y0, box.x1, box.y1, box.occluded, box.z_order) == (0, 2, 4, 4, True, 1)
    assert box.attributes == {"a1": True, "a2": "v3", "a3": "0003", "a4": 2.4}
    assert line.category_id is None
    assert line.points.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert bones.xy.tolist() == [[1, 1], [2, 2], [3, 3], [4, 4]]
    assert bones.visibility == [0, 2, 2, 2]
    polygon, points, bones = second.annotations
    assert (polygon.category_id, polygon.z_order, points.z_order) == (None, 1, 2)
    assert bones.visibility == [2, 2, 0, 2]
    for item in dataset.items:
        with dataset.media.open_media(item) as stream:
            assert stream.read(2) == b"\xff\xd8"


def test_nested_tracks(samples):
    dataset = load(samples, "video-nested-tracks")
    assert [i.frame for i in dataset.items] == [10, 13, 16, 19]
    assert [bool(i.annotations) for i in dataset.items] == [True, True, True, False]
    assert {(i.width, i.height) for i in dataset.items} == {(25, 20)}
    assert list(dataset.tracks) == [0, 1, 2, 3]
    for track, kind, frames, gone in (
        (0, "box", [10, 13, 16], [13, 16]), (1, "points", [10, 13], [13]), (2, "polyline", [13, 16], [16]),
        (3, "skeleton", [10, 13, 16], []),
    ):  # fmt: skip
        shapes = tracked(dataset, track)
        assert {a.kind for a in shapes.values()} == {kind}
        assert (list(shapes), outside(shapes)) == (frames, gone)
    bones = tracked(dataset, 3)
    assert [bones[f].visibility for f in (10, 13, 16)] == [[2, 2, 2, 2], [2, 2, 0, 2], [2, 2, 0, 2]]
    assert all(b.xy.tolist() == [[48.8, 111.77], [48.8, 156.28], [83.27, 106.61], [89.11, 159.91]]
               for b in bones.values())  # fmt: skip
    assert [bones[f].keyframe for f in (10, 13, 16)] == [True, False, False]
    category = dataset.schema.by_name("skeleton")
    assert category.skeleton == [(3, 2), (1, 4)]
    with dataset.media.open_media(dataset.items[1]) as stream:
        assert stream.read(4) == b"\x89PNG"
    assert dataset.media.open_media(dataset.items[2]) is None


def test_skeleton_tracks(samples):
    dataset = load(samples, "video-skeleton-tracks")
    assert [i.frame for i in dataset.items] == list(range(10))
    assert {i.width for i in dataset.items} == {None}
    assert dataset.schema.by_name("skeleton1").skeleton == [(3, 2), (4, 3), (1, 4)]
    assert {t: list(tracked(dataset, t)) for t in dataset.tracks} == {
        0: list(range(7)), 1: [6, 7, 8, 9], 2: [6, 7], 3: [6, 7],
    }  # fmt: skip
    first = tracked(dataset, 0)
    assert [shape.visibility for shape in first.values()] == [[0, 2, 2, 2]] * 3 + [[2, 2, 2, 2]] * 3 + [[0, 0, 0, 0]]
    assert outside(first) == [6]
    # Missing on frames 1 and 2 after it went outside: still outside, where it was.
    assert first[1].xy[0].tolist() == first[2].xy[0].tolist() == [230.39, 149.99]
    assert (first[3].keyframe, first[3].extras["cvat_xml"]["points"]["1"]["keyframe"]) == (False, "1")
    assert tracked(dataset, 2)[6].xy[0].tolist() == [103.74, 51.09]
    assert outside(tracked(dataset, 2)) == outside(tracked(dataset, 3)) == [7]
    assert tracked(dataset, 3)[6].kind == "box"


def test_project(samples):
    dataset = load(samples, "project-three-subsets")
    assert [(i.subset, i.id, i.frame) for i in dataset.items] == [
        (subset, f"img{n}", n) for subset in ("Test", "Train", "Validation") for n in (0, 1)
    ]
    for first, second in zip(dataset.items[::2], dataset.items[1::2], strict=True):
        assert (kinds(first), kinds(second)) == ({"box": 1, "polyline": 1}, {"polygon": 1, "points": 1})
    meta = dataset.extras["cvat_xml"]["meta"]
    project = meta[1][0]
    assert project[0] == "project"
    assert dict(map(tuple, project[1]))["subsets"] == "Train\nTest\nValidation"
    for item in dataset.items:
        with dataset.media.open_media(item) as stream:
            assert stream.read(2) == b"\xff\xd8"


def test_rotated_without_meta(samples):
    dataset = load(samples, "rotated-no-meta")
    assert dataset.source.version is None
    (item,) = dataset.items
    assert (item.width, item.height, item.frame, kinds(item)) == (1003, 1600, 591, {"box": 3, "polyline": 1})
    (turned,) = [a for a in item.annotations if a.variant == "rotated_box"]
    assert turned.rotation == 270
    assert np.allclose(
        box_corners(turned),
        [[485.3868, 1093.68], [485.3868, 634.9696], [514.2251, 634.9696], [514.2251, 1093.68]], atol=5e-5,
    )  # fmt: skip
    assert [c.name for c in dataset.schema] == ["section_header", "text", "reading_order"]
    assert [(loss.action, loss.what) for loss in dataset.report] == [("defaulted", "category")]


@pytest.mark.parametrize("name", IMAGES)
def test_images_come_back_whole(samples, tmp_path, name):
    dataset = load(samples, name)
    for target in ("cvat_images", "cvat_xml"):
        report = mc.write(dataset, tmp_path / target, target)
        assert not len(report)
        back = mc.read(tmp_path / target)
        assert back.source.format == "cvat_images"
        assert_datasets_equal(dataset, back)


@pytest.mark.parametrize("name", VIDEOS)
def test_videos_come_back_whole(samples, tmp_path, name):
    dataset = load(samples, name)
    for item in dataset.items:
        item.path = item.id  # the name of the picture is not in the file
    report = mc.write(dataset, tmp_path / "out", "cvat_video")
    back = mc.read(tmp_path / "out").load()
    assert back.source.format == "cvat_video"
    if name == "video-nested-tracks":
        assert [(loss.action, loss.what, loss.count) for loss in report] == [("defaulted", "skeleton", 1)]
        assert back.items[3].annotations.pop().outside
    else:
        assert not len(report)
    assert_datasets_equal(dataset, back)


def test_the_tracks_of_a_video_can_be_thinned(samples):
    keys = load(samples, "video-skeleton-tracks", frames="keyframes")
    assert list(tracked(keys, 0)) == [0, 6]
    assert list(tracked(load(samples, "video-skeleton-tracks", frames="stored"), 0)) == list(range(7))
