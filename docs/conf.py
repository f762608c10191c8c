"""The site: Sphinx with MyST and furo. Nothing in it asks the network, neither in building nor in reading."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import make_cli  # noqa: E402
import make_formats  # noqa: E402

import maskcodec  # noqa: E402

project = "maskcodec"
author = copyright = "The maskcodec developers"
release = version = maskcodec.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "format_notes", "fidelity_differences.md"]
html_theme = "furo"
html_title = f"maskcodec {release}"
html_copy_source = html_show_sourcelink = False
pygments_style = "sphinx"
pygments_dark_style = "github-dark"

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
myst_links_external_new_tab = False

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_typehints = "none"  # signatures are long enough without; the text says types where they matter
autodoc_mock_imports = [
    name for name in ("torch", "torchvision", "pyarrow") if importlib.util.find_spec(name) is None
]
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

# Pages that stand outside of this folder; links to them work in the repository and on the site.
OUTSIDE = {
    "benchmarks/RESULTS.md": "results", "benchmarks/BIG.md": "big", "benchmarks/LOADERS.md": "loaders",
    "CHANGELOG.md": "changelog", "CONTRIBUTING.md": "contributing",
}  # fmt: skip


def generate(app: Any) -> None:
    """Write the pages that are made from the code."""
    folder = HERE / "generated"
    folder.mkdir(exist_ok=True)
    pages = {"verbs": make_cli.page()}
    for place, name in OUTSIDE.items():
        page = HERE.parent / place
        pages[name] = page.read_text("utf-8").replace("(README.md)", "(../index.md)") if page.exists() else ""
    for name, text in pages.items():
        goal = folder / f"{name}.md"
        if not text:
            goal.unlink(missing_ok=True)
        elif not goal.exists() or goal.read_text("utf-8") != text:
            goal.write_text(text, "utf-8")
    make_formats.make(HERE / "formats")


def redirect(app: Any, name: str, source: list[str]) -> None:
    """Links to pages outside of this folder lead to their copies."""
    depth = "../" * name.count("/")
    for place, copy in OUTSIDE.items():
        source[0] = source[0].replace(f"]({depth}../{place})", f"]({depth}generated/{copy}.md)")


def escape(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Bars around a word are an absolute value in docstrings, not a substitution."""
    lines[:] = [re.sub(r"\|(\w+)\|", r"\\|\1\\|", line) for line in lines]


def setup(app: Any) -> None:
    """Hooks."""
    app.connect("autodoc-process-docstring", escape)
    app.connect("builder-inited", generate)
    app.connect("source-read", redirect)
