"""``validate`` finds what a strict reader stops at, and no such thing where it does not stop; on every sample."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec.ops import validate
from tests.conformance.test_detection import SAMPLES

CASES = [f"{folder}/{name}" for folder, named in SAMPLES.items() for name in named]
pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.LossWarning")


def stops(path: Path) -> bool:
    try:
        for _ in mc.read(path).items:
            pass
    except mc.FormatError:
        return True
    return False


def agree(path: Path) -> None:
    found = validate(path)
    assert stops(path) == any(problem.rule == "reading" and problem.severity == "error" for problem in found), found


@pytest.mark.parametrize("name", CASES)
def test_samples(samples, name):
    agree(samples / name)


def test_malformed(samples):
    folder = samples / "malformed" / "datasets"
    seen = 0
    for path in sorted(p for p in folder.iterdir() if p.is_dir() or p.suffix != ".md"):
        try:
            mc.detect(path)
        except (mc.UnknownFormatError, mc.AmbiguousFormatError, mc.FormatError):
            continue
        agree(path)
        seen += 1
    assert seen > 10
