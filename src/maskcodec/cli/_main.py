"""From arguments to an exit code; no error leaves as a traceback."""

from __future__ import annotations

import difflib
import json
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from maskcodec.cli import _change, _convert, _look
from maskcodec.cli._parser import Usage, parser
from maskcodec.errors import FormatError, LossError, LossWarning

__all__ = ["main"]

_VERBS = {**_convert.VERBS, **_look.VERBS, **_change.VERBS}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        argv: arguments without the program's name; None: those of the process.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in given
    try:
        args = parser().parse_args(given)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LossWarning)
            return _VERBS[args.command](args)
    except Usage as error:
        return _fail(error, 2, as_json, f"{error}\n{error.usage}" if not as_json else "")
    except LossError as error:
        return _fail(error, 1, as_json)
    except BrokenPipeError:
        sys.stderr.close()
        return 2
    except FileNotFoundError as error:
        return _fail(error, 2, as_json, _missing(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        text = (error.strerror or str(error)).replace("overwrite=True replaces", "--overwrite replaces")
        return _fail(error, 2, as_json, f"{place}{text}")
    except (ValueError, TypeError, KeyError, MemoryError, ImportError, RuntimeError) as error:
        text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
        return _fail(error, 2, as_json, text or type(error).__name__)
    except KeyboardInterrupt:
        sys.stderr.write("maskcodec: interrupted, nothing was written\n")
        return 130


def _fail(error: BaseException, code: int, as_json: bool, text: str = "") -> int:
    text = text or str(error)
    if as_json:
        found: dict[str, Any] = {"type": type(error).__name__, "message": text}
        if isinstance(error, FormatError):
            found |= {key: getattr(error, key) for key in ("file", "record", "field") if getattr(error, key)}
            candidates = getattr(error, "candidates", None)
            found |= {"candidates": candidates} if candidates else {}
        if isinstance(error, LossError) and error.report is not None:
            found["losses"] = error.report.to_json()
        sys.stdout.write(json.dumps({"error": found}) + "\n")
    else:
        sys.stderr.write(f"maskcodec: {text}\n")
    return code


def _missing(error: FileNotFoundError) -> str:
    """What is not there, and what lies beside it under a name like that."""
    name = os.fspath(error.filename) if error.filename is not None else ""
    text = f"{name}: no such file or folder" if name else str(error)
    folder, _, base = str(name).replace(os.sep, "/").rpartition("/")
    try:
        beside = os.listdir(folder or ".")
    except OSError:
        return text
    near = difflib.get_close_matches(base, beside, 1, 0.6)
    return f"{text}, did you mean {os.path.join(folder, near[0]) if folder else near[0]}?" if near else text
