"""What stands in a drawing, pixel by pixel."""

from __future__ import annotations

import copy
import io
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import maskcodec as mc
from maskcodec.pictures import draw
from maskcodec.pictures.palette import PALETTE, Colors, color, ink_on, lightness
from maskcodec.pictures.shapes import clip_chain, clip_ring
from tests.zoo import planar, spatial, zoo

GREY = np.full((200, 300, 3), 128, np.uint8)
RED, BLUE = (200, 40, 40), (40, 60, 200)
SCHEMA = mc.LabelSchema(
    [
        mc.Category(1, "cat", RED),
        mc.Category(2, "dog", BLUE),
        mc.Category(3, "person", keypoints=["a", "b", "c"], skeleton=[(1, 2), (2, 3), (9, 1)]),
    ]
)


def picture(*annotations: mc.Annotation, **options: object) -> np.ndarray:
    item = mc.Item("a", "a.png", width=300, height=200, annotations=list(annotations))
    plain = {"image": GREY, "schema": SCHEMA, "labels": False, "legend": False, **options}
    return draw(item, **plain).array


def blended(tone: tuple[int, int, int], alpha: float) -> np.ndarray:
    return 128 + alpha * (np.array(tone, float) - 128)


def near(pixel: np.ndarray, wanted: object) -> bool:
    return bool(np.abs(pixel.astype(float) - np.asarray(wanted, float)).max() <= 2)


def test_mask_pixels_have_the_color_and_no_others():
    mask = np.zeros((200, 300), np.uint8)
    mask[40:120, 50:150] = 1
    mask[60:80, 70:90] = 0
    seen = picture(mc.Mask(mc.Rle.from_mask(mask), category_id=1), outline=0)
    assert (seen[mask == 0] == 128).all()
    assert near(seen[mask == 1], blended(RED, 0.45))
    solid = picture(mc.Mask(mc.Rle.from_mask(mask), category_id=2), outline=0, alpha=1.0)
    assert (solid[mask == 1] == BLUE).all()
    assert (solid[mask == 0] == 128).all()


def test_outline_of_a_mask_lies_in_it():
    mask = np.zeros((200, 300), np.uint8)
    mask[40:120, 50:150] = 1
    seen = picture(mc.Mask(mc.Rle.from_mask(mask), category_id=1))
    assert (seen[mask == 0] == 128).all()
    assert tuple(seen[40, 100]) == RED and near(seen[80, 100], blended(RED, 0.45))


def test_holes_show_the_image():
    outer = [[20, 20], [180, 20], [180, 180], [20, 180]]
    inner = [[60, 60], [140, 60], [140, 140], [60, 140]]
    seen = picture(mc.Polygon([outer, inner], (False, True), category_id=1))
    assert tuple(seen[100, 100]) == (128, 128, 128)
    assert near(seen[40, 40], blended(RED, 0.45)) and near(seen[100, 160], blended(RED, 0.45))
    assert tuple(seen[10, 10]) == (128, 128, 128)
    island = [[90, 90], [110, 90], [110, 110], [90, 110]]
    seen = picture(mc.Polygon([outer, inner, island], (False, True, False), category_id=1))
    assert near(seen[100, 100], blended(RED, 0.45)) and tuple(seen[70, 70]) == (128, 128, 128)


def test_polygon_covers_what_it_encloses():
    rng = np.random.default_rng(5)
    for _ in range(20):
        ring = rng.uniform(-40, 240, (5, 2))
        seen = picture(mc.Polygon([ring], category_id=1), outline=0, alpha=1.0)
        drawn = np.abs(seen.astype(int) - 128).max(axis=2) > 40
        wanted = mc.Rle.from_polygons([ring], (200, 300), rule="even-odd").decode(dtype="bool")
        inside = mc.Rle.from_mask(wanted).erode(2).decode(dtype="bool")
        outside = ~mc.Rle.from_mask(wanted).dilate(2).decode(dtype="bool")
        assert drawn[inside].all() and not drawn[outside].any()


