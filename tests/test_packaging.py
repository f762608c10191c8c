"""What is handed out: the checker of wheels and archives finds each fault, and the files that describe them agree."""

from __future__ import annotations

import importlib.util
import io
import re
import sys
import tarfile
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
CHECKER = ROOT / "tools" / "check_wheel.py"
pytestmark = pytest.mark.skipif(not CHECKER.exists(), reason="the tools lie beside the tests in the source tree only")


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("check_wheel", CHECKER)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def project() -> dict[str, Any]:
    tomllib = pytest.importorskip("tomllib")
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


GOOD = ["maskcodec/__init__.py", "maskcodec/py.typed"]
GOOD += ["maskcodec-1.dist-info/RECORD", "maskcodec-1.dist-info/licenses/LICENSE"]
for _module in ("columns", "raster", "runs"):
    GOOD += [f"maskcodec/_native/{_module}.pyi", f"maskcodec/_native/{_module}.cpython-312-x86_64-linux-gnu.so"]


def wheel(folder: Path, names: list[str], size: int = 0) -> Path:
    path = folder / "maskcodec-1-cp312-cp312-linux_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, b"\0" * size)
    return path


def test_a_good_wheel(checker: ModuleType, tmp_path: Path) -> None:
    assert checker.check(wheel(tmp_path, GOOD)) == []
    assert checker.main([str(wheel(tmp_path, GOOD))]) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("-maskcodec/py.typed", "py.typed is missing"),
        ("-maskcodec/_native/runs.pyi", "stub runs.pyi is missing"),
        ("-maskcodec/_native/raster.cpython-312-x86_64-linux-gnu.so", "expected the extension raster once, found none"),
        ("+maskcodec/_native/runs.cpython-311-x86_64-linux-gnu.so", "expected the extension runs once"),
        ("-maskcodec-1.dist-info/licenses/LICENSE", "licence is missing"),
        ("+maskcodec/_native/runs.pyx", "runs.pyx: sources are not for wheels"),
        ("+maskcodec/_native/parse.pxi", "sources are not for wheels"),
        ("+maskcodec/_native/raster.cpp", "sources are not for wheels"),
        ("+maskcodec/_native/dict_item.hpp", "sources are not for wheels"),
        ("+tests/test_minimal.py", "outside the package"),
    ],
)
def test_what_is_wrong_with_a_wheel(checker: ModuleType, tmp_path: Path, change: str, said: str) -> None:
    names = [*GOOD, change[1:]] if change[0] == "+" else [name for name in GOOD if name != change[1:]]
    faults = checker.check(wheel(tmp_path, names))
    assert len(faults) == 1 and said in faults[0]


def test_a_wheel_that_is_too_large(checker: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = wheel(tmp_path, GOOD, checker.LIMIT // len(GOOD) + 1)
    assert checker.main([str(path)]) == 1
    assert f"the limit is {checker.LIMIT}" in capsys.readouterr().out


def archive(folder: Path, names: list[str]) -> Path:
    path = folder / "maskcodec-1.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        for name in names:
            packed.addfile(tarfile.TarInfo(f"maskcodec-1/{name}"), io.BytesIO())
    return path


def test_source_archives(checker: ModuleType, tmp_path: Path) -> None:
    whole = list(checker._WHOLE)
    assert checker.check(archive(tmp_path, whole)) == []
    assert checker.check(archive(tmp_path, whole[1:])) == [f"{whole[0]} is missing"]
    for extra in (".ci/run", ".github/workflows/wheels.yml", "tests/samples/a.json", "build/x.txt"):
        assert checker.check(archive(tmp_path, [*whole, extra])) == [f"{extra} does not belong there"]
    assert checker.check(archive(tmp_path, [*whole, "src/a.so"])) == ["src/a.so: built, not source"]


def test_the_files_that_are_named_exist(checker: ModuleType) -> None:
    assert [name for name in checker._WHOLE if not (ROOT / name).is_file()] == []


def test_the_extensions_are_those_that_are_built(checker: ModuleType) -> None:
    built = re.findall(r"install\(TARGETS (\w+)", (ROOT / "CMakeLists.txt").read_text())
    assert sorted(built) == sorted(checker.MODULES)
    stubs = {path.stem for path in (ROOT / "src" / "maskcodec" / "_native").glob("*.pyi")}
    assert stubs == set(checker.MODULES)


def test_versions_of_python_agree() -> None:
    settings = project()
    classified = [c.rpartition(" ")[2] for c in settings["project"]["classifiers"] if re.search(r":: 3\.\d+$", c)]
    built = settings["tool"]["cibuildwheel"]["build"]
    assert [f"cp{v.replace('.', '')}-*" for v in classified] == [name for name in built if "t-" not in name]
    assert settings["project"]["requires-python"] == f">={classified[0]}"
    free = [name for name in built if "t-" in name]
    assert bool(free) == any("Free Threading" in c for c in settings["project"]["classifiers"])
    assert f"{sys.version_info[0]}.{sys.version_info[1]}" in classified
