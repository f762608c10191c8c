"""The page of what formats keep is that of the code, and its differences from the written contract are known."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from maskcodec import registry

DOCS = Path(__file__).parents[2] / "docs"
# Columns and rows of the contract by the names that they have here.
COLUMNS = {
    "hasty imports": "hasty_polygon", "segments image seg.": "segments_image_segmentation",
    "segments image vector": "segments_image_vector", "segments 3D": "segments_pointcloud_vector",
    "segm. mask": "segmentation_mask", "kitti det.": "kitti_detection", "kitti seg.": "kitti_segmentation",
    "icdar recognition": "icdar_word_recognition", "icdar localization": "icdar_text_localization",
    "icdar segmentation": "icdar_text_segmentation",
}  # fmt: skip
ROWS = {"points / keypoints": "points", "groups": "group", "scores": "score"}
# What is kept less than the contract has it, all of it reported; the page says why.
LESS = {
    "datagym": {"tag", "track", "caption", "group"},  # attributes of the image; read alone; parents instead of groups
    "hasty_polygon": {"box", "mask"},  # the other two import files hold these
    "segments_pointcloud_vector": {"polygon", "polyline", "points", "point-cloud segmentation"},  # as 3D kinds; apart
    "cvat_images": {"track"}, "cvat_video": {"caption"}, "hasty_coco": {"crowd"}, "cityscapes": {"polygon", "group"},
    "coco_instances": {"group"}, "coco_keypoints": {"group"}, "segmentation_mask": {"group"},
    "kitti_segmentation": {"group"}, "mots_png": {"group"}, "icdar_text_localization": {"rotated box", "caption"},
    "icdar_text_segmentation": {"caption"},  # texts of boxes and masks are attributes of them
}  # fmt: skip
RANK = {".": 0, "a": 1, "w~": 1, "r": 1, "rw": 2}


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_fidelity", DOCS / "make_fidelity.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_fresh(maker: ModuleType) -> None:
    formats = {name: registry.formats()[name] for name in registry._TABLE}
    assert maker.PAGE.read_text("utf-8") == maker.page(formats), "run docs/make_fidelity.py"


def contract(text: str) -> dict[tuple[str, str], str]:
    """(format, row) -> what the matrix promises."""
    out: dict[tuple[str, str], str] = {}
    columns: list[str] = []
    for line in text[text.index("## 3.") : text.index("### Notes")].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| kind"):
            columns = [COLUMNS.get(cell, cell) for cell in cells[1:]]
        elif line.startswith("| ") and not line.startswith("| ---"):
            for column, cell in zip(columns, cells[1:], strict=False):
                found = re.match(r"(rw|w~|r\b|a\b|\.)", cell)
                out[column, ROWS.get(cells[0], cells[0])] = found.group(1) if found else "rw"
    return out


def kept(value: str) -> int:
    """How much a cell of the page keeps."""
    return 0 if value == "-" else 1 if value.startswith(("as ", "attribute")) else 2


def test_differences_from_the_contract(maker: ModuleType, samples: Path) -> None:
    page = samples.parent / "formats" / "README.md"
    if not page.is_file():
        pytest.skip("the contract does not lie beside the samples")
    less: dict[str, set[str]] = {}
    for (name, row), promised in contract(page.read_text("utf-8")).items():
        if name not in registry.formats():
            continue
        found = maker.rows(registry.formats()[name])
        if row in found and kept(found[row]) < RANK[promised]:
            less.setdefault(name, set()).add(row)
    assert less == LESS
