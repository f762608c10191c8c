"""Verbs that only look: detect, info, formats, validate, stats, show, diff, completion."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from typing import Any

from maskcodec.cli._common import options, print_json, read, say, unread

__all__ = ["VERBS"]


def detect(args: argparse.Namespace) -> int:
    """Tell the format."""
    from maskcodec import registry

    name = registry.detect(args.src)
    if args.json:
        yes, no = registry.examine(args.src)
        fits = {key: {"level": found.level, "reason": found.reason} for key, found in yes.items()}
        print_json({"format": name, "fits": fits, "not": no})
    else:
        say(name)
    return 0


def info(args: argparse.Namespace) -> int:
    """Count items, annotations, kinds, categories."""
    from maskcodec.ops import statistics

    dataset = read(args)
    found = statistics(dataset)
    keys = ("format", "items", "annotations", "subsets", "kinds", "categories", "tracks", "links")
    result = {key: found[key] for key in keys}
    if args.json:
        print_json({**result, "unread": dataset.report.to_json()})
        return 0
    say(f"{found['format']}: {found['items']} items, {found['annotations']} annotations")
    for title in ("subsets", "kinds", "categories"):
        say(f"{title}:", *(f"  {name}: {count}" for name, count in found[title].items()))
    if len(dataset.report):
        say(unread(dataset.report))
    return 0


def formats(args: argparse.Namespace) -> int:
    """List the formats, or say what one keeps."""
    from maskcodec import registry

    if args.name is not None:
        return _format(args)
    known = registry.formats().values()
    if args.json:
        print_json([_row(f) for f in known])
        return 0
    for f in known:
        direction = ("r" if f.read else "-") + ("w" if f.write else "-")
        say(f"{f.name:32} {direction}  {f.title}")
    return 0


def _row(f: Any) -> dict[str, Any]:
    carries = f.capabilities()
    return {
        "name": f.name, "title": f.title, "aliases": list(f.aliases), "reads": f.read is not None,
        "writes": f.write is not None, "read_options": list(f.read_options), "write_options": list(f.write_options),
        "kinds": sorted(carries.variants), "converts": carries.conversions, "fields": sorted(carries.fields),
    }  # fmt: skip


def _format(args: argparse.Namespace) -> int:
    from maskcodec import registry
    from maskcodec.formats._options import described

    f = registry.get_format(args.name)
    if args.json:
        print_json(_row(f))
        return 0
    row = _row(f)
    say(f"{f.name}: {f.title}", f"specification: {f.spec or 'see the documentation'}")
    for title, values in (("also called", row["aliases"]), ("keeps", row["kinds"]), ("fields", row["fields"])):
        if values:
            say(f"{title}: {', '.join(values).replace('_', ' ') if title == 'keeps' else ', '.join(values)}")
    say(*(f"turns {a.replace('_', ' ')} into {b}" for a, b in row["converts"].items()))
    for title, function, known in (("reading", f.read, f.read_options), ("writing", f.write, f.write_options)):
        for name, parameter in known.items():
            words = described(function, name).replace("``", "") if function is not None else ""
            say(f"option of {title}: {name}={parameter.default!r}", *([f"    {words}"] if words else []))
    return 0


def validate(args: argparse.Namespace) -> int:
    """All problems."""
    from maskcodec.ops import validate as find

    problems = find(args.src, args.format, media=args.media, **options(args.option))
    counts = Counter(problem.severity for problem in problems)
    bad = counts["error"] + (counts["warning"] if args.strict else 0)
    if args.json:
        rows = [problem.to_json() for problem in problems]
        print_json({"valid": not bad, "errors": counts["error"], "warnings": counts["warning"], "problems": rows})
    else:
        say(*map(str, problems), f"{counts['error']} errors, {counts['warning']} warnings")
    return 1 if bad else 0


def stats(args: argparse.Namespace) -> int:
    """Distributions."""
    from maskcodec.ops import statistics

    dataset = read(args)
    found = statistics(dataset)
    if args.plots:
        from maskcodec.pictures import plots

        plots(found).save(args.plots)
        found["plots"] = args.plots
    if args.json:
        print_json({**found, "unread": dataset.report.to_json()})
        return 0
    say(f"{found['format']}: {found['items']} items, {found['annotations']} annotations")
    for title in ("subsets", "kinds", "categories", "flags", "sizes"):
        if found[title]:
            say(f"{title}:", *(f"  {name}: {count}" for name, count in found[title].items()))
    counts = [(int(number), count) for number, count in found["per_item"].items()]
    if counts:
        mean = found["annotations"] / max(found["items"], 1)
        low, high = min(n for n, _ in counts), max(n for n, _ in counts)
        say(f"annotations an item: {low} to {high}, {mean:.1f} on average")
    for title in ("areas", "widths", "heights"):
        edges = found[title]["edges"]
        if edges:
            say(f"{title}: {edges[0]:g} to {edges[-1]:g} px")
    for name, values in found["attributes"].items():
        say(f"attribute {name}: " + ", ".join(f"{value} {count}" for value, count in list(values.items())[:8]))
    if len(dataset.report):
        say(unread(dataset.report))
    if args.plots:
        say(f"drawn: {args.plots}")
    return 0


def show(args: argparse.Namespace) -> int:
    """Draw an item, or a sheet of several."""
    from maskcodec.pictures import contact_sheet, draw

    dataset = read(args)
    stem = os.path.basename(os.path.abspath(args.src)).partition(".")[0] or "items"
    target = args.output or f"{stem if args.item is None else os.path.basename(args.item).partition('.')[0]}.png"
    if os.path.exists(target) and not args.overwrite:
        raise FileExistsError(17, "the picture exists (overwrite=True replaces it)", target)
    if args.item is None:
        picture = contact_sheet(dataset, n=args.n, seed=args.seed, labels=args.labels)
    else:
        picture = draw(_item(dataset, args.item), dataset, width=args.width, labels=not args.no_labels)
    picture.save(target)
    if args.json:
        width, height = picture.size
        print_json({"picture": target, "width": width, "height": height, "notes": list(picture.notes)})
    else:
        say(target, *(f"  {note}" for note in picture.notes))
    return 0


def _item(dataset: Any, name: str) -> Any:
    names: list[str] = []
    for item in dataset.items:
        own = (str(item.id), item.path or "", f"{item.subset}/{item.id}", (item.path or "").rpartition("/")[2])
        if name in own:
            return item
        names.append(item.path or str(item.id))
    import difflib

    near = difflib.get_close_matches(name, names, 1, 0.3)
    raise ValueError(f"no item {name!r}" + (f", did you mean {near[0]!r}?" if near else f" among {len(names)}"))


def diff(args: argparse.Namespace) -> int:
    """Compare two data sets."""
    from maskcodec import registry
    from maskcodec.ops import compare

    a = registry.read(args.a, args.from_a, on_error=args.on_error, on_loss="ignore")
    b = registry.read(args.b, args.from_b, on_error=args.on_error, on_loss="ignore")
    found = compare(
        a, b, tolerance=args.tolerance, pixels=args.pixels, shapes=not args.pixels_only, fields=not args.geometry_only
    )
    drawn = _differences(args, a, b, found) if args.pictures else []
    if args.json:
        print_json({**found.to_json(), "pictures": drawn} if args.pictures else found.to_json())
    else:
        say(str(found), *(f"drawn: {name}" for name in drawn))
    return 1 if found else 0


def _differences(args: argparse.Namespace, a: Any, b: Any, found: Any) -> list[str]:
    from maskcodec.ops.compare import matched
    from maskcodec.pictures import difference

    wanted = {change.item for change in found.changes}
    os.makedirs(args.pictures, exist_ok=True)
    drawn: list[str] = []
    for name, one, two in matched(a, b):
        if name in wanted and len(drawn) < 200:
            target = os.path.join(args.pictures, name.replace("/", "_").partition(".")[0] + ".png")
            difference(one, two, a, b).save(target)
            drawn.append(target)
    return drawn


def completion(args: argparse.Namespace) -> int:
    """Print a completion script."""
    from maskcodec.cli._completion import script

    say(script(args.shell))
    return 0


VERBS = {
    "detect": detect, "info": info, "formats": formats, "validate": validate, "stats": stats, "show": show,
    "diff": diff, "completion": completion,
}  # fmt: skip
