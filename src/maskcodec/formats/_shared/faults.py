"""Where readers of items say what is wrong: once, however often an item is read."""

from __future__ import annotations

from typing import Any

from maskcodec.errors import FormatError
from maskcodec.formats._shared.source import Source

__all__ = ["Faults"]


class Faults:
    """Base of readers.

    Attributes:
        source: decides whether a fault is raised or entered in the report.
        record: what the format calls an annotation, for the report; None: by its kind.
        quiet: the item at hand was read before, and its faults were entered then.
    """

    source: Source
    record: str | None = None
    quiet: bool = False

    @property
    def lenient(self) -> bool:
        """Whether faults are entered in the report."""
        return self.source.on_error == "skip"

    def problem(self, error: FormatError, item: Any = None, annotation: Any = None) -> None:
        """Raise an error, or enter it in the report."""
        if not (self.quiet and self.lenient):
            self.source.problem(error, item, annotation, what=self.record if annotation is not None else None)

    def note(self, item: Any, annotation: Any, field: str, text: str, what: str | None = None) -> None:
        """Enter something odd that is kept."""
        if not self.quiet:
            if what is None and annotation is not None:
                what = self.record
            self.source.report.approximate(item, annotation, field, text, what=what)

    def left_out(self, item: Any, annotation: Any, field: str, text: str, what: str | None = None) -> None:
        """Enter something that is not read, though it is no fault of the file."""
        if not self.quiet:
            self.source.report.unread(item, annotation, field, text, what=what)
