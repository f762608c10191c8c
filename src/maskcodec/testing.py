"""Comparing data sets in tests."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from itertools import zip_longest
from typing import Any

from maskcodec.model.annotations import same_value
from maskcodec.model.dataset import Dataset
from maskcodec.model.losses import LossReport

__all__ = ["assert_datasets_equal"]


def assert_datasets_equal(
    a: Dataset, b: Dataset, ignore: LossReport | None = None, *, added: Collection[str] = ()
) -> None:
    """Raise ``AssertionError`` at the first difference between two data sets, naming its place.

    Numbers compare with their types (``1`` is not ``1.0`` and not ``True``) in attributes and info, by value in
    coordinates and extras. Source and report are not compared.

    Args:
        a: what is expected.
        b: what came out.
        ignore: a loss report: fields that it names as renamed, defaulted or approximated (by ``what`` and ``field``)
            are not compared, nor fields of attribute definitions that it names as dropped, nor the pixels of masks that
            others cover.
        added: namespaces of extras, where ``b`` may hold more than ``a``; an ``id`` that is None in ``a`` may then be
            any.
    """
    changed = ("renamed", "defaulted", "approximated")
    forgiven = {(loss.what, loss.field) for loss in ignore or () if loss.action in changed and loss.field}
    forgiven |= {("mask", "rle") for loss in ignore or () if (loss.action, loss.what, loss.field) == _COVERED}
    forgiven |= {("attribute", loss.field) for loss in ignore or () if loss.what == "attribute" and loss.field}
    forgiven |= {
        (loss.what, loss.field)
        for loss in ignore or ()
        if loss.action == "dropped" and loss.field.startswith("extras.") and loss.what != "attribute"
    }
    named = [{c.id: c.name for c in dataset.schema} for dataset in (a, b)]
    compare = _Comparison(forgiven, frozenset(added), named if ("category", "id") in forgiven else [{}, {}])
    for name in ("schema", "tracks", "links"):
        compare.values(getattr(a, name), getattr(b, name), name, "dataset")
    known = {field.partition(".")[2] for what, field in forgiven if what == "dataset" and field.startswith("info.")}
    infos = [{key: value for key, value in dataset.info.items() if key not in known} for dataset in (a, b)]
    compare.values(infos[0], infos[1], "info", "dataset")
    compare.extras(a.extras, b.extras, "extras", "dataset")
    for at, (x, y) in enumerate(zip_longest(a.items, b.items)):
        if x is None or y is None:
            missing, kept = ("second", x) if y is None else ("first", y)
            raise AssertionError(f"items[{at}]: {kept.key} is missing in the {missing} data set")
        compare.values(x, y, f"items[{at}] {x.key}", "item")


_COVERED = ("dropped", "mask", "rle")
_WHAT = {"Category": "category", "Item": "item", "AttributeSpec": "attribute"}


class _Comparison:
    def __init__(self, forgiven: set[tuple[str, str]], added: frozenset[str], named: list[dict[Any, str]]) -> None:
        self.forgiven, self.added, self.named = forgiven, added, named

    def values(self, a: Any, b: Any, path: str, what: str) -> None:
        if hasattr(a, "__dataclass_fields__"):
            if type(a) is not type(b):
                raise AssertionError(f"{path}: {type(a).__name__} became {type(b).__name__}: {a!r} -> {b!r}")
            kind = getattr(a, "variant", None) or _WHAT.get(type(a).__name__, what)
            for f in fields(a):
                known = {(kind, f.name), (kind, f"attributes.{f.name}")}  # a field may stand as an attribute
                if f.name.startswith("_") or known & self.forgiven:
                    continue
                if f.name == "background" and ("schema", f.name) in self.forgiven:
                    continue
                x, y = getattr(a, f.name), getattr(b, f.name)
                if f.name == "attributes" and isinstance(x, dict) and isinstance(y, dict):
                    known = {key for key in (*x, *y) if (kind, f"attributes.{key}") in self.forgiven}
                    x, y = ({k: v for k, v in side.items() if k not in known} for side in (x, y))
                if f.name in ("category_id", "background"):  # by name, where ids of categories were renamed
                    x, y = self.named[0].get(x, x), self.named[1].get(y, y)
                if f.name == "extras":
                    self.extras(x, y, f"{path}.extras", kind)
                elif not (f.name == "id" and x is None and self.added):
                    self.values(x, y, f"{path}.{f.name}", kind)
        elif isinstance(a, list) and isinstance(b, list) and any(hasattr(x, "__dataclass_fields__") for x in a):
            if len(a) != len(b):
                raise AssertionError(f"{path}: {len(a)} became {len(b)}")
            for at, (x, y) in enumerate(zip(a, b, strict=True)):
                self.values(x, y, f"{path}[{at}]", what)
        elif not same_value(a, b, types=path.endswith(("attributes", "info", "score"))):
            raise AssertionError(f"{path}: {a!r} became {b!r}")

    def extras(self, a: dict[str, Any], b: dict[str, Any], path: str, what: str) -> None:
        for name in dict.fromkeys([*a, *b]):
            x, y = a.get(name, {}), b.get(name, {})
            known = {key for key in (*x, *y) if (what, f"extras.{name}.{key}") in self.forgiven}
            if name in self.added:
                known |= y.keys() - x.keys()
            x, y = ({key: value for key, value in side.items() if key not in known} for side in (x, y))
            if not same_value(x, y):
                raise AssertionError(f"{path}[{name!r}]: {x!r} became {y!r}")
