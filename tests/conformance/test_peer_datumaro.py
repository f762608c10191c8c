"""What is written is read back by datumaro (PyPI), in an interpreter of its own that an environment variable names.

Left out is what version 1.13 of datumaro has no reader for: masks, ellipses, cuboids and skeletons in CVAT XML,
skeletons in its own format (another branch of it has them), and category 0, which it takes for none.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
from typing import Any

import numpy as np
import pytest
from PIL import Image

import maskcodec as mc

PEER = os.environ.get("MASKCODEC_DATUMARO_PYTHON")
pytestmark = [
    pytest.mark.skipif(PEER is None, reason="MASKCODEC_DATUMARO_PYTHON names no interpreter that has datumaro"),
    pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning"),
]
PROGRAM = """
import json, sys
from datumaro.components.dataset import Dataset
out = {}
for line in sys.stdin.read().splitlines():
    name, form, path = line.split("\\t")
    try:
        data = Dataset.import_from(path, form)
        labels = data.categories()[next(k for k in data.categories() if k.name == "label")] if data.categories() else []
        rows = []
        for item in data:
            for a in item.annotations:
                row = {"item": item.id, "subset": item.subset, "type": a.type.name}
                if getattr(a, "label", None) is not None:
                    row["label"] = labels[a.label].name
                if a.type.name in ("polygon", "polyline", "points", "bbox"):
                    row["points"] = [float(v) for v in a.points]
                if a.type.name == "points":
                    row["visibility"] = [int(v.value) for v in a.visibility]
                if a.type.name == "skeleton":
                    row["points"] = [float(v) for e in a.elements for v in e.points]
                if a.type.name == "mask":
                    image = a.image
                    row["box"] = [int(v) for v in a.get_bbox()]
                    row["area"] = int(image.sum())
                if a.type.name == "caption":
                    row["caption"] = a.caption
                row["attributes"] = {k: v for k, v in a.attributes.items()}
                row["z_order"] = getattr(a, "z_order", 0)
                rows.append(row)
        out[name] = {"rows": rows, "items": sorted([i.id, i.subset] for i in data)}
    except Exception as error:
        out[name] = {"error": repr(error)[:300] + " from " + repr(error.__cause__)[:300]}
