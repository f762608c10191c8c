"""What several verbs need: options, output, progress."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

from maskcodec.model.losses import LossReport

__all__ = ["Progress", "media", "options", "print_json", "read", "say", "unread"]


def options(pairs: Sequence[str]) -> dict[str, Any]:
    """KEY=VALUE; values are JSON where they can be, else texts."""
    out: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise ValueError(f"expected KEY=VALUE, got {pair!r}")
        try:
            out[key.replace("-", "_")] = json.loads(value)
        except ValueError:
            out[key.replace("-", "_")] = value
    return out


def media(how: str) -> str:
    """The name that ``write`` knows."""
    return "reference" if how == "leave" else how


def say(*lines: str) -> None:
    """Print lines of the result."""
    if not lines:
        return
    sys.stdout.write("\n".join(lines) + "\n")


def print_json(value: Any) -> None:
    """Print a result as JSON."""
    sys.stdout.write(json.dumps(value, default=str) + "\n")


def read(args: Any, src: str | None = None) -> Any:
    """The data set of the arguments."""
    from maskcodec import registry

    known = registry.read(
        args.src if src is None else src, args.format, on_error=getattr(args, "on_error", "raise"), on_loss="ignore",
        **options(args.option),
    )  # fmt: skip
    return known


def unread(report: LossReport) -> str:
    """What a lenient reader had to leave out, in words."""
    return f"could not be read: {report}"


class Progress:
    """Counts on standard error while a terminal is watching; tqdm where it is installed."""

    def __init__(self, quiet: bool = False) -> None:
        self.done = 0
        self._watched = not quiet and sys.stderr.isatty()
        self._bar: Any = None
        self._last = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        self.done = done
        if not self._watched:
            return
        if self._bar is None:
            try:
                from tqdm import tqdm  # type: ignore[import-untyped,unused-ignore]

                self._bar = tqdm(total=total, unit="item", leave=False, file=sys.stderr)
            except ImportError:
                self._bar = False
        if self._bar:
            self._bar.update(done - self._bar.n)
        elif time.monotonic() - self._last > 0.2:
            self._last = time.monotonic()
            sys.stderr.write(f"\r{done}" + (f" of {total}" if total is not None else "") + " items ")
            sys.stderr.flush()

    def close(self) -> None:
        """Clear the line."""
        if self._bar:
            self._bar.close()
        elif self._last:
            sys.stderr.write("\r" + " " * 40 + "\r")
