"""Verbs that make a data set out of others: merge, split, filter, remap, sample."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from maskcodec.cli._common import Progress, media, options, print_json, read, say
from maskcodec.model.losses import LossReport

__all__ = ["VERBS"]


def _write(args: argparse.Namespace, dataset: Any, report: LossReport, sources: list[str], **more: Any) -> int:
    """Write what a verb made, or say what would be lost."""
    from maskcodec import registry

    to = args.to or (dataset.source.format if dataset.source is not None else None)
    if to is None:
        raise ValueError("--to: name the format to write, the sources have several")
    chosen = registry.get_format(to)
    _apart(args.dst, sources)
    own = {k: v for k, v in options(args.option).items() if k in chosen.write_options}
    watch = Progress(args.quiet)
    dataset.items = registry._Counted(dataset.items, watch)
    stop = args.on_loss == "raise"
    try:
        if args.dry_run:
            losses = registry.plan(dataset, chosen.name, media=media(args.media), **own)
        else:
            losses = registry.write(
                dataset, args.dst, chosen.name, on_loss="raise" if stop else "ignore", media=media(args.media),
                overwrite=args.overwrite, **own,
            )  # fmt: skip
    finally:
        watch.close()
    losses = LossReport().merge(report).merge(losses).merge(dataset.report)
    more = {key: value() if callable(value) else value for key, value in more.items()}
    if args.json:
        print_json({"to": chosen.name, "items": watch.done, "written": not args.dry_run, **more,
                    "losses": losses.to_json()})  # fmt: skip
        return 0
    say(f"{'would write' if args.dry_run else 'wrote'} {watch.done} items as {chosen.name}: {args.dst}")
    say(*(f"{key.replace('_', ' ')}: {value}" for key, value in more.items() if value))
    if args.on_loss == "warn" or args.dry_run:
        say(str(losses))
    return 0


def _apart(target: str, sources: list[str]) -> None:
    """The output may not stand in for an input, whatever --overwrite says."""
    goal = Path(target).resolve()
    for source in sources:
        place = Path(source).resolve()
        if place == goal or (goal.exists() and place.is_relative_to(goal)):
            raise ValueError(f"{target} is or holds the input {source}; write elsewhere")


def merge(args: argparse.Namespace) -> int:
    """Several data sets into one."""
    from maskcodec.ops import merge as join

    datasets = [read(args, source) for source in args.sources]
    stems = [os.path.basename(os.path.abspath(source)).partition(".")[0] for source in args.sources]
    names = [stem if stems.count(stem) == 1 else f"{stem}-{at}" for at, stem in enumerate(stems, 1)]
    dataset, report = join(datasets, names)
    kinds = {d.source.format for d in datasets if d.source is not None}
    if args.to is None and len(kinds) == 1:
        args.to = kinds.pop()
    dataset.report = LossReport()
    return _write(args, dataset, report, args.sources)


def split(args: argparse.Namespace) -> int:
    """Items into subsets."""
    from maskcodec.ops import split as divide

    parts: dict[str, float] = {}
    for pair in args.parts.split(","):
        name, _, share = pair.partition("=")
        try:
            parts[name.strip()] = float(share)
        except ValueError:
            raise ValueError(f"--parts: expected NAME=SHARE,..., got {args.parts!r}") from None
    report = LossReport()
    dataset = divide(read(args), parts, seed=args.seed, by=args.by, stratify=args.stratify, report=report)
    return _write(args, dataset, report, [args.src])


def filter(args: argparse.Namespace) -> int:
    """What fulfils conditions."""
    from maskcodec.ops import filter_items

    dataset, kept = filter_items(
        read(args), categories=args.category or None, without=args.without, kinds=args.kind or None,
        subsets=args.subset or None, items=args.item, attributes=options(args.attribute), min_area=args.min_area,
        max_area=args.max_area, min_score=args.min_score, crowd={"yes": True, "no": False, None: None}[args.crowd],
        keep_empty=not args.no_empty,
    )  # fmt: skip

    def counts() -> Any:
        found = {
            "items": [kept.kept_items, kept.items], "annotations": [kept.kept_annotations, kept.annotations],
            "left_out": dict(kept.reasons),
        }  # fmt: skip
        if args.json:
            return found
        why = "".join(f", {count} by {reason}" for reason, count in kept.reasons.items())
        some = f"{kept.kept_annotations} of {kept.annotations} annotations"
        return f"{kept.kept_items} of {kept.items} items, {some}{why}"

    return _write(args, dataset, LossReport(), [args.src], kept=counts)


def remap(args: argparse.Namespace) -> int:
    """Categories renamed, joined, left out."""
    from maskcodec.ops import remap as rename

    mapping: dict[str, str | None] = {}
    if args.file:
        found = json.loads(Path(args.file).read_text(encoding="utf-8"))
        good = isinstance(found, dict) and all(value is None or isinstance(value, str) for value in found.values())
        if not good:
            raise ValueError(f"{args.file}: expected an object of old names and new names or null")
        mapping.update(found)
    for pair in args.map:
        old, equals, new = pair.partition("=")
        if not equals or not new:
            raise ValueError(f"--map: expected OLD=NEW, got {pair!r}")
        mapping[old] = new
    mapping.update(dict.fromkeys(args.drop))
    dataset, report = rename(read(args), mapping, others="drop" if args.drop_others else "keep")
    return _write(args, dataset, report, [args.src])


def sample(args: argparse.Namespace) -> int:
    """Some items at random."""
    from maskcodec.ops import sample as choose

    text = args.size
    try:
        size: int | float = float(text[:-1]) / 100 if text.endswith("%") else float(text) if "." in text else int(text)
    except ValueError:
        raise ValueError(f"--size: expected a number of items or a part of them, got {text!r}") from None
    return _write(args, choose(read(args), size, seed=args.seed), LossReport(), [args.src])


VERBS = {"merge": merge, "split": split, "filter": filter, "remap": remap, "sample": sample}
