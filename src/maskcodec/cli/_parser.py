"""The arguments of every verb."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Callable
from typing import Any, NoReturn

from maskcodec import __version__

__all__ = ["MEDIA", "Usage", "parser"]

MEDIA = ("leave", "copy", "move", "hardlink", "symlink", "list", "none")


class Usage(Exception):
    """Arguments that make no sense."""

    def __init__(self, message: str, usage: str) -> None:
        super().__init__(message)
        self.usage = usage.strip()


class _Parser(argparse.ArgumentParser):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        more = f"\n{self.prog} --help says more" if "required: command" in message else ""
        raise Usage(message + self._hint(message), self.format_usage() + more)

    def _hint(self, message: str) -> str:
        """The nearest name that there is."""
        if message.startswith("unrecognized arguments: "):
            word = message.partition(": ")[2].split()[0].partition("=")[0]
            names = [name for action in self._actions for name in action.option_strings]
        elif "invalid choice: " in message:
            word = message.partition("invalid choice: ")[2].split("'")[1]
            names = [str(choice) for action in self._actions for choice in action.choices or ()]
        else:
            return ""
        near = difflib.get_close_matches(word, names, 1, 0.5)
        return f" (did you mean {near[0]}?)" if near else ""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        found, rest = super().parse_known_args(args, namespace)
        if rest:  # said by the verb that does not know them, not by the program
            self.error(f"unrecognized arguments: {' '.join(rest)}")
        return found, rest


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    top = _Parser(
        prog="maskcodec",
        description="Convert, check, compare and look at annotation data sets; nothing is lost silently.",
        epilog="Exit codes: 0 done; 1 the answer is no (losses under --on-loss raise, differences, problems); 2 an "
        "error; 130 interrupted.",
    )
    top.add_argument("--version", action="version", version=f"maskcodec {__version__}")
    verbs = top.add_subparsers(dest="command", required=True, metavar="command")

    def verb(name: str, text: str, *parts: Callable[[argparse.ArgumentParser], None]) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        for part in parts:
            part(made)
        made.add_argument("--json", action="store_true", help="print JSON; errors too")
        made.add_argument("-q", "--quiet", action="store_true", help="no progress, results alone")
        return made

    convert = verb("convert", "convert a data set into another format", _source, _target, _reading)
    convert.add_argument("-j", "--jobs", type=_positive, default=1, metavar="N", help="worker processes (default 1)")
    convert.add_argument("--verify", action="store_true", help="read the output again and compare it with the input")
    _tolerances(convert)

    verb("detect", "tell the format of a data set", _source)
    verb("info", "count what a data set holds", _source, _reading)
    listing = verb("formats", "list the formats, or say what one of them keeps")
    listing.add_argument("name", nargs="?", help="name of a format")
    check = verb("validate", "find all problems of a data set in one pass", _source, _options)
    check.add_argument("--media", action="store_true", help="look at the image files too")
    check.add_argument("--strict", action="store_true", help="warnings count as errors")
    stats = verb("stats", "count and measure a data set", _source, _reading)
    stats.add_argument("--plots", metavar="PNG", help="draw the distributions into a picture")
    show = verb("show", "draw items into a picture", _source, _reading)
    show.add_argument("-O", "--output", metavar="PNG", help="what to write (default: <name>.png here)")
    show.add_argument("--item", metavar="NAME", help="one item by its id or path; else a sheet of several")
    show.add_argument("-n", type=_positive, default=16, metavar="N", help="items on the sheet (default 16)")
    show.add_argument("--seed", type=int, help="choose the items of the sheet at random")
    show.add_argument("--width", type=_positive, metavar="PIXELS", help="width of the picture of one item")
    show.add_argument("--labels", action="store_true", help="labels beside the shapes of a sheet")
    show.add_argument("--no-labels", action="store_true", help="no labels beside the shapes of one item")
    show.add_argument("--overwrite", action="store_true", help="replace the picture")
    diff = verb("diff", "compare two data sets of any formats, to the pixel and the coordinate")
    diff.add_argument("a", help="data set")
    diff.add_argument("b", help="data set")
    diff.add_argument("--from-a", metavar="FORMAT", help="format of the first (default: by content)")
    diff.add_argument("--from-b", metavar="FORMAT", help="format of the second (default: by content)")
    diff.add_argument("--pixels-only", action="store_true", help="areas by their pixels, whatever shape they are")
    diff.add_argument("--geometry-only", action="store_true", help="leave attributes and flags out")
    diff.add_argument("--pictures", metavar="FOLDER", help="draw the items that differ")
    _tolerances(diff)
    _lenient(diff)

    merge = verbs.add_parser("merge", help="put data sets together; categories are joined by name",
                             description="Put data sets together; categories are joined by name.")  # fmt: skip
    merge.add_argument("sources", nargs="+", metavar="src", help="folders, zips or files to read")
    for part in (_target, _reading):
        part(merge)
    merge.add_argument("--json", action="store_true", help="print JSON; errors too")
    merge.add_argument("-q", "--quiet", action="store_true", help="no progress, results alone")
    split = verb("split", "divide the items among subsets", _source, _target, _reading)
    split.add_argument("--parts", required=True, metavar="NAME=SHARE,...", help="for instance train=0.8,val=0.2")
    split.add_argument("--seed", type=int, default=0)
    split.add_argument("--by", choices=("item", "sequence"), default="item", help="keep sequences together")
    split.add_argument("--stratify", action="store_true", help="keep the shares within each category")
    keep = verb("filter", "keep the annotations and items that fulfil conditions", _source, _target, _reading)
    many: dict[str, Any] = {"action": "append", "default": []}
    keep.add_argument("--category", metavar="NAME", help="keep this category (repeatable)", **many)
    keep.add_argument("--without", metavar="NAME", help="leave this category out (repeatable)", **many)
    keep.add_argument("--kind", metavar="KIND", help="keep this kind, as info names it (repeatable)", **many)
    keep.add_argument("--subset", metavar="NAME", help="keep this subset (repeatable)", **many)
    keep.add_argument("--item", metavar="PATTERN", help="keep items whose path or id match (repeatable)", **many)
    keep.add_argument("--attribute", metavar="NAME=VALUE", help="keep annotations with this value (repeatable)", **many)
    keep.add_argument("--min-area", type=float, metavar="PX", help="square pixels")
    keep.add_argument("--max-area", type=float, metavar="PX", help="square pixels")
    keep.add_argument("--min-score", type=float)
    keep.add_argument("--crowd", choices=("yes", "no"), help="crowds alone, or none")
    keep.add_argument("--no-empty", action="store_true", help="leave out items of which nothing is left")
    remap = verb("remap", "rename, join and leave out categories", _source, _target, _reading)
    remap.add_argument("--map", metavar="OLD=NEW", help="rename or join (repeatable)", **many)
    remap.add_argument("--drop", metavar="NAME", help="leave out a category with its annotations (repeatable)", **many)
    remap.add_argument("--file", metavar="JSON", help="an object: old name -> new name or null")
    remap.add_argument("--drop-others", action="store_true", help="leave out all that are not named")
    sample = verb("sample", "choose items at random", _source, _target, _reading)
    sample.add_argument("--size", required=True, metavar="N", help="a number of items (100) or a part (0.1, 10%%)")
    sample.add_argument("--seed", type=int, default=0)

    completion = verbs.add_parser("completion", help="print a completion script for a shell")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"))
    return top


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {text}")
    return value


def _source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("src", help="folder, zip or file to read")


def _lenient(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--on-error", choices=("raise", "skip"), default="raise", help="skip and report bad records")


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--from", dest="format", metavar="FORMAT", help="format to read (default: by content)")
    parser.add_argument(
        "-o", "--option", action="append", default=[], metavar="KEY=VALUE", help="option of the reader or writer"
    )


def _reading(parser: argparse.ArgumentParser) -> None:
    _lenient(parser)
    _options(parser)


def _target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dst", help="what to write: a folder, a .zip, or a file where the format is one")
    needed = parser.prog.endswith(" convert")
    text = "format to write" + ("" if needed else " (default: that of the source)")
    parser.add_argument("--to", required=needed, metavar="FORMAT", help=text)
    parser.add_argument("--on-loss", choices=("warn", "raise", "ignore"), default="warn", help="what a loss does")
    parser.add_argument(
        "--media", choices=(*MEDIA, "reference"), default="leave", metavar="HOW",
        help=f"what becomes of the images: {', '.join(MEDIA)} (default leave)",
    )  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace the target, a folder with all that is in it")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be lost")


def _tolerances(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tolerance", type=float, default=1e-6, metavar="PX", help="of coordinates (default 1e-6)")
    parser.add_argument("--pixels", type=int, default=0, metavar="N", help="of masks (default 0)")
