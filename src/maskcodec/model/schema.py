"""Categories, attribute definitions and tag groups: what the annotations of a data set may say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ATTRIBUTE_TYPES", "AttributeSpec", "Category", "LabelSchema", "TagGroup"]

ATTRIBUTE_TYPES = ("text", "int", "float", "bool", "select", "multiselect")


@dataclass(slots=True)
class AttributeSpec:
    """Definition of one attribute.

    Attributes:
        type: one of ``ATTRIBUTE_TYPES``.
        values: choices of ``select`` and ``multiselect``; limits or nothing for the others.
        mutable: whether the value may change along a track.
        children: definitions that exist only under this one (nested classifications).
    """

    name: str
    type: str = "text"
    values: list[Any] = field(default_factory=list)
    default: Any = None
    mutable: bool = True
    children: list[AttributeSpec] = field(default_factory=list)
    extras: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.type not in ATTRIBUTE_TYPES:
            raise ValueError(f"attribute {self.name!r}: type is one of {ATTRIBUTE_TYPES}, got {self.type!r}")


@dataclass(slots=True)
class Category:
    """One class of the schema.

    Attributes:
        id: as the file has it; unique in the schema.
        color: (r, g, b) or (r, g, b, a), 0 to 255.
        kind: "thing" (countable objects) or "stuff" (regions).
        parent: name of the category or super-category above.
        attributes: definitions that hold for annotations of this category.
        keypoints: names of the points of a skeleton, in order.
        skeleton: edges as pairs of numbers counted from 1 into ``keypoints``, in order, as the file has them.
    """

    id: int | str
    name: str
    color: tuple[int, ...] | None = None
    kind: str = "thing"
    parent: str | None = None
    attributes: list[AttributeSpec] = field(default_factory=list)
    keypoints: list[str] = field(default_factory=list)
    skeleton: list[tuple[int, int]] = field(default_factory=list)
    extras: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class TagGroup:
    """A named group of tags; ``multiple`` says whether an item may have several of them."""

    name: str
    tags: list[str] = field(default_factory=list)
    multiple: bool = True
    id: int | str | None = None
    extras: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class LabelSchema:
    """The categories (their order is their index), definitions of item attributes, tag groups.

    Example:
        >>> schema = LabelSchema([Category(7, "cat"), Category(9, "dog")])
        >>> schema.by_id(9).name, schema.by_name("cat").id, schema.index(9)
        ('dog', 7, 1)
    """

    categories: list[Category] = field(default_factory=list)
    attributes: list[AttributeSpec] = field(default_factory=list)
    tag_groups: list[TagGroup] = field(default_factory=list)
    background: int | str | None = None
    _ids: tuple[int, dict[Any, int]] | None = field(default=None, repr=False, compare=False)

    def __iter__(self) -> Iterator[Category]:
        return iter(self.categories)

    def __len__(self) -> int:
        return len(self.categories)

    def __contains__(self, category_id: object) -> bool:
        return category_id in self._table()

    def _table(self) -> dict[Any, int]:
        ids = self._ids  # once: another thread may forget the table in between
        if ids is None or ids[0] != len(self.categories):
            self._ids = ids = (len(self.categories), {c.id: i for i, c in enumerate(self.categories)})
        return ids[1]

    def index(self, category_id: int | str) -> int:
        """Position of the category with this id.

        Raises:
            KeyError: there is none.
        """
        table = self._table()
        at = table.get(category_id)
        if at is None or self.categories[at].id != category_id:
            self._ids = None  # ids were edited in place since the table was made
            at = self._table()[category_id]
        return at

    def by_id(self, category_id: int | str) -> Category:
        """The category with this id; KeyError when there is none."""
        return self.categories[self.index(category_id)]

    def by_name(self, name: str) -> Category:
        """The first category of this name; KeyError when there is none."""
        for category in self.categories:
            if category.name == name:
                return category
        raise KeyError(name)
