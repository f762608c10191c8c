"""Names of items that are hard on a format: they come back as they were, or the report says that they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec import registry

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
BOTH = {name: f for name, f in registry.formats().items() if f.read is not None and f.write is not None}
IMAGES = [name for name, format in BOTH.items() if "image" in format.capabilities().media]
NAMES: list[tuple[object, str | None, str]] = [
    ("v1.2", None, "default"), (7, "p.png", "default"), ("dir/a", "other/b.png", "default"), ("plain", None, "default"),
    ("c.jpg", None, "train"), ("sp ace/é 道", "sp ace/é 道.PNG", "train"), ("Case", "Case.png", "default"),
    ("case", "case.png", "default"), ("no ending", "no ending", "train"), ("q'\"uote", "q'\"uote.png", "train"),
    ("back", "win\\dows\\back.png", "default"), ("x", "x.tar.png", "my.set v1"), ("#hash", "#hash.png", "default"),
    ("com,ma;semi:colon", "com,ma;semi.png", "default"), ("-1", "-1.png", "train"), ("true", "true.png", "train"),
]  # fmt: skip


def item(key: object, path: str | None, subset: str) -> mc.Item:
    mask = mc.Rle.from_box((1, 1, 4, 3), (6, 9))
    annotations: list[mc.Annotation] = [mc.Box(1.0, 1.0, 5.0, 4.0, category_id=1), mc.Mask(mask, category_id=1)]
    return mc.Item(key, path, width=9, height=6, subset=subset, annotations=annotations)


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("at", range(len(NAMES)), ids=[f"{key!r}-{path}" for key, path, _ in NAMES])
def test_one_name(tmp_path: Path, name: str, at: int) -> None:
    key, path, subset = NAMES[at]
    check(mc.Dataset(mc.LabelSchema([mc.Category(1, "cat")]), [item(key, path, subset)]), tmp_path, name)


@pytest.mark.parametrize("name", IMAGES)
def test_all_names(tmp_path: Path, name: str) -> None:
    schema = mc.LabelSchema([mc.Category(1, "cat")])
    check(mc.Dataset(schema, [item(*names) for names in NAMES]), tmp_path, name)


def check(data: mc.Dataset, folder: Path, name: str) -> None:
    report = mc.write(data, folder / "out", name, on_loss="ignore")
    assert report == mc.plan(data, name)
    back = mc.read(folder / "out", name, on_loss="ignore").load()
    told = {loss.field for loss in report if loss.what == "item"}
    gone = sum(loss.count for loss in report if loss.what == "item" and loss.action == "dropped" and not loss.field)
    assert len(back.items) == len(data.items) - gone
    for field in ("id", "path", "subset"):
        before = sorted(repr(getattr(one, field)) for one in data.items)
        after = sorted(repr(getattr(one, field)) for one in back.items)
        assert before == after or field in told or gone, (field, set(before) ^ set(after))


LABELS = [
    "a b", "a,b", "a:b", "a;b", "a=b", " lead", "trail ", "tab\tinside", "line\nbreak", "1", "-1", "1.5", "true", "no",
    "null", "#hash", "'single'", '"double"', "back\\slash", "a/b", "../up", "<tag>", "&amp;", "道 é", "x" * 300,
    "%s", "[list]", "{map}", "background", "__ignore__", "no_label", "face", "ignored",
]  # fmt: skip


@pytest.mark.parametrize("name", IMAGES)
@pytest.mark.parametrize("label", LABELS)
def test_label(tmp_path: Path, name: str, label: str) -> None:
    schema = mc.LabelSchema([mc.Category(1, label), mc.Category(2, "other")])
    one = item("a", "a.png", "train")
    one.annotations += [mc.Tag(category_id=1), mc.Box(2.0, 2.0, 4.0, 5.0, category_id=2)]
    data = mc.Dataset(schema, [one])
    try:
        report = mc.write(data, tmp_path / "out", name, on_loss="ignore")
    except ValueError:
        return  # refused, and nothing is written
    back = mc.read(tmp_path / "out", name, on_loss="ignore").load()
    made = [loss for loss in report if loss.what == "category" and loss.action == "defaulted"]
    added = {example for loss in made for example, _ in loss.examples}
    told = {"category" for loss in report if loss.what == "category" or loss.field == "categories"}
    before, after = {c.name for c in schema}, {c.name for c in back.schema} - added
    assert before == after or "category" in told, (before, after, str(report))
    names = {c.id: c.name for c in back.schema}
    kinds = {a.kind for i in back.items for a in i.annotations}
    used = {names[a.category_id] for i in back.items for a in i.annotations if a.category_id is not None}
    dropped = any(loss.action == "dropped" and not loss.field for loss in report)
    assert not kinds or label in used or dropped or "category" in told, (used, str(report))
