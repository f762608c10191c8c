"""datumaro in an interpreter of its own, started once: its requirements need not fit ours.

Named by the environment variable ``MASKCODEC_DATUMARO_PYTHON``. The time of a call is that of the work alone.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

__all__ = ["Worker", "interpreter"]

PROGRAM = """
import shutil, sys, traceback
from datumaro.components.dataset import Dataset
print("ready", flush=True)
for line in sys.stdin:
    source, target, form = line.rstrip("\\n").split("\\t")
    shutil.rmtree(target, ignore_errors=True)
    try:
        Dataset.import_from(source, form).export(target, form, save_media=False)
        print("done", flush=True)
    except Exception as error:
        print("failed " + repr(error)[:200].replace("\\n", " "), flush=True)
"""


def interpreter() -> str | None:
    """Its Python, where there is one."""
    return os.environ.get("MASKCODEC_DATUMARO_PYTHON") or None


class Worker:
    """A process that converts on request."""

    def __init__(self, python: str) -> None:
        self._process = subprocess.Popen(
            [python, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            if line.split(" ")[0].strip() in ("ready", "done", "failed"):
                return line.strip()
        raise RuntimeError("datumaro ended without an answer")

    def convert(self, source: Path, target: Path, form: str) -> Path:
        """Read and write one format."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{source}\t{target}\t{form}\n")
        self._process.stdin.flush()
        answer = self._answer()
        if answer != "done":
            raise RuntimeError(answer)
        return target

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
