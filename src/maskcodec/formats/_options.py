"""What options of readers and writers mean, out of their docstrings: for the command line and the pages of formats."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from typing import Any

__all__ = ["described"]


def arguments(function: Callable[..., Any] | None) -> dict[str, str]:
    """Texts of the arguments in a docstring of Google's style."""
    found: dict[str, str] = {}
    section = re.search(r"^Args:[^\n]*\n(.*?)(?=^\S|\Z)", inspect.getdoc(function) or "", re.DOTALL | re.MULTILINE)
    if section is None:
        return found
    heads: list[str] = []
    for line in section[1].split("\n"):
        head = re.match(r"    (\w+(?:, \w+)*): (.*)", line)
        if head:
            heads = head[1].split(", ")
            found.update(dict.fromkeys(heads, head[2]))
        elif line.strip():
            for name in heads:
                found[name] += " " + line.strip()
    return found


def described(function: Callable[..., Any], name: str) -> str:
    """The text of an option: of the function, else of one that it hands the option on to."""
    module = sys.modules[function.__module__]
    package = module.__package__ if module.__package__ != "maskcodec.formats" else module.__name__
    rooms = [module, *(room for key, room in sorted(sys.modules.items()) if key.startswith(f"{package}."))]
    others: list[Any] = [value for room in rooms for value in vars(room).values() if inspect.isfunction(value)]
    for one in (function, *others):
        words = arguments(one).get(name, "")
        if words and not words.startswith("see "):
            return words
    return ""
