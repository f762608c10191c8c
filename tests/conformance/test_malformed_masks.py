"""The malformed-mask corpus: every case gives what it promises, none ends by a signal or hangs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLES = os.environ.get("MASKCODEC_SAMPLES", "")
CORPUS = Path(SAMPLES) / "malformed" / "masks.jsonl"
ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.skipif(not SAMPLES or not CORPUS.is_file(), reason="MASKCODEC_SAMPLES is not set: no malformed corpus"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="the cases run in forked children"),
]


def run(*options: str) -> dict[str, dict[str, str]]:
    environment = {**os.environ, "MALLOC_PERTURB_": "165"}
    command = [sys.executable, "-m", "tests.conformance.mask_cases", str(CORPUS), *options]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return {record["id"]: record for record in map(json.loads, done.stdout.splitlines())}


def failures(results: dict[str, dict[str, str]]) -> dict[str, str]:
    return {key: record["got"] for key, record in results.items() if record["verdict"] != "pass"}


def test_every_case_through_the_public_api() -> None:
    results = run()
    assert len(results) == len(CORPUS.read_text(encoding="utf-8").splitlines()) == 241
    assert failures(results) == {}


def test_every_case_through_the_drop_in() -> None:
    results = run("--adapter", "compat")
    assert len(results) == 146
    assert failures(results) == {}


def test_lenient_reading_repairs_what_it_says_and_nothing_else() -> None:
    results = run("--lenient")
    assert set(results) == {"sum-short-decode", "sum-short-bbox", "seed-datumaro-sample", "hasty-len-0", "hasty-dup"}
    assert failures(results) == {}
