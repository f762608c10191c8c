"""What a benchmark cell is and how it is measured."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

OURS = "maskcodec"


@dataclass(slots=True)
class Cell:
    """One question put to several candidates.

    `candidates` maps a name to a call without arguments; names that begin with `maskcodec` are ours. `answer` brings a
    result to a form that can be compared; `truth` is the candidate whose answer the others must equal. Candidates in
    `other_rule` solve a related problem (another fill rule, not exact): they are timed, not compared, and never best.
    """

    group: str
    name: str
    candidates: dict[str, Callable[[], Any]]
    answer: Callable[[Any], Any]
    truth: str = "pycocotools"
    floor: Callable[[], Any] | None = None
    other_rule: set[str] = field(default_factory=set)
    target: float | None = None  # best peer / ours that the project promises
    against_other_rule: bool = False  # the target is against peers in `other_rule`


@dataclass(slots=True)
class Result:
    group: str
    name: str
    seconds: dict[str, float]
    floor: float | None
    left_out: dict[str, str]
    target: float | None = None
    against_other_rule: bool = False

    @property
    def ours(self) -> float:
        """Our fastest form on one thread."""
        return min(t for name, t in self.seconds.items() if name.startswith(OURS) and "threads" not in name)

    @property
    def ratio(self) -> float | None:
        """Fastest peer over ours."""
        best = self.best_peer(self.against_other_rule)
        return best[1] / self.ours if best else None

    @property
    def met(self) -> bool | None:
        """Whether the target holds; None without one or without a peer. 3 % are noise."""
        return None if self.target is None or self.ratio is None else self.ratio >= 0.97 * self.target

    def best_peer(self, other_rule: bool = False) -> tuple[str, float] | None:
        peers = [
            (t, name)
            for name, t in self.seconds.items()
            if not name.startswith(OURS) and (other_rule or not name.endswith("*"))
        ]
        return (min(peers)[1], min(peers)[0]) if peers else None


def equal(one: Any, other: Any) -> bool:
    """Deep equality that knows arrays."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(np.asarray(one), np.asarray(other))
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def clock(call: Callable[[], Any], repeats: int) -> float:
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def measure(cell: Cell, rounds: int, budget: float) -> Result:
    """Compare the answers, then time all candidates in turn, `rounds` times; medians.

    Raises:
        AssertionError: our answer is not the true one.
    """
    truth = cell.answer(cell.candidates[cell.truth]()) if cell.truth in cell.candidates else None
    left_out: dict[str, str] = {}
    calls: dict[str, Callable[[], Any]] = {}
    for name, call in cell.candidates.items():
        if name in cell.other_rule:
            calls[f"{name}*"] = call
            continue
        if name.startswith(OURS):
            ours = cell.answer(call())
            truth = ours if truth is None else truth
            if not equal(ours, truth):
                raise AssertionError(f"{cell.group} / {cell.name}: {name} gives another answer than {cell.truth}")
            calls[name] = call
            continue
        try:
            same = name == cell.truth or equal(cell.answer(call()), truth)
        except Exception as error:  # noqa: BLE001 - whatever a peer raises, the table says so
            left_out[name] = f"refuses ({type(error).__name__})"
            continue
        if same:
            calls[name] = call
        else:
            left_out[name] = "gives another answer"
    if cell.floor is not None:
        calls["floor"] = cell.floor
    repeats = {name: max(1, math.ceil(0.002 / max(clock(call, 1), 1e-7))) for name, call in calls.items()}
    samples: dict[str, list[float]] = {name: [] for name in calls}
    gc.collect()
    gc.disable()
    started = time.perf_counter()
    try:
        for _ in range(rounds):
            for name, call in calls.items():
                samples[name].append(clock(call, repeats[name]))
            if time.perf_counter() - started > budget:
                break
    finally:
        gc.enable()
    medians = {name: statistics.median(times) for name, times in samples.items()}
    floor = medians.pop("floor", None)
    return Result(cell.group, cell.name, medians, floor, left_out, cell.target, cell.against_other_rule)


def read_floor(size: int) -> Callable[[], Any]:
    """Touch `size` bytes once, reading."""
    data = b"\x02" * size  # written once: untouched zero pages would all be the same one
    return lambda: data.find(b"\x01")


def write_floor(size: int) -> Callable[[], Any]:
    """Fill a fresh array of `size` bytes."""

    def fill() -> None:
        np.empty(size, np.uint8).fill(1)

    return fill


def copy_floor(size: int) -> Callable[[], Any]:
    """Copy `size` bytes to a fresh array."""
    data = np.ones(size, np.uint8)
    return data.copy
