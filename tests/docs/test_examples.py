"""Every example of the documentation runs, and prints what the page says."""

from __future__ import annotations

import shutil
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import maskcodec as mc
from maskcodec import registry

from .pages import blocks, run

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.filterwarnings("ignore::maskcodec.LossWarning"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/recipes").glob("*.md"))]
NEEDS = {"training.md": ("torch", "torchvision"), "arrow.md": ("pyarrow",), "scale.md": ("pyarrow",)}
RUN = [page for page in PAGES if any(block.kind in ("python", "console") for block in blocks(page))]


def given(page: Path, folder: Path) -> dict[str, Any]:
    """What the reader of a page has: the example export as a folder and a zip, and the page's own names."""
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    with zipfile.ZipFile(folder / "export.zip", "w") as archive:
        for file in sorted((ROOT / "examples/harbour_export").rglob("*.*")):
            archive.write(file, file.relative_to(ROOT / "examples/harbour_export").as_posix())
    names: dict[str, Any] = {"__name__": "__main__"}
    if page.name == "README.md":
        mask = np.zeros((20, 30), bool)
        mask[4:9, 5:25] = True
        rle = mc.Rle.from_mask(mask)
        names |= {"mask": mask, "stack": np.stack([mask, ~mask]), "h": 20, "w": 30, "box": (5, 4, 25, 9)}
        names["pairs"] = rle.to_hasty(names["box"])
    if page.name in ("arrow.md", "scale.md"):
        mc.convert("examples/harbour_export", "coco", "coco_instances", on_loss="ignore")
        (folder / "coco/annotations/instances_pier.json").rename(folder / "coco/annotations.json")
    return names


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The entry point that installing the format of ``adding.md`` would make."""
    folder = tmp_path / "maskcodec_boxlist-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: maskcodec-boxlist\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[maskcodec.formats]\nboxlist = maskcodec_boxlist:FORMATS\n")
    monkeypatch.setattr(registry, "_outside_done", set())
    monkeypatch.setattr(registry, "_loaded", dict(registry._loaded))
    yield
    sys.modules.pop("maskcodec_boxlist", None)


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_page(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    for name in NEEDS.get(page.name, ()):
        pytest.importorskip(name)
    for program in ("bash", "git") if page.name == "git-diff.md" else ("bash",):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    if page.name == "adding.md":
        request.getfixturevalue("plugins")
    run(page, given(page, tmp_path))
