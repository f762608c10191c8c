"""The pictures of docs/masks.md show what the package does today."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), int)


def test_pictures_are_fresh(tmp_path):
    if not DOCS.is_dir():
        pytest.skip("the documentation is not part of a source distribution")
    script = tmp_path / "make_pictures.py"  # it draws beside itself
    script.write_text((DOCS / "make_pictures.py").read_text("utf-8"), "utf-8")
    runpy.run_path(str(script), run_name="__main__")
    drawn = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert drawn == sorted(path.name for path in (DOCS / "pictures").iterdir())
    page = (DOCS / "masks.md").read_text("utf-8")
    for name in drawn:
        assert f"(pictures/{name})" in page
        new, kept = _pixels(tmp_path / "pictures" / name), _pixels(DOCS / "pictures" / name)
        assert new.shape == kept.shape, name
        # Palettes are chosen by Pillow, whose releases differ by shades; another mask differs by whole colours.
        assert (np.abs(new - kept).max(axis=2) > 24).mean() < 0.001, name
