"""One small data set that holds every kind and every field of the model, to be written by every format."""

from __future__ import annotations

import numpy as np

from maskcodec.masks import Rle
from maskcodec.model.annotations import (
    Box,
    Caption,
    Cuboid,
    Cuboid2D,
    Ellipse,
    Mask,
    PointMask,
    Points,
    Polygon,
    Polyline,
    Skeleton,
    Tag,
)
from maskcodec.model.dataset import Dataset, Item, ItemList, Link, Track
from maskcodec.model.schema import AttributeSpec, Category, LabelSchema, TagGroup


def ring_mask(height: int, width: int) -> np.ndarray:
    """A frame of one pixel with a hole, and a single pixel apart from it."""
    mask = np.zeros((height, width), np.uint8)
    mask[1:5, 2:7] = 1
    mask[2:4, 3:6] = 0
    mask[height - 1, width - 1] = 1
    return mask


def schema() -> LabelSchema:
    age = AttributeSpec("age", "int", default=3, mutable=False)
    coat = AttributeSpec("coat", "select", values=["black", "white"], children=[AttributeSpec("stripes", "bool")])
    return LabelSchema(
        [
            Category(3, "cat", color=(31, 120, 180), attributes=[age, coat], parent="animal"),
            Category(0, "übersicht 道", color=(1, 2, 3, 77), kind="stuff", extras={"somebody": {"else": [1, None]}}),
            Category(17, "person", keypoints=["nose", "l_eye", "r_eye"], skeleton=[(2, 3), (1, 2)]),
        ],
        attributes=[AttributeSpec("weather", "multiselect", values=["sun", "rain"])],
        tag_groups=[TagGroup("Default", ["xyz", "a b"], id="g1")],
        background=0,
    )


def planar(width: int = 20, height: int = 12) -> list:
    """Every kind that lies in a picture."""
    triangle = [[1.25, 1.5], [8.75, 2.0], [4.1, 9.3000000000000007]]
    square = [[10.0, 1.0], [18.0, 1.0], [18.0, 9.0], [10.0, 9.0]]
    inner = [[12.0, 3.0], [12.0, 6.0], [15.0, 6.0], [15.0, 3.0]]
    return [
        Box(1.5, 2.25, 6.1, 9.75, category_id=3, id=11),
        Box(2, 3, 9, 8, category_id=3, id=12, attributes={"age": 4, "coat": "black", "big": True, "w": 0.5}),
        Box(4.0, 2.0, 12.0, 6.0, 30.0, category_id=3, id=13),
        Polygon([triangle], category_id=3, id=14, is_crowd=True),
        Polygon([triangle, square], category_id=17, id=15, group_id=2),
        Polygon([square, inner], (False, True), category_id=0, id=16, score=0.25),
        Mask(Rle.from_mask(ring_mask(height, width)), category_id=0, id=17, z_order=-1),
        Mask(Rle.from_mask(ring_mask(height, width)[:, ::-1]), category_id=3, id=18, is_crowd=True, z_order=2),
        Ellipse(9.0, 6.0, 5.0, 3.0, 20.0, category_id=3, id=19),
        Polyline([[0.0, 0.5], [7.0, 3.0], [9.5, 11.0]], category_id=3, id=20),
        Points([[3.0, 4.0], [5.5, 6.5]], [2, 1], category_id=17, id=21),
        Skeleton([[3.0, 4.0], [5.5, 6.5], [0.0, 0.0]], [2, 1, 0], category_id=17, id=22),
        Cuboid2D([[x, y] for x in (1.0, 5.0) for y in (1.0, 6.0) for _ in (0, 1)], category_id=3, id=23),
        Tag(category_id=3, id=24),
        Caption("a cat, \"quoted\"\nand a line", id=25),
        Box(
            0.0, 0.0, 3.0, 3.0, category_id=3, id=26, group_id=2, track_id=7, parent_id=12, keyframe=True, outside=True,
            occluded=True, truncated=True, z_order=5, score=1.0, origin="auto",
            extras={"somebody": {"note": "x", "list": [1, 2.5]}},
        ),  # fmt: skip
        Box(5.0, 5.0, 6.0, 7.0, category_id=3),
        Box(5.0, 5.0, 6.0, 7.0, id=28),
    ]  # fmt: skip


def spatial() -> list:
    """Every kind that lies in space."""
    return [
        Cuboid((0.0, 0.2, 0.5), (4.0, 2.0, 1.5), 0.63, category_id=3, id=1, track_id=6),
        Cuboid((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), 0.0, (0.0, 0.0, 0.0, 1.0), category_id=3, id=2),
        Polygon([[[0, 0, 0], [1, 0, 0], [1, 1, 2]]], category_id=3, id=3),
        Polyline([[0, 0, 0], [1, 0, 5]], category_id=3, id=4),
        Points([[0, 0, 7]], category_id=3, id=5),
        PointMask([0, 2, 5], category_id=0, id=6),
    ]


def zoo() -> Dataset:
    """A fresh copy of the data set."""
    items = ItemList(
        [
            Item("a", "a.png", "image", 20, 12, annotations=planar(), attributes={"weather": ["sun"]}, status="DONE"),
            Item("sub dir/b", "sub dir/b.jpg", width=20, height=12, annotations=planar()[:2]),
            Item("a", "a.jpg", width=20, height=12, subset="val set", annotations=planar()[6:7]),
            Item("empty", "empty.png", width=7, height=5, subset="val set"),
            Item(
                "f1", "f1.png", width=20, height=12, sequence="clip", frame=3, timestamp=1.5, sensor="front",
                annotations=[Box(1.0, 1.0, 2.0, 2.0, category_id=3, id=40, track_id=7)],
                extras={"somebody": {"hash": "abc"}},
            ),
            Item("unsized", "unsized.png", annotations=[Box(1.0, 1.0, 2.0, 2.0, category_id=3, id=41)]),
            Item("cloud", "cloud.pcd", media="point_cloud", annotations=spatial()),
        ]
    )  # fmt: skip
    tracks = {7: Track(7, 3, {"colour": "red"}), 6: Track(6, 3)}
    links = [Link(6, 7, {"side": "left"})]
    info = {"description": "zoo", "year": 2026, "version": "1.0"}
    return Dataset(schema(), items, tracks, links, info, {"somebody": {"key": {"deep": [1]}}})


def simple() -> Dataset:
    """What every format that holds boxes or masks can take: two images, one category."""
    box = Box(1.0, 2.0, 6.0, 9.0, category_id=1)
    mask = Mask(Rle.from_mask(ring_mask(12, 20)), category_id=1)
    items = [Item("one", "one.png", width=20, height=12, annotations=[box]),
             Item("two", "two.png", width=20, height=12, annotations=[mask])]  # fmt: skip
    return Dataset(LabelSchema([Category(1, "cat")]), items)