def test_box_is_on_whole_pixels():
    seen = picture(mc.Box(20, 30, 120, 90, category_id=2), outline=1)
    assert tuple(seen[30, 20]) == tuple(seen[89, 119]) == BLUE
    assert tuple(seen[29, 20]) == tuple(seen[90, 119]) == (128, 128, 128)
    assert near(seen[60, 60], blended(BLUE, 0.45 * 0.18))


def test_rotated_box_and_ellipse():
    seen = picture(mc.Box(50, 80, 250, 120, 90.0, category_id=1), outline=0, alpha=1.0)
    drawn = np.abs(seen.astype(int) - 128).max(axis=2) > 4
    ys, xs = np.nonzero(drawn)
    assert abs(xs.min() - 130) <= 1 and abs(xs.max() - 169) <= 1 and ys.min() <= 1
    seen = picture(mc.Ellipse(150, 100, 60, 30, 0.0, category_id=1), outline=0, alpha=1.0)
    assert tuple(seen[100, 150]) == tuple(seen[100, 95]) == RED and tuple(seen[100, 85]) == (128, 128, 128)
    assert tuple(seen[66, 150]) == (128, 128, 128)


def count(seen: np.ndarray, tone: tuple[int, int, int]) -> int:
    return int((np.abs(seen.astype(int) - tone).max(axis=2) <= 12).sum())


@pytest.mark.parametrize("shape", [mc.Box(20, 30, 280, 170), mc.Polygon([[[20, 30], [280, 30], [280, 170]]])])
def test_dashes(shape):
    shape.category_id = 1
    whole = count(picture(shape, alpha=0.0, outline=2), RED)
    shape.occluded = True
    dashed = count(picture(shape, alpha=0.0, outline=2), RED)
    shape.occluded, shape.outside = False, True
    dotted = count(picture(shape, alpha=0.45, outline=2), RED)
    assert whole * 0.75 > dashed > whole * 0.4 and whole * 0.5 > dotted > 0


def test_points_hidden_hollow_unlabelled_absent():
    points = mc.Points([[50, 50], [100, 50], [150, 50]], [2, 1, 0], category_id=1)
    seen = picture(points, outline=4)
    assert tuple(seen[50, 50]) == RED
    assert tuple(seen[50, 100]) == (128, 128, 128) and count(seen[40:60, 90:110], RED) > 10
    assert (seen[:, 130:] == 128).all()


def test_skeleton_edges():
    skeleton = mc.Skeleton([[40, 40], [200, 40], [200, 160]], [2, 2, 0], category_id=3)
    item = mc.Item("a", width=300, height=200, annotations=[skeleton])
    drawn = draw(item, image=GREY, schema=SCHEMA, labels=False, outline=4)
    assert near(drawn.array[40, 120], color(0))
    assert (drawn.array[80:200, 190:210] == 128).all()  # no edge to a point that is not there
    assert drawn.notes == ["an edge to a key point that a skeleton does not have"]


def test_polyline_cuboid_and_order():
    seen = picture(mc.Polyline([[10, 100], [290, 100]], category_id=2), outline=4)
    assert near(seen[100, 150], BLUE) and tuple(seen[150, 150]) == (128, 128, 128)
    front, back = [[50, 60], [50, 160], [150, 60], [150, 160]], [[90, 30], [90, 130], [190, 30], [190, 130]]
    seen = picture(mc.Cuboid2D(np.array(front + back, float), category_id=1), outline=2)
    red = np.abs(seen.astype(int) - RED).max(axis=2) < 40
    assert red[60, 100] and red[110, 50]  # sides of the front, not its diagonals
    assert red[29:31, 140].any() and count(seen[40:50, 60:90], RED) > 5
    below = mc.Box(50, 50, 150, 150, category_id=1, z_order=1)
    above = mc.Box(50, 50, 150, 150, category_id=2, z_order=2)
    assert tuple(picture(above, below)[50, 50]) == BLUE


