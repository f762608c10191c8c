"""What every registered format must do."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec import registry
from maskcodec.formats._base import Capabilities, NullSink
from maskcodec.formats._shared.carry import carried
from maskcodec.model.losses import MAX_EXAMPLES, LossReport, item_name
from maskcodec.testing import assert_datasets_equal
from tests.zoo import simple, zoo

WRITABLE = [name for name, f in registry.formats().items() if f.write is not None]
BOTH = [name for name in WRITABLE if registry.formats()[name].read is not None]

# Without tracks the mixed form of CVAT XML is the form for images; without copies of images folders are lists.
DETECTED_AS = {"cvat_xml": "cvat_images", "imagenet": "imagenet_txt"}

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")


def carries(name: str) -> Capabilities:
    return registry.get_format(name).capabilities()


def holds_all(name: str) -> bool:
    """Whether a format declares that it keeps even what is known to other formats only."""
    return "somebody" in carries(name).namespaces


def by_subset(dataset: mc.Dataset, name: str) -> mc.ItemList:
    """Items subset by subset: a format with a file for each cannot hold another order; sorted where there is none."""
    items = list(dataset.items)
    if carries(name).unordered:  # masks that do not overlap: told apart by their first pixels
        for item in items:
            item.annotations = sorted(item.annotations, key=lambda mask: mask.rle.runs[0])
    if carries(name).sorted_items:
        return mc.ItemList(sorted(items, key=lambda item: (item.subset, str(item.id))))
    return mc.ItemList(
        item for subset in sorted({i.subset for i in items}) for item in items if item.subset == subset
    )


def expected(dataset: mc.Dataset, name: str) -> tuple[mc.Dataset, LossReport]:
    """What the format holds of a data set, and what its writer reports."""
    report = LossReport()
    chosen = registry.get_format(name)
    options = chosen.settle(dataset, {}) if chosen.settle is not None else {}
    shown = carried(dataset, chosen.capabilities(options), report)
    shown.items = by_subset(shown, name)
    shown.report = report
    return shown, mc.plan(dataset, name)


def without_dropped(dataset: mc.Dataset, report: LossReport, back: mc.Dataset) -> mc.Dataset:
    """Leave out what the writer itself reports as dropped, by its names; classes in the new order it reports.

    What the shared loop reported (the report of ``dataset``) is left out already.

    Classes that the writer had to add are taken out of ``back``.
    """
    gone_already = {(loss.action, loss.what, loss.field, loss.reason): loss.count for loss in dataset.report}
    for loss in report:
        if loss.count == gone_already.get((loss.action, loss.what, loss.field, loss.reason)):
            continue
        if loss.what == "schema" and loss.field == "categories":
            order = [c.name for c in back.schema.categories]
            dataset.schema.categories.sort(key=lambda c: order.index(c.name) if c.name in order else len(order))
        if loss.what == "category" and loss.action == "defaulted" and not loss.field:
            added = {name for name, _ in loss.examples}
            back.schema.categories = [c for c in back.schema.categories if c.name not in added]
        if loss.action != "dropped" or loss.field or not dataset.items and loss.what == "item":
            continue
        if loss.what == "link":
            gone = {name for _, name in loss.examples}
            dataset.links = [link for link in dataset.links if f"{link.source} -> {link.target}" not in gone]
            continue
        if loss.what == "category":
            gone = {name for name, _ in loss.examples}
            dataset.schema.categories = [c for c in dataset.schema.categories if c.name not in gone]
            continue
        if loss.what == "item":
            gone = {name for name, _ in loss.examples}
            if not any(gone & {f"{i.subset}/{i.id}", str(i.id)} for i in dataset.items):
                continue  # left out already, as a medium that the format lacks
            assert loss.count <= MAX_EXAMPLES, f"the zoo is too large for the examples of {loss}"
            kept = [i for i in dataset.items if item_name(i) not in gone]
            if len(kept) == len(dataset.items):  # by the names that they had in their subsets
                kept = [i for i in dataset.items if not gone & {f"{i.subset}/{i.id}", str(i.id)}]
            dataset.items = mc.ItemList(kept)
            continue
        if not any(a.variant == loss.what for item in dataset.items for a in item.annotations):
            continue  # left out already, as a kind that the format lacks
        if loss.reason == "pixels of the background are no object":
            without_background(dataset, loss.count)
            continue
        assert loss.count <= MAX_EXAMPLES, f"the zoo is too large for the examples of {loss}"
        exact = {item_name(item) for item in dataset.items}  # others are named as they were in their subsets
        matches = [
            (item, annotation)
            for named, annotation_name in loss.examples
            for item in dataset.items
            if named == item_name(item) or (named not in exact and named in (f"{item.subset}/{item.id}", str(item.id)))
            for annotation in item.annotations
            if annotation.variant == loss.what
            and annotation_name in (f"id {annotation.id}", annotation.variant if annotation.id is None else "")
        ]
        # Of shapes that the report cannot tell apart it is the later ones that found their place taken.
        for item, annotation in matches[max(len(matches) - loss.count, 0) :]:
            item.annotations = [a for a in item.annotations if a is not annotation]
    return dataset


def without_background(dataset: mc.Dataset, count: int) -> None:
    """Leave out the masks of the background, of which the report has so many."""
    known = [c.id for c in dataset.schema if c.id == dataset.schema.background]
    key = next(iter(known or [c.id for c in dataset.schema if c.name == "background"]))
    before = sum(len(item.annotations) for item in dataset.items)
    for item in dataset.items:
        item.annotations = [a for a in item.annotations if not isinstance(a, mc.Mask) or a.category_id != key]
    assert before - sum(len(item.annotations) for item in dataset.items) == count


def without_added(dataset: mc.Dataset, shown: mc.Dataset, report: LossReport) -> mc.Dataset:
    """Leave out what the writer reports as added or renamed: tracks, and shapes outside that end a track."""
    added = {loss.what for loss in report if loss.action == "defaulted" and not loss.field}
    for item, twin in zip(dataset.items, shown.items, strict=True):
        extra = len(item.annotations) - len(twin.annotations)
        for annotation in reversed(list(item.annotations)):
            if extra > 0 and annotation.outside and annotation.variant in added:
                item.annotations.remove(annotation)
                extra -= 1
    gone = {name for loss in report if loss.what == "track" and not loss.field for _, name in loss.examples}
    fields = {loss.field.partition(".")[2] for loss in report if loss.what == "track" and loss.field}
    shown.tracks = {
        key: dataclasses.replace(track, attributes={k: v for k, v in track.attributes.items() if k not in fields})
        for key, track in shown.tracks.items()
        if str(track.id) not in gone
    }
    if any(loss.field == "track_id" and loss.action in ("defaulted", "renamed") for loss in report):
        dataset.tracks = {key: track for key, track in dataset.tracks.items() if key in shown.tracks}
    if any(loss.what == "category" and loss.field == "id" for loss in report):
        for own in (dataset.tracks, shown.tracks):
            for track in own.values():
                track.category_id = None
    return dataset


def digest(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.mark.parametrize("name", BOTH)
def test_detect_names_it_on_its_own_output(name, tmp_path):
    mc.write(simple(), tmp_path / "out", name)
    family = registry.get_format(name).parts  # one part alone is told to be that part
    assert mc.detect(tmp_path / "out") in (DETECTED_AS.get(name, name), *family)


@pytest.mark.parametrize("name", BOTH)
def test_round_trip_of_the_zoo_is_what_the_report_says(name, tmp_path, monkeypatch):
    monkeypatch.setattr("maskcodec.model.losses.MAX_EXAMPLES", 100)  # the comparison goes by the names in the report
    monkeypatch.setattr("tests.formats.test_contract.MAX_EXAMPLES", 100)
    source = zoo()
    report = mc.write(source, tmp_path / "out", name, on_loss="ignore")
    shown, plan = expected(source, name)
    assert report == plan
    back = mc.read(tmp_path / "out", name, on_loss="ignore")
    back.items = by_subset(back, name)
    shown = without_dropped(shown, report, back)
    back = without_added(back, shown, report)
    assert_datasets_equal(shown, back, report, added=carries(name).namespaces)
    assert not len(back.report), f"reading its own output left something out: {back.report}"


@pytest.mark.parametrize("name", BOTH)
def test_second_round_trip_loses_nothing(name, tmp_path):
    mc.write(zoo(), tmp_path / "first", name, on_loss="ignore")
    once = mc.read(tmp_path / "first", name).load()
    report = mc.write(once, tmp_path / "second", name, on_loss="ignore")
    assert not len(report), str(report)
    assert_datasets_equal(once, mc.read(tmp_path / "second", name))


@pytest.mark.parametrize("name", WRITABLE)
def test_plan_equals_report_and_writes_nothing(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = mc.plan(zoo(), name)
    assert list(tmp_path.iterdir()) == []
    assert plan == mc.write(zoo(), tmp_path / "out", name, on_loss="ignore")
    assert holds_all(name) == (not len(plan)), "only a format that declares it holds the whole zoo"


@pytest.mark.parametrize("name", WRITABLE)
def test_input_is_not_modified(name, tmp_path):
    source = zoo()
    before = copy.deepcopy(source)
    mc.write(source, tmp_path / "out", name, on_loss="ignore")
    assert_datasets_equal(before, source)


@pytest.mark.parametrize("name", WRITABLE)
def test_bytes_do_not_depend_on_the_run(name, tmp_path):
    program = (
        "import sys, warnings; warnings.simplefilter('ignore'); import maskcodec as mc; from tests.zoo import zoo;"
        "mc.write(zoo(), sys.argv[1], sys.argv[2]); mc.write(zoo(), sys.argv[1] + '.zip', sys.argv[2])"
    )
    digests = []
    for seed, zone in (("0", "UTC"), ("1", "Asia/Tokyo")):
        out = tmp_path / seed / "out"
        path = os.pathsep.join(p for p in [str(Path(__file__).parents[2]), *sys.path] if p)
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": path}
        subprocess.run([sys.executable, "-c", program, str(out), name], check=True, env=env)
        digests.append(digest(tmp_path / seed))
    assert digests[0] == digests[1]
    assert digests[0]


@pytest.mark.parametrize("name", BOTH)
def test_empty_data_set(name, tmp_path):
    report = mc.write(mc.Dataset(), tmp_path / "out", name, on_loss="ignore")
    assert not [loss for loss in report if loss.action != "defaulted"]
    back = mc.read(tmp_path / "out", name)
    assert list(back.items) == []
    assert len(back.schema) == 0


@pytest.mark.parametrize("name", BOTH)
def test_zip_equals_folder(name, tmp_path):
    mc.write(zoo(), tmp_path / "out", name, on_loss="ignore")
    mc.write(zoo(), tmp_path / "out.zip", name, on_loss="ignore")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        inside = {n: hashlib.sha256(archive.read(n)).hexdigest() for n in archive.namelist()}
    assert inside == digest(tmp_path / "out")
    one, two = mc.read(tmp_path / "out", name), mc.read(tmp_path / "out.zip", name)
    assert_datasets_equal(one, two)
    assert_datasets_equal(one, mc.read((tmp_path / "out.zip").read_bytes(), name))


@pytest.mark.parametrize("name", WRITABLE)
def test_existing_target_is_refused_and_kept(name, tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty"):
        mc.write(simple(), target, name)
    assert digest(target).keys() == {"mine.txt"}
    mc.write(simple(), target, name, overwrite=True, on_loss="ignore")
    assert "mine.txt" not in digest(target)
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", WRITABLE)
def test_raise_on_loss_writes_nothing(name, tmp_path):
    if holds_all(name):
        assert not mc.write(zoo(), tmp_path / "out", name, on_loss="raise").total
        return
    with pytest.raises(mc.LossError) as caught:
        mc.write(zoo(), tmp_path / "out", name, on_loss="raise")
    assert caught.value.report.total == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", WRITABLE)
def test_failing_write_leaves_the_old_output(name, tmp_path, monkeypatch):
    mc.write(simple(), tmp_path / "out", name, on_loss="ignore")
    before = digest(tmp_path)

    def full(self, name):
        raise OSError(28, "No space left on device", name)

    monkeypatch.setattr("maskcodec.formats._shared.sink.Sink._create", full)
    with pytest.raises(OSError, match="No space"):
        mc.write(zoo(), tmp_path / "out", name, overwrite=True, on_loss="ignore")
    assert digest(tmp_path) == before


@pytest.mark.parametrize("name", BOTH)
def test_input_is_never_the_target(name, tmp_path):
    mc.write(simple(), tmp_path / "out", name, on_loss="ignore")
    before = digest(tmp_path)
    with pytest.raises(ValueError, match="input"):
        mc.convert(tmp_path / "out", tmp_path / "out", name, overwrite=True)
    assert digest(tmp_path) == before


@pytest.mark.parametrize("name", WRITABLE)
def test_unknown_option_is_an_error_that_suggests(name, tmp_path):
    with pytest.raises(TypeError, match="no option"):
        mc.write(simple(), tmp_path / "out", name, no_such_option=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", registry.formats())
def test_declaration_is_consistent(name):
    fmt = registry.formats()[name]
    assert fmt.name == name == name.lower()
    assert fmt.read or fmt.write
    capabilities = fmt.capabilities()
    assert not capabilities.variants & capabilities.conversions.keys(), "a kind is carried or converted, not both"
    from maskcodec.formats._shared.carry import _ITEM_FIELDS
    from maskcodec.formats._shared.carry_annotations import FIELDS
    from maskcodec.formats._shared.carry_whole import _CATEGORY_FIELDS
    from maskcodec.formats._shared.conversions import CONVERSIONS

    for pair in capabilities.conversions.items():
        assert pair in CONVERSIONS
    assert set(capabilities.fields) | set(capabilities.as_attributes) <= FIELDS.keys()
    assert set(capabilities.item_fields) <= set(_ITEM_FIELDS)
    assert set(capabilities.category_fields) <= {"id", *_CATEGORY_FIELDS}
    for alias in (name, *fmt.aliases):
        assert registry.get_format(alias) is fmt


def test_null_sink_refuses_what_a_sink_refuses():
    sink = NullSink()
    sink.write("a/B.txt", b"")
    for bad in ("../x", "/x", "C:\\x", "a/b.TXT", "x" * 300, ""):
        with pytest.raises(mc.FormatError):
            sink.write(bad, b"")
