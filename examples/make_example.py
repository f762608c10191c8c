"""Draw the pictures of `harbour_export/` and write its labels as a Hasty JSON v1.1 export.

Run once by hand, from the project root: `python examples/make_example.py`. The output is part of the project, so that
nobody needs to run this; it stays to show where the example comes from, and how to write such a file with the codec.
Pictures and labels are made up, and in the public domain.
"""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import maskcodec as mc

OUT = Path(__file__).with_name("harbour_export")
WIDTH, HEIGHT = 320, 200
DATE = "2025-03-14T09:26:53Z"
SPACE = uuid.UUID("5f1a4c0e-6a57-4b2e-9d2d-3a2c7d9b1e10")
NIGHT, DAY = (24, 30, 58), (150, 196, 226)
Point = tuple[int, int]


def identity(*parts: object) -> str:
    """The same UUID for the same thing in every run."""
    return str(uuid.uuid5(SPACE, "/".join(map(str, parts))))


class Scene:
    """One picture with its labels."""

    def __init__(self, dataset: str, name: str, sky: tuple[int, int, int], tags: dict[str, list[str]]) -> None:
        self.dataset, self.name, self.tags = dataset, name, tags
        self.image = Image.new("RGB", (WIDTH, HEIGHT), sky)
        self.pen = ImageDraw.Draw(self.image)
        self.labels: list[dict[str, Any]] = []
        water = tuple(max(0, c // 2 - 8) for c in sky)
        self.pen.rectangle((0, 92, WIDTH, HEIGHT), fill=water)
        for row in range(98, HEIGHT, 9):
            shift = row * 7 % 40
            for x in range(-shift, WIDTH, 40):
                self.pen.line((x, row, x + 16, row), fill=tuple(min(255, c + 14) for c in water))

    def add(self, category: str, box: list[int], attributes: dict[str, Any] | None = None, **geometry: Any) -> None:
        """Append a label in front of all others."""
        number = len(self.labels)
        label = {"id": identity(self.dataset, self.name, number), "class_name": category, "bbox": box, "polygon": None}
        label |= {"mask": None, "z_index": number, "keypoints": [], "attributes": attributes or {}}
        self.labels.append(label | geometry)

    def polygon(self, category: str, points: list[Point], fill: tuple[int, ...], **attributes: Any) -> None:
        self.pen.polygon(points, fill=fill)
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        box = [min(xs), min(ys), max(xs), max(ys)]
        self.add(category, box, attributes, polygon=[list(p) for p in points])

    def box(self, category: str, corners: list[int], fill: tuple[int, ...], **attributes: Any) -> None:
        x0, y0, x1, y1 = corners
        self.pen.rectangle((x0, y0, x1 - 1, y1 - 1), fill=fill, outline=(20, 20, 20))
        self.add(category, corners, attributes)

    def mask(self, category: str, painted: Image.Image, fill: tuple[int, ...], **attributes: Any) -> None:
        """Paint and label the set pixels of a mode `L` picture."""
        self.image.paste(fill, mask=painted)
        rle = mc.Rle.from_mask(np.asarray(painted))
        x, y, w, h = rle.bbox
        box = [x, y, x + w, y + h]
        pairs = [int(v) for v in rle.to_hasty(box=tuple(box))]
        self.add(category, box, attributes, mask=pairs)

    def record(self) -> dict[str, Any]:
        groups = {name: tags for name, tags in self.tags.items() if tags}
        tags = [tag for group in groups.values() for tag in group]
        record: dict[str, Any] = {"image_id": identity(self.dataset, self.name), "width": WIDTH, "height": HEIGHT}
        record |= {"image_name": self.name, "image_mode": "RGB", "dataset_name": self.dataset, "image_status": "DONE"}
        return record | {"labels": self.labels, "tags": tags, "tag_groups": groups, "attributes": {}}


def ring(x: int, y: int, outer: int, inner: int) -> Image.Image:
    """A life ring: a mask with a hole."""
    out = Image.new("L", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(out)
    pen.ellipse((x - outer, y - outer, x + outer, y + outer), fill=255)
    pen.ellipse((x - inner, y - inner, x + inner, y + inner), fill=0)
    return out


def fence(x0: int, x1: int, y: int) -> Image.Image:
    """A railing: bars and posts, many holes."""
    out = Image.new("L", (WIDTH, HEIGHT))
    pen = ImageDraw.Draw(out)
    for offset in (0, 8, 16):
        pen.rectangle((x0, y + offset, x1, y + offset + 1), fill=255)
    for x in range(x0, x1, 12):
        pen.rectangle((x, y, x + 1, y + 22), fill=255)
    return out


def buoys(spots: list[Point]) -> Image.Image:
    """One object of several parts."""
    out = Image.new("L", (WIDTH, HEIGHT))
    for x, y in spots:
        ImageDraw.Draw(out).ellipse((x - 5, y - 7, x + 5, y + 7), fill=255)
    return out


def boat(scene: Scene, x: int, y: int, size: int, colour: tuple[int, ...], **attributes: Any) -> None:
    hull = [(x, y), (x + size, y), (x + size - size // 6, y + size // 4), (x + size // 6, y + size // 4)]
    scene.polygon("boat", hull, colour, **attributes)


def scenes() -> list[Scene]:
    busy = Scene("pier", "0001.png", DAY, {"Default": [], "weather": ["clear"]})
    busy.pen.rectangle((0, 70, 120, 200), fill=(120, 110, 100))
    busy.mask("water", Image.fromarray(water_of(busy)), (70, 96, 116))
    boat(busy, 130, 120, 96, (168, 44, 38), name="Alba", length=12.5, moored=True, cargo=["fish", "ice"])
    boat(busy, 196, 150, 80, (236, 236, 228), name="Nix & Nox", length=9.25, moored=False, cargo=[])
    busy.box("container", [12, 84, 52, 106], (40, 110, 60), number=7, state="closed")
    busy.box("container", [56, 84, 96, 106], (190, 120, 30), number=8, state="open")
    busy.mask("life ring", ring(104, 132, 11, 5), (244, 120, 40))
    busy.mask("railing", fence(4, 112, 158), (230, 230, 230))
    crane = [(64, 20), (64, 70), (110, 24)]
    for start, end in ((0, 1), (0, 2)):
        busy.pen.line((crane[start], crane[end]), fill=(60, 60, 60), width=3)
    points = [
        {
            "x": x, "y": y, "id": identity("crane", number), "norder": float(number + 1), "visible": True,
            "created_by": None, "updated_by": None, "create_date": DATE, "update_date": DATE,
            "keypoint_class_id": identity("keypoint", number),
        }
        for number, (x, y) in enumerate(crane)
    ]  # fmt: skip
    busy.add("crane", [60, 18, 112, 72], keypoints=points)

    night = Scene("pier", "0002.jpg", NIGHT, {"Default": ["blurred"], "weather": ["rain"]})
    boat(night, 40, 118, 120, (90, 90, 130), name="", length=21.0, moored=True, cargo=["timber"])
    night.mask("life ring", ring(96, 134, 9, 4), (200, 90, 40))
    night.mask("buoy", buoys([(220, 150), (250, 156), (284, 164)]), (180, 40, 40), number=3)
    night.image = night.image.filter(ImageFilter.GaussianBlur(0.6))

    sea = Scene("open water", "0001.png", DAY, {"Default": [], "weather": ["clear"]})
    sea.mask("water", Image.fromarray(water_of(sea)), (58, 98, 128))
    boat(sea, 60, 96, 60, (240, 200, 60), name="Cormoran", length=7.0, moored=False, cargo=["fish"])
    boat(sea, 96, 104, 88, (60, 60, 70), name="Tvertimod", length=33.75, moored=False, cargo=["fish"])
    sea.mask("buoy", buoys([(250, 130)]), (200, 50, 40), number=12)

    empty = Scene("open water", "0002.png", DAY, {"Default": [], "weather": []})
    return [busy, night, sea, empty]


def water_of(scene: Scene) -> np.ndarray:
    """Pixels below the horizon that the quay does not cover."""
    out = np.zeros((HEIGHT, WIDTH), np.uint8)
    out[92:, 120 if scene.dataset == "pier" else 0 :] = 255
    return out


def classes() -> list[dict[str, Any]]:
    table = [
        ("boat", "#d62728", "object", ["name", "length", "moored", "cargo"]),
        ("container", "#2ca02c", "object", ["number", "state"]),
        ("life ring", "#ff7f0e", "object", []),
        ("buoy", "#9467bd", "object", ["number"]),
        ("railing", "#8c564b", "object", []),
        ("crane", "#7f7f7f", "object", []),
        ("water", "#1f77b4", "background", []),
    ]
    out = []
    for number, (name, color, kind, attributes) in enumerate(table):
        record: dict[str, Any] = {"class_id": identity("class", name), "parent_class_id": None, "class_name": name}
        record |= {"class_type": kind, "color": f"{color}4d", "norder": 10.0 + number, "icon_url": None}
        out.append(record | {"attributes": attributes, "description": None, "use_description_as_prompt": False})
    return out


def schemas() -> list[dict[str, Any]]:
    names = ["top", "foot", "hook"]
    points = [
        {
            "keypoint_class_id": identity("keypoint", number), "keypoint_class_name": name, "norder": float(number + 1),
            "editor_x": 0.5, "editor_y": 0.25 * (number + 1), "max_points": 1, "min_points": 1,
        }
        for number, name in enumerate(names)
    ]  # fmt: skip
    schema: dict[str, Any] = {"keypoint_schema_id": identity("schema"), "keypoint_schema_name": "crane"}
    schema |= {"keypoint_schema_type": "points", "associated_label_classes": [identity("class", "crane")]}
    return [schema | {"keypoint_classes": points, "keypoint_skeleton": []}]


def main() -> None:
    drawn = scenes()
    for scene in drawn:
        path = OUT / scene.dataset / scene.name
        path.parent.mkdir(parents=True, exist_ok=True)
        scene.image.save(path, **({"quality": 85} if path.suffix == ".jpg" else {"optimize": True}))
    groups = [
        {"group_id": identity("tags", name), "group_name": name, "group_type": "MULTIPLE-SELECTION", "tags": tags}
        for name, tags in (("Default", ["blurred", "cropped"]), ("weather", ["clear", "rain", "fog"]))
    ]
    kinds = {"name": "TEXT", "length": "FLOAT", "moored": "BOOL", "cargo": "MULTIPLE-SELECTION", "number": "INT"}
    values = {"cargo": ["fish", "ice", "timber"], "state": ["open", "closed"]}
    document = {
        "project_name": "Harbour",
        "create_date": DATE,
        "export_format_version": "1.1",
        "export_date": DATE,
        "label_classes": classes(),
        "keypoint_schemas": schemas(),
        "tag_groups": groups,
        "images": [scene.record() for scene in drawn],
        "attributes": [
            {"name": name, "type": kinds.get(name, "SELECTION"), "values": values.get(name, [])}
            for name in ("name", "length", "moored", "cargo", "number", "state")
        ],
    }
    (OUT / "export.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
