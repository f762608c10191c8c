"""Conversion in shards: the same bytes whatever the number of shards and workers; resume; refusals."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec import registry, shards
from maskcodec._parts import read_blocks
from tests.zoo import simple, zoo

BOTH = [name for name, format in registry.formats().items() if format.read and format.write]
pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.LossWarning")


def digest(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def in_shards(source: Path, target: Path, to: str, n: int, **how) -> mc.LossReport:
    manifest = mc.plan_shards(source, n, target, to, on_loss="ignore", **how)
    for k in reversed(range(n)):
        assert mc.run_shard(manifest, k)["shard"] == k
    report = mc.merge_shards(manifest)
    assert not Path(manifest["work"]).exists()
    return report


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    mc.write(zoo(), folder / "datumaro", "datumaro", on_loss="ignore")
    mc.write(zoo(), folder / "cvat", "cvat_images", on_loss="ignore")
    mc.write(zoo(), folder / "coco", "coco", on_loss="ignore")
    return folder


@pytest.mark.parametrize("n", [1, 2, 3, 7])
@pytest.mark.parametrize("name", BOTH)
def test_any_number_of_shards_gives_the_same_bytes_and_report(name, n, whole, tmp_path):
    plain = mc.convert(whole / "datumaro", tmp_path / "plain", name, on_loss="ignore")
    report = in_shards(whole / "datumaro", tmp_path / "out", name, n)
    assert report == plain
    assert digest(tmp_path / "out") == digest(tmp_path / "plain")


@pytest.mark.parametrize("name", BOTH)
def test_every_format_is_read_in_shards(name, tmp_path):
    mc.write(zoo(), tmp_path / "in", name, on_loss="ignore")
    plain = mc.convert(tmp_path / "in", tmp_path / "plain", "datumaro", name, on_loss="ignore")
    report = in_shards(tmp_path / "in", tmp_path / "out", "datumaro", 3, format=name)
    assert report == plain
    assert digest(tmp_path / "out") == digest(tmp_path / "plain")


def many(folder: Path, count: int = 60) -> Path:
    items = []
    for i in range(count):
        (item,) = (simple().items[0],)
        item.id, item.path = f"{i:03}", f"{i:03}.png"
        item.annotations[0].x0 = i / 700
        items.append(item)
    mc.write(mc.Dataset(simple().schema, items), folder, "coco_instances", on_loss="ignore")
    return folder


@pytest.mark.parametrize("jobs", [2, 3])
def test_processes_give_the_same_bytes(jobs, tmp_path):
    source = many(tmp_path / "in")
    seen = []
    plain = mc.convert(source, tmp_path / "plain", "yolo", on_loss="ignore")
    report = mc.convert(
        source, tmp_path / "out", "yolo", on_loss="ignore", jobs=jobs, progress=lambda *of: seen.append(of)
    )
    assert report == plain
    assert digest(tmp_path / "out") == digest(tmp_path / "plain")
    assert seen == [(i + 1, 60) for i in range(60)]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out", "plain"]


@pytest.mark.parametrize("name", BOTH)
def test_threads_of_the_writer_give_the_same_bytes(name, tmp_path):
    for jobs in (1, 3):
        report = mc.LossReport()
        registry._write(zoo(), tmp_path / f"{jobs}", registry.get_format(name), report, "reference", False, {}, jobs)
    assert digest(tmp_path / "1") == digest(tmp_path / "3")


def test_a_failing_thread_leaves_nothing(tmp_path):
    from maskcodec.formats._shared.sink import Sink

    def fail():
        raise OSError(28, "No space left on device")

    for at in (0, 40, 99):
        with pytest.raises(OSError, match="No space"), Sink(tmp_path / "out", jobs=2) as sink:
            for i in range(100):
                sink.later(f"{i}.bin", fail if i == at else lambda: b"x")
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(mc.FormatError, match="letter case"), Sink(tmp_path / "out", jobs=2) as sink:
        sink.later("a.bin", lambda: b"")
        sink.later("A.bin", lambda: b"")
    with Sink(tmp_path / "out", jobs=2) as sink:
        for i in range(100):
            sink.later(f"{i}.bin", lambda i=i: bytes([i]))
    assert [(tmp_path / "out" / f"{i}.bin").read_bytes() for i in range(100)] == [bytes([i]) for i in range(100)]


def test_what_is_skipped_is_reported_once(tmp_path):
    source = many(tmp_path / "in", 12)
    (file,) = source.rglob("*.json")
    document = json.loads(file.read_text())
    for index in (1, 5, 11):
        document["annotations"][index]["bbox"] = ["x", 0, 1, 1]
    file.write_text(json.dumps(document))
    plain = mc.convert(source, tmp_path / "plain", "datumaro", on_error="skip", on_loss="ignore")
    assert [loss.count for loss in plain if loss.action == "unread"]
    for n in (1, 4):
        assert in_shards(source, tmp_path / f"out{n}", "datumaro", n, on_error="skip") == plain
    with pytest.raises(mc.FormatError, match="bbox"):
        mc.convert(source, tmp_path / "strict", "datumaro", jobs=2)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", "out1", "out4", "plain"]


def test_finished_shards_are_kept_and_damaged_ones_run_again(tmp_path):
    source = many(tmp_path / "in")
    manifest = mc.plan_shards(source, 3, tmp_path / "out", "coco_instances", on_loss="ignore")
    first = mc.run_shard(manifest, 0)
    part = Path(manifest["work"]) / "part-00000.bin"
    stamp = part.stat().st_mtime_ns
    assert mc.plan_shards(source, 3, tmp_path / "out", "coco_instances", on_loss="ignore") == manifest
    assert mc.run_shard(manifest["work"], 0) == first
    assert part.stat().st_mtime_ns == stamp
    part.write_bytes(part.read_bytes()[:-1])
    assert mc.run_shard(manifest, 0) == first
    with pytest.raises(mc.FormatError, match="shards 1, 2 are not finished"):
        mc.merge_shards(manifest)
    assert not (tmp_path / "out").exists()
    for k in (1, 2):
        mc.run_shard(manifest, k)
    mc.merge_shards(manifest, keep=True)
    assert Path(manifest["work"]).is_dir()
    assert digest(tmp_path / "out").keys() == digest(source).keys()


def test_a_changed_source_or_another_conversion_is_refused(tmp_path):
    source = many(tmp_path / "in")
    manifest = mc.plan_shards(source, 2, tmp_path / "out", "yolo", on_loss="ignore")
    mc.run_shard(manifest, 0)
    with pytest.raises(mc.FormatError, match="another conversion .to differ"):
        mc.plan_shards(source, 2, tmp_path / "out", "voc", on_loss="ignore")
    (file,) = source.rglob("*.json")
    file.write_text(file.read_text() + "\n")
    with pytest.raises(mc.FormatError, match="source has changed"):
        mc.run_shard(manifest, 1)
    with pytest.raises(mc.FormatError, match="source has changed"):
        mc.plan_shards(source, 2, tmp_path / "out", "yolo", on_loss="ignore")
    with pytest.raises(mc.FormatError, match="source has changed"):
        mc.convert(source, tmp_path / "out", "yolo", jobs=2, on_loss="ignore")
    assert not (tmp_path / "out").exists()


def test_a_killed_run_goes_on(tmp_path):
    source = many(tmp_path / "in", 400)
    program = (
        "import os, sys; import maskcodec as mc; from maskcodec import shards\n"
        "run = shards.run_shard\n"
        "def killed(manifest, k):\n"
        "    if k == 5: os.kill(os.getpid(), 9)\n"
        "    return run(manifest, k)\n"
        "killed.__name__ = killed.__qualname__ = 'run_shard'; killed.__module__ = shards.__name__\n"
        "shards.run_shard = killed\n"
        "mc.convert(sys.argv[1], sys.argv[2], 'voc', jobs=2, on_loss='ignore')\n"
    )
    path = os.pathsep.join(p for p in sys.path if p)
    env = {**os.environ, "PYTHONPATH": path}
    found = subprocess.run(
        [sys.executable, "-c", program, str(source), str(tmp_path / "out")], env=env, capture_output=True, text=True
    )
    assert found.returncode == 1
    assert "maskcodec.errors.Error: a worker process died; run again to go on" in found.stderr
    assert not (tmp_path / "out").exists()
    left = tmp_path / ".shards-out"
    assert (left / "part-00000.json").exists()
    assert not (left / "part-00005.json").exists()
    mc.convert(source, tmp_path / "plain", "voc", on_loss="ignore")
    mc.convert(source, tmp_path / "out", "voc", jobs=3, on_loss="ignore")
    assert digest(tmp_path / "out") == digest(tmp_path / "plain")
    assert not left.exists()


def test_raise_on_loss_writes_nothing(tmp_path):
    source = many(tmp_path / "in")
    with pytest.raises(mc.LossError):
        mc.convert(source, tmp_path / "out", "imagenet", jobs=2, on_loss="raise")
    assert [p.name for p in tmp_path.iterdir()] == ["in"]


def test_arguments(tmp_path):
    source = many(tmp_path / "in", 2)
    with pytest.raises(ValueError, match="at least one"):
        mc.plan_shards(source, 0, tmp_path / "out", "yolo")
    with pytest.raises(TypeError, match="no option 'nonsense'"):
        mc.plan_shards(source, 1, tmp_path / "out", "yolo", nonsense=1)
    with pytest.raises(TypeError, match="JSON"):
        mc.plan_shards(source, 1, tmp_path / "out", "yolo", names={1, 2})
    with pytest.raises(ValueError, match="jobs"):
        mc.convert(source, tmp_path / "out", "yolo", jobs=0)
    with pytest.raises(TypeError, match="path"):
        mc.convert(b"", tmp_path / "out", "yolo", jobs=2)
    (tmp_path / "taken").write_text("mine")
    with pytest.raises(FileExistsError):
        mc.convert(source, tmp_path / "taken", "yolo", jobs=2)
    manifest = mc.plan_shards(source, 5, tmp_path / "out", "yolo", on_loss="ignore")
    with pytest.raises(IndexError):
        mc.run_shard(manifest, 5)
    with pytest.raises(mc.FormatError, match="no fingerprint"):
        mc.run_shard({k: v for k, v in manifest.items() if k != "fingerprint"}, 0)
    for name in (".shards-taken", "taken.part"):
        assert not (tmp_path / name).exists()


def test_parts_hold_data_only(tmp_path):
    class Bad:
        def __reduce__(self):
            return os.system, ("true",)

    for value, reason in ((Bad(), "no place in a part"), (registry.convert, "no place in a part")):
        data = pickle.dumps([value])
        (tmp_path / "part.bin").write_bytes(len(data).to_bytes(8, "little") + data)
        with pytest.raises(mc.FormatError, match=reason):
            list(read_blocks(tmp_path / "part.bin"))
    (tmp_path / "part.bin").write_bytes((9).to_bytes(8, "little") + b"x")
    with pytest.raises(mc.FormatError, match="middle of a block"):
        list(read_blocks(tmp_path / "part.bin"))


def test_open_sources_are_shared_and_left(tmp_path):
    source = many(tmp_path / "in", 8)
    manifest = mc.plan_shards(source, 2, tmp_path / "out", "yolo", on_loss="ignore")
    (held,) = shards._open
    mc.run_shard(manifest, 0)
    mc.run_shard(manifest, 1)
    assert shards._open == [held]
