"""Names and ids of millions of images in a few bytes each, where Python objects would take hundreds."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from maskcodec.formats.coco.tasks import stem
from maskcodec.model.dataset import Item
from maskcodec.model.losses import item_name

__all__ = ["Column", "Named", "Places", "Texts", "all_different"]


class Texts(Sequence[str]):
    """A list of texts, 8 bytes each beside the text itself."""

    def __init__(self) -> None:
        self._text = bytearray()
        self._ends = array("q", [0])

    def append(self, text: str) -> None:
        self._text += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._text))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        return self._text[self._ends[at] : self._ends[at + 1]].decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        return (self[at] for at in range(len(self)))


def all_different(texts: Iterable[str], count: int) -> bool:
    """Whether no two texts are the same for sure; equal hashes of different texts count as the same."""
    hashes = np.fromiter(map(hash, texts), dtype=np.int64, count=count)
    hashes.sort()
    return not bool((hashes[1:] == hashes[:-1]).any())


class Column:
    """A growing column of integers: 4 bytes each, or 8 once one needs them."""

    def __init__(self) -> None:
        self._values = array("i")

    def append(self, value: int) -> None:
        try:
            self._values.append(value)
        except OverflowError:
            self._values = array("q", self._values)
            self._values.append(value)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def array(self) -> npt.NDArray[Any]:
        """The integers; nothing may be appended while this is in use."""
        return np.frombuffer(self._values, dtype=np.dtype(f"i{self._values.itemsize}"))


def _is_small(number: Any) -> bool:
    return type(number) is int and -(2**63) <= number < 2**63


class Places:
    """Positions of ids in a list of different ids; integers of 64 bits take 8 to 16 bytes each, others a dict.

    Args:
        ids: in the order of the positions.
    """

    def __init__(self, ids: Sequence[Any]) -> None:
        self._count = len(ids)
        self._others: dict[Any, int] | None = None
        self._ids = self._order = np.empty(0, dtype=np.int64)
        if all(_is_small(number) for number in ids):
            self._ids = np.array(ids, dtype=np.int64)
            self._order = np.argsort(self._ids, kind="stable").astype(np.int32 if len(ids) < 2**31 else np.int64)
            self._ids = self._ids[self._order]
        else:
            self._others = {number: at for at, number in enumerate(ids)}

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Any]:
        """The ids, in the order of their positions."""
        if self._others is not None:
            return iter(self._others)
        ids = np.empty_like(self._ids)
        ids[self._order] = self._ids
        return iter(ids.tolist())

    def get(self, number: Any) -> int | None:
        """Position of an id, None where it is not in the list."""
        if self._others is not None:
            return self._others.get(number)
        if not _is_small(number):
            return None
        at = int(self.find([number])[0])
        return at if at >= 0 else None

    def __getitem__(self, number: Any) -> int:
        at = self.get(number)
        if at is None:
            raise KeyError(number)
        return at

    def find(self, numbers: Sequence[int]) -> npt.NDArray[np.int64]:
        """Positions of many integers, -1 where one is not in the list."""
        if self._others is not None:
            return np.array([self._others.get(number, -1) for number in numbers], dtype=np.int64)
        wanted = np.array(numbers, dtype=np.int64)
        if not self._count:
            return np.full(len(wanted), -1, dtype=np.int64)
        at = np.minimum(np.searchsorted(self._ids, wanted), self._count - 1)
        return np.where(self._ids[at] == wanted, self._order[at], -1).astype(np.int64)


class Named:
    """File names, numbers and ids of the items of one subset as they are written.

    Args:
        subset: its name.
    """

    def __init__(self, subset: str) -> None:
        self._prefix = f"{subset}/" if subset != "default" else ""
        self._names, self._numbers = Texts(), array("q")
        self._others: dict[int, tuple[Any, str, Any]] = {}

    def add(self, name: str, number: Any, item: Item) -> None:
        if type(number) is not int or item.id != stem(name):
            self._others[len(self._names)] = (number, item_name(item), item.id)
            number = 0
        self._names.append(name)
        self._numbers.append(number)

    def renamed(self) -> Iterator[str]:
        """Names, for the report, of the items whose id is not what a reader makes of the file names."""
        if not self._others and all_different(map(stem, self._names), len(self._names)):
            return
        found: dict[str, list[tuple[str, Any, str, Any]]] = {}
        for at, name in enumerate(self._names):
            base = stem(name)
            number, shown, item_id = self._others.get(at, (self._numbers[at], self._prefix + base, base))
            found.setdefault(base, []).append((name, number, shown, item_id))
        for base, alike in found.items():
            names = [name for name, _, _, _ in alike]
            for name, number, shown, item_id in alike:
                expected = base if len(alike) == 1 else name if names.count(name) == 1 else f"{name}#{number}"
                if item_id != expected:
                    yield shown
