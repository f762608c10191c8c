"""Makes a COCO instances file of any size: ``python -m benchmarks.make_coco out.json --images 5000``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

SIZE = [480, 640]


def make(
    path: Path, images: int, annotations: int, *, seed: int = 0, grouped: bool = False, crowds: int = 0
) -> Path:
    """Write polygons of 8 to 45 points, in the key order and with the decimals of the official files.

    Args:
        path: of the file.
        images: number of images.
        annotations: number of annotations, dealt out at random.
        seed: of the generator; the same seed gives the same bytes.
        grouped: annotations in the order of the images; else mixed, as in the official files.
        crowds: how many of the last annotations are crowds, as uncompressed run lengths.
    """
    rng = np.random.default_rng(seed)
    owners = rng.integers(1, images + 1, annotations)
    if grouped:
        owners.sort()
    with path.open("w", encoding="utf-8") as out:
        out.write('{"info":{"description":"made","year":2024},"licenses":[],"images":[')
        for at in range(images):
            name = f"{at + 1:012d}.jpg"
            row = {"license": 3, "file_name": name, "height": SIZE[0], "width": SIZE[1], "id": at + 1}
            out.write(("," if at else "") + json.dumps(row))
        out.write('],"annotations":[')
        for at, owner in enumerate(owners.tolist()):
            row = record(rng, at + 1, owner)
            if at >= annotations - crowds:
                row.update(crowd(rng))
            out.write(("," if at else "") + json.dumps(row))
        names = [{"supercategory": "thing", "id": n, "name": f"class {n}"} for n in range(1, 81)]
        out.write('],"categories":' + json.dumps(names) + "}")
    return path


def record(rng: np.random.Generator, number: int, image: int) -> dict[str, object]:
    """One annotation: a wobbling outline."""
    count = int(rng.integers(8, 46))
    angles = np.sort(rng.random(count)) * 2 * np.pi
    radius = rng.uniform(15, 120) * rng.uniform(0.8, 1.2, count)
    x = np.clip(rng.uniform(100, 540) + radius * np.cos(angles), 0, 640).round(2)
    y = np.clip(rng.uniform(100, 380) + radius * np.sin(angles), 0, 480).round(2)
    area = abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
    box = [x.min(), y.min(), x.max() - x.min(), y.max() - y.min()]
    return {
        "segmentation": [np.stack([x, y], axis=1).reshape(-1).tolist()],
        "area": round(area, 4),
        "iscrowd": 0,
        "image_id": image,
        "bbox": [round(float(v), 2) for v in box],
        "category_id": int(rng.integers(1, 81)),
        "id": number,
    }


def crowd(rng: np.random.Generator) -> dict[str, object]:
    """What a crowd has instead: vertical strips of a rectangle."""
    x, y, w, h = (int(v) for v in rng.integers((0, 0, 20, 20), (400, 300, 200, 150)))
    counts = [x * SIZE[0] + y]
    for _ in range(w):
        counts += [h, SIZE[0] - h]
    counts[-1] = SIZE[0] * SIZE[1] - sum(counts[:-1])
    return {
        "segmentation": {"counts": counts, "size": SIZE},
        "area": w * h,
        "bbox": [x, y, w, h],
        "iscrowd": 1,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--annotations", type=int, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grouped", action="store_true")
    given = parser.parse_args()
    many = given.annotations if given.annotations is not None else given.images * 36 // 5
    make(given.path, given.images, many, seed=given.seed, grouped=given.grouped)
