"""Files of gigabytes: time and peak memory of a whole conversion, ``python -m benchmarks --big [--write]``.

Peak memory is that of the process. On Linux it is told apart by looking every 50 ms: private memory, and pages of files
(the mapped input and the libraries), which the system takes back whenever it needs them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from .make_coco import make

__all__ = ["run"]

LIMIT = 600  # MB
PROGRAM = """
import sys
import maskcodec as mc
mc.convert(sys.argv[1], sys.argv[2], to=sys.argv[3], on_loss="ignore")
"""


def cvat(path: Path, images: int, shapes: int) -> Path:
    """An ``annotations.xml`` for images, with polygons of 30 points and boxes by turns."""
    rng = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as out:
        out.write('<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n  <version>1.1</version>\n  <meta><task>')
        out.write("<labels><label><name>cat</name><attributes></attributes></label></labels></task></meta>\n")
        for at in range(images):
            out.write(f'  <image id="{at}" name="{at:08d}.jpg" width="640" height="480">\n')
            points = (rng.random((shapes, 30, 2)) * (640, 480)).round(2).tolist()
            for number, ring in enumerate(points):
                common = 'label="cat" source="manual" occluded="0" z_order="0"'
                if number % 2:
                    (x0, y0), (x1, y1) = ring[:2]
                    corners = f'xtl="{min(x0, x1)}" ytl="{min(y0, y1)}" xbr="{max(x0, x1)}" ybr="{max(y0, y1)}"'
                    out.write(f"    <box {common} {corners}></box>\n")
                else:
                    text = ";".join(f"{x},{y}" for x, y in ring)
                    out.write(f'    <polygon {common} points="{text}"></polygon>\n')
            out.write("  </image>\n")
        out.write("</annotations>\n")
    return path


def _memory(pid: int) -> dict[str, int]:
    """Peak, private and file-backed memory of a process in MB; empty where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    pairs = (line.split() for line in lines if line.startswith(("VmHWM", "RssAnon", "RssFile")))
    return {name.rstrip(":"): int(size) * 1024 // 1_000_000 for name, size, *_ in pairs}


def measured(source: Path, target: Path, to: str) -> tuple[float, dict[str, int]]:
    """Seconds, and the largest of each figure."""
    started = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-c", PROGRAM, str(source), str(target), to])
    peak: dict[str, int] = {}
    while child.poll() is None:
        for name, size in _memory(child.pid).items():
            peak[name] = max(size, peak.get(name, 0))
        time.sleep(0.05)
    if child.returncode:
        raise RuntimeError(f"the conversion of {source} ended with {child.returncode}")
    return time.perf_counter() - started, peak


def run(scale: float = 1.0) -> list[str]:
    """Make the files, convert them, and return the lines of a table.

    Args:
        scale: 1 makes a COCO file of 2 GB and one of 118,000 images, and a CVAT file of 1 GB.
    """
    lines = [
        f"| case | file | time | peak | private | files | below {LIMIT} MB |", "|---|---:|---:|---:|---:|---:|---|",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="maskcodec-big-") as name:
        folder = Path(name)
        for title, images, annotations in (
            ("COCO to COCO, 118,000 images, 860,000 annotations", 118_000, 860_000),
            ("COCO to COCO, 500,000 images, 3,500,000 annotations", 500_000, 3_500_000),
        ):
            source = make(folder / "coco.json", int(images * scale), int(annotations * scale))
            lines.append(_row(title, source, folder / "out", "coco_instances"))
            source.unlink()
        source = cvat(folder / "cvat.xml", int(78_000 * scale), 40)
        for title, to in (("COCO", "coco_instances"), ("CVAT XML", "cvat_images")):
            shown = f"CVAT XML to {title}, 78,000 images, 3,120,000 shapes"
            lines.append(_row(shown, source, folder / "out", to))
    return lines


def _row(title: str, source: Path, target: Path, to: str) -> str:
    seconds, peak = measured(source, target, to)
    size = source.stat().st_size / 1e6
    shutil.rmtree(target)
    shown = [f"{peak[key]} MB" if key in peak else "-" for key in ("VmHWM", "RssAnon", "RssFile")]
    met = "-" if "VmHWM" not in peak else "yes" if peak["VmHWM"] < LIMIT else "**no**"
    return f"| {title} | {size:.0f} MB | {seconds:.0f} s | {' | '.join(shown)} | {met} |"
