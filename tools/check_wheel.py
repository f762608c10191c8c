#!/usr/bin/env python3
"""Check what is in wheels and source archives before anybody gets them: ``check_wheel.py FILE...``.

A wheel must bring its types and nothing that only a compiler reads, and stay small; a source archive must build and be
tested from, without the project's own machinery or anybody's data. Exit code 1, and a line for each fault, otherwise.
"""

from __future__ import annotations

import sys
import tarfile
import zipfile
from pathlib import Path

LIMIT = 2_000_000  # bytes of a wheel or a source archive
MODULES = ("columns", "raster", "runs")
_SOURCES = (".pyx", ".pxd", ".pxi", ".c", ".cc", ".cpp", ".h", ".hpp", ".inl", ".a", ".o")
_WHOLE = ("csrc/src/runs.cpp", "csrc/include/maskcodec/view.hpp", "src/maskcodec/_native/runs.pyx", "CMakeLists.txt",
          "pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md", "tests/test_minimal.py")  # fmt: skip
_KEPT_OUT = (".ci/", ".github/", "build/", "dist/", "tests/samples/", ".venv")


def check_wheel(path: Path) -> list[str]:
    """What is wrong with a wheel; nothing if it is good."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    faults = []
    if path.stat().st_size >= LIMIT:
        faults.append(f"{path.stat().st_size} bytes, the limit is {LIMIT}")
    if "maskcodec/py.typed" not in names:
        faults.append("py.typed is missing: type checkers would ignore every hint")
    for module in MODULES:
        if f"maskcodec/_native/{module}.pyi" not in names:
            faults.append(f"the stub {module}.pyi is missing")
        built = [n for n in names if n.startswith(f"maskcodec/_native/{module}.") and n.endswith((".so", ".pyd"))]
        if len(built) != 1:
            faults.append(f"expected the extension {module} once, found {built or 'none'}")
    if not any(name.endswith(".dist-info/licenses/LICENSE") for name in names):
        faults.append("the licence is missing")
    for name in names:
        if name.endswith(_SOURCES):
            faults.append(f"{name}: sources are not for wheels")
        top = name.split("/")[0]
        if top not in ("maskcodec", "maskcodec.libs") and not top.endswith((".dist-info", ".data")):
            faults.append(f"{name}: outside the package")
    return faults


def check_sdist(path: Path) -> list[str]:
    """What is wrong with a source archive; nothing if it is good."""
    with tarfile.open(path) as archive:
        names = [member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()]
    faults = [f"{name} is missing" for name in _WHOLE if name not in names]
    faults += [f"{name} does not belong there" for name in names if name.startswith(_KEPT_OUT)]
    faults += [f"{name}: built, not source" for name in names if name.endswith((".so", ".pyd", ".pyc", ".o", ".a"))]
    if path.stat().st_size >= LIMIT:
        faults.append(f"{path.stat().st_size} bytes, the limit is {LIMIT}")
    return faults


def check(path: Path) -> list[str]:
    """What is wrong with a wheel or a source archive, by its name."""
    if path.suffix == ".whl":
        return check_wheel(path)
    if path.name.endswith(".tar.gz"):
        return check_sdist(path)
    return ["neither a wheel nor a source archive"]


def main(arguments: list[str]) -> int:
    """Check the files, print what was found, return the exit code."""
    if not arguments:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    bad = 0
    for path in map(Path, arguments):
        faults = check(path)
        bad += bool(faults)
        lines = faults or [f"good, {path.stat().st_size / 1e6:.2f} MB"]
        sys.stdout.write("".join(f"{path.name}: {line}\n" for line in lines))
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
