"""Killed runs and full disks: the target is absent, old or complete, and the next run finds nothing in its way."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchmarks.make_coco import make

import maskcodec as mc
from maskcodec.formats._shared.sink import Sink
from tests.zoo import simple

posix = pytest.mark.skipif(os.name == "nt", reason="signals and limits of POSIX")
TARGETS = [("coco_instances", "out"), ("coco_instances", "out.json"), ("cvat_images", "out"), ("datumaro", "out.zip")]
STEPS = ("rename", "replace", "fsync", "mkdir", "rmdir", "unlink")
CONVERT = """
import sys
import maskcodec as mc
source, target, to = sys.argv[1:4]
mc.convert(source, target, to=to, overwrite=True, on_loss="ignore")
"""
LIMITED = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))
""" + CONVERT


def run(program: str, *args: object, **more: object) -> subprocess.Popen:
    path = os.pathsep.join(p for p in [str(Path(mc.__file__).parents[1]), *sys.path] if p)
    env = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    more.setdefault("stderr", subprocess.DEVNULL)
    return subprocess.Popen([sys.executable, "-c", program, *map(str, args)], env=env, **more)


def digest(path: Path) -> str | None:
    """Of a file, or of a folder with the names in it; None where there is nothing."""
    if not path.exists():
        return None
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    parts = sorted((p.relative_to(path).as_posix(), digest(p)) for p in path.rglob("*") if p.is_file())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def forked(source: Path, target: Path, to: str, last: int | None = None) -> int:
    """A conversion in a process of its own, by its id; dies at call number ``last`` of those of ``STEPS``."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        if last is not None:
            _die_at(last)
        mc.convert(source, target, to=to, overwrite=True, on_loss="ignore")
        code = 0
    finally:
        os._exit(code)


def _die_at(last: int) -> None:
    left = [last]

    def wrapped(real: Callable[..., object], *args: object, **more: object) -> object:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return real(*args, **more)

    for name in STEPS:
        setattr(os, name, functools.partial(wrapped, getattr(os, name)))


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("made") / "in.json", 300, 2500)


def old_and_new(source: Path, target: Path, to: str) -> tuple[str | None, str | None]:
    """Digests of an old output, which is left at the target, and of the new one."""
    mc.convert(source, target, to=to, on_loss="ignore")
    new = digest(target)
    mc.write(simple(), target, to, overwrite=True, on_loss="ignore")
    assert digest(target) != new
    return digest(target), new


@posix
@pytest.mark.parametrize(("to", "name"), TARGETS)
def test_killed_at_any_moment(source: Path, tmp_path: Path, to: str, name: str) -> None:
    target = tmp_path / name
    old, new = old_and_new(source, target, to)
    started = time.perf_counter()
    assert ended(forked(source, target, to)) == 0
    lasts = time.perf_counter() - started
    assert digest(target) == new
    for part in range(6):
        child = forked(source, target, to)
        time.sleep(lasts * (part + 1) / 7)
        os.kill(child, signal.SIGKILL)  # no error when it has ended: it has not been waited for
        assert ended(child) in (0, -signal.SIGKILL)
        assert digest(target) in (old, new)
    assert ended(forked(source, target, to)) == 0
    assert digest(target) == new
    assert [p.name for p in tmp_path.iterdir()] == [name]


@posix
@pytest.mark.parametrize(("to", "name"), TARGETS)
@pytest.mark.parametrize("fresh", [True, False])
def test_killed_at_each_step_of_the_end(tmp_path: Path, to: str, name: str, fresh: bool) -> None:
    origin, target = tmp_path / "in", tmp_path / "d" / name
    mc.write(simple(), origin, "coco_instances")
    target.parent.mkdir()
    mc.convert(origin, target, to=to, on_loss="ignore")
    new = digest(target)
    for last in range(60):
        for path in target.parent.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if not fresh:
            mc.write(mc.Dataset(), target, to, on_loss="ignore")
        old = digest(target)
        code = ended(forked(origin, target, to, last))
        assert code in (0, -signal.SIGKILL)
        # Between the two renames of a folder that is replaced there is nothing at the target; the old one is beside it.
        assert digest(target) in (old, new, None)
        mc.convert(origin, target, to=to, overwrite=True, on_loss="ignore")  # nothing blocks the next run
        assert digest(target) == new
        assert [p.name for p in target.parent.iterdir()] == [name]
        if code == 0:
            break
    assert code == 0
    assert last > 2


@posix
def test_an_old_output_that_comes_back_is_not_replaced_unasked(tmp_path: Path) -> None:
    old = tmp_path / ".part-999999999-old-o"
    old.mkdir()
    (old / "a").write_bytes(b"old")
    with pytest.raises(FileExistsError), Sink(tmp_path / "o") as sink:
        sink.write("b", b"new")
    assert (tmp_path / "o" / "a").read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["o"]


@posix
@pytest.mark.parametrize(("to", "name"), TARGETS)
@pytest.mark.parametrize("fresh", [True, False])
def test_file_size_limit(source: Path, tmp_path: Path, to: str, name: str, fresh: bool) -> None:
    target = tmp_path / name
    if not fresh:
        mc.write(simple(), target, to, on_loss="ignore")
    old = digest(target)
    child = run(LIMITED, source, target, to, stderr=subprocess.PIPE)
    _, errors = child.communicate(timeout=60)
    assert child.returncode == 1
    assert errors.decode().strip().splitlines()[-1].startswith("OSError: [Errno 27]")
    assert str(target) in errors.decode().strip().splitlines()[-1]
    assert digest(target) == old
    assert [p.name for p in tmp_path.iterdir()] == ([] if fresh else [name])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB; needs the right to mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    args = [mount or "", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if mount is None or subprocess.run(args, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@posix
@pytest.mark.parametrize(("to", "name"), TARGETS)
def test_full_disk(source: Path, small_disk: Path, to: str, name: str) -> None:
    target = small_disk / name
    with pytest.raises(OSError, match="No space left") as caught:
        mc.convert(source, target, to=to, on_loss="ignore")
    assert caught.value.filename is not None
    assert str(small_disk) in str(caught.value)
    assert list(small_disk.iterdir()) == []
    mc.write(simple(), target, to, on_loss="ignore")
    old = digest(target)
    with pytest.raises(OSError, match="No space left"):
        mc.convert(source, target, to=to, overwrite=True, on_loss="ignore")
    assert digest(target) == old
    assert [p.name for p in small_disk.iterdir()] == [name]


class _Fails:
    """A stream of which one write fails, counted over all streams."""

    def __init__(self, stream: object, left: list[int]) -> None:
        self._stream, self._left = stream, left

    def write(self, data: bytes) -> int:
        self._left[0] -= 1
        if self._left[0] == 0:
            raise OSError(28, "No space left on device")
        return self._stream.write(data)

    def __enter__(self) -> _Fails:
        return self

    def __exit__(self, *args: object) -> None:
        self._stream.close()

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@pytest.mark.parametrize(("to", "name"), TARGETS)
def test_each_write_failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, name: str) -> None:
    target = tmp_path / name
    mc.write(mc.Dataset(), target, to, on_loss="ignore")
    old = digest(target)
    create, spool = Sink._create, Sink.spool
    left = [0]
    monkeypatch.setattr(Sink, "_create", lambda self, name: _Fails(create(self, name), left))
    monkeypatch.setattr(Sink, "spool", lambda self: _Fails(spool(self), left))
    for at in range(1, 200):
        left[0] = at
        try:
            mc.write(simple(), target, to, overwrite=True, on_loss="ignore")
        except OSError as error:
            assert error.filename == str(target)
            assert digest(target) == old
            assert [p.name for p in tmp_path.iterdir()] == [name]
            continue
        assert left[0] > 0
        break
    assert at > 2
    assert digest(target) not in (old, None)


@posix
def test_devices_are_no_targets(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError, match="neither"):
        Sink("/dev/full", "file", overwrite=True)
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(FileExistsError, match="neither"):
        mc.write(simple(), tmp_path / "pipe.json", "coco_instances", overwrite=True)


@posix
def test_same_bytes_whatever_the_locale(tmp_path: Path, source: Path) -> None:
    found = set()
    for name, env in (("a", {"LC_ALL": "C", "PYTHONUTF8": "0"}), ("b", {"LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"})):
        path = os.pathsep.join(p for p in [str(Path(mc.__file__).parents[1]), *sys.path] if p)
        args = [sys.executable, "-c", CONVERT, str(source), str(tmp_path / name), "cvat_images"]
        subprocess.run(args, env={**os.environ, **env, "PYTHONPATH": path}, check=True)
        found.add(digest(tmp_path / name))
    assert len(found) == 1