print("FOUND" + json.dumps(out, default=str))
"""
FORMS = {
    "coco_instances": "coco_instances", "coco_keypoints": "coco_person_keypoints", "coco_captions": "coco_captions",
    "coco_labels": "coco_labels", "coco_stuff": "coco_stuff", "coco_image_info": "coco_image_info",
    "coco_panoptic": "coco_panoptic", "cvat_images": "cvat", "cvat_video": "cvat", "datumaro": "datumaro",
}  # fmt: skip
CVAT = ("mask", "skeleton", "caption")  # no reader for these
SQUARE = [[1.5, 2.25], [8.0, 2.0], [4.13, 9.0]]
FLAT = [v for point in SQUARE for v in point]
MASK = np.zeros((12, 20), np.uint8)
MASK[1:5, 2:7] = 1
MASK[2:4, 3:6] = 0


def dataset(video: bool) -> mc.Dataset:
    schema = mc.LabelSchema(
        [mc.Category(1, "cat", attributes=[mc.AttributeSpec("age", "int")]),
         mc.Category(2, "person", keypoints=["nose", "l_eye", "r_eye"], skeleton=[(1, 2), (2, 3)])]
    )  # fmt: skip
    number = iter(range(1, 100))

    def with_id(annotation: Any) -> Any:
        annotation.id = next(number)
        return annotation

    first = [
        mc.Box(1.5, 2.25, 6.0, 9.75, category_id=1, attributes={"age": 4}, z_order=2),
        mc.Polygon([SQUARE], category_id=1),
        mc.Polyline(SQUARE, category_id=1),
        mc.Points(SQUARE, category_id=1),
    ]
    if not video:
        first += [
            mc.Mask(mc.Rle.from_mask(MASK), category_id=1),
            mc.Skeleton([[3.0, 4.0], [5.5, 6.5], [0.0, 0.0]], [2, 1, 0], category_id=2),
            mc.Caption("a cat"),
            mc.Tag(category_id=1),
        ]
    items = [
        mc.Item("a", "a.png", width=20, height=12, frame=0, annotations=[with_id(a) for a in first]),
        mc.Item("b", "b.png", width=20, height=12, frame=1,
                annotations=[with_id(mc.Box(1.0, 1.0, 4.0, 5.0, category_id=1))]),
    ]  # fmt: skip
    return mc.Dataset(schema, items)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("peer")
    lines = []
    for name, form in FORMS.items():
        data = dataset(name == "cvat_video")
        unread = {"cvat_images": CVAT, "cvat_video": CVAT, "datumaro": ("skeleton",)}.get(name, ())
        for item in data.items:
            item.annotations = [a for a in item.annotations if a.kind not in unread]
        mc.write(data, folder / name, name, on_loss="ignore")
        for item in data.items:
            for place in (folder / name / "images", folder / name / "images" / "default"):
                place.mkdir(parents=True, exist_ok=True)
                Image.new("RGB", (20, 12)).save(place / item.path)
        lines.append(f"{name}\t{form}\t{folder / name}")
    done = subprocess.run([PEER, "-c", PROGRAM], input="\n".join(lines), capture_output=True, text=True, timeout=300)
    answer = [line for line in done.stdout.splitlines() if line.startswith("FOUND")]
    assert answer, done.stderr[-2000:]
    return json.loads(answer[0][5:])


def rows(found: dict[str, Any], name: str, kind: str) -> list[dict[str, Any]]:
    assert "error" not in found[name], found[name]["error"]
    for row in found[name]["rows"]:
        row["item"] = {"frame_000000": "a", "frame_000001": "b"}.get(row["item"], row["item"])
    return [row for row in found[name]["rows"] if row["type"] == kind]


@pytest.mark.parametrize("name", FORMS)
def test_items(found: dict[str, Any], name: str) -> None:
    assert "error" not in found[name], found[name]["error"]
    names = ["frame_000000", "frame_000001"] if name == "cvat_video" else ["a", "b"]  # a video has no names of frames
    assert [item for item, _ in found[name]["items"]] == names


near = functools.partial(pytest.approx, abs=0.006)  # it rounds to two decimals


@pytest.mark.parametrize("name", ["coco_instances", "coco_stuff", "cvat_images", "cvat_video", "datumaro"])
def test_boxes_and_polygons(found: dict[str, Any], name: str) -> None:
    boxes = {row["item"]: row for row in rows(found, name, "bbox")}
    assert boxes["b"]["points"] == near([1, 1, 4, 5])
    assert boxes["b"]["label"] == "cat"
    of_a = [row["points"] for row in rows(found, name, "bbox") if row["item"] == "a"]
    assert near([1.5, 2.25, 6.0, 9.75]) in of_a
    polygon, *_ = [row for row in rows(found, name, "polygon") if row["item"] == "a"]
    assert polygon["points"] == near(FLAT)
    assert polygon["label"] == "cat"


@pytest.mark.parametrize("name", ["cvat_images", "cvat_video", "datumaro"])
def test_lines_points_attributes_and_depth(found: dict[str, Any], name: str) -> None:
    assert [row["points"] for row in rows(found, name, "polyline") if row["item"] == "a"] == [near(FLAT)]
    assert near(FLAT) in [row["points"] for row in rows(found, name, "points")]
    (box,) = [row for row in rows(found, name, "bbox") if row["item"] == "a"]
    assert box["z_order"] == 2
    assert float(box["attributes"]["age"]) == 4


@pytest.mark.parametrize("name", ["coco_instances", "coco_stuff", "datumaro"])
def test_masks(found: dict[str, Any], name: str) -> None:
    (mask,) = [row for row in rows(found, name, "mask") if row["item"] == "a"]
    assert mask["area"] == int(MASK.sum())
    assert mask["box"][:2] == [2, 1]


def test_segments(found: dict[str, Any]) -> None:
    (mask,) = [row for row in rows(found, "coco_panoptic", "mask") if row["item"] == "b"]
    assert (mask["area"], mask["label"], mask["box"][:2]) == (12, "cat", [1, 1])


def test_key_points(found: dict[str, Any]) -> None:
    (points,) = [row for row in rows(found, "coco_keypoints", "points") if row["label"] == "person"]
    assert points["points"] == near([3.0, 4.0, 5.5, 6.5, 0.0, 0.0])
    assert points["visibility"] == [2, 1, 0]
    assert points["label"] == "person"


def test_captions_and_labels(found: dict[str, Any]) -> None:
    assert [row["caption"] for row in rows(found, "coco_captions", "caption")] == ["a cat"]
    assert [row["caption"] for row in rows(found, "datumaro", "caption")] == ["a cat"]
    for name in ("coco_labels", "cvat_images", "datumaro"):
        assert [(row["item"], row["label"]) for row in rows(found, name, "label")] == [("a", "cat")]
