"""Runs the examples of docs/scale.md as they stand, each in a process of its own beside the data that they name."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np

import maskcodec as mc
from maskcodec.masks import Rle

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/scale.md"
ROWS = 20_000


def block(mark: str) -> str:
    """The code below a mark of the page."""
    found = re.search(rf"<!-- {re.escape(mark)} -->\n```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found, f"{PAGE.name} has no block {mark}"
    return found[1]


def archive(folder: Path) -> int:
    """Write a data set of 20,000 rows, masks and boxes, and return the sum of the areas of its masks."""
    rng = np.random.default_rng(0)
    masks = [Rle.from_mask(rng.random((48, 64)) < share) for share in np.linspace(0, 1, 50)]
    items, total = [], 0
    for at in range(ROWS // 20):
        marks: list[mc.Annotation] = []
        for row in range(20):
            if row % 7 == 3:
                marks.append(mc.Box(1.0, 2.0, 3.0, 4.0, category_id=1))
                continue
            mask = masks[(at * 3 + row) % len(masks)]
            total += mask.area
            marks.append(mc.Mask(mask, category_id=1))
        items.append(mc.Item(at, f"{at}.png", width=64, height=48, annotations=marks))
    dataset = mc.Dataset(mc.LabelSchema([mc.Category(1, "a")]), items)
    mc.write(dataset, folder / "archive", "arrow")
    return total


def run(name: str, folder: Path, **more: str) -> None:
    """Run an example beside its data; it prints the sum of all areas."""
    total = archive(folder)
    (folder / "areas.py").write_text(block("file: areas.py"))
    (folder / "example.py").write_text(block(f"example: {name}"))
    package = str(Path(mc.__file__).parents[1])
    path = os.pathsep.join(part for part in (package, str(folder), os.environ.get("PYTHONPATH", "")) if part)
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, **more},
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split()[-1] == str(total), done.stdout + done.stderr