def test_every_kind_leaves_a_mark():
    for width in (None, 20, 700):
        plain = draw(mc.Item("a", width=20, height=12), width=width, schema=zoo().schema, legend=False).array
        for annotation in planar():
            item = mc.Item("a", width=20, height=12, annotations=[annotation])
            drawn = draw(item, width=width, schema=zoo().schema, labels=False)
            if annotation.kind in ("tag", "caption"):
                assert drawn.size[1] > plain.shape[0] and not drawn.notes
                continue
            assert (drawn.array[: plain.shape[0], : plain.shape[1]] != plain).any(), annotation.variant
            assert not drawn.notes or annotation.kind == "skeleton"


def test_what_lies_in_space_is_named():
    item = mc.Item("a", width=20, height=12, annotations=spatial())
    notes = draw(item, labels=False).notes
    assert sorted(notes) == [
        "not drawn: cuboid, which lies in space (2 times)",
        "not drawn: pointmask, which lies in space",
        "not drawn: points3d, which lies in space",
        "not drawn: polygon3d, which lies in space",
        "not drawn: polyline3d, which lies in space",
    ]


def test_nothing_that_was_given_is_changed():
    dataset = zoo()
    before = copy.deepcopy(dataset.items)
    image = GREY[:12, :20].copy()
    for item in dataset.items:
        draw(item, dataset, image=image if item.media == "image" else None, fit=True, attributes=True, legend=True)
    assert dataset.items == before and (image == 128).all()


def test_the_same_every_time():
    dataset = zoo()
    one, two = (draw(dataset.items[0], dataset, attributes=True, legend=True) for _ in range(2))
    assert (one.array == two.array).all() and one._repr_png_() == two._repr_png_()


def test_strip_does_not_cover_the_image():
    item = mc.Item("a", width=300, height=200, annotations=[mc.Tag(category_id=1), mc.Caption("word " * 60)])
    drawn = draw(item, image=GREY, schema=SCHEMA)
    assert (drawn.array[:200] == 128).all() and drawn.size[1] > 250
    assert draw(item, image=GREY, schema=SCHEMA, legend=False).size == (300, 200)


def test_kinds_and_colors():
    box = mc.Box(20, 30, 120, 90, category_id=1)
    polygon = mc.Polygon([[[150, 20], [290, 20], [290, 180]]], category_id=1)
    assert (picture(box, polygon, kinds=["box"])[:, 140:] == 128).all()
    assert (picture(box, polygon, kinds="polygon")[:, :140] == 128).all()
    by_instance = picture(box, polygon, colors="instance", outline=1)
    assert tuple(by_instance[30, 20]) == PALETTE[0] and tuple(by_instance[20, 200]) != PALETTE[0]
    box.track_id = 4
    assert tuple(picture(box, colors="track", outline=1)[30, 20]) == color(4)
    with pytest.raises(ValueError, match="'category', 'instance' or 'track'"):
        picture(box, colors="size")


def test_sizes(tmp_path):
    item = mc.Item("a", "pier/a.png", width=300, height=200, annotations=[mc.Box(30, 20, 150, 100, category_id=1)])
    assert draw(item).size == (300, 200) and draw(item, width=150).size == (150, 100)
    half = draw(item, schema=SCHEMA, width=150, labels=False, outline=1).array
    assert tuple(half[10, 15]) == RED and tuple(half[9, 15]) != RED
    assert draw(mc.Item("a", width=20, height=10)).size == (320, 160)
    assert draw(mc.Item("a", width=10**9, height=10**8)).size == (4096, 410)
    with pytest.raises(mc.FormatError, match="pier/a.png: the image is 30 x 20 pixels, .* made for 300 x 200"):
        draw(item, image=GREY[:20, :30])
    assert draw(item, image=GREY[:20, :30], fit=True).size == (300, 200)
    for bad in ({"width": 0}, {"width": 2.5}, {"alpha": 2}, {"scale": 0}, {"width": 10**6}):
        with pytest.raises(ValueError):
            draw(item, **bad)
    unsized = mc.Item("a", annotations=[mc.Box(0, 0, 400, 300)])
    assert draw(unsized).notes == ["the size is in no file: taken from the annotations"]
    assert draw(unsized, image=GREY).size[0] == 300


