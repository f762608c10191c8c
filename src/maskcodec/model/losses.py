"""What could not be kept, counted: no writer or reader drops anything without an entry here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from dataclasses import field as member
from typing import TYPE_CHECKING, Any

from maskcodec.errors import LossError

if TYPE_CHECKING:
    from maskcodec.model.annotations import Annotation
    from maskcodec.model.dataset import Item

__all__ = ["ACTIONS", "Loss", "LossReport"]

ACTIONS = ("dropped", "approximated", "renamed", "defaulted", "unread")
MAX_EXAMPLES = 5


@dataclass(slots=True)
class Loss:
    """One thing that was not kept as it was.

    Attributes:
        action: dropped (gone), approximated (kept in another form), renamed (kept under another name or number),
            defaulted (the format wants a value that the data has not), unread (the reader had to skip it).
        what: kind of thing: an annotation kind such as ``rotated_box``, ``item``, ``category``, ``dataset``...
        field: the field of it; "" for the whole.
        reason: why, in words.
        count: how often.
        examples: at most five ``(item, annotation)`` names; "" where there is none.
    """

    action: str
    what: str
    field: str
    reason: str
    count: int = 1
    examples: list[tuple[str, str]] = member(default_factory=list)

    def __str__(self) -> str:
        subject = f"{self.what}.{self.field}" if self.field else self.what
        names = [": ".join(n for n in example if n) for example in self.examples]
        shown = f" (e.g. {', '.join(names[:2])})" if any(names) else ""
        return f"{self.action} {self.count} x {subject}: {self.reason}{shown}"


class LossReport:
    """Losses in first-seen order; equal ones are merged, so a million items stay small.

    Args:
        stop: raise ``LossError`` at the first loss.

    Example:
        >>> report = LossReport()
        >>> report.drop(None, None, "info.year", "the format has no such key")
        >>> print(report)
        1 loss
          dropped 1 x dataset.info.year: the format has no such key
    """

    def __init__(self, *, stop: bool = False) -> None:
        self._losses: dict[tuple[str, str, str, str], Loss] = {}
        self.stop = stop

    def add(
        self,
        action: str,
        item: Item | str | None,
        annotation: Annotation | str | None,
        field: str,
        reason: str,
        *,
        what: str | None = None,
        count: int = 1,
    ) -> None:
        """Enter a loss.

        Args:
            action: one of ``ACTIONS``.
            item: the item, or a name for it; None when it is about the data set.
            annotation: the annotation, or a name for it; None when it is about the item.
            field: field concerned; "" for the whole thing.
            reason: why; keep numbers and names out of it, so that equal losses merge.
            what: kind of thing; by default from the arguments.
            count: how many at once.

        Raises:
            LossError: the report was made to stop at the first loss.
        """
        if action not in ACTIONS:
            raise ValueError(f"action is one of {ACTIONS}, got {action!r}")
        if what is None:
            if annotation is not None:
                what = annotation if isinstance(annotation, str) else annotation.variant
            else:
                what = "dataset" if item is None else "item"
        key = (action, what, field, reason)
        loss = self._losses.get(key)
        if loss is None:
            loss = self._losses[key] = Loss(action, what, field, reason, 0)
        loss.count += count
        if len(loss.examples) < MAX_EXAMPLES and (item is not None or annotation is not None):
            example = (item_name(item), _annotation_name(annotation))
            if example not in loss.examples:
                loss.examples.append(example)
        if self.stop:
            raise LossError(f"stopped at the first loss: {loss}", self)

    def drop(self, item: Any, annotation: Any, field: str, reason: str, **more: Any) -> None:
        """Enter that something is gone; arguments as of ``add``."""
        self.add("dropped", item, annotation, field, reason, **more)

    def approximate(self, item: Any, annotation: Any, field: str, reason: str, **more: Any) -> None:
        """Enter that something is kept in another form; arguments as of ``add``."""
        self.add("approximated", item, annotation, field, reason, **more)

    def rename(self, item: Any, annotation: Any, field: str, reason: str, **more: Any) -> None:
        """Enter that something is kept under another name or number; arguments as of ``add``."""
        self.add("renamed", item, annotation, field, reason, **more)

    def default(self, item: Any, annotation: Any, field: str, reason: str, **more: Any) -> None:
        """Enter that a value had to be invented; arguments as of ``add``."""
        self.add("defaulted", item, annotation, field, reason, **more)

    def unread(self, item: Any, annotation: Any, field: str, reason: str, **more: Any) -> None:
        """Enter that a reader had to skip something; arguments as of ``add``."""
        self.add("unread", item, annotation, field, reason, **more)

    def merge(self, other: LossReport) -> LossReport:
        """Add the losses of another report to this one and return it."""
        for key, loss in other._losses.items():
            mine = self._losses.get(key)
            if mine is None:
                self._losses[key] = Loss(*key, loss.count, list(loss.examples))
            else:
                mine.count += loss.count
                more = [e for e in loss.examples if e not in mine.examples]
                mine.examples = (mine.examples + more)[:MAX_EXAMPLES]
        return self

    def since(self, before: LossReport) -> LossReport:
        """What was entered after the state ``before`` of the same report."""
        later = LossReport()
        for key, loss in self._losses.items():
            known = before._losses.get(key)
            count, shown = (known.count, len(known.examples)) if known is not None else (0, 0)
            if loss.count > count:
                later._losses[key] = Loss(*key, loss.count - count, list(loss.examples[shown:]))
        return later

    @classmethod
    def from_json(cls, rows: list[dict[str, Any]]) -> LossReport:
        """The report that ``to_json`` gave."""
        report = cls()
        for row in rows:
            key = (row["action"], row["what"], row["field"], row["reason"])
            report._losses[key] = Loss(*key, row["count"], [(item, name) for item, name in row["examples"]])
        return report

    @property
    def losses(self) -> list[Loss]:
        """The entries, in first-seen order."""
        return list(self._losses.values())

    @property
    def total(self) -> int:
        """Sum of the counts."""
        return sum(loss.count for loss in self._losses.values())

    def __iter__(self) -> Iterator[Loss]:
        return iter(self.losses)

    def __len__(self) -> int:
        return len(self._losses)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LossReport) and self._losses == other._losses

    __hash__ = None  # type: ignore[assignment]

    def to_json(self) -> list[dict[str, Any]]:
        """The entries as plain dicts, ready for a JSON encoder."""
        return [asdict(loss) for loss in self._losses.values()]

    def __str__(self) -> str:
        if not self._losses:
            return "nothing was lost"
        head = "1 loss" if self.total == 1 else f"{self.total} losses"
        return "\n".join([head, *(f"  {loss}" for loss in self._losses.values())])

    def __repr__(self) -> str:
        return f"<LossReport: {len(self)} entries, {self.total} in all>"


def item_name(item: Item | str | None) -> str:
    """Name of an item in a report."""
    if item is None or isinstance(item, str):
        return item or ""
    return f"{item.subset}/{item.id}" if item.subset != "default" else str(item.id)


def _annotation_name(annotation: Annotation | str | None) -> str:
    if annotation is None or isinstance(annotation, str):
        return annotation or ""
    return f"id {annotation.id}" if annotation.id is not None else annotation.variant
