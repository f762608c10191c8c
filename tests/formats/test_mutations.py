"""Damaged files of every format: a reader refuses with an error of its own or reads on, and nothing else happens."""

from __future__ import annotations

import functools
import random
import shutil
from pathlib import Path

import pytest

import maskcodec as mc
from maskcodec import registry
from tests.zoo import zoo

pytestmark = pytest.mark.filterwarnings("ignore::maskcodec.errors.LossWarning")
BOTH = [name for name, format in registry.formats().items() if format.read is not None and format.write is not None]
ROUNDS = 40
PIECES = [b"", b"0", b"-1", b"nan", b"1e999", b"\xff\xfe", b"\x00", b'"', b",", b"\n", b"\r", b"9" * 40, b"<", b"{",
          b"]", b"../", b" ", b":", b"true", b"null", "道".encode()]  # fmt: skip


@functools.cache
def files(folder: Path, name: str) -> tuple[Path, list[str]]:
    out = folder / name
    mc.write(zoo(), out, name, on_loss="ignore")
    found = [p.relative_to(out).as_posix() for p in sorted(out.rglob("*")) if p.is_file() and p.stat().st_size]
    return out, found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mutations")


def mutated(data: bytes, rng: random.Random) -> bytes:
    """The bytes with one to three changes: a piece put in, taken out, doubled, or the end cut off."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data) + 1)
        stop = min(len(data), at + rng.choice((0, 1, 1, 2, 4, 16, 200)))
        kind = rng.randrange(5)
        if kind == 0:
            data = data[:at] + rng.choice(PIECES) + data[stop:]
        elif kind == 1:
            data = data[:at] + data[stop:]
        elif kind == 2:
            data = data[:stop] + data[at:stop] + data[stop:]
        elif kind == 3:
            data = data[:at]
        elif data:
            at = rng.randrange(len(data))
            data = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
    return data


@pytest.mark.parametrize("name", BOTH)
def test_damage_is_refused_or_survived(folder: Path, tmp_path: Path, name: str) -> None:
    source, names = files(folder, name)
    if not names:
        pytest.skip("an empty folder")
    rng = random.Random(name)
    work = tmp_path / "work"
    shutil.copytree(source, work)
    for at in range(ROUNDS):
        chosen = names[at % len(names)] if at < len(names) else rng.choice(names)
        original = (source / chosen).read_bytes()
        damaged = mutated(original, rng)
        (work / chosen).write_bytes(damaged)
        for on_error in ("raise", "skip"):
            try:
                data = mc.read(work, name, on_error=on_error, on_loss="ignore").load()
                for item in data.items:
                    assert isinstance(item.annotations, list)
            except (mc.FormatError, FileNotFoundError):
                pass
            except Exception as error:
                raise AssertionError(f"{chosen}, round {at}, {on_error}: {damaged[:300]!r}") from error
        try:
            mc.detect(work)
        except (mc.UnknownFormatError, mc.AmbiguousFormatError):
            pass
        (work / chosen).write_bytes(original)