def _encoded(kind: str, size: tuple[int, int] = (300, 200), **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (10, 200, 30)).save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP"])
def test_images(kind, tmp_path):
    item, data = mc.Item("a", width=300, height=200), _encoded(kind)
    path = tmp_path / "a.bin"
    path.write_bytes(data)
    for source in (data, path, str(path), io.BytesIO(data), Image.open(io.BytesIO(data))):
        assert np.abs(draw(item, image=source).array[100, 100].astype(int) - (10, 200, 30)).max() < 9
    assert draw(item, image=data, width=30).size == (30, 20)


def test_arrays_of_any_depth():
    item = mc.Item("a", width=300, height=200)
    ramp = np.linspace(0, 60_000, 300).astype(np.uint16)[None].repeat(200, 0)
    bytes4 = np.dstack([ramp // 256] * 4).astype(np.uint8)
    for array in (ramp, ramp.astype(np.int32), ramp / 60_000, ramp > 30_000, bytes4):
        seen = draw(item, image=array).array
        assert seen[100, 5].max() < 40 and seen[100, 295].max() > 200
    out = io.BytesIO()
    Image.fromarray(ramp).save(out, "PNG")
    assert draw(item, image=out.getvalue()).array[100, 295].max() > 200
    with pytest.raises(ValueError, match="expected an array"):
        draw(item, image=np.zeros(5))


def test_turned_photograph():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = _encoded("JPEG", (200, 300), exif=exif)
    assert draw(mc.Item("a", width=300, height=200), image=data).size == (300, 200)
    assert draw(mc.Item("a", width=200, height=300), image=data).size == (200, 300)


@pytest.mark.parametrize("data", [b"", b"no image", _encoded("PNG")[:60], _encoded("JPEG")[:200]])
def test_damaged_images(data):
    with pytest.raises(mc.FormatError, match="a.png: the image cannot be decoded"):
        draw(mc.Item("a", "a.png", width=300, height=200), image=data)


def test_save(tmp_path):
    drawn = draw(mc.Item("a", width=300, height=200), image=GREY)
    drawn.save(tmp_path / "out.PNG")
    assert (np.asarray(Image.open(tmp_path / "out.PNG")) == drawn.array).all()
    assert drawn._repr_png_().startswith(b"\x89PNG") and drawn.image.size == drawn.size == (300, 200)
    with pytest.raises(ValueError, match=r"ending in \.png"):
        drawn.save(tmp_path / "out.jpg")
    with pytest.raises(OSError):
        drawn.save(tmp_path / "missing" / "out.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OSError):
        drawn.save(tmp_path / "folder.png")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "out.PNG"]


NAN, INF = float("nan"), float("inf")
HARD = [
    mc.Box(NAN, 0, 1, 1), mc.Box(-1e300, -1e300, 1e300, 1e300), mc.Box(-1e30, 5, 1e30, 9), mc.Box(1e9, 1e9, 2e9, 2e9),
    mc.Box(5, 5, 5, 5), mc.Box(9, 9, 2, 2), mc.Box(-1e140, -1e140, 1e140, 1e140, 45.0), mc.Box(0, 0, 5, 5, NAN),
    mc.Polygon([]), mc.Polygon([[]]), mc.Polygon([[[1, 1]]]), mc.Polygon([[[1, 1], [2, 2]]]),
    mc.Polygon([[], [[1, 1], [9, 1], [9, 9]]], (False, True)),
    mc.Polygon([[[-1e100, -1e100], [1e100, 0], [5, 1e100]]]), mc.Polyline([]), mc.Polyline([[1, 1]]),
    mc.Polyline([[NAN, 1], [2, 2]]), mc.Polyline([[-1e140, 5], [1e140, 6], [3, -1e140]], occluded=True),
    mc.Polyline([[-1e9, 5], [1e9, 6]], outside=True), mc.Ellipse(5, 5, 1e100, 3), mc.Ellipse(5, 5, 0, 0),
    mc.Ellipse(5, 5, -3, NAN), mc.Ellipse(1e6, 50, 1e6, 30), mc.Points([]), mc.Points([[NAN, NAN], [3, 3]], [0, 2]),
    mc.Points([[INF, 3]]), mc.Points([[1e100, 3]]), mc.Skeleton([[1, 1]], category_id=3),
    mc.Skeleton([], category_id=3), mc.Skeleton([[1e308, NAN], [1, 1], [INF, 0]], [0, 2, 0], category_id=3),
    mc.Mask(mc.Rle.from_mask(np.zeros((5, 7), np.uint8))), mc.Mask(mc.Rle.from_mask(np.ones((5, 7), np.uint8))),
    mc.Mask(mc.Rle.from_counts([0], (0, 0))), mc.Mask(mc.Rle.from_counts([5, 2**31 - 5], (2**16, 2**15))),
    mc.Cuboid2D(np.zeros((8, 2))), mc.Cuboid2D(np.full((8, 2), NAN)), mc.Cuboid2D(np.arange(16.0).reshape(8, 2) * 1e90),
    mc.Tag(), mc.Tag(category_id="nobody"), mc.Caption(""), mc.Caption("x" * 5000),
    mc.Caption("道 \n" * 300 + "\ud800\x00"),
    mc.Box(1, 1, 3, 3, z_order=NAN, score=NAN, track_id="x" * 500, keyframe=True, attributes={"a": "b" * 999}),
]  # fmt: skip


SIZES = [(300, 200), (1, 1), (3, 900), (5000, 3), (None, None), (0, 0), (-4, 5), (10**9, 10**9)]


@pytest.mark.parametrize("size", SIZES)
def test_hard_values(size):
    every = ({}, {"width": 7}, {"outline": 0, "alpha": 1}, {"attributes": True, "legend": True, "colors": "track"})
    for options in every if size[0] in (300, 1, 3) else every[:2]:
        item = mc.Item("h", width=size[0], height=size[1], annotations=HARD)
        drawn = draw(item, schema=SCHEMA, **options)
        assert drawn.array.shape[2] == 3 and max(drawn.size) <= 9000
    for annotation in HARD:
        draw(mc.Item("h", width=60, height=40, annotations=[annotation]), schema=SCHEMA, width=60)


def test_hard_values_are_named():
    notes = draw(mc.Item("h", width=300, height=200, annotations=HARD), schema=SCHEMA).notes
    text = "\n".join(notes)
    for part in (
        "box whose coordinates are no numbers (3 times)", "polyline whose", "ellipse whose", "points whose",
        "cuboid2d whose", "an empty mask", "a mask of 7 x 5 on an item of 300 x 200",
    ):  # fmt: skip
        assert part in text


def test_large_images_take_seconds():
    rng = np.random.default_rng(3)
    side = 4096
    shapes = [(*rng.uniform(100, 3900, 2), *rng.uniform(20, 300, 2)) for _ in range(250)]
    masks = [mc.Mask(mc.Rle.from_ellipse(e, (side, side)), category_id=i % 9) for i, e in enumerate(shapes)]
    item = mc.Item("big", width=side, height=side, annotations=masks)
    image = np.zeros((side, side, 3), np.uint8)
    for width in (None, 1024):
        start = time.perf_counter()
        draw(item, image=image, width=width)
        assert time.perf_counter() - start < 8


def test_small_masks_survive_reduction():
    mask = np.zeros((4000, 4000), np.uint8)
    mask[2001, 2001] = 1
    item = mc.Item("a", width=4000, height=4000, annotations=[mc.Mask(mc.Rle.from_mask(mask), category_id=1)])
    seen = draw(item, width=400, schema=SCHEMA, image=np.zeros((4000, 4000, 3), np.uint8), labels=False).array
    assert count(seen[195:206, 195:206], RED) >= 1


def test_palette():
    colors = np.array([color(i) for i in range(60)], int)
    assert len(np.unique(colors, axis=0)) == 60
    first = colors[: len(PALETTE)]
    gaps = np.abs(first[:, None] - first[None]).sum(axis=2) + 999 * np.eye(len(first), dtype=int)
    assert gaps.min() >= 60
    assert all(15 <= lightness(tuple(map(int, c))) <= 96 for c in colors)
    assert color(1000) == color(1000) and ink_on((255, 255, 0)) == (0, 0, 0) and ink_on((0, 0, 90)) == (255, 255, 255)
    # Golden values: what somebody learned to read must not change from release to release.
    assert [color(i) for i in (0, 1, 31)] == [(30, 120, 255), (255, 165, 60), (180, 195, 30)]
    assert [color(i) for i in (32, 33)] == [(237, 134, 167), (74, 142, 42)]


def test_colors_of_the_schema():
    schema = mc.LabelSchema([mc.Category(1, "a", RED), mc.Category(2, "b", RED), mc.Category(3, "c", (0, 0, 0)),
                             mc.Category("d", "d", (*BLUE, 0)), mc.Category(5, "e", (255, 255, 255))])  # fmt: skip
    made = Colors(schema)
    seen = [made.category(c.id) for c in schema]
    assert seen[0] == RED and len(set(seen)) == 5 and RED not in seen[1:] and BLUE not in seen
    assert made.category("nobody") == Colors(schema).category("nobody") and made.name("nobody") == "[nobody]"


def test_real_samples(samples: Path):
    names = (("labelme/json-primitives", 8), ("cvat-xml/images-all-shapes", 20), ("coco/keypoints-val2017-subset", 5))
    for name, least in names:
        dataset = mc.read(samples / name)
        for item in dataset.items:
            assert draw(item, dataset).size[0] > 0
        assert sum(len(item.annotations) for item in dataset.items) >= least


EDGES = [0.0, -0.0, 1e150, -1e149, 2.0**31, 2.0**63, 1e-320]
NUMBERS = st.one_of(st.floats(), st.floats(-50, 350), st.sampled_from(EDGES))
RING = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=6)


@st.composite
def shapes(draw_from):
    kind = draw_from(st.sampled_from(["box", "ellipse", "polygon", "polyline", "points", "cuboid"]))
    flags = {"occluded": draw_from(st.booleans()), "outside": draw_from(st.booleans()), "category_id": 3}
    four = [draw_from(NUMBERS) for _ in range(4)]
    if kind in ("box", "ellipse"):
        return (mc.Box if kind == "box" else mc.Ellipse)(*four, draw_from(NUMBERS), **flags)
    if kind == "polygon":
        rings = draw_from(st.lists(RING, max_size=3))
        return mc.Polygon(rings, tuple(draw_from(st.booleans()) for _ in rings), **flags)
    if kind == "polyline":
        return mc.Polyline(draw_from(RING), **flags)
    if kind == "cuboid":
        return mc.Cuboid2D(np.array([[draw_from(NUMBERS), draw_from(NUMBERS)] for _ in range(8)]), **flags)
    points = draw_from(RING)
    return mc.Skeleton(points, [draw_from(st.integers(0, 2)) for _ in points], **flags)


@given(st.lists(shapes(), max_size=4), st.sampled_from([(300, 200), (2, 2), (None, None)]))
@settings(max_examples=120)
def test_any_numbers(annotations, size):
    item = mc.Item("h", width=size[0], height=size[1], annotations=annotations)
    first = draw(item, schema=SCHEMA, width=90)
    assert first.size[0] >= 90 and (draw(item, schema=SCHEMA, width=90).array == first.array).all()


@given(RING, RING)
@settings(max_examples=150)
def test_cut_to_the_frame(chain, ring):
    frame = (-10.0, -10.0, 60.0, 40.0)
    sound = np.array([p for p in chain if np.isfinite(p).all() and np.abs(p).max() < 1e150], float).reshape(-1, 2)
    for piece in clip_chain(sound, frame):
        assert len(piece) > 1 and (piece >= (-10, -10)).all() and (piece <= (60, 40)).all()
    sound = np.array([p for p in ring if np.isfinite(p).all() and np.abs(p).max() < 1e150], float).reshape(-1, 2)
    cut = clip_ring(sound, frame)
    assert not len(cut) or ((cut >= (-10.001, -10.001)).all() and (cut <= (60.001, 40.001)).all())
