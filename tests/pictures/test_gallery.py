"""The pictures of docs/pictures.md can be made today, and its examples run."""

import doctest
import runpy
from inspect import signature
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

DOCS = Path(__file__).parents[2] / "docs"
SCALABLE = "size" in signature(ImageFont.load_default).parameters  # the font that the pages were drawn with


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), int)


def test_gallery(tmp_path):
    if not DOCS.is_dir():
        pytest.skip("the documentation is not part of a source distribution")
    script = tmp_path / "make_gallery.py"  # it draws beside itself
    text = (DOCS / "make_gallery.py").read_text("utf-8")
    script.write_text(text.replace("Path(mc.__file__).parents[2]", f"Path({str(DOCS.parent)!r})"), "utf-8")
    runpy.run_path(str(script), run_name="__main__")
    drawn = sorted(path.name for path in (tmp_path / "gallery").iterdir())
    assert drawn == sorted(path.name for path in (DOCS / "gallery").iterdir())
    page = (DOCS / "pictures.md").read_text("utf-8")
    for name in drawn:
        assert f"(gallery/{name})" in page
        assert (DOCS / "gallery" / name).stat().st_size < 60_000
        if not SCALABLE:
            continue
        new, kept = _pixels(tmp_path / "gallery" / name), _pixels(DOCS / "gallery" / name)
        # Releases of Pillow draw letters and choose palettes differently; another drawing differs by far more.
        assert new.shape[1] == kept.shape[1] and abs(new.shape[0] - kept.shape[0]) <= 12, name
        rows = min(len(new), len(kept)) * 4 // 5
        assert (np.abs(new[:rows] - kept[:rows]).max(axis=2) > 60).mean() < 0.03, name


def test_examples_of_the_page(monkeypatch):
    if not DOCS.is_dir():
        pytest.skip("the documentation is not part of a source distribution")
    monkeypatch.chdir(DOCS.parent)
    failed, tried = doctest.testfile(str(DOCS / "pictures.md"), module_relative=False, encoding="utf-8")
    assert tried >= 5 and not failed
