"""The errors of this package: few classes, each also a builtin, each saying where.

Policy: a wrong argument type is a ``TypeError``, a wrong argument value a ``ValueError``, a file system failure an
``OSError``. Classes of our own exist only where a caller can act on the difference or needs the place of the fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from maskcodec.model.losses import LossReport

__all__ = [
    "AmbiguousFormatError",
    "DecodeError",
    "Error",
    "FormatError",
    "LossError",
    "LossWarning",
    "UnknownFormatError",
    "shorten",
]


def shorten(value: object, limit: int = 80) -> str:
    """Return the ``repr`` of a bad value, cut to ``limit`` characters, for use in a message."""
    if isinstance(value, (str, bytes)) and len(value) > limit:
        value = value[: limit + 1]  # the repr of a 240 kB line is never built
    try:
        text = repr(value)
    except RecursionError:
        text = f"<deeply nested {type(value).__name__}>"
    return text if len(text) <= limit else text[: limit - 3] + "..."


class Error(Exception):
    """Base of every error that this package defines."""


class DecodeError(Error, ValueError):
    """Encoded mask data that breaks its grammar.

    Attributes:
        offset: position (character or list element) where that was seen, None where there is no single position.
    """

    def __init__(self, message: str = "", offset: int | None = None) -> None:
        super().__init__(message)
        self.offset = offset

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self.args, self.offset)


class FormatError(Error, ValueError):
    """A file that breaks the rules of its format.

    Attributes:
        file: name of the file, with the path inside its archive; "" when unknown.
        record: the record in the file, as ``annotations[0] (id 1)`` or ``line 7``; "" for the file as a whole.
        field: the field of the record; "" for the record as a whole.
        message: what was expected and what was found.
        fatal: a lenient reader does not go on either.

    Example:
        >>> str(FormatError("expected 4 numbers, got 3", file="a.json", record="annotations[0] (id 1)", field="bbox"))
        'a.json: annotations[0] (id 1): bbox: expected 4 numbers, got 3'
    """

    def __init__(
        self, message: str, *, file: str = "", record: str = "", field: str = "", fatal: bool = False
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fatal = fatal
        self.file = file
        self.record = record
        self.field = field

    @property
    def path(self) -> str:
        """The file, as named in the message."""
        return self.file

    @property
    def where(self) -> str:
        """Record and field, as named in the message."""
        return ": ".join(part for part in (self.record, self.field) if part)

    def __str__(self) -> str:
        return ": ".join(part for part in (self.file, self.record, self.field, self.message) if part)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, self.__dict__


class UnknownFormatError(FormatError):
    """No format recognises the data, or the name is not registered.

    Attributes:
        candidates: format name -> reason why it is not that format; or near names for a name that is unknown.
    """

    def __init__(self, message: str, *, file: str = "", candidates: dict[str, str] | None = None) -> None:
        super().__init__(message, file=file)
        self.candidates = dict(candidates or {})


class AmbiguousFormatError(FormatError):
    """Several formats recognise the data equally well; name one.

    Attributes:
        candidates: format name -> reason why it fits.
    """

    def __init__(self, message: str, *, file: str = "", candidates: dict[str, str] | None = None) -> None:
        super().__init__(message, file=file)
        self.candidates = dict(candidates or {})


class LossError(Error):
    """Something would be lost and the caller asked for an error in that case.

    Attributes:
        report: what was lost up to the point of stopping.
    """

    def __init__(self, message: str, report: LossReport | None = None) -> None:
        super().__init__(message)
        self.report = report

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self.args, self.report)


class LossWarning(UserWarning):
    """Something was lost in reading or writing; the report that was returned says what."""
