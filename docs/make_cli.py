"""The verbs of the command line with their options as a page, from the parser itself."""

from __future__ import annotations

import argparse
from pathlib import Path

from maskcodec.cli._parser import parser


def verbs() -> dict[str, argparse.ArgumentParser]:
    """Name -> parser of the verb."""
    found = next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction))
    return dict(found.choices)


def option(action: argparse.Action) -> str:
    """One row: how it is written, and what it does."""
    names = ", ".join(f"`{name}`" for name in action.option_strings) or f"`{action.metavar or action.dest}`"
    value = action.metavar if isinstance(action.metavar, str) else None
    if action.option_strings and action.nargs != 0:
        if value is None:
            value = "{" + ",".join(map(str, action.choices)) + "}" if action.choices else action.dest.upper()
        names += f" `{value}`"
    words = (action.help or "").replace("%%", "%")
    if action.choices and action.option_strings and value and not value.startswith("{") and "," not in words:
        words += f": {', '.join(map(str, action.choices))}"
    plain = not isinstance(action.default, (list, type(None), bool)) and action.default != argparse.SUPPRESS
    if plain and action.option_strings and "default" not in words:
        words += f"{' ' if words else ''}(default {action.default})"
    if action.required and action.option_strings:
        words += " (needed)"
    return f"| {names} | {words.replace('|', chr(92) + '|')} |"


def page() -> str:
    """All verbs."""
    top = parser()
    short = {a.dest: a.help for group in top._subparsers._group_actions for a in group._choices_actions}  # type: ignore[union-attr]
    lines = ["# Verbs and their options", ""]
    for name, made in verbs().items():
        words = made.description or f"{(short[name] or '')[:1].upper()}{(short[name] or '')[1:]}."
        shape = {"?": "[{}]", "+": "{} ..."}
        plain = [a for a in made._actions if not a.option_strings]
        places = " ".join(shape.get(str(a.nargs), "{}").format(a.metavar or a.dest) for a in plain)
        lines += [f"## {name}", "", words, "", "```text", f"maskcodec {name} {places} [options]", "```", ""]
        rows = [option(a) for a in made._actions if not isinstance(a, argparse._HelpAction)]
        lines += ["| | |", "| --- | --- |", *rows, ""]
    return "\n".join(lines)


if __name__ == "__main__":
    folder = Path(__file__).parent / "generated"
    folder.mkdir(exist_ok=True)
    (folder / "verbs.md").write_text(page(), "utf-8")
