"""Run the benchmark cells in one process: candidates interleaved, medians, answers compared first.

    python -m benchmarks [--quick] [--only TEXT] [--json FILE] [--write] [--big]

`--big` measures files of gigabytes instead, with `--write` into BIG.md. A full run takes some minutes and writes
RESULTS.md.

Candidates marked with `*` follow another rule than ours (they are timed, but neither compared nor counted as best).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from . import bench_columns, bench_formats, bench_ids, bench_raster, bench_runs, big, peers
from .cells import OURS, Cell, Result, measure

MODULES = (bench_runs, bench_raster, bench_ids, bench_columns, bench_formats)
RESULTS = Path(__file__).with_name("RESULTS.md")
BIG = Path(__file__).with_name("BIG.md")


def cells(quick: bool, only: str) -> Iterator[Cell]:
    for module in MODULES:
        for cell in module.cells(quick):
            if only.lower() in f"{cell.group} / {cell.name}".lower():
                yield cell


def human(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def row(result: Result) -> str:
    best = result.best_peer(result.against_other_rule) or result.best_peer(other_rule=True)
    ratio = f"{best[1] / result.ours:.2f}x {best[0]}" if best else "-"
    target = "-" if result.target is None else f"{result.target:g}x" + (" **missed**" if result.met is False else "")
    floor = f"{result.ours / result.floor:.1f}" if result.floor else "-"
    own = {name.removeprefix(OURS): t for name, t in result.seconds.items() if name.startswith(OURS)}
    ours = ", ".join(f"{human(t)}{form}" for form, t in own.items())
    others = [f"{name} {human(t)}" for name, t in result.seconds.items() if not name.startswith(OURS)]
    others += [f"{name} {why}" for name, why in result.left_out.items()]
    return f"| {result.name} | {human(result.floor)} | {ours} | {ratio} | {target} | {floor} | {', '.join(others)} |"


HEADER = (
    "| case | floor | maskcodec | best peer / ours | target | ours / floor | peers |\n"
    "|---|---:|---:|---:|---:|---:|---|"
)


def summary(results: list[Result]) -> list[str]:
    """How many targets are met, and the cells that miss theirs."""
    judged = [result for result in results if result.met is not None]
    missed = [result for result in judged if not result.met]
    slower = [result for result in results if result.ratio is not None and result.ratio < 1]
    lines = [
        f"{len(judged) - len(missed)} of {len(judged)} targets met; faster than every peer in "
        f"{sum(result.ratio is not None for result in results) - len(slower)} of "
        f"{sum(result.ratio is not None for result in results)} cells."
    ]
    if missed:
        lines += ["", "Missed:", ""]
        lines += [f"- {r.group}, {r.name}: {r.ratio:.2f}x of {r.target:g}x" for r in missed]
    return lines


def report(results: list[Result], quick: bool) -> str:
    lines = [
        "# Benchmark results",
        "",
        f"Written by `python -m benchmarks{' --quick --write' if quick else ''}` on {date.today().isoformat()}; "
        f"{platform.machine()}, {platform.system()}, {os.cpu_count()} logical cores. "
        "One process, candidates interleaved, medians; every answer was compared before it was timed.",
        "",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in peers.versions().items()) + ".",
        "",
        "Floor = time to touch the bytes of the case once (read, fill or copy), measured in the same run. "
        "`*` = another rule than ours: timed, not compared. Best peer / ours takes our fastest form on one thread; "
        "peers may use more.",
        "",
        *summary(results),
    ]
    for group in dict.fromkeys(result.group for result in results):
        lines += ["", f"## {group}", "", HEADER, *(row(result) for result in results if result.group == group)]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small inputs, few rounds")
    parser.add_argument("--only", default="", metavar="TEXT", help="cells whose `group / name` contains this")
    parser.add_argument("--json", metavar="FILE", help="write all numbers there")
    parser.add_argument("--write", action="store_true", help=f"write {RESULTS.name} (a full run always does)")
    parser.add_argument("--big", action="store_true", help="only time and memory of files of gigabytes; many minutes")
    options = parser.parse_args()
    if options.big:
        lines = big.run()
        print("\n".join(lines))
        if options.write:
            head = f"# Files of gigabytes\n\nWritten by `python -m benchmarks --big --write` on {date.today()}; "
            where = f"{platform.machine()}, {platform.system()}, {os.cpu_count()} logical cores"
            notes = "MB are 10^6 bytes; peak is resident memory with the mapped pages of the input and the libraries."
            BIG.write_text(f"{head}{where}.\n{notes}\n\n" + "\n".join(lines) + "\n", encoding="utf-8")
        return 0
    rounds, budget = (5, 1.0) if options.quick else (15, 6.0)
    results = []
    group = None
    for cell in cells(options.quick, options.only):
        result = measure(cell, rounds, budget)
        results.append(result)
        if cell.group != group:
            group = cell.group
            print(f"\n{group}\n{HEADER}")
        print(row(result), flush=True)
    if options.json:
        document = {
            "date": date.today().isoformat(),
            "machine": {"processor": platform.machine(), "system": platform.system(), "cores": os.cpu_count()},
            "versions": peers.versions(),
            "cells": [
                {
                    "group": r.group,
                    "name": r.name,
                    "floor": r.floor,
                    "seconds": r.seconds,
                    "left_out": r.left_out,
                    "best_peer": r.best_peer(),
                }
                for r in results
            ],
        }
        Path(options.json).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print("\n" + "\n".join(summary(results)))
    if options.write or not (options.quick or options.only):
        RESULTS.write_text(report(results, options.quick), encoding="utf-8")
    return 0 if results else 1


if __name__ == "__main__":
    sys.exit(main())
