"""Runs the examples of a page of the documentation, in order and in one folder, as a reader would."""

from __future__ import annotations

import contextlib
import doctest
import importlib.util
import io
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import maskcodec
from maskcodec.cli import main

FENCE = re.compile(
    r"(?P<marks>(?:^<!-- [^\n]* -->\n)*)^```(?P<kind>\w+)[^\n]*\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE
)
SHELL = re.compile(r"[|<>;&$`*]")


@dataclass
class Block:
    """A fenced block: its language, its marks (HTML comments right above it), and what it prints."""

    kind: str
    body: str
    line: int
    marks: dict[str, str] = field(default_factory=dict)
    output: str | None = None


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page; a ``text`` block right below a ``python`` one is what that prints."""
    text = page.read_text("utf-8")
    found: list[Block] = []
    end = 0
    for match in FENCE.finditer(text):
        marks = dict(re.findall(r"<!-- ([\w ]+?)(?:: ([^\n]*))? -->", match["marks"]))
        close = found and not text[end : match.start()].strip()
        if match["kind"] == "text" and close and found[-1].kind == "python":
            found[-1].output = match["body"]
        found.append(Block(match["kind"], match["body"], text[: match.start()].count("\n") + 1, marks))
        end = match.end()
    yield from found


def wanting(block: Block) -> str:
    """A module that the block needs and that is not there."""
    for name in block.marks.get("needs", "").split():
        try:
            missing = importlib.util.find_spec(name) is None
        except ModuleNotFoundError:
            missing = True
        if missing:
            return name
    return ""


def run(page: Path, names: dict[str, Any]) -> list[str]:
    """Run a page in the working folder; returns the blocks that were left out, and why."""
    left: list[str] = []
    checker = doctest.OutputChecker()
    for block in blocks(page):
        place = f"{page.name}:{block.line}"
        missing = wanting(block)
        if missing or block.marks.keys() & {"not run", "example", "setup"}:
            left.append(f"{place}: {missing or block.marks.get('not run', 'run elsewhere')}")
        elif "file" in block.marks:
            Path(block.marks["file"]).write_text(block.body, "utf-8")
        elif block.kind == "python" and block.body.startswith(">>>"):
            session(block, names, place)
        elif block.kind == "python":
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                exec(compile(block.body, place, "exec"), names)
            if block.output is not None:
                same(checker, block.output, printed.getvalue(), place)
        elif block.kind == "console":
            console(checker, block, place)
    return left


def session(block: Block, names: dict[str, Any], place: str) -> None:
    """Run a block that is written as a session of the interpreter."""
    test = doctest.DocTestParser().get_doctest(block.body, names, place, None, block.line)
    told = io.StringIO()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    result = doctest.DocTestRunner(optionflags=flags).run(test, out=told.write, clear_globs=False)
    names.update(test.globs)
    assert not result.failed, told.getvalue()


def console(checker: doctest.OutputChecker, block: Block, place: str) -> None:
    """Run the commands of a block; lines below a command are what it prints."""
    body = re.sub(r"\\\n\s*", "", block.body)
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        code = int(found[1]) if (found := re.search(r"# exit code (\d+)", command)) else 0
        given, printed = launch(command)
        assert given == code, f"{place}: {command}: exit code {given}\n{printed}"
        if expected.strip():
            same(checker, expected, printed, f"{place}: {command}")


def launch(command: str) -> tuple[int, str]:
    """Exit code and output of a command: in this process where it is plain, else in a shell."""
    bare = command.partition(" #")[0]
    if bare.startswith("maskcodec ") and not SHELL.search(bare):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            code = main(shlex.split(bare)[1:])
        return code, printed.getvalue()
    shim = Path("bin-of-the-test")
    shim.mkdir(exist_ok=True)
    for name, start in (("maskcodec", "-m maskcodec"), ("python", "")):
        program = shim / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -W ignore {start} "$@"\n')
        program.chmod(0o755)
    path = os.pathsep.join((str(shim.resolve()), os.environ.get("PATH", "")))
    package = os.pathsep.join((str(Path(maskcodec.__file__).parents[1]), os.environ.get("PYTHONPATH", "")))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command], capture_output=True, text=True, timeout=120,
        env={**os.environ, "PATH": path, "PYTHONPATH": package},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def same(checker: doctest.OutputChecker, expected: str, printed: str, place: str) -> None:
    """Output as the page says; ``...`` stands for anything."""
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert checker.check_output(expected, printed, flags), f"{place}\nthe page says:\n{expected}\nprinted:\n{printed}"
