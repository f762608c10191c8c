"""convert, and looking at what came out."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import Any

from maskcodec.cli._common import Progress, media, options, print_json, say
from maskcodec.model.losses import LossReport

__all__ = ["VERBS"]


def convert(args: argparse.Namespace) -> int:
    """Convert; with ``--verify`` compare the output with the input."""
    from maskcodec import registry, shards

    watch = Progress(args.quiet)
    try:
        report = shards.convert(
            args.src, args.dst, args.to, args.format, jobs=args.jobs, progress=watch, dry_run=args.dry_run,
            on_error=args.on_error, on_loss="raise" if args.on_loss == "raise" else "ignore", media=media(args.media),
            overwrite=args.overwrite, **options(args.option),
        )  # fmt: skip
    finally:
        watch.close()
    name = registry.get_format(args.to).name
    result: dict[str, Any] = {
        "to": name, "items": watch.done, "written": not args.dry_run, "losses": report.to_json()
    }  # fmt: skip
    code = 0
    lines: list[str] = []
    if args.verify and not args.dry_run:
        code, result["verified"], lines = _verify(args, name, report)
    if args.json:
        print_json(result)
        return code
    say(f"{'would convert' if args.dry_run else 'converted'} {watch.done} items to {name}: {args.dst}")
    if args.on_loss == "warn" or args.dry_run:
        say(str(report))
    if lines:
        say(*lines)
    return code


def _verify(args: argparse.Namespace, to: str, report: LossReport) -> tuple[int, dict[str, Any], list[str]]:
    """Read the output and hold it against the input; what the report says was dropped may be missing."""
    from maskcodec import registry
    from maskcodec.ops import compare

    chosen = options(args.option)
    readers = [args.format or registry.detect(args.src), to]
    known = [{k: v for k, v in chosen.items() if k in registry.get_format(name).read_options} for name in readers]
    before = registry.read(args.src, args.format, on_error=args.on_error, on_loss="ignore", **known[0])
    after = registry.read(args.dst, to, on_loss="ignore", **known[1])
    found = compare(before, after, tolerance=args.tolerance, pixels=args.pixels, shapes=False, fields=False)
    dropped: Counter[str] = Counter()
    for loss in report:
        if loss.action == "dropped" and not loss.field:
            dropped[loss.what] += loss.count
    if dropped["item"]:
        unexplained: Counter[str] = Counter({"item": max(found.gone["item"] - dropped["item"], 0)})
    else:
        unexplained = found.gone - dropped
    missing = sum(unexplained.values())
    shapes = [c for c in found.changes if c.what == "changed" and (c.pixels is not None or c.distance is not None)]
    far = [c for c in shapes if (c.pixels or 0) > args.pixels or (c.distance or 0.0) > args.tolerance]
    good = not missing and not far
    result = {
        "equal": good, "missing": dict(+unexplained), "pixels": found.pixels, "distance": found.distance,
        "annotations": found.annotations, "beyond_tolerance": len(far),
    }  # fmt: skip
    words = "verified" if good else "NOT as the input"
    lines = [
        f"{words}: {found.annotations} annotations of {found.items} items read again; largest deviation "
        f"{found.pixels} pixels, {found.distance:g} px"
    ]
    lines += [f"  missing and not in the report: {count} x {what}" for what, count in (+unexplained).items()]
    lines += [f"  {change}" for change in far[:20]]
    return (0 if good else 1), result, lines


VERBS = {"convert": convert}
