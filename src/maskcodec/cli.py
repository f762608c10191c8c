"""The command line: ``maskcodec convert|detect|info|formats``.

Results go to standard output, errors and progress to standard error. Exit codes: 0 done, 1 something would have been
lost under ``--on-loss raise``, 2 an error.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from maskcodec import __version__
from maskcodec.errors import LossError, LossWarning
from maskcodec.model.losses import LossReport

__all__ = ["main"]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="maskcodec", description="Convert annotation data sets; nothing is lost silently."
    )
    parser.add_argument("--version", action="version", version=f"maskcodec {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    convert = commands.add_parser("convert", help="convert a data set into another format")
    convert.add_argument("src", help="folder, zip or file to read")
    convert.add_argument("dst", help="what to write: a folder, a .zip, or a file where the format is one")
    convert.add_argument("--to", required=True, metavar="FORMAT", help="format to write")
    convert.add_argument("--from", dest="format", metavar="FORMAT", help="format to read (default: by content)")
    convert.add_argument("--on-loss", choices=("warn", "raise", "ignore"), default="warn")
    convert.add_argument("--media", choices=("reference", "copy", "none"), default="reference")
    convert.add_argument("--overwrite", action="store_true", help="replace the target, a folder with all that is in it")
    convert.add_argument("--dry-run", action="store_true", help="only say what would be lost")
    _reading(convert)

    detect = commands.add_parser("detect", help="tell the format of a data set")
    detect.add_argument("src", help="folder, zip or file")
    info = commands.add_parser("info", help="count what a data set holds")
    info.add_argument("src", help="folder, zip or file")
    info.add_argument("--from", dest="format", metavar="FORMAT", help="format to read (default: by content)")
    _reading(info)
    commands.add_parser("formats", help="list the formats")
    for command in commands.choices.values():
        command.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _reading(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--on-error", choices=("raise", "skip"), default="raise", help="skip and report bad records")
    parser.add_argument(
        "-o", "--option", action="append", default=[], metavar="KEY=VALUE", help="option of the reader or writer"
    )


def _options(pairs: Sequence[str]) -> dict[str, Any]:
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


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


class _Progress:
    """Counts on standard error while a terminal is watching; tqdm where it is installed."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._last = 0.0

    def __call__(self, done: int, total: int | None) -> None:
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
        if self._bar:
            self._bar.close()
        elif self._last:
            sys.stderr.write("\r" + " " * 40 + "\r")


def _convert(args: argparse.Namespace) -> int:
    from maskcodec import registry

    counts: Counter[str] = Counter()
    watch = _Progress() if sys.stderr.isatty() else None

    def tell(done: int, total: int | None) -> None:
        counts["items"] = done
        if watch is not None:
            watch(done, total)

    try:
        report = registry.convert(
            args.src,
            args.dst,
            args.to,
            args.format,
            on_error=args.on_error,
            on_loss="raise" if args.on_loss == "raise" else "ignore",
            media=args.media,
            overwrite=args.overwrite,
            dry_run=args.dry_run,
            progress=tell,
            **_options(args.option),
        )
    finally:
        if watch is not None:
            watch.close()
    name = registry.get_format(args.to).name
    if args.json:
        _say(
            json.dumps({"to": name, "items": counts["items"], "written": not args.dry_run, "losses": report.to_json()})
        )
        return 0
    verb = "would convert" if args.dry_run else "converted"
    _say(f"{verb} {counts['items']} items to {name}: {args.dst}")
    if args.on_loss == "warn" or args.dry_run:
        _say(str(report))
    return 0


def _detect(args: argparse.Namespace) -> int:
    from maskcodec import registry

    name = registry.detect(args.src)
    if args.json:
        yes, no = registry.examine(args.src)
        fits = {key: {"level": found.level, "reason": found.reason} for key, found in yes.items()}
        _say(json.dumps({"format": name, "fits": fits, "not": no}))
    else:
        _say(name)
    return 0


def _info(args: argparse.Namespace) -> int:
    from maskcodec import registry

    dataset = registry.read(args.src, args.format, on_error=args.on_error, on_loss="ignore", **_options(args.option))
    subsets: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    categories: Counter[Any] = Counter()
    for item in dataset.items:
        subsets[item.subset] += 1
        kinds.update(annotation.variant for annotation in item.annotations)
        categories.update(annotation.category_id for annotation in item.annotations)
    named = {c.name: categories[c.id] for c in dataset.schema.categories}
    found = {
        "format": dataset.source.format if dataset.source else None,
        "items": sum(subsets.values()),
        "annotations": sum(kinds.values()),
        "subsets": dict(subsets),
        "kinds": dict(kinds),
        "categories": named,
        "unread": dataset.report.to_json(),
    }
    if args.json:
        _say(json.dumps(found))
        return 0
    _say(f"{found['format']}: {found['items']} items, {found['annotations']} annotations")
    for title in ("subsets", "kinds", "categories"):
        table: dict[str, int] = found[title]  # type: ignore[assignment]
        _say(f"{title}:", *(f"  {name}: {count}" for name, count in table.items()))
    if len(dataset.report):
        _say(_unread(dataset.report))
    return 0


def _unread(report: LossReport) -> str:
    return f"could not be read: {report}"


def _formats(args: argparse.Namespace) -> int:
    from maskcodec import registry

    known = registry.formats().values()
    if args.json:
        rows = [
            {
                "name": f.name,
                "title": f.title,
                "aliases": list(f.aliases),
                "reads": f.read is not None,
                "writes": f.write is not None,
                "read_options": list(f.read_options),
                "write_options": list(f.write_options),
                "kinds": sorted(f.capabilities().variants),
                "converts": f.capabilities().conversions,
            }
            for f in known
        ]
        _say(json.dumps(rows))
        return 0
    for f in known:
        direction = ("r" if f.read else "-") + ("w" if f.write else "-")
        _say(f"{f.name:32} {direction}  {f.title}")
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "convert": _convert,
    "detect": _detect,
    "info": _info,
    "formats": _formats,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: arguments without the program's name; None: those of the process.
    """
    args = _parser().parse_args(argv)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LossWarning)
            return _COMMANDS[args.command](args)
    except LossError as error:
        sys.stderr.write(f"maskcodec: {error}\n")
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 2
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        text = (error.strerror or str(error)).replace("overwrite=True replaces", "--overwrite replaces")
        sys.stderr.write(f"maskcodec: {place}{text}\n")
        return 2
    except (ValueError, TypeError, MemoryError) as error:
        sys.stderr.write(f"maskcodec: {error or type(error).__name__}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("maskcodec: interrupted, nothing was written\n")
        return 2
