"""Draw the pictures of pictures.md: `python docs/make_gallery.py` (writes docs/gallery/)."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np

import maskcodec as mc
from maskcodec.pictures import Picture, contact_sheet, difference, draw, from_above, plots

HERE = Path(__file__).with_name("gallery")
HARBOUR = Path(mc.__file__).parents[2] / "examples" / "harbour_export"
CATEGORIES = ["cat", "bench", "walker", "tower", "path", "pond", "kiosk", "tree"]
SCHEMA = mc.LabelSchema([mc.Category(at, name) for at, name in enumerate(CATEGORIES)])
SCHEMA.categories[2].keypoints = ["head", "neck", "hip", "left", "right", "hand"]
SCHEMA.categories[2].skeleton = [(1, 2), (2, 3), (3, 4), (3, 5), (2, 6)]
W, H = 720, 460


def save(name: str, picture: Picture) -> None:
    """As one small PNG in few colours."""
    picture.image.quantize(160, dither=0).save(HERE / f"{name}.png", optimize=True)


def disc(x: float, y: float, rx: float, ry: float, turn: float = 0) -> mc.Rle:
    return mc.Rle.from_ellipse((x, y, rx, ry), (H, W), rotation=turn)


def meadow() -> np.ndarray:
    """Something like a photograph: sky, hills, grass."""
    y, x = np.mgrid[0:H, 0:W].astype(float)
    hills = 150 + 26 * np.sin(x / 95) + 12 * np.sin(x / 37 + 1)
    sky = np.stack([170 - y * 0.1, 200 - y * 0.06, 226 - y * 0.02], -1)
    land = np.stack([118 + 18 * np.sin(y / 31), 136 + y * 0.06, 92 + 12 * np.cos(x / 120)], -1)
    return np.where((y < hills)[..., None], sky, land).clip(0, 255).astype(np.uint8) // 4 * 4


def every_kind() -> mc.Item:
    ring = disc(330, 330, 74, 42) - disc(330, 326, 34, 17)
    kiosk = [[40, 250], [150, 235], [160, 390], [45, 400]]
    window = [[70, 280], [120, 274], [124, 330], [72, 335]]
    walker = [[470, 190], [470, 222], [472, 290], [450, 350], [498, 348], [506, 258]]
    front, back = [[560, 130], [640, 130], [640, 330], [560, 330]], [[590, 108], [668, 108], [668, 304], [590, 304]]
    return mc.Item("meadow/0001", "meadow/0001.jpg", width=W, height=H, annotations=[
        mc.Mask(ring, category_id=5),
        mc.Polygon([kiosk, window], (False, True), category_id=6, attributes={"open": True}),
        mc.Box(60, 60, 150, 140, category_id=0, track_id=12, keyframe=True),
        mc.Box(200, 60, 290, 140, category_id=0, track_id=13, occluded=True),
        mc.Box(340, 60, 430, 140, category_id=0, track_id=14, outside=True),
        mc.Box(195, 212, 290, 246, 24.0, category_id=1, score=0.87), mc.Ellipse(520, 60, 62, 32, -12.0, category_id=7),
        mc.Polyline([[20, 440], [190, 420], [380, 436], [540, 396], [710, 410]], category_id=4),
        mc.Skeleton(walker, [2, 2, 2, 2, 1, 2], category_id=2),
        mc.Cuboid2D(np.array(front + back, float), category_id=3),
        mc.Points([[400, 250], [425, 262], [412, 285]], [2, 2, 1], category_id=7), mc.Tag(category_id=4),
        mc.Caption("A meadow with a kiosk, a pond and three tracks of one cat: seen, half hidden, gone."),
    ])  # fmt: skip


def changed() -> tuple[mc.Item, mc.Item]:
    old = every_kind()
    old.annotations = [a for a in old.annotations if a.kind not in ("polyline", "caption", "points", "ellipse")]
    new = copy.deepcopy(old)
    new.annotations[0].rle = disc(338, 332, 76, 42) - disc(330, 326, 34, 17)
    new.annotations[1].rings[0][2:] += (22, 8)
    del new.annotations[4]
    new.annotations[3].category_id = 7
    new.annotations[5].xy[5] += (30, -26)
    new.annotations += [mc.Ellipse(520, 60, 62, 32, -12.0, category_id=7), mc.Tag(category_id=5)]
    return old, new


def street() -> tuple[mc.Item, np.ndarray, mc.LabelSchema]:
    rng = np.random.default_rng(4)
    names = ("car", "walker", "lane", "hedge")
    schema = mc.LabelSchema([mc.Category(at, name) for at, name in enumerate(names, 1)])
    places = [(9, 3.4, 0.1), (17, -3.6, 3.1), (-12, 3.6, 0.0), (24, 8.5, 0.9), (-20, -3.4, 3.2)]
    shapes: list[mc.Annotation] = [
        mc.Cuboid((x, y, -0.9), (4.3, 1.9, 1.6), yaw, category_id=1, track_id=at)
        for at, (x, y, yaw) in enumerate(places)
    ]
    shapes += [mc.Cuboid((4.0, -8.0, -0.8), (0.8, 0.8, 1.8), 0.7, category_id=2)]
    shapes += [mc.Polyline(np.array([[x, 0.1 * np.sin(x / 5), -1.7] for x in range(-32, 33, 4)]), category_id=3)]
    radius = np.concatenate([np.full(900, r) for r in (4, 5.2, 6.8, 8.8, 11.5, 15, 19.5, 25)])
    angle = rng.uniform(-np.pi, np.pi, len(radius))
    ground = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), rng.normal(-1.7, 0.03, len(radius))])
    hedge = np.column_stack([rng.uniform(-30, -4, 2600), rng.normal(11.5, 0.5, 2600), rng.uniform(-1.7, 0.6, 2600)])
    parts = [ground, hedge]
    for shape in shapes[:6]:
        side = rng.uniform(-0.5, 0.5, (420, 3))
        side[:, 1] = np.where(rng.random(420) < 0.5, side[:, 1], 0.5 * np.sign(side[:, 1]))
        x, y, z = (side * shape.dimensions).T
        c, s = np.cos(shape.yaw), np.sin(shape.yaw)
        parts.append(np.column_stack([x * c - y * s, x * s + y * c, z]) + shape.position)
    shapes.append(mc.PointMask(np.arange(len(ground), len(ground) + len(hedge)), category_id=4))
    return mc.Item("street/0", "street/0.pcd", media="point_cloud", annotations=shapes), np.concatenate(parts), schema


def statistics() -> dict[str, object]:
    rng = np.random.default_rng(2)

    def bins(values: np.ndarray, edges: object = 14) -> dict[str, list[float]]:
        counts, found = np.histogram(values, edges)
        return {"edges": found.tolist(), "counts": counts.tolist()}

    per_item = np.bincount(rng.poisson(7, 1180))
    return {
        "items": 1180, "annotations": 8244, "subsets": {"train": 1000, "val": 180},
        "kinds": {"box": 5210, "polygon": 2020, "mask": 810, "skeleton": 204},
        "categories": dict(zip(CATEGORIES, (3120, 1710, 1204, 902, 640, 404, 201, 63), strict=True)),
        "per_item": {str(at): int(n) for at, n in enumerate(per_item)},
        "areas": bins(10 ** rng.normal(3.2, 0.7, 8000), 10.0 ** np.arange(0, 7)),
        "widths": bins(rng.gamma(2, 40, 8000)), "heights": bins(rng.gamma(3, 30, 8000)),
        "aspect": bins(rng.lognormal(0, 0.35, 8000)), "sizes": {"1920x1080": 900, "1280x720": 280},
    }  # fmt: skip


def main() -> None:
    HERE.mkdir(exist_ok=True)
    image = meadow()
    save("kinds", draw(every_kind(), image=image, schema=SCHEMA, attributes=True))
    save("difference", difference(*changed(), image=image, schema_a=SCHEMA, schema_b=SCHEMA))
    item, cloud, schema = street()
    save("cloud", from_above(item, cloud, schema=schema, width=760, frame=(-33, -16, 33, 16)))
    save("statistics", plots(statistics(), SCHEMA, width=860))
    harbour = mc.read(HARBOUR)
    save("sheet", contact_sheet(harbour, cell=250, columns=2))
    save("harbour", draw(next(iter(harbour.items)), harbour, width=640))


if __name__ == "__main__":
    main()
