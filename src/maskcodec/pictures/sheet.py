"""``contact_sheet``: many items of a data set at a glance."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

from maskcodec.errors import FormatError
from maskcodec.model.dataset import Dataset, Item
from maskcodec.model.losses import item_name
from maskcodec.model.schema import LabelSchema
from maskcodec.pictures import _pillow as pillow
from maskcodec.pictures.canvas import Canvas, Picture
from maskcodec.pictures.drawing import draw
from maskcodec.pictures.legend import INK, PAPER, QUIET, Entry, below
from maskcodec.pictures.palette import Colors

__all__ = ["contact_sheet"]

_BACK, _FAULT, _GAP = (236, 237, 240), (170, 20, 20), 10


def contact_sheet(
    dataset: Dataset,
    n: int = 16,
    seed: int | None = None,
    columns: int | None = None,
    cell: int = 320,
    *,
    subset: str | None = None,
    schema: LabelSchema | None = None,
    images: bool = True,
    labels: bool = False,
    alpha: float = 0.45,
    kinds: Iterable[str] | None = None,
    colors: str = "category",
    font: str | None = None,
) -> Picture:
    """Draw some items of a data set side by side, with their names, subsets and numbers of annotations.

    An item that cannot be drawn has its reason in its place; the sheet comes about all the same.

    Args:
        dataset: as ``read`` returns it.
        n: how many items, at most.
        seed: choose at random, the same for the same seed; None: spread evenly over the data set.
        columns: how many side by side; by default so many that the sheet is a little wider than high.
        cell: width of a cell in pixels, from 80.
        subset: only items of this subset.
        schema: instead of the data set's.
        images: open the images; False: only the annotations.
        labels: write labels beside the shapes; the strip below names the colours in any case.
        alpha: as in ``draw``, like kinds, colors and font.

    Raises:
        ValueError: an argument makes no sense.

    Example:
        >>> from maskcodec import Box
        >>> items = [Item(str(i), width=64, height=48, annotations=[Box(4, 4, 20, 30)]) for i in range(50)]
        >>> contact_sheet(Dataset(items=items), n=6, columns=3, cell=100).size[0]
        340
    """
    if n < 1 or cell < 80 or (columns is not None and columns < 1):
        raise ValueError(f"expected n and columns from 1 and cell from 80, got n={n}, columns={columns}, cell={cell}")
    schema = schema if schema is not None else dataset.schema
    kinds = [kinds] if isinstance(kinds, str) else None if kinds is None else list(kinds)
    chosen, total = _choice(dataset, n, seed, subset)
    across = columns or max(1, min(len(chosen), round((len(chosen) * 1.3) ** 0.5)))
    size = max(12, min(16, cell // 22))
    inner, line = round(cell * 0.75), round(size * 1.35)
    high = inner + 2 * line + 6
    rows = -(-max(len(chosen), 1) // across)
    sheet = Canvas.blank((across * (cell + _GAP) + _GAP, rows * (high + _GAP) + _GAP), PAPER)
    notes: list[str] = []
    for place, item in enumerate(chosen):
        x, y = _GAP + place % across * (cell + _GAP), _GAP + place // across * (high + _GAP)
        sheet.rectangle((x, y, x + cell, y + inner), _BACK)
        try:
            drawn = draw(
                item, dataset, image=None if images else False, schema=schema, width=_width(item, cell, inner),
                labels=labels, alpha=alpha, kinds=kinds, colors=colors, legend=False, font=font,
            )  # fmt: skip
        except (FormatError, OSError) as error:
            notes.append(f"{item_name(item)}: {error}")
            _words(sheet, str(error), (x, y, cell, inner), size, font)
        else:
            thumb = drawn.image
            notes += [f"{item_name(item)}: {note}" for note in drawn.notes]
            ratio = min(cell / thumb.width, inner / thumb.height)
            if ratio < 1:
                small = max(1, round(thumb.width * ratio)), max(1, round(thumb.height * ratio))
                thumb = pillow.fit(thumb, small)
            sheet.image.paste(thumb, (x + (cell - thumb.width) // 2, y + (inner - thumb.height) // 2))
        count = len(item.annotations)
        name = str(item.path or item.id)
        _line(sheet, name, (x, y + inner + 3, cell), size, font, INK, end=True)
        what = f"{count} annotation{'' if count == 1 else 's'}"
        text = what if item.subset == "default" else f"{item.subset}, {what}"
        _line(sheet, text, (x, y + inner + 3 + line, cell), size, font, QUIET)
    entries = _legend(chosen, schema, colors, total, kinds)
    return Picture(below(sheet.image, entries, size, font), notes)


def _choice(dataset: Dataset, n: int, seed: int | None, subset: str | None) -> tuple[list[Item], int]:
    """Items in their order, and of how many."""
    items: Any = dataset.items
    if subset is None and hasattr(items, "__len__") and hasattr(items, "__getitem__"):
        total = len(items)
        chosen = []
        for at in _positions(total, n, seed):
            try:
                chosen.append(items[at])
            except IndexError:  # a bad record that was skipped: the report of the data set says so
                total -= 1
        return chosen, total
    total = sum(1 for item in items if subset is None or item.subset == subset)
    wanted = set(_positions(total, n, seed))
    fitting = (item for item in items if subset is None or item.subset == subset)
    return [item for at, item in enumerate(fitting) if at in wanted], total


def _positions(total: int, n: int, seed: int | None) -> list[int]:
    if total <= n:
        return list(range(total))
    if seed is not None:
        return sorted(random.Random(seed).sample(range(total), n))
    return [at * total // n for at in range(n)]


def _width(item: Item, cell: int, inner: int) -> int:
    if item.media == "point_cloud" or not item.width or not item.height or min(item.width, item.height) < 0:
        return cell
    return max(1, min(cell, round(inner * item.width / item.height)))


def _line(
    sheet: Canvas, text: str, place: tuple[int, int, int], size: int, font: str | None, ink: Any, end: bool = False
) -> None:
    """One line of text in a width; what is too long loses its middle (paths: their beginning)."""
    x, y, room = place
    face, shown = pillow.font(size, font).of(text)
    if pillow.text_size(face, shown)[0] > room:
        low, high = 0, len(shown)
        while low < high:  # the longest part that fits
            middle = (low + high + 1) // 2
            part = "..." + shown[-middle:] if end else shown[:middle] + "..."
            fits = pillow.text_size(face, part)[0] <= room
            low, high = (middle, high) if fits else (low, middle - 1)
        shown = "..." + shown[len(shown) - low :] if end else shown[:low] + "..."
    sheet.text(x, y, shown, face, ink)


def _words(sheet: Canvas, text: str, place: tuple[int, int, int, int], size: int, font: str | None) -> None:
    """Text on several lines, where a thumbnail should be."""
    x, y, wide, high = place
    letters = max(8, round(wide / (size * 0.62)))
    lines = [text[at : at + letters] for at in range(0, len(text), letters)]
    for number, line in enumerate(lines[: max(1, (high - 20) // round(size * 1.35))]):
        _line(sheet, line, (x + 8, y + 10 + number * round(size * 1.35), wide - 16), size, font, _FAULT)


def _legend(items: list[Item], schema: LabelSchema, colors: str, total: int, kinds: list[str] | None) -> list[Entry]:
    counts = Counter(
        a.category_id for item in items for a in item.annotations if kinds is None or {a.kind, a.variant} & set(kinds)
    )
    palette = Colors(schema)
    entries = [Entry(f"{len(items)} of {total} item{'' if total == 1 else 's'}", None, True)]
    for category, count in counts.most_common(40):
        tone = palette.category(category) if colors == "category" else None
        entries.append(Entry(f"{palette.name(category) or 'no category'} ({count})", tone))
    if len(counts) > 40:
        entries.append(Entry(f"and {len(counts) - 40} more categories", None, False, QUIET))
    return entries
